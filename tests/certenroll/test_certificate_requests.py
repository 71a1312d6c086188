"""IX509CertificateRequestCertificate: what it makes, as OpenSSL and pyca read it, and how it is installed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.x509.oid import ExtensionOID

import certenroll
from certenroll.engine.workspace import Workspace
from certenroll.enums import InstallResponseRestrictionFlags, X509RequestInheritOptions
from certenroll.hresults import HRESULT
from tests.stores.pki import NOW
from tests.support.ca import pem
from tests.support.enrolling import BINARY, key_usage, name, new_enrollment, new_key, new_request, oid, refused
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

BLANK, EMPTY, SEALED = HRESULT.OLE_E_BLANK, HRESULT.CERTSRV_E_PROPERTY_EMPTY, HRESULT.WIN32_ALREADY_INITIALIZED
UNTRUSTED = InstallResponseRestrictionFlags.AllowUntrustedCertificate
BASE64, HEADER, HEXRAW = 1, 0, 12
TEN_MINUTES = timedelta(minutes=10)
EPOCH = datetime(1899, 12, 30, tzinfo=UTC)


def blank() -> Any:
    return certenroll.Dispatch("X509Enrollment.CX509CertificateRequestCertificate")


def new_certificate(subject: str = "CN=self", key: Any = None) -> Any:
    made = blank()
    made.InitializeFromPrivateKey(1, key if key is not None else new_key(), "")
    made.Subject = name(subject)
    return made


def made(request: Any) -> x509.Certificate:
    """The certificate that a request encodes."""
    request.Encode()
    return x509.load_der_x509_certificate(request.RawData(BINARY))


def installed(request: Any) -> Any:
    """A signer certificate of MY: the certificate of ``request``, made and installed as scripts do."""
    enrollment = new_enrollment(request)
    enrollment.InstallResponse(UNTRUSTED, enrollment.CreateRequest(BASE64), BASE64, "")
    signer: Any = certenroll.Dispatch("X509Enrollment.CSignerCertificate")
    signer.Initialize(False, 0, BINARY, enrollment.Certificate(BINARY))
    return signer


def certification_authority(subject: str = "CN=private issuer", **properties: Any) -> Any:
    """A signer certificate of a CA that signed itself."""
    request = new_certificate(subject, new_key(**properties))
    constraints: Any = certenroll.Dispatch("X509Enrollment.CX509ExtensionBasicConstraints")
    constraints.InitializeEncode(True, 0)
    request.X509Extensions.Add(constraints)
    request.X509Extensions.Add(key_usage(0x06))
    return installed(request)


def openssl_verifies(folder: Path, certificate: bytes, issuer: bytes) -> None:
    """`openssl verify` finds the certificate good under its issuer."""
    leaf, root = folder / "leaf.pem", folder / "root.pem"
    leaf.write_text(pem("CERTIFICATE", certificate))
    root.write_text(pem("CERTIFICATE", issuer))
    at = str(int(NOW.replace(tzinfo=NOW.tzinfo or UTC).timestamp()))
    done = subprocess.run(
        [program("openssl"), "verify", "-attime", at, "-check_ss_sig", "-CAfile", str(root), str(leaf)],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commonest_script_of_all_makes_and_installs_a_self_signed_certificate(workspace: Workspace) -> None:
    enrollment = new_enrollment(new_certificate("CN=www.example.com", new_key(ExportPolicy=1)))
    enrollment.CertificateFriendlyName = "my site"
    text = enrollment.CreateRequest(BASE64)
    enrollment.InstallResponse(2, text, BASE64, "")
    (found,) = workspace.certificates.list("MY")
    assert list(workspace.certificates.list("REQUEST")) == []
    assert x509.load_der_x509_certificate(found.der).subject.rfc4514_string() == "CN=www.example.com"
    pfx = enrollment.CreatePFX("secret", 0, BINARY)
    assert pfx[:1] == b"\x30"


def test_without_permission_an_untrusted_certificate_is_not_installed(workspace: Workspace) -> None:
    enrollment = new_enrollment(new_certificate())
    text = enrollment.CreateRequest(BASE64)
    assert refused(enrollment.InstallResponse, 0, text, BASE64, "") == HRESULT.CERT_E_UNTRUSTEDROOT
    assert list(workspace.certificates.list("MY")) == []


def test_a_self_signed_certificate_has_the_default_extensions_and_dates(workspace: Workspace, tmp_path: Path) -> None:
    request = new_certificate()
    found = made(request)
    assert found.version is x509.Version.v3
    assert found.issuer == found.subject
    found.verify_directly_issued_by(found)
    assert {one.oid for one in found.extensions} == {ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.KEY_USAGE}
    now = workspace.clock().replace(microsecond=0)
    assert found.not_valid_before_utc == now - TEN_MINUTES
    assert found.not_valid_after_utc == now + timedelta(days=365)
    assert EPOCH + timedelta(days=request.NotAfter) == found.not_valid_after_utc
    assert 1 <= found.serial_number >> 124 <= 7
    assert int(request.SerialNumber(HEXRAW), 16) == found.serial_number
    assert request.Issuer.Name == "CN=self"
    openssl_verifies(tmp_path, request.RawData(BINARY), request.RawData(BINARY))


def test_header_text_says_certificate(home: Path) -> None:
    request = new_certificate()
    request.Encode()
    assert request.RawData(HEADER).startswith("-----BEGIN CERTIFICATE-----")
    assert request.Type == 4


@pytest.mark.parametrize("given", [datetime(2030, 5, 1, 12, tzinfo=UTC), 47604.5], ids=["datetime", "days"])
def test_validity_serial_number_and_issuer_are_as_they_are_set(home: Path, given: object) -> None:
    request = new_certificate()
    request.NotBefore = given
    request.NotAfter = datetime(2055, 1, 1)
    request.SetSerialNumber(HEXRAW, "8001")
    request.Issuer = name("CN=somebody else")
    found = made(request)
    assert found.not_valid_before_utc == datetime(2030, 5, 1, 12, tzinfo=UTC)
    assert found.not_valid_after_utc == datetime(2055, 1, 1, tzinfo=UTC)
    assert found.serial_number == 0x8001
    assert found.issuer.rfc4514_string() == "CN=somebody else"
    assert request.SerialNumber(HEXRAW).strip() == "8001"


def test_a_self_made_issuer_signs_a_chain_that_openssl_accepts(workspace: Workspace, tmp_path: Path) -> None:
    signer = certification_authority(Length=2048)
    request = new_certificate("CN=leaf")
    request.SignerCertificate = signer
    found = made(request)
    issuer = x509.load_der_x509_certificate(signer.Certificate(BINARY))
    found.verify_directly_issued_by(issuer)
    assert found.issuer == issuer.subject
    key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == key_id
    openssl_verifies(tmp_path, request.RawData(BINARY), signer.Certificate(BINARY))
    request.CheckSignature()
    request.CheckPublicKeySignature(signer.PrivateKey.ExportPublicKey())
    assert refused(request.CheckPublicKeySignature, request.PublicKey) == HRESULT.NTE_BAD_SIGNATURE


def test_the_authority_key_identifier_can_be_suppressed(workspace: Workspace) -> None:
    request = new_certificate("CN=leaf")
    request.SignerCertificate = certification_authority()
    request.SuppressOids.Add(oid("2.5.29.35"))
    assert ExtensionOID.AUTHORITY_KEY_IDENTIFIER not in {one.oid for one in made(request).extensions}


def test_a_signer_makes_a_certificate_for_a_public_key_alone(workspace: Workspace) -> None:
    foreign = new_request()
    foreign.Encode()
    request = blank()
    request.InitializeFromPublicKey(1, foreign.PublicKey, "")
    request.Subject = name("CN=device")
    request.SignerCertificate = certification_authority()
    found = made(request)
    assert request.NullSigned is False
    found.verify_directly_issued_by(x509.load_der_x509_certificate(request.SignerCertificate.Certificate(BINARY)))


def test_a_public_key_without_a_signer_gives_a_null_signed_certificate(home: Path) -> None:
    foreign = new_request()
    foreign.Encode()
    request = blank()
    request.InitializeFromPublicKey(1, foreign.PublicKey, "")
    request.Subject = name("CN=device")
    request.Encode()
    assert request.NullSigned is True
    request.CheckSignature(2)
    assert refused(request.CheckSignature) == HRESULT.WIN32_INVALID_STATE
    assert refused(request.CheckPublicKeySignature, foreign.PublicKey) == HRESULT.NTE_BAD_SIGNATURE


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_hash_and_pss_are_as_they_are_set(home: Path, algorithm: str) -> None:
    request = new_certificate(key=new_key(Length=2048))
    request.HashAlgorithm = oid({"sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2",
                                 "sha512": "2.16.840.1.101.3.4.2.3"}[algorithm])
    request.AlternateSignatureAlgorithm = True
    found = made(request)
    assert isinstance(found.signature_hash_algorithm, hashes.HashAlgorithm)
    assert found.signature_hash_algorithm.name == algorithm
    assert isinstance(found.signature_algorithm_parameters, padding.PSS)
    found.verify_directly_issued_by(found)


def test_a_certificate_is_read_back_and_its_signature_checked(home: Path) -> None:
    request = new_certificate("CN=read again")
    found = made(request)
    again = blank()
    again.InitializeDecode(request.RawData(), BASE64)
    assert again.Subject.Name == again.Issuer.Name == "CN=read again"
    assert (again.NotBefore, again.NotAfter) == (request.NotBefore, request.NotAfter)
    assert int(again.SerialNumber(HEXRAW), 16) == found.serial_number
    assert again.RawData(BINARY) == request.RawData(BINARY)
    assert again.RawDataToBeSigned(BINARY) == found.tbs_certificate_bytes
    assert again.Signature(BINARY) == found.signature
    assert [one.Value for one in again.CriticalExtensions] == ["2.5.29.15"]
    again.CheckSignature()
    again.CheckPublicKeySignature(again.PublicKey)
    again.ResetForEncode()
    assert refused(again.Encode) == EMPTY


def test_a_decoded_certificate_is_signed_anew_by_a_signer(workspace: Workspace) -> None:
    request = new_certificate("CN=cross-certified")
    request.Encode()
    again = blank()
    again.InitializeDecode(request.RawData(), BASE64)
    again.ResetForEncode()
    again.SignerCertificate = certification_authority()
    again.Issuer = name("CN=private issuer")
    again.Encode()
    again.CheckSignature()
    assert again.NotAfter == request.NotAfter


def test_a_changed_octet_breaks_the_signature(home: Path) -> None:
    request = new_certificate()
    request.Encode()
    data = bytearray(request.RawData(BINARY))
    data[data.index(b"self")] ^= 1
    again = blank()
    again.InitializeDecode(bytes(data), BINARY)
    assert refused(again.CheckSignature) == HRESULT.NTE_BAD_SIGNATURE


def test_truncated_certificates_are_refused_with_a_typed_error(home: Path) -> None:
    request = new_certificate()
    request.Encode()
    data = request.RawData(BINARY)
    for size in range(0, len(data), 7):
        fresh = blank()
        assert refused(fresh.InitializeDecode, data[:size], BINARY) >> 16 == 0x8009
        assert refused(fresh.CheckSignature) == BLANK


def test_the_period_of_an_old_certificate_is_inherited_and_the_rest_with_it(workspace: Workspace) -> None:
    old = new_certificate("CN=old")
    old.NotBefore, old.NotAfter = NOW - timedelta(days=10), NOW + timedelta(days=90)
    der = installed(old).Certificate(BINARY)
    heir = blank()
    heir.InitializeFromCertificate(1, der, BINARY)
    found = made(heir)
    assert found.subject.rfc4514_string() == "CN=old"
    assert found.not_valid_after_utc - found.not_valid_before_utc == timedelta(days=100)
    bare = blank()
    bare.InitializeFromCertificate(1, der, BINARY, X509RequestInheritOptions.InheritNone)
    assert made(bare).not_valid_after_utc - workspace.clock().replace(microsecond=0) == timedelta(days=365)


def test_reset_lets_everything_be_chosen_again(home: Path) -> None:
    request = new_certificate()
    first = made(request)
    assert refused(setattr, request, "NotAfter", 50000.0) == SEALED
    request.ResetForEncode()
    assert refused(getattr, request, "NotAfter") == EMPTY
    second = made(request)
    assert first.serial_number != second.serial_number
    assert first.public_key() == second.public_key()


@pytest.mark.parametrize("member", ["Issuer", "NotBefore", "NotAfter", "SignerCertificate"])
def test_what_is_not_there_yet_is_empty_and_blank_before_initialize(home: Path, member: str) -> None:
    assert refused(getattr, blank(), member) == BLANK
    assert refused(getattr, new_certificate(), member) == EMPTY


@pytest.mark.parametrize("digits", ["", "00", "ff" * 21, "0000"])
def test_impossible_serial_numbers_are_refused(home: Path, digits: str) -> None:
    assert refused(new_certificate().SetSerialNumber, HEXRAW, digits) in (HRESULT.E_INVALIDARG, HRESULT.WIN32_INVALID_DATA)


@pytest.mark.parametrize("value", ["soon", None, 0.0, 1e300, float("nan")])
def test_what_is_no_date_is_refused(home: Path, value: object) -> None:
    assert refused(setattr, new_certificate(), "NotBefore", value) == HRESULT.WIN32_INVALID_DATA


def test_an_end_before_the_beginning_is_refused_and_no_key_stays(workspace: Workspace) -> None:
    request = new_certificate()
    request.NotAfter = datetime(2001, 1, 1, tzinfo=UTC)
    assert refused(request.Encode) == HRESULT.E_INVALIDARG
    assert [one for report in workspace.key_stores.list_all() for one in report.keys] == []


def test_a_public_key_object_without_a_key_is_an_invalid_state(home: Path) -> None:
    request = new_certificate()
    empty: Any = certenroll.Dispatch("X509Enrollment.CX509PublicKey")
    assert refused(request.CheckPublicKeySignature, empty) == HRESULT.CRYPT_E_NO_SIGNER
    request.Encode()
    assert refused(request.CheckPublicKeySignature, empty) == HRESULT.WIN32_INVALID_STATE


@pytest.fixture(params=["tpm", "smartcard"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[int]:
    """Each KeyLocation on a device."""
    if request.param == "tpm":
        with SwTpm() as tpm:
            monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
            yield 1
    else:
        with SoftToken():
            yield 4


@pytest.mark.parametrize("size", [{"Length": 2048}, {}], ids=["RSA", "P-256"])
def test_a_key_on_a_device_signs_its_own_certificate_and_others(place: int, size: dict[str, Any], tmp_path: Path) -> None:
    request = new_certificate("CN=on a device", new_key(KeyLocation=place, ContainerName="self", **size))
    signer = installed(request)
    child = new_certificate("CN=child")
    child.SignerCertificate = signer
    made(child).verify_directly_issued_by(x509.load_der_x509_certificate(request.RawData(BINARY)))
