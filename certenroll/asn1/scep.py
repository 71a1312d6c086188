"""SCEP messages (RFC 8894): a signature with the protocol's attributes around an encrypted content, both directions.

Reads DER and BER, writes DER. What is encrypted is ``enveloped``'s, the attributes are ``scep_attributes``'. Knows no
server, no clock and no policy: whether a signer may be believed, and which hash may be used, is asked above.

    build_message   decode   verify                pkiMessages
    encode_issuer_and_subject, ..._serial          the contents of CertPoll, GetCert and GetCRL, with their decoders
    degenerate      read_degenerate                the certificates and CRLs that an answer brings
    read_next_certificates                         those of the CA that will follow
    self_signed     transaction_id_of              what a first request needs
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import algorithms, certificate_building, cms, der, scep_attributes
from certenroll.asn1.algorithms import BadSignature, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.certificate_building import CertificateContents
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cmc import parts_of
from certenroll.asn1.cms import SignedData
from certenroll.asn1.der import DecodeError, Extension
from certenroll.asn1.extensions import encode_key_usage
from certenroll.asn1.scep_attributes import FailInfo, MessageType, PkiStatus, ScepAttributes
from certenroll.asn1.signed_messages import new_signer
from certenroll.hresults import HRESULT

__all__ = [
    "FailInfo", "MessageType", "PkiMessage", "PkiStatus", "build_message", "decode", "decode_issuer_and_serial",
    "decode_issuer_and_subject", "degenerate", "encode_issuer_and_serial", "encode_issuer_and_subject", "read_degenerate",
    "read_next_certificates", "self_signed", "transaction_id_of", "verify",
]  # fmt: skip

_KEY_USAGE: Final = "2.5.29.15"
_DIGITAL_SIGNATURE: Final = 0x80
_KEY_ENCIPHERMENT: Final = 0x20
_SERIAL_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class PkiMessage:
    """A pkiMessage, as it was read. Nothing in it is proven before ``verify``.

    Attributes:
        message_type: a MessageType, or a number that only the sender knows.
        transaction_id: the same in all messages of a transaction.
        sender_nonce, recipient_nonce: octets, commonly sixteen; empty where absent.
        status: a PkiStatus, or another number; None where absent, as in a request.
        fail_info: a FailInfo, or another number; None where absent.
        fail_info_text: the reason in words; empty where absent.
        enveloped: a ContentInfo with EnvelopedData; None, or empty, in an answer that brings nothing.
        signer_certificate: that of the message's certificates which the signer names, in DER; None where it brings none.
        certificates, crls: each in DER, in the order in which they came.
        digest: the hash that the signer used ("sha256").
        signed: the whole message.
    """

    message_type: int
    transaction_id: str
    sender_nonce: bytes
    recipient_nonce: bytes
    status: int | None
    fail_info: int | None
    fail_info_text: str
    enveloped: bytes | None
    signer_certificate: bytes | None
    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]
    digest: str
    signed: SignedData


# Messages ------------------------------------------------------------------------------------------------------------


def build_message(
    message_type: int,
    enveloped: bytes | None,
    *,
    transaction_id: str,
    sender_nonce: bytes,
    recipient_nonce: bytes = b"",
    private_key: object,
    certificate: bytes,
    hash_name: str = "sha256",
    certificates: Sequence[bytes] = (),
    status: int | None = None,
    fail_info: int | None = None,
    fail_info_text: str = "",
    empty_content: bool = False,
) -> bytes:
    """A signed pkiMessage in DER.

    Args:
        message_type: a MessageType, or another number up to 255.
        enveloped: what ``enveloped.seal`` gave; None in an answer that brings nothing.
        transaction_id: a PrintableString; see ``transaction_id_of``.
        sender_nonce: random octets, sixteen in RFC 8894; left out where empty.
        recipient_nonce: in an answer, the request's sender nonce; left out where empty.
        private_key: a pyca RSA or EC key, or a subclass whose key lives elsewhere.
        certificate: of that key, in DER. It names the signer and goes with the message.
        hash_name: the hash of content and signature.
        certificates: in DER, which go with the message too.
        status: a PkiStatus, in an answer.
        fail_info: a FailInfo, in an answer that refuses.
        fail_info_text: the reason in words, in an answer that refuses.
        empty_content: writes an empty content where ``enveloped`` is None: certmonger reads no answer without one.

    Raises:
        EncodeError: a transaction that is no PrintableString, a number out of range.
        DecodeError: the certificate is malformed.
        UnsupportedAlgorithm: a hash that is not known, or a key that does not sign with it.
        Whatever the key's store raises goes through unchanged.
    """
    attributes = ScepAttributes(
        int(message_type), transaction_id, sender_nonce, recipient_nonce, status, fail_info, fail_info_text
    )
    own, scheme = read_certificate(certificate), SignatureScheme(hash_name)
    signer = new_signer(
        algorithms.load_public_key(own.public_key_info),
        scheme,
        algorithms.signer(private_key, scheme),
        certificate=own,
        attributes=scep_attributes.encode(attributes),
    )
    content = b"" if enveloped is None and empty_content else enveloped
    return cms.encode_signed_data(cms.DATA, content, (signer,), (certificate, *certificates))


def decode(data: bytes) -> PkiMessage:
    """Reads a pkiMessage in DER or BER. Only its structure is judged; see ``verify``.

    Raises:
        DecodeError: the bytes are none, CRYPT_E_INVALID_MSG_TYPE where they are a message of another type,
            CRYPT_E_NO_SIGNER where nobody signed it, CRYPT_E_BAD_MSG where several did, and what
            ``scep_attributes.decode`` says.
        UnsupportedAlgorithm: the signer's hash is not known here.
    """
    signed = cms.decode_signed_data(data)
    if signed.content_type != cms.DATA:
        raise DecodeError(f"a message about {signed.content_type} is none of SCEP", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    if not signed.signers:
        raise DecodeError("nobody signed the message", HRESULT.CRYPT_E_NO_SIGNER)
    if len(signed.signers) > 1:
        raise DecodeError("a SCEP message has one signer, this one has several", HRESULT.CRYPT_E_BAD_MSG)
    signer = signed.signers[0]
    found = scep_attributes.decode(signer)
    certificate = signed.certificate_of(signer)
    return PkiMessage(
        message_type=found.message_type,
        transaction_id=found.transaction_id,
        sender_nonce=found.sender_nonce,
        recipient_nonce=found.recipient_nonce,
        status=found.status,
        fail_info=found.fail_info,
        fail_info_text=found.fail_info_text,
        enveloped=signed.content,
        signer_certificate=certificate.der if certificate is not None else None,
        certificates=signed.certificates,
        crls=signed.crls,
        digest=algorithms.hash_algorithm(algorithms.identifier_oid(signer.digest_algorithm)).name,
        signed=signed,
    )


def verify(message: PkiMessage, certificates: Sequence[bytes]) -> bytes:
    """Verifies the signature of a message, over the octets that were received.

    Args:
        message: what ``decode`` gave.
        certificates: in DER, of those who may have signed. That the message brings one is no reason to believe it:
            pass ``message.certificates`` only where anybody may sign.

    Returns:
        the one of these certificates whose key signed.

    Raises:
        BadSignature: none of them signed (CRYPT_E_SIGNER_NOT_FOUND), the signature does not fit (NTE_BAD_SIGNATURE), the
            content is another (CRYPT_E_HASH_VALUE), an attribute is missing (CRYPT_E_AUTH_ATTR_MISSING).
        DecodeError: one of the certificates, or its key, is malformed.
        UnsupportedAlgorithm: an algorithm or a kind of key that is not known.
    """
    return _signer_of(message.signed, certificates, content=b"")


def _signer_of(signed: SignedData, certificates: Sequence[bytes], content: bytes | None) -> bytes:
    (signer,) = signed.signers
    failure = BadSignature("none of the expected certificates signed the message", HRESULT.CRYPT_E_SIGNER_NOT_FOUND)
    for data in certificates:
        found = read_certificate(data)
        if not signer.is_made_by(found):
            continue
        try:
            cms.verify_signer(signed, signer, found, content=content)
        except BadSignature as error:  # another one may have the same issuer and serial number: many write serial 1
            failure = error
        else:
            return data
    raise failure


# Contents ------------------------------------------------------------------------------------------------------------


def encode_issuer_and_subject(issuer: bytes, subject: bytes) -> bytes:
    """The content of CertPoll (RFC 8894 section 3.3.3).

    Args:
        issuer: the CA's Name in DER.
        subject: the Name in the request, in DER.
    """
    return der.sequence_of((issuer, subject))


def decode_issuer_and_subject(data: bytes) -> tuple[bytes, bytes]:
    """(issuer, subject), both Names in DER, of a CertPoll's content. Raises DecodeError."""
    issuer, subject = parts_of(data, 2)
    return _name(issuer), _name(subject)


