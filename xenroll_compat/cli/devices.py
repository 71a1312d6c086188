"""A TPM and a card in software, for as long as a block lasts: swtpm and a SoftHSM token.

Knows nothing of enrollment. What is missing on this machine is said in words, with the line that installs it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_PATIENCE: Final = 20.0  # seconds that a TPM may take to start on a busy machine
_PAUSE: Final = 0.005


@dataclass(frozen=True)
class Device:
    """A device that was started, or why it was not.

    Attributes:
        environment: the variables that lead a program to it.
        missing: what is missing, with the line that installs it; "" where the device is there.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""


@contextmanager
def soft_tpm(state: Path) -> Iterator[Device]:
    """Runs swtpm.

    Args:
        state: a folder for what the TPM remembers; made where it is missing.

    Raises:
        TimeoutError: swtpm does not answer.
    """
    program = shutil.which("swtpm")
    if importlib.util.find_spec("tpm2_pytss") is None:
        yield Device(missing="the Python package tpm2-pytss is not installed: pip install 'xenroll[tpm]'")
        return
    if program is None:
        yield Device(missing="swtpm is not installed: apt-get install swtpm libtss2-tcti-swtpm0")
        return
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A socket's path has less than 108 bytes, so it does not lie in the user's folder.
    with tempfile.TemporaryDirectory(prefix="xenroll-tpm-") as sockets:
        process = subprocess.Popen(_command(program, state, Path(sockets)), start_new_session=True)  # noqa: S603  found above
        try:
            _wait(process, Path(sockets, "s"), Path(sockets, "s.ctrl"))
            yield Device({"XENROLL_TPM_TCTI": f"swtpm:path={sockets}/s"})
        finally:
            process.terminate()
            process.wait(_PATIENCE)


@contextmanager
def soft_card(folder: Path, label: str) -> Iterator[Device]:
    """Makes a SoftHSM token with a random PIN, which stands in a file of mode 0600 beside it.

    Args:
        folder: where the token lives; made where it is missing.
        label: the token's label.
    """
    if importlib.util.find_spec("pkcs11") is None:
        yield Device(missing="the Python package python-pkcs11 is not installed: pip install 'xenroll[smartcard]'")
        return
    from keystores.base import Secret
    from keystores.errors import StoreUnavailable
    from keystores.smartcard.initialise import make_soft_token

    pin = secrets.token_hex(4)
    try:
        environment = make_soft_token(folder, label, Secret(pin))
    except StoreUnavailable as error:
        yield Device(missing=str(error))
        return
    pin_file = folder / "pin"
    with os.fdopen(os.open(pin_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(pin + "\n")
    yield Device({**environment, "XENROLL_PIN_FILE": str(pin_file)})


def _command(program: str, state: Path, sockets: Path) -> list[str]:
    return [
        *(program, "socket", "--tpm2", "--tpmstate", f"dir={state}"),
        *("--server", f"type=unixio,path={sockets}/s", "--ctrl", f"type=unixio,path={sockets}/s.ctrl"),
        *("--flags", "not-need-init,startup-clear", "--log", f"file={state}/log"),
    ]


def _wait(process: subprocess.Popen[bytes], *paths: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not all(map(_answers, paths)):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError("swtpm did not start; run the command again, or look at the log in its folder (--keep)")
        time.sleep(_PAUSE)


def _answers(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
