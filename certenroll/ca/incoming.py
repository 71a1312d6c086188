"""What a CA reads from a message that asks for a certificate, whatever the kind of message.

A table says which reader takes which kind. Knows nothing of policies and of what is issued.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import algorithms, attributes, ber, der, extensions, pkcs10
from certenroll.asn1.der import DecodeError, EncodeError, Extension
from certenroll.hresults import HRESULT

FORMAT_MASK: Final = 0xFF00  # of CR_IN_*
PKCS10: Final = 0x100
KEYGEN: Final = 0x200
PKCS7: Final = 0x300
CMC: Final = 0x400

MAX_SIZE: Final = 1 << 20

_KIND_NAMES: Final = {PKCS10: "PKCS #10", KEYGEN: "keygen", PKCS7: "PKCS #7", CMC: "CMC"}
_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_PKI_DATA: Final = der.oid("1.3.6.1.5.5.7.12.2")
_TEMPLATE_ATTRIBUTE: Final = "certificatetemplate"


class BadRequest(ValueError):
    """A message that is no request that this CA can read.

    Attributes:
        hresult: what is wrong with it, unsigned.
    """

    def __init__(self, message: str, hresult: int) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@dataclass(frozen=True)
class Incoming:
    """One request, read and its signature verified.

    Attributes:
        subject: DER of the Name; ``30 00`` where it is empty.
        public_key_info: DER of the SubjectPublicKeyInfo.
        extensions: the extensions that it asks for.
        templates: the templates that its own bytes name: names, or object identifiers in dots.
    """

    subject: bytes
    public_key_info: bytes
    extensions: tuple[Extension, ...]
    templates: tuple[str, ...] = ()

    def extension(self, oid: str) -> Extension | None:
        """The extension of that type, or None."""
        return next((one for one in self.extensions if one.oid == oid), None)


def read(message: bytes, flags: int = 0) -> Incoming:
    """Reads a request.

    Args:
        message: DER or BER.
        flags: CR_IN_*; its format bits say of which kind the message is, 0 for any kind.

    Raises:
        BadRequest: CRYPT_E_ASN1_* where the bytes are malformed, CRYPT_E_INVALID_MSG_TYPE where the kind is not the one
            that was said or is one that this CA does not take, NTE_BAD_SIGNATURE where the request's key did not sign it,
            NTE_BAD_ALGID where it did by an algorithm that is not known.
    """
    if len(message) > MAX_SIZE:
        raise BadRequest(f"a request of {len(message)} bytes is longer than {MAX_SIZE}", HRESULT.WIN32_INVALID_DATA)
    try:
        found = _kind(message)
        wanted = flags & FORMAT_MASK or found
        if wanted != found:
            raise _wrong_kind(f"the message is {_named(found)}, {_named(wanted)} was announced")
        if found not in READERS:
            raise _wrong_kind(f"{_named(found)} requests are not taken by this CA; submit a PKCS #10 request")
        return READERS[found](message)
    except BadRequest:
        raise
    except (DecodeError, EncodeError, algorithms.BadSignature, algorithms.UnsupportedAlgorithm) as error:
        raise BadRequest(str(error), error.hresult) from error


def _read_pkcs10(message: bytes) -> Incoming:
    request = pkcs10.decode(message)
    pkcs10.verify(request)
    found = request.extensions
    oids = [one.oid for one in found]
    if len(set(oids)) != len(oids):
        raise BadRequest("the request names an extension twice", HRESULT.CRYPT_E_ASN1_RULE)
    return Incoming(request.subject, request.public_key_info, found, _templates(request, found))


def _templates(request: pkcs10.CertificationRequest, found: tuple[Extension, ...]) -> tuple[str, ...]:
    pairs = [attributes.decode_name_value_pair(value) for value in request.values(attributes.NAME_VALUE_PAIR)]
    named = [pair.value for pair in pairs if pair.name.casefold() == _TEMPLATE_ATTRIBUTE]
    named += [extensions.decode_template_name(one.value) for one in found if one.oid == extensions.TEMPLATE_NAME]
    named += [extensions.decode_template(one.value).oid for one in found if one.oid == extensions.TEMPLATE]
    return tuple(dict.fromkeys(name.strip() for name in named if name.strip()))


# Kind of message (the format bits of CR_IN_*) -> what reads it.
READERS: Final[dict[int, Callable[[bytes], Incoming]]] = {PKCS10: _read_pkcs10}


def _kind(message: bytes) -> int:
    """PKCS #7 and CMC begin with an object identifier; in the others a SEQUENCE stands there that begins with a number."""
    parts = der.children(ber.to_der(message), der.SEQUENCE)
    if parts and parts[0][0] == der.OBJECT_IDENTIFIER:
        if der.read_oid(parts[0]) != _SIGNED_DATA:
            raise _wrong_kind("the message is CMS, but not signed")
        return CMC if _PKI_DATA in message else PKCS7
    inner = der.children(parts[0], der.SEQUENCE) if parts else []
    return PKCS10 if inner and inner[0][0] == der.INTEGER else KEYGEN


def _wrong_kind(text: str) -> BadRequest:
    return BadRequest(text, HRESULT.CRYPT_E_INVALID_MSG_TYPE)


def _named(kind: int) -> str:
    return _KIND_NAMES.get(kind, f"a message of kind 0x{kind:X}")
