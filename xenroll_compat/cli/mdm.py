"""xenroll mdm: what management servers have set in the ClientCertificateInstall tree."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from xenroll_compat.cli.options import add_common
from xenroll_compat.cli.output import note, show_rows

if TYPE_CHECKING:
    from certenroll.mdm.nodes import Location
    from certenroll.mdm.tree import View

_COLUMNS: Final = ("node", "format", "value")
_USER: Final = "./User/Vendor/MSFT/ClientCertificateInstall"
_MACHINE: Final = "./Device/Vendor/MSFT/ClientCertificateInstall"
_MASKED: Final = "********"
_LONGEST: Final = 80  # characters of a value in a table


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    tree = actions.add_parser("tree", help="the nodes of the ClientCertificateInstall tree with their formats and values")
    tree.add_argument("path", nargs="?", default="", metavar="PATH", help="a LocURI; or SCEP/ID, of user and machine")
    add_common(tree, machine=False)
    tree.set_defaults(run=_tree)


def _tree(arguments: argparse.Namespace) -> int:
    from certenroll.mdm.model import Refused
    from certenroll.mdm.tree import View
    from certenroll.mdm.units import workspace_of

    view = View(workspace_of)
    try:
        found = [one for location in _locations(arguments.path) for one in _below(view, location)]
    except Refused as refused:
        raise _not_found(str(refused)) from None
    if not found and arguments.path:
        raise _not_found(f"there is no node {arguments.path}")
    show_rows([_facts(view, one, whole=arguments.json) for one in found], _COLUMNS, as_json=arguments.json)
    return 0


def _not_found(text: str) -> Exception:
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    return ComError(HRESULT.WIN32_NOT_FOUND, text)


def _locations(path: str) -> Iterator[Location]:
    """The node that a LocURI names, or the two that a path below ClientCertificateInstall names, where they open."""
    from certenroll.mdm.nodes import locate

    if path.startswith("./"):
        yield locate(path)
    else:
        yield locate(f"{_USER}/{path}".rstrip("/"))
        if _is_machine_open():
            yield locate(f"{_MACHINE}/{path}".rstrip("/"))


def _is_machine_open() -> bool:
    """Whether the machine's profile can be looked into; says so where it cannot. One that is not there is not made."""
    from certenroll.mdm.units import workspace_of
    from certenroll.stores.errors import StoreError
    from certenroll.stores.mdm_nodes import NodeStore
    from certenroll.stores.profile import profile_directory
    from keystores.base import Scope

    try:
        if not profile_directory(Scope.MACHINE).is_dir():
            note("the machine's profile is not there; ./Device is left out")
            return False
        NodeStore(workspace_of(Scope.MACHINE).profile.database).children("")  # a database is opened at its first use
    except (OSError, StoreError) as error:
        note(f"the machine's profile is left out: {error}")
        return False
    return True


def _below(view: View, location: Location) -> Iterator[Location]:
    """A node that is there, and all below it."""
    from certenroll.mdm.nodes import locate

    if not view.exists(location):
        return
    yield location
    if location.node.format == "node":
        for name in view.children(location):
            yield from _below(view, locate(f"{location.uri.rstrip('/')}/{quote(name, safe='')}"))


def _facts(view: View, location: Location, *, whole: bool) -> dict[str, object]:
    value = _value(view, location)
    shown = value if whole or len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
    return {"node": location.uri, "format": location.node.format, "value": shown}


def _value(view: View, location: Location) -> str:
    from certenroll.mdm import nodes, subtrees

    if location.node.computed:
        return subtrees.computed(view, location) or ""
    record = view.record(location)
    if record is None or not record.data:
        return ""
    return _MASKED if location.node.name in nodes.SECRETS else record.data
