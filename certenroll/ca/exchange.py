"""The CA exchange certificate, for which clients encrypt the private keys that the CA is to archive; it lives for a week.

    private/exchange-<serial>.pem    certificate and key of one, for the owner alone

Knows the folder and the CA's key, and no requests. Source: MS-WCCE 3.2.1.4.3.2.15 (CAXCHGCERT); AD CS keeps one for a week.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.ca.base import CAError
from certenroll.ca.issuing import BACKDATE, Issuer, RandomBytes, location_extensions, serial_number
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from keystores.locks import file_lock

CA_EXCHANGE: Final = "1.3.6.1.4.1.311.21.5"  # szOID_KP_CA_EXCHANGE
_LIFETIME: Final = timedelta(days=7)
_OVERLAP: Final = timedelta(days=1)  # a new one is there this long before the last one ends
_KEPT: Final = timedelta(days=30)  # after its end: requests made for it may still come
_BITS: Final = 2048
_PRIVATE: Final = "private"
_PATTERN: Final = "exchange-*.pem"

Pair = tuple[x509.Certificate, rsa.RSAPrivateKey]


class Exchange:
    """The exchange certificates of the CA in a folder.

    Args:
        directory: the CA's folder.
        random: gives that many random bytes, for serial numbers.
    """

    def __init__(self, directory: Path, random: RandomBytes) -> None:
        self._directory = directory / _PRIVATE
        self._random = random

    def current(self, issuer: Issuer, moment: datetime) -> bytes:
        """DER of the certificate to encrypt for; a new one is made where the last has less than a day left.

        Args:
            issuer: the CA, which signs a new one.
            moment: the time.

        Raises:
            CAError: CERT_E_EXPIRED where the CA's own certificate is not valid, 0x8007000D where a file is malformed.
        """
        with file_lock(self._directory / ".exchange.lock"):
            found = self._latest(moment + _OVERLAP) or self._latest_until(issuer, moment)
            made = found or self._make(issuer, moment)
            self._prune(moment)
        return made.public_bytes(serialization.Encoding.DER)

    def find(self, issuer: bytes, serial: int) -> tuple[Certificate, rsa.RSAPrivateKey] | None:
        """The certificate with that issuer's Name (DER) and serial number, with its key; or None."""
        path = self._directory / f"exchange-{serial:x}.pem"
        if serial <= 0 or not path.exists():
            return None
        certificate, key = _load(path)
        found = read_certificate(certificate.public_bytes(serialization.Encoding.DER))
        return (found, key) if found.issuer == issuer else None

    def _certificates(self) -> list[tuple[Path, x509.Certificate]]:
        return [(path, _load(path)[0]) for path in sorted(self._directory.glob(_PATTERN))]

    def _latest(self, moment: datetime) -> x509.Certificate | None:
        """That which is valid longest, if it is valid at that time."""
        found = [one for _, one in self._certificates() if one.not_valid_after_utc > moment]
        return max(found, key=lambda one: one.not_valid_after_utc, default=None)

    def _latest_until(self, issuer: Issuer, moment: datetime) -> x509.Certificate | None:
        """Near the end of the CA's own certificate a new one would live no longer than the last."""
        found = self._latest(moment)
        end = issuer.certificate.not_valid_after_utc
        return found if found is not None and found.not_valid_after_utc >= end else None

    def _make(self, issuer: Issuer, moment: datetime) -> x509.Certificate:
        own = issuer.certificate
        if not own.not_valid_before_utc <= moment < own.not_valid_after_utc:
            raise CAError(HRESULT.CERT_E_EXPIRED, "the CA's certificate is not valid now: renew the CA")
        key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
        serial = serial_number(self._random)
        certificate = _certificate(issuer, key.public_key(), serial, moment)
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        pem += key.private_bytes(serialization.Encoding.PEM, form, plain)
        write_atomically(self._directory / f"exchange-{serial:x}.pem", pem)
        return certificate

    def _prune(self, moment: datetime) -> None:
        for path, one in self._certificates():
            if one.not_valid_after_utc + _KEPT < moment:
                path.unlink()


def _certificate(issuer: Issuer, key: rsa.RSAPublicKey, serial: int, moment: datetime) -> x509.Certificate:
    own = issuer.certificate
    start = moment.replace(microsecond=0)
    names = own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    text = f"{str(names[0].value)[:59] if names else 'CA'}-Xchg"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)]))
        .issuer_name(own.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(max(start - BACKDATE, own.not_valid_before_utc))
        .not_valid_after(min(start + _LIFETIME, own.not_valid_after_utc))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier(issuer.key_id, None, None), critical=False)
        .add_extension(_KEY_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(CA_EXCHANGE)]), critical=False)
    )
    for one in location_extensions(issuer):
        value = x509.UnrecognizedExtension(x509.ObjectIdentifier(one.oid), one.value)
        builder = builder.add_extension(value, critical=one.critical)
    return builder.sign(issuer.key, hashes.SHA256())


_KEY_USAGE: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=True,
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
            return x509.load_pem_x509_certificate(pem), key
    except (OSError, ValueError, TypeError) as error:
        raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path.name} is no exchange certificate: {error}") from error
    raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path.name} holds no RSA key")
