"""From a script's wishes to a key in a store: the order, the intent journalled before it, the confirmation after it.

A new key's intent stays in the journal until its owner confirms: a request when it is written to REQUEST, a bare Create
at once. What a crash leaves unconfirmed is deleted by recovery, for no one was told of that key; the intent names no key
store that had the container before. Knows no COM.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certenroll.engine.key_lookup import owned_containers
from certenroll.enums import X509KeySpec, X509PrivateKeyExportFlags, X509PrivateKeyUsageFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.properties import KeyProviderInfo
from keystores.base import (
    CertificateHolder,
    KeyAlgorithm,
    KeyLocation,
    KeyTemplate,
    KeyUse,
    PrivateKey,
    Secret,
    StoredKey,
)
from keystores.errors import KeyStoreError, NoSuchKey
from keystores.providers import provider_of
from keystores.routing import Route, key_location, location_from, location_of, route

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

CREATE_KEY: Final = "create-key"
DELETE_KEY: Final = "delete-key"

# Object id of a public key algorithm -> family and, for a curve, its size.
_ALGORITHMS: Final[dict[str, tuple[KeyAlgorithm, int | None]]] = {
    "1.2.840.113549.1.1.1": (KeyAlgorithm.RSA, None),
    "1.2.840.10045.2.1": (KeyAlgorithm.EC, None),
    "1.2.840.10045.3.1.7": (KeyAlgorithm.EC, 256),
    "1.3.132.0.34": (KeyAlgorithm.EC, 384),
    "1.3.132.0.35": (KeyAlgorithm.EC, 521),
}
_DEFAULT_LENGTH: Final = {KeyAlgorithm.RSA: 2048, KeyAlgorithm.EC: 256}  # bits

_USES: Final = {
    X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_SIGNING_FLAG: KeyUse.SIGN,
    X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_DECRYPT_FLAG: KeyUse.DECRYPT,
    X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_KEY_AGREEMENT_FLAG: KeyUse.AGREE,
}
_EXPORTABLE: Final = (
    X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_FLAG | X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_PLAINTEXT_EXPORT_FLAG
)


@dataclass(frozen=True)
class KeyOrder:
    """What key is wanted, and where.

    Attributes:
        route: the key stores to try.
        location: the explicit KeyLocation, or None.
        container: the container asked for, "" where one is to be made.
        generated: the container's name where one is to be made.
        template: the key.
        key_spec: the Windows key spec that is recorded.
        provider: the provider name that was asked for, "" where none was.
        provider_type: the provider type that was asked for, 0 where none was.
        pin: the PIN, or None.
    """

    route: Route
    location: KeyLocation | None
    container: str
    generated: str
    template: KeyTemplate
    key_spec: int
    provider: str
    provider_type: int
    pin: Secret | None

    @classmethod
    def from_properties(
        cls,
        *,
        location: int,
        provider: str,
        provider_type: int,
        container: str,
        generated: str,
        algorithm: str,
        length: int,
        key_spec: int,
        usage: int,
        export_policy: int,
        export_waived: bool,
        pin: Secret | None,
    ) -> KeyOrder:
        """The order that the properties of an IX509PrivateKey make.

        Args:
            location, provider, provider_type, container, algorithm, length, key_spec, usage, export_policy, pin: the
                properties.
            generated: the container's name where none is given.
            export_waived: whether a device may take the key as not exportable, whatever ``export_policy`` says.

        Raises:
            ComError: NTE_BAD_ALGID for an algorithm that no key store has, NTE_BAD_LEN for a length that does not fit
                the curve.
            KeyStoreError: E_INVALIDARG for a location other than 0 to 4, NTE_KEYSET_NOT_DEF or NTE_PROV_TYPE_NOT_DEF for
                an unknown provider.
        """
        provider_of("software", provider, int(provider_type))  # one that is not known is refused before a key is made
        explicit = key_location(location) if location else None
        found = route(explicit, location_from(os.environ), provider or None)
        found = replace(found, export_waived=found.export_waived or export_waived)
        template = _template(algorithm, length, key_spec, usage, export_policy)
        return cls(
            route=found,
            location=explicit,
            container=container,
            generated=generated,
            template=template,
            key_spec=int(key_spec),
            provider=provider,
            provider_type=int(provider_type),
            pin=pin,
        )

    @classmethod
    def for_import(cls, pin: Secret | None) -> KeyOrder:
        """The order for a key that arrives in a PFX: where the environment says, else in software, not exportable."""
        found = route(None, location_from(os.environ), None)
        generated = f"te-{uuid.uuid4()}"
        return cls(found, None, "", generated, KeyTemplate(), X509KeySpec.XCN_AT_KEYEXCHANGE, "", 0, pin)


class PendingKey:
    """A new key whose owner has not confirmed it yet."""

    def __init__(self, workspace: Workspace, intent: int, info: KeyProviderInfo) -> None:
        self._workspace = workspace
        self._intent = intent
        self._info = info

    def confirm(self) -> None:
        """The key has an owner now: a crash no longer deletes it."""
        self._workspace.journal.confirm(self._intent)

    def discard(self, pin: Secret | None) -> None:
        """Deletes the key and its intent."""
        self._workspace.key_stores.delete(self._info.store, self._info.container, pin=pin)
        self.confirm()


def make_key(
    workspace: Workspace, order: KeyOrder, *, existing: PrivateKey | None = None
) -> tuple[StoredKey, KeyProviderInfo, PendingKey]:
    """Makes the key of ``order`` (or puts ``existing`` there) and leaves its intent unconfirmed.

    Raises:
        KeyStoreError: as the key stores say; nothing is left behind and the intent is gone.
    """
    container = order.container or ("" if order.route.container_required else order.generated)
    _clear_leftovers(workspace, order)
    vacant = [name for name in order.route.stores if not order.container or _is_vacant(workspace, name, container)]
    intent = workspace.journal.begin(CREATE_KEY, {"container": container, "stores": " ".join(vacant)})
    try:
        if existing is None:
            creation = workspace.key_stores.create(order.route, container or None, order.template, pin=order.pin)
        else:
            wanted = order.template
            creation = workspace.key_stores.import_key(
                order.route, container or None, existing, exportable=wanted.exportable, use=wanted.use, pin=order.pin
            )
    except KeyStoreError:
        workspace.journal.confirm(intent)
        raise
    info = _provider_info(order, creation.key, creation.used, creation.fallback or "")
    return creation.key, info, PendingKey(workspace, intent, info)


def open_key(workspace: Workspace, order: KeyOrder) -> tuple[StoredKey, KeyProviderInfo, None]:
    """Opens the existing key of ``order``: in the first of its key stores that has the container.

    Raises:
        ComError: NTE_BAD_KEYSET_PARAM where no container is named.
        KeyStoreError: no key store has it, or its PIN is refused.
    """
    if not order.container:
        raise ComError(HRESULT.NTE_BAD_KEYSET_PARAM, "an existing key is named by its ContainerName")
    key = workspace.key_stores.find(order.route, order.container, order.pin)
    return key, _provider_info(order, key, location_of(key.info.store, order.route.location), ""), None


def unmake_key(workspace: Workspace, intent_id: int, payload: Mapping[str, str], pin: Secret | None) -> None:
    """Ends an intent about a key that nobody needs: deletes it, unless something has come to use it.

    Args:
        workspace: the stores.
        intent_id: an intent of kind CREATE_KEY or DELETE_KEY that is in this process's hands.
        payload: what it says.
        pin: the PIN of the key's device, or None for the profile's.

    Raises:
        KeyStoreError: the key store cannot delete it now. The intent stays noted, for any process to take up.
    """
    container = payload["container"]
    for store in payload["stores"].split():
        if container and (store, container) not in owned_containers(workspace):
            try:
                workspace.key_stores.delete(store, container, pin=pin)
            except NoSuchKey:
                continue
            except KeyStoreError:
                workspace.journal.release(intent_id)
                raise
    workspace.journal.confirm(intent_id)


def _clear_leftovers(workspace: Workspace, order: KeyOrder) -> None:
    """Deletes what a crash left in the container that is asked for, where recovery lacked the PIN that is here now."""
    for intent in workspace.journal.unconfirmed():
        is_leftover = intent.kind in (CREATE_KEY, DELETE_KEY) and intent.payload["container"] == order.container
        if order.container and is_leftover and workspace.journal.adopt(intent):
            with contextlib.suppress(KeyStoreError):  # what stands in the way of it stands in the way of the new key too
                unmake_key(workspace, intent.id, intent.payload, order.pin)


def _is_vacant(workspace: Workspace, name: str, container: str) -> bool:
    """Whether a key store is known not to have the container: a key that was there before is not recovery's to delete."""
    try:
        store = workspace.key_stores.get(name)
        if isinstance(store, CertificateHolder):  # a card lists without its PIN, and would spend a try on opening
            return all(info.container != container for info in store.list())
        store.open(container)
    except NoSuchKey:
        return True
    except KeyStoreError:
        return False
    return False


