"""What scripts of a page read, set, make and write: document, elements, forms, lists, window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.hosts.page_runs import Folder
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.pages import PageFailure

CONTROL = "clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1"
FORM = """<body><form name=f id=theForm action=certfnsh.asp method=post>
<input type=hidden name=Mode value=newreq><input type=text name=cn><input name=name value=joe>
<textarea name=csr>
one
two</textarea>
<input type=checkbox name=store checked><input type=checkbox name=other value=5>
<input type=radio name=use value=1><input type=radio name=use value=2 checked>
<select name=csp><option value=1>Base<option value=2 selected>Enhanced</select>
<input type=button name=b value=Go><input type=submit name=s value=Send><input name=off disabled value=1>
</form>"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    return Folder(tmp_path / "pages")


def shown(folder: Folder, script: str, before: str = FORM) -> list[str]:
    """What ``alert`` shows in a JScript that stands behind some markup."""
    lines = folder.run("page.htm", f"{before}<script language=JScript>{script}</script>").shown
    return [line.removeprefix("[message box] ").removesuffix(" -> OK") for line in lines]


@pytest.mark.parametrize(
    "way",
    [
        "document.forms[0]", "document.forms['f']", "document.forms.f", "document.f", "document.all.f",
        "document.all['theForm']",
        "document.getElementById('theForm')", "document.getElementById('THEFORM')", "theForm", "f", "window.f",
        "document.getElementsByName('f')[0]", "document.getElementsByTagName('FORM').item(0)", "document.forms('f')",
        "document.f.cn.form", "document.forms.item('f')", "window.document.f", "self.top.parent.document.theForm",
    ],
)  # fmt: skip
def test_a_form_is_found_in_every_way_that_pages_find_it(folder: Folder, way: str) -> None:
    assert shown(folder, f"alert({way}.action)") == ["certfnsh.asp"]


@pytest.mark.parametrize(
    "way",
    [
        "f.cn",
        "f.elements.cn",
        "f.elements['cn']",
        "f['cn']",
        "f.elements[1]",
        "f('cn')",
        "f.item(1)",
        "f[1]",
        "document.all.cn",
    ],
)
def test_a_field_is_found_in_every_way_that_pages_find_it(folder: Folder, way: str) -> None:
    assert shown(folder, f"{way}.value = 'x'; alert(document.f.cn.value)") == ["x"]


def test_a_field_called_name_is_what_the_forms_name_gives(folder: Folder) -> None:
    assert shown(folder, "alert(document.f.name.value); alert(document.forms[0].method)") == ["joe", "post"]


def test_fields_of_a_form_are_no_globals_by_their_name(folder: Folder) -> None:
    assert shown(folder, "alert(typeof cn); alert(typeof window.cn); alert(typeof f)") == [
        "undefined",
        "undefined",
        "object",
    ]


def test_what_a_browser_does_not_have_is_undefined_in_jscript_and_438_in_vbscript(folder: Folder) -> None:
    assert shown(folder, "alert(!window.crypto + ' ' + !document.layers + ' ' + typeof f.cn.nothing)") == [
        "true true undefined"
    ]
    script = "<script language=VBScript>On Error Resume Next\nx = document.f.cn.nothing\nalert Err.Number</script>"
    assert folder.run("a.htm", FORM + script).shown == ["[message box] 438 -> OK"]


def test_boxes_and_buttons_of_a_group_are_checked_as_a_user_would(folder: Folder) -> None:
    script = """f.use[0].checked = true; f.other.checked = true;
    alert([f.use[0].checked, f.use[1].checked, f.store.value, f.other.value])"""
    assert shown(folder, script) == ["true,false,on,5"]


def test_a_text_areas_lines_end_in_cr_lf(folder: Folder) -> None:
    assert shown(folder, "alert(escape(f.csr.value))") == ["one%0D%0Atwo"]


@pytest.mark.parametrize(
    "fill",
    [
        "s.options[0] = new Option('A', '1'); s.options[1] = new Option('B', '2');",
        "s.options.add(new Option('A', '1')); s.add(new Option('B', '2'));",
        "var o = document.createElement('OPTION'); o.text = 'A'; o.value = 1; s.add(o);"
        "o = document.createElement('option'); o.setAttribute('value', 2); o.appendChild(document.createTextNode('B'));"
        "s.appendChild(o);",
        "s.innerHTML = '<option value=1>A<option value=2>B';",
        "s.add(new Option('B', '2')); s.add(new Option('A', '1'), 0);",
    ],
)
def test_a_list_is_emptied_and_filled_in_every_way_that_pages_do_it(folder: Folder, fill: str) -> None:
    script = f"var s = f.csp; s.options.length = 0; {fill} s.selectedIndex = 1;"
    read = (
        "alert([s.length, s.options[0].text, s.options[1].value, s.options[s.selectedIndex].text, s.value, s[0].selected])"
    )
    assert shown(folder, script + read) == ["2,A,2,B,2,false"]


