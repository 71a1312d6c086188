"""What a run had from outside, and where a text has a part that came from there.

A text that was given once is one parameter of the port; one that two inputs had alike is one for each use, since nobody can
tell them apart. Knows neither steps nor languages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from xenroll_compat.porting.members import snake

_SHORTEST: Final = 2
_LONGEST: Final = 80  # characters of a place
OF_THE_PAGE: Final = " of the page"
_FIELD: Final = re.compile(rf"the field (.+?)(?:{OF_THE_PAGE})?$")
_NUMBERS: Final = re.compile(r"[\d., ]*")
_KEY: Final = re.compile(r"([A-Za-z]+)\s*[=:]\s*\"?$")
# What stands before a part of a name -> what the part is called (RFC 4514 and X500NameFlags' keys).
_KEYS: Final = {
    "cn": "common_name", "o": "organization", "ou": "organizational_unit", "l": "locality", "s": "state", "st": "state",
    "c": "country", "e": "email", "g": "given_name", "sn": "surname", "t": "title", "dc": "domain_component",
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of a text that came from outside: where it stands, and the text."""

    start: int
    end: int
    text: str


@dataclass
class Inputs:
    """The inputs of one run."""

    _sources: dict[str, list[str]] = field(default_factory=dict)
    _typed: list[str] = field(default_factory=list)

    def note(self, text: str, where: str, *, typed: bool) -> None:
        """A text that the run had.

        Args:
            text: the text.
            where: what gave it: "the field cn".
            typed: whether its user gave it, so that it may be found within a longer text; what objects of the host tell
                besides is known as a whole only, and is no second source of what was typed.
        """
        if len(text) < _SHORTEST:
            return
        known = self._sources.setdefault(plain(text), [])
        place = _legible(where)
        is_again = place.removesuffix(OF_THE_PAGE) in known or place in known
        if not known or (typed and not (is_again and _FIELD.match(place))):
            known.append(place)
        if typed and text not in self._typed and not (text.isdigit() or _NUMBERS.fullmatch(text)):
            self._typed = sorted((*self._typed, text), key=len, reverse=True)

    def knows(self, text: str) -> bool:
        """Whether the run had a text from outside."""
        return plain(text) in self._sources

    def about(self, text: str) -> str:
        """Where a text came from, for a reader."""
        return f"what the run had from {' or '.join(dict.fromkeys(self._sources[plain(text)]))}"

    def is_ambiguous(self, text: str) -> bool:
        """Whether more than one input was this text."""
        return len(self._sources[plain(text)]) > 1

    def part_of(self, text: str) -> Part | None:
        """The first part of a text that its user typed, the longest where several begin there; None for none.

        A part ends where a word does, and numbers with dots (an object id) have none.
        """
        if _NUMBERS.fullmatch(text):
            return None
        found = [one for typed in self._typed if (one := _word(text, typed)) is not None]
        return min(found, key=lambda one: (one.start, -one.end), default=None)

    def name_of(self, text: str, before: str, hint: str) -> str:
        """What a part of a text is called: after the key before it ("CN="), the field that it was in, or the whole."""
        key = _KEY.search(before)
        if key is not None and key[1].lower() in _KEYS:
            return _KEYS[key[1].lower()]
        from_field = _FIELD.match(self._sources[plain(text)][0])
        words = re.sub(r"[^a-z0-9]+", "_", snake(from_field[1])).strip("_") if from_field is not None else ""
        return words or f"{hint}_part"


def plain(text: str) -> str:
    """A text without its line ends, which every script sets as it likes."""
    return text.replace("\r", "").replace("\n", "")


def _legible(where: str) -> str:
    """A place that can stand in a comment of any language: names of fields are of whoever wrote the page."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in where)[:_LONGEST]


def _word(text: str, wanted: str) -> Part | None:
    found = re.search(rf"(?<![\w.]){re.escape(wanted)}(?![\w.])", text)
    return Part(found.start(), found.end(), wanted) if found is not None else None
