"""Requests whose key a TPM attests, and ICertificateAttestationChallenge: through the object model, with a real TPM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import certenroll
from certenroll.asn1 import attestation, cmc_requests, enveloped, extensions, pkcs10
from certenroll.asn1.attestation import VERIFIED_BY_CERTIFICATE, VERIFIED_BY_CREDENTIALS, Evidence
from certenroll.asn1.attestation_statement import decode_statement, tpm2b
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.content_ciphers import CIPHERS
from certenroll.ca.attestation_rules import AttestationRules, Attested, Trust
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.templates import Mode
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, EnrollmentEnrollStatus, KeyAttestationClaimType
from certenroll.hresults import HRESULT
from tests.support.attesting import Maker, challenge_in
from tests.support.endorsement import CERTIFICATE_INDEX, write_nv
from tests.support.enrolling import BINARY, new_enrollment, new_key, new_request, oid, refused
from tests.support.profiles import keys, make_ca
from tests.support.swtpm import SwTpm
from tests.support.wrapping import blank

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
CR_IN_BASE64, CR_IN_PKCS10, CR_IN_CHALLENGERESPONSE = 0x1, 0x100, 0x500
CR_OUT_BASE64, CR_OUT_BINARY = 0x1, 0x2
FR_PROP_FULLRESPONSE, PROPTYPE_BINARY = 1, 3
ISSUED, UNDER_SUBMISSION = 3, 5


@pytest.fixture(scope="module")
def tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


@pytest.fixture(scope="module")
def other_tpm() -> Iterator[SwTpm]:
    with SwTpm() as started:
        yield started


def trust_issuing_ca(ca: LocalCA) -> None:
    """Puts the CA that issues where chains find it; ``make_ca`` trusts its root."""
    open_workspace().certificates.add("CA", ca.certificates()[0])


@pytest.fixture
def ca(home: Path, tpm: SwTpm, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalCA]:
    """The profile's CA, which wants every key attested and believes whoever asks; the profile has a TPM."""
    monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
    rules = AttestationRules(Attested.REQUIRED, (Trust.CREDENTIALS,))
    made = make_ca(Policy(attestation=rules))  # type: ignore[arg-type]
    trust_issuing_ca(made)
    yield made
    open_workspace().key_stores.close()


def take_other_tpm(monkeypatch: pytest.MonkeyPatch, tcti: str) -> None:
    """Has the profile find another TPM from now on, as after a move to another machine."""
    workspace = open_workspace()
    workspace.key_stores.close()
    monkeypatch.setenv("XENROLL_TPM_TCTI", tcti)
    workspace.__dict__.pop("key_stores", None)


def attested_request(ca: LocalCA, subject: str = "CN=leaf", **key: Any) -> Any:
    """A request for a key that is to be made in the TPM and attested."""
    made = new_request(subject, new_key(**{"KeyLocation": 1} | key))
    made.AttestPrivateKey = True
    made.SetAttestationEncryptionCertificate(BINARY, ca.exchange_certificate())
    return made


def submitted(ca: LocalCA) -> tuple[Any, Any]:
    """(an ICertRequest that was answered with a challenge, the request)."""
    request = attested_request(ca)
    request.Encode()
    sender: Any = certenroll.Dispatch("CertificateAuthority.Request")
    assert sender.Submit(CR_IN_BASE64 | CR_IN_PKCS10, request.RawData(BASE64), "", "") == UNDER_SUBMISSION
    return sender, request


def challenge_of(sender: Any) -> Any:
    """The challenge object for what was answered."""
    made: Any = certenroll.Dispatch("X509Enrollment.CCertificateAttestationChallenge")
    made.Initialize(BASE64, sender.GetFullResponseProperty(FR_PROP_FULLRESPONSE, 0, PROPTYPE_BINARY, CR_OUT_BASE64))
    return made


def policies_of(certificate: bytes) -> list[str]:
    found = read_certificate(certificate).extension(extensions.CERTIFICATE_POLICIES)
    return [one.oid for one in extensions.decode_policies(found.value)] if found is not None else []


def evidence_in(request: Any) -> Evidence | None:
    return attestation.evidence_of(pkcs10.decode(request.RawData(BINARY)))


# The whole way -------------------------------------------------------------------------------------------------------


def test_enroll_answers_the_challenge_and_installs(ca: LocalCA) -> None:
    enrollment = new_enrollment(attested_request(ca))
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    certificate = enrollment.Certificate(BINARY)
    assert policies_of(certificate) == [VERIFIED_BY_CREDENTIALS]
    stored = open_workspace().certificates.find_by_public_key("MY", read_certificate(certificate).public_key_info)
    assert [one.der for one in stored] == [certificate]


