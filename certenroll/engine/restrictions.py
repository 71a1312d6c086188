"""What InstallResponse refuses: the restriction flags as one table.

A response meets four conditions: whether an outstanding request (or at least a key) belongs to its leaf, how its chain
was judged, whether it holds a leaf at all, and whether it can be read. This module knows nothing of certificates: it
maps a situation and the caller's flags to a result code. docs/install-response.md shows the same table.

Source: the pages of IX509Enrollment::InstallResponse and InstallResponseRestrictionFlags. Microsoft documents what each
flag allows and not what the refusal is; the codes below are the ones that the chain and store functions of Windows give
for the same finding.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from certenroll.enums import InstallResponseRestrictionFlags as Flags
from certenroll.hresults import HRESULT


class Finding(enum.Enum):
    """Something that InstallResponse may refuse."""

    NO_REQUEST = "no outstanding request has the key of the response's certificate"
    NO_KEY = "no private key belongs to the response's certificate"
    UNTRUSTED_ROOT = "the chain ends in a root that is not trusted"
    INCOMPLETE_CHAIN = "the chain cannot be built: an issuer is missing"
    EXPIRED = "a certificate of the chain is outside its validity period"
    INVALID_CHAIN = "a certificate of the chain may not stand where it stands"
    BAD_SIGNATURE = "a signature of the chain is wrong"
    NOT_CHECKED = "the chain could not be checked"


@dataclass(frozen=True)
class Restriction:
    """One row: ``finding`` refuses an install with ``refusal`` unless the caller gave one of ``allowed_by``."""

    finding: Finding
    refusal: HRESULT
    allowed_by: Flags


NEVER: Final = Flags.AllowNone
_UNTRUSTED: Final = Flags.AllowUntrustedCertificate | Flags.AllowUntrustedRoot

RESTRICTIONS: Final[tuple[Restriction, ...]] = (
    Restriction(Finding.NO_REQUEST, HRESULT.CRYPT_E_NOT_FOUND, Flags.AllowNoOutstandingRequest),
    Restriction(Finding.NO_KEY, HRESULT.NTE_NO_KEY, NEVER),
    Restriction(Finding.BAD_SIGNATURE, HRESULT.TRUST_E_CERT_SIGNATURE, NEVER),
    Restriction(Finding.INVALID_CHAIN, HRESULT.TRUST_E_BASIC_CONSTRAINTS, NEVER),
    Restriction(Finding.UNTRUSTED_ROOT, HRESULT.CERT_E_UNTRUSTEDROOT, _UNTRUSTED),
    Restriction(Finding.INCOMPLETE_CHAIN, HRESULT.CERT_E_CHAINING, _UNTRUSTED),
    Restriction(Finding.EXPIRED, HRESULT.CERT_E_EXPIRED, _UNTRUSTED),
    Restriction(Finding.NOT_CHECKED, HRESULT.TRUST_E_FAIL, _UNTRUSTED),
)
_BY_FINDING: Final = {row.finding: row for row in RESTRICTIONS}


def refusals(findings: list[Finding], flags: int) -> list[Restriction]:
    """The rows by which ``flags`` refuse an install with these findings, gravest first; empty where it may go on."""
    rows = [_BY_FINDING[finding] for finding in findings]
    return [row for row in rows if not row.allowed_by & Flags(flags)]
