"""An Atomic that installs a PFX and begins an enrollment anew, killed at every write: all of it is there, or nothing.

The enrollment waits at a server when the Atomic comes, so that carrying it out makes one key and deletes another. The
Atomic runs as a process that SIGKILL ends at its N-th write point, for every N until it survives.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certenroll.engine import opening
from tests.flows.conftest import ROOT, close_profile
from tests.flows.test_crash import attempt
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import leaf, pfx_of, rsa_key
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    A_REQUEST,
    CHALLENGE,
    Placed,
    Runs,
    codes,
    command,
    execute,
    left_over,
    order,
    settings,
)
from tests.support.profiles import home, orphans
from tests.support.scep_responder import PENDING

SCRIPT = "import sys; from tests.mdm import test_atomic_crash as t; sys.exit(t.carry_out(sys.argv[1]) != {200})"
MADE = leaf("of the Atomic", rsa_key("of the Atomic"))
FEWEST = 4


def carry_out(file: str) -> set[int]:
    """The Atomic's status codes; the Exec stands before what it needs and before the PFX."""
    installs = pfx.adds(Path(file).read_bytes(), ContainerName="web")
    challenge = command("Add", "one/Install/Challenge", CHALLENGE)
    return set(codes(pfx.atomic(execute(), *installs, challenge)))


@dataclass(frozen=True)
class Found:
    """What a profile has.

    Attributes:
        left: certificates in MY, entries in REQUEST, keys, intents.
        transaction: of the enrollment.
        state: of the enrollment.
        challenge: what the enrollment's record has of it.
        thumbprint: of the installed PFX, or None.
        in_tree: the codes for the PFX's instance and the Challenge.
    """

    left: tuple[int, ...]
    transaction: str
    state: str
    challenge: str
    thumbprint: str | None
    in_tree: tuple[int, int]


def found() -> Found:
    enrollment = Runs(datetime.now(UTC)).enrollment()
    assert orphans() == []
    instance = pfx.codes(pfx.change("Get", "KeyLocation"))
    return Found(
        left_over(), enrollment.transaction, enrollment.state.value, enrollment.settings.challenge,
        pfx.value("Thumbprint"), (*instance, *codes(command("Get", "one/Install/Challenge"))),  # type: ignore[arg-type]
    )  # fmt: skip


def waiting(folder: Path) -> None:
    """A profile with an enrollment that waits at a server."""
    with pytest.MonkeyPatch.context() as patched, Placed() as server:
        patched.setenv("XENROLL_HOME", str(folder))
        server.reply_with(PENDING)
        runs = Runs()
        order(settings(server, KeyLength="1024"))
        assert runs.states() == ["pending"]
        close_profile()


def killed(number: int, place: Path, file: Path) -> int:
    """How the process of the Atomic ended."""
    faults = {"XENROLL_FAULT_AT": str(number), "XENROLL_FAULT_LOG": str(place / "writes")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, str(file)],
        cwd=ROOT, env={**os.environ, **faults}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode in (0, -signal.SIGKILL), done.stdout + done.stderr
    opening._open.clear()  # what comes next opens the profile as the next process would
    return done.returncode


@pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.exhaustive)])
@pytest.mark.usefixtures("profile")
def test_an_atomic_of_a_pfx_and_an_enrollment_has_happened_or_has_not(
    stride: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.pfx").write_bytes(pfx_of(MADE))
    waiting(tmp_path / "begun")
    seen = set()
    for number in itertools.count(1, stride):
        with attempt(tmp_path, number, monkeypatch) as place:
            shutil.copytree(tmp_path / "begun", home(), symlinks=True)
            first = Runs(datetime.now(UTC)).enrollment().transaction
            close_profile()
            code = killed(number, place, tmp_path / "new.pfx")
            after = found()
            happened = after.transaction != first
            seen.add(happened)
            assert after == (as_after(after.transaction) if happened else as_before(first))
            assert happened or carry_out(str(tmp_path / "new.pfx")) == {200}
            assert found() == as_after(found().transaction)
        if code == 0:
            break
    assert number > FEWEST
    assert seen == {False, True}


def as_before(transaction: str) -> Found:
    return Found(A_REQUEST, transaction, "pending", "", None, (404, 404))


def as_after(transaction: str) -> Found:
    return Found(A_CERTIFICATE, transaction, "accepted", CHALLENGE, pfx.sha1(MADE).upper(), (200, 404))
