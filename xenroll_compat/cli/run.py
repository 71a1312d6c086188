"""xenroll run: a legacy script under the host of its language."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.usage = "xenroll run [-h] SCRIPT [ARGUMENT ...]"
    parser.add_argument("script", type=Path, metavar="SCRIPT", help="a Python script that uses win32com.client")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="handed to the script as they are")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from xenroll_compat.hosts.python import run_script

    return run_script(arguments.script, arguments.arguments)
