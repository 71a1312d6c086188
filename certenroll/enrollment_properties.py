"""What an IX509Enrollment may be asked: its request, its status, what came of it, and what the facade sets.

Knows no CA and takes no step; ``enrollments`` does. Source: the nf-certenroll-ix509enrollment-get_* and
ix509enrollment2-get_* pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from certenroll.com import ComObject, Slot, stored
from certenroll.encodings import encode_text
from certenroll.engine import submission
from certenroll.engine.installation import Installation, InstallOptions
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enrollment_status import IX509EnrollmentStatus
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.name_value_pairs import IX509NameValuePairs
from certenroll.requests import BASE64, IX509CertificateRequest
from certenroll.stores import properties
from certenroll.stores.requests import RequestRecord

if TYPE_CHECKING:
    from certenroll.policy_servers import IX509EnrollmentPolicyServer
    from certenroll.templates import IX509CertificateTemplate


class EnrollmentProperties(ComObject):
    """The properties of IX509Enrollment and IX509Enrollment2."""

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

    @property
    def Request(self) -> IX509CertificateRequest:
        """The request. Raises CERTSRV_E_PROPERTY_EMPTY where there is none."""
        self._context.get()
        if self._request is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the enrollment has no request")
        return self._request

    @property
    def PolicyServer(self) -> IX509EnrollmentPolicyServer:
        """Where the request's template came from. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        request: Any = self.Request  # every format has the member; the interface that they share has not
        server: IX509EnrollmentPolicyServer = request.PolicyServer
        return server

    @property
    def Template(self) -> IX509CertificateTemplate:
        """The request's template. Raises CERTSRV_E_PROPERTY_EMPTY where none was given as an object."""
        request: Any = self.Request
        template: IX509CertificateTemplate = request.Template
        return template

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

    def _note_property(self, property_id: int, text: str) -> None:
        workspace = self._workspace()
        # Also for a response that is installed without the request of this object, which could tell of it.
        self._options = submission.with_properties(self._options, {property_id: properties.encode_text(text)})
        submission.note_property(workspace, self._record, self._installation, self._options, property_id, text)
