"""Who may have a certificate by SCEP, and which request of the CA a transaction is.

A first request is signed by the key that it is about, and proves by a challenge that it may ask. A renewal is signed by a
certificate of this CA that is in force, and needs no challenge as long as it asks for no more than that certificate has. The
rest is the CA's policy. Knows no message and no encryption.

Source: RFC 8894 sections 2.3 to 2.5, 3.3.1 to 3.3.3 and 4.3.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from certenroll.asn1 import attributes, der, pkcs10
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.certificates import Certificate, read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pkcs10 import CertificationRequest
from certenroll.asn1.scep_attributes import FailInfo, MessageType
from certenroll.ca import incoming
from certenroll.ca.base import Answer, CAError, Disposition, Submission
from certenroll.ca.database import Database, Row
from certenroll.ca.incoming import BadRequest, Incoming
from certenroll.ca.issuing import RandomBytes
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Denied
from certenroll.ca.proofs import Record, check_in_force
from certenroll.ca.scep import renewals
from certenroll.ca.scep.challenges import ChallengePasswords
from certenroll.ca.scep.refusals import Refusal, fail_info_of, unreadable
from certenroll.ca.scep.settings import ScepRules
from certenroll.ca.scep.transactions import Kept, Transaction, Transactions, transaction_of
from keystores.locks import file_lock

_EMPTY_NAME: Final = b"\x30\x00"
_REFUSED: Final = (Disposition.DENIED, Disposition.ERROR)
_ENDING: Final = (Disposition.ISSUED, Disposition.REVOKED)
_LOCK: Final = ".scep.lock"


@dataclass(frozen=True)
class Enrolled:
    """What became of a request.

    Attributes:
        answer: the CA's.
        challenge: that of the request, which also encrypts for a key that only signs; empty where it had none.
    """

    answer: Answer
    challenge: str = field(repr=False)


@dataclass(frozen=True)
class Asked:
    """A request that its own key signed.

    Attributes:
        request: the PKCS #10 request in DER.
        incoming: what the CA reads in it.
        challenge: its challenge; empty where it has none.
        renewed: the certificate that it renews; None for a first request.
        template: the name of that one's template; empty for none.
    """

    request: bytes
    incoming: Incoming
    challenge: str = field(repr=False)
    renewed: Certificate | None = None
    template: str = ""


class EnrollmentDesk:
    """Takes the requests that come by SCEP to the CA in a folder.

    Args:
        ca: the CA.
        directory: its folder.
        rules: what is asked of requests.
        clock: gives the time, in UTC.
        random: gives that many random bytes.
    """

    def __init__(
        self, ca: LocalCA, directory: Path, rules: ScepRules, clock: Callable[[], datetime], random: RandomBytes
    ) -> None:
        self._ca = ca
        self._directory = directory
        self._rules = rules
        self._clock = clock
        self._database = Database(directory)
        self._challenges = ChallengePasswords(self._database, clock, random)
        self._transactions = Transactions(self._database)

    def enroll(self, message_type: int, name: str, signer: Certificate, asked: Asked) -> Enrolled:
        """Takes a request, or says what became of it where it is sent again.

        Args:
            message_type: PKCSReq or RenewalReq.
            name: the transaction id.
            signer: the certificate whose key signed the message.
            asked: what ``read_request`` gave.

        Raises:
            Refusal: nobody proved that this may be asked for.
            CAError: the CA cannot sign, or its files are malformed.
        """
        asked = self._proven(message_type, signer, asked)
        transaction = transaction_of(name, signer.public_key_info, asked.renewed.der if asked.renewed else None)
        challenge = self._challenges.match(asked.challenge)
        with file_lock(self._directory / "private" / _LOCK):
            kept = self._transactions.find(transaction)
            answer = self._state(transaction, kept, asked.request) if kept is not None else None
            if answer is None:
                if kept is None or kept.request_id is not None or kept.request != _digest(asked.request):
                    self._open(transaction, asked, challenge)
                answer = self._submit(transaction, asked)
        return Enrolled(answer, asked.challenge)

    def poll(self, name: str, signer: Certificate) -> Enrolled:
        """What became of a transaction. Its name and the key that signs are what proves whose it is.

        Args:
            name: the transaction id.
            signer: the certificate whose key signed the message.

        Raises:
            Refusal: badCertId where that key has no transaction of this name.
        """
        transaction = transaction_of(name, signer.public_key_info)
        kept = self._transactions.latest(transaction)
        if kept is None or kept.request_id is None:
            raise Refusal(FailInfo.badCertId, "this server has no such transaction of that key: send the request again")
        request = self._database.get(kept.request_id).request
        return Enrolled(self._ca.retrieve(str(kept.request_id)), _challenge_of(pkcs10.decode(request)))

    def close(self) -> None:
        """Closes the database; the next use opens it again."""
        self._database.close()

    # Who asks ---------------------------------------------------------------------------------------------------------

    def _proven(self, message_type: int, signer: Certificate, asked: Asked) -> Asked:
        own_key = signer.public_key_info == asked.incoming.public_key_info
        try:
            record = check_in_force(signer, self._record, self._clock())
        except Denied as denial:
            if message_type == MessageType.RenewalReq:
                raise Refusal(fail_info_of(denial.hresult), f"the renewal proves nothing: {denial}") from denial
            if not own_key:
                text = "a first request is signed by its own key, a renewal by a certificate of this CA that is in force"
                raise Refusal(FailInfo.badMessageCheck, text) from denial
            return asked
        return replace(asked, renewed=signer, template=record.template)

    def _record(self, certificate: bytes) -> Record | None:
        row = self._issued(read_certificate(certificate))
        return Record(row.disposition, row.template) if row is not None else None

    def _issued(self, certificate: Certificate) -> Row | None:
        """The request that a certificate was issued for; None for one that is not from here, octet for octet."""
        try:
            row = self._database.by_serial(certificate.serial)
        except CAError:
            return None
        return row if row.certificate == certificate.der else None

    def _permitted(self, asked: Asked, challenge: int | None) -> Callable[[sqlite3.Connection], None]:
        """What uses the challenge up in the transaction that notes the request. Raises Refusal where nothing permits it."""
        wider = _beyond(asked)
        if not self._rules.challenge or (asked.renewed is not None and not wider):
            return lambda connection: None
        if challenge is None:
            raise Refusal(FailInfo.badRequest, _why_not(asked, wider))

        def spend(connection: sqlite3.Connection) -> None:
            if not self._challenges.spend(connection, challenge):
                raise Refusal(FailInfo.badRequest, _why_not(asked, wider))

        return spend

    # Transactions -----------------------------------------------------------------------------------------------------

    def _state(self, transaction: Transaction, kept: Kept, request: bytes) -> Answer | None:
        """What became of a transaction; None where a request opens it anew: it ended, and no certificate of it is left."""
        if kept.request_id is None:
            return self._interrupted(transaction, kept, request)
        row = self._database.get(kept.request_id)
        other = row.disposition in _REFUSED and kept.request != _digest(request)
        over = row.disposition in _ENDING and (row.not_after or 0) <= self._clock().timestamp()
        return None if other or over else self._ca.retrieve(str(row.id))

    def _interrupted(self, transaction: Transaction, kept: Kept, request: bytes) -> Answer | None:
        """The CA may have taken the request before the server noted its number."""
        row = self._database.by_request(request)
        if row is None or row.submitted < kept.opened:
            return None
        self._transactions.settle(transaction, row.id)
        return self._ca.retrieve(str(row.id))

    def _open(self, transaction: Transaction, asked: Asked, challenge: int | None) -> None:
        now = int(self._clock().timestamp())
        self._transactions.open(transaction, asked.request, now, self._permitted(asked, challenge))

    def _submit(self, transaction: Transaction, asked: Asked) -> Answer:
        template = asked.template if asked.renewed is not None else self._rules.template
        requester = self._rules.requester or f"{self._ca.facts.host}\\SCEP"
        named = {"CertificateTemplate": template} if template else {}
        answer = self._ca.submit(Submission(asked.request, named, incoming.PKCS10, requester))
        self._transactions.settle(transaction, int(answer.request_id))
        return answer


def read_request(data: bytes) -> Asked:
    """Reads what an envelope held, and verifies that the key in it signed it.

    Raises:
        Refusal: badMessageCheck, the same for everything that is wrong before that is sure; badRequest for what is
            wrong besides.
    """
    try:
        request = pkcs10.decode(data)
        pkcs10.verify(request)
    except (DecodeError, BadSignature, UnsupportedAlgorithm) as error:
        raise unreadable() from error
    if request.subject == _EMPTY_NAME:
        raise Refusal(FailInfo.badRequest, "a request by SCEP has a subject (RFC 8894 section 2.3)")
    try:
        return Asked(data, incoming.read(data, incoming.PKCS10), _challenge_of(request))
    except (BadRequest, DecodeError) as error:
        raise Refusal(fail_info_of(error.hresult), f"the request is malformed: {error}") from error


def _challenge_of(request: CertificationRequest) -> str:
    found = request.values(attributes.CHALLENGE_PASSWORD)
    return der.read_string(found[0]) if len(found) == 1 else ""


def _beyond(asked: Asked) -> str:
    if asked.renewed is None:
        return ""
    try:
        return renewals.beyond(asked.incoming, asked.renewed, asked.template)
    except DecodeError as error:
        raise Refusal(FailInfo.badRequest, f"the request is malformed: {error}") from error


def _digest(request: bytes) -> bytes:
    return hashlib.sha256(request).digest()


def _why_not(asked: Asked, wider: str) -> str:
    state = "is not good (any more)" if asked.challenge else "is missing"
    if wider:
        return f"the renewal asks for {wider}, which its certificate does not have, and the challenge for that {state}"
    return f"the challenge password {state}"
