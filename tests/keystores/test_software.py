"""The software key store: its files, who reads them, what damage and a wrong passphrase do to them."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keystores import key_files
from keystores.base import KeyAlgorithm, KeyTemplate, KeyUse, Scope, Secret
from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyExists,
    NotPermitted,
    PinError,
    PinRequired,
    UnsupportedKey,
    WrongPin,
)
from keystores.pins import ValuePin
from keystores.software import SoftwareKeyStore
from tests.support.requires import program

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
EXPORTABLE = KeyTemplate(KeyAlgorithm.EC, 256, exportable=True)
PASSPHRASE = Secret("süßes Geheimnis")


@pytest.fixture
def store(tmp_path: Path) -> SoftwareKeyStore:
    return SoftwareKeyStore(tmp_path / "keys", Scope.USER)


def path_of(store: SoftwareKeyStore, container: str) -> Path:
    return Path(next(info.reference for info in store.list() if info.container == container))


def test_a_key_is_one_file_that_its_owner_alone_reads(store: SoftwareKeyStore, tmp_path: Path) -> None:
    made = store.create("web", P256)
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["web.pem"]
    assert stat.S_IMODE(Path(made.info.reference).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


@pytest.mark.parametrize("passphrase", [None, Secret("secret")], ids=["clear", "encrypted"])
@pytest.mark.parametrize("template", [P256, KeyTemplate(length=2048)], ids=["EC", "RSA"])
def test_openssl_and_certtool_read_the_file_as_it_is(
    store: SoftwareKeyStore, tmp_path: Path, template: KeyTemplate, passphrase: Secret | None
) -> None:
    made = store.create("web", template, pin=passphrase)
    openssl = subprocess.run(
        [program("openssl"), "pkey", "-in", made.info.reference, "-passin", "pass:secret", "-pubout", "-outform", "DER"],
        capture_output=True,
        check=True,
    )
    assert openssl.stdout == made.info.public_key
    subprocess.run(
        [program("certtool"), "--key-info", "--infile", made.info.reference, "--password", "secret"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def test_openssl_makes_a_request_with_the_file(store: SoftwareKeyStore) -> None:
    made = store.create("web", P256)
    command = [program("openssl"), "req", "-new", "-subj", "/CN=web", "-key", made.info.reference]
    assert b"BEGIN CERTIFICATE REQUEST" in subprocess.run(command, capture_output=True, check=True).stdout


def test_a_passphrase_encrypts_the_file_and_is_needed_to_open_it(store: SoftwareKeyStore) -> None:
    made = store.create("web", P256, pin=PASSPHRASE)
    assert b"ENCRYPTED PRIVATE KEY" in Path(made.info.reference).read_bytes()
    assert store.open("web", pin=PASSPHRASE).info == made.info
    with pytest.raises(PinRequired):
        store.open("web")
    with pytest.raises(PinRequired):
        store.open("web", pin=Secret(""))
    for wrong in ("Süßes Geheimnis", "x" * 5000):
        with pytest.raises(WrongPin) as caught:
            store.open("web", pin=Secret(wrong))
        assert PASSPHRASE.reveal() not in str(caught.value)


def test_an_empty_passphrase_is_none(store: SoftwareKeyStore) -> None:
    made = store.create("web", P256, pin=Secret(""))
    assert store.open("web").info == made.info


def test_a_passphrase_that_is_too_long_is_refused_without_showing_it(store: SoftwareKeyStore) -> None:
    with pytest.raises(PinError, match="1023") as caught:
        store.create("web", P256, pin=Secret("p" * 1024))
    assert "ppp" not in str(caught.value)
    assert store.list() == []


def test_a_wrong_passphrase_is_always_a_wrong_pin_whatever_its_padding_looks_like(store: SoftwareKeyStore) -> None:
    store.create("web", P256, pin=PASSPHRASE)
    for number in range(300):
        with pytest.raises(WrongPin):
            store.open("web", pin=Secret(str(number)))


def test_the_profile_s_passphrase_is_used_where_a_key_has_none_of_its_own(tmp_path: Path) -> None:
    store = SoftwareKeyStore(tmp_path, Scope.MACHINE, ValuePin(PASSPHRASE))
    made = store.create("web", P256)
    own = store.create("own", P256, pin=Secret("own"))
    assert store.open("web").info == made.info
    assert made.info.scope is Scope.MACHINE
    assert store.open("own", pin=Secret("own")).info == own.info
    with pytest.raises(WrongPin):
        store.open("own")
    with pytest.raises(PinRequired):
        SoftwareKeyStore(tmp_path, Scope.MACHINE).open("web")


def test_a_source_of_pins_opens_a_key_and_never_encrypts_one(tmp_path: Path) -> None:
    store = SoftwareKeyStore(tmp_path, Scope.USER, None, ValuePin(PASSPHRASE))
    store.create("encrypted", P256, pin=PASSPHRASE)
    clear = store.create("clear", P256)
    assert store.open("encrypted").info.container == "encrypted"
    assert b"ENCRYPTED" not in Path(clear.info.reference).read_bytes()


def test_listing_needs_no_passphrase(store: SoftwareKeyStore) -> None:
    made = [store.create(name, P256, pin=PASSPHRASE).info for name in ("a", "b")]
    assert store.list() == made


def test_a_folder_that_is_not_there_has_no_keys(store: SoftwareKeyStore) -> None:
    assert store.list() == []


def test_an_exportable_key_comes_out_and_another_does_not(store: SoftwareKeyStore) -> None:
    store.create("out", EXPORTABLE, pin=PASSPHRASE)
    store.create("in", P256)
    out = store.export_key("out", pin=PASSPHRASE)
    assert out.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(NotPermitted) as caught:
        store.export_key("in")
    assert caught.value.hresult == 0x8009000B


@pytest.mark.parametrize("use", [KeyUse.SIGN, KeyUse.DECRYPT | KeyUse.SIGN, KeyUse.ALL])
def test_what_an_rsa_key_is_for_is_kept(store: SoftwareKeyStore, use: KeyUse) -> None:
    store.create("web", KeyTemplate(length=1024, use=use))
    assert store.list()[0].use == use


def test_an_ec_key_is_not_for_decryption(store: SoftwareKeyStore) -> None:
    assert store.create("web", P256).info.use == KeyUse.SIGN | KeyUse.AGREE


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [
        (KeyAlgorithm.RSA, 0),
        (KeyAlgorithm.RSA, 512),
        (KeyAlgorithm.RSA, 1023),
        (KeyAlgorithm.RSA, 2052),
        (KeyAlgorithm.RSA, 16392),
        (KeyAlgorithm.RSA, -2048),
        (KeyAlgorithm.EC, 224),
        (KeyAlgorithm.EC, 512),
    ],
)
def test_a_length_that_is_not_made_is_a_bad_length(store: SoftwareKeyStore, algorithm: KeyAlgorithm, length: int) -> None:
    with pytest.raises(UnsupportedKey, match=str(length)) as caught:
        store.create("web", KeyTemplate(algorithm, length))
    assert caught.value.hresult == 0x80090004
    assert store.list() == []


@pytest.mark.parametrize(
    ("algorithm", "length"),
    [(KeyAlgorithm.RSA, 1024), (KeyAlgorithm.RSA, 1032), (KeyAlgorithm.EC, 384), (KeyAlgorithm.EC, 521)],
)
def test_a_length_that_is_made_is_the_length_of_the_key(
    store: SoftwareKeyStore, algorithm: KeyAlgorithm, length: int
) -> None:
    made = store.create("web", KeyTemplate(algorithm, length))
    assert (made.info.length, made.private_key.key_size) == (length, length)
    assert store.open("web").info == made.info


def test_an_imported_key_whose_numbers_do_not_fit_is_refused(store: SoftwareKeyStore) -> None:
    numbers = rsa.generate_private_key(65537, 1024).private_numbers()
    wrong = rsa.RSAPrivateNumbers(
        numbers.p, numbers.q, numbers.d + 2, numbers.dmp1, numbers.dmq1, numbers.iqmp, numbers.public_numbers
    ).private_key(unsafe_skip_rsa_key_validation=True)
    with pytest.raises(BadKeyData):
        store.import_key("web", wrong)
    assert store.list() == []


def test_a_curve_that_is_not_kept_is_refused(store: SoftwareKeyStore) -> None:
    with pytest.raises(UnsupportedKey, match="secp256k1"):
        store.import_key("web", ec.generate_private_key(ec.SECP256K1()))


def test_an_imported_key_may_be_exportable(store: SoftwareKeyStore) -> None:
    given = rsa.generate_private_key(65537, 1024)
    info = store.import_key("web", given, exportable=True, use=KeyUse.SIGN, pin=PASSPHRASE).info
    assert (info.exportable, info.generated, info.use) == (True, False, KeyUse.SIGN)
    out = store.export_key("web", pin=PASSPHRASE)
    assert isinstance(out, rsa.RSAPrivateKey)
    assert out.private_numbers() == given.private_numbers()


def test_every_damaged_byte_of_a_file_is_noticed(store: SoftwareKeyStore) -> None:
    path = Path(store.create("web", P256).info.reference)
    sound = path.read_bytes()
    for position in range(0, len(sound), 3):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
        with pytest.raises(BadKeyData):
            store.open("web")
    path.write_bytes(sound)
    store.open("web")


def test_a_file_that_was_cut_anywhere_is_noticed(store: SoftwareKeyStore) -> None:
    path = Path(store.create("web", P256, pin=PASSPHRASE).info.reference)
    sound = path.read_bytes()
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        with pytest.raises(BadKeyData):
            store.open("web", pin=PASSPHRASE)


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\n", b"\0" * 100_000])
def test_a_file_of_someone_else_is_bad_data_and_left_out_of_the_list(
    store: SoftwareKeyStore, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    good = store.create("good", P256)
    path = Path(good.info.reference).with_name("bad.pem")
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert store.list() == [good.info]
    assert "bad.pem" in caplog.text
    with pytest.raises(BadKeyData):
        store.open("bad")


def test_a_file_with_another_s_key_in_it_is_noticed() -> None:
    one, two = (
        key_files.seal(
            ec.generate_private_key(ec.SECP256R1()), exportable=False, generated=True, use=KeyUse.SIGN, passphrase=None
        )
        for _ in range(2)
    )
    mixed = key_files.KeyFile(one.public_key, False, True, KeyUse.SIGN, two.pem)
    with pytest.raises(BadKeyData):
        key_files.decode(key_files.encode(mixed)).load(None)


def test_a_key_of_another_family_in_a_file_is_bad_data() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = ec.generate_private_key(ec.SECP256R1())
    made = key_files.KeyFile(key_files.spki(public), False, True, KeyUse.SIGN, pem)
    with pytest.raises(BadKeyData):
        key_files.decode(key_files.encode(made)).load(None)


@given(
    exportable=st.booleans(),
    generated=st.booleans(),
    use=st.sampled_from([KeyUse.SIGN, KeyUse.SIGN | KeyUse.AGREE, KeyUse.ALL, KeyUse(0)]),
    public_key=st.binary(min_size=1, max_size=400),
    body=st.binary(max_size=300),
)
@settings(max_examples=60, deadline=None)
def test_the_facts_of_a_file_come_back_as_they_were_written(
    exportable: bool, generated: bool, use: KeyUse, public_key: bytes, body: bytes
) -> None:
    made = key_files.KeyFile(public_key, exportable, generated, use, b"-----BEGIN PRIVATE KEY-----\n" + body)
    assert key_files.decode(key_files.encode(made)) == made
    assert key_files.decode(key_files.encode(made, "Container: x\n")) == made


def test_two_threads_make_a_container_once(store: SoftwareKeyStore) -> None:
    results: list[str] = []
    ready = threading.Barrier(4)

    def make() -> None:
        ready.wait()
        try:
            store.create("web", P256)
            results.append("made")
        except KeyExists:
            results.append("exists")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["exists", "exists", "exists", "made"]
    store.open("web")


def test_a_crash_while_a_key_is_written_leaves_no_container(store: SoftwareKeyStore, tmp_path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from keystores.base import KeyAlgorithm, KeyTemplate, Scope
from keystores.software import SoftwareKeyStore
os.link = lambda *args, **kwargs: os._exit(9)  # the power goes just before the file gets its name
SoftwareKeyStore(Path(sys.argv[1]), Scope.USER).create("web", KeyTemplate(KeyAlgorithm.EC, 256))
"""
    answer = subprocess.run([sys.executable, "-c", code, str(tmp_path / "keys")], check=False)
    assert answer.returncode == 9
    assert store.list() == []
    store.create("web", P256)
    assert [info.container for info in store.list()] == ["web"]


def test_a_folder_that_cannot_be_made_is_a_failure_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DeviceFailure, match="file"):
        SoftwareKeyStore(tmp_path / "file" / "keys", Scope.USER).create("web", P256)


def test_a_key_in_hand_decrypts(store: SoftwareKeyStore) -> None:
    store.create("web", KeyTemplate(length=1024))
    key = store.open("web").private_key
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.decrypt(key.public_key().encrypt(b"data", padding.PKCS1v15()), padding.PKCS1v15()) == b"data"


def test_nothing_secret_shows_in_the_facts(store: SoftwareKeyStore) -> None:
    made = store.create("web", EXPORTABLE, pin=PASSPHRASE)
    sealed = key_files.decode(path_of(store, "web").read_bytes())
    assert "PRIVATE" not in f"{made!r} {sealed!r}"
    assert PASSPHRASE.reveal() not in f"{made!r} {sealed!r} {PASSPHRASE!r}"
