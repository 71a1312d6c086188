"""The values of the extensions that CertEnroll has objects for: bytes to plain values or frozen dataclasses, and back.

Knows what stands inside an extension's OCTET STRING and what its object identifier is. Knows neither criticality nor
collections of extensions; a subjectAltName's value is ``general_names.encode_all``.

Sources: RFC 5280 section 4.2.1, RFC 8551 section 2.5.2 (S/MIME capabilities), MS-WCCE 2.2.2.7 (Microsoft's extensions).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from certenroll.asn1 import der, general_names
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.general_names import GeneralName
from certenroll.hresults import HRESULT

SUBJECT_KEY_IDENTIFIER: Final = "2.5.29.14"
KEY_USAGE: Final = "2.5.29.15"
SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
CERTIFICATE_POLICIES: Final = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER: Final = "2.5.29.35"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
SMIME_CAPABILITIES: Final = "1.2.840.113549.1.9.15"
TEMPLATE_NAME: Final = "1.3.6.1.4.1.311.20.2"
TEMPLATE: Final = "1.3.6.1.4.1.311.21.7"
APPLICATION_POLICIES: Final = "1.3.6.1.4.1.311.21.10"
CPS: Final = "1.3.6.1.5.5.7.2.1"
USER_NOTICE: Final = "1.3.6.1.5.5.7.2.2"

KEY_USAGE_BITS: Final = 0x80FF
_KEY_ID_TAG: Final = 0x80
_ISSUER_TAG: Final = 0xA1
_SERIAL_TAG: Final = 0x82


# Key usage ----------------------------------------------------------------------------------------------------------


def encode_key_usage(flags: int) -> bytes:
    """The BIT STRING of a key usage, trailing zero bits left out as DER wants it.

    Args:
        flags: X509KeyUsageFlags. Its low octet is the first octet of the BIT STRING (digitalSignature is 0x80), its
            high octet the second (decipherOnly is 0x8000).

    Raises:
        EncodeError: E_INVALIDARG where a bit has no meaning.
    """
    if flags & ~KEY_USAGE_BITS:
        raise EncodeError(f"key usage 0x{flags:X} has bits beyond 0x{KEY_USAGE_BITS:X}", HRESULT.E_INVALIDARG)
    octets = bytes((flags & 0xFF, flags >> 8)).rstrip(b"\0")
    if not octets:
        return der.bit_string(b"")
    last = octets[-1]
    return der.bit_string(octets, (last & -last).bit_length() - 1)


def decode_key_usage(data: bytes) -> int:
    """X509KeyUsageFlags of a key usage. Raises DecodeError; bits that the standard does not name are kept out."""
    octets, unused = der.read_bit_string(data)
    if octets:
        octets = octets[:-1] + bytes((octets[-1] & (0xFF << unused) & 0xFF,))
    return int.from_bytes(octets[:2].ljust(2, b"\0"), "little") & KEY_USAGE_BITS


# Extended key usage -------------------------------------------------------------------------------------------------


def encode_object_ids(oids: Iterable[str]) -> bytes:
    """A SEQUENCE of object identifiers, in the order given (the value of an extended key usage). Raises EncodeError."""
    return der.sequence_of(der.oid(one) for one in oids)


def decode_object_ids(data: bytes) -> tuple[str, ...]:
    """Reads a SEQUENCE of object identifiers. Raises DecodeError."""
    return tuple(der.read_oid(one) for one in der.children(data, der.SEQUENCE))


# Basic constraints --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BasicConstraints:
    """Whether the subject is a CA, and how many CA certificates may follow it (None: any number)."""

    is_ca: bool
    path_length: int | None = None


def encode_basic_constraints(value: BasicConstraints) -> bytes:
    """DER of basic constraints. Raises EncodeError (E_INVALIDARG) for a negative length, or one without a CA."""
    parts = [der.boolean(True)] if value.is_ca else []
    if value.path_length is not None:
        if value.path_length < 0 or not value.is_ca:
            raise EncodeError("a path length is not negative, and only a CA has one", HRESULT.E_INVALIDARG)
        parts.append(der.integer(value.path_length))
    return der.sequence_of(parts)


def decode_basic_constraints(data: bytes) -> BasicConstraints:
    """Reads basic constraints; an explicit FALSE, which DER forbids and old CAs write, is read. Raises DecodeError."""
    parts = der.children(data, der.SEQUENCE)
    is_ca = False
    if parts and der.tag(parts[0]) == der.BOOLEAN:
        is_ca = der.contents(parts.pop(0)) not in (b"", b"\0")
    length = der.read_integer(parts.pop(0)) if parts else None
    if parts or (length is not None and length < 0):
        raise DecodeError("malformed basic constraints", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return BasicConstraints(is_ca, length)


# Key identifiers ----------------------------------------------------------------------------------------------------


def encode_subject_key_identifier(key_id: bytes) -> bytes:
    """The OCTET STRING of a key identifier."""
    return der.octet_string(key_id)


def decode_subject_key_identifier(data: bytes) -> bytes:
    """Reads a key identifier. Raises DecodeError."""
    return der.read_octet_string(data)


@dataclass(frozen=True, slots=True)
class AuthorityKeyIdentifier:
    """The issuer's key, by its identifier, by its certificate's issuer and serial number, or by both."""

    key_id: bytes | None = None
    issuer: tuple[GeneralName, ...] = ()
    serial: int | None = None


def encode_authority_key_identifier(value: AuthorityKeyIdentifier) -> bytes:
    """DER of an authority key identifier; parts that are not given are left out. Raises EncodeError."""
    parts = []
    if value.key_id is not None:
        parts.append(der.wrap(_KEY_ID_TAG, value.key_id))
    if value.issuer:
        parts.append(der.retag(general_names.encode_all(value.issuer), _ISSUER_TAG))
    if value.serial is not None:
        parts.append(der.retag(der.integer(value.serial), _SERIAL_TAG))
    return der.sequence_of(parts)


def decode_authority_key_identifier(data: bytes) -> AuthorityKeyIdentifier:
    """Reads an authority key identifier. Raises DecodeError, also on parts out of their order."""
    value, last = AuthorityKeyIdentifier(), -1
    for part in der.children(data, der.SEQUENCE):
        tag = der.tag(part)
        if tag & 0x1F <= last:
            raise DecodeError("parts of an authority key identifier out of order", HRESULT.CRYPT_E_ASN1_CORRUPT)
        last = tag & 0x1F
        if tag == _KEY_ID_TAG:
            value = replace(value, key_id=der.contents(part))
        elif tag == _ISSUER_TAG:
            value = replace(value, issuer=general_names.decode_all(der.retag(part, der.SEQUENCE)))
        elif tag == _SERIAL_TAG:
            value = replace(value, serial=der.read_integer(der.retag(part, der.INTEGER)))
        else:
            raise DecodeError(f"tag 0x{tag:02X} in an authority key identifier")
    return value


# Microsoft's templates ----------------------------------------------------------------------------------------------


def encode_template_name(name: str) -> bytes:
    """The BMPString of a version 1 template's name (MS-WCCE 2.2.2.7.7.1). Raises EncodeError."""
    return der.bmp_string(name)


