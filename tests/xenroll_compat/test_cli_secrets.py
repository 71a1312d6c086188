"""PINs and passwords go in by files, the environment and the terminal, and come out nowhere."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli, command
from tests.support.softhsm import SoftToken

PIN = "Tm9-pin-84617"
PASSWORD = "Tm9-password-55201"


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    found = Cli(tmp_path / "home", tmp_path)
    found("ca", "init", "Test CA", "--algorithm", "EC")
    for name, secret in (("pin", PIN), ("password", PASSWORD)):
        (tmp_path / name).write_text(secret + "\n")
        (tmp_path / name).chmod(0o600)
    return found


@pytest.fixture
def card(xenroll: Cli) -> Iterator[Cli]:
    """The same profile with a card whose PIN is PIN."""
    with SoftToken(PIN) as token:
        led = {name: value for name, value in token.environ.items() if name != "XENROLL_PIN"}
        yield Cli(xenroll.home, xenroll.folder, led)


def where_it_stands(secret: str, folder: Path) -> list[str]:
    """The files below a folder that hold a secret, besides the one that gave it."""
    found = [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
    return sorted(path.name for path in found)


def test_a_key_s_pin_stands_in_no_output_and_no_file(xenroll: Cli) -> None:
    enroll = ("enroll", "--subject", "CN=a", "--algorithm", "P-256", "--exportable", "--container", "a")
    done = [xenroll(*enroll, "--pin-file", "pin")]
    thumb = xenroll.json("store", "list", "MY")[0]["thumbprint"]
    export = ("store", "export", thumb, "--form", "pfx", "--out", "a.pfx")
    done.append(xenroll(*export, "--pin-file", "pin", "--password-file", "password"))
    done.append(xenroll(*export[:-1], "b.pfx", "--pin-file", "password", "--password-file", "password", code=1))
    done.append(xenroll("store", "show", thumb, "--json"))
    told = "".join(one.stdout + one.stderr for one in done)
    assert PIN not in told
    assert PASSWORD not in told
    assert where_it_stands(PIN, xenroll.folder) == ["pin"]
    assert where_it_stands(PASSWORD, xenroll.folder) == ["password"]


def test_a_card_s_pin_stands_in_no_output_and_no_file(card: Cli) -> None:
    enroll = ("enroll", "--subject", "CN=a", "--algorithm", "P-256", "--key-location", "4")
    done = [card(*enroll, "--container", "good", "--pin-file", "pin")]
    done.append(card(*enroll, "--container", "bad", "--pin-file", "password", code=1))
    done.append(card(*enroll, "--container", "none", code=1))
    done.append(card("keys", "list", XENROLL_PIN=PIN))
    assert "SCARD_W_WRONG_CHV" in done[1].stderr
    assert "NTE_SILENT_CONTEXT" in done[2].stderr
    assert "--pin-file" in done[2].stderr
    told = "".join(one.stdout + one.stderr for one in done)
    assert PIN not in told
    assert PASSWORD not in told
    assert where_it_stands(PIN, card.folder) == ["pin"]


def test_no_process_shows_the_pin_to_others(card: Cli) -> None:
    line = command("enroll", "--subject", "CN=a", "--key-location", "4", "--container", "a", "--pin-file", "pin")
    with subprocess.Popen(
        line, env=card.environment, cwd=card.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        seen = 0
        while process.poll() is None:
            seen += 1
            assert PIN.encode() not in _shown_by(process.pid)
            time.sleep(0.005)
    assert process.returncode == 0
    assert seen > 3


def _shown_by(process: int) -> bytes:
    """What /proc shows of a process and its children: command lines, and environments as they began."""
    found = b""
    for number in (process, *_children(process)):
        for name in ("cmdline", "environ"):
            try:
                found += Path(f"/proc/{number}/{name}").read_bytes()
            except OSError:  # it has ended
                continue
    return found


def _children(process: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def test_a_pin_that_is_typed_is_not_echoed(xenroll: Cli) -> None:
    shown = type_at_a_terminal(xenroll, PIN, "enroll", "--subject", "CN=a", "--algorithm", "P-256", "--ask-pin")
    assert "PIN: " in shown
    assert "enrolled" in shown
    assert PIN not in shown
    (key,) = xenroll.json("keys", "list")
    assert "ENCRYPTED PRIVATE KEY" in Path(key["reference"]).read_text()


def test_an_empty_pin_is_refused(xenroll: Cli) -> None:
    assert "the PIN is empty" in type_at_a_terminal(xenroll, "", "enroll", "--subject", "CN=a", "--ask-pin")


def test_progress_is_shown_on_a_terminal_alone(xenroll: Cli) -> None:
    line = ("enroll", "--subject", "CN=a", "--out")
    assert "making the key" in type_at_a_terminal(xenroll, "", *line, "a.req")
    assert "making the key" not in xenroll(*line, "b.req").stderr


def type_at_a_terminal(xenroll: Cli, text: str, *arguments: str) -> str:
    """Runs ``xenroll`` at a terminal of its own, types one line, and gives what the terminal shows."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(xenroll.folder)
        os.execve(command()[0], command(*arguments), xenroll.environment)
    if "--ask-pin" in arguments:
        shown = _read_until(terminal, b"PIN: ")
        os.write(terminal, text.encode() + b"\n")
    else:
        shown = b""
    shown += _read_until(terminal, None)
    os.waitpid(process, 0)
    os.close(terminal)
    return shown.decode()


def _read_until(terminal: int, mark: bytes | None) -> bytes:
    """What the terminal shows up to ``mark``, or to its end."""
    shown = b""
    while mark is None or mark not in shown:
        try:
            more = os.read(terminal, 4096)
        except OSError:  # Linux's way to say that the other side has closed
            break
        if not more:
            break
        shown += more
    return shown
