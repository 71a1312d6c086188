"""Cards that we wrote, read by others: pkcs11-tool, p11tool, OpenSSL with its PKCS#11 engine; and cards that they wrote."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keystores.base import KeyAlgorithm, KeyTemplate, Secret
from keystores.errors import DeviceFailure
from keystores.smartcard import SmartCardKeyStore
from keystores.smartcard.objects import key_id
from tests.keystores.test_smartcard import certificate_for
from tests.support.requires import missing, program
from tests.support.softhsm import SoftToken

EC256 = KeyTemplate(KeyAlgorithm.EC, 256)


@pytest.fixture(scope="module")
def token() -> Iterator[SoftToken]:
    with SoftToken() as made:
        yield made


@pytest.fixture
def store(token: SoftToken) -> Iterator[SmartCardKeyStore]:
    made = token.store()
    yield made
    for info in made.list():
        made.delete(info.container)


def run(*command: str, **environment: str) -> str:
    variables = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def pkcs11_tool(token: SoftToken, *arguments: str) -> str:
    return run(
        program("pkcs11-tool"), "--module", token.module, "--token-label", token.label, "--login",
        "--pin", "env:XENROLL_PIN", *arguments,
    )


def test_pkcs11_tool_lists_three_objects_of_one_id_with_a_private_key_that_never_leaves(
    token: SoftToken, store: SmartCardKeyStore
) -> None:
    store.write_certificate("web", certificate_for(store.create("web", KeyTemplate())))
    listed = pkcs11_tool(token, "--list-objects")
    assert sorted(re.findall(r"^(Private Key|Public Key|Certificate) Object", listed, re.M)) == [
        "Certificate", "Private Key", "Public Key",
    ]
    assert re.findall(r"ID:\s+([0-9a-f]+)", listed) == [key_id("web").hex()] * 3
    assert re.findall(r"label:\s+(.*)", listed) == ["web"] * 3
    assert re.search(r"Private Key Object.*?Access:\s+sensitive, always sensitive, never extractable, local", listed, re.S)


def test_pkcs11_tool_finds_one_certificate_after_a_renewal_and_none_after_the_deletion(
    token: SoftToken, store: SmartCardKeyStore
) -> None:
    key = store.create("renewed", EC256)
    for serial in (1, 2, 3):
        store.write_certificate("renewed", certificate_for(key, serial=serial))
    listed = pkcs11_tool(token, "--list-objects", "--type", "cert")
    assert listed.count("Certificate Object") == 1
    assert re.search(r"serial:\s+0?3\s", listed)
    store.delete("renewed")
    assert "Object" not in pkcs11_tool(token, "--list-objects")


def test_pkcs11_tool_signs_with_our_rsa_key_and_openssl_verifies(
    token: SoftToken, store: SmartCardKeyStore, tmp_path: Path
) -> None:
    info = store.create("rsa", KeyTemplate()).info
    (tmp_path / "public.der").write_bytes(info.public_key)
    (tmp_path / "data").write_bytes(b"to be signed")
    pkcs11_tool(
        token, "--sign", "--mechanism", "SHA256-RSA-PKCS", "--id", key_id("rsa").hex(),
        "--input-file", str(tmp_path / "data"), "--output-file", str(tmp_path / "signature"),
    )
    assert "Verified OK" in run(
        program("openssl"), "dgst", "-sha256", "-keyform", "DER", "-verify", str(tmp_path / "public.der"), "-signature",
        str(tmp_path / "signature"), str(tmp_path / "data"),
    )


@pytest.mark.parametrize("template", [KeyTemplate(), EC256], ids=["rsa", "ec"])
def test_openssl_verifies_what_our_key_signed(store: SmartCardKeyStore, tmp_path: Path, template: KeyTemplate) -> None:
    stored = store.create("signer", template)
    key = stored.private_key
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(b"to be signed", padding.PKCS1v15(), hashes.SHA384())
    else:
        signature = key.sign(b"to be signed", ec.ECDSA(hashes.SHA384()))
    for name, content in (("public.der", stored.info.public_key), ("data", b"to be signed"), ("signature", signature)):
        (tmp_path / name).write_bytes(content)
    assert "Verified OK" in run(
        program("openssl"), "dgst", "-sha384", "-keyform", "DER", "-verify", str(tmp_path / "public.der"), "-signature",
        str(tmp_path / "signature"), str(tmp_path / "data"),
    )


@pytest.mark.parametrize("template", [KeyTemplate(), EC256], ids=["rsa", "ec"])
def test_openssl_makes_a_request_with_our_key_named_by_its_reference(
    token: SoftToken, store: SmartCardKeyStore, tmp_path: Path, template: KeyTemplate
) -> None:
    if not list(Path("/usr/lib").glob("**/engines-*/pkcs11.so")):
        missing("judges", "libengine-pkcs11-openssl")
    info = store.create("engine", template).info
    request = tmp_path / "request.pem"
    run(
        program("openssl"), "req", "-new", "-engine", "pkcs11", "-keyform", "engine", "-key", info.reference,
        "-passin", "env:XENROLL_PIN", "-subj", "/CN=card", "-out", str(request), PKCS11_MODULE_PATH=token.module,
    )
    assert "verify OK" in run(program("openssl"), "req", "-in", str(request), "-verify", "-noout")
    public = run(program("openssl"), "req", "-in", str(request), "-pubkey", "-noout")
    assert public.strip() == store.open("engine").private_key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    ).decode().strip()


def test_p11tool_lists_the_certificate_and_the_ca_by_our_reference(token: SoftToken, store: SmartCardKeyStore) -> None:
    key = store.create("web", EC256)
    store.write_certificate("web", certificate_for(key))
    store.write_chain([certificate_for(key, ca=True, name="Issuing CA")] * 2)
    listed = run(
        program("p11tool"), "--provider", token.module, "--login", "--set-pin", token.pin, "--list-all-certs", token.uri
    )
    assert sorted(re.findall(r"Label: (.*)", listed)) == ["Issuing CA", "web"]
    assert "CKA_CERTIFICATE_CATEGORY=CA" in listed
    keys = run(
        program("p11tool"), "--provider", token.module, "--login", "--set-pin", token.pin, "--list-all", key.info.reference
    )
    assert "CKA_NEVER_EXTRACTABLE" in keys


def test_a_key_that_pkcs11_tool_made_is_found_by_its_label(token: SoftToken, store: SmartCardKeyStore) -> None:
    pkcs11_tool(token, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "a1", "--label", "foreign", "--usage-sign")
    assert [info.container for info in store.list()] == ["foreign"]
    key = store.open("foreign").private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.sign(b"x", ec.ECDSA(hashes.SHA256()))
    pkcs11_tool(token, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "a2", "--label", "foreign", "--usage-sign")
    with pytest.raises(DeviceFailure, match="2 keys"):
        store.open("foreign")
    for identifier in ("a1", "a2"):
        for kind in ("privkey", "pubkey"):
            pkcs11_tool(token, "--delete-object", "--type", kind, "--id", identifier)


def test_a_key_that_wants_its_pin_for_every_use_gets_it(token: SoftToken, store: SmartCardKeyStore) -> None:
    pkcs11_tool(
        token, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "b1", "--label", "careful", "--usage-sign",
        "--always-auth",
    )
    key = store.open("careful", pin=Secret(token.pin)).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    for _ in range(2):
        key.sign(b"x", ec.ECDSA(hashes.SHA256()))


def test_a_key_whose_public_object_is_gone_is_known_by_its_certificate(token: SoftToken, store: SmartCardKeyStore) -> None:
    stored = store.create("halved", EC256)
    store.write_certificate("halved", certificate_for(stored))
    pkcs11_tool(token, "--delete-object", "--type", "pubkey", "--id", key_id("halved").hex())
    assert [info.public_key for info in store.list()] == [stored.info.public_key]
    key = store.open("halved").private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.sign(b"x", ec.ECDSA(hashes.SHA256()))
