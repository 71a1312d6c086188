"""Writes a port for Windows by the table of a language: how it says each kind of step, and each kind of value.

Knows what the two languages have in common, and nothing of how a port comes about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from xenroll_compat.porting.model import (
    OBJECT,
    Argument,
    Ask,
    Call,
    Comment,
    Joined,
    Listed,
    Name,
    New,
    Port,
    Show,
    Step,
)
from xenroll_compat.porting.windows import for_windows, member_names, numbers_used, signed

HEADER: Final = (
    'The CertEnroll port of {script}, written by "xenroll port" from a run of it.',
    "",
    "These are the calls of CertEnroll that the run made: its loops are unrolled, and where it took a branch, the other",
    "one is not here. Each comment names the call of the old control that the lines below it do the work of.",
)


@dataclass(frozen=True)
class Language:
    """How a language says things; {0}, {1}, ... are what is said.

    Attributes:
        comment: a line for the reader.
        head: the lines before the first step, of the port and its constants.
        name: a name of the model in the language's spelling.
        text: a text.
        values: what it says for a value of a type that is neither text nor a number nor an enumeration.
        number: a name of an enumeration.
        either: between the names of flags.
        both: between the parts of a text.
        flags: around the names of flags.
        new, set_object, set_value: an object is created; a result gets a name.
        put, indexed_put: a property is set.
        statement: a call whose result nobody reads, by whether it gives one.
        call: a call.
        get: a property is read.
        handled: the lines around a call that failed in the run.
        ask: the lines that read a CA's answer.
        show: a request is shown.
        listed: a list.
    """

    comment: str
    head: Callable[[Port, dict[str, int]], Iterator[str]]
    name: Callable[[str], str]
    text: Callable[[str], str]
    values: dict[type, Callable[[Any], str]]
    number: Callable[[str], str]
    either: str
    both: str
    flags: str
    new: str
    set_object: str
    set_value: str
    put: str
    indexed_put: str
    statement: dict[bool, str]
    call: str
    get: str
    handled: Callable[[str, str], tuple[str, ...]]
    ask: Callable[[str], tuple[str, ...]]
    show: str
    listed: str


def write(port: Port, language: Language) -> str:
    """The script's text."""
    fitting = for_windows(port)
    lines = [*_commented(language, HEADER, fitting.script), *language.head(fitting, numbers_used(fitting))]
    writer = _Writer(language)
    for step in fitting.steps:
        lines += writer.lines(step)
    return "\n".join(lines) + "\n"


def _commented(language: Language, lines: tuple[str, ...], script: str) -> Iterator[str]:
    for line in lines:
        yield language.comment.format(one_line(line.format(script=script))).rstrip()


class _Writer:
    """Writes steps."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def lines(self, step: Step) -> tuple[str, ...]:
        """The lines of one step."""
        language = self._language
        if isinstance(step, Comment):
            return ("", language.comment.format(one_line(step.text)))
        if isinstance(step, New):
            return (language.new.format(language.name(step.name), step.prog_id),)
        if isinstance(step, Ask):
            return language.ask(language.name(step.name))
        if isinstance(step, Show):
            return (language.show.format(language.name(step.name)),)
        if not isinstance(step, Call):
            return ()
        text = self._call(step)
        return language.handled(text, step.failure) if step.failure else (text,)

    def _call(self, step: Call) -> str:
        language = self._language
        target = language.name(step.target)
        given = [self.value(one) for one in step.arguments]
        if step.kind == "put":
            form = language.put if len(given) == 1 else language.indexed_put
            return form.format(target, step.member, ", ".join(given[:-1]), given[-1])
        if not step.result:
            return language.statement[bool(step.gives)].format(target, step.member, ", ".join(given)).rstrip()
        said = (language.get if step.kind == "get" else language.call).format(target, step.member, ", ".join(given))
        return (language.set_object if step.gives == OBJECT else language.set_value).format(language.name(step.result), said)

    def value(self, argument: Argument) -> str:
        """A value as the language writes it."""
        language = self._language
        if isinstance(argument, Name):
            return language.name(argument.name)
        if isinstance(argument, Joined):
            return language.flags.format(language.both.join(map(self.value, argument.parts)))
        if isinstance(argument, Listed):
            return language.listed.format(", ".join(map(self.value, argument.items)))
        return spelled(argument.value, language)


def spelled(value: Any, language: Language) -> str:
    """A literal as the language writes it."""
    if isinstance(value, Enum) and isinstance(value, int):
        names = [language.number(name) for name in member_names(value)]
        if len(names) > 1:
            return language.flags.format(language.either.join(names))
        return names[0] if names else str(signed(value))
    if isinstance(value, str):
        return language.text(value)
    said = next((say for kind, say in language.values.items() if isinstance(value, kind)), None)
    return said(value) if said is not None else str(signed(value) if isinstance(value, int) else value)


def camel(name: str) -> str:
    """A name of the model in one word: "object_ids" is "objectIds"."""
    first, *others = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def pieces(text: str, length: int) -> list[str]:
    """A text in parts that fit a line; none ends between a carriage return and its line feed."""
    parts: list[str] = []
    while len(text) > length:
        cut = length + 1 if text[length - 1 : length + 1] == "\r\n" else length
        parts.append(text[:cut])
        text = text[cut:]
    return [*parts, text]


def one_line(text: str) -> str:
    """A comment that stays one line, and legible in whatever encoding a script is read in."""
    return "".join(one if one.isprintable() and one.isascii() else "?" for one in text)
