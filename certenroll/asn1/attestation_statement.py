"""KeyAttestationStatement: how a TPM says that a key is in it and cannot leave, in the blob that Windows' providers give.

Bytes to a frozen value and back, down to the TPM's own structures, which stay bytes here. Verifies nothing.

The blob is documented; within it MS-WCCE leaves the form of the two keys to the provider and names a structure of TPM 1.2
for what the TPM signed. Here they are TPM2B_PUBLIC and TPMS_ATTEST. Sources: MS-WCCE 2.2.2.5; TCG TPM 2.0 Library part 2,
sections 10.4.2 (TPM2B), 10.12.12 (TPMS_ATTEST), 11.3.4 (TPMT_SIGNATURE); winerror.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

_MAGIC: Final = 0x5453414B  # "KAST" in the order of the octets
_KEY_MAGIC: Final = 0x5344414B  # "KADS"
_VERSION: Final = 1
_TPM_2: Final = 2
_HEADER: Final = struct.Struct("<7I")  # magic, version, platform, header size, then the sizes of the three parts
_KEY_HEADER: Final = struct.Struct("<6I")  # the same without a version
_SIZE: Final = struct.Struct(">H")  # of a TPM2B structure
_NO_SIGNATURE: Final = b"\x00\x10"  # TPMT_SIGNATURE of TPM_ALG_NULL


@dataclass(frozen=True, slots=True)
class IdBinding:
    """The attestation key, and its own statement of how it was made.

    Attributes:
        public: TPMT_PUBLIC of the attestation key.
        creation_data: TPMS_CREATION_DATA; b"" where the key says nothing of its making.
        attest: TPMS_ATTEST over it; b"" likewise.
        signature: TPMT_SIGNATURE over that.
    """

    public: bytes
    creation_data: bytes = b""
    attest: bytes = b""
    signature: bytes = _NO_SIGNATURE


@dataclass(frozen=True, slots=True)
class Statement:
    """A KeyAttestationStatement of a TPM 2.0.

    Attributes:
        binding: the attestation key; None where only the subject is attested.
        attest: TPMS_ATTEST, by which the attestation key certifies the request's key.
        signature: TPMT_SIGNATURE over it.
        key: TPMT_PUBLIC of the request's key.
        opaque: the provider's own form of the private attestation key; b"" where it is made anew each time.
    """

    binding: IdBinding | None
    attest: bytes
    signature: bytes
    key: bytes
    opaque: bytes = b""


def encode_statement(statement: Statement) -> bytes:
    """The octets of a statement, without the OCTET STRING around them."""
    binding = _encode_binding(statement.binding) if statement.binding is not None else b""
    key = tpm2b(statement.key)
    sizes = (len(statement.attest), len(statement.signature), len(key))
    inner = _KEY_HEADER.pack(_KEY_MAGIC, _TPM_2, _KEY_HEADER.size, *sizes) + statement.attest + statement.signature + key
    outer = (len(binding), len(inner), len(statement.opaque))
    return _HEADER.pack(_MAGIC, _VERSION, _TPM_2, _HEADER.size, *outer) + binding + inner + statement.opaque


def decode_statement(data: bytes) -> Statement:
    """Reads a statement of a TPM 2.0.

    Raises:
        DecodeError: CERTSRV_E_CORRUPT_KEY_ATTESTATION where it is cut short, of another kind or version, of a TPM 1.2, or
            holds more than it says.
    """
    magic, version, platform, start, *sizes = _header(_HEADER, data)
    if (magic, version, platform) != (_MAGIC, _VERSION, _TPM_2):
        raise corrupt("the statement is none of version 1 and of a TPM 2.0")
    binding, inner, opaque = _parts(data, start, sizes)
    magic, platform, start, *sizes = _header(_KEY_HEADER, inner)
    if (magic, platform) != (_KEY_MAGIC, _TPM_2):
        raise corrupt("the statement holds no certified key of a TPM 2.0")
    attest, signature, blob = _parts(inner, start, sizes)
    key, rest = split_tpm2b(blob)
    if rest or not key:
        raise corrupt("the key of the statement is no TPM2B_PUBLIC")
    return Statement(_decode_binding(binding) if binding else None, attest, signature, key, opaque)


def _encode_binding(binding: IdBinding) -> bytes:
    sized = (binding.public, binding.creation_data, binding.attest)
    return b"".join(tpm2b(one) for one in sized) + binding.signature


def _decode_binding(data: bytes) -> IdBinding:
    public, data = split_tpm2b(data)
    creation_data, data = split_tpm2b(data)
    attest, signature = split_tpm2b(data)
    if not public or len(signature) < len(_NO_SIGNATURE):
        raise corrupt("the statement's binding lacks the attestation key or its signature")
    return IdBinding(public, creation_data, attest, signature)


def _header(form: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) < form.size:
        raise corrupt("the statement is cut short")
    return form.unpack_from(data)


def _parts(data: bytes, start: int, sizes: Iterable[int]) -> list[bytes]:
    """What stands behind a header, one part after the other, to the last octet."""
    parts = []
    for size in sizes:
        parts.append(data[start : start + size])
        start += size
    if start != len(data):
        raise corrupt("the statement's sizes do not fit its length")
    return parts


def tpm2b(data: bytes) -> bytes:
    """A TPM2B structure around ``data``."""
    return _SIZE.pack(len(data)) + data


def split_tpm2b(data: bytes) -> tuple[bytes, bytes]:
    """(what a TPM2B structure holds, what follows it). Raises DecodeError where it is cut short."""
    if len(data) < _SIZE.size:
        raise corrupt("a TPM structure is cut short")
    end = _SIZE.size + int(_SIZE.unpack_from(data)[0])
    if len(data) < end:
        raise corrupt("a TPM structure is cut short")
    return data[_SIZE.size : end], data[end:]


def corrupt(text: str) -> DecodeError:
    """The error of evidence that cannot be read."""
    return DecodeError(text, HRESULT.CERTSRV_E_CORRUPT_KEY_ATTESTATION)
