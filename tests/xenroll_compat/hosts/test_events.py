"""Handlers of a page, in whichever way they are given; what a user fills in and presses; timers."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.com import Call, observe
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.hosts.page_runs import Folder
from xenroll_compat.hosts.pages import PageFailure
from xenroll_compat.hosts.pages.timers import MOST
from xenroll_compat.hosts.running import run_script_in

FORM = """<form name=f id=theForm action=x.asp onsubmit="return document.f.cn.value != ''">
<input type=text name=cn id=cnId onchange="alert('changed ' + this.value)"><input type=checkbox name=store>
<input type=radio name=use value=a onclick="alert(value_of(this))"><input type=radio name=use value=b>
<select name=csp onchange="alert(this.options[this.selectedIndex].text)"><option value=1>Base<option>Enhanced</select>
<textarea name=csr></textarea><input type=submit value="Send it"></form>
<script>function value_of(e) { return e.value; }</script>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    return Folder(tmp_path / "pages")


def alerts(folder: Folder, text: str, *events: str, **fields: str) -> list[str]:
    """What a page's message boxes said."""
    lines = folder.run("page.htm", text, events=events, fields=fields).shown
    return [line.removeprefix("[message box] ").removesuffix(" -> OK") for line in lines]


@pytest.mark.parametrize(
    "page",
    [
        "<body onload='f()'><script>function f() { alert('loaded') }</script>",
        "<body onload='f' language=vbscript><script language=VBScript>Sub f\nalert \"loaded\"\nEnd Sub</script>",
        "<script>window.onload = function () { alert('loaded') }</script>",
        "<script>onload = f; function f() { alert('loaded') }</script>",
        "<script>function onload() { alert('loaded') }</script>",
        "<script>window.attachEvent('onload', function () { alert('loaded') })</script>",
        '<script language=VBScript>Sub Window_OnLoad\nalert "loaded"\nEnd Sub</script>',
        '<script language=VBScript for=window event=onload>alert "loaded"</script>',
        "<script for=window event='onload()'>alert('loaded')</script>",
        "<body onload='javascript:alert(\"loaded\")'>",
        '<script language=VBScript>Sub go\nalert "loaded"\nEnd Sub\nSet window.onload = GetRef("go")</script>',
    ],
)
def test_a_page_that_was_read_tells_it_once(folder: Folder, page: str) -> None:
    assert alerts(folder, page + "<script>'the last one'</script>") == ["loaded"]


@pytest.mark.parametrize(
    "page",
    [
        "<input type=button id=b onclick='f()'><script>function f() { alert('hit') }</script>",
        '<form><input type=button name=b></form><script language=VBS>Sub b_OnClick\nalert "hit"\nEnd Sub</script>',
        "<button id=b onclick='b_OnClick' language=vbs></button>"
        "<script language=VBS>Sub b_OnClick()\nalert \"hit\"\nEnd Sub</script>",
        "<input type=button id=b><script>b.onclick = function () { alert('hit') }</script>",
        "<input type=button id=b><script for=b event=onclick>alert('hit')</script>",
        "<input type=button id=b>"
        "<script>b.attachEvent('onclick', function (e) { alert(e.srcElement.id == 'b' ? 'hit' : 0) })</script>",
        "<input type=button id=x onclick=\"alert('hit')\"><a name=b2></a><a id=b href='javascript:x.click()'>y</a>",
        "<input type=button id=b><script>function b::onclick() { alert('hit') }</script>",
        '<input type=button id=b><script language=VBS>Sub go : alert "hit" : End Sub\nSet b.onclick = GetRef("go")</script>',
    ],
)
def test_a_click_runs_each_kind_of_handler_once(folder: Folder, page: str) -> None:
    assert alerts(folder, page, "b.onclick") == ["hit"]


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<input type=button id=b value=5 onclick='alert(this.value + event.type + event.srcElement.id)'>", "5clickb"),
        ("<input type=button id=b value=5><script>b.onclick = function () { alert(this.value) }</script>", "5"),
        ("<input type=button id=b value=5 language=vbs onclick='alert Me.value'>", "5"),
        ("<form name=f title=t><input type=button id=b onclick='alert(form.title)'></form>", "t"),
        (
            "<input type=button id=b value=5><script language=VBS>Sub b_onclick\n"
            "alert window.event.srcElement.value & window.event.srcElement.id\nEnd Sub</script>",
            "5b",
        ),
    ],
)
def test_a_handler_knows_its_element_and_its_event(folder: Folder, page: str, shown: str) -> None:
    assert alerts(folder, page, "b.onclick") == [shown]


def test_a_click_goes_up_to_the_document_until_a_handler_stops_it(folder: Folder) -> None:
    page = """<script>"the language"</script><body onclick="alert('body')"><div onclick="alert('div')">
    <input type=button id=a>
    <input type=button id=b onclick="event.cancelBubble = true"></div>
    <script language=VBScript>Sub document_onclick\nalert "document"\nEnd Sub</script>"""
    assert alerts(folder, page, "a.onclick", "b.onclick") == ["div", "body", "document"]
    assert alerts(folder, page, "document.onclick", "body.onclick") == ["document", "body", "document"]


