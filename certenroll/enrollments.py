"""IX509Enrollment: a request on its way to a certificate, out of band, at once or later.

The object keeps what a script set and what it may read; ``submission`` sends, ``installation`` installs. Source: the
nf-certenroll-ix509enrollment-* and ix509enrollment2-* pages, and the win32 page "Certificate Response Functions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import read_response
from certenroll.ca.base import CAError, Exchanger
from certenroll.cert_property_values import POLICY_SERVER, PolicyServer, encode_policy_server
from certenroll.cmc_requests import IX509CertificateRequestCmc
from certenroll.encodings import decode_text, encode_text
from certenroll.engine import submission
from certenroll.engine.answers import note_waiting
from certenroll.engine.attestation import check_exchange_certificate
from certenroll.engine.full_responses import Denial, is_pending, sentence_of
from certenroll.engine.installation import install_response
from certenroll.engine.template_lookup import directory_facts
from certenroll.engine.workspace import Workspace
from certenroll.enrollment_properties import EnrollmentProperties
from certenroll.enums import (
    EncodingType,
    EnrollmentEnrollStatus,
    InstallResponseRestrictionFlags,
    PFXExportOptions,
    PolicyServerUrlFlags,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
    X509RequestType,
)
from certenroll.errors import ComError, translate
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64, IX509CertificateRequest
from certenroll.stores.errors import StoreError
from certenroll.stores.requests import RequestRecord
from keystores.base import Secret
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.templates import IX509CertificateTemplate

STEP_FAILURES = (
    ComError, CAError, KeyStoreError, StoreError, DecodeError, WrongPassword, BadSignature, UnsupportedAlgorithm
)
_NOT_FOR_WEB = (
    InstallResponseRestrictionFlags.AllowNoOutstandingRequest | InstallResponseRestrictionFlags.AllowUntrustedCertificate
)
_LONGEST_PASSWORD = 0x10000  # octets of a BSTR


class IX509Enrollment(EnrollmentProperties):
    """Creates a request, has it answered and installs the answer."""

    def __init__(self) -> None:
        super().__init__()
        self._made_request: IX509CertificateRequest | None = None  # by a template, and not the script's own

    def Initialize(self, Context: X509CertificateEnrollmentContext) -> None:
        """Takes up an enrollment whose request was made before, or is yet to be made with the default request.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        if Context == X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.E_INVALIDARG, "an enrollment is for the user or for the machine")
        self._context.set(Context)

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Begins an enrollment for a template, with the type of request that it needs.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
            CAError: the files of the CA that stands for the directory are malformed.
        """
        request = self._request_for(directory_facts(Context, strTemplateName))
        request.InitializeFromTemplateName(Context, strTemplateName)
        self.Initialize(Context)
        self._request = self._made_request = request

    def InitializeFromTemplate(
        self,
        context: X509CertificateEnrollmentContext,
        pPolicyServer: IX509EnrollmentPolicyServer,
        pTemplate: IX509CertificateTemplate,
    ) -> None:
        """Begins an enrollment for a template of a policy server, with the type of request that it needs.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_POINTER where a server or template is missing.
        """
        request = self._request_for(pTemplate.template_facts())
        request.InitializeFromTemplate(context, pPolicyServer, pTemplate)
        self.Initialize(context)
        self._request = self._made_request = request

    def InitializeFromRequest(self, pRequest: IX509CertificateRequest) -> None:
        """Begins an enrollment with a request.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, OLE_E_BLANK where the request is not initialized.
        """
        self.Initialize(pRequest.EnrollmentContext)
        self._request = pRequest

    def CreateRequest(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The encoded request; makes the key where there is none and notes the request in the REQUEST store.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CERTSRV_E_PROPERTY_EMPTY where there is no request, what is
                wrong with the chain of the exchange certificate of a CA that a template has archive the key, and
                what Encode raises. Neither key nor request is left behind by a failure.
        """
        self._note_request()
        return self._default_request().RawData(Encoding)

    def Enroll(self) -> None:
        """Encodes the request, sends it to the CA and installs the answer. Status tells what came of it.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, CRYPT_E_INVALID_MSG_TYPE for a request that is a certificate
                itself, what Encode raises, the CA's code where it cannot be reached, and what InstallResponse raises for
                an answer that is not to be installed; the answer is kept.
        """
        workspace = self._workspace()
        self._check_sendable()
        record = self._note_request()
        try:
            self._answer = submission.submit(workspace, record, self._attributes(), self._ca_config)
            self._record = self._answer.record
            self._response = self._answer.response or self._answer.full_response
            self._status.report_status(self._answer.status, self._answer.error, self._answer.message)
            if self._answer.response:
                self._install(workspace, self._answer.response, InstallResponseRestrictionFlags.AllowNone, None)
        except STEP_FAILURES as error:
            self._report_failure(error)
            raise

    def InstallResponse(
        self,
        Restrictions: InstallResponseRestrictionFlags,
        strResponse: str | bytes,
        Encoding: EncodingType = BASE64,
        strPassword: str = "",
    ) -> None:
        """Installs the response of a CA.

        Args:
            Restrictions: what is allowed beyond a trusted certificate for an outstanding request.
            strResponse: a certificate, a PKCS#7 bag, a CMC full response or a PFX.
            Encoding: how the text holds it.
            strPassword: the PFX's password; none and an empty one are the same.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, WIN32_ARITHMETIC_OVERFLOW for a password above 64 KB,
                CRYPT_E_ASN1_* for what is no response, WIN32_INVALID_PASSWORD, and the codes of ``restrictions``;
                E_ACCESSDENIED for AllowNoOutstandingRequest and AllowUntrustedCertificate on an object of a web page.
                A refusal changes no store.
        """
        workspace = self._workspace()
        if len(strPassword.encode("utf-16-le", "surrogatepass")) > _LONGEST_PASSWORD:
            raise ComError(HRESULT.WIN32_ARITHMETIC_OVERFLOW, "the password is longer than 64 KB")
        if self.web_restricted and Restrictions & _NOT_FOR_WEB:
            raise ComError(HRESULT.E_ACCESSDENIED, "a web page may only allow nothing, or an untrusted root")
        try:
            self._install(workspace, decode_text(strResponse, Encoding), Restrictions, strPassword)
        except STEP_FAILURES as error:
            self._report_failure(error)
            raise

    def InstallResponse2(
        self,
        Restrictions: InstallResponseRestrictionFlags,
        strResponse: str | bytes,
        Encoding: EncodingType,
        strPassword: str,
        strEnrollmentPolicyServerUrl: str,
        strEnrollmentPolicyServerID: str,
        EnrollmentPolicyServerFlags: PolicyServerUrlFlags,
        authFlags: X509EnrollmentAuthFlags,
    ) -> None:
        """Installs as InstallResponse does, and notes the policy server on the certificate.

        Args:
            Restrictions, strResponse, Encoding, strPassword: as for InstallResponse.
            strEnrollmentPolicyServerUrl, strEnrollmentPolicyServerID: the policy server.
            EnrollmentPolicyServerFlags: of its URL.
            authFlags: how one proves to it who one is.

        Raises:
            ComError: as InstallResponse; nothing is noted then.
        """
        flags, auth = int(EnrollmentPolicyServerFlags), int(authFlags)
        server = PolicyServer(0, auth, 0, flags, "", strEnrollmentPolicyServerUrl, strEnrollmentPolicyServerID, "")
        before = self._options
        self._options = submission.with_properties(before, {POLICY_SERVER: encode_policy_server(server)})
        try:
            self.InstallResponse(Restrictions, strResponse, Encoding, strPassword)
        finally:
            self._options = before

    def CreatePFX(
        self,
        strPassword: str,
        ExportOptions: PFXExportOptions = PFXExportOptions.PFXExportEEOnly,
        Encoding: EncodingType = BASE64,
    ) -> str | bytes:
        """The installed certificate with its key, and its chain where it is asked for, as PKCS#12.

        Args:
            strPassword: encrypts it.
            ExportOptions: the certificate alone, its chain without the root, or with it.
            Encoding: how the text holds it.

        Raises:
            ComError: OLE_E_BLANK, CERTSRV_E_PROPERTY_EMPTY before a certificate is installed, WIN32_FILE_NOT_FOUND
                where the chain is not here, NTE_BAD_KEY_STATE where the key may not be exported.
        """
        from certenroll.engine.pfx_export import export_pfx

        workspace = self._workspace()
        if self._installation is None or self._installation.key is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no certificate is installed yet")
        pin = self._key_pin() or self._options.pin
        pfx = export_pfx(workspace, self._installation, strPassword, ExportOptions, self._friendly_name, pin)
        return encode_text(pfx, Encoding)

    def _default_request(self) -> IX509CertificateRequest:
        context = self._context.get()
        if self._request is None:
            request = IX509CertificateRequestPkcs10()
            request.Initialize(context)
            self._request = request
        return self._request

    def _request_for(self, facts: TemplateFacts | None) -> IX509CertificateRequestPkcs10 | IX509CertificateRequestCmc:
        """Archival and the signatures of others need a CMC message; what is unknown or needs neither is a PKCS#10."""
        wrapped = facts is not None and (facts.archival or facts.ra_signatures)
        request = IX509CertificateRequestCmc() if wrapped else IX509CertificateRequestPkcs10()
        request.Silent, request.ParentWindow = self.Silent, self.ParentWindow
        return request

    def _fetch_exchange_certificate(self, workspace: Workspace) -> None:
        """For a key that a template wants archived: the CA's, which has to be trusted. Encode refuses where it has none."""
        made = self._made_request
        if not isinstance(made, IX509CertificateRequestCmc) or not made.lacks_exchange_certificate:
            return
        authority = workspace.authority(self._ca_config)
        if isinstance(authority, Exchanger):
            exchange = authority.exchange_certificate()
            check_exchange_certificate(workspace, exchange, authority.certificates())
            made.SetKeyArchivalCertificate(EncodingType.XCN_CRYPT_STRING_BINARY, exchange)

    def _note_request(self) -> RequestRecord:
        workspace = self._workspace()
        request = self._default_request()
        if self._record is None or not request.is_encoded or request.der_bytes() != self._record.request:
            if not isinstance(request, submission.Enrollable):
                raise ComError(HRESULT.E_INVALIDARG, f"{type(request).__name__} cannot be enrolled for")
            self._fetch_exchange_certificate(workspace)
            before = self._record
            self._record = submission.note_request(
                workspace, request, self._options, self._friendly_name, self._description
            )
            if before is not None:  # reset and encoded anew, with the same key
                submission.replace_unsent(workspace, before)
        return self._record

    def _check_sendable(self) -> None:
        request = self._default_request()
        if request.Type == X509RequestType.TypeCertificate:
            text = "no CA takes a request that is a certificate itself; CreateRequest gives it, InstallResponse installs it"
            error = ComError(HRESULT.CRYPT_E_INVALID_MSG_TYPE, text)
            self._report_failure(error)
            raise error

    def _attributes(self) -> dict[str, str]:
        return {pair.Name: pair.Value for pair in self._name_value_pairs}

    def _report_failure(self, error: Exception) -> None:
        known = translate(error)
        if isinstance(error, Denial):
            self._status.report_status(EnrollmentEnrollStatus.EnrollDenied, error.hresult, error.sentence)
        elif known is not None:
            self._status.report_failure(known)

    def _install(self, workspace: Workspace, response: bytes, restrictions: int, password: str | None) -> None:
        read = read_response(response, password or None)
        if is_pending(read):
            self._record = note_waiting(workspace, read, self._record) or self._record
            self._response = response
            self._status.report_status(EnrollmentEnrollStatus.EnrollPended, text=sentence_of(read))
            return
        self._installation = install_response(workspace, read, restrictions, self._options)
        self._response = response
        self._status.report_status(EnrollmentEnrollStatus.Enrolled)

    def _key_pin(self) -> Secret | None:
        """The PIN that the script set on the request's own key, or None."""
        key = self._request.key_object if isinstance(self._request, submission.Enrollable) else None
        return key.pin_secret() if key is not None else None


IX509Enrollment2 = IX509Enrollment
