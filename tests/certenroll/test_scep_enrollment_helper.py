"""IX509SCEPEnrollmentHelper: whole enrollments over HTTP, against this project's responder and against a foreign server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import certenroll
from certenroll.asn1.scep import MessageType
from certenroll.ca.scep.transport import ScepServer
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import DelayRetryAction, EnrollmentEnrollStatus
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.enums import X509SCEPFailInfo as FailInfo
from certenroll.hresults import HRESULT
from certenroll.stores.states import State
from keystores.base import KeyLocation
from tests.stores.pki import NOW
from tests.support.enrolling import BINARY, refused
from tests.support.scep_enrolling import counts, forget_this_process, pkcs10_request, sha1, signer, states
from tests.support.scep_mock import CHALLENGE, MockServer, micromdm_server, mock_server
from tests.support.scep_responder import DECRYPTS, PENDING, SIGNS, ScepResponder, authority, refusal, root
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm


def blank() -> Any:
    return certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")


def request_for(subject: str, challenge: str = CHALLENGE, **key_properties: Any) -> Any:
    return pkcs10_request(subject, challenge, **key_properties)


def helper_for(url: str, ca: bytes | None, request: Any, headers: str = "") -> Any:
    made = blank()
    made.Initialize(url, headers, request, sha1(ca).hex() if ca is not None else "")
    return made


def for_pending(url: str, transaction: str = "") -> Any:
    made = blank()
    made.InitializeForPending(url, "", 1, transaction)
    return made


@pytest.fixture
def server() -> Iterator[ScepResponder]:
    with ScepResponder() as made:
        yield made


# The object ----------------------------------------------------------------------------------------------------------


def test_a_helper_refuses_before_an_initialize_method(home: Path) -> None:
    for member in ("Enroll", "FetchPending"):
        assert refused(getattr(blank(), member), 0) == HRESULT.OLE_E_BLANK
    for member in ("X509SCEPEnrollment", "ResultMessageText"):
        assert refused(getattr, blank(), member) == HRESULT.OLE_E_BLANK


@pytest.mark.parametrize(
    ("url", "headers", "thumbprint"),
    [
        ("ldap://x/", "", ""), ("", "", ""), ("http://h/", "no colon", ""), ("http://h/", ": value", ""),
        ("http://h/", "A b: c", ""), ("http://h/", "", "not hexadecimal"),
    ],
)  # fmt: skip
def test_arguments_that_are_none_are_refused_and_the_helper_stays_blank(
    home: Path, url: str, headers: str, thumbprint: str
) -> None:
    made = blank()
    assert refused(made.Initialize, url, headers, request_for("CN=leaf"), thumbprint) == HRESULT.E_INVALIDARG
    assert refused(made.Enroll, 0) == HRESULT.OLE_E_BLANK


def test_a_request_that_is_not_initialized_is_refused(home: Path) -> None:
    raw: Any = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    assert refused(blank().Initialize, "http://h/", "", raw, "") == HRESULT.OLE_E_BLANK


def test_a_helper_is_initialized_once_and_does_what_it_was_initialized_for(home: Path) -> None:
    made = helper_for("http://127.0.0.1:1/", None, request_for("CN=leaf"))
    assert refused(made.InitializeForPending, "http://h/", "", 1, "") == HRESULT.WIN32_ALREADY_INITIALIZED
    assert refused(made.FetchPending, 0) == HRESULT.OLE_E_BLANK
    assert refused(for_pending("http://127.0.0.1:1/").Enroll, 0) == HRESULT.OLE_E_BLANK
    assert refused(for_pending("http://127.0.0.1:1/").FetchPending, 0) == HRESULT.CRYPT_E_NOT_FOUND


# With the responder --------------------------------------------------------------------------------------------------


def test_a_certificate_is_had_in_one_call(workspace: Workspace, server: ScepResponder) -> None:
    made = helper_for(server.url, server.ca.der, request_for("CN=leaf"), "X-Tenant: 7\r\nAccept: */*\r\n")
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
    assert server.paths == [("GET", "GetCACaps"), ("GET", "GetCACert"), ("POST", "PKIOperation")]
    assert {one["X-Tenant"] for one in server.headers} == {"7"}
    assert (counts(workspace), states(workspace)) == ([1, 0, 1, 0], [State.INSTALLED])
    assert made.X509SCEPEnrollment.Certificate(BINARY) in server.issued.values()
    assert workspace.requests.list()[0].ca_config == server.url


def test_without_a_thumbprint_the_certificate_is_installed_and_its_root_gets_no_trust(
    workspace: Workspace, server: ScepResponder
) -> None:
    for _ in range(2):
        assert helper_for(server.url, None, request_for("CN=leaf")).Enroll(0) == Disposition.SCEPDispositionSuccess
    assert counts(workspace) == [2, 1, 0, 0]
    assert workspace.certificates.get("CA", sha1(server.ca.der)) is not None


def test_a_wrong_thumbprint_ends_it_before_a_key_is_made(workspace: Workspace, server: ScepResponder) -> None:
    made = blank()
    made.Initialize(server.url, "", request_for("CN=leaf"), "00" * 20)
    assert refused(made.Enroll, 0) == HRESULT.CRYPT_E_HASH_VALUE
    assert (counts(workspace), states(workspace), server.asked) == ([0] * 4, [], [])


def test_a_server_without_capabilities_gets_no_message(workspace: Workspace, server: ScepResponder) -> None:
    server.capabilities = None
    assert refused(helper_for(server.url, server.ca.der, request_for("CN=leaf")).Enroll, 0) == HRESULT.NTE_BAD_ALGID
    assert (states(workspace), server.asked) == ([], [])


def test_a_message_goes_in_the_url_where_the_server_takes_no_post(workspace: Workspace, server: ScepResponder) -> None:
    server.capabilities = "AES\nSHA-256"
    assert helper_for(server.url, server.ca.der, request_for("CN=leaf")).Enroll(0) == Disposition.SCEPDispositionSuccess
    assert server.paths[-1] == ("GET", "PKIOperation")


def test_an_error_page_is_there_to_be_read_and_the_request_waits(workspace: Workspace, server: ScepResponder) -> None:
    server.page = (500, b"<html>The request failed. 0x80070490</html>")
    made = helper_for(server.url, server.ca.der, request_for("CN=leaf"))
    assert refused(made.Enroll, 0) == 0x801901F4
    assert made.ResultMessageText == "<html>The request failed. 0x80070490</html>"
    assert (made.X509SCEPEnrollment.DelayRetry, states(workspace)) == (DelayRetryAction.DelayRetryShort, [State.MADE])
    server.page = None
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess


def test_a_request_whose_sending_failed_is_sent_by_the_next_process_once_the_server_says_it_has_none(
    workspace: Workspace, server: ScepResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.page = (503, b"")
    made = helper_for(server.url, server.ca.der, request_for("CN=leaf"))
    assert refused(made.Enroll, 0) == 0x801901F7
    later = forget_this_process(monkeypatch)
    server.page = None
    server.reply_with(refusal(4), PENDING)
    assert for_pending(server.url).FetchPending(0) == Disposition.SCEPDispositionPending
    assert server.messages == [MessageType.CertPoll, MessageType.PKCSReq]
    assert states(later) == [State.PENDING]


@pytest.mark.parametrize("form", ["as it is", "base64"])
def test_a_request_that_waits_is_fetched_by_its_transaction(
    workspace: Workspace, server: ScepResponder, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    server.reply_with(PENDING)
    made = helper_for(server.url, server.ca.der, request_for("CN=leaf"))
    assert made.Enroll(0) == Disposition.SCEPDispositionPending
    helper_for(server.url, server.ca.der, request_for("CN=another")).Enroll(0)
    transaction = made.X509SCEPEnrollment.TransactionId(BINARY)
    later = forget_this_process(monkeypatch)
    server.reply_with(PENDING, *[refusal(3), ScepResponder().replies[0]])
    again = for_pending(server.url, base64.b64encode(transaction).decode() if form == "base64" else transaction.decode())
    dispositions = [again.FetchPending(0) for _ in range(3)]
    assert dispositions == [3, 2, 0]
    assert (counts(later), sorted(one.value for one in states(later))) == ([1, 0, 1, 1], ["installed", "pending"])


def test_a_renewal_by_the_helper_is_signed_by_the_certificate_that_was_set(
    workspace: Workspace, server: ScepResponder
) -> None:
    first = helper_for(server.url, server.ca.der, request_for("CN=leaf"))
    first.Enroll(0)
    second = helper_for(server.url, server.ca.der, request_for("CN=leaf"))
    second.X509SCEPEnrollment.SignerCertificate = signer(first.X509SCEPEnrollment.Certificate(BINARY))
    assert second.Enroll(0) == Disposition.SCEPDispositionSuccess
    assert server.messages == [MessageType.PKCSReq, MessageType.RenewalReq]


# With keys in devices ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_authority", [False, True])
def test_a_key_in_a_tpm_signs_and_opens(home: Path, monkeypatch: pytest.MonkeyPatch, with_authority: bool) -> None:
    ca = root()
    parts = (authority(ca, "RA", SIGNS), authority(ca, "RA encryption", DECRYPTS)) if with_authority else ()
    with SwTpm() as tpm, ScepResponder(ca, *parts) as server:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        workspace = open_workspace()
        workspace.clock = lambda: NOW
        request = request_for("CN=leaf", KeyLocation=int(KeyLocation.TPM_REQUIRED))
        made = helper_for(server.url, ca.der, request)
        assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
        assert request.PrivateKey.provider_info().store == "tpm"
        refusing = request_for("CN=leaf", KeyLocation=int(KeyLocation.TPM_REQUIRED), KeyUsage=2)
        assert refused(helper_for(server.url, ca.der, refusing).Enroll, 0) == HRESULT.NTE_BAD_KEY
        assert len(workspace.key_stores.get("tpm").list()) == 1
        workspace.key_stores.close()


def test_a_key_on_a_card_signs_and_opens(home: Path) -> None:
    with SoftToken(), ScepResponder() as server:
        workspace = open_workspace()
        workspace.clock = lambda: NOW
        request = request_for("CN=leaf", KeyLocation=int(KeyLocation.NAMED_CONTAINER), ContainerName="scep")
        made = helper_for(server.url, server.ca.der, request)
        assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
        assert request.PrivateKey.provider_info().store == "smartcard"
        workspace.key_stores.close()


# With somebody else's server -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with mock_server("--pending", "2") as running:
        yield running


@pytest.fixture(scope="module")
def mock_with_authority() -> Iterator[MockServer]:
    with mock_server("--ra", "--empty-content", "--caps", "DES3,SHA-512,SHA-1,Renewal") as running:
        yield running


def test_a_foreign_server_issues(home: Path, mock: MockServer) -> None:
    made = helper_for(mock.url, mock.ca, request_for("CN=leaf,O=Test"))
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
    installed = x509.load_der_x509_certificate(made.X509SCEPEnrollment.Certificate(BINARY))
    assert installed.subject.rfc4514_string() == "CN=leaf,O=Test"
    assert (counts(open_workspace()), made.X509SCEPEnrollment.Status.Status) == ([1, 0, 1, 0], 1)
    seen = mock.log.read_text()
    assert "selfsigned" in seen
    assert "dig sha512 cipher aes128_cbc" in seen


def test_a_foreign_server_with_a_registration_authority_issues_and_renews(
    home: Path, mock_with_authority: MockServer
) -> None:
    mock = mock_with_authority
    first = helper_for(mock.url, mock.ca, request_for("CN=leaf"))
    assert first.Enroll(0) == Disposition.SCEPDispositionSuccess
    second = helper_for(mock.url, mock.ca, request_for("CN=leaf", challenge="needed no more"))
    second.X509SCEPEnrollment.SignerCertificate = signer(first.X509SCEPEnrollment.Certificate(BINARY))
    assert second.Enroll(0) == Disposition.SCEPDispositionSuccess
    assert "MSG 17 " in mock.log.read_text()
    assert "cipher tripledes_3key" in mock.log.read_text()


def test_a_foreign_server_lets_wait_and_another_process_fetches(
    home: Path, mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = helper_for(mock.url, mock.ca, request_for("CN=pend"))
    assert made.Enroll(0) == Disposition.SCEPDispositionPending
    transaction = made.X509SCEPEnrollment.TransactionId(BINARY).decode()
    for expected in (Disposition.SCEPDispositionPending, Disposition.SCEPDispositionSuccess):
        later = forget_this_process(monkeypatch)
        assert for_pending(mock.url, transaction).FetchPending(0) == expected
    assert (counts(later), states(later)) == ([1, 0, 1, 0], [State.INSTALLED])


def test_a_foreign_server_refuses_after_a_while(home: Path, mock: MockServer) -> None:
    made = helper_for(mock.url, mock.ca, request_for("CN=reject-poll"))
    assert [made.Enroll(0), made.FetchPending(0), made.FetchPending(0)] == [3, 3, 2]
    assert (states(open_workspace()), counts(open_workspace())) == ([State.DENIED], [0] * 4)


@pytest.mark.parametrize("number", range(5))
def test_each_reason_of_a_foreign_server_is_told(home: Path, mock: MockServer, number: int) -> None:
    made = helper_for(mock.url, mock.ca, request_for(f"CN=fail{number}"))
    assert made.Enroll(0) == Disposition.SCEPDispositionFailure
    inner = made.X509SCEPEnrollment
    assert (inner.FailInfo, inner.Status.Status) == (FailInfo(number), EnrollmentEnrollStatus.EnrollError)
    assert counts(open_workspace())[0] == 0


def test_a_foreign_server_refuses_a_wrong_challenge(home: Path, mock: MockServer) -> None:
    made = helper_for(mock.url, mock.ca, request_for("CN=leaf", challenge="wrong"))
    assert made.Enroll(0) == Disposition.SCEPDispositionFailure
    assert states(open_workspace()) == [State.DENIED]


@pytest.mark.parametrize(("subject", "expected"), [("badsig", "NTE_BAD_SIGNATURE"), ("badnonce", "NTE_BAD_DATA")])
def test_what_a_foreign_server_does_wrong_is_noticed(home: Path, mock: MockServer, subject: str, expected: str) -> None:
    made = helper_for(mock.url, mock.ca, request_for(f"CN={subject}"))
    assert refused(made.Enroll, 0) == HRESULT[expected]
    assert (counts(open_workspace()), states(open_workspace())) == ([0, 0, 0, 1], [State.MADE])


def test_a_certificate_of_a_foreign_server_is_had_again(home: Path, mock: MockServer) -> None:
    made = helper_for(mock.url, mock.ca, request_for("CN=leaf"))
    made.Enroll(0)
    der = made.X509SCEPEnrollment.Certificate(BINARY)
    known = x509.load_der_x509_certificate(der)
    asking: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollment")
    asking.InitializeForPending(1)
    serial = known.serial_number.to_bytes(21, "big")
    message = asking.CreateRetrieveCertificateMessage(1, known.issuer.public_bytes(), BINARY, serial, BINARY, BINARY)
    assert asking.ProcessResponseMessage(ScepServer(mock.url).operation(message), BINARY) == 0
    assert asking.Certificate(BINARY) == der


def test_micromdm_s_server_issues_renews_and_refuses(home: Path) -> None:
    with micromdm_server() as micromdm:
        first = helper_for(micromdm.url, micromdm.ca, request_for("CN=leaf"))
        assert first.Enroll(0) == Disposition.SCEPDispositionSuccess
        second = helper_for(micromdm.url, micromdm.ca, request_for("CN=leaf"))
        second.X509SCEPEnrollment.SignerCertificate = signer(first.X509SCEPEnrollment.Certificate(BINARY))
        assert second.Enroll(0) == Disposition.SCEPDispositionSuccess
        third = helper_for(micromdm.url, micromdm.ca, request_for("CN=leaf", challenge="wrong"))
        assert third.Enroll(0) == Disposition.SCEPDispositionFailure
        assert third.X509SCEPEnrollment.FailInfo == FailInfo.SCEPFailBadRequest
    assert counts(open_workspace()) == [1, 0, 1, 0]  # the one that was renewed is archived
