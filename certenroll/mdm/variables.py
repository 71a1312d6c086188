"""Placeholders of SyncML profiles filled: ``$CmdID$``, ``<InsertUniqueIDHere>``, ``{{NAME}}`` and their like.

Works on text, before it is read as XML: a placeholder such as ``<InsertUniqueIDHere>`` makes it no XML. Values are escaped,
so that none of them can change a message's structure, and are not searched for placeholders again. What stands in a Data may
be a password: no error shows it. Of SyncML it knows the names SyncHdr, CmdID and Data.

    $NAME$                                  Microsoft's examples
    <NAME>  &lt;NAME&gt;                    Microsoft's examples: a start tag that nothing closes
    {{NAME}}  ${NAME}                       Intune's and others' profiles
    $FLEET_VAR_NAME  $FLEET_SECRET_NAME     Fleet's profiles
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from certenroll.hresults import HRESULT

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_PLACEHOLDER: Final = (
    rf"<(?P<tag>{_NAME})>|&lt;(?P<escaped>{_NAME})&gt;|\{{\{{[ \t]*(?P<braces>{_NAME})[ \t]*\}}\}}"
    rf"|\$\{{(?P<shell>{_NAME})\}}|\$(?P<dollars>{_NAME})\$|\$(?P<fleet>FLEET_(?:VAR|SECRET)_[A-Za-z0-9_]{{1,99}})"
)
# Comments and processing instructions stay as they are; CDATA takes values as they are. What nothing ends goes to the end.
_SKIPPED: Final = r"(?P<apart><!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z))|(?P<cdata><!\[CDATA\[.*?(?:\]\]>|\Z))"
_FORMS: Final = re.compile(rf"{_SKIPPED}|{_PLACEHOLDER}", re.DOTALL)
_WITHIN_CDATA: Final = re.compile(_PLACEHOLDER)
_END_TAG: Final = re.compile(rf"</({_NAME})\s*>")
_PREFIX: Final = r"(?:[^\s<>/:]+:)?"
_HEADER: Final = re.compile(rf"{_SKIPPED}|<{_PREFIX}SyncHdr(?=[\s/>])", re.DOTALL)
# An end tag counts down; <Data/> is neither. What is not understood leaves the Data open: that hides more, never less.
_DATA: Final = re.compile(rf"{_SKIPPED}|(?P<end></{_PREFIX}Data\s*>)|<{_PREFIX}Data(?=[\s/>])(?!\s*/>)", re.DOTALL)
_INSERT: Final = re.compile(r"Insert[A-Za-z0-9_.-]*Here")
_NUMBERED: Final = re.compile(r"<CmdID>\s*([0-9]{1,18})\s*</CmdID>")
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTED: Final = "CmdID"
_MOST_LINES: Final = 10  # that an error shows


class SubstitutionError(ValueError):
    """Placeholders have no value, or one that XML cannot hold.

    Attributes:
        names: which ones, in the order of the text; those in a Data are not among them.
        lines: where those in a Data stand, which may be part of a password.
        hresult: E_INVALIDARG, unsigned.
    """

    def __init__(self, names: tuple[str, ...], reason: str, lines: tuple[int, ...] = ()) -> None:
        self.names: Final = names
        self.lines: Final = lines
        self.hresult: Final = int(HRESULT.E_INVALIDARG)
        super().__init__(f"{reason}: {', '.join((*names, *_unnamed(lines)))}")


def _unnamed(lines: Sequence[int]) -> Iterator[str]:
    if lines:
        shown = ", ".join(map(str, lines[:_MOST_LINES])) + (", ..." if len(lines) > _MOST_LINES else "")
        yield f"{len(lines)} in Data, whose text is not shown (line {shown})"


def is_profile(text: str) -> bool:
    """Whether a text has no SyncHdr: an administrator's profile, and no message of a server's.

    Args:
        text: SyncML, or what becomes SyncML by the values of its placeholders.
    """
    return all(found["apart"] or found["cdata"] for found in _HEADER.finditer(text))


def substitute(text: str, values: Mapping[str, str], *, only_given: bool = False) -> str:
    """Fills the placeholders of a profile.

    Args:
        text: SyncML, or what becomes SyncML by the values.
        values: by the placeholder's name, in its own case. ``CmdID`` counts from 1 where it has no value, and leaves out
            the numbers that other commands of the text have; not in a Data.
        only_given: whether to fill those among the values alone, and miss none: a server's message has no placeholders, and
            what looks like one is text.

    Returns:
        the text with every placeholder filled. A name in angle brackets that is not among the values is a tag, and stays.

    Raises:
        SubstitutionError: a value has characters that XML cannot hold, or placeholders have no value; it names them all,
            or their lines. To keep a text that only looks like a placeholder, give it itself as its value.
    """
    wrong = tuple(name for name, value in values.items() if _ILLEGAL.search(value))
    if wrong:
        raise SubstitutionError(wrong, "these values have characters that XML cannot hold")
    filling = _Filling(text, values, counting=not only_given)
    filled = _FORMS.sub(filling.fill, text)
    if not only_given and (filling.missing or filling.unshown):
        lines = tuple(_lines_of(text, filling.unshown))
        raise SubstitutionError(tuple(filling.missing), "these placeholders have no value", lines)
    return filled


class _Filling:
    """One text that is being filled."""

    def __init__(self, text: str, values: Mapping[str, str], *, counting: bool) -> None:
        self.missing: dict[str, None] = {}
        self.unshown: list[int] = []  # where those in a Data begin
        self._text = text
        self._values = values
        self._closed = {found[1] for found in _END_TAG.finditer(text)}
        self._data = _data_borders(text)
        self._numbers = _free_numbers(text) if counting else None

    def fill(self, found: re.Match[str]) -> str:
        """What stands in place of a match of ``_FORMS``."""
        if found["apart"] is not None:
            return found[0]
        if found["cdata"] is not None:
            return _WITHIN_CDATA.sub(lambda inner: self._fill_cdata(inner, found.start()), found[0])
        value = self._value(found, 0)
        return found[0] if value is None else escape(value, {'"': "&quot;", "\r": "&#13;"})

    def _fill_cdata(self, found: re.Match[str], offset: int) -> str:
        value = self._value(found, offset)
        return found[0] if value is None else value.replace("]]>", "]]]]><![CDATA[>")

    def _value(self, found: re.Match[str], offset: int) -> str | None:
        """The value of a placeholder; None where it is none, or has none. ``offset``: where the searched text begins."""
        kind = str(found.lastgroup)
        name = found[kind]
        if kind in ("tag", "escaped") and name in self._closed:
            return None
        if name in self._values:
            return self._values[name]
        at = offset + found.start()
        in_data = bisect_right(self._data, at) % 2 == 1
        if name == _COUNTED and kind == "dollars" and self._numbers is not None and not in_data:
            return str(next(self._numbers))
        if _is_certain(kind, name, found):
            if in_data:
                self.unshown.append(at)
            else:
                self.missing[name] = None
        return None


def _lines_of(text: str, places: Sequence[int]) -> Iterator[int]:
    """The lines of ascending places, from 1."""
    line, before = 1, 0
    for place in places:
        line += text.count("\n", before, place)
        before = place
        yield line


def _data_borders(text: str) -> Sequence[int]:
    """Where the text comes into a Data and out of it, by turns."""
    borders: list[int] = []
    depth = 0
    for found in _DATA.finditer(text):
        if found["apart"] or found["cdata"]:
            continue
        depth = max(depth - 1, 0) if found["end"] else depth + 1
        if (depth > 0) != (len(borders) % 2 == 1):
            borders.append(found.end())
    return borders


def _is_certain(kind: str, name: str, found: re.Match[str]) -> bool:
    """Whether something without a value is a placeholder: in a password, ``$`` may stand between letters."""
    if kind in ("tag", "escaped"):
        return _INSERT.fullmatch(name) is not None
    if kind == "dollars":
        text = found.string
        around = text[max(found.start() - 1, 0) : found.start()] + text[found.end() : found.end() + 1]
        return not any(one.isalnum() for one in around)
    return True


def _free_numbers(text: str) -> Iterator[int]:
    taken = {int(found[1]) for found in _NUMBERED.finditer(text)}
    return (number for number in itertools.count(1) if number not in taken)
