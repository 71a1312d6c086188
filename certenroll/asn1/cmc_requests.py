"""CMC full requests (RFC 5272 section 3.2): PKIData inside a SignedData, as Windows writes and a CA reads them.

Bytes to a frozen value and back, octet for octet; put together with the numbers and in the order of Windows; every
signature verified, messages inside messages too. Knows no policy and no template.

Sources: RFC 5272, MS-WCCE 2.2.2.6.3 and 3.1.1.4.3, and the four samples of Microsoft's "CMC ... Encoded ASN.1" pages.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from certenroll.asn1 import cmc, cmc_controls, cms, der, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import BadSignature
from certenroll.asn1.attributes import (
    ARCHIVED_KEY,
    ARCHIVED_KEY_HASH,
    NameValuePair,
    archived_key_digest,
    decode_archived_key_hash,
    encode_archived_key_hash,
)
from certenroll.asn1.cmc import PKI_DATA, Control, NestedMessage, OtherMessage
from certenroll.asn1.cmc_controls import ADD_EXTENSIONS, REG_INFO, SENDER_NONCE, THIS_MESSAGE, TRANSACTION_ID
from certenroll.asn1.cms import NewSigner, SignedData
from certenroll.asn1.der import Attribute, DecodeError, Extension
from certenroll.asn1.pkcs7_requests import Pkcs7Request
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import Envelope, VerifiedSigner, envelope_of, open_message, verify_signers
from certenroll.asn1.signed_messages import encode as encode_message
from certenroll.hresults import HRESULT

MAX_DEPTH: Final = 8
"""How many messages may stand one in the other. RFC 5272 sets no limit, and no CA asks for more than three."""

_TCR: Final = 0xA0


@dataclass(frozen=True, slots=True)
class TaggedRequest:
    """A PKCS #10 request among the requests of a message, and the number of its body part."""

    body_part: int
    request: CertificationRequest


@dataclass(frozen=True, slots=True)
class ForeignRequest:
    """A request of another form (CRMF, other), whole and in DER as it stood. Windows reads none."""

    der: bytes


