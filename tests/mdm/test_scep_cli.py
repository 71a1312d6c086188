"""xenroll scep, the whole way with the local CA's own SCEP server, and the units that the manual shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certenroll.ca.database import Database
from certenroll.ca.local import LocalCA
from certenroll.ca.scep.challenges import ChallengePasswords
from certenroll.ca.scep.responder import ScepResponder as OwnServer
from certenroll.ca.scep.server import ScepHttpServer
from certenroll.ca.scep.settings import ScepSettings
from certenroll.ca.templates import Mode
from certenroll.stores.certificates import MY
from keystores.base import KeyAlgorithm, Scope
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    CHALLENGE,
    NOTHING,
    Placed,
    Runs,
    codes,
    command,
    left_over,
    nobody,
    order,
    settings,
    told,
    value,
)
from tests.stores.pki import NOW
from tests.support.ca import approve_all
from tests.support.cli import ROOT
from tests.support.judges import openssl_verifies_chain
from tests.support.requires import program
from tests.support.scep_enrolling import sha1
from tests.support.scep_responder import PENDING, SUCCESS, refusal, root
from xenroll_compat.cli.main import main

SMALL = {"KeyLength": "1024"}
MANUAL = ROOT / "docs" / "scep-enrollment.md"


@pytest.fixture
def server(home: Path) -> Iterator[Placed]:
    days = ((datetime.now(UTC) - NOW).days - 10, (datetime.now(UTC) - NOW).days + 1000)
    with Placed(ca=root("of today", days=days), days=days) as started:
        yield started


@dataclass
class Prompt:
    """``xenroll scep`` in this process.

    Attributes:
        capture: what it writes goes there.
        slept: how long it waited, in seconds, where nobody waits.
    """

    capture: pytest.CaptureFixture[str]
    slept: list[float] = field(default_factory=list)

    def __call__(self, *arguments: str, code: int = 0) -> str:
        assert main(["scep", *arguments]) == code, self.capture.readouterr()
        return self.capture.readouterr().out

    def json(self, *arguments: str, code: int = 0) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self(*arguments, "--json", code=code))
        return found


@pytest.fixture
def xenroll(home: Path, capsys: pytest.CaptureFixture[str]) -> Prompt:
    return Prompt(capsys)


def test_a_run_enrolls_and_a_list_shows_it(server: Placed, xenroll: Prompt) -> None:
    order(settings(server, **SMALL))
    (before,) = xenroll.json("list")
    assert (before["id"], before["profile"], before["status"], before["state"]) == ("one", "user", 32, "accepted")
    (found,) = xenroll.json("run")
    assert (found["state"], found["error"], found["server"]) == ("installed", "", server.url)
    assert "installed" in xenroll("list")
    assert xenroll.json("run") == []
    assert value("CertThumbprint") == found["thumbprint"]


def test_a_request_that_waits_is_exit_code_3_and_one_that_failed_1(server: Placed, xenroll: Prompt) -> None:
    server.reply_with(PENDING)
    order(settings(server, **SMALL))
    (found,) = xenroll.json("run", code=3)
    assert (found["status"], found["state"]) == (2, "pending")
    server.reply_with(refusal(2, "not you"))
    order(settings(server, **SMALL), "two")
    assert {one["id"]: one["message"] for one in xenroll.json("run", code=1)} == {"two": "not you"}
    xenroll("run", code=3)


def test_both_profiles_run_unless_one_is_named(server: Placed, xenroll: Prompt) -> None:
    for scope in Scope:
        order(settings(server, **SMALL), scope=scope)
    assert [one["profile"] for one in xenroll.json("list")] == ["user", "machine"]
    assert [one["profile"] for one in xenroll.json("run", "--machine")] == ["machine"]
    assert [one["profile"] for one in xenroll.json("run", "--user")] == ["user"]
    assert xenroll.json("run") == []


def test_a_machine_profile_that_is_not_there_is_not_made(xenroll: Prompt, home: Path) -> None:
    assert xenroll.json("run") == xenroll.json("list") == []
    assert not (home / "machine").exists()


def test_until_done_waits_for_what_is_due_next(server: Placed, xenroll: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes at once: the profile's clock is put forward by what the command would sleep."""
    runs = Runs(datetime.now(UTC))

    def sleep(seconds: float) -> None:
        xenroll.slept.append(seconds)
        runs.now += timedelta(seconds=seconds + 1)

    monkeypatch.setattr(time, "sleep", sleep)
    server.reply_with(PENDING, PENDING, SUCCESS)
    order(settings(server, RetryDelay="1", **SMALL))
    (found,) = xenroll.json("run", "--until-done", "--user")
    assert found["state"] == "installed"
    assert len(xenroll.slept) == 2
    assert 50 < xenroll.slept[0] <= 60


