"""CMS EnvelopedData (RFC 5652 section 6): content encrypted for the RSA keys of certificates, or under a password.

Reads DER and BER, writes DER. Knows no content but as octets, and no policy: which cipher a server takes, and whether a
certificate may be believed, is asked above. A private key is one of pyca's classes, wherever it lives.

Sources: RFC 5652 section 6, RFC 3370 and RFC 3560 (PKCS #1 v1.5 and OAEP as key transport).
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import exceptions
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from certenroll.asn1 import algorithms, ber, content_ciphers, der, password_recipients
from certenroll.asn1.algorithms import MGF1, RSA_ENCRYPTION, UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cmc import parts_of
from certenroll.asn1.content_ciphers import RC2_CBC, ContentCipher, cipher_named, cipher_of, unreadable
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.password_recipients import PasswordRecipient
from certenroll.hresults import HRESULT
from keystores.errors import KeyStoreError

ENVELOPED_DATA: Final = "1.2.840.113549.1.7.3"
DATA: Final = "1.2.840.113549.1.7.1"
RSAES_OAEP: Final = "1.2.840.113549.1.1.7"

_P_SPECIFIED: Final = "1.2.840.113549.1.1.9"
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_2: Final = 0xA2
_CONTEXT_0_PRIMITIVE: Final = 0x80
_RC2_128: Final = 58  # the version number by which RFC 3370 section 5.2 says 128 effective bits


@dataclass(frozen=True, slots=True)
class Recipient:
    """A KeyTransRecipientInfo: for whose RSA key the content's key is encrypted.

    Attributes:
        issuer: the issuer's Name of the certificate, in DER; empty where ``key_identifier`` names it.
        serial: that certificate's serial number; 0 where ``key_identifier`` names it.
        key_identifier: the subject key identifier; empty where issuer and serial number name the certificate.
        algorithm: the dotted OID of what encrypted the key.
        parameters: its parameters in DER; empty where there are none.
        encrypted_key: the content's key, encrypted.
    """

    issuer: bytes
    serial: int
    key_identifier: bytes
    algorithm: str
    parameters: bytes
    encrypted_key: bytes

    def is_named_by(self, certificate: Certificate) -> bool:
        """Whether this is the certificate that is meant. Raises DecodeError where that one is malformed."""
        if self.key_identifier:
            return self.key_identifier in (certificate.subject_key_identifier, certificate.key_identifier)
        return self.issuer == certificate.issuer and self.serial == certificate.serial


@dataclass(frozen=True, slots=True)
class EnvelopedData:
    """Encrypted content and who can open it.

    Attributes:
        recipients: who opens it with an RSA key. Those who agree on a key, or have one in common, are passed over.
        cipher: the dotted OID of what encrypted the content.
        iv: the cipher's initial vector; empty where its parameters are of another kind.
        content: encrypted.
        content_type: the dotted OID of what it is, commonly id-data.
        passwords: who opens it with a password.
        rc2_version: how RC2 says its strength; 0 for every other cipher.
    """

    recipients: tuple[Recipient, ...]
    cipher: str
    iv: bytes
    content: bytes
    content_type: str
    passwords: tuple[PasswordRecipient, ...] = ()
    rc2_version: int = 0


# Reading -------------------------------------------------------------------------------------------------------------


def decode(data: bytes) -> EnvelopedData:
    """Reads a ContentInfo with EnvelopedData, in DER or BER. Nothing is decrypted.

    Raises:
        DecodeError: the bytes are none. CRYPT_E_INVALID_MSG_TYPE where they are a ContentInfo of another type.
    """
    kind, content = parts_of(ber.to_der(data), 2)
    if der.read_oid(kind) != ENVELOPED_DATA:
        raise DecodeError("the message is no EnvelopedData", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    parts = der.children(der.contents(content, _CONTEXT_0), der.SEQUENCE)
    sets = [part for part in parts if part[0] == der.SET]
    sealed = [part for part in parts if part[0] == der.SEQUENCE]
    if len(sets) != 1 or len(sealed) != 1:
        raise DecodeError("EnvelopedData has recipients and a content", HRESULT.CRYPT_E_ASN1_CORRUPT)
    content_type, algorithm, encrypted = parts_of(sealed[0], 3)
    infos = der.children(sets[0])
    cipher, iv, rc2_version = _decode_cipher(algorithm)
    return EnvelopedData(
        recipients=tuple(_decode_recipient(one) for one in infos if one[0] == der.SEQUENCE),
        cipher=cipher,
        iv=iv,
        content=_octets(encrypted),
        content_type=der.read_oid(content_type),
        passwords=tuple(password_recipients.decode(one) for one in infos if one[0] == password_recipients.TAG),
        rc2_version=rc2_version,
    )


def _octets(data: bytes) -> bytes:
    """An OCTET STRING under an implicit [0], in one piece, or in pieces as micromdm's scepserver sends even one."""
    if data[0] == _CONTEXT_0:
        return b"".join(der.read_octet_string(part) for part in der.children(data))
    return der.contents(data, _CONTEXT_0_PRIMITIVE)


