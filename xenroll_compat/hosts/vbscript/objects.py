"""The objects that are VBScript's own: Err, the instances of a script's classes, and functions of the host.

Knows no syntax tree but what a class declares, and runs nothing: procedures are run by ``calls``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from certenroll.com import ComObject
from xenroll_compat.hosts.vbscript.errors import RUNTIME, RUNTIME_ERRORS, ScriptError, runtime
from xenroll_compat.hosts.vbscript.source import Procedure
from xenroll_compat.hosts.vbscript.values import EMPTY, Long, ScriptArray, to_long, to_text


class Cell:
    """A variable, or what stands for one while a procedure has it as an argument."""

    __slots__ = ("constant", "value")

    def __init__(self, value: Any = EMPTY, *, constant: bool = False) -> None:
        self.value = value
        self.constant = constant


class ElementCell:
    """An element of an array, passed by reference."""

    __slots__ = ("_array", "_position")
    constant = False

    def __init__(self, array: ScriptArray, position: int) -> None:
        self._array = array
        self._position = position

    @property
    def value(self) -> Any:
        """The element. Raises ScriptError 9 where the array has become smaller meanwhile."""
        if self._position >= len(self._array.items):
            raise runtime(9)
        return self._array.items[self._position]

    @value.setter
    def value(self, value: Any) -> None:
        if self._position >= len(self._array.items):
            raise runtime(9)
        self._array.items[self._position] = value


class ErrObject:
    """Err: what the last error was."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self.clear()

    def clear(self) -> None:
        """Err.Clear."""
        self._values.update(NUMBER=Long(0), DESCRIPTION="", SOURCE="", HELPFILE="", HELPCONTEXT=Long(0))

    def record(self, error: ScriptError) -> None:
        """Notes an error that On Error Resume Next went past."""
        self._values.update(NUMBER=Long(error.number), DESCRIPTION=error.description, SOURCE=error.source)

    def get(self, name: str, arguments: list[Any]) -> Any:
        """Reads a property or calls Clear or Raise. Raises ScriptError 438, 450, and what Raise is told to."""
        if name == "CLEAR" and not arguments:
            self.clear()
            return EMPTY
        if name == "RAISE":
            raise self._raised(arguments)
        if name not in self._values:
            raise runtime(438, f"Err.{name.capitalize()}")
        if arguments:
            raise runtime(450, f"Err.{name.capitalize()}")
        return self._values[name]

    def put(self, name: str, value: Any) -> None:
        """Sets a property. Raises ScriptError 438, 13."""
        if name not in self._values:
            raise runtime(438, f"Err.{name.capitalize()}")
        numeric = name in ("NUMBER", "HELPCONTEXT")
        self._values[name] = Long(to_long(value)) if numeric else to_text(value)

    def _raised(self, arguments: list[Any]) -> ScriptError:
        if not 1 <= len(arguments) <= 5:
            return runtime(450, "Err.Raise")
        given = [*arguments, *[EMPTY] * (5 - len(arguments))]
        number = to_long(given[0])
        if not number:
            return runtime(5, "Err.Raise")
        sentence = RUNTIME_ERRORS.get(number, "Unknown runtime error")
        source = RUNTIME if given[1] is EMPTY else to_text(given[1])
        return ScriptError(number, sentence if given[2] is EMPTY else to_text(given[2]), source)


@dataclass
class ClassDefinition:
    """A class of a script.

    Attributes:
        name: as the script writes it.
        fields: its variables: name in capitals -> (public, the bounds of an array or None).
        procedures: (name in capitals, kind) -> the procedure; a method's kind is "SUB" or "FUNCTION".
        default: the name of the default member, or "".
    """

    name: str
    fields: dict[str, tuple[bool, Any]] = field(default_factory=dict)
    procedures: dict[tuple[str, str], Procedure] = field(default_factory=dict)
    default: str = ""

    def procedure(self, name: str, *kinds: str) -> Procedure | None:
        """The procedure of one of these kinds, the first that there is."""
        return next((found for kind in kinds if (found := self.procedures.get((name, kind))) is not None), None)


class Instance:
    """An object of a script's class."""

    def __init__(self, definition: ClassDefinition) -> None:
        self.definition = definition
        self.fields: dict[str, Cell] = {}


@dataclass(frozen=True)
class Bound:
    """A member of an instance, found by its name alone within the class."""

    instance: Instance
    name: str


class HostFunction:
    """A Python function of neutral values that the host gave a name."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name = name
        self.call = call
        try:
            self._signature: inspect.Signature | None = inspect.signature(call)
        except (TypeError, ValueError):
            self._signature = None  # a built-in function of Python's that tells nothing

    def accepts(self, arguments: list[Any]) -> bool:
        """Whether it can be called with so many arguments."""
        if self._signature is None:
            return True
        try:
            self._signature.bind(*arguments)
        except TypeError:
            return False
        return True

    def default(self, position: int) -> Any:
        """The default of a parameter, or EMPTY."""
        parameters = list(self._signature.parameters.values()) if self._signature else []
        if position < len(parameters) and parameters[position].default is not inspect.Parameter.empty:
            return parameters[position].default
        return EMPTY


def is_object(value: Any) -> bool:
    """Whether Set can assign it."""
    return value is None or isinstance(value, (ComObject, Instance, ErrObject, Procedure, HostFunction))
