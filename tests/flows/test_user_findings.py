"""What users run into: scripts moved by the environment, odd file names, devices that are away, odd terminals."""

from __future__ import annotations

import json
import logging
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import xenroll_compat
from certenroll import ComError, Dispatch
from certenroll.hresults import signed
from keystores.base import KeyLocation
from keystores.filenames import private_directory
from tests.support.cli import Cli, command
from tests.support.profiles import make_ca
from tests.support.requires import package
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

DROPPED = "the key is asked for as exportable"
INVALID_ARGUMENT = 0x80070057


def exportable_key(**properties: Any) -> Any:
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.ExportPolicy = 1
    for name, value in properties.items():
        setattr(key, name, value)
    key.Create()
    return key


def code_of(error: pytest.ExceptionInfo[ComError]) -> int:
    return int(error.value.hresult) & 0xFFFFFFFF


@pytest.mark.parametrize("wish", [{"ExportPolicy": 1}, {"Pin": "a PIN that is too long for any TPM, but not for a file"}])
def test_a_preferred_tpm_that_is_not_there_falls_back_whatever_it_would_have_refused(
    profile: Path, wish: dict[str, Any]
) -> None:
    package("tpm2_pytss", "tpm")
    key = exportable_key(KeyLocation=KeyLocation.TPM_PREFERRED, **wish)
    assert len(key.Export("PRIVATEBLOB")) > 1000


def test_a_preferred_tpm_that_is_there_still_refuses_an_exportable_key(profile: Path, with_tpm: SwTpm) -> None:
    with pytest.raises(ComError) as caught:
        exportable_key(KeyLocation=KeyLocation.TPM_PREFERRED)
    assert code_of(caught) == 0x8009000B


@pytest.mark.parametrize("location", ["1", "2"])
def test_an_exportable_key_that_the_environment_moves_to_the_tpm_is_made_with_a_warning(
    profile: Path, with_tpm: SwTpm, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, location: str
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", location)
    with caplog.at_level(logging.WARNING):
        key = exportable_key()
    assert DROPPED in caplog.text
    with pytest.raises(ComError):
        key.Export("PRIVATEBLOB")


def test_an_exportable_key_that_the_environment_moves_to_the_card_is_made_with_a_warning(
    profile: Path, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    control = xenroll_compat.Dispatch("CEnroll.CEnroll.2")
    control.GenKeyFlags = 0x08000001
    with caplog.at_level(logging.WARNING):
        assert control.createPKCS10("CN=moved", "")
    assert DROPPED in caplog.text


def test_an_exportable_key_stays_so_where_the_environment_asks_for_a_tpm_that_is_not_there(
    profile: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "2")
    with caplog.at_level(logging.WARNING):
        key = exportable_key()
    assert len(key.Export("PRIVATEBLOB")) > 1000
    assert DROPPED not in caplog.text


@pytest.mark.parametrize("name", ["a\0b", "\0", " "])
def test_a_file_name_that_cannot_be_one_makes_no_key(profile: Path, name: str) -> None:
    control = xenroll_compat.Dispatch("CEnroll.CEnroll.2")
    for method, arguments in (("createFilePKCS10", ("CN=x", "", name)), ("acceptFilePKCS7", (name,))):
        with pytest.raises(ComError) as caught:
            getattr(control, method)(*arguments)
        assert caught.value.hresult == signed(INVALID_ARGUMENT)
    assert not list(profile.rglob("*.pem"))


def test_a_folder_that_is_not_there_is_named_and_no_draft_of_ours(profile: Path, tmp_path: Path) -> None:
    control = xenroll_compat.Dispatch("CEnroll.CEnroll.2")
    with pytest.raises(ComError, match="there is no folder") as caught:
        control.createFilePKCS10("CN=x", "", str(tmp_path / "none" / "x.req"))
    assert code_of(caught) == 0x80070002


def test_a_script_that_reuses_its_container_after_nte_exists_goes_on(profile: Path) -> None:
    make_ca()
    for expected in (0, 0x8009000F):
        control = xenroll_compat.Dispatch("CEnroll.CEnroll.2")
        control.ContainerName = "box"
        code = 0
        try:
            control.createPKCS10("CN=again", "")
        except ComError as error:
            code = error.hresult & 0xFFFFFFFF
            control.UseExistingKeySet = True
            assert control.createPKCS10("CN=again", "")
        assert code == expected


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    """A user whose one certificate has a name that not every terminal can show."""
    user = Cli(tmp_path / "home", tmp_path)
    user("ca", "init", "Test CA")
    user("enroll", "--subject", "CN=\u6f22\u5b57\x1b[2J\u00e9", "--algorithm", "P-256")
    return user


def test_names_that_the_locale_lacks_are_shown_with_escapes(xenroll: Cli) -> None:
    assert "CN=\\u6f22\\u5b57" in xenroll("store", "list", "MY", PYTHONIOENCODING="ascii").stdout
    (found,) = json.loads(xenroll("store", "list", "MY", "--json", PYTHONIOENCODING="ascii").stdout)
    assert found["subject"] == "CN=\u6f22\u5b57\x1b[2J\u00e9"


def test_a_name_in_a_certificate_moves_no_cursor(xenroll: Cli) -> None:
    shown = xenroll("store", "list", "MY").stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown


def test_a_closed_output_is_no_crash(xenroll: Cli) -> None:
    line = "exec \"$@\" >&-"
    done = subprocess.run(
        ["sh", "-c", line, "sh", *command("store", "list")], env=xenroll.environment, capture_output=True, text=True,
        check=False, timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_name_too_long_for_a_ca_is_refused_in_one_line(xenroll: Cli, tmp_path: Path) -> None:
    told = xenroll("ca", "init", "b" * 65, "--path", tmp_path / "other", code=1).stderr
    assert "at most 64 characters" in told
    assert not (tmp_path / "other").exists()


def test_a_length_of_hundreds_of_octets_is_not_written_out(xenroll: Cli, tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(b"\x30\xfe" + b"\xff" * 126 + b"\x00" * 20)
    told = xenroll("accept", "odd", code=1).stderr
    assert len(told) < 300
    assert "check the file" in told


def test_a_full_disk_is_told_as_one(xenroll: Cli) -> None:
    done = subprocess.run(
        ["sh", "-c", "exec \"$@\" >/dev/full", "sh", *command("store", "list")], env=xenroll.environment,
        capture_output=True, text=True, check=False, timeout=60,
    )
    assert done.returncode == 1
    assert "WIN32_DISK_FULL" in done.stderr


def test_no_folder_of_keys_is_left_to_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private_directory(tmp_path / "profile" / "keys" / "software")
    finally:
        os.umask(before)
    made = [tmp_path / "profile", tmp_path / "profile" / "keys", tmp_path / "profile" / "keys" / "software"]
    assert [folder.stat().st_mode & 0o777 for folder in made] == [0o700] * 3
