"""The functions on strings and byte arrays. Source: Microsoft's VBScript reference, "String functions"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from xenroll_compat.hosts.vbscript.calls import Calls
from xenroll_compat.hosts.vbscript.errors import runtime
from xenroll_compat.hosts.vbscript.values import EMPTY, NULL, Byte, Long, ScriptArray, to_bool, to_long, to_text

_CODE_PAGE: Final = "cp1252"


def _given(value: Any, default: Any) -> Any:
    return default if value is None else value


def _count(value: Any) -> int:
    number = to_long(value)
    if number < 0:
        raise runtime(5)
    return number


def _start(value: Any) -> int:
    number = to_long(value)
    if number < 1:
        raise runtime(5)
    return number


def _text(value: Any) -> str:
    if value is NULL:
        raise runtime(94)
    return to_text(value)


def _octets(value: Any) -> bytes:
    return value if isinstance(value, bytes) else _text(value).encode("utf-16-le", "surrogatepass")


def length(machine: Calls, value: Any) -> Any:
    """Len."""
    return NULL if value is NULL else Long(len(value) // 2 if isinstance(value, bytes) else len(to_text(value)))


def length_in_bytes(machine: Calls, value: Any) -> Any:
    """LenB."""
    return NULL if value is NULL else Long(len(_octets(value)))


Part = Callable[..., Any]


def _parts(whole: Callable[[Any], Any]) -> tuple[Part, Part, Part]:
    """Left, Right and Mid over what ``whole`` makes of a value: its text, or its octets."""

    def left(machine: Calls, value: Any, count: Any) -> Any:
        return NULL if value is NULL else whole(value)[: _count(count)]

    def right(machine: Calls, value: Any, count: Any) -> Any:
        if value is NULL:
            return NULL
        found, wanted = whole(value), _count(count)
        return found[max(len(found) - wanted, 0) :]

    def middle(machine: Calls, value: Any, start: Any, count: Any = None) -> Any:
        if value is NULL:
            return NULL
        found, first = whole(value), _start(start) - 1
        return found[first:] if count is None else found[first : first + _count(count)]

    return left, right, middle


left, right, middle = _parts(to_text)
left_bytes, right_bytes, middle_bytes = _parts(_octets)


def upper(machine: Calls, value: Any) -> Any:
    """UCase."""
    return NULL if value is NULL else to_text(value).upper()


def lower(machine: Calls, value: Any) -> Any:
    """LCase."""
    return NULL if value is NULL else to_text(value).lower()


def trim(machine: Calls, value: Any) -> Any:
    """Trim: blanks only."""
    return NULL if value is NULL else to_text(value).strip(" ")


def trim_left(machine: Calls, value: Any) -> Any:
    """LTrim."""
    return NULL if value is NULL else to_text(value).lstrip(" ")


def trim_right(machine: Calls, value: Any) -> Any:
    """RTrim."""
    return NULL if value is NULL else to_text(value).rstrip(" ")


def reverse(machine: Calls, value: Any) -> str:
    """StrReverse."""
    return _text(value)[::-1]


def find(machine: Calls, *arguments: Any) -> Any:
    """InStr([start,] string1, string2[, compare])."""
    start, text, wanted, compare = _search(arguments)
    if text is NULL or wanted is NULL:
        return NULL
    within, sought = _folded(to_text(text), compare), _folded(to_text(wanted), compare)
    first = _start(start)
    if not within or first > len(within):
        return Long(0)
    return Long(within.find(sought, first - 1) + 1)


def find_bytes(machine: Calls, *arguments: Any) -> Any:
    """InStrB."""
    start, text, wanted, _ = _search(arguments)
    if text is NULL or wanted is NULL:
        return NULL
    within = _octets(text)
    return Long(within.find(_octets(wanted), _start(start) - 1) + 1) if within else Long(0)


def _search(arguments: tuple[Any, ...]) -> tuple[Any, Any, Any, Any]:
    if len(arguments) == 2:
        return 1, arguments[0], arguments[1], 0
    return _given(arguments[0], 1), arguments[1], arguments[2], _given(arguments[3] if arguments[3:] else None, 0)


def find_last(machine: Calls, text: Any, wanted: Any, start: Any = None, compare: Any = None) -> Any:
    """InStrRev."""
    within, sought = _folded(_text(text), compare), _folded(_text(wanted), compare)
    end = to_long(_given(start, -1))
    if end == 0 or end < -1:
        raise runtime(5)
    if end > len(within) or not within:
        return Long(0)
    last = len(within) if end == -1 else end
    return Long(last if not sought else within.rfind(sought, 0, last) + 1)


def _folded(text: str, compare: Any) -> str:
    kind = to_long(_given(compare, 0))
    if kind not in (0, 1):
        raise runtime(5)
    return text.lower() if kind else text


def compare_texts(machine: Calls, first: Any, second: Any, compare: Any = None) -> Any:
    """StrComp."""
    if first is NULL or second is NULL:
        return NULL
    left_text, right_text = _folded(to_text(first), compare), _folded(to_text(second), compare)
    return (left_text > right_text) - (left_text < right_text)


def replace(
    machine: Calls, text: Any, wanted: Any, instead: Any, start: Any = None, count: Any = None, compare: Any = None
) -> str:
    """Replace: what stands before ``start`` is left away."""
    subject, sought, new = _text(text)[_start(_given(start, 1)) - 1 :], _text(wanted), _text(instead)
    most = to_long(_given(count, -1))
    if not sought or not most:
        return subject
    within, key = _folded(subject, compare), _folded(sought, compare)
    found = within.count(key)
    times = found if most < 0 else min(found, most)
    machine.governor.room_for(len(subject) + times * (len(new) - len(sought)))
    if within is subject:
        return subject.replace(sought, new, times)
    return _replaced(subject, within, key, new, times)


def _replaced(subject: str, within: str, key: str, new: str, times: int) -> str:
    parts: list[str] = []
    position = 0
    for _ in range(times):
        at = within.find(key, position)
        parts += [subject[position:at], new]
        position = at + len(key)
    return "".join((*parts, subject[position:]))


def split(machine: Calls, text: Any, delimiter: Any = None, count: Any = None, compare: Any = None) -> ScriptArray:
    """Split: an empty text gives an array without elements."""
    subject, sought = _text(text), _text(_given(delimiter, " "))
    most = to_long(_given(count, -1))
    if not subject or not most:
        return ScriptArray.of([])
    if not sought:
        return ScriptArray.of([subject])
    within, key = _folded(subject, compare), _folded(sought, compare)
    parts: list[Any] = []
    position = 0
    while most < 0 or len(parts) < most - 1:
        at = within.find(key, position)
        if at < 0:
            break
        parts.append(subject[position:at])
        position = at + len(key)
    return ScriptArray.of([*parts, subject[position:]])


def join(machine: Calls, values: Any, delimiter: Any = None) -> str:
    """Join."""
    if not isinstance(values, ScriptArray) or len(values.bounds) > 1:
        raise runtime(13)
    between = _text(_given(delimiter, " "))
    texts = [_text(machine.value_of(item)) for item in values.items]
    machine.governor.room_for(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def matching(machine: Calls, values: Any, wanted: Any, include: Any = None, compare: Any = None) -> ScriptArray:
    """Filter: the texts that hold a text, or that do not."""
    if not isinstance(values, ScriptArray):
        raise runtime(13)
    sought, kept = _folded(_text(wanted), compare), to_bool(_given(include, True))
    texts = [_text(item) for item in values.items]
    return ScriptArray.of([text for text in texts if (sought in _folded(text, compare)) == kept])


def space(machine: Calls, count: Any) -> str:
    """Space."""
    wanted = _count(count)
    machine.governor.room_for(wanted)
    return " " * wanted


def string(machine: Calls, count: Any, character: Any) -> Any:
    """String: one character over and over."""
    if character is NULL:
        return NULL
    wanted = _count(count)
    machine.governor.room_for(wanted)
    if isinstance(character, str):
        if not character:
            raise runtime(5)
        return character[0] * wanted
    return _character(to_long(character) % 256) * wanted


def _character(code: int) -> str:
    return bytes([code]).decode(_CODE_PAGE, "replace") if code in range(128, 256) else chr(code)


def code(machine: Calls, text: Any) -> int:
    """Asc: the character's number in the code page of Western Windows."""
    first = _first(text)
    return first.encode(_CODE_PAGE, "replace")[0] if ord(first) > 127 else ord(first)


