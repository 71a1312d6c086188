"""Creating requests: from the control's properties to IX509PrivateKey, IX509CertificateRequestPkcs10, IX509Enrollment.

Sets up certenroll's objects and calls CreateRequest; all that is made, certenroll makes. Source: ICEnroll::createPKCS10
and createFilePKCS10, ICEnroll4::createRequest and createFileRequest.
"""

from __future__ import annotations

from typing import Any

import certenroll
from certenroll import facade
from certenroll.encodings import encode_text
from certenroll.enums import CERT_CREATE_REQUEST_FLAGS, EncodingType, X500NameFlags
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.files import replaced_file
from xenroll_compat.hash_names import is_known_hash, object_id_of
from xenroll_compat.providers import ControlProviders
from xenroll_compat.request_parts import object_id

_BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_BASE64_HEADER = EncodingType.XCN_CRYPT_STRING_BASE64HEADER
_BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
_PKCS10 = (CERT_CREATE_REQUEST_FLAGS.XECR_PKCS10_V2_0, CERT_CREATE_REQUEST_FLAGS.XECR_PKCS10_V1_5)

# Names beyond PrintableString: UTF8String (RFC 5280 section 4.1.2.4), or TeletexString where EnableT61DNEncoding asks.
_PRINTABLE = X500NameFlags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG
_NAME = _PRINTABLE | X500NameFlags.XCN_CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG
_T61_NAME = _PRINTABLE | X500NameFlags.XCN_CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG


