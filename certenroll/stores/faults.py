"""Fault points: where a crash test stops the process. Costs nothing where the environment does not ask for one.

``XENROLL_FAULT_AT=N`` kills the process by SIGKILL at its N-th write point, counted from 1: every commit is two of them,
one before it and one after. ``XENROLL_FAULT_LOG=path`` appends one line per point, so that a test learns how many there are.
Both are read when this module is imported. Knows nothing of what is written.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping


def _nothing(label: str) -> None:
    """The write point of an ordinary process."""


def _make(environ: Mapping[str, str]) -> Callable[[str], None]:
    fault_at, log = environ.get("XENROLL_FAULT_AT"), environ.get("XENROLL_FAULT_LOG")
    if not fault_at and not log:
        return _nothing
    numbers = itertools.count(1)
    fatal = int(fault_at) if fault_at else 0

    def point(label: str) -> None:
        number = next(numbers)
        if log:
            with open(log, "a", encoding="utf-8") as lines:
                lines.write(f"{number} {label}\n")
        if number == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    return point


_point = _make(os.environ)


def write_point(label: str = "commit") -> None:
    """Marks a place where a crash may fall between two durable steps.

    Args:
        label: what is about to be, or was just, made durable; stands in the log.
    """
    _point(label)
