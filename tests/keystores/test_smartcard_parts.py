"""The parts of the smart-card store that need no card: its error table and its URIs; and the making of soft tokens."""

from __future__ import annotations

import contextlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pkcs11.exceptions
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.hresults import lookup
from keystores.base import Scope, Secret
from keystores.errors import (
    DeviceFailure,
    KeyStoreError,
    NotPermitted,
    PinBlocked,
    PinError,
    StoreFull,
    StoreUnavailable,
    UnsupportedKey,
    WrongPin,
)
from keystores.smartcard import SmartCardKeyStore, errors
from keystores.smartcard.initialise import make_soft_token
from keystores.smartcard.module import softhsm_library
from keystores.smartcard.uri import TokenUri, parse
from tests.support.requires import missing, program

EXCEPTIONS = [
    found for _, found in inspect.getmembers(pkcs11.exceptions, inspect.isclass)
    if issubclass(found, pkcs11.exceptions.PKCS11Error)
]


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_of_the_package_becomes_an_error_of_key_stores(kind: type[pkcs11.exceptions.PKCS11Error]) -> None:
    assert kind.__name__ in errors.MEANINGS
    with pytest.raises(KeyStoreError, match="doing this") as caught, errors.translated("doing this"):
        raise kind
    assert caught.value.store == "smartcard"
    assert lookup(caught.value.hresult) is not None
    assert isinstance(caught.value.__cause__, kind)


def test_the_table_names_no_exception_that_is_not_there() -> None:
    assert set(errors.MEANINGS) == {kind.__name__ for kind in EXCEPTIONS}


@pytest.mark.parametrize(("name", "expected", "hresult"), [
    ("DeviceMemory", StoreFull, 0x80090023),
    ("PinLocked", PinBlocked, 0x8010006C),
    ("UserPinNotInitialized", PinError, 0x8010006F),
    ("DeviceRemoved", StoreUnavailable, 0x80100069),
    ("TokenNotPresent", StoreUnavailable, 0x8010000C),
])
def test_the_answers_that_a_user_meets_have_windows_codes(name: str, expected: type[KeyStoreError], hresult: int) -> None:
    with pytest.raises(expected) as caught, errors.translated("doing this"):
        raise getattr(pkcs11.exceptions, name)
    assert caught.value.hresult == hresult


@pytest.mark.parametrize(("text", "expected"), [
    ("Unmapped error code 0x68", NotPermitted), ("Unmapped error code 0x140", UnsupportedKey),
    ("Unmapped error code 0x80000001", DeviceFailure), ("", DeviceFailure),
])
def test_an_answer_without_a_class_is_known_by_its_number(text: str, expected: type[KeyStoreError]) -> None:
    with pytest.raises(expected), errors.translated("doing this"):
        raise pkcs11.exceptions.PKCS11Error(text)


def test_a_class_of_a_later_version_means_what_its_base_means() -> None:
    class Later(pkcs11.exceptions.PinIncorrect):
        pass

    with pytest.raises(WrongPin), errors.translated("doing this"):
        raise Later


def test_a_uri_is_read() -> None:
    found = parse(
        " pkcs11:token=Bank%20card;manufacturer=M;model=X;serial=00%2d1;id=%01%fF;object=web;type=private;slot-id=7;x-own=1;"
        "library-version=3?pin-value=12%2034&module-path=/usr/lib/a.so&module-name=a \n"
    )
    assert found == TokenUri(
        token="Bank card", manufacturer="M", model="X", serial="00-1", slot_id="7", object="web", id=b"\x01\xff",
        type="private", pin_value=Secret("12 34"), module_path="/usr/lib/a.so", module_name="a",
    )
    assert "12 34" not in repr(found) + str(found)


