"""IX509CertificateRequestPkcs7: Microsoft's samples read, renewals and enrollment on behalf of others judged by others."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import pkcs7_requests
from certenroll.engine.submission import Enrollable
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509RequestInheritOptions
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, new_enrollment, new_key, new_request, refused
from tests.support.oracles import read_with_bouncy_castle
from tests.support.requires import program
from tests.support.shared import shared_path
from tests.support.wrapping import blank, device, installed_signer

BLANK, EMPTY, SEALED = HRESULT.OLE_E_BLANK, HRESULT.CERTSRV_E_PROPERTY_EMPTY, HRESULT.WIN32_ALREADY_INITIALIZED
SIZES = pytest.mark.parametrize("size", [{"Length": 2048}, {}], ids=["RSA", "P-256"])


def sample(which: str) -> bytes:
    return shared_path("vectors", "msdocs-requests", f"pkcs--7-{which}-encoded-asn-1.der").read_bytes()


def decoded(data: bytes) -> Any:
    made = blank("Pkcs7")
    made.InitializeDecode(data, BINARY)
    return made


def openssl_verifies(folder: Path, request: bytes) -> None:
    """`openssl cms -verify` accepts every signature, whoever the signers are."""
    path = folder / "request.der"
    path.write_bytes(request)
    command = [program("openssl"), "cms", "-verify", "-noverify", "-inform", "DER", "-in", str(path), "-out", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["software", "tpm", "smartcard"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[int]:
    """Each KeyLocation, with its device."""
    with device(request.param, monkeypatch) as found:
        yield found


# Microsoft's samples.


@pytest.mark.parametrize("which", ["renewal", "eobo"])
def test_a_sample_comes_back_octet_for_octet_and_its_signature_fits(home: Path, which: str) -> None:
    request = decoded(sample(which))
    assert request.RawData(BINARY) == sample(which)
    request.CheckCertificateSignature(False)
    request.GetInnerRequest(1).CheckSignature()
    assert request.HashAlgorithm.Value == "1.3.14.3.2.26"
    assert request.ClientId == 9
    assert (request.Type, request.GetInnerRequest(0).Type) == (2, 1)


def test_the_sample_for_another_names_whom_it_is_for(home: Path) -> None:
    request = decoded(sample("eobo"))
    assert request.RequesterName == "Domain\\TargetUser"
    assert refused(request.RenewalCertificate, BINARY) == EMPTY


def test_the_sample_of_a_renewal_holds_the_certificate_that_signs_it(home: Path) -> None:
    request = decoded(sample("renewal"))
    assert request.RenewalCertificate(BINARY) == request.SignerCertificate.Certificate(BINARY)
    assert refused(getattr, request, "RequesterName") == EMPTY


@pytest.mark.parametrize("which", ["renewal", "eobo"])
def test_a_truncated_sample_is_refused_and_leaves_the_object_blank(home: Path, which: str) -> None:
    data = sample(which)
    request = blank("Pkcs7")
    for size in range(0, len(data), 11):
        assert refused(request.InitializeDecode, data[:size], BINARY) >> 16 == 0x8009
    assert refused(request.RawData) == BLANK
    request.InitializeDecode(data, BINARY)


def test_the_signers_chain_is_judged_when_asked(home: Path) -> None:
    assert refused(decoded(sample("eobo")).CheckCertificateSignature, True) == HRESULT.CERT_E_CHAINING


def test_a_decoded_request_is_for_the_context_that_was_named_before(home: Path) -> None:
    request = blank("Pkcs7")
    request.InitializeDecode("ContextMachine", BINARY)
    request.InitializeDecode(sample("eobo"), BINARY)
    assert request.EnrollmentContext == request.GetInnerRequest(1).EnrollmentContext == 2
    assert refused(request.InitializeDecode, sample("eobo"), BINARY) == SEALED


# What is made here.


@SIZES
def test_a_renewal_in_each_key_store_is_signed_by_the_old_key(
    place: int, size: dict[str, Any], workspace: Workspace, tmp_path: Path
) -> None:
    old = installed_signer("CN=renewed", KeyLocation=place, ContainerName="old", **size)
    request = blank("Pkcs7")
    request.InitializeFromCertificate(1, True, old.Certificate(BINARY), BINARY)
    request.GetInnerRequest(0).PrivateKey.KeyLocation = place
    request.GetInnerRequest(0).PrivateKey.ContainerName = "new"
    request.Encode()
    data = request.RawData(BINARY)
    openssl_verifies(tmp_path, data)
    (reading,) = read_with_bouncy_castle(tmp_path, data)
    assert [one["good"] for one in reading.of("signer")] == ["true"]
    message = pkcs7_requests.decode(data)
    pkcs7_requests.verify(message)
    assert message.renewal_certificate == old.Certificate(BINARY)
    assert message.envelope.signers[0].signed_attributes == ()
    assert request.GetInnerRequest(1).Subject.Name == "CN=renewed"
    request.CheckCertificateSignature()


@SIZES
def test_an_agent_in_each_key_store_asks_for_another(
    place: int, size: dict[str, Any], workspace: Workspace, tmp_path: Path
) -> None:
    request = blank("Pkcs7")
    request.InitializeFromInnerRequest(new_request("CN=somebody"))
    request.RequesterName = "DOMAIN\\somebody"
    request.SignerCertificate = installed_signer(KeyLocation=place, ContainerName="agent", **size)
    request.Encode()
    data = request.RawData(BINARY)
    openssl_verifies(tmp_path, data)
    (reading,) = read_with_bouncy_castle(tmp_path, data)
    assert [one["good"] for one in reading.of("signer")] == ["true"]
    assert [(one.name, one.value) for one in pkcs7_requests.decode(data).name_value_pairs] == [
        ("RequesterName", "DOMAIN\\somebody")
    ]
    again = decoded(data)
    assert again.RequesterName == "DOMAIN\\somebody"
    again.CheckCertificateSignature()


def test_an_enrollment_takes_it_and_notes_its_format(workspace: Workspace) -> None:
    request = blank("Pkcs7")
    request.InitializeFromInnerRequest(new_request("CN=mine"))
    request.SignerCertificate = installed_signer()
    assert [one for one in (request,) if isinstance(one, Enrollable)]
    enrollment = new_enrollment(request)
    assert enrollment.CreateRequest(BINARY) == request.RawData(BINARY)
    (record,) = [one for one in workspace.requests.list() if one.request == request.RawData(BINARY)]
    assert record.request_type == "TypePkcs7"


def test_without_a_signer_nothing_is_made(workspace: Workspace) -> None:
    request = blank("Pkcs7")
    request.Initialize(1)
    assert refused(request.Encode) == EMPTY
    assert [one for report in workspace.key_stores.list_all() for one in report.keys] == []


def test_a_failing_signer_takes_the_new_key_with_it(workspace: Workspace) -> None:
    signer = installed_signer(ContainerName="agent")
    workspace.key_stores.delete("software", "agent", pin=None)
    request = blank("Pkcs7")
    request.InitializeFromInnerRequest(new_request())
    request.SignerCertificate = signer
    assert refused(request.Encode) >> 16 == 0x8009
    assert [one for report in workspace.key_stores.list_all() for one in report.keys] == []
    assert request.GetInnerRequest(1).is_encoded is False


def test_reset_opens_the_inner_request_that_encode_encoded_and_no_other(workspace: Workspace) -> None:
    signer = installed_signer()
    inner = new_request()
    request = blank("Pkcs7")
    request.InitializeFromInnerRequest(inner)
    request.SignerCertificate = signer
    assert refused(request.ResetForEncode) == HRESULT.WIN32_INVALID_STATE
    request.Encode()
    assert refused(request.Encode) == SEALED
    request.ResetForEncode()
    assert inner.is_encoded is False
    inner.Encode()
    request.Encode()
    request.ResetForEncode()
    assert inner.is_encoded is True


def test_only_a_pkcs10_goes_inside(home: Path) -> None:
    other = blank("Cmc")
    other.Initialize(1)
    certificate = blank("Certificate")
    certificate.Initialize(1)
    for wrong in (other, certificate):
        assert refused(blank("Pkcs7").InitializeFromInnerRequest, wrong) == HRESULT.CRYPT_E_INVALID_MSG_TYPE


def test_a_certificate_that_is_not_here_cannot_be_renewed(home: Path) -> None:
    old = decoded(sample("eobo")).SignerCertificate.Certificate(BINARY)
    how = X509RequestInheritOptions.InheritDefault
    assert refused(blank("Pkcs7").InitializeFromCertificate, 1, True, old, BINARY, how) == HRESULT.CRYPT_E_NOT_FOUND
    blank("Pkcs7").InitializeFromCertificate(1, False, old, BINARY, 2 | 0x10)


@pytest.mark.parametrize("member", ["RequesterName", "SignerCertificate", "ClientId", "EnrollmentContext"])
def test_everything_is_blank_before_initialize(home: Path, member: str) -> None:
    assert refused(getattr, blank("Pkcs7"), member) == BLANK


def test_a_template_is_named_in_the_inner_request(workspace: Workspace) -> None:
    request = blank("Pkcs7")
    request.InitializeFromTemplateName(1, "User")
    request.SignerCertificate = installed_signer()
    request.GetInnerRequest(0).PrivateKey.Algorithm = new_key().Algorithm
    request.Encode()
    assert request.template_name == "User"
