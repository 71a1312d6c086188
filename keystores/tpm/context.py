"""The connection to a TPM: which one, the lock around its use, its loss and return, objects that others left in it.

Knows no keys. One ESAPI context is kept for each ``Connection``, made when it is first needed. A TPM without a resource
manager has three slots for all processes and answers two at once with errors, and an ESAPI context is for one thread
at a time: so everything is done under one lock file for each TPM, which excludes threads too.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from keystores.errors import DeviceFailure, NotPermitted, PackageMissing, StoreUnavailable
from keystores.locks import file_lock
from keystores.tpm.errors import (
    ACCESS_DENIED,
    RC_HANDLE,
    RC_OBJECT_MEMORY,
    RC_SESSION_MEMORY,
    STORE,
    TPM_NOT_FOUND,
    connection_lost,
    plain_code,
    translate,
)

if TYPE_CHECKING:
    from tpm2_pytss.ESAPI import ESAPI
    from tpm2_pytss.TSS2_Exception import TSS2_Exception

Result = TypeVar("Result")

DEVICES: Final = ("/dev/tpmrm0", "/dev/tpm0")  # the first has the kernel's resource manager
_UNMANAGED: Final = ("swtpm", "mssim")  # TCTIs of simulators, which have none
_TRANSIENT: Final = 0x80000000
_LOADED_SESSIONS: Final = 0x02000000
_SOCKET: Final = re.compile(r"(?:^|[:,])path=([^,]+)")


def default_tcti() -> str:
    """The TCTI of this machine's TPM.

    Raises:
        StoreUnavailable: it has none.
    """
    for device in DEVICES:
        if os.path.exists(device):
            return f"device:{device}"
    raise StoreUnavailable("this machine has no TPM 2.0 (/dev/tpmrm0 is missing)", store=STORE, hresult=TPM_NOT_FOUND)


def lock_path(tcti: str) -> Path:
    """The lock file of a TPM, the same for every process of a user.

    It is beside the TPM's socket where this user may write there, else in the user's runtime folder.

    Raises:
        StoreUnavailable: the folder of the socket does not exist.
        DeviceFailure: another user has made the folder that would be this user's.
    """
    socket = _SOCKET.search(tcti)
    if socket is not None:
        beside = Path(f"{socket[1]}.lock")
        if not beside.parent.is_dir():
            raise StoreUnavailable(f"there is no TPM at {tcti!r}", store=STORE, hresult=TPM_NOT_FOUND)
        if os.access(beside.parent, os.W_OK):
            return beside
    return _runtime_folder() / f"tpm-{hashlib.sha256(tcti.encode()).hexdigest()[:16]}.lock"


def _runtime_folder() -> Path:
    folder = Path(f"/run/user/{os.getuid()}")
    if not folder.is_dir():
        folder = Path(f"/tmp/xenroll-{os.getuid()}")  # noqa: S108  its owner is looked at
    if folder.exists() and folder.stat().st_uid != os.getuid():
        raise DeviceFailure(f"{folder} belongs to another user; remove it", store=STORE)
    return folder


class Connection:
    """One TPM, as this process uses it.

    Args:
        tcti: where it is ("device:/dev/tpmrm0", "swtpm:path=/run/tpm.sock"); None for this machine's own.
    """

    def __init__(self, tcti: str | None = None) -> None:
        self._tcti = tcti
        self._context: ESAPI | None = None
        self._process = 0
        self.remembered: dict[int, Any] = {}  # persistent handle -> ESYS_TR, for as long as the context lives
        self._closing = weakref.finalize(self, _nothing)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps every other thread and process from the TPM. ``run`` does so itself; this is for several runs in one."""
        tcti = self._found()
        load_tss()
        with file_lock(lock_path(tcti)):
            yield

    def run(self, doing: str, work: Callable[[ESAPI], Result], *, repeatable: bool = True) -> Result:
        """Does ``work`` with the ESAPI context, alone.

        Args:
            doing: what is done, for error messages.
            work: is given the context; must leave nothing loaded.
            repeatable: whether it may be done again where the connection broke off on the way, so that nobody knows
                whether it was done. What failed for want of room in the TPM was not, and is always done again.

        Raises:
            StoreUnavailable, PackageMissing: there is no TPM, or no tpm2_pytss.
            KeyStoreError: what the TPM's answer means (keystores.tpm.errors).
        """
        error_class = load_tss()
        with self.locked():
            try:
                return work(self._open())
            except error_class as error:
                lost = connection_lost(int(error.rc))
                if not self._recover(int(error.rc)) or (lost and not repeatable):
                    raise translate(int(error.rc), doing) from error
            try:
                return work(self._open())
            except error_class as error:
                self._recover(int(error.rc))
                raise translate(int(error.rc), doing) from error

    def close(self) -> None:
        """Gives the connection back. It is made anew where it is needed again."""
        self._closing()
        self._context = None
        self.remembered.clear()

    def _found(self) -> str:
        if self._tcti is None:
            self._tcti = default_tcti()
        return self._tcti

    def _open(self) -> ESAPI:
        if self._context is not None and self._process == os.getpid():
            return self._context
        self._closing.detach()  # a context that came through fork is the parent's to close
        self.remembered.clear()
        context = _connect(self._found())
        self._context, self._process = context, os.getpid()
        self._closing = weakref.finalize(self, context.close)
        return context

    def _recover(self, rc: int) -> bool:
        """Whether what failed with ``rc`` is worth doing again."""
        if connection_lost(rc):
            self.close()
            return True
        if plain_code(rc) in {RC_OBJECT_MEMORY, RC_SESSION_MEMORY} and self._found().startswith(_UNMANAGED):
            _flush_leaked(self._open())
            return True
        if plain_code(rc) == RC_HANDLE and self.remembered:
            self.remembered.clear()  # another process removed or replaced a persistent object
            return True
        return False


