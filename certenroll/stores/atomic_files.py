"""Writing a whole file so that nobody ever sees a part of it. Knows nothing of what files hold."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file (mode 0600) so that whoever reads it, also after a crash, has the old or the new content."""
    with replacement(path, data) as replace:
        replace()


@contextmanager
def replacement(path: Path, data: bytes, *, mode: int = 0o600) -> Iterator[Callable[[], None]]:
    """Writes the new content of a file beside it. What the block is given puts it in the file's place, else nothing changes.

    Args:
        path: the file; its folder must exist.
        data: the whole content.
        mode: its permissions.

    Raises OSError where it cannot be written, before the block begins.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")

    def replace() -> None:
        os.replace(name, path)
        parent = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)

    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), mode)
        yield replace
    finally:
        Path(name).unlink(missing_ok=True)
