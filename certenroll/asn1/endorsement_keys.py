"""The public area of an endorsement key, from its public key: what a credential is made for.

A request brings an endorsement key as SubjectPublicKeyInfo, which does not say what the TPM holds the key to. Endorsement
keys are made by two standard templates, and so the rest is known. Bytes in and bytes out; no TPM.

Source: TCG EK Credential Profile for TPM Family 2.0, sections B.3.3 (RSA 2048) and B.3.4 (ECC P-256); TCG TPM 2.0 Library
part 2, section 12.2.4 (TPMT_PUBLIC).
"""

from __future__ import annotations

import struct
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.asn1.algorithms import UnsupportedAlgorithm, load_public_key
from certenroll.asn1.attestation_statement import tpm2b

_ATTRIBUTES: Final = 0x000300B2  # fixed, made in the TPM, used by policy; restricted, decrypts
_POLICY: Final = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
_RSA, _ECC, _SHA256, _AES, _CFB, _NULL, _P256 = 0x0001, 0x0023, 0x000B, 0x0006, 0x0043, 0x0010, 0x0003
_BITS: Final = 2048
_COORDINATE: Final = 32  # octets


def endorsement_public(public_key_info: bytes) -> bytes:
    """TPMT_PUBLIC of the endorsement key with a public key (DER SubjectPublicKeyInfo), by the standard template.

    Raises:
        DecodeError: it is no public key.
        UnsupportedAlgorithm: it is neither RSA of 2048 bits nor on P-256.
    """
    key = load_public_key(public_key_info)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size == _BITS:
        numbers = key.public_numbers()
        exponent = 0 if numbers.e == 65537 else numbers.e
        unique = tpm2b(numbers.n.to_bytes(_BITS // 8, "big"))
        return _common(_RSA) + struct.pack(">HHI", _NULL, _BITS, exponent) + unique
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        point = key.public_numbers()
        unique = b"".join(tpm2b(one.to_bytes(_COORDINATE, "big")) for one in (point.x, point.y))
        return _common(_ECC) + struct.pack(">HHH", _NULL, _P256, _NULL) + unique
    raise UnsupportedAlgorithm("an endorsement key of the standard templates is RSA of 2048 bits or on P-256")


def _common(family: int) -> bytes:
    """What both templates begin with: type, hash of the name, attributes, policy, and AES-128 in CFB mode."""
    return struct.pack(">HHI", family, _SHA256, _ATTRIBUTES) + tpm2b(_POLICY) + struct.pack(">HHH", _AES, 128, _CFB)
