"""The certificate on the card beside its key: written or not as the script says, and used by other programs."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import certenroll
from certenroll import facade
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.facade_values import CertificateEntry
from tests.ca.conftest import EC_KEY, openssl_request
from tests.flows import script
from tests.flows.script import BINARY, Wish
from tests.support import judges
from tests.support.ca import pem, sign_by_hand
from tests.support.profiles import make_ca
from tests.support.requires import program
from tests.support.softhsm import SoftToken

ALGORITHMS = ["RSA-2048", "ECDSA_P256"]
CERTIFICATE_TYPE = ";type=cert"
PRIVATE_TYPE = ";type=private"


@pytest.fixture
def token() -> Iterator[SoftToken]:
    """A card for each test: CA certificates stay on one."""
    with SoftToken() as made:
        yield made


@pytest.fixture
def authority(with_card: SoftToken) -> LocalCA:
    return make_ca()


def enrolled(folder: Path, algorithm: str = "ECDSA_P256", **options: object) -> CertificateEntry:
    enrollment = script.new_enrollment(Wish(folder, 4, algorithm, "web"))
    facade.configure(enrollment, **options)
    enrollment.Enroll()
    (entry,) = facade.certificates("MY")
    return entry


def reference(entry: CertificateEntry) -> str:
    """The card's URI of the container, without what kind of object is meant."""
    assert entry.key is not None
    return re.sub(r";type=\w+", "", entry.key.reference)


def listed(token: SoftToken) -> list[tuple[str, str]]:
    """(label, category) of the certificates that p11tool finds."""
    said = judges.run(
        program("p11tool"), "--provider", token.module, "--login", "--list-all-certs", token.uri, GNUTLS_PIN=token.pin
    )
    blocks = said.split("Object ")[1:]
    labels = [re.search(r"Label: (.*)", block) for block in blocks]
    flags = ["CA" if "CKA_CERTIFICATE_CATEGORY=CA" in block else "user" for block in blocks]
    return sorted((label[1], flag) for label, flag in zip(labels, flags, strict=True) if label is not None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_certificate_and_chain_are_on_the_card(
    tmp_path: Path, authority: LocalCA, with_card: SoftToken, algorithm: str
) -> None:
    entry = enrolled(tmp_path, algorithm)
    assert with_card.store().read_certificate("web") == entry.der
    assert listed(with_card) == [("Test CA", "CA"), ("Test CA Root", "CA"), ("web", "user")]


def test_a_script_may_keep_the_certificate_off_the_card(tmp_path: Path, authority: LocalCA, with_card: SoftToken) -> None:
    entry = enrolled(tmp_path, write_certificate=False)
    assert with_card.store().read_certificate("web") is None
    assert {kind for kind, _, _ in judges.card_objects(with_card.module, with_card.label)} == {"Private Key", "Public Key"}
    assert facade.find_certificate("MY", entry.thumbprint).key == entry.key


def test_out_of_band_the_script_that_accepts_decides(tmp_path: Path, authority: LocalCA, with_card: SoftToken) -> None:
    for number, wanted in enumerate((False, True)):
        wish = Wish(tmp_path / str(number), 4, container=f"web {number}")
        wish.folder.mkdir()
        script.create(wish)
        enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.Initialize(script.USER)
        facade.configure(enrollment, write_certificate=wanted)
        enrollment.InstallResponse(0, sign_by_hand(authority, wish.request_file.read_bytes()), BINARY)
        assert (with_card.store().read_certificate(wish.container) is not None) == wanted


def test_a_second_response_for_the_key_takes_the_place_of_the_first(
    tmp_path: Path, authority: LocalCA, with_card: SoftToken
) -> None:
    first = enrolled(tmp_path)
    (row,) = authority.requests()
    answer = authority.submit(Submission(row.request))
    assert answer.certificate is not None
    assert answer.certificate != first.der
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(script.USER)
    allowed = certenroll.InstallResponseRestrictionFlags.AllowNoOutstandingRequest
    enrollment.InstallResponse(allowed, answer.certificate, BINARY)
    found = judges.card_objects(with_card.module, with_card.label)
    identifier = next(cka_id for kind, cka_id, _ in found if kind == "Private Key")
    assert [kind for kind, cka_id, _ in found if cka_id == identifier] == ["Certificate", "Private Key", "Public Key"]
    assert with_card.store().read_certificate("web") == answer.certificate


@contextmanager
def tls_server(folder: Path, authority: LocalCA) -> Iterator[int]:
    """`openssl s_server` that takes only clients with a certificate under the CA; gives its port."""
    request = openssl_request(folder, "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", key=EC_KEY)
    answer = authority.submit(Submission(request))
    assert answer.certificate is not None, answer.message
    (folder / "server.pem").write_text(pem("CERTIFICATE", answer.certificate))
    (folder / "chain.pem").write_text(pem("CERTIFICATE", *answer.chain))
    (folder / "root.pem").write_text(pem("CERTIFICATE", answer.chain[-1]))
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            [
                program("openssl"), "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "3", "-verify_return_error",
                "-CAfile", str(folder / "chain.pem"), "-cert", str(folder / "server.pem"),
                "-cert_chain", str(folder / "chain.pem"), "-key", str(folder / "request.key"),
            ],
            stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True,
        )
    try:
        assert server.stdout is not None
        accepting = next(line for line in server.stdout if line.startswith("ACCEPT"))
        yield int(accepting.rpartition(":")[2])
    finally:
        server.kill()
        server.communicate()


