"""The CA's name in its other forms. The examples are those of Microsoft's pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.ca.names import restored, same_config, sanitized, sanitized_short, split_config


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("#YourName", "!0023YourName"),
        ("LongCAName(WithSpeci@#$%^Characters", "LongCAName!0028WithSpeci@!0023$!0025!005eCharacters"),
        ("Grün", "Gr!00fcn"),
        ("a\tb", "a!0009b"),
        ("😀", "!d83d!de00"),
        ("plain name-1.2", "plain name-1.2"),
    ],
)
def test_characters_that_are_not_allowed_are_replaced(name: str, expected: str) -> None:
    assert sanitized(name) == expected
    assert restored(expected) == name


@given(st.text())
def test_a_sanitized_name_can_be_read_back_and_is_safe(name: str) -> None:
    found = sanitized(name)
    assert restored(found) == name
    assert all(" " <= character <= "~" and character not in "/\\:*?\"<>|" for character in found)


def test_a_short_name_of_up_to_51_characters_is_the_sanitized_name() -> None:
    assert sanitized_short("x" * 51) == "x" * 51


def test_a_longer_name_ends_in_the_hash_of_what_was_cut_off() -> None:
    assert sanitized_short("x" * 51 + "AB") == "x" * 51 + "-00196"  # 0x41 rotated left by one, and 0x42
    assert len(sanitized_short("é" * 60)) <= 57


def test_an_escape_is_not_cut_in_two() -> None:
    short = sanitized_short("x" * 49 + "#" + "y")
    assert short.startswith("x" * 49 + "-")


def test_a_configuration_string_has_two_halves_and_no_case() -> None:
    assert split_config("host\\CA\\name") == ("host", "CA\\name")
    assert split_config("\\\\host\\CA") == ("host", "CA")
    assert split_config("CA") == ("", "CA")
    assert same_config("HOST\\My CA", "host\\my ca")
    assert not same_config("host\\My CA", "My CA")
