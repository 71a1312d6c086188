"""CMC full responses: Bouncy Castle's answers of every kind read; ours before Bouncy Castle and OpenSSL; damaged ones."""

from __future__ import annotations

import hashlib
import random
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll.asn1 import cmc_controls, cms, der
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.cmc import PKI_RESPONSE, Control, NestedMessage, OtherMessage
from certenroll.asn1.cmc_controls import AddExtensions
from certenroll.asn1.cmc_requests import new_pki_data
from certenroll.asn1.cmc_responses import (
    PkiResponse,
    ResponseMismatch,
    check_archived_key_hash,
    check_transaction,
    decode_pki_response,
    encode_full_response,
    encode_pki_response,
    issued_attributes,
    new_response,
)
from certenroll.asn1.cmc_statuses import (
    FAILURES,
    STATUS_INFO,
    STATUS_INFO_V2,
    STATUSES,
    CmcStatus,
    ExtendedFailInfo,
    FailInfo,
    Outcome,
    PendInfo,
    Status,
    decode_status,
    encode_status,
    fail_info_of,
)
from certenroll.asn1.der import Attribute, DecodeError, EncodeError
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.hresults import HRESULT
from tests.support.cmc_messages import CA, CA_KEY, EC_KEY, THE_CA, certificate, request, signer_of
from tests.support.oracles import java, read_with_bouncy_castle
from tests.support.requires import program

