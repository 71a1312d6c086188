"""What an IX509SCEPEnrollment may be asked and told: its request, its transaction, what came of it.

Makes no message and reads none; ``scep_enrollments`` does. Source: the nf-certenroll-ix509scepenrollment-get_* and put_*
pages. Where those are silent, docs/analysis/scep-enrollment.md says what was chosen.
"""

from __future__ import annotations

import string
import uuid
from typing import Final, TypeVar

from certenroll.ca.scep.capabilities import Capabilities, read_capabilities
from certenroll.com import ComObject, Slot, stored
from certenroll.encodings import decode_text, encode_text
from certenroll.engine import submission
from certenroll.engine.installation import Installation, InstallOptions
from certenroll.engine.opening import open_workspace
from certenroll.engine.scep_exchange import Identity, Sent
from certenroll.engine.scep_servers import ScepServers
from certenroll.engine.workspace import Workspace
from certenroll.enrollment_status import IX509EnrollmentStatus
from certenroll.enums import DelayRetryAction, EncodingType, X509CertificateEnrollmentContext, X509SCEPFailInfo
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.requests import BASE64
from certenroll.signer_certificates import ISignerCertificate
from certenroll.stores import properties
from certenroll.stores.requests import RequestRecord

T = TypeVar("T")
_PRINTABLE: Final = frozenset(string.ascii_letters + string.digits + " '()+,-./:=?")
_LONGEST_ID: Final = 256  # characters


