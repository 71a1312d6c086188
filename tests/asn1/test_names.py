"""X.500 names against OpenSSL, pyca and requests that Windows made."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import der
from certenroll.asn1.der import DecodeError
from certenroll.asn1.names import BadName, BadNameType, NameAttribute, decode_name, encode_name, read_name
from certenroll.enums import X500NameFlags as Flags
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

COMMA = int(Flags.XCN_CERT_NAME_STR_COMMA_FLAG)
SEMICOLON = int(Flags.XCN_CERT_NAME_STR_SEMICOLON_FLAG)
CRLF = int(Flags.XCN_CERT_NAME_STR_CRLF_FLAG)
NO_PLUS = int(Flags.XCN_CERT_NAME_STR_NO_PLUS_FLAG)
NO_QUOTING = int(Flags.XCN_CERT_NAME_STR_NO_QUOTING_FLAG)
REVERSE = int(Flags.XCN_CERT_NAME_STR_REVERSE_FLAG)
FORWARD = int(Flags.XCN_CERT_NAME_STR_FORWARD_FLAG)
T61 = int(Flags.XCN_CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG)
UTF8 = int(Flags.XCN_CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG)
FORCE = int(Flags.XCN_CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG)
DISABLE = int(Flags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG)
PUNYCODE = int(Flags.XCN_CERT_NAME_STR_ENABLE_PUNYCODE_FLAG)
NOT_IE4 = int(Flags.XCN_CERT_NAME_STR_DISABLE_IE4_UTF8_FLAG)
CERTENROLL = FORCE | REVERSE | PUNYCODE

# Text, flags, and the attributes with the types that OpenSSL finds: one word a relative name, "+" within it.
TYPES: list[tuple[str, int, str]] = [
    ("", 0, ""),
    ("   ", 0, ""),
    ("CN=www.example.org", 0, "commonName:PRINTABLESTRING"),
    ("cn=x", 0, "commonName:PRINTABLESTRING"),
    ("CN = x ", 0, "commonName:PRINTABLESTRING"),
    ('CN="x";', 0, "commonName:PRINTABLESTRING"),
    ("CN=x;", 0, "commonName:PRINTABLESTRING"),
    ("CN=x, ", 0, "commonName:PRINTABLESTRING"),
    ("CN=x,;,", 0, "commonName:PRINTABLESTRING"),
    ("CN=", 0, "commonName:PRINTABLESTRING"),
    ('CN=""', 0, "commonName:PRINTABLESTRING"),
    ("CN=a,O=b", 0, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ("CN=a;O=b", 0, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ("CN=a,O=b;C=DE", 0, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING countryName:PRINTABLESTRING"),
    ("CN=a+OU=b", 0, "commonName:PRINTABLESTRING+organizationalUnitName:PRINTABLESTRING"),
    ("CN=a+b", NO_PLUS, "commonName:PRINTABLESTRING"),
    ("CN=a + OU=b, C=DE", FORCE, "commonName:UTF8STRING+organizationalUnitName:UTF8STRING countryName:PRINTABLESTRING"),
    ("CN=a;b", COMMA, "commonName:BMPSTRING"),
    ("CN=a,b", SEMICOLON, "commonName:PRINTABLESTRING"),
    ("CN=a,b;O=c", SEMICOLON, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ("CN=a\r\nO=b\r\n", CRLF, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ("CN=a\nO=b", CRLF, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ("CN=a, b\r\nO=c; d", CRLF, "commonName:PRINTABLESTRING organizationName:BMPSTRING"),
    ("CN=a\r\n, O=b", 0, "commonName:PRINTABLESTRING organizationName:PRINTABLESTRING"),
    ('CN="a, b"', 0, "commonName:PRINTABLESTRING"),
    ('CN="User ""one"""', 0, "commonName:BMPSTRING"),
    ('CN="a"', NO_QUOTING, "commonName:BMPSTRING"),
    ("CN=a@b", 0, "commonName:BMPSTRING"),
    ("CN=Jürgen", 0, "commonName:BMPSTRING"),
    ("CN=Jürgen", T61, "commonName:T61STRING"),
    ("CN=東京", T61, "commonName:BMPSTRING"),
    ("CN=東京", T61 | UTF8, "commonName:UTF8STRING"),
    ("CN=Jürgen", UTF8, "commonName:UTF8STRING"),
    ("CN=Jurgen", UTF8, "commonName:PRINTABLESTRING"),
    ("CN=Jurgen", FORCE, "commonName:UTF8STRING"),
    ("CN=Jurgen", FORCE | DISABLE, "commonName:PRINTABLESTRING"),
    ("CN=Jürgen", FORCE | DISABLE, "commonName:BMPSTRING"),
    ("C=DE", FORCE, "countryName:PRINTABLESTRING"),
    ("S=Texas", FORCE, "stateOrProvinceName:UTF8STRING"),
    ("ST=Texas", FORCE, "stateOrProvinceName:UTF8STRING"),
    ("L=Rome, STREET=1 Main St.", FORCE, "localityName:UTF8STRING streetAddress:UTF8STRING"),
    ("T=Dr, Title=Mr", FORCE, "title:UTF8STRING title:UTF8STRING"),
    ("G=A, GN=B, GivenName=C", FORCE, "givenName:UTF8STRING givenName:UTF8STRING givenName:UTF8STRING"),
    ("I=A.B., Initials=C.", FORCE, "initials:UTF8STRING initials:UTF8STRING"),
    ("SN=Doe", FORCE, "surname:UTF8STRING"),
    ("O=x, OU=y", FORCE, "organizationName:UTF8STRING organizationalUnitName:UTF8STRING"),
    ("E=a@example.org", FORCE, "emailAddress:IA5STRING"),
    ("EMAIL=a@example.org", 0, "emailAddress:IA5STRING"),
    ("1.2.840.113549.1.9.1=a@example.org", 0, "emailAddress:IA5STRING"),
    ("E=a@münchen.de", PUNYCODE, "emailAddress:IA5STRING"),
    ("DC=example, DC=org", FORCE, "domainComponent:IA5STRING domainComponent:IA5STRING"),
    ("DC=münchen", 0, "domainComponent:UTF8STRING"),
    ("DC=münchen", PUNYCODE, "domainComponent:IA5STRING"),
    ("SERIALNUMBER=12-34", FORCE, "serialNumber:PRINTABLESTRING"),
    ("Description=text", FORCE, "description:PRINTABLESTRING"),
    ("PostalCode=12345, POBox=7", 0, "postalCode:PRINTABLESTRING postOfficeBox:PRINTABLESTRING"),
    ("Phone=+49 1", NO_PLUS, "telephoneNumber:PRINTABLESTRING"),
    ('Phone="+49 1"', 0, "telephoneNumber:PRINTABLESTRING"),
    ("X21Address=12 34", 0, "x121Address:NUMERICSTRING"),
    ("dnQualifier=q", 0, "dnQualifier:PRINTABLESTRING"),
    ("OID.2.5.4.3=x", 0, "commonName:PRINTABLESTRING"),
    ("oid.2.5.4.3=x", FORCE, "commonName:UTF8STRING"),
    ("2.5.4.3=x", 0, "commonName:PRINTABLESTRING"),
    ("1.2.3.4=x", 0, "1.2.3.4:PRINTABLESTRING"),
    ("1.2.3.4=ü", FORCE, "1.2.3.4:UTF8STRING"),
    ("1.2.3.4=#0102", 0, "1.2.3.4:OCTET_STRING"),
    ("CN=# 01 02", 0, "commonName:OCTET_STRING"),
    ('CN="#01"', 0, "commonName:BMPSTRING"),
    ("CN=x, C=DE", REVERSE, "countryName:PRINTABLESTRING commonName:PRINTABLESTRING"),
    ("CN=x, C=DE", REVERSE | FORWARD, "commonName:PRINTABLESTRING countryName:PRINTABLESTRING"),
]


