"""Recipients of EnvelopedData who know a password: PBKDF2 makes a key of it, and that key wraps the content's key.

Reads and writes PasswordRecipientInfo. Knows neither the message around it nor the content.

Sources: RFC 5652 section 6.2.4, RFC 3211 section 2.3 (the wrapping of the key), RFC 8018 sections 5.2 and A.2 (PBKDF2).
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from certenroll.asn1 import algorithms, content_ciphers, der
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.cmc import parts_of
from certenroll.asn1.content_ciphers import ContentCipher, unreadable
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

TAG: Final = 0xA3
"""[3], by which a PasswordRecipientInfo stands among the recipients."""

ITERATIONS: Final = 100_000
"""How often PBKDF2 hashes what is written here."""

MAX_ITERATIONS: Final = 5_000_000
"""How often it hashes at most what is read here: the number comes from a stranger, and costs this machine its time."""

_PBKDF2: Final = "1.2.840.113549.1.5.12"
_PWRI_KEK: Final = "1.2.840.113549.1.9.16.3.9"
_DERIVATION: Final = 0xA0
_PRFS: Final = {
    "1.2.840.113549.2.7": "sha1",
    "1.2.840.113549.2.8": "sha224",
    "1.2.840.113549.2.9": "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
}
_DEFAULT_PRF: Final = "sha1"
_HMAC_SHA256: Final = "1.2.840.113549.2.9"
_SALT_SIZE: Final = 16
_CHECK_SIZE: Final = 3


@dataclass(frozen=True, slots=True)
class PasswordRecipient:
    """A PasswordRecipientInfo. What its algorithms say is read when it is opened.

    Attributes:
        derivation: the AlgorithmIdentifier of what makes a key of the password; empty where it is not said.
        algorithm: the AlgorithmIdentifier of what wraps the content's key.
        encrypted_key: the content's key, wrapped.
    """

    derivation: bytes
    algorithm: bytes
    encrypted_key: bytes


def decode(data: bytes) -> PasswordRecipient:
    """Reads a PasswordRecipientInfo under its tag [3]. Raises DecodeError."""
    parts = der.children(data, TAG)
    derivation = der.retag(parts.pop(1), der.SEQUENCE) if len(parts) > 1 and parts[1][0] == _DERIVATION else b""
    if len(parts) != 3:
        raise DecodeError("a recipient with a password lacks parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    _, algorithm, encrypted = parts
    algorithms.identifier_oid(algorithm)
    return PasswordRecipient(derivation, algorithm, der.read_octet_string(encrypted))


def encode(content_key: bytes, password: str, cipher: ContentCipher, random: Callable[[int], bytes]) -> bytes:
    """A PasswordRecipientInfo under its tag [3], with HMAC-SHA-256 and ITERATIONS.

    Args:
        content_key: the key of the content.
        password: of any characters; its UTF-8 octets count.
        cipher: what wraps the key, commonly the content's own cipher.
        random: gives as many random octets as it is asked for.
    """
    salt, iv = random(_SALT_SIZE), random(cipher.block)
    key = _derive(password, "sha256", salt, ITERATIONS, cipher.key_size)
    parameters = der.sequence_of(
        (
            der.octet_string(salt),
            der.integer(ITERATIONS),
            der.integer(cipher.key_size),
            algorithms.identifier(_HMAC_SHA256, der.NULL_DER),
        )
    )
    wrapping = algorithms.identifier(_PWRI_KEK, algorithms.identifier(cipher.oid, der.octet_string(iv)))
    parts = (
        der.integer(0),
        der.retag(algorithms.identifier(_PBKDF2, parameters), _DERIVATION),
        wrapping,
        der.octet_string(_wrap(content_key, cipher, key, iv, random)),
    )
    return der.wrap(TAG, b"".join(parts))


def content_key(recipient: PasswordRecipient, password: str) -> bytes:
    """The key of the content.

    Args:
        recipient: a recipient who knows a password.
        password: what it is thought to be.

    Raises:
        BadSignature: NTE_BAD_DATA; it is another password, or the wrapped key is damaged.
        DecodeError: parameters that are malformed; CRYPT_E_ASN1_LARGE beyond MAX_ITERATIONS.
        UnsupportedAlgorithm: a derivation, a wrapping or a cipher that is not known here.
    """
    oid, wrapping = _algorithm(recipient.algorithm)
    if oid != _PWRI_KEK:
        raise UnsupportedAlgorithm(f"a key wrapped by {oid} under a password is not opened")
    cipher_oid, iv_octets = _algorithm(wrapping)
    cipher, iv = content_ciphers.cipher_of(cipher_oid), der.read_octet_string(iv_octets)
    wrapped = recipient.encrypted_key
    if len(iv) != cipher.block or len(wrapped) % cipher.block or len(wrapped) < 2 * cipher.block:
        raise DecodeError("a wrapped key of no possible length", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return _unwrap(wrapped, cipher, _derived(recipient.derivation, password, cipher), iv)


def _algorithm(data: bytes) -> tuple[str, bytes]:
    """(OID, parameters) of an AlgorithmIdentifier that must have parameters."""
    oid, parameters = parts_of(data, 2)
    return der.read_oid(oid), parameters


def _derived(derivation: bytes, password: str, cipher: ContentCipher) -> bytes:
    if not derivation:
        raise UnsupportedAlgorithm("a recipient with a password that does not say how a key is made of it")
    oid, parameters = _algorithm(derivation)
    if oid != _PBKDF2:
        raise UnsupportedAlgorithm(f"a key that {oid} makes of a password is not known")
    salt, count, *others = der.children(parameters, der.SEQUENCE) + [b""] * 2
    length = [der.read_integer(one) for one in others if one[:1] == bytes((der.INTEGER,))]
    prf = [algorithms.identifier_oid(one) for one in others if one[:1] == bytes((der.SEQUENCE,))]
    if prf and prf[0] not in _PRFS:
        raise UnsupportedAlgorithm(f"PBKDF2 with {prf[0]} is not known")
    if length and length[0] != cipher.key_size:
        raise UnsupportedAlgorithm(f"{cipher.name} does not take a key of {length[0]} octets")
    hash_name = _PRFS[prf[0]] if prf else _DEFAULT_PRF
    return _derive(password, hash_name, der.read_octet_string(salt), _iterations(count), cipher.key_size)


def _iterations(data: bytes) -> int:
    count = der.read_integer(data)
    if not 1 <= count <= MAX_ITERATIONS:
        raise DecodeError(f"PBKDF2 with {count} iterations, not 1 to {MAX_ITERATIONS}", HRESULT.CRYPT_E_ASN1_LARGE)
    return count


def _derive(password: str, hash_name: str, salt: bytes, iterations: int, size: int) -> bytes:
    octets = password.encode("utf-8", "surrogatepass")
    return PBKDF2HMAC(algorithms.hash_algorithm(hash_name).algorithm, size, salt, iterations).derive(octets)


def _wrap(key: bytes, cipher: ContentCipher, wrapping_key: bytes, iv: bytes, random: Callable[[int], bytes]) -> bytes:
    """RFC 3211 section 2.3.1: length, complement of three octets, key and padding, encrypted twice in one chain."""
    plain = bytes((len(key),)) + _complement(key) + key
    size = max(2 * cipher.block, -(-len(plain) // cipher.block) * cipher.block)
    context = content_ciphers.encryptor(cipher, wrapping_key, iv)
    return context.update(context.update(plain + random(size - len(plain))))


def _unwrap(wrapped: bytes, cipher: ContentCipher, wrapping_key: bytes, iv: bytes) -> bytes:
    """RFC 3211 section 2.3.2. The second pass began with the last block of the first, which is found first."""
    block = cipher.block
    last = content_ciphers.decrypt_blocks(cipher, wrapping_key, wrapped[-2 * block : -block], wrapped[-block:])
    once = content_ciphers.decrypt_blocks(cipher, wrapping_key, last, wrapped)
    plain = content_ciphers.decrypt_blocks(cipher, wrapping_key, iv, once)
    start = 1 + _CHECK_SIZE
    key = plain[start : start + plain[0]]
    if len(key) != plain[0] or not hmac.compare_digest(plain[1:start], _complement(key)):
        raise unreadable()
    return key


def _complement(key: bytes) -> bytes:
    return bytes(octet ^ 0xFF for octet in key[:_CHECK_SIZE])
