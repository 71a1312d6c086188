"""Classic ASP pages: what a browser would get, and what the page does there."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.hosts.page_runs import Folder
from xenroll_compat.hosts.pages import PageFailure


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))
    return Folder(tmp_path / "pages")


def output(folder: Folder, page: str, **query: str) -> str:
    """What a page gives."""
    return folder.run("page.asp", page, query=query, client=False).result.output


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<% For i = 1 To 3 %><p><%= i * 2 %></p><% Next %>", "<p>2</p><p>4</p><p>6</p>"),
        ("<%@ LANGUAGE=JScript %><% for (var i = 0; i < 2; i++) { %>[<%= i %>]<% } %>", "[0][1]"),
        ('<% If Request("a") = "x" Then %>yes<% Else %>no<% End If %>', "no"),
        ("<%\nSub Row(x)\n%><tr><%=x%></tr><%\nEnd Sub\nRow 1 : Row 2\n%>", "<tr>1</tr><tr>2</tr>"),
        ("<% Select Case 2 %>\n <% Case 1 %>one<% Case 2 %>two<% End Select %>", "two"),
        ('<script language=VBScript runat=server>Function F(x)\nF = x & "!"\nEnd Function</script><%= F(1) %>', "1!"),
        ("<script language=JScript runat=server>function f(x) { return x + '!'; }</script><%= f(\"a\") %>", "a!"),
        ('<object runat=server id=d progid=Scripting.Dictionary></object><% d.Add 1, "v" %><%= d(1) %>', "v"),
        ('a<% Response.Clear %>b<% Response.Write "c" : Response.End %>d', "bc"),
        ("<%= True %> <%= Empty %> <%= 1.5 %> <%= Null %>", "True  1.5 "),
        ('<%= Server.HTMLEncode("<a b=\'c\'>") & Server.URLEncode("a b&c") %>', "&lt;a b='c'&gt;a+b%26c"),
        (
            '<% Session("x") = 5 : Application("y") = "z" %>'
            '<%= Session("X") + 1 & Application("y") & Session.Contents.Count %>',
            "6z1",
        ),
        ('<%= Request.ServerVariables("HTTPS") & Request.ServerVariables("SCRIPT_NAME") %>', "on/page.asp"),
    ],
)
def test_a_page_gives_what_a_server_would(folder: Folder, page: str, text: str) -> None:
    assert output(folder, page) == text


@pytest.mark.parametrize(
    "way", ['Request("cn")', 'Request.Form("CN")', 'Request.QueryString("cn")', "Request.Form(1)", 'Request.Form.Item("cn")']
)
def test_values_of_the_run_are_the_query_and_the_form(folder: Folder, way: str) -> None:
    assert output(folder, f"<%= {way} %>", cn="joe", b="2") == "joe"


def test_a_request_goes_through_its_values(folder: Folder) -> None:
    page = '<% For Each k In Request.Form %><%= k & "=" & Request.Form(k) & ";" %><% Next %><%= Request.Form.Count %>'
    assert output(folder, page, Cn="joe", b="2") == "Cn=joe;b=2;2"


def test_included_files_come_of_the_folder_and_may_include_others(folder: Folder) -> None:
    folder.write("inc/a.inc", '<% Const Company = "Contoso" %><!-- #include file="b.inc" -->')
    folder.write("b.inc", "[b]")
    page = '<!--#include virtual="/inc/a.inc"--><%= Company %>'
    assert output(folder, page) == "[b]Contoso"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nothing.inc", HRESULT.WIN32_FILE_NOT_FOUND),
        ("../../etc/passwd", HRESULT.E_ACCESSDENIED),
        ("http://example.com/a.inc", HRESULT.E_ACCESSDENIED),
        ("page.asp", HRESULT.E_INVALIDARG),
    ],
)
def test_a_file_that_cannot_be_included_is_an_error(folder: Folder, name: str, code: int) -> None:
    with pytest.raises((ComError, FileNotFoundError)) as caught:
        output(folder, f"<!-- #include file='{name}' -->")
    assert getattr(caught.value, "hresult", signed(HRESULT.WIN32_FILE_NOT_FOUND)) == signed(code)


def test_an_error_has_its_line_in_the_page_and_in_an_included_file(folder: Folder) -> None:
    with pytest.raises(PageFailure) as caught:
        output(folder, "<html>\n<% x = 1 %> text\n\n<p>\n<%\n y = 2\n x = 1 / 0\n%>")
    assert (caught.value.place.file, caught.value.place.line, caught.value.number) == ("page.asp", 7, 11)
    assert caught.value.result.output == "<html>\n text\n\n<p>\n"
    folder.write("inc.inc", "\n<%\n Err.Raise 5\n%>")
    with pytest.raises(PageFailure) as caught:
        output(folder, "one\n<!-- #include file=inc.inc -->")
    assert (caught.value.place.file, caught.value.place.line) == ("inc.inc", 3)


def test_headers_cookies_and_a_redirection_are_noted(folder: Folder) -> None:
    page = """<% Response.Expires = -1 : Response.ContentType = "application/pkix-cert" : Response.AddHeader "X-A", "b"
    Response.Cookies("c") = "d" : Response.Cookies("k")("one") = 1 : Response.Cookies("c").Expires = "1/1/2030" %>x"""
    result = folder.run("a.asp", page).result
    assert dict(result.headers)["Content-Type"] == "application/pkix-cert"
    assert [pair for pair in result.headers if pair[0] in ("X-A", "Set-Cookie")] == [
        ("X-A", "b"), ("Set-Cookie", "c=d"), ("Set-Cookie", "k=one=1"),
    ]  # fmt: skip
    away = folder.run("b.asp", 'text<% Response.Redirect "c.asp?x=1" %><script>alert(1)</script>')
    assert (away.result.navigations, away.result.output, away.shown) == (("c.asp?x=1",), "", [])


def test_the_page_that_a_page_gives_runs_with_its_client_scripts(folder: Folder) -> None:
    page = """<%@ LANGUAGE=VBScript %><object id=Enroll classid="clsid:127698E4-E730-4E5C-A2B1-21490A70C8A1"></object>
    <form name=f action=certfnsh.asp method=post><input type=hidden name=Req><input type=button id=b></form>
    <script language=VBScript>Sub b_OnClick
    Enroll.KeySpec = <%= 1 + 1 %>
    document.f.Req.value = "<%= Request("cn") %>" & Enroll.KeySpec
    document.f.submit
    End Sub</script>"""
    run = folder.run("a.asp", page, query={"cn": "joe"}, events=("b.onclick",))
    assert run.result.submissions[0].value("Req") == "joe2"
    assert "Enroll.KeySpec = 2" in run.result.output
    assert "<%" not in run.result.output
    assert folder.run("a.asp", page, client=False).result.submissions == ()


def test_files_of_the_page_have_windows_names_of_the_folder(folder: Folder) -> None:
    assert output(folder, '<%= Server.MapPath("/sub/x.txt") & " " & Server.MapPath("y.txt") %>') == r"C:\sub\x.txt C:\y.txt"
    with pytest.raises(PageFailure):
        output(folder, '<% Server.MapPath("../x") %>')


def test_objects_are_made_by_the_server_and_what_is_not_there_is_429(folder: Folder) -> None:
    page = """<% On Error Resume Next
    Set a = Server.CreateObject("CEnroll.CEnroll.2") %><%= TypeName(a) %><%
    Server.CreateObject("No.Such") %>,<%= Err.Number %>"""
    assert output(folder, page) == "CEnroll,429"


def test_an_asp_page_is_described_by_what_it_gives(folder: Folder) -> None:
    facts = folder.describe(
        "a.asp", '<% For i = 1 To 2 %><input name="n<%= i %>" value="<%= Request("v") %>"><% Next %>', query={"v": "5"}
    )
    assert [(field.name, field.value) for field in facts.fields] == [("n1", "5"), ("n2", "5")]
