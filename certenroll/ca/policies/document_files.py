"""Where a policy document lies that a script names from the root on: there, or where a host finds files for its script.

Loads nothing. Knows neither documents nor hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

Finder = Callable[[str], Path]
_finder: Final[ContextVar[Finder]] = ContextVar("policy documents", default=Path)


@contextmanager
def documents_found_by(finder: Finder) -> Iterator[None]:
    """Has documents that are named from the root on looked for by ``finder`` while the block lasts.

    Args:
        finder: from a name to its file; it raises an error with a result code for one that may not be had.
    """
    token = _finder.set(finder)
    try:
        yield
    finally:
        _finder.reset(token)


def document_file(name: str) -> Path:
    """The file of a name. Raises what the finder of the context raises."""
    return _finder.get()(name)
