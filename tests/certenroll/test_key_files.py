"""Keys that leave for a file or come from one: what the facade writes, and what it reads of what a user names."""

from __future__ import annotations

import base64
import stat
from pathlib import Path
from typing import Any

import pytest

import certenroll
from certenroll import facade, pvk
from certenroll.encodings import BadText
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A key of a CSP that may be exported."""
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "3")
    made = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    made.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
    made.LegacyCsp, made.ExportPolicy, made.Length = True, 3, 1024
    made.Create()
    return made


def test_a_key_goes_to_a_file_that_its_owner_alone_can_read(key: Any, tmp_path: Path) -> None:
    facade.write_key_file(key, str(tmp_path / "key.pvk"), 2)
    data = (tmp_path / "key.pvk").read_bytes()
    assert pvk.decode(data)[8:] == key.Export("PRIVATEBLOB", 2)[8:]
    assert stat.S_IMODE((tmp_path / "key.pvk").stat().st_mode) == 0o600


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("no")])
def test_nothing_is_written_over_what_is_there(key: Any, tmp_path: Path, make: Any) -> None:
    make(tmp_path / "key.pvk")
    with pytest.raises(FileExistsError):
        facade.write_key_file(key, str(tmp_path / "key.pvk"), 2)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_key_that_may_not_leave_writes_no_file(tmp_path: Path, key: Any) -> None:
    kept = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    kept.Create()
    with pytest.raises(ComError) as caught:
        facade.write_key_file(kept, str(tmp_path / "key.pvk"), 2)
    assert caught.value.hresult == signed(HRESULT.NTE_BAD_KEY_STATE)
    assert not list(tmp_path.glob("*.pvk"))


def test_bytes_are_given_in_base64_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"RSA2 and more")
    (tmp_path / "key.pvk").write_bytes(pvk.encode(b"12345678 and more", 1))
    assert facade.asked_bytes(base64.b64encode(b"a" * 400).decode()) == b"a" * 400
    assert facade.asked_bytes(str(tmp_path / "blob")) == b"RSA2 and more"
    assert facade.asked_bytes(str(tmp_path / "key.pvk"))[8:] == b" and more"


def test_what_is_neither_a_file_nor_base64_is_refused() -> None:
    with pytest.raises(BadText):
        facade.asked_bytes("no such file!")
