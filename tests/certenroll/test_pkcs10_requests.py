"""IX509CertificateRequestPkcs10: what it encodes, as others read it, and what it reads of others' requests."""

from __future__ import annotations

import hashlib
import logging
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll.asn1 import attributes, extensions, pkcs10
from certenroll.attribute_types import IX509AttributeClientId, IX509AttributeExtensions
from certenroll.enums import X509KeySpec
from certenroll.extension_types import IX509ExtensionKeyUsage
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, blank_request, encoded, key_usage, new_key, new_request, oid, refused
from tests.support.requires import program
from tests.support.shared import shared_path
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

BLANK = HRESULT.OLE_E_BLANK
EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
SEALED = HRESULT.WIN32_ALREADY_INITIALIZED
SHA1, MD5 = "1.3.14.3.2.26", "1.2.840.113549.2.5"
SKI, KEY_USAGE, SMIME = "2.5.29.14", "2.5.29.15", "1.2.840.113549.1.9.15"
DEFAULT_ATTRIBUTES = {attributes.OS_VERSION, attributes.CLIENT_INFO, attributes.CSP_PROVIDER}


def openssl(folder: Path, request: bytes) -> str:
    """What `openssl req -verify -text` prints; the test fails where the signature does not fit."""
    path = folder / "request.der"
    path.write_bytes(request)
    done = subprocess.run(
        [program("openssl"), "req", "-in", str(path), "-inform", "DER", "-verify", "-noout", "-text"],
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "verify OK" in done.stderr
    return done.stdout


def certtool(folder: Path, request: bytes) -> str:
    """What `certtool --crq-info` prints."""
    path = folder / "request.der"
    path.write_bytes(request)
    command = [program("certtool"), "--crq-info", "--inder", "--infile", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# What is in it.


def test_the_default_attributes_and_extensions(home: Path, tmp_path: Path) -> None:
    made = encoded(new_request("CN=www.example.com, O=Example, C=DE"))
    assert {one.oid for one in made.attributes} == {*DEFAULT_ATTRIBUTES, attributes.EXTENSION_REQUEST}
    assert [(one.oid, one.critical) for one in made.extensions] == [(SKI, False), (KEY_USAGE, True)]
    said = openssl(tmp_path, pkcs10.encode(made))
    assert "Subject: C = DE, O = Example, CN = www.example.com" in said
    assert "Digital Signature, Key Agreement" in said
    assert "CN=www.example.com" in certtool(tmp_path, pkcs10.encode(made))


def test_suppress_defaults_leaves_only_what_the_caller_gave(home: Path) -> None:
    request = new_request()
    request.SuppressDefaults = True
    request.SmimeCapabilities = True
    assert encoded(request).attributes == ()
    again = new_request()
    again.SuppressDefaults = True
    again.X509Extensions.Add(key_usage(0x20))
    assert [one.oid for one in encoded(again).extensions] == [KEY_USAGE]


@pytest.mark.parametrize("suppressed", [*sorted(DEFAULT_ATTRIBUTES), SKI, KEY_USAGE, SMIME])
def test_a_suppressed_default_stays_out_and_the_others_stay(home: Path, suppressed: str) -> None:
    request = new_request()
    request.SmimeCapabilities = True
    request.SuppressOids.Add(oid(suppressed))
    made = encoded(request)
    found = {one.oid for one in made.attributes} | {one.oid for one in made.extensions}
    assert found == {*DEFAULT_ATTRIBUTES, attributes.EXTENSION_REQUEST, SKI, KEY_USAGE, SMIME} - {suppressed}


def test_what_the_caller_gives_takes_the_place_of_a_default(home: Path) -> None:
    request = new_request()
    request.X509Extensions.Add(key_usage(0x20))
    found = {one.oid: one for one in encoded(request).extensions}
    assert extensions.decode_key_usage(found[KEY_USAGE].value) == 0x20
    assert found[KEY_USAGE].critical


def test_critical_extensions_mark_what_they_name_and_nothing_else(home: Path) -> None:
    request = new_request()
    request.CriticalExtensions.Clear()
    request.CriticalExtensions.Add(oid(SKI))
    assert {one.oid: one.critical for one in encoded(request).extensions} == {SKI: True, KEY_USAGE: False}


@pytest.mark.parametrize(
    ("properties", "usage"),
    [
        ({"Length": 2048}, 0xA0),
        ({"Length": 2048, "KeySpec": X509KeySpec.XCN_AT_SIGNATURE}, 0x80),
        ({"Length": 2048, "KeySpec": X509KeySpec.XCN_AT_KEYEXCHANGE}, 0xA0),
        ({}, 0x88),
    ],
    ids=["RSA", "RSA to sign", "RSA to exchange", "EC"],
)
def test_the_default_key_usage_is_what_the_key_can_do(home: Path, properties: dict[str, Any], usage: int) -> None:
    found = {one.oid: one.value for one in encoded(new_request(key=new_key(**properties))).extensions}
    assert extensions.decode_key_usage(found[KEY_USAGE]) == usage


def test_the_client_id_tells_who_asks(home: Path) -> None:
    request = new_request()
    request.ClientId = 1001
    (value,) = encoded(request).values(attributes.CLIENT_INFO)
    assert attributes.decode_client_info(value).client_id == 1001
    assert request.ClientId == 1001


@pytest.mark.parametrize(
    ("template", "extension"),
    [("User", extensions.TEMPLATE_NAME), ("1.3.6.1.4.1.311.21.8.1.2.3", extensions.TEMPLATE)],
)
def test_a_template_is_named_or_told_by_its_object_id(home: Path, template: str, extension: str) -> None:
    request = new_request(template=template)
    assert encoded(request).extensions[0].oid == extension
    again = blank_request()
    again.InitializeDecode(request.RawData())
    assert again.template_name == template
    if template == "User":
        assert refused(getattr, again, "TemplateObjectId") == EMPTY
    else:
        assert again.TemplateObjectId.Value == request.TemplateObjectId.Value == template
    assert refused(blank_request().InitializeFromTemplateName, 1, "") == HRESULT.E_INVALIDARG


def test_a_renewal_certificate_goes_into_the_request(home: Path) -> None:
    from tests.stores.pki import make

    old = make("old").der
    request = new_request()
    request.SetRenewalCertificate(BINARY, old)
    assert request.RenewalCertificate(BINARY) == old
    assert encoded(request).values(attributes.RENEWAL_CERTIFICATE) == (old,)


def test_the_prefix_names_the_container_of_a_key_that_the_request_makes(home: Path) -> None:
    request = blank_request()
    request.Initialize(1)
    request.KeyContainerNamePrefix = "web-"
    request.PrivateKey.Algorithm = oid("1.2.840.10045.3.1.7")
    request.Encode()
    assert re.fullmatch(r"web-[0-9a-f-]{36}", request.PrivateKey.ContainerName)


def test_what_it_shows_once_it_is_encoded(home: Path) -> None:
    key = new_key()
    request = new_request("CN=shown", key)
    made = encoded(request)
    assert request.Subject.Name == "CN=shown"
    assert request.PrivateKey is key
    assert request.PublicKey.spki_bytes() == made.public_key_info
    assert request.RawDataToBeSigned(BINARY) == made.to_be_signed
    assert request.Signature(BINARY) == made.signature
    assert request.SignatureInformation.GetSignatureAlgorithm(False, False).Value == "1.2.840.10045.4.3.2"
    request.CheckSignature()
    assert refused(request.CheckSignature, 2) == HRESULT.WIN32_INVALID_STATE
    assert isinstance(request.X509Extensions.ItemByIndex(1), IX509ExtensionKeyUsage)


@pytest.mark.parametrize("there", [False, True])
def test_reuse_key_tells_whether_the_key_was_there(home: Path, there: bool) -> None:
    first = new_key(ContainerName="mine")
    first.Create()
    key = new_key(ContainerName="mine", Existing=True) if there else first
    request = new_request(key=key)
    request.Encode()
    assert request.ReuseKey == there


@pytest.mark.parametrize(
    ("provider", "on_card"),
    [("", False), ("Microsoft Base Smart Card Crypto Provider", True), ("Microsoft Software Key Storage Provider", False)],
)
def test_is_smart_card_asks_the_provider_of_the_key(home: Path, provider: str, on_card: bool) -> None:
    assert new_request(key=new_key(ProviderName=provider) if provider else new_key()).IsSmartCard() is on_card


def test_a_request_for_a_public_key_is_null_signed(home: Path) -> None:
    key = new_key()
    key.Create()
    request = blank_request()
    request.InitializeFromPublicKey(1, key.ExportPublicKey())
    assert request.NullSigned
    assert refused(getattr, request, "PrivateKey") == EMPTY
    assert refused(request.IsSmartCard) == EMPTY
    made = encoded(request)
    assert made.is_null_signed
    assert made.signature == hashlib.sha256(made.to_be_signed).digest()
    assert attributes.CSP_PROVIDER not in {one.oid for one in made.attributes}
    assert refused(request.CheckSignature) == HRESULT.WIN32_INVALID_STATE
    request.CheckSignature(2)
    assert x509.load_der_x509_csr(pkcs10.encode(made)).public_key() == key.stored_key().private_key.public_key()


# How it is signed.


@pytest.fixture(params=["software", "tpm", "smartcard"])
def place(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Each KeyLocation, with its device."""
    if request.param == "tpm":
        with SwTpm() as tpm:
            monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
            yield 1
    elif request.param == "smartcard":
        with SoftToken():
            yield 4
    else:
        yield 3


@pytest.mark.parametrize(("alternate", "algorithm"), [(False, "sha256WithRSAEncryption"), (True, "rsassaPss")])
def test_openssl_and_certtool_verify_an_rsa_request_of_each_key_store(
    place: int, tmp_path: Path, alternate: bool, algorithm: str
) -> None:
    request = new_request("CN=rsa", new_key(Length=2048, KeyLocation=place, ContainerName="rsa"))
    request.AlternateSignatureAlgorithm = alternate
    made = pkcs10.encode(encoded(request))
    assert f"Signature Algorithm: {algorithm}" in openssl(tmp_path, made)
    assert "CN=rsa" in certtool(tmp_path, made)
    request.CheckSignature()


def test_openssl_and_certtool_verify_an_ec_request_of_each_key_store(place: int, tmp_path: Path) -> None:
    made = pkcs10.encode(encoded(new_request("CN=ec", new_key(KeyLocation=place, ContainerName="ec"))))
    assert "Signature Algorithm: ecdsa-with-SHA256" in openssl(tmp_path, made)
    assert "CN=ec" in certtool(tmp_path, made)


@pytest.mark.parametrize("asked", [SHA1, MD5])
def test_an_old_hash_is_read_back_and_not_signed_with(home: Path, caplog: pytest.LogCaptureFixture, asked: str) -> None:
    request = new_request(key=new_key(Length=2048))
    request.HashAlgorithm = oid(asked)
    with caplog.at_level(logging.WARNING):
        made = encoded(request)
    assert request.HashAlgorithm.Value == asked
    assert pkcs10.algorithms.read_algorithm(made.signature_algorithm).hash_name == "sha256"
    assert "signed with SHA-256" in caplog.text


@pytest.mark.parametrize(("asked", "hash_name"), [(SHA1, "sha1"), (MD5, "md5")])
def test_an_old_hash_is_signed_with_where_the_profile_says_so(home: Path, asked: str, hash_name: str) -> None:
    (home / "profile.toml").write_text("legacy_hashes = true\n")
    request = new_request(key=new_key(Length=2048))
    request.HashAlgorithm = oid(asked)
    made = encoded(request)
    assert pkcs10.algorithms.read_algorithm(made.signature_algorithm).hash_name == hash_name
    pkcs10.verify(made)


def test_a_hash_that_is_none_is_refused(home: Path) -> None:
    assert refused(setattr, new_request(), "HashAlgorithm", oid("1.2.3")) == HRESULT.NTE_BAD_ALGID


# Requests of others.


def encoded_once() -> bytes:
    request = new_request()
    request.Encode()
    return bytes(request.RawData(BINARY))

VECTORS = (
    *(f"csr/{one}" for one in (
        "csr_003_28c16086.der", "csr_009_60f3bb2a.der", "csr_015_530adc2d.der", "csr_021_f58fc2a5.der",
        "csr_027_3f34921e.der", "csr_033_9294cedb.der", "csr_039_5de1188b.der", "certreq_10.0.17763_san.csr",
        "certreq_6.1.7601_template_namevalue.csr", "nt5.0.2195_iis_xenroll.csr",
    )),
    "msdocs-requests/pkcs--10-encoded-asn-1.der",
)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_request_of_windows_is_read_field_by_field_and_written_again_octet_for_octet(vector: str) -> None:
    data = shared_path("vectors", *vector.split("/")).read_bytes()
    request = blank_request()
    request.InitializeDecode(data if data[:1] == b"\x30" else data.decode(), BINARY if data[:1] == b"\x30" else 6)
    whole = request.RawData(BINARY)
    found = pkcs10.decode(whole)
    assert request.Subject.der_bytes() == found.subject
    assert request.PublicKey.spki_bytes() == found.public_key_info
    rebuilt = pkcs10.CertificationRequest(
        request.Subject.der_bytes(),
        request.PublicKey.spki_bytes(),
        tuple(one.to_attribute() for one in request.CryptAttributes),
        found.signature_algorithm,
        request.Signature(BINARY),
        found.version,
        found.attributes_present,
    )
    assert pkcs10.encode(rebuilt) == whole
    assert tuple(one.to_extension() for one in request.X509Extensions) == found.extensions
    assert {one.Value for one in request.CriticalExtensions} == {one.oid for one in found.extensions if one.critical}
    for attribute in request.CryptAttributes:
        assert attribute.Values.Count
        for value in attribute.Values:
            assert value.ObjectId.Value == attribute.ObjectId.Value
            assert value.RawData(BINARY)
    assert refused(request.Encode) == SEALED


def test_microsofts_sample_tells_its_client_its_template_and_its_signature() -> None:
    request = blank_request()
    request.InitializeDecode(shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes(), BINARY)
    request.CheckSignature()
    assert request.ClientId == 9
    assert request.template_name == "User"
    kinds = {type(value) for attribute in request.CryptAttributes for value in attribute.Values}
    assert {IX509AttributeClientId, IX509AttributeExtensions} <= kinds


def test_the_context_of_a_request_that_is_read_can_be_named_first(home: Path) -> None:
    made = encoded_once()
    request = blank_request()
    request.InitializeDecode("ContextMachine", BINARY)
    assert refused(getattr, request, "EnrollmentContext") == BLANK
    request.InitializeDecode(made, BINARY)
    assert request.EnrollmentContext == 2
    plain = blank_request()
    plain.InitializeDecode(made, BINARY)
    assert plain.EnrollmentContext == 1


def test_a_request_that_was_read_has_no_key_to_sign_again(home: Path) -> None:
    request = blank_request()
    request.InitializeDecode(encoded_once(), BINARY)
    request.ResetForEncode()
    assert refused(request.Encode) == EMPTY


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x04\x01x", b"\x30\x82"])
def test_what_is_no_request_is_refused_and_leaves_the_object_blank(data: bytes) -> None:
    request = blank_request()
    assert refused(request.InitializeDecode, data, BINARY) >> 16 in (0x8009, 0x8007)
    assert refused(getattr, request, "Subject") == BLANK


def test_a_request_of_openssl_is_read(home: Path, tmp_path: Path) -> None:
    command = [
        program("openssl"), "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", "/CN=o/C=DE", "-addext", "subjectAltName=DNS:a.example", "-outform", "DER",
        "-keyout", str(tmp_path / "key"),
    ]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    request = blank_request()
    request.InitializeDecode(made, BINARY)
    request.CheckSignature()
    assert request.X509Extensions.ItemByIndex(0).AlternativeNames.ItemByIndex(0).StrValue == "a.example"