def _decode_cipher(algorithm: bytes) -> tuple[str, bytes, int]:
    """(OID, IV, version of RC2). Parameters of other kinds belong to ciphers that are not opened here."""
    oid, *parameters = der.children(algorithm, der.SEQUENCE) or [b""]
    cipher = der.read_oid(oid)
    if cipher == RC2_CBC.oid and parameters and parameters[0][0] == der.SEQUENCE:
        version, iv = parts_of(parameters[0], 2)
        return cipher, der.read_octet_string(iv), der.read_integer(version)
    has_iv = bool(parameters) and parameters[0][0] == der.OCTET_STRING
    return cipher, der.read_octet_string(parameters[0]) if has_iv else b"", 0


def _decode_recipient(data: bytes) -> Recipient:
    _, name, algorithm, encrypted = parts_of(data, 4)
    oid, *parameters = der.children(algorithm, der.SEQUENCE) or [b""]
    kind = der.read_oid(oid)
    key = der.read_octet_string(encrypted)
    if name[0] in (_CONTEXT_0, _CONTEXT_0_PRIMITIVE):
        return Recipient(b"", 0, _octets(name), kind, b"".join(parameters), key)
    issuer, serial = parts_of(name, 2)
    number = int.from_bytes(der.contents(serial, der.INTEGER), "big", signed=True)
    return Recipient(issuer, number, b"", kind, b"".join(parameters), key)


# Opening -------------------------------------------------------------------------------------------------------------


def open_enveloped(data: bytes, private_key: object, certificate: bytes | None = None) -> bytes:
    """Decrypts a message with the RSA key of one of its recipients.

    Args:
        data: a ContentInfo with EnvelopedData, in DER or BER.
        private_key: a pyca RSA key, or a subclass whose key lives elsewhere.
        certificate: in DER, the certificate of that key, by which the recipient is found; None where the message has one
            recipient only.

    Returns:
        the content.

    Raises:
        DecodeError: the message or the certificate is malformed; CRYPT_E_RECIPIENT_NOT_FOUND where no recipient, or
            without a certificate not just one, is there.
        UnsupportedAlgorithm: a cipher, a key transport or a kind of key that is not known here.
        BadSignature: NTE_BAD_DATA; it is encrypted for another key, or damaged.
        Whatever else the key's store raises goes through unchanged.
    """
    found = decode(data)
    cipher = _checked_cipher(found)
    if not isinstance(private_key, rsa.RSAPrivateKey):
        kind = type(private_key).__name__
        raise UnsupportedAlgorithm(f"{kind} opens no message: SCEP encrypts for an RSA key, or else under a password")
    recipient = _recipient(found.recipients, certificate)
    return content_ciphers.decrypt(cipher, _unwrap(recipient, private_key), found.iv, found.content)


