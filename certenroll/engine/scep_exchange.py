"""One SCEP message out, one in: sealed and signed for a server; and an answer judged before anything of it is believed.

An answer counts only where the server signed it, where it belongs to the transaction, and where it repeats the nonce of
what was asked. Knows no stores, no HTTP and no objects of the model. Source: RFC 8894 section 3; IX509SCEPEnrollment's
X509SCEPDisposition and X509SCEPFailInfo.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1 import scep
from certenroll.asn1.der import DecodeError, read_string
from certenroll.asn1.enveloped import open_enveloped, seal
from certenroll.asn1.scep import MessageType, PkiMessage
from certenroll.ca.scep.capabilities import Capabilities
from certenroll.engine.scep_servers import ScepServers
from certenroll.enums import X509SCEPDisposition as Disposition
from certenroll.enums import X509SCEPFailInfo as FailInfo
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm, KeyInfo, KeyUse, PrivateKey

CHALLENGE_ANSWER: Final = 41  # SCEPMessageClaimChallengeAnswer; Microsoft's own, as is the disposition it answers
_SCEP_ERROR: Final = "1.3.6.1.4.1.311.21.33"  # szOID_ENROLL_SCEP_ERROR: the server's words, before RFC 8894 had an attribute
_NONCE_SIZE: Final = 16
_MOST_TEXT: Final = 4096  # characters of a server's words that are kept
_CODE: Final = re.compile(r"0x([89a-fA-F][0-9a-fA-F]{7})\b")

# Why a server refused -> the code that IX509EnrollmentStatus reports, and our sentence for where the server has none.
REASONS: Final[dict[int, tuple[HRESULT, str]]] = {
    FailInfo.SCEPFailBadAlgorithm: (HRESULT.NTE_BAD_ALGID, "the server does not know an algorithm of the request"),
    FailInfo.SCEPFailBadMessageCheck: (HRESULT.NTE_BAD_SIGNATURE, "the server found the message damaged or wrongly signed"),
    FailInfo.SCEPFailBadRequest: (HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, "the server does not permit the request"),
    FailInfo.SCEPFailBadTime: (HRESULT.CERT_E_EXPIRED, "the server's clock and this one are too far apart"),
    FailInfo.SCEPFailBadCertId: (HRESULT.CERTSRV_E_NO_REQUEST, "the server knows no such certificate or request"),
    FailInfo.SCEPFailUnknown: (HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, "the server refuses and does not say why"),
}


@dataclass(frozen=True)
class Terms:
    """What messages are encrypted and signed with.

    Attributes:
        cipher: a name of ``asn1.enveloped``.
        hash_name: a name of ``asn1.algorithms``.
        renewal: whether the server knows RenewalReq.
    """

    cipher: str
    hash_name: str
    renewal: bool

    @classmethod
    def of(cls, capabilities: Capabilities, *, legacy: bool) -> Terms:
        """The best that a server takes. Raises CAError NTE_BAD_ALGID where that is not good enough."""
        return cls(capabilities.cipher(legacy=legacy), capabilities.hash_name(legacy=legacy), capabilities.renewal)


@dataclass(frozen=True)
class Identity:
    """Who signs the messages of a transaction, and whom its answers are encrypted for.

    Attributes:
        certificate: in DER: made for the transaction by its own key, or the one that is renewed.
        private_key: its key, wherever it lives.
    """

    certificate: bytes
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True)
class Sent:
    """What is remembered of a message until its answer comes.

    Attributes:
        message_type: what was asked.
        transaction_id: of which transaction.
        nonce: what the answer must repeat.
    """

    message_type: int
    transaction_id: str
    nonce: bytes


@dataclass(frozen=True)
class Verdict:
    """What an answer says.

    Attributes:
        disposition: what became of what was asked.
        fail_info: why it was refused; SCEPFailUnknown where it was not, or the server does not say.
        text: the server's words, or ours where it has none.
        code: result code of a refusal, unsigned; 0 where there is none.
        certificates, crls: what it brings, each in DER.
        content: what else it brings: a challenge.
    """

    disposition: Disposition
    fail_info: FailInfo = FailInfo.SCEPFailUnknown
    text: str = ""
    code: int = 0
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    content: bytes = field(default=b"", repr=False)


def check_key(algorithm: KeyAlgorithm, use: KeyUse = KeyUse.ALL, store: str = "") -> None:
    """Makes sure that a key can open what a SCEP server sends.

    Args:
        algorithm: of the key, made or to be made.
        use: what it may do.
        store: where it is. Software opens with an RSA key whatever its use is said to be; a device does not.

    Raises:
        ComError: NTE_BAD_KEY where it cannot.
    """
    if algorithm is not KeyAlgorithm.RSA:
        text = "a SCEP answer is encrypted for the request's key, and only an RSA key decrypts: choose RSA"
        raise ComError(HRESULT.NTE_BAD_KEY, text)
    if KeyUse.DECRYPT not in use and store in ("tpm", "smartcard"):
        text = f"a SCEP answer is encrypted for the request's key, and this key of the {store} may only sign: clear KeyUsage"
        raise ComError(HRESULT.NTE_BAD_KEY, text)


def check_held_key(info: KeyInfo) -> None:
    """As ``check_key``, of a key in hand."""
    check_key(info.algorithm, info.use, info.store)


def build_message(
    message_type: int, content: bytes, transaction_id: str, servers: ScepServers, terms: Terms, identity: Identity
) -> tuple[bytes, Sent]:
    """A message to the server, in DER, and what must be remembered of it.

    Args:
        message_type: a MessageType, or CHALLENGE_ANSWER.
        content: what only the server shall read: a PKCS#10, names, a serial number.
        transaction_id: a PrintableString.
        servers: whom to encrypt for.
        terms: cipher and hash.
        identity: who signs.

    Raises:
        UnsupportedAlgorithm: the key does not sign with that hash.
        KeyStoreError: the key's store refuses.
    """
    sent = Sent(int(message_type), transaction_id, secrets.token_bytes(_NONCE_SIZE))
    message = scep.build_message(
        message_type,
        seal(content, (servers.encryption,), terms.cipher),
        transaction_id=transaction_id,
        sender_nonce=sent.nonce,
        private_key=identity.private_key,
        certificate=identity.certificate,
        hash_name=terms.hash_name,
    )
    return message, sent


def judge_answer(data: bytes, servers: ScepServers, sent: Sent, identity: Identity) -> Verdict:
    """Reads an answer and makes sure that it is the server's, and the one to what was sent.

    Args:
        data: DER or BER.
        servers: who may sign.
        sent: what was asked.
        identity: who decrypts.

    Raises:
        BadSignature: the server did not sign it as it stands, or what it encrypted cannot be opened.
        DecodeError: it is no SCEP message, or no answer (CRYPT_E_INVALID_MSG_TYPE).
        ComError: CRYPT_E_NO_MATCH where it belongs to another transaction, NTE_BAD_DATA where it does not repeat the nonce,
            CRYPT_E_BAD_MSG where it grants and brings no certificate.
        UnsupportedAlgorithm: an algorithm that is not known here.
        KeyStoreError: the key's store refuses.
    """
    message = scep.decode(data)
    scep.verify(message, servers.signers)
    _check_exchange(message, sent)
    try:
        disposition = Disposition(message.status if message.status is not None else Disposition.SCEPDispositionUnknown)
    except ValueError:
        disposition = Disposition.SCEPDispositionUnknown
    if disposition is Disposition.SCEPDispositionFailure:
        return _refusal(message)
    text = _words_of(message)
    if disposition is Disposition.SCEPDispositionSuccess:
        certificates, crls = scep.read_degenerate(_open(message, identity))
        if not certificates and not crls:
            raise ComError(HRESULT.CRYPT_E_BAD_MSG, "the server grants the request and sends no certificate")
        return Verdict(disposition, text=text, certificates=certificates, crls=crls)
    if disposition is Disposition.SCEPDispositionPendingChallenge and message.enveloped:
        return Verdict(disposition, text=text, content=_open(message, identity))
    return Verdict(disposition, text=text)


def can_retry(verdict: Verdict) -> bool:
    """Whether a refusal is about the message and not about the request: another message may fare better."""
    return verdict.fail_info in (
        FailInfo.SCEPFailBadAlgorithm,
        FailInfo.SCEPFailBadMessageCheck,
        FailInfo.SCEPFailBadTime,
    )


def _check_exchange(message: PkiMessage, sent: Sent) -> None:
    if message.message_type != MessageType.CertRep:
        raise DecodeError(f"a message of type {message.message_type} is no answer", HRESULT.CRYPT_E_INVALID_MSG_TYPE)
    if message.transaction_id != sent.transaction_id:
        raise ComError(HRESULT.CRYPT_E_NO_MATCH, "the answer belongs to another transaction")
    if not hmac.compare_digest(message.recipient_nonce, sent.nonce):
        raise ComError(HRESULT.NTE_BAD_DATA, "the answer does not repeat the nonce of what was asked; it may be an old one")


def _refusal(message: PkiMessage) -> Verdict:
    known = message.fail_info in set(FailInfo)
    reason = FailInfo(message.fail_info) if known and message.fail_info is not None else FailInfo.SCEPFailUnknown
    code, sentence = REASONS[reason]
    text = _words_of(message)
    named = _CODE.search(text)  # Microsoft's server writes the code of its CA into the text
    return Verdict(
        Disposition.SCEPDispositionFailure,
        reason,
        text or sentence,
        int(named[1], 16) if named else int(code),
    )


def _words_of(message: PkiMessage) -> str:
    """What the server says in words; an attribute that cannot be read as words says nothing."""
    return (message.fail_info_text or _microsofts_words(message))[:_MOST_TEXT]


def _microsofts_words(message: PkiMessage) -> str:
    (signer,) = message.signed.signers
    for value in signer.signed_values(_SCEP_ERROR):
        try:
            return read_string(value)
        except DecodeError:
            continue
    return ""


def _open(message: PkiMessage, identity: Identity) -> bytes:
    if not isinstance(identity.private_key, rsa.RSAPrivateKey):
        raise ComError(HRESULT.NTE_BAD_KEY, "the key that signed the request cannot decrypt the answer")
    if not message.enveloped:
        raise ComError(HRESULT.CRYPT_E_BAD_MSG, "the answer brings nothing")
    return open_enveloped(message.enveloped, identity.private_key, identity.certificate)

