"""What the smart-card key store does with keys and certificates, on SoftHSM."""

from __future__ import annotations

import copy
import pickle
import resource
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, pkcs7
from cryptography.x509.oid import NameOID

from keystores.base import (
    CertificateHolder,
    Importer,
    KeyAlgorithm,
    KeyStore,
    KeyTemplate,
    KeyUse,
    Prober,
    Scope,
    Secret,
    StoredKey,
)
from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyExists,
    KeyStoreError,
    NoSuchKey,
    NotPermitted,
    UnsupportedKey,
)
from keystores.smartcard import SmartCardKeyStore
from keystores.smartcard.objects import key_id
from tests.support.softhsm import SoftToken

EC256 = KeyTemplate(KeyAlgorithm.EC, 256)
RSA1024 = KeyTemplate(length=1024)
HASHES = [hashes.MD5(), hashes.SHA1(), hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def token() -> Iterator[SoftToken]:
    with SoftToken() as made:
        yield made


@pytest.fixture(scope="module")
def shared_store(token: SoftToken) -> SmartCardKeyStore:
    return token.store()


@pytest.fixture(scope="module")
def rsa_key(shared_store: SmartCardKeyStore) -> rsa.RSAPrivateKey:
    key = shared_store.create("shared rsa", KeyTemplate()).private_key
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture(scope="module")
def ec_key(shared_store: SmartCardKeyStore) -> ec.EllipticCurvePrivateKey:
    key = shared_store.create("shared ec", EC256).private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@pytest.fixture
def store(token: SoftToken) -> Iterator[SmartCardKeyStore]:
    made = token.store()
    yield made
    for info in made.list():
        if not info.container.startswith("shared"):
            made.delete(info.container)


def certificate_for(key: StoredKey, *, serial: int = 1, start: int = 0, ca: bool = False, name: str = "card") -> bytes:
    signer = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.private_key.public_key(), serial)
    begin = datetime(2030, 1, 1, tzinfo=UTC) + start * DAY
    builder = builder.not_valid_before(begin).not_valid_after(begin + 365 * DAY)
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def test_the_store_offers_what_the_protocols_name(store: SmartCardKeyStore) -> None:
    assert isinstance(store, KeyStore)
    assert isinstance(store, Prober)
    assert isinstance(store, Importer)
    assert isinstance(store, CertificateHolder)
    assert store.name == "smartcard"


@pytest.mark.parametrize(("algorithm", "length"), [
    (KeyAlgorithm.RSA, 1024), (KeyAlgorithm.RSA, 1536), (KeyAlgorithm.RSA, 2048),
    (KeyAlgorithm.EC, 256), (KeyAlgorithm.EC, 384), (KeyAlgorithm.EC, 521),
])
def test_a_key_of_every_kind_is_made_and_opened_again(
    store: SmartCardKeyStore, algorithm: KeyAlgorithm, length: int
) -> None:
    made = store.create("web", KeyTemplate(algorithm, length))
    opened = store.open("web")
    assert opened.info == made.info
    assert (made.info.algorithm, made.info.length) == (algorithm, length)
    assert made.info.generated
    assert not made.info.exportable
    assert made.info.public_key == opened.private_key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize("length", [3072, 4096])
def test_long_rsa_keys_are_made(store: SmartCardKeyStore, length: int) -> None:
    assert store.create("long", KeyTemplate(length=length)).private_key.key_size == length


def test_the_token_says_what_it_makes(store: SmartCardKeyStore) -> None:
    assert list(store.supported()) == [
        (KeyAlgorithm.RSA, 1024), (KeyAlgorithm.RSA, 2048), (KeyAlgorithm.RSA, 3072), (KeyAlgorithm.RSA, 4096),
        (KeyAlgorithm.EC, 256), (KeyAlgorithm.EC, 384), (KeyAlgorithm.EC, 521),
    ]


@pytest.mark.parametrize("template", [
    KeyTemplate(length=512), KeyTemplate(length=1025), KeyTemplate(length=1 << 20), KeyTemplate(KeyAlgorithm.EC, 255),
])
def test_a_size_that_the_token_lacks_is_refused_and_nothing_is_left(store: SmartCardKeyStore, template: KeyTemplate) -> None:
    with pytest.raises(UnsupportedKey) as caught:
        store.create("odd", template)
    assert caught.value.hresult == 0x80090004
    assert "odd" not in [info.container for info in store.list()]