@pytest.mark.parametrize("text", [
    "", "token=x", "http://x", "pkcs11:token", "pkcs11:colour=red", "pkcs11:token=a;token=b", "pkcs11:token=%ff",
    "pkcs11:pin-value=1", "pkcs11:token=a?serial=1", "pkcs11:?pin-value=%ff1234",
])
def test_what_is_no_token_uri_is_refused_at_once(text: str) -> None:
    with pytest.raises(KeyStoreError) as caught:
        parse(text)
    assert caught.value.hresult == 0x80100004
    assert "1234" not in str(caught.value)


def test_a_store_refuses_a_broken_uri_when_it_is_made() -> None:
    with pytest.raises(KeyStoreError):
        SmartCardKeyStore(Scope.USER, "/nowhere.so", "Bank card")


@given(st.text(min_size=1), st.text(min_size=1), st.binary(min_size=1))
def test_what_is_written_is_read_again(token: str, label: str, identifier: bytes) -> None:
    written = TokenUri(token=token, object=label, id=identifier, type="private")
    assert parse(str(written)) == written


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(KeyStoreError):
        assert isinstance(parse("pkcs11:" + text), TokenUri)


def test_a_uri_selects_by_what_it_says_and_nothing_else() -> None:
    facts = {"label": "A", "manufacturer": "M", "model": "X", "serial": "1", "slot_id": 7}
    assert TokenUri().selects(**facts)  # type: ignore[arg-type]
    assert parse("pkcs11:token=A;serial=1;slot-id=7;object=any").selects(**facts)  # type: ignore[arg-type]
    for text in ("token=a", "token=A2", "serial=2", "manufacturer=N", "model=Y", "slot-id=8", "token="):
        assert not parse("pkcs11:" + text).selects(**facts)  # type: ignore[arg-type]


def need_softhsm() -> None:
    if softhsm_library() is None:
        missing("smartcard", "softhsm2")


def test_a_soft_token_is_made_whose_pin_nobody_else_sees(tmp_path: Path) -> None:
    need_softhsm()
    made = make_soft_token(tmp_path / "demo", "Zürich ☃", Secret("secret pin"))
    assert set(made) == {"SOFTHSM2_CONF", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN"}
    assert "secret pin" not in str(made)
    assert (tmp_path / "demo" / "tokens").stat().st_mode & 0o077 == 0
    listed = subprocess.run(
        [program("pkcs11-tool"), "--module", made["XENROLL_PKCS11_MODULE"], "--list-token-slots"],
        env={**os.environ, **made}, capture_output=True, text=True, check=True, timeout=60,
    ).stdout
    assert "Zürich ☃" in listed
    assert "login required" in listed
    assert "PIN initialized" in listed


@pytest.mark.parametrize(("label", "pin"), [
    ("", "1234"), ("x" * 33, "1234"), ("ü" * 17, "1234"), ("ok", "123"), ("ok", "x" * 256),
])
def test_a_label_or_pin_that_does_not_fit_is_refused(tmp_path: Path, label: str, pin: str) -> None:
    need_softhsm()
    with pytest.raises(KeyStoreError) as caught:
        make_soft_token(tmp_path, label, Secret(pin))
    assert pin not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_hold_a_token_is_said_so(tmp_path: Path) -> None:
    need_softhsm()
    (tmp_path / "file").touch()
    with pytest.raises(DeviceFailure, match="cannot hold a token"):
        make_soft_token(tmp_path / "file" / "below", "label", Secret("1234"))


def test_the_token_maker_says_what_the_library_refused() -> None:
    maker = Path(__file__).resolve().parents[2] / "keystores" / "smartcard" / "token_maker.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(maker)], input='{"library": "/nowhere.so"}', capture_output=True, text=True,
        timeout=60, check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "/nowhere.so" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sample_configuration_leads_to_a_token(tmp_path: Path) -> None:
    need_softhsm()
    sample = (Path(__file__).resolve().parents[2] / "softhsm.conf").read_text(encoding="utf-8")
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(sample.replace("@TOKENS@", str(tmp_path / "tokens")), encoding="utf-8")
    done = subprocess.run(
        [program("softhsm2-util", "smartcard"), "--show-slots"], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")},
    )
    assert "Initialized:      no" in done.stdout
