"""The state table of requests, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.stores.errors import IllegalStep
from certenroll.stores.states import OUTSTANDING, RESUME, STEPS, Event, State, diagram, resume_table, step

PAGE = Path(__file__).resolve().parents[2] / "docs" / "states.md"


def test_every_state_has_a_row_of_steps_and_a_resume_rule() -> None:
    assert set(STEPS) == set(RESUME) == set(State)


def test_every_state_can_be_reached_from_the_first_one() -> None:
    reached, fresh = {State.MADE}, [State.MADE]
    while fresh:
        fresh = [after for state in fresh for after in STEPS[state].values() if after not in reached]
        reached.update(fresh)
    assert reached == set(State)


def test_every_state_but_the_last_can_be_withdrawn() -> None:
    assert {state for state in State if Event.REMOVE not in STEPS[state]} == {State.REMOVED}


def test_a_certificate_is_installed_only_after_its_answer_was_kept() -> None:
    assert {state for state in State if State.INSTALLED in STEPS[state].values()} == {State.ISSUED}


def test_what_was_submitted_is_never_simply_made_again() -> None:
    assert STEPS[State.PENDING].get(Event.SUBMIT) is None
    assert STEPS[State.ISSUED].get(Event.SUBMIT) is None


def test_the_outstanding_states_are_those_that_an_answer_can_meet() -> None:
    assert {state for state in State if Event.ANSWERED in STEPS[state]} == set(OUTSTANDING)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_a_step_is_the_tables_or_is_refused(state: State, event: Event) -> None:
    if event in STEPS[state]:
        assert step(state, event) is STEPS[state][event]
    else:
        with pytest.raises(IllegalStep) as caught:
            step(state, event)
        assert caught.value.hresult == 0x8007139F


def test_the_page_shows_the_table_and_the_rules() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"```mermaid\n{diagram()}```\n" in text
    assert f"\n{resume_table()}\n" in text
