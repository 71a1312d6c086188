"""The small objects around elements: a list of elements with numbers and names, and an element's style.

Knows what an element is called by, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from certenroll.com import ComObject
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import MISSING


class Collection(ComObject):
    """Elements by number, counted from 0, and by id or name; several of one name are a collection again."""

    _type_name_ = "DispHTMLElementCollection"
    _default_ = "item"

    def __init__(self, elements: Sequence[Any]) -> None:
        self._elements: Final = list(elements)

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self._elements)

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter([scriptable(element) for element in self._elements])

    def item(self, name: object = 0, index: object = None) -> Any:
        """One of them by number or name, or nothing."""
        if isinstance(name, (bool, int, float)):
            return self.at_number(int(name))
        found = self.at_name(str(name), self._elements)
        if isinstance(found, Collection) and isinstance(index, (int, float)):
            return found.at_number(int(index))
        return None if found is MISSING else found

    def namedItem(self, name: str) -> Any:
        """One of them by name, or nothing."""
        return self.item(name)

    def tags(self, name: str) -> Any:
        """Those with a tag."""
        return Collection([element for element in self._elements if getattr(element, "_tag", "") == name.lower()])

    def at_number(self, number: int) -> Any:
        """The element of a number, or None."""
        return scriptable(self._elements[number]) if 0 <= number < len(self._elements) else None

    @staticmethod
    def at_name(name: str, elements: Sequence[Any]) -> Any:
        """The element of a name among some, a collection where several have it, or MISSING."""
        if name.isdigit():
            return scriptable(elements[int(name)]) if int(name) < len(elements) else MISSING
        found = [element for element in elements if name.lower() in getattr(element, "names_of", tuple)()]
        if not found:
            return MISSING
        return scriptable(found[0]) if len(found) == 1 else Collection(found)

    def _dynamic_get(self, name: str) -> Any:
        return self.at_name(name, self._elements)


class Style(ComObject):
    """A style: each name reads what was put there, or ""."""

    _type_name_ = "HTMLStyle"

    def __init__(self, text: str) -> None:
        self._text = text
        self._values: Final[dict[str, Any]] = {}
        for part in text.split(";"):
            name, colon, value = part.partition(":")
            if colon:
                self._values[name.strip().lower().replace("-", "")] = value.strip()

    def _dynamic_get(self, name: str) -> Any:
        return self._text if name.lower() == "csstext" else self._values.get(name.lower(), "")

    def _dynamic_put(self, name: str, value: Any) -> None:
        self._values[name.lower()] = "" if value is None or isinstance(value, Vacant) else value


def scriptable(element: Any) -> Any:
    """What scripts get for an element: an OBJECT element's automation object, else the element itself."""
    host = getattr(element, "_host", None)
    return element if host is None else host.scriptable(element)
