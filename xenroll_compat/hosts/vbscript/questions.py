"""MsgBox and InputBox: the language's own names for the dialogs of a run. A host that defines them has its own instead.

Source: Microsoft's VBScript reference, "MsgBox Function" and "InputBox Function".
"""

from __future__ import annotations

from typing import Any, Final

from certenroll.errors import ComError
from xenroll_compat.hosts.vbscript.calls import Calls
from xenroll_compat.hosts.vbscript.errors import of_object, runtime
from xenroll_compat.hosts.vbscript.values import EMPTY, NULL, to_long, to_text

_TITLE: Final = "VBScript"
_BUTTONS: Final = 0xF  # the bits of a box's kind that name its buttons


def _text(value: Any, otherwise: str) -> str:
    if value is NULL:
        raise runtime(94)
    return otherwise if value is None else to_text(value)


def message_box(machine: Calls, prompt: Any, buttons: Any = None, title: Any = None, *_help: Any) -> int:
    """MsgBox: the number of the button that answers it."""
    from xenroll_compat.hosts.dialogs import BUTTONS, Dialogs

    kind = 0 if buttons is None else to_long(buttons)
    if kind & _BUTTONS not in BUTTONS:
        raise runtime(5, "MsgBox")
    try:
        return int(Dialogs(machine.environment).message(_text(prompt, ""), kind, _text(title, _TITLE)))
    except ComError as error:
        raise of_object(error, "MsgBox") from error


def input_box(machine: Calls, prompt: Any, title: Any = None, default: Any = None, *_place: Any) -> Any:
    """InputBox: what was typed; Empty where it was cancelled."""
    from xenroll_compat.hosts.dialogs import Dialogs

    typed = Dialogs(machine.environment).ask(_text(prompt, ""), _text(title, _TITLE), _text(default, ""))
    return EMPTY if typed is None else typed
