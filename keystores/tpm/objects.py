"""The TPM commands behind the key store: storage key, create, import, load, use. Loads tpm2_pytss.

Knows no files and no pyca keys. Each function is given an ESAPI context that is locked for it (and, as ``link``, the
persistent objects that this context knows), and leaves nothing loaded in the TPM, whatever happens. Keys are under the
storage root key at 0x81000001, which is made once, by the standard ECC P-256 template; one that is there already (a
machine's maker or another program made it) is used as it is.

A key without a PIN does not count towards the TPM's protection against dictionary attacks (noDA); a key with one does.
Sources: TCG TPM 2.0 Library part 3; TCG TPM v2.0 Provisioning Guidance, section 7.8 (handles).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPM2_CAP, TPM2_ECC, TPM2_PT, TPM2_SE, TPMA_OBJECT
from tpm2_pytss.ESAPI import ESAPI
from tpm2_pytss.TSS2_Exception import TSS2_Exception
from tpm2_pytss.types import (
    TPM2B_ECC_POINT,
    TPM2B_PRIVATE,
    TPM2B_PUBLIC,
    TPM2B_SENSITIVE,
    TPM2B_SENSITIVE_CREATE,
    TPMS_ECC_PARMS,
    TPMS_ECC_POINT,
    TPMS_RSA_PARMS,
    TPMS_SCHEME_HASH,
    TPMS_SENSITIVE_CREATE,
    TPMT_ECC_SCHEME,
    TPMT_KDF_SCHEME,
    TPMT_PUBLIC,
    TPMT_PUBLIC_PARMS,
    TPMT_RSA_DECRYPT,
    TPMT_RSA_SCHEME,
    TPMT_SENSITIVE,
    TPMT_SIG_SCHEME,
    TPMT_SYM_DEF_OBJECT,
    TPMU_ASYM_SCHEME,
    TPMU_PUBLIC_ID,
    TPMU_PUBLIC_PARMS,
    TPMU_SENSITIVE_COMPOSITE,
    TPMU_SIG_SCHEME,
)
from tpm2_pytss.utils import wrap

from keystores.base import KeyAlgorithm, KeyUse, PrivateKey
from keystores.errors import DeviceFailure
from keystores.tpm.errors import PARENT, RC_AUTH_FAIL, RC_BAD_AUTH, RC_HANDLE, STORE, plain_code
from keystores.tpm.files import KeyFile

SRK_HANDLE: Final = 0x81000001
OWNER: Final = 0x40000001  # as a parent: the standard storage key, derived for each use
SRK_TEMPLATE: Final = TPMT_PUBLIC.parse(
    "ecc:aes128cfb",
    objectAttributes=TPMA_OBJECT.USERWITHAUTH
    | TPMA_OBJECT.RESTRICTED
    | TPMA_OBJECT.DECRYPT
    | TPMA_OBJECT.NODA
    | TPMA_OBJECT.FIXEDTPM
    | TPMA_OBJECT.FIXEDPARENT
    | TPMA_OBJECT.SENSITIVEDATAORIGIN,
)
_STORAGE: Final = TPMA_OBJECT.RESTRICTED | TPMA_OBJECT.DECRYPT
_INSIDE: Final = TPMA_OBJECT.FIXEDTPM | TPMA_OBJECT.FIXEDPARENT | TPMA_OBJECT.SENSITIVEDATAORIGIN
_CURVES: Final = {256: TPM2_ECC.NIST_P256, 384: TPM2_ECC.NIST_P384, 521: TPM2_ECC.NIST_P521}
_NO_SYMMETRIC: Final = TPMT_SYM_DEF_OBJECT(algorithm=TPM2_ALG.NULL)
_DECRYPTS: Final = {KeyAlgorithm.RSA: KeyUse.DECRYPT, KeyAlgorithm.EC: KeyUse.AGREE}
# Read together: they are neighbours in the TPM's table.
_LOCKOUT_PROPERTIES: Final = (int(TPM2_PT.LOCKOUT_COUNTER), int(TPM2_PT.MAX_AUTH_FAIL))


@dataclass(frozen=True)
class Kind:
    """What a key is: the family, the size in bits, RSA's public exponent."""

    algorithm: KeyAlgorithm
    length: int
    exponent: int = 65537


@dataclass(frozen=True)
class Wanted:
    """A key to make: what it is, what it may do, and its PIN (b"" for none)."""

    kind: Kind
    use: KeyUse
    pin: bytes = field(repr=False)


