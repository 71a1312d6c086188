"""A port as a Python program for certenroll. Knows the spelling of Python, and nothing of how a port comes about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum, IntFlag
from typing import Any, Final

from certenroll.com import ComObject
from xenroll_compat.porting.members import set_bits
from xenroll_compat.porting.model import (
    ANSWER,
    SECRET,
    TEXT,
    Argument,
    Ask,
    Call,
    Comment,
    Constant,
    Facade,
    Joined,
    Listed,
    Literal,
    Name,
    New,
    Parameter,
    Port,
    Show,
    Step,
    arguments_of,
)

_WIDTH: Final = 100
_HEADER: Final = '''"""The CertEnroll port of {script}, written by "xenroll port" from a run of it.

These are the calls of CertEnroll that the run made: its loops are unrolled, and where it took a branch, the other one is
not here. Each comment names the call of the old control that the lines below it do the work of.
"""
'''


def render(port: Port) -> str:
    """The program's text."""
    parameters = [_PARAMETERS[one.kind](one) for one in port.parameters]
    constants = [_constant(one) for one in port.constants]
    blocks = ["\n".join(_imports(port)), "\n".join(parameters), "\n".join(constants), "\n".join(_steps(port))]
    return _HEADER.format(script=_in_docstring(port.script)) + "\n" + "\n\n".join(block for block in blocks if block) + "\n"


def _imports(port: Port) -> Iterator[str]:
    kinds = {one.kind for one in port.parameters}
    literals = [one.value for step in port.steps for one in arguments_of(step) if isinstance(one, Literal)]
    failed = any(step.failure for step in port.steps if isinstance(step, (Call, Facade)))
    wanted = {
        "base64": any(step.is_binary for step in port.steps if isinstance(step, Show)),
        "datetime": any(isinstance(value, datetime) for value in literals),
        "getpass": SECRET in kinds,
        "pathlib": ANSWER in kinds,
        "sys": failed or bool(kinds),
    }
    yield from (f"import {name}" for name, is_used in wanted.items() if is_used)
    if any(wanted.values()):
        yield ""
    yield "import certenroll"
    asked = any(one.kind == SECRET and isinstance(one.example, bytes) for one in port.parameters)
    if asked or any(isinstance(step, Facade) for step in port.steps):
        yield "from certenroll import facade"
    enumerations = sorted({type(value).__name__ for value in literals if isinstance(value, Enum)})
    yield from _wrapped_import(enumerations)


def _wrapped_import(names: list[str]) -> Iterator[str]:
    line = f"from certenroll.enums import {', '.join(names)}"
    if len(line) > _WIDTH:
        yield from ("from certenroll.enums import (", *(f"    {name}," for name in names), ")")
    elif names:
        yield line


# Parameters

def _text_parameter(one: Parameter) -> str:
    return (
        f"# {one.name.capitalize().replace('_', ' ')}: {one.about}; another value is given as {_option(one)}VALUE.\n"
        f"{one.name} = {_from_command_line(one, one.example)}"
    )


def _option(one: Parameter) -> str:
    return f"--{one.name.replace('_', '-')}="


def _from_command_line(one: Parameter, default: str | bytes) -> str:
    option = _option(one)
    return f"next((given[{len(option)}:] for given in sys.argv if given.startswith({option!r})), {default!r})"


def _answer_parameter(one: Parameter) -> str:
    head = one.example if isinstance(one.example, str) else one.example.hex()
    shown = " ".join(head.split())[:48]
    return (
        f"# The file with {one.about}, given as {_option(one)}FILE. In the run it began {shown!r}: it fits another key.\n"
        f"{one.name}_file = {_from_command_line(one, one.name + '.p7b')}"
    )


def _secret_parameter(one: Parameter) -> str:
    asked, about = f"getpass.getpass({one.prompt!r})", ""
    if isinstance(one.example, bytes):
        asked, about = f"facade.asked_bytes({asked})", " A file's name does as well, a .pvk file's for its key."
    return (
        f"# A secret of the run, which is written nowhere.{about}\n"
        f"try:\n"
        f"    {one.name} = {asked}\n"
        f"except EOFError:\n"
        f"    sys.exit({one.prompt.rstrip(': ') + ': it is asked for, and nobody is there to answer'!r})"
    )


_PARAMETERS: Final[dict[str, Callable[[Parameter], str]]] = {
    TEXT: _text_parameter,
    ANSWER: _answer_parameter,
    SECRET: _secret_parameter,
}


def _constant(one: Constant) -> str:
    return f"{one.name.upper()} = {_long(one.value)}"


# Steps

def _steps(port: Port) -> Iterator[str]:
    constants = {one.name: one.name.upper() for one in port.constants}
    answers = {one.name: one for one in port.parameters}
    writer = _Writer(constants, answers)
    for step in port.steps:
        yield from writer.lines(step)


