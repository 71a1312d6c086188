"""A real software TPM for a test: swtpm on unix sockets in a short folder, which can be stopped and started again."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.support.requires import package, program

_PATIENCE = 20.0  # seconds; on a busy machine a start takes a while, and none takes this long


class SwTpm:
    """A TPM of its own. Use as a context manager; skips the calling test where swtpm or tpm2_pytss is not installed.

    Attributes:
        directory: its folder; `state` in it outlives `stop`.
        tcti: what a TpmKeyStore (or TPM2OPENSSL_TCTI) is given.
    """

    def __init__(self) -> None:
        package("tpm2_pytss", "tpm")
        self._program = program("swtpm", "tpm")
        self.directory = Path(tempfile.mkdtemp(prefix="tpm", dir="/tmp"))  # a socket's path has less than 108 bytes
        self.tcti = f"swtpm:path={self.directory}/s"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the TPM, with the state of the last time."""
        state = self.directory / "state"
        state.mkdir(exist_ok=True)
        server, control = self.directory / "s", self.directory / "s.ctrl"
        self._process = subprocess.Popen(
            [
                *(self._program, "socket", "--tpm2", "--tpmstate", f"dir={state}"),
                *("--server", f"type=unixio,path={server}", "--ctrl", f"type=unixio,path={control}"),
                *("--flags", "not-need-init,startup-clear", "--log", f"file={self.directory}/log"),
            ]
        )
        _until(lambda: _answers(server) and _answers(control), f"swtpm did not start; see {self.directory}/log")

    def stop(self) -> None:
        """Takes the TPM away, as a power cut does."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE)
            self._process = None
        for name in ("s", "s.ctrl"):
            (self.directory / name).unlink(missing_ok=True)

    def restart(self) -> None:
        """Stops and starts it: what was loaded is gone, what is persistent is there."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> SwTpm:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _answers(path: Path) -> bool:
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _until(done: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.002)
