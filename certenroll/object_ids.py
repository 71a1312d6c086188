"""IObjectId and IObjectIds: an object identifier as an automation object.

Knows dotted identifiers and the names in ``oid_table``; nothing of what an identifier is used for.
"""

from __future__ import annotations

from certenroll.asn1 import der
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.enums import AlgorithmFlags, ObjectIdGroupId, ObjectIdPublicKeyFlags
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.oid_table import CERTENROLL_OBJECTID, find, member_numbered, member_of, named

_GROUP_MASK = 0xFFFF
_BITS_MASK = int(ObjectIdGroupId.XCN_CRYPT_OID_INFO_OID_GROUP_BIT_LEN_MASK)
_BITS_SHIFT = int(ObjectIdGroupId.XCN_CRYPT_OID_INFO_OID_GROUP_BIT_LEN_SHIFT)
_PREFER_CNG = int(ObjectIdGroupId.XCN_CRYPT_OID_PREFER_CNG_ALGID_FLAG)


class IObjectId(ComObject):
    """One object identifier. Initialized once, from a number, a dotted value or a name.

    Source: Microsoft's pages of IObjectId.
    """

    def __init__(self) -> None:
        self._value: Slot[str] = Slot("the object identifier")
        self._name: CERTENROLL_OBJECTID | None = None
        self._friendly_name: str | None = None

    def InitializeFromName(self, Name: int) -> None:
        """Takes the identifier that a CERTENROLL_OBJECTID stands for.

        Raises:
            ComError: E_INVALIDARG where there is no such member, CERTSRV_E_PROPERTY_EMPTY for XCN_OID_NONE,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        member = member_numbered(Name)
        if member is None:
            raise BadArgument(HRESULT.E_INVALIDARG, f"CERTENROLL_OBJECTID has no value {Name}", argerror=0)
        if not member.dotted:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "XCN_OID_NONE stands for no object identifier", argerror=0)
        self._value.set(member.dotted)
        self._name = member

    def InitializeFromValue(self, strValue: str) -> None:
        """Takes an identifier in dots ("1.3.6.1.5.5.7.3.2").

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for "", CRYPT_E_OID_FORMAT for what is no identifier,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._value.set(_checked(strValue))

    def InitializeFromAlgorithmName(
        self, GroupId: int, KeyFlags: ObjectIdPublicKeyFlags, AlgFlags: AlgorithmFlags, strAlgorithmName: str
    ) -> None:
        """Takes the identifier that goes by a name.

        Args:
            GroupId: the ObjectIdGroupId to look in (0 for all). Bits 16 to 27 may give the length of the key in bits.
            KeyFlags: whether a public key algorithm is wanted for signing or for encryption.
            AlgFlags: AlgorithmFlagsWrap for an algorithm that wraps keys.
            strAlgorithmName: a CNG name ("SHA256", "AES"), the name that Windows shows ("sha256RSA"), or the
                identifier itself in dots.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for "", CRYPT_E_UNKNOWN_ALGO for a name that is not in the group,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        if strAlgorithmName[:1].isdigit() and "." in strAlgorithmName:
            self._value.set(_checked(strAlgorithmName))
            return
        if not strAlgorithmName.strip():
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "a name is needed", argerror=3)
        group, bits = GroupId & _GROUP_MASK, (GroupId & _BITS_MASK) >> _BITS_SHIFT
        row = find(strAlgorithmName, group, KeyFlags, bits, bool(AlgFlags & AlgorithmFlags.AlgorithmFlagsWrap))
        if row is None:
            raise ComError(HRESULT.CRYPT_E_UNKNOWN_ALGO, f"group {group} has no {strAlgorithmName!r}", argerror=3)
        self._value.set(row.oid)

    @property
    def Name(self) -> CERTENROLL_OBJECTID:
        """The CERTENROLL_OBJECTID of the identifier, XCN_OID_NONE where it has none. Raises ComError OLE_E_BLANK."""
        value = self._value.get()
        return self._name if self._name is not None else member_of(value)

    @property
    def FriendlyName(self) -> str:
        """The name to show: the one that was set, else the one that Windows has.

        Raises:
            ComError: OLE_E_BLANK before the object is initialized, CRYPT_E_NOT_FOUND where the identifier has no name.
        """
        value = self._value.get()
        if self._friendly_name is not None:
            return self._friendly_name
        row = named(value)
        if row is None:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"{value} has no friendly name; set FriendlyName to give it one")
        return row.name

    @FriendlyName.setter
    def FriendlyName(self, Value: str) -> None:
        self._value.get()
        self._friendly_name = Value

    @property
    def Value(self) -> str:
        """The identifier in dots. Raises ComError OLE_E_BLANK."""
        return self._value.get()

    def GetAlgorithmName(self, GroupId: int, KeyFlags: ObjectIdPublicKeyFlags) -> str:
        """The name of the algorithm that the identifier stands for.

        Args:
            GroupId: the ObjectIdGroupId to look in; with XCN_CRYPT_OID_PREFER_CNG_ALGID_FLAG the name is CNG's.
            KeyFlags: which of the two names of a curve is wanted: for signing (ECDSA_P256) or encryption (ECDH_P256).

        Raises:
            ComError: OLE_E_BLANK before the object is initialized, CERTSRV_E_PROPERTY_EMPTY where the group does not
                have the identifier.
        """
        value = self._value.get()
        row = named(value, GroupId & _GROUP_MASK, KeyFlags)
        if row is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"{value} is no algorithm of group {GroupId & _GROUP_MASK}")
        return (row.cng or row.name) if GroupId & _PREFER_CNG else row.name

    def dotted_value(self) -> str:
        """The identifier in dots, for Python's side of the object model. Raises ComError OLE_E_BLANK."""
        return self._value.get()


class IObjectIds(ComCollection[IObjectId]):
    """A collection of object identifiers. Source: Microsoft's pages of IObjectIds."""

    _item_type_ = "IObjectId"

    def AddRange(self, pValue: IObjectIds) -> None:
        """Appends every item of another collection, in its order."""
        self._items.extend(pValue)


def object_id(dotted: str) -> IObjectId:
    """An initialized IObjectId. Raises ComError as InitializeFromValue does."""
    made = IObjectId()
    try:
        made._value.set(_checked(dotted))  # not by its member, which observers would take for a script's call
    except der.DecodeError as error:
        raise ComError(error.hresult, str(error)) from error
    return made


def _checked(value: str) -> str:
    dotted = value.strip()
    if not dotted:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "an object identifier is needed", argerror=0)
    der.oid(dotted)
    return dotted
