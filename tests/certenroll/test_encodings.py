"""The text encodings of bytes, against openssl, xxd's digits and the examples on Microsoft's page of EncodingType."""

from __future__ import annotations

import base64
import binascii
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.encodings import BadText, Kind, UnknownEncoding, decode_text, encode_text
from certenroll.hresults import HRESULT
from tests.support.requires import program

HEADER, BASE64, BINARY, REQUEST, HEX, HEXASCII, BASE64_ANY, ANY, HEX_ANY, CRL, HEXADDR, HEXASCIIADDR, HEXRAW, URI = range(14)
STRICT, NOCRLF, NOCR, PERCENT = 0x20000000, 0x40000000, 0x80000000, 0x08000000
WRITTEN = (HEADER, BASE64, BINARY, REQUEST, HEX, HEXASCII, CRL, HEXADDR, HEXASCIIADDR, HEXRAW, URI)
READ_BY = {HEADER: BASE64_ANY, BASE64: BASE64_ANY, REQUEST: ANY, CRL: ANY, HEX: HEX_ANY, HEXASCII: HEX_ANY}
READ_BY |= {HEXADDR: HEX_ANY, HEXASCIIADDR: HEX_ANY, HEXRAW: HEX_ANY, BINARY: BINARY, URI: URI}
EXAMPLE = b": certlib\\ldap.cpp(2131): ldaper"


def text_of(data: bytes, encoding: int, kind: Kind = "certificate") -> str:
    text = encode_text(data, encoding, kind=kind)
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("encoding", "lines"),
    [
        (HEX, ["3a 20 63 65 72 74 6c 69  62 5c 6c 64 61 70 2e 63", "70 70 28 32 31 33 31 29  3a 20 6c 64 61 70 65 72"]),
        (
            HEXASCII,
            [
                "3a 20 63 65 72 74 6c 69  62 5c 6c 64 61 70 2e 63   : certlib\\ldap.c",
                "70 70 28 32 31 33 31 29  3a 20 6c 64 61 70 65 72   pp(2131): ldaper",
            ],
        ),
        (
            HEXADDR,
            [
                "0000  3a 20 63 65 72 74 6c 69  62 5c 6c 64 61 70 2e 63",
                "0010  70 70 28 32 31 33 31 29  3a 20 6c 64 61 70 65 72",
            ],
        ),
        (
            HEXASCIIADDR,
            [
                "0000  3a 20 63 65 72 74 6c 69  62 5c 6c 64 61 70 2e 63   : certlib\\ldap.c",
                "0010  70 70 28 32 31 33 31 29  3a 20 6c 64 61 70 65 72   pp(2131): ldaper",
            ],
        ),
        (HEXRAW, ["3a20636572746c69625c6c6461702e6370702832313331293a206c6461706572"]),
        (BASE64, ["OiBjZXJ0bGliXGxkYXAuY3BwKDIxMzEpOiBsZGFwZXI="]),
    ],
)
def test_the_examples_of_microsoft_are_written_line_for_line(encoding: int, lines: list[str]) -> None:
    assert text_of(EXAMPLE, encoding) == "\r\n".join(lines) + "\r\n"


def test_a_short_last_line_keeps_the_column_of_characters_in_place() -> None:
    first, last = text_of(bytes(16) + b"abc", HEXASCIIADDR).splitlines()
    assert last == "0010  61 62 63                                           abc"
    assert first.index("...") == last.index("abc")