def structure(data: bytes) -> str:
    """What ``openssl asn1parse`` makes of a name, in the notation of TYPES."""
    command = [program("openssl"), "asn1parse", "-inform", "DER"]
    listing = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode("latin-1")
    found = ""
    for line in listing.splitlines():
        kind = re.search(r"(?:prim|cons): ([A-Z0-9 ]+?) *(?:\[HEX DUMP\])?(?::(.*))?$", line)
        assert kind is not None
        if kind[1] == "SET":
            found += " "
        elif kind[1] == "OBJECT":
            found += ("" if found.endswith(" ") else "+") + kind[2] + ":"
        elif kind[1] != "SEQUENCE":
            found += kind[1].replace(" ", "_")
    return found.strip()


@pytest.mark.parametrize(("text", "flags", "expected"), TYPES, ids=[f"{text!r} {flags:#x}" for text, flags, _ in TYPES])
def test_openssl_finds_the_string_types_that_microsoft_documents(text: str, flags: int, expected: str) -> None:
    assert structure(encode_name(text, flags)) == expected


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("/C=DE/O=Example/CN=www.example.org", "C=DE, O=Example, CN=www.example.org"),
        ("/DC=org/DC=example/OU=IT; OT/CN=x", 'DC=org, DC=example, OU="IT; OT", CN=x'),
        ("/C=FR/L=Besançon/CN=Zoë", "C=FR, L=Besançon, CN=Zoë"),
        ("/CN=a/emailAddress=a@example.org", "CN=a, E=a@example.org"),
        ("/O=x/OU=b+CN=a", "O=x, CN=a+OU=b"),
        ("/CN=a\\/b, c/ST=Texas/street=1 Main", 'CN="a/b, c", S=Texas, STREET=1 Main'),
    ],
)
def test_openssl_req_makes_the_same_bytes_of_the_same_name(tmp_path: Path, subject: str, text: str) -> None:
    key, request = tmp_path / "key.pem", tmp_path / "request.der"
    openssl = program("openssl")
    make_key = [openssl, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]
    subprocess.run(make_key, check=True, capture_output=True)
    command = [openssl, "req", "-new", "-utf8", "-key", key, "-subj", subject, "-outform", "DER", "-out", request]
    if "+CN" in subject:
        command.append("-multivalue-rdn")
    subprocess.run(command, check=True, capture_output=True)
    encoded = der.children(der.children(request.read_bytes())[0])[1]
    assert encode_name(text, FORCE) == encoded
    assert encode_name(decode_name(encoded), FORCE) == encoded


