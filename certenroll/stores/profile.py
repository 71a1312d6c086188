"""A profile: one folder with its settings, its database, its keys and its CA. Knows where things are, not what they mean.

    profile.toml      settings, where there are any
    store.db          certificates, requests, journal (SQLite)
    keys/             the key stores' own folders
    ca/               the local CA

Folders are made with mode 0700 and the database with 0600.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from certenroll.hresults import HRESULT
from certenroll.stores.errors import ProfileError, os_code
from certenroll.stores.settings import Settings, read_settings
from keystores.base import Scope

if TYPE_CHECKING:
    from certenroll.stores.database import Database

_SYSTEM_FOLDER = Path("/var/lib/xenroll")


@dataclass(frozen=True)
class Profile:
    """One folder.

    Attributes:
        directory: the folder.
        scope: whose it is.
        settings: what its profile.toml says.
    """

    directory: Path
    scope: Scope = Scope.USER
    settings: Settings = field(default_factory=Settings)

    @cached_property
    def database(self) -> Database:
        """The database; the file is made and opened at its first use. One object for all threads."""
        from certenroll.stores.database import Database

        return Database(self.directory / "store.db")

    @cached_property
    def keys_directory(self) -> Path:
        """The folder of the key stores, made where it is not there."""
        return _private_folder(self.directory / "keys")

    @cached_property
    def ca_directory(self) -> Path:
        """The folder of the local CA, made where it is not there."""
        return _private_folder(self.directory / "ca")

    @property
    def key_passphrase_file(self) -> Path | None:
        """The file that holds the passphrase of software keys, or None; a relative name is relative to the folder."""
        name = self.settings.key_passphrase_file
        return self.directory / name if name else None


def profile_directory(scope: Scope = Scope.USER, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the profile of a scope is.

    Args:
        scope: whose profile.
        environ: the environment. XENROLL_HOME names the user's folder, and the machine's is ``machine`` within it. Without
            it, the user's is ``xenroll`` in the XDG data folder; the machine's is /var/lib/xenroll for root, and for anyone
            else ``machine`` within the user's.
    """
    home = environ.get("XENROLL_HOME", "")
    if not home and scope is Scope.MACHINE and os.geteuid() == 0:
        return _SYSTEM_FOLDER
    base = Path(home).absolute() if home else _data_folder(environ) / "xenroll"
    return base / "machine" if scope is Scope.MACHINE else base


def _data_folder(environ: Mapping[str, str]) -> Path:
    data = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(data):  # the XDG specification has relative ones ignored
        return Path(data)
    home = environ.get("HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home()) / ".local" / "share"


def open_profile(scope: Scope = Scope.USER, environ: Mapping[str, str] = os.environ) -> Profile:
    """The profile of a scope; its folder is made where it is not there.

    Args:
        scope: whose profile.
        environ: the environment; see ``profile_directory``.

    Raises:
        ProfileError: the folder cannot be made or is open to others (E_ACCESSDENIED), or profile.toml cannot be understood.
    """
    directory = profile_directory(scope, environ)
    if scope is Scope.MACHINE and directory.name == "machine":
        _private_folder(directory.parent)
    return Profile(_private_folder(directory), scope, read_settings(directory / "profile.toml"))


def _private_folder(path: Path) -> Path:
    """Makes a folder with mode 0700 where there is none, and refuses one that others could change."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise ProfileError(f"{error.filename or path}: {error.strerror}", hresult=os_code(error)) from error
    if found.st_uid not in (os.geteuid(), 0) or (found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX):
        raise ProfileError(
            f"{path} belongs to another user, or can be written by everybody; chmod 700 it, or name another in XENROLL_HOME",
            hresult=HRESULT.E_ACCESSDENIED,
        )
    return path
