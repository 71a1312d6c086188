"""The command ``xenroll``: which commands there are, and how their errors are told.

A table from a command to its module. Only the module of the command that is named is loaded, so that ``xenroll --help``
needs no cryptography and no database. Knows nothing of what the commands do.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Final

from xenroll_compat.cli.endings import exit_code_of, ready_log

# Command -> (its module in this package, what it does). The module has ``configure(parser)``.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("run", "run a legacy script as it is"),
    "port": ("port", "write a script's CertEnroll port from its run"),
    "enroll": ("enroll", "ask for one certificate"),
    "accept": ("accept", "install a CA's response from a file"),
    "pending": ("pending", "requests that wait for their certificate"),
    "store": ("store", "certificates in MY, CA, ROOT and the other stores"),
    "keys": ("keys", "private keys in software, in the TPM and on the card"),
    "ca": ("ca", "the local certification authority"),
    "syncml": ("syncml", "carry out a management server's SyncML message, or check it"),
    "mdm": ("mdm", "the ClientCertificateInstall tree that such servers set"),
    "scep": ("scep", "the SCEP enrollments that such servers order"),
    "doctor": ("doctor", "what works on this machine, and what to install for the rest"),
    "demo": ("demo", "three flows, four places for the key: twelve certificates"),
}

# What calls ``ready_log`` itself, where its first object is made: a short script needs no log.
_READY_LATER: Final = ("run",)

_EPILOG: Final = """\
exit codes: 0 done, 1 failed, 2 wrong usage, 3 not yet (still pending, or a device of the demo is not here).
The profile is the folder XENROLL_HOME, else xenroll in the XDG data folder. A card's PIN is read from XENROLL_PIN or the
file XENROLL_PIN_FILE, never from an argument. XENROLL_KEY_LOCATION=1..4 moves new keys: TPM, TPM if there is one,
software, smart card."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: the command line without the program's name; the process's own where it is None.

    Returns:
        The exit code: 0, 1 for a failure (told on stderr), 3 for what is not done yet, 130 after Ctrl-C.

    Raises:
        SystemExit: with 2 for wrong usage, with 0 after --help and --version, and with a script's own code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    _ready_output()
    parsed = _parser(given).parse_args(given)
    if parsed.command not in _READY_LATER:
        ready_log()
    return exit_code_of(lambda: parsed.run(parsed))


def _ready_output() -> None:
    """Makes stdout take every name: one that the locale's encoding lacks is written with escapes, a closed one swallows."""
    if sys.stdout is None:
        sys.stdout = io.StringIO()
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="xenroll",
        description="Windows certificate enrollment (Xenroll, CertEnroll) on Linux.",
        epilog=_EPILOG,
        formatter_class=_Help,
    )
    parser.add_argument("--version", action=_Version, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True, prog="xenroll")
    named = next((one for one in given if not one.startswith("-")), "")
    is_first = named in COMMANDS and given[0] == named  # then no help and no mistake speaks of the others
    for command, (module, summary) in COMMANDS.items():
        if is_first and command != named:
            continue
        described = f"{summary[:1].upper()}{summary[1:]}."
        added = commands.add_parser(command, help=summary, description=described, formatter_class=_Help)
        if command == named:
            importlib.import_module(f"xenroll_compat.cli.{module}").configure(added)
    return parser


class _Help(argparse.RawDescriptionHelpFormatter):
    """The usual form, its width found without the module that argparse loads for it: each option makes one of these."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_width())


def _width() -> int:
    """The columns for help: COLUMNS, else the terminal's, else 80; two are left free."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and int(columns):
        return max(int(columns) - 2, 40)
    try:
        return max(os.get_terminal_size(1).columns - 2, 40)
    except OSError:
        return 78


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than the rest of --help."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("xenroll")
        except PackageNotFoundError:
            found = "(not installed)"
        sys.stdout.write(f"xenroll {found}\n")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
