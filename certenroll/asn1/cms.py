"""CMS SignedData (RFC 5652): certificate bags, signed messages, and the verification of their signers.

Reads DER, and BER where DER fails; writes DER, except that SignerInfos stand in the order given, because a Windows CA looks
at the first. Knows no content but as octets, and trusts no certificate: whether a signer may be believed is asked above.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography.hazmat import asn1

from certenroll.asn1 import algorithms, ber, der
from certenroll.asn1.algorithms import BadSignature, SignFunction
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.hresults import HRESULT

DATA: Final = "1.2.840.113549.1.7.1"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"

_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_0_PRIMITIVE: Final = 0x80


@asn1.sequence
class _Encapsulated:
    content_type: der.OID
    content: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]


@asn1.sequence
class _SignedData:
    version: int
    # Universal SETs may come unsorted, which hazmat.asn1 refuses: they are taken whole and split here.
    digest_algorithms: asn1.TLV
    encapsulated: _Encapsulated
    certificates: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    crls: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.TLV


@asn1.sequence
class _ContentInfo:
    content_type: der.OID
    content: Annotated[_SignedData, asn1.Explicit(0)]


@dataclass(frozen=True, slots=True)
class Signer:
    """One SignerInfo (RFC 5652 section 5.3).

    Attributes:
        version: 1 where issuer and serial number name the signer, 3 where a key identifier does.
        issuer: the issuer's Name in DER; empty in version 3.
        serial: the serial number; 0 in version 3.
        key_identifier: the subject key identifier; empty in version 1.
        digest_algorithm: the AlgorithmIdentifier in DER.
        signed_attributes: in the order in which they came; empty where there are none.
        signed_attributes_der: what the signature covers: the attributes as received, as a SET. Empty where there are none.
        signature_algorithm: the AlgorithmIdentifier in DER.
        signature: the signature's octets.
        unsigned_attributes: in the order in which they came.
    """

    version: int
    issuer: bytes
    serial: int
    key_identifier: bytes
    digest_algorithm: bytes
    signed_attributes: tuple[Attribute, ...]
    signed_attributes_der: bytes
    signature_algorithm: bytes
    signature: bytes
    unsigned_attributes: tuple[Attribute, ...] = ()

    def signed_values(self, oid: str) -> tuple[bytes, ...]:
        """The values of the signed attributes of that type, in order."""
        return tuple(value for one in self.signed_attributes if one.oid == oid for value in one.values)

    def is_made_by(self, certificate: Certificate) -> bool:
        """Whether this is the certificate that the signer names. Raises DecodeError where that one is malformed."""
        if self.key_identifier:
            return self.key_identifier in (certificate.subject_key_identifier, certificate.key_identifier)
        return self.issuer == certificate.issuer and self.serial == certificate.serial


@dataclass(frozen=True, slots=True)
class SignedData:
    """A SignedData (RFC 5652 section 5.1).

    Attributes:
        version: as written.
        digest_algorithms: AlgorithmIdentifiers in DER, as they came.
        content_type: the dotted OID of the content.
        content: the content's octets, without the header of the OCTET STRING; None where the message brings none.
        certificates: each in DER, in the order in which they came. Attribute certificates are left out.
        crls: each in DER, in the order in which they came.
        signers: in the order in which they came.
    """

    version: int
    digest_algorithms: tuple[bytes, ...]
    content_type: str
    content: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    signers: tuple[Signer, ...]

    def certificate_of(self, signer: Signer) -> Certificate | None:
        """The certificate in this message that ``signer`` names, or None. One that cannot be read is passed over."""
        for data in self.certificates:
            try:
                found = read_certificate(data)
                if signer.is_made_by(found):
                    return found
            except DecodeError:
                continue
        return None


def decode_signed_data(data: bytes) -> SignedData:
    """Reads a SignedData in DER or BER, in its ContentInfo or, as some writers send it, bare.

    Raises:
        DecodeError: the bytes are none. CRYPT_E_INVALID_MSG_TYPE where they are a ContentInfo of another type.
    """
    try:
        return _decode(data)
    except DecodeError as error:
        normal = ber.to_der(data)
        if normal == data:
            raise error from None
        return _decode(normal)


def _decode(data: bytes) -> SignedData:
    if _first_tag(data) == der.INTEGER:
        return _signed_data(der.decode(_SignedData, data))
    try:
        found = der.decode(_ContentInfo, data)
    except DecodeError:
        _refuse_other_types(data)
        raise
    if found.content_type.dotted_string != SIGNED_DATA:
        _refuse_other_types(data)
    return _signed_data(found.content)


def _first_tag(data: bytes) -> int:
    found, start, end = der.header(data)
    return der.header(data, start, end)[0] if found == der.SEQUENCE and end > start else 0


def _refuse_other_types(data: bytes) -> None:
    parts = der.children(data, der.SEQUENCE)
    oid = der.read_oid(parts[0]) if parts and parts[0][0] == der.OBJECT_IDENTIFIER else SIGNED_DATA
    if oid != SIGNED_DATA:
        raise DecodeError(f"a message of type {oid}, which is not signed data", HRESULT.CRYPT_E_INVALID_MSG_TYPE)


def _signed_data(wire: _SignedData) -> SignedData:
    return SignedData(
        version=wire.version,
        digest_algorithms=tuple(der.elements(der.contents(wire.digest_algorithms, der.SET))),
        content_type=wire.encapsulated.content_type.dotted_string,
        content=_content(wire.encapsulated.content),
        certificates=_plain(wire.certificates),
        crls=_plain(wire.crls),
        signers=tuple(_decode_signer(one) for one in der.elements(der.contents(wire.signers, der.SET))),
    )


def _plain(parts: list[asn1.TLV] | None) -> tuple[bytes, ...]:
    """Certificates or CRLs; the other kinds that RFC 5652 section 10.2 allows beside them have context tags."""
    found = [der.element(part) for part in parts or ()]
    return tuple(one for one in found if one[0] == der.SEQUENCE)


def _content(parts: list[asn1.TLV] | None) -> bytes | None:
    """RFC 5652 has an OCTET STRING; PKCS #7 had anything, and digests it without its header (RFC 5652 section 5.2.1)."""
    if parts is None:
        return None
    if len(parts) != 1:
        raise DecodeError(f"a content of {len(parts)} values", HRESULT.CRYPT_E_ASN1_CORRUPT)
    found = der.element(parts[0])
    if found[0] == der.OCTET_STRING | 0x20:
        raise DecodeError("a content in pieces, which is not DER", HRESULT.CRYPT_E_ASN1_RULE)
    return der.contents(found)


