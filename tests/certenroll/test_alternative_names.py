"""IAlternativeName and its collection: each type of name, set and read back."""

import base64
import ipaddress

import pytest
from cryptography import x509

from certenroll.alternative_names import IAlternativeName, IAlternativeNames, alternative_name_from
from certenroll.asn1 import general_names
from certenroll.asn1.general_names import GeneralName, Kind
from certenroll.enums import AlternativeNameType, EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import IObjectId, object_id

T = AlternativeNameType
BASE64, BINARY = EncodingType.XCN_CRYPT_STRING_BASE64, EncodingType.XCN_CRYPT_STRING_BINARY
NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dc1")]).public_bytes()
GUID = bytes(range(16))
IPV6 = ipaddress.ip_address("2001:db8::1").packed


def from_string(kind, text):
    name = IAlternativeName()
    name.InitializeFromString(kind, text)
    return name


def from_raw_data(kind, data):
    name = IAlternativeName()
    name.InitializeFromRawData(kind, BINARY, data)
    return name


def refused(code, call, *args):
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (T.XCN_CERT_ALT_NAME_RFC822_NAME, "user@contoso.com"),
        (T.XCN_CERT_ALT_NAME_DNS_NAME, "www.contoso.com"),
        (T.XCN_CERT_ALT_NAME_URL, "http://www.contoso.com"),
        (T.XCN_CERT_ALT_NAME_REGISTERED_ID, "1.2.3.4"),
        (T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME, "jürgen@contoso.com"),
    ],
)
def test_a_name_from_a_string_reads_back_and_survives_an_extension(kind, text):
    name = from_string(kind, text)
    again = alternative_name_from(general_names.decode(general_names.encode(name.to_general_name())))
    for one in (name, again):
        assert (one.Type, one.StrValue) == (kind, text)


@pytest.mark.parametrize(
    ("kind", "data", "read"),
    [
        (T.XCN_CERT_ALT_NAME_DIRECTORY_NAME, NAME, NAME),
        (T.XCN_CERT_ALT_NAME_IP_ADDRESS, ipaddress.ip_address("192.0.2.1").packed, b"\xc0\x00\x02\x01"),
        (T.XCN_CERT_ALT_NAME_IP_ADDRESS, IPV6, IPV6),
        (T.XCN_CERT_ALT_NAME_IP_ADDRESS, b"\x04\x04\xc0\x00\x02\x01", b"\xc0\x00\x02\x01"),
        (T.XCN_CERT_ALT_NAME_GUID, GUID, b"\x04\x10" + GUID),
        (T.XCN_CERT_ALT_NAME_GUID, b"\x04\x10" + GUID, b"\x04\x10" + GUID),
    ],
)
def test_a_name_from_raw_data_reads_back_and_survives_an_extension(kind, data, read):
    name = from_raw_data(kind, data)
    again = alternative_name_from(general_names.decode(general_names.encode(name.to_general_name())))
    for one in (name, again):
        assert one.Type == kind
        assert one.RawData(BINARY) == read
        assert base64.b64decode(one.RawData()) == read


@pytest.mark.parametrize("kind", list(T))
def test_every_type_comes_from_a_string_or_from_raw_data_or_from_neither(kind):
    texts = {1: False, 2: True, 3: True, 7: True, 9: True, 11: True}
    if not texts.get(kind, False):
        refused(HRESULT.E_INVALIDARG, IAlternativeName().InitializeFromString, kind, "1.2.3")
    if kind not in (T.XCN_CERT_ALT_NAME_DIRECTORY_NAME, T.XCN_CERT_ALT_NAME_IP_ADDRESS, T.XCN_CERT_ALT_NAME_GUID):
        refused(HRESULT.E_INVALIDARG, IAlternativeName().InitializeFromRawData, kind, BINARY, b"\x30\x00")


def test_another_name_is_wrapped_into_an_octet_string_or_taken_as_it_is():
    wrapped, whole = IAlternativeName(), IAlternativeName()
    wrapped.InitializeFromOtherName(object_id("1.2.3"), BASE64, "AQID", True)
    whole.InitializeFromOtherName(object_id("1.2.3"), BINARY, b"\x0c\x01x", False)
    assert wrapped.RawData(BINARY) == b"\x04\x03\x01\x02\x03"
    assert whole.RawData(BINARY) == b"\x0c\x01x"
    for name in (wrapped, whole):
        assert (name.Type, name.ObjectId.Value) == (T.XCN_CERT_ALT_NAME_OTHER_NAME, "1.2.3")
        refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda name=name: name.StrValue)


