"""What the tests of enrollment share: requests made as scripts make them, certificates for them, and a profile laid open."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key, pkcs7

import certenroll
from certenroll.asn1.pkcs10 import CertificationRequest, decode
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from tests.stores.pki import Made, make

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
P256 = "1.2.840.10045.3.1.7"


@dataclass(frozen=True)
class PublicOnly:
    """What ``pki.make`` asks of a key, for one whose private half is in a profile."""

    spki: bytes

    def public_key(self) -> Any:
        return load_der_public_key(self.spki)


def oid(value: str) -> Any:
    made: Any = certenroll.Dispatch("X509Enrollment.CObjectId")
    made.InitializeFromValue(value)
    return made


def name(text: str) -> Any:
    made: Any = certenroll.Dispatch("X509Enrollment.CX500DistinguishedName")
    made.Encode(text)
    return made


def new_key(**properties: Any) -> Any:
    """An IX509PrivateKey for P-256, or as the properties say; not created yet."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509PrivateKey")
    if "Length" not in properties and "Algorithm" not in properties:
        made.Algorithm = oid(P256)
    for member, value in properties.items():
        setattr(made, member, value)
    return made


def new_request(subject: str = "CN=leaf", key: Any = None, template: str = "") -> Any:
    """An IX509CertificateRequestPkcs10 for the user."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")
    made.InitializeFromPrivateKey(1, key if key is not None else new_key(), template)
    if subject:
        made.Subject = name(subject)
    return made


def new_enrollment(request: Any = None) -> Any:
    """An IX509Enrollment, with a request or with none."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    if request is None:
        made.Initialize(1)
    else:
        made.InitializeFromRequest(request)
    return made


def requested() -> tuple[Any, bytes]:
    """An enrollment whose request is outstanding, and the request's public key."""
    enrollment = new_enrollment(new_request())
    enrollment.CreateRequest()
    return enrollment, enrollment.Request.spki_bytes()


def issue(spki: bytes, issuer: Made, **how: Any) -> Made:
    """A certificate for a public key."""
    return make("leaf", issuer, private=PublicOnly(spki), **how)


def bag(*certificates: Made) -> bytes:
    """A PKCS#7 with certificates."""
    return pkcs7.serialize_certificates([x509.load_der_x509_certificate(one.der) for one in certificates], Encoding.DER)


def laid_open(home: Path) -> dict[str, object]:
    """All that a profile keeps: every row of its database, and every other file with its octets."""
    with sqlite3.connect(f"file:{home / 'store.db'}?mode=ro", uri=True) as connection:
        rows = list(connection.iterdump())
    connection.close()
    files = {str(one): one.read_bytes() for one in home.rglob("*") if one.is_file() and not one.name.startswith("store.db")}
    return {"rows": rows, "files": files}


def code(error: Any) -> int:
    """The unsigned result code of a ComError."""
    return int(error.hresult) & 0xFFFFFFFF


def refused(what: Callable[..., object], *arguments: Any) -> int:
    """The code with which a call is refused; the test fails where it is not."""
    with pytest.raises(ComError) as caught:
        what(*arguments)
    return code(caught.value)


def blank_request() -> Any:
    """An IX509CertificateRequestPkcs10 before any Initialize method."""
    return certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs10")


def encoded(request: Any) -> CertificationRequest:
    """A request's message, read from its bytes."""
    request.Encode()
    return decode(request.RawData(BINARY))


def key_usage(flags: int) -> Any:
    """An IX509ExtensionKeyUsage."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509ExtensionKeyUsage")
    made.InitializeEncode(flags)
    return made
