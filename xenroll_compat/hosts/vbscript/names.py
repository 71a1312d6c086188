"""What a running script's names stand for: variables, members of the instance at work, procedures, the host's objects.

Holds the state of a run. Evaluates nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from certenroll.com import ComObject
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.vbscript.errors import ScriptError, runtime
from xenroll_compat.hosts.vbscript.governor import Governor
from xenroll_compat.hosts.vbscript.objects import Bound, Cell, ClassDefinition, ErrObject, HostFunction, Instance
from xenroll_compat.hosts.vbscript.source import Procedure, Unit
from xenroll_compat.hosts.vbscript.values import EMPTY, NULL, Byte, Long, ScriptArray, Single, fitted

_HELD: Final = {"EMPTY": EMPTY, "NULL": NULL, "NOTHING": None}

# What has another type outside -> how it gets it.
_NEUTRAL: Final[tuple[tuple[type, Callable[[Any], Any]], ...]] = (
    (Long, int),
    (Byte, int),
    (Single, float),
    (HostFunction, lambda value: value.call),
    (ErrObject, lambda value: int(value.get("NUMBER", []))),
)


class Frame:
    """One procedure at work, or the statements outside every procedure."""

    __slots__ = ("cells", "me", "position", "procedure", "resume", "subjects", "unit")

    def __init__(self, unit: Unit, cells: dict[str, Any], procedure: Procedure | None = None, me: Any = None) -> None:
        self.unit = unit
        self.cells = cells
        self.procedure = procedure
        self.me: Instance | None = me
        self.resume = False
        self.position = 0
        self.subjects: list[Any] = []


class Names(ABC):
    """The names of a run, and the conversions between the script's values and the host's."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.globals: dict[str, Any] = {}
        self.procedures: dict[str, Procedure] = {}
        self.classes: dict[str, ClassDefinition] = {}
        self.host: dict[str, Any] = {}
        self.functions: dict[str, Any] = {}
        self.lookup: Callable[[str], Any] | None = None
        self.err = ErrObject()
        self.frame = Frame(Unit("", Place()), self.globals)
        self.governor = Governor(environment.settings.limits, self.place)

    def place(self) -> Place:
        """Where the script is at this moment."""
        return self.frame.unit.place_of(self.frame.position)

    def spelled(self, name: str) -> str:
        """A name as the text at work writes it."""
        return self.frame.unit.spelled(name)

    def find(self, name: str) -> Any:
        """What a name in capitals stands for: a Cell, a procedure, a function, an object; MISSING for nothing."""
        found = self.known(name)
        return self._missing(name) if found is automation.MISSING else found

    def known(self, name: str) -> Any:
        """The same without what only the host's lookup knows."""
        cell = self.frame.cells.get(name)
        if cell is not None:
            return cell
        if name in _HELD:
            return Cell(_HELD[name], constant=True)
        if self.frame.me is not None:
            own = self._own_member(self.frame.me, name)
            if own is not None:
                return own
        for table in (self.globals, self.procedures, self.host):
            found = table.get(name)
            if found is not None:
                return found
        return self._of_the_language(name)

    def _of_the_language(self, name: str) -> Any:
        if name == "ERR":
            return self.err
        return self.functions.get(name, automation.MISSING)

    def _missing(self, name: str) -> Any:
        found = automation.MISSING
        if self.lookup is not None:
            found = self.lookup(self.spelled(name))
        if found is automation.MISSING:
            return found
        value = self.inward(found)
        return value if isinstance(value, (ComObject, HostFunction)) else Cell(value, constant=True)

    def _own_member(self, me: Instance, name: str) -> Any:
        cell = me.fields.get(name)
        if cell is not None:
            return cell
        return Bound(me, name) if me.definition.procedure(name, "SUB", "FUNCTION", "GET", "LET", "SET") else None

    def variable(self, name: str) -> Any:
        """The variable of a name that nothing else has, made where it need not be declared. Raises ScriptError 500."""
        if self.frame.unit.explicit:
            raise runtime(500, self.spelled(name))
        cell = self.frame.cells[name] = Cell()
        return cell

    def define(self, name: str, value: Any) -> None:
        """Gives the global namespace a name of the host's."""
        inner = HostFunction(name, value) if _is_function(value) else self.inward(value)
        held = isinstance(inner, (ComObject, HostFunction))
        self.host[name.upper()] = inner if held else Cell(inner, constant=True)

    def inward(self, value: Any) -> Any:
        """A neutral value as the script's."""
        if value is None or isinstance(value, (bool, str, bytes, ComObject, Byte, Long)):
            return value
        if isinstance(value, int):
            number = fitted(int(value))
            return Long(number) if isinstance(number, int) else number
        if isinstance(value, (list, tuple)):
            return ScriptArray.of([self.inward(item) for item in value])
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        return HostFunction(getattr(value, "__name__", "function"), value) if _is_function(value) else value

    def outward(self, value: Any) -> Any:
        """A value of the script's as a neutral one."""
        if value is None or isinstance(value, (str, bool, ComObject)):
            return value
        if isinstance(value, ScriptArray):
            return [self.outward(item) for item in value.items]
        for kind, neutral in _NEUTRAL:
            if isinstance(value, kind):
                return neutral(value)
        return self.function_of(value) if isinstance(value, Procedure) else value

    def located(self, error: ScriptError) -> None:
        """Notes where an error happened, unless that is known."""
        if error.place is None:
            error.place = self.place()

    @abstractmethod
    def function_of(self, procedure: Procedure) -> Callable[..., Any]:
        """A procedure as a function of neutral values."""

    @abstractmethod
    def evaluate(self, node: Any) -> Any:
        """The value of an expression."""

    @abstractmethod
    def run(self, statements: list[Any]) -> Any:
        """Runs statements in the frame at work; tells how they were left, None for at their end."""


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, (ComObject, type, Instance, Procedure, HostFunction))