def test_pyca_reads_what_is_written_and_its_names_are_read() -> None:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Ex "a", Inc.'),
            x509.NameAttribute(NameOID.COMMON_NAME, "Jörg"),
        ]
    )
    assert decode_name(name.public_bytes()) == 'C=DE, O="Ex ""a"", Inc.", CN=Jörg'
    assert encode_name('C=DE, O="Ex ""a"", Inc.", CN=Jörg', FORCE) == name.public_bytes()


@pytest.mark.parametrize(
    ("file", "flags", "text"),
    [
        ("certreq_10.0.17763_san.csr", CERTENROLL, "C=US, S=WI, L=Madison, O=MyCompany, OU=IT, CN=testserver.test.com"),
        ("certreq_6.1.7601_template_namevalue.csr", CERTENROLL, "O=TestOrg, CN=TestCN"),
        ("nt5.0.2195_iis_xenroll.csr", 0, "CN=quux.com, OU=Brains, O=DevelopMentor, L=Torrance, S=California, C=US"),
    ],
)
def test_subjects_that_windows_encoded_come_out_byte_for_byte(file: str, flags: int, text: str) -> None:
    data = shared_path("vectors", "csr", file).read_bytes()
    request = x509.load_pem_x509_csr(data) if data.startswith(b"-----") else x509.load_der_x509_csr(data)
    subject = der.children(request.tbs_certrequest_bytes)[1]
    assert decode_name(subject) == text
    assert encode_name(decode_name(subject, flags), flags) == subject


