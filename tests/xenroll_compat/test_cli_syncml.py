"""xenroll syncml and xenroll mdm: a server's message carried out or looked at, and the tree shown."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import ROOT, Cli, command
from tests.support.shared import shared_path
from xenroll_compat.cli.main import main

TREE = "./User/Vendor/MSFT/ClientCertificateInstall"
DM = "{SYNCML:SYNCML1.2}"


def add(uri: str, kind: str, data: str = "", verb: str = "Add") -> str:
    value = f"<Data>{data}</Data>" if data else ""
    meta = f'<Meta><Format xmlns="syncml:metinf">{kind}</Format></Meta>'
    return f"<{verb}><CmdID>$CmdID$</CmdID><Item><Target><LocURI>{uri}</LocURI></Target>{meta}{value}</Item></{verb}>"


SETTINGS = add(f"{TREE}/SCEP/one/Install/SubjectName", "chr", "CN={{User}}") + add(
    f"{TREE}/SCEP/one/Install/Challenge", "chr", "{{Challenge}}"
)
READ = f"<Get><CmdID>$CmdID$</CmdID><Item><Target><LocURI>{TREE}/SCEP/one/Install/SubjectName</LocURI></Target></Item></Get>"
WRONG = add(f"{TREE}/SCEP/one/Install/KeyLength", "int", "7")


class Prompt:
    """``xenroll`` in this process."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def __call__(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        """Runs it; gives stdout and stderr."""
        assert main([str(one) for one in arguments]) == code, self._capture.readouterr().err
        told = self._capture.readouterr()
        return told.out, told.err

    def told(self) -> str:
        """What stands on stdout."""
        return self._capture.readouterr().out

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        return json.loads(self(*arguments, "--json", code=code)[0])

    def message(self, text: str) -> Path:
        file = self.folder / "message.xml"
        file.write_text(text)
        return file


@pytest.fixture
def xenroll(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Prompt:
    return Prompt(tmp_path, capsys)


@pytest.fixture
def challenge(tmp_path: Path) -> str:
    file = tmp_path / "challenge"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    return f"Challenge={file}"


def statuses(reply: str) -> list[tuple[str | None, str | None]]:
    return [(one.findtext(f"{DM}Cmd"), one.findtext(f"{DM}Data")) for one in ET.fromstring(reply).iter(f"{DM}Status")]


def test_a_message_is_carried_out_and_its_reply_printed(xenroll: Prompt, challenge: str) -> None:
    file = xenroll.message(SETTINGS + READ)
    out, err = xenroll("syncml", file, "--set", "User=alice & bob", "--set-file", challenge)
    assert statuses(out) == [("Add", "200"), ("Add", "200"), ("Get", "200")]
    (data,) = [one.text for one in ET.fromstring(out).iter(f"{DM}Results") for one in one.iter(f"{DM}Data")]
    assert data == "CN=alice & bob"
    assert err == ""
    out, err = xenroll("syncml", file, "--set", "User=alice", "--set-file", challenge, code=1)
    assert statuses(out) == [("Add", "418"), ("Add", "418"), ("Get", "200")]
    assert err.splitlines() == [
        f"418 Add: {TREE}/SCEP/one/Install/SubjectName is there already",
        f"418 Add: {TREE}/SCEP/one/Install/Challenge is there already",
    ]


def test_a_check_tells_what_would_be_refused_and_changes_nothing(xenroll: Prompt, challenge: str) -> None:
    values = ("--set", "User=alice", "--set-file", challenge)
    out, _ = xenroll("syncml", xenroll.message(SETTINGS + WRONG), "--check", *values, code=1)
    title, *lines = out.splitlines()
    assert title.split() == ["command", "locuri", "status", "reason"]
    assert [line.split()[:3] for line in lines] == [
        ["Add", f"{TREE}/SCEP/one/Install/SubjectName", "200"],
        ["Add", f"{TREE}/SCEP/one/Install/Challenge", "200"],
        ["Add", f"{TREE}/SCEP/one/Install/KeyLength", "400"],
    ]
    assert "takes one of 1024, 2048, 4096" in lines[2]
    xenroll("syncml", xenroll.message(SETTINGS), "--check", *values)
    assert not any("one" in one["node"] for one in xenroll.json("mdm", "tree"))


def test_a_check_of_an_atomic_tells_each_command(xenroll: Prompt) -> None:
    atomic = f"<Atomic><CmdID>9</CmdID>{add(f'{TREE}/SCEP/one', 'node')}{WRONG}</Atomic>"
    found = xenroll.json("syncml", xenroll.message(atomic), "--check", code=1)
    assert [(one["command"], one["status"], one["cmd_id"]) for one in found] == [
        ("Atomic", 507, "9"), ("Add", 216, "1"), ("Add", 400, "2"),
    ]


def test_json_has_the_statuses_and_the_results(xenroll: Prompt) -> None:
    found = xenroll.json("syncml", xenroll.message(add(f"{TREE}/SCEP/one", "node") + READ), code=1)
    assert [(one["command"], one["status"]) for one in found["statuses"]] == [("Add", 200), ("Get", 404)]
    found = xenroll.json("syncml", xenroll.message(READ.replace("/one/Install/SubjectName", "")))
    assert found["results"] == [{"cmd_id": "1", "locuri": f"{TREE}/SCEP", "format": "node", "data": "one"}]


def test_the_message_comes_from_stdin(xenroll: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    data = ('<?xml version="1.0" encoding="utf-16"?>' + add(f"{TREE}/SCEP/{{{{Id}}}}", "node")).encode("utf-16")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert statuses(xenroll("syncml", "-", "--set", "Id=Grüße")[0]) == [("Add", "200")]
    assert f"{TREE}/SCEP/Gr%C3%BC%C3%9Fe" in xenroll("mdm", "tree", "SCEP")[0]


def test_the_documented_scep_profile_is_checked_as_it_stands(xenroll: Prompt) -> None:
    file = shared_path("vectors", "syncml", "doc_scep_enroll.xml")
    assert "InsertUniqueIDHere" in xenroll("syncml", file, "--check", code=1)[1]
    main(["syncml", str(file), "--check", "--json", "--set", "InsertUniqueIDHere=one"])
    found = json.loads(xenroll.told())
    assert [(one["command"], one["cmd_id"]) for one in found[:3]] == [("Atomic", "1"), ("Add", "301"), ("Add", "302")]
    assert (found[-1]["command"], 400 in {one["status"] for one in found[1:-1]}) == ("Exec", False)


def test_commands_are_numbered_in_a_profile_and_not_in_a_server_s_message(xenroll: Prompt) -> None:
    node = add(f"{TREE}/SCEP/one", "node").replace("<CmdID>$CmdID$</CmdID>", "")
    profile = f"<SyncML><SyncBody><Atomic>{node}</Atomic></SyncBody></SyncML>"
    found = xenroll.json("syncml", xenroll.message(profile), "--check")
    assert [(one["command"], one["status"], one["cmd_id"]) for one in found] == [("Atomic", 200, "1"), ("Add", 200, "2")]
    message = profile.replace("<SyncBody>", "<SyncHdr><MsgID>1</MsgID></SyncHdr><SyncBody>")
    found = xenroll.json("syncml", xenroll.message(message), "--check", code=1)
    assert [(one["command"], one["status"], one["cmd_id"]) for one in found[:1]] == [("Atomic", 400, "")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<html/>", "no SyncML"),
        ("<Add>", "mismatched tag"),
        ("<!DOCTYPE a><Add/>", "DOCTYPE"),
        ("<Add>{{One}}$Two$</Add>", "One, Two"),
        ("", "empty"),
    ],
)
def test_what_is_no_message_is_told_as_an_error(xenroll: Prompt, text: str, told: str) -> None:
    out, err = xenroll("syncml", xenroll.message(text), code=1)
    assert err.startswith("error: 0x8007000D " if told != "One, Two" else "error: 0x80070057 ")
    assert told in err
    assert ("check the file" if told != "One, Two" else "--set-file") in err.splitlines()[-1]
    assert out == ""


def test_an_endless_input_is_refused_after_the_limit(tmp_path: Path) -> None:
    done = subprocess.run(
        [*command("syncml", "/dev/zero")], cwd=ROOT, env=Cli(tmp_path / "home", tmp_path).environment, capture_output=True,
        text=True, check=False, timeout=30,
    )
    assert done.returncode == 1
    assert "larger than" in done.stderr


@pytest.mark.parametrize("line", [["syncml"], ["syncml", "x", "--set", "NAME"], ["syncml", "x", "--set", "=v"], ["mdm"]])
def test_wrong_usage_ends_with_2(line: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(line)
    assert capsys.readouterr().err.startswith("usage: xenroll")


def test_a_server_s_message_has_no_placeholders_and_its_password_is_taken_as_it_stands(xenroll: Prompt) -> None:
    leaf = f"{TREE}/SCEP/one/Install/ContainerName"
    commands = add(leaf, "chr", "P@$w0rd-$!").replace("$CmdID$", "1") + READ.replace("SubjectName", "ContainerName")
    header = "<!-- a message --><s:SyncHdr xmlns:s='SYNCML:SYNCML1.2'><s:MsgID>1</s:MsgID></s:SyncHdr>"
    for number, data in enumerate(("P@$w0rd-$!", "$CmdID$", "{{Word}} ${Word} $FLEET_VAR_A")):
        verb = "Replace" if number else "Add"
        inner = commands.replace("P@$w0rd-$!", data).replace("Add>", f"{verb}>").replace("$CmdID$</CmdID>", "g</CmdID>")
        found = xenroll.json("syncml", xenroll.message(f"<SyncML>{header}<SyncBody>{inner}</SyncBody></SyncML>"))
        assert [one["data"] for one in found["results"]] == [data]


def test_in_a_server_s_message_only_what_is_given_is_filled(xenroll: Prompt) -> None:
    inner = add(f"{TREE}/SCEP/one/Install/ContainerName", "chr", "{{A}}{{B}}") + READ.replace("SubjectName", "ContainerName")
    message = f"<SyncML><SyncHdr/><SyncBody>{inner.replace('$CmdID$', '1')}</SyncBody></SyncML>"
    assert xenroll.json("syncml", xenroll.message(message), "--set", "A=x")["results"][0]["data"] == "x{{B}}"


@pytest.mark.parametrize("node", ["SCEP/a/Install/Challenge", "PFXCertInstall/a/PFXCertPassword", "SCEP/a/Install/KeyUsage"])
@pytest.mark.parametrize("data", ["P@$w0rd-$!", "<![CDATA[P@$w0rd-$!]]>", "{{w0rd-}}", "$CmdID$ $w0rd-$"])
def test_no_text_of_a_profile_s_data_is_told(xenroll: Prompt, node: str, data: str) -> None:
    out, err = xenroll("syncml", xenroll.message(f"\n\n{add(f'{TREE}/{node}', 'chr', data)}"), "--set", "Other=x", code=1)
    assert err.startswith("error: 0x80070057 ")
    assert "in Data, whose text is not shown (line 3" in err
    assert "w0rd" not in out + err


SHAPES = {
    "as it is": SETTINGS,
    "data before the target": SETTINGS.replace("<Item><Target>", "<Item><Data>{{Challenge}}</Data><Target>").replace(
        "<Data>CN={{User}}</Data>", "").replace("<Data>{{Challenge}}</Data></Item>", "</Item>"),
    "within CDATA": SETTINGS.replace("{{Challenge}}", "<![CDATA[a{{Challenge}}b]]>"),
    "another spelling": SETTINGS.replace("Install/Challenge", "install/CHALLENG%45"),
    "an Atomic": f"<Atomic>{SETTINGS}</Atomic>",
    "a server's": f"<SyncML><SyncHdr/><SyncBody>{SETTINGS.replace('$CmdID$', '1')}</SyncBody></SyncML>",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_secret_in_an_argument_is_refused_before_anything_is_done(
    xenroll: Prompt, shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["syncml", str(xenroll.message(SHAPES[shape])), "--set", "User=alice", "--set", "Challenge=hunter2"])
    told = capsys.readouterr().err
    assert "--set-file: Challenge" in told
    assert "hunter2" not in told
    assert not any("one" in one["node"] for one in xenroll.json("mdm", "tree"))


@pytest.mark.parametrize("option", ["--set", "--set-file"])
def test_an_argument_without_a_name_is_not_told(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["syncml", "x", option, "hunter2"])
    told = capsys.readouterr().err
    assert "NAME=" in told
    assert "hunter2" not in told


def test_a_file_that_others_can_read_gives_no_secret(xenroll: Prompt, challenge: str) -> None:
    file = Path(challenge.partition("=")[2])
    file.chmod(0o644)
    assert "chmod 600" in xenroll("syncml", xenroll.message(SETTINGS), "--set-file", challenge, code=1)[1]
    file.chmod(0o600)
    file.write_bytes(b"s3cret\xff")
    told = xenroll("syncml", xenroll.message(SETTINGS), "--set-file", challenge, code=1)[1]
    assert "not UTF-8" in told
    assert "s3cret" not in told


def test_the_tree_shows_both_profiles_and_no_secret(xenroll: Prompt, challenge: str) -> None:
    settings = SETTINGS + add("./Vendor/MSFT/ClientCertificateInstall/SCEP/two/Install/RetryCount", "int", "2")
    xenroll("syncml", xenroll.message(settings), "--set", "User=alice", "--set-file", challenge)
    nodes = {one["node"]: (one["format"], one["value"]) for one in xenroll.json("mdm", "tree")}
    assert nodes[f"{TREE}/SCEP/one/Install"] == ("node", "")
    assert nodes[f"{TREE}/SCEP/one/Install/SubjectName"] == ("chr", "CN=alice")
    assert nodes[f"{TREE}/SCEP/one/Install/Challenge"] == ("chr", "********")
    assert nodes["./Device/Vendor/MSFT/ClientCertificateInstall/SCEP/two/Install/RetryCount"] == ("int", "2")
    assert f"{TREE}/SCEP/one/Status" in nodes
    assert "s3cret" not in "".join(xenroll("mdm", "tree"))


def test_a_part_of_the_tree_is_shown_by_its_path_or_its_locuri(xenroll: Prompt) -> None:
    for root in (TREE, TREE.replace("User", "Device")):
        xenroll("syncml", xenroll.message(add(f"{root}/SCEP/one/Install/RetryCount", "int", "2")))
    by_path = [one["node"] for one in xenroll.json("mdm", "tree", "scep/ONE/install/RetryCount")]
    assert [one.split("/")[1] for one in by_path] == ["User", "Device"]
    by_uri = [one["node"] for one in xenroll.json("mdm", "tree", f"{TREE}/SCEP/one/Install")]
    assert by_uri == [f"{TREE}/SCEP/one/Install", f"{TREE}/SCEP/one/Install/RetryCount"]


def test_a_machine_s_profile_that_is_not_there_is_left_out_and_not_made(xenroll: Prompt, profile: Path) -> None:
    out, err = xenroll("mdm", "tree", "--json")
    assert {one["node"].split("/")[1] for one in json.loads(out)} == {"User"}
    assert err == "the machine's profile is not there; ./Device is left out\n"
    assert not (profile / "machine").exists()


@pytest.mark.parametrize("path", [[], ["SCEP/one"]])
def test_a_machine_s_profile_that_cannot_be_opened_is_left_out(xenroll: Prompt, profile: Path, path: list[str]) -> None:
    xenroll("syncml", xenroll.message(add(f"{TREE}/SCEP/one", "node")))
    (profile / "machine").mkdir(mode=0o777)
    (profile / "machine").chmod(0o777)
    out, err = xenroll("mdm", "tree", *path)
    assert f"{TREE}/SCEP/one" in out
    assert "./Device" not in out
    assert err.startswith("the machine's profile is left out: ")
    assert "can be written by everybody" in err
    told = xenroll("mdm", "tree", TREE.replace("User", "Device"), code=1)[1]  # which names it
    assert told.startswith("error: 0x80070005 ")


@pytest.mark.parametrize("path", ["SCEP/nobody", "SCEP/a/Nothing", "./Vendor/MSFT/WiFi", f"{TREE}/SCEP/x", "*", "a//b"])
def test_a_node_that_is_not_there_is_an_error(xenroll: Prompt, path: str) -> None:
    assert "error: 0x80070490 " in xenroll("mdm", "tree", path, code=1)[1]


def test_a_long_value_is_cut_in_the_table_alone(xenroll: Prompt) -> None:
    xenroll("syncml", xenroll.message(add(f"{TREE}/SCEP/one/Install/EKUMapping", "chr", "1" * 500)))
    assert "1" * 81 not in xenroll("mdm", "tree")[0]
    assert any(one["value"] == "1" * 500 for one in xenroll.json("mdm", "tree"))


def test_the_reply_is_bytes_of_utf_8_whatever_the_locale_is(tmp_path: Path) -> None:
    xenroll = Cli(tmp_path / "home", tmp_path, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    (tmp_path / "message.xml").write_text(2 * add(f"{TREE}/SCEP/Ü", "node"), encoding="utf-8")
    assert statuses(xenroll("syncml", "message.xml", code=1).stdout) == [("Add", "200"), ("Add", "418")]