@pytest.mark.parametrize("size", [0, 1, 47, 48, 49, 96, 1000])
def test_base64_is_what_openssl_writes_but_for_the_line_ends(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    written = subprocess.run([program("openssl"), "enc", "-base64"], input=data, capture_output=True, check=True).stdout
    assert text_of(data, BASE64) == written.decode().replace("\n", "\r\n")
    assert text_of(data, BASE64 | NOCR) == written.decode()
    assert decode_text(written, BASE64) == data


@given(st.binary(max_size=70))
def test_base64_and_hex_hold_the_digits_that_python_finds(data: bytes) -> None:
    assert text_of(data, BASE64 | NOCRLF) == base64.b64encode(data).decode()
    assert text_of(data, HEXRAW | NOCRLF) == binascii.hexlify(data).decode()
    assert text_of(data, HEX | NOCRLF).split() == [f"{byte:02x}" for byte in data]
    assert text_of(data, URI) == base64.urlsafe_b64encode(data).decode().rstrip("=")


@given(st.binary(max_size=100), st.sampled_from(WRITTEN), st.sampled_from([0, NOCR, NOCRLF, STRICT]))
def test_what_is_written_is_read_again(data: bytes, encoding: int, flags: int) -> None:
    text = encode_text(data, encoding | flags)
    assert decode_text(text, encoding) == data
    assert decode_text(text, encoding | STRICT) == data
    assert decode_text(text, READ_BY[encoding]) == data


def test_binary_is_the_bytes_themselves_and_a_string_its_utf_16_units() -> None:
    assert encode_text(b"\x30\x00", BINARY) == b"\x30\x00"
    assert decode_text(b"\x30\x00", BINARY) == b"\x30\x00"
    assert decode_text("\u0030\ud800", BINARY) == b"\x30\x00\x00\xd8"


@pytest.mark.parametrize(
    ("kind", "label"), [("certificate", "CERTIFICATE"), ("request", "NEW CERTIFICATE REQUEST"), ("crl", "X509 CRL")]
)
def test_a_header_says_what_the_bytes_are(kind: Kind, label: str) -> None:
    assert text_of(b"abc", HEADER, kind) == f"-----BEGIN {label}-----\r\nYWJj\r\n-----END {label}-----\r\n"
    assert "NEW CERTIFICATE REQUEST" in text_of(b"abc", REQUEST, kind)
    assert "X509 CRL" in text_of(b"abc", CRL, kind)


@pytest.mark.parametrize("label", ["CERTIFICATE", "NEW CERTIFICATE REQUEST", "CERTIFICATE REQUEST", "PKCS7", "CMS", "X"])
@pytest.mark.parametrize("encoding", [HEADER, REQUEST, CRL, BASE64_ANY, ANY])
def test_a_header_of_any_wording_is_read(label: str, encoding: int) -> None:
    text = f"Bag Attributes\n  friendlyName: x\n-----BEGIN {label}-----\nYW\n  Jj\n-----END {label}-----\nafterwards"
    assert decode_text(text, encoding) == b"abc"
    assert decode_text(text.encode(), encoding) == b"abc"


@pytest.mark.parametrize(
    "text",
    [
        "YWJj",
        "YWJj\n",
        "\ufeffYWJj\r\n",
        "  Y W\tJ\r\nj ",
        b"\xff\xfeY\x00W\x00J\x00j\x00",
        b"\xfe\xff\x00Y\x00W\x00J\x00j",
        b"\xef\xbb\xbfYWJj",
    ],
)
def test_base64_is_read_through_blanks_and_byte_order_marks(text: str | bytes) -> None:
    assert decode_text(text, BASE64) == b"abc"
    assert decode_text(text, BASE64_ANY) == b"abc"


@pytest.mark.parametrize(
    ("text", "expected"), [("YQ==", b"a"), ("YQ=", b"a"), ("YQ", b"a"), ("YWI=", b"ab"), ("YWI", b"ab"), ("", b"")]
)
def test_base64_is_read_with_its_padding_and_without(text: str, expected: bytes) -> None:
    assert decode_text(text, BASE64) == expected
    assert decode_text(text, BASE64 | STRICT) == expected


def test_only_strict_reading_minds_what_follows_the_padding() -> None:
    assert decode_text("YQ== and more", BASE64) == b"a"
    for text in ("YQ== and more", "YQ===="):
        with pytest.raises(BadText):
            decode_text(text, BASE64 | STRICT)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("YWJj*", BASE64),
        ("YWJjZ", BASE64),
        ("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----", BASE64),
        ("YWJj", HEADER),
        ("-----BEGIN CERTIFICATE-----\nYWJj\n", HEADER),
        ("-----BEGIN CERTIFICATE-----\nYW*j\n-----END CERTIFICATE-----", HEADER),
        ("!", BASE64_ANY),
        ("6", HEX),
        ("6g", HEXRAW),
        ("00 zz", HEXADDR),
        ("61 62", HEXADDR),
        ("0000  61 62", HEXASCII),
        ("0000  61 62 6", HEXADDR),
        ("+A", URI),
        ("xyz", HEX_ANY),
    ],
)
def test_a_text_of_another_kind_is_refused(text: str, encoding: int) -> None:
    with pytest.raises(BadText) as caught:
        decode_text(text, encoding)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


