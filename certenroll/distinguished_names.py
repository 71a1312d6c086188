"""IX500DistinguishedName: an X.500 name as an automation object.

Knows which flags CertEnroll adds to those of a caller; the text of names and their DER are ``asn1.names``.
"""

from __future__ import annotations

from certenroll.asn1.der import DecodeError
from certenroll.asn1.names import decode_name, encode_name
from certenroll.com import ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType, X500NameFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

_LONGEST_NAME = 64 * 1024


class IX500DistinguishedName(ComObject):
    """An X.500 name, made from its text (Encode) or from its DER (Decode); each may be called again.

    Three flags are added to those of the caller: REVERSE unless FORWARD is given (so that ``CN=x, C=DE`` is encoded
    with C first, and read back as it was written), FORCE_UTF8_DIR_STR unless DISABLE_UTF8_DIR_STR is given, and
    ENABLE_PUNYCODE always.

    Source: Microsoft's pages of IX500DistinguishedName, its methods Encode and Decode.
    """

    def __init__(self) -> None:
        self._der: Slot[bytes] = Slot("the distinguished name")
        self._flags = 0

    def Decode(
        self,
        strEncodedName: str | bytes,
        Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64,
        NameFlags: X500NameFlags = X500NameFlags.XCN_CERT_NAME_STR_NONE,
    ) -> None:
        """Takes an encoded name.

        Args:
            strEncodedName: the DER of the name, as text.
            Encoding: how it stands in the text.
            NameFlags: how Name is to show it.

        Raises:
            ComError: WIN32_INVALID_DATA where the text is not of that encoding, WIN32_FILE_NOT_FOUND where its bytes
                are no name.
        """
        data, flags = decode_text(strEncodedName, Encoding), _completed(NameFlags)
        try:
            decode_name(data, flags)
        except DecodeError as error:
            raise ComError(HRESULT.WIN32_FILE_NOT_FOUND, f"the bytes are no X.500 name: {error}", argerror=0) from error
        self._der.replace(data)
        self._flags = flags

    def Encode(self, strName: str, NameFlags: X500NameFlags = X500NameFlags.XCN_CERT_NAME_STR_NONE) -> None:
        """Takes a name as text ("CN=www.example.org, O=Example, C=DE").

        Raises:
            ComError: CRYPT_E_INVALID_X500_STRING where it is no name, CRYPT_E_INVALID_{PRINTABLE,NUMERIC,IA5}_STRING where
                an attribute cannot hold its value, E_INVALIDARG for a string type that is only written,
                HRESULT_FROM_WIN32(ERROR_FILENAME_EXCED_RANGE) above 65,536 characters. Each says where in the text.
        """
        if len(strName) > _LONGEST_NAME:
            raise ComError(HRESULT.WIN32_FILENAME_EXCED_RANGE, f"a name has at most {_LONGEST_NAME} characters", argerror=0)
        flags = _completed(NameFlags)
        self._der.replace(encode_name(strName, flags))
        self._flags = flags

    @property
    def Name(self) -> str:
        """The name as text, in the form that the flags ask for. Raises ComError OLE_E_BLANK before Encode or Decode."""
        return decode_name(self._der.get(), self._flags)

    def EncodedName(self, Encoding: EncodingType = EncodingType.XCN_CRYPT_STRING_BASE64) -> str | bytes:
        """The DER of the name, as text. Raises ComError OLE_E_BLANK before Encode or Decode."""
        return encode_text(self._der.get(), Encoding)

    def der_bytes(self) -> bytes:
        """The DER of the name, for Python's side of the object model. Raises ComError OLE_E_BLANK."""
        return self._der.get()


def distinguished_name(der: bytes) -> IX500DistinguishedName:
    """An initialized IX500DistinguishedName. Raises ComError as Decode does."""
    made = IX500DistinguishedName()
    made.Decode(der, EncodingType.XCN_CRYPT_STRING_BINARY)
    return made


def _completed(flags: int) -> int:
    completed = flags | X500NameFlags.XCN_CERT_NAME_STR_ENABLE_PUNYCODE_FLAG
    if not flags & X500NameFlags.XCN_CERT_NAME_STR_FORWARD_FLAG:
        completed |= X500NameFlags.XCN_CERT_NAME_STR_REVERSE_FLAG
    if not flags & X500NameFlags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG:
        completed |= X500NameFlags.XCN_CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG
    return int(completed)
