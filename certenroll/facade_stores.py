"""Store handles, CertOpenStore's counterpart: what a certificate store is opened with, and what an install does with it.

A handle names a store of the profile ("System"), a file ("File") or one that is held in memory ("Memory", and "PKCS7" or
"Serialized" for one that begins with the certificates of a message). Part of ``facade``, which has all of it. Source:
CertOpenStore, System Store Locations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certenroll.com import observed
from certenroll.encodings import decode_text
from certenroll.engine import answers
from certenroll.engine.installation import InstallOptions, joined_stores
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType, X509CertificateEnrollmentContext
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.stores.outside import FileStore, MemoryStore, OutsideStore, OutsideStores, ProfileStore, read_store

if TYPE_CHECKING:
    from certenroll.enrollments import IX509Enrollment

_USER: Final = X509CertificateEnrollmentContext.ContextUser
_MACHINE: Final = X509CertificateEnrollmentContext.ContextMachine

CURRENT_USER: Final = 0x10000  # CERT_SYSTEM_STORE_CURRENT_USER; of a file store CERT_FILE_STORE_COMMIT_ENABLE
_MACHINE_STORE: Final = 0x20000  # CERT_SYSTEM_STORE_LOCAL_MACHINE
_LOCATION: Final = 0xFF0000
_COMMIT: Final = 0x10000
_RELOCATE: Final = 0x80000000
_CREATE_NEW: Final = 0x2000
_OPEN_EXISTING: Final = 0x4000

# CERT_SYSTEM_STORE_*: the locations that are here, and whose they are. 0 is taken for the user's.
_LOCATIONS: Final = {
    0: _USER,
    CURRENT_USER: _USER,
    0x70000: _USER,  # CURRENT_USER_GROUP_POLICY
    _MACHINE_STORE: _MACHINE,
    0x80000: _MACHINE,  # LOCAL_MACHINE_GROUP_POLICY
    0x90000: _MACHINE,  # LOCAL_MACHINE_ENTERPRISE
}
_PREDEFINED: Final = ("MY", "ROOT", "TRUST", "CA", "REQUEST")

# A flag of CertOpenStore that no store can be opened with here -> its code, and why.
_REFUSED: Final = {
    0x10: (HRESULT.E_INVALIDARG, "CERT_STORE_DELETE_FLAG: a store is not deleted by opening it"),
    0x800: (HRESULT.E_ACCESSDENIED, "CERT_STORE_BACKUP_RESTORE_FLAG: there are no such privileges here"),
    0x8000: (HRESULT.E_ACCESSDENIED, "CERT_STORE_READONLY_FLAG: certificates are to be put into the store"),
}

# sz_CERT_STORE_PROV_*, in lower case -> the provider's name.
_BY_NAME: Final = {"system": "System", "memory": "Memory", "file": "File"}
_FROM_MESSAGE: Final = {"pkcs7": "PKCS7", "serialized": "Serialized"}


class StoreHandle:
    """An open certificate store.

    Attributes:
        provider: "System", "File", "Memory", "PKCS7" or "Serialized".
        name: the system store's name or the file's, "" in memory.
        flags: as it was opened with.
        outside: the store, where it is no system store.
    """

    def __init__(self, provider: str, name: str, flags: int, outside: OutsideStore | None) -> None:
        self.provider: Final = provider
        self.name: Final = name
        self.flags: Final = flags
        self.outside: Final = outside

    @property
    def context(self) -> X509CertificateEnrollmentContext:
        """Whose store it is: the machine's where its location says so."""
        return _LOCATIONS[self.flags & _LOCATION] if self.provider == "System" else _USER

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """DER of what it holds now. Raises what reading a file raises."""
        if self.outside is not None:
            return tuple(one.der for one in self.outside.read().certificates)
        return tuple(one.der for one in open_workspace(self.context).certificates.list(self.name))

    def __repr__(self) -> str:
        return f"<{self.provider} store {self.name!r}>"


