"""The control's properties: their defaults, what they take, and Reset."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll.hresults import HRESULT
from tests.xenroll_compat.conftest import refused
from xenroll_compat import CEnroll, Dispatch

# As Microsoft's pages have them; where a page is silent, docs/analysis/xenroll.md.
DEFAULTS = {
    "MyStoreName": "MY", "CAStoreName": "CA", "RootStoreName": "ROOT", "RequestStoreName": "REQUEST",
    "MyStoreType": "System", "CAStoreType": "System", "RootStoreType": "System", "RequestStoreType": "System",
    "MyStoreFlags": 0x10000, "CAStoreFlags": 0x10000, "RootStoreFlags": 0x10000, "RequestStoreFlags": 0x10000,
    "ContainerName": "", "ProviderName": "", "ProviderType": 1, "ProviderFlags": 0, "KeySpec": 2, "GenKeyFlags": 0,
    "UseExistingKeySet": False, "DeleteRequestCert": True, "WriteCertToCSP": True, "WriteCertToUserDS": False,
    "SPCFileName": "", "PVKFileName": "", "HashAlgorithm": "1.3.14.3.2.29", "HashAlgID": 0x8004, "ThumbPrint": "",
    "EnableT61DNEncoding": False, "EnableSMIMECapabilities": False, "LimitExchangeKeyToEncipherment": False,
    "IncludeSubjectKeyID": True, "ClientId": 1, "ReuseHardwareKeyIfUnableToGenNew": False, "KeyLocation": 0,
}  # fmt: skip
OTHERS = {
    "HashAlgorithm": "MD5", "HashAlgID": 0x8003, "ThumbPrint": "AB" * 20, "KeySpec": 1, "MyStoreType": "SYSTEM",
    "CAStoreType": "SYSTEM", "RootStoreType": "SYSTEM", "RequestStoreType": "SYSTEM",
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_property_has_its_documented_default_and_reset_gives_it_back(name: str) -> None:
    control: Any = CEnroll()
    default = DEFAULTS[name]
    assert getattr(control, name) == default
    plain = not default if isinstance(default, bool) else 7 if isinstance(default, int) else "other"
    other = OTHERS.get(name, plain)
    setattr(control, name, other)
    assert getattr(control, name) == other != default
    control.Reset()
    assert getattr(control, name) == default


@pytest.mark.parametrize(
    "identifier",
    [
        "CEnroll.CEnroll", "CEnroll.CEnroll.1", "CEnroll.CEnroll.2", "cenroll.CENROLL.2",
        "43f8f289-7a20-11d0-8f06-00c04fc295e1", "{127698E4-E730-4E5C-A2B1-21490A70C8A1}",
        "clsid:127698e4-e730-4e5c-a2b1-21490a70c8a1",
    ],
)  # fmt: skip
def test_every_name_of_the_control_creates_one(identifier: str) -> None:
    assert isinstance(Dispatch(identifier), CEnroll)


def test_any_other_name_is_left_to_certenroll() -> None:
    assert type(Dispatch("X509Enrollment.CObjectId")).__name__ == "IObjectId"
    refused(HRESULT.CO_E_CLASSSTRING, Dispatch, "CEnroll.CEnroll.9")


def test_strings_are_taken_as_numbers_as_html_options_give_them() -> None:
    control = CEnroll()
    control.ProviderType, control.KeySpec, control.GenKeyFlags = "24", "1", "&H4000003"
    assert (control.ProviderType, control.KeySpec, control.GenKeyFlags) == (24, 1, 0x04000003)


def test_gen_key_flags_are_read_changed_and_written_back() -> None:
    control = CEnroll()
    for bits in (0x0200, 0x0400, 0x0800):
        control.GenKeyFlags = bits << 16
        control.GenKeyFlags = control.GenKeyFlags | 3
        assert control.GenKeyFlags == bits << 16 | 3


def test_names_are_found_in_any_case_and_unknown_ones_refused() -> None:
    control: Any = CEnroll()
    control.providername = "Microsoft Strong Cryptographic Provider"
    assert control.PROVIDERNAME == control.ProviderName != ""
    with pytest.raises(AttributeError):
        control.NoSuchMember  # noqa: B018
    with pytest.raises(AttributeError):
        control.NoSuchMember = 1


def test_a_pvk_file_makes_the_key_exportable_until_gen_key_flags_say_otherwise() -> None:
    control = CEnroll()
    control.PVKFileName = "key.pvk"
    assert control.GenKeyFlags == 1
    control.GenKeyFlags = 0
    assert control.GenKeyFlags == 0


@pytest.mark.parametrize(
    ("name", "alg_id"),
    [("MD5", 0x8003), ("SHA1", 0x8004), ("SHA-1", 0x8004), ("SHA256", 0x800C), ("1.2.840.113549.1.1.4", 0x8003),
     ("MD2", 0x8001), ("1.2.3.4", 0)],
)  # fmt: skip
def test_a_hash_reads_back_as_it_was_set_and_as_an_alg_id(name: str, alg_id: int) -> None:
    control = CEnroll()
    control.HashAlgorithm = name
    assert (control.HashAlgorithm, control.HashAlgID) == (name, alg_id)


def test_the_hash_that_was_set_last_counts() -> None:
    control = CEnroll()
    control.HashAlgorithm = "MD5"
    control.HashAlgID = 0x800C
    assert control.HashAlgorithm == "2.16.840.1.101.3.4.2.1"
    control.HashAlgorithm = "SHA1"
    assert control.HashAlgID == 0x8004


def test_what_is_no_hash_is_refused() -> None:
    control = CEnroll()
    refused(HRESULT.CRYPT_E_UNKNOWN_ALGO, setattr, control, "HashAlgorithm", "ROT13")
    refused(HRESULT.NTE_BAD_ALGID, setattr, control, "HashAlgID", 0x6601)
    assert control.HashAlgorithm == DEFAULTS["HashAlgorithm"]


def test_what_is_no_thumbprint_is_refused() -> None:
    refused(HRESULT.E_INVALIDARG, setattr, CEnroll(), "ThumbPrint", "12 34")


def test_the_twins_of_properties_share_their_values() -> None:
    control = CEnroll()
    control.MyStoreNameWStr = "Other"
    control.ThumbPrintWStr = bytes(range(20))
    assert control.MyStoreName == "Other"
    assert control.ThumbPrint == bytes(range(20)).hex().upper()
    assert control.ThumbPrintWStr == bytes(range(20))
    assert control.ContainerNameWStr == ""
