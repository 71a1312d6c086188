"""Every request format, from every key store and with every kind of key, before judges by other hands.

All messages are made once, with a profile and a device for each key store; each judge in Java is started once for all.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.asn1 import cmc_requests
from certenroll.asn1.cmc import PKI_DATA
from certenroll.hresults import HRESULT
from tests.stores.pki import NOW, key
from tests.support.enrolling import BINARY, name, new_key, new_request, refused
from tests.support.foreign_judges import JssReading, dumped, read_by_jss
from tests.support.oracles import Reading, read_with_bouncy_castle
from tests.support.requires import program
from tests.support.wrapping import blank, device, installed_signer

PLACES = ("software", "tpm", "smartcard")
SIZES: dict[str, dict[str, Any]] = {"RSA": {"Length": 2048}, "P-256": {}}
pytestmark = pytest.mark.xdist_group("oracle matrix")


@dataclass(frozen=True)
class Ground:
    """What requests are made with: a place for keys, a kind of key, one key and one installed certificate."""

    location: int
    size: dict[str, Any]
    key: Any
    signer: Any

    def request(self, subject: str = "CN=somebody") -> Any:
        return new_request(subject, self.key)

    def wrapping(self, kind: str, inner: Any) -> Any:
        made = blank(kind)
        made.InitializeFromInnerRequest(inner)
        return made

    def renewal(self, kind: str) -> Any:
        """A renewal of the installed certificate; its new key goes where all keys go."""
        made = blank(kind)
        made.InitializeFromCertificate(1, True, self.signer.Certificate(BINARY), BINARY)
        made.GetInnerRequest(0).PrivateKey.KeyLocation = self.location
        made.GetInnerRequest(0).PrivateKey.ContainerName = f"renewed {kind} {len(self.size)}"
        return made

    def on_behalf(self, kind: str) -> Any:
        made = self.wrapping(kind, self.request())
        made.RequesterName = "DOMAIN\\somebody"
        made.SignerCertificate = self.signer
        return made


def _null_signed(ground: Ground) -> Any:
    made: Any = blank("Pkcs10")
    made.InitializeFromPublicKey(1, ground.key.ExportPublicKey(), "")
    made.Subject = name("CN=somebody")
    return made


def _certificate(ground: Ground) -> Any:
    made: Any = blank("Certificate")
    made.InitializeFromPrivateKey(1, ground.key, "")
    made.Subject = name("CN=itself")
    return made


def _plain_pkcs7(ground: Ground) -> Any:
    made = ground.wrapping("Pkcs7", ground.request())
    made.SignerCertificate = ground.signer
    return made


def _nested(ground: Ground) -> Any:
    made = ground.wrapping("Cmc", ground.wrapping("Cmc", ground.request()))
    made.SignerCertificates.Add(ground.signer)
    return made


def _archiving(ground: Ground) -> Any:
    made = ground.wrapping("Cmc", ground.request())
    made.ArchivePrivateKey = True
    made.SetKeyArchivalCertificate(BINARY, exchange_certificate())
    return made


# Format -> (how it is made, how many signers the message has).
FORMATS: dict[str, tuple[Callable[[Ground], Any], int]] = {
    "PKCS#10": (Ground.request, 0),
    "null-signed PKCS#10": (_null_signed, 0),
    "certificate": (_certificate, 0),
    "PKCS#7": (_plain_pkcs7, 1),
    "PKCS#7 renewal": (lambda ground: ground.renewal("Pkcs7"), 1),
    "PKCS#7 on behalf": (lambda ground: ground.on_behalf("Pkcs7"), 1),
    "CMC": (lambda ground: ground.wrapping("Cmc", ground.request()), 1),
    "CMC renewal": (lambda ground: ground.renewal("Cmc"), 2),
    "CMC on behalf": (lambda ground: ground.on_behalf("Cmc"), 2),
    "CMC nested": (_nested, 3),
    "CMC archival": (_archiving, 1),
    "null-signed CMC": (lambda ground: ground.wrapping("Cmc", _null_signed(ground)), 1),
}
Case = tuple[str, str, str]  # place, kind of key, format
CASES: list[Case] = [
    (place, size, form)
    for place, size, form in itertools.product(PLACES, SIZES, FORMATS)
    if form != "CMC archival" or place == "software"  # the key of a chip does not leave it: a test of its own says so
]


def cases(*prefixes: str) -> pytest.MarkDecorator:
    """The cases whose format begins so."""
    chosen = [case for case in CASES if case[2].startswith(prefixes)]
    return pytest.mark.parametrize("case", chosen, ids=["-".join(case) for case in chosen])


@dataclass
class Matrix:
    """What was made: the messages, why a place is missing, and how chips refused to give their keys to be archived."""

    messages: dict[Case, bytes] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    refusals: dict[tuple[str, str], int] = field(default_factory=dict)

    def need(self, case: Case) -> bytes:
        """The message of a case; the test is skipped where its place is missing."""
        if case[0] in self.absent:
            pytest.skip(self.absent[case[0]])
        return self.messages[case]

    def of(self, *prefixes: str) -> dict[Case, bytes]:
        """The messages whose format begins so."""
        return {case: data for case, data in self.messages.items() if case[2].startswith(prefixes)}


def exchange_certificate() -> bytes:
    """A CA exchange certificate."""
    private = key("exchange", 2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA exchange")])
    builder = x509.CertificateBuilder(who, who, private.public_key(), 4711, NOW, NOW.replace(year=2040))
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


def _ground(location: int, size: str, place: str) -> Ground:
    export = {"ExportPolicy": 1} if place == "software" else {}
    own = new_key(KeyLocation=location, ContainerName=f"own {size}", **export, **SIZES[size])
    own.Create()
    signer = installed_signer(f"CN=agent {size}", KeyLocation=location, ContainerName=f"agent {size}", **SIZES[size])
    return Ground(location, SIZES[size], own, signer)


def _fill(matrix: Matrix, place: str, home: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XENROLL_HOME", str(home))
        patch.delenv("XENROLL_KEY_LOCATION", raising=False)
        patch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={home}/no-tpm")
        with device(place, patch) as location:
            for size in SIZES:
                ground = _ground(location, size, place)
                for case in (case for case in CASES if case[:2] == (place, size)):
                    request = FORMATS[case[2]][0](ground)
                    request.Encode()
                    matrix.messages[case] = request.RawData(BINARY)
                if place != "software":
                    matrix.refusals[place, size] = refused(_archiving(ground).Encode)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    """Every message."""
    made = Matrix()
    for place in PLACES:
        try:
            _fill(made, place, tmp_path_factory.mktemp("home", numbered=True))
        except pytest.skip.Exception as absent:
            made.absent[place] = str(absent)
    return made


@pytest.fixture(scope="module")
def ours(matrix: Matrix, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Reading]:
    """What our own judge says."""
    messages = matrix.of("CMC", "PKCS#7", "null-signed CMC")
    return dict(zip(messages, read_with_bouncy_castle(tmp_path_factory.mktemp("ours"), *messages.values()), strict=True))


@pytest.fixture(scope="module")
def dumps(matrix: Matrix, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, tuple[str, str]]:
    """What the foreign judge on Bouncy Castle says."""
    return dumped(tmp_path_factory.mktemp("dumps"), matrix.of("CMC", "PKCS#7", "null-signed CMC"))


@pytest.fixture(scope="module")
def jss(matrix: Matrix, tmp_path_factory: pytest.TempPathFactory) -> dict[Case, JssReading]:
    """What JSS reads."""
    return read_by_jss(tmp_path_factory.mktemp("jss"), matrix.of("CMC", "null-signed CMC"))


def openssl(folder: Path, data: bytes, *command: str) -> str:
    """What openssl prints about a file "message"; the test fails where it finds fault."""
    (folder / "message").write_bytes(data)
    done = subprocess.run([program("openssl"), *command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


# A PKCS#10 and a certificate.


@cases("PKCS#10")
def test_openssl_verifies_a_pkcs10(matrix: Matrix, case: Case, tmp_path: Path) -> None:
    said = openssl(tmp_path, matrix.need(case), "req", "-in", "message", "-inform", "DER", "-verify", "-noout", "-text")
    assert "verify OK" in said
    assert "Subject: CN = somebody" in said


@cases("null-signed PKCS#10")
def test_openssl_reads_a_null_signed_pkcs10_and_its_hash_is_that_of_its_content(
    matrix: Matrix, case: Case, tmp_path: Path
) -> None:
    data = matrix.need(case)
    said = openssl(tmp_path, data, "req", "-in", "message", "-inform", "DER", "-noout", "-text")
    assert "Signature Algorithm: sha256\n" in said
    openssl(tmp_path, data, "asn1parse", "-inform", "DER", "-in", "message", "-strparse", "4", "-noout", "-out", "content")
    digest = openssl(tmp_path, data, "dgst", "-sha256", "-r", "content").split()[0]
    assert data.endswith(b"\x03\x21\x00" + bytes.fromhex(digest))


@cases("certificate")
def test_openssl_verifies_a_certificate_that_signed_itself(matrix: Matrix, case: Case, tmp_path: Path) -> None:
    loaded = x509.load_der_x509_certificate(matrix.need(case))
    pem = loaded.public_bytes(Encoding.PEM)
    assert "message: OK" in openssl(tmp_path, pem, "verify", "-check_ss_sig", "-CAfile", "message", "message")
    assert loaded.subject == loaded.issuer
    loaded.verify_directly_issued_by(loaded)


# Messages.


@cases("PKCS#7")
def test_openssl_verifies_a_pkcs7(matrix: Matrix, case: Case, tmp_path: Path) -> None:
    command = ["cms", "-verify", "-noverify", "-inform", "DER", "-in", "message", "-out", "content"]
    said = openssl(tmp_path, matrix.need(case), *command)
    assert "erification successful" in said
    inner = (tmp_path / "content").read_bytes()
    assert "verify OK" in openssl(tmp_path, inner, "req", "-in", "message", "-inform", "DER", "-verify", "-noout")


@cases("CMC", "PKCS#7", "null-signed CMC")
def test_our_judge_finds_every_signature_good(matrix: Matrix, ours: dict[Case, Reading], case: Case) -> None:
    matrix.need(case)
    signers = [*ours[case].of("signer"), *ours[case].of("signer", 1)]
    requests = [*ours[case].of("request"), *ours[case].of("request", 1)]
    assert (ours[case].verdict, {one["good"] for one in (*signers, *requests)}) == ("good", {"true"})
    assert (len(signers), len(requests)) == (FORMATS[case[2]][1], 1)


@cases("CMC", "PKCS#7", "null-signed CMC")
def test_the_foreign_judge_agrees(matrix: Matrix, dumps: dict[Case, tuple[str, str]], case: Case) -> None:
    matrix.need(case)
    verdict, said = dumps[case]
    assert verdict == "good", said
    fits = said.count("verify(cert)=true") + said.count("verify(request key)=true") + said.count("noSignature hash MATCH")
    assert fits == FORMATS[case[2]][1] - (case[2] == "CMC nested")  # it knows the keys of one level only
    assert said.count("popValid=true") == (0 if case[2].startswith("null-signed") else 1)


@cases("CMC", "null-signed CMC")
def test_jss_reads_the_same_fields(matrix: Matrix, jss: dict[Case, JssReading], case: Case) -> None:
    message = cmc_requests.decode(matrix.need(case))
    found = jss[case]
    assert (found.content_type, found.certificates) == (PKI_DATA, len(message.envelope.certificates))
    assert (found.signers, found.requests) == (len(message.envelope.signers), len(message.data.requests))
    controls = [(one.body_part, one.oid) for one in message.data.controls]
    assert [(one.body_part, one.oid) for one in found.controls] == controls


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("place", PLACES[1:])
def test_the_key_of_a_chip_is_not_archived(matrix: Matrix, place: str, size: str) -> None:
    if place in matrix.absent:
        pytest.skip(matrix.absent[place])
    assert matrix.refusals[place, size] == HRESULT.NTE_BAD_KEY_STATE


def test_the_matrix_is_whole(matrix: Matrix) -> None:
    assert set(matrix.messages) == {case for case in CASES if case[0] not in matrix.absent}
