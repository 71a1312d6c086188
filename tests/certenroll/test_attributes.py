"""IX509Attribute, ICryptAttribute and the typed attributes of requests."""

import base64
import hashlib
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll.asn1 import attributes, der
from certenroll.asn1.attributes import ClientInfo, CspProvider
from certenroll.asn1.der import Attribute
from certenroll.attribute_types import TYPES, attribute_from, crypt_attribute_from
from certenroll.attributes import ICryptAttribute, ICryptAttributes, IX509Attribute, IX509Attributes
from certenroll.enums import EncodingType, RequestClientInfoClientId, X509KeySpec
from certenroll.errors import ComError
from certenroll.extensions import IX509Extension, IX509Extensions
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import IObjectId, object_id
from certenroll.registry import public_class
from tests.support.requires import program
from tests.support.shared import shared_path

BASE64, BINARY, HEXRAW = (
    EncodingType.XCN_CRYPT_STRING_BASE64,
    EncodingType.XCN_CRYPT_STRING_BINARY,
    EncodingType.XCN_CRYPT_STRING_HEXRAW,
)
EXPORTABLE = 1


def refused(code, call, *args):
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code)


def encoded(kind, *arguments):
    made = public_class(kind)()
    made.InitializeEncode(*arguments)
    return made


def value_of(oid="1.2.3", value=b"\x05\x00"):
    made = IX509Attribute()
    made.Initialize(object_id(oid), BINARY, value)
    return made


def requested():
    one = IX509Extension()
    one.Initialize(object_id("2.5.29.15"), HEXRAW, "030205a0")
    one.Critical = True
    return IX509Extensions([one])


@pytest.fixture(scope="module")
def exchange_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(exchange_key):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA-Xchg")])
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, exchange_key.public_key(), 0xABCDEF, start, end)
    return builder.sign(exchange_key, hashes.SHA256()).public_bytes(Encoding.DER)


