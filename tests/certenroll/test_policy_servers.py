"""IX509EnrollmentPolicyServer over the local CA, policy documents and imports."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch
from certenroll.ca.policies.documents import PolicyDocument, decode_policy, encode_policy
from certenroll.ca.policies.fields import ObjectIdentifier
from certenroll.ca.policies.local_templates import add_template, directory_policy
from certenroll.ca.policies.template_facts import AuthorityFacts, AuthorityUri, TemplateFacts
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.templates import template_from
from tests.support.profiles import make_ca

KERBEROS, USERNAME, CERTIFICATE = 2, 4, 8
DEFAULT, CACHE_ONLY, RELOAD, WATCH = 0, 1, 2, 4
TEMPLATES, OIDS, CAS = 1, 2, 4
USER, MACHINE = 1, 2
NAME = 1  # TemplatePropCommonName and CAPropCommonName
NOON = datetime(2024, 3, 1, 12, 0, tzinfo=UTC)
HTTPS = "https://cep.test/ADPolicyProvider_CEP_Kerberos/service.svc/CEP"
POLICY = PolicyDocument(
    policy_id="{C0}",
    friendly_name="Contoso",
    next_update_hours=24,
    templates=(TemplateFacts("A", oid="1.2.3.1", authorities=(0,)), TemplateFacts("B", oid="1.2.3.2", authorities=(1,))),
    authorities=(
        AuthorityFacts(0, b"0\x00", (AuthorityUri("https://ces", 2),)),
        AuthorityFacts(1, b"0\x01\x00", (AuthorityUri("https://other", 2),)),
    ),
    oids=(ObjectIdentifier("1.2.3.9", 7, "Custom"),),
)


def refused(code: int, call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult & 0xFFFFFFFF == code
    return caught.value.detail


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(home: Path) -> Clock:
    made = Clock()
    workspace: Workspace = open_workspace()
    workspace.clock = made
    return made


@pytest.fixture
def corp(home: Path) -> Path:
    """policies/corp.xml of the profile."""
    path = home / "policies" / "corp.xml"
    path.parent.mkdir()
    path.write_bytes(encode_policy(POLICY))
    return path


def web(url: str = "file:corp.xml", policy_id: str = "", **values: Any) -> Any:
    made = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    made.Initialize(url, policy_id, KERBEROS, False, values.get("context", USER))
    return made


def directory(option: int = DEFAULT) -> Any:
    made = Dispatch("X509Enrollment.CX509EnrollmentPolicyActiveDirectory")
    made.Initialize("LDAP:", "", KERBEROS, True, USER)
    made.LoadPolicy(option)
    return made


def names(collection: Any) -> list[str]:
    return [one.Property(NAME) for one in collection]


def test_the_directory_has_the_templates_and_the_ca_of_the_profile(home: Path) -> None:
    ca = make_ca()
    server = directory()
    assert names(server.GetTemplates()) == [name for name, _ in ca.describe().templates]
    assert names(server.GetCAs()) == ["Test CA"]
    assert server.GetFriendlyName() == "Active Directory Enrollment Policy"
    assert server.GetPolicyServerId() == directory().GetPolicyServerId()
    assert names(server.GetCAsForTemplate(server.GetTemplates().ItemByName("User"))) == ["Test CA"]
    assert server.GetAllowUnTrustedCA() is True
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, server.GetCachePath)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, server.GetCacheDir)


def test_without_a_local_ca_there_is_no_directory(home: Path) -> None:
    refused(HRESULT.WIN32_INVALID_STATE, directory)


def test_a_document_of_the_profile_is_a_policy_server(corp: Path) -> None:
    server = web()
    server.LoadPolicy(DEFAULT)
    templates = server.GetTemplates()
    assert names(templates) == ["A", "B"]
    assert [one.authority_facts().reference for one in server.GetCAsForTemplate(templates(1))] == [1]
    assert server.GetCAsForTemplate(template_from(TemplateFacts("Unknown"))).Count == 0
    assert server.GetCAs().Count == 2
    assert (server.GetPolicyServerUrl(), server.GetPolicyServerId()) == ("file:corp.xml", "{C0}")
    assert (server.GetFriendlyName(), server.GetAuthFlags()) == ("Contoso", KERBEROS)


def test_a_document_is_found_by_its_whole_path_too(corp: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "with space.xml"
    corp.rename(elsewhere)
    server = web(f"file://{str(elsewhere).replace(' ', '%20')}")
    server.LoadPolicy(DEFAULT)
    assert server.GetTemplates().Count == 2


def test_an_https_server_is_the_document_with_its_policy_identifier(corp: Path) -> None:
    server = web(HTTPS, "{c0}")
    server.LoadPolicy(DEFAULT)
    assert names(server.GetTemplates()) == ["A", "B"]
    text = refused(HRESULT.RPC_SERVER_UNAVAILABLE, web(HTTPS, "{other}").LoadPolicy, DEFAULT)
    assert "policies" in text
    refused(HRESULT.RPC_SERVER_UNAVAILABLE, web("https://other.test").LoadPolicy, DEFAULT)
    kept = web(HTTPS)
    kept.LoadPolicy(DEFAULT)
    assert kept.GetPolicyServerId() == "{C0}"


def test_a_registered_server_lends_its_identifier_name_cost_and_flags(corp: Path) -> None:
    url = Dispatch("X509Enrollment.CX509PolicyServerUrl")
    url.Initialize(USER)
    url.Url, url.Default, url.Flags, url.Cost = HTTPS, True, 4, 5
    url.SetStringProperty(0, "{C0}")
    url.SetStringProperty(1, "Registered")
    url.UpdateRegistry(USER)
    server = web(HTTPS)
    assert (server.GetIsDefaultCEP(), server.GetUseClientId(), server.Cost) == (True, True, 5)
    assert server.GetFriendlyName() == "Registered"
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, server.GetPolicyServerId)
    server.LoadPolicy(DEFAULT)
    assert (server.GetFriendlyName(), server.GetPolicyServerId()) == ("Contoso", "{C0}")
    server.Cost = 1
    assert server.Cost == 1
    other = web("https://unknown.test")
    assert (other.GetIsDefaultCEP(), other.GetUseClientId(), other.Cost) == (False, False, 0)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, other.GetFriendlyName)


def test_another_identifier_than_the_policy_has_is_refused(corp: Path) -> None:
    server = web(policy_id="{other}")
    refused(HRESULT.WIN32_INVALID_DATA, server.LoadPolicy, DEFAULT)
    assert not Path(server.GetCachePath()).exists()


def test_what_was_read_is_kept_until_its_next_update(corp: Path, clock: Clock) -> None:
    web().LoadPolicy(DEFAULT)
    corp.write_bytes(encode_policy(replace(POLICY, templates=POLICY.templates[:1])))
    clock.now += timedelta(hours=23)
    server = web()
    server.LoadPolicy(DEFAULT)
    assert names(server.GetTemplates()) == ["A", "B"]
    assert (server.GetLastUpdateTime(), server.GetNextUpdateTime()) == (45352.5, 45353.5)
    clock.now += timedelta(hours=1)
    server.LoadPolicy(DEFAULT)
    assert names(server.GetTemplates()) == ["A"]
    assert server.GetLastUpdateTime() == 45353.5


def test_reload_and_validate_read_anew(corp: Path, clock: Clock) -> None:
    server = web()
    server.LoadPolicy(DEFAULT)
    corp.write_bytes(encode_policy(replace(POLICY, templates=POLICY.templates[:1])))
    server.LoadPolicy(RELOAD)
    assert names(server.GetTemplates()) == ["A"]
    corp.write_bytes(encode_policy(POLICY))
    server.Validate()
    assert names(server.GetTemplates()) == ["A", "B"]


def test_the_kept_file_is_a_policy_document_of_the_profile(corp: Path, home: Path) -> None:
    server = web()
    path = Path(server.GetCachePath())
    assert (str(path.parent), path.parent) == (server.GetCacheDir(), home / "policy-cache")
    server.LoadPolicy(DEFAULT)
    assert decode_policy(path.read_bytes()).policy_id == "{C0}"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", [b"", b"<a/>", b"\xff"])
def test_a_damaged_kept_file_is_read_anew(corp: Path, clock: Clock, damage: bytes) -> None:
    server = web()
    server.LoadPolicy(DEFAULT)
    path = Path(server.GetCachePath())
    path.write_bytes(damage)
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    server.LoadPolicy(DEFAULT)
    assert names(server.GetTemplates()) == ["A", "B"]


def test_a_policy_that_cannot_be_read_leaves_what_was_loaded(corp: Path) -> None:
    server = web()
    server.LoadPolicy(DEFAULT)
    corp.write_bytes(b"<!DOCTYPE x><x/>")
    assert str(corp) in refused(HRESULT.WIN32_INVALID_DATA, server.Validate)
    assert names(server.GetTemplates()) == ["A", "B"]
    corp.unlink()
    refused(HRESULT.WIN32_FILE_NOT_FOUND, server.Validate)


def test_only_the_directory_is_watched(corp: Path, home: Path) -> None:
    make_ca()
    server = directory(WATCH)
    server.GetTemplates()
    server.GetCAs()
    assert server.QueryChanges() is False
    add_template(home / "ca", TemplateFacts("Fresh"))
    assert server.QueryChanges() is True
    assert "Fresh" in names(server.GetTemplates())
    assert server.QueryChanges() is True  # the CA's own list of templates has changed as well
    server.GetCAs()
    assert server.QueryChanges() is False
    refused(HRESULT.WIN32_INVALID_STATE, directory().QueryChanges)
    refused(HRESULT.E_INVALIDARG, web().LoadPolicy, WATCH)


def test_the_option_that_microsoft_does_not_support_is_refused(corp: Path) -> None:
    refused(HRESULT.E_INVALIDARG, web().LoadPolicy, CACHE_ONLY)
    refused(HRESULT.E_INVALIDARG, web().LoadPolicy, 3)


def test_an_exported_policy_is_imported_elsewhere(home: Path) -> None:
    make_ca()
    made = directory().Export(TEMPLATES | OIDS | CAS)
    server = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    server.InitializeImport(made)
    expected = directory_policy([home / "ca"])
    assert [one.template_facts() for one in server.GetTemplates()] == list(expected.templates)
    assert names(server.GetCAs()) == ["Test CA"]
    assert server.GetPolicyServerId() == expected.policy_id
    for call in (server.GetPolicyServerUrl, server.GetCachePath, server.GetNextUpdateTime, server.GetLastUpdateTime):
        refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, call)
    refused(HRESULT.WIN32_INVALID_STATE, server.Validate)
    refused(HRESULT.WIN32_INVALID_STATE, server.LoadPolicy, DEFAULT)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, server.InitializeImport, made)


@pytest.mark.parametrize(
    ("flags", "templates", "authorities", "custom"),
    [(TEMPLATES, 2, 0, False), (OIDS, 0, 0, True), (TEMPLATES | OIDS, 2, 0, True), (TEMPLATES | CAS, 2, 2, False)],
)
def test_what_is_exported_is_what_was_asked_for(
    corp: Path, flags: int, templates: int, authorities: int, custom: bool
) -> None:
    server = web()
    server.LoadPolicy(DEFAULT)
    found = decode_policy(server.Export(flags))
    assert (len(found.templates), len(found.authorities)) == (templates, authorities)
    assert (POLICY.oids[0] in found.oids) is custom


def test_an_export_names_templates_or_identifiers_and_is_empty_before_loading(corp: Path) -> None:
    server = web()
    refused(HRESULT.WIN32_NOT_SUPPORTED, server.Export, 0)
    refused(HRESULT.WIN32_NOT_SUPPORTED, server.Export, CAS)
    assert decode_policy(server.Export(TEMPLATES)) == PolicyDocument()


@pytest.mark.parametrize("value", ["text", None, 7, [1, 2]])
def test_an_import_takes_bytes_alone(home: Path, value: object) -> None:
    server = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    refused(HRESULT.E_INVALIDARG, server.InitializeImport, value)
    refused(HRESULT.WIN32_INVALID_DATA, server.InitializeImport, b"\x00\x01")
    server.InitializeImport(encode_policy(POLICY))
    assert names(server.GetTemplates()) == ["A", "B"]


@pytest.mark.parametrize("url", ["", " ", "http://cep.test", "ftp://x", "corp.xml", "/etc/passwd"])
def test_a_url_of_another_kind_is_refused(home: Path, url: str) -> None:
    refused(HRESULT.E_INVALIDARG, web, url)


@pytest.mark.parametrize("url", ["file:", "file:../corp.xml", "file://host/x.xml", "file:a/../../x", "file:%00"])
def test_a_file_outside_the_folder_is_refused(corp: Path, url: str) -> None:
    refused(HRESULT.E_INVALIDARG, web(url).LoadPolicy, DEFAULT)


def test_a_server_is_initialized_once(corp: Path) -> None:
    server = web()
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, server.Initialize, "file:corp.xml", "", 2, False, USER)
    fresh = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    refused(HRESULT.E_INVALIDARG, fresh.Initialize, "file:corp.xml", "", 16, False, USER)
    refused(HRESULT.E_INVALIDARG, fresh.Initialize, "file:corp.xml", "", 2, False, 0)


def test_nothing_is_answered_before_initialize_and_no_template_before_loading(corp: Path) -> None:
    blank = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    calls = (
        "GetTemplates", "GetCAs", "Validate", "GetNextUpdateTime", "GetLastUpdateTime", "GetPolicyServerUrl",
        "GetPolicyServerId", "GetFriendlyName", "GetIsDefaultCEP", "GetUseClientId", "GetAllowUnTrustedCA", "GetCachePath",
        "GetCacheDir", "GetAuthFlags", "QueryChanges",
    )  # fmt: skip
    for name in calls:
        refused(HRESULT.OLE_E_BLANK, getattr(blank, name))
    refused(HRESULT.OLE_E_BLANK, blank.LoadPolicy, DEFAULT)
    refused(HRESULT.OLE_E_BLANK, blank.Export, TEMPLATES)
    refused(HRESULT.OLE_E_BLANK, blank.SetCredential, 0, 1, "", "")
    refused(HRESULT.OLE_E_BLANK, lambda: blank.Cost)
    refused(HRESULT.OLE_E_BLANK, web().GetTemplates)
    refused(HRESULT.OLE_E_BLANK, web().GetCAs)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, web().GetNextUpdateTime)


def test_custom_oids_are_not_implemented_as_microsoft_documents(corp: Path) -> None:
    refused(HRESULT.E_NOTIMPL, web().GetCustomOids)


@pytest.mark.parametrize(
    ("flag", "credential", "password", "fits"),
    [
        (1, "", "", True), (1, "alice", "", False), (2, "", "", True), (2, "", "secret", False),
        (4, "alice", "secret", True), (4, "", "secret", False), (8, "AB " * 20, "", True), (8, "AB", "", False),
        (8, "ab" * 20, "secret", False), (0, "", "", False), (5, "alice", "secret", False),
    ],
)  # fmt: skip
def test_a_credential_goes_with_its_kind(corp: Path, flag: int, credential: str, password: str, fits: bool) -> None:
    server = web()
    if fits:
        server.SetCredential(0, flag, credential, password)
        assert server.GetAuthFlags() == flag
    else:
        text = refused(HRESULT.E_INVALIDARG, server.SetCredential, 0, flag, credential, password)
        assert "secret" not in text
        assert server.GetAuthFlags() == KERBEROS
    assert "secret" not in repr(vars(server))


def test_the_computer_has_policies_of_its_own(home: Path, corp: Path) -> None:
    refused(HRESULT.WIN32_FILE_NOT_FOUND, web(context=MACHINE).LoadPolicy, DEFAULT)
