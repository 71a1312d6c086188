"""GetCRL: the CRL of the CA behind a certificate, from this project's SCEP server, and from servers that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

import certenroll
from certenroll.asn1 import scep
from certenroll.asn1.scep import MessageType
from certenroll.ca.local import LocalCA
from certenroll.ca.scep.responder import ScepResponder as LocalResponder
from certenroll.ca.scep.server import ScepHttpServer
from certenroll.ca.scep.transport import ScepServer
from certenroll.engine.opening import open_workspace
from certenroll.engine.scep_crls import fetch_crl
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.hresults import HRESULT
from certenroll.stores.certificates import MY, StoredCertificate
from tests.stores.pki import NOW, Made, key, make
from tests.support.ca import pem
from tests.support.enrolling import refused
from tests.support.judges import run
from tests.support.requires import program
from tests.support.scep_client import OPEN
from tests.support.scep_enrolling import pkcs10_request, sha1
from tests.support.scep_responder import PENDING, Reply, ScepResponder, refusal


def crl_of(issuer: Made) -> bytes:
    made = x509.CertificateRevocationListBuilder(issuer.certificate.subject, NOW, NOW + timedelta(days=7))
    return made.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def enrolled(url: str, ca: bytes) -> StoredCertificate:
    helper: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    helper.Initialize(url, "", pkcs10_request("CN=leaf"), sha1(ca).hex())
    assert helper.Enroll(0) == Disposition.SCEPDispositionSuccess
    (found,) = open_workspace().certificates.list(MY)
    return found


@contextmanager
def wrong(workspace: Workspace) -> Iterator[tuple[ScepResponder, StoredCertificate]]:
    """A certificate and its server, which answers as it is told from then on."""
    with ScepResponder() as server:
        yield server, enrolled(server.url, server.ca.der)


def test_the_crl_of_a_scep_server_is_had_and_openssl_verifies_it(home: Path, tmp_path: Path) -> None:
    LocalCA.create(tmp_path / "ca", "Test CA", host="ca.test").close()
    responder = LocalResponder(tmp_path / "ca", OPEN)
    with ScepHttpServer(responder) as server:
        (ca,) = ScepServer(server.url).ca_certificates()
        entry = enrolled(server.url, ca)
        crl = fetch_crl(open_workspace(), entry, ScepServer(server.url))
    (tmp_path / "crl").write_bytes(crl)
    (tmp_path / "ca.pem").write_text(pem("CERTIFICATE", ca))
    said = run(
        *(program("openssl"), "crl", "-inform", "DER", "-in", str(tmp_path / "crl"), "-noout", "-issuer"),
        *("-CAfile", str(tmp_path / "ca.pem"), "-verify"),
    )
    assert "verify OK" in said
    assert "CN = Test CA" in said


def test_the_question_names_the_certificate_and_is_signed_by_its_key(workspace: Workspace) -> None:
    with wrong(workspace) as (server, entry):
        crl = crl_of(server.ca)
        server.reply_with(Reply(content=scep.degenerate((), (crl_of(make("Another CA")), crl))))
        assert fetch_crl(workspace, entry, ScepServer(server.url)) == crl
        asked = server.asked[-1]
    leaf = x509.load_der_x509_certificate(entry.der)
    assert asked.message.message_type == MessageType.GetCRL
    assert scep.decode_issuer_and_serial(asked.content) == (leaf.issuer.public_bytes(), leaf.serial_number)
    assert asked.signer == entry.der


def test_a_crl_that_is_not_the_ca_s_is_not_taken(workspace: Workspace) -> None:
    with wrong(workspace) as (server, entry):
        namesake = make("SCEP CA", private=key("namesake", 2048))
        answers = {
            HRESULT.CRYPT_E_NOT_FOUND: Reply(content=scep.degenerate((), (crl_of(make("Another CA")),))),
            HRESULT.NTE_BAD_SIGNATURE: Reply(content=scep.degenerate((), (crl_of(namesake),))),
            HRESULT.CRYPT_E_BAD_MSG: Reply(content=scep.degenerate(())),
            HRESULT.CERTSRV_E_NO_REQUEST: refusal(4),
            HRESULT.NTE_BAD_DATA: Reply(nonce=b"another nonce", content=scep.degenerate((), (crl_of(server.ca),))),
        }
        for code, reply in answers.items():
            server.reply_with(reply)
            assert refused_code(workspace, entry, server) == code, code.name
        for reply in (PENDING, Reply(certificates=(server.ca.der,))):
            server.reply_with(reply)
            assert refused_code(workspace, entry, server) == HRESULT.CRYPT_E_NOT_FOUND


def refused_code(workspace: Workspace, entry: StoredCertificate, server: ScepResponder) -> int:
    return refused(fetch_crl, workspace, entry, ScepServer(server.url))


def test_a_certificate_that_did_not_come_by_scep_has_no_server_to_ask(workspace: Workspace) -> None:
    workspace.certificates.add(MY, make("leaf").der)
    (entry,) = workspace.certificates.list(MY)
    assert refused(fetch_crl, workspace, entry, ScepServer("http://127.0.0.1:1/")) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