def test_the_manufacturers_certificate_in_the_tpm_is_believed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_ca(Policy(attestation=AttestationRules(Attested.REQUIRED, (Trust.CERTIFICATE,))))  # type: ignore[arg-type]
    trust_issuing_ca(made)
    maker = Maker.of("TPM Maker")
    with SwTpm() as tpm:
        take_other_tpm(monkeypatch, tpm.tcti)
        store: Any = open_workspace().key_stores.get("tpm")
        certificate = maker.certificate(store.endorsement_key().public_key)
        write_nv(tpm, CERTIFICATE_INDEX["rsa"], certificate, room=64)
        unbelieved = new_enrollment(attested_request(made))
        unbelieved.Enroll()
        assert unbelieved.Status.Error & 0xFFFFFFFF == HRESULT.CERTSRV_E_INVALID_EK
        maker.put(home / "ca")
        enrollment = new_enrollment(attested_request(made))
        enrollment.Enroll()
        assert policies_of(enrollment.Certificate(BINARY)) == [VERIFIED_BY_CERTIFICATE]
        open_workspace().key_stores.close()


def test_a_script_answers_the_challenge_by_hand(ca: LocalCA) -> None:
    sender, request = submitted(ca)
    challenge = challenge_of(sender)
    assert challenge.RequestID == sender.GetRequestIdString() == "1"
    answer = challenge.DecryptChallenge(BASE64)
    attributes = f"RequestId:{challenge.RequestID}"
    assert sender.Submit(CR_IN_BASE64 | CR_IN_CHALLENGERESPONSE, answer, attributes, "") == ISSUED
    certificate = sender.GetCertificate(CR_OUT_BINARY)
    assert policies_of(certificate) == [VERIFIED_BY_CREDENTIALS]
    assert read_certificate(certificate).public_key_info == request.spki_bytes()
    replayed = refused(sender.Submit, CR_IN_BASE64 | CR_IN_CHALLENGERESPONSE, answer, attributes, "")
    assert replayed == HRESULT.CERTSRV_E_INVALID_RESPONSE


def test_an_enrollment_whose_tpm_was_away_answers_the_next_time(ca: LocalCA, tpm: SwTpm) -> None:
    enrollment = new_enrollment(attested_request(ca))
    enrollment.CreateRequest()
    tpm.stop()
    try:
        assert refused(enrollment.Enroll) == HRESULT.TBS_E_TPM_NOT_FOUND
    finally:
        tpm.start()
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    assert len(ca.requests()) == 1


def test_a_cmc_request_carries_the_evidence_of_the_request_inside(ca: LocalCA) -> None:
    outer = blank("Cmc")
    outer.InitializeFromInnerRequest(attested_request(ca))
    enrollment = new_enrollment(outer)
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    inner = cmc_requests.certification_request(cmc_requests.decode(outer.RawData(BINARY)))
    assert attestation.evidence_of(inner) is not None
    assert policies_of(enrollment.Certificate(BINARY)) == [VERIFIED_BY_CREDENTIALS]


def test_a_key_with_a_pin_is_attested(ca: LocalCA) -> None:
    enrollment = new_enrollment(attested_request(ca, Pin="a pin"))
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled


def test_a_ca_that_wants_evidence_and_gets_none_denies(ca: LocalCA) -> None:
    enrollment = new_enrollment(new_request(key=new_key(KeyLocation=1)))
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.EnrollDenied
    assert enrollment.Status.Error & 0xFFFFFFFF == HRESULT.CERTSRV_E_KEY_ATTESTATION


# The request ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cipher", ["des-ede3-cbc", "aes128-cbc", "aes256-cbc"])
def test_the_evidence_is_encrypted_as_was_asked_and_the_answer_likewise(ca: LocalCA, cipher: str) -> None:
    request = attested_request(ca)
    request.EncryptionAlgorithm = oid(CIPHERS[cipher].oid)
    request.Encode()
    evidence = evidence_in(request)
    assert evidence is not None
    assert evidence.provider == "Microsoft Platform Crypto Provider"
    assert enveloped.decode(evidence.trust_module).cipher == CIPHERS[cipher].oid
    sender: Any = certenroll.Dispatch("CertificateAuthority.Request")
    sender.Submit(CR_IN_BASE64, request.RawData(BASE64), "", "")
    answer = challenge_of(sender).DecryptChallenge(BINARY)
    assert challenge_in(ca.retrieve("1")).cipher == enveloped.decode(answer).cipher == CIPHERS[cipher].oid


