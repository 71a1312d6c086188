"""DER, the ground of the codecs: one element in, one value out, and back.

Built on ``cryptography.hazmat.asn1``. What that cannot do (an element of any tag, BMPString, a SET in the order it came)
is done here and nowhere else. Knows the shape of encodings, and of no message more than the three types that all messages
share: AlgorithmIdentifier, Attribute and Extension.

    DecodeError                bytes that are not what they should be; .hresult says in which way
    EncodeError                a value that has no encoding
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.hazmat import asn1

from certenroll.hresults import HRESULT

T = TypeVar("T")
OID = x509.ObjectIdentifier
TLV = asn1.TLV

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
IA5_STRING: Final = 0x16
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31
NULL_DER: Final = b"\x05\x00"

# Windows reads the 8-bit string types without judging their alphabets, and so does this.
_STRING_CODECS: Final = {
    UTF8_STRING: "utf-8",
    0x12: "latin-1",  # NumericString
    PRINTABLE_STRING: "latin-1",
    0x14: "latin-1",  # T61String: in practice Latin-1, whatever the standard says
    IA5_STRING: "latin-1",
    0x1A: "latin-1",  # VisibleString
    0x1B: "latin-1",  # GeneralString
    0x1C: "utf-32-be",  # UniversalString
    BMP_STRING: "utf-16-be",
}

_PARSE_ERROR_CODES: Final = {
    "ShortData": HRESULT.CRYPT_E_ASN1_EOD,
    "ExtraData": HRESULT.CRYPT_E_ASN1_NOEOD,
    "InvalidLength": HRESULT.CRYPT_E_ASN1_CORRUPT,
    "InvalidValue": HRESULT.CRYPT_E_ASN1_CORRUPT,
    "InvalidSetOrdering": HRESULT.CRYPT_E_ASN1_RULE,
    "InvalidSize": HRESULT.CRYPT_E_ASN1_CONSTRAINT,
}

MAX_CHILDREN: Final = 100_000
_MAX_LENGTH_OCTETS: Final = 4


class DecodeError(ValueError):
    """Bytes that are not what they should be.

    Attributes:
        hresult: a CRYPT_E_ASN1_* code, unsigned; CRYPT_E_ASN1_BADTAG where nothing better is known.
    """

    def __init__(self, message: str, hresult: int = HRESULT.CRYPT_E_ASN1_BADTAG) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


class EncodeError(ValueError):
    """A value that has no encoding of the type asked for.

    Attributes:
        hresult: CRYPT_E_BAD_ENCODE, or the code of the string type that cannot hold the text.
    """

    def __init__(self, message: str, hresult: int = HRESULT.CRYPT_E_BAD_ENCODE) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@asn1.sequence
class AlgorithmIdentifier:
    """RFC 5280 section 4.1.1.2, as it stands on the wire."""

    algorithm: OID
    # An optional TLV alone is refused by hazmat.asn1; a choice that ends in one is not.
    parameters: asn1.Null | asn1.TLV | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a request or of a signer: its type in dots and its values, each a whole DER element."""

    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """An X.509 extension: its type in dots, whether it is critical, and the DER inside its OCTET STRING."""

    oid: str
    critical: bool
    value: bytes


def decode(cls: type[T], der: bytes | asn1.TLV) -> T:
    """The value that ``der`` holds, which must be all of it.

    Args:
        cls: a ``hazmat.asn1`` type: a class made by ``@asn1.sequence``, ``TLV``, ``int``, ``bytes``, ``str``, ``OID``.
        der: one DER element, or one that stands in a wire structure.

    Raises:
        DecodeError: the bytes end early, go on after the element, or are not of that type.
    """
    try:
        return der.parse(cls) if isinstance(der, asn1.TLV) else asn1.decode_der(cls, der)
    except ValueError as error:
        codes = [code for kind, code in _PARSE_ERROR_CODES.items() if kind in str(error)]
        raise DecodeError(str(error), *codes[:1]) from None


def encode(value: Any) -> bytes:
    """The DER of a ``hazmat.asn1`` value. Raises EncodeError where the value does not fit its type."""
    try:
        return asn1.encode_der(value)
    except ValueError as error:
        raise EncodeError(str(error)) from None


def tlv(der: bytes) -> asn1.TLV:
    """One ready-made element, to be put as it is into a wire structure. Raises DecodeError."""
    return decode(asn1.TLV, der)


def element(part: asn1.TLV) -> bytes:
    """The whole element, header and contents."""
    return asn1.encode_der(part)


