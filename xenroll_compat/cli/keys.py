"""xenroll keys: the private keys of a profile, wherever they are."""

from __future__ import annotations

import argparse
from typing import Final

from xenroll_compat.cli.options import add_common, add_pin, context_of, pin_of
from xenroll_compat.cli.output import note, show_facts, show_rows

_STORES: Final = ("software", "tpm", "smartcard")
_COLUMNS: Final = ("store", "container", "algorithm", "length", "exportable", "orphan", "reference")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="every key; an orphan has no certificate and no outstanding request")
    listing.add_argument("--orphans", action="store_true", help="those alone")
    add_pin(listing)
    add_common(listing)
    listing.set_defaults(run=_list)
    delete = actions.add_parser("delete", help="delete a key with its container")
    delete.add_argument("store", choices=_STORES, metavar="STORE", help=", ".join(_STORES))
    delete.add_argument("container", metavar="CONTAINER", help="its name")
    delete.add_argument("--force", action="store_true", help="even where a certificate or a request has this key")
    add_pin(delete)
    add_common(delete)
    delete.set_defaults(run=_delete)


def _list(arguments: argparse.Namespace) -> int:
    from certenroll import facade

    pin_of(arguments)
    reports = facade.key_reports(context_of(arguments))
    rows = [
        {
            "store": key.info.store,
            "container": key.info.container,
            "scope": key.info.scope,
            "algorithm": key.info.algorithm,
            "length": key.info.length,
            "exportable": key.info.exportable,
            "generated": key.info.generated,
            "orphan": key.orphan,
            "reference": key.info.reference,
        }
        for report in reports
        for key in report.keys
        if key.orphan or not arguments.orphans
    ]
    show_rows(rows, _COLUMNS, as_json=arguments.json, empty="there is no orphan" if arguments.orphans else "there is no key")
    for report in reports:
        if report.problem:
            note(f"{report.store}: not listed: {report.problem}")
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    from certenroll import facade
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    pin, context = pin_of(arguments), context_of(arguments)
    if not arguments.force and _is_owned(arguments, context):
        holders = "a certificate, an outstanding request or an installed PFX"
        text = f"{holders} has the key {arguments.container!r}; --force deletes it anyway"
        raise ComError(HRESULT.E_ACCESSDENIED, text)
    facade.delete_key(arguments.store, arguments.container, pin, context)
    show_facts({"status": "deleted", "store": arguments.store, "container": arguments.container}, as_json=arguments.json)
    return 0


def _is_owned(arguments: argparse.Namespace, context: int) -> bool:
    from certenroll import facade

    return any(
        key.info.container == arguments.container and not key.orphan
        for report in facade.key_reports(context)
        if report.store == arguments.store
        for key in report.keys
    )
