"""CertEnroll, the IX509Enrollment object model, outside Windows.

Every interface, coclass and enumeration of CertEnroll and CertCli is a name of this package under Microsoft's own
spelling and loads when it is first used; ``Dispatch`` creates an object as a script does.
"""

from __future__ import annotations

from typing import Any


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
    if name == "ComError":
        from certenroll.errors import ComError

        return ComError
    if name == "CERTENROLL_OBJECTID":
        from certenroll.oid_table import CERTENROLL_OBJECTID

        return CERTENROLL_OBJECTID
    from certenroll import enums, registry

    found = registry.public_class(name) if not name.startswith("_") else None
    if found is None:
        found = getattr(enums, name, None)
    if found is None:
        raise AttributeError(f"certenroll has no {name!r}")
    return found
