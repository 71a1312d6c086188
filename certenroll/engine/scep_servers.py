"""Which of a SCEP server's certificates is the CA's, and which sign and decrypt for it: its registration authorities'.

What the server sent is believed no further than the thumbprint that somebody brought along, where there is one. Knows no
messages. Source: IX509SCEPEnrollment::Initialize; RFC 8894 sections 2.2 and 4.2.1.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1.algorithms import UnsupportedAlgorithm, load_public_key
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.extensions import decode_key_usage
from certenroll.enums import X509KeyUsageFlags as Usage
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.chains import ChainVerdict, Outcome, judge

_KEY_USAGE: Final = "2.5.29.15"
_SIGNS: Final = Usage.XCN_CERT_DIGITAL_SIGNATURE_KEY_USAGE | Usage.XCN_CERT_NON_REPUDIATION_KEY_USAGE
_DECRYPTS: Final = Usage.XCN_CERT_KEY_ENCIPHERMENT_KEY_USAGE | Usage.XCN_CERT_DATA_ENCIPHERMENT_KEY_USAGE

# Octets of a thumbprint -> its hash. Scripts bring MD5 ones, as the web page of Microsoft's server shows them.
_HASHES: Final[dict[int, Callable[[bytes], bytes]]] = {
    16: lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    20: lambda data: hashlib.sha1(data, usedforsecurity=False).digest(),
    32: lambda data: hashlib.sha256(data).digest(),
}
_GOOD: Final = (Outcome.TRUSTED, Outcome.INCOMPLETE)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScepServers:
    """The certificates of a SCEP server, each in DER.

    Attributes:
        ca: of the CA that issues.
        signature: whoever signs the answers.
        encryption: whom requests are encrypted for.
        certificates: all that the server sent.
        anchor: the one with the thumbprint; b"" where no thumbprint was brought along.
    """

    ca: bytes
    signature: bytes
    encryption: bytes
    certificates: tuple[bytes, ...]
    anchor: bytes = b""

    @property
    def signers(self) -> tuple[bytes, ...]:
        """Who may sign an answer: the registration authority, and the CA itself."""
        return tuple(dict.fromkeys((self.signature, self.ca)))

    def judge(self, certificate: bytes, others: Sequence[bytes], at: datetime) -> ChainVerdict:
        """Judges a certificate by what is believed here, and by nothing else.

        Args:
            certificate: in DER.
            others: certificates that came with it.
            at: the time to judge by.
        """
        return _judge(certificate, (*others, *self.certificates), self.anchor, at)

    def vouches_for(self, verdict: ChainVerdict) -> bool:
        """Whether a chain is sound and leads to the anchor (where there is none, to a certificate that the server sent)."""
        return _is_below(verdict, self.anchor)


def choose_servers(certificates: Sequence[bytes], thumbprint: bytes, at: datetime) -> ScepServers:
    """Sorts out what a server sent.

    Args:
        certificates: in DER, in any order.
        thumbprint: MD5, SHA-1 or SHA-256 of the CA's certificate, or of the root above it; empty where none is known, and
            then whoever answered is believed.
        at: the time to judge by.

    Raises:
        ComError: E_INVALIDARG for a thumbprint of another length, CRYPT_E_HASH_VALUE where no CA certificate has it,
            CRYPT_E_NOT_FOUND where the CA has a registration authority for one of both uses and none for the other, or
            there is no CA certificate, NTE_BAD_ALGID where requests cannot be encrypted for it.
        DecodeError: one of the certificates is none.
    """
    parsed = [read_certificate(one) for one in dict.fromkeys(certificates)]
    anchor = _anchor(parsed, thumbprint) if thumbprint else b""
    everything = tuple(one.der for one in parsed)
    below = {one.der: _judge(one.der, everything, anchor, at) for one in parsed}
    sound = [one for one in parsed if _is_below(below[one.der], anchor)]
    authorities = sorted((one for one in sound if not one.is_ca), key=lambda one: one.not_before, reverse=True)
    if authorities:
        signature = _of_use(authorities, _SIGNS, "signs")
        encryption = _of_use([one for one in authorities if _has_rsa_key(one)], _DECRYPTS, "decrypts")
        ca = below[encryption.der].chain[1:2] or (encryption.der,)
        return ScepServers(ca[0], signature.der, encryption.der, everything, anchor)
    own = _issuing(sound)
    if not _has_rsa_key(own):
        raise ComError(HRESULT.NTE_BAD_ALGID, "the CA has no registration authority and no RSA key to encrypt requests for")
    log.info("the SCEP server has no registration authority: its CA signs and decrypts for itself")
    return ScepServers(own.der, own.der, own.der, everything, anchor)


def _anchor(certificates: Sequence[Certificate], thumbprint: bytes) -> bytes:
    digest = _HASHES.get(len(thumbprint))
    if digest is None:
        sizes = ", ".join(str(2 * size) for size in _HASHES)
        raise ComError(HRESULT.E_INVALIDARG, f"a thumbprint has {sizes} hexadecimal digits, not {2 * len(thumbprint)}")
    found = next((one for one in certificates if digest(one.der) == thumbprint and _may_issue(one)), None)
    if found is None:
        raise ComError(
            HRESULT.CRYPT_E_HASH_VALUE, f"none of the server's CA certificates has the thumbprint {thumbprint.hex()}"
        )
    return found.der


def _may_issue(certificate: Certificate) -> bool:
    """A CA by its basic constraints, or a root of old that has none."""
    return certificate.is_ca or certificate.is_self_issued


def _judge(certificate: bytes, others: Sequence[bytes], anchor: bytes, at: datetime) -> ChainVerdict:
    """By the anchor where that is a root; else by every root that is at hand: the anchor must stand in the chain then."""
    if anchor and read_certificate(anchor).is_self_issued:
        return judge(certificate, others, (anchor,), at)
    roots = [one for one in others if read_certificate(one).is_self_issued]
    return judge(certificate, others, roots, at)


def _is_below(verdict: ChainVerdict, anchor: bytes) -> bool:
    return verdict.outcome in _GOOD and (not anchor or anchor in verdict.chain)


def _of_use(certificates: Sequence[Certificate], wanted: int, doing: str) -> Certificate:
    """The newest that may be used so. A certificate that is made for this alone comes before one for everything."""
    fitting = [(_usage(one), one) for one in certificates]
    named = [one for usage, one in fitting if usage is not None and usage & wanted]
    found = named or [one for usage, one in fitting if usage is None]
    if not found:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"no certificate of the server's registration authority {doing}")
    return found[0]


def _usage(certificate: Certificate) -> int | None:
    found = certificate.extension(_KEY_USAGE)
    return decode_key_usage(found.value) if found is not None else None


def _has_rsa_key(certificate: Certificate) -> bool:
    try:
        return isinstance(load_public_key(certificate.public_key_info), rsa.RSAPublicKey)
    except UnsupportedAlgorithm:
        return False


def _issuing(certificates: Sequence[Certificate]) -> Certificate:
    """The lowest CA: the one that issued none of the others."""
    found = [one for one in certificates if _may_issue(one)]
    issuers = {one.issuer for one in found if not one.is_self_issued}
    lowest = [one for one in found if one.subject not in issuers] or found
    if not lowest:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the server's certificates hold no CA certificate that is valid")
    return lowest[0]
