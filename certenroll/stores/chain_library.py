"""Puts a path before ``cryptography.x509.verification``. Knows how to ask it and what its refusals mean, and no more.

The library's own policies are those of the web (a host name or clientAuth, an authority key identifier in all): enrolled
certificates are for anything, so that every extension is permitted here and only basic constraints are demanded of CAs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from certenroll.asn1.certificates import Certificate
from certenroll.hresults import HRESULT
from certenroll.stores.chain_rules import NAME_CONSTRAINTS, Fault, Outcome, old_parts


def library_faults(path: Sequence[Certificate], at: datetime) -> tuple[list[Fault], list[str]]:
    """What the library finds wrong with a path in which nothing wrong was found before.

    Args:
        path: the leaf first, the trusted root last.
        at: the time to judge by, with a time zone.

    Returns:
        (faults, notes). A path that the library refuses for its age alone has a note and no fault, unless it has name
        constraints, which nobody else checks.
    """
    if len(path) == 1:
        return [], []
    old = old_parts(path)
    if not old:
        return _verify(path, at), []
    if any(issuer.extension(NAME_CONSTRAINTS) for issuer in path[1:]):
        text = f"name constraints could not be checked: {'; '.join(old)}"
        return [Fault(Outcome.NOT_CHECKED, HRESULT.CERT_E_INVALID_NAME, text)], []
    return [], [f"Old cryptography: {'; '.join(old)}."]


def _verify(path: Sequence[Certificate], at: datetime) -> list[Fault]:
    from cryptography import x509
    from cryptography.x509 import verification

    permitted = verification.ExtensionPolicy.permit_all()
    for kind in (x509.CertificatePolicies, x509.IssuerAlternativeName, x509.CRLDistributionPoints):
        # Critical ones are refused unless they are named. They say what a certificate is for, and not whether it is good.
        permitted = permitted.may_be_present(kind, verification.Criticality.AGNOSTIC, None)
    for_cas = permitted.require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, None)
    try:
        leaf, *issuers = (x509.load_der_x509_certificate(each.der) for each in path)
        builder = verification.PolicyBuilder().store(verification.Store(issuers[-1:])).max_chain_depth(len(path))
        builder = builder.time(at.astimezone(UTC).replace(tzinfo=None))
        verifier = builder.extension_policies(ca_policy=for_cas, ee_policy=permitted).build_client_verifier()
        verifier.verify(leaf, issuers[:-1])
    except verification.VerificationError as error:
        return [_refusal(str(error))]
    except (ValueError, TypeError) as error:
        return [Fault(Outcome.NOT_CHECKED, HRESULT.TRUST_E_FAIL, f"a certificate of the chain could not be read: {error}")]
    return []


def _refusal(text: str) -> Fault:
    if "unsupported" in text:
        return Fault(Outcome.NOT_CHECKED, HRESULT.CERT_E_INVALID_NAME, f"the chain could not be checked to its end: {text}")
    code = HRESULT.CERT_E_INVALID_NAME if "name constraint" in text else HRESULT.TRUST_E_FAIL
    return Fault(Outcome.INVALID, code, text)
