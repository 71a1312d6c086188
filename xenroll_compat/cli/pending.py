"""xenroll pending: the requests that wait for their certificate."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli.enroll import key_facts
from xenroll_compat.cli.options import add_common, add_pin, context_of, pin_of
from xenroll_compat.cli.output import progress, show_facts, show_rows

if TYPE_CHECKING:
    from certenroll.facade_values import PendingRequest

NOT_YET: Final = 3
_PAUSE: Final = 2.0  # seconds between two questions to a CA
_COLUMNS: Final = ("id", "status", "subject", "ca", "request_id", "key_store", "created", "thumbprint")


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the actions."""
    actions = parser.add_subparsers(metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="the outstanding requests")
    add_common(listing)
    listing.set_defaults(run=_list)
    retrieve = actions.add_parser("retrieve", help="ask the CA, and install the certificate where there is one")
    _add_identifier(retrieve)
    retrieve.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="ask again while the CA holds it")
    add_pin(retrieve)
    add_common(retrieve)
    retrieve.set_defaults(run=_retrieve)
    remove = actions.add_parser("remove", help="withdraw a request, with the key that was made for it")
    _add_identifier(remove)
    add_common(remove)
    remove.set_defaults(run=_remove)


def _add_identifier(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("request", metavar="REQUEST", help="its number here, its number at the CA, or its thumbprint")


def _list(arguments: argparse.Namespace) -> int:
    from certenroll import facade

    found = [_facts(one) for one in facade.pending_requests(context_of(arguments))]
    show_rows(found, _COLUMNS, as_json=arguments.json, empty="no request is outstanding")
    return 0


def _retrieve(arguments: argparse.Namespace) -> int:
    from certenroll import facade
    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT
    from xenroll_compat.cli.accept import installed_facts

    pin_of(arguments)
    context = context_of(arguments)
    until = time.monotonic() + arguments.wait
    with progress("asking the CA") as say:
        request, installation = facade.retrieve_pending(arguments.request, context=context)
        while request.state == "pending" and time.monotonic() < until:
            say(f"{request.ca_config} holds request {request.ca_request_id}")
            time.sleep(min(_PAUSE, max(0.0, until - time.monotonic())))
            request, installation = facade.retrieve_pending(str(request.id), context=context)
    if installation is not None:
        show_facts(_facts(request) | installed_facts(installation), as_json=arguments.json)
        return 0
    if request.state != "pending":
        raise ComError(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, f"request {request.ca_request_id}: {request.message}")
    show_facts(_facts(request), as_json=arguments.json)
    return NOT_YET


def _remove(arguments: argparse.Namespace) -> int:
    from certenroll import facade

    context = context_of(arguments)
    request = facade.find_pending(arguments.request, context)
    facade.remove_pending(request.thumbprint, context)
    show_facts(_facts(request) | {"status": "removed"}, as_json=arguments.json)
    return 0


def _facts(request: PendingRequest) -> dict[str, object]:
    return {
        "id": request.id,
        "status": request.state,
        "subject": request.subject,
        "ca": request.ca_config,
        "request_id": request.ca_request_id,
        "message": request.message,
        "template": request.template,
        "friendly_name": request.friendly_name,
        "created": request.created,
        "thumbprint": request.thumbprint,
        **key_facts(request.key),
    }
