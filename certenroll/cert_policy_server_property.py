"""ICertPropertyEnrollmentPolicyServer: by which policy and enrollment servers a certificate came.

Knows the value alone; whether there are such servers is nobody's concern here. Source: the pages of the interface.
"""

from __future__ import annotations

from certenroll.cert_properties import ICertProperty
from certenroll.cert_property_values import POLICY_SERVER, PolicyServer, decode_policy_server, encode_policy_server
from certenroll.enums import EnrollmentPolicyServerPropertyFlags, PolicyServerUrlFlags, X509EnrollmentAuthFlags


class ICertPropertyEnrollmentPolicyServer(ICertProperty):
    """Which policy and enrollment servers the certificate came by."""

    fixed_id = POLICY_SERVER

    def Initialize(
        self,
        PropertyFlags: EnrollmentPolicyServerPropertyFlags,
        AuthFlags: X509EnrollmentAuthFlags,
        EnrollmentServerAuthFlags: X509EnrollmentAuthFlags,
        UrlFlags: PolicyServerUrlFlags,
        strRequestId: str,
        strUrl: str,
        strId: str,
        strEnrollmentServerUrl: str,
    ) -> None:
        """Takes the values.

        Args:
            PropertyFlags: whether the policy server is the default one.
            AuthFlags: how one authenticates to the policy server.
            EnrollmentServerAuthFlags: how one authenticates to the enrollment server.
            UrlFlags: where the policy server is registered, and what it allows.
            strRequestId: the text by which the enrollment server knows the request.
            strUrl, strId: of the policy server.
            strEnrollmentServerUrl: of the enrollment server.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED the second time, WIN32_INVALID_DATA for a text with a NUL in it.
        """
        numbers = int(PropertyFlags), int(AuthFlags), int(EnrollmentServerAuthFlags), int(UrlFlags)
        self.take_value(encode_policy_server(PolicyServer(*numbers, strRequestId, strUrl, strId, strEnrollmentServerUrl)))

    def GetPolicyServerUrl(self) -> str:
        """The policy server's URL. Raises OLE_E_BLANK before an Initialize method, as the others do."""
        return self._server().url

    def GetPolicyServerId(self) -> str:
        """The policy server's id."""
        return self._server().policy_id

    def GetEnrollmentServerUrl(self) -> str:
        """The enrollment server's URL."""
        return self._server().enrollment_url

    def GetRequestIdString(self) -> str:
        """The text by which the enrollment server knows the request."""
        return self._server().request_id

    def GetPropertyFlags(self) -> EnrollmentPolicyServerPropertyFlags:
        """Whether the policy server is the default one."""
        return EnrollmentPolicyServerPropertyFlags(self._server().property_flags)

    def GetUrlFlags(self) -> PolicyServerUrlFlags:
        """Where the policy server is registered, and what it allows."""
        return PolicyServerUrlFlags(self._server().url_flags)

    def GetAuthentication(self) -> X509EnrollmentAuthFlags:
        """How one authenticates to the policy server."""
        return X509EnrollmentAuthFlags(self._server().authentication)

    def GetEnrollmentServerAuthentication(self) -> X509EnrollmentAuthFlags:
        """How one authenticates to the enrollment server."""
        return X509EnrollmentAuthFlags(self._server().enrollment_authentication)

    def _server(self) -> PolicyServer:
        return decode_policy_server(self.value_bytes())