# Interface -> its identifier, arguments of InitializeEncode, DER of the value.
KINDS = {
    "IX509AttributeOSVersion": (attributes.OS_VERSION, ("6.0.5361.2",), attributes.encode_os_version("6.0.5361.2")),
    "IX509AttributeClientId": (
        attributes.CLIENT_INFO,
        (9, "host", "DOMAIN\\user", "certreq"),
        attributes.encode_client_info(ClientInfo(9, "host", "DOMAIN\\user", "certreq")),
    ),
    "IX509AttributeCspProvider": (
        attributes.CSP_PROVIDER,
        (1, "Provider", BINARY, b"\x01"),
        attributes.encode_csp_provider(CspProvider(1, "Provider", b"\x01")),
    ),
    "IX509AttributeExtensions": (
        attributes.EXTENSION_REQUEST,
        (requested(),),
        bytes.fromhex("3010300e0603551d0f0101ff0404030205a0"),
    ),
    "IX509AttributeRenewalCertificate": (
        attributes.RENEWAL_CERTIFICATE,
        (BINARY, bytes.fromhex("300730003000030100")),
        bytes.fromhex("300730003000030100"),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_attribute_is_encoded_under_its_own_identifier(kind):
    oid, arguments, value = KINDS[kind]
    made = encoded(kind, *arguments)
    assert (made.ObjectId.Value, made.RawData(BINARY)) == (oid, value)
    assert base64.b64decode(made.RawData()) == value


@pytest.mark.parametrize("kind", [*KINDS, "IX509AttributeArchiveKeyHash", "IX509AttributeArchiveKey"])
def test_an_attribute_is_initialized_once_and_not_read_before(kind):
    made = public_class(kind)()
    for name in dir(made):
        if not name.startswith("Initialize"):
            refused(HRESULT.OLE_E_BLANK, lambda name=name: _read(made, name))
    refused(HRESULT.CRYPT_E_ASN1_BADTAG, made.InitializeDecode, HEXRAW, "0500")
    values = {
        "IX509AttributeArchiveKeyHash": der.octet_string(bytes(20)),
        "IX509AttributeArchiveKey": archived_key(),
    }
    value = values[kind] if kind in values else KINDS[kind][2]
    made.InitializeDecode(BINARY, value)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeDecode, BINARY, value)
    assert made.RawData(BINARY) == value


def _read(target, name):
    found = getattr(target, name)
    return found() if callable(found) else found


def archived_key():
    """EnvelopedData with nobody to read it: what an archived key looks like from outside."""
    cipher = der.sequence_of([der.oid(attributes.TRIPLE_DES), der.octet_string(bytes(8))])
    content = der.sequence_of([der.oid("1.2.840.113549.1.7.1"), cipher, der.wrap(0x80, bytes(8))])
    enveloped = der.sequence_of([der.integer(0), der.set_of([]), content])
    return der.sequence_of([der.oid("1.2.840.113549.1.7.3"), der.wrap(0xA0, enveloped)])


def test_the_members_of_each_attribute_read_what_was_given():
    assert encoded("IX509AttributeOSVersion", "6.0.5361.2").OSVersion == "6.0.5361.2"
    client = encoded("IX509AttributeClientId", 9, "host", "DOMAIN\\user", "certreq")
    assert client.ClientId is RequestClientInfoClientId.ClientIdCertReq
    assert (client.MachineDnsName, client.UserSamName, client.ProcessName) == ("host", "DOMAIN\\user", "certreq")
    provider = encoded("IX509AttributeCspProvider", 2, "Provider", BASE64, "AQ==")
    assert provider.KeySpec is X509KeySpec.XCN_AT_SIGNATURE
    assert (provider.ProviderName, provider.Signature(BINARY)) == ("Provider", b"\x01")
    extensions = encoded("IX509AttributeExtensions", requested()).X509Extensions
    assert [(one.ObjectId.Value, one.Critical, one.KeyUsage) for one in extensions] == [("2.5.29.15", True, 0xA0)]


def test_what_a_client_leaves_out_comes_from_this_machine():
    client = encoded("IX509AttributeClientId", RequestClientInfoClientId.ClientIdUserStart, "", None, "")
    assert client.ClientId == 1000
    assert client.MachineDnsName
    assert client.ProcessName
    assert "\\" in client.UserSamName


def test_a_client_may_have_a_number_of_its_own():
    assert encoded("IX509AttributeClientId", 4711, "h", "u", "p").ClientId == 4711


def test_an_os_version_that_is_left_out_is_the_default_one():
    assert encoded("IX509AttributeOSVersion", "").OSVersion.count(".") == 3


def test_a_provider_needs_no_signature():
    made = encoded("IX509AttributeCspProvider", 1, "Provider", BASE64, "")
    assert made.Signature(BINARY) == b""
    assert made.RawData(BINARY).endswith(b"\x03\x01\x00")


def test_requested_extensions_may_stand_under_the_identifier_that_xenroll_wrote():
    made = public_class("IX509AttributeExtensions")()
    made.Initialize(object_id("1.3.6.1.4.1.311.2.1.14"), BINARY, KINDS["IX509AttributeExtensions"][2])
    assert made.ObjectId.Value == "1.3.6.1.4.1.311.2.1.14"
    assert made.X509Extensions.Count == 1
    other = public_class("IX509AttributeExtensions")()
    refused(HRESULT.E_INVALIDARG, other.Initialize, object_id("1.2.3"), BINARY, b"\x30\x00")


def test_a_renewal_names_its_certificate_by_its_bytes_its_thumbprint_or_its_serial_number(
    certificate, tmp_path, monkeypatch
):
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path))
    from certenroll.engine.opening import open_workspace

    open_workspace().certificates.add("MY", certificate)
    thumbprint = hashlib.sha1(certificate).hexdigest()
    for encoding, text in (
        (BINARY, certificate),
        (BASE64, base64.b64encode(certificate).decode()),
        (HEXRAW, certificate.hex()),
        (HEXRAW, thumbprint),
        (HEXRAW, " ".join(thumbprint[i : i + 2] for i in range(0, 40, 2)).upper()),
        (HEXRAW, "abcdef"),
    ):
        assert encoded("IX509AttributeRenewalCertificate", encoding, text).RenewalCertificate(BINARY) == certificate
    missing = public_class("IX509AttributeRenewalCertificate")()
    refused(HRESULT.CRYPT_E_NOT_FOUND, missing.InitializeEncode, HEXRAW, "00" * 20)
    refused(HRESULT.CRYPT_E_ASN1_BADTAG, missing.InitializeEncode, BINARY, b"\x05\x00")


