"""PFXs that others wrote: OpenSSL, GnuTLS and Java here and now, and test data of pyca's and OpenSSL's; old, new and BER."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import cryptography_vectors
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll import facade
from certenroll.asn1.pfx import WrongPassword
from certenroll.hresults import HRESULT
from certenroll.mdm.pfx_contents import read_contents
from tests.flows.test_pfx_response import NAME, WRITERS, Bundle
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import (
    PASSWORD,
    Place,
    adds,
    assert_empty,
    authorities,
    change,
    installs,
    leaf,
    pfx_of,
    rsa_key,
    sha1,
    signs,
    value,
)
from tests.stores.pki import Made, make
from tests.support.profiles import keys, orphans
from tests.support.shared import shared_path
from tests.support.softhsm import SoftToken

FOLDER = Path(cryptography_vectors.__file__).parent / "pkcs12"
STORES = ("tpm", "software", "smartcard")
RSA, EC = leaf("RSA", rsa_key("RSA")), leaf("EC")

# pyca's test data by the first letters of the file's name -> its password.
PASSWORDS = {"cert-": "cryptography", "name-": "password", "no-name-": "password", "no-cert-key": "cryptography"}
BEGINNINGS = ("cert-key", "cert-none", "cert-rc2", "name-", "no-name-")
WITH_KEY = sorted(one.name for one in FOLDER.glob("*.p12") if one.name.startswith(BEGINNINGS))
WITHOUT = ["cert-aes256cbc-no-key.p12", "no-cert-key-aes256cbc.p12", "no-cert-name-all-no-pwd.p12", "java-truststore.p12"]


@pytest.fixture(params=list(pfx.PLACES.values()), ids=list(pfx.PLACES))
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    """Each KeyLocation in turn, on a machine that has the device; one device serves all of this file."""
    found: Place = request.param
    request.getfixturevalue(found.device)
    return found


def password_of(name: str) -> str | None:
    """The password of a file of pyca's."""
    if name.endswith(("no-pwd.p12", "truststore.p12", "no-password.p12")):
        return None
    return next(password for beginning, password in PASSWORDS.items() if name.startswith(beginning))


def bundle(folder: Path, made: Made) -> Bundle:
    """A certificate, its chain and its key, as files for other programs."""
    root, above = authorities()
    pem = {
        "key.pem": made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "leaf.pem": made.certificate.public_bytes(Encoding.PEM),
        "chain.pem": b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (above, root)),
    }
    folder.mkdir(exist_ok=True)
    for name, content in pem.items():
        (folder / name).write_bytes(content)
    return Bundle(folder, made.der, (above.der, root.der))


# Written now ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """A writer's PFX, written once for all places."""
    return cache(lambda writer: WRITERS[writer](bundle(tmp_path_factory.mktemp("written"), made_for(writer))))


def made_for(writer: str) -> Made:
    """The key that a writer is given."""
    return EC if "AES" in writer else RSA


def assert_is_at(place: Place) -> None:
    """The one certificate of MY has its key there, which no other key store has, and nothing is an orphan."""
    (found,) = facade.certificates("MY")
    assert found.key is not None
    assert (found.key.store, int(found.key.asked_location or 0)) == (place.store, place.location)
    held = {store: containers for store, containers in keys().items() if containers}
    assert (held, orphans()) == ({place.store: [found.key.container]}, [])


def assert_goes() -> None:
    """A Delete leaves nothing."""
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()


@pytest.mark.parametrize("writer", WRITERS)
def test_a_pfx_is_installed_at_each_keylocation_whoever_wrote_it(
    place: Place, writer: str, written: Callable[[str], bytes]
) -> None:
    place.installs(written(writer))
    assert_is_at(place)
    assert signs(made_for(writer)).friendly_name == NAME
    root, above = authorities()
    roots = set() if writer.startswith("certtool") else {sha1(root)}  # certtool takes one CA certificate only
    assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT")) == ({sha1(above)}, roots)
    assert_goes()


# Kinds of keys -------------------------------------------------------------------------------------------------------

