"""Files that the control reads and writes: whole or not at all, and never over one that a user would have been asked about.

Where a name is looked for is a policy of the context: the file system as it is, or a host's folder for its script. Knows
nothing of what is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT

Policy = Callable[[str], Path]
_policy: Final[ContextVar[Policy]] = ContextVar("file policy", default=Path)


@contextmanager
def files_found_by(policy: Policy) -> Iterator[None]:
    """Has every file of the control looked for by ``policy`` while the block lasts.

    Args:
        policy: from a name to its file; it raises ComError (E_ACCESSDENIED) for a file that may not be had.
    """
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


def named_file(name: str) -> Path:
    """The file of a name, as the policy of the context finds it.

    Raises:
        ComError: E_INVALIDARG for no name, and for one with a zero character or without bytes (half of a surrogate pair);
            E_ACCESSDENIED for a file that a script may not have.
    """
    if not name.strip() or "\0" in name:
        raise ComError(HRESULT.E_INVALIDARG, "a file name is needed, without a zero character")
    try:
        os.fsencode(name)
    except UnicodeError:
        raise ComError(HRESULT.E_INVALIDARG, f"{name!r} has a letter that no file name has here") from None
    return _policy.get()(name)


@contextmanager
def replaced_file(name: str, *, private: bool = False) -> Iterator[Callable[[bytes], None]]:
    """Makes ready to write a file; what the block hands over takes the file's place at once, else nothing changes.

    Where the file cannot be written, that is known before the block begins.

    Args:
        name: the file.
        private: whether only its owner is to read it.

    Raises:
        ComError: E_INVALIDARG for no name, E_ACCESSDENIED for a file that a script may not have.
        OSError: the folder is not there or not writable, or the name is a folder's.
    """
    target = named_file(name)
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}")
    import tempfile  # here: many a run writes no file

    handle, draft = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:

            def write(data: bytes) -> None:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o600 if private else 0o666 & ~_umask())
                os.replace(draft, target)

            yield write
    finally:
        Path(draft).unlink(missing_ok=True)


@contextmanager
def new_file(name: str, data: bytes) -> Iterator[None]:
    """Writes a file that is not there yet, and takes it away again where the block fails; no file for no name.

    Raises:
        FileExistsError: (WIN32_FILE_EXISTS) it is there. Windows asks its user; nobody can be asked here.
        ComError: E_ACCESSDENIED for a file that a script may not have.
        OSError: it cannot be written.
    """
    if not name:
        yield
        return
    target = named_file(name)
    with target.open("xb") as file:
        file.write(data)
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
