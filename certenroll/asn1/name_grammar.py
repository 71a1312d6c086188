"""The text of an X.500 name as Windows writes it: its keys, its separators, its quotation marks.

Knows text; which ASN.1 type a value takes is in ``names``. A text is a row of relative names, each a row of assignments
(``CN=value``, ``1.2.3=value``, ``OID.1.2.3=#0102``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from certenroll.enums import X500NameFlags as Flags
from certenroll.hresults import HRESULT


class BadName(ValueError):
    """A text that is no X.500 name, or a value that its attribute cannot hold.

    Attributes:
        hresult: CRYPT_E_INVALID_X500_STRING or one of CRYPT_E_INVALID_{NUMERIC,PRINTABLE,IA5}_STRING.
        position: where in the text the fault begins, counted from 0.
    """

    def __init__(self, message: str, position: int, hresult: int = HRESULT.CRYPT_E_INVALID_X500_STRING) -> None:
        self.hresult: Final = int(hresult)
        self.position: Final = position
        super().__init__(f"{message}, at character {position}")


class BadNameType(ValueError):
    """A string type (X500NameFlags) that names are not read from. ``.hresult`` is E_INVALIDARG."""

    def __init__(self, kind: int) -> None:
        self.hresult: Final = int(HRESULT.E_INVALIDARG)
        super().__init__(f"no name can be read from text of type {Flags(kind).name or kind}; use XCN_CERT_X500_NAME_STR")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One ``key=value``.

    Attributes:
        oid: the attribute's identifier, in dots.
        value: the text, out of its quotation marks.
        octets: what a ``#`` value says, in place of text; None for text.
        position: where the value begins.
    """

    oid: str
    value: str
    octets: bytes | None
    position: int


# Identifier -> the key that is written for it, then those that are also read. In any case of letters.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "2.5.4.3": ("CN",),
    "2.5.4.7": ("L",),
    "2.5.4.10": ("O",),
    "2.5.4.11": ("OU",),
    "1.2.840.113549.1.9.1": ("E", "Email", "EmailAddress"),
    "2.5.4.6": ("C",),
    "2.5.4.8": ("S", "ST"),
    "2.5.4.9": ("STREET", "StreetAddress"),
    "2.5.4.12": ("T", "Title"),
    "2.5.4.42": ("G", "GivenName", "GN"),
    "2.5.4.43": ("I", "Initials"),
    "2.5.4.4": ("SN", "SurName"),
    "0.9.2342.19200300.100.1.25": ("DC",),
    "2.5.4.5": ("SERIALNUMBER", "DeviceSerialNumber"),
    "2.5.4.13": ("Description",),
    "2.5.4.17": ("PostalCode",),
    "2.5.4.18": ("POBox",),
    "2.5.4.20": ("Phone", "TelephoneNumber"),
    "2.5.4.24": ("X21Address",),
    "2.5.4.46": ("dnQualifier", "DistinguishedNameQualifier"),
}
_OIDS: Final = {key.lower(): oid for oid, keys in KEYS.items() for key in keys}
_DOTTED: Final = re.compile(r"(?:OID\.)?([0-2](?:\.(?:0|[1-9][0-9]*))+)", re.IGNORECASE)
_GRAMMAR_FLAGS: Final = int(
    Flags.XCN_CERT_NAME_STR_AMBIGUOUS_SEPARATOR_FLAGS
    | Flags.XCN_CERT_NAME_STR_NO_PLUS_FLAG
    | Flags.XCN_CERT_NAME_STR_NO_QUOTING_FLAG
)
_QUOTED_FOR: Final = frozenset(',+="\r\n<>#;')


@dataclass(frozen=True, slots=True)
class _Grammar:
    separators: str
    key: re.Pattern[str]
    quoted: re.Pattern[str] | None
    plain: re.Pattern[str]
    after: re.Pattern[str]


@lru_cache(maxsize=64)
def _grammar(flags: int) -> _Grammar:
    chosen = "".join(
        characters
        for flag, characters in (
            (Flags.XCN_CERT_NAME_STR_COMMA_FLAG, ","),
            (Flags.XCN_CERT_NAME_STR_SEMICOLON_FLAG, ";"),
            (Flags.XCN_CERT_NAME_STR_CRLF_FLAG, "\r\n"),
        )
        if flags & flag
    )
    separators = chosen or ",;"
    plus = "" if flags & Flags.XCN_CERT_NAME_STR_NO_PLUS_FLAG else "+"
    space = rf"[^\S{separators}]*+"
    quoted = re.compile(rf'"((?:[^"]|"")*+)"{space}(?=[{separators}{plus}]|\Z)')
    return _Grammar(
        separators,
        re.compile(rf"{space}([^={separators}]*)="),
        None if flags & Flags.XCN_CERT_NAME_STR_NO_QUOTING_FLAG else quoted,
        re.compile(rf"[^{separators}{plus}]*"),
        re.compile(rf"[\s{separators}]*\Z|[\r\n]*" if "\n" in separators else rf"[\s{separators}]*\Z|"),
    )


