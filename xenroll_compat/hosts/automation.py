"""What a script language does with an automation object: read, write, call, index, enumerate; and its errors.

One view of ComObject for every host, in values that belong to no language: str, int, float, bool, bytes, datetime, list,
automation objects, None for Nothing, and of ``variants.Vacant`` EMPTY for a variable that was never set and NULL for Null.
A host converts its own values to these and back, and turns a ``Failure`` into its own kind of error. Knows no language.

An object of a host's own (WScript, document, a dictionary) derives from ComObject as the object model's do; one whose
members are not known beforehand (a form with its fields) has ``_dynamic_get(name)`` and ``_dynamic_put(name, value)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from certenroll.com import ComObject
from certenroll.errors import ComError, UnknownMember, translate
from certenroll.hresults import HRESULT, signed
from certenroll.variants import described

MISSING: Final = object()  # what a dynamic object answers for a name that it does not have


class Failure(NamedTuple):
    """An error as Err and JScript's Error have it.

    Attributes:
        number: a number of the language, or the signed HRESULT.
        description: its sentence.
        source: who raised it.
    """

    number: int
    description: str
    source: str


# HRESULT of automation itself -> the number that script languages have for it. Every other one stays as it is.
LANGUAGE_NUMBERS: Final[dict[int, int]] = {
    signed(HRESULT.DISP_E_UNKNOWNNAME): 438,
    signed(HRESULT.DISP_E_MEMBERNOTFOUND): 438,
    signed(HRESULT.DISP_E_BADPARAMCOUNT): 450,
    signed(HRESULT.DISP_E_PARAMNOTOPTIONAL): 449,
    signed(HRESULT.DISP_E_TYPEMISMATCH): 13,
    signed(HRESULT.DISP_E_OVERFLOW): 6,
    signed(HRESULT.CO_E_CLASSSTRING): 429,
    signed(HRESULT.REGDB_E_CLASSNOTREG): 429,
}
DESCRIPTIONS: Final[dict[int, str]] = {
    5: "Invalid procedure call or argument",
    6: "Overflow",
    9: "Subscript out of range",
    13: "Type mismatch",
    424: "Object required",
    429: "ActiveX component can't create object",
    438: "Object doesn't support this property or method",
    449: "Argument not optional",
    450: "Wrong number of arguments or invalid property assignment",
    451: "Object not a collection",
    52: "Bad file name or number",
    53: "File not found",
    54: "Bad file mode",
    58: "File already exists",
    61: "Disk full",
    62: "Input past end of file",
    70: "Permission denied",
    76: "Path not found",
    94: "Invalid use of Null",
    457: "This key is already associated with an element of this collection",
    3001: "Arguments are of the wrong type, are out of acceptable range, or are in conflict with one another",
    3002: "File could not be opened",
    3004: "Write to file failed",
    3219: "Operation is not allowed in this context",
    3704: "Operation is not allowed when the object is closed",
    32811: "Element not found",
}
_OWN_NUMBERS: Final = range(0x800A0000, 0x800B0000)  # FACILITY_CONTROL: the number of a language, as an HRESULT


def numbered(number: int, detail: str = "") -> ComError:
    """The error of a host's own object that has a number of the language: 53, 70, 457, ..."""
    return ComError(_OWN_NUMBERS.start | number, detail)


def failure_of(error: BaseException, engine: str) -> Failure | None:
    """What a script sees of an error, or None where the error is no known one (a fault of ours, or an exit).

    Args:
        error: what a member raised.
        engine: the source of the language's own errors ("Microsoft VBScript runtime error").
    """
    told = translate(error)
    if told is None:
        return None
    number = LANGUAGE_NUMBERS.get(told.hresult)
    if number is None and told.hresult & 0xFFFFFFFF in _OWN_NUMBERS:
        number = told.hresult & 0xFFFF
    if number is None:
        return Failure(told.hresult, told.detail or told.strerror, told.excepinfo[1])
    text = DESCRIPTIONS.get(number, "Unknown runtime error")
    return Failure(number, f"{text}: {told.detail}" if told.detail else text, engine)


