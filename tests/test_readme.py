"""What the README shows is run as it stands, and what it names is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.softhsm import SoftToken

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
SCRIPTS = [block for block in SHELL if block.startswith("scripts/")]
ON_A_CARD = [block for block in SHELL if "KEY_LOCATION=4" in block]
COMMANDS = [block for block in SHELL if block not in SCRIPTS + ON_A_CARD]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]


def last_line(block: str) -> str:
    return block.splitlines()[-1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """An empty folder with the examples in it, as a reader has them."""
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "examples").symlink_to(ROOT / "examples")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A shell of a reader who has set nothing, with the project's programs on the PATH."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("XENROLL_")}
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**mine, "PATH": programs, "XENROLL_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}


@pytest.fixture
def card() -> Iterator[dict[str, str]]:
    with SoftToken() as token:
        yield token.environ


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", COMMANDS, ids=last_line)
def test_commands_run_as_written(block: str, clone: Path, environment: dict[str, str]) -> None:
    assert run(["bash", "-euo", "pipefail", "-c", block], clone, environment)


@pytest.mark.parametrize("block", ON_A_CARD, ids=last_line)
def test_commands_that_use_a_card_run_as_written(
    block: str, clone: Path, environment: dict[str, str], card: dict[str, str]
) -> None:
    assert run(["bash", "-euo", "pipefail", "-c", block], clone, environment | card)


@pytest.mark.parametrize("block", PYTHON, ids=["in Python"])
def test_python_runs_as_written(block: str, clone: Path, environment: dict[str, str]) -> None:
    run(["xenroll", "ca", "init", "Test CA"], clone, environment)
    assert "MII" in run([sys.executable, "-W", "error", "-c", block], clone, environment)


def test_the_set_up_commands_are_those_that_ci_runs() -> None:
    named = re.findall(r"^(\S+)", "".join(SCRIPTS), re.MULTILINE)
    assert named == ["scripts/demo", "scripts/test"]
    assert all(os.access(ROOT / name, os.X_OK) for name in named)
    assert "exec scripts/test" in (ROOT / ".ci" / "run").read_text()
    for name in named:
        assert "scripts/setup\n" in (ROOT / name).read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert [link for link in local if not (document.parent / link).exists()] == []


def test_folders_that_are_named_are_there() -> None:
    folders = re.findall(r"^\| `([^`]+/)` \|", README, re.MULTILINE)
    assert len(folders) >= 4
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []
