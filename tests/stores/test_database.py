"""The database: transactions, processes, threads, forks, crashes, and what each error says."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from certenroll.stores import database as module
from certenroll.stores import schema
from certenroll.stores.database import APPLICATION_ID, Database
from certenroll.stores.errors import DiskFull, NewerSchema, StoreBusy, StoreCorrupt, StoreError, StoreReadOnly
from certenroll.stores.journal import Journal

NEXT = max(schema.MIGRATIONS) + 1


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "store.db")


def kinds(database: Database) -> list[str]:
    return [intent.kind for intent in Journal(database).unconfirmed()]


def run(script: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_file_is_made_with_mode_0600_whatever_the_umask(database: Database) -> None:
    before = os.umask(0)
    try:
        Journal(database).begin("a", {})
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in database.path.parent.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_a_commit_is_written_through_to_the_disk(database: Database) -> None:
    assert database.query("PRAGMA journal_mode") == [("wal",)]
    assert database.query("PRAGMA synchronous") == [(2,)]  # FULL
    assert database.query("PRAGMA foreign_keys") == [(1,)]


def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.transaction():
            Journal(database).begin("a", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kinds(database) == []


def test_an_inner_failure_that_is_survived_takes_back_the_inner_part_alone(database: Database) -> None:
    journal = Journal(database)

    def fail() -> None:
        with database.transaction():
            journal.begin("inner", {})
            raise KeyError

    with database.transaction():
        journal.begin("outer", {})
        with pytest.raises(KeyError):
            fail()
        journal.begin("after", {})
    assert kinds(database) == ["outer", "after"]


def test_an_inner_transaction_is_not_durable_before_the_outer_one_ends(database: Database) -> None:
    other = Database(database.path)
    with database.transaction():
        with database.transaction():
            Journal(database).begin("inner", {})
        assert kinds(other) == []
    assert kinds(other) == ["inner"]


def test_another_thread_sees_nothing_of_an_open_transaction(database: Database) -> None:
    seen: list[list[str]] = []
    with database.transaction():
        Journal(database).begin("a", {})
        reader = threading.Thread(target=lambda: seen.append(kinds(database)))
        reader.start()
        reader.join()
    assert seen == [[]]


def test_threads_that_write_at_once_lose_nothing(database: Database) -> None:
    def write(name: str) -> None:
        for number in range(20):
            Journal(database).begin(f"{name}{number}", {})

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(kinds(database)) == sorted(f"{name}{number}" for name in "abcd" for number in range(20))


WRITE_FIFTY = """
import sys
from pathlib import Path
from certenroll.stores.database import Database
from certenroll.stores.journal import Journal
journal = Journal(Database(Path(sys.argv[1])))
for number in range(50):
    journal.begin(sys.argv[2], {"number": str(number)})
"""


def test_eight_processes_make_the_file_and_write_at_once_without_an_error(database: Database) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_FIFTY, str(database.path), f"writer{number}"], stderr=subprocess.PIPE)
        for number in range(8)
    ]
    assert [writer.communicate()[1] for writer in writers] == [b""] * 8
    found = kinds(database)
    assert {kind: found.count(kind) for kind in set(found)} == {f"writer{number}": 50 for number in range(8)}


CRASH = """
import sys
from pathlib import Path
from certenroll.stores.database import Database
from certenroll.stores.journal import Journal
database = Database(Path(sys.argv[1]))
journal = Journal(database)
for number in range(3):
    with database.transaction():
        journal.begin("left", {"number": str(number)})
        journal.begin("right", {"number": str(number)})
