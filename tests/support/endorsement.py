"""The endorsement key of a test's TPM as others see it: certificates that OpenSSL makes, what tpm2-tools read and write."""

from __future__ import annotations

from pathlib import Path

from tests.support.judges import run
from tests.support.requires import program
from tests.support.swtpm import SwTpm

CERTIFICATE_INDEX = {"rsa": 0x01C00002, "ecc": 0x01C0000A}  # TCG EK Credential Profile, section 2.2.1


def tools(tpm: SwTpm, command: str, *arguments: str) -> str:
    """What a program of tpm2-tools prints; it leaves nothing in the TPM."""
    tpm2 = program("tpm2")
    shown = run(tpm2, command, *arguments, TPM2TOOLS_TCTI=tpm.tcti)
    run(tpm2, "flushcontext", "--transient-object", TPM2TOOLS_TCTI=tpm.tcti)
    return shown


def certificate_for(folder: Path, public_key: bytes, issuer: str = "TPM Maker") -> bytes:
    """A DER certificate for a public key (DER SubjectPublicKeyInfo), which OpenSSL makes with a CA of that name."""
    openssl = program("openssl")
    key, ca, ca_key, made = (folder / f"{issuer}.{name}" for name in ("spki", "ca", "key", "cer"))
    key.write_bytes(public_key)
    run(
        openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={issuer}",
        "-keyout", str(ca_key), "-out", str(ca),
    )
    run(
        openssl, "x509", "-new", "-subj", "/CN=endorsement key", "-force_pubkey", str(key), "-CA", str(ca),
        "-CAkey", str(ca_key), "-days", "30", "-outform", "DER", "-out", str(made),
    )
    return made.read_bytes()


def write_nv(tpm: SwTpm, index: int, data: bytes, *, room: int = 0, attributes: str = "authread|ownerread") -> None:
    """Puts ``data`` into the TPM's NV, in an index with ``room`` bytes more, as its manufacturer does."""
    file = tpm.directory / "nv"
    file.write_bytes(data)
    place = f"0x{index:08x}"
    size = str(len(data) + room)
    tools(tpm, "nvdefine", place, "-C", "o", "-s", size, "-a", f"{attributes}|ownerwrite")
    if data:
        tools(tpm, "nvwrite", place, "-C", "o", "-i", str(file))
