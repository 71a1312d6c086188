"""What goes wrong between the SCEP client and other people's servers: each fault, at each server, and what is left of it.

A fault before the request was noted leaves nothing; one after it leaves the request, and the next process ends with one key
and one certificate. docs/scep-servers.md shows the tables of this file and of ``test_scep_servers`` as one matrix.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import certenroll
from certenroll.asn1 import scep
from certenroll.asn1.scep import MessageType
from certenroll.ca.scep.transport import ScepServer
from certenroll.engine.opening import open_workspace
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.hresults import HRESULT
from certenroll.stores.states import State
from tests.flows.conftest import ROOT
from tests.flows.test_scep_servers import REFUSALS, SERVERS, helper, pending, server, started
from tests.stores.pki import make
from tests.support.enrolling import BINARY, refused
from tests.support.scep_client import ScepClient
from tests.support.scep_enrolling import counts, forget_this_process, keys, pkcs10_request, sha1, states
from tests.support.scep_foreign import Foreign, scepserver
from tests.support.scep_front import Front, Passing, Twist, cut_short, damaged, held, leads, lost, on, replayed, says
from tests.support.scep_mock import CHALLENGE

__all__ = ["server", "started"]  # fixtures

PAGE = b"<html><body>Sign in to the hotel's network</body></html>"
HUGE = b"\0" * (2 << 20)
STRANGER = make("Somebody else's CA").der


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: as the documentation has it.
        twist: what makes it so.
        code: what the client says of it.
        noted: whether the request was noted by then, and waits on.
    """

    name: str
    twist: Twist
    code: int
    noted: bool


