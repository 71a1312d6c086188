"""Refusals of a SCEP server, and which failInfo says what a Windows result code says.

Knows no message and no request. Source: RFC 8894 section 3.2.1.4.
"""

from __future__ import annotations

from typing import Final

from certenroll.asn1.scep_attributes import FailInfo
from certenroll.hresults import HRESULT

# Everything that is not here is badRequest: the transaction is not permitted.
_FAIL_INFOS: Final[dict[int, FailInfo]] = {
    HRESULT.NTE_BAD_ALGID: FailInfo.badAlg,
    HRESULT.NTE_BAD_SIGNATURE: FailInfo.badMessageCheck,
    HRESULT.NTE_BAD_DATA: FailInfo.badMessageCheck,
    HRESULT.CRYPT_E_HASH_VALUE: FailInfo.badMessageCheck,
    HRESULT.CRYPT_E_SIGNER_NOT_FOUND: FailInfo.badMessageCheck,
    HRESULT.CRYPT_E_AUTH_ATTR_MISSING: FailInfo.badMessageCheck,
    HRESULT.CERT_E_UNTRUSTEDROOT: FailInfo.badMessageCheck,
    HRESULT.CERT_E_EXPIRED: FailInfo.badTime,
    HRESULT.CERTSRV_E_NO_REQUEST: FailInfo.badCertId,
}


class Refusal(Exception):
    """A SCEP server refuses what a message asks for; the requester reads it as a FAILURE.

    Attributes:
        fail_info: why.
    """

    def __init__(self, fail_info: FailInfo, message: str) -> None:
        self.fail_info: Final = fail_info
        super().__init__(message)


def fail_info_of(hresult: int) -> FailInfo:
    """The failInfo for a result code, unsigned."""
    return _FAIL_INFOS.get(hresult, FailInfo.badRequest)


def unreadable() -> Refusal:
    """One refusal for whatever is wrong with what an envelope holds, as long as nobody proved that it is whole.

    Envelopes are not authenticated: who sends one again with some octets changed, under a signature of their own, and learns
    whether the padding was right or what is inside, reads all of it in time; and the challenge is inside.
    """
    text = "the envelope does not open with this server's key, or does not hold what the message says"
    return Refusal(FailInfo.badMessageCheck, text)
