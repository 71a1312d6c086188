"""BER to DER: what lax writers send, in the one form that the codecs read.

Resolves indefinite lengths, lengths that are longer than need be, and strings sent in pieces. Knows the structure of
encodings and no message; leaves the order of a SET, and every value that is not a string, as it came, so that a signature
made over DER still fits.
"""

from typing import Final

from certenroll.asn1.der import DecodeError, wrap
from certenroll.hresults import HRESULT

MAX_DEPTH: Final = 64
MAX_SIZE: Final = 64 * 1024 * 1024

_BIT_STRING: Final = 3
_OCTET_STRING: Final = 4
# The string types, and the two times, which are strings to BER (X.690 sections 8.6, 8.7, 8.23 and 8.25).
_STRING_NUMBERS: Final = frozenset((_BIT_STRING, _OCTET_STRING, 12, *range(18, 31)))
_END_OF_CONTENTS: Final = b"\x00\x00"

_Element = tuple[int, bytes, int]  # tag, contents in DER, offset after the element


def to_der(data: bytes) -> bytes:
    """The DER of one BER element; DER comes back as it is.

    What a context tag hides is not known here: the encryptedContent of an EncryptedContentInfo, [0] IMPLICIT OCTET STRING
    in pieces, is recognised by its neighbours (OID, SEQUENCE) and joined; any other tagged string in pieces is left so.

    Args:
        data: one BER element and nothing after it.

    Returns:
        the same value with definite, minimal lengths and strings in one piece. SET OF is not sorted.

    Raises:
        DecodeError: the data ends early, goes on after the element, nests deeper than MAX_DEPTH, is larger than MAX_SIZE,
            or holds a string whose pieces are of another type.
    """
    if len(data) > MAX_SIZE:
        raise DecodeError(f"more than {MAX_SIZE} octets", HRESULT.CRYPT_E_ASN1_LARGE)
    tag, contents, end = _element(data, 0, len(data), 0)
    if end != len(data):
        raise DecodeError(f"{len(data) - end} octets follow the element", HRESULT.CRYPT_E_ASN1_NOEOD)
    return wrap(tag, contents)


def _element(data: bytes, offset: int, limit: int, depth: int) -> _Element:
    tag, first, start, length = _header(data, offset, limit)
    if not first & 0x20:
        if length is None:
            raise DecodeError("a primitive element of indefinite length", HRESULT.CRYPT_E_ASN1_CORRUPT)
        return tag, data[start : start + length], start + length
    if depth >= MAX_DEPTH:
        raise DecodeError(f"elements nest deeper than {MAX_DEPTH}", HRESULT.CRYPT_E_ASN1_LARGE)
    parts, end = _parts(data, start, None if length is None else start + length, limit, depth + 1)
    number = tag & 0x1F
    if first & 0xC0 == 0 and number in _STRING_NUMBERS:
        return number, _joined(number, parts), end
    if tag == 0x30:
        _join_encrypted_content(data, parts)
    return tag, b"".join(wrap(part[0], part[1]) for part in parts), end


def _parts(data: bytes, offset: int, stop: int | None, limit: int, depth: int) -> tuple[list[_Element], int]:
    """The elements up to ``stop``, or up to the end-of-contents octets where that is None."""
    parts: list[_Element] = []
    while True:
        if stop is None and data[offset : offset + 2] == _END_OF_CONTENTS and offset + 2 <= limit:
            return parts, offset + 2
        if offset == stop:
            return parts, offset
        part = _element(data, offset, limit if stop is None else stop, depth)
        parts.append(part)
        offset = part[2]


def _joined(number: int, parts: list[_Element]) -> bytes:
    """The contents of a string from those of its pieces, which are already primitive."""
    if any(tag not in (number, _OCTET_STRING) for tag, _, _ in parts):
        raise DecodeError("a string with pieces of another type")
    pieces = [contents for _, contents, _ in parts]
    return _joined_bits(pieces) if number == _BIT_STRING else b"".join(pieces)


def _joined_bits(pieces: list[bytes]) -> bytes:
    if not all(pieces) or any(piece[0] for piece in pieces[:-1]):
        raise DecodeError("a BIT STRING whose pieces do not fit together", HRESULT.CRYPT_E_ASN1_CORRUPT)
    unused = pieces[-1][:1] if pieces else b"\x00"
    return unused + b"".join(piece[1:] for piece in pieces)


def _join_encrypted_content(data: bytes, parts: list[_Element]) -> None:
    """Joins the third part of (OID, SEQUENCE, [0] of OCTET STRINGs) where it can only be a string in pieces.

    One piece under a definite length may as well be an explicit tag, and stays.
    """
    if [part[0] for part in parts] != [0x06, 0x30, 0xA0]:
        return
    _, contents, end = parts[2]
    inner, _ = _parts(contents, 0, len(contents), len(contents), 0)
    indefinite = data[parts[1][2] + 1] == 0x80
    if all(part[0] == _OCTET_STRING for part in inner) and (indefinite or len(inner) > 1):
        parts[2] = (0x80, b"".join(part[1] for part in inner), end)


def _header(data: bytes, offset: int, limit: int) -> tuple[int, int, int, int | None]:
    """(tag as der.header gives it, first octet, start of the contents, length or None where indefinite)."""
    if limit - offset < 2:
        raise DecodeError("the data ends within a header", HRESULT.CRYPT_E_ASN1_EOD)
    tag = first = data[offset]
    start = offset + 1
    if first & 0x1F == 0x1F:
        tag, start = _long_tag(data, offset, limit)
    if first == 0:
        raise DecodeError("end-of-contents octets where an element belongs", HRESULT.CRYPT_E_ASN1_CORRUPT)
    length, start = _length(data, start, limit)
    if length is not None and start + length > limit:
        raise DecodeError(f"the element at {offset} announces more octets than follow", HRESULT.CRYPT_E_ASN1_EOD)
    return tag, first, start, length


def _long_tag(data: bytes, offset: int, limit: int) -> tuple[int, int]:
    for position in range(offset + 1, min(offset + 4, limit)):
        if not data[position] & 0x80:
            return int.from_bytes(data[offset : position + 1], "big"), position + 1
    raise DecodeError("a tag without an end, or of more than four octets", HRESULT.CRYPT_E_ASN1_CORRUPT)


def _length(data: bytes, start: int, limit: int) -> tuple[int | None, int]:
    if start >= limit:
        raise DecodeError("the data ends within a header", HRESULT.CRYPT_E_ASN1_EOD)
    first = data[start]
    if first < 0x80:
        return first, start + 1
    if first == 0x80:
        return None, start + 1
    end = start + 1 + (first & 0x7F)
    if end > limit:
        raise DecodeError("the data ends within a length", HRESULT.CRYPT_E_ASN1_EOD)
    return int.from_bytes(data[start + 1 : end], "big"), end
