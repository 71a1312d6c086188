"""IX509EnrollmentHelper: registers policy and enrollment servers, and asks for a certificate in one call.

Servers go to the profile's list, credentials to its credential cache; a password goes in and never comes out. Knows no web
service: policy comes from where ``ca.policy_sources`` finds it, and the CA is the profile's own. Source: the
nf-certenroll-ix509enrollmenthelper-* pages.
"""

from __future__ import annotations

import re
from typing import Final

from certenroll.ca.policies.servers import PolicyServer, find_server, register
from certenroll.ca.policies.sources import load
from certenroll.ca.policies.template_facts import TemplateFacts
from certenroll.com import ComObject, Slot
from certenroll.encodings import encode_text
from certenroll.engine.direct_issuance import obtain
from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import (
    EncodingType,
    PolicyServerUrlFlags,
    WebEnrollmentFlags,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
)
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.pkcs10_requests import IX509CertificateRequestPkcs10
from certenroll.policy_servers import IX509EnrollmentPolicyServer
from certenroll.requests import BASE64
from certenroll.stores.server_credentials import ServerCredential, ServerCredentials
from certenroll.templates import template_from
from keystores.base import Secret

_LONGEST_TEXT: Final = 64_000  # characters
_LOCATIONS: Final = PolicyServerUrlFlags.PsfLocationGroupPolicy | PolicyServerUrlFlags.PsfLocationRegistry
_WITH_CREDENTIAL: Final = X509EnrollmentAuthFlags.X509AuthUsername | X509EnrollmentAuthFlags.X509AuthCertificate
_THUMBPRINT: Final = re.compile("[0-9a-f]{40}")

# Way to authenticate -> (whether it has a credential, whether it has a password).
_NEEDS: Final[dict[int, tuple[bool, bool]]] = {
    int(X509EnrollmentAuthFlags.X509AuthAnonymous): (False, False),
    int(X509EnrollmentAuthFlags.X509AuthKerberos): (False, False),
    int(X509EnrollmentAuthFlags.X509AuthUsername): (True, True),
    int(X509EnrollmentAuthFlags.X509AuthCertificate): (True, False),
}


class IX509EnrollmentHelper(ComObject):
    """Enrollment for a web page: servers, credentials, a certificate."""

    def __init__(self) -> None:
        self._context: Slot[X509CertificateEnrollmentContext] = Slot("IX509EnrollmentHelper")

    def Initialize(self, Context: X509CertificateEnrollmentContext) -> None:
        """Takes for whom certificates are asked.

        Raises:
            ComError: WIN32_ALREADY_INITIALIZED on the second time, E_INVALIDARG for ContextNone.
        """
        if Context == X509CertificateEnrollmentContext.ContextNone:
            raise ComError(HRESULT.E_INVALIDARG, "a certificate is for the user or for the machine")
        self._context.set(Context)

    def AddPolicyServer(
        self,
        strEnrollmentPolicyServerURI: str,
        strEnrollmentPolicyID: str,
        EnrollmentPolicyServerFlags: PolicyServerUrlFlags,
        authFlags: X509EnrollmentAuthFlags,
        strCredential: str = "",
        strPassword: str = "",
    ) -> None:
        """Registers a policy server in the profile, in place of one with the same URL.

        Args:
            strEnrollmentPolicyServerURI: its URL.
            strEnrollmentPolicyID: its id, any text.
            EnrollmentPolicyServerFlags: PolicyServerUrlFlags.
            authFlags: one way to authenticate.
            strCredential: the user's name for X509AuthUsername, a thumbprint in hexadecimal digits for X509AuthCertificate,
                nothing for the others.
            strPassword: the password for X509AuthUsername, nothing for the others.

        Raises:
            ComError: OLE_E_BLANK before Initialize, E_INVALIDARG where the URL is missing or credential and password do
                not fit authFlags, WIN32_ARITHMETIC_OVERFLOW for a text above 64,000 characters or with a NUL in it.
        """
        _check_texts(strEnrollmentPolicyServerURI, strEnrollmentPolicyID, strCredential, strPassword)
        directory = self._workspace().profile.directory
        url = _given(strEnrollmentPolicyServerURI, "a policy server has a URL")
        credential = _credential(authFlags, strCredential, strPassword)
        flags = int(EnrollmentPolicyServerFlags & ~_LOCATIONS)
        register(directory, PolicyServer(url, strEnrollmentPolicyID, auth_flags=int(authFlags), flags=flags))
        ServerCredentials(directory).keep(url, credential)

    def AddEnrollmentServer(
        self,
        strEnrollmentServerURI: str,
        authFlags: X509EnrollmentAuthFlags,
        strCredential: str = "",
        strPassword: str = "",
    ) -> None:
        """Keeps the credentials of an enrollment server in the profile, in place of earlier ones.

        Arguments and errors are those of AddPolicyServer.
        """
        _check_texts(strEnrollmentServerURI, strCredential, strPassword)
        url = _given(strEnrollmentServerURI, "an enrollment server has a URL")
        credential = _credential(authFlags, strCredential, strPassword)
        ServerCredentials(self._workspace().profile.directory).keep(url, credential)

    def Enroll(
        self,
        strEnrollmentPolicyServerURI: str,
        strTemplateName: str,
        Encoding: EncodingType = BASE64,
        enrollFlags: WebEnrollmentFlags = WebEnrollmentFlags(0),  # noqa: B008 - a constant
    ) -> str | bytes:
        """Asks the profile's CA for a certificate by a template, and gives it; InstallResponse can install it.

        Args:
            strEnrollmentPolicyServerURI: a policy server that is registered.
            strTemplateName: the template's common name or object id.
            Encoding: how the text shall hold the certificate.
            enrollFlags: EnrollPrompt would ask the user for credentials; no user is asked here.

        Raises:
            ComError: OLE_E_BLANK before Initialize, E_INVALIDARG for no URL or no template, WIN32_ARITHMETIC_OVERFLOW for a
                text above 64,000 characters or with a NUL in it, E_ACCESSDENIED where the policy server is not registered or
                its credential is missing, CERTSRV_E_UNSUPPORTED_CERT_TYPE where its policy has no such template, E_PENDING
                where the CA holds the request, the CA's own code where it refuses, and what reading the policy raises.
        """
        workspace = self._workspace()
        _check_texts(strEnrollmentPolicyServerURI, strTemplateName)
        url = _given(strEnrollmentPolicyServerURI, "a policy server has a URL")
        name = _given(strTemplateName, "a template has a name or an object id")
        request = self._request(_template(workspace, url, name))
        return encode_text(obtain(workspace, request), Encoding)

    def _workspace(self) -> Workspace:
        return open_workspace(self._context.get())

    def _request(self, template: TemplateFacts) -> IX509CertificateRequestPkcs10:
        """A request for the template, with what it fixes of the request and of its key."""
        request = IX509CertificateRequestPkcs10()
        request.InitializeFromTemplate(self._context.get(), IX509EnrollmentPolicyServer(), template_from(template))
        return request


