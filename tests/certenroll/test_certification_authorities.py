"""ICertificationAuthority and ICertificationAuthorities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from certenroll.ca.policies.local_templates import directory_policy
from certenroll.ca.policies.template_facts import AuthorityFacts, AuthorityUri
from certenroll.certification_authorities import (
    _PROPERTIES,
    ICertificationAuthorities,
    ICertificationAuthority,
    authority_from,
)
from certenroll.enums import EnrollmentCAProperty
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support.profiles import make_ca

P = EnrollmentCAProperty


def refused(code: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult & 0xFFFFFFFF == code


@pytest.fixture
def local(home: Path) -> ICertificationAuthority:
    make_ca()
    return authority_from(directory_policy([home / "ca"]).authorities[0])


@pytest.fixture
def served(local: ICertificationAuthority) -> ICertificationAuthority:
    """The same CA as a policy document shows it."""
    uris = (AuthorityUri("https://ces.test/CES", 4, 1, False), AuthorityUri("https://ces.test/renew", 8, None, True))
    return authority_from(AuthorityFacts(0, local.authority_facts().certificate, uris))


def test_a_local_ca_says_what_its_folder_says(local: ICertificationAuthority) -> None:
    assert local.Property(P.CAPropCommonName) == "Test CA"
    assert local.Property(P.CAPropDNSName) == "ca.test"
    assert local.Property(P.CAPropDistinguishedName).Name == "CN=Test CA"
    assert local.Property(P.CAPropSanitizedName) == "Test CA"
    assert "WebServer" in local.Property(P.CAPropCertificateTypes)
    assert local.Property(P.CAPropCertificate) == local.authority_facts().certificate
    assert "Test CA" in local.Property(P.CAPropDescription)
    assert local.Property(P.CAPropRenewalOnly) is False
    for empty in (P.CAPropWebServers, P.CAPropSiteName, P.CAPropSecurity):
        refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, local.Property, empty)


def test_a_ca_of_a_document_is_named_by_its_certificate(served: ICertificationAuthority) -> None:
    assert served.Property(P.CAPropCommonName) == "Test CA"
    assert served.Property(P.CAPropWebServers) == ["https://ces.test/CES\n4\n1\n0", "https://ces.test/renew\n8\n0\n1"]
    assert served.Property(P.CAPropRenewalOnly) is False
    for empty in (P.CAPropDNSName, P.CAPropCertificateTypes, P.CAPropDescription):
        refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, served.Property, empty)


def test_a_ca_that_renews_alone_says_so(served: ICertificationAuthority) -> None:
    facts = served.authority_facts()
    renewing = authority_from(AuthorityFacts(0, facts.certificate, facts.uris[1:]))
    assert renewing.Property(P.CAPropRenewalOnly) is True


@pytest.mark.parametrize("name", ["#1 CA", "A" * 60])
def test_a_name_is_sanitized_and_shortened(local: ICertificationAuthority, name: str) -> None:
    made = authority_from(AuthorityFacts(0, local.authority_facts().certificate, config=f"h\\{name}"))
    assert made.Property(P.CAPropCommonName) == name
    assert made.Property(P.CAPropSanitizedName) == name.replace("#", "!0023")
    assert len(made.Property(P.CAPropSanitizedShortName)) <= 57


def test_every_property_has_an_answer() -> None:
    assert set(_PROPERTIES) == set(P)
    refused(HRESULT.OLE_E_BLANK, ICertificationAuthority().Property, P.CAPropCommonName)
    refused(HRESULT.E_INVALIDARG, ICertificationAuthority().Property, 13)


def test_a_certificate_that_is_none_is_an_error_of_its_own() -> None:
    with pytest.raises(ComError) as caught:
        authority_from(AuthorityFacts(0, b"0\x00")).Property(P.CAPropDistinguishedName)
    assert caught.value.code_name.startswith("CRYPT_E_ASN1")
    with pytest.raises(ComError) as caught:
        authority_from(AuthorityFacts(0, b"0\x00")).Property(P.CAPropCommonName)
    assert caught.value.code_name.startswith("CRYPT_E_ASN1")


def test_a_collection_finds_by_name(local: ICertificationAuthority) -> None:
    found = ICertificationAuthorities([local])
    assert found.ItemByName("TEST ca") is local
    refused(HRESULT.WIN32_NOT_FOUND, found.ItemByName, "Other")
    found.ComputeSiteCosts()
    found.Add(local)
    assert found.Count == 2
    refused(HRESULT.DISP_E_TYPEMISMATCH, found.Add, found)
