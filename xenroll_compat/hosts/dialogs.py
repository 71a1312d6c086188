"""Message boxes and prompts: nobody sits before them, so the command line answers, and the output tells what was asked.

``MsgBox``, ``Popup``, ``alert`` and ``confirm`` are message boxes, ``InputBox`` and ``prompt`` prompts. What was typed into
a prompt is never written: it may be a password. Knows no language.

Source: the pages "MsgBox Function" and "InputBox Function" of Microsoft's VBScript reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.environment import Environment


class Button(IntEnum):
    """A button of a message box, and what the box gives when it is pressed (vbOK, ...)."""

    OK = 1
    CANCEL = 2
    ABORT = 3
    RETRY = 4
    IGNORE = 5
    YES = 6
    NO = 7
    TRY_AGAIN = 10
    CONTINUE = 11


ANSWERS: Final = tuple(button.name.lower().replace("_", "") for button in Button)
# The low four bits of a box's kind -> its buttons from left to right (vbOKOnly, vbOKCancel, ...).
BUTTONS: Final[dict[int, tuple[Button, ...]]] = {
    0: (Button.OK,),
    1: (Button.OK, Button.CANCEL),
    2: (Button.ABORT, Button.RETRY, Button.IGNORE),
    3: (Button.YES, Button.NO, Button.CANCEL),
    4: (Button.YES, Button.NO),
    5: (Button.RETRY, Button.CANCEL),
    6: (Button.CANCEL, Button.TRY_AGAIN, Button.CONTINUE),
}
_KIND, _DEFAULT_SHIFT = 0xF, 8


@dataclass
class _Script:
    """The answers that are left."""

    answers: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)


def _script_of(environment: Environment) -> _Script:
    settings = environment.settings
    return _Script([answer.lower().replace(" ", "") for answer in settings.answers], list(settings.inputs))


class Dialogs:
    """The boxes of one run; however many of these are made of an environment, its answers are given once."""

    def __init__(self, environment: Environment) -> None:
        self._output = environment.output
        self._script = environment.part(_script_of)

    def message(self, text: str, buttons: int = 0, title: str = "") -> int:
        """Shows a message box.

        A box with one button needs no answer; it takes one only where that button is next. Each other box takes the next
        answer, the last of all again and again, and where none was given its default button.

        Args:
            text: what it says.
            buttons: which buttons it has, and which is its default (vbYesNo + vbDefaultButton2).
            title: what stands above it.

        Returns:
            the number of the button that answered it.

        Raises:
            ComError: E_INVALIDARG where the answer is none of its buttons, or there is no such box.
        """
        offered = BUTTONS.get(buttons & _KIND)
        if offered is None:
            raise ComError(HRESULT.E_INVALIDARG, f"there is no message box of kind {buttons & _KIND}")
        try:
            pressed = self._pressed(offered, (buttons >> _DEFAULT_SHIFT) & 3)
        except ComError as error:
            self._tell("message box", title, text, error.detail)
            raise
        self._tell("message box", title, text, _label(pressed))
        return int(pressed)

    def ask(self, text: str, title: str = "", default: str = "") -> str | None:
        """Shows a prompt.

        Args:
            text: what it says.
            title: what stands above it.
            default: what stands in it; an input of the command line takes its place.

        Returns:
            the next input of the command line, or None (cancelled) where there is none left.
        """
        typed = self._script.inputs.pop(0) if self._script.inputs else None
        self._tell("prompt", title, text, "cancelled (--input answers it)" if typed is None else "answered")
        return typed

    def _pressed(self, offered: tuple[Button, ...], default: int) -> Button:
        answers = self._script.answers
        by_name = {_label(button).lower().replace(" ", ""): button for button in offered}
        if not answers or (len(offered) == 1 and answers[0] not in by_name):
            return offered[min(default, len(offered) - 1)]
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        if answer not in by_name:
            raise ComError(HRESULT.E_INVALIDARG, f"--answer {answer}: the box has the buttons {', '.join(by_name)}")
        return by_name[answer]

    def _tell(self, what: str, title: str, text: str, outcome: str) -> None:
        heading = f"{title}: " if title else ""
        self._output.write(f"[{what}] {heading}{text} -> {outcome}\n")


def _label(button: Button) -> str:
    return "OK" if button is Button.OK else button.name.capitalize().replace("_", " ")
