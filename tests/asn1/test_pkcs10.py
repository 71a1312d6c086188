"""PKCS#10 against requests that Windows made, against OpenSSL and against damage."""

from __future__ import annotations

import base64
import random
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import algorithms, der, pkcs10
from certenroll.asn1.algorithms import BadSignature, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.der import Attribute, DecodeError, Extension
from tests.support.requires import program
from tests.support.shared import shared_path

KEYS: dict[str, algorithms.PrivateKey] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ec": ec.generate_private_key(ec.SECP384R1()),
}
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Zoë")]).public_bytes()
CLIENT_AUTHENTICATION = Extension("2.5.29.37", False, bytes.fromhex("300a06082b06010505070302"))
EXTENSIONS = (Extension("2.5.29.15", True, b"\x03\x02\x05\xa0"), CLIENT_AUTHENTICATION)
ATTRIBUTES = (
    Attribute(pkcs10.EXTENSION_REQUEST, (der.encode_extensions(EXTENSIONS),)),
    Attribute("1.3.6.1.4.1.311.13.2.3", (der.ia5_string("10.0.19041.2"),)),
    Attribute("1.3.6.1.4.1.311.13.2.1", (der.sequence_of((der.bmp_string("b"),)), der.sequence_of((der.bmp_string("a"),)))),
)


