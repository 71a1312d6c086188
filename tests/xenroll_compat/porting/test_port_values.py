"""Where a port has its values from: numbers of requests, results in other encodings, what a user typed."""

from __future__ import annotations

import base64

import pytest

from certenroll.errors import ComError
from tests.xenroll_compat.porting.recorded import control, port_of
from xenroll_compat import Dispatch
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting import python, vbscript
from xenroll_compat.porting.inputs import Inputs
from xenroll_compat.porting.model import ANSWER, Call, Joined, Literal, Name, Port
from xenroll_compat.porting.spellings import spellings


def call_of(port: Port, member: str) -> Call:
    """The last call of a member."""
    return [call for call in port.calls() if call.member == member][-1]


def submitted(given: str | bytes) -> None:
    """Hands a request to a CA that is not there."""
    with pytest.raises(ComError):
        Dispatch("CertificateAuthority.Request").Submit(0, given, "", "nowhere\\CA")


def test_a_request_in_another_encoding_is_the_earlier_one_converted() -> None:
    port = port_of(lambda: submitted(base64.b64decode(control().createPKCS10("CN=x", ""))))
    converted = call_of(port, "StringToString")
    assert converted.arguments[0] == Name("request_text")
    assert call_of(port, "Submit").arguments[1] == Name(converted.result)


def test_one_conversion_serves_every_use() -> None:
    def script() -> None:
        request = base64.b64decode(control().createPKCS10("CN=x", ""))
        submitted(request)
        submitted(request.hex())
        submitted(request)

    assert [call.member for call in port_of(script).calls()].count("StringToString") == 2


@pytest.mark.parametrize(
    "spelled",
    [
        lambda data: data,
        lambda data: data.hex(),
        lambda data: data.hex().upper(),
        lambda data: base64.encodebytes(data).decode().replace("\n", "\r\n"),
        lambda data: f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(data).decode()}-----END CERTIFICATE-----\n",
        lambda data: f"-----BEGIN NEW CERTIFICATE REQUEST-----\n{base64.encodebytes(data).decode()}"
        "-----END NEW CERTIFICATE REQUEST-----",
    ],
)
def test_octets_are_known_however_they_are_spelled(spelled: object) -> None:
    data = bytes(range(48))
    assert callable(spelled)
    assert data in [one.octets for one in spellings(spelled(data))]


@pytest.mark.parametrize("value", ["", "short", b"", b"short", "CN=Alice, O=Example & Sons", "-----", "\x00" * 9])
def test_what_encodes_nothing_has_no_octets(value: str | bytes) -> None:
    assert list(spellings(value)) == []


def test_a_text_that_equals_a_property_which_was_read_stays_a_literal() -> None:
    def script() -> None:
        providers = Dispatch("X509Enrollment.CCspInformations")
        providers.AddAvailableCsps()
        names = [one.Name for one in providers]
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.ProviderName = names[-1]
        key.Create()

    wanted = Literal("Microsoft Software Key Storage Provider", "provider_name")
    assert call_of(port_of(script), "ProviderName").arguments == (wanted,)


def test_what_a_user_typed_into_a_part_of_a_name_is_that_part() -> None:
    settings = RunSettings(fields={"who": "Alice", "firm": "Example Inc"})
    port = port_of(lambda: control().createPKCS10("CN=Alice,O=Example Inc,OU=Alices", ""), settings)
    subject = call_of(port, "Encode").arguments[0]
    assert subject == Joined((
        Literal("CN="), Name("common_name"), Literal(",O="), Name("organization"), Literal(",OU=Alices"),
    ))  # fmt: skip
    assert {one.name: one.example for one in port.parameters} == {"common_name": "Alice", "organization": "Example Inc"}


def test_two_equal_inputs_are_a_parameter_for_each_use() -> None:
    def script() -> None:
        enroll = control()
        enroll.ContainerName = "Alice"
        enroll.createPKCS10("CN=Alice", "")

    port = port_of(script, RunSettings(inputs=("Alice", "Alice")))
    assert call_of(port, "ContainerName").arguments == (Name("container_name"),)
    assert call_of(port, "Encode").arguments[0] == Joined((Literal("CN="), Name("common_name")))


def test_one_input_is_one_parameter_for_all_its_uses() -> None:
    def script() -> None:
        enroll = control()
        enroll.ContainerName = "Alice"
        enroll.createPKCS10("CN=Alice", "")

    assert [one.name for one in port_of(script, RunSettings(inputs=("Alice",))).parameters] == ["container_name"]


def test_object_ids_and_names_of_providers_have_no_typed_parts() -> None:
    def script() -> None:
        enroll = control()
        enroll.ProviderName = "Microsoft Enhanced Cryptographic Provider v1.0"
        enroll.createPKCS10("CN=x", "1.3.6.1.5.5.7.3.2")

    assert port_of(script, RunSettings(inputs=("Microsoft", "1.3.6"))).parameters == ()


def test_a_field_s_own_value_is_told_as_such_and_what_was_typed_is_no_second_input() -> None:
    found = Inputs()
    found.note("Alice", "the field cn", typed=True)
    found.note("Alice", "the field cn of the page", typed=True)
    found.note("Oslo", "the field town\nimport os of the page", typed=True)
    assert not found.is_ambiguous("Alice")
    assert found.about("Oslo") == "what the run had from the field town?import os of the page"


def test_an_answer_that_a_call_gave_is_not_asked_for_in_whatever_encoding() -> None:
    def script() -> None:
        converter = Dispatch("X509Enrollment.CBinaryConverter")
        answer = converter.StringToString(bytes(range(64)), 2, 0)
        enrollment = Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.Initialize(1)
        with pytest.raises(ComError):
            enrollment.InstallResponse(0, bytes(range(64)), 2, "")
        assert answer

    assert all(one.kind != ANSWER for one in port_of(script).parameters)


def test_a_sum_of_texts_that_has_a_bar_stays_on_its_line() -> None:
    def script() -> None:
        key = Dispatch("X509Enrollment.CX509PrivateKey")
        key.Description = "Alice" + " | words" * 20
        key.Create()

    compile(python.render(port_of(script, RunSettings(inputs=("Alice",)))), "port.py", "exec")


def test_a_long_part_of_a_sum_of_texts_is_a_constant() -> None:
    long = ", ".join(f"OU=Department {number}" for number in range(60))
    port = port_of(lambda: control().createPKCS10(f"CN=Alice, {long}", ""), RunSettings(inputs=("Alice",)))
    assert [one.value for one in port.constants] == [f", {long}"]
    assert max(len(line) for line in vbscript.render(port).splitlines()) < 200
