"""Which private key belongs to a public key: first by the certificates that name theirs, then by asking the key stores.

Knows no objects of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from certenroll.stores.mdm_instances import InstanceStore
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info
from certenroll.stores.states import OUTSTANDING
from keystores.base import KeyInfo
from keystores.providers import provider_of
from keystores.routing import location_of

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

_KEEPING: Final = "PFXCertInstall"  # the kind of the management server's records whose facts name keys


def key_of(workspace: Workspace, public_key: bytes, *, my_store: str = "MY") -> KeyProviderInfo | None:
    """Where the private key of ``public_key`` (DER SubjectPublicKeyInfo) is, or None.

    A key store that is not there holds nothing; it is no error that it cannot be asked.
    """
    for certificate in workspace.certificates.find_by_public_key(my_store, public_key):
        if KEY_PROV_INFO in certificate.properties:
            return decode_key_info(certificate.properties[KEY_PROV_INFO])
    for info in all_keys(workspace):
        if info.public_key == public_key:
            return provider_info_of(info)
    return None


def all_keys(workspace: Workspace) -> list[KeyInfo]:
    """The keys of every key store that can be asked."""
    return [key for report in workspace.key_stores.list_all() for key in report.keys]


def provider_info_of(info: KeyInfo) -> KeyProviderInfo:
    """The key property of a certificate for a key that is in a store already."""
    provider = provider_of(info.store)
    return KeyProviderInfo(
        container=info.container,
        provider_name=provider.name,
        provider_type=provider.type,
        key_spec=1,
        store=info.store,
        scope=info.scope,
        used_location=location_of(info.store, None),
        reference=info.reference,
    )


def owned_containers(workspace: Workspace) -> set[tuple[str, str]]:
    """(store, container) of every key that something has; any other key is an orphan.

    A certificate has its key, an outstanding request has its own, and so does a PFX that a management server had installed:
    its certificate may lead to another key by now, and comes back to this one.
    """
    owned = {(r.key.store, r.key.container) for r in workspace.requests.list(OUTSTANDING)}
    for value in workspace.certificates.property_values(KEY_PROV_INFO):
        info = decode_key_info(value)
        owned.add((info.store, info.container))
    for record in InstanceStore(workspace.profile.database).every(_KEEPING):
        owned.update((key["store"], key["container"]) for key in record.facts.get("keys", ()))
    return owned
