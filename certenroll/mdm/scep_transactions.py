"""The requests, certificates and keys of SCEP transactions in a profile: found by the transaction's id, and taken back.

What is taken out of the database goes within the caller's transaction; its keys go when that is durable, by way of intents
in the journal, so that a crash loses none and leaves none. Knows no nodes and no server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.engine.installation import InstallOptions
from certenroll.engine.scep_requests import FORMAT
from certenroll.mdm.doomed_keys import DoomedKey, doom
from certenroll.stores.certificates import MY
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from certenroll.stores.states import OUTSTANDING, State

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.requests import RequestRecord


def find(workspace: Workspace, transaction: str) -> RequestRecord | None:
    """The newest request of a transaction, however far it has come, or None."""
    return next(iter(_all_of(workspace, transaction)), None)


def _all_of(workspace: Workspace, transaction: str) -> list[RequestRecord]:
    return [one for one in workspace.requests.find_by_ca_request_id(transaction) if one.request_type == FORMAT]


def take_back(workspace: Workspace, transaction: str) -> list[DoomedKey]:
    """Takes a transaction's request and its certificate out of the stores. Called within a transaction of the database.

    Returns:
        the keys that are to be deleted afterwards, by ``doomed_keys.delete_keys``.
    """
    doomed: list[DoomedKey] = []
    for record in _all_of(workspace, transaction):
        if record.state is State.INSTALLED and record.certificate_sha1 is not None:
            doomed += remove_certificate(workspace, record.certificate_sha1)
        elif record.state in OUTSTANDING:
            store = InstallOptions.from_facts(record.properties).request_store
            workspace.certificates.remove(store, record.certificate_sha1 or b"")
            workspace.requests.remove(record.id)
            doomed += [doom(workspace, record.key.store, record.key.container)] if record.new_key else []
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
        return [doom(workspace, record.key.store, record.key.container)] if record is not None and record.new_key else []
    workspace.certificates.remove(MY, sha1)
    if KEY_PROV_INFO not in found.properties:
        return []
    held = decode_key_info(found.properties[KEY_PROV_INFO])
    return [doom(workspace, held.store, held.container)]
