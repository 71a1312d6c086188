"""The local CA's CMC full response: what it says of a request, in the form that CR_IN_FULLRESPONSE asks for.

Knows a row of the database and the CA's key; decides nothing. docs/analysis/cmc.md tells what is written and why.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from certenroll.asn1 import algorithms, cmc_responses
from certenroll.asn1.algorithms import SignatureScheme
from certenroll.asn1.attestation import challenge_controls
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc_requests import ForeignRequest, PkiData
from certenroll.asn1.cmc_statuses import CmcStatus, FailInfo, PendInfo, Status, fail_info_of
from certenroll.asn1.signed_messages import new_signer
from certenroll.ca.base import Answer, Disposition
from certenroll.ca.challenges import Asked
from certenroll.ca.database import Row
from certenroll.ca.incoming import content_of
from certenroll.ca.issuing import Issuer

CR_IN_FULLRESPONSE: Final = 0x40000
_SCHEME: Final = SignatureScheme("sha256")
_ASK_AGAIN: Final = timedelta(days=1)


def full_response(
    row: Row, answer: Answer, issuer: Issuer, chain: tuple[bytes, ...], nonce: bytes, asked: Asked | None = None
) -> bytes:
    """The full response to a request.

    Args:
        row: the request.
        answer: what is answered without it.
        issuer: the CA, which signs.
        chain: DER of the CA's certificate and those above it; the only certificates of a refusal.
        nonce: the CA's own.
        asked: the challenge that the request waits with; its exchange certificate comes with the CA's.
    """
    request = content_of(row.request)
    granted = row.disposition is Disposition.ISSUED and answer.certificate is not None
    leaf = answer.certificate if granted and answer.certificate is not None else b""
    content = cmc_responses.new_response(
        _status(row, _body_parts(request)),
        answering=request.controls,
        attributes=cmc_responses.issued_attributes(leaf, row.archived_key_hash) if leaf else (),
        sender_nonce=nonce,
    )
    own = read_certificate(chain[0])
    signer = new_signer(issuer.key.public_key(), _SCHEME, algorithms.signer(issuer.key, _SCHEME), certificate=own)
    certificates = (leaf, *chain) if leaf else chain
    if asked is not None:
        added = challenge_controls(asked.challenge, len(content.controls) + 1)
        content, certificates = replace(content, controls=(*content.controls, *added)), (asked.certificate, *chain)
    return cmc_responses.encode_full_response(content, [signer], certificates, answer.crls)


def _body_parts(asked: PkiData) -> tuple[int, ...]:
    """The part of the request that is spoken of: the PKCS #10, or the message in which it stands."""
    found = [one.body_part for one in (*asked.requests, *asked.nested) if not isinstance(one, ForeignRequest)]
    return tuple(found) or (1,)


def _status(row: Row, parts: tuple[int, ...]) -> CmcStatus:
    if row.disposition is Disposition.ISSUED:
        return CmcStatus(Status.SUCCESS, parts, row.message)
    if row.disposition is Disposition.UNDER_SUBMISSION:
        due = datetime.fromtimestamp(row.submitted, UTC) + _ASK_AGAIN
        return CmcStatus(Status.PENDING, parts, row.message, pend_info=PendInfo(str(row.id).encode("ascii"), due))
    revoked = row.disposition is Disposition.REVOKED
    reason = FailInfo.BAD_CERT_ID if revoked else fail_info_of(row.status)
    text = row.message if revoked else f"{row.message} (0x{row.status:08X})"
    return CmcStatus(Status.FAILED, parts, text, fail_info=reason)
