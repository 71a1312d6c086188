"""IX509Enrollment: its states, what it tells, and what a CA's answers make of it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

import certenroll
from certenroll import facade
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.engine.opening import open_workspace
from certenroll.engine.submission import response_of
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType, EnrollmentEnrollStatus, X509EnrollmentPolicyLoadOption
from certenroll.hresults import HRESULT
from keystores.errors import NoSuchKey
from tests.stores.pki import make
from tests.support.enrolling import (
    BINARY,
    bag,
    issue,
    laid_open,
    new_enrollment,
    new_key,
    new_request,
    refused,
    requested,
)
from tests.support.profiles import make_ca
from tests.support.requires import program

Status = EnrollmentEnrollStatus
BLANK = HRESULT.OLE_E_BLANK
EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY

# Every member that needs an Initialize method first, with arguments that it would take.
CALLS: dict[str, tuple[Any, ...]] = {
    "CreateRequest": (),
    "Enroll": (),
    "InstallResponse": (0, b"x", BINARY, ""),
    "InstallResponse2": (0, b"x", BINARY, "", "https://p.test", "{id}", 0, 2),
    "CreatePFX": ("secret",),
    "Certificate": (),
    "Response": (),
}
READS = (
    "Request", "NameValuePairs", "EnrollmentContext", "Status", "CertificateFriendlyName", "CertificateDescription",
    "RequestId", "RequestIdString", "CAConfigString", "PolicyServer", "Template",
)
WRITES = ("CertificateFriendlyName", "CertificateDescription")
INITIALIZERS = {"Initialize", "InitializeFromRequest", "InitializeFromTemplate", "InitializeFromTemplateName"}
ALWAYS = {*INITIALIZERS, "Silent", "ParentWindow"}


def blank() -> Any:
    return certenroll.Dispatch("X509Enrollment.CX509Enrollment")


def test_the_lists_of_this_test_name_every_member() -> None:
    assert {*CALLS, *READS, *WRITES, *ALWAYS} == set(dir(blank()))


@pytest.mark.parametrize(("member", "arguments"), CALLS.items(), ids=CALLS)
def test_a_method_refuses_before_an_initialize_method(home: Path, member: str, arguments: tuple[Any, ...]) -> None:
    assert refused(getattr(blank(), member), *arguments) == BLANK


@pytest.mark.parametrize("member", READS)
def test_a_property_refuses_to_be_read_before_an_initialize_method(home: Path, member: str) -> None:
    assert refused(getattr, blank(), member) == BLANK


@pytest.mark.parametrize("member", WRITES)
def test_a_property_refuses_to_be_set_before_an_initialize_method(home: Path, member: str) -> None:
    enrollment = blank()
    assert refused(setattr, enrollment, member, "x") == BLANK
    enrollment.Initialize(1)
    assert getattr(enrollment, member) == ""


def test_silent_and_the_parent_window_are_there_from_the_start() -> None:
    enrollment = blank()
    assert (enrollment.Silent, enrollment.ParentWindow) == (False, 0)
    enrollment.Silent = True
    enrollment.ParentWindow = 7
    assert (enrollment.Silent, enrollment.ParentWindow) == (True, 7)


@pytest.mark.parametrize(
    "again",
    [
        lambda one: one.Initialize(1),
        lambda one: one.InitializeFromRequest(new_request()),
        lambda one: one.InitializeFromTemplateName(1, "User"),
    ],
    ids=["Initialize", "InitializeFromRequest", "InitializeFromTemplateName"],
)
def test_it_is_initialized_once(home: Path, again: Any) -> None:
    assert refused(again, new_enrollment()) == HRESULT.WIN32_ALREADY_INITIALIZED


def test_the_context_is_for_someone(home: Path) -> None:
    assert refused(blank().Initialize, 0) == HRESULT.E_INVALIDARG


def test_a_request_that_is_not_initialized_begins_no_enrollment() -> None:
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    enrollment = blank()
    assert refused(enrollment.InitializeFromRequest, request) == BLANK
    enrollment.Initialize(2)
    assert enrollment.EnrollmentContext == 2


@pytest.mark.parametrize("member", ["Certificate", "Response"])
def test_there_is_no_answer_before_one_came(home: Path, member: str) -> None:
    assert refused(getattr(new_enrollment(new_request()), member)) == EMPTY


@pytest.mark.parametrize("member", ["RequestId", "RequestIdString", "CAConfigString"])
def test_there_is_no_request_id_before_it_was_sent(home: Path, member: str) -> None:
    enrollment, _ = requested()
    assert refused(getattr, enrollment, member) == EMPTY


def test_an_enrollment_without_a_request_has_none_to_show(home: Path) -> None:
    assert refused(getattr, new_enrollment(), "Request") == EMPTY


def test_create_request_gives_the_same_request_twice_and_notes_it_once(home: Path) -> None:
    enrollment, _ = requested()
    assert enrollment.CreateRequest(BINARY) == enrollment.CreateRequest(BINARY)
    assert len(facade.pending_requests()) == 1
    assert enrollment.Request.Type == 1


def test_a_request_that_is_encoded_anew_takes_the_place_of_the_first(workspace: Workspace) -> None:
    enrollment, spki = requested()
    first = enrollment.CreateRequest(BINARY)
    enrollment.Request.ResetForEncode()
    enrollment.Request.SuppressDefaults = True
    second = enrollment.CreateRequest(BINARY)
    assert second != first
    assert enrollment.Request.spki_bytes() == spki
    assert [facade.request_bytes(str(one.id)) for one in facade.pending_requests()] == [second]
    assert len(facade.certificates("REQUEST")) == 1


def test_the_request_store_holds_a_certificate_with_the_key_and_no_signature(home: Path) -> None:
    enrollment, spki = requested()
    (entry,) = facade.certificates("REQUEST")
    assert x509.load_der_x509_certificate(entry.der).subject.rfc4514_string() == "CN=leaf"
    assert entry.key is not None
    assert entry.key.container == enrollment.Request.PrivateKey.ContainerName
    assert open_workspace().certificates.find_by_public_key("REQUEST", spki)


def test_names_that_are_set_before_or_after_the_request_reach_the_certificate(workspace: Workspace) -> None:
    root = make("root")
    workspace.certificates.add("ROOT", root.der)
    enrollment = new_enrollment(new_request())
    enrollment.CertificateFriendlyName = "before"
    enrollment.CreateRequest()
    enrollment.CertificateDescription = "after the request"
    enrollment.InstallResponse(0, bag(issue(enrollment.Request.spki_bytes(), root)), BINARY)
    assert [(one.friendly_name, one.description) for one in facade.certificates("MY")] == [("before", "after the request")]
    enrollment.CertificateFriendlyName = "after the install"
    assert [one.friendly_name for one in facade.certificates("MY")] == ["after the install"]
    assert enrollment.CertificateFriendlyName == "after the install"


def test_an_issued_certificate_is_installed_and_told_of(home: Path) -> None:
    authority = make_ca()
    enrollment = new_enrollment(new_request())
    enrollment.Enroll()
    assert (enrollment.Status.Status, enrollment.Status.Error, enrollment.Status.ErrorText) == (Status.Enrolled, 0, "")
    assert (enrollment.CAConfigString, enrollment.RequestId, enrollment.RequestIdString) == (authority.config, 1, "1")
    (entry,) = facade.certificates("MY")
    assert enrollment.Certificate(BINARY) == entry.der
    assert enrollment.Certificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER).startswith("-----BEGIN CERTIFICATE-----")
    assert entry.der in enrollment.Response(BINARY)
    assert enrollment.Response() != enrollment.Response(EncodingType.XCN_CRYPT_STRING_HEXRAW)


def test_a_request_that_is_held_is_pending_and_keeps_its_key(home: Path) -> None:
    authority = make_ca(Mode.HOLD)
    enrollment = new_enrollment(new_request())
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.EnrollPended
    assert enrollment.RequestId == 1
    assert refused(enrollment.Certificate) == EMPTY
    assert refused(enrollment.Response) == EMPTY
    assert facade.certificates("MY") == []
    authority.issue("1")
    request, installed = facade.retrieve_pending("1")
    assert request.state == "installed"
    assert installed is not None
    assert facade.certificates("MY")[0].der == installed.certificate


def test_a_request_that_is_denied_loses_its_key_and_its_place(home: Path) -> None:
    make_ca(Mode.DENY)
    enrollment = new_enrollment(new_request())
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.EnrollDenied
    assert enrollment.Status.Error & 0xFFFFFFFF == HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST
    assert enrollment.Status.Text
    assert facade.certificates("REQUEST") == []
    assert all(not report.keys for report in facade.key_reports())


@pytest.mark.parametrize("how", ["opened", "imported"])
def test_a_denied_request_leaves_a_key_that_was_there_before(home: Path, how: str) -> None:
    make_ca(Mode.DENY)
    first = new_key(ContainerName="mine", ExportPolicy=3)
    first.Create()
    key = new_key(ContainerName="mine" if how == "opened" else "another")
    if how == "opened":
        key.Open()
    else:
        key.Import("PKCS8_PRIVATEKEY", first.Export("PKCS8_PRIVATEKEY"))
    enrollment = new_enrollment(new_request(key=key))
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.EnrollDenied
    assert facade.containers("software") == (["mine"] if how == "opened" else ["another", "mine"])


def test_a_ca_that_is_not_there_is_an_error_and_the_request_stays(home: Path) -> None:
    enrollment = new_enrollment(new_request())
    assert refused(enrollment.Enroll) == HRESULT.RPC_SERVER_UNAVAILABLE
    assert enrollment.Status.Status == Status.EnrollError
    assert enrollment.Status.Error & 0xFFFFFFFF == HRESULT.RPC_SERVER_UNAVAILABLE
    assert len(facade.pending_requests()) == 1
    make_ca()
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.Enrolled


def test_an_answer_that_is_not_trusted_is_kept_and_refused(home: Path) -> None:
    LocalCA.create(home / "ca", "Stranger")
    enrollment = new_enrollment(new_request())
    assert refused(enrollment.Enroll) == HRESULT.CERT_E_UNTRUSTEDROOT
    assert enrollment.Status.Status == Status.EnrollError
    assert facade.certificates("MY") == []
    enrollment.InstallResponse(4, enrollment.Response(BINARY), BINARY)
    assert len(facade.certificates("MY")) == 1


def test_name_value_pairs_go_to_the_ca(home: Path) -> None:
    make_ca()
    enrollment = new_enrollment(new_request())
    pair = certenroll.Dispatch("X509Enrollment.CX509NameValuePair")
    pair.Initialize("SAN", "dns=www.example.com")
    enrollment.NameValuePairs.Add(pair)
    assert [(one.Name, one.Value) for one in enrollment.NameValuePairs] == [("SAN", "dns=www.example.com")]
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.Enrolled


def test_a_template_name_makes_request_and_key(home: Path) -> None:
    enrollment = blank()
    enrollment.InitializeFromTemplateName(1, "User")
    assert enrollment.Request.Type == 1
    enrollment.CreateRequest()
    assert facade.pending_requests()[0].template == "User"
    assert refused(blank().InitializeFromTemplateName, 1, "") == HRESULT.E_INVALIDARG


def test_a_failure_of_the_key_leaves_neither_key_nor_request(home: Path) -> None:
    new_enrollment()
    open_workspace()
    before = laid_open(home)
    enrollment = new_enrollment(new_request(key=new_key(Length=7)))
    assert refused(enrollment.CreateRequest) == HRESULT.NTE_BAD_LEN
    assert laid_open(home)["files"] == before["files"]
    assert facade.pending_requests() == []


def test_a_request_for_a_bare_public_key_cannot_be_enrolled_for(home: Path) -> None:
    key = new_key()
    key.Create()
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPublicKey(1, key.ExportPublicKey())
    assert refused(new_enrollment(request).CreateRequest) == EMPTY


def test_an_enrollment_begins_with_a_template_of_a_policy_server(home: Path) -> None:
    make_ca()
    server: Any = certenroll.Dispatch("X509Enrollment.CX509EnrollmentPolicyActiveDirectory")
    server.Initialize("LDAP:", "", 2, True, 1)
    server.LoadPolicy(X509EnrollmentPolicyLoadOption.LoadOptionDefault)
    template = server.GetTemplates().ItemByName("User")
    enrollment = blank()
    enrollment.InitializeFromTemplate(1, server, template)
    assert (enrollment.PolicyServer, enrollment.Template) == (server, template)
    enrollment.Enroll()
    assert enrollment.Status.Status == Status.Enrolled
    assert refused(blank().InitializeFromTemplate, 1, None, template) == HRESULT.E_POINTER


def test_a_policy_server_is_noted_on_the_certificate_and_on_none_that_is_refused(home: Path) -> None:
    ca = make_ca()
    enrollment = new_enrollment(new_request())
    answer = ca.submit(Submission(enrollment.CreateRequest(BINARY), {}))
    noted = ("https://p.test", "{id}", 1, 2)
    assert refused(enrollment.InstallResponse2, 0, b"junk", BINARY, "", *noted) != HRESULT.S_OK
    enrollment.InstallResponse2(0, response_of(answer), BINARY, "", *noted)
    made: Any = certenroll.Dispatch("X509Enrollment.CCertPropertyEnrollmentPolicyServer")
    made.InitializeFromCertificate(False, BINARY, enrollment.Certificate(BINARY))
    assert (made.GetPolicyServerUrl(), made.GetPolicyServerId()) == ("https://p.test", "{id}")
    assert (int(made.GetUrlFlags()), int(made.GetAuthentication())) == (1, 2)


@pytest.mark.parametrize(("options", "certificates"), [(0, 1), (1, 2), (2, 3)])
def test_openssl_reads_the_pfx(home: Path, tmp_path: Path, options: int, certificates: int) -> None:
    make_ca()
    enrollment = new_enrollment(new_request(key=new_key(ExportPolicy=1)))
    enrollment.CertificateFriendlyName = "Wëb server"
    enrollment.Enroll()
    path = tmp_path / "out.pfx"
    path.write_bytes(enrollment.CreatePFX("pä55", options, BINARY))
    command = [program("openssl"), "pkcs12", "-in", str(path), "-passin", "pass:pä55", "-nodes"]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    assert said.count(b"-----BEGIN CERTIFICATE-----") == certificates
    assert said.count(b"-----BEGIN PRIVATE KEY-----") == 1
    read = pkcs12.load_pkcs12(path.read_bytes(), "pä55".encode())
    assert read.cert is not None
    assert read.cert.friendly_name == "Wëb server".encode()
    assert read.key is not None
    assert read.cert.certificate.public_key() == read.key.public_key()


def test_a_pfx_comes_back_as_a_response(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ca()
    enrollment = new_enrollment(new_request(key=new_key(ExportPolicy=1)))
    enrollment.Enroll()
    pfx = enrollment.CreatePFX("secret", 2)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "another"))
    elsewhere = new_enrollment()
    elsewhere.InstallResponse(1 | 4, pfx, EncodingType.XCN_CRYPT_STRING_BASE64, "secret")
    assert elsewhere.Certificate() == enrollment.Certificate()


def test_a_key_with_a_pin_of_its_own_leaves_in_a_pfx_by_that_pin(home: Path) -> None:
    make_ca()
    enrollment = new_enrollment(new_request(key=new_key(ExportPolicy=1, Pin="8642")))
    enrollment.Enroll()
    read = pkcs12.load_pkcs12(enrollment.CreatePFX("secret", 0, BINARY), b"secret")
    assert read.key is not None


def test_there_is_no_pfx_before_a_certificate_or_of_a_key_that_stays(home: Path) -> None:
    make_ca()
    enrollment = new_enrollment(new_request())
    assert refused(enrollment.CreatePFX, "x") == EMPTY
    enrollment.Enroll()
    assert refused(enrollment.CreatePFX, "x") == HRESULT.NTE_BAD_KEY_STATE


def test_a_pfx_with_a_chain_needs_the_chain(workspace: Workspace) -> None:
    enrollment = new_enrollment(new_request(key=new_key(ExportPolicy=1)))
    enrollment.CreateRequest()
    enrollment.InstallResponse(2, issue(enrollment.Request.spki_bytes(), make("absent")).der, BINARY)
    assert refused(enrollment.CreatePFX, "x", 1) == HRESULT.WIN32_FILE_NOT_FOUND
    assert enrollment.CreatePFX("x", 0)


def test_the_machines_enrollments_are_apart_from_the_users(home: Path) -> None:
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(2, new_key(MachineContext=True))
    enrollment = new_enrollment(request)
    enrollment.CreateRequest()
    assert facade.pending_requests() == []
    assert len(facade.pending_requests(2)) == 1
    assert (home / "machine" / "keys" / "software").is_dir()


def test_a_key_that_is_removed_behind_its_back_is_missed(home: Path) -> None:
    key = new_key(ContainerName="gone")
    key.Create()
    facade.delete_key("software", "gone")
    with pytest.raises(NoSuchKey):
        open_workspace().key_stores.open("software", "gone")
    again = new_key(ContainerName="gone", Existing=True)
    enrollment = new_enrollment(new_request(key=again))
    assert refused(enrollment.CreateRequest) == HRESULT.NTE_BAD_KEYSET
