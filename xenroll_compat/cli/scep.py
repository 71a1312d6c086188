"""xenroll scep: the SCEP enrollments that management servers have ordered, carried out and listed."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli.options import add_common, add_pin, pin_of
from xenroll_compat.cli.output import note, progress, show_rows

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.mdm.scep_runner import Outcome

NOT_YET: Final = 3
_COLUMNS: Final = ("id", "profile", "status", "state", "error", "server", "due", "thumbprint")
_EPILOG: Final = """\
exit codes: 0 nothing is left to be done, 1 an enrollment or a renewal failed, 3 a server is still to answer."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    run = actions.add_parser("run", help="begin, ask after and renew what is due, once", epilog=_EPILOG)
    run.add_argument("--until-done", action="store_true", help="wait, and go on until no server is to be asked any more")
    _add_scopes(run)
    add_pin(run)
    add_common(run, machine=False)
    run.set_defaults(run=_run)
    listing = actions.add_parser("list", help="the enrollments and how far each has come")
    _add_scopes(listing)
    add_common(listing, machine=False)
    listing.set_defaults(run=_list)


def _add_scopes(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--user", action="store_true", help="the user's profile alone; both where nothing is said")
    chosen.add_argument("--machine", action="store_true", help="the machine's profile alone")


def _workspaces(arguments: argparse.Namespace) -> Iterator[Workspace]:
    """The profiles that are meant; where none is named, a machine's profile that is not there is left out."""
    from certenroll.mdm.units import workspace_of
    from certenroll.stores.profile import profile_directory
    from keystores.base import Scope

    if not arguments.machine:
        yield workspace_of(Scope.USER)
    if arguments.machine or (not arguments.user and profile_directory(Scope.MACHINE).is_dir()):
        yield workspace_of(Scope.MACHINE)


def _run(arguments: argparse.Namespace) -> int:
    from certenroll.mdm.scep_runner import enrollments

    pin_of(arguments)
    workspaces = list(_workspaces(arguments))
    found: dict[tuple[str, str], Outcome] = {}
    with progress("asking the SCEP servers"):
        while True:
            found |= _once(workspaces)
            waiting = [one for workspace in workspaces for one in enrollments(workspace) if one.under_way]
            if not waiting or not arguments.until_done:
                break
            _sleep_until(waiting)
    outcomes = list(found.values())
    _show(outcomes, arguments, "nothing is due")
    if any(one.error and not one.under_way for one in outcomes):
        return 1
    return NOT_YET if waiting else 0


def _once(workspaces: Sequence[Workspace]) -> dict[tuple[str, str], Outcome]:
    from certenroll.mdm.scep_runner import run

    return {(one.scope.value, one.name): one for workspace in workspaces for one in run(workspace)}


def _sleep_until(waiting: Sequence[Outcome]) -> None:
    """Waits for the first that is due; what another process has in hand is looked at again in a second."""
    due = min(one.due for one in waiting if one.due is not None)
    time.sleep(max(1.0, (due - datetime.now(UTC)).total_seconds()))


def _list(arguments: argparse.Namespace) -> int:
    from certenroll.mdm.scep_runner import enrollments

    found = [one for workspace in _workspaces(arguments) for one in enrollments(workspace)]
    _show(found, arguments, "no enrollment was ordered")
    return 0


def _show(outcomes: Iterable[Outcome], arguments: argparse.Namespace, empty: str) -> None:
    """The table or JSON; and on stderr, which systemctl status shows, a line for each failure."""
    shown = list(outcomes)
    show_rows([_facts(one) for one in shown], _COLUMNS, as_json=arguments.json, empty=empty)
    for one in shown:
        if one.error:
            note(_printable(f"{one.scope.value} {one.name}: {_sentence(one)}"))


def _sentence(outcome: Outcome) -> str:
    """Code, name and text of the failure; a server's own words come without the first two."""
    from certenroll.errors import ComError

    is_told = outcome.message.startswith(f"0x{outcome.error:08X}")
    return outcome.message if is_told else str(ComError(outcome.error, outcome.message))


def _printable(text: str) -> str:
    """One line of it: servers' texts have line breaks, and may have what a terminal obeys."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _facts(outcome: Outcome) -> dict[str, object]:
    return {
        "id": outcome.name,
        "profile": outcome.scope.value,
        "status": outcome.status,
        "state": outcome.state,
        "error": f"0x{outcome.error:08X}" if outcome.error else "",
        "message": outcome.message,
        "server": outcome.server,
        "due": outcome.due,
        "thumbprint": outcome.thumbprint,
    }
