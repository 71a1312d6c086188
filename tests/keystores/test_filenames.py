"""Names and writing of key files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keystores.errors import BadKeyData, DeviceFailure, KeyStoreError, StoreFull
from keystores.filenames import (
    container_name,
    container_of,
    disk_errors,
    file_name,
    listing,
    name_line,
    private_directory,
    write_new,
)

CONTAINERS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=260)


@given(CONTAINERS)
def test_a_file_name_is_short_plain_and_leads_back(container: str) -> None:
    name = file_name(container, ".pem")
    assert name.isascii()
    assert len(name) <= 200
    assert "/" not in name
    assert name[0] not in ".-"
    if name_line(container) == "":
        assert container_name(name) == container


@given(CONTAINERS, CONTAINERS)
def test_two_containers_have_two_names(one: str, two: str) -> None:
    assert (file_name(one, ".pem") == file_name(two, ".pem")) == (one == two)


def test_plain_names_stay_readable() -> None:
    assert file_name("Web server_1-a.b", ".pem") == "Web server_1-a.b.pem"
    assert file_name("{0F0F-AA}", ".tss2") == "{0F0F-AA}.tss2"
    assert file_name("a/b", ".pem") == "a%2Fb.pem"


@pytest.mark.parametrize("name", ["", "pem", ".pem", "a/b.pem", "%zz.pem", "%2f.pem", "%FF.pem", "a%~00.pem", "%41.pem"])
def test_a_name_that_was_not_made_from_a_container_is_refused(name: str) -> None:
    with pytest.raises(BadKeyData):
        container_name(name)


@pytest.mark.parametrize("container", ["", "x" * 261, "\udc80"])
def test_what_is_no_container_name_is_refused(container: str) -> None:
    with pytest.raises(KeyStoreError) as caught:
        file_name(container, ".pem")
    assert caught.value.hresult == 0x8009001F


def test_a_long_name_is_in_the_files_first_line(tmp_path: Path) -> None:
    container = "鍵" * 260
    path = tmp_path / file_name(container, ".pem")
    path.write_text(name_line(container) + "rest")
    assert container_of(path) == container
    assert listing(tmp_path, ".pem") == [(container, path)]
    path.write_text(name_line("鍵" * 259) + "rest")
    with pytest.raises(BadKeyData):
        container_of(path)


def test_a_file_is_written_once_and_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    write_new(path, b"one")
    with pytest.raises(FileExistsError):
        write_new(path, b"two")
    assert path.read_bytes() == b"one"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["a.pem"]


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "a.pem", b"one")
    assert os.listdir(tmp_path) == ["a.pem"]


def test_a_folder_becomes_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert private_directory(folder) == folder
    folder.chmod(0o755)
    assert stat.S_IMODE(private_directory(folder).stat().st_mode) == 0o700


def test_a_missing_folder_has_no_keys(tmp_path: Path) -> None:
    assert listing(tmp_path / "none", ".pem") == []


@pytest.mark.parametrize(
    ("number", "error"), [(28, StoreFull), (13, DeviceFailure), (30, DeviceFailure), (5, DeviceFailure), (20, DeviceFailure)]
)
def test_what_the_disk_refuses_is_a_key_store_error(tmp_path: Path, number: int, error: type[KeyStoreError]) -> None:
    with pytest.raises(error) as caught, disk_errors(tmp_path, "tpm"):
        raise OSError(number, os.strerror(number))
    assert caught.value.store == "tpm"
