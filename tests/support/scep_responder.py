"""A SCEP server for tests, in the test's own process: it answers as RFC 8894 says, or wrongly where a test asks for that.

It is built on the project's own codec, so it shows what the enrollment does and proves nothing of the codec; other people's
servers do that.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509

from certenroll.asn1 import pkcs10, scep
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.enveloped import open_enveloped, seal
from certenroll.asn1.scep import MessageType, PkiMessage
from tests.stores.pki import Made, key, make
from tests.support.enrolling import issue

ALL_CAPABILITIES = "AES\nDES3\nSHA-1\nSHA-256\nSHA-512\nPOSTPKIOperation\nRenewal\nSCEPStandard\n"
SIGNS = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
DECRYPTS = x509.KeyUsage(False, False, True, False, False, False, False, False, False)


def root(name: str = "SCEP CA", **how: Any) -> Made:
    """A CA with an RSA key, for it may have to decrypt."""
    return make(name, private=key(name, 2048), **how)


def authority(ca: Made, name: str, usage: x509.KeyUsage, **how: Any) -> Made:
    """A certificate of the CA's registration authority."""
    return make(name, ca, ca=False, private=key(name, 2048), extensions=((usage, True),), **how)


@dataclass(frozen=True)
class Reply:
    """How an answer is made; every attribute can be made wrong.

    Attributes:
        status, fail_info, text: what it says.
        certificates: what it brings, or None for what was asked for.
        content: what it brings in their place.
        transaction_id, nonce: what it repeats, or None for what was asked.
        signer: who signs, or None for the server.
        message_type: what it claims to be.
        damaged: whether its last octet, which is the signature's, is changed.
    """

    status: int | None = 0
    fail_info: int | None = None
    text: str = ""
    certificates: Sequence[bytes] | None = None
    content: bytes | None = None
    transaction_id: str | None = None
    nonce: bytes | None = None
    signer: Made | None = None
    message_type: int = MessageType.CertRep
    damaged: bool = False


SUCCESS = Reply()
PENDING = Reply(status=3)


def refusal(fail_info: int | None, text: str = "") -> Reply:
    return Reply(status=2, fail_info=fail_info, text=text)


@dataclass
class Asked:
    """What the server was asked.

    Attributes:
        message: the message.
        content: what was encrypted in it.
        signer: who signed it.
    """

    message: PkiMessage
    content: bytes
    signer: bytes


