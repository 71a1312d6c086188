"""Expressions: what each kind of node in the syntax tree evaluates to. Changes no variable but through what it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ASPPY import ast_nodes as tree

from certenroll.com import ComObject
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.vbscript import operators
from xenroll_compat.hosts.vbscript.calls import FOREIGN, Calls, Function
from xenroll_compat.hosts.vbscript.dates import date_in
from xenroll_compat.hosts.vbscript.errors import of_object, runtime
from xenroll_compat.hosts.vbscript.grammar import SUBJECT
from xenroll_compat.hosts.vbscript.objects import Bound, Cell, ElementCell, HostFunction, Instance, is_object
from xenroll_compat.hosts.vbscript.source import Procedure
from xenroll_compat.hosts.vbscript.values import NULL, ScriptArray, to_text

_LITERALS: Final = (tree.NumberLit, tree.StringLit, tree.DateLit)  # True and False do not count as such in comparisons


class Expressions(Calls):
    """The evaluation of expressions."""

    def evaluate(self, node: Any) -> Any:
        """The value of an expression: an object stays the object."""
        return _EVALUATORS[type(node)](self, node)

    def _literal(self, node: Any) -> Any:
        return node.value

    def _date(self, node: Any) -> Any:
        return date_in(node.value)

    def _inner(self, node: Any) -> Any:
        return self.evaluate(node.expr)

    def _name(self, node: Any) -> Any:
        name = node.name
        cell = self.frame.cells.get(name)
        if cell is not None:
            return cell.value
        if name in (SUBJECT, "ME"):
            return self._special(name)
        found = self.find(name)
        if found is automation.MISSING:
            return self.variable(name).value
        if isinstance(found, (Cell, ElementCell)):
            return found.value
        if isinstance(found, Procedure) and not found.gives:
            raise runtime(13, self.spelled(name))
        if isinstance(found, (Procedure, Bound, Function, HostFunction)):
            return self.call_found(found, [], self.spelled(name))
        return found

    def _special(self, name: str) -> Any:
        if name == "ME" and self.frame.me is not None:
            return self.frame.me
        if name == "ME":
            return self._page()
        if not self.frame.subjects:
            raise runtime(505)
        return self.frame.subjects[-1]

    def _page(self) -> Any:
        """Me outside every class: the object whose names are global, where the host has one."""
        found = self.find("WINDOW")
        if not isinstance(found, ComObject):
            raise runtime(424, "Me")
        return found

    def _member(self, node: Any) -> Any:
        target = self.evaluate(node.obj)
        return self.member(target, node.name, [], self.told(node))

    def _call(self, node: Any) -> Any:
        return self.call_node(node.callee, node.args)

    def call_node(self, callee: Any, arguments: list[Any]) -> Any:
        """``callee(arguments)``: a call, an element, a property with parameters."""
        if isinstance(callee, tree.Ident) and callee.name not in (SUBJECT, "ME"):
            return self._call_name(callee.name, arguments)
        if isinstance(callee, tree.Member):
            target = self.evaluate(callee.obj)
            return self.member(target, callee.name, arguments, self.told(callee), called=True)
        return self.apply(self.evaluate(callee), arguments, self.told(callee))

    def _call_name(self, name: str, arguments: list[Any]) -> Any:
        frame = self.frame
        if frame.procedure is not None and frame.procedure.name == name and frame.procedure.gives:
            own = frame.cells.get(name)  # within a Function its name is the result, and with parentheses a call
            if own is None or not isinstance(own.value, ScriptArray) or not arguments:
                return self._call_again(frame.procedure, arguments)
        found = self.find(name)
        if found is automation.MISSING:
            raise runtime(500 if frame.unit.explicit else 13, self.spelled(name))
        return self.call_found(found, arguments, name if isinstance(found, Function) else self.spelled(name))

    def _call_again(self, procedure: Procedure, arguments: list[Any]) -> Any:
        return self.invoke(procedure, self.cells(arguments), self.frame.me)

    def told(self, node: Any) -> str:
        """How the script's text names what a node stands for, for the sentences of errors."""
        if isinstance(node, tree.Ident):
            return "" if node.name == SUBJECT else self.spelled(node.name)
        if isinstance(node, tree.Member):
            before = self.told(node.obj)
            return f"{before}.{node.name}" if before else str(node.name)
        return self.told(node.callee) if isinstance(node, tree.CallExpr) else ""

    def _concatenation(self, node: Any) -> Any:
        left, right = self.plain(node.left), self.plain(node.right)
        if node.op == "+":
            result = operators.add(left, right)
        elif left is NULL and right is NULL:
            return NULL
        elif isinstance(left, bytes) and isinstance(right, bytes):
            result = left + right
        else:
            first, second = to_text(left), to_text(right)
            self.governor.room_for(len(first) + len(second))
            return first + second
        if isinstance(result, (str, bytes)):
            self.governor.room_for(len(result))
        return result

    def _unary(self, node: Any) -> Any:
        value = self.plain(node.expr)
        return operators.invert(value) if node.op == "NOT" else operators.negate(value)

    def _binary(self, node: Any) -> Any:
        operator = node.op
        if operator in ("IS", "IS NOT"):
            return self._same(node) == (operator == "IS")
        left, right = self.plain(node.left), self.plain(node.right)
        if operator in _COMPARISONS:
            return operators.compare(
                operator,
                left,
                right,
                left_literal=_is_literal(node.left),
                right_literal=_is_literal(node.right),
            )
        if operator in _LOGIC:
            return operators.logic(operator, left, right)
        return operators.arithmetic(operator, left, right)

    def _same(self, node: Any) -> bool:
        left, right = self.evaluate(node.left), self.evaluate(node.right)
        for side, value in ((node.left, left), (node.right, right)):
            if not is_object(value):
                raise runtime(424, self.told(side))
        return left is right

    def _new(self, node: Any) -> Any:
        name = str(node.class_name).upper()
        definition = self.classes.get(name)
        if definition is not None:
            return self._instance(definition)
        if name == "REGEXP":
            return self.create("VBScript.RegExp")
        raise runtime(506, self.spelled(name))

    def _instance(self, definition: Any) -> Instance:
        made = Instance(definition)
        for name, (_, bounds) in definition.fields.items():
            made.fields[name] = Cell(self.declared_value(bounds))
        begin = definition.procedure("CLASS_INITIALIZE", "SUB")
        if begin is not None:
            self.invoke(begin, [], made)
        return made

    def create(self, identifier: str) -> Any:
        """CreateObject. Raises ScriptError 429 for what is not registered."""
        try:
            return self.environment.create(identifier)
        except FOREIGN as error:
            raise of_object(error, identifier) from error


def _is_literal(node: Any) -> bool:
    if isinstance(node, (tree.ParenExpr, tree.UnaryOp)):
        return _is_literal(node.expr)
    return isinstance(node, _LITERALS)


_COMPARISONS: Final = frozenset(("=", "<>", "<", ">", "<=", ">="))
_LOGIC: Final = frozenset(("AND", "OR", "XOR", "EQV", "IMP"))
_EVALUATORS: Final[dict[type, Callable[[Expressions, Any], Any]]] = {
    tree.StringLit: Expressions._literal,
    tree.NumberLit: Expressions._literal,
    tree.BoolLit: Expressions._literal,
    tree.DateLit: Expressions._date,
    tree.ParenExpr: Expressions._inner,
    tree.Ident: Expressions._name,
    tree.Member: Expressions._member,
    tree.CallExpr: Expressions._call,
    tree.Concat: Expressions._concatenation,
    tree.UnaryOp: Expressions._unary,
    tree.BinaryOp: Expressions._binary,
    tree.NewExpr: Expressions._new,
}
