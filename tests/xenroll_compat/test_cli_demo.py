"""xenroll demo: twelve certificates, and what it says where a device is missing or it is interrupted."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keystores.smartcard.module import softhsm_library
from tests.support.cli import Cli, command
from tests.support.requires import missing, package, program
from xenroll_compat.cli.demo_flows import FLOWS
from xenroll_compat.cli.devices import soft_tpm

pytestmark = pytest.mark.xdist_group("demo")

FACTS = {
    *("subject", "flow", "asked", "used", "provider", "store", "container", "fallback", "status", "thumbprint", "seconds"),
}


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


def test_twelve_certificates_are_enrolled_with_their_keys_where_they_were_asked_for(xenroll: Cli) -> None:
    program("swtpm", "tpm")
    program("softhsm2-util", "smartcard")
    started = time.monotonic()
    rows = json.loads(xenroll("demo", "--json", "--keep", "kept").stdout)
    assert time.monotonic() - started < 60
    assert [(one["flow"], one["asked"]) for one in rows] == [(flow, at) for flow in FLOWS for at in (1, 2, 3, 4)]
    assert all(set(one) == FACTS for one in rows)
    assert {one["status"] for one in rows} == {"Enrolled"}
    assert [one["used"] for one in rows] == [1, 2, 3, 4] * 3
    assert [one["store"] for one in rows] == ["tpm", "tpm", "software", "smartcard"] * 3
    assert len({one["thumbprint"] for one in rows}) == 12
    kept = Cli(xenroll.folder / "kept" / "profile", xenroll.folder)
    assert {one["thumbprint"] for one in kept.json("store", "list", "MY")} == {one["thumbprint"] for one in rows}
    assert stat.S_IMODE((xenroll.folder / "kept" / "card" / "pin").stat().st_mode) == 0o600
    assert not xenroll.home.exists(), "the user's own profile is not touched"


def test_a_missing_device_is_named_and_the_rest_is_enrolled(xenroll: Cli) -> None:
    package("tpm2_pytss", "tpm")
    package("pkcs11", "smartcard")
    if softhsm_library() is None:
        missing("smartcard", "softhsm2")
    done = xenroll("demo", "--json", code=3, PATH=str(xenroll.folder))
    rows = json.loads(done.stdout)
    absent = [one for one in rows if one["asked"] == 1]
    advice = "swtpm is not installed: apt-get install swtpm libtss2-tcti-swtpm0"
    assert {one["status"] for one in absent} == {f"not available: {advice}"}
    assert {one["status"] for one in rows if one["asked"] != 1} == {"Enrolled"}
    preferred = [one for one in rows if one["asked"] == 2]
    assert {one["used"] for one in preferred} == {3}
    assert all(one["fallback"] for one in preferred)
    assert "apt-get install swtpm" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_stops_its_tpm_and_removes_its_folder(xenroll: Cli, number: signal.Signals) -> None:
    program("swtpm", "tpm")
    temporary = xenroll.folder / "tmp"
    temporary.mkdir()
    environment = {**xenroll.environment, "TMPDIR": str(temporary)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command("demo"), env=environment, text=True, **pipes) as process:
        while process.poll() is None and not list(temporary.glob("xenroll-demo-*/files/*.req")):
            time.sleep(0.01)
        tpms = [one for one in _children(process.pid) if _name(one) == "swtpm"]
        process.send_signal(number)
        told = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else 128 + number), told
    assert len(tpms) == 1
    assert not Path(f"/proc/{tpms[0]}").exists()
    assert list(temporary.iterdir()) == []
    assert "Traceback" not in told[1]


def test_a_tpm_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("swtpm", "tpm")
    fake = tmp_path / "swtpm"
    fake.write_text(f"#!{sys.executable}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TimeoutError, match="swtpm did not start"), soft_tpm(tmp_path / "state"):
        pass


def _children(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except OSError:
        return ""


def test_the_caller_s_settings_do_not_reach_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    from xenroll_compat.cli.demo import _environment

    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    monkeypatch.setenv("XENROLL_PIN", "mine")
    with _environment({"XENROLL_HOME": "there"}):
        assert {name for name in os.environ if name.startswith("XENROLL_")} == {"XENROLL_HOME"}
    assert os.environ["XENROLL_KEY_LOCATION"] == "4"
