"""What a JScript text needs before an ECMAScript parser takes it, and before the bridge can keep its promises.

    catch (e) {            a run that is stopped cannot be caught, and the engine's own errors get JScript's numbers
    finally {              nor can a stopped run go on in it
    typeof x               an automation object is an "object", though a proxy that can be called is a function
    eval(x)                the text evaluated goes through here as well
    x.RawData              a property with parameters read without a call is its value
    x.Count()              and what is called without arguments, be it a property, is its value
    x.Item("a") = b        JScript assigns to what looks like a call; ECMAScript has no such sentence
    function a.b() {}      JScript declares functions on objects, and binds them to events: function a::b() {}
    /*@cc_on ... @*/       conditional compilation

Every line of the result is the same line of the source. Knows no engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from xenroll_compat.hosts.jscript.tokens import BEFORE_EXPRESSION, INSIGNIFICANT, Token, tokenize
from xenroll_compat.hosts.parameterized_properties import NAMES

Evaluate = Callable[[str], object]

CALLS: Final = "[$host.calls]"  # behind what a member is called on without arguments
_VALUES: Final = frozenset(name.lower() for name in NAMES if not name.startswith(("ItemBy", "IndexBy", "Property")))
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_OPENING: Final = {closing: opening for opening, closing in _CLOSING.items()}
_ASSIGNING: Final = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "++", "--"})
_NO_OPERAND: Final = frozenset({"function", "new", "typeof", "void", "delete"})
_NOT_CALLED: Final = BEFORE_EXPRESSION | {"if", "while", "for", "with"}
_CHANGING: Final = frozenset({"delete", "++", "--", "new"})


class Normalized(NamedTuple):
    """A text as it is evaluated.

    Attributes:
        text: the whole.
        lines: its lines.
        shifts: for each line that was changed, (column in it, how many more characters stand before it than in the source).
    """

    text: str
    lines: tuple[str, ...]
    shifts: dict[int, tuple[tuple[int, int], ...]]

    def original_column(self, line: int, column: int) -> int:
        """The column of the source, from 0, of a column of the line with that index."""
        shift = 0
        for start, more in self.shifts.get(line, ()):
            if start <= column:
                shift = more
        return max(column - shift, 0)


def normalize(source: str, evaluate: Evaluate) -> Normalized:
    """A text made ready for the engine.

    Args:
        source: the text as it stands in its file.
        evaluate: gives the value of an expression of conditional compilation.
    """
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    if "@" in text:
        from xenroll_compat.hosts.jscript.conditional import compile_conditionally

        text = compile_conditionally(text, evaluate)
    return _Rewriting(text).run()


class _Rewriting:
    """One text with the changes that are made to it: (offset, length replaced, replacement)."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = [token for token in tokenize(source) if token.kind not in INSIGNIFICANT]
        self._partners = _partners(self._tokens)
        self._edits: list[tuple[int, int, str]] = []

    def run(self) -> Normalized:
        for index, token in enumerate(self._tokens):
            rule = self._rules.get(token.text) if token.kind in {"name", "punctuator"} else None
            if rule is not None:
                rule(self, index)
            elif token.kind == "name" and token.text.lower() in _VALUES:
                self._read_value(index)
        return self._applied()

    def _text(self, index: int) -> str:
        if not 0 <= index < len(self._tokens) or self._tokens[index].kind in {"string", "regexp"}:
            return ""
        return self._tokens[index].text

    def _insert(self, index: int, text: str, *, after: bool = False) -> None:
        token = self._tokens[index]
        self._edits.append((token.start + len(token.text) * after, 0, text))

    def _replace(self, index: int, text: str) -> None:
        self._edits.append((self._tokens[index].start, len(self._tokens[index].text), text))

    def _catch(self, index: int) -> None:
        closing = self._partners.get(index + 1)
        if self._text(index - 1) != "}":
            return
        if self._text(index + 1) == "{":
            self._insert(index, "($e)", after=True)
            self._insert(index + 1, "$host.caught($e);", after=True)
        elif closing == index + 3 and self._tokens[index + 2].kind == "name" and self._text(closing + 1) == "{":
            self._insert(closing + 1, f"$host.caught({self._text(index + 2)});", after=True)

    def _finally(self, index: int) -> None:
        if self._text(index - 1) == "}" and self._text(index + 1) == "{":
            self._insert(index + 1, "$host.go();", after=True)

    def _typeof(self, index: int) -> None:
        if self._text(index - 1) == "." or index + 1 >= len(self._tokens):
            return
        first = self._tokens[index + 1]
        if (first.kind != "name" and first.text != "(") or first.text in _NO_OPERAND:
            return
        end = self._operand_end(index + 1)
        if end is None:
            return
        bare = end == index + 1 or (end == index + 3 and first.text == "(" and self._tokens[index + 2].kind == "name")
        self._replace(index, "$host.type(()=>")
        self._insert(end, ",1)" if bare else ")", after=True)

    def _operand_end(self, index: int) -> int | None:
        """The last token of the primary expression at ``index`` with all that is called and read on it."""
        end: int | None = self._partners.get(index) if self._text(index) == "(" else index
        while end is not None:
            following = self._text(end + 1)
            if following == ".":
                end += 2
            elif following in {"(", "["}:
                end = self._partners.get(end + 1)
            else:
                break
        return end

    def _eval(self, index: int) -> None:
        closing = self._partners.get(index + 1)
        called = self._text(index + 1) == "(" and closing is not None and closing > index + 2
        if called and closing is not None and self._text(index - 1) not in {".", "function", "new"}:
            self._insert(index + 1, "$host.source(", after=True)
            self._insert(closing, ")")

    def _read_value(self, index: int) -> None:
        following = self._text(index + 1)
        if self._text(index - 1) != "." or following == "(":
            return
        end = self._operand_end(index)
        if end is None or self._text(end + 1) in _ASSIGNING:  # ``form.signature.value = x``: a page's own names
            return
        if self._text(self._chain_start(index) - 1) not in _CHANGING:
            self._insert(index, "?.[$host.value]", after=True)

    def _called(self, index: int) -> None:
        """``x.Count()``: for an automation object, the object is asked to call or to read."""
        name, before = self._tokens[index - 1], self._text(index - 3)
        if self._partners.get(index) != index + 1 or self._text(index - 2) != "." or name.kind != "name":
            return
        followed = self._text(index + 2) in {"=", "{"}  # what is assigned to or declared is not called
        named = self._tokens[index - 3].kind == "name" and before != "super"
        if index >= 3 and not followed and (named or before in {")", "]"}):
            self._insert(index - 2, CALLS)

    def _function(self, index: int) -> None:
        """``function a.b() {}`` and ``function a::b() {}``."""
        end = index + 1
        while self._text(end + 1) in {".", "::"}:
            end += 2
        body = self._partners.get(end + 1, -1) + 1
        if end == index + 1 or self._text(end + 1) != "(" or self._text(body) != "{" or body not in self._partners:
            return
        self._replace(index, "")
        closing = self._partners[body]
        if self._text(end - 1) == ".":
            self._insert(end, " = function ", after=True)
            self._insert(closing, ";", after=True)
        else:
            self._insert(index + 1, "$host.on(")
            self._replace(end - 1, ",")
            self._replace(end, f'"{self._text(end)}", function ')
            self._insert(closing, ");", after=True)

    def _assign(self, index: int) -> None:
        """``a.b("c") = d`` and ``a("c") = d``."""
        opening = self._partners.get(index - 1)
        if self._text(index - 1) != ")" or opening is None or opening == 0 or self._tokens[opening - 1].kind != "name":
            return
        if self._text(opening - 1) in _NOT_CALLED:
            return
        start = self._chain_start(opening - 1)
        member = self._text(opening - 2) == "."
        self._insert(start, "$host.put(")
        if member:
            self._replace(opening - 2, ",")
            self._replace(opening - 1, f'"{self._text(opening - 1)}"')
        self._replace(opening, ",[" if member else ',"",[')
        self._replace(index - 1, "]")
        self._replace(index, ",")
        self._insert(self._expression_end(index + 1), ")", after=True)

    def _chain_start(self, index: int) -> int:
        """The first token of ``a.b(c).d`` whose last name is at ``index``."""
        while self._text(index - 1) == ".":
            index -= 2
            while self._text(index) in {")", "]"} and index in self._partners:
                index = self._partners[index]
                named = index > 0 and (self._tokens[index - 1].kind == "name" or self._text(index - 1) in {")", "]"})
                index -= named
        return index

    def _expression_end(self, index: int) -> int:
        """The last token of the expression at ``index``: before ``;``, ``,``, a closing bracket, or a line that ends it."""
        at = index
        while at < len(self._tokens):
            at = self._partners.get(at, at) if self._text(at) in _CLOSING else at
            following = self._tokens[at + 1] if at + 1 < len(self._tokens) else None
            if following is None or following.text in {";", ",", *_OPENING} or self._line_ends(at, following):
                break
            at += 1
        return min(at, len(self._tokens) - 1)

    def _line_ends(self, index: int, following: Token) -> bool:
        token = self._tokens[index]
        between = self._source[token.start + len(token.text) : following.start]
        continues = token.kind == "punctuator" and token.text not in _OPENING
        return "\n" in between and not continues and not (following.kind == "punctuator" and following.text not in _CLOSING)

    def _applied(self) -> Normalized:
        pieces: list[str] = []
        shifts: dict[int, list[tuple[int, int]]] = {}
        at = 0
        for offset, length, replacement in sorted(self._edits, key=lambda edit: edit[:1]):
            pieces += (self._source[at:offset], replacement)
            at = max(offset + length, at)
            line = self._source.count("\n", 0, offset)
            known = shifts.setdefault(line, [])
            before = known[-1][1] if known else 0
            column = offset - (self._source.rfind("\n", 0, offset) + 1) + before + len(replacement)
            known.append((column, before + len(replacement) - length))
        text = "".join([*pieces, self._source[at:]])
        return Normalized(text, tuple(text.split("\n")), {line: tuple(known) for line, known in shifts.items()})

    _rules: Final[dict[str, Callable[[_Rewriting, int], None]]] = {
        "catch": _catch,
        "finally": _finally,
        "typeof": _typeof,
        "eval": _eval,
        "function": _function,
        "=": _assign,
        "(": _called,
    }


def _partners(tokens: list[Token]) -> dict[int, int]:
    """For each bracket the index of the one that closes or opens it; none for one without a partner."""
    found: dict[int, int] = {}
    open_brackets: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind != "punctuator":
            continue
        if token.text in _CLOSING:
            open_brackets.append(index)
        elif open_brackets and _CLOSING[tokens[open_brackets[-1]].text] == token.text:
            opening = open_brackets.pop()
            found[opening], found[index] = index, opening
    return found
