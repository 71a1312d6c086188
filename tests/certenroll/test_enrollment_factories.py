"""The factories of web pages: what they create, and what an enrollment object of theirs refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from certenroll import registry
from certenroll.engine.opening import open_workspace
from certenroll.enrollment_factories import (
    WEB_CLASSES,
    IX509EnrollmentWebClassFactory,
    IX509MachineEnrollmentFactory,
)
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.support import profiles
from tests.support.ca import sign_by_hand

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
HELPER = "X509Enrollment.CX509EnrollmentHelper"
USER = X509CertificateEnrollmentContext.ContextUser


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("XENROLL_KEY_LOCATION", raising=False)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for context in (USER, X509CertificateEnrollmentContext.ContextMachine):
        open_workspace(context).profile.database.close()


def refused(code: int, call: Callable[..., Any], *args: Any) -> ComError:
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code), caught.value
    return caught.value


def web(coclass: str) -> Any:
    return IX509EnrollmentWebClassFactory().CreateObject(f"X509Enrollment.{coclass}")


@pytest.mark.parametrize("coclass", sorted(WEB_CLASSES & set(registry.COCLASSES)))
def test_a_web_page_has_each_class_of_microsofts_table(coclass: str) -> None:
    assert type(web(coclass)) is registry.public_class(coclass)
    assert type(web(f"{coclass}.1".lower())) is registry.public_class(coclass)


@pytest.mark.parametrize(
    "prog_id",
    [
        "X509Enrollment.CX509PublicKey",
        "X509Enrollment.CX509MachineEnrollmentFactory",
        "X509Enrollment.CX509EnrollmentWebClassFactory",
        "X509Enrollment.CBinaryConverter",
        "X509Enrollment.CCertPropertyArchived",
        "CertificateAuthority.Request",
        "WScript.Shell",
        "",
    ],
)
def test_a_web_page_has_no_other_class(prog_id: str) -> None:
    refused(HRESULT.E_NOINTERFACE, IX509EnrollmentWebClassFactory().CreateObject, prog_id)


def test_the_helper_of_a_web_page_is_initialized_for_the_user() -> None:
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, web("CX509EnrollmentHelper").Initialize, USER)


@pytest.mark.parametrize("restrictions", [1, 2, 3, 5, 6, 7])
def test_a_web_page_cannot_install_without_request_or_trust(restrictions: int) -> None:
    enrollment = web("CX509Enrollment")
    enrollment.Initialize(USER)
    refused(HRESULT.E_ACCESSDENIED, enrollment.InstallResponse, restrictions, "AAAA", BASE64, "")


@pytest.mark.parametrize("restrictions", [0, 4])
def test_a_web_page_enrolls_and_installs_with_what_it_may(restrictions: int) -> None:
    authority = profiles.make_ca()
    key = web("CX509PrivateKey")
    key.Length = 2048
    request = web("CX509CertificateRequestPkcs10")
    request.InitializeFromPrivateKey(USER, key, "")
    name = web("CX500DistinguishedName")
    name.Encode("CN=web", 0)
    request.Subject = name
    enrollment = web("CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    response = sign_by_hand(authority, enrollment.CreateRequest(BINARY))
    enrollment.InstallResponse(restrictions, response, BINARY, "")
    assert open_workspace().certificates.count("MY") == 1


def test_an_enrollment_object_of_a_script_is_not_restricted() -> None:
    enrollment: Any = registry.create("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(USER)
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(3, "AAAA", BASE64, "")
    assert caught.value.hresult != signed(HRESULT.E_ACCESSDENIED)


def test_a_script_cannot_lift_the_restriction() -> None:
    enrollment = web("CX509Enrollment")
    assert "webrestricted" not in [name.lower().replace("_", "") for name in dir(enrollment)]
    assert enrollment.web_restricted


def test_the_machine_factory_gives_a_helper_for_the_machine(profile: Path) -> None:
    helper = IX509MachineEnrollmentFactory().CreateObject(HELPER)
    helper.AddEnrollmentServer("https://ces.test", 1, None, None)
    assert (profile / "machine" / "server-credentials.json").exists()
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, helper.Initialize, USER)


@pytest.mark.parametrize(
    ("prog_id", "code"),
    [
        ("", HRESULT.E_INVALIDARG),
        (None, HRESULT.E_INVALIDARG),
        ("X509Enrollment.CX509Enrollment", HRESULT.E_NOINTERFACE),
        ("nothing", HRESULT.E_NOINTERFACE),
        ("x" * 64_001, HRESULT.WIN32_ARITHMETIC_OVERFLOW),
        (HELPER + "\0", HRESULT.WIN32_ARITHMETIC_OVERFLOW),
    ],
)
def test_the_machine_factory_gives_nothing_else(prog_id: str | None, code: int) -> None:
    refused(code, IX509MachineEnrollmentFactory().CreateObject, prog_id)
