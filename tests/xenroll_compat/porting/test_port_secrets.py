"""What no port may have: secrets, wherever a run had them, in values of any form and in comments."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from certenroll.errors import ComError
from tests.xenroll_compat.porting.recorded import control, port_of, run_of
from xenroll_compat import Dispatch
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting import powershell, python, vbscript
from xenroll_compat.porting.model import SECRET, Joined, Literal, Name, Port

LANGUAGES = (python, powershell, vbscript)
SPELLINGS = ("hunter2x", base64.b64encode(b"hunter2x").decode()[:10], "hunter2x".encode("utf-16-be").hex())


def assert_untold(port: Port) -> None:
    """The secret stands in no language, also in no other spelling."""
    for language in LANGUAGES:
        text = language.render(port)
        assert [one for one in SPELLINGS if one in text] == []
        assert repr("hunter2x".encode("utf-16-be"))[2:-1] not in text


def test_a_challenge_in_the_attributes_of_a_submission_is_asked_for() -> None:
    def script() -> None:
        text = control().createPKCS10("CN=x", "")
        with pytest.raises(ComError):
            Dispatch("CertificateAuthority.Request").Submit(0, text, "Template:User\nchallenge:hunter2x", "no\\CA")

    port = port_of(script)
    assert_untold(port)
    submit = next(call for call in port.calls() if call.member == "Submit")
    assert submit.arguments[2] == Joined((Literal("Template:User\nchallenge:"), Name("challenge")))


def test_a_typed_secret_within_other_texts_is_a_part_of_them_and_of_no_comment() -> None:
    def script() -> None:
        enroll = control()
        enroll.addNameValuePairToRequest(0, "Data", "user=alice;code=hunter2x")
        enroll.ContainerName = "c-hunter2x"
        enroll.createPKCS10("CN=A,OU=hunter2x", "")

    port = port_of(script, RunSettings(inputs=("hunter2x",)), ("hunter2x",))
    assert_untold(port)
    assert [one.kind for one in port.parameters] == [SECRET]
    assert "c-***" in python.render(port)


def test_a_pin_is_a_secret_before_the_call_that_says_so_and_after_it() -> None:
    def script() -> None:
        enroll = control()
        enroll.createPKCS10("CN=hunter2x" + " and more words" * 3, "")
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.Pin = "hunter2x"
        key.Create()

    assert_untold(port_of(script))


def test_a_secret_that_a_comment_would_cut_is_masked_before() -> None:
    def script() -> None:
        enroll = control()
        enroll.createPKCS10("CN=Alice Ann Elizabeth Example, OU=hunter2x-hunter2y", "")

    text = python.render(port_of(script, RunSettings(), ("hunter2x-hunter2y",)))
    assert "hunter" not in text


def test_bytes_and_encoded_texts_with_a_secret_in_them_are_asked_for_as_a_whole() -> None:
    def script() -> None:
        enroll = control()
        enroll.addExtensionToRequest(0, "1.2.3.4", base64.b64encode(b"\x0c\x08hunter2x").decode())
        enroll.addNameValuePairToRequest(0, "Challenge", "hunter2x")
        enroll.createPKCS10("CN=x", "")

    assert_untold(port_of(script))


def test_a_private_key_that_is_imported_is_asked_for_and_the_port_makes_the_same_request(tmp_path: Path) -> None:
    made = Dispatch("X509Enrollment.CX509PrivateKey")
    made.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
    made.LegacyCsp, made.KeySpec, made.ExportPolicy = True, 2, 3
    made.Create()
    blob = made.Export("PRIVATEBLOB", 2)

    def script() -> None:
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
        key.LegacyCsp, key.KeySpec, key.ContainerName = True, 2, "imported"
        key.Import("PRIVATEBLOB", blob, 2)

    port, secrets = run_of(script).port()
    for language in LANGUAGES:
        text = language.render(port)
        assert "RSA2" not in text
        assert base64.b64encode(blob).decode()[:40] not in text
    assert [base64.b64decode(one) for one in secrets.values()] == [blob]
    assert "facade.asked_bytes(getpass.getpass('Encoded key (in base64): '))" in python.render(port)


def test_short_secrets_are_asked_for_and_take_nothing_else_with_them() -> None:
    def script() -> None:
        enroll = control()
        with pytest.raises(ComError):
            enroll.createPFX("ab")
        enroll.createPKCS10("CN=cab", "")

    assert "'CN=cab'" in python.render(port_of(script))


def test_a_field_whose_name_says_that_it_is_secret_is_asked_for() -> None:
    settings = RunSettings(query={"password": "hunter2x", "cn": "Alice"})
    port = port_of(lambda: control().createPKCS10("CN=Alice,OU=hunter2x", ""), settings)
    assert_untold(port)
    assert {one.kind for one in port.parameters} == {"text", SECRET}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_password_field_of_a_page_is_no_default_of_a_parameter(language: Any, tmp_path: Path) -> None:
    from xenroll_compat.porting.recorded_run import recorded

    page = tmp_path / "page.htm"
    page.write_text(
        '<object classid="clsid:127698e4-e730-4e5c-a2b1-21490a70c8a1" id="X"></object><script language="JScript">\n'
        'function go() { X.createPKCS10("CN=" + document.f.cn.value + ",OU=" + document.f.pw.value, ""); }</script>\n'
        '<form name="f"><input name="cn"><input type="password" name="pw">'
        '<input type="button" name="b" onclick="go()"></form>'
    )
    settings = RunSettings(fields={"cn": "Alice", "pw": "hunter2x"}, events=("b.onclick",))
    run = recorded(page, settings)
    assert run.requests
    port = run.port()[0]
    assert "hunter2x" not in language.render(port)
    assert {one.kind for one in port.parameters} == {"text", SECRET}