def _provider_info(order: KeyOrder, key: StoredKey, used: KeyLocation, fallback: str) -> KeyProviderInfo:
    provider = provider_of(key.info.store, order.provider, order.provider_type)
    return KeyProviderInfo(
        container=key.info.container,
        provider_name=provider.name,
        provider_type=provider.type,
        flags=0,
        key_spec=order.key_spec,
        store=key.info.store,
        scope=key.info.scope,
        asked_location=order.route.location,
        used_location=used,
        fallback=fallback,
        reference=key.info.reference,
    )


def _template(algorithm: str, length: int, key_spec: int, usage: int, export_policy: int) -> KeyTemplate:
    family, fixed = _ALGORITHMS.get(algorithm, (None, None))
    if family is None:
        raise ComError(HRESULT.NTE_BAD_ALGID, f"no key store makes keys of {algorithm}; RSA and the NIST curves are made")
    if fixed is not None and length not in (0, fixed):
        raise ComError(HRESULT.NTE_BAD_LEN, f"this curve has {fixed} bits, not {length}")
    return KeyTemplate(
        algorithm=family,
        length=fixed or length or _DEFAULT_LENGTH[family],
        use=_use(key_spec, usage),
        exportable=bool(export_policy & _EXPORTABLE),
    )


def _use(key_spec: int, usage: int) -> KeyUse:
    if usage:
        chosen = [use for flag, use in _USES.items() if usage & flag]
        return KeyUse.ALL if not chosen else _union(chosen)
    return KeyUse.SIGN if key_spec == X509KeySpec.XCN_AT_SIGNATURE else KeyUse.ALL


def _union(uses: list[KeyUse]) -> KeyUse:
    result = uses[0]
    for use in uses[1:]:
        result |= use
    return result