def talk(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, input="GET / HTTP/1.0\r\n\r\n", env={**os.environ, **environment}, capture_output=True, text=True,
        timeout=60, check=False,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_authenticates_to_a_tls_server_with_the_card(
    tmp_path: Path, authority: LocalCA, with_card: SoftToken, algorithm: str
) -> None:
    judges.require_engine()
    entry = enrolled(tmp_path, algorithm)
    (tmp_path / "client.pem").write_text(pem("CERTIFICATE", entry.der))
    with tls_server(tmp_path, authority) as port:
        options = ["-connect", f"127.0.0.1:{port}", "-CAfile", str(tmp_path / "root.pem")]
        options += ["-verify_return_error", "-ign_eof"]
        said = talk(
            program("openssl"), "s_client", *options, "-cert", str(tmp_path / "client.pem"),
            "-cert_chain", str(tmp_path / "chain.pem"), "-engine", "pkcs11", "-keyform", "engine",
            "-key", reference(entry) + PRIVATE_TYPE, "-pass", "env:XENROLL_PIN", PKCS11_MODULE_PATH=with_card.module,
        )
        refused = talk(program("openssl"), "s_client", *options)
    assert "HTTP/1.0 200" in said.stdout, said.stdout + said.stderr + (tmp_path / "server.log").read_text()
    assert "Verification: OK" in said.stdout
    assert "Alice" in said.stdout.partition("HTTP/1.0 200")[2]
    assert "HTTP/1.0 200" not in refused.stdout


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_gnutls_authenticates_to_a_tls_server_with_certificate_and_key_of_the_card(
    tmp_path: Path, authority: LocalCA, with_card: SoftToken, algorithm: str
) -> None:
    entry = enrolled(tmp_path, algorithm)
    with tls_server(tmp_path, authority) as port:
        said = talk(
            program("gnutls-cli"), "--provider", with_card.module, "--x509cafile", str(tmp_path / "root.pem"),
            "--x509certfile", reference(entry) + CERTIFICATE_TYPE, "--x509keyfile", reference(entry) + PRIVATE_TYPE,
            "--sni-hostname", "localhost", "--verify-hostname", "localhost", "--port", str(port), "127.0.0.1",
            GNUTLS_PIN=with_card.pin,
        )
    assert "The certificate is trusted" in said.stdout, said.stdout + said.stderr
    assert "HTTP/1.0 200" in said.stdout, said.stdout + said.stderr + (tmp_path / "server.log").read_text()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_ssh_lists_the_key_of_the_card(tmp_path: Path, authority: LocalCA, with_card: SoftToken, algorithm: str) -> None:
    entry = enrolled(tmp_path, algorithm)
    key = x509.load_der_x509_certificate(entry.der).public_key()
    wanted = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    said = judges.run(program("ssh-keygen"), "-D", with_card.module)
    assert wanted.split()[1] in said
