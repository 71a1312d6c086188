"""SCEP messages: samples of other implementations read, ours read by OpenSSL and Bouncy Castle, theirs by us."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import algorithms, ber, cms, der, enveloped, pkcs10, scep, scep_attributes
from certenroll.asn1.algorithms import BadSignature, PrivateKey, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cms import NewSigner
from certenroll.asn1.der import Attribute, DecodeError, EncodeError
from certenroll.asn1.enveloped import open_enveloped, open_with_password, seal, seal_with_password
from certenroll.asn1.scep import FailInfo, MessageType, PkiMessage, PkiStatus, build_message, decode, self_signed, verify
from certenroll.asn1.scep_attributes import ScepAttributes
from certenroll.hresults import HRESULT
from tests.support.cmc_messages import AGENT, AGENT_KEY, CA, EC_KEY, RSA_KEY, certificate
from tests.support.oracles import java
from tests.support.requires import program
from tests.support.shared import shared_path

SUBJECT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone")]).public_bytes()
START, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
OWN = self_signed(RSA_KEY, SUBJECT, START, END)
NONCE, OTHER_NONCE = bytes(range(16)), bytes(range(16, 32))
PASSWORD = "secret"


def request(key: PrivateKey = RSA_KEY, own: bytes = OWN, hash_name: str = "sha256", **others: object) -> bytes:
    """A PKCSReq around the text "hello" for the agent."""
    fields = {"transaction_id": "the transaction", "sender_nonce": NONCE, "hash_name": hash_name, **others}
    return build_message(MessageType.PKCSReq, seal(b"hello", [AGENT]), private_key=key, certificate=own, **fields)  # type: ignore[arg-type]


def answer(status: int, content: bytes | None = None, **others: object) -> bytes:
    """A CertRep of the agent."""
    fields = {"transaction_id": "the transaction", "sender_nonce": OTHER_NONCE, "recipient_nonce": NONCE, **others}
    return build_message(3, content, private_key=AGENT_KEY, certificate=AGENT, status=status, **fields)  # type: ignore[arg-type]


def signed_with(*attributes: Attribute, content: bytes | None = b"x", hash_name: str = "sha256") -> bytes:
    """A message with any attributes, whose signer names the hash in the signature's algorithm too."""
    sign = algorithms.signer(RSA_KEY, SignatureScheme(hash_name))
    signer = NewSigner(sign, hash_name, read_certificate(OWN), attributes=attributes)
    return cms.encode_signed_data(cms.DATA, content, (signer,), (OWN,))


def number(oid: str, text: str) -> Attribute:
    return Attribute(oid, (der.wrap(der.PRINTABLE_STRING, text.encode()),))


TYPE, TRANSACTION = number(scep_attributes.MESSAGE_TYPE, "19"), number(scep_attributes.TRANSACTION_ID, "1")


def vector(name: str) -> bytes:
    return shared_path("vectors", "scep", f"{name}.der").read_bytes()


# Samples -------------------------------------------------------------------------------------------------------------


def test_the_sample_request_of_cryptlib_is_read_and_its_signature_fits() -> None:
    message = decode(vector("scep_req2"))
    assert (message.message_type, message.transaction_id) == (MessageType.PKCSReq, "7XXEY-ERLPU-2JDR9")
    assert (message.sender_nonce.hex(), message.recipient_nonce) == ("e8c57d516909026f3463f8e907fc9856", b"")
    assert (message.status, message.fail_info, message.fail_info_text, message.digest) == (None, None, "", "sha256")
    assert message.enveloped == vector("scep_req1")
    sealed = enveloped.decode(vector("scep_req1"))
    assert (sealed.cipher, len(sealed.content)) == ("2.16.840.1.101.3.4.1.2", 672)
    assert [one.serial for one in sealed.recipients] == [0x24CC285C1674F207]
    assert verify(message, message.certificates) == message.signer_certificate
    found = pkcs10.decode(vector("scep_req0"))
    assert found.subject == read_certificate(message.signer_certificate or b"").subject


def test_the_sample_answer_of_cryptlib_is_read_and_its_signature_fits() -> None:
    message, asked = decode(vector("scep_resp2")), decode(vector("scep_req2"))
    assert (message.message_type, message.status) == (MessageType.CertRep, PkiStatus.SUCCESS)
    assert (message.transaction_id, message.recipient_nonce) == (asked.transaction_id, asked.sender_nonce)
    assert (message.sender_nonce, message.enveloped) == (b"", vector("scep_resp1"))
    own = read_certificate(asked.signer_certificate or b"")
    (recipient,) = enveloped.decode(message.enveloped or b"").recipients
    assert recipient.is_named_by(own)
    assert read_certificate(verify(message, message.certificates)).serial == 0x24CC285C1674F207
    certificates, crls = scep.read_degenerate(vector("scep_resp0"))
    assert own.public_key_info in {read_certificate(one).public_key_info for one in certificates}
    assert crls == ()


