"""Files and folders as objects: File, Folder, and the collections of them. Every path comes from the confinement.

Source: the pages of the File and Folder objects in Microsoft's Scripting Runtime reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Final

from certenroll.com import ComObject
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.confinement import DRIVE, Confinement
from xenroll_compat.hosts.objects.encodings import ANSI_TEXT, UNICODE_TEXT
from xenroll_compat.hosts.objects.file_errors import BAD_ARGUMENT, NO_FILE, runtime_errors
from xenroll_compat.hosts.objects.text_stream import TextStream, reading, writing

READING, WRITING, APPENDING = 1, 2, 8
_UNICODE: Final = -1  # TristateTrue; TristateFalse and TristateUseDefault are the ANSI code page
_FLAGS: Final = {READING: os.O_RDONLY, WRITING: os.O_WRONLY | os.O_TRUNC, APPENDING: os.O_WRONLY | os.O_APPEND}
_DIRECTORY, _ARCHIVE, _READ_ONLY = 16, 32, 1


def open_text(where: Confinement, name: str, mode: int, added_flags: int = 0, form: int = 0) -> TextStream:
    """Opens a text file. Raises ComError 5 for an unknown mode, 53, 58, 70, 76 as the file system has it."""
    if mode not in _FLAGS:
        raise numbered(BAD_ARGUMENT, f"{mode} is no mode to open a file in")
    encoding = UNICODE_TEXT if form == _UNICODE else ANSI_TEXT
    with runtime_errors():
        descriptor = where.open(name, _FLAGS[mode] | added_flags)
        return (reading if mode == READING else writing)(descriptor, encoding)


class _Entry(ComObject):
    """What files and folders have in common."""

    _default_: ClassVar[str] = "Path"

    def __init__(self, files: Any, path: Path) -> None:
        """``files`` is the FileSystemObject that does the work."""
        self._files, self._path = files, path

    @property
    def Path(self) -> str:
        """The name from the drive on."""
        return self._where.shown(self._path)

    @property
    def Name(self) -> str:
        """The last part of the name; none for the root."""
        return "" if self._path == self._where.root else self._path.name

    @property
    def ShortPath(self) -> str:
        """The same as Path: there are no names of eight characters here."""
        return self._where.shown(self._path)

    @property
    def ShortName(self) -> str:
        """The same as Name."""
        return "" if self._path == self._where.root else self._path.name

    @property
    def Drive(self) -> str:
        """The drive."""
        return DRIVE

    @property
    def ParentFolder(self) -> object:
        """The folder that it is in; Nothing for the root."""
        return None if self._path == self._where.root else Folder(self._files, self._path.parent)

    @property
    def DateCreated(self) -> object:
        """When it came to be: where the file system does not tell, when it was last changed."""
        return self._moment("st_ctime")

    @property
    def DateLastModified(self) -> object:
        """When its content was last changed."""
        return self._moment("st_mtime")

    @property
    def DateLastAccessed(self) -> object:
        """When it was last read."""
        return self._moment("st_atime")

    @property
    def Attributes(self) -> int:
        """1 read-only, 16 a folder, 32 a file."""
        kind = _DIRECTORY if self._path.is_dir() else _ARCHIVE
        return kind | (0 if os.access(self._path, os.W_OK) else _READ_ONLY)

    @property
    def _where(self) -> Confinement:
        found: Confinement = self._files._where
        return found

    def _moment(self, which: str) -> datetime:
        with runtime_errors():
            return datetime.fromtimestamp(int(getattr(self._path.stat(), which)))  # local, as a script has it


class File(_Entry):
    """A file."""

    @property
    def Size(self) -> int:
        """How many bytes it has."""
        with runtime_errors():
            return self._path.stat().st_size

    @property
    def Type(self) -> str:
        """What kind of file it is, by its ending."""
        return f"{self._path.suffix[1:].upper()} File".strip()

    def Copy(self, Destination: str, OverWriteFiles: bool = True) -> None:
        """Copies it. Raises as FileSystemObject.CopyFile."""
        self._files.CopyFile(self._where.shown(self._path), Destination, OverWriteFiles)

    def Move(self, Destination: str) -> None:
        """Moves it. Raises as FileSystemObject.MoveFile."""
        self._files.MoveFile(self._where.shown(self._path), Destination)

    def Delete(self, Force: bool = False) -> None:
        """Deletes it. Raises as FileSystemObject.DeleteFile."""
        self._files.DeleteFile(self._where.shown(self._path), Force)

    def OpenAsTextStream(self, IOMode: int = READING, Format: int = 0) -> object:
        """Opens it. Raises as FileSystemObject.OpenTextFile."""
        return open_text(self._where, self._where.shown(self._path), IOMode, 0, Format)


class Folder(_Entry):
    """A folder."""

    @property
    def IsRootFolder(self) -> bool:
        """Whether it is the root of the drive."""
        return self._path == self._where.root

    @property
    def Size(self) -> int:
        """How many bytes all its files have, those of its folders too."""
        with runtime_errors():
            return sum(
                (Path(folder) / name).lstat().st_size for folder, _, names in os.walk(self._path) for name in names
            )

    @property
    def Type(self) -> str:
        """What it is."""
        return "File Folder"

    @property
    def Files(self) -> object:
        """Its files."""
        return Entries(self._within(Path.is_file, File))

    @property
    def SubFolders(self) -> object:
        """Its folders."""
        return Entries(self._within(Path.is_dir, Folder))

    def CreateTextFile(self, FileName: str, Overwrite: bool = True, Unicode: bool = False) -> object:
        """Makes a file in it. Raises as FileSystemObject.CreateTextFile."""
        return self._files.CreateTextFile(f"{self._where.shown(self._path)}\\{FileName}", Overwrite, Unicode)

    def Copy(self, Destination: str, OverWriteFiles: bool = True) -> None:
        """Copies it. Raises as FileSystemObject.CopyFolder."""
        self._files.CopyFolder(self._where.shown(self._path), Destination, OverWriteFiles)

    def Move(self, Destination: str) -> None:
        """Moves it. Raises as FileSystemObject.MoveFolder."""
        self._files.MoveFolder(self._where.shown(self._path), Destination)

    def Delete(self, Force: bool = False) -> None:
        """Deletes it with all that is in it. Raises as FileSystemObject.DeleteFolder."""
        self._files.DeleteFolder(self._where.shown(self._path), Force)

    def _within(self, wanted: Callable[[Path], bool], made: type[_Entry]) -> list[_Entry]:
        with runtime_errors():
            found = sorted(self._path.iterdir())
        return [made(self._files, path) for path in found if not path.is_symlink() and wanted(path)]


class Entries(ComObject):
    """Files, or folders: a collection by name. What is a symbolic link is not in it."""

    _default_: ClassVar[str] = "Item"

    def __init__(self, entries: list[_Entry]) -> None:
        self._entries = entries

    @property
    def Count(self) -> int:
        """How many there are."""
        return len(self._entries)

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter(self._entries)

    def Item(self, Key: str) -> object:
        """The one of a name. Raises ComError 53 where there is none."""
        found = next((one for one in self._entries if one._path.name.casefold() == Key.casefold()), None)
        if found is None:
            raise numbered(NO_FILE, Key)
        return found
