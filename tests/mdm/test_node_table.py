"""Every node, every operation: allowed or refused, before and after an instance has had its effect, in an Atomic and alone.

The tables here are written from Microsoft's pages and know nothing of the code's. A cell is one command in a profile that is
in one of three states; whatever it does is rolled back.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from certenroll.mdm.model import Command, Item, Message, Result, Status, Verb
from certenroll.mdm.nodes import every_node
from certenroll.mdm.session import Session
from certenroll.mdm.units import workspace_of
from keystores.base import Scope
from tests.mdm.pfx_bundles import PASSWORD, leaf, pfx_of

ROOT = "./User/Vendor/MSFT/ClientCertificateInstall"
VERBS = ("Add", "Replace", "Delete", "Get", "Exec")
STATES = ("absent", "set", "done")
"""No instance; an instance that is set up, before its Exec (its blob); the same after it."""

# Node -> what may be done with it: Add, Replace, Delete, Get, eXecute.
ACCESS = {
    "": "G",
    "PFXCertInstall": "G",
    "PFXCertInstall/{}": "ARDG",
    "PFXCertInstall/{}/KeyLocation": "ARG",
    "PFXCertInstall/{}/ContainerName": "ARG",
    "PFXCertInstall/{}/PFXCertBlob": "ARG",
    "PFXCertInstall/{}/PFXCertPassword": "ARG",
    "PFXCertInstall/{}/PFXCertPasswordEncryptionType": "ARG",
    "PFXCertInstall/{}/PFXKeyExportable": "ARG",
    "PFXCertInstall/{}/Thumbprint": "G",
    "PFXCertInstall/{}/Status": "G",
    "PFXCertInstall/{}/PFXCertPasswordEncryptionStore": "ARG",
    "SCEP": "G",
    "SCEP/{}": "ARDG",
    "SCEP/{}/Install": "ARDG",
    "SCEP/{}/Install/ServerURL": "ARDG",
    "SCEP/{}/Install/Challenge": "ARDG",
    "SCEP/{}/Install/EKUMapping": "ARDG",
    "SCEP/{}/Install/KeyUsage": "ARDG",
    "SCEP/{}/Install/AttestPrivateKey": "AG",
    "SCEP/{}/Install/SubjectName": "ARDG",
    "SCEP/{}/Install/KeyProtection": "ARDG",
    "SCEP/{}/Install/RetryDelay": "ARDG",
    "SCEP/{}/Install/RetryCount": "ARDG",
    "SCEP/{}/Install/TemplateName": "ARDG",
    "SCEP/{}/Install/KeyLength": "ARDG",
    "SCEP/{}/Install/HashAlgorithm": "ARDG",
    "SCEP/{}/Install/CAThumbprint": "ARDG",
    "SCEP/{}/Install/SubjectAlternativeNames": "ARDG",
    "SCEP/{}/Install/ValidPeriod": "ARDG",
    "SCEP/{}/Install/ValidPeriodUnits": "ARDG",
    "SCEP/{}/Install/ContainerName": "ARDG",
    "SCEP/{}/Install/CustomTextToShowInPrompt": "ARDG",
    "SCEP/{}/Install/Enroll": "X",
    "SCEP/{}/Install/AADKeyIdentifierList": "ARDG",
    "SCEP/{}/CertThumbprint": "G",
    "SCEP/{}/Status": "G",
    "SCEP/{}/ErrorCode": "G",
    "SCEP/{}/RespondentServerUrl": "G",
}
PERMANENT = {"", "PFXCertInstall", "SCEP"}
BLOB = "PFXCertInstall/{}/PFXCertBlob"
CHALLENGE = "SCEP/{}/Install/Challenge"
ENROLL = "SCEP/{}/Install/Enroll"

# (operation, whether the node allows it, whether the node is there) -> status.
CODES = {
    **{(verb, False, there): 405 for verb in VERBS for there in (False, True)},
    ("Add", True, False): 200,
    ("Add", True, True): 418,
    ("Replace", True, False): 404,
    ("Replace", True, True): 200,
    ("Delete", True, False): 404,
    ("Delete", True, True): 200,
    ("Get", True, False): 404,
    ("Get", True, True): 200,
}
# What has an effect beside the tree, and what the effect says: (node, operation, state) -> status.
EFFECTS = {
    (BLOB, "Add", "absent"): 500,  # no KeyLocation
    (BLOB, "Add", "set"): 200,
    (BLOB, "Replace", "done"): 200,
    (ENROLL, "Exec", "absent"): 404,
    (ENROLL, "Exec", "set"): 200,
    (ENROLL, "Exec", "done"): 500,  # the challenge is gone
}
IN_ATOMIC = {"Get": 500}

# Values that the nodes take; those of interior nodes are none.
VALUES: dict[str, str | None] = {
    "PFXCertInstall/{}": None,
    "PFXCertInstall/{}/KeyLocation": "3",
    "PFXCertInstall/{}/ContainerName": "",
    BLOB: base64.b64encode(pfx_of(leaf())).decode(),
    "PFXCertInstall/{}/PFXCertPassword": PASSWORD,
    "PFXCertInstall/{}/PFXCertPasswordEncryptionType": "0",
    "PFXCertInstall/{}/PFXKeyExportable": "true",
    "PFXCertInstall/{}/PFXCertPasswordEncryptionStore": "",
    "SCEP/{}": None,
    "SCEP/{}/Install": None,
    "SCEP/{}/Install/ServerURL": "http://scep.test/scep",
    CHALLENGE: "sesame",
    "SCEP/{}/Install/EKUMapping": "1.3.6.1.5.5.7.3.2",
    "SCEP/{}/Install/KeyUsage": "160",
    "SCEP/{}/Install/AttestPrivateKey": "0",
    "SCEP/{}/Install/SubjectName": "CN=leaf",
    "SCEP/{}/Install/KeyProtection": "3",
    "SCEP/{}/Install/RetryDelay": "5",
    "SCEP/{}/Install/RetryCount": "3",
    "SCEP/{}/Install/TemplateName": "1.2.3",
    "SCEP/{}/Install/KeyLength": "2048",
    "SCEP/{}/Install/HashAlgorithm": "SHA-2",
    "SCEP/{}/Install/CAThumbprint": "00" * 20,
    "SCEP/{}/Install/SubjectAlternativeNames": "3+host.example",
    "SCEP/{}/Install/ValidPeriod": "Days",
    "SCEP/{}/Install/ValidPeriodUnits": "30",
    "SCEP/{}/Install/ContainerName": "web",
    "SCEP/{}/Install/CustomTextToShowInPrompt": "for the VPN",
    "SCEP/{}/Install/AADKeyIdentifierList": "",
}


def is_there(path: str, state: str) -> bool:
    """Whether a server sees a node."""
    if path in PERMANENT:
        return True
    if state == "absent" or path == ENROLL:
        return False
    return path != {"set": BLOB, "done": CHALLENGE}[state]


def expected(path: str, verb: str, state: str) -> int:
    letter = {"Exec": "X"}.get(verb, verb[0])
    allowed = letter in ACCESS[path]
    return EFFECTS.get((path, verb, state)) or CODES[verb, allowed, is_there(path, state)]


def command(verb: str, path: str) -> Command:
    """A command of that kind on a node, with a value that the node takes."""
    data = VALUES.get(path) if verb in ("Add", "Replace") else None
    kind = "node" if path in ("SCEP/{}", "PFXCertInstall/{}", "SCEP/{}/Install") else "chr"
    uri = f"{ROOT}/{path.replace('{}', 'One')}".rstrip("/")
    return Command(verb, Verb(verb), "1", (Item(uri, kind if verb in ("Add", "Replace") else None, None, data),))


def answers(*commands: Command) -> list[Status | Result]:
    return list(Session().apply(Message(None, commands)).answers)


def codes(*commands: Command) -> list[int]:
    return [int(one.code) for one in answers(*commands) if isinstance(one, Status)]


class RolledBack(Exception):
    """Ends a cell."""


def rows() -> list[object]:
    database = workspace_of(Scope.USER).profile.database
    tables = ("mdm_nodes", "mdm_instances", "certificates", "requests")
    return [database.query(f"SELECT * FROM {name}") for name in tables]


@pytest.fixture(scope="module", params=STATES)
def state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A profile in one of the states."""
    with pytest.MonkeyPatch.context() as patch:
        folder: Path = tmp_path_factory.mktemp("home", numbered=True)
        patch.setenv("XENROLL_HOME", str(folder))
        patch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={folder}/no-tpm")
        for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN"):
            patch.delenv(name, raising=False)
        set_up(request.param)
        yield request.param
        workspace_of(Scope.USER).profile.database.close()


