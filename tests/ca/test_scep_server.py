"""`xenroll ca serve` and the SCEP server over HTTP: paths, sizes, times, TLS, many at once, and its end."""

from __future__ import annotations

import base64
import contextlib
import http.client
import ipaddress
import json
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll.asn1.scep import MessageType
from certenroll.ca.local import LocalCA
from certenroll.ca.scep.responder import ScepResponder
from certenroll.ca.scep.server import LARGEST_MESSAGE, MOST_CONNECTIONS, Listen, ScepHttpServer
from certenroll.ca.scep.settings import ScepSettings
from certenroll.ca.scep.transport import ScepServer
from tests.support.cli import Cli, command
from tests.support.scep_client import OPEN, ScepClient


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scep") / "ca"
    LocalCA.create(folder, "Test CA", host="ca.test").close()
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "ca"))


@contextmanager
def serving(folder: Path, listen: Listen | None = None, settings: ScepSettings = OPEN) -> Iterator[str]:
    """A server for as long as the block lasts: its URL."""
    with ScepHttpServer(ScepResponder(folder, settings), listen) as server:
        yield server.url


def said(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, bytes]:
    """(status, content type, body) of an answer."""
    with closing(http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()


def client_of(url: str, folder: Path, name: str = "client") -> ScepClient:
    ca = LocalCA(folder)
    with closing(ca):
        return ScepClient(lambda message: ScepServer(url).operation(message), ca.certificates(), name)


# HTTP ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [
    "/scep", "/scep/", "/scep/pkiclient.exe", "/certsrv/mscep/mscep.dll/pkiclient.exe", "/certsrv/mscep/mscep.dll",
    "/cgi-bin/pkiclient.exe", "/CertSrv/mscep/MSCEP.DLL/PKIClient.exe", "//scep",
])  # fmt: skip
def test_a_client_finds_the_server_by_the_path_that_it_knows(folder: Path, path: str) -> None:
    with serving(folder) as url:
        status, kind, body = said(url, "GET", f"{path}?operation=GetCACaps&message=default")
        assert (status, kind) == (200, "text/plain")
        assert b"POSTPKIOperation\n" in body
        status, kind, body = said(url, "GET", f"{path}?operation=GetCACert")
        assert (status, kind) == (200, "application/x-x509-ca-cert")
        assert x509.load_der_x509_certificate(body).subject.rfc4514_string() == "CN=Test CA"


@pytest.mark.parametrize("path", [
    "/", "/scep.html?operation=GetCACaps", "/scep", "/scep?operation=GetNextCACert", "/scep?operation=x",
])  # fmt: skip
def test_what_is_not_there_is_not_found(folder: Path, path: str) -> None:
    with serving(folder) as url:
        assert said(url, "GET", path)[0] == 404


def test_a_message_comes_by_post_and_by_get(folder: Path) -> None:
    with serving(folder) as url:
        client = client_of(url, folder)
        message = client.build(MessageType.PKCSReq, client.request)
        status, kind, _ = said(url, "POST", "/scep?operation=PKIOperation", message)
        assert (status, kind) == (200, "application/x-pki-message")
        text = base64.b64encode(message).decode()
        folded = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
        for written in (quote(text, safe=""), text, quote(folded)):
            query = f"/scep?operation=PKIOperation&message={written}"
            client.send = lambda _: said(url, "GET", query)[2]  # noqa: B023  called within this turn
            assert client.ask(message).certificate


@pytest.mark.parametrize(("method", "query", "body", "headers", "status"), [
    ("POST", "operation=PKIOperation", b"garbage", {}, 400),
    ("POST", "operation=PKIOperation", b"", {}, 400),
    ("GET", "operation=PKIOperation&message=%%%", None, {}, 400),
    ("GET", "operation=PKIOperation", None, {}, 400),
    ("POST", "operation=PKIOperation", b"x", {"Content-Length": str(LARGEST_MESSAGE + 1)}, 413),
    ("POST", "operation=PKIOperation", b"x", {"Content-Length": "9" * 5000}, 413),
    ("POST", "operation=PKIOperation", b"x", {"Content-Length": "-1"}, 411),
    ("POST", "operation=PKIOperation", b"0\r\n\r\n", {"Transfer-Encoding": "chunked"}, 411),
    ("GET", "operation=GetCACaps&message=" + "x" * 70_000, None, {}, 414),
    ("PUT", "operation=PKIOperation", b"x", {}, 501),
])  # fmt: skip
def test_what_is_no_message_is_refused(
    folder: Path, method: str, query: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    with serving(folder) as url:
        assert said(url, method, f"/scep?{query}", body, **headers)[0] == status
        assert said(url, "GET", "/scep?operation=GetCACaps")[0] == 200


def test_a_client_keeps_its_connection(folder: Path) -> None:
    with serving(folder) as url, closing(http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=30)) as connection:
        for _ in range(3):
            connection.request("GET", "/scep?operation=GetCACaps")
            assert connection.getresponse().read()
            assert connection.sock is not None


