"""The names under which a script creates the control, and what is done with every other name.

Source: the coclasses CEnroll and CEnroll2 of xenroll.h.
"""

from __future__ import annotations

from typing import Any, Final

import certenroll

CLASS_IDS: Final = ("43f8f289-7a20-11d0-8f06-00c04fc295e1", "127698e4-e730-4e5c-a2b1-21490a70c8a1")
PROG_IDS: Final = ("cenroll.cenroll", "cenroll.cenroll.1", "cenroll.cenroll.2")


def is_control(identifier: str) -> bool:
    """Whether a ProgID or CLSID (also as ``clsid:`` or ``new:`` and in braces, any case) names the control."""
    wanted = identifier.strip().lower()
    for prefix in ("clsid:", "new:"):
        wanted = wanted.removeprefix(prefix)
    return wanted in PROG_IDS or wanted.strip("{}") in CLASS_IDS


def create(identifier: str) -> Any:
    """A new automation object: the control, or what certenroll has of that name. Raises ComError CO_E_CLASSSTRING."""
    if not is_control(identifier):
        return certenroll.Dispatch(identifier)
    from xenroll_compat.control import CEnroll

    return CEnroll()
