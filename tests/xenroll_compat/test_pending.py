"""Outstanding requests, conversions, and Reset."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.hresults import HRESULT
from tests.xenroll_compat.conftest import answer_of, refused

CADNS, CANAME, CAFRIENDLYNAME, REQUESTID, HASH = 1, 2, 3, 4, 8


def test_what_a_script_notes_of_a_request_is_read_back(control: Any) -> None:
    control.createPKCS10("CN=first", "")
    control.createPKCS10("CN=second", "")
    control.setPendingRequestInfo(17, "ca.example.org", "Example CA", "The CA of Example")
    wanted = ["ca.example.org", "Example CA", "The CA of Example", 17, control.ThumbPrint]
    assert [control.enumPendingRequest(1, one) for one in (CADNS, CANAME, CAFRIENDLYNAME, REQUESTID, HASH)] == wanted
    assert [control.enumPendingRequestWStr(-1, one) for one in (CADNS, REQUESTID)] == ["", 0]
    refused(HRESULT.WIN32_NO_MORE_ITEMS, control.enumPendingRequest, 2, CADNS)


def test_thumbprint_chooses_the_request_that_is_noted(control: Any) -> None:
    control.createPKCS10("CN=first", "")
    first = control.ThumbPrint
    control.createPKCS10("CN=second", "")
    control.ThumbPrint = first
    control.setPendingRequestInfoWStr(3, "host", "name", "")
    assert [control.enumPendingRequest(one, REQUESTID) for one in (0, 1)] == [3, 0]


def test_a_note_needs_a_ca_and_a_request(control: Any) -> None:
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.setPendingRequestInfo, 1, "host", "name", "")
    control.createPKCS10("CN=x", "")
    refused(HRESULT.E_INVALIDARG, control.setPendingRequestInfo, 1, None, "name", "")
    refused(HRESULT.E_INVALIDARG, control.setPendingRequestInfo, 1, "host", "", "")


@pytest.mark.parametrize(("wanted", "code"), [(5, 0x80004001), (7, 0x80004001), (9, 0x80004001), (16, 0x80004001),
                                              (6, 0x80070057), (99, 0x80070057)])  # fmt: skip
def test_properties_that_the_control_has_not_are_refused_as_the_page_says(control: Any, wanted: int, code: int) -> None:
    control.createPKCS10("CN=x", "")
    refused(code, control.enumPendingRequest, 0, wanted)


@pytest.mark.parametrize("as_blob", [False, True])
def test_a_withdrawn_request_takes_its_key_along(control: Any, ca: LocalCA, as_blob: bool) -> None:
    answer = answer_of(ca, control.createPKCS10WStr("CN=x", ""))
    thumbprint = control.ThumbPrint
    if as_blob:
        control.removePendingRequestWStr(bytes.fromhex(thumbprint))
    else:
        control.removePendingRequest(thumbprint)
    assert not facade.certificates("REQUEST")
    refused(HRESULT.WIN32_NO_MORE_ITEMS, control.enumContainers, 0)
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.removePendingRequest, thumbprint)
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, answer)


def test_bytes_become_text_and_text_bytes(control: Any) -> None:
    assert control.binaryToString(1, b"\x00\x01\x02") == "AAEC\r\n"
    assert control.binaryToString(12, "AB") == "41004200\r\n"
    assert control.binaryBlobToString(0, b"x").startswith("-----BEGIN CERTIFICATE-----\r\n")
    assert control.stringToBinary(6, "-----BEGIN X-----\nAAEC\n-----END X-----") == b"\x00\x01\x02"
    assert control.stringToBinaryBlob(4, "00 01 02") == b"\x00\x01\x02"
    refused(HRESULT.WIN32_INVALID_DATA, control.stringToBinary, 1, "!")
    refused(HRESULT.E_INVALIDARG, control.binaryToString, 99, b"x")


def test_reset_forgets_the_request_and_what_was_added(control: Any) -> None:
    control.addCertTypeToRequest("User")
    control.createPKCS10("CN=x", "")
    control.Reset()
    assert (control.ThumbPrint, control.ContainerName, control.GenKeyFlags) == ("", "", 0)
    assert b"\x1e\x08" + "User".encode("utf-16-be") not in control.createPKCS10WStr("CN=x", "")
    assert len(facade.pending_requests()) == 2
    control.freeRequestInfo("")
