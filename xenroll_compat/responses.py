"""Accepting answers: PKCS #7, CMC full responses and bare certificates, from text, bytes or a file.

Reads the text, chooses what IX509Enrollment.InstallResponse may allow, and leaves the rest to it. No user is asked: a
root of the answer is installed as if its user had agreed, which is what Xenroll does on agreement; docs/analysis/xenroll.md
tells why. Source: ICEnroll::acceptPKCS7, acceptFilePKCS7 and getCertFromPKCS7, ICEnroll3::InstallPKCS7,
ICEnroll4::acceptResponse, acceptFileResponse, getCertFromResponse, getCertFromFileResponse, InstallPKCS7Ex, createPFX.
"""

from __future__ import annotations

import contextlib
from typing import Any

import certenroll
from certenroll import facade
from certenroll.encodings import BadText, decode_text, encode_text
from certenroll.enums import EncodingType, InstallResponseRestrictionFlags, PFXExportOptions
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.files import named_file, new_file, replaced_file
from xenroll_compat.requests import ControlRequests

_ANY = EncodingType.XCN_CRYPT_STRING_ANY
_BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64
_BASE64_ANY = EncodingType.XCN_CRYPT_STRING_BASE64_ANY
_BINARY = EncodingType.XCN_CRYPT_STRING_BINARY

# An outstanding request is needed; a root that nobody trusts yet is installed and trusted.
RESTRICTIONS = InstallResponseRestrictionFlags.AllowUntrustedRoot


