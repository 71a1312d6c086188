"""Requests that wait or are denied, as CMC and as PKCS #7: what an enrollment tells, and how a later process goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import certenroll
from certenroll import facade
from certenroll.asn1.cmc_statuses import Outcome
from certenroll.asn1.responses import read_response
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.stores.properties import ENROLLMENT, Enrollment, decode_enrollment
from keystores.base import KeyAlgorithm
from tests.support.cli import command
from tests.support.enrolling import BINARY, code, new_enrollment, new_request, refused
from tests.support.installed import (
    PLACES,
    SOFTWARE,
    Place,
    change_policy,
    enroll,
    installed,
    judged,
    make_ca,
    message,
)
from tests.support.profiles import everything, keys, orphans

KINDS = ("Pkcs7", "Cmc")
CONFIG = "ca.test\\Test CA"
FULL = 0x40000  # CR_IN_FULLRESPONSE
BINARY_FORM = 2  # CR_IN_BINARY, CR_OUT_BINARY
FULL_RESPONSE, BINARY_PROPERTY = 1, 3  # FR_PROP_FULLRESPONSE, PROPTYPE_BINARY
ISSUED, DENIED, UNDER_SUBMISSION = 3, 2, 5
ROOT = Path(__file__).resolve().parents[2]
_S = EnrollmentEnrollStatus

# What a script does days later, by the two things that it wrote down.
LATER = """
import sys, certenroll
number, config, full = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "full"
client = certenroll.Dispatch("CertificateAuthority.Request")
disposition = client.RetrievePending(number, config)
if disposition == 3:
    response = client.GetFullResponseProperty(1, 0, 3, 2) if full else client.GetCertificate(0x102)
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(1)
    enrollment.InstallResponse(0, response, 2)
    assert enrollment.Status.Status == 1
print(disposition, client.GetLastStatus() & 0xFFFFFFFF, client.GetDispositionMessage(), sep="|")
"""


@pytest.fixture(params=PLACES, ids=lambda place: place.store)
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    chosen: Place = request.param
    return chosen.ready(request)


def of_kind(kind: str, where: Place = SOFTWARE, subject: str = "CN=late") -> Any:
    """A request of that kind; an agent signs a PKCS #7, the request's own key a CMC."""
    inner = new_request(subject, where.new_key("EC"))
    if kind == "Cmc":
        return message("Cmc", inner=inner)
    return message("Pkcs7", installed(where, "EC", "CN=agent", "EnrollmentAgent"), inner=inner)


def held(kind: str, where: Place = SOFTWARE, mode: Mode = Mode.HOLD) -> tuple[LocalCA, Any]:
    """The CA, and an enrollment whose request it holds (or denies)."""
    ca = make_ca()
    request = of_kind(kind, where)
    ca = change_policy(ca, mode=mode)
    return ca, enroll(request)


