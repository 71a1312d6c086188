"""The encodings of text files as Windows names them, and the bytes that begin such a file. Knows no file.

The ANSI code page is that of Western Europe, in which every byte is a character: the five that cp1252 leaves open are the
control characters of their number, as on Windows.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Final

ANSI: Final = "cp1252"
_OPEN: Final = "xenroll_open_characters"


@dataclass(frozen=True)
class Encoding:
    """An encoding, by its name in Python, and the mark at the head of a file."""

    name: str
    mark: bytes = b""

    def decode(self, data: bytes) -> str:
        """The text of a file's bytes, its mark left out. Raises UnicodeError for what is no text in it."""
        return data.removeprefix(self.mark).decode(self.name, _OPEN)

    def encode(self, text: str) -> bytes:
        """The bytes of a text, without a mark. Raises UnicodeError for a character that it does not have."""
        return text.encode(self.name, _OPEN)


def _open_characters(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeDecodeError) and error.encoding in ("charmap", ANSI):
        return "".join(chr(byte) for byte in error.object[error.start : error.end]), error.end
    if isinstance(error, UnicodeEncodeError) and error.encoding in ("charmap", ANSI):
        wanted = error.object[error.start : error.end]
        if all(0x80 <= ord(character) <= 0x9F for character in wanted):
            return bytes(map(ord, wanted)), error.end
    if isinstance(error, UnicodeDecodeError):
        return "\ufffd", error.end
    raise error


codecs.register_error(_OPEN, _open_characters)

ANSI_TEXT: Final = Encoding(ANSI)
UNICODE_TEXT: Final = Encoding("utf-16-le", codecs.BOM_UTF16_LE)
# The name that scripts give a charset, in lower case -> the encoding. Others go by Python's name for them.
CHARSETS: Final[dict[str, Encoding]] = {
    "unicode": UNICODE_TEXT,
    "utf-16": UNICODE_TEXT,
    "utf-16le": UNICODE_TEXT,
    "unicodefffe": Encoding("utf-16-be", codecs.BOM_UTF16_BE),
    "utf-8": Encoding("utf-8", codecs.BOM_UTF8),
    "windows-1252": ANSI_TEXT,
    "iso-8859-1": ANSI_TEXT,
    "us-ascii": Encoding("ascii"),
    "ascii": Encoding("ascii"),
    "x-ansi": ANSI_TEXT,
}


def charset(name: str) -> Encoding:
    """The encoding of a charset's name. Raises LookupError where there is none."""
    found = CHARSETS.get(name.strip().lower())
    if found is not None:
        return found
    known = codecs.lookup(name.strip())
    if not getattr(known, "_is_text_encoding", True):
        raise LookupError(f"{name} is no encoding of text")
    return Encoding(known.name)
