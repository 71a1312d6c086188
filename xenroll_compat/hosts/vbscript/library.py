"""The functions that the language library has right: reached by name, loaded when the first of them is called.

Nothing of the library but what stands in ``LIBRARY`` is ever called. Knows no syntax tree.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from xenroll_compat.hosts.vbscript.errors import ScriptError, runtime
from xenroll_compat.hosts.vbscript.values import EMPTY, NULL, Long, Single

UNITED_STATES: Final = 1033  # the locale whose settings the library writes dates and numbers by
# Name -> (the library's module, the least and the greatest number of arguments).
LIBRARY: Final[dict[str, tuple[str, int, int]]] = {
    **dict.fromkeys(("Atn", "Cos", "Exp", "Log", "Sqr"), ("vb_builtins", 1, 1)),
    **dict.fromkeys(("FormatCurrency", "FormatNumber", "FormatPercent"), ("vb_builtins", 1, 5)),
    "Escape": ("vb_builtins", 1, 1),
    "GetLocale": ("vb_builtins", 0, 0),
    "SetLocale": ("vb_builtins", 0, 1),
    "Unescape": ("vb_builtins", 1, 1),
    **dict.fromkeys(("Day", "Hour", "Minute", "Month", "Second", "Year"), ("vb_datetime", 1, 1)),
    **dict.fromkeys(("Timer",), ("vb_datetime", 0, 0)),
    "CDate": ("vb_datetime", 1, 1),
    "DateAdd": ("vb_datetime", 3, 3),
    "DateDiff": ("vb_datetime", 3, 5),
    "DatePart": ("vb_datetime", 2, 4),
    "DateSerial": ("vb_datetime", 3, 3),
    "FormatDateTime": ("vb_datetime", 1, 2),
    "MonthName": ("vb_datetime", 1, 2),
    "Weekday": ("vb_datetime", 1, 2),
    "WeekdayName": ("vb_datetime", 1, 3),
}


def library_function(name: str) -> Callable[..., Any]:
    """A function of the library, taking the machine and the script's values, giving the script's values.

    It raises ScriptError where the library raises anything that an argument can bring about.
    """
    module = LIBRARY[name][0]

    def call(machine: object, *arguments: Any) -> Any:
        return call_library(module, name, *arguments)

    return call


def call_library(module: str, name: str, *arguments: Any) -> Any:
    """Calls a function of the library with the script's values. Raises ScriptError."""
    function = getattr(_module(module), name)
    given = [_outward(value) for value in arguments]
    while given and given[-1] is None:
        given.pop()
    try:
        return _inward(function(*given))
    except (_errors().VBScriptError, _runtime().VBScriptRuntimeError) as error:
        raise _translated(error) from error
    except (OverflowError, ArithmeticError) as error:
        raise runtime(6) from error
    except (ValueError, TypeError, LookupError) as error:
        raise runtime(5) from error


def _module(name: str) -> Any:
    module = importlib.import_module(f"ASPPY.{name}")
    if not _runtime().vbs_get_lcid():
        _runtime().vbs_set_lcid(UNITED_STATES)
    return module


def _runtime() -> Any:
    return importlib.import_module("ASPPY.vb_runtime")


def _errors() -> Any:
    return importlib.import_module("ASPPY.vb_errors")


def _sentinels() -> Any:
    return importlib.import_module("ASPPY.vm.values")


def _translated(error: Any) -> ScriptError:
    definition = getattr(error, "error_def", None)
    number = definition.number if definition is not None else getattr(error, "number", 5)
    return runtime(number or 5)


def _outward(value: Any) -> Any:
    if value is EMPTY:
        return _sentinels().VBEmpty
    if value is NULL:
        return _sentinels().VBNull
    return int(value) if isinstance(value, Long) else value


def _inward(value: Any) -> Any:
    if isinstance(value, _runtime().VBLong):
        return Long(value)
    if isinstance(value, _runtime().VBSingle):
        return Single(value)
    sentinels = _sentinels()
    return EMPTY if value is sentinels.VBEmpty else NULL if value is sentinels.VBNull else value