def set_up(state: str) -> None:
    if state == "absent":
        return
    adds = [command("Add", path) for path in VALUES if path != BLOB]
    assert set(codes(*adds)) == {200}
    if state == "done":
        assert codes(command("Exec", ENROLL), command("Add", BLOB)) == [200, 200]


@pytest.fixture
def cell(state: str) -> Iterator[str]:
    """The state for one command, whose traces in the database are rolled back."""
    try:
        with workspace_of(Scope.USER).profile.database.transaction():
            yield state
            raise RolledBack
    except RolledBack:
        return


def test_the_table_has_every_node() -> None:
    assert sorted(ACCESS) == sorted(path for path, _ in every_node())


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("path", ACCESS)
def test_a_command_alone_has_its_status(path: str, verb: str, cell: str) -> None:
    before, wanted = rows(), expected(path, verb, cell)
    assert codes(command(verb, path)) == [wanted]
    if wanted != 200 or verb == "Get":
        assert rows() == before
    if verb == "Delete" and wanted == 200:
        assert codes(command("Get", path)) == [404]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("path", ACCESS)
def test_a_command_in_an_atomic_has_its_status_and_the_atomic_too(path: str, verb: str, cell: str) -> None:
    before, wanted = rows(), IN_ATOMIC.get(verb) or expected(path, verb, cell)
    block = Command("Atomic", Verb.ATOMIC, "9", children=(command(verb, path),))
    assert codes(block) == [200 if wanted == 200 else 507, wanted]
    if wanted != 200:
        assert rows() == before


def test_what_is_set_is_read_back(cell: str) -> None:
    for path, data in VALUES.items():
        if data is not None and is_there(path, cell):
            (found,) = [one for one in answers(command("Get", path)) if isinstance(one, Result)]
            assert found.data == ("" if path == BLOB else data), path


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("SCEP/{}/Status", "32", "32"),
        ("SCEP/{}/ErrorCode", "0", "0"),
        ("SCEP/{}/RespondentServerUrl", "", ""),
        ("SCEP/{}/CertThumbprint", "", ""),
        ("PFXCertInstall/{}/Status", "0", "0"),
    ],
)
def test_a_computed_node_tells_that_nothing_has_happened_yet(path: str, before: str, after: str, cell: str) -> None:
    found = [one.data for one in answers(command("Get", path)) if isinstance(one, Result)]
    assert found == {"absent": [], "set": [before], "done": [after]}[cell]
