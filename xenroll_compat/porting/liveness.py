"""What of a run's steps a port needs: those that have an effect, and those that lead to one.

Property reads that nobody uses, objects that come to nothing and functions that only look are left out; calls of the
control that left no step behind are told once a member. Knows no language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from certenroll.enums import EncodingType
from xenroll_compat.porting.building import Draft, Drafts
from xenroll_compat.porting.members import FACADE_READERS, has_effect, is_reader
from xenroll_compat.porting.model import ANSWER, Argument, Ask, Call, Comment, Facade, Literal, New, Show, Step, names_used

_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_OF_CONSTRUCTORS: Final = "InitializeFromValue"
_OWN_CALLS: Final = "The script's own calls of CertEnroll:"
_SHOWN: Final = frozenset({"CreateRequest", "CreatePFX", "CreateRequestMessage"})
_SHOWN_OF_SCRIPTS: Final = _SHOWN | {"RawData"}


def needed_steps(built: Drafts) -> tuple[Step, ...]:
    """The steps of a port, in order, with placeholders for names."""
    live = _live(built)
    used = {name for draft in live for name in names_used(draft.step)}
    steps = [_without_idle_result(draft.step, used) for draft in _with_headings(_told_once(live))]
    return tuple(_with_asking(steps, {name for name, one in built.parameters.items() if one.kind == ANSWER}))


def _live(built: Drafts) -> list[Draft]:
    """The drafts that have an effect or lead to one; comments all stay."""
    needed: set[str] = set()
    uses = Counter(name for draft in built.drafts for name in names_used(draft.step))
    drafts = [draft for draft in built.drafts if not _is_of_a_constructor(draft.step, uses)]
    while True:
        before = len(needed)
        kept = [draft for draft in reversed(drafts) if _is_live(draft.step, needed, built.owners)]
        if len(needed) == before:
            return kept[::-1]


def _is_of_a_constructor(step: Step, uses: Counter[str]) -> bool:
    """Whether a call was made while an object came to be: its object id is known to no other step."""
    return isinstance(step, Call) and step.member == _OF_CONSTRUCTORS and uses[step.target] == 1


def _is_live(step: Step, needed: set[str], owners: dict[str, str]) -> bool:
    """Whether a step is needed; what it needs itself is noted."""
    live = _matters(step, needed, owners)
    if live:
        needed.update(names_used(step))
    return live


def _matters(step: Step, needed: set[str], owners: dict[str, str]) -> bool:
    if isinstance(step, New):
        return step.name in needed
    if isinstance(step, Facade):
        return step.function not in FACADE_READERS or step.result in needed
    return not isinstance(step, Call) or _call_matters(step, needed, owners)


def _call_matters(step: Call, needed: set[str], owners: dict[str, str]) -> bool:
    if step.result in needed or has_effect(step.interface, step.member, step.kind):
        return True
    if is_reader(step.interface, step.member, step.kind):
        return step.own and step.kind == "call" and step.member in _SHOWN_OF_SCRIPTS
    if step.failure and not step.own:
        return False  # it changed nothing, and the control went on without it
    return step.own or any(name in needed for name in _with_owners(step.target, owners))


def _with_owners(name: str, owners: dict[str, str]) -> Iterator[str]:
    """An object and those that it was had from: what changes ``request.X509Extensions`` changes the request."""
    seen: str | None = name
    while seen is not None:
        yield seen
        seen = owners.get(seen)


def _told_once(drafts: list[Draft]) -> Iterator[Draft]:
    """The drafts with one comment for all calls of a member that left nothing behind: loops over providers, reads."""
    busy = {draft.group for draft in drafts if not isinstance(draft.step, Comment)}
    idle = [draft for draft in drafts if draft.legacy and draft.group not in busy and draft.kind != "put"]
    counts = Counter((draft.legacy, draft.kind) for draft in idle)
    told: set[tuple[str, str]] = set()
    for draft in drafts:
        key = (draft.legacy, draft.kind)
        if not draft.legacy or draft.group in busy or draft.kind == "put" or counts[key] == 1:
            yield draft
        elif key not in told:
            told.add(key)
            yield replace(draft, step=Comment(draft.summary.format(count=counts[key])))


def _with_headings(drafts: Iterator[Draft]) -> Iterator[Draft]:
    """The drafts with a comment where the script's own calls follow those of the control."""
    before = ""
    for draft in drafts:
        if before and not draft.legacy:
            yield replace(draft, step=Comment(_OWN_CALLS))
        before = draft.legacy
        yield draft


def _without_idle_result(step: Step, used: set[str]) -> Step:
    if not isinstance(step, (Call, Facade)) or not step.result or step.result in used:
        return step
    if isinstance(step, Call) and step.member in _SHOWN_OF_SCRIPTS and not step.failure:
        return step
    return replace(step, result="")


def _with_asking(steps: list[Step], answers: set[str]) -> Iterator[Step]:
    """The steps with each answer asked for before it is first used, and each request that no step takes shown."""
    used = {name for step in steps for name in names_used(step)}
    asked: set[str] = set()
    for step in steps:
        for name in names_used(step):
            if name in answers and name not in asked:
                asked.add(name)
                yield Ask(name)
        yield step
        if isinstance(step, Call) and step.member in _SHOWN_OF_SCRIPTS and step.result and step.result not in used:
            yield Show(step.result, any(map(_is_binary, step.arguments)))


def _is_binary(argument: Argument) -> bool:
    """Whether an argument asks for bytes; numbers of other enumerations may be equal to this one."""
    value = argument.value if isinstance(argument, Literal) else None
    return isinstance(value, EncodingType) and value == _BINARY