@pytest.mark.parametrize(
    ("text", "flags", "code", "position"),
    [
        ("x", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 0),
        ("=x", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 0),
        (",CN=x", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 0),
        ("CN=x, abc=y", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 6),
        ("CN=x, 1=y", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 6),
        ("CN=x, 1.02=y", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 6),
        ("CN=a, b", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 6),
        ("CN=a,,O=b", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 5),
        ("CN=a+", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 4),
        ("CN=a+b", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 5),
        ('O=x, CN="a', 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 8),
        ('CN="a" b', 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 3),
        ('CN="a""', 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 3),
        ("CN=#1", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 3),
        ("CN=#0g", 0, HRESULT.CRYPT_E_INVALID_X500_STRING, 3),
        ("CN=a\nO=b", CRLF | NO_PLUS | COMMA, None, 0),
        ("C=D€", 0, HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING, 2),
        ("CN=x, SERIALNUMBER=a@b", 0, HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING, 19),
        ("X21Address=abc", 0, HRESULT.CRYPT_E_INVALID_NUMERIC_STRING, 11),
        ("E=jürgen@x.de", PUNYCODE, HRESULT.CRYPT_E_INVALID_IA5_STRING, 2),
        ("E=a@münchen.de", 0, HRESULT.CRYPT_E_INVALID_IA5_STRING, 2),
        ("E=a@" + "ü" * 70 + ".de", PUNYCODE, HRESULT.CRYPT_E_INVALID_IA5_STRING, 2),
    ],
)
def test_a_faulty_name_is_refused_with_its_code_and_place(text: str, flags: int, code: int | None, position: int) -> None:
    if code is None:
        assert decode_name(encode_name(text, flags)) == "CN=a, O=b"
        return
    with pytest.raises(BadName) as caught:
        encode_name(text, flags)
    assert (caught.value.hresult, caught.value.position) == (code, position)
    assert f"character {position}" in str(caught.value)


@pytest.mark.parametrize("kind", [Flags.XCN_CERT_SIMPLE_NAME_STR, Flags.XCN_CERT_XML_NAME_STR])
def test_a_name_is_not_read_from_text_of_a_kind_that_is_only_written(kind: int) -> None:
    with pytest.raises(BadNameType) as caught:
        encode_name("CN=x", kind)
    assert caught.value.hresult == HRESULT.E_INVALIDARG


def test_a_lone_surrogate_is_refused_with_a_code() -> None:
    for flags in (0, UTF8):
        with pytest.raises(ValueError, match="does not fit") as caught:
            encode_name("CN=\ud800", flags)
        assert hasattr(caught.value, "hresult")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0, 'C=DE, CN=c + OU="a, b", OID.1.2.3=d'),
        (Flags.XCN_CERT_X500_NAME_STR, 'C=DE, CN=c + OU="a, b", OID.1.2.3=d'),
        (Flags.XCN_CERT_OID_NAME_STR, '2.5.4.6=DE, 2.5.4.3=c + 2.5.4.11="a, b", 1.2.3=d'),
        (Flags.XCN_CERT_SIMPLE_NAME_STR, 'DE, c + "a, b", d'),
        (SEMICOLON, 'C=DE; CN=c + OU="a, b"; OID.1.2.3=d'),
        (CRLF, 'C=DE\r\nCN=c + OU="a, b"\r\nOID.1.2.3=d'),
        (NO_PLUS, 'C=DE, CN=c OU="a, b", OID.1.2.3=d'),
        (NO_QUOTING, "C=DE, CN=c + OU=a, b, OID.1.2.3=d"),
        (REVERSE, 'OID.1.2.3=d, CN=c + OU="a, b", C=DE'),
        (REVERSE | FORWARD, 'C=DE, CN=c + OU="a, b", OID.1.2.3=d'),
    ],
)
def test_the_flags_choose_how_a_name_is_written(flags: int, expected: str) -> None:
    assert decode_name(encode_name('C=DE, OU="a, b"+CN=c, 1.2.3=d'), flags) == expected


def test_a_name_is_written_as_xml() -> None:
    encoded = encode_name("CN=a&<b>+OU=üöä-üöä, C=DE, 1.2.3=x, 1.2.4=#01FF", UTF8)
    assert decode_name(encoded, Flags.XCN_CERT_XML_NAME_STR) == (
        "<CN>a&amp;&lt;b&gt;</CN>\r\n"
        '<OU rDNAttribute="true">&#x00FC;&#x00F6;&#x00E4;-&#x00FC;&#x00F6;&#x00E4;</OU>\r\n'
        "<C>DE</C>\r\n"
        '<RDN oid="1.2.3" type="string">x</RDN>\r\n'
        '<RDN oid="1.2.4" type="octet">01FF</RDN>\r\n'
    )


@pytest.mark.parametrize("value", ["a,b", "a+b", "a=b", 'a"b', "a<b", "a>b", "a#b", "a;b", "a\nb", "a\rb", " a", "a ", ""])
def test_a_value_is_quoted_where_microsoft_says_so(value: str) -> None:
    encoded = der.sequence_of([der.set_of([der.sequence_of([der.oid("2.5.4.3"), der.utf8_string(value)])])])
    text = decode_name(encoded)
    assert text == 'CN="' + value.replace('"', '""') + '"'
    assert encode_name(text, FORCE) == encoded