def kind_of(target: ComObject, name: str) -> str:
    """What a name is for an object: "property", "method", "dynamic" (only the object knows), or "" for nothing."""
    real = type(target)._members_.get(name.lower())
    if real is not None:
        return "property" if isinstance(getattr(type(target), real), property) else "method"
    return "dynamic" if getattr(type(target), "_dynamic_get", None) is not None else ""


def get(target: ComObject, name: str, arguments: Sequence[Any] = ()) -> Any:
    """The value of ``target.name`` or ``target.name(arguments)`` as a script writes it, call or read alike.

    Raises:
        ComError: DISP_E_UNKNOWNNAME, DISP_E_BADPARAMCOUNT, and the member's own codes.
    """
    kind = kind_of(target, name)
    if kind == "method":
        return getattr(target, name)(*arguments)
    found = getattr(target, name) if kind == "property" else _dynamic(target, name)
    if not arguments:
        return found
    if callable(found) and not isinstance(found, ComObject):
        return found(*arguments)
    return item(found, arguments)


def put(target: ComObject, name: str, value: Any, arguments: Sequence[Any] = ()) -> None:
    """``target.name = value`` or ``target.name(arguments) = value``.

    Raises:
        ComError: DISP_E_UNKNOWNNAME, DISP_E_MEMBERNOTFOUND for what is read-only or a method, and the member's own codes.
    """
    with_arguments = f"Set{name}"  # how the object model spells the put of a property with parameters
    kind = kind_of(target, name)
    if kind == "method" and kind_of(target, with_arguments) == "method":
        getattr(target, with_arguments)(*arguments, value)
    elif arguments:
        put_item(get(target, name), arguments, value)
    elif kind == "dynamic":
        target._dynamic_put(name, value)
    elif kind == "property":
        setattr(target, name, value)
    else:  # a name that is Python's own (``_value``) is no name for a script
        raise UnknownMember(type_name(target), name)


def item(target: Any, arguments: Sequence[Any]) -> Any:
    """``target(arguments)``: the default member with parameters. Raises ComError DISP_E_MEMBERNOTFOUND where none is."""
    if isinstance(target, list) and len(arguments) == 1:
        return target[int(arguments[0])]
    default = _default(target)
    if default is None:
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, f"{type_name(target)} has no default member")
    return get(target, default, arguments)


def put_item(target: Any, arguments: Sequence[Any], value: Any) -> None:
    """``target(arguments) = value``. Raises as ``item``."""
    default = _default(target)
    if default is None:
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, f"{type_name(target)} has no default member")
    put(target, default, value, arguments)


def value_of(target: Any) -> Any:
    """The value that stands for an object where a value is needed: its default property, or the object itself.

    Raises:
        ComError: DISP_E_MEMBERNOTFOUND where an automation object has none.
    """
    if not isinstance(target, ComObject):
        return target
    default = _default(target)
    if default is None or kind_of(target, default) == "method":
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, f"a value is needed, not {described(target)}")
    return get(target, default)


def items(target: Any) -> Iterator[Any]:
    """What For Each and Enumerator go through. Raises ComError DISP_E_NOTACOLLECTION for what is no collection."""
    if isinstance(target, list):
        return iter(list(target))
    if isinstance(target, ComObject) and "_newenum" in type(target)._members_:
        found: Iterator[Any] = target._NewEnum
        return found
    raise ComError(HRESULT.DISP_E_NOTACOLLECTION, f"{type_name(target)} is no collection")


def type_name(target: Any) -> str:
    """What TypeName gives for an object: the name of its interface; for what is none, words."""
    if not isinstance(target, ComObject):
        return described(target)
    return str(getattr(type(target), "_type_name_", "") or type(target).__name__)


def bound(target: ComObject, name: str) -> Callable[..., Any]:
    """``target.name`` as a function of its arguments, for languages in which a method is a value."""

    def call(*arguments: Any) -> Any:
        return get(target, name, arguments)

    return call


def _dynamic(target: ComObject, name: str) -> Any:
    look = getattr(type(target), "_dynamic_get", None)
    found = look(target, name) if look is not None else MISSING
    if found is MISSING:
        raise UnknownMember(type_name(target), name)
    return found


def _default(target: Any) -> str | None:
    named = getattr(type(target), "_default_", None)
    if named is not None:
        return str(named)
    return "ItemByIndex" if "itembyindex" in getattr(type(target), "_members_", {}) else None
