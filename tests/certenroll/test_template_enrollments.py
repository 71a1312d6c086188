"""IX509Enrollment for a template: the type of request that the template needs, and the CA's exchange certificate for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch, facade
from certenroll.asn1 import cmc_requests
from certenroll.asn1.certificates import read_certificate
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.hresults import HRESULT
from certenroll.templates import template_from
from tests.flows.test_key_archival import agents_certificate
from tests.support.enrolling import BINARY, name, new_request, refused
from tests.support.installed import make_ca
from tests.support.wrapping import blank

PKCS10, CMC = 1, 3


def enrollment() -> Any:
    return Dispatch("X509Enrollment.CX509Enrollment")


@pytest.mark.parametrize(
    ("facts", "kind", "archives"),
    [
        (TemplateFacts("Plain"), PKCS10, None),
        (TemplateFacts("Archive", private_key_flags=1), CMC, True),
        (TemplateFacts("Agents", ra_signatures=1), CMC, False),
    ],
    ids=["plain", "archival", "signatures"],
)
def test_a_template_of_a_policy_server_decides_the_type(
    facts: TemplateFacts, kind: int, archives: bool | None, home: Path
) -> None:
    begun = enrollment()
    begun.Silent, begun.ParentWindow = True, 7
    server = Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService")
    begun.InitializeFromTemplate(1, server, template_from(facts))
    request = begun.Request
    assert (request.Type, request.Silent, request.ParentWindow) == (kind, True, 7)
    if kind == CMC:
        assert request.ArchivePrivateKey is archives


@pytest.mark.parametrize(("template", "kind"), [("Archive", CMC), ("archive", CMC), ("User", PKCS10), ("Unknown", PKCS10)])
def test_a_template_that_is_named_decides_the_type(template: str, kind: int, home: Path) -> None:
    make_ca(templates={"Archive": {"archive_key": True}})
    begun = enrollment()
    begun.InitializeFromTemplateName(1, template)
    assert begun.Request.Type == kind
    assert refused(begun.InitializeFromTemplateName, 1, template) == HRESULT.WIN32_ALREADY_INITIALIZED


def test_an_archived_key_goes_to_the_ca_without_another_word(home: Path) -> None:
    ca = make_ca(templates={"Archive": {"archive_key": True}})
    ca.add_recovery_agent(agents_certificate())
    begun = enrollment()
    begun.InitializeFromTemplateName(1, "Archive")
    begun.Request.GetInnerRequest(1).Subject = name("CN=archived")
    begun.Enroll()
    assert begun.Status.Status == EnrollmentEnrollStatus.Enrolled
    assert begun.Request.KeyArchivalCertificate(BINARY) == ca.exchange_certificate()
    assert cmc_requests.decode(begun.Request.RawData(BINARY)).archived_key is not None


def test_without_a_ca_that_is_trusted_no_key_is_made(home: Path) -> None:
    ca = make_ca(templates={"Archive": {"archive_key": True}})
    facade.delete_certificate("ROOT", read_certificate(ca.certificates()[-1]).sha1.hex())
    begun = enrollment()
    begun.InitializeFromTemplateName(1, "Archive")
    assert refused(begun.CreateRequest) in (HRESULT.CERT_E_CHAINING, HRESULT.CERT_E_UNTRUSTEDROOT)
    assert (begun.Request.GetInnerRequest(1).PrivateKey.Opened, facade.pending_requests()) == (False, [])


def test_a_scripts_own_request_names_its_exchange_certificate_itself(home: Path) -> None:
    make_ca()
    request = blank("Cmc")
    request.InitializeFromInnerRequest(new_request())
    request.ArchivePrivateKey = True
    begun = enrollment()
    begun.InitializeFromRequest(request)
    assert refused(begun.CreateRequest) == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED
