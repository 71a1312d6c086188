"""The evidence that a request brings for its key: opened, read, and held against the key and against this CA.

Proves that the holder of an attestation key certified the request's key for this CA, and who certifies the endorsement key.
That both keys are in one TPM only the answer to a challenge proves (``attestation``). Knows no policy and no request but its
key. Source: MS-WCCE 3.2.2.6.2.1.2.5 and 3.2.2.6.2.1.2.5.1; what MS-WCCE leaves to the provider is the TPM's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certenroll.asn1 import attestation, attestation_statement
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.attestation import Evidence, TrustModule
from certenroll.asn1.attestation_statement import Statement
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.endorsement_keys import endorsement_public
from certenroll.ca.base import CAError
from certenroll.ca.challenges import opened
from certenroll.ca.exchange import Exchange
from certenroll.ca.policy import Denied
from certenroll.ca.proofs import uses
from certenroll.hresults import HRESULT
from certenroll.stores.chains import Outcome, judge
from keystores.errors import KeyStoreError
from keystores.providers import find_provider

FOLDER: Final = "endorsement"


@dataclass(frozen=True)
class Proof:
    """Evidence that was opened and verified.

    Attributes:
        module: the trust module's key and certificates.
        endorsement_public: TPMT_PUBLIC of the endorsement key; b"" where the subject alone is attested.
        attestation_public: TPMT_PUBLIC of the attestation key; b"" likewise.
        exchange: the exchange certificate for which it was encrypted.
    """

    module: TrustModule
    endorsement_public: bytes
    attestation_public: bytes
    exchange: Certificate


def prove(evidence: Evidence, public_key_info: bytes, exchange: Exchange) -> Proof:
    """Opens and verifies the evidence for a key.

    Args:
        evidence: what the request brings.
        public_key_info: the request's key, DER SubjectPublicKeyInfo.
        exchange: the CA's exchange certificates.

    Raises:
        Denied: CERTSRV_E_KEY_ATTESTATION where no TPM's provider is named, CERTSRV_E_INVALID_EK for a trust module's key
            that is malformed or encrypted for somebody else, CERTSRV_E_INVALID_IDBINDING for a key that may not attest
            others, CERTSRV_E_INVALID_ATTESTATION for a statement that is not of this key or not for this CA,
            CERTSRV_E_CORRUPT_KEY_ATTESTATION for one that cannot be read.
    """
    _check_provider(evidence.provider)
    with _refusing(HRESULT.CERTSRV_E_INVALID_EK, "the trust module's key cannot be had"):
        content, certificate = opened(evidence.trust_module, exchange)
        subject = evidence.subject_only
        decode = attestation.decode_attestation_key_info if subject else attestation.decode_endorsement_info
        module = decode(content)
        endorsement = endorsement_public(module.public_key_info) if not subject else b""
    with _refusing(HRESULT.CERTSRV_E_CORRUPT_KEY_ATTESTATION, "the statement cannot be read"):
        statement = attestation_statement.decode_statement(evidence.statement)
    public, signer = _attestation_key(statement, module) if not subject else (b"", module.public_key_info)
    _check_statement(statement, signer, nonce_for(certificate.der), public_key_info)
    return Proof(module, endorsement, public, certificate)


def is_certified(data: bytes, module: TrustModule, use: str, authorities: tuple[bytes, ...], moment: datetime) -> bool:
    """Whether a certificate is for the trust module's key and from an authority that is believed.

    Args:
        data: the certificate in DER.
        module: the key, and the certificates that came with it.
        use: what the certificate must be for; "" for anything.
        authorities: DER of roots, and of the authorities between.
        moment: the time.
    """
    try:
        certificate = read_certificate(data)
        fits = certificate.public_key_info == module.public_key_info and (not use or use in uses(certificate))
    except DecodeError:
        return False
    roots = [one for one in authorities if read_certificate(one).is_self_issued]
    others = [*authorities, *(one for one in module.certificates if one != data)]
    return fits and judge(data, others, roots, moment).outcome is Outcome.TRUSTED


def nonce_for(exchange_certificate: bytes) -> bytes:
    """The nonce of a statement: SHA-256 of the exchange certificate (DER), so that it is for one CA and one week."""
    return hashlib.sha256(exchange_certificate).digest()


def endorsement_authorities(directory: Path) -> tuple[bytes, ...]:
    """DER of the authorities whose certificates for endorsement keys are believed. Raises CAError for a malformed file."""
    found = []
    for path in sorted((directory / FOLDER).glob("*.crt")):
        try:
            pem = x509.load_pem_x509_certificates(path.read_bytes())
        except ValueError as error:
            raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path}: {error}") from None
        found += [one.public_bytes(Encoding.DER) for one in pem]
    return tuple(found)


@contextmanager
def _refusing(code: int, what: str) -> Iterator[None]:
    """Denies with ``code`` where the block meets what is malformed; a malformed part that has a code of its own keeps it."""
    try:
        yield
    except (DecodeError, KeyStoreError, UnsupportedAlgorithm, Denied) as error:
        own = HRESULT.CERTSRV_E_INVALID_EK <= error.hresult <= HRESULT.CERTSRV_E_INVALID_REQUESTID
        raise Denied(error.hresult if own else code, f"{what}: {error}") from error


def _check_provider(name: str) -> None:
    try:
        store = find_provider(name).store
    except KeyStoreError:
        store = ""
    if store != "tpm":
        text = f"{name or 'no provider'} is no provider of TPM keys"
        raise Denied(HRESULT.CERTSRV_E_KEY_ATTESTATION, text)


def _attestation_key(statement: Statement, module: TrustModule) -> tuple[bytes, bytes]:
    """(TPMT_PUBLIC, SubjectPublicKeyInfo) of the statement's attestation key, which must be one that signs nothing else."""
    from keystores.tpm import evidence as tpm

    code = HRESULT.CERTSRV_E_INVALID_IDBINDING
    if statement.binding is None:
        raise Denied(code, "the statement does not say which key attests")
    public = statement.binding.public
    with _refusing(code, "the attestation key cannot be read"):
        key, attributes = tpm.public_key_of(public), tpm.attributes_of(public)
    restricted = attributes.restricted and attributes.sign and not attributes.decrypt
    if not restricted or not attributes.made_in_tpm or key == module.public_key_info:
        raise Denied(code, "the attestation key is none: it may sign what its TPM did not make")
    return public, key


def _check_statement(statement: Statement, signer: bytes, nonce: bytes, public_key_info: bytes) -> None:
    from keystores.tpm import evidence as tpm

    code = HRESULT.CERTSRV_E_INVALID_ATTESTATION
    with _refusing(code, "the statement does not hold"):
        tpm.verify_attestation(signer, statement.attest, statement.signature, nonce, statement.key)
        attested = tpm.public_key_of(statement.key)
    if attested != public_key_info:
        raise Denied(code, "the statement is about another key than the request's")
