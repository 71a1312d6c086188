"""Which CA a configuration string leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from certenroll.ca.base import CAError
from certenroll.ca.directory import list_cas, open_ca
from certenroll.ca.local import LocalCA
from certenroll.stores.settings import CASettings, Settings
from keystores.base import KeyAlgorithm


@dataclass
class ProfileLike:
    ca_directory: Path
    settings: Settings = field(default_factory=Settings)


def make(folder: Path, name: str) -> LocalCA:
    return LocalCA.create(folder, name, host="h", algorithm=KeyAlgorithm.EC, bits=256)


def settings(*entries: CASettings, default: str | None = None) -> Settings:
    return Settings(default_ca=default, cas={one.config: one for one in entries})


@pytest.mark.parametrize("config", [None, "", "  ", "h\\Mine", "H\\MINE", "\\\\h\\Mine"])
def test_the_local_ca_answers_to_its_name_and_to_none(tmp_path: Path, config: str | None) -> None:
    make(tmp_path / "ca", "Mine")
    assert open_ca(ProfileLike(tmp_path / "ca"), config).config == "h\\Mine"


@pytest.mark.parametrize("config", [None, "h\\Other"])
def test_a_ca_that_is_not_there_is_an_error_with_advice(tmp_path: Path, config: str | None) -> None:
    with pytest.raises(CAError, match="xenroll ca init") as caught:
        open_ca(ProfileLike(tmp_path / "ca"), config)
    assert caught.value.hresult == 0x800706BA


def test_a_ca_of_the_settings_is_opened_under_its_name_there(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere", "Mine")
    entry = CASettings("ca.corp\\Issuing", "local", path=str(tmp_path / "elsewhere"))
    profile = ProfileLike(tmp_path / "ca", settings(entry, default="CA.corp\\issuing"))
    found = open_ca(profile, None)
    assert found.config == "ca.corp\\Issuing"
    assert open_ca(profile, found.config).certificates() == found.certificates()


def test_a_relative_folder_is_beside_the_local_ca(tmp_path: Path) -> None:
    make(tmp_path / "second", "Second")
    profile = ProfileLike(tmp_path / "ca", settings(CASettings("h\\Second", "local", path="second")))
    assert open_ca(profile, "h\\Second").certificates()


def test_an_unknown_transport_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    profile = ProfileLike(tmp_path / "ca", settings(CASettings("h\\Far", "pigeon")))
    with pytest.raises(CAError, match=r"'pigeon'; known are .*local") as caught:
        open_ca(profile, "h\\Far")
    assert caught.value.hresult == 0x80070057


def test_the_list_begins_with_the_default(tmp_path: Path) -> None:
    make(tmp_path / "ca", "Mine")
    far = CASettings("far\\Away", "scep", url="http://far.test/scep")
    alone = list_cas(ProfileLike(tmp_path / "ca"))
    assert [(one.config, one.is_default) for one in alone] == [("h\\Mine", True)]
    both = list_cas(ProfileLike(tmp_path / "ca", settings(far, default="far\\away")))
    assert [(one.config, one.transport, one.is_default) for one in both] == [
        ("far\\Away", "scep", True),
        ("h\\Mine", "local", False),
    ]
    assert list_cas(ProfileLike(tmp_path / "none")) == ()
