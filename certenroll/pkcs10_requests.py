"""IX509CertificateRequestPkcs10: a PKCS#10 request, made from a key, a certificate or bytes.

``pkcs10_properties`` holds what a script set, ``pkcs10_encoding`` adds the defaults and signs, ``pkcs10_decoding`` reads.
Source: the nf-certenroll-ix509certificaterequestpkcs10-* pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.asn1 import algorithms, pkcs10
from certenroll.asn1.algorithms import SignatureAlgorithm
from certenroll.asn1.attributes import NAME_VALUE_PAIR, decode_name_value_pair
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.encodings import decode_text
from certenroll.engine.opening import open_workspace
from certenroll.engine.template_lookup import directory_facts
from certenroll.enums import (
    EncodingType,
    EnrollmentSelectionStatus,
    X509CertificateEnrollmentContext,
    X509KeySpec,
    X509RequestInheritOptions,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePair
from certenroll.object_ids import object_id
from certenroll.pkcs10_decoding import contents_of
from certenroll.pkcs10_encoding import EXTENSION_ATTRIBUTES, Assembly, assemble
from certenroll.pkcs10_versions import Pkcs10Versions
from certenroll.private_keys import IX509PrivateKey
from certenroll.public_keys import IX509PublicKey, public_key_from_spki
from certenroll.requests import BASE64
from certenroll.template_wishes import apply_to_key, apply_to_request

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.providers import ICspStatuses
    from certenroll.templates import IX509CertificateTemplate

_USER = X509CertificateEnrollmentContext.ContextUser
_SIGNERS = {"rsa": algorithms.RSA_ENCRYPTION, "pss": algorithms.RSA_ENCRYPTION, "ecdsa": algorithms.EC_PUBLIC_KEY}


class IX509CertificateRequestPkcs10(Pkcs10Versions):
    """A PKCS#10 certificate request."""

    request_type = X509RequestType.TypePkcs10

    def __init__(self) -> None:
        super().__init__()
        self._private_key: IX509PrivateKey | None = None
        self._public_key: IX509PublicKey | None = None
        self._makes_key = False  # whether the key object is the request's own and not the caller's

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Makes a request for a template, with a new key; what the directory says of the template is taken over.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
        """
        if not strTemplateName:
            raise ComError(HRESULT.E_INVALIDARG, "no template is named")
        self.InitializeFromPrivateKey(Context, self._new_key(Context), strTemplateName)
        self._makes_key = True

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
        if pPrivateKey.MachineContext and Context == _USER:
            raise ComError(HRESULT.E_INVALIDARG, "the machine's key needs ContextMachine")
        facts = directory_facts(Context, strTemplateName)
        self.begin_context(Context)
        self._private_key = pPrivateKey
        self._take_template(strTemplateName, facts)

    def InitializeFromPublicKey(
        self, Context: X509CertificateEnrollmentContext, pPublicKey: IX509PublicKey, strTemplateName: str = ""
    ) -> None:
        """Makes a request for a public key alone; it is null-signed, for a request around it to carry."""
        facts = directory_facts(Context, strTemplateName)
        self.begin_context(Context)
        self._public_key = pPublicKey
        self._signature.NullSigned = True
        self._take_template(strTemplateName, facts)

    def InitializeFromTemplate(
        self,
        context: X509CertificateEnrollmentContext,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Makes a request for a template of a policy server, with a new key of the template's kind.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_POINTER where a server or template is missing.
        """
        key = self._new_key(context)
        self.InitializeFromPrivateKeyTemplate(context, key, pPolicyServer, pTemplate)
        self._makes_key = True

    def InitializeFromPrivateKeyTemplate(
        self,
        Context: X509CertificateEnrollmentContext,
        pPrivateKey: IX509PrivateKey,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Makes a request for a template of a policy server and a key, which the template completes if it is to be made.

        Raises as InitializeFromPrivateKey.
        """
        pTemplate.template_facts()
        self.InitializeFromPrivateKey(Context, pPrivateKey)
        apply_to_key(pPrivateKey, self.note_template(pPolicyServer, pTemplate))

    def InitializeFromPublicKeyTemplate(
        self,
        Context: X509CertificateEnrollmentContext,
        pPublicKey: IX509PublicKey,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Makes a null-signed request for a template of a policy server. Raises as InitializeFromPublicKey."""
        pTemplate.template_facts()
        self.InitializeFromPublicKey(Context, pPublicKey)
        self.note_template(pPolicyServer, pTemplate)

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
            strCertificate: the certificate; as XCN_CRYPT_STRING_HEXRAW also the thumbprint or the serial number of one
                in a store of the context.
            Encoding: how the text holds it.
            InheritOptions: which key to take, and what else of the certificate.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where digits name no certificate, NTE_NO_KEY where its key is to be used and is
                not here, E_INVALIDARG for options that contradict each other, WIN32_ALREADY_INITIALIZED on the second
                time.
        """
        from certenroll.inheritance import inherit

        by_name = Encoding == EncodingType.XCN_CRYPT_STRING_HEXRAW
        inherit(self, Context, decode_text(strCertificate, Encoding), int(InheritOptions), by_name=by_name)

    def InitializeDecode(self, strEncodedData: str | bytes, Encoding: EncodingType = BASE64) -> None:
        """Takes over a signed request, for the user; or, as XCN_CRYPT_STRING_BINARY, the name of the context to take it for.

        Args:
            strEncodedData: the request. "ContextUser", "ContextMachine" or "ContextAdministratorForceMachine" as binary
                text initializes nothing: the call after it does, for that context.
            Encoding: how the text holds it.

        Raises:
            ComError: CRYPT_E_ASN1_* where it is no PKCS#10, WIN32_ALREADY_INITIALIZED on the second time.
        """
        data = self.take_encoded(strEncodedData, Encoding)
        if data is None:
            return
        request = pkcs10.decode(data)
        # All that may be refused is read before anything is taken over.
        public_key, contents = public_key_from_spki(request.public_key_info), contents_of(request)
        algorithm = algorithms.read_algorithm(request.signature_algorithm)
        self.begin_context(self._decode_context)
        self._public_key = public_key
        self._critical = contents.critical
        self._client_id = contents.client_id  # type: ignore[assignment]  # may be a caller's own number
        self._template = contents.template
        for pair in _pairs_in(request):
            self._pairs.Add(pair)
        self.adopt_request(request)
        self.show_signature(algorithm, request.signature_algorithm, public_key)
        self._given = (self._attributes, self._extensions)

    def IsSmartCard(self) -> bool:
        """Whether the provider of the key, or one that CspStatuses has selected, is a smart card's.

        Raises:
            ComError: OLE_E_BLANK, CERTSRV_E_PROPERTY_EMPTY where the request has no private key.
        """
        if self.PrivateKey.is_on_smart_card():
            return True
        chosen = EnrollmentSelectionStatus.SelectedYes
        selected = (one for one in self.CspStatuses if one.EnrollmentStatus.Selected == chosen)
        return any(one.CspInformation.IsSmartCard for one in selected)

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
            self._makes_key = True
        return self._private_key

    @property
    def ReuseKey(self) -> bool:
        """Whether the key was there before the request. Raises OLE_E_BLANK."""
        self._context.get()
        return self._private_key is not None and self._private_key.was_there

    def _take_template(self, name: str, facts: TemplateFacts | None) -> None:
        """Names the template, and takes over what the directory says of it where the directory knows it."""
        self._template = name
        if facts is None:
            return
        apply_to_request(self, facts)
        if self._private_key is not None:
            apply_to_key(self._private_key, facts)

    # What the enrollment uses.

    def encode_pending(self) -> None:
        """Encodes as Encode does and leaves the intent of a new key open."""
        context = self._context.get()
        self.check_unsealed()
        self.check_attestation()
        legacy = open_workspace(context).profile.settings.legacy_hashes
        if self._public_key is None:
            self._ready_key()
        elif not self._signature.NullSigned:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "a request that was decoded has no private key to sign with")
        self._given = (self._attributes, self._extensions)
        try:
            self.adopt_request(assemble(self._assembly(), legacy_hashes=legacy))
        finally:
            if not self.is_encoded and self._private_key is not None:
                self._private_key.discard_creation()

    def inherit_key(self, context: X509CertificateEnrollmentContext, key: IX509PrivateKey | IX509PublicKey) -> None:
        """Begins the request with a key that another certificate lends."""
        if isinstance(key, IX509PublicKey):
            self.InitializeFromPublicKey(context, key)
        else:
            self.InitializeFromPrivateKey(context, key)

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

    def show_signature(self, read: SignatureAlgorithm, algorithm: bytes, public_key: IX509PublicKey) -> None:
        """Shows in SignatureInformation how what was decoded is signed.

        Args:
            read: what the AlgorithmIdentifier says.
            algorithm: the AlgorithmIdentifier in DER.
            public_key: of what was decoded, which tells the signer's algorithm where that of the signature does not.
        """
        signer = _SIGNERS.get(read.family)
        self._signature.PublicKeyAlgorithm = object_id(signer) if signer is not None else public_key.Algorithm
        if read.hash_name:
            self._signature.HashAlgorithm = object_id(algorithms.hash_algorithm(read.hash_name).oid)
        discrete = (algorithms.RSASSA_PSS, algorithms.ECDSA_SPECIFIED)
        self._signature.AlternateSignatureAlgorithm = algorithms.identifier_oid(algorithm) in discrete

    def _ready_key(self) -> None:
        key = self.PrivateKey
        if self._makes_key and not key.Opened and self.KeyContainerNamePrefix:
            key.ContainerNamePrefix = self.KeyContainerNamePrefix
        key.ready_pending()
        self._signature.settle_for_key(key.ExportPublicKey().Algorithm.Value)

    def _assembly(self) -> Assembly:
        key = self._private_key
        return Assembly(
            subject=self.subject_der(),
            public_key_info=self.spki_bytes(),
            private_key=None if key is None or self._signature.NullSigned else key.stored_key().private_key,
            signature=self._signature,
            template=self._template,
            extensions=tuple(extension.to_extension() for extension in self._extensions),
            attributes=self._own_attributes(),
            critical=frozenset(oid.Value for oid in self._critical),
            from_template=self._from_template,
            suppressed=frozenset(oid.Value for oid in self._suppressed),
            defaults=not self._suppress_defaults,
            smime_capabilities=bool(self.SmimeCapabilities),
            client_id=int(self._client_id),
            provider=key.provider_info() if key is not None and key.Opened else None,
            key=key.stored_key().info if key is not None and key.Opened else None,
            renewal_certificate=self._renewal_certificate,
        )

    def _own_attributes(self) -> tuple[Attribute, ...]:
        all_given = [one.to_attribute() for one in self._attributes]
        given = [one for one in all_given if one.oid not in EXTENSION_ATTRIBUTES]
        named = {one.oid for one in given}
        return (*given, *(one for one in self.version_attributes() if one.oid not in named))

    def _new_key(self, context: X509CertificateEnrollmentContext) -> IX509PrivateKey:
        key = IX509PrivateKey()
        key.MachineContext = context != _USER
        return key


def _pairs_in(request: pkcs10.CertificationRequest) -> list[IX509NameValuePair]:
    """The names and values among the attributes; what is none stays an attribute that nobody understands."""
    pairs = []
    for value in request.values(NAME_VALUE_PAIR):
        try:
            found = decode_name_value_pair(value)
        except DecodeError:
            continue
        pair = IX509NameValuePair()
        pair.Initialize(found.name, found.value)
        pairs.append(pair)
    return pairs


IX509CertificateRequestPkcs10V2 = IX509CertificateRequestPkcs10
IX509CertificateRequestPkcs10V3 = IX509CertificateRequestPkcs10
IX509CertificateRequestPkcs10V4 = IX509CertificateRequestPkcs10
