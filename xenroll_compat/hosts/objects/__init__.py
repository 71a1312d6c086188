"""Automation objects of the host's own, which scripts create beside those of enrollment: files, dictionaries, the shell.

A table from ProgID and CLSID to class; a module is loaded when its object is first made. What is not here (MSXML2.XMLHTTP,
WinHttp, Excel, ...) cannot be created: 429 in a script. Knows no language.
"""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any, Final

from xenroll_compat.hosts.environment import Environment

# ProgID without version, and CLSID -> (module of this package, class).
CLASSES: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("Scripting.FileSystemObject", "0D43FE01-F093-11CF-8940-00A0C9054228"): ("filesystem", "FileSystemObject"),
    ("Scripting.Dictionary", "EE09B103-97E0-11CF-978F-00A02463E06F"): ("dictionary", "Dictionary"),
    ("WScript.Shell", "72C24DD5-D70A-438B-8A42-98424B88AFB8"): ("shell", "WshShell"),
    ("WScript.Network", "093FF999-1EA0-4079-9525-9614C3504B74"): ("network", "WshNetwork"),
    ("VBScript.RegExp", "3F4DACA4-160D-11D2-A8E9-00104B365C9F"): ("regexp", "RegExp"),
    ("ADODB.Stream", "00000566-0000-0010-8000-00AA006D2EA4"): ("stream", "Stream"),
}


def register(environment: Environment) -> None:
    """Has an environment create these objects."""
    for (progid, clsid), (module, name) in CLASSES.items():
        factory = partial(_make, module, name)
        for identifier in (progid, clsid, f"{{{clsid}}}"):
            environment.factories[identifier.lower()] = factory


def _make(module: str, name: str, environment: Environment) -> Any:
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)(environment)
