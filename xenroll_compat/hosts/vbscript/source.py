"""A script's text once it is read: its statements, what they declare, and where each stands. Runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ASPPY import ast_nodes as tree

from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.vbscript.errors import SyntaxProblem
from xenroll_compat.hosts.vbscript.grammar import parse, parse_expression
from xenroll_compat.hosts.vbscript.lexer import line_and_column, prepared
from xenroll_compat.hosts.vbscript.rules import blocks, check

_GIVING: Final = ("FUNCTION", "GET")


@dataclass(frozen=True)
class Declarations:
    """What a body of statements declares before any of them runs."""

    variables: tuple[Any, ...] = ()
    constants: tuple[tuple[str, Any, int], ...] = ()  # name, value, position in the text
    procedures: tuple[Any, ...] = ()
    classes: tuple[Any, ...] = ()
    explicit: bool = False


@dataclass
class Unit:
    """One text: a file, a page's script, or what Execute was given.

    Attributes:
        text: the text.
        place: where it begins in its file.
        statements: its syntax tree.
        declared: what it declares.
        explicit: whether Option Explicit stands in it.
    """

    text: str
    place: Place
    statements: list[Any] = field(default_factory=list)
    declared: Declarations = Declarations()
    explicit: bool = False
    _spellings: dict[str, str] = field(default_factory=dict)

    def place_of(self, position: int) -> Place:
        """The place of an offset in the text."""
        line, column = line_and_column(self.text, position)
        first = self.place.column - 1 if line == 1 and self.place.column else 0
        return Place(self.place.file, max(self.place.line, 1) + line - 1, column + first)

    def spelled(self, name: str) -> str:
        """A name as the text writes it; the syntax tree has capitals only."""
        known = self._spellings.get(name)
        if known is None:
            found = re.search(rf"(?<![A-Za-z0-9_]){re.escape(name)}(?![A-Za-z0-9_])", self.text, re.IGNORECASE)
            known = self._spellings[name] = found[0] if found else name
        return known


@dataclass
class Procedure:
    """A Sub, a Function or one procedure of a property.

    Attributes:
        name: in capitals.
        kind: "SUB", "FUNCTION", "GET", "LET" or "SET".
        parameters: its parameters, each with ``name`` and ``byval``.
    """

    name: str
    kind: str
    parameters: list[Any]
    body: list[Any]
    unit: Unit
    public: bool = True
    declared: Declarations = field(init=False)

    def __post_init__(self) -> None:
        self.declared = declarations(self.body)

    @property
    def gives(self) -> bool:
        """Whether it has a result."""
        return self.kind in _GIVING


def compiled(text: str, place: Place, *, handler: bool = False) -> Unit:
    """A text as a unit. ``handler`` says that it is the body of a procedure. Raises SyntaxProblem with its place."""
    unit = Unit(prepared(text), place)
    try:
        unit.statements = parse(unit.text)
        check(unit.statements, within=frozenset(("SUB", "FUNCTION") if handler else ()))
    except SyntaxProblem as problem:
        problem.place = unit.place_of(problem.position)
        raise
    unit.declared = declarations(unit.statements)
    unit.explicit = unit.declared.explicit
    return unit


def expression(text: str, place: Place) -> Any:
    """A text as one expression, for Eval. Raises SyntaxProblem with its place."""
    try:
        return parse_expression(text)
    except SyntaxProblem as problem:
        problem.place = place
        raise


def declarations(statements: list[Any]) -> Declarations:
    """What statements declare, at whatever depth of their blocks."""
    every = list(_within(statements))
    return Declarations(
        tuple(decl for node in every if isinstance(node, tree.DimStmt) for decl in node.decls),
        tuple((*item, node._pos) for node in every if isinstance(node, tree.ConstStmt) for item in node.items),
        tuple(node for node in every if isinstance(node, (tree.SubDef, tree.FuncDef))),
        tuple(node for node in every if isinstance(node, tree.ClassDef)),
        any(isinstance(node, tree.OptionExplicitStmt) for node in every),
    )


def _within(statements: list[Any] | None) -> Iterator[Any]:
    for node in statements or ():
        yield node
        for block in blocks(node):
            yield from _within(block)
