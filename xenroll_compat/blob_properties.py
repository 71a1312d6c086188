"""The properties that the certificate of a request gets when it is installed: its display name, a description and others.

They stay with the outstanding request until then. Source: ICEnroll4::addBlobPropertyToCertificate and resetBlobProperties,
IEnroll4::addBlobPropertyToCertificateWStr; "External Property Functions" of CertEnroll.
"""

from __future__ import annotations

from typing import Any, Final

import certenroll
from certenroll import facade
from certenroll.encodings import decode_text
from certenroll.enums import CERTENROLL_PROPERTYID as ID
from certenroll.enums import EncodingType
from certenroll.errors import BadArgument
from certenroll.hresults import HRESULT
from xenroll_compat.request_certificates import RequestCertificates

_ANY: Final = EncodingType.XCN_CRYPT_STRING_ANY
_HEX: Final = EncodingType.XCN_CRYPT_STRING_HEXRAW
_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_FRIENDLY_NAME: Final = int(ID.XCN_CERT_FRIENDLY_NAME_PROP_ID)
_DESCRIPTION: Final = int(ID.XCN_CERT_DESCRIPTION_PROP_ID)

# Properties whose blob is a text: UTF-16 with its terminator.
_TEXTS: Final = frozenset({_FRIENDLY_NAME, _DESCRIPTION, int(ID.XCN_CERT_PVK_FILE_PROP_ID)})
# What an install says itself of where the key is; a script's word would lead away from it.
_OF_THE_KEY: Final = frozenset({int(ID.XCN_CERT_KEY_PROV_INFO_PROP_ID), int(ID.XCN_CERT_KEY_SPEC_PROP_ID)})


class BlobProperties(RequestCertificates):
    """The methods that add properties to the certificate of the next requests."""

    def addBlobPropertyToCertificate(self, lPropertyId: int, lReserved: int, bstrProperty: str | bytes) -> None:
        """Adds a property to the certificates of the requests that follow; one of the same id takes the earlier one's place.

        Args:
            lPropertyId: CERT_FRIENDLY_NAME_PROP_ID (11), CERT_PVK_FILE_PROP_ID (12), CERT_DESCRIPTION_PROP_ID (13),
                CERT_RENEWAL_PROP_ID (64), or any other that a script may set.
            lReserved: 0.
            bstrProperty: the text of the first three; of the others the blob, in hexadecimal, base64 or binary. Bytes are
                the blob itself, of a text UTF-16 with its terminator.

        Raises:
            ComError: E_INVALIDARG where lReserved is not 0, and for the properties that say where the key is or that
                nobody sets; WIN32_INVALID_DATA where the value is not of the property's form.
        """
        if lReserved:
            raise BadArgument(HRESULT.E_INVALIDARG, "lReserved must be 0", argerror=1)
        if lPropertyId in _OF_THE_KEY:
            raise BadArgument(HRESULT.E_INVALIDARG, f"property {lPropertyId} follows from where the key is", argerror=0)
        value = _blob(lPropertyId, bstrProperty)
        checked = certenroll.Dispatch("X509Enrollment.CCertProperty")
        checked.PropertyId = lPropertyId
        checked.InitializeDecode(_BINARY, value)
        self._blobs()[lPropertyId] = value

    def addBlobPropertyToCertificateWStr(self, lPropertyId: int, lReserved: int, pBlobProperty: bytes) -> None:
        """addBlobPropertyToCertificate for C++: takes bytes. Raises as it does."""
        self.addBlobPropertyToCertificate(lPropertyId, lReserved, pBlobProperty)

    def resetBlobProperties(self) -> None:
        """Takes away the properties that were added."""
        self._blobs().clear()

    def add_blobs(self, enrollment: Any) -> None:
        """Gives an enrollment, before its request is created, the properties that were added."""
        blobs = dict(self._blobs())
        name, description = blobs.pop(_FRIENDLY_NAME, b""), blobs.pop(_DESCRIPTION, b"")
        if name:
            enrollment.CertificateFriendlyName = _text(name)
        if description:
            enrollment.CertificateDescription = _text(description)
        if blobs:
            facade.configure(enrollment, properties=blobs)

    def _blobs(self) -> dict[int, bytes]:
        found: dict[int, bytes] = self.__dict__.setdefault("_blob_properties", {})
        return found


def _blob(property_id: int, value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    if property_id in _TEXTS:
        return (value + "\0").encode("utf-16-le", "surrogatepass")
    digits = "".join(value.split())
    is_hash = len(digits) == 40 and set(digits.upper()) <= set("0123456789ABCDEF")
    return decode_text(digits, _HEX) if is_hash else decode_text(value, _ANY)


def _text(blob: bytes) -> str:
    return blob.decode("utf-16-le", "surrogatepass").rstrip("\0")
