"""Names of files taken apart and put together, as text: no file is looked for.

Source: the pages of FileSystemObject's methods in Microsoft's Scripting Runtime reference.
"""

from __future__ import annotations

import secrets

from certenroll.com import ComObject


class PathNames(ComObject):
    """The members of FileSystemObject that need no file."""

    def BuildPath(self, Path: str, Name: str) -> str:
        """A folder's name and a name in it, with one backslash between them."""
        if not Path or not Name or Path.endswith(("\\", "/", ":")):
            return f"{Path}{Name.lstrip(chr(92)) if Path.endswith(chr(92)) else Name}"
        return f"{Path}{Name}" if Name.startswith("\\") else f"{Path}\\{Name}"

    def GetDriveName(self, Path: str) -> str:
        """The drive at the head of a name: ``C:``."""
        return Path[:2] if Path[1:2] == ":" else ""

    def GetFileName(self, Path: str) -> str:
        """The last part of a name."""
        return _parts(Path)[1]

    def GetParentFolderName(self, Path: str) -> str:
        """A name without its last part."""
        return _parts(Path)[0]

    def GetBaseName(self, Path: str) -> str:
        """The last part of a name without its ending."""
        name = _parts(Path)[1]
        return name.rpartition(".")[0] if "." in name else name

    def GetExtensionName(self, Path: str) -> str:
        """The ending of a name, without the dot."""
        name = _parts(Path)[1]
        return name.rpartition(".")[2] if "." in name else ""

    def GetTempName(self) -> str:
        """A name for a temporary file; the file is not made."""
        return f"rad{secrets.token_hex(3)[:5].upper()}.tmp"


def _parts(path: str) -> tuple[str, str]:
    """What stands before the last separator, and what behind it."""
    stripped = path.rstrip("\\/")
    at = max(stripped.rfind("\\"), stripped.rfind("/"))
    if at < 0:
        drive = stripped[:2] if stripped[1:2] == ":" else ""
        return ("", "") if stripped == drive else (drive, stripped[len(drive) :])
    before = stripped[:at]
    return (stripped[: at + 1] if not before or before.endswith(":") else before), stripped[at + 1 :]
