"""VBScript.RegExp: what scripts look for in texts, and put in its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.errors import ComError
from certenroll.variants import Vacant
from tests.xenroll_compat.hosts.vbscript_runs import Recorder
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.objects.patterns import compiled
from xenroll_compat.hosts.objects.regexp import RegExp


def regexp(pattern: str, **settings: bool) -> Any:
    made: Any = RegExp()
    made.Pattern = pattern
    for name, value in settings.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a+?", "aaa", ["a", "a", "a"]),
        (r"\bCN=([^,]*)", "XCN=a,CN=b", ["CN=b"]),
        (r"[\w.-]+@[\w.-]+", "to a.b@c-d.e now", ["a.b@c-d.e"]),
        (r"^\d{2,}$", "123", ["123"]),
        (r"\d", "1\u0663", ["1"]),
        ("x$", "x\n", []),
        (r"(a)|b\1c", "bc", ["bc"]),
        (r"\x41\u0042\cJ\0", "AB\n\0", ["AB\n\0"]),
        (r"[]|z", "z", ["z"]),
        (r"[^]", "\n", ["\n"]),
        (r"[[&&--~~||]", "&", ["&"]),
        (r"[\w-.]+", "a-.b c", ["a-.b", "c"]),
        (r"[^\d\s]", "1 a", ["a"]),
        (r"[\W]", "a_-", ["-"]),
        (r"a{,2}\A\Z", "a{,2}AZ", ["a{,2}AZ"]),
        (r"\B.", "ab", ["b"]),
        ("(?:a|b)(?=c)(?!d)", "ac", ["a"]),
    ],
)
def test_a_pattern_finds_what_it_finds_on_windows(pattern: str, text: str, found: list[str]) -> None:
    matches = regexp(pattern, Global=True).Execute(text)
    assert [match.Value for match in matches._NewEnum] == found
    assert regexp(pattern).Test(text) is bool(found)


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("(a", 5020), ("a)", 5017), ("[a", 5019), ("[b-a]", 5021), ("*a", 5018), ("a++", 5018), ("(?<n>a)", 5018),
        ("a\\", 5017), ("a{5,2}", 5017), ("(?i)a", 5018),
    ],
)  # fmt: skip
def test_what_is_no_pattern_has_the_number_of_windows(pattern: str, number: int) -> None:
    with pytest.raises(ComError) as caught:
        regexp(pattern).Test("a")
    failure = automation.failure_of(caught.value, "VBScript")
    assert failure is not None
    assert failure.number == number


def test_only_the_first_place_counts_where_the_search_is_not_global() -> None:
    found = regexp("b", IgnoreCase=True).Execute("abB")
    assert (found.Count, found.Item(0).FirstIndex, found.Item(0).Length) == (1, 1, 1)
    assert regexp("b").Execute("x").Count == 0
    with pytest.raises(ComError):
        found.Item(1)


def test_groups_are_sub_matches_and_one_that_took_no_part_is_empty() -> None:
    groups = regexp("(a)(b)?").Execute("ac").Item(0).SubMatches
    assert (groups.Count, groups.Item(0), groups.Item(1)) == (2, "a", Vacant.EMPTY)


@pytest.mark.parametrize(
    ("settings", "put", "result"),
    [
        ({}, "[$1$&]", "x[aab]ab\nab"),
        ({"Global": True}, "$2$1$3$$", "xa$3$a$3$\na$3$"),
        ({"Global": True, "Multiline": True}, "-", "x--\n-"),
        ({}, "$`|$'", "xx|ab\nabab\nab"),
    ],
)
def test_what_is_put_in_may_name_groups_and_surroundings(settings: dict[str, bool], put: str, result: str) -> None:
    assert regexp("(a)b()", **settings).Replace("xabab\nab", put) == result


def test_lines_have_ends_where_that_is_asked_for() -> None:
    assert [regexp("^b$", Multiline=lines).Test("a\nb\nc") for lines in (True, False)] == [True, False]


def test_a_script_makes_one_by_new_and_by_its_name() -> None:
    script = """Set r = New RegExp : r.Pattern = "__(\\w+)__" : r.Global = True
    Echo r.Replace("a __b__ __c__", "$1"), TypeName(r)
    For Each m In r.Execute("__x__ __y__") : Echo m & "", m.SubMatches(0) : Next
    Set q = CreateObject("VBScript.RegExp") : On Error Resume Next : q.Pattern = "(" : q.Test "x" : Echo Err.Number"""
    recorder = Recorder()
    register(recorder.environment)
    assert recorder.run(script) == ["a b c RegExp", "__x__ x", "__y__ y", "5020"]


@given(st.text("ab()[]{}*+?|\\^$.-,1dwsbB:=!", max_size=12))
def test_every_text_is_a_pattern_or_one_of_the_errors(pattern: str) -> None:
    try:
        compiled(pattern, ignore_case=False, multiline=False)
    except ComError as error:
        failure = automation.failure_of(error, "VBScript")
        assert failure is not None
        assert 5017 <= failure.number <= 5021