"""


def test_a_kill_at_any_write_point_leaves_whole_transactions(tmp_path: Path) -> None:
    log = tmp_path / "points"
    assert run(CRASH, tmp_path / "whole.db", XENROLL_FAULT_LOG=str(log)).returncode == 0
    points = len(log.read_text().splitlines())
    assert points == 8  # the schema and three transactions, two points each
    for point in range(1, points + 1):
        path = tmp_path / f"{point}.db"
        assert run(CRASH, path, XENROLL_FAULT_AT=str(point)).returncode == -signal.SIGKILL
        database = Database(path)
        committed = max(0, point // 2 - 1)
        assert kinds(database) == ["left", "right"] * committed
        assert database.query("PRAGMA integrity_check") == [("ok",)]


def in_child(work: object) -> int:
    """The exit code of a forked child that runs ``work``: 0 where it returns, 1 where it raises a StoreError."""
    child = os.fork()
    if child == 0:
        try:
            work()  # type: ignore[operator]
            os._exit(0)
        except StoreError:
            os._exit(1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_parent_and_child_of_a_fork_both_go_on_writing(database: Database) -> None:
    journal = Journal(database)
    journal.begin("before", {})
    assert in_child(lambda: journal.begin("child", {})) == 0
    journal.begin("parent", {})
    assert kinds(database) == ["before", "child", "parent"]


def test_a_child_keeps_what_it_writes_after_its_parent_has_closed(database: Database) -> None:
    journal = Journal(database)
    journal.begin("before", {})
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        journal.begin("child opens", {})
        os.write(ready[1], b".")
        os.read(go[0], 1)
        journal.begin("child writes", {})
        os._exit(0)
    os.read(ready[0], 1)
    database.close()  # the last connection to close deletes the WAL, and this one must know that it is not the last
    os.write(go[1], b".")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert kinds(Database(database.path)) == ["before", "child opens", "child writes"]
    for end in (*ready, *go):
        os.close(end)


def test_a_child_forked_within_a_transaction_is_refused_and_harms_nothing(database: Database) -> None:
    journal = Journal(database)
    with database.transaction():
        journal.begin("a", {})
        assert in_child(lambda: journal.begin("child", {})) == 1
    assert kinds(database) == ["a"]


FORK_WITHIN = """
import os, sys
from pathlib import Path
from certenroll.stores.database import Database
from certenroll.stores.errors import StoreError
from certenroll.stores.journal import Journal
path = Path(sys.argv[1])
database = Database(path)
with database.transaction():
    Journal(database).begin("a", {})
    child = os.fork()
    if child == 0:
        try:
            Journal(Database(path)).begin("by another object", {})
        except StoreError:
            print("refused", flush=True)
        raise SystemExit  # and so through the interpreter's own end
    os.waitpid(child, 0)
    Journal(database).begin("b", {})
