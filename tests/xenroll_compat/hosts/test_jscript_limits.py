"""JScript: what no script can go past or handle."""

from __future__ import annotations

import signal
from types import FrameType

import pytest

from tests.xenroll_compat.hosts.jscript_runs import Run
from xenroll_compat.hosts.problems import ScriptStopped
from xenroll_compat.hosts.settings import Limits


@pytest.fixture
def run() -> Run:
    return Run(Limits(memory=16 << 20, depth=200))


def stopped(run: Run, script: str) -> ScriptStopped:
    with pytest.raises(ScriptStopped) as caught:
        run(script)
    return caught.value


@pytest.mark.parametrize(
    "script",
    [
        "function f() { return f() }\nf()",
        "function f() { return f() }\ntry { f() } catch (e) { out('caught') }",
        "function f() { try { f() } catch (e) { f() } finally { out('finally') } }\nf()",
        "function f() { [1].sort(); [1].map(f) }\nwhile (true) { try { f() } catch (e) { continue } }",
        "function f(n) { return box.Run(f, n + 1) }\ntry { f(0) } catch (e) { out('caught') }",
    ],
)
def test_deep_recursion_stops_the_run_and_cannot_be_caught(run: Run, script: str) -> None:
    error = stopped(run, script)
    assert error.limit == "--depth-limit"
    assert error.place.file == "script.js"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("function f() { f() } f()", "its procedures call each other too deeply"),
        (f"var a = {'[' * 3000}{']' * 3000}", "its text, or a value in it, is nested too deeply"),
        ("eval(new Array(9000).join('['))", "its text, or a value in it, is nested too deeply"),
        ("var a = []; for (var i = 0; i < 9000; i++) a = [a]; JSON.stringify(a)", "its text, or a value in it, is nested"),
    ],
)
def test_what_is_too_deep_is_told_as_it_is(run: Run, script: str, words: str) -> None:
    assert words in str(stopped(run, script))


def test_a_limit_that_is_already_beyond_the_process_is_not_said_to_help() -> None:
    script = "function f() { f() } f()"
    assert str(stopped(Run(Limits(depth=200)), script)).endswith("(--depth-limit raises the limit)")
    assert str(stopped(Run(Limits(depth=1_000_000)), script)).endswith("(--depth-limit cannot raise the limit further)")


@pytest.mark.parametrize("depth", [100, 500, 5000, 1_000_000])
def test_calls_that_nest_by_way_of_objects_share_one_stack(depth: int) -> None:
    run = Run(Limits(depth=depth))
    nested = "function f(n) { return n ? f(n - 1) : box.Run(f, 50) } "
    assert stopped(run, nested + "f(50)").limit == "--depth-limit"
    again = "while (true) { try { f(50) } catch (e) {} }"
    assert stopped(run, again).limit == "--depth-limit"


@pytest.mark.parametrize("calls", range(0, 60, 6))
def test_a_stack_that_ends_within_the_bridge_is_the_same_limit(calls: int) -> None:
    run = Run(Limits(depth=211))
    functions = f"function g(n) {{ return n ? g(n - 1) : box.Run(f, {calls}) }} function f(n) {{ try {{ return g(n) }} "
    assert stopped(run, functions + "catch (e) { return f(n) } finally { [1].sort() } }; f(1)").limit == "--depth-limit"


def test_objects_may_call_functions_that_call_objects_fifty_times_over() -> None:
    assert Run()("function f(n) { return n ? box.Run(f, n - 1) : 'end' } out(f(50))") == ["end"]


def test_as_many_open_calls_as_the_limit_says_are_possible(run: Run) -> None:
    assert run("function f(n) { return n ? 1 + f(n - 1) : 0 } out(f(200))") == [200]


def test_a_higher_limit_lets_a_script_call_deeper() -> None:
    assert Run(Limits(depth=2000))("function f(n) { return n ? 1 + f(n - 1) : 0 } out(f(2000))") == [2000]


@pytest.mark.parametrize(
    "script",
    [
        "var a = []; while (true) a.push({})",
        "var a = []; try { while (true) a.push({}) } catch (e) { out('caught') }",
        "var a = []; while (true) { try { a.push(new Array(1000).join('x')) } catch (e) {} }",
        "var s = 'x'; for (var i = 0; i < 26; i++) s += s; try { box.Echo(s) } catch (e) { out('caught') }",
        "try { new Array(100 * 1024 * 1024).join('x') } catch (e) { out('caught') }",
        "var s = 'x'; try { while (true) s += s } catch (e) { out('caught') }",
    ],
)
def test_a_script_that_takes_too_much_memory_is_stopped_and_cannot_catch_it(run: Run, script: str) -> None:
    assert stopped(run, script).limit == "--memory-limit"
    assert run.shown == []


@pytest.mark.parametrize(
    "script",
    [
        "box.Quit(3)",
        "try { box.Quit(3) } catch (e) { out('caught') } finally { out('finally') }",
        "while (true) { try { box.Quit(3) } catch (e) { continue } finally { continue } }",
        "box.Run(function () { try { box.Quit(3) } catch (e) { out('caught') } })",
        "try { box.Run(function () { box.Quit(3) }) } catch (e) { out('caught') }",
        "new Function('while (true) try { box.Quit(3) } catch (e) { if (++n > 3) break }; n = 0'); "
        "var n = 0; eval('try { box.Quit(3) } catch (e) { out(1) }')",
    ],
)
def test_a_script_that_ends_itself_ends_there(run: Run, script: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run(script)
    assert caught.value.code == 3
    assert run.shown == []


def test_a_limit_that_an_object_meets_stops_the_run_as_itself(run: Run) -> None:
    error = stopped(run, "try { box.TimeIsUp() } catch (e) { out('caught') }")
    assert (error.limit, run.shown) == ("--time-limit", [])


def test_a_signal_that_stops_a_running_script_is_not_lost(run: Run) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise ScriptStopped("it ran for too long", "--time-limit")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        error = stopped(run, "while (true) { try { box.Echo(1) } catch (e) {} }")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert error.limit == "--time-limit"


def test_the_engine_can_be_used_after_a_stop(run: Run) -> None:
    stopped(run, "function f() { f() } f()")
    assert run("out(1)") == [1]
