"""CMC full responses (RFC 2797 section 4.4, RFC 5272 section 3.2.2): read by clients, written by the local CA.

Bytes to a frozen value and back; what became of the request; whether the answer is the one to this request. Verifies no
signature (``responses`` does) and installs nothing.

Where AD CS' own bytes are not documented (the order of controls, what the pending token holds) nothing here depends on
them. Sources: RFC 2797 and 5272, MS-WCCE 2.2.2.8, and the page of ICertRequest2::GetFullResponseProperty.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import ber, cmc, cmc_controls, cms, der
from certenroll.asn1.attributes import ARCHIVED_KEY_HASH, encode_archived_key_hash
from certenroll.asn1.cmc import PKI_RESPONSE, Control, NestedMessage, OtherMessage
from certenroll.asn1.cmc_controls import RECIPIENT_NONCE, SENDER_NONCE, TRANSACTION_ID
from certenroll.asn1.cmc_statuses import STATUS_INFO, STATUS_INFO_V2, CmcStatus, Outcome, decode_status, encode_status
from certenroll.asn1.cms import NewSigner
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.hresults import HRESULT

ISSUED_CERTIFICATE_HASH: Final = "1.3.6.1.4.1.311.21.17"
CA_EXCHANGE_CERTIFICATE_HASH: Final = "1.3.6.1.4.1.311.21.27"

_STATUS_VERSIONS: Final = {STATUS_INFO: 1, STATUS_INFO_V2: 2}
# Of several statuses that one decides which is the worst for the client.
_WORST_FIRST: Final = (Outcome.REFUSED, Outcome.PENDING, Outcome.GRANTED)


class ResponseMismatch(ValueError):
    """A response that is not the one to this request, or brings another certificate than it says.

    Attributes:
        hresult: in which way.
    """

    def __init__(self, message: str, hresult: int) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@dataclass(frozen=True, slots=True)
class PkiResponse:
    """The content of a CMC full response; everything stands in the order of the wire.

    Attributes:
        controls: statuses, attributes, nonces.
        nested: messages inside this one, as they came.
        others: bodies of other types.
    """

    controls: tuple[Control, ...] = ()
    nested: tuple[NestedMessage, ...] = ()
    others: tuple[OtherMessage, ...] = ()

    @property
    def statuses(self) -> tuple[CmcStatus, ...]:
        """Every status, in order. Raises DecodeError where one is malformed."""
        found = [(one, _STATUS_VERSIONS[one.oid]) for one in self.controls if one.oid in _STATUS_VERSIONS]
        return tuple(decode_status(value, version) for one, version in found for value in one.values)

    @property
    def status(self) -> CmcStatus | None:
        """The status that decides: a refusal before a wait before a grant. None where nothing is said, which grants."""
        found = self.statuses
        return next((one for wanted in _WORST_FIRST for one in found if one.outcome is wanted), None)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that Microsoft's control brings. Raises DecodeError where it is malformed."""
        return cmc_controls.added_attributes(self.controls)

    @property
    def issued_certificate_hash(self) -> bytes | None:
        """SHA-1 of the certificate that was issued, or None."""
        return self._octets(ISSUED_CERTIFICATE_HASH)

    @property
    def archived_key_hash(self) -> bytes | None:
        """SHA-1 of the encrypted private key that the CA archived, or None."""
        return self._octets(ARCHIVED_KEY_HASH)

    @property
    def exchange_certificate_hash(self) -> bytes | None:
        """SHA-1 of the CA exchange certificate that the request was made for, or None."""
        return self._octets(CA_EXCHANGE_CERTIFICATE_HASH)

    @property
    def transaction_id(self) -> int | None:
        """The number of the transaction, or None."""
        return cmc_controls.transaction_id(self.controls)

    @property
    def sender_nonce(self) -> bytes | None:
        """The CA's own nonce, or None."""
        return cmc_controls.nonce(self.controls, SENDER_NONCE)

    @property
    def recipient_nonce(self) -> bytes | None:
        """The client's nonce, repeated; or None."""
        return cmc_controls.nonce(self.controls, RECIPIENT_NONCE)

    @property
    def response_info(self) -> bytes | None:
        """What the CA says in a form of its own, or None."""
        return cmc_controls.nonce(self.controls, cmc_controls.RESPONSE_INFO)

    def _octets(self, oid: str) -> bytes | None:
        """Of the attribute; or of a control of that type, which says the same."""
        found = [value for one in self.attributes if one.oid == oid for value in one.values]
        found += cmc_controls.values_of(self.controls, oid)
        return der.read_octet_string(found[0]) if found else None


# Bytes ---------------------------------------------------------------------------------------------------------------


def decode_pki_response(data: bytes) -> PkiResponse:
    """Reads a PKIResponse (ResponseBody in RFC 2797) in DER or BER, every part that this module knows included.

    Raises:
        DecodeError: the bytes are none, or a status, an attribute or a nonce is malformed.
    """
    try:
        return _decode(data)
    except DecodeError:
        normal = ber.to_der(data)
        if normal == data:
            raise
        return _decode(normal)


def _decode(data: bytes) -> PkiResponse:
    controls, nested, others = cmc.parts_of(data, 3)
    found = PkiResponse(
        cmc.decode_sequence(controls, cmc.decode_control),
        cmc.decode_sequence(nested, cmc.decode_nested),
        cmc.decode_sequence(others, cmc.decode_other),
    )
    _ = found.statuses, found.transaction_id, found.sender_nonce, found.recipient_nonce, found.response_info
    _ = found.issued_certificate_hash, found.archived_key_hash, found.exchange_certificate_hash
    return found


