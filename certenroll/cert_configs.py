"""ICertConfig, ICertConfig2 and ICertGetConfig: which CAs there are, and their configuration strings.

What Windows reads from Active Directory and a shared folder comes from the profile here. Output parameters are return
values. docs/analysis/certcli.md tells what was chosen where Microsoft's pages are silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from certenroll.ca.names import restored, sanitized, sanitized_short
from certenroll.com import ComObject
from certenroll.enums import CERT_GET_CONFIG_FLAGS
from certenroll.errors import BadArgument, ComError
from certenroll.hresults import HRESULT

if TYPE_CHECKING:
    from certenroll.ca.directory import Listed

_SOURCE: Final = "CertCli"
_NO_MORE: Final = -1
_LOCAL: Final = "local"
_FROM_SHARED_FOLDER: Final = 2  # CAIF_SHAREDFOLDERENTRY: what is not in a directory is in a folder


class ICertConfig(ComObject):
    """Walks through the CAs that are known.

    A new object stands before the first of them: Next moves to it.
    """

    def __init__(self) -> None:
        self._entries: Sequence[Listed] | None = None
        self._index = 0
        self._record: Listed | None = None

    def Reset(self, Index: int) -> int:
        """Moves to one of the configurations.

        Args:
            Index: which, from 0. Next gives the one behind it.

        Returns:
            How many there are.

        Raises:
            ComError: WIN32_INVALID_INDEX where there is none of that index. 0 is always allowed.

        Source: ICertConfig::Reset.
        """
        self._entries = _list()
        if Index and not 0 <= Index < len(self._entries):
            text = f"configuration {Index} of {len(self._entries)}"
            raise BadArgument(HRESULT.WIN32_INVALID_INDEX, text, source=_SOURCE, argerror=0)
        self._index = Index
        self._record = self._entries[Index] if self._entries else None
        return len(self._entries)

    def Next(self) -> int:
        """Moves to the next configuration. Returns its index, or -1 where there are no more."""
        if self._entries is None:
            self._entries = _list()
            following = 0
        else:
            following = self._index + 1
        if following >= len(self._entries):
            self._record = None
            self._index = len(self._entries)
            return _NO_MORE
        self._index, self._record = following, self._entries[following]
        return following

    def GetField(self, strFieldName: str) -> str:
        """A field of the configuration that Reset or Next moved to.

        Args:
            strFieldName: one of the names of ICertConfig::GetField, without regard to case.

        Raises:
            ComError: OLE_E_BLANK where there is no current configuration, E_INVALIDARG where no field has that name,
                CERTSRV_E_PROPERTY_EMPTY where this CA gives no data for it.

        Source: ICertConfig::GetField.
        """
        read = _FIELDS.get(strFieldName.strip().casefold())
        if read is None:
            text = f"no field is called {strFieldName!r}"
            raise BadArgument(HRESULT.E_INVALIDARG, text, source=_SOURCE, argerror=0)
        if self._record is None:
            raise ComError(HRESULT.OLE_E_BLANK, "there is no current configuration: call Reset or Next", source=_SOURCE)
        value = read(self._record)
        if not value:
            text = f"{self._record.config} gives no data for {strFieldName}"
            raise ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, text, source=_SOURCE)
        return value

    def GetConfig(self, Flags: CERT_GET_CONFIG_FLAGS) -> str:
        """The configuration string of a CA.

        Args:
            Flags: CC_*: the default CA, the first, the local one; or the one that a user picks, which is the default one
                here, since no dialog is shown.

        Raises:
            ComError: WIN32_NOT_FOUND where there is no such CA.

        Source: ICertConfig::GetConfig.
        """
        return _get_config(Flags)

    def SetSharedFolder(self, strSharedFolder: str) -> None:
        """Names another folder in which CAs are listed. There is none here: the profile lists them.

        Raises:
            ComError: WIN32_NOT_SUPPORTED.

        Source: ICertConfig2::SetSharedFolder.
        """
        text = f"CAs are listed in profile.toml, and in no shared folder: {strSharedFolder!r} is not read"
        raise ComError(HRESULT.WIN32_NOT_SUPPORTED, text, source=_SOURCE)


ICertConfig2 = ICertConfig


class ICertGetConfig(ComObject):
    """Gives configuration strings alone."""

    def GetConfig(self, Flags: CERT_GET_CONFIG_FLAGS) -> str:
        """The configuration string of a CA, as ICertConfig.GetConfig gives it.

        Source: ICertGetConfig::GetConfig.
        """
        return _get_config(Flags)


def _list() -> Sequence[Listed]:
    from certenroll.ca.directory import list_cas
    from certenroll.stores.profile import open_profile

    return list_cas(open_profile())


def _default(entries: Sequence[Listed]) -> Listed | None:
    return next((one for one in entries if one.is_default), entries[0] if entries else None)


def _local(entries: Sequence[Listed]) -> Listed | None:
    return next((one for one in entries if one.transport == _LOCAL), None)


_CHOICES: Final[dict[CERT_GET_CONFIG_FLAGS, Callable[[Sequence[Listed]], Listed | None]]] = {
    CERT_GET_CONFIG_FLAGS.CC_DEFAULTCONFIG: _default,
    CERT_GET_CONFIG_FLAGS.CC_UIPICKCONFIG: _default,
    CERT_GET_CONFIG_FLAGS.CC_UIPICKCONFIGSKIPLOCALCA: lambda entries: _default(
        [one for one in entries if one.transport != _LOCAL]
    ),
    CERT_GET_CONFIG_FLAGS.CC_FIRSTCONFIG: lambda entries: entries[0] if entries else None,
    CERT_GET_CONFIG_FLAGS.CC_LOCALCONFIG: _local,
    CERT_GET_CONFIG_FLAGS.CC_LOCALACTIVECONFIG: _local,
}


def _get_config(flags: CERT_GET_CONFIG_FLAGS) -> str:
    found = _CHOICES[flags](_list())
    if found is None:
        text = f"no CA is known for {flags.name}: name one in profile.toml, or make one with 'xenroll ca init'"
        raise ComError(HRESULT.WIN32_NOT_FOUND, text, source=_SOURCE)
    return found.config


def _certificate_file(entry: Listed) -> str:
    return str(entry.path / "ca.crt") if entry.path is not None else ""


# The fields that a configuration has, in lower case -> where each comes from. What the profile does not know is empty.
_FIELDS: Final[dict[str, Callable[[Listed], str]]] = {
    "authority": lambda entry: entry.name,
    "commonname": lambda entry: entry.name,
    "config": lambda entry: entry.config,
    "country": lambda _: "",
    "description": lambda entry: f"{entry.name} ({entry.transport})",
    "exchangecertificate": lambda _: "",
    "flags": lambda _: str(_FROM_SHARED_FOLDER),
    "locality": lambda _: "",
    "organization": lambda _: "",
    "orgunit": lambda _: "",
    "sanitizedname": lambda entry: sanitized(entry.name),
    "sanitizedshortname": lambda entry: sanitized_short(entry.name),
    "server": lambda entry: entry.host,
    "shortname": lambda entry: restored(sanitized_short(entry.name)),
    "signaturecertificate": _certificate_file,
    "state": lambda _: "",
    "webenrollmentservers": lambda entry: entry.url,
}
