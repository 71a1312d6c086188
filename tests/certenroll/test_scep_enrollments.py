"""IX509SCEPEnrollment: messages made, answers judged, certificates installed, and nothing believed that should not be."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import certenroll
from certenroll.asn1 import enveloped, pkcs10, scep
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.scep import MessageType
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import DelayRetryAction, EnrollmentEnrollStatus
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.enums import X509SCEPFailInfo as FailInfo
from certenroll.hresults import HRESULT
from certenroll.stores import properties
from certenroll.stores.states import State
from tests.stores.pki import NOW, key, make
from tests.support.enrolling import BINARY, P256, code, issue, laid_open, new_key, oid, refused
from tests.support.scep_enrolling import (
    HEX,
    HEXRAW,
    PASSWORD,
    begun,
    blank,
    counts,
    keys,
    pkcs10_request,
    sha1,
    states,
)
from tests.support.scep_responder import (
    DECRYPTS,
    PENDING,
    SIGNS,
    SUCCESS,
    Reply,
    ScepResponder,
    authority,
    damaged,
    refusal,
    root,
)


@pytest.fixture
def server() -> ScepResponder:
    return ScepResponder()


# The object ----------------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[Any, ...]] = {
    "CreateRequestMessage": (), "CreateRetrievePendingMessage": (), "CreateChallengeAnswerMessage": (),
    "CreateRetrieveCertificateMessage": (1, b"0", BINARY, b"1", BINARY), "ProcessResponseMessage": (b"x", BINARY),
    "ProcessResponseMessage2": (0, b"x", BINARY), "DeleteRequest": (), "Certificate": (),
}  # fmt: skip
BLANK_READS = ("Status", "Request")
EMPTY_READS = ("SignerCertificate", "OldCertificate")


@pytest.mark.parametrize(("member", "arguments"), CALLS.items(), ids=CALLS)
def test_a_method_refuses_before_an_initialize_method(home: Path, member: str, arguments: tuple[Any, ...]) -> None:
    assert refused(getattr(blank(), member), *arguments) == HRESULT.OLE_E_BLANK


@pytest.mark.parametrize("member", BLANK_READS)
def test_a_property_of_the_enrollment_refuses_before_an_initialize_method(home: Path, member: str) -> None:
    assert refused(getattr, blank(), member) == HRESULT.OLE_E_BLANK


@pytest.mark.parametrize("member", EMPTY_READS)
def test_what_was_not_set_is_empty(home: Path, member: str) -> None:
    assert refused(getattr, blank(), member) == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_a_new_object_tells_that_nothing_happened(home: Path) -> None:
    made = blank()
    assert refused(made.TransactionId) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert refused(getattr, made, "ServerCapabilities") == HRESULT.DISP_E_MEMBERNOTFOUND
    assert (made.FailInfo, made.DelayRetry) == (FailInfo.SCEPFailUnknown, DelayRetryAction.DelayRetryUnknown)
    assert (made.ResultMessageText, made.CertificateFriendlyName) == ("", "")


def test_an_activity_has_a_guid(home: Path) -> None:
    made = blank()
    assert len(made.ActivityId) == 38
    made.ActivityId = "0f8fad5b-d9cb-469f-a165-70867728950e"
    assert made.ActivityId == "{0F8FAD5B-D9CB-469F-A165-70867728950E}"
    assert refused(setattr, made, "ActivityId", "no guid") == HRESULT.E_INVALIDARG


@pytest.mark.parametrize("text", ["", "a_b", "a" * 257, "ä"])
def test_a_transaction_id_is_a_printable_string(home: Path, text: str) -> None:
    assert refused(blank().SetTransactionId, BINARY, text) == HRESULT.E_INVALIDARG


def test_an_enrollment_is_initialized_once(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    again = (pkcs10_request(), hashlib.md5(server.ca.der, usedforsecurity=False).hexdigest(), HEX, server.bag, BINARY)
    assert refused(made.Initialize, *again) == HRESULT.WIN32_ALREADY_INITIALIZED
    assert refused(made.InitializeForPending, 1) == HRESULT.WIN32_ALREADY_INITIALIZED
    assert refused(blank().InitializeForPending, 0) == HRESULT.E_INVALIDARG


# The server's certificates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256"])
def test_the_ca_is_known_by_a_thumbprint_of_any_usual_hash(workspace: Workspace, server: ScepResponder, digest: str) -> None:
    made = blank()
    made.Initialize(pkcs10_request(), hashlib.new(digest, server.ca.der).hexdigest().upper(), HEX, server.bag, BINARY)
    assert made.CreateRequestMessage(BINARY)


@pytest.mark.parametrize(
    ("thumbprint", "expected"),
    [
        ("00" * 20, HRESULT.CRYPT_E_HASH_VALUE),
        ("00" * 16, HRESULT.CRYPT_E_HASH_VALUE),
        ("00" * 19, HRESULT.E_INVALIDARG),
        ("", HRESULT.E_INVALIDARG),
        ("no digits", HRESULT.WIN32_INVALID_DATA),
    ],
)
def test_a_wrong_thumbprint_is_refused(workspace: Workspace, server: ScepResponder, thumbprint: str, expected: int) -> None:
    made = blank()
    assert refused(made.Initialize, pkcs10_request(), thumbprint, HEXRAW, server.bag, BINARY) == expected
    assert refused(made.CreateRequestMessage) == HRESULT.OLE_E_BLANK


def test_the_thumbprint_of_a_registration_authority_is_no_ca_s(workspace: Workspace) -> None:
    ca = root()
    server = ScepResponder(ca, authority(ca, "RA", SIGNS), authority(ca, "RA encryption", DECRYPTS))
    assert server.signature is not None
    thumbprint = sha1(server.signature.der).hex()
    refusal_code = refused(blank().Initialize, pkcs10_request(), thumbprint, HEXRAW, server.bag, BINARY)
    assert refusal_code == HRESULT.CRYPT_E_HASH_VALUE


@pytest.mark.parametrize("missing", ["signature", "encryption"])
def test_a_registration_authority_needs_both_its_certificates(workspace: Workspace, missing: str) -> None:
    ca = root()
    there = authority(ca, "RA", DECRYPTS if missing == "signature" else SIGNS)
    bag = encode_certificate_bag((ca.der, there.der))
    thumbprint = sha1(ca.der).hex()
    assert refused(blank().Initialize, pkcs10_request(), thumbprint, HEXRAW, bag, BINARY) == HRESULT.CRYPT_E_NOT_FOUND


def test_a_registration_authority_of_another_ca_is_passed_over(workspace: Workspace, server: ScepResponder) -> None:
    stranger = root("Stranger")
    server.chain = (stranger, authority(stranger, "False RA", SIGNS), authority(stranger, "False encryption", DECRYPTS))
    made = begun(server)
    assert made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY) == 0


def test_the_root_s_thumbprint_vouches_for_an_issuing_ca_below_it(workspace: Workspace) -> None:
    top = root("Top")
    ca = make("Issuing", top, ca=True, private=key("Issuing", 2048))
    server = ScepResponder(ca, authority(ca, "RA", SIGNS), authority(ca, "RA encryption", DECRYPTS), chain=(top,))
    made = blank()
    made.Initialize(pkcs10_request(), hashlib.md5(top.der, usedforsecurity=False).hexdigest(), HEX, server.bag, BINARY)
    assert made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY)), BINARY) == 0
    assert counts(workspace) == [1, 1, 1, 0]


# Requests ------------------------------------------------------------------------------------------------------------


def test_a_request_says_what_rfc_8894_wants_of_it(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    message = scep.decode(made.CreateRequestMessage(BINARY))
    server.answer(made.CreateRequestMessage(BINARY))
    inner = pkcs10.decode(server.asked[0].content)
    own = x509.load_der_x509_certificate(message.signer_certificate or b"")
    assert (message.message_type, message.digest, len(message.sender_nonce)) == (MessageType.PKCSReq, "sha256", 16)
    assert inner.subject == own.subject.public_bytes() == own.issuer.public_bytes()
    assert message.transaction_id == scep.transaction_id_of(inner.public_key_info) == made.TransactionId(BINARY).decode()


@pytest.mark.parametrize(
    ("capabilities", "digest", "cipher"),
    [
        ("AES\nSHA-256\nSHA-1\nDES3", "sha256", "2.16.840.1.101.3.4.1.2"),
        ("POSTPKIOperation\r\nRenewal\r\nSHA-512\r\nSHA-256\r\nSHA-1\r\nDES3", "sha512", "1.2.840.113549.3.7"),
        ("SCEPStandard", "sha256", "2.16.840.1.101.3.4.1.2"),
    ],
)
def test_the_best_that_the_server_takes_is_used(
    workspace: Workspace, server: ScepResponder, capabilities: str, digest: str, cipher: str
) -> None:
    made = begun(server)
    made.ServerCapabilities = capabilities
    message = scep.decode(made.CreateRequestMessage(BINARY))
    assert message.digest == digest
    assert enveloped.decode(message.enveloped or b"").cipher == cipher


@pytest.mark.parametrize("capabilities", ["", "SHA-1\nDES3", "AES\nSHA-1", "SHA-256"])
def test_a_server_that_takes_nothing_good_gets_nothing(
    workspace: Workspace, server: ScepResponder, capabilities: str
) -> None:
    made = begun(server)
    made.ServerCapabilities = capabilities
    assert refused(made.CreateRequestMessage) == HRESULT.NTE_BAD_ALGID
    assert (counts(workspace), keys(workspace), states(workspace)) == ([0, 0, 0, 0], 0, [])


def test_legacy_hashes_in_the_profile_let_old_algorithms_do(home: Path, server: ScepResponder) -> None:
    (home / "profile.toml").write_text("legacy_hashes = true\n")
    workspace = open_workspace()
    workspace.clock = lambda: NOW
    made = begun(server)
    made.ServerCapabilities = ""
    message = scep.decode(made.CreateRequestMessage(BINARY))
    assert message.digest == "sha1"
    assert enveloped.decode(message.enveloped or b"").cipher == "1.3.14.3.2.7"


def test_an_ec_key_is_refused_before_anything_is_made(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server, pkcs10_request(Algorithm=oid(P256)))
    with pytest.raises(certenroll.ComError, match="only an RSA key decrypts") as caught:
        made.CreateRequestMessage()
    assert code(caught.value) == HRESULT.NTE_BAD_KEY
    assert (counts(workspace), keys(workspace), states(workspace)) == ([0, 0, 0, 0], 0, [])


def test_an_existing_ec_key_is_refused_and_stays(workspace: Workspace, server: ScepResponder) -> None:
    held = new_key(ContainerName="curve")
    held.Create()
    made = begun(server, pkcs10_request(ContainerName="curve", Existing=True))
    assert refused(made.CreateRequestMessage) == HRESULT.NTE_BAD_KEY
    assert keys(workspace) == 1


def test_the_challenge_password_stands_nowhere(
    workspace: Workspace, home: Path, server: ScepResponder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply_with(PENDING, refusal(2, "the password cannot be verified"))
    made = begun(server)
    message = made.CreateRequestMessage(BINARY)
    made.ProcessResponseMessage(server.answer(message), BINARY)
    assert PASSWORD.encode() in server.asked[0].content
    kept = repr(laid_open(home))
    made.ProcessResponseMessage(server.answer(made.CreateRetrievePendingMessage(BINARY)), BINARY)
    everything = kept + repr(laid_open(home)) + caplog.text + made.Status.Text + repr(workspace.requests.list())
    assert PASSWORD not in everything
    assert PASSWORD.encode().hex().upper() not in everything.upper()


def test_a_request_message_can_be_made_twice_and_only_the_last_is_answered(
    workspace: Workspace, server: ScepResponder
) -> None:
    made = begun(server)
    first, second = (made.CreateRequestMessage(BINARY) for _ in range(2))
    assert first != second
    assert refused(made.ProcessResponseMessage, server.answer(first), BINARY) == HRESULT.NTE_BAD_DATA
    assert made.ProcessResponseMessage(server.answer(second), BINARY) == 0
    assert (keys(workspace), len(workspace.requests.list())) == (1, 1)


# Answers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_authority", [False, True], ids=["ca alone", "registration authority"])
def test_an_issued_certificate_is_installed_with_its_key_and_chain(workspace: Workspace, with_authority: bool) -> None:
    ca = root()
    parts = (authority(ca, "RA", SIGNS), authority(ca, "RA encryption", DECRYPTS)) if with_authority else (None, None)
    server = ScepResponder(ca, *parts)
    made = begun(server)
    made.CertificateFriendlyName = "by SCEP"
    answer = server.answer(made.CreateRequestMessage(BINARY))
    assert made.ProcessResponseMessage(answer, BINARY) == Disposition.SCEPDispositionSuccess
    assert (made.Status.Status, made.Status.Error) == (EnrollmentEnrollStatus.Enrolled, 0)
    assert made.DelayRetry == DelayRetryAction.DelayRetrySuccess
    assert (counts(workspace), states(workspace)) == ([1, 0, 1, 0], [State.INSTALLED])
    installed = next(iter(workspace.certificates.list("MY")))
    assert installed.der == made.Certificate(BINARY)
    assert properties.decode_text(installed.properties[properties.FRIENDLY_NAME]) == "by SCEP"
    where = properties.decode_key_info(installed.properties[properties.KEY_PROV_INFO])
    assert workspace.key_stores.open(where.store, where.container).info.public_key in installed.der


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (damaged(), HRESULT.NTE_BAD_SIGNATURE),
        (Reply(nonce=b"another nonce..."), HRESULT.NTE_BAD_DATA),
        (Reply(nonce=b""), HRESULT.NTE_BAD_DATA),
        (Reply(transaction_id="another"), HRESULT.CRYPT_E_NO_MATCH),
        (Reply(signer=make("Somebody", private=key("Somebody", 2048))), HRESULT.CRYPT_E_SIGNER_NOT_FOUND),
        (Reply(message_type=MessageType.PKCSReq), HRESULT.CRYPT_E_INVALID_MSG_TYPE),
        (Reply(certificates=()), HRESULT.CRYPT_E_BAD_MSG),
        (Reply(certificates=(make("Another leaf", root()).der,)), HRESULT.CRYPT_E_NOT_FOUND),
        (Reply(content=b"no certificates"), HRESULT.CRYPT_E_ASN1_EOD),
    ],
    ids=["signature", "nonce", "no nonce", "transaction", "signer", "type", "empty", "other key", "garbage"],
)
def test_a_wrong_answer_changes_nothing_and_the_right_one_still_counts(
    workspace: Workspace, home: Path, server: ScepResponder, how: Reply, expected: int
) -> None:
    made = begun(server)
    message = made.CreateRequestMessage(BINARY)
    before = laid_open(home)
    assert refused(made.ProcessResponseMessage, server.answer(message, how), BINARY) == expected
    assert laid_open(home) == before
    assert made.Status.Status == EnrollmentEnrollStatus.EnrollError
    assert made.ProcessResponseMessage(server.answer(message, SUCCESS), BINARY) == Disposition.SCEPDispositionSuccess


@pytest.mark.parametrize(("fail_info", "ends"), [(0, False), (1, False), (2, True), (3, False), (4, True), (None, True)])
def test_a_refusal_is_told_and_ends_a_request_that_it_is_about(
    workspace: Workspace, server: ScepResponder, fail_info: int | None, ends: bool
) -> None:
    made = begun(server)
    answer = server.answer(made.CreateRequestMessage(BINARY), refusal(fail_info))
    assert made.ProcessResponseMessage(answer, BINARY) == Disposition.SCEPDispositionFailure
    assert made.FailInfo == (FailInfo(fail_info) if fail_info is not None else FailInfo.SCEPFailUnknown)
    assert made.Status.Status == EnrollmentEnrollStatus.EnrollError
    assert made.Status.Error != 0
    assert made.ResultMessageText == made.Status.Text != ""
    retry = DelayRetryAction.DelayRetryNone if ends else DelayRetryAction.DelayRetryShort
    assert made.DelayRetry == retry
    assert (keys(workspace), counts(workspace)) == ((0, [0] * 4) if ends else (1, [0, 0, 0, 1]))
    assert states(workspace) == [State.DENIED if ends else State.MADE]


def test_the_server_s_words_and_the_code_in_them_reach_the_script(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    text = "The password in the certificate request cannot be verified. 0x80070490 (WIN32: 1168 ERROR_NOT_FOUND)"
    made.ProcessResponseMessage(server.answer(made.CreateRequestMessage(BINARY), refusal(2, text)), BINARY)
    assert (made.Status.Text, made.ResultMessageText) == (text, text)
    assert made.Status.Error & 0xFFFFFFFF == 0x80070490


def test_a_certificate_can_be_left_to_be_read(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    answer = server.answer(made.CreateRequestMessage(BINARY))
    assert made.ProcessResponseMessage2(1, answer, BINARY) == Disposition.SCEPDispositionSuccess
    assert (counts(workspace), states(workspace)) == ([0, 0, 0, 1], [State.MADE])
    other: Any = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    other.Initialize(1)
    other.InstallResponse(4, encode_certificate_bag((made.Certificate(BINARY), server.ca.der)), BINARY, "")
    assert (counts(workspace), states(workspace)) == ([1, 0, 1, 0], [State.INSTALLED])


def test_a_root_that_an_answer_brings_along_gets_no_trust(workspace: Workspace, server: ScepResponder) -> None:
    stranger = root("Stranger")
    made = begun(server)
    message = made.CreateRequestMessage(BINARY)
    server.answer(message)
    leaf = server.issued[next(iter(server.issued))]
    made.ProcessResponseMessage(server.answer(message, Reply(certificates=(leaf, stranger.der))), BINARY)
    assert [one.der for one in workspace.certificates.list("ROOT")] == [server.ca.der]
    assert stranger.der not in [one.der for one in workspace.certificates.list("CA")]


def test_a_certificate_of_another_ca_is_refused_and_its_request_waits(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    message = made.CreateRequestMessage(BINARY)
    stranger = root("Stranger")
    server.answer(message)
    false = issue(pkcs10.decode(server.asked[0].content).public_key_info, stranger, ca=False)
    answer = server.answer(message, Reply(certificates=(false.der, stranger.der)))
    assert refused(made.ProcessResponseMessage, answer, BINARY) == HRESULT.CERT_E_UNTRUSTEDROOT
    assert (counts(workspace), states(workspace)) == ([0, 0, 0, 1], [State.MADE])


def test_a_challenge_waits_for_its_answer(workspace: Workspace, server: ScepResponder) -> None:
    made = begun(server)
    answer = server.answer(made.CreateRequestMessage(BINARY), Reply(status=11, content=b"a challenge"))
    assert refused(made.CreateChallengeAnswerMessage) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    assert made.ProcessResponseMessage(answer, BINARY) == Disposition.SCEPDispositionPendingChallenge
    assert states(workspace) == [State.PENDING]
    assert refused(made.CreateChallengeAnswerMessage) >> 16 == 0x8009  # it is no CMC response
