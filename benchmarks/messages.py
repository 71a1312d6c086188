"""What reading and writing messages costs, beside asn1crypto and beside bare pyca: medians, measured in turn in one run.

    .venv/bin/python benchmarks/messages.py [--repeat 400] [--json]

benchmarks/README.md tells what stands on either side. Where both sides read, what they read is compared first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from asn1crypto import cms as foreign_cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from certenroll.asn1 import algorithms, attributes, cmc_requests, cmc_responses, der, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import SignatureScheme
from certenroll.asn1.attributes import CLIENT_INFO, NAME_VALUE_PAIR, ClientInfo, NameValuePair
from certenroll.asn1.certificates import SUBJECT_KEY_IDENTIFIER, public_key_identifier, read_certificate
from certenroll.asn1.cmc_statuses import CmcStatus, Status
from certenroll.asn1.cms import NewSigner, encode_certificate_bag
from certenroll.asn1.der import Attribute, Extension
from certenroll.asn1.responses import read_response
from certenroll.asn1.signed_messages import key_identifier_of, new_signer

SCHEME = SignatureScheme("sha256")
Facts = list[tuple[Any, ...]]
Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A measurement: ours and the other side's, medians in microseconds; the other side is absent where there is none."""

    what: str
    ours: float
    other: float | None
    other_is: str


def measured(what: str, repeat: int, ours: Work, other: Work | None = None, other_is: str = "") -> Row:
    """Does one or two things in turn, so that a busy machine slows both."""
    works = [ours] if other is None else [ours, other]
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(repeat):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            times.append((time.perf_counter() - start) * 1e6)
    medians = [statistics.median(times) for times in taken]
    return Row(what, medians[0], medians[1] if other is not None else None, other_is)


# --- What is read


