"""Serialized certificate stores: the bytes of MS-OSHARED 2.3.9.1, both ways, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1.der import DecodeError
from certenroll.asn1.serialized_stores import (
    SerializedElement,
    SerializedStore,
    decode_serialized_store,
    encode_serialized_store,
    is_serialized_store,
)
from certenroll.hresults import HRESULT

EMPTY = bytes.fromhex("00000000 43455254 00000000 00000000 00000000")
# A certificate "AB" whose friendly name (11) is "x", as sections 2.3.2.5.1 to 2.3.2.5.3 lay it out; then a CRL "C".
FILLED = bytes.fromhex(
    "00000000 43455254  0b000000 01000000 04000000 78000000  20000000 01000000 02000000 4142"
    " 21000000 01000000 01000000 43  00000000 00000000 00000000"
)
FILLED_STORE = SerializedStore((SerializedElement(b"AB", {11: b"x\0\0\0"}),), (SerializedElement(b"C"),))


@pytest.mark.parametrize(("data", "store"), [(EMPTY, SerializedStore()), (FILLED, FILLED_STORE)])
def test_a_store_is_laid_out_as_its_page_says(data: bytes, store: SerializedStore) -> None:
    assert is_serialized_store(data)
    assert decode_serialized_store(data) == store
    assert encode_serialized_store(store) == data


@pytest.mark.parametrize("size", range(len(FILLED)))
def test_a_truncated_store_is_refused(size: int) -> None:
    with pytest.raises(DecodeError):
        decode_serialized_store(FILLED[:size])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (FILLED + b"\0", HRESULT.CRYPT_E_ASN1_CORRUPT),
        (EMPTY[:8] + FILLED[8:24] + EMPTY[8:], HRESULT.CRYPT_E_ASN1_CORRUPT),
        (EMPTY[:-1], HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30\x00", HRESULT.CRYPT_E_ASN1_BADTAG),
        (EMPTY[:8] + bytes.fromhex("20000000 01000000 ffffffff"), HRESULT.CRYPT_E_ASN1_EOD),
    ],
)
def test_what_is_no_store_is_refused(data: bytes, code: HRESULT) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_serialized_store(data)
    assert caught.value.hresult == code


def test_no_property_takes_the_id_of_a_certificate_or_a_list() -> None:
    store = SerializedStore((SerializedElement(b"AB", {0: b"", 32: b"x", 33: b"x", 34: b"x", 3: b"y"}),))
    assert decode_serialized_store(encode_serialized_store(store)).certificates == (SerializedElement(b"AB", {3: b"y"}),)


ELEMENTS = st.builds(
    SerializedElement,
    st.binary(max_size=20),
    st.dictionaries(st.integers(1, 0xFFFF).filter(lambda one: one not in (32, 33, 34)), st.binary(max_size=9), max_size=3),
)
LISTS = st.lists(ELEMENTS, max_size=3).map(tuple)


@given(st.builds(SerializedStore, LISTS, LISTS, LISTS))
def test_what_was_written_is_read_back(store: SerializedStore) -> None:
    assert decode_serialized_store(encode_serialized_store(store)) == store
