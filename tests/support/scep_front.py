"""A web server on loopback that stands before somebody else's SCEP server: it carries what goes by, notes it, and changes
an answer where a test says so, as a broken server, a bad line or an attacker would. Knows no SCEP beyond operation names.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Connect = Callable[[], socket.socket]


@dataclass(frozen=True)
class Passing:
    """One question and its answer.

    Attributes:
        method, path: of the question.
        message: its body; empty for a GET.
        status, body: of the answer.
        location: where a redirection leads.
    """

    method: str
    path: str
    message: bytes
    status: int
    body: bytes
    location: str = ""

    @property
    def operation(self) -> str:
        return parse_qs(urlsplit(self.path).query).get("operation", [""])[0]


class Lost(Exception):
    """The answer does not reach the client: the line is cut."""


Twist = Callable[["Front", Passing], Passing]


@dataclass
class Front:
    """The server in front.

    Attributes:
        connect: opens a line to the server behind it.
        twist: changes an answer, or None. It sees the answer before ``seen`` has it.
        seen: what went by, with the answers as the server behind gave them.
        released: what a twist that holds an answer back waits for.
    """

    connect: Connect
    url: str = ""
    twist: Twist | None = None
    seen: list[Passing] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def messages(self) -> list[Passing]:
        """The messages that went by."""
        return [one for one in self.seen if one.operation == "PKIOperation"]

    def carry(self, method: str, path: str, message: bytes) -> Passing:
        """Asks the server behind; it notes what it answers and gives what the client is to get."""
        line = http.client.HTTPConnection("127.0.0.1")
        try:
            line.sock = self.connect()
            kind = {"Content-Type": "application/x-pki-message"} if message else {}
            line.request(method, path, message or None, {**kind, "Connection": "close"})
            with line.getresponse() as answer:
                passing = Passing(method, path, message, answer.status, answer.read())
        finally:
            line.close()
        changed = self.twist(self, passing) if self.twist is not None else passing
        self.seen.append(passing)
        return changed


@contextmanager
def front(connect: Connect, tls: ssl.SSLContext | None = None) -> Iterator[Front]:
    """Listens for as long as the block lasts."""
    made = Front(connect)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            message = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                passing = made.carry(self.command, self.path, message)
            except (Lost, OSError):  # the line to the client is cut; so it is where the server behind is down
                self.close_connection = True
                return
            self.send_response(passing.status)
            self.send_header("Content-Length", str(len(passing.body)))
            if passing.location:
                self.send_header("Location", passing.location)
            self.end_headers()
            try:
                self.wfile.write(passing.body)
            except OSError:  # the client has had enough of a long answer, or was not patient
                self.close_connection = True

        do_POST = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.url = f"{'https' if tls is not None else 'http'}://127.0.0.1:{server.server_address[1]}/scep"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        made.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


# What goes wrong on the way ------------------------------------------------------------------------------------------


def on(operation: str, change: Callable[[Front, Passing], Passing]) -> Twist:
    """A change of the answers to one operation."""
    return lambda web, passing: change(web, passing) if passing.operation == operation else passing


def says(operation: str, body: bytes, status: int = 200) -> Twist:
    """Something else in place of the answer."""
    return on(operation, lambda web, passing: replace(passing, status=status, body=body))


def leads(operation: str, status: int, target: str) -> Twist:
    """A redirection to another address, with the question as it was."""
    return on(
        operation,
        lambda web, passing: replace(passing, status=status, location=f"{target}?{urlsplit(passing.path).query}"),
    )


def _damaged(web: Front, passing: Passing) -> Passing:
    """The last octet of a pkiMessage is one of its signature."""
    return replace(passing, body=passing.body[:-1] + bytes((passing.body[-1] ^ 1,)))


def _cut_short(web: Front, passing: Passing) -> Passing:
    return replace(passing, body=passing.body[: len(passing.body) // 2])


def _lost(web: Front, passing: Passing) -> Passing:
    web.seen.append(passing)
    raise Lost


def _replayed(web: Front, passing: Passing) -> Passing:
    """The answer to the message before this one."""
    return replace(passing, body=web.messages[-1].body)


def _held(web: Front, passing: Passing) -> Passing:
    web.released.wait(20)
    return passing


damaged = on("PKIOperation", _damaged)
cut_short = on("PKIOperation", _cut_short)
lost = on("PKIOperation", _lost)
replayed = on("PKIOperation", _replayed)
held = on("PKIOperation", _held)
