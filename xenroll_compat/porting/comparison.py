"""Whether two requests ask for the same: field by field, but for keys and what is random or of its moment.

Takes PKCS #10, PKCS #7, CMC and self-signed requests apart to plain texts by name, and compares those. Left out are the
public key itself and its identifier, signatures, digests, nonces, transaction ids, times, encrypted keys and attestation,
the name of the program that asks, and which of several certificates of the same subject and issuer signs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.asn1 import algorithms, attributes, cmc_controls, cmc_requests, der, enveloped, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cms import Signer
from certenroll.asn1.der import Attribute, DecodeError, Extension
from certenroll.asn1.extensions import AUTHORITY_KEY_IDENTIFIER, SUBJECT_KEY_IDENTIFIER
from certenroll.asn1.names import decode_name
from certenroll.asn1.signed_messages import Envelope
from certenroll.ca.incoming import CMC, PKCS7, PKCS10, BadRequest, kind_of

_KEY_EXTENSIONS: Final = frozenset({SUBJECT_KEY_IDENTIFIER, AUTHORITY_KEY_IDENTIFIER})
_MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
_SIGNING_TIME: Final = "1.2.840.113549.1.9.5"
_ATTESTATION: Final = tuple(f"1.3.6.1.4.1.311.21.{last}" for last in (22, 23, 24, 33, 39))
_RANDOM_ATTRIBUTES: Final = frozenset(
    {attributes.ARCHIVED_KEY_HASH, _MESSAGE_DIGEST, _SIGNING_TIME, *_ATTESTATION}
)
_EXTENSION_REQUESTS: Final = (attributes.EXTENSION_REQUEST, attributes.CERT_EXTENSIONS)
_RANDOM_CONTROLS: Final = frozenset({cmc_controls.TRANSACTION_ID, cmc_controls.SENDER_NONCE, cmc_controls.RECIPIENT_NONCE})
_ABSENT: Final = "(absent)"
_PRESENT: Final = "(present)"


@dataclass(frozen=True)
class Difference:
    """A field in which two requests differ.

    Attributes:
        field: where it stands ("extension 2.5.29.15", "attribute 1.3.6.1.4.1.311.13.2.2", "subject").
        first, second: its value in each, as text.
    """

    field: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.field}: {self.first} / {self.second}"


def compare(first: bytes, second: bytes) -> tuple[Difference, ...]:
    """The fields in which two requests in DER differ; none where they ask for the same."""
    one, other = fields_of(first), fields_of(second)
    names = [*one, *(name for name in other if name not in one)]
    pairs = ((name, one.get(name, _ABSENT), other.get(name, _ABSENT)) for name in names)
    return tuple(Difference(name, left, right) for name, left, right in pairs if left != right)


def compare_all(first: tuple[bytes, ...], second: tuple[bytes, ...]) -> tuple[Difference, ...]:
    """The differences of requests in their order; that of their numbers comes first."""
    found: list[Difference] = []
    if len(first) != len(second):
        found.append(Difference("requests", str(len(first)), str(len(second))))
    for number, (one, other) in enumerate(zip(first, second, strict=False), start=1):
        found += [Difference(f"request {number}: {at.field}", at.first, at.second) for at in compare(one, other)]
    return tuple(found)


def compare_keys(first: Sequence[Mapping[str, str]], second: Sequence[Mapping[str, str]]) -> tuple[Difference, ...]:
    """The settings in which the keys of two runs differ, in their order; their number comes first."""
    found = [] if len(first) == len(second) else [Difference("keys", str(len(first)), str(len(second)))]
    for number, (one, other) in enumerate(zip(first, second, strict=False), start=1):
        pairs = [(name, one.get(name, _ABSENT), other.get(name, _ABSENT)) for name in {**one, **other}]
        found += [Difference(f"key {number}: {name}", left, right) for name, left, right in pairs if left != right]
    return tuple(found)


def fields_of(request: bytes) -> dict[str, str]:
    """What a request asks for, by the names of its fields. A message that is no request is compared octet by octet."""
    found: dict[str, str] = {}
    for name, value in _fields(request):
        unique, number = name, 1
        while unique in found:
            number += 1
            unique = f"{name} ({number})"
        found[unique] = value
    return found


def _fields(request: bytes) -> Iterator[tuple[str, str]]:
    try:
        kind = kind_of(request)
        if kind == PKCS10:
            yield "format", "PKCS #10"
            yield from _of_pkcs10(pkcs10.decode(request))
        elif kind == PKCS7:
            yield "format", "PKCS #7"
            found = pkcs7_requests.decode(request)
            yield from _of_envelope(found.envelope)
            yield from _of_pkcs10(found.request)
        elif kind == CMC:
            yield "format", "CMC"
            yield from _of_cmc(cmc_requests.decode(request))
        else:
            yield from _of_certificate(request)
    except (DecodeError, BadRequest):
        yield "octets", request.hex()


def _of_pkcs10(request: pkcs10.CertificationRequest) -> Iterator[tuple[str, str]]:
    yield "version", str(request.version)
    yield "subject", _name(request.subject)
    yield "key", _key(request.public_key_info)
    yield "signature algorithm", request.signature_algorithm.hex()
    yield from _of_attributes(one for one in request.attributes if one.oid not in _EXTENSION_REQUESTS)
    for one in request.attributes:
        if one.oid in _EXTENSION_REQUESTS:
            yield f"attribute {one.oid}", f"{len(one.values)} value"
    yield from _of_extensions(request.extensions)


def _of_cmc(request: cmc_requests.CmcRequest) -> Iterator[tuple[str, str]]:
    yield from _of_envelope(request.envelope)
    data = request.data
    for control in data.controls:
        if control.oid in _RANDOM_CONTROLS:
            yield f"control {control.oid}", _PRESENT
        elif control.oid == cmc_controls.ADD_ATTRIBUTES:
            yield f"control {control.oid}", f"{len(control.values)} value"
        else:
            yield f"control {control.oid}", _hex(control.values)
    yield from _of_attributes(data.attributes)
    for tagged in data.requests:
        if isinstance(tagged, cmc_requests.TaggedRequest):
            yield "body part", str(tagged.body_part)
            yield from _of_pkcs10(tagged.request)
        else:
            yield "request of another form", tagged.der.hex()
    for nested in data.nested:
        yield from ((f"nested {name}", value) for name, value in _fields(nested.content))
    for other in data.others:
        yield f"body {other.oid}", other.value.hex()


def _of_certificate(certificate: bytes) -> Iterator[tuple[str, str]]:
    from cryptography import x509

    found = read_certificate(certificate)
    parsed = x509.load_der_x509_certificate(certificate)
    yield "format", "certificate"
    yield "subject", _name(found.subject)
    yield "issuer", _name(found.issuer)
    yield "key", _key(found.public_key_info)
    yield "signature algorithm", parsed.signature_algorithm_oid.dotted_string
    yield "days", str((found.not_after - found.not_before).days)
    held = (Extension(one.oid.dotted_string, one.critical, one.value.public_bytes()) for one in parsed.extensions)
    yield from _of_extensions(held)


def _of_envelope(envelope: Envelope) -> Iterator[tuple[str, str]]:
    certificates = list(_readable(envelope.certificates))
    yield "certificates", f"{len(envelope.certificates)}: {_listed(_subject(one) for one in certificates)}"
    for signer in envelope.signers:
        yield "signer", _signer(signer, certificates)
        yield "signer's digest", signer.digest_algorithm.hex()
        yield "signer's algorithm", signer.signature_algorithm.hex()
        yield from ((f"signed {name}", value) for name, value in _of_attributes(signer.signed_attributes, certificates))
        yield from ((f"unsigned {name}", value) for name, value in _of_attributes(signer.unsigned_attributes, certificates))


def _of_attributes(
    found: Iterable[Attribute], certificates: Sequence[Certificate] = ()
) -> Iterator[tuple[str, str]]:
    """The values of attributes; ``certificates`` are those that the message has."""
    for one in found:
        if one.oid == attributes.ARCHIVED_KEY:
            yield f"attribute {one.oid}", _listed(_archived(value, certificates) for value in one.values)
        else:
            yield f"attribute {one.oid}", _PRESENT if one.oid in _RANDOM_ATTRIBUTES else _values(one)


def _of_extensions(found: Iterable[Extension]) -> Iterator[tuple[str, str]]:
    for one in found:
        value = _PRESENT if one.oid in _KEY_EXTENSIONS else one.value.hex()
        yield f"extension {one.oid}", f"critical {value}" if one.critical else value


def _values(one: Attribute) -> str:
    if one.oid == attributes.CLIENT_INFO:
        told = [attributes.decode_client_info(value) for value in one.values]
        return ", ".join(f"{info.client_id} {info.machine} {info.user}" for info in told)
    if one.oid == attributes.NAME_VALUE_PAIR:
        pairs = [attributes.decode_name_value_pair(value) for value in one.values]
        return ", ".join(f"{pair.name}={pair.value}" for pair in pairs)
    if one.oid == attributes.RENEWAL_CERTIFICATE:
        return ", ".join(_name(read_certificate(value).subject) for value in one.values)
    if one.oid == attributes.CHALLENGE_PASSWORD:
        return f"{len(one.values)} value of {sum(map(len, one.values))} octets"  # a secret, which no report shows
    return _hex(one.values)


def _signer(signer: Signer, certificates: Iterable[Certificate]) -> str:
    found = next((_subject(one) for one in certificates if signer.is_made_by(one)), "")
    return _certificate(found, signer.issuer)


def _archived(value: bytes, certificates: Iterable[Certificate]) -> str:
    """For whom a key is encrypted, and with what."""
    try:
        message = enveloped.decode(value)
    except DecodeError:
        return f"{len(value)} octets"
    for one in message.recipients:
        found = next((_subject(each) for each in certificates if one.is_named_by(each)), "")
        return f"{message.cipher} for {_certificate(found, one.issuer)}"
    return message.cipher


def _certificate(subject: str, issuer: bytes) -> str:
    """A certificate by its names: of what another run issues, nothing else is the same."""
    if not subject and not issuer:
        return "a key"
    return (subject or "a certificate") + (f" of {_name(issuer)}" if issuer else "")


def _readable(certificates: Iterable[bytes]) -> Iterator[Certificate]:
    """The certificates of a message whose names can be read."""
    for one in certificates:
        try:
            found = read_certificate(one)
            bool(found.subject and found.issuer)
        except DecodeError:
            continue
        yield found


def _subject(certificate: Certificate) -> str:
    return _name(certificate.subject)


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(sorted(texts))


def _name(name: bytes) -> str:
    """A name's text, for the reader, and its octets, for string types count."""
    try:
        return f"{decode_name(name)} [{name.hex()}]"
    except DecodeError:
        return f"[{name.hex()}]"


def _key(public_key_info: bytes) -> str:
    try:
        key = algorithms.load_public_key(public_key_info)
    except UnsupportedAlgorithm:
        return der.children(public_key_info, der.SEQUENCE)[0].hex()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA, {key.key_size} bits"
    return f"EC, {key.curve.name}" if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def _hex(values: Iterable[bytes]) -> str:
    return ", ".join(value.hex() for value in values)
