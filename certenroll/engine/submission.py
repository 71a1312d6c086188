"""Noting a request in the profile, sending it to a CA, and asking for an answer that is due.

Each step is written down before it is taken: a request that may have reached a CA is never sent again before that CA was
asked. Knows no objects of the model but the request that is encoded. Source: IX509Enrollment::CreateRequest and Enroll;
CR_DISP_* of ICertRequest::Submit.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from certenroll.asn1.certificates import read_certificate, request_certificate
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Answer, CAError, CertificationAuthority, Disposition, Finder, Submission
from certenroll.engine.client_identity import client_identity
from certenroll.engine.full_responses import archived_key_hash_of, submission_flags
from certenroll.engine.installation import Installation, InstallOptions
from certenroll.engine.key_creation import DELETE_KEY, unmake_key
from certenroll.enums import EnrollmentEnrollStatus
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.properties import Enrollment, KeyProviderInfo
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import Event, State
from keystores.base import Secret
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

_REQUEST_VALIDITY: Final = timedelta(days=365)  # of the certificate that stands for the request

# What a CA's disposition means for the record, and what IX509EnrollmentStatus says of it.
_EVENTS: Final[dict[Disposition, Event]] = {
    Disposition.ISSUED: Event.ANSWERED,
    Disposition.UNDER_SUBMISSION: Event.HELD,
    Disposition.ISSUED_OUT_OF_BAND: Event.HELD,
    Disposition.DENIED: Event.DENY,
    Disposition.INCOMPLETE: Event.FAIL,
    Disposition.ERROR: Event.FAIL,
    Disposition.REVOKED: Event.FAIL,
}
_STATUSES: Final[dict[Event, EnrollmentEnrollStatus]] = {
    Event.ANSWERED: EnrollmentEnrollStatus.Enrolled,
    Event.HELD: EnrollmentEnrollStatus.EnrollPended,
    Event.DENY: EnrollmentEnrollStatus.EnrollDenied,
    Event.FAIL: EnrollmentEnrollStatus.EnrollError,
}
_ENDED: Final = (Event.DENY, Event.FAIL)
_ATTRIBUTES: Final = "attributes"  # the property of a record that holds what was sent beside its request, as JSON


class HeldKey(Protocol):
    """The private key of a request, as far as a submission knows it."""

    def provider_info(self) -> KeyProviderInfo:
        """Where the key is."""

    def confirm_creation(self) -> None:
        """The key has an owner now."""

    def pin_secret(self) -> Secret | None:
        """The PIN that was set on it, or None."""


@runtime_checkable
class Enrollable(Protocol):
    """A request object that can be enrolled for: every format of the model is one."""

    @property
    def is_encoded(self) -> bool:
        """Whether the request is signed and encoded."""

    @property
    def key_object(self) -> HeldKey | None:
        """The private key, or None for a request whose key is elsewhere."""

    @property
    def format_name(self) -> str:
        """The name of the format, for the record."""

    @property
    def template_name(self) -> str:
        """The template's name or object id, "" where none is named."""

    @property
    def reuses_key(self) -> bool:
        """Whether the key was there before the request."""

    def encode_pending(self) -> None:
        """Signs and encodes; leaves the intent of a new key open."""

    def der_bytes(self) -> bytes:
        """The encoded request."""

    def subject_der(self) -> bytes:
        """The subject's name."""

    def spki_bytes(self) -> bytes:
        """The public key."""


@dataclass(frozen=True)
class Outcome:
    """What came of a submission.

    Attributes:
        record: the request as it stands now.
        status: for IX509EnrollmentStatus.
        error: the CA's result code, 0 where all is well.
        message: the CA's sentence.
        response: DER of what is to be installed, b"" where nothing is yet.
        full_response: DER of the CMC full response in which the CA said so, b"" where there is none.
    """

    record: RequestRecord
    status: EnrollmentEnrollStatus
    error: int
    message: str
    response: bytes
    full_response: bytes = b""


def note_request(
    workspace: Workspace, request: Enrollable, options: InstallOptions, friendly_name: str, description: str
) -> RequestRecord:
    """Encodes ``request`` where it is not, and writes it down with the certificate that stands for it in REQUEST.

    One transaction: the record, that certificate, and the confirmation of a new key. Raises what Encode raises.
    """
    if not request.is_encoded:
        request.encode_pending()
    key = request.key_object
    if key is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no private key here; it cannot be enrolled for")
    info = key.provider_info()
    shown = {properties.KEY_PROV_INFO: properties.encode_key_info(info)}
    shown |= _text_properties(friendly_name, description) | _archival_property(request.der_bytes()) | options.properties
    stand_in = _stand_in(workspace, request)
    with workspace.profile.database.transaction():
        record = workspace.requests.begin(
            info,
            new_key=not request.reuses_key,
            public_key=request.spki_bytes(),
            request=request.der_bytes(),
            request_type=request.format_name,
            certificate_sha1=read_certificate(stand_in).sha1,
            template=request.template_name,
            friendly_name=friendly_name,
            description=description,
            properties=options.facts(),
        )
        workspace.certificates.add(options.request_store, stand_in, shown)
        key.confirm_creation()
    return record


