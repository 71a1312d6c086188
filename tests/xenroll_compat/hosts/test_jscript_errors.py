"""JScript: errors, as a script catches them and as they end a run."""

from __future__ import annotations

import pytest

from tests.xenroll_compat.hosts.jscript_runs import Run
from xenroll_compat.hosts.problems import Place

RUNTIME = "Microsoft JScript runtime error"
COMPILATION = "Microsoft JScript compilation error"
OBJECTS = "var ids = new ActiveXObject('X509Enrollment.CObjectIds'), o = {}, five = 5; "


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.mark.parametrize(
    ("statement", "number", "description"),
    [
        ("ids.Nothing()", 438, "Object doesn't support this property or method"),
        ("ids.Nothing = 1", 438, "Object doesn't support this property or method"),
        ("ids.Count = 1", 438, "Object doesn't support this property or method"),
        ("o.nothing()", 438, "Object doesn't support this property or method"),
        ("o['nothing']()", 438, "Object doesn't support this property or method"),
        ("'' + ids", 438, "Object doesn't support this property or method"),
        ("ids.Add(1, 2)", 450, "Wrong number of arguments or invalid property assignment"),
        ("ids.Add('x')", 13, "Type mismatch"),
        ("ids.ItemByIndex('x')", 13, "Type mismatch"),
        ("new ActiveXObject('no.such')", 429, "Automation server can't create object"),
        ("new Enumerator(1)", 451, "Object not a collection"),
        ("five()", 5002, "Function expected"),
        ("new five()", 5002, "Function expected"),
        ("new ids()", 5002, "Function expected"),
        ("nothing()", 5007, "Object expected"),
        ("o.a.b", 5007, "'o.a' is null or not an object"),
        ("null.a", 5007, "'null' is null or not an object"),
        ("o.a = null; o.a.b = 1", 5007, "'o.a' is null or not an object"),
        ("o.a.b()", 5007, "'o.a' is null or not an object"),
        ("o.f = function () {}; five = 1 + o.f().g()", 5007, "'o.f()' is null or not an object"),
        ("null.a()", 5007, "'null' is null or not an object"),
        ("five.a()", 438, "Object doesn't support this property or method"),
        ("nothing", 5009, "'nothing' is undefined"),
        ("new Nothing()", 5009, "'Nothing' is undefined"),
        ("new Date().getYear.call(1)", 5006, "Date object expected"),
        ("Date.prototype.getMonth.call(1)", 5006, "Date object expected"),
        ("new RegExp('(')", 5017, "Syntax error in regular expression"),
        ("new Array(-1)", 5029, "Array length must be a finite positive integer"),
        ("(1).toFixed(200)", 5026, "The number of fractional digits is out of range"),
        ("decodeURIComponent('%')", 5025, "The URI to be decoded is not a valid encoding"),
        ("new VBArray(1)", 5013, "VBArray expected"),
    ],
)
def test_an_error_has_the_number_and_sentence_of_jscript_caught_and_uncaught(
    run: Run, statement: str, number: int, description: str
) -> None:
    shown = "out(e.number, e.description, e.message == e.description, e.number & 0xFFFF)"
    script = f"{OBJECTS} try {{ {statement} }} catch (e) {{ {shown} }}"
    signed = (0x800A0000 | number) - (1 << 32)
    ((caught, told, same, code),) = run(script)
    assert (caught, same, code) == (signed, True, number)
    assert told.startswith(description)
    failure = run.failure(OBJECTS + statement)
    assert (failure.number, failure.source) == (signed, RUNTIME)
    assert failure.description == told


@pytest.mark.parametrize(
    ("source", "number", "column"),
    [
        ("var x = ;", 1002, 9),
        ("f(", 1002, 2),
        ("a b", 1004, 3),
        ("if (1", 1002, 6),
        ("var s = 'abc", 1015, 9),
        ("/* x", 1016, 1),
        ("return 5", 1018, 1),
        ("break", 1019, 6),
        ("var class = 1", 1010, 5),
        ("@", 1014, 1),
        ("5 = 6", 5008, 4),
    ],
)
def test_a_text_that_is_no_jscript_fails_to_compile_where_it_is_wrong(
    run: Run, source: str, number: int, column: int
) -> None:
    failure = run.failure("out(1)\n" + source)
    assert (failure.number & 0xFFFF, failure.source) == (number, COMPILATION)
    assert failure.place.line == 2
    assert failure.place.column == pytest.approx(column, abs=2)
    assert run.shown == []


