"""IX509CertificateRequestCmc: a request inside a CMC message, with what its makers and others sign about it.

``cmc_properties`` and ``cmc_templates`` hold what a script set; here it becomes a message, or a message becomes it.
The bytes are ``asn1.cmc_requests``'. Source: the nf-certenroll-ix509certificaterequestcmc-* and -cmc2-* pages, MS-WCCE
3.1.1.4.3.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from certenroll.asn1 import algorithms, attributes, cmc_requests, cms, pkcs7_requests, pkcs10
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.certificates import public_key_identifier, read_certificate
from certenroll.asn1.cmc import PKI_DATA
from certenroll.asn1.cmc_requests import CmcRequest, PkiData, TaggedRequest
from certenroll.asn1.cms import NewSigner, SignedData, Signer
from certenroll.asn1.der import Attribute, Extension
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import envelope_of, key_identifier_of, new_signer, verify_signers, with_null_signer
from certenroll.attribute_types import IX509AttributeArchiveKey, crypt_attribute_from
from certenroll.attributes import ICryptAttributes
from certenroll.cmc_templates import CmcTemplates
from certenroll.engine.client_identity import client_identity
from certenroll.engine.opening import open_workspace
from certenroll.enums import (
    Pkcs10AllowedSignatureTypes,
    X509CertificateEnrollmentContext,
    X509PrivateKeyExportFlags,
    X509RequestType,
)
from certenroll.errors import ComError
from certenroll.extension_types import extension_from
from certenroll.extensions import IX509Extensions
from certenroll.hresults import HRESULT
from certenroll.key_blobs import write_key
from certenroll.message_signers import BINARY, check_signer, hash_of, is_alternate, signer_of, signers_in
from certenroll.name_value_pairs import IX509NameValuePair, IX509NameValuePairs
from certenroll.object_ids import IObjectIds, object_id
from certenroll.pkcs7_requests import (
    REQUESTER_NAME,
    IX509CertificateRequestPkcs7,
    IX509CertificateRequestPkcs7V2,
    decoded_pkcs10,
)
from certenroll.pkcs10_decoding import template_in
from certenroll.pkcs10_encoding import TEMPLATE_EXTENSIONS, template_extension
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.private_key_properties import RSA
from certenroll.public_keys import public_key_from_spki
from certenroll.signer_certificates import ISignerCertificate
from keystores.base import Exporter

if TYPE_CHECKING:
    from certenroll.private_keys import IX509PrivateKey

_ARCHIVING: Final = (
    X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_ARCHIVING_FLAG
    | X509PrivateKeyExportFlags.XCN_NCRYPT_ALLOW_PLAINTEXT_ARCHIVING_FLAG
)


class IX509CertificateRequestCmc(CmcTemplates):
    """A CMC request."""

    request_type = X509RequestType.TypeCmc
    inner_types: ClassVar[tuple[X509RequestType, ...]] = (X509RequestType.TypePkcs10, X509RequestType.TypeCmc)

    def __init__(self) -> None:
        super().__init__()
        self._cmc: CmcRequest | None = None

    def ResetForEncode(self) -> None:
        """Makes the request what it was before Encode, and an inner request that Encode encoded likewise.

        Raises:
            ComError: OLE_E_BLANK, WIN32_INVALID_STATE where the request is not encoded.
        """
        super().ResetForEncode()
        self._cmc = None
        self._key_hash = b""
        self._attributes, self._extensions, self._pairs = self._given

    def CheckSignature(
        self, AllowedSignatureTypes: Pkcs10AllowedSignatureTypes = Pkcs10AllowedSignatureTypes.AllowedKeySignature
    ) -> None:
        """Checks the primary signature, by the public key of the innermost request.

        Args:
            AllowedSignatureTypes: AllowedKeySignature, AllowedNullSignature or both.

        Raises:
            ComError: OLE_E_BLANK, CRYPT_E_NO_SIGNER before Encode and where there is no primary signature,
                WIN32_INVALID_STATE where it is of a kind that is not allowed, NTE_BAD_SIGNATURE where it is wrong.
        """
        self._context.get()
        request = pkcs10.decode(self.innermost_request().der_bytes()) if self._cmc is not None else None
        primary = _primary(self._cmc.signed, request) if self._cmc is not None and request is not None else None
        if self._cmc is None or request is None or primary is None:
            raise ComError(HRESULT.CRYPT_E_NO_SIGNER, "the request has no primary signature; was Encode called?")
        allowed = Pkcs10AllowedSignatureTypes
        wanted = allowed.AllowedNullSignature if _is_null(primary) else allowed.AllowedKeySignature
        if not AllowedSignatureTypes & wanted:
            raise ComError(HRESULT.WIN32_INVALID_STATE, f"the signature is a {wanted.name}, which is not allowed here")
        verify_signers(replace(self._cmc.signed, signers=(primary,)), (request,), allow_null=True)

    def CheckCertificateSignature(
        self, pSignerCertificate: ISignerCertificate, ValidateCertificateChain: bool = False
    ) -> None:
        """Checks the signature of one of the certificates that signed.

        Args:
            pSignerCertificate: the signer.
            ValidateCertificateChain: whether the certificate's chain is judged too, by the stores of the context.

        Raises:
            ComError: OLE_E_BLANK, E_POINTER for no signer, CERTSRV_E_PROPERTY_EMPTY before Encode or where that
                certificate did not sign, NTE_BAD_SIGNATURE and its like, the code of what is wrong with the chain.
        """
        self.der_bytes()
        if self._cmc is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request is not encoded yet; call Encode")
        certificate = read_certificate(pSignerCertificate.certificate_bytes())
        check_signer(self.EnrollmentContext, self._cmc.signed, certificate, with_chain=ValidateCertificateChain)

    # What the enrollment uses.

    def prepare_encoding(self) -> None:
        """Raises, before any key is made, where a key is to be archived and cannot be."""
        if not self.ArchivePrivateKey:
            return
        if not self._exchange_certificate:
            raise ComError(
                HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED, "no key exchange certificate is set; set KeyArchivalCertificate"
            )
        innermost = self.innermost_request()
        if innermost.is_encoded and innermost.key_object is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request inside has no private key here to be archived")

    def sign_message(self, *, legacy_hashes: bool) -> None:
        """Signs the encoded inner request and shows the message in the object's own fields."""
        self._given = (self._attributes, self._extensions, self._pairs)
        stated, sealed = self._archived()
        data = self._content(stated)
        request = pkcs10.decode(self.innermost_request().der_bytes())
        signers = [signer_of(one, self._signature, legacy_hashes=legacy_hashes) for one in self._signers]
        certificates = [one.certificate_bytes() for one in self._signers]
        own = self._own_signer(request, sealed, legacy_hashes=legacy_hashes)
        message = cmc_requests.build(data, [*([own] if own is not None else []), *signers], certificates)
        self._signature.NullSigned = own is None and (request.is_null_signed or not signers)
        if self._signature.NullSigned:
            hash_name = self._signature.signature_scheme(legacy_hashes=legacy_hashes).hash_name
            message = replace(message, envelope=envelope_of(with_null_signer(message.signed, hash_name)))
        self._show(message, _typed(message))

    def decode_message(self, data: bytes) -> None:
        """Takes over an encoded message: the requests inside, and all that is said about them."""
        message = cmc_requests.decode(data)
        request = cmc_requests.certification_request(message)
        # All that may be refused is read before anything is taken over.
        inner, said = _inner_of(message, self._decode_context), message.data
        pairs = {pair.name.lower(): pair.value for pair in said.name_value_pairs}
        known = pkcs7_requests.renewal_certificate_of(request)
        client_id, transaction, nonce = _client_id(said), said.transaction_id, said.sender_nonce or b""
        signers = signers_in(message.signed, self._decode_context, (known,) if known is not None else ())
        cipher = attributes.decode_archived_key(message.archived_key) if message.archived_key is not None else ""
        primary, typed = _primary_facts(message.signed, request), _typed(message)
        for member, value in primary.items():
            setattr(self._signature, member, value)
        self._signers.Clear()
        for signer in signers:
            self._signers.Add(signer)
        self._transaction, self._nonce = transaction, nonce
        self._requester = pairs.get(REQUESTER_NAME.lower(), "")
        self._critical = IObjectIds([object_id(one.oid) for one in said.extensions if one.critical])
        self._template = template_in({one.oid: one.value for one in said.extensions})
        if cipher:
            self._archive_key, self._cipher = True, cipher
        self._show(message, typed)
        self._client_id = client_id  # type: ignore[assignment]  # may be a caller's own number
        self._given = (self._attributes, self._extensions, self._pairs)
        self.wrap_request(inner)

    def _content(self, stated: tuple[Attribute, ...]) -> PkiData:
        inner = self.inner_request()
        is_message = isinstance(inner, IX509CertificateRequestPkcs7)
        return cmc_requests.new_pki_data(
            None if is_message else pkcs10.decode(inner.der_bytes()),
            nested=inner.der_bytes() if is_message else b"",
            attributes=(*self._all_attributes(), *stated),
            extensions=self._all_extensions(),
            pairs=self._all_pairs(),
            transaction_id=self._transaction,
            sender_nonce=self._nonce,
        )

    def _all_attributes(self) -> list[Attribute]:
        given = [one.to_attribute() for one in self._attributes]
        unwanted = {one.oid for one in given} | {oid.Value for oid in self._suppressed}
        if self._suppress_defaults or attributes.CLIENT_INFO in unwanted:
            return given
        who = client_identity()
        info = attributes.ClientInfo(int(self._client_id), who.machine, who.user, who.process)
        return [*given, Attribute(attributes.CLIENT_INFO, (attributes.encode_client_info(info),))]

    def _all_extensions(self) -> list[Extension]:
        given = [one.to_extension() for one in self._extensions]
        critical = {oid.Value for oid in self._critical}
        is_named = bool(TEMPLATE_EXTENSIONS.intersection(one.oid for one in given))
        named = [template_extension(self._template)] if self._template and not is_named else []
        return [replace(one, critical=one.critical or one.oid in critical) for one in (*named, *given)]

    def _all_pairs(self) -> list[NameValuePair]:
        given = [NameValuePair(one.Name, one.Value) for one in self._pairs]
        if self._requester:
            given = [one for one in given if one.name.lower() != REQUESTER_NAME.lower()]
            given.append(NameValuePair(REQUESTER_NAME, self._requester))
        return given

    def _archived(self) -> tuple[tuple[Attribute, ...], tuple[Attribute, ...]]:
        """(what is stated in the message, what stands unsigned beside it)."""
        key = self.key_object
        if not self.ArchivePrivateKey or key is None:
            return (), ()
        stated, sealed = cmc_requests.archival_attributes(self._sealed_key(key))
        return (stated,), (sealed,)

    def _sealed_key(self, key: IX509PrivateKey) -> bytes:
        """The encrypted key. One that was made for this request may leave its store this once, if its policy says so."""
        info = key.provider_info()
        store = open_workspace(self._context.get()).key_stores.get(info.store)
        if key.ExportPolicy & _ARCHIVING and not self.reuses_key and isinstance(store, Exporter):
            form = "CAPIPRIVATEBLOB" if key.Algorithm.Value == RSA else "ECCPRIVATEBLOB"
            blob = write_key(form, key.stored_key().private_key)
            return attributes.encode_archived_key(blob, self._exchange_certificate, self._cipher, os.urandom)
        made = IX509AttributeArchiveKey()
        made.InitializeEncode(key, BINARY, self._exchange_certificate, object_id(self._cipher), 0)
        return made.value_bytes()

    def _own_signer(
        self, request: CertificationRequest, sealed: tuple[Attribute, ...], *, legacy_hashes: bool
    ) -> NewSigner | None:
        """The primary signature, or None where the request's key is not here."""
        key = self.key_object
        if key is None or request.is_null_signed:
            return None
        private = key.stored_key().private_key
        self._signature.settle_for_key(key.ExportPublicKey().Algorithm.Value)
        scheme = self._signature.signature_scheme(legacy_hashes=legacy_hashes)
        return new_signer(
            private.public_key(), scheme, algorithms.signer(private, scheme), key_identifier=key_identifier_of(request),
            unsigned_attributes=sealed,
        )  # fmt: skip

    def _show(self, message: CmcRequest, typed: _Typed) -> None:
        """Shows a message in the object's own fields."""
        self._attributes, self._extensions, self._pairs, self._key_hash, self._encoded = typed
        self._cmc = message


