"""The certificates that sign a PKCS#7 or CMC request: their signatures made, found in a message, and checked.

Knows signer certificates and signed messages, and no request object. Source: the pages of CheckCertificateSignature and of
ISignerCertificate; MS-WCCE 3.1.1.4.3.
"""

from __future__ import annotations

from copy import copy

from certenroll.asn1 import algorithms, cms
from certenroll.asn1.algorithms import BadSignature
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cms import NewSigner, SignedData, Signer
from certenroll.asn1.der import Attribute
from certenroll.asn1.signed_messages import new_signer
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext, X509PrivateKeyVerify
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.signatures import IX509SignatureInformation
from certenroll.signer_certificates import ISignerCertificate, signer_from
from certenroll.stores.certificates import CA, ROOT
from certenroll.stores.chains import Outcome, judge

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY


def signer_of(
    signer: ISignerCertificate, default: IX509SignatureInformation, *, legacy_hashes: bool,
    attributes: tuple[Attribute, ...] = (), with_attributes: bool = True,
) -> NewSigner:  # fmt: skip
    """The signature that a signer certificate makes on a message.

    Args:
        signer: whose key signs.
        default: hash and form where the signer was given none.
        legacy_hashes: whether SHA-1 and MD5 are signed as they were asked for.
        attributes: signed besides content type and hash.
        with_attributes: False signs the content itself.
    """
    signature = copy(signer.SignatureInformation)  # the signer itself may sign another request, with another default
    signature.fill_from(default)
    key = signer.signing_key()
    scheme = signature.signature_scheme(legacy_hashes=legacy_hashes)
    return new_signer(
        key.public_key(), scheme, algorithms.signer(key, scheme), certificate=read_certificate(signer.certificate_bytes()),
        attributes=attributes, with_attributes=with_attributes,
    )  # fmt: skip


def renewing_signer(context: X509CertificateEnrollmentContext, certificate: bytes) -> ISignerCertificate:
    """The signer that stands for a certificate to be renewed. Raises CRYPT_E_NOT_FOUND where no store has it."""
    made = ISignerCertificate()
    is_machine = context != X509CertificateEnrollmentContext.ContextUser
    made.Initialize(is_machine, X509PrivateKeyVerify.VerifyNone, BINARY, certificate)
    return made


def signers_in(
    signed: SignedData, context: X509CertificateEnrollmentContext, known: tuple[bytes, ...] = ()
) -> list[ISignerCertificate]:
    """The signers of a message whose certificates it brings, or that are among ``known``, in their order.

    Args:
        signed: the message.
        context: whose private keys they may have.
        known: DER of certificates that the message may lack.
    """
    certificates = [read_certificate(one) for one in known]
    found = []
    for signer in signed.signers:
        certificate = signed.certificate_of(signer) or next((one for one in certificates if signer.is_made_by(one)), None)
        if certificate is not None:
            found.append(signer_from(certificate.der, hash_of(signer), context, alternate=is_alternate(signer)))
    return found


def hash_of(signer: Signer) -> str:
    """The dotted OID of the hash of a signature."""
    return algorithms.identifier_oid(signer.digest_algorithm)


def is_alternate(signer: Signer) -> bool:
    """Whether a signature has the discrete form."""
    return algorithms.identifier_oid(signer.signature_algorithm) in (algorithms.RSASSA_PSS, algorithms.ECDSA_SPECIFIED)


def check_signer(
    context: X509CertificateEnrollmentContext, signed: SignedData, certificate: Certificate, *, with_chain: bool
) -> None:
    """Verifies the signature that a certificate's key made.

    Args:
        context: whose stores have the chain.
        signed: the message.
        certificate: the signer's.
        with_chain: whether the certificate's chain is judged too.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where that certificate did not sign; the code of what is wrong with its chain.
        BadSignature: the signature does not fit.
    """
    signer = next((one for one in signed.signers if one.is_made_by(certificate)), None)
    if signer is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "that certificate is none of the request's signers")
    cms.verify_signer(signed, signer, certificate)
    if not with_chain:
        return
    workspace = open_workspace(context)
    given = [read_certificate(one) for one in signed.certificates]

    def candidates(subject: bytes) -> list[bytes]:
        stored = workspace.certificates.find_by_subject(CA, subject)
        return [one.der for one in given if one.subject == subject] + [one.der for one in stored]

    def trusted(subject: bytes) -> list[bytes]:
        return [one.der for one in workspace.certificates.find_by_subject(ROOT, subject)]

    verdict = judge(certificate.der, candidates, trusted, workspace.clock())
    if verdict.outcome is not Outcome.TRUSTED:
        code = verdict.problems[0][0] if verdict.problems else HRESULT.CERT_E_CHAINING
        raise BadSignature("; ".join(text for _, text in verdict.problems) or "the signer's chain is not trusted", code)