def test_the_request_of_an_apple_client_with_sha1_and_short_nonce_verifies() -> None:
    message = decode(vector("micromdm_PKCSReq"))
    assert (message.transaction_id, message.digest) == ("A13090761A30F66664F85D37433D2065E1112BA1", "sha1")
    assert message.sender_nonce.hex() == "ae7fe8816cc6bedd"
    assert enveloped.decode(message.enveloped or b"").cipher == "1.2.840.113549.3.7"
    assert verify(message, message.certificates) == message.certificates[0]


# What is built -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY], ids=["rsa", "ec"])
def test_a_request_comes_back_and_verifies(key: PrivateKey, hash_name: str) -> None:
    own = self_signed(key, SUBJECT, START, END, hash_name)
    message = decode(request(key, own, hash_name, certificates=(CA,)))
    assert verify(message, [AGENT, own]) == message.signer_certificate == own
    assert (message.message_type, message.transaction_id, message.sender_nonce) == (19, "the transaction", NONCE)
    assert (message.recipient_nonce, message.status, message.digest) == (b"", None, hash_name)
    assert set(message.certificates) == {own, CA}
    assert open_enveloped(message.enveloped or b"", AGENT_KEY, AGENT) == b"hello"


def test_an_answer_brings_certificates_and_crls() -> None:
    content = scep.degenerate([OWN, CA])
    message = decode(answer(PkiStatus.SUCCESS, seal(content, [OWN])))
    certificates, crls = scep.read_degenerate(open_enveloped(message.enveloped or b"", RSA_KEY, OWN))
    assert (set(certificates), crls, message.status) == ({OWN, CA}, (), PkiStatus.SUCCESS)
    assert (message.sender_nonce, message.recipient_nonce) == (OTHER_NONCE, NONCE)


@pytest.mark.parametrize("empty", [False, True])
def test_an_answer_without_content_verifies(empty: bool) -> None:
    text = "wrong \u00fcber"
    message = decode(answer(PkiStatus.FAILURE, empty_content=empty, fail_info=FailInfo.badRequest, fail_info_text=text))
    assert message.enveloped == (b"" if empty else None)
    assert (message.status, message.fail_info, message.fail_info_text) == (2, FailInfo.badRequest, text)
    assert verify(message, [AGENT]) == AGENT


def test_the_contents_of_polls_and_of_questions_come_back() -> None:
    poll = scep.encode_issuer_and_subject(SUBJECT, read_certificate(AGENT).subject)
    assert scep.decode_issuer_and_subject(poll) == (SUBJECT, read_certificate(AGENT).subject)
    for serial in (1, 0xFF, 1 << 150, -5):
        assert scep.decode_issuer_and_serial(scep.encode_issuer_and_serial(SUBJECT, serial)) == (SUBJECT, serial)
    for wrong in (b"", SUBJECT, der.sequence_of((SUBJECT,)), der.sequence_of((der.integer(1), der.integer(1))), poll[:-1]):
        with pytest.raises(DecodeError):
            scep.decode_issuer_and_subject(wrong)
        with pytest.raises(DecodeError):
            scep.decode_issuer_and_serial(wrong)


@given(
    st.builds(
        ScepAttributes,
        message_type=st.integers(0, 255),
        transaction_id=st.text("ABCabc019 '()+,-./:=?", min_size=1),
        sender_nonce=st.binary(max_size=40),
        recipient_nonce=st.binary(max_size=40),
        status=st.none() | st.integers(0, 255),
        fail_info=st.none() | st.integers(0, 255),
        fail_info_text=st.text(st.characters(codec="utf-8"), max_size=20),
    )
)
def test_any_attributes_come_back(attributes: ScepAttributes) -> None:
    signer = cms.Signer(1, SUBJECT, 1, b"", b"", scep_attributes.encode(attributes), b"", b"", b"")
    assert scep_attributes.decode(signer) == attributes


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("transaction_id", "", HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING),
        ("transaction_id", "under_score", HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING),
        ("transaction_id", "\u00fc", HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING),
        ("message_type", 256, HRESULT.E_INVALIDARG),
        ("status", -1, HRESULT.E_INVALIDARG),
        ("fail_info_text", "\ud800", HRESULT.CRYPT_E_BAD_ENCODE),
    ],
)
def test_what_no_attribute_can_say_is_not_written(field: str, value: object, code: int) -> None:
    with pytest.raises(EncodeError) as caught:
        scep_attributes.encode(replace(ScepAttributes(19, "1"), **{field: value}))  # type: ignore[arg-type]
    assert caught.value.hresult == code


