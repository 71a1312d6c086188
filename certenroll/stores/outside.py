"""Stores outside the profile, in a file, in memory or in another profile, and one view of them and the profile's own.

What happens in a view is a draft until it is committed: a file is then written whole, a memory store takes its new content.
Knows how a store is read and written; who opens one, with which flags, stands above. Source: CertOpenStore,
CERT_STORE_PROV_FILENAME and CERT_STORE_PROV_MEMORY.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from certenroll.asn1 import cms
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.serialized_stores import (
    SerializedElement,
    SerializedStore,
    decode_serialized_store,
    encode_serialized_store,
    is_serialized_store,
)
from certenroll.encodings import BadText, decode_text
from certenroll.enums import EncodingType
from certenroll.hresults import HRESULT
from certenroll.stores import faults
from certenroll.stores.atomic_files import replacement
from certenroll.stores.certificates import CertificateStore, StoredCertificate
from certenroll.stores.errors import NoSuchRecord, StoreError
from certenroll.stores.properties import KEY_PROV_INFO, checked_id

if TYPE_CHECKING:
    from certenroll.stores.database import Database

_PKCS7_ENDINGS: Final = (".p7c", ".spc")
_READABLE: Final = 0o644


class OutsideStore(Protocol):
    """A store that is not in the profile."""

    @property
    def identity(self) -> str:
        """What no other store has: two of the same identity are one store."""

    def read(self) -> SerializedStore:
        """What it holds. Raises StoreError, DecodeError or OSError."""

    def replaced_by(self, content: SerializedStore) -> AbstractContextManager[Callable[[], None]]:
        """Makes another content ready, which the store has when the block called what it is given, and has ended.

        Raises StoreError or OSError where it cannot be had, before the block begins.
        """


class MemoryStore:
    """A store that lives as long as this object.

    Args:
        content: what it holds at first.
    """

    def __init__(self, content: SerializedStore = SerializedStore()) -> None:  # noqa: B008 - it is frozen
        self._content = content
        self.identity: Final = f"memory {id(self)}"

    def read(self) -> SerializedStore:
        """What it holds."""
        return self._content

    @contextmanager
    def replaced_by(self, content: SerializedStore) -> Iterator[Callable[[], None]]:
        """As OutsideStore.replaced_by; raises nothing."""

        def take() -> None:
            self._content = content

        yield take


class ProfileStore:
    """A system store of another profile: the machine's, while the user's is worked with, or the other way round.

    Args:
        database: of that profile.
        name: the store's.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._certificates = CertificateStore(database)
        self._name = name
        self.identity: Final = f"{database.path} {name.strip().casefold()}"

    def read(self) -> SerializedStore:
        """What it holds."""
        held = self._certificates.list(self._name, archived=True)
        return SerializedStore(tuple(SerializedElement(one.der, dict(one.properties)) for one in held))

    @contextmanager
    def replaced_by(self, content: SerializedStore) -> Iterator[Callable[[], None]]:
        """As OutsideStore.replaced_by: a transaction of that profile, which ends with the block."""
        wanted = {one.der for one in content.certificates}
        with self._database.transaction():
            for one in list(self._certificates.list(self._name, archived=True)):
                if one.der not in wanted:
                    self._certificates.remove(self._name, one.sha1)
            for each in content.certificates:
                self._certificates.add(self._name, each.der, each.properties)
            yield lambda: None


