"""X.500 names: text to DER and back, as CertStrToName and CertNameToStr do it.

Knows which string type each attribute takes; the grammar of the text is in ``name_grammar``. Which flags
CertEnroll's own object adds to a caller's is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from certenroll.asn1 import der as d
from certenroll.asn1.name_grammar import KEYS, Assignment, BadName, BadNameType, join, key_of, kind_of, parse, quoted
from certenroll.enums import X500NameFlags as Flags
from certenroll.hresults import HRESULT

__all__ = ["BadName", "BadNameType", "NameAttribute", "decode_name", "encode_name", "read_name"]

_NUMERIC: Final = 0x12
_T61: Final = 0x14
_EMAIL: Final = "1.2.840.113549.1.9.1"
_DOMAIN: Final = "0.9.2342.19200300.100.1.25"
_PRINTABLE: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")
_XML: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;"})
_STRINGS: Final = frozenset((0x0C, _NUMERIC, 0x13, _T61, 0x16, 0x1A, 0x1B, 0x1C, 0x1E))


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """One attribute of a relative name: its identifier in dots and the DER of its value."""

    oid: str
    value: bytes


def encode_name(text: str, flags: int = 0) -> bytes:
    """The DER of the name that ``text`` says.

    Args:
        text: ``CN=value, O=value``, separated by commas or semicolons; ``+`` joins the values of one relative name. Keys
            are those of KEYS in any case, or identifiers with or without ``OID.``. A value may stand in quotation marks
            (doubled within), or be ``#`` and the hexadecimal octets of an OCTET STRING. "" is the empty name.
        flags: X500NameFlags. A value is a PrintableString where its characters allow, else a BMPString; with
            ENABLE_T61 a T61String where Latin-1 suffices, with ENABLE_UTF8 a UTF8String; FORCE_UTF8 makes the directory
            strings UTF8Strings always, unless DISABLE_UTF8_DIR_STR stands beside it. REVERSE encodes the last
            relative name first, unless FORWARD stands beside it.

    Raises:
        BadName: what ``parse`` refuses (CRYPT_E_INVALID_X500_STRING), or a value that the attribute's string type cannot
            hold (CRYPT_E_INVALID_PRINTABLE_STRING, CRYPT_E_INVALID_NUMERIC_STRING, CRYPT_E_INVALID_IA5_STRING).
        BadNameType: (E_INVALIDARG) the flags ask for text of type SIMPLE or XML, which is only written.

    Source: the page of CertStrToName.
    """
    if kind_of(flags) not in (Flags.XCN_CERT_OID_NAME_STR, Flags.XCN_CERT_X500_NAME_STR):
        raise BadNameType(kind_of(flags))
    names = [d.set_of(_attribute(one, flags) for one in name) for name in parse(text, flags)]
    return d.sequence_of(reversed(names) if _reversed(flags) else names)


def decode_name(der: bytes, flags: int = 0) -> str:
    """The text of an encoded name.

    Args:
        der: a Name.
        flags: X500NameFlags: the string type (SIMPLE, OID, X500 or XML; none is X500), the separators (SEMICOLON, CRLF,
            NO_PLUS), NO_QUOTING, REVERSE and FORWARD, DISABLE_IE4_UTF8 (a T61String is read as 8-bit characters at once),
            ENABLE_PUNYCODE (the host of a mail address and a domain component are shown in Unicode).

    Raises:
        certenroll.asn1.der.DecodeError: ``der`` is no Name.

    Source: the pages of CertNameToStr and X500NameFlags.
    """
    names = read_name(der)
    if _reversed(flags):
        names.reverse()
    if kind_of(flags) == Flags.XCN_CERT_XML_NAME_STR:
        return "".join(_xml(one, position > 0, flags) for name in names for position, one in enumerate(name))
    return join([[_written(one, flags) for one in name] for name in names], flags)


def read_name(der: bytes) -> list[list[NameAttribute]]:
    """The relative names of an encoded name, in the order in which they stand. Raises DecodeError."""
    names = [[_read_attribute(one) for one in d.children(name, d.SET)] for name in d.children(der, d.SEQUENCE)]
    if not all(names):
        raise d.DecodeError("a relative name without a value", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return names


def _reversed(flags: int) -> bool:
    asked = flags & (Flags.XCN_CERT_NAME_STR_REVERSE_FLAG | Flags.XCN_CERT_NAME_STR_FORWARD_FLAG)
    return asked == Flags.XCN_CERT_NAME_STR_REVERSE_FLAG


# Writing values


def _attribute(one: Assignment, flags: int) -> bytes:
    text = _ENCODERS.get(one.oid, _any_string)
    return d.sequence_of((d.oid(one.oid), text(one, flags) if one.octets is None else d.octet_string(one.octets)))


def _any_string(one: Assignment, flags: int) -> bytes:
    return _printable(one, flags) if _PRINTABLE.issuperset(one.value) else _beyond_printable(one.value, flags)


def _beyond_printable(text: str, flags: int) -> bytes:
    if flags & Flags.XCN_CERT_NAME_STR_ENABLE_T61_UNICODE_FLAG and all(character <= "\xff" for character in text):
        return d.wrap(_T61, text.encode("latin-1"))
    if flags & Flags.XCN_CERT_NAME_STR_ENABLE_UTF8_UNICODE_FLAG or _forced(flags):
        return d.utf8_string(text)
    return d.bmp_string(text)


def _directory_string(one: Assignment, flags: int) -> bytes:
    return d.utf8_string(one.value) if _forced(flags) else _any_string(one, flags)


def _forced(flags: int) -> bool:
    asked = flags & (Flags.XCN_CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG | Flags.XCN_CERT_NAME_STR_DISABLE_UTF8_DIR_STR_FLAG)
    return asked == Flags.XCN_CERT_NAME_STR_FORCE_UTF8_DIR_STR_FLAG


def _printable(one: Assignment, _flags: int) -> bytes:
    if not _PRINTABLE.issuperset(one.value):
        raise BadName(f"{KEYS[one.oid][0]} takes a PrintableString", one.position, HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING)
    return d.wrap(d.PRINTABLE_STRING, one.value.encode("ascii"))


def _numeric(one: Assignment, _flags: int) -> bytes:
    if not set("0123456789 ").issuperset(one.value):
        raise BadName(f"{KEYS[one.oid][0]} takes digits and spaces", one.position, HRESULT.CRYPT_E_INVALID_NUMERIC_STRING)
    return d.wrap(_NUMERIC, one.value.encode("ascii"))


def _mail(one: Assignment, flags: int) -> bytes:
    local, at, host = one.value.rpartition("@")
    text = one.value if one.value.isascii() else local + at + _to_punycode(host, one, flags)
    if not text.isascii():
        raise BadName("a mail address takes an IA5String", one.position, HRESULT.CRYPT_E_INVALID_IA5_STRING)
    return d.ia5_string(text)


def _domain(one: Assignment, flags: int) -> bytes:
    text = _to_punycode(one.value, one, flags)
    return d.ia5_string(text) if text.isascii() else d.utf8_string(text)


def _to_punycode(host: str, one: Assignment, flags: int) -> str:
    if host.isascii() or not flags & Flags.XCN_CERT_NAME_STR_ENABLE_PUNYCODE_FLAG:
        return host
    try:
        return ".".join(label if label.isascii() else label.encode("idna").decode("ascii") for label in host.split("."))
    except UnicodeError:
        raise BadName(f"{host!r} is no host name", one.position, HRESULT.CRYPT_E_INVALID_IA5_STRING) from None


_DIRECTORY_STRINGS: Final = ("CN", "G", "I", "L", "O", "OU", "S", "SN", "STREET", "T")
_ENCODERS: Final[dict[str, Callable[[Assignment, int], bytes]]] = {
    **{oid: _directory_string for oid, keys in KEYS.items() if keys[0] in _DIRECTORY_STRINGS},
    "2.5.4.5": _printable,  # SERIALNUMBER
    "2.5.4.6": _printable,  # C
    "2.5.4.20": _printable,  # Phone
    "2.5.4.46": _printable,  # dnQualifier
    "2.5.4.24": _numeric,  # X21Address
    _EMAIL: _mail,
    _DOMAIN: _domain,
}

# Reading values


def _read_attribute(der: bytes) -> NameAttribute:
    parts = d.children(der, d.SEQUENCE)
    if len(parts) != 2:
        raise d.DecodeError(f"an attribute of a name has two parts, this one {len(parts)}", HRESULT.CRYPT_E_ASN1_CORRUPT)
    return NameAttribute(d.read_oid(parts[0]), parts[1])


def _text_of(one: NameAttribute, flags: int) -> str | None:
    """The text of a value, None where it is no string."""
    tag = d.tag(one.value)
    if tag not in _STRINGS:
        return None
    if tag == _T61 and not flags & Flags.XCN_CERT_NAME_STR_DISABLE_IE4_UTF8_FLAG:
        try:
            return d.contents(one.value).decode("utf-8")
        except UnicodeDecodeError:
            pass
    text = d.read_string(one.value)
    if flags & Flags.XCN_CERT_NAME_STR_ENABLE_PUNYCODE_FLAG and one.oid in (_EMAIL, _DOMAIN):
        local, at, host = text.rpartition("@")
        return local + at + _from_punycode(host)
    return text


def _from_punycode(host: str) -> str:
    try:
        return ".".join(
            label.encode("ascii").decode("idna") if label.lower().startswith("xn--") else label for label in host.split(".")
        )
    except UnicodeError:
        return host


def _octets_of(one: NameAttribute) -> bytes:
    return d.contents(one.value) if d.tag(one.value) == d.OCTET_STRING else one.value


def _written(one: NameAttribute, flags: int) -> str:
    text = _text_of(one, flags)
    value = f"#{_octets_of(one).hex().upper()}" if text is None else quoted(text, flags)
    return value if kind_of(flags) == Flags.XCN_CERT_SIMPLE_NAME_STR else f"{key_of(one.oid, flags)}={value}"


def _xml(one: NameAttribute, joined: bool, flags: int) -> str:
    text, key = _text_of(one, flags), key_of(one.oid, flags)
    mark = ' rDNAttribute="true"' * joined
    if text is None:
        kind, shown = ("octet" if d.tag(one.value) == d.OCTET_STRING else "encoded"), _octets_of(one).hex().upper()
    else:
        kind, shown = "string", text.translate(_XML)
        shown = "".join(character if character < "\x80" else f"&#x{ord(character):04X};" for character in shown)
    if text is not None and one.oid in KEYS:
        return f"<{key}{mark}>{shown}</{key}>\r\n"
    return f'<RDN{mark} oid="{one.oid}" type="{kind}">{shown}</RDN>\r\n'
