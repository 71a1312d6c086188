"""What a crash left unfinished, and how each kind of it is brought to an end when a profile is opened next.

Work of a process that still lives is left alone. Follows the resume rules of ``stores.states`` and of the journal's
intents; knows no objects of the model.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from certenroll.asn1.responses import read_response
from certenroll.ca.base import CAError
from certenroll.engine.installation import WRITE_CERTIFICATE, InstallOptions, install_response, write_to_device
from certenroll.engine.key_creation import CREATE_KEY
from certenroll.engine.key_lookup import owned_containers
from certenroll.engine.submission import submit
from certenroll.errors import ComError
from certenroll.stores.journal import Intent
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import State
from keystores.errors import KeyStoreError, NoSuchKey

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

log = logging.getLogger(__name__)


def recover(workspace: Workspace) -> None:
    """Brings unfinished work of dead processes to an end. What cannot be finished now is logged and stays noted."""
    for intent in workspace.journal.unconfirmed():
        if intent.abandoned:
            _INTENTS[intent.kind](workspace, intent)
    for record in workspace.requests.list((State.SUBMITTING, State.ISSUED)):
        if record.abandoned:
            _resume(workspace, record)


def _resume(workspace: Workspace, record: RequestRecord) -> None:
    try:
        if record.state is State.SUBMITTING:
            record = submit(workspace, record, {}).record
        if record.state is State.ISSUED and record.answer:
            install_response(workspace, read_response(record.answer), 0, InstallOptions())
    except (CAError, KeyStoreError, ComError) as error:
        log.warning("request %d could not be resumed: %s", record.id, error)


def _unmake_key(workspace: Workspace, intent: Intent) -> None:
    """Deletes a key that nobody was told of, unless something has come to use it."""
    container = intent.payload["container"]
    for store in intent.payload["stores"].split():
        if container and (store, container) not in owned_containers(workspace):
            try:
                workspace.key_stores.delete(store, container)
            except NoSuchKey:
                continue
            except KeyStoreError as error:
                log.warning("the key %r in %s could not be deleted: %s", container, store, error)
                return
    workspace.journal.confirm(intent.id)


def _write_certificate(workspace: Workspace, intent: Intent) -> None:
    """Writes a certificate to the card again; writing it twice is as writing it once."""
    found = workspace.certificates.get(intent.payload["store"], bytes.fromhex(intent.payload["certificate"]))
    if found is not None and KEY_PROV_INFO in found.properties:
        try:
            write_to_device(workspace, decode_key_info(found.properties[KEY_PROV_INFO]), (found.der,), None)
        except KeyStoreError as error:
            log.warning("the certificate %s could not be written to its card: %s", intent.payload["certificate"], error)
            return
    workspace.journal.confirm(intent.id)


_INTENTS: Final[dict[str, Callable[[Workspace, Intent], None]]] = {
    CREATE_KEY: _unmake_key,
    WRITE_CERTIFICATE: _write_certificate,
}
