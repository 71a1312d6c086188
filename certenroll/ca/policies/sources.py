"""Where enrollment policy comes from: the local CAs of a profile, a document on disk, or what was fetched before.

    ldap:                     the directory: every local CA of the profile and its templates
    file:corp.xml             policies/corp.xml of the profile
    file:///srv/corp.xml      that file
    https://host/...          the document in ``policies`` with the policy's identifier; no network is asked

A document that was read is kept in ``policy-cache`` until its next update. Knows no COM.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from certenroll.ca.base import CAError
from certenroll.ca.directory import LOCAL, list_cas
from certenroll.ca.policies.document_files import document_file
from certenroll.ca.policies.documents import PolicyDocument, decode_policy, encode_policy
from certenroll.ca.policies.elements import MAX_BYTES, PolicyDocumentError
from certenroll.ca.policies.local_templates import directory_policy
from certenroll.hresults import HRESULT
from certenroll.stores.atomic_files import write_atomically

if TYPE_CHECKING:
    from certenroll.ca.policies.template_facts import TemplateFacts
    from certenroll.stores.profile import Profile

log = logging.getLogger(__name__)

POLICIES: Final = "policies"
CACHE: Final = "policy-cache"
DEFAULT_HOURS: Final = 8  # what the policy servers of Windows answer (MS-XCEP section 4.1.1.2)
DIRECTORY: Final = "ldap"


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy and when it was read.

    Attributes:
        document: the policy.
        loaded: when, in UTC.
        cache: the file that keeps it, or None.
    """

    document: PolicyDocument
    loaded: datetime
    cache: Path | None = None

    @property
    def next_update(self) -> datetime:
        """When it should be read again, in UTC."""
        return self.loaded + timedelta(hours=self.document.next_update_hours or DEFAULT_HOURS)


def scheme_of(url: str) -> str:
    """The scheme of a policy server's URL in lower case: ``ldap``, ``file`` or ``https``.

    Raises:
        CAError: E_INVALIDARG where it is empty or of another scheme.
    """
    scheme = url.strip().partition(":")[0].lower()
    if scheme not in _READERS:
        text = f"{url!r} is no policy server; write ldap:, file:name.xml (in the profile's folder {POLICIES}) or https://..."
        raise CAError(HRESULT.E_INVALIDARG, text)
    return scheme


def cache_path(profile: Profile, url: str) -> Path | None:
    """The file that keeps the policy of a URL, whether it is there or not; None for the directory, which is not kept."""
    if scheme_of(url) == DIRECTORY:
        return None
    digest = hashlib.sha256(url.strip().encode("utf-8", "surrogatepass")).hexdigest()
    return profile.directory / CACHE / f"{digest[:40]}.xml"


def load(profile: Profile, url: str, policy_id: str, now: datetime, *, reload: bool = False) -> LoadedPolicy:
    """The policy of a server.

    Args:
        profile: the profile.
        url: see above.
        policy_id: the identifier that the policy must have; "" for any.
        now: the time, in UTC.
        reload: read it anew, also where what is kept has not run out.

    Raises:
        CAError: E_INVALIDARG for a URL of another kind, WIN32_INVALID_STATE where the profile has no local CA,
            RPC_SERVER_UNAVAILABLE for a server that no document stands for, WIN32_INVALID_DATA where the policy has another
            identifier.
        PolicyDocumentError: the document cannot be read.
        OSError: the file cannot be read.
    """
    path = cache_path(profile, url)
    kept = _kept(path) if path is not None and not reload else None
    if kept is not None and kept.loaded <= now < kept.next_update and _is(kept.document, policy_id):
        return kept
    document = _READERS[scheme_of(url)](profile, url.strip(), policy_id)
    if not _is(document, policy_id):
        text = f"the policy of {url} is {document.policy_id!r}, and {policy_id!r} is wanted"
        raise CAError(HRESULT.WIN32_INVALID_DATA, text)
    made = LoadedPolicy(document, now, path)
    if path is not None:
        _keep(path, made)
    return made


def _is(document: PolicyDocument, policy_id: str) -> bool:
    return not policy_id or document.policy_id.casefold() == policy_id.casefold()


