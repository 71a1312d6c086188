"""Dates: the literal, the clock, and the functions that the language library reads too narrowly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from xenroll_compat.hosts.vbscript.errors import ScriptError, runtime
from xenroll_compat.hosts.vbscript.library import call_library
from xenroll_compat.hosts.vbscript.numbers import to_integer
from xenroll_compat.hosts.vbscript.values import NULL, ZERO_DAY

# A function of the library -> which of its arguments are dates.
_DATES: Final[dict[str, tuple[int, ...]]] = {
    **dict.fromkeys(("Day", "Hour", "Minute", "Month", "Second", "Weekday", "Year", "FormatDateTime"), (0,)),
    "DateAdd": (2,),
    "DateDiff": (1, 2),
    "DatePart": (1,),
}


def date_in(text: str) -> datetime:
    """The date that a text is, by the settings of the United States. Raises ScriptError 13."""
    try:
        found: datetime = call_library("vb_datetime", "CDate", _spaced(text))
    except ScriptError:
        raise runtime(13) from None
    return found


def _spaced(text: str) -> str:
    """A text with one blank at each gap, and one before AM and PM, as the library wants it."""
    words = text.replace("AM", " AM").replace("PM", " PM").split()
    return " ".join(words)


def to_date(value: Any) -> datetime:
    """CDate. Raises ScriptError 13, 94."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return date_in(value)
    if value is NULL:
        raise runtime(94)
    found: datetime = call_library("vb_datetime", "CDate", value)
    return found


def now(machine: object) -> datetime:
    """Now: to the second."""
    return datetime.now().replace(microsecond=0)


def today(machine: object) -> datetime:
    """Date."""
    return now(machine).replace(hour=0, minute=0, second=0)


def time_now(machine: object) -> datetime:
    """Time."""
    at = now(machine)
    return ZERO_DAY.replace(hour=at.hour, minute=at.minute, second=at.second)


def time_serial(machine: object, hour: Any, minute: Any, second: Any) -> datetime:
    """TimeSerial: what is more than a day long goes on into the next days."""
    hours, minutes, seconds = (to_integer(machine, part) for part in (hour, minute, second))
    return ZERO_DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def dated(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the library that is given its dates as dates: of Null it gives Null, of what is no date error 13."""
    positions = _DATES.get(name)
    if positions is None:
        return function

    def call(machine: object, *arguments: Any) -> Any:
        given = list(arguments)
        for position in positions:
            if given[position] is NULL:
                return NULL
            given[position] = to_date(given[position])
        return function(machine, *given)

    return call


def date_value(machine: object, value: Any) -> datetime:
    """DateValue: the day alone."""
    return to_date(value).replace(hour=0, minute=0, second=0)


def time_value(machine: object, value: Any) -> datetime:
    """TimeValue: the time alone."""
    at = to_date(value)
    return ZERO_DAY.replace(hour=at.hour, minute=at.minute, second=at.second)
