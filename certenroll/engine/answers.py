"""What stands in a CA's answer before anything is done with it, and certificates that are installed without a request.

Answers the questions of those who hand an answer on (which certificate is the one that was asked for?) and changes no
store, but for ``install_certificates``. Knows no objects of the model. Source: ICEnroll::getCertFromPKCS7,
ICEnroll4::getCertFromResponse and ICEnroll3::InstallPKCS7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cms import encode_certificate_bag
from certenroll.asn1.responses import Response, ResponseKind, read_response
from certenroll.engine.key_lookup import key_of
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.chains import Outcome, judge
from certenroll.stores.properties import KEY_PROV_INFO, encode_key_info

if TYPE_CHECKING:
    from certenroll.engine.installation import InstallOptions
    from certenroll.engine.workspace import Workspace

_UNSOUND = (Outcome.BAD_SIGNATURE, Outcome.INVALID)


@dataclass(frozen=True)
class AnswerContents:
    """An answer, taken apart.

    Attributes:
        certificate: DER of the certificate that was asked for, or None where the answer does not tell.
        request: the thumbprint of its outstanding request, upper-case hexadecimal, or "" where none has its key.
        others: how many further end-entity certificates stand beside it, those that it issued itself among them.
        pkcs7: the answer as a binary PKCS#7; a bare certificate is wrapped into one.
    """

    certificate: bytes | None
    request: str
    others: int
    pkcs7: bytes


def read_contents(workspace: Workspace, data: bytes, options: InstallOptions) -> AnswerContents:
    """Takes an answer apart.

    Args:
        workspace: the stores; REQUEST tells which certificate was asked for.
        data: a certificate, a PKCS#7 or a CMC full response, DER or BER.
        options: the name of the request store.

    Raises:
        DecodeError, BadSignature: as ``read_response``.
        ComError: CRYPT_E_INVALID_MSG_TYPE for a PFX.
    """
    response = _public_response(data)
    certificates = [read_certificate(der) for der in response.certificates]
    asked, request = _asked_for(workspace, certificates, options.request_store)
    if asked is None:
        ends = _ends(certificates)
        asked = ends[0] if len(ends) == 1 else None
        others = len(ends) - (asked is not None)
    else:
        others = sum(_stands_beside(one, asked, certificates) for one in certificates)
    pkcs7 = data if response.signed is not None else encode_certificate_bag(response.certificates)
    return AnswerContents(asked.der if asked is not None else None, request, others, pkcs7)


def install_certificates(workspace: Workspace, data: bytes, options: InstallOptions) -> int:
    """Puts the certificates of a message where each belongs, and touches no request.

    A self-signed CA certificate goes to ROOT, one whose private key is here to MY with that key, any other to CA.

    Args:
        workspace: the stores.
        data: a certificate or a PKCS#7, DER or BER.
        options: names of stores.

    Returns:
        how many certificates were new in their store.

    Raises:
        DecodeError, BadSignature: as ``read_response``.
        ComError: CRYPT_E_INVALID_MSG_TYPE for a PFX, TRUST_E_CERT_SIGNATURE for a root that did not sign itself; no
            store is changed.
    """
    certificates = [read_certificate(der) for der in _public_response(data).certificates]
    placed = [(*_place(workspace, one, options), one.der) for one in certificates]
    with workspace.profile.database.transaction():
        return sum(workspace.certificates.add(store, der, properties) for store, properties, der in placed)


def _public_response(data: bytes) -> Response:
    response = read_response(data)
    if response.kind is ResponseKind.PFX:
        raise ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, "a PFX is installed by IX509Enrollment.InstallResponse")
    return response


def _asked_for(
    workspace: Workspace, certificates: list[Certificate], request_store: str
) -> tuple[Certificate | None, str]:
    for certificate in certificates:
        found = workspace.certificates.find_by_public_key(request_store, certificate.public_key_info)
        if found:
            return certificate, found[0].sha1.hex().upper()
    return None, ""


def _ends(certificates: list[Certificate]) -> list[Certificate]:
    """The end-entity certificates; of CA certificates alone, those that issued no other."""
    entities = [one for one in certificates if not one.is_ca]
    return entities or [one for one in certificates if not _issued(one, certificates)]


def _issued(certificate: Certificate, certificates: list[Certificate]) -> bool:
    return any(one.issuer == certificate.subject and one is not certificate for one in certificates)


def _stands_beside(one: Certificate, asked: Certificate, certificates: list[Certificate]) -> bool:
    if one is asked:
        return False
    is_child = one.issuer == asked.subject and not one.is_self_issued
    return is_child or (not one.is_ca and not _issued(one, certificates))


def _place(workspace: Workspace, one: Certificate, options: InstallOptions) -> tuple[str, dict[int, bytes]]:
    if one.is_ca and one.is_self_issued:
        verdict = judge(one.der, [], [], workspace.clock())  # among the trusted, its own signature would not matter
        if verdict.outcome in _UNSOUND:
            raise ComError(HRESULT.TRUST_E_CERT_SIGNATURE, "a root certificate of the message is not signed by itself")
        return options.root_store, {}
    key = None if one.is_ca else key_of(workspace, one.public_key_info, my_store=options.my_store)
    if key is not None:
        return options.my_store, {KEY_PROV_INFO: encode_key_info(key)}
    return options.ca_store, {}
