"""Renewals: a request whose message says which certificate it renews, and whose old key has to prove it.

Knows the CA's ledger and no policy. Source: MS-WCCE 3.1.1.4.3.1.3 and 3.1.1.4.3.2 (PKCS #7 and CMC renewals).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from certenroll.asn1 import extensions
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.ca.incoming import Incoming
from certenroll.ca.policy import Denied
from certenroll.ca.proofs import Ledger, check_in_force
from certenroll.hresults import HRESULT

_EMPTY_NAME: Final = b"\x30\x00"


def proven(incoming: Incoming, ledger: Ledger, moment: datetime) -> Incoming:
    """The request with what the certificate that it renews says in the place of what it leaves out: the subject, the
    alternative names and the template, each for itself.

    Args:
        incoming: any request; one that renews nothing comes back as it is.
        ledger: what the CA knows.
        moment: the time.

    Raises:
        Denied: CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE where that certificate is not from this CA, cannot be read, or its key
            signed nothing; CRYPT_E_REVOKED and CERT_E_EXPIRED.
    """
    if incoming.renewed is None:
        return incoming
    try:
        old = read_certificate(incoming.renewed)
        if ledger(old.der) is None:
            raise _bad("the certificate to be renewed is not from this CA")
        if not _signed_by(incoming, old):
            raise _bad("the key of the certificate to be renewed did not sign the request")
        record = check_in_force(old, ledger, moment)
        return _completed(incoming, old, record.template)
    except DecodeError as error:
        raise _bad(str(error)) from error


def _signed_by(incoming: Incoming, old: Certificate) -> bool:
    """Also where the new key is the old one, which then signs as the request's own."""
    key = old.public_key_info
    own = incoming.key_signed and incoming.public_key_info == key
    return own or any(one.public_key_info == key for one in incoming.signers)


def _completed(incoming: Incoming, old: Certificate, template: str) -> Incoming:
    templates = incoming.templates or ((template,) if template else ())
    subject = incoming.subject if incoming.subject != _EMPTY_NAME else old.subject
    names = old.extension(extensions.SUBJECT_ALTERNATIVE_NAME)
    asked = incoming.extensions
    if names is not None and incoming.extension(names.oid) is None:
        asked = (*asked, names)
    return replace(incoming, subject=subject, extensions=asked, templates=templates)


def _bad(text: str) -> Denied:
    return Denied(HRESULT.CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE, text)
