"""The CSP objects: members, tables of Microsoft's pages, searches, statuses and their order."""

from __future__ import annotations

import importlib.util
import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest

from certenroll import providers
from certenroll.enums import AlgorithmFlags, AlgorithmType, X509KeySpec, X509ProviderType
from certenroll.enums import AlgorithmOperationFlags as Operation
from certenroll.errors import BadArgument, ComError
from certenroll.object_ids import object_id
from certenroll.provider_algorithms import algorithms_of
from certenroll.providers import (
    ICspAlgorithm,
    ICspAlgorithms,
    ICspInformation,
    ICspInformations,
    ICspStatus,
    ICspStatuses,
    information,
    statuses_for,
)
from keystores.providers import PROVIDERS
from tests.support.shared import shared_path

AES_CSP = "Microsoft Enhanced RSA and AES Cryptographic Provider"
STRONG = "Microsoft Strong Cryptographic Provider"
SOFTWARE_KSP = "Microsoft Software Key Storage Provider"
RSA_OID, P256_OID = "1.2.840.113549.1.1.1", "1.2.840.10045.3.1.7"
SIGN = Operation.XCN_NCRYPT_SIGNATURE_OPERATION
ENCRYPT = Operation.XCN_NCRYPT_ASYMMETRIC_ENCRYPTION_OPERATION
AGREE = Operation.XCN_NCRYPT_SECRET_AGREEMENT_OPERATION
CIPHER = Operation.XCN_NCRYPT_CIPHER_OPERATION
HASH = Operation.XCN_NCRYPT_HASH_OPERATION
EXACT = Operation.XCN_NCRYPT_EXACT_MATCH_OPERATION
PREFER_SIGNATURE = Operation.XCN_NCRYPT_PREFER_SIGNATURE_ONLY_OPERATION
PREFER_OTHER = Operation.XCN_NCRYPT_PREFER_NON_SIGNATURE_OPERATION

# ICspInformation.KeySpec and MaxKeyContainerNameLength, as Microsoft's two pages list them.
PAGE = {
    "Microsoft Software Key Storage Provider": (0, 261),
    "Microsoft Smart Card Key Storage Provider": (0, 40),
    "Microsoft Base Cryptographic Provider v1.0": (3, 261),
    "Microsoft Base DSS and Diffie-Hellman Cryptographic Provider": (3, 261),
    "Microsoft Base DSS Cryptographic Provider": (2, 261),
    "Microsoft Base Smart Card Crypto Provider": (3, 40),
    "Microsoft DH Schannel Cryptographic Provider": (3, 261),
    "Microsoft Enhanced Cryptographic Provider v1.0": (3, 261),
    "Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider": (3, 261),
    "Microsoft Enhanced RSA and AES Cryptographic Provider": (3, 261),
    "Microsoft RSA Schannel Cryptographic Provider": (1, 261),
    "Microsoft Strong Cryptographic Provider": (3, 261),
}


def code(caught: pytest.ExceptionInfo[ComError]) -> int:
    return caught.value.hresult & 0xFFFFFFFF


def available() -> ICspInformations:
    made = ICspInformations()
    made.AddAvailableCsps()
    return made


@pytest.mark.parametrize("interface", [i for i in providers.__all__ if i.startswith("ICsp")])
def test_every_member_of_the_interface_is_there_and_no_other(interface: str) -> None:
    surface = json.loads(shared_path("reference", "surface.json").read_text())["interfaces"][interface]["members"]
    wanted = {member["name"].removeprefix("get_").removeprefix("put_") for member in surface}
    assert set(dir(getattr(providers, interface)())) == wanted


@pytest.mark.parametrize("name", list(PAGE))
def test_a_provider_says_what_microsoft_s_pages_say(name: str) -> None:
    found = information(name)
    assert (found.KeySpec, found.MaxKeyContainerNameLength) == PAGE[name]
    assert found.LegacyCsp == (found.KeySpec != 0)
    assert found.Name.lower() == name.lower()


