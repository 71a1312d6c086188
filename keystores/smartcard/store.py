"""SmartCardKeyStore: the key store of KeyLocation 4, a thin face whose work is done by ``containers`` and ``certificates``.

Knows how the card is named (arguments, environment, URI) and loads everything that needs the ``pkcs11`` package when it
is first used.

A card has no scopes. The user's and the machine's store on one card show the same containers, as Windows does; two cards
keep them apart.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from keystores.base import KeyAlgorithm, KeyInfo, KeyTemplate, KeyUse, PrivateKey, Scope, Secret, StoredKey
from keystores.pins import PinSource, first_of
from keystores.smartcard import module as libraries
from keystores.smartcard import uri as uris
from keystores.smartcard.errors import STORE

if TYPE_CHECKING:
    from keystores.smartcard.certificates import Certificates
    from keystores.smartcard.containers import Containers
    from keystores.smartcard.token import Card


class SmartCardKeyStore:
    """Keys on a PKCS#11 token. A key reference is a PKCS#11 URI (RFC 7512).

    A container is up to three objects with one CKA_ID: public key, private key and certificate, labelled with its name.
    Private keys are sensitive and never extractable.

    Args:
        scope: whose keys these are; a card does not tell.
        module: the path of the PKCS#11 library; else the URI's module-path, else XENROLL_PKCS11_MODULE.
        token: which token, as a PKCS#11 URI; else XENROLL_PKCS11_TOKEN, else the only token that is there.
        pins: who knows the PIN where a call brings none; after that the URI's pin-value or pin-source.
        lock_directory: where the lock files of all processes of this user are; by default XDG_RUNTIME_DIR/xenroll, else
            XDG_CACHE_HOME/xenroll.
        allow_final_try: whether the last try may be spent before the card blocks its PIN.

    Raises:
        KeyStoreError: with SCARD_E_INVALID_PARAMETER where ``token`` is no PKCS#11 URI.
    """

    name = STORE

    def __init__(
        self,
        scope: Scope,
        module: str | None = None,
        token: str | None = None,
        pins: PinSource | None = None,
        lock_directory: Path | None = None,
        *,
        allow_final_try: bool = False,
    ) -> None:
        self._scope = scope
        self._module = module
        text = token or os.environ.get(libraries.TOKEN_VARIABLE)
        self._uri = uris.parse(text) if text else uris.TokenUri()
        self._pins = first_of(pins, self._uri.pins())
        self._locks = lock_directory or _default_locks()
        self._allow_final_try = allow_final_try
        self._parts: tuple[Containers, Certificates] | None = None
        self._guard = threading.Lock()

    def create(self, container: str, template: KeyTemplate, *, pin: Secret | None = None) -> StoredKey:
        """Makes a key pair on the card.

        Args:
            container: its name, 1 to 260 characters.
            template: what to make; an exportable key is refused.
            pin: the token's PIN.

        Raises:
            KeyExists: the card has a key or certificate of that name. NotPermitted: the key is to be exportable.
            UnsupportedKey: the token does not make such keys. StoreFull: it has no room.
            StoreUnavailable, PinError, DeviceFailure: as their names say. Nothing is left behind.
        """
        return self._containers.create(container, template, pin)

    def open(self, container: str, *, pin: Secret | None = None) -> StoredKey:
        """The key of a container, logged in to. Raises NoSuchKey, PinError, StoreUnavailable."""
        return self._containers.open(container, pin)

    def delete(self, container: str, *, pin: Secret | None = None) -> None:
        """Removes a container's keys and certificate. Raises NoSuchKey, PinError, StoreUnavailable."""
        self._containers.delete(container, pin)

    def list(self) -> Sequence[KeyInfo]:
        """The containers of the card, by name, without a PIN: its public keys and certificates. Raises StoreUnavailable."""
        return self._containers.list()

    def supported(self) -> Sequence[tuple[KeyAlgorithm, int]]:
        """Every (algorithm, bits) that the token's mechanism information offers. Raises StoreUnavailable."""
        return self._containers.supported()

    def import_key(
        self, container: str, key: PrivateKey, *, exportable: bool = False, use: KeyUse = KeyUse.ALL,
        pin: Secret | None = None,
    ) -> StoredKey:
        """Puts a private key on the card, with its public key. Raises as create does, and BadKeyData."""
        return self._containers.import_key(container, key, exportable=exportable, use=use, pin=pin)

    def write_certificate(self, container: str, certificate: bytes, *, pin: Secret | None = None) -> None:
        """Writes the DER certificate of the container's key, in place of one that is there.

        Raises:
            NoSuchKey: there is no such container. BadKeyData: it is no certificate, or one of another key.
            StoreFull, PinError, StoreUnavailable: as their names say; the old certificate is still there.
        """
        self._certificates.write(container, certificate, pin)

    def write_chain(self, certificates: Sequence[bytes], *, pin: Secret | None = None) -> None:
        """Writes CA certificates (DER), each once. Raises BadKeyData, StoreFull, PinError, StoreUnavailable."""
        self._certificates.write_chain(certificates, pin)

    def read_certificate(self, container: str) -> bytes | None:
        """The DER certificate of a container, or None, without a PIN. Raises StoreUnavailable."""
        return self._certificates.read(container)

    @property
    def _containers(self) -> Containers:
        return self._loaded()[0]

    @property
    def _certificates(self) -> Certificates:
        return self._loaded()[1]

    def _loaded(self) -> tuple[Containers, Certificates]:
        with self._guard:
            if self._parts is None:
                libraries.require_package()
                from keystores.smartcard.certificates import Certificates
                from keystores.smartcard.containers import Containers

                card = self._card()
                self._parts = Containers(card, self._scope), Certificates(card)
            return self._parts

    def _card(self) -> Card:
        from keystores.smartcard.token import Card

        path = libraries.choose(self._module or self._uri.module_path or self._uri.module_name, os.environ)
        return Card(libraries.module_at(path), self._uri, self._pins, self._locks, self._allow_final_try)


def _default_locks() -> Path:
    folder = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder, "xenroll")
