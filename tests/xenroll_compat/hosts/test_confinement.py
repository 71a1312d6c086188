"""A script's files: the names that Windows has for them, and that no name leads out of the folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from xenroll_compat import Dispatch
from xenroll_compat.files import files_found_by, named_file, new_file, replaced_file
from xenroll_compat.hosts.confinement import Confinement
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.settings import RunSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a script, with secrets beside it."""
    made = tmp_path / "folder"
    (made / "Requests").mkdir(parents=True)
    (made / "Requests" / "One.req").write_text("one")
    (tmp_path / "secret.txt").write_text("secret")
    return made


def environment_of(folder: Path | None) -> Environment:
    made = Environment(RunSettings(folder=folder))
    register(made)
    return made


def refused(code: int, confinement: Confinement, name: str) -> ComError:
    with pytest.raises(ComError) as caught:
        confinement.locate(name)
    assert caught.value.hresult == signed(code), str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "Requests\\One.req",
        "requests\\ONE.REQ",
        "Requests/One.req",
        "C:\\Requests\\One.req",
        "c:/requests/one.req",
        "Z:\\Requests\\One.req",
        "C:Requests\\One.req",
        "\\Requests\\One.req",
        ".\\Requests\\.\\One.req",
        "Requests\\..\\Requests\\\\One.req",
        "Requests\\One.req. ",
        "C:\\\\Requests\\One.req",
    ],
)
def test_a_name_as_windows_writes_it_finds_the_file(folder: Path, name: str) -> None:
    assert Confinement(folder).locate(name) == folder / "Requests" / "One.req"


def test_a_name_of_this_machine_finds_a_file_in_the_folder(folder: Path) -> None:
    assert Confinement(folder).locate(str(folder / "Requests" / "One.req")).read_text() == "one"


def test_a_new_file_keeps_its_spelling_in_a_folder_found_without_regard_to_case(folder: Path) -> None:
    assert Confinement(folder).locate("C:\\REQUESTS\\New.Req") == folder / "Requests" / "New.Req"


@pytest.mark.parametrize(
    "name",
    [
        "..\\secret.txt",
        "../secret.txt",
        "C:\\..\\secret.txt",
        "Requests\\..\\..\\secret.txt",
        "/etc/passwd",
        "\\\\server\\share\\x.req",
        "//server/share/x.req",
        "\\\\.\\PhysicalDrive0",
        "\\\\?\\C:\\x.req",
        "CON",
        "nul",
        "Requests\\COM1",
        "lpt9.txt",
        "aux .txt",
        "CONOUT$",
    ],
)
def test_a_name_that_leads_out_or_names_a_device_is_refused(folder: Path, name: str) -> None:
    assert "--folder" in refused(HRESULT.E_ACCESSDENIED, Confinement(folder), name).detail


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "x.req:stream", "a|b", "a?b", 'a"b', "...", "C:\\a\\*\\b"])
def test_what_is_no_name_on_windows_is_refused(folder: Path, name: str) -> None:
    refused(HRESULT.WIN32_INVALID_NAME, Confinement(folder), name)


@pytest.mark.parametrize("name", ["\ud800", "Requests\\a\udfff.req"])
def test_half_of_a_surrogate_pair_is_in_no_name(folder: Path, name: str) -> None:
    refused(HRESULT.WIN32_INVALID_NAME, Confinement(folder), name)
    with pytest.raises(ComError) as caught:
        named_file(name)
    assert caught.value.hresult == signed(HRESULT.E_INVALIDARG)
    control = Dispatch("CEnroll.CEnroll")
    for call in (lambda: control.createFilePKCS10("CN=a", "", name), lambda: control.acceptFilePKCS7(name)):
        with pytest.raises(ComError):
            call()


@pytest.mark.parametrize("name", ["itself", "itself\\x.req", "one", "two\\x.req"])
def test_a_link_that_leads_to_itself_is_refused(folder: Path, name: str) -> None:
    (folder / "itself").symlink_to("itself")
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to(folder / "one")
    assert "leads nowhere" in refused(HRESULT.E_ACCESSDENIED, Confinement(folder), name).detail


