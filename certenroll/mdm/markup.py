"""XML as management servers and people write it, within bounds: bytes to text, and text to plain elements.

A fragment is read as well as a document: several elements after each other, with text around them. What makes XML dangerous
never comes to pass: the text is read as the content of an element of ours, where a DOCTYPE cannot stand, so that no entity
can be declared. The parser is the standard library's expat, which fetches nothing. Knows no SyncML.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from certenroll.hresults import HRESULT

_AROUND: Final = "fragment"
_DECLARATION: Final = re.compile(r"\A([^<]*)<\?xml\s[^>]*\?>")
_DECLARED: Final = re.compile(rb"\A[^<]*<\?xml\s[^>]*\bencoding\s*=\s*[\"']([^\"'<>]{1,40})[\"'][^>]*\?>")
_LONGEST_NAME: Final = 512  # characters, its namespace included; it stands in replies and errors
_WBXML: Final = (b"\x01", b"\x02", b"\x03")  # the version that a WBXML document begins with
# The longest marks first: UTF-32's begins as UTF-16's does.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, ""),
    (codecs.BOM_UTF32_BE, ""),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED: Final = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
# A declaration that could be read byte by byte is none of UTF-16's, whatever it says: a program that had the text in
# UTF-16 saved it as UTF-8.
_ENCODINGS: Final = {
    **dict.fromkeys(("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be", "unicode", "us-ascii", "ascii"), "utf-8"),
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1"), "iso-8859-1"),
    **dict.fromkeys(("windows-1252", "cp1252"), "windows-1252"),
}


class SyncMLError(ValueError):
    """What was given is no SyncML message that can be read.

    Attributes:
        hresult: WIN32_INVALID_DATA, unsigned.
    """

    def __init__(self, reason: str) -> None:
        self.hresult: Final = int(HRESULT.WIN32_INVALID_DATA)
        super().__init__(reason)


@dataclass(frozen=True)
class Limits:
    """How much of a message is read.

    Attributes:
        size: bytes of the message.
        depth: elements within each other.
        elements: elements in all.
        commands: commands in all; each further Item of a command counts as one.
    """

    size: int = 8 * 1024 * 1024
    depth: int = 32
    elements: int = 50_000
    commands: int = 2_000


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        namespace: its namespace, or "".
        name: its name without a prefix.
        line: where it begins.
        children: the elements within it.
        text: the characters directly within it, CDATA among them; no comment, no processing instruction.
    """

    namespace: str
    name: str
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = field(default="", repr=False)  # may be a password


def text_of(data: bytes, limits: Limits) -> str:
    """The characters of a message, without a byte order mark and without an XML declaration.

    Args:
        data: in UTF-8, UTF-16, ISO 8859-1 or Windows-1252, as a byte order mark or the XML declaration says; else UTF-8.
        limits: ``size`` of them.

    Raises:
        SyncMLError: it is too large, empty, WBXML, in another encoding, or not in the one that it names.
    """
    if len(data) > limits.size:
        raise SyncMLError(f"the message is larger than {limits.size} bytes")
    if not data.strip():
        raise SyncMLError("the message is empty")
    if data.startswith(_WBXML):
        raise SyncMLError("the message is WBXML, the binary form of SyncML; only XML is read")
    mark, encoding = _encoding(data)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:  # that error would carry the message along
        raise SyncMLError(f"the message is not {encoding}, which it should be: byte {error.start} does not fit") from None
    return _DECLARATION.sub(r"\1", text, count=1)


def _encoding(data: bytes) -> tuple[bytes, str]:
    """The byte order mark and Python's name of the encoding."""
    mark, marked = next((one for one in _MARKS if data.startswith(one[0])), (b"", ""))
    if mark and not marked:
        raise SyncMLError("the message is UTF-32; UTF-8 and UTF-16 are read")
    found = _DECLARED.match(data[:4096])
    declared = found[1].decode("latin-1") if found else "utf-8"
    encoding = marked or _UNMARKED.get(data[:2]) or _ENCODINGS.get(declared.lower())
    if encoding is None:
        raise SyncMLError(f"the message says that it is in {declared!r}; UTF-8 and UTF-16 are read")
    return mark, encoding


def read_elements(text: str, limits: Limits) -> list[Element]:
    """The elements of a document or a fragment that stand in no other.

    Args:
        text: without a byte order mark and an XML declaration.
        limits: ``depth`` and ``elements`` of them.

    Raises:
        SyncMLError: it is not well-formed, has a DOCTYPE or entities of its own, or more than the limits allow.
    """
    builder = _Builder(limits)
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda tag, _: builder.start(tag, parser.CurrentLineNumber)
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        data = f"<{_AROUND}>{text}</{_AROUND}>".encode()
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise SyncMLError(_why(error, data, parser.ErrorByteIndex)) from None
    except UnicodeEncodeError:
        raise SyncMLError("the message has half of a character") from None
    return builder.around.children


class _Builder:
    """What expat calls while it reads; raises as soon as a limit is passed."""

    def __init__(self, limits: Limits) -> None:
        self.around = Element("", "", 0)
        self._limits = limits
        self._open = [self.around]
        self._texts: list[list[str]] = [[]]
        self._count = -1  # the element around is none of the message's

    def start(self, tag: str, line: int) -> None:
        self._count += 1
        if self._count > self._limits.elements:
            raise SyncMLError(f"line {line}: the message has more than {self._limits.elements} elements")
        if self._count and len(self._open) > self._limits.depth:
            raise SyncMLError(f"line {line}: the message has more than {self._limits.depth} elements within each other")
        if len(tag) > _LONGEST_NAME:
            raise SyncMLError(f"line {line}: the name of an element is longer than {_LONGEST_NAME} characters")
        if self._count:
            namespace, _, name = tag.rpartition(" ")
            made = Element(namespace, name, line)
            self._open[-1].children.append(made)
            self._open.append(made)
            self._texts.append([])

    def end(self, _tag: str) -> None:
        if len(self._open) > 1:
            self._open.pop().text = "".join(self._texts.pop())

    def characters(self, data: str) -> None:
        if len(self._open) > 1:  # what stands around the elements is not kept
            self._texts[-1].append(data)


def _why(error: expat.ExpatError, data: bytes, at: int) -> str:
    # Within an element expat knows no DOCTYPE; it stops at its first characters, or right behind them.
    if data[max(at - 2, 0) : at + 9].find(b"<!DOCTYPE") >= 0:
        return f"line {error.lineno}: the message has a DOCTYPE, which no SyncML message needs; take it out"
    if error.code == expat.errors.codes[expat.errors.XML_ERROR_UNDEFINED_ENTITY]:
        return f"line {error.lineno}: the message names an entity that XML does not know; write the character itself"
    return f"line {error.lineno}: no well-formed XML: {expat.ErrorString(error.code)}"
