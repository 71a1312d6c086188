"""What a user does with a page that has been read: fills in fields, presses buttons, submits forms.

Names are ids, names and captions, without regard to case. Knows the settings of a run and the page.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.pages.choices import Select
from xenroll_compat.hosts.pages.controls import BUTTON_KINDS, Control, Input, TextArea
from xenroll_compat.hosts.pages.forms import Form
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.page import Page
from xenroll_compat.hosts.pages.scripts import VBSCRIPT
from xenroll_compat.hosts.problems import Place

_EVENT: Final = re.compile(r"(.+)\.(on[a-z]+)", re.IGNORECASE)
_CALL: Final = re.compile(r"\s*([A-Za-z_$][\w$]*)\s*(?:\((.*)\))?\s*;?\s*", re.DOTALL)
_YES: Final = frozenset({"on", "true", "yes", "1", "checked", "-1"})
_NO: Final = frozenset({"off", "false", "no", "0", "", "unchecked"})


def fill_in(page: Page, name: str, text: str) -> None:
    """Fills in a field as a user does: then it tells onchange, and a box that was checked onclick.

    Args:
        page: the page.
        name: the field's name or id.
        text: what is typed; for a list the value or text of an option (several separated by ``|`` where that may be); for
            radio buttons the value of the one to press; for a checkbox ``on`` or ``off``.

    Raises:
        ComError: E_INVALIDARG where the page has no such field, or the field no such choice.
    """
    fields = [found for found in fields_of(page) if name.lower() in found.names_of()]
    if not fields:
        names = ", ".join(dict.fromkeys(label_of(found) for found in fields_of(page))) or "none"
        raise _refused(f"the page has no field {name!r}; its fields: {names}")
    first = fields[0]
    if isinstance(first, Select):
        _choose(page, first, text)
    elif isinstance(first, Input) and first.kind_of_control() == "radio":
        _press_radio(page, [found for found in fields if isinstance(found, Input)], text)
    elif isinstance(first, Input) and first.kind_of_control() == "checkbox":
        _check(page, first, text)
    elif isinstance(first, (Input, TextArea)):
        first._value = text
        page.fire(first, "onchange")


def perform(page: Page, what: str) -> None:
    """Has an event happen, or calls a procedure.

    Args:
        page: the page.
        what: ``button.onclick`` (a click and what it does), ``form.onsubmit`` (the form is submitted, unless its handler
            forbids it), any other ``name.onevent``, or a call as a script would write it: ``createRequest()``.

    Raises:
        ComError: E_INVALIDARG where the page has no such element or procedure.
    """
    event = _EVENT.fullmatch(what.strip())
    if event is not None:
        _tell(page, event.group(1).strip(), event.group(2).lower())
        return
    call = _CALL.fullmatch(what)
    owner = page.scripts.owner_of(call.group(1)) if call is not None else None
    if call is None or owner is None:
        raise _refused(f"no script of the page has a procedure for {what!r}")
    if call.group(2) is None or not call.group(2).strip():
        page.guarded(partial(page.scripts.running, owner.language, partial(owner.call, call.group(1))))
    else:
        keyword = "Call " if owner.language == VBSCRIPT else ""
        code = f"{keyword}{call.group(1)}({call.group(2)})"
        page.guarded(partial(page.scripts.execute, code, owner.language, Place(what, 1, 1)))


def fields_of(page: Page) -> list[Control]:
    """The fields of a page: controls but for buttons."""
    controls = [found for found in page.document._root.descend_all() if isinstance(found, Control)]
    return [found for found in controls if found.kind_of_control() not in BUTTON_KINDS and found.names_of()]


def label_of(element: Element) -> str:
    """How a user calls an element: by name or id, a button without them by its caption."""
    named = element.attribute_of("name") or element.attribute_of("id")
    return named or (caption_of(element) if isinstance(element, Input) else "")


def caption_of(button: Input) -> str:
    """What stands on a button."""
    return button.value or " ".join(button.text_of().split()) or button.attribute_of("alt")


def _tell(page: Page, name: str, event: str) -> None:
    known = {"window": page.window, "document": page.document, "body": page.document._body}.get(name.lower())
    if known is not None:
        page.fire(known, event)
        return
    element = page.document.find_named(name) or _captioned(page, name)
    if element is None:
        raise _refused(f"the page has no element {name!r}; its buttons: {_buttons(page)}")
    if event == "onclick":
        element.click()
    elif event == "onsubmit" and isinstance(element, Form):
        element.submit_by(None)
    else:
        page.fire(element, event)


def _captioned(page: Page, caption: str) -> Element | None:
    return next((found for found in buttons_of(page) if caption_of(found).lower() == caption.lower()), None)


def buttons_of(page: Page) -> list[Input]:
    """The buttons of a page."""
    inputs = [found for found in page.document._root.descend_all() if isinstance(found, Input)]
    return [found for found in inputs if found.kind_of_control() in BUTTON_KINDS]


def _buttons(page: Page) -> str:
    return ", ".join(filter(None, map(label_of, buttons_of(page)))) or "none"


def _choose(page: Page, field: Select, text: str) -> None:
    numbers = []
    for wanted in text.split("|") if field.multiple else [text]:
        options = field.all_options()
        found = [at for at, option in enumerate(options) if wanted == option.sent_text()]
        found += [at for at, option in enumerate(options) if wanted.strip().lower() == option.text.lower()]
        if not found:
            choices = ", ".join(repr(option.text) for option in options) or "nothing"
            raise _refused(f"{label_of(field)} has no choice {wanted!r}; it offers {choices}")
        numbers.append(found[0])
    field.choose(numbers)
    page.fire(field, "onchange")


def _press_radio(page: Page, buttons: list[Input], text: str) -> None:
    for button in buttons:
        if button.value.lower() == text.lower():
            button.click()
            return
    offered = ", ".join(repr(button.value) for button in buttons)
    raise _refused(f"{label_of(buttons[0])} has no button {text!r}; it offers {offered}")


def _check(page: Page, box: Input, text: str) -> None:
    wanted = text.strip().lower()
    if wanted not in _YES | _NO and text != box.value:
        raise _refused(f"{label_of(box)} is a box: on or off, not {text!r}")
    if box.checked != (wanted not in _NO):
        box.click()


def _refused(text: str) -> ComError:
    return ComError(HRESULT.E_INVALIDARG, text, source="Page")