@pytest.mark.parametrize(
    ("name", "hardware", "removable", "card", "software", "random"),
    [
        (STRONG, False, False, False, True, False),
        ("Microsoft Platform Crypto Provider", True, False, False, False, True),
        ("Microsoft Base Smart Card Crypto Provider", True, True, True, False, False),
        ("Microsoft Passport Key Storage Provider", True, True, True, False, False),
    ],
)
def test_a_provider_says_where_its_keys_live(
    name: str, hardware: bool, removable: bool, card: bool, software: bool, random: bool
) -> None:
    found = information(name)
    assert (found.IsHardwareDevice, found.IsRemovable, found.IsSmartCard) == (hardware, removable, card)
    assert (found.IsSoftwareDevice, found.HasHardwareRandomNumberGenerator) == (software, random)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        (STRONG, "cryptography"),
        ("Microsoft Platform Crypto Provider", "tpm2_pytss"),
        ("Microsoft Base Smart Card Crypto Provider", "pkcs11"),
    ],
)
def test_a_provider_is_valid_where_its_key_store_s_package_is_installed(name: str, package: str) -> None:
    assert information(name).Valid == (importlib.util.find_spec(package) is not None)


def test_versions_and_types_follow_the_kind_of_provider() -> None:
    assert (information(AES_CSP).Type, information(AES_CSP).Version) == (X509ProviderType.XCN_PROV_RSA_AES, 0x200)
    assert (information(SOFTWARE_KSP).Type, information(SOFTWARE_KSP).Version) == (X509ProviderType.XCN_PROV_NONE, 0x10000)


def test_an_unknown_name_is_refused_and_leaves_the_object_blank() -> None:
    found = ICspInformation()
    with pytest.raises(ComError) as caught:
        found.InitializeFromName("Acme CSP")
    assert code(caught) == 0x80090019
    found.InitializeFromName(STRONG.upper())
    assert found.Name == STRONG


def test_a_provider_is_initialized_once() -> None:
    found = information(STRONG)
    attempts: list[Callable[[], None]] = [
        lambda: found.InitializeFromName(AES_CSP),
        lambda: found.InitializeFromType(X509ProviderType.XCN_PROV_RSA_FULL, None, False),
    ]
    for again in attempts:
        with pytest.raises(ComError) as caught:
            again()
        assert code(caught) == 0x800704DF
    assert found.Name == STRONG


@pytest.mark.parametrize(
    ("kind", "oid", "name"),
    [
        (X509ProviderType.XCN_PROV_RSA_FULL, None, STRONG),
        (X509ProviderType.XCN_PROV_RSA_AES, None, AES_CSP),
        (X509ProviderType.XCN_PROV_RSA_SCHANNEL, None, "Microsoft RSA SChannel Cryptographic Provider"),
        (X509ProviderType.XCN_PROV_DSS, None, "Microsoft Base DSS Cryptographic Provider"),
        (X509ProviderType.XCN_PROV_NONE, RSA_OID, SOFTWARE_KSP),
        (X509ProviderType.XCN_PROV_NONE, P256_OID, SOFTWARE_KSP),
    ],
)
def test_a_type_means_its_default_provider(kind: X509ProviderType, oid: str | None, name: str) -> None:
    for machine in (False, True):
        found = ICspInformation()
        found.InitializeFromType(kind, object_id(oid) if oid else None, machine)
        assert found.Name == name


@pytest.mark.parametrize(
    ("kind", "oid", "wanted"),
    [
        (X509ProviderType.XCN_PROV_NONE, None, 0x80070057),
        (X509ProviderType.XCN_PROV_FORTEZZA, None, 0x80090017),
        (X509ProviderType.XCN_PROV_RSA_FULL, P256_OID, 0x80090008),
    ],
)
def test_a_type_without_a_provider_for_it_is_an_error(kind: X509ProviderType, oid: str | None, wanted: int) -> None:
    with pytest.raises(ComError) as caught:
        ICspInformation().InitializeFromType(kind, object_id(oid) if oid else None, False)
    assert code(caught) == wanted


