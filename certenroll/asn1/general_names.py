"""GeneralName of RFC 5280 section 4.2.1.6, every type of it: bytes to one frozen dataclass and back.

A name keeps what stands on the wire, so that a foreign name is written again as it came. Knows no extension and no
directory: the text of a directoryName is made by ``names``.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import der
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.hresults import HRESULT

UPN: Final = "1.3.6.1.4.1.311.20.2.3"  # szOID_NT_PRINCIPAL_NAME
NTDS_REPLICATION: Final = "1.3.6.1.4.1.311.25.1"  # a domain controller's GUID

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Kind(enum.IntEnum):
    """The alternatives of the CHOICE, by the number of their context tag."""

    OTHER_NAME = 0
    RFC822 = 1
    DNS = 2
    X400 = 3
    DIRECTORY = 4
    EDI_PARTY = 5
    URI = 6
    IP = 7
    REGISTERED_ID = 8


TEXT_KINDS: Final = frozenset({Kind.RFC822, Kind.DNS, Kind.URI})
_CONSTRUCTED: Final = frozenset({Kind.OTHER_NAME, Kind.X400, Kind.DIRECTORY, Kind.EDI_PARTY})
_TAGS: Final = {kind: 0x80 | kind | (0x20 if kind in _CONSTRUCTED else 0) for kind in Kind}
_KINDS: Final = {tag: kind for kind, tag in _TAGS.items()}
_EXPLICIT_0: Final = 0xA0
_ADDRESS_SIZES: Final = (4, 16)
_SUBTREE_SIZES: Final = (8, 32)


@dataclass(frozen=True, slots=True)
class GeneralName:
    """One name.

    Attributes:
        kind: which alternative it is.
        data: RFC822, DNS and URI: the octets of the IA5String; DIRECTORY: DER of the Name; IP: the address, and in a
            name constraint the mask behind it; OTHER_NAME: DER of the value; X400 and EDI_PARTY: the contents of the
            element, kept as they came; REGISTERED_ID: empty.
        oid: OTHER_NAME: the type in dots; REGISTERED_ID: the identifier in dots; else empty.
    """

    kind: Kind
    data: bytes = b""
    oid: str = ""

    @property
    def text(self) -> str:
        """What a person reads: an address, a host, a URI, an IP address or subtree, an OID, a UPN. Empty for the rest."""
        if self.kind in TEXT_KINDS:
            return self.data.decode("latin-1")
        if self.kind is Kind.IP:
            return str(ip_value(self.data))
        if self.kind is Kind.REGISTERED_ID:
            return self.oid
        return read_upn(self) if self.oid == UPN else ""


def text_name(kind: Kind, text: str) -> GeneralName:
    """An RFC822, DNS or URI name.

    Raises:
        EncodeError: CRYPT_E_INVALID_IA5_STRING where the text is not ASCII: an internationalized name is written in its
            ASCII form (``xn--``).
    """
    return GeneralName(kind, der.contents(der.ia5_string(text), der.IA5_STRING))


def directory_name(name: bytes) -> GeneralName:
    """A directoryName from the DER of a Name. Raises DecodeError where that is no SEQUENCE."""
    der.contents(name, der.SEQUENCE)
    return GeneralName(Kind.DIRECTORY, name)


def ip_name(value: Address | Network) -> GeneralName:
    """An IP address, or, for name constraints, a network with its mask."""
    if isinstance(value, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return GeneralName(Kind.IP, value.network_address.packed + value.netmask.packed)
    return GeneralName(Kind.IP, value.packed)


def ip_value(data: bytes) -> Address | Network:
    """The address (4 or 16 octets) or the network (8 or 32) that the octets of an IP name mean.

    Raises:
        DecodeError: another size, or a mask with holes.
    """
    if len(data) in _ADDRESS_SIZES:
        return ipaddress.ip_address(data)
    if len(data) not in _SUBTREE_SIZES:
        raise _bad_ip(data)
    half = len(data) // 2
    network, mask = int.from_bytes(data[:half], "big"), int.from_bytes(data[half:], "big")
    prefix = mask.bit_count()
    bits = half * 8
    if mask != ((1 << prefix) - 1) << (bits - prefix):
        raise DecodeError("the mask of an IP subtree is not contiguous", HRESULT.CRYPT_E_ASN1_CONSTRAINT)
    return ipaddress.ip_network(((network & mask).to_bytes(half, "big"), prefix))


def registered_id(oid: str) -> GeneralName:
    """A registeredID. Raises EncodeError (CRYPT_E_OID_FORMAT) where ``oid`` is no dotted identifier."""
    der.oid(oid)
    return GeneralName(Kind.REGISTERED_ID, b"", oid)


def other_name(oid: str, value: bytes) -> GeneralName:
    """An otherName.

    Args:
        oid: its type in dots.
        value: DER of its value, one element.

    Raises:
        EncodeError: CRYPT_E_OID_FORMAT where ``oid`` is malformed.
        DecodeError: ``value`` is not one DER element.
    """
    der.oid(oid)
    der.contents(value)
    return GeneralName(Kind.OTHER_NAME, value, oid)


def upn_name(text: str) -> GeneralName:
    """A user principal name: an otherName whose value is a UTF8String."""
    return other_name(UPN, der.utf8_string(text))


def guid_name(guid: bytes) -> GeneralName:
    """A directory object's GUID: an otherName whose value is an OCTET STRING of the 16 octets as Windows stores them."""
    return other_name(NTDS_REPLICATION, der.octet_string(guid))


