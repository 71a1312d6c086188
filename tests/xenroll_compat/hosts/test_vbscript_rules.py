"""What Windows refuses is refused, with its number and place; and values have the subtypes that Windows gives them."""

from __future__ import annotations

import pytest

from tests.xenroll_compat.hosts.vbscript_runs import Recorder, echoed
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.problems import Place, ScriptFailure

REFUSED = {
    "Exit For": (1039, "script.vbs(1, 1)"),
    "Do\nExit For\nLoop": (1039, "script.vbs(2, 1)"),
    "While True\nExit Do\nWend": (1039, "script.vbs(2, 1)"),
    "Sub S\nExit Function\nEnd Sub": (1039, "script.vbs(2, 1)"),
    "For i = 1 To 2\nSub S\nExit For\nEnd Sub\nNext": (1039, "script.vbs(3, 1)"),
    "Class C\nFunction F\nExit Sub\nEnd Function\nEnd Class": (1039, "script.vbs(3, 1)"),
    "Exit Sub": (1039, "script.vbs(1, 1)"),
    "Select Case 1\nCase 1\nExit Select\nEnd Select": (1039, "script.vbs(3, 1)"),
    "Const a = 1\nConst a = 2": (1041, "script.vbs(2, 1)"),
    "Dim a\nConst a = 2": (1041, "script.vbs(2, 1)"),
    "Sub S(a)\nConst a = 2\nEnd Sub": (1041, "script.vbs(2, 1)"),
    "Const a = b": (1045, "script.vbs(1, 1)"),
    "Const a = vbCr & vbLf": (1045, "script.vbs(1, 1)"),
    "Const a = Left(5, 1)": (1045, "script.vbs(1, 1)"),
    "Const a = 1 + 2": (1025, "script.vbs(1, 1)"),
    "Sub S\nSub T\nEnd Sub\nEnd Sub": (1002, "script.vbs(2, 1)"),
    "Sub S\nPrivate Function T\nEnd Function\nEnd Sub": (1002, "script.vbs(2, 1)"),
    "Property Get P\nEnd Property": (1048, "script.vbs(1, 1)"),
    "\nDim a(-5)": (1026, "script.vbs(2, 5)"),
    "Const k = 5\nDim n\nDim a(k)": (1026, "script.vbs(3, 5)"),
    "Class C\nPrivate a(n)\nEnd Class": (1026, "script.vbs(1, 1)"),
    "x = 1\n/ 5": (1024, "script.vbs(2, 1)"),
    "Next": (1055, "script.vbs(1, 1)"),
    "x = " + "1" * 6_000: (6, "script.vbs(1, 5)"),
    "x = 1e400": (6, "script.vbs(1, 5)"),
    "\nConst d = #99/99/99#": (13, "script.vbs(2, 1)"),
    "Sub S\nConst d = #99/99/99#\nEnd Sub\nS": (13, "script.vbs(2, 1)"),
}


@pytest.mark.parametrize("source", REFUSED, ids=lambda source: source[:40])
def test_what_windows_refuses_has_its_number_and_its_place(source: str) -> None:
    with pytest.raises(ScriptFailure) as caught:
        echoed(source)
    assert (caught.value.number, str(caught.value.place)) == REFUSED[source]


