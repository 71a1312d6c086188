"""Lists and their options, as scripts fill and read them.

Knows elements and controls; what chooses in a list is a script or ``user``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from certenroll.com import ComObject
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.pages.controls import Control
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.tree import Host, Text


class Option(Element):
    """One choice of a list."""

    _type_name_ = "HTMLOptionElement"

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        super().__init__(host, tag, attributes)
        self._selected = "selected" in attributes

    @property
    def text(self) -> str:
        """What a user reads."""
        return " ".join(self.text_of().split())

    @text.setter
    def text(self, v: str) -> None:
        self.clear_nodes()
        self.append_node(Text(v))

    @property
    def value(self) -> str:
        """What is sent. Without a value attribute this is "" here, as in Internet Explorer; the text is sent then."""
        return self.attribute_of("value")

    @value.setter
    def value(self, v: str) -> None:
        self._attributes["value"] = v

    @property
    def selected(self) -> bool:
        """Whether it is chosen."""
        owner = self.list_of()
        return self in owner.chosen_options() if owner is not None else self._selected

    @selected.setter
    def selected(self, v: bool) -> None:
        owner = self.list_of()
        if v and owner is not None and not owner.multiple:
            for other in owner.all_options():
                other._selected = False
        self._selected = v

    @property
    def defaultSelected(self) -> bool:
        """Whether it was chosen when the page was loaded."""
        return "selected" in self._attributes

    @property
    def index(self) -> int:
        """Its number in the list, or -1."""
        owner = self.list_of()
        return owner.all_options().index(self) if owner is not None else -1

    def list_of(self) -> Select | None:
        """The list that it is in."""
        parent = self._parent
        while parent is not None and not isinstance(parent, Select):
            parent = parent._parent
        return parent

    def removed_from_list(self) -> None:
        """Takes it out of the list."""
        if self._parent is not None:
            self._parent._children.remove(self)
            self._parent = None

    def sent_text(self) -> str:
        """What is sent of it."""
        return self._attributes.get("value", self.text)


class Select(Control):
    """A list."""

    _type_name_ = "HTMLSelectElement"
    _default_ = "item"

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        super().__init__(host, tag, attributes)
        self._emptied = False  # selectedIndex = -1: nothing is chosen, not even the first

    def all_options(self) -> list[Option]:
        """Its options."""
        return [found for found in self.descend_all() if isinstance(found, Option)]

    def chosen_options(self) -> list[Option]:
        """The chosen ones: a list of single choice has its last chosen one, else its first."""
        options = self.all_options()
        chosen = [option for option in options if option._selected]
        if self.multiple:
            return chosen
        if chosen:
            return chosen[-1:]
        return [] if self._emptied else options[:1]

    @property
    def options(self) -> Any:
        """Its options as a collection."""
        return Options(self)

    @property
    def length(self) -> int:
        """How many options it has. A smaller number takes the last ones away."""
        return len(self.all_options())

    @length.setter
    def length(self, v: int) -> None:
        self.shorten_to(v)

    @property
    def multiple(self) -> bool:
        """Whether several may be chosen."""
        return "multiple" in self._attributes

    @property
    def type(self) -> str:
        """select-one or select-multiple."""
        return self.kind_of_control()

    @property
    def selectedIndex(self) -> int:
        """The number of the first chosen option, or -1."""
        chosen = self.chosen_options()
        return self.all_options().index(chosen[0]) if chosen else -1

    @selectedIndex.setter
    def selectedIndex(self, v: int) -> None:
        self.choose([v])

    @property
    def value(self) -> str:
        """The value of the first chosen option, or ""; setting it chooses the option of that value."""
        chosen = self.chosen_options()
        return chosen[0].value if chosen else ""

    @value.setter
    def value(self, v: str) -> None:
        self.choose([at for at, option in enumerate(self.all_options()) if option.value == v][:1])

    def add(self, option: object, before: object = None) -> None:
        """Adds an option, at a number or behind the others."""
        self.put_option(option, int(before) if isinstance(before, (int, float)) else None)

    def remove(self, index: int = 0) -> None:
        """Takes an option away."""
        options = self.all_options()
        if 0 <= index < len(options):
            options[index].removed_from_list()

    def item(self, name: object = 0, index: object = None) -> Any:
        """An option by number or name, or nothing."""
        return self.options.item(name, index)

    def kind_of_control(self) -> str:
        """select-one or select-multiple."""
        return "select-multiple" if self.multiple else "select-one"

    def choose(self, numbers: list[int]) -> None:
        """Has exactly these options chosen."""
        for at, option in enumerate(self.all_options()):
            option._selected = at in numbers
        self._emptied = not self.chosen_now()

    def chosen_now(self) -> bool:
        """Whether any option says that it is chosen."""
        return any(option._selected for option in self.all_options())

    def put_option(self, option: object, at: int | None) -> None:
        """Puts an option in. Raises ComError DISP_E_TYPEMISMATCH where it is none."""
        if not isinstance(option, Option):
            raise BadArgument(HRESULT.DISP_E_TYPEMISMATCH, "an OPTION element is needed", argerror=0)
        self.append_node(option, at if at is not None and 0 <= at < len(self._children) else None)

    def shorten_to(self, length: int) -> None:
        """Takes away all options from a number on."""
        for option in self.all_options()[max(0, length) :]:
            option.removed_from_list()

    def sent_values(self) -> list[str]:
        """What is sent of each chosen option."""
        return [option.sent_text() for option in self.chosen_options()]

    def put_back(self) -> None:
        """As it was when the page was loaded."""
        self._emptied = False
        for option in self.all_options():
            option._selected = option.defaultSelected


class Options(ComObject):
    """The options of a list as scripts change them: ``options[i] = new Option(...)``, ``options.length = 0``."""

    _type_name_ = "HTMLOptionsCollection"
    _default_ = "item"

    def __init__(self, owner: Select) -> None:
        self._owner: Final = owner

    @property
    def length(self) -> int:
        """How many there are. A smaller number takes the last ones away."""
        return self._owner.length

    @length.setter
    def length(self, v: int) -> None:
        self._owner.shorten_to(v)

    @property
    def selectedIndex(self) -> int:
        """The number of the chosen one."""
        return self._owner.selectedIndex

    @selectedIndex.setter
    def selectedIndex(self, v: int) -> None:
        self._owner.choose([v])

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter(self._owner.all_options())

    def item(self, name: object = 0, index: object = None) -> Any:
        """One by number or id, or nothing."""
        found = self._dynamic_get(str(int(name) if isinstance(name, float) else name))
        return None if found is MISSING else found

    def setItem(self, name: object, value: object) -> None:
        """Puts an option at a number; nothing takes the one that is there away."""
        self.put_at(int(name) if isinstance(name, (int, float, str)) else -1, value)

    def add(self, option: object, before: object = None) -> None:
        """Adds an option, at a number or behind the others."""
        self._owner.add(option, before)

    def remove(self, index: int = 0) -> None:
        """Takes an option away."""
        self._owner.remove(index)

    def put_at(self, number: int, value: object) -> None:
        """``options[number] = value``."""
        self._owner.remove(number)
        if isinstance(value, Option):
            self._owner.put_option(value, number)

    def _dynamic_get(self, name: str) -> Any:
        options = self._owner.all_options()
        if name.isdigit():
            return options[int(name)] if int(name) < len(options) else MISSING
        return next((option for option in options if name.lower() in option.names_of()), MISSING)

    def _dynamic_put(self, name: str, value: Any) -> None:
        if name.isdigit():
            self.put_at(int(name), value)
