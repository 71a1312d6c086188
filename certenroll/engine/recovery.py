"""What a crash left unfinished, and how each kind of it is brought to an end when a profile is opened next.

Work of a process that still lives is left alone, and of several processes that open a profile at once each piece falls to
one. Follows the resume rules of ``stores.states`` and of the journal's intents; knows no objects of the model.
docs/recovery.md has the table.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import read_response
from certenroll.ca.base import CAError
from certenroll.engine.installation import WRITE_CERTIFICATE, InstallOptions, install_response, write_to_device
from certenroll.engine.key_creation import CREATE_KEY, DELETE_KEY, unmake_key
from certenroll.engine.submission import submit
from certenroll.errors import ComError
from certenroll.stores.journal import Intent
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import State
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

_UNREADABLE: Final = (DecodeError, BadSignature, UnsupportedAlgorithm, WrongPassword)
log = logging.getLogger(__name__)


def recover(workspace: Workspace) -> None:
    """Brings unfinished work of dead processes to an end. What cannot be finished now is logged and stays noted."""
    for intent in workspace.journal.unconfirmed():
        finish = _INTENTS.get(intent.kind)
        if finish is not None and workspace.journal.adopt(intent):
            finish(workspace, intent)
    for record in workspace.requests.list((State.SUBMITTING, State.ISSUED)):
        if record.abandoned and workspace.requests.adopt(record):
            _resume(workspace, record)


def _resume(workspace: Workspace, record: RequestRecord) -> None:
    try:
        if record.state is State.SUBMITTING:
            record = submit(workspace, record, {}).record
        if record.state is State.ISSUED and record.answer:
            options = InstallOptions.from_facts(record.properties)
            flags = int(record.properties.get("install_flags", "0"))  # what a SCEP enrollment's own trust allows
            install_response(workspace, read_response(record.answer), flags, options)
    except (CAError, KeyStoreError, ComError, *_UNREADABLE) as error:
        log.warning("request %d could not be resumed: %s", record.id, error)


def _unmake_key(workspace: Workspace, intent: Intent) -> None:
    """Deletes a key that nobody was told of, or that its request gave up."""
    try:
        unmake_key(workspace, intent.id, intent.payload, None)
    except KeyStoreError as error:
        log.warning("the key %r could not be deleted: %s", intent.payload["container"], error)


def _write_certificate(workspace: Workspace, intent: Intent) -> None:
    """Writes a certificate and its chain to the card again; writing them twice is as writing them once."""
    store, leaf, chain = (intent.payload[name] for name in ("store", "certificate", "chain"))
    found = workspace.certificates.get(store, bytes.fromhex(leaf))
    if found is not None and KEY_PROV_INFO in found.properties:
        above = tuple(der for sha1 in chain.split() if (der := _anywhere(workspace, sha1)))
        try:
            write_to_device(workspace, decode_key_info(found.properties[KEY_PROV_INFO]), (found.der, *above), None)
        except KeyStoreError as error:
            workspace.journal.release(intent.id)
            log.warning("the certificate %s could not be written to its card: %s", leaf, error)
            return
    workspace.journal.confirm(intent.id)


def _anywhere(workspace: Workspace, sha1: str) -> bytes:
    """The certificate of a thumbprint in whatever store it is, b"" where it is in none."""
    stored = workspace.certificates
    found = (stored.get(name, bytes.fromhex(sha1)) for name in stored.names())
    return next((each.der for each in found if each is not None), b"")


_INTENTS: Final[dict[str, Callable[[Workspace, Intent], None]]] = {
    CREATE_KEY: _unmake_key,
    DELETE_KEY: _unmake_key,
    WRITE_CERTIFICATE: _write_certificate,
}
