"""Errors: their numbers, what Err holds, and how far On Error Resume Next reaches."""

from __future__ import annotations

import pytest

from certenroll.hresults import signed
from tests.xenroll_compat.hosts.vbscript_runs import Failing, Recorder, Sample, echoed
from xenroll_compat.hosts.problems import ScriptFailure

NUMBERS = {
    "x = 1 / 0": (11, "Division by zero"),
    "x = 1 Mod 0": (11, "Division by zero"),
    "x = 1E308 * 10": (6, "Overflow"),
    "x = CInt(40000)": (6, "Overflow"),
    "x = CLng(3000000000)": (6, "Overflow"),
    "a = Array(1) : x = a(1)": (9, "Subscript out of range"),
    "Dim b(2) : ReDim b(3)": (10, "This array is fixed or temporarily locked"),
    'x = "a" * 2': (13, "Type mismatch: '[string: \"a\"]'"),
    'x = CLng("")': (13, "Type mismatch: '[string: \"\"]'"),
    "Nix 1, 2": (13, "Type mismatch: 'Nix'"),
    "x = 5 : x 1": (13, "Type mismatch: 'x'"),
    "x = UBound(5)": (13, "Type mismatch"),
    'If "abc" Then x = 1': (13, "Type mismatch: '[string: \"abc\"]'"),
    'x = Mid("a", 0)': (5, "Invalid procedure call or argument"),
    "x = CLng(Null)": (94, "Invalid use of Null"),
    "Set x = Nothing : x.Foo": (91, "Object variable not set: 'x'"),
    "x = Nothing": (91, "Object variable not set"),
    "x.Foo": (424, "Object required: 'x'"),
    "x = 5 : x.Foo = 3": (424, "Object required: 'x'"),
    "x = Null : x.Foo": (424, "Object required: 'x'"),
    "Set x = 1": (424, "Object required"),
    'Set x = "text"': (424, "Object required"),
    "x = 1 Is Nothing": (424, "Object required"),
    "sample.Nix": (438, "Object doesn't support this property or method: 'sample.Nix'"),
    "sample.Nix = 1": (438, "Object doesn't support this property or method: 'sample.Nix'"),
    "x = sample.Itself.Nix(1)": (438, "Object doesn't support this property or method: 'sample.Itself.Nix'"),
    "Set x = New C : y = x": (438, "Object doesn't support this property or method"),
    "y = failing": (438, "Object doesn't support this property or method"),
    "sample.Itself 1, 2": (450, None),
    "x = sample.Mix()": (450, None),
    "S 1": (450, "Wrong number of arguments or invalid property assignment: 'S'"),
    'x = Left("a")': (450, "Wrong number of arguments or invalid property assignment: 'Left'"),
    "For Each x In 5 : Next": (92, "For loop not initialized"),
    'Set x = CreateObject("Nix.Nada")': (429, "ActiveX component can't create object: 'Nix.Nada'"),
    'Set x = GetObject("winmgmts:")': (429, "ActiveX component can't create object: 'GetObject'"),
    "Const K = 1 : K = 2": (501, "Illegal assignment: 'K'"),
    "Set x = New Nix": (506, "Class not defined: 'Nix'"),
    'Execute "x = = 1"': (1023, "Expected expression"),
    "Err.Raise 6": (6, "Overflow"),
    "Err.Raise 9999": (9999, "Unknown runtime error"),
}


@pytest.mark.parametrize("statement", NUMBERS)
def test_an_error_has_its_number_in_err(statement: str) -> None:
    source = (
        f"Class C : End Class\nSub S : End Sub\nOn Error Resume Next\n{statement}\nEcho Err.Number\nEcho Err.Description"
    )
    number, description = echoed(source, sample=Sample(), failing=Failing())
    expected, sentence = NUMBERS[statement]
    assert number == str(expected)
    if sentence is not None:
        assert description == sentence


CODES = (0x800704C7, 0x8009000F, 0x80092004, 0x80090020, 0x800B0109, 0x80070103, 0x80070002, 0x8007000D)


def test_every_hresult_arrives_in_err_signed_and_hex_writes_it_as_it_is_known() -> None:
    source = "On Error Resume Next\n" + "".join(
        f"failing.Fail &H{code:08X}\n"
        f"Echo Err.Number, Hex(Err.Number), Err.Number = &H{code:08X}, Err.Description\nErr.Clear\n"
        for code in CODES
    )
    expected = [f"{signed(code)} {code:08X} True as told" for code in CODES]
    assert echoed(source, failing=Failing()) == expected


def test_real_members_fail_with_their_codes() -> None:
    source = """
        On Error Resume Next
        Set names = CreateObject("X509Enrollment.CX500DistinguishedName")
        Echo names.EncodedName(1)
        Echo Hex(Err.Number), Err.Source
        Err.Clear
        Set key = CreateObject("X509Enrollment.CX509PrivateKey")
        key.Open
        Echo Hex(Err.Number)
        Err.Clear
        Set ids = CreateObject("X509Enrollment.CObjectIds")
        Set id = ids.ItemByIndex(3)
        Echo Hex(Err.Number), IsEmpty(id)
        Err.Clear
        Set x = CreateObject("X509Enrollment.Nix") : Echo Err.Number, Hex(Err.Number)
        Err.Clear
        names.Nix : Echo Err.Number, Hex(Err.Number)
        Err.Clear
        names.Encode : Echo Err.Number, Hex(Err.Number)
        Err.Clear
        ids.Add "text" : Echo Err.Number, Hex(Err.Number)
        Err.Clear
        Set x = "text" : Echo Err.Number, Hex(Err.Number)"""
    lines = echoed(source)
    assert lines[-5:] == ["429 1AD", "438 1B6", "450 1C2", "13 D", "424 1A8"]
    assert lines[0] == "80040007 CertEnroll"
    assert "80070585 True" in lines[-6]


