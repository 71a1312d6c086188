"""JScript: what it has beside ECMAScript, and what is done to a text before it is evaluated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xenroll_compat.hosts.jscript_runs import Run
from xenroll_compat.hosts.jscript.source import normalize
from xenroll_compat.hosts.jscript.tokens import tokenize


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


def unchanged(source: str) -> str:
    return normalize(source, lambda expression: True).text


@pytest.mark.parametrize(
    "source",
    [
        "var o = {'catch': 1, 'typeof': 2}; o.catch; o.finally; o.typeof",
        "var s = 'try {} catch (e) {} typeof x'; // typeof y } catch (e) {",
        "var r = /typeof x[/'\"]} catch (e) {/; r.test(s)",
        "a = b / c / typeof_d; /* finally { */",
        "x.RawDataOf(1); x.RawData(1); x.RawData = 5; delete x.RawData; x.RawData++",
        "f.signature.value = 1; document.f.response.options[0].text += 'x'; f.certificate.value\n++g; f.parameters(0).v--",
        "function f() { return (g) = 5 }",
        "function f() {} var g = function () {}; if (a == b(1)) c = d(2) == 3",
        "function eval(x) {} o.eval(5)",
        "f(); x.f(1); x?.f(); super.f(); '1'.f(); new F(); if (x.y) (z)",
    ],
)
def test_a_text_without_anything_of_jscripts_stays_as_it_is(source: str) -> None:
    assert unchanged(source) == source


@settings(deadline=None)
@given(st.text(alphabet="ab/'\"\\*{}()[].=;+ \n\r@<!-`0$\u2028", max_size=40))
def test_every_text_is_its_tokens_and_keeps_its_lines(source: str) -> None:
    assert "".join(token.text for token in tokenize(source)) == source
    whole = normalize(source, lambda expression: True)
    assert len(whole.lines) == source.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("var w = {}; function w.go(a) { return a + 1 } out(w.go(2))", [3]),
        ("var w = {}; function w::load() { return 5 }\nout(w.onload())", [5]),
        ("var w = {}; function w::onclick(a) { return a }\nout(w.onclick(7))", [7]),
        ("var w = {a: {}}; function w.a.go() { return 1 }; out(w.a.go())", [1]),
        ("<!--\nout(1)\n//-->", [1]),
        ("out(1) // <!--\r\nout(2)\r\n", [1, 2]),
        ("out(eval('1 + 1'), eval('var z = 3; z'), eval(5))", [(2, 3, 5)]),
        ("(function () { var local = 4; out(eval('local')) })()", [4]),
        ("out(ScriptEngine(), ScriptEngineMajorVersion(), ScriptEngineMinorVersion())", [("JScript", 5, 8)]),
        ("CollectGarbage(); out(unescape('%41'), escape(' '), 'abc'.substr(-2))", [("A", "%20", "bc")]),
        ("var n = 4\nvar m = n\n/2/1\nout(m)", [2]),
        ("try { throw 1 } catch (e) { out(e) } finally { out(2) }", [1, 2]),
        ("out(typeof nothing, typeof(nothing), typeof nothing == 'undefined', typeof typeof 1)", [
            ("undefined", "undefined", True, "string")
        ]),
        ("out(typeof function () {}, typeof new Date(), typeof 'a'.length, typeof [1][0], typeof -1)", [
            ("function", "object", "number", "number", "number")
        ]),
        ("(function () { out(typeof arguments[0].x, typeof this) })({x: 1})", [("number", "object")]),
        ("box.Item('x') = [1,\n 2]\nout(box.Item('x').length)", [2]),
        ("if (true) box.Item('y') = 1 + (2, 3); else out('no')\nout(box.Item('y'))", [4]),
        ("out(undefinedTwice = 1); out(this.undefinedTwice)", [1, 1]),
        ("var o = {RawData: 'own'}; out(o.RawData, o.RawData.length, o.rawdata === undefined)", [("own", 3, True)]),
    ],
)  # fmt: skip
def test_a_script_of_its_time_runs(run: Run, script: str, shown: list[Any]) -> None:
    assert run(script) == shown


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("/* @cc_on is spelt so */ out(1)", [1]),
        ("/*@ out(1) @*/ out(2)", [2]),
        ("/*@cc_on out(1) @*/", [1]),
        ("var ie = /*@cc_on!@*/false; out(ie)", [True]),
        ("/*@cc_on @*/ out(@_jscript_version, @_win32, @_mac)", [(5.8, True, pytest.approx(float("nan"), nan_ok=True))]),
        ("/*@cc_on\n@if (@_win64)\nout(64)\n@elif (@_win32 && @_x86)\nout(32)\n@else @*/\nout(0)\n/*@end @*/", [32]),
        ("//@cc_on\n//@if (@_jscript_version >= 5)\nout(1)\n//@else\nout(2)\n//@end", [1]),
        ("@cc_on\n@set @mine = (1 + 2)\n@if (@mine == 3)\nout('three')\n@if (false) out('no') @end\n@end", ["three"]),
        ("out('@if (x)')", ["@if (x)"]),
    ],
)
def test_conditional_compilation_is_carried_out(run: Run, script: str, shown: list[Any]) -> None:
    assert run(script) == shown


def test_a_condition_that_is_no_expression_is_an_error(run: Run) -> None:
    assert run.failure("@if (+) out(1) @end").number & 0xFFFF == 1002