def read_upn(name: GeneralName) -> str:
    """The text of a user principal name. Raises DecodeError where the value is no string."""
    return der.read_string(name.data)


def encode(name: GeneralName) -> bytes:
    """DER of one GeneralName.

    Raises:
        EncodeError: CRYPT_E_OID_FORMAT where its identifier is malformed, CRYPT_E_BAD_ENCODE where an IP address has
            no size of one.
    """
    tag = _TAGS[name.kind]
    if name.kind is Kind.OTHER_NAME:
        return der.wrap(tag, der.oid(name.oid) + der.wrap(_EXPLICIT_0, name.data))
    if name.kind is Kind.REGISTERED_ID:
        return der.retag(der.oid(name.oid), tag)
    if name.kind is Kind.IP and len(name.data) not in _ADDRESS_SIZES + _SUBTREE_SIZES:
        raise EncodeError(str(_bad_ip(name.data)))
    return der.wrap(tag, name.data)


def decode(data: bytes, *, subtree: bool = False) -> GeneralName:
    """Reads one GeneralName.

    Args:
        data: its DER and nothing else.
        subtree: the name stands in a name constraint, where an IP address has a mask.

    Raises:
        DecodeError: no alternative has that tag (CRYPT_E_ASN1_CHOICE), or its contents are damaged.
    """
    tag = der.tag(data)
    inside = der.contents(data)
    kind = _KINDS.get(tag)
    if kind is None:
        raise DecodeError(f"no kind of name has the tag 0x{tag:02X}", HRESULT.CRYPT_E_ASN1_CHOICE)
    if kind is Kind.OTHER_NAME:
        return _decode_other_name(data)
    if kind is Kind.REGISTERED_ID:
        return GeneralName(kind, b"", der.read_oid(der.retag(data, der.OBJECT_IDENTIFIER)))
    if kind is Kind.DIRECTORY:
        return directory_name(inside)
    if kind in _CONSTRUCTED:
        list(der.elements(inside))  # kept as it came, but it has to be whole
    if kind is Kind.IP:
        if len(inside) not in (_SUBTREE_SIZES if subtree else _ADDRESS_SIZES):
            raise _bad_ip(inside)
        ip_value(inside)
    return GeneralName(kind, inside)


def _decode_other_name(data: bytes) -> GeneralName:
    parts = der.children(data)
    if len(parts) != 2:
        raise DecodeError(f"an otherName has a type and a value, this one {len(parts)} parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    value = der.contents(parts[1], _EXPLICIT_0)
    der.contents(value)
    return GeneralName(Kind.OTHER_NAME, value, der.read_oid(parts[0]))


def _bad_ip(data: bytes) -> DecodeError:
    return DecodeError(f"an IP address of {len(data)} octets", HRESULT.CRYPT_E_ASN1_CONSTRAINT)


def encode_all(names: Iterable[GeneralName]) -> bytes:
    """GeneralNames: a SEQUENCE of names in the order given (the value of a subjectAltName). Raises EncodeError."""
    return der.sequence_of(encode(name) for name in names)


def decode_all(data: bytes) -> tuple[GeneralName, ...]:
    """Reads GeneralNames, order kept. Raises DecodeError."""
    return tuple(decode(one) for one in der.children(data, der.SEQUENCE))
