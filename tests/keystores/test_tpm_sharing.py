"""One TPM and many users of it: threads, processes, slots that others left full, a TPM that goes away and comes back."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keystores.base import KeyAlgorithm, KeyTemplate, PrivateKey, Scope, Secret
from keystores.errors import BadKeyData, DeviceFailure, KeyExists, KeyStoreError, StoreUnavailable, WrongPin
from keystores.tpm import TpmKeyStore
from keystores.tpm.context import lock_path
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)


@pytest.fixture
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def store(tpm: SwTpm, tmp_path: Path) -> Iterator[TpmKeyStore]:
    with TpmKeyStore(tmp_path / "keys", Scope.USER, tpm.tcti) as made:
        yield made


def sign(key: PrivateKey) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(b"text", ec.ECDSA(hashes.SHA256()))


def loaded_handles(tcti: str) -> list[int]:
    from tpm2_pytss.constants import TPM2_CAP
    from tpm2_pytss.ESAPI import ESAPI

    found = []
    with ESAPI(tcti) as context:
        for first in (0x80000000, 0x02000000, 0x03000000):
            _, capability = context.get_capability(TPM2_CAP.HANDLES, first, 64)
            found += [int(handle) for handle in list(capability.data.handles)]
    return found


def leak(tcti: str, count: int = 3) -> None:
    """Leaves ``count`` objects in the TPM, as programs do that end without flushing them."""
    from tpm2_pytss.constants import ESYS_TR
    from tpm2_pytss.ESAPI import ESAPI
    from tpm2_pytss.types import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE

    from keystores.tpm.objects import SRK_TEMPLATE

    with ESAPI(tcti) as context:
        for _ in range(count):
            context.create_primary(TPM2B_SENSITIVE_CREATE(), TPM2B_PUBLIC(publicArea=SRK_TEMPLATE), ESYS_TR.OWNER)


def leak_sessions(tcti: str, count: int = 3) -> None:
    from tpm2_pytss.constants import ESYS_TR, TPM2_ALG, TPM2_SE
    from tpm2_pytss.ESAPI import ESAPI

    with ESAPI(tcti) as context:
        for _ in range(count):
            context.start_auth_session(ESYS_TR.NONE, ESYS_TR.NONE, TPM2_SE.HMAC, None, TPM2_ALG.SHA256)


def test_four_threads_use_one_key_and_one_store(store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    signatures: list[bytes] = []

    def work() -> None:
        signatures.extend(sign(key) for _ in range(25))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(signatures)) == 100


def test_two_stores_in_two_threads_share_one_tpm(tpm: SwTpm, tmp_path: Path) -> None:
    signatures: list[bytes] = []

    def work(name: str) -> None:
        with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti) as store:
            key = store.create(name, P256).private_key
            signatures.extend(sign(key) for _ in range(20))

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(signatures) == 40


def _in_a_process(directory: Path, tcti: str, name: str) -> None:
    with TpmKeyStore(directory, Scope.USER, tcti) as store:
        store.create(name, P256)
        for _ in range(10):
            sign(store.open(name).private_key)


def test_four_processes_share_one_tpm(tpm: SwTpm, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_in_a_process, args=(tmp_path, tpm.tcti, name)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti) as store:
        assert [info.container for info in store.list()] == ["a", "b", "c", "d"]
    assert loaded_handles(tpm.tcti) == []


def test_a_forked_child_and_its_parent_both_go_on(store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    sign(key)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if sign(key) else 1
        finally:
            os._exit(status)
    sign(key)
    _, status = os.waitpid(child, 0)
    sign(key)
    assert os.waitstatus_to_exitcode(status) == 0


def test_full_slots_are_emptied(tpm: SwTpm, store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    leak(tpm.tcti)
    assert sign(key)
    leak(tpm.tcti)
    assert store.open("web")
    leak(tpm.tcti)
    store.create("other", P256)
    assert loaded_handles(tpm.tcti) == []


def test_full_session_slots_are_emptied_before_a_pin_is_proved(tpm: SwTpm, store: TpmKeyStore) -> None:
    store.create("web", P256, pin=Secret("1234"))
    leak_sessions(tpm.tcti)
    assert sign(store.open("web", pin=Secret("1234")).private_key)
    assert loaded_handles(tpm.tcti) == []


def test_nothing_stays_loaded_after_any_failure(tpm: SwTpm, store: TpmKeyStore) -> None:
    store.create("web", P256, pin=Secret("1234"))
    with pytest.raises(WrongPin):
        store.open("web", pin=Secret("wrong"))
    damaged = store.directory / "web.tss2"
    lines = damaged.read_bytes().splitlines(keepends=True)
    lines[-2] = b"A" * (len(lines[-2]) - 5) + lines[-2][-5:]
    damaged.write_bytes(b"".join(lines))
    with pytest.raises((BadKeyData, DeviceFailure)):
        store.open("web", pin=Secret("1234"))
    with pytest.raises(KeyExists):
        store.create("web", P256)
    assert loaded_handles(tpm.tcti) == []


def test_a_tpm_that_was_restarted_is_found_again(tpm: SwTpm, store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    sign(key)
    tpm.restart()
    assert sign(key)
    tpm.restart()
    assert store.create("other", P256)
    tpm.restart()
    assert sign(store.open("web").private_key)


def test_a_key_with_a_pin_outlives_a_restart(tpm: SwTpm, store: TpmKeyStore) -> None:
    key = store.create("web", P256, pin=Secret("1234")).private_key
    tpm.restart()  # a power cut after the use of a PIN counts as a wrong one: that is the TPM's rule
    assert sign(key)
    assert sign(store.open("web", pin=Secret("1234")).private_key)


def test_a_tpm_that_went_away_is_unavailable_until_it_is_back(tpm: SwTpm, store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    tpm.stop()
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as caught:
            sign(key)
        assert caught.value.hresult == 0x8028400F
    with pytest.raises(StoreUnavailable):
        store.create("other", P256)
    assert [info.container for info in store.list()] == ["web"]
    tpm.start()
    assert sign(key)


def test_a_storage_key_that_was_removed_is_made_again(tpm: SwTpm, store: TpmKeyStore) -> None:
    from tpm2_pytss.constants import ESYS_TR
    from tpm2_pytss.ESAPI import ESAPI

    key = store.create("web", P256).private_key
    with ESAPI(tpm.tcti) as context:
        context.evict_control(ESYS_TR.OWNER, context.tr_from_tpmpublic(0x81000001), 0)
    assert sign(key)


def test_an_object_that_is_no_storage_key_is_not_used_as_one(tpm: SwTpm, store: TpmKeyStore) -> None:
    from tpm2_pytss.constants import ESYS_TR
    from tpm2_pytss.ESAPI import ESAPI
    from tpm2_pytss.types import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE

    with ESAPI(tpm.tcti) as context:
        attributes = "userwithauth|sign|fixedtpm|fixedparent|sensitivedataorigin"
        public = TPM2B_PUBLIC.parse("ecc:ecdsa-sha256:null", objectAttributes=attributes)
        signer, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), public, ESYS_TR.OWNER)
        context.evict_control(ESYS_TR.OWNER, signer, 0x81000001)
        context.flush_context(signer)
    with pytest.raises(KeyStoreError, match="no storage key") as caught:
        store.create("web", P256)
    assert caught.value.hresult == 0x80280152
    assert loaded_handles(tpm.tcti) == []


def test_an_rsa_storage_key_that_is_there_is_used(tpm: SwTpm, store: TpmKeyStore) -> None:
    from tpm2_pytss.constants import ESYS_TR
    from tpm2_pytss.ESAPI import ESAPI
    from tpm2_pytss.tsskey import _parent_rsa_template
    from tpm2_pytss.types import TPM2B_PUBLIC, TPM2B_SENSITIVE_CREATE

    with ESAPI(tpm.tcti) as context:
        public = TPM2B_PUBLIC(publicArea=_parent_rsa_template)
        srk, *_ = context.create_primary(TPM2B_SENSITIVE_CREATE(), public, ESYS_TR.OWNER)
        context.evict_control(ESYS_TR.OWNER, srk, 0x81000001)
        context.flush_context(srk)
    assert sign(store.create("web", P256).private_key)
    assert sign(store.import_key("other", ec.generate_private_key(ec.SECP256R1())).private_key)


def test_an_owner_password_is_said_and_no_reason_to_fall_back(tpm: SwTpm, store: TpmKeyStore) -> None:
    from tpm2_pytss.constants import ESYS_TR
    from tpm2_pytss.ESAPI import ESAPI

    with ESAPI(tpm.tcti) as context:
        context.hierarchy_change_auth(ESYS_TR.OWNER, b"owner")
    with pytest.raises(KeyStoreError, match="password") as caught:
        store.create("web", P256)
    assert not isinstance(caught.value, StoreUnavailable)


def test_a_closed_store_opens_again_where_it_is_used(store: TpmKeyStore) -> None:
    key = store.create("web", P256).private_key
    store.close()
    store.close()
    assert sign(key)


def test_a_tpm_has_one_lock_beside_its_socket(tmp_path: Path) -> None:
    assert lock_path(f"swtpm:path={tmp_path}/s") == tmp_path / "s.lock"
    assert lock_path("device:/dev/tpmrm0") == lock_path("device:/dev/tpmrm0")
    assert lock_path("device:/dev/tpmrm0") != lock_path("mssim:host=localhost,port=2321")


def test_looking_for_a_tpm_makes_no_folders(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        TpmKeyStore(tmp_path, Scope.USER, f"swtpm:path={tmp_path}/none/s").supported()
    assert list(tmp_path.iterdir()) == []


def test_of_two_who_make_one_container_one_is_told_that_it_is_there(tpm: SwTpm, tmp_path: Path) -> None:
    outcomes: list[str] = []

    def work() -> None:
        with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti) as store:
            try:
                store.create("web", P256)
                outcomes.append("made")
            except KeyExists:
                outcomes.append("there")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "there", "there", "there"]
    with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti) as store:
        assert sign(store.open("web").private_key)
