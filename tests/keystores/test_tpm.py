"""Keys in a real (software) TPM: making, using, listing, importing, attesting."""

from __future__ import annotations

import copy
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from keystores.base import Attester, Importer, KeyAlgorithm, KeyStore, KeyTemplate, KeyUse, Prober, Scope, StoredKey
from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyExists,
    KeyStoreError,
    NoSuchKey,
    NotPermitted,
    StoreUnavailable,
    UnsupportedKey,
)
from keystores.tpm import TpmKeyStore
from keystores.tpm.errors import DecryptionFailed
from keystores.tpm.keys import TpmECPrivateKey
from tests.support.requires import package
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
TEMPLATES = [KeyTemplate(), P256, KeyTemplate(KeyAlgorithm.EC, 384), KeyTemplate(KeyAlgorithm.EC, 521)]
HASHES = [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]


@pytest.fixture(scope="module")
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def store(tpm: SwTpm, tmp_path: Path) -> Iterator[TpmKeyStore]:
    with TpmKeyStore(tmp_path / "keys", Scope.USER, tpm.tcti) as made:
        yield made


@pytest.fixture(scope="module")
def rsa_key(tpm: SwTpm, tmp_path_factory: pytest.TempPathFactory) -> rsa.RSAPrivateKey:
    made = TpmKeyStore(tmp_path_factory.mktemp("keys"), Scope.USER, tpm.tcti).create("rsa", KeyTemplate())
    assert isinstance(made.private_key, rsa.RSAPrivateKey)
    return made.private_key


def ec_key(stored: StoredKey) -> ec.EllipticCurvePrivateKey:
    assert isinstance(stored.private_key, ec.EllipticCurvePrivateKey)
    return stored.private_key


def request(stored: StoredKey, **options: padding.PSS) -> x509.CertificateSigningRequest:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(stored.private_key, hashes.SHA256(), rsa_padding=options.get("rsa_padding"))


def test_the_store_has_the_capabilities_that_a_tpm_has(store: TpmKeyStore) -> None:
    assert isinstance(store, KeyStore)
    assert isinstance(store, Prober)
    assert isinstance(store, Importer)
    assert isinstance(store, Attester)
    assert store.name == "tpm"


def test_the_tpm_says_which_keys_it_makes(store: TpmKeyStore) -> None:
    rsa_sizes = [length for algorithm, length in store.supported() if algorithm is KeyAlgorithm.RSA]
    curves = [length for algorithm, length in store.supported() if algorithm is KeyAlgorithm.EC]
    assert rsa_sizes == [1024, 2048, 3072]
    assert curves == [256, 384, 521]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_key_that_was_made_is_found_again_and_signs_requests(store: TpmKeyStore, template: KeyTemplate) -> None:
    made = store.create("web", template)
    found = store.open("web")
    assert found.info == made.info
    assert found.info.generated
    assert not found.info.exportable
    assert (found.info.algorithm, found.info.length, found.info.use) == (template.algorithm, template.length, template.use)
    assert request(found).is_signature_valid
    assert request(found).public_key() == load_der_public_key(made.info.public_key)


def test_pss_requests_are_valid_where_the_salt_is_as_long_as_the_digest(store: TpmKeyStore) -> None:
    made = store.create("web", KeyTemplate())
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    assert request(made, rsa_padding=pss).is_signature_valid


@pytest.mark.parametrize("algorithm", HASHES, ids=lambda algorithm: algorithm.name)
@pytest.mark.parametrize("kind", ["pkcs1", "pss"])
def test_rsa_signs_with_every_hash(rsa_key: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm, kind: str) -> None:
    chosen = padding.PKCS1v15() if kind == "pkcs1" else padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    rsa_key.public_key().verify(rsa_key.sign(b"text", chosen, algorithm), b"text", chosen, algorithm)
    state = hashes.Hash(algorithm)
    state.update(b"text")
    signature = rsa_key.sign(state.finalize(), chosen, Prehashed(algorithm))
    rsa_key.public_key().verify(signature, b"text", chosen, algorithm)


