"""IX509CertificateRequestCmc: Microsoft's samples read, and what is made here judged by Bouncy Castle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.asn1 import archived_keys, cmc_requests
from certenroll.asn1.certificates import read_certificate
from certenroll.engine.submission import Enrollable
from certenroll.engine.workspace import Workspace
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.key_blobs import read_key
from tests.support.enrolling import BINARY, key_usage, new_enrollment, new_key, new_request, oid, refused
from tests.support.oracles import read_with_bouncy_castle
from tests.support.shared import shared_path
from tests.support.wrapping import blank, device, installed_signer, pair

BLANK, EMPTY, SEALED = HRESULT.OLE_E_BLANK, HRESULT.CERTSRV_E_PROPERTY_EMPTY, HRESULT.WIN32_ALREADY_INITIALIZED
CLIENT_INFO, AES256 = "1.3.6.1.4.1.311.21.20", "2.16.840.1.101.3.4.1.42"
SAMPLES = ["cmc-encoded-asn-1", "cmc-eobo-encoded-asn-1", "cmc-key-archival-encoded-asn-1", "cmc--renewal-encoded-asn-1"]
SIZES = pytest.mark.parametrize("size", [{"Length": 2048}, {}], ids=["RSA", "P-256"])
EXCHANGE_KEY = rsa.generate_private_key(65537, 2048)
HEX = 4


def exchange_certificate() -> bytes:
    """A CA exchange certificate."""
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA exchange")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(who, who, EXCHANGE_KEY.public_key(), 4711, now, now + timedelta(days=3650))
    return builder.sign(EXCHANGE_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def sample(which: str) -> bytes:
    return shared_path("vectors", "msdocs-requests", f"{which}.der").read_bytes()


def decoded(data: bytes) -> Any:
    made = blank("Cmc")
    made.InitializeDecode(data, BINARY)
    return made


def around(inner: Any) -> Any:
    """A CMC request with a request inside."""
    made = blank("Cmc")
    made.InitializeFromInnerRequest(inner)
    return made


def encoded(request: Any) -> bytes:
    request.Encode()
    data: bytes = request.RawData(BINARY)
    return data


def archiving(key: Any) -> Any:
    request = around(new_request(key=key))
    request.ArchivePrivateKey = True
    request.SetKeyArchivalCertificate(BINARY, exchange_certificate())
    return request


def all_good(folder: Path, data: bytes, depth: int = 0) -> Any:
    """Bouncy Castle's reading, every signature of which fits; ours agrees."""
    (reading,) = read_with_bouncy_castle(folder, data)
    signers = reading.of("signer", depth)
    assert {one["good"] for one in signers} == {"true"}
    cmc_requests.verify(cmc_requests.decode(data))
    return reading


