"""How a script ends badly: by an error that it did not handle, or because it went past a limit,
or because its output is lost.

    ScriptFailure              an error of the language or of an object, with the place where it happened
    ScriptStopped              a limit of the command line; no script can handle it, so it is no Exception
    OutputLost                 nobody takes what it writes; no script can handle that either

Knows no language.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from certenroll.hresults import HRESULT, signed


class Place(NamedTuple):
    """A place in a script; lines and columns are counted from 1, 0 where they are not known."""

    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}({self.line}, {self.column})"


class ScriptFailure(Exception):
    """A script's error that nothing in it handled.

    Attributes:
        number: Err.Number or e.number: a number of the language (424, 438, ...) or a signed HRESULT.
        description: its sentence.
        source: who raised it ("Microsoft VBScript runtime error", "CertEnroll", ...).
        place: where.
        hresult: the number as an HRESULT: one of a language has the facility FACILITY_CONTROL (0x800A0000).
    """

    def __init__(self, number: int, description: str, source: str, place: Place | None = None) -> None:
        self.number: Final = number
        self.description: Final = description
        self.source: Final = source
        self.place = place or Place()
        self.hresult: Final = signed(0x800A0000 | number) if 0 < number <= 0xFFFF else signed(number)
        super().__init__(str(self))

    def __str__(self) -> str:
        code = f" (0x{self.hresult & 0xFFFFFFFF:08X})"
        return f"{self.place} {self.source}: {self.description.rstrip('.')}{code}"


class ScriptStopped(BaseException):
    """A script went past a limit that the command line gave, and was stopped.

    Attributes:
        limit: the option that raises the limit ("--time-limit", "--memory-limit", "--depth-limit").
        can_be_raised: whether it does; there is no more room in the process for a limit that is too high already.
        hresult: WIN32_TIMEOUT, E_OUTOFMEMORY or WIN32_STACK_OVERFLOW, as the limit is.
    """

    def __init__(
        self,
        text: str,
        limit: str,
        hresult: int = HRESULT.WIN32_TIMEOUT,
        place: Place | None = None,
        *,
        can_be_raised: bool = True,
    ) -> None:
        self.text: Final = text
        self.limit: Final = limit
        self.hresult: Final = signed(hresult)
        self.place = place or Place()
        self.can_be_raised: Final = can_be_raised
        super().__init__(text)

    def __str__(self) -> str:
        where = f"{self.place} " if self.place.file else ""
        advice = "raises the limit" if self.can_be_raised else "cannot raise the limit further"
        return f"{where}the script was stopped: {self.text} ({self.limit} {advice})"


class OutputLost(BaseException):
    """The output of a run cannot be written: its reader went away, or a disk is full.

    Attributes:
        error: the system's own.
    """

    def __init__(self, error: OSError) -> None:
        self.error: Final = error
        super().__init__(str(error))

    @property
    def reader_left(self) -> bool:
        """Whether whoever read the output has what it wanted, as ``head`` has."""
        return isinstance(self.error, BrokenPipeError)

    def __str__(self) -> str:
        return f"the output cannot be written: {self.error.strerror or self.error}"
