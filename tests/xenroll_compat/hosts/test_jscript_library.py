"""JScript: what its own strings, regular expressions, dates and numbers do otherwise than ECMAScript's."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.xenroll_compat.hosts.jscript_runs import Run

MATCHED = "RegExp.$1, RegExp.$2, RegExp.$9, RegExp.lastParen, RegExp.lastMatch"
SURROUNDED = "RegExp.leftContext, RegExp.rightContext, RegExp.index, RegExp.lastIndex, RegExp.input"
SIGNS = "RegExp['$&'], RegExp['$+'], RegExp['$`'], RegExp[\"$'\"], RegExp.$_"


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.mark.parametrize(
    "match",
    [
        "/(\\d+)-(c)/.exec(s)",
        "/(\\d+)-(c)/.test(s)",
        "s.match(/(\\d+)-(c)/)",
        "s.match(/(\\d+)-(c)/g)",
        "s.replace(/(\\d+)-(c)/, '')",
        "s.replace(/(\\d+)-(c)/g, function () { return '' })",
        "s.search(/(\\d+)-(c)/)",
        "s.split(/(\\d+)-(c)/)",
    ],
)
def test_regexp_tells_of_the_last_match_however_it_was_made(run: Run, match: str) -> None:
    script = f"var s = 'ab12-cd'; {match}; /none/.test(s); out({MATCHED}); out({SURROUNDED}); out({SIGNS})"
    assert run(script) == [
        ("12", "c", "", "c", "12-c"),
        ("ab", "d", 2, 6, "ab12-cd"),
        ("12-c", "c", "ab", "d", "ab12-cd"),
    ]


def test_before_any_match_regexp_tells_of_none(run: Run) -> None:
    assert run(f"out({MATCHED}); out({SURROUNDED})") == [("", "", "", "", ""), ("", "", -1, -1, "")]


def test_the_function_of_a_replacement_sees_its_own_match(run: Run) -> None:
    assert run("'a1b2'.replace(/(\\d)/g, function () { out(RegExp.$1); return '' })") == ["1", "2"]


def test_what_a_script_does_to_a_match_does_not_change_the_last_one(run: Run) -> None:
    assert run("var m = /(a)/.exec('a'); m[1] = 'other'; RegExp.$1 = 5; out(RegExp.$1)") == ["a"]


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("'a1b2'.split(/\\d/)", ["a", "b"]),
        ("'a1b2c'.split(/(\\d)/)", ["a", "b", "c"]),
        ("'1a12b'.split(/\\d/)", ["a", "b"]),
        ("'abc'.split(/(?:)/)", ["a", "b", "c"]),
        ("'aXbxc'.split(/x/i, 2)", ["a", "b"]),
        ("'a\\nb'.split(/^/m).length", 2),
        ("''.split(/x/)", [""]),
        ("'xx'.split(/x/)", []),
        ("(function () { var n = 0; for (var i in 'a1b'.split(/\\d/)) n++; return n })()", 2),
        ("''.split(/(?:)/)", []),
        ("'ab'.split(/b/, 0)", []),
        ("'a,,b'.split(',')", ["a", "", "b"]),
        ("'ab'.split('')", ["a", "b"]),
        ("'a b'.split()", ["a b"]),
        ("'abc'.match(/(x)?/)[1]", ""),
        ("/a(x)?(c)?/.exec('abc').slice(1)", ["", ""]),
        ("'abc'.replace(/(x)?b/, function (all, x) { return '[' + x + ']' })", "a[]c"),
        ("'abab'.match(/a/g).length", 2),
        ("'abc'.match(/x/)", None),
    ],
)
def test_a_string_is_split_and_matched_as_jscript_does(run: Run, expression: str, result: Any) -> None:
    assert run(f"out({expression})") == [result]


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        ("'010'", 8), ("'08'", 0), ("'-017'", -15), ("' +010 '", 8), ("'0x1f'", 31), ("'010', 10", 10), ("'010', 8", 8),
        ("'12px'", 12), ("'0'", 0), ("0.5", 0), ("8.5", 8), ("''", math.nan), ("'x'", math.nan),
    ],
)  # fmt: skip
def test_parseint_takes_a_number_that_begins_with_0_as_octal(run: Run, arguments: str, number: float) -> None:
    assert run(f"out(parseInt({arguments}))") == [pytest.approx(number, nan_ok=True)]


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("toString", "Thu Jan 2 03:04:05 UTC+0100 2003"),
        ("toDateString", "Thu Jan 2 2003"),
        ("toTimeString", "03:04:05 UTC+0100"),
        ("toLocaleString", "Thursday, January 02, 2003 3:04:05 AM"),
        ("toLocaleDateString", "Thursday, January 02, 2003"),
        ("toLocaleTimeString", "3:04:05 AM"),
        ("toUTCString", "Thu, 2 Jan 2003 02:04:05 UTC"),
        ("toGMTString", "Thu, 2 Jan 2003 02:04:05 UTC"),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_date_is_spelled_as_jscript_spells_it(run: Run, method: str, text: str) -> None:
    assert run(f"var d = new Date(2003, 0, 2, 3, 4, 5); out(d.{method}(), new Date(NaN).{method}())") == [(text, "NaN")]


@pytest.mark.parametrize(("hour", "text"), [(0, "12:00:00 AM"), (12, "12:00:00 PM"), (23, "11:00:00 PM")])
def test_the_hours_of_a_locale_time_are_those_of_a_clock(run: Run, hour: int, text: str) -> None:
    assert run(f"out(new Date(2003, 0, 2, {hour}).toLocaleTimeString())") == [text]


def test_what_a_date_is_spelled_as_a_date_is_made_of(run: Run) -> None:
    script = "var d = new Date(2003, 10, 22, 13, 4, 5), n = d.getTime(); "
    assert run(script + "out(new Date(d.toLocaleString()) - n, new Date('' + d) - n, new Date(d.toUTCString()) - n)") == [
        (0, 0, 0)
    ]
