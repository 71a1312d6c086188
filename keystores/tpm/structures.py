"""The TPM structures that evidence is made of, read from bytes: public areas of every key, attestations, signatures.

Knows no TPM, needs no TSS, and judges nothing: ``evidence`` does. A structure is read whole or refused; what follows it
is refused too. Source: TCG TPM 2.0 Library part 2, sections 10.12 (TPMS_ATTEST), 11.3 (TPMT_SIGNATURE), 12.2
(TPMT_PUBLIC).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from keystores.errors import BadKeyData, KeyStoreError, UnsupportedKey
from keystores.tpm.errors import BAD_ALGID, STORE
from keystores.tpm.public_area import CURVES, PublicKey

Structure = TypeVar("Structure")

ALG_RSA: Final = 0x0001
ALG_NULL: Final = 0x0010
ALG_RSASSA: Final = 0x0014
ALG_RSAES: Final = 0x0015
ALG_RSAPSS: Final = 0x0016
ALG_ECDSA: Final = 0x0018
ALG_ECDAA: Final = 0x001A
ALG_ECC: Final = 0x0023
GENERATED: Final = 0xFF544347  # TPM_GENERATED_VALUE, which no other data that a restricted key signs begins with
ST_ATTEST_CERTIFY: Final = 0x8017

# Evidence rests on names and signatures made with these. SHA-1 is left out: two keys could be made to share a name.
HASHES: Final[dict[int, hashes.HashAlgorithm]] = {
    0x000B: hashes.SHA256(),
    0x000C: hashes.SHA384(),
    0x000D: hashes.SHA512(),
}
_CLOCK_AND_FIRMWARE: Final = 25  # bytes: TPMS_CLOCK_INFO and the firmware's version
_WITHOUT_DETAILS: Final = {ALG_NULL, ALG_RSAES}


@dataclass(frozen=True)
class PublicArea:
    """What a TPMT_PUBLIC says.

    Attributes:
        family: TPM_ALG_RSA or TPM_ALG_ECC.
        name_hash: the hash that the key's name is made with.
        attributes: TPMA_OBJECT.
        policy: authPolicy; b"" where there is none.
        symmetric: TPM_ALG_ID of the cipher for what a storage key protects; TPM_ALG_NULL where it is no storage key.
        key: the public key.
    """

    family: int
    name_hash: hashes.HashAlgorithm
    attributes: int
    policy: bytes = field(repr=False)
    symmetric: int
    key: PublicKey = field(repr=False)


@dataclass(frozen=True)
class Certification:
    """What a TPMS_ATTEST of TPM2_Certify says.

    Attributes:
        qualified_signer: the qualified name of the key that signed.
        nonce: extraData, the verifier's own bytes.
        name, qualified_name: those of the certified key.
    """

    qualified_signer: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    name: bytes = field(repr=False)
    qualified_name: bytes = field(repr=False)


@dataclass(frozen=True)
class Signature:
    """A TPMT_SIGNATURE: scheme (TPM_ALG_ID), hash, and the signature as pyca verifies it (for ECDSA, DER)."""

    scheme: int
    algorithm: hashes.HashAlgorithm
    value: bytes = field(repr=False)


class Reader:
    """Reads big-endian numbers and sized buffers, one after the other. Raises ValueError where the bytes end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        part = self._data[self._position : self._position + size]
        if len(part) != size:
            raise ValueError("cut short")
        self._position += size
        return part

    def number(self, size: int) -> int:
        """The number that the next ``size`` bytes are."""
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        """A TPM2B: two bytes of length, and as many bytes."""
        return self.take(self.number(2))

    def end(self) -> None:
        """Raises ValueError where something follows."""
        if self._position != len(self._data):
            raise ValueError("something follows")


def read_public_area(public: bytes) -> PublicArea:
    """Reads a TPMT_PUBLIC of an RSA or EC key: an ordinary one, an attestation key or a storage key.

    Raises:
        BadKeyData: it is cut short, goes on too long, or holds no such key.
        UnsupportedKey: another family, another curve than P-256, P-384 and P-521, or a name made with another hash
            than SHA-256, SHA-384 and SHA-512.
    """
    return whole(public, _public_area, "public area of a TPM key")


