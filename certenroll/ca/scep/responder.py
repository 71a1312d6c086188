"""A SCEP server without a network: an operation and its octets in, octets out.

Reads and verifies a message, opens it, asks the enrollment desk or the CA, and builds the answer in the cipher and with the
hash that the message came in. Tables say which operations there are, which messages, and what a disposition is called.
Knows no socket and no HTTP.

Source: RFC 8894 sections 3 and 4.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1 import algorithms, content_ciphers, enveloped, scep
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.attributes import PRINTABLE
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.scep import FailInfo, MessageType, PkiMessage, PkiStatus
from certenroll.ca import certificates as folder
from certenroll.ca.base import Answer, CAError, Disposition
from certenroll.ca.issuing import RandomBytes
from certenroll.ca.local import Clock, LocalCA, utc_now
from certenroll.ca.scep.enrolling import Enrolled, EnrollmentDesk, read_request
from certenroll.ca.scep.refusals import Refusal, fail_info_of, unreadable
from certenroll.ca.scep.registration_authority import OwnKeys, Pair, RegistrationAuthority, ServerKeys
from certenroll.ca.scep.settings import ScepSettings
from certenroll.hresults import HRESULT

_ANSWER_HASH: Final = "sha256"  # where the message's own is none that may be used
_NONCE_SIZE: Final = 16
_LONGEST_NAME: Final = 1024  # characters of a transaction id
_LONGEST_NONCE: Final = 1024

TEXT: Final = "text/plain"
PKI_MESSAGE: Final = "application/x-pki-message"
CA_CERTIFICATE: Final = "application/x-x509-ca-cert"
CA_AND_RA: Final = "application/x-x509-ca-ra-cert"

_STATUSES: Final = {
    Disposition.ISSUED: PkiStatus.SUCCESS,
    Disposition.ISSUED_OUT_OF_BAND: PkiStatus.SUCCESS,
    Disposition.UNDER_SUBMISSION: PkiStatus.PENDING,
}


class Unanswerable(ValueError):
    """Octets to which there is no SCEP answer: nobody can be told of which transaction it would be.

    Attributes:
        hresult: what is wrong with them, unsigned.
    """

    def __init__(self, message: str, hresult: int) -> None:
        super().__init__(message)
        self.hresult: Final = int(hresult)


@dataclass(frozen=True)
class Reply:
    """What an operation is answered with.

    Attributes:
        content_type: the media type of the body.
        body: its octets.
        told: a line for a log: no secret is in it, but what strangers say is.
    """

    content_type: str
    body: bytes
    told: str


@dataclass(frozen=True)
class _Message:
    """A message that was verified: who signed it, and the cipher of its envelope, which is not opened yet."""

    message: PkiMessage
    signer: Certificate
    cipher: str


@dataclass(frozen=True)
class _Outcome:
    """What a message is answered with: a status, what a success brings, why a failure is one, and the CA's number of it."""

    status: PkiStatus
    certificates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    fail_info: FailInfo | None = None
    text: str = ""
    password: str = field(default="", repr=False)
    number: str = ""


