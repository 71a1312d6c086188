"""A client that has its keys attested by a TPM, at the level of a CA: evidence, requests with it, answers to challenges."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

from certenroll.asn1 import algorithms, attestation, attestation_statement, enveloped, pkcs10
from certenroll.asn1.algorithms import SignatureScheme
from certenroll.asn1.attestation import Challenge, Evidence, TrustModule
from certenroll.asn1.attestation_statement import IdBinding, Statement
from certenroll.asn1.der import Attribute
from certenroll.asn1.names import encode_name
from certenroll.asn1.responses import read_response
from certenroll.ca.base import Answer, Submission
from certenroll.ca.local import LocalCA
from certenroll.enums import CR_IN_CHALLENGERESPONSE
from keystores.base import KeyAlgorithm, KeyTemplate
from keystores.providers import PLATFORM_KSP
from keystores.tpm import TpmKeyStore
from tests.support.ca import pem

ALICE = "CORP\\alice"
_P256 = KeyTemplate(KeyAlgorithm.EC, 256)
_SCHEME = SignatureScheme("sha256")


@dataclass
class Attested:
    """What evidence is made of; a test changes a part and has the whole sealed.

    Attributes:
        statement: what the TPM says.
        module: the endorsement key's facts, or the attestation key's.
        subject_only: which of the two.
        provider: its name.
    """

    statement: Statement
    module: TrustModule
    subject_only: bool = False
    provider: str = PLATFORM_KSP

    def sealed(self, exchange: bytes) -> Evidence:
        """The evidence, encrypted for an exchange certificate (DER)."""
        encode = attestation.encode_attestation_key_info if self.subject_only else attestation.encode_endorsement_info
        module = enveloped.seal(encode(self.module), [exchange], "aes128-cbc")
        return Evidence(attestation_statement.encode_statement(self.statement), module, self.provider, self.subject_only)


class Client:
    """Somebody with a TPM and a key in it.

    Args:
        store: the TPM's keys.
        container: a name; the key is made.
    """

    def __init__(self, store: TpmKeyStore, container: str) -> None:
        self.store = store
        self.container = container
        self.key: Any = store.create(container, _P256)

    @property
    def endorsement(self) -> TrustModule:
        """The endorsement key, with no certificate for it."""
        return TrustModule(self.store.endorsement_key().public_key, has_manufacturer=False)

    def attested(self, exchange: bytes, *, subject_only: bool = False) -> Attested:
        """What the TPM says of the key, for the CA with that exchange certificate."""
        said = self.store.attest(self.container, hashlib.sha256(exchange).digest())
        binding = None if subject_only else IdBinding(said.attestation_key.tpm_public)
        module = TrustModule(said.attestation_key.public_key) if subject_only else self.endorsement
        return Attested(Statement(binding, said.attest, said.signature, said.key_public), module, subject_only)

    def request(self, evidence: Evidence | None, *attributes: Attribute) -> bytes:
        """A PKCS#10 request with that evidence, in DER."""
        added = attestation.evidence_attributes(evidence) if evidence is not None else ()
        key = self.key.private_key
        sign = algorithms.signer(key, _SCHEME)
        made = pkcs10.build(encode_name("CN=Alice"), self.key.info.public_key, (*added, *attributes), sign)
        return pkcs10.encode(made)

    def submit(self, ca: LocalCA, attested: Attested | None = None, template: str = "") -> Answer:
        """What the CA says of a request with evidence; the client's own where none is given."""
        exchange = ca.exchange_certificate()
        request = self.request((attested or self.attested(exchange)).sealed(exchange))
        names = {"CertificateTemplate": template} if template else {}
        return ca.submit(Submission(request, names, requester=ALICE))

    def secret(self, answer: Answer) -> bytes:
        """What the TPM reads in a challenge."""
        asked = challenge_in(answer)
        return self.store.activate_credential(asked.credential, asked.encrypted_secret)


def challenge_in(answer: Answer) -> Challenge:
    """The challenge in a CA's answer; the test fails where there is none."""
    assert answer.full_response is not None, answer.message
    cmc = read_response(answer.full_response).cmc
    found = attestation.challenge_of(cmc) if cmc is not None else None
    assert found is not None, answer.message
    return found


def response(ca: LocalCA, request_id: str, secret: bytes, requester: str = ALICE) -> Answer:
    """What the CA says of a secret that is sent for a request."""
    sealed = enveloped.seal(secret, [ca.exchange_certificate()])
    return ca.submit(Submission(sealed, {"RequestId": request_id}, CR_IN_CHALLENGERESPONSE, requester))


@dataclass(frozen=True)
class Maker:
    """A manufacturer of TPMs: a root, and the authority below it that certifies endorsement keys.

    Attributes:
        root, authority: DER.
        key: the authority's.
    """

    root: bytes
    authority: bytes
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, name: str) -> Maker:
        """One of that name."""
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in "ab")
        names = (f"{name} Root", f"{name} CA")
        root, below = (x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in names)
        made = [
            _certificate(subject, root, public.public_key(), root_key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(key_cert_sign=True), critical=True)
            .sign(root_key, hashes.SHA256())
            .public_bytes(Encoding.DER)
            for subject, public in ((root, root_key), (below, key))
        ]
        return cls(made[0], made[1], key)

    def certificate(self, public_key_info: bytes) -> bytes:
        """A certificate for an endorsement key, as manufacturers make it: no subject, the TPM's model as a critical name.

        Source: TCG EK Credential Profile for TPM Family 2.0, section 3.2.
        """
        model = [("2.23.133.2.1", "id:4D414B45"), ("2.23.133.2.2", "swtpm"), ("2.23.133.2.3", "id:00010002")]
        names = x509.Name([x509.NameAttribute(x509.ObjectIdentifier(oid), value) for oid, value in model])
        issuer = x509.load_der_x509_certificate(self.authority)
        public: Any = load_der_public_key(public_key_info)
        return (
            _certificate(x509.Name([]), issuer.subject, public, self.key)
            .add_extension(x509.SubjectAlternativeName([x509.DirectoryName(names)]), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(key_encipherment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("2.23.133.8.1")]), critical=False)
            .sign(self.key, hashes.SHA256())
            .public_bytes(Encoding.DER)
        )

    def put(self, folder: Path) -> None:
        """Has the CA in a folder believe this manufacturer."""
        target = folder / "endorsement"
        target.mkdir(exist_ok=True)
        text = pem("CERTIFICATE", self.root, self.authority)
        (target / "maker.crt").write_text(text)


def _certificate(subject: x509.Name, issuer: x509.Name, public_key: Any, signer: Any) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(authority, critical=False)
    )


def _usage(**wanted: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: wanted.get(name, False) for name in names})
