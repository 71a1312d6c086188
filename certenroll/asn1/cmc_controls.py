"""What the controls of CMC messages say: the values of TaggedAttributes to plain values or frozen dataclasses, and back.

Knows one control at a time and no message. Status information, which only responses have, is ``cmc_responses``'.

Sources: RFC 5272 section 6 (addExtensions 6.5, transaction and nonces 6.6, registration info 6.11), wincrypt.h for
Microsoft's add-attributes control, and the page of IX509NameValuePair for the text of registration info.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from certenroll.asn1 import der
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.cmc import Control, decode_body_part, decode_sequence, encode_body_part, encode_sequence, parts_of
from certenroll.asn1.der import Attribute, DecodeError, EncodeError, Extension
from certenroll.hresults import HRESULT

ADD_ATTRIBUTES: Final = "1.3.6.1.4.1.311.10.10.1"
ADD_EXTENSIONS: Final = "1.3.6.1.5.5.7.7.8"
TRANSACTION_ID: Final = "1.3.6.1.5.5.7.7.5"
SENDER_NONCE: Final = "1.3.6.1.5.5.7.7.6"
RECIPIENT_NONCE: Final = "1.3.6.1.5.5.7.7.7"
REG_INFO: Final = "1.3.6.1.5.5.7.7.18"
RESPONSE_INFO: Final = "1.3.6.1.5.5.7.7.19"

THIS_MESSAGE: Final = 0
"""The data reference of a control that speaks of the message in which it stands."""

_MALFORMED_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class AddAttributes:
    """Attributes that are added to requests (Microsoft's control).

    Attributes:
        data_reference: the message in which those requests stand; THIS_MESSAGE for this one.
        cert_references: the body parts of the requests.
        attributes: in the order in which they stand.
    """

    data_reference: int
    cert_references: tuple[int, ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True)
class AddExtensions:
    """Extensions that are added to requests; the references are those of AddAttributes."""

    data_reference: int
    cert_references: tuple[int, ...]
    extensions: tuple[Extension, ...]


def add_attributes(body_part: int, attributes: Iterable[Attribute], cert_references: Iterable[int] = (1,)) -> Control:
    """The control that adds ``attributes``, sorted as DER wants it, to requests of its own message. Raises EncodeError."""
    ordered = sorted((Attribute(one.oid, tuple(sorted(one.values))) for one in attributes), key=der.encode_attribute)
    value = AddAttributes(THIS_MESSAGE, tuple(cert_references), tuple(ordered))
    return Control(body_part, ADD_ATTRIBUTES, (encode_add_attributes(value),))


def encode_add_attributes(value: AddAttributes) -> bytes:
    """DER of added attributes, in the order they have. Raises EncodeError."""
    attributes = b"".join(der.encode_attribute(one, keep_order=True) for one in value.attributes)
    return der.sequence_of((*_encode_references(value), der.wrap(der.SET, attributes)))


def decode_add_attributes(data: bytes) -> AddAttributes:
    """Reads added attributes. Raises DecodeError."""
    *references, attributes = parts_of(data, 3)
    return AddAttributes(
        *_decode_references(references), tuple(der.decode_attribute(one) for one in der.children(attributes, der.SET))
    )


def encode_add_extensions(value: AddExtensions) -> bytes:
    """DER of added extensions, in the order they have. Raises EncodeError."""
    return der.sequence_of((*_encode_references(value), der.encode_extensions(value.extensions)))


def decode_add_extensions(data: bytes) -> AddExtensions:
    """Reads added extensions. Raises DecodeError."""
    *references, extensions = parts_of(data, 3)
    return AddExtensions(*_decode_references(references), der.decode_extensions(extensions))


def _encode_references(value: AddAttributes | AddExtensions) -> tuple[bytes, bytes]:
    return encode_body_part(value.data_reference), encode_sequence(value.cert_references, encode_body_part)


def _decode_references(parts: list[bytes]) -> tuple[int, tuple[int, ...]]:
    return decode_body_part(parts[0]), decode_sequence(parts[1], decode_body_part)


def encode_reg_info(pairs: Iterable[NameValuePair]) -> bytes:
    """DER of registration info as Windows writes it: ``name=value&`` for each pair, in UTF-8, escaped as in a URL.

    Raises:
        EncodeError: a text with a lone surrogate.
    """
    try:
        text = "".join(f"{quote(one.name, safe='')}={quote(one.value, safe='')}&" for one in pairs)
    except UnicodeEncodeError:
        raise EncodeError("a name or value that has no UTF-8 form") from None
    return der.octet_string(text.encode("ascii"))


def decode_reg_info(data: bytes) -> tuple[NameValuePair, ...]:
    """The names and values of registration info; the last ``&`` may be missing.

    Raises:
        DecodeError: no OCTET STRING, a pair without ``=``, a broken escape (CRYPT_E_ASN1_CORRUPT), or text that is not
            UTF-8 (CRYPT_E_ASN1_UTF8).
    """
    return tuple(_decode_pair(part) for part in der.read_octet_string(data).split(b"&") if part)


def _decode_pair(part: bytes) -> NameValuePair:
    name, equals, value = part.partition(b"=")
    if not equals or _MALFORMED_ESCAPE.search(part):
        raise DecodeError("registration info is written name=value&", HRESULT.CRYPT_E_ASN1_CORRUPT)
    try:
        return NameValuePair(unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode())
    except UnicodeDecodeError:
        raise DecodeError("registration info that is not UTF-8", HRESULT.CRYPT_E_ASN1_UTF8) from None


# What both messages are asked ----------------------------------------------------------------------------------------


def values_of(controls: Iterable[Control], oid: str) -> tuple[bytes, ...]:
    """The values of every control of that type, in order."""
    return tuple(value for one in controls if one.oid == oid for value in one.values)


def added_attributes(controls: Iterable[Control]) -> tuple[Attribute, ...]:
    """Every attribute that the controls add, to whichever request. Raises DecodeError where a control is malformed."""
    return tuple(
        attribute for value in values_of(controls, ADD_ATTRIBUTES) for attribute in decode_add_attributes(value).attributes
    )


def transaction_id(controls: Iterable[Control]) -> int | None:
    """The number of the transaction, or None. Raises DecodeError where it is none."""
    found = values_of(controls, TRANSACTION_ID)
    return der.read_integer(found[0]) if found else None


def nonce(controls: Iterable[Control], oid: str) -> bytes | None:
    """The sender's or the recipient's nonce, or None. Raises DecodeError where it is none."""
    found = values_of(controls, oid)
    return der.read_octet_string(found[0]) if found else None
