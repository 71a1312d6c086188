"""CMC requests: Microsoft's samples field by field; ours before Bouncy Castle and OpenSSL; forged and damaged ones."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certenroll.asn1 import algorithms, cmc_requests, cms, der, pkcs7_requests, pkcs10, signed_messages
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.attributes import (
    ARCHIVED_KEY_HASH,
    CLIENT_INFO,
    RENEWAL_CERTIFICATE,
    TRIPLE_DES,
    ClientInfo,
    NameValuePair,
    decode_client_info,
    encode_archived_key,
    encode_client_info,
)
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc import PKI_DATA, Control, NestedMessage, OtherMessage
from certenroll.asn1.cmc_requests import CmcRequest, ForeignRequest, PkiData, TaggedRequest, build, new_pki_data
from certenroll.asn1.der import Attribute, DecodeError, EncodeError, Extension
from certenroll.asn1.pkcs7_requests import Pkcs7Request
from certenroll.hresults import HRESULT
from tests.support.cmc_messages import (
    AGENT,
    CA,
    EC_KEY,
    KEYS,
    RSA_KEY,
    THE_AGENT,
    certificate,
    own_signer,
    request,
    signer_of,
)
from tests.support.oracles import Reading, read_with_bouncy_castle
from tests.support.requires import program
from tests.support.shared import shared_path

SAMPLES = ("cmc-encoded-asn-1", "cmc--renewal-encoded-asn-1", "cmc-eobo-encoded-asn-1", "cmc-key-archival-encoded-asn-1")
INFO = Attribute(CLIENT_INFO, (encode_client_info(ClientInfo(9, "machine.example", "EXAMPLE\\user", "certreq")),))
PAIRS = (NameValuePair("RequesterName", "Domain\\TargetUser"),)


def sample(name: str) -> bytes:
    return shared_path("vectors", "msdocs-requests", f"{name}.der").read_bytes()


# Microsoft's samples -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_comes_back_octet_for_octet_from_its_fields(name: str) -> None:
    found = cmc_requests.decode(sample(name))
    unsealed = tuple(replace(one, signed_attributes_der=b"") for one in found.envelope.signers)
    from_fields = replace(found, envelope=replace(found.envelope, signers=unsealed))
    assert cmc_requests.encode(from_fields) == sample(name)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_controls_of_a_sample_come_back_from_their_values(name: str) -> None:
    found = cmc_requests.decode(sample(name)).data
    (asked,) = found.requests
    assert isinstance(asked, TaggedRequest)
    assert new_pki_data(asked.request, attributes=found.attributes, pairs=found.name_value_pairs) == found


def test_the_sample_of_a_plain_request_tells_who_asked() -> None:
    found = cmc_requests.decode(sample("cmc-encoded-asn-1"))
    (info,) = found.data.attributes
    assert info.oid == CLIENT_INFO
    told = decode_client_info(info.values[0])
    assert told == ClientInfo(9, "vich3d.jdomcsc.nttest.microsoft.com", "JDOMCSC\\administrator", "certreq")
    assert (found.data.transaction_id, found.data.sender_nonce, found.data.extensions) == (None, None, ())
    assert (found.data.archived_key_hash, found.archived_key) == (None, None)


def test_the_sample_on_behalf_of_another_has_the_requests_key_first_and_the_agents_second() -> None:
    found = cmc_requests.decode(sample("cmc-eobo-encoded-asn-1"))
    own, agent = cmc_requests.verify(found)
    assert found.data.name_value_pairs == PAIRS
    asked = cmc_requests.certification_request(found)
    assert (own.certificate, own.public_key_info) == (None, asked.public_key_info)
    assert own.signer.key_identifier == signed_messages.key_identifier_of(asked)
    assert agent.certificate == read_certificate(found.envelope.certificates[0])


def test_the_sample_of_a_renewal_names_the_old_certificate_and_is_signed_by_the_new_key_alone() -> None:
    found = cmc_requests.decode(sample("cmc--renewal-encoded-asn-1"))
    (own,) = cmc_requests.verify(found)
    assert own.certificate is None
    (old,) = cmc_requests.certification_request(found).values(RENEWAL_CERTIFICATE)
    assert read_certificate(old).public_key_info != own.public_key_info


def test_the_sample_of_key_archival_brings_the_key_whose_hash_it_signed() -> None:
    found = cmc_requests.decode(sample("cmc-key-archival-encoded-asn-1"))
    key = cmc_requests.verify_archived_key(found)
    assert key is not None
    assert len(key) == 904
    assert found.data.archived_key_hash == bytes.fromhex("7746e7e66bb597a67d08bf6e059c79e16dd66b83")
    kept = cmc_requests.without_archived_key(found)
    assert kept.archived_key is None
    cmc_requests.verify(kept)


def test_bouncy_castle_reads_in_the_samples_what_is_read_here(tmp_path: Path) -> None:
    data = [sample(name) for name in SAMPLES]
    for message, reading in zip(data, read_with_bouncy_castle(tmp_path, *data), strict=True):
        assert reading.verdict == "good"
        assert_same(cmc_requests.decode(message), reading)


def assert_same(found: CmcRequest, reading: Reading) -> None:
    """Compares what is read here with what Bouncy Castle read."""
    controls = [(str(one.body_part), one.oid) for one in found.data.controls]
    assert [(one["part"], one["oid"]) for one in reading.of("control")] == controls
    added = [(one.oid, one.values[0].hex()) for one in found.data.attributes]
    assert [(one["oid"], one["value"]) for one in reading.of("added")] == added
    signers = [(one.version, one.key_identifier.hex() or "certificate") for one in found.envelope.signers]
    assert [(int(one["version"]), one["name"]) for one in reading.of("signer")] == signers
    assert [one["good"] for one in reading.of("signer")] == ["true"] * len(signers)
    unsigned = [(a.oid, a.values[0].hex()) for one in found.envelope.signers for a in one.unsigned_attributes]
    assert [(one["oid"], one["value"]) for one in reading.of("unsigned")] == unsigned


# Ours before other judges --------------------------------------------------------------------------------------------


def plain(kind: str) -> CmcRequest:
    asked = request(KEYS[kind])
    data = new_pki_data(asked, attributes=[INFO], transaction_id=1 << 70, sender_nonce=b"nonce", pairs=PAIRS)
    return build(data, [own_signer(KEYS[kind], asked)])


def on_behalf(kind: str) -> CmcRequest:
    asked = request(KEYS[kind], identifier=b"a key identifier of mine")
    data = new_pki_data(asked, attributes=[INFO], pairs=PAIRS)
    return build(data, [own_signer(KEYS[kind], asked, "sha384"), signer_of(THE_AGENT)], [AGENT])


def renewal(kind: str) -> CmcRequest:
    asked = request(KEYS[kind], [Attribute(RENEWAL_CERTIFICATE, (AGENT,))])
    return build(new_pki_data(asked, attributes=[INFO]), [own_signer(KEYS[kind], asked), signer_of(THE_AGENT)], [AGENT])


def archival(kind: str) -> CmcRequest:
    asked = request(KEYS[kind])
    key = encode_archived_key(b"blob of a private key", AGENT, TRIPLE_DES, os.urandom)
    digest, sealed = cmc_requests.archival_attributes(key)
    return build(new_pki_data(asked, attributes=[INFO, digest]), [own_signer(KEYS[kind], asked, "sha256", sealed)])


def nested(kind: str) -> CmcRequest:
    inner = plain(kind)
    data = new_pki_data(nested=cmc_requests.encode(inner), attributes=[INFO], pairs=PAIRS)
    return build(data, [signer_of(THE_AGENT)], [AGENT])


MADE: dict[str, Callable[[str], CmcRequest]] = {
    "plain": plain, "on behalf": on_behalf, "renewal": renewal, "archival": archival, "nested": nested,
}  # fmt: skip


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], CmcRequest]:
    return {(name, kind): make(kind) for name, make in MADE.items() for kind in KEYS}


@pytest.fixture(scope="module")
def readings(made: dict[tuple[str, str], CmcRequest], tmp_path_factory: pytest.TempPathFactory) -> list[Reading]:
    return read_with_bouncy_castle(tmp_path_factory.mktemp("made"), *map(cmc_requests.encode, made.values()))


def test_bouncy_castle_accepts_every_request_made_here(
    made: dict[tuple[str, str], CmcRequest], readings: list[Reading]
) -> None:
    for (name, found), reading in zip(made.items(), readings, strict=True):
        assert reading.verdict == "good", (name, reading)
        assert_same(found, reading)


def test_bouncy_castle_reads_the_fields_of_what_is_made_here(
    made: dict[tuple[str, str], CmcRequest], readings: list[Reading]
) -> None:
    by_name = dict(zip(made, readings, strict=True))
    assert by_name["plain", "ec"].of("registration") == [{"text": "RequesterName=Domain%5CTargetUser&"}]
    assert {one["algorithm"] for one in by_name["plain", "rsa"].of("signer")} == {algorithms.RSA_ENCRYPTION}
    assert [one["good"] for one in by_name["on behalf", "ec"].of("signer")] == ["true", "true"]
    assert by_name["archival", "rsa"].of("archived") == [{"version": "0", "cipher": TRIPLE_DES}]
    assert by_name["nested", "rsa"].of("nested") == [{"part": "1", "type": cms.SIGNED_DATA}]
    assert [one["good"] for one in by_name["nested", "ec"].of("request", 1)] == ["true"]
    assert [one["good"] for one in by_name["nested", "ec"].of("signer", 1)] == ["true"]


def test_openssl_prints_every_request_made_here(made: dict[tuple[str, str], CmcRequest]) -> None:
    for found in made.values():
        command = [program("openssl"), "cms", "-cmsout", "-print", "-noout", "-inform", "DER"]
        shown = subprocess.run(command, input=cmc_requests.encode(found), capture_output=True, check=True).stdout.decode()
        assert "eContentType: id-cct-PKIData" in shown
        assert shown.count("signatureAlgorithm:") == len(found.envelope.signers)


def test_what_is_made_here_is_read_and_verified_here(made: dict[tuple[str, str], CmcRequest]) -> None:
    for found in made.values():
        data = cmc_requests.encode(found)
        assert cmc_requests.decode(data) == found
        assert cmc_requests.encode(cmc_requests.decode(data)) == data
        assert len(cmc_requests.verify(found)) >= len(found.envelope.signers)


def test_a_nested_request_is_verified_on_both_levels() -> None:
    agent, own = cmc_requests.verify(nested("rsa"))
    assert (agent.depth, agent.certificate) == (0, THE_AGENT.certificate)
    assert (own.depth, own.certificate) == (1, None)
    (inner,) = cmc_requests.nested_requests(nested("rsa"))
    assert isinstance(inner, CmcRequest)
    assert inner.data.transaction_id == 1 << 70


def test_a_pkcs7_request_may_stand_inside_a_cmc_request() -> None:
    inner = pkcs7_requests.build(request(EC_KEY), [signer_of(THE_AGENT)], [AGENT])
    outer = build(new_pki_data(nested=pkcs7_requests.encode(inner)), [signer_of(THE_AGENT)], [AGENT])
    assert cmc_requests.nested_requests(outer) == (inner,)
    assert isinstance(cmc_requests.nested_requests(outer)[0], Pkcs7Request)
    assert cmc_requests.certification_request(outer) == inner.request
    assert len(cmc_requests.verify(outer)) == 2


def test_the_outer_message_may_be_signed_by_the_key_of_the_request_inside() -> None:
    inner = plain("ec")
    asked = cmc_requests.certification_request(inner)
    outer = build(new_pki_data(nested=cmc_requests.encode(inner)), [own_signer(EC_KEY, asked)])
    assert [one.certificate for one in cmc_requests.verify(outer)] == [None, None]


def test_messages_one_in_the_other_have_a_limit() -> None:
    found = plain("ec")
    asked = cmc_requests.certification_request(found)
    for _ in range(cmc_requests.MAX_DEPTH):
        found = build(new_pki_data(nested=cmc_requests.encode(found)), [own_signer(EC_KEY, asked)])
    assert len(cmc_requests.verify(found)) == cmc_requests.MAX_DEPTH + 1
    found = build(new_pki_data(nested=cmc_requests.encode(found)), [own_signer(EC_KEY, asked)])
    with pytest.raises(DecodeError):
        cmc_requests.verify(found)


# Contents ------------------------------------------------------------------------------------------------------------


def test_every_part_of_a_content_comes_back() -> None:
    data = PkiData(
        (Control(0xFFFFFFFF, "1.2.3", (der.integer(2), der.integer(1))), Control(0, "1.2.4", ())),
        (TaggedRequest(7, request(EC_KEY)), ForeignRequest(der.wrap(0xA2, der.integer(5)))),
        (NestedMessage(8, der.sequence_of(())),),
        (OtherMessage(9, "1.2.5", der.NULL_DER),),
    )
    assert cmc_requests.decode_pki_data(cmc_requests.encode_pki_data(data)) == data


def test_extensions_are_added_by_a_control_of_their_own() -> None:
    wanted = (Extension("2.5.29.15", True, b"\x03\x02\x05\xa0"), Extension("1.3.6.1.4.1.311.20.2", False, b"\x1e\x00"))
    data = new_pki_data(request(EC_KEY), extensions=wanted)
    assert cmc_requests.decode_pki_data(cmc_requests.encode_pki_data(data)).extensions == wanted
    assert [(one.body_part, one.oid) for one in data.controls] == [(2, "1.3.6.1.5.5.7.7.8")]


def test_controls_are_numbered_and_ordered_as_in_microsofts_sample() -> None:
    data = new_pki_data(request(EC_KEY), attributes=[INFO], pairs=PAIRS)
    assert [(one.body_part, one.oid) for one in data.controls] == [(3, "1.3.6.1.4.1.311.10.10.1"), (2, "1.3.6.1.5.5.7.7.18")]


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_a_body_part_out_of_range_is_refused_both_ways(number: int) -> None:
    with pytest.raises(EncodeError):
        cmc_requests.encode_pki_data(PkiData((Control(number, "1.2.3", ()),)))
    control = der.sequence_of((der.integer(number), der.oid("1.2.3"), der.set_of(())))
    empty = der.sequence_of(())
    with pytest.raises(DecodeError) as caught:
        cmc_requests.decode_pki_data(der.sequence_of((der.sequence_of((control,)), empty, empty, empty)))
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_CONSTRAINT


@pytest.mark.parametrize("count", [0, 2])
def test_a_request_for_no_or_two_certificates_is_invalid_data(count: int) -> None:
    tagged = tuple(TaggedRequest(number, request(EC_KEY)) for number in range(1, count + 1))
    found = build(PkiData(requests=tagged), [signer_of(THE_AGENT)], [AGENT])
    with pytest.raises(DecodeError) as caught:
        cmc_requests.certification_request(found)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


@pytest.mark.parametrize(
    "data",
    [
        cms.encode_certificate_bag([CA]),
        cms.encode_signed_data(cms.DATA, b"x", [signer_of(THE_AGENT)]),
        der.sequence_of((der.oid("1.2.840.113549.1.7.3"), b"\xa0\x02\x30\x00")),
    ],
)
def test_a_message_of_another_kind_says_so(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        cmc_requests.decode(data)
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_MSG_TYPE


def test_a_message_without_content_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        cmc_requests.decode(cms.encode_signed_data(PKI_DATA, None, []))
    assert caught.value.hresult == HRESULT.CRYPT_E_BAD_MSG


def test_a_request_in_indefinite_lengths_is_the_request() -> None:
    found = plain("ec")
    explicit = der.contents(der.children(cmc_requests.encode(found))[1])
    oid = der.oid(cms.SIGNED_DATA)
    data = b"\x30\x80" + oid + b"\xa0\x80\x30\x80" + der.contents(explicit) + bytes(6)
    assert cmc_requests.decode(data) == found


# Signatures ----------------------------------------------------------------------------------------------------------


def test_each_kind_of_forgery_has_its_code() -> None:
    found = on_behalf("rsa")
    own, agent = found.envelope.signers
    stranger = own_signer(EC_KEY, cmc_requests.certification_request(found))
    other = build(new_pki_data(request(RSA_KEY)), [own_signer(RSA_KEY, request(RSA_KEY))])
    unsigned = replace(found, envelope=replace(found.envelope, signers=()))
    without_certificate = replace(found, envelope=replace(found.envelope, certificates=()))
    cases = [
        (replace(found, envelope=other.envelope), HRESULT.CRYPT_E_HASH_VALUE),
        (build(found.data, [stranger]), HRESULT.NTE_BAD_SIGNATURE),
        (unsigned, HRESULT.CRYPT_E_NO_SIGNER),
        (without_certificate, HRESULT.CRYPT_E_SIGNER_NOT_FOUND),
        (with_signers(found, own, replace(agent, signature=agent.signature[::-1])), HRESULT.NTE_BAD_SIGNATURE),
        (with_signers(found, replace(own, key_identifier=b"nobody"), agent), HRESULT.CRYPT_E_SIGNER_NOT_FOUND),
    ]
    for forged, code in cases:
        with pytest.raises(BadSignature) as caught:
            cmc_requests.verify(cmc_requests.decode(cmc_requests.encode(forged)))
        assert caught.value.hresult == code


def with_signers(found: CmcRequest, *signers: cms.Signer) -> CmcRequest:
    return replace(found, envelope=replace(found.envelope, signers=signers))


def test_a_signer_whose_certificate_stands_elsewhere_is_verified_with_it() -> None:
    found = on_behalf("ec")
    bare = replace(found, envelope=replace(found.envelope, certificates=()))
    assert [one.certificate for one in cmc_requests.verify(bare, [CA, AGENT])] == [None, THE_AGENT.certificate]


def test_the_certificate_to_be_renewed_verifies_the_old_keys_signature() -> None:
    found = renewal("ec")
    bare = replace(found, envelope=replace(found.envelope, certificates=()))
    assert [one.certificate for one in cmc_requests.verify(bare)] == [None, THE_AGENT.certificate]


def test_a_pkcs10_inside_that_its_key_did_not_sign_is_refused() -> None:
    asked = replace(request(EC_KEY), signature=request(ec.generate_private_key(ec.SECP256R1())).signature)
    found = build(new_pki_data(asked), [own_signer(EC_KEY, asked)])
    with pytest.raises(BadSignature):
        cmc_requests.verify(found)


def test_a_hash_for_a_signature_passes_only_where_it_is_allowed(tmp_path: Path) -> None:
    asked = request(EC_KEY)
    null = pkcs10.null_signed(asked.subject, asked.public_key_info, ())
    unsigned = build(new_pki_data(null), [])
    signed = signed_messages.with_null_signer(unsigned.signed)
    data = signed_messages.encode(signed)
    found = cmc_requests.decode(data)
    (nobody,) = cmc_requests.verify(found, allow_null=True)
    assert (nobody.certificate, nobody.public_key_info, nobody.signer.serial) == (None, b"", 0)
    with pytest.raises(BadSignature):
        cmc_requests.verify(found)
    changed = replace(found, data=replace(found.data, others=(OtherMessage(3, "1.2.3", der.NULL_DER),)))
    with pytest.raises(BadSignature) as caught:
        cmc_requests.verify(changed, allow_null=True)
    assert caught.value.hresult == HRESULT.CRYPT_E_HASH_VALUE
    real = build(new_pki_data(asked), [])
    (reading,) = read_with_bouncy_castle(tmp_path, signed_messages.encode(signed_messages.with_null_signer(real.signed)))
    assert [(one["algorithm"], one["good"]) for one in reading.of("signer")] == [(algorithms.NO_SIGNATURE, "true")]


def test_an_archived_key_and_its_hash_belong_together() -> None:
    found = archival("rsa")
    assert cmc_requests.verify_archived_key(found) == found.archived_key
    assert cmc_requests.verify_archived_key(plain("rsa")) is None
    other = archival("rsa")
    cases = [
        (cmc_requests.without_archived_key(found), HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL),
        (replace(found, data=plain("rsa").data), HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL),
        (replace(found, envelope=other.envelope), HRESULT.CRYPT_E_HASH_VALUE),
    ]
    for case, code in cases:
        with pytest.raises(BadSignature) as caught:
            cmc_requests.verify_archived_key(case)
        assert caught.value.hresult == code
    assert [one.oid for one in found.data.attributes] == [ARCHIVED_KEY_HASH, CLIENT_INFO]


# Damage --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation_of_a_sample_is_a_decode_error(name: str) -> None:
    data = sample(name)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            cmc_requests.decode(data[:size])


def test_every_truncation_of_a_content_is_a_decode_error() -> None:
    data = cmc_requests.encode_pki_data(nested("ec").data)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            cmc_requests.decode_pki_data(data[:size])


@pytest.mark.parametrize("name", [*SAMPLES, "nested"])
def test_a_changed_bit_gives_a_typed_error_or_what_was_signed(name: str) -> None:
    genuine = nested("rsa") if name == "nested" else cmc_requests.decode(sample(name))
    data = cmc_requests.encode(genuine)
    chance = random.Random(8)
    for _ in range(4000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            found = cmc_requests.decode(bytes(changed))
            cmc_requests.verify(found)
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue
        assert found.data == genuine.data


def test_a_request_without_a_key_identifier_of_its_own_is_named_by_the_sha1_of_its_key() -> None:
    named = signed_messages.key_identifier_of(request(RSA_KEY))
    assert named == read_certificate(certificate("x", RSA_KEY)).key_identifier
    assert signed_messages.key_identifier_of(request(RSA_KEY, identifier=b"mine")) == b"mine"
