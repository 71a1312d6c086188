"""Statements: what each kind of node in the syntax tree does, and what On Error Resume Next goes past."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final

from ASPPY import ast_nodes as tree

from certenroll.com import ComObject
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.vbscript import operators
from xenroll_compat.hosts.vbscript.calls import FOREIGN
from xenroll_compat.hosts.vbscript.errors import ScriptError, of_object, runtime
from xenroll_compat.hosts.vbscript.expressions import Expressions
from xenroll_compat.hosts.vbscript.grammar import WithStatement
from xenroll_compat.hosts.vbscript.objects import Bound, Cell, ClassDefinition, ElementCell, ErrObject, is_object
from xenroll_compat.hosts.vbscript.source import Procedure, Unit
from xenroll_compat.hosts.vbscript.values import EMPTY, Byte, ScriptArray, as_copy, to_bool, to_number


class Left(Enum):
    """How a block of statements was left before its end."""

    FOR = "Exit For"
    DO = "Exit Do"
    PROCEDURE = "Exit Sub"


class Statements(Expressions):
    """The execution of statements."""

    def run(self, statements: list[Any]) -> Left | None:
        """Runs statements in the frame at work.

        Raises:
            ScriptError: an error where the procedure has no On Error Resume Next.
            ScriptStopped: a limit.
        """
        frame = self.frame
        for statement in statements:
            frame.position = getattr(statement, "_pos", frame.position)
            self.governor.count()
            try:
                left = _EXECUTORS[type(statement)](self, statement)
            except ScriptError as error:
                self.located(error)
                if not frame.resume:
                    raise
                self.err.record(error)
                continue
            if left is not None:
                return left
        return None

    def execute_unit(self, unit: Unit) -> None:
        """Declares what a unit declares, then runs its statements in the frame at work."""
        for node in unit.declared.procedures:
            self.procedures[node.name] = _procedure(node, unit)
        for node in unit.declared.classes:
            self.classes[node.name] = _definition(node, unit)
        self.declare(unit.declared)
        self.run(unit.statements)

    # --- assignments ---------------------------------------------------------------------------------------------

    def _assign(self, node: Any) -> None:
        value = self.evaluate(node.expr)
        if isinstance(node.target, tree.Ident) and value is None:
            raise runtime(91)
        self._store(node.target, value, is_set=False)

    def _set(self, node: Any) -> None:
        value = self.evaluate(node.expr)
        if not is_object(value):
            raise runtime(424, self.told(node.expr))
        self._store(node.target, value, is_set=True)

    def _store(self, target: Any, value: Any, *, is_set: bool) -> None:
        if isinstance(target, tree.Ident):
            self._store_name(target.name, value, is_set)
        elif isinstance(target, tree.Member):
            holder = self.evaluate(target.obj)
            self.put_member(holder, target.name, [], as_copy(value), self.told(target), is_set=is_set)
        elif isinstance(target.callee, tree.Member):
            self._store_property(target, value, is_set)
        else:
            holder = self._holder(target.callee)
            stored = value if is_set else self.let_value(value) if isinstance(holder, ScriptArray) else as_copy(value)
            self.put_item(holder, target.args, stored, self.told(target), is_set=is_set)

    def _store_property(self, target: Any, value: Any, is_set: bool) -> None:
        holder = self.evaluate(target.callee.obj)
        told = self.told(target)
        self.put_member(holder, target.callee.name, target.args, as_copy(value), told, is_set=is_set)

    def _holder(self, callee: Any) -> Any:
        """What an element is assigned to: a variable's own array, not a copy."""
        if not isinstance(callee, tree.Ident):
            return self.evaluate(callee)
        found = self.find(callee.name)
        if found is automation.MISSING:
            raise runtime(500 if self.frame.unit.explicit else 13, self.spelled(callee.name))
        if isinstance(found, Bound):
            return self.evaluate(callee)
        return found.value if isinstance(found, (Cell, ElementCell)) else found

    def _store_name(self, name: str, value: Any, is_set: bool) -> None:
        found = self.frame.cells.get(name)
        if found is None:
            found = self.known(name)
            if found is automation.MISSING and self._is_of_window(name):
                self.put_member(self.find("WINDOW"), self.spelled(name), [], value, self.spelled(name), is_set=is_set)
                return
            if found is automation.MISSING:
                found = self.variable(name)
        if isinstance(found, Bound):
            self.put_member(found.instance, name, [], value, self.spelled(name), is_set=is_set)
        elif isinstance(found, ErrObject) and not is_set:
            found.put("NUMBER", self.value_of(value))
        elif not isinstance(found, (Cell, ElementCell)) or found.constant:
            raise runtime(501, self.spelled(name))
        else:
            self.assign(found, value, self.spelled(name), is_set=is_set)

    def _is_of_window(self, name: str) -> bool:
        """Whether a page's window has a property of this name, which a script writes without ``window.``."""
        window = self.known("WINDOW")
        return isinstance(window, ComObject) and automation.kind_of(window, name) == "property"

    # --- what calls and declares ---------------------------------------------------------------------------------

    def _expression(self, node: Any) -> None:
        expression = node.expr
        self.call_node(expression.callee, expression.args)

    def _nothing(self, node: Any) -> None:
        """A declaration, which was made before the statements ran."""

    def _block(self, node: Any) -> Left | None:
        return self.run(node.stmts)

    def _redim(self, node: Any) -> None:
        bounds = self.bounds(node.bounds)
        found = self.find(node.name)
        if found is automation.MISSING:
            found = self.frame.cells[node.name] = Cell()
        if not isinstance(found, (Cell, ElementCell)) or found.constant:
            raise runtime(13, self.spelled(node.name))
        if not isinstance(found.value, ScriptArray):
            found.value = ScriptArray(())
        found.value.resize(bounds, preserve=bool(node.preserve))

    def _erase(self, node: Any) -> None:
        found = self.find(node.name)
        value = found.value if isinstance(found, (Cell, ElementCell)) else None
        if not isinstance(value, ScriptArray):
            raise runtime(13, self.spelled(node.name))
        value.erase()

    def _resume_next(self, node: Any) -> None:
        self.frame.resume = True
        self.err.clear()

    def _resume_not(self, node: Any) -> None:
        self.frame.resume = False
        self.err.clear()

    def _randomize(self, node: Any) -> None:
        seed = [] if node.seed_expr is None else [self.plain(node.seed_expr)]
        self.functions["RANDOMIZE"].call(self, *seed)

    def _execute(self, node: Any) -> None:
        name = "EXECUTEGLOBAL" if node.is_global else "EXECUTE"
        self.functions[name].call(self, self.plain(node.expr))

    # --- control -------------------------------------------------------------------------------------------------

    def _condition(self, node: Any) -> bool:
        """A condition; where it fails and errors are gone past, the next statement is the first one within."""
        try:
            return to_bool(self.plain(node))
        except ScriptError as error:
            self.located(error)
            if not self.frame.resume:
                raise
            self.err.record(error)
            return True

    def _if(self, node: Any) -> Left | None:
        if self._condition(node.cond):
            return self.run(node.then_block)
        for condition, block in node.elseif_parts or ():
            if self._condition(condition):
                return self.run(block)
        return self.run(node.else_block) if node.else_block else None

    def _while(self, node: Any) -> Left | None:
        while self._condition(node.cond):
            self.governor.count()
            left = self.run(node.body)
            if left is not None:
                return left
        return None

    def _do(self, node: Any) -> Left | None:
        while node.post_test or self._goes_on(node):
            self.governor.count()
            left = self.run(node.body)
            if left is Left.DO:
                return None
            if left is not None:
                return left
            if node.post_test and not self._goes_on(node):
                return None
        return None

    def _goes_on(self, node: Any) -> bool:
        return node.cond is None or self._condition(node.cond) != node.is_until

    def _for(self, node: Any) -> Left | None:
        try:
            start, end, step = (to_number(self.plain(part)) for part in (node.start, node.end, node.step))
        except ScriptError as error:
            return self._uninitialised(node, error)
        counter = self._counter(node.var_name)
        counter.value = start
        while counter.value <= end if step >= 0 else counter.value >= end:
            self.governor.count()
            left = self.run(node.body)
            if left is Left.FOR:
                return None
            if left is not None:
                return left
            counter.value = operators.arithmetic("+", counter.value, step)
            if not isinstance(counter.value, (int, float)):
                counter.value = to_number(counter.value)
        return None

    def _for_each(self, node: Any) -> Left | None:
        try:
            group = self.evaluate(node.iterable)
            items = self._items(group, node)
        except ScriptError as error:
            return self._uninitialised(node, error)
        counter = self._counter(node.var_name)
        for item in items:
            self.governor.count()
            counter.value = as_copy(item)
            left = self.run(node.body)
            if left is Left.FOR:
                return None
            if left is not None:
                return left
        if is_object(group):
            counter.value = EMPTY
        return None

    def _items(self, value: Any, node: Any) -> Iterator[Any]:
        if isinstance(value, ScriptArray):
            return iter(list(value.items))
        if isinstance(value, bytes):
            return iter([Byte(byte) for byte in value])
        if not is_object(value):
            raise runtime(451, self.told(node.iterable))
        try:
            return iter([self.inward(item) for item in automation.items(value)])
        except FOREIGN as error:
            raise of_object(error, self.told(node.iterable)) from error

    def _uninitialised(self, node: Any, error: ScriptError) -> Left | None:
        """A loop that could not begin: its body runs once where errors are gone past, then Next fails."""
        self.located(error)
        if not self.frame.resume:
            raise error
        self.err.record(error)
        left = self.run(node.body)
        if left is not None:
            return None if left is Left.FOR else left
        raise runtime(92)

    def _counter(self, name: str) -> Any:
        found = self.find(name)
        if found is automation.MISSING:
            return self.variable(name)
        if not isinstance(found, (Cell, ElementCell)) or found.constant:
            raise runtime(501, self.spelled(name))
        return found

    def _select(self, node: Any) -> Left | None:
        subject = self.plain(node.expr)
        for clause in node.cases:
            for pattern in clause.patterns:
                if operators.compare("=", subject, self.plain(pattern)) is True:
                    return self.run(clause.body)
        return self.run(node.else_block) if node.else_block else None

    def _with(self, node: Any) -> Left | None:
        self.frame.subjects.append(self._subject(node))
        try:
            return self.run(node.body)
        finally:
            self.frame.subjects.pop()

    def _subject(self, node: Any) -> Any:
        try:
            return self.evaluate(node.subject)
        except ScriptError as error:
            self.located(error)
            if not self.frame.resume:
                raise
            self.err.record(error)
            return EMPTY

    def _exit_for(self, node: Any) -> Left:
        return Left.FOR

    def _exit_do(self, node: Any) -> Left:
        return Left.DO

    def _exit_procedure(self, node: Any) -> Left:
        self.err.clear()
        return Left.PROCEDURE


