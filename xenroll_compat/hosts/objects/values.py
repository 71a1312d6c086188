"""A value as WScript.Echo shows it: what automation makes of it when a string is asked for. Knows no language."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant, described
from xenroll_compat.hosts.automation import value_of


def text_of(value: Any) -> str:
    """The text of a value.

    Raises:
        ComError: DISP_E_TYPEMISMATCH for an array or nothing, DISP_E_MEMBERNOTFOUND for an object without a value.
    """
    plain = value_of(value)
    if plain is Vacant.EMPTY:
        return ""
    if plain is Vacant.NULL:
        return "null"
    if isinstance(plain, bool):
        return "-1" if plain else "0"
    if isinstance(plain, float):
        return format(int(plain)) if plain.is_integer() and abs(plain) < 1e15 else format(plain, ".15g").replace("e", "E")
    if isinstance(plain, datetime):
        return _moment(plain)
    if isinstance(plain, (str, int)):
        return str(plain)
    raise ComError(HRESULT.DISP_E_TYPEMISMATCH, f"{described(plain)} has no text")


def _moment(moment: datetime) -> str:
    day = f"{moment.month}/{moment.day}/{moment.year}"
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return day
    return f"{day} {moment.hour % 12 or 12}:{moment.minute:02}:{moment.second:02} {'AM' if moment.hour < 12 else 'PM'}"
