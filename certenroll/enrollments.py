"""IX509Enrollment: a request on its way to a certificate, out of band, at once or later.

The object keeps what a script set and what it may read; ``submission`` sends, ``installation`` installs. Source: the
nf-certenroll-ix509enrollment-* and ix509enrollment2-* pages, and the win32 page "Certificate Response Functions".
"""

from __future__ import annotations

from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import read_response
from certenroll.ca.base import CAError
from certenroll.com import ComObject, Slot, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.engine import submission
from certenroll.engine.full_responses import is_pending, sentence_of
from certenroll.engine.installation import Installation, InstallOptions, install_response
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enrollment_status import IX509EnrollmentStatus
from certenroll.enums import (
    EncodingType,
    EnrollmentEnrollStatus,
    InstallResponseRestrictionFlags,
    PFXExportOptions,
    X509CertificateEnrollmentContext,
)
from certenroll.errors import ComError, translate
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePairs
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64, IX509CertificateRequest
from certenroll.stores import properties
from certenroll.stores.errors import StoreError
from certenroll.stores.requests import RequestRecord
from keystores.base import Secret
from keystores.errors import KeyStoreError

STEP_FAILURES = (
    ComError, CAError, KeyStoreError, StoreError, DecodeError, WrongPassword, BadSignature, UnsupportedAlgorithm
)
_NOT_FOR_WEB = (
    InstallResponseRestrictionFlags.AllowNoOutstandingRequest | InstallResponseRestrictionFlags.AllowUntrustedCertificate
)
_LONGEST_PASSWORD = 0x10000  # octets of a BSTR


