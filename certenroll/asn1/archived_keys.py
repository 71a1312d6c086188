"""Archived private keys as a CA opens them: the EnvelopedData that ``attributes.encode_archived_key`` writes, read.

Takes the message apart and decrypts it with the key of the CA exchange certificate. Knows no private key's own format: what
comes out is the blob that went in.

Sources: MS-WCCE 3.1.1.4.3.6.1 and 2.2.2.7.9 (the archived-key attribute), RFC 5652 section 6.
"""

from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import ber, der
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.attributes import ARCHIVAL_CIPHERS, TRIPLE_DES
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.cmc import parts_of
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

_ENVELOPED_DATA: Final = "1.2.840.113549.1.7.3"
_RSA_PKCS1: Final = "1.2.840.113549.1.1.1"
_EXPLICIT_0: Final = 0xA0
_IMPLICIT_0: Final = 0x80


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a key is encrypted for.

    Attributes:
        issuer: the issuer's Name of the exchange certificate, in DER.
        serial: that certificate's serial number.
        algorithm: the dotted OID of what encrypted the key.
        encrypted_key: the content's key, encrypted.
    """

    issuer: bytes
    serial: int
    algorithm: str
    encrypted_key: bytes


@dataclass(frozen=True, slots=True)
class ArchivedKey:
    """An encrypted private key.

    Attributes:
        recipients: whom it is encrypted for, by issuer and serial number; others are passed over.
        cipher: the dotted OID of what encrypted the content.
        iv: the cipher's initial vector.
        content: encrypted.
    """

    recipients: tuple[Recipient, ...]
    cipher: str
    iv: bytes
    content: bytes


def decode(data: bytes) -> ArchivedKey:
    """Reads the value of an archived-key attribute, a ContentInfo with EnvelopedData in DER or BER. Raises DecodeError."""
    kind, content = parts_of(ber.to_der(data), 2)
    if der.read_oid(kind) != _ENVELOPED_DATA:
        raise DecodeError("an archived key is EnvelopedData", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    parts = der.children(der.contents(content, _EXPLICIT_0), der.SEQUENCE)
    sets = [part for part in parts if part[0] == der.SET]
    sealed = [part for part in parts if part[0] == der.SEQUENCE]
    if len(sets) != 1 or len(sealed) != 1:
        raise DecodeError("EnvelopedData has recipients and a content", HRESULT.CRYPT_E_ASN1_CORRUPT)
    _, algorithm, encrypted = parts_of(sealed[0], 3)
    cipher, iv = parts_of(algorithm, 2)
    return ArchivedKey(
        tuple(_decode_recipient(one) for one in der.children(sets[0]) if one[0] == der.SEQUENCE),
        der.read_oid(cipher),
        der.read_octet_string(iv),
        der.contents(encrypted, _IMPLICIT_0),
    )


def _decode_recipient(data: bytes) -> Recipient:
    _, name, algorithm, encrypted = parts_of(data, 4)
    issuer, serial = parts_of(name, 2)
    oid = der.children(algorithm, der.SEQUENCE)
    number = int.from_bytes(der.contents(serial, der.INTEGER), "big", signed=True)
    return Recipient(issuer, number, der.read_oid(oid[0] if oid else b""), der.read_octet_string(encrypted))


def open_key(data: bytes, certificate: Certificate, private_key: object) -> bytes:
    """Decrypts an archived key.

    Args:
        data: the attribute's value.
        certificate: the CA exchange certificate that it was encrypted for.
        private_key: its pyca RSA key, or a subclass whose key lives elsewhere.

    Returns:
        the blob that went in.

    Raises:
        DecodeError: the value is malformed; CRYPT_E_NOT_FOUND where it is encrypted for another certificate.
        UnsupportedAlgorithm: a cipher, a key transport or a kind of key that is not known here.
        BadSignature: what comes out is no plain text of that cipher (NTE_BAD_DATA).
    """
    found = decode(data)
    mine = (certificate.issuer, certificate.serial)
    recipient = next((one for one in found.recipients if (one.issuer, one.serial) == mine), None)
    if recipient is None:
        raise DecodeError("the key is encrypted for another CA exchange certificate", HRESULT.CRYPT_E_NOT_FOUND)
    return _decrypt(found, _unwrap(recipient, private_key, found.cipher))


def _unwrap(recipient: Recipient, private_key: object, cipher: str) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if cipher not in ARCHIVAL_CIPHERS or recipient.algorithm != _RSA_PKCS1:
        raise UnsupportedAlgorithm(f"an archived key under {cipher} and {recipient.algorithm} is not opened")
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise UnsupportedAlgorithm(f"{type(private_key).__name__} opens no archived key")
    try:
        key = private_key.decrypt(recipient.encrypted_key, padding.PKCS1v15())
    except ValueError:
        raise _unreadable() from None
    if len(key) != ARCHIVAL_CIPHERS[cipher][0]:
        raise _unreadable()
    return key


def _decrypt(found: ArchivedKey, key: bytes) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.padding import PKCS7

    block = ARCHIVAL_CIPHERS[found.cipher][1]
    if len(found.iv) != block or len(found.content) % block:
        raise DecodeError("an archived key of no possible length", HRESULT.CRYPT_E_ASN1_CORRUPT)
    cipher = TripleDES(key) if found.cipher == TRIPLE_DES else algorithms.AES(key)
    decryptor, unpadder = Cipher(cipher, modes.CBC(found.iv)).decryptor(), PKCS7(8 * block).unpadder()
    try:
        return unpadder.update(decryptor.update(found.content) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise _unreadable() from None


def _unreadable() -> BadSignature:
    """One error for every way in which decrypting fails, so that none can be told from another."""
    return BadSignature("the archived key does not open with this key", HRESULT.NTE_BAD_DATA)