class ScepResponder:
    """The SCEP server of the CA in a folder.

    Args:
        directory: the CA's folder.
        settings: how it answers.
        clock: gives the time, in UTC.
        random: gives that many random bytes.

    Raises:
        CAError: there is no CA, or its key opens no messages and there is no registration authority (NTE_BAD_KEY).
    """

    def __init__(
        self,
        directory: Path,
        settings: ScepSettings | None = None,
        clock: Clock = utc_now,
        random: RandomBytes = os.urandom,
    ) -> None:
        self.settings = settings or ScepSettings()
        self._ca = LocalCA(directory, clock, random)
        self._random = random
        issuer = folder.load_issuer(directory, self._ca.facts, folder.ISSUING)
        has_authority = self.settings.registration_authority
        self._keys: ServerKeys = (
            RegistrationAuthority(directory, issuer, clock, random) if has_authority else OwnKeys(issuer)
        )
        self._desk = EnrollmentDesk(self._ca, directory, self.settings.rules, clock, random)

    @property
    def config(self) -> str:
        """``host\\name`` of the CA."""
        return self._ca.config

    def operate(self, operation: str, message: bytes = b"") -> Reply | None:
        """Carries out an operation of RFC 8894 section 4.1.

        Args:
            operation: its name, as the URL has it.
            message: a pkiMessage in DER or BER for PKIOperation. Others need none: there is one CA here.

        Returns:
            the answer; None for an operation that is not known, and for GetNextCACert, because no next CA is there.

        Raises:
            Unanswerable: the message is none, or does not say of which transaction it is.
            CAError: the CA cannot sign, or its files are malformed.
        """
        found = _OPERATIONS.get(operation)
        return found(self, message) if found is not None else None

    def close(self) -> None:
        """Closes the databases; the next use opens them again."""
        self._ca.close()
        self._desk.close()

    def _capabilities(self, _: bytes) -> Reply:
        text = "".join(f"{word}\n" for word in self.settings.words)
        return Reply(TEXT, text.encode("ascii", "replace"), "GetCACaps")

    def _certificates(self, _: bytes) -> Reply:
        """One certificate in DER where one is all; else all of them, those of the registration authority first."""
        found = (*self._keys.certificates(), *self._ca.certificates())
        if len(found) == 1:
            return Reply(CA_CERTIFICATE, found[0], "GetCACert")
        return Reply(CA_AND_RA, scep.degenerate(found), "GetCACert")

    # Messages ---------------------------------------------------------------------------------------------------------

    def _operate(self, data: bytes) -> Reply:
        message = _decoded(data)
        cipher = ""
        try:
            asked = self._verified(message)
            cipher = asked.cipher
            outcome = self._outcome(asked)
            sealed = self._sealed(asked, outcome) if outcome.status is PkiStatus.SUCCESS else None
        except Refusal as refusal:
            outcome, sealed = _Outcome(PkiStatus.FAILURE, fail_info=refusal.fail_info, text=str(refusal)), None
        return Reply(PKI_MESSAGE, self._built(message, outcome, sealed), _told(message, outcome, cipher))

    def _verified(self, message: PkiMessage) -> _Message:
        self._check_hashes(message)
        try:
            signer = read_certificate(scep.verify(message, message.certificates))
        except BadSignature as error:
            raise Refusal(FailInfo.badMessageCheck, f"the message is not what was signed: {error}") from error
        except (DecodeError, UnsupportedAlgorithm) as error:
            raise Refusal(fail_info_of(error.hresult), f"the message cannot be verified: {error}") from error
        return _Message(message, signer, self._cipher(message))

    def _check_hashes(self, message: PkiMessage) -> None:
        (signer,) = message.signed.signers
        try:
            own = algorithms.read_algorithm(signer.signature_algorithm).hash_name
        except (DecodeError, UnsupportedAlgorithm) as error:
            raise Refusal(FailInfo.badAlg, str(error)) from error
        weak = next((name for name in (message.digest, own) if name and name not in self.settings.hashes), "")
        if weak:
            raise Refusal(FailInfo.badAlg, f"messages signed with {weak} are not taken here")

    def _cipher(self, message: PkiMessage) -> str:
        try:
            cipher = content_ciphers.cipher_of(enveloped.decode(message.enveloped or b"").cipher).name
        except UnsupportedAlgorithm as error:
            raise Refusal(FailInfo.badAlg, str(error)) from error
        except DecodeError as error:
            raise unreadable() from error
        if cipher not in self.settings.ciphers:
            raise Refusal(FailInfo.badAlg, f"messages encrypted with {cipher} are not taken here")
        return cipher

    def _opened(self, asked: _Message) -> bytes:
        """What was encrypted."""
        data = asked.message.enveloped or b""
        try:
            pair = self._recipient(enveloped.decode(data))
            return enveloped.open_enveloped(data, pair.key, pair.certificate.der)
        except UnsupportedAlgorithm as error:  # of the key's transport, which everybody sees
            raise Refusal(FailInfo.badAlg, str(error)) from error
        except (DecodeError, BadSignature) as error:
            raise unreadable() from error

    def _recipient(self, found: enveloped.EnvelopedData) -> Pair:
        for pair in self._keys.opening():
            if any(one.is_named_by(pair.certificate) for one in found.recipients):
                return pair
        raise Refusal(FailInfo.badMessageCheck, "the message is encrypted for another server: get its certificate anew")

    def _outcome(self, asked: _Message) -> _Outcome:
        answer = _MESSAGES.get(asked.message.message_type)
        if answer is None:
            raise Refusal(FailInfo.badRequest, f"messages of type {asked.message.message_type} are not taken here")
        return answer(self, asked)

    # What messages ask ------------------------------------------------------------------------------------------------

    def _enroll(self, asked: _Message) -> _Outcome:
        request = read_request(self._opened(asked))
        _check_can_be_answered(asked.signer, request.challenge)
        message = asked.message
        return _outcome_of(self._desk.enroll(message.message_type, message.transaction_id, asked.signer, request))

    def _poll(self, asked: _Message) -> _Outcome:
        """Transaction and key say it all. The envelope is left shut: it would tell who polls what is in another's."""
        return _outcome_of(self._desk.poll(asked.message.transaction_id, asked.signer))

    def _certificate(self, asked: _Message) -> _Outcome:
        issuer, serial = self._named(asked)
        if issuer != read_certificate(self._ca.certificates()[0]).subject:
            raise _unnamed()
        try:
            found = self._ca.find_serial(serial)
        except CAError as error:
            if error.hresult != HRESULT.CERTSRV_E_NO_REQUEST:
                raise
            raise _unnamed() from error
        if found.certificate is None:
            raise _unnamed()
        return _Outcome(PkiStatus.SUCCESS, (found.certificate,), number=found.request_id)

    def _crl(self, asked: _Message) -> _Outcome:
        """The CRL of whoever issued a certificate; whether there is one of that number does not matter."""
        issuer, _ = self._named(asked)
        names = [read_certificate(one).subject for one in self._ca.certificates()]
        if issuer not in names:
            raise _unnamed()
        return _Outcome(PkiStatus.SUCCESS, crls=(self._ca.crls()[names.index(issuer)],))

    def _named(self, asked: _Message) -> tuple[bytes, int]:
        """The issuer and the serial number that an envelope holds."""
        _check_can_be_answered(asked.signer, "")
        try:
            return scep.decode_issuer_and_serial(self._opened(asked))
        except (DecodeError, Refusal) as error:
            raise _unnamed() from error

    # Answers ----------------------------------------------------------------------------------------------------------

    def _sealed(self, asked: _Message, outcome: _Outcome) -> bytes:
        content = scep.degenerate(outcome.certificates, outcome.crls)
        key = algorithms.load_public_key(asked.signer.public_key_info)
        if isinstance(key, rsa.RSAPublicKey):
            return enveloped.seal(content, (asked.signer.der,), asked.cipher, random=self._random)
        _check_can_be_answered(asked.signer, outcome.password)
        return enveloped.seal_with_password(content, outcome.password, asked.cipher, random=self._random)

    def _built(self, message: PkiMessage, outcome: _Outcome, sealed: bytes | None) -> bytes:
        pair = self._keys.signing()
        return scep.build_message(
            MessageType.CertRep,
            sealed,
            transaction_id=message.transaction_id,
            sender_nonce=self._random(_NONCE_SIZE),
            recipient_nonce=message.sender_nonce,
            private_key=pair.key,
            certificate=pair.certificate.der,
            hash_name=message.digest if message.digest in self.settings.hashes else _ANSWER_HASH,
            status=outcome.status,
            fail_info=outcome.fail_info,
            fail_info_text=outcome.text,
            empty_content=True,
        )


