"""What a verifier (a CA) makes of a TPM's evidence: names, attributes, attestations judged, credentials made.

Knows no TPM: all of it runs where none is. Only ``make_credential`` loads tpm2_pytss, for its key derivation; the rest
needs pyca alone. It proves that *some* TPM made a key, and that the TPM has a given endorsement key. Whether that
endorsement key is a genuine TPM's is said by the manufacturer's certificate for it, whose chain is the caller's to judge.

The order that a CA keeps: judge the chain of the endorsement key's certificate; make a credential for that key and the
name of the attestation key, and get the secret back; then ``verify_attestation`` with that attestation key.

Source: TCG TPM 2.0 Library part 1, sections 16 (names), 24 (credentials) and 31 (attestation).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keystores.errors import BadKeyData, KeyStoreError
from keystores.tpm.errors import INVALID_PARAMETER, STORE
from keystores.tpm.public_area import DECRYPT, FIXED_TPM, RESTRICTED, SENSITIVE_DATA_ORIGIN, SIGN, PublicKey
from keystores.tpm.structures import (
    ALG_ECDSA,
    ALG_NULL,
    ALG_RSAPSS,
    ALG_RSASSA,
    HASHES,
    Signature,
    read_certification,
    read_public_area,
    read_signature,
)

FIXED_PARENT: Final = 0x00000010
_HASH_IDS: Final = {algorithm.name: identifier for identifier, algorithm in HASHES.items()}


class EvidenceRefused(KeyStoreError):
    """The evidence can be read, and does not prove what it is shown for."""

    code = 0x80090032  # NTE_VALIDATION_FAILED


@dataclass(frozen=True)
class KeyAttributes:
    """What a TPM holds a key to. Each is a bit of TPMA_OBJECT, under the name that the specification gives it.

    Attributes:
        fixed_tpm, fixed_parent: the key cannot leave its TPM, its place there.
        sensitive_data_origin: the TPM made the key itself.
        restricted: it signs only what the TPM made, or decrypts only the TPM's own structures.
        sign, decrypt: what it does.
    """

    fixed_tpm: bool
    fixed_parent: bool
    sensitive_data_origin: bool
    restricted: bool
    sign: bool
    decrypt: bool

    @property
    def made_in_tpm(self) -> bool:
        """Whether the key never was outside its TPM and cannot leave it."""
        return self.fixed_tpm and self.fixed_parent and self.sensitive_data_origin


def public_key_of(tpm_public: bytes) -> bytes:
    """The public key (DER SubjectPublicKeyInfo) of a TPMT_PUBLIC. Raises BadKeyData, UnsupportedKey."""
    key = read_public_area(tpm_public).key
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def name_of(tpm_public: bytes) -> bytes:
    """The name by which a TPM speaks of a key: the hash of its TPMT_PUBLIC, after two bytes that say which hash.

    Raises:
        BadKeyData, UnsupportedKey: it is no public area of a key that evidence is taken for.
    """
    algorithm = read_public_area(tpm_public).name_hash
    state = hashes.Hash(algorithm)
    state.update(tpm_public)
    return _HASH_IDS[algorithm.name].to_bytes(2, "big") + state.finalize()


def attributes_of(tpm_public: bytes) -> KeyAttributes:
    """What the TPM holds the key of a TPMT_PUBLIC to. Raises BadKeyData, UnsupportedKey."""
    bits = read_public_area(tpm_public).attributes
    flags = (FIXED_TPM, FIXED_PARENT, SENSITIVE_DATA_ORIGIN, RESTRICTED, SIGN, DECRYPT)
    return KeyAttributes(*(bool(bits & flag) for flag in flags))


def verify_attestation(
    attestation_public_key: bytes, attest: bytes, signature: bytes, nonce: bytes, key_public: bytes
) -> None:
    """Judges whether a TPM says that it made a key.

    That ``attestation_public_key`` is a restricted signing key of a genuine TPM has to be known already: from its own
    TPMT_PUBLIC (``attributes_of``) and a credential that only that TPM could read (``make_credential``). An ordinary
    key would sign a forged statement.

    Args:
        attestation_public_key: who signed: DER SubjectPublicKeyInfo.
        attest: TPMS_ATTEST.
        signature: TPMT_SIGNATURE over it.
        nonce: what the verifier gave.
        key_public: the TPMT_PUBLIC of the key that is spoken of.

    Raises:
        EvidenceRefused: the signature is another key's or over other bytes, the nonce or the key is another one, or
            the key was not made in the TPM (it was imported, or can leave).
        BadKeyData: a part cannot be read.
        UnsupportedKey: a part is of an algorithm that evidence is not taken with.
    """
    signed, said = read_signature(signature), read_certification(attest)
    signer = _loaded(attestation_public_key)
    _VERIFIERS[signed.scheme](signer, signed, attest)
    if not compare_digest(said.nonce, nonce):
        raise EvidenceRefused("the attestation is for another nonce", store=STORE)
    if not compare_digest(said.name, name_of(key_public)):
        raise EvidenceRefused("the attestation speaks of another key", store=STORE)
    if not attributes_of(key_public).made_in_tpm:
        raise EvidenceRefused("the attested key was not made in the TPM, or can leave it", store=STORE)


def make_credential(endorsement_public: bytes, name: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """Encrypts a secret so that only one TPM can read it, and only if it holds a key of a given name too.

    Args:
        endorsement_public: the endorsement key's TPMT_PUBLIC.
        name: the attestation key's name (``name_of``).
        secret: 1 byte to as many as the digest of the endorsement key's name hash has (32 for SHA-256).

    Returns:
        what TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET hold (without their sizes), for ``activate_credential``.

    Raises:
        BadKeyData: the key is no endorsement key (a restricted storage key fixed in its TPM), the name is none, or the
            secret is empty or too long.
        UnsupportedKey: the key is of an algorithm that evidence is not taken with.
        PackageMissing: tpm2_pytss is not installed.
    """
    from keystores.tpm.context import load_tss

    _check_endorsement(endorsement_public)
    _check_name(name)
    longest = read_public_area(endorsement_public).name_hash.digest_size
    if not 1 <= len(secret) <= longest:
        message = f"the secret of a credential has 1 to {longest} bytes, this one has {len(secret)}"
        raise BadKeyData(message, store=STORE, hresult=INVALID_PARAMETER)
    error_class = load_tss()
    from tpm2_pytss.types import TPMT_PUBLIC
    from tpm2_pytss.utils import make_credential as encrypt

    try:
        public, _ = TPMT_PUBLIC.unmarshal(endorsement_public)
        credential, encrypted = encrypt(public, secret, name)
    except (ValueError, error_class) as error:
        raise BadKeyData("no credential can be made for this endorsement key", store=STORE) from error
    return bytes(credential), bytes(encrypted)


def _check_endorsement(endorsement_public: bytes) -> None:
    area, attributes = read_public_area(endorsement_public), attributes_of(endorsement_public)
    storage = attributes.restricted and attributes.decrypt and not attributes.sign and area.symmetric != ALG_NULL
    if not storage or not attributes.made_in_tpm:
        raise BadKeyData("this is no endorsement key: no restricted storage key that is fixed in its TPM", store=STORE)


def _check_name(name: bytes) -> None:
    algorithm = HASHES.get(int.from_bytes(name[:2], "big"))
    if algorithm is None or len(name) != 2 + algorithm.digest_size:
        raise BadKeyData("this is no name of a TPM key", store=STORE, hresult=INVALID_PARAMETER)


def _loaded(spki: bytes) -> PublicKey:
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKeyData("the public attestation key cannot be read", store=STORE) from error
    if not isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        raise BadKeyData("the public attestation key is no RSA and no EC key", store=STORE)
    return key


def _verify_rsa(key: PublicKey, signed: Signature, data: bytes) -> None:
    if not isinstance(key, rsa.RSAPublicKey):
        raise EvidenceRefused("the attestation is signed with RSA, and the attestation key is none", store=STORE)
    pss = padding.PSS(padding.MGF1(signed.algorithm), padding.PSS.AUTO)
    chosen = pss if signed.scheme == ALG_RSAPSS else padding.PKCS1v15()
    try:
        key.verify(signed.value, data, chosen, signed.algorithm)
    except InvalidSignature as error:
        raise EvidenceRefused(_BAD_SIGNATURE, store=STORE) from error


def _verify_ecdsa(key: PublicKey, signed: Signature, data: bytes) -> None:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise EvidenceRefused("the attestation is signed with ECDSA, and the attestation key is no EC key", store=STORE)
    try:
        key.verify(signed.value, data, ec.ECDSA(signed.algorithm))
    except InvalidSignature as error:
        raise EvidenceRefused(_BAD_SIGNATURE, store=STORE) from error


_BAD_SIGNATURE: Final = "the signature of the attestation is another key's, or the attestation was changed"
_VERIFIERS: Final[dict[int, Callable[[PublicKey, Signature, bytes], None]]] = {
    ALG_RSASSA: _verify_rsa,
    ALG_RSAPSS: _verify_rsa,
    ALG_ECDSA: _verify_ecdsa,
}