def private_key(algorithm="1.2.840.113549.1.1.1", length=2048, policy=EXPORTABLE):
    key = public_class("IX509PrivateKey")()
    key.ProviderName = "Microsoft Software Key Storage Provider"
    key.Algorithm = object_id(algorithm)
    key.Length = length
    key.ExportPolicy = policy
    key.Create()
    return key


def decrypted(value, certificate, exchange_key, folder):
    (folder / "ca.der").write_bytes(certificate)
    (folder / "ca.key").write_bytes(exchange_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.cms").write_bytes(value)
    command = [program("openssl"), "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "key.cms", "-inkey", "ca.key"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("cipher", "strength"), [(None, 168), ("2.16.840.1.101.3.4.1.42", 256)], ids=["the default cipher", "AES-256"]
)
def test_openssl_finds_the_private_key_in_what_is_archived(
    certificate, exchange_key, cipher, strength, tmp_path, monkeypatch
):
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    key = private_key()
    made = public_class("IX509AttributeArchiveKey")()
    made.InitializeEncode(key, BINARY, certificate, object_id(cipher) if cipher else None, 0)
    blob = decrypted(made.EncryptedKeyBlob(BINARY), certificate, exchange_key, tmp_path)
    command = [program("openssl"), "rsa", "-inform", "MSBLOB", "-outform", "DER", "-traditional"]
    found = subprocess.run(command, input=blob, capture_output=True, check=True).stdout
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    ours = load_der_private_key(base64.b64decode(key.Export("PKCS8_PRIVATEKEY")), None)
    assert load_der_private_key(found, None).private_numbers() == ours.private_numbers()
    assert made.EncryptionAlgorithm.Value == (cipher or "1.2.840.113549.3.7")
    assert made.EncryptionStrength == strength
    assert made.ObjectId.Value == "1.3.6.1.4.1.311.21.13"


def test_an_elliptic_curve_key_is_archived_as_an_ecc_blob(certificate, exchange_key, tmp_path, monkeypatch):
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    key = private_key("1.2.840.10045.3.1.7", 256)
    made = public_class("IX509AttributeArchiveKey")()
    made.InitializeEncode(key, BINARY, certificate, None, 0)
    blob = decrypted(made.RawData(BINARY), certificate, exchange_key, tmp_path)
    assert blob == key.Export("ECCPRIVATEBLOB", BINARY)


def test_a_key_that_may_not_be_exported_is_not_archived(certificate, tmp_path, monkeypatch):
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    made = public_class("IX509AttributeArchiveKey")()
    with pytest.raises(ComError):
        made.InitializeEncode(private_key(policy=0), BINARY, certificate, None, 0)
    refused(HRESULT.OLE_E_BLANK, made.RawData)


def test_the_hash_of_an_archived_key_is_over_its_whole_value():
    sample = shared_path("vectors", "msdocs-requests", "cmc-key-archival-encoded-asn-1.der").read_bytes()
    place = sample.index(der.oid(attributes.ARCHIVED_KEY))
    _, start, end = der.header(sample, place + 11)
    key = public_class("IX509AttributeArchiveKey")()
    key.InitializeDecode(BINARY, sample[start:end])
    digest = public_class("IX509AttributeArchiveKeyHash")()
    digest.InitializeEncodeFromEncryptedKeyBlob(BASE64, key.EncryptedKeyBlob())
    assert digest.ObjectId.Value == "1.3.6.1.4.1.311.21.21"
    assert digest.RawData(BINARY) in sample
    assert digest.EncryptedKeyHashBlob(BINARY) == hashlib.sha1(sample[start:end]).digest()


def test_a_general_value_is_one_der_element_under_any_identifier():
    made = value_of("1.2.3", b"\x0c\x01x")
    assert (made.ObjectId.Value, made.RawData(BINARY)) == ("1.2.3", b"\x0c\x01x")
    blank = IX509Attribute()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, blank.Initialize, None, BINARY, b"\x05\x00")
    refused(HRESULT.OLE_E_BLANK, blank.Initialize, IObjectId(), BINARY, b"\x05\x00")
    refused(HRESULT.CRYPT_E_ASN1_EOD, blank.Initialize, object_id("1.2.3"), BINARY, b"\x0c\x05x")
    refused(HRESULT.CRYPT_E_ASN1_NOEOD, blank.Initialize, object_id("1.2.3"), BINARY, b"\x05\x00\x00")
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, object_id("1.2.3"), BINARY, b"\x05\x00")


