"""xenroll port: a script is run, and the CertEnroll calls that its run made are written as a script that stands alone."""

from __future__ import annotations

import argparse
import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli import output
from xenroll_compat.cli.run import add_script_options, settings_of, typed_secrets

if TYPE_CHECKING:
    from xenroll_compat.hosts.settings import RunSettings
    from xenroll_compat.porting.model import Port
    from xenroll_compat.porting.recorded_run import RecordedRun
    from xenroll_compat.porting.verification import Verification

_ENDINGS: Final = {"python": ".py", "powershell": ".ps1", "vbscript": ".vbs"}
_COLUMNS: Final = ("member", "calls", "lines", "replacement", "note")
_EPILOG: Final = """\
The script is run for real, in the profile that it would be run in: a port shows what a run did. What it writes goes to
stderr. With --verify the Python port is run too, on a copy of the profile as it was before; exit code 1 where its requests
differ from those of the script in anything but keys and random parts, or the keys in how they were made."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.usage = "xenroll port [-h] [OPTION ...] SCRIPT [ARGUMENT ...]"
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--to", choices=tuple(_ENDINGS), default="python", help="the language of the port (default: python)")
    add("--out", type=Path, metavar="FILE", help="write the port to this file (else to stdout)")
    add("--all", action="store_true", help="write one for each language, beside --out")
    add("--report", action="store_true", help="write no port, but a table of the control's members that the script calls")
    add("--json", action="store_true", help="write the table, or what --verify found, as JSON")
    add("--verify", action="store_true", help="run the Python port as well, and compare what both asked for")
    add_script_options(parser)
    add("script", type=Path, metavar="SCRIPT", help="the script or page")
    add("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="handed to the script as they are")
    parser.set_defaults(run=_run, wrong_usage=parser.error)


def _run(arguments: argparse.Namespace) -> int:
    from xenroll_compat.cli.endings import exit_code_of
    from xenroll_compat.hosts.limits import supervised
    from xenroll_compat.hosts.running import PYTHON, kind_of

    _check_usage(arguments)
    is_python = kind_of(arguments.script) == PYTHON
    settings = settings_of(arguments, arguments.arguments, python=is_python)
    if is_python and arguments.time_limit is None and arguments.memory_limit is None:
        return _port(arguments, settings)
    with arguments.script.open("rb"):
        return supervised(settings.limits, arguments.script.name, lambda: exit_code_of(lambda: _port(arguments, settings)))


def _check_usage(arguments: argparse.Namespace) -> None:
    """Finds out before the script is run, which makes keys, whether the port can be written.

    Raises:
        SystemExit: with 2 for wrong usage.
        ComError: WIN32_PATH_NOT_FOUND where the folder of --out is not there, E_ACCESSDENIED where a file of it cannot be
            written.
    """
    if arguments.report and (arguments.verify or arguments.all or arguments.out is not None):
        arguments.wrong_usage("--report writes and verifies no port: leave out --out, --all and --verify")
    if arguments.out is None:
        if arguments.all:
            arguments.wrong_usage("--all writes its files beside --out FILE")
        return
    if arguments.out.is_dir():
        arguments.wrong_usage(f"--out {arguments.out}: it is a folder, and a file is written")
    for path in _files(arguments).values():
        if path.exists() and arguments.script.exists() and path.samefile(arguments.script):
            arguments.wrong_usage("the port would be written over the script: name another file in --out")
        _check_writable(path)


def _check_writable(path: Path) -> None:
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    if not path.parent.is_dir():
        raise ComError(HRESULT.WIN32_PATH_NOT_FOUND, f"--out {path}: there is no such folder", source="xenroll")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ComError(HRESULT.E_ACCESSDENIED, f"--out: {path} cannot be written", source="xenroll")


def _port(arguments: argparse.Namespace, settings: RunSettings) -> int:
    """Runs the script and writes what was asked for. Gives the exit code."""
    if arguments.report or not arguments.verify:
        run = _recorded(arguments, settings)
        if arguments.report:
            _report(run, as_json=arguments.json)
        else:
            _write(run.port()[0], arguments)
        return run.code
    return _verified(arguments, settings)


def _recorded(arguments: argparse.Namespace, settings: RunSettings) -> RecordedRun:
    from xenroll_compat.porting.recorded_run import recorded

    return recorded(arguments.script, settings, job=arguments.job, secrets=typed_secrets(arguments))


def _verified(arguments: argparse.Namespace, settings: RunSettings) -> int:
    """Runs the script, writes the port where a file was named, and compares it. Gives the exit code."""
    from certenroll import com
    from xenroll_compat.porting.made_keys import settings_of as settings_of_keys
    from xenroll_compat.porting.trial_files import FilesBefore
    from xenroll_compat.porting.verification import Done, card_containers, copied_profile, verify

    with copied_profile() as profile:
        cards, files = card_containers(), FilesBefore(profile.parent / "files")
        with com.observe(files):
            run = _recorded(arguments, settings)
        done = Done(run.requests, settings_of_keys(run.entries), files.place_of)
        port, secrets = run.port()
        if arguments.out is not None:
            _write(port, arguments)
        found = verify(port, done, profile, secrets, card_containers() - cards)
    return _tell(found, as_json=arguments.json) or run.code


def _tell(found: Verification, *, as_json: bool) -> int:
    """Tells what became of a verification. Gives the exit code."""
    if as_json:
        differences = [{"field": one.field, "script": one.first, "port": one.second} for one in found.differences]
        told = {"requests": found.requests, "keys": found.keys, "differences": differences, "error": found.error}
        output.show_json(told)
    elif found.is_equal:
        output.note(_equal(found) if found.requests or found.keys else "nothing to verify: the run made no request")
    else:
        for difference in found.differences:
            output.note(str(difference))
        if found.error:
            output.note(f"the port ended with an error: {found.error}")
    return 0 if found.is_equal else 1


def _equal(found: Verification) -> str:
    """What was compared, and is equal."""
    from xenroll_compat.porting.made_keys import COMPARED

    told = f"verified: {found.requests} of {found.requests} requests are the same but for keys and random parts"
    compared = ", ".join(COMPARED.values())
    return f"{told}; {found.keys} of {found.keys} keys are the same by place, {compared} and, where given, container"


def _report(run: RecordedRun, *, as_json: bool) -> None:
    from xenroll_compat.hosts.source_text import source_text
    from xenroll_compat.porting.report import report

    rows = [vars(row) for row in report(run.entries, source_text(run.script.read_bytes()))]
    output.show_rows(rows, _COLUMNS, as_json=as_json, empty="the script calls no member of the control")


def _write(port: Port, arguments: argparse.Namespace) -> None:
    files = _files(arguments)
    for language in files or (arguments.to,):
        text = importlib.import_module(f"xenroll_compat.porting.{language}").render(port)
        if language in files:
            files[language].write_text(text, "utf-8", "backslashreplace")  # a file's name need not be UTF-8
        else:
            output.write(text.rstrip("\n"))


def _files(arguments: argparse.Namespace) -> dict[str, Path]:
    """Where the port of each language goes; nothing where it goes to stdout."""
    if arguments.out is None:
        return {}
    if arguments.all:
        return {language: arguments.out.with_suffix(ending) for language, ending in _ENDINGS.items()}
    return {arguments.to: arguments.out}
