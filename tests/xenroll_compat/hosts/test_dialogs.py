"""Message boxes and prompts are answered by the command line, and told in the output."""

from __future__ import annotations

import io

import pytest

from certenroll.errors import ComError
from xenroll_compat.hosts.dialogs import BUTTONS, Dialogs
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.settings import RunSettings


def environment_of(*answers: str, inputs: tuple[str, ...] = ()) -> Environment:
    return Environment(RunSettings(answers=answers, inputs=inputs), io.StringIO())


def told(environment: Environment) -> str:
    assert isinstance(environment.output, io.StringIO)
    return environment.output.getvalue()


def test_a_box_says_what_it_asks_and_what_answered() -> None:
    environment = environment_of("no")
    assert Dialogs(environment).message("Really?", 4, "Title") == 7
    assert told(environment) == "[message box] Title: Really? -> No\n"


@pytest.mark.parametrize(
    ("kind", "pressed"), [(0, 1), (1, 1), (2, 3), (3, 6), (4, 6), (5, 4), (6, 2), (4 + 256, 7), (3 + 512, 2)]
)
def test_without_an_answer_a_box_takes_its_default_button(kind: int, pressed: int) -> None:
    assert Dialogs(environment_of()).message("?", kind) == pressed


def test_answers_come_in_order_and_the_last_one_answers_all_that_follow() -> None:
    environment = environment_of("cancel", "yes")
    answers = [Dialogs(environment).message("?", kind) for kind in (1, 4, 3, 4)]  # made anew each time: the run has one list
    assert answers == [2, 6, 6, 6]


def test_a_box_with_one_button_takes_no_other_answer() -> None:
    environment = environment_of("ok", "no")
    assert [Dialogs(environment).message("?", kind) for kind in (0, 0, 4)] == [1, 1, 7]


def test_an_answer_that_the_box_does_not_have_is_an_error_that_names_its_buttons() -> None:
    environment = environment_of("abort")
    with pytest.raises(ComError, match="yes, no, cancel"):
        Dialogs(environment).message("?", 3)
    assert "--answer abort" in told(environment)  # also where the script goes on over errors


def test_every_button_of_every_box_can_be_named() -> None:
    for kind, buttons in BUTTONS.items():
        for button in buttons:
            environment = environment_of(button.name.replace("_", ""))
            assert Dialogs(environment).message("?", kind) == button


def test_prompts_are_answered_in_order_then_cancelled_and_never_shown() -> None:
    environment = environment_of(inputs=("hunter2",))
    dialogs = Dialogs(environment)
    assert (dialogs.ask("Password?", default="x"), dialogs.ask("More?")) == ("hunter2", None)
    assert told(environment) == "[prompt] Password? -> answered\n[prompt] More? -> cancelled (--input answers it)\n"
