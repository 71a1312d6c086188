"""One card, many users: threads, processes, forks, configurations that change. Each of these breaks a bare library."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keystores.base import KeyAlgorithm, KeyTemplate, Scope, Secret, StoredKey
from keystores.errors import DeviceFailure, KeyExists, StoreUnavailable
from keystores.locks import pkcs11_lock
from keystores.smartcard import SmartCardKeyStore
from keystores.smartcard.initialise import make_soft_token
from tests.support.softhsm import SoftToken

EC256 = KeyTemplate(KeyAlgorithm.EC, 256)
ECDSA = ec.ECDSA(hashes.SHA256())


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with SoftToken() as made:
        yield made


def sign(stored: StoredKey, message: bytes = b"x") -> None:
    assert isinstance(stored.private_key, ec.EllipticCurvePrivateKey)
    stored.private_key.public_key().verify(stored.private_key.sign(message, ECDSA), message, ECDSA)


def test_four_threads_make_and_use_25_keys_each(token: SoftToken) -> None:
    start = threading.Barrier(4)

    def work(thread: int) -> None:
        store = token.store()
        start.wait()
        for number in range(25):
            name = f"{thread}-{number}"
            sign(store.create(name, EC256))
            sign(store.open(name))
            if number % 5 == 0:
                store.delete(name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(token.store().list()) == 4 * 20


def test_threads_that_want_one_name_make_one_key(token: SoftToken) -> None:
    start = threading.Barrier(4)

    def work(thread: int) -> bool:
        store = token.store()
        start.wait()
        try:
            store.create("wanted", EC256)
        except KeyExists:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [False, False, False, True]
    assert len(token.store().list()) == 1


CHILD = """
import sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from keystores.base import KeyAlgorithm, KeyTemplate, Scope
from keystores.errors import KeyExists
from keystores.pins import from_environment
from keystores.smartcard import SmartCardKeyStore
name, locks = sys.argv[1:]
store = SmartCardKeyStore(Scope.USER, pins=from_environment(), lock_directory=Path(locks))
sys.stdin.readline()
for number in range(10):
    key = store.create(f"{name}-{number}", KeyTemplate(KeyAlgorithm.EC, 256)).private_key
    key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    try:
        store.create(f"same-{number}", KeyTemplate(KeyAlgorithm.EC, 256))
        print("made", flush=True)
    except KeyExists:
        pass