def open_with_password(data: bytes, password: str) -> bytes:
    """Decrypts a message with the password of its one recipient who has one.

    Args:
        data: a ContentInfo with EnvelopedData, in DER or BER.
        password: its UTF-8 octets count.

    Raises:
        DecodeError: the message is malformed; CRYPT_E_RECIPIENT_NOT_FOUND where not just one recipient has a password.
        UnsupportedAlgorithm: a cipher, or a way from a password to a key, that is not known here.
        BadSignature: NTE_BAD_DATA; it is another password, or the message is damaged.
    """
    found = decode(data)
    cipher = _checked_cipher(found)
    if len(found.passwords) != 1:
        text = f"{len(found.passwords)} recipients open the message with a password, not one"
        raise DecodeError(text, HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND)
    key = password_recipients.content_key(found.passwords[0], password)
    return content_ciphers.decrypt(cipher, key, found.iv, found.content)


def _checked_cipher(found: EnvelopedData) -> ContentCipher:
    """The cipher, once it is sure that only key and padding can be wrong: whatever is judged here is no secret."""
    cipher = cipher_of(found.cipher)
    if cipher is RC2_CBC and found.rc2_version != _RC2_128:
        raise UnsupportedAlgorithm("content encrypted with RC2 is opened with 128 effective bits only")
    if len(found.iv) != cipher.block or len(found.content) % cipher.block:
        raise DecodeError("encrypted content of no possible length", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return cipher


def _recipient(recipients: Sequence[Recipient], certificate: bytes | None) -> Recipient:
    if certificate is not None:
        own = read_certificate(certificate)
        for one in recipients:
            if one.is_named_by(own):
                return one
        raise DecodeError("the message is encrypted for another certificate", HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND)
    if len(recipients) != 1:
        text = f"the message has {len(recipients)} recipients with an RSA key: give the certificate of the right one"
        raise DecodeError(text, HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND)
    return recipients[0]


def _unwrap(recipient: Recipient, private_key: rsa.RSAPrivateKey) -> bytes:
    scheme = _transport(recipient)
    try:
        return private_key.decrypt(recipient.encrypted_key, scheme)
    except KeyStoreError as error:  # some of these are ValueErrors too
        if error.hresult != HRESULT.NTE_DECRYPTION_FAILURE:
            raise
    except exceptions.UnsupportedAlgorithm as error:
        raise UnsupportedAlgorithm(str(error)) from None
    except ValueError:
        pass  # said below, in the one way in which everything is said that goes wrong from here on
    raise unreadable()


def _transport(recipient: Recipient) -> padding.AsymmetricPadding:
    if recipient.algorithm == RSA_ENCRYPTION:
        return padding.PKCS1v15()
    if recipient.algorithm == RSAES_OAEP:
        return _read_oaep(recipient.parameters)
    raise UnsupportedAlgorithm(f"a key that {recipient.algorithm} encrypted is not opened")


def _read_oaep(parameters: bytes) -> padding.OAEP:
    """RSAES-OAEP-params, RFC 4055 section 4.1; whatever is absent has SHA-1's values and no label."""
    fields = {der.tag(part): der.contents(part) for part in der.children(parameters, der.SEQUENCE)} if parameters else {}
    hash_name, mgf_hash, label = "sha1", "sha1", b""
    if _CONTEXT_0 in fields:
        hash_name = algorithms.hash_algorithm(algorithms.identifier_oid(fields[_CONTEXT_0])).name
    if _CONTEXT_1 in fields:
        kind, inner = parts_of(fields[_CONTEXT_1], 2)
        if der.read_oid(kind) != MGF1:
            raise UnsupportedAlgorithm("OAEP with a mask generation other than MGF1")
        mgf_hash = algorithms.hash_algorithm(algorithms.identifier_oid(inner)).name
    if _CONTEXT_2 in fields:
        kind, source = parts_of(fields[_CONTEXT_2], 2)
        if der.read_oid(kind) != _P_SPECIFIED:
            raise UnsupportedAlgorithm("OAEP with a label that is not in the message")
        label = der.read_octet_string(source)
    mask = padding.MGF1(algorithms.hash_algorithm(mgf_hash).algorithm)
    return padding.OAEP(mask, algorithms.hash_algorithm(hash_name).algorithm, label or None)


# Sealing -------------------------------------------------------------------------------------------------------------


def seal(
    content: bytes,
    certificates: Sequence[bytes],
    cipher: str = "aes128-cbc",
    *,
    random: Callable[[int], bytes] = os.urandom,
) -> bytes:
    """Encrypts content for the RSA keys of certificates, with PKCS #1 v1.5.

    Args:
        content: any octets; written as id-data.
        certificates: of the recipients, each in DER; named by issuer and serial number.
        cipher: a name of ``content_ciphers.CIPHERS``.
        random: gives as many random octets as it is asked for.

    Returns:
        a ContentInfo with EnvelopedData of version 0, in DER.

    Raises:
        EncodeError: no certificates (E_INVALIDARG).
        DecodeError: a certificate or its key is malformed.
        UnsupportedAlgorithm: another cipher, or a certificate whose key is not an RSA key.
    """
    if not certificates:
        raise EncodeError("a message is encrypted for at least one certificate", HRESULT.E_INVALIDARG)
    chosen = cipher_named(cipher)
    key, iv = random(chosen.key_size), random(chosen.block)
    recipients = [_encode_recipient(key, read_certificate(one)) for one in certificates]
    return _encode(0, recipients, chosen, iv, content_ciphers.encrypt(chosen, key, iv, content))


def seal_with_password(
    content: bytes, password: str, cipher: str = "aes128-cbc", *, random: Callable[[int], bytes] = os.urandom
) -> bytes:
    """Encrypts content under a password, as SCEP does where the other side's key cannot decrypt (RFC 8894 section 3.1).

    Args:
        content: any octets; written as id-data.
        password: at least one character.
        cipher: a name of ``content_ciphers.CIPHERS``; of the content, and of its key.
        random: gives as many random octets as it is asked for.

    Returns:
        a ContentInfo with EnvelopedData of version 3, in DER.

    Raises:
        EncodeError: an empty password (E_INVALIDARG).
        UnsupportedAlgorithm: another cipher.
    """
    if not password:
        raise EncodeError("a message is not encrypted under an empty password", HRESULT.E_INVALIDARG)
    chosen = cipher_named(cipher)
    key, iv = random(chosen.key_size), random(chosen.block)
    recipient = password_recipients.encode(key, password, chosen, random)
    return _encode(3, [recipient], chosen, iv, content_ciphers.encrypt(chosen, key, iv, content))


def _encode(version: int, recipients: Iterable[bytes], cipher: ContentCipher, iv: bytes, encrypted: bytes) -> bytes:
    algorithm = algorithms.identifier(cipher.oid, der.octet_string(iv))
    content = der.sequence_of((der.oid(DATA), algorithm, der.wrap(_CONTEXT_0_PRIMITIVE, encrypted)))
    enveloped = der.sequence_of((der.integer(version), der.set_of(recipients), content))
    return der.sequence_of((der.oid(ENVELOPED_DATA), der.wrap(_CONTEXT_0, enveloped)))


def _encode_recipient(key: bytes, certificate: Certificate) -> bytes:
    public_key = algorithms.load_public_key(certificate.public_key_info)
    if not isinstance(public_key, rsa.RSAPublicKey):
        kind = type(public_key).__name__
        raise UnsupportedAlgorithm(f"nothing is encrypted for {kind}: give a certificate with an RSA key, or a password")
    return der.sequence_of(
        (
            der.integer(0),
            der.sequence_of((certificate.issuer, der.integer(certificate.serial))),
            algorithms.identifier(RSA_ENCRYPTION, der.NULL_DER),
            der.octet_string(public_key.encrypt(key, padding.PKCS1v15())),
        )
    )
