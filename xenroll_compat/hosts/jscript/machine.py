"""The JScript engine: one global namespace, and the ways into it.

Knows no page and no file; how a script reaches automation objects is the bridge's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import _quickjs  # type: ignore[import-not-found]  # not quickjs, which starts a thread as it is imported

from certenroll.variants import Vacant
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.engine import Lookup
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.jscript.bridge import Bridge
from xenroll_compat.hosts.jscript.places import FIRST_LINE, Texts
from xenroll_compat.hosts.jscript.source import normalize
from xenroll_compat.hosts.jscript.stack import Stack
from xenroll_compat.hosts.jscript.values import Primitive, ScriptFunction, Values, encode_text
from xenroll_compat.hosts.problems import Place, ScriptFailure

_NEARLY: Final = 0.9  # of the memory limit: an error that the engine could not even make is for want of memory
_PYTHON_NAME: Final = "$py"
_PRELUDE: Final = ("primordials", "language", "prelude")
_UNREADABLE: Final = "(Failed obtaining"


class JScriptEngine:
    """JScript at work: the protocol ``hosts.engine.Engine``."""

    language = "jscript"

    def __init__(self, environment: Environment) -> None:
        self._texts = Texts()
        self._values = Values()
        self._values.enter = self._enter
        self._bridge = Bridge(environment, self._values, self._texts)
        self._bridge.prepare = lambda text: normalize(text, self._constant).text
        self._bridge.memory_is_full = self._memory_is_full
        self._handlers: dict[tuple[str, tuple[str, ...], Place], ScriptFunction] = {}
        self._context = _quickjs.Context()
        self._entry = self._prelude()
        limits = environment.settings.limits
        self._stack = Stack(limits.depth, self._context.set_max_stack_size)
        self._bridge.stack_can_grow = self._stack.can_grow
        self._most = int(self._context.memory()["malloc_size"]) + limits.memory
        self._context.set_memory_limit(self._most)

    def define(self, name: str, value: Any) -> None:
        """Gives the global namespace a name: an automation object, a value, or a Python function of neutral values."""
        self._enter("define", encode_text(name), self._values.encode(value))

    def resolve_missing_with(self, lookup: Lookup) -> None:
        """Has ``lookup`` asked for a global name that nobody defined; it answers ``automation.MISSING`` for no such name."""
        first = self._bridge.lookup is None
        self._bridge.lookup = lookup
        if first:
            self._enter("missing")

    def execute(self, source: str, place: Place) -> None:
        """Runs statements in the global namespace.

        Args:
            source: the statements.
            place: where the text begins.

        Raises:
            ScriptFailure: an error that the text does not handle.
            ScriptStopped: a limit.
            SystemExit: the script ended itself.
        """
        self._enter("run", self._texts.add(normalize(source, self._constant), place))

    def has(self, name: str) -> bool:
        """Whether the namespace has a global variable or function of that name, beside those of the language."""
        return bool(self._enter("has", encode_text(name)))

    def get(self, name: str) -> Any:
        """A global variable's value, a function of neutral values for a function; ``automation.MISSING`` for neither."""
        return self._enter("get", encode_text(name)) if self.has(name) else automation.MISSING

    def put(self, name: str, value: Any) -> None:
        """Sets a global variable."""
        self._enter("put", encode_text(name), self._values.encode(value))

    def call(self, name: str, arguments: Sequence[Any] = ()) -> Any:
        """Calls a function of the script; gives its result.

        Raises:
            ScriptFailure: 5007 where there is no such function; an error that it does not handle.
        """
        found = self.get(name)
        if not callable(found):
            raise _failure(5007)
        return found(*arguments)

    def handler(self, code: str, parameters: Sequence[str], place: Place) -> ScriptFunction:
        """A function whose body is ``code``. Its ``call_on(element, arguments)`` gives the code its ``this``.

        Args:
            code: the text of an onclick attribute, or of a script FOR one event.
            parameters: the names of its parameters.
            place: where the code begins.

        Raises:
            ScriptFailure: the code is no JScript.
        """
        key = (code, tuple(parameters), place)
        if key not in self._handlers:
            head = f"(function ({', '.join(parameters)}) {{"
            before = Place(place.file, place.line, max(place.column, 1) - len(head))
            text = self._texts.add(normalize(f"{head}{code}\n}})", self._constant), before)
            self._handlers[key] = self._enter("make", text)
        return self._handlers[key]

    def _enter(self, operation: str, *values: Primitive) -> Any:
        """Runs one operation of the prelude; its result, or what it ended with is raised."""
        self._bridge.result = Vacant.EMPTY
        try:
            with self._stack:
                self._entry(operation, *values)
        except _quickjs.JSException as error:  # what even the prelude could not report
            self._bridge.keep(self._unreported(str(error)))
        except SystemError as error:
            self._bridge.keep(error.__cause__ or error)
        self._bridge.release()
        return self._bridge.result

    def _unreported(self, text: str) -> BaseException:
        head, _, stack = text.partition("\n")
        name, colon, message = head.rpartition(": ")
        name = name if colon else "InternalError"
        if head == "null" or (not colon and self._memory_is_full()):
            name, message = "InternalError", "out of memory"
        elif head.startswith(_UNREADABLE):  # not even its sentence could be made
            name, message = "RangeError", "Maximum call stack size exceeded"
        return self._bridge.limit(name, message, stack) or _failure(51)  # its words are the script's own

    def _prelude(self) -> Any:
        here = Path(__file__)
        primordials, language, prelude = (here.with_name(f"{name}.js").read_text("utf-8") for name in _PRELUDE)
        text = f"{prelude}({_PYTHON_NAME},\n{primordials}(),\n{language})"
        if text.count("\n") >= FIRST_LINE:
            raise RuntimeError("the prelude is longer than the lines that are left for it")
        self._context.add_callable(_PYTHON_NAME, self._bridge)
        entry = self._context.eval(text)
        self._context.eval(f"delete globalThis.{_PYTHON_NAME}")
        return entry

    def _memory_is_full(self) -> bool:
        return int(self._context.memory()["malloc_size"]) > self._most * _NEARLY

    def _constant(self, expression: str) -> object:
        """The value of an expression of conditional compilation: literals and operators alone."""
        try:
            return self._context.eval(f"({expression})")
        except _quickjs.JSException as error:
            raise _failure(1002) from error


def _failure(number: int) -> ScriptFailure:
    from xenroll_compat.hosts.jscript.errors import numbered

    told = numbered(number)
    return ScriptFailure(told.number, told.description, told.source)
