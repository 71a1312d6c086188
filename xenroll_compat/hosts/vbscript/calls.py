"""Calls and members: a procedure run with its arguments, an object's member read, called and written.

Knows expressions only as something to evaluate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from ASPPY import ast_nodes as tree

from certenroll.com import ComObject
from certenroll.errors import ComError
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.problems import ScriptFailure
from xenroll_compat.hosts.vbscript.errors import ScriptError, of_object, runtime
from xenroll_compat.hosts.vbscript.names import Frame, Names
from xenroll_compat.hosts.vbscript.objects import Bound, Cell, ElementCell, ErrObject, HostFunction, Instance, is_object
from xenroll_compat.hosts.vbscript.source import Declarations, Procedure
from xenroll_compat.hosts.vbscript.values import EMPTY, Byte, ScriptArray, as_copy, to_long

OMITTED: Final = object()  # an argument that a call leaves out
FOREIGN: Final = (ComError, ScriptFailure)  # what an object raises; the latter where a script beneath it failed


class Function:
    """A function of the language: what it takes and what it does.

    Attributes:
        least: how many arguments it must have.
        most: how many it may have.
        objects: whether it takes objects as they are, not their default properties.
    """

    __slots__ = ("call", "least", "most", "name", "objects")

    def __init__(self, name: str, call: Callable[..., Any], least: int, most: int, *, objects: bool = False) -> None:
        self.name = name
        self.call = call
        self.least = least
        self.most = most
        self.objects = objects


class Calls(Names):
    """What names and members do when they are called."""

    # --- values --------------------------------------------------------------------------------------------------

    def value_of(self, value: Any) -> Any:
        """The value that stands for an object: its default property. Raises ScriptError 438 where it has none, 91."""
        if value is None:
            raise runtime(91)
        if isinstance(value, ErrObject):
            return value.get("NUMBER", [])
        if isinstance(value, ComObject):
            if _default_takes_arguments(value):
                raise runtime(450)
            try:
                return self.inward(automation.value_of(value))
            except FOREIGN as error:
                raise of_object(error) from error
        if isinstance(value, Instance):
            return self._instance_default(value, [])
        if isinstance(value, (Procedure, HostFunction)):
            raise runtime(438)
        return value

    def plain(self, node: Any) -> Any:
        """The value of an expression, objects replaced by their default properties."""
        value = self.evaluate(node)
        if value is None or isinstance(value, (ComObject, Instance, ErrObject, Procedure, HostFunction)):
            return self.value_of(value)
        return value

    def values(self, nodes: list[Any]) -> list[Any]:
        """The arguments of a call, as values; OMITTED for one that is left out."""
        return [OMITTED if node is None else self.evaluate(node) for node in nodes]

    def cells(self, nodes: list[Any]) -> list[Any]:
        """The arguments of a call, as variables: those that can be passed by reference are."""
        return [Cell() if node is None else self._cell(node) for node in nodes]

    def _cell(self, node: Any) -> Any:
        if isinstance(node, tree.Ident):
            found = self.find(node.name)
            if found is automation.MISSING:
                return self.variable(node.name)
            if isinstance(found, (Cell, ElementCell)) and not found.constant:
                return found
        if isinstance(node, tree.CallExpr) and isinstance(node.callee, tree.Ident) and node.args:
            found = self.find(node.callee.name)
            if isinstance(found, (Cell, ElementCell)) and isinstance(found.value, ScriptArray):
                return ElementCell(found.value, found.value.position(self.indexes(node.args)))
        value = self.evaluate(node)
        return Cell(as_copy(value) if isinstance(node, tree.ParenExpr) else value)

    def indexes(self, nodes: list[Any]) -> list[int]:
        """The indexes of an array's element."""
        if not nodes or any(node is None for node in nodes):
            raise runtime(9)
        return [to_long(self.plain(node)) for node in nodes]

    # --- procedures ----------------------------------------------------------------------------------------------

    def call_found(self, found: Any, nodes: list[Any], subject: str) -> Any:
        """Calls what a name stands for, or reads an element or the default member of what it holds."""
        if isinstance(found, Procedure):
            return self.invoke(found, self.cells(nodes))
        if isinstance(found, Bound):
            return self._instance_member(found.instance, found.name, nodes, subject)
        if isinstance(found, (Cell, ElementCell)):
            return self.apply(found.value, nodes, subject)
        return self.apply(found, nodes, subject)

    def apply(self, value: Any, nodes: list[Any], subject: str) -> Any:
        """``value(arguments)``."""
        if isinstance(value, ScriptArray):
            return value.items[value.position(self.indexes(nodes))]
        if isinstance(value, Procedure):
            return self.invoke(value, self.cells(nodes))
        if isinstance(value, Instance):
            return self._instance_default(value, nodes)
        if isinstance(value, bytes):
            return self._byte(value, self.indexes(nodes))
        return self.apply_values(value, self.values(nodes), subject)

    def apply_values(self, value: Any, arguments: list[Any], subject: str) -> Any:
        """``value(arguments)`` for what takes its arguments by value."""
        if isinstance(value, Function):
            return self._call_function(value, arguments)
        if isinstance(value, HostFunction):
            return self._call_host(value, arguments)
        if isinstance(value, ComObject):
            return self._com_item(value, arguments, subject)
        if isinstance(value, ErrObject) and not arguments:
            return self.value_of(value)
        raise runtime(13, subject)

    def _byte(self, value: bytes, indexes: list[int]) -> Byte:
        if len(indexes) != 1 or not 0 <= indexes[0] < len(value):
            raise runtime(9)
        return Byte(value[indexes[0]])

    def invoke(self, procedure: Procedure, arguments: list[Any], me: Instance | None = None) -> Any:
        """Runs a procedure; gives its result, EMPTY for a Sub.

        Raises:
            ScriptError: 450 for a wrong number of arguments, and what the procedure does not handle.
            ScriptStopped: the calls are nested too deeply.
        """
        if len(arguments) != len(procedure.parameters):
            raise runtime(450, procedure.unit.spelled(procedure.name))
        frame = Frame(procedure.unit, {}, procedure, me)
        for parameter, cell in zip(procedure.parameters, arguments, strict=True):
            frame.cells[parameter.name] = Cell(as_copy(cell.value)) if parameter.byval else cell
        result = Cell()
        if procedure.gives:
            frame.cells.setdefault(procedure.name, result)
        self.governor.enter()
        outer, self.frame = self.frame, frame
        try:
            self.declare(procedure.declared)
            self.run(procedure.body)
        finally:
            self.frame = outer
            self.governor.leave()
        return result.value

    def declare(self, declared: Declarations) -> None:
        """Makes the variables and constants that a body of statements declares."""
        cells = self.frame.cells
        try:
            for declaration in declared.variables:
                self.frame.position = declaration._pos
                if declaration.name not in cells:
                    cells[declaration.name] = Cell(self.declared_value(declaration.bounds))
            for name, node, position in declared.constants:
                self.frame.position = position
                cells[name] = Cell(self.evaluate(node), constant=True)
        except ScriptError as error:
            self.located(error)
            raise

    def declared_value(self, bounds: list[Any] | None) -> Any:
        """What a declared variable holds at first: Empty, or an array."""
        if bounds is None:
            return EMPTY
        return ScriptArray(self.bounds(bounds), fixed=bool(bounds))

    def bounds(self, nodes: list[Any]) -> tuple[int, ...]:
        """The upper bounds of an array. Raises ScriptError 9, and ScriptStopped for an array that is too large."""
        bounds = tuple(to_long(self.plain(node)) for node in nodes)
        if any(bound < -1 for bound in bounds):
            raise runtime(9)
        size = 8
        for bound in bounds:
            size *= bound + 1
        self.governor.room_for(size)
        return bounds

    def _call_function(self, function: Function, arguments: list[Any]) -> Any:
        given = [None if value is OMITTED else value for value in arguments]
        while arguments and arguments[-1] is OMITTED:
            arguments = arguments[:-1]
            given = given[:-1]
        if not function.least <= len(given) <= function.most:
            raise runtime(450, function.name)
        if not function.objects:
            given = [
                value if asked is OMITTED else self.value_of(value) for asked, value in zip(arguments, given, strict=True)
            ]
        return function.call(self, *given)

    def _call_host(self, function: HostFunction, arguments: list[Any]) -> Any:
        given = [
            function.default(position) if value is OMITTED else self.outward(value)
            for position, value in enumerate(arguments)
        ]
        if not function.accepts(given):
            raise runtime(450, function.name)
        try:
            result = function.call(*given)
        except FOREIGN as error:
            raise of_object(error, function.name) from error
        return EMPTY if result is None else self.inward(result)

    # --- members -------------------------------------------------------------------------------------------------

    def member(self, target: Any, name: str, nodes: list[Any], subject: str, *, called: bool = False) -> Any:
        """``target.name`` or ``target.name(arguments)``.

        Raises:
            ScriptError: 424 for what is no object, 91 for Nothing, 438 for an unknown member, 450 for a wrong number of
                arguments, and the member's own errors.
        """
        if isinstance(target, ComObject):
            return self._com_member(target, name, self.values(nodes), subject, called)
        if isinstance(target, Instance):
            return self._instance_member(target, name.upper(), nodes, subject)
        if isinstance(target, ErrObject):
            return target.get(
                name.upper(), [EMPTY if value is OMITTED else self.value_of(value) for value in self.values(nodes)]
            )
        if target is None:
            raise runtime(91, subject.rpartition(".")[0])
        raise runtime(424, subject.rpartition(".")[0])

    def put_member(self, target: Any, name: str, nodes: list[Any], value: Any, subject: str, *, is_set: bool) -> None:
        """``target.name = value`` or ``target.name(arguments) = value``. Raises as ``member``."""
        if isinstance(target, ComObject):
            arguments = [EMPTY if given is OMITTED else self.outward(given) for given in self.values(nodes)]
            try:
                automation.put(target, name, self.outward(value), arguments)
            except FOREIGN as error:
                raise of_object(error, subject) from error
        elif isinstance(target, Instance):
            self._put_instance(target, name.upper(), nodes, value, subject, is_set)
        elif isinstance(target, ErrObject):
            target.put(name.upper(), self.value_of(value))
        else:
            raise runtime(91 if target is None else 424, subject.rpartition(".")[0])

    def put_item(self, holder: Any, nodes: list[Any], value: Any, subject: str, *, is_set: bool) -> None:
        """``holder(arguments) = value``."""
        if isinstance(holder, ScriptArray):
            holder.items[holder.position(self.indexes(nodes))] = as_copy(value)
        elif isinstance(holder, ComObject):
            try:
                automation.put_item(holder, [self.outward(given) for given in self.values(nodes)], self.outward(value))
            except FOREIGN as error:
                raise of_object(error, subject) from error
        elif isinstance(holder, Instance) and holder.definition.default:
            self._put_instance(holder, holder.definition.default, nodes, value, subject, is_set)
        else:
            raise runtime(438 if isinstance(holder, Instance) else 13, subject)

    def _com_member(self, target: ComObject, name: str, arguments: list[Any], subject: str, called: bool) -> Any:
        try:
            result = automation.get(target, name, self._com_arguments(target, name, arguments))
            if called and not arguments and callable(result) and not isinstance(result, ComObject):
                result = result()
        except FOREIGN as error:
            raise of_object(error, subject) from error
        if result is None and _gives_nothing(target, name):
            return EMPTY
        return self.inward(result)

    def _com_item(self, target: ComObject, arguments: list[Any], subject: str) -> Any:
        if not arguments:
            return self.value_of(target)
        try:
            return self.inward(automation.item(target, [self.outward(value) for value in arguments]))
        except FOREIGN as error:
            raise of_object(error, subject) from error

    def _com_arguments(self, target: ComObject, name: str, arguments: list[Any]) -> list[Any]:
        """The arguments for an object's member; one that is left out is the parameter's default."""
        while arguments and arguments[-1] is OMITTED:
            arguments = arguments[:-1]
        if OMITTED not in arguments:
            return [self.outward(value) for value in arguments]
        parameters = _parameters(target, name)
        given = []
        for position, value in enumerate(arguments):
            if value is not OMITTED:
                given.append(self.outward(value))
            elif position < len(parameters) and parameters[position].default is not inspect.Parameter.empty:
                given.append(parameters[position].default)
            else:
                raise runtime(449, name)
        return given

    def _instance_member(self, target: Instance, name: str, nodes: list[Any], subject: str) -> Any:
        inside = self.frame.me is target
        field = target.definition.fields.get(name)
        if field is not None and (field[0] or inside):
            value = target.fields[name].value
            return self.apply(value, nodes, subject) if nodes else value
        procedure = target.definition.procedure(name, "GET", "FUNCTION", "SUB")
        if procedure is None or not (procedure.public or inside):
            raise runtime(438, subject)
        if nodes and not procedure.parameters:
            return self.apply(self.invoke(procedure, [], target), nodes, subject)
        return self.invoke(procedure, self.cells(nodes), target)

    def _instance_default(self, target: Instance, nodes: list[Any]) -> Any:
        if not target.definition.default:
            raise runtime(438)
        return self._instance_member(target, target.definition.default, nodes, target.definition.name)

    def _put_instance(self, target: Instance, name: str, nodes: list[Any], value: Any, subject: str, is_set: bool) -> None:
        inside = self.frame.me is target
        field = target.definition.fields.get(name)
        if field is not None and (field[0] or inside):
            if nodes:
                self.put_item(target.fields[name].value, nodes, value, subject, is_set=is_set)
            else:
                self.assign(target.fields[name], value, subject, is_set=is_set)
            return
        procedure = target.definition.procedure(name, "SET" if is_set else "LET")
        if procedure is None or not (procedure.public or inside):
            raise runtime(438, subject)
        self.invoke(procedure, [*self.cells(nodes), Cell(value)], target)

    def assign(self, cell: Any, value: Any, subject: str, *, is_set: bool) -> None:
        """Gives a variable a value. Raises ScriptError 13 for an array that has its size from its declaration."""
        if isinstance(cell.value, ScriptArray) and cell.value.fixed:
            raise runtime(13, subject)
        cell.value = value if is_set else self.let_value(value)

    def let_value(self, value: Any) -> Any:
        """What an assignment without Set stores: of an object its default property."""
        return self.value_of(value) if is_object(value) else as_copy(value)


def _default_takes_arguments(target: ComObject) -> bool:
    """Whether an object's default member is a method that cannot be called without arguments, as a collection's is."""
    name = str(getattr(type(target), "_default_", "ItemByIndex"))
    return automation.kind_of(target, name) == "method"


def _gives_nothing(target: ComObject, name: str) -> bool:
    """Whether a member is a method without a result, which leaves Empty and not Nothing."""
    if automation.kind_of(target, name) != "method":
        return False
    found = inspect.getattr_static(type(target), type(target)._members_[name.lower()])
    return getattr(found, "__annotations__", {}).get("return") in (None, "None")


def _parameters(target: ComObject, name: str) -> list[inspect.Parameter]:
    real = type(target)._members_.get(name.lower())
    found = inspect.getattr_static(type(target), real) if real is not None else None
    return list(inspect.signature(found).parameters.values())[1:] if inspect.isfunction(found) else []