def read_certification(attest: bytes) -> Certification:
    """Reads the TPMS_ATTEST of TPM2_Certify. Raises BadKeyData where it is none, or not one of a TPM's own making."""
    return whole(attest, _certification, "attestation of a key")


def read_signature(signature: bytes) -> Signature:
    """Reads a TPMT_SIGNATURE. Raises BadKeyData, and UnsupportedKey for another scheme than RSASSA, RSAPSS and ECDSA."""
    return whole(signature, _signature, "TPM signature")


def hash_of(identifier: int) -> hashes.HashAlgorithm:
    """The hash of a TPM_ALG_ID. Raises UnsupportedKey where evidence made with it is not taken."""
    found = HASHES.get(identifier)
    if found is None:
        message = f"evidence made with hash algorithm 0x{identifier:04X} is not taken; SHA-256, SHA-384 and SHA-512 are"
        raise UnsupportedKey(message, store=STORE, hresult=BAD_ALGID)
    return found


def whole(data: bytes, read: Callable[[Reader], Structure], what: str) -> Structure:
    """Reads one structure that is all of ``data``. Raises BadKeyData, and what ``read`` raises of KeyStoreError."""
    reader = Reader(data)
    try:
        structure = read(reader)
        reader.end()
    except KeyStoreError:
        raise
    except ValueError as error:
        raise BadKeyData(f"the {what} cannot be read: {error}", store=STORE) from error
    return structure


def _public_area(reader: Reader) -> PublicArea:
    family = reader.number(2)
    if family not in _KEYS:
        raise UnsupportedKey(f"a TPM object of type 0x{family:04X} is no RSA and no EC key", store=STORE)
    name_hash = hash_of(reader.number(2))
    attributes, policy = reader.number(4), reader.sized()
    symmetric = reader.number(2)
    if symmetric != ALG_NULL:
        reader.take(4)  # the size of its keys, and its mode
    _scheme(reader)
    return PublicArea(family, name_hash, attributes, policy, symmetric, _KEYS[family](reader))


def _scheme(reader: Reader) -> None:
    scheme = reader.number(2)
    if scheme not in _WITHOUT_DETAILS:
        reader.take(4 if scheme == ALG_ECDAA else 2)


def _rsa_key(reader: Reader) -> PublicKey:
    bits = reader.number(2)
    exponent = reader.number(4) or 65537
    key = rsa.RSAPublicNumbers(exponent, int.from_bytes(reader.sized(), "big")).public_key()
    if key.key_size != bits:
        raise ValueError("the modulus is not as long as it says")
    return key


def _ec_key(reader: Reader) -> PublicKey:
    curve = CURVES.get(reader.number(2))
    if curve is None:
        raise UnsupportedKey("the key's curve is none of P-256, P-384 and P-521", store=STORE)
    _scheme(reader)  # of key derivation
    x, y = (int.from_bytes(reader.sized(), "big") for _ in "xy")
    return ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()


_KEYS: Final[dict[int, Callable[[Reader], PublicKey]]] = {ALG_RSA: _rsa_key, ALG_ECC: _ec_key}


def _certification(reader: Reader) -> Certification:
    if reader.number(4) != GENERATED:
        raise ValueError("it is not of a TPM's own making")
    if reader.number(2) != ST_ATTEST_CERTIFY:
        raise ValueError("it attests something else than a key")
    signer, nonce = reader.sized(), reader.sized()
    reader.take(_CLOCK_AND_FIRMWARE)
    return Certification(signer, nonce, reader.sized(), reader.sized())


def _signature(reader: Reader) -> Signature:
    scheme = reader.number(2)
    if scheme not in {ALG_RSASSA, ALG_RSAPSS, ALG_ECDSA}:
        raise UnsupportedKey(f"a signature of scheme 0x{scheme:04X} is not taken", store=STORE, hresult=BAD_ALGID)
    algorithm = hash_of(reader.number(2))
    if scheme != ALG_ECDSA:
        return Signature(scheme, algorithm, reader.sized())
    r, s = (int.from_bytes(reader.sized(), "big") for _ in "rs")
    return Signature(scheme, algorithm, encode_dss_signature(r, s))