def header(data: bytes, offset: int = 0, limit: int | None = None) -> tuple[int, int, int]:
    """Reads the header that stands at ``offset``.

    Args:
        data: any bytes.
        offset: where the element begins.
        limit: where the surrounding element ends; the end of the data where None.

    Returns:
        (tag, start of the contents, end of the contents). The tag is the number that its octets make, big-endian:
        0x30 for a SEQUENCE, and two or more octets for tag numbers above 30.

    Raises:
        DecodeError: the element does not end before ``limit``, or its length is not minimal and definite.
    """
    end = len(data) if limit is None else limit
    try:
        tag_value, length, start = data[offset], data[offset + 1], offset + 2
        if tag_value & 0x1F == 0x1F:
            tag_value, start = _long_tag(data, offset)
            length, start = data[start], start + 1
        if length >= 0x80:
            length, start = _long_length(data, start, length)
    except IndexError:
        raise DecodeError("the data ends within a header", HRESULT.CRYPT_E_ASN1_EOD) from None
    if start + length > end:
        raise DecodeError(f"{length} octets are announced at {offset}, and fewer follow", HRESULT.CRYPT_E_ASN1_EOD)
    return tag_value, start, start + length


def _long_tag(data: bytes, offset: int) -> tuple[int, int]:
    for position in range(offset + 1, offset + 4):
        if not data[position] & 0x80:
            return int.from_bytes(data[offset : position + 1], "big"), position + 1
    raise DecodeError("a tag of more than four octets")


