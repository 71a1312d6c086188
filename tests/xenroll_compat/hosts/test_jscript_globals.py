"""JScript: the global namespace, seen from Python and from the script."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from certenroll.errors import ComError
from certenroll.variants import Vacant
from tests.xenroll_compat.hosts.jscript_runs import Form, Run
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.jscript import engine
from xenroll_compat.hosts.problems import Place, ScriptFailure
from xenroll_compat.hosts.settings import RunSettings

PAGE = Place("page.html", 10, 20)


@pytest.fixture
def run() -> Run:
    return Run()


def test_what_one_text_declares_the_next_one_has(run: Run) -> None:
    run("var a = 1; function f(x) { return x + a } b = 2")
    assert run("out(a, f(1), b)") == [(1, 2, 2)]


def test_python_reads_writes_and_calls_what_the_script_declared(run: Run) -> None:
    run("var a = 1; function f(x, y) { return [x, y, a] }")
    run.engine.put("a", "new")
    assert run.engine.get("a") == "new"
    assert run.engine.call("f", [1, None]) == [1, None, "new"]
    assert run.engine.get("f")(1, Vacant.EMPTY) == [1, Vacant.EMPTY, "new"]


def test_a_name_counts_as_there_when_the_script_or_the_host_gave_it(run: Run) -> None:
    run("var a; function escape() {}")
    assert [run.engine.has(name) for name in ("a", "box", "escape", "Object", "A", "nothing")] == [True] * 3 + [False] * 3
    assert run.engine.get("nothing") is automation.MISSING


def test_calling_what_is_not_there_is_object_expected(run: Run) -> None:
    with pytest.raises(ScriptFailure, match="Object expected"):
        run.engine.call("nothing")


@pytest.fixture
def page(run: Run) -> Run:
    elements: dict[str, Any] = {"form1": Form(user="bob"), "alert": lambda text: f"[{text}]", "status": "ok"}
    run.engine.resolve_missing_with(lambda name: elements.get(name, automation.MISSING))
    return run


def test_a_name_that_nobody_defined_is_looked_up(page: Run) -> None:
    script = "out(form1.user, alert('x'), status, typeof form1, typeof nothing)"
    assert page(script) == [("bob", "[x]", "ok", "object", "undefined")]


def test_a_name_that_the_lookup_does_not_have_either_is_undefined(page: Run) -> None:
    assert page.failure("nothing").description == "'nothing' is undefined"
    assert page.failure("nothing()").description == "Object expected"
    assert page("try { nothing } catch (e) { out(e.number) }") == [-2146823279]


def test_a_variable_of_the_script_hides_what_would_be_looked_up(page: Run) -> None:
    assert page("var status = 5; out(status); form1 = 6; out(form1)") == [5, 6]


def test_a_member_of_this_that_is_not_there_is_undefined_and_no_error(page: Run) -> None:
    assert page("out(this.nothing, typeof this.nothing, this.status)") == [(Vacant.EMPTY, "undefined", "ok")]
    assert page("function f() { return this.nothing } out(f())") == [Vacant.EMPTY]


@pytest.mark.parametrize("statement", ["nothing++", "1 + nothing", "nothing.a", "nothing[0]", "f(nothing)", "nothing += 1"])
def test_a_name_that_is_not_there_is_an_error_wherever_it_is_used(page: Run, statement: str) -> None:
    assert page.failure(f"function f() {{}}\n  {statement}").description == "'nothing' is undefined"


def test_a_later_lookup_replaces_the_first(page: Run) -> None:
    page.engine.resolve_missing_with(lambda name: name.upper())
    assert page("out(anything)") == ["ANYTHING"]


def test_a_handler_has_its_parameters_and_its_element(run: Run) -> None:
    handler: Any = run.engine.handler("out(this.user, event); return false", ["event"], PAGE)
    assert handler.call_on(Form(user="bob"), ("click",)) is False
    assert run.shown == [("bob", "click")]


def test_the_same_handler_is_made_once(run: Run) -> None:
    assert run.engine.handler("f()", [], PAGE) is run.engine.handler("f()", [], PAGE)


def test_an_error_in_a_handler_stands_where_its_code_does(run: Run) -> None:
    handler = run.engine.handler(" nothing()", [], PAGE)
    with pytest.raises(ScriptFailure) as caught:
        handler()
    assert str(caught.value.place) == "page.html(10, 21)"


def test_a_handler_that_is_no_jscript_is_refused_when_it_is_made(run: Run) -> None:
    with pytest.raises(ScriptFailure, match="JScript compilation error"):
        run.engine.handler("if (", [], PAGE)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "xenroll_compat.hosts.jscript.machine", raising=False)
    monkeypatch.setitem(sys.modules, "_quickjs", None)
    with pytest.raises(ComError, match=r"pip install 'xenroll\[scripts\]'"):
        engine(Environment(RunSettings()))