@dataclass(frozen=True, slots=True)
class PkiData:
    """The content of a CMC request; everything stands in the order of the wire.

    Attributes:
        controls: what is said about the requests.
        requests: PKCS #10 requests, and requests of other forms.
        nested: messages inside this one.
        others: bodies of other types.
    """

    controls: tuple[Control, ...] = ()
    requests: tuple[TaggedRequest | ForeignRequest, ...] = ()
    nested: tuple[NestedMessage, ...] = ()
    others: tuple[OtherMessage, ...] = ()

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that Microsoft's control adds. Raises DecodeError where it is malformed."""
        return cmc_controls.added_attributes(self.controls)

    @property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions that the add-extensions control adds. Raises DecodeError where it is malformed."""
        values = cmc_controls.values_of(self.controls, ADD_EXTENSIONS)
        return tuple(one for value in values for one in cmc_controls.decode_add_extensions(value).extensions)

    @property
    def name_value_pairs(self) -> tuple[NameValuePair, ...]:
        """Names and values of the registration info. Raises DecodeError where it is malformed."""
        values = cmc_controls.values_of(self.controls, REG_INFO)
        return tuple(pair for value in values for pair in cmc_controls.decode_reg_info(value))

    @property
    def transaction_id(self) -> int | None:
        """The number of the transaction, or None."""
        return cmc_controls.transaction_id(self.controls)

    @property
    def sender_nonce(self) -> bytes | None:
        """The client's nonce, which a response repeats as the recipient's; or None."""
        return cmc_controls.nonce(self.controls, SENDER_NONCE)

    @property
    def archived_key_hash(self) -> bytes | None:
        """SHA-1 of the archived key that the message brings, as the request states it; or None."""
        found = [value for one in self.attributes if one.oid == ARCHIVED_KEY_HASH for value in one.values]
        return decode_archived_key_hash(found[0]) if found else None


@dataclass(frozen=True, slots=True)
class CmcRequest:
    """A CMC full request, field by field.

    Attributes:
        data: its content.
        envelope: version, certificates and signers of the message around it.
    """

    data: PkiData
    envelope: Envelope

    @property
    def signed(self) -> SignedData:
        """The message as a SignedData, its content encoded from ``data``."""
        return self.envelope.around(PKI_DATA, encode_pki_data(self.data))

    @property
    def archived_key(self) -> bytes | None:
        """The encrypted private key beside the outermost signatures, a ContentInfo in DER; or None."""
        values = (
            value
            for signer in self.envelope.signers
            for one in signer.unsigned_attributes
            if one.oid == ARCHIVED_KEY
            for value in one.values
        )
        return next(values, None)


# Bytes ---------------------------------------------------------------------------------------------------------------


def decode_pki_data(data: bytes) -> PkiData:
    """Reads a PKIData in DER. Raises DecodeError, CRYPT_E_ASN1_RULE where it is not DER."""
    controls, requests, nested, others = cmc.parts_of(data, 4)
    found = PkiData(
        cmc.decode_sequence(controls, cmc.decode_control),
        cmc.decode_sequence(requests, _decode_request),
        cmc.decode_sequence(nested, cmc.decode_nested),
        cmc.decode_sequence(others, cmc.decode_other),
    )
    if encode_pki_data(found) != data:
        raise DecodeError("a CMC request that is not in DER", HRESULT.CRYPT_E_ASN1_RULE)
    return found


def _decode_request(data: bytes) -> TaggedRequest | ForeignRequest:
    if der.tag(data) != _TCR:
        return ForeignRequest(data)
    parts = der.children(data)
    if len(parts) != 2:
        raise DecodeError("a tagged request has a number and a request", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return TaggedRequest(cmc.decode_body_part(parts[0]), pkcs10.decode(parts[1]))


def encode_pki_data(data: PkiData) -> bytes:
    """A PKIData in DER, everything in the order it has. Raises EncodeError."""
    return der.sequence_of(
        (
            cmc.encode_sequence(data.controls, cmc.encode_control),
            cmc.encode_sequence(data.requests, _encode_request),
            cmc.encode_sequence(data.nested, cmc.encode_nested),
            cmc.encode_sequence(data.others, cmc.encode_other),
        )
    )


def _encode_request(one: TaggedRequest | ForeignRequest) -> bytes:
    if isinstance(one, ForeignRequest):
        return one.der
    return der.wrap(_TCR, cmc.encode_body_part(one.body_part) + pkcs10.encode(one.request))


def decode(data: bytes) -> CmcRequest:
    """Reads a CMC full request. The message may be BER, its content is DER.

    Raises:
        DecodeError: the bytes are none; CRYPT_E_INVALID_MSG_TYPE where they are a message of another kind.
    """
    envelope, content = open_message(data, PKI_DATA)
    return CmcRequest(decode_pki_data(content), envelope)


def encode(request: CmcRequest) -> bytes:
    """The message in DER, put together from the fields. Raises EncodeError."""
    return encode_message(request.signed)


# Putting together ----------------------------------------------------------------------------------------------------


def new_pki_data(
    request: CertificationRequest | None = None,
    *,
    nested: bytes = b"",
    attributes: Iterable[Attribute] = (),
    extensions: Sequence[Extension] = (),
    pairs: Sequence[NameValuePair] = (),
    transaction_id: int | None = None,
    sender_nonce: bytes = b"",
) -> PkiData:
    """A content with the numbers and in the order of Windows: the request is 1, the control that was numbered last first.

    Args:
        request: what is asked for, or None where it stands in ``nested``.
        nested: a whole CMC or PKCS #7 request, in DER, around which this one goes.
        attributes: go into Microsoft's add-attributes control, sorted; without any there is no such control.
        extensions: go into an add-extensions control.
        pairs: go into registration info.
        transaction_id: any number.
        sender_nonce: octets that the response shall repeat.

    Raises:
        EncodeError: a malformed OID or text.
    """
    wanted = tuple(attributes)
    values = (
        (TRANSACTION_ID, der.integer(transaction_id) if transaction_id is not None else b""),
        (SENDER_NONCE, der.octet_string(sender_nonce) if sender_nonce else b""),
        (REG_INFO, cmc_controls.encode_reg_info(pairs) if pairs else b""),
        (ADD_EXTENSIONS, _extensions_value(extensions) if extensions else b""),
        (cmc_controls.ADD_ATTRIBUTES, cmc_controls.add_attributes(0, wanted).values[0] if wanted else b""),
    )
    present = [(oid, value) for oid, value in values if value]
    controls = [Control(number, oid, (value,)) for number, (oid, value) in enumerate(present, 2)]
    return PkiData(
        tuple(reversed(controls)),
        (TaggedRequest(1, request),) if request is not None else (),
        (NestedMessage(1, nested),) if nested else (),
    )


def _extensions_value(extensions: Sequence[Extension]) -> bytes:
    return cmc_controls.encode_add_extensions(cmc_controls.AddExtensions(THIS_MESSAGE, (1,), tuple(extensions)))


def archival_attributes(archived_key: bytes) -> tuple[Attribute, Attribute]:
    """(the hash, which goes into ``new_pki_data``; the key, which goes unsigned beside the first signature).

    Args:
        archived_key: what ``attributes.encode_archived_key`` gave.
    """
    digest = encode_archived_key_hash(archived_key_digest(archived_key))
    return Attribute(ARCHIVED_KEY_HASH, (digest,)), Attribute(ARCHIVED_KEY, (archived_key,))


def build(data: PkiData, signers: Sequence[NewSigner], certificates: Iterable[bytes] = ()) -> CmcRequest:
    """Signs a content.

    Args:
        data: what is asked for.
        signers: in the order in which they shall stand, the request's own key first. See ``signed_messages.new_signer``.
        certificates: of the other signers, each in DER.

    Raises:
        EncodeError: a signer without a name, a malformed OID.
        Whatever a signer's ``sign`` raises goes through unchanged.
    """
    message = cms.encode_signed_data(PKI_DATA, encode_pki_data(data), signers, certificates)
    return CmcRequest(data, envelope_of(cms.decode_signed_data(message)))


# What stands inside --------------------------------------------------------------------------------------------------


def nested_requests(request: CmcRequest) -> tuple[CmcRequest | Pkcs7Request, ...]:
    """The messages inside this one, one level deep. Raises DecodeError where one is no request."""
    return tuple(_decode_inner(one.content) for one in request.data.nested)


def _decode_inner(data: bytes) -> CmcRequest | Pkcs7Request:
    signed = cms.decode_signed_data(data)
    return decode(data) if signed.content_type == PKI_DATA else pkcs7_requests.decode(data)


def _levels(request: CmcRequest) -> Iterator[tuple[int, CmcRequest | Pkcs7Request]]:
    """(depth, message) of every message, the outermost first."""
    waiting: list[tuple[int, CmcRequest | Pkcs7Request]] = [(0, request)]
    while waiting:
        depth, one = waiting.pop(0)
        if depth > MAX_DEPTH:
            raise DecodeError(f"more than {MAX_DEPTH} messages, one in the other", HRESULT.CRYPT_E_ASN1_LARGE)
        yield depth, one
        if isinstance(one, CmcRequest):
            waiting.extend((depth + 1, inner) for inner in nested_requests(one))


def certification_requests(request: CmcRequest) -> tuple[CertificationRequest, ...]:
    """Every PKCS #10 request in the message and in the messages inside it, the outermost first. Raises DecodeError."""
    return tuple(one for _, level in _levels(request) for one in _own_requests(level))


