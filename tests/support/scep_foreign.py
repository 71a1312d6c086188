"""Other people's SCEP servers behind a front on loopback: the one kept outside the project, and micromdm's scepserver.

scepserver listens on every interface, so it runs in a network of its own (``scep_alone``), and a unix socket leads there.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.requires import program
from tests.support.scep_front import Connect, Front, front
from tests.support.scep_mock import CHALLENGE, mock_server

_PORT = "8080"  # in a network of its own every port is free
_ALONE = Path(__file__).with_name("scep_alone.py")


@dataclass
class Foreign:
    """A server by another hand.

    Attributes:
        name: as the documentation has it.
        ca: its CA's certificate in DER.
        connect: opens a line to it.
        log: what it writes.
        web: the front through which clients reach it.
    """

    name: str
    ca: bytes
    connect: Connect
    log: Path
    web: Front

    @property
    def url(self) -> str:
        return self.web.url

    def said(self) -> str:
        return self.log.read_text()


@contextmanager
def mock(name: str, *options: str, tls: ssl.SSLContext | None = None) -> Iterator[Foreign]:
    """The server that is kept outside the project; skips the calling test where it is absent."""
    with mock_server(*options) as running:
        port = urlsplit(running.url).port or 0

        def connect() -> socket.socket:
            return socket.create_connection(("127.0.0.1", port))

        with front(connect, tls) as web:
            yield Foreign(name, running.ca, connect, running.log, web)


@contextmanager
def scepserver(
    name: str, *options: str, make: Callable[[Path], None] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[Foreign]:
    """micromdm's server; skips the calling test where it, or a network of its own, cannot be had.

    Args:
        name: as the documentation has it.
        options: of its command line, after those that make it take CHALLENGE and renewals.
        make: makes its CA in a folder; its own way by default.
        tls: has the front speak https.
    """
    with Depot(*options, make=make) as depot, front(depot.connect, tls) as web:
        yield Foreign(name, depot.ca, depot.connect, depot.log, web)


class Depot:
    """A scepserver that can be stopped and started again: its depot outlives it."""

    def __init__(self, *options: str, make: Callable[[Path], None] | None = None) -> None:
        self._program = program("scepserver")
        self._network = network_of_its_own()
        self._folder = Path(tempfile.mkdtemp(prefix="scep", dir="/tmp"))  # a socket's path has less than 108 bytes
        self._socket = self._folder / "door"
        self.log = self._folder / "log"
        (make or self._make_ca)(self._folder / "depot")
        self.ca = x509.load_pem_x509_certificate((self._folder / "depot" / "ca.pem").read_bytes()).public_bytes(Encoding.DER)
        self._options = ("-challenge", CHALLENGE, "-allowrenew", "0", *options)  # of an option given twice the last counts
        self._process: subprocess.Popen[str] | None = None

    def connect(self) -> socket.socket:
        """A line to the server. Raises OSError where it does not run."""
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(self._socket))
        except OSError:
            line.close()
            raise
        return line

    def start(self) -> None:
        """Starts the server and waits until it listens."""
        depot = str(self._folder / "depot")
        command = [
            *(*self._network, sys.executable, str(_ALONE), str(self._socket), _PORT),
            *(self._program, "-depot", depot, "-port", _PORT, *self._options),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=self._folder, text=True
            )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.stop()
            pytest.fail(f"scepserver did not start: {self.log.read_text()}", pytrace=False)

    def stop(self) -> None:
        """Stops it."""
        if self._process is not None:
            self._process.communicate()  # the end of its input ends it
            self._process = None
        self._socket.unlink(missing_ok=True)

    def __enter__(self) -> Depot:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _make_ca(self, depot: Path) -> None:
        made = [self._program, "ca", "-init", "-depot", str(depot), "-keySize", "2048"]
        subprocess.run(made, check=True, capture_output=True, cwd=self._folder)


def better_ca(depot: Path) -> None:
    """A CA whose certificate says what it is used for: keyEncipherment and digitalSignature too. Its key has a password."""
    depot.mkdir()
    key, openssl = str(depot / "ca.key"), program("openssl")
    _run(openssl, "genrsa", "-traditional", "-des3", "-passout", "pass:capw", "-out", key, "2048")
    _run(
        *(openssl, "req", "-x509", "-new", "-key", key, "-passin", "pass:capw", "-days", "30"),
        *("-subj", "/O=Test/CN=Depot CA", "-out", str(depot / "ca.pem")),
        *("-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign,cRLSign"),
    )


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


@cache
def network_of_its_own() -> Sequence[str]:
    """The command that starts another in a network of its own; skips the calling test where nobody lets us have one."""
    unshare = program("unshare")
    for command in ((unshare, "--net"), (unshare, "--net", "--map-root-user")):
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode == 0:
            return command
    pytest.skip("a network namespace needs root, or user namespaces: scepserver listens on every interface")
