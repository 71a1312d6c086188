"""IAlternativeName and IAlternativeNames: one name of a subject as an automation object, and the collection of them.

Knows which of Microsoft's name types comes from a text, from bytes or from an identifier with bytes, and which member
can then be read. The wire form is ``asn1.general_names``.

Source: the nf-certenroll-ialternativename-* pages; where they are silent, docs/analysis/extensions.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from certenroll.asn1 import der, general_names
from certenroll.asn1.general_names import GeneralName, Kind
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import AlternativeNameType, EncodingType
from certenroll.errors import BadArgument, ComError
from certenroll.extensions import BASE64, dotted
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, object_id

_T = AlternativeNameType
_GUID_SIZE: Final = 16

_KINDS: Final = {
    Kind.OTHER_NAME: _T.XCN_CERT_ALT_NAME_OTHER_NAME,
    Kind.RFC822: _T.XCN_CERT_ALT_NAME_RFC822_NAME,
    Kind.DNS: _T.XCN_CERT_ALT_NAME_DNS_NAME,
    Kind.X400: _T.XCN_CERT_ALT_NAME_X400_ADDRESS,
    Kind.DIRECTORY: _T.XCN_CERT_ALT_NAME_DIRECTORY_NAME,
    Kind.EDI_PARTY: _T.XCN_CERT_ALT_NAME_EDI_PARTY_NAME,
    Kind.URI: _T.XCN_CERT_ALT_NAME_URL,
    Kind.IP: _T.XCN_CERT_ALT_NAME_IP_ADDRESS,
    Kind.REGISTERED_ID: _T.XCN_CERT_ALT_NAME_REGISTERED_ID,
}
_OTHER_NAMES: Final = {
    general_names.UPN: _T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME,
    general_names.NTDS_REPLICATION: _T.XCN_CERT_ALT_NAME_GUID,
}


def _octets(data: bytes) -> bytes:
    """The octets themselves, also where they come as the DER of an OCTET STRING, as the pages say they may."""
    wrapped = len(data) > 2 and data[0] == der.OCTET_STRING and data[1] == len(data) - 2
    return data[2:] if wrapped and len(data) - 2 in (4, _GUID_SIZE) else data


def _guid(data: bytes) -> GeneralName:
    guid = _octets(data)
    if len(guid) != _GUID_SIZE:
        raise BadArgument(HRESULT.E_INVALIDARG, f"a GUID has 16 octets, not {len(guid)}", argerror=2)
    return general_names.guid_name(guid)


def _ip(data: bytes) -> GeneralName:
    address = _octets(data)
    if len(address) not in (4, 16):
        raise BadArgument(HRESULT.E_INVALIDARG, f"an IP address has 4 or 16 octets, not {len(address)}", argerror=2)
    return GeneralName(Kind.IP, address)


_FROM_STRING: Final[dict[AlternativeNameType, Callable[[str], GeneralName]]] = {
    _T.XCN_CERT_ALT_NAME_RFC822_NAME: partial(general_names.text_name, Kind.RFC822),
    _T.XCN_CERT_ALT_NAME_DNS_NAME: partial(general_names.text_name, Kind.DNS),
    _T.XCN_CERT_ALT_NAME_URL: partial(general_names.text_name, Kind.URI),
    _T.XCN_CERT_ALT_NAME_REGISTERED_ID: general_names.registered_id,
    _T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME: general_names.upn_name,
}
_FROM_RAW_DATA: Final[dict[AlternativeNameType, Callable[[bytes], GeneralName]]] = {
    _T.XCN_CERT_ALT_NAME_DIRECTORY_NAME: general_names.directory_name,
    _T.XCN_CERT_ALT_NAME_IP_ADDRESS: _ip,
    _T.XCN_CERT_ALT_NAME_GUID: _guid,
}
_WITH_OBJECT_ID: Final = frozenset({_T.XCN_CERT_ALT_NAME_OTHER_NAME, *_OTHER_NAMES.values()})


class IAlternativeName(ComObject):
    """One name: an address, a host, a directory name, an IP address, a user principal name, ... Initialized once."""

    def __init__(self) -> None:
        self._name: Slot[tuple[AlternativeNameType, GeneralName]] = Slot("the alternative name")

    def InitializeFromString(self, Type: AlternativeNameType, strValue: str) -> None:
        """Takes a name that is a text.

        Args:
            Type: an e-mail address, a DNS name, a URL, a registered identifier or a user principal name.
            strValue: the name; ASCII, except for a user principal name.

        Raises:
            ComError: E_INVALIDARG for another type or an empty text, CRYPT_E_INVALID_IA5_STRING where the text is not
                ASCII, CRYPT_E_OID_FORMAT for a malformed identifier, WIN32_ALREADY_INITIALIZED on the second time.
        """
        make = _FROM_STRING.get(Type)
        if make is None:
            raise BadArgument(HRESULT.E_INVALIDARG, f"{Type.name} is not initialized from a string", argerror=0)
        if not strValue:
            raise BadArgument(HRESULT.E_INVALIDARG, "the name is empty", argerror=1)
        self._name.set((Type, make(strValue)))

    def InitializeFromRawData(self, Type: AlternativeNameType, Encoding: EncodingType, strRawData: str | bytes) -> None:
        """Takes a name that is bytes.

        Args:
            Type: a directory name (DER of the Name), an IP address (4 or 16 octets) or a GUID (16 octets).
            Encoding: how the text holds the bytes.
            strRawData: the bytes. Those of an address or a GUID may also come as the DER of an OCTET STRING.

        Raises:
            ComError: E_INVALIDARG for another type or size, a CRYPT_E_ASN1_* code where a directory name is none,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        make = _FROM_RAW_DATA.get(Type)
        if make is None:
            raise BadArgument(HRESULT.E_INVALIDARG, f"{Type.name} is not initialized from raw data", argerror=0)
        self._name.set((Type, make(decode_text(strRawData, Encoding))))

    def InitializeFromOtherName(
        self, pObjectId: IObjectId | None, Encoding: EncodingType, strRawData: str | bytes, ToBeWrapped: bool
    ) -> None:
        """Takes a name of a kind of its own.

        Args:
            pObjectId: the kind.
            Encoding: how the text holds the bytes.
            strRawData: the value.
            ToBeWrapped: whether the value is put into an OCTET STRING; otherwise it is one DER element already.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY without an identifier, a CRYPT_E_ASN1_* code where the value had to be DER
                and is not, WIN32_ALREADY_INITIALIZED on the second time.
        """
        data = decode_text(strRawData, Encoding)
        name = general_names.other_name(dotted(pObjectId), der.octet_string(data) if ToBeWrapped else data)
        self._name.set((_T.XCN_CERT_ALT_NAME_OTHER_NAME, name))

    @property
    def Type(self) -> AlternativeNameType:
        """What kind of name it is. Raises ComError OLE_E_BLANK."""
        return self._name.get()[0]

    @property
    def StrValue(self) -> str:
        """The text of a name that is initialized from a string.

        Raises:
            ComError: OLE_E_BLANK before it is initialized, CERTSRV_E_PROPERTY_EMPTY for a type that has no text.
        """
        kind, name = self._name.get()
        if kind not in _FROM_STRING:
            raise _has_no(kind, "text; read RawData")
        return name.text

    @property
    def ObjectId(self) -> IObjectId:
        """The identifier of a user principal name, a GUID or a name of another kind.

        Raises:
            ComError: OLE_E_BLANK before it is initialized, CERTSRV_E_PROPERTY_EMPTY for a type that has none.
        """
        kind, name = self._name.get()
        if kind not in _WITH_OBJECT_ID:
            raise _has_no(kind, "object identifier")
        return object_id(name.oid)

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The bytes: DER of a directory name or of the value of another name, the octets of an IP address.

        Raises:
            ComError: OLE_E_BLANK before it is initialized, CERTSRV_E_PROPERTY_EMPTY for a type that is a text alone.
        """
        kind, name = self._name.get()
        if kind in _FROM_STRING and kind not in _WITH_OBJECT_ID:
            raise _has_no(kind, "raw data; read StrValue")
        return encode_text(name.data, Encoding)

    def to_general_name(self) -> GeneralName:
        """The name as it goes into an extension. Raises ComError OLE_E_BLANK."""
        return self._name.get()[1]


class IAlternativeNames(ComCollection[IAlternativeName]):
    """A collection of names."""

    _item_type_ = "IAlternativeName"


def alternative_name_from(name: GeneralName) -> IAlternativeName:
    """The object for a name of an extension; an otherName that is a UPN or a GUID has that type."""
    made = IAlternativeName()
    kind = _KINDS[name.kind]
    made._name.set((_OTHER_NAMES.get(name.oid, kind) if name.kind is Kind.OTHER_NAME else kind, name))
    return made


def _has_no(kind: AlternativeNameType, what: str) -> ComError:
    return ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"a name of type {kind.name} has no {what}")
