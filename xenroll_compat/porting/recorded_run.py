"""A script run in this process with an observer on: its recording, and how it ended.

What the script writes goes to stderr, for a port goes to stdout. Knows neither languages nor ports.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from certenroll import com
from xenroll_compat.hosts.masking import is_secret_name
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting.building import build
from xenroll_compat.porting.liveness import needed_steps
from xenroll_compat.porting.model import SECRET, Port
from xenroll_compat.porting.naming import named_port
from xenroll_compat.porting.recording import Entry, Recorder, requests_of


@dataclass(frozen=True)
class RecordedRun:
    """A run that is over.

    Attributes:
        script: the script.
        entries: its own calls.
        settings: what the user said.
        secrets: what the user typed that is written nowhere.
        code: its exit code; 1 where an error was not handled, which was told then.
    """

    script: Path
    entries: tuple[Entry, ...]
    settings: RunSettings
    secrets: tuple[str, ...]
    code: int

    @property
    def requests(self) -> tuple[bytes, ...]:
        """The requests that it made, in DER."""
        return requests_of(self.entries)

    def port(self) -> tuple[Port, dict[str, str]]:
        """The port of the run, and its secrets by the names of the port's parameters."""
        drafts = build(self.entries, inputs_of(self.settings), (*self.secrets, *_secret_fields(self.settings)))
        port = named_port(self.script.name, drafts.parameters.values(), needed_steps(drafts))
        return port, {one.name: drafts.secrets[one.origin] for one in port.parameters if one.kind == SECRET}


def recorded(path: Path, settings: RunSettings, *, job: str = "", secrets: tuple[str, ...] = ()) -> RecordedRun:
    """Runs a script and records what it calls.

    Args:
        path: the script, of any kind that ``hosts.running`` runs.
        settings: what the user said.
        job: of a Windows Script File, the job to run.
        secrets: of the user's inputs, those that are written nowhere.

    Raises:
        ScriptStopped: a limit.
        ComError: WIN32_NOT_SUPPORTED where scripts of that kind are not run, REGDB_E_CLASSNOTREG where the language's
            package is not installed.
        OSError: the script cannot be read.
    """
    recorder = Recorder()
    with com.observe(recorder), redirect_stdout(sys.stderr):
        code = _run(path, settings, job)
    return RecordedRun(path, recorder.entries, settings, secrets, code)


def inputs_of(settings: RunSettings) -> Iterator[tuple[str, str]]:
    """The texts that a user gave a run, each with where it was given."""
    yield from ((text, "the command line") for text in settings.arguments)
    yield from ((text, "a prompt") for text in settings.inputs)
    yield from ((text, f"the field {name}") for name, text in settings.fields.items())
    yield from ((text, f"the field {name}") for name, text in settings.query.items())


def _secret_fields(settings: RunSettings) -> Iterator[str]:
    """What a user gave in fields whose names say that it is secret, also where no element of a page says so."""
    for name, text in (*settings.fields.items(), *settings.query.items()):
        if text and is_secret_name(name):
            yield text


def _run(path: Path, settings: RunSettings, job: str) -> int:
    """Runs a script and tells an error that it did not handle. Gives the exit code."""
    from xenroll_compat.hosts.environment import Environment
    from xenroll_compat.hosts.problems import ScriptFailure
    from xenroll_compat.hosts.running import PYTHON, kind_of, run_script_in

    try:
        if kind_of(path) == PYTHON:
            from xenroll_compat.hosts.python import run_script

            return run_script(path, settings.arguments)
        run_script_in(Environment(settings, sys.stderr), path, job=job)
    except ScriptFailure as failure:
        for one in (failure, *getattr(failure, "others", ())):
            sys.stderr.write(f"{one}\n")
        return 1
    except SystemExit as ended:
        return _code_of(ended)
    return 0


def _code_of(ended: SystemExit) -> int:
    if isinstance(ended.code, str):
        sys.stderr.write(f"{ended.code}\n")
    return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
