"""What a user can do about an error: a table from result codes to sentences. Knows no command."""

from __future__ import annotations

import sys
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT

# What cannot be read is none of this machine's devices' fault.
_UNREADABLE: Final = "check the file: it is not what this command reads, or it is cut off or damaged"
# Result code -> what to do about it, where the error itself does not say it.
REMEDIES: Final[dict[HRESULT, str]] = {
    HRESULT.TBS_E_TPM_NOT_FOUND: "name the TPM in XENROLL_TPM_TCTI (device:/dev/tpmrm0), or use KeyLocation 3",
    HRESULT.SCARD_E_NO_READERS_AVAILABLE: "name the card's library in XENROLL_PKCS11_MODULE",
    HRESULT.SCARD_E_NO_SMARTCARD: "insert the card, or name its token in XENROLL_PKCS11_TOKEN (pkcs11:token=LABEL)",
    HRESULT.SCARD_W_WRONG_CHV: "check XENROLL_PIN, XENROLL_PIN_FILE or --pin-file; do not try often, a card locks",
    HRESULT.SCARD_W_CHV_BLOCKED: "have the card unblocked by its issuer",
    HRESULT.NTE_SILENT_CONTEXT: "give the PIN by --pin-file, --ask-pin, XENROLL_PIN_FILE or XENROLL_PIN",
    HRESULT.NTE_EXISTS: "choose another --container, or delete that one: xenroll keys delete",
    HRESULT.NTE_BAD_KEYSET: "'xenroll keys list' shows the containers",
    HRESULT.NTE_BAD_KEYSET_PARAM: "name the container: --container NAME",
    HRESULT.NTE_BAD_KEY_STATE: "only a software key that was asked for with --exportable leaves its store",
    HRESULT.CERT_E_UNTRUSTEDROOT: "put the CA's root into ROOT (xenroll ca init does), or use --allow-untrusted-root",
    HRESULT.CERT_E_CHAINING: "get the response with its chain, or use --allow-untrusted-certificate",
    HRESULT.CRYPT_E_NOT_FOUND: "'xenroll store list' and 'xenroll pending list' show what is there",
    HRESULT.CERTSRV_E_NO_REQUEST: "'xenroll ca list' shows the requests that the CA has",
    HRESULT.CERTSRV_E_BAD_REQUESTSTATUS: "'xenroll ca list' shows what became of the request",
    HRESULT.RPC_SERVER_UNAVAILABLE: "make a CA by 'xenroll ca init NAME' (or --machine), or name it in profile.toml",
    HRESULT.WIN32_FILE_NOT_FOUND: "check the file's name, and that its folder is there",
    HRESULT.E_ACCESSDENIED: "check the file's name, and that you may read or write it; XENROLL_HOME names another profile",
    HRESULT.WIN32_FILE_EXISTS: "choose another file name; nothing is overwritten",
    HRESULT.WIN32_WRITE_FAULT: "see that there is room on the disk, and that the name is not too long",
    HRESULT.CRYPT_E_INVALID_X500_STRING: "write the subject as in CN=alice, O=Example",
    HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE: "choose a template that the CA has, or none",
    HRESULT.WIN32_INVALID_PASSWORD: "give the right password by --password-file or --ask-password",
    HRESULT.WIN32_INVALID_DATA: _UNREADABLE,
    HRESULT.WIN32_PATH_NOT_FOUND: "check the folder's name, and that it is there",
    HRESULT.E_INVALIDARG: "--help says what the command takes",
    HRESULT.WIN32_NOT_FOUND: "check the name; 'xenroll mdm tree', 'keys list' and 'store list' show what is there",
}
# The same for an error of a class of its own, by its name.
_OF_CLASS: Final[dict[str, str]] = {
    "SubstitutionError": "a placeholder's value is given by --set or --set-file",
}
_ELSE: Final = "'xenroll doctor' says what works on this machine"


def report(problem: ComError, cause: BaseException | None = None) -> None:
    """Tells an error on stderr: its code, name and text, and what to do.

    Args:
        problem: the error.
        cause: what was raised, where ``problem`` was made of that.
    """
    number = problem.hresult & 0xFFFFFFFF
    is_asn1 = HRESULT.CRYPT_E_ASN1_ERROR <= number <= HRESULT.CRYPT_E_ASN1_NOEOD
    by_code = next((text for code, text in REMEDIES.items() if code == number), _UNREADABLE if is_asn1 else _ELSE)
    remedy = _OF_CLASS.get(type(cause).__name__, by_code)
    sys.stderr.write(f"error: {problem}\n  what to do: {remedy}\n")
