"""What a certificate may be renewed for by its key alone: for what it says, or less.

Whoever holds a certificate and no challenge may not become somebody else by renewing it: names, uses, policies and template
stay within the old certificate's. Knows no message and no database.

Source: RFC 8894 section 2.4 (an existing certificate in the place of a challenge).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from certenroll.asn1 import extensions, general_names
from certenroll.asn1.certificates import Certificate
from certenroll.asn1.der import Extension
from certenroll.asn1.names import decode_name
from certenroll.ca.incoming import Incoming
from certenroll.ca.policy import TEMPLATE_ATTRIBUTE
from certenroll.ca.templates import template_key
from certenroll.enums import X500NameFlags

Values = Callable[[bytes], frozenset[object]]

# Extensions that list something -> what reads the list: a renewal may ask for a part of it.
_LISTS: Final[dict[str, Values]] = {
    extensions.SUBJECT_ALTERNATIVE_NAME: lambda data: frozenset(general_names.decode_all(data)),
    extensions.EXTENDED_KEY_USAGE: lambda data: frozenset(extensions.decode_object_ids(data)),
    extensions.APPLICATION_POLICIES: lambda data: frozenset(one.oid for one in extensions.decode_policies(data)),
    extensions.CERTIFICATE_POLICIES: lambda data: frozenset(one.oid for one in extensions.decode_policies(data)),
}
_USES: Final = (extensions.EXTENDED_KEY_USAGE, extensions.APPLICATION_POLICIES)
# What gives nobody a name or a use, or is looked at elsewhere (the template).
_HARMLESS: Final = frozenset(
    {
        extensions.SUBJECT_KEY_IDENTIFIER,
        extensions.AUTHORITY_KEY_IDENTIFIER,
        extensions.KEY_USAGE,
        extensions.SMIME_CAPABILITIES,
        extensions.TEMPLATE_NAME,
        extensions.TEMPLATE,
    }
)


def beyond(asked: Incoming, old: Certificate, template: str) -> str:
    """What a request asks for that the certificate that it renews does not have.

    Args:
        asked: the request.
        old: the certificate, which this CA issued.
        template: the name of that one's template; empty for none.

    Returns:
        a word for it; empty where it asks for nothing of the kind.

    Raises:
        DecodeError: a name or an extension is malformed.
    """
    if _name(asked.subject) != _name(old.subject):
        return "another subject"
    if any(template_key(name) != TEMPLATE_ATTRIBUTE for name in asked.attributes) or asked.on_behalf:
        return "request attributes"
    if not template and asked.templates:
        return "a template"
    wider = next((one.oid for one in asked.extensions if not _within(one, old)), "")
    if wider:
        return f"more in the extension {wider}"
    return "" if template else _left_out(asked, old)


def _left_out(asked: Incoming, old: Certificate) -> str:
    """Without a template the request chooses its uses; one that chooses none is good for all of them."""
    lost = (oid for oid in _USES if old.extension(oid) is not None and asked.extension(oid) is None)
    return "every use" if any(lost) else ""


def _within(asked: Extension, old: Certificate) -> bool:
    if asked.oid in _HARMLESS:
        return True
    had = old.extension(asked.oid)
    values = _LISTS.get(asked.oid)
    if had is None:
        return _narrows(asked)
    return asked.value == had.value or (values is not None and values(asked.value) <= values(had.value))


def _narrows(asked: Extension) -> bool:
    """Uses where the old certificate was good for all of them; and that the certificate is no CA's."""
    if asked.oid == extensions.BASIC_CONSTRAINTS:
        return not extensions.decode_basic_constraints(asked.value).is_ca
    return asked.oid in _USES


def _name(data: bytes) -> str:
    """A name without its string types: the same client may write them differently another time."""
    return decode_name(data, X500NameFlags.XCN_CERT_OID_NAME_STR)
