"""Certificates for the tests of this folder: made in one line, signed by pyca, or by openssl where pyca refuses the hash."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
DER = serialization.Encoding.DER


@cache
def key(name: str, bits: int = 0) -> Any:
    """A key for each name: EC P-256, or RSA of ``bits``."""
    return rsa.generate_private_key(65537, bits) if bits else ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    @property
    def spki(self) -> bytes:
        return bytes(self.key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo))


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def make(
    subject: str,
    issuer: Made | None = None,
    *,
    ca: bool | None = None,
    path_length: int | None = None,
    days: tuple[int, int] = (-100, 100),
    private: Any = None,
    signer: Any = None,
    issuer_name: str = "",
    key_ids: bool = True,
    extensions: tuple[tuple[Any, bool], ...] = (),
) -> Made:
    """A certificate; self-signed without an issuer. ``ca`` None: a CA where it is self-signed, else no constraints."""
    private = private or key(subject)
    above = issuer.certificate.subject if issuer else common_name(subject)
    signing = signer or (issuer.key if issuer else private)
    builder = (
        x509.CertificateBuilder()
        .subject_name(common_name(subject))
        .issuer_name(common_name(issuer_name) if issuer_name else above)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
    )
    constrained = (issuer is None) if ca is None else ca
    if constrained or ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(constrained, path_length), critical=True)
    if key_ids:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        known = (issuer.key if issuer else private).public_key()
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(known), critical=False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return Made(builder.sign(signing, hashes.SHA256()), private)


def openssl_signed(subject: str, issuer: Made, digest: str, extensions: str, private: Any = None) -> Made:
    """A certificate valid from now on for a month, that openssl signs with ``digest``."""
    private = private or key(subject)
    with TemporaryDirectory() as folder:
        place = Path(folder)
        for name, each in (("key", private), ("issuer.key", issuer.key)):
            place.joinpath(name).write_bytes(
                each.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                )
            )
        place.joinpath("issuer").write_bytes(issuer.certificate.public_bytes(serialization.Encoding.PEM))
        place.joinpath("more").write_text(extensions)
        commands = (
            ["req", "-new", "-key", "key", "-subj", f"/CN={subject}", "-out", "request"],
            ["x509", "-req", "-in", "request", "-CA", "issuer", "-CAkey", "issuer.key", "-extfile", "more", f"-{digest}"],
        )
        for command in commands:
            last = subprocess.run(["openssl", *command], cwd=place, check=True, capture_output=True)
        return Made(x509.load_pem_x509_certificate(last.stdout), private)
