"""Limits: a script that takes too much is stopped, whatever it handles itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.hosts.vbscript_runs import Recorder
from xenroll_compat.hosts.problems import ScriptStopped

FOREVER = ("Do\nLoop", "While True\nWend", "For i = 1 To 2 Step 0\nNext", "Sub S : End Sub\nDo\nS\nLoop")
DEEP = (
    "Sub A\nA\nEnd Sub\nA",
    "Function A(n)\nIf True Then\nA = 1 + (2 * (3 + A(n + 1)))\nEnd If\nEnd Function\nx = A(1)",
    "Class C\nPublic Property Get P\nP = Me.P\nEnd Property\nEnd Class\nSet o = New C\nx = o.P",
    "Class C\nSub Class_Initialize\nSet x = New C\nEnd Sub\nEnd Class\nSet o = New C",
    'Sub A\nExecute "A"\nEnd Sub\nA',
)
LARGE = (
    's = "x"\nDo\ns = s & s\nLoop',
    's = "x"\nDo\ns = s + s\nLoop',
    's = String(100000000, "x")',
    "s = Space(100000000)",
    's = Replace(Space(1000), " ", Space(10000))',
    "ReDim a(100000000)",
    "Dim a(100000000)",
    "ReDim a(10000, 10000)",
    "a = Array(Space(900000), Space(900000))\ns = Join(a)",
)


@pytest.mark.parametrize("source", FOREVER)
def test_a_script_that_runs_too_long_is_stopped(source: str) -> None:
    with pytest.raises(ScriptStopped) as caught:
        Recorder(seconds=0.05).run(f"On Error Resume Next\n{source}")
    assert (caught.value.limit, caught.value.hresult) == ("--time-limit", signed(HRESULT.WIN32_TIMEOUT))


@pytest.mark.parametrize("source", DEEP)
def test_a_script_whose_calls_are_nested_too_deeply_is_stopped(source: str) -> None:
    with pytest.raises(ScriptStopped) as caught:
        Recorder(depth=100).run(f"On Error Resume Next\n{source}")
    assert (caught.value.limit, caught.value.hresult) == ("--depth-limit", signed(HRESULT.WIN32_STACK_OVERFLOW))
    assert "100" in caught.value.text
    assert caught.value.place.file == "script.vbs"


def test_calls_as_deep_as_the_limit_are_run() -> None:
    source = "Function A(n)\nIf n > 0 Then\nWith Err\nA = 1 + (A(n - 1))\nEnd With\nEnd If\nEnd Function\nEcho A(498)"
    assert Recorder(depth=500).run(source) == ["498"]


@pytest.mark.parametrize("source", LARGE)
def test_a_script_that_wants_too_much_memory_is_stopped(source: str) -> None:
    with pytest.raises(ScriptStopped) as caught:
        Recorder(memory=1_000_000, seconds=20).run(f"On Error Resume Next\n{source}")
    assert (caught.value.limit, caught.value.hresult) == ("--memory-limit", signed(HRESULT.E_OUTOFMEMORY))


def test_an_expression_nested_deeply_is_evaluated() -> None:
    assert Recorder().run(f"x = {'(' * 1_000}1{')' * 1_000}\nEcho x") == ["1"]


@pytest.fixture
def fresh_recursion_limit() -> Iterator[None]:
    """A new process's: a run raises it for good."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.usefixtures("fresh_recursion_limit")
def test_an_expression_nested_too_deeply_is_stopped() -> None:
    with pytest.raises(ScriptStopped) as caught:
        Recorder().run(f"x = {'(' * 60_000}1{')' * 60_000}\nEcho x")
    assert caught.value.limit == "--depth-limit"


def test_a_long_concatenation_is_evaluated() -> None:
    assert Recorder().run('x = "a"' + ' & "a"' * 5_000 + "\nEcho Len(x)") == ["5001"]
