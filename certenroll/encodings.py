"""Bytes as text and back: the formats of EncodingType, as CryptBinaryToString writes and CryptStringToBinary reads them.

Knows bytes and characters; nothing of certificates beyond the words that stand in their headers, and no COM.
Where Microsoft's pages are silent, docs/analysis/encodings.md says what was chosen.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Container, Iterator
from typing import Final, Literal

from certenroll.enums import EncodingType
from certenroll.hresults import HRESULT

Kind = Literal["certificate", "request", "crl"]


class BadText(ValueError):
    """A text that is not of the encoding it was said to have."""

    def __init__(self, message: str) -> None:
        self.hresult: Final = int(HRESULT.WIN32_INVALID_DATA)
        super().__init__(message)


class UnknownEncoding(ValueError):
    """An EncodingType that names no format, or a format that only reading or only writing has."""

    def __init__(self, encoding: int, direction: str) -> None:
        self.hresult: Final = int(HRESULT.E_INVALIDARG)
        super().__init__(f"no text can be {direction} as EncodingType 0x{encoding:X}")


def encode_text(data: bytes, encoding: int, *, kind: Kind = "certificate") -> str | bytes:
    """``data`` in one of the formats of EncodingType.

    Args:
        data: any bytes.
        encoding: a format, with the flags NOCRLF, NOCR and PERCENTESCAPE where wanted. STRICT is let through.
        kind: what ``data`` is, for the words in a header that the format leaves open (BASE64HEADER).

    Returns:
        ``data`` itself for BINARY; text for every other format, its last line ended as the others are.

    Raises:
        UnknownEncoding: (E_INVALIDARG) there is no such format, it is one that only reading has (the ANY formats),
            or a flag without a documented meaning is set.

    Source: the pages of CryptBinaryToString and EncodingType.
    """
    if encoding & _FORMAT_MASK == EncodingType.XCN_CRYPT_STRING_BINARY:
        return data
    wanted, newline = _checked(encoding, _WRITERS, "written"), _newline_of(encoding)
    text = _WRITERS[wanted](data, newline, kind)
    return _percent_escaped(text) if encoding & EncodingType.XCN_CRYPT_STRING_PERCENTESCAPE else text


def decode_text(text: str | bytes, encoding: int) -> bytes:
    """The bytes that stand in ``text``.

    Args:
        text: what a script passed. For BINARY (and the last resort of ANY) bytes stand for themselves, and a string for
            its UTF-16LE code units, the bytes that a BSTR holds. For every other format bytes are read as text.
        encoding: a format of EncodingType, with the flags STRICT and PERCENTESCAPE where wanted.

    Raises:
        BadText: (0x8007000D) ``text`` is not of that format.
        UnknownEncoding: (E_INVALIDARG) there is no such format, or a flag without a documented meaning is set.

    Source: the pages of CryptStringToBinary and EncodingType.
    """
    wanted = _checked(encoding, _ATTEMPTS, "read")
    strict = bool(encoding & EncodingType.XCN_CRYPT_STRING_STRICT) or isinstance(text, bytes)
    characters = _characters(text)
    if encoding & EncodingType.XCN_CRYPT_STRING_PERCENTESCAPE:
        characters = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), characters)
    for attempt in _ATTEMPTS[wanted]:
        if attempt == EncodingType.XCN_CRYPT_STRING_BINARY:
            return text if isinstance(text, bytes) else text.encode("utf-16-le", "surrogatepass")
        found = _READERS[attempt](characters, strict)
        if found is not None:
            return found
    raise BadText(f"the text is not {EncodingType(wanted).name or wanted}{_hint(characters, wanted)}")


_FORMAT_MASK: Final = int(EncodingType.XCN_CRYPT_STRING_ENCODEMASK)
_KNOWN_FLAGS: Final = int(
    EncodingType.XCN_CRYPT_STRING_PERCENTESCAPE
    | EncodingType.XCN_CRYPT_STRING_STRICT
    | EncodingType.XCN_CRYPT_STRING_NOCRLF
    | EncodingType.XCN_CRYPT_STRING_NOCR
)
_LABELS: Final[dict[Kind, str]] = {
    "certificate": "CERTIFICATE",
    "request": "NEW CERTIFICATE REQUEST",
    "crl": "X509 CRL",
}
_BYTES_IN_LINE: Final = 16
_HEX_WIDTH: Final = 3 * _BYTES_IN_LINE  # the column of digits: 16 pairs, 15 gaps, and one more in the middle
_ESCAPE: Final = re.compile("%([0-9A-Fa-f]{2})")
_IGNORED_AT_START: Final = "\ufeff\u200e"  # a byte order mark; the mark that a thumbprint copied from a dialog begins with


def _checked(encoding: int, formats: Container[int], direction: str) -> int:
    number = encoding & 0xFFFFFFFF
    if number & ~(_FORMAT_MASK | _KNOWN_FLAGS) or number & _FORMAT_MASK not in formats:
        raise UnknownEncoding(number, direction)
    return number & _FORMAT_MASK


def _newline_of(encoding: int) -> str:
    if encoding & EncodingType.XCN_CRYPT_STRING_NOCRLF:
        return ""
    return "\n" if encoding & EncodingType.XCN_CRYPT_STRING_NOCR else "\r\n"


def _characters(text: str | bytes) -> str:
    if isinstance(text, str):
        return text.lstrip(_IGNORED_AT_START)
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF8, "utf-8")):
        if text.startswith(mark):
            return text[len(mark) :].decode(codec, "replace")
    return text.decode("latin-1")


def _hint(characters: str, wanted: int) -> str:
    if wanted == EncodingType.XCN_CRYPT_STRING_BASE64 and "-----BEGIN" in characters:
        return "; it has a header: read it as XCN_CRYPT_STRING_BASE64_ANY (6)"
    return ""


# Writing

_Writer = Callable[[bytes, str, Kind], str]


def _write_base64(data: bytes, newline: str, _kind: Kind = "certificate") -> str:
    digits = base64.b64encode(data).decode("ascii")
    return "".join(digits[at : at + 64] + newline for at in range(0, len(digits), 64))


def _with_header(label: str | None) -> _Writer:
    def write(data: bytes, newline: str, kind: Kind) -> str:
        name = label or _LABELS[kind]
        return f"-----BEGIN {name}-----{newline}{_write_base64(data, newline)}-----END {name}-----{newline}"

    return write


def _hex_lines(address: bool, characters: bool) -> _Writer:
    def write(data: bytes, newline: str, _kind: Kind) -> str:
        lines = []
        for at in range(0, len(data), _BYTES_IN_LINE):
            row = data[at : at + _BYTES_IN_LINE]
            digits = f"{row[:8].hex(' ')}  {row[8:].hex(' ')}".rstrip()
            shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
            lines.append(f"{at:04x}  " * address + (f"{digits:{_HEX_WIDTH}}   {shown}" if characters else digits))
        between = newline or ("\r\n" if address or characters else " ")  # columns mean nothing within one line
        return between.join(lines) + newline * bool(lines)

    return write


def _write_hex_raw(data: bytes, newline: str, _kind: Kind) -> str:
    return data.hex() + newline


def _write_base64_uri(data: bytes, _newline: str, _kind: Kind) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _percent_escaped(text: str) -> str:
    return text.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


_WRITERS: Final[dict[int, _Writer]] = {
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER: _with_header(None),
    EncodingType.XCN_CRYPT_STRING_BASE64: _write_base64,
    EncodingType.XCN_CRYPT_STRING_BASE64REQUESTHEADER: _with_header(_LABELS["request"]),
    EncodingType.XCN_CRYPT_STRING_HEX: _hex_lines(address=False, characters=False),
    EncodingType.XCN_CRYPT_STRING_HEXASCII: _hex_lines(address=False, characters=True),
    EncodingType.XCN_CRYPT_STRING_BASE64X509CRLHEADER: _with_header(_LABELS["crl"]),
    EncodingType.XCN_CRYPT_STRING_HEXADDR: _hex_lines(address=True, characters=False),
    EncodingType.XCN_CRYPT_STRING_HEXASCIIADDR: _hex_lines(address=True, characters=True),
    EncodingType.XCN_CRYPT_STRING_HEXRAW: _write_hex_raw,
    EncodingType.XCN_CRYPT_STRING_BASE64URI: _write_base64_uri,
}

# Reading: a reader gives None where the text is not of its format

_Reader = Callable[[str, bool], bytes | None]
_ENVELOPE: Final = re.compile(r"-----BEGIN [^\r\n]*?-----(.*?)-----END [^\r\n]*?-----", re.DOTALL)
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_ADDRESS: Final = re.compile(r"\s*[0-9A-Fa-f]{4,8}:?[ \t]+(?=[0-9A-Fa-f]{2}(?![0-9A-Fa-f]))")
_PAIRS: Final = re.compile(r"\s*([0-9A-Fa-f]{2}(?:[ \t-]{1,2}[0-9A-Fa-f]{2}){0,15})(?=[ \t]{3}|\s*$)")


def _read_base64(text: str, strict: bool) -> bytes | None:
    packed = "".join(text.split())
    stop = _NOT_BASE64.search(packed)
    digits, rest = (packed[: stop.start()], packed[stop.start() :]) if stop is not None else (packed, "")
    padded = rest.startswith("=") and (not strict or rest in ("=", "==", "==="))
    if (rest and not padded) or len(digits) % 4 == 1:
        return None
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _read_envelope(text: str, _strict: bool) -> bytes | None:
    found = _ENVELOPE.search(text)
    return _read_base64(found[1], True) if found is not None else None


def _read_base64_uri(text: str, strict: bool) -> bytes | None:
    return None if set(text) & set("+/") else _read_base64(text.replace("-", "+").replace("_", "/"), strict)


def _read_hex(text: str, _strict: bool) -> bytes | None:
    try:
        return binascii.unhexlify("".join(text.split()))
    except ValueError:
        return None


def _columns(address: bool, characters: bool) -> _Reader:
    def read(text: str, _strict: bool) -> bytes | None:
        rows = list(_rows(text, address, characters))
        return None if None in rows else b"".join(row for row in rows if row is not None)

    return read


def _rows(text: str, address: bool, characters: bool) -> Iterator[bytes | None]:
    for line in re.split(r"\r\n|\r|\n", text):
        if not line.strip():
            continue
        prefix = _ADDRESS.match(line)
        if (prefix is not None) != address:
            yield None
            return
        found = _PAIRS.match(line, prefix.end() if prefix is not None else 0)
        if found is None or (line[found.end() :].strip() and not characters):
            yield None
            return
        yield bytes.fromhex(found[1].replace("-", " "))


_READERS: Final[dict[int, _Reader]] = {
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER: _read_envelope,
    EncodingType.XCN_CRYPT_STRING_BASE64: _read_base64,
    EncodingType.XCN_CRYPT_STRING_HEX: _read_hex,
    EncodingType.XCN_CRYPT_STRING_HEXASCII: _columns(address=False, characters=True),
    EncodingType.XCN_CRYPT_STRING_HEXADDR: _columns(address=True, characters=False),
    EncodingType.XCN_CRYPT_STRING_HEXASCIIADDR: _columns(address=True, characters=True),
    EncodingType.XCN_CRYPT_STRING_BASE64URI: _read_base64_uri,
}

# A format -> the readers to try, in Microsoft's order. A header of any wording is a header. Of the two orders that
# Microsoft gives for HEX_ANY the one with HEXASCII before HEX is taken: the column of characters may be digits too.
_ATTEMPTS: Final[dict[int, tuple[int, ...]]] = {
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER: (EncodingType.XCN_CRYPT_STRING_BASE64HEADER,),
    EncodingType.XCN_CRYPT_STRING_BASE64: (EncodingType.XCN_CRYPT_STRING_BASE64,),
    EncodingType.XCN_CRYPT_STRING_BINARY: (EncodingType.XCN_CRYPT_STRING_BINARY,),
    EncodingType.XCN_CRYPT_STRING_BASE64REQUESTHEADER: (EncodingType.XCN_CRYPT_STRING_BASE64HEADER,),
    EncodingType.XCN_CRYPT_STRING_HEX: (EncodingType.XCN_CRYPT_STRING_HEX,),
    EncodingType.XCN_CRYPT_STRING_HEXASCII: (EncodingType.XCN_CRYPT_STRING_HEXASCII,),
    EncodingType.XCN_CRYPT_STRING_BASE64_ANY: (
        EncodingType.XCN_CRYPT_STRING_BASE64HEADER,
        EncodingType.XCN_CRYPT_STRING_BASE64,
    ),
    EncodingType.XCN_CRYPT_STRING_ANY: (
        EncodingType.XCN_CRYPT_STRING_BASE64HEADER,
        EncodingType.XCN_CRYPT_STRING_BASE64,
        EncodingType.XCN_CRYPT_STRING_BINARY,
    ),
    EncodingType.XCN_CRYPT_STRING_HEX_ANY: (
        EncodingType.XCN_CRYPT_STRING_HEXADDR,
        EncodingType.XCN_CRYPT_STRING_HEXASCIIADDR,
        EncodingType.XCN_CRYPT_STRING_HEXASCII,
        EncodingType.XCN_CRYPT_STRING_HEX,
    ),
    EncodingType.XCN_CRYPT_STRING_BASE64X509CRLHEADER: (EncodingType.XCN_CRYPT_STRING_BASE64HEADER,),
    EncodingType.XCN_CRYPT_STRING_HEXADDR: (EncodingType.XCN_CRYPT_STRING_HEXADDR,),
    EncodingType.XCN_CRYPT_STRING_HEXASCIIADDR: (EncodingType.XCN_CRYPT_STRING_HEXASCIIADDR,),
    EncodingType.XCN_CRYPT_STRING_HEXRAW: (EncodingType.XCN_CRYPT_STRING_HEX,),
    EncodingType.XCN_CRYPT_STRING_BASE64URI: (EncodingType.XCN_CRYPT_STRING_BASE64URI,),
}
