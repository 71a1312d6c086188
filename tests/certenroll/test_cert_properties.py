"""Properties on certificates of the stores: read, set, taken away; values octet by octet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from certenroll.cert_properties import ICertProperties, ICertProperty
from certenroll.cert_property_types import (
    KINDS,
    ICertPropertyArchived,
    ICertPropertyArchivedKeyHash,
    ICertPropertyAutoEnroll,
    ICertPropertyBackedUp,
    ICertPropertyDescription,
    ICertPropertyEnrollment,
    ICertPropertyEnrollmentPolicyServer,
    ICertPropertyFriendlyName,
    ICertPropertyRenewal,
    ICertPropertyRequestOriginator,
    ICertPropertySHA1Hash,
)
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import object_id
from tests.support.stored_certificates import MACHINE, USER, certificate, initialized, on_certificate, refused, stored

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
HEXRAW = EncodingType.XCN_CRYPT_STRING_HEXRAW
FRIENDLY_NAME = 11
OWN = 0x8001


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for context in (USER, MACHINE):
        open_workspace(context).profile.database.close()


def friendly(name: str) -> ICertPropertyFriendlyName:
    made = ICertPropertyFriendlyName()
    made.Initialize(name)
    return made


def test_a_friendly_name_goes_onto_a_certificate_and_comes_from_it() -> None:
    der = stored()
    friendly("Größe").SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME) == "Größe\0".encode("utf-16-le")
    read = ICertPropertyFriendlyName()
    read.InitializeFromCertificate(False, BINARY, der)
    assert (read.FriendlyName, read.PropertyId) == ("Größe", FRIENDLY_NAME)


def test_a_second_value_takes_the_place_of_the_first() -> None:
    der = stored()
    for name in ("one", "two"):
        friendly(name).SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME) == "two\0".encode("utf-16-le")


def test_a_property_is_taken_away_and_taking_it_away_again_is_no_error() -> None:
    der = stored()
    friendly("x").SetValueOnCertificate(False, BINARY, der)
    for _ in range(2):
        ICertPropertyFriendlyName().RemoveFromCertificate(False, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME) is None
    refused(HRESULT.CRYPT_E_NOT_FOUND, ICertPropertyFriendlyName().InitializeFromCertificate, False, BINARY, der)


@pytest.mark.parametrize("digits", ["{0}", " {0} ", "{1}", "\u200e{0}"])
def test_a_thumbprint_names_a_certificate(digits: str) -> None:
    der = stored()
    thumbprint = hashlib.sha1(der).hexdigest()
    spaced = " ".join(thumbprint[at : at + 2] for at in range(0, 40, 2)).upper()
    friendly("x").SetValueOnCertificate(False, HEXRAW, digits.format(thumbprint, spaced))
    assert on_certificate(der, FRIENDLY_NAME) is not None


@pytest.mark.parametrize("serial", [0x61000000000000000A, 0x9F000001, 5])
def test_a_serial_number_names_a_certificate(serial: int) -> None:
    der = stored(der=certificate(serial=serial))
    octets = serial.to_bytes((serial.bit_length() + 7) // 8, "big")
    for at, digits in enumerate((octets.hex(), (b"\0" + octets).hex())):
        friendly(f"name {at}").SetValueOnCertificate(False, HEXRAW, digits)
        assert on_certificate(der, FRIENDLY_NAME) == f"name {at}\0".encode("utf-16-le")


def test_a_whole_certificate_in_hexadecimal_digits_is_itself() -> None:
    der = stored()
    friendly("x").SetValueOnCertificate(False, HEXRAW, der.hex())
    assert on_certificate(der, FRIENDLY_NAME) is not None


@pytest.mark.parametrize(
    ("text", "encoding", "code"),
    [
        ("00" * 20, HEXRAW, HRESULT.CRYPT_E_NOT_FOUND),
        ("123", HEXRAW, HRESULT.WIN32_INVALID_DATA),
        ("no digits", HEXRAW, HRESULT.WIN32_INVALID_DATA),
        ("", HEXRAW, HRESULT.CRYPT_E_NOT_FOUND),
        ("!", BASE64, HRESULT.WIN32_INVALID_DATA),
    ],
)
def test_what_names_no_certificate_is_refused(text: str, encoding: int, code: int) -> None:
    stored()
    refused(code, friendly("x").SetValueOnCertificate, False, encoding, text)


def test_a_thumbprint_of_bytes_without_hexraw_is_no_certificate() -> None:
    error = refused(HRESULT.CRYPT_E_NOT_FOUND, friendly("x").SetValueOnCertificate, False, BINARY, certificate())
    assert "MY, REQUEST, CA, ROOT" in error.detail
    with pytest.raises(ComError):
        friendly("x").SetValueOnCertificate(False, BINARY, b"\x01" * 20)


@pytest.mark.parametrize("store", ["MY", "REQUEST", "CA", "ROOT"])
def test_the_four_stores_are_searched_and_no_other(store: str) -> None:
    der = stored(store)
    friendly("x").SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME, store) is not None
    elsewhere = stored("Elsewhere", certificate(name="other"))
    refused(HRESULT.CRYPT_E_NOT_FOUND, friendly("x").SetValueOnCertificate, False, BINARY, elsewhere)


def test_my_comes_first() -> None:
    der = stored("CA")
    stored("MY", der)
    friendly("x").SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME, "MY") is not None
    assert on_certificate(der, FRIENDLY_NAME, "CA") is None


def test_the_machine_has_stores_of_its_own() -> None:
    der = stored(context=MACHINE)
    refused(HRESULT.CRYPT_E_NOT_FOUND, friendly("x").SetValueOnCertificate, False, BINARY, der)
    friendly("x").SetValueOnCertificate(True, BINARY, der)
    assert on_certificate(der, FRIENDLY_NAME, context=MACHINE) is not None


def test_an_archived_certificate_is_found() -> None:
    der = stored()
    initialized(ICertPropertyArchived, True).SetValueOnCertificate(False, BINARY, der)
    friendly("x").SetValueOnCertificate(False, HEXRAW, hashlib.sha1(der).hexdigest())
    friendly("y").SetValueOnCertificate(False, HEXRAW, "61000000000000000a")
    assert on_certificate(der, FRIENDLY_NAME) == "y\0".encode("utf-16-le")


def test_a_property_of_the_scripts_own_carries_any_bytes() -> None:
    der, mine = stored(), ICertProperty()
    mine.PropertyId = OWN
    mine.InitializeDecode(BASE64, "AAECAw==")
    assert (mine.PropertyId, mine.RawData(BINARY), mine.RawData()) == (OWN, b"\0\1\2\3", "AAECAw==\r\n")
    mine.SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, OWN) == b"\0\1\2\3"


def test_an_object_without_an_id_can_do_nothing() -> None:
    der, blank = stored(), ICertProperty()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda: blank.PropertyId)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, blank.InitializeDecode, BINARY, b"x")
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, blank.InitializeFromCertificate, False, BINARY, der)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, blank.RemoveFromCertificate, False, BINARY, der)
    refused(HRESULT.OLE_E_BLANK, blank.RawData)


@pytest.mark.parametrize("number", [0, -1, 0x10000, 0x7FFFFFFF])
def test_a_number_that_is_no_property_id_is_refused(number: int) -> None:
    refused(HRESULT.E_INVALIDARG, setattr, ICertProperty(), "PropertyId", number)


def test_an_id_stays_once_there_is_a_value_and_a_kind_has_its_own() -> None:
    mine = ICertProperty()
    mine.PropertyId = OWN
    mine.PropertyId = OWN + 1
    mine.InitializeDecode(BINARY, b"x")
    mine.PropertyId = OWN + 1
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, setattr, mine, "PropertyId", OWN)
    refused(HRESULT.E_INVALIDARG, setattr, ICertPropertyArchived(), "PropertyId", OWN)
    ICertPropertyArchived().PropertyId = 19


def test_a_value_that_is_refused_leaves_the_object_blank_and_its_id_as_it_was() -> None:
    mine = ICertProperty()
    mine.PropertyId = 26
    refused(HRESULT.WIN32_INVALID_DATA, mine.InitializeDecode, BINARY, b"\1")
    refused(HRESULT.OLE_E_BLANK, mine.RawData)
    assert mine.PropertyId == 26


@pytest.mark.parametrize("property_id", [1, 5, 14, 78, 79, 99, 100])
def test_handles_and_what_the_store_says_cannot_be_set(property_id: int) -> None:
    mine = ICertProperty()
    mine.PropertyId = property_id
    refused(HRESULT.E_INVALIDARG, mine.InitializeDecode, BINARY, b"\0\0\0\0")


@pytest.mark.parametrize(("machine", "state"), [(False, 3), (True, 7)])
def test_the_access_state_is_read_and_never_set(machine: bool, state: int) -> None:
    der, mine = stored(context=MACHINE if machine else USER), ICertProperty()
    mine.PropertyId = 14
    mine.InitializeFromCertificate(machine, BINARY, der)
    assert mine.RawData(BINARY) == bytes([state, 0, 0, 0])
    refused(HRESULT.E_INVALIDARG, mine.SetValueOnCertificate, machine, BINARY, der)


def test_a_hash_that_nobody_set_is_there() -> None:
    der = stored()
    for property_id, name in ((3, "sha1"), (4, "md5"), (107, "sha256")):
        mine = ICertProperty()
        mine.PropertyId = property_id
        mine.InitializeFromCertificate(False, BINARY, der)
        assert mine.RawData(BINARY) == hashlib.new(name, der).digest()


# The kinds. Each row: the kind, its arguments, the octets that stand beside the certificate.
VALUES: list[tuple[type[Any], tuple[Any, ...], bytes]] = [
    (ICertPropertyArchived, (True,), b""),
    (ICertPropertyArchivedKeyHash, (HEXRAW, "ab" * 20), b"\xab" * 20),
    (ICertPropertyAutoEnroll, ("User",), b"U\0s\0e\0r\0\0\0"),
    (ICertPropertyBackedUp, (True, 25569.0), b"\xff\xff\x00\x80\x3e\xd5\xde\xb1\x9d\x01"),  # 1 January 1970
    (ICertPropertyBackedUp, (False, 25569.0), b"\x00\x00\x00\x80\x3e\xd5\xde\xb1\x9d\x01"),
    (ICertPropertyDescription, ("d",), b"d\0\0\0"),
    (ICertPropertyDescription, ("",), b"\0\0"),
    (
        ICertPropertyEnrollment,
        (7, "h", "CA", ""),
        b"\7\0\0\0" b"\2\0\0\0h\0\0\0" b"\3\0\0\0C\0A\0\0\0" b"\1\0\0\0\0\0",
    ),
    (
        ICertPropertyEnrollmentPolicyServer,
        (1, 2, 8, 0x32, "r", "u", "i", ""),
        b"\1\0\0\0\2\0\0\0\x08\0\0\0\x32\0\0\0" b"\2\0\0\0r\0\0\0" b"\2\0\0\0u\0\0\0" b"\2\0\0\0i\0\0\0" b"\1\0\0\0\0\0",
    ),
    (ICertPropertyFriendlyName, ("f",), b"f\0\0\0"),
    (ICertPropertyRenewal, (HEXRAW, "01" * 20), b"\1" * 20),
    (ICertPropertyRequestOriginator, ("pc",), b"p\0c\0\0\0"),
    (ICertPropertySHA1Hash, (BINARY, b"\2" * 20), b"\2" * 20),
]


@pytest.mark.parametrize(("kind", "args", "octets"), VALUES)
def test_each_kind_has_its_octets_and_goes_over_a_certificate(kind: type[Any], args: tuple[Any, ...], octets: bytes) -> None:
    der, made = stored(), initialized(kind, *args)
    assert made.RawData(BINARY) == octets
    made.SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, made.PropertyId) == octets
    read = kind()
    read.InitializeFromCertificate(False, BINARY, der)
    assert read.RawData(BINARY) == octets
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, *args)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeDecode, BINARY, octets)


@pytest.mark.parametrize(("kind", "args", "octets"), [row for row in VALUES if row[0].fixed_id in (26, 69, 87)])
def test_a_value_that_ends_early_is_refused(kind: type[Any], args: tuple[Any, ...], octets: bytes) -> None:
    for end in range(len(octets)):
        refused(HRESULT.WIN32_INVALID_DATA, kind().InitializeDecode, BINARY, octets[:end])
    refused(HRESULT.WIN32_INVALID_DATA, kind().InitializeDecode, BINARY, octets + b"\0")
    assert initialized(kind, *args).RawData(BINARY) == octets


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_blank_kind_says_so_to_every_member(kind: type[ICertProperty]) -> None:
    blank: Any = kind()
    actions = {"initialize", "initializedecode", "initializefromcertificate", "removefromcertificate", "propertyid"}
    for name in dir(blank):
        member = name.lower()
        if member in actions or member.startswith("initialize"):
            continue
        arguments = (False, BINARY, b"") if member == "setvalueoncertificate" else ()
        code = HRESULT.OLE_E_BLANK
        refused(code, lambda name=name, arguments=arguments: _reached(blank, name, arguments))


def _reached(target: Any, name: str, arguments: tuple[Any, ...]) -> Any:
    found = getattr(target, name)
    return found(*arguments) if callable(found) else found


def test_not_archived_is_the_absence_of_the_property() -> None:
    der = stored()
    initialized(ICertPropertyArchived, True).SetValueOnCertificate(False, BINARY, der)
    not_archived = initialized(ICertPropertyArchived, False)
    assert (not_archived.Archived, initialized(ICertPropertyArchived, True).Archived) == (False, True)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, not_archived.RawData)
    not_archived.SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, 19) is None
    refused(HRESULT.CRYPT_E_NOT_FOUND, ICertPropertyArchived().InitializeFromCertificate, False, BINARY, der)


@pytest.mark.parametrize(
    ("days", "moment"),
    [
        (2.0, datetime(1900, 1, 1, tzinfo=UTC)),
        (3.25, datetime(1900, 1, 2, 6, tzinfo=UTC)),
        (46000.5, datetime(2025, 12, 9, 12, tzinfo=UTC)),
        (2958465.0, datetime(9999, 12, 31, tzinfo=UTC)),
    ],
)
def test_a_date_is_days_since_the_end_of_1899(days: float, moment: datetime) -> None:
    for given in (days, moment, moment.replace(tzinfo=None)):
        made = initialized(ICertPropertyBackedUp, True, given)
        assert (made.BackedUpValue, made.BackedUpTime) == (True, days)


@pytest.mark.parametrize(
    "date", [1.9, -5.0, 2958466.0, 1e300, float("nan"), float("inf"), "yesterday", None, True, datetime(1899, 12, 31)]
)
def test_what_is_no_date_is_refused(date: object) -> None:
    refused(HRESULT.WIN32_INVALID_DATA, ICertPropertyBackedUp().Initialize, True, date)


def test_a_backup_of_now_is_of_now() -> None:
    made = ICertPropertyBackedUp()
    before = datetime.now(UTC)
    made.InitializeFromCurrentTime(True)
    found = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(days=made.BackedUpTime)
    assert before - timedelta(seconds=1) <= found <= datetime.now(UTC) + timedelta(seconds=1)


@pytest.mark.parametrize("kind", [ICertPropertyFriendlyName, ICertPropertyDescription])
def test_a_text_of_260_characters_fits_and_a_longer_one_does_not(kind: type[Any]) -> None:
    initialized(kind, "x" * 260)
    refused(0x800700CE, kind().Initialize, "x" * 261)
    refused(HRESULT.WIN32_INVALID_DATA, kind().Initialize, "a\0b")


def test_an_enrollment_reads_back_as_it_was_given() -> None:
    made = initialized(ICertPropertyEnrollment, 12, "ca.test", "Issuing CA", "Web")
    assert (made.RequestId, made.CADnsName, made.CAName, made.FriendlyName) == (12, "ca.test", "Issuing CA", "Web")
    refused(HRESULT.WIN32_INVALID_DATA, ICertPropertyEnrollment().Initialize, 0x80000000, "", "", "")


def test_a_policy_server_reads_back_as_it_was_given() -> None:
    made = initialized(ICertPropertyEnrollmentPolicyServer, 1, 4, 8, 0x12, "77", "https://p/", "{id}", "https://e/")
    assert (made.GetPropertyFlags(), made.GetAuthentication(), made.GetEnrollmentServerAuthentication()) == (1, 4, 8)
    assert (made.GetUrlFlags(), made.GetRequestIdString(), made.GetPolicyServerId()) == (0x12, "77", "{id}")
    assert (made.GetPolicyServerUrl(), made.GetEnrollmentServerUrl()) == ("https://p/", "https://e/")


def test_a_renewal_takes_the_hash_of_a_certificate_that_is_in_no_store() -> None:
    der, made = certificate(), ICertPropertyRenewal()
    made.InitializeFromCertificateHash(False, BINARY, der)
    assert made.Renewal(BINARY) == hashlib.sha1(der).digest()
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeFromCertificateHash, False, BINARY, der)


def test_a_renewal_takes_the_hash_of_a_certificate_that_a_serial_number_names() -> None:
    der, made = stored(), ICertPropertyRenewal()
    made.InitializeFromCertificateHash(False, HEXRAW, "61000000000000000A")
    assert made.Renewal(BINARY) == hashlib.sha1(der).digest()
    refused(HRESULT.CRYPT_E_NOT_FOUND, ICertPropertyRenewal().InitializeFromCertificateHash, False, HEXRAW, "11" * 20)
    with pytest.raises(ComError):
        ICertPropertyRenewal().InitializeFromCertificateHash(False, BINARY, b"no certificate")


@pytest.mark.parametrize("kind", [ICertPropertyRenewal, ICertPropertySHA1Hash])
def test_a_hash_of_another_length_is_refused(kind: type[Any]) -> None:
    for length in (0, 19, 21, 32):
        refused(HRESULT.WIN32_INVALID_DATA, kind().Initialize, BINARY, b"\1" * length)


def test_the_local_originator_is_this_computer() -> None:
    made = ICertPropertyRequestOriginator()
    made.InitializeFromLocalRequestOriginator()
    assert made.RequestOriginator


def test_a_collection_holds_what_a_certificate_has_each_as_its_kind() -> None:
    der = stored()
    friendly("f").SetValueOnCertificate(False, BINARY, der)
    initialized(ICertPropertyArchived, True).SetValueOnCertificate(False, BINARY, der)
    mine = ICertProperty()
    mine.PropertyId = OWN
    mine.InitializeDecode(BINARY, b"x")
    mine.SetValueOnCertificate(False, BINARY, der)
    found = ICertProperties()
    found.InitializeFromCertificate(False, BINARY, der)
    assert [type(each) for each in found] == [
        ICertPropertySHA1Hash, ICertPropertyFriendlyName, ICertPropertyArchived, ICertProperty
    ]
    assert [each.RawData(BINARY) for each in found][1:] == ["f\0".encode("utf-16-le"), b"", b"x"]
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, found.InitializeFromCertificate, False, BINARY, der)


def test_a_collection_takes_properties_of_every_kind_and_nothing_else() -> None:
    held = ICertProperties()
    held.Add(friendly("f"))
    held.Add(ICertProperty())
    assert (held.Count, held(0).FriendlyName) == (2, "f")
    refused(HRESULT.DISP_E_TYPEMISMATCH, held.Add, object_id("1.2.3"))
    held.Remove(0)
    held.Clear()
    assert held.Count == 0
