"""What a port has of a run: the calls that matter, in order, with values traced to names."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from certenroll import com
from certenroll.errors import ComError
from tests.xenroll_compat.porting.recorded import certenroll_script, control, legacy_script, port_of, run_of
from xenroll_compat import Dispatch
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting import powershell, python, vbscript
from xenroll_compat.porting.comparison import compare_all
from xenroll_compat.porting.model import ANSWER, SECRET, Ask, Call, Comment, Facade, Joined, Literal, Name, New, Port, Show
from xenroll_compat.porting.recording import Recorder, requests_of
from xenroll_compat.porting.verification import renamed_containers, without_answers

LANGUAGES = (python, powershell, vbscript)


def comments(port: Port) -> list[str]:
    return [step.text for step in port.steps if isinstance(step, Comment)]


def members(port: Port) -> list[str]:
    return [call.member for call in port.calls()]


def run_port(port: Port, folder: Path) -> tuple[bytes, ...]:
    """Runs the Python port here; gives the requests that it made."""
    path = folder / "port.py"
    path.write_text(python.render(port), "utf-8")
    recorder = Recorder()
    with com.observe(recorder):
        runpy.run_path(str(path), run_name="__main__")
    return requests_of(recorder.entries)


def test_each_call_of_the_control_has_a_comment_that_says_what_replaces_it() -> None:
    told = comments(port_of(legacy_script))
    assert any(line.startswith('CEnroll.ContainerName = "archive" -> IX509PrivateKey.ContainerName') for line in told)
    assert any(line.startswith("CEnroll.createPKCS10(") and "IX509Enrollment.CreateRequest" in line for line in told)


def test_a_member_without_a_replacement_is_told_with_the_reason() -> None:
    told = next(line for line in comments(port_of(legacy_script)) if "SPCFileName" in line)
    assert told.startswith('CEnroll.SPCFileName = "answer.spc": no replacement. ')


def test_a_loop_over_providers_is_one_comment_and_no_call() -> None:
    port = port_of(legacy_script)
    assert sum("enumProviders" in line for line in comments(port)) == 1
    assert any("enumProviders: 3 calls" in line for line in comments(port))
    assert "AddAvailableCsps" not in members(port)


def test_reads_that_nobody_uses_are_left_out() -> None:
    def script() -> None:
        certenroll_script()
        Dispatch("X509Enrollment.CX509PrivateKey").Length  # noqa: B018

    assert all(step.kind != "get" or step.result for step in port_of(script).calls())


def test_an_error_that_the_script_handled_stays_handled() -> None:
    failed = [step for step in port_of(legacy_script).calls() if step.failure]
    assert [(step.member, step.failure) for step in failed] == [("CreateRequest", "NTE_EXISTS")]


def test_a_request_that_goes_to_the_ca_is_the_result_of_its_call() -> None:
    def script() -> None:
        text = control().createPKCS10("CN=x", "")
        with pytest.raises(ComError):
            Dispatch("CertificateAuthority.Request").Submit(0x101, text.replace("\r\n", "\n"), "", "nowhere\\CA")

    submit = next(call for call in port_of(script).calls() if call.member == "Submit")
    assert submit.arguments[1] == Name("request_text")


def test_a_request_between_a_header_and_a_footer_is_a_part() -> None:
    def script() -> None:
        text = "-----BEGIN NEW CERTIFICATE REQUEST-----\n" + control().createPKCS10("CN=x", "") + "-----END X-----"
        with pytest.raises(ComError):
            Dispatch("CertificateAuthority.Request").Submit(0, text, "", "nowhere\\CA")

    submit = next(call for call in port_of(script).calls() if call.member == "Submit")
    assert isinstance(submit.arguments[1], Joined)
    assert submit.arguments[1].parts[1] == Name("request_text")


def test_a_request_that_no_step_takes_is_shown() -> None:
    assert Show("request_text") in port_of(certenroll_script).steps


def test_enumerations_stand_by_microsoft_s_names_in_every_language() -> None:
    port = port_of(legacy_script)
    assert "X509KeySpec.XCN_AT_KEYEXCHANGE" in python.render(port)
    assert "Const XCN_AT_KEYEXCHANGE = 1" in vbscript.render(port)
    assert "$XCN_AT_KEYEXCHANGE = 1" in powershell.render(port)


def test_an_answer_is_asked_for_and_not_written() -> None:
    def script() -> None:
        enroll = control()
        enroll.createPKCS10("CN=x", "")
        enrollment = Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.Initialize(1)
        with pytest.raises(ComError):
            enrollment.InstallResponse(0, "MIIBFORANOTHERKEY", 1, "")

    port = port_of(script)
    assert [one.kind for one in port.parameters] == [ANSWER]
    assert Ask("answer") in port.steps
    assert not any(isinstance(step, Call) and step.member == "InstallResponse" for step in without_answers(port).steps)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_secret_is_written_in_no_language(language: Any) -> None:
    def script() -> None:
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.Pin = "hunter2-secret"
        key.Create()
        with pytest.raises(ComError):
            control().createPFX("other-secret")

    port = port_of(script)
    assert [one.kind for one in port.parameters] == [SECRET]
    assert "hunter2" not in language.render(port)
    assert "other-secret" not in language.render(port)


def test_what_a_user_typed_is_a_parameter_with_its_value_as_the_example() -> None:
    port = port_of(lambda: control().createPKCS10("CN=Typed", ""), RunSettings(fields={"name": "CN=Typed"}))
    assert [(one.name, one.example, one.about) for one in port.parameters] == [
        ("subject_name", "CN=Typed", "what the run had from the field name")
    ]


def test_a_container_s_own_name_is_read_from_its_key() -> None:
    def script() -> None:
        enroll = control()
        enroll.createPKCS10("CN=x", "")
        again = control()
        again.ContainerName = enroll.ContainerName
        again.UseExistingKeySet = True
        again.createPKCS10("CN=y", "")

    port = port_of(script)
    read = next(call for call in port.calls() if call.kind == "get" and call.member == "ContainerName")
    put = [call for call in port.calls() if call.kind == "put" and call.member == "ContainerName"][-1]
    assert put.arguments == (Name(read.result),)


def test_an_object_that_a_script_took_out_of_a_collection_is_taken_out_of_it_again() -> None:
    def script() -> None:
        providers = Dispatch("X509Enrollment.CCspInformations")
        providers.AddAvailableCsps()
        last = list(providers)[2]
        status = Dispatch("X509Enrollment.CCspStatus")
        status.Initialize(last, last.CspAlgorithms.ItemByIndex(0))

    port = port_of(script)
    assert next(call.arguments for call in port.calls() if call.member == "ItemByIndex") == (Literal(2, "index"),)
    assert sum(isinstance(step, New) for step in port.steps) == 2


def test_functions_beside_certenroll_are_called_in_python_and_told_on_windows() -> None:
    def script() -> None:
        enroll = control()
        enroll.RequestStoreName = "WAITING"
        enroll.createPKCS10("CN=x", "")

    port = port_of(script)
    assert any(isinstance(step, Facade) for step in port.steps)
    assert 'facade.configure(enrollment, request_store="WAITING")' in python.render(port).replace("'", '"')
    assert "' Not on Windows: facade.configure" in vbscript.render(port)


@pytest.mark.parametrize("script", [legacy_script, certenroll_script])
def test_the_python_port_asks_for_the_same(script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(script)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "other"))
    again = run_port(renamed_containers(run.port()[0], {"archive": "archive-2"}), tmp_path)
    assert run.requests
    assert compare_all(run.requests, again) == ()


def test_a_direct_script_is_written_through_as_it_is() -> None:
    assert members(port_of(certenroll_script)) == [
        "Length", "ExportPolicy", "Create", "InitializeFromPrivateKey", "Encode", "Subject", "InitializeFromRequest",
        "CreateRequest",
    ]  # fmt: skip
