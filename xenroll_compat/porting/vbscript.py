"""A port as a VBScript for Windows Script Host. Knows the spelling of VBScript and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Final

from xenroll_compat.porting.model import ANSWER, SECRET, TEXT, Ask, Call, New, Parameter, Port
from xenroll_compat.porting.scripting import Language, camel, one_line, pieces, write

_LINE: Final = 76
_NAMED: Final = {"\r\n": "vbCrLf", "\n": "vbLf", "\r": "vbCr", "\t": "vbTab"}


def render(port: Port) -> str:
    """The script's text, in ASCII: Windows Script Host reads a file in the machine's code page."""
    return write(port, _VBSCRIPT)


def text(value: str) -> str:
    """A text as VBScript writes it: quotes doubled, and what is no ASCII beside them as ChrW."""
    if not value:
        return '""'
    units = value.replace("\r\n", "\x01\x02").encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    parts = []
    for plain, run in groupby(codes, lambda code: 0x20 <= code < 0x7F):
        if plain:
            parts.append('"' + "".join(map(chr, run)).replace('"', '""') + '"')
        else:
            parts += _named(list(run))
    return " & ".join(parts)


def _named(codes: list[int]) -> Iterator[str]:
    for code in codes:
        if code == 1:
            yield "vbCrLf"
        elif code != 2:
            yield _NAMED.get(chr(code), f"ChrW({code})")


def _joined(value: str) -> str:
    written = text(value)
    return f"({written})" if " & " in written else written


def _head(port: Port, numbers: dict[str, int]) -> Iterator[str]:
    yield from ("", "Option Explicit", "")
    for name, number in numbers.items():
        yield f"Const {name} = {number}"
    yield from (f"Dim {name}" for name in _declared(port))
    for constant in port.constants:
        name = camel(constant.name)
        first, *others = pieces(constant.value, _LINE)
        yield f"{name} = {text(first)}"
        for other in others:
            yield f"{name} = {name} & {text(other)}"
    position = 0
    for one in port.parameters:
        yield from _PARAMETERS[one.kind](one, position)
        position += one.kind != SECRET


def _declared(port: Port) -> Iterator[str]:
    """The variables, once each, in the order in which they are met."""
    yield from (camel(one.name) for one in port.constants)
    for one in port.parameters:
        yield camel(one.name)
        if one.kind == ANSWER:
            yield camel(one.name) + "File"
    results = (step.name if isinstance(step, New) else step.result if isinstance(step, Call) else "" for step in port.steps)
    yield from (camel(name) for name in results if name)
    if any(isinstance(step, Ask) for step in port.steps):
        yield _FILES


_FILES: Final = "fileSystem"


def _text_parameter(one: Parameter, position: int) -> Iterator[str]:
    name = camel(one.name)
    said = f"' {one.name.replace('_', ' ').capitalize()}: {one.about}; another value is argument {position + 1}."
    yield one_line(said)
    yield f"{name} = {text(str(one.example))}"
    yield f"If WScript.Arguments.Count > {position} Then {name} = WScript.Arguments({position})"


def _answer_parameter(one: Parameter, position: int) -> Iterator[str]:
    name = camel(one.name) + "File"
    yield f"' The file with {one.about}; another name is argument {position + 1}."
    yield f"{name} = {text(one.name + '.p7b')}"
    yield f"If WScript.Arguments.Count > {position} Then {name} = WScript.Arguments({position})"


def _secret_parameter(one: Parameter, _position: int) -> Iterator[str]:
    yield "' A secret of the run, which is written nowhere. InputBox shows what is typed."
    yield f"{camel(one.name)} = InputBox({text(one.prompt)})"


_PARAMETERS: Final = {TEXT: _text_parameter, ANSWER: _answer_parameter, SECRET: _secret_parameter}


def _handled(call: str, failure: str) -> tuple[str, ...]:
    told = f'If Err.Number <> 0 Then WScript.Echo "{failure} in the run; now: " & Hex(Err.Number) & " " & Err.Description'
    return ("On Error Resume Next", call, told, "On Error GoTo 0")


def _ask(name: str) -> tuple[str, ...]:
    return (
        f'Set {_FILES} = CreateObject("Scripting.FileSystemObject")',
        f"If Not {_FILES}.FileExists({name}File) Then",
        f'    MsgBox "Send the request to the CA, put its answer into " & {name}File & " and press OK."',
        "End If",
        f"{name} = {_FILES}.OpenTextFile({name}File, 1).ReadAll()",
    )


_VBSCRIPT: Final = Language(
    comment="' {0}",
    head=_head,
    name=camel,
    text=_joined,
    values={
        bool: lambda value: "True" if value else "False",
        type(None): lambda value: "Nothing",
        datetime: lambda value: f'CDate("{value:%Y-%m-%d %H:%M:%S}")',
    },
    number=lambda name: name,
    either=" Or ",
    both=" & ",
    flags="({0})",
    new='Set {0} = CreateObject("{1}")',
    set_object="Set {0} = {1}",
    set_value="{0} = {1}",
    put="{0}.{1} = {3}",
    indexed_put="{0}.{1}({2}) = {3}",
    statement={True: "{0}.{1} {2}", False: "{0}.{1} {2}"},
    call="{0}.{1}({2})",
    get="{0}.{1}",
    handled=_handled,
    ask=_ask,
    show="WScript.Echo {0}",
    listed="Array({0})",
)
