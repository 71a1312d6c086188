"""A real (software) TPM proves that a key is in it: its endorsement key, its attestation key, attestations, credentials."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key, load_pem_public_key

from keystores.base import Attester, EndorsementKey, KeyAlgorithm, KeyTemplate, Scope, Secret
from keystores.errors import KeyStoreError, NotPermitted, PinRequired, StoreUnavailable, WrongPin
from keystores.tpm import TpmKeyStore
from keystores.tpm.errors import DecryptionFailed
from keystores.tpm.evidence import attributes_of, make_credential, name_of, public_key_of, verify_attestation
from tests.support.endorsement import CERTIFICATE_INDEX, certificate_for, tools, write_nv
from tests.support.judges import run
from tests.support.requires import program
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
FAMILIES = {"rsa": KeyAlgorithm.RSA, "ecc": KeyAlgorithm.EC}
SECRET = bytes(range(32))
ATTESTATION_KEY = """
import sys
from pathlib import Path
from keystores.base import Scope
from keystores.tpm import TpmKeyStore
key = TpmKeyStore(Path(sys.argv[1]), Scope.USER, sys.argv[2]).attestation_key()
print(key.name.hex(), key.public_key.hex())
"""


@pytest.fixture(scope="module")
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def own_tpm() -> Iterator[SwTpm]:
    """A TPM for a test that changes it."""
    with SwTpm() as started:
        yield started


@pytest.fixture
def store(tpm: SwTpm, tmp_path: Path) -> Iterator[TpmKeyStore]:
    with TpmKeyStore(tmp_path / "keys", Scope.USER, tpm.tcti) as made:
        yield made


def opened(tpm: SwTpm, folder: Path) -> TpmKeyStore:
    return TpmKeyStore(folder / "keys", Scope.USER, tpm.tcti)


def nv_certificates(tpm: SwTpm, folder: Path, family: str) -> tuple[bytes, ...]:
    return opened(tpm, folder).endorsement_key(FAMILIES[family]).certificates


def pem_to_der(data: bytes) -> bytes:
    return load_pem_public_key(data).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_endorsement_key_is_the_one_that_tpm2_createek_makes(tpm: SwTpm, store: TpmKeyStore, family: str) -> None:
    ours = store.endorsement_key(FAMILIES[family])
    folder = tpm.directory
    tools(tpm, "createek", "-G", family, "-c", f"{folder}/ek.ctx", "-u", f"{folder}/ek.pub")
    tools(tpm, "readpublic", "-c", f"{folder}/ek.ctx", "-n", f"{folder}/ek.name", "-f", "pem", "-o", f"{folder}/ek.pem")
    assert (folder / "ek.pub").read_bytes()[2:] == ours.tpm_public
    assert (folder / "ek.name").read_bytes() == ours.name
    assert pem_to_der((folder / "ek.pem").read_bytes()) == ours.public_key


def test_the_endorsement_key_has_the_attributes_of_the_tcg_profile(store: TpmKeyStore) -> None:
    key = store.endorsement_key()
    attributes = attributes_of(key.tpm_public)
    assert attributes.made_in_tpm
    assert (attributes.restricted, attributes.decrypt, attributes.sign) == (True, True, False)
    public = load_der_public_key(key.public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    assert isinstance(load_der_public_key(store.endorsement_key(KeyAlgorithm.EC).public_key), ec.EllipticCurvePublicKey)


def test_a_persistent_endorsement_key_is_used_where_it_is(own_tpm: SwTpm, tmp_path: Path) -> None:
    store = opened(own_tpm, tmp_path)
    made = store.endorsement_key()
    tools(own_tpm, "createek", "-G", "rsa", "-c", "0x81010001")
    tools(own_tpm, "changeauth", "-c", "e", "owner's secret")  # no endorsement key can be made any more
    assert store.endorsement_key() == made
    with pytest.raises(NotPermitted):
        store.endorsement_key(KeyAlgorithm.EC)


def test_a_persistent_key_of_the_owners_hierarchy_is_not_taken_for_the_endorsement_key(
    own_tpm: SwTpm, tmp_path: Path
) -> None:
    store = opened(own_tpm, tmp_path)
    made = store.endorsement_key()
    other = _created(own_tpm, made, "o", bytes(256), "0x81010001")
    assert other[:42] == made.tpm_public[:42]  # everything up to the key itself
    assert store.endorsement_key() == made


def _created(tpm: SwTpm, like: EndorsementKey, hierarchy: str, unique: bytes, position: str) -> bytes:
    """The TPMT_PUBLIC of a key with the template of ``like``, which tpm2_createprimary makes in a hierarchy."""
    policy, context, field, public = (tpm.directory / name for name in ("policy", "context", "unique", "public"))
    policy.write_bytes(like.tpm_public[10:42])
    field.write_bytes(len(unique).to_bytes(2, sys.byteorder) + unique)
    attributes = "fixedtpm|fixedparent|sensitivedataorigin|adminwithpolicy|restricted|decrypt"
    tools(
        tpm, "createprimary", "-C", hierarchy, "-c", str(context), "-G", "rsa2048:null:aes128cfb", "-a", attributes,
        "-L", str(policy), "-u", str(field),
    )
    tools(tpm, "evictcontrol", "-C", "o", "-c", str(context), position)
    tools(tpm, "readpublic", "-c", position, "-o", str(public))
    return public.read_bytes()[2:]


def test_without_certificates_in_nv_the_endorsement_key_has_none(store: TpmKeyStore) -> None:
    assert store.endorsement_key().certificates == ()
    assert store.endorsement_key(KeyAlgorithm.EC).certificates == ()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("room", "attributes"), [(0, "authread|ownerread"), (1500, "authread"), (700, "ownerread")])
def test_the_manufacturers_certificate_is_read_from_nv(
    own_tpm: SwTpm, tmp_path: Path, family: str, room: int, attributes: str
) -> None:
    key = opened(own_tpm, tmp_path).endorsement_key(FAMILIES[family])
    made = certificate_for(tmp_path, key.public_key)
    write_nv(own_tpm, CERTIFICATE_INDEX[family], made, room=room, attributes=attributes)
    assert nv_certificates(own_tpm, tmp_path, family) == (made,)


@pytest.mark.parametrize("data", [b"", b"\xff" * 1000, b"\x30\x82\xff\xff", b"\x30", b"0\x80\0\0", b"0\0"])
def test_nv_without_a_certificate_has_none(own_tpm: SwTpm, tmp_path: Path, data: bytes) -> None:
    write_nv(own_tpm, CERTIFICATE_INDEX["rsa"], data, room=8)
    assert nv_certificates(own_tpm, tmp_path, "rsa") == ()


def test_a_certificate_of_another_key_in_nv_is_left_out(
    own_tpm: SwTpm, store: TpmKeyStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_nv(own_tpm, CERTIFICATE_INDEX["rsa"], certificate_for(tmp_path, store.endorsement_key().public_key))
    assert nv_certificates(own_tpm, tmp_path, "rsa") == ()
    assert "another endorsement key" in caplog.text


def test_a_manufacturers_nonce_in_nv_makes_the_key_that_it_should(own_tpm: SwTpm, tmp_path: Path) -> None:
    store = opened(own_tpm, tmp_path)
    plain, nonce = store.endorsement_key(), b"manufacturer's nonce"
    write_nv(own_tpm, CERTIFICATE_INDEX["rsa"] + 1, nonce)
    assert store.endorsement_key().tpm_public == _created(own_tpm, plain, "e", nonce.ljust(256, b"\0"), "0x81010010")
    assert store.endorsement_key() != plain


def test_a_manufacturers_template_in_nv_makes_the_key_that_it_should(own_tpm: SwTpm, tmp_path: Path) -> None:
    store = opened(own_tpm, tmp_path)
    plain, unique = store.endorsement_key(), b"of our own".ljust(256)
    write_nv(own_tpm, CERTIFICATE_INDEX["rsa"] + 2, plain.tpm_public[:-256] + unique)
    assert store.endorsement_key().tpm_public == _created(own_tpm, plain, "e", unique, "0x81010010")
    assert store.endorsement_key() != plain


def test_the_attestation_key_is_the_same_in_every_process_and_outlives_a_restart(own_tpm: SwTpm, tmp_path: Path) -> None:
    key = opened(own_tpm, tmp_path).attestation_key()
    own_tpm.restart()
    command = [sys.executable, "-c", ATTESTATION_KEY, str(tmp_path), own_tpm.tcti]
    for _ in range(2):
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
        assert shown == [key.name.hex(), key.public_key.hex()]
    tools(own_tpm, "clear", "-c", "p")
    assert opened(own_tpm, tmp_path).attestation_key() == key


def test_the_attestation_key_signs_nothing_but_the_tpms_own_statements(store: TpmKeyStore) -> None:
    key = store.attestation_key()
    attributes = attributes_of(key.tpm_public)
    assert attributes.made_in_tpm
    assert (attributes.restricted, attributes.sign, attributes.decrypt) == (True, True, False)
    assert key.name == name_of(key.tpm_public) == b"\x00\x0b" + hashlib.sha256(key.tpm_public).digest()
    assert key.public_key == public_key_of(key.tpm_public)


@pytest.mark.parametrize("template", [KeyTemplate(), P256, KeyTemplate(KeyAlgorithm.EC, 384)])
def test_an_attestation_is_verified_by_us_and_by_openssl(
    store: TpmKeyStore, tmp_path: Path, template: KeyTemplate
) -> None:
    made = store.create("web", template)
    found = store.attest("web", b"challenge")
    signer = found.attestation_key
    verify_attestation(signer.public_key, found.attest, found.signature, b"challenge", found.key_public)
    assert found.key_public == store.public_area("web")
    assert public_key_of(found.key_public) == made.info.public_key
    assert found.key_name == name_of(found.key_public)
    assert signer == store.attestation_key()
    names = ("key", "signature", "data")
    for name, data in zip(names, (signer.public_key, found.raw_signature, found.attest), strict=True):
        (tmp_path / name).write_bytes(data)
    key, signature, data_file = (str(tmp_path / name) for name in names)
    options = ("-keyform", "DER", "-verify", key, "-signature", signature, data_file)
    assert "Verified OK" in run(program("openssl"), "dgst", f"-{found.signature_hash}", *options)


def test_the_tss_reads_the_attestation_and_its_signature(store: TpmKeyStore) -> None:
    from tpm2_pytss.types import TPMS_ATTEST, TPMT_SIGNATURE

    store.create("web", P256)
    found = store.attest("web", b"challenge")
    attest, read = TPMS_ATTEST.unmarshal(found.attest)
    assert read == len(found.attest)
    assert bytes(attest.extraData) == b"challenge"
    assert bytes(attest.attested.certify.name) == found.key_name
    assert bytes(TPMT_SIGNATURE.unmarshal(found.signature)[0]) == found.raw_signature


def test_a_key_with_a_pin_is_attested_with_it_alone(store: TpmKeyStore) -> None:
    store.create("web", P256, pin=Secret("1234"))
    found = store.attest("web", b"n", pin=Secret("1234"))
    verify_attestation(found.attestation_key.public_key, found.attest, found.signature, b"n", found.key_public)
    with pytest.raises(PinRequired):
        store.attest("web", b"n")
    with pytest.raises(WrongPin):
        store.attest("web", b"n", pin=Secret("4321"))


def test_what_was_imported_is_not_attested(store: TpmKeyStore) -> None:
    store.import_key("web", ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(NotPermitted):
        store.attest("web", b"challenge")


def test_a_nonce_that_is_too_long_is_refused(store: TpmKeyStore) -> None:
    store.create("web", P256)
    with pytest.raises(KeyStoreError) as caught:
        store.attest("web", bytes(65))
    assert caught.value.hresult == 0x80090027
    for length in (0, 64):
        found = store.attest("web", bytes(length))
        verify_attestation(found.attestation_key.public_key, found.attest, found.signature, bytes(length), found.key_public)


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
@pytest.mark.parametrize("secret", [b"\0", b"x", SECRET])
def test_a_credential_for_this_tpm_and_its_attestation_key_is_read(
    store: TpmKeyStore, algorithm: KeyAlgorithm, secret: bytes
) -> None:
    credential = make_credential(store.endorsement_key(algorithm).tpm_public, store.attestation_key().name, secret)
    assert store.activate_credential(*credential) == secret


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_a_credential_that_tpm2_makecredential_makes_is_read(
    store: TpmKeyStore, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    key = store.endorsement_key(algorithm).tpm_public
    (tmp_path / "ek").write_bytes(len(key).to_bytes(2, "big") + key)
    (tmp_path / "secret").write_bytes(SECRET)
    run(
        program("tpm2"), "makecredential", "-T", "none", "-u", f"{tmp_path}/ek", "-s", f"{tmp_path}/secret",
        "-n", store.attestation_key().name.hex(), "-o", f"{tmp_path}/credential",
    )
    parts = (tmp_path / "credential").read_bytes()[8:]  # a magic number and a version
    size = int.from_bytes(parts[:2], "big")
    assert store.activate_credential(parts[2 : 2 + size], parts[4 + size :]) == SECRET


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_a_credential_for_another_key_or_another_tpm_is_refused(
    own_tpm: SwTpm, store: TpmKeyStore, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    other = opened(own_tpm, tmp_path)
    ours, theirs = (one.endorsement_key(algorithm) for one in (store, other))
    name = store.attestation_key().name
    for public, wanted in ((theirs.tpm_public, name), (ours.tpm_public, ours.name)):
        with pytest.raises(DecryptionFailed) as caught:
            store.activate_credential(*make_credential(public, wanted, SECRET))
        assert caught.value.hresult == 0x8009002C


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_a_credential_that_is_damaged_anywhere_is_refused(store: TpmKeyStore, algorithm: KeyAlgorithm) -> None:
    credential, secret = make_credential(
        store.endorsement_key(algorithm).tpm_public, store.attestation_key().name, SECRET
    )
    damaged = [(credential[:at], secret) for at in range(0, len(credential), 5)]
    damaged += [(credential, secret[:at]) for at in range(0, len(secret), 17)]
    damaged += [(_flipped(credential, at), secret) for at in range(0, len(credential), 7)]
    damaged += [(credential, _flipped(secret, at)) for at in range(0, len(secret), 31)]
    damaged += [(credential + b"\0", secret), (b"", b""), (bytes(2000), bytes(2000))]
    for one in damaged:
        with pytest.raises(DecryptionFailed):
            store.activate_credential(*one)
    assert store.activate_credential(credential, secret) == SECRET


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def test_many_runs_leave_nothing_in_the_tpm(own_tpm: SwTpm, tmp_path: Path) -> None:
    store = opened(own_tpm, tmp_path)
    store.create("web", P256, pin=Secret("1234"))
    endorsement, name = store.endorsement_key(KeyAlgorithm.EC).tpm_public, store.attestation_key().name
    credential, secret = make_credential(endorsement, name, SECRET)
    for _ in range(8):
        store.attest("web", b"nonce", pin=Secret("1234"))
        assert store.activate_credential(credential, secret) == SECRET
        with pytest.raises(DecryptionFailed):
            store.activate_credential(_flipped(credential, 40), secret)
    store.close()
    for kind in ("transient", "loaded-session", "saved-session"):
        assert run(program("tpm2"), "getcap", f"handles-{kind}", TPM2TOOLS_TCTI=own_tpm.tcti) == ""


def test_without_a_tpm_it_is_said_to_be_missing(tmp_path: Path) -> None:
    store = TpmKeyStore(tmp_path, Scope.USER, f"swtpm:path={tmp_path}/nothing")
    assert isinstance(store, Attester)
    for act in (store.endorsement_key, store.attestation_key, lambda: store.activate_credential(b"x", b"y")):
        with pytest.raises(StoreUnavailable) as caught:
            act()
        assert caught.value.hresult == 0x8028400F
