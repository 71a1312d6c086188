"""What a TPM's public area (TPM2B_PUBLIC) says of a key: family, size, attributes, the public key.

Knows no TPM and needs no TSS, so keys can be listed where neither is there.
Source: TCG TPM 2.0 Library part 2, sections 8.3 (TPMA_OBJECT) and 12.2 (TPMT_PUBLIC).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keystores.base import KeyAlgorithm, KeyUse
from keystores.errors import BadKeyData, UnsupportedKey

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey

FIXED_TPM: Final = 0x00000002
SENSITIVE_DATA_ORIGIN: Final = 0x00000020
NO_DA: Final = 0x00000400
RESTRICTED: Final = 0x00010000
DECRYPT: Final = 0x00020000
SIGN: Final = 0x00040000

_ALG_RSA: Final = 0x0001
_ALG_NULL: Final = 0x0010
_ALG_RSAES: Final = 0x0015
_ALG_ECC: Final = 0x0023
_WITHOUT_HASH: Final = {_ALG_NULL, _ALG_RSAES}
CURVES: Final[dict[int, type[ec.EllipticCurve]]] = {3: ec.SECP256R1, 4: ec.SECP384R1, 5: ec.SECP521R1}


@dataclass(frozen=True)
class PublicFacts:
    """What a TPM's public area says of a key.

    Attributes:
        algorithm, length: what it is.
        attributes: TPMA_OBJECT.
        key: the public key.
    """

    algorithm: KeyAlgorithm
    length: int
    attributes: int
    key: PublicKey

    @property
    def spki(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        return self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def generated(self) -> bool:
        """Whether the TPM itself made the key: it never was outside and cannot leave."""
        inside = FIXED_TPM | SENSITIVE_DATA_ORIGIN
        return self.attributes & inside == inside

    @property
    def use(self) -> KeyUse:
        """What the TPM lets the key do."""
        second = KeyUse.DECRYPT if self.algorithm is KeyAlgorithm.RSA else KeyUse.AGREE
        sign = KeyUse.SIGN if self.attributes & SIGN else KeyUse(0)
        return sign | (second if self.attributes & DECRYPT else KeyUse(0))


def read_public(public: bytes) -> PublicFacts:
    """Reads a marshalled TPM2B_PUBLIC.

    Raises:
        BadKeyData: it is cut short or makes no sense.
        UnsupportedKey: it is no RSA, P-256, P-384 or P-521 key, or one for a single scheme or for TPM structures only.
    """
    try:
        return _read(_Cursor(public))
    except ValueError as error:
        raise BadKeyData("the public area of the TPM key cannot be read", store="tpm") from error


class _Cursor:
    """Reads big-endian numbers and sized buffers, one after the other."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        part = self.data[self.position : self.position + size]
        if len(part) != size:
            raise ValueError("cut short")
        self.position += size
        return part

    def sized(self) -> bytes:
        return self.take(self.number(2))

    def scheme(self) -> int:
        scheme = self.number(2)
        if scheme not in _WITHOUT_HASH:
            self.take(2)
        return scheme


def _read(cursor: _Cursor) -> PublicFacts:
    if cursor.number(2) != len(cursor.data) - 2:
        raise ValueError("size does not fit")
    kind = cursor.number(2)
    cursor.take(2)
    attributes = cursor.number(4)
    cursor.sized()
    free = kind in _READERS and not attributes & RESTRICTED
    if not free or cursor.number(2) != _ALG_NULL or cursor.scheme() != _ALG_NULL:
        raise UnsupportedKey("the TPM object is no RSA or EC key that signs or decrypts freely", store="tpm")
    algorithm, length, key = _READERS[kind](cursor)
    if cursor.position != len(cursor.data):
        raise ValueError("something follows")
    return PublicFacts(algorithm, length, attributes, key)


def _read_rsa(cursor: _Cursor) -> tuple[KeyAlgorithm, int, PublicKey]:
    bits = cursor.number(2)
    exponent = cursor.number(4) or 65537
    key = rsa.RSAPublicNumbers(exponent, int.from_bytes(cursor.sized(), "big")).public_key()
    if key.key_size != bits:
        raise ValueError("size does not fit")
    return KeyAlgorithm.RSA, bits, key


def _read_ec(cursor: _Cursor) -> tuple[KeyAlgorithm, int, PublicKey]:
    curve = CURVES.get(cursor.number(2))
    if curve is None:
        raise UnsupportedKey("the key's curve is none of P-256, P-384 and P-521", store="tpm")
    cursor.scheme()
    x, y = (int.from_bytes(cursor.sized(), "big") for _ in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()
    return KeyAlgorithm.EC, key.key_size, key


_READERS: Final[dict[int, Callable[[_Cursor], tuple[KeyAlgorithm, int, PublicKey]]]] = {
    _ALG_RSA: _read_rsa,
    _ALG_ECC: _read_ec,
}