def test_a_client_may_be_silent_between_two_requests_for_longer_than_within_one(folder: Path) -> None:
    """scepclient waits half a minute for its certificate, and asks again on the connection that it has."""
    with serving(folder, Listen(seconds=0.3, idle_seconds=30)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=0.8) as line:
            for _ in range(2):
                line.sendall(b"GET /scep?operation=GetCACaps HTTP/1.1\r\n\r\n")
                answer = b""
                with contextlib.suppress(TimeoutError):
                    while read := line.recv(4096):
                        answer += read
                assert b"SCEPStandard" in answer
    with serving(folder, Listen(idle_seconds=0.3)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
            line.sendall(b"GET /scep?operation=GetCACaps HTTP/1.1\r\n\r\n")
            while line.recv(4096):
                pass


@pytest.mark.parametrize("sent", [
    b"", b"GET /scep?oper", b"POST /scep?operation=PKIOperation HTTP/1.1\r\nContent-Length: 9\r\n\r\nab",
])  # fmt: skip
def test_a_client_that_falls_silent_is_cut_off(folder: Path, sent: bytes) -> None:
    with serving(folder, Listen(seconds=0.2)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
            line.sendall(sent)
            assert line.recv(1) == b""
        assert said(url, "GET", "/scep?operation=GetCACaps")[0] == 200


def test_a_client_that_says_a_little_at_a_time_is_cut_off(folder: Path) -> None:
    """Each octet comes in time; all of them together do not."""
    with serving(folder, Listen(seconds=0.5)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=0.05) as line:
            for _ in range(200):
                try:
                    line.sendall(b"G")
                    assert line.recv(1) == b""
                    break
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
            else:
                pytest.fail("the server still listens")


def test_a_connection_too_many_is_closed(folder: Path) -> None:
    with serving(folder) as url:
        parts = urlsplit(url)
        lines = [socket.create_connection((parts.hostname, parts.port), timeout=30) for _ in range(MOST_CONNECTIONS + 1)]
        try:
            assert lines[-1].recv(1) == b""
        finally:
            for line in lines:
                line.close()


def test_the_same_request_from_many_at_once_is_one_request(folder: Path) -> None:
    with serving(folder) as url, ThreadPoolExecutor(8) as pool:
        client = client_of(url, folder)
        message = client.build(MessageType.PKCSReq, client.request)
        found = {one.certificate for one in pool.map(lambda _: client.ask(message), range(16))}
    assert len(found) == 1
    with closing(LocalCA(folder)) as ca:
        assert len(ca.requests()) == 1


def test_it_stops_with_connections_open(folder: Path) -> None:
    server = ScepHttpServer(ScepResponder(folder, OPEN))
    server.start()
    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
        line.sendall(b"GET /scep?operation=GetCACaps HTTP/1.1\r\n\r\n")
        assert line.recv(1)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        stopper.join(10)
        assert not stopper.is_alive()


def tls_files(folder: Path) -> tuple[Path, Path]:
    """A server certificate for loopback, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    made = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    paths = folder / "tls.crt", folder / "tls.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


def test_a_client_that_speaks_no_tls_holds_nobody_up(folder: Path, tmp_path: Path) -> None:
    certificate, private = tls_files(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with serving(folder, Listen(tls=context)) as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=30) as line:
            assert ScepServer(url, tls=trusting).capabilities().renewal
            line.sendall(b"GET /scep?operation=GetCACaps HTTP/1.1\r\n\r\n")
            assert b"200" not in line.recv(100)


# The command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def xenroll(folder: Path, tmp_path: Path) -> Cli:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    folder.rename(home / "ca")
    return Cli(home, tmp_path)


@contextmanager
def served(xenroll: Cli, *options: str | Path, ends: int = signal.SIGTERM) -> Iterator[dict[str, str]]:
    """`xenroll ca serve` for as long as the block lasts: what it says. It must end well by that signal."""
    line = command("ca", "serve", "--json", *options)
    with subprocess.Popen(
        line, cwd=xenroll.folder, env=xenroll.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            read = process.stdout.readline()
            assert read, process.communicate()[1]
            text += read
        facts = json.loads(text)
        try:
            yield facts
        finally:
            process.send_signal(ends)
            _, facts["told"] = process.communicate(timeout=30)
        assert process.returncode == 0, facts["told"]


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_it_is_told_to_stop(xenroll: Cli, ends: int) -> None:
    challenge = xenroll.json("ca", "challenge", "--once")["challenge"]
    with served(xenroll, ends=ends) as facts:
        assert (facts["status"], facts["ca"], facts["challenge"]) == ("listening", "ca.test\\Test CA", "needed")
        assert facts["url"].startswith("http://127.0.0.1:")
        client = client_of(facts["url"], xenroll.home / "ca")
        client.challenge = challenge
        assert client.enroll().certificate
    assert "PKCSReq" in facts["told"]
    assert "SUCCESS request 1" in facts["told"]
    assert challenge not in facts["told"]
    (known,) = xenroll.json("ca", "challenge", "--list")
    assert (known["state"], known["once"]) == ("used", True)


def test_the_command_takes_its_settings_from_the_command_line(xenroll: Cli) -> None:
    certificate, private = tls_files(xenroll.folder)
    options = ("--ra", "--caps", "AES, SHA-256,Renewal", "--no-challenge", "--template", "Workstation", "--quiet")
    with served(xenroll, *options, "--requester", "CORP\\des", "--tls-cert", certificate, "--tls-key", private) as facts:
        server = ScepServer(facts["url"], tls=ssl.create_default_context(cafile=str(certificate)))
        assert server.capabilities().keywords == {"aes", "sha-256", "renewal"}
        signs, decrypts, ca = sorted(server.ca_certificates(), key=lambda one: b"Xchg" in one or 2 * (b"-RA" not in one))
        client = ScepClient(server.operation, (signs, decrypts, ca))
        assert client.enroll().certificate
    assert facts["told"] == ""
    (row,) = xenroll.json("ca", "list")
    assert (row["template"], row["requester"]) == ("Workstation", "CORP\\des")


def test_a_challenge_of_the_devices_own_is_read_from_a_file_and_shown_to_nobody(xenroll: Cli) -> None:
    path = xenroll.folder / "challenge"
    path.write_text("what the devices have\n")
    path.chmod(stat.S_IRUSR)
    done = xenroll("ca", "challenge", "--password-file", path, "--valid", "2")
    assert "what the devices have" not in done.stdout + done.stderr
    (known,) = xenroll.json("ca", "challenge", "--list")
    made, expires = (datetime.fromisoformat(known[name]) for name in ("made", "expires"))
    assert expires - made == timedelta(hours=2)
    xenroll("ca", "challenge", "--withdraw", "1")
    assert xenroll.json("ca", "challenge", "--list") == []
    xenroll("ca", "challenge", "--withdraw", "1", code=1)


@pytest.mark.parametrize("options", [
    ("--tls-key", "nowhere.key"), ("--tls-cert", "nowhere.crt"), ("--host", "192.0.2.1"), ("--ca", "no\\such"),
])  # fmt: skip
def test_a_server_that_cannot_be_says_why(xenroll: Cli, options: tuple[str, ...]) -> None:
    done = xenroll("ca", "serve", *options, code=1)
    assert "error: 0x" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_manual_names_options_that_there_are(xenroll: Cli) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "scep-server.md").read_text(encoding="utf-8")
    known = xenroll("ca", "serve", "--help").stdout + xenroll("ca", "challenge", "--help").stdout
    ours = set(re.findall(r"--[a-z][a-z-]+", manual.split("## Other people's clients")[0]))
    assert len(ours) > 10
    assert {one for one in ours if one not in known} == set()
