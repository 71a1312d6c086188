"""VBScript: the engine behind .vbs files, pages and Windows Script Files.

The syntax is read by the PyPI package ``asppy`` (pinned exactly: these modules use its inner parts), mended in ``lexer`` and
``grammar``; what a script does is done by the modules here, after Windows. Nothing else in the project knows that package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xenroll_compat.hosts.engine import Engine
    from xenroll_compat.hosts.environment import Environment


def engine(environment: Environment) -> Engine:
    """A VBScript engine for one run.

    Args:
        environment: its settings, whose limits the engine holds, and what CreateObject makes.

    Raises:
        ComError: REGDB_E_CLASSNOTREG where the package ``asppy`` is not installed.
    """
    try:
        from xenroll_compat.hosts.vbscript.machine import VBScript
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "ASPPY":
            raise
        from certenroll.errors import ComError
        from certenroll.hresults import HRESULT

        message = "VBScript needs the Python package asppy; install it with: pip install 'xenroll[scripts]'"
        raise ComError(HRESULT.REGDB_E_CLASSNOTREG, message, source="xenroll") from error
    return VBScript(environment)
