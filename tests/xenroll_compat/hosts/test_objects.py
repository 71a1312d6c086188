"""The host's own objects as a script uses them: files, dictionaries, the shell, streams, WScript."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects import CLASSES, register
from xenroll_compat.hosts.objects.wscript import WScript
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.hosts.source_text import source_text

ENGINE = "Microsoft VBScript runtime error"


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    settings = RunSettings(arguments=("one", "/Name:value:2", "/on+", "/off-", "/bare", "two"), folder=tmp_path)
    made = Environment(settings, io.StringIO())
    register(made)
    return made


@pytest.fixture
def files(environment: Environment) -> Any:
    return environment.create("Scripting.FileSystemObject")


def number(call: Any, *arguments: object) -> int:
    """The Err.Number of a call that must fail."""
    with pytest.raises(ComError) as caught:
        call(*arguments)
    failure = automation.failure_of(caught.value, ENGINE)
    assert failure is not None
    return failure.number


@pytest.mark.parametrize(("progid", "clsid"), CLASSES)
def test_an_object_is_made_by_progid_in_any_case_and_by_clsid(environment: Environment, progid: str, clsid: str) -> None:
    made = [environment.create(name) for name in (progid, progid.upper(), f"{progid}.1", clsid, f"{{{clsid}}}")]
    assert len({type(one) for one in made}) == 1
    assert isinstance(made[0], ComObject)


@pytest.mark.parametrize("progid", ["MSXML2.XMLHTTP", "Microsoft.XMLHTTP", "Excel.Application", "WScript.Nothing", ""])
def test_what_is_not_here_cannot_be_created(environment: Environment, progid: str) -> None:
    assert number(environment.create, progid) == 429


def test_a_text_file_is_written_and_read_again(files: Any, tmp_path: Path) -> None:
    written = files.CreateTextFile("a.txt")
    written.WriteLine("first é")
    written.Write("second")
    written.WriteBlankLines(2)
    assert (tmp_path / "a.txt").read_bytes() == b"first \xe9\r\nsecond\r\n\r\n"  # there before it is closed
    written.Close()
    read = files.OpenTextFile("C:\\A.TXT")
    assert (read.Line, read.Column, read.ReadLine(), read.Line) == (1, 1, "first é", 2)
    assert (read.Read(3), read.Column, read.AtEndOfLine) == ("sec", 4, False)
    assert (read.Read(3), read.AtEndOfLine, read.AtEndOfStream) == ("ond", True, False)
    read.SkipLine()
    assert (read.ReadAll(), read.AtEndOfStream) == ("\r\n", True)
    assert number(read.ReadLine) == number(read.ReadAll) == number(read.Read, 1) == 62
    assert number(read.Write, "x") == number(files.CreateTextFile("b.txt").ReadAll) == 54


def test_a_file_is_appended_to_and_may_be_unicode(files: Any, tmp_path: Path) -> None:
    files.CreateTextFile("u.txt", True, True).Write("ж")
    files.OpenTextFile("u.txt", 8, False, -1).Write("\n")
    assert (tmp_path / "u.txt").read_bytes() == "\ufeffж\n".encode("utf-16-le")
    assert files.OpenTextFile("u.txt", 1, False, -1).ReadAll() == "ж\n"
    assert number(files.CreateTextFile("ansi.txt").Write, "ж") == 5


def test_file_errors_have_the_numbers_of_the_language(files: Any, tmp_path: Path) -> None:
    (tmp_path / "here.txt").write_text("x")
    assert number(files.OpenTextFile, "none.txt") == number(files.DeleteFile, "none*") == number(files.GetFile, "no") == 53
    assert number(files.CreateTextFile, "none\\x.txt") == number(files.GetFolder, "none") == 76
    assert number(files.CreateTextFile, "here.txt", False) == number(files.CreateFolder, "HERE.TXT") == 58
    assert number(files.CreateTextFile, "..\\x.txt") == number(files.FileExists, "/etc/passwd") == 70
    assert number(files.OpenTextFile, "here.txt", 3) == number(files.GetSpecialFolder, 7) == 5
    assert number(files.OpenTextFile, "he?re.txt") == 52
    assert number(files.OpenTextFile) == 450
    assert number(files.GetSpecialFolder, 0) == 70


@pytest.mark.parametrize("name", ["\ud800", "a\0", "no such charset", ""])
def test_a_charset_that_is_none_is_told(environment: Environment, name: str) -> None:
    with pytest.raises(ComError) as caught:
        environment.create("ADODB.Stream").Charset = name
    assert caught.value.hresult & 0xFFFF == 3001


def test_files_are_copied_moved_and_deleted(files: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    files.CreateFolder("Sub")
    files.CopyFile("*.TXT", "sub\\")
    assert sorted(path.name for path in (tmp_path / "Sub").iterdir()) == ["a.txt", "b.txt"]
    assert number(files.CopyFile, "a.txt", "b.txt", False) == number(files.MoveFile, "a.txt", "b.txt") == 58
    files.MoveFile("a.txt", "c.txt")
    files.CopyFolder("sub", "twin")
    files.MoveFolder("twin", "sub\\twin")
    files.DeleteFile("sub\\*.txt")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.txt")) == [
        "Sub/twin/a.txt", "Sub/twin/b.txt", "b.txt", "c.txt",
    ]  # fmt: skip
    files.DeleteFolder("SUB")
    assert not (tmp_path / "Sub").exists()
    assert number(files.DeleteFolder, "C:\\") == 70


def test_a_file_and_its_folder_tell_of_themselves(files: Any, tmp_path: Path) -> None:
    (tmp_path / "Sub").mkdir()
    (tmp_path / "Sub" / "One.Req").write_text("12345")
    file = files.GetFile("sub\\one.req")
    assert (file.Name, file.Path, file.Size, file.Type) == ("One.Req", "C:\\Sub\\One.Req", 5, "REQ File")
    assert (file.ParentFolder.Name, file.ParentFolder.ParentFolder.IsRootFolder, file.Drive) == ("Sub", True, "C:")
    assert automation.value_of(file) == "C:\\Sub\\One.Req"
    root = files.GetFolder("\\")
    assert [one.Name for one in automation.items(root.SubFolders)] == ["Sub"]
    assert (root.Path, root.Files.Count, root.Size, root.ParentFolder) == ("C:\\", 0, 5, None)
    assert automation.item(root.SubFolders.Item("SUB").Files, ["one.req"]).OpenAsTextStream().ReadAll() == "12345"


@pytest.mark.parametrize(
    ("member", "arguments", "expected"),
    [
        ("BuildPath", ("C:\\a", "b.txt"), "C:\\a\\b.txt"),
        ("BuildPath", ("C:\\a\\", "b.txt"), "C:\\a\\b.txt"),
        ("BuildPath", ("", "b.txt"), "b.txt"),
        ("GetFileName", ("C:\\a\\b.c.txt",), "b.c.txt"),
        ("GetBaseName", ("C:\\a\\b.c.txt",), "b.c"),
        ("GetExtensionName", ("C:\\a.b\\c",), ""),
        ("GetExtensionName", ("C:\\a\\b.c.txt",), "txt"),
        ("GetParentFolderName", ("C:\\a\\b.txt",), "C:\\a"),
        ("GetParentFolderName", ("C:\\a",), "C:\\"),
        ("GetParentFolderName", ("C:\\",), ""),
        ("GetParentFolderName", ("b.txt",), ""),
        ("GetDriveName", ("C:\\a",), "C:"),
        ("GetAbsolutePathName", ("a\\..\\b",), "C:\\b"),
    ],
)
def test_names_are_taken_apart_as_on_windows(files: Any, member: str, arguments: tuple[str, ...], expected: str) -> None:
    assert getattr(files, member)(*arguments) == expected


def test_a_dictionary_keeps_items_by_their_keys(environment: Environment) -> None:
    made: Any = environment.create("Scripting.Dictionary")
    made.Add("a", 1)
    made.Add(1, "number")
    automation.put_item(made, ["A"], 2)
    assert (made.Count, made.Keys(), made.Items()) == (3, ["a", 1, "A"], [1, "number", 2])
    assert (automation.item(made, [1.0]), made.Exists("1"), list(automation.items(made))) == ("number", False, ["a", 1, "A"])
    automation.put(made, "Key", "b", ["a"])
    assert made.Keys() == ["b", 1, "A"]
    assert number(made.Add, "b", 0) == 457
    assert number(made.Remove, "none") == number(made.SetKey, "none", "x") == 32811
    assert (made.Item("new"), made.Exists("new")) == (Vacant.EMPTY, True)
    made.RemoveAll()
    made.CompareMode = 1
    made.Add("Straße", 1)
    assert made.Exists("STRASSE")
    assert number(setattr, made, "CompareMode", 0) == 5


def test_arguments_are_counted_and_named(environment: Environment) -> None:
    arguments: Any = WScript(environment, Path("/dir/a.vbs")).Arguments
    assert (arguments.Count, arguments.length) == (6, 6)
    assert (arguments.Item(0), automation.item(arguments, [1])) == ("one", "/Name:value:2")
    assert list(automation.items(arguments.Unnamed)) == ["one", "two"]
    named = arguments.Named
    assert (named.Item("NAME"), named.Item("on"), named.Item("off"), named.Count) == ("value:2", True, False, 4)
    assert (named.Item("bare"), named.Exists("bare"), named.Exists("none")) == (Vacant.EMPTY, True, False)
    assert number(arguments.Item, 6) == 9


def test_wscript_is_the_host(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("typed\nmore"))
    host = WScript(environment, Path("/dir/a.vbs"))
    assert (host.ScriptName, host.ScriptFullName, host.Version) == ("a.vbs", "C:\\a.vbs", "5.8")
    stdin: Any = host.StdIn
    assert (stdin.ReadLine(), stdin.AtEndOfStream, stdin.ReadAll(), stdin.AtEndOfStream) == ("typed", False, "more", True)
    host.Echo("a", 1, 2.5, True, Vacant.EMPTY)
    host.Echo()
    stdout: Any = host.StdOut
    stdout.WriteLine("out")
    assert environment.output.getvalue() == "a 1 2.5 -1 \n\nout\r\n"  # type: ignore[attr-defined]
    assert number(host.Echo, environment.create("Scripting.FileSystemObject")) == 438
    with pytest.raises(SystemExit, match="3"):
        host.Quit(3)


def test_get_object_knows_the_moniker_new_alone(environment: Environment) -> None:
    host: Any = WScript(environment, Path("a.vbs"))
    assert type(host.GetObject("new:EE09B103-97E0-11CF-978F-00A02463E06F")).__name__ == "Dictionary"
    assert number(host.GetObject, "winmgmts:") & 0xFFFFFFFF == 0x800401E3


def test_the_shell_has_harmless_variables_and_runs_nothing(environment: Environment) -> None:
    shell: Any = environment.create("WScript.Shell")
    assert shell.ExpandEnvironmentStrings("%temp%\\a %NOTSET% 100%") == "C:\\a %NOTSET% 100%"
    assert "PATH" not in [entry.partition("=")[0] for entry in automation.items(shell.Environment())]
    automation.put(shell.Environment("User"), "Item", "v", ["MINE"])
    assert shell.ExpandEnvironmentStrings("%mine%") == "v"
    assert automation.item(shell.SpecialFolders, ["Desktop"]) == "C:"
    for refused in (lambda: shell.Run("calc"), lambda: shell.Exec("calc"), lambda: shell.RegRead("HKLM\\x"),
                    lambda: shell.RegWrite("HKLM\\x", 1), lambda: shell.SendKeys("x")):  # fmt: skip
        assert number(refused) & 0xFFFFFFFF == HRESULT.E_ACCESSDENIED


def test_a_stream_holds_text_and_bytes(environment: Environment, tmp_path: Path) -> None:
    stream: Any = environment.create("ADODB.Stream")
    assert number(stream.WriteText, "x") == 3704
    stream.Charset = "utf-8"
    stream.Open()
    stream.WriteText("é1", 1)
    stream.WriteText("zwei")
    stream.SaveToFile("s.txt")
    assert (tmp_path / "s.txt").read_bytes() == b"\xef\xbb\xbf\xc3\xa91\r\nzwei"
    assert number(stream.SaveToFile, "s.txt") == 3004
    stream.SaveToFile("s.txt", 2)
    assert (stream.ReadText(-2), stream.ReadText(2), stream.EOS, stream.ReadText()) == ("é1", "zw", False, "ei")
    stream.Position = 0
    stream.Type = 1
    assert (stream.Read(3), stream.Size, stream.Read(), stream.Read()) == (
        b"\xef\xbb\xbf", 12, b"\xc3\xa91\r\nzwei", Vacant.NULL,
    )  # fmt: skip
    stream.LoadFromFile("S.TXT")
    assert stream.Size == 12
    assert number(stream.LoadFromFile, "none") == 3002
    assert number(stream.ReadText) == 3219


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfa\xc3\xa9", "aé"),
        ("\ufeffaé".encode("utf-16-le"), "aé"),
        (b"a\xc3\xa9", "aé"),
        (b"a\xe9\x81", "aé\x81"),
    ],
)
def test_a_script_s_text_is_read_by_its_mark_else_as_utf_8_else_as_ansi(data: bytes, text: str) -> None:
    assert source_text(data) == text
