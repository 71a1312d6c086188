"""IX509SCEPEnrollment: a certificate by the SCEP protocol, message by message; who carries them is the caller's affair.

``scep_properties`` holds what a script set and may read, ``scep_messages`` makes messages, ``engine/scep_exchange`` judges
answers and ``engine/scep_requests`` keeps what they need. Source: the nf-certenroll-ix509scepenrollment-* pages, RFC 8894;
of IX509SCEPEnrollment2 only the members are documented.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.responses import read_response
from certenroll.asn1.scep import MessageType
from certenroll.encodings import decode_text
from certenroll.engine import scep_requests, submission
from certenroll.engine.key_lookup import key_of
from certenroll.engine.opening import open_workspace
from certenroll.engine.scep_exchange import Identity, Sent, Verdict, can_retry, judge_answer
from certenroll.engine.scep_servers import ScepServers, choose_servers
from certenroll.enrollments import STEP_FAILURES
from certenroll.enums import (
    DelayRetryAction,
    EncodingType,
    EnrollmentEnrollStatus,
    X509CertificateEnrollmentContext,
    X509SCEPDisposition,
    X509SCEPFailInfo,
    X509SCEPProcessMessageFlags,
)
from certenroll.errors import BadArgument, ComError, translate
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64
from certenroll.scep_messages import ScepMessages
from certenroll.stores.states import State

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.requests import RequestRecord

_SKIP: Final = X509SCEPProcessMessageFlags.SCEPProcessSkipCertInstall
_DEFAULT: Final = X509SCEPProcessMessageFlags.SCEPProcessDefault

# What an answer says -> what Status says, and whether to try again. A SCEP failure is EnrollError (16), as the Status node
# of ClientCertificateInstall has it.
_REPORTS: Final[dict[X509SCEPDisposition, tuple[EnrollmentEnrollStatus, DelayRetryAction]]] = {
    X509SCEPDisposition.SCEPDispositionSuccess: (
        EnrollmentEnrollStatus.Enrolled, DelayRetryAction.DelayRetrySuccess
    ),
    X509SCEPDisposition.SCEPDispositionFailure: (
        EnrollmentEnrollStatus.EnrollError, DelayRetryAction.DelayRetryNone
    ),
    X509SCEPDisposition.SCEPDispositionPending: (
        EnrollmentEnrollStatus.EnrollPended, DelayRetryAction.DelayRetryLong
    ),
    X509SCEPDisposition.SCEPDispositionPendingChallenge: (
        EnrollmentEnrollStatus.EnrollPended, DelayRetryAction.DelayRetryShort
    ),
    X509SCEPDisposition.SCEPDispositionUnknown: (
        EnrollmentEnrollStatus.EnrollUnknown, DelayRetryAction.DelayRetryUnknown
    ),
}  # fmt: skip


class IX509SCEPEnrollment(ScepMessages):
    """An enrollment with a SCEP server."""

    def Initialize(
        self,
        pRequest: IX509CertificateRequestPkcs10,
        strThumbprint: str | bytes,
        ThumprintEncoding: EncodingType,
        strServerCertificates: str | bytes,
        Encoding: EncodingType,
    ) -> None:
        """Begins an enrollment.

        Args:
            pRequest: the PKCS#10, initialized; it brings the challenge password along.
            strThumbprint: MD5, SHA-1 or SHA-256 of the CA's certificate, or of the root above it.
            ThumprintEncoding: how the text holds it.
            strServerCertificates: the server's answer to GetCACert: a PKCS#7 with the CA's certificate and those of its
                registration authority, or the certificate of a CA that has none.
            Encoding: how the text holds them.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, OLE_E_BLANK where the request is not initialized,
                E_INVALIDARG for no thumbprint, CRYPT_E_HASH_VALUE where no CA certificate has it, CRYPT_E_NOT_FOUND
                where a registration authority's certificate is missing, CRYPT_E_ASN1_* for what is no certificate.
        """
        thumbprint = decode_text(strThumbprint, ThumprintEncoding)
        if not thumbprint:
            raise BadArgument(HRESULT.E_INVALIDARG, "the CA's certificate is known by its thumbprint", argerror=1)
        certificates = read_response(decode_text(strServerCertificates, Encoding)).certificates
        self.begin_with(pRequest, thumbprint, certificates)

    def InitializeForPending(self, Context: X509CertificateEnrollmentContext) -> None:
        """Takes up an enrollment whose request was made before, by this process or another.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        if Context == X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.E_INVALIDARG, "an enrollment is for the user or for the machine")
        self._context.set(Context)

    def ProcessResponseMessage(self, strResponse: str | bytes, Encoding: EncodingType = BASE64) -> X509SCEPDisposition:
        """What an answer says, done: a certificate is installed, a refused request ends, another waits on.

        Args:
            strResponse: the server's answer, a CertRep.
            Encoding: how the text holds it.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_NOT_FOUND where nothing was asked,
                CRYPT_E_SIGNER_NOT_FOUND or NTE_BAD_SIGNATURE where the server did not sign the answer as it stands,
                CRYPT_E_NO_MATCH where it belongs to another transaction, NTE_BAD_DATA where it does not repeat the nonce,
                and what InstallResponse raises. After any of them the request waits on.
        """
        return self._process(_DEFAULT, decode_text(strResponse, Encoding))

    def ProcessResponseMessage2(
        self,
        Flags: X509SCEPProcessMessageFlags,
        strResponse: str | bytes,
        Encoding: EncodingType = BASE64,
    ) -> X509SCEPDisposition:
        """As ProcessResponseMessage; SCEPProcessSkipCertInstall leaves a certificate to be read and not installed.

        Such a request waits on: IX509Enrollment.InstallResponse can install its certificate.
        """
        return self._process(Flags, decode_text(strResponse, Encoding))

    def DeleteRequest(self) -> None:
        """Deletes the request, the certificate that stands for it, and a key that was made for it and that nothing uses.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_NOT_FOUND where no request waits,
                CERTSRV_E_PROPERTY_EMPTY where several do and TransactionId does not say which.
        """
        workspace = self._workspace()
        submission.withdraw(workspace, self._waiting(workspace))
        self._record = self._sent = self._identity = None
        self._transaction_id = ""

    # What the helper uses.

    def begin_with(
        self, request: IX509CertificateRequestPkcs10, thumbprint: bytes, certificates: tuple[bytes, ...]
    ) -> None:
        """As Initialize; an empty thumbprint believes whoever answered."""
        if self._context.is_set:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, "the enrollment is initialized already")
        context = request.EnrollmentContext
        self._servers = choose_servers(certificates, thumbprint, open_workspace(context).clock())
        self._context.set(context)
        self._request = request

    def take_up(self) -> X509SCEPDisposition | None:
        """Installs what a process that ended had been given and not installed; None where there is nothing of that kind."""
        workspace = self._workspace()
        record = workspace.requests.get(self._waiting(workspace).id)
        if record.state is not State.ISSUED:
            return None
        self._note_installed(scep_requests.install_kept(workspace, record, self._key_pin()).certificate)
        return self._report(Verdict(X509SCEPDisposition.SCEPDispositionSuccess))

    def name_transaction(self, *ids: str) -> None:
        """Says which request is meant: that of the first of these ids for which one waits, else of the first id."""
        waiting = [one for one in ids if one and scep_requests.is_waiting(self._workspace(), one)]
        self.SetTransactionId(EncodingType.XCN_CRYPT_STRING_BINARY, (waiting or ids)[0])

    def was_never_taken(self) -> bool:
        """Whether the server says that it knows no such request, of one that it never said to have."""
        return self._fail_info is X509SCEPFailInfo.SCEPFailBadCertId and self.is_unanswered()

    def is_unanswered(self) -> bool:
        """Whether the server has not said yet that it has the request."""
        if self._record is None:
            return False
        return any(one.id == self._record.id for one in self._workspace().requests.list((State.MADE,)))

    def note_words(self, text: str) -> None:
        """What the server said where it answered with no message."""
        self._message_text = text
        self._delay = DelayRetryAction.DelayRetryShort

    def _process(self, flags: X509SCEPProcessMessageFlags, data: bytes) -> X509SCEPDisposition:
        workspace = self._workspace()
        try:
            servers, identity, sent = self._asked(workspace)
            verdict = judge_answer(data, servers, sent, identity)
            self._message_text, self._fail_info = verdict.text, verdict.fail_info
            self._obey(workspace, verdict, servers, sent, flags)
        except STEP_FAILURES as error:
            known = translate(error)
            if known is not None:
                self._status.report_failure(known)
            raise
        return self._report(verdict)

    def _asked(self, workspace: Workspace) -> tuple[ScepServers, Identity, Sent]:
        """Who answers, who opens, and to what; a new object for an old request knows that from its record."""
        if self._sent is not None and self._sent.message_type == MessageType.GetCert and self._retrieval is not None:
            servers, identity, _ = self._retrieval
            return servers, identity, self._sent
        if self._sent is None:
            record = self._waiting(workspace)
            nonce = scep_requests.nonce_of(workspace, record)
            self._sent = Sent(MessageType.CertPoll, record.ca_request_id, nonce)
        return self._known_servers(workspace), self._known_identity(workspace), self._sent

    def _obey(
        self, workspace: Workspace, verdict: Verdict, servers: ScepServers, sent: Sent,
        flags: X509SCEPProcessMessageFlags,
    ) -> None:  # fmt: skip
        if verdict.disposition is X509SCEPDisposition.SCEPDispositionSuccess:
            self._take_certificate(workspace, verdict, servers, sent, flags)
        elif sent.message_type == MessageType.GetCert:
            return
        else:
            settle = _SETTLE.get(verdict.disposition)
            record = workspace.requests.get(self._waiting(workspace).id)
            if settle is not None and not _is_passing(verdict, sent, record.state):
                self._record = settle(workspace, record, verdict)
            self._challenge = verdict.content

    def _take_certificate(
        self, workspace: Workspace, verdict: Verdict, servers: ScepServers, sent: Sent,
        flags: X509SCEPProcessMessageFlags,
    ) -> None:  # fmt: skip
        if sent.message_type == MessageType.GetCert and self._retrieval is not None:
            self._take_retrieved(open_workspace(self._retrieval[2]), verdict, servers, flags)
            return
        record = workspace.requests.get(self._waiting(workspace).id)
        leaf = scep_requests.leaf_of(record, verdict)
        if not flags & _SKIP:
            self._installation = scep_requests.install(workspace, record, verdict, servers, self._key_pin())
            self._record = workspace.requests.get(record.id)
        self._note_installed(leaf)

    def _take_retrieved(
        self, workspace: Workspace, verdict: Verdict, servers: ScepServers, flags: X509SCEPProcessMessageFlags
    ) -> None:
        """A certificate of old is installed where its key is here and the server's certificates explain its chain."""
        found = [(read_certificate(one), one) for one in verdict.certificates]
        leaf = next((der for one, der in found if (one.issuer, one.serial) == self._wanted), None)
        if leaf is None:
            raise ComError(HRESULT.CRYPT_E_NOT_FOUND, "the answer does not hold the certificate that was asked for")
        chain = servers.judge(leaf, verdict.certificates, workspace.clock())
        has_key = key_of(workspace, read_certificate(leaf).public_key_info) is not None
        if has_key and servers.vouches_for(chain) and not flags & _SKIP:
            self._installation = scep_requests.install_retrieved(workspace, leaf, chain, servers, self._options)
        self._note_installed(leaf)

    def _note_installed(self, certificate: bytes | None) -> None:
        self._certificate = certificate or b""
        self._challenge = b""

    def _report(self, verdict: Verdict) -> X509SCEPDisposition:
        status, self._delay = _REPORTS[verdict.disposition]
        if verdict.disposition is X509SCEPDisposition.SCEPDispositionFailure and can_retry(verdict):
            self._delay = DelayRetryAction.DelayRetryShort
        self._status.report_status(status, verdict.code, verdict.text)
        return verdict.disposition


_Settle = Callable[["Workspace", "RequestRecord", Verdict], "RequestRecord"]
_SETTLE: Final[dict[X509SCEPDisposition, _Settle]] = {
    X509SCEPDisposition.SCEPDispositionFailure: scep_requests.settle_refusal,
    X509SCEPDisposition.SCEPDispositionPending: scep_requests.settle_waiting,
    X509SCEPDisposition.SCEPDispositionPendingChallenge: scep_requests.settle_waiting,
}


def _is_passing(verdict: Verdict, sent: Sent, state: State) -> bool:
    """Whether an answer leaves the request as it is: about the message, about one that never arrived, or too late."""
    if verdict.disposition is not X509SCEPDisposition.SCEPDispositionFailure:
        return state is State.ISSUED
    unknown = verdict.fail_info is X509SCEPFailInfo.SCEPFailBadCertId and sent.message_type == MessageType.CertPoll
    return can_retry(verdict) or state is State.ISSUED or (unknown and state is State.MADE)


IX509SCEPEnrollment2 = IX509SCEPEnrollment
