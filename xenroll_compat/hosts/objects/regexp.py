"""VBScript.RegExp: the object of ``New RegExp``, what it finds and what it puts in its place. Knows no syntax of patterns.

Source: the pages of RegExp, Match, Matches and SubMatches in Microsoft's VBScript reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Final

from certenroll.com import ComObject
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.patterns import compiled

_BAD_ARGUMENT: Final = 5
_PLACED: Final = re.compile(r"\$(?:([1-9]\d?)|([$&`']))")


class Matches(ComObject):
    """What was found (Matches), or what groups took (SubMatches)."""

    _default_: ClassVar[str] = "Item"

    def __init__(self, name: str, found: Sequence[Any]) -> None:
        self._found: Final = tuple(found)
        self._name: Final = name

    @property
    def Count(self) -> int:
        """How many there are."""
        return len(self._found)

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter(self._found)

    def Item(self, index: int) -> Any:
        """The one at a position, counted from 0. Raises ComError 5 outside."""
        if not 0 <= index < len(self._found):
            raise numbered(_BAD_ARGUMENT, f"{self._name} {index} of {len(self._found)}")
        return self._found[index]


class Match(ComObject):
    """One place where the pattern matched."""

    _default_: ClassVar[str] = "Value"

    def __init__(self, found: re.Match[str]) -> None:
        self._match: Final = found

    @property
    def FirstIndex(self) -> int:
        """Where it begins, counted from 0."""
        return self._match.start()

    @property
    def Length(self) -> int:
        """How long it is."""
        return len(self._match[0])

    @property
    def Value(self) -> str:
        """What matched."""
        return self._match[0]

    @property
    def SubMatches(self) -> Any:
        """What each group took; empty for a group that took no part."""
        return Matches("group", [Vacant.EMPTY if group is None else group for group in self._match.groups()])


class RegExp(ComObject):
    """A pattern and how it is looked for."""

    def __init__(self, _environment: Environment | None = None) -> None:
        self._pattern = ""
        self._all = self._ignores = self._lines = False

    @property
    def Pattern(self) -> str:
        """The pattern."""
        return self._pattern

    @Pattern.setter
    def Pattern(self, v: str) -> None:
        self._pattern = v

    @property
    def Global(self) -> bool:
        """Whether every place counts, or the first one only."""
        return self._all

    @Global.setter
    def Global(self, v: bool) -> None:
        self._all = v

    @property
    def IgnoreCase(self) -> bool:
        """Whether letters match in either case."""
        return self._ignores

    @IgnoreCase.setter
    def IgnoreCase(self, v: bool) -> None:
        self._ignores = v

    @property
    def Multiline(self) -> bool:
        """Whether ^ and $ match at each line's ends."""
        return self._lines

    @Multiline.setter
    def Multiline(self, v: bool) -> None:
        self._lines = v

    def Test(self, sourceString: str) -> bool:
        """Whether the pattern matches anywhere. Raises ComError 5017 to 5021 for what is no pattern."""
        return self._compiled().search(sourceString) is not None

    def Execute(self, sourceString: str) -> Any:
        """The places where it matches. Raises ComError as ``Test``."""
        found = self._compiled().finditer(sourceString)
        if not self._all:
            first = next(found, None)
            return Matches("match", [] if first is None else [Match(first)])
        return Matches("match", [Match(one) for one in found])

    def Replace(self, sourceString: str, replaceVar: str) -> str:
        """The text with what matches replaced.

        Args:
            sourceString: the text.
            replaceVar: what is put in: ``$1`` to ``$99`` are groups, ``$&`` is the match, ``$```, ``$'`` what stands before
                and behind it, ``$$`` a dollar.

        Raises:
            ComError: as ``Test``.
        """
        return self._compiled().sub(lambda match: _placed(replaceVar, match), sourceString, 0 if self._all else 1)

    def _compiled(self) -> re.Pattern[str]:
        return compiled(self._pattern, self._ignores, self._lines)


def _placed(text: str, match: re.Match[str]) -> str:
    return _PLACED.sub(lambda found: _part(found, match), text)


def _part(found: re.Match[str], match: re.Match[str]) -> str:
    number, sign = found.groups()
    if number is None:
        whole = match.string
        return {"$": "$", "&": match[0], "`": whole[: match.start()], "'": whole[match.end() :]}[sign]
    known = match.re.groups
    if int(number) <= known:
        return match[int(number)] or ""
    if len(number) > 1 and int(number[0]) <= known:
        return (match[int(number[0])] or "") + number[1:]
    return found[0]
