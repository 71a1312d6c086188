"""Conditional compilation: ``/*@cc_on ... @*/``, ``@if``, ``@elif``, ``@else``, ``@end``, ``@set`` and the ``@`` variables.

A text becomes one without them and with the same lines: what is left out is replaced by blanks. The expressions are
JScript's own, so whoever calls evaluates them. Knows no tokens beyond strings and comments.
Source: Microsoft's JScript language reference, "Conditional Compilation" and "Conditional Compilation Variables".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Evaluate = Callable[[str], object]

# What the 32-bit JScript 5.8 of Windows answers; a variable that is not set is NaN.
_VARIABLES: Final[dict[str, str]] = {
    "_win32": "true",
    "_x86": "true",
    "_jscript": "true",
    "_jscript_version": "5.8",
    "_jscript_build": "18702",
}
_PIECE: Final = re.compile(
    r"""
      (?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    | (?P<opening>/\*@(?:cc_on\b)?|//@(?:cc_on\b)?)
    | (?P<closing>@?\*/)
    | (?P<comment>//[^\n]*|/\*.*?\*/)
    | @(?P<word>\w+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT: Final = re.compile(r"\s*@(\w+)\s*=\s*(\([^\n]*?\)|[^\s;]+)")


def compile_conditionally(source: str, evaluate: Evaluate) -> str:
    """A text with its conditional compilation carried out. One without ``@cc_on`` and ``@if`` comes back as it is.

    Args:
        source: the text.
        evaluate: gives the value of a JScript expression without variables.
    """
    if not re.search(r"@(?:cc_on|if|set)\b", source):
        return source
    return _Compilation(source, evaluate).run()


class _Compilation:
    def __init__(self, source: str, evaluate: Evaluate) -> None:
        self._source = source
        self._evaluate = evaluate
        self._variables = dict(_VARIABLES)
        self._on = False
        self._open = False  # within /*@ ... @*/
        self._branches: list[tuple[bool, bool]] = []  # of each @if: whether this branch is in, whether one was already
        self._out: list[str] = []

    def run(self) -> str:
        at = 0
        while (piece := _PIECE.search(self._source, at)) is not None:
            self._keep(self._source[at : piece.start()])
            at = self._take(piece)
        self._keep(self._source[at:])
        return "".join(self._out)

    def _take(self, piece: re.Match[str]) -> int:
        kind = piece.lastgroup or "word"
        text = piece.group()
        if kind == "opening":
            return self._opening(piece)
        if kind == "closing" and self._open:
            self._open = False
            self._blank(text)
        elif kind == "word":
            return self._word(piece)
        else:
            self._keep(text)
        return piece.end()

    def _opening(self, piece: re.Match[str]) -> int:
        text = piece.group()
        self._on = self._on or text.endswith("cc_on")
        if not self._on:  # an ordinary comment
            ends = "\n" if text.startswith("//") else "*/"
            end = self._source.find(ends, piece.end())
            end = len(self._source) if end < 0 else end + (2 if ends == "*/" else 0)
            self._keep(self._source[piece.start() : end])
            return end
        self._open = self._open or text.startswith("/*")
        directive = text.endswith("@") and re.match(r"\w", self._source[piece.end() :]) is not None
        self._blank(text[:-1] if directive else text)
        return piece.end() - directive

    def _word(self, piece: re.Match[str]) -> int:
        word = piece.group("word")
        action = self._directives.get(word)
        if action is not None:
            end = action(self, piece.end())
            self._blank(self._source[piece.start() : end])
            return end
        self._keep(self._variables.get(word, "NaN") if self._on else piece.group())
        return piece.end()

    def _turn_on(self, at: int) -> int:
        self._on = True
        return at

    def _if(self, at: int) -> int:
        self._on = True
        end = self._condition_end(at)
        value = self._included() and self._value(self._source[at:end])
        self._branches.append((value, value or not self._included()))
        return end

    def _elif(self, at: int) -> int:
        end = self._condition_end(at)
        if self._branches:
            _, done = self._branches[-1]
            value = not done and self._value(self._source[at:end])
            self._branches[-1] = (value, done or value)
        return end

    def _else(self, at: int) -> int:
        if self._branches:
            _, done = self._branches[-1]
            self._branches[-1] = (not done, True)
        return at

    def _end(self, at: int) -> int:
        if self._branches:
            self._branches.pop()
        return at

    def _set(self, at: int) -> int:
        self._on = True
        given = _ASSIGNMENT.match(self._source, at)
        if given is None:
            return at
        if self._included():
            value = self._evaluate(self._substituted(given.group(2)))
            self._variables[given.group(1)] = str(value).lower() if isinstance(value, bool) else str(value)
        return given.end()

    def _condition_end(self, at: int) -> int:
        """Behind the parenthesis that closes the condition at ``at``."""
        depth = 0
        for offset in range(at, len(self._source)):
            character = self._source[offset]
            depth += (character == "(") - (character == ")")
            if depth == 0 and character == ")":
                return offset + 1
        return len(self._source)

    def _value(self, expression: str) -> bool:
        value = self._evaluate(self._substituted(expression))
        return bool(value) and value == value  # noqa: PLR0124  NaN is false

    def _substituted(self, expression: str) -> str:
        return re.sub(r"@(\w+)", lambda name: self._variables.get(name.group(1), "NaN"), expression)

    def _included(self) -> bool:
        return all(included for included, _ in self._branches)

    def _keep(self, text: str) -> None:
        if self._included():
            self._out.append(text)
        else:
            self._blank(text)

    def _blank(self, text: str) -> None:
        self._out.append(re.sub(r"[^\r\n]", " ", text))

    _directives: Final[dict[str, Callable[[_Compilation, int], int]]] = {
        "cc_on": _turn_on,
        "if": _if,
        "elif": _elif,
        "else": _else,
        "end": _end,
        "set": _set,
    }
