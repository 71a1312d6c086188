"""What InstallResponse refuses: the restriction flags as one table.

A response that was read meets three conditions: whether an outstanding request belongs to its leaf, whether a private key
does, and how its chain was judged. This module knows nothing of certificates: it maps findings and the caller's flags to
result codes, and writes the table that docs/install-response.md shows. What cannot be read is refused before (UNREADABLE).

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
    SELF_SIGNED = "the certificate is its own root and is not trusted"
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
ALL_FLAGS: Final = range(8)

RESTRICTIONS: Final[tuple[Restriction, ...]] = (
    Restriction(Finding.NO_REQUEST, HRESULT.CRYPT_E_NOT_FOUND, Flags.AllowNoOutstandingRequest),
    Restriction(Finding.NO_KEY, HRESULT.NTE_NO_KEY, NEVER),
    Restriction(Finding.BAD_SIGNATURE, HRESULT.TRUST_E_CERT_SIGNATURE, NEVER),
    Restriction(Finding.INVALID_CHAIN, HRESULT.TRUST_E_BASIC_CONSTRAINTS, NEVER),
    Restriction(Finding.UNTRUSTED_ROOT, HRESULT.CERT_E_UNTRUSTEDROOT, Flags.AllowUntrustedRoot),
    Restriction(Finding.SELF_SIGNED, HRESULT.CERT_E_UNTRUSTEDROOT, _UNTRUSTED),
    Restriction(Finding.INCOMPLETE_CHAIN, HRESULT.CERT_E_CHAINING, _UNTRUSTED),
    Restriction(Finding.EXPIRED, HRESULT.CERT_E_EXPIRED, _UNTRUSTED),
    Restriction(Finding.NOT_CHECKED, HRESULT.TRUST_E_FAIL, _UNTRUSTED),
)
# What no flag lets in, since it cannot be read: the codes are those of the readers.
UNREADABLE: Final[tuple[tuple[str, HRESULT], ...]] = (
    ("nothing at all, or a message without a certificate", HRESULT.CRYPT_E_ASN1_EOD),
    ("bytes that are no response; or another `CRYPT_E_ASN1` code, by where reading stops", HRESULT.CRYPT_E_ASN1_BADTAG),
    ("a CMC request in the place of a response", HRESULT.CRYPT_E_INVALID_MSG_TYPE),
    ("a message whose signature is wrong", HRESULT.NTE_BAD_SIGNATURE),
    ("a PFX with a wrong password, or with none where it needs one", HRESULT.WIN32_INVALID_PASSWORD),
)
_BY_FINDING: Final = {row.finding: row for row in RESTRICTIONS}


def refusals(findings: list[Finding], flags: int) -> list[Restriction]:
    """The rows by which ``flags`` refuse an install with these findings, gravest first; empty where it may go on."""
    rows = [_BY_FINDING[finding] for finding in findings]
    return [row for row in rows if not row.allowed_by & Flags(flags)]


def markdown() -> str:
    """The table of docs/install-response.md: what each value of the flags makes of each finding."""
    head = [f"| finding | code | {' | '.join(str(flags) for flags in ALL_FLAGS)} |", "|---|---|" + "---|" * len(ALL_FLAGS)]
    rows = [("nothing", "", NEVER, False), *((r.finding.value, r.refusal.name, r.allowed_by, True) for r in RESTRICTIONS)]
    rows += [(what, code.name, NEVER, True) for what, code in UNREADABLE]
    return "\n".join(head + [_row(*row) for row in rows]) + "\n"


def _row(what: str, code: str, allowed_by: Flags, refuses: bool) -> str:
    cells = ["refused" if refuses and not allowed_by & Flags(flags) else "installed" for flags in ALL_FLAGS]
    return f"| {what} | {code and f'`{code}`'} | " + " | ".join(cells) + " |"
