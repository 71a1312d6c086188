"""A certificate asked for and handed to the caller, without being installed.

The request stays outstanding, as one that the CA answered elsewhere: its certificate can be installed from what the caller
was given, or retrieved again under the CA's number. Knows no objects of the model. Source: IX509EnrollmentHelper::Enroll.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.responses import read_response
from certenroll.ca.base import Answer, CAError, Disposition, Submission
from certenroll.engine import submission
from certenroll.engine.client_identity import client_identity
from certenroll.engine.installation import InstallOptions
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import Event

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace


def obtain(workspace: Workspace, request: submission.Enrollable) -> bytes:
    """Sends ``request`` to the profile's CA and gives the issued certificate in DER.

    Args:
        workspace: the stores.
        request: a request that can be enrolled for; its key is made where there is none.

    Raises:
        CAError: the CA does not answer. A request that certainly was not sent is withdrawn, with its new key.
        ComError: what Encode raises; E_PENDING where the CA holds the request, which stays; the CA's code where it refuses,
            and nothing stays; NTE_BAD_PUBLIC_KEY where it answers with certificates for other keys.
    """
    authority = workspace.authority(None)
    record = submission.note_request(workspace, request, InstallOptions(), "", "")
    record = workspace.requests.advance(record.id, Event.SUBMIT, ca_config=authority.config)
    try:
        answer = authority.submit(Submission(record.request or b"", requester=client_identity().user))
    except CAError as error:
        if not error.uncertain:
            submission.withdraw(workspace, workspace.requests.advance(record.id, Event.NOT_SENT))
        raise
    return _handed_over(workspace, record, answer, request.spki_bytes())


def _handed_over(workspace: Workspace, record: RequestRecord, answer: Answer, public_key: bytes) -> bytes:
    response = submission.response_of(answer)
    if answer.disposition is Disposition.ISSUED and response:
        submission.settle(workspace, record, _noted(answer))
        return _certificate_of(response, public_key)
    outcome = submission.settle(workspace, record, answer)
    if outcome.status is EnrollmentEnrollStatus.EnrollPended:
        held = f"{record.ca_config} holds the request under number {answer.request_id}: {answer.message}"
        raise ComError(HRESULT.E_PENDING, held)
    raise ComError(answer.status or HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, answer.message)


def _noted(answer: Answer) -> Answer:
    """The answer as the record keeps it: the certificate went to the caller."""
    return replace(
        answer, disposition=Disposition.ISSUED_OUT_OF_BAND, certificate=None, chain=(), full_response=None, crls=()
    )


def _certificate_of(response: bytes, public_key: bytes) -> bytes:
    certificates = [read_certificate(der) for der in read_response(response).certificates]
    found = next((one.der for one in certificates if one.public_key_info == public_key), None)
    if found is None:
        raise ComError(HRESULT.NTE_BAD_PUBLIC_KEY, "the CA's answer holds no certificate for the key of the request")
    return found
