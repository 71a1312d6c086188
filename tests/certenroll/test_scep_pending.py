"""SCEP requests that outlive their process: waiting, renewed, retrieved, and interrupted at every point of the way."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import certenroll
from certenroll.asn1 import scep
from certenroll.asn1.scep import MessageType
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import DelayRetryAction, EnrollmentEnrollStatus
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.enums import X509SCEPFailInfo as FailInfo
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.states import State
from tests.stores.pki import common_name
from tests.support.enrolling import BINARY, refused
from tests.support.scep_enrolling import (
    HEX,
    begun,
    counts,
    forget_this_process,
    keys,
    pending,
    pkcs10_request,
    sha1,
    signer,
    states,
)
from tests.support.scep_responder import PENDING, SUCCESS, ScepResponder, refusal, root


@pytest.fixture
def server() -> ScepResponder:
    return ScepResponder()


# Waiting -------------------------------------------------------------------------------------------------------------


def test_a_request_that_waits_is_found_by_the_next_process(
    workspace: Workspace, server: ScepResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.reply_with(PENDING, PENDING, SUCCESS)
    made = begun(server)
    made.ServerCapabilities = "AES\nSHA-512"
    assert made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY) == 3
    assert (made.Status.Status, made.DelayRetry) == (EnrollmentEnrollStatus.EnrollPended, DelayRetryAction.DelayRetryLong)
    transaction = made.TransactionId(BINARY)
    for expected in (Disposition.SCEPDispositionPending, Disposition.SCEPDispositionSuccess):
        later = forget_this_process(monkeypatch)
        again = pending(transaction)
        answer = server.answer(again.CreateRetrievePendingMessage(BINARY))
        forget_this_process(monkeypatch)
        third = pending()  # whoever takes the answer need not be who asked, and one request needs no name
        assert third.ProcessResponseMessage(answer, BINARY) == expected
    assert server.messages == [MessageType.PKCSReq, MessageType.CertPoll, MessageType.CertPoll]
    assert {one.message.digest for one in server.asked} == {"sha512"}
    assert {one.signer for one in server.asked} == {server.asked[0].signer}
    assert (counts(later), states(later)) == ([1, 0, 1, 0], [State.INSTALLED])
    assert refused(pending(transaction).CreateRetrievePendingMessage) == HRESULT.CRYPT_E_NOT_FOUND


def test_of_several_requests_the_transaction_says_which_is_meant(workspace: Workspace, server: ScepResponder) -> None:
    server.reply_with(PENDING)
    ids = []
    for subject in ("CN=one", "CN=two"):
        made = begun(server, pkcs10_request(subject))
        made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY)
        ids.append(made.TransactionId(BINARY))
    assert refused(pending().CreateRetrievePendingMessage) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert refused(pending(b"unknown").CreateRetrievePendingMessage) == HRESULT.CRYPT_E_NOT_FOUND
    server.answer(pending(ids[0]).CreateRetrievePendingMessage(BINARY), PENDING)
    names = scep.decode_issuer_and_subject(server.asked[-1].content)
    assert names == (server.ca.certificate.subject.public_bytes(), common_name("one").public_bytes())
    assert server.asked[-1].signer == server.asked[0].signer


def test_a_poll_that_is_refused_ends_the_request(workspace: Workspace, server: ScepResponder) -> None:
    server.reply_with(PENDING, refusal(3), refusal(2))
    made = begun(server)
    made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY)
    for state, held in ((State.PENDING, 1), (State.DENIED, 0)):
        assert made.ProcessResponseMessage(server.answer(made.CreateRetrievePendingMessage(BINARY)), BINARY) == 2
        assert (states(workspace), keys(workspace)) == ([state], held)


def test_the_request_message_of_a_process_that_ended_is_made_again(
    workspace: Workspace, server: ScepResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = begun(server).CreateRequestMessage(BINARY)
    later = forget_this_process(monkeypatch)
    again = pending()
    assert again.CreateRequestMessage(BINARY) == message
    assert again.ProcessResponseMessage(server.answer(message), BINARY) == 0
    assert (counts(later), keys(later)) == ([1, 0, 1, 0], 1)


def test_a_request_is_deleted_with_its_key(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    made.CreateRequestMessage()
    transaction = made.TransactionId(BINARY)
    pending(transaction).DeleteRequest()
    assert (counts(workspace), keys(workspace), states(workspace)) == ([0, 0, 0, 0], 0, [])
    assert refused(pending(transaction).DeleteRequest) == HRESULT.CRYPT_E_NOT_FOUND


# Renewal and retrieval -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("capabilities", "kind"), [("SCEPStandard\nRenewal", 17), ("SCEPStandard", 19)])
def test_a_renewal_is_signed_by_the_old_certificate(
    workspace: Workspace, server: ScepResponder, capabilities: str, kind: int
) -> None:
    first = begun(server)
    first.ProcessResponseMessage(server.answer(first.CreateRequestMessage(BINARY)), BINARY)
    old = first.Certificate(BINARY)
    second = begun(server)
    second.ServerCapabilities = capabilities
    second.SignerCertificate = signer(old)
    assert second.ProcessResponseMessage(server.answer(second.CreateRequestMessage(BINARY)), BINARY) == 0
    assert (server.messages, server.asked[1].signer) == ([19, kind], old)
    heir = second.Certificate(BINARY)
    retired = workspace.certificates.get("MY", sha1(old))
    assert retired is not None
    assert retired.properties[properties.RENEWAL] == sha1(heir)
    assert properties.ARCHIVED in retired.properties


def test_a_renewal_that_waits_is_opened_by_the_old_key(
    workspace: Workspace, server: ScepResponder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = begun(server)
    first.ProcessResponseMessage(server.answer(first.CreateRequestMessage(BINARY)), BINARY)
    second = begun(server)
    second.SignerCertificate = signer(first.Certificate(BINARY))
    second.ProcessResponseMessage(server.answer(second.CreateRequestMessage(BINARY), PENDING), BINARY)
    later = forget_this_process(monkeypatch)
    again = pending()
    assert again.ProcessResponseMessage(server.answer(again.CreateRetrievePendingMessage(BINARY)), BINARY) == 0
    assert server.asked[-1].signer == first.Certificate(BINARY)
    assert counts(later)[0] == 1  # the old one is archived


def test_a_certificate_that_was_issued_before_is_had_again(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY)
    der = made.Certificate(BINARY)
    known = x509.load_der_x509_certificate(der)
    serial = f"{known.serial_number:040x}"
    asking = pending()
    message = asking.CreateRetrieveCertificateMessage(1, known.issuer.public_bytes(), BINARY, serial, HEX, BINARY)
    assert asking.ProcessResponseMessage(server.answer(message), BINARY) == 0
    assert (server.messages[-1], asking.Certificate(BINARY)) == (MessageType.GetCert, der)
    refusing = server.answer(
        asking.CreateRetrieveCertificateMessage(1, known.issuer.public_bytes(), BINARY, serial, HEX, BINARY), refusal(4)
    )
    assert (asking.ProcessResponseMessage(refusing, BINARY), asking.FailInfo) == (2, FailInfo.SCEPFailBadCertId)
    assert counts(workspace) == [1, 0, 1, 0]


# Interruptions -------------------------------------------------------------------------------------------------------

ENROLL = """
import sys
import certenroll

