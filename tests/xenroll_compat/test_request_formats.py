"""Requests in every format: what stands where, what outsiders read in it, and certificates that are issued for it."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll import facade
from certenroll.asn1 import cmc_requests, der, pkcs7_requests, pkcs10
from certenroll.asn1.attributes import NAME_VALUE_PAIR, decode_name_value_pair
from certenroll.asn1.der import Attribute, Extension
from certenroll.ca.local import LocalCA
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support import judges
from tests.support.ca import pem
from tests.support.oracles import Reading, read_with_bouncy_castle
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.xenroll_compat.conftest import answer_of, refused

PKCS10, PKCS7, CMC = 1, 2, 3
FORMATS = (PKCS10, PKCS7, CMC)
CLIENT = "1.3.6.1.5.5.7.3.2"
CLIENT_INFO = "1.3.6.1.4.1.311.21.20"
TEMPLATE_NAME = "1.3.6.1.4.1.311.20.2"


def body(text: str) -> bytes:
    """The DER in a text with header and footer."""
    return base64.b64decode("".join(text.split("-----")[2].split()), validate=True)


def inside(kind: int, message: bytes) -> x509.CertificateSigningRequest:
    """The PKCS #10 in a request of a kind."""
    if kind == PKCS7:
        message = pkcs10.encode(pkcs7_requests.decode(message).request)
    if kind == CMC:
        message = pkcs10.encode(cmc_requests.certification_request(cmc_requests.decode(message)))
    return x509.load_der_x509_csr(message)


@pytest.fixture
def signer(control: Any, ca: LocalCA) -> bytes:
    """A certificate of MY that may sign requests."""
    return enrolled(control, ca, "CN=Agent", "EnrollmentAgent")


def enrolled(control: Any, ca: LocalCA, name: str, template: str) -> bytes:
    """A certificate that the control has got by a PKCS #10."""
    control.addCertTypeToRequest(template)
    before = {one.der for one in facade.certificates("MY")}
    control.acceptPKCS7(answer_of(ca, control.createPKCS10WStr(name, "")))
    control.resetExtensions()
    (new,) = (one.der for one in facade.certificates("MY") if one.der not in before)
    return new


def read(tmp_path: Path, message: bytes) -> Reading:
    """What Bouncy Castle reads in a message whose signatures all fit."""
    (found,) = read_with_bouncy_castle(tmp_path, message)
    assert found.verdict == "good", found
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_text_with_a_header_in_lines_that_end_in_crlf(control: Any, signer: bytes, kind: int) -> None:
    control.SetSignerCertificate(signer)
    text = control.createRequest(kind, "CN=User", CLIENT)
    lines = text.split("\r\n")
    assert (lines[0], lines[-1]) == ("-----BEGIN NEW CERTIFICATE REQUEST-----", "")
    assert lines[-2] == "-----END NEW CERTIFICATE REQUEST-----"
    assert all(re.fullmatch("[A-Za-z0-9+/=]{1,64}", line) for line in lines[1:-2])
    assert inside(kind, body(text)).subject.rfc4514_string() == "CN=User"


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_is_issued_for_and_installed_with_its_key(
    control: Any, ca: LocalCA, signer: bytes, kind: int, tmp_path: Path
) -> None:
    control.SetSignerCertificate(signer)
    control.addCertTypeToRequest("ClientAuth")
    control.createFileRequest(kind, "CN=User", CLIENT, str(tmp_path / "request"))
    control.acceptResponse(answer_of(ca, body((tmp_path / "request").read_text())))
    (installed,) = (one for one in facade.certificates("MY") if one.subject == "CN=User")
    assert installed.key is not None
    assert installed.key.container == control.ContainerName
    assert ca.requests()[-1].template == "ClientAuth"
    assert not facade.pending_requests()
    judges.openssl_verifies_chain(tmp_path, installed.der, ca.certificates())