def public_key_info(key: algorithms.PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def requests_of_windows() -> list[tuple[str, bytes]]:
    files = sorted(shared_path("vectors", "csr").iterdir())
    files.append(shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der"))
    return [(path.name, unwrapped(path.read_bytes())) for path in files]


def unwrapped(data: bytes) -> bytes:
    found = re.search(rb"-----BEGIN[^-]*-----(.*?)-----END", data, re.DOTALL)
    return base64.b64decode(found.group(1)) if found else data


def sample(name: str) -> bytes:
    return dict(requests_of_windows())[name]


def test_requests_of_windows_come_back_octet_for_octet() -> None:
    for name, data in requests_of_windows():
        request = pkcs10.decode(data)
        assert pkcs10.encode(request) == data, name
        built = pkcs10.to_be_signed(request.subject, request.public_key_info, request.attributes)
        assert built == request.to_be_signed, name


def test_requests_of_windows_verify_and_with_one_field_changed_do_not() -> None:
    for name, data in requests_of_windows():
        request = pkcs10.decode(data)
        pkcs10.verify(request)
        with pytest.raises(BadSignature):
            pkcs10.verify(replace(request, version=request.version + 1))
        assert not request.is_null_signed, name


def test_the_sample_of_microsofts_documentation_asks_for_what_the_page_says() -> None:
    request = pkcs10.decode(sample("pkcs--10-encoded-asn-1.der"))
    assert request.values("1.3.6.1.4.1.311.13.2.3") == (der.ia5_string("6.0.5361.2"),)
    assert [one.oid for one in request.extensions] == ["1.3.6.1.4.1.311.20.2", "2.5.29.37", "2.5.29.15", "2.5.29.14"]
    assert request.extensions[2] == Extension("2.5.29.15", True, b"\x03\x02\x05\xa0")


def test_windows_2000_asked_for_extensions_in_an_attribute_of_its_own() -> None:
    request = pkcs10.decode(sample("nt5.0.2195_iis_xenroll.csr"))
    assert request.values(pkcs10.CERT_EXTENSIONS)
    assert request.values(pkcs10.EXTENSION_REQUEST) == ()
    assert [one.oid for one in request.extensions] == ["2.5.29.15", "2.5.29.37"]


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha512"])
def test_openssl_verifies_what_is_built_here(kind: str, hash_name: str, tmp_path: Path) -> None:
    sign = algorithms.signer(KEYS[kind], SignatureScheme(hash_name))
    request = pkcs10.build(SUBJECT, public_key_info(KEYS[kind]), ATTRIBUTES, sign)
    file = tmp_path / "request.der"
    file.write_bytes(pkcs10.encode(request))
    command = [program("openssl"), "req", "-inform", "DER", "-in", str(file), "-verify", "-noout", "-text"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "verify OK" in result.stdout + result.stderr
    assert "TLS Web Client Authentication" in result.stdout


def test_openssl_verifies_a_request_signed_with_pss(tmp_path: Path) -> None:
    sign = algorithms.signer(KEYS["rsa"], SignatureScheme("sha256", pss=True))
    file = tmp_path / "request.der"
    file.write_bytes(pkcs10.encode(pkcs10.build(SUBJECT, public_key_info(KEYS["rsa"]), ATTRIBUTES, sign)))
    command = [program("openssl"), "req", "-inform", "DER", "-in", str(file), "-verify", "-noout"]
    result = subprocess.run(command, capture_output=True, check=True, text=True)
    assert "verify OK" in result.stdout + result.stderr


def test_certtool_reads_what_is_built_here() -> None:
    data = pkcs10.encode(pkcs10.build(SUBJECT, public_key_info(KEYS["ec"]), ATTRIBUTES, sign_with("ec")))
    command = [program("certtool"), "--crq-info", "--inder"]
    result = subprocess.run(command, input=data, capture_output=True, check=True)
    assert "Self signature: verified" in (result.stdout + result.stderr).decode()


def sign_with(kind: str) -> algorithms.SignFunction:
    return algorithms.signer(KEYS[kind], SignatureScheme("sha256"))


def test_what_openssl_builds_is_read(tmp_path: Path) -> None:
    options = "-new -newkey rsa:2048 -nodes -keyout key -subj /CN=x -outform DER -addext subjectAltName=DNS:host.example"
    command = [program("openssl"), "req", *options.split()]
    data = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    request = pkcs10.decode(data)
    pkcs10.verify(request)
    assert [one.oid for one in request.extensions] == ["2.5.29.17"]
    assert pkcs10.encode(request) == data


def test_attributes_and_their_values_are_sorted_when_built() -> None:
    request = pkcs10.build(SUBJECT, public_key_info(KEYS["ec"]), ATTRIBUTES, sign_with("ec"))
    encoded = [der.encode_attribute(one, keep_order=True) for one in request.attributes]
    assert encoded == sorted(der.encode_attribute(one) for one in ATTRIBUTES)
    assert pkcs10.decode(pkcs10.encode(request)) == request


def test_attributes_in_another_order_are_kept_and_verify() -> None:
    key = KEYS["ec"]
    unsorted = pkcs10.CertificationRequest(SUBJECT, public_key_info(key), tuple(reversed(ATTRIBUTES)) + ATTRIBUTES, b"", b"")
    algorithm, signature = sign_with("ec")(unsorted.to_be_signed)
    request = replace(unsorted, signature_algorithm=algorithm, signature=signature)
    found = pkcs10.decode(pkcs10.encode(request))
    assert found == request
    pkcs10.verify(found)


def test_a_request_without_the_attributes_field_comes_back_without_it() -> None:
    bare = pkcs10.CertificationRequest(SUBJECT, public_key_info(KEYS["ec"]), (), b"", b"", attributes_present=False)
    algorithm, signature = sign_with("ec")(bare.to_be_signed)
    request = replace(bare, signature_algorithm=algorithm, signature=signature)
    assert pkcs10.decode(pkcs10.encode(request)) == request
    pkcs10.verify(request)


def test_a_null_signed_request_verifies_where_that_is_allowed() -> None:
    request = pkcs10.decode(pkcs10.encode(pkcs10.null_signed(SUBJECT, public_key_info(KEYS["ec"]), ATTRIBUTES)))
    assert request.is_null_signed
    pkcs10.verify(request, allow_null=True)
    with pytest.raises(BadSignature):
        pkcs10.verify(request)
    with pytest.raises(BadSignature):
        pkcs10.verify(replace(request, attributes=()), allow_null=True)


def test_what_the_signer_raises_goes_through() -> None:
    def absent(_: bytes) -> tuple[bytes, bytes]:
        raise OSError("the card was removed")

    with pytest.raises(OSError, match="card"):
        pkcs10.build(SUBJECT, public_key_info(KEYS["ec"]), (), absent)


def test_every_truncation_is_a_decode_error() -> None:
    data = pkcs10.encode(pkcs10.build(SUBJECT, public_key_info(KEYS["ec"]), ATTRIBUTES, sign_with("ec")))
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            pkcs10.decode(data[:size])
    with pytest.raises(DecodeError):
        pkcs10.decode(data + b"\x00")


def test_a_changed_bit_gives_a_decode_error_or_the_very_same_octets() -> None:
    chance = random.Random(2)
    data = pkcs10.encode(pkcs10.build(SUBJECT, public_key_info(KEYS["ec"]), ATTRIBUTES, sign_with("ec")))
    for _ in range(20_000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            request = pkcs10.decode(bytes(changed))
        except DecodeError:
            continue
        assert pkcs10.encode(request) == bytes(changed)
        if chance.random() < 0.9:
            continue
        with pytest.raises((BadSignature, DecodeError, UnsupportedAlgorithm)):
            pkcs10.verify(request)


ANY_ATTRIBUTE = st.builds(
    Attribute,
    st.sampled_from(["1.2.3", "1.3.6.1.4.1.311.13.2.2", "2.5.4.3"]),
    st.lists(st.binary(max_size=150).map(der.octet_string), max_size=3).map(tuple),
)


@given(st.lists(ANY_ATTRIBUTE, max_size=5))
def test_any_attributes_come_back(attributes: list[Attribute]) -> None:
    request = pkcs10.null_signed(der.sequence_of(()), public_key_info(KEYS["ec"]), attributes)
    found = pkcs10.decode(pkcs10.encode(request))
    assert found == request
    assert sorted(map(der.encode_attribute, found.attributes)) == sorted(map(der.encode_attribute, attributes))