# What is read --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["256", "1000", "-1", "1a", "", " 3", "\u0663", "0x3"])
@pytest.mark.parametrize("oid", [scep_attributes.MESSAGE_TYPE, scep_attributes.PKI_STATUS, scep_attributes.FAIL_INFO])
def test_a_number_out_of_range_is_refused(oid: str, text: str) -> None:
    others = [one for one in (TYPE, TRANSACTION) if one.oid != oid]
    with pytest.raises(DecodeError) as caught:
        decode(signed_with(*others, number(oid, text)))
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_CONSTRAINT


def test_numbers_that_only_the_sender_knows_are_read() -> None:
    attributes = (number(scep_attributes.MESSAGE_TYPE, "41"), TRANSACTION, number(scep_attributes.PKI_STATUS, "11"))
    message = decode(signed_with(*attributes))
    assert (message.message_type, message.status) == (41, 11)


def test_attributes_that_are_missing_doubled_or_of_another_type_are_refused() -> None:
    nonce = Attribute(scep_attributes.SENDER_NONCE, (der.octet_string(NONCE),))
    doubled = Attribute(nonce.oid, nonce.values * 2)
    wrong = {
        (TYPE,): HRESULT.CRYPT_E_AUTH_ATTR_MISSING,
        (TRANSACTION,): HRESULT.CRYPT_E_AUTH_ATTR_MISSING,
        (TYPE, TRANSACTION, nonce, nonce): HRESULT.CRYPT_E_ASN1_CORRUPT,
        (TYPE, TRANSACTION, doubled): HRESULT.CRYPT_E_ASN1_CORRUPT,
        (TYPE, TRANSACTION, Attribute(nonce.oid, ())): HRESULT.CRYPT_E_ASN1_CORRUPT,
        (TYPE, TRANSACTION, Attribute(nonce.oid, (der.integer(1),))): HRESULT.CRYPT_E_ASN1_BADTAG,
        (TYPE, Attribute(TRANSACTION.oid, (der.integer(1),))): HRESULT.CRYPT_E_ASN1_BADTAG,
    }
    for attributes, code in wrong.items():
        with pytest.raises(DecodeError) as caught:
            decode(signed_with(*attributes))
        assert caught.value.hresult == code


def test_other_string_types_other_attributes_and_full_algorithms_are_read() -> None:
    strange = (
        Attribute(scep_attributes.MESSAGE_TYPE, (der.utf8_string("3"),)),
        Attribute(scep_attributes.TRANSACTION_ID, (der.ia5_string("under_score"),)),
        Attribute("1.2.840.113549.1.9.5", (der.wrap(0x17, b"260101000000Z"),)),
    )
    message = decode(signed_with(*strange, hash_name="sha1"))
    assert (message.message_type, message.transaction_id, message.digest) == (3, "under_score", "sha1")
    assert algorithms.identifier_oid(message.signed.signers[0].signature_algorithm) == "1.2.840.113549.1.1.5"
    assert verify(message, [OWN]) == OWN


def test_only_a_message_about_data_with_one_signer_is_a_scep_message() -> None:
    signer = NewSigner(algorithms.signer(RSA_KEY, SignatureScheme("sha256")), certificate=read_certificate(OWN))
    wrong = {
        scep.degenerate([OWN]): HRESULT.CRYPT_E_NO_SIGNER,
        cms.encode_signed_data(cms.DATA, b"", (signer, signer)): HRESULT.CRYPT_E_BAD_MSG,
        cms.encode_signed_data("1.3.6.1.5.5.7.12.2", b"", (signer,)): HRESULT.CRYPT_E_INVALID_MSG_TYPE,
        seal(b"", [OWN]): HRESULT.CRYPT_E_INVALID_MSG_TYPE,
    }
    for data, code in wrong.items():
        with pytest.raises(DecodeError) as caught:
            decode(data)
        assert caught.value.hresult == code