def later(*arguments: str, code: int = 0) -> str:
    """What another process prints, errors included; the test fails where it does not end with ``code``."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, timeout=60, check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return (done.stdout + done.stderr).strip()


def xenroll(*arguments: str, code: int = 0) -> str:
    """What the command prints, in a process of its own: of the operator of the CA, or of the user days later."""
    return later(*command(*arguments)[3:], code=code)


def late(certificates: list[Any]) -> list[bytes]:
    return [one.der for one in certificates if one.subject == "CN=late"]


# Enroll --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_enrollment_tells_that_its_request_waits_and_where(profile: Path, kind: str) -> None:
    ca, enrollment = held(kind)
    (waiting,) = ca.pending()
    status = enrollment.Status
    assert (status.Status, status.Error, status.ErrorText) == (_S.EnrollPended, 0, "")
    assert status.Text == "Taken Under Submission"
    assert (enrollment.RequestId, enrollment.RequestIdString) == (waiting.id, str(waiting.id))
    assert enrollment.CAConfigString == CONFIG
    assert refused(enrollment.Certificate) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    (request,) = facade.pending_requests()
    assert (request.state, request.subject, request.ca_request_id) == ("pending", "CN=late", str(waiting.id))
    (stands_for_it,) = facade.certificates("REQUEST")
    assert decode_enrollment(stands_for_it.properties[ENROLLMENT]) == Enrollment(waiting.id, "ca.test", "Test CA")


def test_the_response_to_a_cmc_request_that_waits_is_a_full_response(profile: Path) -> None:
    _, enrollment = held("Cmc")
    assert read_response(enrollment.Response(BINARY)).outcome is Outcome.PENDING


def test_there_is_no_response_to_a_pkcs7_request_that_waits(profile: Path) -> None:
    _, enrollment = held("Pkcs7")
    assert refused(enrollment.Response) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


@pytest.mark.parametrize("kind", KINDS)
def test_an_enrollment_tells_that_its_request_was_denied_and_why(place: Place, kind: str) -> None:
    ca = make_ca()
    request = of_kind(kind, place)
    before = keys()
    ca = change_policy(ca, mode=Mode.DENY)
    enrollment = enroll(request)
    status = enrollment.Status
    assert (status.Status, status.Error) == (_S.EnrollDenied, signed(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST))
    assert status.Text == ca.requests()[-1].message
    assert f"0x{int(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST):08x}" in status.ErrorText
    assert (enrollment.RequestId, enrollment.CAConfigString) == (ca.requests()[-1].id, CONFIG)
    assert facade.certificates("REQUEST") == []
    assert facade.pending_requests() == []
    assert keys() == before
    assert orphans() == []


# Later ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_process_retrieves_by_id_and_installs(place: Place, tmp_path: Path, kind: str) -> None:
    _, enrollment = held(kind, place)
    number = enrollment.RequestIdString
    form = "full" if kind == "Cmc" else "chain"
    assert later("-c", LATER, number, CONFIG, form).startswith(f"{UNDER_SUBMISSION}|0|")
    assert late(facade.certificates("MY")) == []
    xenroll("ca", "issue", number)
    assert later("-c", LATER, number, CONFIG, form).startswith(f"{ISSUED}|0|")
    (certificate,) = late(facade.certificates("MY"))
    judged(tmp_path, certificate, place)
    assert facade.pending_requests() == []
    assert facade.certificates("REQUEST") == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_retrieves_what_waits(profile: Path, tmp_path: Path, kind: str) -> None:
    ca, enrollment = held(kind)
    ca.issue(enrollment.RequestIdString)
    xenroll("pending", "retrieve", enrollment.RequestIdString)
    (certificate,) = late(facade.certificates("MY"))
    judged(tmp_path, certificate, SOFTWARE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_later_process_hears_of_a_denial_and_the_command_clears_up(place: Place, kind: str) -> None:
    _, enrollment = held(kind, place)
    number = enrollment.RequestIdString
    xenroll("ca", "deny", number, "--reason", "not this time")
    told = later("-c", LATER, number, CONFIG, "full")
    assert told == f"{DENIED}|{int(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST)}|Denied by the administrator: not this time"
    assert [one.state for one in facade.pending_requests()] == ["pending"]
    assert "Denied by the administrator: not this time" in xenroll("pending", "retrieve", number, code=1)
    assert facade.certificates("REQUEST") == []
    assert facade.pending_requests() == []
    assert orphans() == []


def test_a_request_under_a_wrong_number_takes_nobody_elses_certificate(profile: Path) -> None:
    ca, enrollment = held("Cmc")
    other = enroll(new_request("CN=other", SOFTWARE.new_key("EC")))
    ca.issue(other.RequestIdString)
    thumbprint = facade.request_thumbprint(enrollment)
    facade.set_pending_info(thumbprint, other.RequestIdString, CONFIG, "")
    before = everything()
    with pytest.raises(ComError) as caught:
        facade.retrieve_pending(thumbprint)
    assert (code(caught.value), everything()) == (HRESULT.WIN32_INVALID_DATA, before)


# Full responses that a script carries by hand ---------------------------------------------------------------------------


def created(kind: str, **facts: int) -> tuple[Any, bytes]:
    """An enrollment whose request a script sends by itself, and the request."""
    request = of_kind(kind)
    for member, value in facts.items():
        setattr(request, member, value)
    enrollment = new_enrollment(request)
    return enrollment, enrollment.CreateRequest(BINARY)


def carried(request: bytes, config: str = CONFIG) -> tuple[int, bytes]:
    """The CA's disposition and its full response, as ICertRequest3 gives them."""
    client: Any = certenroll.Dispatch("CertificateAuthority.Request")
    disposition = client.Submit(BINARY_FORM | FULL, request, "", config)
    return disposition, client.GetFullResponseProperty(FULL_RESPONSE, 0, BINARY_PROPERTY, BINARY_FORM)


def fresh() -> Any:
    """The enrollment of a later process: it knows of no request."""
    return new_enrollment()


