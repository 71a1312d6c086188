"""IX509EnrollmentPolicyServer: where a script learns which templates there are, and which CAs issue them.

Both coclasses create it: CX509EnrollmentPolicyActiveDirectory for a script that asks the directory, which is the profile's
local CA here, and CX509EnrollmentPolicyWebService for one that asks a policy server, which is a policy document here.

Knows no XML and no file: ``ca.policy_sources`` finds policies.

Source: the interface's pages; docs/analysis/policy-servers.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from certenroll.ca.policies import sources
from certenroll.ca.policies.documents import PolicyDocument, decode_policy, encode_policy
from certenroll.ca.policies.servers import PolicyServer, find_server
from certenroll.ca.policies.sources import LoadedPolicy
from certenroll.certification_authorities import ICertificationAuthorities, authority_from
from certenroll.com import ComObject, Slot
from certenroll.enums import (
    PolicyServerUrlFlags,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
    X509EnrollmentPolicyExportFlags,
    X509EnrollmentPolicyLoadOption,
)
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import IObjectIds
from certenroll.policy_credentials import check_auth_flags, check_credential
from certenroll.policy_server_urls import checked_context
from certenroll.templates import IX509CertificateTemplate, IX509CertificateTemplates, template_from

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import AuthorityFacts, TemplateFacts
    from certenroll.engine.workspace import Workspace

_OPTION: Final = X509EnrollmentPolicyLoadOption
_EXPORT: Final = X509EnrollmentPolicyExportFlags
_OLE_EPOCH: Final = datetime(1899, 12, 30, tzinfo=UTC)
_SECONDS_A_DAY: Final = 86_400
_IMPORT: Final = ""  # the URL of a policy that came from InitializeImport


@dataclass(frozen=True)
class _Server:
    """What Initialize was given; the URL is empty where the policy was imported."""

    url: str
    policy_id: str = ""
    auth_flags: X509EnrollmentAuthFlags = X509EnrollmentAuthFlags.X509AuthNone
    allow_untrusted: bool = False
    context: X509CertificateEnrollmentContext = X509CertificateEnrollmentContext.ContextUser


class IX509EnrollmentPolicyServer(ComObject):
    """A policy server. Initialized once, then loaded as often as is wanted."""

    def __init__(self) -> None:
        self._server: Slot[_Server] = Slot("the policy server")
        self._policy: LoadedPolicy | None = None
        self._cost: int | None = None
        # What GetTemplates and GetCAs gave last, where LoadPolicy was asked to watch the directory.
        self._seen_templates: tuple[TemplateFacts, ...] | None = None
        self._seen_authorities: tuple[AuthorityFacts, ...] | None = None
        self._watching = False

    def Initialize(
        self,
        bstrPolicyServerUrl: str,
        bstrPolicyServerId: str,
        authFlags: X509EnrollmentAuthFlags,
        fIsUnTrusted: bool,
        context: X509CertificateEnrollmentContext,
    ) -> None:
        """Says which server it is. Nothing is read before LoadPolicy.

        Args:
            bstrPolicyServerUrl: "ldap:" for the directory, "file:" and the name of a policy document, or an HTTPS URL.
            bstrPolicyServerId: the identifier that the policy must have, or "".
            authFlags: how the client says who it is.
            fIsUnTrusted: whether CAs that are not trusted are allowed.
            context: the user's or the computer's profile.

        Raises:
            ComError: E_INVALIDARG for a URL that is empty or of another kind, an unknown way to authenticate or
                ContextNone; WIN32_ALREADY_INITIALIZED on the second time.
        """
        sources.scheme_of(bstrPolicyServerUrl)
        check_auth_flags(authFlags)
        server = _Server(
            bstrPolicyServerUrl, bstrPolicyServerId.strip(), authFlags, fIsUnTrusted, checked_context(context)
        )
        self._server.set(server)

    def InitializeImport(self, val: object) -> None:
        """Takes the templates and object identifiers that Export wrote.

        Args:
            val: the bytes.

        Raises:
            ComError: WIN32_INVALID_PARAMETER (E_INVALIDARG) where they are no bytes, WIN32_INVALID_DATA where they are no
                policy, WIN32_ALREADY_INITIALIZED on the second time.
        """
        if not isinstance(val, (bytes, bytearray, memoryview)):
            raise BadArgument(HRESULT.E_INVALIDARG, "the bytes that Export returned are needed", argerror=0)
        document = decode_policy(bytes(val))
        self._server.set(_Server(_IMPORT, document.policy_id))
        self._policy = LoadedPolicy(document, datetime.now(UTC))

    def LoadPolicy(self, option: X509EnrollmentPolicyLoadOption) -> None:
        """Reads the policy.

        Args:
            option: LoadOptionDefault reads it where what was kept has run out, LoadOptionReload always, and
                LoadOptionRegisterForADChanges watches the directory as well.

        Raises:
            ComError: E_INVALIDARG for LoadOptionCacheOnly, which Microsoft does not support, and for watching what is no
                directory; E_NOT_VALID_STATE (WIN32_INVALID_STATE) where there is no directory, and after InitializeImport;
                WIN32_INVALID_DATA where the policy is malformed or has another identifier; WIN32_FILE_NOT_FOUND where the
                document is not there; RPC_SERVER_UNAVAILABLE for an HTTPS URL for which no document stands; OLE_E_BLANK.
        """
        server = self._server.get()
        if server.url == _IMPORT:
            raise ComError(HRESULT.WIN32_INVALID_STATE, "this policy was imported; there is no server to load it from")
        if option is _OPTION.LoadOptionCacheOnly:
            raise BadArgument(HRESULT.E_INVALIDARG, "LoadOptionCacheOnly is not supported, as in Windows", argerror=0)
        watch = option is _OPTION.LoadOptionRegisterForADChanges
        if watch and sources.scheme_of(server.url) != sources.DIRECTORY:
            raise BadArgument(HRESULT.E_INVALIDARG, "only the directory (ldap:) can be watched", argerror=0)
        self._policy = self._load(reload=option is _OPTION.LoadOptionReload)
        self._watching = self._watching or watch
        self._seen_templates = self._policy.document.templates
        self._seen_authorities = self._policy.document.authorities

    def Validate(self) -> None:
        """Reads the policy anew.

        Raises:
            ComError: as LoadPolicy with LoadOptionReload; WIN32_INVALID_STATE after InitializeImport.
        """
        self.LoadPolicy(_OPTION.LoadOptionReload)

    def GetTemplates(self) -> IX509CertificateTemplates:
        """The templates of the policy that whoever asks may enroll for, and those that he may only see.

        Raises:
            ComError: OLE_E_BLANK before Initialize and before LoadPolicy.
        """
        document = self._current()
        self._seen_templates = document.templates
        context = self._server.get().context
        return IX509CertificateTemplates([template_from(one, context) for one in document.templates])

    def GetCAs(self) -> ICertificationAuthorities:
        """The CAs of the policy. Raises ComError OLE_E_BLANK before Initialize and before LoadPolicy."""
        document = self._current()
        self._seen_authorities = document.authorities
        return ICertificationAuthorities([authority_from(one) for one in document.authorities])

    def GetCAsForTemplate(self, pTemplate: IX509CertificateTemplate) -> ICertificationAuthorities:
        """The CAs that issue a template.

        Args:
            pTemplate: a template of this policy; one of the same name of another policy stands for it.

        Returns:
            The CAs; none where the policy has no such template.

        Raises:
            ComError: OLE_E_BLANK before Initialize and before LoadPolicy, E_POINTER without a template.
        """
        name = pTemplate.template_facts().common_name.casefold()
        document = self._current()
        found = {number for one in document.templates if one.common_name.casefold() == name for number in one.authorities}
        return ICertificationAuthorities([authority_from(one) for one in document.authorities if one.reference in found])

    def GetCustomOids(self) -> IObjectIds:
        """Is not implemented by Microsoft. Raises ComError E_NOTIMPL."""
        raise ComError(HRESULT.E_NOTIMPL, "GetCustomOids is not implemented, as in Windows")

    def GetNextUpdateTime(self) -> float:
        """When the policy should be read again, as a DATE in UTC.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY before LoadPolicy and for an imported policy, OLE_E_BLANK.
        """
        return _date(self._downloaded().next_update)

    def GetLastUpdateTime(self) -> float:
        """When the policy was read, as a DATE in UTC. Raises ComError as GetNextUpdateTime."""
        return _date(self._downloaded().loaded)

    def GetPolicyServerUrl(self) -> str:
        """The URL that Initialize was given. Raises ComError OLE_E_BLANK, CERTSRV_E_PROPERTY_EMPTY for an import."""
        return _some(self._server.get().url, "an imported policy has no URL")

    def GetPolicyServerId(self) -> str:
        """The identifier that Initialize was given, or else that of the policy.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where neither is known, OLE_E_BLANK.
        """
        return _some(self._policy_id(), "the identifier is known when the policy is loaded")

    def GetFriendlyName(self) -> str:
        """The name to show: the policy's, or else the one under which the server is registered.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where there is neither, OLE_E_BLANK.
        """
        known = self._registered()
        loaded = self._policy.document.friendly_name if self._policy is not None else None
        return _some(loaded or (known.friendly_name if known is not None else ""), "the policy server has no name")

    def GetIsDefaultCEP(self) -> bool:
        """Whether the server is registered as the default one. Raises ComError OLE_E_BLANK."""
        known = self._registered()
        return known is not None and known.default

    def GetUseClientId(self) -> bool:
        """Whether the server is registered with PsfUseClientId. Raises ComError OLE_E_BLANK."""
        known = self._registered()
        return known is not None and bool(known.flags & PolicyServerUrlFlags.PsfUseClientId)

    def GetAllowUnTrustedCA(self) -> bool:
        """Whether CAs that are not trusted are allowed, as Initialize was told. Raises ComError OLE_E_BLANK."""
        return self._server.get().allow_untrusted

    def GetCachePath(self) -> str:
        """The file that keeps the policy.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY for the directory and an imported policy, which are not kept; OLE_E_BLANK.
        """
        server = self._server.get()
        path = sources.cache_path(self._workspace().profile, server.url) if server.url != _IMPORT else None
        return _some(str(path) if path is not None else "", "this policy is not kept in a file")

    def GetCacheDir(self) -> str:
        """The folder of that file. Raises ComError as GetCachePath."""
        return self.GetCachePath().rpartition("/")[0]

    def GetAuthFlags(self) -> X509EnrollmentAuthFlags:
        """How the client says who it is. Raises ComError OLE_E_BLANK."""
        return self._server.get().auth_flags

    def SetCredential(
        self, hWndParent: int, flag: X509EnrollmentAuthFlags, strCredential: str, strPassword: str
    ) -> None:
        """Checks the credential for the server. It is not kept: a document on disk asks for none.

        Args:
            hWndParent: a window; none is shown.
            flag: X509AuthAnonymous or X509AuthKerberos with neither text, X509AuthUsername with both, X509AuthCertificate
                with the SHA-1 thumbprint of a certificate in hexadecimal and no password.
            strCredential: the user's name or the thumbprint.
            strPassword: the user's password.

        Raises:
            ComError: E_INVALIDARG for another flag, or texts that do not go with it; OLE_E_BLANK.
        """
        server = self._server.get()
        check_credential(flag, strCredential, strPassword)
        if server.url != _IMPORT:
            self._server.replace(replace(server, auth_flags=flag))

    def QueryChanges(self) -> bool:
        """Whether the templates or the CAs of the directory have changed since GetTemplates and GetCAs gave them.

        Raises:
            ComError: E_NOT_VALID_STATE (WIN32_INVALID_STATE) where LoadPolicy was not told to watch, OLE_E_BLANK.
        """
        self._server.get()
        if not self._watching:
            text = "call LoadPolicy with LoadOptionRegisterForADChanges first"
            raise ComError(HRESULT.WIN32_INVALID_STATE, text)
        now = self._load(reload=True).document
        return (now.templates, now.authorities) != (self._seen_templates, self._seen_authorities)

    def Export(self, exportFlags: X509EnrollmentPolicyExportFlags) -> bytes:
        """The templates and object identifiers, for InitializeImport.

        Args:
            exportFlags: ExportTemplates, ExportOIDs or both; ExportCAs goes with one of them. Object identifiers that the
                templates use go with the templates.

        Returns:
            A policy document (MS-XCEP), UTF-8; without anything in it before LoadPolicy.

        Raises:
            ComError: WIN32_NOT_SUPPORTED where neither templates nor identifiers are asked for, OLE_E_BLANK.
        """
        self._server.get()
        if not exportFlags & (_EXPORT.ExportTemplates | _EXPORT.ExportOIDs):
            raise BadArgument(HRESULT.WIN32_NOT_SUPPORTED, "export ExportTemplates, ExportOIDs or both", argerror=0)
        document = self._policy.document if self._policy is not None else PolicyDocument(self._policy_id())
        authorities = document.authorities if exportFlags & _EXPORT.ExportCAs else ()
        references = {one.reference for one in authorities}
        templates = document.templates if exportFlags & _EXPORT.ExportTemplates else ()
        chosen = replace(
            document,
            authorities=authorities,
            oids=document.oids if exportFlags & _EXPORT.ExportOIDs else (),
            templates=tuple(
                replace(one, authorities=tuple(number for number in one.authorities if number in references))
                for one in templates
            ),
        )
        return encode_policy(chosen)

    @property
    def Cost(self) -> int:
        """Of the servers with one identifier the one with the lowest is asked first; as registered, where it is not set.

        Raises:
            ComError: OLE_E_BLANK.
        """
        known = self._registered()
        if self._cost is not None:
            return self._cost
        return known.cost if known is not None else 0

    @Cost.setter
    def Cost(self, value: int) -> None:
        self._server.get()
        self._cost = value & 0xFFFFFFFF

    def loaded_policy(self) -> PolicyDocument:
        """The policy as it was loaded, for Python's side of the object model. Raises ComError OLE_E_BLANK."""
        self._server.get()
        if self._policy is None:
            raise ComError(HRESULT.OLE_E_BLANK, "the policy is not loaded; call LoadPolicy")
        return self._policy.document

    def _current(self) -> PolicyDocument:
        """The policy to show: where the directory is watched, as it is now."""
        found = self.loaded_policy()
        if self._watching:
            self._policy = self._load(reload=True)
            found = self._policy.document
        return found

    def _downloaded(self) -> LoadedPolicy:
        if self._server.get().url == _IMPORT or self._policy is None:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "no policy was loaded from a server")
        return self._policy

    def _load(self, *, reload: bool) -> LoadedPolicy:
        workspace = self._workspace()
        url = self._server.get().url
        return sources.load(workspace.profile, url, self._wanted_id(), workspace.clock(), reload=reload)

    def _wanted_id(self) -> str:
        given = self._server.get().policy_id
        known = self._registered() if not given else None
        return known.policy_id if known is not None else given

    def _policy_id(self) -> str:
        loaded = self._policy.document.policy_id if self._policy is not None else ""
        return self._server.get().policy_id or loaded

    def _registered(self) -> PolicyServer | None:
        url = self._server.get().url
        return find_server(self._workspace().profile.directory, url) if url != _IMPORT else None

    def _workspace(self) -> Workspace:
        from certenroll.engine.opening import open_workspace

        return open_workspace(self._server.get().context)


def _some(value: str, missing: str) -> str:
    if not value:
        raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, missing)
    return value


def _date(moment: datetime) -> float:
    return (moment - _OLE_EPOCH).total_seconds() / _SECONDS_A_DAY
