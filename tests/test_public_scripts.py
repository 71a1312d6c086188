"""The runner for scripts that stand elsewhere, on a folder of our own with one of each kind that it knows."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.public_scripts.finding import NotRun, Script, find
from tests.public_scripts.given import NAME, Given, read_given
from tests.public_scripts.judging import RIGHT, judge
from tests.public_scripts.server_pages import Server, from_jsp, from_perl, from_php, from_smarty
from tests.public_scripts.trial import Outcome
from tests.support.cli import ROOT

PAGE = """<html><object classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1" id="control"></object>
<script language="VBScript" src="shared/subject.vbs"></script>
<form name="f" action="send"><input name="commonname"><input type="hidden" name="csr">
<input type="button" name="go" value="Request"></form>
<script language="VBScript">Sub go_OnClick
document.f.csr.value = control.createPKCS10(SubjectOf(document.f.commonname.value), "")
document.f.submit
End Sub</script></html>"""
FILES = {
    "ours/request.vbs": 'WScript.Echo CreateObject("CEnroll.CEnroll").createPKCS10(WScript.Arguments(0), "")',
    "ours/page.htm": PAGE,
    "ours/shared/subject.vbs": 'Function SubjectOf(x)\nSubjectOf = "CN=" & x\ndocument.title = x\nEnd Function',
    "ours/install.php": '<? if ($ok) { ?><object classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1" id=cec></object>'
    "<script language=vbs>Sub window_onload\ncec.acceptPKCS7 <? put($c); ?>\n"
    'MsgBox "<?=_("Done")?>"\nEnd Sub</script><? } ?>',
    "ours/dollar.tpl": "<script>$('#x').hide();</script>",
    "ours/broken.js": "var a = 1;\na.b.c = 2;",
    "ours/refused.vbs": 'On Error Resume Next\nCreateObject("CEnroll.CEnroll").createPKCS10 "no name", ""',
    "ours/notes.md": "# Notes\n\n```VB\nx = 1\n```\n\n"
    '```VB\nSet c = CreateObject("CEnroll.CEnroll")\nc.Reset\n```\n\n```C++\nint x;\n```\n',
    "ours/words.md": "# Words\n",
    "ours/Sample.cs": "class Sample {}",
    NAME: '["ours/request.vbs"]\narguments = ["CN=Test"]\n["ours/install.php"]\nblocks = { 2 = "{answer:vb}" }\n',
}  # fmt: skip


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the runner's command says of the folder, by name."""
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.public_scripts", str(folder), "--json"], cwd=ROOT, capture_output=True,
        text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    return {one["name"]: one for one in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("name", "runs", "requests", "answers"),
    [
        ("ours/request.vbs", 1, 1, 0),
        ("ours/page.htm", 2, 1, 0),
        ("ours/install.php", 1, 0, 1),
        ("ours/notes.md#2", 1, 0, 0),
    ],
)
def test_a_script_that_does_its_work_comes_to_a_right_end(
    verdicts: dict[str, dict[str, Any]], name: str, runs: int, requests: int, answers: int
) -> None:
    found = verdicts[name]
    assert (found["end"], found["reason"]) == (RIGHT, "")
    assert (found["runs"], found["requests"], found["answers"]) == (runs, requests, answers)


@pytest.mark.parametrize(
    ("name", "end", "reason"),
    [
        ("ours/shared/subject.vbs", "not run", "fragment: a part of a page"),
        ("ours/notes.md#1", "not run", "fragment"),
        ("ours/notes.md#3", "not run", "no script: C++"),
        ("ours/Sample.cs", "not run", "no script: C#"),
        ("ours/words.md", "not run", "no sample"),
        ("ours/dollar.tpl", "no right end", "needs jQuery"),
        ("ours/broken.js", "no right end", "broken.js(2, 1)"),
        ("ours/refused.vbs", "no right end", "CEnroll.createPKCS10: CRYPT_E_INVALID_X500_STRING"),
    ],
)
def test_every_other_one_is_told_with_its_reason(
    verdicts: dict[str, dict[str, Any]], name: str, end: str, reason: str
) -> None:
    assert verdicts[name]["end"] == end
    assert verdicts[name]["reason"].startswith(reason)


def test_a_request_that_openssl_does_not_verify_is_no_right_end() -> None:
    script = Script("a.vbs", "a.vbs")
    for request in (base64.b64encode(b"\x30\x00").decode(), "not base64", ""):
        call = {"call": "CEnroll.createPKCS10", "what": "request", "error": "", "request": request}
        found = judge(script, [Outcome((), 0, "", "", (call,))])
        assert found.reason == "CEnroll.createPKCS10 gave what OpenSSL does not verify"


def test_a_page_of_php_loses_its_blocks_but_for_texts_values_and_included_pages() -> None:
    server = Server({"dn": "CN=x"}, {"4": "given"}, lambda name: "<b><?=$dn?></b>" if name == "/inc/b.php" else None)
    text = "<? a(); ?>1<?=_('two ' . 'words')?><?php echo $dn ?><? no(); ?><? include($d.'/inc/b.php'); ?>"
    text += "<?=$other?><?xml?>"
    assert from_php(text, server) == "1two wordsCN=xgiven\n<b>CN=x</b>other<?xml?>"


def test_a_template_of_smarty_keeps_what_is_literal_and_takes_conditions_for_false() -> None:
    text = "{* note *}{literal}if (a) { b(); }{/literal}{if $x}yes{if $y}!{/if}{else}no{/if} {$dn|escape} {$n}"
    assert from_smarty(text, Server({"dn": "CN=x"})) == "if (a) { b(); }no CN=x n"


def test_a_page_of_jsp_loses_its_tags_and_one_of_perl_is_its_texts() -> None:
    text = "<%@ page %><%-- n --%><% int x; %><%=a.getName()%>|"
    text += '<c:if test="${a > 1}">b</c:if><c:out value="${d.e}" />${f}'
    assert from_jsp(text, Server({"e": "E"})) == "getName|bEf"
    assert from_perl("my $x = qq^<b>\\\\n</b>^; f(qq^<i>\\$</i>^);", Server()) == "<b>\\n</b>\n<i>$</i>"
    assert from_perl('$x = << "END";\n<b>\\\\n</b>\nEND\n$y = 1;', Server()) == "<b>\\n</b>\n"


def test_a_script_of_a_page_runs_in_the_page_that_is_given_for_it(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.js").write_text("document.title = 'x';")
    given = {"p/a.js": Given(page="<script src='{file}'></script>")}
    found = list(find(tmp_path, given))
    assert [one.texts for one in found if isinstance(one, Script)] == [
        {"a.js": "document.title = 'x';", "page.htm": '<script src="a.js"></script>'}
    ]
    assert [one.name for one in find(tmp_path, {}) if isinstance(one, NotRun)] == ["p/a.js"]


def test_an_unknown_key_in_the_folder_s_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('["a.vbs"]\nargument = ["x"]\n')
    with pytest.raises(ValueError, match="argument"):
        read_given(tmp_path)
