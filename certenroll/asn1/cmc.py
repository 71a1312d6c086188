"""The parts that CMC requests and responses are made of (RFC 5272 section 3.2.1): controls, messages in messages, others.

Bytes to frozen values and back, octet for octet. Knows neither what a control means (``cmc_controls``) nor the two messages
(``cmc_requests``, ``cmc_responses``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from certenroll.asn1 import der
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.hresults import HRESULT

T = TypeVar("T")

PKI_DATA: Final = "1.3.6.1.5.5.7.12.2"
PKI_RESPONSE: Final = "1.3.6.1.5.5.7.12.3"

MAX_BODY_PART: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Control:
    """A TaggedAttribute.

    Attributes:
        body_part: its number in the message, 0 to 4294967295.
        oid: its type in dots.
        values: each a whole DER element, in the order in which they stand.
    """

    body_part: int
    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class NestedMessage:
    """A TaggedContentInfo: a message inside this one, whole and in DER."""

    body_part: int
    content: bytes


@dataclass(frozen=True, slots=True)
class OtherMessage:
    """An OtherMsg: a body of a type that CMC does not define, its value a whole DER element."""

    body_part: int
    oid: str
    value: bytes


def decode_body_part(data: bytes) -> int:
    """The number of a body part. Raises DecodeError (CRYPT_E_ASN1_CONSTRAINT) where it is out of range."""
    found = der.read_integer(data)
    if not 0 <= found <= MAX_BODY_PART:
        raise DecodeError(f"a body part is not numbered {found}", HRESULT.CRYPT_E_ASN1_CONSTRAINT)
    return found


def encode_body_part(number: int) -> bytes:
    """The INTEGER of a body part's number. Raises EncodeError where it is out of range."""
    if not 0 <= number <= MAX_BODY_PART:
        raise EncodeError(f"a body part is not numbered {number}", HRESULT.CRYPT_E_ASN1_CONSTRAINT)
    return der.integer(number)


def decode_sequence(data: bytes, decode: Callable[[bytes], T]) -> tuple[T, ...]:
    """SEQUENCE OF whatever ``decode`` reads. Raises DecodeError."""
    return tuple(decode(part) for part in der.children(data, der.SEQUENCE))


def encode_sequence(parts: Iterable[T], encode: Callable[[T], bytes]) -> bytes:
    """SEQUENCE OF whatever ``encode`` writes, in the order given. Raises EncodeError."""
    return der.sequence_of(encode(part) for part in parts)


def decode_control(data: bytes) -> Control:
    """Reads a TaggedAttribute. Raises DecodeError."""
    number, oid, values = parts_of(data, 3)
    return Control(decode_body_part(number), der.read_oid(oid), tuple(der.children(values, der.SET)))


def encode_control(control: Control) -> bytes:
    """DER of a TaggedAttribute, its values in the order they have. Raises EncodeError."""
    values = der.wrap(der.SET, b"".join(control.values))
    return der.sequence_of((encode_body_part(control.body_part), der.oid(control.oid), values))


def decode_nested(data: bytes) -> NestedMessage:
    """Reads a TaggedContentInfo; its content must be a SEQUENCE. Raises DecodeError."""
    number, content = parts_of(data, 2)
    der.contents(content, der.SEQUENCE)
    return NestedMessage(decode_body_part(number), content)


def encode_nested(message: NestedMessage) -> bytes:
    """DER of a TaggedContentInfo. Raises EncodeError."""
    return der.sequence_of((encode_body_part(message.body_part), message.content))


def decode_other(data: bytes) -> OtherMessage:
    """Reads an OtherMsg. Raises DecodeError."""
    number, oid, value = parts_of(data, 3)
    return OtherMessage(decode_body_part(number), der.read_oid(oid), value)


def encode_other(message: OtherMessage) -> bytes:
    """DER of an OtherMsg. Raises EncodeError."""
    return der.sequence_of((encode_body_part(message.body_part), der.oid(message.oid), message.value))


def parts_of(data: bytes, count: int) -> list[bytes]:
    """The elements of a SEQUENCE that has ``count`` of them. Raises DecodeError."""
    parts = der.children(data, der.SEQUENCE)
    if len(parts) != count:
        raise DecodeError(f"{count} parts belong here, not {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return parts
