"""The facade: pending requests, stores and keys as plain values, for those who write scripts on top of the object model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll import facade
from certenroll.ca.base import CAError
from certenroll.ca.templates import Mode
from certenroll.engine.workspace import Workspace
from certenroll.hresults import HRESULT
from keystores.base import Secret
from keystores.errors import KeyStoreError
from tests.stores.pki import make
from tests.support.enrolling import BINARY, bag, issue, new_enrollment, new_key, new_request, refused, requested
from tests.support.profiles import make_ca
from tests.support.requires import package

ROOT = make("root")
CA = make("ca", ROOT, ca=True)
NOT_FOUND = HRESULT.CRYPT_E_NOT_FOUND
EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY


@pytest.fixture
def trusting(workspace: Workspace) -> Workspace:
    """A profile that trusts ROOT."""
    workspace.certificates.add("ROOT", ROOT.der)
    return workspace


def installed(**properties: Any) -> Any:
    enrollment = new_enrollment(new_request(key=new_key(**properties)))
    enrollment.CreateRequest()
    enrollment.InstallResponse(0, bag(issue(enrollment.Request.spki_bytes(), CA), CA), BINARY)
    return enrollment


def test_a_pending_request_is_told_in_full(home: Path) -> None:
    enrollment = new_enrollment(new_request("CN=alice, O=Example", template="User"))
    enrollment.CertificateFriendlyName = "mine"
    assert facade.request_thumbprint(enrollment) == ""
    assert facade.key_of_request(enrollment) is None
    enrollment.CreateRequest()
    (found,) = facade.pending_requests()
    assert (found.state, found.subject) == ("made", "CN=alice, O=Example")
    assert (found.template, found.friendly_name) == ("User", "mine")
    assert found.thumbprint == facade.request_thumbprint(enrollment)
    assert found.key == facade.key_of_request(enrollment)
    assert found.key.container == enrollment.Request.PrivateKey.ContainerName


def test_pending_requests_come_oldest_first(home: Path) -> None:
    made = [requested()[0] for _ in range(3)]
    assert [one.thumbprint for one in facade.pending_requests()] == [facade.request_thumbprint(one) for one in made]


@pytest.mark.parametrize("part", [slice(None), slice(8)], ids=["whole", "eight digits"])
def test_a_pending_request_is_found_by_its_thumbprint(home: Path, part: slice) -> None:
    thumbprint = facade.request_thumbprint(requested()[0])
    assert facade.find_pending(thumbprint[part].lower()).thumbprint == thumbprint
    assert facade.find_pending("1").thumbprint == thumbprint


@pytest.mark.parametrize("identifier", ["7", "0" * 40, "x", ""])
def test_a_pending_request_that_is_not_there_is_not_found(home: Path, identifier: str) -> None:
    requested()
    assert refused(facade.find_pending, identifier) == NOT_FOUND


def test_what_a_script_sent_by_itself_is_noted(home: Path) -> None:
    thumbprint = facade.request_thumbprint(requested()[0])
    facade.set_pending_info(thumbprint, "42", "ca.test\\CA", "by hand")
    found = facade.find_pending("42")
    assert (found.state, found.friendly_name) == ("pending", "by hand")
    assert (found.ca_config, found.ca_request_id) == ("ca.test\\CA", "42")
    assert refused(facade.set_pending_info, "00" * 20, "1", "x\\y", "") == NOT_FOUND
    assert refused(facade.set_pending_info, "no thumbprint", "1", "x\\y", "") == HRESULT.E_INVALIDARG


def test_a_withdrawn_request_takes_its_new_key_along(home: Path) -> None:
    facade.remove_pending(facade.request_thumbprint(requested()[0]))
    assert facade.pending_requests() == []
    assert facade.certificates("REQUEST") == []
    assert facade.containers("software") == []


def test_a_withdrawn_request_leaves_a_key_that_was_there(home: Path) -> None:
    new_key(ContainerName="mine").Create()
    enrollment = new_enrollment(new_request(key=new_key(ContainerName="mine", Existing=True)))
    enrollment.CreateRequest()
    facade.remove_pending(facade.request_thumbprint(enrollment))
    assert facade.containers("software") == ["mine"]


def test_retrieving_goes_through_the_states(home: Path) -> None:
    authority = make_ca(Mode.HOLD)
    enrollment = new_enrollment(new_request())
    enrollment.CreateRequest()
    assert refused(facade.retrieve_pending, "1") == EMPTY
    enrollment.Enroll()
    waiting, nothing = facade.retrieve_pending("1")
    assert (waiting.state, nothing) == ("pending", None)
    authority.issue("1")
    done, installation = facade.retrieve_pending("1")
    assert done.state == "installed"
    assert installation is not None
    assert [one.der for one in facade.certificates("MY")] == [installation.certificate]
    assert refused(facade.retrieve_pending, "1") == NOT_FOUND


def test_a_request_that_is_denied_later_ends_when_it_is_asked_for(home: Path) -> None:
    authority = make_ca(Mode.HOLD)
    new_enrollment(new_request()).Enroll()
    authority.deny("1")
    ended, nothing = facade.retrieve_pending("1")
    assert (ended.state, nothing) == ("denied", None)
    assert facade.containers("software") == []


def test_names_of_stores_can_be_chosen(trusting: Workspace) -> None:
    enrollment = new_enrollment(new_request())
    facade.configure(enrollment, my_store="Web", ca_store="Above", request_store="Asked", keep_request=True)
    enrollment.CreateRequest()
    assert len(facade.certificates("Asked")) == 1
    enrollment.InstallResponse(0, bag(issue(enrollment.Request.spki_bytes(), CA), CA), BINARY)
    assert {name: len(facade.certificates(name)) for name in ("Web", "Above", "Asked", "MY", "CA")} == {
        "Web": 1, "Above": 1, "Asked": 1, "MY": 0, "CA": 0,
    }
    assert {"Web", "Above", "Asked"} <= set(facade.store_names())


def test_what_an_install_did_is_told(trusting: Workspace) -> None:
    assert refused(facade.installation_of, new_enrollment()) == EMPTY
    found = facade.installation_of(installed())
    assert (found.added, len(found.chain), found.verdict.outcome.value) == (2, 3, "trusted")
    assert found.key is not None
    assert found.key.store == "software"


def test_a_certificate_is_found_by_its_thumbprint(trusting: Workspace) -> None:
    installed()
    (entry,) = facade.certificates("MY")
    assert (entry.subject, entry.issuer) == ("CN=leaf", "CN=ca")
    for text in (entry.thumbprint, entry.thumbprint.lower(), entry.thumbprint[:8], " ".join(entry.thumbprint)):
        assert facade.find_certificate("my", text) == entry
    for text in ("", entry.thumbprint[:7], "00" * 20, "no thumbprint"):
        assert refused(facade.find_certificate, "MY", text) == NOT_FOUND
    assert facade.chain_of(entry) == (entry.der, CA.der, ROOT.der)


@pytest.mark.parametrize(("with_key", "left"), [(False, 1), (True, 0)])
def test_a_certificate_goes_with_its_key_or_without(trusting: Workspace, with_key: bool, left: int) -> None:
    installed()
    (entry,) = facade.certificates("MY")
    facade.delete_certificate("MY", entry.thumbprint, with_key=with_key)
    assert facade.certificates("MY") == []
    assert len(facade.containers("software")) == left


def test_a_key_that_nothing_needs_is_an_orphan(trusting: Workspace) -> None:
    installed(ContainerName="used")
    new_key(ContainerName="unused").Create()
    requested()
    software = next(one for one in facade.key_reports() if one.store == "software")
    assert [one.info.container for one in software.keys if one.orphan] == ["unused"]
    assert len(software.keys) == 3


def test_a_store_that_is_not_there_says_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package("pkcs11", "smartcard")
    monkeypatch.setenv("XENROLL_PKCS11_MODULE", str(home / "no-library.so"))
    problems = {report.store: report.problem for report in facade.key_reports()}
    assert "no-library.so" in problems["smartcard"]
    assert problems["software"] == ""


def test_a_key_is_deleted_once(home: Path) -> None:
    new_key(ContainerName="web").Create()
    facade.delete_key("software", "web")
    with pytest.raises(KeyStoreError) as caught:
        facade.delete_key("software", "web")
    assert caught.value.hresult == HRESULT.NTE_BAD_KEYSET


def test_a_certificate_is_added_once(home: Path) -> None:
    assert facade.add_certificate("TRUST", ROOT.der, {11: b"n\0\0\0"})
    assert not facade.add_certificate("Trust", ROOT.der)
    assert [one.friendly_name for one in facade.certificates("TRUST")] == ["n"]


def test_a_pfx_of_an_installed_certificate_needs_a_key_that_may_leave(trusting: Workspace) -> None:
    installed(ExportPolicy=1)
    (entry,) = facade.certificates("MY")
    assert facade.export_pfx("MY", entry.thumbprint, Secret("x"), chain=True)[:1] == b"\x30"
    (above,) = facade.certificates("CA")
    assert refused(facade.export_pfx, "CA", above.thumbprint, Secret("x")) == HRESULT.CRYPT_E_NO_KEY_PROPERTY


def test_the_ca_of_an_enrollment_can_be_named(home: Path) -> None:
    authority = make_ca()
    assert facade.check_ca() == facade.check_ca("CA.TEST\\test ca") == authority.config
    with pytest.raises(CAError) as caught:
        facade.check_ca("nobody\\CA")
    assert caught.value.hresult == HRESULT.RPC_SERVER_UNAVAILABLE
    enrollment = new_enrollment(new_request())
    facade.choose_ca(enrollment, "nobody\\CA")
    assert refused(enrollment.Enroll) == HRESULT.RPC_SERVER_UNAVAILABLE
    facade.choose_ca(enrollment, authority.config)
    enrollment.Enroll()
    assert enrollment.CAConfigString == authority.config
