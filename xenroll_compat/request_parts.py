"""What a script adds to the next request beside its name: extensions, attributes, name-value pairs, templates.

Keeps certenroll's objects until a request takes them. Source: ICEnroll2::addCertTypeToRequest and
addNameValuePairToSignature, ICEnroll4::addCertTypeToRequestEx, addExtensionToRequest, addAttributeToRequest,
addNameValuePairToRequest, resetExtensions and resetAttributes, IEnroll::AddExtensionsToRequest and
AddAuthenticatedAttributesToPKCS7Request.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import certenroll
from certenroll import facade
from certenroll.enums import ADDED_CERT_TYPE, EncodingType
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
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

    def AddExtensionsToRequest(self, pCertExtensions: bytes) -> None:
        """Adds extensions to the requests that follow, each as addExtensionToRequest does.

        Args:
            pCertExtensions: what a CERT_EXTENSIONS structure is encoded as: the DER of Extensions (a SEQUENCE OF Extension).

        Raises:
            ComError: CRYPT_E_ASN1_* where it is none.
        """
        given = certenroll.Dispatch("X509Enrollment.CX509AttributeExtensions")
        given.InitializeDecode(_BINARY, pCertExtensions)
        for extension in given.X509Extensions:
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

    def AddAuthenticatedAttributesToPKCS7Request(self, pAttributes: bytes) -> None:
        """Adds attributes that the signer of a PKCS #7 request signs; requests of other formats are without them.

        Args:
            pAttributes: what a CRYPT_ATTRIBUTES structure is encoded as (PKCS_ATTRIBUTES): the DER of a SET OF Attribute.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is none.
        """
        self._signed().extend(facade.read_attributes(pAttributes))

    def resetAttributes(self) -> None:
        """Takes away the attributes (signed ones too) and the name-value pairs that were added."""
        for name in ("_added_attributes", "_signed_attributes", "_request_pairs", "_signature_pairs"):
            self.__dict__.pop(name, None)

    def addNameValuePairToRequest(self, Flags: int, strName: str, strValue: str) -> None:
        """Adds a name and its value to the requests that follow; the CA's policy reads it.

        A PKCS #10, also one inside a PKCS #7, has it as an attribute; a CMC message in its registration information.

        Raises:
            ComError: E_INVALIDARG for flags other than 0, or no name.
        """
        _no_flags(Flags)
        self._pairs("_request_pairs").append(_pair(strName, strValue))

    def addNameValuePairToSignature(self, Name: str, Value: str) -> None:
        """Adds a name and its value that a signature covers, most often RequesterName of a request for somebody else.

        In a PKCS #7 the signer signs it as an attribute. A PKCS #10 and a CMC message have one place for both kinds, which
        their signatures cover. Raises E_INVALIDARG for no name.
        """
        self._pairs("_signature_pairs").append(_pair(Name, Value))

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
        """Names the template of the requests that createRequest makes, by the extension of version 1 or 2.

        createPKCS10 leaves it out, as Microsoft's page says.

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
            extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionTemplateName")
            extension.InitializeEncode(bstrOIDOrName)
        else:
            extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionTemplate")
            extension.InitializeEncode(object_id(bstrOIDOrName), lMajorVersion, lMinorVersion if fMinorVersion else 0)
        self._put_extension(extension, newer=True)

    def add_parts(self, request: Any, *, newer: bool) -> None:
        """Gives a PKCS #10 request object the extensions and attributes that were added.

        Args:
            request: the object.
            newer: whether createRequest asks, which alone knows what addCertTypeToRequestEx added.
        """
        for oid in self.added_extensions(newer=newer):
            request.X509Extensions.Add(self._extensions()[oid][0])
        for oid, values in self._attributes().items():
            attribute = certenroll.Dispatch("X509Enrollment.CCryptAttribute")
            attribute.InitializeFromObjectId(object_id(oid))
            for value in values:
                attribute.Values.Add(value)
            request.CryptAttributes.Add(attribute)

    def added_extensions(self, *, newer: bool) -> list[str]:
        """The object ids of the extensions that were added, for createRequest (``newer``) or createPKCS10."""
        return [oid for oid, (_, for_newer) in self._extensions().items() if newer or not for_newer]

    def _extensions(self) -> dict[str, tuple[Any, bool]]:
        found: dict[str, tuple[Any, bool]] = self.__dict__.setdefault("_added_extensions", {})
        return found

    def _attributes(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = self.__dict__.setdefault("_added_attributes", {})
        return found

    def _put_extension(self, extension: Any, *, newer: bool = False) -> None:
        self._extensions()[extension.ObjectId.Value] = (extension, newer)

    def _add_value(self, value: Any) -> None:
        self._attributes().setdefault(value.ObjectId.Value, []).append(value)

    def added_attributes(self) -> set[str]:
        """The object ids of the attributes that were added."""
        return set(self._attributes())

    def request_pairs(self) -> tuple[tuple[str, str], ...]:
        """The names and values for the request."""
        return tuple(self._pairs("_request_pairs"))

    def signature_pairs(self) -> tuple[tuple[str, str], ...]:
        """The names and values for the signature."""
        return tuple(self._pairs("_signature_pairs"))

    def signed_attributes(self) -> tuple[Any, ...]:
        """The ICryptAttribute objects for the signer of a PKCS #7."""
        return tuple(self._signed())

    def _pairs(self, attribute: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = self.__dict__.setdefault(attribute, [])
        return found

    def _signed(self) -> list[Any]:
        found: list[Any] = self.__dict__.setdefault("_signed_attributes", [])
        return found


def object_id(dotted: str) -> Any:
    """An IObjectId. Raises ComError CRYPT_E_OID_FORMAT, or CERTSRV_E_PROPERTY_EMPTY for ""."""
    made = certenroll.Dispatch("X509Enrollment.CObjectId")
    made.InitializeFromValue(dotted.strip())
    return made


def crypt_attribute(oid: str, values: Iterable[bytes]) -> Any:
    """An ICryptAttribute with values, each the DER of one. Raises ComError CRYPT_E_OID_FORMAT, CRYPT_E_ASN1_*."""
    made = certenroll.Dispatch("X509Enrollment.CCryptAttribute")
    made.InitializeFromObjectId(object_id(oid))
    for one in values:
        value = certenroll.Dispatch("X509Enrollment.CX509Attribute")
        value.Initialize(object_id(oid), _BINARY, one)
        made.Values.Add(value)
    return made


def _pair(name: str, value: str) -> tuple[str, str]:
    if not name:
        raise BadArgument(HRESULT.E_INVALIDARG, "a pair needs a name")
    return name, value


def _no_flags(flags: int) -> None:
    if flags:
        raise BadArgument(HRESULT.E_INVALIDARG, "Flags is reserved and must be 0", argerror=0)
