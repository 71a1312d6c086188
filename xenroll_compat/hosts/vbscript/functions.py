"""The functions and constants of the language: an allow-list after Microsoft's VBScript reference, and nothing beside it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from xenroll_compat.hosts.vbscript import dates, information, numbers, questions, texts
from xenroll_compat.hosts.vbscript.calls import Function
from xenroll_compat.hosts.vbscript.library import LIBRARY, library_function
from xenroll_compat.hosts.vbscript.objects import Cell
from xenroll_compat.hosts.vbscript.values import Long

_MANY: Final = sys.maxsize  # as many as an array has room for
_VERSION: Final = (5, 8, 16384)  # major, minor and build of the VBScript that Windows 7 and later have

# Name -> (what it does, the least and the greatest number of arguments).
_VALUES: Final[dict[str, tuple[Callable[..., Any], int, int]]] = {
    "Abs": (numbers.absolute, 1, 1),
    "Asc": (texts.code, 1, 1),
    "AscB": (texts.byte_code, 1, 1),
    "AscW": (texts.wide_code, 1, 1),
    "CBool": (numbers.to_boolean, 1, 1),
    "CByte": (numbers.to_byte, 1, 1),
    "CCur": (numbers.to_currency, 1, 1),
    "CDate": (lambda _, value: dates.to_date(value), 1, 1),
    "CDbl": (numbers.to_double, 1, 1),
    "Chr": (texts.character, 1, 1),
    "ChrB": (texts.byte_character, 1, 1),
    "ChrW": (texts.wide_character, 1, 1),
    "CInt": (numbers.to_integer, 1, 1),
    "CLng": (numbers.to_long_integer, 1, 1),
    "CreateObject": (information.create_object, 1, 2),
    "CSng": (numbers.to_single, 1, 1),
    "CStr": (texts.as_text, 1, 1),
    "Date": (dates.today, 0, 0),
    "DateValue": (dates.date_value, 1, 1),
    "Eval": (information.evaluate, 1, 1),
    "Execute": (information.execute, 1, 1),
    "ExecuteGlobal": (information.execute_global, 1, 1),
    "Filter": (texts.matching, 2, 4),
    "Fix": (numbers.truncate, 1, 1),
    "GetObject": (information.get_object, 0, 2),
    "GetRef": (information.get_reference, 1, 1),
    "Hex": (numbers.hexadecimal, 1, 1),
    "InputBox": (questions.input_box, 1, 7),
    "InStr": (texts.find, 2, 4),
    "InStrB": (texts.find_bytes, 2, 4),
    "InStrRev": (texts.find_last, 2, 4),
    "Int": (numbers.floor, 1, 1),
    "Join": (texts.join, 1, 2),
    "LCase": (texts.lower, 1, 1),
    "Left": (texts.left, 2, 2),
    "LeftB": (texts.left_bytes, 2, 2),
    "Len": (texts.length, 1, 1),
    "LenB": (texts.length_in_bytes, 1, 1),
    "LoadPicture": (information.load_picture, 1, 1),
    "LTrim": (texts.trim_left, 1, 1),
    "Mid": (texts.middle, 2, 3),
    "MidB": (texts.middle_bytes, 2, 3),
    "MsgBox": (questions.message_box, 1, 5),
    "Now": (dates.now, 0, 0),
    "Oct": (numbers.octal, 1, 1),
    "Replace": (texts.replace, 3, 6),
    "Right": (texts.right, 2, 2),
    "RightB": (texts.right_bytes, 2, 2),
    "Round": (numbers.rounded, 1, 2),
    "RTrim": (texts.trim_right, 1, 1),
    "ScriptEngine": (lambda _: "VBScript", 0, 0),
    "ScriptEngineBuildVersion": (lambda _: Long(_VERSION[2]), 0, 0),
    "ScriptEngineMajorVersion": (lambda _: Long(_VERSION[0]), 0, 0),
    "ScriptEngineMinorVersion": (lambda _: Long(_VERSION[1]), 0, 0),
    "RGB": (numbers.colour, 3, 3),
    "Sgn": (numbers.sign, 1, 1),
    "Sin": (numbers.sine, 1, 1),
    "Space": (texts.space, 1, 1),
    "Split": (texts.split, 1, 4),
    "Stop": (lambda _: None, 0, 0),  # there is no debugger to stop in
    "StrComp": (texts.compare_texts, 2, 3),
    "String": (texts.string, 2, 2),
    "StrReverse": (texts.reverse, 1, 1),
    "Tan": (numbers.tangent, 1, 1),
    "Time": (dates.time_now, 0, 0),
    "TimeSerial": (dates.time_serial, 3, 3),
    "TimeValue": (dates.time_value, 1, 1),
    "Trim": (texts.trim, 1, 1),
    "UCase": (texts.upper, 1, 1),
}
_OBJECTS: Final[dict[str, tuple[Callable[..., Any], int, int]]] = {
    "Array": (information.array, 0, _MANY),
    "IsArray": (information.is_array, 1, 1),
    "IsDate": (information.is_date, 1, 1),
    "IsEmpty": (information.is_empty, 1, 1),
    "IsNull": (information.is_null, 1, 1),
    "IsNumeric": (information.is_numeric, 1, 1),
    "IsObject": (information.is_an_object, 1, 1),
    "LBound": (information.lower_bound, 1, 2),
    "TypeName": (information.type_name, 1, 1),
    "UBound": (information.upper_bound, 1, 2),
    "VarType": (information.var_type, 1, 1),
}
CONSTANTS: Final[dict[str, Any]] = {
    "vbBlack": 0x0, "vbRed": 0xFF, "vbGreen": 0xFF00, "vbYellow": 0xFFFF, "vbBlue": 0xFF0000, "vbMagenta": 0xFF00FF,
    "vbCyan": 0xFFFF00, "vbWhite": 0xFFFFFF,
    "vbBinaryCompare": 0, "vbTextCompare": 1,
    "vbSunday": 1, "vbMonday": 2, "vbTuesday": 3, "vbWednesday": 4, "vbThursday": 5, "vbFriday": 6, "vbSaturday": 7,
    "vbUseSystem": 0, "vbUseSystemDayOfWeek": 0, "vbFirstJan1": 1, "vbFirstFourDays": 2, "vbFirstFullWeek": 3,
    "vbGeneralDate": 0, "vbLongDate": 1, "vbShortDate": 2, "vbLongTime": 3, "vbShortTime": 4,
    "vbObjectError": -2147221504,
    "vbOKOnly": 0, "vbOKCancel": 1, "vbAbortRetryIgnore": 2, "vbYesNoCancel": 3, "vbYesNo": 4, "vbRetryCancel": 5,
    "vbCritical": 16, "vbQuestion": 32, "vbExclamation": 48, "vbInformation": 64,
    "vbDefaultButton1": 0, "vbDefaultButton2": 256, "vbDefaultButton3": 512, "vbDefaultButton4": 768,
    "vbApplicationModal": 0, "vbSystemModal": 4096, "vbMsgBoxHelpButton": 16384, "vbMsgBoxSetForeground": 65536,
    "vbMsgBoxRight": 524288, "vbMsgBoxRtlReading": 1048576,
    "vbOK": 1, "vbCancel": 2, "vbAbort": 3, "vbRetry": 4, "vbIgnore": 5, "vbYes": 6, "vbNo": 7,
    "vbCr": "\r", "vbCrLf": "\r\n", "vbFormFeed": "\f", "vbLf": "\n", "vbNewLine": "\r\n", "vbNullChar": "\0",
    "vbNullString": "", "vbTab": "\t", "vbVerticalTab": "\v",
    "vbUseDefault": -2, "vbTrue": -1, "vbFalse": 0,
    "vbEmpty": 0, "vbNull": 1, "vbInteger": 2, "vbLong": 3, "vbSingle": 4, "vbDouble": 5, "vbCurrency": 6, "vbDate": 7,
    "vbString": 8, "vbObject": 9, "vbError": 10, "vbBoolean": 11, "vbVariant": 12, "vbDataObject": 13, "vbDecimal": 14,
    "vbByte": 17, "vbArray": 8192,
}  # fmt: skip


def functions() -> dict[str, Any]:
    """Everything that the language itself gives a name, by name in capitals: Functions, and constants as Cells."""
    dice = numbers.Dice()
    own: dict[str, tuple[Callable[..., Any], int, int]] = {"Rnd": (dice.rnd, 0, 1), "Randomize": (dice.randomize, 0, 1)}
    found: dict[str, Any] = {name.upper(): Cell(value, constant=True) for name, value in CONSTANTS.items()}
    for name, (call, least, most) in {**_VALUES, **own}.items():
        found[name.upper()] = Function(name, call, least, most)
    for name, (call, least, most) in _OBJECTS.items():
        found[name.upper()] = Function(name, call, least, most, objects=True)
    for name, (_, least, most) in LIBRARY.items():
        found.setdefault(name.upper(), Function(name, dates.dated(name, library_function(name)), least, most))
    return found