def test_plain_base64_that_has_a_header_says_how_to_read_it() -> None:
    with pytest.raises(BadText, match="XCN_CRYPT_STRING_BASE64_ANY"):
        decode_text("-----BEGIN X-----\nYWJj\n-----END X-----", BASE64)


def test_any_takes_bytes_that_are_no_text_as_they_are() -> None:
    assert decode_text(b"\x30\x03\x02\x01\x05", ANY) == b"\x30\x03\x02\x01\x05"
    assert decode_text(b"MIIB \xff", ANY) == b"MIIB \xff"
    assert decode_text("5\u0001", ANY) == b"5\x00\x01\x00"


@pytest.mark.parametrize(
    "text",
    [
        "de ad be ef",
        "DEADBEEF",
        "\u200ede ad be ef",
        "de-ad-be-ef",
        "  de ad\r\n be ef\r\n",
        "0000  de ad be ef\n",
        "0000\tde ad be ef   ....\n",
        "0000  de ad\r\n0002  be ef\r\n",
        "de ad be ef                                        ab12",
        "00000000: de ad be ef",
    ],
)
def test_hex_any_reads_every_layout(text: str) -> None:
    assert decode_text(text, HEX_ANY) == b"\xde\xad\xbe\xef"


def test_a_column_of_characters_that_look_like_digits_is_not_read_as_bytes() -> None:
    for encoding in (HEXASCII, HEXASCIIADDR):
        data = b"deadbeef00112233aa"
        assert decode_text(text_of(data, encoding), HEX_ANY) == data


def test_percent_escapes_are_written_and_read_where_they_are_asked_for() -> None:
    assert text_of(b"\xff\xfe\xfb\xf0", BASE64 | PERCENT | NOCRLF) == "%2F%2F778A%3D%3D"
    assert decode_text("%2F%2F778A%3D%3D", BASE64 | PERCENT) == b"\xff\xfe\xfb\xf0"


@pytest.mark.parametrize("encoding", [BASE64_ANY, ANY, HEX_ANY, 14, 0xFF, 0x100, 0x200, 0x10000001])
def test_an_encoding_that_cannot_be_written_is_an_invalid_argument(encoding: int) -> None:
    with pytest.raises(UnknownEncoding) as caught:
        encode_text(b"abc", encoding)
    assert caught.value.hresult == HRESULT.E_INVALIDARG


@pytest.mark.parametrize("encoding", [14, 0xFF, 0x101, 0x201, 0x10000001])
def test_an_encoding_that_does_not_exist_is_an_invalid_argument(encoding: int) -> None:
    with pytest.raises(UnknownEncoding) as caught:
        decode_text("YWJj", encoding)
    assert caught.value.hresult == HRESULT.E_INVALIDARG


def test_a_flag_is_taken_as_a_signed_number_too() -> None:
    assert text_of(b"abc", BASE64 | -0x80000000) == "YWJj\n"
    assert decode_text("YWJj", BASE64 | -0x80000000) == b"abc"


@given(st.text(max_size=60), st.sampled_from(range(14)))
def test_any_text_is_read_or_refused(text: str, encoding: int) -> None:
    try:
        found = decode_text(text, encoding)
    except BadText:
        return
    assert isinstance(found, bytes)
