"""Certificates for requests: what the template, the request and the policy put into one, and the CA's signature.

Knows the CA's key as a pyca key and no database. Source: RFC 5280 section 4; RFC 5480 section 3 (key usage of EC keys).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.asn1 import algorithms, certificates, der, extensions
from certenroll.asn1.der import DecodeError, Extension
from certenroll.asn1.extensions import BasicConstraints
from certenroll.ca import subjects
from certenroll.ca.base import CAError
from certenroll.ca.incoming import Incoming
from certenroll.ca.policy import Denied, Policy
from certenroll.ca.templates import KEY_USAGES, Template
from certenroll.hresults import HRESULT

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
RandomBytes = Callable[[int], bytes]
T = TypeVar("T")

BACKDATE: Final = timedelta(minutes=10)  # for clocks that are behind; AD CS does so too
CRL_DISTRIBUTION_POINTS: Final = "2.5.29.31"
AUTHORITY_INFORMATION_ACCESS: Final = "1.3.6.1.5.5.7.1.1"

# What the CA alone decides: never taken from a request, whatever the policy says of unknown extensions.
_OWN: Final = frozenset(
    {
        extensions.SUBJECT_KEY_IDENTIFIER,
        extensions.AUTHORITY_KEY_IDENTIFIER,
        extensions.BASIC_CONSTRAINTS,
        extensions.KEY_USAGE,
        extensions.EXTENDED_KEY_USAGE,
        extensions.SUBJECT_ALTERNATIVE_NAME,
        extensions.TEMPLATE_NAME,
        extensions.TEMPLATE,
        extensions.CERTIFICATE_POLICIES,
        extensions.APPLICATION_POLICIES,
        extensions.SMIME_CAPABILITIES,
        CRL_DISTRIBUTION_POINTS,
        AUTHORITY_INFORMATION_ACCESS,
        "2.5.29.30",  # name constraints
        "2.5.29.33",  # policy mappings
        "2.5.29.36",  # policy constraints
        "2.5.29.54",  # inhibit anyPolicy
    }
)


@dataclass(frozen=True)
class Issuer:
    """A CA certificate with its key.

    Attributes:
        certificate: the CA's certificate.
        key: its private key.
        crl_urls: where its CRL can be fetched; empty for no CRL distribution point in what it issues.
        certificate_urls: where its certificate can be fetched; empty for no authority information access.
    """

    certificate: x509.Certificate
    key: PrivateKey
    crl_urls: tuple[str, ...] = ()
    certificate_urls: tuple[str, ...] = ()

    @property
    def key_id(self) -> bytes:
        """Its subject key identifier."""
        return self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest

    @property
    def is_root(self) -> bool:
        """Whether it signed itself."""
        return self.certificate.subject == self.certificate.issuer


@dataclass(frozen=True)
class Order:
    """What a certificate is made of.

    Attributes:
        template: its template.
        incoming: the request.
        attributes: the request attributes.
        requester: ``DOMAIN\\user``.
        moment: the time of issue.
        serial: the serial number.
    """

    template: Template
    incoming: Incoming
    attributes: Mapping[str, str]
    requester: str
    moment: datetime
    serial: int


def issue(issuer: Issuer, policy: Policy, order: Order) -> x509.Certificate:
    """Makes a certificate.

    Raises:
        Denied: the request cannot have a certificate: no or a malformed name, a malformed extension, a CA certificate
            below a CA that may have none below it.
        CAError: CERT_E_EXPIRED where the CA's own certificate is not valid at that time.
    """
    alternative = subjects.alternative_names(policy, order.template, order.incoming, order.attributes)
    named = alternative is not None
    subject = subjects.subject_of(order.template, order.incoming, order.requester, named_otherwise=named)
    not_before, not_after = _validity(issuer, order)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(algorithms.load_public_key(order.incoming.public_key_info))
        .serial_number(order.serial)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    wanted = list(_extensions(issuer, policy, order))
    if alternative is not None:
        # Critical where it is the only name: RFC 5280 section 4.2.1.6.
        wanted.append(Extension(extensions.SUBJECT_ALTERNATIVE_NAME, not subject.rdns, alternative))
    for one in wanted:
        value = x509.UnrecognizedExtension(x509.ObjectIdentifier(one.oid), one.value)
        builder = builder.add_extension(value, critical=one.critical)
    return builder.sign(issuer.key, hashes.SHA256())


def serial_number(random: RandomBytes) -> int:
    """A positive serial number of 127 random bits, and so of at most 16 octets."""
    return int.from_bytes(random(16), "big") >> 1 or 1


def _validity(issuer: Issuer, order: Order) -> tuple[datetime, datetime]:
    own = issuer.certificate
    if not own.not_valid_before_utc <= order.moment < own.not_valid_after_utc:
        text = f"the CA's certificate is valid from {own.not_valid_before_utc} to {own.not_valid_after_utc}: renew the CA"
        raise CAError(HRESULT.CERT_E_EXPIRED, text)
    start = max(order.moment.replace(microsecond=0) - BACKDATE, own.not_valid_before_utc)
    end = order.moment.replace(microsecond=0) + timedelta(days=order.template.validity_days)
    return start, min(end, own.not_valid_after_utc)


def _extensions(issuer: Issuer, policy: Policy, order: Order) -> Iterator[Extension]:
    template, incoming = order.template, order.incoming
    if template.ca:
        yield _basic_constraints(issuer, template)
    yield from _usages(template, incoming)
    yield from _template_mark(template)
    key_id = certificates.public_key_identifier(incoming.public_key_info)
    yield Extension(extensions.SUBJECT_KEY_IDENTIFIER, False, extensions.encode_subject_key_identifier(key_id))
    authority = extensions.AuthorityKeyIdentifier(issuer.key_id)
    yield Extension(extensions.AUTHORITY_KEY_IDENTIFIER, False, extensions.encode_authority_key_identifier(authority))
    yield from location_extensions(issuer)
    yield from _copied(policy, template, incoming)


def _basic_constraints(issuer: Issuer, template: Template) -> Extension:
    own = issuer.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if own == 0:
        raise Denied(HRESULT.TRUST_E_BASIC_CONSTRAINTS, "this CA may have no CA below it")
    limits = [length for length in (template.path_length, own - 1 if own is not None else None) if length is not None]
    value = BasicConstraints(True, min(limits, default=None))
    return Extension(extensions.BASIC_CONSTRAINTS, True, extensions.encode_basic_constraints(value))


def _usages(template: Template, incoming: Incoming) -> Iterator[Extension]:
    """Key usage and enhanced key usage: the request's where the template lets it choose, else the template's."""
    usage = sum(KEY_USAGES[name] for name in template.key_usage)
    asked = _chosen(template, incoming, extensions.KEY_USAGE)
    if asked is not None:
        usage = _read(extensions.decode_key_usage, asked) & ~(KEY_USAGES["key_cert_sign"] | KEY_USAGES["crl_sign"])
    usage = _fitting(usage, incoming)
    if usage:
        yield Extension(extensions.KEY_USAGE, True, extensions.encode_key_usage(usage))
    asked = _chosen(template, incoming, extensions.EXTENDED_KEY_USAGE)
    ekus = _read(extensions.decode_object_ids, asked) if asked is not None else template.ekus
    if ekus:
        critical = asked.critical if asked is not None else False
        yield Extension(extensions.EXTENDED_KEY_USAGE, critical, extensions.encode_object_ids(ekus))


def _fitting(usage: int, incoming: Incoming) -> int:
    """An EC key agrees on keys where an RSA key enciphers them."""
    enciphering = KEY_USAGES["key_encipherment"] | KEY_USAGES["data_encipherment"]
    key = algorithms.load_public_key(incoming.public_key_info)
    if usage & enciphering and isinstance(key, ec.EllipticCurvePublicKey):
        return usage & ~enciphering | KEY_USAGES["key_agreement"]
    return usage


def _template_mark(template: Template) -> Iterator[Extension]:
    if template.version is not None and template.oid is not None:
        value = extensions.encode_template(extensions.Template(template.oid, *template.version))
        yield Extension(extensions.TEMPLATE, False, value)
    elif template.name:
        yield Extension(extensions.TEMPLATE_NAME, False, extensions.encode_template_name(template.name))


def location_extensions(issuer: Issuer) -> Iterator[Extension]:
    """CRL distribution points and authority information access of what ``issuer`` signs, where it has such URLs."""
    if issuer.crl_urls:
        points = [x509.DistributionPoint([x509.UniformResourceIdentifier(url) for url in issuer.crl_urls], None, None, None)]
        yield Extension(CRL_DISTRIBUTION_POINTS, False, x509.CRLDistributionPoints(points).public_bytes())
    if issuer.certificate_urls:
        method = x509.oid.AuthorityInformationAccessOID.CA_ISSUERS
        found = [x509.AccessDescription(method, x509.UniformResourceIdentifier(url)) for url in issuer.certificate_urls]
        yield Extension(AUTHORITY_INFORMATION_ACCESS, False, x509.AuthorityInformationAccess(found).public_bytes())


def _copied(policy: Policy, template: Template, incoming: Incoming) -> Iterator[Extension]:
    """What the template lets the request choose, and what no rule knows where the policy lets that through."""
    for one in incoming.extensions:
        known = one.oid in _VERBATIM or one.oid not in _OWN
        chosen = one.oid in template.requested_extensions or (one.oid not in _OWN and policy.copy_unknown_extensions)
        if known and chosen:
            _read(_VERBATIM.get(one.oid, der.tlv), one)
            yield one


# Extensions that are copied octet for octet -> what must be able to read them.
_VERBATIM: Final[dict[str, Callable[[bytes], object]]] = {
    extensions.SMIME_CAPABILITIES: extensions.decode_smime_capabilities,
    extensions.APPLICATION_POLICIES: extensions.decode_policies,
    extensions.CERTIFICATE_POLICIES: extensions.decode_policies,
}


def _chosen(template: Template, incoming: Incoming, oid: str) -> Extension | None:
    return incoming.extension(oid) if oid in template.requested_extensions else None


def _read(decoder: Callable[[bytes], T], extension: Extension) -> T:
    try:
        return decoder(extension.value)
    except DecodeError as error:
        raise Denied(error.hresult, f"the requested extension {extension.oid} is malformed: {error}") from error
