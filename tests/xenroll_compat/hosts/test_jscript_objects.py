"""JScript: automation objects, CertEnroll's and the control's among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.variants import Vacant
from tests.xenroll_compat.hosts.jscript_runs import Form, Run
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.wscript import WScript
from xenroll_compat.hosts.settings import RunSettings

IDS = """
var ids = new ActiveXObject("X509Enrollment.CObjectIds");
function add(text) {
  var id = new ActiveXObject("x509enrollment.cobjectid.1");
  id.initializefromvalue(text);
  ids.Add(id);
  return id;
}
var first = add("1.2.3"), second = add("1.2.4");
"""


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))


@pytest.fixture
def run() -> Run:
    return Run()


def test_members_are_found_without_regard_to_case(run: Run) -> None:
    assert run(IDS + "out(ids.COUNT, ids.count, first.VALUE, ids.itembyindex(1).Value)") == [(2, 2, "1.2.3", "1.2.4")]


def test_an_object_is_equal_to_itself_however_it_was_reached(run: Run) -> None:
    assert run(IDS + "out(ids.ItemByIndex(0) === first, ids(1) === second, ids[0] === first, first == second)") == [
        (True, True, True, False)
    ]


def test_an_enumerator_goes_through_a_collection(run: Run) -> None:
    script = "for (var e = new Enumerator(ids); !e.atEnd(); e.moveNext()) out(e.item().Value);"
    assert run(IDS + script + "e.moveFirst(); out(e.item().Value)") == ["1.2.3", "1.2.4", "1.2.3"]


def test_an_enumerator_at_its_end_has_no_item(run: Run) -> None:
    assert run("var e = new Enumerator(new ActiveXObject('X509Enrollment.CObjectIds')); out(e.atEnd(), e.item())") == [
        (True, Vacant.EMPTY)
    ]


@pytest.mark.parametrize("collection", ["5", "[1]", "box"])
def test_an_enumerator_refuses_what_is_no_collection(run: Run, collection: str) -> None:
    assert run.failure(f"new Enumerator({collection})").number == -2146827837


def test_typeof_an_object_is_object_and_of_its_method_function(run: Run) -> None:
    assert run(IDS + "out(typeof ids, typeof(ids), typeof ids.Count, typeof ids.Add, typeof ids.Nothing)") == [
        ("object", "object", "number", "function", "undefined")
    ]


def test_a_for_in_over_an_object_finds_nothing_and_in_asks_for_a_member(run: Run) -> None:
    assert run(IDS + "for (var k in ids) out(k); out('Count' in ids, 'Nothing' in ids)") == [(True, False)]


def test_a_property_with_parameters_is_a_value_without_a_call_and_takes_arguments_with_one(run: Run) -> None:
    script = """
        var name = new ActiveXObject("X509Enrollment.CX500DistinguishedName");
        name.Encode("CN=x", 0);
        var text = name.EncodedName;
        out(typeof text, text === name.EncodedName(), text, name.EncodedName.length, name.encodedname(4).substr(0, 5));
        var other = name["EncodedName"];
        out(typeof other, other.length, other + "!", box.Echo(other));"""
    base64 = "MAwxCjAIBgNVBAMMAXg=\r\n"
    assert run(script) == [("string", True, base64, 22, "30 0c"), ("string", 22, base64 + "!", base64)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("ids.Count()", 2),
        ("ids.count() + 1", 3),
        ("typeof ids.Count()", "number"),
        ("first.Value().length", 5),
        ("ids.ItemByIndex(0).Value()", "1.2.3"),
        ("wsh.Arguments().Count()", 0),
        ("wsh.Version().toString()", "5.8"),
        ("box.Large() === box.Large", True),
        ("box.Environment()", "of PROCESS"),
        ("form.self().user()", "bob"),
        ("form.called()", True),
        ("({f: function () { return this.v }, v: 3}).f()", 3),
        ("'abc'.toUpperCase()", "ABC"),
    ],
)
def test_a_property_called_without_arguments_is_its_value(run: Run, expression: str, value: object) -> None:
    form = Form(user="bob")
    form._fields["self"] = form
    run.engine.define("form", form)
    run.engine.define("wsh", WScript(Environment(RunSettings()), Path("a.js")))
    run("form.called = function () { return this === form }")
    assert run(f"{IDS} out({expression})") == [value]


def test_null_is_null_where_any_number_of_values_is_taken(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.engine.define("wsh", WScript(Environment(RunSettings()), Path("a.js")))
    run("wsh.Echo(null); wsh.Echo('a', null, undefined); wsh.Echo()")
    assert capsys.readouterr().out == "null\na null \n\n"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ids.Add({})", "an IObjectId is needed, not an object"),
        ("ids.Add([1])", "an IObjectId is needed, not an array"),
        ("ids.Add(function () {})", "an IObjectId is needed, not a function"),
        ("ids.Add(undefined)", "an IObjectId is needed, nothing was given"),
        ("ids.ItemByIndex({})", "a number is needed, not an object"),
        ("ids.ItemByIndex(null)", "a number is needed, not nothing"),
        ("wsh.Echo([1])", "an array has no text"),
        ("wsh.Echo({})", "a value is needed, not an object"),
        ("new Enumerator(1)", ""),
    ],
)
def test_an_error_names_types_in_words_of_no_language(run: Run, statement: str, words: str) -> None:
    run.engine.define("wsh", WScript(Environment(RunSettings()), Path("a.js")))
    assert run.failure(IDS + statement).description.endswith(words)


def test_a_host_object_says_which_of_its_methods_are_properties_with_parameters(run: Run) -> None:
    assert run("out('' + box.Environment, box.Environment('USER'))") == [("of PROCESS", "of USER")]


def test_the_control_makes_a_request(run: Run) -> None:
    script = """
        var control = new ActiveXObject("CEnroll.CEnroll.2");
        control.HashAlgorithm = "SHA1";
        control.GenKeyFlags = 2048 << 16 | 1;
        control.ProviderType = "24";
        var request = control.createPKCS10("CN=a test", "1.3.6.1.5.5.7.3.2");
        out(control.GenKeyFlags, request.substr(0, 3), request.slice(-2))"""
    assert run(script) == [(2048 << 16 | 1, "MII", "\r\n")]


def test_certenroll_makes_a_request_that_its_script_reads_back(run: Run) -> None:
    script = """
        var key = new ActiveXObject("X509Enrollment.CX509PrivateKey");
        key.Length = "2048";
        var request = new ActiveXObject("X509Enrollment.CX509CertificateRequestPkcs10");
        request.InitializeFromPrivateKey(1, key, "");
        var name = new ActiveXObject("X509Enrollment.CX500DistinguishedName");
        name.Encode("CN=from JScript");
        request.Subject = name;
        var enrollment = new ActiveXObject("X509Enrollment.CX509Enrollment");
        enrollment.InitializeFromRequest(request);
        var text = enrollment.CreateRequest();
        var again = new ActiveXObject("X509Enrollment.CX509CertificateRequestPkcs10");
        again.InitializeDecode(text);
        out(again.Subject.Name, again.RawData === request.RawData)"""
    assert run(script) == [("CN=from JScript", True)]


def test_an_item_is_assigned_to_what_looks_like_a_call(run: Run) -> None:
    assert run("box.Item('a') = 1; box('b') = 2 + 3\nout(box.Item('a'), box('b'))") == [(1, 5)]


def test_a_member_that_is_known_only_to_the_object_is_read_written_and_called(run: Run) -> None:
    run.engine.define("form", Form(user="bob"))
    assert run("out(form.user, form.none)") == [("bob", Vacant.EMPTY)]
    assert run("form.user = 'al'; form.f = function (x) { return x + 1 }; out(form.user, form.f(1))") == [("al", 2)]


def test_a_function_of_the_script_is_called_by_an_object_and_its_error_is_the_scripts_again(run: Run) -> None:
    assert run("out(box.Run(function (x) { return x * 2 }, 21))") == [42]
    script = "try { box.Run(function () { throw new Error(5, 'inner') }) } catch (e) { out(e.number, e.description) }"
    assert run(script) == [(5, "inner")]


def test_getobject_makes_what_a_new_moniker_names(run: Run) -> None:
    assert run("var id = GetObject('new:X509Enrollment.CObjectId'); id.InitializeFromValue('1.2'); out(id.Value)") == ["1.2"]
    assert run.failure("GetObject('winmgmts:')").number == -2146827856
