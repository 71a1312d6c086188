"""ICertConfig and ICertGetConfig over a profile's CAs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certenroll import Dispatch
from certenroll.ca.local import LocalCA
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm

LOCAL = "ca.test\\#1 CA"
FAR = "far.test\\Far CA"
DEFAULT, PICK, FIRST, LOCAL_CA, ACTIVE, PICK_OTHER = range(6)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(mode=0o700)
    return tmp_path / "home"


@pytest.fixture
def two(home: Path) -> Path:
    LocalCA.create(home / "ca", "#1 CA", host="ca.test", algorithm=KeyAlgorithm.EC, bits=256)
    entry = f"default_ca = '{FAR}'\n[cas.'{FAR}']\ntransport = 'scep'\nurl = 'http://far.test/scep'\n"
    (home / "profile.toml").write_text(entry)
    return home


def code(call: Callable[[], object]) -> int:
    with pytest.raises(ComError) as caught:
        call()
    return caught.value.hresult & 0xFFFFFFFF


def test_a_script_walks_through_the_configurations(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert config.Reset(0) == 2
    found = [config.GetField("Config")]
    while config.Next() != -1:
        found.append(config.GetField("Config"))
    assert found == [FAR, LOCAL]
    assert config.Next() == -1


def test_next_begins_with_the_first_where_nothing_was_reset(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert [config.Next(), config.Next(), config.Next()] == [0, 1, -1]


def test_reset_moves_to_any_configuration(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert config.Reset(1) == 2
    assert config.GetField("Config") == LOCAL
    assert code(lambda: config.Reset(2)) == HRESULT.WIN32_INVALID_INDEX
    assert code(lambda: config.Reset(-1)) == HRESULT.WIN32_INVALID_INDEX


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Authority", "#1 CA"),
        ("CommonName", "#1 CA"),
        ("Config", LOCAL),
        ("config", LOCAL),
        ("Server", "ca.test"),
        ("SanitizedName", "!00231 CA"),
        ("SanitizedShortName", "!00231 CA"),
        ("ShortName", "#1 CA"),
        ("Flags", "2"),
        ("Description", "#1 CA (local)"),
    ],
)
def test_a_field_is_read(two: Path, field: str, expected: str) -> None:
    config = Dispatch("CertificateAuthority.Config")
    config.Reset(1)
    assert config.GetField(field) == expected


def test_the_certificate_of_the_local_ca_is_a_file(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    config.Reset(1)
    assert Path(config.GetField("SignatureCertificate")).read_bytes().startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_field_without_data_an_unknown_field_and_no_configuration_are_errors(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert code(lambda: config.GetField("Config")) == HRESULT.OLE_E_BLANK
    config.Reset(0)
    assert config.GetField("WebEnrollmentServers") == "http://far.test/scep"
    assert code(lambda: config.GetField("Country")) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert code(lambda: config.GetField("Colour")) == HRESULT.E_INVALIDARG


@pytest.mark.parametrize("prog_id", ["CertificateAuthority.Config", "CertificateAuthority.GetConfig"])
@pytest.mark.parametrize(
    ("flags", "expected"),
    [(DEFAULT, FAR), (PICK, FAR), (FIRST, FAR), (LOCAL_CA, LOCAL), (ACTIVE, LOCAL), (PICK_OTHER, FAR)],
)
def test_a_configuration_string_is_chosen_by_flag(two: Path, prog_id: str, flags: int, expected: str) -> None:
    assert Dispatch(prog_id).GetConfig(flags) == expected


@pytest.mark.parametrize("flags", range(6))
def test_without_a_ca_the_error_tells_how_to_make_one(home: Path, flags: int) -> None:
    script: Any = Dispatch("CertificateAuthority.GetConfig")
    with pytest.raises(ComError, match="xenroll ca init") as caught:
        script.GetConfig(flags)
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.WIN32_NOT_FOUND


def test_without_a_ca_there_is_nothing_to_walk_through(home: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert config.Reset(0) == 0
    assert config.Next() == -1


def test_a_flag_that_does_not_exist_and_a_shared_folder_are_refused(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config")
    assert code(lambda: config.GetConfig(6)) == HRESULT.E_INVALIDARG
    assert code(lambda: config.SetSharedFolder("/srv/share")) == HRESULT.WIN32_NOT_SUPPORTED


def test_what_getconfig_gives_submit_takes(two: Path) -> None:
    config = Dispatch("CertificateAuthority.Config").GetConfig(LOCAL_CA)
    assert Dispatch("CertificateAuthority.Request").GetCACertificate(0, config, 1)
