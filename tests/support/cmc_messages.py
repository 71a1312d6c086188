"""Keys, certificates and requests for the tests of CMC and PKCS #7 messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from certenroll.asn1 import algorithms, der, pkcs10
from certenroll.asn1.algorithms import PrivateKey, SignatureScheme
from certenroll.asn1.certificates import SUBJECT_KEY_IDENTIFIER, Certificate, read_certificate
from certenroll.asn1.cms import NewSigner
from certenroll.asn1.der import Attribute, Extension
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.signed_messages import key_identifier_of, new_signer

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
CA_KEY = ec.generate_private_key(ec.SECP384R1())
AGENT_KEY = rsa.generate_private_key(65537, 2048)
KEYS: dict[str, PrivateKey] = {"rsa": RSA_KEY, "ec": EC_KEY}


def certificate(name: str, key: PrivateKey) -> bytes:
    """A certificate of the CA "CA" in DER."""
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("CA", name))
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    builder = builder.add_extension(x509.BasicConstraints(key is CA_KEY, None), critical=True)
    return builder.sign(CA_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


CA = certificate("CA", CA_KEY)
AGENT = certificate("agent", AGENT_KEY)


@dataclass(frozen=True)
class Party:
    """Somebody who signs."""

    key: PrivateKey
    certificate: Certificate


THE_AGENT = Party(AGENT_KEY, read_certificate(AGENT))
THE_CA = Party(CA_KEY, read_certificate(CA))


def request(key: PrivateKey, attributes: Iterable[Attribute] = (), identifier: bytes = b"") -> CertificationRequest:
    """A PKCS #10 request for CN=someone, with a key identifier of its own where one is given."""
    info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "someone")]).public_bytes()
    own = [Extension(SUBJECT_KEY_IDENTIFIER, False, der.octet_string(identifier))] if identifier else []
    asked = [Attribute(pkcs10.EXTENSION_REQUEST, (der.encode_extensions(own),))] if own else []
    return pkcs10.build(name, info, [*attributes, *asked], algorithms.signer(key, SignatureScheme("sha256")))


def own_signer(key: PrivateKey, asked: CertificationRequest, hash_name: str = "sha256", *unsigned: Attribute) -> NewSigner:
    """The request's own key, named by its key identifier."""
    scheme = SignatureScheme(hash_name)
    return new_signer(
        key.public_key(), scheme, algorithms.signer(key, scheme), key_identifier=key_identifier_of(asked),
        unsigned_attributes=unsigned,
    )  # fmt: skip


def signer_of(party: Party, hash_name: str = "sha256") -> NewSigner:
    """Somebody with a certificate, named by issuer and serial number."""
    scheme = SignatureScheme(hash_name)
    return new_signer(
        party.key.public_key(), scheme, algorithms.signer(party.key, scheme), certificate=party.certificate
    )