def _template(workspace: Workspace, url: str, name: str) -> TemplateFacts:
    directory = workspace.profile.directory
    server = find_server(directory, url)
    if server is None or (server.auth_flags & _WITH_CREDENTIAL and ServerCredentials(directory).find(url) is None):
        raise ComError(HRESULT.E_ACCESSDENIED, f"there is no credential for {url}: register it with AddPolicyServer")
    policy = load(workspace.profile, server.url, server.policy_id, workspace.clock()).document
    wanted = name.casefold()
    found = (one for one in policy.templates if wanted in (one.common_name.casefold(), one.oid))
    template = next(found, None)
    if template is None:
        known = ", ".join(one.common_name for one in policy.templates) or "none"
        raise ComError(HRESULT.CERTSRV_E_UNSUPPORTED_CERT_TYPE, f"{url} has no template {name!r}; it has {known}")
    return template


def _check_texts(*texts: str) -> None:
    for position, text in enumerate(texts):
        if len(text) > _LONGEST_TEXT or "\0" in text:
            detail = f"a text is longer than {_LONGEST_TEXT} characters or holds a NUL character"
            raise BadArgument(HRESULT.WIN32_ARITHMETIC_OVERFLOW, detail, argerror=position)


def _given(text: str, why: str) -> str:
    if not text.strip():
        raise BadArgument(HRESULT.E_INVALIDARG, why, argerror=0)
    return text.strip()


def _credential(authentication: int, credential: str, password: str) -> ServerCredential:
    """The credential as it is kept. Raises E_INVALIDARG where it does not fit the way to authenticate."""
    needs = _NEEDS.get(int(authentication))
    if needs is None:
        raise BadArgument(HRESULT.E_INVALIDARG, "one of anonymous, Kerberos, user name and certificate is wanted")
    if (bool(credential), bool(password)) != needs:
        wanted = " and ".join(f"{'a' if one else 'no'} {what}" for one, what in zip(needs, _WORDS, strict=True))
        raise BadArgument(HRESULT.E_INVALIDARG, f"{X509EnrollmentAuthFlags(authentication).name} takes {wanted}")
    if authentication == X509EnrollmentAuthFlags.X509AuthCertificate:
        credential = "".join(credential.split()).lower()
        if not _THUMBPRINT.fullmatch(credential):
            raise BadArgument(HRESULT.E_INVALIDARG, "a certificate is named by the 40 digits of its thumbprint")
    return ServerCredential(int(authentication), credential, Secret(password) if password else None)


_WORDS: Final = ("credential", "password")
