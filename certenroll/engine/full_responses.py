"""What a CMC full response says about a request, heeded before anything of it is installed.

A refusal is an error, a wait is told, and an answer to another request, of another certificate or about another archived key
is refused. Every other form of answer passes: it says nothing. Also reads from a request what its answer is held against.
Knows no store. Source: RFC 5272 sections 3.2.2 and 6; docs/analysis/cmc.md has the result code of each status.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from certenroll.asn1 import cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.cmc_responses import ResponseMismatch, check_archived_key_hash, check_transaction
from certenroll.asn1.cmc_statuses import Outcome, Status
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pkcs7_requests import renewal_certificate_of
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.responses import Response
from certenroll.ca.incoming import CMC, PKCS7, PKCS10, BadRequest, kind_of
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

CR_IN_FULLRESPONSE: Final = 0x40000


class Denial(ComError):
    """The CA denied the request, by a full response that was to be installed.

    Attributes:
        sentence: what the CA says.
    """

    def __init__(self, hresult: int, sentence: str) -> None:
        super().__init__(hresult, f"the CA denied the request: {sentence}")
        self.sentence: Final = sentence


def submission_flags(request: bytes) -> int:
    """The CR_IN_* flags with which a request is sent: a CMC request asks for a full response."""
    try:
        return CR_IN_FULLRESPONSE if kind_of(request) == CMC else 0
    except (DecodeError, BadRequest):  # the CA says what is wrong with it
        return 0


def check_outcome(response: Response) -> None:
    """Stops what is no grant.

    Raises:
        ComError: the code of the status where the request was refused, a Denial where it is "failed"; CRYPT_E_NOT_FOUND
            where it is pending: there is nothing to install yet.
    """
    if response.outcome is Outcome.GRANTED:
        return
    text = sentence_of(response)
    if response.outcome is Outcome.PENDING:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"the CA holds the request, there is nothing to install yet: {text}")
    status = response.status
    code = status.hresult if status is not None else HRESULT.E_UNEXPECTED
    if status is not None and status.status == Status.FAILED:
        raise Denial(code, text)
    raise ComError(code, f"the CA refused the request: {text}")


def is_pending(response: Response) -> bool:
    """Whether the answer is that the request waits for a decision."""
    return response.outcome is Outcome.PENDING


def pending_id(response: Response) -> str:
    """The CA's id of a request that waits, "" where the answer gives none: its token as text, else in hexadecimal."""
    info = response.status.pend_info if response.status is not None else None
    token = info.token if info is not None else b""
    text = token.decode("ascii", "replace")
    return text if text.isascii() and text.isprintable() else token.hex()


def sentence_of(response: Response) -> str:
    """The CA's sentence, or the name of the status where it gives none; empty where there is no status."""
    status = response.status
    return (status.text or f"{status.name} {status.fail_name}".strip()) if status is not None else ""


def check_answer(response: Response, leaf: Certificate, request: bytes | None) -> None:
    """Holds a grant against the certificate that would be installed and the request that was made.

    Args:
        response: the answer; only a full response says anything.
        leaf: the certificate that would be installed.
        request: the request's bytes, or None where none is known here.

    Raises:
        ComError: CRYPT_E_HASH_VALUE, XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND, _UNEXPECTED_KA_HASH or _MISMATCH,
            WIN32_INVALID_DATA where it answers another request.
    """
    try:
        response.check_certificate(leaf.der)
        if response.cmc is not None and request is not None:
            asked = _content(request)
            check_archived_key_hash(response.cmc, asked.archived_key_hash if asked is not None else None)
            check_transaction(response.cmc, asked.controls if asked is not None else ())
    except ResponseMismatch as error:
        raise ComError(error.hresult, str(error)) from error


def refers_to(response: Response, request: bytes | None) -> bool:
    """Whether a full response can be the answer to a request: the transaction and nonce that it repeats are this one's."""
    if response.cmc is None:
        return False
    asked = _content(request) if request is not None else None
    own = (asked.transaction_id, asked.sender_nonce) if asked is not None else (None, None)
    told = (response.cmc.transaction_id, response.cmc.recipient_nonce)
    return all(got is None or got == sent for got, sent in zip(told, own, strict=True))


def archived_key_hash_of(request: bytes) -> bytes | None:
    """SHA-1 of the encrypted private key that a CMC request brings, or None."""
    asked = _content(request)
    return asked.archived_key_hash if asked is not None else None


def core_of(request: bytes) -> CertificationRequest | None:
    """The PKCS #10 request at the core of a request of any format; None where none is to be read there."""
    try:
        reader = _READERS.get(kind_of(request))
        return reader(request) if reader is not None else None
    except (DecodeError, BadRequest):
        return None


def renewed_by(request: bytes) -> bytes | None:
    """DER of the certificate that a request renews, or None."""
    core = core_of(request)
    try:
        return renewal_certificate_of(core) if core is not None else None
    except DecodeError:
        return None


def _content(request: bytes) -> cmc_requests.PkiData | None:
    """What a CMC request says; None for a request of another kind."""
    return cmc_requests.decode(request).data if submission_flags(request) else None


# Kind of message (the format bits of CR_IN_*) -> what finds the PKCS #10 request at its core.
_READERS: Final[dict[int, Callable[[bytes], CertificationRequest]]] = {
    PKCS10: pkcs10.decode,
    PKCS7: lambda request: pkcs7_requests.decode(request).request,
    CMC: lambda request: cmc_requests.certification_request(cmc_requests.decode(request)),
}
