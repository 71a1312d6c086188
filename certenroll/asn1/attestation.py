"""What key attestation adds to requests and to responses: evidence, the endorsement key's facts, the challenge.

Bytes to frozen values and back; verifies nothing and decrypts nothing. The statement in the evidence is a module of its own
(``attestation_statement``); the endorsement key's facts travel encrypted for the CA (``enveloped``).

Where MS-WCCE says too little (how the challenge's octets are laid out, what stands for a key) the TPM's own structures are
written; docs/analysis/attestation.md lists them. Sources: MS-WCCE 2.2.2.5, 2.2.2.7.12 to 2.2.2.7.15 and 2.2.2.8.1, the
object identifiers and result codes of wincrypt.h and winerror.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from certenroll.asn1 import der
from certenroll.asn1.algorithms import identifier, identifier_oid
from certenroll.asn1.attestation_statement import corrupt, split_tpm2b, tpm2b
from certenroll.asn1.cmc import Control
from certenroll.asn1.cmc_responses import CA_EXCHANGE_CERTIFICATE_HASH, PkiResponse
from certenroll.asn1.der import Attribute, DecodeError
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.hresults import HRESULT

ENDORSEMENT_INFO: Final = "1.3.6.1.4.1.311.21.23"  # szOID_ENROLL_EK_INFO
STATEMENT: Final = "1.3.6.1.4.1.311.21.24"  # szOID_ENROLL_ATTESTATION_STATEMENT
PROVIDER_NAME: Final = "1.3.6.1.4.1.311.21.25"  # szOID_ENROLL_KSP_NAME
CHALLENGE: Final = "1.3.6.1.4.1.311.21.28"  # szOID_ENROLL_ATTESTATION_CHALLENGE
ENCRYPTION_ALGORITHM: Final = "1.3.6.1.4.1.311.21.29"  # szOID_ENROLL_ENCRYPTION_ALGORITHM
ATTESTATION_KEY_INFO: Final = "1.3.6.1.4.1.311.21.39"  # szOID_ENROLL_AIK_INFO

# The issuance policies of a certificate whose key was attested: how its endorsement key was believed.
VERIFIED_BY_KEY: Final = "1.3.6.1.4.1.311.21.30"  # szOID_ENROLL_EKVERIFYKEY
VERIFIED_BY_CERTIFICATE: Final = "1.3.6.1.4.1.311.21.31"  # szOID_ENROLL_EKVERIFYCERT
VERIFIED_BY_CREDENTIALS: Final = "1.3.6.1.4.1.311.21.32"  # szOID_ENROLL_EKVERIFYCREDS

MOST_CERTIFICATES: Final = 4  # the manufacturer's and three others


# The trust module's key ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrustModule:
    """The key from which trust in a TPM begins (Client_HardwareKeyInfo of MS-WCCE).

    Attributes:
        public_key_info: DER SubjectPublicKeyInfo of the endorsement key, or of the attestation key.
        certificates: DER of the certificates for it, the manufacturer's first.
        has_manufacturer: whether the first one is the manufacturer's; of no meaning for an attestation key.
    """

    public_key_info: bytes
    certificates: tuple[bytes, ...] = ()
    has_manufacturer: bool = True


def encode_endorsement_info(info: TrustModule) -> bytes:
    """DER of EndorsementKeyInfo: the key, the manufacturer's certificate or NULL, the other certificates."""
    first = () if info.has_manufacturer and info.certificates else (der.NULL_DER,)
    return der.sequence_of((info.public_key_info, *first, *info.certificates))


def decode_endorsement_info(data: bytes) -> TrustModule:
    """Reads an EndorsementKeyInfo. Raises DecodeError (CERTSRV_E_INVALID_EK) where it is none."""
    parts = _keys(data, 2, 1 + MOST_CERTIFICATES)
    none = parts[1] == der.NULL_DER
    return TrustModule(parts[0], _certificates(parts[2:] if none else parts[1:]), not none)


def encode_attestation_key_info(info: TrustModule) -> bytes:
    """DER of AttestationIdentityKeyInfo: the key, and its certificate where there is one."""
    return der.sequence_of((info.public_key_info, *info.certificates[:1]))


def decode_attestation_key_info(data: bytes) -> TrustModule:
    """Reads an AttestationIdentityKeyInfo. Raises DecodeError (CERTSRV_E_INVALID_EK) where it is none."""
    parts = _keys(data, 1, 2)
    return TrustModule(parts[0], _certificates(parts[1:]))


def _keys(data: bytes, least: int, most: int) -> list[bytes]:
    code = HRESULT.CERTSRV_E_INVALID_EK
    try:
        parts = der.children(data, der.SEQUENCE)
    except DecodeError as error:
        raise DecodeError(f"the key's facts cannot be read: {error}", code) from error
    if not least <= len(parts) <= most or parts[0][0] != der.SEQUENCE:
        raise DecodeError(f"the key's facts are a key and {least - 1} to {most - 1} certificates", code)
    return parts


