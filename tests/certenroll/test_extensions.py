"""IX509Extension, its collection and the typed extensions."""

import base64

import pytest
from cryptography import x509

from certenroll.alternative_names import IAlternativeName, IAlternativeNames
from certenroll.asn1 import der, extensions, general_names
from certenroll.asn1.der import Extension
from certenroll.asn1.general_names import Kind
from certenroll.enums import AlternativeNameType, EncodingType, PolicyQualifierType
from certenroll.errors import ComError
from certenroll.extension_types import TYPES, extension_from
from certenroll.extensions import IX509Extension, IX509Extensions
from certenroll.hresults import HRESULT, signed
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.policies import ICertificatePolicies, ICertificatePolicy, IPolicyQualifier
from certenroll.registry import public_class
from certenroll.smime import ISmimeCapabilities, ISmimeCapability
from tests.support.shared import shared_path

BASE64, BINARY, HEXRAW = (
    EncodingType.XCN_CRYPT_STRING_BASE64,
    EncodingType.XCN_CRYPT_STRING_BINARY,
    EncodingType.XCN_CRYPT_STRING_HEXRAW,
)


def refused(code, call, *args):
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code)


def encoded(kind, *arguments):
    made = public_class(kind)()
    made.InitializeEncode(*arguments)
    return made


def plain(oid, value=b"\x05\x00"):
    made = IX509Extension()
    made.Initialize(object_id(oid), BINARY, value)
    return made


def names():
    made = IAlternativeNames()
    one = IAlternativeName()
    one.InitializeFromString(AlternativeNameType.XCN_CERT_ALT_NAME_DNS_NAME, "www.contoso.com")
    made.Add(one)
    return made


def uses():
    return IObjectIds([object_id("1.3.6.1.5.5.7.3.2"), object_id("1.3.6.1.4.1.311.20.2.2")])


def capabilities():
    one = ISmimeCapability()
    one.Initialize(object_id("1.2.840.113549.3.2"), 128)
    return ISmimeCapabilities([one])


def policies():
    qualifier = IPolicyQualifier()
    qualifier.InitializeEncode("http://cps", PolicyQualifierType.PolicyQualifierTypeUrl)
    one = ICertificatePolicy()
    one.Initialize(object_id("1.2.3"))
    one.PolicyQualifiers.Add(qualifier)
    return ICertificatePolicies([one])


# Interface -> its identifier, arguments of InitializeEncode, DER of the value.
KINDS = {
    "IX509ExtensionKeyUsage": ("2.5.29.15", (0xA0,), "030205a0"),
    "IX509ExtensionEnhancedKeyUsage": ("2.5.29.37", (uses(),), "301606082b06010505070302060a2b060104018237140202"),
    "IX509ExtensionAlternativeNames": ("2.5.29.17", (names(),), "3011820f7777772e636f6e746f736f2e636f6d"),
    "IX509ExtensionBasicConstraints": ("2.5.29.19", (True, 2), "30060101ff020102"),
    "IX509ExtensionSubjectKeyIdentifier": ("2.5.29.14", (HEXRAW, "010203"), "0403010203"),
    "IX509ExtensionAuthorityKeyIdentifier": ("2.5.29.35", (BASE64, "AQID"), "30058003010203"),
    "IX509ExtensionTemplateName": ("1.3.6.1.4.1.311.20.2", ("User",), "1e080055007300650072"),
    "IX509ExtensionTemplate": ("1.3.6.1.4.1.311.21.7", (object_id("1.2.3"), 100, 4), "300a06022a03020164020104"),
    "IX509ExtensionSmimeCapabilities": (
        "1.2.840.113549.1.9.15",
        (capabilities(),),
        "3010300e06082a864886f70d030202020080",
    ),
    "IX509ExtensionCertificatePolicies": (
        "2.5.29.32",
        (policies(),),
        "3020301e06022a033018301606082b06010505070201160a687474703a2f2f637073",
    ),
    "IX509ExtensionMSApplicationPolicies": ("1.3.6.1.4.1.311.21.10", (policies(),), "3006300406022a03"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_is_encoded_under_its_own_identifier(kind):
    oid, arguments, value = KINDS[kind]
    made = encoded(kind, *arguments)
    assert made.ObjectId.Value == oid
    assert made.RawData(BINARY).hex() == value
    assert base64.b64decode(made.RawData()).hex() == value
    assert made.Critical is False
    assert made.to_extension() == Extension(oid, False, bytes.fromhex(value))


@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_that_is_decoded_has_the_members_of_the_one_that_was_encoded(kind):
    _, arguments, value = KINDS[kind]
    made, again = encoded(kind, *arguments), public_class(kind)()
    again.InitializeDecode(HEXRAW, value)
    assert again.to_extension() == made.to_extension()


@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_is_initialized_once_and_not_read_before(kind):
    oid, arguments, value = KINDS[kind]
    made = public_class(kind)()
    own = [name for name in dir(made) if name not in {"Initialize", "InitializeEncode", "InitializeDecode", "Critical"}]
    for name in own:
        refused(HRESULT.OLE_E_BLANK, lambda name=name: _read(made, name))
    made.InitializeEncode(*arguments)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeEncode, *arguments)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.InitializeDecode, HEXRAW, value)
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, object_id(oid), HEXRAW, value)


