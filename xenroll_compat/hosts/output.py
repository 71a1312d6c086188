"""Where a run writes: a stream whose failures end the run, as no error of an object that a script could handle.

Knows no script and no object.
"""

from __future__ import annotations

from typing import Protocol

from xenroll_compat.hosts.problems import OutputLost


class Writer(Protocol):
    """What takes text."""

    def write(self, text: str, /) -> object:
        """Takes a text."""


class Flushing(Writer, Protocol):
    """What takes text, and hands it on when told."""

    def flush(self) -> None:
        """Hands it on."""


class Output:
    """A stream for a run."""

    def __init__(self, stream: Flushing) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Writes a text; gives its length. Raises OutputLost where the stream takes none."""
        try:
            self._stream.write(text)
        except OSError as error:
            raise OutputLost(error) from error
        return len(text)

    def flush(self) -> None:
        """Hands on what was written. Raises as ``write``."""
        try:
            self._stream.flush()
        except OSError as error:
            raise OutputLost(error) from error