class ControlRequests(ControlProviders):
    """The methods that create a request."""

    def createPKCS10(self, DNName: str, Usage: str) -> str:
        """A new PKCS #10 as bare base64 in lines that end in CRLF; its key is made, and it waits in the request store.

        Args:
            DNName: the subject ("CN=User, O=Example"); object ids may stand for keys; "" for none.
            Usage: object ids of enhanced key usages, with commas between them; "" for none.

        Raises:
            ComError: CRYPT_E_INVALID_X500_STRING, CRYPT_E_OID_FORMAT, NTE_EXISTS where the container is there and
                UseExistingKeySet is not set, NTE_BAD_KEYSET where it is set and the container is not there,
                NTE_BAD_ALGID where the provider makes no such key, NTE_BAD_LEN, NTE_NOT_SUPPORTED where PVKFileName is
                set, and the key store's codes. Neither key nor request is left behind.
        """
        return str(encode_text(self._created(DNName, Usage), _BASE64))

    def createFilePKCS10(self, DNName: str, Usage: str, wszPKCS10FileName: str) -> None:
        """As createPKCS10, into a file, which is written whole or not at all.

        Raises:
            ComError: as createPKCS10; WIN32_FILE_NOT_FOUND or E_ACCESSDENIED where the file cannot be written, before
                any key is made.
        """
        self._create_file(wszPKCS10FileName, DNName, Usage, _BASE64)

    def createRequest(self, Flags: CERT_CREATE_REQUEST_FLAGS, strDNName: str, Usage: str) -> str:
        """A new request with a header and a footer around its base64.

        Args:
            Flags: XECR_PKCS10_V2_0 or XECR_PKCS10_V1_5.
            strDNName: the subject; "" or nothing for none.
            Usage: object ids of enhanced key usages, with commas between them.

        Raises:
            ComError: as createPKCS10; NTE_NOT_SUPPORTED for XECR_PKCS7 and XECR_CMC, E_INVALIDARG for any other kind.
        """
        _check_kind(Flags)
        return str(encode_text(self._created(strDNName, Usage), _BASE64_HEADER, kind="request"))

    def createFileRequest(
        self, Flags: CERT_CREATE_REQUEST_FLAGS, strDNName: str, strUsage: str, strRequestFileName: str
    ) -> None:
        """As createRequest, into a file, which is written whole or not at all. Raises as createFilePKCS10."""
        _check_kind(Flags)
        self._create_file(strRequestFileName, strDNName, strUsage, _BASE64_HEADER)

    def freeRequestInfo(self, PKCS7OrPKCS10: str | bytes) -> None:
        """Releases the session of a request. A request holds none here: its state is in the profile."""

    def _create_file(self, name: str, subject: str, usage: str, encoding: EncodingType) -> None:
        with replaced_file(name) as write:
            request = self._created(subject, usage)
            try:
                write(str(encode_text(request, encoding, kind="request")).encode("ascii"))
            except OSError:
                facade.remove_pending(self.__dict__["_made_thumbprint"], self.enrollment_context())
                raise

    def _created(self, subject: str, usage: str) -> bytes:
        """Makes the request and gives its DER."""
        if self.PVKFileName:
            raise ComError(HRESULT.NTE_NOT_SUPPORTED, "no .pvk file is written; clear PVKFileName and export a PFX instead")
        name = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
        name.Encode(subject, _T61_NAME if self.EnableT61DNEncoding else _NAME)
        request = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
        request.InitializeFromPrivateKey(self.enrollment_context(), self._key(), "")
        request.Subject = name
        self._describe(request, usage)
        enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.InitializeFromRequest(request)
        facade.configure(enrollment, request_store=self.RequestStoreName)
        made: bytes = enrollment.CreateRequest(_BINARY)
        self._remember(enrollment)
        return made

    def _key(self) -> Any:
        """The private key that the properties describe, not made yet."""
        provider = self.provider_for_key()
        flags = self.GenKeyFlags
        key = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
        key.ProviderName = self.ProviderName
        key.ProviderType = provider.Type
        key.LegacyCsp = provider.LegacyCsp
        key.KeySpec = self.KeySpec
        key.Length = flags >> 16 & 0xFFFF
        key.ExportPolicy = sum(policy for flag, policy in defaults.EXPORT_POLICY.items() if flags & flag)
        key.KeyProtection = sum(bits for flag, bits in defaults.KEY_PROTECTION.items() if flags & flag)
        key.MachineContext = self.enrollment_context() != 1
        key.KeyLocation = self.KeyLocation
        key.Existing = self.UseExistingKeySet
        key.ContainerName = str(self.__dict__.get("_container", ""))
        key.ContainerNamePrefix = ""  # a generated name is a GUID and nothing else
        return key

    def _describe(self, request: Any, usage: str) -> None:
        """Gives the request its hash, its extensions and its attributes."""
        wanted = self.signature_hash()
        if wanted:
            request.HashAlgorithm = object_id_of(wanted if is_known_hash(wanted) else "SHA1")
        request.SmimeCapabilities = self.EnableSMIMECapabilities
        self.add_parts(request)
        present = self.added_extensions()
        if defaults.KEY_USAGE not in present:
            request.X509Extensions.Add(_key_usage(self._usage_bits()))
        oids = [part.strip() for part in usage.split(",") if part.strip()]
        if oids and defaults.EXTENDED_KEY_USAGE not in present:
            request.X509Extensions.Add(_enhanced_key_usage(oids))
        if not self.IncludeSubjectKeyID:
            request.SuppressOids.Add(object_id(defaults.SUBJECT_KEY_IDENTIFIER))
        if self.ClientId:
            request.ClientId = self.ClientId
        else:
            request.SuppressOids.Add(object_id(defaults.CLIENT_INFO))

    def _usage_bits(self) -> int:
        if self.KeySpec == defaults.AT_SIGNATURE:
            return defaults.SIGNATURE_USAGE
        return defaults.ENCIPHERMENT_USAGE if self.LimitExchangeKeyToEncipherment else defaults.EXCHANGE_USAGE

    def _remember(self, enrollment: Any) -> None:
        key = facade.key_of_request(enrollment)
        self.__dict__["_made_container"] = key.container if key is not None else ""
        self.__dict__["_made_thumbprint"] = facade.request_thumbprint(enrollment)


def _check_kind(kind: CERT_CREATE_REQUEST_FLAGS) -> None:
    if kind not in _PKCS10:
        raise ComError(HRESULT.NTE_NOT_SUPPORTED, f"{kind.name} is not made; XECR_PKCS10_V2_0 and _V1_5 are", argerror=0)


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
