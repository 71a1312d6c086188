"""A port before it is written in a language: steps, their values, and what its user is asked for.

Frozen values and ways to go through them. Names are plain identifiers that every language can spell in its own case.
Knows neither how a run is recorded nor any language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

ANSWER: Final = "answer"
SECRET: Final = "secret"  # noqa: S105  a kind of parameter
TEXT: Final = "text"
OBJECT: Final = "object"
VALUE: Final = "value"


@dataclass(frozen=True)
class Literal:
    """A value that stands in the port: None, a truth value, a number, an enumeration's member, text, bytes or a time.

    Attributes:
        value: the value, of the type that the member takes.
        hint: what the value is called where it is worth a name of its own ("container_name").
    """

    value: Any
    hint: str = ""


@dataclass(frozen=True)
class Name:
    """An object, a result, a constant or a parameter, by its name."""

    name: str


@dataclass(frozen=True)
class Joined:
    """A text of which parts are results: ``header & request & footer``."""

    parts: tuple[Literal | Name, ...]


@dataclass(frozen=True)
class Listed:
    """A list of values, or a mapping as pairs of values."""

    items: tuple[Argument, ...]
    is_mapping: bool = False


Argument: TypeAlias = Literal | Name | Joined | Listed


@dataclass(frozen=True)
class Comment:
    """One line for the reader."""

    text: str


@dataclass(frozen=True)
class New:
    """An object is created."""

    name: str
    prog_id: str


@dataclass(frozen=True)
class Call:
    """A member of an object is called, read or set.

    Attributes:
        target: the object's name.
        interface: its interface as Microsoft spells it.
        member: the member; of a put with parameters without the leading "Set".
        kind: "call", "get" or "put"; the last argument of a put is the value.
        arguments: what it is given.
        result: the name that its result is given, or "".
        failure: the symbol of the error that it ended with in the run and that the script handled, or "".
        own: whether the script itself made the call; others were made by a call of the legacy control.
        gives: what it gave in the run: OBJECT, VALUE or "" for nothing.
    """

    target: str
    interface: str
    member: str
    kind: str
    arguments: tuple[Argument, ...] = ()
    result: str = ""
    failure: str = ""
    own: bool = False
    gives: str = ""


@dataclass(frozen=True)
class Facade:
    """A function of ``certenroll.facade``, which has no counterpart on Windows.

    Attributes:
        function: its name.
        arguments: by position.
        named: by name.
        result, failure: as of a Call.
        note: why Windows has none.
    """

    function: str
    arguments: tuple[Argument, ...] = ()
    named: tuple[tuple[str, Argument], ...] = ()
    result: str = ""
    failure: str = ""
    note: str = ""


@dataclass(frozen=True)
class Ask:
    """The answer of a CA is needed from here on: the parameter of that name is read."""

    name: str


@dataclass(frozen=True)
class Show:
    """A request that no later step takes is shown to the user; as base64 where it is binary."""

    name: str
    is_binary: bool = False


Step: TypeAlias = Comment | New | Call | Facade | Ask | Show


@dataclass(frozen=True)
class Constant:
    """A value that stands more than once in the port, or is long."""

    name: str
    value: Any


@dataclass(frozen=True)
class Parameter:
    """What the run had from outside, and the port has from its user.

    Attributes:
        name: how the steps call it.
        kind: ANSWER (a CA's answer, from a file), SECRET (asked for, never written) or TEXT (an argument with a default).
        about: what it is, for the user.
        example: the value of the run; of a secret b"" where it is bytes, else "".
        origin: its name in the recording.
    """

    name: str
    kind: str
    about: str
    example: str | bytes = ""
    origin: str = ""

    @property
    def prompt(self) -> str:
        """What its user is asked."""
        form = " (in base64)" if self.kind == SECRET and isinstance(self.example, bytes) else ""
        return f"{self.name.replace('_', ' ').capitalize()}{form}: "


@dataclass(frozen=True)
class Port:
    """A port as a whole.

    Attributes:
        script: the name of the script's file.
        constants, parameters: what stands at its head.
        steps: what it does, in order.
    """

    script: str
    constants: tuple[Constant, ...]
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]

    def calls(self) -> tuple[Call, ...]:
        """The steps that are calls of CertEnroll."""
        return tuple(step for step in self.steps if isinstance(step, Call))


def arguments_of(step: Step) -> tuple[Argument, ...]:
    """The arguments of a step of any kind."""
    if isinstance(step, Facade):
        return (*step.arguments, *(value for _, value in step.named))
    return step.arguments if isinstance(step, Call) else ()


def names_in(argument: Argument) -> Iterator[str]:
    """The names that a value is made of."""
    if isinstance(argument, Name):
        yield argument.name
    elif isinstance(argument, Joined):
        for part in argument.parts:
            yield from names_in(part)
    elif isinstance(argument, Listed):
        for item in argument.items:
            yield from names_in(item)


def names_used(step: Step) -> tuple[str, ...]:
    """The names that a step reads: its target, its arguments, what it asks for or shows."""
    target = (step.target,) if isinstance(step, Call) else ()
    asked = (step.name,) if isinstance(step, (Ask, Show)) else ()
    return (*target, *asked, *(name for argument in arguments_of(step) for name in names_in(argument)))


def with_arguments(step: Step, change: Callable[[Argument], Argument]) -> Step:
    """The step with each argument as ``change`` has it."""
    if isinstance(step, Call):
        return replace(step, arguments=tuple(map(change, step.arguments)))
    if isinstance(step, Facade):
        named = tuple((name, change(value)) for name, value in step.named)
        return replace(step, arguments=tuple(map(change, step.arguments)), named=named)
    return step


def renamed(step: Step, names: dict[str, str]) -> Step:
    """The step with other names; a name that ``names`` lacks stays."""

    def new(name: str) -> str:
        return names.get(name, name)

    def change(argument: Argument) -> Argument:
        if isinstance(argument, Name):
            return Name(new(argument.name))
        if isinstance(argument, Joined):
            return Joined(tuple(Name(new(one.name)) if isinstance(one, Name) else one for one in argument.parts))
        if isinstance(argument, Listed):
            return replace(argument, items=tuple(map(change, argument.items)))
        return argument

    changed = with_arguments(step, change)
    if isinstance(changed, Call):
        return replace(changed, target=new(changed.target), result=new(changed.result))
    if isinstance(changed, Facade):
        return replace(changed, result=new(changed.result))
    return replace(changed, name=new(changed.name)) if isinstance(changed, (New, Ask, Show)) else changed
