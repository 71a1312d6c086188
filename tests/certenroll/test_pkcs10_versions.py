"""Versions 2 to 4 of IX509CertificateRequestPkcs10, and templates as objects in the other request objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import certenroll
from certenroll.asn1 import attributes, cmc_requests
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, blank_request, encoded, new_key, new_request, oid, refused
from tests.support.profiles import make_ca
from tests.support.wrapping import blank, installed_signer, pair

EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
PASSWORD = "1.2.840.113549.1.9.7"
TEMPLATE_EXTENSIONS = {"1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.20.2"}


@pytest.fixture
def policy(home: Path) -> tuple[Any, Any]:
    """The policy server of the profile's CA, and its first template."""
    make_ca()
    server: Any = certenroll.Dispatch("X509Enrollment.CX509EnrollmentPolicyActiveDirectory")
    server.Initialize("LDAP:", "", 2, True, 1)
    server.LoadPolicy(0)
    return server, server.GetTemplates().ItemByIndex(0)


def test_a_challenge_password_becomes_an_attribute(home: Path) -> None:
    request = new_request()
    assert refused(getattr, request, "ChallengePassword") == EMPTY
    request.ChallengePassword = "open sesame"
    (value,) = encoded(request).values(PASSWORD)
    assert attributes.decode_challenge_password(value) == "open sesame"


def test_name_value_pairs_become_an_attribute_each(home: Path) -> None:
    request = new_request()
    request.NameValuePairs.Add(pair("CertificateTemplate", "WebServer"))
    request.NameValuePairs.Add(pair("SAN", "dns=a.example"))
    found = [attributes.decode_name_value_pair(one) for one in encoded(request).values(attributes.NAME_VALUE_PAIR)]
    assert len(x509.load_der_x509_csr(request.RawData(BINARY)).attributes) >= 2  # pyca reads no attribute of two values
    assert {(one.name, one.value) for one in found} == {("CertificateTemplate", "WebServer"), ("SAN", "dns=a.example")}


def test_a_key_that_must_be_attested_is_refused_before_it_is_made(home: Path) -> None:
    request = new_request()
    request.AttestPrivateKey = True
    assert refused(request.Encode) == HRESULT.NTE_NOT_SUPPORTED
    assert request.key_object.Opened is False
    request.AttestPrivateKeyPreferred = True
    request.Encode()


def test_cipher_and_certificate_of_an_attestation_are_checked(home: Path) -> None:
    request = new_request()
    assert refused(setattr, request, "EncryptionAlgorithm", oid("1.2.3")) == HRESULT.NTE_BAD_ALGID
    assert refused(setattr, request, "EncryptionStrength", 1) == HRESULT.NTE_BAD_LEN
    assert refused(request.SetAttestationEncryptionCertificate, BINARY, b"no certificate") >> 16 == 0x8009
    assert refused(request.AttestationEncryptionCertificate) == EMPTY


def test_a_template_object_gives_extensions_and_the_size_of_the_key(policy: tuple[Any, Any]) -> None:
    server, template = policy
    request = blank_request()
    request.InitializeFromTemplate(1, server, template)
    assert request.PolicyServer is server
    assert request.Template is template
    assert request.PrivateKey.Length == template.template_facts().minimum_key_size
    assert TEMPLATE_EXTENSIONS & {one.oid for one in encoded(request).extensions}


def test_a_template_object_goes_with_a_key_of_ones_own(policy: tuple[Any, Any]) -> None:
    request = blank_request()
    request.InitializeFromPrivateKeyTemplate(1, new_key(), *policy)
    request.Encode()
    other = blank_request()
    other.InitializeFromPublicKeyTemplate(1, request.PublicKey, *policy)
    other.Encode()
    assert (request.NullSigned, other.NullSigned) == (False, True)
    assert refused(blank_request().InitializeFromTemplate, 1, None, policy[1]) == HRESULT.E_POINTER


def test_a_template_object_stands_beside_the_request_inside_a_cmc(policy: tuple[Any, Any]) -> None:
    request = blank("Cmc")
    request.InitializeFromInnerRequestTemplate(new_request(), *policy)
    request.Encode()
    assert request.Template is policy[1]
    found = cmc_requests.decode(request.RawData(BINARY)).data.extensions
    assert TEMPLATE_EXTENSIONS & {one.oid for one in found}


@pytest.mark.parametrize("kind", ["Pkcs7", "Cmc", "Certificate"])
def test_every_kind_of_request_is_made_from_a_template_object(policy: tuple[Any, Any], kind: str) -> None:
    request = blank(kind)
    request.InitializeFromTemplate(1, *policy)
    if kind == "Pkcs7":
        request.SignerCertificate = installed_signer()
    request.Encode()
    assert request.Template is policy[1]
    assert request.PolicyServer is policy[0]
