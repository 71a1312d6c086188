"""Messages to a SCEP server and back, over HTTP (RFC 8894 section 4).

Every answer is bounded in size and time, redirections are few and never lead from https to http, and no proxy is asked
that the caller did not name in the URL. Knows no content of a pkiMessage.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import ResponseKind, read_response
from certenroll.asn1.scep import read_next_certificates
from certenroll.ca.base import CAError
from certenroll.ca.scep.capabilities import Capabilities, read_capabilities
from certenroll.hresults import HRESULT

if TYPE_CHECKING:
    import ssl

LARGEST_ANSWER: Final = 1 << 20  # octets: an answer brings a certificate and its chain
MOST_REDIRECTIONS: Final = 3
_CHUNK: Final = 1 << 16
_HTTP_STATUS: Final = 0x80190000  # the codes in which Windows reports an HTTP status: FACILITY_HTTP
_KEEP_METHOD: Final = (307, 308)
_REDIRECTIONS: Final = (301, 302, 303, *_KEEP_METHOD)
_PKI_MESSAGE: Final = "application/x-pki-message"
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNREADABLE: Final = (DecodeError, BadSignature, UnsupportedAlgorithm, WrongPassword)


class HttpRefusal(CAError):
    """A server answered with an HTTP status other than 200.

    Attributes:
        status: the HTTP status.
        body: what it sent with it, cut off where it is long.
    """

    def __init__(self, status: int, url: str, body: bytes, *, uncertain: bool = False) -> None:
        self.status = status
        self.body = body
        super().__init__(_HTTP_STATUS | status, f"{url} answers with HTTP status {status}", uncertain=uncertain)


@dataclass(frozen=True)
class _Answer:
    status: int
    location: str
    body: bytes


@dataclass(frozen=True)
class ScepServer:
    """A SCEP server.

    Attributes:
        url: where it is: http or https, with the path that it wants (``/certsrv/mscep/mscep.dll/pkiclient.exe``).
        timeout_seconds: how long one exchange may take, from the connection to the last octet.
        tls: the context for https, or None for the machine's trusted roots and ``roots``.
        headers: HTTP headers sent along with everything, but to no other host.
        roots: certificates in DER that are trusted beside the machine's roots, where ``tls`` is None.
    """

    url: str
    timeout_seconds: float = 30.0
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold what proves who asks
    roots: tuple[bytes, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Raises CAError E_INVALIDARG for a URL that is none of http or https, or a header that HTTP does not have."""
        _split(self.url)
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name) or not (value.isascii() and (value.isprintable() or not value)):
                raise CAError(HRESULT.E_INVALIDARG, f"{name!r} is no HTTP header, or its value is none")

    def capabilities(self, identifier: str = "") -> Capabilities:
        """What it can do. A server that answers with an error promises nothing (RFC 8894 section 3.5.2).

        Args:
            identifier: which CA, where it serves several.

        Raises:
            CAError: it cannot be reached.
        """
        try:
            return read_capabilities(self._get("GetCACaps", identifier))
        except HttpRefusal:
            return Capabilities()

    def ca_certificates(self, identifier: str = "") -> tuple[bytes, ...]:
        """The certificates of the CA and of its registration authorities, in DER, in the server's order.

        Args:
            identifier: which CA, where it serves several.

        Raises:
            CAError: it cannot be reached, or what it sends is neither a certificate nor a PKCS#7 with certificates. Which
                of both it is, the octets say: servers are known to send either under the other's content type.
        """
        body = self._get("GetCACert", identifier)
        try:
            found = read_response(body)
        except _UNREADABLE as error:
            raise CAError(error.hresult, f"{self.url} sends no certificates: {error}") from error
        if found.kind not in (ResponseKind.CERTIFICATE, ResponseKind.CERTIFICATES):
            raise CAError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, f"{self.url} sends a {found.kind.value} and no certificates")
        return found.certificates

    def next_ca_certificates(self, current: Sequence[bytes], identifier: str = "") -> tuple[bytes, ...]:
        """The certificates of the CA that will follow (GetNextCACert, RFC 8894 section 4.7), in DER.

        Args:
            current: the certificate of the CA that is followed, in DER, which is believed already: its key signs the answer.
                Several where several may sign.
            identifier: which CA, where the server serves several.

        Raises:
            CAError: it cannot be reached; an HttpRefusal where it has no next CA or does not know the operation; what it
                sends is no such answer, or nobody of ``current`` signed it (NTE_BAD_SIGNATURE, CRYPT_E_SIGNER_NOT_FOUND).
        """
        body = self._get("GetNextCACert", identifier)
        try:
            return read_next_certificates(body, current)
        except _UNREADABLE as error:
            raise CAError(error.hresult, f"{self.url} sends no certificates of a next CA: {error}") from error

    def operation(self, message: bytes, capabilities: Capabilities | None = None) -> bytes:
        """Sends a pkiMessage and gives the answer's octets.

        Args:
            message: in DER.
            capabilities: what ``capabilities`` gave; the server is asked where it is None. Where it takes no POST, the
                message goes in the URL.

        Raises:
            CAError: it cannot be reached or answers with an error; ``uncertain`` where the message may have arrived.
        """
        if (capabilities or self.capabilities()).post:
            return self._exchange("POST", self._address("PKIOperation", ""), message)
        text = base64.b64encode(message).decode("ascii")
        return self._exchange("GET", self._address("PKIOperation", text), None, sends=True)

    def _get(self, operation: str, message: str) -> bytes:
        return self._exchange("GET", self._address(operation, message), None)

    def _address(self, operation: str, message: str) -> str:
        parts = _split(self.url)
        more = f"operation={operation}" + (f"&message={quote(message, safe='')}" if message else "")
        return urlunsplit(parts._replace(query=f"{parts.query}&{more}" if parts.query else more, fragment=""))

    def _exchange(self, method: str, url: str, body: bytes | None, *, sends: bool = False) -> bytes:
        ends = time.monotonic() + self.timeout_seconds
        brings = sends or body is not None
        for _ in range(MOST_REDIRECTIONS + 1):
            answer = self._once(method, url, body, ends, uncertain=brings)
            if answer.status not in _REDIRECTIONS or not answer.location:
                break
            if method == "POST" and answer.status not in _KEEP_METHOD:
                raise HttpRefusal(answer.status, self.url, answer.body)
            url = _next_address(url, answer.location)
        if answer.status != http.client.OK:
            broken = answer.status >= http.client.INTERNAL_SERVER_ERROR  # it may have broken after it had done its work
            raise HttpRefusal(answer.status, self.url, answer.body, uncertain=brings and broken)
        return answer.body

    def _once(self, method: str, url: str, body: bytes | None, ends: float, *, uncertain: bool) -> _Answer:
        parts = _split(url)
        headers = {"User-Agent": "certenroll", "Connection": "close"}
        if body is not None:
            headers["Content-Type"] = _PKI_MESSAGE
        if parts.netloc == _split(self.url).netloc:
            headers |= self.headers
        with _translated(self.url, uncertain=False):
            connection = self._connection(parts, _remaining(ends, self.url))
            connection.connect()
        try:
            with _translated(self.url, uncertain=uncertain):
                line = connection.sock
                connection.request(method, urlunsplit(("", "", parts.path or "/", parts.query, "")), body, headers)
                with connection.getresponse() as response:
                    return _read(line, response, ends, self.url)
        finally:
            connection.close()

    def _connection(self, parts: SplitResult, seconds: float) -> http.client.HTTPConnection:
        if parts.scheme == "http":
            return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=seconds, context=self._trust())

    def _trust(self) -> ssl.SSLContext:
        import ssl

        if self.tls is not None:
            return self.tls
        made = ssl.create_default_context()
        for one in self.roots:
            with suppress(ssl.SSLError):  # a root whose certificate OpenSSL cannot read vouches for nobody
                made.load_verify_locations(cadata=one)
        return made


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise CAError(HRESULT.E_INVALIDARG, f"{url!r} is no URL: {error}") from None
    clean = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or "@" in parts.netloc or not clean:
        raise CAError(HRESULT.E_INVALIDARG, "a SCEP server has an http or https URL with a host and without a user's name")
    return parts


