"""Automation objects in a script: members of every kind, collections, byte arrays, arguments left out."""

from __future__ import annotations

import io

import pytest

from certenroll.com import observe
from certenroll.variants import Vacant
from tests.xenroll_compat.hosts.vbscript_runs import Recorder, Sample, Samples, echoed
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.problems import Place, ScriptFailure
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.hosts.vbscript import engine

CASES = {
    "a property is read and written": ('s.Value = "x" : Echo s.Value, s.vALUE', ["x x"]),
    "a method without arguments needs no parentheses": ("Echo s.Itself.Value & s.Itself().Value", ["firstfirst"]),
    "a property with a parameter is read with and without it": (
        "Echo s.RawData, s.RawData(3), s.RawData()", ["raw1 raw3 raw1"]),
    "a property with a parameter is written": ('s.Parameter(1) = "v" : Echo s.Parameter(1) & s.Parameter(2)', ["v"]),
    "an argument left out has its default": ('Echo s.Mix(1, , "c"), s.Mix(1), s.Mix(1, 2)', ["1,5,c 1,5, 1,2,"]),
    "calls as statements": ('s.Mix 1\ns.Mix 1, , "c"\ns.Mix (1)\nCall s.Mix(1, 2)\nEcho "done"', ["done"]),
    "the default property stands for the object": (
        'Echo "" & s, s = "first" : x = s : Echo TypeName(x)', ["first True", "String"]),
    "the default property is kept by Set": ("Set x = s : Echo TypeName(x), IsObject(x)", ["Sample True"]),
    "bytes are a Byte array": (
        "b = s.Octets : Echo TypeName(b), VarType(b), IsArray(b), LenB(b), UBound(b), AscB(MidB(b, 3, 1)), b(0)",
        ["Byte() 8209 True 3 2 255 1"]),
    "a list is an array": ("For Each n In s.Names : Echo n : Next\nx = s.Names : Echo x(1), UBound(x)", ["a", "b", "b 1"]),
    "a method without an object gives Nothing": ("Set x = s.Nothing : Echo x Is Nothing", ["True"]),
    "an object is itself": ("Echo s Is s.Itself, s Is many", ["True False"]),
    "a collection is indexed and gone through": (
        "Echo many(1).Value, many.ItemByIndex(0).Value, many.Count\nFor Each one In many : Echo one.Value : Next",
        ["first first 2", "first", "first"]),
    "With works on an object": ('With s\n.Value = "w"\nEcho .Value, .Mix(1)\n.Mix 1, 2\nEnd With', ["w 1,5,"]),
    "a value arrives as what it is": (
        'Echo s.Kind(1), s.Kind("t"), s.Kind(True), s.Kind(1.5), s.Kind(Nothing), s.Kind(CLng(7))',
        ["int:1 str:t bool:True float:1.5 NoneType:None int:7"]),
    "Empty and Null arrive apart": ("Echo s.Kind(never), s.Kind(Null)", ["Vacant:Vacant.EMPTY Vacant:Vacant.NULL"]),
    "an array arrives as a list": ("Echo s.Kind(Array(1, 2))", ["list:[1, 2]"]),
    "an object of the object model may be a property's value without Set": (
        'Set key = CreateObject("X509Enrollment.CX509PrivateKey")\nSet id = CreateObject("X509enrollment.cobjectid.1")\n'
        'id.InitializeFromValue "1.2.840.113549.1.1.1"\nkey.Algorithm = id\nEcho key.Algorithm.Value',
        ["1.2.840.113549.1.1.1"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_member(case: str) -> None:
    source, lines = CASES[case]
    assert echoed(source, s=Sample(), many=Samples([Sample(), Sample()])) == lines


def test_an_observer_sees_a_scripts_calls_and_err_is_none_of_them() -> None:
    seen: list[str] = []
    with observe(lambda call: seen.append(f"{call.kind} {call.member}")):
        echoed("On Error Resume Next\ns.Value = 1\nx = s.Value\ny = Err.Number\ns.Mix 1", s=Sample())
    assert seen == ["put Value", "get Value", "call Mix"]


def test_a_procedure_that_a_host_is_given_can_be_called_from_there() -> None:
    kept = []
    recorder = Recorder()
    recorder.engine.define("Keep", kept.append)
    recorder.run('Function F(a) : F = a & "!" : End Function\nKeep GetRef("F")')
    assert kept[0]("x") == "x!"


def test_a_missing_package_of_objects_leaves_the_place_of_the_call() -> None:
    with pytest.raises(ScriptFailure) as caught:
        echoed('x = 1\nSet o = CreateObject("Nix.Nada")')
    assert (caught.value.number, caught.value.place.line) == (429, 2)


def test_microsofts_way_to_enroll_runs_as_it_is_written() -> None:
    source = """
        Dim objFactory, objDN, objIds, objId
        Set objFactory = CreateObject("X509Enrollment.CX509EnrollmentWebClassFactory")
        Set objDN = objFactory.CreateObject("X509Enrollment.CX500DistinguishedName")
        Call objDN.Encode("CN=" & "me" & ";O=" & "us", 0)
        Set objIds = objFactory.CreateObject("X509Enrollment.CObjectIds")
        Set objId = objFactory.CreateObject("X509Enrollment.CObjectId")
        objId.InitializeFromValue("1.3.6.1.5.5.7.3.2")
        objIds.Add objId
        Echo objDN.Name
        Echo objIds.Count, objIds(0).Value, objIds.ItemByIndex(0).Value
        For Each objId In objIds : Echo objId.Value : Next"""
    lines = echoed(source)
    assert lines[1:] == ["1 1.3.6.1.5.5.7.3.2 1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.2"]
    assert "CN=me" in lines[0]


def test_message_boxes_and_prompts_are_answered_by_the_settings() -> None:
    output = io.StringIO()
    environment = Environment(RunSettings(answers=("no",), inputs=("typed",)), output)
    made = engine(environment)
    made.execute(
        'a = MsgBox("Sure?" & vbCrLf & 1, vbYesNo + vbQuestion, "Title")\n'
        'b = InputBox("Name?") : c = InputBox("Again?", , "x")\nMsgBox "done"',
        Place("script.vbs", 1, 1),
    )
    assert (made.get("a"), made.get("b"), made.get("c")) == (7, "typed", Vacant.EMPTY)
    assert "Sure?" in output.getvalue()
    assert "typed" not in output.getvalue()


def test_a_host_may_have_its_own_message_box() -> None:
    assert echoed('Echo MsgBox("x", vbOKOnly)', MsgBox=lambda text, buttons: f"{text}{buttons}") == ["x0"]


def test_a_property_of_the_window_is_written_without_its_name_and_another_name_is_a_variable() -> None:
    window = Sample()
    recorder = Recorder()
    recorder.engine.define("window", window)
    recorder.engine.resolve_missing_with(lambda name: "of the host")
    assert recorder.run('value = "new" : other = 5 : Echo window.Value, other, third') == ["new 5 of the host"]
    assert (window.Value, recorder.engine.has("value"), recorder.engine.get("other")) == ("new", False, 5)