_OPERATIONS: Final[dict[str, Callable[[ScepResponder, bytes], Reply]]] = {
    "GetCACaps": ScepResponder._capabilities,
    "GetCACert": ScepResponder._certificates,
    "PKIOperation": ScepResponder._operate,
}
_MESSAGES: Final[dict[int, Callable[[ScepResponder, _Message], _Outcome]]] = {
    MessageType.PKCSReq: ScepResponder._enroll,
    MessageType.RenewalReq: ScepResponder._enroll,
    MessageType.CertPoll: ScepResponder._poll,
    MessageType.GetCert: ScepResponder._certificate,
    MessageType.GetCRL: ScepResponder._crl,
}


def _decoded(data: bytes) -> PkiMessage:
    try:
        message = scep.decode(data)
    except (DecodeError, UnsupportedAlgorithm) as error:
        raise Unanswerable(f"no SCEP message: {error}", error.hresult) from error
    name = message.transaction_id
    if not 0 < len(name) <= _LONGEST_NAME or not PRINTABLE.issuperset(name):
        text = f"a transaction has a name of 1 to {_LONGEST_NAME} characters of a PrintableString"
        raise Unanswerable(text, HRESULT.CRYPT_E_INVALID_PRINTABLE_STRING)
    if len(message.sender_nonce) > _LONGEST_NONCE:
        raise Unanswerable("the sender nonce is too long", HRESULT.CRYPT_E_ASN1_LARGE)
    return message


def _outcome_of(enrolled: Enrolled) -> _Outcome:
    answer = enrolled.answer
    status = _STATUSES.get(answer.disposition, PkiStatus.FAILURE)
    if status is PkiStatus.FAILURE:
        return _Outcome(status, fail_info=fail_info_of(answer.status), text=answer.message, number=answer.request_id)
    certificates = _issued(answer) if status is PkiStatus.SUCCESS else ()
    return _Outcome(status, certificates, password=enrolled.challenge, number=answer.request_id)


def _issued(answer: Answer) -> tuple[bytes, ...]:
    """The certificate alone: DER sorts a message's certificates, and scepclient takes the first one for its own."""
    return (answer.certificate,) if answer.certificate is not None else ()


def _unnamed() -> Refusal:
    """One refusal for a question that names nothing and for one that cannot be read: see ``refusals.unreadable``."""
    return Refusal(FailInfo.badCertId, "the message does not open, or names no certificate of this CA")


def _check_can_be_answered(signer: Certificate, password: str) -> None:
    """A key that only signs is answered under the challenge password (RFC 8894 section 3.1)."""
    try:
        key = algorithms.load_public_key(signer.public_key_info)
    except (DecodeError, UnsupportedAlgorithm) as error:
        raise Refusal(FailInfo.badAlg, str(error)) from error
    if not isinstance(key, rsa.RSAPublicKey) and not password:
        text = "nothing is encrypted for this kind of key: use an RSA key, or a challenge password"
        raise Refusal(FailInfo.badAlg, text)


def _told(message: PkiMessage, outcome: _Outcome, cipher: str) -> str:
    names = {int(one): one.name for one in MessageType}
    parts = [names.get(message.message_type, f"type {message.message_type}"), message.transaction_id]
    parts += [part for part in (message.digest, cipher) if part]
    parts += [outcome.status.name, f"request {outcome.number}" if outcome.number else ""]
    parts += [outcome.fail_info.name if outcome.fail_info is not None else "", outcome.text]
    return " ".join(part for part in parts if part)
