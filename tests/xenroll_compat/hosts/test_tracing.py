"""A trace shows every call and no secret."""

from __future__ import annotations

import base64
import inspect
import io
import json
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll import Dispatch, facade
from certenroll.com import Call, observe
from certenroll.errors import ComError
from tests.support.shared import shared_path
from xenroll_compat.control import CEnroll
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.masking import MASK, NAMED_VALUES, TABLE, Masking
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.objects.wscript import WScript
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.hosts.tracing import Tracer, traced

MARK = "S3cret-Marker"
SECRET_NAMES = ("strpassword", "pwszpassword", "challengepassword")


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "profile"))


def trace_of(work: Any, form: str = "text", secrets: tuple[str, ...] = ()) -> str:
    """The trace of what ``work`` does; its ComError ends it."""
    output = io.StringIO()
    tracer = Tracer(output, form, secrets)
    with observe(tracer), suppress(ComError):
        work()
    tracer.close()
    return output.getvalue()


def a_pfx() -> None:
    request = Dispatch("X509Enrollment.CX509CertificateRequestCertificate")
    request.Initialize(1)
    name = Dispatch("X509Enrollment.CX500DistinguishedName")
    name.Encode("CN=a")
    request.Subject = name
    request.PrivateKey.ExportPolicy = 1
    enrollment = Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.InitializeFromRequest(request)
    answer = enrollment.CreateRequest()
    enrollment.InstallResponse(4, answer, 1, MARK)
    enrollment.CreatePFX(MARK, 0)
    request.PrivateKey.Export("PRIVATEBLOB")


def a_pin() -> None:
    Dispatch("X509Enrollment.CX509PrivateKey").Pin = MARK


def a_signer_s_pin() -> None:
    Dispatch("X509Enrollment.CSignerCertificate").Pin = MARK


def a_challenge() -> None:
    Dispatch("X509Enrollment.CX509NameValuePair").Initialize("Challenge", MARK)
    pair = Dispatch("X509Enrollment.CX509NameValuePair")
    pair.Initialize("challenge", MARK)
    assert pair.Value == MARK
    CEnroll().addNameValuePairToSignature("challengePassword", MARK)
    CEnroll().addNameValuePairToRequest(0, "ChallengePassword", MARK)


def a_challenge_password() -> None:
    request = Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.Initialize(1)
    request.ChallengePassword = MARK
    assert request.ChallengePassword == MARK


def a_credential() -> None:
    Dispatch("CertificateAuthority.Request").SetCredential(0, 4, "user", MARK)


def another_credential() -> None:
    Dispatch("X509Enrollment.CX509EnrollmentPolicyWebService").SetCredential(0, 4, "user", MARK)


def a_helper_s_passwords() -> None:
    helper = Dispatch("X509Enrollment.CX509EnrollmentHelper")
    for call in (lambda: helper.AddPolicyServer("https://x", "", 0, 4, "user", MARK),
                 lambda: helper.AddEnrollmentServer("https://x", 4, "user", MARK)):  # fmt: skip
        with suppress(ComError):
            call()


def the_control_s_pfx() -> None:
    control = CEnroll()
    for call in (lambda: control.createPFX(MARK), lambda: control.createFilePFX(MARK, "x.pfx")):
        with suppress(ComError):
            call()


def attributes_of_a_submission() -> None:
    Dispatch("CertificateAuthority.Request").Submit(0, "AAAA", f"CertificateTemplate:User\nchallenge:{MARK}", "")


def headers_of_scep() -> None:
    helper = Dispatch("X509Enrollment.CX509SCEPEnrollmentHelper")
    helper.Initialize("http://127.0.0.1:9/", f"Authorization: Basic {MARK}", None, "")


def a_secret_that_comes_again() -> None:
    Dispatch("X509Enrollment.CX509PrivateKey").Pin = MARK
    Dispatch("X509Enrollment.CX500DistinguishedName").Encode(f"CN={MARK}")


