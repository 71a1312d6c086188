"""The key stores of one profile: opened when first needed, tried in the order of a route.

Knows the three key stores by name and where their settings come from. A fallback answers absence alone, is recorded in
the result and logged.
"""

from __future__ import annotations

import importlib.util
import logging
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from keystores.base import (
    Exporter,
    Importer,
    KeyInfo,
    KeyLocation,
    KeyStore,
    KeyTemplate,
    KeyUse,
    PrivateKey,
    Scope,
    Secret,
    StoredKey,
)
from keystores.errors import KeyStoreError, NoSuchKey, NotPermitted, StoreUnavailable
from keystores.pins import PinSource, from_environment
from keystores.routing import Route, location_of

TCTI_VARIABLE: Final = "XENROLL_TPM_TCTI"
MODULE_VARIABLE: Final = "XENROLL_PKCS11_MODULE"
TOKEN_VARIABLE: Final = "XENROLL_PKCS11_TOKEN"  # noqa: S105  the name of a variable
NAMES: Final = ("software", "tpm", "smartcard")

_BAD_CONTAINER = 0x8009001F  # NTE_BAD_KEYSET_PARAM
_PACKAGES: Final = {"software": "cryptography", "tpm": "tpm2_pytss", "smartcard": "pkcs11"}
_NOT_EXPORTABLE = "the key is asked for as exportable; where %s puts it, it is not"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeyStoreSettings:
    """Where the key stores of one profile are.

    Attributes:
        software_directory: the folder of the software keys of this scope.
        tpm_directory: the folder of the TPM's wrapped keys of this scope.
        scope: whose keys they are.
        tcti: how to reach the TPM ("device:/dev/tpmrm0", "swtpm:port=2321"); None for the usual device.
        pkcs11_module: the path of the PKCS#11 library of the card; None for the one that the token's URI names, else
            SoftHSM where it is installed.
        token: a "pkcs11:" URI that picks the token; None where there is but one.
        passphrase: encrypts software keys that are given no PIN of their own.
        pins: asked for the PIN of the card, and of a key that has one where the call brings none.
    """

    software_directory: Path
    tpm_directory: Path
    scope: Scope = Scope.USER
    tcti: str | None = None
    pkcs11_module: str | None = None
    token: str | None = None
    passphrase: PinSource | None = None
    pins: PinSource = field(default_factory=from_environment)

    @classmethod
    def from_environment(
        cls, directory: Path, scope: Scope, environ: Mapping[str, str], *, passphrase: PinSource | None = None
    ) -> KeyStoreSettings:
        """The settings of a profile's folder and an environment.

        Args:
            directory: the profile's folder; keys go to ``keys/software`` and ``keys/tpm`` in it.
            scope: whose keys they are.
            environ: looked at for XENROLL_TPM_TCTI, XENROLL_PKCS11_MODULE, XENROLL_PKCS11_TOKEN, XENROLL_PIN and
                XENROLL_PIN_FILE.
            passphrase: that of the profile, or None.
        """
        return cls(
            software_directory=directory / "keys" / "software",
            tpm_directory=directory / "keys" / "tpm",
            scope=scope,
            tcti=environ.get(TCTI_VARIABLE) or None,
            pkcs11_module=environ.get(MODULE_VARIABLE) or None,
            token=environ.get(TOKEN_VARIABLE) or None,
            passphrase=passphrase,
            pins=from_environment(environ),
        )


@dataclass(frozen=True)
class Creation:
    """A key that was made or imported, and where it went.

    Attributes:
        key: the key.
        asked: the KeyLocation that was asked for, or None.
        used: the one that it has.
        fallback: why the first store of the route was passed over, or None where it was not.
    """

    key: StoredKey
    asked: KeyLocation | None
    used: KeyLocation
    fallback: str | None


@dataclass(frozen=True)
class StoreReport:
    """What one key store holds, or why it cannot say.

    Attributes:
        store: its name.
        keys: its keys by container; empty where ``error`` is set.
        error: what stands in the way, or None.
    """

    store: str
    keys: tuple[KeyInfo, ...]
    error: KeyStoreError | None