def test_a_signature_counts_only_for_the_certificates_that_are_expected() -> None:
    message = decode(request())
    for expected in ([], [AGENT, CA]):
        with pytest.raises(BadSignature) as caught:
            verify(message, expected)
        assert caught.value.hresult == HRESULT.CRYPT_E_SIGNER_NOT_FOUND
    with pytest.raises(DecodeError):
        verify(message, [b"no certificate"])


def test_of_two_certificates_with_one_name_and_number_the_one_that_signed_is_found() -> None:
    def numbered(key: PrivateKey) -> bytes:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "MDM")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, START, END)
        return builder.sign(key, algorithms.hash_algorithm("sha256").algorithm).public_bytes(Encoding.DER)  # type: ignore[arg-type]

    mine, other = numbered(RSA_KEY), numbered(AGENT_KEY)
    message = decode(request(own=mine))
    assert verify(message, [other, mine]) == verify(message, [mine, other]) == mine
    with pytest.raises(BadSignature) as caught:
        verify(message, [other])
    assert caught.value.hresult == HRESULT.NTE_BAD_SIGNATURE


def test_what_was_changed_after_it_was_signed_does_not_verify() -> None:
    data = request()
    for old, new, code in (
        (b"the transaction", b"thy transaction", HRESULT.NTE_BAD_SIGNATURE),
        (NONCE, OTHER_NONCE, HRESULT.NTE_BAD_SIGNATURE),
        (der.oid("2.16.840.1.101.3.4.1.2"), der.oid("2.16.840.1.101.3.4.1.6"), HRESULT.CRYPT_E_HASH_VALUE),
    ):
        assert old in data
        with pytest.raises(BadSignature) as caught:
            verify(decode(data.replace(old, new)), [OWN])
        assert caught.value.hresult == code


def _in_indefinite_lengths(data: bytes) -> bytes:
    """The outer layers with indefinite lengths, and the content in two pieces."""
    kind, body = der.children(data)
    version, digests, inner, certificates, signers = der.children(der.children(body)[0])
    content_type, content = der.children(inner)
    octets = der.read_octet_string(der.children(content)[0])
    pieces = b"\x24\x80" + der.octet_string(octets[:100]) + der.octet_string(octets[100:]) + bytes(2)
    inner = b"\x30\x80" + content_type + b"\xa0\x80" + pieces + bytes(4)
    whole = b"\x30\x80" + version + digests + inner + certificates + signers + bytes(2)
    return b"\x30\x80" + kind + b"\xa0\x80" + whole + bytes(4)


def test_a_message_in_indefinite_lengths_is_the_message() -> None:
    data = request()
    twin = _in_indefinite_lengths(data)
    assert ber.to_der(twin) == data
    assert decode(twin) == decode(data)
    assert verify(decode(twin), [OWN]) == OWN


@pytest.mark.parametrize("data", [request(), answer(2, fail_info=1, fail_info_text="no", empty_content=True)])
def test_every_truncation_is_a_decode_error(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode(data[:size])


def test_a_changed_bit_is_a_typed_error_or_changes_nothing_that_is_signed() -> None:
    chance = random.Random(8894)
    data = request()
    original = decode(data)
    for _ in range(600):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            message = decode(bytes(changed))
            verify(message, [OWN])
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue
        assert _signed_facts(message) == _signed_facts(original)


def _signed_facts(message: PkiMessage) -> tuple[object, ...]:
    return message.message_type, message.transaction_id, message.sender_nonce, message.status, message.enveloped


# First requests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "encipherment"), [(RSA_KEY, True), (EC_KEY, False)], ids=["rsa", "ec"])
def test_the_certificate_of_a_first_request_is_signed_by_its_own_key(key: PrivateKey, encipherment: bool) -> None:
    found = x509.load_der_x509_certificate(self_signed(key, SUBJECT, START, END, "sha384"))
    found.verify_directly_issued_by(found)
    assert (found.subject.public_bytes(), found.public_key()) == (SUBJECT, key.public_key())
    assert (found.not_valid_before_utc, found.not_valid_after_utc) == (START, END)
    assert found.signature_hash_algorithm is not None
    assert found.signature_hash_algorithm.name == "sha384"
    usage = found.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.digital_signature, usage.value.key_encipherment) == (True, encipherment)


def test_certificates_of_first_requests_differ_where_their_times_do() -> None:
    later = datetime(2027, 1, 1, tzinfo=UTC)
    made = [read_certificate(self_signed(RSA_KEY, SUBJECT, start, END)).serial for start in (START, START, later)]
    assert made[0] == made[1] != made[2]
    assert all(0 < one < 1 << 128 for one in made)
    with pytest.raises(UnsupportedAlgorithm):
        self_signed("no key", SUBJECT, START, END)