@pytest.mark.parametrize("installer", ["the same object", "another one"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pending_full_response_makes_its_request_a_pending_one(
    profile: Path, tmp_path: Path, kind: str, installer: str
) -> None:
    ca = make_ca()
    enrollment, request = created(kind)
    ca = change_policy(ca, mode=Mode.HOLD)
    disposition, response = carried(request)
    assert disposition == UNDER_SUBMISSION
    reader = enrollment if installer == "the same object" else fresh()
    reader.InstallResponse(0, response, BINARY)
    (waiting,) = ca.pending()
    assert (reader.Status.Status, reader.Status.Error) == (_S.EnrollPended, 0)
    assert reader.Status.Text == "Taken Under Submission"
    assert (reader.RequestId, reader.CAConfigString) == (waiting.id, CONFIG)
    (record,) = facade.pending_requests()
    assert (record.state, record.ca_request_id, record.ca_config) == ("pending", str(waiting.id), CONFIG)
    (stands_for_it,) = facade.certificates("REQUEST")
    assert decode_enrollment(stands_for_it.properties[ENROLLMENT]).request_id == waiting.id
    ca.issue(str(waiting.id))
    xenroll("pending", "retrieve", str(waiting.id))
    judged(tmp_path, late(facade.certificates("MY"))[0], SOFTWARE)


def test_a_pending_full_response_may_be_read_twice_and_then_the_grant(profile: Path) -> None:
    ca = make_ca(mode=Mode.HOLD)
    enrollment, request = created("Cmc")
    _, response = carried(request)
    for reader in (enrollment, fresh()):
        reader.InstallResponse(0, response, BINARY)
        assert reader.Status.Status == _S.EnrollPended
    grant = ca.issue(enrollment.RequestIdString).full_response
    enrollment.InstallResponse(0, grant, BINARY)
    assert enrollment.Status.Status == _S.Enrolled
    assert facade.pending_requests() == []


def test_of_several_requests_the_one_whose_transaction_is_repeated_waits(profile: Path) -> None:
    make_ca(mode=Mode.HOLD)
    created("Cmc", TransactionId=11)
    _, request = created("Cmc", TransactionId=12)
    created("Cmc")
    _, response = carried(request)
    fresh().InstallResponse(0, response, BINARY)
    assert [one.state for one in facade.pending_requests()] == ["made", "pending", "made"]


def test_where_two_requests_can_be_meant_none_is_guessed_at(profile: Path) -> None:
    make_ca(mode=Mode.HOLD)
    created("Cmc")
    enrollment, request = created("Cmc")
    _, response = carried(request)
    before = everything()
    unknowing = fresh()
    unknowing.InstallResponse(0, response, BINARY)
    assert (unknowing.Status.Status, everything()) == (_S.EnrollPended, before)
    assert refused(lambda: unknowing.RequestId) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    enrollment.InstallResponse(0, response, BINARY)
    assert [one.state for one in facade.pending_requests()] == ["made", "pending"]


def test_an_enrollment_does_not_take_the_wait_of_another_request_for_its_own(profile: Path) -> None:
    make_ca(mode=Mode.HOLD)
    enrollment, _ = created("Cmc", TransactionId=11)
    _, request = created("Cmc", TransactionId=12)
    _, response = carried(request)
    enrollment.InstallResponse(0, response, BINARY)
    assert [one.state for one in facade.pending_requests()] == ["made", "made"]


def test_a_request_that_waits_at_an_unknown_ca_is_not_asked_for_at_another(profile: Path, tmp_path: Path) -> None:
    make_ca()
    elsewhere = LocalCA.create(
        tmp_path / "elsewhere", "Other", host="other", algorithm=KeyAlgorithm.EC, bits=256, policy=Mode.HOLD
    )
    enrollment, request = created("Cmc")
    answer = elsewhere.submit(Submission(request, flags=FULL))
    enrollment.InstallResponse(0, answer.full_response, BINARY)
    (record,) = facade.pending_requests()
    assert (record.state, record.ca_request_id, record.ca_config) == ("pending", "1", "")
    before = everything()
    assert refused(facade.retrieve_pending, record.thumbprint) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert everything() == before
    enrollment.InstallResponse(4, elsewhere.issue("1").full_response, BINARY)
    assert enrollment.Status.Status == _S.Enrolled


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_response_that_denies_is_an_error_with_the_cas_sentence_and_changes_nothing(profile: Path, kind: str) -> None:
    ca = make_ca()
    enrollment, request = created(kind)
    ca = change_policy(ca, mode=Mode.DENY)
    disposition, response = carried(request)
    assert disposition == DENIED
    before = everything()
    with pytest.raises(ComError, match="Denied by Policy Module") as caught:
        enrollment.InstallResponse(0, response, BINARY)
    assert (code(caught.value), everything()) == (HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, before)
    assert enrollment.Status.Status == _S.EnrollDenied
    assert enrollment.Status.Error == signed(HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST)
    assert enrollment.Status.Text.startswith("Denied by Policy Module")
    grant = ca.issue(str(ca.requests()[-1].id))  # an administrator thought better of it, and the key is still there
    enrollment.InstallResponse(0, grant.full_response, BINARY)
    assert enrollment.Status.Status == _S.Enrolled


# A request that is a certificate -----------------------------------------------------------------------------------------


def test_a_certificate_request_is_not_sent_and_nothing_is_made(profile: Path) -> None:
    ca = make_ca()
    request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestCertificate")
    request.InitializeFromPrivateKey(1, SOFTWARE.new_key("EC"), "")
    enrollment = new_enrollment(request)
    before = everything()
    with pytest.raises(ComError, match="InstallResponse installs it") as caught:
        enrollment.Enroll()
    assert (code(caught.value), everything(), ca.requests()) == (HRESULT.CRYPT_E_INVALID_MSG_TYPE, before, ())
    assert enrollment.Status.Status == _S.EnrollError
    made = enrollment.CreateRequest(BINARY)
    enrollment.InstallResponse(2, made, BINARY)
    assert [one.der for one in facade.certificates("MY")] == [made]