def decode_template_name(data: bytes) -> str:
    """Reads a version 1 template's name, a string of any type: not only Windows writes it. Raises DecodeError."""
    return der.read_string(data)


@dataclass(frozen=True, slots=True)
class Template:
    """A version 2 template: its object identifier and version (MS-WCCE 2.2.2.7.7.2; the versions may be absent)."""

    oid: str
    major: int | None = None
    minor: int | None = None


def encode_template(value: Template) -> bytes:
    """DER of a version 2 template. Raises EncodeError: E_INVALIDARG for a minor version without a major one."""
    if value.major is None and value.minor is not None:
        raise EncodeError("a minor version stands behind a major one", HRESULT.E_INVALIDARG)
    versions = (der.integer(one) for one in (value.major, value.minor) if one is not None)
    return der.sequence_of((der.oid(value.oid), *versions))


def decode_template(data: bytes) -> Template:
    """Reads a version 2 template. Raises DecodeError."""
    parts = der.children(data, der.SEQUENCE)
    if not 1 <= len(parts) <= 3:
        raise DecodeError(f"a template has one to three parts, this one {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    versions = [der.read_integer(one) for one in parts[1:]]
    return Template(der.read_oid(parts[0]), *versions)


# S/MIME capabilities ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SmimeCapability:
    """An algorithm that the subject can decrypt: its identifier and DER of its parameters, if it has any."""

    oid: str
    parameters: bytes | None = None


def encode_smime_capabilities(values: Iterable[SmimeCapability]) -> bytes:
    """DER of S/MIME capabilities, in the order of preference given. Raises EncodeError."""
    return der.sequence_of(_identified(value.oid, value.parameters) for value in values)


def decode_smime_capabilities(data: bytes) -> tuple[SmimeCapability, ...]:
    """Reads S/MIME capabilities. Raises DecodeError."""
    return tuple(SmimeCapability(*_read_identified(one)) for one in der.children(data, der.SEQUENCE))


# Policies -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PolicyQualifier:
    """A qualifier of a policy: its type (CPS, USER_NOTICE or any other) and DER of its value, if it has one."""

    oid: str
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy and what qualifies it."""

    oid: str
    qualifiers: tuple[PolicyQualifier, ...] = ()


def encode_policies(values: Iterable[Policy]) -> bytes:
    """DER of certificate policies, and of Microsoft's application policies, which have the same form. Raises EncodeError."""
    return der.sequence_of(_encode_policy(value) for value in values)


def _encode_policy(value: Policy) -> bytes:
    qualifiers = der.sequence_of(_identified(one.oid, one.value) for one in value.qualifiers)
    return der.sequence_of((der.oid(value.oid), qualifiers if value.qualifiers else b""))


def decode_policies(data: bytes) -> tuple[Policy, ...]:
    """Reads certificate or application policies. Raises DecodeError."""
    return tuple(_decode_policy(one) for one in der.children(data, der.SEQUENCE))


def _decode_policy(data: bytes) -> Policy:
    oid, qualifiers = _read_identified(data)
    if qualifiers is None:
        return Policy(oid)
    return Policy(oid, tuple(PolicyQualifier(*_read_identified(one)) for one in der.children(qualifiers, der.SEQUENCE)))


def encode_cps(url: str) -> PolicyQualifier:
    """The qualifier that points to a certification practice statement. Raises EncodeError where the URL is not ASCII."""
    return PolicyQualifier(CPS, der.ia5_string(url))


def encode_user_notice(text: str) -> PolicyQualifier:
    """The qualifier with a text for people, as a BMPString, which is how Windows writes it."""
    return PolicyQualifier(USER_NOTICE, der.sequence_of((der.bmp_string(text),)))


def decode_qualifier_text(value: PolicyQualifier) -> str:
    """The URL of a CPS qualifier or the explicit text of a user notice; empty where there is none. Raises DecodeError."""
    if value.value is None:
        return ""
    if value.oid == CPS:
        return der.read_string(value.value)
    if value.oid == USER_NOTICE:  # SEQUENCE { noticeRef SEQUENCE OPTIONAL, explicitText OPTIONAL }
        texts = [one for one in der.children(value.value, der.SEQUENCE) if der.tag(one) != der.SEQUENCE]
        return der.read_string(texts[0]) if texts else ""
    return ""


def _identified(oid: str, value: bytes | None) -> bytes:
    return der.sequence_of((der.oid(oid), value or b""))


def _read_identified(data: bytes) -> tuple[str, bytes | None]:
    """A SEQUENCE of an object identifier and one element of any kind, or none."""
    parts = der.children(data, der.SEQUENCE)
    if not 1 <= len(parts) <= 2:
        raise DecodeError(f"an identifier and a value belong here, not {len(parts)} parts", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return der.read_oid(parts[0]), parts[1] if len(parts) == 2 else None
