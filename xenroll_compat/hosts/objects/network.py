"""WScript.Network: who runs the script, and where. Drives and printers are not there.

Source: the pages of the WshNetwork object in Microsoft's Windows Script Host reference.
"""

from __future__ import annotations

import getpass
import socket

from certenroll.com import ComObject
from xenroll_compat.hosts.environment import Environment


def user_name() -> str:
    """The name of the user; a user who has a number only is "unknown"."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def computer_name() -> str:
    """The name of this machine, as Windows writes it."""
    return socket.gethostname().partition(".")[0].upper()


class WshNetwork(ComObject):
    """WshNetwork."""

    def __init__(self, _environment: Environment | None = None) -> None:
        pass

    @property
    def UserName(self) -> str:
        """The name of the user."""
        return user_name()

    @property
    def ComputerName(self) -> str:
        """The name of this machine."""
        return computer_name()

    @property
    def UserDomain(self) -> str:
        """The domain of the user: this machine, for there is no other."""
        return computer_name()
