"""Key attestation at the CA: whether a request needs it, whether its TPM is believed, the challenge and the answer to it.

    endorsement/*.crt    certificates of the authorities that certify endorsement keys, PEM: roots, and those between

``evidence`` proves what a request brings; the answer to the challenge proves that the attestation key of that evidence is in
the TPM with the endorsement key. ``challenges`` keeps what waits. Knows no database but a request's row.

Source: MS-WCCE 3.2.2.6.2.1.2.5 to 3.2.2.6.2.1.2.7 and 3.2.2.6.2.1.4.5.7.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from certenroll.asn1 import attestation, enveloped, extensions
from certenroll.asn1.attestation import Challenge, Evidence, TrustModule
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError, Extension
from certenroll.ca import incoming
from certenroll.ca.attestation_rules import AttestationRules, Attested, Trust
from certenroll.ca.base import CAError, Disposition, Submission
from certenroll.ca.challenges import Asked, Challenges, opened
from certenroll.ca.database import Row
from certenroll.ca.evidence import Proof, endorsement_authorities, is_certified, prove
from certenroll.ca.exchange import Exchange
from certenroll.ca.incoming import Incoming
from certenroll.ca.issuing import Issuer, RandomBytes
from certenroll.ca.policy import Denied
from certenroll.ca.templates import Template
from certenroll.hresults import HRESULT
from keystores.errors import KeyStoreError

REQUEST_ID: Final = "requestid"
_SECRET: Final = 32  # octets
_AIK_CERTIFICATE: Final = "2.23.133.8.3"  # szOID_KP_TPM_AIK_CERTIFICATE
_WAITS: Final = "Taken Under Submission: the TPM has to answer the challenge first"

_POLICIES: Final = {
    Trust.KEY: attestation.VERIFIED_BY_KEY,
    Trust.CERTIFICATE: attestation.VERIFIED_BY_CERTIFICATE,
    Trust.CREDENTIALS: attestation.VERIFIED_BY_CREDENTIALS,
}


@dataclass(frozen=True)
class Verdict:
    """What attestation means for a request.

    Attributes:
        policies: issuance policies for its certificate.
        waits: "" where nothing stands in the way; else the sentence that says what the request waits for.
    """

    policies: tuple[str, ...] = ()
    waits: str = ""


NOT_ATTESTED: Final = Verdict()


class AttestationDesk:
    """Where a CA judges evidence and answers to challenges.

    Args:
        directory: the CA's folder.
        exchange: its exchange certificates.
        rules: what it asks for.
        random: gives that many random bytes.
    """

    def __init__(self, directory: Path, exchange: Exchange, rules: AttestationRules, random: RandomBytes) -> None:
        self._directory = directory
        self._exchange = exchange
        self._rules = rules
        self._random = random
        self._challenges = Challenges(directory, exchange)

    def judge(self, asked: Incoming, template: str, number: int, moment: datetime) -> Verdict:
        """What attestation means for a request.

        Args:
            asked: the request.
            template: the name of its template.
            number: of the request; 0 where it has none yet.
            moment: the time.

        Raises:
            Denied: CERTSRV_E_KEY_ATTESTATION where there is no evidence and there must be, or no TPM's provider is named;
                CERTSRV_E_INVALID_EK for an endorsement key that is malformed or not believed, CERTSRV_E_INVALID_IDBINDING
                for a key that may not attest others, CERTSRV_E_INVALID_ATTESTATION for a statement that is not of this
                key or not for this CA, CERTSRV_E_CORRUPT_KEY_ATTESTATION for one that cannot be read,
                CERTSRV_E_EXPIRED_CHALLENGE for one made for an exchange certificate that is over.
        """
        mode = self._rules.mode_for(template)
        if mode is Attested.NONE or (mode is Attested.PREFERRED and asked.evidence is None):
            return NOT_ATTESTED
        if asked.evidence is None:
            text = "the template wants a key that a TPM attests, and the request brings no evidence"
            raise Denied(HRESULT.CERTSRV_E_KEY_ATTESTATION, text)
        proof = prove(asked.evidence, asked.public_key_info, self._exchange)
        if not number and proof.exchange.not_after < moment:
            text = "the evidence was made for an exchange certificate that is over; take the current one"
            raise Denied(HRESULT.CERTSRV_E_EXPIRED_CHALLENGE, text)
        policies = self._believed(asked.evidence, proof.module, moment)
        met = asked.evidence.subject_only or (number > 0 and self._challenges.is_met(number))
        return Verdict(() if self._rules.without_policy else policies, "" if met else _WAITS)

    def _believed(self, evidence: Evidence, module: TrustModule, moment: datetime) -> tuple[str, ...]:
        """The issuance policies of all the ways in which the endorsement key is believed."""
        use = _AIK_CERTIFICATE if evidence.subject_only else ""
        holds: dict[Trust, Callable[[], bool]] = {
            Trust.KEY: lambda: hashlib.sha256(module.public_key_info).hexdigest() in self._rules.keys,
            Trust.CERTIFICATE: lambda: self._is_certified(module, use, moment),
            Trust.CREDENTIALS: lambda: True,
        }
        found = tuple(_POLICIES[one] for one in self._rules.trust if holds[one]())
        if not found:
            text = "this CA believes neither the endorsement key nor a certificate for it"
            raise Denied(HRESULT.CERTSRV_E_INVALID_EK, text)
        return found

    def _is_certified(self, module: TrustModule, use: str, moment: datetime) -> bool:
        authorities = endorsement_authorities(self._directory)
        return any(is_certified(one, module, use, authorities, moment) for one in module.certificates)

    # The challenge ----------------------------------------------------------------------------------------------------

    def question(self, row: Row, issuer: Callable[[], Issuer], moment: datetime) -> Asked | None:
        """The challenge that a request waits with; made when it is first asked for. None where it waits for none.

        Raises:
            CAError: the credential cannot be made.
        """
        if row.disposition is not Disposition.UNDER_SUBMISSION or self._rules.mode_for(row.template) is Attested.NONE:
            return None
        if not self._challenges.is_known(row.id):
            asked = incoming.read(row.request, row.flags, key_is_kept=row.archived_key is not None)
            if asked.evidence is None or asked.evidence.subject_only:
                return None
            try:
                proof = prove(asked.evidence, asked.public_key_info, self._exchange)
            except Denied:  # it was taken before the CA asked for evidence, or its exchange certificate is gone since
                return None
            self._ask(row.id, asked.evidence, proof, self._exchange.current(issuer(), moment))
        return self._challenges.asked(row.id)

    def _ask(self, number: int, evidence: Evidence, proof: Proof, certificate: bytes) -> None:
        from keystores.tpm import evidence as tpm

        secret = self._random(_SECRET)
        try:
            credential = tpm.make_credential(proof.endorsement_public, tpm.name_of(proof.attestation_public), secret)
        except KeyStoreError as error:
            raise CAError(error.hresult, f"the challenge cannot be made: {error}") from error
        sha1, cipher = read_certificate(certificate).sha1, enveloped.decode(evidence.trust_module).cipher
        self._challenges.keep(number, Asked(Challenge(*credential, sha1, evidence.provider, cipher), certificate), secret)

    def hear(self, row: Row, submission: Submission) -> Denied | None:
        """Judges the answer to a challenge, which is heard once.

        Returns:
            None where it is right; else why the request is to be denied.

        Raises:
            CAError: it is no answer to this request: E_ACCESSDENIED from another caller, CERTSRV_E_INVALID_RESPONSE where
                none is expected, or not any more. Nothing has changed then.
        """
        if submission.requester.casefold() != (row.caller or row.requester).casefold():
            raise CAError(HRESULT.E_ACCESSDENIED, f"request {row.id} was submitted by somebody else")
        if row.disposition is not Disposition.UNDER_SUBMISSION:
            text = f"request {row.id} is decided; it waits for no answer to a challenge"
            raise CAError(HRESULT.CERTSRV_E_INVALID_RESPONSE, text)
        try:
            secret = self._challenges.take(row.id)
            answer, _ = opened(submission.request, self._exchange)
        except Denied as denial:
            late = denial.hresult == HRESULT.CERTSRV_E_EXPIRED_CHALLENGE
            return denial if late else Denied(HRESULT.CERTSRV_E_INVALID_RESPONSE, str(denial))
        if not hmac.compare_digest(secret, answer):
            return Denied(HRESULT.CERTSRV_E_INVALID_RESPONSE, "the answer to the challenge is wrong")
        self._challenges.meet(row.id)
        return None

    def forget(self, row: Row) -> None:
        """Removes what is left of a challenge once its request is decided."""
        if row.disposition is not Disposition.UNDER_SUBMISSION:
            self._challenges.forget(row.id)


def request_number(submission: Submission) -> str:
    """The request whose challenge is answered. Raises CAError (CERTSRV_E_INVALID_REQUESTID) where none is named."""
    found = [value.strip() for name, value in submission.attributes.items() if name.strip().casefold() == REQUEST_ID]
    if len(found) != 1 or not (found[0].isascii() and found[0].isdigit()):
        text = "the attribute RequestId names the request whose challenge is answered"
        raise CAError(HRESULT.CERTSRV_E_INVALID_REQUESTID, text)
    return found[0]


def attested_order(asked: Incoming, template: Template, policies: tuple[str, ...]) -> tuple[Incoming, Template]:
    """Request and template with the issuance policies of attestation, which no request may claim by itself."""
    wanted = asked.extension(extensions.CERTIFICATE_POLICIES)
    chosen = wanted is not None and extensions.CERTIFICATE_POLICIES in template.requested_extensions
    try:
        claimed = extensions.decode_policies(wanted.value) if wanted is not None and chosen else ()
    except DecodeError as error:
        raise Denied(error.hresult, f"the requested extension {extensions.CERTIFICATE_POLICIES} is malformed") from error
    kept = [one for one in claimed if one.oid not in _POLICIES.values()]
    if len(kept) == len(claimed) and not policies:
        return asked, template
    others = tuple(one for one in asked.extensions if one.oid != extensions.CERTIFICATE_POLICIES)
    found = [*kept, *(extensions.Policy(oid) for oid in policies)]
    if not found:
        return replace(asked, extensions=others), template
    critical = wanted is not None and chosen and wanted.critical
    made = Extension(extensions.CERTIFICATE_POLICIES, critical, extensions.encode_policies(found))
    names = (*template.requested_extensions, extensions.CERTIFICATE_POLICIES)
    return replace(asked, extensions=(*others, made)), replace(template, requested_extensions=names)
