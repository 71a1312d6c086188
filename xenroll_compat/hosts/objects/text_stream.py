"""TextStream: a text file that is read or written from its beginning to its end, and the standard streams. Knows no names.

Source: the pages of the TextStream object in Microsoft's Scripting Runtime reference.
"""

from __future__ import annotations

import io
import os
import weakref
from collections.abc import Callable
from typing import Final

from certenroll.com import ComObject
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.objects.encodings import Encoding
from xenroll_compat.hosts.objects.file_errors import BAD_ARGUMENT, BAD_MODE, PAST_END, runtime_errors

_BLOCK: Final = 1 << 16


class TextStream(ComObject):
    """Text that goes one way."""

    def __init__(self, next_line: Callable[[], str] | None, write: Callable[[str], object] | None) -> None:
        """``next_line`` gives a line with its end, "" after the last; each is None where the stream does not go that way."""
        self._next_line, self._write = next_line, write
        self._ahead = ""  # read, and not yet asked for
        self._line, self._column = 1, 1
        self._close: Callable[[], object] = lambda: None
        self._whole_: Callable[[], str] = str  # all that it holds, where it is read from a file

    @property
    def AtEndOfStream(self) -> bool:
        """Whether all has been read."""
        return not self._fill()

    @property
    def AtEndOfLine(self) -> bool:
        """Whether the end of a line, or of all, comes next."""
        return not self._fill() or self._ahead[0] in "\r\n"

    @property
    def Line(self) -> int:
        """The line that comes next, counted from 1."""
        return self._line

    @property
    def Column(self) -> int:
        """The column of the character that comes next, counted from 1."""
        return self._column

    def Read(self, Characters: int) -> str:
        """The next characters, as many as there are. Raises 62 after the end, 54 where the stream is written."""
        self._needed()
        if Characters < 0:
            raise numbered(BAD_ARGUMENT, "a number of characters is not negative")
        while len(self._ahead) < Characters and (line := self._line_after()):
            self._ahead += line
        return self._take(Characters)

    def ReadLine(self) -> str:
        """The rest of the line, without its end. Raises as ``Read``."""
        self._needed()
        end = self._ahead.find("\n") + 1
        return self._take(end or len(self._ahead)).removesuffix("\n").removesuffix("\r")

    def ReadAll(self) -> str:
        """All that is left. Raises as ``Read``."""
        self._needed()
        parts = [self._ahead]
        while line := self._line_after():
            parts.append(line)
        self._ahead = "".join(parts)
        return self._take(len(self._ahead))

    def Skip(self, Characters: int) -> None:
        """Passes characters over. Raises as ``Read``."""
        self.Read(Characters)

    def SkipLine(self) -> None:
        """Passes the rest of the line over. Raises as ``Read``."""
        self.ReadLine()

    def Write(self, Text: str) -> None:
        """Writes text as it is. Raises 54 where the stream is read, 5 for a character that the encoding does not have."""
        if self._write is None:
            raise numbered(BAD_MODE, "the stream is open for reading")
        with runtime_errors():
            self._write(Text)
        self._passed(Text)

    def WriteLine(self, Text: str = "") -> None:
        """Writes text and the end of a line. Raises as ``Write``."""
        self.Write(f"{Text}\r\n")

    def WriteBlankLines(self, Lines: int) -> None:
        """Writes ends of lines. Raises as ``Write``."""
        self.Write("\r\n" * Lines)

    def Close(self) -> None:
        """Closes the stream; what is read or written then is refused (54)."""
        self._close()
        self._next_line = self._write = None
        self._ahead = ""

    def _needed(self) -> None:
        if self._next_line is None:
            raise numbered(BAD_MODE, "the stream is not open for reading")
        if not self._fill():
            raise numbered(PAST_END)

    def _fill(self) -> bool:
        self._ahead = self._ahead or self._line_after()
        return bool(self._ahead)

    def _line_after(self) -> str:
        if self._next_line is None:
            return ""
        with runtime_errors():
            return self._next_line()

    def _take(self, count: int) -> str:
        taken, self._ahead = self._ahead[:count], self._ahead[count:]
        self._passed(taken)
        return taken

    def _passed(self, text: str) -> None:
        lines = text.count("\n")
        self._line += lines
        self._column = len(text) - text.rfind("\n") if lines else self._column + len(text)


def reading(descriptor: int, encoding: Encoding) -> TextStream:
    """A stream over all that a file holds; the descriptor is closed at once. Raises UnicodeError, OSError."""
    with os.fdopen(descriptor, "rb") as file:
        text = io.StringIO(encoding.decode(file.read()), newline="")
    stream = TextStream(text.readline, None)
    stream._whole_ = text.getvalue
    return stream


def writing(descriptor: int, encoding: Encoding) -> TextStream:
    """A stream to a file. What is written is in the file at once: scripts often forget to close."""
    if encoding.mark and os.fstat(descriptor).st_size == 0:
        os.write(descriptor, encoding.mark)

    def write(text: str) -> None:
        left = memoryview(encoding.encode(text))
        while left:
            left = left[os.write(descriptor, left) :]

    stream = TextStream(None, write)
    stream._close = weakref.finalize(stream, os.close, descriptor)
    return stream
