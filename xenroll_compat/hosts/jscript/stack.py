"""How much of the process's stack scripts may take: one bound for all entries, however they are nested.

The engine counts anew at each entry, so a function that an object calls, from a function that a script called, would have as
much again as all before it. Each entry is therefore given what is left. Knows the engine by one method.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from typing import Final

_CALL: Final = 2048  # what the engine takes for one plain call of a script's function
_BESIDE: Final = 384 * 1024  # and beside all of them
_FRAMES: Final = 16  # Python's own frames of one call by way of an automation object
_FRAMES_BESIDE: Final = 2000
_LEAST: Final = 1024  # the engine takes 0 for no limit
_UNLIMITED: Final = 64 * 1024 * 1024
_POINTER: Final = "/proc/thread-self/syscall"  # its last two words are the stack pointer and the program counter


class Stack:
    """The bound of one engine, for so many open calls of a script's functions."""

    def __init__(self, depth: int, set_size: Callable[[int], None]) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_STACK)
        available = soft if soft != resource.RLIM_INFINITY else _UNLIMITED
        wanted, most = depth * _CALL + _BESIDE, available * 3 // 4
        self._size = min(wanted, most)
        self.can_grow: Final = wanted < most  # whether a higher limit lets a script call deeper
        self._set_size = set_size
        self._entries = 0
        self._top = 0
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES_BESIDE + depth * _FRAMES))

    def __enter__(self) -> None:
        """One entry more, with what is left for it."""
        here = _stack_pointer()
        if not self._entries:
            self._top = here
        left = self._size - (self._top - here) if here else self._size >> self._entries
        self._set_size(max(left, _LEAST))
        self._entries += 1

    def __exit__(self, *_error: object) -> None:
        """That entry is over."""
        self._entries -= 1


def _stack_pointer() -> int:
    """This thread's stack pointer, or 0 where the system does not tell."""
    try:
        file = os.open(_POINTER, os.O_RDONLY)
    except OSError:
        return 0
    try:
        words = os.read(file, 256).split()
    except OSError:
        return 0
    finally:
        os.close(file)
    return int(words[-2], 16) if len(words) > 2 else 0