"""


def test_four_processes_that_start_together_make_10_keys_each_and_no_name_twice(token: SoftToken) -> None:
    root = Path(__file__).resolve().parents[2]
    children = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", CHILD, str(number), str(token.directory / "locks")], cwd=root, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    results = [child.communicate(timeout=120) for child in children]
    assert [(child.returncode, errors) for child, (_, errors) in zip(children, results, strict=True)] == [(0, "")] * 4
    assert "".join(output for output, _ in results).count("made") == 10
    assert len(token.store().list()) == 4 * 10 + 10


def test_a_forked_child_uses_the_card_and_so_does_its_parent_afterwards(token: SoftToken) -> None:
    store = token.store()
    held = store.create("before the fork", EC256)
    sign(held)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sign(held)
            sign(store.create("in the child", EC256))
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    sign(held)
    sign(store.open("in the child"))


def test_a_child_forked_while_another_thread_has_the_lock_is_not_stuck(token: SoftToken) -> None:
    held = token.store().create("forked", EC256)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with pkcs11_lock:
            inside.set()
            leave.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    inside.wait(30)
    threading.Timer(0.05, leave.set).start()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sign(held)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    holder.join()


@pytest.mark.parametrize("disturb", ["finalize", "reinitialize"])
def test_a_library_that_other_code_ends_or_restarts_is_used_again(token: SoftToken, disturb: str) -> None:
    held = token.store().create("held", EC256)
    sign(held)
    getattr(pkcs11.lib(token.module), disturb)()
    sign(held)
    sign(token.store().open("held"))


def test_other_code_of_this_process_may_be_logged_in_to_the_token(token: SoftToken) -> None:
    token.store().create("held", EC256)
    pkcs11.lib(token.module).reinitialize()
    session = pkcs11.lib(token.module).get_token(token_label=token.label).open(rw=True, user_pin=token.pin)
    sign(token.store().open("held"))
    assert list(session.get_objects())


def test_a_token_made_after_the_library_started_is_found(token: SoftToken) -> None:
    token.store().list()
    later = make_soft_token(token.directory, "made later", Secret("4321"))
    assert later["SOFTHSM2_CONF"] == token.environ["SOFTHSM2_CONF"]
    store = SmartCardKeyStore(
        Scope.USER, token.module, later["XENROLL_PKCS11_TOKEN"], lambda purpose: Secret("4321"), token.directory / "locks"
    )
    sign(store.create("new", EC256))
    assert token.store().list() == []


def test_a_change_of_the_configuration_leads_to_the_other_token_and_back(token: SoftToken) -> None:
    first = token.store()
    here = first.create("here", EC256)
    sign(here)
    with SoftToken() as other:
        assert other.store().list() == []
        sign(other.store().create("there", EC256))
        with pytest.raises(StoreUnavailable) as caught:
            first.list()
        assert caught.value.hresult == 0x8010000C
        with pytest.raises(StoreUnavailable):
            sign(here)
    sign(here)
    assert [info.container for info in first.list()] == ["here"]


def test_several_tokens_and_no_uri_is_an_error_that_names_them(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XENROLL_PKCS11_TOKEN")
    anyone = SmartCardKeyStore(Scope.USER, token.module, lock_directory=token.directory / "locks")
    make_soft_token(token.directory, "the second", Secret("4321"))
    with pytest.raises(DeviceFailure) as caught:
        anyone.list()
    assert caught.value.hresult == 0x80100009
    assert token.uri in str(caught.value)
    assert "pkcs11:token=the%20second;" in str(caught.value)


def test_the_only_token_needs_no_uri(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XENROLL_PKCS11_TOKEN")
    token.store().create("alone", EC256)
    anyone = SmartCardKeyStore(Scope.USER, token.module, lock_directory=token.directory / "locks")
    assert [info.container for info in anyone.list()] == ["alone"]


def test_no_library_no_token_and_no_package_are_three_answers(token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = token.directory / "locks"
    with pytest.raises(StoreUnavailable) as missing_library:
        SmartCardKeyStore(Scope.USER, "/nowhere/library.so", lock_directory=locks).list()
    with pytest.raises(StoreUnavailable) as missing_token:
        SmartCardKeyStore(Scope.USER, token.module, "pkcs11:token=nobody", lock_directory=locks).list()
    monkeypatch.delenv("XENROLL_PKCS11_MODULE")
    with pytest.raises(StoreUnavailable, match="XENROLL_PKCS11_MODULE") as unnamed_library:
        SmartCardKeyStore(Scope.USER, lock_directory=locks).list()
    assert missing_library.value.hresult == unnamed_library.value.hresult == 0x8010002E
    assert missing_token.value.hresult == 0x8010000C
    assert token.store().list() == []


def test_a_configuration_that_leads_nowhere_says_so_and_does_not_stick(
    token: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = token.store()
    store.create("kept", EC256)
    monkeypatch.setenv("SOFTHSM2_CONF", "/nowhere/softhsm2.conf")
    with pytest.raises(StoreUnavailable):
        store.list()
    monkeypatch.setenv("SOFTHSM2_CONF", token.environ["SOFTHSM2_CONF"])
    assert [info.container for info in store.list()] == ["kept"]


PACKAGE_MISSING = """
import sys
sys.modules["pkcs11"] = None
import importlib.util
from keystores.base import Scope
from keystores.errors import PackageMissing
from keystores.smartcard import SmartCardKeyStore
store = SmartCardKeyStore(Scope.USER, "/usr/lib/libany.so")
try:
    store.list()
except PackageMissing as error:
    print(hex(error.hresult), error)
"""


def test_without_the_package_the_store_can_be_imported_and_says_what_to_install() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", PACKAGE_MISSING], cwd=root, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("0x8007007e ")
    assert "pip install 'xenroll[smartcard]'" in done.stdout
