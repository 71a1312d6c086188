"""Key files in a folder: container name <-> file name, files that are written once or not at all, private folders.

Knows nothing of what is in a key file, but for one thing: where a container's name is too long for a file's name, the
file's name ends in a digest and the text of the file starts with a line ``Container: name`` (``name_line`` makes it,
``listing`` and ``container_of`` read it). PEM readers pass over text before the first BEGIN line.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

from keystores.errors import BadKeyData, DeviceFailure, KeyStoreError, StoreFull

MAX_CONTAINER = 260
_MAX_FILE_NAME = 200  # the usual limit is 255 bytes; temporary names and encrypting file systems need some of it
_SAFE = " {}@+=,-_."  # kept beside letters and digits; all else becomes %XX of its UTF-8 bytes
_DIGEST_MARK = "%~"  # never written by percent encoding, so no short name can look like a long one
_DIGEST_DIGITS = 40
_NAME_LABEL = "Container: "
_BAD_CONTAINER = 0x8009001F  # NTE_BAD_KEYSET_PARAM
_ACCESS_DENIED = 0x80070005  # E_ACCESSDENIED
_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def file_name(container: str, suffix: str) -> str:
    """The name of a container's file. Two containers never share one.

    Args:
        container: the container's name, 1 to 260 characters, any Unicode.
        suffix: what the name ends in, dot included (".pem").

    Raises:
        KeyStoreError: with NTE_BAD_KEYSET_PARAM where the name is empty, too long, or not Unicode text.
    """
    encoded = _encoded(container)
    if len(encoded) + len(suffix) <= _MAX_FILE_NAME:
        return encoded + suffix
    digest = hashlib.sha256(container.encode()).hexdigest()[:_DIGEST_DIGITS]
    room = _MAX_FILE_NAME - len(suffix) - len(_DIGEST_MARK) - len(digest)
    return encoded[:room] + _DIGEST_MARK + digest + suffix


def container_name(file_name: str) -> str:
    """The container of a file's name, whatever suffix of one dot it has.

    Raises:
        BadKeyData: the name is no key file's, or is a long one: ``container_of`` reads those from the file.
    """
    stem, dot, suffix = file_name.rpartition(".")
    if not dot or not stem or _DIGEST_MARK in stem:
        raise BadKeyData(f"the file name {file_name!r} does not give a container's whole name")
    try:
        container = unquote(stem, errors="strict")
        same = _encoded(container) == stem
    except (UnicodeDecodeError, KeyStoreError):
        same = False
    if not same:
        raise BadKeyData(f"the file name {file_name!r} was not made from a container's name with suffix .{suffix}")
    return container


def name_line(container: str) -> str:
    """The line (with its line end) that a key file starts with where its name cannot hold the container's; else ""."""
    return f"{_NAME_LABEL}{_encoded(container)}\n" if _DIGEST_MARK in file_name(container, ".1234567") else ""


def container_of(path: Path) -> str:
    """The container of a key file, from its name or, where that is too long, from its ``Container:`` line.

    Raises:
        BadKeyData: neither gives it.
    """
    if _DIGEST_MARK not in path.name:
        return container_name(path.name)
    with path.open("rb") as file:
        first = file.readline(4 * 3 * MAX_CONTAINER + len(_NAME_LABEL) + 1).decode("ascii", "replace")
    container = unquote(first.removeprefix(_NAME_LABEL).rstrip("\r\n"), errors="replace")
    if not first.startswith(_NAME_LABEL) or file_name(container, path.suffix) != path.name:
        raise BadKeyData(f"the key file {path} does not start with the name of its container")
    return container


def listing(directory: Path, suffix: str) -> list[tuple[str, Path]]:
    """(container, path) of every key file of a folder with that suffix, by container. A missing folder has none."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        for path in directory.iterdir():
            if path.name.endswith(suffix) and not path.name.startswith("."):
                with contextlib.suppress(BadKeyData, FileNotFoundError):
                    found.append((container_of(path), path))
    return sorted(found)


def private_directory(path: Path) -> Path:
    """Makes a folder that only its owner enters (0700), with its parents, and gives it back.

    Raises:
        OSError: it cannot be made, or belongs to another and is open to others.
    """
    for missing in reversed([folder for folder in path.parents if not folder.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) leaves these to the umask
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o700)
    return path


def write_new(path: Path, data: bytes) -> None:
    """Writes a new file of mode 0600: all of it, on the disk, or nothing.

    Raises:
        FileExistsError: ``path`` is there. It is left as it is.
        OSError: the folder is missing or full. Nothing is left behind.
    """
    with _temporary(path.parent, data) as temporary:
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            _write_in_place(path, data)
    _sync_directory(path.parent)


@contextlib.contextmanager
def disk_errors(path: Path, store: str) -> Iterator[None]:
    """Turns what the file system refuses into errors of key stores. FileNotFoundError and FileExistsError pass.

    Args:
        path: what is worked on, for the message.
        store: the key store that does it.

    Raises:
        StoreFull: the disk or the quota is full.
        DeviceFailure: any other fault; with E_ACCESSDENIED where the user has no right to the file.
    """
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError as error:
        reason = f"{path}: {os.strerror(error.errno or 0)}"
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise StoreFull(f"{reason}; free some room", store=store) from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise DeviceFailure(f"{reason}; check who owns it", store=store, hresult=_ACCESS_DENIED) from error
        raise DeviceFailure(reason, store=store) from error


def remove(path: Path) -> None:
    """Removes a file, on the disk too. Raises FileNotFoundError, OSError."""
    path.unlink()
    _sync_directory(path.parent)


def _encoded(container: str) -> str:
    try:
        encoded = quote(container, safe=_SAFE, errors="strict")
    except UnicodeEncodeError:
        encoded = ""
    if not 1 <= len(container) <= MAX_CONTAINER or not encoded:
        raise KeyStoreError(f"a container's name is 1 to {MAX_CONTAINER} Unicode characters", hresult=_BAD_CONTAINER)
    # No hidden files, and no "-" that a program would take for an option.
    return f"%{ord(encoded[0]):02X}{encoded[1:]}" if encoded[0] in ".-" else encoded


@contextlib.contextmanager
def _temporary(directory: Path, data: bytes) -> Iterator[Path]:
    path = directory / f".new-{secrets.token_hex(8)}"
    try:
        _write_in_place(path, data)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write_in_place(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
