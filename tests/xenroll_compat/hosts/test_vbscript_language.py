"""The language: what Microsoft's VBScript reference says of its statements, operators and functions."""

from __future__ import annotations

import pytest

from tests.xenroll_compat.hosts.vbscript_runs import Recorder, echoed
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.problems import Place, ScriptFailure

EXPRESSIONS = {
    '"a" & 1 + 1 & "b"': "a2b",
    '"1" + 1': "2",
    '"1" + "1"': "11",
    "1 + True": "0",
    "7 / 2": "3.5",
    "7 \\ 2": "3",
    "-7 \\ 2": "-3",
    "-7 Mod 3": "-1",
    "2 ^ 10": "1024",
    "10 \\ 3 / 2": "5",
    "Not True": "False",
    "Not 1": "-2",
    "5 And 3": "1",
    "1 Or 2": "3",
    "True Xor True": "False",
    "2147483647 + 1": "2147483648",
    "TypeName(2147483647 + 1)": "Double",
    "TypeName(32767 + 1)": "Long",
    "&HFFFF": "-1",
    "&HFFFF&": "65535",
    "&h10& + 1": "17",
    "&O17": "15",
    "&HFFFFFFFF&": "-1",
    "&H80090016": "-2146893802",
    '"&HFF" + 0': "255",
    '"10" > 9': "True",
    "Hex(-2146893809)": "8009000F",
    "Hex(-1)": "FFFF",
    "Hex(CLng(-1))": "FFFFFFFF",
    "Hex(255)": "FF",
    "Oct(8)": "10",
    'CLng("&H80090016")': "-2146893802",
    'CInt("12")': "12",
    "CInt(2.5)": "2",
    "CInt(3.5)": "4",
    "CLng(Empty)": "0",
    "CStr(1.0)": "1",
    "CStr(1/3)": "0.333333333333333",
    "CStr(1E20)": "1E+20",
    "CStr(True)": "True",
    'CBool("True")': "True",
    'CDbl("1,234.5")': "1234.5",
    "Round(2.5)": "2",
    "Round(1.005 * 100, 1)": "100.5",
    "Int(-1.5)": "-2",
    "Fix(-1.5)": "-1",
    "Abs(-3)": "3",
    "Sgn(-3)": "-1",
    'Len("hello")': "5",
    'Left("hello", 2)': "he",
    'Right("hello", 2)': "lo",
    'Mid("hello", 2, 3)': "ell",
    'Mid("hello", 9)': "",
    'InStr("hello", "l")': "3",
    'InStr(4, "hello", "l")': "4",
    'InStr(1, "HELLO", "l", vbTextCompare)': "3",
    'InStrRev("hello", "l")': "4",
    'Replace("aXbXc", "X", "--")': "a--b--c",
    'Replace("aXbxc", "x", "", 1, -1, 1)': "abc",
    'Replace("abc", "a", "z", 2)': "bc",
    'UCase("a") & LCase("B")': "Ab",
    '"[" & Trim("  x ") & "]"': "[x]",
    '"[" & LTrim("  x ") & "]"': "[x ]",
    'Space(3) & String(2, "*") & String(2, 65)': "   **AA",
    'StrReverse("abc")': "cba",
    'StrComp("a", "B", 1)': "-1",
    'StrComp("a", "B")': "1",
    'Asc("A") & Chr(66)': "65B",
    "Asc(Chr(128))": "128",
    "AscW(ChrW(8364))": "8364",
    "AscW(ChrW(-1))": "-1",
    'UBound(Split("a,b,c", ","))': "2",
    'UBound(Split("", ","))': "-1",
    'Join(Split("a b c"), "-")': "a-b-c",
    'Join(Filter(Array("ab", "cd"), "a"), "")': "ab",
    "LBound(Array(1))": "0",
    'IsNumeric("&hff") & IsNumeric("x") & IsNumeric(Empty)': "TrueFalseTrue",
    "IsEmpty(never_set) & IsNull(Null) & IsObject(Nothing) & IsArray(Array())": "TrueTrueTrueTrue",
    'IsDate("1/2/2003") & IsDate("x")': "TrueFalse",
    "TypeName(1) & TypeName(40000) & TypeName(1.5)": "IntegerLongDouble",
    'TypeName("") & TypeName(Null) & TypeName(Empty)': "StringNullEmpty",
    "TypeName(Nothing) & TypeName(Array()) & TypeName(True)": "NothingVariant()Boolean",
    "TypeName(CByte(1)) & TypeName(CCur(1)) & TypeName(CSng(1))": "ByteCurrencySingle",
    'VarType(1) & VarType("") & VarType(Array()) & VarType(Null)': "2882041",
    "#1/2/2003#": "1/2/2003",
    "#1/2/2003 10:11:12 AM#": "1/2/2003 10:11:12 AM",
    "#10:00:00 PM#": "10:00:00 PM",
    "#1/2/2003# + 1": "1/3/2003",
    "#1/3/2003# - #1/2/2003#": "1",
    'DateAdd("d", 30, #1/1/2003#)': "1/31/2003",
    'DateDiff("d", #1/1/2003#, #3/1/2003#)': "59",
    "Year(#1/2/2003#) & Month(#1/2/2003#) & Day(#1/2/2003#)": "200312",
    "DateSerial(2003, 13, 1)": "1/1/2004",
    "FormatDateTime(#1/2/2003#, vbShortDate)": "1/2/2003",
    "FormatNumber(1234.567, 2)": "1,234.57",
    "MonthName(1) & WeekdayName(1)": "JanuarySunday",
    'Eval("1 + 2")': "3",
    "ScriptEngine": "VBScript",
    'Null & "x"': "x",
    "IsNull(Null + 1)": "True",
    "Rnd(-1) = Rnd(-1)": "True",
    "vbCrLf = Chr(13) & Chr(10)": "True",
    "vbYesNo + vbQuestion": "36",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_has_the_value_that_the_reference_gives(expression: str) -> None:
    assert echoed(f"Echo CStr({expression})") == [EXPRESSIONS[expression]]


STATEMENTS = {
    "a line goes on after an underscore": ('s = "a" & _\n  "b"\nEcho s', ["ab"]),
    "colons part statements": ("x = 1 : Echo x : Echo x + 1", ["1", "2"]),
    "Rem and apostrophes begin comments": ("Rem one\nx = 1 ' two\nEcho x : Rem three", ["1"]),
    "lines end in CR, LF or both": ("x = 1\rEcho x\r\nEcho x\nEcho x", ["1", "1", "1"]),
    "a page's comment marks are comments": ("<!--\nEcho 1\n-->\n<!--\nEcho 2\n//-->", ["1", "2"]),
    "an If on one line has an Else and colons": (
        'x = 2\nIf x = 1 Then Echo "a" : Echo "b" Else Echo "c" : Echo "d"\nEcho "e"', ["c", "d", "e"]),
    "an If on one line may end in End If": ('If True Then Echo "a" End If\nEcho "b"', ["a", "b"]),
    "an If over lines has ElseIf": ('If False Then\nElseIf True Then\nEcho "b"\nElse\nEcho "c"\nEnd If', ["b"]),
    "names stand in brackets": ("[x y] = 4\nEcho [x y]", ["4"]),
    "a Sub is called with what looks like a difference": ("Sub S(a) : Echo a : End Sub\nS -1\nS - 2", ["-1", "-2"]),
    "a Sub's arguments may begin with a parenthesis": (
        'Sub S(a, b) : Echo a, b : End Sub\nS (1) & "x", 2\nS (1), (2)\nCall S(1, 2)', ["1x 2", "1 2", "1 2"]),
    "an argument is passed by reference, one in parentheses by value": (
        "Sub Inc(x) : x = x + 1 : End Sub\nn = 1\nInc n : Echo n\nInc (n) : Echo n\nCall Inc(n) : Echo n", ["2", "2", "3"]),
    "an element is passed by reference": ("Sub Inc(x) : x = x + 1 : End Sub\na = Array(1)\nInc a(0)\nEcho a(0)", ["2"]),
    "ByVal keeps the caller's variable": ("Sub S(ByVal x) : x = 5 : End Sub\nn = 1 : S n : Echo n", ["1"]),
    "a Function calls itself": (
        "Function F(n)\nIf n < 2 Then F = 1 Else F = n * F(n - 1)\nEnd Function\nEcho F(5), F(1)", ["120 1"]),
    "a Function without arguments needs no parentheses": ('Function G : G = "g" : End Function\nEcho G & G()', ["gg"]),
    "Exit Function leaves": ("Function F\nF = 1\nExit Function\nF = 2\nEnd Function\nEcho F", ["1"]),
    "a procedure's variables are its own": (
        "Sub S : Dim x : x = 5 : y = 6 : "
        "End Sub\nx = 1 : S : Echo x, IsEmpty(y)", ["1 True"]),
    "an array is copied": ("a = Array(1, 2) : b = a : b(0) = 9 : Echo a(0), b(0)", ["1 9"]),
    "ReDim Preserve keeps the elements": (
        "ReDim a(1) : a(0) = 7 : ReDim Preserve a(5), b(2) : "
        "Echo a(0), UBound(a), UBound(b)", ["7 5 2"]),
    "an array has dimensions": ('Dim m(2, 3) : m(1, 2) = "z" : Echo m(1, 2), UBound(m), UBound(m, 2)', ["z 2 3"]),
    "Erase empties": ("Dim a(1) : a(0) = 1 : Erase a : Echo IsEmpty(a(0)), UBound(a)", ["True 1"]),
    "loops are left": (
        "For i = 1 To 9\nIf i = 3 Then Exit For\nNext\nEcho i\n"
        "Do\ni = i - 1\nIf i = 0 Then Exit Do\nLoop\nEcho i", ["3", "0"]),
    "a loop counts down": ("For i = 3 To 1 Step -1 : s = s & i : Next\nEcho s, i", ["321 0"]),
    "Do and While": (
        "Do While i < 2 : i = i + 1 : Loop\nDo : i = i + 1 : "
        "Loop Until i >= 5\nWhile i > 0 : i = i - 1 : Wend\nEcho i", ["0"]),
    "For Each goes through an array": ('For Each s In Array("a", "b") : t = t & s : Next\nEcho t', ["ab"]),
    "Select Case has lists and Else": (
        'Sub S(x)\nSelect Case x\nCase 1, 2: Echo "low"\nCase "a"\nEcho "a"\n'
        'Case Else Echo "else"\nEnd Select\nEnd Sub\nS 2 : S "a" : S 9',
        ["low", "a", "else"]),
    "a text and a number as variables are not equal": ('x = "1" : y = 1 : Echo x = y, x = 1, y = "1"', ["False True True"]),
    "constants": ("Const A = -1, B = \"b\"\nEcho A, B", ["-1 b"]),
    "Execute runs in the procedure, ExecuteGlobal outside": (
        'Sub S\nDim x\nExecute "x = 2"\nExecuteGlobal "x = 3"\nEcho x\nEnd Sub\nS\nEcho x', ["2", "3"]),
    "ExecuteGlobal defines procedures": ('ExecuteGlobal "Function Z(a) : Z = a * 2 : End Function"\nEcho Z(4)', ["8"]),
    "GetRef refers to a procedure": (
        "Function F(a) : F = a & a : End Function\n"
        "Set r = GetRef(\"f\")\nEcho r(\"x\")", ["xx"]),
    "procedures and classes may be used before their text": (
        "S\nSub S : Echo TypeName(New C) : "
        "End Sub\nClass C\nEnd Class", ["C"]),
    "names have no case": ("FOO = 1 : Echo foo\nSub Bar : Echo FoO : End Sub\nbAR", ["1", "1"]),
    "With works on its subject": (
        "Class C : Public v, w : Sub P(x) : Echo x, v : End Sub : End Class\n"
        "Set o = New C\nWith o\n.v = 3\n.w = .v + 1\n.P .w\nEnd With",
        ["4 3"]),
    "a class has arrays": (
        "Class C\nDim a(3)\nPrivate b(2)\nPublic Function U : U = UBound(b) : End Function\nEnd Class\n"
        "Set o = New C : o.a(1) = 5 : Echo o.a(1), UBound(o.a), o.U", ["5 3 2"]),
    "soft keywords are names": ("Dim property, default : property = 1 : default = 2 : Echo property + default", ["3"]),
    "a variable may be called err": ("Dim err : err = 3 : Echo err", ["3"]),
}  # fmt: skip


@pytest.mark.parametrize("case", STATEMENTS)
def test_statement(case: str) -> None:
    source, lines = STATEMENTS[case]
    assert echoed(source) == lines


def test_a_class_has_fields_properties_methods_a_default_and_an_initializer() -> None:
    source = """
        Class Account
            Private held
            Public Name
            Private Sub Class_Initialize : held = 7 : Name = "n" : End Sub
            Public Property Get Amount : Amount = held : End Property
            Public Property Let Amount(value) : held = value * 2 : End Property
            Public Property Get Part(i) : Part = held + i : End Property
            Public Property Let Part(i, value) : held = value + i : End Property
            Public Property Set Owner(value) : Name = value.Name & "!" : End Property
            Public Default Function Twice(x) : Twice = x * 2 : End Function
            Public Function Self : Set Self = Me : End Function
            Private Sub Hidden : End Sub
        End Class
        Dim a : Set a = New Account
        Echo a.Amount, a(4), a.Part(1), TypeName(a)
        a.Amount = 5 : Echo a.Amount
        a.Part(2) = 40 : Echo a.Amount
        Set a.Owner = New Account : Echo a.Name
        Echo a.Self.Self().Amount
        On Error Resume Next
        a.Hidden : Echo Err.Number
        Echo a.held
        Echo Err.Number"""
    assert echoed(source) == ["7 8 8 Account", "10", "42", "n!", "42", "438", "438"]


SYNTAX_ERRORS = {
    "x = 1 +": 1023,
    'x = "abc': 1033,
    "If x Then\n y\n": 1014,
    "Dim a\nDim a": 1041,
    "Foo(1, 2)": 1044,
    "x = 1 2": 1025,
    "For i = 1 To 3\nNext i": 1025,
    "Do\nx = 1": 1019,
    "While x": 1018,
    "If x": 1017,
    "Loop": 1038,
    "x = (1": 1006,
    "x = \x01": 1032,
    "Dim 5": 1010,
    "Set x 5": 1011,
    "Select x": 1021,
}


@pytest.mark.parametrize("source", SYNTAX_ERRORS)
def test_a_text_that_is_no_vbscript_is_refused_with_its_number(source: str) -> None:
    with pytest.raises(ScriptFailure) as caught:
        echoed(f"Echo 1\n\n{source}")
    assert (caught.value.number, caught.value.source) == (SYNTAX_ERRORS[source], "Microsoft VBScript compilation error")
    assert caught.value.place.file == "script.vbs"
    assert caught.value.place.line >= 3


def test_nothing_runs_of_a_text_with_a_syntax_error() -> None:
    recorder = Recorder()
    with pytest.raises(ScriptFailure):
        recorder.run("Echo 1\nIf")
    assert recorder.lines == []


def test_the_namespace_lives_from_one_text_to_the_next() -> None:
    recorder = Recorder()
    recorder.run("Dim x : x = 1\nFunction F(a) : F = a + x : End Function")
    assert recorder.run("x = 5 : Echo F(1)") == ["6"]
    assert (recorder.engine.has("X"), recorder.engine.has("f"), recorder.engine.has("nix")) == (True, True, False)
    assert recorder.engine.get("x") == 5
    assert recorder.engine.get("nix") is automation.MISSING
    assert recorder.engine.get("F")(2) == 7
    assert recorder.engine.call("f", [3]) == 8
    recorder.engine.put("x", 10)
    assert recorder.engine.call("F", [1]) == 11


def test_a_handler_is_a_function_of_its_code() -> None:
    recorder = Recorder()
    recorder.run("Sub createRequest(x) : Echo x : End Sub")
    recorder.engine.handler('createRequest "a"', (), Place("page.htm", 3, 20))()
    recorder.engine.handler("createRequest(e)", ("e",), Place("page.htm", 3, 20))(7)
    assert recorder.lines == ["a", "7"]
    with pytest.raises(ScriptFailure) as caught:
        recorder.engine.handler("nix.foo", (), Place("page.htm", 3, 20))()
    assert (caught.value.number, str(caught.value.place)) == (424, "page.htm(3, 20)")


def test_a_name_that_nobody_defined_is_asked_for() -> None:
    recorder = Recorder()
    asked: list[str] = []

    def lookup(name: str) -> object:
        asked.append(name)
        return "found" if name.lower() == "username" else automation.MISSING

    recorder.engine.resolve_missing_with(lookup)
    assert recorder.run("Echo UserName, IsEmpty(Other)") == ["found True"]
    assert asked == ["UserName", "Other"]


def test_a_function_of_the_host_is_called_with_and_without_call() -> None:
    assert echoed("Pair 1, 2\nCall Pair(3, 4)\nEcho Pair(5, 6)", Pair=lambda a, b: a + b) == ["11"]


def test_dangerous_names_of_the_library_are_not_there() -> None:
    names = ("Server", "Response", "Request", "Session", "Application", "ASPPY", "HttpGet", "json", "Python")
    assert echoed("\n".join(f"Echo IsEmpty({name})" for name in names)) == ["True"] * len(names)
