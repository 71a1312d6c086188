"""xenroll syncml: a management server's SyncML message or a profile from a file, carried out or only looked at."""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli.options import add_common
from xenroll_compat.cli.output import note, show_json, show_rows, text_of

if TYPE_CHECKING:
    from certenroll.mdm.model import Command, Item, Message, Reply, Result, Status

_COLUMNS: Final = ("command", "locuri", "status", "reason")
_FIRST_REFUSAL: Final = 400
_EPILOG: Final = """\
exit codes: 0 all was done, 1 a command was (or with --check would be) refused, or there is no message in FILE, 2 wrong
usage: --set with what belongs into a file too."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="SyncML: a message, a SyncBody or commands; - reads stdin")
    parser.add_argument("--check", action="store_true", help="change nothing; tell what would become of each command")
    _add_values(parser, "--set", "NAME=VALUE", "fill a placeholder ($NAME$, {{NAME}}, <NAME>, ...); no secret")
    _add_values(parser, "--set-file", "NAME=FILE", "fill one with a secret: a file with mode 0600")
    add_common(parser, machine=False)
    parser.set_defaults(run=_run, refuse=parser.error)


def _add_values(parser: argparse.ArgumentParser, option: str, shape: str, summary: str) -> None:
    parser.add_argument(option, action="append", default=[], type=_pair, metavar=shape, help=summary)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError("it has the form NAME=...")  # what was given may be a password
    return name, value


def _run(arguments: argparse.Namespace) -> int:
    from certenroll.mdm.session import Session

    reply = Session(check=arguments.check).apply(_message(arguments))
    statuses = _statuses(reply)
    if arguments.check:
        empty = "there is no command in the message"
        show_rows([_facts(one) for one in statuses], _COLUMNS, as_json=arguments.json, empty=empty)
    else:
        _show(reply, statuses, as_json=arguments.json)
    return int(any(_refused(one) for one in statuses))


def _message(arguments: argparse.Namespace) -> Message:
    """The message in the file: a server's as it stands but for what --set names, a profile with every placeholder filled."""
    from certenroll.mdm import syncml
    from certenroll.mdm.variables import is_profile, substitute

    limits = syncml.Limits()
    given = dict(arguments.set)
    values = given | {name: _secret_of(Path(file), limits.size) for name, file in arguments.set_file}
    text = syncml.text_of(_read(arguments.file, limits.size), limits)
    as_server = not is_profile(text)

    def filled(values: Mapping[str, str]) -> Message:
        return syncml.parse(substitute(text, values, only_given=as_server).encode(), limits=limits)

    message = filled(values)
    marks = {name: token_hex() for name in given}
    shown = _open_secrets(message, filled(values | marks), marks) if marks else []
    if shown:
        arguments.refuse(f"every process sees what --set says; give a secret by --set-file: {', '.join(shown)}")
    # The server that would send a profile numbers its commands.
    return syncml.numbered(message) if message.header is None else message


def _open_secrets(message: Message, marked: Message, marks: Mapping[str, str]) -> list[str]:
    """The names of values that become part of a secret: those whose mark stands in the Data of a node with one.

    Values cannot change what a message consists of, so that the two have the same items.
    """
    pairs = zip(_items(message.commands), _items(marked.commands), strict=True)
    texts = [other.data or "" for one, other in pairs if _is_secret(one.target)]
    return [name for name, mark in marks.items() if any(mark in text for text in texts)]


def _items(commands: Sequence[Command]) -> Iterator[Item]:
    for one in commands:
        yield from one.items
        yield from _items(one.children)


def _is_secret(target: str) -> bool:
    from certenroll.mdm.model import Refused
    from certenroll.mdm.nodes import SECRETS, locate

    try:
        return locate(target).node.name in SECRETS
    except Refused:  # there is no such node; the session says so
        return False


def _show(reply: Reply, statuses: Sequence[Status], *, as_json: bool) -> None:
    from certenroll.mdm.model import Result
    from certenroll.mdm.replies import write

    if as_json:
        results = [_result(one) for one in reply.answers if isinstance(one, Result)]
        show_json({"statuses": [_facts(one) for one in statuses], "results": results})
        return
    for one in statuses:
        if _refused(one):  # the reply has a number alone
            about = "" if one.target in one.reason else f" {text_of(one.target)}"
            note(f"{int(one.code)} {text_of(one.command)}{about}: {text_of(one.reason) or 'refused'}")
    sys.stdout.flush()
    sys.stdout.buffer.write(write(reply))


def _statuses(reply: Reply) -> list[Status]:
    """What became of the commands; the header's own is left out."""
    from certenroll.mdm.model import Status

    return [one for one in reply.answers if isinstance(one, Status) and one.command != "SyncHdr"]


def _refused(status: Status) -> bool:
    return status.code >= _FIRST_REFUSAL


def _facts(status: Status) -> dict[str, object]:
    """A status as tables and JSON name it."""
    return {
        "command": status.command,
        "locuri": status.target,
        "status": int(status.code),
        "reason": status.reason,
        "cmd_id": status.command_ref,
    }


def _result(result: Result) -> dict[str, object]:
    return {"cmd_id": result.command_ref, "locuri": result.source, "format": result.format, "data": result.data}


def _read(name: str, most: int) -> bytes:
    """A file or stdin, up to one byte more than is allowed."""
    if name == "-":
        return sys.stdin.buffer.read(most + 1)
    with open(name, "rb") as file:
        return file.read(most + 1)


def _secret_of(path: Path, most: int) -> str:
    """The text of a file that its owner alone can read, without the line's end.

    Raises:
        ComError: E_ACCESSDENIED where others can read it, ERROR_INVALID_DATA where it is too large or not UTF-8.
    """
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ComError(HRESULT.E_ACCESSDENIED, f"{path} is open to others; chmod 600 it")
        data = file.read(most + 1)
    try:
        if len(data) <= most:
            return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:  # that error would carry the secret along
        pass
    raise ComError(HRESULT.WIN32_INVALID_DATA, f"{path} is not UTF-8, or longer than {most} bytes")
