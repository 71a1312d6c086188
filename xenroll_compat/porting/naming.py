"""Readable names for a port: objects, results, parameters, and constants for values that are long or stand twice.

Replaces the placeholders of ``building``. Names are words with underscores; each language writes them in its own way, in
which no two of them become one and none is a word of a language. Knows no language but those words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from enum import Enum
from typing import Final, TypeGuard

from xenroll_compat.porting.model import (
    Argument,
    Call,
    Constant,
    Facade,
    Joined,
    Listed,
    Literal,
    Name,
    New,
    Parameter,
    Port,
    Step,
    arguments_of,
    renamed,
    with_arguments,
)

_LONG: Final = 60
_SHORTEST_TWICE: Final = 4  # a shorter text is as readable where it stands
_MARK: Final = "#"

# Words of Python, PowerShell and VBScript (and what the ports call their own helpers), which no name may be.
_WORDS: Final = (
    "and as assert async await break class continue def del elif else except false finally for from global if import in is "
    "lambda none nonlocal not or pass raise return true try while with yield certenroll facade getpass sys base64 path "
    "print open input args error host home pid pwd this null input matches begin end param process switch function "
    "call const dim do each empty eqv erase exit explicit get goto imp let loop me mod new next nothing on option preserve "
    "private property public randomize redim rem resume select set step stop sub then to type until wend xor date time now "
    "name left right mid len string space split join filter replace array hex oct int fix abs sgn log exp sin cos tan atn "
    "rnd year month day hour minute second weekday timer eval execute msgbox inputbox wscript err asc chr cbool cbyte ccur "
    "cdate cdbl cint clng csng cstr createobject getobject getref instr isarray isdate isempty isnull isnumeric isobject "
    "lbound ubound lcase ucase ltrim rtrim trim rgb round scriptengine strcomp strreverse typename vartype datevalue "
    "timevalue"
)
_TAKEN: Final = frozenset(_WORDS.split())


def named_port(script: str, parameters: Iterable[Parameter], steps: tuple[Step, ...]) -> Port:
    """A port with readable names.

    Args:
        script: the name of the script's file.
        parameters: all that the run had from outside; those that no step uses are left out.
        steps: with placeholders.
    """
    used = {name for step in steps for argument in arguments_of(step) for name in _names(argument)}
    asked = [one for one in parameters if one.name in used]
    names = _assign((*(one.name for one in asked), *_placeholders(steps)))
    written = [renamed(step, names) for step in steps]
    constants = _constants(written, set(names.values()))
    values = {_key(constant.value): constant.name for constant in constants}
    finished = tuple(with_arguments(step, lambda argument: _with_constants(argument, values)) for step in written)
    return Port(script, constants, tuple(replace(one, name=names[one.name], origin=one.name) for one in asked), finished)


def _assign(placeholders: Iterable[str]) -> dict[str, str]:
    """A name for each placeholder: its words, with a number from the second of a kind on."""
    names: dict[str, str] = {}
    taken = set(_TAKEN)
    for placeholder in placeholders:
        if placeholder not in names:
            names[placeholder] = _free(placeholder.partition(":")[2] or "value", taken)
    return names


def _free(words: str, taken: set[str]) -> str:
    base = words if words.replace("_", "") not in _TAKEN and words[:1].isalpha() else f"the_{words}"
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    taken.add(name)
    return name


def _placeholders(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        name = step.name if isinstance(step, New) else step.result if isinstance(step, (Call, Facade)) else ""
        if _MARK in name:
            yield name


def _constants(steps: list[Step], taken: set[str]) -> tuple[Constant, ...]:
    """The values that get a name: those that stand more than once, and long ones."""
    literals = [one for step in steps for argument in arguments_of(step) for one in _literals(argument)]
    counts = Counter(_key(one.value) for one in literals)
    found: dict[object, Constant] = {}
    names = taken | _TAKEN
    for one in literals:
        key = _key(one.value)
        if key not in found and (len(one.value) > _LONG or counts[key] > 1):
            found[key] = Constant(_free(one.hint or "value", names), one.value)
    return tuple(found.values())


def _literals(argument: Argument) -> Iterator[Literal]:
    if isinstance(argument, Joined):
        yield from (part for part in argument.parts if _is_long(part))
    elif isinstance(argument, Listed):
        for item in argument.items:
            yield from _literals(item)
    elif isinstance(argument, Literal):
        value = argument.value
        if isinstance(value, (str, bytes)) and len(value) >= _SHORTEST_TWICE:
            yield argument


def _is_long(part: Literal | Name) -> TypeGuard[Literal]:
    return isinstance(part, Literal) and len(part.value) > _LONG


def _with_constants(argument: Argument, values: dict[object, str]) -> Argument:
    if isinstance(argument, Joined):
        parts = (Name(values[_key(part.value)]) if _is_long(part) else part for part in argument.parts)
        return Joined(tuple(parts))
    if isinstance(argument, Listed):
        return replace(argument, items=tuple(_with_constants(item, values) for item in argument.items))
    if isinstance(argument, Literal) and isinstance(argument.value, (str, bytes)) and _key(argument.value) in values:
        return Name(values[_key(argument.value)])
    return argument


def _names(argument: Argument) -> Iterator[str]:
    if isinstance(argument, Name):
        yield argument.name
    for part in argument.parts if isinstance(argument, Joined) else argument.items if isinstance(argument, Listed) else ():
        yield from _names(part)


def _key(value: object) -> object:
    return type(value), value.value if isinstance(value, Enum) else value
