"""What a PKCS#10 request object holds: subject, attributes, extensions, and what it shows once it is encoded.

Knows no keys and no encoding; IX509CertificateRequestPkcs10 derives from it. Source: the property pages of
IX509CertificateRequestPkcs10, ResetForEncode and CheckSignature.
"""

from __future__ import annotations

from collections.abc import Iterable

from certenroll.asn1 import pkcs10
from certenroll.asn1.attributes import RENEWAL_CERTIFICATE
from certenroll.asn1.der import Extension
from certenroll.attributes import ICryptAttributes
from certenroll.distinguished_names import IX500DistinguishedName
from certenroll.encodings import encode_text
from certenroll.engine.template_lookup import directory_facts
from certenroll.enums import EncodingType, Pkcs10AllowedSignatureTypes
from certenroll.errors import ComError
from certenroll.extensions import IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.pkcs10_decoding import contents_of
from certenroll.requests import BASE64, IX509CertificateRequest, once_initialized
from certenroll.signatures import IX509SignatureInformation

KEY_USAGE = "2.5.29.15"
BASIC_CONSTRAINTS = "2.5.29.19"
EMPTY_NAME = b"\x30\x00"


class Pkcs10Properties(IX509CertificateRequest):
    """The part of a PKCS#10 request that has nothing to do with its key."""

    def __init__(self) -> None:
        super().__init__()
        self._subject: IX500DistinguishedName | None = None
        self._template = ""
        self._from_template: tuple[Extension, ...] = ()  # the extensions that the template brought
        self._old_certificate = b""
        self._decoded: pkcs10.CertificationRequest | None = None
        self._extensions = IX509Extensions()
        self._attributes = ICryptAttributes()
        self._given = (self._attributes, self._extensions)  # the caller's own, which ResetForEncode brings back
        self._suppressed = IObjectIds()
        self._critical = IObjectIds([object_id(oid) for oid in (KEY_USAGE, BASIC_CONSTRAINTS)])

    SmimeCapabilities = once_initialized(
        "bool", "_smime_capabilities", False, "Whether the request names the ciphers that its maker can read."
    )

    KeyContainerNamePrefix = once_initialized(
        "str", "_container_prefix", "", "What the container's name begins with where the request makes its key itself."
    )

    def ResetForEncode(self) -> None:
        """Makes the request what it was before Encode, but for CriticalExtensions.

        Raises:
            ComError: OLE_E_BLANK, WIN32_INVALID_STATE where the request is not encoded.
        """
        super().ResetForEncode()
        self._decoded = None
        self._attributes, self._extensions = self._given

    def CheckSignature(
        self, AllowedSignatureTypes: Pkcs10AllowedSignatureTypes = Pkcs10AllowedSignatureTypes.AllowedKeySignature
    ) -> None:
        """Checks the signature of the encoded request.

        Args:
            AllowedSignatureTypes: AllowedKeySignature, AllowedNullSignature or both.

        Raises:
            ComError: CRYPT_E_NO_SIGNER before Encode, WIN32_INVALID_STATE where the signature is of a kind that is not
                allowed, NTE_BAD_SIGNATURE where it is wrong.
        """
        self._context.get()
        if self._decoded is None:
            raise ComError(HRESULT.CRYPT_E_NO_SIGNER, "the request is not encoded yet; call Encode")
        request = self._decoded
        wanted = (
            Pkcs10AllowedSignatureTypes.AllowedNullSignature
            if request.is_null_signed
            else Pkcs10AllowedSignatureTypes.AllowedKeySignature
        )
        if not AllowedSignatureTypes & wanted:
            raise ComError(HRESULT.WIN32_INVALID_STATE, f"the signature is a {wanted.name}, which is not allowed here")
        pkcs10.verify(request, allow_null=True)

    @property
    def TemplateObjectId(self) -> IObjectId:
        """The object id of the template. Raises CERTSRV_E_PROPERTY_EMPTY where none is named, or it is not known."""
        self._context.get()
        oid = self._template
        if oid and not oid[0].isdigit():
            facts = directory_facts(self._context.get(), oid)
            oid = (facts.oid or "") if facts is not None else ""
        if not oid:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request names no template whose object id is known")
        return object_id(oid)

    @property
    def NullSigned(self) -> bool:
        """Whether the request has no signature of a key."""
        self._context.get()
        return self._signature.NullSigned

    def OldCertificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that InitializeFromCertificate was given. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        self._context.get()
        if not self._old_certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was not made from a certificate")
        return encode_text(self._old_certificate, Encoding)

    @property
    def Subject(self) -> IX500DistinguishedName:
        """The subject's name. Raises CERTSRV_E_PROPERTY_EMPTY where none was set."""
        self._context.get()
        if self._subject is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request has no subject")
        return self._subject

    @Subject.setter
    def Subject(self, pValue: IX500DistinguishedName) -> None:
        self._context.get()
        self.check_unsealed()
        self._subject = pValue

    @property
    def SignatureInformation(self) -> IX509SignatureInformation:
        """How the request is signed. Raises OLE_E_BLANK."""
        self._context.get()
        return self._signature

    @property
    def CryptAttributes(self) -> ICryptAttributes:
        """The attributes: those that the caller adds and, once it is encoded, all that it has."""
        self._context.get()
        return self._attributes

    @property
    def X509Extensions(self) -> IX509Extensions:
        """The extensions: those that the caller adds and, once it is encoded, all that it has."""
        self._context.get()
        return self._extensions

    @property
    def CriticalExtensions(self) -> IObjectIds:
        """The object ids of the extensions that are marked critical."""
        self._context.get()
        return self._critical

    @property
    def SuppressOids(self) -> IObjectIds:
        """The object ids of the default extensions and attributes that stay out."""
        self._context.get()
        return self._suppressed

    def RawDataToBeSigned(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """What is signed. Raises CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(self._signed().to_be_signed, Encoding)

    def Signature(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The signature. Raises CERTSRV_E_PROPERTY_EMPTY before Encode."""
        return encode_text(self._signed().signature, Encoding)

    def adopt_request(self, request: pkcs10.CertificationRequest) -> None:
        """Shows a signed request in the object's own fields."""
        contents = contents_of(request)
        self._decoded = request
        self._subject = contents.subject
        self._attributes = contents.attributes
        self._extensions = contents.extensions
        self._signature.NullSigned = request.is_null_signed
        self._renewal_certificate = next(iter(request.values(RENEWAL_CERTIFICATE)), self._renewal_certificate)
        self._encoded = pkcs10.encode(request)

    def inherit_certificate(self, certificate: bytes, *, renew: bool, template: str) -> None:
        """Notes the certificate that the request was made from, whether it renews it, and the template that it takes."""
        self._old_certificate = certificate
        self._template = template
        if renew:
            self._renewal_certificate = certificate

    def note_template_extensions(self, extensions: Iterable[Extension]) -> None:
        """Notes which extensions the template brought: SuppressOids keeps those out, as it does the defaults."""
        self._from_template = tuple(extensions)

    @property
    def template_name(self) -> str:
        """The template's name or object id, "" where none is named."""
        return self._template

    def subject_der(self) -> bytes:
        """The subject's name as DER; the empty name where none was set."""
        return self._subject.der_bytes() if self._subject is not None else EMPTY_NAME

    def _signed(self) -> pkcs10.CertificationRequest:
        self.der_bytes()
        if self._decoded is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request is not encoded yet; call Encode")
        return self._decoded
