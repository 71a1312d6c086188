"""The values of certificate properties that the object model adds to those of the stores, and the date of automation.

Value bytes <-> dataclasses and numbers; knows no certificate and no COM. Source: the page of CERTENROLL_PROPERTYID, which
describes the values; where it is silent docs/analysis/cert-properties.md says what was chosen.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certenroll.enums import CERTENROLL_PROPERTYID as ID
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.errors import PropertyError

POLICY_SERVER: Final = int(ID.XCN_CERT_CEP_PROP_ID)
ACCESS_STATE: Final = int(ID.XCN_CERT_ACCESS_STATE_PROP_ID)
SHA1_HASH: Final = int(ID.XCN_CERT_SHA1_HASH_PROP_ID)

# Properties whose value is a handle of the running process, or a fact that the store reports: nobody sets them.
_UNSETTABLE: Final = frozenset(
    {
        ID.XCN_CERT_KEY_PROV_HANDLE_PROP_ID,
        ID.XCN_CERT_KEY_CONTEXT_PROP_ID,
        ID.XCN_CERT_ACCESS_STATE_PROP_ID,
        ID.XCN_CERT_NCRYPT_KEY_HANDLE_PROP_ID,
        ID.XCN_CERT_HCRYPTPROV_OR_NCRYPT_KEY_HANDLE_PROP_ID,
        ID.XCN_CERT_NCRYPT_KEY_HANDLE_TRANSFER_PROP_ID,
        ID.XCN_CERT_HCRYPTPROV_TRANSFER_PROP_ID,
    }
)
_DATE_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)  # day 0 of an automation date
_FIRST_DATE: Final = datetime(1900, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class PolicyServer:
    """What ICertPropertyEnrollmentPolicyServer holds.

    Attributes:
        property_flags: EnrollmentPolicyServerPropertyFlags.
        authentication, enrollment_authentication: X509EnrollmentAuthFlags, for the policy and the enrollment server.
        url_flags: PolicyServerUrlFlags.
        request_id: the text by which the enrollment server knows the request.
        url, policy_id: of the policy server.
        enrollment_url: of the enrollment server.
    """

    property_flags: int
    authentication: int
    enrollment_authentication: int
    url_flags: int
    request_id: str
    url: str
    policy_id: str
    enrollment_url: str


def encode_policy_server(server: PolicyServer) -> bytes:
    """Four DWORDs, then four strings, each after its length in characters with its NUL. Raises PropertyError."""
    *numbers, request_id, url, policy_id, enrollment_url = astuple(server)
    parts = [properties.encode_number(number) for number in numbers]
    for text in (request_id, url, policy_id, enrollment_url):
        encoded = properties.encode_text(text)
        parts += [struct.pack("<I", len(encoded) // 2), encoded]
    return b"".join(parts)


def decode_policy_server(value: bytes) -> PolicyServer:
    """What encode_policy_server wrote. Raises PropertyError where it ends early or goes on after the end."""
    offset, texts = 16, []
    for _ in range(4):
        start = offset + 4
        offset = start + 2 * int.from_bytes(value[start - 4 : start], "little")
        if len(value) < max(start, offset):
            raise PropertyError("the policy server property ends early")
        texts.append(properties.decode_text(value[start:offset]))
    if offset != len(value):
        raise PropertyError(f"{len(value) - offset} octets follow the policy server property")
    return PolicyServer(*struct.unpack_from("<4I", value), *texts)


def moment_of(date: object) -> datetime:
    """The moment of an automation date: days since 30 December 1899 as a number, or a datetime; UTC, to the millisecond.

    A datetime without a time zone is taken as UTC, since a date of automation has none either.

    Raises:
        PropertyError: WIN32_INVALID_DATA for what is no date between 1 January 1900 and 31 December 9999.
    """
    if isinstance(date, datetime):
        moment = date.astimezone(UTC) if date.tzinfo is not None else date.replace(tzinfo=UTC)
    elif isinstance(date, (int, float)) and not isinstance(date, bool) and math.isfinite(date):
        moment = _moment_of_days(float(date))
    else:
        raise PropertyError(f"{type(date).__name__} is no date; a number of days or a datetime is")
    if moment < _FIRST_DATE:
        raise PropertyError("a date is between 1 January 1900 and 31 December 9999")
    return moment


def _moment_of_days(days: float) -> datetime:
    try:
        return _DATE_EPOCH + timedelta(milliseconds=round(days * 86_400_000))
    except OverflowError:
        raise PropertyError("a date is between 1 January 1900 and 31 December 9999") from None


def days_of(moment: datetime) -> float:
    """The automation date of a moment: days since 30 December 1899, UTC."""
    return (moment - _DATE_EPOCH) / _DAY


def checked_hash(value: bytes) -> bytes:
    """A SHA-1 hash. Raises PropertyError where it has not 20 octets."""
    if len(value) != 20:
        raise PropertyError(f"a SHA-1 hash has 20 octets, this one {len(value)}")
    return value


def access_state(*, machine: bool) -> bytes:
    """CERT_ACCESS_STATE_PROP_ID of a certificate: its store can be written, is a system store, and is whose it is."""
    write_persist, system_store, machine_store = 1, 2, 4
    return properties.encode_number(write_persist | system_store | (machine_store if machine else 0))


# What the object model knows better than the stores; every other property is judged by the stores' own table.
_DECODERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    POLICY_SERVER: decode_policy_server,
    SHA1_HASH: checked_hash,
    properties.RENEWAL: checked_hash,
}


def check_value(property_id: int, value: bytes) -> None:
    """Refuses a value that nobody could read as that property.

    Raises:
        PropertyError: WIN32_INVALID_DATA; E_INVALIDARG for a property that cannot be set.
    """
    if property_id in _UNSETTABLE:
        name = ID(property_id).name
        raise PropertyError(f"{name} is given by the store or the process, and not set", hresult=HRESULT.E_INVALIDARG)
    decoder = _DECODERS.get(property_id)
    if decoder is not None:
        decoder(value)
    else:
        properties.decode(property_id, value)