def test_the_subject_alone_is_attested_where_the_claim_says_so(ca: LocalCA) -> None:
    request = attested_request(ca)
    request.ClaimType = KeyAttestationClaimType.XCN_NCRYPT_CLAIM_SUBJECT_ONLY
    enrollment = new_enrollment(request)
    enrollment.Enroll()
    assert enrollment.Status.Status == EnrollmentEnrollStatus.Enrolled
    evidence = evidence_in(request)
    assert evidence is not None
    assert (evidence.subject_only, decode_statement(evidence.statement).binding) == (True, None)


@pytest.mark.parametrize("claim", ["AUTHORITY_ONLY", "UNKNOWN"])
def test_other_claims_have_no_place_in_a_request(ca: LocalCA, claim: str) -> None:
    request = attested_request(ca)
    request.ClaimType = KeyAttestationClaimType[f"XCN_NCRYPT_CLAIM_{claim}"]
    assert refused(request.Encode) == HRESULT.NTE_NOT_SUPPORTED
    assert keys()["tpm"] == []


@pytest.mark.parametrize("location", [0, 3, 4])
def test_a_key_in_software_or_on_a_card_is_refused_before_it_is_made(ca: LocalCA, location: int) -> None:
    container = {"ContainerName": "card"} if location == 4 else {}
    request = attested_request(ca, KeyLocation=location, **container)
    assert refused(request.Encode) == HRESULT.NTE_NOT_SUPPORTED
    assert request.PrivateKey.Opened is False
    assert keys()["software"] == []


