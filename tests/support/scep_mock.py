"""Other people's SCEP servers, each a process of its own: one kept outside the project, and micromdm's scepserver.

``scep_foreign`` has both behind a front that can change what goes by.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.support.requires import package
from tests.support.shared import shared_path

_PATIENCE = 30.0  # seconds; on a busy machine a start takes a while, and none takes this long
CHALLENGE = "mock-challenge-sesame"


@dataclass(frozen=True)
class MockServer:
    """A running server.

    Attributes:
        url: where it is.
        ca: its CA's certificate in DER.
        log: what it writes, a line for each message.
    """

    url: str
    ca: bytes
    log: Path


@contextmanager
def mock_server(*options: str) -> Iterator[MockServer]:
    """Starts the server for as long as the block lasts. Skips the calling test where it is absent."""
    script = shared_path("oracles", "scep_mock_server.py")
    package("asn1crypto", "judges")
    with tempfile.TemporaryDirectory(prefix="scep-mock-") as folder:
        port = _free_port()
        command = [sys.executable, str(script), "--port", str(port), "--dir", folder, "--challenge", CHALLENGE, *options]
        with _running(command, port, Path(folder, "ca.pem")) as server:
            yield server


@contextmanager
def micromdm_server() -> Iterator[MockServer]:
    """micromdm's scepserver, for as long as the block lasts. Skips the calling test where it cannot be had."""
    from tests.support.scep_foreign import scepserver  # it stands on this module

    with scepserver("scepserver") as server:
        yield MockServer(server.url, server.ca, server.log)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, ca: Path) -> Iterator[MockServer]:
    log = ca.with_name("log")
    with log.open("wb") as written, subprocess.Popen(command, stdout=written, stderr=written, cwd=ca.parent) as process:
        try:
            _until_it_listens(port, process, log)
            der = x509.load_pem_x509_certificate(ca.read_bytes()).public_bytes(Encoding.DER)
            yield MockServer(f"http://127.0.0.1:{port}/scep", der, log)
        finally:
            process.terminate()


def _until_it_listens(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    pytest.fail(f"the SCEP server did not start: {log.read_text()}", pytrace=False)
