"""The engine's errors as JScript has them: its numbers and its sentences.

    Told             number, description and source, as e.number and e.description show them
    told_of          an error of an object
    describe         an error of the language: by its type, its message, and the words of the source where it happened

Knows no object and no bridge.
Source: Microsoft's JScript language reference, "JScript Run-time Errors" and "JScript Syntax Errors".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certenroll.hresults import HRESULT, signed
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.jscript.source import CALLS

if TYPE_CHECKING:
    from xenroll_compat.hosts.jscript.places import Spot

RUNTIME: Final = "Microsoft JScript runtime error"
COMPILATION: Final = "Microsoft JScript compilation error"
_FACILITY: Final = 0x800A0000

DESCRIPTIONS: Final[dict[int, str]] = {
    **automation.DESCRIPTIONS,
    51: "Internal error",
    429: "Automation server can't create object",
    432: "File name or class name not found during Automation operation",
    1002: "Syntax error",
    1003: "Expected ':'",
    1004: "Expected ';'",
    1005: "Expected '('",
    1006: "Expected ')'",
    1007: "Expected ']'",
    1008: "Expected '{'",
    1009: "Expected '}'",
    1010: "Expected identifier",
    1014: "Invalid character",
    1015: "Unterminated string constant",
    1016: "Unterminated comment",
    1018: "'return' statement outside of function",
    1019: "Can't have 'break' outside of loop",
    1020: "Can't have 'continue' outside of loop",
    1026: "Label not found",
    1027: "'default' can only appear once in a 'switch' statement",
    5000: "Cannot assign to 'this'",
    5001: "Number expected",
    5002: "Function expected",
    5003: "Cannot assign to a function result",
    5006: "Date object expected",
    5007: "Object expected",
    5008: "Illegal assignment",
    5009: "Undefined identifier",
    5010: "Boolean expected",
    5013: "VBArray expected",
    5016: "Regular Expression object expected",
    5017: "Syntax error in regular expression",
    5022: "Exception thrown and not caught",
    5023: "Function does not have a valid prototype object",
    5024: "The URI to be encoded contains an invalid character",
    5025: "The URI to be decoded is not a valid encoding",
    5026: "The number of fractional digits is out of range",
    5027: "The precision is out of range",
    5029: "Array length must be a finite positive integer",
    5030: "Array length must be assigned a finite positive number",
}
# HRESULT of automation -> the number that JScript has for it, beside those that every language has.
_NUMBERS: Final[dict[int, int]] = {
    signed(HRESULT.DISP_E_NOTACOLLECTION): 451,
    signed(HRESULT.E_OUTOFMEMORY): 7,
}
# The engine's sentence -> JScript's number; "{0}" of a description is the first group of the pattern.
_SYNTAX: Final[tuple[tuple[str, int], ...]] = (
    (r"expecting ';'", 1004),
    (r"expecting '\('", 1005),
    (r"expecting '\)'", 1006),
    (r"expecting '\]'", 1007),
    (r"expecting '\{'", 1008),
    (r"expecting '\}'", 1009),
    (r"expecting ':'", 1003),
    (r"end of string", 1015),
    (r"end of comment", 1016),
    (r"return not in a function", 1018),
    (r"break must be inside", 1019),
    (r"continue must be inside", 1020),
    (r"label .*not found", 1026),
    (r"duplicate default", 1027),
    (r"(?:name|identifier) expected|unsupported keyword|function name", 1010),
    (r"in expression: '@'|unexpected character", 1014),
    (r"left-hand side", 5008),
)
_LANGUAGE: Final[tuple[tuple[str, int], ...]] = (
    (r"not a constructor", 5002),
    (r"cannot (?:read|set|delete) property|Cannot convert undefined|cannot convert to object|not an object", 5007),
    (r"'(?:in|instanceof)' (?:right )?operand", 5002),
    (r"not a Date object", 5006),
    (r"not a (?:RegExp|regexp)|regexp.* expected", 5016),
    (r"not a number", 5001),
    (r"not a boolean", 5010),
    (r"invalid array length", 5029),
    (r"number of digits", 5026),
    (r"prototype", 5023),
    (r"read-only|not extensible", 5008),
    (r"hex digit|malformed|UTF-8", 5025),
    (r"invalid character", 5024),
)
_OF_TYPE: Final[dict[str, int]] = {"TypeError": 438, "ReferenceError": 5009, "RangeError": 5, "URIError": 5025}
_NATIVE: Final = frozenset({*_OF_TYPE, "SyntaxError", "InternalError"})
_NAME: Final = re.compile(r"[\w$]+")
_WORDS_BEFORE: Final = re.compile(r"([\w$]+(?:\.[\w$]+|\([^()]*\)|\[[^\[\]]*\])*)$")
_LONGEST: Final = 400  # characters in which the words before are looked for
_PROPERTY: Final = re.compile(r"property '(.*?)' of (null|undefined)")


@dataclass(frozen=True)
class Told:
    """An error as a script sees it: e.number (signed), e.description, and who raised it."""

    number: int
    description: str
    source: str


def numbered(number: int, description: str = "", source: str = RUNTIME) -> Told:
    """An error of the language by its number in the reference (438, 5009, ...), with its own sentence or another."""
    return Told(signed(_FACILITY | number), description or DESCRIPTIONS[number], source)


def told_of(error: BaseException) -> Told | None:
    """What a script sees of an error of an object, or None for one that is a fault of ours or an exit."""
    failure = automation.failure_of(error, RUNTIME)
    if failure is None:
        return None
    number = _NUMBERS.get(failure.number, failure.number)
    if number == 7:
        return numbered(7, "Out of memory")
    if not 0 < number <= 0xFFFF:
        return Told(number, failure.description, failure.source)
    _, separator, detail = failure.description.partition(": ")
    words = DESCRIPTIONS.get(number, failure.description)
    return numbered(number, f"{words}: {detail}" if separator and number == failure.number else words)


def describe(name: str, message: str, spot: Spot | None, *, compiling: bool) -> Told:
    """What JScript says where the engine says something else.

    Args:
        name: the error's type ("TypeError").
        message: the engine's sentence.
        spot: where it happened, with the words that stand there.
        compiling: whether a text was being compiled; a regular expression may be at fault too.
    """
    if name not in _NATIVE:  # the script's own
        return numbered(5022, message)
    if name == "SyntaxError":
        return _syntax_error(message) if compiling else numbered(5017)
    if name == "ReferenceError" and message.endswith(" is not defined"):
        return _undefined(message.removesuffix(" is not defined"), spot)
    return _misused(name, message, spot)


def _misused(name: str, message: str, spot: Spot | None) -> Told:
    """A value that is not what the operation needs."""
    if name == "TypeError" and message.endswith("not a function"):
        return numbered(438 if spot is not None and _is_member(spot) else 5002)
    if (found := _PROPERTY.search(message)) is not None:
        return numbered(5007, f"'{_owner(found.group(1), found.group(2), spot)}' is null or not an object")
    number = _first(_LANGUAGE, message)
    if number is not None:
        return numbered(number)
    return numbered(_OF_TYPE[name], message) if name in _OF_TYPE else numbered(5022, message)


def _syntax_error(message: str) -> Told:
    number = _first(_SYNTAX, message)
    return numbered(1002 if number is None else number, source=COMPILATION)


def _undefined(identifier: str, spot: Spot | None) -> Told:
    """What is called and not there is "Object expected"; what is read and not there is named."""
    if spot is not None:
        before, after = spot.line[: spot.column].rstrip(), spot.line[spot.column :]
        if re.match(rf"{re.escape(identifier)}\s*\(", after) and not re.search(r"\bnew$", before):
            return numbered(5007)
    return numbered(5009, f"'{identifier}' is undefined")


def _is_member(spot: Spot) -> bool:
    if spot.line[: spot.column].rstrip().endswith("."):
        return True
    name = _NAME.match(spot.line, spot.column)
    return name is not None and spot.line[name.end() :].lstrip()[:1] in {"[", "."}


def _owner(member: str, value: str, spot: Spot | None) -> str:
    """The words before ``.member``: what is null or undefined."""
    if spot is None:
        return value
    before, after = spot.line[: spot.column], spot.line[spot.column :].replace(CALLS, "")
    if before.endswith("[") and spot.line.startswith(CALLS, spot.column - 1):  # ``x.member()``, as it is evaluated
        found = _WORDS_BEFORE.search(before[-_LONGEST:-1].replace(CALLS, ""))
    else:
        accessed = rf"\s*(?:\.\s*{re.escape(member)}\b|\[)"
        found = re.match(rf"([\w$.]+(?:\([^()]*\)|\[[^\[\]]*\])*){accessed}", after)
    return found.group(1) if found is not None else value


def _first(table: tuple[tuple[str, int], ...], message: str) -> int | None:
    return next((number for pattern, number in table if re.search(pattern, message)), None)
