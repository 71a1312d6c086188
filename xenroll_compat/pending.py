"""Requests that wait for their certificate: which CA has them, what they are, and how they are withdrawn.

Source: ICEnroll4::setPendingRequestInfo, enumPendingRequest and removePendingRequest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from certenroll import enums, facade
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import PENDING_REQUEST_DESIRED_PROPERTY
from certenroll.errors import BadArgument, ComError
from certenroll.facade_values import PendingRequest
from certenroll.hresults import HRESULT
from xenroll_compat.providers import item
from xenroll_compat.responses import ControlResponses


def _request_id(request: PendingRequest) -> int:
    return int(request.ca_request_id) if request.ca_request_id.isdigit() else 0


# What enumPendingRequest is asked for -> how to read it.
_PROPERTIES: Final[dict[int, Callable[[PendingRequest], object]]] = {
    PENDING_REQUEST_DESIRED_PROPERTY.XEPR_CADNS: lambda request: request.ca_config.partition("\\")[0],
    PENDING_REQUEST_DESIRED_PROPERTY.XEPR_CANAME: lambda request: request.ca_config.partition("\\")[2],
    PENDING_REQUEST_DESIRED_PROPERTY.XEPR_CAFRIENDLYNAME: lambda request: request.friendly_name if request.ca_config else "",
    PENDING_REQUEST_DESIRED_PROPERTY.XEPR_REQUESTID: _request_id,
    PENDING_REQUEST_DESIRED_PROPERTY.XEPR_HASH: lambda request: request.thumbprint,
}
_NEVER_MADE: Final = (enums.XEPR_DATE, enums.XEPR_VERSION, enums.XEPR_V1TEMPLATENAME, enums.XEPR_V2TEMPLATEOID)


class ControlPending(ControlResponses):
    """The methods of pending requests, of conversion, and Reset."""

    def setPendingRequestInfo(self, lRequestID: int, strCADNS: str, strCAName: str, strFriendlyName: str) -> None:
        """Notes which CA has the request of ThumbPrint, which a script sent by itself.

        Args:
            lRequestID: its number there.
            strCADNS: the CA's host.
            strCAName: the CA's name.
            strFriendlyName: the name to show for it, or "".

        Raises:
            ComError: E_INVALIDARG where host or name are empty, CRYPT_E_NOT_FOUND where there is no such request.
        """
        if not strCADNS or not strCAName:
            raise BadArgument(HRESULT.E_INVALIDARG, "the host and the name of the CA are needed")
        if not self.ThumbPrint:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "no request was made; set ThumbPrint to choose one")
        facade.set_pending_info(
            self.ThumbPrint, str(lRequestID), f"{strCADNS}\\{strCAName}", strFriendlyName, self.enrollment_context()
        )

    def enumPendingRequest(self, lIndex: int, lDesiredProperty: int) -> object:
        """A property of an outstanding request.

        Args:
            lIndex: its position, from 0; XEPR_ENUM_FIRST is the first.
            lDesiredProperty: XEPR_CADNS, XEPR_CANAME, XEPR_CAFRIENDLYNAME (strings, "" where nothing is known),
                XEPR_REQUESTID (a number, 0 where the request was not sent) or XEPR_HASH (its thumbprint).

        Raises:
            ComError: WIN32_NO_MORE_ITEMS past the last one; E_NOTIMPL for XEPR_DATE, XEPR_VERSION, XEPR_V1TEMPLATENAME and
                XEPR_V2TEMPLATEOID, as Microsoft's page has it; E_INVALIDARG for any other property.
        """
        if lDesiredProperty in _NEVER_MADE:
            raise BadArgument(HRESULT.E_NOTIMPL, f"the control has no property {lDesiredProperty}", argerror=1)
        if lDesiredProperty not in _PROPERTIES:
            raise BadArgument(HRESULT.E_INVALIDARG, f"there is no property {lDesiredProperty}", argerror=1)
        requests = facade.pending_requests(self.enrollment_context())
        return _PROPERTIES[lDesiredProperty](item(requests, 0 if lIndex == enums.XEPR_ENUM_FIRST else lIndex))

    def removePendingRequest(self, strThumbprint: str) -> None:
        """Withdraws a request: it leaves the request store, and the key that was made for it is deleted.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where there is no such request, E_INVALIDARG for what is no thumbprint; for a
                RequestStoreName that is a file, what ``facade.open_store`` raises.
        """
        thumbprint = "".join(strThumbprint.split())
        facade.remove_pending(thumbprint, self.enrollment_context())
        self.drop_request_copy(thumbprint, self.enrollment_context())

    def binaryToString(self, Flags: int, strBinary: str | bytes) -> str | bytes:
        """Bytes as text, as CryptBinaryToString writes them.

        Args:
            Flags: an EncodingType.
            strBinary: bytes, or a string for the bytes that it holds (UTF-16LE).

        Raises:
            ComError: E_INVALIDARG for an encoding that cannot be written.
        """
        return encode_text(decode_text(strBinary, enums.EncodingType.XCN_CRYPT_STRING_BINARY), Flags)

    def stringToBinary(self, Flags: int, strEncoded: str | bytes) -> bytes:
        """The bytes that stand in a text, as CryptStringToBinary reads it.

        Args:
            Flags: an EncodingType.
            strEncoded: the text.

        Raises:
            ComError: WIN32_INVALID_DATA where the text is not of that encoding, E_INVALIDARG for no such encoding.
        """
        return decode_text(strEncoded, Flags)

    def Reset(self) -> None:
        """Gives the control its initial state again: every property its default, nothing added, no request remembered.

        Store handles and stores in memory are let go; the profile, and files, keep what they have.
        """
        self.forget_all()
