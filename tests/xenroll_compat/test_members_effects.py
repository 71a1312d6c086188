"""Every member of the control has an effect (or says that it has none), and it is shown in what others read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from certenroll.ca.local import LocalCA
from keystores.base import KeyAlgorithm
from tests.support.control_effects import EFFECTS
from tests.support.control_effects.bench import OTHER, SHARED, Bench
from xenroll_compat import CEnroll


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a CA and with a profile's keys, made once: RSA keys take their time."""
    folder = tmp_path_factory.mktemp("members")
    LocalCA.create(folder / "ca", "Test CA", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XENROLL_HOME", str(folder / "profile"))
        for container, flags in ((SHARED, 1), (OTHER, 0)):
            control = CEnroll()
            control.ContainerName, control.GenKeyFlags = container, flags
            control.createPKCS10("CN=nobody", "")
        yield folder


@pytest.fixture
def bench(prepared: Path, profile: Path, tmp_path: Path) -> Bench:
    """A profile that has the keys and nothing else."""
    shutil.copytree(prepared / "profile" / "keys", profile / "keys")
    shutil.copytree(prepared / "ca", tmp_path / "ca")
    return Bench(tmp_path, LocalCA(tmp_path / "ca"))


@pytest.mark.parametrize("member", EFFECTS)
def test_a_member_has_its_effect(bench: Bench, member: str) -> None:
    EFFECTS[member](bench, member)
