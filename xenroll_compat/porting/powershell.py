"""A port as a PowerShell script for Windows. Knows the spelling of PowerShell and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from xenroll_compat.porting.model import ANSWER, SECRET, TEXT, Parameter, Port
from xenroll_compat.porting.scripting import Language, camel, one_line, pieces, write

_LINE: Final = 76
_NAMED: Final = {"\r\n": '"`r`n"', "\n": '"`n"', "\r": '"`r"', "\t": '"`t"'}
_PARTS: Final = re.compile(r"[ -~]+|\r\n|.", re.DOTALL)


def render(port: Port) -> str:
    """The script's text, in ASCII: PowerShell 5 reads a file without a mark in the machine's code page."""
    return write(port, _POWERSHELL)


def _name(name: str) -> str:
    return "$" + camel(name)


def text(value: str) -> str:
    """A text as PowerShell writes it: in single quotes, where nothing means anything, and the rest as characters."""
    parts = [part for found in _PARTS.findall(value) for part in _spelled(found)]
    if not parts or parts[0].startswith("["):
        parts.insert(0, "''")  # what a sum begins with says what it is a sum of
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"


def _spelled(part: str) -> Iterator[str]:
    if part in _NAMED:
        yield _NAMED[part]
    elif part.isascii() and part.isprintable():
        yield "'" + part.replace("'", "''") + "'"
    else:
        units = part.encode("utf-16-be", "surrogatepass")
        yield from (f"[char]0x{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2))


def _head(port: Port, numbers: dict[str, int]) -> Iterator[str]:
    declared = [_DECLARED[one.kind](one) for one in port.parameters if one.kind in _DECLARED]
    if declared:
        yield from ("", "param(", ",\n".join(declared), ")")
    yield from ("", "$ErrorActionPreference = 'Stop'")
    if numbers:
        yield ""
    for name, number in numbers.items():
        yield f"${name} = {number}"
    for constant in port.constants:
        first, *others = pieces(constant.value, _LINE)
        yield f"{_name(constant.name)} = {text(first)}"
        for other in others:
            yield f"{_name(constant.name)} += {text(other)}"
    for one in port.parameters:
        if one.kind == SECRET:
            yield "# A secret of the run, which is written nowhere."
            asked = f"(Read-Host -AsSecureString {text(one.prompt.rstrip(': '))})"
            yield f"{_name(one.name)} = [System.Net.NetworkCredential]::new('', {asked}).Password"


def _text_parameter(one: Parameter) -> str:
    said = one_line(f"    # {one.name.replace('_', ' ').capitalize()}: {one.about}.") + "\n"
    return f"{said}    [string]{_name(one.name)} = {text(str(one.example))}"


def _answer_parameter(one: Parameter) -> str:
    return f"    # The file with {one.about}.\n    [string]{_name(one.name)}File = {text(one.name + '.p7b')}"


_DECLARED: Final = {TEXT: _text_parameter, ANSWER: _answer_parameter}


def _handled(call: str, failure: str) -> tuple[str, ...]:
    told = f'    Write-Warning "{failure} in the run; now: $($_.Exception.Message)"'
    return ("try {", f"    {call}", "} catch {", told, "}")


def _ask(name: str) -> tuple[str, ...]:
    return (
        f"if (-not (Test-Path -LiteralPath {name}File)) {{",
        f'    [void](Read-Host "Send the request to the CA, put its answer into {name}File and press Enter")',
        "}",
        f"{name} = [System.IO.File]::ReadAllText((Resolve-Path -LiteralPath {name}File).ProviderPath)",
    )


_POWERSHELL: Final = Language(
    comment="# {0}",
    head=_head,
    name=_name,
    text=text,
    values={
        bool: lambda value: "$true" if value else "$false",
        type(None): lambda value: "$null",
        datetime: lambda value: f"[datetime]'{value.isoformat(timespec='seconds')}'",
    },
    number=lambda name: f"${name}",
    either=" -bor ",
    both=" + ",
    flags="({0})",
    new="{0} = New-Object -ComObject '{1}'",
    set_object="{0} = {1}",
    set_value="{0} = {1}",
    put="{0}.{1} = {3}",
    indexed_put="{0}.{1}({2}) = {3}",
    statement={True: "[void]{0}.{1}({2})", False: "{0}.{1}({2})"},
    call="{0}.{1}({2})",
    get="{0}.{1}",
    handled=_handled,
    ask=_ask,
    show="Write-Output {0}",
    listed="@({0})",
)
