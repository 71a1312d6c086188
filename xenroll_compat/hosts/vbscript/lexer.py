"""VBScript's text as tokens: the library's lexer, with what it reads wrongly read here.

Mended: hexadecimal and octal numbers with a closing ampersand, numbers that begin or end with a point, strings and dates
that must end on their line, and the lines that hide a script from old browsers. Knows no grammar.
"""

from __future__ import annotations

import math
import re
from typing import Final

from ASPPY.lexer import Lexer, LexerError, Token

from xenroll_compat.hosts.vbscript.errors import SyntaxProblem
from xenroll_compat.hosts.vbscript.values import wrapped

_HIDING: Final = re.compile(r"^[ \t]*(<!--|//|-->)", re.MULTILINE)
_BASED: Final = re.compile(r"&(?:[hH]([0-9a-fA-F]+)|[oO]([0-7]+))(&?)")
_BASE: Final = re.compile(r"&(?:[hH][0-9a-fA-F]|[oO][0-9])")
_NUMBER: Final = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_STRING: Final = re.compile(r'"((?:[^"\r\n]|"")*)"')
_DATE: Final = re.compile(r"#([^#\r\n]+)#")
_NAME: Final = re.compile(r"\[([^\]\r\n]+)\]")
# What opens it -> its pattern, its kind, and the error where the pattern does not fit.
_QUOTED: Final[dict[str, tuple[re.Pattern[str], str, int]]] = {
    '"': (_STRING, "STRING", 1033),
    "#": (_DATE, "DATE", 1032),
    "[": (_NAME, "IDENT", 1007),
}
# Words that are keywords only beside others, and names everywhere else -> what stands before or after the keyword.
_SOFT: Final[dict[str, tuple[str, str]]] = {
    "PROPERTY": (r"(?:end|exit)[ \t]+$", r"[ \t]+(?:get|let|set)\b"),
    "DEFAULT": (r"$^", r"[ \t]+(?:property|function|sub)\b"),
    "EXPLICIT": (r"option[ \t]+$", r"$^"),
    "PRESERVE": (r"redim[ \t]+$", r"$^"),
    "STEP": (r"\bto\s+\S(?:(?!\bstep\b)[^\r\n]|_[ \t]*\r?\n)*$", r"$^"),
}
_BEFORE: Final = 200  # how far before a soft keyword its companion is looked for
_LONGEST: Final = 11  # a whole number of so many digits is no Long
# Operators, values and statements that the library knows by their text, so that one in brackets has to keep these.
_KNOWN_BY_TEXT: Final = frozenset(
    ("AND", "OR", "NOT", "XOR", "EQV", "IMP", "MOD", "TRUE", "FALSE", "EMPTY", "NULL", "NOTHING", "ON", "EXECUTE",
     "EXECUTEGLOBAL", "RANDOMIZE")
)  # fmt: skip
_LINE: Final = re.compile(r"\r\n|\r|\n")
_REMARK: Final = re.compile(r"[rR][eE][mM](?![A-Za-z0-9_])[^\r\n]*")
_OPERAND: Final = re.compile(r"[A-Za-z0-9_)\]]")


def prepared(text: str) -> str:
    """The text with the lines that hide it in a page (``<!--``, ``//-->``) made comments. No position changes.

    A text whose lines end in CR alone keeps them: every line end counts as one.
    """

    def comment(found: re.Match[str]) -> str:
        mark = found[1]
        return found[0][: -len(mark)] + "'" + mark[1:]

    lines = re.sub(r"\r(?!\n)", "\n", text)
    return _HIDING.sub(comment, lines)


def line_and_column(text: str, position: int) -> tuple[int, int]:
    """The line and the column of a position, both counted from 1."""
    ends = [end.end() for end in _LINE.finditer(text, 0, min(position, len(text)))]
    return len(ends) + 1, position - (ends[-1] if ends else 0) + 1


class ScriptLexer(Lexer):  # type: ignore[misc]
    """The library's lexer; raises SyntaxProblem."""

    text: str
    i: int

    def next_token(self) -> Token:
        """The next token."""
        self._skip_ws()
        char = self._peek()
        if char == "." and self.i and _OPERAND.match(self.text[self.i - 1]):
            return self._library_token()  # x.5 is no number, and neither is the point of x.y
        found = self._own_token(char)
        return found if found is not None else self._library_token()

    def _own_token(self, char: str) -> Token | None:
        if char.isdigit() or char == ".":
            found = self._matched(_NUMBER, "NUMBER")
            return self._sized(found) if found else None if char == "." else self._refused(1032)
        quoted = _QUOTED.get(char)
        if quoted is not None:
            pattern, kind, missing = quoted
            token = self._matched(pattern, kind) or self._refused(missing)
            text = _unquoted(token.value)
            held = char == "[" and text.upper() in _KNOWN_BY_TEXT
            return Token(kind, f"[{text}]" if held else text, token.pos)
        if self.text.startswith("><", self.i):
            self.i += 2
            return Token("NE", "<>", self.i - 2)
        remark = _REMARK.match(self.text, self.i)
        if remark is not None and self.text.endswith(".", 0, self.i):
            self.i += 3
            return Token("IDENT", remark[0][:3], self.i - 3)  # a member of that name
        if remark is not None:
            self.i = remark.end()
            return self.next_token()
        return self._based_number()

    def _sized(self, token: Token) -> Token:
        """A number with the digits that Python reads: a whole one past a Long is a Double, one past a Double error 6."""
        digits = token.value.lstrip("0") or "0"
        if digits.isdigit() and len(digits) < _LONGEST:
            return Token("NUMBER", digits, token.pos)
        if not math.isfinite(float(token.value)):
            raise SyntaxProblem(6, token.pos)
        return Token("NUMBER", repr(float(token.value)), token.pos)

    def _library_token(self) -> Token:
        start = self.i
        try:
            token = super().next_token()
        except LexerError:
            raise SyntaxProblem(1032, start) from None
        return self._name_of(token) if token.kind in _SOFT else token

    def _name_of(self, token: Token) -> Token:
        """A soft keyword as the name that it is where its companions are not beside it."""
        before, after = _SOFT[token.kind]
        line = self.text[max(token.pos - _BEFORE, 0) : token.pos]
        if re.search(before, line, re.IGNORECASE) or re.match(after, self.text[self.i : self.i + 20], re.IGNORECASE):
            return token
        return Token("IDENT", token.value, token.pos)

    def _matched(self, pattern: re.Pattern[str], kind: str) -> Token | None:
        found = pattern.match(self.text, self.i)
        if found is None:
            return None
        start, self.i = self.i, found.end()
        return Token(kind, found[0], start)

    def _based_number(self) -> Token | None:
        found = _BASED.match(self.text, self.i)
        if found is None:
            return self._refused(1031) if _BASE.match(self.text, self.i) else None
        number = int(found[1], 16) if found[1] else int(found[2], 8)
        if number > 0xFFFFFFFF:
            self._refused(1031)
        start, self.i = self.i, found.end()
        return Token("NUMBER", str(wrapped(number, long=bool(found[3]) or number > 0xFFFF)), start)

    def _refused(self, number: int) -> Token:
        raise SyntaxProblem(number, self.i)


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if text[0] == '"' else text[1:-1].strip()
