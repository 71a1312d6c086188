"""Which members of the control a script calls, in its run and in its text, and what replaces each.

The text is only searched, for names after a dot in any language: a member that the run did not come to is found all the
same, and one whose name is put together while the script runs is not. Knows no port.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xenroll_compat.porting.recording import Entry, is_host, is_legacy
from xenroll_compat.porting.replacements import members, replacement

_MEMBER: Final = re.compile(r"\.\s*([A-Za-z]\w*)")
_SPELLINGS: Final = {name.lower(): name for name in members()}


@dataclass(frozen=True)
class Row:
    """One member of the control.

    Attributes:
        member: its name.
        calls: how often the run called it, read it and set it.
        lines: where its name stands in the text, counted from 1.
        replacement, note: as of replacements.Replacement.
    """

    member: str
    calls: int
    lines: tuple[int, ...]
    replacement: str
    note: str


def report(entries: tuple[Entry, ...], text: str) -> tuple[Row, ...]:
    """A row for each member that the run called or the text names, in the order of the alphabet.

    Args:
        entries: the script's own calls.
        text: the script.
    """
    counts = Counter(member for member in _called(entries) if member.lower() in _SPELLINGS)
    lines = _lines(text)
    names = sorted({*counts, *lines}, key=str.lower)
    return tuple(_row(name, counts[name], lines.get(name, ())) for name in names)


def _row(name: str, calls: int, lines: tuple[int, ...]) -> Row:
    told = replacement(name)
    return Row(told.member, calls, lines, told.replacement, told.note)


def _called(entries: tuple[Entry, ...]) -> Iterator[str]:
    """The members of the control that the script called, also by way of a host's object."""
    for entry in entries:
        if is_host(entry.call.target):
            yield from _called(entry.inner)
        elif is_legacy(entry.call.target):
            yield _SPELLINGS.get(entry.call.member.lower(), entry.call.member)


def _lines(text: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        for name in dict.fromkeys(_MEMBER.findall(line)):
            member = _SPELLINGS.get(name.lower())
            if member is not None and number not in found.setdefault(member, []):
                found[member].append(number)
    return {member: tuple(numbers) for member, numbers in found.items()}
