"""Whom a certificate names: its subject and its subject alternative names, from the request, the requester or an attribute.

Pure functions. Knows the rules of a template and none of the CA's keys.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1

from certenroll.asn1 import extensions, general_names
from certenroll.asn1.der import DecodeError, EncodeError, Extension
from certenroll.asn1.general_names import GeneralName, Kind
from certenroll.ca.incoming import Incoming
from certenroll.ca.policy import Denied, Policy
from certenroll.ca.templates import SubjectSource, Template, template_key
from certenroll.hresults import HRESULT

EMPTY_NAME: Final = b"\x30\x00"
_MAX_COMMON_NAME: Final = 64

# The kinds of name that the request attribute SAN knows (Microsoft: "SAN:dns=www.example.com&ipaddress=192.0.2.1").
_SAN_KINDS: Final[dict[str, Callable[[str], GeneralName]]] = {
    "dns": lambda text: general_names.text_name(Kind.DNS, text),
    "upn": general_names.upn_name,
    "email": lambda text: general_names.text_name(Kind.RFC822, text),
    "url": lambda text: general_names.text_name(Kind.URI, text),
    "ipaddress": lambda text: general_names.ip_name(ipaddress.ip_address(text)),
    "guid": lambda text: general_names.guid_name(bytes.fromhex(text)),
    "oid": general_names.registered_id,
}


def subject_of(template: Template, incoming: Incoming, requester: str, *, named_otherwise: bool) -> x509.Name:
    """The subject of the certificate.

    Args:
        template: says where it comes from.
        incoming: the request.
        requester: ``DOMAIN\\user``, may be empty.
        named_otherwise: whether the certificate will carry subject alternative names.

    Raises:
        Denied: CERTSRV_E_BAD_REQUESTSUBJECT where there is no name at all, or a malformed one.
    """
    empty = incoming.subject == EMPTY_NAME
    missing = empty and not (named_otherwise and not requester)
    if template.subject is SubjectSource.REQUESTER or (missing and template.subject is SubjectSource.EITHER):
        return _requester_name(requester)
    if empty and (template.ca or not named_otherwise):
        raise _bad_subject("the request has neither a subject nor a subject alternative name")
    try:
        return asn1.decode_der(x509.Name, incoming.subject)
    except ValueError as error:
        raise _bad_subject(str(error)) from None


def _requester_name(requester: str) -> x509.Name:
    account = requester.rpartition("\\")[2].strip()
    if not 0 < len(account) <= _MAX_COMMON_NAME:
        raise _bad_subject("the template takes the subject from the requester, and the requester is not known")
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, account)])


def alternative_names(policy: Policy, template: Template, incoming: Incoming, attributes: Mapping[str, str]) -> bytes | None:
    """The value of the subject alternative name extension, or None.

    The request attribute SAN is heard where the policy allows it, and stands before the request's own extension.

    Raises:
        Denied: 0x8007000D where the names are malformed.
    """
    asked = next((value for name, value in attributes.items() if template_key(name) == "san"), "")
    oid = extensions.SUBJECT_ALTERNATIVE_NAME
    requested = incoming.extension(oid) if oid in template.requested_extensions else None
    try:
        if asked and policy.attribute_subject_alt_name:
            return general_names.encode_all(_read_attribute(asked))
        return _checked(requested) if requested is not None else None
    except (DecodeError, EncodeError, ValueError) as error:
        raise Denied(HRESULT.WIN32_INVALID_DATA, f"the subject alternative name is malformed: {error}") from error


def _read_attribute(text: str) -> list[GeneralName]:
    names = []
    for part in filter(None, (piece.strip() for piece in text.split("&"))):
        kind, separator, value = part.partition("=")
        if not separator or kind.strip().casefold() not in _SAN_KINDS:
            raise ValueError(f"{kind.strip()!r} is no kind of name; known are {', '.join(_SAN_KINDS)}")
        names.append(_SAN_KINDS[kind.strip().casefold()](value.strip()))
    if not names:
        raise ValueError("it names nothing")
    return names


def _checked(extension: Extension) -> bytes:
    if not general_names.decode_all(extension.value):
        raise ValueError("it names nothing")
    return extension.value


def _bad_subject(text: str) -> Denied:
    return Denied(HRESULT.CERTSRV_E_BAD_REQUESTSUBJECT, text)
