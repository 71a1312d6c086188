"""The tokens of a JScript text: enough to find a keyword outside strings, comments and regular expressions.

Nothing is lost: the texts of the tokens, joined, are the source. Knows no grammar.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
      (?P<blank>[\s\ufeff]+)
    | (?P<comment>//[^\n]*|<!--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>"(?:\\(?:\r\n|.)|[^"\\\n])*"|'(?:\\(?:\r\n|.)|[^'\\\n])*'|`(?:\\.|[^`\\])*`)
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d][\w$]*|\$[\w$]*)
    | (?P<punctuator>>>>=|===|!==|>>>|<<=|>>=|&&|\|\||==|!=|<=|>=|\+\+|--|[-+*/%&|^]=|=>|<<|>>|::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_REGULAR_EXPRESSION: Final = r"/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*"  # compiled where one may stand
BEFORE_EXPRESSION: Final = frozenset(
    {"return", "typeof", "case", "in", "delete", "void", "throw", "new", "do", "else", "instanceof"}
)
INSIGNIFICANT: Final = frozenset({"blank", "comment"})


class Token(NamedTuple):
    """A token: its kind ("blank", "comment", "string", "number", "name", "regexp", "punctuator"), its text, its offset."""

    kind: str
    text: str
    start: int


def tokenize(source: str) -> list[Token]:
    """The tokens of a text, blanks and comments among them. Takes every text; what is wrong in it, the engine will say."""
    found: list[Token] = []
    previous: Token | None = None
    at = 0
    while at < len(source):
        token = _token(source, at, previous)
        found.append(token)
        if token.kind not in INSIGNIFICANT:
            previous = token
        at += len(token.text)
    return found


def _token(source: str, at: int, previous: Token | None) -> Token:
    if source[at] == "/" and _expression_may_begin(previous):
        literal = re.compile(_REGULAR_EXPRESSION).match(source, at)
        if literal is not None:
            return Token("regexp", literal.group(), at)
    match = _TOKEN.match(source, at)
    if match is None or match.lastgroup is None:
        return Token("punctuator", source[at], at)
    return Token(match.lastgroup, match.group(), at)


def _expression_may_begin(previous: Token | None) -> bool:
    if previous is None:
        return True
    if previous.kind == "name":
        return previous.text in BEFORE_EXPRESSION
    return previous.kind == "punctuator" and previous.text not in {")", "]", "}"}
