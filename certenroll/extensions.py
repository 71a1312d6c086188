"""IX509Extension and IX509Extensions: an extension as an automation object, and the collection of them.

Knows an object identifier, a criticality and the bytes of a value; what the bytes mean is ``extension_types``.

Source: the nf-certenroll-ix509extension-* and nf-certenroll-ix509extensions-* pages; where they are silent,
docs/analysis/extensions.md.
"""

from __future__ import annotations

from typing import ClassVar

from certenroll.asn1.der import Extension
from certenroll.com import ComCollection, ComObject, Slot, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id
from certenroll.variants import convert

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64


def dotted(pObjectId: IObjectId | None) -> str:
    """The identifier of an argument in dots.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where nothing was given, OLE_E_BLANK where it is not initialized.
    """
    if pObjectId is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "an initialized IObjectId is needed", argerror=0)
    return pObjectId.dotted_value()


class IX509Extension(ComObject):
    """One extension: its identifier, whether it is critical, and its value. Initialized once."""

    _oid_: ClassVar[str] = ""  # the identifier of a subclass, which takes no other

    Critical = stored("bool", "_critical", False, "Whether the extension is critical. It is not, before that is set.")

    def __init__(self) -> None:
        self._content: Slot[tuple[str, bytes]] = Slot("the extension")

    def Initialize(self, pObjectId: IObjectId | None, Encoding: EncodingType, strEncodedData: str | bytes) -> None:
        """Takes an identifier and the DER of a value.

        Args:
            pObjectId: the identifier.
            Encoding: how the text holds the value.
            strEncodedData: the value, what stands inside the OCTET STRING of the extension. It is not looked into,
                except on an object of one kind of extension.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, E_INVALIDARG where the object is for another
                one, WIN32_ALREADY_INITIALIZED on the second time.
        """
        oid = dotted(pObjectId)
        if self._oid_ and oid != self._oid_:
            raise BadArgument(HRESULT.E_INVALIDARG, f"{type(self).__name__} is {self._oid_}, not {oid}", argerror=0)
        self._take(oid, decode_text(strEncodedData, Encoding))

    @property
    def ObjectId(self) -> IObjectId:
        """The extension's identifier. Raises ComError OLE_E_BLANK."""
        return object_id(self._content.get()[0])

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The DER of the value. Raises ComError OLE_E_BLANK."""
        return encode_text(self.value_bytes(), Encoding)

    def value_bytes(self) -> bytes:
        """The DER of the value. Raises ComError OLE_E_BLANK."""
        return self._content.get()[1]

    def dotted_oid(self) -> str:
        """The extension's identifier in dots. Raises ComError OLE_E_BLANK."""
        return self._content.get()[0]

    def to_extension(self) -> Extension:
        """The extension as it goes into a request. Raises ComError OLE_E_BLANK."""
        oid, value = self._content.get()
        return Extension(oid, self.Critical, value)

    def _take(self, oid: str, value: bytes) -> None:
        if not self._content.is_set:
            self._check(value)
        self._content.set((oid, value))

    def _check(self, value: bytes) -> None:
        """Raises DecodeError where the value is none of this kind of extension. Any value is one of the general kind."""


class IX509Extensions(ComCollection[IX509Extension]):
    """A collection of extensions, no two with the same identifier."""

    _item_type_ = "IX509Extension"

    def Add(self, pVal: object) -> None:
        """Appends an extension.

        Raises:
            ComError: WIN32_FILE_EXISTS where one with its identifier is there, OLE_E_BLANK where it is not initialized,
                DISP_E_TYPEMISMATCH where it is no IX509Extension.
        """
        added = convert(pVal, self._item_type_, argument=0)
        self._refuse_present([added])
        self._items.append(added)

    def AddRange(self, pValue: IX509Extensions) -> None:
        """Appends every extension of another collection, or none of them. Raises ComError as Add does."""
        added = list(pValue)
        self._refuse_present(added)
        self._items.extend(added)

    def IndexByObjectId(self, pObjectId: IObjectId | None) -> int:
        """The index of the extension with this identifier.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where there is none, CERTSRV_E_PROPERTY_EMPTY without an identifier.
        """
        wanted = dotted(pObjectId)
        for index, item in enumerate(self._items):
            if item.dotted_oid() == wanted:
                return index
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no extension is {wanted}")

    def _refuse_present(self, added: list[IX509Extension]) -> None:
        present = {item.dotted_oid() for item in self._items}
        for item in added:
            if item.dotted_oid() in present:
                raise ComError(HRESULT.WIN32_FILE_EXISTS, f"the extension {item.dotted_oid()} is there; remove it first")
            present.add(item.dotted_oid())