def test_two_spaces_and_a_backslash_need_no_quotation_marks() -> None:
    assert decode_name(encode_name("CN=a  b\\c")) == "CN=a  b\\c"


def one_value(value: bytes) -> bytes:
    return der.sequence_of([der.set_of([der.sequence_of([der.oid("2.5.4.3"), value])])])


@pytest.mark.parametrize(
    ("value", "flags", "expected"),
    [
        (b"\x14\x02\xc3\xa9", 0, "CN=é"),
        (b"\x14\x02\xc3\xa9", NOT_IE4, "CN=Ã©"),
        (b"\x14\x01\xe9", 0, "CN=é"),
        (b"\x1e\x04\xd8\x3d\xde\x00", 0, "CN=\U0001f600"),
        (b"\x1c\x04\x00\x00\x00\xe9", 0, "CN=é"),
        (b"\x1a\x01a", 0, "CN=a"),
        (b"\x03\x02\x00\xff", 0, "CN=#030200FF"),
        (b"\x04\x01\xff", 0, "CN=#FF"),
    ],
)
def test_values_of_every_type_are_read(value: bytes, flags: int, expected: str) -> None:
    assert decode_name(one_value(value), flags) == expected


def test_punycode_is_shown_in_unicode_where_it_is_asked_for() -> None:
    encoded = encode_name("E=a@münchen.de, DC=bücher", PUNYCODE)
    assert decode_name(encoded) == "E=a@xn--mnchen-3ya.de, DC=xn--bcher-kva"
    assert decode_name(encoded, PUNYCODE) == "E=a@münchen.de, DC=bücher"
    assert decode_name(encode_name("DC=xn--\x7f"), PUNYCODE) == "DC=xn--\x7f"


def test_the_attributes_of_a_name_are_read_in_order() -> None:
    assert read_name(encode_name("C=DE, CN=a")) == [
        [NameAttribute("2.5.4.6", b"\x13\x02DE")],
        [NameAttribute("2.5.4.3", b"\x13\x01a")],
    ]


VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
ASSIGNMENTS = st.tuples(st.sampled_from(["CN", "O", "OU", "S", "Description", "1.2.3.4", "OID.2.5.4.4"]), VALUES)
NAMES = st.lists(st.lists(ASSIGNMENTS, min_size=1, max_size=3), max_size=4)


@given(NAMES, st.sampled_from([0, UTF8, T61, FORCE, CERTENROLL, FORCE | SEMICOLON, UTF8 | CRLF]))
def test_what_was_encoded_is_encoded_again_after_reading(names: list[list[tuple[str, str]]], flags: int) -> None:
    between = ";" if flags & SEMICOLON else "\r\n" if flags & CRLF else ","
    quoted = [["{}=\"{}\"".format(key, value.replace('"', '""')) for key, value in name] for name in names]
    encoded = encode_name(between.join("+".join(name) for name in quoted), flags)
    assert encode_name(decode_name(encoded, flags), flags) == encoded
    assert [len(name) for name in read_name(encoded)] == [len(name) for name in (names[::-1] if flags & REVERSE else names)]


@given(st.text(max_size=40), st.sampled_from([0, CRLF, NO_QUOTING | NO_PLUS, CERTENROLL]))
def test_any_text_is_a_name_or_refused_with_a_code(text: str, flags: int) -> None:
    try:
        encoded = encode_name(text, flags)
    except (BadName, der.EncodeError):
        return
    assert isinstance(decode_name(encoded, flags), str)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_name_or_refused_with_a_code(data: bytes) -> None:
    try:
        text = decode_name(data)
    except DecodeError:
        return
    assert isinstance(text, str)


def test_a_name_that_ends_early_is_refused_at_every_offset() -> None:
    encoded = encode_name("C=DE, CN=a+OU=b, E=a@example.org, 1.2.3=#00")
    for length in range(len(encoded)):
        with pytest.raises(DecodeError):
            decode_name(encoded[:length])


@pytest.mark.parametrize(
    "data", ["30023100", "310430023100", "300c310a300806035504031301", "3009310730050603550403", "30003000"]
)
def test_bytes_that_are_no_name_are_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        decode_name(bytes.fromhex(data))