@pytest.mark.parametrize("made", [ICspInformation, ICspAlgorithm, ICspStatus], ids=lambda made: made.__name__)
def test_an_object_that_is_not_initialized_answers_nothing(made: Any) -> None:
    properties = [name for name in dir(made()) if isinstance(inspect.getattr_static(made, name), property)]
    for name in set(properties) - {"Ordinal"}:
        with pytest.raises(ComError) as caught:
            getattr(made(), name)
        assert code(caught) == 0x80040007


def test_a_security_descriptor_is_sddl_and_a_device_has_none() -> None:
    assert information(STRONG).GetDefaultSecurityDescriptor(True).startswith("D:")
    assert "OW" in information(STRONG).GetDefaultSecurityDescriptor(False)
    with pytest.raises(ComError) as caught:
        information("Microsoft Platform Crypto Provider").GetDefaultSecurityDescriptor(False)
    assert code(caught) == 0x80090011


def test_every_algorithm_of_every_provider_has_a_type_and_sane_lengths() -> None:
    for provider in PROVIDERS:
        for algorithm in algorithms_of(provider):
            assert algorithm.type in AlgorithmType
            assert algorithm.minimum <= algorithm.default <= algorithm.maximum
        names = [algorithm.name for algorithm in algorithms_of(provider)]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("provider", "name", "lengths"),
    [
        (AES_CSP, "DES", (56, 56, 56, 0)),
        (AES_CSP, "3DES", (168, 168, 168, 0)),
        ("Microsoft Base Cryptographic Provider v1.0", "RC2", (40, 40, 56, 8)),
        ("Microsoft Base DSS Cryptographic Provider", "DSA_SIGN", (1024, 512, 1024, 64)),
        ("Microsoft DH SChannel Cryptographic Provider", "DH_KEYX", (512, 512, 4096, 64)),
        (SOFTWARE_KSP, "ECDSA_P256", (256, 256, 256, 0)),
        (SOFTWARE_KSP, "AES", (128, 128, 256, 64)),
        (STRONG, "RSA_KEYX", (2048, 1024, 16384, 8)),
        (SOFTWARE_KSP, "RSA", (2048, 1024, 16384, 64)),
    ],
)
def test_an_algorithm_has_the_lengths_of_the_page_and_no_weak_rsa(
    provider: str, name: str, lengths: tuple[int, int, int, int]
) -> None:
    item = information(provider).CspAlgorithms.ItemByName(name)
    assert (item.DefaultLength, item.MinLength, item.MaxLength, item.IncrementLength) == lengths


def test_a_csp_has_long_names_and_a_ksp_has_not() -> None:
    assert information(AES_CSP).CspAlgorithms.ItemByName("des").LongName == "Data Encryption Standard (DES)"
    assert information(SOFTWARE_KSP).CspAlgorithms.ItemByName("DES").LongName == "DES"
    assert information(STRONG).CspAlgorithms.ItemByName("RSA_KEYX").LongName == "RSA Key Exchange"


def test_an_exchange_key_signs_and_encrypts_and_is_filed_under_encryption() -> None:
    item = information(STRONG).CspAlgorithms.ItemByName("RSA_KEYX")
    assert item.Operations == SIGN | ENCRYPT
    assert item.Type == AlgorithmType.XCN_BCRYPT_ASYMMETRIC_ENCRYPTION_INTERFACE


def test_what_no_key_store_makes_is_not_valid() -> None:
    dss = information("Microsoft Enhanced DSS and Diffie-Hellman Cryptographic Provider").CspAlgorithms
    assert [item.Name for item in dss if not item.Valid] == ["DSA_SIGN", "DH_KEYX", "DH_EPHEM", "CYLINK MEK"]
    assert information(STRONG).CspAlgorithms.ItemByName("RSA_SIGN").Valid


