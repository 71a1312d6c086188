"""Many profiles: one after another, and from sixteen processes at once. No node is lost and no lock is in the way."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from certenroll.mdm.model import Command, Message, Result, Status
from certenroll.mdm.session import Session
from certenroll.mdm.units import workspace_of
from certenroll.stores.mdm_nodes import NodeStore
from keystores.base import Scope
from tests.mdm import pfx_bundles
from tests.mdm.scep_orders import adds, atomic, execute, settings, value
from tests.support.cli import ROOT

_PROCESSES = 16
_SETTINGS = 7  # of a profile, without the Challenge, which Exec takes away


def profile(number: int) -> Command:
    """A profile: a SCEP enrollment for a server that nobody asks here; each tenth one installs a PFX as well."""
    name = f"profile-{number}"
    nodes = settings("http://127.0.0.1:9/scep", SubjectName=f"CN={name}")
    return atomic(*adds(nodes, name), execute(name))


def bundle(number: int) -> Command:
    """A profile that installs a PFX with an EC key of its own."""
    made = pfx_bundles.leaf(f"user-{number}")
    return pfx_bundles.atomic(*pfx_bundles.adds(pfx_bundles.pfx_of(made), instance=f"bundle-{number}"))


def apply(command: Command) -> None:
    answers: tuple[Status | Result, ...] = Session().apply(Message(None, (command,))).answers
    assert {int(one.code) for one in answers if isinstance(one, Status)} == {200}


def apply_range(first: int, count: int) -> None:
    for number in range(first, first + count):
        apply(profile(number))
        if number % 10 == 0:
            apply(bundle(number))


def check_all(count: int) -> None:
    """Every profile is there with its nodes, and every PFX with its certificate."""
    store = NodeStore(workspace_of(Scope.USER).profile.database)
    assert {one.name for one in store.children("SCEP")} == {f"profile-{number}" for number in range(count)}
    for number in range(count):
        assert len(store.children(f"SCEP/profile-{number}/Install")) == _SETTINGS
    assert value("Install/SubjectName", f"profile-{count - 1}") == f"CN=profile-{count - 1}"
    installed = {one.name for one in store.children("PFXCertInstall")}
    assert installed == {f"bundle-{number}" for number in range(0, count, 10)}
    assert len(list(workspace_of(Scope.USER).certificates.list("MY"))) == len(installed)


def at_once(each: int) -> None:
    """Sixteen processes, each with its own profiles."""
    script = "import sys; from tests.mdm import test_many_profiles as t; t.apply_range(int(sys.argv[1]), int(sys.argv[2]))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(number * each), str(each)], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        for number in range(_PROCESSES)
    ]
    said = [one.communicate(timeout=900)[1] for one in running]
    assert [one.returncode for one in running] == [0] * _PROCESSES, "".join(said)


def test_sixteen_processes_at_once_lose_nothing(home: Path) -> None:
    at_once(2)
    check_all(2 * _PROCESSES)


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_a_thousand_profiles_one_after_another(home: Path) -> None:
    began = time.monotonic()
    apply_range(0, 1000)
    seconds = time.monotonic() - began
    check_all(1000)
    print(f"\n1000 profiles and 100 PFXs in {seconds:.1f} s: {1100 / seconds:.0f} a second")


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_a_thousand_profiles_from_sixteen_processes(home: Path) -> None:
    began = time.monotonic()
    at_once(63)
    seconds = time.monotonic() - began
    check_all(63 * _PROCESSES)
    print(f"\n{63 * _PROCESSES} profiles from {_PROCESSES} processes in {seconds:.1f} s")
