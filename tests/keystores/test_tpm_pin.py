"""PINs of TPM keys: right, wrong, missing, the last try, the lockout."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keystores.base import KeyAlgorithm, KeyTemplate, Scope, Secret, StoredKey
from keystores.errors import PinBlocked, PinError, PinRequired, WrongPin
from keystores.pins import ValuePin
from keystores.tpm import TpmKeyStore
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
PIN = Secret("correct horse")


@pytest.fixture
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def store(tpm: SwTpm, tmp_path: Path) -> Iterator[TpmKeyStore]:
    with TpmKeyStore(tmp_path / "keys", Scope.USER, tpm.tcti) as made:
        yield made


def signs(stored: StoredKey) -> bool:
    key = stored.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return bool(key.sign(b"text", ec.ECDSA(hashes.SHA256())))


def test_a_key_with_a_pin_opens_with_it(store: TpmKeyStore) -> None:
    assert signs(store.create("web", P256, pin=PIN))
    assert signs(store.open("web", pin=PIN))


def test_an_imported_key_with_a_pin_opens_with_it_alone(store: TpmKeyStore) -> None:
    assert signs(store.import_key("web", ec.generate_private_key(ec.SECP256R1()), pin=PIN))
    assert signs(store.open("web", pin=PIN))
    with pytest.raises(WrongPin):
        store.open("web", pin=Secret("wrong"))


def test_a_key_without_a_pin_passes_over_one_that_is_given(store: TpmKeyStore) -> None:
    store.create("web", P256)
    assert signs(store.open("web", pin=PIN))


def test_the_stores_own_pin_source_is_asked_where_none_is_given(tpm: SwTpm, store: TpmKeyStore) -> None:
    asked: list[str] = []

    def source(purpose: str, /) -> Secret | None:
        asked.append(purpose)
        return PIN

    store.create("web", P256, pin=PIN)
    store.create("free", P256)
    with TpmKeyStore(store.directory, Scope.USER, tpm.tcti, source) as other:
        assert signs(other.open("web"))
        assert signs(other.open("free"))
    assert asked == ["the TPM key of container 'web'"]


def test_without_any_pin_one_is_required(store: TpmKeyStore) -> None:
    store.create("web", P256, pin=PIN)
    with pytest.raises(PinRequired) as caught:
        store.open("web")
    assert caught.value.hresult == 0x80090022


def test_a_wrong_pin_says_how_many_tries_are_left_and_the_last_is_kept(store: TpmKeyStore) -> None:
    store.create("web", P256, pin=PIN)
    left = []
    for _ in range(2):
        with pytest.raises(WrongPin) as caught:
            store.open("web", pin=Secret("wrong"))
        left.append(caught.value.attempts_left)
    assert left == [2, 1]
    with pytest.raises(PinBlocked, match="allow_final_try"):
        store.open("web", pin=Secret("wrong"))
    with pytest.raises(PinBlocked):
        store.open("web", pin=PIN)


def test_the_last_try_is_made_for_who_asks_for_it_and_then_the_tpm_locks(store: TpmKeyStore) -> None:
    store.create("web", P256, pin=PIN)
    store.allow_final_try = True
    for left in (2, 1, 0):
        with pytest.raises(WrongPin) as caught:
            store.open("web", pin=Secret("wrong"))
        assert caught.value.attempts_left == left
    for pin in (PIN, Secret("wrong")):
        with pytest.raises(PinBlocked, match="dictionarylockout") as blocked:
            store.open("web", pin=pin)
        assert blocked.value.hresult == 0x8010006C


def test_a_lockout_leaves_keys_without_a_pin_alone(store: TpmKeyStore) -> None:
    free = store.create("free", P256)
    store.create("web", P256, pin=PIN)
    store.allow_final_try = True
    for _ in range(3):
        with pytest.raises(WrongPin):
            store.open("web", pin=Secret("wrong"))
    assert signs(free)
    assert signs(store.open("free"))


def test_the_right_pin_can_be_given_on_the_last_try(store: TpmKeyStore) -> None:
    store.create("web", P256, pin=PIN)
    for _ in range(2):
        with pytest.raises(WrongPin):
            store.open("web", pin=Secret("wrong"))
    store.allow_final_try = True
    assert signs(store.open("web", pin=PIN))


def test_a_pin_that_a_tpm_cannot_hold_is_refused(store: TpmKeyStore) -> None:
    for pin in (Secret("x" * 33), Secret("é" * 17), Secret("abc\0")):
        with pytest.raises(PinError):
            store.create("web", P256, pin=pin)
    assert not store.directory.exists()
    assert signs(store.create("web", P256, pin=Secret("x" * 32)))


def test_an_empty_pin_is_none(store: TpmKeyStore) -> None:
    assert signs(store.create("web", P256, pin=Secret("")))
    assert signs(store.open("web"))


def test_no_secret_is_in_errors_logs_reprs_or_files(
    store: TpmKeyStore, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    right, wrong = "s3cret" + "-pin", "wr0ng" + "-pin"  # in parts, for tracebacks quote source lines
    made = store.create("web", P256, pin=Secret(right))
    with pytest.raises(WrongPin) as caught:
        store.open("web", pin=Secret(wrong))
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(made) + repr(vars(made.private_key))
    shown += Path(made.info.reference).read_text() + "".join(capfd.readouterr())
    assert right not in shown
    assert wrong not in shown


def test_a_default_pin_makes_no_key_with_a_pin(tpm: SwTpm, tmp_path: Path) -> None:
    with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti, ValuePin(PIN)) as store:
        store.create("web", P256)
    with TpmKeyStore(tmp_path, Scope.USER, tpm.tcti) as store:
        assert signs(store.open("web"))
