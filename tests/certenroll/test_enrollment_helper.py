"""The enrollment helper: what it registers, how it keeps a password, and a certificate in one call."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll.ca.policies.documents import encode_policy
from certenroll.ca.policies.local_templates import directory_policy
from certenroll.ca.policies.servers import find_server
from certenroll.ca.templates import Mode
from certenroll.engine.opening import open_workspace
from certenroll.enrollment_helper import IX509EnrollmentHelper
from certenroll.enrollments import IX509Enrollment
from certenroll.enums import EncodingType, InstallResponseRestrictionFlags, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.stores.server_credentials import ServerCredential, ServerCredentials
from certenroll.stores.states import State
from keystores.base import Secret
from tests.support import profiles

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
USER, MACHINE = X509CertificateEnrollmentContext.ContextUser, X509CertificateEnrollmentContext.ContextMachine
ANONYMOUS, KERBEROS, USERNAME, CERTIFICATE = 1, 2, 4, 8
URL = "https://cep.test/ADPolicyProvider_CEP_UsernamePassword/service.svc/CEP"


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={tmp_path}/none")
    folder = tmp_path / "home"
    monkeypatch.setenv("XENROLL_HOME", str(folder))
    open_workspace()
    yield folder
    for context in (USER, MACHINE):
        open_workspace(context).profile.database.close()


def refused(code: int, call: Callable[..., Any], *args: Any) -> ComError:
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code), caught.value
    return caught.value


def helper(context: int = USER) -> IX509EnrollmentHelper:
    made = IX509EnrollmentHelper()
    made.Initialize(context)
    return made


def ready_helper() -> IX509EnrollmentHelper:
    made = helper()
    made.AddPolicyServer("ldap:", "", 0, KERBEROS, None, None)
    return made


def test_a_policy_server_is_registered_with_its_credential(profile: Path) -> None:
    helper().AddPolicyServer(URL, "{id}", 0x10, USERNAME, "alice", "open sesame")
    server = find_server(profile, URL)
    assert server is not None
    assert (server.policy_id, server.flags, server.auth_flags) == ("{id}", 0x10, USERNAME)
    assert ServerCredentials(profile).find(URL.upper() + "/") == ServerCredential(USERNAME, "alice", Secret("open sesame"))


def test_an_enrollment_server_has_its_credential_kept_and_replaced(profile: Path) -> None:
    made = helper()
    made.AddEnrollmentServer("https://ces.test", CERTIFICATE, "AB " * 20, "")
    assert ServerCredentials(profile).find("https://ces.test") == ServerCredential(CERTIFICATE, "ab" * 20)
    made.AddEnrollmentServer("https://ces.test", ANONYMOUS, None, None)
    assert ServerCredentials(profile).find("https://ces.test") == ServerCredential(ANONYMOUS)
    assert ServerCredentials(profile).find("https://other.test") is None


def test_a_password_is_in_one_file_that_its_owner_alone_reads_and_is_shown_nowhere(profile: Path) -> None:
    before = os.umask(0)
    try:
        helper().AddPolicyServer(URL, "", 0, USERNAME, "alice", "open sesame")
    finally:
        os.umask(before)
    holding = [path for path in profile.rglob("*") if path.is_file() and b"open sesame" in path.read_bytes()]
    assert [(path.name, path.stat().st_mode & 0o777) for path in holding] == [("server-credentials.json", 0o600)]
    assert "sesame" not in repr(ServerCredentials(profile).find(URL))


def test_a_credential_file_that_others_may_read_is_refused(profile: Path) -> None:
    made = helper()
    made.AddEnrollmentServer("https://ces.test", USERNAME, "alice", "open sesame")
    (profile / "server-credentials.json").chmod(0o640)
    error = refused(HRESULT.E_ACCESSDENIED, made.AddEnrollmentServer, "https://b.test", ANONYMOUS, None, None)
    assert "chmod 600" in error.detail


@pytest.mark.parametrize(
    "text", ['{"open sesame', '["open sesame"]', '{"u": {"password": "open sesame"}}', "\xff", "[" * 99999]
)
def test_a_credential_file_that_is_damaged_is_refused_without_showing_it(profile: Path, text: str) -> None:
    path = profile / "server-credentials.json"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    error = refused(HRESULT.WIN32_INVALID_DATA, helper().AddEnrollmentServer, "https://b.test", ANONYMOUS, None, None)
    assert "sesame" not in str(error)


@pytest.mark.parametrize(
    ("authentication", "credential", "password"),
    [
        (0, None, None),
        (16, None, None),
        (ANONYMOUS | KERBEROS, None, None),
        (ANONYMOUS, "alice", None),
        (ANONYMOUS, None, "secret"),
        (KERBEROS, "alice", "secret"),
        (USERNAME, None, "secret"),
        (USERNAME, "alice", None),
        (USERNAME, "alice", ""),
        (CERTIFICATE, None, None),
        (CERTIFICATE, "ab" * 20, "secret"),
        (CERTIFICATE, "ab" * 19, None),
        (CERTIFICATE, "not hexadecimal", None),
    ],
)
def test_a_credential_that_does_not_fit_is_refused_and_nothing_is_kept(
    profile: Path, authentication: int, credential: str | None, password: str | None
) -> None:
    made = helper()
    for call, args in (
        (made.AddPolicyServer, (URL, "", 0, authentication, credential, password)),
        (made.AddEnrollmentServer, (URL, authentication, credential, password)),
    ):
        assert "secret" not in str(refused(HRESULT.E_INVALIDARG, call, *args))
    assert find_server(profile, URL) is None
    assert ServerCredentials(profile).find(URL) is None


@pytest.mark.parametrize("long", ["x" * 64_001, "a\0b"])
def test_a_text_that_is_too_long_or_holds_a_nul_is_refused(long: str) -> None:
    made, code = helper(), HRESULT.WIN32_ARITHMETIC_OVERFLOW
    for url, user, password in ((long, "a", "b"), (URL, long, "b"), (URL, "a", long)):
        refused(code, made.AddPolicyServer, url, "", 0, USERNAME, user, password)
        refused(code, made.AddEnrollmentServer, url, USERNAME, user, password)
    refused(code, made.Enroll, long, "User", BINARY, 0)
    refused(code, made.Enroll, URL, long, BINARY, 0)


@pytest.mark.parametrize("nothing", ["", None, "  "])
def test_a_url_and_a_template_are_needed(nothing: str | None) -> None:
    made = helper()
    refused(HRESULT.E_INVALIDARG, made.AddPolicyServer, nothing, "", 0, ANONYMOUS, None, None)
    refused(HRESULT.E_INVALIDARG, made.AddEnrollmentServer, nothing, ANONYMOUS, None, None)
    refused(HRESULT.E_INVALIDARG, made.Enroll, nothing, "User", BINARY, 0)
    refused(HRESULT.E_INVALIDARG, made.Enroll, URL, nothing, BINARY, 0)


def test_a_blank_helper_says_so_and_is_initialized_once() -> None:
    blank = IX509EnrollmentHelper()
    refused(HRESULT.OLE_E_BLANK, blank.AddPolicyServer, URL, "", 0, ANONYMOUS, None, None)
    refused(HRESULT.OLE_E_BLANK, blank.AddEnrollmentServer, URL, ANONYMOUS, None, None)
    refused(HRESULT.OLE_E_BLANK, blank.Enroll, URL, "User", BINARY, 0)
    refused(HRESULT.E_INVALIDARG, blank.Initialize, X509CertificateEnrollmentContext.ContextNone)
    blank.Initialize(USER)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, blank.Initialize, USER)


def test_the_machine_keeps_its_own_servers(profile: Path) -> None:
    helper(X509CertificateEnrollmentContext.ContextAdministratorForceMachine).AddEnrollmentServer(URL, ANONYMOUS, None, None)
    assert ServerCredentials(profile).find(URL) is None
    assert ServerCredentials(profile / "machine").find(URL) is not None


def test_enroll_gives_the_certificate_and_installs_nothing() -> None:
    profiles.make_ca()
    der = ready_helper().Enroll("ldap:", "user", BINARY, 0)
    assert isinstance(der, bytes)
    assert x509.load_der_x509_certificate(der).issuer.rfc4514_string().startswith("CN=Test CA")
    workspace = open_workspace()
    assert workspace.certificates.count("MY") == 0
    assert [(one.state, one.answer) for one in workspace.requests.list()] == [(State.PENDING, None)]


def test_what_enroll_gave_is_installed_by_install_response() -> None:
    profiles.make_ca()
    text = ready_helper().Enroll("ldap:", "User", EncodingType.XCN_CRYPT_STRING_BASE64HEADER, 0)
    enrollment = IX509Enrollment()
    enrollment.Initialize(USER)
    enrollment.InstallResponse(
        InstallResponseRestrictionFlags.AllowUntrustedRoot, text, EncodingType.XCN_CRYPT_STRING_BASE64HEADER, ""
    )
    workspace = open_workspace()
    assert [one.state for one in workspace.requests.list()] == [State.INSTALLED]
    assert (workspace.certificates.count("MY"), workspace.certificates.count("REQUEST")) == (1, 0)


def test_the_key_has_the_size_that_the_template_wants() -> None:
    profiles.make_ca()
    der = ready_helper().Enroll("ldap:", "User", BINARY, 1)
    assert isinstance(der, bytes)
    assert getattr(x509.load_der_x509_certificate(der).public_key(), "key_size", 0) >= 2048


def test_without_a_registered_server_or_its_credential_enroll_fails(profile: Path) -> None:
    profiles.make_ca()
    refused(HRESULT.E_ACCESSDENIED, helper().Enroll, "ldap:", "User", BINARY, 1)
    made = helper()
    made.AddPolicyServer("ldap:", "", 0, USERNAME, "alice", "secret")
    (profile / "server-credentials.json").unlink()
    refused(HRESULT.E_ACCESSDENIED, made.Enroll, "ldap:", "User", BINARY, 1)


def test_a_template_that_the_policy_has_not_is_refused_before_a_key_is_made() -> None:
    profiles.make_ca()
    error = refused(HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE, ready_helper().Enroll, "ldap:", "Nothing", BINARY, 0)
    assert "User" in error.detail
    assert profiles.keys()["software"] == []


def test_a_request_that_the_ca_holds_stays() -> None:
    authority = profiles.make_ca(Mode.HOLD)
    error = refused(HRESULT.E_PENDING, ready_helper().Enroll, "ldap:", "User", BINARY, 0)
    assert authority.config in error.detail
    (held,) = open_workspace().requests.list()
    assert (held.state, held.ca_config, bool(held.ca_request_id)) == (State.PENDING, authority.config, True)
    assert len(profiles.keys()["software"]) == 1


def test_a_request_that_the_ca_denies_leaves_no_key() -> None:
    profiles.make_ca(Mode.DENY)
    with pytest.raises(ComError):
        ready_helper().Enroll("ldap:", "User", BINARY, 0)
    assert profiles.keys()["software"] == []
    assert open_workspace().certificates.count("REQUEST") == 0


def test_a_ca_that_is_not_there_leaves_no_request_and_no_key(profile: Path) -> None:
    profiles.make_ca()
    (profile / "policies").mkdir()
    (profile / "policies" / "corp.xml").write_bytes(encode_policy(directory_policy([profile / "ca"])))
    shutil.rmtree(profile / "ca")
    made = helper()
    made.AddPolicyServer("file:corp.xml", "", 0, ANONYMOUS, None, None)
    with pytest.raises(ComError):
        made.Enroll("file:corp.xml", "User", BINARY, 0)
    assert (profiles.keys()["software"], open_workspace().requests.list()) == ([], [])
