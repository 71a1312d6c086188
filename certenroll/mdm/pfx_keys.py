"""Where the keys of a PFX go: the key store, the container, and whether the key is there already. Makes no key.

What a device lacks is found out here, before anything is done. Knows the key stores by their protocol, and no certificate
but by its public key. Source: KeyLocation and ContainerName of the ClientCertificateInstall CSP.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, SECP521R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.engine.key_creation import KeyOrder
from certenroll.enums import X509KeySpec
from certenroll.hresults import HRESULT
from certenroll.mdm.pfx_contents import Identity
from certenroll.mdm.pfx_records import KeyName, Record
from certenroll.mdm.pfx_settings import PfxSettings
from certenroll.stores.certificates import MY
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info
from keystores.base import KeyAlgorithm, KeyInfo, KeyStore, KeyTemplate, Prober
from keystores.errors import KeyExists, KeyStoreError, StoreUnavailable, UnsupportedKey
from keystores.routing import route

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

# The sizes that a key store names where it has them; whether it takes another is for the import to find out.
_NAMED_SIZES: Final = {KeyAlgorithm.RSA: (1024, 2048, 3072, 4096), KeyAlgorithm.EC: (256, 384, 521)}

_CURVES: Final = (SECP256R1, SECP384R1, SECP521R1)


@dataclass(frozen=True)
class Placement:
    """Where one key of a PFX goes.

    Attributes:
        identity: the key with its certificate.
        order: how it is to be imported.
        present: the key property that leads to it where it need not be imported, or None.
    """

    identity: Identity = field(repr=False)
    order: KeyOrder
    present: KeyProviderInfo | None


def place(
    workspace: Workspace, settings: PfxSettings, identities: Sequence[Identity], own: Record
) -> tuple[Placement, ...]:
    """Decides where the keys of a PFX go.

    Args:
        workspace: the key stores.
        settings: the instance's.
        identities: the PFX's.
        own: what the instance had installed before; its containers are not free before the new keys are there.

    Raises:
        StoreUnavailable: no key store of the KeyLocation is there.
        UnsupportedKey: the key store lacks the size.
        UnsupportedAlgorithm: no key store has the curve.
        KeyExists: the named container has somebody else's key.
    """
    stores = route(settings.location, None, None).stores
    store = _target(workspace, stores, identities)
    free = _free_names(store, settings, own.imported) if settings.container else itertools.repeat("")
    placed = []
    for identity in identities:
        present = _present(workspace, store, settings, identity)
        container = next(free) if present is None else ""
        placed.append(Placement(identity, _order(settings, container), present))
    return tuple(placed)


def _order(settings: PfxSettings, container: str) -> KeyOrder:
    return KeyOrder(
        route=route(settings.location, None, None),
        location=settings.location,
        container=container,
        generated=f"te-{uuid.uuid4()}",
        template=KeyTemplate(exportable=settings.exportable),
        key_spec=X509KeySpec.XCN_AT_KEYEXCHANGE,
        provider="",
        provider_type=0,
        pin=None,
    )


def _target(workspace: Workspace, names: Sequence[str], identities: Sequence[Identity]) -> KeyStore:
    """The first key store of a route that is there, once it is sure to take the keys as far as it says."""
    for position, name in enumerate(names, 1):
        try:
            store = workspace.key_stores.get(name)
            offered = store.supported() if isinstance(store, Prober) else ()
        except StoreUnavailable:
            if position == len(names):
                raise
            continue
        for identity in identities:
            _check_size(name, offered, identity)
        return store
    raise KeyStoreError("the route names no key store")


def _check_size(store: str, offered: Sequence[tuple[KeyAlgorithm, int]], identity: Identity) -> None:
    key = identity.private_key
    algorithm = KeyAlgorithm.RSA if isinstance(key, RSAPrivateKey) else KeyAlgorithm.EC
    if isinstance(key, EllipticCurvePrivateKey) and not isinstance(key.curve, _CURVES):
        raise UnsupportedAlgorithm(f"no key store takes keys on {key.curve.name}")
    if key.key_size in _NAMED_SIZES[algorithm] and (algorithm, key.key_size) not in offered:
        text = f"the {store} key store takes no {algorithm.value} keys of {key.key_size} bits"
        raise UnsupportedKey(text, store=store, hresult=HRESULT.NTE_BAD_LEN)


def _present(workspace: Workspace, store: KeyStore, settings: PfxSettings, identity: Identity) -> KeyProviderInfo | None:
    """The key property of a certificate whose key is the wanted one, in the wanted place, as exportable as wanted."""
    public = identity.certificate.public_key_info
    for certificate in workspace.certificates.find_by_public_key(MY, public):
        if KEY_PROV_INFO not in certificate.properties:
            continue
        info = decode_key_info(certificate.properties[KEY_PROV_INFO])
        fitting = info.store == store.name and (not settings.container or _base(info.container) == settings.container)
        if fitting and any(_is_wanted(one, info, public, settings) for one in store.list()):
            return info
    return None


def _is_wanted(held: KeyInfo, info: KeyProviderInfo, public: bytes, settings: PfxSettings) -> bool:
    return (held.container, held.public_key, held.exportable) == (info.container, public, settings.exportable)


def _free_names(store: KeyStore, settings: PfxSettings, occupied: set[KeyName]) -> Iterator[str]:
    """The container's name, and numbered ones where it has more than one key, or one that leaves only afterwards.

    Raises:
        KeyExists: a container of somebody else has the name.
    """
    held = {info.container for info in store.list()}
    own = {container for name, container in occupied if name == store.name}
    for number in itertools.count(1):
        name = settings.container if number == 1 else f"{settings.container} ({number})"
        if number == 1 and name in held and name not in own:
            raise KeyExists(f"the container {name!r} has another key already; remove it, or name another", store=store.name)
        if name not in held:
            yield name


def _base(container: str) -> str:
    """The name that a container's numbered name was made from."""
    name, opening, number = container.rpartition(" (")
    return name if opening and number.endswith(")") and number[:-1].isdigit() else container

