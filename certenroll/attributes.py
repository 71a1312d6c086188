"""IX509Attribute and ICryptAttribute: values of a request's attributes as automation objects, and their collections.

Knows an identifier and the bytes of one value (IX509Attribute), and an identifier with all its values (ICryptAttribute).
What the bytes mean is ``attribute_types``.

Source: the nf-certenroll-ix509attribute-*, ix509attributes-*, icryptattribute-* and icryptattributes-* pages; where they
are silent, docs/analysis/attributes.md.
"""

from __future__ import annotations

from typing import ClassVar

from certenroll.asn1 import der
from certenroll.asn1.der import Attribute
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument, ComError
from certenroll.extensions import BASE64, dotted
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id


class IX509Attribute(ComObject):
    """One value of an attribute, with the attribute's identifier. Initialized once."""

    _oid_: ClassVar[str] = ""  # the identifier of a subclass, which takes no other

    def __init__(self) -> None:
        self._content: Slot[tuple[str, bytes]] = Slot("the attribute")

    def Initialize(self, pObjectId: IObjectId | None, Encoding: EncodingType, strEncodedData: str | bytes) -> None:
        """Takes an identifier and the DER of one value.

        Args:
            pObjectId: the identifier.
            Encoding: how the text holds the value.
            strEncodedData: the value, one DER element.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, a CRYPT_E_ASN1_* code where the value is no DER
                element, E_INVALIDARG where the object is for another identifier, WIN32_ALREADY_INITIALIZED on the
                second time.
        """
        oid = dotted(pObjectId)
        if self._oid_ and oid not in self._identifiers():
            raise BadArgument(HRESULT.E_INVALIDARG, f"{type(self).__name__} is {self._oid_}, not {oid}", argerror=0)
        self._take(oid, decode_text(strEncodedData, Encoding))

    @property
    def ObjectId(self) -> IObjectId:
        """The attribute's identifier. Raises ComError OLE_E_BLANK."""
        return object_id(self.dotted_oid())

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The DER of the value. Raises ComError OLE_E_BLANK."""
        return encode_text(self.value_bytes(), Encoding)

    def dotted_oid(self) -> str:
        """The attribute's identifier in dots. Raises ComError OLE_E_BLANK."""
        return self._content.get()[0]

    def value_bytes(self) -> bytes:
        """The DER of the value. Raises ComError OLE_E_BLANK."""
        return self._content.get()[1]

    def _identifiers(self) -> tuple[str, ...]:
        return (self._oid_,)

    def _take(self, oid: str, value: bytes) -> None:
        if not self._content.is_set:
            self._check(value)
        self._content.set((oid, value))

    def _check(self, value: bytes) -> None:
        """Raises DecodeError where the value is none of this kind of attribute."""
        der.contents(value)


class IX509Attributes(ComCollection[IX509Attribute]):
    """A collection of values."""

    _item_type_ = "IX509Attribute"


class ICryptAttribute(ComObject):
    """An attribute of a request: an identifier and its values. Initialized once; values may be added to it."""

    def __init__(self) -> None:
        self._oid: Slot[str] = Slot("the attribute")
        self._values = IX509Attributes()

    def InitializeFromObjectId(self, pObjectId: IObjectId | None) -> None:
        """Takes the attribute's identifier; it has no values yet.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._oid.set(dotted(pObjectId))

    def InitializeFromValues(self, pAttributes: IX509Attributes) -> None:
        """Takes the values of a collection, and the identifier of the first of them.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for an empty collection, E_INVALIDARG where its values are of different
                attributes, WIN32_ALREADY_INITIALIZED on the second time.
        """
        values = list(pAttributes)
        if not values:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the collection holds no attribute", argerror=0)
        oid = values[0].dotted_oid()
        _one_attribute(oid, values)
        self._oid.set(oid)
        self._values = IX509Attributes(values)

    @property
    def ObjectId(self) -> IObjectId:
        """The attribute's identifier. Raises ComError OLE_E_BLANK."""
        return object_id(self._oid.get())

    @property
    def Values(self) -> IX509Attributes:
        """The attribute's values; the collection is the attribute's own. Raises ComError OLE_E_BLANK."""
        self._oid.get()
        return self._values

    def to_attribute(self) -> Attribute:
        """The attribute as it goes into a request.

        Raises:
            ComError: OLE_E_BLANK before it is initialized, CERTSRV_E_PROPERTY_EMPTY where it has no value,
                E_INVALIDARG where a value of another attribute was added.
        """
        oid, values = self._oid.get(), list(self._values)
        if not values:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"the attribute {oid} has no value; add one to Values")
        _one_attribute(oid, values)
        return Attribute(oid, tuple(value.value_bytes() for value in values))


class ICryptAttributes(ComCollection[ICryptAttribute]):
    """A collection of attributes."""

    _item_type_ = "ICryptAttribute"

    def IndexByObjectId(self, pObjectId: IObjectId | None) -> int:
        """The index of the first attribute with this identifier.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where there is none, CERTSRV_E_PROPERTY_EMPTY without an identifier.
        """
        wanted = dotted(pObjectId)
        for index, item in enumerate(self._items):
            if item.ObjectId.dotted_value() == wanted:
                return index
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no attribute is {wanted}")

    def AddRange(self, pValue: ICryptAttributes) -> None:
        """Appends every attribute of another collection, in its order."""
        self._items.extend(list(pValue))


def _one_attribute(oid: str, values: list[IX509Attribute]) -> None:
    other = next((value.dotted_oid() for value in values if value.dotted_oid() != oid), None)
    if other is not None:
        raise BadArgument(HRESULT.E_INVALIDARG, f"a value of {other} does not belong to the attribute {oid}")
