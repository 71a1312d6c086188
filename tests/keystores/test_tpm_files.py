"""The files of TPM keys, against OpenSSL's tpm2 provider and tpm2_pytss; damaged ones."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from keystores.base import KeyAlgorithm, KeyTemplate, KeyUse, Scope, Secret
from keystores.errors import BadKeyData, UnsupportedKey
from keystores.tpm import TpmKeyStore
from keystores.tpm.files import KeyFile, decode, encode
from keystores.tpm.public_area import read_public
from tests.support.requires import missing, program
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
TEMPLATES = [KeyTemplate(), P256]


@pytest.fixture(scope="module")
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def store(tpm: SwTpm, tmp_path: Path) -> Iterator[TpmKeyStore]:
    with TpmKeyStore(tmp_path / "keys", Scope.USER, tpm.tcti) as made:
        yield made


def openssl(tpm: SwTpm, *arguments: str) -> subprocess.CompletedProcess[str]:
    modules = subprocess.run([program("openssl"), "version", "-m"], capture_output=True, text=True, check=True).stdout
    if not Path(modules.split('"')[1], "tpm2.so").exists():
        missing("tpm", "OpenSSL's tpm2 provider")
    environment = {**os.environ, "TPM2OPENSSL_TCTI": tpm.tcti, "TSS2_LOG": "all+NONE"}
    command = [program("openssl"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)


def providers(*, first: str) -> list[str]:
    second = "default" if first == "tpm2" else "tpm2"
    return ["-provider", first, "-provider", second, "-propquery", "?provider=tpm2"]


def verified_key(tpm: SwTpm, request: Path) -> bytes:
    """The public key of a request, after OpenSSL has verified it (pyca does not read what the provider writes for ECDSA)."""
    judged = openssl(tpm, "req", "-verify", "-noout", "-pubkey", "-in", str(request))
    assert "verify OK" in judged.stdout + judged.stderr
    key = load_pem_public_key(judged.stdout.encode())
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signed_request(store: TpmKeyStore, container: str, pin: Secret | None = None) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(store.open(container, pin=pin).private_key, hashes.SHA256())


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("container", ["web", "w" * 250])
def test_openssl_makes_a_request_with_our_key_file(
    tpm: SwTpm, store: TpmKeyStore, tmp_path: Path, template: KeyTemplate, container: str
) -> None:
    made = store.create(container, template)
    out = tmp_path / "request.pem"
    openssl(tpm, "req", "-new", *providers(first="tpm2"), "-key", made.info.reference, "-subj", "/CN=web", "-out", str(out))
    assert verified_key(tpm, out) == made.info.public_key


def test_openssl_uses_a_key_with_a_pin(tpm: SwTpm, store: TpmKeyStore, tmp_path: Path) -> None:
    made = store.create("web", P256, pin=Secret("1234"))
    out = tmp_path / "request.pem"
    options = ["-key", made.info.reference, "-passin", "pass:1234", "-subj", "/CN=web", "-out", str(out)]
    openssl(tpm, "req", "-new", *providers(first="tpm2"), *options)
    assert verified_key(tpm, out) == made.info.public_key


def test_openssl_uses_an_imported_key(tpm: SwTpm, store: TpmKeyStore, tmp_path: Path) -> None:
    made = store.import_key("web", ec.generate_private_key(ec.SECP384R1()))
    out = tmp_path / "request.pem"
    options = ["-key", made.info.reference, "-subj", "/CN=web", "-out", str(out)]
    openssl(tpm, "req", "-new", *providers(first="tpm2"), *options)
    assert verified_key(tpm, out) == made.info.public_key


@pytest.mark.parametrize(
    ("options", "algorithm", "length"),
    [
        (["-algorithm", "RSA", "-pkeyopt", "bits:2048"], KeyAlgorithm.RSA, 2048),
        (["-algorithm", "EC", "-pkeyopt", "group:P-256"], KeyAlgorithm.EC, 256),
        (["-algorithm", "EC", "-pkeyopt", "group:P-384"], KeyAlgorithm.EC, 384),
    ],
)
def test_a_key_file_that_openssl_made_is_used(
    tpm: SwTpm, store: TpmKeyStore, options: list[str], algorithm: KeyAlgorithm, length: int
) -> None:
    store.directory.mkdir()
    openssl(tpm, "genpkey", "-provider", "tpm2", *options, "-out", str(store.directory / "theirs.tss2"))
    (info,) = store.list()
    assert (info.container, info.algorithm, info.length, info.generated) == ("theirs", algorithm, length, True)
    assert KeyUse.SIGN in info.use
    assert signed_request(store, "theirs").is_signature_valid


def test_a_key_file_with_a_password_that_openssl_made_is_used(tpm: SwTpm, store: TpmKeyStore) -> None:
    store.directory.mkdir()
    options = ["-algorithm", "EC", "-pkeyopt", "group:P-256", "-pkeyopt", "user-auth:abc"]
    openssl(tpm, "genpkey", "-provider", "tpm2", *options, "-out", str(store.directory / "theirs.tss2"))
    assert signed_request(store, "theirs", Secret("abc")).is_signature_valid


@pytest.mark.parametrize("pin", [None, Secret("1234")])
def test_tpm2_pytss_reads_our_file_and_we_read_its(store: TpmKeyStore, pin: Secret | None) -> None:
    from tpm2_pytss.tsskey import TSSPrivKey

    made = store.create("web", P256, pin=pin)
    text = Path(made.info.reference).read_bytes()
    theirs = TSSPrivKey.from_pem(text)
    ours = decode(text)
    assert ours.needs_pin == (pin is not None)
    assert (theirs.empty_auth, theirs.parent) == (not ours.needs_pin, ours.parent)
    assert (theirs.public.marshal(), theirs.private.marshal()) == (ours.public, ours.private)
    assert decode(theirs.to_pem()) == KeyFile(ours.public, ours.private, ours.parent, ours.needs_pin)
    assert encode(KeyFile(ours.public, ours.private, ours.parent, ours.needs_pin)) == theirs.to_pem()


def test_a_file_comes_back_as_it_was_written_with_each_use(store: TpmKeyStore) -> None:
    text = Path(store.create("web", P256).info.reference).read_bytes()
    key = decode(text)
    assert encode(key) == text
    assert decode(text.replace(b"\n", b"\r\n")) == key
    for use in (KeyUse.SIGN, KeyUse.DECRYPT, KeyUse.SIGN | KeyUse.AGREE, None):
        changed = KeyFile(key.public, key.private, key.parent, key.needs_pin, use)
        assert decode(encode(changed, "Container: x\n")) == changed


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_file_that_was_cut_short_anywhere_is_bad_key_data(store: TpmKeyStore, template: KeyTemplate) -> None:
    text = Path(store.create("web", template).info.reference).read_bytes()
    key = decode(text)
    for end in range(len(text) - 1):
        with pytest.raises(BadKeyData):
            decode(text[:end])
    for end in range(len(key.public)):
        with pytest.raises(BadKeyData):
            read_public(key.public[:end])


def test_bytes_that_were_changed_give_a_typed_error_or_another_key(store: TpmKeyStore) -> None:
    public = decode(Path(store.create("web", P256).info.reference).read_bytes()).public
    for position in range(len(public)):
        changed = bytearray(public)
        changed[position] ^= 0xFF
        try:
            read_public(bytes(changed))
        except (BadKeyData, UnsupportedKey) as error:
            assert error.store == "tpm"  # noqa: PT017  both outcomes are right


def _file(*fields: bytes, kind: bytes = bytes.fromhex("06066781050a0103")) -> bytes:
    body = kind + b"".join(fields)
    text = base64.b64encode(b"\x30" + bytes([len(body)]) + body)
    return b"-----BEGIN TSS2 PRIVATE KEY-----\n" + text + b"\n-----END TSS2 PRIVATE KEY-----\n"


def test_flags_and_fields_of_other_writers() -> None:
    rest = [bytes.fromhex("02050081000001"), b"\x04\x01p", b"\x04\x01q"]
    assert decode(_file(bytes.fromhex("a0030101ff"), *rest)) == KeyFile(b"p", b"q", 0x81000001, needs_pin=False)
    assert not decode(_file(bytes.fromhex("a003010101"), *rest)).needs_pin
    assert decode(_file(bytes.fromhex("a003010100"), *rest)).needs_pin
    assert decode(_file(*rest)).needs_pin
    with pytest.raises(UnsupportedKey, match="policy"):
        decode(_file(bytes.fromhex("a0030101ffa1023000"), *rest))
    with pytest.raises(UnsupportedKey, match="loadable"):
        decode(_file(*rest, kind=bytes.fromhex("06066781050a0104")))


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 100_000, _file(), _file(b"\x02\x01\x01"), _file(b"\xff" * 20)])
def test_what_is_no_key_file_is_bad_key_data(data: bytes) -> None:
    with pytest.raises(BadKeyData):
        decode(data)
