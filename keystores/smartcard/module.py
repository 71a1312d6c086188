"""The PKCS#11 library in this process: found, loaded, started, and started again when it has to be.

Knows no tokens, no keys and no PINs. A library lists the tokens that are there when it starts and reads its environment
then; a child made by fork may not use its parent's. So the library is started again in a child, after a change of the
variables that libraries read, and where a token is looked for in vain. Everything here is called with both locks held.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keystores.errors import PackageMissing, StoreUnavailable
from keystores.smartcard.errors import NO_READER, STORE

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812

MODULE_VARIABLE: Final = "XENROLL_PKCS11_MODULE"
TOKEN_VARIABLE: Final = "XENROLL_PKCS11_TOKEN"  # noqa: S105  the name of a variable

# Read by libraries when they start: SoftHSM's configuration, OpenSC's, and where both look where these are unset.
_ENVIRONMENT = ("SOFTHSM2_CONF", "OPENSC_CONF", "HOME")
_FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/lib")
_SOFTHSM = ("softhsm/libsofthsm2.so", "libsofthsm2.so", "pkcs11/libsofthsm2.so")
_USUAL = ("p11-kit-proxy.so", "opensc-pkcs11.so", "pkcs11/opensc-pkcs11.so", *_SOFTHSM)


def require_package() -> None:
    """Raises PackageMissing where python-pkcs11 is not installed."""
    if importlib.util.find_spec("pkcs11") is None:
        raise PackageMissing(
            "smart cards need the Python package python-pkcs11; install it with: pip install 'xenroll[smartcard]'",
            store=STORE,
        )


def installed(names: tuple[str, ...] = _USUAL) -> list[Path]:
    """The PKCS#11 libraries of this machine that stand where distributions put them, each once."""
    paths = (Path(folder, name) for name in names for folder in _FOLDERS)
    return list(dict.fromkeys(path.resolve() for path in paths if path.exists()))


def softhsm_library() -> Path | None:
    """SoftHSM's library, or None where it is not installed."""
    return next(iter(installed(_SOFTHSM)), None)


def choose(named: str | None, environ: Mapping[str, str]) -> str:
    """The path of the library to use.

    Args:
        named: what the caller or the token's URI names, or None.
        environ: where XENROLL_PKCS11_MODULE may stand.

    Raises:
        StoreUnavailable: with SCARD_E_NO_READERS_AVAILABLE where none is named.
    """
    found = named or environ.get(MODULE_VARIABLE)
    if not found:
        here = ", ".join(map(str, installed())) or "none"
        raise StoreUnavailable(
            f"no PKCS#11 library is named; set {MODULE_VARIABLE} to the card's library (installed here: {here})",
            store=STORE, hresult=NO_READER,
        )
    return os.path.realpath(found) if "/" in found else found  # a link and its target are one library


class Module:
    """One library in this process.

    Attributes:
        path: its file.
        connections: the open sessions, by token; emptied whenever the library starts again, for that ends them.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.connections: dict[tuple[str, str, int], Any] = {}
        self._library: Library | None = None
        self._started: tuple[object, ...] = ()

    @property
    def running(self) -> bool:
        """Whether the library was started by this process, in the environment of now, and not ended by others."""
        return self._library is not None and self._library.initialized and self._started == _circumstances()

    @property
    def library(self) -> Library:
        """The started library. Raises StoreUnavailable as ``start`` does."""
        self.start()
        assert self._library is not None  # noqa: S101  start gives one or raises
        return self._library

    def start(self) -> None:
        """Loads and starts the library where it does not run yet.

        Raises:
            StoreUnavailable: with SCARD_E_NO_READERS_AVAILABLE where it cannot be loaded or does not start.
        """
        if not self.running:
            self.restart()

    def restart(self) -> None:
        """Ends the library where it runs and starts it. Every session and object of this process is gone then."""
        import pkcs11
        from pkcs11.exceptions import PKCS11Error

        self.connections.clear()
        try:
            if self._library is None:
                self._library = pkcs11.lib(self.path)
            else:
                self._end()
                self._library.initialize()
        except PKCS11Error as error:
            reason = str(error) or type(error).__name__
            raise StoreUnavailable(
                f"the PKCS#11 library {self.path} does not start ({reason}); check {MODULE_VARIABLE} and its configuration",
                store=STORE, hresult=NO_READER,
            ) from error
        self._started = _circumstances()

    def _end(self) -> None:
        from pkcs11.exceptions import PKCS11Error

        assert self._library is not None  # noqa: S101
        try:
            self._library.finalize()
        except PKCS11Error:
            return  # a child's copy has nothing to end: the library says so, and can be started


_modules: dict[str, Module] = {}


def module_at(path: str) -> Module:
    """The library of that path, one object for each in a process."""
    return _modules.setdefault(path, Module(path))


def _circumstances() -> tuple[object, ...]:
    return (os.getpid(), *(os.environ.get(name) for name in _ENVIRONMENT))