def _procedure(node: Any, unit: Unit) -> Procedure:
    kind = node.kind if isinstance(node, tree.PropertyDef) else "SUB" if isinstance(node, tree.SubDef) else "FUNCTION"
    return Procedure(node.name, kind, node.params, node.body, unit, public=node.visibility == "PUBLIC")


def _definition(node: Any, unit: Unit) -> ClassDefinition:
    made = ClassDefinition(node.original_name)
    for member in node.members:
        if isinstance(member, tree.ClassVarDecl):
            made.fields[member.name] = (member.visibility == "PUBLIC", member.bounds)
            continue
        procedure = _procedure(member, unit)
        made.procedures[procedure.name, procedure.kind] = procedure
        if member.is_default:
            made.default = procedure.name
    return made


_EXECUTORS: Final[dict[type, Callable[[Statements, Any], Left | None]]] = {
    tree.Assign: Statements._assign,
    tree.SetAssign: Statements._set,
    tree.ExprStmt: Statements._expression,
    tree.Block: Statements._block,
    tree.ReDimStmt: Statements._redim,
    tree.EraseStmt: Statements._erase,
    tree.OnErrorResumeNextStmt: Statements._resume_next,
    tree.OnErrorGoto0Stmt: Statements._resume_not,
    tree.RandomizeStmt: Statements._randomize,
    tree.ExecuteStmt: Statements._execute,
    tree.IfStmt: Statements._if,
    tree.WhileStmt: Statements._while,
    tree.DoLoopStmt: Statements._do,
    tree.ForStmt: Statements._for,
    tree.ForEachStmt: Statements._for_each,
    tree.SelectCaseStmt: Statements._select,
    WithStatement: Statements._with,
    tree.ExitForStmt: Statements._exit_for,
    tree.ExitDoStmt: Statements._exit_do,
    **dict.fromkeys((tree.ExitSubStmt, tree.ExitFunctionStmt, tree.ExitPropertyStmt), Statements._exit_procedure),
    **dict.fromkeys(
        (tree.DimStmt, tree.ConstStmt, tree.SubDef, tree.FuncDef, tree.ClassDef, tree.OptionExplicitStmt, tree.EndIfStmt),
        Statements._nothing,
    ),
}
