"""Killed at every write of each flow, in each key store: the next process finishes what was begun.

A step of the user's script runs as a process that SIGKILL ends at its N-th write point (certenroll/stores/faults.py; the
local CA's own database has such points too), for every N until it survives. This process then opens the profile, as the
first one after the crash, and runs the step again.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from tests.flows import script
from tests.flows.conftest import ROOT, close_profile
from tests.flows.script import Wish
from tests.flows.test_matrix import key_of, sign_and_verify
from tests.support import judges
from tests.support.ca import approve_all, sign_by_hand, times_asked
from tests.support.profiles import home, keys, make_ca, orphans, rows
from tests.support.softhsm import SoftToken

RunStep = Callable[..., int]


@dataclass(frozen=True)
class Flow:
    """The steps of a flow, and what the CA's operator does after the first of them."""

    steps: tuple[str, ...]
    policy: Mode = Mode.ISSUE
    operator: Callable[[LocalCA, Wish], None] = lambda authority, wish: None


def _by_hand(authority: LocalCA, wish: Wish) -> None:
    wish.response_file.write_bytes(sign_by_hand(authority, wish.request_file.read_bytes()))


FLOWS = {
    "out-of-band": Flow(("create", "accept"), operator=_by_hand),
    "automatic": Flow(("enroll",)),
    "delayed": Flow(("enroll", "retrieve"), Mode.HOLD, lambda authority, wish: approve_all(authority)),
}
STORES = {"software": 3, "tpm": 1, "smartcard": 4}
# Each step of each flow, with the fewest write points that it can have.
STEPS = [("out-of-band", 0, 4), ("out-of-band", 1, 2), ("automatic", 0, 12), ("delayed", 0, 10), ("delayed", 1, 4)]


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.xdist_group(f"crash-{name}")) for name in STORES])
def store(request: pytest.FixtureRequest, profile: Path) -> str:
    name: str = request.param
    if name != "software":
        request.getfixturevalue({"tpm": "with_tpm", "smartcard": "with_card"}[name])
    return name