@pytest.mark.parametrize("length", [256, 384, 521])
def test_ec_signs_with_every_hash(store: TpmKeyStore, length: int) -> None:
    key = ec_key(store.create("ec", KeyTemplate(KeyAlgorithm.EC, length)))
    for algorithm in HASHES:
        key.public_key().verify(key.sign(b"text", ec.ECDSA(algorithm)), b"text", ec.ECDSA(algorithm))
    state = hashes.Hash(hashes.SHA256())
    state.update(b"text")
    signature = key.sign(state.finalize(), ec.ECDSA(Prehashed(hashes.SHA256())))
    key.public_key().verify(signature, b"text", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("chosen", "algorithm"),
    [
        (padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO), hashes.SHA256()),
        (padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256()),
        (padding.PKCS1v15(), hashes.MD5()),
        (padding.PKCS1v15(), hashes.SHA3_256()),
        (padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None), hashes.SHA1()),
    ],
)
def test_what_a_tpm_cannot_sign_is_refused_before_it_is_asked(
    rsa_key: rsa.RSAPrivateKey, tpm: SwTpm, chosen: padding.AsymmetricPadding, algorithm: hashes.HashAlgorithm
) -> None:
    lock = Path(f"{tpm.directory}/s.lock")
    lock.unlink()
    with pytest.raises(UnsupportedKey):
        rsa_key.sign(b"text", chosen, algorithm)
    assert not lock.exists()  # nobody went to the TPM
    rsa_key.sign(b"text", padding.PKCS1v15(), hashes.SHA256())


def test_pss_without_room_for_the_salt_is_refused(store: TpmKeyStore) -> None:
    key = store.create("small", KeyTemplate(length=1024)).private_key
    assert isinstance(key, rsa.RSAPrivateKey)
    with pytest.raises(UnsupportedKey):
        key.sign(b"text", padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())


def test_deterministic_ecdsa_and_wrong_digests_are_refused(store: TpmKeyStore) -> None:
    key = ec_key(store.create("ec", P256))
    with pytest.raises(UnsupportedKey):
        key.sign(b"text", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    with pytest.raises(BadKeyData):
        key.sign(b"short", ec.ECDSA(Prehashed(hashes.SHA256())))


def _oaep(algorithm: hashes.HashAlgorithm, label: bytes | None = None) -> padding.OAEP:
    return padding.OAEP(padding.MGF1(algorithm), algorithm, label)


@pytest.mark.parametrize("chosen", [padding.PKCS1v15(), *map(_oaep, HASHES)])
def test_rsa_decrypts(rsa_key: rsa.RSAPrivateKey, chosen: padding.AsymmetricPadding) -> None:
    assert rsa_key.decrypt(rsa_key.public_key().encrypt(b"content key", chosen), chosen) == b"content key"


@pytest.mark.parametrize("ciphertext", [b"\1" * 256, b"\xff" * 256, b"short", b""])
def test_what_does_not_decrypt_is_a_typed_error(rsa_key: rsa.RSAPrivateKey, ciphertext: bytes) -> None:
    for chosen in (padding.PKCS1v15(), _oaep(hashes.SHA256())):
        with pytest.raises(DecryptionFailed) as caught:
            rsa_key.decrypt(ciphertext, chosen)
        assert caught.value.hresult == 0x8009002C
        assert isinstance(caught.value, ValueError)


def test_oaep_with_a_label_or_two_hashes_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    mixed = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA256(), None)
    for chosen in (_oaep(hashes.SHA256(), b"label"), mixed):
        with pytest.raises(UnsupportedKey):
            rsa_key.decrypt(bytes(256), chosen)


@pytest.mark.parametrize("length", [256, 384, 521])
def test_ecdh_gives_what_the_other_side_gets(store: TpmKeyStore, length: int) -> None:
    key = ec_key(store.create("ec", KeyTemplate(KeyAlgorithm.EC, length)))
    for _ in range(3):
        other = ec.generate_private_key(key.curve)
        assert key.exchange(ec.ECDH(), other.public_key()) == other.exchange(ec.ECDH(), key.public_key())


def test_ecdh_with_another_curve_is_refused(store: TpmKeyStore) -> None:
    key = ec_key(store.create("ec", P256))
    with pytest.raises(BadKeyData):
        key.exchange(ec.ECDH(), ec.generate_private_key(ec.SECP384R1()).public_key())


