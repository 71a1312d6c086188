"""What the control tells of providers."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.xenroll_compat.conftest import refused


def test_providers_of_a_type_are_listed_until_an_error(control: Any) -> None:
    found: list[str] = []
    while True:
        try:
            found.append(control.enumProviders(len(found), 0))
        except ComError:
            break
    assert "Microsoft Strong Cryptographic Provider" in found
    refused(0x80070103, control.enumProvidersWStr, len(found), 0)
    control.ProviderType = "24"
    assert control.enumProviders(0, 0) == "Microsoft Enhanced RSA and AES Cryptographic Provider"
    refused(0x80070103, control.enumProviders, 1, 0)
    control.ProviderType = 99
    refused(0x80070103, control.enumProviders, 0, 0)


def test_a_provider_has_a_type_lengths_and_kinds_of_keys(control: Any) -> None:
    assert control.getProviderType("microsoft rsa schannel cryptographic provider") == 12
    refused(HRESULT.NTE_KEYSET_NOT_DEF, control.getProviderTypeWStr, "none")
    assert control.GetSupportedKeySpec() == 3
    control.ProviderName = "Microsoft RSA SChannel Cryptographic Provider"
    assert control.GetSupportedKeySpec() == 1
    assert (control.GetKeyLen(True, True), control.GetKeyLen(False, True)) == (1024, 16384)
    refused(HRESULT.NTE_BAD_ALGID, control.GetKeyLen, True, False)


@pytest.mark.parametrize(("size", "bits"), [(1, 1024), (2, 16384), (3, 8), (4, 2048)])
def test_a_size_is_the_least_the_most_the_step_or_the_default(control: Any, size: int, bits: int) -> None:
    assert control.GetKeyLenEx(size, 1) == control.GetKeyLenEx(size, 2) == bits


def test_there_are_no_other_sizes(control: Any) -> None:
    refused(HRESULT.E_INVALIDARG, control.GetKeyLenEx, 5, 1)
    refused(HRESULT.E_INVALIDARG, control.GetKeyLenEx, 1, 3)


def test_algorithms_are_listed_by_class_and_named(control: Any) -> None:
    control.ProviderType = 24
    numbers: list[int] = []
    while True:
        try:
            numbers.append(control.EnumAlgs(len(numbers), 0x8000))
        except ComError:
            break
    assert {0x8004, 0x800C} <= set(numbers)
    assert [control.GetAlgName(one) for one in (0x8004, 0x800C)] == ["SHA-1", "SHA-256"]
    assert control.GetAlgNameWStr(control.EnumAlgs(0, 0x2000)) == "RSA_SIGN"
    refused(HRESULT.NTE_BAD_ALGID, control.GetAlgName, 1)
    refused(HRESULT.E_INVALIDARG, control.EnumAlgs, -1, 0x8000)


def test_every_hash_that_is_listed_is_taken_as_hash_alg_id(control: Any) -> None:
    control.HashAlgID = control.EnumAlgs(0, 0x8000)


def test_a_ksp_makes_keys_of_both_kinds(control: Any) -> None:
    control.ProviderName = "Microsoft Software Key Storage Provider"
    assert control.GetSupportedKeySpec() == 3
    assert control.GetKeyLen(True, True) == control.GetKeyLen(True, False) == 1024
    assert control.createPKCS10("CN=x", "")
