"""What the prelude asks of Python: members of automation objects, elements of arrays, new objects, the sense of an error.

Nothing may be raised into the engine's C code, which would lose it; every answer is a primitive, an error among them.
What no script may handle (an exit, a limit, a fault of ours) is kept, the script is told to stop, and whoever entered
the engine raises it. Knows the engine by one function, and no script's text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from certenroll.com import ComObject
from certenroll.errors import ComError, UnknownMember
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.engine import Lookup
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.jscript.places import Texts
from xenroll_compat.hosts.jscript.values import Primitive, Values, decode_text, encode_text
from xenroll_compat.hosts.parameterized_properties import is_parameterized
from xenroll_compat.hosts.problems import Place, ScriptFailure, ScriptStopped

if TYPE_CHECKING:
    from xenroll_compat.hosts.jscript.errors import Told

STOP: Final = "q"
NOTHING: Final = "n"
METHOD: Final = "m"
PARAMETERIZED: Final = "p"
_TOO_DEEP: Final = "Maximum call stack size exceeded"
_TOO_LARGE: Final = frozenset({"out of memory", "string too long"})
_CALLS: Final = "its procedures call each other too deeply"
_TAKES_MORE: Final = 0x04  # inspect.CO_VARARGS
_NESTED: Final = "its text, or a value in it, is nested too deeply"
_FRAME: Final = "    at "
_FRAMES_TOLD: Final = 10  # of more open calls the engine tells the innermost ones
_INTERRUPTED: Final = "Python call failed."


class Bridge:
    """The operations of one engine, what they have kept, and what the script's last entry gave."""

    def __init__(self, environment: Environment, values: Values, texts: Texts) -> None:
        self.result: Any = None
        self.lookup: Lookup | None = None
        self.prepare: Callable[[str], str]  # a text that the script evaluates itself, normalized
        self.memory_is_full: Callable[[], bool]
        self.stack_can_grow = True
        self._environment = environment
        self._values = values
        self._texts = texts
        self._kept: BaseException | None = None
        self._parts: list[Primitive] = []
        self._inner: ScriptFailure | None = None  # of a function of the script's that an object called

    def __call__(self, operation: str, *arguments: Primitive) -> Primitive:
        """Answers the prelude. Raises nothing: see the module."""
        try:
            if self._kept is not None:
                return STOP
            return self._operations[operation](self, *arguments)
        except BaseException as error:  # noqa: BLE001  nothing may pass through the engine's C code
            return self._refusal(error)

    def keep(self, error: BaseException) -> str:
        """Notes what the script may not handle; whoever entered the engine raises it. The first one counts."""
        if self._kept is None:
            self._kept = error
        return STOP

    def release(self) -> None:
        """Raises what was kept, if anything was."""
        kept, self._kept = self._kept, None
        self._parts.clear()
        if kept is not None:
            raise kept

    def limit(self, name: str, message: str, stack: str) -> ScriptStopped | None:
        """The limit that an error of the engine's own means, or None for another error."""
        spot = self._texts.spot(stack)
        place = spot.place if spot is not None else self._texts.latest()
        if message == _TOO_DEEP:
            text = _NESTED if 0 < stack.count(_FRAME) < _FRAMES_TOLD else _CALLS
            hresult, grows = HRESULT.WIN32_STACK_OVERFLOW, self.stack_can_grow
            return ScriptStopped(text, "--depth-limit", hresult, place, can_be_raised=grows)
        if name == "InternalError" and message in _TOO_LARGE:
            return ScriptStopped("it needs too much memory", "--memory-limit", HRESULT.E_OUTOFMEMORY, place)
        if name == "InternalError" and message == _INTERRUPTED:  # a signal came between two instructions of the bridge
            return ScriptStopped("it was interrupted", "--time-limit", HRESULT.WIN32_TIMEOUT, place)
        return None

    def _refusal(self, error: BaseException) -> str:
        error = _origin(error)
        if isinstance(error, ScriptFailure):
            self._inner = error
            return _encoded(error.number, error.source, error.description)
        stopped = _LIMITS.get(type(error))
        if stopped is not None:
            return self.keep(ScriptStopped(*stopped, self._texts.latest()))
        told = _errors().told_of(error) if isinstance(error, Exception) else None
        return _error(told) if told is not None else self.keep(error)

    # --- what the script asks

    def _get(self, handle: int, name: str) -> Primitive:
        target, member = self._values.object(handle), decode_text(name)
        if not isinstance(target, ComObject):
            return NOTHING
        kind = automation.kind_of(target, member)
        if kind == "method":
            return PARAMETERIZED if is_parameterized(target, member) else METHOD
        if kind == "property":
            return self._values.encode(automation.get(target, member))
        found = _dynamic(target, member) if kind else automation.MISSING
        if found is automation.MISSING and member.isdecimal():
            found = automation.item(target, [int(member)])  # collection[0]
        return NOTHING if found is automation.MISSING else self._values.encode(found)

    def _call(self, handle: int, name: str, *arguments: Primitive) -> Primitive:
        target, member, given = self._values.object(handle), decode_text(name), self._arguments(arguments)
        if None in given and _takes_variants(target, member):
            given = [Vacant.NULL if value is None else value for value in given]
        return self._values.encode(automation.get(target, member, given))

    def _put(self, handle: int, name: str, *arguments: Primitive) -> None:
        *given, value = self._arguments(arguments)
        target, member = self._values.object(handle), decode_text(name)
        if not isinstance(target, ComObject):
            raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND)
        if member:
            automation.put(target, member, value, given)
        else:
            automation.put_item(target, given, value)

    def _index(self, handle: int, *arguments: Primitive) -> Primitive:
        return self._values.encode(automation.item(self._values.object(handle), self._arguments(arguments)))

    def _invoke(self, handle: int, *arguments: Primitive) -> Primitive:
        return self._values.encode(self._values.object(handle)(*self._arguments(arguments)))

    def _value(self, handle: int) -> Primitive:
        return self._values.encode(automation.value_of(self._values.object(handle)))

    def _enumerate(self, *arguments: Primitive) -> Primitive:
        (collection,) = self._arguments(arguments)
        return self._values.encode(list(automation.items(collection)))

    def _array(self, *arguments: Primitive) -> Primitive:
        (array,) = self._arguments(arguments)
        if not isinstance(array, (bytes, bytearray, list, tuple)):
            return _error(_errors().numbered(5013))
        return self._values.encode(array)

    def _element(self, handle: int, index: int) -> Primitive:
        return self._values.encode(self._values.object(handle)[index])

    def _create(self, identifier: str) -> Primitive:
        return self._values.encode(self._environment.create(decode_text(identifier)))

    def _moniker(self, name: str) -> Primitive:
        scheme, _, identifier = decode_text(name).partition(":")
        if scheme.lower() != "new":
            return _error(_errors().numbered(432))
        return self._values.encode(self._environment.create(identifier))

    def _missing(self, name: str) -> Primitive:
        found = automation.MISSING if self.lookup is None else self.lookup(decode_text(name))
        return NOTHING if found is automation.MISSING else self._values.encode(found)

    def _bare(self, name: str, stack: str) -> bool:
        """Whether the script names a global variable by its name alone, and not as a member of ``this``."""
        spot = self._texts.spot(decode_text(stack))
        return spot is None or spot.line.startswith(decode_text(name), spot.column)

    def _source(self, text: str) -> Primitive:
        return encode_text(self.prepare(decode_text(text)))

    def _caught(self, name: str, message: str, stack: str) -> Primitive:
        return self._sense(decode_text(name), decode_text(message), decode_text(stack))

    def _sense(self, name: str, message: str, stack: str) -> Primitive:
        """What the script sees of an error of the language that it has caught; null where it threw null itself."""
        if not name:
            if not self.memory_is_full():
                return None
            name, message = "InternalError", "out of memory"
        stopped = self.limit(name, message, stack)
        if stopped is not None:
            return self.keep(stopped)
        return _error(self._described(name, message, stack))

    # --- how an entry ends

    def _part(self, *arguments: Primitive) -> None:
        self._parts += arguments

    def _result(self, *arguments: Primitive) -> None:
        (self.result,) = self._arguments(arguments)

    def _failed(self, number: float | None, message: str, source: str, name: str, stack: str) -> None:
        """An error that the script did not handle."""
        words = [decode_text(each) for each in (message, source, name, stack)]
        stopped = self._unhandled(number, *words)
        self.keep(stopped)

    def _unhandled(self, number: float | None, message: str, source: str, name: str, stack: str) -> BaseException:
        stopped = self.limit(name, message, stack)
        if stopped is None and not name and not message and self.memory_is_full():
            stopped = self.limit("InternalError", "out of memory", stack)
        if stopped is not None:
            return stopped
        spot = self._texts.spot(stack)
        place = spot.place if spot is not None else self._texts.latest() if not stack else Place(self._texts.latest().file)
        if number is not None:
            inner = self._inner
            if inner is not None and (inner.number, inner.description) == (int(number), message):
                place = inner.place
            return ScriptFailure(int(number), message, source or _errors().RUNTIME, place)
        told = self._described(name, message, stack)
        return ScriptFailure(told.number, told.description, told.source, place)

    def _described(self, name: str, message: str, stack: str) -> Told:
        compiling = stack.lstrip().startswith("at <input>")
        told: Told = _errors().describe(name, message, self._texts.spot(stack), compiling=compiling)
        return told

    def _arguments(self, primitives: tuple[Primitive, ...]) -> list[Any]:
        if self._parts:
            primitives = (*self._parts, *primitives)
            self._parts.clear()
        stream: Iterator[Primitive] = iter(primitives)
        return self._values.decode(stream)

    _operations: Final[dict[str, Callable[..., Primitive]]] = {
        "get": _get,
        "call": _call,
        "put": _put,
        "index": _index,
        "invoke": _invoke,
        "value": _value,
        "enumerate": _enumerate,
        "array": _array,
        "element": _element,
        "create": _create,
        "moniker": _moniker,
        "missing": _missing,
        "bare": _bare,
        "source": _source,
        "caught": _caught,
        "part": _part,
        "result": _result,
        "failed": _failed,
    }