url, thumbprint = sys.argv[1:]
request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
request.Initialize(1)
request.Subject = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
request.Subject.Encode("CN=leaf")
helper = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
helper.Initialize(url, "", request, thumbprint)
helper.Enroll(0)
"""
ROOT = Path(__file__).resolve().parents[2]


def test_wherever_a_process_is_killed_the_next_one_ends_with_one_key_and_one_certificate(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid = (-100, 20000)
    with ScepResponder(root(days=valid), days=valid) as server:
        for point in itertools.count(1):
            folder = tmp_path / f"home-{point}"
            folder.mkdir(mode=0o700)
            environment = os.environ | {"XENROLL_HOME": str(folder), "XENROLL_FAULT_AT": str(point)}
            command = [sys.executable, "-c", ENROLL, server.url, sha1(server.ca.der).hex()]
            done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
            monkeypatch.setenv("XENROLL_HOME", str(folder))
            assert end_of(server) == (1, 1, 0), (point, done.stderr)
            assert len(server.issued) == 1
            server.issued.clear()
            if done.returncode == 0:
                break
            assert done.returncode == -signal.SIGKILL, done.stderr
    assert point > 8  # the request, the answer and the install are six points; the key and the profile's tables have theirs


def end_of(server: ScepResponder) -> tuple[int, int, int]:
    """What the next process makes of it: how many certificates in MY, keys, and requests in REQUEST there are then."""
    workspace = open_workspace()
    if workspace.certificates.count("REQUEST"):
        helper: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
        helper.InitializeForPending(server.url, "", 1, "")
        assert helper.FetchPending(0) == Disposition.SCEPDispositionSuccess
    elif not workspace.certificates.count("MY"):
        assert keys(workspace) == 0
        helper = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
        helper.Initialize(server.url, "", pkcs10_request(), sha1(server.ca.der).hex())
        assert helper.Enroll(0) == Disposition.SCEPDispositionSuccess
    return workspace.certificates.count("MY"), keys(workspace), workspace.certificates.count("REQUEST")
