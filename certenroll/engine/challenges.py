"""A CA's challenge to a TPM, at the client: who posed it, the answer that only the challenged TPM can give, and sending it.

Knows no objects of the model. Source: MS-WCCE 3.1.1.4.3.4.1.2 and 3.1.1.4.3.4.1.3, which have the client verify the CA's
signature, its chain and its exchange certificate before it answers.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import attestation, attestation_statement, enveloped
from certenroll.asn1.attestation import Challenge
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc_statuses import Outcome
from certenroll.asn1.content_ciphers import cipher_of
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.ca.base import Answer, Submission
from certenroll.engine.attestation import TPM, attester, check_chain, check_exchange_certificate
from certenroll.engine.client_identity import client_identity
from certenroll.enums import CR_IN_CHALLENGERESPONSE, CR_IN_FULLRESPONSE
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from keystores.errors import NoSuchKey
from keystores.providers import find_provider

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

_log = logging.getLogger(__name__)

_REQUEST_ID: Final = "RequestId"


@dataclass(frozen=True)
class Posed:
    """A challenge that a CA was verified to have posed.

    Attributes:
        challenge: what it asks.
        request_id: the request that it is about.
        certificate: DER of the exchange certificate that the answer is encrypted for.
    """

    challenge: Challenge = field(repr=False)
    request_id: str
    certificate: bytes


def posed_by(workspace: Workspace, data: bytes) -> Posed:
    """The challenge in a CA's full response, once the CA is verified.

    Raises:
        ComError: CRYPT_E_INVALID_MSG_TYPE where the response is no full response or does not wait,
            TPM_E_ATTESTATION_CHALLENGE_NOT_SET where it has no challenge, CRYPT_E_NO_SIGNER or CRYPT_E_SIGNER_NOT_FOUND
            where nobody or nobody known signed it, CRYPT_E_NOT_FOUND where its exchange certificate is not there,
            CERTSRV_E_INVALID_REQUESTID where it names no request, and the codes of ``check_exchange_certificate``.
        DecodeError, BadSignature: it is malformed, or its signature does not fit.
    """
    response = read_response(data)
    if response.kind is not ResponseKind.FULL_RESPONSE or response.outcome is not Outcome.PENDING:
        raise ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, "a challenge stands in a CMC full response that says pending")
    challenge = attestation.challenge_of(response.cmc) if response.cmc is not None else None
    if challenge is None:
        raise ComError(HRESULT.TPM_E_ATTESTATION_CHALLENGE_NOT_SET, "the request waits for something else than an answer")
    _check_signers(workspace, response)
    for one in response.certificates:
        if read_certificate(one).sha1 == challenge.exchange_certificate_hash:
            check_exchange_certificate(workspace, one, response.certificates)
            return Posed(challenge, _request_id(response), one)
    raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the response lacks the exchange certificate that the answer is for")


def _check_signers(workspace: Workspace, response: Response) -> None:
    signed = response.signed
    if signed is None or not signed.signers:
        raise ComError(HRESULT.CRYPT_E_NO_SIGNER, "nobody signed the challenge")
    for one in signed.signers:
        certificate = signed.certificate_of(one)
        if certificate is None or one in response.unchecked:
            raise ComError(HRESULT.CRYPT_E_SIGNER_NOT_FOUND, "the signature of the challenge cannot be verified")
        if not certificate.is_ca:
            raise ComError(HRESULT.TRUST_E_BASIC_CONSTRAINTS, "the challenge is signed by no CA")
        check_chain(workspace, certificate.der, response.certificates)


def _request_id(response: Response) -> str:
    """The CA's number of the request: the token of the status that says pending."""
    status = response.status
    token = status.pend_info.token if status is not None and status.pend_info is not None else b""
    if not token.isdigit():
        text = "the response does not say by which number the CA knows the request"
        raise ComError(HRESULT.CERTSRV_E_INVALID_REQUESTID, text)
    return token.decode("ascii")


def answering_key(workspace: Workspace, posed: Posed, container: str = "", blob: bytes = b"") -> str:
    """The key store that is to answer a challenge, once the key that was named is found in it.

    Args:
        workspace: the key stores.
        posed: the challenge; its provider says which store.
        container: the container of the request's key, "" where it is not named.
        blob: that key's TPM2B_PUBLIC, b"" where it is not given.

    Raises:
        KeyStoreError: NTE_KEYSET_NOT_DEF for an unknown provider, NTE_BAD_KEYSET where there is no such container,
            NTE_BAD_DATA where the blob is none.
        ComError: NTE_NO_KEY where the store has no key of that blob.
        DecodeError: the blob is cut short.
    """
    store = find_provider(posed.challenge.provider).store if posed.challenge.provider else TPM
    keys = {one.container: one.public_key for one in workspace.key_stores.get(store).list()}
    if container and container not in keys:
        raise NoSuchKey(f"the {store} key store has no container {container!r}", store=store)
    if blob and _public_key_of(blob) not in ([keys[container]] if container else keys.values()):
        raise ComError(HRESULT.NTE_NO_KEY, f"the {store} key store does not have the key of the blob")
    return store


def _public_key_of(blob: bytes) -> bytes:
    from keystores.tpm.evidence import public_key_of

    public, _ = attestation_statement.split_tpm2b(blob)
    return public_key_of(public)


def answer_to(workspace: Workspace, posed: Posed, store: str) -> bytes:
    """The answer to a challenge: the secret that only the challenged TPM reads, encrypted for the CA (EnvelopedData, DER).

    Args:
        workspace: the key stores.
        posed: the challenge.
        store: which of them answers, see ``answering_key``.

    Raises:
        ComError: NTE_NOT_SUPPORTED where that store is no TPM's.
        KeyStoreError: NTE_DECRYPTION_FAILURE where the challenge is another TPM's; the TPM's own codes.
    """
    one = posed.challenge
    secret = attester(workspace, store).activate_credential(one.credential, one.encrypted_secret)
    return enveloped.seal(secret, [posed.certificate], cipher_of(one.cipher).name)


def answered(workspace: Workspace, config: str, answer: Answer) -> Answer:
    """What a CA says of a request that it holds once its challenge is answered; ``answer`` itself where it poses none.

    Args:
        workspace: the stores, and the CA's transport.
        config: the CA.
        answer: what the CA said.

    Raises:
        as posed_by and answer_to do; CAError where the CA takes no answer. The request waits then as before.
    """
    if answer.full_response is None:
        return answer
    cmc = read_response(answer.full_response).cmc
    if cmc is None or attestation.challenge_of(cmc) is None:
        return answer
    posed = posed_by(workspace, answer.full_response)
    flags = CR_IN_CHALLENGERESPONSE | CR_IN_FULLRESPONSE
    attributes = {_REQUEST_ID: posed.request_id}
    secret = answer_to(workspace, posed, answering_key(workspace, posed))
    submission = Submission(secret, attributes, flags, client_identity().user)
    _log.info("answering the attestation challenge of request %s", posed.request_id)
    said = workspace.authority(config).submit(submission)
    return replace(said, request_id=said.request_id or answer.request_id)
