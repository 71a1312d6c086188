"""The CRL of the CA behind a certificate that came by SCEP, had from the SCEP server and verified.

The question is signed by the certificate's own key, as every later message of a SCEP client is. Keeps no CRL: whoever asks
decides what becomes of it. Source: RFC 8894 section 3.3.5.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from cryptography import x509

from certenroll.asn1 import algorithms
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.scep import MessageType, encode_issuer_and_serial
from certenroll.engine import scep_requests
from certenroll.engine.scep_exchange import build_message, judge_answer
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.errors import ComError
from certenroll.hresults import HRESULT

if TYPE_CHECKING:
    from certenroll.ca.scep.capabilities import Capabilities
    from certenroll.ca.scep.transport import ScepServer
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.certificates import StoredCertificate
    from keystores.base import Secret

_ID_SIZE: Final = 20


def fetch_crl(
    workspace: Workspace,
    stored: StoredCertificate,
    server: ScepServer,
    capabilities: Capabilities | None = None,
    pin: Secret | None = None,
) -> bytes:
    """Asks a SCEP server for the CRL of the CA that issued a certificate.

    Args:
        workspace: the stores.
        stored: a certificate of MY that came by SCEP.
        server: where its server is.
        capabilities: what the server said that it can do; it is asked where this is None.
        pin: of the key's store.

    Returns:
        the CRL in DER: the issuer's, and signed by it. Whether it is a recent one is the caller's to judge.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY where the certificate did not come by SCEP, CRYPT_E_UNEXPECTED_MSG_TYPE where its
            key is gone; the server's code where it refuses (``scep_exchange.REASONS``), CRYPT_E_NOT_FOUND where it sends no
            CRL of this CA, NTE_BAD_SIGNATURE where the CA did not sign it; and what ``judge_answer`` raises.
        CAError: the server cannot be reached or does not know the message.
        KeyStoreError: the key's store refuses.
    """
    servers, terms = scep_requests.servers_of(workspace, stored), scep_requests.terms_of(stored)
    if terms is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"the certificate {stored.sha1.hex()} did not come by SCEP")
    identity = scep_requests.identity_from(workspace, stored, pin)
    wanted = read_certificate(stored.der)
    content = encode_issuer_and_serial(wanted.issuer, wanted.serial)
    number = secrets.token_hex(_ID_SIZE)
    message, sent = build_message(MessageType.GetCRL, content, number, servers, terms, identity)
    verdict = judge_answer(server.operation(message, capabilities), servers, sent, identity)
    if verdict.disposition is not Disposition.SCEPDispositionSuccess:
        raise ComError(verdict.code or HRESULT.CRYPT_E_NOT_FOUND, verdict.text or "the server sends no CRL")
    return _crl_of(wanted.issuer, verdict.crls, (servers.ca, *servers.certificates))


def _crl_of(issuer: bytes, crls: tuple[bytes, ...], authorities: tuple[bytes, ...]) -> bytes:
    """The one of these CRLs that is the issuer's. That the server signed its message says nothing of whose CRL it brings."""
    keys = [one.public_key_info for one in map(read_certificate, authorities) if one.subject == issuer]
    found = [(crl, one) for crl, one in ((_read(data), data) for data in crls) if crl.issuer.public_bytes() == issuer]
    if not found:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the server sends no CRL of the CA that issued the certificate")
    for crl, data in found:
        if any(crl.is_signature_valid(algorithms.load_public_key(key)) for key in keys):
            return data
    raise ComError(HRESULT.NTE_BAD_SIGNATURE, "the CA did not sign the CRL that the server sends")


def _read(data: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(data)
    except ValueError as error:
        raise ComError(HRESULT.CRYPT_E_BAD_MSG, f"what the server sends is no CRL: {error}") from error
