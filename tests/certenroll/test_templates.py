"""IX509CertificateTemplate, IX509CertificateTemplates, IX509CertificateTemplateWritable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch
from certenroll.asn1 import extensions as codec
from certenroll.asn1.der import Extension
from certenroll.ca.base import Disposition, Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.policies.sources import read_document
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.enums import CommitTemplateFlags, EnrollmentTemplateProperty
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from certenroll.templates import (
    _PROPERTIES,
    IX509CertificateTemplate,
    IX509CertificateTemplates,
    IX509CertificateTemplateWritable,
    template_from,
)
from tests.ca.conftest import EC_KEY, openssl_request
from tests.support.profiles import make_ca

P = EnrollmentTemplateProperty
GENERATE, USE_CURRENT, OVERWRITE, DELETE = 1, 2, 3, 4
OPEN = TemplateFacts("Open", oid="1.2.3.4")
FULL = TemplateFacts(
    common_name="Full",
    schema_version=3,
    friendly_name="Full Template",
    oid="1.3.6.1.4.1.311.21.8.1.2.3",
    validity_seconds=63_072_000,
    renewal_seconds=3_628_800,
    minimum_key_size=384,
    key_spec=1,
    key_usage_property=0xFFFFFF,
    key_security="D:P(A;;GA;;;BA)",
    key_algorithm="1.2.840.10045.2.1",
    crypto_providers=("Provider A", "Provider B"),
    major_revision=100,
    minor_revision=7,
    superseded=("Old",),
    private_key_flags=0x11,
    subject_name_flags=0x80000000,
    enrollment_flags=0x29,
    general_flags=0x40,
    hash_algorithm="2.16.840.1.101.3.4.2.1",
    ra_signatures=2,
    ra_ekus=("1.3.6.1.4.1.311.20.2.1",),
    ra_policies=("1.2.3.5",),
    symmetric_algorithm="1.2.840.113549.3.7",
    symmetric_key_length=168,
    extensions=(
        Extension(codec.EXTENDED_KEY_USAGE, False, codec.encode_object_ids(["1.3.6.1.5.5.7.3.2"])),
        Extension(codec.KEY_USAGE, True, codec.encode_key_usage(0xA0)),
        Extension(codec.CERTIFICATE_POLICIES, False, codec.encode_policies([codec.Policy("1.2.3.6", ())])),
        Extension(codec.APPLICATION_POLICIES, False, codec.encode_policies([codec.Policy("1.3.6.1.5.5.7.3.2", ())])),
    ),
    security_descriptor="D:(A;;GA;;;AU)",
)

UNSIGNED = replace(FULL, common_name="Unsigned", ra_signatures=0, private_key_flags=0x10)


def refused(code: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult & 0xFFFFFFFF == code


def writable(facts: TemplateFacts) -> IX509CertificateTemplateWritable:
    made = Dispatch("X509Enrollment.CX509CertificateTemplateADWritable")
    made.Initialize(template_from(facts))
    assert isinstance(made, IX509CertificateTemplateWritable)
    return made


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CommonName", "Full"),
        ("FriendlyName", "Full Template"),
        ("CryptoProviders", ["Provider A", "Provider B"]),
        ("MajorRevision", 100),
        ("KeySpec", 1),
        ("SchemaVersion", 3),
        ("MinorRevision", 7),
        ("RASignatureCount", 2),
        ("MinimumKeySize", 384),
        ("Supersede", ["Old"]),
        ("KeySecurityDescriptor", "D:P(A;;GA;;;BA)"),
        ("SymmetricAlgorithm", "3DES"),
        ("SymmetricKeyLength", 168),
        ("HashAlgorithm", "SHA256"),
        ("KeyUsage", 0xFFFFFF),
        ("EnrollmentFlags", 0x29),
        ("SubjectNameFlags", -0x80000000),
        ("PrivateKeyFlags", 0x11),
        ("GeneralFlags", 0x40),
        ("SecurityDescriptor", "D:(A;;GA;;;AU)"),
        ("ValidityPeriod", 63_072_000),
        ("RenewalPeriod", 3_628_800),
    ],
)
def test_a_plain_property_is_what_the_template_says(name: str, expected: object) -> None:
    assert template_from(FULL).Property(P[f"TemplateProp{name}"]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EKUs", ["1.3.6.1.5.5.7.3.2"]),
        ("RACertificatePolicies", ["1.2.3.5"]),
        ("RAEKUs", ["1.3.6.1.4.1.311.20.2.1"]),
        ("CertificatePolicies", ["1.2.3.6"]),
        ("V1ApplicationPolicy", ["1.3.6.1.5.5.7.3.2"]),
    ],
)
def test_a_property_of_object_identifiers_is_a_collection(name: str, expected: list[str]) -> None:
    assert [one.Value for one in template_from(FULL).Property(P[f"TemplateProp{name}"])] == expected


def test_the_identifier_and_the_extensions_are_objects() -> None:
    template = template_from(FULL)
    assert template.Property(P.TemplatePropOID).Value == FULL.oid
    found = template.Property(P.TemplatePropExtensions)
    assert [(one.ObjectId.Value, one.Critical) for one in found] == [(one.oid, one.critical) for one in FULL.extensions]
    assert type(found.ItemByIndex(1)).__name__ == "IX509ExtensionKeyUsage"


def test_every_property_has_an_answer_and_the_number_alone_asks_for_it() -> None:
    assert set(_PROPERTIES) == set(P)
    assert template_from(FULL).property(1) == "Full"
    refused(HRESULT.E_INVALIDARG, template_from(FULL).Property, 32)


def test_what_a_template_leaves_open_is_an_empty_property() -> None:
    template = template_from(OPEN)
    left_open = [P[f"TemplateProp{name}"] for name in (
        "FriendlyName", "EKUs", "CryptoProviders", "Description", "KeySpec", "MinorRevision", "Supersede",
        "RACertificatePolicies", "RAEKUs", "CertificatePolicies", "V1ApplicationPolicy", "AsymmetricAlgorithm",
        "KeySecurityDescriptor", "SymmetricAlgorithm", "SymmetricKeyLength", "HashAlgorithm", "KeyUsage", "EnrollmentFlags",
        "SubjectNameFlags", "PrivateKeyFlags", "GeneralFlags", "SecurityDescriptor",
    )]  # fmt: skip
    for one in left_open:
        refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, template.Property, one)
    for one in set(P) - set(left_open):
        assert template.Property(one) is not None


def test_a_malformed_extension_is_an_error_of_its_own() -> None:
    template = template_from(TemplateFacts("Bad", extensions=(Extension(codec.EXTENDED_KEY_USAGE, False, b"\x30\x05"),)))
    with pytest.raises(ComError) as caught:
        template.Property(P.TemplatePropEKUs)
    assert caught.value.code_name.startswith("CRYPT_E_ASN1")


def test_a_template_of_no_policy_is_blank_and_python_sees_all_facts() -> None:
    refused(HRESULT.OLE_E_BLANK, IX509CertificateTemplate().Property, 1)
    assert template_from(FULL).template_facts() is FULL
    assert dir(IX509CertificateTemplate()) == ["Property"]


def test_a_collection_finds_by_name_and_by_identifier() -> None:
    both = IX509CertificateTemplates([template_from(FULL), template_from(OPEN)])
    assert both.ItemByName("OPEN").Property(P.TemplatePropCommonName) == "Open"
    assert both.ItemByOid(object_id("1.2.3.4")).Property(P.TemplatePropCommonName) == "Open"
    refused(HRESULT.WIN32_NOT_FOUND, both.ItemByName, "Nothing")
    refused(HRESULT.WIN32_NOT_FOUND, both.ItemByOid, object_id("1.2.3"))
    refused(HRESULT.OLE_E_BLANK, both.ItemByOid, IObjectId())
    both.Remove(0)
    both.Add(template_from(FULL))
    assert [one.Property(1) for one in both] == ["Open", "Full"]
    refused(HRESULT.DISP_E_TYPEMISMATCH, both.Add, object_id("1.2.3"))


def test_a_writable_template_is_initialized_once_with_a_template() -> None:
    made = IX509CertificateTemplateWritable()
    refused(HRESULT.OLE_E_BLANK, lambda: made.Template)
    refused(HRESULT.OLE_E_BLANK, made.Property, 1)
    refused(HRESULT.OLE_E_BLANK, made.SetProperty, P.TemplatePropSecurityDescriptor, "D:")
    refused(HRESULT.OLE_E_BLANK, made.Commit, GENERATE, "")
    refused(HRESULT.E_POINTER, made.Initialize, None)
    refused(HRESULT.E_NOINTERFACE, made.Initialize, object_id("1.2.3"))
    refused(HRESULT.OLE_E_BLANK, made.Initialize, IX509CertificateTemplate())
    made.Initialize(template_from(FULL))
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, template_from(OPEN))


def test_only_the_security_descriptor_can_be_set_and_the_template_keeps_its_own() -> None:
    made = writable(FULL)
    made.SetProperty(P.TemplatePropSecurityDescriptor, "O:BAG:SYD:P(A;;GA;;;BA)(A;;GR;;;AU)S:AI(AU;SA;GA;;;WD)")
    assert made.Property(P.TemplatePropSecurityDescriptor).startswith("O:BA")
    assert made.Template.Property(P.TemplatePropSecurityDescriptor) == "D:(A;;GA;;;AU)"
    refused(HRESULT.WIN32_NOT_SUPPORTED, made.SetProperty, P.TemplatePropCommonName, "Other")
    refused(HRESULT.DISP_E_TYPEMISMATCH, made.SetProperty, P.TemplatePropSecurityDescriptor, 7)
    for text in ("", "everyone", "D:(A;;GA;;;BA", "D:()x"):
        refused(HRESULT.E_INVALIDARG, made.SetProperty, P.TemplatePropSecurityDescriptor, text)


def test_a_committed_template_is_issued_by_and_a_deleted_one_is_not(home: Path, tmp_path: Path) -> None:
    make_ca()
    made = writable(FULL)
    made.SetProperty(P.TemplatePropSecurityDescriptor, "D:(A;;GR;;;AU)")
    made.Commit(GENERATE, "")
    server: Any = Dispatch("X509Enrollment.CX509EnrollmentPolicyActiveDirectory")
    server.Initialize("ldap:", "", 2, False, 1)
    server.LoadPolicy(0)
    shown = server.GetTemplates().ItemByName("full")
    assert shown.Property(P.TemplatePropSecurityDescriptor) == "D:(A;;GR;;;AU)"
    assert shown.Property(P.TemplatePropHashAlgorithm) == "SHA256"
    request = openssl_request(tmp_path, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-384"))
    submission = Submission(request, {"CertificateTemplate": "Full"}, requester="CORP\\alice")
    assert LocalCA(home / "ca").submit(submission).status == HRESULT.CERTSRV_E_SIGNATURE_POLICY_REQUIRED
    writable(replace(UNSIGNED, oid="1.2.3.9")).Commit(GENERATE, "")
    unsigned = replace(submission, attributes={"CertificateTemplate": "Unsigned"})
    assert LocalCA(home / "ca").submit(unsigned).disposition is Disposition.ISSUED
    writable(shown.template_facts()).Commit(DELETE, "")
    assert LocalCA(home / "ca").submit(submission).status == HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE


def test_the_smallest_key_of_a_committed_template_is_asked_for(home: Path, tmp_path: Path) -> None:
    make_ca()
    writable(UNSIGNED).Commit(GENERATE, "CA.TEST")
    request = openssl_request(tmp_path, key=EC_KEY)
    answer = LocalCA(home / "ca").submit(Submission(request, {"CertificateTemplate": "Unsigned"}, requester="alice"))
    assert answer.status == HRESULT.CERTSRV_E_KEY_LENGTH


def test_commit_answers_as_microsoft_documents(home: Path) -> None:
    refused(HRESULT.RPC_SERVER_UNAVAILABLE, writable(FULL).Commit, GENERATE, "")
    ca = make_ca()
    before = (home / "ca" / "policy.json").read_bytes()
    refused(HRESULT.E_NOTIMPL, writable(FULL).Commit, USE_CURRENT, "")
    refused(HRESULT.E_NOTIMPL, writable(FULL).Commit, OVERWRITE, "")
    refused(HRESULT.E_INVALIDARG, writable(FULL).Commit, CommitTemplateFlags(5), "")
    refused(HRESULT.RPC_SERVER_UNAVAILABLE, writable(FULL).Commit, GENERATE, "other.test")
    refused(HRESULT.CRYPT_E_EXISTS, writable(TemplateFacts("Web-Server", oid="1.2.9")).Commit, GENERATE, "")
    user = ca.policy.template("User")
    assert user is not None
    refused(HRESULT.CRYPT_E_EXISTS, writable(TemplateFacts("Mine", oid=user.oid)).Commit, GENERATE, "")
    refused(HRESULT.WIN32_NOT_FOUND, writable(FULL).Commit, DELETE, "")
    refused(HRESULT.CRYPT_E_NOT_FOUND, writable(TemplateFacts("User", oid="1.2.9")).Commit, DELETE, "")
    default = TemplateFacts("User", oid=user.oid, general_flags=0x10000)
    refused(HRESULT.WIN32_NOT_SUPPORTED, writable(default).Commit, DELETE, "")
    refused(HRESULT.WIN32_NOT_SUPPORTED, writable(default).Commit, GENERATE, "")
    assert (home / "ca" / "policy.json").read_bytes() == before


def test_a_template_that_the_ca_could_not_issue_by_changes_nothing(home: Path) -> None:
    make_ca()
    before = (home / "ca" / "policy.json").read_bytes()
    refused(HRESULT.WIN32_INVALID_DATA, writable(TemplateFacts("Big", minimum_key_size=99_999)).Commit, GENERATE, "")
    assert (home / "ca" / "policy.json").read_bytes() == before
    assert not (home / "ca" / "templates.xml").exists()


def test_a_template_is_committed_to_a_policy_document(home: Path) -> None:
    writable(FULL).Commit(GENERATE, "file:lab.xml")
    writable(TemplateFacts("New")).Commit(GENERATE, "file:lab.xml")
    path = home / "policies" / "lab.xml"
    full, new = read_document(path).templates
    assert full == FULL
    assert (new.oid or "").startswith("2.25.")
    refused(HRESULT.CRYPT_E_EXISTS, writable(FULL).Commit, GENERATE, "file:lab.xml")
    refused(HRESULT.CRYPT_E_NOT_FOUND, writable(TemplateFacts("full", oid="1.2.3")).Commit, DELETE, "file:lab.xml")
    writable(FULL).Commit(DELETE, f"file://{path}")
    assert [one.common_name for one in read_document(path).templates] == ["New"]
    refused(HRESULT.WIN32_NOT_FOUND, writable(FULL).Commit, DELETE, "file:lab.xml")
    refused(HRESULT.E_INVALIDARG, writable(FULL).Commit, GENERATE, "file:../lab.xml")