class FileStore:
    """A file of certificates: a PKCS #7 or a serialized store, and written again as what it was.

    A file that is not there yet, an empty one, and any .p7c or .spc is written as binary PKCS #7, which holds no properties.
    Where a key is, is known here alone: that property is never written, and one that another machine wrote is kept as it is.

    Args:
        path: the file; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path: Final = path.resolve()
        self.identity: Final = f"file {self.path}"
        self._is_serialized = False
        self._foreign_keys: dict[bytes, bytes] = {}

    def read(self) -> SerializedStore:
        """What the file holds, nothing where it is not there.

        Raises:
            StoreError: E_ACCESSDENIED for a file that is one certificate, as CertOpenStore has it.
            DecodeError: it holds something else.
            OSError: it cannot be read.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        self._is_serialized = is_serialized_store(data) and self.path.suffix.lower() not in _PKCS7_ENDINGS
        content = read_store(data)
        self._foreign_keys = {
            one.der: one.properties[KEY_PROV_INFO] for one in content.certificates if KEY_PROV_INFO in one.properties
        }
        return replace(content, certificates=tuple(_without_key(one) for one in content.certificates))

    @contextmanager
    def replaced_by(self, content: SerializedStore) -> Iterator[Callable[[], None]]:
        """As OutsideStore.replaced_by.

        Raises:
            StoreError: WIN32_NOT_SUPPORTED where a PKCS #7 would lose what a serialized store held.
            OSError: the file cannot be written.
        """
        mode = self.path.stat().st_mode & 0o777 if self.path.exists() else _READABLE
        with replacement(self.path, self._encoded(content), mode=mode) as replace_file:

            def take() -> None:
                replace_file()
                faults.write_point("store file")

            yield take

    def _encoded(self, content: SerializedStore) -> bytes:
        if self._is_serialized:
            return encode_serialized_store(replace(content, certificates=tuple(map(self._as_found, content.certificates))))
        if content.ctls:
            text = f"{self.path} holds trust lists, which a PKCS #7 cannot"
            raise StoreError(text, hresult=HRESULT.WIN32_NOT_SUPPORTED)
        return cms.encode_certificate_bag(*((one.der for one in part) for part in (content.certificates, content.crls)))

    def _as_found(self, one: SerializedElement) -> SerializedElement:
        key = self._foreign_keys.get(one.der)
        return replace(_without_key(one), properties={**one.properties, KEY_PROV_INFO: key}) if key else _without_key(one)


def read_store(data: bytes) -> SerializedStore:
    """The certificates of a serialized store, of a PKCS #7 (binary or base64), or of nothing at all.

    Raises:
        StoreError: E_ACCESSDENIED for a single certificate.
        DecodeError: for anything else.
    """
    if not data:
        return SerializedStore()
    if is_serialized_store(data):
        return decode_serialized_store(data)
    der = _binary(data)
    try:
        signed = cms.decode_signed_data(der)
    except DecodeError:
        _refuse_certificate(der)
        raise
    return SerializedStore(*(tuple(map(SerializedElement, part)) for part in (signed.certificates, signed.crls)))


def _binary(data: bytes) -> bytes:
    try:
        return decode_text(data, EncodingType.XCN_CRYPT_STRING_BASE64_ANY)
    except BadText:
        return data


def _refuse_certificate(der: bytes) -> None:
    try:
        read_certificate(der)
    except DecodeError:
        return
    raise StoreError("a file with one certificate cannot be opened as a store", hresult=HRESULT.E_ACCESSDENIED)


def _without_key(one: SerializedElement) -> SerializedElement:
    return replace(one, properties={number: value for number, value in one.properties.items() if number != KEY_PROV_INFO})


@dataclass
class _Draft:
    """What a store will hold, and whether it differs from what it holds."""

    name: str
    store: OutsideStore
    held: dict[bytes, StoredCertificate]
    content: SerializedStore
    changed: bool = False

    def put(self, der: bytes, properties: Mapping[int, bytes]) -> bool:
        made = _stored(self.name, der, properties)
        old = self.held.get(made.sha1)
        if old is not None:
            made = replace(made, properties={**old.properties, **properties})
        self.held[made.sha1] = made
        self.changed = self.changed or made != old
        return old is None

    def take(self, sha1: bytes) -> bool:
        found = self.held.pop(sha1, None)
        self.changed = self.changed or found is not None
        return found is not None

    def new_content(self) -> SerializedStore:
        kept = tuple(SerializedElement(one.der, dict(one.properties)) for one in self.held.values())
        return replace(self.content, certificates=kept)


