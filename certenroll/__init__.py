"""CertEnroll, the IX509Enrollment object model, outside Windows.

Every interface, coclass and enumeration of CertEnroll and CertCli is a name of this package under Microsoft's own
spelling and loads when it is first used; ``Dispatch`` creates an object as a script does.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_NAMED = (("certenroll.errors", ("ComError",)), ("certenroll.oid_table", ("CERTENROLL_OBJECTID",)))


def Dispatch(identifier: str) -> Any:
    """A new automation object.

    Args:
        identifier: a ProgID ("X509Enrollment.CX509Enrollment", any case, with or without ".1") or a CLSID.

    Raises:
        ComError: CO_E_CLASSSTRING where no such class is registered.
    """
    from certenroll.registry import create

    return create(identifier)


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name.islower():  # a submodule that is being imported, not a public name
        raise AttributeError(f"certenroll has no {name!r}")
    for module, members in _NAMED:
        if name in members:
            return getattr(import_module(module), name)
    found = import_module("certenroll.registry").public_class(name)
    if found is None:
        found = getattr(import_module("certenroll.enums"), name, None)
    if found is None:
        raise AttributeError(f"certenroll has no {name!r}")
    return found