def parse(text: str, flags: int) -> list[list[Assignment]]:
    """The relative names of a text, in its order.

    Args:
        text: the name; "" and blanks alone are the empty name. Separators at the end are let through.
        flags: X500NameFlags: COMMA, SEMICOLON and CRLF choose the separators, NO_PLUS and NO_QUOTING take those
            characters as they are.

    Raises:
        BadName: an unknown key, a missing ``=``, a quotation that does not end, text after a quotation, or
            digits after ``#`` that are no hexadecimal pairs.
    """
    grammar, at = _grammar(flags & _GRAMMAR_FLAGS), 0
    names: list[list[Assignment]] = []
    joined = False
    if not text.strip():
        return names
    while at < len(text):
        one, at = _assignment(text, at, grammar)
        if joined:
            names[-1].append(one)
        else:
            names.append([one])
        if at == len(text):
            return names
        joined = text[at] not in grammar.separators
        at += 1
        if not joined:
            at = _end_of(grammar.after, text, at)
    if joined:
        raise BadName("a name ends in a plus sign", at - 1)
    return names


def _assignment(text: str, at: int, grammar: _Grammar) -> tuple[Assignment, int]:
    found = grammar.key.match(text, at)
    start = _start(text, at, grammar)
    if found is None:
        raise BadName("a key and an equals sign are missing", start)
    oid, start = _oid_of(found[1].strip(), start), _start(text, found.end(), grammar)
    if grammar.quoted is not None and text.startswith('"', start):
        inner = grammar.quoted.match(text, start)
        if inner is None:
            raise BadName("a quotation mark without its partner, or text after the quotation", start)
        return Assignment(oid, inner[1].replace('""', '"'), None, start), inner.end()
    end = _end_of(grammar.plain, text, start)
    value = text[start:end].strip()
    return Assignment(oid, value, _octets(value[1:], start) if value.startswith("#") else None, start), end


def _start(text: str, at: int, grammar: _Grammar) -> int:
    while at < len(text) and text[at].isspace() and text[at] not in grammar.separators:
        at += 1
    return at


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _oid_of(key: str, position: int) -> str:
    dotted = _DOTTED.fullmatch(key)
    found = dotted[1] if dotted is not None else _OIDS.get(key.lower())
    if found is None:
        raise BadName(f"{key!r} is no key of a name", position)
    return found


def _octets(digits: str, position: int) -> bytes:
    try:
        return bytes.fromhex("".join(digits.split()))
    except ValueError:
        raise BadName("hexadecimal pairs belong after #", position) from None


def key_of(oid: str, flags: int) -> str:
    """What is written before the equals sign: the key, or the identifier where it has none or ``flags`` ask for it."""
    if kind_of(flags) == Flags.XCN_CERT_OID_NAME_STR:
        return oid
    return KEYS[oid][0] if oid in KEYS else f"OID.{oid}"


def kind_of(flags: int) -> int:
    """The string type in the low bits of X500NameFlags; none is XCN_CERT_X500_NAME_STR."""
    return flags & 0xFFFF or int(Flags.XCN_CERT_X500_NAME_STR)


def quoted(value: str, flags: int) -> str:
    """``value`` in quotation marks where it needs them and NO_QUOTING does not forbid them."""
    plain = value and value.strip() == value and not _QUOTED_FOR.intersection(value)
    if plain or flags & Flags.XCN_CERT_NAME_STR_NO_QUOTING_FLAG:
        return value
    return '"' + value.replace('"', '""') + '"'


def join(names: Iterable[Sequence[str]], flags: int) -> str:
    """Relative names (each its assignments, as text) with the separators that ``flags`` ask for."""
    plus = " " if flags & Flags.XCN_CERT_NAME_STR_NO_PLUS_FLAG else " + "
    between = ", "
    if flags & Flags.XCN_CERT_NAME_STR_SEMICOLON_FLAG:
        between = "; "
    elif flags & Flags.XCN_CERT_NAME_STR_CRLF_FLAG:
        between = "\r\n"
    return between.join(plus.join(name) for name in names)
