"""Key attestation at the client: evidence for a request, from the store of its key. Challenges are ``challenges``'.

What is sent is encrypted for a CA's exchange certificate, and that certificate has to lead to a root of the profile. Knows
no objects of the model. Source: MS-WCCE 3.1.1.4.3.4 (what the client sends, and for whom).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certenroll.asn1 import attestation, attestation_statement, enveloped, extensions
from certenroll.asn1.attestation import Evidence, TrustModule
from certenroll.asn1.attestation_statement import IdBinding, Statement
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.content_ciphers import cipher_of
from certenroll.enums import KeyAttestationClaimType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.chains import Outcome, judge
from certenroll.stores.properties import KeyProviderInfo
from keystores.base import Attester, Secret
from keystores.routing import key_location, location_from, route

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

TPM: Final = "tpm"
"""The key store that attests keys."""

_EXCHANGE_USES: Final = {"1.3.6.1.4.1.311.21.5", "1.3.6.1.4.1.311.21.36"}  # CA exchange, privacy CA
_MOST_OWNED: Final = attestation.MOST_CERTIFICATES - 1

# The claim that is asked for -> whether it is of the subject alone. The others have no place in a request.
_CLAIMS: Final = {
    KeyAttestationClaimType.XCN_NCRYPT_CLAIM_NONE: False,
    KeyAttestationClaimType.XCN_NCRYPT_CLAIM_AUTHORITY_AND_SUBJECT: False,
    KeyAttestationClaimType.XCN_NCRYPT_CLAIM_SUBJECT_ONLY: True,
}


# Evidence ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EvidenceOrder:
    """What evidence is wanted.

    Attributes:
        claim: the endorsement key and the request's, or the request's alone.
        certificate: DER of the exchange certificate that it is encrypted for; b"" where none was set.
        cipher: dotted OID of what encrypts it.
    """

    claim: KeyAttestationClaimType
    certificate: bytes
    cipher: str

    def check(self, workspace: Workspace) -> None:
        """Checks all that can be checked before there is a key.

        Raises:
            ComError: NTE_NOT_SUPPORTED for a claim that no request carries, CERTSRV_E_PROPERTY_EMPTY where no certificate
                was set, and what ``check_exchange_certificate`` raises.
        """
        if self.claim not in _CLAIMS:
            raise ComError(HRESULT.NTE_NOT_SUPPORTED, f"no request carries the claim {self.claim.name}")
        if not self.certificate:
            text = "set AttestationEncryptionCertificate to the CA's exchange certificate"
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text)
        check_exchange_certificate(workspace, self.certificate)


def check_location(location: int, provider: str) -> None:
    """Refuses a key that is to be made where nothing attests it.

    Args:
        location: KeyLocation, 0 where none was set.
        provider: the name of the provider, "" where none was set.

    Raises:
        ComError: NTE_NOT_SUPPORTED.
        KeyStoreError: the location or the provider is not known.
    """
    explicit = key_location(location) if location else None
    if TPM not in route(explicit, location_from(os.environ), provider or None).stores:
        text = "no TPM is to make this key, and none attests it: set KeyLocation to 1, or clear AttestPrivateKey"
        raise ComError(HRESULT.NTE_NOT_SUPPORTED, text)


def evidence_for(workspace: Workspace, key: KeyProviderInfo, order: EvidenceOrder, pin: Secret | None) -> Evidence:
    """The evidence for a key.

    Args:
        workspace: the key stores, and the roots that are trusted.
        key: where the key is.
        order: what evidence is wanted.
        pin: the key's PIN.

    Raises:
        ComError: NTE_NOT_SUPPORTED where its store attests no keys, and what ``EvidenceOrder.check`` raises.
        KeyStoreError: the store cannot attest it: NTE_BAD_KEY_STATE for an imported key.
        UnsupportedAlgorithm: the certificate has no RSA key.
    """
    store = attester(workspace, key.store)
    order.check(workspace)
    subject_only = _CLAIMS[order.claim]
    said = store.attest(key.container, hashlib.sha256(order.certificate).digest(), pin=pin)
    binding = None if subject_only else IdBinding(said.attestation_key.tpm_public)
    statement = Statement(binding, said.attest, said.signature, said.key_public)
    if subject_only:
        module = attestation.encode_attestation_key_info(TrustModule(said.attestation_key.public_key))
    else:
        module = attestation.encode_endorsement_info(_endorsement(store))
    sealed = enveloped.seal(module, [order.certificate], cipher_of(order.cipher).name)
    return Evidence(attestation_statement.encode_statement(statement), sealed, key.provider_name, subject_only)


def _endorsement(store: Attester) -> TrustModule:
    """The endorsement key with the manufacturer's certificate, and with those that were added."""
    key = store.endorsement_key()
    own, added = key.certificates[:1], store.owned_certificates(key)[:_MOST_OWNED]
    return TrustModule(key.public_key, (*own, *added), has_manufacturer=bool(own))


def attester(workspace: Workspace, name: str) -> Attester:
    """The key store of that name. Raises ComError (NTE_NOT_SUPPORTED) where it attests no keys."""
    store = workspace.key_stores.get(name)
    if not isinstance(store, Attester):
        raise ComError(HRESULT.NTE_NOT_SUPPORTED, f"the {name} key store attests no keys; a TPM does")
    return store


# Whom it is for ------------------------------------------------------------------------------------------------------


def check_exchange_certificate(workspace: Workspace, certificate: bytes, others: Sequence[bytes] = ()) -> Certificate:
    """Checks that a certificate is a CA's exchange certificate and leads to a root of the profile.

    Args:
        workspace: the stores.
        certificate: in DER.
        others: DER of certificates that may stand between it and the root, besides those of the CA store.

    Raises:
        ComError: CERT_E_WRONG_USAGE where it is for something else, and the code of what is wrong with its chain.
        DecodeError: it is malformed.
    """
    found = read_certificate(certificate)
    usage = found.extension(extensions.EXTENDED_KEY_USAGE)
    if usage is None or not _EXCHANGE_USES.intersection(extensions.decode_object_ids(usage.value)):
        raise ComError(HRESULT.CERT_E_WRONG_USAGE, "this is no exchange certificate of a CA")
    check_chain(workspace, certificate, others)
    return found


def check_chain(workspace: Workspace, leaf: bytes, others: Sequence[bytes]) -> None:
    """Checks that a certificate leads to a root of the profile. Raises ComError with what is wrong with its chain."""
    stores = workspace.certificates

    def between(subject: bytes) -> list[bytes]:
        given = [one for one in others if read_certificate(one).subject == subject]
        return given + [one.der for one in stores.find_by_subject("CA", subject)]

    def trusted(subject: bytes) -> list[bytes]:
        return [one.der for one in stores.find_by_subject("ROOT", subject)]

    verdict = judge(leaf, between, trusted, workspace.clock())
    if verdict.outcome is not Outcome.TRUSTED:
        code, text = verdict.problems[0]
        raise ComError(code, text)
