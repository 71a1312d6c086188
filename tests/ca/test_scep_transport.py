"""The SCEP transport against real sockets: capabilities, certificates, messages, and servers that do not behave."""

from __future__ import annotations

import base64
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, PrivateFormat, pkcs12
from cryptography.hazmat.primitives.serialization import Encoding as KeyEncoding

from certenroll.asn1.cms import encode_certificate_bag
from certenroll.ca.base import CAError
from certenroll.ca.scep.capabilities import MANDATORY, Capabilities, read_capabilities
from certenroll.ca.scep.transport import LARGEST_ANSWER, MOST_REDIRECTIONS, HttpRefusal, ScepServer
from certenroll.hresults import HRESULT
from tests.stores.pki import make

MESSAGE = bytes(range(256)) + b"\xfb\xef\xbe"  # in base64 it has "+" and "/" and ends in none, one or two "="
POST = Capabilities(frozenset({"postpkioperation"}))
GET = Capabilities()


@dataclass
class Heard:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query, keep_blank_values=True)


Answering = Callable[[Heard], tuple[int, dict[str, str], bytes]]


@dataclass
class WebServer:
    """A web server on loopback that answers as a test says."""

    answer: Answering
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/scep"


@contextmanager
def web_server(answer: Answering, tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    made = WebServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            heard = Heard(self.command, self.path, dict(self.headers.items()), body)
            made.heard.append(heard)
            status, headers, data = made.answer(heard)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        made.scheme = "https"
    made.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does with its one connection as it likes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def run() -> None:
            connection, _ = listening.accept()
            with connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/scep"
        thread.join()


def answering(data: bytes, kind: str = "application/octet-stream", status: int = 200) -> Callable[..., Any]:
    return lambda heard: (status, {"Content-Type": kind}, data)


def refused(what: Callable[..., object], *arguments: Any) -> CAError:
    with pytest.raises(CAError) as caught:
        what(*arguments)
    return caught.value


# Capabilities --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cipher", "digest", "post", "renewal"),
    [
        ("AES\nDES3\nSHA-1\nSHA-256\nSHA-512\nPOSTPKIOperation\nRenewal\n", "aes128-cbc", "sha512", True, True),
        ("POSTPKIOperation\r\nRenewal\r\nSHA-512\r\nSHA-256\r\nSHA-1\r\nDES3\r\n", "des-ede3-cbc", "sha512", True, True),
        ("SCEPStandard", "aes128-cbc", "sha256", True, False),
        ("scepstandard\nrenewal", "aes128-cbc", "sha256", True, True),
        ("AES\nSHA-384\nGetNextCACert\nSomethingNew", "aes128-cbc", "sha384", False, False),
    ],
)
def test_the_best_of_what_a_server_promises_is_chosen(
    text: str, cipher: str, digest: str, post: bool, renewal: bool
) -> None:
    found = read_capabilities(text)
    assert (found.cipher(), found.hash_name(), found.post, found.renewal) == (cipher, digest, post, renewal)
    assert read_capabilities(text.encode()) == found


@pytest.mark.parametrize("text", ["", "SHA-1\nDES3", "DES", "<html>not found</html>"])
def test_sha_1_and_single_des_only_do_where_the_caller_says_so(text: str) -> None:
    found = read_capabilities(text)
    assert refused(found.hash_name).hresult == HRESULT.NTE_BAD_ALGID
    assert found.hash_name(legacy=True) == "sha1"
    if "DES3" not in text:
        assert refused(found.cipher).hresult == HRESULT.NTE_BAD_ALGID
        assert found.cipher(legacy=True) == "des-cbc"
    assert not found.post


def test_a_server_that_was_not_asked_has_what_rfc_8894_makes_mandatory() -> None:
    assert (MANDATORY.cipher(), MANDATORY.hash_name(), MANDATORY.post, MANDATORY.standard) == (
        "aes128-cbc", "sha256", True, True,
    )  # fmt: skip


def test_the_server_is_asked_for_its_capabilities() -> None:
    with web_server(answering(b"AES\nSHA-256\n", "text/plain")) as web:
        assert ScepServer(web.url).capabilities() == read_capabilities("AES SHA-256")
        ScepServer(web.url + "?tenant=1").capabilities("my CA")
    assert web.heard[0].query == {"operation": ["GetCACaps"]}
    assert web.heard[1].query == {"tenant": ["1"], "operation": ["GetCACaps"], "message": ["my CA"]}


@pytest.mark.parametrize("status", [404, 500, 400])
def test_a_server_that_answers_with_an_error_promises_nothing(status: int) -> None:
    with web_server(answering(b"<html/>", status=status)) as web:
        assert ScepServer(web.url).capabilities() == Capabilities()


# Certificates --------------------------------------------------------------------------------------------------------

CA = make("SCEP CA")
RA = make("RA", CA)


