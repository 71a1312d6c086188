"""What a local CA was asked, as its own database tells it; and what its operator does by hand."""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections import Counter
from pathlib import Path

from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA


def times_asked(folder: Path) -> Counter[bytes]:
    """How often the CA took each request, by the SHA-256 of its bytes."""
    with sqlite3.connect(folder / "ca.db") as database:
        found = Counter(digest for (digest,) in database.execute("SELECT sha256 FROM requests"))
    database.close()
    return found


def digest(request: bytes) -> bytes:
    """The SHA-256 by which the CA knows a request."""
    return hashlib.sha256(request).digest()


def sign_by_hand(authority: LocalCA, request: bytes) -> bytes:
    """The PKCS#7 response that the CA's operator carries back for a request that came in a file."""
    known = authority.find(request)  # an operator who was asked twice hands out what was made the first time
    answer = known or authority.submit(Submission(request))
    assert answer.certificate is not None, answer.message
    return encode_certificate_bag((answer.certificate, *answer.chain))


def approve_all(authority: LocalCA) -> None:
    """Issues what waits for a decision."""
    for row in authority.pending():
        authority.issue(str(row.id))


def pem(label: str, *ders: bytes) -> str:
    """PEM of one or more DER values."""
    return "".join(f"-----BEGIN {label}-----\n{base64.encodebytes(one).decode()}-----END {label}-----\n" for one in ders)
