"""IBinaryConverter: bytes between the text encodings and arrays, for scripts that cannot hold bytes themselves.

The formats are in ``encodings``; nothing is known here of what the bytes mean.
"""

from __future__ import annotations

from certenroll.com import ComObject
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from certenroll.variants import convert


class IBinaryConverter(ComObject):
    """Converts between encodings of bytes. Source: Microsoft's pages of IBinaryConverter and IBinaryConverter2."""

    def StringToString(
        self,
        strEncodedIn: str | bytes,
        EncodingIn: EncodingType,
        Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64,
    ) -> str | bytes:
        """The same bytes in another encoding.

        Raises:
            ComError: WIN32_INVALID_DATA where ``strEncodedIn`` is not of ``EncodingIn``, E_INVALIDARG for an encoding
                that does not exist or cannot be written.
        """
        return encode_text(decode_text(strEncodedIn, EncodingIn), Encoding)

    def VariantByteArrayToString(
        self, pvarByteArray: bytes, Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64
    ) -> str | bytes:
        """An array of bytes (``bytes``, or numbers from 0 to 255) as text.

        Raises:
            ComError: DISP_E_TYPEMISMATCH where it is no array of bytes, E_INVALIDARG as in StringToString.
        """
        return encode_text(pvarByteArray, Encoding)

    def StringToVariantByteArray(
        self, strEncoded: str | bytes, Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64
    ) -> bytes:
        """The bytes that stand in a text. Raises ComError as StringToString does."""
        return decode_text(strEncoded, Encoding)

    def StringArrayToVariantArray(self, pvarStringArray: object) -> list[object]:
        """An array of strings as an array of variants: what a script without typed arrays can read.

        Raises:
            ComError: DISP_E_TYPEMISMATCH where it is no array of strings.
        """
        return list(_strings(pvarStringArray))

    def VariantArrayToStringArray(self, pvarVariantArray: object) -> list[str]:
        """An array of variants as an array of strings, each converted as automation converts it.

        Raises:
            ComError: DISP_E_TYPEMISMATCH where it is no array, or an item is no string and has no form as one.
        """
        return _strings(pvarVariantArray)


IBinaryConverter2 = IBinaryConverter


def _strings(values: object) -> list[str]:
    if not isinstance(values, (list, tuple)):
        raise BadArgument(HRESULT.DISP_E_TYPEMISMATCH, f"an array is needed, not {type(values).__name__}", argerror=0)
    return [convert(value, "str", argument=0) for value in values]
