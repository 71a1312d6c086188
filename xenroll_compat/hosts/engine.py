"""What every script language offers to the hosts above it: the protocol of an engine, and which languages there are.

An engine holds one global namespace for the whole run of a script or a page. It converts its own values to those of
``automation`` and back. Knows neither pages nor files.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from xenroll_compat.hosts.problems import Place

# The name of a language in LANGUAGE and TYPE attributes and in file endings -> the engine that runs it.
LANGUAGES: Final[dict[str, str]] = {
    "vbscript": "vbscript",
    "vbs": "vbscript",
    "text/vbscript": "vbscript",
    "jscript": "jscript",
    "javascript": "jscript",
    "js": "jscript",
    "ecmascript": "jscript",
    "text/javascript": "jscript",
    "text/jscript": "jscript",
    "text/ecmascript": "jscript",
    "application/javascript": "jscript",
}

Lookup = Callable[[str], Any]


class Engine(Protocol):
    """A script language at work.

    Every method that runs code raises ScriptFailure for an error that the code did not handle (with its place, where it
    is known), ScriptStopped for a limit, and lets SystemExit (WScript.Quit) through.
    """

    language: str

    def define(self, name: str, value: Any) -> None:
        """Gives the global namespace a name: an automation object, a value, or a Python function of neutral values."""

    def resolve_missing_with(self, lookup: Lookup) -> None:
        """Has ``lookup`` asked for a global name that nobody defined; it answers ``automation.MISSING`` for no such name."""

    def execute(self, source: str, place: Place) -> None:
        """Runs statements in the global namespace. ``place`` is where the text begins, for the errors."""

    def has(self, name: str) -> bool:
        """Whether the namespace has a global variable or procedure of that name."""

    def get(self, name: str) -> Any:
        """A global variable's value, or a function of neutral values for a procedure; ``automation.MISSING`` for neither."""

    def put(self, name: str, value: Any) -> None:
        """Sets a global variable."""

    def call(self, name: str, arguments: Sequence[Any] = ()) -> Any:
        """Calls a procedure of the script; gives its result."""

    def handler(self, code: str, parameters: Sequence[str], place: Place) -> Callable[..., Any]:
        """A function whose body is ``code``: the text of an onclick attribute, or of a script FOR one event."""