@pytest.mark.parametrize("kind", ["application/x-x509-ca-cert", "application/x-x509-ca-ra-cert", "text/html"])
def test_one_certificate_or_a_bag_is_told_by_the_octets(kind: str) -> None:
    bag = encode_certificate_bag((CA.der, RA.der))
    with web_server(answering(CA.der, kind)) as one, web_server(answering(bag, kind)) as several:
        assert ScepServer(one.url).ca_certificates() == (CA.der,)
        assert sorted(ScepServer(several.url).ca_certificates()) == sorted((CA.der, RA.der))


@pytest.mark.parametrize("data", [b"", b"<html>Sign in</html>", CA.der[:-1], encode_certificate_bag(())])
def test_what_is_no_certificate_is_refused_with_a_code(data: bytes) -> None:
    with web_server(answering(data, "application/x-x509-ca-cert")) as web:
        assert refused(ScepServer(web.url).ca_certificates).hresult >> 16 == 0x8009


def test_a_pfx_is_no_answer() -> None:
    pfx = pkcs12.serialize_key_and_certificates(b"x", CA.key, CA.certificate, None, NoEncryption())
    with web_server(answering(pfx)) as web:
        assert refused(ScepServer(web.url).ca_certificates).hresult == HRESULT.CRYPT_E_INVALID_MSG_TYPE


def test_a_locked_pfx_is_no_answer_either() -> None:
    pfx = pkcs12.serialize_key_and_certificates(b"x", CA.key, CA.certificate, None, BestAvailableEncryption(b"secret"))
    with web_server(answering(pfx)) as web:
        assert refused(ScepServer(web.url).ca_certificates).hresult == HRESULT.WIN32_INVALID_PASSWORD


# Messages ------------------------------------------------------------------------------------------------------------


def test_a_message_is_posted_where_the_server_takes_that() -> None:
    with web_server(answering(b"the answer")) as web:
        assert ScepServer(web.url).operation(MESSAGE, POST) == b"the answer"
    (heard,) = web.heard
    assert (heard.method, heard.query, heard.body) == ("POST", {"operation": ["PKIOperation"]}, MESSAGE)
    assert heard.headers["Content-Type"] == "application/x-pki-message"


@pytest.mark.parametrize("length", [3, 255, 256, 257, 259])
def test_a_message_in_the_url_is_percent_encoded_base64(length: int) -> None:
    with web_server(answering(b"the answer")) as web:
        assert ScepServer(web.url).operation(MESSAGE[-length:], GET) == b"the answer"
    (heard,) = web.heard
    raw = urlsplit(heard.path).query.partition("message=")[2]
    assert heard.method == "GET"
    assert not {"+", "/", "="} & set(raw)
    assert base64.b64decode(heard.query["message"][0], validate=True) == MESSAGE[-length:]


@pytest.mark.parametrize(("caps", "method"), [(b"POSTPKIOperation", "POST"), (b"AES", "GET")])
def test_the_server_is_asked_how_it_takes_messages_where_nobody_knows(caps: bytes, method: str) -> None:
    with web_server(lambda heard: (200, {}, caps if "GetCACaps" in heard.path else b"x")) as web:
        ScepServer(web.url).operation(MESSAGE)
    assert [one.method for one in web.heard] == ["GET", method]


def test_the_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with web_server(answering(b"the answer")) as web:
        assert ScepServer(web.url).operation(MESSAGE, POST) == b"the answer"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_an_http_error_has_windows_code_and_keeps_its_page(status: int) -> None:
    with web_server(answering(b"<html>0x80070490</html>", "text/html", status)) as web:
        error = refused(ScepServer(web.url).operation, MESSAGE, POST)
    assert isinstance(error, HttpRefusal)
    assert (error.hresult, error.status, error.body) == (0x80190000 | status, status, b"<html>0x80070490</html>")
    assert error.uncertain == (status >= 500)


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "x", "http://u:pw@host/", "http://h:99999/", "http://a b/", ""])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    error = refused(ScepServer, url)
    assert error.hresult == HRESULT.E_INVALIDARG
    assert "pw" not in str(error)


@pytest.mark.parametrize(("name", "value"), [("X y", "1"), ("", "1"), ("X", "1\r\nY: 2"), ("X", "ä")])
def test_what_is_no_header_is_refused(name: str, value: str) -> None:
    assert refused(lambda: ScepServer("http://h/", headers={name: value})).hresult == HRESULT.E_INVALIDARG


# Redirections --------------------------------------------------------------------------------------------------------


def test_a_redirection_is_followed_and_takes_the_headers_to_no_other_host() -> None:
    def elsewhere(heard: Heard) -> tuple[int, dict[str, str], bytes]:
        return 302, {"Location": f"{target.url}?{urlsplit(heard.path).query}"}, b""

    with web_server(answering(CA.der)) as target, web_server(elsewhere) as web:
        server = ScepServer(web.url, headers={"Authorization": "Bearer token"})
        assert server.ca_certificates() == (CA.der,)
    assert web.heard[0].headers["Authorization"] == "Bearer token"
    assert "Authorization" not in target.heard[0].headers


