"""Enrollment agents at the local CA, and templates that ask for signatures."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.asn1.attributes import NameValuePair
from certenroll.ca.base import Disposition
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.templates import ENROLLMENT_AGENT, Mode
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm
from tests.ca.conftest import Clock
from tests.support.ca_messages import (
    around,
    cmc,
    common_name,
    issued,
    party,
    pkcs7_on_behalf,
    pkcs10_of,
    submitted,
    template,
)
from tests.support.cmc_messages import AGENT_KEY, EC_KEY, RSA_KEY, THE_AGENT, Party

CAROL = "CORP\\carol"
TEMPLATES = {
    "Signed": {"signatures": 1, "signature_ekus": [ENROLLMENT_AGENT], "ekus": ["1.3.6.1.5.5.7.3.2"]},
    "Twice": {"signatures": 2, "signature_ekus": [ENROLLMENT_AGENT]},
    "Policy": {"signatures": 1, "signature_policies": ["1.2.3.4"]},
    "Held": {"signatures": 1, "mode": "hold"},
}


@pytest.fixture
def ca(tmp_path: Path, clock: Clock) -> LocalCA:
    policy = Policy(templates=TEMPLATES, mode=Mode.ISSUE)
    return LocalCA.create(tmp_path / "ca", "CA", host="h", algorithm=KeyAlgorithm.EC, bits=256, policy=policy, clock=clock)


@pytest.fixture
def agent(ca: LocalCA) -> Party:
    return party(ca, AGENT_KEY, "EnrollmentAgent", "agent")


def for_carol(kind: str, agent: Party, requester: str = CAROL) -> bytes:
    asked = pkcs10_of(EC_KEY, "", template("User"))
    if kind == "pkcs7":
        return pkcs7_on_behalf(agent, asked, requester)
    if kind == "cmc":
        return cmc(EC_KEY, asked, agent, pairs=[("RequesterName", requester)])
    inner = pkcs7_on_behalf(agent, asked, requester)
    return around(inner, agent)


@pytest.mark.parametrize("kind", ["pkcs7", "cmc", "pkcs7 in cmc"])
def test_an_agent_enrolls_another(ca: LocalCA, agent: Party, kind: str) -> None:
    assert common_name(issued(ca, for_carol(kind, agent))) == "carol"
    row = ca.requests()[-1]
    assert (row.requester, row.caller, row.template) == (CAROL, "CORP\\bob", "User")


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
def test_who_is_no_agent_enrolls_nobody_else(ca: LocalCA, kind: str) -> None:
    user = party(ca, RSA_KEY, "User", "user")
    answer = submitted(ca, for_carol(kind, user))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, HRESULT.CERTSRV_E_SIGNATURE_REJECTED)


def test_a_name_that_nobody_signed_is_refused(ca: LocalCA) -> None:
    message = cmc(EC_KEY, pkcs10_of(EC_KEY, "", template("User")), pairs=[("RequesterName", CAROL)])
    assert submitted(ca, message).status == HRESULT.CERTSRV_E_BAD_RENEWAL_SUBJECT


def test_an_inner_agent_does_not_stand_for_an_outer_name(ca: LocalCA, agent: Party) -> None:
    inner = pkcs7_on_behalf(agent, pkcs10_of(EC_KEY, "", template("User")), "CORP\\bob")
    user = party(ca, RSA_KEY, "User", "user")
    message = around(inner, user, pairs=[NameValuePair("RequesterName", CAROL)])
    assert submitted(ca, message, requester="CORP\\eve").status == HRESULT.CERTSRV_E_BAD_RENEWAL_SUBJECT


def test_one_may_name_oneself_without_an_agent(ca: LocalCA) -> None:
    message = cmc(EC_KEY, pkcs10_of(EC_KEY, "", template("User")), pairs=[("RequesterName", "corp\\BOB")])
    assert common_name(issued(ca, message)) == "bob"


def test_an_agent_of_another_ca_is_refused(ca: LocalCA) -> None:
    answer = submitted(ca, cmc(EC_KEY, pkcs10_of(EC_KEY, "", template("Signed")), THE_AGENT))
    assert answer.status == HRESULT.CERT_E_UNTRUSTEDROOT


@pytest.mark.parametrize("kind", ["pkcs7", "cmc"])
def test_an_agent_whose_certificate_is_revoked_or_over_is_refused(
    ca: LocalCA, agent: Party, clock: Clock, kind: str
) -> None:
    message = for_carol(kind, agent)
    ca.revoke(serial=agent.certificate.serial, reason=6)
    assert submitted(ca, message).status == HRESULT.CRYPT_E_REVOKED
    ca.revoke(serial=agent.certificate.serial, reason=8)
    assert submitted(ca, message).status == 0
    clock.pass_days(731)
    assert submitted(ca, message).status == HRESULT.CERT_E_EXPIRED


def test_a_held_request_of_an_agent_is_issued_to_whom_it_is_for(ca: LocalCA, agent: Party) -> None:
    asked = pkcs10_of(EC_KEY, "x", template("Held"))
    held = submitted(ca, cmc(EC_KEY, asked, agent, pairs=[("RequesterName", CAROL)]))
    assert held.disposition is Disposition.UNDER_SUBMISSION
    assert ca.issue(held.request_id).disposition is Disposition.ISSUED
    assert (ca.requests()[-1].requester, ca.requests()[-1].caller) == (CAROL, "CORP\\bob")


# What a template asks of signatures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "signers", "expected"),
    [
        ("Signed", "", HRESULT.CERTSRV_E_SIGNATURE_POLICY_REQUIRED),
        ("Signed", "agent", 0),
        ("Signed", "user", HRESULT.CERTSRV_E_SIGNATURE_REJECTED),
        ("Signed", "user agent", 0),
        ("Twice", "agent", HRESULT.CERTSRV_E_SIGNATURE_COUNT),
        ("Twice", "agent agent", HRESULT.CERTSRV_E_SIGNATURE_COUNT),
        ("Twice", "agent user", HRESULT.CERTSRV_E_SIGNATURE_REJECTED),
        ("Twice", "agent other", 0),
        ("Policy", "agent", HRESULT.CERTSRV_E_ISSUANCE_POLICY_REQUIRED),
    ],
)
def test_a_template_gets_the_signatures_that_it_asks_for(ca: LocalCA, name: str, signers: str, expected: int) -> None:
    known = {
        "agent": lambda: party(ca, AGENT_KEY, "EnrollmentAgent", "agent"),
        "other": lambda: party(ca, RSA_KEY, "EnrollmentAgent", "other"),
        "user": lambda: party(ca, RSA_KEY, "User", "user"),
    }
    parties = {one: known[one]() for one in set(signers.split())}
    message = cmc(EC_KEY, pkcs10_of(EC_KEY, "x", template(name)), *(parties[one] for one in signers.split()))
    answer = submitted(ca, message)
    assert (answer.status, answer.certificate is not None) == (expected, expected == 0), answer.message


def test_an_administrator_cannot_pass_over_missing_signatures(ca: LocalCA) -> None:
    answer = submitted(ca, cmc(EC_KEY, pkcs10_of(EC_KEY, "x", template("Signed"))))
    assert ca.issue(answer.request_id).status == HRESULT.CERTSRV_E_SIGNATURE_POLICY_REQUIRED
