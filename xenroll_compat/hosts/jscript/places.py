"""The texts of a run, each at lines of its own, so that a line in the engine's stack names the text that it is in.

The engine gives every text the same name; a text is therefore evaluated behind as many empty lines as make its own lines
unlike those of every other. Knows what a stack looks like and nothing of errors.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from xenroll_compat.hosts.jscript.source import Normalized
from xenroll_compat.hosts.problems import Place

FIRST_LINE: Final = 2000  # the lines before it are the prelude's, and those of texts that scripts evaluate themselves
_FRAME: Final = re.compile(r"<input>:(\d+):(\d+)")


class _Text(NamedTuple):
    first: int  # the engine's line of its first line
    source: Normalized
    place: Place  # where its first character stands


class Spot(NamedTuple):
    """A place in a stack.

    Attributes:
        place: the line and column in the user's file.
        line: the text of that line as it was evaluated.
        column: where in it, counted from 0.
    """

    place: Place
    line: str
    column: int


class Texts:
    """The texts that were evaluated."""

    def __init__(self) -> None:
        self._texts: list[_Text] = []
        self._next = FIRST_LINE

    def add(self, source: Normalized, place: Place) -> str:
        """Notes a text and gives what the engine is to evaluate for it.

        Args:
            source: the text.
            place: where its first character stands in the user's file.
        """
        self._texts.append(_Text(self._next, source, place))
        padding = "\n" * (self._next - 1)
        self._next += len(source.lines) + 1
        return padding + source.text

    def spot(self, stack: str) -> Spot | None:
        """The innermost place of a stack that is in one of the texts, or None."""
        for line, column in _FRAME.findall(stack):
            if int(line) >= FIRST_LINE:
                return self._spot(int(line), int(column))
        return None

    def latest(self) -> Place:
        """Where the text that was added last begins: for an error that says no place."""
        return self._texts[-1].place if self._texts else Place()

    def _spot(self, line: int, column: int) -> Spot:
        text = next(text for text in reversed(self._texts) if text.first <= line)
        index = min(line - text.first, len(text.source.lines) - 1)
        own = text.source.original_column(index, max(column - 1, 0))
        shift = text.place.column - 1 if index == 0 and text.place.column else 0
        place = Place(text.place.file, max(text.place.line, 1) + index, own + 1 + shift)
        return Spot(place, text.source.lines[index], max(column - 1, 0))
