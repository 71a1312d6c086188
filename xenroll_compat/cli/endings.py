"""How a command ends: its exit codes, and how warnings and errors that it did not handle are told. Knows no command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Final

OK: Final = 0
FAILED: Final = 1
INTERRUPTED: Final = 130


def exit_code_of(work: Callable[[], int]) -> int:
    """Does a command's work.

    Args:
        work: gives the exit code.

    Returns:
        that code; 1 for an error with a result code, which is told on stderr, 130 after Ctrl-C, 0 where the reader of the
        output went away.

    Raises:
        BaseException: what is a fault of ours, and SystemExit.
    """
    try:
        code = int(work())
        sys.stdout.flush()  # here, where a reader that went away is understood
        return code
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read the output has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except BaseException as error:
        from certenroll.errors import translate

        problem = translate(error)
        if problem is None:
            raise
        from xenroll_compat.cli.problems import report

        report(problem, error)
        return FAILED


def ready_log() -> None:
    """Has warnings told on stderr, as lines that begin with ``warning:``."""
    import logging

    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    logging.addLevelName(logging.WARNING, "warning")
