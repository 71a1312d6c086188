"""A profile of its own for each test, one TPM and one card for a file of tests, and the user's script as a process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certenroll.engine.opening import open_workspace
from tests.flows.script import Wish
from tests.support import preloaded
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

ROOT = Path(__file__).resolve().parents[2]
_DEVICES = ("XENROLL_TPM_TCTI", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN", "XENROLL_KEY_LOCATION")


@pytest.fixture(scope="module")
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture(scope="module")
def token() -> Iterator[SoftToken]:
    with SoftToken() as made:
        yield made


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty profile on a machine with neither TPM nor card."""
    for name in _DEVICES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={tmp_path}/none")
    folder = tmp_path / "home"
    monkeypatch.setenv("XENROLL_HOME", str(folder))
    yield folder
    close_profile()


def close_profile() -> None:
    """Lets go of the profile's database and of its devices."""
    workspace = open_workspace()
    workspace.key_stores.close()
    workspace.profile.database.close()


@pytest.fixture
def with_tpm(profile: Path, tpm: SwTpm, monkeypatch: pytest.MonkeyPatch) -> SwTpm:
    monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
    return tpm


@pytest.fixture
def with_card(profile: Path, token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftToken]:
    """The card, which has nothing on it when the test begins."""
    for name, value in token.environ.items():
        monkeypatch.setenv(name, value)
    yield token
    store = token.store()
    for info in store.list():
        store.delete(info.container)


@pytest.fixture
def run_step() -> Callable[..., int]:
    """Runs a step of the user's script as a process of its own and gives its exit code."""

    def run(step: str, wish: Wish, **environment: str) -> int:
        arguments = [step, *wish.arguments()]
        done = preloaded.run("tests.flows.script", arguments, {**os.environ, **environment}, ROOT, timeout=60)
        assert done.returncode <= 0, done.stdout + done.stderr
        return done.returncode

    return run
