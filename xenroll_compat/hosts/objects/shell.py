"""WScript.Shell: message boxes, variables and folders. No program is run, no key pressed, and there is no registry.

Source: the pages of the WshShell, WshEnvironment and WshSpecialFolders objects in Microsoft's Windows Script Host reference.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.confinement import DRIVE, Confinement
from xenroll_compat.hosts.dialogs import Dialogs
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.counted import Counted
from xenroll_compat.hosts.objects.file_errors import runtime_errors
from xenroll_compat.hosts.objects.network import computer_name, user_name

_SOURCE: Final = "WScript.Shell"
# What a script finds in its environment: nothing of this machine's but the two names. Temporary files go to the folder.
_FIXED: Final = {
    "OS": "Windows_NT",
    "SystemDrive": DRIVE,
    "SystemRoot": f"{DRIVE}\\Windows",
    "windir": f"{DRIVE}\\Windows",
    "TEMP": DRIVE,
    "TMP": DRIVE,
    "USERPROFILE": DRIVE,
    "HOMEDRIVE": DRIVE,
    "HOMEPATH": "\\",
    "PATHEXT": ".COM;.EXE;.BAT;.CMD;.VBS;.JS;.WSF",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "NUMBER_OF_PROCESSORS": "1",
}
FOLDERS: Final = (
    "AllUsersDesktop", "AllUsersStartMenu", "Desktop", "Favorites", "MyDocuments", "Programs", "SendTo", "Startup",
)  # fmt: skip


class _Variables:
    """The variables of one run."""

    def __init__(self, _environment: Environment) -> None:
        named = {"USERNAME": user_name(), "COMPUTERNAME": computer_name(), "USERDOMAIN": computer_name()}
        self.values = {name.lower(): (name, value) for name, value in {**_FIXED, **named}.items()}


class WshEnvironment(Counted):
    """Environment variables; what a script sets is for the script alone."""

    def __init__(self, variables: _Variables) -> None:
        self._values = variables.values

    def _listed(self) -> Sequence[str]:
        return [f"{name}={value}" for name, value in self._values.values()]

    def Item(self, Name: str) -> str:
        """A variable's value; nothing where it is not set."""
        return self._values.get(Name.lower(), ("", ""))[1]

    def SetItem(self, Name: str, Value: str) -> None:
        """Sets a variable."""
        self._values[Name.lower()] = (Name, Value)

    def Remove(self, Name: str) -> None:
        """Takes a variable away."""
        self._values.pop(Name.lower(), None)


class WshSpecialFolders(Counted):
    """The desktop and its like: each is the script's folder."""

    def _listed(self) -> Sequence[str]:
        return [DRIVE for _ in FOLDERS]

    def Item(self, Name: str) -> str:
        """The folder of a name; nothing for a name that Windows does not have."""
        return DRIVE if Name.lower() in [known.lower() for known in FOLDERS] else ""


class WshShell(ComObject):
    """The shell."""

    def __init__(self, environment: Environment) -> None:
        self._dialogs = Dialogs(environment)
        self._where = Confinement.of(environment)
        self._variables = environment.part(_Variables)

    @property
    def CurrentDirectory(self) -> str:
        """Where relative names begin. Raises ComError 70 outside the folder, 76 where it is not there."""
        return "\\".join([DRIVE, *self._where.current]) if self._where.current else f"{DRIVE}\\"

    @CurrentDirectory.setter
    def CurrentDirectory(self, value: str) -> None:
        try:
            with runtime_errors():
                self._where.move_to(value)
        except FileNotFoundError:
            raise numbered(76, value) from None

    @property
    def SpecialFolders(self) -> object:
        """The desktop and its like."""
        return WshSpecialFolders()

    def Environment(self, Type: str = "Process") -> object:
        """Environment variables. System, user and process have the same."""
        return WshEnvironment(self._variables)

    def ExpandEnvironmentStrings(self, Src: str) -> str:
        """A text with each ``%NAME%`` replaced by its variable's value; what is not set stays as it stands."""
        known = self._variables.values
        return re.sub("%([^%]+)%", lambda found: known.get(found[1].lower(), ("", found[0]))[1], Src)

    def Popup(self, Text: str, SecondsToWait: int = 0, Title: str = "", Type: int = 0) -> int:
        """Shows a message box. Gives the number of the button; raises ComError E_INVALIDARG as ``Dialogs.message``."""
        return self._dialogs.message(Text, Type, Title)

    def RegRead(self, Name: str) -> object:
        """Reads the registry, which is not there. Raises ComError E_ACCESSDENIED."""
        raise _refused("there is no registry here to read")

    def RegWrite(self, Name: str, Value: object, Type: str = "REG_SZ") -> None:
        """Writes the registry, which is not there. Raises ComError E_ACCESSDENIED."""
        raise _refused("there is no registry here to write")

    def RegDelete(self, Name: str) -> None:
        """Deletes from the registry, which is not there. Raises ComError E_ACCESSDENIED."""
        raise _refused("there is no registry here to delete from")

    def Run(self, Command: str, WindowStyle: int = 1, WaitOnReturn: bool = False) -> int:
        """Runs a program. Raises ComError E_ACCESSDENIED: a script's programs are not run here."""
        raise _refused("a script runs no program here")

    def Exec(self, Command: str) -> object:
        """Runs a program. Raises ComError E_ACCESSDENIED: a script's programs are not run here."""
        raise _refused("a script runs no program here")

    def SendKeys(self, Keys: str, Wait: bool = False) -> None:
        """Presses keys. Raises ComError E_ACCESSDENIED: there are no windows to take them."""
        raise _refused("there is no window that would take keys")

    def AppActivate(self, App: object, Wait: bool = False) -> bool:
        """Brings a window to the front: there is none."""
        return False

    def CreateShortcut(self, PathLink: str) -> object:
        """Makes a shortcut. Raises ComError E_ACCESSDENIED: there is no desktop."""
        raise _refused("there is no desktop for a shortcut")

    def LogEvent(self, Type: int, Message: str, Target: str = "") -> bool:
        """Notes an event in the system's log: that is not done."""
        return False


def _refused(why: str) -> ComError:
    return ComError(HRESULT.E_ACCESSDENIED, why, source=_SOURCE)