def test_a_list_loses_options_and_chooses_by_value(folder: Folder) -> None:
    script = """var s = f.csp; s.remove(0); alert(s.length + s.options(0).text);
    s.options[0] = null; alert(s.length + ' ' + s.selectedIndex)"""
    assert shown(folder, script) == ["1Enhanced", "0 -1"]
    assert shown(
        folder, "f.csp.value = '1'; alert(f.csp.selectedIndex); f.csp.selectedIndex = -1; alert(f.csp.value == '')"
    ) == ["0", "true"]


def test_vbscript_fills_a_list_and_goes_through_it(folder: Folder) -> None:
    script = """<script language=VBScript>
    For i = 0 To 1
      Set o = document.createElement("OPTION")
      o.Text = "P" & i
      o.Value = i
      document.f.csp.Options.Add o
    Next
    For Each o In document.f.csp.options : s = s & o.Text & "," : Next
    alert s & document.f.csp.options(document.f.csp.selectedIndex).value & document.f.csp.length
    </script>"""
    assert folder.run("a.htm", FORM + script).shown == ["[message box] Base,Enhanced,P0,P1,24 -> OK"]


def test_markup_that_is_put_into_an_element_becomes_elements(folder: Folder) -> None:
    script = "d.innerHTML = '<b id=x>one</b> two'; alert(x.innerText + d.innerText); x.innerText = '<'; alert(d.innerHTML);"
    assert shown(folder, script, "<div id=d></div>") == ["oneone two", '<b id="x">&lt;</b> two']
    outer = "x.outerHTML = '<i id=y>2</i>'; alert(d.innerHTML + d.children.length + d.children[0].tagName)"
    assert shown(folder, outer, "<div id=d><b id=x>1</b>3</div>") == ['<i id="y">2</i>31I']


def test_styles_classes_and_attributes_are_kept(folder: Folder) -> None:
    script = """d.style.display = "none"; d.className = "c"; d.setAttribute("Title", "t"); d.own = "o";
    alert([d.style.display, d.style.color, d.className, d.getAttribute("title"), d.title, d.own]);
    alert(d.getAttribute("none") === null)"""
    assert shown(folder, script, "<div id=d style='color: red'></div>") == ["none,red,c,t,t,o", "true"]


def test_the_tree_of_elements_is_walked_and_changed(folder: Folder) -> None:
    script = """var e = document.createElement("p"); e.id = "p1"; e.innerText = "x"; document.body.appendChild(e);
    d.insertBefore(e, d.firstChild);
    alert([e.parentElement.id, d.children.length, d.firstChild.tagName, d.childNodes.length]);
    d.removeChild(e); alert(document.getElementById("p1") === null);"""
    assert shown(folder, script, "<div id=d><b>1</b>2</div>") == ["d,2,P,3", "true"]


def test_what_a_script_writes_is_shown_as_text_and_stands_behind_the_script(folder: Folder) -> None:
    page = """<p>not shown</p><script>document.write("<b>Hello</b> world<br>", 1, "<form name=w><input name=a value=5>");
    alert(document.w.a.value)</script></form><script>document.writeln("<select name=l><opt" + "ion>x</select>end")</script>
    <script>alert(document.getElementsByName("l")[0].options[0].text)</script>"""
    assert folder.run("a.htm", page).shown == ["Hello world", "1", "[message box] 5 -> OK", "end", "[message box] x -> OK"]


def test_a_script_that_a_script_writes_runs(folder: Folder) -> None:
    assert shown(folder, 'document.write("<script>var a = 1; document.write(7)<" + "/script>"); alert(a)', "") == ["7", "1"]


@pytest.mark.parametrize(
    "way", ["Enroll", "document.all.Enroll", "document.Enroll", "window.Enroll", "document.getElementById('Enroll')"]
)
def test_an_object_element_is_its_automation_object(folder: Folder, way: str) -> None:
    page = (
        f"<OBJECT classid='{CONTROL.lower()}' codebase='xenroll.dll#Version=5,131' id=Enroll><PARAM name=a value=b></OBJECT>"
    )
    assert shown(folder, f"{way}.KeySpec = '2'; alert(Enroll.KeySpec)", page) == ["2"]


