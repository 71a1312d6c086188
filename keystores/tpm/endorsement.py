"""The endorsement key: the one that tells a TPM from every other, its manufacturer's certificates, credentials for it.

Knows no files; loads tpm2_pytss. Each function is given an ESAPI context that is locked for it and leaves nothing in
the TPM. The key is made by the standard template (RSA 2048 or ECC P-256, with the template or nonce of the TPM's NV
where its manufacturer left one), or used where it is persistent already: an RSA key takes a hardware TPM some seconds.

Source: TCG EK Credential Profile for TPM Family 2.0, sections 2.2 (NV indices) and B.3, B.4 (templates); TCG TPM 2.0
Library part 1, section 24, and part 3, section 12.5 (TPM2_ActivateCredential).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPM2_CAP, TPM2_PT_NV, TPM2_SE, TPMA_NV
from tpm2_pytss.ESAPI import ESAPI
from tpm2_pytss.TSS2_Exception import TSS2_Exception
from tpm2_pytss.types import TPM2B_ENCRYPTED_SECRET, TPM2B_ID_OBJECT, TPM2B_SENSITIVE_CREATE, TPMT_PUBLIC
from tpm2_pytss.utils import NoSuchIndex, create_ek_template

from keystores.base import EndorsementKey, KeyAlgorithm
from keystores.errors import BadKeyData
from keystores.tpm.attestation import signer
from keystores.tpm.endorsement_certificates import belongs_to, whole_certificate
from keystores.tpm.errors import RC_HANDLE, RC_VALUE, STORE, DecryptionFailed, plain_code
from keystores.tpm.evidence import name_of, public_key_of
from keystores.tpm.objects import flushed

PERSISTENT: Final = (0x81010001, 0x81010002)  # where the provisioning guidance has endorsement keys made persistent
_HIERARCHY: Final = bytes.fromhex("4000000B")  # TPM_RH_ENDORSEMENT, the name of what is above an endorsement key
_TEMPLATES: Final = {KeyAlgorithm.RSA: "EK-RSA2048", KeyAlgorithm.EC: "EK-ECC256"}
_RSA_SECRET: Final = 256  # bytes: what an RSA endorsement key of 2048 bits decrypts; an ECC key's is a point
_LARGEST: Final = 1024  # bytes; no part of a credential for these keys has as many
_log = logging.getLogger(__name__)

# A credential that is not for this TPM and this attestation key: TPM_RC_INTEGRITY, SIZE, VALUE, INSUFFICIENT, ECC_POINT,
# and FAILURE, which padding that is wrong inside gives.
_NOT_OURS: Final = {0x09F, 0x095, RC_VALUE, 0x09A, 0x0A7, 0x101}


@dataclass(frozen=True)
class _Found:
    """An endorsement key that is in the TPM now."""

    handle: Any
    public: bytes
    certificate: bytes | None


def endorsement_key(context: ESAPI, algorithm: KeyAlgorithm) -> EndorsementKey:
    """The facts about the endorsement key of a family, with the certificates for it that the TPM's NV holds."""
    with _endorsed(context, algorithm) as found:
        public_key = public_key_of(found.public)
        certificates = _certificates(found.certificate, public_key)
        return EndorsementKey(public_key, found.public, name_of(found.public), certificates)


def activate(context: ESAPI, credential: bytes, secret: bytes) -> bytes:
    """What a credential holds.

    Args:
        context: locked for this.
        credential: what TPM2B_ID_OBJECT holds.
        secret: what TPM2B_ENCRYPTED_SECRET holds; its length says for which of the two endorsement keys it is.

    Raises:
        DecryptionFailed: it was made for another TPM or another attestation key, or was changed.
    """
    if max(len(credential), len(secret)) > _LARGEST:
        raise _refused()
    algorithm = KeyAlgorithm.RSA if len(secret) == _RSA_SECRET else KeyAlgorithm.EC
    with signer(context) as (attestation, _), _endorsed(context, algorithm) as found, _allowed(context) as session:
        try:
            result = context.activate_credential(
                attestation,
                found.handle,
                TPM2B_ID_OBJECT(credential=credential),
                TPM2B_ENCRYPTED_SECRET(secret=secret),
                session1=ESYS_TR.PASSWORD,
                session2=session,
            )
        except TSS2_Exception as error:
            if plain_code(int(error.rc)) not in _NOT_OURS:
                raise
            raise _refused() from error
    return bytes(result)


