"""ADODB.Stream: bytes or text in memory, read from a file and written to one. Names are found by the confinement.

Source: the pages of the Stream object in Microsoft's ADO reference, and its error values (3001, 3002, 3004, 3219, 3704).
"""

from __future__ import annotations

import os
from typing import Final

from certenroll.com import ComObject, stored
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.confinement import Confinement
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.encodings import UNICODE_TEXT, Encoding, charset
from xenroll_compat.hosts.objects.file_errors import runtime_errors

_BINARY, _TEXT = 1, 2
_ALL, _LINE = -1, -2
_CREATE, _REPLACE = 1, 2
_BAD_ARGUMENT, _NOT_OPENED, _NOT_WRITTEN, _NOT_NOW, _CLOSED = 3001, 3002, 3004, 3219, 3704
_SEPARATORS: Final = {-1: "\r\n", 10: "\n", 13: "\r"}


class Stream(ComObject):
    """A stream."""

    def __init__(self, environment: Environment) -> None:
        self._where = Confinement.of(environment)
        self._data: bytearray | None = None
        self._at = 0
        self._kind = _TEXT
        self._encoding: Encoding = UNICODE_TEXT
        self._charset = "Unicode"

    Mode = stored("int", "_mode", 0, "How the stream is opened: kept, and without effect.")
    LineSeparator = stored("int", "_separator", -1, "What ends a line: -1 CR LF, 10 LF, 13 CR.")

    @property
    def Type(self) -> int:
        """1 bytes, 2 text. Raises ComError 3219 on writing anywhere but at the begin of the stream, 3001 for another."""
        return self._kind

    @Type.setter
    def Type(self, value: int) -> None:
        if value not in (_BINARY, _TEXT):
            raise numbered(_BAD_ARGUMENT, f"{value} is no type of stream")
        self._at_begin()
        self._kind = value

    @property
    def Charset(self) -> str:
        """The encoding of text. Raises ComError 3219 on writing anywhere but at the begin, 3001 for an unknown one."""
        return self._charset

    @Charset.setter
    def Charset(self, value: str) -> None:
        self._at_begin()
        try:
            self._encoding = charset(value)
        except (LookupError, ValueError):  # a name with a zero character, or half of a surrogate pair
            raise numbered(_BAD_ARGUMENT, f"{value!r} is no charset") from None
        self._charset = value

    @property
    def State(self) -> int:
        """1 where the stream is open, else 0."""
        return int(self._data is not None)

    @property
    def Position(self) -> int:
        """How many bytes stand before the next. Raises ComError 3704 where the stream is closed, 3001 for a negative one."""
        self._open()
        return self._at

    @Position.setter
    def Position(self, value: int) -> None:
        data = self._open()
        if value < 0:
            raise numbered(_BAD_ARGUMENT)
        data.extend(bytes(max(value - len(data), 0)))
        self._at = value

    @property
    def Size(self) -> int:
        """How many bytes there are. Raises ComError 3704 where the stream is closed."""
        return len(self._open())

    @property
    def EOS(self) -> bool:
        """Whether the end has come. Raises ComError 3704 where the stream is closed."""
        return self._at >= len(self._open())

    def Open(
        self, Source: object = None, Mode: int = 0, OpenOptions: int = -1, UserName: str = "", Password: str = ""
    ) -> None:
        """Opens the stream, empty. Raises ComError 3219 for a source (there are no records here), or where it is open."""
        if self._data is not None or (isinstance(Source, str) and Source):
            raise numbered(_NOT_NOW)
        self._data, self._at = bytearray(), 0

    def Close(self) -> None:
        """Closes the stream; what it holds is gone. Raises ComError 3704 where it is closed."""
        self._open()
        self._data = None

    def Write(self, Buffer: bytes) -> None:
        """Writes bytes. Raises ComError 3219 for a stream of text, 3704."""
        self._put(Buffer, _BINARY)

    def WriteText(self, Data: str, Options: int = 0) -> None:
        """Writes text, with the end of a line where Options is 1. Raises ComError 3219 for bytes, 3704; 5 as the charset."""
        data = self._open()
        text = Data + _SEPARATORS.get(self.LineSeparator, "\r\n") if Options == 1 else Data
        with runtime_errors():
            encoded = self._encoding.encode(text)
        self._put(encoded if data else self._encoding.mark + encoded, _TEXT)

    def Read(self, NumBytes: int = _ALL) -> object:
        """Bytes; Null after the end. Raises ComError 3219 for a stream of text, 3704."""
        return self._take(_BINARY, NumBytes) or Vacant.NULL

    def ReadText(self, NumChars: int = _ALL) -> str:
        """Text: so many characters, all (-1) or a line (-2). Raises ComError 3219 for a stream of bytes, 3704."""
        taken = self._take(_TEXT, _ALL)
        text = self._encoding.decode(taken)
        if NumChars == _ALL:
            return text
        separator = _SEPARATORS.get(self.LineSeparator, "\r\n")
        line, ended, _ = text.partition(separator)
        wanted = line if NumChars == _LINE else text[: max(NumChars, 0)]
        used = wanted + (ended if NumChars == _LINE else "")
        mark = len(self._encoding.mark) if taken.startswith(self._encoding.mark) else 0
        self._at += mark + len(self._encoding.encode(used)) - len(taken)
        return wanted

    def SkipLine(self) -> None:
        """Passes a line over. Raises as ``ReadText``."""
        self.ReadText(_LINE)

    def SetEOS(self) -> None:
        """Has the stream end where it stands. Raises ComError 3704."""
        del self._open()[self._at :]

    def CopyTo(self, DestStream: object, CharNumber: int = _ALL) -> None:
        """Copies what follows to another stream. Raises ComError 3001 for what is none, 3704."""
        if not isinstance(DestStream, Stream):
            raise numbered(_BAD_ARGUMENT, "a stream is needed")
        if self._kind == _TEXT:
            DestStream.WriteText(self.ReadText(CharNumber))
        else:
            DestStream._put(self._take(_BINARY, CharNumber), DestStream._kind)

    def Flush(self) -> None:
        """Has nothing to do: what is written is there. Raises ComError 3704."""
        self._open()

    def LoadFromFile(self, FileName: str) -> None:
        """Takes a file's bytes. Raises ComError 3002 where it cannot be read, with why; 3704."""
        self._open()
        try:
            with os.fdopen(self._where.open(FileName, os.O_RDONLY), "rb") as file:
                self._data, self._at = bytearray(file.read()), 0
        except OSError as error:
            raise numbered(_NOT_OPENED, f"{FileName}: {error.strerror}") from error

    def SaveToFile(self, FileName: str, SaveOptions: int = _CREATE) -> None:
        """Writes all to a file. Raises ComError 3004 where it cannot be written, or is there and Options is not 2; 3704."""
        data = self._open()
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if SaveOptions == _REPLACE else os.O_EXCL)
        try:
            with os.fdopen(self._where.open(FileName, flags), "wb") as file:
                file.write(data)
        except OSError as error:
            raise numbered(_NOT_WRITTEN, f"{FileName}: {error.strerror}") from error
        self._at = 0

    def _whole_(self) -> bytes:
        """All that it holds."""
        return bytes(self._data or b"")

    def _open(self) -> bytearray:
        if self._data is None:
            raise numbered(_CLOSED)
        return self._data

    def _at_begin(self) -> None:
        if self._data is not None and self._at:
            raise numbered(_NOT_NOW, "set Position to 0 before")

    def _put(self, data: bytes, kind: int) -> None:
        target = self._open()
        if kind != self._kind:
            raise numbered(_NOT_NOW)
        target[self._at : self._at + len(data)] = data
        self._at += len(data)

    def _take(self, kind: int, count: int) -> bytes:
        data = self._open()
        if kind != self._kind:
            raise numbered(_NOT_NOW)
        end = len(data) if count == _ALL else self._at + max(count, 0)
        taken = bytes(data[self._at : end])
        self._at += len(taken)
        return taken
