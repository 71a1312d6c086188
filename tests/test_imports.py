"""What an import costs and what it must not reach: layers go down only, and heavy packages wait until they are used."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("cryptography", "sqlite3", "pkcs11", "tpm2_pytss", "asn1crypto", "rich", "urllib.request")


def loaded_by(statement: str) -> set[str]:
    """The heavy packages that a new interpreter has loaded after ``statement``."""
    code = f"{statement}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XENROLL_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("package", ["certenroll", "keystores", "xenroll_compat", "xenroll_compat.cli.main"])
def test_a_package_loads_nothing_heavy(package: str) -> None:
    assert loaded_by(f"import {package}") == set()


def test_the_key_stores_load_no_hardware_package_before_it_is_used() -> None:
    assert not loaded_by("import keystores.access, keystores.software") & {"pkcs11", "tpm2_pytss", "sqlite3"}


def test_an_enrollment_loads_no_hardware_package_before_it_is_used() -> None:
    code = "import certenroll; certenroll.Dispatch('X509Enrollment.CX509Enrollment').Initialize(1)"
    assert not loaded_by(code) & {"pkcs11", "tpm2_pytss", "urllib.request", "rich"}


@pytest.mark.parametrize("arguments", [["--help"], ["enroll", "--help"], ["ca", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; sys.argv = {['xenroll', *arguments]!r}\n"
    code += "import contextlib, io\nfrom xenroll_compat.cli.main import main\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): main()"
    assert loaded_by(code) == set()


def test_every_import_goes_down() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_of_the_legacy_control_is_held_to_the_object_model() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (contract["source_modules"] for contract in contracts if "legacy control" in contract["name"])
    modules = {f"xenroll_compat.{path.stem}" for path in (ROOT / "xenroll_compat").glob("[!_]*.py")}
    assert set(held) == modules
