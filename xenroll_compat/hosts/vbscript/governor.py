"""What a script may take of the machine while VBScript runs it: time, depth of calls, and the size of one value.

Knows no syntax tree.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

from certenroll.hresults import HRESULT
from xenroll_compat.hosts.problems import Place, ScriptStopped
from xenroll_compat.hosts.settings import Limits

_FRAMES_A_CALL: Final = 60  # Python frames that one call of a procedure may need, with the blocks and expressions around it
_FRAMES_BESIDE: Final = 20_000  # and what a single expression may need
_MOST_FRAMES: Final = 400_000
_EVERY: Final = 0xFF  # the clock is read once in so many statements


class Governor:
    """The limits of one run. Every method but ``leave`` raises ScriptStopped."""

    def __init__(self, limits: Limits, place: Callable[[], Place]) -> None:
        self._limits = limits
        self._place = place
        self._ends = None if limits.seconds is None else time.monotonic() + limits.seconds
        self._statements = 0
        self.depth = 0
        frames = min(_FRAMES_BESIDE + limits.depth * _FRAMES_A_CALL, _MOST_FRAMES)
        if sys.getrecursionlimit() < frames:
            sys.setrecursionlimit(frames)

    def count(self) -> None:
        """One statement more."""
        self._statements += 1
        if not self._statements & _EVERY and self._ends is not None and time.monotonic() > self._ends:
            raise ScriptStopped(
                f"it ran longer than {self._limits.seconds:g} seconds", "--time-limit", HRESULT.WIN32_TIMEOUT, self._place()
            )

    def enter(self) -> None:
        """One procedure call more."""
        self.depth += 1
        if self.depth > self._limits.depth:
            self.depth -= 1
            raise self.too_deep()

    def leave(self) -> None:
        """That call is over."""
        self.depth -= 1

    def room_for(self, size: int) -> None:
        """Whether a value may have so many bytes or characters."""
        if size > self._limits.memory:
            raise self.too_large()

    def too_deep(self) -> ScriptStopped:
        """The end of a script whose calls are nested too deeply."""
        text = f"its calls are nested deeper than {self._limits.depth}"
        return ScriptStopped(text, "--depth-limit", HRESULT.WIN32_STACK_OVERFLOW, self._place())

    def too_large(self) -> ScriptStopped:
        """The end of a script that wants more memory than it may have."""
        text = f"it needs more than {self._limits.memory} bytes of memory"
        return ScriptStopped(text, "--memory-limit", HRESULT.E_OUTOFMEMORY, self._place())
