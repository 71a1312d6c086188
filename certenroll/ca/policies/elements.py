"""XML within bounds: reading a document into plain elements, and writing elements as text. Knows no schema.

What makes XML dangerous is refused before it is acted upon: a DOCTYPE, entities of its own, too many bytes or elements, too
deep a nesting. The parser is the standard library's expat, which fetches nothing by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

from certenroll.hresults import HRESULT

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_ELEMENTS: Final = 100_000
MAX_DEPTH: Final = 32
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NIL: Final = (f"{XSI} nil", "nil")  # the examples of MS-XCEP section 4.1.1.2 have it with and without its namespace
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class PolicyDocumentError(ValueError):
    """A policy document that cannot be read or written.

    Attributes:
        hresult: WIN32_INVALID_DATA, unsigned.
        reason: what is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.hresult: Final = int(HRESULT.WIN32_INVALID_DATA)
        self.reason: Final = reason
        super().__init__(f"policy document: {reason}")


@dataclass
class Element:
    """One element.

    Attributes:
        namespace: its namespace, or "".
        name: its name without a prefix.
        attributes: by name; one in a namespace is ``namespace name``.
        children: the elements within it.
        line: where it begins.
        text: the characters directly within it.
    """

    namespace: str
    name: str
    attributes: Mapping[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    @property
    def is_nil(self) -> bool:
        """Whether it says of itself that it has no value (xsi:nil)."""
        return any(self.attributes.get(name, "").strip() in ("true", "1") for name in _NIL)

    def all(self, name: str) -> Iterator[Element]:
        """The children of that name and of this element's own namespace."""
        return (child for child in self.children if child.name == name and child.namespace == self.namespace)

    def child(self, name: str) -> Element | None:
        """The one child of that name, or None where it is absent or nil.

        Raises:
            PolicyDocumentError: there are two.
        """
        return self._single(name, list(self.all(name)))

    def foreign(self, namespace: str, name: str) -> Element | None:
        """The one child of that name in another namespace, or None. Raises PolicyDocumentError where there are two."""
        return self._single(name, [one for one in self.children if (one.namespace, one.name) == (namespace, name)])

    def required(self, name: str) -> Element:
        """The one child of that name. Raises PolicyDocumentError where it is absent, nil or there twice."""
        found = self.child(name)
        if found is None:
            raise PolicyDocumentError(f"line {self.line}: <{self.name}> has no <{name}>")
        return found

    def wrong(self, wanted: str) -> PolicyDocumentError:
        """The error for a value that is not what it should be."""
        return PolicyDocumentError(f"line {self.line}: <{self.name}> is {self.text.strip()[:60]!r}, {wanted} is needed")

    def _single(self, name: str, found: list[Element]) -> Element | None:
        if len(found) > 1:
            raise PolicyDocumentError(f"line {found[1].line}: <{self.name}> has <{name}> twice")
        return found[0] if found and not found[0].is_nil else None


class _Builder:
    """What expat calls while it reads."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.root: Element | None = None
        self._parser = parser
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._count = 0
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise PolicyDocumentError(f"more than {MAX_ELEMENTS} elements, or more than {MAX_DEPTH} within each other")
        namespace, _, name = tag.rpartition(" ")
        made = Element(namespace, name, attributes, self._parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(made)
        else:
            self.root = made
        self._open.append(made)
        self._texts.append([])

    def _end(self, _tag: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def _characters(self, data: str) -> None:
        self._texts[-1].append(data)

    def _refuse(self, *_: object) -> int:
        raise PolicyDocumentError("it has a DOCTYPE or entities of its own, which no policy document needs")


def read_xml(data: bytes) -> Element:
    """The root element of a document.

    Args:
        data: the document, in UTF-8, UTF-16 or what its declaration names.

    Raises:
        PolicyDocumentError: it is not well-formed, larger than 8 megabytes, deeper than 32 elements, has more than 100 000
            of them, or a DOCTYPE.
    """
    if len(data) > MAX_BYTES:
        raise PolicyDocumentError(f"{len(data)} bytes; at most {MAX_BYTES} are read")
    parser = expat.ParserCreate(namespace_separator=" ")
    builder = _Builder(parser)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, UnicodeError, LookupError) as error:
        raise PolicyDocumentError(f"no well-formed XML: {error}") from None
    if builder.root is None:  # expat has refused an empty document already
        raise PolicyDocumentError("it has no element")
    return builder.root


def tag(name: str, *content: str) -> str:
    """An element around content that is XML already."""
    return f"<{name}>{''.join(content)}</{name}>"


def text_tag(name: str, text: str) -> str:
    """An element around characters. Raises PolicyDocumentError where XML 1.0 has no way to write one of them."""
    if _ILLEGAL.search(text):
        raise PolicyDocumentError(f"<{name}> cannot hold {text[:60]!r}: it has characters that XML does not know")
    return tag(name, escape(text, {"\r": "&#13;"}))


def nil_tag(name: str) -> str:
    """An element without a value; the document must bind the prefix xsi."""
    return f'<{name} xsi:nil="true"/>'
