"""Serialized certificate stores: what CertSaveStore writes as CERT_STORE_SAVE_AS_STORE, certificates with their properties.

Knows the elements and not what they mean; CRLs and CTLs, of which that page says nothing, stand as certificates do. Source:
MS-OSHARED sections 2.3.9.1 (the store), 2.3.2.5.1 to 2.3.2.5.4 (its elements), all numbers little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

_HEADER: Final = struct.pack("<II", 0, 0x54524543)
_ELEMENT: Final = struct.Struct("<III")  # id, encoding type, length of what follows
_ASN1: Final = 1
_END: Final = 0
_KINDS: Final = (32, 33, 34)  # a certificate, a CRL, a CTL: each ends the group of its own properties
_END_MARKER: Final = bytes(_ELEMENT.size)


@dataclass(frozen=True)
class SerializedElement:
    """A certificate of a serialized store, or a list.

    Attributes:
        der: its encoding.
        properties: value bytes by property id.
    """

    der: bytes = field(repr=False)
    properties: Mapping[int, bytes] = field(repr=False, default_factory=dict)


@dataclass(frozen=True)
class SerializedStore:
    """What a serialized store holds, each kind in the order in which it came."""

    certificates: tuple[SerializedElement, ...] = ()
    crls: tuple[SerializedElement, ...] = ()
    ctls: tuple[SerializedElement, ...] = ()


def is_serialized_store(data: bytes) -> bool:
    """Whether bytes begin as a serialized store does."""
    return data.startswith(_HEADER)


def decode_serialized_store(data: bytes) -> SerializedStore:
    """Reads a serialized store.

    Raises:
        DecodeError: CRYPT_E_ASN1_BADTAG for what is none, CRYPT_E_ASN1_EOD where it ends too early, CRYPT_E_ASN1_CORRUPT
            where bytes follow its end, or properties have nothing that they belong to.
    """
    if not is_serialized_store(data):
        raise DecodeError("no serialized certificate store")
    found: dict[int, list[SerializedElement]] = {kind: [] for kind in _KINDS}
    properties: dict[int, bytes] = {}
    offset = len(_HEADER)
    while True:
        identifier, value, offset = _element(data, offset)
        if identifier == _END:
            break
        if identifier in found:
            found[identifier].append(SerializedElement(value, properties))
            properties = {}
        else:
            properties[identifier] = value
    if properties or offset != len(data):
        raise DecodeError("a serialized certificate store with something behind its end", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return SerializedStore(*(tuple(found[kind]) for kind in _KINDS))


def encode_serialized_store(store: SerializedStore) -> bytes:
    """A store as CertSaveStore writes it, properties in the order of their ids."""
    kinds = zip(_KINDS, (store.certificates, store.crls, store.ctls), strict=True)
    parts = [_with_properties(kind, one) for kind, elements in kinds for one in elements]
    return b"".join([_HEADER, *parts, _END_MARKER])


def _with_properties(kind: int, one: SerializedElement) -> bytes:
    told = sorted((number, value) for number, value in one.properties.items() if number not in (_END, *_KINDS))
    return b"".join(_encoded(number, value) for number, value in (*told, (kind, one.der)))


def _element(data: bytes, offset: int) -> tuple[int, bytes, int]:
    """The id and the value of the element at ``offset``, and where the next one begins."""
    start = offset + _ELEMENT.size
    if start > len(data):
        raise DecodeError("a serialized certificate store that ends too early", HRESULT.CRYPT_E_ASN1_EOD)
    identifier, _, length = _ELEMENT.unpack_from(data, offset)
    if identifier == _END:
        return _END, b"", start
    if start + length > len(data):
        raise DecodeError("a serialized certificate store that ends too early", HRESULT.CRYPT_E_ASN1_EOD)
    return identifier, data[start : start + length], start + length


def _encoded(identifier: int, value: bytes) -> bytes:
    return _ELEMENT.pack(identifier, _ASN1, len(value)) + value