def _certificates(parts: list[bytes]) -> tuple[bytes, ...]:
    if any(one[0] != der.SEQUENCE for one in parts):
        raise DecodeError("one of the key's certificates is none", HRESULT.CERTSRV_E_INVALID_EK)
    return tuple(parts)


# In the request ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a request brings for its key.

    Attributes:
        statement: the octets of the KeyAttestationStatement.
        trust_module: EnvelopedData in DER around the trust module's facts.
        provider: the name of the provider that made the key; empty where the request does not say.
        subject_only: whether those facts are the attestation key's, and not the endorsement key's.
    """

    statement: bytes = field(repr=False)
    trust_module: bytes = field(repr=False)
    provider: str
    subject_only: bool = False


def evidence_attributes(evidence: Evidence) -> tuple[Attribute, ...]:
    """The attributes of an attested request. Raises EncodeError."""
    return (
        Attribute(ATTESTATION_KEY_INFO if evidence.subject_only else ENDORSEMENT_INFO, (evidence.trust_module,)),
        Attribute(STATEMENT, (der.octet_string(evidence.statement),)),
        Attribute(PROVIDER_NAME, (der.bmp_string(evidence.provider),)),
    )


def evidence_of(request: CertificationRequest) -> Evidence | None:
    """The evidence in a request; None where it has none of it.

    Raises:
        DecodeError: CERTSRV_E_CORRUPT_KEY_ATTESTATION where there is some of it and not all, or something twice.
    """
    found = {oid: request.values(oid) for oid in (ENDORSEMENT_INFO, ATTESTATION_KEY_INFO, STATEMENT, PROVIDER_NAME)}
    modules = [(oid, value) for oid in (ENDORSEMENT_INFO, ATTESTATION_KEY_INFO) for value in found[oid]]
    if not modules and not found[STATEMENT]:
        return None
    if len(modules) != 1 or len(found[STATEMENT]) != 1 or len(found[PROVIDER_NAME]) > 1:
        raise corrupt("an attested request has one statement and one trust module's key")
    oid, module = modules[0]
    name = "".join(der.read_string(one) for one in found[PROVIDER_NAME]).rstrip("\0")
    statement = der.read_octet_string(found[STATEMENT][0])
    return Evidence(statement, module, name, subject_only=oid == ATTESTATION_KEY_INFO)


# In the response -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a CA asks of the TPM before it issues.

    Attributes:
        credential: TPMS_ID_OBJECT, without the size before it.
        encrypted_secret: TPMT_ENCRYPTED_SECRET: the credential's seed for the endorsement key, without the size before it.
        exchange_certificate_hash: SHA-1 of the exchange certificate that the answer is encrypted for.
        provider: the name of the provider that is to answer; empty where it is not said.
        cipher: dotted OID of what the answer is encrypted with.
    """

    credential: bytes = field(repr=False)
    encrypted_secret: bytes = field(repr=False)
    exchange_certificate_hash: bytes
    provider: str
    cipher: str


def encode_credential(credential: bytes, encrypted_secret: bytes) -> bytes:
    """The octets of a challenge: TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, one behind the other."""
    return tpm2b(credential) + tpm2b(encrypted_secret)


def decode_credential(data: bytes) -> tuple[bytes, bytes]:
    """(credential, encrypted secret) of a challenge's octets. Raises DecodeError."""
    credential, rest = split_tpm2b(data)
    secret, rest = split_tpm2b(rest)
    if rest or not credential or not secret:
        raise corrupt("the challenge is no credential of a TPM 2.0")
    return credential, secret


def challenge_controls(challenge: Challenge, first: int) -> tuple[Control, ...]:
    """The controls that bring a challenge, numbered from ``first``. Raises EncodeError."""
    values = (
        (CHALLENGE, der.octet_string(encode_credential(challenge.credential, challenge.encrypted_secret))),
        (CA_EXCHANGE_CERTIFICATE_HASH, der.octet_string(challenge.exchange_certificate_hash)),
        (PROVIDER_NAME, der.bmp_string(challenge.provider)),
        (ENCRYPTION_ALGORITHM, identifier(challenge.cipher)),
    )
    return tuple(Control(first + number, oid, (value,)) for number, (oid, value) in enumerate(values))


def challenge_of(response: PkiResponse) -> Challenge | None:
    """The challenge in a full response, whether in controls of its own or among added attributes; None where there is none.

    Raises:
        DecodeError: it is malformed, or lacks the hash of the exchange certificate or the cipher.
    """
    said = [(one.oid, one.values) for one in response.controls] + [(one.oid, one.values) for one in response.attributes]
    found = {oid: values[0] for oid, values in said if values}
    if CHALLENGE not in found:
        return None
    exchange = response.exchange_certificate_hash
    if exchange is None or ENCRYPTION_ALGORITHM not in found:
        raise corrupt("the challenge does not say for whom and how the answer is encrypted")
    credential, secret = decode_credential(der.read_octet_string(found[CHALLENGE]))
    provider = der.read_string(found[PROVIDER_NAME]).rstrip("\0") if PROVIDER_NAME in found else ""
    return Challenge(credential, secret, exchange, provider, identifier_oid(found[ENCRYPTION_ALGORITHM]))