def encode_issuer_and_serial(issuer: bytes, serial: int) -> bytes:
    """The content of GetCert and GetCRL (RFC 8894 sections 3.3.4 and 3.3.5).

    Args:
        issuer: the CA's Name in DER.
        serial: the serial number of a certificate that it issued.
    """
    return der.sequence_of((issuer, der.integer(serial)))


def decode_issuer_and_serial(data: bytes) -> tuple[bytes, int]:
    """(issuer's Name in DER, serial number) of the content of a GetCert or a GetCRL. Raises DecodeError."""
    issuer, serial = parts_of(data, 2)
    return _name(issuer), int.from_bytes(der.contents(serial, der.INTEGER), "big", signed=True)


def _name(data: bytes) -> bytes:
    der.children(data, der.SEQUENCE)
    return data


def degenerate(certificates: Iterable[bytes], crls: Iterable[bytes] = ()) -> bytes:
    """A SignedData without content and signers that brings certificates and CRLs, each in DER (RFC 8894 section 3.4)."""
    return cms.encode_certificate_bag(certificates, crls)


def read_degenerate(data: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """(certificates, CRLs) of a SignedData in DER or BER, each in DER. Raises DecodeError."""
    signed = cms.decode_signed_data(data)
    return signed.certificates, signed.crls


def read_next_certificates(data: bytes, certificates: Sequence[bytes]) -> tuple[bytes, ...]:
    """The certificates of the CA that will follow, from an answer to GetNextCACert (RFC 8894 section 4.7.1).

    They stand in the content, which is what is signed: those that go with the signature are nobody's word.

    Args:
        data: a SignedData in DER or BER around a degenerate one.
        certificates: in DER, of those who may have signed: the CA that is followed.

    Raises:
        BadSignature: as ``verify``.
        DecodeError: the bytes are none, CRYPT_E_NO_SIGNER where nobody signed it, CRYPT_E_BAD_MSG where several did or it
            holds no certificate.
        UnsupportedAlgorithm: as ``verify``.
    """
    signed = cms.decode_signed_data(data)
    if len(signed.signers) != 1:
        code = HRESULT.CRYPT_E_BAD_MSG if signed.signers else HRESULT.CRYPT_E_NO_SIGNER
        raise DecodeError(f"{len(signed.signers)} have signed the next CA's certificates, and one should", code)
    _signer_of(signed, certificates, content=None)
    found, _ = read_degenerate(signed.content or b"")
    if not found:
        raise DecodeError("the answer holds no certificate of a next CA", HRESULT.CRYPT_E_BAD_MSG)
    return found


# First requests ------------------------------------------------------------------------------------------------------


def self_signed(
    private_key: object, subject: bytes, not_before: datetime, not_after: datetime, hash_name: str = "sha256"
) -> bytes:
    """The certificate that signs a first request and that its answer is encrypted for (RFC 8894 section 2.3).

    Its serial number is made of what it says, so that two of the same key at different times are told apart.

    Args:
        private_key: a pyca RSA or EC key, or a subclass whose key lives elsewhere; the one that the request is about.
        subject: the request's Name in DER.
        not_before, not_after: with a time zone.
        hash_name: the hash of the signature.

    Returns:
        the certificate in DER. Its key usage is digitalSignature, and of an RSA key keyEncipherment too.

    Raises:
        EncodeError: a time without a zone, an end before the beginning.
        UnsupportedAlgorithm: a hash that is not known, or a key that does not sign with it.
        Whatever the key's store raises goes through unchanged.
    """
    if not isinstance(private_key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise UnsupportedAlgorithm(f"{type(private_key).__name__} does not sign here")
    public_key, scheme = private_key.public_key(), SignatureScheme(hash_name)
    info = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    usage = _DIGITAL_SIGNATURE | (_KEY_ENCIPHERMENT if isinstance(public_key, rsa.RSAPublicKey) else 0)
    times = f"{not_before.isoformat()}/{not_after.isoformat()}".encode()
    contents = CertificateContents(
        serial=int.from_bytes(hashlib.sha256(info + subject + times).digest()[:_SERIAL_SIZE], "big") or 1,
        issuer=subject,
        subject=subject,
        not_before=not_before,
        not_after=not_after,
        public_key_info=info,
        extensions=(Extension(_KEY_USAGE, True, encode_key_usage(usage)),),
    )
    algorithm = algorithms.algorithm_identifier(public_key, scheme)
    return certificate_building.build(contents, algorithm, lambda data: algorithms.sign(private_key, scheme, data)[1])


def transaction_id_of(public_key_info: bytes) -> str:
    """What names the transaction of a request for this key: SHA-256 of its SubjectPublicKeyInfo in hexadecimal digits.

    RFC 8894 section 3.2.1.1 asks for any string that no other transaction has; made of the key, it is found again
    after an interruption.
    """
    return hashlib.sha256(public_key_info).hexdigest()
