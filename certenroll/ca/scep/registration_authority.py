"""The registration authority of a CA: one key that signs a SCEP server's answers, one that opens the messages to it.

    private/ra-sign-<serial>.pem       certificate and key of one, for the owner alone
    private/ra-encrypt-<serial>.pem

They are made when they are first asked for, live for two years, and are followed by new ones a month before they end; what
was encrypted for the last ones is opened for another month. A CA whose RSA key does this itself stands in their place:
``OwnKeys``. Knows the folder and the CA's key, and no messages.

Source: RFC 8894 section 2.1.3; a pair of keys with one use each is what Windows' client asks for (the page of
IX509SCEPEnrollment::Initialize).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.ca.base import CAError
from certenroll.ca.issuing import BACKDATE, Issuer, RandomBytes, location_extensions, serial_number
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from keystores.locks import file_lock

_LIFETIME: Final = timedelta(days=730)
_OVERLAP: Final = timedelta(days=30)  # new ones are there this long before the last ones end
_KEPT: Final = timedelta(days=30)  # after their end: clients that kept their certificates may still use them
_BITS: Final = 2048
_DER: Final = serialization.Encoding.DER
_SIGN: Final = "sign"
_ENCRYPT: Final = "encrypt"


@dataclass(frozen=True)
class Pair:
    """A certificate with its key."""

    certificate: Certificate
    key: rsa.RSAPrivateKey = field(repr=False)


class ServerKeys(Protocol):
    """The keys of a SCEP server."""

    def signing(self) -> Pair:
        """Which signs answers now. Raises CAError."""

    def opening(self) -> tuple[Pair, ...]:
        """Which open messages, the one to encrypt for first. Raises CAError."""

    def certificates(self) -> tuple[bytes, ...]:
        """DER of the certificates that clients need besides the CA's own. Raises CAError."""


class OwnKeys:
    """A CA that does without a registration authority.

    Args:
        issuer: the CA with its key.

    Raises:
        CAError: NTE_BAD_KEY where that is no RSA key: SCEP encrypts for the server.
    """

    def __init__(self, issuer: Issuer) -> None:
        if not isinstance(issuer.key, rsa.RSAPrivateKey):
            text = "the CA's own key is no RSA key, and opens no SCEP message: serve it with a registration authority (--ra)"
            raise CAError(HRESULT.NTE_BAD_KEY, text)
        self._pair = Pair(read_certificate(issuer.certificate.public_bytes(_DER)), issuer.key)

    def signing(self) -> Pair:
        """The CA's own."""
        return self._pair

    def opening(self) -> tuple[Pair, ...]:
        """The CA's own."""
        return (self._pair,)

    def certificates(self) -> tuple[bytes, ...]:
        """None but the CA's."""
        return ()


class RegistrationAuthority:
    """The registration authority of the CA in a folder.

    Args:
        directory: the CA's folder.
        issuer: the CA with its key, which signs new certificates.
        clock: gives the time, in UTC.
        random: gives that many random bytes, for serial numbers.
    """

    def __init__(self, directory: Path, issuer: Issuer, clock: Callable[[], datetime], random: RandomBytes) -> None:
        self._directory = directory / "private"
        self._issuer = issuer
        self._clock = clock
        self._random = random

    def signing(self) -> Pair:
        """Which signs answers now.

        Raises:
            CAError: CERT_E_EXPIRED where one has to be made and the CA's certificate is not valid, 0x8007000D where a
                file is malformed.
        """
        return self._current(_SIGN)

    def opening(self) -> tuple[Pair, ...]:
        """Which open messages: the one to encrypt for, then those before it. Raises as ``signing``."""
        current = self._current(_ENCRYPT)
        return (current, *(one for one in self._kept(_ENCRYPT) if one.certificate != current.certificate))

    def certificates(self) -> tuple[bytes, ...]:
        """DER of the current certificates: signature, encryption. Raises as ``signing``."""
        return self._current(_SIGN).certificate.der, self._current(_ENCRYPT).certificate.der

    def _current(self, use: str) -> Pair:
        moment = self._clock()
        found = self._latest(use, moment)
        if found is not None:
            return found
        with file_lock(self._directory / ".ra.lock"):
            found = self._latest(use, moment) or self._make(use, moment)
            self._prune(use, moment)
        return found

    def _kept(self, use: str) -> Iterator[Pair]:
        return (_load(path) for path in sorted(self._directory.glob(f"ra-{use}-*.pem")))

    def _latest(self, use: str, moment: datetime) -> Pair | None:
        """That which is valid longest, if it is for a month yet, or for as long as the CA's own certificate."""
        found = max(self._kept(use), key=lambda one: one.certificate.not_after, default=None)
        if found is None or found.certificate.not_after <= moment:
            return None
        last_of_all = found.certificate.not_after >= self._issuer.certificate.not_valid_after_utc
        return found if last_of_all or found.certificate.not_after > moment + _OVERLAP else None

    def _make(self, use: str, moment: datetime) -> Pair:
        own = self._issuer.certificate
        if not own.not_valid_before_utc <= moment < own.not_valid_after_utc:
            raise CAError(HRESULT.CERT_E_EXPIRED, "the CA's certificate is not valid now: renew the CA")
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        serial = serial_number(self._random)
        certificate = _certificate(self._issuer, use, key.public_key(), serial, moment)
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        pem += key.private_bytes(serialization.Encoding.PEM, form, plain)
        write_atomically(self._directory / f"ra-{use}-{serial:x}.pem", pem)
        return Pair(read_certificate(certificate.public_bytes(_DER)), key)

    def _prune(self, use: str, moment: datetime) -> None:
        for path in sorted(self._directory.glob(f"ra-{use}-*.pem")):
            if _load(path).certificate.not_after + _KEPT < moment:
                path.unlink(missing_ok=True)


def _certificate(issuer: Issuer, use: str, key: rsa.RSAPublicKey, serial: int, moment: datetime) -> x509.Certificate:
    """No enhanced key usage: OpenSSL's PKCS #7, on which clients stand, then believes a signer for mail alone."""
    own = issuer.certificate
    start = moment.replace(microsecond=0)
    names = own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = f"{str(names[0].value)[:50] if names else 'CA'}-SCEP-{'RA' if use == _SIGN else 'Xchg'}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]))
        .issuer_name(own.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(max(start - BACKDATE, own.not_valid_before_utc))
        .not_valid_after(min(start + _LIFETIME, own.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(issuer.key_id, None, None), critical=False)
        .add_extension(_key_usage(use), critical=True)
    )
    for one in location_extensions(issuer):
        value = x509.UnrecognizedExtension(x509.ObjectIdentifier(one.oid), one.value)
        builder = builder.add_extension(value, critical=one.critical)
    return builder.sign(issuer.key, hashes.SHA256())


def _key_usage(use: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=use == _SIGN,
        content_commitment=False,
        key_encipherment=use == _ENCRYPT,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _load(path: Path) -> Pair:
    try:
        pem = path.read_bytes()
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, rsa.RSAPrivateKey):
            return Pair(read_certificate(x509.load_pem_x509_certificate(pem).public_bytes(_DER)), key)
    except (OSError, ValueError, TypeError) as error:
        raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path.name} is no certificate with its key: {error}") from error
    raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path.name} holds no RSA key")
