"""Runs a Python script that was written for pywin32, unmodified, as ``python script.py`` would.

The script sees its own sys.argv, __file__ and __main__ and finds its neighbours in its folder; pywin32's modules are those
of ``pywin32.py``. Knows no automation object.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Final

from certenroll.errors import ComError
from xenroll_compat.hosts import pywin32
from xenroll_compat.hosts.problems import ScriptStopped

_ROOT: Final = Path(__file__).resolve().parents[2]
_OURS: Final = tuple(f"{_ROOT / name}/" for name in ("certenroll", "keystores", "xenroll_compat"))


def run_script(path: Path, arguments: Sequence[str]) -> int:
    """Runs a script.

    Args:
        path: the script.
        arguments: what follows its name in sys.argv.

    Returns:
        0, or 1 where it ended with an exception; that was printed then, with the script's own lines.

    Raises:
        OSError: the script cannot be read.
        SystemExit: the script ended itself, with its own code.
        KeyboardInterrupt: Ctrl-C.
        ScriptStopped, MemoryError: a limit, where the run has any.
    """
    source = path.read_bytes()
    try:
        code = compile(source, path.absolute(), "exec")
    except (SyntaxError, ValueError) as error:
        sys.stderr.write("".join(traceback.format_exception_only(error)))
        return 1
    with _as_main(path, arguments) as module, pywin32.installed():
        return _execute(code, module)


def _execute(code: CodeType, module: ModuleType) -> int:
    try:
        exec(code, vars(module))  # noqa: S102  to run the user's script is what this is for
    except (SystemExit, KeyboardInterrupt, ScriptStopped, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001  a script may end with any exception, and Python prints each
        sys.stdout.flush()
        sys.stderr.write("".join(_report(error)))
        return 1
    return 0


@contextmanager
def _as_main(path: Path, arguments: Sequence[str]) -> Iterator[ModuleType]:
    """A new __main__, with the script's arguments and its folder in front of the others."""
    module = ModuleType("__main__")
    vars(module).update(__file__=str(path.absolute()), __builtins__=__builtins__, __cached__=None)
    main, argv, folders = sys.modules["__main__"], sys.argv, sys.path[:]
    sys.modules["__main__"] = module
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield module
    finally:
        sys.modules["__main__"] = main
        sys.argv = argv
        sys.path[:] = folders


def _report(error: BaseException) -> Iterator[str]:
    """The traceback as Python prints it, from the script's first line on; a ComError's ends where the script ends."""
    trace = error.__traceback__.tb_next if error.__traceback__ is not None else None
    if not isinstance(error, ComError):
        yield from traceback.format_exception(type(error), error, trace)
        return
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_list(_script_part(trace))
    yield f"pywintypes.com_error: {error}\n"


def _script_part(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    frames = traceback.extract_tb(trace)
    ours = next((at for at, frame in enumerate(frames) if frame.filename.startswith(_OURS)), len(frames))
    return frames[:ours]
