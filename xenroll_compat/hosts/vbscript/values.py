"""VBScript's values: the subtypes that Python has no type for, and the conversions between subtypes.

A value is what ``automation`` calls a value (Vacant.EMPTY, Vacant.NULL, None for Nothing, str, bool, int, float, bytes,
datetime, automation objects), or one of the classes here. An int is an Integer where it fits one, a Long otherwise; Long
says that it is a Long whatever its size. Knows neither syntax nor objects' members.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from certenroll.variants import Vacant
from xenroll_compat.hosts.vbscript.errors import runtime

EMPTY: Final = Vacant.EMPTY
NULL: Final = Vacant.NULL
ZERO_DAY: Final = datetime(1899, 12, 30)
_EXACT: Final = 16  # from so many digits on, a number in a text is a Double
_AMOUNT: Final = re.compile(
    r"(?P<open>\()?\s*(?P<before>[+-])?\s*\$?\s*(?P<digits>(?:[0-9][0-9,]*\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"\s*(?P<after>[+-])?\s*(?P<close>\))?\Z"
)
_BASED: Final = re.compile(r"&([hHoO])([0-9a-fA-F]+)&?\Z")


class Long(int):
    """A Long that is one even where it would fit an Integer."""

    __slots__ = ()


class Byte(int):
    """A Byte: 0 to 255."""

    __slots__ = ()


class Single(float):
    """A Single: seven digits."""

    __slots__ = ()


class ScriptArray:
    """An array of VBScript: bounds from 0, the first index running fastest.

    Attributes:
        bounds: the upper bound of each dimension; none where it has not been given a size yet.
        fixed: whether Dim gave it its size, so that ReDim may not.
    """

    __slots__ = ("bounds", "fixed", "items")

    def __init__(self, bounds: tuple[int, ...], *, fixed: bool = False, items: list[Any] | None = None) -> None:
        self.bounds = bounds
        self.fixed = fixed
        self.items: list[Any] = items if items is not None else [EMPTY] * _size(bounds)

    @classmethod
    def of(cls, items: list[Any]) -> ScriptArray:
        """An array of one dimension that holds ``items``."""
        return cls((len(items) - 1,), items=items)

    def position(self, indexes: list[int]) -> int:
        """Where an element stands in ``items``. Raises ScriptError 9 outside the bounds."""
        if len(indexes) != len(self.bounds):
            raise runtime(9)
        place, stride = 0, 1
        for index, bound in zip(indexes, self.bounds, strict=True):
            if not 0 <= index <= bound:
                raise runtime(9)
            place += index * stride
            stride *= bound + 1
        return place

    def resize(self, bounds: tuple[int, ...], *, preserve: bool) -> None:
        """ReDim. Raises ScriptError 10 for an array that Dim gave its size, 9 where Preserve cannot keep the elements."""
        if self.fixed:
            raise runtime(10)
        if any(bound < -1 for bound in bounds):
            raise runtime(9)
        if not preserve or not self.bounds:
            self.bounds, self.items = bounds, [EMPTY] * _size(bounds)
            return
        if len(bounds) != len(self.bounds) or bounds[:-1] != self.bounds[:-1]:
            raise runtime(9)
        kept = self.items[: _size(bounds)]
        self.bounds, self.items = bounds, kept + [EMPTY] * (_size(bounds) - len(kept))

    def erase(self) -> None:
        """Erase: a fixed array's elements become Empty, a dynamic one loses its size."""
        if self.fixed:
            self.items = [EMPTY] * len(self.items)
        else:
            self.bounds, self.items = (), []

    def copied(self) -> ScriptArray:
        """A copy, as an assignment makes one; arrays within it are copied too. It can be resized."""
        return ScriptArray(self.bounds, items=[as_copy(item) for item in self.items])


def _size(bounds: tuple[int, ...]) -> int:
    return math.prod(bound + 1 for bound in bounds) if bounds else 0


def as_copy(value: Any) -> Any:
    """What an assignment stores: an array is copied, everything else is itself."""
    return value.copied() if isinstance(value, ScriptArray) else value


def is_value(value: Any) -> bool:
    """Whether this is a plain value, neither object nor array."""
    return isinstance(value, (str, bool, int, float, Decimal, datetime, bytes, Vacant))


def to_text(value: Any) -> str:
    """CStr for a value that is not Null (Null gives an empty string, as & takes it). Raises ScriptError 13, 91, 438."""
    if isinstance(value, str):
        return value
    for kind, written in _WRITTEN:
        if isinstance(value, kind):
            return written(value)
    raise _unfit(value)


def binary_text(value: bytes) -> str:
    """A byte array where a string is needed: two bytes a character; one that is left over stays alone."""
    whole = len(value) & ~1
    return value[:whole].decode("utf-16-le", "surrogatepass") + (chr(value[-1]) if len(value) & 1 else "")


def _number_text(value: float | Decimal) -> str:
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    text = format(float(value), ".7g" if isinstance(value, Single) else ".15g")
    if "e" not in text:
        return "0" if text == "-0" else text
    mantissa, exponent = text.split("e")
    if -16 < int(exponent) < 0:
        return format(Decimal(text), "f")
    return f"{mantissa}E{int(exponent):+03d}"


