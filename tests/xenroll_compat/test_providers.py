"""What the control tells of providers."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm
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


def test_lengths_are_those_that_the_card_offers(control: Any) -> None:
    with SoftToken() as token:
        offered = sorted(bits for algorithm, bits in token.store().supported() if algorithm is KeyAlgorithm.RSA)
        for name, location in (("", 4), ("Microsoft Base Smart Card Crypto Provider", 0)):
            control.ProviderName, control.KeyLocation = name, location
            assert control.GetKeyLen(True, True) == control.GetKeyLenEx(1, 2) == offered[0]
            assert control.GetKeyLen(False, True) == control.GetKeyLenEx(2, 2) == offered[-1]
            assert control.GetKeyLenEx(4, 1) == 2048
            control.GenKeyFlags, control.ContainerName = control.GetKeyLenEx(4, 1) << 16, f"key {location}"
            assert control.createPKCS10("CN=x", "")


def test_lengths_are_those_that_the_tpm_offers_and_software_s_where_there_is_none(
    control: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.KeyLocation = 2
    monkeypatch.setenv("XENROLL_TPM_TCTI", "swtpm:path=/nowhere")
    assert control.GetKeyLen(False, True) == 16384
    control.KeyLocation = 1
    assert control.GetKeyLen(False, True) == 4096  # of the provider's table
    control.Reset()
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_HOME", str(tpm.directory / "home"))
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        monkeypatch.setenv("XENROLL_KEY_LOCATION", "1")
        most = control.GetKeyLen(False, True)
        assert most in (2048, 3072, 4096)
        control.GenKeyFlags = most << 16
        assert control.createPKCS10("CN=x", "")
        assert control.GetKeyLen(True, True) >= 1024


def test_a_location_does_not_give_a_provider_keys_that_it_has_not(control: Any) -> None:
    control.KeyLocation, control.ProviderName = 3, "Microsoft RSA SChannel Cryptographic Provider"
    refused(HRESULT.NTE_BAD_ALGID, control.GetKeyLen, True, False)


def test_containers_are_those_of_the_store_that_the_key_goes_to(control: Any) -> None:
    with SoftToken():
        control.KeyLocation, control.ContainerName, control.GenKeyFlags = 4, "on the card", 0
        control.createPKCS10("CN=x", "")
        assert control.enumContainers(0) == control.enumContainersWStr(0) == "on the card"
        control.KeyLocation = 3
        refused(0x80070103, control.enumContainers, 0)
        control.KeyLocation, control.ProviderName = 0, "Microsoft Base Smart Card Crypto Provider"
        assert control.enumContainers(0) == "on the card"
        refused(HRESULT.E_INVALIDARG, control.enumContainers, -1)


def test_a_provider_without_rsa_keys_says_what_it_supports(control: Any) -> None:
    control.ProviderType = 3
    control.ProviderName = control.enumProviders(0, 0)
    assert control.GetSupportedKeySpec() == 2
    refused(HRESULT.NTE_BAD_ALGID, control.GetKeyLen, True, False)
    assert control.GetAlgName(control.EnumAlgs(0, 0x2000)) == "DSA_SIGN"


def test_a_ksp_makes_keys_of_both_kinds(control: Any) -> None:
    control.ProviderName = "Microsoft Software Key Storage Provider"
    assert control.GetSupportedKeySpec() == 3
    assert control.GetKeyLen(True, True) == control.GetKeyLen(True, False) == 1024
    assert control.createPKCS10("CN=x", "")
