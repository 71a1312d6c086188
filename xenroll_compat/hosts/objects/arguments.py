"""WScript.Arguments: what stands behind the script's name on the command line, all of it, named and unnamed.

Source: the pages of WshArguments, WshNamed and WshUnnamed in Microsoft's Windows Script Host reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.counted import Counted

_OUT_OF_RANGE: Final = 9
_SWITCHES: Final = {"+": True, "-": False}


class WshUnnamed(Counted):
    """Arguments by their position."""

    def __init__(self, values: Sequence[str]) -> None:
        self._values = list(values)

    def _listed(self) -> Sequence[str]:
        return list(self._values)

    def Item(self, Index: int) -> str:
        """The argument at a position, counted from 0. Raises ComError 9 outside."""
        if not 0 <= Index < len(self._values):
            raise numbered(_OUT_OF_RANGE, f"argument {Index} of {len(self._values)}")
        return self._values[Index]


class WshNamed(Counted):
    """Arguments of the form ``/name:value``, by name without regard to case; ``/name+`` is True, ``/name-`` False."""

    def __init__(self, values: Sequence[str]) -> None:
        self._values = dict(reversed([_named(value) for value in values]))  # the first one of a name counts

    def _listed(self) -> Sequence[str]:
        return list(reversed(self._values))

    def Item(self, Name: str) -> object:
        """The value of a name; empty where it is not given, or given without a value."""
        return self._values.get(Name.lower(), Vacant.EMPTY)

    def Exists(self, Name: str) -> bool:
        """Whether a name is given."""
        return Name.lower() in self._values


class WshArguments(WshUnnamed):
    """All arguments."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment.settings.arguments)
        self._environment = environment

    @property
    def Named(self) -> object:
        """Those that begin with a slash."""
        return WshNamed([value for value in self._values if value.startswith("/")])

    @property
    def Unnamed(self) -> object:
        """Those that do not."""
        return WshUnnamed([value for value in self._values if not value.startswith("/")])

    def ShowUsage(self) -> None:
        """Writes how the script is called, as far as that is known here."""
        self._environment.output.write("Usage: xenroll run SCRIPT [ARGUMENT ...]\n")


def _named(value: str) -> tuple[str, Any]:
    name, colon, text = value[1:].partition(":")
    if not colon and name[-1:] in _SWITCHES:
        return name[:-1].lower(), _SWITCHES[name[-1]]
    return name.lower(), text if colon else Vacant.EMPTY