LEAF = certificate("leaf", EC_KEY)
LATER = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
GRANTED, PENDING, REFUSED = Outcome.GRANTED, Outcome.PENDING, Outcome.REFUSED


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Name of the case -> what Bouncy Castle wrote."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "ca.der").write_bytes(CA)
    (folder / "leaf.der").write_bytes(LEAF)
    (folder / "ca.pk8").write_bytes(CA_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
    java("CmcResponseWriter", folder / "out", folder / "ca.der", folder / "ca.pk8", folder / "leaf.der")
    return {path.stem: path.read_bytes() for path in sorted((folder / "out").iterdir())}


# Case -> (outcome, result code).
EXPECTED: dict[str, tuple[Outcome, HRESULT]] = {
    "granted": (GRANTED, HRESULT.S_OK),
    "granted-authority-first": (GRANTED, HRESULT.S_OK),
    "granted-no-hash": (GRANTED, HRESULT.S_OK),
    "granted-wrong-hash": (GRANTED, HRESULT.S_OK),
    "granted-no-leaf": (GRANTED, HRESULT.S_OK),
    "granted-archived": (GRANTED, HRESULT.S_OK),
    "granted-information": (GRANTED, HRESULT.S_OK),
    "granted-silently": (GRANTED, HRESULT.S_OK),
    "v2-granted": (GRANTED, HRESULT.S_OK),
    "v2-granted-path": (GRANTED, HRESULT.S_OK),
    "certificates-only": (GRANTED, HRESULT.S_OK),
    "pending": (PENDING, HRESULT.S_OK),
    "v2-pending": (PENDING, HRESULT.S_OK),
    "failed-0": (REFUSED, HRESULT.NTE_BAD_ALGID),
    "failed-1": (REFUSED, HRESULT.CRYPT_E_HASH_VALUE),
    "failed-2": (REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    "failed-3": (REFUSED, HRESULT.CERT_E_EXPIRED),
    "failed-4": (REFUSED, HRESULT.CRYPT_E_NOT_FOUND),
    "failed-5": (REFUSED, HRESULT.WIN32_NOT_SUPPORTED),
    "failed-6": (REFUSED, HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED),
    "failed-7": (REFUSED, HRESULT.E_ACCESSDENIED),
    "failed-8": (REFUSED, HRESULT.CERTSRV_E_SIGNATURE_COUNT),
    "failed-9": (REFUSED, HRESULT.NTE_BAD_SIGNATURE),
    "failed-10": (REFUSED, HRESULT.NTE_BAD_KEY),
    "failed-11": (REFUSED, HRESULT.WIN32_INTERNAL_ERROR),
    "failed-12": (REFUSED, HRESULT.WIN32_BUSY),
    "failed-13": (REFUSED, HRESULT.CRYPT_E_AUTH_ATTR_MISSING),
    "failed-beside-granted": (REFUSED, HRESULT.NTE_BAD_ALGID),
    "status-no-support": (REFUSED, HRESULT.WIN32_NOT_SUPPORTED),
    "status-confirm-required": (REFUSED, HRESULT.WIN32_NOT_SUPPORTED),
    "status-pop-required": (REFUSED, HRESULT.CERTSRV_E_SIGNATURE_COUNT),
    "status-partial": (REFUSED, HRESULT.WIN32_INVALID_DATA),
    "v2-failed": (REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    "v2-failed-extended": (REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    "v2-failed-extended-tagged": (REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
}


def test_every_answer_has_its_outcome_and_its_code(answers: dict[str, bytes]) -> None:
    found = {}
    for name, data in answers.items():
        if name != "granted-forged":
            read = read_response(data)
            assert read.unchecked == (), name
            found[name] = (read.outcome, read.status.hresult if read.status is not None else HRESULT.S_OK)
    assert found == EXPECTED


def test_a_forged_answer_is_refused(answers: dict[str, bytes]) -> None:
    with pytest.raises(BadSignature):
        read_response(answers["granted-forged"])


def content(answers: dict[str, bytes], name: str) -> PkiResponse:
    found = read_response(answers[name]).cmc
    assert found is not None
    return found


def test_the_fields_of_the_answers(answers: dict[str, bytes]) -> None:
    assert content(answers, "granted").status == CmcStatus(0, (1,), "Issued")
    assert content(answers, "granted-silently").status is None
    assert content(answers, "granted-archived").archived_key_hash == hashlib.sha1(CA).digest()
    assert content(answers, "granted-information").response_info == b"RequestId=42&"
    assert content(answers, "failed-6").status == CmcStatus(2, (1,), "refused for reason 6", fail_info=6)
    assert content(answers, "v2-granted-path").status == CmcStatus(0, ((2, 1),), version=2)
    second = content(answers, "v2-granted")
    assert (second.transaction_id, second.sender_nonce) == (9182736455463728190, bytes([5, 6, 7, 8]))
    assert second.recipient_nonce == bytes([1, 2, 3, 4])


@pytest.mark.parametrize(("name", "version", "text"), [("pending", 1, "Under Submission"), ("v2-pending", 2, None)])
def test_a_pending_answer_says_when_to_ask_and_with_what(
    answers: dict[str, bytes], name: str, version: int, text: str | None
) -> None:
    status = content(answers, name).status
    assert status == CmcStatus(3, (1,), text, pend_info=PendInfo(b"42", LATER), version=version)


@pytest.mark.parametrize("name", ["v2-failed-extended", "v2-failed-extended-tagged"])
def test_an_extended_failure_is_read_bare_and_tagged(answers: dict[str, bytes], name: str) -> None:
    reason = ExtendedFailInfo("1.3.6.1.4.1.99999.7", der.utf8_string("no"))
    assert content(answers, name).status == CmcStatus(2, extended=reason, version=2)


@pytest.mark.parametrize(
    ("name", "fits"),
    [("granted", True), ("granted-authority-first", True), ("granted-no-hash", True), ("granted-wrong-hash", False),
     ("certificates-only", True)],
)  # fmt: skip
def test_the_leaf_is_held_against_the_hash_of_the_answer(answers: dict[str, bytes], name: str, fits: bool) -> None:
    found = read_response(answers[name])
    assert set(found.certificates) == {LEAF, CA}
    if fits:
        found.check_certificate(LEAF)
        return
    with pytest.raises(ResponseMismatch) as caught:
        found.check_certificate(LEAF)
    assert caught.value.hresult == HRESULT.CRYPT_E_HASH_VALUE


def test_a_content_of_bouncy_castle_comes_back_octet_for_octet(answers: dict[str, bytes]) -> None:
    for data in answers.values():
        signed = cms.decode_signed_data(data)
        if signed.content is not None:
            assert encode_pki_response(decode_pki_response(signed.content)) == signed.content


# Ours before other judges --------------------------------------------------------------------------------------------


def made() -> dict[str, PkiResponse]:
    asked = new_pki_data(request(EC_KEY), transaction_id=77, sender_nonce=b"client").controls
    return {
        "granted": new_response(
            CmcStatus(Status.SUCCESS, text="Issued"), answering=asked, sender_nonce=b"server",
            attributes=issued_attributes(LEAF, b"h" * 20),
        ),
        "pending": new_response(CmcStatus(Status.PENDING, text="Wait", pend_info=PendInfo(b"42", LATER))),
        "denied": new_response(CmcStatus(Status.FAILED, text="No", fail_info=FailInfo.BAD_REQUEST)),
        "v2": new_response(CmcStatus(Status.SUCCESS, ((0, 1),), version=2)),
        "v2 extended": new_response(CmcStatus(2, extended=ExtendedFailInfo("1.2.3", der.integer(1)), version=2)),
    }  # fmt: skip


def full(response: PkiResponse) -> bytes:
    return encode_full_response(response, [signer_of(THE_CA)], [LEAF, CA])


def test_a_response_made_here_is_read_here() -> None:
    for response in made().values():
        found = read_response(full(response))
        assert (found.kind, found.cmc, found.unchecked) == (ResponseKind.FULL_RESPONSE, response, ())
        found.check_certificate(LEAF)


def test_a_response_repeats_the_transaction_and_the_nonce_of_the_request() -> None:
    granted = made()["granted"]
    assert (granted.transaction_id, granted.recipient_nonce, granted.sender_nonce) == (77, b"client", b"server")
    assert (granted.issued_certificate_hash, granted.archived_key_hash) == (hashlib.sha1(LEAF).digest(), b"h" * 20)
    assert [one.body_part for one in granted.controls] == [1, 2, 3, 4, 5]
    assert granted.controls[0].oid == STATUS_INFO
    assert made()["v2"].controls[0].oid == STATUS_INFO_V2


def test_bouncy_castle_reads_the_responses_made_here(tmp_path: Path) -> None:
    readings = read_with_bouncy_castle(tmp_path, *map(full, made().values()))
    assert [reading.verdict for reading in readings] == ["good"] * len(readings)
    granted, pending, denied, *_ = (reading.of("status") for reading in readings)
    assert granted == [{"number": "0", "other": "", "text": "Issued"}]
    assert pending[0]["other"] == der.sequence_of((der.octet_string(b"42"), b"\x18\x0f20270102030405Z")).hex()
    assert denied == [{"number": "2", "other": der.integer(2).hex(), "text": "No"}]
    assert [one["oid"] for one in readings[0].of("added")] == ["1.3.6.1.4.1.311.21.17", "1.3.6.1.4.1.311.21.21"]


def test_openssl_verifies_the_responses_made_here(tmp_path: Path) -> None:
    (tmp_path / "ca").write_bytes(x509.load_der_x509_certificate(CA).public_bytes(Encoding.PEM))
    for response in made().values():
        command = [program("openssl"), "cms", "-verify", "-inform", "DER", "-CAfile", "ca", "-purpose", "any", "-binary"]
        shown = subprocess.run(command, cwd=tmp_path, input=full(response), capture_output=True, check=True).stdout
        assert shown == encode_pki_response(response)


# Values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        CmcStatus(0, ()),
        CmcStatus(0, (1, 2, 0xFFFFFFFF), "grüße"),
        CmcStatus(9, (1,), "", fail_info=99),
        CmcStatus(3, pend_info=PendInfo(b"", LATER)),
        CmcStatus(7, (1, (2, 3)), version=2, extended=ExtendedFailInfo("1.2.3", der.NULL_DER)),
    ],
)
def test_a_status_comes_back(status: CmcStatus) -> None:
    assert decode_status(encode_status(status), status.version) == status


def test_a_status_has_a_name_an_outcome_and_a_code() -> None:
    status = CmcStatus(2, fail_info=4)
    assert (status.name, status.fail_name, status.outcome) == ("failed", "badCertId", REFUSED)
    unknown = CmcStatus(1, fail_info=55)
    assert (unknown.name, unknown.fail_name, unknown.outcome, unknown.hresult) == (
        "unknown", "unknown", REFUSED, HRESULT.E_UNEXPECTED,
    )  # fmt: skip
    assert CmcStatus(0, fail_info=4).hresult == HRESULT.S_OK
    assert CmcStatus(0).fail_name == ""
    assert set(STATUSES) == set(Status)
    assert set(FAILURES) == set(FailInfo) == set(range(14))


def test_the_page_lists_every_failure_with_its_code() -> None:
    page = (Path(__file__).parents[2] / "docs" / "analysis" / "cmc.md").read_text()
    for number, (name, code) in FAILURES.items():
        assert f"| {number} {name} | 0x{code:08X} " in page


def test_every_refusal_code_finds_a_failure_and_most_find_their_own() -> None:
    assert fail_info_of(HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED) == FailInfo.MUST_ARCHIVE_KEYS
    assert fail_info_of(HRESULT.CERTSRV_E_TEMPLATE_DENIED) == FailInfo.BAD_REQUEST
    assert all(FAILURES[fail_info_of(code)][1] == code for _, code in FAILURES.values())


@pytest.mark.parametrize(
    "status",
    [
        CmcStatus(2, fail_info=1, pend_info=PendInfo(b"", LATER)),
        CmcStatus(2, extended=ExtendedFailInfo("1.2.3", der.NULL_DER)),
        CmcStatus(0, ((1, 2),)),
        CmcStatus(0, (-1,)),
        CmcStatus(3, pend_info=PendInfo(b"", datetime(2027, 1, 1))),
    ],
)
def test_a_status_without_an_encoding_is_refused(status: CmcStatus) -> None:
    with pytest.raises(EncodeError):
        encode_status(status)


def test_a_time_is_written_in_utc() -> None:
    there = LATER.astimezone(timezone(timedelta(hours=5)))
    assert encode_status(CmcStatus(3, pend_info=PendInfo(b"", there))).endswith(b"20270102030405Z")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (der.integer(0),),
        (der.integer(0), der.integer(1)),
        (der.integer(0), der.sequence_of((der.integer(-1),))),
        (der.integer(0), der.sequence_of(()), der.NULL_DER),
        (der.integer(2), der.sequence_of(()), der.integer(1), der.integer(2)),
        (der.integer(3), der.sequence_of(()), der.sequence_of((der.octet_string(b""),))),
        (der.integer(3), der.sequence_of(()), der.sequence_of((der.octet_string(b""), b"\x18\x02xx"))),
        (der.integer(2), der.sequence_of(()), der.wrap(0xA1, b"")),
    ],
)
def test_a_malformed_status_is_a_decode_error(parts: tuple[bytes, ...]) -> None:
    with pytest.raises(DecodeError):
        decode_status(der.sequence_of(parts), 2)


def test_an_extended_failure_that_is_tagged_explicitly_is_read() -> None:
    reason = der.sequence_of((der.oid("1.2.3"), der.NULL_DER))
    data = der.sequence_of((der.integer(2), der.sequence_of(()), der.wrap(0xA1, reason)))
    assert decode_status(data, 2).extended == ExtendedFailInfo("1.2.3", der.NULL_DER)


def test_every_part_of_a_content_comes_back() -> None:
    response = PkiResponse(
        (Control(1, "1.2.3", (der.NULL_DER,)),),
        (NestedMessage(2, der.sequence_of(())),),
        (OtherMessage(3, "1.2.4", der.NULL_DER),),
    )
    assert decode_pki_response(encode_pki_response(response)) == response


def test_a_content_in_indefinite_lengths_is_read() -> None:
    response = made()["granted"]
    inside = der.contents(encode_pki_response(response))
    assert decode_pki_response(b"\x30\x80" + inside + b"\x00\x00") == response


def test_a_hash_may_be_a_control_of_its_own() -> None:
    response = PkiResponse((Control(1, "1.3.6.1.4.1.311.21.17", (der.octet_string(b"h"),)),))
    assert response.issued_certificate_hash == b"h"


def test_of_several_statuses_the_worst_decides() -> None:
    values = [encode_status(CmcStatus(number)) for number in (Status.SUCCESS, Status.PENDING)]
    waiting = PkiResponse(tuple(Control(number, STATUS_INFO, (value,)) for number, value in enumerate(values, 1)))
    assert waiting.status == CmcStatus(Status.PENDING)
    assert [one.status for one in waiting.statuses] == [0, 3]
    refused = PkiResponse((*waiting.controls, Control(9, STATUS_INFO, (encode_status(CmcStatus(2)),))))
    assert refused.status == CmcStatus(2)


# Is this the answer? -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stated", "code"),
    [
        (None, None, None),
        (b"same", b"same", None),
        (b"sent", None, HRESULT.XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND),
        (None, b"stated", HRESULT.XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH),
        (b"sent", b"stated", HRESULT.XENROLL_E_RESPONSE_KA_HASH_MISMATCH),
    ],
)
def test_the_archived_key_is_held_against_the_one_that_was_sent(
    sent: bytes | None, stated: bytes | None, code: int | None
) -> None:
    response = new_response(CmcStatus(0), attributes=issued_attributes(LEAF, stated))
    if code is None:
        check_archived_key_hash(response, sent)
        return
    with pytest.raises(ResponseMismatch) as caught:
        check_archived_key_hash(response, sent)
    assert caught.value.hresult == code