def _next_address(url: str, location: str) -> str:
    """Where a redirection leads. The operation is in the Location, as HTTP has it; the way never gets less safe."""
    found = urljoin(url, location)
    if _split(url).scheme == "https" and _split(found).scheme != "https":
        raise CAError(HRESULT.E_ACCESSDENIED, "the SCEP server redirects from https to http, which is not followed")
    return found


def _read(line: socket.socket, response: http.client.HTTPResponse, ends: float, url: str) -> _Answer:
    """The answer, read piece by piece, so that one who sends an octet now and then is not waited for for ever."""
    pieces: list[bytes] = []
    size = 0
    while True:
        line.settimeout(_remaining(ends, url))
        piece = response.read1(_CHUNK)
        if not piece:
            break
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise CAError(HRESULT.WIN32_INVALID_DATA, f"{url} sends more than {LARGEST_ANSWER} octets", uncertain=True)
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return _Answer(response.status, response.getheader("Location") or "", b"".join(pieces))


def _remaining(ends: float, url: str) -> float:
    seconds = ends - time.monotonic()
    if seconds <= 0:
        raise TimeoutError(f"{url} takes too long")
    return seconds


@contextmanager
def _translated(url: str, *, uncertain: bool) -> Iterator[None]:
    """Turns what the network raises into CAError."""
    import ssl

    try:
        yield
    except TimeoutError as error:
        raise CAError(HRESULT.WIN32_TIMEOUT, f"{url} does not answer in time", uncertain=uncertain) from error
    except ssl.SSLCertVerificationError as error:
        text = f"the TLS certificate of {url} is not to be trusted: {error.verify_message}"
        raise CAError(HRESULT.TRUST_E_FAIL, text, uncertain=uncertain) from error
    except ConnectionRefusedError as error:
        raise CAError(HRESULT.WIN32_CONNECTION_REFUSED, f"{url} refuses the connection", uncertain=uncertain) from error
    except (OSError, http.client.HTTPException) as error:
        text = f"{url} cannot be reached: {type(error).__name__} {error}"
        raise CAError(HRESULT.RPC_SERVER_UNAVAILABLE, text, uncertain=uncertain) from error
