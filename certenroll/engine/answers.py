"""What stands in a CA's answer before anything is done with it, and answers that install nothing or need no request.

Answers the questions of those who hand an answer on (which certificate is the one that was asked for?) and changes no
store, but for ``note_waiting`` and ``install_certificates``. Knows no objects of the model. Source:
ICEnroll::getCertFromPKCS7, ICEnroll4::getCertFromResponse and ICEnroll3::InstallPKCS7; RFC 5272 section 6.1.4 (pendInfo).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.ca.base import CAError
from certenroll.ca.directory import list_cas
from certenroll.engine.full_responses import pending_id, refers_to, sentence_of
from certenroll.engine.key_lookup import key_of
from certenroll.engine.submission import note_enrollment
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.chains import Outcome, judge
from certenroll.stores.properties import KEY_PROV_INFO, encode_key_info
from certenroll.stores.requests import RequestRecord
from certenroll.stores.states import Event, State

if TYPE_CHECKING:
    from certenroll.engine.installation import InstallOptions
    from certenroll.engine.workspace import Workspace

_MAY_WAIT = (State.MADE, State.SUBMITTING, State.PENDING)
_UNSOUND = (Outcome.BAD_SIGNATURE, Outcome.INVALID)


@dataclass(frozen=True)
class AnswerContents:
    """An answer, taken apart.

    Attributes:
        certificate: DER of the certificate that was asked for, or None where the answer does not tell.
        request: the thumbprint of its outstanding request, upper-case hexadecimal, or "" where none has its key.
        others: how many further end-entity certificates stand beside it, those that it issued itself among them.
        pkcs7: the answer as a binary PKCS#7; a bare certificate is wrapped into one.
    """

    certificate: bytes | None
    request: str
    others: int
    pkcs7: bytes


def read_contents(workspace: Workspace, data: bytes, options: InstallOptions) -> AnswerContents:
    """Takes an answer apart.

    Args:
        workspace: the stores; REQUEST tells which certificate was asked for.
        data: a certificate, a PKCS#7 or a CMC full response, DER or BER.
        options: the name of the request store.

    Raises:
        DecodeError, BadSignature: as ``read_response``.
        ComError: CRYPT_E_INVALID_MSG_TYPE for a PFX.
    """
    response = _public_response(data)
    certificates = [read_certificate(der) for der in response.certificates]
    asked, request = _asked_for(workspace, certificates, options.request_store)
    if asked is None:
        ends = _ends(certificates)
        asked = ends[0] if len(ends) == 1 else None
        others = len(ends) - (asked is not None)
    else:
        others = sum(_stands_beside(one, asked, certificates) for one in certificates)
    pkcs7 = data if response.signed is not None else encode_certificate_bag(response.certificates)
    return AnswerContents(asked.der if asked is not None else None, request, others, pkcs7)


def note_waiting(workspace: Workspace, response: Response, own: RequestRecord | None) -> RequestRecord | None:
    """Writes down what a full response says that came by hand: the CA holds the request, and under which id.

    Args:
        workspace: the stores.
        response: a full response whose status is pending.
        own: the request of whoever installs the response; without it, the one outstanding request that can be meant.

    Returns:
        the request, now PENDING; None where none, or more than one, can be meant. Nothing is changed then.
    """
    request_id = pending_id(response)
    found = (own,) if own is not None else workspace.requests.list(_MAY_WAIT)
    meant = [one for one in found if one.ca_request_id in ("", request_id) and refers_to(response, one.request)]
    if len(meant) != 1:
        return None
    with workspace.profile.database.transaction():
        record = workspace.requests.get(meant[0].id)
        in_other_hands = record.state is State.SUBMITTING and not workspace.requests.adopt(record)
        if record.state not in _MAY_WAIT or in_other_hands:
            return None
        config = record.ca_config or _signing_authority(workspace, response)
        message = sentence_of(response)
        held = workspace.requests.advance(
            record.id, Event.HELD, ca_config=config, ca_request_id=request_id, status=0, message=message
        )
        note_enrollment(workspace, held)
    return held


def _signing_authority(workspace: Workspace, response: Response) -> str:
    """The configuration string of the CA of this machine that signed a full response, "" where none of them did."""
    signed = response.signed
    signers = [signed.certificate_of(one) for one in signed.signers] if signed is not None else []
    certificates = {one.der for one in signers if one is not None}
    for listed in list_cas(workspace.profile) if certificates else ():
        with contextlib.suppress(CAError):  # a CA whose folder is away cannot be asked for the answer either
            if listed.path is not None and workspace.authority(listed.config).certificates()[0] in certificates:
                return listed.config
    return ""


def install_certificates(workspace: Workspace, data: bytes, options: InstallOptions) -> int:
    """Puts the certificates of a message where each belongs, and touches no request.

    A self-signed CA certificate goes to ROOT, one whose private key is here to MY with that key, any other to CA.

    Args:
        workspace: the stores.
        data: a certificate or a PKCS#7, DER or BER.
        options: names of stores.

    Returns:
        how many certificates were new in their store.

    Raises:
        DecodeError, BadSignature: as ``read_response``.
        ComError: CRYPT_E_INVALID_MSG_TYPE for a PFX, TRUST_E_CERT_SIGNATURE for a root that did not sign itself; no
            store is changed.
    """
    certificates = [read_certificate(der) for der in _public_response(data).certificates]
    placed = [(*_place(workspace, one, options), one.der) for one in certificates]
    with workspace.profile.database.transaction():
        return sum(workspace.certificates.add(store, der, properties) for store, properties, der in placed)


def _public_response(data: bytes) -> Response:
    response = read_response(data)
    if response.kind is ResponseKind.PFX:
        raise ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, "a PFX is installed by IX509Enrollment.InstallResponse")
    return response


def _asked_for(
    workspace: Workspace, certificates: list[Certificate], request_store: str
) -> tuple[Certificate | None, str]:
    for certificate in certificates:
        found = workspace.certificates.find_by_public_key(request_store, certificate.public_key_info)
        if found:
            return certificate, found[0].sha1.hex().upper()
    return None, ""


def _ends(certificates: list[Certificate]) -> list[Certificate]:
    """The end-entity certificates; of CA certificates alone, those that issued no other."""
    entities = [one for one in certificates if not one.is_ca]
    return entities or [one for one in certificates if not _issued(one, certificates)]


def _issued(certificate: Certificate, certificates: list[Certificate]) -> bool:
    return any(one.issuer == certificate.subject and one is not certificate for one in certificates)


def _stands_beside(one: Certificate, asked: Certificate, certificates: list[Certificate]) -> bool:
    if one is asked:
        return False
    is_child = one.issuer == asked.subject and not one.is_self_issued
    return is_child or (not one.is_ca and not _issued(one, certificates))


def _place(workspace: Workspace, one: Certificate, options: InstallOptions) -> tuple[str, dict[int, bytes]]:
    if one.is_ca and one.is_self_issued:
        verdict = judge(one.der, [], [], workspace.clock())  # among the trusted, its own signature would not matter
        if verdict.outcome in _UNSOUND:
            raise ComError(HRESULT.TRUST_E_CERT_SIGNATURE, "a root certificate of the message is not signed by itself")
        return options.root_store, {}
    key = None if one.is_ca else key_of(workspace, one.public_key_info, my_store=options.my_store)
    if key is not None:
        return options.my_store, {KEY_PROV_INFO: encode_key_info(key)}
    return options.ca_store, {}
