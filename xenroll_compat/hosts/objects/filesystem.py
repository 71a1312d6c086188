"""Scripting.FileSystemObject, within the folder that the user gave. Names are found by the confinement alone.

Source: the pages of the FileSystemObject in Microsoft's Scripting Runtime reference.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.confinement import DRIVE, Confinement
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.file_errors import BAD_ARGUMENT, DENIED, EXISTS, NO_FILE, NO_PATH, runtime_errors
from xenroll_compat.hosts.objects.file_objects import READING, WRITING, File, Folder, open_text
from xenroll_compat.hosts.objects.path_names import PathNames
from xenroll_compat.hosts.objects.text_stream import TextStream

_TEMPORARY: Final = 2


class FileSystemObject(PathNames):
    """FileSystemObject."""

    def __init__(self, environment: Environment) -> None:
        self._where = Confinement.of(environment)
        self._output = environment.output

    def FileExists(self, FileSpec: str) -> bool:
        """Whether there is a file. Raises ComError 70 for one outside the folder."""
        return self._located(FileSpec).is_file()

    def FolderExists(self, FolderSpec: str) -> bool:
        """Whether there is a folder. Raises ComError 70 for one outside the folder."""
        return self._located(FolderSpec).is_dir()

    def DriveExists(self, DriveSpec: str) -> bool:
        """Whether there is a drive: C: is."""
        return DriveSpec.strip()[:2].upper() == DRIVE

    def GetFile(self, FilePath: str) -> object:
        """A file. Raises ComError 53 where it is not there, 70 outside the folder."""
        found = self._located(FilePath)
        if not found.is_file():
            raise numbered(NO_FILE, FilePath)
        return File(self, found)

    def GetFolder(self, FolderPath: str) -> object:
        """A folder. Raises ComError 76 where it is not there, 70 outside the folder."""
        found = self._located(FolderPath)
        if not found.is_dir():
            raise numbered(NO_PATH, FolderPath)
        return Folder(self, found)

    def GetSpecialFolder(self, SpecialFolder: int) -> object:
        """The folder for temporary files (2): the script's folder itself. Raises ComError 70 for the system's."""
        if SpecialFolder != _TEMPORARY:
            raise numbered(DENIED if SpecialFolder in (0, 1) else BAD_ARGUMENT, "the folders of a Windows are not here")
        return Folder(self, self._located(f"{DRIVE}\\"))

    def GetAbsolutePathName(self, Path: str) -> str:
        """A name from the drive on. Raises ComError 70 outside the folder."""
        with runtime_errors():
            return self._where.shown(self._where.locate(Path or "."))

    def GetStandardStream(self, StandardStreamType: int, Unicode: bool = False) -> object:
        """StdIn (0), StdOut (1) or StdErr (2). Raises ComError 5 for another number."""
        streams = (
            lambda: TextStream(sys.stdin.readline, None),
            lambda: TextStream(None, self._output.write),
            lambda: TextStream(None, sys.stderr.write),
        )
        if not 0 <= StandardStreamType < len(streams):
            raise numbered(BAD_ARGUMENT)
        return streams[StandardStreamType]()

    def CreateTextFile(self, FileName: str, Overwrite: bool = True, Unicode: bool = False) -> object:
        """Makes a text file. Raises ComError 58 where it is there and is not to be replaced, 70, 76."""
        self._needs_folder(FileName)
        added = os.O_CREAT | (0 if Overwrite else os.O_EXCL)
        return open_text(self._where, FileName, WRITING, added, -1 if Unicode else 0)

    def OpenTextFile(self, FileName: str, IOMode: int = READING, Create: bool = False, Format: int = 0) -> object:
        """Opens a text file to read (1), write (2) or append (8). Raises ComError 53, 70, 76, and 5 for another mode."""
        self._needs_folder(FileName)
        if IOMode == READING and Create:
            open_text(self._where, FileName, 8, os.O_CREAT).Close()
        return open_text(self._where, FileName, IOMode, os.O_CREAT if Create else 0, Format)

    def DeleteFile(self, FileSpec: str, Force: bool = False) -> None:
        """Deletes the files of a name, whose last part may have ``*`` and ``?``. Raises 53, and 70 for a read-only one."""
        for path in self._matching(FileSpec, Path.is_file, NO_FILE):
            if not Force and not os.access(path, os.W_OK):
                raise numbered(DENIED, f"{path.name} is read-only")
            with runtime_errors():
                path.unlink()

    def DeleteFolder(self, FolderSpec: str, Force: bool = False) -> None:
        """Deletes the folders of a name with all that is in them. Raises ComError 76, 70."""
        for path in self._matching(FolderSpec, Path.is_dir, NO_PATH):
            if path == self._where.root:
                raise numbered(DENIED, "the script's own folder is not deleted")
            with runtime_errors():
                shutil.rmtree(path)

    def CopyFile(self, Source: str, Destination: str, OverWriteFiles: bool = True) -> None:
        """Copies files. Raises ComError 53, 58 where one is there and is not to be replaced, 70, 76."""
        for path, target in self._pairs(Source, Destination, Path.is_file, NO_FILE):
            if target.exists() and not OverWriteFiles:
                raise numbered(EXISTS, target.name)
            with runtime_errors():
                shutil.copyfile(path, target, follow_symlinks=False)

    def MoveFile(self, Source: str, Destination: str) -> None:
        """Moves files. Raises ComError 53, 58 where one is there, 70, 76."""
        self._move(Source, Destination, Path.is_file, NO_FILE)

    def CopyFolder(self, Source: str, Destination: str, OverWriteFiles: bool = True) -> None:
        """Copies folders with all that is in them. Raises ComError 76, 58, 70."""
        for path, target in self._pairs(Source, Destination, Path.is_dir, NO_PATH):
            if target.exists() and not OverWriteFiles:
                raise numbered(EXISTS, target.name)
            if target.is_relative_to(path):
                raise numbered(DENIED, "a folder is not copied into itself")
            with runtime_errors():
                shutil.copytree(path, target, symlinks=True, dirs_exist_ok=True)

    def MoveFolder(self, Source: str, Destination: str) -> None:
        """Moves folders. Raises ComError 76, 58 where one is there, 70."""
        self._move(Source, Destination, Path.is_dir, NO_PATH)

    def CreateFolder(self, FolderPath: str) -> object:
        """Makes a folder. Raises ComError 58 where it is there, 76 where the one that it is to be in is not."""
        path = self._needs_folder(FolderPath)
        with runtime_errors():
            path.mkdir()
        return Folder(self, path)

    def _located(self, name: str) -> Path:
        with runtime_errors():
            return self._where.locate(name)

    def _needs_folder(self, name: str) -> Path:
        path = self._located(name)
        if not path.parent.is_dir():
            raise numbered(NO_PATH, name)
        return path

    def _move(self, source: str, destination: str, wanted: Callable[[Path], bool], absent: int) -> None:
        for path, target in self._pairs(source, destination, wanted, absent):
            if target.exists():
                raise numbered(EXISTS, target.name)
            with runtime_errors():
                path.rename(target)

    def _pairs(
        self, source: str, destination: str, wanted: Callable[[Path], bool], absent: int
    ) -> Iterator[tuple[Path, Path]]:
        """Each of the source's files or folders with what it becomes: in a folder where the name ends in a separator."""
        is_many = any(mark in source for mark in "*?")
        for path in self._matching(source, wanted, absent):
            within = destination.endswith(("\\", "/")) or (is_many and self._located(destination).is_dir())
            target = self._needs_folder(f"{destination}\\{path.name}" if within else destination)
            if target.is_dir() and wanted is Path.is_file:
                raise numbered(DENIED, f"{destination} is a folder")
            yield path, target

    def _matching(self, name: str, wanted: Callable[[Path], bool], absent: int) -> list[Path]:
        pattern = self.GetFileName(name)
        if not any(mark in pattern for mark in "*?"):
            found = [self._located(name)]
        else:
            folder = self._located(self.GetParentFolderName(name) or ".")
            with runtime_errors():
                entries = sorted(folder.iterdir())
            named = [path for path in entries if fnmatch.fnmatchcase(path.name.lower(), _plain(pattern))]
            found = [path for path in named if not path.is_symlink()]
        matching = [path for path in found if wanted(path)]
        if not matching:
            raise numbered(absent, name)
        return matching


def _plain(pattern: str) -> str:
    """A pattern in which ``*`` and ``?`` alone mean something; ``*.*`` is every name."""
    return "*" if pattern == "*.*" else pattern.lower().replace("[", "[[]")