def test(context: ESAPI, kind: Kind) -> None:
    """Asks the TPM whether it has such keys. Raises TSS2_Exception where it has not."""
    family = TPM2_ALG.RSA if kind.algorithm is KeyAlgorithm.RSA else TPM2_ALG.ECC
    context.test_parms(TPMT_PUBLIC_PARMS(type=family, parameters=_parameters(kind)))


def create(link: dict[int, Any], context: ESAPI, wanted: Wanted) -> KeyFile:
    """Makes a key inside the TPM."""
    public = TPM2B_PUBLIC(publicArea=_public(wanted.kind, _attributes(wanted) | _INSIDE))
    sensitive = TPM2B_SENSITIVE_CREATE(sensitive=TPMS_SENSITIVE_CREATE(userAuth=wanted.pin))
    with _parent(link, context, SRK_HANDLE) as parent:
        private, made, *_ = context.create(parent, sensitive, public)
    return _file(wanted, made, private)


def import_key(link: dict[int, Any], context: ESAPI, wanted: Wanted, key: PrivateKey) -> KeyFile:
    """Puts a key into the TPM, encrypted for its storage key on the way, and loads it once for a test."""
    area = _public(wanted.kind, _attributes(wanted))
    area.unique, secret = _numbers(key)
    public = TPM2B_PUBLIC(publicArea=area)
    sensitive = TPMT_SENSITIVE(sensitiveType=area.type, authValue=wanted.pin, sensitive=secret)
    with _parent(link, context, SRK_HANDLE) as parent:
        storage = context.read_public(parent)[0].publicArea
        _, duplicate, seed = wrap(storage, public, TPM2B_SENSITIVE(sensitiveArea=sensitive))
        private = context.import_(parent, b"", public, duplicate, seed, _NO_SYMMETRIC)
    found = _file(wanted, public, private)
    with loaded(link, context, found, b""):
        return found


@contextlib.contextmanager
def loaded(link: dict[int, Any], context: ESAPI, key: KeyFile, pin: bytes) -> Iterator[Any]:
    """The key in the TPM, for as long as the block lasts."""
    public, _ = TPM2B_PUBLIC.unmarshal(key.public)
    private, _ = TPM2B_PRIVATE.unmarshal(key.private)
    with _parent(link, context, key.parent) as parent:
        handle = context.load(parent, private, public)
    with flushed(context, handle):
        if pin:
            context.tr_set_auth(handle, pin)
        yield handle


@contextlib.contextmanager
def flushed(context: ESAPI, handle: Any) -> Iterator[Any]:
    """Removes ``handle`` from the TPM at the block's end. An error of the block is the one that is seen."""
    try:
        yield handle
    except BaseException:
        with contextlib.suppress(TSS2_Exception):
            context.flush_context(handle)
        raise
    context.flush_context(handle)


def sign(context: ESAPI, handle: Any, scheme: int, hash_algorithm: int, digest: bytes) -> bytes:
    """A signature over a digest: the number of an RSA key, DER of an EC key."""
    details = TPMU_SIG_SCHEME(any=TPMS_SCHEME_HASH(hashAlg=hash_algorithm))
    return bytes(context.sign(handle, digest, TPMT_SIG_SCHEME(scheme=scheme, details=details)))


def decrypt(context: ESAPI, handle: Any, scheme: int, hash_algorithm: int | None, ciphertext: bytes) -> bytes:
    """RSA decryption; the hash is OAEP's."""
    details = TPMU_ASYM_SCHEME() if hash_algorithm is None else TPMU_ASYM_SCHEME(oaep={"hashAlg": hash_algorithm})
    return bytes(context.rsa_decrypt(handle, ciphertext, TPMT_RSA_DECRYPT(scheme=scheme, details=details)))


def exchange(context: ESAPI, handle: Any, x: bytes, y: bytes) -> bytes:
    """The x coordinate that ECDH gives with the other side's point."""
    point = context.ecdh_zgen(handle, TPM2B_ECC_POINT(point=TPMS_ECC_POINT(x=x, y=y)))
    return bytes(point.point.x)


def accepts_pin(context: ESAPI, handle: Any) -> bool:
    """Whether the authorization value that was set for a loaded key is right. A wrong one counts as a try."""
    nothing = ESYS_TR.NONE
    trial = context.start_auth_session(nothing, nothing, TPM2_SE.TRIAL, None, TPM2_ALG.SHA256)
    with flushed(context, trial):
        try:
            context.policy_secret(handle, trial, b"", b"", b"", 0)  # needs the value, and does nothing else
        except TSS2_Exception as error:
            if plain_code(int(error.rc)) in {RC_AUTH_FAIL, RC_BAD_AUTH}:
                return False
            raise
    return True


