"""The ports for Windows: PowerShell parses and has the model's calls, VBScript runs here and makes them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll import com
from certenroll.errors import ComError
from tests.xenroll_compat.porting.powershell_calls import Script, calls_of_model
from tests.xenroll_compat.porting.recorded import certenroll_script, control, legacy_script, port_of
from tests.xenroll_compat.porting.replayed import calls_of, run_vbscript
from tests.xenroll_compat.porting.syntax import faults, tree_of
from xenroll_compat import Dispatch
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.running import run_script_in
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting import powershell, vbscript
from xenroll_compat.porting.model import Facade
from xenroll_compat.porting.recording import Recorder
from xenroll_compat.porting.verification import renamed_containers
from xenroll_compat.porting.windows import for_windows

SCRIPTS = (legacy_script, certenroll_script)


def texts_and_numbers() -> None:
    """Values of every kind that a port writes."""
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.Description = "it's \u20ac5 \U0001f511\r\n\ttab `n $x" + "long and more " * 20
    key.FriendlyName = ""
    key.ExportPolicy = 3
    key.KeyUsage = 0xFFFFFF
    key.Existing = False
    extension = Dispatch("X509Enrollment.CX509Extension")
    oid = Dispatch("X509Enrollment.CObjectId")
    oid.InitializeFromValue("1.2.3.4")
    extension.Initialize(oid, 2, b"\x04\x00")
    text = control().createPKCS10("CN=x", "")
    with pytest.raises(ComError):
        Dispatch("CertificateAuthority.Request").Submit(-1, f"-----BEGIN-----\n{text}-----END-----", "a:b", "no\\CA")


def indexed_put() -> None:
    request = Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    with pytest.raises(ComError):
        request.SetKeyArchivalCertificate(1, "AAAA")


@pytest.mark.parametrize("script", [*SCRIPTS, texts_and_numbers, indexed_put])
def test_the_powershell_port_parses_and_has_the_calls_of_the_model(script: Any) -> None:
    port = port_of(script)
    tree = tree_of(powershell.render(port))
    assert faults(tree) == []
    assert Script(tree).calls == calls_of_model(port)


@pytest.mark.parametrize("script", [*SCRIPTS, indexed_put])
def test_the_vbscript_port_makes_the_calls_of_the_model(script: Any, tmp_path: Path) -> None:
    port = port_of(script)
    text = vbscript.render(renamed_containers(port, {"archive": "archive-2"}))
    made, _ = run_vbscript(text, tmp_path)
    assert made == calls_of(port)


def test_the_vbscript_port_shows_its_request(tmp_path: Path) -> None:
    _, shown = run_vbscript(vbscript.render(port_of(certenroll_script)), tmp_path)
    assert shown.startswith("MII")


TEXTS = ('a "b" $c `d', "it's", "line\r\nnext\ttab", "\u00e4\u20ac", "\u201equoted\u201d", "", "%{0}")


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_every_kind_keep_both_languages_in_shape(text: str, tmp_path: Path) -> None:
    def script() -> None:
        Dispatch("X509Enrollment.CX509PrivateKey").Description = text

    port = port_of(script)
    assert faults(tree_of(powershell.render(port))) == []
    recorder = Recorder()
    (tmp_path / "port.vbs").write_text(vbscript.render(port), "ascii")
    with com.observe(recorder):
        run_script_in(Environment(RunSettings(), io.StringIO()), tmp_path / "port.vbs")
    put = [entry.call for entry in recorder.entries if entry.call.member == "Description"]
    assert [call.arguments for call in put] == [(text,)]


@given(st.text(st.characters(codec="utf-16")))
def test_any_text_is_one_string_of_powershell(text: str) -> None:
    tree = tree_of(f"$a = {powershell.text(text)}")
    assert faults(tree) == []
    assert tree.children[0].child_count == 1


def test_bytes_become_base64_for_windows() -> None:
    def script() -> None:
        extension = Dispatch("X509Enrollment.CX509Extension")
        oid = Dispatch("X509Enrollment.CObjectId")
        oid.InitializeFromValue("1.2.3.4")
        extension.Initialize(oid, 2, b"\x04\x00")

    text = vbscript.render(port_of(script))
    assert 'Initialize objectId, XCN_CRYPT_STRING_BASE64, "BAA="' in text


def test_what_is_not_microsoft_s_is_a_comment_on_windows() -> None:
    port = for_windows(port_of(lambda: control().createPKCS10("CN=x", "")))
    assert not any(isinstance(step, Facade) for step in port.steps)
    assert "KeyLocation" not in {call.member for call in port.calls()}


def test_a_property_with_parameters_is_put_as_microsoft_has_it() -> None:
    port = port_of(indexed_put)
    assert "KeyArchivalCertificate(XCN_CRYPT_STRING_BASE64) = " in vbscript.render(port)
