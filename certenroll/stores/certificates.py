"""Certificate stores: MY, CA, ROOT, REQUEST and any other name, each certificate with its Windows properties.

Every search has an index, so that what it costs does not grow with the store. Knows the facts of a certificate that it is
searched by, and judges none; what property values mean stands in ``properties.py``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.hresults import HRESULT
from certenroll.stores import properties as props
from certenroll.stores.errors import NoSuchRecord, StoreError

if TYPE_CHECKING:
    from certenroll.stores.database import Database

MY: Final = "MY"
CA: Final = "CA"
ROOT: Final = "ROOT"
REQUEST: Final = "REQUEST"

_PAGE: Final = 256  # certificates that are read at once when a store is listed
_MAX_NAME: Final = 255

_SELECT: Final = """
    SELECT c.id, s.name, c.der, c.sha1, c.subject, c.issuer, c.serial, c.public_key_hash
    FROM certificates c JOIN stores s ON s.id = c.store_id WHERE
"""
_NOT_ARCHIVED: Final = "NOT EXISTS (SELECT 1 FROM properties p WHERE p.certificate_id = c.id AND p.property_id = 19)"


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate in a store.

    Attributes:
        store: the store's name.
        der: the certificate.
        sha1: its thumbprint.
        subject, issuer: DER of its names.
        serial: its serial number.
        public_key_hash: SHA-256 of its SubjectPublicKeyInfo in DER.
        properties: value bytes by property id.
    """

    store: str
    der: bytes = field(repr=False)
    sha1: bytes
    subject: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    serial: int
    public_key_hash: bytes = field(repr=False)
    properties: Mapping[int, bytes] = field(repr=False, default_factory=dict)


