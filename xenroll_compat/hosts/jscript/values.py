"""Values as the primitives that the engine passes, both ways; and the table of what the two languages hold of each other.

The letters are said in prelude.js. Knows no automation object's members and no error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.problems import ScriptFailure

Primitive = str | int | float | bool | None

UNDEFINED: Final = "u"
_EXACT: Final = 1 << 53  # beyond it a number of JavaScript's is no longer every integer
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ESCAPE: Final = r"\\u([0-9a-f]{4})"
_NOT_WELL_FORMED: Final = r"[\\\ud800-\udfff]"


class Entry(Protocol):
    """How Python enters the engine: an operation of the prelude and its primitives; gives what it answers."""

    def __call__(self, operation: str, *values: Primitive) -> Any:
        """Raises as the methods of ``hosts.engine.Engine``."""


class ScriptFunction:
    """A function of the script's: called from Python with neutral values."""

    def __init__(self, number: int, values: Values) -> None:
        self.number: Final = number
        self._values: Final = values

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns. Raises as ``Engine.call``."""
        return self.call_on(Vacant.EMPTY, arguments)

    def call_on(self, this: Any, arguments: tuple[Any, ...] = ()) -> Any:
        """Calls the function with ``this``: what an event handler's element is."""
        encode = self._values.encode
        return self._values.enter("call", self.number, encode(this), *map(encode, arguments))


class ScriptArray(list[Any]):
    """An array of the script's as a list of its elements at that moment. Handed back, it is the script's own array again."""

    def __init__(self, items: list[Any], number: int) -> None:
        super().__init__(items)
        self.number: Final = number


class ScriptObject(ComObject):
    """An object of the script's, as automation sees it: every name is a member."""

    _type_name_: Final = "Object"

    def __init__(self, number: int, values: Values) -> None:
        self._number = number
        self._values = values

    def _dynamic_get(self, name: str) -> Any:
        encoded = self._values.encode(name)
        if not self._values.enter("hasMember", self._number, encoded):
            return automation.MISSING
        return self._values.enter("member", self._number, encoded)

    def _dynamic_put(self, name: str, value: Any) -> None:
        self._values.enter("setMember", self._number, self._values.encode(name), self._values.encode(value))

    def __str__(self) -> str:
        return str(self._values.enter("string", self._number))


class Values:
    """The conversion, with the table of the objects that it has given handles. The table lasts as long as the engine."""

    def __init__(self) -> None:
        self.enter: Entry
        self._objects: list[Any] = []
        self._handles: dict[int, int] = {}
        self._functions: dict[int, ScriptFunction] = {}
        self._script_objects: dict[int, ScriptObject] = {}

    def object(self, handle: int) -> Any:
        """What has that handle. Raises ScriptFailure where nothing has."""
        try:
            return self._objects[handle]
        except (IndexError, TypeError) as error:
            raise _damaged() from error

    def encode(self, value: Any) -> Primitive:
        """A neutral value as a primitive."""
        for kind, encoder in _ENCODERS:
            if isinstance(value, kind):
                return encoder(value)
        return UNDEFINED if value is automation.MISSING else self._handed(value)

    def decode(self, stream: Iterator[Primitive]) -> list[Any]:
        """Every value of a stream of primitives.

        Raises:
            ComError: DISP_E_OVERFLOW for a date after the year 9999 or before the year 1.
            ScriptFailure: 51 for what is no value: the script has been at the bridge.
        """
        try:
            return [self._decode_one(primitive, stream) for primitive in stream]
        except (LookupError, ValueError, StopIteration) as error:
            raise _damaged() from error

    def _handed(self, value: Any) -> str:
        handle = self._handles.get(id(value))
        if handle is None:
            handle = self._handles[id(value)] = len(self._objects)
            self._objects.append(value)
        if isinstance(value, (bytes, bytearray, list, tuple)):
            return f"a{handle}:{len(value)}"
        return f"c{handle}" if callable(value) and not isinstance(value, ComObject) else f"o{handle}"

    def _decode_one(self, primitive: Primitive, stream: Iterator[Primitive]) -> Any:
        if isinstance(primitive, str):
            return self._decoders[primitive[0]](self, primitive[1:], stream)
        if isinstance(primitive, float) and primitive.is_integer() and abs(primitive) <= _EXACT:
            return int(primitive)
        return primitive

    def _array(self, rest: str, stream: Iterator[Primitive]) -> Any:
        length, _, number = rest.partition(":")
        return ScriptArray([self._decode_one(next(stream), stream) for _ in range(int(length))], int(number))

    def _function(self, rest: str, _stream: Iterator[Primitive]) -> Any:
        return self._functions.setdefault(int(rest), ScriptFunction(int(rest), self))

    def _script_object(self, rest: str, _stream: Iterator[Primitive]) -> Any:
        return self._script_objects.setdefault(int(rest), ScriptObject(int(rest), self))

    _decoders: Final[dict[str, Callable[[Values, str, Iterator[Primitive]], Any]]] = {
        "s": lambda self, rest, stream: rest,
        "e": lambda self, rest, stream: _unescaped(rest),
        "u": lambda self, rest, stream: Vacant.EMPTY,
        "o": lambda self, rest, stream: self._objects[int(rest)],
        "a": _array,
        "f": _function,
        "j": _script_object,
        "d": lambda self, rest, stream: _moment(float(rest)),
    }


def decode_text(primitive: str) -> str:
    """The text of an encoded string."""
    return _unescaped(primitive[1:]) if primitive[0] == "e" else primitive[1:]


def encode_text(value: str) -> str:
    """A string as the engine takes it: what is half of a surrogate pair cannot pass as it is."""
    if value.isascii():
        return f"s{value}"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "e" + re.sub(_NOT_WELL_FORMED, lambda found: f"\\u{ord(found.group()):04x}", value)
    return f"s{value}"


def _damaged() -> ScriptFailure:
    from xenroll_compat.hosts.jscript.errors import numbered

    told = numbered(51)
    return ScriptFailure(told.number, told.description, told.source)


def _moment(milliseconds: float) -> datetime:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise ComError(HRESULT.DISP_E_OVERFLOW, "a date must lie in the years 1 to 9999") from error


def _number(value: float) -> int | float:
    if isinstance(value, int):
        return int(value) if -0x80000000 <= value <= 0x7FFFFFFF else float(value)
    return float(value)


def _date(moment: datetime) -> str:
    since = moment.astimezone(UTC) - _EPOCH  # a moment without a zone is local, as JScript takes it
    return f"d{since // timedelta(milliseconds=1)}"


def _unescaped(escaped: str) -> str:
    text = re.sub(_ESCAPE, lambda found: chr(int(found.group(1), 16)), escaped)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _vacant(value: Vacant) -> str | None:
    return UNDEFINED if value is Vacant.EMPTY else None


def _of_script(value: ScriptFunction | ScriptArray | ScriptObject) -> str:
    return f"j{value.number}" if isinstance(value, (ScriptFunction, ScriptArray)) else f"j{value._number}"


# In this order: True is a number too, and an array of the script's a list.
_ENCODERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Primitive]], ...]] = (
    ((type(None), bool), lambda value: value),
    (str, encode_text),
    ((int, float), _number),
    (Vacant, _vacant),
    (datetime, _date),
    ((ScriptFunction, ScriptArray, ScriptObject), _of_script),
)
