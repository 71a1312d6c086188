"""The command ``xenroll`` in a process of its own, on a profile of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import preloaded

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("XENROLL_", "SOFTHSM2_", "XDG_", "TPM2TOOLS_")


@dataclass(frozen=True)
class Cli:
    """A user at a prompt.

    Attributes:
        home: the profile's folder (XENROLL_HOME).
        folder: where the user is.
        variables: what else stands in the environment; no other XENROLL_ variable does.
    """

    home: Path
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("XENROLL_")}
        return {**inherited, "XENROLL_HOME": str(self.home), "PYTHONPATH": str(ROOT), **self.variables}

    def __call__(self, *arguments: str | Path, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs ``xenroll`` with these arguments; the test fails where it does not end with ``code``."""
        environment = {**self.environment, **variables}
        if all(name.startswith(_OURS) for name in (*self.variables, *variables)):
            done = preloaded.run("xenroll_compat.cli.main", [str(one) for one in arguments], environment, self.folder)
        else:  # the interpreter itself may look at these at its start
            done = subprocess.run(
                command(*arguments), cwd=self.folder, env=environment, capture_output=True, text=True, timeout=120,
                check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str | Path, code: int = 0, **variables: str) -> Any:
        """What a command answers with --json."""
        return json.loads(self(*arguments, "--json", code=code, **variables).stdout)


def command(*arguments: str | Path) -> list[str]:
    """The command line of ``xenroll``; a warning of Python's ends it."""
    return [sys.executable, "-W", "error", "-m", "xenroll_compat.cli.main", *map(str, arguments)]