_LACKS = "the TPM lacks this key size or algorithm"
_KIND = "PFXCertBlob: a private key of a kind that is not known here"
# How a key is made, and what the reason says in each key store that does not take it.
KINDS: dict[str, tuple[Callable[[], Any], dict[str, tuple[str, ...]]]] = {
    "RSA 1024": (lambda: rsa.generate_private_key(65537, 1024), {}),
    "RSA 1536": (lambda: rsa.generate_private_key(65537, 1536), {"tpm": ("KeyLocation: ", _LACKS)}),
    "RSA 3072": (lambda: rsa.generate_private_key(65537, 3072), {}),
    "RSA 4096": (lambda: rsa.generate_private_key(65537, 4096), {"tpm": ("KeyLocation: ", "no RSA keys of 4096 bits")}),
    "RSA, exponent 3": (lambda: rsa.generate_private_key(3, 2048), {"tpm": ("KeyLocation: ", _LACKS)}),
    "P-384": (lambda: ec.generate_private_key(ec.SECP384R1()), {}),
    "P-521": (lambda: ec.generate_private_key(ec.SECP521R1()), {}),
    **{
        curve.name: (partial(ec.generate_private_key, curve()), dict.fromkeys(STORES, ("PFXCertBlob: ", curve.name)))
        for curve in (ec.SECP224R1, ec.SECP256K1, ec.BrainpoolP256R1)
    },
    "DSA": (lambda: dsa.generate_private_key(2048), dict.fromkeys(STORES, (_KIND, "DSA"))),
    "Ed25519": (ed25519.Ed25519PrivateKey.generate, dict.fromkeys(STORES, (_KIND, "Ed25519"))),
}


@pytest.fixture(scope="module")
def of_kind(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Made, bytes]]:
    """A certificate for a key of a kind, and its PFX by OpenSSL, once for all places."""

    def made(kind: str) -> tuple[Made, bytes]:
        found = leaf(kind, KINDS[kind][0]())
        return found, bundle(tmp_path_factory.mktemp("kinds"), found).openssl()

    return cache(made)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_that_the_device_does_not_take_fails_and_leaves_nothing(
    place: Place, kind: str, of_kind: Callable[[str], tuple[Made, bytes]]
) -> None:
    made, blob = of_kind(kind)
    refused = KINDS[kind][1].get(place.store)
    if refused is None:
        place.installs(blob)
        signs(made)
        assert_is_at(place)
        assert_goes()
        return
    failed = pfx.failure(*place.adds(blob))
    assert (failed.code, failed.reason.startswith(refused[0]), refused[1] in failed.reason) == (500, True, True)
    assert_empty()


# Passwords -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["pässwört €uro 密码", " spaces around ", "&<>\"'", "😀", "x" * 300])
def test_a_password_may_have_any_character(password: str, profile: Path, tmp_path: Path) -> None:
    installs(bundle(tmp_path / "files", EC).openssl(password=password), PFXCertPassword=password)
    signs(EC)


@pytest.mark.parametrize("password", [None, ""])
def test_a_pfx_without_a_password_needs_none(password: str | None, profile: Path, tmp_path: Path) -> None:
    installs(bundle(tmp_path / "files", EC).openssl(password=""), PFXCertPassword=password)
    signs(EC)


@pytest.mark.parametrize("options", [("-nokeys",), ("-nocerts",)], ids=" ".join)
def test_a_pfx_without_a_key_or_without_a_certificate_changes_nothing(
    options: tuple[str, ...], profile: Path, tmp_path: Path
) -> None:
    made = bundle(tmp_path / "files", EC)
    if options == ("-nocerts",):
        command = ("openssl", "pkcs12", "-export", "-nocerts", "-inkey", "key.pem", "-out", "out.pfx")
        made.run(*command, "-passout", f"pass:{PASSWORD}")
        blob = (made.folder / "out.pfx").read_bytes()
    else:
        blob = made.openssl(*options)
    assert pfx.failure(*adds(blob)).code == 500


def test_a_pfx_without_a_mac_is_opened_by_its_password_all_the_same(profile: Path, tmp_path: Path) -> None:
    blob = bundle(tmp_path / "files", EC).openssl("-nomac")
    assert pfx.failure(*adds(blob, PFXCertPassword="another")).code == 500
    installs(blob)
    signs(EC)


# Several keys --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_keys(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A keystore of Java's with two entries."""
    place = tmp_path_factory.mktemp("keystores")
    for number, made in enumerate((RSA, EC)):
        folder = place / str(number)
        bundle(folder, made).openssl()
        source = ("-srckeystore", f"../{number}/out.pfx", "-srcstoretype", "PKCS12", "-srcstorepass", PASSWORD)
        target = ("-destkeystore", "../both.p12", "-deststoretype", "PKCS12", "-deststorepass", PASSWORD)
        names = ("-srcalias", NAME, "-destalias", str(number))
        Bundle(folder, b"", ()).run("keytool", "-importkeystore", "-noprompt", *source, *target, *names)
    return (place / "both.p12").read_bytes()