def _read(target, name):
    found = getattr(target, name)
    return found() if callable(found) else found


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_another_kind_is_refused_and_leaves_the_object_blank(kind):
    oid, _, value = KINDS[kind]
    made = public_class(kind)()
    refused(HRESULT.CRYPT_E_ASN1_BADTAG, made.InitializeDecode, HEXRAW, "0500")
    refused(HRESULT.OLE_E_BLANK, made.RawData)
    made.Initialize(object_id(oid), HEXRAW, value)
    assert made.RawData(BINARY).hex() == value


def test_an_object_for_one_extension_takes_no_other_identifier():
    made = public_class("IX509ExtensionKeyUsage")()
    refused(HRESULT.E_INVALIDARG, made.Initialize, object_id("2.5.29.37"), HEXRAW, "3000")


def test_the_members_of_each_extension_read_what_was_given():
    assert encoded("IX509ExtensionKeyUsage", 0x8088).KeyUsage == 0x8088
    assert [one.Value for one in encoded("IX509ExtensionEnhancedKeyUsage", uses()).EnhancedKeyUsage] == [
        "1.3.6.1.5.5.7.3.2",
        "1.3.6.1.4.1.311.20.2.2",
    ]
    assert encoded("IX509ExtensionAlternativeNames", names()).AlternativeNames(0).StrValue == "www.contoso.com"
    template = encoded("IX509ExtensionTemplate", object_id("1.2.3"), 100, 4)
    assert (template.TemplateOid.Value, template.MajorVersion, template.MinorVersion) == ("1.2.3", 100, 4)
    assert encoded("IX509ExtensionTemplateName", "Üser").TemplateName == "Üser"
    assert encoded("IX509ExtensionSubjectKeyIdentifier", HEXRAW, "ab").SubjectKeyIdentifier(BINARY) == b"\xab"
    assert encoded("IX509ExtensionAuthorityKeyIdentifier", HEXRAW, "ab").AuthorityKeyIdentifier(BINARY) == b"\xab"
    assert encoded("IX509ExtensionSmimeCapabilities", capabilities()).SmimeCapabilities(0).BitCount == 128
    assert encoded("IX509ExtensionCertificatePolicies", policies()).Policies(0).PolicyQualifiers.Count == 1


def test_application_policies_leave_qualifiers_out():
    assert encoded("IX509ExtensionMSApplicationPolicies", policies()).Policies(0).PolicyQualifiers.Count == 0


@pytest.mark.parametrize(
    ("is_ca", "given", "value", "read"),
    [(True, 0, "30060101ff020100", 0), (True, -1, "30030101ff", -1), (False, -1, "3000", -1), (False, 3, "3000", -1)],
)
def test_a_path_length_counts_for_a_ca_alone_and_below_zero_not_at_all(is_ca, given, value, read):
    made = encoded("IX509ExtensionBasicConstraints", is_ca, given)
    assert (made.RawData(BINARY).hex(), made.IsCA, made.PathLenConstraint) == (value, is_ca, read)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("IX509ExtensionEnhancedKeyUsage", (IObjectIds(),)),
        ("IX509ExtensionAlternativeNames", (IAlternativeNames(),)),
        ("IX509ExtensionCertificatePolicies", (ICertificatePolicies(),)),
        ("IX509ExtensionMSApplicationPolicies", (ICertificatePolicies(),)),
        ("IX509ExtensionSubjectKeyIdentifier", (BINARY, b"")),
        ("IX509ExtensionAuthorityKeyIdentifier", (BINARY, b"")),
        ("IX509ExtensionTemplateName", ("",)),
        ("IX509ExtensionKeyUsage", (0x100,)),
    ],
)
def test_an_extension_without_content_is_refused(kind, arguments):
    refused(HRESULT.E_INVALIDARG, public_class(kind)().InitializeEncode, *arguments)


