"""Policy documents: the GetPoliciesResponse of MS-XCEP, XML to frozen dataclasses and back.

Reading and writing follow the table of ``policy_fields``. References from one part
of the document to another are resolved: what is read has object identifiers in dots. Knows no file and no network.

Source: MS-XCEP sections 3.1.4.1.2.2 and 3.1.4.1.3; docs/analysis/policy-servers.md tells where more is read than it allows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import groupby
from typing import Any, Final

from certenroll.asn1.der import EncodeError, oid
from certenroll.ca.policies.elements import XSI, Element, PolicyDocumentError, nil_tag, read_xml, tag, text_tag
from certenroll.ca.policies.fields import (
    BOOLEAN,
    INT,
    NIL_PARENTS,
    TEMPLATE,
    TEMPLATE_FIELDS,
    TEXT,
    UNSIGNED,
    Kind,
    ObjectIdentifier,
    Oids,
    References,
    list_of,
    read_boolean,
    read_bytes,
    referred,
    write_bytes,
)
from certenroll.ca.policies.template_facts import AuthorityFacts, AuthorityUri, TemplateFacts

NAMESPACE: Final = "http://schemas.microsoft.com/windows/pki/2009/01/enrollmentpolicy"
OWN: Final = "urn:xenroll:enrollment-policy"  # of the elements for which MS-XCEP leaves room and has none itself
_UNSET: Final = {one.name: one.default for one in fields(TemplateFacts)}
_SOAP: Final = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")


@dataclass(frozen=True)
class PolicyDocument:
    """What a policy server answers.

    Attributes:
        policy_id: identifies the policy.
        friendly_name: how it is shown.
        next_update_hours: after how many hours to ask again.
        not_changed: whether the policy is as the one who asked has it already; there are no templates then.
        templates: what may be asked for.
        authorities: who issues it.
        oids: the object identifiers in the order of the document.
    """

    policy_id: str = ""
    friendly_name: str | None = None
    next_update_hours: int | None = None
    not_changed: bool = False
    templates: tuple[TemplateFacts, ...] = ()
    authorities: tuple[AuthorityFacts, ...] = ()
    oids: tuple[ObjectIdentifier, ...] = ()


# Reading ------------------------------------------------------------------------------------------------------------


def decode_policy(data: bytes) -> PolicyDocument:
    """The policy that a document holds: a GetPoliciesResponse element, alone or as the body of a SOAP message.

    Args:
        data: the XML.

    Raises:
        PolicyDocumentError: it is no such document, goes beyond the bounds of ``read_xml``, or refers to what it has not.
    """
    root = _payload(read_xml(data))
    references = _read_oids(root.child("oIDs"))
    holder = root.child("cAs")
    authorities = [_read_authority(one) for one in holder.all("cA")] if holder is not None else []
    if len({one.reference for one in authorities}) != len(authorities):
        raise PolicyDocumentError("two CAs have the same cAReferenceID")
    response = root.child("response")
    templates = _read_templates(response, references, {one.reference for one in authorities})
    named = [
        replace(one, templates=tuple(each.common_name for each in templates if one.reference in each.authorities))
        for one in authorities
    ]
    made = PolicyDocument(templates=templates, authorities=tuple(named), oids=tuple(references.values()))
    return made if response is None else replace(made, **_read_response(response))


def _payload(root: Element) -> Element:
    if root.namespace in _SOAP and root.name == "Envelope":
        body = root.required("Body")
        root = body.children[0] if body.children else body
    if (root.namespace, root.name) != (NAMESPACE, "GetPoliciesResponse"):
        raise PolicyDocumentError(f"its element is <{root.name}> of {root.namespace!r}, and no GetPoliciesResponse")
    return root


def _read_response(response: Element) -> dict[str, Any]:
    rows = (
        ("policyFriendlyName", "friendly_name", TEXT),
        ("nextUpdateHours", "next_update_hours", UNSIGNED),
        ("policiesNotChanged", "not_changed", BOOLEAN),
    )
    found = {name: (response.child(element), kind) for element, name, kind in rows}
    values = {name: kind.read(element, {}) for name, (element, kind) in found.items() if element is not None}
    return {"policy_id": response.required("policyID").text.strip(), **values}


def _read_oids(holder: Element | None) -> dict[int, ObjectIdentifier]:
    found: dict[int, ObjectIdentifier] = {}
    for element in holder.all("oID") if holder is not None else ():
        number = INT.read(element.required("oIDReferenceID"), {})
        value, name = element.required("value"), element.child("defaultName")
        if number in found:
            raise element.wrong("an oIDReferenceID of its own")
        try:
            oid(value.text.strip())
        except EncodeError:
            raise value.wrong("an object identifier") from None
        group = UNSIGNED.read(element.required("group"), {})
        found[number] = ObjectIdentifier(value.text.strip(), group, name.text.strip() if name is not None else None)
    return found


def _read_authority(element: Element) -> AuthorityFacts:
    uris = element.child("uris")
    config = element.foreign(OWN, "config")
    certificate = element.required("certificate")
    der = read_bytes(certificate, {})
    if not der:
        raise certificate.wrong("a certificate")
    return AuthorityFacts(
        reference=INT.read(element.required("cAReferenceID"), {}),
        certificate=der,
        uris=tuple(_read_uri(one) for one in uris.all("cAURI")) if uris is not None else (),
        enroll=read_boolean(element.required("enrollPermission"), {}),
        config=config.text.strip() if config is not None else "",
    )


def _read_uri(element: Element) -> AuthorityUri:
    priority, renewal = element.child("priority"), element.child("renewalOnly")
    return AuthorityUri(
        element.required("uri").text.strip(),
        UNSIGNED.read(element.required("clientAuthentication"), {}),
        UNSIGNED.read(priority, {}) if priority is not None else None,
        read_boolean(renewal, {}) if renewal is not None else None,
    )


def _read_templates(
    response: Element | None, references: References, authorities: set[int]
) -> tuple[TemplateFacts, ...]:
    holder = response.child("policies") if response is not None else None
    found = tuple(_read_template(one, references) for one in holder.all("policy")) if holder is not None else ()
    for one in found:
        if not authorities.issuperset(one.authorities):
            raise PolicyDocumentError(f"the template {one.common_name!r} refers to a CA that the document has not")
    names = [one.common_name.casefold() for one in found]
    if len(set(names)) != len(names):
        raise PolicyDocumentError("two templates have the same commonName")
    return found


def _read_template(policy: Element, references: References) -> TemplateFacts:
    attributes = policy.required("attributes")
    values: dict[str, Any] = {}
    for path, name, kind, nillable in TEMPLATE_FIELDS:
        found = _find(attributes, path, nillable)
        if found is not None:
            values[name] = kind.read(found, references)
    if not values["common_name"]:
        raise attributes.required("commonName").wrong("a name")
    identifier = referred(policy.required("policyOIDReference"), references)
    issuers = policy.child("cAs")
    security = attributes.foreign(OWN, "securityDescriptor")
    return TemplateFacts(
        **values,
        oid=identifier.value,
        friendly_name=identifier.name,
        authorities=tuple(INT.read(one, {}) for one in issuers.all("cAReference")) if issuers is not None else (),
        security_descriptor=security.text.strip() if security is not None else None,
    )


def _find(attributes: Element, path: str, nillable: bool) -> Element | None:
    parent, slash, name = path.rpartition("/")
    holder: Element | None = attributes
    if slash:
        holder = attributes.child(parent) if parent in NIL_PARENTS else attributes.required(parent)
    if holder is None:
        return None
    return holder.child(name) if nillable else holder.required(name)


# Writing ------------------------------------------------------------------------------------------------------------


def encode_policy(document: PolicyDocument) -> bytes:
    """The document as a GetPoliciesResponse element, UTF-8. ``decode_policy`` reads what it was made of.

    Object identifiers that the templates use and the document does not list are added to its list.

    Raises:
        PolicyDocumentError: a text has a character that XML does not know, or a template has no object identifier.
    """
    oids = Oids(document.oids)
    policies = [_write_template(one, oids) for one in document.templates]
    content = (
        tag("response", *_write_response(document), _many("policies", policies)),
        _many("cAs", [_write_authority(one, oids) for one in document.authorities]),
        _many("oIDs", [_write_oid(number, one) for number, one in enumerate(oids.all)]),
    )
    names = f'xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" xmlns:own="{OWN}"'
    body = "".join(content)
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<GetPoliciesResponse {names}>{body}</GetPoliciesResponse>\n'
    return text.encode("utf-8")


def _many(name: str, items: list[str]) -> str:
    return tag(name, *items) if items else nil_tag(name)


def _optional(name: str, value: Any, kind: Kind, oids: Oids) -> str:
    return nil_tag(name) if value is None or value == () else kind.write(name, value, oids)


def _write_response(document: PolicyDocument) -> tuple[str, ...]:
    none = Oids(())
    return (
        text_tag("policyID", document.policy_id),
        _optional("policyFriendlyName", document.friendly_name, TEXT, none),
        _optional("nextUpdateHours", document.next_update_hours, UNSIGNED, none),
        _optional("policiesNotChanged", document.not_changed or None, BOOLEAN, none),
    )


def _write_template(facts: TemplateFacts, oids: Oids) -> str:
    if facts.oid is None:
        raise PolicyDocumentError(f"the template {facts.common_name!r} has no object identifier")
    number = oids.number(facts.oid, TEMPLATE, facts.friendly_name)
    issuers = _optional("cAs", facts.authorities, list_of("cAReference", INT), oids)
    groups = groupby(TEMPLATE_FIELDS, lambda row: row[0].partition("/")[0])
    attributes = [_write_group(parent, list(rows), facts, oids) for parent, rows in groups]
    if facts.security_descriptor is not None:
        attributes.append(text_tag("own:securityDescriptor", facts.security_descriptor))
    return tag("policy", text_tag("policyOIDReference", str(number)), issuers, tag("attributes", *attributes))


def _write_group(parent: str, rows: list[tuple[str, str, Kind, bool]], facts: TemplateFacts, oids: Oids) -> str:
    if parent in NIL_PARENTS and all(getattr(facts, name) == _UNSET[name] for _, name, _, _ in rows):
        return nil_tag(parent)
    written = []
    for path, name, kind, nillable in rows:
        last, value = path.rpartition("/")[2], getattr(facts, name)
        written.append(_optional(last, value, kind, oids) if nillable else kind.write(last, value, oids))
    return tag(parent, *written) if "/" in rows[0][0] else written[0]


def _write_authority(facts: AuthorityFacts, oids: Oids) -> str:
    content = [
        tag("uris", *(_write_uri(one, oids) for one in facts.uris)),
        write_bytes("certificate", facts.certificate, oids),
        BOOLEAN.write("enrollPermission", facts.enroll, oids),
        INT.write("cAReferenceID", facts.reference, oids),
    ]
    return tag("cA", *content, text_tag("own:config", facts.config) if facts.config else "")


def _write_uri(uri: AuthorityUri, oids: Oids) -> str:
    return tag(
        "cAURI",
        UNSIGNED.write("clientAuthentication", uri.authentication, oids),
        text_tag("uri", uri.uri),
        _optional("priority", uri.priority, UNSIGNED, oids),
        _optional("renewalOnly", uri.renewal_only, BOOLEAN, oids),
    )


def _write_oid(number: int, one: ObjectIdentifier) -> str:
    none = Oids(())
    rows = (text_tag("value", one.value), text_tag("group", str(one.group)), text_tag("oIDReferenceID", str(number)))
    return tag("oID", *rows, _optional("defaultName", one.name, TEXT, none))