class IX509Enrollment(ComObject):
    """Creates a request, has it answered and installs the answer."""

    def __init__(self) -> None:
        self._context: Slot[X509CertificateEnrollmentContext] = Slot("IX509Enrollment")
        self._request: IX509CertificateRequest | None = None
        self._name_value_pairs = IX509NameValuePairs()
        self._status = IX509EnrollmentStatus()
        self._options = InstallOptions()
        self._record: RequestRecord | None = None
        self._answer: submission.Outcome | None = None
        self._installation: Installation | None = None
        self._response = b""
        self._friendly_name = ""
        self._description = ""
        self._ca_config = ""
        self.web_restricted = False  # set by IX509EnrollmentWebClassFactory: InstallResponse then obeys the web's rules

    Silent = stored("bool", "_silent", False, "Whether anything may be asked of the user; no user is asked here.")
    ParentWindow = stored("int", "_parent_window", 0, "The window that a dialog would belong to; kept, without effect.")

    def Initialize(self, Context: X509CertificateEnrollmentContext) -> None:
        """Takes up an enrollment whose request was made before, or is yet to be made with the default request.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        if Context == X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.E_INVALIDARG, "an enrollment is for the user or for the machine")
        self._context.set(Context)

    def InitializeFromTemplateName(self, Context: X509CertificateEnrollmentContext, strTemplateName: str) -> None:
        """Begins an enrollment for a template.

        Args:
            Context: for whom.
            strTemplateName: the template's common name or object id.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for no name.
        """
        request = IX509CertificateRequestPkcs10()
        request.InitializeFromTemplateName(Context, strTemplateName)
        self.Initialize(Context)
        self._request = request

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
            ComError: OLE_E_BLANK before an Initialize method, CERTSRV_E_PROPERTY_EMPTY where there is no request, and
                what Encode raises. Neither key nor request is left behind by a failure.
        """
        self._note_request()
        return self._default_request().RawData(Encoding)

    def Enroll(self) -> None:
        """Encodes the request, sends it to the CA and installs the answer. Status tells what came of it.

        Raises:
            ComError: OLE_E_BLANK before an Initialize method, what Encode raises, the CA's code where it cannot be
                reached, and what InstallResponse raises for an answer that is not to be installed; the answer is kept.
        """
        workspace = self._workspace()
        record = self._note_request()
        try:
            self._answer = submission.submit(workspace, record, self._attributes(), self._ca_config)
            self._record = self._answer.record
            self._response = self._answer.response
            self._status.report_status(self._answer.status, self._answer.error, self._answer.message)
            if self._response:
                self._install(workspace, self._response, InstallResponseRestrictionFlags.AllowNone, None)
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

    @property
    def Request(self) -> IX509CertificateRequest:
        """The request. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        self._context.get()
        if self._request is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the enrollment has no request")
        return self._request

    @property
    def NameValuePairs(self) -> IX509NameValuePairs:
        """The request attributes that are sent beside the request."""
        self._context.get()
        return self._name_value_pairs

    @property
    def EnrollmentContext(self) -> X509CertificateEnrollmentContext:
        """For whom the certificate is asked. Raises OLE_E_BLANK."""
        return self._context.get()

    @property
    def Status(self) -> IX509EnrollmentStatus:
        """How far the enrollment has come."""
        self._context.get()
        return self._status

    def Certificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The installed certificate. Raises CERTSRV_E_PROPERTY_EMPTY before Enroll or InstallResponse."""
        self._context.get()
        if self._installation is None or self._installation.certificate is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no certificate is installed yet")
        return encode_text(self._installation.certificate, Encoding)

    def Response(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The CA's response. Raises CERTSRV_E_PROPERTY_EMPTY where there is none yet."""
        self._context.get()
        if not self._response:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no response has come yet")
        return encode_text(self._response, Encoding)

    @property
    def CertificateFriendlyName(self) -> str:
        """The display name that the certificate gets."""
        self._context.get()
        return self._friendly_name

    @CertificateFriendlyName.setter
    def CertificateFriendlyName(self, Value: str) -> None:
        self._context.get()
        self._friendly_name = Value
        self._note_property(properties.FRIENDLY_NAME, Value)

    @property
    def CertificateDescription(self) -> str:
        """The description that the certificate gets."""
        self._context.get()
        return self._description

    @CertificateDescription.setter
    def CertificateDescription(self, Value: str) -> None:
        self._context.get()
        self._description = Value
        self._note_property(properties.DESCRIPTION, Value)

    @property
    def RequestId(self) -> int:
        """The CA's number of the request. Raises CERTSRV_E_PROPERTY_EMPTY before it was sent."""
        text = self.RequestIdString
        if not text.isdigit() or int(text) > 0x7FFFFFFF:
            raise ComError(HRESULT.DISP_E_OVERFLOW, "the request's id is no number; read RequestIdString")
        return int(text)

    @property
    def RequestIdString(self) -> str:
        """The CA's id of the request. Raises CERTSRV_E_PROPERTY_EMPTY before it was sent."""
        self._context.get()
        if self._record is None or not self._record.ca_request_id:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was not sent to a CA")
        return self._record.ca_request_id

    @property
    def CAConfigString(self) -> str:
        """The CA that has the request, ``host\\name``. Raises CERTSRV_E_PROPERTY_EMPTY before it was sent."""
        self._context.get()
        if self._record is None or not self._record.ca_config:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the request was not sent to a CA")
        return self._record.ca_config

    # What the facade uses.

    @property
    def install_options(self) -> InstallOptions:
        """Where an install puts things; the facade sets it."""
        return self._options

    @install_options.setter
    def install_options(self, value: InstallOptions) -> None:
        self._options = value

    @property
    def ca_config(self) -> str:
        """The CA that Enroll sends to, or "" for the profile's own; the facade sets it."""
        return self._ca_config

    @ca_config.setter
    def ca_config(self, value: str) -> None:
        self._ca_config = value

    @property
    def installation_result(self) -> Installation | None:
        """What the last install did, or None."""
        return self._installation

    @property
    def request_record(self) -> RequestRecord | None:
        """The record of the request in the profile, or None before it was made."""
        return self._record

    def _workspace(self) -> Workspace:
        return open_workspace(self._context.get())

    def _default_request(self) -> IX509CertificateRequest:
        context = self._context.get()
        if self._request is None:
            request = IX509CertificateRequestPkcs10()
            request.Initialize(context)
            self._request = request
        return self._request

    def _note_request(self) -> RequestRecord:
        workspace = self._workspace()
        request = self._default_request()
        if self._record is None or not request.is_encoded or request.der_bytes() != self._record.request:
            if not isinstance(request, submission.Enrollable):
                raise ComError(HRESULT.E_INVALIDARG, f"{type(request).__name__} cannot be enrolled for")
            before = self._record
            self._record = submission.note_request(
                workspace, request, self._options, self._friendly_name, self._description
            )
            if before is not None:  # reset and encoded anew, with the same key
                submission.replace_unsent(workspace, before)
        return self._record

    def _attributes(self) -> dict[str, str]:
        return {pair.Name: pair.Value for pair in self._name_value_pairs}

    def _report_failure(self, error: Exception) -> None:
        known = translate(error)
        if known is not None:
            self._status.report_failure(known)

    def _install(self, workspace: Workspace, response: bytes, restrictions: int, password: str | None) -> None:
        read = read_response(response, password or None)
        if is_pending(read):
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

    def _note_property(self, property_id: int, text: str) -> None:
        workspace = self._workspace()
        if self._record is not None:
            submission.note_property(workspace, self._record, self._installation, self._options, property_id, text)

