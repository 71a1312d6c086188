"""The functions that tell what a value is, arrays, objects by name, and text run as code."""

from __future__ import annotations

import math
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from certenroll.com import ComObject
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.vbscript.calls import FOREIGN, Calls
from xenroll_compat.hosts.vbscript.dates import to_date
from xenroll_compat.hosts.vbscript.errors import ScriptError, runtime
from xenroll_compat.hosts.vbscript.names import Frame
from xenroll_compat.hosts.vbscript.objects import Instance, is_object
from xenroll_compat.hosts.vbscript.source import compiled, expression
from xenroll_compat.hosts.vbscript.values import EMPTY, NULL, Byte, Long, ScriptArray, Single, number_in, to_long, to_text

_INTEGER: Final = range(-0x8000, 0x8000)
# Python's type -> (TypeName, VarType), the narrower type first.
_TYPES: Final[tuple[tuple[type, str, int], ...]] = (
    (bool, "Boolean", 11),
    (Byte, "Byte", 17),
    (Long, "Long", 3),
    (Single, "Single", 4),
    (float, "Double", 5),
    (Decimal, "Currency", 6),
    (datetime, "Date", 7),
    (str, "String", 8),
    (bytes, "Byte()", 8209),
    (ScriptArray, "Variant()", 8204),
)


def _told(value: Any) -> tuple[str, int]:
    if value is EMPTY:
        return "Empty", 0
    if value is NULL:
        return "Null", 1
    for kind, name, number in _TYPES:
        if isinstance(value, kind):
            return name, number
    if isinstance(value, int):
        return ("Integer", 2) if value in _INTEGER else ("Long", 3)
    return "Object", 9


def type_name(machine: Calls, value: Any) -> str:
    """TypeName."""
    if value is None:
        return "Nothing"
    if isinstance(value, ComObject):
        return automation.type_name(value)
    return value.definition.name if isinstance(value, Instance) else _told(value)[0]


def var_type(machine: Calls, value: Any) -> int:
    """VarType: of an object with a default property its value's."""
    if is_object(value):
        try:
            value = machine.value_of(value)
        except ScriptError:
            return 9
    return _told(value)[1]


def is_array(machine: Calls, value: Any) -> bool:
    """IsArray."""
    return isinstance(value, (ScriptArray, bytes))


def is_empty(machine: Calls, value: Any) -> bool:
    """IsEmpty."""
    return value is EMPTY


def is_null(machine: Calls, value: Any) -> bool:
    """IsNull."""
    return value is NULL


def is_an_object(machine: Calls, value: Any) -> bool:
    """IsObject: Nothing is one too."""
    return is_object(value)


def is_numeric(machine: Calls, value: Any) -> bool:
    """IsNumeric: a date is none, Empty is one."""
    if is_object(value):
        try:
            value = machine.value_of(value)
        except ScriptError:
            return False
    if isinstance(value, str):
        number = number_in(value)
        return number is not None and math.isfinite(number)
    return value is EMPTY or isinstance(value, (int, float, Decimal))


def is_date(machine: Calls, value: Any) -> bool:
    """IsDate."""
    if not isinstance(value, str):
        return isinstance(value, datetime)
    try:
        to_date(value)
    except ScriptError:
        return False
    return True


def array(machine: Calls, *values: Any) -> ScriptArray:
    """Array."""
    return ScriptArray.of(list(values))


def upper_bound(machine: Calls, value: Any, dimension: Any = None) -> Long:
    """UBound."""
    return Long(_bounds(value)[_dimension(value, dimension)])


def lower_bound(machine: Calls, value: Any, dimension: Any = None) -> Long:
    """LBound: always 0."""
    _dimension(value, dimension)
    return Long(0)


def _bounds(value: Any) -> tuple[int, ...]:
    if isinstance(value, bytes):
        return (len(value) - 1,)
    if not isinstance(value, ScriptArray):
        raise runtime(13)
    return value.bounds


def _dimension(value: Any, dimension: Any) -> int:
    number = 1 if dimension is None else to_long(dimension)
    if not 1 <= number <= len(_bounds(value)):
        raise runtime(9)
    return number - 1


def create_object(machine: Any, identifier: Any, server: Any = None) -> Any:
    """CreateObject. Raises ScriptError 429 for what is not registered, 462 for another computer's object."""
    if server is not None and to_text(server):
        raise runtime(462, to_text(server))
    return machine.create(to_text(identifier))


def get_object(machine: Any, path: Any = None, identifier: Any = None) -> Any:
    """GetObject: a new object by the moniker ``new:CLSID``, or of a class where the path is an empty text.

    Raises:
        ScriptError: 429 for anything else: no object runs beside the script, and none comes from a file.
    """
    name = to_text(EMPTY if path is None else path)
    if path is not None and not name and identifier is not None:
        return machine.create(to_text(identifier))
    from xenroll_compat.hosts.objects.wscript import get_object as by_moniker

    try:
        return by_moniker(machine.environment, name)
    except FOREIGN as error:
        raise runtime(429, "GetObject") from error


def get_reference(machine: Calls, name: Any) -> Any:
    """GetRef: a procedure as an object. Raises ScriptError 5 where there is none."""
    found = machine.procedures.get(to_text(name).upper())
    if found is None:
        raise runtime(5, to_text(name))
    return found


def evaluate(machine: Calls, text: Any) -> Any:
    """Eval: a text as an expression; anything else is its own value."""
    if not isinstance(text, str):
        return text
    return machine.evaluate(expression(text, machine.place()))


def execute(machine: Any, text: Any) -> None:
    """Execute: statements in the procedure at work."""
    _execute(machine, text, machine.frame.cells, machine.frame.me)


def execute_global(machine: Any, text: Any) -> None:
    """ExecuteGlobal: statements outside every procedure."""
    _execute(machine, text, machine.globals, None)


def _execute(machine: Any, text: Any, cells: dict[str, Any], me: Any) -> None:
    unit = compiled(to_text(text), machine.place())
    outer, machine.frame = machine.frame, Frame(unit, cells, None, me)
    machine.governor.enter()
    try:
        machine.execute_unit(unit)
    finally:
        machine.governor.leave()
        machine.frame = outer


def load_picture(machine: Calls, name: Any) -> None:
    """LoadPicture: there are no pictures here. Raises ScriptError 481."""
    raise runtime(481, to_text(name))
