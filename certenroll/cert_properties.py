"""ICertProperty and ICertProperties: what the stores keep beside a certificate, as objects.

A property object holds one value and knows how to put it on a certificate of the stores, read it from one and take it
away. What the values of the common properties mean stands in ``cert_property_types``. Source: the pages of ICertProperty,
ICertProperties and CERTENROLL_PROPERTYID.
"""

from __future__ import annotations

from typing import ClassVar

from certenroll.cert_property_values import ACCESS_STATE, SHA1_HASH, access_state, check_value
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.certificate_lookup import check_key_info, find_certificate, key_of_certificate
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import CERTENROLL_PROPERTYID, EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.certificates import StoredCertificate
from certenroll.stores.properties import KEY_PROV_INFO, checked_id, decode_key_info, encode_key_info
from keystores.base import Scope

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_CONTEXTS = {
    Scope.USER: X509CertificateEnrollmentContext.ContextUser,
    Scope.MACHINE: X509CertificateEnrollmentContext.ContextMachine,
}


class ICertProperty(ComObject):
    """One property of a certificate: its id and its value."""

    fixed_id: ClassVar[int] = 0  # the id of a kind that has its own interface; 0 where the script names the id

    def __init__(self) -> None:
        self._property_id = type(self).fixed_id
        self._value: Slot[bytes] = Slot(type(self).__name__)

    def InitializeFromCertificate(self, MachineContext: bool, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Takes the value that a certificate of the stores has.

        Args:
            MachineContext: whether the machine's stores are searched, and not the user's.
            Encoding: how the text holds the certificate; HEXRAW lets it be a thumbprint or a serial number.
            strCertificate: the certificate.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where PropertyId was not set, WIN32_ALREADY_INITIALIZED the second time,
                CRYPT_E_NOT_FOUND where the stores have no such certificate, or it has no such property;
                CRYPT_E_UNEXPECTED_MSG_TYPE where the key property is wanted and no private key is known.
        """
        property_id = self._blank_id()
        workspace, found = self._certificate(MachineContext, Encoding, strCertificate)
        if property_id == ACCESS_STATE:
            self._value.set(access_state(machine=MachineContext))
        else:
            self.take_value(_value_on(workspace, found, property_id))

    def InitializeDecode(self, Encoding: EncodingType, strEncodedData: str | bytes) -> None:
        """Takes a value as it stands in a store.

        Args:
            Encoding: how the text holds it.
            strEncodedData: the value.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where PropertyId was not set, WIN32_ALREADY_INITIALIZED the second time,
                WIN32_INVALID_DATA where the property has a form and this is not of it, E_INVALIDARG for a property that
                cannot be set. PropertyId stays as it was.
        """
        self._blank_id()
        self.take_value(decode_text(strEncodedData, Encoding))

    @property
    def PropertyId(self) -> int:
        """Which property it is: CERTENROLL_PROPERTYID, or a number of the script's own (0x8000 to 0xFFFF).

        Raises CERTSRV_E_PROPERTY_EMPTY where it was not set, and WIN32_ALREADY_INITIALIZED or E_INVALIDARG where it is set
        on an object that has a value, or is of another kind.
        """
        known = CERTENROLL_PROPERTYID._value2member_map_.get(self._known_id())
        return known if isinstance(known, CERTENROLL_PROPERTYID) else self._property_id

    @PropertyId.setter
    def PropertyId(self, Value: int) -> None:
        wanted = checked_id(Value)
        if wanted == self._property_id:
            return
        if type(self).fixed_id:
            raise ComError(HRESULT.E_INVALIDARG, f"{type(self).__name__} is property {self._property_id} and no other")
        if self._value.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the value of this object belongs to the id that it has")
        self._property_id = wanted

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The value as it stands in a store. Raises OLE_E_BLANK before an Initialize method."""
        return encode_text(self.value_bytes(), Encoding)

    def RemoveFromCertificate(self, MachineContext: bool, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Takes the property away from a certificate of the stores; one that has it not stays as it is.

        Args and errors are those of InitializeFromCertificate; no value is needed.
        """
        property_id = self._known_id()
        workspace, found = self._certificate(MachineContext, Encoding, strCertificate)
        workspace.certificates.remove_property(found.store, found.sha1, property_id)

    def SetValueOnCertificate(self, MachineContext: bool, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Puts the value on a certificate of the stores, in place of the one that it has.

        Args are those of InitializeFromCertificate.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_NOT_FOUND where the stores have no such certificate,
                E_INVALIDARG for a property that cannot be set;
                for the key property CRYPT_E_UNEXPECTED_MSG_TYPE where the key is not there, NTE_BAD_PUBLIC_KEY where it is
                another certificate's, and the key store's own codes.
        """
        value = self.stored_value()
        workspace, found = self._certificate(MachineContext, Encoding, strCertificate)
        property_id = self._known_id()
        if value is None:
            workspace.certificates.remove_property(found.store, found.sha1, property_id)
            return
        check_value(property_id, value)
        if property_id == KEY_PROV_INFO:
            info = decode_key_info(value)
            check_key_info(open_workspace(_CONTEXTS[info.scope]), found, info)
        workspace.certificates.set_property(found.store, found.sha1, property_id, value)

    # What the kinds and the requests use.

    def take_value(self, value: bytes) -> None:
        """Initializes the object with a value that is checked first. Raises as InitializeDecode does."""
        if not self._value.is_set:
            check_value(self._known_id(), value)
        self._value.set(value)

    def value_bytes(self) -> bytes:
        """The value as it stands in a store. Raises OLE_E_BLANK before an Initialize method."""
        return self._value.get()

    def stored_value(self) -> bytes | None:
        """What SetValueOnCertificate writes, or None where that is the property's absence. Raises OLE_E_BLANK."""
        return self._value.get()

    def _known_id(self) -> int:
        if not self._property_id:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "set PropertyId first")
        return self._property_id

    def _blank_id(self) -> int:
        property_id = self._known_id()
        if self._value.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, f"{type(self).__name__} is initialized already")
        return property_id

    def _certificate(
        self, machine: bool, encoding: EncodingType, certificate: str | bytes
    ) -> tuple[Workspace, StoredCertificate]:
        return stored_certificate(machine, encoding, certificate, with_key=self._property_id == KEY_PROV_INFO)


