"""IX509PolicyServerUrl and IX509PolicyServerListManager: the policy servers that a profile knows.

What Windows keeps in the registry and in group policy is in two files of the profile. Knows no policy.

Source: the pages of the two interfaces; docs/analysis/policy-servers.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from certenroll.ca.policies import servers
from certenroll.ca.policies.servers import PolicyServer
from certenroll.com import ComCollection, ComObject, Slot
from certenroll.enums import (
    PolicyServerUrlFlags,
    PolicyServerUrlPropertyID,
    X509CertificateEnrollmentContext,
    X509EnrollmentAuthFlags,
)
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT

# A number, for the complement of a flag knows its own bits alone.
_LOCATIONS: Final = int(PolicyServerUrlFlags.PsfLocationGroupPolicy | PolicyServerUrlFlags.PsfLocationRegistry)
_FIELDS: Final = {
    PolicyServerUrlPropertyID.PsPolicyID: "policy_id",
    PolicyServerUrlPropertyID.PsFriendlyName: "friendly_name",
}


class IX509PolicyServerUrl(ComObject):
    """One policy server: where it is and how it is used. Written into the profile by UpdateRegistry alone."""

    def __init__(self) -> None:
        self._context: Slot[X509CertificateEnrollmentContext] = Slot("the policy server URL")
        self._url = ""
        self._default = False
        self._flags = PolicyServerUrlFlags.PsfNone
        self._auth_flags = X509EnrollmentAuthFlags.X509AuthNone
        self._cost = 0
        self._texts: dict[PolicyServerUrlPropertyID, str] = {}

    def Initialize(self, context: X509CertificateEnrollmentContext) -> None:
        """Says whose policy server it is.

        Args:
            context: the user's or the computer's.

        Raises:
            ComError: E_INVALIDARG for ContextNone, WIN32_ALREADY_INITIALIZED on the second time.
        """
        self._context.set(checked_context(context))

    @property
    def Url(self) -> str:
        """The server's URL. Raises ComError OLE_E_BLANK before Initialize, CERTSRV_E_PROPERTY_EMPTY before it is set."""
        self._context.get()
        if not self._url:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "the policy server has no URL; set Url first")
        return self._url

    @Url.setter
    def Url(self, pValue: str) -> None:
        self._context.get()
        self._url = pValue.strip()

    @property
    def Default(self) -> bool:
        """Whether its policy is the default one. Raises ComError OLE_E_BLANK."""
        self._context.get()
        return self._default

    @Default.setter
    def Default(self, value: bool) -> None:
        self._context.get()
        self._default = value

    @property
    def Flags(self) -> PolicyServerUrlFlags:
        """Where it is registered, and how it is used. Raises ComError OLE_E_BLANK."""
        self._context.get()
        return self._flags

    @Flags.setter
    def Flags(self, Flags: PolicyServerUrlFlags) -> None:
        self._context.get()
        self._flags = Flags

    @property
    def AuthFlags(self) -> X509EnrollmentAuthFlags:
        """How the client says who it is. Raises ComError OLE_E_BLANK."""
        self._context.get()
        return self._auth_flags

    @AuthFlags.setter
    def AuthFlags(self, Flags: X509EnrollmentAuthFlags) -> None:
        self._context.get()
        self._auth_flags = Flags

    @property
    def Cost(self) -> int:
        """Of the servers with one policy identifier the one with the lowest is asked first. Raises ComError OLE_E_BLANK."""
        self._context.get()
        return self._cost

    @Cost.setter
    def Cost(self, value: int) -> None:
        self._context.get()
        self._cost = value & 0xFFFFFFFF

    def GetStringProperty(self, propertyId: PolicyServerUrlPropertyID) -> str:
        """The policy's identifier, or the name to show.

        Args:
            propertyId: which of the two.

        Raises:
            ComError: CERTSRV_E_PROPERTY_EMPTY where it is not set, OLE_E_BLANK before Initialize.
        """
        self._context.get()
        found = self._texts.get(propertyId)
        if not found:
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, f"{propertyId.name} is not set")
        return found

    def SetStringProperty(self, propertyId: PolicyServerUrlPropertyID, pValue: str) -> None:
        """Sets the policy's identifier, or the name to show.

        Args:
            propertyId: which of the two.
            pValue: the text; an identifier should be unique.

        Raises:
            ComError: E_INVALIDARG for an empty text, OLE_E_BLANK before Initialize.
        """
        self._context.get()
        if not pValue:
            raise BadArgument(HRESULT.E_INVALIDARG, f"{propertyId.name} cannot be empty", argerror=1)
        self._texts[propertyId] = pValue

    def UpdateRegistry(self, context: X509CertificateEnrollmentContext) -> None:
        """Registers the server in a profile, in the place of one with the same URL.

        Args:
            context: whose profile.

        Raises:
            ComError: E_INVALIDARG where the URL is empty or for ContextNone, WIN32_ACCESS_DISABLED_BY_POLICY where an
                administrator gave the URL, OLE_E_BLANK before Initialize.
        """
        self._context.get()
        servers.register(profile_directory_of(checked_context(context)), self.to_server())

    def RemoveFromRegistry(self, context: X509CertificateEnrollmentContext) -> None:
        """Takes the server from a profile; one that is not registered there is no error.

        Args:
            context: whose profile.

        Raises:
            ComError: E_INVALIDARG for ContextNone, WIN32_ACCESS_DISABLED_BY_POLICY where an administrator gave the URL,
                OLE_E_BLANK before Initialize.
        """
        self._context.get()
        servers.unregister(profile_directory_of(checked_context(context)), self._url)

    def to_server(self) -> PolicyServer:
        """The server as a profile keeps it. Raises ComError OLE_E_BLANK."""
        self._context.get()
        texts = {_FIELDS[one]: text for one, text in self._texts.items()}
        usage = int(self._flags) & ~_LOCATIONS
        return PolicyServer(
            self._url, auth_flags=int(self._auth_flags), flags=usage, cost=self._cost, default=self._default, **texts
        )


