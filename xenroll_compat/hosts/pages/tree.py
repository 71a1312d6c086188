"""The tree of a page: attributes, children, text, markup in and out, and what elements ask of the page that they are in.

Names are found without regard to case, as in Internet Explorer. The members that scripts see are ``nodes``'.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, Final, Protocol

from certenroll.com import ComObject
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.pages.lists import Style

if TYPE_CHECKING:
    from xenroll_compat.hosts.pages.nodes import Element

VOID: Final = frozenset(
    {"area", "base", "basefont", "br", "col", "embed", "frame", "hr", "img", "input", "isindex", "link", "meta", "param"}
)
RAW: Final = frozenset({"script", "style"})
# What reads as a property though no attribute is there; what is in neither place is no member.
UNSET: Final[dict[str, Any]] = {
    "title": "", "lang": "", "dir": "", "align": "", "href": "", "src": "", "alt": "", "width": "", "height": "",
    "color": "", "bgcolor": "", "tabindex": 0, "accesskey": "", "size": "", "maxlength": 0x7FFFFFFF, "rows": "", "cols": "",
    "name": "", "classid": "", "codebase": "", "language": "", "target": "", "htmlfor": "",
}  # fmt: skip
FLAGS: Final = frozenset({"disabled", "readonly", "multiple", "defer", "nowrap"})
RENAMED: Final = {"classname": "class", "htmlfor": "for"}


class Host(Protocol):
    """What an element asks of the page that it is in."""

    def fire(self, target: ComObject, event: str) -> bool:
        """Runs the handlers of an event. Gives False where one of them forbade what follows."""

    def fill(self, parent: Element, markup: str) -> None:
        """Puts the elements of a markup text behind an element's children; its scripts do not run."""

    def make(self, tag: str, attributes: dict[str, str]) -> Element:
        """A new element of a kind."""

    def follow(self, address: str) -> None:
        """Opens an address: notes it, or runs what a ``javascript:`` address holds."""

    def send(self, form: Element) -> None:
        """Submits a form: notes its fields."""

    def control(self, element: Element) -> Any:
        """The automation object of an OBJECT element, or None where it could not be made."""

    def scriptable(self, element: Element) -> Any:
        """What scripts get for an element: the automation object of an OBJECT element, else the element."""

    @property
    def document(self) -> ComObject:
        """The document."""


class Text(ComObject):
    """A piece of text (createTextNode)."""

    _type_name_ = "DispHTMLDOMTextNode"

    def __init__(self, text: str) -> None:
        self._text = text
        self._parent: Element | None = None

    @property
    def data(self) -> str:
        """Its letters."""
        return self._text

    @data.setter
    def data(self, v: str) -> None:
        self._text = v

    @property
    def nodeValue(self) -> str:
        """Its letters."""
        return self._text

    @nodeValue.setter
    def nodeValue(self, v: str) -> None:
        self._text = v

    @property
    def nodeName(self) -> str:
        """#text."""
        return "#text"

    @property
    def nodeType(self) -> int:
        """3."""
        return 3

    @property
    def length(self) -> int:
        """How many letters it has."""
        return len(self._text)

    @property
    def parentNode(self) -> Any:
        """The element that it is in, or nothing."""
        return self._parent

    @property
    def nextSibling(self) -> Any:
        """The element or text behind it, or nothing."""
        return neighbour(self, 1)

    @property
    def previousSibling(self) -> Any:
        """The element or text before it, or nothing."""
        return neighbour(self, -1)

    def cloneNode(self, deep: bool = False) -> Any:
        """A text of the same letters, which is nowhere."""
        return Text(self._text)


def neighbour(node: Any, step: int) -> Any:
    """The node so many places behind another in the element that both are in, or None."""
    siblings = node._parent._children if node._parent is not None else [node]
    at = next(at for at, found in enumerate(siblings) if found is node) + step
    return siblings[at] if 0 <= at < len(siblings) else None


class Tree(ComObject):
    """An element without its script-visible names: attributes, children, and the walk over what is below."""

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        self._host: Final = host
        self._tag: Final = tag
        self._attributes: Final = attributes
        self._extra: Final[dict[str, Any]] = {}  # handlers and names that a script added
        self._listeners: Final[list[tuple[str, Any]]] = []
        self._children: list[Any] = []
        self._parent: Element | None = None
        self._form: Element | None = None
        self._line = 0
        self._style = Style(attributes.get("style", ""))

    def attribute_of(self, name: str) -> str:
        """An attribute's text, or ""."""
        return self._attributes.get(name, "")

    def names_of(self) -> tuple[str, ...]:
        """What it can be called by: id and name, in lower case."""
        return tuple(filter(None, (self.attribute_of("id").lower(), self.attribute_of("name").lower())))

    def descend_all(self) -> Iterator[Element]:
        """The elements below, in the order of the page."""
        waiting: list[Any] = self._children[::-1]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Tree):
                yield node  # type: ignore[misc]  # every node of a tree but a text is an Element
                waiting.extend(reversed(node._children))

    def append_node(self, node: Any, before: int | None = None) -> None:
        """Puts an element or a text among the children."""
        if node._parent is not None and node in node._parent._children:
            node._parent._children.remove(node)
        self._children.insert(len(self._children) if before is None else before, node)
        node._parent = self

    def clear_nodes(self) -> None:
        """Takes all children out."""
        for child in self._children:
            child._parent = None
        self._children = []

    def copy_of(self, deep: bool) -> Element:
        """An element of the same kind and attributes, which is nowhere; with copies of all that is in it where ``deep``."""
        made = self._host.make(self._tag, dict(self._attributes))
        for child in self._children if deep else ():
            made.append_node(child.copy_of(True) if isinstance(child, Tree) else Text(child._text))
        return made

    def text_of(self) -> str:
        """The text of it and of all below."""
        return "".join(child.text_of() if isinstance(child, Tree) else child._text for child in self._children)

    def markup_of(self) -> str:
        """The markup of what is in it."""
        raw = self._tag in RAW
        return "".join(
            child.whole_markup() if isinstance(child, Tree) else child._text if raw else escape(child._text, quote=False)
            for child in self._children
        )

    def whole_markup(self) -> str:
        """Its own markup."""
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in self._attributes.items())
        return f"<{self._tag}{attributes}>" + ("" if self._tag in VOID else f"{self.markup_of()}</{self._tag}>")

    def act_on_click(self) -> None:
        """What a click does when no handler forbids it."""

    def kept_value(self, name: str) -> Any:
        """What is kept under a lower-case name: what a script put there, an attribute, or what an unset one reads as."""
        if name in self._extra:
            return self._extra[name]
        name = RENAMED.get(name, name)
        if name in self._attributes:
            return True if name in FLAGS else self._attributes[name]
        if name in FLAGS:
            return False
        return None if name.startswith("on") and name[2:].isalpha() else UNSET.get(name, MISSING)

    def keep_value(self, name: str, value: Any) -> None:
        """Keeps a value under a lower-case name, as attribute where it is one."""
        if name in FLAGS and isinstance(value, (bool, int)):
            self._attributes.pop(name, None)
            if value:
                self._attributes[name] = name
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and not name.startswith("on"):
            number = isinstance(value, float) and value.is_integer()
            self._attributes[RENAMED.get(name, name)] = str(int(value) if number else value)
        else:
            self._extra[name] = value

    def _dynamic_get(self, name: str) -> Any:
        return self.kept_value(name.lower())

    def _dynamic_put(self, name: str, value: Any) -> None:
        self.keep_value(name.lower(), value)