def test_a_container_is_made_once(store: SmartCardKeyStore) -> None:
    first = store.create("one", EC256)
    with pytest.raises(KeyExists):
        store.create("one", RSA1024)
    with pytest.raises(KeyExists):
        store.import_key("one", ec.generate_private_key(ec.SECP256R1()))
    assert store.open("one").info == first.info


def test_a_container_that_is_not_there_is_said_so_with_and_without_a_pin(token: SoftToken, store: SmartCardKeyStore) -> None:
    for asked in (store, token.store(with_pin=False)):
        for call in (asked.open, asked.delete):
            with pytest.raises(NoSuchKey):
                call("nobody's")
    with pytest.raises(NoSuchKey):
        store.write_certificate("nobody's", certificate_for(store.create("somebody's", EC256)))
    assert store.read_certificate("nobody's") is None


@pytest.mark.parametrize("name", ["", "x" * 261, "\ud800"])
def test_a_name_that_is_no_container_name_is_refused(store: SmartCardKeyStore, name: str) -> None:
    for call in (lambda: store.create(name, EC256), lambda: store.open(name), lambda: store.delete(name)):
        with pytest.raises(KeyStoreError) as caught:
            call()
        assert caught.value.hresult == 0x8009001F


@pytest.mark.parametrize("name", ["x" * 260, "schlüssel/../%2F;object=a?b", "{6F9619FF-8B86-D011-00CF4FC964FF}", " ", "鍵"])
def test_any_unicode_name_comes_back(store: SmartCardKeyStore, name: str) -> None:
    made = store.create(name, EC256)
    assert name in [info.container for info in store.list()]
    assert store.open(name).info == made.info


def test_both_scopes_see_the_containers_of_the_card(token: SoftToken, store: SmartCardKeyStore) -> None:
    store.create("shown to both", EC256)
    machine = token.store(Scope.MACHINE)
    assert machine.open("shown to both").info.scope is Scope.MACHINE


def test_deleting_removes_all_three_objects(store: SmartCardKeyStore) -> None:
    key = store.create("short-lived", EC256)
    store.write_certificate("short-lived", certificate_for(key))
    store.delete("short-lived")
    assert store.read_certificate("short-lived") is None
    assert "short-lived" not in [info.container for info in store.list()]
    store.create("short-lived", EC256)


def test_a_key_that_was_deleted_meanwhile_is_missed_by_name(token: SoftToken, store: SmartCardKeyStore) -> None:
    held = store.create("pulled away", EC256).private_key
    assert isinstance(held, ec.EllipticCurvePrivateKey)
    held.sign(b"x", ec.ECDSA(hashes.SHA256()))
    token.store().delete("pulled away")
    with pytest.raises(NoSuchKey):
        held.sign(b"x", ec.ECDSA(hashes.SHA256()))


def test_a_key_that_was_replaced_meanwhile_does_not_sign_as_the_old_one(token: SoftToken, store: SmartCardKeyStore) -> None:
    store.create("swapped", EC256)
    held = token.store().open("swapped").private_key
    assert isinstance(held, ec.EllipticCurvePrivateKey)
    store.delete("swapped")
    store.create("swapped", EC256)
    with pytest.raises(DeviceFailure) as caught:
        held.sign(b"x", ec.ECDSA(hashes.SHA256()))
    assert caught.value.hresult == 0x80090006


@pytest.mark.parametrize("chosen", HASHES, ids=lambda chosen: chosen.name)
def test_rsa_signs_with_every_hash(rsa_key: rsa.RSAPrivateKey, chosen: hashes.HashAlgorithm) -> None:
    signature = rsa_key.sign(b"message", padding.PKCS1v15(), chosen)
    rsa_key.public_key().verify(signature, b"message", padding.PKCS1v15(), chosen)


@pytest.mark.parametrize("chosen", HASHES[1:], ids=lambda chosen: chosen.name)
@pytest.mark.parametrize(
    "salt", [0, 20, 32, padding.PSS.MAX_LENGTH, padding.PSS.DIGEST_LENGTH], ids=["0", "20", "32", "max", "digest"]
)
def test_rsa_signs_pss_with_every_salt_that_fits(
    rsa_key: rsa.RSAPrivateKey, chosen: hashes.HashAlgorithm, salt: int
) -> None:
    scheme = padding.PSS(padding.MGF1(chosen), salt)
    rsa_key.public_key().verify(rsa_key.sign(b"message", scheme, chosen), b"message", scheme, chosen)


