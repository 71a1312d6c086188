"""A port as Windows can run it: what is certenroll's own becomes a comment, bytes become base64, enumerations constants.

Model to model, for PowerShell and VBScript alike. Knows neither language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum, IntFlag
from typing import Final

from certenroll.enums import InstallResponseRestrictionFlags as InstallFlags
from xenroll_compat.porting.members import KEY_LOCATION, has_effect, set_bits
from xenroll_compat.porting.model import (
    Argument,
    Call,
    Comment,
    Facade,
    Listed,
    Literal,
    Name,
    Port,
    Step,
    arguments_of,
    names_used,
    renamed,
)
from xenroll_compat.porting.windows_encodings import in_base64, text_of
from xenroll_compat.porting.windows_nearest import with_nearest

_NUMBERS: Final = ("GetRequestId", "GetRequestIdString")
_INSTALL: Final = "InstallResponse"
_LOCATIONS: Final = {
    0: "no place was asked for",
    1: "a TPM: the provider is Microsoft Platform Crypto Provider",
    2: "a TPM where there is one",
    3: "software",
    4: "a smart card: the provider is Microsoft Base Smart Card Crypto Provider",
}


def for_windows(port: Port) -> Port:
    """The port without what Windows has not."""
    lost: set[str] = set()
    steps = tuple(in_base64(port, _installed_once(_without_ours(with_nearest(port), lost))))
    used = {name for step in steps for name in names_used(step)}
    constants = tuple(replace(one, value=text_of(one.value)) for one in port.constants if one.name in used)
    parameters = tuple(one for one in port.parameters if one.name in used)
    return replace(port, steps=steps, constants=constants, parameters=parameters)


def numbers_used(port: Port) -> dict[str, int]:
    """The members of enumerations that a port uses, by Microsoft's names, with their values as signed numbers."""
    found: dict[str, int] = {}
    for step in port.steps:
        for literal in (one for argument in arguments_of(step) for one in _literals(argument)):
            for name in member_names(literal.value):
                found[name] = signed(int(type(literal.value)[name]))
    return found


def member_names(value: object) -> list[str]:
    """The names of an enumeration's value: one, or those of its flags; [] for what has no name."""
    if not isinstance(value, Enum):
        return []
    return set_bits(value) if isinstance(value, IntFlag) else [value.name]


def signed(number: int) -> int:
    """A number as a long of automation: 32 bits with a sign."""
    return number - (1 << 32) if 0x7FFFFFFF < number <= 0xFFFFFFFF else number


def _without_ours(steps: tuple[Step, ...], lost: set[str]) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Facade):
            lost.add(step.result)
            yield Comment(f"Not on Windows: facade.{step.function}. {step.note}")
        elif isinstance(step, Call) and step.member == KEY_LOCATION:
            yield Comment(f"KeyLocation is xenroll's own, and ProviderName decides on Windows. In the run: {_place(step)}")
        elif lost - {""} & set(names_used(step)):
            told = f"{step.interface}.{step.member}" if isinstance(step, Call) else "a step"
            lost.add(step.result if isinstance(step, Call) else "")
            yield Comment(f"Not written: {told}, which needs what Windows does not tell")
        else:
            yield step


def _installed_once(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps without answers that are installed again: the control could keep a request for that, CertEnroll never does.

    What is asked of the second enrollment, the first one is asked.
    """
    first: dict[Argument, str] = {}
    again: dict[str, str] = {}
    answers = _Answers()
    for step in steps:
        answers.take(step)
        if isinstance(step, Call) and not step.own and not step.failure and _needs_request(step):
            before = first.setdefault(answers.same(step.arguments[1]), step.target)
            if before != step.target:
                again[step.target] = before
                yield Comment("Not on Windows: the same answer a second time. It is installed, and its request is no more")
                continue
        yield renamed(step, again)


class _Answers:
    """Which results are one answer: what is given to the same question, where nothing was sent meanwhile.

    Two objects that ask a CA for one request, by the number that one of them told, have the same answer.
    """

    def __init__(self) -> None:
        self._first: dict[tuple[object, ...], Name] = {}
        self._same: dict[Argument, Name] = {}
        self._sent = 0
        self._about: dict[str, int] = {}  # object -> the message that its answers are about
        self._numbers: dict[Argument, int] = {}  # number of a request -> the same

    def take(self, step: Step) -> None:
        """A step that may give an answer, or have another one given from then on."""
        if not isinstance(step, Call):
            return
        if has_effect(step.interface, step.member, step.kind):
            number = self.same(step.arguments[0]) if step.member == "RetrievePending" else None
            self._sent += 1
            self._about[step.target] = self._numbers.get(number, self._sent) if number is not None else self._sent
        elif step.result:
            about = self._about.get(step.target)
            given = (one for one in step.arguments if not _is_form(step, one))
            asked = (about or step.target, step.member, *map(self.same, given))
            result = Name(step.result)
            self._same[result] = self._first.setdefault(asked, result)
            if step.member in _NUMBERS and about is not None:
                self._numbers[self._same[result]] = about

    def same(self, argument: Argument) -> Argument:
        """The first name of the same value; what is no name is itself."""
        return self._same.get(argument, argument)


def _needs_request(step: Call) -> bool:
    """Whether a call installs the answer to an outstanding request, of which nothing is left then."""
    restrictions = step.arguments[0] if step.member == _INSTALL else None
    return isinstance(restrictions, Literal) and not int(restrictions.value) & InstallFlags.AllowNoOutstandingRequest


def _is_form(step: Call, argument: Argument) -> bool:
    """Whether an argument says in which form a CA's certificate is given: what is in it is the same."""
    return step.member == "GetCertificate" and isinstance(argument, Literal)


def _place(step: Call) -> str:
    value = step.arguments[-1]
    return _LOCATIONS.get(value.value, "?") if isinstance(value, Literal) else "?"


def _literals(argument: Argument) -> Iterator[Literal]:
    if isinstance(argument, Literal):
        yield argument
    elif isinstance(argument, Listed):
        for item in argument.items:
            yield from _literals(item)
