"""What every key store does alike. Each test runs over software, TPM and smart card."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import NameOID

from keystores.base import (
    Exporter,
    Importer,
    KeyAlgorithm,
    KeyStore,
    KeyTemplate,
    PrivateKey,
    Prober,
    Scope,
    StoredKey,
)
from keystores.errors import KeyExists, KeyStoreError, NoSuchKey, NotPermitted, UnsupportedKey
from tests.support.requires import program

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "corpus")])
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)


def spki(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def request(key: PrivateKey, rsa_padding: padding.PSS | None = None) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key, hashes.SHA256(), rsa_padding=rsa_padding)


def test_an_rsa_key_signs_a_request_that_openssl_verifies(rsa_key: StoredKey, tmp_path: Path) -> None:
    made = request(rsa_key.private_key)
    assert made.is_signature_valid
    (tmp_path / "request.pem").write_bytes(made.public_bytes(Encoding.PEM))
    answer = subprocess.run(
        [program("openssl"), "req", "-verify", "-noout", "-in", tmp_path / "request.pem"], capture_output=True, check=True
    )
    assert b"OK" in answer.stdout + answer.stderr


def test_an_ec_key_signs_a_request_that_openssl_verifies(ec_key: StoredKey, tmp_path: Path) -> None:
    made = request(ec_key.private_key)
    assert made.is_signature_valid
    (tmp_path / "request.pem").write_bytes(made.public_bytes(Encoding.PEM))
    answer = subprocess.run(
        [program("openssl"), "req", "-verify", "-noout", "-in", tmp_path / "request.pem"], capture_output=True, check=True
    )
    assert b"OK" in answer.stdout + answer.stderr


def test_an_rsa_key_signs_a_request_with_pss_whose_salt_is_as_long_as_the_digest(rsa_key: StoredKey) -> None:
    made = request(rsa_key.private_key, PSS)
    assert made.is_signature_valid
    assert isinstance(made.signature_algorithm_parameters, padding.PSS)


def test_an_rsa_key_signs_bytes(rsa_key: StoredKey) -> None:
    assert isinstance(rsa_key.private_key, rsa.RSAPrivateKey)
    signature = rsa_key.private_key.sign(b"data", padding.PKCS1v15(), hashes.SHA384())
    rsa_key.private_key.public_key().verify(signature, b"data", padding.PKCS1v15(), hashes.SHA384())


def test_an_ec_key_signs_bytes(ec_key: StoredKey) -> None:
    assert isinstance(ec_key.private_key, ec.EllipticCurvePrivateKey)
    signature = ec_key.private_key.sign(b"data", ec.ECDSA(hashes.SHA256()))
    ec_key.private_key.public_key().verify(signature, b"data", ec.ECDSA(hashes.SHA256()))


def test_the_facts_of_a_new_key_are_those_of_its_template(key_store: KeyStore, ec_key: StoredKey) -> None:
    info = ec_key.info
    assert (info.store, info.container, info.scope) == (key_store.name, "a P-256 key", Scope.USER)
    assert (info.algorithm, info.length, info.generated, info.exportable) == (KeyAlgorithm.EC, 256, True, False)
    assert info.reference


def test_the_public_key_of_the_facts_is_that_of_the_private_key(rsa_key: StoredKey, ec_key: StoredKey) -> None:
    for key in (rsa_key, ec_key):
        assert key.info.public_key == spki(key.private_key)
        load_der_public_key(key.info.public_key)


def test_a_key_that_is_opened_again_is_the_same_key(key_store: KeyStore, rsa_key: StoredKey) -> None:
    again = key_store.open(rsa_key.info.container)
    assert again.info == rsa_key.info
    assert request(again.private_key).public_key() == rsa_key.private_key.public_key()


def test_a_container_that_is_there_is_not_made_again(key_store: KeyStore, ec_key: StoredKey) -> None:
    with pytest.raises(KeyExists) as caught:
        key_store.create(ec_key.info.container, P256)
    assert caught.value.hresult == 0x8009000F
    assert key_store.open(ec_key.info.container).info == ec_key.info


def test_a_container_that_is_not_there_cannot_be_opened_or_deleted(key_store: KeyStore, container: str) -> None:
    for action in (key_store.open, key_store.delete):
        with pytest.raises(NoSuchKey) as caught:
            action(container)
        assert caught.value.hresult == 0x80090016


def test_a_deleted_key_is_gone(key_store: KeyStore, container: str) -> None:
    key_store.create(container, P256)
    key_store.delete(container)
    with pytest.raises(NoSuchKey):
        key_store.open(container)
    assert container not in [info.container for info in key_store.list()]


def test_a_deleted_container_can_be_made_again(key_store: KeyStore, container: str) -> None:
    first = key_store.create(container, P256)
    key_store.delete(container)
    second = key_store.create(container, P256)
    assert first.info.public_key != second.info.public_key


def test_the_list_has_every_key_by_container(key_store: KeyStore, rsa_key: StoredKey, ec_key: StoredKey) -> None:
    found = {info.container: info for info in key_store.list()}
    assert list(found) == sorted(found)
    assert found[rsa_key.info.container] == rsa_key.info
    assert found[ec_key.info.container] == ec_key.info


@pytest.mark.parametrize(
    "name",
    ["Büro №7", "鍵", "a/b\\c", "..", ".hidden", "-rf", "semi;colon=%41", "{GUID}", "tab\tnewline\n", "Ж" * 100, "x" * 260],
    ids=lambda name: ascii(name[:12]),
)
def test_a_container_has_any_unicode_name(key_store: KeyStore, name: str) -> None:
    made = key_store.create(name, P256)
    try:
        assert key_store.open(name).info == made.info
        assert name in [info.container for info in key_store.list()]
    finally:
        key_store.delete(name)


def test_names_that_differ_in_case_are_two_containers(key_store: KeyStore) -> None:
    upper, lower = key_store.create("Case", P256), key_store.create("case", P256)
    assert upper.info.public_key != lower.info.public_key
    key_store.delete("Case")
    assert key_store.open("case").info == lower.info


@pytest.mark.parametrize("name", ["", "x" * 261])
def test_a_name_that_is_empty_or_too_long_is_refused(key_store: KeyStore, name: str) -> None:
    with pytest.raises(KeyStoreError):
        key_store.create(name, P256)


@pytest.mark.parametrize(
    ("algorithm", "length"), [(KeyAlgorithm.RSA, 512), (KeyAlgorithm.RSA, 2049), (KeyAlgorithm.EC, 255)]
)
def test_a_length_that_the_store_lacks_is_refused(
    key_store: KeyStore, container: str, algorithm: KeyAlgorithm, length: int
) -> None:
    with pytest.raises(UnsupportedKey):
        key_store.create(container, KeyTemplate(algorithm, length))
    with pytest.raises(NoSuchKey):
        key_store.open(container)


def test_what_a_store_says_it_makes_has_rsa_2048_and_p256(key_store: KeyStore) -> None:
    assert isinstance(key_store, Prober)
    found = key_store.supported()
    assert (KeyAlgorithm.RSA, 2048) in found
    assert (KeyAlgorithm.EC, 256) in found


@pytest.mark.parametrize("family", ["RSA", "EC"])
def test_an_imported_key_is_the_key_that_was_given(key_store: KeyStore, container: str, family: str) -> None:
    given: PrivateKey = (
        rsa.generate_private_key(65537, 2048) if family == "RSA" else ec.generate_private_key(ec.SECP256R1())
    )
    assert isinstance(key_store, Importer)
    imported = key_store.import_key(container, given)
    assert imported.info.public_key == spki(given)
    assert not imported.info.generated
    assert request(key_store.open(container).private_key).is_signature_valid


def test_an_import_does_not_replace_a_key(key_store: KeyStore, ec_key: StoredKey) -> None:
    assert isinstance(key_store, Importer)
    with pytest.raises(KeyExists):
        key_store.import_key(ec_key.info.container, ec.generate_private_key(ec.SECP256R1()))


def test_a_key_that_is_not_exportable_does_not_leave_the_store(key_store: KeyStore, ec_key: StoredKey) -> None:
    if isinstance(key_store, Exporter):
        with pytest.raises(NotPermitted):
            key_store.export_key(ec_key.info.container)
    assert not ec_key.info.exportable


def test_the_store_is_what_the_protocol_says(key_store: KeyStore) -> None:
    assert isinstance(key_store, KeyStore)
    assert key_store.name in {"software", "tpm", "smartcard"}


def test_a_key_in_hand_outlives_its_container_except_on_a_card(
    key_store: KeyStore, container: str
) -> None:
    key = key_store.create(container, P256).private_key
    key_store.delete(container)
    if key_store.name == "smartcard":  # the container is the key; elsewhere the key in hand is a copy of its file
        with pytest.raises(NoSuchKey):
            request(key)
    else:
        assert request(key).is_signature_valid