class IX509PolicyServerListManager(ComCollection[IX509PolicyServerUrl]):
    """The policy servers of a profile. Adding and removing here changes the collection, not the profile."""

    _item_type_ = "IX509PolicyServerUrl"

    def __init__(self) -> None:
        self._urls: Slot[list[IX509PolicyServerUrl]] = Slot("the list of policy servers")

    @property
    def _items(self) -> list[IX509PolicyServerUrl]:  # type: ignore[override]  # nothing is there before Initialize
        return self._urls.get()

    def Initialize(self, context: X509CertificateEnrollmentContext, Flags: PolicyServerUrlFlags) -> None:
        """Reads the policy servers, those with the lowest cost first.

        Args:
            context: whose.
            Flags: PsfLocationGroupPolicy for those that an administrator gave, PsfLocationRegistry for those that were
                registered, or both. A server that is in both places is the administrator's.

        Raises:
            ComError: E_INVALIDARG where Flags names neither place or more than the places, or for ContextNone;
                WIN32_ALREADY_INITIALIZED on the second time; WIN32_INVALID_DATA where a file is malformed.
        """
        if not Flags & _LOCATIONS or int(Flags) & ~_LOCATIONS:
            text = "Flags is PsfLocationGroupPolicy, PsfLocationRegistry or both"
            raise BadArgument(HRESULT.E_INVALIDARG, text, argerror=1)
        directory = profile_directory_of(checked_context(context))
        found: dict[str, tuple[PolicyServer, PolicyServerUrlFlags]] = {}
        for place, read in _PLACES.items():
            for one in read(directory) if Flags & place else ():
                found.setdefault(one.key, (one, place))
        ordered = sorted(found.values(), key=lambda pair: pair[0].cost)
        self._urls.set([url_from(server, place, context) for server, place in ordered])


_PLACES: Final = {
    PolicyServerUrlFlags.PsfLocationGroupPolicy: servers.from_group_policy,
    PolicyServerUrlFlags.PsfLocationRegistry: servers.registered,
}


def url_from(
    server: PolicyServer, place: PolicyServerUrlFlags, context: X509CertificateEnrollmentContext
) -> IX509PolicyServerUrl:
    """The object of a policy server.

    Args:
        server: the server.
        place: PsfLocationGroupPolicy or PsfLocationRegistry.
        context: whose it is.
    """
    made = IX509PolicyServerUrl()
    made._context.set(context)
    made._url, made._default, made._cost = server.url, server.default, server.cost
    made._flags = PolicyServerUrlFlags(server.flags) | place
    made._auth_flags = X509EnrollmentAuthFlags(server.auth_flags)
    made._texts = {one: getattr(server, name) for one, name in _FIELDS.items() if getattr(server, name)}
    return made


def checked_context(context: X509CertificateEnrollmentContext) -> X509CertificateEnrollmentContext:
    """The context. Raises BadArgument (E_INVALIDARG) for ContextNone."""
    if context is X509CertificateEnrollmentContext.ContextNone:
        raise BadArgument(HRESULT.E_INVALIDARG, "a policy server is the user's or the computer's; ContextNone is neither")
    return context


def profile_directory_of(context: X509CertificateEnrollmentContext) -> Path:
    """The folder of the profile of a context."""
    from certenroll.engine.opening import open_workspace

    return open_workspace(context).profile.directory
