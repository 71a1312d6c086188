"""Key archival through IX509Enrollment: a software key goes to the CA and comes back, no other key leaves its store."""

from __future__ import annotations

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
from certenroll.asn1 import cmc_requests
from certenroll.ca.archival import KEY_RECOVERY_AGENT
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.enums import EnrollmentEnrollStatus, X509PrivateKeyExportFlags
from certenroll.hresults import HRESULT
from tests.support.enrolling import BINARY, new_key, new_request, oid, refused
from tests.support.installed import (
    ALGORITHMS,
    CARD,
    SOFTWARE,
    TPM,
    Place,
    change_policy,
    enroll,
    judged,
    make_ca,
    message,
    property_of,
)
from tests.support.profiles import everything

NONE = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_NONE
EXPORT = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_EXPORT_FLAG
ARCHIVING = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_ARCHIVING_FLAG
PLAIN_ARCHIVING = X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG
AES256, TRIPLE_DES = "2.16.840.1.101.3.4.1.42", "1.2.840.113549.3.7"
AGENTS_KEY = rsa.generate_private_key(65537, 2048)


def agents_certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "recovery agent")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, AGENTS_KEY.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=100))
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(KEY_RECOVERY_AGENT)]), critical=False)
    return builder.sign(AGENTS_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture
def ca(profile: Path) -> LocalCA:
    made = make_ca(templates={"Archive": {"archive_key": True}})
    made.add_recovery_agent(agents_certificate())
    return made


def archiving(ca: LocalCA, key: Any, cipher: str = "") -> Any:
    """A CMC request whose key the CA is to archive."""
    made = message("Cmc", inner=new_request("CN=archived", key))
    made.ArchivePrivateKey = True
    made.SetKeyArchivalCertificate(BINARY, ca.exchange_certificate())
    if cipher:
        made.EncryptionAlgorithm = oid(cipher)
    return made


@pytest.mark.parametrize("cipher", ["", TRIPLE_DES, AES256])
@pytest.mark.parametrize("policy", [EXPORT, ARCHIVING, PLAIN_ARCHIVING])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_software_key_is_archived_and_its_recovery_agent_gets_it(
    ca: LocalCA, tmp_path: Path, algorithm: str, policy: int, cipher: str
) -> None:
    enrollment = enroll(archiving(ca, SOFTWARE.new_key(algorithm, ExportPolicy=policy), cipher), "Archive")
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    found = judged(tmp_path, enrollment.Certificate(BINARY), SOFTWARE)
    assert ca.recover(enrollment.RequestIdString, AGENTS_KEY).public_key() == found.public_key()


def test_the_certificate_says_which_key_the_ca_has(ca: LocalCA) -> None:
    request = archiving(ca, SOFTWARE.new_key("EC", ExportPolicy=EXPORT))
    certificate = enroll(request, "Archive").Certificate(BINARY)
    sent = cmc_requests.decode(request.RawData(BINARY)).archived_key
    told = property_of("ArchivedKeyHash", certificate).ArchivedKeyHash(BINARY)
    assert told == hashlib.sha1(sent or b"").digest() == request.EncryptedKeyHash(BINARY)


def test_a_key_that_may_be_archived_leaves_its_store_this_once(ca: LocalCA) -> None:
    key = SOFTWARE.new_key("EC", ExportPolicy=ARCHIVING)
    enroll(archiving(ca, key), "Archive")
    assert refused(key.Export, "ECCPRIVATEBLOB") == HRESULT.NTE_BAD_KEY_STATE
    existing = new_key(KeyLocation=SOFTWARE.location, ContainerName=key.ContainerName, ExportPolicy=ARCHIVING)
    existing.Existing = True
    existing.Open()
    before = everything()
    assert refused(enroll, archiving(ca, existing), "Archive") == HRESULT.NTE_BAD_KEY_STATE
    assert everything() == before


@pytest.mark.parametrize("policy", [NONE, EXPORT, ARCHIVING])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("place", [TPM, CARD], ids=lambda place: place.store)
def test_no_key_leaves_a_tpm_or_a_card_and_nothing_is_left_of_the_request(
    request: pytest.FixtureRequest, ca: LocalCA, place: Place, algorithm: str, policy: int
) -> None:
    place.ready(request)
    before = everything()
    asked = archiving(ca, place.new_key(algorithm, ExportPolicy=policy))
    assert refused(enroll, asked, "Archive") == HRESULT.NTE_BAD_KEY_STATE
    assert everything() == before
    assert ca.requests() == ()
    asked.ArchivePrivateKey = False  # it is open again, and a key that is not archived goes where it was wanted
    if policy != EXPORT:
        change_policy(ca, templates={"Archive": {"archive_key": False}})
        assert enroll(asked, "Archive").Status.Status == EnrollmentEnrollStatus.Enrolled


def test_a_software_key_that_may_not_leave_is_not_archived(ca: LocalCA) -> None:
    before = everything()
    assert refused(enroll, archiving(ca, SOFTWARE.new_key("RSA")), "Archive") == HRESULT.NTE_BAD_KEY_STATE
    assert everything() == before


def test_a_key_without_an_exchange_certificate_is_not_made(ca: LocalCA) -> None:
    request = message("Cmc", inner=new_request("CN=archived", SOFTWARE.new_key("EC", ExportPolicy=EXPORT)))
    request.ArchivePrivateKey = True
    before = everything()
    assert refused(enroll, request, "Archive") == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED
    assert everything() == before


def test_a_request_without_the_key_that_the_template_wants_is_denied(ca: LocalCA) -> None:
    enrollment = enroll(message("Cmc", inner=new_request("CN=archived", SOFTWARE.new_key("EC"))), "Archive")
    assert enrollment.Status.Status == EnrollmentEnrollStatus.EnrollDenied
    assert enrollment.Status.Error & 0xFFFFFFFF == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED


def test_an_archived_key_whose_request_waited_comes_back_too(ca: LocalCA, tmp_path: Path) -> None:
    holding = change_policy(ca, mode=Mode.HOLD)
    enrollment = enroll(archiving(holding, SOFTWARE.new_key("RSA", ExportPolicy=ARCHIVING)), "Archive")
    assert enrollment.Status.Status == EnrollmentEnrollStatus.EnrollPended
    holding.issue(enrollment.RequestIdString)
    _, installation = facade.retrieve_pending(enrollment.RequestIdString)
    assert installation is not None
    found = judged(tmp_path, installation.certificate or b"", SOFTWARE)
    assert holding.recover(enrollment.RequestIdString, AGENTS_KEY).public_key() == found.public_key()
