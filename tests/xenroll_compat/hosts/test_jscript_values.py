"""JScript: values on their way to automation objects and back."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from certenroll.variants import Vacant
from tests.xenroll_compat.hosts.jscript_runs import Form, Run


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        ("1", 1),
        ("-1.5", -1.5),
        ("4294967296", 4294967296),
        ("1.0", 1),
        ("true", True),
        ("'text'", "text"),
        ("''", ""),
        ("null", None),
        ("undefined", Vacant.EMPTY),
        ("[1, ['a', null]]", [1, ["a", None]]),
        ("new String('boxed')", "boxed"),
        ("new Date(1000)", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("new Date(1000).getVarDate()", datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("1 / 0", math.inf),
        ("'\\u0000a\\\\u0041'", "\0a\\u0041"),
        ("'\\ud83d\\ude00'", "\U0001f600"),
        ("'\\ud800x'", "\ud800x"),
    ],
)
def test_a_value_arrives_as_the_neutral_value_of_its_kind(run: Run, literal: str, value: Any) -> None:
    (shown,) = run(f"out({literal})")
    assert shown == value
    assert type(shown) in {type(value), *type(value).__bases__} or isinstance(value, list)


@pytest.mark.parametrize(
    "literal",
    ["1", "-2147483648", "4294967295", "9007199254740991", "0.1", "true", "'a\\u0000b'", "'\\ud800'", "null", "undefined"],
)
def test_a_value_that_an_object_gives_back_is_the_same_value(run: Run, literal: str) -> None:
    assert run(f"out(box.Echo({literal}) === {literal})") == [True]


def test_an_array_object_or_function_that_an_object_kept_is_the_scripts_own_again(run: Run) -> None:
    script = "var a = [1, 2], o = {x: 1}, f = function () {}; out(box.Echo(a) === a, box.Echo(o) === o, box.Echo(f) === f)"
    assert run(script) == [(True, True, True)]


def test_an_array_of_any_length_passes(run: Run) -> None:
    run("var a = []; for (var i = 0; i < 70000; i++) a.push(i); box.Echo(a)")
    assert run.box.Item("seen") == list(range(70000))


@pytest.mark.parametrize("length", [1, 100, 511, 512, 5000, 100_000, 3_000_000])
def test_a_string_of_any_length_and_made_in_any_way_passes(run: Run, length: int) -> None:
    run(f"var n = {length}, s = ''; for (var i = 0; i < n; i += 1000) s += new Array(Math.min(1000, n - i) + 1).join('x')")
    run("box.Echo(s)")
    assert run.box.Item("seen") == "x" * length
    assert run("out(box.Echo(s) === s, box.Echo(s + '!' + s).length, box.Echo('\\u0000' + s).length)") == [
        (True, 2 * length + 1, length + 1)
    ]


def test_bytes_are_an_array_that_vbarray_reads_and_that_goes_back_unchanged(run: Run) -> None:
    script = "var b = box.Bytes; out(typeof b, b.length, new VBArray(b).toArray(), box.Echo(b))"
    assert run(script) == [("unknown", 3, [1, 2, 255], b"\x01\x02\xff")]


def test_vbarray_reads_two_dimensions(run: Run) -> None:
    script = "var v = new VBArray(box.Rows); out(v.dimensions(), v.lbound(1), v.ubound(1), v.ubound(2), v.getItem(2, 1))"
    assert run(script) == [(2, 0, 2, 1, "f")]


@pytest.mark.parametrize(("script", "number"), [("new VBArray(5)", 5013), ("new VBArray(box.Rows).getItem(9, 0)", 9)])
def test_vbarray_refuses_what_is_no_array_and_an_index_outside(run: Run, script: str, number: int) -> None:
    assert run.failure(script).number & 0xFFFF == number


def test_a_date_of_an_object_is_a_date(run: Run) -> None:
    assert run("out(box.Moment.getTime() == Date.UTC(2003, 3, 5, 6, 7, 8), typeof box.Moment)") == [(True, "object")]


def test_dates_are_written_and_their_years_counted_as_jscript_does(run: Run) -> None:
    script = "out(/^Sun Feb 2 03:04:05 UTC([+-]\\d{4})? 2003$/.test('' + new Date(2003, 1, 2, 3, 4, 5)))"
    assert run(script) == [True]
    assert run("out(new Date(1999, 0, 1).getYear(), new Date(2003, 0, 1).getYear())") == [(99, 2003)]


def test_a_number_above_the_signed_range_stays_positive(run: Run) -> None:
    assert run("out(box.Large === 4294967295)") == [True]


def test_a_function_becomes_callable_and_has_the_element_that_it_is_called_on_as_this(run: Run) -> None:
    run("box.Item('f') = function (more) { return this.user + more }")
    function: Any = run.box.Item("f")
    assert function.call_on(Form(user="bob"), ("!",)) == "bob!"


def test_an_object_of_the_scripts_has_its_members_for_python(run: Run) -> None:
    run("var o = {count: 1}; box.Echo(o)")
    seen: Any = run.box.Item("seen")
    seen._dynamic_put("count", 5)
    assert seen._dynamic_get("count") == 5
    assert run("out(o.count)") == [5]


def test_a_symbol_and_an_array_that_holds_itself_do_not_pass(run: Run) -> None:
    assert run.failure("box.Echo(Symbol('s'))").number == -2146828275
    assert run.failure("var a = []; a.push(a); box.Echo(a)").number == -2146828275
