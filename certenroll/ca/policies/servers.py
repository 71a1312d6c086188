"""The policy servers that a profile knows: what Windows keeps in the registry and in group policy, in two files.

    policy-servers.json           whoever uses the profile registers here
    group-policy-servers.json     the same form; an administrator writes it, and nothing here changes it

Knows files and plain values, no COM.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from certenroll.ca.base import CAError
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically
from keystores.locks import file_lock

REGISTERED: Final = "policy-servers.json"
GROUP_POLICY: Final = "group-policy-servers.json"
_LARGEST: Final = 1 << 20


@dataclass(frozen=True)
class PolicyServer:
    """One policy server.

    Attributes:
        url: where it is; the same URL is the same server.
        policy_id: the identifier of its policy, or "".
        friendly_name: how it is shown, or "".
        auth_flags: X509EnrollmentAuthFlags.
        flags: PolicyServerUrlFlags without the two bits that say where it is registered.
        cost: of servers with one policy identifier the cheapest is asked first.
        default: whether its policy is the default one.
    """

    url: str
    policy_id: str = ""
    friendly_name: str = ""
    auth_flags: int = 0
    flags: int = 0
    cost: int = 0
    default: bool = False

    @property
    def key(self) -> str:
        """The URL as it is compared."""
        return server_key(self.url)


def server_key(url: str) -> str:
    """A URL as it is compared: without regard to case and to a slash at its end."""
    return url.strip().rstrip("/").casefold()


def registered(directory: Path) -> tuple[PolicyServer, ...]:
    """The servers that were registered in a profile. Raises CAError (WIN32_INVALID_DATA) where the file is malformed."""
    return _read(directory / REGISTERED)


def from_group_policy(directory: Path) -> tuple[PolicyServer, ...]:
    """The servers that an administrator gave a profile. Raises CAError (WIN32_INVALID_DATA) where the file is malformed."""
    return _read(directory / GROUP_POLICY)


def find_server(directory: Path, url: str) -> PolicyServer | None:
    """The server of a URL, the administrator's word before the user's, or None. Raises CAError as the two above."""
    key = server_key(url)
    return next((one for one in (*from_group_policy(directory), *registered(directory)) if one.key == key), None)


def register(directory: Path, server: PolicyServer) -> None:
    """Writes a server into the profile's list, in the place of one with its URL. A default one ends the others' being it.

    Args:
        directory: the profile's folder.
        server: the server.

    Raises:
        CAError: E_INVALIDARG for an empty URL, WIN32_ACCESS_DISABLED_BY_POLICY where an administrator gave that URL,
            WIN32_INVALID_DATA where the file is malformed.
    """
    if not server.url.strip():
        raise CAError(HRESULT.E_INVALIDARG, "the policy server has no URL; set Url first")
    _change(directory, server.url, lambda known: _with(known, server))


def unregister(directory: Path, url: str) -> None:
    """Takes a server from the profile's list; one that is not there is no error.

    Raises:
        CAError: as ``register``.
    """
    _change(directory, url, lambda known: (one for one in known if one.key != server_key(url)))


def _change(
    directory: Path, url: str, change: Callable[[tuple[PolicyServer, ...]], Iterable[PolicyServer]]
) -> None:
    with file_lock(directory / ".policy-servers.lock"):
        if any(one.key == server_key(url) for one in from_group_policy(directory)):
            text = f"{url} is in {GROUP_POLICY}, which only its administrator changes"
            raise CAError(HRESULT.WIN32_ACCESS_DISABLED_BY_POLICY, text)
        document = {"servers": [asdict(one) for one in change(registered(directory))]}
        write_atomically(directory / REGISTERED, (json.dumps(document, indent=2) + "\n").encode("utf-8"))


def _with(known: tuple[PolicyServer, ...], server: PolicyServer) -> Iterable[PolicyServer]:
    for one in known:
        same_policy = bool(one.policy_id) and one.policy_id == server.policy_id
        if one.key != server.key:
            yield replace(one, default=False) if server.default and not same_policy else one
    yield server


_KINDS: Final[dict[str, type]] = {"url": str, **{one.name: type(one.default) for one in fields(PolicyServer)[1:]}}


def _read(path: Path) -> tuple[PolicyServer, ...]:
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(_LARGEST))
        servers = document["servers"]
        return tuple(sorted((_server(one) for one in servers), key=lambda one: one.cost))
    except FileNotFoundError:
        return ()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CAError(HRESULT.WIN32_INVALID_DATA, f"{path} is no list of policy servers: {error}") from None


def _server(values: Any) -> PolicyServer:
    if not isinstance(values, dict):
        raise ValueError(f"a server is a table, not {values!r}")
    for name, value in values.items():
        if type(value) is not _KINDS.get(name):
            raise ValueError(f"{name!r} cannot be {value!r}")
    return PolicyServer(**values)