@pytest.mark.parametrize(
    "make",
    [
        f"document.write(\"<object id=X classid='{CONTROL}'></object>\");",
        f"d.innerHTML = d.innerHTML + \"<OBJECT id='X' classid='{CONTROL}'></OBJECT>\";",
        f"var o = document.createElement('object'); o.id = 'X'; o.classid = '{CONTROL}'; document.body.appendChild(o);",
        f"var o = document.createElement('object'); o.setAttribute('classid', '{CONTROL}'); var X = o;",
        "var X = new ActiveXObject('CEnroll.CEnroll.2');",
    ],
)
def test_an_object_that_a_script_puts_into_the_page_works_at_once(folder: Folder, make: str) -> None:
    assert shown(folder, f"{make} X.Reset(); X.KeySpec = 2; alert(X.KeySpec)", "<div id=d></div>") == ["2"]


def test_an_object_of_a_class_that_is_not_here_has_no_members(folder: Folder) -> None:
    page = "<object id=card classid='clsid:80CB7887-20DE-11D2-8D5C-00C04FC29D45'></object>"
    script = f"{page}<script language=VBScript>On Error Resume Next\ncard.Enroll 1\nalert Err.Number</script>"
    run = folder.run("a.htm", script)
    assert run.shown == ["[message box] 438 -> OK"]
    assert len(run.result.notes) == 1


def test_a_page_believes_to_be_in_internet_explorer_6_on_windows_xp(folder: Folder) -> None:
    script = """alert([navigator.appName, navigator.userAgent.indexOf("MSIE 6.0; Windows NT 5.1") > 0, navigator.platform]);
    alert([location.protocol, document.location.href, location.search, document.URL == location, screen.width])"""
    assert shown(folder, script) == [
        "Microsoft Internet Explorer,true,Win32",
        "https:,https://localhost/page.htm,,true,1024",
    ]


@pytest.mark.parametrize(("windows", "version"), [("xp", "NT 5.1"), ("vista", "NT 6.0"), ("7", "NT 6.1")])
def test_a_page_finds_the_windows_that_the_run_says(folder: Folder, windows: str, version: str) -> None:
    script = f"<script>alert(navigator.userAgent.indexOf('{version}') > 0)</script>"
    assert folder.run("page.htm", script, windows=windows).shown == ["[message box] true -> OK"]


def test_title_and_cookies_are_kept(folder: Folder) -> None:
    script = """document.cookie = 'a=1; path=/'; document.cookie = 'b=2'; alert(document.title + document.cookie);
    document.title = 'y'; alert(document.title)"""
    assert shown(folder, script, "<title> x\n &amp; </title>") == ["x &a=1; b=2", "y"]


def test_questions_are_answered_by_the_settings(folder: Folder) -> None:
    script = "<script>alert(confirm('Sure?')); alert(prompt('Name?', 'x')); alert(prompt('Again?') === null)</script>"
    lines = folder.run("a.htm", script, answers=("cancel", "ok"), inputs=("joe",)).shown
    assert [line for line in lines if "message box" in line][1:] == [
        "[message box] false -> OK",
        "[message box] joe -> OK",
        "[message box] true -> OK",
    ]


def test_a_submitted_form_is_noted_with_what_a_browser_would_send(folder: Folder) -> None:
    run = folder.run(
        "a.htm", f"{FORM}<script>document.f.cn.value = 'me'; document.f.target = '_self'; document.f.submit()</script>"
    )
    (sent,) = run.result.submissions
    assert (sent.form, sent.action, sent.method, sent.target) == ("theForm", "certfnsh.asp", "POST", "_self")
    assert sent.fields == (
        ("Mode", "newreq"), ("cn", "me"), ("name", "joe"), ("csr", "one\r\ntwo"), ("store", "on"), ("use", "2"),
        ("csp", "2"),
    )  # fmt: skip
    assert sent.value("CN") == "me"


def test_a_form_that_is_reset_is_as_it_was(folder: Folder) -> None:
    script = "f.cn.value = 1; f.store.checked = false; f.csp.selectedIndex = 0; f.csr.value = ''; f.reset();"
    assert shown(folder, script + "alert([f.cn.value, f.store.checked, f.csp.value, f.csr.value.length])") == [",true,2,8"]


@pytest.mark.parametrize(
    ("language", "script"),
    [
        ("JScript", "location = 'x.asp'"),
        ("JScript", "window.location.href = 'x.asp'"),
        ("JScript", "function g() { document.location.replace('x.asp') } g()"),
        ("JScript", "window.open('x.asp') === null || window.navigate('y.asp')"),
        ("VBScript", 'Sub G\nlocation = "x.asp"\nEnd Sub\nG'),
        ("VBScript", 'Option Explicit\nwindow.location.href = "x.asp"'),
    ],
)
def test_an_address_that_a_page_opens_is_noted_and_nothing_is_fetched(folder: Folder, language: str, script: str) -> None:
    run = folder.run("a.htm", f"<script language={language}>\n{script}\n</script>")
    assert run.result.navigations[0] == "x.asp"


