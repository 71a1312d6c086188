"""PKCS#10 certification requests (RFC 2986), as Windows writes and reads them.

Bytes to a frozen value and back, octet for octet. Knows neither what an attribute's value means nor where a key lives: a
signature comes from a function that is given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography.hazmat import asn1

from certenroll.asn1 import algorithms, der
from certenroll.asn1.der import Attribute, DecodeError, Extension
from certenroll.hresults import HRESULT

EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
CERT_EXTENSIONS: Final = "1.3.6.1.4.1.311.2.1.14"
"""szOID_CERT_EXTENSIONS: what Windows called the extension request before PKCS #9 had one."""

_ATTRIBUTES_TAG: Final = 0xA0


@asn1.sequence
class _Info:
    version: int
    subject: asn1.TLV
    public_key_info: asn1.TLV
    # IMPLICIT [0] of a SET and of a SEQUENCE look the same, and a SEQUENCE may come unsorted.
    attributes: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]


@asn1.sequence
class _Request:
    info: _Info
    signature_algorithm: asn1.TLV
    signature: asn1.BitString


@dataclass(frozen=True, slots=True)
class CertificationRequest:
    """A certification request, field by field.

    Attributes:
        subject: the Name in DER.
        public_key_info: the SubjectPublicKeyInfo in DER.
        attributes: in the order in which they stand on the wire, duplicates and all.
        signature_algorithm: the AlgorithmIdentifier in DER.
        signature: the signature's octets.
        version: 0, except in malformed requests that are kept as they came.
        attributes_present: False where the field is missing altogether, as some writers leave it when there are none.
    """

    subject: bytes
    public_key_info: bytes
    attributes: tuple[Attribute, ...]
    signature_algorithm: bytes
    signature: bytes
    version: int = 0
    attributes_present: bool = True

    @property
    def to_be_signed(self) -> bytes:
        """The CertificationRequestInfo in DER, which the signature covers."""
        attributes = b"".join(der.encode_attribute(one, keep_order=True) for one in self.attributes)
        tagged = der.wrap(_ATTRIBUTES_TAG, attributes) if self.attributes_present else b""
        return der.sequence_of((der.integer(self.version), self.subject, self.public_key_info, tagged))

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions asked for, in either of the two attributes. Raises DecodeError where they are malformed."""
        asked = [one for one in self.attributes if one.oid in (EXTENSION_REQUEST, CERT_EXTENSIONS)]
        return tuple(extension for one in asked for value in one.values for extension in der.decode_extensions(value))

    @property
    def is_null_signed(self) -> bool:
        """Whether a hash stands in the place of the signature."""
        return algorithms.read_algorithm(self.signature_algorithm).family == "null"

    def values(self, oid: str) -> tuple[bytes, ...]:
        """The values of every attribute of that type, in order; empty where there is none."""
        return tuple(value for one in self.attributes if one.oid == oid for value in one.values)


def decode(data: bytes) -> CertificationRequest:
    """Reads a request in DER.

    The order of attributes and of their values, which DER prescribes and some writers ignore, is kept and not judged.

    Raises:
        DecodeError: the bytes are no PKCS#10 request.
    """
    wire = der.decode(_Request, data)
    if wire.signature.padding_bits():
        raise DecodeError("the signature is not a whole number of octets", HRESULT.CRYPT_E_ASN1_CORRUPT)
    info = wire.info
    found = CertificationRequest(
        subject=_expect_sequence(info.subject),
        public_key_info=_expect_sequence(info.public_key_info),
        attributes=tuple(der.decode_attribute(der.element(one)) for one in info.attributes or ()),
        signature_algorithm=_expect_sequence(wire.signature_algorithm),
        signature=wire.signature.as_bytes(),
        version=info.version,
        attributes_present=info.attributes is not None,
    )
    if encode(found) != data:
        raise DecodeError("a request that is not in DER", HRESULT.CRYPT_E_ASN1_RULE)
    return found


def _expect_sequence(part: asn1.TLV) -> bytes:
    found = der.element(part)
    if found[0] != der.SEQUENCE:
        raise DecodeError(f"tag 0x{found[0]:02X} where a SEQUENCE belongs")
    return found


def encode(request: CertificationRequest) -> bytes:
    """The request in DER: what ``decode`` was given, or what ``build`` put together.

    Raises:
        EncodeError: an attribute has a malformed type.
    """
    return der.sequence_of((request.to_be_signed, request.signature_algorithm, der.bit_string(request.signature)))


def to_be_signed(subject: bytes, public_key_info: bytes, attributes: Iterable[Attribute]) -> bytes:
    """The CertificationRequestInfo in DER, attributes and their values sorted (RFC 2986 section 4.1).

    Args:
        subject: the Name in DER; ``30 00`` for an empty one.
        public_key_info: the SubjectPublicKeyInfo in DER.
        attributes: in any order.
    """
    return _unsigned(subject, public_key_info, attributes).to_be_signed


def _unsigned(subject: bytes, public_key_info: bytes, attributes: Iterable[Attribute]) -> CertificationRequest:
    ordered = [Attribute(one.oid, tuple(sorted(one.values))) for one in attributes]
    ordered.sort(key=der.encode_attribute)
    return CertificationRequest(subject, public_key_info, tuple(ordered), b"", b"")


def build(
    subject: bytes, public_key_info: bytes, attributes: Iterable[Attribute], sign: algorithms.SignFunction
) -> CertificationRequest:
    """Puts a request together and has it signed.

    Args:
        subject: the Name in DER; ``30 00`` for an empty one.
        public_key_info: the SubjectPublicKeyInfo in DER.
        attributes: in any order; they are sorted as DER wants it.
        sign: takes the octets to be signed, gives (AlgorithmIdentifier in DER, signature). See ``algorithms.signer``.

    Raises:
        EncodeError: an attribute has a malformed type.
        Whatever ``sign`` raises goes through unchanged.
    """
    unsigned = _unsigned(subject, public_key_info, attributes)
    algorithm, signature = sign(unsigned.to_be_signed)
    return CertificationRequest(subject, public_key_info, unsigned.attributes, algorithm, signature)


def null_signed(
    subject: bytes, public_key_info: bytes, attributes: Iterable[Attribute], hash_name: str = "sha256"
) -> CertificationRequest:
    """Puts a request together that no key signs: its hash stands in the place of the signature.

    Raises:
        EncodeError: an attribute has a malformed type.
        UnsupportedAlgorithm: no hash has that name.
    """
    return build(subject, public_key_info, attributes, lambda data: algorithms.null_signature(data, hash_name))


def verify(request: CertificationRequest, *, allow_null: bool = False) -> None:
    """Verifies that the key in the request signed it.

    Args:
        request: as it was decoded.
        allow_null: whether a null-signed request passes where its hash fits.

    Raises:
        BadSignature: the signature does not fit.
        DecodeError: key or algorithm are malformed.
        UnsupportedAlgorithm: key or algorithm are not known here.
    """
    key = None if request.is_null_signed else algorithms.load_public_key(request.public_key_info)
    algorithms.verify(key, request.signature_algorithm, request.to_be_signed, request.signature, allow_null=allow_null)
