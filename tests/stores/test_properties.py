"""Property values: bytes as Windows has them, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.stores import properties as props
from certenroll.stores.errors import PropertyError
from certenroll.stores.properties import Enrollment, KeyProviderInfo
from keystores.base import KeyLocation, Scope

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
DWORDS = st.integers(0, 0xFFFFFFFF)
KEY_INFOS = st.builds(
    KeyProviderInfo,
    container=TEXTS,
    provider_name=TEXTS,
    provider_type=DWORDS,
    flags=DWORDS,
    key_spec=DWORDS,
    store=st.sampled_from(["software", "tpm", "smartcard"]),
    scope=st.sampled_from(Scope),
    asked_location=st.none() | st.sampled_from(KeyLocation),
    used_location=st.sampled_from(KeyLocation),
    fallback=TEXTS,
    reference=TEXTS,
)


def test_a_friendly_name_is_utf_16_with_its_nul() -> None:
    assert props.encode_text("Aé") == b"A\0\xe9\0\0\0"


def test_an_enrollment_property_is_laid_out_as_microsoft_describes_it() -> None:
    value = props.encode_enrollment(Enrollment(77, "ca", "My CA", ""))
    assert value == (
        b"\x4d\0\0\0"
        + (b"\x03\0\0\0" + "ca\0".encode("utf-16-le"))
        + (b"\x06\0\0\0" + "My CA\0".encode("utf-16-le"))
        + b"\x01\0\0\0\0\0"
    )


@given(TEXTS)
def test_a_text_comes_back(text: str) -> None:
    assert props.decode_text(props.encode_text(text)) == text


@given(KEY_INFOS)
def test_a_key_info_comes_back_and_has_one_encoding(info: KeyProviderInfo) -> None:
    value = props.encode_key_info(info)
    assert props.decode_key_info(value) == info
    assert props.encode_key_info(props.decode_key_info(value)) == value


@given(st.integers(-(2**31), 2**31 - 1), TEXTS, TEXTS, TEXTS)
def test_an_enrollment_comes_back(number: int, host: str, name: str, friendly: str) -> None:
    enrollment = Enrollment(number, host, name, friendly)
    assert props.decode_enrollment(props.encode_enrollment(enrollment)) == enrollment


@given(DWORDS)
def test_a_number_comes_back(number: int) -> None:
    assert props.decode_number(props.encode_number(number)) == number


@given(st.booleans(), st.datetimes(datetime(1601, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))
def test_a_backup_comes_back(flag: bool, when: datetime) -> None:
    assert props.decode_backed_up(props.encode_backed_up(flag, when)) == (flag, when)


@pytest.mark.parametrize("size", range(28))
def test_an_enrollment_that_ends_early_is_refused(size: int) -> None:
    value = props.encode_enrollment(Enrollment(1, "ca", "CA", "f"))
    assert len(value) == 32
    with pytest.raises(PropertyError) as caught:
        props.decode_enrollment(value[:size])
    assert caught.value.hresult == 0x8007000D


def test_an_enrollment_with_something_after_it_is_refused() -> None:
    with pytest.raises(PropertyError):
        props.decode_enrollment(props.encode_enrollment(Enrollment(1, "ca", "CA")) + b"\0")


def test_an_enrollment_that_announces_gigabytes_is_refused() -> None:
    with pytest.raises(PropertyError):
        props.decode_enrollment(b"\1\0\0\0" + b"\xff\xff\xff\xff" + b"a\0" * 10)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(value: bytes) -> None:
    for property_id in props.DECODERS:
        try:
            props.decode(property_id, value)
        except PropertyError:
            continue


FACTS = json.loads(props.encode_key_info(KeyProviderInfo("a")))


@pytest.mark.parametrize(
    "facts",
    [
        None,
        [],
        {},
        FACTS | {"more": 1},
        {name: value for name, value in FACTS.items() if name != "flags"},
        FACTS | {"container": 1},
        FACTS | {"flags": "1"},
        FACTS | {"flags": True},
        FACTS | {"scope": "nobody"},
        FACTS | {"used_location": 9},
        FACTS | {"asked_location": "x"},
    ],
)
def test_a_key_info_of_another_shape_is_refused(facts: object) -> None:
    with pytest.raises(PropertyError):
        props.decode_key_info(json.dumps(facts).encode())


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_a_text_that_could_not_be_read_again_is_refused(text: str) -> None:
    with pytest.raises(PropertyError):
        props.encode_text(text)


def test_numbers_and_times_out_of_range_are_refused() -> None:
    for call in (
        lambda: props.encode_number(-1),
        lambda: props.encode_number(1 << 32),
        lambda: props.encode_enrollment(Enrollment(1 << 31, "", "")),
        lambda: props.encode_backed_up(True, datetime(1600, 1, 1, tzinfo=UTC)),
        lambda: props.decode_backed_up(b"\xff\xff" + b"\xff" * 8),
    ):
        with pytest.raises(PropertyError):
            call()


def test_a_property_of_no_known_form_is_its_own_value() -> None:
    assert props.decode(props.ARCHIVED_KEY_HASH, b"\1\2") == b"\1\2"


def test_archived_is_an_empty_value_or_none() -> None:
    assert (props.encode_archived(True), props.encode_archived(False)) == (b"", None)
