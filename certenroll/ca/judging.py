"""What becomes of a request, from its bytes to the columns of its row: read, proven, decided, archived, issued.

Everything that a decision needs is given to it, the time too; it writes nothing. Knows no database and no transport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import serialization

from certenroll.ca import archival, incoming, on_behalf, renewal
from certenroll.ca.attestation import Verdict, attested_order
from certenroll.ca.base import CAError, Disposition
from certenroll.ca.crl import Reason
from certenroll.ca.database import Row
from certenroll.ca.incoming import BadRequest, Incoming
from certenroll.ca.issuing import Issuer, Order, RandomBytes, issue, serial_number
from certenroll.ca.policy import Decision, Denied, Policy, decide
from certenroll.ca.proofs import Ledger, check_signatures, check_vouched
from certenroll.ca.templates import Template
from certenroll.hresults import HRESULT


@dataclass(frozen=True)
class Bench:
    """What decisions are made with.

    Attributes:
        policy: the CA's rules.
        issuer: gives the CA with its key.
        ledger: what the CA knows of certificates.
        archive: takes a request with an encrypted key, gives what is kept of that key. May raise Denied.
        attest: takes a request, the name of its template and its number, says what attestation means. May raise Denied.
        random: gives that many random bytes.
        moment: the time.
    """

    policy: Policy
    issuer: Callable[[], Issuer]
    ledger: Ledger
    archive: Callable[[Incoming], bytes]
    attest: Callable[[Incoming, str, int], Verdict]
    random: RandomBytes
    moment: datetime


def decided(bench: Bench, row: Row, *, approved: bool = False) -> dict[str, Any]:
    """The columns that a decision sets.

    Args:
        bench: what it is made with.
        row: the request as it stands.
        approved: whether an administrator wants it issued; see ``policy.decide``.

    Raises:
        CAError: the CA cannot sign, or its files are malformed.
    """
    now = int(bench.moment.timestamp())
    try:
        found = incoming.read(row.request, row.flags, key_is_kept=row.archived_key is not None)
    except BadRequest as error:
        return outcome(Disposition.ERROR, error.hresult, f"Error Parsing Request: {error}") | {"resolved": now}
    values = _judged(bench, row, found, approved)
    return values if values["disposition"] is Disposition.UNDER_SUBMISSION else values | {"resolved": now}


def outcome(disposition: Disposition, status: int, message: str) -> dict[str, Any]:
    """The columns that say what became of a request."""
    return {"disposition": disposition, "status": int(status), "message": message}


def denied(denial: Denied, now: int) -> dict[str, Any]:
    """The columns of a request that is denied at that time, seconds since 1970."""
    return outcome(Disposition.DENIED, denial.hresult, f"Denied by Policy Module: {denial}") | {"resolved": now}


def _judged(bench: Bench, row: Row, found: Incoming, approved: bool) -> dict[str, Any]:
    known: dict[str, Any] = {}
    try:
        asked = renewal.proven(found, bench.ledger, bench.moment)
        caller = row.caller or row.requester
        requester = on_behalf.requester_of(asked, caller, bench.ledger, bench.moment)
        known |= {"requester": requester, "caller": caller}
        attributes = asked.attributes | dict(row.attributes)
        decision = decide(bench.policy, asked, attributes, approved=approved)
        known |= _decision(decision)
        if decision.disposition is Disposition.DENIED:
            return known
        _check_signers(bench, asked, decision.template)
        known |= _archived(bench, row, asked, decision.template)
        attested = bench.attest(asked, decision.template.name, row.id)
        if attested.waits:
            known |= outcome(Disposition.UNDER_SUBMISSION, 0, attested.waits)
        elif decision.disposition is Disposition.ISSUED:
            order = attested_order(asked, decision.template, attested.policies)
            known |= _issued(bench, replace(row, requester=requester, attributes=attributes), *order)
    except Denied as denial:
        return known | outcome(Disposition.DENIED, denial.hresult, f"Denied by Policy Module: {denial}")
    return known


def _decision(decision: Decision) -> dict[str, Any]:
    return outcome(decision.disposition, decision.status, decision.message) | {"template": decision.template.name}


def _check_signers(bench: Bench, asked: Incoming, template: Template) -> None:
    if not asked.key_signed:
        check_vouched(asked.signers, bench.ledger, bench.moment)
    check_signatures(
        template.signatures, template.signature_ekus, template.signature_policies, asked.signers, bench.ledger, bench.moment
    )


def _archived(bench: Bench, row: Row, asked: Incoming, template: Template) -> Mapping[str, Any]:
    """The archived key and the request without it; nothing where there is none, or it was taken out before."""
    if row.archived_key is not None:
        return {}
    if asked.archived_key is None:
        if template.archive_key:
            raise Denied(HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED, "the template asks for a private key to archive")
        return {}
    if not template.archive_key:
        raise Denied(HRESULT.CERTSRV_E_ARCHIVED_KEY_UNEXPECTED, "the template does not have private keys archived")
    kept = {"archived_key": bench.archive(asked), "archived_key_hash": asked.archived_key_hash}
    return kept | {"request": archival.without_key(row.request)}


def _issued(bench: Bench, row: Row, asked: Incoming, template: Template) -> dict[str, Any]:
    serial = serial_number(bench.random)
    order = Order(template, asked, row.attributes, row.requester, bench.moment, serial)
    certificate = issue(bench.issuer(), bench.policy, order)
    return {
        "serial": f"{serial:x}",
        "certificate": certificate.public_bytes(serialization.Encoding.DER),
        "not_after": int(certificate.not_valid_after_utc.timestamp()),
    }


def revoked(row: Row, reason: Reason, now: int) -> dict[str, Any]:
    """The columns that revoking a certificate sets, and taking it back from hold.

    Args:
        row: the request.
        reason: why.
        now: the time, seconds since 1970.

    Raises:
        CAError: CERTSRV_E_BAD_REQUESTSTATUS where it is revoked already, or not on hold and REMOVE_FROM_CRL is the reason.
    """
    held = row.disposition is Disposition.REVOKED and row.reason == Reason.CERTIFICATE_HOLD
    if row.disposition is Disposition.REVOKED and not held:
        raise CAError(HRESULT.CERTSRV_E_BAD_REQUESTSTATUS, f"the certificate of request {row.id} is revoked already")
    if reason is Reason.REMOVE_FROM_CRL:
        if not held:
            raise CAError(HRESULT.CERTSRV_E_BAD_REQUESTSTATUS, f"the certificate of request {row.id} is not on hold")
        return outcome(Disposition.ISSUED, 0, "Issued: released from hold") | {"revoked": None, "reason": None}
    message = f"Revoked by the administrator: {reason.name.replace('_', ' ').lower()}"
    return outcome(Disposition.REVOKED, 0, message) | {"revoked": now, "reason": int(reason)}
