"""What one logs on to policy and enrollment servers with: the credential cache of a profile.

One file, ``server-credentials.json``, mode 0600, written whole under a lock. A file that others may read is refused. Knows
no protocol; a password leaves this module as a Secret, and no error shows what is in the file.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from certenroll.stores.errors import ProfileError, os_code
from keystores.base import Secret
from keystores.locks import file_lock

_FILE: Final = "server-credentials.json"
_KINDS: Final[dict[str, type | tuple[type, ...]]] = {"authentication": int, "credential": str, "password": (str, type(None))}


@dataclass(frozen=True)
class ServerCredential:
    """How one logs on to a server.

    Attributes:
        authentication: X509EnrollmentAuthFlags, one of them.
        credential: the user's name, or the thumbprint of a certificate; "" where neither is needed.
        password: for a user's name; None elsewhere.
    """

    authentication: int
    credential: str = ""
    password: Secret | None = None


class ServerCredentials:
    """The credentials of a profile, by the URLs of the servers. A URL knows no case, and no slash at its end.

    Args:
        directory: the profile's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE

    def keep(self, url: str, credential: ServerCredential) -> None:
        """Keeps the credential of a server, in place of an earlier one.

        Raises:
            ProfileError: the file cannot be read or written, or others may read it (E_ACCESSDENIED).
            StoreBusy: another process kept the lock for too long.
        """
        password = credential.password.reveal() if credential.password is not None else None
        facts = {"authentication": credential.authentication, "credential": credential.credential, "password": password}
        with file_lock(self._path.with_name(".server-credentials.lock")):
            known = self._read() | {_key(url): facts}
            try:
                write_atomically(self._path, json.dumps(known, indent=1).encode())
            except OSError as error:
                raise self._refused(error) from error

    def find(self, url: str) -> ServerCredential | None:
        """The credential of a server, or None. Raises ProfileError as ``keep`` does."""
        facts = self._read().get(_key(url))
        if facts is None:
            return None
        password = facts["password"]
        return ServerCredential(
            facts["authentication"], facts["credential"], Secret(password) if password is not None else None
        )

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    text = f"{self._path} holds passwords and others may read it; chmod 600 it"
                    raise ProfileError(text, hresult=HRESULT.E_ACCESSDENIED)
                return _checked(json.loads(file.read()))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._refused(error) from error
        except (ValueError, RecursionError):  # the error's own words could show a password
            raise ProfileError(f"{self._path} cannot be understood; move it away and register the servers again") from None

    def _refused(self, error: OSError) -> ProfileError:
        return ProfileError(f"{self._path}: {error.strerror}", hresult=os_code(error))


def _checked(read: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(read, dict) or not all(_is_credential(facts) for facts in read.values()):
        raise ValueError("an object of credentials is wanted")
    return read


def _is_credential(facts: Any) -> bool:
    return (
        isinstance(facts, dict)
        and set(facts) == set(_KINDS)
        and all(isinstance(facts[name], kind) for name, kind in _KINDS.items())
    )


def _key(url: str) -> str:
    return url.strip().rstrip("/").casefold()
