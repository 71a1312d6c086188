"""A regular expression as VBScript writes it, made one of Python's.

VBScript knows letters, digits and words of ASCII alone, groups that are counted, and no look behind; a reference to a group
that took no part is empty. What Python knows beside that is an error here, or stands for itself. Knows no objects.

Source: "Regular Expression Syntax" and the table of run-time errors in Microsoft's VBScript reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from xenroll_compat.hosts.automation import numbered

_SYNTAX, _QUANTIFIER, _BRACKET, _PARENTHESIS, _RANGE = 5017, 5018, 5019, 5020, 5021
_WORD: Final = "A-Za-z0-9_"
_SPACE: Final = r" \f\n\r\t\v"
_EDGE: Final = f"(?:(?<=[{_WORD}])(?![{_WORD}])|(?<![{_WORD}])(?=[{_WORD}]))"
# What stands behind a backslash: outside a class, and within one.
_CLASSES: Final[dict[str, tuple[str, str]]] = {
    "d": ("[0-9]", "0-9"), "D": ("[^0-9]", r"\x00-/:-\U0010ffff"),
    "w": (f"[{_WORD}]", _WORD), "W": (f"[^{_WORD}]", r"\x00-/:-@\[-^`{-\U0010ffff"),
    "s": (f"[{_SPACE}]", _SPACE), "S": (f"[^{_SPACE}]", r"\x00-\x08\x0e-\x1f!-\U0010ffff"),
    "b": (_EDGE, r"\x08"), "B": (f"(?!{_EDGE})", "B"),
}  # fmt: skip
_LETTERS: Final = frozenset("fnrtv")
_CODE: Final = re.compile(r"x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|0[0-7]{0,2}")
_TIMES: Final = re.compile(r"\{\d+(?:,\d*)?\}|[*+?]")
_GROUP: Final = re.compile(r"\((?:\?[:=!])?")


@lru_cache(maxsize=64)
def compiled(pattern: str, ignore_case: bool, multiline: bool) -> re.Pattern[str]:
    """A pattern of VBScript, compiled.

    Args:
        pattern: as a script writes it.
        ignore_case: whether letters match in either case.
        multiline: whether ^ and $ match at each line's ends.

    Raises:
        ComError: 5017 to 5021 for what is no pattern.
    """
    flags = (re.IGNORECASE if ignore_case else 0) | (re.MULTILINE if multiline else 0)
    try:
        return re.compile(_Translation(pattern, multiline).run(), flags)
    except (re.error, OverflowError) as error:
        raise numbered(_SYNTAX, f"{pattern!r}: {error}") from error


class _Translation:
    """One pattern, read from left to right."""

    def __init__(self, pattern: str, multiline: bool) -> None:
        self._pattern = pattern
        self._multiline = multiline
        self._at = 0
        self._open = 0
        self._may_repeat = False
        self._groups = len(re.findall(r"(?<!\\)(?:\\\\)*\((?!\?)", pattern))

    def run(self) -> str:
        pieces = []
        while self._at < len(self._pattern):
            read = self._rules.get(self._pattern[self._at], _Translation._plain)
            pieces.append(read(self))
        if self._open:
            raise numbered(_PARENTHESIS, f"{self._pattern!r}: a group is not closed")
        return "".join(pieces)

    def _take(self, length: int, *, repeats: bool) -> str:
        taken = self._pattern[self._at : self._at + length]
        self._at += length
        self._may_repeat = repeats
        return taken

    def _plain(self) -> str:
        return re.escape(self._take(1, repeats=True))

    def _any(self) -> str:
        return self._take(1, repeats=True)

    def _anchor(self) -> str:
        sign = self._take(1, repeats=False)
        return sign if sign != "$" or self._multiline else r"\Z"

    def _or(self) -> str:
        return self._take(1, repeats=False)

    def _begin(self) -> str:
        found = _GROUP.match(self._pattern, self._at)
        if found is None or (found[0] == "(" and self._pattern[self._at + 1 : self._at + 2] == "?"):
            raise numbered(_QUANTIFIER, f"{self._pattern!r}: a group does not begin so")
        self._open += 1
        return self._take(len(found[0]), repeats=False)

    def _end(self) -> str:
        if not self._open:
            raise numbered(_SYNTAX, f"{self._pattern!r}: a group ends that did not begin")
        self._open -= 1
        return self._take(1, repeats=True)

    def _repeat(self) -> str:
        found = _TIMES.match(self._pattern, self._at)
        if found is None:  # a brace that counts nothing
            return self._plain()
        if not self._may_repeat:
            raise numbered(_QUANTIFIER, f"{self._pattern!r}: there is nothing to repeat")
        lazy = self._pattern[found.end() : found.end() + 1] == "?"
        return self._take(len(found[0]) + lazy, repeats=False)

    def _escape(self) -> str:
        following = self._pattern[self._at + 1 : self._at + 2]
        if not following:
            raise numbered(_SYNTAX, f"{self._pattern!r}: nothing stands behind its last backslash")
        if following in _CLASSES:
            self._take(2, repeats=following not in "bB")
            return _CLASSES[following][0]
        number = re.compile(r"[1-9]\d?").match(self._pattern, self._at + 1)
        if number is not None and int(number[0]) <= self._groups:
            self._take(1 + len(number[0]), repeats=True)
            return f"(?({number[0]})(?:\\{number[0]})|)"
        return self._letter()

    def _letter(self) -> str:
        """An escape that stands for one letter, within a class or outside."""
        code = _CODE.match(self._pattern, self._at + 1)
        if code is not None:
            self._take(1 + len(code[0]), repeats=True)
            return re.escape(chr(_number(code[0])))
        letter = self._take(2, repeats=True)[1]
        return f"\\{letter}" if letter in _LETTERS else re.escape(letter)

    def _class(self) -> str:
        negative = self._pattern[self._at + 1 : self._at + 2] == "^"
        self._take(1 + negative, repeats=True)
        pieces = []
        while self._pattern[self._at : self._at + 1] != "]":
            if self._at >= len(self._pattern):
                raise numbered(_BRACKET, f"{self._pattern!r}: a class is not closed")
            pieces.append(self._member())
        self._take(1, repeats=True)
        inside = "".join(pieces)
        if not inside:
            return r"[\s\S]" if negative else "(?!)"
        return self._checked(f"[{'^' if negative else ''}{inside}]")

    def _member(self) -> str:
        """One letter of a class, a range of them, or a class that a letter stands for."""
        first, is_letter = self._one()
        behind = self._pattern[self._at : self._at + 2]
        if not is_letter or behind[:1] != "-" or behind in ("-", "-]"):
            return first
        self._take(1, repeats=True)
        last, is_letter = self._one()
        return f"{first}-{last}" if is_letter else rf"{first}\-{last}"

    def _one(self) -> tuple[str, bool]:
        if self._pattern[self._at] != "\\":
            return re.escape(self._take(1, repeats=True)), True
        known = _CLASSES.get(self._pattern[self._at + 1 : self._at + 2])
        if known is None:
            return (self._letter() if self._at + 1 < len(self._pattern) else self._escape()), True
        self._take(2, repeats=True)
        return known[1], False

    def _checked(self, made: str) -> str:
        try:
            re.compile(made)
        except re.error as error:
            raise numbered(_RANGE, f"{self._pattern!r}: {error}") from error
        return made

    _rules: Final[dict[str, Callable[[_Translation], str]]] = {
        ".": _any, "^": _anchor, "$": _anchor, "|": _or, "(": _begin, ")": _end, "*": _repeat, "+": _repeat, "?": _repeat,
        "{": _repeat, "\\": _escape, "[": _class,
    }  # fmt: skip


def _number(code: str) -> int:
    if code[0] == "c":
        return ord(code[1]) % 32
    return int(code[1:], 16) if code[0] in "xu" else int(code, 8)
