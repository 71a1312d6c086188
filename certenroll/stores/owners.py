"""Which process began something, and whether it still runs: what is in hand elsewhere must not be taken for abandoned.

A process is named by the boot, its PID namespace, its number and the time it began, so that a number given again after a
restart names nobody. Linux only (/proc). Knows nothing of what was begun.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path


def current() -> str:
    """The name of this process."""
    return _named(os.getpid())


def is_gone(owner: str) -> bool:
    """Whether the process of that name has ended.

    A process of another PID namespace (a container on the same folder) cannot be seen from here, and counts as running.

    Args:
        owner: what ``current`` gave it; anything else names a process that is gone.
    """
    parts = owner.split(" ")
    if len(parts) != 4 or parts[0] != _boot():
        return True
    return parts[1] == _namespace() and _began(parts[2]) != parts[3]


@functools.lru_cache(maxsize=1)  # asked at every write; a forked child has another number, and so another name
def _named(process: int) -> str:
    return f"{_boot()} {_namespace()} {process} {_began(str(process))}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def _namespace() -> str:
    return str(os.stat("/proc/self/ns/pid").st_ino)


def _began(process: str) -> str:
    """When a process began, in ticks since the boot; "" where there is none, or nothing but its exit code is left."""
    try:
        stat = Path("/proc", process, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    facts = stat.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return "" if facts[0] in ("Z", "X") else facts[19]
