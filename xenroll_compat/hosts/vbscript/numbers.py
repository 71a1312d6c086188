"""The functions on numbers and the conversions between subtypes.

Source: Microsoft's VBScript reference, "Math functions" and "Conversion functions". Knows neither texts nor objects.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final

from xenroll_compat.hosts.vbscript.errors import runtime
from xenroll_compat.hosts.vbscript.values import NULL, Byte, Long, Single, like, to_bool, to_long, to_number

_PLACES: Final = 12  # a Double's digits end before these
_WHOLE: Final = 10**15
_CURRENCY: Final = Decimal("922337203685477.5807")


def _whole(value: Any, least: int, most: int) -> int:
    number = to_number(value)
    if isinstance(number, float) and not math.isfinite(number):
        raise runtime(6)
    whole = round(number)
    if not least <= whole <= most:
        raise runtime(6)
    return whole


def to_integer(machine: object, value: Any) -> int:
    """CInt."""
    return int(_whole(value, -0x8000, 0x7FFF))


def to_long_integer(machine: object, value: Any) -> Long:
    """CLng."""
    return Long(to_long(value))


def to_byte(machine: object, value: Any) -> Byte:
    """CByte."""
    return Byte(_whole(value, 0, 255))


def to_double(machine: object, value: Any) -> float:
    """CDbl."""
    return float(to_number(value))


def to_single(machine: object, value: Any) -> Single:
    """CSng."""
    try:
        return Single(struct.unpack("<f", struct.pack("<f", float(to_number(value))))[0])
    except OverflowError:
        raise runtime(6) from None


def to_currency(machine: object, value: Any) -> Decimal:
    """CCur: four digits after the point."""
    number = to_number(value)
    if Decimal(number).copy_abs() > _CURRENCY:
        raise runtime(6)
    return Decimal(str(number)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_EVEN)


def to_boolean(machine: object, value: Any) -> bool:
    """CBool."""
    if value is NULL:
        raise runtime(94)
    return to_bool(value)


def absolute(machine: object, value: Any) -> Any:
    """Abs."""
    if value is NULL:
        return NULL
    number = to_number(value)
    return like(value, -number if number < 0 else number)


def sign(machine: object, value: Any) -> Any:
    """Sgn."""
    number = to_number(value)
    return (number > 0) - (number < 0)


def floor(machine: object, value: Any) -> Any:
    """Int: the next whole number below."""
    return _truncated(value, math.floor)


def truncate(machine: object, value: Any) -> Any:
    """Fix: the whole part."""
    return _truncated(value, math.trunc)


def _truncated(value: Any, rule: Callable[[Any], int]) -> Any:
    if value is NULL:
        return NULL
    number = to_number(value)
    if isinstance(number, int):
        return number
    return Decimal(rule(number)) if isinstance(number, Decimal) else float(rule(number))


def rounded(machine: object, value: Any, digits: Any = None) -> Any:
    """Round: halves go to the even neighbour."""
    places = 0 if digits is None else to_long(digits)
    if places < 0:
        raise runtime(5)
    number = to_number(value)
    if isinstance(number, int):
        return number
    if places > _PLACES or not -_WHOLE < number < _WHOLE:
        return number
    result = Decimal(str(number)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return result if isinstance(number, Decimal) else float(result)


def hexadecimal(machine: object, value: Any) -> Any:
    """Hex: of a negative Integer four digits, of any other negative number eight."""
    return NULL if value is NULL else format(_bits(value), "X")


def octal(machine: object, value: Any) -> Any:
    """Oct."""
    return NULL if value is NULL else format(_bits(value), "o")


def _bits(value: Any) -> int:
    number = to_long(value)
    short = not isinstance(value, Long) and -0x8000 < number < 0
    return number & (0xFFFF if short else 0xFFFFFFFF)


def colour(machine: object, red: Any, green: Any, blue: Any) -> Long:
    """RGB: a part above 255 counts as 255."""
    parts = [to_integer(machine, part) for part in (red, green, blue)]
    if min(parts) < 0:
        raise runtime(5)
    return Long(sum(min(part, 255) << shift for part, shift in zip(parts, (0, 8, 16), strict=True)))


def sine(machine: object, value: Any) -> float:
    """Sin."""
    return math.sin(float(to_number(value)))


def tangent(machine: object, value: Any) -> float:
    """Tan."""
    return math.tan(float(to_number(value)))


class Dice:
    """Rnd and Randomize: the generator that Microsoft documents for Visual Basic (KB 231847), with its first seed."""

    _MULTIPLIER: Final = 0x43FD43FD
    _INCREMENT: Final = 0xC39EC3
    _SIZE: Final = 1 << 24

    def __init__(self) -> None:
        self._state = 0x50000

    def rnd(self, machine: object, number: Any = None) -> Single:
        """Rnd([number]): below 0 the same number for the same argument, 0 the last one, else the next one."""
        wanted = 1.0 if number is None else float(to_number(number))
        if wanted < 0:
            bits = struct.unpack("<I", struct.pack("<f", to_single(machine, number)))[0]
            self._state = (bits + (bits >> 24)) % self._SIZE
        if wanted:
            self._state = (self._state * self._MULTIPLIER + self._INCREMENT) % self._SIZE
        return Single(self._state / self._SIZE)

    def randomize(self, machine: object, number: Any = None) -> None:
        """Randomize [number]."""
        seed = time.time() % 86400 if number is None else float(to_number(number))
        low, high = struct.unpack("<II", struct.pack("<d", seed))
        mixed = (low ^ high) & 0xFFFFFFFF
        self._state = (self._state & 0xFF) | (((mixed << 8) ^ (mixed >> 8)) & 0xFFFF00)