@pytest.mark.parametrize("kind", FORMATS)
def test_a_card_signs_every_format_and_is_given_the_certificate(ca: LocalCA, control: Any, kind: int) -> None:
    with SoftToken() as token:
        control.ProviderName, control.GenKeyFlags = "Microsoft Base Smart Card Crypto Provider", 0
        control.SetSignerCertificate(enrolled(control, ca, "CN=Agent", "EnrollmentAgent"))
        control.acceptResponse(answer_of(ca, control.createRequestWStr(kind, "CN=User", CLIENT)))
        (installed,) = (one for one in facade.certificates("MY") if one.subject == "CN=User")
        assert installed.key is not None
        assert installed.key.store == "smartcard"
        assert token.store().read_certificate(control.ContainerName) == installed.der


def test_openssl_verifies_a_pkcs7_and_takes_the_pkcs10_out_of_it(control: Any, signer: bytes, tmp_path: Path) -> None:
    control.SetSignerCertificate(signer)
    (tmp_path / "message").write_bytes(control.createRequestWStr(PKCS7, "CN=User", CLIENT))
    (tmp_path / "signer").write_text(pem("CERTIFICATE", signer))
    openssl = program("openssl")
    judges.run(
        openssl, "cms", "-verify", "-noverify", "-inform", "DER", "-in", str(tmp_path / "message"), "-certfile",
        str(tmp_path / "signer"), "-out", str(tmp_path / "inner"),
    )  # fmt: skip
    assert "CN = User" in judges.run(openssl, "req", "-inform", "DER", "-in", str(tmp_path / "inner"), "-subject", "-verify")


def test_bouncy_castle_reads_a_cmc_request_with_its_own_signature_and_the_signers(
    control: Any, signer: bytes, tmp_path: Path
) -> None:
    control.SetSignerCertificate(signer)
    found = read(tmp_path, control.createRequestWStr(CMC, "CN=User", CLIENT))
    assert [one["good"] for one in found.of("signer")] == ["true", "true"]
    assert [one["subject"] for one in found.of("request")] == ["CN=User"]


def test_a_pkcs7_that_nobody_signs_is_refused_before_a_key_is_made(control: Any) -> None:
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, control.createRequest, PKCS7, "CN=x", "")
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, control.createRequestWStr, PKCS7, "CN=x", "")
    assert not facade.containers("software")
    assert not facade.pending_requests()


@pytest.mark.parametrize("kind", FORMATS)
def test_the_properties_of_a_request_stand_in_the_pkcs10_of_every_format(control: Any, signer: bytes, kind: int) -> None:
    control.SetSignerCertificate(signer)
    control.EnableT61DNEncoding = control.EnableSMIMECapabilities = control.LimitExchangeKeyToEncipherment = True
    control.IncludeSubjectKeyID, control.KeySpec = False, 1
    control.addExtensionToRequest(1, "1.2.3.4", b"\x05\x00")
    control.addAttributeToRequest(0, "1.2.3.5", b"\x05\x00")
    control.addCertTypeToRequest("User")
    message = control.createRequestWStr(kind, "CN=Märtz", CLIENT)
    assert "\x14\x05Märtz".encode("latin-1") in message
    found = inside(kind, message)
    oids = {one.oid.dotted_string for one in found.extensions}
    assert {"1.2.3.4", "1.2.840.113549.1.9.15", "2.5.29.37", TEMPLATE_NAME} <= oids
    assert "2.5.29.14" not in oids
    usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_encipherment, usage.digital_signature) == (True, False)
    assert der.oid("1.2.3.5") in message