class ControlResponses(ControlRequests):
    """The methods that accept an answer, or look into one."""

    def acceptPKCS7(self, PKCS7: str | bytes) -> None:
        """Installs the answer to a request: the certificate with its key, its chain, its root.

        The certificate that has the key of an outstanding request goes to MyStoreName, a root to RootStoreName, the rest
        to CAStoreName. The request leaves RequestStoreName where DeleteRequestCert is True; where it is not, the same
        answer may be accepted again. SPCFileName, where set, is written as binary PKCS #7. A file store is written last,
        before the profile: where a crash falls between the two, the same answer can be accepted again.

        Args:
            PKCS7: a PKCS #7 or a bare certificate: base64 with or without its header, or bytes.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where no outstanding request has the key (or not that of ThumbPrint),
                CRYPT_E_ASN1_* for what is no answer, TRUST_E_CERT_SIGNATURE for a wrong signature, WIN32_FILE_EXISTS where
                SPCFileName is there already, a card's code where it does not take the certificate, for a store what
                ``facade.open_store`` raises. But for a card, no store is changed.
        """
        self._accept(PKCS7, single=False)

    def acceptFilePKCS7(self, wszPKCS7FileName: str) -> None:
        """As acceptPKCS7, from a file. Raises as it does, and WIN32_FILE_NOT_FOUND."""
        self._accept(_content(wszPKCS7FileName), single=False)

    def acceptResponse(self, strResponse: str | bytes) -> None:
        """Installs the answer to a request: a PKCS #7 or a CMC full response with one end-entity certificate.

        Raises:
            ComError: as acceptPKCS7; CRYPT_E_INVALID_MSG_TYPE where the answer holds another end-entity certificate.
        """
        self._accept(strResponse, single=True)

    def acceptFileResponse(self, strResponseFileName: str) -> None:
        """As acceptResponse, from a file. Raises as it does, and WIN32_FILE_NOT_FOUND."""
        self._accept(_content(strResponseFileName), single=True)

    def getCertFromPKCS7(self, wszPKCS7: str | bytes) -> str:
        """The certificate that was asked for, as base64 in lines; its chain stays out. No store is changed.

        Raises:
            ComError: CRYPT_E_NOT_FOUND where the answer does not tell which it is, CRYPT_E_ASN1_* for what is no answer.
        """
        return str(encode_text(self._certificate(_read(wszPKCS7), single=False), _BASE64))

    def getCertFromResponse(self, strResponse: str | bytes) -> str:
        """The certificate of an answer with one end-entity certificate, as base64 in lines.

        Raises:
            ComError: as getCertFromPKCS7; CRYPT_E_INVALID_MSG_TYPE where there is another end-entity certificate.
        """
        return str(encode_text(self._certificate(_read(strResponse), single=True), _BASE64))

    def getCertFromFileResponse(self, strResponseFileName: str) -> str:
        """As getCertFromResponse, from a file. Raises as it does, and WIN32_FILE_NOT_FOUND."""
        return str(encode_text(self._certificate(_read(_content(strResponseFileName)), single=True), _BASE64))

    def InstallPKCS7(self, PKCS7: str | bytes) -> None:
        """Installs a certificate or a chain that answers no request; outstanding requests stay as they are.

        A self-signed CA certificate goes to RootStoreName, one whose key is here to MyStoreName, any other to CAStoreName.

        Raises:
            ComError: CRYPT_E_ASN1_* for what is neither, TRUST_E_CERT_SIGNATURE for a root that did not sign itself. No
                store is changed.
        """
        self._install(PKCS7)

    def InstallPKCS7Ex(self, PKCS7: str | bytes) -> int:
        """As InstallPKCS7. Gives how many certificates were new in a store."""
        return self._install(PKCS7)

    def createPFX(self, strPassword: str) -> str:
        """The certificate that this control accepted last, with its chain and its key, as base64 of a PFX.

        Args:
            strPassword: encrypts it; "" for none.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY before an answer was accepted, WIN32_FILE_NOT_FOUND where its chain is not
                here, NTE_BAD_KEY_STATE where the key may not be exported.
        """
        return str(self._accepted().CreatePFX(strPassword, PFXExportOptions.PFXExportChainWithRoot, _BASE64))

    def createFilePFX(self, strPassword: str, strPFXFileName: str) -> None:
        """As createPFX, its base64 into a file that only its owner reads. Raises as it does."""
        self._accepted()
        with replaced_file(strPFXFileName, private=True) as write:
            write(self.createPFX(strPassword).encode("ascii"))

    def _accepted(self) -> Any:
        found = self.__dict__.get("_accepted_enrollment")
        if found is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no answer was accepted yet")
        return found

    def _install(self, text: str | bytes) -> int:
        context = self.enrollment_context()
        return facade.install_certificates(text, **self.install_places(context), context=context)

    def _accept(self, text: str | bytes, *, single: bool) -> None:
        data, context = _read(text), self.enrollment_context()
        contents = facade.read_answer(data, self.request_store(), context)
        if single and contents.others:
            raise _not_single(contents.others)
        self._check_choice(contents.request)
        enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
        enrollment.Initialize(context)
        self.place_answer(enrollment, context, **self._switches())
        with new_file(self.SPCFileName, contents.pkcs7):
            enrollment.InstallResponse(RESTRICTIONS, *_as_given(text, data), "")
        self.__dict__["_accepted_enrollment"] = enrollment

    def _switches(self) -> dict[str, bool]:
        """What an install is to do otherwise than it does by itself."""
        kept = {} if self.DeleteRequestCert else {"keep_request": True}
        return kept if self.WriteCertToCSP else {**kept, "write_certificate": False}

    def _certificate(self, data: bytes, *, single: bool) -> bytes:
        contents = facade.read_answer(data, self.request_store(), self.enrollment_context())
        if single and contents.others:
            raise _not_single(contents.others)
        if contents.certificate is None:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "no request tells which certificate of the answer was asked for")
        return contents.certificate

    def _check_choice(self, request: str) -> None:
        chosen = str(self.__dict__.get("_thumbprint", ""))
        if chosen and request != chosen:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"the answer is not to the request {chosen} that ThumbPrint chooses")


def _not_single(others: int) -> ComError:
    text = f"the answer must hold one end-entity certificate; it holds {others} more (acceptPKCS7 takes such an answer)"
    return ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, text)


def _as_given(text: str | bytes, data: bytes) -> tuple[str | bytes, EncodingType]:
    """An answer as the script gave it, with the narrowest encoding that reads ``data`` from it."""
    if text == data:
        return data, _BINARY
    for encoding in (_BASE64_ANY, _ANY):
        with contextlib.suppress(BadText):
            if decode_text(text, encoding) == data:
                return text, encoding
    return data, _BINARY


def _read(text: str | bytes) -> bytes:
    return decode_text(text, _ANY)


def _content(name: str) -> str | bytes:
    """What stands in a file: its text where that is an answer's, else its bytes."""
    data = named_file(name).read_bytes()
    with contextlib.suppress(UnicodeDecodeError, BadText):
        text = data.decode("ascii")
        if decode_text(text, _BASE64_ANY) == _read(data):
            return text
    return data