def load_tss() -> type[TSS2_Exception]:
    """Loads tpm2_pytss, without the lines that the TSS would print, and gives its error class.

    Raises:
        PackageMissing: it is not installed, or a library of it is missing.
    """
    os.environ.setdefault("TSS2_LOG", "all+NONE")  # read once, when the library is loaded
    try:
        from tpm2_pytss.TSS2_Exception import TSS2_Exception
    except ImportError as reason:
        message = f"the TPM key store needs a package that cannot be loaded ({reason}): pip install 'xenroll[tpm]'"
        raise PackageMissing(message, store=STORE) from reason
    error: type[TSS2_Exception] = TSS2_Exception
    return error


def _connect(tcti: str) -> ESAPI:
    from tpm2_pytss.constants import TPM2_SU
    from tpm2_pytss.ESAPI import ESAPI

    _check_rights(tcti)
    try:
        context = ESAPI(tcti)
    except load_tss() as error:
        message = f"no TPM answers at {tcti!r} (TSS code 0x{int(error.rc):X})"
        raise StoreUnavailable(message, store=STORE, hresult=TPM_NOT_FOUND) from error
    if tcti.startswith(_UNMANAGED):
        try:
            context.startup(TPM2_SU.CLEAR)  # no firmware has done it; does nothing where it was done
        except load_tss() as error:
            context.close()
            raise translate(int(error.rc), f"start the TPM at {tcti!r}") from error
    return context


def _check_rights(tcti: str) -> None:
    device = tcti.removeprefix("device:")
    if device != tcti and os.path.exists(device) and not os.access(device, os.R_OK | os.W_OK):
        message = f"this user may not use {device}; add it to the group that may (usually tss)"
        raise NotPermitted(message, store=STORE, hresult=ACCESS_DENIED)


def _flush_leaked(context: ESAPI) -> None:
    """Removes what processes that ended left in a TPM without resource manager. Only under the lock, for it removes all."""
    from tpm2_pytss.constants import TPM2_CAP

    for first in (_TRANSIENT, _LOADED_SESSIONS):
        _, found = context.get_capability(TPM2_CAP.HANDLES, first, 64)
        for handle in list(found.data.handles):
            with contextlib.suppress(load_tss()):
                context.flush_context(context.tr_from_tpmpublic(int(handle)))


def _nothing() -> None:
    """Closes nothing: there is no context yet."""


