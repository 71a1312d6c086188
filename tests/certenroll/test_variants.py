"""The conversions of automation: what a script may pass for what a member asks for."""

from __future__ import annotations

import math

import pytest

from certenroll.enums import EncodingType, ObjectIdGroupId, X509CertificateEnrollmentContext
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId
from certenroll.variants import convert


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("24", "int", 24),
        (" 1 ", "int", 1),
        ("&H10", "int", 16),
        ("&h10&", "int", 16),
        ("1.5", "int", 2),
        ("2.5", "int", 2),
        (2.5, "int", 2),
        ("-1", "int", -1),
        (True, "int", -1),
        (False, "int", 0),
        (0xFFFFFFFF, "int", 0xFFFFFFFF),
        (-0x80000000, "int", -0x80000000),
        (24, "str", "24"),
        (1.0, "str", "1"),
        (1.5, "str", "1.5"),
        (math.inf, "str", "inf"),
        (None, "str", ""),
        (True, "str", "True"),
        (1, "bool", True),
        (0, "bool", False),
        (-1, "bool", True),
        ("True", "bool", True),
        ("false", "bool", False),
        ("0", "bool", False),
        (b"a", "bytes", b"a"),
        (bytearray(b"a"), "bytes", b"a"),
        ([0, 255], "bytes", b"\x00\xff"),
        (b"a", "str | bytes", b"a"),
        ("a", "str | bytes", "a"),
        (1, "EncodingType", EncodingType.XCN_CRYPT_STRING_BASE64),
        ("6", "EncodingType", EncodingType.XCN_CRYPT_STRING_BASE64_ANY),
        (-0x80000000, "EncodingType", EncodingType.XCN_CRYPT_STRING_NOCR),
        ("2", "X509CertificateEnrollmentContext", X509CertificateEnrollmentContext.ContextMachine),
        (0x80000000, "ObjectIdGroupId", ObjectIdGroupId.XCN_CRYPT_OID_DISABLE_SEARCH_DS_FLAG),
        (None, "int | None", None),
        ("3", "int | None", 3),
        (object, "object", object),
    ],
)
def test_a_value_becomes_what_the_member_asks_for(value: object, kind: str, expected: object) -> None:
    found = convert(value, kind)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("value", "kind", "code"),
    [
        ("abc", "int", HRESULT.DISP_E_TYPEMISMATCH),
        ("", "int", HRESULT.DISP_E_TYPEMISMATCH),
        ("1_000", "int", HRESULT.DISP_E_TYPEMISMATCH),
        ("nan", "int", HRESULT.DISP_E_TYPEMISMATCH),
        ("&hxyz", "int", HRESULT.DISP_E_TYPEMISMATCH),
        (None, "int", HRESULT.DISP_E_TYPEMISMATCH),
        ([], "int", HRESULT.DISP_E_TYPEMISMATCH),
        (0x100000000, "int", HRESULT.DISP_E_OVERFLOW),
        (-0x80000001, "int", HRESULT.DISP_E_OVERFLOW),
        ("99999999999", "int", HRESULT.DISP_E_OVERFLOW),
        (math.inf, "int", HRESULT.DISP_E_OVERFLOW),
        ("1e400", "int", HRESULT.DISP_E_OVERFLOW),
        ([], "str", HRESULT.DISP_E_TYPEMISMATCH),
        (b"a", "str", HRESULT.DISP_E_TYPEMISMATCH),
        ("yes", "bool", HRESULT.DISP_E_TYPEMISMATCH),
        (None, "bool", HRESULT.DISP_E_TYPEMISMATCH),
        ("a", "bytes", HRESULT.DISP_E_TYPEMISMATCH),
        ([256], "bytes", HRESULT.DISP_E_TYPEMISMATCH),
        (9, "X509CertificateEnrollmentContext", HRESULT.E_INVALIDARG),
        ("x", "X509CertificateEnrollmentContext", HRESULT.DISP_E_TYPEMISMATCH),
        (None, "IObjectId", HRESULT.E_POINTER),
        ("1.2.3", "IObjectId", HRESULT.DISP_E_TYPEMISMATCH),
        (object(), "IObjectId", HRESULT.DISP_E_TYPEMISMATCH),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_code_and_position(value: object, kind: str, code: int) -> None:
    with pytest.raises(BadArgument) as caught:
        convert(value, kind, argument=3)
    assert (caught.value.hresult & 0xFFFFFFFF, caught.value.argerror) == (code, 3)


@pytest.mark.parametrize("value", [1e300, float("inf"), "9" * 5_000, 10**300])
def test_a_number_that_is_too_large_is_not_written_out(value: object) -> None:
    with pytest.raises(BadArgument) as caught:
        convert(value, "int")
    assert caught.value.hresult & 0xFFFFFFFF == HRESULT.DISP_E_OVERFLOW
    assert caught.value.detail == "a number of that size does not fit 32 bits"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e300, "1E+300"), (0.1 + 0.2, "0.3"), (1e15, "1E+15"), (123456789012345.0, "123456789012345"), (1e-7, "1E-07")],
)
def test_a_double_is_written_with_fifteen_digits_and_an_exponent(value: float, text: str) -> None:
    assert convert(value, "str") == text


def test_an_interface_is_known_by_the_name_of_its_class_or_of_a_base() -> None:
    class Special(IObjectId):
        """A subclass."""

    for one in (IObjectId(), Special()):
        assert convert(one, "IObjectId") is one
