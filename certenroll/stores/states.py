"""The states of a request: one table of the steps that are allowed, and what to do with a request found in each state.

Data only. ``requests.py`` takes the steps, whoever opens a profile after a crash follows the resume rules, and the
diagram in docs/states.md is drawn from the table.
"""

from __future__ import annotations

import enum
from typing import Final

from certenroll.stores.errors import IllegalStep


class State(enum.Enum):
    """Where a request stands. The value is what the database holds."""

    MADE = "made"
    SUBMITTING = "submitting"
    PENDING = "pending"
    ISSUED = "issued"
    INSTALLED = "installed"
    DENIED = "denied"
    FAILED = "failed"
    REMOVED = "removed"


class Event(enum.Enum):
    """What happens to a request."""

    SUBMIT = "submission begins"
    NOT_SENT = "certainly not sent"
    HELD = "held by the CA"
    ANSWERED = "certificate received"
    INSTALL = "installed"
    DENY = "refused by the CA"
    FAIL = "given up"
    REMOVE = "withdrawn"


STEPS: Final[dict[State, dict[Event, State]]] = {
    State.MADE: {
        Event.SUBMIT: State.SUBMITTING,
        Event.HELD: State.PENDING,  # a script that sends by itself reports it: setPendingRequestInfo, a full response
        Event.ANSWERED: State.ISSUED,  # a response that came by hand
        Event.DENY: State.DENIED,
        Event.FAIL: State.FAILED,
        Event.REMOVE: State.REMOVED,
    },
    State.SUBMITTING: {
        Event.SUBMIT: State.SUBMITTING,  # the CA said that it never had it: sent again
        Event.NOT_SENT: State.MADE,
        Event.HELD: State.PENDING,
        Event.ANSWERED: State.ISSUED,
        Event.DENY: State.DENIED,
        Event.FAIL: State.FAILED,
        Event.REMOVE: State.REMOVED,
    },
    State.PENDING: {
        Event.HELD: State.PENDING,
        Event.ANSWERED: State.ISSUED,
        Event.DENY: State.DENIED,
        Event.FAIL: State.FAILED,
        Event.REMOVE: State.REMOVED,
    },
    State.ISSUED: {
        Event.ANSWERED: State.ISSUED,  # a later answer takes the place of one that could not be installed
        Event.INSTALL: State.INSTALLED,
        Event.FAIL: State.FAILED,
        Event.REMOVE: State.REMOVED,
    },
    State.INSTALLED: {Event.REMOVE: State.REMOVED},
    State.DENIED: {Event.REMOVE: State.REMOVED},
    State.FAILED: {Event.REMOVE: State.REMOVED},
    State.REMOVED: {},
}

RESUME: Final[dict[State, str]] = {
    State.MADE: "Nothing to do. The request waits for its owner.",
    State.SUBMITTING: "The CA may have it: ask the CA for these bytes and take its answer; send again only if it never had "
    "them. Where the CA cannot be asked, it stays as it is.",
    State.PENDING: "Nothing at once: whoever retrieves it asks the CA under its request id. The key stays.",
    State.ISSUED: "Install the answer that is kept; the CA is not asked again.",
    State.INSTALLED: "Nothing to do. The certificate is in its store with the key.",
    State.DENIED: "Nothing to do. Whether its key is still to be deleted, the journal knows.",
    State.FAILED: "Nothing to do. Whether its key is still to be deleted, the journal knows.",
    State.REMOVED: "Delete the row. Whether its key is still to be deleted, the journal knows.",
}

# The states in which a response can meet its request.
OUTSTANDING: Final = (State.MADE, State.SUBMITTING, State.PENDING, State.ISSUED)


def step(state: State, event: Event) -> State:
    """The state after ``event``.

    Raises:
        IllegalStep: the table has no such step (WIN32_INVALID_STATE).
    """
    after = STEPS[state].get(event)
    if after is None:
        allowed = ", ".join(repr(each.value) for each in STEPS[state]) or "nothing more"
        raise IllegalStep(f"a request that is {state.value!r} cannot be {event.value!r}; what can follow is {allowed}")
    return after


def diagram() -> str:
    """The table as a Mermaid state diagram, as docs/states.md shows it."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.MADE.name}"]
    for before, row in STEPS.items():
        lines += [f"    {before.name} --> {after.name}: {event.value}" for event, after in row.items()]
    return "\n".join([*lines, f"    {State.REMOVED.name} --> [*]", ""])


def resume_table() -> str:
    """The resume rules as a Markdown table, as docs/states.md shows them."""
    rows = [f"| `{state.name}` | {rule} |" for state, rule in RESUME.items()]
    return "\n".join(["| found in | what is done |", "|---|---|", *rows, ""])
