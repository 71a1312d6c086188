"""Markup of any age becomes elements: tag soup with upper case, bare attributes, unclosed tags and forms across tables.

``Builder`` hands out each element when its tag is read and each script when its end is read, so whatever stands before a
script exists when it runs, and what the script writes comes right behind it. Runs nothing.

Source: HTML 4.01; where pages break it, what Internet Explorer 6 made of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Final

from xenroll_compat.hosts.engine import LANGUAGES
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.tree import VOID, Text
from xenroll_compat.hosts.pages.written import BLOCKS, UNSHOWN, Written
from xenroll_compat.hosts.problems import Place

DEEPEST: Final = 100  # elements within each other; tags that nobody closed would nest without end
# A tag -> (the open elements that it ends, the elements which it does not look beyond).
ENDS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "option": (frozenset({"option"}), frozenset({"select"})),
    "optgroup": (frozenset({"option", "optgroup"}), frozenset({"select"})),
    "li": (frozenset({"li"}), frozenset({"ul", "ol", "dir", "menu"})),
    "dt": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "dd": (frozenset({"dt", "dd"}), frozenset({"dl"})),
    "p": (frozenset({"p"}), frozenset({"td", "th", "div", "form", "body"})),
    "tr": (frozenset({"tr", "td", "th"}), frozenset({"table"})),
    "td": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
    "th": (frozenset({"td", "th"}), frozenset({"table", "tr"})),
}
_CLSID: Final = re.compile(r"\s*clsid:\s*\{?([0-9A-Fa-f-]{36})\}?\s*", re.IGNORECASE)
_OPENING: Final = re.compile(r"\A\s*<!--[^\r\n]*|\A\s*(?://\s*)?<!\[CDATA\[")
_CLOSING: Final = re.compile(r"(?:(?://|')?\s*-->|(?://|')?\s*\]\]>)\s*\Z")


@dataclass(frozen=True)
class Script:
    """A SCRIPT element as it was read.

    Attributes:
        code: its text; line breaks stand where they stood in the file.
        language: what LANGUAGE or TYPE says, in lower case; "" where neither is there.
        place: where the text begins.
        source: its SRC, or "".
        target: its FOR, or "".
        event: its EVENT, or "".
        server: whether RUNAT says that it runs on the server.
    """

    code: str
    language: str
    place: Place
    source: str = ""
    target: str = ""
    event: str = ""
    server: bool = False

    @property
    def engine(self) -> str | None:
        """The engine of its language, "" for the page's own, None where there is no such engine (a template, PerlScript)."""
        return LANGUAGES.get(self.language) if self.language else ""

    def with_code(self, code: str, file: str) -> Script:
        """The script with the text of the file that SRC named."""
        return replace(self, code=code, place=Place(file, 1, 1))


def class_of(attributes: dict[str, str]) -> str:
    """The CLSID (in braces) or ProgID that an OBJECT element's attributes name, or ""."""
    named = _CLSID.fullmatch(attributes.get("classid", ""))
    return f"{{{named.group(1).upper()}}}" if named is not None else attributes.get("progid", "").strip()


def language_of(attributes: dict[str, str]) -> str:
    """The language that attributes name, in lower case: LANGUAGE, else TYPE. ``JavaScript1.2`` is JavaScript."""
    named = (attributes.get("language") or attributes.get("type") or "").strip().lower().partition(";")[0]
    return re.sub(r"(?<=script)\.?(encode|[\d.]+)?$", "", named)


def code_of(text: str) -> str:
    """A script's text without the comment or CDATA marks around it; every line keeps its number."""
    opened = _OPENING.match(text)
    if opened is not None:
        text = "\n" * opened.group().count("\n") + text[opened.end() :]
        text = _CLOSING.sub("", text)
    return _CLOSING.sub("", text) if text.rstrip().endswith("-->") else text


def make_script(attributes: dict[str, str], text: str, place: Place) -> Script:
    """The script of a SCRIPT element's attributes and text."""
    return Script(
        code_of(text),
        language_of(attributes),
        place,
        attributes.get("src", "").strip(),
        attributes.get("for", "").strip(),
        attributes.get("event", "").strip(),
        attributes.get("runat", "").lower() == "server",
    )


@dataclass
class Reactions:
    """What happens while a page is read.

    Attributes:
        make: makes an element of a tag.
        opened: is told of each element when it stands in the page.
        script: is told of each script when its end is read.
    """

    make: Callable[[str, dict[str, str]], Element]
    opened: Callable[[Element], None] = lambda _element: None
    script: Callable[[Element, Script], None] = lambda _element, _script: None


