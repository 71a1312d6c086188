"""CMC at the local CA: what it reads of a request, and the full responses that it writes, before outside judges."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from certenroll.asn1 import cmc_requests, pkcs10
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.cmc import Control
from certenroll.asn1.cmc_requests import PkiData, TaggedRequest
from certenroll.asn1.cmc_statuses import FailInfo, Outcome
from certenroll.asn1.der import Extension
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.ca.base import Answer, Disposition, Submission
from certenroll.ca.incoming import BadRequest, read
from certenroll.ca.local import LocalCA
from certenroll.hresults import HRESULT
from tests.ca.conftest import pem
from tests.support.ca_messages import FULL, around, cmc, issued, party, pkcs10_of, submitted, template
from tests.support.cmc_messages import AGENT_KEY, EC_KEY, RSA_KEY, own_signer, signer_of
from tests.support.oracles import read_with_bouncy_castle
from tests.support.requires import program

NONCE = b"a nonce of the client"


def full(answer: Answer) -> Response:
    """The full response of an answer, its signature verified."""
    found = read_response(answer.full_response or b"")
    assert (found.kind, found.unchecked) == (ResponseKind.FULL_RESPONSE, ())
    return found


def request(name: str = "", **fields: Any) -> bytes:
    pairs = [("CertificateTemplate", name)] if name else []
    return cmc(RSA_KEY, pkcs10_of(RSA_KEY), pairs=pairs, **fields)


def test_a_granted_request_is_answered_with_everything(ca: LocalCA) -> None:
    answer = submitted(ca, request("WebServer", transaction_id=77, sender_nonce=NONCE), FULL)
    found = full(answer)
    assert found.outcome is Outcome.GRANTED
    assert set(found.certificates) == {answer.certificate, *answer.chain}
    found.check_certificate(answer.certificate or b"")
    assert found.cmc is not None
    assert (found.cmc.transaction_id, found.cmc.recipient_nonce) == (77, NONCE)
    assert found.cmc.archived_key_hash is None
    again = full(ca.retrieve(answer.request_id)).cmc
    assert again is not None
    assert again.sender_nonce != found.cmc.sender_nonce


def test_nobody_gets_a_full_response_unasked(ca: LocalCA) -> None:
    assert submitted(ca, request()).full_response is None


def test_a_pkcs10_request_may_ask_for_a_full_response_too(ca: LocalCA) -> None:
    assert full(submitted(ca, pkcs10.encode(pkcs10_of(EC_KEY)), FULL)).outcome is Outcome.GRANTED


def test_a_held_request_is_pending_until_it_is_decided(ca: LocalCA) -> None:
    held = submitted(ca, request("SubCA", sender_nonce=NONCE), FULL)
    found = full(held)
    assert found.outcome is Outcome.PENDING
    assert found.certificates == ca.certificates()
    assert found.status is not None
    assert found.status.pend_info is not None
    assert found.status.pend_info.token == held.request_id.encode()
    ca.deny(held.request_id, "no")
    refused = full(ca.retrieve(held.request_id))
    assert refused.outcome is Outcome.REFUSED
    assert refused.status is not None
    assert refused.status.hresult == HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST
    assert refused.cmc is not None
    assert refused.cmc.recipient_nonce == NONCE


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (request("NoSuchTemplate"), FailInfo.BAD_REQUEST),
        (cmc(RSA_KEY, pkcs10_of(RSA_KEY))[:-1] + b"\0", FailInfo.POP_FAILED),
        (b"no request at all", FailInfo.BAD_REQUEST),
    ],
)
def test_a_refusal_says_why(ca: LocalCA, message: bytes, reason: int) -> None:
    answer = submitted(ca, message, FULL)
    status = full(answer).status
    assert status is not None
    assert (status.outcome, status.fail_info) == (Outcome.REFUSED, reason)
    assert f"0x{answer.status:08X}" in (status.text or "")


def test_a_revoked_certificate_is_not_answered_as_granted(ca: LocalCA) -> None:
    answer = submitted(ca, request(), FULL)
    ca.revoke(answer.request_id)
    assert full(ca.retrieve(answer.request_id)).outcome is Outcome.REFUSED


def test_crls_come_where_they_are_asked_for(ca: LocalCA) -> None:
    assert full(submitted(ca, request(), FULL | 0x80000)).crls != ()
    assert full(submitted(ca, request(), FULL)).crls == ()


def test_bouncy_castle_reads_every_kind_of_answer(ca: LocalCA, tmp_path: Path) -> None:
    message = request(transaction_id=77, sender_nonce=NONCE)
    answers = [submitted(ca, one, FULL) for one in (message, request("SubCA"), request("NoSuchTemplate"))]
    readings = read_with_bouncy_castle(tmp_path, *(one.full_response or b"" for one in answers))
    assert [one.verdict for one in readings] == ["good"] * 3, readings


def test_openssl_verifies_the_signature_of_a_full_response(ca: LocalCA, tmp_path: Path) -> None:
    answer = submitted(ca, request(), FULL)
    (tmp_path / "response").write_bytes(answer.full_response or b"")
    (tmp_path / "root").write_text(pem("CERTIFICATE", ca.certificates()[-1]))
    command = [program("openssl"), "cms", "-verify", "-inform", "DER", "-in", "response", "-CAfile", "root", "-binary"]
    done = subprocess.run([*command, "-purpose", "any"], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    signed = full(answer).signed
    assert signed is not None
    assert done.stdout == signed.content


# What is read of a request -------------------------------------------------------------------------------------------


def test_extensions_of_the_control_take_the_place_of_the_requests_own(ca: LocalCA) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("outer.test")]).public_bytes()
    message = request("WebServer", extensions=[Extension("2.5.29.17", False, names)])
    found = issued(ca, message).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert found.get_values_for_type(x509.DNSName) == ["outer.test"]


def test_a_message_in_a_message_is_read_and_answered(ca: LocalCA) -> None:
    agent = party(ca, AGENT_KEY, "EnrollmentAgent", "agent")
    message = around(request(), agent, pairs=[NameValuePair("CertificateTemplate", "ClientAuth")])
    answer = submitted(ca, message, FULL)
    assert answer.disposition is Disposition.ISSUED, answer.message
    assert ca.requests()[-1].template == "ClientAuth"


def test_templates_that_disagree_are_refused(ca: LocalCA) -> None:
    message = cmc(RSA_KEY, pkcs10_of(RSA_KEY, "x", template("User")), pairs=[("CertificateTemplate", "WebServer")])
    assert submitted(ca, message).status == HRESULT.CERTSRV_E_TEMPLATE_CONFLICT


def signed(data: PkiData) -> bytes:
    return cmc_requests.encode(cmc_requests.build(data, [own_signer(RSA_KEY, pkcs10_of(RSA_KEY))]))


@pytest.mark.parametrize("count", [2, 3])
def test_more_than_one_request_is_invalid_data(ca: LocalCA, count: int) -> None:
    requests = tuple(TaggedRequest(number + 1, pkcs10_of(RSA_KEY)) for number in range(count))
    answer = submitted(ca, signed(PkiData(requests=requests)))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, HRESULT.WIN32_INVALID_DATA)


def test_no_request_at_all_is_invalid_data(ca: LocalCA) -> None:
    somebody = party(ca, RSA_KEY, "User")
    message = cmc_requests.build(PkiData(), [signer_of(somebody)], [somebody.certificate.der])
    assert submitted(ca, cmc_requests.encode(message)).status == HRESULT.WIN32_INVALID_DATA


def test_a_control_that_is_not_known_is_refused(ca: LocalCA) -> None:
    data = PkiData((Control(2, "1.3.6.1.5.5.7.7.17", (b"\x05\x00",)),), (TaggedRequest(1, pkcs10_of(RSA_KEY)),))
    answer = submitted(ca, signed(data))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, HRESULT.WIN32_INVALID_DATA)
    assert "1.3.6.1.5.5.7.7.17" in answer.message


@pytest.mark.parametrize("control", ["1.3.6.1.5.5.7.7.5", "1.3.6.1.5.5.7.7.6"])
def test_a_malformed_transaction_or_nonce_is_an_error_that_is_answered(ca: LocalCA, control: str) -> None:
    data = PkiData((Control(2, control, (b"\x05\x00",)),), (TaggedRequest(1, pkcs10_of(RSA_KEY)),))
    answer = submitted(ca, signed(data), FULL)
    assert answer.disposition is Disposition.ERROR
    assert full(answer).outcome is Outcome.REFUSED


def test_a_request_whose_own_key_did_not_sign_it_is_refused(ca: LocalCA) -> None:
    asked = pkcs10_of(RSA_KEY, "someone")
    message = cmc(RSA_KEY, asked).replace(b"someone", b"anybody")
    assert submitted(ca, message).disposition is Disposition.ERROR


def test_a_truncated_cmc_request_is_an_error_at_every_offset(ca: LocalCA) -> None:
    message = cmc(EC_KEY, pkcs10_of(EC_KEY), pairs=[("CertificateTemplate", "User")])
    for length in range(len(message)):
        with pytest.raises(BadRequest):
            read(message[:length])


def test_the_same_request_is_found_again_with_its_full_response(ca: LocalCA) -> None:
    message = request()
    ca.submit(Submission(message, flags=FULL))
    found = ca.find(message)
    assert found is not None
    assert full(found).outcome is Outcome.GRANTED
