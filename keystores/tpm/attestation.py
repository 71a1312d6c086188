"""The attestation key: a key that signs nothing but the TPM's own statements, and what it says of another key.

Knows no files; loads tpm2_pytss. Each function is given an ESAPI context that is locked for it and leaves nothing in
the TPM. The key is derived from the TPM's endorsement seed by one fixed template each time (ECC P-256, ECDSA with
SHA-256, restricted, without a password), so it is the same in every process and for the life of the TPM, takes no room
in it, and outlives the clearing of the owner's hierarchy. That the key belongs to a genuine TPM is for the verifier to
find out, by a credential for the TPM's endorsement key (``endorsement``).

Source: TCG TPM 2.0 Library part 3, section 18.2 (TPM2_Certify); part 2, section 10.12 (TPMS_ATTEST).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final

from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPMA_OBJECT
from tpm2_pytss.ESAPI import ESAPI
from tpm2_pytss.types import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TPMT_PUBLIC, TPMT_SIG_SCHEME

from keystores.base import Attestation, AttestationKey
from keystores.errors import DeviceFailure
from keystores.tpm.errors import STORE
from keystores.tpm.evidence import EvidenceRefused, name_of, public_key_of, verify_attestation
from keystores.tpm.objects import flushed
from keystores.tpm.structures import read_signature

_TEMPLATE: Final = TPMT_PUBLIC.parse(
    "ecc_nist_p256:ecdsa-sha256:null",
    objectAttributes=TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN
    | TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.RESTRICTED
    | TPMA_OBJECT.SIGN_ENCRYPT
    | TPMA_OBJECT.NODA,
)


@contextlib.contextmanager
def signer(context: ESAPI) -> Iterator[tuple[Any, AttestationKey]]:
    """The attestation key in the TPM, for as long as the block lasts, and the facts about it."""
    template = TPM2B_PUBLIC(publicArea=_TEMPLATE)
    handle, made, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), template, ESYS_TR.ENDORSEMENT)
    with flushed(context, handle):
        public = made.publicArea.marshal()
        yield handle, AttestationKey(public_key_of(public), public, name_of(public))


def attestation_key(context: ESAPI) -> AttestationKey:
    """The facts about the attestation key."""
    with signer(context) as (_, key):
        return key


def attest(context: ESAPI, handle: Any, nonce: bytes, key_public: bytes) -> Attestation:
    """Has the TPM say that it holds a key, and verifies what it said.

    Args:
        context: locked for this.
        handle: the loaded key.
        nonce: at most 64 bytes.
        key_public: the key's TPMT_PUBLIC.

    Raises:
        DeviceFailure: the TPM made a statement that does not hold; it is not given out.
    """
    with signer(context) as (attestation_handle, key):
        said, signed = context.certify(handle, attestation_handle, nonce, TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL))
    statement, signature = bytes(said), signed.marshal()
    try:
        verify_attestation(key.public_key, statement, signature, nonce, key_public)
    except EvidenceRefused as error:
        message = f"the TPM made a wrong attestation ({error}); it was not given out"
        raise DeviceFailure(message, store=STORE) from error
    read = read_signature(signature)
    return Attestation(
        attest=statement,
        signature=signature,
        raw_signature=read.value,
        signature_hash=read.algorithm.name,
        key_public=key_public,
        key_name=name_of(key_public),
        attestation_key=key,
    )