FLOWS = [
    a_pfx, a_pin, a_signer_s_pin, a_challenge, a_challenge_password, a_credential, another_credential, a_helper_s_passwords,
    the_control_s_pfx, attributes_of_a_submission, headers_of_scep, a_secret_that_comes_again,
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
def test_no_secret_of_a_flow_stands_in_its_trace(flow: Any, form: str) -> None:
    trace = trace_of(flow, form)
    assert trace
    assert MARK not in trace
    assert MASK in trace


def test_a_pfx_and_an_exported_key_are_not_shown() -> None:
    calls = [json.loads(line) for line in trace_of(a_pfx, "json").splitlines()]
    found = {call["member"]: call.get("result") for call in calls if call["member"] in ("CreatePFX", "Export")}
    assert found == {"CreatePFX": MASK, "Export": MASK}


def echo(value: object) -> None:
    with suppress(ComError):  # bytes have no text
        WScript(Environment(RunSettings(), io.StringIO()), Path("a.vbs")).Echo(value)


def exported(length: int = 1024) -> Any:
    key = Dispatch("X509Enrollment.CX509PrivateKey")
    key.ExportPolicy, key.Length = 2, length
    key.Create()
    return key


@pytest.mark.parametrize("encoding", [0, 1, 2, 4, 5, 10, 11, 12])
def test_an_exported_key_is_masked_in_every_encoding_and_in_pieces(encoding: int) -> None:
    def work() -> None:
        key = exported()
        text = Dispatch("X509Enrollment.CBinaryConverter").StringToString(key.Export("PRIVATEBLOB", 4), 4, encoding)
        within = () if isinstance(text, bytes) else (f"the key: {text}",)
        for value in (text, *within, text[100:160], text[101:161], text[303:453], text[48:200]):
            echo(value)
        key.Delete()

    calls = [json.loads(line) for line in trace_of(work, "json").splitlines()]
    shown = [call["arguments"][0] for call in calls if call["member"] == "Echo"]
    assert len(shown) >= 5
    assert [value for value in shown if value not in (MASK, f"the key: {MASK}", "")] == []
    assert [call["result"] for call in calls if call["member"] == "StringToString"] == [MASK]


def test_what_is_public_of_a_key_is_shown() -> None:
    def work() -> None:
        key = exported()
        key.Export("PRIVATEBLOB", 1)
        assert key.ExportPublicKey().EncodedKey(4)
        key.Delete()

    calls = [json.loads(line) for line in trace_of(work, "json").splitlines()]
    assert MASK not in json.dumps([call for call in calls if call["member"] == "EncodedKey"])


def key_files() -> dict[str, bytes]:
    key = rsa.generate_private_key(65537, 2048)
    plain, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    der = serialization.Encoding.DER
    pkcs8, traditional = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    locked = serialization.BestAvailableEncryption(b"x")
    return {
        "pem": key.private_bytes(pem, pkcs8, plain),
        "traditional": key.private_bytes(der, traditional, plain),
        "pkcs8": key.private_bytes(der, pkcs8, plain),
        "locked": key.private_bytes(der, pkcs8, locked),
        "pfx": serialization.pkcs12.serialize_key_and_certificates(b"n", key, None, None, locked),
        "pvk": bytes.fromhex("1ef1b5b0") + bytes(12) + key.private_bytes(der, traditional, plain),
    }


@pytest.mark.parametrize("kind", ["pem", "traditional", "pkcs8", "locked", "pfx", "pvk"])
def test_a_private_key_that_is_read_from_a_file_is_masked(tmp_path: Path, kind: str) -> None:
    content = key_files()[kind]
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "text").write_bytes(base64.encodebytes(content))
    environment = Environment(RunSettings(folder=tmp_path))
    register(environment)

    def work() -> None:
        files, stream = environment.create("Scripting.FileSystemObject"), environment.create("ADODB.Stream")
        text = files.OpenTextFile("text")
        text.ReadLine(), text.Read(60), text.ReadAll()
        files.OpenTextFile("key").ReadAll()
        stream.Type = 1
        stream.Open()
        stream.LoadFromFile("key")
        stream.Position = 32
        stream.Read(16), stream.Read()

    calls = [json.loads(line) for line in trace_of(work, "json").splitlines()]
    results = [call["result"] for call in calls if call["member"].startswith("Read")]
    assert results == [MASK] * 6


@pytest.mark.parametrize("arguments", [(0, 4, "user", MARK, 1), (0, 4, MARK), (MARK,), (0, 4, "user", "x", MARK)])
def test_every_argument_of_a_miscounted_call_with_a_secret_is_masked(arguments: tuple[Any, ...]) -> None:
    trace = trace_of(lambda: Dispatch("CertificateAuthority.Request").SetCredential(*arguments))
    assert "DISP_E_BADPARAMCOUNT" in trace
    assert MARK not in trace