IX509CertificateRequestCmc2 = IX509CertificateRequestCmc
_Typed = tuple[ICryptAttributes, IX509Extensions, IX509NameValuePairs, bytes, bytes]


def _typed(message: CmcRequest) -> _Typed:
    """What is shown of a message, hash of the archived key and encoded form (which is made of the fields) included."""
    data = message.data
    said = ICryptAttributes([crypt_attribute_from(one) for one in data.attributes])
    added = IX509Extensions([extension_from(one) for one in data.extensions])
    return said, added, _pairs_of(data), data.archived_key_hash or b"", cmc_requests.encode(message)


def _inner_of(
    message: CmcRequest, context: X509CertificateEnrollmentContext
) -> IX509CertificateRequestPkcs10 | IX509CertificateRequestPkcs7:
    """The object for the one request inside a message."""
    for tagged in message.data.requests:
        if isinstance(tagged, TaggedRequest):
            return decoded_pkcs10(pkcs10.encode(tagged.request), context)
    nested = message.data.nested[0].content
    is_cmc = cms.decode_signed_data(nested).content_type == PKI_DATA
    made: IX509CertificateRequestPkcs7 = IX509CertificateRequestCmc() if is_cmc else IX509CertificateRequestPkcs7V2()
    made.InitializeDecode(context.name, BINARY)
    made.InitializeDecode(nested, BINARY)
    return made


