"""A bench for one member of the control: a profile with an RSA key in a container, a CA, and eyes for what a call left.

Effects are seen by others than the control: pyca and OpenSSL read what was made, the stores are listed by the facade.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from certenroll import facade
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.engine.submission import response_of
from certenroll.errors import ComError
from certenroll.hresults import signed
from tests.support.requires import program
from xenroll_compat import CEnroll

SHARED, OTHER = "shared", "other"  # containers of keys that are there already: 2048 bits, the first one exportable
THERE = [OTHER, SHARED]
CLIENT = "1.3.6.1.5.5.7.3.2"
EVERYWHERE = {"MY": ["CN=User"], "CA": ["CN=Test CA"], "ROOT": ["CN=Test CA Root"]}


@dataclass(frozen=True)
class Bench:
    """What an effect is shown with.

    Attributes:
        folder: for files.
        ca: a CA with a root above it, which the profile does not know.
    """

    folder: Path
    ca: LocalCA

    def control(self, **properties: Any) -> Any:
        """A control whose requests are for the key that is there."""
        return _with(CEnroll(), {"ContainerName": SHARED, "UseExistingKeySet": True, **properties})

    def with_new_key(self, **properties: Any) -> Any:
        """A control whose requests make an exportable key of 1024 bits."""
        return _with(CEnroll(), {"GenKeyFlags": 1024 << 16 | 1, **properties})

    def file(self, name: str) -> str:
        """The name of a file that is not there."""
        return str(self.folder / name)

    def answer(self, request: bytes) -> bytes:
        """The CA's PKCS #7 for a request."""
        answer = self.ca.submit(Submission(request, {}, requester="TEST\\user"))
        assert answer.certificate is not None, answer.message
        return response_of(answer)

    def answered(self, control: Any, name: str = "CN=User") -> bytes:
        """The CA's PKCS #7 for a new request of the control."""
        return self.answer(control.createPKCS10WStr(name, CLIENT))

    def chain(self) -> bytes:
        """The CA's own certificates as a PKCS #7."""
        return bag(*(x509.load_der_x509_certificate(one) for one in self.ca.certificates()))


Effect = Callable[[Bench, str], None]


def _with(control: Any, properties: dict[str, Any]) -> Any:
    for name, value in properties.items():
        setattr(control, name, value)
    return control


def csr(control: Any, name: str = "CN=User", usage: str = "") -> x509.CertificateSigningRequest:
    """A new PKCS #10 of the control, as pyca reads it."""
    return parsed(control.createPKCS10WStr(name, usage))


def parsed(request: str | bytes) -> x509.CertificateSigningRequest:
    """A PKCS #10 as pyca reads it, its signature verified."""
    found = x509.load_der_x509_csr(as_bytes(request))
    assert found.is_signature_valid
    return found


def as_bytes(value: str | bytes) -> bytes:
    """Bytes as they are, or those of a base64 text with or without a header."""
    if isinstance(value, bytes):
        return value
    return base64.b64decode("".join(line for line in value.splitlines() if not line.startswith("-----")), validate=True)


def base64_of(message: bytes) -> str:
    """A message as a script has it."""
    return base64.b64encode(message).decode()


def bag(*certificates: x509.Certificate) -> bytes:
    """A PKCS #7 of certificates."""
    return pkcs7.serialize_certificates(list(certificates), Encoding.DER)


def leaf_of(message: bytes) -> bytes:
    """The certificate of the user in a PKCS #7."""
    found = pkcs7.load_der_pkcs7_certificates(message)
    return next(one for one in found if "User" in one.subject.rfc4514_string()).public_bytes(Encoding.DER)


def subjects(store: str, context: int = 1) -> list[str]:
    """The subjects of a store's certificates."""
    return sorted(one.subject for one in facade.certificates(store, context))


def stores(context: int = 1) -> dict[str, list[str]]:
    """The subjects of the four system stores; an empty one is left out."""
    return {name: found for name in ("MY", "CA", "ROOT", "REQUEST") if (found := subjects(name, context))}


def containers() -> list[str]:
    """The containers of the software key store."""
    return sorted(facade.containers("software"))


def extension_ids(request: x509.CertificateSigningRequest) -> set[str]:
    """The object ids of a request's extensions."""
    return {one.oid.dotted_string for one in request.extensions}


def attribute(request: x509.CertificateSigningRequest, oid: str) -> bytes:
    """The DER of the first value of a request's attribute without its tag and length, or b"" where it has none."""
    return next((one.value for one in request.attributes if one.oid.dotted_string == oid), b"")


def openssl(*arguments: str, data: bytes = b"") -> str:
    """What OpenSSL prints; the test fails where it fails."""
    done = subprocess.run([program("openssl"), *arguments], input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode(errors="replace") + done.stderr.decode()


def refused(code: int, call: Callable[..., object], *arguments: object) -> None:
    """Makes a call that must fail with ``code``."""
    with pytest.raises(ComError) as caught:
        call(*arguments)
    assert caught.value.hresult == signed(code), str(caught.value)