def read_document(path: Path) -> PolicyDocument:
    """The policy document in a file. Raises PolicyDocumentError, and OSError where it cannot be read."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        return decode_policy(data)
    except PolicyDocumentError as error:
        raise PolicyDocumentError(f"{path}: {error.reason}") from None


def directory_template(profile: Profile, name: str) -> TemplateFacts | None:
    """What the directory says of a template.

    Args:
        profile: whose local CAs stand for the directory.
        name: the template's common name or object identifier, without regard to case.

    Returns:
        the template, or None where no local CA serves one of that name, or the profile's default CA is another's: what a
        template of that name says there is not known here. A CA that cannot be read counts for nothing, and the log says so.
    """
    listed = list_cas(profile)
    if listed and listed[0].is_default and listed[0].transport != LOCAL:
        return None
    wanted = name.casefold()
    served = (one for folder in _local_folders(profile) for one in _served_by(folder))
    return next((one for one in served if wanted in (one.common_name.casefold(), one.oid)), None)


def _served_by(folder: Path) -> tuple[TemplateFacts, ...]:
    try:
        return directory_policy([folder]).templates
    except (CAError, PolicyDocumentError, OSError) as error:
        log.warning("the templates of the CA in %s cannot be read: %s", folder, error)
        return ()


def _local_folders(profile: Profile) -> list[Path]:
    return [one.path for one in list_cas(profile) if one.transport == LOCAL and one.path is not None]


def _read_directory(profile: Profile, _url: str, _policy_id: str) -> PolicyDocument:
    folders = _local_folders(profile)
    if not folders:
        text = "the profile has no local CA, which stands for the directory here; make one with 'xenroll ca init'"
        raise CAError(HRESULT.WIN32_INVALID_STATE, text)
    return directory_policy(folders)


def document_path(profile: Profile, url: str) -> Path:
    """The file that a ``file:`` URL names; a relative one lies in the profile's folder ``policies``.

    Raises:
        CAError: E_INVALIDARG where the URL names another host, no file, or leaves that folder.
        ComError: E_ACCESSDENIED where a host confines its script to a folder, and the file is not in it.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if parts.netloc not in ("", "localhost") or not path.name or "\0" in str(path):
        raise CAError(HRESULT.E_INVALIDARG, f"{url!r} names no file of this computer")
    if path.is_absolute():
        return document_file(str(path))
    if ".." in path.parts:
        raise CAError(HRESULT.E_INVALIDARG, f"{url!r} leaves the folder {POLICIES} of the profile; give the whole path")
    return profile.directory / POLICIES / path


def _read_file(profile: Profile, url: str, _policy_id: str) -> PolicyDocument:
    return read_document(document_path(profile, url))


def _read_web(profile: Profile, url: str, policy_id: str) -> PolicyDocument:
    for document in _documents(profile) if policy_id else ():
        if _is(document, policy_id):
            return document
    text = (
        f"{url} is not asked over the network. Save its GetPoliciesResponse in {profile.directory / POLICIES} and "
        "initialize with its policy identifier, or name the file in a file: URL"
    )
    raise CAError(HRESULT.RPC_SERVER_UNAVAILABLE, text)


def _documents(profile: Profile) -> Iterator[PolicyDocument]:
    for path in sorted((profile.directory / POLICIES).glob("*.xml")):
        yield read_document(path)


_READERS: Final[dict[str, Callable[[Profile, str, str], PolicyDocument]]] = {
    DIRECTORY: _read_directory,
    "file": _read_file,
    "https": _read_web,
}


def _kept(path: Path) -> LoadedPolicy | None:
    """What the cache has, or None. A damaged file is as good as none: the policy is read anew."""
    try:
        document = read_document(path)
        loaded = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (FileNotFoundError, PolicyDocumentError):
        return None
    return LoadedPolicy(document, loaded, path)


def _keep(path: Path, policy: LoadedPolicy) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(path, encode_policy(policy.document))
    seconds = policy.loaded.timestamp()
    os.utime(path, (seconds, seconds))