@observed
def store_provider(name: str) -> str:
    """The provider of sz_CERT_STORE_PROV_* that opens a store by a name ("System", "Memory", "File"), in any case.

    Raises ComError WIN32_FILE_NOT_FOUND, CertOpenStore's own code, for any other.
    """
    found = _BY_NAME.get(name.lower())
    if found is None:
        raise ComError(HRESULT.WIN32_FILE_NOT_FOUND, f"no store provider {name!r} is here; System, File and Memory are")
    return found


@observed
def open_store(provider: str, name: str = "", flags: int = CURRENT_USER, data: bytes = b"") -> StoreHandle:
    """Opens a certificate store, as CertOpenStore does.

    Args:
        provider: "System", "File", "Memory", "PKCS7" or "Serialized", in any case.
        name: of a system store, or of a file, which need not be there.
        flags: CERT_STORE_* and CERT_SYSTEM_STORE_*; a file store needs CERT_FILE_STORE_COMMIT_ENABLE (0x10000).
        data: the message that a "PKCS7" or "Serialized" store begins with.

    Raises:
        ComError: WIN32_FILE_NOT_FOUND for another provider, a location that is not here (SERVICES, USERS,
            CURRENT_SERVICE), or what OPEN_EXISTING does not find; WIN32_FILE_EXISTS for what CREATE_NEW finds;
            E_INVALIDARG for no name, RELOCATE, DELETE, a file that would not be saved; E_ACCESSDENIED for READONLY and
            BACKUP_RESTORE.
        StoreError, DecodeError, OSError: the file, or the message, cannot be read as a store; E_ACCESSDENIED where it is
            a single certificate.
    """
    message = _FROM_MESSAGE.get(provider.lower())
    kind = message or store_provider(provider)
    _check_flags(flags)
    if message is not None:
        return StoreHandle(message, "", flags, MemoryStore(read_store(data)))
    if kind == "Memory":
        return StoreHandle(kind, "", flags, MemoryStore())
    if not name.strip():
        raise ComError(HRESULT.E_INVALIDARG, "the name of a store is needed")
    if kind == "File":
        return StoreHandle(kind, name, flags, _file_store(name, flags))
    _check_system_store(name, flags)
    return StoreHandle(kind, name, flags, None)


@observed
def choose_stores(
    enrollment: IX509Enrollment,
    my: StoreHandle | None = None,
    ca: StoreHandle | None = None,
    root: StoreHandle | None = None,
    request: StoreHandle | None = None,
    context: int = _USER,
) -> None:
    """Has an enrollment install into these stores; what is left out stays as it is.

    Args:
        enrollment: the enrollment, before InstallResponse.
        my, ca, root: where the certificate, its chain and its root go.
        request: what keeps a copy of the certificate that stands for the request; the request itself stays in the profile.
            A system store takes the place of REQUEST.
        context: whose enrollment it is.
    """
    wanted = {"my": my, "ca": ca, "root": root, "request": request}
    handles = {role: handle for role, handle in wanted.items() if handle is not None}
    enrollment.install_options = _placed(enrollment.install_options, context, handles)


@observed
def install_certificates(
    data: bytes | str,
    my: str | StoreHandle = "MY",
    ca: str | StoreHandle = "CA",
    root: str | StoreHandle = "ROOT",
    context: int = _USER,
) -> int:
    """Puts the certificates of a message (bytes, or its text) where each belongs, touching no request.

    Gives how many were new. Raises WIN32_INVALID_DATA for what is no text of bytes, and as
    ``engine.answers.install_certificates``; a file store also as ``open_store``.
    """
    wanted = {"my": my, "ca": ca, "root": root}
    options = _placed(InstallOptions(), context, {role: _handle_of(one, context) for role, one in wanted.items()})
    with joined_stores(open_workspace(context), options.outside) as workspace:
        return answers.install_certificates(workspace, decode_text(data, EncodingType.XCN_CRYPT_STRING_ANY), options)