def test_a_short_secret_is_masked_where_it_is_a_whole_value() -> None:
    def work() -> None:
        echo("123")
        echo("1234")

    first, second = trace_of(work, secrets=("123",)).splitlines()
    assert f"({MASK})" in first
    assert '"1234"' in second


def test_an_argument_of_the_facade_is_masked_by_its_name_and_by_its_place() -> None:
    calls = [Call(None, "export_pfx", "facade", (b"", MARK), None, None, 0, 0)]
    calls.append(Call(None, "export_pfx", "facade", (), None, None, 0, 0, (("password", MARK),)))
    output = io.StringIO()
    tracer = Tracer(output)
    for call in calls:
        tracer(call)
    assert MARK not in output.getvalue()
    for name in vars(facade):
        function = getattr(facade, name)
        if inspect.isfunction(function) and hasattr(function, "__wrapped__"):
            names = list(inspect.signature(function).parameters)
            found = Masking().positions(Call(None, name, "facade", tuple(names), None, None, 0, 0))
            assert found >= {at for at, one in enumerate(names) if "password" in one}, name


def test_what_is_typed_into_a_prompt_is_masked_wherever_it_comes() -> None:
    def work() -> None:
        Dispatch("X509Enrollment.CX500DistinguishedName").Encode(f"CN={MARK}")

    assert MARK in trace_of(work)
    assert MARK not in trace_of(work, secrets=(MARK,))


def test_every_argument_of_microsoft_s_that_is_a_password_has_its_row() -> None:
    surface = json.loads(shared_path("reference", "surface.json").read_text())
    rows = {(member, position) for (_, member), positions in TABLE.items() for position in positions}
    for interface, found in surface["interfaces"].items():
        for member in found["members"]:
            name = member["name"].lower()
            plain = name.removeprefix("get_").removeprefix("put_")
            for position, argument in enumerate(member.get("args", [])):
                if argument["name"].lower() in SECRET_NAMES:
                    assert (name, position) in rows, (interface, member["name"])
            if plain in ("pin", "challengepassword"):
                assert (plain, 0) in rows


def test_every_row_is_of_a_member_that_is_there() -> None:
    import certenroll
    from certenroll import facade
    from xenroll_compat.hosts.objects.dictionary import Dictionary
    from xenroll_compat.hosts.objects.shell import WshEnvironment

    others: dict[str, Any] = {"CEnroll": CEnroll, "Dictionary": Dictionary, "WshEnvironment": WshEnvironment}
    for interface, member in [*TABLE, *NAMED_VALUES]:
        if interface == "facade":
            assert hasattr(facade, member)
        else:
            assert member in (others.get(interface) or getattr(certenroll, interface))._members_, (interface, member)


def test_a_call_is_a_line_with_its_object_arguments_result_and_time() -> None:
    def work() -> None:
        made = Dispatch("X509Enrollment.CObjectId")
        made.InitializeFromValue("2.5.29.15")
        assert made.Value
        Dispatch("X509Enrollment.CObjectId").Value  # noqa: B018

    lines = [line.rpartition("  ")[0] for line in trace_of(work).splitlines()]
    assert lines[:2] == ['IObjectId#1.InitializeFromValue("2.5.29.15")', 'IObjectId#1.Value -> "2.5.29.15"']
    assert lines[2].startswith("IObjectId#2.Value !! OLE_E_BLANK: ")


def test_an_outer_call_stands_above_the_calls_that_it_made() -> None:
    def work() -> None:
        CEnroll().GetSupportedKeySpec()

    lines = trace_of(work).splitlines()
    assert lines[0].startswith("CEnroll#1.GetSupportedKeySpec()")
    assert lines[1].startswith("  ")
    calls = [json.loads(line) for line in trace_of(work, "json").splitlines()]
    assert (calls[-1]["member"], calls[-1]["depth"]) == ("GetSupportedKeySpec", 0)
    assert all(call["depth"] for call in calls[:-1])


def test_a_long_value_is_shortened_with_its_length() -> None:
    def work() -> None:
        Dispatch("X509Enrollment.CX500DistinguishedName").Encode("CN=" + "a" * 5000)

    (call, *_) = [json.loads(line) for line in trace_of(work, "json").splitlines()]
    assert call["arguments"][0]["length"] == 5003
    assert len(call["arguments"][0]["text"]) < 100


def test_a_trace_s_file_is_its_owner_s(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    file.write_text("old")
    file.chmod(0o644)
    with traced("text", file, io.StringIO()):
        a_pin()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text().startswith(f"IX509PrivateKey#1.Pin = {MASK}")
