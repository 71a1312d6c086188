"""The locks, between threads and between processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from keystores.errors import DeviceFailure, StoreBusy
from keystores.locks import file_lock, pkcs11_lock

HOLDER = """
import sys
from pathlib import Path
from keystores.locks import file_lock
with file_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
COUNTER = """
import sys
from pathlib import Path
from keystores.locks import file_lock
lock, counter = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(50):
    with file_lock(lock):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def release(process: subprocess.Popen[str]) -> None:
    process.communicate("")


def test_a_lock_of_another_process_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    other = holder(tmp_path / "lock")
    try:
        with pytest.raises(StoreBusy, match=r"0\.05 seconds") as caught, file_lock(tmp_path / "lock", timeout=0.05):
            pass
        assert caught.value.hresult == 0x800705B4
    finally:
        release(other)
    with file_lock(tmp_path / "lock", timeout=0.05):
        pass


def test_a_process_that_dies_gives_its_lock_back(tmp_path: Path) -> None:
    other = holder(tmp_path / "lock")
    other.kill()
    other.communicate()
    with file_lock(tmp_path / "lock", timeout=1):
        pass


def test_processes_that_take_turns_lose_no_step(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    command = [sys.executable, "-c", COUNTER, str(tmp_path / "lock"), str(tmp_path / "counter")]
    processes = [subprocess.Popen(command) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "counter").read_text() == "150"


def test_the_thread_that_holds_a_lock_may_take_it_again(tmp_path: Path) -> None:
    with file_lock(tmp_path / "lock"), file_lock(tmp_path / "lock", timeout=0):
        pass
    with file_lock(tmp_path / "lock", timeout=0):
        pass


def test_another_thread_waits_for_the_lock(tmp_path: Path) -> None:
    errors: list[StoreBusy] = []

    def take() -> None:
        try:
            with file_lock(tmp_path / "lock", timeout=0.05):
                pass
        except StoreBusy as error:
            errors.append(error)

    with file_lock(tmp_path / "lock"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert len(errors) == 1
    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    assert len(errors) == 1


def test_an_error_inside_the_block_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path / "lock"):
        raise ZeroDivisionError
    release(holder(tmp_path / "lock"))


def test_two_lock_files_are_two_locks(tmp_path: Path) -> None:
    other = holder(tmp_path / "one")
    with file_lock(tmp_path / "two", timeout=0):
        pass
    release(other)


def test_a_lock_file_and_its_folder_are_their_owner_s_alone(tmp_path: Path) -> None:
    with file_lock(tmp_path / "folder" / "lock"):
        pass
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "folder" / "lock").stat().st_mode) == 0o600


def test_a_lock_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceFailure), file_lock(tmp_path / "file" / "lock"):
        pass


def test_a_link_is_not_followed_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DeviceFailure), file_lock(tmp_path / "lock"):
        pass
    assert not (tmp_path / "elsewhere").exists()


def in_child(work: str, path: Path) -> int:
    """Forks inside a held lock, in a process of its own: a test runner has threads, and forking those is warned about."""
    code = f"import os, sys\nfrom pathlib import Path\nfrom keystores.locks import *\nfrom keystores.errors import *\n{work}"
    return subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60).returncode


def test_a_child_does_not_hold_what_its_parent_holds(tmp_path: Path) -> None:
    work = """
path = Path(sys.argv[1])
with file_lock(path):
    child = os.fork()
    if child == 0:
        try:
            with file_lock(path, timeout=0.05):
                os._exit(1)
        except StoreBusy:
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    assert in_child(work, tmp_path / "lock") == 0


def test_a_child_that_leaves_the_block_does_not_take_its_parent_s_lock_away(tmp_path: Path) -> None:
    work = """
path, parent = Path(sys.argv[1]), os.getpid()
with file_lock(path):
    child = os.fork()
if os.getpid() != parent:
    os._exit(0)
os.waitpid(child, 0)
with file_lock(path, timeout=0):
    pass
"""
    assert in_child(work, tmp_path / "lock") == 0


def test_a_child_can_take_the_pkcs11_lock(tmp_path: Path) -> None:
    work = """
import threading
started, over = threading.Event(), threading.Event()
def hold():
    with pkcs11_lock:
        started.set()
        over.wait(0.1)
threading.Thread(target=hold).start()
started.wait()
child = os.fork()
if child == 0:
    os._exit(0 if pkcs11_lock.acquire(timeout=5) else 1)
over.set()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    assert in_child(work, tmp_path) == 0


def test_the_pkcs11_lock_may_be_taken_twice_by_one_thread() -> None:
    with pkcs11_lock, pkcs11_lock:
        assert os.getpid()