@observed
def copy_pending(handle: StoreHandle, thumbprint: str, store: str = "REQUEST", context: int = _USER) -> None:
    """Puts the certificate that stands for a request into another store too.

    Args:
        handle: that store.
        thumbprint: of the certificate, in hexadecimal.
        store: where it is.
        context: whose request.

    Raises ComError CRYPT_E_NOT_FOUND where there is none, and what writing a file raises.
    """
    workspace = open_workspace(context)
    found = workspace.certificates.get(store, bytes.fromhex(thumbprint))
    if found is None:
        raise ComError(HRESULT.CRYPT_E_NOT_FOUND, f"{store} holds no certificate with the thumbprint {thumbprint}")
    options = _placed(InstallOptions(), context, {"my": handle})
    with joined_stores(workspace, options.outside) as joined:
        joined.certificates.add(options.my_store, found.der, found.properties)


@observed
def drop_copy(handle: StoreHandle, thumbprint: str, context: int = _USER) -> None:
    """Takes a certificate out of a store again; one that is not there is no error. Raises what writing a file raises."""
    options = _placed(InstallOptions(), context, {"my": handle})
    with joined_stores(open_workspace(context), options.outside) as joined:
        joined.certificates.remove(options.my_store, bytes.fromhex(thumbprint))


def _placed(options: InstallOptions, context: int, handles: Mapping[str, StoreHandle]) -> InstallOptions:
    """``options`` with the stores of handles: a system store by its name, one outside by a name made for it."""
    stores, copies = dict(options.outside.by_name), dict(options.outside.copies)
    names: dict[str, Any] = {}
    for role, handle in handles.items():
        outside = _outside_of(handle, context)
        alias = handle.name if outside is None else _alias(outside)
        if outside is not None:
            stores.setdefault(alias, outside)
        if role == "request" and outside is not None:
            copies[options.request_store] = alias
        else:
            names[f"{role}_store"] = alias
    return replace(options, **names, outside=OutsideStores(stores, copies))


def _outside_of(handle: StoreHandle, context: int) -> OutsideStore | None:
    """The store of a handle, where it is not one of the profile of ``context``."""
    if handle.outside is not None or handle.context == context:
        return handle.outside
    return ProfileStore(open_workspace(handle.context).profile.database, handle.name)


def _handle_of(store: str | StoreHandle, context: int) -> StoreHandle:
    if isinstance(store, StoreHandle):
        return store
    return StoreHandle("System", store, _MACHINE_STORE if context == _MACHINE else CURRENT_USER, None)


def _alias(store: OutsideStore) -> str:
    """A name for one install; two handles on one file have the same."""
    return f"<outside {hashlib.sha256(store.identity.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}>"


def _check_flags(flags: int) -> None:
    for flag, (code, why) in _REFUSED.items():
        if flags & flag:
            raise ComError(code, why)


def _check_system_store(name: str, flags: int) -> None:
    if flags & _RELOCATE:
        raise ComError(HRESULT.E_INVALIDARG, "CERT_SYSTEM_STORE_RELOCATE_FLAG: there is no registry to move a store in")
    context = _LOCATIONS.get(flags & _LOCATION)
    if context is None:
        text = f"there are no stores at the location 0x{flags & _LOCATION:X}; the user's and the machine's are here"
        raise ComError(HRESULT.WIN32_FILE_NOT_FOUND, text)
    if flags & (_CREATE_NEW | _OPEN_EXISTING):
        known = (*_PREDEFINED, *(one.upper() for one in open_workspace(context).certificates.names()))
        _check_presence(f"the store {name}", name.strip().upper() in known, flags)


def _file_store(name: str, flags: int) -> FileStore:
    if not flags & _COMMIT:
        text = f"0x{flags:X} lacks CERT_FILE_STORE_COMMIT_ENABLE (0x10000): what is put into {name} would not be saved"
        raise ComError(HRESULT.E_INVALIDARG, text)
    store = FileStore(Path(name))
    _check_presence(f"the file {name}", store.path.exists(), flags)
    store.read()
    return store


def _check_presence(what: str, there: bool, flags: int) -> None:
    if flags & _CREATE_NEW and there:
        raise ComError(HRESULT.WIN32_FILE_EXISTS, f"{what} is there already (CERT_STORE_CREATE_NEW_FLAG)")
    if flags & _OPEN_EXISTING and not there:
        raise ComError(HRESULT.WIN32_FILE_NOT_FOUND, f"{what} is not there (CERT_STORE_OPEN_EXISTING_FLAG)")
