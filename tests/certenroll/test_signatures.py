"""IX509SignatureInformation: which algorithm a signature has, by hash, key, form and message."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll.asn1.algorithms import hash_algorithm, pss_identifier, read_algorithm
from certenroll.asn1.der import children
from certenroll.hresults import HRESULT
from certenroll.signatures import IX509SignatureInformation
from tests.support.enrolling import BINARY, oid, refused

EMPTY = HRESULT.CERTSRV_E_PROPERTY_EMPTY
RSA, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
SHA1, SHA256, SHA512, MD5 = (
    "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.3", "1.2.840.113549.2.5",
)


def information(hash_name: str = "", key: str = "", **properties: Any) -> Any:
    made: Any = IX509SignatureInformation()
    if hash_name:
        made.HashAlgorithm = oid(hash_name)
    if key:
        made.PublicKeyAlgorithm = oid(key)
    for member, value in properties.items():
        setattr(made, member, value)
    return made


ALTERNATE = {"AlternateSignatureAlgorithm": True}
NULL = {"NullSigned": True}


@pytest.mark.parametrize(
    ("hash_name", "key", "properties", "pkcs7", "expected"),
    [
        (SHA256, RSA, {}, False, "1.2.840.113549.1.1.11"),
        (SHA512, RSA, {}, False, "1.2.840.113549.1.1.13"),
        (SHA1, RSA, {}, False, "1.2.840.113549.1.1.5"),
        (MD5, RSA, {}, False, "1.2.840.113549.1.1.4"),
        (SHA256, EC, {}, False, "1.2.840.10045.4.3.2"),
        (SHA1, EC, {}, False, "1.2.840.10045.4.1"),
        (SHA256, RSA, ALTERNATE, False, "1.2.840.113549.1.1.10"),
        (SHA256, EC, ALTERNATE, False, "1.2.840.10045.4.3"),
        (SHA256, RSA, {}, True, RSA),
        (SHA256, EC, {}, True, EC),
        (SHA256, RSA, NULL, False, SHA256),
        (SHA256, "", NULL, False, SHA256),
        ("", "", NULL, True, "1.3.6.1.5.5.7.6.2"),
    ],
)
def test_the_algorithm_of_a_signature(
    hash_name: str, key: str, properties: dict[str, bool], pkcs7: bool, expected: str
) -> None:
    assert information(hash_name, key, **properties).GetSignatureAlgorithm(pkcs7, False).Value == expected


@pytest.mark.parametrize(("hash_name", "key", "properties"), [("", RSA, {}), (SHA256, "", {}), ("", "", NULL)])
def test_hash_and_key_are_needed_for_an_algorithm(hash_name: str, key: str, properties: dict[str, bool]) -> None:
    assert refused(information(hash_name, key, **properties).GetSignatureAlgorithm, False, False) == EMPTY


def test_a_hash_that_no_such_key_signs_with_makes_no_algorithm() -> None:
    assert refused(information(MD5, EC).GetSignatureAlgorithm, False, False) == HRESULT.CRYPT_E_UNKNOWN_ALGO


def test_what_is_no_hash_is_refused_and_leaves_the_old_one() -> None:
    made = information(SHA512)
    assert refused(setattr, made, "HashAlgorithm", oid(RSA)) == HRESULT.NTE_BAD_ALGID
    assert made.HashAlgorithm.Value == SHA512


def test_the_defaults() -> None:
    made = information()
    assert (made.HashAlgorithm.Value, made.PublicKeyAlgorithm.Value) == (SHA256, RSA)
    assert (made.AlternateSignatureAlgorithm, made.AlternateSignatureAlgorithmSet, made.NullSigned) == (False, False, False)


@pytest.mark.parametrize("value", [True, False])
def test_alternate_signature_algorithm_set_tells_that_it_was_set(value: bool) -> None:
    made = information(AlternateSignatureAlgorithm=value)
    assert (made.AlternateSignatureAlgorithm, made.AlternateSignatureAlgorithmSet) == (value, True)


@pytest.mark.parametrize(("before", "after"), [("", SHA256), (SHA1, SHA1)])
def test_set_default_values_sets_a_hash_where_there_is_none(before: str, after: str) -> None:
    made = information(before, RSA)
    made.SetDefaultValues()
    assert made.HashAlgorithm.Value == after
    made.GetSignatureAlgorithm(False, False)


@pytest.mark.parametrize(
    ("hash_name", "key", "properties", "expected"),
    [
        (SHA256, RSA, {}, b"\x05\x00"),
        (SHA256, RSA, ALTERNATE, children(pss_identifier(hash_algorithm("sha256")))[1]),
        (SHA256, EC, ALTERNATE, hash_algorithm("sha256").identifier),
    ],
)
def test_the_parameters_of_the_algorithm(
    hash_name: str, key: str, properties: dict[str, bool], expected: bytes
) -> None:
    assert information(hash_name, key, **properties).Parameters(BINARY) == expected


def test_pss_parameters_name_the_hash_its_mask_and_its_salt() -> None:
    found = read_algorithm(pss_identifier(hash_algorithm("sha512")))
    assert (found.family, found.hash_name, found.mgf_hash_name, found.salt_length) == ("pss", "sha512", "sha512", 64)


def test_parameters_that_were_set_are_read_back_and_there_may_be_none() -> None:
    made = information(SHA256, EC)
    assert refused(made.Parameters) == EMPTY
    made.SetParameters(BINARY, b"\x05\x00")
    assert made.Parameters(BINARY) == b"\x05\x00"
