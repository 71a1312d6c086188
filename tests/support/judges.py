"""Programs by other hands that use what was enrolled: OpenSSL with its default, TPM and PKCS#11 parts, pkcs11-tool."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.ca import pem
from tests.support.requires import missing, program

_TPM_FIRST = ("-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2")
_OBJECT = re.compile(r"^(Private Key|Public Key|Certificate) Object.*\n((?:^ .*\n?)*)", re.M)


def run(*command: str, **environment: str) -> str:
    """What a program prints, errors included; the test fails where it fails."""
    done = subprocess.run(
        command, env={**os.environ, "TSS2_LOG": "all+NONE", **environment}, capture_output=True, text=True, timeout=60,
        check=False, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def openssl_signs_with_file(folder: Path, certificate: bytes, key_file: str, *, tcti: str = "") -> None:
    """OpenSSL signs with a key file (of the TPM where ``tcti`` is given) and verifies with the certificate's key."""
    data, signature, public = folder / "data", folder / "signature", _public_key(folder, certificate)
    data.write_bytes(b"to be signed")
    if tcti:
        _require_provider()
        run(
            program("openssl"), "dgst", "-sha256", *_TPM_FIRST, "-sign", key_file, "-out", str(signature), str(data),
            TPM2OPENSSL_TCTI=tcti,
        )
    else:
        run(program("openssl"), "dgst", "-sha256", "-sign", key_file, "-out", str(signature), str(data))
    _verify(public, signature, data)


def openssl_signs_with_engine(folder: Path, certificate: bytes, reference: str, module: str) -> None:
    """OpenSSL's PKCS#11 engine signs with the card's key and OpenSSL verifies with the certificate's."""
    require_engine()
    data, signature, public = folder / "data", folder / "signature", _public_key(folder, certificate)
    data.write_bytes(b"to be signed")
    run(
        program("openssl"), "dgst", "-sha256", "-engine", "pkcs11", "-keyform", "engine", "-sign", reference,
        "-passin", "env:XENROLL_PIN", "-out", str(signature), str(data), PKCS11_MODULE_PATH=module,
    )
    _verify(public, signature, data)


def openssl_verifies_chain(folder: Path, certificate: bytes, chain: tuple[bytes, ...]) -> None:
    """`openssl verify` finds the certificate good under the last one of the chain."""
    leaf, above, root = folder / "leaf.pem", folder / "above.pem", folder / "root.pem"
    leaf.write_text(pem("CERTIFICATE", certificate))
    above.write_text(pem("CERTIFICATE", *chain))
    root.write_text(pem("CERTIFICATE", chain[-1]))
    run(program("openssl"), "verify", "-x509_strict", "-CAfile", str(root), "-untrusted", str(above), str(leaf))


def card_objects(module: str, label: str) -> list[tuple[str, str, str]]:
    """(kind, CKA_ID, access) of every object of a token, as pkcs11-tool tells it."""
    listed = run(
        program("pkcs11-tool"), "--module", module, "--token-label", label, "--login", "--pin", "env:XENROLL_PIN",
        "--list-objects",
    )
    return sorted((kind, _field("ID", facts), _field("Access", facts)) for kind, facts in _OBJECT.findall(listed))


def require_engine() -> None:
    """Skips, or fails, the test where OpenSSL's PKCS#11 engine is not installed."""
    if not list(Path("/usr/lib").glob("**/engines-*/pkcs11.so")):
        missing("judges", "libengine-pkcs11-openssl")


def _require_provider() -> None:
    modules = run(program("openssl"), "version", "-m")
    if not Path(modules.split('"')[1], "tpm2.so").exists():
        missing("tpm", "OpenSSL's tpm2 provider")


def _field(name: str, facts: str) -> str:
    found = re.search(rf"^\s+{name}:\s+(.*)$", facts, re.M)
    return found[1].strip() if found else ""


def _public_key(folder: Path, certificate: bytes) -> Path:
    path = folder / "public.pem"
    key = x509.load_der_x509_certificate(certificate).public_key()
    path.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


def _verify(public: Path, signature: Path, data: Path) -> None:
    said = run(program("openssl"), "dgst", "-sha256", "-verify", str(public), "-signature", str(signature), str(data))
    assert "Verified OK" in said