def test_a_message_is_posted_again_only_where_the_status_says_so() -> None:
    with web_server(answering(b"the answer")) as target:
        with web_server(lambda heard: (307, {"Location": target.url}, b"")) as web:
            assert ScepServer(web.url).operation(MESSAGE, POST) == b"the answer"
        with web_server(lambda heard: (302, {"Location": target.url}, b"")) as web:
            assert refused(ScepServer(web.url).operation, MESSAGE, POST).hresult == 0x8019012E
    assert [(one.method, one.body) for one in target.heard] == [("POST", MESSAGE)]


def test_redirections_end() -> None:
    with web_server(lambda heard: (302, {"Location": heard.path}, b"")) as web:
        assert refused(ScepServer(web.url).ca_certificates).hresult == 0x8019012E
    assert len(web.heard) == MOST_REDIRECTIONS + 1


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user@127.0.0.1/"])
def test_a_redirection_leads_to_no_other_protocol(location: str) -> None:
    with web_server(lambda heard: (302, {"Location": location}, b"")) as web:
        assert refused(ScepServer(web.url).ca_certificates).hresult == HRESULT.E_INVALIDARG


# Servers that do not behave ------------------------------------------------------------------------------------------


def test_nobody_listening_is_no_connection_and_certain() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    error = refused(ScepServer(f"http://127.0.0.1:{port}/").operation, MESSAGE, POST)
    assert (error.hresult, error.uncertain) == (HRESULT.WIN32_CONNECTION_REFUSED, False)


def test_a_name_that_nobody_has_is_certain() -> None:
    error = refused(ScepServer("http://no-such-host.invalid/").operation, MESSAGE, POST)
    assert (error.hresult, error.uncertain) == (HRESULT.RPC_SERVER_UNAVAILABLE, False)


@pytest.mark.parametrize(("capabilities", "uncertain"), [(POST, True), (GET, True), (None, False)])
def test_silence_after_a_message_was_sent_is_uncertain(capabilities: Capabilities | None, uncertain: bool) -> None:
    done = threading.Event()

    def say_nothing(connection: socket.socket) -> None:
        connection.recv(65536)
        done.wait(5)

    with raw_server(say_nothing) as url:
        error = refused(ScepServer(url, timeout_seconds=0.2).operation, MESSAGE, capabilities)
        done.set()
    assert (error.hresult, error.uncertain) == (HRESULT.WIN32_TIMEOUT, uncertain)


def test_an_answer_that_never_ends_is_not_waited_for() -> None:
    done = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while not done.wait(0.05):
                connection.sendall(b"x")
        except OSError:
            return

    with raw_server(drip) as url:
        error = refused(ScepServer(url, timeout_seconds=0.4).operation, MESSAGE, POST)
        done.set()
    assert (error.hresult, error.uncertain) == (HRESULT.WIN32_TIMEOUT, True)


@pytest.mark.parametrize("declared", [True, False])
def test_an_answer_without_measure_is_refused(declared: bool) -> None:
    headers = {} if declared else {"Content-Length": str(LARGEST_ANSWER + 1)}
    with web_server(lambda heard: (200, headers, bytes(LARGEST_ANSWER + 1))) as web:
        assert refused(ScepServer(web.url).operation, MESSAGE, POST).hresult == HRESULT.WIN32_INVALID_DATA


@pytest.mark.parametrize(
    "text",
    [
        b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70000 + b"\r\n\r\n",
    ],
    ids=["nothing", "garbage", "cut off", "bad chunk", "long header"],
)  # fmt: skip
def test_an_answer_that_is_no_http_is_an_uncertain_failure(text: bytes) -> None:
    def say(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(text)

    with raw_server(say) as url:
        error = refused(ScepServer(url).operation, MESSAGE, POST)
    assert (error.hresult, error.uncertain) == (HRESULT.RPC_SERVER_UNAVAILABLE, True)


# TLS -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts for a server of 127.0.0.1 and for a client that trusts its CA."""
    days = (-1, 20000)
    san = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    ca = make("TLS CA", days=days)
    leaf = make("tls leaf", ca, days=days, extensions=((san, False),))
    pem = leaf.key.private_bytes(KeyEncoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place = tmp_path / "server.pem"
    place.write_bytes(pem + leaf.certificate.public_bytes(KeyEncoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(place)
    client = ssl.create_default_context(cadata=ca.certificate.public_bytes(KeyEncoding.PEM).decode())
    return server, client


def test_https_is_spoken_with_the_caller_s_trust(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with web_server(answering(CA.der), tls[0]) as web:
        assert ScepServer(web.url, tls=tls[1]).ca_certificates() == (CA.der,)


def test_https_never_leads_to_http(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    with web_server(answering(CA.der)) as plain, web_server(answering(b""), tls[0]) as web:
        web.answer = lambda heard: (302, {"Location": plain.url}, b"")
        assert refused(ScepServer(web.url, tls=tls[1]).ca_certificates).hresult == HRESULT.E_ACCESSDENIED
    assert plain.heard == []


def test_a_tls_certificate_that_is_not_trusted_is_refused_before_anything_is_sent(
    tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with web_server(answering(CA.der), tls[0]) as web:
        error = refused(ScepServer(web.url).operation, MESSAGE, POST)
    assert (error.hresult, error.uncertain) == (HRESULT.TRUST_E_FAIL, False)
    assert web.heard == []