def tries_left(context: ESAPI) -> int:
    """How many wrong PINs the TPM takes, for all its keys together, before it takes no PIN for a while."""
    _, found = context.get_capability(TPM2_CAP.TPM_PROPERTIES, _LOCKOUT_PROPERTIES[0], len(_LOCKOUT_PROPERTIES))
    values = {int(entry.property): int(entry.value) for entry in found.data.tpmProperties}
    counter, limit = (values.get(name, 0) for name in _LOCKOUT_PROPERTIES)
    return max(limit - counter, 0)


@contextlib.contextmanager
def _parent(link: dict[int, Any], context: ESAPI, handle: int) -> Iterator[Any]:
    if handle == OWNER:
        made, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), TPM2B_PUBLIC(publicArea=SRK_TEMPLATE), ESYS_TR.OWNER)
        with flushed(context, made):
            yield made
        return
    if handle not in link:
        link[handle] = _persistent(context, handle)
    yield link[handle]


def _persistent(context: ESAPI, handle: int) -> Any:
    try:
        found = context.tr_from_tpmpublic(handle)
    except TSS2_Exception as error:
        if handle != SRK_HANDLE or plain_code(int(error.rc)) != RC_HANDLE:
            raise
        return _make_srk(context)
    attributes = context.read_public(found)[0].publicArea.objectAttributes
    if attributes & _STORAGE != _STORAGE:
        message = f"the object at 0x{handle:08X} in the TPM is no storage key; have its owner remove it"
        raise DeviceFailure(message, store=STORE, hresult=PARENT)
    return found


def _make_srk(context: ESAPI) -> Any:
    made, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), TPM2B_PUBLIC(publicArea=SRK_TEMPLATE), ESYS_TR.OWNER)
    with flushed(context, made):
        return context.evict_control(ESYS_TR.OWNER, made, SRK_HANDLE)


def _parameters(kind: Kind) -> Any:
    if kind.algorithm is KeyAlgorithm.RSA:
        exponent = 0 if kind.exponent == 65537 else kind.exponent
        scheme = TPMT_RSA_SCHEME(scheme=TPM2_ALG.NULL)
        details = TPMS_RSA_PARMS(symmetric=_NO_SYMMETRIC, scheme=scheme, keyBits=kind.length, exponent=exponent)
        return TPMU_PUBLIC_PARMS(rsaDetail=details)
    scheme, kdf = TPMT_ECC_SCHEME(scheme=TPM2_ALG.NULL), TPMT_KDF_SCHEME(scheme=TPM2_ALG.NULL)
    curve = _CURVES[kind.length]
    return TPMU_PUBLIC_PARMS(eccDetail=TPMS_ECC_PARMS(symmetric=_NO_SYMMETRIC, scheme=scheme, curveID=curve, kdf=kdf))


def _public(kind: Kind, attributes: int) -> Any:
    family = TPM2_ALG.RSA if kind.algorithm is KeyAlgorithm.RSA else TPM2_ALG.ECC
    return TPMT_PUBLIC(
        type=family, nameAlg=TPM2_ALG.SHA256, objectAttributes=attributes, authPolicy=b"", parameters=_parameters(kind)
    )


def _attributes(wanted: Wanted) -> int:
    attributes = int(TPMA_OBJECT.USERWITHAUTH)
    if KeyUse.SIGN in wanted.use:
        attributes |= TPMA_OBJECT.SIGN_ENCRYPT
    if _DECRYPTS[wanted.kind.algorithm] in wanted.use:
        attributes |= TPMA_OBJECT.DECRYPT
    return attributes if wanted.pin else attributes | TPMA_OBJECT.NODA


def _file(wanted: Wanted, public: Any, private: Any) -> KeyFile:
    return KeyFile(
        public=public.marshal(),
        private=private.marshal(),
        parent=SRK_HANDLE,
        needs_pin=bool(wanted.pin),
        use=wanted.use,
    )


def _numbers(key: PrivateKey) -> tuple[Any, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        numbers = key.private_numbers()
        modulus = numbers.public_numbers.n.to_bytes(key.key_size // 8, "big")
        prime = numbers.p.to_bytes(key.key_size // 16, "big")
        return TPMU_PUBLIC_ID(rsa=modulus), TPMU_SENSITIVE_COMPOSITE(rsa=prime)
    size = (key.key_size + 7) // 8
    values: ec.EllipticCurvePrivateNumbers = key.private_numbers()
    public = values.public_numbers
    point = TPMS_ECC_POINT(x=public.x.to_bytes(size, "big"), y=public.y.to_bytes(size, "big"))
    return TPMU_PUBLIC_ID(ecc=point), TPMU_SENSITIVE_COMPOSITE(ecc=values.private_value.to_bytes(size, "big"))
