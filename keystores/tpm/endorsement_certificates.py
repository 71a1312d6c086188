"""Certificates for a TPM's endorsement key: whose key one has, and those that were added, in a folder beside the keys.

Knows no TPM. The manufacturer's certificate is in the TPM's NV and is read only; what is added here goes into files and
not into NV, because NV is small, writing it wants the owner's password, and the indices there are the manufacturer's.
Windows keeps added ones outside the TPM too. One file a certificate, DER, named by its SHA-256; in the order of adding.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Annotated, Final

from cryptography.hazmat import asn1

from keystores.base import EndorsementKey
from keystores.errors import BadKeyData, DeviceFailure, KeyStoreError, NotPermitted
from keystores.filenames import disk_errors, private_directory, remove, write_new
from keystores.tpm.errors import STORE

FOLDER: Final = "endorsement"
SUFFIX: Final = ".cer"
LARGEST: Final = 64 * 1024  # bytes

BAD_DATA: Final = 0x80090005  # NTE_BAD_DATA
BAD_PUBLIC_KEY: Final = 0x80090015  # NTE_BAD_PUBLIC_KEY
PERMISSION: Final = 0x80090010  # NTE_PERM
NOT_FOUND: Final = 0x80092004  # CRYPT_E_NOT_FOUND


@asn1.sequence
class _KeyInfo:
    algorithm: asn1.TLV
    key: asn1.BitString


# Only what is looked at has a type: manufacturers' certificates have odd serial numbers, names and key algorithms.
@asn1.sequence
class _ToBeSigned:
    version: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    serial: asn1.TLV
    algorithm: asn1.TLV
    issuer: asn1.TLV
    validity: asn1.TLV
    subject: asn1.TLV
    key: _KeyInfo
    issuer_id: Annotated[asn1.BitString | None, asn1.Implicit(1)]
    subject_id: Annotated[asn1.BitString | None, asn1.Implicit(2)]
    extensions: Annotated[list[asn1.TLV] | None, asn1.Explicit(3)]


@asn1.sequence
class _Certificate:
    content: _ToBeSigned
    algorithm: asn1.TLV
    signature: asn1.BitString


def whole_certificate(data: bytes) -> bytes:
    """The DER certificate that ``data`` begins with; NV indices are often larger than what is in them.

    Raises:
        BadKeyData: it begins with none.
    """
    octets = data[1] & 0x7F if len(data) > 1 and data[1] & 0x80 else 0
    head = data[: 2 + octets]
    length = int.from_bytes(head[2:], "big") if octets else (head[-1] if head else 0)
    certificate = data[: len(head) + length]
    _parsed(certificate)
    return certificate


def belongs_to(certificate: bytes, public_key: bytes) -> bool:
    """Whether a DER certificate is for a public key (DER SubjectPublicKeyInfo). Raises BadKeyData.

    Only the key's own bits are compared: some manufacturers name RSAES-OAEP as the algorithm of an RSA key.
    """
    wanted = asn1.decode_der(_KeyInfo, public_key).key
    return _parsed(certificate).content.key.key.as_bytes() == wanted.as_bytes()


def owned(folder: Path, key: EndorsementKey) -> tuple[bytes, ...]:
    """The certificates that were added for ``key``, in the order of adding. Those for other keys are left out."""
    directory = folder / FOLDER
    with disk_errors(directory, STORE), contextlib.suppress(FileNotFoundError):
        paths = [path for path in directory.iterdir() if path.name.endswith(SUFFIX) and not path.name.startswith(".")]
        found = [path.read_bytes() for path in sorted(paths, key=lambda path: (path.stat().st_mtime_ns, path.name))]
        return tuple(one for one in found if _readable(one) and belongs_to(one, key.public_key))
    return ()


def add(folder: Path, key: EndorsementKey, certificate: bytes) -> None:
    """Adds a DER certificate for ``key``. One that was added before stays where it is.

    Raises:
        BadKeyData: NTE_BAD_DATA where it is no certificate, NTE_BAD_PUBLIC_KEY where it is for another key.
        NotPermitted: NTE_PERM: it is the manufacturer's, which is in the TPM.
        StoreFull, DeviceFailure: the file cannot be written.
    """
    if not belongs_to(certificate, key.public_key):
        message = "the certificate is for another key than the TPM's endorsement key"
        raise BadKeyData(message, store=STORE, hresult=BAD_PUBLIC_KEY)
    _refuse_manufacturers(key, certificate, "added")
    path = _path(folder, certificate)
    try:
        with disk_errors(path, STORE):
            private_directory(path.parent)
            write_new(path, certificate)
    except FileExistsError as error:
        if not path.is_file():
            raise DeviceFailure(f"{path.parent} is no folder; remove it", store=STORE) from error


def discard(folder: Path, key: EndorsementKey, certificate: bytes) -> None:
    """Removes a certificate that was added.

    Raises:
        NotPermitted: NTE_PERM: it is the manufacturer's, which is in the TPM.
        KeyStoreError: CRYPT_E_NOT_FOUND: it was not added.
    """
    _refuse_manufacturers(key, certificate, "removed")
    path = _path(folder, certificate)
    try:
        with disk_errors(path, STORE):
            remove(path)
    except FileNotFoundError as error:
        message = "this certificate was not added to the endorsement key"
        raise KeyStoreError(message, store=STORE, hresult=NOT_FOUND) from error


def _refuse_manufacturers(key: EndorsementKey, certificate: bytes, done: str) -> None:
    if certificate in key.certificates:
        message = f"this is the manufacturer's certificate; it is in the TPM and cannot be {done}"
        raise NotPermitted(message, store=STORE, hresult=PERMISSION)


def _path(folder: Path, certificate: bytes) -> Path:
    return folder / FOLDER / f"{hashlib.sha256(certificate).hexdigest()}{SUFFIX}"


def _readable(certificate: bytes) -> bool:
    try:
        _parsed(certificate)
    except BadKeyData:
        return False
    return True


def _parsed(certificate: bytes) -> _Certificate:
    if len(certificate) > LARGEST:
        raise BadKeyData(f"a certificate has at most {LARGEST} bytes", store=STORE, hresult=BAD_DATA)
    try:
        return asn1.decode_der(_Certificate, certificate)
    except ValueError as error:
        raise BadKeyData("this is no X.509 certificate in DER", store=STORE, hresult=BAD_DATA) from error
