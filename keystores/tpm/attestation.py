"""Key attestation: the TPM signs that a key is in it, with a key that signs nothing but the TPM's own statements.

Knows no files. The attestation key is derived from the TPM's endorsement seed by one fixed template each time, so it is
the same for the life of the TPM and takes no room in it. That the key belongs to a genuine TPM is for the verifier to
find out (by a credential for its endorsement key); this module proves what comes after that.

Source: TCG TPM 2.0 Library part 3, section 18.2 (TPM2_Certify); part 2, section 10.12 (TPMS_ATTEST).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from keystores.errors import KeyStoreError, NotPermitted
from keystores.tpm.device import TpmKey, commands
from keystores.tpm.errors import INVALID_PARAMETER, STORE

if TYPE_CHECKING:
    from tpm2_pytss.ESAPI import ESAPI

LONGEST_NONCE: Final = 64  # bytes; TPM2B_DATA holds at least a SHA-512 digest
_TEMPLATE: Final = "ecc_nist_p256:ecdsa-sha256:null"


def refuse(key: TpmKey, nonce: bytes) -> None:
    """Refuses what cannot be attested, before the TPM is asked.

    Raises:
        NotPermitted: the key was imported.
        KeyStoreError: with NTE_INVALID_PARAMETER for a nonce of more than 64 bytes.
    """
    if not key.facts.generated:
        message = f"the key of container {key.container!r} was imported; only keys that a TPM made can be attested"
        raise NotPermitted(message, store=STORE)
    if len(nonce) > LONGEST_NONCE:
        message = f"a nonce for attestation has at most {LONGEST_NONCE} bytes, this one has {len(nonce)}"
        raise KeyStoreError(message, store=STORE, hresult=INVALID_PARAMETER)


def certify(key: TpmKey, nonce: bytes) -> tuple[bytes, bytes, bytes]:
    """TPMS_ATTEST, signature (DER ECDSA over it, SHA-256) and attestation key (DER SubjectPublicKeyInfo)."""
    return key.use("attest", lambda context, handle: _certify(context, handle, nonce))


def _certify(context: ESAPI, handle: Any, nonce: bytes) -> tuple[bytes, bytes, bytes]:
    from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPMA_OBJECT
    from tpm2_pytss.types import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE, TPMT_PUBLIC, TPMT_SIG_SCHEME

    inside = TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.SENSITIVEDATAORIGIN
    attributes = inside | TPMA_OBJECT.USERWITHAUTH | TPMA_OBJECT.RESTRICTED | TPMA_OBJECT.SIGN_ENCRYPT | TPMA_OBJECT.NODA
    template = TPM2B_PUBLIC(publicArea=TPMT_PUBLIC.parse(_TEMPLATE, objectAttributes=attributes))
    signer, public, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), template, ESYS_TR.ENDORSEMENT)
    with commands().flushed(context, signer):
        attest, signature = context.certify(handle, signer, nonce, TPMT_SIG_SCHEME(scheme=TPM2_ALG.NULL))
    return bytes(attest), bytes(signature), public.publicArea.to_der()
