"""The policy and enrollment servers that a script registered in a profile, with what one logs on to them with.

One file, ``servers.json``, mode 0600, written whole under a lock. A file that others may read is refused. Knows no protocol;
a password leaves this module as a Secret.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from certenroll.hresults import HRESULT
from certenroll.stores.errors import ProfileError, os_code
from keystores.base import Secret

POLICY: Final = "policy"
ENROLLMENT: Final = "enrollment"
_FILE: Final = "servers.json"


@dataclass(frozen=True)
class RegisteredServer:
    """One server.

    Attributes:
        url: where it is.
        authentication: X509EnrollmentAuthFlags, one of them.
        credential: the user's name, or the thumbprint of a certificate; "" where neither is needed.
        password: for a user's name; None elsewhere.
        policy_id: the policy server's id; "" for an enrollment server.
        flags: PolicyServerUrlFlags; 0 for an enrollment server.
    """

    url: str
    authentication: int
    credential: str = ""
    password: Secret | None = None
    policy_id: str = ""
    flags: int = 0


class EnrollmentServers:
    """The registered servers of a profile.

    Args:
        directory: the profile's folder.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE

    def add(self, kind: str, server: RegisteredServer) -> None:
        """Registers a server, in place of the one with the same URL.

        Args:
            kind: POLICY or ENROLLMENT.
            server: the server.

        Raises:
            ProfileError: the file cannot be read or written, or others may read it (E_ACCESSDENIED).
        """
        with self._locked():
            known = self._read()
            others = [one for one in known.get(kind, []) if not _same(one.url, server.url)]
            self._write(known | {kind: [*others, server]})

    def find(self, kind: str, url: str) -> RegisteredServer | None:
        """The server with that URL, compared without regard to case, or None. Raises ProfileError."""
        return next((one for one in self.registered(kind) if _same(one.url, url)), None)

    def registered(self, kind: str) -> tuple[RegisteredServer, ...]:
        """The servers of a kind in the order in which they were registered. Raises ProfileError."""
        return tuple(self._read().get(kind, []))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _refused(self._path, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _read(self) -> dict[str, list[RegisteredServer]]:
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                    text = f"{self._path} holds passwords and others may read it; chmod 600 it"
                    raise ProfileError(text, hresult=HRESULT.E_ACCESSDENIED)
                return _parse(file.read())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _refused(self._path, error) from error
        except (ValueError, RecursionError):  # the error's own words could show a password
            raise ProfileError(f"{self._path} cannot be understood; move it away and register the servers again") from None

    def _write(self, servers: dict[str, list[RegisteredServer]]) -> None:
        text = json.dumps({kind: [_facts(one) for one in each] for kind, each in servers.items()}, indent=1)
        new = self._path.with_suffix(".new")
        try:
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self._path)
        except OSError as error:
            raise _refused(self._path, error) from error


_KINDS: Final = {"url": str, "authentication": int, "credential": str, "policy_id": str, "flags": int}


def _facts(server: RegisteredServer) -> dict[str, Any]:
    facts = {field.name: getattr(server, field.name) for field in fields(server)}
    return facts | {"password": server.password.reveal() if server.password is not None else None}


def _parse(data: bytes) -> dict[str, list[RegisteredServer]]:
    read = json.loads(data)
    if not isinstance(read, dict) or not all(isinstance(each, list) for each in read.values()):
        raise ValueError("an object of lists is wanted")
    return {kind: [_server(facts) for facts in each] for kind, each in read.items()}


def _server(facts: Any) -> RegisteredServer:
    if not isinstance(facts, dict) or set(facts) != {*_KINDS, "password"}:
        raise ValueError("a server has other facts")
    password = facts["password"]
    if not all(type(facts[name]) is kind for name, kind in _KINDS.items()) or not isinstance(password, str | None):
        raise ValueError("a fact has the wrong type")
    return RegisteredServer(**facts | {"password": None if password is None else Secret(password)})


def _same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def _refused(path: Path, error: OSError) -> ProfileError:
    return ProfileError(f"{path}: {error.strerror}", hresult=os_code(error))
