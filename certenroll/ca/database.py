"""The database of a CA: its requests, what became of them, and its CRLs. SQLite; several processes may use it at once.

Rows in and rows out: knows no certificate format and no policy. Every change is one BEGIN IMMEDIATE transaction.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from certenroll.ca.base import CAError, Disposition
from certenroll.hresults import HRESULT
from certenroll.stores import faults

FILE_NAME: Final = "ca.db"
SCHEMA_VERSION: Final = 3
_BUSY_SECONDS: Final = 60.0
_MAX_ID: Final = (1 << 63) - 1  # of an INTEGER in SQLite

_SCHEMA: Final = (
    """CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        request BLOB NOT NULL,
        sha256 BLOB NOT NULL,
        attributes TEXT NOT NULL,
        flags INTEGER NOT NULL,
        requester TEXT NOT NULL,
        disposition INTEGER NOT NULL,
        status INTEGER NOT NULL,
        message TEXT NOT NULL,
        template TEXT NOT NULL,
        serial TEXT UNIQUE,
        certificate BLOB,
        not_after INTEGER,
        submitted INTEGER NOT NULL,
        resolved INTEGER,
        revoked INTEGER,
        reason INTEGER
    )""",
    "CREATE INDEX requests_by_hash ON requests (sha256)",
    "CREATE INDEX requests_by_disposition ON requests (disposition)",
    """CREATE TABLE crls (
        issuer TEXT NOT NULL,
        number INTEGER NOT NULL,
        next_update INTEGER NOT NULL,
        crl BLOB NOT NULL,
        PRIMARY KEY (issuer, number)
    )""",
    "PRAGMA user_version = 1",
)
# From version 1: who submitted where that is another than the requester, and archived keys.
_SECOND: Final = (
    "ALTER TABLE requests ADD COLUMN caller TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE requests ADD COLUMN archived_key BLOB",
    "ALTER TABLE requests ADD COLUMN archived_key_hash BLOB",
    "PRAGMA user_version = 2",
)
# From version 2: what a SCEP server keeps, its challenges as hashes under one salt.
_THIRD: Final = (
    "CREATE TABLE scep_salt (salt BLOB NOT NULL)",
    "INSERT INTO scep_salt VALUES (randomblob(16))",
    """CREATE TABLE scep_challenges (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hash BLOB NOT NULL,
        once INTEGER NOT NULL,
        made INTEGER NOT NULL,
        expires INTEGER,
        used INTEGER
    )""",
    """CREATE TABLE scep_transactions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        key BLOB NOT NULL,
        renewed BLOB NOT NULL,
        request BLOB NOT NULL,
        opened INTEGER NOT NULL,
        request_id INTEGER,
        UNIQUE (name, key, renewed)
    )""",
    "PRAGMA user_version = 3",
)
_STEPS: Final = (_SCHEMA, _SECOND, _THIRD)  # at n: what makes version n + 1


@dataclass(frozen=True)
class Row:
    """One request.

    Attributes:
        request: its bytes as they were submitted; without the encrypted private key once that is archived.
        attributes: the request attributes.
        flags: CR_IN_* without the encoding bits.
        requester: ``DOMAIN\\user`` of whom it is made for.
        disposition: what became of it.
        status: result code, unsigned.
        message: the CA's sentence.
        template: the name of its template; empty for none.
        serial: of the certificate, hexadecimal without leading zeros; None where there is none.
        certificate: DER of the certificate.
        not_after: end of its validity, seconds since 1970.
        submitted: when it came, seconds since 1970.
        resolved: when it was decided.
        revoked: when the certificate was revoked.
        reason: why, as CRLReason.
        caller: ``DOMAIN\\user`` of whoever submitted it.
        archived_key: its private key, encrypted for the key recovery agents; None where none was archived.
        archived_key_hash: SHA-1 of the encrypted key that came.
        id: its number; 0 before it has one.
    """

    request: bytes = field(repr=False)
    attributes: Mapping[str, str]
    flags: int
    requester: str
    disposition: Disposition
    status: int
    message: str
    template: str
    submitted: int
    serial: str | None = None
    certificate: bytes | None = field(default=None, repr=False)
    not_after: int | None = None
    resolved: int | None = None
    revoked: int | None = None
    reason: int | None = None
    caller: str = ""
    archived_key: bytes | None = field(default=None, repr=False)
    archived_key_hash: bytes | None = None
    id: int = 0


_COLUMNS: Final = (
    *("request", "attributes", "flags", "requester", "disposition", "status", "message", "template", "submitted"),
    *("serial", "certificate", "not_after", "resolved", "revoked", "reason", "caller", "archived_key", "archived_key_hash"),
)


class Database:
    """The database file of one CA.

    Args:
        directory: the CA's folder. The file is made where it is missing, readable for its owner alone.

    Raises:
        CAError: 0x800710D9 where the file is of a later version of this program.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._lock = threading.RLock()
        self._open: tuple[int, sqlite3.Connection] | None = None  # the process that opened it, the connection
        # Only a new file: to close one that is there lets go of the locks of all connections that this process has to it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        self._migrate()

    def close(self) -> None:
        """Closes the connection; the next use opens one again."""
        with self._lock:
            if self._open is not None and self._open[0] == os.getpid():
                self._open[1].close()
            self._open = None

    def insert(self, row: Row, submitted: bytes) -> Row:
        """Adds a request. Returns it with its number: one more than the last that was ever given.

        Args:
            row: the request.
            submitted: its bytes as they came, by which ``by_request`` finds it.
        """
        values = [row.request, hashlib.sha256(submitted).digest(), *_written(row)[1:]]
        columns = ["request", "sha256", *_COLUMNS[1:]]
        marks = ", ".join("?" * len(columns))
        with self.transaction() as connection:
            cursor = connection.execute(f"INSERT INTO requests ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608
            return self._row(connection, "id = ?", cursor.lastrowid)

    def change(self, number: int, allowed: Iterable[Disposition], change: Callable[[Row], Mapping[str, Any]]) -> Row:
        """Changes a request in one step.

        Args:
            number: the request.
            allowed: the dispositions that it may be in.
            change: says which columns change, from the row as it stands within the transaction.

        Raises:
            CAError: CERTSRV_E_NO_REQUEST, or CERTSRV_E_BAD_REQUESTSTATUS where it is in no allowed disposition.
        """
        with self.transaction() as connection:
            row = self._row(connection, "id = ?", number)
            if row.disposition not in allowed:
                text = f"request {number} is {row.disposition.name}: {row.message}"
                raise CAError(HRESULT.CERTSRV_E_BAD_REQUESTSTATUS, text)
            values = change(row)
            assignments = ", ".join(f"{name} = ?" for name in values)
            connection.execute(f"UPDATE requests SET {assignments} WHERE id = ?", [*values.values(), number])  # noqa: S608
            return self._row(connection, "id = ?", number)

    def get(self, number: int) -> Row:
        """The request of that number. Raises CAError (CERTSRV_E_NO_REQUEST)."""
        return self._row(self._connection(), "id = ?", number)

    def by_serial(self, serial: int) -> Row:
        """The request whose certificate has that serial number. Raises CAError (CERTSRV_E_NO_REQUEST)."""
        return self._row(self._connection(), "serial = ?", f"{serial:x}")

    def by_request(self, request: bytes) -> Row | None:
        """The newest request of these very bytes, or None."""
        digest = hashlib.sha256(request).digest()
        rows = list(self._rows(self._connection(), "sha256 = ? ORDER BY id DESC LIMIT 1", digest))
        return rows[0] if rows else None

    def all(self, disposition: Disposition | None = None) -> tuple[Row, ...]:
        """The requests in the order of their numbers, all or those in one disposition."""
        if disposition is None:
            return tuple(self._rows(self._connection(), "1 ORDER BY id"))
        return tuple(self._rows(self._connection(), "disposition = ? ORDER BY id", int(disposition)))

    def latest_crl(self, issuer: str) -> tuple[int, int, bytes] | None:
        """Number, next update (seconds since 1970) and DER of an issuer's newest CRL, or None."""
        return self._latest_crl(self._connection(), issuer)

    def add_crl(self, issuer: str, next_update: int, make: Callable[[int, tuple[Row, ...]], bytes]) -> bytes:
        """Adds a CRL under the next number.

        Args:
            issuer: whose.
            next_update: seconds since 1970.
            make: makes it from its number and the revoked requests. Called within the transaction, so that the numbers
                of the lists follow the order in which they were made.
        """
        with self.transaction() as connection:
            latest = self._latest_crl(connection, issuer)
            number = latest[0] + 1 if latest is not None else 1
            revoked = tuple(self._rows(connection, "disposition = ? ORDER BY id", int(Disposition.REVOKED)))
            crl = make(number, revoked)
            connection.execute("INSERT INTO crls VALUES (?, ?, ?, ?)", (issuer, number, next_update, crl))
            return crl

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the right to write from its beginning; rolled back where the block raises."""
        with self._lock:
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            faults.write_point("before the CA's commit")
            connection.execute("COMMIT")
            faults.write_point("after the CA's commit")

    def _connection(self) -> sqlite3.Connection:
        with self._lock:
            if self._open is None or self._open[0] != os.getpid():  # a connection does not survive a fork
                self._open = (os.getpid(), self._connect())
            return self._open[1]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _migrate(self) -> None:
        with self.transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                text = f"{self._path} has version {version}; this program knows {SCHEMA_VERSION}"
                raise CAError(HRESULT.WIN32_DATABASE_FAILURE, text)
            for statements in _STEPS[version:]:
                for statement in statements:
                    connection.execute(statement)

    def _row(self, connection: sqlite3.Connection, condition: str, value: Any) -> Row:
        missing = isinstance(value, int) and not 0 < value <= _MAX_ID
        rows = [] if missing else list(self._rows(connection, condition, value))
        if not rows:
            raise CAError(HRESULT.CERTSRV_E_NO_REQUEST, f"this CA has no request with {condition.replace('?', str(value))}")
        return rows[0]

    def _rows(self, connection: sqlite3.Connection, condition: str, *values: Any) -> Iterator[Row]:
        with self._lock:
            found = connection.execute(f"SELECT * FROM requests WHERE {condition}", values).fetchall()  # noqa: S608
        for values_of in found:
            columns = {name: values_of[name] for name in (*_COLUMNS, "id")}
            columns["attributes"] = json.loads(columns["attributes"])
            columns["disposition"] = Disposition(columns["disposition"])
            yield Row(**columns)

    @staticmethod
    def _latest_crl(connection: sqlite3.Connection, issuer: str) -> tuple[int, int, bytes] | None:
        query = "SELECT number, next_update, crl FROM crls WHERE issuer = ? ORDER BY number DESC LIMIT 1"
        found = connection.execute(query, (issuer,)).fetchone()
        return tuple(found) if found is not None else None


def _written(row: Row) -> list[Any]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    values["attributes"] = json.dumps(dict(row.attributes))
    values["disposition"] = int(row.disposition)
    return list(values.values())