# Errors of Python's own that mean a limit of the run.
_LIMITS: Final[dict[type[BaseException], tuple[str, str, HRESULT]]] = {
    RecursionError: (_CALLS, "--depth-limit", HRESULT.WIN32_STACK_OVERFLOW),
    MemoryError: ("it needs too much memory", "--memory-limit", HRESULT.E_OUTOFMEMORY),
}


def _origin(error: BaseException) -> BaseException:
    """What an automation object's member failed by, where that was a script it called, or the end of the run."""
    inner: BaseException | None = error
    while isinstance(inner, ComError):
        inner = inner.__cause__
    told = isinstance(inner, ScriptFailure) or type(inner) in _LIMITS or not isinstance(inner, Exception)
    return inner if inner is not None and told else error


def _error(told: Told) -> str:
    return _encoded(told.number, told.source, told.description)


def _encoded(number: int, source: str, description: str) -> str:
    return "x" + "\0".join((str(number), source, encode_text(description)[1:]))


def _errors() -> ModuleType:
    """The tables of errors, for a script that has one: most have none, and start sooner without."""
    from xenroll_compat.hosts.jscript import errors

    return errors


def _takes_variants(target: Any, name: str) -> bool:
    """Whether a method takes any number of values, of any type, as WScript.Echo does: null is Null there, else nothing."""
    function = getattr(type(target), getattr(type(target), "_members_", {}).get(name.lower(), ""), None)
    code = getattr(getattr(function, "__wrapped__", None), "__code__", None)
    return code is not None and bool(code.co_flags & _TAKES_MORE)


def _dynamic(target: ComObject, name: str) -> Any:
    try:
        return automation.get(target, name)
    except UnknownMember:
        return automation.MISSING
