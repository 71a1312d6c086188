"""VBScript's errors: their numbers and sentences, and how errors of objects and of the language library become them.

Source: Microsoft's VBScript reference, "VBScript Run-time Errors" and "VBScript Syntax Errors". Knows no syntax tree.
"""

from __future__ import annotations

from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.problems import Place, ScriptFailure

RUNTIME: Final = "Microsoft VBScript runtime error"
COMPILATION: Final = "Microsoft VBScript compilation error"

RUNTIME_ERRORS: Final[dict[int, str]] = {
    5: "Invalid procedure call or argument",
    6: "Overflow",
    7: "Out of memory",
    9: "Subscript out of range",
    10: "This array is fixed or temporarily locked",
    11: "Division by zero",
    13: "Type mismatch",
    14: "Out of string space",
    17: "Can't perform requested operation",
    28: "Out of stack space",
    35: "Sub or Function not defined",
    48: "Error in loading DLL",
    51: "Internal error",
    52: "Bad file name or number",
    53: "File not found",
    54: "Bad file mode",
    55: "File already open",
    57: "Device I/O error",
    58: "File already exists",
    61: "Disk full",
    62: "Input past end of file",
    67: "Too many files",
    68: "Device unavailable",
    70: "Permission denied",
    71: "Disk not ready",
    74: "Can't rename with different drive",
    75: "Path/File access error",
    76: "Path not found",
    91: "Object variable not set",
    92: "For loop not initialized",
    94: "Invalid use of Null",
    322: "Can't create necessary temporary file",
    424: "Object required",
    429: "ActiveX component can't create object",
    430: "Class doesn't support Automation",
    432: "File name or class name not found during Automation operation",
    438: "Object doesn't support this property or method",
    440: "Automation error",
    445: "Object doesn't support this action",
    446: "Object doesn't support named arguments",
    447: "Object doesn't support current locale setting",
    448: "Named argument not found",
    449: "Argument not optional",
    450: "Wrong number of arguments or invalid property assignment",
    451: "Object not a collection",
    453: "Specified DLL function not found",
    455: "Code resource lock error",
    457: "This key is already associated with an element of this collection",
    458: "Variable uses an Automation type not supported in VBScript",
    462: "The remote server machine does not exist or is unavailable",
    481: "Invalid picture",
    500: "Variable is undefined",
    501: "Illegal assignment",
    502: "Object not safe for scripting",
    503: "Object not safe for initializing",
    504: "Object not safe for creating",
    505: "Invalid or unqualified reference",
    506: "Class not defined",
    507: "An exception occurred",
    5016: "Regular Expression object expected",
    5017: "Syntax error in regular expression",
    5018: "Unexpected quantifier",
    5019: "Expected ']' in regular expression",
    5020: "Expected ')' in regular expression",
    5021: "Invalid range in character set",
    32811: "Element not found",
}
SYNTAX_ERRORS: Final[dict[int, str]] = {
    1001: "Out of memory",
    1002: "Syntax error",
    1003: "Expected ':'",
    1005: "Expected '('",
    1006: "Expected ')'",
    1007: "Expected ']'",
    1010: "Expected identifier",
    1011: "Expected '='",
    1012: "Expected 'If'",
    1013: "Expected 'To'",
    1014: "Expected 'End'",
    1015: "Expected 'Function'",
    1016: "Expected 'Sub'",
    1017: "Expected 'Then'",
    1018: "Expected 'Wend'",
    1019: "Expected 'Loop'",
    1020: "Expected 'Next'",
    1021: "Expected 'Case'",
    1022: "Expected 'Select'",
    1023: "Expected expression",
    1024: "Expected statement",
    1025: "Expected end of statement",
    1026: "Expected integer constant",
    1027: "Expected 'While' or 'Until'",
    1028: "Expected 'While,' 'Until,' or end of statement",
    1029: "Expected 'With'",
    1031: "Invalid number",
    1032: "Invalid character",
    1033: "Unterminated string constant",
    1037: "Invalid use of 'Me' keyword",
    1038: "'loop' without 'do'",
    1039: "Invalid 'exit' statement",
    1040: "Invalid 'for' loop control variable",
    1041: "Name redefined",
    1042: "Must be first statement on the line",
    1044: "Cannot use parentheses when calling a Sub",
    1045: "Expected literal constant",
    1046: "Expected 'In'",
    1047: "Expected 'Class'",
    1048: "Must be defined inside a Class",
    1049: "Expected Let or Set or Get in property declaration",
    1050: "Expected 'Property'",
    1055: "Unexpected 'Next'",
}
# HRESULT of automation -> number of the language, beside those that every language has.
_OWN_NUMBERS: Final[dict[int, int]] = {
    signed(HRESULT.DISP_E_NOTACOLLECTION): 451,
}
_TOLD_BY_NAME: Final = (429, 438)  # their sentence names the class or the member, and that is all
_OF_PATTERNS: Final = range(5016, 5022)  # a pattern's faults, which name nothing


class ScriptError(Exception):
    """An error that a script's On Error Resume Next turns into Err.

    Attributes:
        number: Err.Number: a number of the language, or a signed HRESULT.
        description: Err.Description.
        source: Err.Source.
        place: where it happened, once that is known.
    """

    def __init__(self, number: int, description: str, source: str = RUNTIME, place: Place | None = None) -> None:
        self.number: Final = number
        self.description: Final = description
        self.source: Final = source
        self.place = place
        super().__init__(number, description)

    def as_failure(self) -> ScriptFailure:
        """The same for the host: nothing in the script handled it."""
        return ScriptFailure(self.number, self.description, self.source, self.place)


class SyntaxProblem(ScriptError):
    """A text that is no VBScript. ``position`` is the offset in it."""

    def __init__(self, number: int, position: int) -> None:
        super().__init__(number, SYNTAX_ERRORS.get(number) or RUNTIME_ERRORS[number], COMPILATION)
        self.position: Final = position


def runtime(number: int, subject: str = "") -> ScriptError:
    """A run-time error of the language; ``subject`` is what the script's text names: a variable, a ProgID."""
    sentence = RUNTIME_ERRORS.get(number, "Unknown runtime error")
    return ScriptError(number, f"{sentence}: '{subject}'" if subject else sentence)


def of_object(error: ComError | ScriptFailure, subject: str = "") -> ScriptError:
    """What a script sees of an object's error.

    Args:
        error: what the object's member raised.
        subject: the member as the script's text names it, for errors of the language.
    """
    if isinstance(error, ScriptFailure):
        return ScriptError(error.number, error.description, error.source, error.place)
    own = _OWN_NUMBERS.get(error.hresult)
    failure = None if own else automation.failure_of(error, RUNTIME)
    if failure is not None and failure.source != RUNTIME:
        return ScriptError(failure.number, failure.description, failure.source)
    number = own or (failure.number if failure is not None else 440)
    if failure is not None and number not in RUNTIME_ERRORS:
        return ScriptError(number, failure.description, RUNTIME)
    if number in _OF_PATTERNS:
        return runtime(number)
    detail = f" ({error.detail})" if error.detail and number not in _TOLD_BY_NAME else ""
    return ScriptError(number, runtime(number, subject).description + detail)