def test_every_key_of_a_pfx_is_installed_and_removed(two_keys: bytes, profile: Path) -> None:
    installs(two_keys)
    assert pfx.thumbprints("MY") == {sha1(RSA), sha1(EC)}
    for made in (RSA, EC):
        signs(made)
    assert (value("Thumbprint") or "").lower() in {sha1(RSA), sha1(EC)}
    assert orphans() == []
    assert pfx.codes(change("Replace", "PFXCertBlob", base64.b64encode(pfx_of(EC)).decode())) == [200]
    assert (pfx.thumbprints("MY"), len(keys()["software"])) == ({sha1(EC)}, 1)
    assert pfx.codes(change("Delete", "")) == [200]
    assert (pfx.thumbprints("MY"), keys()["software"]) == (set(), [])


def test_a_named_container_has_numbered_neighbours_for_further_keys(two_keys: bytes, with_card: SoftToken) -> None:
    installs(two_keys, 4, ContainerName="web")
    assert keys()["smartcard"] == ["web", "web (2)"]
    for made in (RSA, EC):
        signs(made)


def test_several_keys_with_a_wrong_password_are_a_wrong_password(two_keys: bytes) -> None:
    with pytest.raises(WrongPassword):
        read_contents(two_keys, ("another", None))


# Chains --------------------------------------------------------------------------------------------------------------


def test_a_self_signed_certificate_goes_to_my_alone(profile: Path) -> None:
    own = make("self-signed")
    installs(pfx_of(own, chain=False))
    assert [pfx.thumbprints(store) for store in ("MY", "CA", "ROOT")] == [{sha1(own)}, set(), set()]
    signs(own)


def test_a_root_of_another_chain_is_not_trusted(profile: Path, tmp_path: Path) -> None:
    stranger = make("a stranger's root", ca=True)
    made = bundle(tmp_path / "files", EC)
    with (made.folder / "chain.pem").open("ab") as chain:
        chain.write(stranger.certificate.public_bytes(Encoding.PEM))
    installs(made.openssl())
    root, above = authorities()
    assert (pfx.thumbprints("ROOT"), pfx.thumbprints("CA")) == ({sha1(root)}, {sha1(above), sha1(stranger)})


# Test data of others -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*WITH_KEY, "no-password.p12"])
def test_pycas_files_are_installed_at_each_keylocation(place: Place, name: str) -> None:
    place.installs((FOLDER / name).read_bytes(), PFXCertPassword=password_of(name))
    assert_is_at(place)
    (found,) = facade.certificates("MY")
    assert value("Thumbprint") == x509.load_der_x509_certificate(found.der).fingerprint(hashes.SHA1()).hex().upper()
    assert_goes()


@pytest.mark.parametrize("name", WITHOUT)
def test_pycas_files_without_a_key_or_its_certificate_are_refused(name: str, profile: Path) -> None:
    commands = adds((FOLDER / name).read_bytes(), PFXCertPassword=password_of(name))
    assert pfx.failure(*commands).code == 500
    wanted = HRESULT.CRYPT_E_NOT_FOUND if name.startswith("no-cert-key") else HRESULT.NTE_NO_KEY
    assert pfx.refusal_code(*commands) == wanted


def test_a_pfx_in_ber_is_installed_at_each_keylocation(place: Place) -> None:
    place.installs(shared_path("vectors", "cms-ber", "test-BER.p12").read_bytes(), PFXCertPassword="12345")
    (found,) = facade.certificates("MY")
    assert (found.friendly_name, value("Status")) == ("Docker_Playground_TLS", "0")
    assert_is_at(place)
    assert_goes()


@pytest.mark.parametrize("name", ["v3-certs-RC2.p12", "v3-certs-TDES.p12"])
def test_a_pfx_whose_certificates_have_malformed_dates_changes_nothing(name: str, profile: Path) -> None:
    commands = adds(shared_path("vectors", "cms-ber", name).read_bytes(), PFXCertPassword="v3-certs")
    assert pfx.failure(*commands).code == 500
    assert pfx.refusal_code(*commands) == HRESULT.CRYPT_E_ASN1_CORRUPT


def test_a_pfx_that_is_cut_off_anywhere_is_refused(profile: Path) -> None:
    blob = pfx_of(EC)
    for length in range(0, len(blob), 61):
        (answer, *_) = pfx.codes(pfx.atomic(*adds(blob[:length])), check=True)
        assert answer == 507
