"""WScript: the object that every script of the Windows Script Host finds. Knows no language.

What its members need is loaded when they are used: a short script starts fast.

Source: the pages of the WScript object in Microsoft's Windows Script Host reference.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certenroll.com import ComObject, stored
from certenroll.errors import ComError
from xenroll_compat.hosts.confinement import DRIVE
from xenroll_compat.hosts.environment import Environment

if TYPE_CHECKING:
    from xenroll_compat.hosts.objects.arguments import WshArguments
    from xenroll_compat.hosts.objects.text_stream import TextStream

_MONIKER: Final = "new:"
_UNAVAILABLE: Final = 0x800401E3  # MK_E_UNAVAILABLE
_LONGEST_SLEEP: Final = 24 * 60 * 60.0  # seconds, where the command line set no limit


class WScript(ComObject):
    """The host, as its script sees it."""

    _type_name_: Final = "Object"

    def __init__(self, environment: Environment, script: Path) -> None:
        self._environment = environment
        self._script = script
        self._arguments: WshArguments | None = None
        self._streams: dict[str, TextStream] = {}

    Interactive = stored("bool", "_interactive", True, "Whether the script may ask its user: kept, and without effect.")
    Timeout = stored("int", "_timeout", 0, "Seconds that the script may run: kept. --time-limit is what counts.")

    @property
    def Arguments(self) -> object:
        """What stands behind the script's name."""
        if self._arguments is None:
            from xenroll_compat.hosts.objects.arguments import WshArguments

            self._arguments = WshArguments(self._environment)
        return self._arguments

    @property
    def Name(self) -> str:
        """The name of the host."""
        return "Windows Script Host"

    @property
    def FullName(self) -> str:
        """The name of the host's program: scripts look whether it is cscript.exe."""
        return f"{DRIVE}\\Windows\\System32\\cscript.exe"

    @property
    def Path(self) -> str:
        """The folder of the host's program."""
        return f"{DRIVE}\\Windows\\System32"

    @property
    def Version(self) -> str:
        """The version of the Windows Script Host that this stands for."""
        return "5.8"

    @property
    def BuildVersion(self) -> int:
        """The build of that version."""
        return 16384

    @property
    def ScriptName(self) -> str:
        """The script's name."""
        return self._script.name

    @property
    def ScriptFullName(self) -> str:
        """The script's name from the drive on: for a script, it lies in the root of its folder."""
        return f"{DRIVE}\\{self._script.name}"

    @property
    def StdIn(self) -> object:
        """What is typed or piped into the command."""
        return self._stream("in")

    @property
    def StdOut(self) -> object:
        """The output."""
        return self._stream("out")

    @property
    def StdErr(self) -> object:
        """The stream for errors."""
        return self._stream("err")

    def Echo(self, *Values: object) -> None:
        """Writes values on one line, with blanks between them. Raises ComError for a value that has no text."""
        from xenroll_compat.hosts.objects.values import text_of

        self._environment.output.write(" ".join(map(text_of, Values)) + "\n")

    def Quit(self, ExitCode: int = 0) -> None:
        """Ends the script. Raises SystemExit with its code."""
        raise SystemExit(ExitCode & 0xFF)

    def Sleep(self, Time: int) -> None:
        """Waits for so many milliseconds; no longer than the script may run."""
        limit = self._environment.settings.limits.seconds
        time.sleep(min(max(Time, 0) / 1000, _LONGEST_SLEEP if limit is None else limit))

    def CreateObject(self, ProgID: str, Prefix: str = "") -> object:
        """A new object. Raises ComError CO_E_CLASSSTRING (429) where no such class is registered."""
        return self._environment.create(ProgID)

    def GetObject(self, Pathname: str, ProgID: str = "", Prefix: str = "") -> object:
        """A new object by the moniker ``new:CLSID``. Raises ComError MK_E_UNAVAILABLE for anything else."""
        return get_object(self._environment, Pathname)

    def _stream(self, which: str) -> TextStream:
        from xenroll_compat.hosts.objects.text_stream import TextStream
        from xenroll_compat.hosts.output import Output

        makers = {
            "in": lambda: TextStream(sys.stdin.readline, None),
            "out": lambda: TextStream(None, self._environment.output.write),
            "err": lambda: TextStream(None, Output(sys.stderr).write),
        }
        if which not in self._streams:
            self._streams[which] = makers[which]()
        return self._streams[which]


def get_object(environment: Environment, name: str) -> Any:
    """GetObject: a new object by the moniker ``new:CLSID`` or ``new:ProgID``; there are no running ones.

    Raises:
        ComError: MK_E_UNAVAILABLE for another moniker, CO_E_CLASSSTRING where no such class is registered.
    """
    if not name.lower().startswith(_MONIKER):
        raise ComError(_UNAVAILABLE, f"{name!r}: no running object is known; use CreateObject or the moniker new:CLSID")
    return environment.create(name[len(_MONIKER) :])
