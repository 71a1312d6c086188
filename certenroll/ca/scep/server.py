"""A SCEP server over HTTP and HTTPS: which path, which method, which size and how long.

One thread a connection, as many as a table holds; a request is bounded in size, and in time from its first octet to its
last. What a message says is the responder's. Knows no ASN.1.

Source: RFC 8894 section 4.1 (the operations in HTTP).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes, urlsplit

from certenroll.ca.base import CAError
from certenroll.ca.scep.responder import Reply, ScepResponder, Unanswerable
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    import ssl

LARGEST_MESSAGE: Final = 1 << 18  # octets: a request with its envelope and certificates has some thousand
MOST_CONNECTIONS: Final = 64
PATHS: Final = ("/scep", "pkiclient.exe", "/mscep.dll")
"""How a path ends that is served; Windows' client appends ``/pkiclient.exe`` to the URL that it is given."""

_SECONDS: Final = 30.0
_IDLE_SECONDS: Final = 120.0  # scepclient is silent for thirty, and then sends on the same connection
_POLL: Final = 0.2  # seconds: how often the server looks for connections that take too long, and whether to stop
_CHUNK: Final = 1 << 16
_OPERATION: Final = "PKIOperation"
_TEXT: Final = "text/plain; charset=utf-8"

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Listen:
    """Where and how a server listens.

    Attributes:
        host: the address; loopback unless said otherwise.
        port: its port; 0 for any that is free.
        tls: the context for HTTPS; None for HTTP.
        seconds: how long a client may take for a request.
        idle_seconds: how long it may be silent between two.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    seconds: float = _SECONDS
    idle_seconds: float = _IDLE_SECONDS


class ScepHttpServer:
    """A SCEP server. As a context manager it serves for as long as the block lasts.

    Args:
        responder: answers the messages.
        listen: where and how it listens.
        tell: is given a line for each message; strangers' words are in it.

    Raises:
        OSError: the address cannot be had.
    """

    def __init__(self, responder: ScepResponder, listen: Listen | None = None, tell: Tell = lambda line: None) -> None:
        self._http = _Server(responder, listen or Listen(), tell)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(_POLL,), name="scep-server")

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self._http.server_address[:2]
        scheme = "https" if self._http.listen.tls is not None else "http"
        return f"{scheme}://{_bracketed(str(host))}:{port}/scep"

    def start(self) -> None:
        """Begins to serve, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is being answered, closes every connection and the databases, and waits for that."""
        self._http.shutdown()
        self._thread.join()
        self._http.close_idle()
        self._http.server_close()
        self._http.responder.close()

    def __enter__(self) -> ScepHttpServer:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class _Server(ThreadingHTTPServer):
    """Counts its connections, and closes those whose client takes too long."""

    daemon_threads = False
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, responder: ScepResponder, listen: Listen, tell: Tell) -> None:
        self.responder = responder
        self.listen = listen
        self.tell = tell
        self._guard = threading.Lock()
        self._waiting: dict[socket.socket, float] = {}  # connections that owe octets -> until when
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        if ":" in listen.host:
            self.address_family = socket.AF_INET6
        super().__init__((listen.host, listen.port), _Handler)

    def server_bind(self) -> None:
        """Without the look-up of the host's name that http.server makes: nobody here asks for it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def get_request(self) -> tuple[socket.socket, Any]:
        """TLS shakes hands with the first octets that the connection's own thread reads, not here."""
        connection, address = super().get_request()
        if self.listen.tls is not None:
            connection = self.listen.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """A connection too many is closed."""
        if not self._room.acquire(blocking=False):
            self.tell(f"{client_address[0]} turned away: {MOST_CONNECTIONS} connections are open")
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Gives the place back at the end."""
        self.owes(request, self.listen.seconds)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.paid(request)
            self._room.release()

    def owes(self, connection: socket.socket, seconds: float) -> None:
        """From now on the client has that time to send what is missing of a request."""
        with self._guard:
            self._waiting[connection] = time.monotonic() + seconds

    def paid(self, connection: socket.socket) -> None:
        """The request is there."""
        with self._guard:
            self._waiting.pop(connection, None)

    def service_actions(self) -> None:
        """Ends the connections whose time is up; whoever reads from one sees its end."""
        self._end(time.monotonic())

    def close_idle(self) -> None:
        """Ends every connection that is not being answered."""
        self._end(float("inf"))

    def _end(self, moment: float) -> None:
        with self._guard:
            for connection in [one for one, until in self._waiting.items() if until <= moment]:
                del self._waiting[connection]
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of TLS, too, the plain socket below

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of this program's errors; every other is told, without a trace on a stream."""
        import sys

        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.tell(f"{client_address[0]} {type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # scepclient and others keep their connection
    server_version = "xenroll"
    sys_version = ""
    timeout = _IDLE_SECONDS  # of each read and write; the server sees to the sum of the reads
    disable_nagle_algorithm = True  # an answer is two writes, and the second would wait for the client
    server: _Server
    is_kept = False  # whether a request was answered on this connection before

    def handle_one_request(self) -> None:
        if self.is_kept and not self._begins():
            self.close_connection = True
            return
        self.is_kept = True
        self.server.owes(self.request, self.server.listen.seconds)
        super().handle_one_request()

    def _begins(self) -> bool:
        """Waits for the first octet of the next request; false where none comes."""
        self.server.owes(self.request, self.server.listen.idle_seconds)
        try:
            return isinstance(self.rfile, BufferedReader) and bool(self.rfile.peek(1))
        except TimeoutError:
            return False

    def do_GET(self) -> None:
        if self._is_served():
            operation, message = self._query()
            if operation != _OPERATION:
                self._operate(operation, b"")
                return
            try:
                data = _unbase64(message)
            except ValueError:
                self._say(HTTPStatus.BAD_REQUEST, "the message is not in base64")
            else:
                self._operate(operation, data)

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._say(HTTPStatus.LENGTH_REQUIRED, "a message comes with its length, and in one piece")
        elif int(length[:20]) > LARGEST_MESSAGE:
            self.close_connection = True
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a message has at most {LARGEST_MESSAGE} octets")
        else:
            body = self._body(int(length))
            if len(body) == int(length) and self._is_served():
                self._operate(self._query()[0], body)

    def _body(self, length: int) -> bytes:
        pieces = bytearray()
        while len(pieces) < length:
            piece = self.rfile.read1(min(_CHUNK, length - len(pieces)))
            if not piece:
                self.close_connection = True
                break
            pieces += piece
        return bytes(pieces)

    def _is_served(self) -> bool:
        path = urlsplit(self.path).path.lower().rstrip("/")
        if path.endswith(PATHS):
            return True
        self._say(HTTPStatus.NOT_FOUND, "SCEP is not here; its path ends in /scep or pkiclient.exe")
        return False

    def _query(self) -> tuple[str, bytes]:
        """(operation, message); a plus sign stands for itself, because it is one in base64."""
        parts = (part.partition("=") for part in urlsplit(self.path).query.split("&"))
        found = {name: unquote_to_bytes(value) for name, _, value in parts}
        return found.get("operation", b"").decode("latin-1"), found.get("message", b"")

    def _operate(self, operation: str, message: bytes) -> None:
        self.server.paid(self.request)
        try:
            reply = self.server.responder.operate(operation, message)
        except Unanswerable as error:
            self._say(HTTPStatus.BAD_REQUEST, str(error), hresult=error.hresult)
        except (CAError, KeyStoreError) as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, "the CA cannot answer now", hresult=error.hresult, cause=error)
        else:
            if reply is None:
                self._say(HTTPStatus.NOT_FOUND, f"there is no answer to {operation[:40]!r} here")
            else:
                self._answer(reply)

    def _answer(self, reply: Reply) -> None:
        self.server.tell(f"{self.client_address[0]} {reply.told}")
        self._write(HTTPStatus.OK, reply.content_type, reply.body)

    def _say(self, status: HTTPStatus, text: str, *, hresult: int = 0, cause: BaseException | None = None) -> None:
        code = f" 0x{hresult:08X}" if hresult else ""
        self.server.tell(f"{self.client_address[0]} HTTP {int(status)}{code} {cause or text}")
        self._write(status, _TEXT, f"{text}\n".encode())

    def _write(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  its name in http.server
        """Of what http.server refuses by itself; a line of a request is told when it is answered."""
        if format.startswith("code"):
            self.server.tell(f"{self.client_address[0]} HTTP {format % args}")


def _unbase64(text: bytes) -> bytes:
    """Base64 with the line ends and blanks that some clients leave in it. Raises ValueError."""
    found = b"".join(text.split())
    if len(found) > 2 * LARGEST_MESSAGE:
        raise ValueError("too long")
    try:
        return base64.b64decode(found, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
