"""One value in several encodings: which octets a text or a byte string stands for, and how it spells them.

For values that are DER or as long: what is shorter may be equal by chance. Knows neither runs nor ports.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from certenroll.errors import ComError

_SHORTEST: Final = 24  # octets
_ANY: Final = EncodingType.XCN_CRYPT_STRING_ANY
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_HEX_RAW: Final = EncodingType.XCN_CRYPT_STRING_HEXRAW
_HEX_DIGITS: Final = re.compile(r"[0-9A-Fa-f\s]+")
_TEXTS: Final = (
    EncodingType.XCN_CRYPT_STRING_BASE64,
    EncodingType.XCN_CRYPT_STRING_BASE64HEADER,
    EncodingType.XCN_CRYPT_STRING_BASE64REQUESTHEADER,
    EncodingType.XCN_CRYPT_STRING_BASE64X509CRLHEADER,
    _HEX_RAW,
)


@dataclass(frozen=True)
class Spelling:
    """How a value spells its octets.

    Attributes:
        octets: what it stands for.
        encoding: the EncodingType that it is in.
    """

    octets: bytes
    encoding: EncodingType


def spellings(value: str | bytes) -> Iterator[Spelling]:
    """The ways to understand a value, the likeliest first; none where it is short, or in no encoding that can be written."""
    if isinstance(value, bytes):
        if len(value) >= _SHORTEST:
            yield Spelling(value, _BINARY)
        return
    for octets in _decoded(value):
        encoding = _encoding_of(octets, value)
        if encoding is not None and len(octets) >= _SHORTEST:
            yield Spelling(octets, encoding)
    if len(value) * 2 >= _SHORTEST and not value.isascii():
        yield Spelling(value.encode("utf-16-le", "surrogatepass"), _BINARY)  # the bytes of a string of automation


def octets_in(value: str | bytes) -> bytes:
    """The octets that a value of any length may stand for: its own, or those that a text has in hex or base64; else b""."""
    return value if isinstance(value, bytes) else next(iter(_decoded(value)), b"")


def _decoded(text: str) -> Iterator[bytes]:
    """What a text is in hex, with a header, or in base64."""
    if "-----" in text:
        try:
            yield decode_text(text, _ANY)
        except ComError:
            return
        return
    plain = "".join(text.split())
    if not plain or not plain.isascii():
        return
    if _HEX_DIGITS.fullmatch(plain) and len(plain) % 2 == 0:
        yield bytes.fromhex(plain)
    try:
        yield base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return


def _encoding_of(octets: bytes, text: str) -> EncodingType | None:
    """The encoding by which a text spells octets, but for its line ends and the case of its digits; None for another."""
    plain = "".join(text.split())
    for encoding in _TEXTS:
        written = "".join(str(encode_text(octets, encoding)).split())
        if written == plain or (encoding == _HEX_RAW and written.lower() == plain.lower()):
            return encoding
    return None