@pytest.fixture(params=["software", "tpm", "smartcard"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[int]:
    """Each KeyLocation, with its device."""
    with device(request.param, monkeypatch) as found:
        yield found


# Microsoft's samples.


@pytest.mark.parametrize("which", SAMPLES)
def test_a_sample_comes_back_octet_for_octet_and_its_signature_fits(home: Path, which: str) -> None:
    request = decoded(sample(which))
    assert request.RawData(BINARY) == sample(which)
    request.CheckSignature()
    assert request.NullSigned is False
    assert request.HashAlgorithm.Value == request.SignatureInformation.HashAlgorithm.Value == "1.3.14.3.2.26"
    assert request.ClientId == 9
    assert CLIENT_INFO in [one.ObjectId.Value for one in request.CryptAttributes]
    assert request.GetInnerRequest(0) is request.GetInnerRequest(1)
    assert request.GetInnerRequest(1).Type == 1


def test_the_sample_for_another_has_an_agent_and_a_requester(home: Path) -> None:
    request = decoded(sample("cmc-eobo-encoded-asn-1"))
    assert request.RequesterName == "Domain\\TargetUser"
    assert [(one.Name, one.Value) for one in request.NameValuePairs] == [("RequesterName", "Domain\\TargetUser")]
    assert request.SignerCertificates.Count == 1
    request.CheckCertificateSignature(request.SignerCertificate)
    assert refused(request.CheckCertificateSignature, request.SignerCertificate, True) == HRESULT.CERT_E_CHAINING


def test_the_sample_of_key_archival_tells_cipher_and_hash(home: Path) -> None:
    request = decoded(sample("cmc-key-archival-encoded-asn-1"))
    assert request.ArchivePrivateKey is True
    assert request.EncryptionAlgorithm.Value == "1.2.840.113549.3.7"
    sealed = cmc_requests.decode(sample("cmc-key-archival-encoded-asn-1")).archived_key or b""
    assert request.EncryptedKeyHash(BINARY) == hashlib.sha1(sealed, usedforsecurity=False).digest()


@pytest.mark.parametrize("which", SAMPLES)
def test_a_truncated_sample_is_refused_and_leaves_the_object_blank(home: Path, which: str) -> None:
    data, request = sample(which), blank("Cmc")
    for size in range(0, len(data), 23):
        assert refused(request.InitializeDecode, data[:size], BINARY) >> 16 == 0x8009
    assert refused(request.RawData) == BLANK
    request.InitializeDecode(data, BINARY)
    assert request.RawData(BINARY) == data


@pytest.mark.parametrize("which", SAMPLES)
def test_a_flipped_bit_gives_a_typed_error_or_a_request_and_never_half_of_one(home: Path, which: str) -> None:
    data = sample(which)
    for place in range(0, len(data), 13):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        request = blank("Cmc")
        try:
            request.InitializeDecode(bytes(flipped), BINARY)
        except ComError:
            assert (request.is_initialized, request.is_encoded) == (False, False)
        else:
            assert request.RawData(BINARY)


# What is made here.


@SIZES
def test_a_request_in_each_key_store_has_a_good_primary_signature(
    place: int, size: dict[str, Any], tmp_path: Path
) -> None:
    request = around(new_request("CN=cmc", new_key(KeyLocation=place, ContainerName="cmc", **size)))
    data = encoded(request)
    reading = all_good(tmp_path, data)
    assert [one["good"] for one in reading.of("request")] == ["true"]
    assert [one["oid"] for one in reading.of("added")] == [CLIENT_INFO]
    request.CheckSignature()
    assert decoded(data).RawData(BINARY) == data


@SIZES
def test_a_renewal_in_each_key_store_is_signed_by_both_keys(
    place: int, size: dict[str, Any], workspace: Workspace, tmp_path: Path
) -> None:
    old = installed_signer("CN=renewed", KeyLocation=place, ContainerName="old", **size)
    request = blank("Cmc")
    request.InitializeFromCertificate(1, True, old.Certificate(BINARY), BINARY)
    request.GetInnerRequest(0).PrivateKey.KeyLocation = place
    request.GetInnerRequest(0).PrivateKey.ContainerName = "new"
    data = encoded(request)
    assert len(all_good(tmp_path, data).of("signer")) == 2
    request.CheckSignature()
    request.CheckCertificateSignature(old)
    assert request.RenewalCertificate(BINARY) == decoded(data).RenewalCertificate(BINARY) == old.Certificate(BINARY)


def test_two_agents_ask_for_another(workspace: Workspace, tmp_path: Path) -> None:
    request = around(new_request("CN=somebody"))
    request.RequesterName = "DOMAIN\\somebody"
    first, second = installed_signer("CN=first", Length=2048), installed_signer("CN=second")
    request.SignerCertificates.Add(first)
    request.SignerCertificates.Add(second)
    reading = all_good(tmp_path, encoded(request))
    assert len(reading.of("signer")) == 3
    assert reading.of("registration") == [{"text": "RequesterName=DOMAIN%5Csomebody&"}]
    for signer in (first, second):
        request.CheckCertificateSignature(signer)
    assert refused(request.CheckCertificateSignature, installed_signer("CN=third")) == EMPTY


def test_what_is_said_about_a_request_is_read_back(home: Path, tmp_path: Path) -> None:
    request = around(new_request())
    request.TransactionId = 4711
    request.SetSenderNonce(HEX, "01 02 03 04")
    request.NameValuePairs.Add(pair("CertificateUsage", "a=b&c"))
    request.X509Extensions.Add(key_usage(0x20))
    data = encoded(request)
    all_good(tmp_path, data)
    again = decoded(data)
    assert (again.TransactionId, again.SenderNonce(BINARY)) == (4711, b"\1\2\3\4")
    assert [(one.Name, one.Value) for one in again.NameValuePairs] == [("CertificateUsage", "a=b&c")]
    assert [(one.ObjectId.Value, one.Critical) for one in again.X509Extensions] == [("2.5.29.15", True)]
    assert [one.Value for one in again.CriticalExtensions] == ["2.5.29.15"]


def test_client_information_can_be_suppressed(home: Path) -> None:
    request = around(new_request())
    request.SuppressOids.Add(oid(CLIENT_INFO))
    assert cmc_requests.decode(encoded(request)).data.attributes == ()
    other = around(new_request())
    other.SuppressDefaults = True
    assert cmc_requests.decode(encoded(other)).data.controls == ()


@pytest.mark.parametrize(("template", "named"), [("User", "1.3.6.1.4.1.311.20.2"), ("1.2.3.4", "1.3.6.1.4.1.311.21.7")])
def test_a_template_beside_the_inner_request_becomes_an_extension(home: Path, template: str, named: str) -> None:
    request = blank("Cmc")
    request.InitializeFromInnerRequestTemplateName(new_request(), template)
    data = encoded(request)
    assert [one.oid for one in cmc_requests.decode(data).data.extensions] == [named]
    assert decoded(data).template_name == template


def test_messages_stand_in_messages_and_each_level_is_reached(workspace: Workspace, tmp_path: Path) -> None:
    middle = around(new_request("CN=core"))
    outer = around(middle)
    outer.SignerCertificates.Add(installed_signer("CN=outer"))
    data = encoded(outer)
    all_good(tmp_path, data)
    all_good(tmp_path, data, 1)
    again = decoded(data)
    assert [again.GetInnerRequest(1).Type, again.GetInnerRequest(0).Type] == [3, 1]
    assert again.GetInnerRequest(0).Subject.Name == "CN=core"
    assert again.GetInnerRequest(1).GetInnerRequest(1).Subject.Name == "CN=core"
    assert again.RawData(BINARY) == data
    outer.ResetForEncode()
    assert (middle.is_encoded, outer.is_encoded) == (False, False)


@pytest.mark.parametrize("cipher", ["", AES256], ids=["3DES", "AES-256"])
@SIZES
def test_a_software_key_is_archived_and_the_ca_opens_it(
    home: Path, size: dict[str, Any], cipher: str, tmp_path: Path
) -> None:
    request = archiving(new_key(ExportPolicy=1, ContainerName="archived", **size))
    if cipher:
        request.EncryptionAlgorithm = oid(cipher)
        request.EncryptionStrength = 256
    data = encoded(request)
    all_good(tmp_path, data)
    sealed = cmc_requests.verify_archived_key(cmc_requests.decode(data)) or b""
    blob = archived_keys.open_key(sealed, read_certificate(exchange_certificate()), EXCHANGE_KEY)
    key = read_key("CAPIPRIVATEBLOB" if size else "ECCPRIVATEBLOB", blob)
    assert key.public_key() == request.key_object.stored_key().private_key.public_key()
    assert request.EncryptedKeyHash(BINARY) == hashlib.sha1(sealed, usedforsecurity=False).digest()
    request.ResetForEncode()
    assert refused(request.EncryptedKeyHash) == EMPTY


def test_archival_without_an_exchange_certificate_makes_no_key(workspace: Workspace) -> None:
    request = around(new_request())
    request.ArchivePrivateKey = True
    assert refused(request.Encode) == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED
    assert [one for report in workspace.key_stores.list_all() for one in report.keys] == []


def test_a_key_that_cannot_be_exported_is_not_archived_and_does_not_stay(place: int, workspace: Workspace) -> None:
    request = archiving(new_key(KeyLocation=place, ContainerName="archived"))
    assert refused(request.Encode) == HRESULT.NTE_BAD_KEY_STATE
    assert [one for report in workspace.key_stores.list_all() for one in report.keys] == []
    assert request.GetInnerRequest(1).is_encoded is False


def test_a_key_that_is_not_here_gives_a_null_signature(home: Path) -> None:
    foreign = new_request()
    foreign.Encode()
    inner: Any = blank("Pkcs10")
    inner.InitializeFromPublicKey(1, foreign.PublicKey, "")
    request = around(inner)
    data = encoded(request)
    assert request.NullSigned is True
    assert refused(request.CheckSignature) == HRESULT.WIN32_INVALID_STATE
    request.CheckSignature(2)
    cmc_requests.verify(cmc_requests.decode(data), allow_null=True)
    assert decoded(data).NullSigned is True


def test_a_request_made_elsewhere_is_signed_by_the_agent_alone(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = new_request("CN=elsewhere")
    elsewhere.Encode()
    inner: Any = blank("Pkcs10")
    inner.InitializeDecode(elsewhere.RawData(), 1)
    request = around(inner)
    request.SignerCertificates.Add(installed_signer())
    assert len(all_good(tmp_path, encoded(request)).of("signer")) == 1
    assert refused(request.CheckSignature) == HRESULT.CRYPT_E_NO_SIGNER


def test_pss_is_the_signature_where_it_is_asked_for(home: Path, tmp_path: Path) -> None:
    request = around(new_request(key=new_key(Length=2048)))
    request.AlternateSignatureAlgorithm = True
    request.HashAlgorithm = oid("2.16.840.1.101.3.4.2.2")
    data = encoded(request)
    all_good(tmp_path, data)
    assert decoded(data).AlternateSignatureAlgorithm is True
    assert decoded(data).HashAlgorithm.Value == "2.16.840.1.101.3.4.2.2"


def test_an_enrollment_takes_it_and_notes_its_format(workspace: Workspace) -> None:
    request = around(new_request())
    assert [one for one in (request,) if isinstance(one, Enrollable)]
    enrollment = new_enrollment(request)
    assert enrollment.CreateRequest(BINARY) == request.RawData(BINARY)
    (record,) = workspace.requests.list()
    assert record.request_type == "TypeCmc"


def test_reset_brings_back_what_the_caller_gave(home: Path) -> None:
    request = around(new_request())
    request.RequesterName = "A\\b"
    request.Encode()
    assert (request.CryptAttributes.Count, request.NameValuePairs.Count) == (1, 1)
    assert refused(setattr, request, "TransactionId", 1) == SEALED
    request.ResetForEncode()
    assert (request.CryptAttributes.Count, request.NameValuePairs.Count) == (0, 0)
    request.Encode()


def test_initialize_makes_an_empty_pkcs10_inside(home: Path) -> None:
    request = blank("Cmc")
    request.Initialize(1)
    request.GetInnerRequest(0).PrivateKey.Algorithm = new_key().Algorithm
    request.Encode()
    request.CheckSignature()


@pytest.mark.parametrize("member", ["TransactionId", "RequesterName", "SignerCertificate", "TemplateObjectId"])
def test_what_is_not_there_is_empty_and_blank_before_initialize(home: Path, member: str) -> None:
    assert refused(getattr, blank("Cmc"), member) == BLANK
    assert refused(getattr, around(new_request()), member) == EMPTY
    for method in ("SenderNonce", "KeyArchivalCertificate", "EncryptedKeyHash"):
        assert refused(getattr(around(new_request()), method)) == EMPTY


def test_impossible_ciphers_and_strengths_are_refused(home: Path) -> None:
    request = around(new_request())
    assert refused(setattr, request, "EncryptionAlgorithm", oid("1.2.3")) == HRESULT.NTE_BAD_ALGID
    assert refused(setattr, request, "EncryptionStrength", 40) == HRESULT.NTE_BAD_LEN
    assert request.EncryptionStrength == 168


def test_a_pkcs7_does_not_go_inside(home: Path) -> None:
    wrong = blank("Pkcs7")
    wrong.Initialize(1)
    assert refused(blank("Cmc").InitializeFromInnerRequest, wrong) == HRESULT.CRYPT_E_INVALID_MSG_TYPE
