"""CMC full responses before they are installed: what they say is heeded, and what does not fit the request is refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll import facade
from certenroll.asn1 import algorithms, cmc_requests, cmc_responses, pkcs10
from certenroll.asn1.algorithms import PrivateKey, SignatureScheme
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc_statuses import CmcStatus, FailInfo, PendInfo, Status
from certenroll.asn1.der import Attribute
from certenroll.asn1.responses import read_response
from certenroll.asn1.signed_messages import new_signer
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.templates import Mode
from certenroll.engine import submission
from certenroll.engine.full_responses import CR_IN_FULLRESPONSE, submission_flags
from certenroll.engine.installation import InstallOptions, install_response
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.properties import KeyProviderInfo
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import State
from keystores.base import KeyAlgorithm
from tests.stores.pki import NOW, Made, make
from tests.support.ca_messages import archiving, cmc, pkcs10_of
from tests.support.cmc_messages import AGENT, AGENT_KEY, EC_KEY, RSA_KEY
from tests.support.enrolling import BINARY, code, issue, requested
from tests.support.profiles import everything, make_ca

ROOT = make("root")
CA = make("ca", ROOT, ca=True)
GRANT = CmcStatus(Status.SUCCESS)


@pytest.fixture
def trusted(workspace: Workspace) -> Workspace:
    """A profile that trusts ROOT, at the time of the test certificates."""
    facade.add_certificate("ROOT", ROOT.der)
    return workspace


def response(status: CmcStatus, certificates: Iterable[Made] = (), told: Iterable[Attribute] = (), **how: Any) -> bytes:
    """A full response that the CA signed."""
    scheme = SignatureScheme("sha256")
    key = CA.key
    signer = new_signer(key.public_key(), scheme, algorithms.signer(key, scheme), certificate=read_certificate(CA.der))
    content = cmc_responses.new_response(status, attributes=told, **how)
    return cmc_responses.encode_full_response(content, [signer], [CA.der, *(one.der for one in certificates)])


def test_a_grant_is_installed(trusted: Workspace) -> None:
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    enrollment.InstallResponse(0, response(GRANT, [leaf], cmc_responses.issued_attributes(leaf.der)), BINARY)
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    assert [one.subject for one in facade.certificates("MY")] == ["CN=leaf"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (CmcStatus(Status.FAILED, text="no"), HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
        (CmcStatus(Status.FAILED, fail_info=FailInfo.BAD_ALG), HRESULT.NTE_BAD_ALGID),
        (CmcStatus(Status.CONFIRM_REQUIRED), HRESULT.WIN32_NOT_SUPPORTED),
        (CmcStatus(Status.PARTIAL), HRESULT.WIN32_INVALID_DATA),
        (CmcStatus(99), HRESULT.E_UNEXPECTED),
    ],
)
def test_a_refusal_is_an_error_though_it_brings_a_certificate(trusted: Workspace, status: CmcStatus, expected: int) -> None:
    enrollment, spki = requested()
    before = everything()
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(7, response(status, [issue(spki, CA)]), BINARY)
    assert code(caught.value) == expected
    assert everything() == before
    told = EnrollmentEnrollStatus.EnrollDenied if status.status == Status.FAILED else EnrollmentEnrollStatus.EnrollError
    assert enrollment.Status.Status == told


def test_a_pending_request_stays_pending_though_a_certificate_comes_along(trusted: Workspace) -> None:
    enrollment, spki = requested()
    wait = CmcStatus(Status.PENDING, text="wait", pend_info=PendInfo(b"7", datetime(2030, 1, 1, tzinfo=UTC)))
    enrollment.InstallResponse(0, response(wait, [issue(spki, CA)]), BINARY)
    assert enrollment.Status.Status == EnrollmentEnrollStatus.EnrollPended
    assert (facade.certificates("MY"), facade.certificates("CA")) == ([], [])
    (request,) = facade.pending_requests()
    assert (request.state, request.ca_request_id, request.message) == ("pending", "7", "wait")


def test_another_certificate_than_the_response_speaks_of_is_refused(trusted: Workspace) -> None:
    enrollment, spki = requested()
    told = cmc_responses.issued_attributes(issue(spki, CA).der)
    before = everything()
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(7, response(GRANT, [issue(spki, CA)], told), BINARY)
    assert code(caught.value) == HRESULT.CRYPT_E_HASH_VALUE
    assert everything() == before


def test_an_archived_key_that_was_never_sent_is_refused(trusted: Workspace) -> None:
    enrollment, spki = requested()
    leaf = issue(spki, CA)
    told = cmc_responses.issued_attributes(leaf.der, bytes(20))
    with pytest.raises(ComError) as caught:
        enrollment.InstallResponse(7, response(GRANT, [leaf], told), BINARY)
    assert code(caught.value) == HRESULT.XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH


# With a CMC request --------------------------------------------------------------------------------------------------


class Prepared:
    """A CMC request that stands in for one of the object model."""

    def __init__(self, key: PrivateKey, message: bytes) -> None:
        self._spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._message = message

    is_encoded = True
    format_name = "CMC"
    template_name = ""
    reuses_key = True

    @property
    def key_object(self) -> Prepared:
        return self

    def provider_info(self) -> KeyProviderInfo:
        return KeyProviderInfo("container", "software")

    def confirm_creation(self) -> None:
        """There was none."""

    def encode_pending(self) -> None:
        """It is encoded."""

    def der_bytes(self) -> bytes:
        return self._message

    def subject_der(self) -> bytes:
        return b"\x30\x00"

    def spki_bytes(self) -> bytes:
        return self._spki


def noted(workspace: Workspace, key: PrivateKey, message: bytes) -> RequestRecord:
    """The request, written down as enrolling does it."""
    return submission.note_request(workspace, Prepared(key, message), InstallOptions(), "", "")


def leaf_of(key: PrivateKey) -> Made:
    return make("leaf", CA, private=key)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, HRESULT.XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND),
        (bytes(20), HRESULT.XENROLL_E_RESPONSE_KA_HASH_MISMATCH),
    ],
)
def test_the_archived_key_must_be_the_one_that_was_sent(trusted: Workspace, told: bytes | None, expected: int) -> None:
    message = archiving(EC_KEY, AGENT)
    noted(trusted, EC_KEY, message)
    leaf = leaf_of(EC_KEY)
    answer = response(GRANT, [leaf], cmc_responses.issued_attributes(leaf.der, told))
    before = everything()
    with pytest.raises(ComError) as caught:
        install_response(trusted, read_response(answer), 7, InstallOptions())
    assert (code(caught.value), everything()) == (expected, before)


def test_the_archived_key_that_was_sent_is_confirmed(trusted: Workspace) -> None:
    message = archiving(EC_KEY, AGENT)
    noted(trusted, EC_KEY, message)
    leaf = leaf_of(EC_KEY)
    told = cmc_responses.issued_attributes(leaf.der, cmc_requests.decode(message).data.archived_key_hash)
    found = install_response(trusted, read_response(response(GRANT, [leaf], told)), 0, InstallOptions())
    assert found.certificate == leaf.der


def test_an_answer_to_another_request_is_refused(trusted: Workspace) -> None:
    noted(trusted, EC_KEY, cmc(EC_KEY, pkcs10_of(EC_KEY), sender_nonce=b"mine"))
    other = cmc_requests.new_pki_data(sender_nonce=b"another's").controls
    with pytest.raises(ComError) as caught:
        install_response(trusted, read_response(response(GRANT, [leaf_of(EC_KEY)], answering=other)), 7, InstallOptions())
    assert code(caught.value) == HRESULT.WIN32_INVALID_DATA


# From request to certificate, through the local CA -------------------------------------------------------------------


def test_only_cmc_requests_ask_for_a_full_response() -> None:
    assert submission_flags(cmc(EC_KEY, pkcs10_of(EC_KEY))) == CR_IN_FULLRESPONSE
    for other in (pkcs10.encode(pkcs10_of(EC_KEY)), b"", b"damaged", b"0\x00"):
        assert submission_flags(other) == 0


def test_a_cmc_request_is_enrolled_by_its_full_response(home: Path) -> None:
    make_ca()
    workspace = open_workspace()
    message = cmc(EC_KEY, pkcs10_of(EC_KEY), transaction_id=5, sender_nonce=b"mine")
    outcome = submission.submit(workspace, noted(workspace, EC_KEY, message), {})
    assert outcome.status == EnrollmentEnrollStatus.Enrolled
    read = read_response(outcome.response)
    assert read.cmc is not None
    assert read.cmc.recipient_nonce == b"mine"
    found = install_response(workspace, read, 0, InstallOptions())
    assert found.certificate is not None
    assert workspace.requests.get(outcome.record.id).state is State.INSTALLED


def test_an_archived_key_goes_all_the_way(home: Path) -> None:
    policy = Policy(templates={"Archive": {"archive_key": True}})
    ca = LocalCA.create(home / "ca", "CA", host="h", algorithm=KeyAlgorithm.EC, bits=256, policy=policy)
    facade.add_certificate("ROOT", ca.certificates()[-1])
    ca.add_recovery_agent(_agent())
    workspace = open_workspace()
    message = archiving(RSA_KEY, ca.exchange_certificate())
    outcome = submission.submit(workspace, noted(workspace, RSA_KEY, message), {"CertificateTemplate": "Archive"})
    assert install_response(workspace, read_response(outcome.response), 0, InstallOptions()).certificate is not None
    assert ca.recover(outcome.record.ca_request_id, AGENT_KEY).private_numbers() == RSA_KEY.private_numbers()


def _agent() -> bytes:
    days = (datetime.now(UTC) - NOW).days
    return make("recovery agent", private=AGENT_KEY, ca=False, days=(-1, days + 100)).der


@pytest.mark.parametrize(
    ("mode", "status"),
    [(Mode.HOLD, EnrollmentEnrollStatus.EnrollPended), (Mode.DENY, EnrollmentEnrollStatus.EnrollDenied)],
)
def test_what_is_held_or_denied_brings_nothing_to_install(
    home: Path, mode: Mode, status: EnrollmentEnrollStatus
) -> None:
    ca = make_ca(mode)
    workspace = open_workspace()
    outcome = submission.submit(workspace, noted(workspace, EC_KEY, cmc(EC_KEY, pkcs10_of(EC_KEY))), {})
    assert (outcome.status, outcome.response) == (status, b"")
    if mode is Mode.HOLD:
        ca.issue(outcome.record.ca_request_id)
        later = submission.retrieve(workspace, outcome.record)
        assert read_response(later.response).cmc is not None
