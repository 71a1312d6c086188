"""IX500DistinguishedName as scripts use it."""

from __future__ import annotations

import pytest

from certenroll.asn1.names import encode_name, read_name
from certenroll.distinguished_names import IX500DistinguishedName, distinguished_name
from certenroll.encodings import decode_text
from certenroll.enums import EncodingType, X500NameFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.registry import create

FORWARD = X500NameFlags.XCN_CERT_NAME_STR_FORWARD_FLAG
DISABLE = X500NameFlags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG
BASE64, BINARY, HEX = EncodingType(1), EncodingType(2), EncodingType(4)


def encoded(text: str, flags: int = 0) -> IX500DistinguishedName:
    made = IX500DistinguishedName()
    made.Encode(text, X500NameFlags(flags))
    return made


def types_of(name: IX500DistinguishedName) -> list[tuple[str, int]]:
    return [(one.oid, one.value[0]) for relative in read_name(name.der_bytes()) for one in relative]


def test_a_name_is_encoded_last_part_first_with_utf_8_and_read_as_it_was_written() -> None:
    name = create("X509Enrollment.CX500DistinguishedName")
    assert isinstance(name, IX500DistinguishedName)
    name.Encode("CN=www.example.org, O=Example, C=DE")
    assert types_of(name) == [("2.5.4.6", 0x13), ("2.5.4.10", 0x0C), ("2.5.4.3", 0x0C)]
    assert name.Name == "CN=www.example.org, O=Example, C=DE"


def test_forward_keeps_the_order_of_the_text() -> None:
    assert types_of(encoded("CN=x, C=DE", FORWARD)) == [("2.5.4.3", 0x0C), ("2.5.4.6", 0x13)]
    assert encoded("CN=x, C=DE", FORWARD).Name == "CN=x, C=DE"


def test_printable_strings_come_back_where_utf_8_is_switched_off() -> None:
    assert types_of(encoded("CN=x", DISABLE)) == [("2.5.4.3", 0x13)]
    assert types_of(encoded("CN=ü", DISABLE)) == [("2.5.4.3", 0x1E)]


def test_punycode_is_always_on() -> None:
    assert encoded("E=a@münchen.de").der_bytes().endswith(b"a@xn--mnchen-3ya.de")
    assert encoded("E=a@münchen.de").Name == "E=a@münchen.de"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", ""),
        ('CN="x";', "CN=x"),
        ("CN=x;O=y;", "CN=x, O=y"),
        ("1.2.840.113549.1.9.1=a@example.org,CN=x", "E=a@example.org, CN=x"),
        ("E=a@example.org,CN=Max Muster,OU=,O=,L=,S=,C=CH", 'E=a@example.org, CN=Max Muster, OU="", O="", L="", S="", C=CH'),
        ("C=US;S=WA;L=Redmond;O=Contoso;OU=IT;CN=x", "C=US, S=WA, L=Redmond, O=Contoso, OU=IT, CN=x"),
        ("cn=x,dc=example,dc=org", "CN=x, DC=example, DC=org"),
        ("ST=Bayern", "S=Bayern"),
    ],
)
def test_the_forms_that_scripts_write_are_read(text: str, name: str) -> None:
    assert encoded(text).Name == name


def test_the_string_type_of_the_flags_shapes_the_name() -> None:
    assert encoded("CN=x, C=DE", X500NameFlags.XCN_CERT_OID_NAME_STR).Name == "2.5.4.3=x, 2.5.4.6=DE"
    simple = IX500DistinguishedName()
    simple.Decode(encode_name("C=DE, CN=x"), BINARY, X500NameFlags.XCN_CERT_SIMPLE_NAME_STR)
    assert simple.Name == "x, DE"


def test_the_encoded_name_is_base64_unless_said_otherwise() -> None:
    name = encoded("CN=x")
    text = name.EncodedName()
    assert isinstance(text, str)
    assert decode_text(text, BASE64) == name.der_bytes() == name.EncodedName(BINARY)
    again = IX500DistinguishedName()
    again.Decode(text)
    assert again.Name == "CN=x"
    again.Decode(str(name.EncodedName(HEX)), HEX)
    assert again.der_bytes() == name.der_bytes()


def test_a_name_may_be_encoded_again_and_a_failure_leaves_the_last_one() -> None:
    name = encoded("CN=a")
    name.Encode("CN=b")
    assert name.Name == "CN=b"
    for bad in ("b", "C=Ü", "CN=\ud800"):
        with pytest.raises(ComError):
            name.Encode(bad)
    assert name.Name == "CN=b"


def test_a_name_made_from_der_reads_like_one_that_was_decoded() -> None:
    assert distinguished_name(encode_name("C=DE, CN=x")).Name == "CN=x, C=DE"


@pytest.mark.parametrize(
    ("text", "flags", "code"),
    [
        ("x", 0, HRESULT.CRYPT_E_INVALID_X500_STRING),
        ("XX=x", 0, HRESULT.CRYPT_E_INVALID_X500_STRING),
        ("C=Ü", 0, HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING),
        ("E=ü@example.org", 0, HRESULT.CRYPT_E_INVALID_IA5_STRING),
        ("X21Address=x", 0, HRESULT.CRYPT_E_INVALID_NUMERIC_STRING),
        ("CN=x", 1, HRESULT.E_INVALIDARG),
        ("CN=" + "x" * 65536, 0, 0x800700CE),
    ],
)
def test_a_name_that_cannot_be_encoded_is_refused_with_its_code(text: str, flags: int, code: int) -> None:
    with pytest.raises(ComError) as caught:
        encoded(text, flags)
    assert caught.value.hresult & 0xFFFFFFFF == code


def test_the_place_of_the_fault_is_in_the_message() -> None:
    with pytest.raises(ComError, match="'XX' is no key of a name, at character 6"):
        encoded("CN=x, XX=y")


def test_bytes_that_are_no_name_are_the_error_that_microsoft_documents() -> None:
    with pytest.raises(ComError) as caught:
        distinguished_name(b"\x30\x01\x00")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.WIN32_FILE_NOT_FOUND
    with pytest.raises(ComError) as caught:
        IX500DistinguishedName().Decode("*")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.WIN32_INVALID_DATA


def test_nothing_is_read_before_a_name_is_there() -> None:
    blank = IX500DistinguishedName()
    for read in (lambda: blank.Name, blank.EncodedName, blank.der_bytes):
        with pytest.raises(ComError) as caught:
            read()
        assert caught.value.hresult & 0xFFFFFFFF == HRESULT.OLE_E_BLANK