class ICertProperties(ComCollection[ICertProperty]):
    """A collection of properties."""

    _item_type_ = "ICertProperty"

    def __init__(self, items: list[ICertProperty] | None = None) -> None:
        super().__init__(items)
        self._read_from: Slot[bytes] = Slot("ICertProperties")

    def InitializeFromCertificate(self, MachineContext: bool, Encoding: EncodingType, strCertificate: str | bytes) -> None:
        """Adds the properties that a certificate of the stores has, by id, each as the object of its kind.

        Args are those of ICertProperty.InitializeFromCertificate. The SHA-1 hash, which every certificate in a store of
        Windows has, is among them.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, CRYPT_E_NOT_FOUND where the stores have no such certificate.
        """
        from certenroll.cert_property_types import property_object

        _, found = stored_certificate(MachineContext, Encoding, strCertificate)
        self._read_from.set(found.sha1)
        values = {SHA1_HASH: found.sha1} | dict(found.properties)
        self._items.extend(property_object(property_id, values[property_id]) for property_id in sorted(values))


def _value_on(workspace: Workspace, found: StoredCertificate, property_id: int) -> bytes:
    value = workspace.certificates.get_property(found.store, found.sha1, property_id)
    if value is None and property_id == KEY_PROV_INFO:
        return encode_key_info(key_of_certificate(workspace, found))
    if value is None:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"the certificate {found.sha1.hex()} has no property {property_id}")
    return value


def stored_certificate(
    machine: bool, encoding: EncodingType, certificate: str | bytes, *, with_key: bool = False
) -> tuple[Workspace, StoredCertificate]:
    """The certificate that a script names, and the workspace in which it was found.

    Args:
        machine: whether the machine's stores are searched, and not the user's.
        encoding: how the text holds the certificate; HEXRAW lets it be a thumbprint or a serial number.
        certificate: the certificate.
        with_key: whether its private key is needed, so that only MY and REQUEST are searched.

    Raises:
        ComError: CRYPT_E_NOT_FOUND where the stores have no such certificate.
        BadText, DecodeError: the text is not of that encoding, or no certificate.
    """
    workspace = open_workspace(_CONTEXTS[Scope.MACHINE if machine else Scope.USER])
    named = decode_text(certificate, encoding)
    return workspace, find_certificate(workspace, named, digits=is_hex(encoding), with_key=with_key)


def is_hex(encoding: int) -> bool:
    """Whether an encoding lets a thumbprint or serial number stand for a certificate (XCN_CRYPT_STRING_HEXRAW)."""
    return encoding & EncodingType.XCN_CRYPT_STRING_ENCODEMASK == EncodingType.XCN_CRYPT_STRING_HEXRAW
