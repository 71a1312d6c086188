"""Revocation and the lists that tell of it, as OpenSSL sees them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certenroll.ca.base import Answer, CAError, Disposition, Submission
from certenroll.ca.crl import Reason
from certenroll.ca.local import LocalCA
from tests.ca.conftest import EC_KEY, Clock, openssl_verify

MakeRequest = Callable[..., bytes]


def submit(ca: LocalCA, request: bytes) -> tuple[Answer, x509.Certificate]:
    answer = ca.submit(Submission(request))
    assert answer.certificate is not None
    return answer, x509.load_der_x509_certificate(answer.certificate)


def listed(ca: LocalCA) -> dict[int, x509.RevokedCertificate]:
    return {one.serial_number: one for one in x509.load_der_x509_crl(ca.crl())}


def number(ca: LocalCA) -> int:
    return x509.load_der_x509_crl(ca.crl()).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_openssl_sees_a_revoked_certificate_once_the_list_is_published(
    ca: LocalCA, tmp_path: Path, request_of: MakeRequest
) -> None:
    answer, certificate = submit(ca, request_of())
    revoked = ca.revoke(answer.request_id, reason=Reason.KEY_COMPROMISE)
    assert revoked.disposition is Disposition.REVOKED
    assert answer.certificate is not None
    assert openssl_verify(tmp_path, answer.certificate, answer.chain, *ca.crls()) == "OK"
    ca.publish_crl()
    assert "certificate revoked" in openssl_verify(tmp_path, answer.certificate, answer.chain, *ca.crls())
    entry = listed(ca)[certificate.serial_number]
    assert entry.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    assert ca.retrieve(answer.request_id).disposition == 6


def test_a_certificate_is_revoked_by_its_serial_number_and_without_a_reason(ca: LocalCA, request_of: MakeRequest) -> None:
    _, certificate = submit(ca, request_of())
    ca.revoke(serial=certificate.serial_number)
    ca.publish_crl()
    assert len(listed(ca)[certificate.serial_number].extensions) == 0


def test_a_certificate_on_hold_is_released(ca: LocalCA, request_of: MakeRequest) -> None:
    answer, certificate = submit(ca, request_of())
    ca.revoke(answer.request_id, reason=Reason.CERTIFICATE_HOLD)
    ca.publish_crl()
    assert certificate.serial_number in listed(ca)
    released = ca.revoke(answer.request_id, reason=Reason.REMOVE_FROM_CRL)
    assert released.disposition is Disposition.ISSUED
    ca.publish_crl()
    assert certificate.serial_number not in listed(ca)


def test_a_certificate_on_hold_may_be_revoked_for_good(ca: LocalCA, request_of: MakeRequest) -> None:
    answer, _ = submit(ca, request_of())
    ca.revoke(answer.request_id, reason=Reason.CERTIFICATE_HOLD)
    assert ca.revoke(answer.request_id, reason=Reason.SUPERSEDED).disposition is Disposition.REVOKED


@pytest.mark.parametrize("reason", [Reason.SUPERSEDED, Reason.REMOVE_FROM_CRL])
def test_what_is_revoked_for_good_stays_revoked(ca: LocalCA, request_of: MakeRequest, reason: Reason) -> None:
    answer, _ = submit(ca, request_of())
    before = ca.revoke(answer.request_id)
    with pytest.raises(CAError) as caught:
        ca.revoke(answer.request_id, reason=reason)
    assert caught.value.hresult == 0x80094003
    assert ca.retrieve(answer.request_id) == before


def test_only_what_was_issued_is_revoked(ca: LocalCA, request_of: MakeRequest) -> None:
    denied = ca.submit(Submission(request_of(key=("rsa:1024",))))
    with pytest.raises(CAError) as caught:
        ca.revoke(denied.request_id)
    assert caught.value.hresult == 0x80094003
    issued, _ = submit(ca, request_of(key=EC_KEY))
    with pytest.raises(CAError) as caught:
        ca.revoke(issued.request_id, reason=Reason.REMOVE_FROM_CRL)
    assert caught.value.hresult == 0x80094003


@pytest.mark.parametrize("reason", [7, 11, -1])
def test_a_number_that_is_no_reason_is_refused(ca: LocalCA, request_of: MakeRequest, reason: int) -> None:
    answer, _ = submit(ca, request_of())
    with pytest.raises(CAError) as caught:
        ca.revoke(answer.request_id, reason=reason)
    assert caught.value.hresult == 0x80070057
    assert ca.retrieve(answer.request_id) == answer


def test_the_numbers_of_the_lists_rise_by_one(ca: LocalCA) -> None:
    first = number(ca)
    for _ in range(3):
        ca.publish_crl()
    assert number(ca) == first + 3


def test_a_list_that_has_run_out_is_followed_by_a_new_one(ca: LocalCA, clock: Clock) -> None:
    first = number(ca)
    clock.pass_days(6.9)
    assert number(ca) == first
    clock.pass_days(0.2)
    assert number(ca) == first + 1
    assert x509.load_der_x509_crl(ca.crl()).next_update_utc == clock.now + timedelta(days=7)


def test_a_certificate_leaves_the_list_when_it_has_run_out(ca: LocalCA, request_of: MakeRequest, clock: Clock) -> None:
    answer, certificate = submit(ca, request_of())
    ca.revoke(answer.request_id)
    clock.pass_days(364)
    ca.publish_crl()
    assert certificate.serial_number in listed(ca)
    clock.pass_days(2)
    ca.publish_crl()
    assert listed(ca) == {}


def test_the_published_files_are_the_newest_lists(ca: LocalCA, tmp_path: Path) -> None:
    ca.publish_crl()
    published = tmp_path / "ca" / "published"
    assert ((published / "Test CA.crl").read_bytes(), (published / "Test CA-root.crl").read_bytes()) == ca.crls()
    assert ((published / "Test CA.crt").read_bytes(), (published / "Test CA-root.crt").read_bytes()) == ca.certificates()
