"""Keys that nothing needs any more: noted for deletion within a transaction, deleted when that is durable.

A crash between the two loses nothing and leaves nothing: recovery finds the intents. Knows no nodes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.engine.key_creation import DELETE_KEY, unmake_key
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DoomedKey:
    """A key that is to be deleted.

    Attributes:
        intent: the number of its intent.
        payload: what the intent says.
    """

    intent: int
    payload: Mapping[str, str]


def doom(workspace: Workspace, store: str, container: str) -> DoomedKey:
    """Notes a key for deletion; called within the transaction that takes away what it was for.

    Args:
        workspace: the profile.
        store: the key store's name.
        container: the key's container.
    """
    payload = {"container": container, "stores": store}
    return DoomedKey(workspace.journal.begin(DELETE_KEY, payload), payload)


def delete_keys(workspace: Workspace, doomed: Iterable[DoomedKey]) -> None:
    """Deletes keys. A device that is away, or wants a PIN, is asked again when the profile is opened next."""
    for key in doomed:
        try:
            unmake_key(workspace, key.intent, key.payload, None)
        except KeyStoreError as error:
            log.warning("the key %r could not be deleted: %s", key.payload["container"], error)
