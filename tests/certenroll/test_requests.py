"""IX509CertificateRequest, on a PKCS#10: what it refuses when, its defaults, and how it is initialized and reset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certenroll.hresults import HRESULT
from tests.support.enrolling import (
    BINARY,
    blank_request,
    encoded,
    key_usage,
    name,
    new_key,
    new_request,
    oid,
    refused,
)

BLANK = HRESULT.OLE_E_BLANK
EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
SEALED = HRESULT.WIN32_ALREADY_INITIALIZED
SHA384, KEY_USAGE = "2.16.840.1.101.3.4.2.2", "2.5.29.15"

METHODS: dict[str, tuple[Any, ...]] = {
    "Encode": (), "ResetForEncode": (), "GetInnerRequest": (1,), "RenewalCertificate": (),
    "SetRenewalCertificate": (2, b"x"), "RawData": (), "CheckSignature": (), "IsSmartCard": (), "GetCspStatuses": (1,),
    "OldCertificate": (),
    "RawDataToBeSigned": (), "Signature": (), "AttestationEncryptionCertificate": (),
    "SetAttestationEncryptionCertificate": (2, b"x"),
}
PROPERTIES = {
    "EnrollmentContext", "SuppressDefaults", "ClientId", "HashAlgorithm", "AlternateSignatureAlgorithm", "CspStatuses",
    "TemplateObjectId", "PublicKey", "PrivateKey", "NullSigned", "ReuseKey", "Subject", "SmimeCapabilities",
    "SignatureInformation", "KeyContainerNamePrefix", "CryptAttributes", "X509Extensions", "CriticalExtensions",
    "SuppressOids", "PolicyServer", "Template", "AttestPrivateKey", "AttestPrivateKeyPreferred", "ClaimType",
    "ChallengePassword", "NameValuePairs", "EncryptionAlgorithm", "EncryptionStrength",
}
ALWAYS = {"Silent", "ParentWindow", "UIContextMessage", "CspInformations", "Type"}



def test_the_lists_of_this_test_name_every_member() -> None:
    initializers = {one for one in dir(blank_request()) if one.startswith("Initialize")}
    assert {*METHODS, *PROPERTIES, *ALWAYS, *initializers} == set(dir(blank_request()))


@pytest.mark.parametrize(("member", "arguments"), METHODS.items(), ids=METHODS)
def test_a_method_refuses_before_an_initialize_method(member: str, arguments: tuple[Any, ...]) -> None:
    assert refused(getattr(blank_request(), member), *arguments) == BLANK


@pytest.mark.parametrize("member", sorted(PROPERTIES))
def test_a_property_refuses_before_an_initialize_method(member: str) -> None:
    assert refused(getattr, blank_request(), member) == BLANK


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("SuppressDefaults", True), ("ClientId", 9), ("HashAlgorithm", oid(SHA384)), ("AlternateSignatureAlgorithm", True),
        ("Subject", name("CN=x")), ("SmimeCapabilities", True), ("KeyContainerNamePrefix", "x"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_property_is_set_between_initialize_and_encode(home: Path, member: str, value: Any) -> None:
    assert refused(setattr, blank_request(), member, value) == BLANK
    request = new_request()
    setattr(request, member, value)
    request.Encode()
    assert refused(setattr, request, member, value) == SEALED
    request.ResetForEncode()
    setattr(request, member, value)


def test_what_a_dialog_would_need_is_there_from_the_start() -> None:
    request = blank_request()
    assert (request.Silent, request.ParentWindow, request.UIContextMessage, request.Type) == (False, 0, "", 1)
    request.Silent, request.ParentWindow, request.UIContextMessage = True, 5, "why"
    assert (request.Silent, request.ParentWindow, request.UIContextMessage) == (True, 5, "why")


def test_the_defaults_after_initialize(home: Path) -> None:
    request = blank_request()
    request.Initialize(1)
    assert request.EnrollmentContext == 1
    assert (request.SuppressDefaults, request.SmimeCapabilities, request.NullSigned) == (False, False, False)
    assert request.ClientId == 0
    assert (request.ReuseKey, request.AlternateSignatureAlgorithm, request.KeyContainerNamePrefix) == (False, False, "")
    assert request.HashAlgorithm.Value == "2.16.840.1.101.3.4.2.1"
    assert [one.Value for one in request.CriticalExtensions] == [KEY_USAGE, "2.5.29.19"]
    assert (request.SuppressOids.Count, request.X509Extensions.Count, request.CryptAttributes.Count) == (0, 0, 0)
    for member in ("Subject", "TemplateObjectId", "PublicKey"):
        assert refused(getattr, request, member) == EMPTY
    for method in ("RawData", "RawDataToBeSigned", "Signature", "OldCertificate", "RenewalCertificate"):
        assert refused(getattr(request, method)) == EMPTY
    assert refused(request.CheckSignature) == HRESULT.CRYPT_E_NO_SIGNER
    assert refused(request.ResetForEncode) == HRESULT.WIN32_INVALID_STATE


@pytest.mark.parametrize("context", [1, 2, 3])
def test_it_is_initialized_once(home: Path, context: int) -> None:
    request = blank_request()
    request.Initialize(context)
    assert request.EnrollmentContext == context
    for again in (
        lambda: request.Initialize(1),
        lambda: request.InitializeFromTemplateName(1, "User"),
        lambda: request.InitializeFromPrivateKey(1, new_key()),
        lambda: request.InitializeDecode(b"\x30\x00", BINARY),
    ):
        assert refused(again) == SEALED
    assert refused(blank_request().Initialize, 0) == HRESULT.E_INVALIDARG


def test_the_machines_key_needs_the_machines_context(home: Path) -> None:
    assert refused(blank_request().InitializeFromPrivateKey, 1, new_key(MachineContext=True)) == HRESULT.E_INVALIDARG


def test_a_pkcs10_holds_no_other_request(home: Path) -> None:
    request = new_request()
    assert refused(request.GetInnerRequest, 1) == EMPTY
    assert request.GetInnerRequest(0) is request


def test_reset_for_encode_brings_back_what_the_caller_had(home: Path) -> None:
    request = new_request()
    request.X509Extensions.Add(key_usage(0x20))
    first = encoded(request)
    assert request.X509Extensions.Count == 2
    assert request.CryptAttributes.Count == 4
    request.ResetForEncode()
    assert (request.X509Extensions.Count, request.CryptAttributes.Count) == (1, 0)
    assert refused(request.RawData) == EMPTY
    request.HashAlgorithm = oid(SHA384)
    second = encoded(request)
    assert second.to_be_signed == first.to_be_signed
    assert second.signature_algorithm != first.signature_algorithm