def test_an_answer_to_another_request_is_refused() -> None:
    asked = new_pki_data(request(EC_KEY), transaction_id=77, sender_nonce=b"client").controls
    check_transaction(made()["granted"], asked)
    check_transaction(made()["pending"], asked)
    check_transaction(made()["granted"], ())
    others = ({"transaction_id": 78, "sender_nonce": b"client"}, {"transaction_id": 77, "sender_nonce": b"other"})
    for other in others:
        with pytest.raises(ResponseMismatch) as caught:
            check_transaction(made()["granted"], new_pki_data(request(EC_KEY), **other).controls)  # type: ignore[arg-type]
        assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


# Damage --------------------------------------------------------------------------------------------------------------


def test_a_full_response_without_content_is_refused() -> None:
    with pytest.raises(DecodeError) as caught:
        read_response(cms.encode_signed_data(PKI_RESPONSE, None, [signer_of(THE_CA)], [CA]))
    assert caught.value.hresult == HRESULT.CRYPT_E_BAD_MSG


@pytest.mark.parametrize(
    "control",
    [
        Control(1, STATUS_INFO, (der.NULL_DER,)),
        Control(1, cmc_controls.ADD_ATTRIBUTES, (der.NULL_DER,)),
        Control(1, cmc_controls.TRANSACTION_ID, (der.NULL_DER,)),
        Control(1, cmc_controls.RECIPIENT_NONCE, (der.NULL_DER,)),
        cmc_controls.add_attributes(1, [Attribute("1.3.6.1.4.1.311.21.17", (der.NULL_DER,))]),
    ],
)
def test_a_malformed_control_refuses_the_response(control: Control) -> None:
    with pytest.raises(DecodeError):
        decode_pki_response(encode_pki_response(PkiResponse((control,))))