def test_provider_enumeration_ends_with_no_more_items() -> None:
    source = """
        On Error Resume Next
        Set enroll = CreateObject("CEnroll.CEnroll.1")
        enroll.ProviderType = "1"
        Do
            name = ""
            name = enroll.enumProviders(i, 0)
            If Err.Number <> 0 Then Exit Do
            i = i + 1
        Loop
        Echo i > 0, Err.Number, Hex(Err.Number), Err.Number = &H80070103, "[" & name & "]" """
    assert echoed(source) == ["True -2147024637 80070103 True []"]


SCOPES = {
    "the statement after the failing one goes on": ("On Error Resume Next\nx = 1 / 0\nEcho Err.Number", ["11"]),
    "an error in a procedure goes to the caller's handler": (
        "Sub S\nx = 1 / 0\nEcho 1\nEnd Sub\nOn Error Resume Next\nS\nEcho Err.Number", ["11"]),
    "a procedure's handler is its own": (
        "Sub S\nOn Error Resume Next\nx = 1 / 0\nEcho Err.Number\nEnd Sub\n"
        "Sub T\nS\nOn Error Resume Next\nNix\nEcho Err.Number\nEnd Sub\nT",
        ["11", "13"]),
    "On Error clears": ("On Error Resume Next\nx = 1 / 0\nOn Error Resume Next\nEcho Err.Number", ["0"]),
    "On Error GoTo 0 clears": ("On Error Resume Next\nx = 1 / 0\nOn Error GoTo 0\nEcho Err.Number", ["0"]),
    "Exit Sub clears": ("Sub S\nOn Error Resume Next\nx = 1 / 0\nExit Sub\nEnd Sub\nS\nEcho Err.Number", ["0"]),
    "the end of a procedure keeps": ("Sub S\nOn Error Resume Next\nx = 1 / 0\nEnd Sub\nS\nEcho Err.Number", ["11"]),
    "Err keeps what succeeds after": ("On Error Resume Next\nx = 1 / 0\nx = 2\nEcho Err.Number, x", ["11 2"]),
    "Err is its number": (
        "On Error Resume Next\nx = 1 / 0\n"
        "If Err Then Echo Err\nErr = 0\nEcho Err.Number = 0", ["11", "True"]),
    "a failing condition leads into the block": (
        "On Error Resume Next\nIf nix.foo Then\n"
        "Echo 1\nElse\nEcho 2\nEnd If", ["1"]),
    "a variable keeps its value": ('On Error Resume Next\nx = "" : x = nix.foo\nEcho "[" & x & "]"', ["[]"]),
    "Raise says everything": (
        'On Error Resume Next\nErr.Raise vbObjectError + 5, "me", "mine"\n'
        'Echo Err.Number, Err.Source, Err.Description, TypeName(Err.Number)',
        ["-2147221499 me mine Long"]),
    "an error within With goes on within": ("On Error Resume Next\nWith nix.foo\nEcho 1\nEnd With\nEcho 2", ["1", "2"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SCOPES)
def test_scope(case: str) -> None:
    source, lines = SCOPES[case]
    assert echoed(source) == lines


FAILURES = {
    "\n\nSub A\n  o.foo\nEnd Sub\nA": (424, "script.vbs(4, 3)"),
    "On Error Resume Next\nOn Error GoTo 0\nx = 1 / 0": (11, "script.vbs(3, 1)"),
    "Option Explicit\nx = 1": (500, "script.vbs(2, 1)"),
    "Option Explicit\nDim x\nx = y": (500, "script.vbs(3, 1)"),
    "Option Explicit\nFoo 1": (500, "script.vbs(2, 1)"),
    "failing.Fail &H8009000F": (signed(0x8009000F), "script.vbs(1, 1)"),
}


@pytest.mark.parametrize("source", FAILURES)
def test_an_error_that_nothing_handles_ends_the_script_with_its_place(source: str) -> None:
    recorder = Recorder()
    recorder.engine.define("failing", Failing())
    with pytest.raises(ScriptFailure) as caught:
        recorder.run(source)
    assert (caught.value.number, str(caught.value.place)) == FAILURES[source]


def test_an_objects_error_names_the_object_as_its_source() -> None:
    with pytest.raises(ScriptFailure) as caught:
        echoed("failing.Fail &H80070002", failing=Failing())
    assert (caught.value.source, caught.value.hresult) == ("CertEnroll", signed(0x80070002))
    with pytest.raises(ScriptFailure) as caught:
        echoed("nix.foo")
    assert (caught.value.source, caught.value.hresult) == ("Microsoft VBScript runtime error", signed(0x800A01A8))


def test_a_fault_of_ours_is_no_error_of_the_script() -> None:
    with pytest.raises(RuntimeError, match="a fault"):
        echoed("On Error Resume Next\nfailing.Break", failing=Failing())


def test_the_end_of_the_script_goes_through_on_error_resume_next() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        echoed("On Error Resume Next\nLeave", Leave=leave)


def test_an_error_beneath_a_call_of_the_host_comes_back_as_it_was() -> None:
    recorder = Recorder()
    recorder.engine.define("Back", recorder.engine.call)
    assert recorder.run('Sub S : x = 1 / 0 : End Sub\nOn Error Resume Next\nBack "S"\nEcho Err.Number') == ["11"]
