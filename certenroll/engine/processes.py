"""Which process began something, and whether it still lives: what tells a crash from work in progress.

A process is named by its id and its start time, since ids are used again. Source: proc(5).
"""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """The name of this process."""
    return _name(os.getpid()) or str(os.getpid())


def is_alive(name: str) -> bool:
    """Whether the process of that name still runs."""
    number = name.partition("@")[0]
    return number.isdigit() and _name(int(number)) == name


def _name(number: int) -> str | None:
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the second field is a command in brackets that may hold anything
    if fields[0] == "Z":
        return None
    return f"{number}@{fields[19]}"
