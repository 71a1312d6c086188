"""Pending requests: one record from the encoded request to the installed certificate. Knows no CA and no key store.

A record takes the steps of ``states.py`` and no other. Every change is a transaction, of its own or of the caller's: a
caller that moves a certificate and takes a step does both or neither.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from certenroll.stores.errors import NoSuchRecord
from certenroll.stores.owners import current, is_gone
from certenroll.stores.properties import KeyProviderInfo, decode_key_info, encode_key_info
from certenroll.stores.states import OUTSTANDING, Event, State, step

if TYPE_CHECKING:
    from certenroll.stores.database import Database


@dataclass(frozen=True)
class RequestRecord:
    """One request.

    Attributes:
        id: its number in this profile; never given twice.
        state: where it stands.
        key: where its private key is.
        new_key: whether the key was made for this request, and goes with it where it fails; False for a key that was there.
        public_key: SubjectPublicKeyInfo in DER.
        request: the encoded request in DER.
        request_type: "pkcs10", "pkcs7", "cmc", "scep", ... as whoever made it names it.
        request_hash: SHA-256 of ``request``.
        certificate_sha1: thumbprint of the certificate that stands for it in REQUEST; once installed, of the one in MY.
        ca_config: the CA's configuration string, or "".
        ca_request_id: the CA's id of it, or "".
        status: the CA's last result code, unsigned.
        message: the CA's last sentence.
        answer: what the CA answered, kept until it is installed.
        template: the template's name or OID, or "".
        friendly_name, description: for the certificate that will be installed.
        properties: free facts by name. Nothing secret.
        owner: the process that took the last step (``owners.current``).
        created, updated: UTC, seconds since 1970.
    """

    id: int
    state: State
    key: KeyProviderInfo
    new_key: bool = True
    public_key: bytes | None = field(default=None, repr=False)
    request: bytes | None = field(default=None, repr=False)
    request_type: str = ""
    request_hash: bytes | None = field(default=None, repr=False)
    certificate_sha1: bytes | None = None
    ca_config: str = ""
    ca_request_id: str = ""
    status: int = 0
    message: str = ""
    answer: bytes | None = field(default=None, repr=False)
    template: str = ""
    friendly_name: str = ""
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    created: float = 0.0
    updated: float = 0.0

    @property
    def abandoned(self) -> bool:
        """Whether the process that took the last step has ended: only then may another resume what it had in hand."""
        return is_gone(self.owner)


_COLUMNS: Final = tuple(each.name for each in fields(RequestRecord))
# Follows from the rest of a record, or is the store's own: nobody sets these.
_DERIVED: Final = frozenset({"id", "state", "request_hash", "owner", "created", "updated"})
_CHANGEABLE: Final = frozenset(_COLUMNS) - _DERIVED
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM requests WHERE "  # noqa: S608


class RequestStore:
    """The requests of a profile.

    Args:
        database: where they are kept.
        clock: gives UTC seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, key: KeyProviderInfo, **facts: Any) -> RequestRecord:
        """Writes down that a request was made.

        Args:
            key: where its key is.
            facts: other attributes of the record by name.

        Returns:
            the record, in state MADE.

        Raises:
            TypeError: a fact that a record does not have, or that the store sets by itself.
        """
        _check(facts)
        now = self._clock()
        record = _derive(replace(RequestRecord(0, State.MADE, key, created=now, updated=now), **facts))
        values = _values(record)
        del values["id"]
        sql = f"INSERT INTO requests ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})"  # noqa: S608
        _, number = self._database.execute(sql, tuple(values.values()))
        return replace(record, id=number)

    def advance(self, record_id: int, event: Event, **changes: Any) -> RequestRecord:
        """Takes one step of the state table, with what changes by it, in one transaction.

        Args:
            record_id: the record.
            event: what happened.
            changes: attributes of the record by name.

        Returns:
            the record after it.

        Raises:
            NoSuchRecord: there is no such record.
            IllegalStep: the table has no such step; nothing was changed.
            TypeError: a change of something that a record does not have, or that the store sets by itself.
        """
        _check(changes)
        with self._database.transaction():
            before = self.get(record_id)
            after = _derive(replace(before, **changes, state=step(before.state, event), updated=self._clock()))
            values = _values(after)
            sets = ", ".join(f"{name} = ?" for name in values)
            self._database.execute(f"UPDATE requests SET {sets} WHERE id = ?", (*values.values(), record_id))  # noqa: S608
            return after

    def adopt(self, record: RequestRecord) -> bool:
        """Takes a record over from a process that has ended; a record of this process is its own already.

        Returns:
            False where a living process has it, or another took it over, or a step, first.
        """
        if not record.abandoned and record.owner != current():
            return False
        changed, _ = self._database.execute(
            "UPDATE requests SET owner = ? WHERE id = ? AND owner = ? AND state = ?",
            (current(), record.id, record.owner, record.state.value),
        )
        return bool(changed)

    def get(self, record_id: int) -> RequestRecord:
        """The record of that id. Raises NoSuchRecord."""
        found = self._find("id = ?", record_id)
        if not found:
            raise NoSuchRecord(f"there is no request {record_id}")
        return found[0]

    def find_by_public_key(self, public_key: bytes) -> Sequence[RequestRecord]:
        """The outstanding requests of a public key (SubjectPublicKeyInfo in DER), newest first."""
        states = [state.value for state in OUTSTANDING]
        marks = ", ".join("?" * len(states))
        return self._find(f"public_key_hash = ? AND +state IN ({marks})", _sha256(public_key), *states)

    def find_by_request(self, request_hash: bytes) -> Sequence[RequestRecord]:
        """The requests whose bytes have that SHA-256, in whatever state, newest first."""
        return self._find("request_hash = ?", request_hash)

    def find_by_certificate(self, sha1: bytes) -> RequestRecord | None:
        """The newest request that a certificate in REQUEST, or an installed one, stands for; None where there is none."""
        return next(iter(self._find("certificate_sha1 = ?", sha1)), None)

    def find_by_ca_request_id(self, ca_request_id: str) -> Sequence[RequestRecord]:
        """The requests that some CA knows by that id (of SCEP's, the transaction's), in whatever state, newest first."""
        return self._find("ca_request_id = ?", ca_request_id)

    def list(self, states: Iterable[State] | None = None) -> Sequence[RequestRecord]:
        """The requests in one of ``states`` (in any where None), newest first."""
        if states is None:
            return self._find("1")
        values = [state.value for state in states]
        return self._find(f"state IN ({', '.join('?' * len(values))})", *values)

    def remove(self, record_id: int) -> None:
        """Deletes a record, withdrawing it first where it was not. What becomes of its key is the caller's to settle.

        Raises NoSuchRecord where there is none.
        """
        with self._database.transaction():
            if self.get(record_id).state is not State.REMOVED:
                self.advance(record_id, Event.REMOVE)
            self._database.execute("DELETE FROM requests WHERE id = ?", (record_id,))

    def _find(self, where: str, *values: Any) -> Sequence[RequestRecord]:
        rows = self._database.query(f"{_SELECT}{where} ORDER BY id DESC", values)
        return [_record(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


def _sha256(data: bytes | None) -> bytes | None:
    return None if data is None else hashlib.sha256(data).digest()


def _check(changes: Mapping[str, Any]) -> None:
    unknown = set(changes) - _CHANGEABLE
    if unknown:
        raise TypeError(f"a request has no settable {', '.join(sorted(unknown))}")


def _derive(record: RequestRecord) -> RequestRecord:
    return replace(record, request_hash=_sha256(record.request), owner=current())


def _values(record: RequestRecord) -> dict[str, Any]:
    values = {name: getattr(record, name) for name in _COLUMNS}
    return values | {
        "state": record.state.value,
        "key": encode_key_info(record.key),
        "new_key": int(record.new_key),
        "public_key_hash": _sha256(record.public_key),
        "properties": json.dumps(dict(record.properties), sort_keys=True, ensure_ascii=False),
    }


def _record(row: dict[str, Any]) -> RequestRecord:
    return RequestRecord(
        **row
        | {
            "state": State(row["state"]),
            "key": decode_key_info(row["key"]),
            "new_key": bool(row["new_key"]),
            "properties": MappingProxyType(json.loads(row["properties"])),
        }
    )
