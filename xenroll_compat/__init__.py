"""Xenroll, the enrollment control that Windows had until Vista, outside Windows.

``CEnroll`` has every member under its own name and does its work through certenroll's public object model alone;
``Dispatch`` creates it, and every object of certenroll, as a script does.
"""

from __future__ import annotations

from typing import Any


def Dispatch(identifier: str) -> Any:
    """A new automation object.

    Args:
        identifier: "CEnroll.CEnroll" (with or without ".1" or ".2", any case), a CLSID of the control, or a ProgID or
            CLSID of certenroll.

    Raises:
        ComError: CO_E_CLASSSTRING where no such class is registered.
    """
    from xenroll_compat.registry import create

    return create(identifier)


def __getattr__(name: str) -> Any:
    if name == "CEnroll":
        from xenroll_compat.control import CEnroll

        return CEnroll
    if name == "ComError":
        from certenroll.errors import ComError

        return ComError
    raise AttributeError(f"xenroll_compat has no {name!r}")
