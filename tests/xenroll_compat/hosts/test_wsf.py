"""Windows Script Files: jobs, objects, references, resources, and scripts of both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.hosts.page_runs import Folder
from xenroll_compat.hosts.pages.type_libraries import constants_of
from xenroll_compat.hosts.pages.wsf import jobs_of
from xenroll_compat.hosts.problems import ScriptFailure

TWO_JOBS = """<package>
<job id="one"><script language="VBScript">WScript.Echo "one"</script></job>
<job id="two"><script language="JScript">WScript.Echo("two");</script></job>
</package>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    return Folder(tmp_path / "scripts")


@pytest.mark.parametrize(("job", "shown"), [("", "one"), ("one", "one"), ("TWO", "two")])
def test_the_job_of_an_id_runs_or_the_first(folder: Folder, job: str, shown: str) -> None:
    assert folder.run("a.wsf", TWO_JOBS, job=job).shown == [shown]


def test_a_job_that_is_not_there_is_refused_with_those_that_are(folder: Folder) -> None:
    with pytest.raises(ComError, match="one, two") as caught:
        folder.run("a.wsf", TWO_JOBS, job="three")
    assert caught.value.hresult == signed(HRESULT.E_INVALIDARG)


def test_scripts_of_both_languages_and_of_files_share_their_names(folder: Folder) -> None:
    folder.write("lib.vbs", 'Function Pad(s)\nPad = "<" & s & ">"\nEnd Function\n')
    text = """<job><script language="VBScript" src="lib.vbs"/>
    <script language="JScript">function twice(n) { return n * 2; } var total = twice(4);</script>
    <script language="VBScript">WScript.Echo Pad(total) & twice(1)</script></job>"""
    assert folder.run("a.wsf", text).shown == ["<8>2"]


def test_objects_references_and_resources_are_there_before_the_scripts(folder: Folder) -> None:
    text = """<package><job id="a"><?job error="true"?>
    <object id="Enroll" progid="CEnroll.CEnroll.2"/>
    <object id="dict" classid="clsid:EE09B103-97E0-11CF-978F-00A02463E06F"></object>
    <reference object="X509Enrollment.CX509Enrollment"/><reference guid="{420B2830-E718-11CF-893D-00A0C9054228}"/>
    <resource id="hello"><![CDATA[Hello & <goodbye>]]></resource>
    <script language="VBScript"><![CDATA[
      Option Explicit
      Enroll.KeySpec = XCN_AT_SIGNATURE
      dict.Add "k", ForWriting
      WScript.Echo getResource("hello"), Enroll.KeySpec, dict("k"), 1 < 2
    ]]></script>
    <script language="JScript"><![CDATA[ WScript.Echo(getResource("hello"), XCN_CRYPT_STRING_BASE64 && 7); ]]></script>
    </job></package>"""
    assert folder.run("a.wsf", text).shown == ["Hello & <goodbye> 2 2 -1", "Hello & <goodbye> 7"]


def test_a_file_that_begins_as_xml_has_entities_in_its_scripts_and_another_has_not() -> None:
    script = "<job><script language='JScript'>a &lt; 1 &amp;&amp; b</script></job>"
    assert jobs_of("<?xml version='1.0' ?>" + script, "a.wsf")[0].scripts[0].code == "a < 1 && b"
    assert jobs_of(script, "a.wsf")[0].scripts[0].code == "a &lt; 1 &amp;&amp; b"


def test_arguments_are_those_of_the_command_line(folder: Folder) -> None:
    text = """<job><runtime><named name="dn" helpstring="the subject" type="string" required="true"/></runtime>
    <script language="VBScript">WScript.Echo WScript.Arguments.Named("DN"), WScript.Arguments.Unnamed(0)</script></job>"""
    assert folder.run("a.wsf", text, arguments=("/dn:CN=me", "out.req")).shown == ["CN=me out.req"]


def test_the_usage_is_made_of_what_runtime_tells() -> None:
    text = """<job><runtime><description>Makes a request.</description><named name="dn" helpstring="the subject"/>
    <unnamed name="file" helpstring="where it goes"/></runtime><script language="VBScript">x</script></job>"""
    assert jobs_of(text, "a.wsf")[0].usage_of("a.wsf").splitlines() == [
        "Makes a request.", "Usage: xenroll run a.wsf file /dn:value", "  file        : where it goes",
        "  /dn         : the subject",
    ]  # fmt: skip
    own = jobs_of("<job><runtime><usage>Like this.</usage></runtime></job>", "a.wsf")[0]
    assert own.usage_of("a.wsf") == "Like this.\n"


def test_showusage_writes_it(folder: Folder) -> None:
    text = """<job><runtime><named name="dn" helpstring="the subject"/></runtime>
    <script language="JScript">WScript.Arguments.ShowUsage();</script></job>"""
    assert folder.run("a.wsf", text).shown == ["Usage: xenroll run a.wsf /dn:value", "  /dn         : the subject"]


def test_wscript_quit_ends_the_job_with_its_code(folder: Folder) -> None:
    with pytest.raises(SystemExit) as caught:
        folder.run(
            "a.wsf",
            "<job><script language=VBScript>WScript.Quit 3</script><script language=VBScript>x = 1 / 0</script></job>",
        )
    assert caught.value.code == 3


def test_an_error_ends_the_job_and_has_its_line(folder: Folder) -> None:
    text = '<job>\n<script language="VBScript">\n\nx = 1 / 0\n</script><script>WScript.Echo 1</script></job>'
    with pytest.raises(ScriptFailure) as caught:
        folder.run("a.wsf", text)
    assert (caught.value.place.file, caught.value.place.line, caught.value.number) == ("a.wsf", 4, 11)


def test_an_object_that_cannot_be_made_is_429_at_its_place(folder: Folder) -> None:
    with pytest.raises(ScriptFailure) as caught:
        folder.run("a.wsf", '<job>\n<object id="x" progid="No.Such"/><script language="VBScript">y = 1</script></job>')
    assert (caught.value.number, caught.value.place.line) == (429, 2)


def test_a_script_file_outside_of_the_folder_is_refused(folder: Folder) -> None:
    with pytest.raises(ComError) as caught:
        folder.run("a.wsf", '<job><script language="VBScript" src="../x.vbs"/></job>')
    assert caught.value.hresult == signed(HRESULT.E_ACCESSDENIED)


def test_there_is_no_document_and_no_window_in_a_script_file(folder: Folder) -> None:
    text = '<job><script language="JScript">WScript.Echo(typeof document, typeof window);</script></job>'
    assert folder.run("a.wsf", text).shown == ["undefined undefined"]


@pytest.mark.parametrize(
    ("library", "name", "value"),
    [
        ("X509Enrollment.CX509Enrollment.1", "XCN_CRYPT_STRING_BASE64", 1),
        ("{728AB348-217D-11DA-B2A4-000E7BBB2B09}", "ContextUser", 1),
        ("728ab348-217d-11da-b2a4-000e7bbb2b09", "AllowUntrustedRoot", 4),
        ("Scripting.FileSystemObject", "ForAppending", 8),
        ("ADODB.Stream", "adTypeBinary", 1),
    ],
)
def test_a_type_library_gives_its_constants(library: str, name: str, value: int) -> None:
    assert (constants_of(library) or {})[name] == value


def test_a_type_library_that_is_not_known_here_gives_none_and_the_job_says_so(folder: Folder) -> None:
    assert constants_of("Excel.Application") is None
    text = '<job><reference object="Excel.Application"/><script language="VBScript">x = 1</script></job>'
    assert folder.run("a.wsf", text).shown == ["[job] no constants are known of the type library Excel.Application"]