@dataclass
class ScepResponder:
    """A SCEP server. ``answer`` needs no HTTP; as a context manager it listens on a port of loopback.

    Attributes:
        ca: its CA.
        signature, encryption: its registration authority's certificates; the CA itself where they are left out.
        capabilities: what GetCACaps says; None has it answer 404.
        replies: how it answers one message after the other; the last one for all that follow.
        chain: certificates that GetCACert sends besides.
        days: how long its certificates are valid, as ``pki.make`` counts.
        with_issuer: whether an answer brings the CA's certificate along.
    """

    ca: Made = field(default_factory=root)
    signature: Made | None = None
    encryption: Made | None = None
    capabilities: str | None = ALL_CAPABILITIES
    replies: list[Reply] = field(default_factory=lambda: [SUCCESS])
    chain: tuple[Made, ...] = ()
    days: tuple[int, int] = (-100, 100)
    with_issuer: bool = False
    asked: list[Asked] = field(default_factory=list)
    issued: dict[int, bytes] = field(default_factory=dict)
    paths: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    page: tuple[int, bytes] | None = None  # an HTTP status and a body that PKIOperation is answered with
    _spki: dict[str, bytes] = field(default_factory=dict)
    _made: dict[str, bytes] = field(default_factory=dict)

    @property
    def bag(self) -> bytes:
        """The answer to GetCACert as PKCS#7."""
        authorities = [one for one in (self.signature, self.encryption) if one is not None]
        return encode_certificate_bag(one.der for one in (*authorities, self.ca, *self.chain))

    @property
    def messages(self) -> list[int]:
        """The types of the messages that came."""
        return [one.message.message_type for one in self.asked]

    def answer(self, data: bytes, how: Reply | None = None) -> bytes:
        """The answer to a message, as ``how`` says or as is this server's turn."""
        reply = how or (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])
        asked = self._read(data)
        self.asked.append(asked)
        if asked.message.message_type == MessageType.CertPoll and asked.message.transaction_id not in self._spki:
            reply = refusal(4)
        content = self._content(asked, reply) if reply.status in (0, 11) else None
        signer = reply.signer or self.signature or self.ca
        made = scep.build_message(
            reply.message_type,
            seal(content, (asked.signer,)) if content is not None else None,
            transaction_id=reply.transaction_id or asked.message.transaction_id,
            sender_nonce=secrets.token_bytes(16),
            recipient_nonce=asked.message.sender_nonce if reply.nonce is None else reply.nonce,
            private_key=signer.key,
            certificate=signer.der,
            status=reply.status,
            fail_info=reply.fail_info,
            fail_info_text=reply.text,
        )
        return made[:-1] + bytes((made[-1] ^ 1,)) if reply.damaged else made

    def _read(self, data: bytes) -> Asked:
        message = scep.decode(data)
        signer = scep.verify(message, message.certificates)
        assert message.enveloped is not None
        decrypting = self.encryption or self.ca
        asked = Asked(message, open_enveloped(message.enveloped, decrypting.key, decrypting.der), signer)
        if message.message_type in (MessageType.PKCSReq, MessageType.RenewalReq):
            self._spki[message.transaction_id] = pkcs10.decode(asked.content).public_key_info
        return asked

    def _content(self, asked: Asked, reply: Reply) -> bytes:
        if reply.content is not None:
            return reply.content
        found = reply.certificates if reply.certificates is not None else [self._wanted(asked)]
        return scep.degenerate([*found, *([self.ca.der] if self.with_issuer else [])])

    def _wanted(self, asked: Asked) -> bytes:
        """The certificate that was asked for, by a request, after one, or by its serial number."""
        if asked.message.message_type == MessageType.GetCert:
            return self.issued[scep.decode_issuer_and_serial(asked.content)[1]]
        transaction = asked.message.transaction_id
        if transaction not in self._made:
            made = issue(self._spki[transaction], self.ca, ca=False, days=self.days)
            self._made[transaction] = self.issued[made.certificate.serial_number] = made.der
        return self._made[transaction]

    def reply_with(self, *replies: Reply) -> None:
        """The next answers."""
        self.replies = list(replies)

    # HTTP

    def __enter__(self) -> ScepResponder:
        responder = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                responder._serve(self, b"")

            def do_POST(self) -> None:
                responder._serve(self, self.rfile.read(int(self.headers["Content-Length"])))

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/scep"

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        operation = query.get("operation", [""])[0]
        self.paths.append((handler.command, operation))
        self.headers.append(dict(handler.headers.items()))
        known = 200 if self.capabilities is not None else 404
        serve: dict[str, Callable[[], tuple[int, str, bytes]]] = {
            "GetCACaps": lambda: (known, "text/plain", (self.capabilities or "").encode()),
            "GetCACert": lambda: (200, "application/x-x509-ca-ra-cert", self.bag),
            "PKIOperation": lambda: self._operate(body or base64.b64decode(query["message"][0], validate=True)),
        }
        status, kind, data = serve[operation]()
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def _operate(self, data: bytes) -> tuple[int, str, bytes]:
        if self.page is not None:
            return self.page[0], "text/html", self.page[1]
        return 200, "application/x-pki-message", self.answer(data)


def damaged(reply: Reply = SUCCESS) -> Reply:
    """The same answer with a wrong signature."""
    return replace(reply, damaged=True)