def _long_length(data: bytes, start: int, first: int) -> tuple[int, int]:
    count = first & 0x7F
    if not 1 <= count <= _MAX_LENGTH_OCTETS:
        raise DecodeError("a length that is not definite, or above 4 GB", HRESULT.CRYPT_E_ASN1_CORRUPT)
    octets = data[start : start + count]
    length = int.from_bytes(octets, "big")
    if len(octets) < count:
        raise DecodeError("the data ends within a length", HRESULT.CRYPT_E_ASN1_EOD)
    if length < 0x80 or octets[0] == 0:
        raise DecodeError("a length that is not minimal", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return length, start + count


def tag(der: bytes) -> int:
    """The tag of the element that ``der`` begins with. Raises DecodeError where the header is damaged."""
    return header(der)[0]


def contents(der: bytes | asn1.TLV, expected: int | None = None) -> bytes:
    """What stands inside the one element that ``der`` is.

    Raises:
        DecodeError: another tag than ``expected`` (None allows any), data after the element, or too little of it.
    """
    part, der = (der, bytes(der.data)) if isinstance(der, asn1.TLV) else (None, der)
    found, start, end = header(der) if part is None else (int.from_bytes(part.tag_bytes, "big"), 0, len(der))
    if expected is not None and found != expected:
        raise DecodeError(f"tag 0x{found:02X} where 0x{expected:02X} belongs")
    if end != len(der):
        raise DecodeError(f"{len(der) - end} octets follow the element", HRESULT.CRYPT_E_ASN1_NOEOD)
    return der[start:end]


def elements(data: bytes) -> Iterator[bytes]:
    """The elements that stand one after the other in ``data``, in order. Raises DecodeError, while it is read."""
    offset, limit = 0, len(data)
    for _ in range(MAX_CHILDREN):
        if offset == limit:
            return
        _, _, end = header(data, offset, limit)
        yield data[offset:end]
        offset = end
    raise DecodeError(f"more than {MAX_CHILDREN} elements in one value", HRESULT.CRYPT_E_ASN1_LARGE)


def children(der: bytes, expected: int | None = None) -> list[bytes]:
    """The elements of one constructed value, in the order in which they stand.

    Raises:
        DecodeError: a primitive, another tag than ``expected``, damaged elements, or more than MAX_CHILDREN of them.
    """
    inside = contents(der, expected)
    if not der[0] & 0x20:
        raise DecodeError(f"tag 0x{der[0]:02X} has no elements")
    return list(elements(inside))


def wrap(tag_value: int, data: bytes) -> bytes:
    """``data`` as the contents of one element with the given tag."""
    size = len(data)
    head = tag_value.to_bytes(1 + (tag_value.bit_length() - 1) // 8, "big")
    if size < 0x80:
        return head + bytes((size,)) + data
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return head + bytes((0x80 | len(octets),)) + octets + data


def retag(der: bytes, tag_value: int) -> bytes:
    """The same contents under another one-octet tag (IMPLICIT tagging, and its removal)."""
    return bytes((tag_value,)) + der[1:]


def sequence_of(parts: Iterable[bytes]) -> bytes:
    """A SEQUENCE of ready-made elements, in the order given."""
    return wrap(SEQUENCE, b"".join(parts))


def set_of(parts: Iterable[bytes]) -> bytes:
    """A SET OF ready-made elements, sorted as DER wants it (X.690 section 11.6)."""
    return wrap(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """An INTEGER of any size and sign."""
    return encode(value)


def read_integer(der: bytes) -> int:
    """The value of an INTEGER. Raises DecodeError."""
    return decode(int, der)


def boolean(value: bool) -> bytes:
    """A BOOLEAN."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def read_boolean(der: bytes) -> bool:
    """The value of a BOOLEAN. Raises DecodeError where it is none in DER."""
    return decode(bool, der)


def oid(text: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form. Raises EncodeError (CRYPT_E_OID_FORMAT) where that is malformed."""
    try:
        return asn1.encode_der(OID(text))
    except ValueError:
        raise EncodeError(f"{text!r} is no object identifier", HRESULT.CRYPT_E_OID_FORMAT) from None


def read_oid(der: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER. Raises DecodeError."""
    return decode(OID, der).dotted_string


def octet_string(data: bytes) -> bytes:
    """An OCTET STRING."""
    return wrap(OCTET_STRING, data)


def read_octet_string(der: bytes) -> bytes:
    """The octets of an OCTET STRING. Raises DecodeError."""
    return contents(der, OCTET_STRING)


def bit_string(data: bytes, unused: int = 0) -> bytes:
    """A BIT STRING of whole octets, of which the last ``unused`` bits do not count."""
    return encode(asn1.BitString(data, unused))


def read_bit_string(der: bytes | asn1.TLV) -> tuple[bytes, int]:
    """(octets, number of unused bits in the last one, which need not be zero) of a BIT STRING. Raises DecodeError."""
    inside = contents(der, BIT_STRING)
    if not inside or inside[0] > 7 or (len(inside) == 1 and inside[0]):
        raise DecodeError("a malformed BIT STRING", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return inside[1:], inside[0]


def _string(tag_value: int, codec: str, text: str, code: int) -> bytes:
    try:
        return wrap(tag_value, text.encode(codec))
    except UnicodeEncodeError as error:
        raise EncodeError(f"character {error.start} of the text does not fit the string type", code) from None


def bmp_string(text: str) -> bytes:
    """A BMPString, in UTF-16: Windows writes characters beyond the BMP as surrogate pairs. Raises EncodeError."""
    return _string(BMP_STRING, "utf-16-be", text, HRESULT.CRYPT_E_BAD_ENCODE)


def ia5_string(text: str) -> bytes:
    """An IA5String. Raises EncodeError (CRYPT_E_INVALID_IA5_STRING) where the text is not ASCII."""
    return _string(IA5_STRING, "ascii", text, HRESULT.CRYPT_E_INVALID_IA5_STRING)


def utf8_string(text: str) -> bytes:
    """A UTF8String. Raises EncodeError on a lone surrogate."""
    return _string(UTF8_STRING, "utf-8", text, HRESULT.CRYPT_E_BAD_ENCODE)


def read_bmp_string(der: bytes) -> str:
    """The text of a BMPString. Raises DecodeError."""
    contents(der, BMP_STRING)
    return read_string(der)


def read_string(der: bytes) -> str:
    """The text of a string of any ASN.1 string type.

    Raises:
        DecodeError: another type (CRYPT_E_ASN1_BADTAG), or octets that its encoding does not have (CRYPT_E_ASN1_UTF8).
    """
    codec = _STRING_CODECS.get(der[0]) if der else None
    if codec is None:
        raise DecodeError("no string type")
    try:
        return contents(der).decode(codec)
    except UnicodeDecodeError:
        raise DecodeError(f"the string is no {codec} text", HRESULT.CRYPT_E_ASN1_UTF8) from None


def encode_attribute(attribute: Attribute, *, keep_order: bool = False) -> bytes:
    """An Attribute, its values sorted as DER wants it, or in the order they have. Raises EncodeError on a malformed type."""
    values = wrap(SET, b"".join(attribute.values)) if keep_order else set_of(attribute.values)
    return sequence_of((oid(attribute.oid), values))


def decode_attribute(der: bytes) -> Attribute:
    """Reads one Attribute; its values keep the order in which they came. Raises DecodeError."""
    parts = children(der, SEQUENCE)
    if len(parts) != 2:
        raise DecodeError(f"an attribute has a type and values, this one {len(parts)} parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return Attribute(read_oid(parts[0]), tuple(children(parts[1], SET)))


def encode_extensions(extensions: Iterable[Extension]) -> bytes:
    """SEQUENCE OF Extension, in the order given. Raises EncodeError on a malformed type."""
    return sequence_of(
        sequence_of((oid(one.oid), boolean(True) if one.critical else b"", octet_string(one.value))) for one in extensions
    )


def decode_extensions(der: bytes) -> tuple[Extension, ...]:
    """Reads SEQUENCE OF Extension, order and duplicates kept. Raises DecodeError."""
    return tuple(_decode_extension(one) for one in children(der, SEQUENCE))


def _decode_extension(der: bytes) -> Extension:
    parts = children(der, SEQUENCE)
    if len(parts) not in (2, 3):
        raise DecodeError(f"an extension has two or three parts, this one {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    critical = len(parts) == 3 and contents(parts[1], BOOLEAN) not in (b"", b"\x00")
    return Extension(read_oid(parts[0]), critical, read_octet_string(parts[-1]))
