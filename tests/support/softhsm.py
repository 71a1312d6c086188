"""A SoftHSM token for one test, in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

from keystores.base import Scope, Secret
from keystores.smartcard import SmartCardKeyStore
from keystores.smartcard.initialise import make_soft_token
from keystores.smartcard.module import softhsm_library
from tests.support.requires import missing, package


class SoftToken:
    """A new token, named by the environment for as long as the block lasts.

    Attributes:
        directory: its folder; lock files go there too.
        module: SoftHSM's library.
        label, uri, pin: how to get at it. Labels have one length, so none is the beginning of another.
        environ: the variables that lead to it; they stand in os.environ inside the block.
    """

    def __init__(self, pin: str = "") -> None:
        package("pkcs11", "smartcard")
        library = softhsm_library()
        if library is None:
            missing("smartcard", "softhsm2")
        self.module = str(library)
        self.label = f"token-{secrets.token_hex(8)}"
        self.pin = pin or secrets.token_hex(4)
        self.directory = Path(tempfile.mkdtemp(prefix="xenroll-token-"))
        made = make_soft_token(self.directory, self.label, Secret(self.pin))
        self.uri = made["XENROLL_PKCS11_TOKEN"]
        self.environ = {**made, "XENROLL_PIN": self.pin}
        self._before: dict[str, str | None] = {}

    def store(self, scope: Scope = Scope.USER, *, with_pin: bool = True) -> SmartCardKeyStore:
        """A key store on this token, with or without the PIN."""
        pins = (lambda purpose: Secret(self.pin)) if with_pin else None
        return SmartCardKeyStore(scope, self.module, self.uri, pins, self.directory / "locks")

    def __enter__(self) -> SoftToken:
        self._before = {name: os.environ.get(name) for name in self.environ}
        os.environ.update(self.environ)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self.directory, ignore_errors=True)