def test_a_key_that_fell_back_to_software_is_refused_and_deleted(
    ca: LocalCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_other_tpm(monkeypatch, f"swtpm:path={tmp_path}/no-tpm")
    request = attested_request(ca, KeyLocation=2)
    assert refused(request.Encode) == HRESULT.NTE_NOT_SUPPORTED
    assert keys()["software"] == []


@pytest.mark.parametrize("location", [1, 3])
def test_a_preferred_attestation_is_made_where_it_can_be(ca: LocalCA, location: int) -> None:
    request = attested_request(ca, KeyLocation=location)
    request.AttestPrivateKey = False
    request.AttestPrivateKeyPreferred = True
    request.Encode()
    assert (evidence_in(request) is not None) == (location == 1)


def test_an_imported_key_is_not_attested(ca: LocalCA) -> None:
    software = new_key(KeyLocation=3, ExportPolicy=3)
    software.Create()
    imported = new_key(KeyLocation=1)
    imported.Import("PKCS8_PRIVATEKEY", software.Export("PKCS8_PRIVATEKEY", BINARY), BINARY)
    request = new_request(key=imported)
    request.AttestPrivateKey = True
    request.SetAttestationEncryptionCertificate(BINARY, ca.exchange_certificate())
    assert refused(request.Encode) == HRESULT.NTE_BAD_KEY_STATE
    request.AttestPrivateKeyPreferred = True
    request.Encode()
    assert evidence_in(request) is None


def test_the_exchange_certificate_is_there_and_is_one_and_leads_to_a_root(ca: LocalCA) -> None:
    blank_one = new_request(key=new_key(KeyLocation=1))
    blank_one.AttestPrivateKey = True
    assert refused(blank_one.Encode) == HRESULT.CERTSRV_E_PROPERTY_EMPTY
    blank_one.SetAttestationEncryptionCertificate(BINARY, ca.certificates()[0])
    assert refused(blank_one.Encode) == HRESULT.CERT_E_WRONG_USAGE
    stores = open_workspace().certificates
    stores.remove("ROOT", read_certificate(ca.certificates()[-1]).sha1)
    untrusted = attested_request(ca)
    assert refused(untrusted.Encode) in (HRESULT.CERT_E_UNTRUSTEDROOT, HRESULT.CERT_E_CHAINING)
    assert keys()["tpm"] == []


def test_a_public_key_alone_is_not_attested(ca: LocalCA) -> None:
    made = new_request()
    made.Encode()
    request: Any = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    request.InitializeFromPublicKey(1, made.PublicKey)
    request.AttestPrivateKey = True
    assert refused(request.Encode) == HRESULT.NTE_NOT_SUPPORTED


# The challenge object ------------------------------------------------------------------------------------------------


def test_a_challenge_is_initialized_once_and_first(ca: LocalCA) -> None:
    made: Any = certenroll.Dispatch("X509Enrollment.CCertificateAttestationChallenge")
    assert refused(made.DecryptChallenge, BASE64) == HRESULT.OLE_E_BLANK
    assert refused(getattr, made, "RequestID") == HRESULT.OLE_E_BLANK
    sender, _ = submitted(ca)
    challenge = challenge_of(sender)
    assert refused(challenge.Initialize, BINARY, b"") == HRESULT.WIN32_ALREADY_INITIALIZED


def test_only_a_pending_full_response_with_a_challenge_is_one(ca: LocalCA) -> None:
    made: Any = certenroll.Dispatch("X509Enrollment.CCertificateAttestationChallenge")
    assert refused(made.Initialize, BINARY, ca.certificates()[0]) == HRESULT.CRYPT_E_INVALID_MSG_TYPE
    assert refused(made.Initialize, BINARY, b"garbage") >> 16 == 0x8009
    enrollment = new_enrollment(attested_request(ca))
    enrollment.Enroll()
    assert refused(made.Initialize, BINARY, enrollment.Response(BINARY)) == HRESULT.CRYPT_E_INVALID_MSG_TYPE


def test_a_request_that_waits_for_an_administrator_has_no_challenge(home: Path) -> None:
    trust_issuing_ca(make_ca(Mode.HOLD))
    request = new_request()
    request.Encode()
    sender: Any = certenroll.Dispatch("CertificateAuthority.Request")
    sender.Submit(CR_IN_BASE64 | 0x40000, request.RawData(BASE64), "", "")
    assert refused(challenge_of, sender) == HRESULT.TPM_E_ATTESTATION_CHALLENGE_NOT_SET


def test_a_challenge_that_was_changed_is_refused(ca: LocalCA) -> None:
    sender, _ = submitted(ca)
    full = bytearray(sender.GetFullResponseProperty(FR_PROP_FULLRESPONSE, 0, PROPTYPE_BINARY, CR_OUT_BINARY))
    credential = challenge_in(ca.retrieve("1")).credential
    full[full.index(credential)] ^= 1
    made: Any = certenroll.Dispatch("X509Enrollment.CCertificateAttestationChallenge")
    assert refused(made.Initialize, BINARY, bytes(full)) in (HRESULT.NTE_BAD_SIGNATURE, HRESULT.CRYPT_E_HASH_VALUE)


def test_a_ca_that_is_not_trusted_is_not_answered(ca: LocalCA) -> None:
    sender, _ = submitted(ca)
    open_workspace().certificates.remove("ROOT", read_certificate(ca.certificates()[-1]).sha1)
    assert refused(challenge_of, sender) == HRESULT.CERT_E_UNTRUSTEDROOT


def test_another_tpm_does_not_answer(ca: LocalCA, other_tpm: SwTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    sender, _ = submitted(ca)
    challenge = challenge_of(sender)
    take_other_tpm(monkeypatch, other_tpm.tcti)
    assert refused(challenge.DecryptChallenge, BASE64) == HRESULT.NTE_DECRYPTION_FAILURE


def test_the_key_may_be_named_and_is_then_held_to(ca: LocalCA) -> None:
    sender, request = submitted(ca)
    evidence = evidence_in(request)
    assert evidence is not None
    statement = decode_statement(evidence.statement)
    assert statement.binding is not None
    challenge = challenge_of(sender)
    challenge.KeyContainerName = "somebody else's"
    assert refused(challenge.DecryptChallenge, BASE64) == HRESULT.NTE_BAD_KEYSET
    challenge.KeyContainerName = request.PrivateKey.ContainerName
    challenge.SetKeyBlob(BINARY, tpm2b(statement.binding.public))
    assert refused(challenge.DecryptChallenge, BASE64) == HRESULT.NTE_NO_KEY
    challenge.SetKeyBlob(BINARY, b"\0\x10cut short")
    assert refused(challenge.DecryptChallenge, BASE64) == HRESULT.CERTSRV_E_CORRUPT_KEY_ATTESTATION
    challenge.SetKeyBlob(BINARY, tpm2b(statement.key))
    assert challenge.DecryptChallenge(BASE64)


def test_container_and_blob_are_only_written() -> None:
    made: Any = certenroll.Dispatch("X509Enrollment.CCertificateAttestationChallenge")
    assert refused(getattr, made, "KeyContainerName") == HRESULT.DISP_E_MEMBERNOTFOUND
    assert refused(made.KeyBlob) == HRESULT.DISP_E_MEMBERNOTFOUND
