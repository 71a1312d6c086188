"""Signer certificates: found in MY, with their keys in software, in a TPM and on a card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.cert_property_types import ICertPropertyKeyProvInfo
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext, X509PrivateKeyVerify
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import object_id
from certenroll.private_keys import IX509PrivateKey
from certenroll.signer_certificates import ISignerCertificate, ISignerCertificates
from keystores.base import PrivateKey
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
HEXRAW = EncodingType.XCN_CRYPT_STRING_HEXRAW
USER, MACHINE = X509CertificateEnrollmentContext.ContextUser, X509CertificateEnrollmentContext.ContextMachine
NONE, SILENT = X509PrivateKeyVerify.VerifyNone, X509PrivateKeyVerify.VerifySilent
RSA, P256, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.3.1.7", "1.2.840.10045.2.1"


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setenv("XENROLL_TPM_TCTI", f"swtpm:path={tmp_path}/none")
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for context in (USER, MACHINE):
        workspace = open_workspace(context)
        workspace.key_stores.close()
        workspace.profile.database.close()


def refused(code: int, call: Callable[..., Any], *args: Any) -> ComError:
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code), caught.value
    return caught.value


def certificate(key: PrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(0x1234).not_valid_before(now).not_valid_after(now + timedelta(days=365)).sign(key, SHA256())
    )
    return built.public_bytes(Encoding.DER)


def agent(location: int = 3, algorithm: str = P256, *, context: int = USER, container: str = "agent") -> bytes:
    """A certificate in MY whose key is where ``location`` says."""
    key = IX509PrivateKey()
    key.ContainerName, key.Algorithm, key.KeyLocation = container, object_id(algorithm), location
    key.MachineContext = context == MACHINE
    key.Create()
    der = certificate(key.stored_key().private_key)
    open_workspace(context).certificates.add("MY", der)
    info = ICertPropertyKeyProvInfo()
    info.Initialize(key)
    info.SetValueOnCertificate(context == MACHINE, BINARY, der)
    return der


def signer(der: bytes, verify: int = SILENT, *, machine: bool = False) -> ISignerCertificate:
    made = ISignerCertificate()
    made.Initialize(machine, verify, BINARY, der)
    return made


def assert_signs(made: ISignerCertificate) -> None:
    public_key = x509.load_der_x509_certificate(made.certificate_bytes()).public_key()
    key = made.signing_key()
    if isinstance(key, rsa.RSAPrivateKey):
        assert isinstance(public_key, rsa.RSAPublicKey)
        public_key.verify(key.sign(b"data", padding.PKCS1v15(), SHA256()), b"data", padding.PKCS1v15(), SHA256())
    else:
        assert isinstance(public_key, ec.EllipticCurvePublicKey)
        public_key.verify(key.sign(b"data", ec.ECDSA(SHA256())), b"data", ec.ECDSA(SHA256()))


@pytest.mark.parametrize(("algorithm", "public"), [(RSA, RSA), (P256, EC)])
@pytest.mark.parametrize("verify", list(X509PrivateKeyVerify))
def test_a_software_key_signs(algorithm: str, public: str, verify: int) -> None:
    made = signer(agent(algorithm=algorithm), verify)
    assert made.PrivateKey.Opened == (verify != NONE)
    assert made.SignatureInformation.PublicKeyAlgorithm.Value == public
    assert_signs(made)


@pytest.mark.parametrize("algorithm", [RSA, P256])
def test_a_key_in_a_tpm_signs(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        made = signer(agent(1, algorithm))
        assert made.PrivateKey.ProviderName == "Microsoft Platform Crypto Provider"
        assert_signs(made)
        open_workspace().key_stores.close()


@pytest.mark.parametrize("algorithm", [RSA, P256])
def test_a_key_on_a_card_signs_with_the_pin_of_the_signer(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with SoftToken() as token:
        der = agent(4, algorithm)
        monkeypatch.delenv("XENROLL_PIN")
        open_workspace().key_stores.close()
        made = ISignerCertificate()
        made.Pin = token.pin
        made.Initialize(False, SILENT, BINARY, der)
        assert_signs(made)
        open_workspace().key_stores.close()


def test_a_wrong_pin_is_told_and_the_object_can_be_initialized_again() -> None:
    with SoftToken() as token:
        der = agent(4)
        open_workspace().key_stores.close()
        made = ISignerCertificate()
        made.Pin = "00000000"
        error = refused(HRESULT.SCARD_W_WRONG_CHV, made.Initialize, False, SILENT, BINARY, der)
        assert "00000000" not in str(error)
        made.Pin = token.pin
        made.Initialize(False, SILENT, BINARY, der)
        assert_signs(made)
        open_workspace().key_stores.close()


@pytest.mark.parametrize("verify", [X509PrivateKeyVerify.VerifySmartCardNone, X509PrivateKeyVerify.VerifySmartCardSilent])
def test_a_card_is_left_alone_until_the_first_signature_where_the_script_says_so(verify: int) -> None:
    with SoftToken():
        made = signer(agent(4), verify)
        assert not made.PrivateKey.Opened
        assert_signs(made)
        open_workspace().key_stores.close()


def test_a_tpm_that_is_away_is_told_with_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        der = agent(1)
        open_workspace().key_stores.close()
    refused(HRESULT.TBS_E_TPM_NOT_FOUND, signer, der)
    assert signer(der, NONE).certificate_bytes() == der


@pytest.mark.parametrize("digits", ["thumbprint", "THUMB PRINT", "1234"])
def test_a_certificate_is_found_by_thumbprint_and_serial_number(digits: str) -> None:
    der = agent()
    thumbprint = hashlib.sha1(der).hexdigest()
    spaced = " ".join(thumbprint[at : at + 2] for at in range(0, 40, 2)).upper()
    made = ISignerCertificate()
    made.Initialize(0, 0, 0xC, {"thumbprint": thumbprint, "THUMB PRINT": spaced}.get(digits, digits))
    assert made.Certificate(BINARY) == der
    assert "".join(str(made.Certificate()).split())[:4] == "MIIB"


def test_a_certificate_that_is_in_neither_my_nor_request_is_not_found() -> None:
    der = agent()
    workspace = open_workspace()
    workspace.certificates.remove("MY", hashlib.sha1(der).digest())
    workspace.certificates.add("CA", der)
    refused(HRESULT.CRYPT_E_NOT_FOUND, signer, der)
    refused(HRESULT.CRYPT_E_NOT_FOUND, ISignerCertificate().Initialize, False, NONE, HEXRAW, "00" * 20)
    workspace.certificates.add("REQUEST", der)
    assert_signs(signer(der))  # its key is found by asking the key stores


def test_a_certificate_without_a_key_is_refused() -> None:
    der = certificate(ec.generate_private_key(ec.SECP256R1()))
    open_workspace().certificates.add("MY", der)
    for verify in (NONE, SILENT):
        refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, signer, der, verify)


def test_a_key_that_was_deleted_is_told_when_it_is_needed() -> None:
    der = agent()
    open_workspace().key_stores.delete("software", "agent")
    refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, signer, der)
    refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, signer(der, NONE).signing_key)


def test_another_key_in_the_container_does_not_sign() -> None:
    der = agent()
    open_workspace().key_stores.delete("software", "agent")
    key = IX509PrivateKey()
    key.ContainerName, key.Algorithm = "agent", object_id(P256)
    key.Create()
    refused(HRESULT.NTE_BAD_PUBLIC_KEY, signer, der)


def test_the_machine_has_signers_of_its_own() -> None:
    der = agent(context=MACHINE)
    refused(HRESULT.CRYPT_E_NOT_FOUND, signer, der)
    made = signer(der, machine=True)
    assert made.PrivateKey.MachineContext
    assert_signs(made)


def test_a_blank_signer_says_so_and_is_initialized_once() -> None:
    blank = ISignerCertificate()
    refused(HRESULT.OLE_E_BLANK, blank.Certificate)
    refused(HRESULT.OLE_E_BLANK, lambda: blank.PrivateKey)
    refused(HRESULT.OLE_E_BLANK, lambda: blank.SignatureInformation)
    refused(HRESULT.OLE_E_BLANK, blank.signing_key)
    der = agent()
    blank.Initialize(False, SILENT, BINARY, der)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, blank.Initialize, False, SILENT, BINARY, der)


def test_the_properties_of_a_dialog_are_kept_and_the_pin_is_not_read() -> None:
    made = ISignerCertificate()
    made.Silent, made.ParentWindow, made.UIContextMessage, made.Pin = True, 7, "sign", "4321"
    assert (made.Silent, made.ParentWindow, made.UIContextMessage) == (True, 7, "sign")
    refused(HRESULT.DISP_E_MEMBERNOTFOUND, lambda: made.Pin)
    assert "4321" not in repr(vars(made))


def test_a_collection_finds_a_signer_by_its_certificate() -> None:
    first, second = agent(), agent(container="second")
    held = ISignerCertificates()
    for der in (first, second):
        held.Add(signer(der, NONE))
    assert (held.Count, held.Find(signer(second, NONE)), held.Find(held(0))) == (2, 1, 0)
    held.Remove(1)
    refused(HRESULT.CRYPT_E_NOT_FOUND, held.Find, signer(second, NONE))
    refused(HRESULT.OLE_E_BLANK, held.Find, ISignerCertificate())
    refused(HRESULT.DISP_E_TYPEMISMATCH, held.Add, object_id("1.2.3"))