def submit(workspace: Workspace, record: RequestRecord, attributes: Mapping[str, str], config: str = "") -> Outcome:
    """Sends a request to a CA, unless that CA says that it has it already.

    Args:
        workspace: the stores.
        record: the request, MADE or found SUBMITTING after a crash.
        attributes: request attributes by name; one that was interrupted is sent with those of its first time.
        config: the CA, or "" for the profile's own.

    Raises:
        CAError: the CA does not answer. A request that certainly was not sent is MADE again; any other stays SUBMITTING.
        ComError: WIN32_BUSY where another process is sending it.
    """
    record = workspace.requests.get(record.id)
    if record.state is State.SUBMITTING:
        return _resubmit(workspace, record)
    authority = workspace.authority(config or record.ca_config)
    known = dict(record.properties) | {_ATTRIBUTES: json.dumps(dict(attributes), sort_keys=True)}
    record = workspace.requests.advance(record.id, Event.SUBMIT, ca_config=authority.config, properties=known)
    return settle(workspace, record, _send(workspace, authority, record))


def retrieve(workspace: Workspace, record: RequestRecord) -> Outcome:
    """Asks the CA what became of a pending request.

    Raises:
        CAError: the CA does not answer, or has no such request.
        ComError: CERTSRV_E_PROPERTY_EMPTY where it is not known which CA has the request, or under which id;
            WIN32_INVALID_DATA where that CA has another request under that id. The request is as it was.
    """
    if not record.ca_config or not record.ca_request_id:
        text = f"it is not known which CA has request {record.id}, or under which id: install its response by hand"
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text)
    answer = workspace.authority(record.ca_config).retrieve(record.ca_request_id)
    if answer.certificate is not None and read_certificate(answer.certificate).public_key_info != record.public_key:
        text = f"request {record.ca_request_id} of {record.ca_config} is for another key than request {record.id} here"
        raise ComError(HRESULT.WIN32_INVALID_DATA, text)
    return settle(workspace, record, answer)


def _resubmit(workspace: Workspace, record: RequestRecord) -> Outcome:
    if not workspace.requests.adopt(record):
        raise ComError(HRESULT.WIN32_BUSY, f"another process is sending request {record.id}")
    authority = workspace.authority(record.ca_config)
    answer = _find(authority, record)
    return settle(workspace, record, answer or _send(workspace, authority, record))


def _send(workspace: Workspace, authority: CertificationAuthority, record: RequestRecord) -> Answer:
    attributes = json.loads(record.properties.get(_ATTRIBUTES, "{}"))
    try:
        return authority.submit(_submission(record, attributes))
    except CAError as error:
        if not error.uncertain:
            workspace.requests.advance(record.id, Event.NOT_SENT)
        raise


def settle(workspace: Workspace, record: RequestRecord, answer: Answer) -> Outcome:
    """Writes a CA's answer down; a challenge in it is answered first.

    A refusal deletes the key that was made for the request, and its place in REQUEST. Raises what ``challenges.answered``
    raises where the challenge cannot be answered; the request is as it was, and asked for again the next time.
    """
    answer = _answered(workspace, record, answer)
    event = _EVENTS[answer.disposition]
    response = response_of(answer)
    with workspace.profile.database.transaction():
        record = workspace.requests.advance(
            record.id,
            event,
            ca_request_id=answer.request_id,
            status=answer.status,
            message=answer.message,
            answer=response or None,
        )
        note_enrollment(workspace, record)
        doomed = _forsake(workspace, record) if event in _ENDED else None
    _drop_key(workspace, record, doomed)
    return Outcome(record, _STATUSES[event], answer.status, answer.message, response, answer.full_response or b"")


def _answered(workspace: Workspace, record: RequestRecord, answer: Answer) -> Answer:
    if answer.disposition is not Disposition.UNDER_SUBMISSION or answer.full_response is None:
        return answer
    from certenroll.engine.challenges import answered

    return answered(workspace, record.ca_config, answer)


def response_of(answer: Answer) -> bytes:
    """What is to be installed of an answer: the CMC full response, else certificate and chain as a bag, or nothing (b"")."""
    if answer.full_response is not None and answer.disposition is Disposition.ISSUED:
        return answer.full_response
    if answer.certificate is None:
        return b""
    return encode_certificate_bag((answer.certificate, *answer.chain), answer.crls)


