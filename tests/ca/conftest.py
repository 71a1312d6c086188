"""CAs in temporary folders, and the judges that look at what they issue."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from keystores.base import KeyAlgorithm
from tests.support.requires import program


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ca(tmp_path: Path, clock: Clock) -> LocalCA:
    return LocalCA.create(
        tmp_path / "ca", "Test CA", host="ca.test", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True, clock=clock
    )


def openssl_request(folder: Path, subject: str = "/CN=Alice", *options: str, key: tuple[str, ...] = ("rsa:2048",)) -> bytes:
    """DER of a request that `openssl req` makes."""
    out = folder / "request.der"
    command = [program("openssl"), "req", "-new", "-nodes", "-newkey", *key, "-keyout", str(folder / "request.key")]
    command += ["-subj", subject, "-outform", "DER", "-out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return out.read_bytes()


EC_KEY = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@pytest.fixture
def request_of(tmp_path: Path) -> Callable[..., bytes]:
    return lambda *args, **kwargs: openssl_request(tmp_path, *args, **kwargs)


def pem(label: str, *ders: bytes) -> str:
    return "".join(f"-----BEGIN {label}-----\n{base64.encodebytes(one).decode()}-----END {label}-----\n" for one in ders)


def openssl_verify(folder: Path, certificate: bytes, chain: tuple[bytes, ...], *crls: bytes) -> str:
    """What `openssl verify -x509_strict` says of a certificate; with CRLs, what it says of the whole chain's status."""
    paths = {name: folder / f"judge-{name}.pem" for name in ("leaf", "chain", "root", "crls")}
    paths["leaf"].write_text(pem("CERTIFICATE", certificate))
    paths["chain"].write_text(pem("CERTIFICATE", *chain))
    paths["root"].write_text(pem("CERTIFICATE", chain[-1]))
    paths["crls"].write_text(pem("X509 CRL", *crls))
    command = [program("openssl"), "verify", "-x509_strict", "-CAfile", str(paths["root"])]
    command += ["-untrusted", str(paths["chain"])]
    command += ["-crl_check_all", "-CRLfile", str(paths["crls"])] if crls else []
    result = subprocess.run([*command, str(paths["leaf"])], capture_output=True, text=True, check=False)
    return "OK" if result.returncode == 0 else result.stderr


def issued(ca: LocalCA, request: bytes, **attributes: str) -> x509.Certificate:
    """The certificate that a CA issues; the test fails where it does not."""
    answer = ca.submit(Submission(request, attributes, requester="CORP\\alice"))
    assert answer.certificate is not None, answer.message
    return x509.load_der_x509_certificate(answer.certificate)