def test_an_attribute_from_an_identifier_gets_its_values_one_by_one():
    made = ICryptAttribute()
    made.InitializeFromObjectId(object_id("1.2.3"))
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.to_attribute)
    made.Values.Add(value_of())
    made.Values.Add(value_of("1.2.3", b"\x0c\x01x"))
    assert made.to_attribute() == Attribute("1.2.3", (b"\x05\x00", b"\x0c\x01x"))
    made.Values.Add(value_of("1.2.4"))
    refused(HRESULT.E_INVALIDARG, made.to_attribute)


def test_an_attribute_from_values_takes_the_identifier_of_the_first():
    made = ICryptAttribute()
    made.InitializeFromValues(IX509Attributes([value_of("1.2.3"), value_of("1.2.3", b"\x0c\x01x")]))
    assert (made.ObjectId.Value, made.Values.Count) == ("1.2.3", 2)


def test_an_attribute_from_values_refuses_none_and_those_of_two_attributes():
    made = ICryptAttribute()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.InitializeFromValues, IX509Attributes())
    refused(HRESULT.E_INVALIDARG, made.InitializeFromValues, IX509Attributes([value_of("1.2.3"), value_of("1.2.4")]))
    refused(HRESULT.OLE_E_BLANK, made.InitializeFromValues, IX509Attributes([IX509Attribute()]))
    refused(HRESULT.OLE_E_BLANK, lambda: made.Values)


def test_an_attribute_is_initialized_once_with_an_identifier():
    made = ICryptAttribute()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.InitializeFromObjectId, None)
    made.InitializeFromObjectId(object_id("1.2.3"))
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeFromObjectId, object_id("1.2.4"))
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeFromValues, IX509Attributes([value_of()]))
    assert made.ObjectId.Value == "1.2.3"


def test_an_attribute_is_found_by_its_identifier():
    first, second = (crypt_attribute_from(Attribute(oid, (b"\x05\x00",))) for oid in ("1.2.3", "1.2.4"))
    found = ICryptAttributes([first])
    found.AddRange(ICryptAttributes([second]))
    assert found.IndexByObjectId(object_id("1.2.4")) == 1
    refused(HRESULT.CRYPT_E_NOT_FOUND, found.IndexByObjectId, object_id("1.2.5"))
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, found.IndexByObjectId, None)
    refused(HRESULT.DISP_E_TYPEMISMATCH, found.Add, value_of())
    refused(HRESULT.DISP_E_TYPEMISMATCH, first.Values.Add, second)


@pytest.mark.parametrize("kind", KINDS)
def test_an_attribute_of_a_request_has_values_of_its_kind(kind):
    oid, _, value = KINDS[kind]
    attribute = Attribute(oid, (value, value))
    made = crypt_attribute_from(attribute)
    assert {type(one) for one in made.Values} == {public_class(kind)}
    assert made.to_attribute() == attribute


@pytest.mark.parametrize("oid", [*TYPES, "1.2.3"])
@pytest.mark.parametrize("value", [b"\x05\x00", b"\x30\x02\x05\x00", b""])
def test_an_attribute_with_another_identifier_or_a_damaged_value_is_a_general_one(oid, value):
    made = attribute_from(oid, value)
    assert type(made) is IX509Attribute
    assert (made.ObjectId.Value, made.RawData(BINARY)) == (oid, value)


def test_the_attributes_of_microsofts_request_are_read_by_their_members():
    sample = shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes()
    information = der.children(der.children(sample)[0])
    found = ICryptAttributes([crypt_attribute_from(der.decode_attribute(one)) for one in der.children(information[3])])
    values = {type(one.Values(0)).__name__: one.Values(0) for one in found}
    assert values["IX509AttributeOSVersion"].OSVersion == "6.0.5361.2"
    assert values["IX509AttributeClientId"].ClientId == 9
    assert values["IX509AttributeCspProvider"].KeySpec in (1, 2)
    assert values["IX509AttributeExtensions"].X509Extensions.Count == 4
    again = [one.to_attribute() for one in found]
    assert [der.encode_attribute(one) for one in again] == der.children(information[3])
