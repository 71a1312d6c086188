"""What the library's grammar lets through and the language does not: Exit outside of what it leaves, constants that are no
literals, procedures within procedures, names given twice. Looks at a syntax tree, and runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ASPPY import ast_nodes as tree

from xenroll_compat.hosts.vbscript.errors import SyntaxProblem

_HELD: Final = ("EMPTY", "NULL", "NOTHING")
_LITERALS: Final = (tree.NumberLit, tree.StringLit, tree.BoolLit, tree.DateLit)
_LOOPS: Final[dict[type, str]] = {tree.ForStmt: "FOR", tree.ForEachStmt: "FOR", tree.DoLoopStmt: "DO"}
_PROCEDURES: Final[dict[type, str]] = {tree.SubDef: "SUB", tree.FuncDef: "FUNCTION", tree.PropertyDef: "PROPERTY"}
_EXITS: Final[dict[type, str]] = {
    tree.ExitForStmt: "FOR",
    tree.ExitDoStmt: "DO",
    tree.ExitSubStmt: "SUB",
    tree.ExitFunctionStmt: "FUNCTION",
    tree.ExitPropertyStmt: "PROPERTY",
    tree.ExitSelectStmt: "",  # which the language does not have
}
_NO_END, _NO_INTEGER, _NO_EXIT, _REDEFINED, _NO_LITERAL = 1025, 1026, 1039, 1041, 1045


def check(statements: list[Any], *, within: frozenset[str] = frozenset()) -> None:
    """Raises SyntaxProblem for the first thing that the language refuses.

    Args:
        statements: a text's.
        within: what an Exit may leave at their beginning: "SUB" for an event handler.
    """
    names: set[str] = set()
    for node in statements:
        _check_statement(node, within, names)


def blocks(node: Any) -> list[list[Any]]:
    """The blocks of statements within a statement, without the bodies of procedures."""
    if isinstance(node, tree.IfStmt):
        return [node.then_block, *(block for _, block in node.elseif_parts or ()), node.else_block or []]
    if isinstance(node, tree.SelectCaseStmt):
        return [*(clause.body for clause in node.cases), node.else_block or []]
    if isinstance(node, tree.Block):
        return [node.stmts]
    loop_or_with = not isinstance(node, (*_PROCEDURES, tree.ClassDef)) and isinstance(getattr(node, "body", None), list)
    return [node.body] if loop_or_with else []


def _check_statement(node: Any, within: frozenset[str], names: set[str]) -> None:
    kind = type(node)
    if kind in _EXITS and _EXITS[kind] not in within:
        raise SyntaxProblem(_NO_EXIT, node._pos)
    if kind is tree.ConstStmt:
        _check_constants(node)
    _check_bounds(node)
    for name in _declared(node):
        if name in names and kind is tree.ConstStmt:
            raise SyntaxProblem(_REDEFINED, node._pos)
        names.add(name)
    for procedure in _procedures(node):
        own = {parameter.name for parameter in procedure.params or ()}
        for inner in procedure.body:
            _check_statement(inner, frozenset((_PROCEDURES[type(procedure)],)), own)
    reach = within | {_LOOPS[kind]} if kind in _LOOPS else within
    for block in blocks(node):
        for inner in block:
            _check_statement(inner, reach, names)


def _procedures(node: Any) -> Iterator[Any]:
    if type(node) in _PROCEDURES:
        yield node
    elif isinstance(node, tree.ClassDef):
        yield from (member for member in node.members if type(member) in _PROCEDURES)


def _declared(node: Any) -> list[str]:
    if isinstance(node, tree.DimStmt):
        return [declaration.name for declaration in node.decls]
    return [name for name, _ in node.items] if isinstance(node, tree.ConstStmt) else []


def _check_bounds(node: Any) -> None:
    declared = node.decls if isinstance(node, tree.DimStmt) else node.members if isinstance(node, tree.ClassDef) else ()
    for declaration in declared:
        for bound in getattr(declaration, "bounds", None) or ():
            if not isinstance(bound, tree.NumberLit) or not isinstance(bound.value, int):
                raise SyntaxProblem(_NO_INTEGER, getattr(declaration, "_pos", node._pos))


def _check_constants(node: Any) -> None:
    for _, value in node.items:
        first = _first(value)
        if not isinstance(first, _LITERALS) and not (isinstance(first, tree.Ident) and first.name in _HELD):
            raise SyntaxProblem(_NO_LITERAL, node._pos)
        if first is not _operand(value):
            raise SyntaxProblem(_NO_END, node._pos)  # a constant is no calculation


def _first(value: Any) -> Any:
    """What an expression begins with, behind its signs and parentheses."""
    found = _operand(value)
    while isinstance(found, (tree.BinaryOp, tree.Concat)):
        found = _operand(found.left)
    return found


def _operand(value: Any) -> Any:
    while isinstance(value, tree.ParenExpr) or (isinstance(value, tree.UnaryOp) and value.op != "NOT"):
        value = value.expr
    return value
