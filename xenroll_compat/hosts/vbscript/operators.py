"""VBScript's operators on values: arithmetic, comparison, logic, concatenation.

Source: Microsoft's VBScript reference, "Operators" and "Comparison Operators". Knows no objects: default properties
have been read before a value comes here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from xenroll_compat.hosts.vbscript.errors import runtime
from xenroll_compat.hosts.vbscript.values import (
    EMPTY,
    NULL,
    Long,
    ScriptArray,
    date_of,
    fitted,
    is_long,
    like,
    to_long,
    to_number,
    to_text,
    truth_in,
)


def add(left: Any, right: Any) -> Any:
    """``+``: two strings are joined, everything else is added. Raises ScriptError 13, 6."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if left is EMPTY and isinstance(right, str):
        return right
    if right is EMPTY and isinstance(left, str):
        return left
    return arithmetic("+", left, right)


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """A calculation. Null gives Null. Raises ScriptError 13, 11 (division by zero), 6 (overflow)."""
    if left is NULL or right is NULL:
        return NULL
    if operator in ("\\", "MOD"):
        return _bounded(_whole(operator, to_long(left), to_long(right)), left, right)
    first, second = _operand(left), _operand(right)
    if isinstance(first, Decimal) or isinstance(second, Decimal):
        first, second = _as_decimals(first, second)
    try:
        result = _ARITHMETIC[operator](first, second)
    except ZeroDivisionError:
        raise runtime(11) from None
    except (OverflowError, ValueError):
        raise runtime(6) from None
    return _typed(operator, result, left, right)


def _typed(operator: str, result: Any, left: Any, right: Any) -> Any:
    if isinstance(result, complex):
        raise runtime(5)
    if isinstance(result, Decimal):
        return result
    number = fitted(result)
    if operator in "+-" and isinstance(left, datetime) != isinstance(right, datetime):
        return date_of(float(number))
    return Long(number) if isinstance(number, int) and (is_long(left) or is_long(right)) else number


def _operand(value: Any) -> Any:
    """A value as a number to calculate with: of a text a Double."""
    number = to_number(value)
    return float(number) if isinstance(value, str) else number


def _bounded(number: int, left: Any, right: Any) -> int:
    """A whole number in the subtype that two operands give: an Integer of what is no wider, a Long otherwise."""
    narrow = all(value is EMPTY or (isinstance(value, int) and not is_long(value)) for value in (left, right))
    return int(number) if narrow else Long(number)


def _as_decimals(first: Any, second: Any) -> tuple[Any, Any]:
    if isinstance(first, float) or isinstance(second, float):
        return float(first), float(second)
    return Decimal(first), Decimal(second)


def _power(first: Any, second: Any) -> Any:
    return float(first) ** float(second)


def _divide(first: Any, second: Any) -> Any:
    if first == 0 and second == 0:
        raise OverflowError
    return float(first) / float(second)


def _whole(operator: str, first: int, second: int) -> int:
    if second == 0:
        raise runtime(11)
    quotient = abs(first) // abs(second)
    if operator == "\\":
        return quotient if (first < 0) == (second < 0) else -quotient
    return int(math.fmod(first, second))


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": lambda first, second: first + second,
    "-": lambda first, second: first - second,
    "*": lambda first, second: first * second,
    "/": _divide,
    "^": _power,
}


def negate(value: Any) -> Any:
    """Unary minus. Null gives Null."""
    if value is NULL:
        return NULL
    number = -to_number(value)
    return like(value, number if isinstance(number, Decimal) else fitted(number))


# --- comparison -----------------------------------------------------------------------------------------------------

_ORDER: Final[dict[str, Callable[[int], bool]]] = {
    "=": lambda sign: sign == 0,
    "<>": lambda sign: sign != 0,
    "<": lambda sign: sign < 0,
    ">": lambda sign: sign > 0,
    "<=": lambda sign: sign <= 0,
    ">=": lambda sign: sign >= 0,
}


def compare(operator: str, left: Any, right: Any, *, left_literal: bool = False, right_literal: bool = False) -> Any:
    """A comparison. Null gives Null.

    A text and a number: where the number stands in the script as a literal, the text is read as a number; where the text
    does, the number is written as a text; of two variables the number is the smaller one. True and False are no literals.

    Raises:
        ScriptError: 13 for a text that is no number where it must be one, and for arrays; 91 for Nothing.
    """
    if left is NULL or right is NULL:
        return NULL
    for value in (left, right):
        if value is None:
            raise runtime(91)
        if isinstance(value, (ScriptArray, bytes)) and not (isinstance(left, bytes) and isinstance(right, (bytes, str))):
            raise runtime(13)
    return _ORDER[operator](_sign(left, right, left_literal, right_literal))


def _sign(left: Any, right: Any, left_literal: bool, right_literal: bool) -> int:
    left, right = _neutral(left, right), _neutral(right, left)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if isinstance(left, str):
        return -_mixed_sign(right, left, right_literal, left_literal)
    if isinstance(right, str):
        return _mixed_sign(left, right, left_literal, right_literal)
    first, second = to_number(left), to_number(right)
    return (first > second) - (first < second)


def _neutral(value: Any, other: Any) -> Any:
    """A value beside another: Empty becomes "" or 0, a byte array its text."""
    if value is EMPTY:
        return "" if isinstance(other, (str, bytes)) else 0
    return to_text(value) if isinstance(value, bytes) else value


def _mixed_sign(number: Any, text: str, number_literal: bool, text_literal: bool) -> int:
    if number_literal:
        value, read = to_number(number), to_number(text)
        return (value > read) - (value < read)
    if text_literal:
        written = to_text(number)
        return (written > text) - (written < text)
    return -1


# --- logic ----------------------------------------------------------------------------------------------------------


def logic(operator: str, left: Any, right: Any) -> Any:
    """And, Or, Xor, Eqv, Imp: of Booleans a Boolean, of numbers their bits. Null where the other side does not decide."""
    if left is NULL or right is NULL:
        return _logic_of_null(operator, left, right)
    both = isinstance(left, bool) and isinstance(right, bool)
    result = _BITS[operator](_bits(left), _bits(right))
    return bool(result) if both else _bounded(result, left, right)


def invert(value: Any) -> Any:
    """Not. Null gives Null."""
    if value is NULL:
        return NULL
    return not value if isinstance(value, bool) else _bounded(~_bits(value), value, value)


def _bits(value: Any) -> int:
    truth = truth_in(value) if isinstance(value, str) else None
    return to_long(value) if truth is None else -1 if truth else 0


def _logic_of_null(operator: str, left: Any, right: Any) -> Any:
    known = right if left is NULL else left
    if known is NULL or operator in ("XOR", "EQV"):
        return NULL
    bits = _bits(known)
    if operator == "AND":
        return NULL if bits else known
    if operator == "OR":
        return known if bits else NULL
    if left is NULL:
        return right if bits else NULL
    return NULL if bits else True


_BITS: Final[dict[str, Callable[[int, int], int]]] = {
    "AND": lambda first, second: first & second,
    "OR": lambda first, second: first | second,
    "XOR": lambda first, second: first ^ second,
    "EQV": lambda first, second: ~(first ^ second),
    "IMP": lambda first, second: ~first | second,
}
