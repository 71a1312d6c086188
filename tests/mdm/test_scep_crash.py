"""Killed at any write: the next run goes on with the same transaction; no second certificate, and no key without an owner.

Steps run as processes that SIGKILL ends at their N-th write point (certenroll/stores/faults.py), for every fifth N until one
survives, and in exhaustive runs for every N; the server is this process. Then this process takes the profile up, as the
first one after the crash.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1.scep import MessageType
from certenroll.engine import opening
from certenroll.mdm.scep_records import LEFT_BEHIND
from certenroll.mdm.scep_runner import run
from certenroll.stores.mdm_instances import InstanceStore
from tests.flows.conftest import ROOT, close_profile
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    A_REQUEST,
    NOTHING,
    Placed,
    Runs,
    codes,
    command,
    left_over,
    order,
    settings,
    value,
)  # fmt: skip
from tests.support import preloaded
from tests.support.profiles import home, keys, orphans, rows
from tests.support.scep_responder import PENDING, SUCCESS, root

YEARS = (0, 4000)  # days around the time of the test certificates: real time, for a process knows no other
LONGER = (0, 9000)  # of the CA, and of a certificate that is not to be renewed at once
POLL = 5.0  # minutes: the RetryDelay
RENEWAL = 2500 * 24 * 60.0  # minutes from now: past two thirds of that time


@dataclass(frozen=True)
class Flow:
    """What is killed, and in which state of the enrollment.

    Attributes:
        before: the minutes at which runs were made before it, the server letting the request wait or issuing.
        answers: how the server answers those.
        step: what is killed, and its minutes.
        after: the minutes at which runs are made until the certificate is there.
        fewest: the fewest write points that it can have.
        transactions, certificates: how many the server may have seen, and issued.
    """

    before: tuple[float, ...]
    answers: tuple[str, ...]
    step: tuple[str, float]
    after: tuple[float, ...]
    fewest: int
    transactions: int = 1
    certificates: int = 1


FLOWS = {
    "issued at once": Flow((), (), ("run", 0), (0,), 12),
    "held": Flow((), ("hold",), ("run", 0), (0, POLL), 10),
    "polled": Flow((0,), ("hold",), ("run", POLL), (POLL,), 8),
    "renewed": Flow((0,), ("issue",), ("run", RENEWAL), (RENEWAL,), 14, 2, 2),
    "renewal held": Flow((0,), ("issue", "hold"), ("run", RENEWAL), (RENEWAL, RENEWAL + POLL), 10, 2, 2),
}
PLACES = {
    "software": {"KeyProtection": "3", "KeyLength": "1024"},
    "tpm": {"KeyProtection": "1"},
    "smartcard": {"KeyProtection": "4", "ContainerName": "web"},
}
CASES = [(name, "software") for name in FLOWS] + [("issued at once", "tpm"), ("renewed", "smartcard")]
DEVICES = {"tpm": "with_tpm", "smartcard": "with_card"}


@pytest.fixture
def server(profile: Path) -> Iterator[Placed]:
    with Placed(ca=root("real time", days=LONGER), days=YEARS) as started:
        yield started


def killed(step: tuple[str, float], number: int, folder: Path) -> int:
    """Runs a step as a process that ends at its write point of that number; 0 is none. Gives its exit code."""
    faults = {"XENROLL_FAULT_AT": str(number), "XENROLL_FAULT_LOG": str(folder / "writes")} if number else {}
    arguments = [step[0], str(step[1])]
    done = preloaded.run("tests.mdm.scep_script", arguments, {**os.environ, **faults}, ROOT, timeout=60)
    assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
    opening._open.clear()  # what comes next opens the profile as the next process would
    return done.returncode


@contextmanager
def attempt(server: Placed, folder: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A profile, and a server that has seen nothing, for one kill. A failure says where the process was killed."""
    place = folder / str(number)
    place.mkdir()
    monkeypatch.setenv("XENROLL_HOME", str(place / "home"))
    for seen in (server.asked, server.issued, server._made, server._spki):
        seen.clear()
    server.days = YEARS
    server.reply_with(SUCCESS)
    try:
        yield place
    except BaseException as error:
        log = place / "writes"
        error.add_note(f"killed at write {number}: {log.read_text().splitlines()[-1] if log.exists() else 'none'}")
        raise
    finally:
        close_profile()


def at(minutes: float) -> list[str]:
    """A run of this process."""
    workspace = Runs(datetime.now(UTC)).workspace
    return [one.state for one in run(workspace, clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))]


def hold_each_once(server: Placed) -> None:
    """The server lets every transaction wait when it first hears of it, and issues on a poll."""
    original = type(server).answer
    held: set[str] = set()

    def answer(data: bytes, how: object = None) -> bytes:
        from certenroll.asn1 import scep

        message = scep.decode(data)
        first = message.message_type != MessageType.CertPoll
        return original(server, data, PENDING if first and not held.add(message.transaction_id) else SUCCESS)  # type: ignore[func-returns-value]

    server.answer = answer  # type: ignore[method-assign]


def prepare(flow: Flow, server: Placed, place: str) -> None:
    server.__dict__.pop("answer", None)
    if flow.answers[:1] == ("hold",):
        hold_each_once(server)
    order(settings(server, **PLACES[place]))
    for minutes in flow.before:
        at(minutes)
    server._made.clear()
    server.days = LONGER if flow.step[1] == RENEWAL else YEARS
    if flow.answers[1:] == ("hold",):
        hold_each_once(server)


