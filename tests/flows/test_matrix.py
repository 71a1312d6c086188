"""Every flow at every KeyLocation with RSA and EC: afterwards the certificate is installed, and others use its key."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.engine.opening import open_workspace
from certenroll.facade_values import CertificateEntry
from keystores.base import KeyLocation, PrivateKey
from tests.flows import script
from tests.flows.script import Wish
from tests.support import judges
from tests.support.ca import approve_all, sign_by_hand
from tests.support.profiles import make_ca, orphans, rows
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

RunStep = Callable[..., int]


@dataclass(frozen=True)
class Place:
    """A KeyLocation on a machine that has it, the key store where its keys end, and the provider that is recorded."""

    location: int
    store: str
    provider: str
    container: str = ""


PLACES = [
    Place(1, "tpm", "Microsoft Platform Crypto Provider"),
    Place(2, "tpm", "Microsoft Platform Crypto Provider"),
    Place(3, "software", "Microsoft Software Key Storage Provider"),
    Place(4, "smartcard", "Microsoft Smart Card Key Storage Provider", "web"),
]


def out_of_band(wish: Wish, run_step: RunStep) -> None:
    authority = make_ca()
    script.create(wish)
    wish.response_file.write_bytes(sign_by_hand(authority, wish.request_file.read_bytes()))
    script.accept(wish)


def automatic(wish: Wish, run_step: RunStep) -> None:
    make_ca()
    script.enroll(wish)


def delayed(wish: Wish, run_step: RunStep) -> None:
    authority = make_ca(Mode.HOLD)
    run_step("enroll", wish)
    assert facade.certificates("MY") == []
    assert [request.state for request in facade.pending_requests()] == ["pending"]
    approve_all(authority)
    run_step("retrieve", wish)


FLOWS = [out_of_band, automatic, delayed]


@pytest.fixture(params=PLACES, ids=lambda place: f"location{place.location}")
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    chosen: Place = request.param
    if chosen.store == "tpm":
        request.getfixturevalue("with_tpm")
    elif chosen.store == "smartcard":
        request.getfixturevalue("with_card")
    return chosen


@pytest.mark.parametrize("algorithm", ["RSA-2048", "ECDSA_P256"])
@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_ends_with_a_certificate_whose_key_is_where_it_was_wanted(
    request: pytest.FixtureRequest, place: Place, tmp_path: Path, run_step: RunStep,
    flow: Callable[[Wish, RunStep], None], algorithm: str,
) -> None:
    flow(Wish(tmp_path, place.location, algorithm, place.container), run_step)

    (entry,) = facade.certificates("MY")
    assert entry.key is not None
    assert (entry.key.store, entry.key.provider_name, entry.key.fallback) == (place.store, place.provider, "")
    assert (entry.key.asked_location, entry.key.used_location) == (place.location, place.location)
    assert facade.certificates("REQUEST") == []
    assert facade.pending_requests() == []
    assert rows("intents")["intents"] == []
    assert orphans() == []
    authority = LocalCA(Path(os.environ["XENROLL_HOME"]) / "ca")
    judges.openssl_verifies_chain(tmp_path, entry.der, authority.certificates())
    sign_and_verify(key_of(entry), entry.der)
    {"software": in_a_file, "tpm": in_the_tpm, "smartcard": on_the_card}[place.store](request, tmp_path, entry)


def key_of(entry: CertificateEntry) -> PrivateKey:
    assert entry.key is not None
    return open_workspace().key_stores.open(entry.key.store, entry.key.container).private_key


def sign_and_verify(key: PrivateKey, certificate: bytes) -> None:
    public = x509.load_der_x509_certificate(certificate).public_key()
    if isinstance(key, rsa.RSAPrivateKey):
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(key.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        public.verify(key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))


def in_a_file(request: pytest.FixtureRequest, folder: Path, entry: CertificateEntry) -> None:
    assert entry.key is not None
    assert Path(entry.key.reference).stat().st_mode & 0o777 == 0o600
    judges.openssl_signs_with_file(folder, entry.der, entry.key.reference)


def in_the_tpm(request: pytest.FixtureRequest, folder: Path, entry: CertificateEntry) -> None:
    tpm: SwTpm = request.getfixturevalue("with_tpm")
    assert entry.key is not None
    assert b"-----BEGIN TSS2 PRIVATE KEY-----" in Path(entry.key.reference).read_bytes()
    judges.openssl_signs_with_file(folder, entry.der, entry.key.reference, tcti=tpm.tcti)


def on_the_card(request: pytest.FixtureRequest, folder: Path, entry: CertificateEntry) -> None:
    token: SoftToken = request.getfixturevalue("with_card")
    assert entry.key is not None
    found = judges.card_objects(token.module, token.label)
    identifier = next(cka_id for kind, cka_id, _ in found if kind == "Private Key")
    ours = [one for one in found if one[1] == identifier]
    assert [kind for kind, _, _ in ours] == ["Certificate", "Private Key", "Public Key"]
    assert re.search("sensitive, always sensitive, never extractable", ours[1][2])
    judges.openssl_signs_with_engine(folder, entry.der, entry.key.reference, token.module)


def test_the_locations_of_the_matrix_are_all_there_are() -> None:
    assert [place.location for place in PLACES] == list(KeyLocation)
