"""The command line as a whole: its help, its usage errors, and how an error is told."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support.cli import ROOT, Cli, command
from xenroll_compat.cli.main import COMMANDS, main
from xenroll_compat.cli.problems import REMEDIES, report

ACTIONS = {
    "pending": ("list", "retrieve", "remove"),
    "store": ("list", "show", "export", "delete"),
    "keys": ("list", "delete"),
    "ca": ("init", "pending", "issue", "deny", "list", "revoke", "crl", "sign"),
    "mdm": ("tree",),
    "scep": ("run", "list"),
}
LINES = [[one, *rest] for one in COMMANDS for rest in ([], *([action] for action in ACTIONS.get(one, ())))]


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


def test_help_names_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert all(f"    {name}" in shown and summary in shown for name, (_, summary) in COMMANDS.items())


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_each_command_and_action_has_help(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*line, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: xenroll {' '.join(line)}")


@pytest.mark.parametrize("line", [line for line in LINES if line[0] not in ("run", *(n for n in ACTIONS if len(line) == 1))])
def test_each_command_can_answer_in_json(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([*line, "--help"])
    assert "--json" in capsys.readouterr().out


def test_every_option_stands_in_the_manual(capsys: pytest.CaptureFixture[str]) -> None:
    for line in LINES:
        with pytest.raises(SystemExit, match="0"):
            main([*line, "--help"])
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out)) - {"--help"}
    manual = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert {one for one in options if f"`{one}" not in manual} == set()
    assert {" ".join(line) for line in LINES if f"`xenroll {' '.join(line)}" not in manual} == set()


def test_no_option_takes_a_secret_as_its_value(capsys: pytest.CaptureFixture[str]) -> None:
    for line in LINES:
        with pytest.raises(SystemExit, match="0"):
            main([*line, "--help"])
    shown = capsys.readouterr().out
    for word in ("--pin ", "--password ", "--passphrase "):
        assert word not in shown


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["enrol"],
        ["--jason"],
        ["enroll", "--key-location", "5"],
        ["enroll", "--key-location", "TPM"],
        ["enroll", "--algorithm", "DSA"],
        ["enroll", "--length", "-1"],
        ["enroll", "--usage", "everything"],
        ["enroll", "--usage", ""],
        ["enroll", "--san", "phone:1"],
        ["enroll", "--san", "dns"],
        ["enroll", "--ca", "a\\b", "--out", "x"],
        ["enroll", "--pin-file", "p", "--ask-pin"],
        ["accept"],
        ["run"],
        ["store"],
        ["store", "show"],
        ["store", "export", "AA", "--form", "jks"],
        ["pending", "retrieve"],
        ["pending", "retrieve", "1", "--wait", "long"],
        ["keys", "delete", "nowhere", "x"],
        ["ca", "init"],
        ["ca", "init", "A", "--policy", "maybe"],
        ["ca", "revoke"],
        ["ca", "revoke", "1", "--reason", "bored"],
        ["ca", "revoke", "--serial", "xyz"],
        ["demo", "--keep"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_touches_no_profile(
    line: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    with pytest.raises(SystemExit, match="2"):
        main(line)
    told = capsys.readouterr()
    assert told.err.startswith("usage: xenroll")
    assert "error:" in told.err
    assert not told.out
    assert not (tmp_path / "home").exists()


def test_an_error_is_told_by_code_and_name_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    report(ComError(HRESULT.NTE_EXISTS, "the container 'a' is there"))
    told = capsys.readouterr()
    first, second = told.err.splitlines()
    assert first.startswith("error: 0x8009000F NTE_EXISTS: ")
    assert second == f"  what to do: {REMEDIES[HRESULT.NTE_EXISTS]}"
    assert not told.out


def test_an_error_without_a_remedy_points_to_the_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    report(ComError(HRESULT.E_FAIL))
    assert "xenroll doctor" in capsys.readouterr().err


def test_the_version_is_one_line(xenroll: Cli) -> None:
    assert xenroll("--version").stdout.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error(xenroll: Cli) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("doctor", "--json"), env=xenroll.environment, stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_profile_that_cannot_be_made_is_told_as_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = Cli(tmp_path / "file", tmp_path)("store", "list", code=1).stderr
    assert told.startswith("error: 0x")
    assert "Traceback" not in told


def test_a_mistake_in_profile_toml_is_told_with_its_key(xenroll: Cli) -> None:
    xenroll.home.mkdir(mode=0o700)
    (xenroll.home / "profile.toml").write_text("colour = 'red'\n")
    assert "colour" in xenroll("store", "list", code=1).stderr
