"""ICertificationAuthority and ICertificationAuthorities: the CAs of an enrollment policy as automation objects.

Knows what a policy says of a CA and the CA's certificate; how a CA is reached is ``ca.directory``.

Source: the pages of the two interfaces and of EnrollmentCAProperty; docs/analysis/policy-servers.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from certenroll.asn1.der import DecodeError
from certenroll.ca.names import sanitized, sanitized_short, split_config
from certenroll.ca.policies.template_facts import AuthorityFacts, AuthorityUri
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.distinguished_names import distinguished_name
from certenroll.enums import EnrollmentCAProperty
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

_P = EnrollmentCAProperty


def _common_name(facts: AuthorityFacts) -> str | None:
    if facts.config:
        return split_config(facts.config)[1]
    try:
        names = x509.load_der_x509_certificate(facts.certificate).subject
    except ValueError as error:
        raise DecodeError(f"the CA's certificate: {error}") from None
    values = [str(one.value) for one in names.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return values[-1] if values else None


def _from_name(change: Callable[[str], str]) -> Callable[[AuthorityFacts], str | None]:
    def read(facts: AuthorityFacts) -> str | None:
        name = _common_name(facts)
        return change(name) if name is not None else None

    return read


def _server(uri: AuthorityUri) -> str:
    priority = uri.priority if uri.priority is not None else 0
    return "\n".join((uri.uri, str(uri.authentication), str(priority), str(int(bool(uri.renewal_only)))))


# What answers each property; None is a value that the policy does not give.
_PROPERTIES: Final[dict[EnrollmentCAProperty, Callable[[AuthorityFacts], Any]]] = {
    _P.CAPropCommonName: _common_name,
    _P.CAPropDistinguishedName: lambda facts: distinguished_name(facts.facts.subject),
    _P.CAPropSanitizedName: _from_name(sanitized),
    _P.CAPropSanitizedShortName: _from_name(sanitized_short),
    _P.CAPropDNSName: lambda facts: split_config(facts.config)[0] or None,
    _P.CAPropCertificateTypes: lambda facts: list(facts.templates) or None,
    _P.CAPropCertificate: lambda facts: facts.certificate,
    _P.CAPropDescription: lambda facts: facts.description or None,
    _P.CAPropWebServers: lambda facts: [_server(one) for one in facts.uris] or None,
    _P.CAPropSiteName: lambda _: None,
    _P.CAPropSecurity: lambda _: None,
    _P.CAPropRenewalOnly: lambda facts: facts.renewal_only,
}


class ICertificationAuthority(ComObject):
    """One CA of a policy. Scripts get it from a policy server and create none themselves."""

    def __init__(self) -> None:
        self._facts: Slot[AuthorityFacts] = Slot("the certification authority")

    def Property(self, property: EnrollmentCAProperty) -> Any:  # noqa: A002  Microsoft's name
        """What the policy says of the CA.

        Args:
            property: which value.

        Returns:
            str, bool, bytes, a list of str or IX500DistinguishedName, as the page of EnrollmentCAProperty has it.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where the policy gives no such value, OLE_E_BLANK for an object that is of
                no CA.
        """
        value = _PROPERTIES[property](self._facts.get())
        if value is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"the policy gives no {property.name} of this CA")
        return value

    def authority_facts(self) -> AuthorityFacts:
        """Everything that the policy says, for Python's side of the object model. Raises ComError OLE_E_BLANK."""
        return self._facts.get()


class ICertificationAuthorities(ComCollection[ICertificationAuthority]):
    """A collection of CAs."""

    _item_type_ = "ICertificationAuthority"

    def ComputeSiteCosts(self) -> None:
        """Does nothing: Microsoft does not use it, and there are no sites here."""

    def ItemByName(self, strName: str) -> ICertificationAuthority:
        """The CA of that common name, without regard to case. Raises ComError WIN32_NOT_FOUND."""
        wanted = strName.strip().casefold()
        for one in self._items:
            if (_common_name(one.authority_facts()) or "").casefold() == wanted:
                return one
        raise ComError(HRESULT.WIN32_NOT_FOUND, f"no CA is {strName!r}", argerror=0)


def authority_from(facts: AuthorityFacts) -> ICertificationAuthority:
    """The object of a CA."""
    made = ICertificationAuthority()
    made._facts.set(facts)
    return made
