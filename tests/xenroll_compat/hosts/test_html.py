"""Markup of any age becomes elements and scripts; bytes of any age become letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.xenroll_compat.hosts.page_runs import Folder
from xenroll_compat.hosts.pages.html import Builder, PageReader, Reactions, Script, code_of, language_of
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.sources import decode_page


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def read(markup: str) -> tuple[Element, list[Script]]:
    """The body and the scripts of a markup text; its elements have no page."""
    nowhere: Any = None
    scripts: list[Script] = []
    root, body = Element(nowhere, "html", {}), Element(nowhere, "body", {})
    reactions = Reactions(lambda tag, has: Element(nowhere, tag, has), script=lambda _element, found: scripts.append(found))
    reader = PageReader(Builder(reactions, [root, body], "x.htm"))
    reader.feed(markup)
    reader.finish()
    return body, scripts


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("<SCRIPT LANGUAGE=VBScript>", "vbscript"),
        ('<script language="JScript">', "jscript"),
        ("<script type=text/vbscript>", "text/vbscript"),
        ("<script language='JavaScript1.2'>", "javascript"),
        ("<script type='text/javascript; charset=utf-8'>", "text/javascript"),
        ("<script language=VBS type=text/javascript>", "vbs"),
        ("<script>", ""),
    ],
)
def test_the_language_of_a_script_is_what_its_tag_says(tag: str, language: str) -> None:
    assert [script.language for script in read(f"{tag}x</script>")[1]] == [language]


def test_a_script_in_a_language_that_is_not_here_has_no_engine() -> None:
    _body, scripts = read("<script language=PerlScript>print</script><script type=text/template><p></script>")
    assert [script.engine for script in scripts] == [None, None]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\n<!--\nDim a\n-->\n", "\n\nDim a"),
        ("<!-- hide this\nf();\n//-->", "\nf();"),
        ("\n<![CDATA[\nf();\n]]>", "\n\nf();"),
        ("//<![CDATA[\nf();\n//]]>", "\nf();"),
        ("if (a --> 0) f();", "if (a --> 0) f();"),
        ("a = 1\n'-->\n", "a = 1"),
    ],
)
def test_marks_around_a_script_go_and_its_lines_stay_where_they_are(text: str, code: str) -> None:
    assert code_of(text).rstrip() == code.rstrip()


def test_a_script_knows_where_its_text_begins() -> None:
    _body, scripts = read("<p>\n<script\n language=x>a</script><script>b</script>")
    assert [(script.place.line, script.place.column) for script in scripts] == [(3, 13), (3, 31)]


def test_a_script_for_an_element_names_it_and_its_event() -> None:
    _body, (script,) = read('<SCRIPT FOR="b" EVENT="onclick(x)" LANGUAGE=VBScript>f x</SCRIPT>')
    assert (script.target, script.event, script.code) == ("b", "onclick(x)", "f x")


def test_markup_in_a_script_is_text_and_a_script_without_end_is_one() -> None:
    _body, scripts = read("<script>s = '<b></b>' + 1 < 2;</script><script>f()")
    assert [script.code for script in scripts] == ["s = '<b></b>' + 1 < 2;", "f()"]


@pytest.mark.parametrize(
    ("soup", "clean"),
    [
        ("<SELECT><OPTION ID=1>A<OPTION>B</SELECT>", '<select><option id="1">A</option><option>B</option></select>'),
        ("<P>a<P>b", "<p>a</p><p>b</p>"),
        ("<TABLE><TR><TD>a<TD>b<TR><TD>c</TABLE>d", "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>d"),
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("a</b></i>b", "ab"),
        ("<input type=text value=x disabled>", '<input type="text" value="x" disabled="">'),
        ("<p title='&lt;&amp;'>&copy;&nbsp;</p>", '<p title="&lt;&amp;">\xa9\xa0</p>'),
    ],
)
def test_unclosed_and_stray_tags_are_read_as_a_browser_reads_them(soup: str, clean: str) -> None:
    assert read(soup)[0].markup_of() == clean


def test_a_field_belongs_to_the_form_that_was_open_though_tables_cross_it() -> None:
    body, _scripts = read("<table><form name=f><tr><td><input name=a></td></tr></form></table><input name=b>")
    forms = {found.attribute_of("name"): found._form for found in body.descend_all() if found._tag == "input"}
    assert forms["a"] is not None
    assert forms["a"].attribute_of("name") == "f"
    assert forms["b"] is None


def test_tags_that_nobody_closed_do_not_nest_without_end() -> None:
    body, scripts = read("<font>x" * 5000 + "<input name=a><script>f()</script>")
    assert body.text_of().count("x") == 5000
    assert [script.code for script in scripts] == ["f()"]
    assert sum(1 for _ in body.descend_all()) == 5002


def test_body_and_html_give_their_attributes_to_the_ones_that_are_there() -> None:
    body, _scripts = read("<HTML><HEAD><TITLE>t</TITLE></HEAD><BODY ONLOAD='f()'>x</BODY></HTML>")
    assert body.attribute_of("onload") == "f()"
    assert body.text_of() == "tx"


@pytest.mark.parametrize(
    ("data", "letter"),
    [
        (b"\xfc", "\xfc"),
        ("\ufeff\xfc".encode(), "\xfc"),
        ("\ufeff\xfc".encode("utf-16-le"), "\xfc"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\xfc'.encode(), "\xfc"),
        ("<META CHARSET=iso-8859-2>\u0142".encode("iso-8859-2"), "\u0142"),
        ("<meta charset=utf-16>\xfc".encode(), "\xfc"),
        (b"<meta charset=nonsense>\x80", "\u20ac"),
        (b"<meta charset=utf-8>\xff", "\ufffd"),
    ],
)
def test_a_page_is_decoded_by_its_mark_its_charset_or_as_windows_1252(data: bytes, letter: str) -> None:
    assert decode_page(data)[-1] == letter


def test_the_language_of_attributes_may_be_empty() -> None:
    assert language_of({"language": ""}) == ""


def test_a_script_file_of_the_folder_runs_and_one_of_the_network_does_not(folder: Folder) -> None:
    folder.write("sub/lib.js", "function f() { alert('from the file'); }")
    page = "<script src='Sub/LIB.js'></script><script src=http://example.com/x.js></script><script>f()</script>"
    run = folder.run("a.htm", page)
    assert run.shown == ["[message box] from the file -> OK"]
    assert run.result.notes == (
        "the script http://example.com/x.js did not run: 'http://example.com/x.js' is not fetched: "
        "a page has the files of its folder only",
    )


@pytest.mark.parametrize(
    "name", ["../secret.js", "/../secret.js", "//server/share/x.js", "file:///etc/passwd", "nothing.js"]
)
def test_a_script_file_outside_of_the_folder_or_nowhere_does_not_run(folder: Folder, name: str) -> None:
    run = Folder(folder.path / "inner").run("a.htm", f"<script src='{name}'></script><script>alert(1)</script>", folder=None)
    assert run.shown == ["[message box] 1 -> OK"]
    assert len(run.result.notes) == 1


def test_the_first_script_or_a_meta_says_the_language_of_those_that_name_none(folder: Folder) -> None:
    vbscript = "<script language=VBScript>Dim a : a = 1</script><script>a = a & 2 : alert a</script>"
    assert folder.run("a.htm", vbscript).shown == ["[message box] 12 -> OK"]
    meta = "<meta http-equiv=Content-Script-Type content=text/vbscript><body onload='alert 1 & 2'>"
    assert folder.run("b.htm", meta).shown == ["[message box] 12 -> OK"]
    assert folder.run("c.htm", "<script>alert([1, 2].length)</script>").shown == ["[message box] 2 -> OK"]
