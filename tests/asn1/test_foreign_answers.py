"""CMC full responses across implementations: a foreign writer's 32 answers read here, ours before two foreign readers.

On one form they disagree: an extended failure has the tag [1] in RFC 5272 and here, none in Bouncy Castle, and JSS takes it
for pending information. We read it either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certenroll.asn1 import der
from certenroll.asn1.algorithms import BadSignature
from certenroll.asn1.cmc import PKI_RESPONSE
from certenroll.asn1.cmc_responses import ResponseMismatch, encode_full_response, issued_attributes, new_response
from certenroll.asn1.cmc_statuses import CmcStatus, ExtendedFailInfo, FailInfo, Outcome, PendInfo, Status
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.hresults import HRESULT
from tests.stores.pki import key, make
from tests.support.cmc_messages import CA, EC_KEY, THE_CA, certificate, signer_of
from tests.support.foreign_judges import JssControl, JssReading, bouncy_castle_answers, dumped, read_by_jss

GRANTED, PENDING, REFUSED = Outcome.GRANTED, Outcome.PENDING, Outcome.REFUSED
FULL, BAG = ResponseKind.FULL_RESPONSE, ResponseKind.CERTIFICATES
ROOT = make("judged ca", private=key("judged ca", 2048))
LEAF = make("judged leaf", ROOT).der
OURS = certificate("leaf", EC_KEY)
LATER = datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Expected:
    """What an answer says.

    Attributes:
        outcome: what became of the request.
        code: the result code of its status; S_OK where it has none.
        text: the CA's sentence.
        certificates: how many it brings.
        kind: its form.
        fits: whether LEAF passes for the certificate that it speaks of.
    """

    outcome: Outcome
    code: int = HRESULT.S_OK
    text: str | None = None
    certificates: int = 1
    kind: ResponseKind = FULL
    fits: bool = True


def issued(text: str | None = "Issued", *, certificates: int = 2, fits: bool = True) -> Expected:
    return Expected(GRANTED, text=text, certificates=certificates, fits=fits)


FAILED = (
    HRESULT.NTE_BAD_ALGID, HRESULT.CRYPT_E_HASH_VALUE, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, HRESULT.CERT_E_EXPIRED,
    HRESULT.CRYPT_E_NOT_FOUND, HRESULT.WIN32_NOT_SUPPORTED, HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED, HRESULT.E_ACCESSDENIED,
    HRESULT.CERTSRV_E_SIGNATURE_COUNT, HRESULT.NTE_BAD_SIGNATURE, HRESULT.NTE_BAD_KEY, HRESULT.WIN32_INTERNAL_ERROR,
    HRESULT.WIN32_BUSY, HRESULT.CRYPT_E_AUTH_ATTR_MISSING,
)  # fmt: skip
ANSWERS: dict[str, Expected] = {
    "ms-success": issued(),
    "ms-success-caFirst": issued(),
    "ms-success-nohash": issued(),
    "ms-success-wronghash": issued(fits=False),
    "ms-success-noleaf": issued(certificates=1),
    "ms-pending": Expected(PENDING, text="Taken Under Submission"),
    **{f"failed-{number}": Expected(REFUSED, code, f"failed {number}") for number, code in enumerate(FAILED)},
    "status-noSupport": Expected(REFUSED, HRESULT.WIN32_NOT_SUPPORTED, certificates=2),
    "status-confirmRequired": Expected(REFUSED, HRESULT.WIN32_NOT_SUPPORTED, certificates=2),
    "status-popRequired": Expected(REFUSED, HRESULT.CERTSRV_E_SIGNATURE_COUNT, certificates=2),
    "status-partial": Expected(REFUSED, HRESULT.WIN32_INVALID_DATA, certificates=2),
    "v2-success": issued(None),
    "v2-pending": Expected(PENDING),
    "v2-failed-badRequest": Expected(REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    "v2-failed-extended": Expected(REFUSED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    "responseinfo": issued(),
    "empty-controls": issued(None),
    "certs-only": Expected(GRANTED, certificates=2, kind=BAG),
}
FORGED = "ms-success-badsig"
NOT_FOR_JSS = ("certs-only", "v2-failed-extended")  # the first has no content


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return bouncy_castle_answers(tmp_path_factory.mktemp("answers"), ROOT.der, ROOT.key, LEAF)


def fits(response: Response, leaf: bytes) -> bool:
    try:
        response.check_certificate(leaf)
    except ResponseMismatch as error:
        return error.hresult != HRESULT.CRYPT_E_HASH_VALUE
    return True


def test_there_are_thirty_two_and_each_is_expected(answers: dict[str, bytes]) -> None:
    assert (len(answers), set(answers)) == (32, {*ANSWERS, FORGED})


@pytest.mark.parametrize("name", list(ANSWERS))
def test_an_answer_is_read_with_its_outcome(answers: dict[str, bytes], name: str) -> None:
    found = read_response(answers[name])
    status = found.status
    code, text = (status.hresult, status.text) if status is not None else (HRESULT.S_OK, None)
    said = Expected(found.outcome, code, text, len(found.certificates), found.kind, fits(found, LEAF))
    assert said == ANSWERS[name]
    assert found.unchecked == ()


def test_a_forged_answer_is_refused_here_and_by_the_foreign_reader(answers: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(BadSignature) as caught:
        read_response(answers[FORGED])
    assert caught.value.hresult == HRESULT.NTE_BAD_SIGNATURE
    verdicts = dumped(tmp_path, answers)
    assert {name for name, (verdict, _) in verdicts.items() if verdict != "good"} == {FORGED}


def test_the_fields_that_only_some_answers_have(answers: dict[str, bytes]) -> None:
    pending = read_response(answers["ms-pending"]).status
    assert pending is not None
    assert pending.pend_info == PendInfo(b"42", datetime(2026, 11, 22, tzinfo=UTC))
    second = read_response(answers["v2-success"]).cmc
    assert second is not None
    assert (second.transaction_id, second.sender_nonce, second.recipient_nonce) == (
        10132985123483401, bytes((1, 2, 3, 4)), bytes((9, 9, 9, 9)),
    )  # fmt: skip
    informed = read_response(answers["responseinfo"]).cmc
    assert informed is not None
    assert informed.response_info == b"RequestId=42&"
    extended = read_response(answers["v2-failed-extended"]).status
    assert extended is not None
    assert extended.extended == ExtendedFailInfo("1.3.6.1.4.1.99999.1", der.utf8_string("x"))


def test_jss_reads_the_same_in_the_foreign_answers(answers: dict[str, bytes], tmp_path: Path) -> None:
    chosen = {name: data for name, data in answers.items() if name not in (*NOT_FOR_JSS, FORGED)}
    for name, found in read_by_jss(tmp_path, chosen).items():
        assert found == as_jss_reads(read_response(chosen[name])), name


def as_jss_reads(response: Response) -> JssReading:
    """What JSS must say of a response that was read here."""
    assert response.cmc is not None
    assert response.signed is not None
    statuses = iter(response.cmc.statuses)
    controls = []
    for one in response.cmc.controls:
        said = next(statuses) if one.oid.endswith(("7.7.1", "7.7.25")) else None
        controls.append(
            JssControl(one.body_part, one.oid, said.status if said else None, said.text if said else None)
        )
    return JssReading(PKI_RESPONSE, len(response.certificates), len(response.signed.signers), 0, tuple(controls))


# Ours.


def response(status: CmcStatus, *certificates: bytes) -> bytes:
    attributes = issued_attributes(OURS) if OURS in certificates else ()
    return encode_full_response(new_response(status, attributes=attributes), [signer_of(THE_CA)], certificates)


MADE_HERE = {
    "granted": response(CmcStatus(Status.SUCCESS, text="Issued"), OURS, CA),
    "pending": response(CmcStatus(Status.PENDING, text="Held", pend_info=PendInfo(b"7", LATER)), CA),
    "refused": response(CmcStatus(Status.FAILED, text="Denied", fail_info=FailInfo.BAD_REQUEST), CA),
    "granted, version 2": response(CmcStatus(Status.SUCCESS, version=2), OURS, CA),
    "pending, version 2": response(CmcStatus(Status.PENDING, pend_info=PendInfo(b"7", LATER), version=2), CA),
    "refused, version 2": response(CmcStatus(Status.FAILED, fail_info=FailInfo.BAD_ALG, version=2), CA),
}


def test_the_foreign_reader_accepts_every_answer_made_here(tmp_path: Path) -> None:
    verdicts = dumped(tmp_path, MADE_HERE)
    assert {name: verdict for name, (verdict, _) in verdicts.items()} == dict.fromkeys(MADE_HERE, "good")
    assert "status=0 success bodyList=[1] string=Issued other=none" in verdicts["granted"][1]
    assert "status=2 failed bodyList=[1] string=Denied other=failInfo 2 badRequest" in verdicts["refused"][1]
    assert "pendInfo" in verdicts["pending"][1]


def test_jss_reads_the_same_in_the_answers_made_here(tmp_path: Path) -> None:
    for name, found in read_by_jss(tmp_path, MADE_HERE).items():
        assert found == as_jss_reads(read_response(MADE_HERE[name])), name
