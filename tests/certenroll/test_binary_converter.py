"""IBinaryConverter as scripts use it."""

from __future__ import annotations

import pytest

from certenroll.binary_converter import IBinaryConverter, IBinaryConverter2
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.registry import create

BASE64, BINARY, HEX, HEXRAW = EncodingType(1), EncodingType(2), EncodingType(4), EncodingType(0xC)


def converter() -> IBinaryConverter:
    made = create("x509enrollment.cbinaryconverter")
    assert isinstance(made, IBinaryConverter)
    return made


def test_a_text_changes_its_encoding() -> None:
    assert converter().StringToString("YWJj", BASE64, HEXRAW) == "616263\r\n"
    assert converter().StringToString("61 62 63", HEX) == "YWJj\r\n"
    assert converter().StringToString("61 62 63", HEX, BINARY) == b"abc"


def test_an_array_of_bytes_becomes_text_and_text_an_array() -> None:
    assert converter().VariantByteArrayToString(b"abc") == "YWJj\r\n"
    assert converter().VariantByteArrayToString([97, 98, 99], HEX) == "61 62 63\r\n"  # type: ignore[arg-type]
    assert converter().StringToVariantByteArray("YWJj") == b"abc"


def test_arrays_of_strings_and_variants_change_into_each_other() -> None:
    assert converter().StringArrayToVariantArray(("a", "b")) == ["a", "b"]
    assert converter().VariantArrayToStringArray(["a", 1, None]) == ["a", "1", ""]


def test_the_second_version_of_the_interface_is_the_same_class() -> None:
    assert IBinaryConverter2 is IBinaryConverter


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda it: it.StringToString("*", BASE64), HRESULT.WIN32_INVALID_DATA),
        (lambda it: it.StringToString("YWJj", BASE64, EncodingType(7)), HRESULT.E_INVALIDARG),
        (lambda it: it.StringToVariantByteArray("YWJj", EncodingType(99)), HRESULT.E_INVALIDARG),
        (lambda it: it.VariantByteArrayToString([300]), HRESULT.DISP_E_TYPEMISMATCH),
        (lambda it: it.VariantByteArrayToString("abc"), HRESULT.DISP_E_TYPEMISMATCH),
        (lambda it: it.StringArrayToVariantArray("abc"), HRESULT.DISP_E_TYPEMISMATCH),
        (lambda it: it.VariantArrayToStringArray([b"a"]), HRESULT.DISP_E_TYPEMISMATCH),
        (lambda it: it.StringToString("YWJj"), HRESULT.DISP_E_BADPARAMCOUNT),
    ],
)
def test_bad_input_is_refused_with_its_code(call, code: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ComError) as caught:
        call(converter())
    assert caught.value.hresult & 0xFFFFFFFF == code
