"""A profile of its own for a test that enrolls, and nothing of the caller's environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from tests.stores.pki import NOW

_VARIABLES = (
    "XENROLL_KEY_LOCATION", "XENROLL_TPM_TCTI", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN",
    "XENROLL_PIN_FILE",
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new profile's folder, named by XENROLL_HOME; no TPM and no card."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("XENROLL_HOME", str(folder))
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={tmp_path}/no-tpm")
    return folder


@pytest.fixture
def workspace(home: Path) -> Workspace:
    """The profile's stores, at the time at which the test certificates of ``tests.stores.pki`` are valid."""
    found = open_workspace()
    found.clock = lambda: NOW
    return found
