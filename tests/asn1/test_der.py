"""The ground of the codecs: headers, simple values and the three shared types."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat import asn1
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import der
from certenroll.asn1.der import Attribute, DecodeError, EncodeError, Extension
from certenroll.hresults import HRESULT

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=50)
OIDS = st.lists(st.integers(0, 1 << 40), min_size=1, max_size=8).map(lambda arcs: ".".join(map(str, [1, 3, *arcs])))
VALUES = st.binary(max_size=300).map(der.octet_string)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30\x05\x00", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30\x82\x01", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30\x80\x00\x00", HRESULT.CRYPT_E_ASN1_CORRUPT),
        (b"\x30\x81\x05\x02\x03\x01\x02\x03", HRESULT.CRYPT_E_ASN1_CORRUPT),
        (b"\x30\x82\x00\x80" + bytes(128), HRESULT.CRYPT_E_ASN1_CORRUPT),
        (b"\x30\x00\x00", HRESULT.CRYPT_E_ASN1_NOEOD),
        (b"\x31\x00", HRESULT.CRYPT_E_ASN1_BADTAG),
        (b"\x10\x00", HRESULT.CRYPT_E_ASN1_BADTAG),
    ],
)
def test_each_kind_of_damage_has_its_code(data: bytes, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        der.children(data, der.SEQUENCE)
    assert caught.value.hresult == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x02", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x02\x01\x05\x00", HRESULT.CRYPT_E_ASN1_NOEOD),
        (b"\x02\x02\x00\x05", HRESULT.CRYPT_E_ASN1_CORRUPT),
        (b"\x04\x01\x05", HRESULT.CRYPT_E_ASN1_BADTAG),
    ],
)
def test_the_toolchains_errors_become_decode_errors(data: bytes, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        der.read_integer(data)
    assert caught.value.hresult == code


def test_a_header_above_the_limit_of_its_surroundings_is_refused() -> None:
    with pytest.raises(DecodeError, match="fewer follow"):
        der.header(b"\x30\x03\x04\x02ab", 2, 5)


@given(st.binary(max_size=70_000), st.sampled_from([0x04, 0x30, 0x80, 0xA0, 0x9F21, 0xBF8102]))
def test_what_is_wrapped_is_read_back(data: bytes, tag: int) -> None:
    wrapped = der.wrap(tag, data)
    assert (der.tag(wrapped), der.contents(wrapped, tag)) == (tag, data)


@given(st.binary(min_size=128, max_size=70_000))
def test_lengths_are_those_of_the_toolchain(data: bytes) -> None:
    assert der.octet_string(data) == asn1.encode_der(data)


@given(st.integers(-(1 << 200), 1 << 200))
def test_integers_of_any_size_come_back(value: int) -> None:
    assert der.read_integer(der.integer(value)) == value


@given(OIDS)
def test_object_identifiers_come_back(text: str) -> None:
    try:
        encoded = der.oid(text)
    except EncodeError:  # the toolchain bounds the length of an identifier
        return
    assert der.read_oid(encoded) == text


@pytest.mark.parametrize("text", ["", "1", "1.2.x", "9.9.9", "1.2.-3"])
def test_a_malformed_object_identifier_is_refused(text: str) -> None:
    with pytest.raises(EncodeError) as caught:
        der.oid(text)
    assert caught.value.hresult == HRESULT.CRYPT_E_OID_FORMAT


@given(TEXT)
def test_bmp_and_utf8_strings_hold_any_text(text: str) -> None:
    assert der.read_bmp_string(der.bmp_string(text)) == text
    assert der.read_string(der.utf8_string(text)) == text


def test_the_template_name_of_microsofts_sample_is_a_bmp_string() -> None:
    assert der.bmp_string("User") == bytes.fromhex("1e080055007300650072")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x14\x02\xe9\xfc", "éü"),
        (b"\x13\x02AB", "AB"),
        (b"\x16\x01@", "@"),
        (b"\x12\x0212", "12"),
        (b"\x1a\x01a", "a"),
        (b"\x1c\x04\x00\x01\xf6\x00", "\U0001f600"),
        (b"\x1e\x04\xd8\x34\xdd\x1e", "\U0001d11e"),
    ],
)
def test_every_string_type_is_read(data: bytes, text: str) -> None:
    assert der.read_string(data) == text


@pytest.mark.parametrize("data", [b"\x0c\x02\xff\xff", b"\x1e\x01a", b"\x1e\x02\xd8\x00", b"\x1c\x03abc"])
def test_octets_that_are_no_text_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        der.read_string(data)
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_UTF8


def test_text_that_does_not_fit_its_string_type_is_refused() -> None:
    with pytest.raises(EncodeError) as caught:
        der.ia5_string("Zürich")
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_IA5_STRING
    with pytest.raises(EncodeError):
        der.bmp_string("\ud800")


def test_an_octet_string_is_no_text() -> None:
    with pytest.raises(DecodeError):
        der.read_string(b"\x04\x01a")
    with pytest.raises(DecodeError):
        der.read_string(b"")


@pytest.mark.parametrize("data", [b"\x03\x00", b"\x03\x02\x08\xff", b"\x03\x01\x01"])
def test_a_malformed_bit_string_is_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        der.read_bit_string(data)


def test_bit_strings_come_back_with_their_unused_bits() -> None:
    assert der.read_bit_string(der.bit_string(b"\xa0", 5)) == (b"\xa0", 5)
    assert der.bit_string(b"\xa0", 5) == b"\x03\x02\x05\xa0"
    assert der.bit_string(b"") == b"\x03\x01\x00"


@given(st.lists(VALUES, max_size=6))
def test_a_set_is_sorted_and_a_sequence_is_not(parts: list[bytes]) -> None:
    assert der.children(der.set_of(parts), der.SET) == sorted(parts)
    assert der.children(der.sequence_of(parts), der.SEQUENCE) == parts


@given(OIDS, st.lists(VALUES, min_size=1, max_size=4))
def test_an_attribute_comes_back_in_its_order(oid: str, values: list[bytes]) -> None:
    try:
        encoded = der.encode_attribute(Attribute(oid, tuple(values)), keep_order=True)
    except EncodeError:
        return
    assert der.decode_attribute(encoded) == Attribute(oid, tuple(values))


@given(st.lists(st.builds(Extension, st.just("2.5.29.15"), st.booleans(), st.binary(max_size=200)), max_size=5))
def test_extensions_come_back(extensions: list[Extension]) -> None:
    assert der.decode_extensions(der.encode_extensions(extensions)) == tuple(extensions)


def test_an_extension_that_writes_its_false_out_is_read() -> None:
    data = bytes.fromhex("300e300c0603551d0f01010004020500")
    assert der.decode_extensions(data) == (Extension("2.5.29.15", False, b"\x05\x00"),)


def test_a_primitive_has_no_elements() -> None:
    with pytest.raises(DecodeError):
        der.children(b"\x04\x02\x05\x00")


def test_the_number_of_elements_is_bounded() -> None:
    with pytest.raises(DecodeError) as caught:
        der.children(der.sequence_of([der.NULL_DER] * (der.MAX_CHILDREN + 1)))
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_LARGE


def test_random_octets_are_a_value_or_a_decode_error() -> None:
    chance = random.Random(1)
    readers = (der.children, der.read_string, der.read_bit_string, der.read_oid, der.decode_attribute, der.decode_extensions)
    for _ in range(3000):
        data = chance.randbytes(chance.randrange(12))
        for reader in readers:
            try:
                reader(bytes([chance.choice(b"\x30\x31\x03\x06\x0c\x1e")]) + data)
            except DecodeError:
                continue
