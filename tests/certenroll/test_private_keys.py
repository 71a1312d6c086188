"""IX509PrivateKey: its properties and what they set in each other, its states, and its errors by condition."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import certenroll
from certenroll import facade
from certenroll.enums import EncodingType, X509KeySpec, X509PrivateKeyUsageFlags, X509PrivateKeyVerify, X509ProviderType
from certenroll.hresults import HRESULT
from tests.stores.pki import make
from tests.support.enrolling import BINARY, P256, new_key, oid, refused
from tests.support.requires import package, program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
SEALED = HRESULT.WIN32_ALREADY_INITIALIZED
SIGNING = X509PrivateKeyUsageFlags.XCN_NCRYPT_ALLOW_SIGNING_FLAG
RSA_CSP = "Microsoft Enhanced RSA and AES Cryptographic Provider"
KSP = "Microsoft Software Key Storage Provider"
CARD_KSP = "Microsoft Smart Card Key Storage Provider"

# A property, what it reads before it is set, and another value.
PLAIN: list[tuple[str, Any, Any]] = [
    ("ContainerName", "", "web"),
    ("ContainerNamePrefix", "lp-", "web-"),
    ("ReaderName", "", "Reader 0"),
    ("Length", 0, 3072),
    ("ExportPolicy", 0, 3),
    ("KeyUsage", 0, 2),
    ("KeyProtection", 0, 1),
    ("MachineContext", False, True),
    ("Existing", False, True),
    ("Silent", False, True),
    ("UIContextMessage", "", "why"),
    ("FriendlyName", "", "a key"),
    ("Description", "", "for the web"),
    ("KeyLocation", 0, 3),
    ("AlternateStorageLocation", "", "elsewhere"),
    ("AlgorithmName", "", "RSA"),
    ("HardwareKeyUsage", 0, 1),
    ("ParametersExportType", 0, 0x20000000),
    ("ProviderName", "", KSP),
    ("ProviderType", 0, 24),
    ("LegacyCsp", False, True),
    ("KeySpec", 0, 2),
]
NEVER_SEALED: list[tuple[str, Any, Any]] = [("SecurityDescriptor", "", "D:(A;;GA;;;SY)"), ("ParentWindow", 0, 9)]


def created(**properties: Any) -> Any:
    key = new_key(**properties)
    key.Create()
    return key


@pytest.mark.parametrize(("member", "default", "value"), [*PLAIN, *NEVER_SEALED], ids=str)
def test_a_property_has_a_default_and_reads_as_it_was_set(member: str, default: Any, value: Any) -> None:
    key: Any = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    assert getattr(key, member) == default
    setattr(key, member, value)
    assert getattr(key, member) == value


@pytest.mark.parametrize(("member", "default", "value"), PLAIN, ids=str)
def test_a_property_is_sealed_once_a_key_is_open(home: Path, member: str, default: Any, value: Any) -> None:
    key = created()
    before = getattr(key, member)
    assert refused(setattr, key, member, value) == SEALED
    assert getattr(key, member) == before
    key.Close()
    setattr(key, member, value)


@pytest.mark.parametrize(("member", "default", "value"), NEVER_SEALED, ids=str)
def test_two_properties_may_be_set_at_any_time(home: Path, member: str, default: Any, value: Any) -> None:
    key = created()
    setattr(key, member, value)
    assert getattr(key, member) == value


def test_algorithm_pin_providers_and_parameters_are_sealed_too(home: Path) -> None:
    key = created()
    informations = certenroll.Dispatch("X509Enrollment.CCspInformations")
    for member, value in (("Algorithm", oid(P256)), ("Pin", "1234"), ("CspInformations", informations)):
        assert refused(setattr, key, member, value) == SEALED
    assert refused(key.SetAlgorithmParameters, BINARY, b"\x05\x00") == SEALED


def test_every_member_is_named_in_this_test_or_tested_by_name() -> None:
    others = {
        "Algorithm", "AlgorithmParameters", "Certificate", "Close", "Create", "CspInformations", "CspStatus",
        "DefaultContainer", "Delete", "Export", "ExportPublicKey", "Import", "Open", "Opened", "Pin",
        "SetAlgorithmParameters", "SetCertificate", "UniqueContainerName", "Verify",
    }
    key = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    assert {name for name, _, _ in [*PLAIN, *NEVER_SEALED]} | others == set(dir(key))


# What a property sets beside itself: (what is set) -> (ProviderType, LegacyCsp, KeySpec, KeyUsage).
COUPLED: list[tuple[list[tuple[str, Any]], tuple[int, bool, int, int]]] = [
    ([("KeySpec", 2)], (0, False, 2, 2)),
    ([("KeySpec", 1)], (0, False, 1, 5)),
    ([("LegacyCsp", True)], (1, True, 2, 2)),
    ([("KeySpec", 1), ("LegacyCsp", True)], (1, True, 1, 5)),
    ([("ProviderType", 24), ("LegacyCsp", True)], (24, True, 2, 2)),
    ([("LegacyCsp", True), ("LegacyCsp", False)], (0, False, 0, 0)),
    ([("ProviderType", 24)], (24, True, 2, 2)),
    ([("KeySpec", 1), ("ProviderType", 24)], (24, True, 1, 5)),
    ([("ProviderType", 24), ("ProviderType", 0)], (0, False, 0, 0)),
    ([("ProviderName", RSA_CSP)], (24, True, 2, 2)),
    ([("ProviderName", KSP)], (0, False, 0, 0)),
    ([("KeySpec", 1), ("ProviderName", RSA_CSP)], (24, True, 2, 2)),
    ([("ProviderName", RSA_CSP), ("KeySpec", 1)], (24, True, 1, 5)),
    ([("ProviderName", RSA_CSP), ("ProviderName", KSP)], (0, False, 0, 0)),
    ([("ProviderName", "nobody's provider")], (0, False, 0, 0)),
]


@pytest.mark.parametrize(("steps", "outcome"), COUPLED, ids=lambda value: " ".join(map(str, value)))
def test_a_property_sets_others_to_match(steps: list[tuple[str, Any]], outcome: tuple[int, bool, int, int]) -> None:
    key: Any = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    for member, value in steps:
        setattr(key, member, value)
    assert (key.ProviderType, key.LegacyCsp, key.KeySpec, key.KeyUsage) == outcome


def test_csp_status_sets_provider_and_algorithm() -> None:
    key: Any = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    assert refused(getattr, key, "CspStatus") == EMPTY
    status = key.CspInformations.GetCspStatusFromProviderName(RSA_CSP, X509KeySpec.XCN_AT_KEYEXCHANGE)
    key.CspStatus = status
    assert key.CspStatus is status
    assert (key.ProviderName, key.ProviderType, key.LegacyCsp, key.KeySpec) == (RSA_CSP, 24, True, 1)
    assert key.Algorithm.Value == "1.2.840.113549.1.1.1"


def test_the_pin_is_written_and_never_read() -> None:
    key: Any = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    key.Pin = "very secret"
    assert refused(getattr, key, "Pin") == HRESULT.DISP_E_MEMBERNOTFOUND
    assert "very secret" not in repr(vars(key))


# Create, Open, Close, Delete.


def test_create_makes_a_key_and_names_its_container(home: Path) -> None:
    key = new_key(Length=2048)
    assert (key.Opened, key.Existing, key.DefaultContainer) == (False, False, False)
    key.Create()
    assert re.fullmatch(r"lp-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", key.ContainerName)
    assert (key.Opened, key.Existing, key.DefaultContainer) == (True, True, False)
    assert (key.Length, key.ProviderName) == (2048, KSP)
    assert Path(key.UniqueContainerName).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("properties", "length"),
    [({"Length": 0}, 2048), ({"Algorithm": oid(P256)}, 256), ({"Algorithm": oid("1.3.132.0.35")}, 521)],
    ids=["RSA", "P-256", "P-521"],
)
def test_a_length_that_is_not_given_is_the_usual_one(home: Path, properties: dict[str, Any], length: int) -> None:
    assert created(**properties).Length == length


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Length": 7}, HRESULT.NTE_BAD_LEN),
        ({"Algorithm": oid(P256), "Length": 384}, HRESULT.NTE_BAD_LEN),
        ({"Algorithm": oid("1.2.840.10040.4.1")}, HRESULT.NTE_BAD_ALGID),
        ({"ProviderName": "nobody's provider"}, HRESULT.NTE_KEYSET_NOT_DEF),
        ({"ProviderType": 4}, HRESULT.NTE_PROV_TYPE_NOT_DEF),
        ({"KeyLocation": 5}, HRESULT.E_INVALIDARG),
        ({"KeyLocation": 4}, HRESULT.NTE_BAD_KEYSET_PARAM),
        ({"Existing": True, "ContainerName": "web"}, HRESULT.WIN32_FILE_EXISTS),
        ({"ContainerName": "x" * 300}, HRESULT.NTE_BAD_KEYSET_PARAM),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
)
def test_create_is_refused_by_condition_and_leaves_nothing(home: Path, properties: dict[str, Any], expected: int) -> None:
    key = new_key(**properties)
    assert refused(key.Create) == expected
    assert not key.Opened
    assert all(not report.keys for report in facade.key_reports())


def test_create_is_refused_where_there_is_no_tpm_and_leaves_nothing(home: Path) -> None:
    package("tpm2_pytss", "tpm")
    key = new_key(KeyLocation=1)
    assert refused(key.Create) == HRESULT.TBS_E_TPM_NOT_FOUND
    assert not key.Opened


def test_a_container_that_is_there_is_not_made_again(home: Path) -> None:
    first = created(ContainerName="web")
    assert refused(new_key(ContainerName="web").Create) == HRESULT.NTE_EXISTS
    again = new_key(ContainerName="web")
    again.Open()
    assert again.ExportPublicKey().spki_bytes() == first.ExportPublicKey().spki_bytes()


@pytest.mark.parametrize("member", ["Create", "Open"])
def test_a_second_key_is_not_opened_over_the_first(home: Path, member: str) -> None:
    assert refused(getattr(created(), member)) == HRESULT.WIN32_BUSY


def test_a_key_is_not_imported_over_an_open_one(home: Path) -> None:
    assert refused(created().Import, "PKCS8_PRIVATEKEY", b"x", BINARY) == HRESULT.WIN32_FILE_READ_ONLY


def test_open_needs_a_container_that_is_there(home: Path) -> None:
    assert refused(new_key().Open) == HRESULT.NTE_BAD_KEYSET_PARAM
    assert refused(new_key(ContainerName="nowhere").Open) == HRESULT.NTE_BAD_KEYSET


def test_close_keeps_the_container_and_delete_does_not(home: Path) -> None:
    key = created(ContainerName="web")
    key.Close()
    assert not key.Opened
    assert facade.containers("software") == ["web"]
    key.Delete()
    assert facade.containers("software") == []
    assert not key.Opened
    assert refused(key.Delete) == HRESULT.NTE_BAD_KEYSET


def test_delete_needs_to_know_which(home: Path) -> None:
    assert refused(new_key().Delete) == EMPTY


@pytest.mark.parametrize("member", ["ExportPublicKey", "UniqueContainerName"])
def test_what_needs_an_open_key_says_so(member: str) -> None:
    assert refused(lambda: getattr(new_key(), member)()) == EMPTY  # noqa: PLW0108 - reading is what refuses
    assert refused(new_key().Export, "PKCS8_PRIVATEKEY") == EMPTY


def test_the_machines_keys_are_apart(home: Path) -> None:
    created(ContainerName="web", MachineContext=True)
    assert facade.containers("software") == []
    assert facade.containers("software", 2) == ["web"]


def test_a_password_guards_a_key_and_another_one_does_not_open_it(home: Path) -> None:
    created(ContainerName="web", Pin="right")
    assert refused(new_key(ContainerName="web", Pin="wrong").Open) == HRESULT.SCARD_W_WRONG_CHV
    new_key(ContainerName="web", Pin="right").Open()


@pytest.mark.parametrize("kind", X509PrivateKeyVerify, ids=lambda kind: kind.name)
def test_verify_finds_a_key_and_leaves_it_closed(home: Path, kind: X509PrivateKeyVerify) -> None:
    created(ContainerName="web")
    key = new_key(ContainerName="web")
    key.Verify(kind)
    assert not key.Opened


@pytest.mark.parametrize("kind", X509PrivateKeyVerify, ids=lambda kind: kind.name)
def test_verify_misses_a_key_unless_it_is_told_not_to_look(home: Path, kind: X509PrivateKeyVerify) -> None:
    key = new_key(ContainerName="nowhere")
    if kind == X509PrivateKeyVerify.VerifyNone:
        key.Verify(kind)
    else:
        assert refused(key.Verify, kind) == HRESULT.NTE_BAD_KEYSET
        assert refused(new_key().Verify, kind) == EMPTY


@pytest.mark.parametrize(
    ("kind", "looks"),
    [
        (X509PrivateKeyVerify.VerifySilent, True),
        (X509PrivateKeyVerify.VerifySmartCardNone, False),
        (X509PrivateKeyVerify.VerifySmartCardSilent, False),
        (X509PrivateKeyVerify.VerifyAllowUI, True),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_smart_card_values_leave_a_card_alone(home: Path, kind: X509PrivateKeyVerify, looks: bool) -> None:
    with SoftToken():
        key = new_key(ContainerName="nowhere", ProviderName=CARD_KSP)
        if looks:
            assert refused(key.Verify, kind) == HRESULT.NTE_BAD_KEYSET
        else:
            key.Verify(kind)


def test_a_certificate_fits_its_key_or_is_refused(home: Path) -> None:
    from tests.support.enrolling import issue

    key = created()
    own = issue(key.stored_key().info.public_key, make("root")).der
    assert refused(key.Certificate) == EMPTY
    assert refused(key.SetCertificate, BINARY, make("another").der) == HRESULT.NTE_BAD_PUBLIC_KEY
    key.SetCertificate(BINARY, own)
    assert key.Certificate(BINARY) == own
    later = new_key(ContainerName=key.ContainerName)
    later.SetCertificate(BINARY, make("another").der)
    assert refused(later.Open) == HRESULT.NTE_BAD_PUBLIC_KEY
    assert not later.Opened


def test_algorithm_parameters_are_kept(home: Path) -> None:
    key = new_key()
    assert refused(key.AlgorithmParameters) == EMPTY
    key.SetAlgorithmParameters(BINARY, b"\x06\x01\x2a")
    assert key.AlgorithmParameters(EncodingType.XCN_CRYPT_STRING_HEXRAW).strip() == "06012a"


# Export and Import.


def exportable(**properties: Any) -> Any:
    return created(ExportPolicy=3, **properties)


@pytest.mark.parametrize("properties", [{"Length": 2048}, {}], ids=["RSA", "EC"])
def test_openssl_reads_an_exported_key(home: Path, tmp_path: Path, properties: dict[str, Any]) -> None:
    key = exportable(**properties)
    path = tmp_path / "key.der"
    path.write_bytes(key.Export("PKCS8_PRIVATEKEY", BINARY))
    command = [program("openssl"), "pkey", "-inform", "DER", "-in", str(path), "-pubout", "-outform", "DER"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == key.ExportPublicKey().spki_bytes()


@pytest.mark.parametrize(
    ("form", "properties"),
    [
        ("PKCS8_PRIVATEKEY", {"Length": 2048}), ("RSAPRIVATEBLOB", {"Length": 2048}),
        ("RSAFULLPRIVATEBLOB", {"Length": 2048}), ("PRIVATEBLOB", {"Length": 2048}),
        ("CAPIPRIVATEBLOB", {"Length": 2048}), ("PKCS8_PRIVATEKEY", {}),
        ("ECCPRIVATEBLOB", {}), ("PRIVATEBLOB", {}), ("privateblob", {"Length": 2048, "ProviderName": RSA_CSP}),
    ],
)
@pytest.mark.parametrize("encoding", [EncodingType.XCN_CRYPT_STRING_BASE64, EncodingType.XCN_CRYPT_STRING_BINARY])
def test_an_exported_key_comes_back_by_import(
    home: Path, form: str, properties: dict[str, Any], encoding: EncodingType
) -> None:
    key = exportable(**properties)
    provider = {name: value for name, value in properties.items() if name == "ProviderName"}
    twin = new_key(ContainerName="twin", **provider)
    twin.Import(form, key.Export(form, encoding), encoding)
    assert twin.Opened
    assert twin.Existing
    assert twin.ExportPublicKey().spki_bytes() == key.ExportPublicKey().spki_bytes()
    assert refused(twin.Export, form) == HRESULT.NTE_BAD_KEY_STATE


def test_a_key_that_may_not_leave_does_not(home: Path) -> None:
    key = created()
    assert refused(key.Export, "PKCS8_PRIVATEKEY") == HRESULT.NTE_BAD_KEY_STATE
    assert key.Export("PUBLICBLOB", BINARY)[:4] == b"ECS1"


@pytest.mark.parametrize(
    ("form", "provider", "expected"),
    [
        ("nonsense", "", HRESULT.NTE_BAD_TYPE),
        ("RSAPRIVATEBLOB", "", HRESULT.NTE_BAD_TYPE),
        ("RSAPUBLICBLOB", "", HRESULT.NTE_BAD_TYPE),
        ("PKCS8_PRIVATEKEY", RSA_CSP, HRESULT.WIN32_CALL_NOT_IMPLEMENTED),
        ("RSAPUBLICBLOB", RSA_CSP, HRESULT.WIN32_CALL_NOT_IMPLEMENTED),
    ],
)
def test_a_form_that_the_key_has_not_is_refused(home: Path, form: str, provider: str, expected: int) -> None:
    key = exportable(ProviderName=provider, Length=2048) if provider else exportable()
    assert refused(key.Export, form) == expected


@pytest.mark.parametrize(
    ("form", "data", "expected"),
    [
        ("nonsense", b"x", HRESULT.NTE_BAD_TYPE),
        ("PUBLICBLOB", b"x", HRESULT.NTE_BAD_TYPE),
        ("PKCS8_PRIVATEKEY", b"x", HRESULT.NTE_BAD_DATA),
        ("PRIVATEBLOB", b"", HRESULT.NTE_BAD_DATA),
        ("RSAPRIVATEBLOB", b"RSA2" + bytes(20), HRESULT.NTE_BAD_DATA),
    ],
)
def test_what_cannot_be_imported_is_refused_and_leaves_nothing(home: Path, form: str, data: bytes, expected: int) -> None:
    assert refused(new_key().Import, form, data, BINARY) == expected
    assert facade.containers("software") == []


def test_no_key_leaves_a_tpm_or_a_card(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with SwTpm() as tpm, SoftToken():
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        for location in (1, 4):
            key = created(KeyLocation=location, ContainerName="here")
            assert refused(key.Export, "PKCS8_PRIVATEKEY") == HRESULT.NTE_BAD_KEY_STATE
            assert key.Export("PUBLICBLOB")


def test_the_usage_of_a_key_follows_its_spec(home: Path) -> None:
    assert created(Length=2048, KeySpec=X509KeySpec.XCN_AT_SIGNATURE).KeyUsage == SIGNING
    kind = created(Length=2048, ProviderType=X509ProviderType.XCN_PROV_RSA_AES)
    assert (kind.ProviderName, kind.KeySpec) == (RSA_CSP, X509KeySpec.XCN_AT_SIGNATURE)
