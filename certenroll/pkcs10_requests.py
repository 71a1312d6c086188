"""IX509CertificateRequestPkcs10: a PKCS#10 request, made from a key, a certificate or bytes.

The object holds what a script set; ``pkcs10_encoding`` adds the defaults and signs. Source: the
nf-certenroll-ix509certificaterequestpkcs10-* pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.asn1 import pkcs10
from certenroll.attribute_types import crypt_attribute_from
from certenroll.attributes import ICryptAttributes
from certenroll.com import stored
from certenroll.distinguished_names import IX500DistinguishedName, distinguished_name
from certenroll.encodings import decode_text, encode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import (
    EncodingType,
    Pkcs10AllowedSignatureTypes,
    X509CertificateEnrollmentContext,
    X509KeySpec,
    X509RequestInheritOptions,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.extensions import IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId, IObjectIds, object_id
from certenroll.pkcs10_encoding import EXTENSION_ATTRIBUTES, Assembly, assemble
from certenroll.private_keys import IX509PrivateKey
from certenroll.public_keys import IX509PublicKey, public_key_from_spki
from certenroll.requests import BASE64, IX509CertificateRequest
from certenroll.signatures import IX509SignatureInformation

if TYPE_CHECKING:
    from certenroll.providers import ICspStatuses

KEY_USAGE = "2.5.29.15"
BASIC_CONSTRAINTS = "2.5.29.19"
EMPTY_NAME = b"\x30\x00"


class IX509CertificateRequestPkcs10(IX509CertificateRequest):
    """A PKCS#10 certificate request."""

    request_type = X509RequestType.TypePkcs10

    def __init__(self) -> None:
        super().__init__()
        self._private_key: IX509PrivateKey | None = None
        self._public_key: IX509PublicKey | None = None
        self._subject: IX500DistinguishedName | None = None
        self._template = ""
        self._old_certificate = b""
        self._decoded: pkcs10.CertificationRequest | None = None
        self._extensions = IX509Extensions()
        self._attributes = ICryptAttributes()
        self._suppressed = IObjectIds()
        self._critical = IObjectIds()
        for oid in (KEY_USAGE, BASIC_CONSTRAINTS):
            self._critical.Add(object_id(oid))

    SmimeCapabilities = stored(
        "bool", "_smime_capabilities", False, "Whether the request names the ciphers that its maker can read."
    )
    KeyContainerNamePrefix = stored("str", "_container_prefix", "", "What a generated container name begins with.")

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Makes a request for a template, with a new key.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
        """
        if not strTemplateName:
            raise ComError(HRESULT.E_INVALIDARG, "no template is named")
        self.InitializeFromPrivateKey(Context, self._new_key(Context), strTemplateName)

    def InitializeFromPrivateKey(
        self, Context: X509CertificateEnrollmentContext, pPrivateKey: IX509PrivateKey, strTemplateName: str = ""
    ) -> None:
        """Makes a request for a key that is there or is made by Encode.

        Args:
            Context: for whom; ContextMachine where the key is the machine's.
            pPrivateKey: the key.
            strTemplateName: the template's common name or object id, or nothing.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for a machine's key in the user's context.
        """
        if pPrivateKey.MachineContext and Context == X509CertificateEnrollmentContext.ContextUser:
            raise ComError(HRESULT.E_INVALIDARG, "the machine's key needs ContextMachine")
        self.begin_context(Context)
        self._private_key = pPrivateKey
        self._template = strTemplateName

    def InitializeFromPublicKey(
        self, Context: X509CertificateEnrollmentContext, pPublicKey: IX509PublicKey, strTemplateName: str = ""
    ) -> None:
        """Makes a request for a public key alone; it is null-signed, for a request around it to carry."""
        self.begin_context(Context)
        self._public_key = pPublicKey
        self._template = strTemplateName
        self._signature.NullSigned = True

    def InitializeFromCertificate(
        self,
        Context: X509CertificateEnrollmentContext,
        strCertificate: str | bytes,
        Encoding: EncodingType = BASE64,
        InheritOptions: X509RequestInheritOptions = X509RequestInheritOptions.InheritDefault,
    ) -> None:
        """Makes a request from a certificate.

        Args:
            Context: for whom.
            strCertificate: the certificate, or its thumbprint in a store of the context.
            Encoding: how the text holds it.
            InheritOptions: which key to take, and what else of the certificate.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where a thumbprint names no certificate, NTE_NO_KEY where its key is to be used
                and is not here, WIN32_ALREADY_INITIALIZED on the second time.
        """
        from certenroll.inheritance import inherit

        inherit(self, Context, decode_text(strCertificate, Encoding), int(InheritOptions))

    def InitializeDecode(self, strEncodedData: str | bytes, Encoding: EncodingType = BASE64) -> None:
        """Takes over a signed request.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is no PKCS#10, WIN32_ALREADY_INITIALIZED on the second time.
        """
        request = pkcs10.decode(decode_text(strEncodedData, Encoding))
        self.begin_context(X509CertificateEnrollmentContext.ContextUser)
        self.adopt_request(request)

    def Encode(self) -> None:
        """Makes the key where there is none, adds the defaults, signs and encodes.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, WIN32_ALREADY_INITIALIZED where it is encoded, the key
                store's codes. A key that was made for it is deleted again.
        """
        self.encode_pending()
        if self._private_key is not None:
            self._private_key.confirm_creation()

    def ResetForEncode(self) -> None:
        """Makes the request one that can be changed and encoded again. Raises OLE_E_BLANK."""
        super().ResetForEncode()
        self._decoded = None

    def CheckSignature(
        self, AllowedSignatureTypes: Pkcs10AllowedSignatureTypes = Pkcs10AllowedSignatureTypes.AllowedKeySignature
    ) -> None:
        """Checks the signature of the encoded request.

        Args:
            AllowedSignatureTypes: AllowedKeySignature, AllowedNullSignature or both.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY before Encode, NTE_BAD_SIGNATURE where it is wrong or of a kind that is
                not allowed.
        """
        request = self._signed()
        wanted = (
            Pkcs10AllowedSignatureTypes.AllowedNullSignature
            if request.is_null_signed
            else Pkcs10AllowedSignatureTypes.AllowedKeySignature
        )
        if not AllowedSignatureTypes & wanted:
            raise ComError(HRESULT.NTE_BAD_SIGNATURE, f"{wanted.name} is not allowed here")
        pkcs10.verify(request, allow_null=True)

    def IsSmartCard(self) -> bool:
        """Whether one of the request's providers is a smart card's."""
        self._context.get()
        if self._private_key is not None and self._private_key.Opened:
            return self._private_key.provider_info().store == "smartcard"
        return any(provider.IsSmartCard for provider in self.CspInformations)

    def GetCspStatuses(self, KeySpec: X509KeySpec) -> ICspStatuses:
        """The providers and algorithms that fit a use of the key."""
        from certenroll.providers import statuses_for

        self._context.get()
        return statuses_for(self.CspInformations, KeySpec)

    @property
    def CspStatuses(self) -> ICspStatuses:
        """The providers and algorithms that fit the request's key."""
        spec = self._private_key.KeySpec if self._private_key is not None else X509KeySpec.XCN_AT_NONE
        return self.GetCspStatuses(spec)

    @property
    def TemplateObjectId(self) -> IObjectId:
        """The object id of the template. Raises CERTSRV_E_PROPERTY_EMPTY where none is named by its object id."""
        self._context.get()
        if not self._template or not self._template[0].isdigit():
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request names no template by an object id")
        return object_id(self._template)

    @property
    def PublicKey(self) -> IX509PublicKey:
        """The public key. Raises CERTSRV_E_PROPERTY_EMPTY before a key is there."""
        self._context.get()
        if self._public_key is not None:
            return self._public_key
        return self.PrivateKey.ExportPublicKey()

    @property
    def PrivateKey(self) -> IX509PrivateKey:
        """The private key; one is made ready for a request that was given none. Raises OLE_E_BLANK."""
        context = self._context.get()
        if self._private_key is None:
            if self._public_key is not None:
                raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was made from a public key or from bytes")
            self._private_key = self._new_key(context)
        return self._private_key

    @property
    def NullSigned(self) -> bool:
        """Whether the request has no signature of a key."""
        self._context.get()
        return self._signature.NullSigned

    @property
    def ReuseKey(self) -> bool:
        """Whether the key was there before the request."""
        self._context.get()
        return self._private_key is not None and bool(self._private_key.Existing)

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
        self.unsealed()
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

    # What the enrollment uses.

    def encode_pending(self) -> None:
        """Encodes as Encode does and leaves the intent of a new key open."""
        context = self._context.get()
        self.unsealed()
        legacy = open_workspace(context).profile.settings.legacy_hashes
        if self._public_key is None:
            self.PrivateKey.ready_pending()
        try:
            self.adopt_request(assemble(self._assembly(), legacy_hashes=legacy), keep_key=True)
        finally:
            if not self.is_encoded and self._private_key is not None:
                self._private_key.discard_creation()

    def adopt_request(self, request: pkcs10.CertificationRequest, *, keep_key: bool = False) -> None:
        """Shows ``request`` in the object's own fields."""
        self._decoded = request
        if not keep_key:
            self._public_key = public_key_from_spki(request.public_key_info)
        self._subject = distinguished_name(request.subject)
        self._attributes = ICryptAttributes([crypt_attribute_from(attribute) for attribute in request.attributes])
        self._extensions = IX509Extensions([extension_from(extension) for extension in request.extensions])
        self._signature.NullSigned = request.is_null_signed
        self._encoded = pkcs10.encode(request)

    def inherit_key(self, context: X509CertificateEnrollmentContext, key: IX509PrivateKey | IX509PublicKey) -> None:
        """Begins the request with a key that another certificate lends."""
        if isinstance(key, IX509PublicKey):
            self.InitializeFromPublicKey(context, key)
        else:
            self.InitializeFromPrivateKey(context, key)

    def inherit_certificate(self, certificate: bytes, *, renew: bool) -> None:
        """Notes the certificate that the request was made from, and whether it renews it."""
        self._old_certificate = certificate
        if renew:
            self._renewal_certificate = certificate

    @property
    def template_name(self) -> str:
        """The template's name or object id, "" where none is named."""
        return self._template

    def subject_der(self) -> bytes:
        """The subject's name as DER; the empty name where none was set."""
        return self._subject.der_bytes() if self._subject is not None else EMPTY_NAME

    def spki_bytes(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo. Raises CERTSRV_E_PROPERTY_EMPTY before a key is there."""
        return self.PublicKey.spki_bytes()

    @property
    def format_name(self) -> str:
        """The name of the format, for the record."""
        return self.request_type.name

    @property
    def reuses_key(self) -> bool:
        """Whether the key was there before the request."""
        return self.ReuseKey

    @property
    def key_object(self) -> IX509PrivateKey | None:
        """The private key object, or None for a request without one."""
        return self._private_key

    def _signed(self) -> pkcs10.CertificationRequest:
        self.der_bytes()
        if self._decoded is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request is not encoded yet; call Encode")
        return self._decoded

    def _assembly(self) -> Assembly:
        key = self._private_key
        return Assembly(
            subject=self.subject_der(),
            public_key_info=self.spki_bytes(),
            private_key=None if key is None or self._signature.NullSigned else key.stored_key().private_key,
            signature=self._signature,
            template=self._template,
            extensions=tuple(extension.to_extension() for extension in self._extensions),
            attributes=tuple(
                found for found in (one.to_attribute() for one in self._attributes) if found.oid not in EXTENSION_ATTRIBUTES
            ),
            critical=frozenset(oid.Value for oid in self._critical),
            suppressed=frozenset(oid.Value for oid in self._suppressed),
            defaults=not self._suppress_defaults,
            smime_capabilities=bool(self.SmimeCapabilities),
            client_id=int(self._client_id),
            provider=key.provider_info() if key is not None and key.Opened else None,
            renewal_certificate=self._renewal_certificate,
        )

    def _new_key(self, context: X509CertificateEnrollmentContext) -> IX509PrivateKey:
        key = IX509PrivateKey()
        key.MachineContext = context != X509CertificateEnrollmentContext.ContextUser
        if self.KeyContainerNamePrefix:
            key.ContainerNamePrefix = self.KeyContainerNamePrefix
        return key
