"""What key attestation adds to requests and responses: statements, endorsement keys, challenges; others read them too."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certenroll.asn1 import algorithms, attestation, cmc_controls, der, enveloped, pkcs10
from certenroll.asn1.algorithms import SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.attestation import Challenge, Evidence, TrustModule
from certenroll.asn1.attestation_statement import (
    IdBinding,
    Statement,
    decode_statement,
    encode_statement,
    split_tpm2b,
)
from certenroll.asn1.cmc import Control
from certenroll.asn1.cmc_responses import PkiResponse, decode_pki_response, encode_pki_response
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.asn1.endorsement_keys import endorsement_public
from certenroll.asn1.names import encode_name
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm, Scope
from keystores.tpm import TpmKeyStore
from keystores.tpm.evidence import make_credential
from tests.support.attesting import Client
from tests.support.cmc_messages import AGENT, AGENT_KEY, EC_KEY
from tests.support.requires import program
from tests.support.swtpm import SwTpm

BINDING = IdBinding(b"the attestation key", b"creation", b"attest", b"\x00\x18\x00\x0bsignature")
STATEMENT = Statement(BINDING, b"what was attested", b"a signature", b"the key", b"opaque")
CHALLENGE = Challenge(b"credential", b"secret", bytes(range(20)), "Microsoft Platform Crypto Provider", "1.2.840.113549.3.7")
SPKI = EC_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
CORRUPT = HRESULT.CERTSRV_E_CORRUPT_KEY_ATTESTATION


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TpmKeyStore]:
    with SwTpm() as tpm, TpmKeyStore(tmp_path_factory.mktemp("keys"), Scope.USER, tpm.tcti) as made:
        yield made


def request_with(*attributes: Attribute) -> CertificationRequest:
    scheme = SignatureScheme("sha256")
    return pkcs10.build(encode_name("CN=leaf"), SPKI, attributes, algorithms.signer(EC_KEY, scheme))


def refusal(read: Callable[[bytes], object], data: bytes) -> int:
    with pytest.raises(DecodeError) as caught:
        read(data)
    return caught.value.hresult


# Statements ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", [STATEMENT, replace(STATEMENT, binding=None, opaque=b"")])
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    assert decode_statement(encode_statement(statement)) == statement


def test_a_statement_has_the_octets_that_are_documented() -> None:
    key = "4b414453 02000000 18000000 01000000 01000000 03000000" "41 42 0001 43"  # KADS; what, signature, TPM2B_PUBLIC
    binding = "0001 4b 0000 0000 0010"  # TPM2B_PUBLIC; no creation data, no attestation, no signature
    header = "4b415354 01000000 02000000 1c000000 09000000 1d000000 00000000"  # KAST; sizes of binding, key, opaque
    assert encode_statement(Statement(IdBinding(b"K"), b"A", b"B", b"C")) == bytes.fromhex(header + binding + key)


def test_a_header_may_be_longer_than_ours() -> None:
    data = bytearray(encode_statement(STATEMENT))
    data[12:16] = (32).to_bytes(4, "little")
    data[28:28] = b"more"
    assert decode_statement(bytes(data)) == STATEMENT


def test_a_statement_cut_short_anywhere_is_refused() -> None:
    data = encode_statement(STATEMENT)
    assert {refusal(decode_statement, data[:end]) for end in range(len(data))} == {CORRUPT}
    assert refusal(decode_statement, data + b"\0") == CORRUPT


@pytest.mark.parametrize("position", [0, 4, 8, 12, 16, 20, 24])
def test_a_statement_with_another_header_is_refused(position: int) -> None:
    data = bytearray(encode_statement(STATEMENT))
    data[position] += 1
    assert refusal(decode_statement, bytes(data)) == CORRUPT


# Endorsement keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "module",
    [
        TrustModule(SPKI, has_manufacturer=False),
        TrustModule(SPKI, (AGENT,)),
        TrustModule(SPKI, (AGENT, AGENT, AGENT), has_manufacturer=False),
        TrustModule(SPKI, (AGENT,) * 4),
    ],
    ids=("a key", "the manufacturer's", "three others", "all four"),
)
def test_the_endorsement_keys_facts_are_read_as_they_were_written(module: TrustModule) -> None:
    data = attestation.encode_endorsement_info(module)
    assert attestation.decode_endorsement_info(data) == module
    assert (der.children(data)[1] == der.NULL_DER) == (not module.has_manufacturer)


@pytest.mark.parametrize("module", [TrustModule(SPKI), TrustModule(SPKI, (AGENT,))])
def test_the_attestation_keys_facts_are_read_as_they_were_written(module: TrustModule) -> None:
    assert attestation.decode_attestation_key_info(attestation.encode_attestation_key_info(module)) == module


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\x05\x00", b"0\x00", der.sequence_of((SPKI,)), der.sequence_of((der.NULL_DER, AGENT))),
        *(der.sequence_of((SPKI, AGENT, der.NULL_DER)), der.sequence_of((SPKI, *((AGENT,) * 5)))),
    ],
    ids=("nothing", "NULL", "empty", "a key alone", "no key", "NULL last", "five certificates"),
)
def test_facts_of_another_shape_are_refused(data: bytes) -> None:
    assert refusal(attestation.decode_endorsement_info, data) == HRESULT.CERTSRV_E_INVALID_EK


def test_facts_cut_short_anywhere_are_refused() -> None:
    data = attestation.encode_endorsement_info(TrustModule(SPKI, (AGENT,)))
    for end in range(len(data)):
        assert refusal(attestation.decode_endorsement_info, data[:end]) == HRESULT.CERTSRV_E_INVALID_EK


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_the_public_area_made_from_a_public_key_is_the_tpms_own(store: TpmKeyStore, algorithm: KeyAlgorithm) -> None:
    key = store.endorsement_key(algorithm)
    assert endorsement_public(key.public_key) == key.tpm_public


@pytest.mark.parametrize("algorithm", KeyAlgorithm)
def test_the_tpm_reads_a_credential_made_for_that_public_area(store: TpmKeyStore, algorithm: KeyAlgorithm) -> None:
    public = endorsement_public(store.endorsement_key(algorithm).public_key)
    credential, secret = make_credential(public, store.attestation_key().name, b"the secret")
    sent = attestation.decode_credential(attestation.encode_credential(credential, secret))
    assert store.activate_credential(*sent) == b"the secret"


def test_no_standard_template_makes_keys_of_other_sizes() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(UnsupportedAlgorithm):
            endorsement_public(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


# Requests ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject_only", [False, True])
def test_evidence_is_read_from_the_request_that_carries_it(subject_only: bool) -> None:
    evidence = Evidence(encode_statement(STATEMENT), enveloped.seal(b"facts", [AGENT]), "A Provider", subject_only)
    made = pkcs10.decode(pkcs10.encode(request_with(*attestation.evidence_attributes(evidence))))
    assert attestation.evidence_of(made) == evidence
    assert attestation.evidence_of(request_with()) is None


def test_evidence_with_a_part_missing_or_twice_is_refused() -> None:
    evidence = Evidence(encode_statement(STATEMENT), enveloped.seal(b"facts", [AGENT]), "A Provider")
    module, statement, provider = attestation.evidence_attributes(evidence)
    subject = Attribute(attestation.ATTESTATION_KEY_INFO, module.values)
    for wrong in ((module, provider), (statement, provider), (module, subject, statement), (module, statement, statement)):
        with pytest.raises(DecodeError) as caught:
            attestation.evidence_of(request_with(*wrong))
        assert caught.value.hresult == CORRUPT


def test_a_provider_name_with_a_zero_at_its_end_is_the_name() -> None:
    evidence = Evidence(b"s", enveloped.seal(b"facts", [AGENT]), "A Provider\0")
    found = attestation.evidence_of(request_with(*attestation.evidence_attributes(evidence)))
    assert found is not None
    assert found.provider == "A Provider"


def test_openssl_reads_the_request_and_opens_the_endorsement_keys_facts(store: TpmKeyStore, tmp_path: Path) -> None:
    client = Client(store, "judged")
    evidence = client.attested(AGENT).sealed(AGENT)
    (tmp_path / "request").write_bytes(client.request(evidence))
    (tmp_path / "module").write_bytes(evidence.trust_module)
    (tmp_path / "certificate").write_bytes(x509.load_der_x509_certificate(AGENT).public_bytes(Encoding.PEM))
    (tmp_path / "key").write_bytes(AGENT_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def openssl(*arguments: str) -> bytes:
        command = [program("openssl"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout

    shown = openssl("req", "-inform", "DER", "-in", "request", "-noout", "-text", "-verify").decode()
    assert "1.3.6.1.4.1.311.21.23" in shown
    assert "1.3.6.1.4.1.311.21.24" in shown
    recipient = ("-recip", "certificate", "-inkey", "key")
    opened = openssl("cms", "-decrypt", "-inform", "DER", "-in", "module", *recipient, "-binary")
    (tmp_path / "facts").write_bytes(opened)
    assert openssl("asn1parse", "-inform", "DER", "-in", "facts").decode().rstrip().endswith("NULL")
    (tmp_path / "endorsement").write_bytes(der.children(opened)[0])
    key = openssl("pkey", "-pubin", "-inform", "DER", "-in", "endorsement", "-outform", "DER")
    assert key == store.endorsement_key().public_key


# Challenges ----------------------------------------------------------------------------------------------------------


def test_a_challenge_is_read_from_the_response_that_poses_it() -> None:
    controls = attestation.challenge_controls(CHALLENGE, 3)
    response = decode_pki_response(encode_pki_response(PkiResponse(controls)))
    assert [one.body_part for one in response.controls] == [3, 4, 5, 6]
    assert attestation.challenge_of(response) == CHALLENGE
    assert attestation.challenge_of(PkiResponse()) is None


def test_a_challenge_among_added_attributes_is_found_too() -> None:
    attributes = [Attribute(one.oid, one.values) for one in attestation.challenge_controls(CHALLENGE, 1)]
    assert attestation.challenge_of(PkiResponse((cmc_controls.add_attributes(1, attributes),))) == CHALLENGE


@pytest.mark.parametrize("left_out", [1, 3])
def test_a_challenge_that_does_not_say_how_it_is_answered_is_refused(left_out: int) -> None:
    controls = [one for number, one in enumerate(attestation.challenge_controls(CHALLENGE, 1)) if number != left_out]
    with pytest.raises(DecodeError):
        attestation.challenge_of(PkiResponse(tuple(controls)))


def test_a_challenge_whose_credential_is_cut_short_anywhere_is_refused() -> None:
    whole = attestation.encode_credential(b"credential", b"secret")
    assert attestation.decode_credential(whole) == (b"credential", b"secret")
    assert {refusal(attestation.decode_credential, whole[:end]) for end in range(len(whole))} == {CORRUPT}
    assert refusal(attestation.decode_credential, whole + b"\0") == CORRUPT


def test_a_challenge_is_no_challenge_in_another_type() -> None:
    wrong = Control(1, attestation.CHALLENGE, (der.utf8_string("credential"),))
    others = attestation.challenge_controls(CHALLENGE, 2)[1:]
    with pytest.raises(DecodeError):
        attestation.challenge_of(PkiResponse((wrong, *others)))


def test_a_tpm2b_says_its_size() -> None:
    assert split_tpm2b(b"\x00\x02abc") == (b"ab", b"c")
    assert refusal(split_tpm2b, b"\x00") == refusal(split_tpm2b, b"\x00\x02a") == CORRUPT
