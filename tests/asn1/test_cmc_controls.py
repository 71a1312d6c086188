"""The values of CMC controls: bytes to values and back, and the text of registration info."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import cmc_controls, der
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.cmc import Control, decode_control, decode_nested, decode_other, encode_control
from certenroll.asn1.cmc_controls import AddAttributes, AddExtensions, decode_reg_info, encode_reg_info
from certenroll.asn1.der import Attribute, DecodeError, EncodeError, Extension
from certenroll.hresults import HRESULT

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def test_registration_info_is_written_as_in_microsofts_sample() -> None:
    pairs = (NameValuePair("RequesterName", "Domain\\TargetUser"),)
    data = der.octet_string(b"RequesterName=Domain%5CTargetUser&")
    assert encode_reg_info(pairs) == data
    assert decode_reg_info(data) == pairs


@given(st.lists(st.builds(NameValuePair, TEXTS, TEXTS)))
def test_any_names_and_values_come_back(pairs: list[NameValuePair]) -> None:
    assert decode_reg_info(encode_reg_info(pairs)) == tuple(pairs)


def test_registration_info_of_other_writers_is_read() -> None:
    data = der.octet_string("a=1&&b=&c=d=e&ä=%C3%A4".encode())
    found = [(one.name, one.value) for one in decode_reg_info(data)]
    assert found == [("a", "1"), ("b", ""), ("c", "d=e"), ("ä", "ä")]


@pytest.mark.parametrize(
    ("text", "code"),
    [(b"name&", HRESULT.CRYPT_E_ASN1_CORRUPT), (b"a=%5&", HRESULT.CRYPT_E_ASN1_CORRUPT),
     (b"a=%zz&", HRESULT.CRYPT_E_ASN1_CORRUPT), (b"a=%ff&", HRESULT.CRYPT_E_ASN1_UTF8)],
)  # fmt: skip
def test_malformed_registration_info_says_why(text: bytes, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_reg_info(der.octet_string(text))
    assert caught.value.hresult == code


def test_a_lone_surrogate_has_no_registration_info() -> None:
    with pytest.raises(EncodeError):
        encode_reg_info([NameValuePair("a", "\ud800")])


def test_added_attributes_are_sorted_when_they_are_put_together_and_kept_when_they_are_read() -> None:
    long, short = Attribute("1.2.3", (der.octet_string(b"long"),)), Attribute("1.2.4", (der.NULL_DER,))
    control = cmc_controls.add_attributes(2, [long, short])
    assert cmc_controls.decode_add_attributes(control.values[0]) == AddAttributes(0, (1,), (short, long))
    unsorted = AddAttributes(3, (4, 5), (long, short))
    assert cmc_controls.decode_add_attributes(cmc_controls.encode_add_attributes(unsorted)) == unsorted


def test_added_extensions_come_back_in_their_order() -> None:
    value = AddExtensions(7, (), (Extension("2.5.29.15", True, b"b"), Extension("2.5.29.14", False, b"a")))
    assert cmc_controls.decode_add_extensions(cmc_controls.encode_add_extensions(value)) == value


def test_the_first_of_several_transactions_counts() -> None:
    control = Control(1, cmc_controls.TRANSACTION_ID, (der.integer(-5), der.integer(6)))
    assert cmc_controls.transaction_id([control]) == -5
    assert cmc_controls.nonce([control], cmc_controls.SENDER_NONCE) is None


def test_a_control_keeps_its_values_in_their_order() -> None:
    control = Control(1, "1.2.3", (der.octet_string(b"b"), der.octet_string(b"a")))
    assert decode_control(encode_control(control)) == control


@pytest.mark.parametrize("decode", [decode_control, decode_nested, decode_other])
def test_a_part_that_lacks_parts_is_a_decode_error(decode: object) -> None:
    assert callable(decode)
    for data in (der.sequence_of(()), der.sequence_of((der.integer(1),)), der.integer(1), b""):
        with pytest.raises(DecodeError):
            decode(data)


def test_a_nested_message_is_a_sequence() -> None:
    with pytest.raises(DecodeError):
        decode_nested(der.sequence_of((der.integer(1), der.NULL_DER)))


@pytest.mark.parametrize("decode", [cmc_controls.decode_add_attributes, cmc_controls.decode_add_extensions])
def test_every_truncation_of_a_control_is_a_decode_error(decode: object) -> None:
    assert callable(decode)
    attributes = AddAttributes(0, (1,), (Attribute("1.2.3", (der.NULL_DER,)),))
    extensions = AddExtensions(0, (1,), (Extension("1.2.3", True, b""),))
    made = decode is cmc_controls.decode_add_attributes
    data = cmc_controls.encode_add_attributes(attributes) if made else cmc_controls.encode_add_extensions(extensions)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode(data[:size])