@pytest.mark.parametrize(
    ("handler", "submissions"),
    [
        ("<form id=f onsubmit='return false'><input type=submit id=s></form>", 0),
        ("<form id=f onsubmit='event.returnValue = false'><input type=submit id=s></form>", 0),
        ("<form id=f onsubmit='return true'><input type=submit id=s></form>", 1),
        ("<form id=f><input type=submit id=s onclick='return false'></form>", 0),
        (
            "<form id=f><input type=submit id=s></form>"
            "<script language=VBS>Function f_onsubmit\nf_onsubmit = False\nEnd Function</script>",
            0,
        ),
        ("<form id=f><input type=image id=s></form>", 1),
        ("<form id=f><button id=s></button></form>", 0),
        ("<form id=f><input type=button id=s onclick='this.form.submit()'></form>", 1),
    ],
)
def test_a_handler_that_says_no_keeps_a_form_from_being_sent(folder: Folder, handler: str, submissions: int) -> None:
    assert len(folder.run("a.htm", handler, events=("s.onclick",)).result.submissions) == submissions


def test_fields_are_filled_in_as_a_user_does_and_tell_it(folder: Folder) -> None:
    fields = {"cnId": "joe", "store": "on", "use": "a", "csp": "enhanced", "csr": "x\ny"}
    run = folder.run("a.htm", FORM, fields=fields, events=("theForm.onsubmit",))
    assert [line[14:-6] for line in run.shown] == ["changed joe", "a", "Enhanced"]
    (sent,) = run.result.submissions
    assert dict(sent.fields) == {"cn": "joe", "store": "on", "use": "a", "csp": "Enhanced", "csr": "x\ny"}


def test_a_list_that_another_one_fills_is_there_for_the_next_field(folder: Folder) -> None:
    page = """<select name=level onchange="fill()"><option>low<option value=c>custom</select><select name=csp></select>
    <script>function fill() { document.all.csp.options[0] = new Option(document.all.level.value, 'v') }</script>
    <form><input type=button id=b onclick="alert(document.all.csp.value)"></form>"""
    assert alerts(folder, page, "b.onclick", level="custom", csp="c") == ["v"]


@pytest.mark.parametrize(
    ("fields", "events", "told"),
    [
        ({"nothing": "1"}, (), "cn, store, use, csp, csr"),
        ({"csp": "Strong"}, (), "'Base', 'Enhanced'"),
        ({"use": "c"}, (), "'a', 'b'"),
        ({"store": "perhaps"}, (), "on or off"),
        ({}, ("nothing.onclick",), "Send it"),
        ({}, ("nothing()",), "procedure"),
    ],
)
def test_what_a_page_does_not_have_is_refused_with_what_it_has(
    folder: Folder, fields: dict[str, str], events: tuple[str, ...], told: str
) -> None:
    with pytest.raises(ComError, match=told) as caught:
        folder.run("a.htm", FORM, fields=fields, events=events)
    assert caught.value.hresult == signed(HRESULT.E_INVALIDARG)


def test_a_procedure_is_called_with_and_without_arguments_in_both_languages(folder: Folder) -> None:
    page = """<script>function js(a, b) { alert('js' + a + b) }</script>
    <script language=VBScript>Sub vb(a)\nalert "vb" & a\nEnd Sub\nSub bare\nalert "bare"\nEnd Sub</script>"""
    assert alerts(folder, page, "js(1, 'x')", 'vb("y")', "bare()", "BARE") == ["js1x", "vby", "bare", "bare"]


def test_a_button_without_a_name_is_pressed_by_its_caption(folder: Folder) -> None:
    run = folder.run("a.htm", FORM, fields={"cn": "x"}, events=("Send it.onclick",))
    assert len(run.result.submissions) == 1


def test_timers_run_after_the_page_in_the_order_of_their_times(folder: Folder) -> None:
    page = """<script>setTimeout("alert('second')", 1000); setTimeout(function () { alert('first') }, 10);
    var t = setTimeout("alert('never')", 20); clearTimeout(t); var n = 0;
    var i = setInterval("if (++n == 2) clearInterval(i); alert('tick' + n)", 400);
    alert('now');</script><script language=VBScript>window.setTimeout "alert ""vb"" & 1", 2000, "VBScript"</script>"""
    assert alerts(folder, page) == ["now", "first", "tick1", "tick2", "second", "vb1"]


@pytest.mark.parametrize(
    "page",
    [
        """<script language=VBScript>x = 1</script><script language=JScript>
        function go() { setTimeout("if (1 == 1) { alert('ran'); }", 1); } go();</script>""",
        """<script language=VBScript>x = 1</script><body onload="setTimeout('var a = [1]; alert(\\'ran\\')', 1)"
        language=JScript></body>""",
        """<script language=JScript>var x = 1;</script><script language=VBScript>
        ran = "ran" : setTimeout "If 1 = 1 Then alert ran", 1</script>""",
        """<script language=JScript>var x = 1;</script><script language=VBScript>
        Sub window_onload : window.setTimeout "Call Go", 1 : End Sub
        Sub Go : setTimeout "alert ""ran"" & vbNullString", 1 : End Sub</script>""",
        """<script language=VBScript>x = 1</script><script language=JScript>
        window.onload = function () { setTimeout(function () {
        setTimeout("var a = {}; alert('ran');", 1); }, 1); };</script>""",
    ],
)
def test_a_timer_s_text_is_in_the_language_of_the_script_that_set_it(folder: Folder, page: str) -> None:
    assert folder.run("a.htm", page).shown == ["[message box] ran -> OK"]