def test_an_error_is_shown_with_its_code(xenroll: Prompt) -> None:
    order(settings(nobody(), "11" * 20, RetryCount="0"))
    assert "0x800704C9" in xenroll("run", code=3)


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_a_line_on_stderr_tells_why_each_failed(
    options: tuple[str, ...], server: Placed, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order(settings(nobody(), "11" * 20), "away", Scope.MACHINE)
    order(settings(server, **SMALL), "fine")
    server.reply_with(SUCCESS, refusal(2, f"not you,\n\x1b[31m{CHALLENGE}"))
    assert main(["scep", "run", "--user"]) == 0
    assert capsys.readouterr().err == ""
    order(settings(server, **SMALL), "no")
    for action, code in (("run", 1), ("list", 0)):
        assert main(["scep", action, *options]) == code
        told = capsys.readouterr()
        assert "fine" not in told.err
        assert CHALLENGE not in told.err + told.out
        refused, unreachable = told.err.splitlines()
        assert refused.startswith("user no: 0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST: ")
        assert refused.endswith("not you, [31m[challenge]")
        assert unreachable.startswith("machine away: 0x800704C9 WIN32_CONNECTION_REFUSED: ")
        assert unreachable.count("0x800704C9") == 1


# The local CA's own server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("authority", [False, True], ids=["the CA itself", "a registration authority"])
def test_the_local_cas_server_lets_wait_issues_and_renews(authority: bool, home: Path, tmp_path: Path) -> None:
    folder, runs = tmp_path / "ca", Runs(datetime.now(UTC))
    ca = LocalCA.create(folder, "SCEP CA", algorithm=KeyAlgorithm.RSA, bits=2048, policy=Mode.HOLD)
    responder = OwnServer(folder, ScepSettings(registration_authority=authority), lambda: runs.now)
    with ScepHttpServer(responder) as listening:
        order(settings(listening.url, sha1(ca.certificates()[-1]).hex(), Challenge=challenge_of(folder)))
        assert [(one.state, one.message) for one in runs()] == [("pending", "")]
        approve_all(ca)
        (outcome,) = runs(after=5)
        assert (outcome.state, outcome.message) == ("installed", "")
        assert told() == ("1", 0, listening.url, outcome.thumbprint)
        judged(runs, ca, tmp_path)
        assert outcome.due is not None
        runs.now = outcome.due
        assert [(one.state, one.message) for one in runs()] == [("renewing", "")]
        approve_all(LocalCA(folder, lambda: runs.now))
        assert [(one.state, one.message) for one in runs(after=5)] == [("installed", "")]
    assert value("CertThumbprint") not in ("", outcome.thumbprint)
    assert left_over() == A_CERTIFICATE
    assert codes(command("Delete", "one")) == [200]
    assert left_over() == NOTHING


def challenge_of(folder: Path) -> str:
    """A challenge that the CA's administrator has made."""
    database = Database(folder)
    try:
        return ChallengePasswords(database, lambda: datetime.now(UTC), os.urandom).make().text
    finally:
        database.close()


def judged(runs: Runs, ca: LocalCA, folder: Path) -> None:
    (found,) = runs.workspace.certificates.list(MY)
    openssl_verifies_chain(folder, found.der, ca.certificates())
    assert x509.load_der_x509_certificate(found.der).subject.rfc4514_string() == "CN=leaf"


# The manual's units --------------------------------------------------------------------------------------------------


def units() -> list[tuple[str, str]]:
    """Name and text of each unit that the manual shows, in its order."""
    texts = re.findall(r"```ini\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    kinds = ["timer" if "[Timer]" in text else "service" for text in texts]
    return [(f"xenroll-scep.{kind}", text) for kind, text in zip(kinds, texts, strict=True)]


def test_the_manual_shows_three_units() -> None:
    assert [name.rpartition(".")[2] for name, _ in units()] == ["service", "timer", "service"]


@pytest.mark.parametrize("service", [0, 2], ids=["machine", "user"])
def test_systemd_takes_the_units_of_the_manual(service: int, tmp_path: Path) -> None:
    verify, existing = program("systemd-analyze"), program("true")
    shown = units()
    files = []
    for name, text in (shown[service], shown[1]):
        file = tmp_path / name
        file.write_text(text.replace("/usr/local/bin/xenroll", existing))
        files.append(str(file))
    done = subprocess.run([verify, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if str(tmp_path) in line or "xenroll-scep" in line] == []


def test_the_commands_of_the_units_are_commands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = re.findall(r"^ExecStart=\S+ (.*)$", MANUAL.read_text(encoding="utf-8"), re.MULTILINE)
    assert [main(line.split()) for line in lines] == [0, 0]
