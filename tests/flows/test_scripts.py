"""The legacy scripts of examples/, unmodified: in software, and moved to the TPM and the card by one variable."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import ROOT, Cli
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

EXAMPLES = ROOT / "examples"
STORES = {"1": "tpm", "2": "tpm", "3": "software", "4": "smartcard"}


@pytest.fixture(params=["unsaid", "1", "2", "3", "4"])
def location(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def devices(location: str) -> Iterator[dict[str, str]]:
    """The environment of a script whose keys go to ``location``."""
    if location in ("1", "2"):
        with SwTpm() as tpm:
            yield {"XENROLL_KEY_LOCATION": location, "XENROLL_TPM_TCTI": tpm.tcti}
    elif location == "4":
        with SoftToken() as token:
            yield {"XENROLL_KEY_LOCATION": location, **token.environ}
    else:
        yield {} if location == "unsaid" else {"XENROLL_KEY_LOCATION": location}


@pytest.fixture
def xenroll(tmp_path: Path, devices: dict[str, str]) -> Cli:
    return Cli(tmp_path / "home", tmp_path, devices)


def check_installed(xenroll: Cli, subject: str, location: str) -> None:
    """One certificate in MY, with its key where it was sent, and nothing left over."""
    (entry,) = xenroll.json("store", "list", "MY")
    assert (entry["subject"], entry["key_store"]) == (subject, STORES.get(location, "software"))
    assert entry["asked_location"] == (None if location == "unsaid" else int(location))
    assert entry["fallback"] == ""
    assert xenroll.json("store", "list", "REQUEST") == []
    assert xenroll.json("keys", "list", "--orphans") == []


def test_a_xenroll_script_enrolls_by_files(xenroll: Cli, location: str) -> None:
    xenroll("ca", "init", "Test CA")
    script = EXAMPLES / "legacy_xenroll.py"
    xenroll("run", script, "create", "CN=Old Script,O=Example", "a.req")
    xenroll("ca", "sign", "a.req", "--out", "a.p7b")
    assert "installed" in xenroll("run", script, "accept", "a.p7b").stdout
    check_installed(xenroll, "CN=Old Script, O=Example", location)


def test_a_certenroll_script_enrolls_at_once(xenroll: Cli, location: str) -> None:
    xenroll("ca", "init", "Test CA")
    assert "Installed:" in xenroll("run", EXAMPLES / "certenroll_enroll.py", "CN=Script").stdout
    check_installed(xenroll, "CN=Script", location)


def test_a_script_comes_back_for_what_the_ca_held(xenroll: Cli, location: str) -> None:
    xenroll("ca", "init", "Test CA", "--policy", "hold")
    script = EXAMPLES / "legacy_pending.py"
    number = re.search(r"Pending as request (\d+)", xenroll("run", script, "submit", "CN=Patient").stdout)
    assert number is not None
    assert "Not issued: Taken Under Submission" in xenroll("run", script, "retrieve", number[1], code=1).stdout
    xenroll("ca", "issue", number[1])
    assert "installed" in xenroll("run", script, "retrieve", number[1]).stdout
    check_installed(xenroll, "CN=Patient", location)


@pytest.mark.parametrize("script", ["legacy_xenroll.py", "certenroll_enroll.py", "legacy_pending.py"])
def test_a_script_imports_nothing_but_python_and_pywin32(script: str) -> None:
    tree = ast.parse((EXAMPLES / script).read_text(encoding="utf-8"))
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert names <= {"sys", "pythoncom", "pywintypes", "win32com.client"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (["legacy_xenroll.py", "create", "no name", "a.req"], 1, "Error 0x80092023"),
        (["legacy_xenroll.py", "accept", "garbage"], 1, "Error 0x"),
        (["legacy_xenroll.py", "forget"], 2, "usage:"),
        (["certenroll_enroll.py", "CN=a"], 1, "Error 0x800706ba"),
        (["legacy_pending.py"], 2, "usage:"),
        (["legacy_pending.py", "submit", "CN=a", "nowhere\\None"], 1, "Error 0x800706ba"),
        (["legacy_pending.py", "retrieve", "1"], 1, "Error 0x80070490"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_script_reads_the_numbers_of_errors(tmp_path: Path, line: list[str], code: int, told: str) -> None:
    (tmp_path / "garbage").write_text("no response")
    xenroll = Cli(tmp_path / "home", tmp_path)
    assert told in xenroll("run", EXAMPLES / line[0], *line[1:], code=code).stdout
