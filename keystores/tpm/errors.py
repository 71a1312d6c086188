"""What a TPM's return code means: the table from TPM 2.0 and TSS codes to the errors of key stores.

Knows numbers only, so it needs no TSS. The Windows code of a TPM 2.0 error is 0x80280000 plus the TPM's own code with
the position bits (which handle, session or parameter) taken out: TPM_RC_INTEGRITY 0x1DF is TPM_20_E_INTEGRITY
0x8028009F. Source: TCG TPM 2.0 Library part 2, section 6.6 (response codes); TCG TSS 2.0 Overview, section 3 (layers).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyStoreError,
    NotPermitted,
    PinBlocked,
    StoreUnavailable,
    UnsupportedKey,
)

STORE: Final = "tpm"

TPM_NOT_FOUND: Final = 0x8028400F  # TBS_E_TPM_NOT_FOUND
ACCESS_DENIED: Final = 0x80284012  # TBS_E_ACCESS_DENIED
IO_ERROR: Final = 0x80284006  # TBS_E_IOERROR
BAD_LEN: Final = 0x80090004  # NTE_BAD_LEN
BAD_ALGID: Final = 0x80090008  # NTE_BAD_ALGID
INVALID_PARAMETER: Final = 0x80090027  # NTE_INVALID_PARAMETER
DECRYPTION_FAILURE: Final = 0x8009002C  # NTE_DECRYPTION_FAILURE
INTEGRITY: Final = 0x8028009F  # TPM_20_E_INTEGRITY
FAILURE: Final = 0x80280101  # TPM_20_E_FAILURE
PARENT: Final = 0x80280152  # TPM_20_E_PARENT

# Codes as TSS2_Exception.error has them: without the position bits.
RC_VALUE: Final = 0x084
RC_HANDLE: Final = 0x08B
RC_AUTH_FAIL: Final = 0x08E
RC_BAD_AUTH: Final = 0x0A2
RC_INITIALIZE: Final = 0x100
RC_OBJECT_MEMORY: Final = 0x902
RC_SESSION_MEMORY: Final = 0x903
RC_LOCKOUT: Final = 0x921

_LAYERS: Final = 0xFFFF0000  # codes above the TPM's own come from a layer of the TSS on this machine
_FORMAT_ONE: Final = 0x080
_RESOURCE_MANAGER: Final = 0x000C0000  # passes codes of the TPM's kind on under its own layer number
_IO_FAILURE: Final = 0xA  # of any TCTI
_SEQUENCE: Final = {0x00070007, 0x00080007}  # ESAPI and SAPI after a lost connection: called in the wrong order


class DecryptionFailed(KeyStoreError, ValueError):
    """The ciphertext does not decrypt with this key. Also a ValueError, as pyca's own keys raise it."""

    code = DECRYPTION_FAILURE


@dataclass(frozen=True)
class _Meaning:
    error: type[KeyStoreError]
    text: str
    hresult: int | None = None  # None: the TPM's own code


MEANINGS: Final[dict[int, _Meaning]] = {
    0x082: _Meaning(UnsupportedKey, "the TPM refuses this use of a key"),
    0x083: _Meaning(UnsupportedKey, "the TPM lacks this hash algorithm", BAD_ALGID),
    RC_VALUE: _Meaning(UnsupportedKey, "the TPM lacks this key size or algorithm", BAD_LEN),
    0x086: _Meaning(UnsupportedKey, "the TPM lacks this key size", BAD_LEN),
    0x087: _Meaning(UnsupportedKey, "the TPM lacks this mask generation function", BAD_ALGID),
    RC_HANDLE: _Meaning(DeviceFailure, "the TPM no longer has the object"),
    0x092: _Meaning(UnsupportedKey, "the TPM lacks this signature or encryption scheme", BAD_ALGID),
    0x08D: _Meaning(UnsupportedKey, "the TPM lacks this key size or algorithm", BAD_LEN),
    0x09C: _Meaning(NotPermitted, "the key may not do that"),
    0x09F: _Meaning(BadKeyData, "the key is another TPM's, or its file was changed; bring the file back or make a new key"),
    RC_BAD_AUTH: _Meaning(NotPermitted, "the TPM wants a password for this that key stores do not have"),
    RC_AUTH_FAIL: _Meaning(NotPermitted, "the TPM wants a password for this that key stores do not have"),
    0x0A5: _Meaning(BadKeyData, "the private and the public part of the key do not belong together"),
    0x0A6: _Meaning(UnsupportedKey, "the TPM lacks this curve", BAD_LEN),
    0x0A7: _Meaning(BadKeyData, "the point is not on the key's curve"),
    RC_INITIALIZE: _Meaning(StoreUnavailable, "the TPM has not been started"),
    0x101: _Meaning(DeviceFailure, "the TPM is in failure mode; restart the machine"),
    0x120: _Meaning(StoreUnavailable, "the TPM is disabled; enable it in the firmware settings"),
    0x123: _Meaning(UnsupportedKey, "the TPM lacks this curve", BAD_LEN),
    0x143: _Meaning(UnsupportedKey, "the TPM lacks this command"),
    0x14B: _Meaning(DeviceFailure, "the TPM has no room for its storage key; remove a persistent object"),
    RC_OBJECT_MEMORY: _Meaning(DeviceFailure, "other programs' keys fill the TPM; end them, or use /dev/tpmrm0"),
    RC_SESSION_MEMORY: _Meaning(DeviceFailure, "other programs' sessions fill the TPM; end them, or use /dev/tpmrm0"),
    0x904: _Meaning(DeviceFailure, "other programs fill the TPM; end them, or use /dev/tpmrm0"),
    RC_LOCKOUT: _Meaning(
        PinBlocked,
        "the TPM takes no PIN after too many wrong ones; wait for its recovery time, or have its owner run"
        " tpm2_dictionarylockout --clear-lockout",
        PinBlocked.code,
    ),
}


def plain_code(rc: int) -> int:
    """A return code without layer of a resource manager and without position bits: 0x98E is 0x08E."""
    if rc & _LAYERS == _RESOURCE_MANAGER:
        rc &= 0xFFFF
    if rc & _LAYERS or not rc & _FORMAT_ONE:
        return rc
    return rc & 0x0BF


def connection_lost(rc: int) -> bool:
    """Whether the code says that the connection is of no more use: a new one has to be made."""
    return (rc & 0xFFFF == _IO_FAILURE and bool(rc & _LAYERS)) or rc in _SEQUENCE


def hresult_of(rc: int) -> int:
    """The Windows result code of a return code: TPM_20_E_* for the TPM's own, TBS_E_IOERROR for the TSS layers'."""
    code = plain_code(rc)
    return IO_ERROR if code & _LAYERS else 0x80280000 | code


def translate(rc: int, doing: str) -> KeyStoreError:
    """The typed error of a return code.

    Args:
        rc: what the TPM or the TSS answered.
        doing: what was being done ("sign with the key of container web"), for the message.

    Returns:
        an error to raise. Codes that are not in the table are a DeviceFailure with the TPM's own code.
    """
    if connection_lost(rc):
        return DeviceFailure(f"{doing}: the connection to the TPM broke off; try again", store=STORE, hresult=IO_ERROR)
    meaning = MEANINGS.get(plain_code(rc), _Meaning(DeviceFailure, f"the TPM answered 0x{rc:X}"))
    hresult = hresult_of(rc) if meaning.hresult is None else meaning.hresult
    return meaning.error(f"{doing}: {meaning.text} (TPM code 0x{rc:X})", store=STORE, hresult=hresult)
