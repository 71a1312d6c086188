"""What the tests of SCEP enrollment share: requests and enrollments as scripts make them, and a look at the profile."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import certenroll
from certenroll.engine import opening
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import EncodingType
from certenroll.stores.states import State
from tests.support.enrolling import BINARY, name
from tests.support.scep_responder import ScepResponder

HEX = EncodingType.XCN_CRYPT_STRING_HEX
HEXRAW = EncodingType.XCN_CRYPT_STRING_HEXRAW
PASSWORD = "the-challenge-is-sesame"
STORES = ("MY", "CA", "ROOT", "REQUEST")


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def blank() -> Any:
    return certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollment")


def pkcs10_request(subject: str = "CN=leaf", challenge: str = PASSWORD, **key_properties: Any) -> Any:
    """A PKCS#10 with a challenge password, as scripts make it."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    made.Initialize(1)
    made.Subject = name(subject)
    made.ChallengePassword = challenge
    for member, value in key_properties.items():
        setattr(made.PrivateKey, member, value)
    return made


def begun(server: ScepResponder, request: Any = None) -> Any:
    """An enrollment for a server whose CA is known by its SHA-1."""
    made = blank()
    made.Initialize(request or pkcs10_request(), sha1(server.ca.der).hex(), HEXRAW, server.bag, BINARY)
    return made


def pending(transaction: bytes | None = None) -> Any:
    """An enrollment for a request that was made before."""
    made = blank()
    made.InitializeForPending(1)
    if transaction is not None:
        made.SetTransactionId(BINARY, transaction)
    return made


def signer(der: bytes) -> Any:
    """The ISignerCertificate of a certificate in MY."""
    made: Any = certenroll.Dispatch("X509Enrollment.CSignerCertificate")
    made.Initialize(False, 0, BINARY, der)
    return made


def counts(workspace: Workspace) -> list[int]:
    """How many certificates MY, CA, ROOT and REQUEST hold."""
    return [workspace.certificates.count(store) for store in STORES]


def keys(workspace: Workspace) -> int:
    return sum(len(report.keys) for report in workspace.key_stores.list_all())


def states(workspace: Workspace) -> list[State]:
    return [one.state for one in workspace.requests.list()]


def forget_this_process(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """What the next process sees: the profile, opened anew."""
    clock = open_workspace().clock
    monkeypatch.setattr(opening, "_open", {})
    found = open_workspace()
    found.clock = clock
    return found