def test_the_transaction_of_a_key_is_a_printable_string_of_its_own() -> None:
    infos = [one.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for one in (RSA_KEY, AGENT_KEY)]
    names = [scep.transaction_id_of(one) for one in infos]
    assert names[0] != names[1]
    assert [len(one) for one in names] == [64, 64]
    assert scep.transaction_id_of(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


# Foreign judges ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, key, own in (("agent", AGENT_KEY, AGENT), ("own", RSA_KEY, OWN)):
        (tmp_path / f"{name}.pem").write_bytes(x509.load_der_x509_certificate(own).public_bytes(Encoding.PEM))
        (tmp_path / f"{name}.der").write_bytes(own)
        for form, ending in ((Encoding.PEM, "key"), (Encoding.DER, "pk8")):
            (tmp_path / f"{name}.{ending}").write_bytes(key.private_bytes(form, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path


def openssl(folder: Path, options: str, data: bytes) -> bytes:
    command = [program("openssl"), "cms", "-binary", *options.split()]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True, check=True).stdout


def test_openssl_verifies_a_request_and_opens_it(folder: Path) -> None:
    content = openssl(folder, "-verify -inform DER -CAfile own.pem -purpose any", request())
    assert openssl(folder, "-decrypt -inform DER -recip agent.pem -inkey agent.key", content) == b"hello"


@pytest.mark.parametrize("empty", [False, True])
def test_openssl_verifies_an_answer_without_content(empty: bool, folder: Path) -> None:
    (folder / "nothing").write_bytes(b"")
    detached = "" if empty else "-content nothing"
    data = answer(PkiStatus.PENDING, empty_content=empty)
    assert openssl(folder, f"-verify -inform DER -noverify {detached}", data) == b""


def test_what_openssl_signs_without_the_attributes_is_no_scep_message(folder: Path) -> None:
    for options in ("", "-stream", "-noattr"):
        signed = openssl(folder, f"-sign -nodetach -outform DER -signer own.pem -inkey own.key {options}", b"hello")
        with pytest.raises(DecodeError) as caught:
            decode(signed)
        assert caught.value.hresult == HRESULT.CRYPT_E_AUTH_ATTR_MISSING


def test_bouncy_castle_reads_what_is_built(folder: Path) -> None:
    poll = build_message(
        MessageType.CertPoll, seal_with_password(b"hello", PASSWORD),
        transaction_id="2", sender_nonce=NONCE, private_key=EC_KEY, certificate=certificate("ec", EC_KEY),
    )  # fmt: skip
    refusal = answer(2, fail_info=4, fail_info_text="no such certificate", empty_content=True)
    for name, data in (("1", request()), ("2", poll), ("3", refusal), ("4", answer(3))):
        (folder / name).write_bytes(data)
    said = java("ScepJudge", "read", folder / "agent.pk8", PASSWORD, *(folder / name for name in "1234"))
    files = [set(part.splitlines()) for part in said.split("file ")[1:]]
    base, nonce = "attribute 2.16.840.1.113733.1.9", NONCE.hex()
    transaction = f"{base}.7 the transaction"
    reply = {"signature good", transaction, f"{base}.2 3", f"{base}.6 {nonce}", f"{base}.5 {OTHER_NONCE.hex()}"}
    content = f"content {b'hello'.hex()}"
    assert files == [
        {"1", "signature good", content, transaction, f"{base}.2 19", f"{base}.5 {nonce}"},
        {"2", "signature good", content, f"{base}.7 2", f"{base}.2 20", f"{base}.5 {nonce}"},
        {"3", *reply, f"{base}.3 2", f"{base}.4 4", "attribute 1.3.6.1.5.5.7.24.1 no such certificate"},
        {"4", *reply, f"{base}.3 3"},
    ]


def test_what_bouncy_castle_builds_in_ber_is_read(folder: Path) -> None:
    java("ScepJudge", "write", folder / "own.pk8", PASSWORD, folder / "own.der", folder)
    for name in ("plain", "oaep", "identifier"):
        message = decode((folder / name).read_bytes())
        assert (message.message_type, message.transaction_id) == (19, "made by Bouncy Castle")
        assert message.sender_nonce.hex() == "00112233445566778899aabbccddeeff"
        assert verify(message, [OWN]) == OWN
        assert open_enveloped(message.enveloped or b"", RSA_KEY) == b"hello"
    sealed = decode((folder / "password").read_bytes()).enveloped
    assert open_with_password(sealed or b"", PASSWORD) == b"hello"
