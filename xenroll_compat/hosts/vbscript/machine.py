"""The engine: VBScript in one global namespace, as ``hosts.engine.Engine`` asks for it.

Here a script's errors become ScriptFailure, and what the Python below cannot bear (too many frames, no memory) becomes
ScriptStopped. Knows neither pages nor files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.problems import Place
from xenroll_compat.hosts.vbscript.errors import ScriptError, runtime
from xenroll_compat.hosts.vbscript.functions import functions
from xenroll_compat.hosts.vbscript.names import Frame
from xenroll_compat.hosts.vbscript.objects import Cell
from xenroll_compat.hosts.vbscript.source import Procedure, compiled
from xenroll_compat.hosts.vbscript.statements import Statements


class VBScript(Statements):
    """One run's VBScript.

    Every method that runs code raises ScriptFailure for an error that the code did not handle, ScriptStopped for a limit,
    and lets SystemExit through.
    """

    language = "vbscript"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.functions = functions()

    def resolve_missing_with(self, lookup: Callable[[str], Any]) -> None:
        """Has ``lookup`` asked for a global name that nobody defined; it answers ``automation.MISSING`` for no such name."""
        self.lookup = lookup

    def execute(self, source: str, place: Place) -> None:
        """Runs statements in the global namespace. ``place`` is where the text begins."""
        with self._guarded():
            unit = compiled(source, place)
            outer, self.frame = self.frame, Frame(unit, self.globals)
            try:
                self.execute_unit(unit)
            finally:
                self.frame = outer

    def has(self, name: str) -> bool:
        """Whether the script has a global variable or procedure of that name."""
        return name.upper() in self.globals or name.upper() in self.procedures

    def get(self, name: str) -> Any:
        """A global variable's value, or a function of neutral values for a procedure; ``automation.MISSING`` for neither."""
        key = name.upper()
        if key in self.globals:
            return self.outward(self.globals[key].value)
        procedure = self.procedures.get(key)
        return automation.MISSING if procedure is None else self.function_of(procedure)

    def put(self, name: str, value: Any) -> None:
        """Sets a global variable."""
        self.globals[name.upper()] = Cell(self.inward(value))

    def call(self, name: str, arguments: Sequence[Any] = ()) -> Any:
        """Calls a procedure of the script; gives its result."""
        with self._guarded():
            procedure = self.procedures.get(name.upper())
            if procedure is None:
                raise runtime(13, name)
            return self._invoke(procedure, arguments)

    def handler(self, code: str, parameters: Sequence[str], place: Place) -> Callable[..., Any]:
        """A function whose body is ``code``; the parameters that it is not given are Empty."""
        with self._guarded():
            unit = compiled(code, place, handler=True)
            names = [_Parameter(name.upper()) for name in parameters]
            procedure = Procedure("", "SUB", names, unit.statements, unit)
        return self.function_of(procedure)

    def function_of(self, procedure: Procedure) -> Callable[..., Any]:
        """A procedure as a function of neutral values: what a host may call whenever something happens."""

        def function(*arguments: Any) -> Any:
            with self._guarded():
                return self._invoke(procedure, arguments)

        function.__name__ = procedure.unit.spelled(procedure.name) if procedure.name else "handler"
        return function

    def _invoke(self, procedure: Procedure, arguments: Sequence[Any]) -> Any:
        count = len(procedure.parameters)
        given = [Cell(self.inward(value)) for value in arguments]
        if not procedure.name:
            given = [*given[:count], *(Cell() for _ in range(count - len(given)))]
        return self.outward(self.invoke(procedure, given))

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """The border between the script's errors and the host's."""
        outer = self.frame
        try:
            yield
        except ScriptError as error:
            self.located(error)
            raise error.as_failure() from error
        except RecursionError as error:
            self.frame = outer
            raise self.governor.too_deep() from error
        except MemoryError as error:
            self.frame = outer
            raise self.governor.too_large() from error


class _Parameter:
    """A parameter of an event handler."""

    byval = True

    def __init__(self, name: str) -> None:
        self.name = name
