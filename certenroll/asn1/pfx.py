"""PFX files (PKCS #12, RFC 7292): a private key, its certificate and a chain, under a password.

The format is pyca's work. Here are the errors that tell a wrong password from a broken file, and Windows' habit of not
telling no password from an empty one.
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import exceptions, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from certenroll.asn1 import algorithms, ber, der
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.hresults import HRESULT

_VERSION: Final = 3
# What Windows before 10 reads: PBE with SHA-1 and three-key Triple DES, and a SHA-1 MAC.
_LEGACY_ROUNDS: Final = 2000
_MODERN_ROUNDS: Final = 100_000


class WrongPassword(ValueError):
    """The password does not open the file. Damage within the encrypted part looks the same.

    Attributes:
        hresult: ERROR_INVALID_PASSWORD as an HRESULT.
    """

    hresult: Final = int(HRESULT.WIN32_INVALID_PASSWORD)


@dataclass(frozen=True, slots=True)
class Pfx:
    """What a PFX holds.

    Attributes:
        private_key: a pyca key, or None where the file has none.
        certificate: the certificate of that key, in DER; empty where there is none.
        chain: the other certificates, in DER, in the order of the file.
        friendly_name: the name beside the certificate, or beside the key; empty where there is none.
    """

    private_key: algorithms.PrivateKey | None = field(repr=False)
    certificate: bytes
    chain: tuple[bytes, ...]
    friendly_name: str = ""


def looks_like_pfx(data: bytes) -> bool:
    """Whether ``data``, one element in DER, has the frame of a PFX: version 3 and a ContentInfo."""
    try:
        parts = der.children(data, der.SEQUENCE)
        return parts[0] == der.integer(_VERSION) and der.children(parts[1], der.SEQUENCE)[0][0] == der.OBJECT_IDENTIFIER
    except (DecodeError, IndexError):
        return False


def read_pfx(data: bytes, password: str | None) -> Pfx:
    """Opens a PFX in DER or BER.

    Args:
        data: the file.
        password: None and "" are one to Windows, and both are tried for either.

    Raises:
        DecodeError: the bytes are no PFX, or a certificate in it is malformed.
        WrongPassword: the password does not open it.
        UnsupportedAlgorithm: it is encrypted, or its key works, in a way that is not known here.
    """
    normal = ber.to_der(data)
    if not looks_like_pfx(normal):
        raise DecodeError("the bytes are no PFX file")
    for candidate in (_octets(password),) if password else (None, b""):
        opened = _open(normal, candidate)
        if opened is not None:
            return _contents(opened)
    raise WrongPassword("the password does not open the PFX file")


def _octets(password: str) -> bytes:
    if "\0" in password:  # it ends a password in Windows, and pyca panics on it
        raise WrongPassword("the password has a NUL character, which no PFX password can have")
    try:
        return password.encode("utf-8")
    except UnicodeEncodeError:
        raise WrongPassword("the password has characters that no PFX password can have") from None


def _open(data: bytes, password: bytes | None) -> pkcs12.PKCS12KeyAndCertificates | None:
    """The opened file, or None where the password does not fit."""
    try:
        with warnings.catch_warnings():
            # The parts under the MAC may be BER, and cannot be rewritten without breaking it.
            warnings.filterwarnings("ignore", message="PKCS#12 bundle could not be parsed as DER")
            return pkcs12.load_pkcs12(data, password)
    except exceptions.UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(f"the PFX file uses what is not known here: {error}") from None
    except ValueError as error:
        if "password" in str(error).lower():
            return None
        raise DecodeError(f"a malformed PFX file: {error}", HRESULT.CRYPT_E_ASN1_CORRUPT) from None


def _contents(opened: pkcs12.PKCS12KeyAndCertificates) -> Pfx:
    key, entry = opened.key, opened.cert
    if key is not None and not isinstance(key, algorithms.PrivateKey):
        raise UnsupportedAlgorithm(f"a private key of a kind that is not known here: {type(key).__name__}")
    others = [*([entry] if entry is not None else []), *opened.additional_certs]
    names = [one.friendly_name for one in others if one.friendly_name]
    encoded = [one.certificate.public_bytes(serialization.Encoding.DER) for one in others]
    own = encoded.pop(0) if entry is not None else b""
    return Pfx(key, own, tuple(encoded), names[0].decode("utf-8", "replace") if names else "")


def write_pfx(
    private_key: algorithms.PrivateKey | None,
    certificate: bytes,
    chain: Sequence[bytes],
    password: str | None,
    friendly_name: str = "",
    *,
    legacy: bool = False,
) -> bytes:
    """Writes a PFX in DER.

    Args:
        private_key: a pyca key that gives its private bytes, or None for certificates alone.
        certificate: that key's, in DER.
        chain: further certificates, in DER.
        password: None or "" writes an unencrypted file.
        friendly_name: the name that Windows shows; empty for none.
        legacy: Triple DES and SHA-1, which Windows before 10 reads, in the place of AES-256 and SHA-256.

    Raises:
        DecodeError: a certificate is malformed.
        EncodeError: key and certificate do not belong together, or the key cannot be written.
        WrongPassword: the password has lone surrogates, which no encoding takes, or a NUL character.
        Whatever the key's store raises when its private bytes are asked for goes through unchanged.
    """
    own, *others = _load([certificate, *chain])
    encryption = _encryption(password, legacy)
    try:
        return pkcs12.serialize_key_and_certificates(
            friendly_name.encode("utf-8") or None, private_key, own, others, encryption
        )
    except (TypeError, ValueError, exceptions.UnsupportedAlgorithm) as error:
        raise EncodeError(f"the PFX file cannot be written: {error}") from None


def _load(certificates: Iterable[bytes]) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(one) for one in certificates]
    except ValueError as error:
        raise DecodeError(f"a malformed certificate: {error}", HRESULT.CRYPT_E_ASN1_CORRUPT) from None


def _encryption(password: str | None, legacy: bool) -> serialization.KeySerializationEncryption:
    if not password:
        return serialization.NoEncryption()
    builder = serialization.PrivateFormat.PKCS12.encryption_builder()
    if legacy:
        return (
            builder.kdf_rounds(_LEGACY_ROUNDS)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())  # noqa: S303 - the only MAC that those versions read
            .build(_octets(password))
        )
    return (
        builder.kdf_rounds(_MODERN_ROUNDS)
        .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
        .hmac_hash(hashes.SHA256())
        .build(_octets(password))
    )