def test_a_key_does_only_what_it_was_made_for(store: TpmKeyStore) -> None:
    signer = store.create("signer", KeyTemplate(use=KeyUse.SIGN)).private_key
    reader = store.create("reader", KeyTemplate(use=KeyUse.DECRYPT)).private_key
    agreer = ec_key(store.create("agreer", KeyTemplate(KeyAlgorithm.EC, 256, KeyUse.AGREE)))
    assert isinstance(signer, rsa.RSAPrivateKey)
    assert isinstance(reader, rsa.RSAPrivateKey)
    with pytest.raises(NotPermitted, match="only sign"):
        signer.decrypt(bytes(256), padding.PKCS1v15())
    with pytest.raises(NotPermitted, match="only decrypt"):
        reader.sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(NotPermitted, match="only agree"):
        agreer.sign(b"text", ec.ECDSA(hashes.SHA256()))
    assert [info.use for info in store.list()] == [KeyUse.AGREE, KeyUse.DECRYPT, KeyUse.SIGN]


def test_the_private_part_stays_inside(store: TpmKeyStore) -> None:
    for template in (KeyTemplate(length=1024), P256):
        key = store.create(template.algorithm.value, template).private_key
        with pytest.raises(NotPermitted):
            key.private_numbers()
        with pytest.raises(NotPermitted):
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert copy.copy(key) is key
        assert copy.deepcopy(key) is key


def test_an_exportable_key_is_refused(store: TpmKeyStore) -> None:
    with pytest.raises(NotPermitted):
        store.create("web", KeyTemplate(exportable=True))
    with pytest.raises(NotPermitted):
        store.import_key("web", ec.generate_private_key(ec.SECP256R1()), exportable=True)
    assert store.list() == []


@pytest.mark.parametrize("length", [-1, 0, 512, 1000, 1536, 4096, 65536, 10**9])
def test_a_size_that_the_tpm_lacks_is_a_bad_length_and_leaves_nothing(store: TpmKeyStore, length: int) -> None:
    for algorithm in KeyAlgorithm:
        with pytest.raises(UnsupportedKey) as caught:
            store.create("web", KeyTemplate(algorithm, length))
        assert caught.value.hresult == 0x80090004
    assert not store.directory.exists()


def test_a_use_that_the_family_lacks_is_refused(store: TpmKeyStore) -> None:
    for template in (KeyTemplate(KeyAlgorithm.EC, 256, KeyUse.DECRYPT), KeyTemplate(use=KeyUse.AGREE)):
        with pytest.raises(UnsupportedKey):
            store.create("web", template)


def test_a_container_is_made_once(store: TpmKeyStore) -> None:
    made = store.create("web", P256)
    with pytest.raises(KeyExists):
        store.create("web", P256)
    with pytest.raises(KeyExists):
        store.import_key("web", ec.generate_private_key(ec.SECP256R1()))
    assert store.open("web").info == made.info


def test_a_missing_container_is_said_to_be_missing(store: TpmKeyStore) -> None:
    for act in (store.open, store.delete, store.public_area):
        with pytest.raises(NoSuchKey) as caught:
            act("web")
        assert caught.value.hresult == 0x80090016


@pytest.mark.parametrize("container", ["", "x" * 261, "\ud800"])
def test_a_name_that_is_none_is_refused(store: TpmKeyStore, container: str) -> None:
    with pytest.raises(KeyStoreError) as caught:
        store.create(container, P256)
    assert caught.value.hresult == 0x8009001F


@pytest.mark.parametrize(
    "container", ["../../etc/passwd", "a b", ".", "..", "-rf", "%41", "Schlüssel/ключ", "鍵" * 260, "x" * 260, "\0"]
)
def test_any_name_is_kept_as_it_is(store: TpmKeyStore, container: str) -> None:
    made = store.create(container, P256)
    assert [info.container for info in store.list()] == [container]
    assert Path(made.info.reference).parent == store.directory
    assert request(store.open(container)).is_signature_valid
    store.delete(container)
    assert list(store.directory.iterdir()) == []


def test_key_files_are_the_owners_alone(store: TpmKeyStore) -> None:
    made = store.create("web", P256)
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(made.info.reference).stat().st_mode) == 0o600


