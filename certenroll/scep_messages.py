"""The messages that an IX509SCEPEnrollment makes: a request, a question after one, a question after a certificate.

The key of a request is made here, as IX509Enrollment.CreateRequest makes it: nothing is left behind where a step fails, and
nothing is lost where the process ends. Source: the nf-certenroll-ix509scepenrollment-create* pages, RFC 8894 sections 2, 3.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.scep import (
    MessageType,
    decode,
    encode_issuer_and_serial,
    encode_issuer_and_subject,
    self_signed,
    transaction_id_of,
)
from certenroll.ca.scep.capabilities import MANDATORY
from certenroll.encodings import decode_text, encode_text
from certenroll.engine import scep_requests
from certenroll.engine.opening import open_workspace
from certenroll.engine.scep_exchange import (
    CHALLENGE_ANSWER,
    Identity,
    Sent,
    Terms,
    build_message,
    check_held_key,
    check_key,
)
from certenroll.engine.scep_servers import ScepServers
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64
from certenroll.scep_properties import ScepProperties
from certenroll.stores.certificates import MY
from certenroll.stores.requests import RequestRecord
from keystores.base import KeyAlgorithm, Secret

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.private_keys import IX509PrivateKey
    from certenroll.stores.certificates import StoredCertificate

BINARY: Final = EncodingType.XCN_CRYPT_STRING_BINARY
_RSA: Final = "1.2.840.113549.1.1.1"
_SKEW: Final = timedelta(hours=1)  # a server's clock may be behind
_VALIDITY: Final = timedelta(days=365)  # of the certificate that a request signs itself with; a decision may take its time
_ID_SIZE: Final = 20


class ScepMessages(ScepProperties):
    """The methods that make messages."""

    def CreateRequestMessage(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The message that asks for a certificate; makes the key where there is none and notes the request in REQUEST.

        Where SignerCertificate is set it asks for a renewal. After InitializeForPending it is the message that was made
        before, for a process that ended before it could send it.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, NTE_BAD_KEY for a key that cannot decrypt the answer (any
                EC key), NTE_BAD_ALGID for a server that takes nothing better than SHA-1 or single DES, and what Encode
                raises. Neither key nor request is left behind by a failure.
        """
        workspace = self._workspace()
        if self._request is None:
            message = scep_requests.kept_message(self._waiting(workspace))
            kept = decode(message)
            self._sent = Sent(kept.message_type, kept.transaction_id, kept.sender_nonce)
            scep_requests.note_nonce(workspace, self._waiting(workspace), kept.sender_nonce)
        elif self._record is None:
            message = self._first_message(workspace, self._request)
        else:
            kind = self._record.properties.get(scep_requests.KIND, str(int(MessageType.PKCSReq)))
            message = self._next_message(workspace, int(kind), self._request.der_bytes())
        return encode_text(message, Encoding)

    def CreateRetrievePendingMessage(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The message that asks what became of a request.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_NOT_FOUND where no request waits,
                CERTSRV_E_PROPERTY_EMPTY where several do and TransactionId does not say which, and the codes of the key's
                store.
        """
        workspace = self._workspace()
        subject = scep_requests.stand_in(workspace, self._waiting(workspace)).subject
        issuer = read_certificate(self._known_servers(workspace).ca).subject
        content = encode_issuer_and_subject(issuer, subject)
        return encode_text(self._next_message(workspace, MessageType.CertPoll, content), Encoding)

    def CreateRetrieveCertificateMessage(
        self,
        Context: X509CertificateEnrollmentContext,
        strIssuer: str | bytes,
        IssuerEncoding: EncodingType,
        strSerialNumber: str | bytes,
        SerialNumberEncoding: EncodingType,
        Encoding: EncodingType = BASE64,
    ) -> str | bytes:
        """The message that asks for a certificate that was issued before.

        Args:
            Context: in whose MY a certificate by SCEP is looked for, which says who the server is and signs; one with
                this issuer and serial number comes first. SignerCertificate comes before it.
            strIssuer: the issuer's name, in DER.
            IssuerEncoding: how the text holds it.
            strSerialNumber: the serial number, its most significant octet first.
            SerialNumberEncoding: how the text holds it.
            Encoding: of the message.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_NOT_FOUND where nothing here came from that CA by
                SCEP, and the codes of the key's store.
        """
        self._context.get()
        issuer = decode_text(strIssuer, IssuerEncoding)
        serial = int.from_bytes(decode_text(strSerialNumber, SerialNumberEncoding), "big")
        workspace = open_workspace(Context)
        servers, identity, terms = self._for_retrieval(workspace, issuer, serial)
        self._wanted = (issuer, serial)
        content = encode_issuer_and_serial(issuer, serial)
        number = secrets.token_hex(_ID_SIZE)
        message, self._sent = build_message(MessageType.GetCert, content, number, servers, terms, identity)
        self._retrieval = (servers, identity, Context)
        return encode_text(message, Encoding)

    def CreateChallengeAnswerMessage(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The message that answers the challenge by which a server has a key attested (SCEPDispositionPendingChallenge).

        What is in it, an ICertificateAttestationChallenge makes of the challenge.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CERTSRV_E_PROPERTY_EMPTY where no challenge has come, and what
                Initialize and DecryptChallenge of that object raise.
        """
        from certenroll.attestation_challenges import ICertificateAttestationChallenge

        workspace = self._workspace()
        if not self._challenge:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the server has sent no challenge")
        challenge = ICertificateAttestationChallenge()
        challenge.Initialize(BINARY, self._challenge)
        challenge.KeyContainerName = self._waiting(workspace).key.container
        answer = decode_text(challenge.DecryptChallenge(BINARY), BINARY)
        return encode_text(self._next_message(workspace, CHALLENGE_ANSWER, answer), Encoding)

    def _waiting(self, workspace: Workspace) -> RequestRecord:
        """The request that this is about, as it stands now. Raises as ``scep_requests.find``."""
        if self._record is None:
            self._record = scep_requests.find(workspace, self._transaction_id)
            self._transaction_id = self._record.ca_request_id
        return self._record

    def _known_servers(self, workspace: Workspace) -> ScepServers:
        if self._servers is None:
            record = self._waiting(workspace)
            self._servers = scep_requests.servers_of(workspace, scep_requests.stand_in(workspace, record))
        return self._servers

    def _known_identity(self, workspace: Workspace) -> Identity:
        if self._identity is None:
            self._identity = scep_requests.identity_of(workspace, self._waiting(workspace), self._key_pin())
        return self._identity

    def _key_pin(self) -> Secret | None:
        """The PIN that the script set on the request's own key, or None."""
        key = self._request.key_object if self._request is not None else None
        return key.pin_secret() if key is not None else None

    def _terms(self, workspace: Workspace, stored: StoredCertificate | None = None) -> Terms:
        """By what the server said; else as before; else as RFC 8894 makes mandatory."""
        before = scep_requests.terms_of(stored) if stored is not None and self._capabilities is None else None
        legacy = workspace.profile.settings.legacy_hashes
        return before or Terms.of(self._capabilities or MANDATORY, legacy=legacy)

    def _next_message(self, workspace: Workspace, kind: int, content: bytes) -> bytes:
        """A message of a transaction that is noted. Its nonce is written down before anybody can send it."""
        record = self._waiting(workspace)
        terms = self._terms(workspace, scep_requests.stand_in(workspace, record))
        servers, identity = self._known_servers(workspace), self._known_identity(workspace)
        message, sent = build_message(kind, content, record.ca_request_id, servers, terms, identity)
        scep_requests.note_nonce(workspace, record, sent.nonce)
        self._sent = sent
        return message

    def _first_message(self, workspace: Workspace, request: IX509CertificateRequestPkcs10) -> bytes:
        key = _decrypting_key(request)
        terms = self._terms(workspace)
        if self._signer is not None:
            self._identity = _renewing(self._signer)
        if not request.is_encoded:
            if self._old is not None:
                request.SetRenewalCertificate(BINARY, self._old.certificate_bytes())
            request.encode_pending()
        try:
            message, transaction = self._begun(workspace, request, terms)
            self._record = scep_requests.note(
                workspace, request, message, transaction, self._options, self._friendly_name
            )
        finally:
            if self._record is None:
                key.discard_creation()
                self._identity = None
        self._sent, self._transaction_id = transaction.sent, transaction.sent.transaction_id
        return message

    def _begun(
        self, workspace: Workspace, request: IX509CertificateRequestPkcs10, terms: Terms
    ) -> tuple[bytes, scep_requests.Transaction]:
        held = request.PrivateKey.stored_key()
        check_held_key(held.info)
        kind = MessageType.RenewalReq if self._identity is not None and terms.renewal else MessageType.PKCSReq
        if self._identity is None:
            now = workspace.clock()
            dates = (now - _SKEW, now + _VALIDITY)
            signer = self_signed(held.private_key, request.subject_der(), *dates, terms.hash_name)
            self._identity = Identity(signer, held.private_key)
        # The hash of a key that had a transaction before would name that one again.
        by_key = not request.reuses_key
        number = self._transaction_id or (
            transaction_id_of(request.spki_bytes()) if by_key else secrets.token_hex(_ID_SIZE)
        )
        servers = self._known_servers(workspace)
        message, sent = build_message(kind, request.der_bytes(), number, servers, terms, self._identity)
        old = self._old or self._signer
        renewed = read_certificate(old.certificate_bytes()).sha1 if old is not None else b""
        return message, scep_requests.Transaction(
            servers, terms, self._identity, sent, self._activity, self._server_url, renewed
        )

    def _for_retrieval(self, workspace: Workspace, issuer: bytes, serial: int) -> tuple[ScepServers, Identity, Terms]:
        """Server and signer for a question after a certificate: from MY, or of the transaction that this is about."""
        exact = workspace.certificates.find_by_issuer_serial(MY, issuer, serial)
        others = (one for one in workspace.certificates.list(MY) if one.issuer == issuer)
        source = next((one for one in (*exact, *others) if scep_requests.terms_of(one) is not None), None)
        if source is None:
            servers = self._known_servers(workspace)
            identity = _renewing(self._signer) if self._signer is not None else self._known_identity(workspace)
            return servers, identity, self._terms(workspace)
        servers = scep_requests.servers_of(workspace, source)
        found = _renewing(self._signer) if self._signer is not None else scep_requests.identity_from(workspace, source)
        return servers, found, self._terms(workspace, source)


def _decrypting_key(request: IX509CertificateRequestPkcs10) -> IX509PrivateKey:
    """The request's key, which is made of a kind that can open the answer, before anything is made.

    Raises:
        ComError: NTE_BAD_KEY where it is not; CERTSRV_E_PROPERTY_EMPTY where the request has no private key here.
    """
    key = request.PrivateKey
    if key.Existing and not key.Opened:
        key.Open()
    if key.Opened:
        check_held_key(key.stored_key().info)
    else:
        check_key(KeyAlgorithm.RSA if key.Algorithm.Value == _RSA else KeyAlgorithm.EC)
    return key


def _renewing(signer: Any) -> Identity:
    """The certificate that is renewed, as the one that signs. Raises ComError NTE_BAD_KEY where its key cannot decrypt."""
    private_key = signer.signing_key()
    check_held_key(signer.PrivateKey.stored_key().info)
    return Identity(signer.certificate_bytes(), private_key)
