"""IX509CertificateRequest: what every kind of certificate request has.

Knows nothing of a format: a subclass encodes. Source: the nf-certenroll-ix509certificaterequest-* pages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from certenroll.com import ComObject, Slot, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import (
    EncodingType,
    InnerRequestLevel,
    RequestClientInfoClientId,
    X509CertificateEnrollmentContext,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId
from certenroll.signatures import IX509SignatureInformation

if TYPE_CHECKING:
    from certenroll.private_keys import IX509PrivateKey
    from certenroll.providers import ICspInformations

BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_CONTEXTS = {one.name: one for one in X509CertificateEnrollmentContext}


def once_initialized(kind: str, attribute: str, default: Any, doc: str) -> property:
    """As ``com.stored``, for a property of a request: OLE_E_BLANK before Initialize, read-only once it is encoded."""

    def read(self: IX509CertificateRequest) -> Any:
        self._context.get()
        return self.__dict__.get(attribute, default)

    def write(self: IX509CertificateRequest, value: Any) -> None:
        self._context.get()
        self.check_unsealed()
        self.__dict__[attribute] = value

    read.__annotations__["return"] = kind
    write.__annotations__["value"] = kind
    return property(read, write, doc=doc)


class IX509CertificateRequest(ComObject, ABC):
    """The base of every request object: a format says how it is encoded."""

    request_type: ClassVar[X509RequestType]

    def __init__(self) -> None:
        self._context: Slot[X509CertificateEnrollmentContext] = Slot(type(self).__name__)
        self._suppress_defaults = False
        self._client_id = RequestClientInfoClientId.ClientIdNone
        self._renewal_certificate = b""
        self._signature = IX509SignatureInformation()
        self._encoded = b""  # the signed request, once Encode has run or a request was decoded
        self._csp_informations: ICspInformations | None = None
        self._decode_context = X509CertificateEnrollmentContext.ContextUser

    Silent = stored("bool", "_silent", False, "Whether anything may be asked of the user; no user is asked here.")
    ParentWindow = stored("int", "_parent_window", 0, "The window that a dialog would belong to; kept, without effect.")
    UIContextMessage = stored("str", "_ui_message", "", "The text that a dialog would show; kept, without effect.")

    def Initialize(self, Context: X509CertificateEnrollmentContext) -> None:
        """Makes an empty request for a user or the machine.

        Args:
            Context: ContextUser, ContextMachine or ContextAdministratorForceMachine.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        self.begin_context(Context)

    def Encode(self) -> None:
        """Encodes what is inside, makes the key where there is none, adds the defaults, signs and encodes.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, WIN32_ALREADY_INITIALIZED where it is encoded,
                CERTSRV_E_PROPERTY_EMPTY where nobody is there to sign, CERTSRV_E_ARCHIVED_KEY_REQUIRED where a key is to
                be archived for no CA, and the key store's codes. A key that was made for it is deleted again.
        """
        self.encode_pending()
        if self.key_object is not None:
            self.key_object.confirm_creation()

    def ResetForEncode(self) -> None:
        """Makes the request what it was before Encode: one that can be changed and encoded again.

        Raises:
            ComError: OLE_E_BLANK, WIN32_INVALID_STATE where the request is not encoded.
        """
        self._context.get()
        if not self._encoded:
            raise ComError(HRESULT.WIN32_INVALID_STATE, "the request is not encoded; there is nothing to reset")
        self._encoded = b""

    def GetInnerRequest(self, Level: InnerRequestLevel) -> IX509CertificateRequest:
        """The request inside this one; a request that holds no other is its own innermost.

        Raises:
            ComError: OLE_E_BLANK; CERTSRV_E_PROPERTY_EMPTY for LevelNext where there is no inner request.
        """
        self._context.get()
        if Level == InnerRequestLevel.LevelNext:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "this request holds no inner request")
        return self

    @property
    def Type(self) -> X509RequestType:
        """The format of the request."""
        return self.request_type

    @property
    def EnrollmentContext(self) -> X509CertificateEnrollmentContext:
        """For whom the certificate is asked. Raises OLE_E_BLANK."""
        return self._context.get()

    @property
    def SuppressDefaults(self) -> bool:
        """Whether the default extensions and attributes stay out of the request. Raises OLE_E_BLANK."""
        self._context.get()
        return self._suppress_defaults

    @SuppressDefaults.setter
    def SuppressDefaults(self, Value: bool) -> None:
        self._context.get()
        self.check_unsealed()
        self._suppress_defaults = Value

    def RenewalCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that the request renews. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        self._context.get()
        if not self._renewal_certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request renews no certificate")
        return encode_text(self._renewal_certificate, Encoding)

    def SetRenewalCertificate(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Names the certificate that the request renews; it is told to the CA in the request's attributes."""
        self._context.get()
        self.check_unsealed()
        self._renewal_certificate = decode_text(Value, Encoding)

    @property
    def ClientId(self) -> RequestClientInfoClientId:
        """Which program makes the request, as the client information attribute says it. Raises OLE_E_BLANK."""
        self._context.get()
        return self._client_id

    @ClientId.setter
    def ClientId(self, Value: int) -> None:
        self._context.get()
        self.check_unsealed()
        self._client_id = Value  # type: ignore[assignment]  # values from ClientIdUserStart on are the caller's own

    @property
    def CspInformations(self) -> ICspInformations:
        """The providers that a key may be made with: those of this machine where the caller set none."""
        if self._csp_informations is None:
            from certenroll.providers import ICspInformations

            self._csp_informations = ICspInformations()
            self._csp_informations.AddAvailableCsps()
        return self._csp_informations

    @CspInformations.setter
    def CspInformations(self, pValue: ICspInformations) -> None:
        self.check_unsealed()
        self._csp_informations = pValue

    @property
    def HashAlgorithm(self) -> IObjectId:
        """The hash of the signature, as it was set; SHA-256 where it was not. Raises OLE_E_BLANK."""
        self._context.get()
        return self._signature.HashAlgorithm

    @HashAlgorithm.setter
    def HashAlgorithm(self, pValue: IObjectId) -> None:
        self._context.get()
        self.check_unsealed()
        self._signature.HashAlgorithm = pValue

    @property
    def AlternateSignatureAlgorithm(self) -> bool:
        """Whether the signature takes the discrete form: RSASSA-PSS, or ECDSA with the hash in its parameters."""
        self._context.get()
        return self._signature.AlternateSignatureAlgorithm

    @AlternateSignatureAlgorithm.setter
    def AlternateSignatureAlgorithm(self, Value: bool) -> None:
        self._context.get()
        self.check_unsealed()
        self._signature.AlternateSignatureAlgorithm = Value

    def RawData(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The encoded request. Raises OLE_E_BLANK, or CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(self.der_bytes(), Encoding, kind="request")

    def der_bytes(self) -> bytes:
        """The encoded request as DER. Raises as RawData does."""
        self._context.get()
        if not self._encoded:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request is not encoded yet; call Encode")
        return self._encoded

    @abstractmethod
    def encode_pending(self) -> None:
        """Encodes as Encode does and leaves the intent of a new key open."""

    @property
    @abstractmethod
    def key_object(self) -> IX509PrivateKey | None:
        """The private key object, or None for a request without one."""

    @property
    def is_initialized(self) -> bool:
        """Whether an Initialize method was called."""
        return self._context.is_set

    @property
    def is_encoded(self) -> bool:
        """Whether the request has been encoded or was decoded."""
        return bool(self._encoded)

    def begin_context(self, context: X509CertificateEnrollmentContext) -> None:
        """Takes the context once. Raises as Initialize does."""
        if context == X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.E_INVALIDARG, "a request is for the user or for the machine")
        self._context.set(context)

    def take_encoded(self, text: str | bytes, encoding: EncodingType) -> bytes | None:
        """What InitializeDecode is to read; None where the call only named the context that the call after it is for.

        Args:
            text: a request; or, as binary text, the name of a context.
            encoding: how the text holds it.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time.
        """
        if self.is_initialized:
            self.begin_context(self._decode_context)
        if encoding == EncodingType.XCN_CRYPT_STRING_BINARY and text in _CONTEXTS:
            self._decode_context = _CONTEXTS[str(text)]
            return None
        return decode_text(text, encoding)

    def check_unsealed(self) -> None:
        """Raises WIN32_ALREADY_INITIALIZED where the request is encoded; ResetForEncode opens it again."""
        if self._encoded:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the request is encoded; call ResetForEncode to change it")
