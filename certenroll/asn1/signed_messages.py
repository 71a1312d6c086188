"""What PKCS #7 and CMC requests have in common: a SignedData whose content is a value and not octets.

Puts a message that was read together again from its fields, verifies every signer against the request's own key or a
certificate, and says how Windows names the algorithm of a signature. Knows no content, and believes nobody: whether a
signer may ask for what it asks is judged above.

Sources: RFC 5652 section 5, MS-WCCE 3.1.1.4.3 (renewal, enroll on behalf of), RFC 5272 section 3.2.1.1 (no signature).
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1 import algorithms, cms, der
from certenroll.asn1.algorithms import BadSignature, SignatureScheme, SignFunction
from certenroll.asn1.certificates import SUBJECT_KEY_IDENTIFIER, Certificate, public_key_identifier, read_certificate
from certenroll.asn1.cms import NewSigner, SignedData, Signer
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.hresults import HRESULT

DUMMY_SIGNER_RDN: Final = "1.3.6.1.4.1.311.21.9"
"""szOID_RDN_DUMMY_SIGNER: the only part of the name that stands for nobody."""

_COMMON_NAME_OF_NOBODY: Final = "Dummy Signer"
_CONTEXT_0: Final = 0xA0
_CONTEXT_1: Final = 0xA1
_CONTEXT_0_PRIMITIVE: Final = 0x80


@dataclass(frozen=True, slots=True)
class Envelope:
    """A SignedData without its content; the fields are those of ``cms.SignedData``."""

    version: int
    digest_algorithms: tuple[bytes, ...]
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    signers: tuple[Signer, ...]

    def around(self, content_type: str, content: bytes) -> SignedData:
        """The message that this makes with a content (its octets)."""
        return SignedData(
            self.version, self.digest_algorithms, content_type, content, self.certificates, self.crls, self.signers
        )


def envelope_of(signed: SignedData) -> Envelope:
    """``signed`` without its content."""
    return Envelope(signed.version, signed.digest_algorithms, signed.certificates, signed.crls, signed.signers)


def open_message(data: bytes, content_type: str) -> tuple[Envelope, bytes]:
    """(envelope, octets of the content) of a signed message in DER or BER, which must have that content.

    Raises:
        DecodeError: the bytes are no SignedData; CRYPT_E_INVALID_MSG_TYPE where they have a content of another type,
            CRYPT_E_BAD_MSG where they have none.
    """
    signed = cms.decode_signed_data(data)
    if signed.content_type != content_type:
        raise DecodeError(f"a message about {signed.content_type}, not {content_type}", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    if signed.content is None:
        raise DecodeError("a signed message without its content", HRESULT.CRYPT_E_BAD_MSG)
    return envelope_of(signed), signed.content


# Writing -------------------------------------------------------------------------------------------------------------


def encode(signed: SignedData) -> bytes:
    """A message from its fields, in DER: what ``cms.decode_signed_data`` was given, if that was DER and had no attribute
    certificates. Everything stands in the order of the fields. Raises EncodeError on a malformed OID.
    """
    content = b"" if signed.content is None else der.wrap(_CONTEXT_0, der.octet_string(signed.content))
    parts = (
        der.integer(signed.version),
        der.wrap(der.SET, b"".join(signed.digest_algorithms)),
        der.sequence_of((der.oid(signed.content_type), content)),
        _tagged(_CONTEXT_0, signed.certificates),
        _tagged(_CONTEXT_1, signed.crls),
        der.wrap(der.SET, b"".join(_encode_signer(one) for one in signed.signers)),
    )
    return der.sequence_of((der.oid(cms.SIGNED_DATA), der.wrap(_CONTEXT_0, der.sequence_of(parts))))


def _tagged(tag: int, parts: Iterable[bytes]) -> bytes:
    inside = b"".join(parts)
    return der.wrap(tag, inside) if inside else b""


def _encode_signer(one: Signer) -> bytes:
    if one.key_identifier:
        name = der.wrap(_CONTEXT_0_PRIMITIVE, one.key_identifier)
    else:
        name = der.sequence_of((one.issuer, der.integer(one.serial)))
    return der.sequence_of(
        (
            der.integer(one.version),
            name,
            one.digest_algorithm,
            _tagged(_CONTEXT_0, _encode_attributes(one.signed_attributes)),
            one.signature_algorithm,
            der.octet_string(one.signature),
            _tagged(_CONTEXT_1, _encode_attributes(one.unsigned_attributes)),
        )
    )


def _encode_attributes(attributes: Sequence[Attribute]) -> list[bytes]:
    return [der.encode_attribute(one, keep_order=True) for one in attributes]


def new_signer(
    public_key: object,
    scheme: SignatureScheme,
    sign: SignFunction,
    *,
    certificate: Certificate | None = None,
    key_identifier: bytes = b"",
    attributes: tuple[Attribute, ...] = (),
    unsigned_attributes: tuple[Attribute, ...] = (),
    with_attributes: bool = True,
) -> NewSigner:
    """A signature as Windows writes it: the SignerInfo of an RSA key names rsaEncryption, and the hash stands beside it.

    Args:
        public_key: the pyca key of what signs.
        scheme: how it signs. A PSS signature and that of an EC key keep the algorithm that ``sign`` gives.
        sign: takes octets, gives (AlgorithmIdentifier in DER, signature).
        certificate: names the signer by issuer and serial number.
        key_identifier: names it by its key instead, as a request's own key is named.
        attributes: signed, besides content type and message digest.
        unsigned_attributes: what the signature does not cover.
        with_attributes: False signs the content itself (a PKCS #7 renewal).
    """
    plain_rsa = not scheme.pss and isinstance(public_key, rsa.RSAPublicKey)
    return NewSigner(
        sign,
        scheme.hash_name,
        certificate,
        key_identifier,
        attributes,
        unsigned_attributes,
        with_attributes,
        algorithms.key_identifier(public_key) if plain_rsa else b"",
    )


def key_identifier_of(request: CertificationRequest) -> bytes:
    """How a request's own key is named among the signers: the key identifier that the request asks for, else SHA-1.

    Raises:
        DecodeError: the request's extensions or its key are malformed.
    """
    return next(iter(_asked_identifiers(request)), b"") or public_key_identifier(request.public_key_info)


def _asked_identifiers(request: CertificationRequest) -> list[bytes]:
    return [der.read_octet_string(one.value) for one in request.extensions if one.oid == SUBJECT_KEY_IDENTIFIER]


def with_null_signer(signed: SignedData, hash_name: str = "sha256") -> SignedData:
    """The message with one more SignerInfo, in which a hash stands where a key would sign, and nobody's name.

    Args:
        signed: a message with content.
        hash_name: the hash of the content and of the attributes.

    Raises:
        UnsupportedAlgorithm: no hash has that name.
    """
    entry = algorithms.hash_algorithm(hash_name)
    attributes = sorted(
        (
            Attribute(cms.CONTENT_TYPE, (der.oid(signed.content_type),)),
            Attribute(cms.MESSAGE_DIGEST, (der.octet_string(entry.digest(signed.content or b"")),)),
        ),
        key=der.encode_attribute,
    )
    covered = der.set_of(der.encode_attribute(one) for one in attributes)
    nobody = der.sequence_of((der.oid(DUMMY_SIGNER_RDN), der.utf8_string(_COMMON_NAME_OF_NOBODY)))
    signer = Signer(
        version=1,
        issuer=der.sequence_of((der.set_of((nobody,)),)),
        serial=0,
        key_identifier=b"",
        digest_algorithm=entry.identifier,
        signed_attributes=tuple(attributes),
        signed_attributes_der=covered,
        signature_algorithm=algorithms.identifier(algorithms.NO_SIGNATURE, der.NULL_DER),
        signature=entry.digest(covered),
    )
    digests = tuple(sorted({*signed.digest_algorithms, entry.identifier}))
    return SignedData(
        signed.version, digests, signed.content_type, signed.content, signed.certificates, signed.crls,
        (*signed.signers, signer),
    )  # fmt: skip


# Verifying -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerifiedSigner:
    """A signature that fits.

    Attributes:
        signer: the SignerInfo.
        certificate: of the key that signed; None where that is the request's own key, or nobody's.
        public_key_info: the key that signed, in DER; empty where a hash stands in the place of a signature.
        depth: 0 for the outermost message, one more for each message inside another.
    """

    signer: Signer
    certificate: Certificate | None
    public_key_info: bytes
    depth: int = 0


def verify_signers(
    signed: SignedData,
    requests: Iterable[CertificationRequest],
    certificates: Iterable[bytes] = (),
    *,
    allow_null: bool = False,
    depth: int = 0,
) -> tuple[VerifiedSigner, ...]:
    """Verifies every signer of a message.

    Args:
        signed: the message.
        requests: those inside it; a signer that is named by a key identifier may be one of their keys.
        certificates: in DER, of signers whose certificates the message does not bring.
        allow_null: whether a hash passes in the place of a signature.
        depth: what VerifiedSigner.depth shall say.

    Returns:
        the signers in their order.

    Raises:
        BadSignature: a signature does not fit (NTE_BAD_SIGNATURE, CRYPT_E_HASH_VALUE, CRYPT_E_AUTH_ATTR_MISSING), nobody
            signed (CRYPT_E_NO_SIGNER), or the key of a signer is not to be found (CRYPT_E_SIGNER_NOT_FOUND).
        DecodeError: a key, an algorithm or a certificate is malformed.
        UnsupportedAlgorithm: an algorithm or a kind of key that is not known.
    """
    if not signed.signers:
        raise BadSignature("nobody signed the message", HRESULT.CRYPT_E_NO_SIGNER)
    own = [(frozenset((*_asked_identifiers(one), public_key_identifier(one.public_key_info))), one) for one in requests]
    known = [read_certificate(one) for one in certificates]
    return tuple(_verify_signer(signed, one, own, known, allow_null, depth) for one in signed.signers)


_OwnKeys = list[tuple[frozenset[bytes], CertificationRequest]]


def _verify_signer(
    signed: SignedData, signer: Signer, own: _OwnKeys, known: list[Certificate], allow_null: bool, depth: int
) -> VerifiedSigner:
    if algorithms.read_algorithm(signer.signature_algorithm).family == "null":
        _verify_null(signed, signer, allow_null)
        return VerifiedSigner(signer, None, b"", depth)
    for names, request in own:
        if signer.key_identifier in names:
            cms.verify_signer(signed, signer, algorithms.load_public_key(request.public_key_info))
            return VerifiedSigner(signer, None, request.public_key_info, depth)
    certificate = signed.certificate_of(signer) or next((one for one in known if signer.is_made_by(one)), None)
    if certificate is None:
        raise BadSignature("the certificate of a signer is not to be found", HRESULT.CRYPT_E_SIGNER_NOT_FOUND)
    cms.verify_signer(signed, signer, certificate)
    return VerifiedSigner(signer, certificate, certificate.public_key_info, depth)


def _verify_null(signed: SignedData, signer: Signer, allow_null: bool) -> None:
    """Only that nothing was changed by accident."""
    if not allow_null:
        raise BadSignature("a hash stands where a signature belongs")
    entry = algorithms.hash_algorithm(algorithms.identifier_oid(signer.digest_algorithm))
    content = signed.content or b""
    expected = entry.digest(signer.signed_attributes_der or content)
    if not hmac.compare_digest(expected, signer.signature):
        raise BadSignature("the hash in the place of a signature does not fit")
    if not signer.signed_attributes_der:
        return
    if signer.signed_values(cms.MESSAGE_DIGEST) != (der.octet_string(entry.digest(content)),):
        raise BadSignature("the content is not the one that was hashed", HRESULT.CRYPT_E_HASH_VALUE)