def _own_requests(level: CmcRequest | Pkcs7Request) -> tuple[CertificationRequest, ...]:
    if isinstance(level, Pkcs7Request):
        return (level.request,)
    return tuple(one.request for one in level.data.requests if isinstance(one, TaggedRequest))


def certification_request(request: CmcRequest) -> CertificationRequest:
    """The one PKCS #10 request that a CA reads.

    Raises:
        DecodeError: there is none or more than one (ERROR_INVALID_DATA, as MS-WCCE 3.1.1.4.3.2 has it).
    """
    found = certification_requests(request)
    if len(found) != 1:
        raise DecodeError(f"a CMC request asks for one certificate, not {len(found)}", HRESULT.WIN32_INVALID_DATA)
    return found[0]


def verify(
    request: CmcRequest, certificates: Iterable[bytes] = (), *, allow_null: bool = False
) -> tuple[VerifiedSigner, ...]:
    """Verifies every PKCS #10 request and every signer, also of the messages inside.

    Args:
        request: as it was decoded.
        certificates: in DER, of signers whose certificates the message does not bring.
        allow_null: whether a hash passes in the place of a signature.

    Returns:
        the signers, those of the outermost message first.

    Raises:
        BadSignature, DecodeError, UnsupportedAlgorithm: as ``signed_messages.verify_signers``.
    """
    requests = certification_requests(request)
    for one in requests:
        pkcs10.verify(one, allow_null=allow_null)
    renewed = (pkcs7_requests.renewal_certificate_of(one) for one in requests)
    known = (*certificates, *(one for one in renewed if one is not None))
    return tuple(
        found
        for depth, level in _levels(request)
        for found in verify_signers(level.signed, requests, known, allow_null=allow_null, depth=depth)
    )


def verify_archived_key(request: CmcRequest) -> bytes | None:
    """The encrypted private key that the message brings, or None where none is announced nor there.

    Raises:
        BadSignature: CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL where only one of hash and key is there, CRYPT_E_HASH_VALUE where
            the key is not the one whose hash was signed.
    """
    stated, key = request.data.archived_key_hash, request.archived_key
    if stated is None and key is None:
        return None
    if stated is None or key is None:
        raise BadSignature("an archived key and its hash belong together", HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL)
    if archived_key_digest(key) != stated:
        raise BadSignature("the archived key is not the one that was signed", HRESULT.CRYPT_E_HASH_VALUE)
    return key


def without_archived_key(request: CmcRequest) -> CmcRequest:
    """The message as a CA keeps it: without the encrypted key, which stands unsigned so that it can be taken away."""
    signers = tuple(
        replace(one, unsigned_attributes=tuple(each for each in one.unsigned_attributes if each.oid != ARCHIVED_KEY))
        for one in request.envelope.signers
    )
    return replace(request, envelope=replace(request.envelope, signers=signers))
