"""The database of a profile: connections, transactions, the schema's version. Knows no table's meaning.

One SQLite file in WAL mode with synchronous=FULL: what is committed survives a crash and a power cut. A connection belongs
to one thread; every transaction is BEGIN IMMEDIATE, so that a writer learns at its start, and not at its end, that it
has to wait. A connection must not cross a fork (https://www.sqlite.org/howtocorrupt.html section 2.6), so all idle ones are
closed before one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from certenroll.stores import faults
from certenroll.stores.errors import DiskFull, NewerSchema, StoreBusy, StoreCorrupt, StoreError, StoreReadOnly, os_code
from certenroll.stores.schema import MIGRATIONS

Row = tuple[Any, ...]

APPLICATION_ID: Final = 0x58454E52  # "XENR", by which file(1) and this module know the file
_FORK_PATIENCE: Final = 5.0  # seconds that a fork waits for the transactions of other threads

_CODES: Final[dict[int, type[StoreError]]] = {
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_CORRUPT: StoreCorrupt,
    sqlite3.SQLITE_NOTADB: StoreCorrupt,
    sqlite3.SQLITE_READONLY: StoreReadOnly,
    sqlite3.SQLITE_PERM: StoreReadOnly,
    sqlite3.SQLITE_AUTH: StoreReadOnly,
    sqlite3.SQLITE_CANTOPEN: StoreReadOnly,
}


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError that stands for an error of SQLite, by its result code (https://www.sqlite.org/rescode.html)."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return _CODES.get(code, StoreError)(f"{path}: {error}")


class _Connection:
    """One thread's connection, and how deep it stands in transactions. Closed when its thread ends."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self.raw = raw
        self.lock = threading.RLock()  # held while a statement or a transaction runs; a fork waits for it
        self.depth = 0
        self.closed = False

    def close(self) -> None:
        self.closed = True
        self.raw.close()

    def __del__(self) -> None:
        self.close()