def test_an_objects_own_error_keeps_its_number_signed_and_its_source(run: Run) -> None:
    script = "try { box.Refuse() } catch (e) { out(e.number, e.description, e.name, e.number == 0x8009000F - 0x100000000) }"
    assert run(script) == [(-2146893809, "the container exists", "Error", True)]
    failure = run.failure("box.Refuse()")
    assert (failure.number, failure.description, failure.source) == (-2146893809, "the container exists", "Box")


def test_reading_a_member_that_an_object_does_not_have_is_undefined(run: Run) -> None:
    script = "out(ids.Nothing === undefined, typeof ids.Nothing, ids.Nothing ? 1 : 2)"
    assert run(OBJECTS + script) == [(True, "undefined", 2)]


def test_an_error_made_with_a_number_has_it(run: Run) -> None:
    shown = "out(e.number, e.description, e.message, e instanceof Error, '' + e)"
    script = f"try {{ throw new Error(7, 'seven') }} catch (e) {{ {shown} }}"
    assert run(script) == [(7, "seven", "seven", True, "[object Error]")]
    assert run("var e = new Error('x'); e.description = 'y'; out(e.number, e.message)") == [(0, "y")]


def test_an_error_of_the_scripts_own_keeps_its_words(run: Run) -> None:
    script = "try { throw new Error('not a function') } catch (e) { out(e.number, e.message) }"
    assert run(script) == [(0, "not a function")]
    own = "function Mine() { this.name = 'Mine'; this.message = 'out of memory' } Mine.prototype = new Error(); "
    caught = "try { throw new Mine() } catch (e) { out(e.message, e instanceof Error) }"
    assert run(own + caught) == [("out of memory", True)]
    assert run.failure(own + "throw new Mine()").description == "out of memory"


@pytest.mark.parametrize(("thrown", "number", "description"), [
    ("new Error(7, 'seven')", 7, "seven"),
    ("new Error('words')", -2146823266, "words"),
    ("'words'", -2146823266, "words"),
    ("5", -2146823266, "Exception thrown and not caught"),
    ("null", -2146823266, "Exception thrown and not caught"),
])  # fmt: skip
def test_what_a_script_throws_itself_ends_the_run_with_its_number_and_words(
    run: Run, thrown: str, number: int, description: str
) -> None:
    failure = run.failure(f"throw {thrown}")
    assert (failure.number, failure.description) == (number, description)


def test_an_error_stands_at_its_line_and_column_in_the_file(run: Run) -> None:
    failure = run.failure("var a;\ntry { typeof a.b } finally { a = 1 }", Place("page.html", 40, 9))
    assert str(failure.place) == "page.html(41, 14)"
    assert str(run.failure("  nothing", Place("page.html", 40, 9)).place) == "page.html(40, 11)"


def test_an_error_in_a_function_of_an_earlier_text_stands_in_that_text(run: Run) -> None:
    run("\nfunction f() {\n  nothing;\n}", Place("first.js", 1, 1))
    assert str(run.failure("\n\n\n\n\nf()", Place("second.js", 1, 1)).place) == "first.js(3, 3)"


def test_an_error_in_a_function_that_an_object_called_stands_where_it_happened(run: Run) -> None:
    assert run.failure("box.Run(\n  function () {\n    box.Refuse()\n  })").place.line == 3


def test_an_error_of_evaluated_text_can_be_caught(run: Run) -> None:
    assert run("try { eval('(') } catch (e) { out(e.number & 0xFFFF, e.name) }") == [(1002, "SyntaxError")]


def test_an_error_rethrown_keeps_its_number(run: Run) -> None:
    assert run.failure("try { nothing } catch (e) { throw e }").number == -2146823279


def test_a_fault_of_ours_is_no_error_of_the_script(run: Run) -> None:
    with pytest.raises(ValueError, match="a fault of ours"):
        run("try { box.Fault() } catch (e) { out('caught') } finally { out('finally') }")
    assert run.shown == []
    assert run("out('the engine goes on')") == ["the engine goes on"]