def test_a_cmc_request_without_a_subject_key_identifier_is_still_signed_by_its_key(
    control: Any, ca: LocalCA, tmp_path: Path
) -> None:
    control.IncludeSubjectKeyID = False
    message = control.createRequestWStr(CMC, "CN=User", "")
    assert [one["good"] for one in read(tmp_path, message).of("signer")] == ["true"]
    control.acceptResponse(answer_of(ca, message))
    assert [one.subject for one in facade.certificates("MY")] == ["CN=User"]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_client_is_named_once_for_each_part_that_names_it_or_nowhere(control: Any, signer: bytes, kind: int) -> None:
    control.SetSignerCertificate(signer)
    control.ClientId = 0x1234
    named = control.createRequestWStr(kind, "CN=x", "")
    assert named.count(der.oid(CLIENT_INFO)) == (2 if kind == CMC else 1)  # a CMC message and the request in it
    assert named.count(b"\x02\x02\x12\x34") == named.count(der.oid(CLIENT_INFO))
    control.ClientId = 0
    assert der.oid(CLIENT_INFO) not in control.createRequestWStr(kind, "CN=x", "")


@pytest.mark.parametrize("kind", FORMATS)
def test_the_hash_signs_every_part_of_a_request(control: Any, signer: bytes, kind: int) -> None:
    control.SetSignerCertificate(signer)
    control.HashAlgorithm = "SHA384"
    message = control.createRequestWStr(kind, "CN=x", "")
    algorithm = inside(kind, message).signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == "sha384"
    if kind != PKCS10:
        assert der.oid("2.16.840.1.101.3.4.2.2") in message
        assert der.oid("2.16.840.1.101.3.4.2.1") not in message


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("add", ["addNameValuePairToRequest", "AddNameValuePairToSignatureWStr"])
def test_a_name_and_value_choose_the_template_in_every_format(
    control: Any, ca: LocalCA, signer: bytes, kind: int, add: str
) -> None:
    control.SetSignerCertificate(signer)
    arguments = ("CertificateTemplate", "ClientAuth")
    getattr(control, add)(*((0, *arguments) if add.endswith("Request") else arguments))
    control.acceptResponse(answer_of(ca, control.createRequestWStr(kind, "CN=User", "")))
    assert ca.requests()[-1].template == "ClientAuth"
    control.resetAttributes()
    assert "ClientAuth".encode("utf-16-be") not in control.createRequestWStr(PKCS10, "CN=User", "")


def test_pairs_stand_where_each_format_has_a_place_for_them(control: Any, signer: bytes, tmp_path: Path) -> None:
    control.SetSignerCertificate(signer)
    control.addNameValuePairToRequest(0, "asked", "1")
    control.addNameValuePairToSignature("signed", "2")
    plain = control.createRequestWStr(PKCS10, "CN=x", "")
    assert plain.count(der.oid(NAME_VALUE_PAIR)) == 2
    message = pkcs7_requests.decode(control.createRequestWStr(PKCS7, "CN=x", ""))
    (own,) = message.request.values(NAME_VALUE_PAIR)
    (signed,) = message.signed.signers[0].signed_values(NAME_VALUE_PAIR)
    assert [decode_name_value_pair(one).name for one in (own, signed)] == ["asked", "signed"]
    cmc = read(tmp_path, control.createRequestWStr(CMC, "CN=x", ""))
    assert [one["text"] for one in cmc.of("registration")] == ["asked=1&signed=2&"]


def test_a_pair_and_an_attribute_of_its_type_go_into_a_pkcs10_together(control: Any) -> None:
    control.addAttributeToRequest(0, NAME_VALUE_PAIR, facade.encode_name_value_pair("by hand", "1"))
    control.addNameValuePairToRequest(0, "as a pair", "2")
    message = control.createPKCS10WStr("CN=x", "")
    assert "by hand".encode("utf-16-be") in message
    assert "as a pair".encode("utf-16-be") in message


@pytest.mark.parametrize("kind", [PKCS7, CMC])
def test_an_agent_asks_for_somebody_else(control: Any, ca: LocalCA, signer: bytes, kind: int) -> None:
    control.SetSignerCertificate(signer)
    control.addCertTypeToRequest("User")
    control.addNameValuePairToSignature("RequesterName", "CORP\\carol")
    control.acceptResponse(answer_of(ca, control.createRequestWStr(kind, "", "")))
    assert (ca.requests()[-1].requester, ca.requests()[-1].template) == ("CORP\\carol", "User")
    assert "CN=carol" in {one.subject for one in facade.certificates("MY")}