class CertificateStore:
    """The certificate stores of a profile. A store is there when something was put into it; names know no case.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, store: str, der: bytes, properties: Mapping[int, bytes] | None = None) -> bool:
        """Puts a certificate into a store; of one that is there, the properties given take the place of its own.

        That is CERT_STORE_ADD_REPLACE_EXISTING_INHERIT_PROPERTIES of CertAddCertificateContextToStore.

        Returns:
            whether it was new to this store.

        Raises:
            DecodeError: ``der`` is no certificate.
            PropertyError: a property id outside 1..0xFFFF.
            StoreError: E_INVALIDARG for a store name that cannot be one.
        """
        facts = read_certificate(der)
        with self._database.transaction():
            found = self._find_id(store, facts.sha1)
            new = found is None
            if found is None:
                _, found = self._database.execute(
                    "INSERT INTO certificates (store_id, sha1, der, subject, issuer, serial, public_key_hash)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        self._store_id(store),
                        facts.sha1,
                        facts.der,
                        facts.subject,
                        facts.issuer,
                        _serial_octets(facts.serial),
                        hashlib.sha256(facts.public_key_info).digest(),
                    ),
                )
            for property_id, value in (properties or {}).items():
                self._put(found, property_id, value)
            return new

    def get(self, store: str, sha1: bytes) -> StoredCertificate | None:
        """The certificate with that thumbprint, or None."""
        return next(iter(self._read("s.key = ? AND c.sha1 = ?", (_key(store), sha1))), None)

    def find_by_public_key(self, store: str | None, public_key_info: bytes) -> Sequence[StoredCertificate]:
        """The certificates of a public key (SubjectPublicKeyInfo in DER), newest first; in every store where it is None."""
        return self._find(store, "c.public_key_hash = ?", hashlib.sha256(public_key_info).digest())

    def find_by_subject(self, store: str | None, name: bytes) -> Sequence[StoredCertificate]:
        """The certificates whose subject is ``name`` (DER, compared octet by octet), newest first."""
        return self._find(store, "c.subject = ?", name)

    def find_by_issuer_serial(self, store: str | None, issuer: bytes, serial: int) -> Sequence[StoredCertificate]:
        """The certificates of an issuer (Name in DER) with that serial number."""
        return self._find(store, "c.issuer = ? AND c.serial = ?", issuer, _serial_octets(serial))

    def find_by_thumbprint(self, store: str, beginning: str) -> Sequence[StoredCertificate]:
        """The certificates whose thumbprint begins with these hexadecimal digits; none for what is no such beginning."""
        if not re.fullmatch("[0-9A-Fa-f]{1,40}", beginning):
            return []
        first, last = (bytes.fromhex(beginning.ljust(40, digit)) for digit in "0f")
        return self._read("s.key = ? AND c.sha1 BETWEEN ? AND ?", (_key(store), first, last))

    def property_values(self, property_id: int) -> Sequence[bytes]:
        """The values that a property has in any store, each once; no certificate is read for it."""
        sql = "SELECT DISTINCT value FROM properties WHERE property_id = ?"
        return [value for (value,) in self._database.query(sql, (property_id,))]

    def remove(self, store: str, sha1: bytes) -> bool:
        """Takes a certificate out of a store, with its properties; whether it was there."""
        with self._database.transaction():
            found = self._find_id(store, sha1)
            return found is not None and self._database.execute("DELETE FROM certificates WHERE id = ?", (found,))[0] > 0

    def list(self, store: str, *, archived: bool = False) -> Iterator[StoredCertificate]:
        """The certificates of a store in the order in which they came, read a page at a time.

        Args:
            store: its name; a store that is not there is empty.
            archived: whether those with the archived property come too. A search finds them always, as in Windows.
        """
        where = f"s.key = ? AND c.id > ?{'' if archived else f' AND {_NOT_ARCHIVED}'} ORDER BY c.id LIMIT {_PAGE}"
        last = 0
        while True:
            page = self._read_with_ids(where, (_key(store), last))
            yield from (certificate for _, certificate in page)
            if len(page) < _PAGE:
                return
            last = page[-1][0]

    def count(self, store: str, *, archived: bool = False) -> int:
        """How many certificates ``list`` gives."""
        where = "" if archived else f" AND {_NOT_ARCHIVED}"
        sql = f"SELECT count(*) FROM certificates c JOIN stores s ON s.id = c.store_id WHERE s.key = ?{where}"  # noqa: S608
        return int(self._database.query(sql, (_key(store),))[0][0])

    def names(self) -> Sequence[str]:
        """The names of the stores that hold or held something, as they were first written."""
        return [name for (name,) in self._database.query("SELECT name FROM stores ORDER BY key")]

    def set_property(self, store: str, sha1: bytes, property_id: int, value: bytes) -> None:
        """Sets a property, in place of its old value.

        Raises:
            NoSuchRecord: there is no such certificate.
            PropertyError: a property id outside 1..0xFFFF (E_INVALIDARG).
        """
        with self._database.transaction():
            self._put(self._existing(store, sha1), property_id, value)

    def get_property(self, store: str, sha1: bytes, property_id: int) -> bytes | None:
        """A property's value, or None. A hash that was never set is computed, as Windows does.

        Raises NoSuchRecord where there is no such certificate.
        """
        found = self.get(store, sha1)
        if found is None:
            raise _missing(store, sha1)
        stored = found.properties.get(property_id)
        computed = props.COMPUTED.get(property_id)
        return computed(found.der) if stored is None and computed is not None else stored

    def remove_property(self, store: str, sha1: bytes, property_id: int) -> bool:
        """Takes a property away; whether it was there. Raises NoSuchRecord where there is no such certificate."""
        with self._database.transaction():
            sql = "DELETE FROM properties WHERE certificate_id = ? AND property_id = ?"
            return self._database.execute(sql, (self._existing(store, sha1), property_id))[0] > 0

    def _put(self, certificate: int, property_id: int, value: bytes) -> None:
        sql = "INSERT OR REPLACE INTO properties (certificate_id, property_id, value) VALUES (?, ?, ?)"
        self._database.execute(sql, (certificate, props.checked_id(property_id), bytes(value)))

    def _store_id(self, store: str) -> int:
        key = _key(store)
        self._database.execute("INSERT OR IGNORE INTO stores (key, name) VALUES (?, ?)", (key, _canonical(store)))
        return int(self._database.query("SELECT id FROM stores WHERE key = ?", (key,))[0][0])

    def _find_id(self, store: str, sha1: bytes) -> int | None:
        rows = self._database.query(
            "SELECT c.id FROM certificates c JOIN stores s ON s.id = c.store_id WHERE s.key = ? AND c.sha1 = ?",
            (_key(store), sha1),
        )
        return int(rows[0][0]) if rows else None

    def _existing(self, store: str, sha1: bytes) -> int:
        found = self._find_id(store, sha1)
        if found is None:
            raise _missing(store, sha1)
        return found

    def _find(self, store: str | None, where: str, *values: bytes) -> Sequence[StoredCertificate]:
        # "+" keeps the planner from the index of stores: the value searched for is what narrows.
        inside, names = ("", ()) if store is None else (" AND +s.key = ?", (_key(store),))
        return self._read(f"{where}{inside} ORDER BY c.id DESC", (*values, *names))

    def _read(self, where: str, values: Sequence[Any]) -> Sequence[StoredCertificate]:
        return [certificate for _, certificate in self._read_with_ids(where, values)]

    def _read_with_ids(self, where: str, values: Sequence[Any]) -> Sequence[tuple[int, StoredCertificate]]:
        rows = self._database.query(_SELECT + where, values)
        held = self._properties([row[0] for row in rows])
        return [(row[0], _stored(row, held.get(row[0], {}))) for row in rows]

    def _properties(self, certificates: Sequence[int]) -> dict[int, dict[int, bytes]]:
        found: dict[int, dict[int, bytes]] = {}
        for start in range(0, len(certificates), _PAGE):
            some = certificates[start : start + _PAGE]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT certificate_id, property_id, value FROM properties WHERE certificate_id IN ({marks})"  # noqa: S608
            for certificate, property_id, value in self._database.query(sql, some):
                found.setdefault(certificate, {})[property_id] = value
        return found


def _stored(row: Sequence[Any], held: Mapping[int, bytes]) -> StoredCertificate:
    _, store, der, sha1, subject, issuer, serial, public_key_hash = row
    number = int.from_bytes(serial, "big", signed=True)
    return StoredCertificate(store, der, sha1, subject, issuer, number, public_key_hash, MappingProxyType(dict(held)))


def _serial_octets(serial: int) -> bytes:
    return serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)


def _missing(store: str, sha1: bytes) -> NoSuchRecord:
    return NoSuchRecord(f"store {store} has no certificate {sha1.hex()}")


def _key(store: str) -> str:
    name = store.strip()
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or "\\" in name:
        raise StoreError(f"{store!r} cannot be the name of a store", hresult=HRESULT.E_INVALIDARG)
    return name.casefold()


def _canonical(store: str) -> str:
    name = store.strip()
    return name.upper() if name.upper() in (MY, CA, ROOT, REQUEST) else name
