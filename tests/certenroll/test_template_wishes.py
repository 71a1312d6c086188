"""What a template of a policy server fixes on a request and on its key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll import Dispatch
from certenroll.asn1 import extensions as codec
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.der import Extension
from certenroll.asn1.pkcs10 import decode
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.hresults import HRESULT
from certenroll.template_wishes import archival_cipher
from certenroll.templates import template_from
from keystores.base import KeyUse
from tests.support.enrolling import BINARY, P256, blank_request, new_key, new_request, oid, refused
from tests.support.profiles import make_ca
from tests.support.swtpm import SwTpm

SHA384 = "2.16.840.1.101.3.4.2.2"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
USAGE = Extension(codec.KEY_USAGE, False, codec.encode_key_usage(0x80))
POLICIES = Extension(codec.CERTIFICATE_POLICIES, True, codec.encode_policies([codec.Policy("1.2.3.6", ())]))


def server() -> Any:
    return Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")


def asked_by(facts: TemplateFacts) -> Any:
    request = blank_request()
    request.InitializeFromTemplate(1, server(), template_from(facts))
    return request


def test_the_hash_and_the_form_of_the_signature_are_the_templates(home: Path) -> None:
    request = asked_by(TemplateFacts("T", hash_algorithm=SHA384, private_key_flags=0x40))
    assert request.HashAlgorithm.Value == SHA384
    request.Encode()
    made = x509.load_der_x509_csr(request.RawData(BINARY))
    assert made.signature_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10"  # RSASSA-PSS
    assert made.signature_hash_algorithm is not None
    assert made.signature_hash_algorithm.name == "sha384"


def test_the_key_is_made_as_the_template_says(home: Path) -> None:
    facts = TemplateFacts("T", key_algorithm=EC_PUBLIC_KEY, minimum_key_size=384, private_key_flags=0x10)
    request = asked_by(facts)
    request.Encode()
    key = x509.load_der_x509_csr(request.RawData(BINARY)).public_key()
    assert getattr(key, "curve").name == "secp384r1"  # noqa: B009 - the type of the key is what is tested
    assert request.PrivateKey.ExportPolicy == 1


@pytest.mark.parametrize(
    ("providers", "chosen"),
    [
        (("Nobody's Provider", "Microsoft Software Key Storage Provider"), "Microsoft Software Key Storage Provider"),
        (("Microsoft Enhanced Cryptographic Provider v1.0",), "Microsoft Enhanced Cryptographic Provider v1.0"),
        (("Nobody's Provider",), "Nobody's Provider"),
        ((), ""),
    ],
)
def test_the_first_provider_that_is_known_is_taken(home: Path, providers: tuple[str, ...], chosen: str) -> None:
    assert asked_by(TemplateFacts("T", crypto_providers=providers)).PrivateKey.ProviderName == chosen


def test_a_property_that_the_caller_set_stands_above_the_template(home: Path) -> None:
    key = new_key(Length=3072, KeySpec=1)
    request = blank_request()
    request.InitializeFromPrivateKeyTemplate(1, key, server(), template_from(TemplateFacts("T", key_spec=2)))
    assert (key.Length, key.KeySpec) == (3072, 1)


def test_a_key_that_is_there_stays_as_it_is(home: Path) -> None:
    key = new_key()
    key.Create()
    request = blank_request()
    facts = TemplateFacts("T", crypto_providers=("Microsoft Base Smart Card Crypto Provider",))
    request.InitializeFromPrivateKeyTemplate(1, key, server(), template_from(facts))
    request.Encode()
    assert request.PrivateKey.Length == 256


def test_what_the_template_says_of_an_extension_stands_above_the_default_critical_ones(home: Path) -> None:
    request = asked_by(TemplateFacts("T", extensions=(USAGE, POLICIES)))
    assert {one.Value for one in request.CriticalExtensions} == {codec.BASIC_CONSTRAINTS, codec.CERTIFICATE_POLICIES}
    request.Encode()
    found = {one.oid: one.critical for one in decode(request.RawData(BINARY)).extensions}
    assert (found[codec.KEY_USAGE], found[codec.CERTIFICATE_POLICIES]) == (False, True)


def test_a_template_that_only_is_named_leaves_the_default_critical_ones(home: Path) -> None:
    request = new_request(template="User")
    assert {one.Value for one in request.CriticalExtensions} == {codec.KEY_USAGE, codec.BASIC_CONSTRAINTS}


def test_a_template_of_secure_mail_asks_for_the_capabilities(home: Path) -> None:
    request = asked_by(TemplateFacts("T", enrollment_flags=0x1))
    assert request.SmimeCapabilities is True
    request.Encode()
    assert codec.SMIME_CAPABILITIES in {one.oid for one in decode(request.RawData(BINARY)).extensions}
    assert asked_by(TemplateFacts("T")).SmimeCapabilities is False


@pytest.mark.parametrize(
    ("named", "bits", "cipher"),
    [
        ("1.2.840.113549.3.7", 168, "1.2.840.113549.3.7"),
        ("2.16.840.1.101.3.4.1.42", 256, "2.16.840.1.101.3.4.1.42"),
        ("2.16.840.1.101.3.4.1", 256, "2.16.840.1.101.3.4.1.42"),
        (None, 0, None),
    ],
)
def test_a_template_names_the_cipher_of_an_archived_key(named: str | None, bits: int, cipher: str | None) -> None:
    facts = TemplateFacts("T", private_key_flags=0x1, symmetric_algorithm=named, symmetric_key_length=bits)
    assert archival_cipher(facts) == cipher


def test_a_cipher_that_is_not_known_is_refused() -> None:
    facts = TemplateFacts("T", private_key_flags=0x1, symmetric_algorithm="1.3.14.3.2.7", symmetric_key_length=56)
    with pytest.raises(UnsupportedAlgorithm):
        archival_cipher(facts)


def test_a_cmc_request_takes_the_templates_cipher(home: Path) -> None:
    aes = "2.16.840.1.101.3.4.1.2"
    facts = TemplateFacts("T", private_key_flags=0x11, symmetric_algorithm=aes, symmetric_key_length=128)
    request = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    request.InitializeFromInnerRequestTemplate(new_request(), server(), template_from(facts))
    assert request.ArchivePrivateKey is True
    assert request.EncryptionAlgorithm.Value == aes
    assert request.EncryptionStrength == 128


def test_a_template_that_the_directory_knows_by_its_name_is_examined(home: Path) -> None:
    make_ca()
    request = blank_request()
    request.InitializeFromTemplateName(1, "user")
    assert (request.PrivateKey.Length, request.PrivateKey.ExportPolicy, request.PrivateKey.KeySpec) == (2048, 1, 0)
    assert request.TemplateObjectId.Value
    request.Encode()
    found = [one.oid for one in decode(request.RawData(BINARY)).extensions]
    assert codec.EXTENDED_KEY_USAGE in found
    assert found.count(codec.TEMPLATE_NAME) + found.count(codec.TEMPLATE) == 1


def test_an_export_that_a_template_alone_asks_for_is_waived_by_a_device(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_ca()
    request, asked = blank_request(), blank_request()
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        request.InitializeFromTemplateName(1, "User")
        request.PrivateKey.KeyLocation = 1
        request.Encode()
        assert request.PrivateKey.ProviderName == "Microsoft Platform Crypto Provider"
        asked.InitializeFromPrivateKey(1, new_key(KeyLocation=1, ExportPolicy=2), "User")
        assert refused(asked.Encode) == HRESULT.NTE_BAD_KEY_STATE


def of_template(name: str = "User") -> Any:
    request = blank_request()
    request.InitializeFromTemplateName(1, name)
    return request


def test_a_provider_that_is_named_after_the_template_brings_its_own_key_spec_and_use(home: Path) -> None:
    make_ca()
    request = of_template()
    request.PrivateKey.ProviderName = "Microsoft Software Key Storage Provider"
    assert (request.PrivateKey.KeySpec, request.PrivateKey.KeyUsage) == (0, 0)
    request.Encode()
    assert KeyUse.SIGN in request.PrivateKey.stored_key().info.use
    legacy = of_template()
    legacy.PrivateKey.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
    assert legacy.PrivateKey.KeySpec == 2


@pytest.mark.parametrize(
    ("member", "value"), [("KeyUsage", 2), ("ExportPolicy", 0), ("Length", 0), ("KeyProtection", 0), ("Length", 4096)]
)
def test_what_a_script_set_stays_also_where_it_is_the_default(member: str, value: int, home: Path) -> None:
    make_ca()
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    setattr(key, member, value)
    new_request(key=key, template="User")
    assert getattr(key, member) == value


def test_an_algorithm_that_is_set_after_the_template_has_its_own_length(home: Path) -> None:
    make_ca()
    request = of_template()
    request.PrivateKey.Algorithm = oid(P256)
    assert request.PrivateKey.Length == 0
    request.Encode()
    (usage,) = [one for one in decode(request.RawData(BINARY)).extensions if one.oid == codec.KEY_USAGE]
    assert codec.decode_key_usage(usage.value) == 0x88  # an EC key agrees on keys, where an RSA key enciphers them


def test_an_export_that_the_script_asks_for_is_not_waived(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_ca()
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        request = new_request(key=new_key(KeyLocation=1, ExportPolicy=1), template="User")
        assert refused(request.Encode) == HRESULT.NTE_BAD_KEY_STATE


def test_an_extension_that_the_template_brought_is_suppressed_like_a_default(home: Path) -> None:
    make_ca()
    request = of_template()
    request.SuppressOids.Add(oid(codec.KEY_USAGE))
    request.Encode()
    assert codec.KEY_USAGE not in {one.oid for one in decode(request.RawData(BINARY)).extensions}


def test_a_decoded_request_knows_the_identifier_of_its_template(home: Path) -> None:
    make_ca()
    request = of_template()
    request.Encode()
    read = blank_request()
    read.InitializeDecode(request.RawData(BINARY), BINARY)
    assert read.TemplateObjectId.Value == request.TemplateObjectId.Value


def test_a_ca_that_cannot_be_read_counts_for_nothing(home: Path) -> None:
    make_ca()
    (home / "ca" / "policy.json").write_text("{", encoding="utf-8")
    request = of_template("Elsewhere")
    request.Encode()
    assert codec.TEMPLATE_NAME in {one.oid for one in decode(request.RawData(BINARY)).extensions}


def test_the_templates_of_the_local_ca_say_nothing_where_another_is_asked(home: Path) -> None:
    make_ca()
    other = """default_ca = 'HOST\\Other'\n[cas.'HOST\\Other']\ntransport = "scep"\nurl = "http://127.0.0.1:9/"\n"""
    (home / "profile.toml").write_text(other, encoding="utf-8")
    assert refused(getattr, of_template(), "TemplateObjectId") == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_a_template_that_the_directory_does_not_know_is_only_named(home: Path) -> None:
    make_ca()
    request = blank_request()
    request.InitializeFromTemplateName(1, "Elsewhere")
    assert refused(getattr, request, "TemplateObjectId") == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    request.Encode()
    assert [one.oid for one in decode(request.RawData(BINARY)).extensions].count(codec.TEMPLATE_NAME) == 1


def test_a_template_of_smart_cards_sends_the_key_to_the_card(home: Path) -> None:
    make_ca()
    request = new_request(key=Dispatch("X509Enrollment.CX509PrivateKey"), template="SmartcardLogon")
    assert request.PrivateKey.ProviderName == "Microsoft Base Smart Card Crypto Provider"
