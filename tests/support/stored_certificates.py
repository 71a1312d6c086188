"""Certificates in the stores of a profile, for tests of what stands beside them. The profile is the one of XENROLL_HOME."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.engine.opening import open_workspace
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import signed
from keystores.base import PrivateKey

USER, MACHINE = X509CertificateEnrollmentContext.ContextUser, X509CertificateEnrollmentContext.ContextMachine


def refused(code: int, call: Callable[..., Any], *args: Any) -> ComError:
    """The error of a call that must fail with that code."""
    with pytest.raises(ComError) as caught:
        call(*args)
    assert caught.value.hresult == signed(code), caught.value
    return caught.value


def certificate(key: PrivateKey | None = None, name: str = "leaf", serial: int = 0x61000000000000000A) -> bytes:
    """A self-signed certificate of ``key``, or of a key that nobody keeps."""
    signer = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(signer.public_key())
        .serial_number(serial).not_valid_before(now).not_valid_after(now + timedelta(days=365)).sign(signer, SHA256())
    )
    return built.public_bytes(Encoding.DER)


def stored(store: str = "MY", der: bytes = b"", context: int = USER) -> bytes:
    """A certificate that is in a store."""
    der = der or certificate()
    open_workspace(context).certificates.add(store, der)
    return der


def on_certificate(der: bytes, property_id: int, store: str = "MY", context: int = USER) -> bytes | None:
    """The value that stands beside a certificate, or None."""
    return open_workspace(context).certificates.get_property(store, hashlib.sha1(der).digest(), property_id)


def initialized(kind: type[Any], *args: Any) -> Any:
    """A new object after its Initialize."""
    made = kind()
    made.Initialize(*args)
    return made
