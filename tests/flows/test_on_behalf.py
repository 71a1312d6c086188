"""Enrollment on behalf of another, through IX509Enrollment: the agent's key and the other's on every key store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.x509.oid import NameOID

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.hresults import HRESULT, signed
from tests.support.enrolling import BINARY, new_enrollment, new_request, refused
from tests.support.installed import (
    ALGORITHMS,
    CARD,
    PLACES,
    SOFTWARE,
    TPM,
    Place,
    enroll,
    installed,
    judged,
    make_ca,
    message,
)
from tests.support.profiles import keys, orphans

KINDS = ("Pkcs7", "Cmc")
CAROL = "CORP\\carol"


@pytest.fixture(params=PLACES, ids=lambda place: place.store)
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    chosen: Place = request.param
    return chosen.ready(request)


def for_carol(kind: str, agent: bytes, where: Place, algorithm: str = "EC") -> Any:
    """A request of an agent, with a key for carol at a place."""
    made = message(kind, agent, inner=new_request("", where.new_key(algorithm)))
    made.RequesterName = CAROL
    return made


def names_carol(ca: LocalCA, certificate: Any) -> bool:
    row = ca.requests()[-1]
    assert (row.requester, row.template) == (CAROL, "User")
    assert row.caller != CAROL
    return bool(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "carol")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_enrolls_another(place: Place, tmp_path: Path, kind: str, algorithm: str) -> None:
    ca = make_ca()
    agent = installed(place, algorithm, "CN=agent", "EnrollmentAgent")
    enrollment = enroll(for_carol(kind, agent, place, algorithm), "User")
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    assert names_carol(ca, judged(tmp_path, enrollment.Certificate(BINARY), place))
    assert {one.subject for one in facade.certificates("MY")} == {"CN=agent", "CN=carol"}
    assert orphans() == []


@pytest.mark.parametrize(("agents", "carols"), [(CARD, TPM), (TPM, SOFTWARE), (SOFTWARE, CARD)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_agents_key_and_the_others_may_be_at_different_places(
    request: pytest.FixtureRequest, profile: Path, tmp_path: Path, kind: str, agents: Place, carols: Place
) -> None:
    for one in (agents, carols):
        one.ready(request)
    ca = make_ca()
    agent = installed(agents, "RSA", "CN=agent", "EnrollmentAgent")
    enrollment = enroll(for_carol(kind, agent, carols), "User")
    assert names_carol(ca, judged(tmp_path, enrollment.Certificate(BINARY), carols))


def test_an_agent_puts_the_request_that_another_made_into_a_message_of_its_own(profile: Path, tmp_path: Path) -> None:
    ca = make_ca()
    agent = installed(SOFTWARE, "EC", "CN=agent", "EnrollmentAgent")
    carols = new_enrollment(new_request("", SOFTWARE.new_key("EC"), "User"))
    handed_in = message("Pkcs10")
    handed_in.InitializeDecode(carols.CreateRequest(BINARY), BINARY)
    of_the_agent = message("Cmc", agent, inner=handed_in)
    of_the_agent.RequesterName = CAROL
    of_the_agent.Encode()
    number = _submit(of_the_agent.RawData(BINARY))
    carols.InstallResponse(0, ca.retrieve(number).full_response, BINARY)
    assert names_carol(ca, judged(tmp_path, carols.Certificate(BINARY), SOFTWARE))


def _submit(request: bytes) -> str:
    import certenroll

    client: Any = certenroll.Dispatch("CertificateAuthority.Request")
    assert client.Submit(0x40402, request, "", "ca.test\\Test CA") == 3, client.GetDispositionMessage()
    return str(client.GetRequestId())


def test_two_agents_sign_where_a_template_asks_for_two(profile: Path, tmp_path: Path) -> None:
    ca = make_ca(templates={"Twice": {"signatures": 2, "signature_ekus": ["1.3.6.1.4.1.311.20.2.1"]}})
    agents = [installed(SOFTWARE, "EC", f"CN=agent {number}", "EnrollmentAgent") for number in (1, 2)]
    inner = new_request("CN=device", SOFTWARE.new_key("EC"), "Twice")
    enrollment = enroll(message("Cmc", *agents, inner=inner))
    found = judged(tmp_path, enrollment.Certificate(BINARY), SOFTWARE)
    assert (found.subject.rfc4514_string(), ca.requests()[-1].template) == ("CN=device", "Twice")


# Refusals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_who_is_no_agent_is_denied_and_nothing_of_the_request_is_left(place: Place, kind: str) -> None:
    make_ca()
    user = installed(place, "EC", "CN=user", "User")
    before = keys()
    enrollment = enroll(for_carol(kind, user, place), "User")
    status = enrollment.Status
    assert (status.Status, status.Error) == (
        EnrollmentEnrollStatus.EnrollDenied, signed(HRESULT.CERTSRV_E_SIGNATURE_REJECTED)
    )
    assert "Denied by Policy Module" in status.Text
    assert keys() == before
    assert facade.certificates("REQUEST") == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_agent_whose_key_is_gone_makes_no_key_for_another(profile: Path, kind: str) -> None:
    make_ca()
    agent = installed(SOFTWARE, "EC", "CN=agent", "EnrollmentAgent")
    request = for_carol(kind, agent, SOFTWARE)
    (container,) = keys()["software"]
    facade.delete_key("software", container)
    assert refused(enroll, request) == HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE
    assert keys()["software"] == []
    assert facade.pending_requests() == []
