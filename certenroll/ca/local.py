"""The local CA: a real certification authority in a folder, which takes requests and answers as AD CS does.

It issues, holds, denies and revokes by its policy, remembers every request, and may be used by several processes at once.
Knows no transport and no COM. docs/analysis/local-ca.md tells what it does where Microsoft's documentation is silent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization

from certenroll.asn1.certificates import read_certificate
from certenroll.ca import archival
from certenroll.ca import certificates as folder
from certenroll.ca import incoming as reader
from certenroll.ca.attestation import AttestationDesk, request_number
from certenroll.ca.base import Answer, CAError, Description, Disposition, Submission
from certenroll.ca.crl import Reason, make_crl, revocations
from certenroll.ca.database import Database, Row
from certenroll.ca.exchange import Exchange
from certenroll.ca.full_response import CR_IN_FULLRESPONSE, full_response
from certenroll.ca.issuing import Issuer, RandomBytes
from certenroll.ca.judging import Bench, decided, denied, outcome, revoked
from certenroll.ca.policy import Policy, load_policy, with_arc
from certenroll.ca.proofs import Record
from certenroll.ca.templates import Mode
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm

Clock = Callable[[], datetime]

CR_IN_CRLS: Final = 0x80000
_DER: Final = serialization.Encoding.DER
_LONGEST_NAME: Final = 64  # ub-common-name of RFC 5280, and a part of file names

# What may be done with a request -> the dispositions that it must be in. An administrator may issue what was denied, as
# resubmitting does in AD CS.
_ALLOWED: Final[dict[str, tuple[Disposition, ...]]] = {
    "issue": (Disposition.UNDER_SUBMISSION, Disposition.DENIED),
    "deny": (Disposition.UNDER_SUBMISSION,),
    "revoke": (Disposition.ISSUED, Disposition.REVOKED),
}


def utc_now() -> datetime:
    """The time of the machine, in UTC."""
    return datetime.now(UTC)


class LocalCA:
    """The CA in a folder.

    Args:
        directory: the folder; ``create`` makes one.
        clock: gives the time, in UTC.
        random: gives that many random bytes, for serial numbers.

    Raises:
        CAError: RPC_SERVER_UNAVAILABLE where there is no CA in the folder, 0x8007000D where its files are malformed.

    Attributes:
        config: ``host\\name``.
        facts: what ca.json says.
    """

    def __init__(self, directory: Path, clock: Clock = utc_now, random: RandomBytes = os.urandom) -> None:
        self._directory = Path(directory)
        self._clock = clock
        self._random = random
        self.facts = folder.load_facts(self._directory)
        self.config = self.facts.config
        self._database = Database(self._directory)
        self._issuers: dict[str, Issuer] = {}
        self._exchange = Exchange(self._directory, random)

    @classmethod
    def create(
        cls,
        directory: Path,
        name: str,
        *,
        algorithm: KeyAlgorithm = KeyAlgorithm.RSA,
        bits: int = 2048,
        validity_days: int = 1825,
        subject: str = "",
        two_tier: bool = False,
        host: str = "",
        policy: Policy | Mode = Mode.ISSUE,
        crl_days: int = 7,
        crl_urls: Iterable[str] = (),
        certificate_urls: Iterable[str] = (),
        clock: Clock = utc_now,
        random: RandomBytes = os.urandom,
    ) -> LocalCA:
        """Makes a CA: either the whole of it is there afterwards, or nothing.

        Args:
            directory: where; it is made, and must be empty where it exists.
            name: the CA's name, the second half of its configuration string.
            algorithm: of the CA's keys.
            bits: their length; for EC the curve (256, 384, 521).
            validity_days: of the certificate of the CA that issues; a root above it is valid twice as long.
            subject: its X.500 name; ``CN=name`` where it is left out.
            two_tier: whether a root CA stands above the one that issues.
            host: the first half of the configuration string; this computer's name where it is left out.
            policy: the rules, or only what is done with requests that keep the default ones.
            crl_days: how long a CRL is valid.
            crl_urls: where its CRL will be served; ``{file}`` stands for the file's name in ``published``.
            certificate_urls: where its certificate will be served.
            clock: gives the time, in UTC.
            random: gives that many random bytes.

        Raises:
            CAError: WIN32_ALREADY_EXISTS where the folder is not empty, E_INVALIDARG for a key that cannot be made or a
                name that is empty.
        """
        facts = _facts(name, host, two_tier, crl_days, tuple(crl_urls), tuple(certificate_urls))
        wanted = subject or _common_name(name)
        plan = folder.Plan(algorithm, bits, validity_days, wanted, _common_name(f"{name} Root"), clock())
        rules = with_arc(policy if isinstance(policy, Policy) else Policy(mode=policy), random)
        folder.make_folder(Path(directory), facts, plan, random, lambda prepared: _finish(prepared, rules))
        ca = cls(directory, clock, random)
        ca.publish_crl()
        return ca

    @cached_property
    def _attestation(self) -> AttestationDesk:
        return AttestationDesk(self._directory, self._exchange, self.policy.attestation, self._random)

    @cached_property
    def policy(self) -> Policy:
        """The rules, as policy.json had them when they were first needed."""
        return load_policy(self._directory)

    def _issuer(self, tier: str = folder.ISSUING) -> Issuer:
        if tier not in self._issuers:
            self._issuers[tier] = folder.load_issuer(self._directory, self.facts, tier)
        return self._issuers[tier]

    # CertificationAuthority and its capabilities ------------------------------------------------------------------

    def submit(self, submission: Submission) -> Answer:
        """Takes a request, decides it by the policy and remembers it. A refusal is an Answer.

        With CR_IN_CHALLENGERESPONSE it takes the answer to the challenge of the request that the attribute RequestId names.

        Raises:
            CAError: CERT_E_EXPIRED or CERTSRV_E_INVALID_CA_CERTIFICATE where the CA cannot sign; 0x8007000D where the
                message is longer than a megabyte, and is not even remembered; for an answer those of
                ``attestation.request_number`` and ``AttestationDesk.hear``, and CERTSRV_E_NO_REQUEST.
        """
        if len(submission.request) > reader.MAX_SIZE:
            text = f"a request of {len(submission.request)} bytes; at most {reader.MAX_SIZE} are taken"
            raise CAError(HRESULT.WIN32_INVALID_DATA, text)
        if submission.flags & reader.FORMAT_MASK == reader.CHALLENGE_RESPONSE:
            return self._heard(self._database.get(_number(request_number(submission))), submission)
        row = Row(
            submission.request,
            dict(submission.attributes),
            submission.flags,
            submission.requester,
            Disposition.INCOMPLETE,
            status=0,
            message="",
            template="",
            submitted=self._now(),
            caller=submission.requester,
        )
        return self._answer(self._database.insert(replace(row, **self._decided(row)), submission.request))

    def retrieve(self, request_id: str) -> Answer:
        """What became of a request. Raises CAError (CERTSRV_E_NO_REQUEST) where there is none of that number."""
        return self._answer(self._database.get(_number(request_id)))

    def find(self, request: bytes) -> Answer | None:
        """The answer to the newest request of these very bytes, or None."""
        row = self._database.by_request(request)
        return self._answer(row) if row is not None else None

    def find_serial(self, serial: int) -> Answer:
        """The answer to the request whose certificate has that serial number. Raises CAError (CERTSRV_E_NO_REQUEST)."""
        return self._answer(self._database.by_serial(serial))

    def certificates(self) -> tuple[bytes, ...]:
        """DER of the CA's certificate, and of its root's where that is another."""
        return tuple(folder.load_certificate(self._directory, tier).public_bytes(_DER) for tier in self.facts.tiers)

    def exchange_certificate(self) -> bytes:
        """DER of the certificate that clients encrypt private keys for; a new one is made every week."""
        return self._exchange.current(self._issuer(), self._clock())

    def recovery_agents(self) -> tuple[bytes, ...]:
        """DER of the certificates of the key recovery agents."""
        return tuple(one.public_bytes(_DER) for one in archival.agents(self._directory))

    def crl(self) -> bytes:
        """DER of the CRL of the CA that issues; a new one is published where the last has run out."""
        return self._current_crl(folder.ISSUING)

    def crls(self) -> tuple[bytes, ...]:
        """DER of the current CRLs of the CA and of its root, in the order of ``certificates``."""
        return tuple(self._current_crl(tier) for tier in self.facts.tiers)

    def describe(self) -> Description:
        """What the CA says of itself."""
        urls = self.facts.urls(folder.ISSUING)
        served = [one for one in self.policy.all_templates if (one.mode or self.policy.mode) is not Mode.DENY]
        return Description(
            name=self.facts.name,
            host=self.facts.host,
            parent=f"{self.facts.name} Root" if self.facts.two_tier else "",
            enterprise=self.policy.require_template,
            templates=tuple((one.name, one.oid or "") for one in served),
            policy=f"Local CA policy: {self.policy.mode.value} what keeps the rules",
            crl_urls=urls["crl_urls"],
            certificate_urls=urls["certificate_urls"],
        )

    # What an administrator does -----------------------------------------------------------------------------------

    def pending(self) -> tuple[Row, ...]:
        """The requests that wait for a decision, the oldest first."""
        return self.requests(Disposition.UNDER_SUBMISSION)

    def requests(self, disposition: Disposition | None = None) -> tuple[Row, ...]:
        """The requests in the order of their numbers, all or those in one disposition."""
        return self._database.all(disposition)

    def issue(self, request_id: str) -> Answer:
        """Issues a certificate for a request that waits or was denied. The rules for keys and names still hold.

        Raises:
            CAError: CERTSRV_E_NO_REQUEST, CERTSRV_E_BAD_REQUESTSTATUS where it was decided otherwise already.
        """
        number = _number(request_id)
        return self._answer(self._database.change(number, _ALLOWED["issue"], lambda row: self._decided(row, approved=True)))

    def deny(self, request_id: str, reason: str = "") -> Answer:
        """Denies a request that waits.

        Args:
            request_id: its number.
            reason: why; it stands in the message that the requester reads.

        Raises:
            CAError: CERTSRV_E_NO_REQUEST, CERTSRV_E_BAD_REQUESTSTATUS where it does not wait.
        """
        message = "Denied by the administrator" + (f": {reason}" if reason else "")
        change = outcome(Disposition.DENIED, HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, message) | {"resolved": self._now()}
        return self._answer(self._database.change(_number(request_id), _ALLOWED["deny"], lambda _row: change))

    def revoke(self, request_id: str = "", *, serial: int | None = None, reason: int = Reason.UNSPECIFIED) -> Answer:
        """Revokes a certificate. It stands in the next CRL that is published.

        Args:
            request_id: the number of its request, or empty where ``serial`` is given.
            serial: its serial number.
            reason: CRLReason. CERTIFICATE_HOLD (6) is taken back by REMOVE_FROM_CRL (8).

        Raises:
            CAError: CERTSRV_E_NO_REQUEST, CERTSRV_E_BAD_REQUESTSTATUS where it is not in force (or, for
                REMOVE_FROM_CRL, not on hold), E_INVALIDARG for a number that is no reason.
        """
        try:
            why = Reason(reason)
        except ValueError:
            raise CAError(HRESULT.E_INVALIDARG, f"{reason} is no reason of revocation") from None
        number = self._database.by_serial(serial).id if serial is not None else _number(request_id)
        return self._answer(self._database.change(number, _ALLOWED["revoke"], lambda row: revoked(row, why, self._now())))

    def add_recovery_agent(self, certificate: bytes) -> None:
        """Makes the owner of a certificate (DER) a key recovery agent. Raises CAError (CERTSRV_E_NO_VALID_KRA)."""
        archival.add_agent(self._directory, certificate, self._clock())

    def recover(self, request_id: str, agent_key: object) -> archival.PrivateKey:
        """The private key that was archived with a request.

        Args:
            request_id: its number.
            agent_key: the pyca key of a key recovery agent.

        Raises:
            CAError: CERTSRV_E_NO_REQUEST, CERTSRV_E_PROPERTY_EMPTY where no key was archived; else as
                ``archival.recovered``.
        """
        sealed = self._database.get(_number(request_id)).archived_key
        if sealed is None:
            raise CAError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"no private key was archived with request {request_id}")
        return archival.recovered(sealed, self._directory, agent_key)

    def publish_crl(self) -> bytes:
        """Publishes new CRLs, for the root too where there is one. Returns the DER of that of the CA that issues."""
        crls = [self._publish(tier) for tier in self.facts.tiers]
        return crls[0]

    def close(self) -> None:
        """Closes the database; the next use opens it again."""
        self._database.close()

    # ------------------------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _decided(self, row: Row, *, approved: bool = False) -> dict[str, Any]:
        """The columns that a decision sets."""
        moment = self._clock()
        bench = Bench(
            self.policy,
            self._issuer,
            self._record,
            lambda found: archival.archived(found, self._exchange, self._directory, moment),
            lambda found, template, number: self._attestation.judge(found, template, number, moment),
            self._random,
            moment,
        )
        return decided(bench, row, approved=approved)

    def _record(self, certificate: bytes) -> Record | None:
        """What is known of a certificate; None for one that is not from here, octet for octet."""
        try:
            row = self._database.by_serial(read_certificate(certificate).serial)
        except CAError:
            return None
        return Record(row.disposition, row.template) if row.certificate == certificate else None

    def _heard(self, row: Row, submission: Submission) -> Answer:
        """What becomes of a request by the answer to its challenge."""
        denial = self._attestation.hear(row, submission)
        refusal = denial and denied(denial, self._now())
        row = self._database.change(row.id, (Disposition.UNDER_SUBMISSION,), lambda one: refusal or self._decided(one))
        self._attestation.forget(row)
        return self._answer(replace(row, flags=row.flags | submission.flags & CR_IN_FULLRESPONSE))

    def _answer(self, row: Row) -> Answer:
        issued = row.certificate is not None
        asked = self._attestation.question(row, self._issuer, self._clock())
        full = bool(row.flags & CR_IN_FULLRESPONSE) or asked is not None
        chain = self.certificates() if issued or full else ()
        crls = self.crls() if issued and row.flags & CR_IN_CRLS else ()
        answer = Answer(
            row.disposition, str(row.id), row.status, row.message, row.certificate, chain if issued else (), crls=crls
        )
        if not full:
            return answer
        return replace(answer, full_response=full_response(row, answer, self._issuer(), chain, self._random(16), asked))

    def _current_crl(self, tier: str) -> bytes:
        latest = self._database.latest_crl(tier)
        return latest[2] if latest is not None and self._now() < latest[1] else self._publish(tier)

    def _publish(self, tier: str) -> bytes:
        issuer, moment = self._issuer(tier), self._clock()
        due = moment + timedelta(days=self.facts.crl_days)

        def make(number: int, rows: tuple[Row, ...]) -> bytes:
            entries = revocations(rows, self._now()) if tier == folder.ISSUING else ()
            return make_crl(issuer, number, moment, due, entries)

        crl = self._database.add_crl(tier, int(due.timestamp()), make)
        _replace_file(self._directory / folder.PUBLISHED / self.facts.file(tier, "crl"), crl, self._random)
        return crl


def _facts(name: str, host: str, *others: Any) -> folder.Facts:
    if not name.strip() or "\\" in host:
        raise CAError(HRESULT.E_INVALIDARG, "a CA needs a name, and its host's name has no backslash")
    if len(name) > _LONGEST_NAME:
        raise CAError(HRESULT.E_INVALIDARG, f"a CA's name has at most {_LONGEST_NAME} characters, as a common name")
    return folder.Facts(name, host or socket.gethostname(), *others)


def _finish(prepared: Path, rules: Policy) -> None:
    rules.save(prepared)
    Database(prepared).close()


def _common_name(name: str) -> str:
    return 'CN="' + name.replace('"', '""') + '"'


def _number(request_id: str) -> int:
    text = request_id.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 19:
        raise CAError(HRESULT.CERTSRV_E_NO_REQUEST, f"{request_id!r} is not the number of a request")
    return int(text)


def _replace_file(path: Path, data: bytes, random: RandomBytes) -> None:
    temporary = path.with_name(f".{path.name}.{random(8).hex()}")
    temporary.write_bytes(data)
    os.replace(temporary, path)