class Database:
    """A profile's database file. Usable from several threads and several processes.

    Args:
        path: the file; made, mode 0600, where it does not exist. Its folder must exist.
        timeout: seconds to wait for another process before StoreBusy.

    The file is opened at the first use. Every method raises StoreError of the kind that says what is wrong.
    """

    def __init__(self, path: Path, *, timeout: float = 30.0) -> None:
        self.path: Final = Path(path)
        self._timeout = timeout
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._guard = threading.Lock()  # held while a connection is made, and across a fork
        _databases.add(self)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN IMMEDIATE, the block, COMMIT; ROLLBACK where the block raises.

        A transaction within another joins it: nothing is durable before the outer one ends, and a failure that the
        outer one survives takes back the inner one's part alone.
        """
        with self._held() as connection:
            if connection.depth:
                with self._savepoint(connection):
                    yield
                return
            self._run(connection, "BEGIN IMMEDIATE")
            connection.depth = 1
            try:
                yield
                faults.write_point("before commit")
                self._run(connection, "COMMIT")
            finally:
                connection.depth = 0
                if connection.raw.in_transaction:
                    connection.raw.rollback()
            faults.write_point("after commit")

    @contextmanager
    def _savepoint(self, connection: _Connection) -> Iterator[None]:
        name = f"level{connection.depth}"
        self._run(connection, f"SAVEPOINT {name}")
        connection.depth += 1
        try:
            yield
        except BaseException:
            if connection.raw.in_transaction:  # a full disk has rolled everything back already
                self._run(connection, f"ROLLBACK TO {name}")
            raise
        finally:
            connection.depth -= 1
            if connection.raw.in_transaction:
                self._run(connection, f"RELEASE {name}")

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of a SELECT, all of them, so that no cursor stays open."""
        with self._held() as connection:
            return self._run(connection, sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[int, int]:
        """Runs a statement that writes, in the transaction that is open, or in one of its own.

        Returns:
            (rows changed, id of the row inserted last).
        """
        with self._held() as connection:
            if not connection.depth:
                with self.transaction():
                    return self.execute(sql, parameters)
            cursor = self._run(connection, sql, parameters)
            return cursor.rowcount, cursor.lastrowid or 0

    @property
    def version(self) -> int:
        """The schema's version in the file."""
        return int(self.query("PRAGMA user_version")[0][0])

    def close(self) -> None:
        """Closes the connections of all threads; the next use opens one again. No transaction may be open."""
        with self._guard:
            self._close_idle(patience=-1)

    def _run(self, connection: _Connection, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return connection.raw.execute(sql, parameters)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error

    @contextmanager
    def _held(self) -> Iterator[_Connection]:
        """This thread's connection, kept from being closed by a fork in another thread."""
        while True:
            connection = self._connection()
            with connection.lock:
                if connection.closed:
                    continue
                yield connection
                return

    def _connection(self) -> _Connection:
        found: _Connection | None = getattr(self._local, "connection", None)
        if found is not None and not found.closed:
            return found
        if os.path.realpath(self.path) in _broken:
            raise StoreError(f"{self.path}: this process was forked within a transaction; fork outside of one")
        with self._guard:
            made = _Connection(self._open())
            self._connections.add(made)
        self._local.connection = made
        return made

    def _open(self) -> sqlite3.Connection:
        try:
            with contextlib.suppress(FileExistsError):
                os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}", hresult=os_code(error)) from error
        raw: sqlite3.Connection | None = None
        try:
            raw = sqlite3.connect(self.path, timeout=self._timeout, isolation_level=None, check_same_thread=False)
            raw.execute("PRAGMA foreign_keys = ON")
            raw.execute("PRAGMA synchronous = FULL")
            raw.execute("PRAGMA secure_delete = ON")  # a password that was deleted is not left in the file
            if self._must_prepare(raw):
                self._prepare(raw)
        except sqlite3.Error as error:
            if raw is not None:
                raw.close()
            raise store_error(error, self.path) from error
        except StoreError:
            if raw is not None:
                raw.close()
            raise
        return raw

    def _must_prepare(self, raw: sqlite3.Connection) -> bool:
        mode = raw.execute("PRAGMA journal_mode").fetchone()[0]
        version = raw.execute("PRAGMA user_version").fetchone()[0]
        self._check_owner(raw, version)
        return bool(mode != "wal" or version < max(MIGRATIONS))

    def _check_owner(self, raw: sqlite3.Connection, version: int) -> None:
        application = raw.execute("PRAGMA application_id").fetchone()[0]
        if application not in (0, APPLICATION_ID) or (application == 0 and version != 0):
            raise StoreCorrupt(f"{self.path} is the database of another program")
        if version > max(MIGRATIONS):
            raise NewerSchema(
                f"{self.path} has schema version {version} and this program knows {max(MIGRATIONS)}; update it, "
                "or name another profile folder in XENROLL_HOME"
            )

    def _prepare(self, raw: sqlite3.Connection) -> None:
        # The change to WAL does not wait for other processes, so those that make the file take turns.
        turn = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(turn, fcntl.LOCK_EX)
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("BEGIN IMMEDIATE")
            version = raw.execute("PRAGMA user_version").fetchone()[0]
            self._check_owner(raw, version)
            for target in range(version + 1, max(MIGRATIONS) + 1):
                self._migrate(raw, target)
            faults.write_point("before commit")
            raw.execute("COMMIT")
            faults.write_point("after commit")
        finally:
            os.close(turn)

    @staticmethod
    def _migrate(raw: sqlite3.Connection, target: int) -> None:
        for statement in _statements(MIGRATIONS[target]):
            raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {target}")
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _close_idle(self, patience: float) -> None:
        for connection in list(self._connections):
            if not connection.lock.acquire(timeout=patience):
                continue
            try:
                if not connection.depth:
                    self._connections.discard(connection)
                    connection.close()
            finally:
                connection.lock.release()

    def _before_fork(self) -> None:
        self._guard.acquire()
        self._close_idle(_FORK_PATIENCE)

    def _after_fork_in_parent(self) -> None:
        self._guard.release()

    def _after_fork_in_child(self) -> None:
        """What was left open is the parent's: it is neither used nor closed here."""
        for inherited in list(self._connections):
            _never_freed(inherited)
            _broken.add(os.path.realpath(self.path))
        self._connections = weakref.WeakSet()
        self._local = threading.local()
        self._guard = threading.Lock()


def _never_freed(connection: _Connection) -> None:
    """Keeps a parent's connection from being closed here, even at exit: that would undo the parent's transaction."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one; executescript would commit the transaction that surrounds it."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_broken: set[str] = set()  # files of which this process inherited an open transaction: SQLite's locks on them are wrong here
_fork_turn = threading.Lock()  # threads that fork at once take turns
_forking: list[Database] = []


def _before_fork() -> None:
    _fork_turn.acquire()
    _forking.extend(_databases)
    for database in _forking:
        database._before_fork()


def _after_fork(step: Callable[[Database], None]) -> None:
    for database in _forking:
        step(database)
    _forking.clear()
    _fork_turn.release()


os.register_at_fork(
    before=_before_fork,
    after_in_parent=lambda: _after_fork(Database._after_fork_in_parent),
    after_in_child=lambda: _after_fork(Database._after_fork_in_child),
)
