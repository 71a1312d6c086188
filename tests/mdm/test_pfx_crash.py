"""An install, a Replace and a Delete, killed at every write: afterwards the tree is as before or as after, keys included.

A step runs as a process that SIGKILL ends at its N-th write point (certenroll/stores/faults.py), for every N until it
survives. This process then opens the profile, as the first one after the crash, and takes the step again where it was not
taken.
"""

from __future__ import annotations

import itertools
import os
import shutil
import signal
from pathlib import Path

import pytest

from certenroll import facade
from tests.flows import conftest as flows
from tests.flows.test_crash import attempt
from tests.mdm import pfx_bundles as pfx
from tests.mdm import pfx_script
from tests.mdm.pfx_bundles import installs, leaf, pfx_of, rsa_key, sha1, signs, value
from tests.stores.pki import Made
from tests.support import judges, preloaded
from tests.support.profiles import home, keys, orphans, rows
from tests.support.softhsm import SoftToken

LOCATIONS = {"software": 3, "tpm": 1, "smartcard": 4}
FIXTURES = {"tpm": "with_tpm", "smartcard": "with_card"}
OLD, NEW = leaf("old", rsa_key("old")), leaf("new", rsa_key("new"))
# Each step with what is installed before it and after it, and the fewest write points that it can have.
STEPS: dict[str, tuple[Made | None, Made | None, int]] = {
    "install": (None, NEW, 4), "replace": (OLD, NEW, 6), "delete": (OLD, None, 4),
}  # fmt: skip
ORDINARY = [("software", step) for step in STEPS] + [("smartcard", "install")]
ALL = [(store, step) for store in LOCATIONS for step in STEPS]


def cases() -> list[object]:
    return [
        pytest.param(*case, marks=() if case in ORDINARY else pytest.mark.exhaustive, id="-".join(case)) for case in ALL
    ]


@pytest.mark.parametrize(("store", "step"), cases())
def test_a_step_that_is_killed_at_any_write_has_happened_or_has_not(
    store: str, step: str, profile: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store in FIXTURES:
        request.getfixturevalue(FIXTURES[store])
    before, after, fewest = STEPS[step]
    (tmp_path / "new.pfx").write_bytes(pfx_of(NEW))
    for number in itertools.count(1):
        with attempt(tmp_path, number, monkeypatch) as place:
            begin(store, before, tmp_path / f"begun{number if store == 'smartcard' else 0}")
            code = killed(step, number, place, LOCATIONS[store])
            found = installed_alone(store)
            assert found in (before, after)
            if found is not after:
                assert set(again(step, LOCATIONS[store])) == {200}
                assert installed_alone(store) is after
            clear(store)
        if code == 0:
            break
        assert code == -signal.SIGKILL
    assert number > fewest


def begin(store: str, made: Made | None, begun: Path) -> None:
    """A profile before the step: a copy, so that this process opens it after the crash only. A card is filled each time."""
    if not begun.exists():
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("XENROLL_HOME", str(begun))
            if made is None:
                pfx.snapshot()
            else:
                installs(pfx_of(made), LOCATIONS[store], ContainerName="web")
            flows.close_profile()
    shutil.copytree(begun, home(), symlinks=True)


def killed(step: str, number: int, place: Path, location: int) -> int:
    """How the process of the step ended."""
    faults = {"XENROLL_FAULT_AT": str(number), "XENROLL_FAULT_LOG": str(place / "writes")}
    arguments = [step, str(place.parent / "new.pfx"), str(location), "One"]
    done = preloaded.run("tests.mdm.pfx_script", arguments, {**os.environ, **faults}, flows.ROOT, timeout=60)
    assert done.returncode <= 0, done.stdout + done.stderr
    return done.returncode


def again(step: str, location: int) -> list[int]:
    """The step's status codes."""
    return pfx_script.STEPS[step](pfx_of(NEW), location, "One")


def installed_alone(store: str) -> Made | None:
    """The certificate that is installed, with its key and its chain and nothing else; None where all is gone."""
    made = {sha1(one): one for one in (OLD, NEW)}
    mine = pfx.thumbprints("MY")
    assert (orphans(), rows("intents")["intents"]) == ([], [])
    if not mine:
        assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT"), keys()[store]) == (set(), set(), [])
        assert (value("KeyLocation"), value("Thumbprint")) == (None, None)
        return None
    root, above = pfx.authorities()
    (thumbprint,) = mine
    found = signs(made[thumbprint])
    assert found.key is not None
    assert keys()[store] == [found.key.container]
    assert (value("Thumbprint"), value("Status"), value("PFXCertBlob")) == (thumbprint.upper(), "0", "")
    assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT")) == ({sha1(above)}, {sha1(root)})
    return made[thumbprint]


def clear(store: str) -> None:
    """Makes room on the card for the next attempt, once the card has the certificate too."""
    if store == "smartcard" and facade.certificates("MY"):
        label = os.environ["XENROLL_PKCS11_TOKEN"].partition("token=")[2].partition(";")[0]
        kinds = [kind for kind, _, _ in judges.card_objects(os.environ["XENROLL_PKCS11_MODULE"], label)]
        assert kinds.count("Certificate") >= 3  # its own, the CA's, the root's
        (entry,) = facade.certificates("MY")
        facade.delete_certificate("MY", entry.thumbprint, with_key=True)


@pytest.mark.usefixtures("profile")
def test_a_crash_after_the_key_is_on_the_card_leaves_no_key_there(with_card: SoftToken, tmp_path: Path) -> None:
    (tmp_path / "new.pfx").write_bytes(pfx_of(NEW))
    pfx.snapshot()
    flows.close_profile()
    place = tmp_path / "1"
    place.mkdir()
    assert killed("install", 3, place, 4) == -signal.SIGKILL  # before the unit's commit
    assert [info.container for info in with_card.store().list()] == ["web"]
    flows.close_profile()
    with pytest.MonkeyPatch.context() as patched:
        shutil.copytree(home(), tmp_path / "opened")
        patched.setenv("XENROLL_HOME", str(tmp_path / "opened"))
        assert installed_alone("smartcard") is None
        flows.close_profile()
