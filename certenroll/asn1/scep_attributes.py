"""The signed attributes of SCEP messages: which message it is, of which transaction, and what became of it.

Reads them from a signer and writes them. Reads numbers that no enumeration here has, because what an unknown one means is
decided above. Knows neither the content of a message nor whether a signature fits.

Source: RFC 8894 section 3.2.1.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from certenroll.asn1 import der
from certenroll.asn1.attributes import PRINTABLE
from certenroll.asn1.cms import Signer
from certenroll.asn1.der import Attribute, DecodeError, EncodeError
from certenroll.hresults import HRESULT

MESSAGE_TYPE: Final = "2.16.840.1.113733.1.9.2"
PKI_STATUS: Final = "2.16.840.1.113733.1.9.3"
FAIL_INFO: Final = "2.16.840.1.113733.1.9.4"
SENDER_NONCE: Final = "2.16.840.1.113733.1.9.5"
RECIPIENT_NONCE: Final = "2.16.840.1.113733.1.9.6"
TRANSACTION_ID: Final = "2.16.840.1.113733.1.9.7"
FAIL_INFO_TEXT: Final = "1.3.6.1.5.5.7.24.1"

MAX_NUMBER: Final = 255
"""The highest message type, status or failure that is read or written; the highest that anybody defines is 41."""

_MAX_DIGITS: Final = 3


class MessageType(IntEnum):
    """What a message is (RFC 8894 section 3.2.1.2)."""

    CertRep = 3
    RenewalReq = 17
    PKCSReq = 19
    CertPoll = 20
    GetCert = 21
    GetCRL = 22


class PkiStatus(IntEnum):
    """What became of a request (RFC 8894 section 3.2.1.3)."""

    SUCCESS = 0
    FAILURE = 2
    PENDING = 3


class FailInfo(IntEnum):
    """Why a request was refused (RFC 8894 section 3.2.1.4)."""

    badAlg = 0
    badMessageCheck = 1
    badRequest = 2
    badTime = 3
    badCertId = 4


@dataclass(frozen=True, slots=True)
class ScepAttributes:
    """The attributes of one message.

    Attributes:
        message_type: a MessageType, or a number that only the sender knows.
        transaction_id: the same in all messages of a transaction.
        sender_nonce, recipient_nonce: octets, commonly sixteen; empty where absent.
        status: a PkiStatus, or another number; None where absent, as in a request.
        fail_info: a FailInfo, or another number; None where absent.
        fail_info_text: the reason in words; empty where absent.
    """

    message_type: int
    transaction_id: str
    sender_nonce: bytes = b""
    recipient_nonce: bytes = b""
    status: int | None = None
    fail_info: int | None = None
    fail_info_text: str = ""


def decode(signer: Signer) -> ScepAttributes:
    """Reads the attributes that a signer has signed; others beside them are passed over.

    Raises:
        DecodeError: one of them is malformed, or has not just one value (CRYPT_E_ASN1_CORRUPT); a number is out of range
            (CRYPT_E_ASN1_CONSTRAINT); message type or transaction is missing (CRYPT_E_AUTH_ATTR_MISSING).
    """
    message_type, transaction_id = _number(signer, MESSAGE_TYPE), _value(signer, TRANSACTION_ID)
    if message_type is None or transaction_id is None:
        text = "the message does not say of which type or of which transaction it is"
        raise DecodeError(text, HRESULT.CRYPT_E_AUTH_ATTR_MISSING)
    reason = _value(signer, FAIL_INFO_TEXT)
    return ScepAttributes(
        message_type=message_type,
        transaction_id=der.read_string(transaction_id),
        sender_nonce=_nonce(signer, SENDER_NONCE),
        recipient_nonce=_nonce(signer, RECIPIENT_NONCE),
        status=_number(signer, PKI_STATUS),
        fail_info=_number(signer, FAIL_INFO),
        fail_info_text=der.read_string(reason) if reason is not None else "",
    )


def _value(signer: Signer, oid: str) -> bytes | None:
    found = [one for one in signer.signed_attributes if one.oid == oid]
    if not found:
        return None
    if len(found) != 1 or len(found[0].values) != 1:
        raise DecodeError(f"the attribute {oid} has not just one value", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return found[0].values[0]


def _number(signer: Signer, oid: str) -> int | None:
    """A number written in decimal digits, in a string of any type."""
    data = _value(signer, oid)
    if data is None:
        return None
    text = der.read_string(data)
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text) <= MAX_NUMBER):
        raise DecodeError(f"the attribute {oid} is no number up to {MAX_NUMBER}", HRESULT.CRYPT_E_ASN1_CONSTRAINT)
    return int(text)


def _nonce(signer: Signer, oid: str) -> bytes:
    data = _value(signer, oid)
    return der.read_octet_string(data) if data is not None else b""


def encode(attributes: ScepAttributes) -> tuple[Attribute, ...]:
    """The signed attributes; what is empty or None is left out.

    Raises:
        EncodeError: a transaction that is empty or no PrintableString (CRYPT_E_INVALID_PRINTABLE_STRING), a number out of
            range (E_INVALIDARG), a text that no UTF8String holds.
    """
    nonces = {SENDER_NONCE: attributes.sender_nonce, RECIPIENT_NONCE: attributes.recipient_nonce}
    numbers = {
        MESSAGE_TYPE: attributes.message_type,
        PKI_STATUS: attributes.status,
        FAIL_INFO: attributes.fail_info,
    }
    reason = attributes.fail_info_text
    return (
        *(Attribute(oid, (_encode_number(value),)) for oid, value in numbers.items() if value is not None),
        *(Attribute(oid, (der.octet_string(value),)) for oid, value in nonces.items() if value),
        Attribute(TRANSACTION_ID, (_printable(attributes.transaction_id),)),
        *([Attribute(FAIL_INFO_TEXT, (der.utf8_string(reason),))] if reason else []),
    )


def _encode_number(value: int) -> bytes:
    if not 0 <= value <= MAX_NUMBER:
        raise EncodeError(f"SCEP numbers nothing {value}", HRESULT.E_INVALIDARG)
    return _printable(str(int(value)))


def _printable(text: str) -> bytes:
    if not text or not PRINTABLE.issuperset(text):
        raise EncodeError("a transaction is named by a PrintableString", HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING)
    return der.wrap(der.PRINTABLE_STRING, text.encode("ascii"))
