"""InitializeFromCertificate: which key and what else a request takes of a certificate, by each option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll.asn1 import attributes, extensions
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType
from certenroll.enums import X509RequestInheritOptions as Inherit
from certenroll.hresults import HRESULT
from tests.stores.pki import Made, make
from tests.support.enrolling import BINARY, bag, blank_request, encoded, issue, new_enrollment, new_key, new_request, refused

ROOT = make("root")
HEXRAW = EncodingType.XCN_CRYPT_STRING_HEXRAW
EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
SAN, TEMPLATE = "2.5.29.17", "1.3.6.1.4.1.311.20.2"
POLICIES = "2.5.29.32"
SKI, KEY_USAGE = "2.5.29.14", "2.5.29.15"
NONE = Inherit.InheritNone

EXTENSIONS: tuple[tuple[Any, bool], ...] = (
    (x509.SubjectAlternativeName([x509.DNSName("a.example")]), False),
    (x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True),
    (x509.UnrecognizedExtension(x509.ObjectIdentifier(TEMPLATE), extensions.encode_template_name("User")), False),
    (
        x509.AuthorityInformationAccess(
            [x509.AccessDescription(x509.AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://o"))]
        ),
        False,
    ),
    (
        x509.CRLDistributionPoints([x509.DistributionPoint([x509.UniformResourceIdentifier("http://c")], None, None, None)]),
        False,
    ),
)


@pytest.fixture
def installed(workspace: Workspace) -> Made:
    """A certificate in MY with its key, an EC one, in software."""
    workspace.certificates.add("ROOT", ROOT.der)
    enrollment = new_enrollment(new_request(key=new_key(ContainerName="old")))
    enrollment.CreateRequest()
    made = issue(enrollment.Request.spki_bytes(), ROOT, extensions=EXTENSIONS)
    enrollment.InstallResponse(0, bag(made), BINARY)
    return made


def inherited(certificate: bytes | str, options: int, encoding: int = BINARY) -> Any:
    request = blank_request()
    request.InitializeFromCertificate(1, certificate, encoding, options)
    return request


def given(request: Any) -> set[str]:
    return {one.ObjectId.Value for one in request.X509Extensions}


@pytest.mark.parametrize(
    ("options", "taken", "subject"),
    [
        (0, {SAN, POLICIES, TEMPLATE}, True),
        (Inherit.InheritNewDefaultKey, {SAN, POLICIES, TEMPLATE}, True),
        (NONE, set(), False),
        (Inherit.InheritSubjectFlag, set(), True),
        (Inherit.InheritExtensionsFlag, {SAN, POLICIES}, False),
        (Inherit.InheritSubjectAltNameFlag, {SAN}, False),
        (Inherit.InheritTemplateFlag, {TEMPLATE}, False),
        (Inherit.InheritValidityPeriodFlag, set(), False),
        (Inherit.InheritSubjectFlag | Inherit.InheritSubjectAltNameFlag, {SAN}, True),
        (Inherit.InheritRenewalCertificateFlag, set(), False),
    ],
    ids=lambda value: f"0x{value:X}" if isinstance(value, int) else "",
)
def test_an_option_says_what_is_taken(installed: Made, options: int, taken: set[str], subject: bool) -> None:
    request = inherited(installed.der, options)
    assert given(request) == taken
    if subject:
        assert request.Subject.Name == "CN=leaf"
    else:
        assert refused(getattr, request, "Subject") == EMPTY
    assert request.template_name == ("User" if TEMPLATE in taken else "")
    assert request.OldCertificate(BINARY) == installed.der


def test_an_extension_that_is_taken_stays_critical(installed: Made) -> None:
    found = {one.oid: one for one in encoded(inherited(installed.der, Inherit.InheritExtensionsFlag)).extensions}
    assert (found[POLICIES].critical, found[SAN].critical) == (True, False)
    assert set(found) == {SAN, POLICIES, SKI, KEY_USAGE}


def test_the_renewal_flag_puts_the_certificate_into_the_request(installed: Made) -> None:
    request = inherited(installed.der, Inherit.InheritRenewalCertificateFlag)
    assert request.RenewalCertificate(BINARY) == installed.der
    assert encoded(request).values(attributes.RENEWAL_CERTIFICATE) == (installed.der,)
    assert refused(inherited(installed.der, 0).RenewalCertificate) == EMPTY


@pytest.mark.parametrize("options", [0, Inherit.InheritNewSimilarKey], ids=["InheritDefault", "InheritNewSimilarKey"])
def test_a_similar_key_has_the_algorithm_and_the_provider_of_the_old_one(
    installed: Made, workspace: Workspace, options: int
) -> None:
    request = inherited(installed.der, options | NONE)
    made = encoded(request)
    assert made.public_key_info != workspace.key_stores.open("software", "old").info.public_key
    assert (request.PublicKey.Algorithm.Value, request.PublicKey.Length) == ("1.2.840.10045.2.1", 256)
    assert request.PrivateKey.ProviderName == "Microsoft Software Key Storage Provider"
    assert not request.ReuseKey


def test_a_default_key_is_what_a_new_request_has(installed: Made) -> None:
    request = inherited(installed.der, Inherit.InheritNewDefaultKey | NONE)
    request.Encode()
    assert (request.PublicKey.Algorithm.Value, request.PublicKey.Length) == ("1.2.840.113549.1.1.1", 2048)


def test_the_private_key_is_used_again(installed: Made, workspace: Workspace) -> None:
    request = inherited(installed.der, Inherit.InheritPrivateKey | NONE)
    assert request.ReuseKey
    made = encoded(request)
    assert made.public_key_info == workspace.key_stores.open("software", "old").info.public_key
    request.CheckSignature()


def test_the_public_key_alone_makes_a_null_signed_request(installed: Made, workspace: Workspace) -> None:
    request = inherited(installed.der, Inherit.InheritPublicKey | NONE)
    assert request.NullSigned
    assert encoded(request).public_key_info == workspace.key_stores.open("software", "old").info.public_key


@pytest.mark.parametrize("what", ["thumbprint", "serial"])
def test_digits_name_a_certificate_in_a_store(installed: Made, workspace: Workspace, what: str) -> None:
    serial = f"{installed.certificate.serial_number:x}"
    (entry,) = workspace.certificates.list("MY")
    digits = entry.sha1.hex() if what == "thumbprint" else serial.zfill(len(serial) + len(serial) % 2)
    spaced = " ".join(digits[i : i + 2] for i in range(0, len(digits), 2))
    assert inherited(spaced, Inherit.InheritPrivateKey, HEXRAW).OldCertificate(BINARY) == installed.der


def test_digits_reach_ca_certificates_only_where_no_private_key_is_needed(installed: Made, workspace: Workspace) -> None:
    digits = workspace.certificates.find_by_subject("ROOT", _name(ROOT))[0].sha1.hex()
    assert inherited(digits, Inherit.InheritPublicKey, HEXRAW).OldCertificate(BINARY) == ROOT.der
    assert refused(inherited, digits, Inherit.InheritPrivateKey, HEXRAW) == HRESULT.CRYPT_E_NOT_FOUND


def _name(made: Made) -> bytes:
    return made.certificate.subject.public_bytes()


def test_digits_are_digits_only_in_hexraw(installed: Made) -> None:
    assert refused(inherited, b"\x01" * 20, 0) >> 16 == 0x8009
    assert refused(inherited, "00" * 20, 0, HEXRAW) == HRESULT.CRYPT_E_NOT_FOUND


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (NONE | Inherit.InheritSubjectFlag, HRESULT.E_INVALIDARG),
        (5, HRESULT.E_INVALIDARG),
        (Inherit.InheritPrivateKey, HRESULT.NTE_NO_KEY),
    ],
)
def test_options_that_cannot_be_are_refused_and_leave_the_request_blank(home: Path, options: int, code: int) -> None:
    request = blank_request()
    assert refused(request.InitializeFromCertificate, 1, make("stranger").der, BINARY, options) == code
    assert refused(getattr, request, "EnrollmentContext") == HRESULT.OLE_E_BLANK


def test_it_is_initialized_once(installed: Made) -> None:
    request = inherited(installed.der, NONE)
    assert refused(request.InitializeFromCertificate, 1, installed.der, BINARY, 0) == HRESULT.WIN32_ALREADY_INITIALIZED


def test_a_renewal_with_the_same_key_is_enrolled_and_keeps_its_key(installed: Made, workspace: Workspace) -> None:
    enrollment = new_enrollment(inherited(installed.der, Inherit.InheritPrivateKey | Inherit.InheritSubjectFlag))
    enrollment.CreateRequest()
    newer = issue(enrollment.Request.spki_bytes(), ROOT, days=(-1, 200))
    enrollment.InstallResponse(0, bag(newer), BINARY)
    assert {one.der for one in workspace.certificates.list("MY")} == {installed.der, newer.der}
    assert workspace.key_stores.open("software", "old").info.algorithm.value == "EC"