def _pairs_of(data: PkiData) -> IX509NameValuePairs:
    made = []
    for pair in data.name_value_pairs:
        one = IX509NameValuePair()
        one.Initialize(pair.name, pair.value)
        made.append(one)
    return IX509NameValuePairs(made)


def _primary(signed: SignedData, request: CertificationRequest) -> Signer | None:
    names = (key_identifier_of(request), public_key_identifier(request.public_key_info))
    return next((one for one in signed.signers if _is_null(one) or one.key_identifier in names), None)


def _primary_facts(signed: SignedData, request: CertificationRequest) -> dict[str, object]:
    """What IX509SignatureInformation shows of the primary signature, by member; the hash, which it may refuse, first."""
    facts: dict[str, object] = {}
    found = _primary(signed, request)
    if found is not None:
        facts |= {"HashAlgorithm": object_id(hash_of(found)), "NullSigned": _is_null(found)}
        facts["AlternateSignatureAlgorithm"] = is_alternate(found)
    return facts | {"PublicKeyAlgorithm": public_key_from_spki(request.public_key_info).Algorithm}


def _is_null(signer: Signer) -> bool:
    return algorithms.read_algorithm(signer.signature_algorithm).family == "null"


def _client_id(data: PkiData) -> int:
    values = [value for one in data.attributes if one.oid == attributes.CLIENT_INFO for value in one.values]
    return attributes.decode_client_info(values[0]).client_id if values else 0
