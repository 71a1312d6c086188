"""Creating requests: from the control's properties to IX509CertificateRequestPkcs10 and its formats, to IX509Enrollment.

Sets up certenroll's objects and calls CreateRequest; all that is made, certenroll makes. Keys are ``request_keys``', formats
``request_formats``'. Source: ICEnroll::createPKCS10 and createFilePKCS10, ICEnroll4::createRequest and createFileRequest,
IEnroll::CreatePKCS7RequestFromRequest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import certenroll
from certenroll import facade
from certenroll.encodings import decode_text
from certenroll.enums import CERT_CREATE_REQUEST_FLAGS, EncodingType, X500NameFlags
from certenroll.errors import ComError
from xenroll_compat import defaults
from xenroll_compat.files import named_file, replaced_file
from xenroll_compat.hash_names import is_known_hash, object_id_of
from xenroll_compat.request_formats import Wishes, formed, signed_by
from xenroll_compat.request_keys import RequestKey, RequestKeys
from xenroll_compat.request_parts import object_id

_BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_BASE64_HEADER = EncodingType.XCN_CRYPT_STRING_BASE64REQUESTHEADER
_BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
_ANY = EncodingType.XCN_CRYPT_STRING_ANY
_PKCS10 = CERT_CREATE_REQUEST_FLAGS.XECR_PKCS10_V2_0

# Names beyond PrintableString: UTF8String (RFC 5280 section 4.1.2.4), or TeletexString where EnableT61DNEncoding asks.
_PRINTABLE = X500NameFlags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG
_NAME = _PRINTABLE | X500NameFlags.XCN_CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG
_T61_NAME = _PRINTABLE | X500NameFlags.XCN_CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG


@dataclass(frozen=True)
class _Asked:
    """What a script asks for in one call: the format, the subject, the usages, and the form of the text."""

    kind: CERT_CREATE_REQUEST_FLAGS
    subject: str
    usage: str
    encoding: EncodingType

    @property
    def newer(self) -> bool:
        """Whether createRequest asks, and not createPKCS10."""
        return self.encoding is _BASE64_HEADER


class ControlRequests(RequestKeys):
    """The methods that create a request."""

    def createPKCS10(self, DNName: str, Usage: str) -> str:
        """A new PKCS #10 as bare base64 in lines that end in CRLF; its key is made, and it waits in the request store.

        Args:
            DNName: the subject ("CN=User, O=Example"); object ids may stand for keys; "" for none.
            Usage: object ids of enhanced key usages, with commas between them; "" for none.

        Raises:
            ComError: CRYPT_E_INVALID_X500_STRING, CRYPT_E_OID_FORMAT, NTE_EXISTS where the container is there and
                UseExistingKeySet is not set, NTE_BAD_KEYSET where it is set and the container is not there,
                NTE_BAD_ALGID where the provider makes no such key, NTE_BAD_LEN, and the key store's codes; where PVKFileName
                is set, WIN32_FILE_EXISTS for a file that is there, NTE_BAD_KEY_STATE for a key that may not leave its
                store. Neither key nor request is left behind.
        """
        return self._created(_Asked(_PKCS10, DNName, Usage, _BASE64))

    def createFilePKCS10(self, DNName: str, Usage: str, wszPKCS10FileName: str) -> None:
        """As createPKCS10, into a file, which is written whole or not at all.

        Raises:
            ComError: as createPKCS10; WIN32_FILE_NOT_FOUND or E_ACCESSDENIED where the file cannot be written, before
                any key is made.
        """
        self._create_file(wszPKCS10FileName, _Asked(_PKCS10, DNName, Usage, _BASE64))

    def createRequest(self, Flags: CERT_CREATE_REQUEST_FLAGS, strDNName: str, Usage: str) -> str:
        """A new request with a header and a footer around its base64.

        Args:
            Flags: XECR_PKCS10_V2_0, XECR_PKCS10_V1_5, XECR_PKCS7 (signed with SignerCertificate or RenewalCertificate) or
                XECR_CMC.
            strDNName: the subject; "" or nothing for none.
            Usage: object ids of enhanced key usages, with commas between them.

        Raises:
            ComError: as createPKCS10; E_INVALIDARG for a kind that is none; CERTSRV_E_PROPERTY_EMPTY for a PKCS #7 that
                nobody signs, NTE_NOT_SUPPORTED for one with PrivateKeyArchiveCertificate; CRYPT_E_NOT_FOUND where a
                signer's certificate is not in MY, CRYPT_E_UNEXPECTED_MSG_TYPE where its key is not here; NTE_BAD_KEY_STATE
                where a key to be archived may not leave its store.
        """
        return self._created(_Asked(Flags, strDNName, Usage, _BASE64_HEADER))

    def createFileRequest(
        self, Flags: CERT_CREATE_REQUEST_FLAGS, strDNName: str, strUsage: str, strRequestFileName: str
    ) -> None:
        """As createRequest, into a file, which is written whole or not at all. Raises as createFilePKCS10."""
        self._create_file(strRequestFileName, _Asked(Flags, strDNName, strUsage, _BASE64_HEADER))

    def freeRequestInfo(self, PKCS7OrPKCS10: str | bytes) -> None:
        """Releases the session of a request. A request holds none here: its state is in the profile."""

    def CreatePKCS7RequestFromRequest(self, pRequest: bytes, pSigningCertContext: bytes) -> bytes:
        """A PKCS #7 request around one that is there: signed with a certificate's key, to renew it or for somebody else.

        The signature covers what AddAuthenticatedAttributesToPKCS7Request and addNameValuePairToSignature added. Nothing is
        noted: the request inside stays outstanding as it is.

        Args:
            pRequest: a PKCS #10, DER or its text.
            pSigningCertContext: the signer's certificate in DER, which is in MY with its key.

        Raises:
            ComError: CRYPT_E_ASN1_* for what is no PKCS #10 or no certificate, CRYPT_E_NOT_FOUND where the certificate is
                in no store, CRYPT_E_UNEXPECTED_MSG_TYPE where its key is not here.
        """
        certificate = facade.checked_certificate(pSigningCertContext)
        inner = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
        if self.enrollment_context() != 1:
            inner.InitializeDecode(self.enrollment_context().name, _BINARY)
        inner.InitializeDecode(decode_text(pRequest, _ANY), _BINARY)
        made = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs7")
        made.InitializeFromInnerRequest(inner)
        wishes = self._wishes()
        if wishes.hash is not None:
            made.HashAlgorithm = wishes.hash
        signed_by(made, certificate, wishes)
        made.Encode()
        return bytes(made.RawData(_BINARY))

    def _create_file(self, name: str, asked: _Asked) -> None:
        with replaced_file(name) as write:
            self._created(asked, lambda text: write(text.encode("ascii")))

    def _created(self, asked: _Asked, deliver: Callable[[str], None] | None = None) -> str:
        """Makes the request, its key and the key's file, and hands the text over; all of it or nothing."""
        with self.key_file() as save_key:
            text, enrollment, found = self._enrolled(asked)
            self._remember(enrollment)
            try:
                self.copy_request(self.__dict__["_made_thumbprint"], self.enrollment_context())
                if save_key(found) and not self.UseExistingKeySet:
                    facade.leave_key_in_file(enrollment, str(named_file(self.PVKFileName).absolute()))
                if deliver is not None:
                    deliver(text)
            except BaseException:
                facade.remove_pending(self.__dict__["_made_thumbprint"], self.enrollment_context())
                raise
        return text

    def _enrolled(self, asked: _Asked) -> tuple[str, Any, RequestKey]:
        """The request's text, its IX509Enrollment and its key. A device that is full is asked for a key that it has."""
        archived = asked.kind == CERT_CREATE_REQUEST_FLAGS.XECR_CMC and bool(self.archive_certificate())
        found = self.request_key(archived=archived)
        try:
            return *self._with_key(asked, found), found
        except ComError as error:
            if found.imported:
                found.key.Delete()
            existing = self.reusable_key(error)
            if existing is None:
                raise
        return *self._with_key(asked, existing), existing

    def _with_key(self, asked: _Asked, found: RequestKey) -> tuple[str, Any]:
        name = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
        name.Encode(asked.subject, _T61_NAME if self.EnableT61DNEncoding else _NAME)
        request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
        request.InitializeFromPrivateKey(self.enrollment_context(), found.key, "")
        request.Subject = name
        self._describe(request, asked)
        enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.InitializeFromRequest(formed(asked.kind, request, self._wishes()))
        self.place_request(enrollment)
        self.add_blobs(enrollment)
        return str(enrollment.CreateRequest(asked.encoding)), enrollment

    def _describe(self, request: Any, asked: _Asked) -> None:
        """Gives a PKCS #10 its extensions and its attributes."""
        if self.EnableSMIMECapabilities:
            request.SmimeCapabilities = True
        self.add_parts(request, newer=asked.newer)
        present = self.added_extensions(newer=asked.newer)
        if defaults.KEY_USAGE not in present:
            request.X509Extensions.Add(_key_usage(self._usage_bits()))
        oids = [part.strip() for part in asked.usage.split(",") if part.strip()]
        if oids and defaults.EXTENDED_KEY_USAGE not in present:
            request.X509Extensions.Add(_enhanced_key_usage(oids))
        if not self.IncludeSubjectKeyID:
            request.SuppressOids.Add(object_id(defaults.SUBJECT_KEY_IDENTIFIER))

    def _wishes(self) -> Wishes:
        wanted = self.signature_hash()
        return Wishes(
            machine=self.enrollment_context() != 1,
            hash=object_id_of(wanted if is_known_hash(wanted) else "SHA1") if wanted else None,
            client_id=self.ClientId,
            signer=self.signer_certificate(),
            renewed=self.renewal_certificate(),
            archive=self.archive_certificate(),
            request_pairs=self.request_pairs(),
            signature_pairs=self.signature_pairs(),
            signed_attributes=self.signed_attributes(),
            has_pair_attribute=defaults.NAME_VALUE_PAIR in self.added_attributes(),
        )

    def _usage_bits(self) -> int:
        if self.KeySpec == defaults.AT_SIGNATURE:
            return defaults.SIGNATURE_USAGE
        return defaults.ENCIPHERMENT_USAGE if self.LimitExchangeKeyToEncipherment else defaults.EXCHANGE_USAGE

    def _remember(self, enrollment: Any) -> None:
        key = facade.key_of_request(enrollment)
        self.__dict__["_made_container"] = key.container if key is not None else ""
        self.__dict__["_made_thumbprint"] = facade.request_thumbprint(enrollment)


def _key_usage(bits: int) -> Any:
    extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionKeyUsage")
    extension.InitializeEncode(bits)
    return extension


def _enhanced_key_usage(oids: list[str]) -> Any:
    collection = certenroll.Dispatch("X509Enrollment.CObjectIds")
    for oid in oids:
        collection.Add(object_id(oid))
    extension = certenroll.Dispatch("X509Enrollment.CX509ExtensionEnhancedKeyUsage")
    extension.InitializeEncode(collection)
    return extension
