"""PKCS #7 requests: Microsoft's two samples field by field; ours before Bouncy Castle and OpenSSL; damaged ones."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.asn1 import algorithms, cms, der, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import BadSignature, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.attributes import RENEWAL_CERTIFICATE, NameValuePair
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.asn1.pkcs7_requests import Pkcs7Request
from certenroll.hresults import HRESULT
from tests.support.cmc_messages import AGENT, AGENT_KEY, CA, KEYS, RSA_KEY, THE_AGENT, request
from tests.support.oracles import read_with_bouncy_castle
from tests.support.requires import program
from tests.support.shared import shared_path

RENEWAL, ON_BEHALF = "pkcs--7-renewal-encoded-asn-1", "pkcs--7-eobo-encoded-asn-1"
PAIRS = (NameValuePair("RequesterName", "Domain\\TargetUser"),)
SHA256 = SignatureScheme("sha256")


def sample(name: str) -> bytes:
    return shared_path("vectors", "msdocs-requests", f"{name}.der").read_bytes()


@pytest.mark.parametrize("name", [RENEWAL, ON_BEHALF])
def test_a_sample_comes_back_octet_for_octet_from_its_fields(name: str) -> None:
    found = pkcs7_requests.decode(sample(name))
    unsealed = tuple(replace(one, signed_attributes_der=b"") for one in found.envelope.signers)
    from_fields = replace(found, envelope=replace(found.envelope, signers=unsealed))
    assert pkcs7_requests.encode(from_fields) == sample(name)


def test_the_sample_of_a_renewal_is_signed_by_the_old_key_without_attributes() -> None:
    found = pkcs7_requests.decode(sample(RENEWAL))
    (old,) = pkcs7_requests.verify(found)
    assert found.renewal_certificate is not None
    assert old.certificate == read_certificate(found.renewal_certificate)
    assert (old.signer.version, old.signer.signed_attributes) == (1, ())
    assert found.envelope.certificates == (found.renewal_certificate,)
    assert (found.request.subject, found.name_value_pairs) == (b"\x30\x00", ())


def test_the_sample_on_behalf_of_another_names_the_requester_in_what_the_agent_signed() -> None:
    found = pkcs7_requests.decode(sample(ON_BEHALF))
    (agent,) = pkcs7_requests.verify(found)
    assert agent.certificate == read_certificate(found.envelope.certificates[0])
    assert (found.name_value_pairs, found.renewal_certificate) == (PAIRS, None)


def renewal(kind: str) -> Pkcs7Request:
    asked = request(KEYS[kind], [Attribute(RENEWAL_CERTIFICATE, (AGENT,))])
    sign = algorithms.signer(AGENT_KEY, SHA256)
    signer = pkcs7_requests.renewal_signer(AGENT_KEY.public_key(), SHA256, sign, THE_AGENT.certificate)
    return pkcs7_requests.build(asked, [signer], [AGENT])


def on_behalf(kind: str) -> Pkcs7Request:
    sign = algorithms.signer(AGENT_KEY, SHA256)
    signer = pkcs7_requests.agent_signer(AGENT_KEY.public_key(), SHA256, sign, THE_AGENT.certificate, PAIRS)
    return pkcs7_requests.build(request(KEYS[kind]), [signer], [AGENT])


MADE = {"renewal": renewal, "on behalf": on_behalf}


@pytest.mark.parametrize("kind", KEYS)
def test_bouncy_castle_accepts_the_samples_and_what_is_made_here(kind: str, tmp_path: Path) -> None:
    ours = [pkcs7_requests.encode(make(kind)) for make in MADE.values()]
    readings = read_with_bouncy_castle(tmp_path, sample(RENEWAL), sample(ON_BEHALF), *ours)
    assert [reading.verdict for reading in readings] == ["good"] * 4
    for theirs, made in zip(readings[:2], readings[2:], strict=True):
        assert shape(theirs.of("signer")) == shape(made.of("signer"))
        assert {one["oid"] for one in theirs.of("signed")} == {one["oid"] for one in made.of("signed")}
        assert theirs.of("message") == made.of("message")
    assert readings[3].of("signed")[-1]["value"] == readings[1].of("signed")[-1]["value"]


def shape(signers: list[dict[str, str]]) -> list[tuple[str, ...]]:
    return [(one["version"], one["name"], one["algorithm"], one["good"]) for one in signers]


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("name", MADE)
def test_openssl_verifies_what_is_made_here(name: str, kind: str, tmp_path: Path) -> None:
    found = MADE[name](kind)
    (tmp_path / "ca").write_bytes(x509.load_der_x509_certificate(CA).public_bytes(Encoding.PEM))
    command = [program("openssl"), "cms", "-verify", "-inform", "DER", "-CAfile", "ca", "-purpose", "any", "-binary"]
    data = pkcs7_requests.encode(found)
    shown = subprocess.run(command, cwd=tmp_path, input=data, capture_output=True, check=True).stdout
    assert shown == pkcs10.encode(found.request)
    command = [program("openssl"), "cms", "-cmsout", "-print", "-noout", "-inform", "DER"]
    assert b"eContentType: pkcs7-data" in subprocess.run(command, input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("name", MADE)
def test_what_is_made_here_is_read_and_verified_here(name: str, kind: str) -> None:
    found = MADE[name](kind)
    assert pkcs7_requests.decode(pkcs7_requests.encode(found)) == found
    assert [one.certificate for one in pkcs7_requests.verify(found)] == [THE_AGENT.certificate]


def test_a_renewal_without_its_certificate_is_verified_with_the_one_it_names() -> None:
    found = renewal("rsa")
    bare = replace(found, envelope=replace(found.envelope, certificates=()))
    assert [one.certificate for one in pkcs7_requests.verify(bare)] == [THE_AGENT.certificate]


def test_an_agent_whose_certificate_is_missing_is_not_found() -> None:
    found = on_behalf("rsa")
    bare = replace(found, envelope=replace(found.envelope, certificates=()))
    with pytest.raises(BadSignature) as caught:
        pkcs7_requests.verify(bare)
    assert caught.value.hresult == HRESULT.CRYPT_E_SIGNER_NOT_FOUND
    assert len(pkcs7_requests.verify(bare, [AGENT])) == 1


def test_a_request_that_was_exchanged_is_refused() -> None:
    for make in MADE.values():
        with pytest.raises(BadSignature):
            pkcs7_requests.verify(replace(make("rsa"), request=request(RSA_KEY, identifier=b"another")))


def test_a_renewal_certificate_of_another_shape_is_a_decode_error() -> None:
    asked = request(RSA_KEY, [Attribute(RENEWAL_CERTIFICATE, (der.integer(1),))])
    with pytest.raises(DecodeError):
        pkcs7_requests.renewal_certificate_of(asked)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (cms.encode_signed_data("1.3.6.1.5.5.7.12.2", b"", []), HRESULT.CRYPT_E_INVALID_MSG_TYPE),
        (cms.encode_certificate_bag([CA]), HRESULT.CRYPT_E_BAD_MSG),
        (cms.encode_signed_data(cms.DATA, b"text", []), HRESULT.CRYPT_E_ASN1_EOD),
    ],
)
def test_what_is_no_request_says_why(data: bytes, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        pkcs7_requests.decode(data)
    assert caught.value.hresult in (code, HRESULT.CRYPT_E_ASN1_BADTAG)


@pytest.mark.parametrize("name", [RENEWAL, ON_BEHALF])
def test_every_truncation_of_a_sample_is_a_decode_error(name: str) -> None:
    data = sample(name)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            pkcs7_requests.decode(data[:size])


@pytest.mark.parametrize("name", [RENEWAL, ON_BEHALF])
def test_a_changed_bit_gives_a_typed_error_or_what_was_signed(name: str) -> None:
    data = sample(name)
    genuine = pkcs7_requests.decode(data)
    chance = random.Random(11)
    for _ in range(4000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            found = pkcs7_requests.decode(bytes(changed))
            pkcs7_requests.verify(found)
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue
        assert found.request == genuine.request
