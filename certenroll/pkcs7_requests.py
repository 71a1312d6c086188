"""IX509CertificateRequestPkcs7: a PKCS#10 request that a certificate here signs, to renew itself or for somebody else.

Encodes the inner request first and takes its new key back where the message fails. CMC requests derive from it. The bytes
are ``asn1.pkcs7_requests``', the signers ``message_signers``', what concerns the inner request ``wrapping_requests``'.
Source: the nf-certenroll-ix509certificaterequestpkcs7-* and -pkcs7v2-* pages, those of Encode, GetInnerRequest and
ResetForEncode; MS-WCCE 3.1.1.4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Final

from certenroll.asn1 import attributes, pkcs7_requests, pkcs10
from certenroll.asn1.attributes import NAME_VALUE_PAIR, NameValuePair
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import Attribute
from certenroll.asn1.pkcs7_requests import Pkcs7Request
from certenroll.encodings import decode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import (
    EncodingType,
    InnerRequestLevel,
    X509CertificateEnrollmentContext,
    X509RequestInheritOptions,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.message_signers import BINARY, check_signer, renewing_signer, signer_of, signers_in
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64, IX509CertificateRequest
from certenroll.signer_certificates import ISignerCertificate
from certenroll.wrapping_requests import WrappingRequest

if TYPE_CHECKING:
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.templates import IX509CertificateTemplate

REQUESTER_NAME: Final = "RequesterName"


class IX509CertificateRequestPkcs7(WrappingRequest):
    """A request around another one: a PKCS#10 inside a signed message."""

    request_type = X509RequestType.TypePkcs7
    inner_types: ClassVar[tuple[X509RequestType, ...]] = (X509RequestType.TypePkcs10,)

    def __init__(self) -> None:
        super().__init__()
        self._encodes_inner = False  # whether Encode encoded the inner request, and ResetForEncode opens it again
        self._requester = ""
        self._message: Pkcs7Request | None = None
        self.signed_attributes: tuple[Attribute, ...] = ()  # what the signer signs besides; set by the facade

    def Initialize(self, Context: X509CertificateEnrollmentContext) -> None:
        """Makes an empty request, with an empty PKCS#10 request inside.

        Args:
            Context: for whom.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        inner = IX509CertificateRequestPkcs10()
        self._lend_providers(inner)
        inner.Initialize(Context)
        self.wrap_request(inner)

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Makes a request for a template, with a new key.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
        """
        inner = IX509CertificateRequestPkcs10()
        self._lend_providers(inner)
        inner.InitializeFromTemplateName(Context, strTemplateName)
        self.wrap_request(inner)

    def InitializeFromTemplate(
        self,
        context: X509CertificateEnrollmentContext,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Makes a request for a template of a policy server, with a new key.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_POINTER where a server or template is missing.
        """
        inner = IX509CertificateRequestPkcs10()
        self._lend_providers(inner)
        inner.InitializeFromTemplate(context, pPolicyServer, pTemplate)
        self.wrap_request(inner)

    @property
    def PolicyServer(self) -> IX509EnrollmentPolicyServer:
        """Where the template came from. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        return self.innermost_request().PolicyServer

    @property
    def Template(self) -> IX509CertificateTemplate:
        """The template. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        return self.innermost_request().Template

    def InitializeFromCertificate(
        self,
        Context: X509CertificateEnrollmentContext,
        RenewalRequest: bool,
        strCertificate: str | bytes,
        Encoding: EncodingType = BASE64,
        InheritOptions: X509RequestInheritOptions = X509RequestInheritOptions.InheritDefault,
    ) -> None:
        """Makes a request from a certificate; a renewal is signed by that certificate's key too.

        Args:
            Context: for whom.
            RenewalRequest: whether the certificate is to be renewed.
            strCertificate, Encoding, InheritOptions: as for a PKCS#10 request.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, CRYPT_E_NOT_FOUND where a certificate to be renewed is
                not in MY or REQUEST, CRYPT_E_UNEXPECTED_MSG_TYPE where its private key is not here; what a PKCS#10
                request raises.
        """
        inner = IX509CertificateRequestPkcs10()
        self._lend_providers(inner)
        inner.InitializeFromCertificate(Context, strCertificate, Encoding, InheritOptions)
        signer = None
        if RenewalRequest:
            old = decode_text(inner.OldCertificate(BINARY), BINARY)
            inner.SetRenewalCertificate(BINARY, old)
            signer = renewing_signer(Context, old)
        self.wrap_request(inner)
        if signer is not None:
            self.SignerCertificate = signer

    def InitializeFromInnerRequest(self, pInnerRequest: IX509CertificateRequest) -> None:
        """Puts a request inside.

        Args:
            pInnerRequest: a PKCS#10 request, and for a CMC request also another CMC request; encoded or not.

        Raises:
            ComError: CRYPT_E_INVALID_MSG_TYPE for a request of another type, OLE_E_BLANK where it is not initialized,
                WIN32_ALREADY_INITIALIZED on the second time.
        """
        if pInnerRequest.Type not in self.inner_types:
            raise ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, f"a {pInnerRequest.Type.name} does not go inside this request")
        self.wrap_request(pInnerRequest)  # type: ignore[arg-type]  # the types say of which class it is

    def InitializeDecode(self, strEncodedData: str | bytes, Encoding: EncodingType = BASE64) -> None:
        """Takes over a request that was made, for the user; or names the context for the call after it.

        Args:
            strEncodedData: the request, or "ContextMachine" and its like as XCN_CRYPT_STRING_BINARY.
            Encoding: how the text holds it.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is malformed, CRYPT_E_INVALID_MSG_TYPE where it is a message of another kind,
                WIN32_INVALID_DATA where it asks for no or more than one certificate, WIN32_ALREADY_INITIALIZED on the
                second time.
        """
        data = self.take_encoded(strEncodedData, Encoding)
        if data is not None:
            self.decode_message(data)

    def ResetForEncode(self) -> None:
        """Makes the request what it was before Encode; an inner request that Encode encoded is opened again too.

        Raises:
            ComError: OLE_E_BLANK, WIN32_INVALID_STATE where the request is not encoded.
        """
        super().ResetForEncode()
        self._message = None
        if self._encodes_inner:
            self.inner_request().ResetForEncode()
            self._encodes_inner = False

    def GetInnerRequest(self, Level: InnerRequestLevel) -> IX509CertificateRequest:
        """The request inside: the next one, or the innermost. Raises OLE_E_BLANK."""
        inner = self.inner_request()
        return inner if Level == InnerRequestLevel.LevelNext else self.innermost_request()

    def RenewalCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that the innermost request renews. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        return self.innermost_request().RenewalCertificate(Encoding)

    def SetRenewalCertificate(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Names the certificate that the innermost request renews; its key signs where it is a signer certificate too."""
        self.check_unsealed()
        self.innermost_request().SetRenewalCertificate(Encoding, Value)

    @property
    def RequesterName(self) -> str:
        """Whom the certificate is for, where an agent asks (DOMAIN\\user). Raises CERTSRV_E_PROPERTY_EMPTY for nobody."""
        self._context.get()
        if not self._requester:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request names no other requester")
        return self._requester

    @RequesterName.setter
    def RequesterName(self, Value: str) -> None:
        self._context.get()
        self.check_unsealed()
        if not Value:
            raise ComError(HRESULT.E_INVALIDARG, "a requester has a name")
        self._requester = Value

    @property
    def SignerCertificate(self) -> ISignerCertificate:
        """The certificate whose key signs. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        self._context.get()
        if self._signer is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no signer certificate was set")
        return self._signer

    @SignerCertificate.setter
    def SignerCertificate(self, pValue: ISignerCertificate) -> None:
        self._context.get()
        self.check_unsealed()
        pValue.certificate_bytes()  # OLE_E_BLANK here, and not when the key is made
        self._signer = pValue

    # What the enrollment uses.

    def encode_pending(self) -> None:
        """Encodes as Encode does and leaves the intent of a new key open."""
        self._context.get()
        self.check_unsealed()
        self.prepare_encoding()
        legacy = open_workspace(self._context.get()).profile.settings.legacy_hashes
        with self._inner_encoded():
            self.sign_message(legacy_hashes=legacy)

    def prepare_encoding(self) -> None:
        """What is done before any key is made: settings handed inwards. Raises where nobody is there to sign."""
        if self._signer is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "a certificate signs a PKCS#7; set SignerCertificate")
        inner = self.innermost_request()
        if not inner.is_encoded:
            inner.SuppressDefaults = inner.SuppressDefaults or self._suppress_defaults
            inner.ClientId = int(self._client_id) or inner.ClientId

    def sign_message(self, *, legacy_hashes: bool) -> None:
        """Signs the encoded inner request and shows the message in the object's own fields."""
        request = pkcs10.decode(self.inner_request().der_bytes())
        signer = self.SignerCertificate
        certificate = signer.certificate_bytes()
        pairs = [NameValuePair(REQUESTER_NAME, self._requester)] if self._requester else []
        named = tuple(Attribute(NAME_VALUE_PAIR, (attributes.encode_name_value_pair(pair),)) for pair in pairs)
        signed = (*named, *self.signed_attributes)
        renews = not signed and pkcs7_requests.renewal_certificate_of(request) == certificate
        made = signer_of(
            signer, self._signature, legacy_hashes=legacy_hashes, attributes=signed, with_attributes=not renews
        )
        self._adopt_message(pkcs7_requests.build(request, [made], [certificate]))

    @contextmanager
    def _inner_encoded(self) -> Iterator[None]:
        """Within the block the inner request is encoded; after a failure it is as it was, and a new key is deleted."""
        inner = self.inner_request()
        encodes = not inner.is_encoded
        if encodes:
            inner.encode_pending()
        try:
            yield
        finally:
            if self.is_encoded:
                self._encodes_inner = encodes
            elif encodes:
                key = inner.key_object
                if key is not None:
                    key.discard_creation()
                inner.ResetForEncode()

    def _lend_providers(self, inner: IX509CertificateRequestPkcs10) -> None:
        if self._csp_informations is not None:
            inner.CspInformations = self._csp_informations

    def decode_message(self, data: bytes) -> None:
        """Takes over an encoded message: its inner request, its signer, whom it is for."""
        message = pkcs7_requests.decode(data)
        inner = decoded_pkcs10(pkcs10.encode(message.request), self._decode_context)
        pairs = {pair.name.lower(): pair.value for pair in message.name_value_pairs}
        known = tuple(one for one in (message.renewal_certificate,) if one is not None)
        signers = signers_in(message.signed, self._decode_context, known)
        self._client_id = inner.ClientId
        self._requester = pairs.get(REQUESTER_NAME.lower(), "")
        if signers:
            self._signer = signers[0]
            self._signature.fill_from(signers[0].SignatureInformation)
            self._signature.PublicKeyAlgorithm = signers[0].SignatureInformation.PublicKeyAlgorithm
        self._adopt_message(message)
        self.wrap_request(inner)

    def _adopt_message(self, message: Pkcs7Request) -> None:
        self._message = message
        self._encoded = pkcs7_requests.encode(message)


class IX509CertificateRequestPkcs7V2(IX509CertificateRequestPkcs7):
    """A PKCS#7 request, with what Windows 7 added to it."""

    def CheckCertificateSignature(self, ValidateCertificateChain: bool = False) -> None:
        """Checks the signature of the certificate that signed the request.

        Args:
            ValidateCertificateChain: whether the certificate's chain is judged too, by the stores of the context.

        Raises:
            ComError: OLE_E_BLANK; CERTSRV_E_PROPERTY_EMPTY before Encode, or where the signer's certificate is not to be
                found; NTE_BAD_SIGNATURE and its like; the code of what is wrong with the chain.
        """
        self.der_bytes()
        if self._message is None or self._signer is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the certificate that signed the request is not known")
        certificate = read_certificate(self._signer.certificate_bytes())
        signed = self._message.signed
        check_signer(self.EnrollmentContext, signed, certificate, with_chain=ValidateCertificateChain)


def decoded_pkcs10(data: bytes, context: X509CertificateEnrollmentContext) -> IX509CertificateRequestPkcs10:
    """The object for a PKCS#10 request inside a message."""
    made = IX509CertificateRequestPkcs10()
    made.InitializeDecode(context.name, BINARY)
    made.InitializeDecode(data, BINARY)
    return made
