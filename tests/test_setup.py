"""scripts/setup where something is missing, and run twice: it says what to install, and does nothing that is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BASICS = ("bash", "cksum", "cut", "dirname", "touch")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The project as a reader has it, without .venv."""
    folder = tmp_path / "clone"
    ignored = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "tests")
    shutil.copytree(ROOT, folder, ignore=ignored)
    return folder


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder of programs with a shell, Python and hardly anything else; the user in it is not root."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in BASICS:
        (folder / name).symlink_to(str(shutil.which(name)))
    _program(folder / "id", "echo 1000")
    _program(folder / "python3", f'exec {sys.executable} "$@"')
    return folder


def _program(path: Path, line: str) -> None:
    path.write_text(f"#!{shutil.which('bash')}\n{line}\n")
    path.chmod(0o755)


def setup(clone: Path, path: Path | str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(clone), "PATH": str(path), **variables}
    command = [clone / "scripts" / "setup"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


def with_finished_venv(clone: Path) -> Path:
    """A .venv whose pip notes that it was called, and how."""
    programs = clone / ".venv" / "bin"
    programs.mkdir(parents=True)
    _program(programs / "pip", "exit 9")
    _program(programs / "python", f'echo "$@" >> {clone}/calls')
    return clone / "calls"


def test_a_user_who_may_not_install_is_told_the_line_to_run(clone: Path, bare_path: Path) -> None:
    done = setup(clone, bare_path, XENROLL_EXTRAS="tpm")
    (line,) = (line.split() for line in done.stderr.splitlines() if "apt-get" in line)
    assert line[:4] == ["sudo", "apt-get", "install", "-y"]
    assert {"gcc", "pkg-config", "swtpm"} <= set(line)
    assert done.returncode == 1
    assert "XENROLL_EXTRAS=test" in done.stderr
    assert not (clone / ".venv").exists()


def test_what_only_some_tests_need_is_named_and_stops_nothing(clone: Path, bare_path: Path) -> None:
    calls = with_finished_venv(clone)
    done = setup(clone, bare_path, XENROLL_EXTRAS="test")
    assert done.returncode == 0
    assert "gnutls-bin" in done.stderr
    assert "softhsm2" not in done.stderr
    assert "swtpm" not in done.stderr
    assert calls.read_text().strip().endswith("--editable .[test]")


def test_the_software_key_store_alone_needs_nothing_but_python(clone: Path, bare_path: Path) -> None:
    calls = with_finished_venv(clone)
    _program(bare_path / "openssl", "exit 0")
    done = setup(clone, bare_path, XENROLL_EXTRAS="none")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls.read_text().strip().endswith("--editable .")


def test_what_is_done_is_not_done_again_until_the_project_asks_for_more(clone: Path, bare_path: Path) -> None:
    calls = with_finished_venv(clone)
    for _ in range(2):
        assert setup(clone, bare_path, XENROLL_EXTRAS="none").returncode == 0
    assert len(calls.read_text().splitlines()) == 1
    os.utime(clone / "setup.cfg", (2**31, 2**31))
    setup(clone, bare_path, XENROLL_EXTRAS="none")
    assert len(calls.read_text().splitlines()) == 2


def test_a_missing_interpreter_is_named_among_the_packages(clone: Path, bare_path: Path) -> None:
    (bare_path / "python3").unlink()
    done = setup(clone, bare_path, XENROLL_EXTRAS="none")
    assert done.returncode == 1
    assert "python3 python3-venv" in done.stderr


def test_an_interpreter_that_is_too_old_is_refused(clone: Path, bare_path: Path) -> None:
    with_finished_venv(clone)
    _program(bare_path / "python3", 'case "$2" in *version_info*) exit 1 ;; esac')
    done = setup(clone, bare_path, XENROLL_EXTRAS="none")
    assert done.returncode == 1
    assert "older than Python 3.11" in done.stderr


@pytest.mark.exhaustive
def test_a_clone_is_set_up_from_nothing_and_runs(clone: Path) -> None:
    """Needs a package index; some ten seconds."""
    for _ in range(2):
        done = setup(clone, os.environ["PATH"], XENROLL_EXTRAS="none", PYTHON=sys.executable)
        assert done.returncode == 0, done.stdout + done.stderr
    shown = subprocess.run([clone / ".venv/bin/xenroll", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("xenroll ")
