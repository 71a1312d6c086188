"""One step of one SCEP enrollment: a server found, a request sent or asked after, a certificate taken over, a renewal begun.

Every step can be taken again after a crash: the transaction's id is noted first, and what stands in the profile under that
id says where to go on. Knows no nodes. What the servers are asked with is IX509SCEPEnrollmentHelper.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.engine.scep_requests import is_waiting
from certenroll.enums import (
    EncodingType,
    X509PrivateKeyVerify,
    X509SCEPDisposition,
    X509SCEPProcessMessageFlags,
)
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.mdm import scep_transactions
from certenroll.mdm.doomed_keys import delete_keys
from certenroll.mdm.scep_records import Enrollment, Ledger, State, new_transaction
from certenroll.mdm.scep_requests import CONTEXTS, make_request
from certenroll.mdm.scep_servers import MOST_SILENCES, NOT_TAKEN, OTHER_ADDRESS, Reach, addresses, pause, reach_of
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.scep_enrollment_helper import IX509SCEPEnrollmentHelper
from certenroll.signer_certificates import ISignerCertificate
from certenroll.stores.certificates import MY
from certenroll.stores.states import OUTSTANDING
from certenroll.stores.states import State as RequestState
from keystores.base import Scope

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.mdm_instances import Instance
    from certenroll.stores.requests import RequestRecord

BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_INSTALL: Final = X509SCEPProcessMessageFlags.SCEPProcessDefault
_MINUTE: Final = 60.0
_RENEWED_AT: Final = 2 / 3  # of a certificate's lifetime
_TRIED_AGAIN_AT: Final = 1 / 3  # of what is left of it, after a renewal that failed


class Lost(Exception):
    """The enrollment was ended, or begun anew, by a management server while this process had it in hand.

    Attributes:
        transaction: what this process was doing, of which nothing is to stay; "" where it had not begun.
    """

    def __init__(self, transaction: str) -> None:
        self.transaction = transaction
        super().__init__(transaction)


class Step:
    """A step of an enrollment that this process has in hand.

    Args:
        workspace: the profile.
        ledger: where enrollments are kept; it has the clock.
        instance: the record.
    """

    def __init__(self, workspace: Workspace, ledger: Ledger, instance: Instance) -> None:
        self._workspace = workspace
        self._ledger = ledger
        self._instance = instance
        self._now = Enrollment.of(instance)
        self._scope: Scope = workspace.profile.scope

    def take(self) -> Enrollment:
        """Takes it.

        Returns:
            the enrollment after it.

        Raises:
            Lost: the enrollment was taken away.
            StoreError: the profile cannot be written.
        """
        if self._now.state is State.INSTALLED:
            self._begin_renewal()
        if self._now.state is State.INSTALLED:
            return self._now
        record = scep_transactions.find(self._workspace, self._now.transaction)
        if record is None:
            self._begin()
        elif record.state is RequestState.INSTALLED:
            self._take_over(record)
        elif record.state in OUTSTANDING:
            self._ask_after(record)
        else:
            self._now = replace(self._now, respondent=self._now.server)
            self._fail(record.status, record.message)
        return self._now

    # Asking ----------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Asks one server after the other until one answers."""
        last = ComError(HRESULT.RPC_SERVER_UNAVAILABLE, "no server is named")
        for url in self._now.settings.server_urls:
            for address in addresses(url):
                self._write(replace(self._now, server=url))
                error = self._ask(address)
                if error is None:
                    return
                last = error
                if reach_of(error.hresult) not in OTHER_ADDRESS:
                    break
        self._unanswered(last)

    def _ask(self, address: str) -> ComError | None:
        """Asks a server; gives the error where another one may be asked instead, None where nothing is left to be said."""
        helper = IX509SCEPEnrollmentHelper()
        try:
            helper.Initialize(address, "", self._request(), self._now.settings.ca_thumbprint)
            enrollment = helper.X509SCEPEnrollment
            enrollment.SetTransactionId(BINARY, self._now.transaction)
            if self._now.state is State.RENEWING:
                enrollment.SignerCertificate = self._signer()
            self._obey(helper, helper.Enroll(_INSTALL))
        except ComError as error:
            return self._not_asked(error)
        return None

    def _not_asked(self, error: ComError) -> ComError | None:
        reach = reach_of(error.hresult)
        if self._is_installed():
            return None
        if not is_waiting(self._workspace, self._now.transaction):
            if reach is not Reach.ANSWERS:
                return error
            self._fail(error.hresult, str(error))
        elif reach in NOT_TAKEN:
            self._take_back()
            return error
        else:
            self._unanswered(error)
        return None

    def _ask_after(self, record: RequestRecord) -> None:
        """Asks what became of a request; one that never arrived is sent by that."""
        helper = IX509SCEPEnrollmentHelper()
        try:
            helper.InitializeForPending(record.ca_config, "", CONTEXTS[self._scope], self._now.transaction)
            self._obey(helper, helper.FetchPending(_INSTALL))
        except ComError as error:
            if not self._is_installed():
                self._unanswered(error)

    def _is_installed(self) -> bool:
        """Whether the certificate is in MY all the same, as where a card did not take it; then it is taken over."""
        record = scep_transactions.find(self._workspace, self._now.transaction)
        if record is None or record.state is not RequestState.INSTALLED:
            return False
        self._take_over(record)
        return True

    def _obey(self, helper: IX509SCEPEnrollmentHelper, disposition: X509SCEPDisposition) -> None:
        self._now = replace(self._now, respondent=self._now.server)
        if disposition is X509SCEPDisposition.SCEPDispositionSuccess:
            record = scep_transactions.find(self._workspace, self._now.transaction)
            if record is None:
                raise Lost(self._now.transaction)
            self._take_over(record)
        elif disposition is X509SCEPDisposition.SCEPDispositionPending:
            self._wait()
        else:
            status = helper.X509SCEPEnrollment.Status
            self._fail(status.Error or HRESULT.CERTSRV_E_BAD_REQUESTSTATUS, status.Text or "the server refuses the request")

    # What comes of it ------------------------------------------------------------------------------------------------

    def _take_over(self, record: RequestRecord) -> None:
        """Notes the installed certificate; the one that it takes the place of leaves, with its key."""
        sha1 = record.certificate_sha1 or b""
        old = bytes.fromhex(self._now.thumbprint)
        after = replace(
            self._now.without_challenge(),
            state=State.INSTALLED,
            thumbprint=sha1.hex(),
            due=self._renewal_due(sha1),
            respondent=self._now.server,
            error=0,
            message="",
            asked=False,
            tries=0,
            silences=0,
        )
        with self._workspace.profile.database.transaction():
            doomed = scep_transactions.remove_certificate(self._workspace, old) if old and old != sha1 else []
            self._write(after)
        delete_keys(self._workspace, doomed)

    def _wait(self) -> None:
        """The server has the request and has not decided; its first word of that begins the count of the polls."""
        now = replace(self._now.without_challenge(), error=0, message="", silences=0)
        if not now.asked:
            state = State.RENEWING if now.state is State.RENEWING else State.PENDING
            now = replace(now, state=state, asked=True, tries=0)
        if now.tries < now.settings.retry_count:
            due = self._ledger.now() + now.settings.retry_delay * _MINUTE
            self._write(replace(now, tries=now.tries + 1, due=due))
        else:
            self._fail(HRESULT.WIN32_TIMEOUT, f"the server has not decided after {now.tries} polls")

    def _unanswered(self, error: ComError) -> None:
        """Puts the next try off, longer each time, or gives up where there were enough. No poll is used up by that.

        Args:
            error: why there is no answer, or none that is believed.
        """
        now = self._now.failed(error.hresult, str(error))
        silences = now.silences + 1
        if silences >= MOST_SILENCES:
            self._fail(error.hresult, str(error))
            return
        due = self._ledger.now() + pause(silences, now.settings.retry_delay) * _MINUTE
        if now.state is State.RENEWING:  # a certificate of a few hours would lapse meanwhile
            due = min(due, self._next_renewal() or due)
        self._write(replace(now, silences=silences, due=due))

    def _fail(self, code: int, message: str) -> None:
        """Gives the transaction up. A renewal is tried again later; what is installed stays."""
        after = replace(self._now.failed(code, message).without_challenge(), tries=0, silences=0)
        if self._now.state is State.RENEWING:
            after = replace(after, state=State.INSTALLED, due=self._next_renewal(), asked=False)
        else:
            after = replace(after, state=State.FAILED, due=None)
        with self._workspace.profile.database.transaction():
            doomed = scep_transactions.take_back(self._workspace, self._now.transaction)
            self._write(after)
        delete_keys(self._workspace, doomed)

    def _take_back(self) -> None:
        with self._workspace.profile.database.transaction():
            doomed = scep_transactions.take_back(self._workspace, self._now.transaction)
        delete_keys(self._workspace, doomed)

    # Renewal ---------------------------------------------------------------------------------------------------------

    def _begin_renewal(self) -> None:
        """Begins a transaction of its own, unless the certificate is gone or has expired."""
        lifetime = self._lifetime(bytes.fromhex(self._now.thumbprint))
        if lifetime is None or lifetime[1].timestamp() <= self._ledger.now():
            self._write(replace(self._now, due=None))
            return
        anew = replace(self._now, state=State.RENEWING, asked=False, tries=0, silences=0)
        self._write(replace(anew, transaction=new_transaction()))

    def _signer(self) -> ISignerCertificate:
        """The certificate that is renewed, which signs for its heir."""
        found = self._workspace.certificates.get(MY, bytes.fromhex(self._now.thumbprint))
        if found is None:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the certificate that is to be renewed is gone from MY")
        signer = ISignerCertificate()
        signer.Initialize(self._scope is Scope.MACHINE, X509PrivateKeyVerify.VerifyNone, BINARY, found.der)
        return signer

    def _renewal_due(self, sha1: bytes) -> float | None:
        lifetime = self._lifetime(sha1)
        if lifetime is None:
            return None
        begins, ends = (one.timestamp() for one in lifetime)
        return begins + (ends - begins) * _RENEWED_AT

    def _next_renewal(self) -> float | None:
        """When a renewal is tried again; None where the certificate has expired."""
        lifetime = self._lifetime(bytes.fromhex(self._now.thumbprint))
        left = lifetime[1].timestamp() - self._ledger.now() if lifetime is not None else 0.0
        shortest = self._now.settings.retry_delay * _MINUTE
        return self._ledger.now() + max(shortest, left * _TRIED_AGAIN_AT) if left > 0 else None

    def _lifetime(self, sha1: bytes) -> tuple[datetime, datetime] | None:
        found = self._workspace.certificates.get(MY, sha1)
        if found is None:
            return None
        certificate = read_certificate(found.der)
        return certificate.not_before, certificate.not_after

    # The record ------------------------------------------------------------------------------------------------------

    def _request(self) -> IX509CertificateRequestPkcs10:
        settings, taken = self._now.settings, bool(self._now.thumbprint)
        container = settings.container
        if container and taken:  # the certificate that is there has the name, until the new one is installed
            container = f"{container} {self._now.transaction[:8]}"
        return make_request(settings, self._scope, container)

    def _write(self, after: Enrollment) -> None:
        if not self._ledger.change(self._instance, self._now, after):
            raise Lost(self._now.transaction if self._now.state is not State.INSTALLED else "")
        self._now = after
