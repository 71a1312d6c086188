"""Certificates enrolled for by COM objects on a key store of one's choice, and what outsiders say of them afterwards.

The profile is the one that XENROLL_HOME names; its own CA answers.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import certenroll
from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.engine.opening import open_workspace
from certenroll.facade_values import CertificateEntry
from keystores.base import KeyAlgorithm
from tests.support import judges
from tests.support.enrolling import BINARY, new_enrollment, new_key, new_request
from tests.support.profiles import home

USER = 1
ALGORITHMS = ("RSA", "EC")
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """A key store, the KeyLocation that means it, and the fixture of tests/flows that provides it."""

    store: str
    location: int
    fixture: str = ""

    def ready(self, request: pytest.FixtureRequest) -> Place:
        """Has the device at hand, for the calling test."""
        if self.fixture:
            request.getfixturevalue(self.fixture)
        return self

    def new_key(self, algorithm: str, **properties: Any) -> Any:
        """An IX509PrivateKey of 2048 bits or of P-256 that will be made here."""
        if algorithm == "RSA":
            properties["Length"] = 2048
        return new_key(KeyLocation=self.location, ContainerName=f"container {next(_NUMBERS)}", **properties)


SOFTWARE = Place("software", 3)
TPM = Place("tpm", 2, "with_tpm")
CARD = Place("smartcard", 4, "with_card")
PLACES = (SOFTWARE, TPM, CARD)


def make_ca(**policy: Any) -> LocalCA:
    """The profile's own CA with the rules of ``policy``: P-256, a root above it, trusted in ROOT."""
    made = LocalCA.create(
        home() / "ca", "Test CA", host="ca.test", algorithm=KeyAlgorithm.EC, bits=256, two_tier=True, policy=Policy(**policy)
    )
    facade.add_certificate("ROOT", made.certificates()[-1])
    return made


def change_policy(ca: LocalCA, **changes: Any) -> LocalCA:
    """The CA with other rules from now on."""
    replace(ca.policy, **changes).save(home() / "ca")
    return LocalCA(home() / "ca")


def enroll(request: Any, template: str = "") -> Any:
    """An IX509Enrollment that has sent a request, and beside it the name of a template."""
    enrollment = new_enrollment(request)
    if template:
        enrollment.NameValuePairs.Add(pair("CertificateTemplate", template))
    enrollment.Enroll()
    return enrollment


def installed(place: Place, algorithm: str, subject: str = "CN=someone", template: str = "User") -> bytes:
    """DER of a certificate of the profile's CA that is installed in MY, its key at a place."""
    enrollment = enroll(new_request(subject, place.new_key(algorithm)), template)
    found: bytes = enrollment.Certificate(BINARY)
    return found


def pair(name: str, value: str) -> Any:
    """An IX509NameValuePair."""
    made: Any = certenroll.Dispatch("X509Enrollment.CX509NameValuePair")
    made.Initialize(name, value)
    return made


def signer(certificate: bytes) -> Any:
    """An ISignerCertificate of MY."""
    made: Any = certenroll.Dispatch("X509Enrollment.CSignerCertificate")
    made.Initialize(False, 0, BINARY, certificate)
    return made


def message(kind: str, *signers: bytes, inner: Any = None) -> Any:
    """A request object of a kind (``Pkcs7`` or ``Cmc``), around another one where one is given, for these to sign."""
    made: Any = certenroll.Dispatch(f"X509Enrollment.CX509CertificateRequest{kind}")
    if inner is not None:
        made.InitializeFromInnerRequest(inner)
    for certificate in signers:
        if kind == "Cmc":
            made.SignerCertificates.Add(signer(certificate))
        else:
            made.SignerCertificate = signer(certificate)
    return made


def renewal(kind: str, old: bytes, options: int = 0) -> Any:
    """A request that renews a certificate of MY."""
    made = message(kind)
    made.InitializeFromCertificate(USER, True, old, BINARY, options)
    return made


def property_of(kind: str, certificate: bytes) -> Any:
    """An ICertProperty of that kind, read from a certificate of the user's stores."""
    made: Any = certenroll.Dispatch(f"X509Enrollment.CCertProperty{kind}")
    made.InitializeFromCertificate(False, BINARY, certificate)
    return made


def entry(certificate: bytes) -> CertificateEntry:
    """A certificate as MY has it."""
    return facade.find_certificate("MY", hashlib.sha1(certificate).hexdigest())


def judged(folder: Path, certificate: bytes, place: Place) -> x509.Certificate:
    """The certificate, once OpenSSL has verified its chain and its private key, at that place, has signed."""
    found = entry(certificate)
    assert found.key is not None
    assert found.key.store == place.store
    judges.openssl_verifies_chain(folder, certificate, LocalCA(home() / "ca").certificates())
    read = x509.load_der_x509_certificate(certificate)
    key: Any = open_workspace().key_stores.open(found.key.store, found.key.container).private_key
    public: Any = read.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(key.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256())
    else:
        public.verify(key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))
    return read