ACCEPTED = {
    "an Exit leaves the loop around an If": ("For i = 1 To 9\nIf i = 3 Then Exit For\nNext\nEcho i", ["3"]),
    "an Exit Do stands within a For": ("Do\nFor i = 1 To 9\nExit Do\nNext\nLoop\nEcho i", ["1"]),
    "a constant has a sign, brackets, or is a word": (
        "Const a = -1, b = (5), c = Nothing, d = Empty\nEcho a, b, c, IsEmpty(d)", ["-1 5 Nothing True"]),
    "a procedure may stand within an If": ("If False Then\nSub S\nEcho 1\nEnd Sub\nEnd If\nS", ["1"]),
    "a procedure has constants of its own": (
        "Const a = 1\nSub S\nConst a = 2\nEcho a\nEnd Sub\nS\nEcho a", ["2", "1"]),
    "a variable has the name of a function once it is declared": ("Dim Left\nLeft = 5\nEcho Left", ["5"]),
    "Array takes any number of values": (f"a = Array({'1, ' * 299}1)\nEcho UBound(a)", ["299"]),
    "a name in brackets has blanks": ("Dim [my var]\n[my var] = 1\nEcho [my var] + [MY VAR]", ["2"]),
    "a name in brackets is a keyword": (
        "[next] = 1 : [and] = 2 : [true] = 3\nEcho [next] + [And] + [True], True", ["6 True"]),
    "a member stands in brackets": (
        'Set d = CreateObject("Scripting.Dictionary")\nd.[Add] "k", 4\nEcho d.[Count], d.[item]("k")', ["1 4"]),
    "an array without a size is assigned to": ("Dim a()\na = Array(7)\nEcho a(0)", ["7"]),
    "a line that begins with two slashes is a comment": ("// SHARED.VBS\n<!--\nEcho 1\n// -->", ["1"]),
    "a long row of zeros is a number": (f"x = {'0' * 6_000}7\nEcho x, TypeName(x)", ["7 Integer"]),
    "a number past a Long is a Double": (
        "x = 2147483648 : Echo x, TypeName(x), 99999999999999999999", ["2147483648 Double 1E+20"]),
    "an array in parentheses is passed as a copy": (
        "Sub S(a)\na(0) = 2\nEnd Sub\nx = Array(1)\nS (x)\nEcho x(0)\nS x\nEcho x(0)", ["1", "2"]),
    "a parameter is told to be an array": ("Sub S(a(), ByVal b())\nEcho a(0), b(0)\nEnd Sub\nS Array(1), Array(2)", ["1 2"]),
    "a method of an expression is called": (
        "Class C\nSub P\nEcho 1\nEnd Sub\nEnd Class\nCall (New C).P\nCall (New C).P()", ["1", "1"]),
    "a variable is called step": (
        "Dim step\nstep = 3\nFor i = 1 To 9 Step step : n = n & i : Next\nEcho n\n"
        "For i = 1 To step _\n  Step 2 : m = m & i : Next\nEcho m", ["147", "13"]),
    "a variable that went through a collection is empty": (
        'Set d = CreateObject("Scripting.Dictionary")\nd.Add 1, 2\nFor Each k In d : Next\nEcho IsEmpty(k)', ["True"]),
    "a member has a keyword's name": (
        'On Error Resume Next\nSet d = CreateObject("Scripting.Dictionary")\nx = d.rem\nEcho Err.Number\nx = d.next',
        ["438"]),
    "a moniker makes an object": (
        'Set d = GetObject("new:Scripting.Dictionary")\nEcho d.Count\n'
        'Set d = GetObject("new:{EE09B103-97E0-11CF-978F-00A02463E06F}")\nEcho d.Count\n'
        'Set d = GetObject("", "Scripting.Dictionary")\nEcho d.Count', ["0", "0", "0"]),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_windows_accepts_is_run(case: str) -> None:
    source, lines = ACCEPTED[case]
    recorder = Recorder()
    register(recorder.environment)
    assert recorder.run(source) == lines


ERRORS = {
    "Dim a(2) : a = 5": (13, "Type mismatch: 'a'"),
    "Dim a(2) : Set a = New C": (13, "Type mismatch: 'a'"),
    "Set o = New C : o.f = 5": (13, "Type mismatch: 'o.f'"),
    "Date = 5": (501, "Illegal assignment: 'Date'"),
    "Left = 5": (501, "Illegal assignment: 'Left'"),
    "vbCr = 5": (501, "Illegal assignment: 'vbCr'"),
    "For Each Left In Array(1) : Next": (501, "Illegal assignment: 'Left'"),
    'a = CreateObject("Scripting.Dictionary")': (450, "Wrong number of arguments or invalid property assignment"),
    'Set a = GetObject("No.Such")': (429, "ActiveX component can't create object: 'GetObject'"),
    'Set a = GetObject("new:No.Such")': (429, "ActiveX component can't create object: 'GetObject'"),
    'MsgBox "q", 77': (5, "Invalid procedure call or argument: 'MsgBox'"),
    'Set r = New RegExp : r.Pattern = "(" : x = r.Test("")': (5020, "Expected ')' in regular expression"),
    'Set r = New RegExp : r.Pattern = "[" : x = r.Test("")': (5019, "Expected ']' in regular expression"),
    'Set r = New RegExp : r.Pattern = "*" : x = r.Test("")': (5018, "Unexpected quantifier"),
    'x = Weekday("abc")': (13, "Type mismatch"),
    "x = RGB(-1, 0, 0)": (5, "Invalid procedure call or argument"),
    'x = Rnd("-1e308")': (6, "Overflow"),
    'Execute "x = &O9"': (1031, "Invalid number"),
    'x = Eval("' + "1" * 6_000 + '")': (6, "Overflow"),
    'Execute "x = ' + "1" * 6_000 + '"': (6, "Overflow"),
    **{
        f'{statement}"1e400"{end}': (6, "Overflow")
        for statement, end in (
            ("x = Int(", ")"), ("x = Fix(", ")"), ("x = Sin(", ")"), ("x = Tan(", ")"), ("x = Abs(", ")"), ("x = Hex(", ")"),
            ("x = CDbl(", ")"), ("x = Round(", ")"), ("Err.Raise ", ""), ("Err.Number = ", ""),
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("statement", ERRORS, ids=lambda statement: statement[:40])
def test_a_statement_that_windows_refuses_has_its_number_in_err(statement: str) -> None:
    recorder = Recorder()
    register(recorder.environment)
    source = f"Class C : Public f(2) : End Class\nOn Error Resume Next\n{statement}\nEcho Err.Number\nEcho Err.Description"
    number, description = ERRORS[statement]
    assert recorder.run(source)[-2:] == [str(number), description]


VALUES = {
    'IsNumeric("$5") & IsNumeric("(5)") & IsNumeric("5-") & IsNumeric("1,234")': "TrueTrueTrueTrue",
    'IsNumeric("(5") & IsNumeric("5)") & IsNumeric("-(5)") & IsNumeric("1e400")': "FalseFalseFalseFalse",
    'CDbl("(5)") & CDbl("$1,234.5") & CDbl("5-")': "-51234.5-5",
    "TimeSerial(25, 0, 0)": "12/31/1899 1:00:00 AM",
    "TimeSerial(1, 75, 0)": "2:15:00 AM",
    'Weekday("1/1/2020") & IsNull(Year(Null)) & Month("2/3/2004")': "4True2",
    'TypeName("10" + 5) & TypeName("1" * "2") & TypeName(-"5") & TypeName(Abs("-5"))': "DoubleDoubleDoubleDouble",
    "TypeName(5 \\ 2) & TypeName(5 And 3) & TypeName(7 Mod 3) & TypeName(Not 1)": "IntegerIntegerIntegerInteger",
    "TypeName(CLng(5) \\ 2) & TypeName(5 And 40000) & TypeName(7.0 Mod 3) & TypeName(Not 40000)": "LongLongLongLong",
    "TypeName(RGB(1, 2, 3)) & RGB(300, 0, 0)": "Long255",
    "TypeName(-32768) & TypeName(-32767) & TypeName(40000 - 39999)": "LongIntegerLong",
    '("" = True) & ("true" = True) & ("True" <> False)': "FalseFalseTrue",
    "(2 >< 1) & (2 >< 2) & (2 => 1) & (1 =< 0)": "TrueFalseTrueFalse",
    'CBool("#TRUE#") & CBool("#false#")': "TrueFalse",
    "+--+-+1": "-1",
    "-2 ^ 2": "4",
    "-3 ^ 2 * 2": "18",
    "2 ^ -1 ^ 2": "0.25",
    "2 ^ 3 ^ 2": "64",
}


@pytest.mark.parametrize("expression", VALUES)
def test_a_value_has_the_subtype_that_windows_gives_it(expression: str) -> None:
    assert echoed(f"Echo CStr({expression})") == [VALUES[expression]]


def test_an_event_handler_may_be_left() -> None:
    recorder = Recorder()
    recorder.engine.handler("Echo 1\nExit Sub\nEcho 2", (), Place("page.htm", 3, 20))()
    assert recorder.lines == ["1"]
