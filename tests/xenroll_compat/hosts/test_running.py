"""xenroll run as a user has it: kinds of scripts, options, errors, traces."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.support.cli import Cli

PAGE = """<html><body><form name="f" action="http://x/y" method="post">
<input name="cn" value="a"><textarea name="answer"></textarea><input type="button" name="go" onclick="Go"></form>
<script language="vbscript">
Sub Go
  If MsgBox("Send " & document.f.cn.value & "?", vbYesNo) = vbYes Then document.f.submit
End Sub
</script></body></html>
"""


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


def test_an_error_is_told_with_its_place_as_cscript_tells_it(xenroll: Cli) -> None:
    (xenroll.folder / "a.vbs").write_text("x = 1\nCreateObject(\"No.Such\")\n")
    told = xenroll("run", "a.vbs", code=1).stderr
    assert told.startswith("a.vbs(2, ")
    assert "Microsoft VBScript runtime error: ActiveX component can't create object" in told
    assert told.endswith("(0x800A01AD)\n")


@pytest.mark.parametrize(("name", "why"), [("a.vbe", "encoded"), ("a.jse", "encoded"), ("a.php", "PHP"), ("a.txt", ".vbs")])
def test_what_is_not_run_is_told_with_why(xenroll: Cli, name: str, why: str) -> None:
    (xenroll.folder / name).write_text("x")
    assert why in xenroll("run", name, code=1).stderr


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_script_s_encoding_is_found(xenroll: Cli, encoding: str) -> None:
    (xenroll.folder / "a.vbs").write_text('WScript.Echo AscW("é")\n', encoding=encoding)
    assert xenroll("run", "a.vbs").stdout == "233\n"


def test_a_page_is_filled_in_and_its_form_is_shown(xenroll: Cli) -> None:
    (xenroll.folder / "p.htm").write_text(PAGE)
    (xenroll.folder / "answer.txt").write_text("from the CA")
    done = xenroll(
        "run", "--field", "cn=bob", "--field-file", "answer=answer.txt", "--event", "go.onclick", "--answer", "yes", "p.htm"
    )
    assert "Send bob? -> Yes" in done.stdout
    assert "[form f: POST http://x/y]\n  cn = bob\n  answer = from the CA" in done.stdout


def test_what_of_a_page_can_be_named_is_listed(xenroll: Cli) -> None:
    (xenroll.folder / "p.htm").write_text(PAGE)
    shown = xenroll("run", "--list", "p.htm").stdout
    assert all(word in shown for word in ("cn", "answer", "handler: go.onclick", "procedure: Go"))
    (xenroll.folder / "a.js").write_text("")
    assert "--list is for pages" in xenroll("run", "--list", "a.js", code=1).stderr


def test_a_trace_is_text_or_json_and_shows_no_input_of_a_file(xenroll: Cli) -> None:
    secret = xenroll.folder / "pin"
    secret.write_text("hunter22\n")
    secret.chmod(0o600)
    text = 'p = InputBox("PIN")\nSet n = CreateObject("X509Enrollment.CX500DistinguishedName")\nn.Encode "CN=" & p\n'
    (xenroll.folder / "a.vbs").write_text(text)
    told = xenroll("run", "--input-file", "pin", "--trace", "a.vbs")
    assert 'IX500DistinguishedName#1.Encode("CN=****")' in told.stderr
    assert "hunter22" not in told.stdout + told.stderr
    xenroll("run", "--input-file", "pin", "--trace=json", "--trace-file", "trace", "a.vbs")
    calls = [json.loads(line) for line in (xenroll.folder / "trace").read_text().splitlines()]
    assert ("IX500DistinguishedName#1", "Encode") in {(call["object"], call["member"]) for call in calls}
    assert stat.S_IMODE((xenroll.folder / "trace").stat().st_mode) == 0o600


def test_an_input_file_that_others_can_read_is_refused(xenroll: Cli) -> None:
    (xenroll.folder / "pin").write_text("1234")
    (xenroll.folder / "pin").chmod(0o644)
    (xenroll.folder / "a.vbs").write_text("")
    assert "pin" in xenroll("run", "--input-file", "pin", "a.vbs", code=1).stderr


def test_a_python_script_is_traced_too(xenroll: Cli) -> None:
    (xenroll.folder / "a.py").write_text("import win32com.client\nwin32com.client.Dispatch('CEnroll.CEnroll').MyStoreName\n")
    assert 'CEnroll#1.MyStoreName -> "MY"' in xenroll("run", "--trace", "a.py").stderr


def test_a_script_in_a_folder_writes_its_request_there(xenroll: Cli) -> None:
    (xenroll.folder / "work").mkdir()
    (xenroll.folder / "a.js").write_text(
        "var e = new ActiveXObject('CEnroll.CEnroll'); e.createFilePKCS10('CN=a', '', 'C:\\\\req.txt');"
    )
    xenroll("run", "--folder", "work", "a.js")
    assert (xenroll.folder / "work" / "req.txt").stat().st_size > 500


@pytest.mark.parametrize(
    ("name", "text", "options", "told", "hint"),
    [
        ("a.wsf", "", (), "no Windows Script File", "check the file"),
        ("a.wsf", "garbage", (), "no Windows Script File", "check the file"),
        ("a.wsf", "<job id='x'></job>", ("--job", "y"), "there is no job 'y'; the file's jobs: x", "--help"),
        ("a.vbs", "", ("--folder", "nothing"), "there is no such folder", "the folder's name"),
        ("a.vbs", "", ("--input-file", "open"), "the input file open is open to others", "read or write it"),
        ("a.vbs", "", ("--list",), "--list is for pages", "--help"),
    ],
)
def test_what_to_do_belongs_to_the_command(
    xenroll: Cli, name: str, text: str, options: tuple[str, ...], told: str, hint: str
) -> None:
    (xenroll.folder / name).write_text(text)
    (xenroll.folder / "open").write_text("1234")
    (xenroll.folder / "open").chmod(0o644)
    said = xenroll("run", *options, name, code=1).stderr
    assert told in said
    assert hint in said.splitlines()[-1]
    assert not any(word in said for word in ("--set", "doctor", "PIN file"))


def test_the_example_of_error_numbers_says_that_it_needs_a_ca(xenroll: Cli) -> None:
    script = Path(__file__).resolve().parents[3] / "examples" / "legacy" / "error_numbers.vbs"
    last = xenroll("run", script, code=1).stdout.splitlines()[-1]
    assert last == "The other errors need a CA that answers at once: 0x800706BA"


@pytest.mark.parametrize("name", ["MSXML2.XMLHTTP", "Microsoft.XMLHTTP", "MSXML2.XMLHTTP.6.0", "MSXML2.ServerXMLHTTP"])
def test_a_script_has_no_network_of_its_own(xenroll: Cli, name: str) -> None:
    (xenroll.folder / "a.vbs").write_text(f'On Error Resume Next\nCreateObject("{name}")\nWScript.Echo Err.Number\n')
    assert xenroll("run", "a.vbs").stdout == "429\n"
