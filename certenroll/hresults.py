"""Windows result codes: name, value and the sentence that Windows shows for each.

The codes that this project raises are members of an enumeration; the others that Windows has for keys, certificates and
TPMs stand in ``hresults.tsv``, which is read when somebody asks for one. ``WIN32_*`` are Win32 error numbers in their
HRESULT form, HRESULT_FROM_WIN32(ERROR_*). Source: winerror.h as Microsoft documents it (MS-ERREF and the COM error code
pages).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple


class NamedCode(NamedTuple):
    """A result code that the project does not raise itself, as a CA may send it."""

    name: str
    value: int
    text: str


class HRESULT(IntEnum):
    """A result code; ``.text`` is its sentence and ``.signed`` the 32-bit number that automation reports."""

    text: str

    def __new__(cls, value: int, text: str) -> HRESULT:
        member = int.__new__(cls, value)
        member._value_ = value
        member.text = text
        return member

    @property
    def signed(self) -> int:
        return signed(self)

    S_OK = 0x00000000, "The operation completed successfully."
    S_FALSE = 0x00000001, "The operation completed with nothing to do."
    E_PENDING = 0x8000000A, "The data necessary to complete this operation is not yet available."
    E_NOTIMPL = 0x80004001, "Not implemented"
    E_NOINTERFACE = 0x80004002, "No such interface supported"
    E_POINTER = 0x80004003, "Invalid pointer"
    E_FAIL = 0x80004005, "Unspecified error"
    E_UNEXPECTED = 0x8000FFFF, "Catastrophic failure"
    DISP_E_MEMBERNOTFOUND = 0x80020003, "Member not found."
    DISP_E_TYPEMISMATCH = 0x80020005, "Type mismatch."
    DISP_E_UNKNOWNNAME = 0x80020006, "Unknown name."
    DISP_E_OVERFLOW = 0x8002000A, "Out of present range."
    DISP_E_BADPARAMCOUNT = 0x8002000E, "Invalid number of parameters."
    DISP_E_PARAMNOTOPTIONAL = 0x8002000F, "Parameter not optional."
    DISP_E_NOTACOLLECTION = 0x80020011, "Does not support a collection."
    OLE_E_BLANK = 0x80040007, "Uninitialized object"
    REGDB_E_CLASSNOTREG = 0x80040154, "Class not registered"
    CO_E_CLASSSTRING = 0x800401F3, "Invalid class string"
    WIN32_FILE_NOT_FOUND = 0x80070002, "The system cannot find the file specified."
    WIN32_PATH_NOT_FOUND = 0x80070003, "The system cannot find the path specified."
    E_ACCESSDENIED = 0x80070005, "General access denied error"
    E_HANDLE = 0x80070006, "Invalid handle"
    WIN32_INVALID_DATA = 0x8007000D, "The data is invalid."
    E_OUTOFMEMORY = 0x8007000E, "Ran out of memory"
    WIN32_WRITE_FAULT = 0x8007001D, "The system cannot write to the specified device."
    WIN32_SHARING_VIOLATION = 0x80070020, "The process cannot access the file because it is being used by another process."
    WIN32_NOT_SUPPORTED = 0x80070032, "The request is not supported."
    WIN32_FILE_EXISTS = 0x80070050, "The file exists."
    WIN32_INVALID_PASSWORD = 0x80070056, "The specified network password is not correct."
    E_INVALIDARG = 0x80070057, "One or more arguments are invalid"
    WIN32_BUSY = 0x800700AA, "The requested resource is in use."
    WIN32_DISK_FULL = 0x80070070, "There is not enough space on the disk."
    WIN32_CALL_NOT_IMPLEMENTED = 0x80070078, "This function is not supported on this system."
    WIN32_INVALID_NAME = 0x8007007B, "The filename, directory name, or volume label syntax is incorrect."
    WIN32_DLL_NOT_FOUND = 0x8007007E, "The specified module could not be found."
    WIN32_ALREADY_EXISTS = 0x800700B7, "Cannot create a file when that file already exists."
    WIN32_FILENAME_EXCED_RANGE = 0x800700CE, "The filename or extension is too long."
    WIN32_NO_MORE_ITEMS = 0x80070103, "No more data is available."
    WIN32_ARITHMETIC_OVERFLOW = 0x80070216, "Arithmetic result exceeded 32 bits."
    WIN32_NOT_FOUND = 0x80070490, "Element not found."
    WIN32_CONNECTION_REFUSED = 0x800704C9, "The remote computer refused the network connection."
    WIN32_ALREADY_INITIALIZED = 0x800704DF, "An attempt was made to perform an initialization operation when initialization has already been completed."
    WIN32_ACCESS_DISABLED_BY_POLICY = 0x800704EC, "This program is blocked by group policy."
    WIN32_INTERNAL_ERROR = 0x8007054F, "An internal error occurred."
    WIN32_INVALID_INDEX = 0x80070585, "Invalid index."
    WIN32_STACK_OVERFLOW = 0x800703E9, "Recursion too deep; the stack overflowed."
    WIN32_TIMEOUT = 0x800705B4, "This operation returned because the timeout period expired."
    RPC_SERVER_UNAVAILABLE = 0x800706BA, "The RPC server is unavailable."
    WIN32_DATABASE_FAILURE = 0x800710D9, "Unable to read from or write to the library."
    WIN32_INVALID_OPERATION = 0x800710DD, "The operation identifier is not valid."
    WIN32_INVALID_STATE = 0x8007139F, "The group or resource is not in the correct state to perform the requested operation."
    WIN32_FILE_READ_ONLY = 0x80071779, "The specified file is read only."
    NTE_BAD_KEY = 0x80090003, "Bad Key."
    NTE_BAD_LEN = 0x80090004, "Bad Length."
    NTE_BAD_DATA = 0x80090005, "Bad Data."
    NTE_BAD_SIGNATURE = 0x80090006, "Invalid Signature."
    NTE_BAD_ALGID = 0x80090008, "Invalid algorithm specified."
    NTE_BAD_TYPE = 0x8009000A, "Invalid type specified."
    NTE_BAD_KEY_STATE = 0x8009000B, "Key not valid for use in specified state."
    NTE_BAD_HASH_STATE = 0x8009000C, "Hash not valid for use in specified state."
    NTE_NO_KEY = 0x8009000D, "Key does not exist."
    NTE_EXISTS = 0x8009000F, "Object already exists."
    NTE_PERM = 0x80090010, "Access denied."
    NTE_NOT_FOUND = 0x80090011, "Object was not found."
    NTE_BAD_PUBLIC_KEY = 0x80090015, "Provider's public key is invalid."
    NTE_BAD_KEYSET = 0x80090016, "Keyset does not exist"
    NTE_PROV_TYPE_NOT_DEF = 0x80090017, "Provider type not defined."
    NTE_KEYSET_NOT_DEF = 0x80090019, "The keyset is not defined."
    NTE_BAD_KEYSET_PARAM = 0x8009001F, "The Keyset parameter is invalid."
    NTE_FAIL = 0x80090020, "An internal error occurred."
    NTE_SILENT_CONTEXT = 0x80090022, "Provider could not perform the action since the context was acquired as silent."
    NTE_TOKEN_KEYSET_STORAGE_FULL = 0x80090023, "The security token does not have storage space available for an additional container."
    NTE_INVALID_PARAMETER = 0x80090027, "The parameter is incorrect."
    NTE_NOT_SUPPORTED = 0x80090029, "The requested operation is not supported."
    NTE_DECRYPTION_FAILURE = 0x8009002C, "The specified data could not be decrypted."
    NTE_DEVICE_NOT_READY = 0x80090030, "The device that is required by this cryptographic provider is not ready for use."
    NTE_VALIDATION_FAILED = 0x80090032, "The validation of the provided data failed the integrity or signature validation."
    CRYPT_E_UNKNOWN_ALGO = 0x80091002, "Unknown cryptographic algorithm."
    CRYPT_E_OID_FORMAT = 0x80091003, "The object identifier is poorly formatted."
    CRYPT_E_INVALID_MSG_TYPE = 0x80091004, "Invalid cryptographic message type."
    CRYPT_E_AUTH_ATTR_MISSING = 0x80091006, "The cryptographic message does not contain an expected authenticated attribute."
    CRYPT_E_HASH_VALUE = 0x80091007, "The hash value is not correct."
    CRYPT_E_RECIPIENT_NOT_FOUND = 0x8009100B, "The enveloped-data message does not contain the specified recipient."
    CRYPT_E_SIGNER_NOT_FOUND = 0x8009100E, "Cannot find the original signer."
    CRYPT_E_BAD_ENCODE = 0x80092002, "An error occurred during encode or decode operation."
    CRYPT_E_NOT_FOUND = 0x80092004, "Cannot find object or property."
    CRYPT_E_EXISTS = 0x80092005, "The object or property already exists."
    CRYPT_E_NO_MATCH = 0x80092009, "Cannot find the requested object."
    CRYPT_E_UNEXPECTED_MSG_TYPE = 0x8009200A, "The certificate does not have a property that references a private key."
    CRYPT_E_NO_KEY_PROPERTY = 0x8009200B, "Cannot find the certificate and private key for decryption."
    CRYPT_E_NO_DECRYPT_CERT = 0x8009200C, "Cannot find the certificate and private key to use for decryption."
    CRYPT_E_BAD_MSG = 0x8009200D, "Not a cryptographic message or the cryptographic message is not formatted correctly."
    CRYPT_E_NO_SIGNER = 0x8009200E, "The signed cryptographic message does not have a signer for the specified signer index."
    CRYPT_E_REVOKED = 0x80092010, "The certificate is revoked."
    CRYPT_E_INVALID_NUMERIC_STRING = 0x80092020, "The string contains a non-numeric character."
    CRYPT_E_INVALID_PRINTABLE_STRING = 0x80092021, "The string contains a non-printable character."
    CRYPT_E_INVALID_IA5_STRING = 0x80092022, "The string contains a character not in the 7 bit ASCII character set."
    CRYPT_E_INVALID_X500_STRING = 0x80092023, "The string contains an invalid X500 name attribute key, oid, value or delimiter."
    CRYPT_E_ASN1_ERROR = 0x80093100, "ASN1 Certificate encode/decode error code base. The ASN1 error values are offset by CRYPT_E_ASN1_ERROR."
    CRYPT_E_ASN1_EOD = 0x80093102, "ASN1 unexpected end of data."
    CRYPT_E_ASN1_CORRUPT = 0x80093103, "ASN1 corrupted data."
    CRYPT_E_ASN1_LARGE = 0x80093104, "ASN1 value too large."
    CRYPT_E_ASN1_CONSTRAINT = 0x80093105, "ASN1 constraint violated."
    CRYPT_E_ASN1_BADTAG = 0x8009310B, "ASN1 bad tag value met."
    CRYPT_E_ASN1_CHOICE = 0x8009310C, "ASN1 bad choice value."
    CRYPT_E_ASN1_RULE = 0x8009310D, "ASN1 bad encoding rule."
    CRYPT_E_ASN1_UTF8 = 0x8009310E, "ASN1 bad unicode (UTF8)."
    CRYPT_E_ASN1_NOEOD = 0x80093202, "ASN1 end of data expected"
    CERTSRV_E_BAD_REQUESTSUBJECT = 0x80094001, "The request subject name is invalid or too long."
    CERTSRV_E_NO_REQUEST = 0x80094002, "The request does not exist."
    CERTSRV_E_BAD_REQUESTSTATUS = 0x80094003, "The request's current status does not allow this operation."
    CERTSRV_E_PROPERTY_EMPTY = 0x80094004, "The requested property value is empty."
    CERTSRV_E_INVALID_CA_CERTIFICATE = 0x80094005, "The certification authority's certificate contains invalid data."
    CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED = 0x8009400A, "Cannot archive private key. The certification authority is not configured for key archival."
    CERTSRV_E_NO_VALID_KRA = 0x8009400B, "Cannot archive private key. The certification authority could not verify one or more key recovery certificates."
    CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL = 0x8009400C, "The request is incorrectly formatted. The encrypted private key must be in an unauthenticated attribute in an outermost signature."
    CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE = 0x8009400E, "The request contains an invalid renewal certificate attribute."
    CERTSRV_E_TEMPLATE_DENIED = 0x80094012, "The permissions on the certificate template do not allow the current user to enroll for this type of certificate."
    CERTSRV_E_ADMIN_DENIED_REQUEST = 0x80094014, "The request was denied by a certificate manager or CA administrator."
    CERTSRV_E_UNSUPPORTED_CERT_TYPE = 0x80094800, "The requested certificate template is not supported by this CA."
    CERTSRV_E_NO_CERT_TYPE = 0x80094801, "The request contains no certificate template information."
    CERTSRV_E_TEMPLATE_CONFLICT = 0x80094802, "The request contains conflicting template information."
    CERTSRV_E_ARCHIVED_KEY_REQUIRED = 0x80094804, "The request is missing a required private key for archival by the server."
    CERTSRV_E_BAD_RENEWAL_SUBJECT = 0x80094806, "The request was made on behalf of a subject other than the caller. The certificate template must be configured to require at least one signature to authorize the request."
    CERTSRV_E_SIGNATURE_POLICY_REQUIRED = 0x80094809, "The request is missing required signature policy information."
    CERTSRV_E_SIGNATURE_COUNT = 0x8009480A, "The request is missing one or more required signatures."
    CERTSRV_E_SIGNATURE_REJECTED = 0x8009480B, "One or more signatures did not include the required application or issuance policies. The request is missing one or more required valid signatures."
    CERTSRV_E_ISSUANCE_POLICY_REQUIRED = 0x8009480C, "The request is missing one or more required signature issuance policies."
    CERTSRV_E_ARCHIVED_KEY_UNEXPECTED = 0x80094810, "The request includes a private key for archival by the server, but key archival is not enabled for the specified certificate template."
    CERTSRV_E_KEY_LENGTH = 0x80094811, "The public key does not meet the minimum size required by the specified certificate template."
    CERTSRV_E_INVALID_EK = 0x80094817, "The endorsement key of the request is not valid."
    CERTSRV_E_INVALID_IDBINDING = 0x80094818, "The attestation key of the request is not bound to its endorsement key."
    CERTSRV_E_INVALID_ATTESTATION = 0x80094819, "The key attestation of the request is not valid."
    CERTSRV_E_KEY_ATTESTATION = 0x8009481A, "The certificate template requires key attestation, and the request has none that is accepted."
    CERTSRV_E_CORRUPT_KEY_ATTESTATION = 0x8009481B, "The key attestation statement of the request is corrupt."
    CERTSRV_E_EXPIRED_CHALLENGE = 0x8009481C, "The challenge has expired."
    CERTSRV_E_INVALID_RESPONSE = 0x8009481D, "The response to the challenge is not valid."
    CERTSRV_E_INVALID_REQUESTID = 0x8009481E, "The request identifier of the challenge response is not valid."
    XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND = 0x80095002, "The key archival hash attribute was not found in the response."
    XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH = 0x80095003, "An unexpected key archival hash attribute was found in the response."
    XENROLL_E_RESPONSE_KA_HASH_MISMATCH = 0x80095004, "There is a key archival hash mismatch between the request and the response."
    TRUST_E_CERT_SIGNATURE = 0x80096004, "The signature of the certificate cannot be verified."
    TRUST_E_BASIC_CONSTRAINTS = 0x80096019, "A certificate's basic constraint extension has not been observed."
    CERT_E_EXPIRED = 0x800B0101, "A required certificate is not within its validity period when verifying against the current system clock or the timestamp in the signed file."
    CERT_E_CRITICAL = 0x800B0105, "A certificate contains an unknown extension that is marked 'critical'."
    CERT_E_UNTRUSTEDROOT = 0x800B0109, "A certificate chain processed, but terminated in a root certificate which is not trusted by the trust provider."
    CERT_E_CHAINING = 0x800B010A, "A certificate chain could not be built to a trusted root authority."
    TRUST_E_FAIL = 0x800B010B, "Generic trust failure."
    CERT_E_WRONG_USAGE = 0x800B0110, "The certificate is not valid for the requested usage."
    CERT_E_INVALID_POLICY = 0x800B0113, "The certificate has invalid policy."
    CERT_E_INVALID_NAME = 0x800B0114, "The certificate has an invalid name. The name is not included in the permitted list or is explicitly excluded."
    SCARD_F_INTERNAL_ERROR = 0x80100001, "An internal consistency check failed."
    SCARD_E_INVALID_PARAMETER = 0x80100004, "One or more of the supplied parameters could not be properly interpreted."
    SCARD_E_NO_MEMORY = 0x80100006, "Not enough memory available to complete this command."
    SCARD_E_UNKNOWN_READER = 0x80100009, "The specified reader name is not recognized."
    SCARD_E_SHARING_VIOLATION = 0x8010000B, "The smart card cannot be accessed because of other connections outstanding."
    SCARD_E_NO_SMARTCARD = 0x8010000C, "The operation requires a Smart Card, but no Smart Card is currently in the device."
    SCARD_E_UNKNOWN_CARD = 0x8010000D, "The specified smart card name is not recognized."
    SCARD_F_COMM_ERROR = 0x80100013, "An internal communications error has been detected."
    SCARD_F_UNKNOWN_ERROR = 0x80100014, "An internal error has been detected, but the source is unknown."
    SCARD_E_UNSUPPORTED_FEATURE = 0x80100022, "This smart card does not support the requested feature."
    SCARD_E_INVALID_CHV = 0x8010002A, "The supplied PIN is incorrect."
    SCARD_E_NO_READERS_AVAILABLE = 0x8010002E, "Cannot find a smart card reader."
    SCARD_E_READ_ONLY_CARD = 0x80100034, "The smart card is read only and cannot be written to."
    SCARD_W_RESET_CARD = 0x80100068, "The smart card has been reset, so any shared state information is invalid."
    SCARD_W_REMOVED_CARD = 0x80100069, "The smart card has been removed, so that further communication is not possible."
    SCARD_W_SECURITY_VIOLATION = 0x8010006A, "Access was denied because of a security violation."
    SCARD_W_WRONG_CHV = 0x8010006B, "The card cannot be accessed because the wrong PIN was presented."
    SCARD_W_CHV_BLOCKED = 0x8010006C, "The card cannot be accessed because the maximum number of PIN entry attempts has been reached."
    SCARD_W_CANCELLED_BY_USER = 0x8010006E, "The action was canceled by the user."
    SCARD_W_CARD_NOT_AUTHENTICATED = 0x8010006F, "No PIN was presented to the smart card."
    TPM_E_FAIL = 0x80280009, "The operation failed."
    TPM_20_E_HANDLE = 0x8028008B, "TPM 2.0: The Handle is not correct for the use."
    TPM_20_E_AUTH_FAIL = 0x8028008E, "TPM 2.0: The authorization HMAC check failed and DA counter incremented."
    TPM_20_E_INTEGRITY = 0x8028009F, "TPM 2.0: Integrity check failed."
    TPM_20_E_BAD_AUTH = 0x802800A2, "TPM 2.0: Authorization failure without DA implications."
    TPM_20_E_INITIALIZE = 0x80280100, "TPM 2.0: TPM not initialized."
    TPM_20_E_FAILURE = 0x80280101, "TPM 2.0: Commands not being accepted because of a TPM failure."
    TPM_20_E_NV_SPACE = 0x8028014B, "TPM 2.0: Insufficient space for NV allocation."
    TPM_20_E_PARENT = 0x80280152, "TPM 2.0: Handle for parent is not a valid parent."
    TPM_20_E_OBJECT_MEMORY = 0x80280902, "TPM 2.0: Out of memory for object contexts."
    TPM_20_E_NV_UNAVAILABLE = 0x80280923, "TPM 2.0: the command may require writing of NV and NV is not current accessible.."
    TBS_E_IOERROR = 0x80284006, "An error occurred while communicating with the TPM."
    TBS_E_TPM_NOT_FOUND = 0x8028400F, "A compatible Trusted Platform Module (TPM) Security Device cannot be found on this computer."
    TBS_E_ACCESS_DENIED = 0x80284012, "The caller does not have the appropriate rights to perform the requested operation."
    TPM_E_ATTESTATION_CHALLENGE_NOT_SET = 0x80290412, "The TPM attestation challenge is not set."


def signed(code: int) -> int:
    """``code`` as a signed 32-bit number (0x80070057 -> -2147024809).

    Args:
        code: a result code, signed or unsigned.
    """
    return (code & 0xFFFFFFFF) - ((code & 0x80000000) << 1)


def lookup(code: int) -> HRESULT | NamedCode | None:
    """The named result code of ``code`` (signed or unsigned), or None where Windows' list has none."""
    try:
        return HRESULT(code & 0xFFFFFFFF)  # type: ignore[call-arg]
    except ValueError:
        return next((found for found in others().values() if found.value == code & 0xFFFFFFFF), None)


def named(name: str) -> int | None:
    """The value of a result code, unsigned, by its name; None for a name that Windows' list does not have."""
    if name in HRESULT.__members__:
        return int(HRESULT[name])
    return others()[name].value if name in others() else None


@lru_cache(maxsize=1)
def others() -> Mapping[str, NamedCode]:
    """The codes that are no members of HRESULT, by name."""
    from importlib.resources import files

    lines = files("certenroll").joinpath("hresults.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines)
    return {name: NamedCode(name, int(value, 16), text) for name, value, text in rows}