class KeyStores:
    """The key stores of one profile.

    Args:
        settings: where they are.
    """

    def __init__(self, settings: KeyStoreSettings) -> None:
        self.settings: Final = settings
        self._open: dict[str, KeyStore] = {}
        self._guard = threading.Lock()

    def get(self, name: str) -> KeyStore:
        """The key store of that name, opened when it is first asked for.

        Args:
            name: "software", "tpm" or "smartcard".

        Raises:
            KeyStoreError: there is no store of that name.
            PackageMissing, StoreUnavailable: its package or device is not there.
        """
        with self._guard:
            found = self._open.get(name)
            if found is None:
                maker = _MAKERS.get(name)
                if maker is None:
                    raise KeyStoreError(f"there is no key store {name!r}; there are {', '.join(NAMES)}")
                found = self._open[name] = maker(self.settings)
            return found

    def create(self, route: Route, container: str | None, template: KeyTemplate, pin: Secret | None = None) -> Creation:
        """Makes a key in the first store of ``route`` that is there.

        Args:
            route: the stores to try. Where the environment led to a store from which no key leaves, an exportable key is
                made as one that is not, with a warning.
            container: its name; None and "" have a GUID made where the route allows it.
            template: what to make.
            pin: a PIN for the key or the token.

        Raises:
            KeyStoreError: NTE_BAD_KEYSET_PARAM where the route needs a container's name and none is given.
            StoreUnavailable: no store of the route is there.
            UnsupportedKey: a store that is there cannot make the key; the next is not tried.
            KeyExists, PinError, StoreFull, DeviceFailure: as KeyStore.create.
        """
        name = _container(route, container)

        def make(store: KeyStore) -> StoredKey:
            dropped = template.exportable and _drops_exportable(route, store)
            key = store.create(name, replace(template, exportable=False) if dropped else template, pin=pin)
            if dropped:
                _log.warning(_NOT_EXPORTABLE, route.reason)
            return key

        return self._place(route, make)

    def import_key(
        self,
        route: Route,
        container: str | None,
        key: PrivateKey,
        *,
        exportable: bool = False,
        use: KeyUse = KeyUse.ALL,
        pin: Secret | None = None,
    ) -> Creation:
        """Puts an existing key into the first store of ``route`` that is there. Arguments and errors as ``create``.

        Raises:
            NotPermitted: the store that is there takes no keys from outside.
            BadKeyData: the key cannot be read.
        """
        name = _container(route, container)

        def put(store: KeyStore) -> StoredKey:
            if not isinstance(store, Importer):
                raise NotPermitted(f"the {store.name} key store takes no keys from outside", store=store.name)
            dropped = exportable and _drops_exportable(route, store)
            imported = store.import_key(name, key, exportable=exportable and not dropped, use=use, pin=pin)
            if dropped:
                _log.warning(_NOT_EXPORTABLE, route.reason)
            return imported

        return self._place(route, put)

    def find(self, route: Route, container: str, pin: Secret | None = None) -> StoredKey:
        """The key of a container, in the first store of ``route`` that has it.

        Raises:
            NoSuchKey: no store that is there has it.
            StoreUnavailable: no store of the route is there.
            PinError: as KeyStore.open.
        """
        problems: list[KeyStoreError] = []
        for name in route.stores:
            try:
                return self.get(name).open(container, pin=pin)
            except (NoSuchKey, StoreUnavailable) as error:
                problems.append(error)
        raise next((one for one in problems if isinstance(one, NoSuchKey)), problems[0])

    def open(self, store: str, container: str, pin: Secret | None = None) -> StoredKey:
        """The key of a container of one store. Raises NoSuchKey, PinError, StoreUnavailable."""
        return self.get(store).open(container, pin=pin)

    def delete(self, store: str, container: str, pin: Secret | None = None) -> None:
        """Removes a container of one store. Raises NoSuchKey, PinError, StoreUnavailable."""
        self.get(store).delete(container, pin=pin)

    def export(self, store: str, container: str, pin: Secret | None = None) -> PrivateKey:
        """The private key of a container as a plain pyca key. Raises NoSuchKey, NotPermitted, PinError."""
        found = self.get(store)
        if not isinstance(found, Exporter):
            raise NotPermitted(f"no key leaves the {store} key store", store=store)
        return found.export_key(container, pin=pin)

    def list_all(self) -> tuple[StoreReport, ...]:
        """Every store with its keys, or with what stands in the way. Raises nothing of KeyStoreError."""
        return tuple(self._report(name) for name in NAMES)

    def close(self) -> None:
        """Lets go of the devices. Keys in hand, and this object, reach for them again where they need to."""
        with self._guard:
            for store in self._open.values():
                close = getattr(store, "close", None)
                if close is not None:
                    close()
            self._open.clear()

    def _report(self, name: str) -> StoreReport:
        try:
            return StoreReport(name, tuple(self.get(name).list()), None)
        except KeyStoreError as error:
            return StoreReport(name, (), error)

    def _place(self, route: Route, make: Callable[[KeyStore], StoredKey]) -> Creation:
        passed_over: StoreUnavailable | None = None
        for name, is_last in _with_last(route.stores):
            try:
                key = make(self.get(name))
            except StoreUnavailable as error:
                if is_last:
                    raise
                passed_over = error
                _log.warning("the %s key store is not available (%s); the next one of %s is used", name, error, route.reason)
                continue
            reason = str(passed_over) if passed_over is not None else None
            return Creation(key, route.location, location_of(name, route.location), reason)
        raise KeyStoreError("the route names no key store")


def installed(name: str) -> bool:
    """Whether the Python package of a key store is installed. Loads nothing and asks no device."""
    return importlib.util.find_spec(_PACKAGES[name]) is not None


def _drops_exportable(route: Route, store: KeyStore) -> bool:
    return route.export_waived and not isinstance(store, Exporter)


def _with_last(names: Sequence[str]) -> Iterator[tuple[str, bool]]:
    for position, name in enumerate(names):
        yield name, position == len(names) - 1


def _container(route: Route, container: str | None) -> str:
    if container:
        return container
    if route.container_required:
        raise KeyStoreError(f"{route.reason} needs the container's name; set ContainerName", hresult=_BAD_CONTAINER)
    return str(uuid.uuid4())


def _software(settings: KeyStoreSettings) -> KeyStore:
    from keystores.software import SoftwareKeyStore

    return SoftwareKeyStore(settings.software_directory, settings.scope, settings.passphrase, settings.pins)


def _tpm(settings: KeyStoreSettings) -> KeyStore:
    from keystores.tpm import TpmKeyStore

    return TpmKeyStore(settings.tpm_directory, settings.scope, settings.tcti, settings.pins)


def _smartcard(settings: KeyStoreSettings) -> KeyStore:
    from keystores.smartcard import SmartCardKeyStore
    from keystores.smartcard.module import softhsm_library

    module = settings.pkcs11_module
    if module is None and "module-path=" not in (settings.token or ""):
        found = softhsm_library()
        module = str(found) if found is not None else None
    return SmartCardKeyStore(settings.scope, module, settings.token, settings.pins)


_MAKERS: Final[dict[str, Callable[[KeyStoreSettings], KeyStore]]] = {
    "software": _software,
    "tpm": _tpm,
    "smartcard": _smartcard,
}