def withdraw(workspace: Workspace, record: RequestRecord) -> None:
    """Takes a request back: its record, its place in REQUEST and the key that was made for it."""
    with workspace.profile.database.transaction():
        workspace.requests.remove(record.id)
        doomed = _forsake(workspace, record)
    _drop_key(workspace, record, doomed)


def replace_unsent(workspace: Workspace, record: RequestRecord) -> None:
    """Forgets a request that was never sent and whose key another one has now; one that a CA may know stays."""
    with workspace.profile.database.transaction():
        if workspace.requests.get(record.id).state is State.MADE:
            workspace.requests.remove(record.id)
            workspace.certificates.remove(_request_store(record), record.certificate_sha1 or b"")


def note_property(
    workspace: Workspace,
    record: RequestRecord | None,
    installation: Installation | None,
    options: InstallOptions,
    property_id: int,
    text: str,
) -> None:
    """Sets a text property on the certificate that stands for the request, and on the installed one where there is one."""
    value = properties.encode_text(text)
    targets = [(options.request_store, record.certificate_sha1)] if record is not None else []
    if installation is not None and installation.certificate is not None:
        targets.append((options.my_store, read_certificate(installation.certificate).sha1))
    for store, sha1 in targets:
        if sha1 is not None and workspace.certificates.get(store, sha1) is not None:
            workspace.certificates.set_property(store, sha1, property_id, value)


def note_enrollment(workspace: Workspace, record: RequestRecord) -> None:
    """Sets the property on the request's certificate that says which CA has it and under which number."""
    if record.certificate_sha1 is None or not record.ca_request_id.isdigit():
        return
    host, _, name = record.ca_config.partition("\\")
    number = int(record.ca_request_id) & 0x7FFFFFFF
    value = properties.encode_enrollment(Enrollment(number, host, name, record.friendly_name))
    store = _request_store(record)
    if workspace.certificates.get(store, record.certificate_sha1) is not None:
        workspace.certificates.set_property(store, record.certificate_sha1, properties.ENROLLMENT, value)


def with_properties(options: InstallOptions, more: dict[int, bytes]) -> InstallOptions:
    """``options`` with more properties for the certificate."""
    return replace(options, properties=options.properties | more)


def _submission(record: RequestRecord, attributes: Mapping[str, str]) -> Submission:
    request = record.request or b""
    return Submission(request, attributes, submission_flags(request), client_identity().user)


def _find(authority: CertificationAuthority, record: RequestRecord) -> Answer | None:
    """What the CA knows of an interrupted submission. Raises CAError where it cannot say, and nothing is sent again."""
    if not isinstance(authority, Finder):
        raise CAError(
            HRESULT.RPC_SERVER_UNAVAILABLE,
            f"request {record.id} may have reached {authority.config} before a crash, and that CA cannot be asked for it",
        )
    return authority.find(record.request or b"")


def _stand_in(workspace: Workspace, request: Enrollable) -> bytes:
    now = workspace.clock()
    serial = secrets.randbits(126) + 1
    return request_certificate(request.subject_der(), request.spki_bytes(), now, now + _REQUEST_VALIDITY, serial)


def _archival_property(request: bytes) -> dict[int, bytes]:
    """The hash by which the CA will confirm an archived key; nothing for a request that brings none."""
    digest = archived_key_hash_of(request)
    return {properties.ARCHIVED_KEY_HASH: digest} if digest is not None else {}


def _text_properties(friendly_name: str, description: str) -> dict[int, bytes]:
    texts = {properties.FRIENDLY_NAME: friendly_name, properties.DESCRIPTION: description}
    return {number: properties.encode_text(text) for number, text in texts.items() if text}


def _forsake(workspace: Workspace, record: RequestRecord) -> int | None:
    """Within the transaction that ends a request: removes its certificate from REQUEST. Gives the intent of its new key."""
    if record.certificate_sha1 is not None:
        workspace.certificates.remove(_request_store(record), record.certificate_sha1)
    return workspace.journal.begin(DELETE_KEY, _key_payload(record)) if record.new_key else None


def _drop_key(workspace: Workspace, record: RequestRecord, intent_id: int | None) -> None:
    """Deletes the key of a request that ended. A device that is away, or wants a PIN, is asked again by recovery."""
    if intent_id is not None:
        with contextlib.suppress(KeyStoreError):
            unmake_key(workspace, intent_id, _key_payload(record), None)


def _key_payload(record: RequestRecord) -> dict[str, str]:
    return {"container": record.key.container, "stores": record.key.store}


def _request_store(record: RequestRecord) -> str:
    return InstallOptions.from_facts(record.properties).request_store