def test_a_template_without_an_identifier_is_refused():
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, public_class("IX509ExtensionTemplate")().InitializeEncode, None, 1, 0)


def test_an_issuer_and_serial_number_alone_give_no_key_identifier():
    made = public_class("IX509ExtensionAuthorityKeyIdentifier")()
    value = extensions.encode_authority_key_identifier(
        extensions.AuthorityKeyIdentifier(None, (general_names.text_name(Kind.DNS, "ca"),), 1)
    )
    made.InitializeDecode(BINARY, value)
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.AuthorityKeyIdentifier)


def test_a_general_extension_keeps_any_value_under_any_identifier():
    made = plain("1.2.3", b"anything")
    made.Critical = True
    assert made.to_extension() == Extension("1.2.3", True, b"anything")
    refused(HRESULT.WIN32_ALREADY_INITIALIZED, made.Initialize, object_id("1.2.4"), BINARY, b"")


def test_a_general_extension_needs_an_initialized_identifier():
    made = IX509Extension()
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, made.Initialize, None, BINARY, b"x")
    refused(HRESULT.OLE_E_BLANK, made.Initialize, IObjectId(), BINARY, b"x")
    refused(HRESULT.DISP_E_TYPEMISMATCH, made.Initialize, "1.2.3", BINARY, b"x")


def test_a_text_that_is_not_of_its_encoding_is_refused():
    refused(HRESULT.WIN32_INVALID_DATA, IX509Extension().Initialize, object_id("1.2.3"), HEXRAW, "xyz")


def test_a_collection_refuses_a_second_extension_with_the_same_identifier():
    found = IX509Extensions()
    found.Add(plain("1.2.3"))
    refused(HRESULT.WIN32_FILE_EXISTS, found.Add, plain("1.2.3", b"other"))
    refused(HRESULT.OLE_E_BLANK, found.Add, IX509Extension())
    refused(HRESULT.DISP_E_TYPEMISMATCH, found.Add, object_id("1.2.4"))
    assert [one.ObjectId.Value for one in found] == ["1.2.3"]


def test_a_range_is_added_whole_or_not_at_all():
    found, more = IX509Extensions([plain("1.2.3")]), IX509Extensions([plain("1.2.4"), plain("1.2.3")])
    refused(HRESULT.WIN32_FILE_EXISTS, found.AddRange, more)
    assert found.Count == 1
    more.Remove(1)
    found.AddRange(more)
    assert [one.ObjectId.Value for one in found] == ["1.2.3", "1.2.4"]
    refused(HRESULT.WIN32_FILE_EXISTS, IX509Extensions().AddRange, IX509Extensions([plain("1.2.3"), plain("1.2.3")]))


def test_an_extension_is_found_by_its_identifier():
    found = IX509Extensions([plain("1.2.3"), plain("1.2.4")])
    assert found.IndexByObjectId(object_id("1.2.4")) == 1
    refused(HRESULT.CRYPT_E_NOT_FOUND, found.IndexByObjectId, object_id("1.2.5"))
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, found.IndexByObjectId, None)


@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_of_a_request_is_an_object_of_its_kind(kind):
    oid, _, value = KINDS[kind]
    extension = Extension(oid, True, bytes.fromhex(value))
    made = extension_from(extension)
    assert type(made) is public_class(kind) is TYPES[oid]
    assert made.to_extension() == extension


@pytest.mark.parametrize("oid", [*TYPES, "1.2.3", "2.5.29.31"])
@pytest.mark.parametrize("value", [b"", b"\x05\x00", b"\x30\x80", b"\x30\x01", b"\xff" * 9])
def test_an_extension_with_another_identifier_or_a_damaged_value_is_a_general_one(oid, value):
    made = extension_from(Extension(oid, False, value))
    assert type(made) is IX509Extension
    assert made.to_extension() == Extension(oid, False, value)


def test_the_extensions_of_microsofts_request_are_the_objects_that_made_them():
    sample = shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes()
    attributes = x509.load_der_x509_csr(sample).attributes
    oid = x509.ObjectIdentifier("1.2.840.113549.1.9.14")
    wanted = next(one for one in attributes if one.oid == oid)
    found = [extension_from(one) for one in der.decode_extensions(der.wrap(der.SEQUENCE, wanted.value))]
    assert [type(one).__name__ for one in found] == [
        "IX509ExtensionTemplateName",
        "IX509ExtensionEnhancedKeyUsage",
        "IX509ExtensionKeyUsage",
        "IX509ExtensionSubjectKeyIdentifier",
    ]
    assert (found[0].TemplateName, found[2].KeyUsage, found[2].Critical) == ("User", 0xA0, True)
