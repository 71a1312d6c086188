"""The challenges of a CA that wait for their answers: one file a request, beside the CA's private keys.

    private/challenge-<request>.pending    what was asked, and the secret, encrypted for the CA's exchange certificate
    private/challenge-<request>.taken      an answer came; whether it was right is not known, and no second one is heard
    private/challenge-<request>.met        the right answer came

A step is a rename, so that of two answers one alone is heard, also where two processes serve the CA. Knows no TPM and no
policy. Source: MS-WCCE 3.2.2.6.2.1.2.6 and 3.2.2.6.2.1.2.7, which keep the same in two columns of the request's row.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from certenroll.asn1 import der, enveloped
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.attestation import Challenge, decode_credential, encode_credential
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.ca.base import CAError
from certenroll.ca.exchange import Exchange
from certenroll.ca.policy import Denied
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically

_PENDING: Final = "pending"
_TAKEN: Final = "taken"
_MET: Final = "met"
_STEPS: Final = (_PENDING, _TAKEN, _MET)
_CIPHER: Final = "aes256-cbc"


@dataclass(frozen=True)
class Asked:
    """A challenge, and DER of the exchange certificate that its answer is encrypted for."""

    challenge: Challenge = field(repr=False)
    certificate: bytes


class Challenges:
    """The challenges of the CA in a folder.

    Args:
        directory: the CA's folder.
        exchange: its exchange certificates.
    """

    def __init__(self, directory: Path, exchange: Exchange) -> None:
        self._directory = directory / "private"
        self._exchange = exchange

    def keep(self, number: int, asked: Asked, secret: bytes) -> None:
        """Keeps what a request was asked, and the secret that it has to send back."""
        one = asked.challenge
        parts = (
            der.octet_string(encode_credential(one.credential, one.encrypted_secret)),
            der.bmp_string(one.provider),
            der.oid(one.cipher),
            asked.certificate,
            enveloped.seal(secret, [asked.certificate], _CIPHER),
        )
        write_atomically(self._path(number, _PENDING), der.sequence_of(parts))

    def asked(self, number: int) -> Asked | None:
        """What a request was asked that has no answer yet; else None."""
        try:
            parts = der.children(self._path(number, _PENDING).read_bytes(), der.SEQUENCE)
        except FileNotFoundError:
            return None
        credential, provider, cipher, certificate, _ = parts
        values = (*decode_credential(der.read_octet_string(credential)), read_certificate(certificate).sha1)
        return Asked(Challenge(*values, der.read_bmp_string(provider), der.read_oid(cipher)), certificate)

    def take(self, number: int) -> bytes:
        """The secret, for the one answer that is heard.

        Raises:
            CAError: CERTSRV_E_INVALID_RESPONSE where nothing was asked or an answer was heard before.
            Denied: CERTSRV_E_EXPIRED_CHALLENGE where the exchange certificate's key is gone.
        """
        taken = self._path(number, _TAKEN)
        try:
            self._path(number, _PENDING).rename(taken)
        except FileNotFoundError:
            text = f"request {number} waits for no answer to a challenge"
            raise CAError(HRESULT.CERTSRV_E_INVALID_RESPONSE, text) from None
        return opened(der.children(taken.read_bytes(), der.SEQUENCE)[-1], self._exchange)[0]

    def meet(self, number: int) -> None:
        """Notes that the answer was right."""
        self._path(number, _TAKEN).rename(self._path(number, _MET))

    def is_met(self, number: int) -> bool:
        """Whether the right answer came."""
        return self._path(number, _MET).exists()

    def is_known(self, number: int) -> bool:
        """Whether there ever was a challenge for the request, which may be decided since."""
        return any(self._path(number, step).exists() for step in _STEPS)

    def forget(self, number: int) -> None:
        """Removes what is left of a challenge whose request is decided."""
        for step in _STEPS:
            self._path(number, step).unlink(missing_ok=True)

    def _path(self, number: int, step: str) -> Path:
        return self._directory / f"challenge-{number}.{step}"


def opened(data: bytes, exchange: Exchange) -> tuple[bytes, Certificate]:
    """(content of EnvelopedData that is encrypted for an exchange certificate of this CA, that certificate).

    Raises:
        Denied: CERTSRV_E_EXPIRED_CHALLENGE where no such certificate is here (any more), NTE_BAD_DATA where it does not
            open, CRYPT_E_ASN1_* where it is none, NTE_BAD_ALGID for a cipher that is not known.
    """
    try:
        for one in enveloped.decode(data).recipients:
            found = exchange.find(one.issuer, one.serial)
            if found is not None:
                certificate, key = found
                return enveloped.open_enveloped(data, key, certificate.der), certificate
    except (DecodeError, BadSignature, UnsupportedAlgorithm) as error:
        raise Denied(error.hresult, str(error)) from error
    text = "it is encrypted for no exchange certificate that this CA still has"
    raise Denied(HRESULT.CERTSRV_E_EXPIRED_CHALLENGE, text)