def test_vbscript_sets_what_belongs_to_the_window_without_naming_it(folder: Folder) -> None:
    script = 'Option Explicit\nSub S\nstatus = "busy"\nname = "w"\nEnd Sub\nS\nalert status & name'
    assert folder.run("a.htm", f"<script language=VBScript>{script}</script>").shown == ["[message box] busyw -> OK"]


def test_both_languages_have_each_others_procedures_and_variables(folder: Folder) -> None:
    page = """<script language=VBScript>Dim vb : vb = 5
    Function Twice(x) : Twice = x * 2 : End Function</script>
    <script language=JScript>var js = 3; function half(x) { return x / 2; } alert(Twice(vb) + js + window.vb)</script>
    <script language=VBScript>alert half(10) + js</script>"""
    assert folder.run("a.htm", page).shown == ["[message box] 18 -> OK", "[message box] 8 -> OK"]


def test_an_error_of_one_script_is_told_at_the_end_and_the_others_run(folder: Folder) -> None:
    page = "<script>\n\nnothing();\n</script><script>alert('next')</script><script language=VBScript>x = 1 / 0</script>"
    with pytest.raises(PageFailure) as caught:
        folder.run("a.htm", page)
    assert (caught.value.place.file, caught.value.place.line) == ("a.htm", 3)
    assert [other.number for other in caught.value.others] == [11]


def test_an_error_that_window_onerror_takes_is_none(folder: Folder) -> None:
    page = "<script>window.onerror = function (m, u, l) { alert(l); return true; }</script>\n<script>nothing();</script>"
    assert folder.run("a.htm", page).shown == ["[message box] 2 -> OK"]


def test_members_say_what_they_cannot_do(folder: Folder) -> None:
    page: Any = folder.page("<div id=d></div><select id=s></select>")
    element = page.document.find_named("d")
    with pytest.raises(ComError):
        element.removeChild(element)
    with pytest.raises(ComError):
        element.appendChild("x")
    with pytest.raises(ComError) as caught:
        page.document.find_named("s").add("x")
    assert caught.value.hresult == signed(HRESULT.DISP_E_TYPEMISMATCH)
    assert automation.get(page.document, "forms").length == 0


def test_nodes_know_those_beside_them(folder: Folder) -> None:
    markup = "<body><div id=d><i>1</i>two<b>3</b></div></body>"
    code = """
    var d = document.getElementById("d"), i = d.firstChild, b = d.lastChild, text = i.nextSibling;
    alert([text.data, text.nextSibling.tagName, b.previousSibling.nodeValue, text.previousSibling.tagName]);
    alert([i.previousSibling, b.nextSibling, document.createElement("p").nextSibling]);
    """
    assert shown(folder, code, markup) == ["two,B,two,I", ",,"]


def test_nodes_are_copied_replaced_and_found_in_each_other(folder: Folder) -> None:
    markup = "<body><div id=d><input name=n value=1><b>3</b></div></body>"
    code = """
    var d = document.getElementById("d"), deep = d.cloneNode(true), alone = d.cloneNode(false);
    alert([deep.innerHTML == d.innerHTML, alone.innerHTML, alone.id, deep.parentNode]);
    alert([d.replaceChild(document.createElement("p"), d.lastChild).tagName, d.lastChild.tagName]);
    alert([d.contains(d.firstChild), d.contains(d), d.contains(deep.firstChild)]);
    try { d.replaceChild(alone, deep); } catch (e) { alert(e.number & 0xFFFF); }
    """
    assert shown(folder, code, markup) == ["true,,d,", "B,P", "true,true,false", "87"]


def test_fields_called_like_properties_with_parameters_are_read_and_set(folder: Folder) -> None:
    markup = "<form name=f><input name=certificate value=c><textarea name=response></textarea><input name=Signature></form>"
    script = """
    document.f.response.value = document.f.certificate.value + document.f.certificate.name;
    with (document.f) { Signature.value = response.value.length; }
    var field = document.f.response;
    alert([field.value, document.f.Signature.value, document.f.certificate.getAttribute("name")]);
    """
    assert shown(folder, script, markup) == ["ccertificate,12,certificate"]
    basic = "document.f.response.value = document.f.certificate.value : alert document.f.Response.value"
    assert folder.run("b.htm", f"{markup}<script language=vbs>{basic}</script>").shown == ["[message box] c -> OK"]


def test_attributes_that_are_true_or_false_are_set_by_their_names(folder: Folder) -> None:
    code = """
    var box = document.f.other, option = document.f.csp.options[0];
    box.setAttribute("checked", "checked"); option.setAttribute("selected", "selected");
    box.setAttribute("disabled", "disabled");
    alert([box.checked, option.selected, document.f.csp.selectedIndex, box.disabled, document.nodeType, document.nodeName]);
    box.setAttribute("checked", false); alert(box.checked);
    """
    assert shown(folder, code) == ["true,true,0,true,9,#document", "false"]
