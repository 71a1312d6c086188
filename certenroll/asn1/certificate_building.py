"""X.509 certificates of version 3, put together and signed: what a self-signed certificate, or one of a private issuer, is.

Takes names, times and extensions as they are given and signs them; judges none of it, and has no key. Source: RFC 5280
section 4.1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from certenroll.asn1 import der
from certenroll.asn1.certificates import time
from certenroll.asn1.der import EncodeError, Extension
from certenroll.hresults import HRESULT

_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA3
_SERIAL_BITS: Final = 159  # 20 octets, and never negative


@dataclass(frozen=True, slots=True)
class CertificateContents:
    """What a certificate says.

    Attributes:
        serial: a positive number of at most 20 octets.
        issuer, subject: Names in DER.
        not_before, not_after: with a time zone.
        public_key_info: the SubjectPublicKeyInfo in DER.
        extensions: in the order in which they shall stand.
    """

    serial: int
    issuer: bytes
    subject: bytes
    not_before: datetime
    not_after: datetime
    public_key_info: bytes
    extensions: tuple[Extension, ...]


def build(contents: CertificateContents, algorithm: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The signed certificate in DER.

    Args:
        contents: what it says.
        algorithm: the AlgorithmIdentifier of the signature, which stands in the certificate twice.
        sign: takes octets, gives the signature.

    Raises:
        EncodeError: a serial number out of range, a time without a zone, an end before the beginning (E_INVALIDARG), an
            extension with a malformed type.
        Whatever ``sign`` raises goes through unchanged.
    """
    if not 0 < contents.serial < 1 << _SERIAL_BITS:
        raise EncodeError("a serial number is positive and has at most 20 octets", HRESULT.E_INVALIDARG)
    if contents.not_after < contents.not_before:
        raise EncodeError("a certificate does not end before it begins", HRESULT.E_INVALIDARG)
    extensions = der.wrap(_EXTENSIONS, der.encode_extensions(contents.extensions)) if contents.extensions else b""
    signed = der.sequence_of(
        (
            der.wrap(_VERSION, der.integer(2)),
            der.integer(contents.serial),
            algorithm,
            contents.issuer,
            der.sequence_of((time(contents.not_before), time(contents.not_after))),
            contents.subject,
            contents.public_key_info,
            extensions,
        )
    )
    return der.sequence_of((signed, algorithm, der.bit_string(sign(signed))))
