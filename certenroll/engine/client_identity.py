"""What a request's client attributes say of the program that made it: machine, user, process and system version.

Windows fills these from the machine that runs it; here they come from this machine, and the version of Windows that the
request claims to come from is a setting, since certification authorities may have rules about it.
"""

from __future__ import annotations

import getpass
import socket
import sys
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

OS_VERSION: Final = "10.0.20348.2"  # major.minor.build.platform of Windows Server 2022


@dataclass(frozen=True)
class ClientIdentity:
    """Who asks. ``user`` has the form ``DOMAIN\\name``."""

    machine: str
    user: str
    process: str


def client_identity() -> ClientIdentity:
    """The identity of this process."""
    machine = socket.gethostname()
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"  # a container may run under a number that has no name
    domain = machine.partition(".")[0].upper()
    return ClientIdentity(machine, f"{domain}\\{user}", PurePath(sys.argv[0] or "python").name)
