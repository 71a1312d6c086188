"""A SoftHSM token of one's own: a configuration, a folder, an initialised token. For trying things out and for tests.

Knows SoftHSM alone; cards are initialised by their issuers. The token is made by a process of its own
(``token_maker.py``), because a PKCS#11 library has one configuration for a whole process; the PIN goes there through a
pipe and stands in no process list.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from keystores.base import Secret
from keystores.errors import DeviceFailure, KeyStoreError, StoreUnavailable
from keystores.smartcard.errors import INVALID_CHV, INVALID_PARAMETER, NO_READER, STORE
from keystores.smartcard.module import MODULE_VARIABLE, TOKEN_VARIABLE, softhsm_library
from keystores.smartcard.uri import TokenUri

_LABEL_BYTES: Final = 32  # CK_TOKEN_INFO.label
_PIN_BYTES: Final = range(4, 256)  # what SoftHSM takes
_SECONDS: Final = 60
_CONFIGURATION: Final = """\
directories.tokendir = {tokens}
objectstore.backend = file
log.level = ERROR
slots.removable = false
"""


def make_soft_token(directory: Path, label: str, pin: Secret) -> dict[str, str]:
    """Makes a SoftHSM token and the configuration that leads to it.

    Args:
        directory: a folder for both; made (mode 0700) where it is missing. A further token may be made in the same one.
        label: the token's label, 1 to 32 bytes of UTF-8.
        pin: its user PIN, 4 to 255 bytes. The security officer's PIN is random and not kept: such a token is made anew
            where its PIN is forgotten.

    Returns:
        The environment to use it with: SOFTHSM2_CONF, XENROLL_PKCS11_MODULE, XENROLL_PKCS11_TOKEN. The PIN is not in it.

    Raises:
        StoreUnavailable: SoftHSM is not installed.
        KeyStoreError: the label or the PIN does not fit.
        DeviceFailure: SoftHSM refused.
    """
    library = softhsm_library()
    if library is None:
        raise StoreUnavailable("SoftHSM is not installed; apt-get install softhsm2", store=STORE, hresult=NO_READER)
    _check(label, pin)
    configuration = _configure(directory)
    facts = _run({
        "library": str(library), "label": label, "pin": pin.reveal(), "so_pin": secrets.token_hex(16),
    }, configuration)
    return {
        "SOFTHSM2_CONF": str(configuration),
        MODULE_VARIABLE: str(library),
        TOKEN_VARIABLE: str(TokenUri(token=label, serial=facts["serial"])),
    }


def _check(label: str, pin: Secret) -> None:
    if not 1 <= len(label.encode()) <= _LABEL_BYTES:
        raise KeyStoreError(f"a token's label has 1 to {_LABEL_BYTES} bytes", store=STORE, hresult=INVALID_PARAMETER)
    if len(pin.reveal().encode()) not in _PIN_BYTES:
        raise KeyStoreError("a SoftHSM PIN has 4 to 255 bytes", store=STORE, hresult=INVALID_CHV)


def _configure(directory: Path) -> Path:
    tokens = directory.resolve() / "tokens"
    configuration = tokens.with_name("softhsm2.conf")
    try:
        tokens.mkdir(mode=0o700, parents=True, exist_ok=True)
        configuration.write_text(_CONFIGURATION.format(tokens=tokens), encoding="utf-8")
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise DeviceFailure(f"the folder {directory} cannot hold a token ({reason})", store=STORE) from error
    return configuration


def _run(request: dict[str, str], configuration: Path) -> dict[str, str]:
    program = Path(__file__).with_name("token_maker.py")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    done = subprocess.run(  # noqa: S603  our own program, by our own interpreter
        [sys.executable, "-I", "-S", str(program)], input=json.dumps(request), env=environment, capture_output=True,
        text=True, timeout=_SECONDS, check=False,
    )
    if done.returncode:
        raise DeviceFailure(f"SoftHSM made no token: {done.stderr.strip() or 'it ended early'}", store=STORE)
    facts: dict[str, str] = json.loads(done.stdout)
    return facts
