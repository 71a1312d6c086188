"""The ports for Windows where certenroll does more than CertEnroll: bytes, installs without a request, properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.xenroll_compat.porting.recorded import control, port_of
from tests.xenroll_compat.porting.replayed import calls_of, run_vbscript
from tests.xenroll_compat.porting.syntax import faults, tree_of
from xenroll_compat import Dispatch
from xenroll_compat.cli.main import main
from xenroll_compat.porting import powershell, vbscript
from xenroll_compat.porting.model import Comment
from xenroll_compat.porting.windows import for_windows

BINARY, BASE64, HEXRAW = 2, 1, 12


@pytest.fixture
def ca() -> Any:
    """A CA, and the object that asks it."""
    assert main(["ca", "init", "Example CA"]) == 0
    return Dispatch("CertificateAuthority.Request")


def converted(value: Any, member: str, *encodings: int) -> str:
    """The VBScript port of a call of the converter, whose result goes on."""

    def script() -> None:
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.Description = getattr(Dispatch("X509Enrollment.CBinaryConverter"), member)(value, *encodings)

    return vbscript.render(port_of(script))


def test_a_text_that_stands_for_bytes_keeps_its_encoding() -> None:
    text = converted("ABABABAB", "StringToString", BINARY, BASE64)
    assert 'StringToString("ABABABAB", XCN_CRYPT_STRING_BINARY, XCN_CRYPT_STRING_BASE64)' in text


def test_bytes_are_base64_and_so_is_their_encoding_alone() -> None:
    text = converted(b"ABABABAB", "StringToString", BINARY, HEXRAW)
    assert 'StringToString("QUJBQkFCQUI=", XCN_CRYPT_STRING_BASE64, XCN_CRYPT_STRING_HEXRAW)' in text


def test_an_array_is_given_as_the_text_that_it_is_made_of() -> None:
    text = converted(b"ABABABAB", "VariantByteArrayToString", HEXRAW)
    assert 'StringToString("QUJBQkFCQUI=", XCN_CRYPT_STRING_BASE64, XCN_CRYPT_STRING_HEXRAW)' in text


def test_a_text_that_goes_to_a_ca_as_it_is_keeps_its_flags(ca: Any) -> None:
    def script() -> None:
        text = control().createPKCS10("CN=x", "")
        ca.Submit(0x101, text, "", "")
        ca.GetCAProperty("", 15, 0, 3, 2)

    port = vbscript.render(port_of(script))
    assert "certRequest.Submit 257, requestText" in port


def install(ca: Any, member: str, flags: int = BASE64) -> None:
    ca.Submit(0x101, control().createPKCS10("CN=x", ""), "", "")
    getattr(control(), member)(ca.GetCertificate(0x100 | flags))


@pytest.mark.parametrize("member", ["InstallPKCS7", "InstallPKCS7Ex"])
@pytest.mark.parametrize("flags", [BASE64, BINARY])
def test_certificates_without_a_request_are_installed_as_an_answer(
    member: str, flags: int, ca: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(lambda: install(ca, member, flags))
    text = vbscript.render(port)
    assert "(AllowUntrustedRoot Or AllowNoOutstandingRequest), certificate, XCN_CRYPT_STRING_BASE64" in text
    assert "' Nearest on Windows: an answer without a request." in text
    assert faults(tree_of(powershell.render(port))) == []
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "another"))
    assert main(["ca", "init", "Another CA"]) == 0
    made, _ = run_vbscript(text, tmp_path)
    assert made == calls_of(port)


def test_certificates_in_an_array_are_installed_from_its_text(ca: Any) -> None:
    def script() -> None:
        text = ca.GetCACertificate(0, "", BASE64)
        control().InstallPKCS7(Dispatch("X509Enrollment.CBinaryConverter").StringToVariantByteArray(text, BASE64))

    assert "Or AllowNoOutstandingRequest), caCertificate, XCN_CRYPT_STRING_BASE64, " in vbscript.render(port_of(script))


def accept_with(ca: Any, *properties: tuple[int, str]) -> None:
    enroll = control()
    for number, value in properties:
        enroll.addBlobPropertyToCertificate(number, 0, value)
    ca.Submit(0x101, enroll.createPKCS10("CN=x", ""), "", "")
    enroll.acceptPKCS7(ca.GetCertificate(0x101))


def test_a_property_is_put_on_the_certificate_after_its_install(
    ca: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = port_of(lambda: accept_with(ca, (0x9000, "BAUG"), (64, "00" * 20), (11, "Friend")))
    text = vbscript.render(port)
    lines = [line for line in text.splitlines() if line.startswith("certProperty") and " = " not in line]
    assert lines == [
        'certProperty.InitializeDecode XCN_CRYPT_STRING_BASE64, "BAUG"',
        "certProperty.SetValueOnCertificate False, XCN_CRYPT_STRING_BASE64, certificateOfProperties",
        'certProperty2.InitializeDecode XCN_CRYPT_STRING_BASE64, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="',
        "certProperty2.SetValueOnCertificate False, XCN_CRYPT_STRING_BASE64, certificateOfProperties",
    ]
    assert "certProperty.PropertyId = 36864" in text
    assert 'Set certProperty2 = CreateObject("X509Enrollment.CCertPropertyRenewal")' in text
    assert "clears REQUEST" not in text
    assert faults(tree_of(powershell.render(port))) == []
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "another"))
    assert main(["ca", "init", "Another CA"]) == 0
    made, _ = run_vbscript(text, tmp_path)
    assert made == calls_of(port)


def test_a_property_of_a_request_without_an_answer_says_when_it_is_put() -> None:
    def script() -> None:
        enroll = control()
        enroll.addBlobPropertyToCertificate(0x9000, 0, "BAUG")
        enroll.createPKCS10("CN=x", "")

    told = [step.text for step in for_windows(port_of(script)).steps if isinstance(step, Comment)]
    assert "Property 36864 is put on the certificate with ICertProperty.SetValueOnCertificate, after InstallResponse" in told


def test_an_answer_that_is_asked_for_twice_is_installed_once(ca: Any) -> None:
    def script() -> None:
        enroll = control()
        enroll.DeleteRequestCert = False
        ca.Submit(0x101, enroll.createPKCS10("CN=x", ""), "", "")
        for flags in (0x101, 0x100):
            enroll.acceptPKCS7(ca.GetCertificate(flags))

    steps = for_windows(port_of(script)).steps
    assert sum(getattr(step, "member", "") == "InstallResponse" for step in steps) == 1
    assert any(isinstance(step, Comment) and "the same answer a second time" in step.text for step in steps)


def test_an_answer_that_another_object_asks_for_by_its_number_is_installed_once(ca: Any) -> None:
    def script() -> None:
        enroll, later = control(), Dispatch("CertificateAuthority.Request")
        enroll.DeleteRequestCert = False
        ca.Submit(0x101, enroll.createPKCS10("CN=x", ""), "", "")
        enroll.acceptPKCS7(ca.GetCertificate(0x101))
        later.RetrievePending(ca.GetRequestId(), "")
        enroll.acceptPKCS7(later.GetCertificate(0x100))

    assert sum(call.member == "InstallResponse" for call in for_windows(port_of(script)).calls()) == 1


def test_the_answers_of_two_requests_are_both_installed(ca: Any) -> None:
    def script() -> None:
        for _ in range(2):
            accept_with(ca)

    assert sum(call.member == "InstallResponse" for call in for_windows(port_of(script)).calls()) == 2


def test_a_port_for_windows_asks_another_ca_by_its_own_numbers(
    ca: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def script() -> None:
        enroll = control()
        ca.Submit(0x101, enroll.createPKCS10("CN=x", ""), "", "")
        later = Dispatch("CertificateAuthority.Request")
        later.RetrievePending(ca.GetRequestId(), "")
        enroll.acceptPKCS7(later.GetCertificate(0x101))

    for _ in range(3):
        ca.Submit(0x101, control().createPKCS10("CN=before", ""), "", "")
    port = port_of(script)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "another"))
    assert main(["ca", "init", "Another CA"]) == 0
    made, _ = run_vbscript(vbscript.render(port), tmp_path)
    assert made == calls_of(port)
    assert ("IX509Enrollment", "InstallResponse") in made