def test_listing_and_deleting_need_no_tpm(store: TpmKeyStore) -> None:
    made = store.create("web", P256)
    away = TpmKeyStore(store.directory, Scope.USER, "swtpm:path=/nowhere/s")
    assert away.list() == [made.info]
    with pytest.raises(StoreUnavailable):
        away.open("web")
    away.delete("web")
    assert away.list() == []


def test_a_file_that_is_no_key_is_left_out_of_the_list_and_refused(
    store: TpmKeyStore, caplog: pytest.LogCaptureFixture
) -> None:
    made = store.create("web", P256)
    (store.directory / "other.tss2").write_text("no key")
    assert store.list() == [made.info]
    assert "other.tss2" in caplog.text
    with pytest.raises(BadKeyData):
        store.open("other")


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: ec.generate_private_key(ec.SECP256R1()),
        lambda: ec.generate_private_key(ec.SECP384R1()),
        lambda: ec.generate_private_key(ec.SECP521R1()),
        lambda: ec.derive_private_key(7, ec.SECP256R1()),
    ],
)
def test_an_imported_key_is_the_same_key_and_says_that_it_was_imported(store: TpmKeyStore, make: object) -> None:
    key = make()  # type: ignore[operator]
    store.import_key("web", key)
    found = store.open("web")
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert found.info.public_key == spki
    assert not found.info.generated
    assert not found.info.exportable
    assert request(found).is_signature_valid


def test_a_key_that_the_tpm_cannot_take_is_refused_and_leaves_nothing(store: TpmKeyStore) -> None:
    for key in (rsa.generate_private_key(3, 2048), rsa.generate_private_key(65537, 4096)):
        with pytest.raises(UnsupportedKey):
            store.import_key("web", key)
    with pytest.raises((UnsupportedKey, BadKeyData)):
        store.import_key("web", ec.generate_private_key(ec.SECP256K1()))
    assert not store.directory.exists()


def test_the_key_of_another_tpm_is_refused(store: TpmKeyStore, tmp_path: Path) -> None:
    store.create("web", P256)
    with SwTpm() as other, pytest.raises(BadKeyData) as caught:
        TpmKeyStore(store.directory, Scope.USER, other.tcti).open("web")
    assert caught.value.hresult == 0x8028009F


def test_a_wrong_signature_is_not_given_out(store: TpmKeyStore) -> None:
    made, other = store.create("web", P256).private_key, ec_key(store.create("other", P256))
    assert isinstance(made, TpmECPrivateKey)
    made._public = other.public_key()  # as if the TPM had used another key
    with pytest.raises(DeviceFailure, match="wrong signature"):
        made.sign(b"text", ec.ECDSA(hashes.SHA256()))


def test_without_a_tpm_the_store_is_unavailable(tmp_path: Path) -> None:
    package("tpm2_pytss", "tpm")
    store = TpmKeyStore(tmp_path, Scope.USER, f"swtpm:path={tmp_path}/nothing")
    for act in (store.supported, lambda: store.create("web", P256)):
        with pytest.raises(StoreUnavailable) as caught:
            act()
        assert caught.value.hresult == 0x8028400F
    assert list(tmp_path.glob("*.tss2")) == []


@pytest.mark.parametrize("tcti", ["nonsense", "nonsense:x", "", "device:/dev/nothing"])
def test_a_tcti_that_does_not_exist_is_unavailable(tmp_path: Path, tcti: str) -> None:
    with pytest.raises(StoreUnavailable):
        TpmKeyStore(tmp_path, Scope.USER, tcti).supported()


def test_the_package_loads_no_tss_until_a_tpm_is_spoken_to(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
sys.modules["tpm2_pytss"] = None  # as if it were not installed
import keystores.tpm
from keystores.base import KeyTemplate, Scope
from keystores.errors import PackageMissing
store = keystores.tpm.TpmKeyStore(Path({str(tmp_path)!r}), Scope.USER, "swtpm:path=x")
assert store.list() == []
try:
    store.create("web", KeyTemplate())
except PackageMissing as error:
    print(hex(error.hresult), error)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.startswith("0x8007007e")
    assert "pip install 'xenroll[tpm]'" in result.stdout
