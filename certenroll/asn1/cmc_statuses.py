"""What a CMC response says about a request: granted, pending or refused, and why (RFC 5272 section 6.1, RFC 2797 5.1).

Both forms of the control, one value for either; names and result codes from tables. Knows no message.

The names are those of RFC 5272; wincrypt.h has the same numbers as CMC_STATUS_* (0, 2 to 5) and CMC_FAIL_* (0 to 12). What
result code a failure becomes on Windows is not documented: the tables here are this project's choice.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Final

from cryptography.hazmat import asn1

from certenroll.asn1 import cmc, der
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.hresults import HRESULT

STATUS_INFO: Final = "1.3.6.1.5.5.7.7.1"
STATUS_INFO_V2: Final = "1.3.6.1.5.5.7.7.25"

_EXTENDED: Final = 0xA1
_GENERALIZED_TIME: Final = 0x18


class Outcome(Enum):
    """What became of a request."""

    GRANTED = "granted"
    PENDING = "pending"
    REFUSED = "refused"


class Status(IntEnum):
    """CMCStatus."""

    SUCCESS = 0
    FAILED = 2
    PENDING = 3
    NO_SUPPORT = 4
    CONFIRM_REQUIRED = 5
    POP_REQUIRED = 6
    PARTIAL = 7


class FailInfo(IntEnum):
    """CMCFailInfo."""

    BAD_ALG = 0
    BAD_MESSAGE_CHECK = 1
    BAD_REQUEST = 2
    BAD_TIME = 3
    BAD_CERT_ID = 4
    UNSUPPORTED_EXT = 5
    MUST_ARCHIVE_KEYS = 6
    BAD_IDENTITY = 7
    POP_REQUIRED = 8
    POP_FAILED = 9
    NO_KEY_REUSE = 10
    INTERNAL_CA_ERROR = 11
    TRY_LATER = 12
    AUTH_DATA_FAIL = 13


# Status -> (name, outcome, result code where no failInfo says more). A status that is not here is a refusal.
STATUSES: Final[dict[int, tuple[str, Outcome, HRESULT]]] = {
    Status.SUCCESS: ("success", Outcome.GRANTED, HRESULT.S_OK),
    Status.FAILED: ("failed", Outcome.REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    Status.PENDING: ("pending", Outcome.PENDING, HRESULT.S_OK),
    Status.NO_SUPPORT: ("noSupport", Outcome.REFUSED, HRESULT.WIN32_NOT_SUPPORTED),
    # The certificate is there, and must not be used before a confirmation that CertEnroll has no means to send.
    Status.CONFIRM_REQUIRED: ("confirmRequired", Outcome.REFUSED, HRESULT.WIN32_NOT_SUPPORTED),
    Status.POP_REQUIRED: ("popRequired", Outcome.REFUSED, HRESULT.CERTSRV_E_SIGNATURE_COUNT),
    # Some parts failed, and nothing says that the request for this certificate is not among them.
    Status.PARTIAL: ("partial", Outcome.REFUSED, HRESULT.WIN32_INVALID_DATA),
}
_UNKNOWN_STATUS: Final = ("unknown", Outcome.REFUSED, HRESULT.E_UNEXPECTED)

# Failure -> (name, result code).
FAILURES: Final[dict[int, tuple[str, HRESULT]]] = {
    FailInfo.BAD_ALG: ("badAlg", HRESULT.NTE_BAD_ALGID),
    FailInfo.BAD_MESSAGE_CHECK: ("badMessageCheck", HRESULT.CRYPT_E_HASH_VALUE),
    FailInfo.BAD_REQUEST: ("badRequest", HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    FailInfo.BAD_TIME: ("badTime", HRESULT.CERT_E_EXPIRED),
    FailInfo.BAD_CERT_ID: ("badCertId", HRESULT.CRYPT_E_NOT_FOUND),
    FailInfo.UNSUPPORTED_EXT: ("unsupportedExt", HRESULT.WIN32_NOT_SUPPORTED),
    FailInfo.MUST_ARCHIVE_KEYS: ("mustArchiveKeys", HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED),
    FailInfo.BAD_IDENTITY: ("badIdentity", HRESULT.E_ACCESSDENIED),
    FailInfo.POP_REQUIRED: ("popRequired", HRESULT.CERTSRV_E_SIGNATURE_COUNT),
    FailInfo.POP_FAILED: ("popFailed", HRESULT.NTE_BAD_SIGNATURE),
    FailInfo.NO_KEY_REUSE: ("noKeyReuse", HRESULT.NTE_BAD_KEY),
    FailInfo.INTERNAL_CA_ERROR: ("internalCAError", HRESULT.WIN32_INTERNAL_ERROR),
    FailInfo.TRY_LATER: ("tryLater", HRESULT.WIN32_BUSY),
    FailInfo.AUTH_DATA_FAIL: ("authDataFail", HRESULT.CRYPT_E_AUTH_ATTR_MISSING),
}
_UNKNOWN_FAILURE: Final = ("unknown", HRESULT.E_UNEXPECTED)


@dataclass(frozen=True, slots=True)
class PendInfo:
    """When and with what to ask again.

    Attributes:
        token: what names the request at the CA. AD CS' contents are not documented; the local CA writes the request's
            number in ASCII.
        time: when to ask, in UTC.
    """

    token: bytes
    time: datetime


@dataclass(frozen=True, slots=True)
class ExtendedFailInfo:
    """A failure that CMC itself has no number for: its type in dots and its value, a whole DER element."""

    oid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class CmcStatus:
    """CMCStatusInfo or CMCStatusInfoV2.

    Attributes:
        status: a Status; a number that is none is kept.
        body_list: the body parts that it speaks of; in version 2 a part inside a message inside is a path of numbers.
        text: for people; None where nothing is said.
        fail_info: a FailInfo, or None; a number that is none is kept.
        pend_info: for a pending request.
        extended: a failure that CMC has no number for, version 2 only.
        version: 1 (RFC 2797, what MS-WCCE names) or 2 (RFC 5272).
    """

    status: int
    body_list: tuple[int | tuple[int, ...], ...] = (1,)
    text: str | None = None
    fail_info: int | None = None
    pend_info: PendInfo | None = None
    extended: ExtendedFailInfo | None = None
    version: int = 1

    @property
    def outcome(self) -> Outcome:
        """What became of the request."""
        return STATUSES.get(self.status, _UNKNOWN_STATUS)[1]

    @property
    def name(self) -> str:
        """What RFC 5272 calls the status: "success", "failed"."""
        return STATUSES.get(self.status, _UNKNOWN_STATUS)[0]

    @property
    def fail_name(self) -> str:
        """What RFC 5272 calls the failure: "badAlg"; empty where none is given."""
        return "" if self.fail_info is None else FAILURES.get(self.fail_info, _UNKNOWN_FAILURE)[0]

    @property
    def hresult(self) -> int:
        """The result code: S_OK unless the request was refused, unsigned."""
        if self.outcome is Outcome.REFUSED and self.fail_info is not None:
            return int(FAILURES.get(self.fail_info, _UNKNOWN_FAILURE)[1])
        return int(STATUSES.get(self.status, _UNKNOWN_STATUS)[2])


def fail_info_of(hresult: int) -> int:
    """The FailInfo that says best why a CA refused: the first with that code, BAD_REQUEST where none has it."""
    return next((number for number, (_, code) in FAILURES.items() if code == hresult), FailInfo.BAD_REQUEST)


# Reading -------------------------------------------------------------------------------------------------------------


def decode_status(data: bytes, version: int = 1) -> CmcStatus:
    """Reads a CMCStatusInfo (version 1) or CMCStatusInfoV2 (version 2).

    Raises:
        DecodeError: the bytes are none.
    """
    status, bodies, *rest = _at_least(der.children(data, der.SEQUENCE), 2)
    text = der.read_string(rest.pop(0)) if rest and rest[0][0] == der.UTF8_STRING else None
    if len(rest) > 1:
        raise DecodeError("a status with more parts than it has", HRESULT.CRYPT_E_ASN1_CORRUPT)
    fail_info, pend_info, extended = _decode_other_info(rest[0]) if rest else (None, None, None)
    spoken_of = cmc.decode_sequence(bodies, _decode_reference)
    return CmcStatus(der.read_integer(status), spoken_of, text, fail_info, pend_info, extended, version)


def _at_least(parts: list[bytes], count: int) -> list[bytes]:
    if len(parts) < count:
        raise DecodeError(f"{count} parts belong here, not {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return parts


def _decode_reference(data: bytes) -> int | tuple[int, ...]:
    if data[0] == der.SEQUENCE:
        return cmc.decode_sequence(data, cmc.decode_body_part)
    return cmc.decode_body_part(data)


def _decode_other_info(data: bytes) -> tuple[int | None, PendInfo | None, ExtendedFailInfo | None]:
    """A number, a PendInfo, or an ExtendedFailInfo: [1] as RFC 5272 has it, or the bare SEQUENCE that some writers send."""
    if data[0] == der.INTEGER:
        return der.read_integer(data), None, None
    if data[0] not in (der.SEQUENCE, _EXTENDED):
        raise DecodeError(f"tag 0x{data[0]:02X} says nothing about a status")
    parts = der.children(data)
    if len(parts) == 1 and data[0] == _EXTENDED:  # tagged explicitly
        parts = der.children(parts[0], der.SEQUENCE)
    if len(parts) != 2:
        raise DecodeError("a reason has two parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    if parts[0][0] == der.OCTET_STRING and data[0] == der.SEQUENCE:
        return None, PendInfo(der.read_octet_string(parts[0]), _decode_time(parts[1])), None
    return None, None, ExtendedFailInfo(der.read_oid(parts[0]), parts[1])


def _decode_time(data: bytes) -> datetime:
    return der.decode(asn1.GeneralizedTime, data).as_datetime().replace(tzinfo=UTC)


# Writing -------------------------------------------------------------------------------------------------------------


def encode_status(status: CmcStatus) -> bytes:
    """DER of a status in the form of its version; an extended failure stands under [1].

    Raises:
        EncodeError: more than one reason, a path or an extended failure in version 1, a time without a time zone.
    """
    reasons = [_encode_reason(one) for one in (status.fail_info, status.pend_info, status.extended) if one is not None]
    paths = any(isinstance(one, tuple) for one in status.body_list)
    if len(reasons) > 1:
        raise EncodeError("a status gives one reason")
    if status.version == 1 and (paths or status.extended is not None):
        raise EncodeError("only a status of version 2 has paths and extended failures")
    return der.sequence_of(
        (
            der.integer(int(status.status)),
            cmc.encode_sequence(status.body_list, _encode_reference),
            der.utf8_string(status.text) if status.text is not None else b"",
            *reasons,
        )
    )


def _encode_reference(one: int | tuple[int, ...]) -> bytes:
    return cmc.encode_sequence(one, cmc.encode_body_part) if isinstance(one, tuple) else cmc.encode_body_part(one)


def _encode_reason(reason: int | PendInfo | ExtendedFailInfo) -> bytes:
    if isinstance(reason, PendInfo):
        return der.sequence_of((der.octet_string(reason.token), _encode_time(reason.time)))
    if isinstance(reason, ExtendedFailInfo):
        return der.wrap(_EXTENDED, der.oid(reason.oid) + reason.value)
    return der.integer(int(reason))


def _encode_time(moment: datetime) -> bytes:
    if moment.tzinfo is None:
        raise EncodeError("a time without a time zone")
    return der.wrap(_GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode("ascii"))
