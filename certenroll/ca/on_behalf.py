"""Enrolling on behalf of others: who gets the certificate where an enrollment agent signed the name of another.

Knows the CA's ledger and no policy. Source: MS-WCCE 3.1.1.4.3.3 (enroll on behalf of), the page of
IX509CertificateRequestPkcs7::RequesterName.
"""

from __future__ import annotations

from datetime import datetime

from certenroll.ca.incoming import Claim, Incoming
from certenroll.ca.policy import Denied
from certenroll.ca.proofs import Ledger, check_in_force, may
from certenroll.ca.templates import ENROLLMENT_AGENT
from certenroll.hresults import HRESULT


def requester_of(incoming: Incoming, caller: str, ledger: Ledger, moment: datetime) -> str:
    """For whom a request is made.

    Args:
        incoming: the request.
        caller: ``DOMAIN\\user`` of whoever submitted it.
        ledger: what the CA knows.
        moment: the time.

    Returns:
        The RequesterName that an enrollment agent signed; the caller where there is none.

    Raises:
        Denied: CERTSRV_E_BAD_RENEWAL_SUBJECT where the name is not the caller's and nobody signed it, or two names are
            given; CERTSRV_E_SIGNATURE_REJECTED where whoever signed is no enrollment agent; as ``check_in_force`` where
            the agent's certificate is not in force.
    """
    names = {one.pair.value.strip().casefold(): one for one in incoming.on_behalf}
    if len(names) > 1:
        raise Denied(HRESULT.CERTSRV_E_BAD_RENEWAL_SUBJECT, "the request is made for two requesters")
    if not names or caller.casefold() in names:
        return caller
    (name,) = names
    claims = [one for one in incoming.on_behalf if one.pair.value.strip().casefold() == name]
    for one in claims:
        _check_agent(one, ledger, moment)
    return claims[0].pair.value.strip()


def _check_agent(claim: Claim, ledger: Ledger, moment: datetime) -> None:
    known = [one.certificate for one in claim.signers if one.certificate is not None]
    if not known:
        text = f"the request is made for {claim.pair.value}, and no enrollment agent signed that"
        raise Denied(HRESULT.CERTSRV_E_BAD_RENEWAL_SUBJECT, text)
    agents = [one for one in known if may(one, ENROLLMENT_AGENT)]
    if not agents:
        raise Denied(HRESULT.CERTSRV_E_SIGNATURE_REJECTED, "the certificate that signs is no enrollment agent's")
    for one in agents:
        check_in_force(one, ledger, moment)
