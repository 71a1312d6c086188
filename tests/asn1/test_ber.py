"""BER to DER, against encodings by hand, by rule and by OpenSSL."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import ber, der
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT
from tests.support.shared import shared_path

Tree = tuple[int, "bytes | list[Tree]"]

LEAVES = st.one_of(
    st.tuples(st.just(0x04), st.binary(max_size=200)),
    st.tuples(st.just(0x02), st.binary(min_size=1, max_size=4)),
    st.tuples(st.sampled_from([0x0C, 0x1E, 0x17]), st.binary(max_size=20)),
    st.tuples(st.just(0x03), st.binary(max_size=30).map(lambda octets: b"\x00" + octets)),
)
TREES = st.recursive(LEAVES, lambda inner: st.tuples(st.sampled_from([0x30, 0x31, 0xA3]), st.lists(inner, max_size=4)))


def in_der(tree: Tree) -> bytes:
    tag, inside = tree
    return der.wrap(tag, inside if isinstance(inside, bytes) else b"".join(map(in_der, inside)))


def in_ber(tree: Tree, chance: random.Random) -> bytes:
    """The same value with lengths and string pieces chosen at random."""
    tag, inside = tree
    if isinstance(inside, list):
        return framed(tag, b"".join(in_ber(part, chance) for part in inside), chance)
    if tag == 0x02 or chance.random() < 0.5:
        return framed(tag, inside, chance, primitive=True)
    head, octets = (b"\x00", inside[1:]) if tag == 0x03 else (b"", inside)
    cut = chance.randrange(len(octets) + 1)
    pieces = [framed(0x03 if head else 0x04, head + piece, chance, primitive=True) for piece in (octets[:cut], octets[cut:])]
    return framed(tag | 0x20, b"".join(pieces), chance)


def framed(tag: int, inside: bytes, chance: random.Random, *, primitive: bool = False) -> bytes:
    style = chance.choice(["minimal", "long"] if primitive else ["minimal", "long", "indefinite"])
    if style == "minimal":
        return der.wrap(tag, inside)
    if style == "long":
        return bytes([tag, 0x85]) + len(inside).to_bytes(5, "big") + inside
    return bytes([tag, 0x80]) + inside + b"\x00\x00"


@given(TREES, st.randoms(use_true_random=False))
def test_every_way_to_write_a_value_gives_its_der(tree: Tree, chance: random.Random) -> None:
    assert ber.to_der(in_ber(tree, chance)) == in_der(tree)


@given(TREES)
def test_der_comes_back_as_it_is(tree: Tree) -> None:
    assert ber.to_der(in_der(tree)) == in_der(tree)


def test_a_set_keeps_its_order() -> None:
    assert ber.to_der(bytes.fromhex("3180 020103 020101 0000")).hex() == "3106020103020101"


def test_a_bit_string_in_pieces_keeps_the_unused_bits_of_the_last() -> None:
    assert ber.to_der(bytes.fromhex("2309 0303000a3b 0302048f")).hex() == "0304040a3b8f"


def test_the_empty_constructed_strings_are_read() -> None:
    assert ber.to_der(b"\x24\x80\x00\x00") == b"\x04\x00"
    assert ber.to_der(b"\x23\x00") == b"\x03\x01\x00"


@pytest.mark.parametrize(
    ("data", "result"),
    [
        ("3080 06012a 3000 a080 040161 040162 0000 0000", "3009 06012a 3000 80026162"),
        ("3080 06012a 3000 a080 040161 0000 0000", "3008 06012a 3000 800161"),
        ("300a 06012a 3000 a003 040161", "300a 06012a 3000 a003 040161"),
        ("3080 06012a a080 040161 0000 0000", "3008 06012a a003 040161"),
    ],
)
def test_encrypted_content_in_pieces_is_joined_and_an_explicit_tag_is_not(data: str, result: str) -> None:
    assert ber.to_der(bytes.fromhex(data)).hex() == result.replace(" ", "")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", HRESULT.CRYPT_E_ASN1_EOD),
        ("3080", HRESULT.CRYPT_E_ASN1_EOD),
        ("308000", HRESULT.CRYPT_E_ASN1_EOD),
        ("30800000ff", HRESULT.CRYPT_E_ASN1_NOEOD),
        ("30020000", HRESULT.CRYPT_E_ASN1_CORRUPT),
        ("0480610000", HRESULT.CRYPT_E_ASN1_CORRUPT),
        ("2403020101", HRESULT.CRYPT_E_ASN1_BADTAG),
        ("230603020461030100", HRESULT.CRYPT_E_ASN1_EOD),
        ("2307030204610301ff", HRESULT.CRYPT_E_ASN1_CORRUPT),
        ("30ff", HRESULT.CRYPT_E_ASN1_EOD),
        ("1fffffffff0100", HRESULT.CRYPT_E_ASN1_CORRUPT),
    ],
)
def test_each_kind_of_damage_has_its_code(data: str, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        ber.to_der(bytes.fromhex(data))
    assert caught.value.hresult == code


def test_depth_is_bounded() -> None:
    allowed = b"\x30\x80" * ber.MAX_DEPTH + b"\x00\x00" * ber.MAX_DEPTH
    assert ber.to_der(allowed)[:1] == b"\x30"
    with pytest.raises(DecodeError) as caught:
        ber.to_der(b"\x30\x80" * 100_000)
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_LARGE


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ber, "MAX_SIZE", 10)
    with pytest.raises(DecodeError) as caught:
        ber.to_der(der.octet_string(bytes(20)))
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_LARGE


def test_a_file_of_openssl_in_ber_becomes_der_at_every_level() -> None:
    data = shared_path("vectors", "cms-ber", "test-BER.p12").read_bytes()
    normal = ber.to_der(data)
    assert der.read_integer(der.children(normal, der.SEQUENCE)[0]) == 3
    assert ber.to_der(normal) == normal


def test_every_truncation_of_a_ber_file_is_refused() -> None:
    data = shared_path("vectors", "cms-ber", "test-BER.p12").read_bytes()
    for size in range(0, len(data), 3):
        with pytest.raises(DecodeError):
            ber.to_der(data[:size])
