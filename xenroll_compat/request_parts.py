"""What a script adds to the next request beside its name: extensions, attributes, name-value pairs, templates.

Keeps certenroll's objects until a request takes them. Source: ICEnroll2::addCertTypeToRequest and
addNameValuePairToSignature, ICEnroll4::addCertTypeToRequestEx, addExtensionToRequest, addAttributeToRequest,
addNameValuePairToRequest, resetExtensions and resetAttributes.
"""

from __future__ import annotations

from typing import Any

import certenroll
from certenroll import facade
from certenroll.enums import ADDED_CERT_TYPE, EncodingType
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.properties import ControlProperties

_ANY = EncodingType.XCN_CRYPT_STRING_ANY
_BINARY = EncodingType.XCN_CRYPT_STRING_BINARY


class RequestParts(ControlProperties):
    """The methods that add to a request."""

    def addExtensionToRequest(self, Flags: int, strName: str, strValue: str | bytes) -> None:
        """Adds an extension to the requests that follow; one of the same object id takes the place of the earlier one.

        Args:
            Flags: not zero for a critical extension.
            strName: its object id.
            strValue: the DER of its value, base64 or binary.

        Raises:
            ComError: CRYPT_E_OID_FORMAT or CERTSRV_E_PROPERTY_EMPTY for what is no object id.
        """
        extension = certenroll.Dispatch("X509Enrollment.CX509Extension")
        extension.Initialize(object_id(strName), _ANY, strValue)
        extension.Critical = bool(Flags)
        self._put_extension(extension)

    def resetExtensions(self) -> None:
        """Takes away the extensions and templates that were added."""
        self._extensions().clear()

    def addAttributeToRequest(self, Flags: int, strName: str, strValue: str | bytes) -> None:
        """Adds an attribute to the requests that follow; values of one object id are values of one attribute.

        Args:
            Flags: 0.
            strName: its object id.
            strValue: the DER of one value, base64 or binary.

        Raises:
            ComError: E_INVALIDARG for flags, CRYPT_E_OID_FORMAT for what is no object id, CRYPT_E_ASN1_* where the value
                is no DER element.
        """
        _no_flags(Flags)
        value = certenroll.Dispatch("X509Enrollment.CX509Attribute")
        value.Initialize(object_id(strName), _ANY, strValue)
        self._add_value(value)

    def resetAttributes(self) -> None:
        """Takes away the attributes and name-value pairs that were added."""
        self._attributes().clear()

    def addNameValuePairToRequest(self, Flags: int, strName: str, strValue: str) -> None:
        """Adds a name and its value to the requests that follow; the CA's policy reads it.

        In a PKCS #10 it is an attribute (szOID_ENROLLMENT_NAME_VALUE_PAIR), which the request's signature covers.

        Raises:
            ComError: E_INVALIDARG for flags other than 0, or no name.
        """
        _no_flags(Flags)
        self._add_pair(strName, strValue)

    def addNameValuePairToSignature(self, Name: str, Value: str) -> None:
        """Adds an authenticated name and its value; as addNameValuePairToRequest. Raises E_INVALIDARG for no name."""
        self._add_pair(Name, Value)

    def addCertTypeToRequest(self, CertType: str) -> None:
        """Names the template (of version 1) of the requests that follow; the last one counts.

        Raises:
            ComError: E_INVALIDARG for no name.
        """
        extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionTemplateName")
        extension.InitializeEncode(CertType)
        self._put_extension(extension)

    def addCertTypeToRequestEx(
        self, lType: ADDED_CERT_TYPE, bstrOIDOrName: str, lMajorVersion: int, fMinorVersion: bool, lMinorVersion: int
    ) -> None:
        """Names the template of the requests that follow, by the extension of version 1 or 2.

        Args:
            lType: XECT_EXTENSION_V1 for a name, XECT_EXTENSION_V2 for an object id with versions.
            bstrOIDOrName: the template's name or object id.
            lMajorVersion: its major version; not looked at for version 1.
            fMinorVersion: whether it has a minor version; 0 is written where it has none.
            lMinorVersion: its minor version.

        Raises:
            ComError: E_INVALIDARG for another type or no name, CRYPT_E_OID_FORMAT for what is no object id.
        """
        if lType == ADDED_CERT_TYPE.XECT_EXTENSION_V1:
            self.addCertTypeToRequest(bstrOIDOrName)
            return
        extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionTemplate")
        extension.InitializeEncode(object_id(bstrOIDOrName), lMajorVersion, lMinorVersion if fMinorVersion else 0)
        self._put_extension(extension)

    def add_parts(self, request: Any) -> None:
        """Gives a PKCS #10 request object all that was added."""
        for extension in self._extensions().values():
            request.X509Extensions.Add(extension)
        for oid, values in self._attributes().items():
            attribute = certenroll.Dispatch("X509Enrollment.CCryptAttribute")
            attribute.InitializeFromObjectId(object_id(oid))
            for value in values:
                attribute.Values.Add(value)
            request.CryptAttributes.Add(attribute)

    def added_extensions(self) -> set[str]:
        """The object ids of the extensions that were added."""
        return set(self._extensions())

    def _extensions(self) -> dict[str, Any]:
        found: dict[str, Any] = self.__dict__.setdefault("_added_extensions", {})
        return found

    def _attributes(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = self.__dict__.setdefault("_added_attributes", {})
        return found

    def _put_extension(self, extension: Any) -> None:
        self._extensions()[extension.ObjectId.Value] = extension

    def _add_value(self, value: Any) -> None:
        self._attributes().setdefault(value.ObjectId.Value, []).append(value)

    def _add_pair(self, name: str, text: str) -> None:
        if not name:
            raise BadArgument(HRESULT.E_INVALIDARG, "a pair needs a name")
        value = certenroll.Dispatch("X509Enrollment.CX509Attribute")
        value.Initialize(object_id(defaults.NAME_VALUE_PAIR), _BINARY, facade.encode_name_value_pair(name, text))
        self._add_value(value)


def object_id(dotted: str) -> Any:
    """An IObjectId. Raises ComError CRYPT_E_OID_FORMAT, or CERTSRV_E_PROPERTY_EMPTY for ""."""
    made = certenroll.Dispatch("X509Enrollment.CObjectId")
    made.InitializeFromValue(dotted.strip())
    return made


def _no_flags(flags: int) -> None:
    if flags:
        raise BadArgument(HRESULT.E_INVALIDARG, "Flags is reserved and must be 0", argerror=0)
