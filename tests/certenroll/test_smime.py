"""ISmimeCapability and its collection."""

import pytest

from certenroll.asn1 import der
from certenroll.asn1.extensions import SmimeCapability
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import object_id
from certenroll.providers import ICspInformation
from certenroll.smime import ISmimeCapabilities, ISmimeCapability, capability_from, default_capabilities

AES = [f"2.16.840.1.101.3.4.1.{last}" for last in (42, 45, 22, 25, 2, 5)]
AES256, AES128 = AES[0], AES[4]
TRIPLE_DES, RC2, RC4, DES = "1.2.840.113549.3.7", "1.2.840.113549.3.2", "1.2.840.113549.3.4", "1.3.14.3.2.7"


def refused(code, call, *args):
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code)


def capability(oid, bits):
    made = ISmimeCapability()
    made.Initialize(object_id(oid), bits)
    return made


@pytest.mark.parametrize(
    ("oid", "bits", "parameters"),
    [
        (RC2, 128, der.integer(128)),
        (TRIPLE_DES, 168, der.integer(168)),
        (TRIPLE_DES, 0, None),
        (AES256, 256, None),
        (AES256, 0, None),
    ],
)
def test_a_key_length_is_written_except_for_aes(oid, bits, parameters):
    made = capability(oid, bits)
    assert (made.ObjectId.Value, made.BitCount) == (oid, bits)
    assert made.to_capability() == SmimeCapability(oid, parameters)


def test_a_capability_is_initialized_once_with_an_identifier():
    made = ISmimeCapability()
    refused(HRESULT.OLE_E_BLANK, lambda: made.BitCount)
    refused(HRESULT.OLE_E_BLANK, lambda: made.ObjectId)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.Initialize, None, 0)
    refused(HRESULT.E_INVALIDARG, made.Initialize, object_id(RC2), -1)
    made.Initialize(object_id(RC2), 40)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, object_id(RC2), 64)
    assert made.BitCount == 40


@pytest.mark.parametrize("parameters", [None, der.integer(64), b"\x30\x00"])
def test_a_capability_of_an_extension_is_the_same_capability(parameters):
    foreign = SmimeCapability(RC2, parameters)
    assert capability_from(foreign).to_capability() == foreign
    assert capability_from(foreign).BitCount == (64 if parameters == der.integer(64) else 0)


def test_the_available_capabilities_begin_with_the_strongest_and_are_added_once():
    capabilities = ISmimeCapabilities()
    capabilities.Add(capability(AES128, 0))
    capabilities.AddAvailableSmimeCapabilities(False)
    capabilities.AddAvailableSmimeCapabilities(True)
    found = [one.ObjectId.Value for one in capabilities]
    assert found[:2] == [AES128, AES256]
    assert found[-1] == TRIPLE_DES
    assert len(found) == len(set(found)) == len(default_capabilities())


def provider(name):
    made = ICspInformation()
    made.InitializeFromName(name)
    return made


@pytest.mark.parametrize(
    ("name", "oids"),
    [
        ("Microsoft Software Key Storage Provider", [*AES, TRIPLE_DES, RC2, RC4, DES]),
        ("Microsoft Enhanced RSA and AES Cryptographic Provider", [*AES, TRIPLE_DES, RC2, RC4, DES]),
        ("Microsoft Strong Cryptographic Provider", [TRIPLE_DES, RC2, RC4, DES]),
    ],
)
def test_a_providers_ciphers_are_added_best_first(name, oids):
    capabilities = ISmimeCapabilities()
    capabilities.AddFromCsp(provider(name))
    assert [one.ObjectId.Value for one in capabilities] == oids
    assert {one.BitCount for one in capabilities if one.ObjectId.Value == RC2} == {128}


def test_only_a_provider_has_ciphers_to_add():
    refused(HRESULT.DISP_E_TYPEMISMATCH, ISmimeCapabilities().AddFromCsp, object_id(RC2))