def date_text(value: datetime) -> str:
    """A date as the United States' settings write it: the day and the time, each only where it says something."""
    hour = value.hour % 12 or 12
    time = f"{hour}:{value.minute:02d}:{value.second:02d} {'AM' if value.hour < 12 else 'PM'}"
    if value.date() == ZERO_DAY.date():
        return time
    day = f"{value.month}/{value.day}/{value.year}"
    return day if (value.hour, value.minute, value.second) == (0, 0, 0) else f"{day} {time}"


_WRITTEN: Final[tuple[tuple[Any, Callable[[Any], str]], ...]] = (
    (bool, str),
    (int, lambda value: str(int(value))),
    (Vacant, lambda value: ""),
    ((float, Decimal), _number_text),
    (datetime, date_text),
    (bytes, binary_text),
)


def number_in(text: str) -> int | float | None:
    """The number that a text is, or None where it is none; infinite where it is too large for a Double.

    An amount of money is a number too: ``$5``, and ``(5)`` for -5.
    """
    stripped = text.strip()
    based = _BASED.match(stripped)
    if based:
        return _based_number(based)
    found = _AMOUNT.match(stripped)
    if found is None:
        return None
    sign, digits = found["before"] or found["after"] or "", found["digits"].replace(",", "")
    signs = [sign for sign in (found["open"], found["before"], found["after"]) if sign]
    if len(signs) > 1 or bool(found["open"]) != bool(found["close"]):
        return None
    if found["open"]:
        sign = "-"
    return int(sign + digits) if digits.isdigit() and len(digits) < _EXACT else float(sign + digits)


def _based_number(based: re.Match[str]) -> int | None:
    octal = based[1] in "oO"
    if octal and not set(based[2]) <= set("01234567"):
        return None
    number = int(based[2], 8 if octal else 16)
    if number > 0xFFFFFFFF:
        return None
    return wrapped(number, long=number > 0xFFFF)


def wrapped(number: int, *, long: bool) -> int:
    """A number of 16 or 32 bits without a sign, as an Integer or a Long reads its bits."""
    limit = 1 << (32 if long else 16)
    return number - limit if number >= limit >> 1 else number


def to_number(value: Any) -> int | float | Decimal:
    """A value as a number. Raises ScriptError 13 for what is none, 94 for Null, 91 for Nothing."""
    if isinstance(value, bool):
        return -1 if value else 0
    if isinstance(value, (int, float, Decimal)):
        return value
    if value is EMPTY:
        return 0
    if isinstance(value, str):
        number = number_in(value)
        if number is None:
            raise runtime(13, f'[string: "{value[:20]}"]')
        if isinstance(number, float) and not math.isfinite(number):
            raise runtime(6)
        return number
    if isinstance(value, datetime):
        return serial(value)
    raise _unfit(value)


def is_long(value: Any) -> bool:
    """Whether this is a Long: one that says so, or a whole number that fits no Integer."""
    if isinstance(value, Long):
        return True
    return isinstance(value, int) and not -0x8000 <= value <= 0x7FFF


def like(value: Any, number: int | float | Decimal) -> Any:
    """The result of an operation on one value in that value's subtype: a Long's is a Long, a text's a Double."""
    if isinstance(value, str):
        return float(number)
    return Long(number) if is_long(value) and isinstance(number, int) and number <= 0x7FFFFFFF else number


def to_long(value: Any) -> int:
    """A value as a Long: halves go to the even neighbour. Raises ScriptError 6 outside 32 bits, else as ``to_number``."""
    number = to_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        raise runtime(6)
    whole = round(number)
    if not -0x80000000 <= whole <= 0x7FFFFFFF:
        raise runtime(6)
    return whole


def to_bool(value: Any) -> bool:
    """A value as a condition: Null is False. Raises ScriptError 13 for a text that is neither a number nor True or False."""
    if isinstance(value, bool):
        return value
    if value is NULL:
        return False
    truth = truth_in(value) if isinstance(value, str) else None
    return to_number(value) != 0 if truth is None else truth


def truth_in(text: str) -> bool | None:
    """The Boolean that a text names, or None."""
    return {"true": True, "#true#": True, "false": False, "#false#": False}.get(text.strip().lower())


def serial(value: datetime) -> float:
    """A date as its number: days since 30 December 1899, the time as their fraction."""
    return (value - ZERO_DAY) / timedelta(days=1)


def date_of(number: float) -> datetime:
    """The date of a number. Raises ScriptError 6 outside the years 100 to 9999."""
    try:
        return ZERO_DAY + timedelta(seconds=round(number * 86400))
    except OverflowError:
        raise runtime(6) from None


def fitted(number: int | float) -> int | float:
    """The result of a calculation: a Long while it fits one, then a Double. Raises ScriptError 6 past a Double."""
    if isinstance(number, int):
        return number if -0x80000000 <= number <= 0x7FFFFFFF else float(number)
    if not math.isfinite(number):
        raise runtime(6)
    return number


def _unfit(value: Any) -> Exception:
    if value is NULL:
        return runtime(94)
    if value is None:
        return runtime(91)
    return runtime(13)
