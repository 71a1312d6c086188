"""The properties that Windows keeps beside a certificate: property id and value bytes <-> values. Knows no database.

Values have the bytes that Windows keeps, with one exception: CERT_KEY_PROV_INFO_PROP_ID, which is a structure of
pointers there, is canonical JSON here. Source: CertSetCertificateContextProperty (wincrypt) for the values of each property.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.enums import CERTENROLL_PROPERTYID as ID
from certenroll.stores.errors import PropertyError
from keystores.base import KeyLocation, Scope

KEY_PROV_INFO: Final = int(ID.XCN_CERT_KEY_PROV_INFO_PROP_ID)
FRIENDLY_NAME: Final = int(ID.XCN_CERT_FRIENDLY_NAME_PROP_ID)
PVK_FILE: Final = int(ID.XCN_CERT_PVK_FILE_PROP_ID)
DESCRIPTION: Final = int(ID.XCN_CERT_DESCRIPTION_PROP_ID)
ARCHIVED: Final = int(ID.XCN_CERT_ARCHIVED_PROP_ID)
AUTO_ENROLL: Final = int(ID.XCN_CERT_AUTO_ENROLL_PROP_ID)
ENROLLMENT: Final = int(ID.XCN_CERT_ENROLLMENT_PROP_ID)
RENEWAL: Final = int(ID.XCN_CERT_RENEWAL_PROP_ID)
ARCHIVED_KEY_HASH: Final = int(ID.XCN_CERT_ARCHIVED_KEY_HASH_PROP_ID)
BACKED_UP: Final = int(ID.XCN_CERT_BACKED_UP_PROP_ID)
REQUEST_ORIGINATOR: Final = int(ID.XCN_CERT_REQUEST_ORIGINATOR_PROP_ID)

LAST_PROPERTY_ID: Final = 0xFFFF
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)  # where a FILETIME begins

def _key_identifier(der: bytes) -> bytes:
    certificate = read_certificate(der)
    return certificate.subject_key_identifier or certificate.key_identifier


# Properties that Windows computes when they are asked for and were never set.
COMPUTED: Final[dict[int, Callable[[bytes], bytes]]] = {
    int(ID.XCN_CERT_KEY_IDENTIFIER_PROP_ID): _key_identifier,
    int(ID.XCN_CERT_SHA1_HASH_PROP_ID): lambda der: hashlib.sha1(der, usedforsecurity=False).digest(),
    int(ID.XCN_CERT_MD5_HASH_PROP_ID): lambda der: hashlib.md5(der, usedforsecurity=False).digest(),
    int(ID.XCN_CERT_SHA256_HASH_PROP_ID): lambda der: hashlib.sha256(der).digest(),
}


@dataclass(frozen=True)
class KeyProviderInfo:
    """Where a certificate's private key is, and how it came there.

    Attributes:
        container: the container's name.
        provider_name: the CSP or KSP as the caller named it, or "".
        provider_type: X509ProviderType (PROV_*); 0 for a KSP.
        flags: CRYPT_MACHINE_KEYSET and the other dwFlags of CRYPT_KEY_PROV_INFO.
        key_spec: X509KeySpec; 0 for a KSP's key.
        store: "software", "tpm" or "smartcard".
        scope: whose key it is.
        asked_location: the KeyLocation that was asked for, or None where nothing was said.
        used_location: the KeyLocation that the key went to.
        fallback: why it went elsewhere than asked, or "" where it did not.
        reference: where the key is, in the key store's own words (KeyInfo.reference).
    """

    container: str
    provider_name: str = ""
    provider_type: int = 0
    flags: int = 0
    key_spec: int = 0
    store: str = "software"
    scope: Scope = Scope.USER
    asked_location: KeyLocation | None = None
    used_location: KeyLocation = KeyLocation.SOFTWARE
    fallback: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Enrollment:
    """What ICertPropertyEnrollment holds.

    Attributes:
        request_id: the CA's number of the request, a signed 32-bit number.
        ca_dns_name, ca_name: the two parts of the CA's configuration string.
        friendly_name: the display name that was asked for, or "".
    """

    request_id: int
    ca_dns_name: str
    ca_name: str
    friendly_name: str = ""


_NUMBERS: Final = ("provider_type", "flags", "key_spec")
_TEXTS: Final = ("container", "provider_name", "store", "fallback", "reference")


def encode_key_info(info: KeyProviderInfo) -> bytes:
    """The info as JSON in UTF-8, keys sorted and no spaces: equal infos give equal bytes."""
    facts = asdict(info) | {"scope": info.scope.value}
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def decode_key_info(value: bytes) -> KeyProviderInfo:
    """The info that ``encode_key_info`` wrote. Raises PropertyError on anything else."""
    try:
        facts = json.loads(value.decode())
        return _key_info(facts)
    except (ValueError, RecursionError) as error:
        raise PropertyError(f"the key provider info cannot be read: {error}") from None


def _key_info(facts: Any) -> KeyProviderInfo:
    wanted = {field.name for field in fields(KeyProviderInfo)}
    if not isinstance(facts, dict) or set(facts) != wanted:
        raise ValueError(f"an object with exactly {', '.join(sorted(wanted))} is wanted")
    if not all(isinstance(facts[name], str) for name in _TEXTS) or not all(type(facts[name]) is int for name in _NUMBERS):
        raise ValueError("a value has the wrong type")
    asked = facts["asked_location"]
    return KeyProviderInfo(
        **{name: facts[name] for name in (*_TEXTS, *_NUMBERS)},
        scope=Scope(facts["scope"]),
        asked_location=None if asked is None else KeyLocation(asked),
        used_location=KeyLocation(facts["used_location"]),
    )


def encode_text(text: str) -> bytes:
    """UTF-16LE with its terminating NUL (friendly name, description, request originator). Raises PropertyError.

    A NUL within the text is refused: whoever reads the property would stop there.
    """
    if "\0" in text:
        raise PropertyError("the text holds a NUL character")
    try:
        return text.encode("utf-16-le") + b"\0\0"
    except UnicodeEncodeError as error:
        raise PropertyError(f"character {error.start} of the text is half a surrogate pair") from None


def decode_text(value: bytes) -> str:
    """The text up to its first NUL; a value without one is read to its end. Raises PropertyError on what is no UTF-16."""
    try:
        return value.decode("utf-16-le").split("\0", 1)[0]
    except UnicodeDecodeError as error:
        raise PropertyError(f"the text is no UTF-16: {error.reason} at {error.start}") from None


def encode_number(number: int) -> bytes:
    """A DWORD. Raises PropertyError outside 0..0xFFFFFFFF."""
    if not 0 <= number <= 0xFFFFFFFF:
        raise PropertyError(f"{number} does not fit 32 bits")
    return struct.pack("<I", number)


def decode_number(value: bytes) -> int:
    """A DWORD. Raises PropertyError where it is not four octets."""
    if len(value) != 4:
        raise PropertyError(f"a number has four octets, this one {len(value)}")
    return int.from_bytes(value, "little")


def encode_enrollment(enrollment: Enrollment) -> bytes:
    """CERT_ENROLLMENT_PROP_ID: the request's id, then three strings, each after its length in characters with the NUL."""
    try:
        parts = [struct.pack("<i", enrollment.request_id)]
    except struct.error:
        raise PropertyError(f"request id {enrollment.request_id} does not fit 32 bits") from None
    for text in (enrollment.ca_dns_name, enrollment.ca_name, enrollment.friendly_name):
        encoded = encode_text(text)
        parts += [struct.pack("<I", len(encoded) // 2), encoded]
    return b"".join(parts)


def decode_enrollment(value: bytes) -> Enrollment:
    """What ``encode_enrollment`` and Windows write. Raises PropertyError where it ends early or goes on after the end."""
    if len(value) < 4:
        raise PropertyError("the enrollment property ends early")
    texts, offset = [], 4
    for _ in range(3):
        start = offset + 4
        offset = start + 2 * int.from_bytes(value[start - 4 : start], "little")
        if len(value) < max(start, offset):
            raise PropertyError("the enrollment property ends early")
        texts.append(decode_text(value[start:offset]))
    if offset != len(value):
        raise PropertyError(f"{len(value) - offset} octets follow the enrollment property")
    return Enrollment(struct.unpack_from("<i", value)[0], *texts)


def encode_archived(archived: bool) -> bytes | None:
    """CERT_ARCHIVED_PROP_ID is there, and empty, or is not there (None): there is no value for "not archived"."""
    return b"" if archived else None


def encode_backed_up(backed_up: bool, when: datetime) -> bytes:
    """CERT_BACKED_UP_PROP_ID: a VARIANT_BOOL (two octets, -1 for true) and a FILETIME. Raises PropertyError.

    Args:
        backed_up: whether there is a backup.
        when: when it was made, with a time zone.
    """
    ticks = (when - _EPOCH) // timedelta(microseconds=1) * 10
    try:
        return struct.pack("<hQ", -backed_up, ticks)
    except struct.error:
        raise PropertyError(f"{when} has no FILETIME") from None


def decode_backed_up(value: bytes) -> tuple[bool, datetime]:
    """(whether there is a backup, when it was made, UTC). Raises PropertyError."""
    try:
        flag, ticks = struct.unpack("<hQ", value)
        return bool(flag), _EPOCH + timedelta(microseconds=ticks // 10)
    except (struct.error, OverflowError):
        raise PropertyError("the backed-up property is a VARIANT_BOOL and a FILETIME, ten octets") from None


# Property id -> how its value is read. What has no entry is a blob and is its own value.
DECODERS: Final[Mapping[int, Callable[[bytes], Any]]] = {
    KEY_PROV_INFO: decode_key_info,
    int(ID.XCN_CERT_KEY_SPEC_PROP_ID): decode_number,
    FRIENDLY_NAME: decode_text,
    PVK_FILE: decode_text,
    DESCRIPTION: decode_text,
    AUTO_ENROLL: decode_text,
    ENROLLMENT: decode_enrollment,
    BACKED_UP: decode_backed_up,
    REQUEST_ORIGINATOR: decode_text,
}


def decode(property_id: int, value: bytes) -> Any:
    """The value of any property: decoded where its form is known, else the bytes themselves. Raises PropertyError."""
    decoder = DECODERS.get(property_id)
    return value if decoder is None else decoder(value)


def checked_id(property_id: int) -> int:
    """``property_id``, where it can be one. Raises PropertyError (E_INVALIDARG) outside 1..0xFFFF, as Windows does."""
    if not 1 <= property_id <= LAST_PROPERTY_ID:
        raise PropertyError(f"{property_id} is no property id; they go from 1 to 65535", hresult=0x80070057)
    return property_id
