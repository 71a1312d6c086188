"""A script run under the host of its language: which host that is, what it finds there, and how its end is told.

``run_script_in`` runs one in this process, for callers that watch it; ``run`` gives it a process of its own with limits and
tells its errors as cscript does. Knows no language itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xenroll_compat.hosts.limits import supervised, too_much
from xenroll_compat.hosts.settings import RunSettings

if TYPE_CHECKING:
    from xenroll_compat.hosts.engine import Engine
    from xenroll_compat.hosts.environment import Environment
    from xenroll_compat.hosts.output import Writer
    from xenroll_compat.hosts.pages.results import PageResult
    from xenroll_compat.hosts.problems import ScriptFailure, ScriptStopped

PAGE, PYTHON = "page", "python"
# The ending of a script's name -> the language that it is in, a page, or Python.
ENDINGS: Final[dict[str, str]] = {
    ".vbs": "vbscript",
    ".js": "jscript",
    ".wsf": PAGE,
    ".htm": PAGE,
    ".html": PAGE,
    ".hta": PAGE,
    ".asp": PAGE,
    ".py": PYTHON,
}
# The ending of what is not run -> why.
_ENCODED: Final = "it is encoded by Microsoft's Script Encoder: have the plain script"
REFUSED: Final[dict[str, str]] = {
    ".vbe": _ENCODED,
    ".jse": _ENCODED,
    ".php": "PHP is not run here: save the page that its server sends, as .htm",
    ".ps1": "PowerShell is not run here",
}
# An error that no script handled and that more room would have spared -> the option that gives it.
_ROOM: Final[dict[int, str]] = {
    0x800A0007: "--memory-limit",  # Out of memory
    0x800A000E: "--memory-limit",  # Out of string space
    0x8007000E: "--memory-limit",
    0x800A001C: "--depth-limit",  # Out of stack space
    0x800703E9: "--depth-limit",
}
Watching = Callable[[], AbstractContextManager[None]]
Ending = Callable[[Callable[[], int]], int]


def kind_of(path: Path) -> str:
    """The language of a script ("vbscript", "jscript"), PAGE or PYTHON, by the ending of its name.

    Raises:
        ComError: WIN32_NOT_SUPPORTED where scripts of that kind are not run, with why.
    """
    ending = path.suffix.lower()
    found = ENDINGS.get(ending)
    if found is not None:
        return found
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    why = REFUSED.get(ending, f"scripts end in {', '.join(ENDINGS)}")
    raise ComError(HRESULT.WIN32_NOT_SUPPORTED, f"{path.name}: {why}", source="xenroll")


def run(
    path: Path, settings: RunSettings, *, job: str = "", watching: Watching = nullcontext, ending: Ending | None = None,
    before_objects: Callable[[], None] | None = None,
) -> int:  # fmt: skip
    """Runs a script in a process of its own, within its limits.

    Args:
        path: the script.
        settings: what the user said.
        job: of a Windows Script File, the job to run; "" for the first.
        watching: opens what watches the run (a trace), in that process.
        ending: does the work and tells in that process what it raises; gives the exit code.
        before_objects: called there before the first object of the object model is made.

    Returns:
        the exit code: 0, WScript.Quit's, 1 where an error was not handled or a limit stopped it, which was told then.

    Raises:
        ComError: WIN32_NOT_SUPPORTED as ``kind_of``.
        OSError: the script is not there.
    """
    kind_of(path)

    def work() -> int:
        with watching():
            return _told(path, settings, job, before_objects)

    with path.open("rb"):
        return supervised(settings.limits, path.name, work if ending is None else lambda: ending(work))


def run_script_in(environment: Environment, path: Path, *, job: str = "") -> PageResult | None:
    """Runs a script in this process, without supervision.

    Args:
        environment: its surroundings.
        path: a script of any kind but Python's.
        job: of a Windows Script File, the job to run; "" for the first.

    Returns:
        what a page did; None for a script.

    Raises:
        ScriptFailure: an error that the script did not handle.
        ScriptStopped: a limit.
        SystemExit: WScript.Quit.
        ComError: WIN32_NOT_SUPPORTED as ``kind_of``; REGDB_E_CLASSNOTREG where the language's package is not installed.
        OSError: the script cannot be read.
    """
    from certenroll.ca.policies.document_files import documents_found_by
    from xenroll_compat.files import files_found_by
    from xenroll_compat.hosts.confinement import Confinement
    from xenroll_compat.hosts.objects import register

    kind = kind_of(path)
    register(environment)
    locate = Confinement.of(environment).locate
    with files_found_by(locate), documents_found_by(locate):
        if kind == PAGE:
            from xenroll_compat.hosts.pages import run_page

            return run_page(path, environment, job=job)
        _execute(engine_of(kind, environment), environment, path)
    return None


def engine_of(language: str, environment: Environment) -> Engine:
    """An engine of a language. Raises ComError REGDB_E_CLASSNOTREG where its package is not installed."""
    if language == "vbscript":
        from xenroll_compat.hosts.vbscript import engine

        return engine(environment)
    from xenroll_compat.hosts.jscript import engine as jscript_engine

    return jscript_engine(environment)


def _execute(engine: Engine, environment: Environment, path: Path) -> None:
    from xenroll_compat.hosts.objects.wscript import WScript
    from xenroll_compat.hosts.problems import Place
    from xenroll_compat.hosts.source_text import source_text

    host = WScript(environment, path)
    for name in ("WScript", "WSH"):
        engine.define(name, host)
    engine.execute(source_text(path.read_bytes()), Place(str(path), 1, 1))


def _told(path: Path, settings: RunSettings, job: str, before_objects: Callable[[], None] | None) -> int:
    """Runs a script and tells its end. Gives the exit code; limits and WScript.Quit go through."""
    from xenroll_compat.hosts.environment import Environment
    from xenroll_compat.hosts.output import Output
    from xenroll_compat.hosts.problems import ScriptFailure, ScriptStopped

    output = Output(sys.stdout)
    try:
        if kind_of(path) == PYTHON:
            if before_objects is not None:
                before_objects()
            from xenroll_compat.hosts.python import run_script

            return run_script(path, settings.arguments)
        environment = Environment(settings, output, before_objects=before_objects)
        result = run_script_in(environment, path, job=job)
        _show(path, result, output)
    except ScriptFailure as failure:
        _show(path, getattr(failure, "result", None), output)
        output.flush()
        for one in (failure, *getattr(failure, "others", ())):
            _report(one)
        return 1
    except (ScriptStopped, RecursionError, MemoryError) as stopped:
        _stopped(path, settings, stopped)
        return 1
    return 0


def _stopped(path: Path, settings: RunSettings, why: ScriptStopped | RecursionError | MemoryError) -> None:
    from xenroll_compat.hosts.problems import ScriptStopped

    if isinstance(why, ScriptStopped):
        stopped = why
    elif isinstance(why, RecursionError):
        stopped = ScriptStopped("its calls are nested too deeply", "--depth-limit")
    else:
        stopped = ScriptStopped(too_much(settings.limits), "--memory-limit")
    sys.stdout.flush()
    sys.stderr.write(f"xenroll: {stopped}\n" if stopped.place.file else f"xenroll: {path.name}: {stopped}\n")


def _report(failure: ScriptFailure) -> None:
    option = _ROOM.get(failure.hresult & 0xFFFFFFFF)
    sys.stderr.write(f"{failure}{f' ({option} raises the limit)' if option else ''}\n")


def _show(path: Path, result: PageResult | None, output: Writer) -> None:
    """Writes what a page gave: an ASP page's answer, the forms that were sent and the addresses that were opened."""
    if result is None:
        return
    if path.suffix.lower() == ".asp" and result.output:
        output.write(result.output if result.output.endswith("\n") else f"{result.output}\n")
    for submission in result.submissions:
        output.write(f"{submission}\n")
    for address in result.navigations:
        output.write(f"[opened: {address}]\n")
    for note in result.notes:
        sys.stderr.write(f"{note}\n")