def test_extensions_are_added_all_at_once_and_taken_away_together(control: Any) -> None:
    given = (Extension("1.2.3.4", True, b"\x05\x00"), Extension("1.2.3.6", False, b"\x04\x00"))
    control.AddExtensionsToRequest(der.encode_extensions(given))
    found = {one.oid.dotted_string: one.critical for one in inside(PKCS10, control.createPKCS10WStr("CN=x", "")).extensions}
    assert (found["1.2.3.4"], found["1.2.3.6"]) == (True, False)
    control.resetExtensions()
    assert der.oid("1.2.3.4") not in control.createPKCS10WStr("CN=x", "")
    for bad in (b"", b"\x30\x03\x02\x01", b"no extensions", der.encode_extensions(given)[:-1]):
        assert 0x80093100 <= refusal(control.AddExtensionsToRequest, bad) <= 0x80093300
    refused(HRESULT.DISP_E_TYPEMISMATCH, control.AddExtensionsToRequest, "text")


@pytest.mark.parametrize("tag", [der.SET, der.SEQUENCE])
def test_attributes_are_signed_by_the_signer_of_a_pkcs7_and_by_nobody_else(control: Any, signer: bytes, tag: int) -> None:
    control.SetSignerCertificate(signer)
    attribute = Attribute("1.2.3.5", (b"\x04\x05hello",))
    control.AddAuthenticatedAttributesToPKCS7Request(der.wrap(tag, der.encode_attribute(attribute)))
    made = pkcs7_requests.decode(control.createRequestWStr(PKCS7, "CN=x", ""))
    assert made.signed.signers[0].signed_values("1.2.3.5") == (b"\x04\x05hello",)
    assert b"hello" not in control.createRequestWStr(PKCS10, "CN=x", "") + control.createRequestWStr(CMC, "CN=x", "")
    control.resetAttributes()
    assert b"hello" not in control.createRequestWStr(PKCS7, "CN=x", "")
    for bad in (b"", b"\x31\x02\x05\x00", b"text"):
        assert 0x80093100 <= refusal(control.AddAuthenticatedAttributesToPKCS7Request, bad) <= 0x80093300


def refusal(call: Any, *arguments: object) -> int:
    """The unsigned code of a call that must fail."""
    with pytest.raises(ComError) as caught:
        call(*arguments)
    return int(caught.value.hresult & 0xFFFFFFFF)


def test_a_pkcs7_is_made_around_a_request_that_is_there(control: Any, ca: LocalCA, signer: bytes, tmp_path: Path) -> None:
    control.addCertTypeToRequest("User")
    request = control.createPKCS10WStr("", "")
    before = facade.pending_requests()
    control.addNameValuePairToSignature("RequesterName", "CORP\\carol")
    attribute = der.encode_attribute(Attribute("1.2.3.5", (b"\x05\x00",)))
    control.AddAuthenticatedAttributesToPKCS7Request(der.wrap(der.SET, attribute))
    message = control.CreatePKCS7RequestFromRequest(request, signer)
    assert pkcs10.encode(pkcs7_requests.decode(message).request) == request
    assert "1.2.3.5" in {one["oid"] for one in read(tmp_path, message).of("signed")}
    assert facade.pending_requests() == before
    control.acceptPKCS7(answer_of(ca, message))
    assert "CN=carol" in {one.subject for one in facade.certificates("MY")}
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.CreatePKCS7RequestFromRequest, request, ca.certificates()[0])
    assert 0x80093100 <= refusal(control.CreatePKCS7RequestFromRequest, request, b"none") <= 0x80093300
    assert 0x80093100 <= refusal(control.CreatePKCS7RequestFromRequest, b"none", signer) <= 0x80093300