@contextmanager
def attempt(folder: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A profile for one kill. A failure in the block says where the process was killed."""
    place = folder / str(number)
    place.mkdir()
    monkeypatch.setenv("XENROLL_HOME", str(place / "home"))
    try:
        yield place
    except BaseException as error:
        log = place / "writes"
        error.add_note(f"killed at write {number}: {log.read_text().splitlines()[-1] if log.exists() else 'none'}")
        raise
    finally:
        close_profile()


@pytest.mark.parametrize(("name", "killed", "fewest"), STEPS, ids=str)
def test_a_flow_that_is_killed_at_any_write_is_finished_by_the_next_process(
    name: str, killed: int, fewest: int, store: str, tmp_path: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = FLOWS[name]
    for number in itertools.count(1):
        with attempt(tmp_path, number, monkeypatch) as place:
            wish = Wish(place, STORES[store], container="web" if store == "smartcard" else "")
            authority = make_ca(flow.policy)
            for step in flow.steps[:killed]:
                run_step(step, wish)
                flow.operator(authority, wish)
            before = card_certificates(store)
            faults = {"XENROLL_FAULT_AT": str(number), "XENROLL_FAULT_LOG": str(place / "writes")}
            code = run_step(flow.steps[killed], wish, **faults)
            assert_nothing_is_lost()
            for step in flow.steps[killed:]:
                script.STEPS[step](wish)
                flow.operator(authority, wish)
            assert_installed(authority, store)
            assert card_certificates(store) == before + (3 if store == "smartcard" else 0)  # its own, the CA's, the root's
            remove_key(store)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert number > fewest


def assert_nothing_is_lost() -> None:
    """After a crash: every request has its key, no key is without an owner, and nothing is left to be done."""
    pending = facade.pending_requests()
    held = keys()
    assert all(request.key.container in held[request.key.store] for request in pending)
    assert all(entry.key is not None and entry.key.container in held[entry.key.store] for entry in facade.certificates("MY"))
    assert orphans() == []
    assert rows("intents")["intents"] == []
    assert all(request.state in ("made", "pending") for request in pending)


def assert_installed(authority: LocalCA, store: str) -> None:
    """At the end: one certificate with one key, nothing pending, and a CA that was asked once for what was sent."""
    (entry,) = facade.certificates("MY")
    assert entry.key is not None
    assert entry.key.store == store
    assert keys()[store] == [entry.key.container]
    sign_and_verify(key_of(entry), entry.der)
    assert facade.pending_requests() == []
    assert facade.certificates("REQUEST") == []
    assert rows("intents")["intents"] == []
    asked = times_asked(home() / "ca")
    assert list(asked.values()) == [1]
    assert len(authority.requests()) == 1


def card_certificates(store: str) -> int:
    """How many certificates are on the card, as pkcs11-tool counts them; 0 where the flow uses none."""
    if store != "smartcard":
        return 0
    label = os.environ["XENROLL_PKCS11_TOKEN"].partition("token=")[2].partition(";")[0]
    found = judges.card_objects(os.environ["XENROLL_PKCS11_MODULE"], label)
    return sum(kind == "Certificate" for kind, _, _ in found)


def remove_key(store: str) -> None:
    """Makes room on the card for the next attempt."""
    if store == "smartcard":
        (entry,) = facade.certificates("MY")
        facade.delete_certificate("MY", entry.thumbprint, with_key=True)


def killed_enrollment(folder: Path, number: int, run_step: RunStep, policy: Mode = Mode.ISSUE) -> tuple[Wish, LocalCA, int]:
    """A profile whose automatic enrollment was killed at a write point."""
    wish = Wish(folder, STORES["software"])
    authority = make_ca(policy)
    code = run_step("enroll", wish, XENROLL_FAULT_AT=str(number), XENROLL_FAULT_LOG=str(folder / "writes"))
    authority.close()
    return wish, authority, code


def test_a_recovery_that_is_killed_at_any_write_is_finished_by_the_next_one(
    profile: Path, tmp_path: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    recoveries = 0
    for first in itertools.count(1):
        with attempt(tmp_path, first, monkeypatch) as place:
            wish, _, code = killed_enrollment(place, first, run_step)
            if code == 0:
                break
            for second in itertools.count(1):
                monkeypatch.setenv("XENROLL_HOME", str(place / f"home{second}"))
                shutil.copytree(place / "home", home(), symlinks=True)
                code = run_step("look", wish, XENROLL_FAULT_AT=str(second))
                assert_nothing_is_lost()
                script.enroll(wish)
                assert_installed(LocalCA(home() / "ca"), "software")
                close_profile()
                recoveries += code != 0
                if code == 0:
                    break
    assert recoveries > 20


def test_processes_that_open_a_profile_at_once_send_the_request_once(
    profile: Path, tmp_path: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    with attempt(tmp_path, before_the_ca_has_it(tmp_path, run_step, monkeypatch), monkeypatch) as place:
        number = int(place.name)
        wish, authority, _ = killed_enrollment(place, number, run_step)
        command = [sys.executable, "-W", "error", "-m", "tests.flows.script", "look", *wish.arguments()]
        started = [subprocess.Popen(command, cwd=ROOT, env=dict(os.environ)) for _ in range(4)]
        assert [process.wait(60) for process in started] == [0] * 4
        assert_installed(authority, "software")


def before_the_ca_has_it(folder: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch) -> int:
    """The write point of an enrollment at which the request is noted as being sent, and the CA has not committed it."""
    trial = folder / "undisturbed"
    trial.mkdir()
    monkeypatch.setenv("XENROLL_HOME", str(trial / "home"))
    killed_enrollment(trial, 0, run_step)
    labels = [line.split(" ", 1)[1] for line in (trial / "writes").read_text().splitlines()]
    return max(position for position, label in enumerate(labels, 1) if label == "before the CA's commit")


@pytest.mark.xdist_group("crash-smartcard")
def test_a_key_that_only_the_scripts_pin_opens_is_cleared_away_when_the_script_comes_again(
    profile: Path, with_card: SoftToken, tmp_path: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish = Wish(tmp_path, STORES["smartcard"], container="web")
    make_ca()
    trial = {"XENROLL_FAULT_LOG": str(tmp_path / "writes")}
    assert run_step("create", wish, XENROLL_FAULT_AT="3", **trial) == -signal.SIGKILL  # the key is made, nothing noted
    pin = os.environ["XENROLL_PIN"]
    monkeypatch.delenv("XENROLL_PIN")
    assert facade.pending_requests() == []
    assert orphans() == ["web"]
    enrollment = script.new_enrollment(wish)
    enrollment.Request.PrivateKey.Pin = pin
    enrollment.CreateRequest()
    assert orphans() == []
    assert keys()["smartcard"] == ["web"]