def wide_code(machine: Calls, text: Any) -> int:
    """AscW: an Integer, so negative from 0x8000 on."""
    number = int.from_bytes(_first(text).encode("utf-16-le", "surrogatepass")[:2], "little")
    return number - 0x10000 if number >= 0x8000 else number


def _first(text: Any) -> str:
    found = _text(text)
    if not found:
        raise runtime(5)
    return found[0]


def byte_code(machine: Calls, value: Any) -> Byte:
    """AscB."""
    octets = _octets(value)
    if not octets:
        raise runtime(5)
    return Byte(octets[0])


def character(machine: Calls, number: Any) -> str:
    """Chr."""
    wanted = to_long(number)
    if not 0 <= wanted <= 255:
        raise runtime(5)
    return _character(wanted)


def wide_character(machine: Calls, number: Any) -> str:
    """ChrW."""
    wanted = to_long(number)
    if not -0x8000 <= wanted <= 0xFFFF:
        raise runtime(5)
    return chr(wanted & 0xFFFF)


def byte_character(machine: Calls, number: Any) -> bytes:
    """ChrB."""
    wanted = to_long(number)
    if not 0 <= wanted <= 255:
        raise runtime(5)
    return bytes([wanted])


def as_text(machine: Calls, value: Any) -> str:
    """CStr."""
    return "" if value is EMPTY else _text(value)