def _decode_signer(data: bytes) -> Signer:
    parts = der.children(data, der.SEQUENCE)
    unsigned = parts.pop() if parts and parts[-1][0] == _CONTEXT_1 else b""
    signed = parts.pop(3) if len(parts) > 3 and parts[3][0] == _CONTEXT_0 else b""
    if len(parts) != 5:
        raise DecodeError("a SignerInfo lacks parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    version, name, digest, algorithm, signature = parts
    issuer, serial, key_identifier = _decode_name_of_signer(name)
    algorithms.identifier_oid(digest)
    algorithms.identifier_oid(algorithm)
    return Signer(
        version=der.read_integer(version),
        issuer=issuer,
        serial=serial,
        key_identifier=key_identifier,
        digest_algorithm=digest,
        signed_attributes=_decode_attributes(signed),
        signed_attributes_der=der.retag(signed, der.SET) if signed else b"",
        signature_algorithm=algorithm,
        signature=der.read_octet_string(signature),
        unsigned_attributes=_decode_attributes(unsigned),
    )


def _decode_name_of_signer(data: bytes) -> tuple[bytes, int, bytes]:
    """(issuer, serial number, key identifier) of a SignerIdentifier."""
    if data[0] == _CONTEXT_0_PRIMITIVE:
        return b"", 0, der.contents(data)
    if data[0] == _CONTEXT_0:  # what the pieces of an indefinite [0] leave behind
        return b"", 0, b"".join(der.read_octet_string(part) for part in der.children(data))
    parts = der.children(data, der.SEQUENCE)
    if len(parts) != 2:
        raise DecodeError("a signer is named by issuer and serial number", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return parts[0], int.from_bytes(der.contents(parts[1], der.INTEGER), "big", signed=True), b""


def _decode_attributes(data: bytes) -> tuple[Attribute, ...]:
    return tuple(der.decode_attribute(part) for part in der.children(data)) if data else ()


def verify_signer(signed: SignedData, signer: Signer, certificate_or_key: object, content: bytes | None = None) -> None:
    """Verifies one signature of a message. Whether its maker may be believed is another question.

    Args:
        signed: the message.
        signer: one of its signers.
        certificate_or_key: a Certificate, a certificate in DER, or a pyca public key.
        content: what was signed, where the message does not bring it.

    Raises:
        BadSignature: the signature does not fit (NTE_BAD_SIGNATURE), the message digest does not (CRYPT_E_HASH_VALUE),
            or a signed attribute that must be there is missing or says otherwise (CRYPT_E_AUTH_ATTR_MISSING).
        DecodeError: certificate, key or algorithm are malformed, or there is no content to verify (CRYPT_E_BAD_MSG).
        UnsupportedAlgorithm: an algorithm or a kind of key that is not known.
    """
    covered = signed.content if signed.content is not None else content
    if covered is None:
        raise DecodeError("the message does not bring the content that was signed", HRESULT.CRYPT_E_BAD_MSG)
    key = _public_key(certificate_or_key)
    digest = algorithms.identifier_oid(signer.digest_algorithm)
    if signer.signed_attributes_der:
        _check_signed_attributes(signed, signer, covered, digest)
        _verify_attributes(signer, key, digest)
    elif signed.content_type != DATA:
        raise BadSignature("content of this type is not signed without attributes", HRESULT.CRYPT_E_AUTH_ATTR_MISSING)
    else:
        algorithms.verify(key, signer.signature_algorithm, covered, signer.signature, digest=digest)


def _public_key(source: object) -> object:
    if isinstance(source, bytes):
        source = read_certificate(source)
    return algorithms.load_public_key(source.public_key_info) if isinstance(source, Certificate) else source


def _check_signed_attributes(signed: SignedData, signer: Signer, content: bytes, digest: str) -> None:
    """RFC 5652 section 11: both attributes, each with one value."""
    types, digests = signer.signed_values(CONTENT_TYPE), signer.signed_values(MESSAGE_DIGEST)
    if len(types) != 1 or len(digests) != 1:
        raise BadSignature("content type or message digest was not signed once", HRESULT.CRYPT_E_AUTH_ATTR_MISSING)
    if der.read_oid(types[0]) != signed.content_type:
        raise BadSignature("another content type was signed", HRESULT.CRYPT_E_AUTH_ATTR_MISSING)
    if not hmac.compare_digest(der.read_octet_string(digests[0]), algorithms.hash_algorithm(digest).digest(content)):
        raise BadSignature("the content is not the one that was signed", HRESULT.CRYPT_E_HASH_VALUE)


def _verify_attributes(signer: Signer, key: object, digest: str) -> None:
    """Over the SET as received; a writer that sends it unsorted may have signed it sorted (RFC 5652 section 5.4)."""
    received = signer.signed_attributes_der
    try:
        algorithms.verify(key, signer.signature_algorithm, received, signer.signature, digest=digest)
    except BadSignature:
        ordered = der.set_of(der.children(received))
        if ordered == received:
            raise
        algorithms.verify(key, signer.signature_algorithm, ordered, signer.signature, digest=digest)


@dataclass(frozen=True, slots=True)
class NewSigner:
    """How one signature of a new message is made.

    Attributes:
        sign: takes octets, gives (AlgorithmIdentifier in DER, signature). See ``algorithms.signer``.
        hash_name: the hash of the content; that of ``sign`` must be the same.
        certificate: names the signer by issuer and serial number (version 1). None where ``key_identifier`` does.
        key_identifier: names the signer by its subject key identifier (version 3).
        attributes: signed attributes besides content type and message digest, which are added here.
        unsigned_attributes: attributes that the signature does not cover.
        with_attributes: False signs the content itself, as Windows does in a PKCS #7 renewal; id-data only.
        key_algorithm: an AlgorithmIdentifier that is written in the place of the one that ``sign`` gives (Windows
            writes rsaEncryption, see ``algorithms.key_identifier``); empty to keep that.
    """

    sign: SignFunction
    hash_name: str = "sha256"
    certificate: Certificate | None = None
    key_identifier: bytes = b""
    attributes: tuple[Attribute, ...] = ()
    unsigned_attributes: tuple[Attribute, ...] = ()
    with_attributes: bool = True
    key_algorithm: bytes = b""


def encode_certificate_bag(certificates: Iterable[bytes], crls: Iterable[bytes] = ()) -> bytes:
    """A degenerate SignedData that only carries certificates and CRLs, each in DER, both sorted as DER wants it."""
    return encode_signed_data(DATA, None, (), certificates, crls)


def encode_signed_data(
    content_type: str,
    content: bytes | None,
    signers: Sequence[NewSigner],
    certificates: Iterable[bytes] = (),
    crls: Iterable[bytes] = (),
) -> bytes:
    """A ContentInfo of type SignedData.

    Args:
        content_type: the dotted OID of the content.
        content: its octets; None for a message that brings none.
        signers: in the order in which they shall stand. The first is the one that a Windows CA takes for the requester.
        certificates: each in DER; sorted, and each written once.
        crls: each in DER; sorted, and each written once.

    Raises:
        EncodeError: a malformed OID, a signer without a name, or a signature without attributes over other than id-data.
        Whatever a ``sign`` raises goes through unchanged.
    """
    digests = {algorithms.hash_algorithm(one.hash_name).identifier for one in signers}
    parts = (
        der.integer(3 if content_type != DATA or any(one.key_identifier for one in signers) else 1),
        der.set_of(digests),
        der.sequence_of((der.oid(content_type), _explicit(der.octet_string(content)) if content is not None else b"")),
        _tagged_set(_CONTEXT_0, set(certificates)),
        _tagged_set(_CONTEXT_1, set(crls)),
        der.wrap(der.SET, b"".join(_encode_signer(one, content_type, content or b"") for one in signers)),
    )
    return der.sequence_of((der.oid(SIGNED_DATA), _explicit(der.sequence_of(parts))))


def _explicit(value: bytes) -> bytes:
    return der.wrap(_CONTEXT_0, value)


def _tagged_set(tag: int, parts: Iterable[bytes]) -> bytes:
    inside = b"".join(sorted(parts))
    return der.wrap(tag, inside) if inside else b""


def _encode_signer(one: NewSigner, content_type: str, content: bytes) -> bytes:
    entry = algorithms.hash_algorithm(one.hash_name)
    signed = b""
    if one.with_attributes:
        own = (
            Attribute(CONTENT_TYPE, (der.oid(content_type),)),
            Attribute(MESSAGE_DIGEST, (der.octet_string(entry.digest(content)),)),
        )
        signed = der.set_of(der.encode_attribute(attribute) for attribute in own + one.attributes)
    elif content_type != DATA:
        raise der.EncodeError("content of this type is not signed without attributes")
    algorithm, signature = one.sign(signed or content)
    return der.sequence_of(
        (
            *_encode_name_of_signer(one),
            entry.identifier,
            der.retag(signed, _CONTEXT_0) if signed else b"",
            one.key_algorithm or algorithm,
            der.octet_string(signature),
            _tagged_set(_CONTEXT_1, [der.encode_attribute(attribute) for attribute in one.unsigned_attributes]),
        )
    )


def _encode_name_of_signer(one: NewSigner) -> tuple[bytes, bytes]:
    """Version and SignerIdentifier."""
    if one.key_identifier:
        return der.integer(3), der.wrap(_CONTEXT_0_PRIMITIVE, one.key_identifier)
    if one.certificate is None:
        raise der.EncodeError("a signer is named by a certificate or by a key identifier")
    return der.integer(1), der.sequence_of((one.certificate.issuer, der.integer(one.certificate.serial)))
