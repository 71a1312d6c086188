"""What a user fills in and presses: inputs, text areas, buttons, links. Lists are in ``choices``.

Knows elements and what a click on each does; the form that they are in is ``forms``'.
"""

from __future__ import annotations

from typing import Any, Final

from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.tree import Host

CHECKED_KINDS: Final = frozenset({"checkbox", "radio"})
BUTTON_KINDS: Final = frozenset({"button", "submit", "reset", "image"})


class Control(Element):
    """A part of a form."""

    @property
    def form(self) -> Any:
        """The form that it is in, or nothing."""
        return self.owner_form()

    def select(self) -> None:
        """Tells onselect."""
        self._host.fire(self, "onselect")

    def owner_form(self) -> Any:
        """The form that it belongs to: the one that was open when it was read, else the one around it."""
        around = self._form or self._parent
        while around is not None and around._tag != "form":
            around = around._parent
        return around

    def kind_of_control(self) -> str:
        """What ``type`` reads."""
        return self._tag

    def sent_values(self) -> list[str]:
        """What of it is sent when the form is submitted."""
        return []

    def is_sent(self) -> bool:
        """Whether it takes part in a submission at all."""
        return "disabled" not in self._attributes and bool(self.attribute_of("name"))


class Input(Control):
    """An INPUT of any type, and BUTTON."""

    _type_name_ = "HTMLInputElement"
    _default_ = "value"

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        super().__init__(host, tag, attributes)
        self._checked = "checked" in attributes
        self._value: str | None = None

    @property
    def type(self) -> str:
        """Its type in lower case."""
        return self.kind_of_control()

    @type.setter
    def type(self, v: str) -> None:
        self._attributes["type"] = v

    @property
    def value(self) -> str:
        """What stands in it."""
        if self._value is not None:
            return self._value
        return self._attributes.get("value", "on" if self.kind_of_control() in CHECKED_KINDS else "")

    @value.setter
    def value(self, v: str) -> None:
        self._value = v

    @property
    def defaultValue(self) -> str:
        """What stood in it when the page was loaded."""
        return self.attribute_of("value")

    @property
    def checked(self) -> bool:
        """Whether it is checked; checking a radio button unchecks the others of its name."""
        return self._checked

    @checked.setter
    def checked(self, v: bool) -> None:
        if v and self.kind_of_control() == "radio":
            for other in self.group_of_radios():
                other._checked = False
        self._checked = v

    @property
    def defaultChecked(self) -> bool:
        """Whether it was checked when the page was loaded."""
        return "checked" in self._attributes

    def setAttribute(self, name: str, value: object, flags: int = 0) -> None:
        """Sets an attribute; value and checked are what stands in it."""
        super().setAttribute(name, value, flags)
        if name.lower() == "value":
            self._attributes["value"] = self.value

    def kind_of_control(self) -> str:
        """Its type; a BUTTON without one is a plain button, as in Internet Explorer."""
        return self._attributes.get("type", "text" if self._tag == "input" else "button").lower()

    def group_of_radios(self) -> list[Input]:
        """The radio buttons of its name in its form."""
        root: Any = self
        while root._parent is not None:
            root = root._parent
        own = self.attribute_of("name").lower()
        return [
            found for found in root.descend_all()
            if isinstance(found, Input) and found.kind_of_control() == "radio" and found.owner_form() is self.owner_form()
            and found.attribute_of("name").lower() == own
        ]  # fmt: skip

    def sent_values(self) -> list[str]:
        """Its value; a box only where it is checked, a button only where it was pressed (the form adds that)."""
        kind = self.kind_of_control()
        if kind in BUTTON_KINDS or (kind in CHECKED_KINDS and not self._checked):
            return []
        return [self.value]

    def put_back(self) -> None:
        """As it was when the page was loaded."""
        self._value, self._checked = None, self.defaultChecked

    def act_on_click(self) -> None:
        """Checks a box or submits or resets the form."""
        kind = self.kind_of_control()
        if kind in CHECKED_KINDS:
            self.checked = True if kind == "radio" else not self._checked
        form = self.owner_form()
        if form is not None and kind in {"submit", "image"}:
            form.submit_by(self)
        elif form is not None and kind == "reset":
            form.reset()


class TextArea(Control):
    """A TEXTAREA."""

    _type_name_ = "HTMLTextAreaElement"
    _default_ = "value"

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        super().__init__(host, tag, attributes)
        self._value: str | None = None

    @property
    def type(self) -> str:
        """textarea."""
        return "textarea"

    @property
    def value(self) -> str:
        """What stands in it; a line of the page ends in CR LF."""
        return self.defaultValue if self._value is None else self._value

    @value.setter
    def value(self, v: str) -> None:
        self._value = v

    @property
    def defaultValue(self) -> str:
        """What stood in it when the page was loaded."""
        text = self.text_of().replace("\r\n", "\n")
        return text.removeprefix("\n").replace("\n", "\r\n")

    @property
    def innerText(self) -> str:
        """What stands in it."""
        return self.value

    @innerText.setter
    def innerText(self, v: str) -> None:
        self._value = v

    def sent_values(self) -> list[str]:
        """Its value."""
        return [self.value]

    def put_back(self) -> None:
        """As it was when the page was loaded."""
        self._value = None


class Anchor(Element):
    """A link."""

    _type_name_ = "HTMLAnchorElement"
    _default_ = "href"

    @property
    def href(self) -> str:
        """Where it leads."""
        return self.attribute_of("href")

    @href.setter
    def href(self, v: str) -> None:
        self._attributes["href"] = v

    def act_on_click(self) -> None:
        """Follows the link."""
        if self.href:
            self._host.follow(self.href)
