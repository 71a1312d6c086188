"""Messages to a local CA, put together from the codecs: renewals, requests of agents, keys to archive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import algorithms, attributes, cmc_requests, pkcs7_requests, pkcs10
from certenroll.asn1.algorithms import PrivateKey, SignatureScheme
from certenroll.asn1.attributes import NAME_VALUE_PAIR, RENEWAL_CERTIFICATE, NameValuePair
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cms import NewSigner
from certenroll.asn1.der import Attribute
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.ca.base import Answer, Submission
from certenroll.ca.local import LocalCA
from certenroll.key_blobs import write_key
from tests.support.cmc_messages import Party, own_signer, signer_of

AES = "2.16.840.1.101.3.4.1.42"
FULL = 0x40000  # CR_IN_FULLRESPONSE
SCHEME = SignatureScheme("sha256")


def pkcs10_of(key: PrivateKey, name: str = "someone", *attributes_: Attribute) -> CertificationRequest:
    """A PKCS #10 request; an empty name leaves the subject out."""
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    rdns = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else []
    return pkcs10.build(x509.Name(rdns).public_bytes(), info, attributes_, algorithms.signer(key, SCHEME))


def template(name: str) -> Attribute:
    """The template as an attribute of a PKCS #10 request."""
    return Attribute(NAME_VALUE_PAIR, (attributes.encode_name_value_pair(NameValuePair("CertificateTemplate", name)),))


def renewing(certificate: bytes) -> Attribute:
    """The certificate to be renewed, as an attribute of a PKCS #10 request."""
    return Attribute(RENEWAL_CERTIFICATE, (certificate,))


def party(ca: LocalCA, key: PrivateKey, template_name: str = "", name: str = "party") -> Party:
    """Somebody with a certificate of the CA."""
    asked = pkcs10.encode(pkcs10_of(key, name))
    answer = ca.submit(Submission(asked, {"CertificateTemplate": template_name} if template_name else {}))
    assert answer.certificate is not None, answer.message
    return Party(key, read_certificate(answer.certificate))


def pkcs7_renewal(old: Party, asked: CertificationRequest) -> bytes:
    """A PKCS #7 request that the old key signs."""
    signer = pkcs7_requests.renewal_signer(old.key.public_key(), SCHEME, algorithms.signer(old.key, SCHEME), old.certificate)
    return pkcs7_requests.encode(pkcs7_requests.build(asked, [signer], [old.certificate.der]))


def pkcs7_on_behalf(agent: Party, asked: CertificationRequest, requester: str) -> bytes:
    """A PKCS #7 request in which an agent signs the name of the requester."""
    pairs = [NameValuePair("RequesterName", requester)]
    signer = pkcs7_requests.agent_signer(
        agent.key.public_key(), SCHEME, algorithms.signer(agent.key, SCHEME), agent.certificate, pairs
    )
    return pkcs7_requests.encode(pkcs7_requests.build(asked, [signer], [agent.certificate.der]))


def cmc(
    key: PrivateKey,
    asked: CertificationRequest,
    *others: Party,
    pairs: Iterable[tuple[str, str]] = (),
    unsigned: Sequence[Attribute] = (),
    **fields: Any,
) -> bytes:
    """A CMC request that its own key signs, and others after it."""
    data = cmc_requests.new_pki_data(asked, pairs=[NameValuePair(*pair) for pair in pairs], **fields)
    signers: list[NewSigner] = [own_signer(key, asked, "sha256", *unsigned), *(signer_of(one) for one in others)]
    return cmc_requests.encode(cmc_requests.build(data, signers, [one.certificate.der for one in others]))


def around(inner: bytes, *signers: Party, **fields: Any) -> bytes:
    """A CMC request around another message, signed by others."""
    data = cmc_requests.new_pki_data(nested=inner, **fields)
    found = cmc_requests.build(data, [signer_of(one) for one in signers], [one.certificate.der for one in signers])
    return cmc_requests.encode(found)


def archiving(
    key: PrivateKey, exchange: bytes, *, sent: PrivateKey | None = None, form: str = "", **fields: Any
) -> bytes:
    """A CMC request with a private key to archive, its own where no other is sent."""
    archived = sent or key
    forms = {True: "CAPIPRIVATEBLOB", False: "ECCPRIVATEBLOB"}
    blob = write_key(form or forms[isinstance(archived, rsa.RSAPrivateKey)], archived)
    sealed = attributes.encode_archived_key(blob, exchange, AES, os.urandom)
    stated, brought = cmc_requests.archival_attributes(sealed)
    return cmc(key, pkcs10_of(key), unsigned=[brought], attributes=[stated], **fields)


def submitted(ca: LocalCA, message: bytes, flags: int = 0, requester: str = "CORP\\bob", **attributes_: str) -> Answer:
    """What the CA answers."""
    return ca.submit(Submission(message, attributes_, flags, requester))


def issued(ca: LocalCA, message: bytes, **how: Any) -> x509.Certificate:
    """The certificate that the CA issues; the test fails where it does not."""
    answer = submitted(ca, message, **how)
    assert answer.certificate is not None, f"{answer.status:08X} {answer.message}"
    return x509.load_der_x509_certificate(answer.certificate)


def common_name(certificate: x509.Certificate) -> str:
    """The subject's common name."""
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
