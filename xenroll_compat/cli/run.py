"""xenroll run: a legacy script under the host of its language, with its files, its limits and its answers."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from xenroll_compat.hosts.settings import Limits, RunSettings

_MEGABYTES: Final = 1024 * 1024
_UNLIMITED: Final = 1 << 46  # bytes: what no machine has
_EPILOG: Final = """\
SCRIPT ends in .vbs, .js, .wsf, .htm, .html, .hta, .asp or .py. What stands behind it is handed to it as it is.
A Python script is not confined to a folder, and has the limits that are given only."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.usage = "xenroll run [-h] [OPTION ...] SCRIPT [ARGUMENT ...]"
    parser.epilog = _EPILOG
    add_script_options(parser)
    parser.add_argument("--list", action="store_true", help="run no script of a page: list its fields, buttons and handlers")
    _add_trace(parser)
    parser.add_argument("script", type=Path, metavar="SCRIPT", help="the script or page to run")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGUMENT", help="handed to the script as they are")
    parser.set_defaults(run=_run)


def add_script_options(parser: argparse.ArgumentParser) -> None:
    """Adds what a user says of any run: the folder, the limits, answers, fields and events."""
    add = parser.add_argument
    add("--folder", type=Path, metavar="DIR", help="the folder whose files the script may read and write (else no file)")
    add("--time-limit", type=_positive, metavar="SECONDS", help="how long it may run, 0 for no limit (default: 600)")
    add("--memory-limit", type=_positive, metavar="MB", help="how much memory it may take (default: 512)")
    add("--depth-limit", type=_positive, metavar="N", help="how many of its procedures may be open at once (default: 500)")
    for name, metavar, read, text in _REPEATED:
        add(name, metavar=metavar, type=read, action="append", default=[], help=text)
    add("--windows", choices=("xp", "vista", "7"), default="xp", help="where a page believes to be (default: xp)")
    add("--job", metavar="ID", default="", help="the job of a Windows Script File (default: the first)")


def settings_of(arguments: argparse.Namespace, script_arguments: Iterable[str], *, python: bool = False) -> RunSettings:
    """What the options of ``add_script_options`` say.

    Args:
        arguments: the command line as it was read.
        script_arguments: what is handed to the script.
        python: whether the script is Python's, which has no limit that is not given.

    Raises:
        ComError: E_INVALIDARG for an empty input file, WIN32_PATH_NOT_FOUND where the folder is not there.
        PinUnreadable: an input file that others can read.
        OSError: a file cannot be read.
    """
    from xenroll_compat.hosts.settings import RunSettings

    files = {name: _text_of(Path(value)) for name, value in arguments.field_file}
    return RunSettings(
        arguments=tuple(script_arguments),
        folder=_folder_of(arguments.folder),
        limits=_limits_of(arguments, python),
        answers=tuple(arguments.answer),
        inputs=(*arguments.input, *typed_secrets(arguments)),
        fields={**dict(arguments.field), **files},
        events=tuple(arguments.event),
        query=dict(arguments.query),
        windows=arguments.windows,
    )


def typed_secrets(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The texts of --input-file, in order: no trace shows them. Raises as ``settings_of``."""
    if not arguments.input_file:
        return ()
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT
    from keystores.pins import FilePin

    found = [FilePin(path, "input file")("input") for path in arguments.input_file]
    if not all(found):
        raise ComError(HRESULT.E_INVALIDARG, "an input file is empty", source="xenroll")
    return tuple(secret.reveal() for secret in found if secret is not None)


def _run(arguments: argparse.Namespace) -> int:
    from xenroll_compat.cli.endings import exit_code_of, ready_log
    from xenroll_compat.hosts.running import PAGE, PYTHON, kind_of, run

    kind = kind_of(arguments.script)
    settings = settings_of(arguments, arguments.arguments, python=kind == PYTHON)
    watching = _watching(arguments)
    if arguments.list:
        from xenroll_compat.cli.run_list import show_page

        return show_page(arguments.script, settings, kind == PAGE)
    if kind == PYTHON and arguments.time_limit is None and arguments.memory_limit is None:
        ready_log()
        from xenroll_compat.hosts.python import run_script

        with watching():
            return run_script(arguments.script, arguments.arguments)
    return run(
        arguments.script, settings, job=arguments.job, watching=watching, ending=exit_code_of, before_objects=ready_log
    )


def _watching(arguments: argparse.Namespace) -> Callable[[], AbstractContextManager[None]]:
    """What opens the trace that was asked for, in the process of the script."""
    if arguments.trace is None and arguments.trace_file is None:
        return nullcontext
    secrets = typed_secrets(arguments)

    def watch() -> AbstractContextManager[None]:
        import sys

        from xenroll_compat.hosts.tracing import traced

        return traced(arguments.trace or "text", arguments.trace_file, sys.stderr, secrets)

    return watch


def _add_trace(parser: argparse.ArgumentParser) -> None:
    # Two names of one option each: an optional value would swallow the script's name.
    plain = parser.add_argument
    plain("--trace", "--trace=text", action="store_const", const="text", help="write each call to stderr, secrets masked")
    plain("--trace=json", dest="trace", action="store_const", const="json", help="the same as JSON, one call a line")
    plain("--trace-file", type=Path, metavar="FILE", help="write the trace to a file that its owner alone can read")


def _limits_of(arguments: argparse.Namespace, python: bool) -> Limits:
    from xenroll_compat.hosts.settings import Limits

    usual = Limits(None, _UNLIMITED) if python else Limits()
    seconds, megabytes, depth = arguments.time_limit, arguments.memory_limit, arguments.depth_limit
    return Limits(
        seconds=usual.seconds if seconds is None else seconds or None,
        memory=usual.memory if megabytes is None else int(megabytes * _MEGABYTES),
        depth=usual.depth if depth is None else int(depth),
    )


def _folder_of(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        from certenroll.errors import ComError
        from certenroll.hresults import HRESULT

        raise ComError(HRESULT.WIN32_PATH_NOT_FOUND, f"--folder {folder}: there is no such folder", source="xenroll")
    return folder


def _text_of(path: Path) -> str:
    from xenroll_compat.hosts.source_text import source_text

    return source_text(path.read_bytes())


def _positive(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < _UNLIMITED / _MEGABYTES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return number


def _button(text: str) -> str:
    from xenroll_compat.hosts.dialogs import ANSWERS

    if text.lower() not in ANSWERS:
        raise argparse.ArgumentTypeError(f"{text!r} is no button: {', '.join(ANSWERS)}")
    return text.lower()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


_REPEATED: Final[tuple[tuple[str, str, Callable[[str], Any], str], ...]] = (
    ("--answer", "BUTTON", _button, "the button that answers a message box, in order; the last one answers all that follow"),
    ("--input", "TEXT", str, "what answers a prompt, in order"),
    ("--input-file", "FILE", Path, "what answers a prompt, after those of --input: one line, mode 0600"),
    ("--field", "NAME=VALUE", _pair, "what a user types or chooses in a field of a page"),
    ("--field-file", "NAME=FILE", _pair, "the same, the text being in a file: a CA's answer"),
    ("--event", "HANDLER", str, "what happens to a loaded page, in order: button1.onclick, Submit()"),
    ("--query", "NAME=VALUE", _pair, "what an ASP page finds in its request"),
)