class ScepProperties(ComObject):
    """The properties of IX509SCEPEnrollment and IX509SCEPEnrollment2."""

    def __init__(self) -> None:
        self._context: Slot[X509CertificateEnrollmentContext] = Slot("IX509SCEPEnrollment")
        self._request: IX509CertificateRequestPkcs10 | None = None
        self._servers: ScepServers | None = None
        self._capabilities: Capabilities | None = None
        self._signer: ISignerCertificate | None = None
        self._old: ISignerCertificate | None = None
        self._transaction_id = ""
        self._activity = f"{{{uuid.uuid4()}}}".upper()
        self._record: RequestRecord | None = None
        self._identity: Identity | None = None
        self._sent: Sent | None = None
        self._status = IX509EnrollmentStatus()
        self._fail_info = X509SCEPFailInfo.SCEPFailUnknown
        self._delay = DelayRetryAction.DelayRetryUnknown
        self._message_text = ""
        self._certificate = b""
        self._challenge = b""
        self._wanted: tuple[bytes, int] | None = None  # issuer and serial number that GetCert asked for
        self._retrieval: tuple[ScepServers, Identity, X509CertificateEnrollmentContext] | None = None
        self._installation: Installation | None = None
        self._options = InstallOptions()
        self._friendly_name = ""
        self._server_url = ""

    Silent = stored("bool", "_silent", False, "Whether anything may be asked of the user; no user is asked here.")

    @property
    def ServerCapabilities(self) -> str:
        """The server's answer to GetCACaps, before a message is made; can only be written."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "the server's capabilities can only be written")

    @ServerCapabilities.setter
    def ServerCapabilities(self, Value: str) -> None:
        self._capabilities = read_capabilities(Value)

    @property
    def FailInfo(self) -> X509SCEPFailInfo:
        """Why the server refused; SCEPFailUnknown where it did not, or did not say."""
        return self._fail_info

    @property
    def SignerCertificate(self) -> ISignerCertificate:
        """The certificate that signs the messages: that which is renewed. Raises CERTSRV_E_PROPERTY_EMPTY without one."""
        return _set(self._signer, "signer certificate")

    @SignerCertificate.setter
    def SignerCertificate(self, pValue: ISignerCertificate) -> None:
        pValue.certificate_bytes()
        self._refuse_made("the signer certificate")
        self._signer = pValue

    @property
    def OldCertificate(self) -> ISignerCertificate:
        """The certificate that the new one replaces. Raises CERTSRV_E_PROPERTY_EMPTY without one."""
        return _set(self._old, "old certificate")

    @OldCertificate.setter
    def OldCertificate(self, pValue: ISignerCertificate) -> None:
        pValue.certificate_bytes()
        self._refuse_made("the old certificate")
        self._old = pValue

    def TransactionId(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The transaction's id. Raises CERTSRV_E_PROPERTY_EMPTY before it was set or CreateRequestMessage made one."""
        if not self._transaction_id:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no transaction id was set, and no request message was made")
        return encode_text(self._transaction_id.encode("ascii"), Encoding)

    def SetTransactionId(self, Encoding: EncodingType, Value: str | bytes) -> None:
        """Sets the transaction's id: a new one before CreateRequestMessage, or that of a request that waits.

        Raises:
            ComError: E_INVALIDARG where it is no PrintableString of at most 256 characters, WIN32_ALREADY_INITIALIZED
                where a message was made with another one.
        """
        octets = decode_text(Value, Encoding)
        if Encoding == EncodingType.XCN_CRYPT_STRING_BINARY and isinstance(Value, str):
            octets = Value.encode("utf-8", "replace")
        text = octets.decode("latin-1")
        if not 0 < len(text) <= _LONGEST_ID or not _PRINTABLE.issuperset(text):
            why = f"a transaction id is a PrintableString of 1 to {_LONGEST_ID} characters"
            raise BadArgument(HRESULT.E_INVALIDARG, why, argerror=1)
        if text != self._transaction_id:
            self._refuse_made("the transaction id")
        self._transaction_id = text

    @property
    def Request(self) -> IX509CertificateRequestPkcs10:
        """The PKCS#10 inside. Raises CERTSRV_E_PROPERTY_EMPTY after InitializeForPending: it is not kept."""
        self._context.get()
        return _set(self._request, "request")

    @property
    def CertificateFriendlyName(self) -> str:
        """The display name that the certificate gets."""
        return self._friendly_name

    @CertificateFriendlyName.setter
    def CertificateFriendlyName(self, Value: str) -> None:
        self._friendly_name = Value
        if self._record is not None:
            workspace = self._workspace()
            submission.note_property(
                workspace, self._record, self._installation, self._options, properties.FRIENDLY_NAME, Value
            )

    @property
    def Status(self) -> IX509EnrollmentStatus:
        """How far the enrollment has come; its Text has the server's words. Raises OLE_E_BLANK."""
        self._context.get()
        return self._status

    def Certificate(self, Encoding: EncodingType = BASE64) -> str | bytes:
        """The certificate that the server issued. Raises OLE_E_BLANK, or CERTSRV_E_PROPERTY_EMPTY before it did."""
        self._context.get()
        if not self._certificate:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no certificate has come yet")
        return encode_text(self._certificate, Encoding)

    @property
    def ResultMessageText(self) -> str:
        """What the server said of the last message in words; empty where it said nothing."""
        return self._message_text

    @property
    def DelayRetry(self) -> DelayRetryAction:
        """Whether another try makes sense, and when."""
        return self._delay

    @property
    def ActivityId(self) -> str:
        """A GUID by which the logs of one enrollment are told apart; a new one where none was set."""
        return self._activity

    @ActivityId.setter
    def ActivityId(self, Value: str) -> None:
        try:
            self._activity = f"{{{uuid.UUID(Value.strip())}}}".upper()
        except ValueError:
            raise BadArgument(HRESULT.E_INVALIDARG, "an activity's id is a GUID", argerror=0) from None

    # What the helper and the enrollment use.

    @property
    def is_initialized(self) -> bool:
        """Whether an Initialize method was called."""
        return self._context.is_set

    @property
    def enrollment_context(self) -> X509CertificateEnrollmentContext:
        """For whom it is. Raises OLE_E_BLANK."""
        return self._context.get()

    @property
    def server_url(self) -> str:
        """Where the messages go, for the request's record; the helper sets it."""
        return self._server_url

    @server_url.setter
    def server_url(self, value: str) -> None:
        self._server_url = value

    def take_capabilities(self, value: Capabilities) -> None:
        """What the server said that it can do."""
        self._capabilities = value

    @property
    def install_options(self) -> InstallOptions:
        """Where an install puts things."""
        return self._options

    @install_options.setter
    def install_options(self, value: InstallOptions) -> None:
        self._options = value

    @property
    def installation_result(self) -> Installation | None:
        """What the last install did, or None."""
        return self._installation

    @property
    def request_record(self) -> RequestRecord | None:
        """The record of the request in the profile, or None before it was made or found."""
        return self._record

    def _workspace(self) -> Workspace:
        return open_workspace(self._context.get())

    def _refuse_made(self, what: str) -> None:
        if self._record is not None:
            raise ComError(HRESULT.WIN32_ALREADY_INITIALIZED, f"a request message was made; {what} can no longer be set")


def _set(value: T | None, what: str) -> T:
    if value is None:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"the enrollment has no {what}")
    return value