def test_an_error_in_a_timer_s_text_has_the_line_of_that_text(folder: Folder) -> None:
    with pytest.raises(PageFailure) as caught:
        folder.run("a.htm", "\n\n\n<script language=VBScript>\nsetTimeout \"x = 1\" & vbLf & \"x = 1 / 0\", 1</script>")
    assert (caught.value.place.file, caught.value.place.line) == ("a.htm: a timer's text", 2)


def test_timers_without_end_are_left_out_after_a_while(folder: Folder) -> None:
    run = folder.run("a.htm", "<script>var n = 0; function f() { n++; setTimeout(f, 1000) } f();</script>")
    assert run.result.notes == (f"timers ran {MOST} times; what they would do after that is left out",)


def test_timers_end_when_a_form_is_sent(folder: Folder) -> None:
    page = "<form id=f></form><script>setInterval('f.submit()', 10)</script>"
    assert len(folder.run("a.htm", page).result.submissions) == 1


def test_what_a_handler_calls_is_a_call_of_the_script_whatever_had_the_event_happen(folder: Folder) -> None:
    page = """<object id=E classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1"></object>
    <input type=button id=b onclick="E.KeySpec = 2"><script>b.click()</script>"""
    calls: list[Call] = []
    with observe(calls.append):
        folder.run("a.htm", page)
    assert [call.depth for call in calls if call.member == "KeySpec" and type(call.target).__name__ == "CEnroll"] == [0]


def test_a_handler_has_the_files_of_the_run_and_no_others(folder: Folder) -> None:
    page = """<object id=E classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1"></object>
    <input type=button id=b onclick="try { E.createFilePKCS10('CN=a', '', name); } catch (e) { alert(e.number) }">
    <script>name = "C:\\\\in.req"; b.click(); name = "..\\\\out.req"; setTimeout("b.click()", 1)</script>"""
    environment, shown = folder.environment({})
    run_script_in(environment, folder.write("a.htm", page))
    assert shown.getvalue() == f"[message box] {signed(HRESULT.E_ACCESSDENIED)} -> OK\n"
    assert (folder.path / "in.req").exists()
    assert not (folder.path.parent / "out.req").exists()


def test_an_error_in_a_handler_has_its_line_and_the_next_event_happens(folder: Folder) -> None:
    page = "<input type=button id=a onclick='nothing()'>\n<input type=button id=b onclick='alert(1)'>\n<script>\n</script>"
    with pytest.raises(PageFailure) as caught:
        folder.run("a.htm", page, events=("a.onclick", "b.onclick", "a.onclick"))
    assert caught.value.place.line == 1
    assert len(caught.value.others) == 1


def test_a_page_is_described_without_running_its_scripts(folder: Folder) -> None:
    page = (
        FORM
        + """<script>alert('never')\nfunction send(x) { }</script><body onload='send()'>
    <script language=VBScript>Sub Go_OnClick\nEnd Sub\nPrivate Function Pad(x)\nEnd Function</script>
    <input type=button name=Go value='Go on'><script for=Go event=ondblclick>x</script>"""
    )
    facts = folder.describe("a.htm", page)
    assert [(field.name, field.kind, field.value) for field in facts.fields] == [
        ("cn", "text", ""), ("store", "checkbox", "off"), ("use", "radio", ""), ("csp", "select-one", "Base"),
        ("csr", "textarea", ""),
    ]  # fmt: skip
    assert facts.fields[3].choices == ("Base", "Enhanced")
    assert facts.buttons == (("Send it", "Send it"), ("Go", "Go on"))
    assert {"theForm.onsubmit", "cnId.onchange", "window.onload", "Go.onclick", "Go.ondblclick"} <= set(facts.handlers)
    assert facts.procedures == ("value_of", "send", "Go_OnClick", "Pad")


def test_a_procedure_that_is_named_like_the_handler_of_nothing_is_no_handler(folder: Folder) -> None:
    page = "<script language=vbs>Sub Install_OnClick\nEnd Sub\nSub b_OnClick\nEnd Sub</script><input type=button name=b>"
    assert folder.describe("page.htm", page).handlers == ("b.onclick",)


def test_an_error_is_told_before_what_the_page_has_not_because_of_it(folder: Folder) -> None:
    with pytest.raises(PageFailure) as caught:
        folder.run("page.htm", "<script language=JScript>function go( {}</script>", events=("go()",))
    assert caught.value.source == "Microsoft JScript compilation error"
    assert "go()" in caught.value.result.notes[0]
