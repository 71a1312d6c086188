"""How a script's value becomes the type that a member asks for, by the VARIANT conversions of automation.

Knows the names of types, not the classes behind them: an interface is recognised by the name of a class among the
value's own, so a check loads no module.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from enum import Enum, IntEnum, IntFlag
from typing import Any, Final

from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT, signed

_READABLE: Final = 10**15  # a whole number from here on is written with an exponent


class Vacant(Enum):
    """What stands in a VARIANT where no value does. A null object and a null string are None."""

    EMPTY = "Empty"  # VT_EMPTY: a variable that was never set. Reads as "", 0, False or no object
    NULL = "Null"  # VT_NULL: known to be unknown. Fits no type


def convert(value: Any, kind: str, *, argument: int | None = None) -> Any:
    """``value`` as ``kind``.

    Args:
        value: what the script passed.
        kind: an annotation as it is written: "str", "int", "bool", "bytes", "str | bytes", "object", the name of an
            enumeration of ``certenroll.enums``, or the name of an interface; ``| None`` lets None through.
        argument: the position of the argument, for the error.

    Raises:
        BadArgument: DISP_E_TYPEMISMATCH where the value is of no such type, DISP_E_OVERFLOW where a number does not
            fit 32 bits, E_INVALIDARG where an enumeration has no such value.
    """
    try:
        return _converter(kind)(value)
    except BadArgument as error:
        raise BadArgument(error.hresult, error.detail, argerror=argument) from None


def _converter(kind: str) -> Callable[[Any], Any]:
    found = _CONVERTERS.get(kind)
    if found is None:
        found = _CONVERTERS[kind] = _make(kind)
    return found


def _make(kind: str) -> Callable[[Any], Any]:
    parts = [part.strip() for part in kind.split("|")]
    if "None" in parts:
        inner = _converter(" | ".join(part for part in parts if part != "None"))
        return lambda value: None if value is None or value is Vacant.EMPTY else inner(value)
    # Loaded here: a host's own objects take no enumeration. Not by `from certenroll`, whose __getattr__ would answer.
    import certenroll.enums

    enumeration = getattr(certenroll.enums, kind, None)
    if isinstance(enumeration, type) and issubclass(enumeration, (IntEnum, IntFlag)):
        return lambda value: _as_enumeration(value, enumeration)
    interface = kind.partition("[")[0]
    return lambda value: _as_interface(value, interface)


def _as_any(value: Any) -> Any:
    return value


def _as_string(value: Any) -> str:
    if value is None or value is Vacant.EMPTY:
        return ""  # a NULL BSTR and an empty one are the same
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        return format(int(value)) if value.is_integer() and abs(value) < _READABLE else _double_text(value)
    if isinstance(value, int):
        return format(value)
    raise _mismatch(value, "a string")


def _double_text(value: float) -> str:
    """A Double as automation writes it: fifteen digits, and an exponent of two digits or more."""
    mantissa, _, exponent = format(value, ".15g").partition("e")
    return f"{mantissa}E{int(exponent):+03d}" if exponent else mantissa


def _as_text_or_bytes(value: Any) -> str | bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return _as_string(value)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, int) and 0 <= item <= 255 for item in value):
        return bytes(value)
    raise _mismatch(value, "an array of bytes")


def _as_long(value: Any) -> int:
    if isinstance(value, bool):
        return -1 if value else 0
    if value is Vacant.EMPTY:
        return 0
    if isinstance(value, str):
        value = _number_in(value)
    if isinstance(value, float):
        value = round(value) if math.isfinite(value) else 1 << 64
    if not isinstance(value, int):
        raise _mismatch(value, "a number")
    if not -0x80000000 <= value <= 0xFFFFFFFF:
        told = value if abs(value) < _READABLE else "a number of that size"
        raise BadArgument(HRESULT.DISP_E_OVERFLOW, f"{told} does not fit 32 bits")
    return int(value)


def _number_in(text: str) -> int | float:
    stripped = text.strip()
    if "_" in stripped:  # Python would read 1_000
        raise _mismatch(text, "a number")
    try:
        if stripped[:2].lower() == "&h":
            return int(stripped[2:].rstrip("&"), 16)
        return int(stripped)
    except ValueError:
        pass
    try:
        number = float(stripped)
    except ValueError:
        raise _mismatch(text, "a number") from None
    if math.isnan(number):
        raise _mismatch(text, "a number")
    return number


def _as_bool(value: Any) -> bool:
    if isinstance(value, str):
        named = {"true": True, "false": False}.get(value.strip().lower())
        return named if named is not None else bool(_number_in(value))
    if value is Vacant.EMPTY:
        return False
    if isinstance(value, (bool, int, float)):
        return bool(value)
    raise _mismatch(value, "a truth value")


def _as_enumeration(value: Any, enumeration: type[IntEnum] | type[IntFlag]) -> Any:
    number = _as_long(value)
    if issubclass(enumeration, IntFlag):
        return enumeration(number & 0xFFFFFFFF)
    for candidate in (number, number & 0xFFFFFFFF, signed(number)):
        try:
            return enumeration(candidate)
        except ValueError:
            continue
    raise BadArgument(HRESULT.E_INVALIDARG, f"{enumeration.__name__} has no value {number}")


def _as_interface(value: Any, interface: str) -> Any:
    if value is None or value is Vacant.EMPTY:
        raise BadArgument(HRESULT.E_POINTER, f"an {interface} is needed, nothing was given")
    if any(base.__name__ == interface for base in type(value).__mro__):
        return value
    raise _mismatch(value, f"an {interface}")


def _mismatch(value: Any, wanted: str) -> BadArgument:
    return BadArgument(HRESULT.DISP_E_TYPEMISMATCH, f"{wanted} is needed, not {described(value)}")


def described(value: Any) -> str:
    """A value's type in words that belong to no language, for an error: "an array", "a function", an object's interface."""
    if value is None or isinstance(value, Vacant):
        return "Null" if value is Vacant.NULL else "nothing"
    for kinds, words in _DESCRIBED:
        if isinstance(value, kinds):
            return words
    named = getattr(type(value), "_type_name_", "") or type(value).__name__
    return "a function" if callable(value) else "an object" if named == "Object" else str(named)


_DESCRIBED: Final[tuple[tuple[type | tuple[type, ...], str], ...]] = (
    (str, "a string"),
    (bool, "a truth value"),
    ((int, float), "a number"),
    (date, "a date"),
    ((bytes, bytearray, memoryview), "an array of bytes"),
    ((list, tuple), "an array"),
)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "object": _as_any,
    "Any": _as_any,
    "str": _as_string,
    "bytes": _as_bytes,
    "str | bytes": _as_text_or_bytes,
    "int": _as_long,
    "bool": _as_bool,
}
