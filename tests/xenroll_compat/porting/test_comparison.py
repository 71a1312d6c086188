"""Requests compared: what they ask for differs by field; keys and what is random do not count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll.errors import ComError
from tests.xenroll_compat.porting.recorded import control
from xenroll_compat import Dispatch
from xenroll_compat.cli.main import main
from xenroll_compat.porting.comparison import Difference, compare, compare_all, fields_of

BINARY = 2


def pkcs10(change: Any = None, name: str = "CN=x", usage: str = "") -> bytes:
    """A request by the control, which ``change`` sets up."""
    enroll = control()
    if change is not None:
        change(enroll)
    return decoded(enroll.createPKCS10(name, usage))


def decoded(text: str) -> bytes:
    converter = Dispatch("X509Enrollment.CBinaryConverter")
    found: bytes = converter.StringToVariantByteArray(text, 7)
    return bytes(found)


def cmc(pair: str) -> bytes:
    request = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    inner = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    inner.Initialize(1)
    request.InitializeFromInnerRequest(inner)
    value = Dispatch("X509Enrollment.CX509NameValuePair")
    value.Initialize("RequesterNote", pair)
    request.NameValuePairs.Add(value)
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    made: bytes = enrollment.CreateRequest(BINARY)
    return made


def self_signed(name: str) -> bytes:
    request = Dispatch("X509Enrollment.CX509CertificateRequestCertificate")
    request.Initialize(1)
    subject = Dispatch("X509Enrollment.CX500DistinguishedName")
    subject.Encode(name)
    request.Subject = subject
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    made: bytes = enrollment.CreateRequest(BINARY)
    return made


def test_two_requests_of_one_script_are_equal() -> None:
    assert compare(pkcs10(), pkcs10()) == ()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda enroll: setattr(enroll, "GenKeyFlags", 1024 << 16), "key"),
        (lambda enroll: setattr(enroll, "HashAlgorithm", "SHA512"), "signature algorithm"),
        (lambda enroll: setattr(enroll, "KeySpec", 1), "extension 2.5.29.15"),
        (lambda enroll: setattr(enroll, "ClientId", 5), "attribute 1.3.6.1.4.1.311.21.20"),
        (lambda enroll: enroll.addExtensionToRequest(0, "1.2.3.4", "BAA="), "extension 1.2.3.4"),
        (lambda enroll: enroll.addNameValuePairToRequest(0, "a", "b"), "attribute 1.3.6.1.4.1.311.13.2.1"),
        (lambda enroll: setattr(enroll, "IncludeSubjectKeyID", False), "extension 2.5.29.14"),
    ],
)
def test_the_field_that_differs_is_named(change: Any, field: str) -> None:
    assert field in [one.field for one in compare(pkcs10(), pkcs10(change))]


def test_a_subject_counts_octet_by_octet() -> None:
    def printable(enroll: Any) -> None:
        enroll.EnableT61DNEncoding = True

    name = "CN=Ex\u00e4mple"
    assert [one.field for one in compare(pkcs10(name=name), pkcs10(printable, name))] == ["subject"]


def test_a_criticality_counts() -> None:
    first = pkcs10(lambda enroll: enroll.addExtensionToRequest(0, "1.2.3.4", "BAA="))
    second = pkcs10(lambda enroll: enroll.addExtensionToRequest(1, "1.2.3.4", "BAA="))
    assert compare(first, second) == (Difference("extension 1.2.3.4", "0400", "critical 0400"),)


def test_cmc_requests_are_compared_but_for_nonces_and_transactions() -> None:
    assert compare(cmc("one"), cmc("one")) == ()
    assert [one.field for one in compare(cmc("one"), cmc("two"))] == ["control 1.3.6.1.5.5.7.7.18"]


def test_requests_that_are_certificates_are_compared() -> None:
    assert compare(self_signed("CN=x"), self_signed("CN=x")) == ()
    assert [one.field for one in compare(self_signed("CN=x"), self_signed("CN=y"))] == ["subject", "issuer"]


def test_formats_differ_first() -> None:
    assert compare(pkcs10(), cmc("x"))[0] == Difference("format", "PKCS #10", "CMC")


@pytest.mark.parametrize("length", [0, 1, 5, 40, 200])
def test_what_is_no_request_is_compared_octet_by_octet(length: int) -> None:
    cut = pkcs10()[:length]
    assert compare(cut, cut) == ()
    assert fields_of(cut) == {"octets": cut.hex()}


def test_a_missing_request_is_a_difference() -> None:
    assert compare_all((pkcs10(),), ()) == (Difference("requests", "1", "0"),)


def test_a_challenge_password_is_not_shown() -> None:
    def request(password: str) -> bytes:
        made = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
        made.Initialize(1)
        try:
            made.ChallengePassword = password
        except ComError:
            pytest.fail("the request takes no challenge password")
        enrollment = Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.InitializeFromRequest(made)
        found: bytes = enrollment.CreateRequest(BINARY)
        return found

    told = fields_of(request("hunter2-secret"))
    assert b"hunter2".hex() not in "".join(told.values())


@pytest.fixture
def signers() -> dict[str, str]:
    """Two certificates of one CA in the user's store, as base64."""
    assert main(["ca", "init", "Example CA"]) == 0
    ca = Dispatch("CertificateAuthority.Request")
    found = {}
    for name in ("One", "Two"):
        enroll = control()
        ca.Submit(0x101, enroll.createPKCS10(f"CN=Agent {name}", "1.3.6.1.4.1.311.20.2.1"), "", "")
        enroll.acceptPKCS7(ca.GetCertificate(0x101))
        found[name] = enroll.getCertFromPKCS7(ca.GetCertificate(0x101))
    return found


@pytest.mark.parametrize("form", [2, 3])
def test_another_signer_of_the_same_ca_is_a_difference(form: int, signers: dict[str, str]) -> None:
    def request(name: str) -> bytes:
        enroll = control()
        enroll.SignerCertificate = signers[name]
        return decoded(enroll.createRequest(form, "CN=Alice", ""))

    assert compare(request("One"), request("One")) == ()
    found = compare(request("One"), request("Two"))  # the first signer of a CMC request is its own key
    assert [one.field for one in found] == ["certificates", "signer" if form == 2 else "signer (2)"]
    assert "Agent One" in found[1].first
    assert "Agent Two" in found[1].second


def test_whom_an_archived_key_is_for_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def request(ca: str) -> bytes:
        monkeypatch.setenv("XENROLL_HOME", str(tmp_path / ca))
        if not (tmp_path / ca).exists():
            assert main(["ca", "init", ca]) == 0
        config = Dispatch("CertificateAuthority.Config").GetConfig(0)
        enroll = control()
        enroll.PrivateKeyArchiveCertificate = Dispatch("CertificateAuthority.Request").GetCAProperty(config, 15, 0, 3, 1)
        return decoded(enroll.createRequest(3, "CN=Alice", ""))

    one, same, other = request("One"), request("One"), request("Other")
    assert compare(one, same) == ()
    assert [each.field for each in compare(one, other)] == ["unsigned attribute 1.3.6.1.4.1.311.21.13"]
