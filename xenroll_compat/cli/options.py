"""Options that several commands share: --json, --machine, and where a PIN or a password comes from.

No secret is ever an argument: it stands in a file that its owner alone can read, in the environment, or is asked for.
"""

from __future__ import annotations

import argparse
import os
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keystores.base import Secret


def add_common(parser: argparse.ArgumentParser, *, machine: bool = True) -> None:
    """Adds --json and, where it fits, --machine."""
    parser.add_argument("--json", action="store_true", help="write the result as JSON")
    if machine:
        parser.add_argument("--machine", action="store_true", help="use the machine's profile instead of the user's")


def add_pin(parser: argparse.ArgumentParser) -> None:
    """Adds --pin-file and --ask-pin."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--pin-file", type=Path, metavar="FILE", help="the PIN of the key or card: one line, mode 0600")
    given.add_argument("--ask-pin", action="store_true", help="ask for the PIN on the terminal")


def add_password(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds --password-file and --ask-password."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--password-file", type=Path, metavar="FILE", help=f"where the password of {what} is")
    given.add_argument("--ask-password", action="store_true", help=f"ask for the password of {what} on the terminal")


def context_of(arguments: argparse.Namespace) -> int:
    """The X509CertificateEnrollmentContext that --machine chooses."""
    from certenroll.enums import X509CertificateEnrollmentContext as Context

    return Context.ContextMachine if arguments.machine else Context.ContextUser


def pin_of(arguments: argparse.Namespace) -> Secret | None:
    """The PIN that was given, or None. Cards are given it from now on, for the length of this process.

    Raises:
        PinUnreadable: the file is missing or open to others.
        ComError: E_INVALIDARG where the file is empty or nothing was typed.
    """
    found = _secret(arguments.pin_file, arguments.ask_pin, "PIN")
    if found is not None:
        os.environ["XENROLL_PIN"] = found.reveal()  # what /proc shows of a process is the environment it began with
    return found


def password_of(arguments: argparse.Namespace) -> Secret | None:
    """The password that was given, or None. Raises as ``pin_of``."""
    return _secret(arguments.password_file, arguments.ask_password, "password")


def _secret(path: Path | None, ask: bool, what: str) -> Secret | None:
    if path is None and not ask:
        return None
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT
    from keystores.base import Secret
    from keystores.pins import FilePin

    found = FilePin(path)(what) if path is not None else Secret(getpass(f"{what}: "))
    if found is None or not found.reveal():
        raise ComError(HRESULT.E_INVALIDARG, f"the {what} is empty")
    return found
