"""A request around another one: what PKCS#7 and CMC requests share with, and hand to, the request inside.

Knows no message formats and no signatures; ``pkcs7_requests`` derives from it. Source: the pages of get_HashAlgorithm and
get_AlternateSignatureAlgorithm of IX509CertificateRequest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectId
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import IX509CertificateRequest
from certenroll.signer_certificates import ISignerCertificate

if TYPE_CHECKING:
    from certenroll.private_keys import IX509PrivateKey


class WrappingRequest(IX509CertificateRequest):
    """The part of a PKCS#7 or CMC request that concerns the request inside."""

    def __init__(self) -> None:
        super().__init__()
        self._inner: IX509CertificateRequestPkcs10 | WrappingRequest | None = None
        self._signer: ISignerCertificate | None = None

    @property
    def HashAlgorithm(self) -> IObjectId:
        """The hash of the signatures, as it was set; SHA-256 where it was not. Raises OLE_E_BLANK.

        Setting it sets that of all requests inside too; one that is encoded stays as it is.
        """
        self._context.get()
        return self._signature.HashAlgorithm

    @HashAlgorithm.setter
    def HashAlgorithm(self, pValue: IObjectId) -> None:
        self._context.get()
        self.check_unsealed()
        self._signature.HashAlgorithm = pValue
        inner = self.inner_request()
        if not inner.is_encoded:
            inner.HashAlgorithm = pValue

    @property
    def AlternateSignatureAlgorithm(self) -> bool:
        """Whether the signature of the PKCS#10 at the core takes the discrete form: RSASSA-PSS, or ECDSA with its hash.

        Setting it sets that of this message, of all requests inside that are not encoded, and of the signer certificates
        that are there.
        """
        return self.innermost_request().AlternateSignatureAlgorithm

    @AlternateSignatureAlgorithm.setter
    def AlternateSignatureAlgorithm(self, Value: bool) -> None:
        self._context.get()
        self.check_unsealed()
        self._signature.AlternateSignatureAlgorithm = Value
        for signer in self.signers_given():
            signer.SignatureInformation.AlternateSignatureAlgorithm = Value
        inner = self.inner_request()
        if not inner.is_encoded:
            inner.AlternateSignatureAlgorithm = Value

    def signers_given(self) -> Sequence[ISignerCertificate]:
        """The signer certificates that were set."""
        return () if self._signer is None else (self._signer,)

    def wrap_request(self, inner: IX509CertificateRequestPkcs10 | WrappingRequest) -> None:
        """Takes the context and the request inside, once."""
        self.begin_context(inner.EnrollmentContext)
        self._inner = inner

    def inner_request(self) -> IX509CertificateRequestPkcs10 | WrappingRequest:
        """The request inside. Raises OLE_E_BLANK."""
        self._context.get()
        if self._inner is None:
            raise ComError(HRESULT.OLE_E_BLANK, "the request was not initialized")
        return self._inner

    def innermost_request(self) -> IX509CertificateRequestPkcs10:
        """The PKCS#10 request at the core. Raises OLE_E_BLANK."""
        inner = self.inner_request()
        return inner.innermost_request() if isinstance(inner, WrappingRequest) else inner

    @property
    def key_object(self) -> IX509PrivateKey | None:
        """The private key of the innermost request, or None."""
        return self.innermost_request().key_object

    @property
    def format_name(self) -> str:
        """The name of the format, for the record."""
        return self.request_type.name

    @property
    def template_name(self) -> str:
        """The template's name or object id, "" where none is named."""
        return self.innermost_request().template_name

    @property
    def reuses_key(self) -> bool:
        """Whether the key was there before the request."""
        return self.innermost_request().reuses_key

    def subject_der(self) -> bytes:
        """The subject's name as DER."""
        return self.innermost_request().subject_der()

    def spki_bytes(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo."""
        return self.innermost_request().spki_bytes()