@pytest.mark.parametrize(
    ("provider", "name", "length", "flags", "oid"),
    [
        (SOFTWARE_KSP, "AES", 0, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.1.2"),
        (SOFTWARE_KSP, "AES", 128, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.1.2"),
        (SOFTWARE_KSP, "AES", 192, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.1.22"),
        (SOFTWARE_KSP, "AES", 256, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.1.42"),
        (SOFTWARE_KSP, "AES", 256, AlgorithmFlags.AlgorithmFlagsWrap, "2.16.840.1.101.3.4.1.45"),
        (AES_CSP, "AES 192", 0, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.1.22"),
        (AES_CSP, "AES 192", 192, AlgorithmFlags.AlgorithmFlagsWrap, "2.16.840.1.101.3.4.1.25"),
        (AES_CSP, "3DES", 168, AlgorithmFlags.AlgorithmFlagsNone, "1.2.840.113549.3.7"),
        (AES_CSP, "3DES", 0, AlgorithmFlags.AlgorithmFlagsWrap, "1.2.840.113549.1.9.16.3.6"),
        (AES_CSP, "RC2", 0, AlgorithmFlags.AlgorithmFlagsWrap, "1.2.840.113549.1.9.16.3.7"),
        (AES_CSP, "RSA_SIGN", 0, AlgorithmFlags.AlgorithmFlagsNone, RSA_OID),
        (AES_CSP, "SHA-256", 0, AlgorithmFlags.AlgorithmFlagsNone, "2.16.840.1.101.3.4.2.1"),
        (SOFTWARE_KSP, "ECDSA_P521", 0, AlgorithmFlags.AlgorithmFlagsNone, "1.3.132.0.35"),
    ],
)
def test_an_algorithm_s_object_id_follows_its_length_and_wrap(
    provider: str, name: str, length: int, flags: AlgorithmFlags, oid: str
) -> None:
    assert information(provider).CspAlgorithms.ItemByName(name).GetAlgorithmOid(length, flags).Value == oid


@pytest.mark.parametrize(
    ("name", "length", "flags", "wanted"),
    [
        ("AES", 100, 0, 0x80094004),
        ("DES", 0, 1, 0x80094004),
        ("DESX", 0, 0, 0x80094004),
        ("RSA", 2048, 0, 0x80070057),
        ("SHA256", 256, 0, 0x80070057),
    ],
)
def test_an_object_id_that_there_is_not_is_an_error(name: str, length: int, flags: int, wanted: int) -> None:
    item = information(SOFTWARE_KSP).CspAlgorithms.ItemByName(name)
    with pytest.raises(ComError) as caught:
        item.GetAlgorithmOid(length, AlgorithmFlags(flags))
    assert code(caught) == wanted


def test_algorithms_are_found_by_name_and_by_object_id() -> None:
    found = information(AES_CSP).CspAlgorithms
    index = found.IndexByObjectId(object_id(RSA_OID))
    assert found.ItemByIndex(index).Name == "RSA_SIGN"
    for missing in (lambda: found.ItemByName("ROT13"), lambda: found.IndexByObjectId(object_id("1.2.3"))):
        with pytest.raises(ComError) as caught:
            missing()
        assert code(caught) == 0x80070490


def test_the_available_providers_are_csps_and_then_ksps() -> None:
    found = available()
    kinds = [item.LegacyCsp for item in found]
    assert kinds == sorted(kinds, reverse=True)
    assert found.Count == len({item.Name for item in found})
    assert {STRONG, AES_CSP, SOFTWARE_KSP} <= {item.Name for item in found}
    assert all(item.Valid for item in found)


def test_available_providers_are_added_to_an_empty_collection_only() -> None:
    found = available()
    count = found.Count
    with pytest.raises(ComError) as caught:
        found.AddAvailableCsps()
    assert code(caught) == 0x800710DD
    assert found.Count == count
    found.Clear()
    found.AddAvailableCsps()
    assert found.Count == count


def test_a_collection_takes_providers_and_nothing_else() -> None:
    found = ICspInformations()
    found.Add(information(STRONG))
    assert found.ItemByName("microsoft STRONG cryptographic provider").Name == STRONG
    with pytest.raises(BadArgument):
        found.Add(object_id(RSA_OID))
    with pytest.raises(ComError) as caught:
        found.ItemByName(AES_CSP)
    assert code(caught) == 0x80070490


@pytest.mark.parametrize(
    ("name", "spec", "algorithm", "display"),
    [
        (STRONG, 1, "RSA_KEYX", f"{STRONG}(Encryption)"),
        (STRONG, 2, "RSA_SIGN", f"{STRONG}(Signature)"),
        (SOFTWARE_KSP, 1, "RSA", f"RSA,{SOFTWARE_KSP}"),
        (f"ECDSA_P256,{SOFTWARE_KSP}", 2, "ECDSA_P256", f"ECDSA_P256,{SOFTWARE_KSP}"),
        (f"rsa_sign , {STRONG}", 1, "RSA_SIGN", f"{STRONG}(Signature)"),
    ],
)
def test_a_status_is_found_by_the_provider_s_name(name: str, spec: int, algorithm: str, display: str) -> None:
    status = available().GetCspStatusFromProviderName(name, X509KeySpec(spec))
    assert (status.CspAlgorithm.Name, status.DisplayName) == (algorithm, display)


@pytest.mark.parametrize(
    ("name", "spec"), [("Acme CSP", 1), ("Microsoft RSA SChannel Cryptographic Provider", 2), (f"ROT13,{STRONG}", 1)]
)
def test_a_status_that_is_not_there_is_an_error(name: str, spec: int) -> None:
    with pytest.raises(ComError) as caught:
        available().GetCspStatusFromProviderName(name, X509KeySpec(spec))
    assert code(caught) == 0x80070490


@pytest.mark.parametrize(
    ("provider", "oid", "operations", "algorithm"),
    [
        (STRONG, None, SIGN, "RSA_SIGN"),
        (STRONG, None, ENCRYPT, "RSA_KEYX"),
        (STRONG, None, SIGN | PREFER_OTHER, "RSA_KEYX"),
        (STRONG, None, SIGN | ENCRYPT | EXACT, "RSA_KEYX"),
        (STRONG, None, CIPHER, "RC2"),
        (STRONG, None, HASH, "SHA-1"),
        (STRONG, RSA_OID, SIGN | EXACT, "RSA_SIGN"),
        (STRONG, RSA_OID, ENCRYPT, "RSA_SIGN"),
        (SOFTWARE_KSP, None, SIGN, "RSA"),
        (SOFTWARE_KSP, None, SIGN | PREFER_SIGNATURE, "ECDSA_P256"),
        (SOFTWARE_KSP, None, AGREE, "ECDH_P256"),
        (SOFTWARE_KSP, P256_OID, SIGN | PREFER_SIGNATURE, "ECDSA_P256"),
        (SOFTWARE_KSP, P256_OID, AGREE, "ECDH_P256"),
    ],
)
def test_a_status_is_found_by_what_its_algorithm_does(
    provider: str, oid: str | None, operations: Operation, algorithm: str
) -> None:
    status = information(provider).GetCspStatusFromOperations(object_id(oid) if oid else None, operations)
    assert status.CspAlgorithm.Name == algorithm
    assert status.CspInformation.Name == provider


@pytest.mark.parametrize(
    ("oid", "operations", "wanted"),
    [
        (None, CIPHER | PREFER_SIGNATURE, 0x80070057),
        (None, HASH | PREFER_OTHER, 0x80070057),
        (None, AGREE, 0x80094004),
        (P256_OID, SIGN, 0x80094004),
    ],
)
def test_operations_that_nothing_does_are_an_error(oid: str | None, operations: Operation, wanted: int) -> None:
    with pytest.raises(ComError) as caught:
        information(STRONG).GetCspStatusFromOperations(object_id(oid) if oid else None, operations)
    assert code(caught) == wanted


def test_statuses_by_operations_cover_one_provider_or_all() -> None:
    one = available().GetCspStatusesFromOperations(SIGN, information(SOFTWARE_KSP))
    assert [status.CspAlgorithm.Name for status in one] == ["RSA", "ECDSA_P256", "ECDSA_P384", "ECDSA_P521", "DSA"]
    assert [status.Ordinal for status in one] == list(range(one.Count))
    every = available().GetCspStatusesFromOperations(SIGN, None)
    assert {status.CspInformation.Name for status in every} == {item.Name for item in available()}


def test_ciphers_and_hashes_come_once_each() -> None:
    found = ICspInformations()
    ciphers = [item.Name for item in found.GetEncryptionCspAlgorithms(None)]
    assert len(ciphers) == len(set(ciphers))
    assert {"AES", "AES 256", "3DES"} <= set(ciphers)
    assert found.GetEncryptionCspAlgorithms(information(SOFTWARE_KSP)).ItemByIndex(0).Name == "AES"
    hashes = [item.Value for item in found.GetHashAlgorithms(information(AES_CSP))]
    assert "2.16.840.1.101.3.4.2.1" in hashes
    assert len(hashes) == len(set(hashes))


def test_a_status_without_an_algorithm_says_so() -> None:
    status = ICspStatus()
    status.Initialize(information(SOFTWARE_KSP), None)
    assert status.DisplayName == f"Unknown Algorithm,{SOFTWARE_KSP}"
    with pytest.raises(ComError) as caught:
        _ = status.CspAlgorithm
    assert code(caught) == 0x80094004
    with pytest.raises(ComError) as caught:
        status.Initialize(information(STRONG), None)
    assert code(caught) == 0x800704DF
    assert status.CspInformation.Name == SOFTWARE_KSP


def test_a_status_has_an_ordinal_and_an_enrollment_status_of_its_own() -> None:
    status = available().GetCspStatusFromProviderName(STRONG, X509KeySpec.XCN_AT_KEYEXCHANGE)
    status.Ordinal = 7
    status.EnrollmentStatus.Text = "chosen"
    assert (status.Ordinal, status.EnrollmentStatus.Text) == (7, "chosen")


def test_statuses_are_found_by_name_ordinal_operations_and_provider() -> None:
    found = statuses_for(available(), X509KeySpec.XCN_AT_SIGNATURE)
    signature = found.ItemByName(STRONG, "rsa_sign")
    assert found.ItemByOrdinal(signature.Ordinal) is signature
    assert found.ItemByOperations(STRONG, "RSA_KEYX", ENCRYPT).DisplayName == f"{STRONG}(Encryption)"
    assert found.ItemByProvider(signature).CspAlgorithm.Name == "RSA_KEYX"
    cng = found.ItemByName(SOFTWARE_KSP, "ECDSA_P256")
    assert found.ItemByProvider(cng) is cng
    searches: list[Callable[[], ICspStatus]] = [
        lambda: found.ItemByName(STRONG, "ROT13"),
        lambda: found.ItemByOrdinal(-1),
        lambda: found.ItemByOperations(STRONG, "RSA_SIGN", AGREE),
        lambda: ICspStatuses().ItemByProvider(signature),
    ]
    for missing in searches:
        with pytest.raises(ComError) as caught:
            missing()
        assert code(caught) == 0x80070490


def test_a_signature_request_offers_the_default_provider_s_signatures_first() -> None:
    order = ICspInformations()
    for name in (AES_CSP, STRONG, SOFTWARE_KSP):
        order.Add(information(name))
    found = statuses_for(order, X509KeySpec.XCN_AT_SIGNATURE)
    shown = [
        (status.DisplayName, int(status.EnrollmentStatus.Display), int(status.EnrollmentStatus.Selected))
        for status in found
    ]
    assert shown[:4] == [
        (f"{AES_CSP}(Signature)", 1, 1),
        (f"{AES_CSP}(Encryption)", 0, 0),
        (f"{STRONG}(Signature)", 1, 0),
        (f"{STRONG}(Encryption)", 0, 0),
    ]
    assert all(display == 0 for name, display, _ in shown if name.endswith(SOFTWARE_KSP))
    assert [status.Ordinal for status in found] == list(range(found.Count))


def test_an_exchange_request_offers_the_default_provider_s_encryption_first() -> None:
    order = ICspInformations()
    order.Add(information(AES_CSP))
    found = statuses_for(order, X509KeySpec.XCN_AT_KEYEXCHANGE)
    assert found[0].DisplayName == f"{AES_CSP}(Encryption)"
    assert int(found[0].EnrollmentStatus.Selected) == 1


def test_no_providers_offer_nothing() -> None:
    assert statuses_for(ICspInformations(), X509KeySpec.XCN_AT_NONE).Count == 0
    assert ICspAlgorithms().Count == 0