@contextlib.contextmanager
def _endorsed(context: ESAPI, algorithm: KeyAlgorithm) -> Iterator[_Found]:
    certificate, template = create_ek_template(_TEMPLATES[algorithm], lambda index: _nv(context, int(index)))
    with contextlib.ExitStack() as held:
        kept = _persistent(context, template.publicArea, held)
        if kept is None:
            handle, public, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), template, ESYS_TR.ENDORSEMENT)
            kept = held.enter_context(flushed(context, handle)), public.publicArea.marshal()
        yield _Found(*kept, certificate)


def _persistent(context: ESAPI, template: Any, held: contextlib.ExitStack) -> tuple[Any, bytes] | None:
    for position in PERSISTENT:
        handle = _reached(context, position, held)
        if handle is None:
            continue
        public, name, qualified_name = context.read_public(handle)
        # By its qualified name, for an owner can put a key of the same template there that is none of the endorsement seed.
        above = bytes(name)[:2] + hashlib.sha256(_HIERARCHY + bytes(name)).digest()
        if _same(public.publicArea, template) and bytes(qualified_name) == above:
            return handle, public.publicArea.marshal()
    return None


def _same(public: Any, template: Any) -> bool:
    copy, _ = TPMT_PUBLIC.unmarshal(public.marshal())
    copy.unique = template.unique
    return bool(copy.marshal() == template.marshal())


def _reached(context: ESAPI, position: int, held: contextlib.ExitStack) -> Any | None:
    """What is at a handle of the TPM, until the end of ``held``; None where nothing is."""
    try:
        handle = context.tr_from_tpmpublic(position)
    except TSS2_Exception as error:
        if plain_code(int(error.rc)) != RC_HANDLE:
            raise
        return None
    held.callback(context.tr_close, handle)
    return handle


@contextlib.contextmanager
def _allowed(context: ESAPI) -> Iterator[Any]:
    """A session in which the endorsement key may be used: its policy is the password of the endorsement hierarchy."""
    session = context.start_auth_session(ESYS_TR.NONE, ESYS_TR.NONE, TPM2_SE.POLICY, None, TPM2_ALG.SHA256)
    with flushed(context, session):
        context.policy_secret(ESYS_TR.ENDORSEMENT, session, b"", b"", b"", 0)
        yield session


def _nv(context: ESAPI, index: int) -> bytes:
    """What an NV index holds. Raises NoSuchIndex where there is none, or it is empty or not for this user to read."""
    with contextlib.ExitStack() as held:
        handle = _reached(context, index, held)
        if handle is None:
            raise NoSuchIndex(index)
        area = context.nv_read_public(handle)[0].nvPublic
        readers = ((TPMA_NV.AUTHREAD, handle), (TPMA_NV.OWNERREAD, ESYS_TR.OWNER))
        reader = next((who for flag, who in readers if area.attributes & flag), None)
        if reader is None or not area.attributes & TPMA_NV.WRITTEN:
            raise NoSuchIndex(index)
        size, step = int(area.dataSize), _most(context)
        steps = range(0, size, step)
        return b"".join(bytes(context.nv_read(handle, min(step, size - at), at, auth_handle=reader)) for at in steps)


def _most(context: ESAPI) -> int:
    _, found = context.get_capability(TPM2_CAP.TPM_PROPERTIES, TPM2_PT_NV.BUFFER_MAX, 1)
    return int(found.data.tpmProperties[0].value)


def _certificates(stored: bytes | None, public_key: bytes) -> tuple[bytes, ...]:
    if stored is None:
        return ()
    try:
        certificate = whole_certificate(stored)
        if belongs_to(certificate, public_key):
            return (certificate,)
    except BadKeyData as error:
        _log.warning("what the TPM's NV holds in the place of the endorsement key's certificate is none: %s", error)
        return ()
    _log.warning("the certificate in the TPM's NV is for another endorsement key; it is left out")
    return ()


def _refused() -> DecryptionFailed:
    return DecryptionFailed("the credential was made for another TPM or another attestation key", store=STORE)
