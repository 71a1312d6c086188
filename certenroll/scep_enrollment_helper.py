"""IX509SCEPEnrollmentHelper: a whole SCEP enrollment in one call, HTTP and all.

The messages are those of the IX509SCEPEnrollment inside; ``ca/scep/transport`` carries them. Microsoft documents no more of
this interface than its members; how scripts use it, and what was chosen, docs/analysis/scep-enrollment.md says.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from certenroll.ca.base import CAError
from certenroll.com import ComObject, Slot
from certenroll.encodings import BadText, decode_text
from certenroll.engine.opening import open_workspace
from certenroll.enums import (
    EncodingType,
    X509CertificateEnrollmentContext,
    X509SCEPDisposition,
    X509SCEPProcessMessageFlags,
)
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.scep_enrollments import IX509SCEPEnrollment
from certenroll.stores.certificates import ROOT

if TYPE_CHECKING:
    from certenroll.ca.scep.capabilities import Capabilities
    from certenroll.ca.scep.transport import ScepServer

BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_MOST_TEXT: Final = 4096  # characters of an error page that are kept
_LONGEST_HEADERS: Final = 64_000  # characters


class IX509SCEPEnrollmentHelper(ComObject):
    """An enrollment with a SCEP server, from its URL to the installed certificate."""

    def __init__(self) -> None:
        self._server: Slot[ScepServer] = Slot("IX509SCEPEnrollmentHelper")
        self._enrollment = IX509SCEPEnrollment()
        self._request: IX509CertificateRequestPkcs10 | None = None
        self._thumbprint = b""
        self._capabilities: Capabilities | None = None

    def Initialize(
        self,
        strServerUrl: str,
        strRequestHeaders: str,
        pRequest: IX509CertificateRequestPkcs10,
        strCACertificateThumbprint: str,
    ) -> None:
        """Takes what an enrollment needs; the server is not asked yet.

        Args:
            strServerUrl: its URL, as http://server/certsrv/mscep/mscep.dll/pkiclient.exe.
            strRequestHeaders: HTTP headers to be sent along, a line each ("Name: value"); or nothing.
            pRequest: the PKCS#10, initialized; it brings the challenge password along.
            strCACertificateThumbprint: MD5, SHA-1 or SHA-256 of the certificate of the CA or of the root above it, in
                hexadecimal digits. With none whoever answers is believed, and its root gets no trust.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, OLE_E_BLANK where the request is not initialized,
                E_INVALIDARG for a URL, headers or a thumbprint that are none.
        """
        pRequest.EnrollmentContext  # noqa: B018 - raises OLE_E_BLANK
        thumbprint = _thumbprint(strCACertificateThumbprint)
        self._take_server(strServerUrl, strRequestHeaders)
        self._request, self._thumbprint = pRequest, thumbprint

    def InitializeForPending(
        self,
        strServerUrl: str,
        strRequestHeaders: str,
        Context: X509CertificateEnrollmentContext,
        strTransactionId: str,
    ) -> None:
        """Takes up an enrollment whose request was made before, by this process or another.

        Args:
            strServerUrl, strRequestHeaders: as for Initialize.
            Context: for whom the request was made.
            strTransactionId: IX509SCEPEnrollment.TransactionId, as it is or in base64; nothing where one request waits.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for a URL, headers or an id that are none,
                and for ContextNone.
        """
        inner = IX509SCEPEnrollment()
        inner.InitializeForPending(Context)
        if strTransactionId:
            inner.name_transaction(strTransactionId, _from_base64(strTransactionId))
        self._take_server(strServerUrl, strRequestHeaders)
        inner.server_url = strServerUrl
        self._enrollment = inner

    def Enroll(self, ProcessFlags: X509SCEPProcessMessageFlags) -> X509SCEPDisposition:
        """Asks the server for its certificates, then for ours, and installs it where it comes at once.

        Args:
            ProcessFlags: SCEPProcessSkipCertInstall leaves the certificate to be read and not installed.

        Raises:
            ComError: OLE_E_BLANK before Initialize; WIN32_TIMEOUT, WIN32_CONNECTION_REFUSED, RPC_SERVER_UNAVAILABLE and
                0x8019xxxx (an HTTP status) where the server does not answer as it should; and what Initialize,
                CreateRequestMessage and ProcessResponseMessage of IX509SCEPEnrollment raise. Where the request was noted
                by then it waits on: FetchPending asks after it.
        """
        server, inner = self._reachable(), self._enrollment
        if self._request is None:
            raise ComError(HRESULT.OLE_E_BLANK, "the helper was initialized for a request that waits: call FetchPending")
        if inner.request_record is None:
            self._read_capabilities(server)
        if not inner.is_initialized:
            inner.begin_with(self._request, self._thumbprint, server.ca_certificates())
        return self._exchange(server, inner.CreateRequestMessage(BINARY), ProcessFlags)

    def FetchPending(self, ProcessFlags: X509SCEPProcessMessageFlags) -> X509SCEPDisposition:
        """Asks what became of a request, and installs the certificate where it was issued.

        A request that a process had noted and could not send any more is sent, once the server says that it has none or
        does not know the question.

        Args:
            ProcessFlags: as for Enroll.

        Raises:
            ComError: as Enroll; CRYPT_E_NOT_FOUND where no request waits, CERTSRV_E_PROPERTY_EMPTY where several do and
                the transaction's id was not given.
        """
        server, inner = self._reachable(), self._enrollment
        if not inner.is_initialized:
            raise ComError(HRESULT.OLE_E_BLANK, "no request was made yet: call Enroll")
        taken = inner.take_up()
        if taken is not None:
            return taken
        if self._capabilities is None:
            self._read_capabilities(server)
        disposition = self._ask_after(server, ProcessFlags)
        if disposition is None or (disposition is X509SCEPDisposition.SCEPDispositionFailure and inner.was_never_taken()):
            return self._exchange(server, inner.CreateRequestMessage(BINARY), ProcessFlags)
        return disposition

    @property
    def X509SCEPEnrollment(self) -> IX509SCEPEnrollment:
        """The enrollment inside. Raises OLE_E_BLANK before an Initialize method."""
        self._server.get()
        return self._enrollment

    @property
    def ResultMessageText(self) -> str:
        """What the server said of the last message in words, or the page that it answered with; else empty."""
        self._server.get()
        return self._enrollment.ResultMessageText

    def _take_server(self, url: str, headers: str) -> None:
        from certenroll.ca.scep.transport import ScepServer

        if self._server.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the helper is initialized already")
        self._server.set(ScepServer(url.strip(), headers=_headers(headers)))
        self._enrollment.server_url = url.strip()

    def _reachable(self) -> ScepServer:
        """The server, with the roots by which its TLS certificate is trusted: the profile's beside the machine's."""
        server, inner = self._server.get(), self._enrollment
        if not server.url.lower().startswith("https:"):
            return server
        context = self._request.EnrollmentContext if self._request is not None else inner.enrollment_context
        roots = open_workspace(context).certificates.list(ROOT)
        return replace(server, roots=tuple(one.der for one in roots))

    def _ask_after(self, server: ScepServer, flags: X509SCEPProcessMessageFlags) -> X509SCEPDisposition | None:
        """What became of the request; None where the server knows no such question and never said to have the request."""
        from certenroll.ca.scep.transport import HttpRefusal

        try:
            return self._exchange(server, self._enrollment.CreateRetrievePendingMessage(BINARY), flags)
        except HttpRefusal:
            if not self._enrollment.is_unanswered():
                raise
            return None

    def _read_capabilities(self, server: ScepServer) -> None:
        self._capabilities = server.capabilities()
        self._enrollment.take_capabilities(self._capabilities)

    def _exchange(
        self, server: ScepServer, message: str | bytes, flags: X509SCEPProcessMessageFlags
    ) -> X509SCEPDisposition:
        from certenroll.ca.scep.transport import HttpRefusal

        try:
            answer = server.operation(decode_text(message, BINARY), self._capabilities)
        except HttpRefusal as error:
            self._enrollment.note_words(error.body.decode("utf-8", "replace")[:_MOST_TEXT])
            raise
        except CAError as error:
            self._enrollment.note_words(str(error))
            raise
        return self._enrollment.ProcessResponseMessage2(flags, answer, BINARY)


def _thumbprint(text: str) -> bytes:
    try:
        return decode_text(text, EncodingType.XCN_CRYPT_STRING_HEXRAW) if text.strip() else b""
    except BadText:
        raise BadArgument(HRESULT.E_INVALIDARG, "a thumbprint is written in hexadecimal digits", argerror=3) from None


def _headers(text: str) -> dict[str, str]:
    """"Name: value" in lines. What is no header of HTTP the transport refuses."""
    found: dict[str, str] = {}
    for line in text[:_LONGEST_HEADERS].splitlines():
        name, colon, value = line.partition(":")
        if line.strip() and not (colon and name.strip()):
            raise BadArgument(HRESULT.E_INVALIDARG, "a request header has the form 'Name: value'", argerror=1)
        if line.strip():
            found[name.strip()] = value.strip()
    return found


def _from_base64(text: str) -> str:
    """The text that stands in base64, or nothing where none does."""
    try:
        return b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""
