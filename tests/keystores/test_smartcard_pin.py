"""PINs: wrong, missing, blocked, nearly blocked. SoftHSM never blocks one, so that part runs on opencryptoki."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from keystores.base import KeyAlgorithm, KeyTemplate, Scope, Secret
from keystores.errors import KeyStoreError, PinRequired, WrongPin
from keystores.smartcard import SmartCardKeyStore
from tests.support.opencryptoki import PIN, run_there
from tests.support.softhsm import SoftToken

EC256 = KeyTemplate(KeyAlgorithm.EC, 256)


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with SoftToken() as made:
        yield made


def asked_store(token: SoftToken, answers: list[str | None], questions: list[str]) -> SmartCardKeyStore:
    def ask(purpose: str) -> Secret | None:
        questions.append(purpose)
        answer = answers.pop(0)
        return None if answer is None else Secret(answer)

    return SmartCardKeyStore(Scope.USER, token.module, token.uri, ask, token.directory / "locks")


def test_the_source_is_asked_once_and_told_what_for(token: SoftToken) -> None:
    questions: list[str] = []
    store = asked_store(token, [token.pin], questions)
    key = store.create("web", EC256).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    store.open("web")
    store.delete("web")
    assert questions == [f"token {token.label}, container web"]


def test_after_a_wrong_pin_the_source_is_asked_again(token: SoftToken) -> None:
    questions: list[str] = []
    store = asked_store(token, ["000000", token.pin], questions)
    with pytest.raises(WrongPin) as caught:
        store.create("web", EC256)
    assert caught.value.hresult == 0x8010006B
    assert caught.value.attempts_left is None
    store.create("web", EC256)
    assert len(questions) == 2


def test_a_pin_that_nobody_knows_is_required(token: SoftToken) -> None:
    token.store().create("web", EC256)
    for store in (token.store(with_pin=False), asked_store(token, [None], [])):
        with pytest.raises(PinRequired) as caught:
            store.open("web")
        assert caught.value.hresult == 0x80090022


def test_a_login_serves_those_alone_who_know_the_pin(token: SoftToken) -> None:
    token.store().create("web", EC256)
    stranger = token.store(with_pin=False)
    with pytest.raises(PinRequired):
        stranger.delete("web")
    with pytest.raises(WrongPin):
        stranger.open("web", pin=Secret("000000"))
    stranger.open("web", pin=Secret(token.pin))
    with pytest.raises(PinRequired):
        stranger.open("web")


def test_the_pin_argument_goes_before_the_source(token: SoftToken) -> None:
    questions: list[str] = []
    store = asked_store(token, [], questions)
    store.create("web", EC256, pin=Secret(token.pin))
    store.open("web", pin=Secret(token.pin))
    assert questions == []


def test_a_wrong_pin_does_not_take_the_key_from_those_who_hold_it(token: SoftToken) -> None:
    key = token.store().create("web", EC256).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    for pin in ("000000", "", "1", "x" * 300, "ümläut"):
        with pytest.raises(WrongPin):
            token.store().open("web", pin=Secret(pin))
    key.sign(b"x", ec.ECDSA(hashes.SHA256()))


def test_a_pin_may_stand_in_the_uri_or_in_the_file_that_it_names(token: SoftToken, tmp_path: Path) -> None:
    token.store().create("web", EC256)
    file = tmp_path / "pin"
    file.touch(mode=0o600)
    file.write_text(token.pin + "\n")
    for query in (f"pin-value={token.pin}", f"pin-source={file}", f"pin-source=file:{file}", f"pin-source=file://{file}"):
        store = SmartCardKeyStore(Scope.USER, token.module, f"{token.uri}?{query}", lock_directory=token.directory / "locks")
        store.open("web")
        assert token.pin not in store.open("web").info.reference


def test_no_pin_is_in_an_error_or_a_log(token: SoftToken, caplog: pytest.LogCaptureFixture) -> None:
    wrong = "77331155"
    with caplog.at_level(logging.DEBUG), pytest.raises(KeyStoreError) as caught:
        token.store().create("web", EC256, pin=Secret(wrong))
    error: BaseException | None = caught.value
    while error is not None:
        assert wrong not in repr(error) + str(error)
        error = error.__cause__ or error.__context__
    assert wrong not in caplog.text


BLOCKING = f"""
from keystores.base import KeyTemplate, Scope, Secret
from keystores.errors import KeyStoreError
from keystores.smartcard import SmartCardKeyStore
store = SmartCardKeyStore(Scope.USER)
careless = SmartCardKeyStore(Scope.USER, allow_final_try=True)
def attempt(store, pin):
    try:
        store.create("web", KeyTemplate(length=1024), pin=Secret(pin))
        print("made")
    except KeyStoreError as error:
        print(type(error).__name__, hex(error.hresult), getattr(error, "attempts_left", ""))
        assert pin not in str(error)
attempt(store, "99999999")
attempt(store, "99999999")
attempt(store, {PIN!r})
"""


def test_the_last_try_before_a_block_is_not_spent_unasked(tmp_path: Path) -> None:
    printed = run_there(BLOCKING + f"attempt(careless, {PIN!r})\nstore.delete('web', pin=Secret({PIN!r}))", tmp_path)
    assert printed.splitlines() == [
        "WrongPin 0x8010006b None", "WrongPin 0x8010006b 1", "PinBlocked 0x8010006c ", "made",
    ]


def test_a_pin_that_blocks_is_said_to_be_blocked_from_then_on(tmp_path: Path) -> None:
    more = f"attempt(careless, '99999999')\nattempt(careless, {PIN!r})\nattempt(store, {PIN!r})"
    printed = run_there(BLOCKING + more, tmp_path)
    assert printed.splitlines()[3:] == ["PinBlocked 0x8010006c "] * 3


SECOND_LIBRARY = f"""
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from keystores.base import KeyAlgorithm, KeyTemplate, Scope, Secret
from keystores.errors import UnsupportedKey
from keystores.smartcard import SmartCardKeyStore
from tests.keystores.test_smartcard import certificate_for
store = SmartCardKeyStore(Scope.USER, pins=lambda purpose: Secret({PIN!r}))
print([(algorithm.name, length) for algorithm, length in store.supported()])
made = store.create("made", KeyTemplate())
sha256 = hashes.SHA256()
made.private_key.sign(b"x", padding.PKCS1v15(), sha256)
made.private_key.sign(b"x", padding.PSS(padding.MGF1(sha256), 32), sha256)
encrypted = made.private_key.public_key().encrypt(b"m", padding.PKCS1v15())
assert made.private_key.decrypt(encrypted, padding.PKCS1v15()) == b"m"
brought = store.import_key("brought", rsa.generate_private_key(65537, 2048))
brought.private_key.sign(b"x", padding.PKCS1v15(), sha256)
certificate = certificate_for(made)
store.write_certificate("made", certificate)
assert store.read_certificate("made") == certificate
store.write_chain([certificate_for(made, ca=True, name="Root")] * 2)
print([info.container for info in store.list()])
store.delete("made")
print([info.container for info in store.list()], store.read_certificate("made"))
try:
    store.create("curve", KeyTemplate(KeyAlgorithm.EC, 256))
except UnsupportedKey as error:
    print(error)
"""


def test_the_same_store_works_on_a_second_library(tmp_path: Path) -> None:
    assert run_there(SECOND_LIBRARY, tmp_path).splitlines() == [
        "[('RSA', 1024), ('RSA', 2048), ('RSA', 3072), ('RSA', 4096)]",
        "['brought', 'made']",
        "['brought'] None",
        "token 'opencryptoki soft token' makes no EC keys of 256 bits",
    ]
