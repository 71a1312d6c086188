"""What a certification authority answers: one frozen value from a certificate, a bag, a PFX or a CMC full response.

Recognises the kind by its structure, verifies the signatures that it can, and says what a full response says about the
request. Chooses no leaf (that takes the pending request's key) and trusts nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from certenroll.asn1 import algorithms, ber, cmc, cms, der, pfx
from certenroll.asn1.algorithms import UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.cmc_responses import PkiResponse, check_issued_hash, decode_pki_response
from certenroll.asn1.cmc_statuses import CmcStatus, Outcome
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT

PKI_DATA: Final = cmc.PKI_DATA
PKI_RESPONSE: Final = cmc.PKI_RESPONSE


class ResponseKind(Enum):
    """The forms that an answer takes."""

    CERTIFICATE = "certificate"
    CERTIFICATES = "certificates"
    PFX = "pfx"
    FULL_RESPONSE = "full response"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, taken apart.

    Attributes:
        kind: its form.
        certificates: each in DER, once, in the order in which they came; in a PFX that of the key stands first.
        parsed: the same, as they were read; nobody needs to read them again.
        crls: each in DER, once.
        private_key: the pyca key of a PFX, or None.
        signed: the SignedData of a bag or a full response, or None.
        friendly_name: the name that a PFX gives; empty otherwise.
        unchecked: signers whose signatures could not be checked, for want of their certificate or of the content, or
            because the algorithm is not known. All others fit.
        cmc: the content of a full response, or None.
    """

    kind: ResponseKind
    certificates: tuple[bytes, ...]
    parsed: tuple[Certificate, ...] = field(repr=False)
    crls: tuple[bytes, ...] = ()
    private_key: algorithms.PrivateKey | None = field(default=None, repr=False)
    signed: cms.SignedData | None = field(default=None, repr=False)
    friendly_name: str = ""
    unchecked: tuple[cms.Signer, ...] = field(default=(), repr=False)
    cmc: PkiResponse | None = field(default=None, repr=False)

    @property
    def status(self) -> CmcStatus | None:
        """The status of a full response that decides; None in every other answer, and where a full response has none."""
        return self.cmc.status if self.cmc is not None else None

    @property
    def outcome(self) -> Outcome:
        """What became of the request. An answer that says nothing about it grants it."""
        found = self.status
        return found.outcome if found is not None else Outcome.GRANTED

    def check_certificate(self, certificate: bytes) -> None:
        """Holds the leaf (DER) against the hash in a full response; other answers have none.

        Raises:
            ResponseMismatch: the response speaks of another certificate (CRYPT_E_HASH_VALUE).
        """
        if self.cmc is not None:
            check_issued_hash(self.cmc, certificate)


def read_response(data: bytes, password: str | None = None) -> Response:
    """Takes a CA's answer apart.

    Args:
        data: DER or BER; whatever text it was wrapped in is off already.
        password: opens a PFX; of no meaning to the other kinds.

    Raises:
        DecodeError: the bytes are no answer: none at all, or no certificate in them (CRYPT_E_ASN1_EOD), garbage, a
            message of another kind (CRYPT_E_INVALID_MSG_TYPE), or a full response without content (CRYPT_E_BAD_MSG).
        BadSignature: a signature that could be checked does not fit.
        WrongPassword: the password does not open the PFX.
        UnsupportedAlgorithm: the PFX uses an algorithm that is not known here.
    """
    if not data:
        raise DecodeError("an empty answer", HRESULT.CRYPT_E_ASN1_EOD)
    try:
        return _read(data, password)
    except DecodeError:
        normal = ber.to_der(data)
        if normal == data:
            raise
        return _read(normal, password)


def _read(data: bytes, password: str | None) -> Response:
    parts = der.children(data, der.SEQUENCE)
    if not parts:
        raise DecodeError("an empty answer", HRESULT.CRYPT_E_ASN1_EOD)
    if parts[0][0] == der.INTEGER and pfx.looks_like_pfx(data):
        return _from_pfx(data, password)
    if parts[0][0] == der.SEQUENCE:
        return Response(ResponseKind.CERTIFICATE, (data,), (_whole(data),))
    return _from_signed_data(cms.decode_signed_data(data))


def _whole(data: bytes) -> Certificate:
    """The certificate, once each fact that installing asks for has been read."""
    found = read_certificate(data)
    found.check_facts()
    return found


def _from_pfx(data: bytes, password: str | None) -> Response:
    opened = pfx.read_pfx(data, password)
    found = _unique([opened.certificate, *opened.chain] if opened.certificate else opened.chain)
    if not found:
        raise DecodeError("a PFX file without a certificate", HRESULT.CRYPT_E_ASN1_EOD)
    parsed = tuple(_whole(one) for one in found)
    return Response(
        ResponseKind.PFX, found, parsed, private_key=opened.private_key, friendly_name=opened.friendly_name
    )


def _from_signed_data(signed: cms.SignedData) -> Response:
    if signed.content_type == PKI_DATA:
        raise DecodeError("a request where an answer belongs", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    full = signed.content_type == PKI_RESPONSE
    if not full and not signed.certificates:
        raise DecodeError("a message without a certificate", HRESULT.CRYPT_E_ASN1_EOD)
    if full and signed.content is None:
        raise DecodeError("a full response without its content", HRESULT.CRYPT_E_BAD_MSG)
    found = _unique(signed.certificates)
    return Response(
        ResponseKind.FULL_RESPONSE if full else ResponseKind.CERTIFICATES,
        found,
        tuple(_whole(one) for one in found),
        _unique(signed.crls),
        signed=signed,
        unchecked=tuple(one for one in signed.signers if not _is_checked(signed, one)),
        cmc=decode_pki_response(signed.content) if full and signed.content is not None else None,
    )


def _unique(parts: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(parts))


def _is_checked(signed: cms.SignedData, signer: cms.Signer) -> bool:
    """Whether the signature fits; False where that cannot be found out. Raises BadSignature where it does not fit."""
    certificate = signed.certificate_of(signer)
    if certificate is None or signed.content is None:
        return False
    try:
        cms.verify_signer(signed, signer, certificate)
    except UnsupportedAlgorithm:
        return False
    return True