def test_another_name_that_is_neither_wrapped_nor_der_is_refused():
    refused(
        HRESULT.CRYPT_E_ASN1_EOD, IAlternativeName().InitializeFromOtherName, object_id("1.2.3"), BINARY, b"\x04\x09x", False
    )


def test_another_name_needs_an_initialized_identifier():
    name = IAlternativeName()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, name.InitializeFromOtherName, None, BINARY, b"x", True)
    refused(HRESULT.OLE_E_BLANK, name.InitializeFromOtherName, IObjectId(), BINARY, b"x", True)


def test_the_identifiers_of_a_upn_and_of_a_guid_are_windows_own():
    upn = from_string(T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME, "user@contoso.com")
    guid = from_raw_data(T.XCN_CERT_ALT_NAME_GUID, GUID)
    assert upn.ObjectId.Value == "1.3.6.1.4.1.311.20.2.3"
    assert upn.RawData(BINARY) == b"\x0c\x10user@contoso.com"
    assert guid.ObjectId.Value == "1.3.6.1.4.1.311.25.1"


def test_a_member_that_the_type_does_not_have_is_empty():
    dns = from_string(T.XCN_CERT_ALT_NAME_DNS_NAME, "x")
    address = from_raw_data(T.XCN_CERT_ALT_NAME_IP_ADDRESS, bytes(4))
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, dns.RawData)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda: dns.ObjectId)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda: address.StrValue)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, lambda: address.ObjectId)


def test_a_name_is_initialized_once_and_not_read_before():
    name = IAlternativeName()
    for member in ("Type", "StrValue", "ObjectId"):
        refused(HRESULT.OLE_E_BLANK, lambda member=member: getattr(name, member))
    refused(HRESULT.OLE_E_BLANK, name.RawData)
    refused(HRESULT.OLE_E_BLANK, name.to_general_name)
    name.InitializeFromString(T.XCN_CERT_ALT_NAME_DNS_NAME, "x")
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, name.InitializeFromString, T.XCN_CERT_ALT_NAME_DNS_NAME, "y")
    assert name.StrValue == "x"


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        (T.XCN_CERT_ALT_NAME_DNS_NAME, "", HRESULT.E_INVALIDARG),
        (T.XCN_CERT_ALT_NAME_DNS_NAME, "münchen.example", HRESULT.CRYPT_E_INVALID_IA5_STRING),
        (T.XCN_CERT_ALT_NAME_REGISTERED_ID, "1.x", HRESULT.CRYPT_E_OID_FORMAT),
    ],
)
def test_a_text_that_is_no_such_name_is_refused(kind, text, code):
    refused(code, IAlternativeName().InitializeFromString, kind, text)


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        (T.XCN_CERT_ALT_NAME_IP_ADDRESS, bytes(5), HRESULT.E_INVALIDARG),
        (T.XCN_CERT_ALT_NAME_GUID, bytes(15), HRESULT.E_INVALIDARG),
        (T.XCN_CERT_ALT_NAME_DIRECTORY_NAME, b"\x0c\x00", HRESULT.CRYPT_E_ASN1_BADTAG),
    ],
)
def test_raw_data_that_is_no_such_name_is_refused(kind, data, code):
    refused(code, IAlternativeName().InitializeFromRawData, kind, BINARY, data)


def test_a_foreign_name_of_a_rare_kind_keeps_its_bytes():
    name = alternative_name_from(GeneralName(Kind.EDI_PARTY, b"\xa1\x03\x0c\x01x"))
    assert name.Type == T.XCN_CERT_ALT_NAME_EDI_PARTY_NAME
    assert name.RawData(BINARY) == b"\xa1\x03\x0c\x01x"


def test_the_collection_takes_names_alone():
    names = IAlternativeNames()
    names.Add(from_string(T.XCN_CERT_ALT_NAME_DNS_NAME, "a"))
    refused(HRESULT.DISP_E_TYPEMISMATCH, names.Add, object_id("1.2.3"))
    assert [one.StrValue for one in names] == ["a"]