class Builder:
    """Tags and text become elements, below a stack of open ones."""

    def __init__(self, reactions: Reactions, open_elements: list[Element], file: str) -> None:
        self._reactions: Final = reactions
        self._stack: Final = open_elements
        self._base: Final = len(open_elements)
        self._form: Element | None = None
        self.file: Final = file

    def start(self, tag: str, attributes: dict[str, str], line: int) -> Element:
        """A start tag was read; gives the element that it opened or, for BODY and HTML, spoke of."""
        known = self._spoken_of(tag)
        if known is not None:
            for name, value in attributes.items():
                known._attributes.setdefault(name, value)
            known._line = line
            return known
        self._end_implied(tag)
        element = self._reactions.make(tag, attributes)
        element._line = line
        element._form = self._form
        self._stack[-1].append_node(element)
        if tag == "form":
            self._form = element
        if tag not in VOID and (len(self._stack) < DEEPEST or tag == "script"):
            self._stack.append(element)
        self._reactions.opened(element)
        return element

    def end(self, tag: str) -> None:
        """An end tag was read; one that closes nothing is passed over."""
        if tag == "form":
            self._form = None
        if tag in {"body", "html"}:
            return
        for at in range(len(self._stack) - 1, self._base - 1, -1):
            if self._stack[at]._tag == tag:
                del self._stack[at:]
                return
            if self._stack[at]._tag in {"table", "form"} and tag not in {"table", "form", "head"}:
                return

    def text(self, data: str) -> None:
        """Text was read."""
        if data:
            self._stack[-1].append_node(Text(data))

    def begin_again(self) -> None:
        """What is read from now on comes at the end of the page."""
        del self._stack[self._base :]
        self._form = None

    def inside(self, tags: frozenset[str]) -> bool:
        """Whether an element of some tags is open."""
        return any(element._tag in tags for element in self._stack)

    def script_ended(self, text: str, line: int, column: int) -> None:
        """A SCRIPT element was read to its end."""
        element = self._stack.pop()
        if text:
            element.append_node(Text(text))
        script = make_script(element._attributes, text, Place(self.file, line, column))
        self._reactions.script(element, script)

    def _spoken_of(self, tag: str) -> Element | None:
        """The element that HTML, BODY and FRAMESET mean: there is one of each from the beginning."""
        if self._base != 2 or tag not in {"html", "body", "frameset"}:
            return None
        if tag != "html":
            del self._stack[2:]
        return self._stack[0] if tag == "html" else self._stack[1]

    def _end_implied(self, tag: str) -> None:
        ended, bounds = ENDS.get(tag, (frozenset(), frozenset()))
        cut = None
        for at in range(len(self._stack) - 1, self._base - 1, -1):
            if self._stack[at]._tag in bounds:
                break
            if self._stack[at]._tag in ended:
                cut = at
        if cut is not None:
            del self._stack[cut:]


class PageReader(HTMLParser):
    """Reads markup into a builder, also in pieces: what is unfinished waits for the next."""

    def __init__(self, builder: Builder, written: Written | None = None) -> None:
        """``written`` is told of the text, where a script wrote it."""
        super().__init__(convert_charrefs=True)
        self._builder: Final = builder
        self._written: Final = written
        self._script: list[str] | None = None
        self._script_at = (0, 0)

    def finish(self) -> None:
        """There is no more; a script without an end runs too."""
        self.close()
        if self._script is not None:
            self._script.append(self.rawdata)  # what the parser keeps of a script that has no end
        self._end_script()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Passes a start tag on; of an attribute that comes twice the first counts."""
        attributes: dict[str, str] = {}
        for name, value in attrs:
            attributes.setdefault(name, value or "")
        line, column = self.getpos()
        if self._written is not None and tag in BLOCKS:
            self._written.end_line()
        self._builder.start(tag, attributes, line)
        if tag == "script":
            opening = self.get_starttag_text() or ""
            below = opening.count("\n")
            begins = len(opening) - opening.rfind("\n") if below else column + len(opening) + 1
            self._script, self._script_at = [], (line + below, begins)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """``<p/>`` is ``<p>``, as browsers read it; a script or an object that ends so has ended."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID and tag in {"script", "object", "select", "textarea", "option", "span", "div"}:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Passes an end tag on."""
        if tag == "script" and self._script is not None:
            self._end_script()
        else:
            self._builder.end(tag)

    def handle_data(self, data: str) -> None:
        """Passes text on; a script's is gathered."""
        if self._script is not None:
            self._script.append(data)
        else:
            self._builder.text(data)
            if self._written is not None and not self._builder.inside(UNSHOWN):
                self._written.text(data)

    def unknown_decl(self, data: str) -> None:
        """A CDATA section is text; every other declaration is passed over."""
        if data.startswith("CDATA["):
            self.handle_data(data.removeprefix("CDATA["))

    def _end_script(self) -> None:
        if self._script is None:
            return
        text, self._script = "".join(self._script), None
        self._builder.script_ended(text, *self._script_at)
