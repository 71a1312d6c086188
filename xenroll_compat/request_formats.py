"""The formats of createRequest: a PKCS #10 as it is, inside a PKCS #7 that a certificate signs, or inside a CMC message.

Takes a described PKCS #10 object of certenroll and gives the object that is enrolled for; each wish of the script lands
where its format has a place for it. Knows no keys and no control. Source: ICEnroll4::createRequest; "Attribute Functions"
and "External Property Functions" of CertEnroll; MS-WCCE 3.1.1.4.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import certenroll
from certenroll import facade
from certenroll.enums import CERT_CREATE_REQUEST_FLAGS as FORMAT
from certenroll.enums import EncodingType, X509PrivateKeyVerify
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat import defaults
from xenroll_compat.request_parts import crypt_attribute, object_id

_BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_REQUESTER: Final = "requestername"

Pair = tuple[str, str]


@dataclass(frozen=True)
class Wishes:
    """What a script wants of a request besides what stands in its PKCS #10.

    Attributes:
        machine: whether it is the machine's request.
        hash: the IObjectId of the hash that signs, or None.
        client_id: the program that asks; 0 leaves it out.
        signer, renewed, archive: DER of the certificates that sign it, that it renews, that its key is archived for, or b"".
        request_pairs: names and values for the CA.
        signature_pairs: names and values that a signature covers.
        signed_attributes: ICryptAttribute objects that the signer of a PKCS #7 signs.
        has_pair_attribute: whether the script gave the PKCS #10 an attribute of names and values itself.
    """

    machine: bool
    hash: Any
    client_id: int
    signer: bytes
    renewed: bytes
    archive: bytes
    request_pairs: tuple[Pair, ...]
    signature_pairs: tuple[Pair, ...]
    signed_attributes: tuple[Any, ...]
    has_pair_attribute: bool


def formed(kind: FORMAT, request: Any, wishes: Wishes) -> Any:
    """The request object to enroll for.

    Args:
        kind: the format.
        request: an IX509CertificateRequestPkcs10 that is not encoded.
        wishes: what it is to say besides, and who signs it.

    Raises:
        ComError: CERTSRV_E_PROPERTY_EMPTY for a PKCS #7 that no certificate signs, NTE_NOT_SUPPORTED for one with a key to
            be archived; CRYPT_E_NOT_FOUND where a signer's certificate is in no store, CRYPT_E_UNEXPECTED_MSG_TYPE where its
            key is not here.
    """
    if wishes.renewed:
        request.SetRenewalCertificate(_BINARY, wishes.renewed)
    if wishes.client_id:
        request.ClientId = wishes.client_id
    else:
        request.SuppressOids.Add(object_id(defaults.CLIENT_INFO))
    made = _FORMATS[kind](request, wishes)
    if wishes.hash is not None:
        made.HashAlgorithm = wishes.hash  # a message hands it to the request inside
    return made


def signed_by(pkcs7: Any, certificate: bytes, wishes: Wishes) -> None:
    """Has a certificate's key sign a PKCS #7 request, and with it what the script wants signed.

    Args:
        pkcs7: an IX509CertificateRequestPkcs7 with its inner request.
        certificate: DER; it is in MY with its key.
        wishes: the pairs for the signature and the attributes.

    Raises:
        ComError: CRYPT_E_NOT_FOUND, CRYPT_E_UNEXPECTED_MSG_TYPE as ISignerCertificate.Initialize.
    """
    pkcs7.SignerCertificate = _signer(certificate, machine=wishes.machine)
    others = _with_requester(pkcs7, wishes.signature_pairs)
    attributes = [*wishes.signed_attributes]
    if others:
        attributes.append(_pair_attribute(others))
    if attributes:
        facade.sign_attributes(pkcs7, attributes)


def _add_to_pkcs10(request: Any, pairs: Sequence[Pair], wishes: Wishes) -> None:
    if pairs and wishes.has_pair_attribute:  # NameValuePairs stay out beside an attribute of their type
        request.CryptAttributes.Add(_pair_attribute(pairs))
    elif pairs:
        _add_pairs(request.NameValuePairs, pairs)


def _pair_attribute(pairs: Iterable[Pair]) -> Any:
    values = [facade.encode_name_value_pair(name, text) for name, text in pairs]
    return crypt_attribute(defaults.NAME_VALUE_PAIR, values)


def _add_pairs(collection: Any, pairs: Iterable[Pair]) -> None:
    for name, text in pairs:
        pair = certenroll.Dispatch("X509Enrollment.CX509NameValuePair")
        pair.Initialize(name, text)
        collection.Add(pair)


def _plain(request: Any, wishes: Wishes) -> Any:
    _add_to_pkcs10(request, (*wishes.request_pairs, *wishes.signature_pairs), wishes)
    return request


def _in_pkcs7(request: Any, wishes: Wishes) -> Any:
    if wishes.archive:
        text = "no CA takes a private key in a PKCS #7 request; ask for XECR_CMC, or clear PrivateKeyArchiveCertificate"
        raise ComError(HRESULT.NTE_NOT_SUPPORTED, text)
    certificate = wishes.signer or wishes.renewed
    if not certificate:
        text = "a certificate signs a PKCS #7 request; set SignerCertificate or RenewalCertificate, or ask for XECR_CMC"
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text)
    _add_to_pkcs10(request, wishes.request_pairs, wishes)
    made = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestPkcs7")
    made.InitializeFromInnerRequest(request)
    signed_by(made, certificate, wishes)
    return made


def _in_cmc(request: Any, wishes: Wishes) -> Any:
    made = certenroll.Dispatch("X509Enrollment.CX509CertificateRequestCmc")
    made.InitializeFromInnerRequest(request)
    if wishes.client_id:
        made.ClientId = wishes.client_id
    else:
        made.SuppressOids.Add(object_id(defaults.CLIENT_INFO))
    pairs = (*wishes.request_pairs, *_with_requester(made, wishes.signature_pairs))
    if pairs:
        _add_pairs(made.NameValuePairs, pairs)
    for certificate in dict.fromkeys(one for one in (wishes.signer, wishes.renewed) if one):
        made.SignerCertificates.Add(_signer(certificate, machine=wishes.machine))
    if wishes.archive:
        made.ArchivePrivateKey = True
        made.SetKeyArchivalCertificate(_BINARY, wishes.archive)
    return made


def _with_requester(request: Any, pairs: Iterable[Pair]) -> list[Pair]:
    """Hands RequesterName to the property that CertEnroll has for it. Gives the other pairs."""
    others = []
    for name, text in pairs:
        if name.lower() == _REQUESTER:
            request.RequesterName = text
        else:
            others.append((name, text))
    return others


def _signer(certificate: bytes, *, machine: bool) -> Any:
    signer = certenroll.Dispatch("X509Enrollment.CSignerCertificate")
    signer.Initialize(machine, X509PrivateKeyVerify.VerifyNone, _BINARY, certificate)
    return signer


# A format -> what makes a request of it.
_FORMATS: Final[dict[FORMAT, Callable[[Any, Wishes], Any]]] = {
    FORMAT.XECR_PKCS10_V2_0: _plain,
    FORMAT.XECR_PKCS10_V1_5: _plain,
    FORMAT.XECR_PKCS7: _in_pkcs7,
    FORMAT.XECR_CMC: _in_cmc,
}
