"""Elements as scripts have them. What one kind has beside this is in ``controls``, ``choices`` and ``forms``.

Knows no script language and no events: it asks its ``Host``.
"""

from __future__ import annotations

from typing import Any, Final

from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.pages.lists import Collection
from xenroll_compat.hosts.pages.tree import Text, Tree, neighbour

_TRUE_OR_FALSE: Final = frozenset({"checked", "selected"})  # beside those of ``tree.FLAGS``


class Element(Tree):
    """Any element, with the members that every kind has."""

    _type_name_ = "HTMLElement"

    @property
    def id(self) -> str:
        """Its id."""
        return self.attribute_of("id")

    @id.setter
    def id(self, v: str) -> None:
        self._attributes["id"] = v

    @property
    def tagName(self) -> str:
        """Its tag in upper case."""
        return self._tag.upper()

    @property
    def nodeName(self) -> str:
        """Its tag in upper case."""
        return self._tag.upper()

    @property
    def nodeType(self) -> int:
        """1."""
        return 1

    @property
    def className(self) -> str:
        """Its class."""
        return self.attribute_of("class")

    @className.setter
    def className(self, v: str) -> None:
        self._attributes["class"] = v

    @property
    def style(self) -> Any:
        """Its style: every name is kept, none has an effect."""
        return self._style

    @property
    def innerHTML(self) -> str:
        """The markup in it. What is put there becomes elements; scripts in it do not run."""
        return self.markup_of()

    @innerHTML.setter
    def innerHTML(self, v: str) -> None:
        self.clear_nodes()
        self._host.fill(self, v)

    @property
    def innerText(self) -> str:
        """The text in it."""
        return self.text_of()

    @innerText.setter
    def innerText(self, v: str) -> None:
        self.clear_nodes()
        self.append_node(Text(v))

    @property
    def outerHTML(self) -> str:
        """Its own markup. What is put there takes its place."""
        return self.whole_markup()

    @outerHTML.setter
    def outerHTML(self, v: str) -> None:
        parent = self._parent
        if parent is None:
            raise BadArgument(HRESULT.E_INVALIDARG, "an element that is nowhere has no place to be taken", argerror=0)
        at = parent._children.index(self)
        behind = parent._children[at + 1 :]
        del parent._children[at:]
        self._parent = None
        self._host.fill(parent, v)
        parent._children.extend(behind)

    @property
    def parentElement(self) -> Any:
        """The element that it is in, or nothing."""
        return self._parent

    @property
    def parentNode(self) -> Any:
        """The element that it is in, or nothing."""
        return self._parent

    @property
    def children(self) -> Any:
        """The elements directly in it."""
        return Collection([child for child in self._children if isinstance(child, Element)])

    @property
    def childNodes(self) -> Any:
        """The elements and texts directly in it."""
        return Collection(list(self._children))

    @property
    def all(self) -> Any:
        """The elements below it."""
        return Collection(list(self.descend_all()))

    @property
    def firstChild(self) -> Any:
        """The first of its elements and texts, or nothing."""
        return self._children[0] if self._children else None

    @property
    def lastChild(self) -> Any:
        """The last of its elements and texts, or nothing."""
        return self._children[-1] if self._children else None

    @property
    def nextSibling(self) -> Any:
        """The element or text behind it, or nothing."""
        return neighbour(self, 1)

    @property
    def previousSibling(self) -> Any:
        """The element or text before it, or nothing."""
        return neighbour(self, -1)

    @property
    def ownerDocument(self) -> Any:
        """The document."""
        return self._host.document

    @property
    def document(self) -> Any:
        """The document."""
        return self._host.document

    def getAttribute(self, name: str, flags: int = 0) -> Any:
        """An attribute's value, or Null where it is not there."""
        return self._attributes.get(name.lower(), self._extra.get(name.lower()))

    def setAttribute(self, name: str, value: object, flags: int = 0) -> None:
        """Sets an attribute. Of those that are true or false any text but "false" is true (checked="checked")."""
        if isinstance(value, str) and name.lower() in _TRUE_OR_FALSE:
            value = value.lower() != "false"
        automation.put(self, name, value)

    def removeAttribute(self, name: str, flags: int = 0) -> bool:
        """Takes an attribute away. Gives whether it was there."""
        return self._attributes.pop(name.lower(), None) is not None

    def hasChildNodes(self) -> bool:
        """Whether anything is in it."""
        return bool(self._children)

    def appendChild(self, node: object) -> Any:
        """Puts an element or a text behind its children."""
        self.append_node(_node(node))
        return node

    def insertBefore(self, node: object, reference: object = None) -> Any:
        """Puts an element or a text before one of its children, or behind them all."""
        if reference not in self._children:
            return self.appendChild(node)
        self.append_node(_node(node), self._children.index(reference))
        return node

    def removeChild(self, node: object) -> Any:
        """Takes a child out. Raises ComError E_INVALIDARG where it is none."""
        if node not in self._children:
            raise BadArgument(HRESULT.E_INVALIDARG, "this is no child of the element", argerror=0)
        self._children.remove(node)
        _node(node)._parent = None
        return node

    def replaceChild(self, node: object, replaced: object) -> Any:
        """Puts an element or a text in the place of a child, and gives that child. Raises ComError as ``removeChild``."""
        if replaced not in self._children:
            return self.removeChild(replaced)
        if node is not replaced:
            self.insertBefore(node, replaced)
            self.removeChild(replaced)
        return replaced

    def cloneNode(self, deep: bool = False) -> Any:
        """A copy of it, which is nowhere: its attributes, and where ``deep`` all that is in it."""
        return self.copy_of(deep)

    def contains(self, element: object) -> bool:
        """Whether an element is in it, or is itself."""
        return element is self or any(found is element for found in self.descend_all())

    def insertAdjacentHTML(self, where: str, html: str) -> None:
        """Adds markup: beforeEnd behind its children, every other place behind itself."""
        target = self if where.lower() in {"beforeend", "afterbegin"} or self._parent is None else self._parent
        self._host.fill(target, html)

    def getElementsByTagName(self, name: str) -> Any:
        """The elements below it with a tag, or all ("*")."""
        return Collection([found for found in self.descend_all() if name in ("*", found._tag) or name.lower() == found._tag])

    def attachEvent(self, event: str, handler: object) -> bool:
        """Adds a handler ("onclick")."""
        self._listeners.append((event.lower(), handler))
        return True

    def detachEvent(self, event: str, handler: object) -> None:
        """Takes a handler away."""
        if (event.lower(), handler) in self._listeners:
            self._listeners.remove((event.lower(), handler))

    def fireEvent(self, event: str, details: object = None) -> bool:
        """Has an event happen."""
        return self._host.fire(self, event.lower())

    def click(self) -> None:
        """Has it clicked: its handlers, then what the click does."""
        if self._host.fire(self, "onclick"):
            self.act_on_click()

    def focus(self) -> None:
        """Tells onfocus."""
        self._host.fire(self, "onfocus")

    def blur(self) -> None:
        """Tells onblur."""
        self._host.fire(self, "onblur")

    def scrollIntoView(self, top: object = True) -> None:
        """Nothing: nothing is shown."""


def _node(value: object) -> Any:
    if isinstance(value, (Element, Text)):
        return value
    raise BadArgument(HRESULT.DISP_E_TYPEMISMATCH, "an element or a text node is needed", argerror=0)
