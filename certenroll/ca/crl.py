"""Certificate revocation lists: the reasons, and a signed list from rows. Opens no database and knows no clock.

Source: RFC 5280 section 5.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from certenroll.ca.database import Row
from certenroll.ca.issuing import BACKDATE, Issuer


class Reason(enum.IntEnum):
    """CRLReason of RFC 5280 section 5.3.1, under the numbers that certutil takes."""

    UNSPECIFIED = 0
    KEY_COMPROMISE = 1
    CA_COMPROMISE = 2
    AFFILIATION_CHANGED = 3
    SUPERSEDED = 4
    CESSATION_OF_OPERATION = 5
    CERTIFICATE_HOLD = 6
    REMOVE_FROM_CRL = 8
    PRIVILEGE_WITHDRAWN = 9
    AA_COMPROMISE = 10


# UNSPECIFIED has no entry: RFC 5280 section 5.3.1 wants the extension left out instead.
_FLAGS = {
    Reason.KEY_COMPROMISE: x509.ReasonFlags.key_compromise,
    Reason.CA_COMPROMISE: x509.ReasonFlags.ca_compromise,
    Reason.AFFILIATION_CHANGED: x509.ReasonFlags.affiliation_changed,
    Reason.SUPERSEDED: x509.ReasonFlags.superseded,
    Reason.CESSATION_OF_OPERATION: x509.ReasonFlags.cessation_of_operation,
    Reason.CERTIFICATE_HOLD: x509.ReasonFlags.certificate_hold,
    Reason.PRIVILEGE_WITHDRAWN: x509.ReasonFlags.privilege_withdrawn,
    Reason.AA_COMPROMISE: x509.ReasonFlags.aa_compromise,
}


@dataclass(frozen=True)
class Revocation:
    """One revoked certificate."""

    serial: int
    moment: datetime
    reason: Reason


def make_crl(
    issuer: Issuer, number: int, this_update: datetime, next_update: datetime, entries: Iterable[Revocation]
) -> bytes:
    """DER of a CRL that ``issuer`` signs.

    Args:
        issuer: the CA's certificate and key.
        number: the CRL number.
        this_update: the time of issue; the list is dated ten minutes earlier, for clocks that are behind.
        next_update: when the next list is due at the latest.
        entries: what is revoked.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(max(this_update.replace(microsecond=0) - BACKDATE, issuer.certificate.not_valid_before_utc))
        .next_update(next_update.replace(microsecond=0))
        .add_extension(x509.AuthorityKeyIdentifier(issuer.key_id, None, None), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for entry in entries:
        builder = builder.add_revoked_certificate(_entry(entry))
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _entry(entry: Revocation) -> x509.RevokedCertificate:
    moment = entry.moment.replace(microsecond=0)
    builder = x509.RevokedCertificateBuilder().serial_number(entry.serial).revocation_date(moment)
    flag = _FLAGS.get(entry.reason)
    if flag is not None:
        builder = builder.add_extension(x509.CRLReason(flag), critical=False)
    return builder.build()


def revocations(rows: Iterable[Row], now: int) -> list[Revocation]:
    """What stands in a CRL: the revoked certificates that have not run out."""
    found = (row for row in rows if row.serial and row.revoked and (row.not_after or 0) > now)
    return [
        Revocation(int(row.serial or "", 16), datetime.fromtimestamp(row.revoked or 0, UTC), Reason(row.reason or 0))
        for row in found
    ]
