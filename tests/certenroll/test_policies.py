"""ICertificatePolicy, its qualifiers and their collections."""

import pytest

from certenroll.asn1 import extensions
from certenroll.asn1.extensions import Policy, PolicyQualifier
from certenroll.enums import EncodingType, PolicyQualifierType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import object_id
from certenroll.policies import ICertificatePolicies, ICertificatePolicy, IPolicyQualifier, IPolicyQualifiers, policy_from

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
URL, NOTICE = PolicyQualifierType.PolicyQualifierTypeUrl, PolicyQualifierType.PolicyQualifierTypeUserNotice


def refused(code, call, *args):
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code)


def qualifier(text, kind):
    made = IPolicyQualifier()
    made.InitializeEncode(text, kind)
    return made


def policy(oid, *qualifiers):
    made = ICertificatePolicy()
    made.Initialize(object_id(oid))
    for one in qualifiers:
        made.PolicyQualifiers.Add(one)
    return made


def test_a_url_qualifier_is_an_ia5_string_under_the_cps_identifier():
    made = qualifier("https://ca/cps", URL)
    assert (made.Qualifier, made.Type, made.ObjectId.Value) == ("https://ca/cps", URL, "1.3.6.1.5.5.7.2.1")
    assert made.RawData(BINARY) == b"\x16\x0ehttps://ca/cps"
    assert made.RawData().strip() == "Fg5odHRwczovL2NhL2Nwcw=="


def test_a_user_notice_is_a_bmp_string_under_its_identifier():
    made = qualifier("Ä", NOTICE)
    assert (made.Qualifier, made.Type, made.ObjectId.Value) == ("Ä", NOTICE, "1.3.6.1.5.5.7.2.2")
    assert made.RawData(BINARY) == b"\x30\x04\x1e\x02\x00\xc4"


@pytest.mark.parametrize(
    "kind", [PolicyQualifierType.PolicyQualifierTypeUnknown, PolicyQualifierType.PolicyQualifierTypeFlags]
)
def test_a_qualifier_of_another_type_is_refused(kind):
    refused(HRESULT.E_INVALIDARG, IPolicyQualifier().InitializeEncode, "x", kind)


def test_a_url_that_is_not_ascii_is_refused():
    refused(HRESULT.CRYPT_E_INVALID_IA5_STRING, IPolicyQualifier().InitializeEncode, "http://münchen/", URL)


def test_a_qualifier_is_initialized_once_and_not_read_before():
    made = IPolicyQualifier()
    for member in ("ObjectId", "Qualifier", "Type"):
        refused(HRESULT.OLE_E_BLANK, lambda member=member: getattr(made, member))
    refused(HRESULT.OLE_E_BLANK, made.RawData)
    made.InitializeEncode("x", URL)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeEncode, "y", URL)


def test_a_policy_starts_without_qualifiers_and_keeps_those_that_are_added():
    made = policy("1.2.3")
    assert made.PolicyQualifiers.Count == 0
    made.PolicyQualifiers.Add(qualifier("http://x", URL))
    assert made.to_policy() == Policy("1.2.3", (extensions.encode_cps("http://x"),))


def test_a_policy_is_initialized_once_with_an_identifier():
    made = ICertificatePolicy()
    refused(HRESULT.OLE_E_BLANK, lambda: made.PolicyQualifiers)
    refused(HRESULT.OLE_E_BLANK, lambda: made.ObjectId)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.Initialize, None)
    made.Initialize(object_id("2.5.29.32.0"))
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, object_id("1.2.3"))
    assert made.ObjectId.Value == "2.5.29.32.0"


def test_a_policy_of_an_extension_is_the_same_policy():
    unknown = PolicyQualifier("1.2.9", b"\x05\x00"), PolicyQualifier("1.2.8")
    foreign = Policy("1.2.3", (extensions.encode_user_notice("text"), *unknown))
    made = policy_from(foreign)
    assert made.to_policy() == foreign
    assert [one.Type for one in made.PolicyQualifiers] == [NOTICE, 0, 0]
    assert [one.Qualifier for one in made.PolicyQualifiers] == ["text", "", ""]
    assert made.PolicyQualifiers(2).RawData(BINARY) == b""


def test_the_collections_take_their_own_kind_alone():
    refused(HRESULT.DISP_E_TYPEMISMATCH, IPolicyQualifiers().Add, policy("1.2.3"))
    refused(HRESULT.DISP_E_TYPEMISMATCH, ICertificatePolicies().Add, qualifier("x", URL))