def encode_pki_response(response: PkiResponse) -> bytes:
    """A PKIResponse in DER, everything in the order it has. Raises EncodeError."""
    return der.sequence_of(
        (
            cmc.encode_sequence(response.controls, cmc.encode_control),
            cmc.encode_sequence(response.nested, cmc.encode_nested),
            cmc.encode_sequence(response.others, cmc.encode_other),
        )
    )


def new_response(
    status: CmcStatus,
    *,
    answering: Sequence[Control] = (),
    attributes: Iterable[Attribute] = (),
    sender_nonce: bytes = b"",
) -> PkiResponse:
    """A content as the local CA writes it: the status is body part 1, whatever else there is follows.

    Args:
        status: what became of the request.
        answering: the controls of the request; its transaction and its nonce are repeated.
        attributes: go into Microsoft's add-attributes control, see ``issued_attributes``.
        sender_nonce: the CA's own.

    Raises:
        DecodeError: the request's transaction or nonce is malformed.
        EncodeError: the status has no encoding.
    """
    wanted = tuple(attributes)
    transaction, repeated = cmc_controls.transaction_id(answering), cmc_controls.nonce(answering, SENDER_NONCE)
    values = (
        (STATUS_INFO if status.version == 1 else STATUS_INFO_V2, encode_status(status)),
        (cmc_controls.ADD_ATTRIBUTES, cmc_controls.add_attributes(0, wanted).values[0] if wanted else b""),
        (TRANSACTION_ID, der.integer(transaction) if transaction is not None else b""),
        (SENDER_NONCE, der.octet_string(sender_nonce) if sender_nonce else b""),
        (RECIPIENT_NONCE, der.octet_string(repeated) if repeated is not None else b""),
    )
    present = [(oid, value) for oid, value in values if value]
    return PkiResponse(tuple(Control(number, oid, (value,)) for number, (oid, value) in enumerate(present, 1)))


def issued_attributes(certificate: bytes, archived_key_hash: bytes | None = None) -> tuple[Attribute, ...]:
    """What a response says about a certificate that was issued.

    Args:
        certificate: in DER.
        archived_key_hash: SHA-1 of the encrypted key that was archived with it, or None.
    """
    hashes = [(ISSUED_CERTIFICATE_HASH, der.octet_string(_sha1(certificate)))]
    if archived_key_hash is not None:
        hashes.append((ARCHIVED_KEY_HASH, encode_archived_key_hash(archived_key_hash)))
    return tuple(Attribute(oid, (value,)) for oid, value in hashes)


def encode_full_response(
    response: PkiResponse, signers: Sequence[NewSigner], certificates: Iterable[bytes] = (), crls: Iterable[bytes] = ()
) -> bytes:
    """A full response, signed.

    Args:
        response: its content.
        signers: the CA.
        certificates: the issued one and its chain, each in DER. A refusal brings the CA's alone.
        crls: each in DER.

    Raises:
        EncodeError: a signer without a name, a malformed OID.
        Whatever a signer's ``sign`` raises goes through unchanged.
    """
    return cms.encode_signed_data(PKI_RESPONSE, encode_pki_response(response), signers, certificates, crls)


# Is this the answer? -------------------------------------------------------------------------------------------------


def check_issued_hash(response: PkiResponse, certificate: bytes) -> None:
    """Holds a certificate against the hash of the one that was issued, where the response gives it.

    Raises:
        ResponseMismatch: it is another certificate (CRYPT_E_HASH_VALUE).
    """
    stated = response.issued_certificate_hash
    if stated is not None and not hmac.compare_digest(stated, _sha1(certificate)):
        raise ResponseMismatch("the response speaks of another certificate than it brings", HRESULT.CRYPT_E_HASH_VALUE)


def check_archived_key_hash(response: PkiResponse, sent: bytes | None) -> None:
    """Holds the archived key's hash against the one that was sent.

    Args:
        response: a response that grants the request.
        sent: the hash in the request, or None where no key was archived.

    Raises:
        ResponseMismatch: XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND, XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH or
            XENROLL_E_RESPONSE_KA_HASH_MISMATCH.
    """
    stated = response.archived_key_hash
    if sent is not None and stated is None:
        raise ResponseMismatch("the CA does not say which key it archived", HRESULT.XENROLL_E_RESPONSE_KA_HASH_NOT_FOUND)
    if sent is None and stated is not None:
        raise ResponseMismatch("the CA archived a key that was not sent", HRESULT.XENROLL_E_RESPONSE_UNEXPECTED_KA_HASH)
    if sent is not None and stated is not None and not hmac.compare_digest(sent, stated):
        raise ResponseMismatch("the CA archived another key", HRESULT.XENROLL_E_RESPONSE_KA_HASH_MISMATCH)


def check_transaction(response: PkiResponse, asked: Sequence[Control]) -> None:
    """Holds transaction and nonce, where both messages have them, against those of the request.

    Args:
        response: the answer.
        asked: the controls of the request.

    Raises:
        ResponseMismatch: ERROR_INVALID_DATA: it answers another request.
    """
    pairs = (
        (cmc_controls.transaction_id(asked), response.transaction_id),
        (cmc_controls.nonce(asked, SENDER_NONCE), response.recipient_nonce),
    )
    if any(sent is not None and got is not None and sent != got for sent, got in pairs):
        raise ResponseMismatch("the response answers another request", HRESULT.WIN32_INVALID_DATA)


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