class _Writer:
    """Writes steps; knows which names are constants."""

    def __init__(self, constants: dict[str, str], parameters: dict[str, Parameter]) -> None:
        self._constants = constants
        self._parameters = parameters

    def lines(self, step: Step) -> Iterator[str]:
        """The lines of one step."""
        if isinstance(step, Comment):
            yield from ("", f"# {step.text}")
        elif isinstance(step, New):
            yield f'{step.name} = certenroll.Dispatch("{step.prog_id}")'
        elif isinstance(step, Ask):
            yield from self._asking(step.name)
        elif isinstance(step, Show):
            yield f"print(base64.b64encode({step.name}).decode())" if step.is_binary else f"print({step.name})"
        else:
            text = self._call(step) if isinstance(step, Call) else self._facade(step)
            yield from _handled(text, step.failure) if step.failure else (text,)

    def _asking(self, name: str) -> Iterator[str]:
        read = "read_bytes()" if isinstance(self._parameters[name].example, bytes) else 'read_text("latin-1")'
        yield f"if not pathlib.Path({name}_file).exists():"
        yield "    try:"
        yield f'        input(f"Send the request to the CA, put its answer into {{{name}_file}} and press Enter: ")'
        yield "    except (EOFError, RuntimeError):  # nobody is there to wait for"
        yield "        print(file=sys.stderr)"
        yield f"    if not pathlib.Path({name}_file).exists():"
        yield f'        sys.exit(f"{{{name}_file}} is not there: put the CA\'s answer into it, or give {_named_file(name)}")'
        yield f"{name} = pathlib.Path({name}_file).{read}"

    def _call(self, step: Call) -> str:
        given = [self._value(one) for one in step.arguments]
        named = f"{step.target}.{step.member}"
        before = f"{step.result} = " if step.result else ""
        if step.kind == "get":
            return f"{before}{named}"
        if step.kind == "put" and len(given) == 1:
            is_number = isinstance(step.arguments[0], Literal) and isinstance(step.arguments[0].value, IntFlag)
            return _wrapped_put(named, given[0]) if is_number else f"{named} = {given[0]}"
        if step.kind == "put":
            named = f"{step.target}.Set{step.member}"
        return _wrapped(f"{before}{named}(", given)

    def _facade(self, step: Facade) -> str:
        given = [self._value(one) for one in step.arguments]
        given += [f"{name}={self._value(one)}" for name, one in step.named]
        return _wrapped(f"{step.result} = facade.{step.function}(" if step.result else f"facade.{step.function}(", given)

    def _value(self, argument: Argument) -> str:
        if isinstance(argument, Name):
            return self._constants.get(argument.name, argument.name)
        if isinstance(argument, Joined):
            return " + ".join(map(self._value, argument.parts))
        if isinstance(argument, Listed):
            if argument.is_mapping:
                pairs = (one.items for one in argument.items if isinstance(one, Listed))
                return "{" + ", ".join(f"{self._value(key)}: {self._value(value)}" for key, value in pairs) + "}"
            return "[" + ", ".join(map(self._value, argument.items)) + "]"
        return spelled(argument.value)


def _named_file(name: str) -> str:
    return f"--{name.replace('_', '-')}=FILE"


def _handled(text: str, failure: str) -> Iterator[str]:
    """A call that failed in the run, and whose error the script handled."""
    yield "try:"
    yield from (f"    {line}" for line in text.split("\n"))
    yield "except certenroll.ComError as error:"
    yield f'    print(f"{failure} in the run; now: {{error}}", file=sys.stderr)'


def _wrapped_put(named: str, given: str) -> str:
    """A put; flags beyond the line's end stand one a line."""
    line = f"{named} = {given}"
    flags = given.split(" | ")
    if len(line) <= _WIDTH or len(flags) == 1:
        return line
    return "\n".join([f"{named} = (", f"    {flags[0]}", *(f"    | {flag}" for flag in flags[1:]), ")"])


def _wrapped(start: str, given: list[str]) -> str:
    text = f"{start}{', '.join(given)})"
    if len(text) <= _WIDTH or not given:
        return text
    return "\n".join([start, *(f"    {one}," for one in given), ")"])


def spelled(value: Any) -> str:
    """A value as Python writes it; an enumeration's by Microsoft's names."""
    if isinstance(value, Enum):
        owner = type(value).__name__
        if isinstance(value, IntFlag):
            return " | ".join(f"{owner}.{name}" for name in set_bits(value)) or str(int(value))
        return f"{owner}.{value.name}"
    if isinstance(value, datetime):
        return repr(value)
    if isinstance(value, ComObject):
        return "None"
    return repr(value)


def _long(value: str | bytes) -> str:
    """A long value over several lines."""
    text = repr(value)
    if len(text) <= _WIDTH:
        return text
    parts = [value[at : at + 64] for at in range(0, len(value), 64)]
    return "\n".join(["(", *(f"    {part!r}" for part in parts), ")"])


def _in_docstring(name: str) -> str:
    return name.replace("\\", "/").replace('"', "'")
