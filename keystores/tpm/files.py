"""The key file of a TPM key: TSS2 PRIVATE KEY in PEM, as OpenSSL's tpm2 provider and tpm2_pytss read and write it.

Knows no TPM and needs no TSS. Nearly all that can be said of a key stands in its public area; the one fact that has no
place there (the uses asked for: a TPM has one bit for decryption and agreement) is a line ``Use: sign decrypt agree``
before the BEGIN line. PEM readers pass over it, and a file without it is read too.

Source: draft-bottomley-tpm2-keys.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Annotated, Final

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from keystores.base import KeyUse
from keystores.errors import BadKeyData, UnsupportedKey
from keystores.tpm.public_area import PublicFacts, read_public

SUFFIX: Final = ".tss2"
LOADABLE: Final = ObjectIdentifier("2.23.133.10.1.3")
LARGEST: Final = 64 * 1024  # bytes; a file with an RSA-4096 key has less than 4000

_EMPTY_AUTH: Final = b"\xa0"
_PEM: Final = re.compile(rb"(?sm)^-----BEGIN TSS2 PRIVATE KEY-----\s(.*?)^-----END TSS2 PRIVATE KEY-----")
_USE_LINE: Final = re.compile(rb"^Use:((?: [a-z]+)+)\r?$", re.MULTILINE)
_USES: Final = {"sign": KeyUse.SIGN, "decrypt": KeyUse.DECRYPT, "agree": KeyUse.AGREE}


@asn1.sequence
class _Written:
    type: ObjectIdentifier
    empty_auth: Annotated[bool, asn1.Explicit(0)]
    parent: int
    public: bytes
    private: bytes


@asn1.sequence
class _Fields:
    values: list[asn1.TLV]


@asn1.sequence
class _Integer:
    value: int


@asn1.sequence
class _Octets:
    value: bytes


@asn1.sequence
class _Type:
    value: ObjectIdentifier


@dataclass(frozen=True)
class KeyFile:
    """What a key file holds.

    Attributes:
        public: TPM2B_PUBLIC, marshalled.
        private: TPM2B_PRIVATE, marshalled: encrypted by the TPM that made it, and of use to no other.
        parent: the handle of the storage key above it, 0x81000001, or 0x40000001 for the standard one that is derived.
        needs_pin: whether its authorization value is not empty.
        use: what it was made for; None where the file does not say.
    """

    public: bytes = field(repr=False)
    private: bytes = field(repr=False)
    parent: int
    needs_pin: bool
    use: KeyUse | None = None

    def facts(self) -> PublicFacts:
        """The facts of its public area. Raises BadKeyData, UnsupportedKey."""
        return read_public(self.public)


def encode(key: KeyFile, first_line: str = "") -> bytes:
    """The text of a key file.

    Args:
        key: what to write.
        first_line: a line (with its end) to put first, or "".
    """
    der = asn1.encode_der(
        _Written(type=LOADABLE, empty_auth=not key.needs_pin, parent=key.parent, public=key.public, private=key.private)
    )
    text = base64.b64encode(der).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    uses = " ".join(name for name, flag in _USES.items() if key.use is not None and flag in key.use)
    head = first_line + (f"Use: {uses}\n" if uses else "")
    return "\n".join([f"{head}-----BEGIN TSS2 PRIVATE KEY-----", *lines, "-----END TSS2 PRIVATE KEY-----", ""]).encode()


def decode(data: bytes) -> KeyFile:
    """Reads the text of a key file, ours or another program's.

    Raises:
        BadKeyData: it holds no TSS2 PRIVATE KEY, or one that cannot be read.
        UnsupportedKey: the key is of the importable type, or has a policy.
    """
    found = _PEM.search(data) if len(data) <= LARGEST else None
    if found is None:
        raise BadKeyData("the file holds no TSS2 PRIVATE KEY", store="tpm")
    try:
        kind, *rest = _fields(base64.b64decode(b"".join(found[1].split()), validate=True))
        if asn1.decode_der(_Type, _sequence(kind)).value != LOADABLE:
            raise UnsupportedKey("the key file's type is not the loadable one", store="tpm")
        return _key_file(rest, _use_of(data[: found.start()]))
    except ValueError as error:
        raise BadKeyData("the TSS2 PRIVATE KEY in the file cannot be read", store="tpm") from error


def _fields(der: bytes) -> list[asn1.TLV]:
    # hazmat.asn1 wants a class around a list; a list of anything is how optional fields of any tag are read.
    return asn1.decode_der(_Fields, _wrap(der)).values


def _sequence(element: asn1.TLV) -> bytes:
    return _wrap(asn1.encode_der(element))


def _wrap(contents: bytes) -> bytes:
    length = len(contents)
    size = length.to_bytes((length.bit_length() + 7) // 8 or 1, "big")
    return b"\x30" + (size if length < 0x80 else bytes([0x80 | len(size)]) + size) + contents


def _key_file(fields: list[asn1.TLV], use: KeyUse | None) -> KeyFile:
    *optional, parent, public, private = fields
    if [element.tag_bytes for element in optional] not in ([], [_EMPTY_AUTH]):
        raise UnsupportedKey("the key has a policy; keys with a PIN or with nothing are used", store="tpm")
    return KeyFile(
        parent=asn1.decode_der(_Integer, _sequence(parent)).value & 0xFFFFFFFF,
        public=asn1.decode_der(_Octets, _sequence(public)).value,
        private=asn1.decode_der(_Octets, _sequence(private)).value,
        # By its last byte, for some writers encode TRUE as 1, which DER forbids.
        needs_pin=not (optional and bytes(optional[0].data)[-1:] not in {b"", b"\0"}),
        use=use,
    )


def _use_of(preamble: bytes) -> KeyUse | None:
    found = _USE_LINE.search(preamble)
    words = found[1].decode("ascii").split() if found else []
    use = KeyUse(0)
    for word in words:
        use |= _USES.get(word, KeyUse(0))
    return use or None
