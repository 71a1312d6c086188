"""The document of a page: its elements by id, name, tag and number, what scripts write into it, and what they make new.

Knows its elements and the ``Host``; which script runs is not its concern.
"""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any, Final, Protocol

from certenroll.com import ComObject
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.pages.html import Builder, PageReader, Reactions
from xenroll_compat.hosts.pages.lists import Collection, scriptable
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.tree import Host, Text


class Surroundings(Host, Protocol):
    """What a document asks of its page, beside what its elements ask."""

    def write(self, markup: str) -> None:
        """Puts markup where the page is being read, or at its end."""

    @property
    def window(self) -> ComObject:
        """The window."""

    @property
    def location(self) -> ComObject:
        """The address."""


class Document(ComObject):
    """The document."""

    _type_name_ = "HTMLDocument"

    def __init__(self, host: Surroundings) -> None:
        self._host: Final = host
        self._extra: Final[dict[str, Any]] = {}
        self._listeners: Final[list[tuple[str, Any]]] = []
        self._root = host.make("html", {})
        self._body = host.make("body", {})
        self._root.append_node(self._body)
        self._state = "loading"
        self._cookies: dict[str, str] = {}

    def elements_of(self) -> list[Element]:
        """Every element of the page, in its order."""
        return [self._root, *self._root.descend_all()]

    def of_tags(self, *tags: str) -> list[Element]:
        """The elements of some tags."""
        return [found for found in self._root.descend_all() if found._tag in tags]

    def find_named(self, name: str) -> Element | None:
        """The element of an id or a name, or None."""
        wanted = name.lower()
        found = [element for element in self._root.descend_all() if wanted in element.names_of()]
        by_id = [element for element in found if element.attribute_of("id").lower() == wanted]
        return next(iter([*by_id, *found]), None)

    def fill_with(self, parent: Element, markup: str, opened: Callable[[Element], None]) -> None:
        """Puts the elements of a markup text behind a parent's children; its scripts stay text."""
        reader = PageReader(Builder(Reactions(self._host.make, opened), [parent], ""))
        reader.feed(markup)
        reader.finish()

    @property
    def all(self) -> Any:
        """Every element, by number and by name."""
        return Collection(self.elements_of())

    @property
    def forms(self) -> Any:
        """The forms."""
        return Collection(self.of_tags("form"))

    @property
    def images(self) -> Any:
        """The images."""
        return Collection(self.of_tags("img"))

    @property
    def links(self) -> Any:
        """The links."""
        return Collection([found for found in self.of_tags("a", "area") if found.attribute_of("href")])

    @property
    def anchors(self) -> Any:
        """The named places."""
        return Collection([found for found in self.of_tags("a") if found.attribute_of("name")])

    @property
    def scripts(self) -> Any:
        """The SCRIPT elements."""
        return Collection(self.of_tags("script"))

    @property
    def applets(self) -> Any:
        """The OBJECT and APPLET elements."""
        return Collection(self.of_tags("object", "applet"))

    @property
    def body(self) -> Any:
        """The BODY element."""
        return self._body

    @property
    def nodeType(self) -> int:
        """9."""
        return 9

    @property
    def nodeName(self) -> str:
        """#document."""
        return "#document"

    @property
    def documentElement(self) -> Any:
        """The HTML element."""
        return self._root

    @property
    def parentWindow(self) -> Any:
        """The window."""
        return self._host.window

    @property
    def title(self) -> str:
        """The title."""
        found = self._extra.get("title")
        if found is not None:
            return str(found)
        return next((" ".join(unescape(element.text_of()).split()) for element in self.of_tags("title")), "")

    @title.setter
    def title(self, v: str) -> None:
        self._extra["title"] = v

    @property
    def location(self) -> Any:
        """The address; what is put there is opened."""
        return self._host.location

    @location.setter
    def location(self, v: str) -> None:
        self._host.follow(v)

    @property
    def URL(self) -> str:
        """The address as text."""
        return str(getattr(self._host.location, "href"))  # noqa: B009  a script-visible name

    @URL.setter
    def URL(self, v: str) -> None:
        self._host.follow(v)

    @property
    def domain(self) -> str:
        """The host's name."""
        return str(getattr(self._host.location, "hostname"))  # noqa: B009

    @property
    def referrer(self) -> str:
        """Empty: the page was not reached from another."""
        return ""

    @property
    def readyState(self) -> str:
        """loading, and complete when everything was read."""
        return self._state

    @property
    def cookie(self) -> str:
        """The cookies that the page set, for as long as it runs."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    @cookie.setter
    def cookie(self, v: str) -> None:
        name, _, value = v.partition(";")[0].partition("=")
        self._cookies[name.strip()] = value.strip()

    @property
    def activeElement(self) -> Any:
        """The BODY element."""
        return self._body

    def write(self, text: object = "", *more: object) -> None:
        """Puts markup where the page is being read, or at its end when it has been read."""
        self._host.write("".join(map(written_text, (text, *more))))

    def writeln(self, text: object = "", *more: object) -> None:
        """As write, with an end of line."""
        self._host.write("".join(map(written_text, (text, *more))) + "\r\n")

    def open(self, kind: object = "text/html", name: object = None, features: object = None, replace: object = None) -> Any:
        """The document: what was there stays, and what is written comes behind it."""
        return self

    def close(self) -> None:
        """Nothing: what was written is there already."""

    def clear(self) -> None:
        """Nothing, as in Internet Explorer."""

    def createElement(self, tag: str) -> Any:
        """A new element, of a tag or of a whole start tag (``<OPTION value=1>``)."""
        if not tag.strip().startswith("<"):
            return self._host.make(tag.strip().lower(), {})
        place = self._host.make("div", {})
        self.fill_with(place, tag, lambda _element: None)
        found = place._children[0]
        place.clear_nodes()
        return found

    def createTextNode(self, text: str = "") -> Any:
        """A new piece of text."""
        return Text(text)

    def getElementById(self, name: str) -> Any:
        """The element of an id (or, as in Internet Explorer, of a name), or nothing."""
        found = self.find_named(name)
        return None if found is None else scriptable(found)

    def getElementsByName(self, name: str) -> Any:
        """The elements of a name or an id."""
        return Collection([found for found in self.elements_of() if name.lower() in found.names_of()])

    def getElementsByTagName(self, name: str) -> Any:
        """The elements of a tag, or all ("*")."""
        return Collection([found for found in self.elements_of() if name in ("*", found._tag) or name.lower() == found._tag])

    def attachEvent(self, event: str, handler: object) -> bool:
        """Adds a handler ("onclick")."""
        self._listeners.append((event.lower(), handler))
        return True

    def detachEvent(self, event: str, handler: object) -> None:
        """Takes a handler away."""
        if (event.lower(), handler) in self._listeners:
            self._listeners.remove((event.lower(), handler))

    def _dynamic_get(self, name: str) -> Any:
        if name.lower() in self._extra:
            return self._extra[name.lower()]
        found = Collection.at_name(name, self._root_elements()) if not name.isdigit() else MISSING
        if found is MISSING and name.lower().startswith("on"):
            return None
        return found

    def _dynamic_put(self, name: str, value: Any) -> None:
        self._extra[name.lower()] = value

    def _root_elements(self) -> list[Element]:
        """What ``document.name`` looks among: all elements, but a field of a form only where nothing else has the name."""
        everything = list(self._root.descend_all())
        return sorted(everything, key=lambda element: element._tag in {"input", "select", "textarea", "button"})


def written_text(value: object) -> str:
    """A value as write and alert show it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):  # as JScript joins an array
        return ",".join("" if item is None else written_text(item) for item in value)
    if isinstance(value, Vacant):
        return "undefined" if value is Vacant.EMPTY else "null"
    return "[object]" if isinstance(value, ComObject) and type(value).__str__ is ComObject.__str__ else str(value)
