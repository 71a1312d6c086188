"""Renewal through IX509Enrollment: every key store, both formats, and what is told of old and new certificate."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from certenroll import facade
from certenroll.ca.templates import Mode
from certenroll.enums import EnrollmentEnrollStatus, InnerRequestLevel, X509RequestInheritOptions
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, refused
from tests.support.installed import (
    ALGORITHMS,
    PLACES,
    SOFTWARE,
    Place,
    change_policy,
    enroll,
    entry,
    installed,
    judged,
    make_ca,
    message,
    property_of,
    renewal,
)
from tests.support.profiles import orphans

KINDS = ("Pkcs7", "Cmc")
_S = EnrollmentEnrollStatus
SAME_KEY = X509RequestInheritOptions.InheritPrivateKey | X509RequestInheritOptions.InheritSubjectFlag


@pytest.fixture(params=PLACES, ids=lambda place: place.store)
def place(request: pytest.FixtureRequest, profile: Path) -> Place:
    chosen: Place = request.param
    return chosen.ready(request)


def thumbprint(certificate: bytes) -> str:
    return hashlib.sha1(certificate).hexdigest().upper()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_renewed_with_a_new_key_where_the_old_one_is(
    place: Place, tmp_path: Path, kind: str, algorithm: str
) -> None:
    ca = make_ca()
    old = installed(place, algorithm, "CN=someone")
    enrollment = enroll(renewal(kind, old))
    assert enrollment.Status.Status == _S.Enrolled
    before, after = judged(tmp_path, old, place), judged(tmp_path, enrollment.Certificate(BINARY), place)
    assert (after.subject, ca.requests()[-1].template) == (before.subject, "User")
    assert after.public_key() != before.public_key()
    assert orphans() == []
    assert facade.certificates("REQUEST") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_is_renewed_with_its_own_key(place: Place, tmp_path: Path, kind: str) -> None:
    make_ca()
    old = installed(place, "EC", "CN=someone")
    new = enroll(renewal(kind, old, SAME_KEY)).Certificate(BINARY)
    assert new != old
    assert judged(tmp_path, new, place).public_key() == judged(tmp_path, old, place).public_key()


@pytest.mark.parametrize("kind", KINDS)
def test_the_old_certificate_names_its_heir_and_is_archived(profile: Path, kind: str) -> None:
    make_ca()
    old = installed(SOFTWARE, "EC")
    enrollment = enroll(renewal(kind, old))
    new = enrollment.Certificate(BINARY)
    assert property_of("Renewal", old).Renewal(BINARY) == hashlib.sha1(new).digest()
    assert property_of("Archived", old).Archived is True
    assert [one.thumbprint for one in facade.certificates("MY")] == [thumbprint(new)]
    told = property_of("Enrollment", new)
    assert (told.RequestId, told.CADnsName, told.CAName) == (enrollment.RequestId, "ca.test", "Test CA")
    assert refused(property_of, "Renewal", new) == HRESULT.CRYPT_E_NOT_FOUND
    assert refused(property_of, "Archived", new) == HRESULT.CRYPT_E_NOT_FOUND


def test_who_was_renewed_once_is_renewed_again_and_an_archived_one_too(profile: Path) -> None:
    make_ca()
    first = installed(SOFTWARE, "EC")
    second = enroll(renewal("Cmc", first)).Certificate(BINARY)
    third = enroll(renewal("Pkcs7", second)).Certificate(BINARY)
    again = enroll(renewal("Cmc", first)).Certificate(BINARY)
    assert property_of("Renewal", second).Renewal(BINARY) == hashlib.sha1(third).digest()
    assert property_of("Renewal", first).Renewal(BINARY) == hashlib.sha1(again).digest()
    assert {one.thumbprint for one in facade.certificates("MY")} == {thumbprint(third), thumbprint(again)}


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.DENY])
@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_whose_renewal_waits_or_is_denied_stays_as_it_is(profile: Path, kind: str, mode: Mode) -> None:
    ca = make_ca()
    old = installed(SOFTWARE, "EC")
    before = dict(entry(old).properties)
    ca = change_policy(ca, mode=mode)
    enrollment = enroll(renewal(kind, old))
    assert enrollment.Status.Status == (_S.EnrollPended if mode is Mode.HOLD else _S.EnrollDenied)
    assert [one.thumbprint for one in facade.certificates("MY")] == [thumbprint(old)]
    assert entry(old).properties == before


@pytest.mark.parametrize("kind", KINDS)
def test_the_old_certificate_is_archived_when_a_renewal_that_waited_is_installed(profile: Path, kind: str) -> None:
    ca = make_ca()
    old = installed(SOFTWARE, "EC")
    ca = change_policy(ca, mode=Mode.HOLD)
    enrollment = enroll(renewal(kind, old))
    ca.issue(enrollment.RequestIdString)
    _, installation = facade.retrieve_pending(enrollment.RequestIdString)
    assert installation is not None
    assert property_of("Renewal", old).Renewal(BINARY) == hashlib.sha1(installation.certificate or b"").digest()


@pytest.mark.parametrize("kind", KINDS)
def test_the_old_certificate_may_be_gone_when_the_new_one_comes(profile: Path, kind: str) -> None:
    ca = make_ca()
    old = installed(SOFTWARE, "EC")
    ca = change_policy(ca, mode=Mode.HOLD)
    enrollment = enroll(renewal(kind, old))
    facade.delete_certificate("MY", thumbprint(old))
    ca.issue(enrollment.RequestIdString)
    assert facade.retrieve_pending(enrollment.RequestIdString)[1] is not None
    assert len(facade.certificates("MY")) == 1


# A renewal that was read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_renewal_that_was_read_is_signed_anew_by_the_old_key(place: Place, kind: str) -> None:
    make_ca()
    old = installed(place, "EC")
    made = renewal(kind, old)
    made.Encode()
    read = message(kind)
    read.InitializeDecode(made.RawData(BINARY), BINARY)
    assert read.GetInnerRequest(InnerRequestLevel.LevelInnermost).RenewalCertificate(BINARY) == old
    assert read.SignerCertificate.PrivateKey.ContainerName == made.SignerCertificate.PrivateKey.ContainerName
    read.ResetForEncode()
    read.Encode()
    again = message(kind)
    again.InitializeDecode(read.RawData(BINARY), BINARY)
    again.CheckCertificateSignature(*([again.SignerCertificate] if kind == "Cmc" else []), True)
    made.key_object.Delete()


@pytest.mark.parametrize("kind", KINDS)
def test_a_renewal_that_was_read_where_the_old_key_is_not_cannot_be_signed(profile: Path, kind: str) -> None:
    make_ca()
    old = installed(SOFTWARE, "EC")
    made = renewal(kind, old)
    made.Encode()
    facade.delete_certificate("MY", thumbprint(old), with_key=True)
    read = message(kind)
    read.InitializeDecode(made.RawData(BINARY), BINARY)
    read.ResetForEncode()
    assert refused(read.Encode) == HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE
