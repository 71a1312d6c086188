"""Forms: their fields by name and number, what is sent, and the elements that stand for automation objects.

A field's name comes before the form's own properties (``form.name`` gives a field "name"), but not before ``submit`` and
``reset``. Knows what a submission is, not where it would go.
"""

from __future__ import annotations

from typing import Any, Final

from xenroll_compat.hosts import automation
from xenroll_compat.hosts.automation import MISSING
from xenroll_compat.hosts.pages.choices import Option, Select
from xenroll_compat.hosts.pages.controls import Anchor, Control, Input, TextArea
from xenroll_compat.hosts.pages.lists import Collection
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.results import Submission
from xenroll_compat.hosts.pages.tree import Host

_DEFAULTS: Final = {"name": "", "action": "", "method": "get", "target": "", "encoding": "application/x-www-form-urlencoded"}


class Form(Element):
    """A form."""

    _type_name_ = "HTMLFormElement"
    _default_ = "item"

    def __init__(self, host: Host, tag: str, attributes: dict[str, str]) -> None:
        super().__init__(host, tag, attributes)
        self._pressed: Input | None = None

    def controls_of(self) -> list[Control]:
        """Its fields and buttons, in the order of the page."""
        root: Any = self
        while root._parent is not None:
            root = root._parent
        return [found for found in root.descend_all() if isinstance(found, Control) and found.owner_form() is self]

    @property
    def elements(self) -> Any:
        """Its fields and buttons."""
        return Collection(self.controls_of())

    def item(self, name: object = 0, index: object = None) -> Any:
        """A field by number or name, or nothing."""
        return Collection(self.controls_of()).item(name, index)

    def submit(self) -> None:
        """Submits it; onsubmit is not told, as in a browser."""
        self._host.send(self)

    def reset(self) -> None:
        """Puts its fields back, unless onreset forbids it."""
        if self._host.fire(self, "onreset"):
            for control in self.controls_of():
                if isinstance(control, (Input, TextArea, Select)):
                    control.put_back()

    def submit_by(self, button: Input | None) -> None:
        """What pressing a button of type submit does: onsubmit, and the submission where it is not forbidden."""
        if self._host.fire(self, "onsubmit"):
            self._pressed = button
            self._host.send(self)
            self._pressed = None

    def as_submission(self) -> Submission:
        """What is sent of it now."""
        fields = [
            (control.attribute_of("name"), value)
            for control in self.controls_of() if control.is_sent()
            for value in ([self._pressed.value] if control is self._pressed else control.sent_values())
        ]  # fmt: skip
        name = self.attribute_of("id") or self.attribute_of("name")
        method = self.attribute_of("method").upper() or "GET"
        return Submission(name, self.attribute_of("action"), method, tuple(fields), self.attribute_of("target"))

    def _dynamic_get(self, name: str) -> Any:
        controls = self.controls_of()
        if name.lower() == "length":
            return len(controls)
        found = Collection.at_name(name, controls)
        if found is not MISSING:
            return found
        kept = self.kept_value(name.lower())
        return _DEFAULTS.get(name.lower(), MISSING) if kept is MISSING or kept == "" else kept


class ObjectElement(Element):
    """An OBJECT element that no script was given its object for: it is not in the page yet, or there is no such class."""

    _type_name_ = "HTMLObjectElement"

    def _dynamic_get(self, name: str) -> Any:
        made = self._host.control(self)
        if name.lower() in {"object", "readystate"}:
            return made if name.lower() == "object" else 4 * (made is not None)
        if made is not None and automation.kind_of(made, name):
            method = automation.kind_of(made, name) == "method"
            return automation.bound(made, name) if method else automation.get(made, name)
        return self.kept_value(name.lower())

    def _dynamic_put(self, name: str, value: Any) -> None:
        made = self._host.control(self)
        if made is not None and automation.kind_of(made, name):
            automation.put(made, name, value)
        else:
            self.keep_value(name.lower(), value)


# Tag -> the class of its elements; every other one is a plain Element.
KINDS: Final[dict[str, type[Element]]] = {
    "a": Anchor, "area": Anchor, "input": Input, "button": Input, "textarea": TextArea, "select": Select, "option": Option,
    "form": Form, "object": ObjectElement, "embed": ObjectElement,
}  # fmt: skip
