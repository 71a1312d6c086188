"""The three flows of the demo: what a user does in each, command by command.

Knows the scripts of ``examples`` by name, and ``xenroll`` as a program. Looks at the profile only to say what came of it.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from certenroll.facade_values import CertificateEntry

_PATIENCE: Final = 120.0  # seconds for one command
_ENROLLED: Final = "Enrolled"
_NOT_HERE: Final = "not available: "
_NUMBER: Final = re.compile(r"Pending as request (\d+)")


@dataclass(frozen=True)
class Result:
    """One row of the demo.

    Attributes:
        subject: of the certificate.
        flow: out-of-band, automatic or delayed.
        asked, used: KeyLocation, as a number; used is None where there is no certificate.
        provider, store, container: where the key is.
        fallback: why it is elsewhere than asked, or "".
        status: "Enrolled", "not available: " and why, or "failed: " and why.
        thumbprint: of the certificate.
        seconds: how long the flow took.
    """

    subject: str
    flow: str
    asked: int
    used: int | None = None
    provider: str = ""
    store: str = ""
    container: str = ""
    fallback: str = ""
    status: str = ""
    thumbprint: str = ""
    seconds: float = 0.0

    @property
    def enrolled(self) -> bool:
        """Whether there is a certificate."""
        return self.status == _ENROLLED

    @property
    def failed(self) -> bool:
        """Whether it could have been enrolled and was not."""
        return not self.enrolled and not self.status.startswith(_NOT_HERE)


class CommandFailed(Exception):
    """A command of a flow ended with an error; the message is the last line that it wrote."""


@dataclass(frozen=True)
class Desk:
    """Where the demo's user sits.

    Attributes:
        folder: for the files of the out-of-band flow.
        examples: where the scripts are.
        holding: the configuration string of the CA that holds requests.
    """

    folder: Path
    examples: Path
    holding: str

    @classmethod
    def prepare(cls, folder: Path) -> Desk:
        """Makes the two CAs in the profile of the environment, and trusts their roots.

        Raises:
            FileNotFoundError: the scripts are not beside the package.
        """
        from certenroll import facade
        from certenroll.stores.profile import open_profile
        from keystores.base import KeyAlgorithm
        from xenroll_compat.cli.ca import make_ca

        examples = Path(__file__).resolve().parents[2] / "examples"
        if not examples.is_dir():
            raise FileNotFoundError(f"{examples} is not there; the demo runs from a checkout of the project")
        profile = open_profile()
        configs = []
        for name, policy, path in (("Demo CA", "issue", ""), ("Holding CA", "hold", "holding-ca")):
            wanted = argparse.Namespace(
                name=name, policy=policy, path=path, host="demo", subject="", days=30, two_tier=False
            )
            ca = make_ca(profile, wanted, KeyAlgorithm.RSA, 2048)
            facade.add_certificate("ROOT", ca.certificates()[-1])
            configs.append(ca.config)
        work = folder / "files"
        work.mkdir()
        return cls(work, examples, configs[1])

    def script(self, name: str, *arguments: str, location: int) -> str:
        """Runs a script of the examples with its keys sent to a location. Gives what it printed. Raises CommandFailed."""
        return self.command("run", str(self.examples / name), *arguments, XENROLL_KEY_LOCATION=str(location))

    def command(self, *arguments: str, **variables: str) -> str:
        """Runs ``xenroll`` in a process of its own. Gives what it printed. Raises CommandFailed."""
        done = subprocess.run(  # noqa: S603  our own program
            [sys.executable, "-m", "xenroll_compat.cli.main", *arguments],
            cwd=self.folder,
            env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(one for one in sys.path if one)},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            lines = (done.stderr + done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
            told = [line for line in lines if line.lower().startswith(("error", "pywintypes"))]
            raise CommandFailed((told or lines)[-1])
        return done.stdout


def enroll(desk: Desk, flow: str, location: int) -> Result:
    """Goes through one flow with the key at one location. What goes wrong stands in the result's status."""
    result = Result(_subject(flow, location), flow, location)
    started = time.monotonic()
    try:
        FLOWS[flow](desk, result.subject, location)
        found = _installed(result.subject)
        result = replace(result, status=_ENROLLED, thumbprint=found.thumbprint, **_key(found))  # type: ignore[arg-type]
    except (CommandFailed, subprocess.TimeoutExpired) as error:
        result = replace(result, status=f"failed: {error}")
    return replace(result, seconds=round(time.monotonic() - started, 2))


def not_available(flow: str, location: int, reason: str) -> Result:
    """The row of a location whose device is not on this machine."""
    return Result(_subject(flow, location), flow, location, status=_NOT_HERE + reason)


def _out_of_band(desk: Desk, subject: str, location: int) -> None:
    request, response = f"{location}.req", f"{location}.p7b"
    desk.script("legacy_xenroll.py", "create", subject, request, location=location)
    desk.command("ca", "sign", request, "--out", response)
    desk.script("legacy_xenroll.py", "accept", response, location=location)


def _automatic(desk: Desk, subject: str, location: int) -> None:
    desk.script("certenroll_enroll.py", subject, location=location)


def _delayed(desk: Desk, subject: str, location: int) -> None:
    told = _NUMBER.search(desk.script("legacy_pending.py", "submit", subject, desk.holding, location=location))
    if told is None:
        raise CommandFailed("the CA did not hold the request")
    desk.command("ca", "issue", told[1], "--ca", desk.holding)
    desk.script("legacy_pending.py", "retrieve", told[1], desk.holding, location=location)


# Flow -> what a user does in it.
FLOWS: Final[dict[str, Callable[[Desk, str, int], None]]] = {
    "out-of-band": _out_of_band,
    "automatic": _automatic,
    "delayed": _delayed,
}


def _subject(flow: str, location: int) -> str:
    return f"CN={flow} {location}, O=xenroll demo"


def _installed(subject: str) -> CertificateEntry:
    """The certificate in MY. Raises CommandFailed where the flow went through and left none."""
    from certenroll import facade

    found = next((one for one in facade.certificates("MY") if one.subject == subject), None)
    if found is None:
        raise CommandFailed("no certificate is in MY")
    return found


def _key(found: CertificateEntry) -> dict[str, object]:
    key = found.key
    if key is None:
        raise CommandFailed("the certificate in MY has no key")
    return {
        "used": int(key.used_location),
        "provider": key.provider_name,
        "store": key.store,
        "container": key.container,
        "fallback": key.fallback,
    }
