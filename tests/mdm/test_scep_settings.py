"""The Install nodes as an enrollment's settings, and the PKCS#10 that is made of them, as outsiders read it."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import AttributeOID

from certenroll.asn1 import pkcs10
from certenroll.asn1.attributes import NAME_VALUE_PAIR, decode_name_value_pair
from certenroll.mdm import units
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import locate
from certenroll.mdm.scep_requests import make_request
from certenroll.mdm.scep_settings import ScepSettings, settings_of
from certenroll.mdm.tree import View
from certenroll.mdm.units import Step, workspace_of
from keystores.base import Scope
from tests.mdm.scep_orders import CHALLENGE, settings, uri
from tests.support.enrolling import BINARY
from tests.support.judges import run as run_program
from tests.support.requires import program
from tests.support.shared import shared_path

URL = "http://scep.test/certsrv/mscep/mscep.dll"
FULL = {
    "KeyProtection": "3",
    "RetryDelay": "7",
    "RetryCount": "4",
    "TemplateName": "1.3.6.1.4.1.311.21.8.1.2.3",
    "SubjectAlternativeNames": "2+a@example.com;3+host.example;7+https://x.example/a;b?c=1+2;11+alice@corp.example",
    "ValidPeriod": "Months",
    "ValidPeriodUnits": "18",
    "CustomTextToShowInPrompt": "for the VPN",
    "AttestPrivateKey": "1",
}


def view_of(nodes: Mapping[str, str]) -> View:
    steps = [Step("Add", locate(uri(f"one/Install/{name}")), "chr", text) for name, text in nodes.items()]
    return units.check(steps, View(workspace_of))


def read(nodes: Mapping[str, str]) -> ScepSettings:
    return settings_of(view_of(nodes), locate(uri("one/Install/Enroll")))


def refused(nodes: Mapping[str, str]) -> Refused:
    with pytest.raises(Refused) as caught:
        read(nodes)
    return caught.value


def csr(nodes: Mapping[str, str]) -> x509.CertificateSigningRequest:
    request: Any = make_request(read(nodes), Scope.USER)
    request.Encode()
    return x509.load_der_x509_csr(request.RawData(BINARY))


def test_the_nodes_are_read_with_the_defaults_of_the_ddf(home: Path) -> None:
    found = read(settings(URL))
    assert (found.server_urls, found.challenge, found.ekus) == ((URL,), CHALLENGE, ("1.3.6.1.5.5.7.3.2",))
    assert (found.key_usage, found.subject, found.key_length, found.hash_name) == (160, "CN=leaf", 2048, "sha256")
    assert (found.key_location, found.retry_delay, found.retry_count) == (3, 5, 3)
    assert (found.template, found.alternative_names, found.container, found.prompt, found.attest) == ("", (), "", "", 0)
    assert (found.valid_period, found.valid_units) == ("Days", 0)


def test_settings_come_back_from_json_as_they_went_in(home: Path) -> None:
    found = read(settings(URL, **FULL))
    assert ScepSettings.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_challenge_stands_in_no_repr(home: Path) -> None:
    assert CHALLENGE not in repr(read(settings(URL)))


@pytest.mark.parametrize(
    ("node", "text", "field", "expected"),
    [
        ("ServerURL", " http://a.test/x ; https://b.test ;", "server_urls", ("http://a.test/x", "https://b.test")),
        ("Challenge", "", "challenge", ""),
        ("EKUMapping", "1.3.6.1.5.5.7.3.2 + 1.3.6.1.5.5.7.3.4", "ekus", ("1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4")),
        ("KeyUsage", "32", "key_usage", 32),
        ("HashAlgorithm", "SHA-1+SHA-2", "hash_name", "sha256"),
        ("HashAlgorithm", "SHA-3+SHA-1", "hash_name", "sha1"),
        ("HashAlgorithm", "sha256", "hash_name", "sha256"),
        ("HashAlgorithm", "SHA-512", "hash_name", "sha512"),
        ("CAThumbprint", " 00 " * 20, "ca_thumbprint", "00" * 20),
        ("CAThumbprint", "AB" * 16, "ca_thumbprint", "ab" * 16),
        ("RetryDelay", "0", "retry_delay", 1),
        ("RetryCount", "31", "retry_count", 30),
        ("RetryCount", "0", "retry_count", 0),
        ("TemplateName", "", "template", ""),
        ("TemplateName", "VPN User", "template", "VPN User"),
        ("ValidPeriodUnits", "", "valid_units", 0),
        ("SubjectAlternativeNames", "", "alternative_names", ()),
        ("SubjectAlternativeNames", "3+a.b;", "alternative_names", ((3, "a.b"),)),
        ("SubjectAlternativeNames", "5+CN=a;O=b;8+::1", "alternative_names", ((5, "CN=a;O=b"), (8, "::1"))),
        ("AADKeyIdentifierList", "", "attest", 0),
    ],
)  # fmt: skip
def test_a_value_is_read_as_it_is_meant(node: str, text: str, field: str, expected: object, home: Path) -> None:
    if node == "ValidPeriodUnits":  # an empty number is none that the tree takes
        assert read(settings(URL)).valid_units == expected
        return
    assert getattr(read(settings(URL, **{node: text})), field) == expected


REQUIRED = ("ServerURL", "Challenge", "EKUMapping", "KeyUsage", "SubjectName", "KeyLength", "HashAlgorithm", "CAThumbprint")


@pytest.mark.parametrize("node", REQUIRED)
def test_a_required_node_that_is_missing_is_named(node: str, home: Path) -> None:
    nodes = settings(URL)
    del nodes[node]
    found = refused(nodes)
    assert found.code is Code.COMMAND_FAILED
    assert f"Install/{node}:" in str(found)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ("ServerURL", " ; "),
        ("ServerURL", "ftp://scep.test"),
        ("ServerURL", "http://a.test;http://user@b.test"),
        ("EKUMapping", ""),
        ("EKUMapping", "1.3.6.1.5.5.7.3.2+"),
        ("EKUMapping", "ClientAuth"),
        ("KeyUsage", "64"),
        ("KeyUsage", "65696"),
        ("KeyUsage", "-96"),
        ("SubjectName", "no name"),
        ("SubjectName", "CN=a, b"),
        ("HashAlgorithm", "SHA-3"),
        ("HashAlgorithm", ""),
        ("CAThumbprint", "00" * 19),
        ("CAThumbprint", "zz" * 20),
        ("TemplateName", "1.2."),
        ("TemplateName", "a\nb"),
        ("KeyProtection", "4"),
        ("AttestPrivateKey", "2"),
        ("AADKeyIdentifierList", "abc;def"),
        ("SubjectAlternativeNames", "alice@example.com"),
        ("SubjectAlternativeNames", "4+x"),
        ("SubjectAlternativeNames", "6+x"),
        ("SubjectAlternativeNames", "12+x"),
        ("SubjectAlternativeNames", "3+"),
        ("SubjectAlternativeNames", "3+b\u00fccher.example"),
        ("SubjectAlternativeNames", "5+nothing"),
        ("SubjectAlternativeNames", "8+1.2.3"),
        ("SubjectAlternativeNames", "9+x"),
        ("SubjectAlternativeNames", "10+x"),
        ("SubjectAlternativeNames", "1+text"),
        ("SubjectAlternativeNames", "1+x:text"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_and_its_node_named(node: str, text: str, home: Path) -> None:
    found = refused(settings(URL, **{node: text}))
    assert (found.code, found.hresult >= 0x80000000) == (Code.COMMAND_FAILED, True)
    assert f"Install/{'ContainerName' if node == 'KeyProtection' else node}:" in str(found)
    assert CHALLENGE not in str(found)


CARD = {"KeyProtection": "4", "ContainerName": "vpn"}


@pytest.mark.parametrize("names", [None, "", " ; "])
def test_an_empty_subject_needs_an_alternative_name(names: str | None, home: Path) -> None:
    found = refused(settings(URL, SubjectName=" ", SubjectAlternativeNames=names))
    assert (found.code, "Install/SubjectName:" in str(found)) == (Code.COMMAND_FAILED, True)


@pytest.mark.parametrize("subject", ["", " "])
def test_a_request_has_no_subject_where_a_name_stands_in_its_place(subject: str, home: Path) -> None:
    found = csr(settings(URL, SubjectName=subject, SubjectAlternativeNames="3+host.example", KeyLength="1024"))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert (list(found.subject), list(names)) == ([], [x509.DNSName("host.example")])


@pytest.mark.parametrize(
    ("node", "text"),
    [("KeyLength", "1024"), ("KeyLength", "4096"), ("HashAlgorithm", "SHA-1"), ("HashAlgorithm", "SHA-512")],
)
def test_a_key_in_a_named_container_is_2048_bits_and_signs_with_sha_256(node: str, text: str, home: Path) -> None:
    """As the page asks of Windows Hello for Business."""
    assert f"Install/{node}:" in str(refused(settings(URL, **CARD, **{node: text})))
    assert read(settings(URL, **{node: text})).container == ""


@pytest.mark.parametrize("text", ["SHA-2", "SHA256", "SHA-1+SHA-2", "SHA-3+SHA-2"])
def test_a_key_in_a_named_container_takes_a_choice_with_sha_256(text: str, home: Path) -> None:
    found = read(settings(URL, **CARD, HashAlgorithm=text))
    assert (found.container, found.key_length, found.hash_name) == ("vpn", 2048, "sha256")


def test_the_settings_of_the_documented_message_are_taken(home: Path) -> None:
    """It has SHA-1, 1024 bits, and a thumbprint that is too short for the hash that the page names."""
    from certenroll.mdm import syncml

    text = shared_path("vectors", "syncml", "doc_scep_enroll.xml").read_text(encoding="utf-8")
    message = syncml.parse(text.replace("<InsertUniqueIDHere>", "one").encode())
    (block,) = message.commands
    nodes = {item.target.rpartition("/")[2]: item.data or "" for child in block.children[1:-1] for item in child.items}
    found = read(nodes)
    assert (found.hash_name, found.key_length, found.retry_count, found.retry_delay) == ("sha1", 1024, 1, 1)
    assert (found.valid_period, found.valid_units, len(found.ekus), found.ca_thumbprint[:4]) == ("Years", 1, 4, "1234")


# The request ---------------------------------------------------------------------------------------------------------


def test_openssl_reads_the_request(home: Path, tmp_path: Path) -> None:
    request: Any = make_request(read(settings(URL, **FULL)), Scope.USER)
    request.Encode()
    file = tmp_path / "request.der"
    file.write_bytes(request.RawData(BINARY))
    text = run_program(program("openssl"), "req", "-inform", "DER", "-in", str(file), "-noout", "-text", "-verify")
    for part in ("CN = leaf", "(2048 bit)", "TLS Web Client Authentication", "host.example", "sha256WithRSAEncryption"):
        assert part in text
    assert "X509v3 Key Usage: critical\n                    Digital Signature, Key Encipherment" in text
    assert CHALLENGE in text


def test_the_request_has_what_was_ordered(home: Path) -> None:
    found = csr(settings(URL, **FULL))
    extensions = {one.oid.dotted_string: one for one in found.extensions}
    assert found.attributes.get_attribute_for_oid(AttributeOID.CHALLENGE_PASSWORD).value == CHALLENGE.encode()
    usage = extensions["2.5.29.15"]
    assert usage.critical
    assert isinstance(usage.value, x509.KeyUsage)
    assert (usage.value.digital_signature, usage.value.key_encipherment, usage.value.key_agreement) == (True, True, False)
    assert extensions["2.5.29.37"].value == x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.2")])
    template = extensions["1.3.6.1.4.1.311.21.7"].value
    assert isinstance(template, x509.MSCertificateTemplate)
    assert template.template_id.dotted_string == FULL["TemplateName"]
    named = extensions["2.5.29.17"].value
    assert isinstance(named, x509.SubjectAlternativeName)
    assert named.get_values_for_type(x509.RFC822Name) == ["a@example.com"]
    assert named.get_values_for_type(x509.UniformResourceIdentifier) == ["https://x.example/a;b?c=1+2"]
    assert sorted(extensions) == ["1.3.6.1.4.1.311.21.7", "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.37"]


def test_an_alternative_name_of_every_type_is_written(home: Path) -> None:
    guid = "00112233-4455-6677-8899-aabbccddeeff"
    every = f"1+1.2.3.4:f\u00fcr;2+a@b.c;3+a.b;5+CN=a, O=b;7+urn:x;8+10.1.2.3;8+2001:db8::1;9+1.2.3;10+{{{guid}}};11+a@b"
    value = csr(settings(URL, SubjectAlternativeNames=every)).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    other, mail, dns, directory, uri_name, four, six, registered, identifier, principal = value.value
    assert isinstance(other, x509.OtherName)
    assert (other.type_id.dotted_string, other.value) == ("1.2.3.4", b"\x0c\x04f\xc3\xbcr")
    assert (mail, dns, uri_name) == (x509.RFC822Name("a@b.c"), x509.DNSName("a.b"), x509.UniformResourceIdentifier("urn:x"))
    assert isinstance(directory, x509.DirectoryName)
    assert directory.value.rfc4514_string() == "CN=a,O=b"
    assert [four.value, six.value] == [ipaddress.ip_address("10.1.2.3"), ipaddress.ip_address("2001:db8::1")]
    assert registered == x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))
    assert isinstance(identifier, x509.OtherName)
    assert identifier.value == b"\x04\x10" + bytes.fromhex("33221100554477668899aabbccddeeff")
    assert isinstance(principal, x509.OtherName)
    assert (principal.type_id.dotted_string, principal.value) == ("1.3.6.1.4.1.311.20.2.3", b"\x0c\x03a@b")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"ValidPeriodUnits": "18", "ValidPeriod": "Months"}, {"ValidityPeriod": "Months", "ValidityPeriodUnits": "18"}),
        ({"ValidPeriodUnits": "30"}, {"ValidityPeriod": "Days", "ValidityPeriodUnits": "30"}),
        ({"ValidPeriod": "Years"}, {}),
    ],
)
def test_the_wished_period_is_a_pair_of_attributes(
    changes: dict[str, str], expected: dict[str, str], home: Path
) -> None:
    request: Any = make_request(read(settings(URL, KeyLength="1024", **changes)), Scope.USER)
    request.Encode()
    values = pkcs10.decode(request.RawData(BINARY)).values(NAME_VALUE_PAIR)
    pairs = [decode_name_value_pair(value) for value in values]
    assert {one.name: one.value for one in pairs} == expected


@pytest.mark.parametrize(("template", "oid"), [("1.2.3.4", "1.3.6.1.4.1.311.21.7"), ("VPN", "1.3.6.1.4.1.311.20.2")])
def test_a_template_is_named_by_identifier_or_by_name(template: str, oid: str, home: Path) -> None:
    found = csr(settings(URL, KeyLength="1024", TemplateName=template))
    assert oid in {one.oid.dotted_string for one in found.extensions}


@pytest.mark.parametrize(("legacy", "name"), [(False, "sha256"), (True, "sha1")])
def test_sha_1_signs_only_where_the_profile_says_so(legacy: bool, name: str, home: Path) -> None:
    (home / "profile.toml").write_text(f"legacy_hashes = {str(legacy).lower()}\n")
    found = csr(settings(URL, KeyLength="1024", HashAlgorithm="SHA-1"))
    assert found.signature_hash_algorithm is not None
    assert found.signature_hash_algorithm.name == name


def test_a_key_that_is_for_one_use_opens_the_answer_all_the_same(home: Path) -> None:
    request: Any = make_request(read(settings(URL, KeyLength="1024", KeyUsage="128")), Scope.USER, "named")
    request.Encode()
    info = request.PrivateKey.stored_key().info
    assert (info.container, info.use.name, info.exportable) == ("named", "ALL", False)


def test_the_prompt_text_goes_to_key_and_request(home: Path) -> None:
    request: Any = make_request(read(settings(URL, CustomTextToShowInPrompt="for the VPN")), Scope.USER)
    assert (request.UIContextMessage, request.PrivateKey.UIContextMessage) == ("for the VPN", "for the VPN")
