"""Profiles: where they are, what is private, and what profile.toml may say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certenroll.stores.errors import ProfileError
from certenroll.stores.journal import Journal
from certenroll.stores.profile import Profile, open_profile, profile_directory
from certenroll.stores.settings import CASettings, Settings, read_settings
from keystores.base import Scope


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("scope", "environ", "expected"),
    [
        (Scope.USER, {"XENROLL_HOME": "/x", "XDG_DATA_HOME": "/d", "HOME": "/h"}, "/x"),
        (Scope.MACHINE, {"XENROLL_HOME": "/x", "HOME": "/h"}, "/x/machine"),
        (Scope.USER, {"XDG_DATA_HOME": "/d", "HOME": "/h"}, "/d/xenroll"),
        (Scope.USER, {"XENROLL_HOME": "", "XDG_DATA_HOME": "", "HOME": "/h"}, "/h/.local/share/xenroll"),
        (Scope.USER, {"XDG_DATA_HOME": "relative", "HOME": "/h"}, "/h/.local/share/xenroll"),
    ],
)
def test_a_profile_is_where_the_environment_says(scope: Scope, environ: dict[str, str], expected: str) -> None:
    assert profile_directory(scope, environ) == Path(expected)


def test_the_machines_profile_is_the_systems_for_root_and_the_users_own_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert profile_directory(Scope.MACHINE, {"HOME": "/h"}) == Path("/var/lib/xenroll")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert profile_directory(Scope.MACHINE, {"HOME": "/h"}) == Path("/h/.local/share/xenroll/machine")


def test_everything_in_a_profile_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        profile = open_profile(Scope.MACHINE, {"XENROLL_HOME": str(tmp_path / "home")})
        folders = [profile.directory.parent, profile.directory, profile.keys_directory, profile.ca_directory]
        Journal(profile.database).begin("a", {})
    finally:
        os.umask(before)
    assert [mode(folder) for folder in folders] == [0o700] * 4
    assert mode(profile.directory / "store.db") == 0o600
    assert [folder.name for folder in folders] == ["home", "machine", "keys", "ca"]


def test_the_two_scopes_share_nothing(tmp_path: Path) -> None:
    environ = {"XENROLL_HOME": str(tmp_path)}
    user, machine = open_profile(Scope.USER, environ), open_profile(Scope.MACHINE, environ)
    Journal(user.database).begin("user's", {})
    assert Journal(machine.database).unconfirmed() == []


def test_opening_a_profile_makes_no_database_before_it_is_used(tmp_path: Path) -> None:
    profile = open_profile(Scope.USER, {"XENROLL_HOME": str(tmp_path)})
    assert list(profile.directory.iterdir()) == []
    assert profile.database is profile.database


def test_a_folder_that_everybody_can_write_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(ProfileError) as caught:
        open_profile(Scope.USER, {"XENROLL_HOME": str(tmp_path)})
    assert caught.value.hresult == 0x80070005


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ProfileError) as caught:
            open_profile(Scope.USER, {"XENROLL_HOME": str(place)})
        assert caught.value.hresult == 0x80070050


WHOLE = r"""
legacy_hashes = true
default_ca = 'ca.example.com\Issuing CA'

[cas.'ca.example.com\Issuing CA']
transport = "scep"
url = "http://ca.example.com/scep"
challenge_file = "challenge"
retries = 3

[cas.'local\CA']
transport = "local"
path = "ca"

[keys]
passphrase_file = "passphrase"

[tpm]
tcti = "swtpm:host=localhost,port=2321"

[pkcs11]
module = "/usr/lib/softhsm/libsofthsm2.so"
token = "xenroll"
"""


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def test_every_setting_is_read(tmp_path: Path) -> None:
    issuing = CASettings(
        "ca.example.com\\Issuing CA", "scep", "http://ca.example.com/scep", "", {"challenge_file": "challenge", "retries": 3}
    )
    found = settings(tmp_path, WHOLE)
    assert found == Settings(
        legacy_hashes=True,
        default_ca="ca.example.com\\Issuing CA",
        cas={issuing.config: issuing, "local\\CA": CASettings("local\\CA", "local", "", "ca")},
        tpm_tcti="swtpm:host=localhost,port=2321",
        pkcs11_module="/usr/lib/softhsm/libsofthsm2.so",
        pkcs11_token="xenroll",
        key_passphrase_file="passphrase",
    )


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "profile.toml") == Settings() == settings(tmp_path, "")


def test_a_passphrase_file_is_relative_to_the_profile(tmp_path: Path) -> None:
    profile = Profile(tmp_path, settings=Settings(key_passphrase_file="passphrase"))
    assert profile.key_passphrase_file == tmp_path / "passphrase"
    assert Profile(tmp_path, settings=Settings(key_passphrase_file="/run/secret")).key_passphrase_file == Path("/run/secret")
    assert Profile(tmp_path).key_passphrase_file is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("nonsense = 1", "nonsense"),
        ("legacy_hashes = 1", "legacy_hashes"),
        ("legacy_hashes = 'yes'", "legacy_hashes"),
        ("default_ca = true", "default_ca"),
        ("keys = 'x'", "keys"),
        ("keys.passphrase = 'secret'", "keys.passphrase"),
        ("tpm.tcti = 5", "tpm.tcti"),
        ("[pkcs11]\npin = '1234'", "pkcs11.pin"),
        ("cas = []", "cas"),
        ("cas.one = 'x'", "cas.'one'"),
        ("[cas.one]\nurl = 'x'", "cas.'one'.transport"),
        ("[cas.one]\ntransport = ''", "cas.'one'.transport"),
        ("[cas.one]\ntransport = 'scep'\nurl = 5", "cas.'one'.url"),
        ("[cas.one]\ntransport = 'scep'\nmore = [1]", "cas.'one'.more"),
    ],
)
def test_an_unknown_key_or_a_wrong_type_is_named(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ProfileError) as caught:
        settings(tmp_path, text)
    assert (caught.value.hresult, caught.value.key) == (0x8007000D, key)
    assert key in str(caught.value)
    assert "profile.toml" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "1234" not in str(caught.value)


def test_what_is_no_toml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="line 2") as caught:
        settings(tmp_path, "legacy_hashes = true\ndefault_ca = = 'x'\n")
    assert caught.value.hresult == 0x8007000D


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_bytes(b"default_ca = '\xff\xfe'")
    with pytest.raises(ProfileError):
        read_settings(path)


def test_a_file_that_cannot_be_read_is_access_denied(tmp_path: Path) -> None:
    (tmp_path / "profile.toml").mkdir()
    with pytest.raises(ProfileError) as caught:
        read_settings(tmp_path / "profile.toml")
    assert caught.value.hresult == 0x80070005