def test_controls_of_extensions_are_none_of_a_responses_business() -> None:
    value = cmc_controls.encode_add_extensions(AddExtensions(0, (1,), ()))
    response = PkiResponse((Control(1, cmc_controls.ADD_EXTENSIONS, (value,)),))
    assert decode_pki_response(encode_pki_response(response)) == response


def test_every_truncation_of_a_content_is_a_decode_error() -> None:
    for response in made().values():
        data = encode_pki_response(response)
        for size in range(len(data)):
            with pytest.raises(DecodeError):
                decode_pki_response(data[:size])


def test_every_truncation_of_a_full_response_is_a_decode_error() -> None:
    data = full(made()["granted"])
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            read_response(data[:size])


def test_a_changed_bit_gives_a_typed_error_or_what_was_signed() -> None:
    chance = random.Random(9)
    data = full(made()["granted"])
    for _ in range(6000):
        found = read_damaged(data, chance)
        if found is not None and found.signed is not None and found.signed.signers and not found.unchecked:
            assert found.cmc == made()["granted"]


def read_damaged(data: bytes, chance: random.Random) -> Response | None:
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        return read_response(bytes(changed))
    except (DecodeError, BadSignature, UnsupportedAlgorithm):
        return None


def test_a_changed_bit_in_a_content_gives_a_content_or_a_decode_error() -> None:
    chance = random.Random(10)
    for response in made().values():
        data = encode_pki_response(response)
        for _ in range(3000):
            changed = bytearray(data)
            changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            try:
                found = decode_pki_response(bytes(changed))
            except DecodeError:
                continue
            assert found.status is None or found.status.outcome in Outcome
