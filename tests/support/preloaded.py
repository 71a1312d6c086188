"""Processes that begin with everything imported: one process imports the project, and forks for each command.

A command runs as ``python -W error -m MODULE ARGUMENTS`` would run it, in a process of its own that may be killed, without
the third of a second that the imports take. What the interpreter reads at its own start (PYTHON* variables, the locale)
is the forking process's: a test of such things starts a real interpreter.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from certenroll.stores import faults

ROOT = Path(__file__).resolve().parents[2]
MODULES = (
    "certenroll.facade", "certenroll.enrollments", "certenroll.cmc_requests", "certenroll.scep_enrollments",
    "certenroll.cert_requests", "certenroll.ca.local", "certenroll.mdm.session", "certenroll.mdm.scep_runner",
    "xenroll_compat.control", "xenroll_compat.cli.output", "xenroll_compat.cli.problems", "xenroll_compat.hosts.pywin32",
    "http.client", "urllib.request",
)  # fmt: skip
_server: dict[int, subprocess.Popen[str]] = {}  # by the process that started it


def run(
    module: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, timeout: int = 120
) -> subprocess.CompletedProcess[str]:
    """Runs a module or a script as a program.

    Args:
        module: the module's name, or the path of the script (it ends in ".py").
        arguments: the command line behind it.
        environment: the whole environment.
        folder: where it runs.
        timeout: seconds, after which it is killed and TimeoutExpired raised.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        order = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
            "out": f"/proc/{os.getpid()}/fd/{out.fileno()}",
            "err": f"/proc/{os.getpid()}/fd/{err.fileno()}",
            "timeout": timeout,
        }
        answer = _ask(json.dumps(order))
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "replace"))
    if answer == "timeout":
        raise subprocess.TimeoutExpired([module, *arguments], timeout, *texts)
    return subprocess.CompletedProcess([module, *arguments], int(answer), *texts)


def _ask(order: str) -> str:
    server = _server.get(os.getpid())
    if server is None or server.poll() is not None:
        command = [sys.executable, "-W", "error", "-m", "tests.support.preloaded"]
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _server[os.getpid()] = server
        atexit.register(_stop, os.getpid())
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(order + "\n")
    server.stdin.flush()
    return server.stdout.readline().strip()


def _stop(owner: int) -> None:
    if os.getpid() == owner:
        server = _server.pop(owner)
        server.communicate()


def _serve() -> None:
    for name in MODULES:
        importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(f"{_carry_out(json.loads(line))}\n")
        sys.stdout.flush()


def _carry_out(order: dict[str, object]) -> str:
    child = os.fork()
    if child == 0:
        _become(order)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(int(str(order["timeout"])))
    _, status = os.waitpid(child, 0)
    late = signal.alarm(0) == 0
    return "timeout" if late else str(os.waitstatus_to_exitcode(status))


def _become(order: dict[str, object]) -> None:
    """Turns the forked process into the command, and ends it as an interpreter would."""
    signal.alarm(0)
    os.chdir(str(order["folder"]))
    for descriptor, name in ((0, os.devnull), (1, str(order["out"])), (2, str(order["err"]))):
        opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["environment"])  # type: ignore[call-overload]
    module = str(order["module"])
    sys.argv = [module, *order["arguments"]]  # type: ignore[misc]
    sys.path[0] = str(Path(module).parent if module.endswith(".py") else order["folder"])
    sys.path.extend(part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part not in sys.path)
    faults._point = faults._make(os.environ)  # which an interpreter makes when it imports them
    sys.modules.pop(module, None)
    if module.endswith(".py"):
        runpy.run_path(module, run_name="__main__")
    else:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    raise SystemExit


if __name__ == "__main__":
    _serve()
