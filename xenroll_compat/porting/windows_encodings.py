"""Bytes of a run as base64: a script of Windows cannot write the bytes of a string down.

Model to model. What was text in the run stays as it was, also where it stands for bytes; encodings follow what they say the
encoding of. Knows no language.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from certenroll.enums import EncodingType
from xenroll_compat.porting.model import VALUE, Argument, Call, Listed, Literal, Name, Port, Show, Step, with_arguments

_BINARY: Final = Literal(EncodingType.XCN_CRYPT_STRING_BINARY)
_BASE64: Final = EncodingType.XCN_CRYPT_STRING_BASE64
_CR_BINARY, _CR_BASE64, _CR_MASK = 2, 1, 0xFF  # CR_IN_ and CR_OUT_ have the same numbers
# Members of ICertRequest -> where their flags are; the first takes bytes, the others give them.
_FLAGS: Final = {"Submit": 0, "GetCertificate": 0, "GetFullResponseProperty": 3, "GetCACertificate": 2, "GetCAProperty": 4}
_TAKES_BYTES: Final = "Submit"
_CONVERTER: Final = "IBinaryConverter"
_TO_ARRAY: Final = "StringToVariantByteArray"
_FROM_ARRAY: Final = "VariantByteArrayToString"


def in_base64(port: Port, steps: Iterable[Step]) -> Iterator[Step]:
    """The steps with base64 for bytes.

    Args:
        port: whose constants and parameters the steps name.
        steps: its steps, or what became of them.
    """
    octets = {one.name for one in port.constants if isinstance(one.value, bytes)}
    octets |= {one.name for one in port.parameters if isinstance(one.example, bytes)}
    arrays: dict[str, tuple[Argument, Argument]] = {}
    for step in steps:
        if isinstance(step, Show):
            yield replace(step, is_binary=False)
        elif isinstance(step, Call):
            plain = _without_arrays(step, arrays)
            written = _written(plain, octets)
            if written != plain and written.result and _gives_bytes(plain):
                octets.add(written.result)
            if written.interface == _CONVERTER and written.member == _TO_ARRAY and written.result:
                arrays[written.result] = (written.arguments[0], written.arguments[1])
            yield written
        else:
            yield with_arguments(step, _as_text)


def text_of(value: str | bytes) -> str:
    """A value as text: bytes in base64."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


def _written(step: Call, octets: set[str]) -> Call:
    """A call with base64 in the place of bytes, and of their encoding where it was of bytes."""
    has_bytes = any(_is_octets(one, octets) for one in step.arguments)
    if step.interface == "ICertRequest" and step.member in _FLAGS:
        return _with_flags(step, has_bytes=has_bytes)
    if step.interface == _CONVERTER and step.member == _FROM_ARRAY and has_bytes:
        step = replace(step, member="StringToString", arguments=(step.arguments[0], _BINARY, *step.arguments[1:]))
    is_converted = has_bytes or (step.gives == VALUE and step.interface != _CONVERTER)
    given = (Literal(_BASE64) if is_converted and _is_binary(one) else _as_text(one) for one in step.arguments)
    return replace(step, arguments=tuple(given))


def _with_flags(step: Call, *, has_bytes: bool) -> Call:
    position = _FLAGS[step.member]
    changed = list(step.arguments)
    flags = _number(changed[position]) if len(changed) > position else 0
    if flags & _CR_MASK == _CR_BINARY and (has_bytes or step.member != _TAKES_BYTES):
        changed[position] = Literal(flags & ~_CR_MASK | _CR_BASE64)
    return replace(step, arguments=tuple(map(_as_text, changed)))


def _number(argument: Argument) -> int:
    value = argument.value if isinstance(argument, Literal) else 0
    return value if isinstance(value, int) else 0


def _gives_bytes(step: Call) -> bool:
    """Whether what a call gave was bytes: its encoding, or its flags, say so."""
    if step.interface == "ICertRequest":
        return step.member in _FLAGS and step.member != _TAKES_BYTES
    of_result = step.arguments[-1:] if step.interface == _CONVERTER else step.arguments
    return step.gives == VALUE and any(map(_is_binary, of_result))


def _without_arrays(step: Call, arrays: dict[str, tuple[Argument, Argument]]) -> Call:
    """A call that takes a text where the run gave it the array that a converter had made of that text."""
    given = list(step.arguments)
    for at, one in enumerate(given):
        beside = next((near for near in (at + 1, at - 1) if 0 <= near < len(given) and _is_binary(given[near])), None)
        if isinstance(one, Name) and one.name in arrays and beside is not None:
            given[at], given[beside] = arrays[one.name]
    return replace(step, arguments=tuple(given))


def _as_text(argument: Argument) -> Argument:
    if isinstance(argument, Listed):
        return replace(argument, items=tuple(map(_as_text, argument.items)))
    if isinstance(argument, Literal) and isinstance(argument.value, bytes):
        return replace(argument, value=text_of(argument.value))
    return argument


def _is_octets(argument: Argument, octets: set[str]) -> bool:
    if isinstance(argument, Name):
        return argument.name in octets
    if isinstance(argument, Listed):
        return any(_is_octets(one, octets) for one in argument.items)
    return isinstance(argument, Literal) and isinstance(argument.value, bytes)


def _is_binary(argument: Argument) -> bool:
    return isinstance(argument, Literal) and isinstance(argument.value, EncodingType) and argument.value == _BINARY.value