def test_what_pss_cannot_be_on_a_card_is_refused(rsa_key: rsa.RSAPrivateKey, store: SmartCardKeyStore) -> None:
    sha256 = hashes.SHA256()
    for scheme in (
        padding.PSS(padding.MGF1(hashes.SHA1()), 32),
        padding.PSS(padding.MGF1(sha256), padding.PSS.AUTO),
        padding.PSS(padding.MGF1(sha256), 223),
    ):
        with pytest.raises(UnsupportedKey):
            rsa_key.sign(b"message", scheme, sha256)
    small = store.create("small", RSA1024).private_key
    assert isinstance(small, rsa.RSAPrivateKey)
    with pytest.raises(UnsupportedKey):
        small.sign(b"message", padding.PSS(padding.MGF1(hashes.SHA512()), padding.PSS.DIGEST_LENGTH), hashes.SHA512())


@pytest.mark.parametrize("chosen", HASHES, ids=lambda chosen: chosen.name)
def test_ec_signs_with_every_hash(ec_key: ec.EllipticCurvePrivateKey, chosen: hashes.HashAlgorithm) -> None:
    signature = ec_key.sign(b"message", ec.ECDSA(chosen))
    ec_key.public_key().verify(signature, b"message", ec.ECDSA(chosen))


def test_a_digest_is_signed_as_it_is(rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> None:
    context = hashes.Hash(hashes.SHA384())
    context.update(b"message")
    digest, ready = context.finalize(), Prehashed(hashes.SHA384())
    pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
    for scheme in (padding.PKCS1v15(), pss):
        rsa_key.public_key().verify(rsa_key.sign(digest, scheme, ready), b"message", scheme, hashes.SHA384())
    ec_key.public_key().verify(ec_key.sign(digest, ec.ECDSA(ready)), b"message", ec.ECDSA(hashes.SHA384()))
    with pytest.raises(UnsupportedKey):
        rsa_key.sign(digest[:-1], padding.PKCS1v15(), ready)


def test_what_the_card_does_not_sign_is_refused(rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> None:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    calls: list[Callable[[], object]] = [
        lambda: rsa_key.sign(b"x", oaep, hashes.SHA256()),
        lambda: rsa_key.sign(b"x", padding.PKCS1v15(), hashes.SHA3_256()),
        lambda: rsa_key.sign(b"x", padding.PKCS1v15(), None),  # type: ignore[arg-type]
        lambda: rsa_key.sign(b"x", padding.PSS(padding.MGF1(hashes.MD5()), 16), hashes.MD5()),
        lambda: ec_key.sign(b"x", ec.ECDSA(hashes.BLAKE2s(32))),
        lambda: ec_key.sign(b"x", ec.ECDSA(hashes.SHA256(), deterministic_signing=True)),
    ]
    for call in calls:
        with pytest.raises(UnsupportedKey) as caught:
            call()
        assert caught.value.hresult == 0x80090008


def test_rsa_decrypts(rsa_key: rsa.RSAPrivateKey) -> None:
    for scheme in (padding.PKCS1v15(), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)):
        assert rsa_key.decrypt(rsa_key.public_key().encrypt(b"hidden", scheme), scheme) == b"hidden"


def test_data_for_another_key_is_not_decrypted(rsa_key: rsa.RSAPrivateKey) -> None:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    for ciphertext in (b"", b"short", b"\x11" * 256, b"\xff" * 257):
        with pytest.raises(DeviceFailure) as caught:
            rsa_key.decrypt(ciphertext, oaep)
        assert caught.value.hresult == 0x8009002C
    rsa_key.sign(b"still works", padding.PKCS1v15(), hashes.SHA256())


def test_oaep_with_a_hash_that_the_token_lacks_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    with pytest.raises(UnsupportedKey):
        rsa_key.decrypt(rsa_key.public_key().encrypt(b"hidden", oaep), oaep)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_ec_agrees_on_the_secret_that_the_other_side_has(store: SmartCardKeyStore, curve: ec.EllipticCurve) -> None:
    mine = store.create("agree", KeyTemplate(KeyAlgorithm.EC, curve.key_size)).private_key
    other = ec.generate_private_key(curve)
    assert isinstance(mine, ec.EllipticCurvePrivateKey)
    assert mine.exchange(ec.ECDH(), other.public_key()) == other.exchange(ec.ECDH(), mine.public_key())
    stranger = ec.generate_private_key(ec.SECP256K1()).public_key()
    with pytest.raises(UnsupportedKey):
        mine.exchange(ec.ECDH(), stranger)


def test_a_key_does_only_what_it_was_made_for(store: SmartCardKeyStore) -> None:
    signer = store.create("signer", KeyTemplate(length=1024, use=KeyUse.SIGN))
    reader = store.create("reader", KeyTemplate(length=1024, use=KeyUse.DECRYPT))
    plain = store.create("plain", KeyTemplate(KeyAlgorithm.EC, 256, use=KeyUse.SIGN))
    assert (signer.info.use, reader.info.use, plain.info.use) == (KeyUse.SIGN, KeyUse.DECRYPT, KeyUse.SIGN)
    assert isinstance(signer.private_key, rsa.RSAPrivateKey)
    assert isinstance(reader.private_key, rsa.RSAPrivateKey)
    assert isinstance(plain.private_key, ec.EllipticCurvePrivateKey)
    with pytest.raises(NotPermitted):
        signer.private_key.decrypt(b"x" * 128, padding.PKCS1v15())
    with pytest.raises(NotPermitted):
        reader.private_key.sign(b"x", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(NotPermitted):
        plain.private_key.exchange(ec.ECDH(), ec.generate_private_key(ec.SECP256R1()).public_key())


def test_the_private_key_stays_on_the_card(rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey) -> None:
    for key in (rsa_key, ec_key):
        with pytest.raises(NotPermitted):
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with pytest.raises(NotPermitted):
            key.private_numbers()
        with pytest.raises(TypeError):
            pickle.dumps(key)
        assert copy.copy(key) is key
        assert copy.deepcopy(key) is key


def test_an_exportable_key_is_refused(store: SmartCardKeyStore) -> None:
    with pytest.raises(NotPermitted):
        store.create("out", KeyTemplate(length=1024, exportable=True))
    with pytest.raises(NotPermitted):
        store.import_key("out", ec.generate_private_key(ec.SECP256R1()), exportable=True)


@pytest.mark.parametrize("key", [
    rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1()),
    ec.generate_private_key(ec.SECP521R1()),
], ids=["rsa", "p256", "p384", "p521"])
def test_an_imported_key_signs_as_the_key_it_was(
    store: SmartCardKeyStore, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
) -> None:
    store.import_key("brought", key)
    opened = store.open("brought")
    assert opened.info.generated is False
    assert opened.private_key.public_key() == key.public_key()
    if isinstance(opened.private_key, rsa.RSAPrivateKey) and isinstance(key, rsa.RSAPrivateKey):
        signature = opened.private_key.sign(b"m", padding.PKCS1v15(), hashes.SHA256())
        key.public_key().verify(signature, b"m", padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(opened.private_key, ec.EllipticCurvePrivateKey) and isinstance(key, ec.EllipticCurvePrivateKey):
        key.public_key().verify(opened.private_key.sign(b"m", ec.ECDSA(hashes.SHA256())), b"m", ec.ECDSA(hashes.SHA256()))


def test_what_cannot_be_imported_is_refused(store: SmartCardKeyStore, ec_key: ec.EllipticCurvePrivateKey) -> None:
    with pytest.raises(UnsupportedKey):
        store.import_key("k1", ec.generate_private_key(ec.SECP256K1()))
    with pytest.raises(NotPermitted):
        store.import_key("from the card", ec_key)
    with pytest.raises(BadKeyData):
        store.import_key("text", "not a key")  # type: ignore[arg-type]


def test_card_keys_plug_into_the_builders_of_pyca(
    rsa_key: rsa.RSAPrivateKey, ec_key: ec.EllipticCurvePrivateKey
) -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "card")])
    for key in (rsa_key, ec_key):
        assert x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256()).is_signature_valid
    certificate = x509.load_der_x509_certificate(certificate_for(StoredKey(None, rsa_key)))  # type: ignore[arg-type]
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"data")
    assert builder.add_signer(certificate, rsa_key, hashes.SHA256()).sign(Encoding.DER, [])
    envelope = pkcs7.PKCS7EnvelopeBuilder().set_data(b"data").add_recipient(certificate).encrypt(Encoding.DER, [])
    assert pkcs7.pkcs7_decrypt_der(envelope, certificate, rsa_key, []) == b"data"