def name(text: str) -> x509.Name:
    oids = x509.NameOID
    parts = ((oids.COUNTRY_NAME, "DE"), (oids.ORGANIZATION_NAME, "Example"), (oids.COMMON_NAME, text))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def certificate(subject: str, key: rsa.RSAPrivateKey, issuer: str, signer: rsa.RSAPrivateKey, *, ca: bool) -> bytes:
    """An RSA-2048 certificate with the extensions that a CA writes: four, and two more in an end entity's."""
    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(begins).not_valid_after(ends)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca, None), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
        (usage, True),
    ]
    if not ca:
        extensions.append((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
        extensions.append((x509.SubjectAlternativeName([x509.DNSName("www.example.com")]), False))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def our_facts(bag: bytes) -> Facts:
    return [
        (
            one.der, one.subject, one.issuer, one.serial, one.not_before, one.not_after, one.public_key_info,
            one.key_identifier, tuple((e.oid, e.critical, e.value) for e in one.extensions), one.is_ca,
        )
        for one in read_response(bag).parsed
    ]  # fmt: skip


def foreign_facts(bag: bytes) -> Facts:
    """The same of asn1crypto, which reads a field when it is asked for."""
    signed = foreign_cms.ContentInfo.load(bag)["content"]
    assert len(signed["signer_infos"]) == 0
    found = []
    for choice in signed["certificates"]:
        content = choice.chosen["tbs_certificate"]
        validity, key_info = content["validity"], content["subject_public_key_info"]
        extensions = tuple(
            (e["extn_id"].dotted, e["critical"].native, bytes(e["extn_value"])) for e in content["extensions"]
        )
        found.append(
            (
                choice.chosen.dump(), content["subject"].dump(), content["issuer"].dump(),
                content["serial_number"].native, validity["not_before"].native, validity["not_after"].native,
                key_info.dump(), key_info.sha1, extensions, bool(choice.chosen.ca),
            )
        )  # fmt: skip
    return found


def foreign_reads(bag: bytes) -> None:
    """What read_response looks at in each certificate: asn1crypto reads the frame on its way there."""
    signed = foreign_cms.ContentInfo.load(bag)["content"]
    assert len(signed["signer_infos"]) == 0
    for choice in signed["certificates"]:
        content = choice.chosen["tbs_certificate"]
        _ = choice.chosen.dump(), content["serial_number"].native, content["validity"]["not_before"].native
        _ = content["subject_public_key_info"].sha1, choice.chosen.ca


# --- What is written


@dataclass(frozen=True)
class Party:
    """Keys and certificates of an enrollment."""

    key: rsa.RSAPrivateKey
    ca_key: rsa.RSAPrivateKey
    leaf: bytes
    ca: bytes
    root: bytes

    @property
    def public_key_info(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def signer(self, key: rsa.RSAPrivateKey, **named: Any) -> NewSigner:
        return new_signer(key.public_key(), SCHEME, algorithms.signer(key, SCHEME), **named)


def party() -> Party:
    keys = [rsa.generate_private_key(65537, 2048) for _ in range(3)]
    root = certificate("root", keys[0], "root", keys[0], ca=True)
    ca = certificate("ca", keys[1], "root", keys[0], ca=True)
    return Party(keys[2], keys[1], certificate("leaf", keys[2], "ca", keys[1], ca=False), ca, root)


def make_pkcs10(who: Party) -> pkcs10.CertificationRequest:
    """As Windows makes it: client information, the template, a key identifier."""
    pair = attributes.encode_name_value_pair(NameValuePair("CertificateTemplate", "User"))
    identifier = Extension(SUBJECT_KEY_IDENTIFIER, False, der.octet_string(public_key_identifier(who.public_key_info)))
    wanted = (
        Attribute(CLIENT_INFO, (attributes.encode_client_info(ClientInfo(9, "host.example", "EXAMPLE\\a", "certreq")),)),
        Attribute(NAME_VALUE_PAIR, (pair,)),
        Attribute(pkcs10.EXTENSION_REQUEST, (der.encode_extensions([identifier]),)),
    )
    return pkcs10.build(name("leaf").public_bytes(), who.public_key_info, wanted, algorithms.signer(who.key, SCHEME))


def make_pkcs7(who: Party, asked: pkcs10.CertificationRequest) -> bytes:
    signer = who.signer(who.key, certificate=read_certificate(who.leaf))
    return pkcs7_requests.encode(pkcs7_requests.build(asked, [signer], [who.leaf]))


def make_cmc(who: Party, asked: pkcs10.CertificationRequest) -> bytes:
    data = cmc_requests.new_pki_data(asked, attributes=asked.attributes[:1], transaction_id=4711, sender_nonce=bytes(16))
    signer = who.signer(who.key, key_identifier=key_identifier_of(asked))
    return cmc_requests.encode(cmc_requests.build(data, [signer]))


def make_response(who: Party) -> bytes:
    issued = cmc_responses.issued_attributes(who.leaf)
    content = cmc_responses.new_response(CmcStatus(Status.SUCCESS, text="Issued"), attributes=issued)
    signer = who.signer(who.ca_key, certificate=read_certificate(who.ca))
    return cmc_responses.encode_full_response(content, [signer], [who.leaf, who.ca])


# --- The lines


def readings(who: Party, repeat: int) -> Iterator[Row]:
    bag = encode_certificate_bag([who.leaf, who.ca, who.root])
    assert our_facts(bag) == foreign_facts(bag), "the two sides read something else"

    def read() -> object:
        return read_response(bag)

    floor = "pyca, certificates alone"
    yield measured("bag of 3 certificates, read", repeat, read, lambda: foreign_reads(bag), "asn1crypto, the same")
    yield measured(
        "bag of 3, each fact as a value", repeat, lambda: our_facts(bag), lambda: foreign_facts(bag), "asn1crypto, the same"
    )
    yield measured("bag of 3 certificates, read", repeat, read, lambda: pkcs7.load_der_pkcs7_certificates(bag), floor)


def requests(who: Party, repeat: int) -> Iterator[Row]:
    asked = make_pkcs10(who)
    ours = pkcs10.encode(asked)
    csr = x509.CertificateSigningRequestBuilder().subject_name(name("leaf"))

    def floor() -> int:
        return len(x509.load_der_x509_csr(ours).attributes)

    def sign() -> bytes:
        return who.key.sign(ours, padding.PKCS1v15(), hashes.SHA256())

    yield measured("PKCS#10, decode", repeat, lambda: pkcs10.decode(ours), floor, "pyca, load")
    yield measured("PKCS#10, encode", repeat, lambda: pkcs10.encode(asked))
    built = "pyca, without attributes"
    yield measured(
        "PKCS#10, build and sign", repeat // 4, lambda: make_pkcs10(who), lambda: csr.sign(who.key, hashes.SHA256()), built
    )
    yield from wrapped("PKCS#7", pkcs7_requests, lambda: make_pkcs7(who, asked), sign, repeat)
    yield from wrapped("CMC", cmc_requests, lambda: make_cmc(who, asked), sign, repeat)


def wrapped(kind: str, codec: Any, make: Callable[[], bytes], sign: Work, repeat: int) -> Iterator[Row]:
    """The lines of a request inside a signed message."""
    message = make()
    found = codec.decode(message)
    yield measured(f"{kind} request, decode", repeat, lambda: codec.decode(message))
    yield measured(f"{kind} request, encode", repeat, lambda: codec.encode(found))
    yield measured(f"{kind} request, build and sign", repeat // 4, make, sign, "pyca, one RSA-2048 signature")


def responses(who: Party, repeat: int) -> Iterator[Row]:
    message = make_response(who)
    key, data = who.ca_key.public_key(), bytes(100)
    signature = who.ca_key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def floor() -> None:
        pkcs7.load_der_pkcs7_certificates(message)
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())

    def sign() -> bytes:
        return who.ca_key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    verified, signed = "pyca: certificates, one verification", "pyca, one RSA-2048 signature"
    yield measured("CMC response, read and verified", repeat, lambda: read_response(message), floor, verified)
    yield measured("CMC response, build and sign", repeat // 4, lambda: make_response(who), sign, signed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=400, help="how often each is done (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    chosen = parser.parse_args()
    who = party()
    rows = []
    for lines in (readings, requests, responses):
        for row in lines(who, chosen.repeat):
            rows.append(asdict(row))
            if not chosen.json:
                other = f"{row.other_is:36} {row.other:8.1f} us  x{row.other / row.ours:.1f}" if row.other else ""
                print(f"{row.what:32} {row.ours:8.1f} us   {other}".rstrip(), flush=True)
    if chosen.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
