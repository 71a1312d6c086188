"""The two locks that devices need: one for the PKCS#11 library of this process, one between processes.

Knows no key store. A PKCS#11 library that was started without locks of its own ends the process when two threads are
inside it; a TPM without a resource manager, and a token that starts, answer two processes at once with errors.

Where both are taken, the file lock comes first.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keystores.errors import DeviceFailure, StoreBusy

DEFAULT_TIMEOUT: Final = 60.0  # seconds: an RSA key made in a slow TPM takes twenty
_FIRST_PAUSE: Final = 0.001
_LONGEST_PAUSE: Final = 0.05

pkcs11_lock: Final = threading.RLock()
"""Held around every call into a PKCS#11 library. A thread may take it again."""

# A child made by os.fork() has none of the other threads: without this it would wait for one of them for ever.
os.register_at_fork(before=pkcs11_lock.acquire, after_in_parent=pkcs11_lock.release, after_in_child=pkcs11_lock.release)


class _PathLock:
    """One lock file as this process sees it: a thread lock, how often it is taken, and the open file."""

    def __init__(self) -> None:
        self.threads = threading.RLock()
        self.depth = 0
        self.descriptor = -1
        self.process = os.getpid()


_paths: dict[str, _PathLock] = {}
_paths_guard = threading.Lock()


def _forget_parents_locks() -> None:
    global _paths_guard  # noqa: PLW0603  a child made by fork starts anew: what its parent holds is not held by it
    _paths_guard = threading.Lock()
    for inherited in _paths.values():
        if inherited.descriptor >= 0:
            os.close(inherited.descriptor)  # the parent's own descriptor keeps the lock
            inherited.descriptor = -1
    _paths.clear()


os.register_at_fork(after_in_child=_forget_parents_locks)


@contextmanager
def file_lock(path: Path, *, timeout: float = DEFAULT_TIMEOUT) -> Iterator[None]:
    """Keeps every other thread and process that takes the lock of ``path`` out until the block ends.

    The thread that holds it may take it again. The file is made where it is missing (mode 0600, its folder 0700) and
    stays; a process that dies gives its lock back.

    Args:
        path: the lock file.
        timeout: how long to wait, in seconds.

    Raises:
        StoreBusy: another thread or process kept the lock longer than ``timeout``.
        DeviceFailure: the lock file cannot be made or opened.
    """
    deadline = time.monotonic() + timeout
    lock = _lock_of(path)
    if not lock.threads.acquire(timeout=max(0.0, timeout)):
        raise _busy(path, timeout)
    try:
        if lock.depth == 0:
            lock.descriptor = _acquire(path, deadline, timeout)
        lock.depth += 1
        try:
            yield
        finally:
            _leave(lock)
    finally:
        lock.threads.release()


def _lock_of(path: Path) -> _PathLock:
    name = os.path.abspath(path)
    with _paths_guard:
        return _paths.setdefault(name, _PathLock())


def _leave(lock: _PathLock) -> None:
    lock.depth -= 1
    if lock.depth == 0 and lock.process == os.getpid():
        fcntl.flock(lock.descriptor, fcntl.LOCK_UN)  # said aloud, for a forked child may hold the same open file
        os.close(lock.descriptor)
        lock.descriptor = -1


def _acquire(path: Path, deadline: float, timeout: float) -> int:
    descriptor = _open(path)
    pause = _FIRST_PAUSE
    try:
        while not _try_lock(descriptor):
            left = deadline - time.monotonic()
            if left <= 0:
                raise _busy(path, timeout)
            time.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_PAUSE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise DeviceFailure(f"the lock file {path} cannot be opened ({reason}); check the rights of its folder") from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES, errno.EINTR}:
            return False
        raise DeviceFailure(f"this file system takes no locks ({os.strerror(error.errno or 0)})") from error
    return True


def _busy(path: Path, timeout: float) -> StoreBusy:
    return StoreBusy(f"{path} was held by another thread or process for {timeout:g} seconds; try again when it has ended")
