"""IX509EndorsementKey on a real (software) TPM: opening and closing it, and its certificates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import certenroll
from certenroll.endorsement_keys import IX509EndorsementKey
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from keystores.base import Scope
from keystores.tpm import TpmKeyStore
from tests.support.endorsement import CERTIFICATE_INDEX, certificate_for, write_nv
from tests.support.swtpm import SwTpm

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
BINARY = EncodingType.XCN_CRYPT_STRING_BINARY


@pytest.fixture
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture
def key(home: Path, tpm: SwTpm, monkeypatch: pytest.MonkeyPatch) -> Iterator[IX509EndorsementKey]:
    monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
    made = certenroll.Dispatch("X509Enrollment.CX509EndorsementKey")
    assert isinstance(made, IX509EndorsementKey)
    yield made
    open_workspace().key_stores.close()


def refused(call: Callable[[], object], code: int) -> None:
    with pytest.raises(ComError) as caught:
        call()
    assert caught.value.hresult & 0xFFFFFFFF == code


def public_key(tpm: SwTpm, folder: Path) -> bytes:
    with TpmKeyStore(folder, Scope.USER, tpm.tcti) as store:
        return store.endorsement_key().public_key


def test_an_opened_key_says_what_it_is(key: IX509EndorsementKey, tpm: SwTpm, tmp_path: Path) -> None:
    assert key.ProviderName == "Microsoft Platform Crypto Provider"
    assert key.Opened is False
    key.Open()
    assert key.Opened is True
    assert key.Length == 2048
    exported = key.ExportPublicKey()
    assert (exported.spki_bytes(), exported.Algorithm.Value) == (public_key(tpm, tmp_path), "1.2.840.113549.1.1.1")


CLOSED: dict[str, Callable[[IX509EndorsementKey], object]] = {
    "Length": lambda key: key.Length,
    "ExportPublicKey": lambda key: key.ExportPublicKey(),
    "Close": lambda key: key.Close(),
    "AddCertificate": lambda key: key.AddCertificate(BASE64, "AA=="),
    "RemoveCertificate": lambda key: key.RemoveCertificate(BASE64, "AA=="),
    "GetCertificateByIndex": lambda key: key.GetCertificateByIndex(False, 0),
    "GetCertificateCount": lambda key: key.GetCertificateCount(True),
}


@pytest.mark.parametrize("member", CLOSED)
def test_a_key_that_is_not_open_answers_nothing(key: IX509EndorsementKey, member: str) -> None:
    refused(lambda: CLOSED[member](key), HRESULT.CERTSRV_E_PROPERTY_EMPTY)
    key.Open()
    key.Close()
    refused(lambda: CLOSED[member](key), HRESULT.CERTSRV_E_PROPERTY_EMPTY)


def test_a_key_is_opened_once_and_again_after_it_was_closed(key: IX509EndorsementKey) -> None:
    key.Open()
    refused(key.Open, HRESULT.WIN32_BUSY)
    key.Close()
    assert (key.Opened, key.ProviderName) == (False, "Microsoft Platform Crypto Provider")
    key.Open()
    assert key.Opened


def test_the_provider_is_set_before_the_key_is_opened(key: IX509EndorsementKey) -> None:
    key.ProviderName = "microsoft platform crypto provider"
    key.Open()
    with pytest.raises(ComError) as caught:
        key.ProviderName = "Microsoft Platform Crypto Provider"
    assert caught.value.code_name == "WIN32_ALREADY_INITIALIZED"
    key.Close()
    key.ProviderName = "Microsoft Platform Crypto Provider"


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        ("Microsoft Software Key Storage Provider", HRESULT.NTE_NOT_SUPPORTED),
        ("Microsoft Strong Cryptographic Provider", HRESULT.NTE_NOT_SUPPORTED),
        ("A provider that nobody has", HRESULT.NTE_KEYSET_NOT_DEF),
        ("", HRESULT.NTE_KEYSET_NOT_DEF),
    ],
)
def test_a_provider_without_an_endorsement_key_is_refused(key: IX509EndorsementKey, provider: str, code: int) -> None:
    key.ProviderName = provider
    refused(key.Open, code)
    assert not key.Opened


def test_without_a_tpm_the_key_is_not_opened(home: Path) -> None:
    key = IX509EndorsementKey()
    refused(key.Open, HRESULT.TBS_E_TPM_NOT_FOUND)
    assert not key.Opened


def test_the_manufacturers_certificate_is_told_apart_from_those_that_were_added(
    key: IX509EndorsementKey, tpm: SwTpm, tmp_path: Path
) -> None:
    spki = public_key(tpm, tmp_path)
    manufacturers, added = certificate_for(tmp_path, spki), certificate_for(tmp_path, spki, "Our own CA")
    write_nv(tpm, CERTIFICATE_INDEX["rsa"], manufacturers, room=500)
    key.Open()
    key.AddCertificate(BINARY, added)
    assert (key.GetCertificateCount(True), key.GetCertificateCount(False)) == (1, 1)
    assert key.GetCertificateByIndex(True, 0, BINARY) == manufacturers
    assert key.GetCertificateByIndex(False, 0, BINARY) == added
    for call in (key.AddCertificate, key.RemoveCertificate):
        refused(lambda call=call: call(BINARY, manufacturers), HRESULT.NTE_PERM)  # type: ignore[misc]


def test_certificates_are_added_once_kept_in_order_and_removed(
    key: IX509EndorsementKey, tpm: SwTpm, tmp_path: Path
) -> None:
    spki = public_key(tpm, tmp_path)
    first, second, third = (certificate_for(tmp_path, spki, f"CA {one}") for one in "123")
    key.Open()
    for certificate in (first, second, third, first):
        key.AddCertificate(BINARY, certificate)
    key.RemoveCertificate(BINARY, second)
    again = IX509EndorsementKey()
    again.Open()
    count = again.GetCertificateCount(False)
    assert [again.GetCertificateByIndex(False, at, BINARY) for at in range(count)] == [first, third]
    refused(lambda: key.RemoveCertificate(BINARY, second), HRESULT.CRYPT_E_NOT_FOUND)


def test_a_certificate_comes_back_in_any_encoding(key: IX509EndorsementKey, tpm: SwTpm, tmp_path: Path) -> None:
    made = certificate_for(tmp_path, public_key(tpm, tmp_path))
    key.Open()
    key.AddCertificate(BINARY, made)
    text = key.GetCertificateByIndex(False, 0)
    assert isinstance(text, str)
    pem = key.GetCertificateByIndex(False, 0, EncodingType.XCN_CRYPT_STRING_BASE64HEADER)
    assert isinstance(pem, str)
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    key.RemoveCertificate(BASE64, text)
    key.AddCertificate(EncodingType.XCN_CRYPT_STRING_BASE64HEADER, pem)
    assert key.GetCertificateByIndex(False, 0, BINARY) == made


def test_a_certificate_of_another_key_and_what_is_none_are_refused(key: IX509EndorsementKey, tmp_path: Path) -> None:
    with SwTpm() as other:
        foreign = certificate_for(tmp_path, public_key(other, tmp_path))
    key.Open()
    refused(lambda: key.AddCertificate(BINARY, foreign), HRESULT.NTE_BAD_PUBLIC_KEY)
    refused(lambda: key.RemoveCertificate(BINARY, foreign), HRESULT.CRYPT_E_NOT_FOUND)
    for garbage in (b"", b"\x30\x00", foreign[:-1]):
        with pytest.raises(ComError, match="CRYPT_E_ASN1"):
            key.AddCertificate(BINARY, garbage)
    refused(lambda: key.AddCertificate(BASE64, "!"), HRESULT.WIN32_INVALID_DATA)
    assert key.GetCertificateCount(False) == 0


@pytest.mark.parametrize("index", [-1, 0, 1, 2**31 - 1])
def test_an_index_without_a_certificate_is_refused(key: IX509EndorsementKey, index: int) -> None:
    key.Open()
    for manufacturers in (True, False):
        with pytest.raises(BadArgument) as caught:
            key.GetCertificateByIndex(manufacturers, index)
        assert (caught.value.code_name, caught.value.argerror) == ("WIN32_INVALID_INDEX", 1)
