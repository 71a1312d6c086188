"""The certificates that a request needs: the one that it renews, the one that signs it, the CA's that a key is archived for.

Keeps them as DER; what each does in which format, ``request_formats`` knows. A CERT_CONTEXT of C++ is the DER of the
certificate, and no bytes stand for a null pointer. Source: IEnroll::RenewalCertificate, IEnroll4::SetSignerCertificate and
Set-/GetPrivateKeyArchiveCertificate, ICEnroll4::SignerCertificate and PrivateKeyArchiveCertificate.
"""

from __future__ import annotations

from certenroll import facade
from certenroll.encodings import decode_text, encode_text
from certenroll.enums import EncodingType
from xenroll_compat.request_parts import RequestParts

_ANY = EncodingType.XCN_CRYPT_STRING_ANY
_BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64


class RequestCertificates(RequestParts):
    """The properties and methods that hold a certificate."""

    @property
    def PrivateKeyArchiveCertificate(self) -> str:
        """The CA's exchange certificate, as base64 in lines; "" where no key is archived.

        A CMC request then brings its private key, encrypted for that certificate, and the key is made archivable. A PKCS #10
        has no place for it; a PKCS #7 with it is refused when it is created. Raises ComError CRYPT_E_ASN1_* on setting
        what is no certificate, in base64 with or without a header, or in binary.
        """
        found = self.archive_certificate()
        return str(encode_text(found, _BASE64)) if found else ""

    @PrivateKeyArchiveCertificate.setter
    def PrivateKeyArchiveCertificate(self, bstrCert: str | bytes) -> None:
        self._keep("_archive_certificate", bstrCert)

    def SetPrivateKeyArchiveCertificate(self, pPrivateKeyArchiveCert: bytes | None) -> None:
        """PrivateKeyArchiveCertificate for C++: takes the DER; nothing takes it away. Raises as setting it does."""
        self._keep("_archive_certificate", pPrivateKeyArchiveCert)

    def GetPrivateKeyArchiveCertificate(self) -> bytes:
        """PrivateKeyArchiveCertificate for C++: gives the DER, or no bytes where none was set."""
        return self.archive_certificate()

    def _put_signer_text(self, bstrCert: str | bytes) -> None:
        self._keep("_signer_certificate", bstrCert)

    SignerCertificate = property(
        None,
        _put_signer_text,
        doc="The certificate of MY whose key signs a PKCS #7 or CMC request; can only be written. Base64 or binary.",
    )

    def SetSignerCertificate(self, pSignerCert: bytes | None) -> None:
        """Sets the certificate of MY whose key signs a PKCS #7 or CMC request.

        Args:
            pSignerCert: its DER; nothing takes it away.

        Raises:
            ComError: CRYPT_E_ASN1_* for what is no certificate. Whether it is in MY, and its key with it, is seen when a
                request is created.
        """
        self._keep("_signer_certificate", pSignerCert)

    @property
    def RenewalCertificate(self) -> bytes:
        """The certificate that a request renews, as DER; no bytes where there is none.

        A request of any format names it in an attribute; its key signs a PKCS #7 or CMC request, which is what makes that a
        renewal. Raises ComError CRYPT_E_ASN1_* on setting what is no certificate.
        """
        return self.renewal_certificate()

    @RenewalCertificate.setter
    def RenewalCertificate(self, pCertContext: bytes | None) -> None:
        self._keep("_renewal_certificate", pCertContext)

    def archive_certificate(self) -> bytes:
        """The DER of the certificate that a key is archived for, or no bytes."""
        return bytes(self.__dict__.get("_archive_certificate", b""))

    def signer_certificate(self) -> bytes:
        """The DER of the signer's certificate, or no bytes."""
        return bytes(self.__dict__.get("_signer_certificate", b""))

    def renewal_certificate(self) -> bytes:
        """The DER of the certificate that is renewed, or no bytes."""
        return bytes(self.__dict__.get("_renewal_certificate", b""))

    def _keep(self, attribute: str, value: str | bytes | None) -> None:
        self.__dict__[attribute] = facade.checked_certificate(decode_text(value, _ANY)) if value else b""
