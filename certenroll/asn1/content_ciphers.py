"""The ciphers of encrypted content: their names, what the wire calls them, and CBC mode with and without padding.

The mathematics is pyca's. Knows no message and no recipient. Single DES and RC2 work because old servers still write them;
whether a cipher may be used is decided above.

Sources: RFC 3370 section 5 (Triple DES, RC2), RFC 3565 (AES), FIPS 81 and the OIW's object identifier (DES).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import RC2, TripleDES
from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.hresults import HRESULT


@dataclass(frozen=True, slots=True)
class ContentCipher:
    """A block cipher in CBC mode.

    Attributes:
        name: what callers say.
        oid: what the wire says.
        key_size, block: in octets.
        algorithm: pyca's algorithm with a key.
    """

    name: str
    oid: str
    key_size: int
    block: int
    algorithm: Callable[[bytes], BlockCipherAlgorithm]


def _single_des(key: bytes) -> BlockCipherAlgorithm:
    """With one key three times over, Triple DES is DES: encrypt, decrypt, encrypt."""
    return TripleDES(key * 3)


CIPHERS: Final = {
    one.name: one
    for one in (
        ContentCipher("aes128-cbc", "2.16.840.1.101.3.4.1.2", 16, 16, algorithms.AES),
        ContentCipher("aes192-cbc", "2.16.840.1.101.3.4.1.22", 24, 16, algorithms.AES),
        ContentCipher("aes256-cbc", "2.16.840.1.101.3.4.1.42", 32, 16, algorithms.AES),
        ContentCipher("des-ede3-cbc", "1.2.840.113549.3.7", 24, 8, TripleDES),
        ContentCipher("des-cbc", "1.3.14.3.2.7", 8, 8, _single_des),
    )
}
"""What content is encrypted with here, by name."""

RC2_CBC: Final = ContentCipher("rc2-cbc", "1.2.840.113549.3.2", 16, 8, RC2)
"""RC2 with 128 effective bits, the only strength that pyca has. It is read and never written."""

_BY_OID: Final = {one.oid: one for one in (*CIPHERS.values(), RC2_CBC)}


def cipher_named(name: str) -> ContentCipher:
    """The cipher that callers call ``name``. Raises UnsupportedAlgorithm where content is not encrypted with it."""
    found = CIPHERS.get(name.strip().lower())
    if found is None:
        raise UnsupportedAlgorithm(f"content is not encrypted with {name!r}, but with one of {', '.join(CIPHERS)}")
    return found


def cipher_of(oid: str) -> ContentCipher:
    """The cipher of a dotted OID. Raises UnsupportedAlgorithm where content is not decrypted with it."""
    found = _BY_OID.get(oid)
    if found is None:
        raise UnsupportedAlgorithm(f"content encrypted with {oid} is not opened")
    return found


def unreadable() -> BadSignature:
    """One error (NTE_BAD_DATA) for every way in which decrypting fails, so that none can be told from another."""
    return BadSignature("what was encrypted does not open with this key or password", HRESULT.NTE_BAD_DATA)


def encryptor(cipher: ContentCipher, key: bytes, iv: bytes) -> CipherContext:
    """Encrypts whole blocks, without padding. The key has ``key_size`` octets and the IV ``block``."""
    return Cipher(cipher.algorithm(key), modes.CBC(iv)).encryptor()


def decrypt_blocks(cipher: ContentCipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """Decrypts whole blocks; nothing is taken for padding."""
    context = Cipher(cipher.algorithm(key), modes.CBC(iv)).decryptor()
    return context.update(data) + context.finalize()


def encrypt(cipher: ContentCipher, key: bytes, iv: bytes, content: bytes) -> bytes:
    """Pads and encrypts ``content`` (RFC 5652 section 6.3)."""
    padder, context = PKCS7(8 * cipher.block).padder(), encryptor(cipher, key, iv)
    return context.update(padder.update(content) + padder.finalize()) + context.finalize()


def decrypt(cipher: ContentCipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """What ``encrypt`` was given.

    Args:
        cipher: the cipher.
        key: of any length, because a wrong one of the recipient's may give anything.
        iv: of ``block`` octets.
        data: whole blocks.

    Raises:
        BadSignature: NTE_BAD_DATA; the key is of another length, or what comes out is not padded.
    """
    if len(key) != cipher.key_size:
        raise unreadable()
    unpadder = PKCS7(8 * cipher.block).unpadder()
    try:
        return unpadder.update(decrypt_blocks(cipher, key, iv, data)) + unpadder.finalize()
    except ValueError:
        raise unreadable() from None