@dataclass(frozen=True)
class OutsideStores:
    """Which stores of an install are outside the profile.

    Attributes:
        by_name: the stores, by the names that they have in the install.
        copies: a store of the profile -> the store outside that loses what it loses.
    """

    by_name: Mapping[str, OutsideStore] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)


class JoinedStores(CertificateStore):
    """The profile's stores with some that are outside it. Lasts for one transaction, at whose end it is committed.

    Args:
        database: of the profile.
        outside: the stores beside its own, which are read now.

    Raises what reading a store raises.
    """

    def __init__(self, database: Database, outside: OutsideStores) -> None:
        super().__init__(database)
        self._drafts = {name: _draft(name, store) for name, store in outside.by_name.items()}
        self._copies = outside.copies

    def commit(self) -> None:
        """Changes the stores outside the profile; where one of them cannot be, none is. Raises StoreError or OSError."""
        changed = [draft for draft in self._drafts.values() if draft.changed]
        with ExitStack() as stack:
            ready = [stack.enter_context(draft.store.replaced_by(draft.new_content())) for draft in changed]
            for take in ready:
                take()

    def add(self, store: str, der: bytes, properties: Mapping[int, bytes] | None = None) -> bool:
        """As CertificateStore.add."""
        draft = self._drafts.get(store)
        return super().add(store, der, properties) if draft is None else draft.put(der, properties or {})

    def get(self, store: str, sha1: bytes) -> StoredCertificate | None:
        """As CertificateStore.get."""
        draft = self._drafts.get(store)
        return super().get(store, sha1) if draft is None else draft.held.get(sha1)

    def remove(self, store: str, sha1: bytes) -> bool:
        """As CertificateStore.remove; what leaves a store leaves its copy too."""
        if store in self._copies:
            self._drafts[self._copies[store]].take(sha1)
        draft = self._drafts.get(store)
        return super().remove(store, sha1) if draft is None else draft.take(sha1)

    def set_property(self, store: str, sha1: bytes, property_id: int, value: bytes) -> None:
        """As CertificateStore.set_property."""
        draft = self._drafts.get(store)
        if draft is None:
            super().set_property(store, sha1, property_id, value)
        elif sha1 not in draft.held:
            raise NoSuchRecord(f"store {store} has no certificate {sha1.hex()}")
        else:
            draft.put(draft.held[sha1].der, {checked_id(property_id): value})

    def find_by_public_key(self, store: str | None, public_key_info: bytes) -> Sequence[StoredCertificate]:
        """As CertificateStore.find_by_public_key; None stands for the profile's stores."""
        wanted = hashlib.sha256(public_key_info).digest()
        found = self._outside(store, lambda one: one.public_key_hash == wanted)
        return super().find_by_public_key(store, public_key_info) if found is None else found

    def find_by_subject(self, store: str | None, name: bytes) -> Sequence[StoredCertificate]:
        """As CertificateStore.find_by_subject; None stands for the profile's stores."""
        found = self._outside(store, lambda one: one.subject == name)
        return super().find_by_subject(store, name) if found is None else found

    def list(self, store: str, *, archived: bool = False) -> Iterator[StoredCertificate]:
        """As CertificateStore.list; of a store outside, those with the archived property come too."""
        draft = self._drafts.get(store)
        yield from super().list(store, archived=archived) if draft is None else draft.held.values()

    def _outside(self, store: str | None, fits: Callable[[StoredCertificate], bool]) -> Sequence[StoredCertificate] | None:
        draft = self._drafts.get(store) if store is not None else None
        return None if draft is None else [one for one in reversed(draft.held.values()) if fits(one)]


def _draft(name: str, store: OutsideStore) -> _Draft:
    content = store.read()
    held = [_stored(name, one.der, one.properties) for one in content.certificates]
    return _Draft(name, store, {one.sha1: one for one in held}, content)


def _stored(name: str, der: bytes, properties: Mapping[int, bytes]) -> StoredCertificate:
    facts = read_certificate(der)
    key = hashlib.sha256(facts.public_key_info).digest()
    return StoredCertificate(name, facts.der, facts.sha1, facts.subject, facts.issuer, facts.serial, key, dict(properties))
