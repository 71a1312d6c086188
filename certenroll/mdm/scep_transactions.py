"""The requests, certificates and keys of SCEP transactions in a profile: found by the transaction's id, and taken back.

What is taken out of the database goes within the caller's transaction; its keys go when that is durable, by way of intents
in the journal, so that a crash loses none and leaves none. Knows no nodes and no server.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.engine.installation import InstallOptions
from certenroll.engine.key_creation import DELETE_KEY, unmake_key
from certenroll.engine.scep_requests import FORMAT
from certenroll.stores.certificates import MY
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info
from certenroll.stores.states import OUTSTANDING, State
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.requests import RequestRecord

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DoomedKey:
    """A key that nothing needs any more, once the transaction that says so is durable.

    Attributes:
        intent: the number of its intent.
        payload: what the intent says.
    """

    intent: int
    payload: Mapping[str, str]


def find(workspace: Workspace, transaction: str) -> RequestRecord | None:
    """The newest request of a transaction, however far it has come, or None."""
    return next(iter(_all_of(workspace, transaction)), None)


def _all_of(workspace: Workspace, transaction: str) -> list[RequestRecord]:
    return [one for one in workspace.requests.find_by_ca_request_id(transaction) if one.request_type == FORMAT]


def take_back(workspace: Workspace, transaction: str) -> list[DoomedKey]:
    """Takes a transaction's request and its certificate out of the stores. Called within a transaction of the database.

    Returns:
        the keys that are to be deleted afterwards, by ``delete_keys``.
    """
    doomed: list[DoomedKey] = []
    for record in _all_of(workspace, transaction):
        if record.state is State.INSTALLED and record.certificate_sha1 is not None:
            doomed += remove_certificate(workspace, record.certificate_sha1)
        elif record.state in OUTSTANDING:
            store = InstallOptions.from_facts(record.properties).request_store
            workspace.certificates.remove(store, record.certificate_sha1 or b"")
            workspace.requests.remove(record.id)
            doomed += [_doom(workspace, record.key)] if record.new_key else []
        else:
            workspace.requests.remove(record.id)
    return doomed


def remove_certificate(workspace: Workspace, sha1: bytes) -> list[DoomedKey]:
    """Takes a certificate that came of an enrollment out of MY, with its request's record, as ``take_back``."""
    record = workspace.requests.find_by_certificate(sha1)
    if record is not None and record.request_type == FORMAT:
        workspace.requests.remove(record.id)
    found = workspace.certificates.get(MY, sha1)
    if found is None:
        return [_doom(workspace, record.key)] if record is not None and record.new_key else []
    workspace.certificates.remove(MY, sha1)
    held = found.properties.get(KEY_PROV_INFO)
    return [_doom(workspace, decode_key_info(held))] if held is not None else []


def delete_keys(workspace: Workspace, doomed: Iterable[DoomedKey]) -> None:
    """Deletes keys. A device that is away, or wants a PIN, is asked again when the profile is opened next."""
    for key in doomed:
        try:
            unmake_key(workspace, key.intent, key.payload, None)
        except KeyStoreError as error:
            log.warning("the key %r could not be deleted: %s", key.payload["container"], error)


def _doom(workspace: Workspace, key: KeyProviderInfo) -> DoomedKey:
    payload = {"container": key.container, "stores": key.store}
    return DoomedKey(workspace.journal.begin(DELETE_KEY, payload), payload)
