"""Which CAs a profile knows, and how each is reached: the configuration strings and the transports behind them.

Knows no transport itself: a table says which function opens one, and its module loads when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from certenroll.ca.base import CAError, CertificationAuthority
from certenroll.ca.names import same_config, split_config
from certenroll.hresults import HRESULT

LOCAL: Final = "local"


class CAEntry(Protocol):
    """What the settings say of one CA."""

    @property
    def config(self) -> str:
        """``host\\name``."""

    @property
    def transport(self) -> str:
        """A name of TRANSPORTS."""

    @property
    def url(self) -> str:
        """Where it is, or empty."""

    @property
    def path(self) -> str:
        """The folder of a local CA, or empty."""

    @property
    def options(self) -> Mapping[str, str | int | bool]:
        """What else its table says."""


class CASettings(Protocol):
    """The settings of a profile, as far as CAs go."""

    @property
    def default_ca(self) -> str | None:
        """The configuration string of the CA for whoever names none."""

    @property
    def cas(self) -> Mapping[str, CAEntry]:
        """The CAs by configuration string."""


class CAProfile(Protocol):
    """A profile, as far as CAs go."""

    @property
    def settings(self) -> CASettings:
        """Its settings."""

    @property
    def ca_directory(self) -> Path:
        """The folder of its local CA."""


@dataclass(frozen=True)
class Listed:
    """One CA of a profile.

    Attributes:
        config: ``host\\name``.
        transport: how it is reached.
        is_default: whether it answers those who name no CA.
        url: where it is, or empty.
        path: the folder of a local CA, or None.
    """

    config: str
    transport: str
    is_default: bool
    url: str = ""
    path: Path | None = None

    @property
    def host(self) -> str:
        """The first half of the configuration string."""
        return split_config(self.config)[0]

    @property
    def name(self) -> str:
        """The second half."""
        return split_config(self.config)[1]


def _open_local(profile: CAProfile, entry: CAEntry) -> CertificationAuthority:
    from certenroll.ca.local import LocalCA

    authority = LocalCA(profile.ca_directory.parent / entry.path if entry.path else profile.ca_directory)
    authority.config = entry.config  # so that what is remembered of a request leads here again
    return authority


Opener = Callable[[CAProfile, CAEntry], CertificationAuthority]

# The name of a transport in profile.toml -> what opens a CA behind it.
TRANSPORTS: Final[dict[str, Opener]] = {LOCAL: _open_local}


def open_ca(profile: CAProfile, config: str | None = None) -> CertificationAuthority:
    """The CA that a configuration string names.

    Args:
        profile: the profile that knows it.
        config: ``host\\name``, without regard to case; None or empty for the default CA of the settings, and where they
            have none for the profile's local CA.

    Raises:
        CAError: RPC_SERVER_UNAVAILABLE where no CA of that name is known or the local one is not there, E_INVALIDARG
            where its transport is unknown.
    """
    wanted = (config or "").strip() or profile.settings.default_ca
    if not wanted:
        return _local_ca(profile)
    entry = next((one for one in profile.settings.cas.values() if same_config(one.config, wanted)), None)
    if entry is None:
        return _unlisted(profile, wanted)
    opener = TRANSPORTS.get(entry.transport)
    if opener is None:
        text = f"the CA {wanted!r} has the transport {entry.transport!r}; known are {', '.join(TRANSPORTS)}"
        raise CAError(HRESULT.E_INVALIDARG, text)
    return opener(profile, entry)


def list_cas(profile: CAProfile) -> tuple[Listed, ...]:
    """The CAs of a profile: the default one first, then the local one, then those of the settings in their order."""
    default = profile.settings.default_ca
    local = _local_config(profile)
    found = []
    if local is not None and not any(same_config(local, one.config) for one in profile.settings.cas.values()):
        found.append(Listed(local, LOCAL, not default or same_config(default, local), path=profile.ca_directory))
    for entry in profile.settings.cas.values():
        is_default = bool(default) and same_config(entry.config, default or "")
        path = profile.ca_directory.parent / entry.path if entry.path else None
        found.append(Listed(entry.config, entry.transport, is_default, entry.url, path))
    return tuple(sorted(found, key=lambda one: not one.is_default))


def _unlisted(profile: CAProfile, wanted: str) -> CertificationAuthority:
    """The local CA needs no entry in the settings: its own name is enough."""
    local = _local_config(profile)
    if local is None or not same_config(local, wanted):
        known = ", ".join(one.config for one in list_cas(profile)) or "none"
        text = f"no CA is known as {wanted!r} (known: {known}): name it in profile.toml, or make one with 'xenroll ca init'"
        raise CAError(HRESULT.RPC_SERVER_UNAVAILABLE, text)
    return _local_ca(profile)


def _local_ca(profile: CAProfile) -> CertificationAuthority:
    from certenroll.ca.local import LocalCA

    return LocalCA(profile.ca_directory)


def _local_config(profile: CAProfile) -> str | None:
    """The configuration string of the local CA, or None where there is none."""
    from certenroll.ca.certificates import FACTS, load_facts

    if not (profile.ca_directory / FACTS).exists():
        return None
    return load_facts(profile.ca_directory).config
