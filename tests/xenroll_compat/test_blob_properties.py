"""Properties that a script adds to the certificate that will be installed."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

import certenroll
from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.hresults import HRESULT
from tests.support.installed import property_of
from tests.support.softhsm import SoftToken
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll

FRIENDLY_NAME, PVK_FILE, DESCRIPTION, RENEWAL = 11, 12, 13, 64
HASH = hashlib.sha1(b"the renewed certificate").digest()


def installed(control: Any, ca: LocalCA, kind: int = 1) -> bytes:
    """A certificate that is asked for by one control and accepted by another."""
    answer = answer_of(ca, control.createRequestWStr(kind, "CN=User", ""))
    other: Any = CEnroll()
    other.acceptResponse(answer)
    (found,) = facade.certificates("MY")
    return found.der


def raw(certificate: bytes, number: int) -> bytes:
    found: Any = certenroll.Dispatch("X509Enrollment.CCertProperty")
    found.PropertyId = number
    found.InitializeFromCertificate(False, 2, certificate)
    return bytes(found.RawData(2))


@pytest.mark.parametrize("kind", [1, 3])
def test_properties_wait_with_the_request_and_stand_on_the_certificate(control: Any, ca: LocalCA, kind: int) -> None:
    control.addBlobPropertyToCertificate(FRIENDLY_NAME, 0, "My Märtz")
    control.addBlobPropertyToCertificate(DESCRIPTION, 0, "for mail")
    control.addBlobPropertyToCertificate(PVK_FILE, 0, "C:\\keys\\my.pvk")
    control.addBlobPropertyToCertificate(RENEWAL, 0, HASH.hex(" "))
    certificate = installed(control, ca, kind)
    assert facade.certificates("MY")[0].friendly_name == "My Märtz"
    assert property_of("FriendlyName", certificate).FriendlyName == "My Märtz"
    assert property_of("Description", certificate).Description == "for mail"
    assert raw(certificate, PVK_FILE) == "C:\\keys\\my.pvk\0".encode("utf-16-le")
    assert property_of("Renewal", certificate).Renewal(2) == HASH


def test_a_card_key_keeps_its_place_beside_the_properties(ca: LocalCA) -> None:
    with SoftToken():
        control: Any = CEnroll()
        control.KeyLocation, control.ContainerName = 4, "card"
        control.addBlobPropertyToCertificate(FRIENDLY_NAME, 0, "on a card")
        certificate = installed(control, ca)
        assert property_of("FriendlyName", certificate).FriendlyName == "on a card"
        key = facade.certificates("MY")[0].key
        assert key is not None
        assert (key.store, key.container) == ("smartcard", "card")


@pytest.mark.parametrize("value", [HASH, HASH.hex().upper(), base64.b64encode(HASH).decode()])
def test_a_blob_is_bytes_hexadecimal_or_base64(control: Any, ca: LocalCA, value: object) -> None:
    control.addBlobPropertyToCertificate(RENEWAL, 0, value)
    assert raw(installed(control, ca), RENEWAL) == HASH


def test_the_cpp_twin_takes_the_blob_itself(control: Any, ca: LocalCA) -> None:
    control.addBlobPropertyToCertificateWStr(FRIENDLY_NAME, 0, "by C++\0".encode("utf-16-le"))
    control.addBlobPropertyToCertificateWStr(0x8000, 0, b"anything")
    certificate = installed(control, ca)
    assert property_of("FriendlyName", certificate).FriendlyName == "by C++"
    assert raw(certificate, 0x8000) == b"anything"
    refused(HRESULT.DISP_E_TYPEMISMATCH, control.addBlobPropertyToCertificateWStr, FRIENDLY_NAME, 0, "text")


def test_the_last_value_counts_until_all_are_reset(control: Any, ca: LocalCA) -> None:
    control.addBlobPropertyToCertificate(FRIENDLY_NAME, 0, "first")
    control.addBlobPropertyToCertificate(FRIENDLY_NAME, 0, "second")
    control.createPKCS10("CN=x", "")
    assert facade.certificates("REQUEST")[0].friendly_name == "second"
    control.resetBlobProperties()
    control.addBlobPropertyToCertificate(DESCRIPTION, 0, "gone")
    control.Reset()
    certificate = installed(control, ca)
    assert facade.certificates("MY")[0].friendly_name == ""
    refused(HRESULT.CRYPT_E_NOT_FOUND, property_of, "Description", certificate)


@pytest.mark.parametrize(
    ("number", "reserved", "value", "code"),
    [
        (FRIENDLY_NAME, 1, "x", HRESULT.E_INVALIDARG),
        (2, 0, b"key", HRESULT.E_INVALIDARG),
        (6, 0, b"\1\0\0\0", HRESULT.E_INVALIDARG),
        (1, 0, b"\0" * 8, HRESULT.E_INVALIDARG),
        (0, 0, b"x", HRESULT.E_INVALIDARG),
        (0x10000, 0, b"x", HRESULT.E_INVALIDARG),
        (RENEWAL, 0, b"short", HRESULT.WIN32_INVALID_DATA),
        (FRIENDLY_NAME, 0, b"odd", HRESULT.WIN32_INVALID_DATA),
        (FRIENDLY_NAME, 0, 7.5j, HRESULT.DISP_E_TYPEMISMATCH),
    ],
)
def test_what_is_no_property_is_refused_and_not_kept(
    control: Any, number: int, reserved: int, value: object, code: int
) -> None:
    refused(code, control.addBlobPropertyToCertificate, number, reserved, value)
    control.createPKCS10("CN=x", "")
    assert facade.certificates("REQUEST")[0].friendly_name == ""
