"""Certificates that a request needs: renewed ones, signers, and the CA's that a private key is archived for."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll import facade
from certenroll.asn1 import cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.attributes import RENEWAL_CERTIFICATE
from certenroll.ca.archival import KEY_RECOVERY_AGENT
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm
from tests.support import judges
from tests.support.installed import property_of
from tests.support.oracles import read_with_bouncy_castle
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll

PKCS10, PKCS7, CMC = 1, 2, 3
AGENTS_KEY = rsa.generate_private_key(65537, 2048)


def self_signed(name: str, *usages: str) -> bytes:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, AGENTS_KEY.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=100))
    if usages:
        oids = [x509.ObjectIdentifier(one) for one in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    return builder.sign(AGENTS_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture
def archive(tmp_path: Path) -> LocalCA:
    """A CA that archives the keys of the template "Archive"."""
    made = LocalCA.create(
        tmp_path / "archive", "Archive CA", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True,
        policy=Policy(templates={"Archive": {"archive_key": True}}),
    )  # fmt: skip
    made.add_recovery_agent(self_signed("agent", KEY_RECOVERY_AGENT))
    return made


def base64_of(certificate: bytes) -> str:
    return f"-----BEGIN CERTIFICATE-----\r\n{base64.b64encode(certificate).decode()}\r\n-----END CERTIFICATE-----\r\n"


def installed(name: str) -> Any:
    """The certificate of that subject that came to MY last."""
    return [one for one in facade.certificates("MY") if one.subject == name][-1]


def enrolled(control: Any, ca: LocalCA, name: str = "CN=User") -> bytes:
    """A first certificate."""
    control.addCertTypeToRequest("User")
    control.acceptPKCS7(answer_of(ca, control.createPKCS10WStr(name, "")))
    control.resetExtensions()
    der: bytes = installed(name).der
    return der


def test_the_script_of_microsofts_page_has_its_key_archived(archive: LocalCA) -> None:
    control: Any = CEnroll()
    control.PrivateKeyArchiveCertificate = base64_of(archive.exchange_certificate())
    control.addCertTypeToRequest("Archive")
    text = control.createRequest(CMC, "CN=UserName,OU=UserUnit,O=UserOrg,L=UserCity,S=WA,C=US", None)
    message = base64.b64decode("".join(text.split("-----")[2].split()))
    control.acceptResponse(base64.b64encode(answer_of(archive, message)).decode())
    (found,) = facade.certificates("MY")
    public = x509.load_der_x509_certificate(found.der).public_key()
    assert archive.recover(str(archive.requests()[-1].id), AGENTS_KEY).public_key() == public
    sent = cmc_requests.decode(message).archived_key
    assert property_of("ArchivedKeyHash", found.der).ArchivedKeyHash(2) == hashlib.sha1(sent or b"").digest()
    refused(HRESULT.NTE_BAD_KEY_STATE, control.createPFX, "secret")  # archivable is not exportable


def test_bouncy_castle_finds_the_archived_key_beside_the_signature(archive: LocalCA, tmp_path: Path) -> None:
    control: Any = CEnroll()
    control.SetPrivateKeyArchiveCertificate(archive.exchange_certificate())
    (found,) = read_with_bouncy_castle(tmp_path, control.createRequestWStr(CMC, "CN=x", ""))
    assert (found.verdict, len(found.of("archived"))) == ("good", 1)
    control.SetPrivateKeyArchiveCertificate(None)
    (found,) = read_with_bouncy_castle(tmp_path, control.createRequestWStr(CMC, "CN=x", ""))
    assert not found.of("archived")


def test_a_key_is_archived_in_cmc_alone(archive: LocalCA) -> None:
    control: Any = CEnroll()
    control.SetPrivateKeyArchiveCertificate(archive.exchange_certificate())
    refused(HRESULT.NTE_NOT_SUPPORTED, control.createRequest, PKCS7, "CN=x", "")
    assert not facade.containers("software")
    assert control.createRequest(PKCS10, "CN=x", "")
    with SoftToken():
        control.KeyLocation, control.ContainerName = 4, "card"
        refused(HRESULT.NTE_BAD_KEY_STATE, control.createRequest, CMC, "CN=x", "")
        assert not facade.containers("smartcard")


def test_a_certificate_is_read_as_it_was_set_in_both_worlds(control: Any) -> None:
    assert (control.PrivateKeyArchiveCertificate, control.GetPrivateKeyArchiveCertificate()) == ("", b"")
    assert control.RenewalCertificate == b""
    der = self_signed("x")
    for value in (base64_of(der), base64.b64encode(der).decode(), der):
        control.PrivateKeyArchiveCertificate = value
        assert control.GetPrivateKeyArchiveCertificate() == der
        assert base64.b64decode(control.PrivateKeyArchiveCertificate) == der
        assert control.PrivateKeyArchiveCertificate.endswith("\r\n")
    control.RenewalCertificate = der
    assert control.RenewalCertificate == der
    control.Reset()
    assert (control.PrivateKeyArchiveCertificate, control.RenewalCertificate) == ("", b"")


def test_the_signer_can_only_be_written(control: Any) -> None:
    control.SignerCertificate = base64_of(self_signed("x"))
    refused(HRESULT.DISP_E_MEMBERNOTFOUND, getattr, control, "SignerCertificate")


@pytest.mark.parametrize(
    ("member", "put"),
    [("PrivateKeyArchiveCertificate", True), ("SignerCertificate", True), ("RenewalCertificate", True),
     ("SetPrivateKeyArchiveCertificate", False), ("SetSignerCertificate", False)],
)  # fmt: skip
def test_what_is_no_certificate_is_refused_and_changes_nothing(control: Any, member: str, put: bool) -> None:
    control.SetPrivateKeyArchiveCertificate(self_signed("x"))
    before = dict(control.__dict__)
    for bad in (b"none", self_signed("y")[:-1], 7):
        with pytest.raises(ComError) as caught:
            setattr(control, member, bad) if put else getattr(control, member)(bad)
        assert caught.value.code_name.startswith(("CRYPT_E_ASN1", "DISP_E_TYPEMISMATCH"))
    assert control.__dict__ == before


def test_a_signer_must_be_in_my_with_its_key(control: Any) -> None:
    control.SetSignerCertificate(self_signed("x"))
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.createRequest, PKCS7, "CN=x", "")
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.createRequest, CMC, "CN=x", "")
    facade.add_certificate("MY", self_signed("y"))
    control.SetSignerCertificate(facade.certificates("MY")[0].der)
    refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, control.createRequest, PKCS7, "CN=x", "")
    assert not facade.containers("software")
    assert not facade.pending_requests()


@pytest.mark.parametrize("kind", [PKCS7, CMC])
def test_a_certificate_is_renewed_with_a_new_key(control: Any, ca: LocalCA, kind: int, tmp_path: Path) -> None:
    old = enrolled(control, ca)
    control.RenewalCertificate = old
    message = control.createRequestWStr(kind, "", "")
    (found,) = read_with_bouncy_castle(tmp_path, message)
    assert found.verdict == "good"
    control.acceptResponse(answer_of(ca, message))
    new = installed("CN=User").der
    assert new != old
    assert ca.requests()[-1].template == "User"
    assert property_of("Renewal", old).Renewal(2) == hashlib.sha1(new).digest()
    assert property_of("Archived", old).Archived is True


@pytest.mark.parametrize("kind", [PKCS7, CMC])
def test_a_certificate_is_renewed_with_its_own_key_on_a_card(ca: LocalCA, kind: int) -> None:
    with SoftToken() as token:
        control: Any = CEnroll()
        control.KeyLocation, control.ContainerName = 4, "own"
        old = enrolled(control, ca)
        control.UseExistingKeySet = True
        control.RenewalCertificate = old
        control.acceptResponse(answer_of(ca, control.createRequestWStr(kind, "", "")))
        new = installed("CN=User").der
        assert new != old
        keys = [x509.load_der_x509_certificate(one).public_key() for one in (old, new)]
        assert keys[0] == keys[1]
        assert token.store().read_certificate("own") == new


def test_a_renewal_in_pkcs7_is_signed_by_the_old_key_over_the_content_itself(
    control: Any, ca: LocalCA, tmp_path: Path
) -> None:
    old = enrolled(control, ca)
    control.RenewalCertificate = old
    message = control.createRequestWStr(PKCS7, "", "")
    (signer,) = pkcs7_requests.decode(message).signed.signers
    assert not signer.signed_attributes
    assert pkcs7_requests.renewal_certificate_of(pkcs7_requests.decode(message).request) == old
    (tmp_path / "message").write_bytes(message)
    judges.run(
        program("openssl"), "cms", "-verify", "-noverify", "-inform", "DER", "-in", str(tmp_path / "message"), "-out",
        str(tmp_path / "inner"),
    )  # fmt: skip


def test_a_pkcs10_names_what_it_renews_and_becomes_a_renewal_in_a_pkcs7(control: Any, ca: LocalCA) -> None:
    old = enrolled(control, ca)
    control.RenewalCertificate = old
    request = control.createPKCS10WStr("", "")
    assert pkcs10.decode(request).values(RENEWAL_CERTIFICATE) == (old,)
    control.acceptPKCS7(answer_of(ca, control.CreatePKCS7RequestFromRequest(request, old)))
    assert installed("CN=User").der != old
    assert property_of("Archived", old).Archived is True


def test_an_agent_and_the_old_key_both_sign_a_cmc_renewal(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    old = enrolled(control, ca)
    control.addCertTypeToRequest("EnrollmentAgent")
    control.acceptPKCS7(answer_of(ca, control.createPKCS10WStr("CN=Agent", "")))
    control.resetExtensions()
    control.SetSignerCertificate(installed("CN=Agent").der)
    control.RenewalCertificate = old
    (found,) = read_with_bouncy_castle(tmp_path, control.createRequestWStr(CMC, "", ""))
    assert (found.verdict, len(found.of("signer"))) == ("good", 3)


def test_the_machine_renews_with_the_machines_certificate(control: Any, ca: LocalCA) -> None:
    control.MyStoreFlags = 0x20000
    control.addCertTypeToRequest("Machine")
    control.acceptPKCS7(answer_of(ca, control.createPKCS10WStr("CN=host", "")))
    control.resetExtensions()
    old = facade.certificates("MY", 2)[0].der
    control.RenewalCertificate = old
    message = control.CreatePKCS7RequestFromRequest(control.createPKCS10WStr("CN=host", ""), old)
    control.acceptResponse(answer_of(ca, message))
    assert [one.subject for one in facade.certificates("MY", 2)] == ["CN=host"]