every_write = pytest.mark.parametrize("stride", [5, pytest.param(1, marks=pytest.mark.exhaustive)])


@every_write
@pytest.mark.parametrize(("name", "place"), CASES, ids=str)
def test_an_enrollment_that_is_killed_at_any_write_goes_on(
    stride: int,
    name: str,
    place: str,
    server: Placed,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = FLOWS[name]
    if place in DEVICES:
        request.getfixturevalue(DEVICES[place])
    for number in itertools.count(1, stride):
        with attempt(server, tmp_path, number, monkeypatch) as folder:
            prepare(flow, server, place)
            close_profile()
            code = killed(flow.step, number, folder)
            assert_nothing_is_lost()
            for minutes in flow.after:
                at(minutes)
            assert_one_certificate(server, flow, place)
            assert codes(command("Delete", "one")) == [200]
            assert left_over() == NOTHING
        if code == 0:
            break
    assert number > flow.fewest


def assert_nothing_is_lost() -> None:
    """Right after a crash and the opening that follows it."""
    Runs(datetime.now(UTC))
    assert orphans() == []
    assert rows("intents")["intents"] == []


def assert_one_certificate(server: Placed, flow: Flow, place: str) -> None:
    assert left_over() == A_CERTIFICATE
    assert orphans() == []
    assert [len(keys()[name]) for name in ("software", place)] == [place == "software", 1]
    assert (value("Status"), value("CertThumbprint") != "") == ("1", True)
    assert len({one.message.transaction_id for one in server.asked}) == flow.transactions
    assert len(server.issued) == flow.certificates


@pytest.mark.parametrize(("step", "end", "fewest"), [("execute", A_CERTIFICATE, 4), ("delete", NOTHING, 4)])
def test_a_command_that_is_killed_at_any_write_was_carried_out_or_was_not(
    step: str, end: tuple[int, ...], fewest: int, server: Placed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in itertools.count(1):
        with attempt(server, tmp_path, number, monkeypatch) as folder:
            prepare(replace(FLOWS["polled"], step=(step, 0)), server, "software")
            first = Runs(datetime.now(UTC)).enrollment().transaction
            assert left_over() == A_REQUEST
            close_profile()
            code = killed((step, 0), number, folder)
            assert_nothing_is_lost()
            is_new = step == "execute" and Runs(datetime.now(UTC)).enrollment().transaction != first
            assert left_over() == (NOTHING if is_new or codes(command("Get", "one")) == [404] else A_REQUEST)
            if step == "delete":
                codes(command("Delete", "one"))
            for minutes in (0, POLL):
                at(minutes)
            assert left_over() == end
            assert len(server.issued) == (end == A_CERTIFICATE)
        if code == 0:
            break
    assert number > fewest


def test_what_a_killed_run_left_of_an_enrollment_that_was_ended_meanwhile_is_cleared_away(
    server: Placed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run is killed after its request is noted, or its certificate installed; the Delete came while it waited."""
    cleared = 0
    for number in itertools.count(1):
        with attempt(server, tmp_path, number, monkeypatch) as folder:
            prepare(FLOWS["issued at once"], server, "software")
            server.on_operation = lambda: codes(command("Delete", "one"))
            code = killed(("run", 0), number, folder)
            server.on_operation = lambda: None
            if server.asked:
                store = InstanceStore(Runs(datetime.now(UTC)).workspace.profile.database)
                cleared += bool(store.every(LEFT_BEHIND))
                assert at(0) == []
                assert (left_over(), orphans(), store.every(LEFT_BEHIND)) == (NOTHING, [], [])
        if code == 0:
            break
    assert cleared


@pytest.mark.exhaustive
def test_a_recovery_that_is_killed_is_finished_by_the_next_one(
    server: Placed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed once at each write, and the run after it at each write too."""
    flow, twice = FLOWS["issued at once"], 0
    for first in itertools.count(4, 4):
        with attempt(server, tmp_path, first, monkeypatch) as folder:
            prepare(flow, server, "software")
            close_profile()
            if killed(flow.step, first, folder) == 0:
                break
            seen: tuple[Any, ...] = (server.asked, server.issued, server._made, server._spki)
            for second in itertools.count(1, 3):
                monkeypatch.setenv("XENROLL_HOME", str(folder / f"home{second}"))
                shutil.copytree(folder / "home", home(), symlinks=True)
                server.asked, server.issued, server._made, server._spki = (copy(one) for one in seen)
                code = killed(flow.step, second, folder)
                at(0)
                assert_one_certificate(server, flow, "software")
                close_profile()
                twice += code != 0
                if code == 0:
                    break
    assert twice > 5


def test_runs_at_once_do_an_enrollment_once(server: Placed, tmp_path: Path) -> None:
    for name in ("one", "two"):
        order(settings(server, KeyLength="1024"), name)
    close_profile()
    one_run = [sys.executable, "-W", "error", "-m", "tests.mdm.scep_script", "run", "0"]
    started = [subprocess.Popen(one_run, cwd=ROOT, env=dict(os.environ)) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4
    assert sorted(server.messages) == [MessageType.PKCSReq] * 2
    assert left_over() == (2, 0, 2, 0)
    close_profile()