FAULTS = (
    Fault("GetCACaps: a page", says("GetCACaps", PAGE), HRESULT.NTE_BAD_ALGID, False),
    Fault("GetCACaps: HTTP 500", says("GetCACaps", PAGE, 500), HRESULT.NTE_BAD_ALGID, False),
    Fault("GetCACaps: two megabytes", says("GetCACaps", HUGE), HRESULT.WIN32_INVALID_DATA, False),
    Fault("GetCACert: a page", says("GetCACert", PAGE), HRESULT.CRYPT_E_ASN1_EOD, False),
    Fault("GetCACert: nothing", says("GetCACert", b""), HRESULT.CRYPT_E_ASN1_EOD, False),
    Fault("GetCACert: HTTP 404", says("GetCACert", PAGE, 404), 0x80190194, False),
    Fault("GetCACert: two megabytes", says("GetCACert", HUGE), HRESULT.WIN32_INVALID_DATA, False),
    Fault("GetCACert: another CA's certificate", says("GetCACert", STRANGER), HRESULT.CRYPT_E_HASH_VALUE, False),
    Fault("PKIOperation: a page", says("PKIOperation", PAGE), HRESULT.CRYPT_E_ASN1_EOD, True),
    Fault("PKIOperation: nothing", says("PKIOperation", b""), HRESULT.CRYPT_E_ASN1_EOD, True),
    Fault("PKIOperation: half an answer", cut_short, HRESULT.CRYPT_E_ASN1_EOD, True),
    Fault("PKIOperation: a bad signature", damaged, HRESULT.NTE_BAD_SIGNATURE, True),
    Fault("PKIOperation: HTTP 404", says("PKIOperation", PAGE, 404), 0x80190194, True),
    Fault("PKIOperation: HTTP 500", says("PKIOperation", PAGE, 500), 0x801901F4, True),
    Fault("PKIOperation: HTTP 302", leads("PKIOperation", 302, "http://127.0.0.1:1/"), 0x8019012E, True),
    Fault("PKIOperation: two megabytes", says("PKIOperation", HUGE), HRESULT.WIN32_INVALID_DATA, True),
    Fault("PKIOperation: the line is cut", lost, HRESULT.RPC_SERVER_UNAVAILABLE, True),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_a_fault_is_told_by_its_code_and_the_next_process_ends_with_one_certificate(
    fault: Fault, server: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.web.twist = fault.twist
    made = helper(server)
    assert refused(made.Enroll, 0) == fault.code
    left = (states(open_workspace()), keys(open_workspace()), counts(open_workspace()))
    assert left == (([State.MADE], 1, [0, 0, 0, 1]) if fault.noted else ([], 0, [0, 0, 0, 0]))
    server.web.twist = None
    if fault.noted:
        forget_this_process(monkeypatch)
        assert pending(server).FetchPending(0) == Disposition.SCEPDispositionSuccess
    else:
        assert made.Enroll(0) == Disposition.SCEPDispositionSuccess
    left = (states(open_workspace()), keys(open_workspace()), counts(open_workspace()))
    assert left == ([State.INSTALLED], 1, [1, 0, 1, 0])


def test_a_request_that_a_server_took_and_that_does_not_know_polls_is_sent_again_under_its_name(
    server: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.web.twist = lost
    assert refused(helper(server).Enroll, 0) == HRESULT.RPC_SERVER_UNAVAILABLE
    server.web.twist = None
    forget_this_process(monkeypatch)
    assert pending(server).FetchPending(0) == Disposition.SCEPDispositionSuccess
    messages = [scep.decode(one.message) for one in server.web.messages]
    assert [one.message_type for one in messages] == [MessageType.PKCSReq, MessageType.CertPoll, MessageType.PKCSReq]
    assert len({one.transaction_id for one in messages}) == 1
    assert messages[0] == messages[2], "octet by octet: the challenge password stands nowhere to make another of"


def test_a_server_that_gives_a_name_once_refuses_what_is_sent_again(profile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with scepserver("scepserver", "-allowrenew", "1") as strict:
        strict.web.twist = lost
        assert refused(helper(strict).Enroll, 0) == HRESULT.RPC_SERVER_UNAVAILABLE
        strict.web.twist = None
        forget_this_process(monkeypatch)
        assert pending(strict).FetchPending(0) == Disposition.SCEPDispositionFailure
    assert (states(open_workspace()), keys(open_workspace())) == ([State.DENIED], 0)


def test_a_request_that_a_server_said_to_have_is_not_sent_again(
    profile: Path, started: Callable[[str], Foreign], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = started("mock")
    waiting.web.seen.clear()
    assert helper(waiting, "CN=pend").Enroll(0) == Disposition.SCEPDispositionPending
    waiting.web.twist = says("PKIOperation", PAGE, 500)
    forget_this_process(monkeypatch)
    assert refused(pending(waiting).FetchPending, 0) == 0x801901F4
    waiting.web.twist = None
    assert [scep.decode(one.message).message_type for one in waiting.web.messages] == [19, 20]
    assert states(open_workspace()) == [State.PENDING]


def test_a_slow_server_is_waited_for_as_long_as_the_transport_says(
    server: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollment")
    patient, hasty = ScepServer(server.url), ScepServer(server.url, timeout_seconds=0.3)
    capabilities = patient.capabilities()
    bag = scep.degenerate(patient.ca_certificates())
    made.Initialize(pkcs10_request("CN=leaf", CHALLENGE), sha1(server.ca), BINARY, bag, BINARY)
    message = made.CreateRequestMessage(BINARY)
    server.web.twist = held
    error = refused_by(hasty, message, capabilities)
    server.web.released.set()
    server.web.twist = None
    server.web.released.clear()
    assert error == HRESULT.WIN32_TIMEOUT
    forget_this_process(monkeypatch)
    assert pending(server).FetchPending(0) == Disposition.SCEPDispositionSuccess


def refused_by(web: ScepServer, message: bytes, capabilities: Any) -> int:
    from certenroll.ca.base import CAError

    with pytest.raises(CAError) as caught:
        web.operation(message, capabilities)
    assert caught.value.uncertain
    return int(caught.value.hresult)


# Believing nothing -----------------------------------------------------------------------------------------------------


def test_a_wrong_thumbprint_ends_it_before_anything_is_sent(server: Foreign) -> None:
    made: Any = certenroll.Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    made.Initialize(server.url, "", pkcs10_request("CN=leaf", CHALLENGE), "00" * 20)
    assert refused(made.Enroll, 0) == HRESULT.CRYPT_E_HASH_VALUE
    assert (server.web.messages, states(open_workspace()), keys(open_workspace())) == ([], [], 0)


def test_an_old_answer_is_refused_for_its_nonce(server: Foreign) -> None:
    made = helper(server)
    server.web.twist = lost
    assert refused(made.Enroll, 0) == HRESULT.RPC_SERVER_UNAVAILABLE
    server.web.twist = replayed
    assert refused(made.Enroll, 0) == HRESULT.NTE_BAD_DATA
    server.web.twist = None
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess


def test_another_s_answer_is_refused_for_its_transaction(server: Foreign) -> None:
    assert helper(server, "CN=another").Enroll(0) == Disposition.SCEPDispositionSuccess
    server.web.twist = replayed
    made = helper(server)
    assert refused(made.Enroll, 0) == HRESULT.CRYPT_E_NO_MATCH
    assert sorted(one.value for one in states(open_workspace())) == ["installed", "made"]


def test_a_certificate_that_somebody_in_the_middle_asked_for_under_our_name_is_not_taken(server: Foreign) -> None:
    """Transaction and nonce are there to be read. The answer is the server's, names both, and is encrypted for the thief."""

    def usurp(web: Front, passing: Passing) -> Passing:
        ours = scep.decode(passing.message)
        thief = ScepClient(bytes, ScepServer(server.url).ca_certificates(), "thief", challenge=CHALLENGE)
        theirs = thief.build(
            MessageType.PKCSReq, thief.request, transaction_id=ours.transaction_id, sender_nonce=ours.sender_nonce
        )
        web.twist = None
        return web.carry(passing.method, passing.path, theirs)

    server.web.twist = on("PKIOperation", usurp)
    made = helper(server)
    assert refused(made.Enroll, 0) == HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND
    assert (states(open_workspace()), counts(open_workspace())) == ([State.MADE], [0, 0, 0, 1])
    assert made.Enroll(0) == Disposition.SCEPDispositionSuccess


# The documentation -----------------------------------------------------------------------------------------------------


def test_the_documented_matrix_is_that_of_the_tests() -> None:
    lines = (ROOT / "docs" / "scep-servers.md").read_text().splitlines()
    rows = {found[1]: line for line in lines if (found := re.match(r"\| ([^|]+?) \|", line))}
    codes = {int(one): one.name for one in HRESULT}
    for fault in FAULTS:
        assert codes.get(fault.code, f"0x{fault.code:08X}") in rows[fault.name], fault.name
        assert ("waits" if fault.noted else "nothing") in rows[fault.name], fault.name
    assert {one for one in rows if re.match(r"(GetCA|PKIOperation)\w*: ", one)} == {one.name for one in FAULTS}
    for refusal in REFUSALS:
        assert refusal.reason.name in rows[f"{refusal.server}: {refusal.name}"]
    assert all(any(name in line for line in lines if line.startswith("| case")) for name in SERVERS)