def test_a_certificate_is_replaced_and_not_added(store: SmartCardKeyStore) -> None:
    key = store.create("renewed", EC256)
    first, second = certificate_for(key, serial=1), certificate_for(key, serial=2, start=-30)
    assert store.read_certificate("renewed") is None
    store.write_certificate("renewed", first)
    store.write_certificate("renewed", first)
    assert store.read_certificate("renewed") == first
    store.write_certificate("renewed", second)
    assert store.read_certificate("renewed") == second  # the older one would be read if both were there


def test_a_certificate_of_another_key_or_of_nothing_is_refused_and_the_old_one_stays(store: SmartCardKeyStore) -> None:
    key, other = store.create("mine", EC256), store.create("other", EC256)
    old = certificate_for(key)
    store.write_certificate("mine", old)
    for wrong in (certificate_for(other), b"", b"\x30\x03\x02\x01\x00", old[:-1]):
        with pytest.raises(BadKeyData):
            store.write_certificate("mine", wrong)
    assert store.read_certificate("mine") == old


def test_a_token_that_cannot_write_loses_nothing(store: SmartCardKeyStore) -> None:
    key = store.create("kept", EC256)
    old, new = certificate_for(key), certificate_for(key, serial=2)
    store.write_certificate("kept", old)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))  # as on a full disk
    try:
        with pytest.raises(DeviceFailure):
            store.write_certificate("kept", new)
        with pytest.raises(DeviceFailure):
            store.create("too much", EC256)
        with pytest.raises(DeviceFailure):
            store.import_key("too much", ec.generate_private_key(ec.SECP256R1()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.read_certificate("kept") == old
    assert "too much" not in [info.container for info in store.list()]
    store.write_certificate("kept", new)
    assert store.read_certificate("kept") == new


def test_ca_certificates_are_written_once_and_are_no_containers(store: SmartCardKeyStore) -> None:
    root = StoredKey(None, ec.generate_private_key(ec.SECP256R1()))  # type: ignore[arg-type]
    chain = [certificate_for(root, ca=True, name="Root"), certificate_for(root, ca=True, name="Root", serial=2)]
    before = len(store.list())
    store.write_chain([*chain, chain[0]])
    store.write_chain(chain)
    store.write_chain([])
    assert len(store.list()) == before
    with pytest.raises(NoSuchKey):
        store.delete("Root")
    store.create("Root", EC256)
    with pytest.raises(BadKeyData):
        store.write_chain([b"no certificate"])


def test_listing_and_reading_need_no_pin(token: SoftToken, store: SmartCardKeyStore) -> None:
    made = store.create("listed", EC256)
    certificate = certificate_for(made)
    store.write_certificate("listed", certificate)
    stranger = token.store(with_pin=False)
    assert made.info in stranger.list()
    assert stranger.read_certificate("listed") == certificate
    assert (KeyAlgorithm.EC, 256) in stranger.supported()


def test_the_reference_names_token_id_and_label(token: SoftToken, store: SmartCardKeyStore) -> None:
    reference = store.create("named", EC256).info.reference
    identifier = "".join(f"%{octet:02X}" for octet in key_id("named"))
    assert reference == f"{token.uri};object=named;id={identifier};type=private"


def test_nothing_that_is_shown_holds_the_pin(token: SoftToken, store: SmartCardKeyStore) -> None:
    stored = store.create("quiet", EC256, pin=Secret(token.pin))
    shown = [repr(stored), str(stored), repr(vars(stored.private_key)), repr(store), stored.info.reference]
    failing: list[Callable[[], object]] = [
        lambda: store.open("nobody's", pin=Secret(token.pin)), lambda: store.create("quiet", EC256),
    ]
    for broken in failing:
        with pytest.raises(KeyStoreError) as caught:
            broken()
        shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    assert not [text for text in shown if token.pin in text]
