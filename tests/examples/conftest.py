"""What the tests of the examples share: each example in a process of its own, on a profile of its own with a local CA."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll.engine.opening import open_workspace
from tests.support import preloaded
from tests.support.cli import ROOT, Cli
from tests.support.legacy_pages import Place
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

SAMPLES = ROOT / "examples" / "certenroll"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.S)


@dataclass(frozen=True)
class Samples:
    """The examples of examples/certenroll, as a user runs them.

    Attributes:
        xenroll: the command line on the same profile and in the same folder.
    """

    xenroll: Cli

    @property
    def folder(self) -> Path:
        """Where the user is."""
        return self.xenroll.folder

    def __call__(self, name: str, *arguments: str, code: int = 0) -> str:
        """What an example prints; the test fails where it does not end with ``code`` or says anything on stderr."""
        done = preloaded.run(str(SAMPLES / name), arguments, self.xenroll.environment, self.folder)
        assert (done.returncode, done.stderr) == (code, ""), f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def make_ca(self, *options: str, name: str = "Test CA", **templates: dict[str, Any]) -> Path:
        """Makes the profile's CA, which the profile trusts, and says what its templates are. Gives the CA's folder."""
        self.xenroll("ca", "init", name, "--host", "ca.test", "--algorithm", "EC", *options)
        folder = self.xenroll.home / ("machine/ca" if "--machine" in options else "ca")
        policy = json.loads((folder / "policy.json").read_text())
        policy["templates"] = {name.replace("no_template", ""): values for name, values in templates.items()}
        (folder / "policy.json").write_text(json.dumps(policy))
        return folder

    def my(self, *options: str) -> list[dict[str, Any]]:
        """The certificates of MY, as ``xenroll store list`` tells them."""
        listed: list[dict[str, Any]] = self.xenroll.json("store", "list", "MY", *options)
        return listed

    def requests(self, *options: str) -> list[dict[str, Any]]:
        """The CA's requests, as ``xenroll ca list`` tells them."""
        listed: list[dict[str, Any]] = self.xenroll.json("ca", "list", *options)
        return listed


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    """The examples, on a profile without a CA."""
    return Samples(Cli(tmp_path / "home", tmp_path))


Device = SwTpm | SoftToken | None
_DEVICES = {"tpm": SwTpm, "smartcard": SoftToken}


@pytest.fixture(scope="session")
def home_with_a_ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile with a CA, to be copied."""
    folder = tmp_path_factory.mktemp("legacy")
    Cli(folder / "home", folder)("ca", "init", "Test CA", "--host", "ca.test", "--algorithm", "EC")
    return folder / "home"


@pytest.fixture(scope="module", params=["software", "tpm", "smartcard"])
def device(request: pytest.FixtureRequest) -> Iterator[tuple[str, Device]]:
    """A key store by its name, and its device where it has one: the same for a file of tests."""
    with ExitStack() as held:
        kind = _DEVICES.get(request.param)
        yield request.param, held.enter_context(kind()) if kind else None


@pytest.fixture
def place(device: tuple[str, Device], home_with_a_ca: Path, tmp_path: Path) -> Place:
    """A user of that key store, in a new profile with a CA."""
    shutil.copytree(home_with_a_ca, tmp_path / "home")
    folder = tmp_path / "user"
    folder.mkdir()
    return Place.of(device[0], tmp_path / "home", folder, device[1])


def close_profile() -> None:
    """Lets go of the profile that this process works in."""
    workspace = open_workspace()
    workspace.key_stores.close()
    workspace.profile.database.close()


def printed_certificates(text: str) -> list[x509.Certificate]:
    """The certificates in what an example printed."""
    return [x509.load_pem_x509_certificate(found.encode()) for found in _PEM.findall(text)]


def openssl(*arguments: str | Path, data: bytes = b"") -> str:
    """What openssl prints; the test fails where it fails."""
    command = [program("openssl"), *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")
    return done.stdout.decode("utf-8", "replace")
