"""JScript: a script that changes the language's own objects damages its own run at most, and ends as scripts end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.xenroll_compat.hosts.jscript_runs import Run
from xenroll_compat.hosts.jscript.values import Values
from xenroll_compat.hosts.problems import ScriptFailure, ScriptStopped
from xenroll_compat.hosts.settings import Limits


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.mark.parametrize(
    "change",
    [
        "WeakMap.prototype.get = function () { return 99999 }",
        "WeakMap.prototype.has = function () { return true }",
        "WeakMap.prototype.get = Map.prototype.get = null",
        "Array.prototype[Symbol.iterator] = function () { throw 1 }",
        "Array.prototype.join = function () { return 'o99999' }",
        "Array.prototype.join = function () { return 'zz' }",
        "Object.defineProperty(Array.prototype, '0', {set: function () { throw 9 }, get: function () { return 'o9' }})",
        "String.prototype.isWellFormed = function () { return true }",
        "String.prototype.slice = String.prototype.split = String.prototype.indexOf = null",
        "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null",
        "Object.prototype.get = Object.prototype.set = Object.prototype.value = function () { return 1 }",
        "Object.defineProperty = Object.freeze = Object.hasOwn = Reflect.apply = null",
        "Map = WeakMap = Error = Array = Object = Reflect = String = Number = Symbol = Date = null",
        "RegExp.prototype.exec = function () { return 5 }",
        "parseInt = isNaN = eval = null",
    ],
)
def test_what_a_script_puts_on_prototypes_does_not_reach_the_bridge(run: Run, change: str) -> None:
    script = f"{change}; out('x', box.Echo(box) === box, box.Echo('\\ud800\\0'), box.Echo([1, [2]]), box.Large)"
    assert run(script) == [("x", True, "\ud800\0", [1, [2]], 0xFFFFFFFF)]
    assert run.failure("null.x").number & 0xFFFF == 5007
    assert run("try { box.Refuse() } catch (e) { out(e.number) }") == [0x8009000F - (1 << 32)]


@pytest.mark.parametrize(
    ("script", "number"),
    [
        ("var e = new Error(); e.message = {toString: function () { throw 1 }}; throw e", 5022),
        ("var e = new Error(7); e.number = {valueOf: function () { throw 1 }}; throw e", 0),
        ("var e = new Error(7); e.number = 'seven'; throw e", 0),
        ("Error.prototype.message = {}; throw new Error()", 5022),
        ("throw {toString: function () { throw 1 }}", 5022),
        ("Object.defineProperty(Error, Symbol.hasInstance, {value: function () { throw 1 }}); nothing.x", 5009),
        ("Error.prepareStackTrace = function () { throw 1 }; Error.stackTraceLimit = 0; nothing.x", 5009),
        ("throw new Proxy({}, {getPrototypeOf: function () { throw 1 }})", 5022),
        ("out(new Proxy({}, {getPrototypeOf: function () { throw new Error(9, '') }}))", 9),
        ("out(Object.create(Date.prototype))", 5006),
        ("$host.put(box, {toString: function () { throw new Error(9, '') }}, [], 1)", 9),
    ],
)
def test_a_script_that_throws_what_cannot_be_read_ends_by_an_ordinary_failure(run: Run, script: str, number: int) -> None:
    assert run.failure(script).number & 0xFFFF == number
    assert run("out(1)") == [1]


@pytest.mark.parametrize("replacement", ["throw 1", "return 'zz'", "return null"])
@pytest.mark.parametrize(
    ("endless", "limit"),
    [
        ("function f() { try { f() } catch (e) { f() } } f()", "--depth-limit"),
        ("var a = []; try { while (true) a.push(new Array(99)) } catch (e) { out(1) }", "--memory-limit"),
        ("try { box.TimeIsUp() } catch (e) { out(1) }", "--time-limit"),
    ],
)
def test_a_stop_stops_whatever_the_script_did_to_errors(replacement: str, endless: str, limit: str) -> None:
    run = Run(Limits(memory=16 << 20, depth=200))
    with pytest.raises(ScriptStopped) as caught:
        run(f"Error.prototype.toString = String.prototype.toString = function () {{ {replacement} }}; {endless}")
    assert (caught.value.limit, run.shown) == (limit, [])


@pytest.mark.parametrize("damaged", [["z1"], [""], ["o99999"], ["onone"], ["a2:0", 1], ["d1x"], ["j"]])
def test_what_is_no_value_is_a_failure_of_the_script(damaged: list[Any]) -> None:
    with pytest.raises(ScriptFailure, match="Internal error"):
        Values().decode(iter(damaged))


@pytest.mark.parametrize("time", ["253402300800000", "8.64e15", "-62135596800001"])
def test_a_date_that_no_variant_holds_is_an_overflow(run: Run, time: str) -> None:
    assert run.failure(f"box.Echo(new Date({time}))").number & 0xFFFF == 6
    assert run(f"try {{ box.Echo(new Date({time})) }} catch (e) {{ out(e.description.split(':')[0]) }}") == ["Overflow"]
    run(f"function late() {{ return new Date({time}) }}")
    with pytest.raises(ScriptFailure, match="Overflow"):
        run.engine.call("late")


def test_the_last_moment_of_the_year_9999_passes(run: Run) -> None:
    (moment,) = run("out(new Date(253402300799000))")
    assert isinstance(moment, datetime)
    assert moment.year == 9999