"""


def test_a_child_that_ends_in_the_ordinary_way_does_not_undo_its_parents_transaction(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    done = run(FORK_WITHIN, path)
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr
    assert kinds(Database(path)) == ["a", "b"]


def test_threads_write_on_while_another_one_forks(database: Database) -> None:
    journal = Journal(database)

    def write() -> None:
        for _ in range(40):
            journal.begin("thread", {})

    writer = threading.Thread(target=write)
    writer.start()
    codes = [in_child(lambda: journal.begin("child", {})) for _ in range(5)]
    writer.join()
    assert set(codes) == {0}
    assert sorted(kinds(database)) == ["child"] * 5 + ["thread"] * 40


def test_a_closed_database_opens_again_at_the_next_use(database: Database) -> None:
    Journal(database).begin("a", {})
    database.close()
    assert kinds(database) == ["a"]


def test_a_lock_held_too_long_is_a_sharing_violation(database: Database) -> None:
    impatient = Database(database.path, timeout=0.05)
    Journal(impatient).unconfirmed()
    with database.transaction(), pytest.raises(StoreBusy) as caught:
        Journal(impatient).begin("a", {})
    assert caught.value.hresult == 0x80070020


def test_a_full_disk_keeps_nothing_of_the_transaction(database: Database) -> None:
    journal = Journal(database)
    journal.begin("small", {})
    database.query(f"PRAGMA max_page_count = {database.query('PRAGMA page_count')[0][0]}")

    def fill() -> None:
        with database.transaction():
            journal.begin("small too", {})
            journal.begin("large", {"text": "x" * 100_000})

    with pytest.raises(DiskFull) as caught:
        fill()
    assert caught.value.hresult == 0x80070070
    assert kinds(database) == ["small"]


def test_a_file_that_is_no_database_is_called_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreCorrupt) as caught:
        Journal(Database(path)).unconfirmed()
    assert caught.value.hresult == 0x8007054F


def test_a_damaged_page_is_called_corrupt(database: Database) -> None:
    for number in range(200):
        Journal(database).begin(f"kind{number}", {"text": "x" * 100})
    root = database.query("SELECT rootpage FROM sqlite_master WHERE name = 'intents'")[0][0]
    database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    with open(database.path, "r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(StoreCorrupt):
        kinds(database)


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA application_id = 42")
    other.close()
    with pytest.raises(StoreCorrupt, match="another program"):
        Database(path).query("SELECT 1")


def test_a_newer_schema_is_refused_and_untouched(database: Database) -> None:
    database.query("PRAGMA user_version = 99")
    database.close()
    before = database.path.read_bytes()
    with pytest.raises(NewerSchema, match="99") as caught:
        database.query("SELECT 1")
    assert caught.value.hresult == 0x80070032
    assert database.path.read_bytes() == before


def test_an_older_schema_takes_the_steps_above_its_own(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(database).begin("kept", {})
    database.close()
    monkeypatch.setitem(schema.MIGRATIONS, NEXT, "CREATE TABLE added (id INTEGER);\nINSERT INTO added VALUES (7);")
    assert database.query("SELECT id FROM added") == [(7,)]
    assert (database.version, kinds(database)) == (NEXT, ["kept"])


def test_a_profile_of_the_first_version_gets_what_was_added_since(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(module, "MIGRATIONS", {1: schema.VERSION_1})
        first = Database(tmp_path / "store.db")
        Journal(first).begin("kept", {})
        first.close()
    later = Database(tmp_path / "store.db")
    assert later.query("SELECT COUNT(*) FROM mdm_nodes") == [(0,)]
    assert (later.version, kinds(later)) == (max(schema.MIGRATIONS), ["kept"])


def test_a_migration_that_fails_leaves_the_old_version(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(database).begin("kept", {})
    database.close()
    with monkeypatch.context() as patched:
        patched.setitem(schema.MIGRATIONS, NEXT, "CREATE TABLE added (id INTEGER);\nnonsense;")
        with pytest.raises(StoreError):
            database.query("SELECT 1")
    assert (database.version, kinds(database)) == (NEXT - 1, ["kept"])
    assert database.query("SELECT name FROM sqlite_master WHERE name = 'added'") == []


def test_the_file_says_whose_it_is(database: Database) -> None:
    database.query("SELECT 1")
    assert database.query("PRAGMA application_id") == [(APPLICATION_ID,)]


READ_ONLY = """
import os, sys
from pathlib import Path
from certenroll.stores.database import Database
from certenroll.stores.errors import StoreError
from certenroll.stores.journal import Journal
if os.geteuid() == 0:
    os.setuid(65534)
try:
    Journal(Database(Path(sys.argv[1]))).begin("a", {})
except StoreError as error:
    print(hex(error.hresult))
"""


def test_a_file_that_may_not_be_written_is_access_denied() -> None:
    # Not below tmp_path, whose parents nobody but its owner may enter.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "store.db")
        path.write_bytes(b"")
        path.chmod(0o444)
        found = run(READ_ONLY, path, PYTHONPATH=os.getcwd())
    assert found.stdout.strip() == "0x80070005", found.stderr


def test_a_folder_that_is_not_there_is_a_path_not_found(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        Database(tmp_path / "absent" / "store.db").query("SELECT 1")
    assert caught.value.hresult == 0x80070003


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (sqlite3.SQLITE_READONLY_DIRECTORY, StoreReadOnly),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StoreBusy),
        (sqlite3.SQLITE_CORRUPT_INDEX, StoreCorrupt),
        (sqlite3.SQLITE_IOERR_WRITE, StoreError),
    ],
)
def test_an_extended_result_code_of_sqlite_is_taken_by_its_family(code: int, kind: type[StoreError]) -> None:
    error = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    assert type(module.store_error(error, Path("store.db"))) is kind


def test_a_process_that_opens_the_file_twice_keeps_its_locks(database: Database) -> None:
    """POSIX locks go when any descriptor of the file is closed: whoever leaves last then takes the others' journal along."""
    Journal(database).begin("first", {})
    other = Database(database.path)
    assert kinds(other) == ["first"]
    leaving = "import sys; from pathlib import Path; from certenroll.stores.database import Database as D\n"
    done = run(leaving + "d = D(Path(sys.argv[1])); d.query('SELECT 1 FROM intents'); d.close()", database.path)
    assert done.returncode == 0, done.stderr
    Journal(database).begin("second", {})
    seen = run(leaving + "print([r[0] for r in D(Path(sys.argv[1])).query('SELECT kind FROM intents')])", database.path)
    assert seen.stdout.strip() == "['first', 'second']"