def test_without_a_folder_every_file_is_refused() -> None:
    assert "--folder DIR" in refused(HRESULT.E_ACCESSDENIED, Confinement(None), "x.req").detail


@pytest.mark.parametrize("name", ["out\\secret.txt", "secret", "deep\\inner\\secret.txt", "out\\nothing.txt"])
def test_a_link_that_leads_out_is_refused(folder: Path, name: str) -> None:
    (folder / "out").symlink_to(folder.parent)
    (folder / "secret").symlink_to(folder.parent / "secret.txt")
    (folder / "deep").mkdir()
    (folder / "deep" / "inner").symlink_to(folder.parent)
    refused(HRESULT.E_ACCESSDENIED, Confinement(folder), name)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "Requests")
    assert Confinement(folder).locate("LINK\\one.req").read_text() == "one"


def test_a_link_that_took_a_file_s_place_is_not_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    confinement = Confinement(folder)
    monkeypatch.setattr(confinement, "locate", lambda name: folder / "late")  # as found before the change
    (folder / "late").symlink_to(folder.parent / "secret.txt")
    with pytest.raises(OSError, match="symbolic links"):
        confinement.open("late", os.O_RDONLY)


def test_what_is_no_file_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with pytest.raises(ComError, match="E_ACCESSDENIED"):
        Confinement(folder).open("pipe", os.O_RDONLY)


def test_relative_names_begin_in_the_current_directory(folder: Path) -> None:
    environment = environment_of(folder)
    shell, files = environment.create("WScript.Shell"), environment.create("Scripting.FileSystemObject")
    shell.CurrentDirectory = "C:\\requests"
    assert shell.CurrentDirectory == "C:\\Requests"
    assert files.OpenTextFile("one.req").ReadAll() == "one"
    assert files.FileExists("C:\\Requests\\One.req")


def key_in_a_file(control: Any, name: str) -> None:
    control.GenKeyFlags = 1024 << 16 | 1
    control.PVKFileName = name
    control.createPKCS10("CN=a", "")


MEMBERS: dict[str, Callable[[Any, str], object]] = {
    "createFilePKCS10": lambda control, name: control.createFilePKCS10("CN=a", "", name),
    "createFileRequest": lambda control, name: control.createFileRequest(1, "CN=a", "", name),
    "acceptFilePKCS7": lambda control, name: control.acceptFilePKCS7(name),
    "acceptFileResponse": lambda control, name: control.acceptFileResponse(name),
    "PVKFileName": key_in_a_file,
}


@pytest.mark.parametrize("name", ["..\\x.req", "/etc/x.req", "\\\\server\\x.req", "C:\\..\\x.req"])
@pytest.mark.parametrize("member", MEMBERS)
def test_the_control_s_own_files_are_confined_too(
    folder: Path, member: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(folder.parent / "home"))
    before = sorted(folder.parent.rglob("*.req"))
    with pytest.raises(ComError) as caught, files_found_by(Confinement(folder).locate):
        MEMBERS[member](Dispatch("CEnroll.CEnroll"), name)
    assert caught.value.hresult == signed(HRESULT.E_ACCESSDENIED)
    assert sorted(folder.parent.rglob("*.req")) == before


def test_the_file_of_an_answer_is_confined_too(folder: Path) -> None:
    with pytest.raises(ComError, match="E_ACCESSDENIED"), files_found_by(Confinement(folder).locate), new_file("..\\x", b""):
        pass


def test_a_file_of_the_control_is_written_into_the_folder(folder: Path) -> None:
    with files_found_by(Confinement(folder).locate), replaced_file("C:\\requests\\two.req") as write:
        write(b"two")
    assert (folder / "Requests" / "two.req").read_bytes() == b"two"


def test_after_a_run_files_are_found_as_before(tmp_path: Path) -> None:
    with files_found_by(Confinement(None).locate), pytest.raises(ComError):
        named_file("x")
    assert named_file(str(tmp_path)) == tmp_path
