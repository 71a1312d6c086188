"""The limits of a run: its script has a process of its own, which is stopped when it takes too long or too much.

The child of a fork runs the script; the parent waits and has loaded nothing. In the child a timer raises ScriptStopped at
the limit; where that does not come through (a loop in a language's own machine), the parent kills the child shortly after,
which loses nothing: stores and files are whole at every moment. Signals go to the child, and its end is the parent's end.
Knows no language.
"""

from __future__ import annotations

import gc
import io
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from xenroll_compat.hosts.settings import MEGABYTE, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAILED, _SIGNALLED = 1, 128  # a shell's exit code for a signal is 128 and its number
_GRACE: Final = 1.5  # seconds between the timer and the kill
_HEADROOM: Final = 128 * MEGABYTE  # for the libraries that the host itself loads in the course of the run
_STACK: Final = 64 * MEGABYTE
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WATCHED: Final = frozenset({*_FORWARDED, signal.SIGCHLD})


def supervised(limits: Limits, name: str, work: Callable[[], int]) -> int:
    """Does work in a process of its own, within limits.

    Args:
        limits: how long it may take, and how much memory.
        name: the script, for the message when it is stopped.
        work: what to do; gives the exit code. It may raise ScriptStopped, OutputLost, MemoryError and SystemExit.

    Returns:
        its exit code; 1 where it was stopped or its output was lost, which was told on stderr then; 128 and the number for
        another signal. Where the child ended by SIGINT, SIGTERM or SIGHUP, so does this process, and by SIGPIPE where the
        reader of the output went away.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    gc.freeze()  # what is loaded now is neither searched nor written to by the child's collector
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    on_child = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        child = os.fork()
        if child == 0:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            _run(limits, name, work)
        status, is_late = _wait(child, limits.seconds)
    finally:
        signal.signal(signal.SIGCHLD, on_child)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if is_late:
        _tell(name, f"the script was stopped: {too_long(limits)} (--time-limit raises the limit)")
        return _FAILED
    return _ended(name, status)


def too_long(limits: Limits) -> str:
    """What ScriptStopped says where the time is up."""
    return f"it ran longer than {limits.seconds:g} s"


def too_much(limits: Limits) -> str:
    """What ScriptStopped says where the memory is used up."""
    return f"it took more than {limits.memory // MEGABYTE} MB of memory"


@contextmanager
def timed(limits: Limits) -> Iterator[None]:
    """Raises ScriptStopped in the block when the time is up. For the main thread of a process alone."""
    from xenroll_compat.hosts.problems import ScriptStopped

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise ScriptStopped(too_long(limits), "--time-limit")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limits.seconds or 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run(limits: Limits, name: str, work: Callable[[], int]) -> NoReturn:
    """The child's whole life."""
    code = _FAILED
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What was said is said, also where the child is killed, and also in letters that the encoding lacks.
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt_once)
    try:
        _restrict(limits)
        code = _outcome(limits, name, work)
    except BaseException:  # noqa: BLE001  whatever it is, this process goes no further than here
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)


def _outcome(limits: Limits, name: str, work: Callable[[], int]) -> int:
    from certenroll.errors import memory_errors_untranslated
    from xenroll_compat.hosts.problems import OutputLost, ScriptStopped

    try:
        with timed(limits), memory_errors_untranslated():
            return work()
    except SystemExit as leaving:
        return _code_of(leaving)
    except ScriptStopped as stopped:
        _tell(name, str(stopped))
    except OutputLost as lost:
        if lost.reader_left:
            _end_by(signal.SIGPIPE)
        _tell(name, str(lost))
    except MemoryError:
        _tell(name, str(ScriptStopped(too_much(limits), "--memory-limit")))
    return _FAILED


def _end_by(number: int) -> None:
    """Ends this process by a signal, as one ends that does not know of it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _interrupt_once(_number: int, _frame: FrameType | None) -> NoReturn:
    """Ctrl-C, which may come twice where a whole group of processes is sent it: the second must not disturb the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _restrict(limits: Limits) -> None:
    """Bounds the memory of this process, has it leave no core behind, and gives deep recursion room to be noticed in."""
    with open("/proc/self/statm", "rb") as file:
        taken = int(file.read().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, taken + limits.memory + _HEADROOM)
    _lower(resource.RLIMIT_CORE, 0)
    _, most = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK if most < 0 else min(_STACK, most), most))


def _lower(kind: int, wanted: int) -> None:
    soft, most = resource.getrlimit(kind)
    known = [value for value in (soft, most) if value >= 0]  # -1 is no limit
    resource.setrlimit(kind, (min([wanted, *known]), most))


def _wait(child: int, seconds: float | None) -> tuple[int, bool]:
    """Waits for the child's end; gives its status, and whether it had to be killed for the time that it took."""
    deadline = None if seconds is None else time.monotonic() + seconds + _GRACE
    is_late = False
    while True:
        if deadline is None:
            told: signal.struct_siginfo | None = signal.sigwaitinfo(_WATCHED)
        else:
            told = signal.sigtimedwait(_WATCHED, max(deadline - time.monotonic(), 0))
        if told is None:
            os.kill(child, signal.SIGKILL)
            is_late, deadline = True, None
        elif told.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status, is_late
        elif told.si_code <= 0:  # sent by a process; what a terminal sends has reached the child too
            os.kill(child, told.si_signo)


def _ended(name: str, status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    if -code in (*_FORWARDED, signal.SIGPIPE):
        _end_by(-code)
    _tell(name, f"the script's process ended by {signal.Signals(-code).name}")
    return _SIGNALLED - code


def _code_of(leaving: SystemExit) -> int:
    """The exit code that Python has for it; a text is told on stderr."""
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    sys.stderr.write(f"{leaving.code}\n")
    return _FAILED


def _tell(name: str, text: str) -> None:
    sys.stderr.write(f"xenroll: {name}: {text}\n")
