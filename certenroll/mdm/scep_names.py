"""The alternative names of a certificate as management servers write them: a type's number, "+", and a text.

Makes the objects of the model and knows no nodes. What a type's text looks like where Microsoft's page does not say,
docs/analysis/scep-install.md does. Source: SubjectAlternativeNames of the page "ClientCertificateInstall CSP"; the numbers
are AlternativeNameType's.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from typing import Final

from certenroll.alternative_names import IAlternativeName
from certenroll.asn1.der import utf8_string
from certenroll.distinguished_names import IX500DistinguishedName
from certenroll.enums import AlternativeNameType, EncodingType
from certenroll.object_ids import object_id

BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_T: Final = AlternativeNameType
# A semicolon parts two names only where another number follows: a URL and a directory name may have one within.
_BETWEEN: Final = re.compile(r";(?=\s*(?:[0-9]{1,3}\s*\+|;|$))")
_ONE: Final = re.compile(r"\s*([0-9]{1,3})\s*\+(.*)", re.DOTALL)


def split_names(text: str) -> tuple[tuple[int, str], ...]:
    """Type and text of each name.

    Args:
        text: ``type+name;type+name``.

    Raises:
        ValueError: one of them has no number before it, a type that has no text, or nothing behind it.
    """
    return tuple(_split(one) for one in _BETWEEN.split(text) if one.strip())


def _split(text: str) -> tuple[int, str]:
    found = _ONE.fullmatch(text)
    if found is None or int(found[1]) not in _MAKERS:
        known = ", ".join(str(int(one)) for one in sorted(_MAKERS))
        raise ValueError(f"a name is written as type+name, with one of the types {known}")
    if not found[2].strip():
        raise ValueError(f"the name of type {found[1]} is empty")
    return int(found[1]), found[2].strip()


def alternative_name(kind: int, text: str) -> IAlternativeName:
    """The object for a name.

    Args:
        kind: an AlternativeNameType.
        text: the name as ``split_names`` gives it.

    Raises:
        ValueError: the text is no IP address, no GUID, or no other name.
        ComError: E_INVALIDARG and the codes of IAlternativeName for what is none of the type.
    """
    return _MAKERS[kind](text)


def _from_string(kind: AlternativeNameType) -> Callable[[str], IAlternativeName]:
    def make(text: str) -> IAlternativeName:
        made = IAlternativeName()
        made.InitializeFromString(kind, text)
        return made

    return make


def _from_octets(kind: AlternativeNameType, octets: bytes) -> IAlternativeName:
    made = IAlternativeName()
    made.InitializeFromRawData(kind, BINARY, octets)
    return made


def _directory(text: str) -> IAlternativeName:
    name = IX500DistinguishedName()
    name.Encode(text)
    return _from_octets(_T.XCN_CERT_ALT_NAME_DIRECTORY_NAME, name.der_bytes())


def _address(text: str) -> IAlternativeName:
    return _from_octets(_T.XCN_CERT_ALT_NAME_IP_ADDRESS, ipaddress.ip_address(text.strip("[]")).packed)


def _guid(text: str) -> IAlternativeName:
    return _from_octets(_T.XCN_CERT_ALT_NAME_GUID, uuid.UUID(text).bytes_le)


def _other(text: str) -> IAlternativeName:
    oid, colon, value = text.partition(":")
    if not colon or not value:
        raise ValueError("a name of type 1 is written as an object identifier, a colon and a text")
    made = IAlternativeName()
    made.InitializeFromOtherName(object_id(oid.strip()), BINARY, utf8_string(value), ToBeWrapped=False)
    return made


_MAKERS: Final[dict[int, Callable[[str], IAlternativeName]]] = {
    _T.XCN_CERT_ALT_NAME_OTHER_NAME: _other,
    _T.XCN_CERT_ALT_NAME_RFC822_NAME: _from_string(_T.XCN_CERT_ALT_NAME_RFC822_NAME),
    _T.XCN_CERT_ALT_NAME_DNS_NAME: _from_string(_T.XCN_CERT_ALT_NAME_DNS_NAME),
    _T.XCN_CERT_ALT_NAME_DIRECTORY_NAME: _directory,
    _T.XCN_CERT_ALT_NAME_URL: _from_string(_T.XCN_CERT_ALT_NAME_URL),
    _T.XCN_CERT_ALT_NAME_IP_ADDRESS: _address,
    _T.XCN_CERT_ALT_NAME_REGISTERED_ID: _from_string(_T.XCN_CERT_ALT_NAME_REGISTERED_ID),
    _T.XCN_CERT_ALT_NAME_GUID: _guid,
    _T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME: _from_string(_T.XCN_CERT_ALT_NAME_USER_PRINCIPLE_NAME),
}
