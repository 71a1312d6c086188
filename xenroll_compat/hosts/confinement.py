"""The one folder whose files a script may have, and how the names that Windows scripts write are found in it.

A name may be ``req.txt``, ``dir\\req.txt``, ``C:\\dir\\req.txt`` (every drive's root is the folder) or an absolute name of
this machine that lies in the folder. Names match without regard to case. What would lead out of the folder (``..``, a
symbolic link, a share, a device) is refused, and without a folder every name is. Knows neither scripts nor the control.

Source: "Naming Files, Paths, and Namespaces" in Microsoft's documentation of Windows.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.environment import Environment

DRIVE: Final = "C:"
_OPTION: Final = "--folder DIR names the one folder whose files a script may read and write"
# Patterns that are compiled when the first file is named: most scripts name none.
_DRIVE: Final = r"[A-Za-z]:"
_NO_NAME: Final = r'[<>:"|?*\x00-\x1f]'
_DEVICE: Final = r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|CLOCK\$|(COM|LPT)[0-9\xb9\xb2\xb3])(\..*)?"


class Confinement:
    """A folder, and what a script may do in it.

    Attributes:
        root: the folder with its links resolved, or None where the script has no file at all.
        current: the names of the folders from the root to where relative names begin.
    """

    def __init__(self, folder: Path | None, refusal: str = _OPTION) -> None:
        """``refusal`` is what a refused user is told to do."""
        self.root: Final = folder.resolve() if folder is not None else None
        self.current: tuple[str, ...] = ()
        self._refusal = refusal

    @classmethod
    def of(cls, environment: Environment) -> Confinement:
        """The confinement of a run; one for all its objects."""
        return environment.part(_of_settings)

    def locate(self, name: str) -> Path:
        """The file or folder of a name, with no link in it; it need not be there yet.

        Args:
            name: as a script writes it.

        Raises:
            ComError: E_ACCESSDENIED for what lies outside, and for every name where there is no folder; WIN32_INVALID_NAME
                for what is no name on Windows.
        """
        root = self._root(name)
        found = root
        for part in self._parts(name, root):
            found = _child(found, part)
            if found.is_symlink():
                found = self._followed(found, name)
            if not found.is_relative_to(root):
                raise self._refused(name, "a symbolic link leads out of the folder")
        return found

    def open(self, name: str, flags: int, mode: int = 0o666) -> int:
        """Opens a file; gives its descriptor.

        Args:
            name: as a script writes it.
            flags: as os.open takes them; a link that took the file's place meanwhile is not followed.
            mode: the permissions of a new file, before the umask.

        Raises:
            ComError: as ``locate``; E_ACCESSDENIED for what is no ordinary file.
            OSError: the system's own errors.
        """
        descriptor = os.open(self.locate(name), flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, mode)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise self._refused(name, "this is no file")
        return descriptor

    def shown(self, path: Path) -> str:
        """The name by which a script knows a path of the folder: ``C:\\dir\\req.txt``."""
        root = self.root if self.root is not None else path
        return "\\".join([DRIVE, *path.relative_to(root).parts]) if path != root else f"{DRIVE}\\"

    def move_to(self, name: str) -> None:
        """Has relative names begin in a folder. Raises as ``locate``; FileNotFoundError where it is not there."""
        found = self.locate(name)
        if not found.is_dir():
            raise FileNotFoundError(name)
        self.current = found.relative_to(self._root(name)).parts

    def _followed(self, link: Path, name: str) -> Path:
        try:
            found = link.resolve()
        except (OSError, RuntimeError):  # a link that leads to itself
            found = link
        if found.is_symlink():
            raise self._refused(name, "a symbolic link leads nowhere")
        return found

    def _root(self, name: str) -> Path:
        if self.root is None:
            raise self._refused(name, "this script may have no file")
        return self.root

    def _parts(self, name: str, root: Path) -> list[str]:
        """The names from the root down, ``.`` and ``..`` carried out."""
        if not name.strip() or "\0" in name:
            raise ComError(HRESULT.WIN32_INVALID_NAME, "a file name is needed, without a zero character")
        if name[:2].replace("/", "\\") == "\\\\":
            raise self._refused(name, "it names a share or a device")
        text, begin = self._begun(name, root)
        parts = list(begin)
        for part in text.replace("/", "\\").split("\\"):
            if part == ".." and not parts:
                raise self._refused(name, "it leads out of the folder")
            if part == "..":
                parts.pop()
            elif part not in ("", "."):
                parts.append(self._checked(part, name))
        return parts

    def _begun(self, name: str, root: Path) -> tuple[str, tuple[str, ...]]:
        """What of a name goes down from where."""
        if name.startswith("/"):  # of this machine: it must say that it lies in the folder
            resolved = Path(os.path.normpath(name))
            for folder in (root, Path(os.path.abspath(root))):
                if resolved.is_relative_to(folder):
                    return str(resolved.relative_to(folder)), ()
            raise self._refused(name, "it lies outside the folder")
        if re.match(_DRIVE, name):
            return (name[2:], ()) if name[2:3] in ("\\", "/") else (name[2:], self.current)
        return (name, ()) if name.startswith("\\") else (name, self.current)

    def _checked(self, part: str, name: str) -> str:
        stripped = part.rstrip(". ")  # as Windows takes them
        if re.fullmatch(_DEVICE, stripped.partition(".")[0].rstrip() or stripped):
            raise self._refused(name, "it names a device")
        if not stripped or re.search(_NO_NAME, stripped) or not has_bytes(stripped):
            raise ComError(HRESULT.WIN32_INVALID_NAME, f"{part!r} is no name for a file on Windows")
        return stripped

    def _refused(self, name: str, why: str) -> ComError:
        return ComError(HRESULT.E_ACCESSDENIED, f'"{name}": {why}; {self._refusal}')


def has_bytes(name: str) -> bool:
    """Whether the file system can have a name: half of a surrogate pair has no bytes."""
    try:
        return bool(os.fsencode(name))
    except UnicodeError:
        return False


def _of_settings(environment: Environment) -> Confinement:
    return Confinement(environment.settings.folder)


def _child(folder: Path, name: str) -> Path:
    """What a folder has under a name, in whatever case; else the name as it is."""
    exact = folder / name
    if os.path.lexists(exact) or not folder.is_dir():
        return exact
    wanted = name.casefold()
    return next((folder / found for found in sorted(os.listdir(folder)) if found.casefold() == wanted), exact)
