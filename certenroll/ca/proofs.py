"""Whose signature counts: certificates that this CA issued, that are in force, and that sign for what they may sign for.

Asks a ledger what the CA knows of a certificate. Knows no message and no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certenroll.asn1 import extensions
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.signed_messages import VerifiedSigner
from certenroll.ca.base import Disposition
from certenroll.ca.policy import Denied
from certenroll.hresults import HRESULT

ANY_USE: Final = ("2.5.29.37.0", "1.3.6.1.4.1.311.10.12.1")  # anyExtendedKeyUsage, szOID_ANY_APPLICATION_POLICY


@dataclass(frozen=True)
class Record:
    """What a CA knows of a certificate that it issued.

    Attributes:
        disposition: ISSUED, or REVOKED.
        template: the name of its template; empty for none.
    """

    disposition: Disposition
    template: str


Ledger = Callable[[bytes], Record | None]
"""What is known of a certificate (DER); None where the CA did not issue it."""


def check_in_force(certificate: Certificate, ledger: Ledger, moment: datetime) -> Record:
    """What the CA knows of a certificate that may be relied on now.

    Raises:
        Denied: CERT_E_UNTRUSTEDROOT where this CA did not issue it, CRYPT_E_REVOKED, CERT_E_EXPIRED.
    """
    found = ledger(certificate.der)
    if found is None:
        raise Denied(HRESULT.CERT_E_UNTRUSTEDROOT, "a certificate that signs the request is not from this CA")
    if found.disposition is not Disposition.ISSUED:
        raise Denied(HRESULT.CRYPT_E_REVOKED, "a certificate that signs the request is revoked")
    if not certificate.not_before <= moment <= certificate.not_after:
        raise Denied(HRESULT.CERT_E_EXPIRED, "a certificate that signs the request is not valid now")
    return found


def uses(certificate: Certificate) -> frozenset[str]:
    """What a certificate may be used for: its application policies, else its enhanced key usages. Raises DecodeError."""
    policies = certificate.extension(extensions.APPLICATION_POLICIES)
    if policies is not None:
        return frozenset(one.oid for one in extensions.decode_policies(policies.value))
    usage = certificate.extension(extensions.EXTENDED_KEY_USAGE)
    return frozenset(extensions.decode_object_ids(usage.value)) if usage is not None else frozenset()


def issuance_policies(certificate: Certificate) -> frozenset[str]:
    """The certificate policies of a certificate. Raises DecodeError."""
    found = certificate.extension(extensions.CERTIFICATE_POLICIES)
    return frozenset(one.oid for one in extensions.decode_policies(found.value)) if found is not None else frozenset()


def may(certificate: Certificate, use: str) -> bool:
    """Whether a certificate says that it may be used so. One that says nothing may not; nor one that cannot be read."""
    try:
        found = uses(certificate)
    except DecodeError:
        return False
    return use in found or not found.isdisjoint(ANY_USE)


def check_signatures(
    needed: int, wanted_uses: Iterable[str], wanted_policies: Iterable[str], signers: Iterable[VerifiedSigner],
    ledger: Ledger, moment: datetime,
) -> None:  # fmt: skip
    """Checks that as many have signed as a template asks for, each of them allowed to.

    Args:
        needed: how many signatures besides the request's own; 0 asks for nothing.
        wanted_uses: application policies, all of which a signer must have.
        wanted_policies: issuance policies, one of which a signer must have.
        signers: whoever signed.
        ledger: what the CA knows.
        moment: the time.

    Raises:
        Denied: CERTSRV_E_SIGNATURE_POLICY_REQUIRED where nobody signed, CERTSRV_E_SIGNATURE_REJECTED and
            CERTSRV_E_ISSUANCE_POLICY_REQUIRED where too few of those who did may, CERTSRV_E_SIGNATURE_COUNT where too few
            did; else as ``check_in_force``.
    """
    if not needed:
        return
    found = {one.certificate.der: one.certificate for one in signers if one.certificate is not None}
    if not found:
        text = f"the template asks for {needed} signatures, and the request has none besides its own"
        raise Denied(HRESULT.CERTSRV_E_SIGNATURE_POLICY_REQUIRED, text)
    for one in found.values():
        check_in_force(one, ledger, moment)
    able = [one for one in found.values() if all(may(one, use) for use in wanted_uses)]
    policies = frozenset(wanted_policies)
    fit = [one for one in able if not policies or not policies.isdisjoint(_policies_or_none(one))]
    if len(fit) >= needed:
        return
    if len(found) < needed:
        raise Denied(HRESULT.CERTSRV_E_SIGNATURE_COUNT, f"the template asks for {needed} signatures, {len(found)} are there")
    if len(able) < needed:
        raise Denied(HRESULT.CERTSRV_E_SIGNATURE_REJECTED, "a signer's certificate lacks the application policy")
    raise Denied(HRESULT.CERTSRV_E_ISSUANCE_POLICY_REQUIRED, "a signer's certificate lacks the issuance policy")


def check_vouched(signers: Iterable[VerifiedSigner], ledger: Ledger, moment: datetime) -> None:
    """Checks that those who may answer for a key signed a request that this key did not sign.

    Raises:
        Denied: as ``check_in_force`` where one of them may not; NTE_BAD_SIGNATURE where there is none.
    """
    found = [one.certificate for one in signers if one.certificate is not None]
    if not found:
        raise Denied(HRESULT.NTE_BAD_SIGNATURE, "neither the key of the request nor anybody for it signed the request")
    for one in found:
        check_in_force(one, ledger, moment)


def _policies_or_none(certificate: Certificate) -> frozenset[str]:
    try:
        return issuance_policies(certificate)
    except DecodeError:
        return frozenset()
