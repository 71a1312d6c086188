"""xenroll demo: legacy scripts enroll in three flows, with their keys in four places.

A profile of its own with two CAs (one issues at once, one holds), a TPM and a card in software, and the scripts of
``examples``, each run by ``xenroll run`` as a user would, in processes of their own. Everything is gone afterwards.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Final

from xenroll_compat.cli.demo_flows import FLOWS, Desk, Result, enroll, not_available
from xenroll_compat.cli.devices import Device, soft_card, soft_tpm
from xenroll_compat.cli.output import note, progress, show_rows

OK: Final = 0
FAILED: Final = 1
INCOMPLETE: Final = 3
LOCATIONS: Final = (1, 2, 3, 4)
_COLUMNS: Final = ("subject", "asked", "used", "provider", "flow", "status", "thumbprint", "seconds")
_HELD_BACK: Final = ("XENROLL_", "SOFTHSM2_CONF")  # what the caller's environment must not bring in


def configure(parser: argparse.ArgumentParser) -> None:
    """Adds the command's options."""
    parser.description = "Three flows, four places for the key: twelve certificates, from scripts written for pywin32."
    parser.add_argument("--json", action="store_true", help="write the twelve rows as JSON")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in that new or empty folder, and leave it there")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    with _folder(arguments.keep) as folder, _ended_by_signals(), ExitStack() as stack:
        tpm = stack.enter_context(soft_tpm(folder / "tpm"))
        card = stack.enter_context(soft_card(folder / "card", "xenroll demo"))
        environment = {"XENROLL_HOME": str(folder / "profile"), **tpm.environment, **card.environment}
        stack.enter_context(_environment(environment))
        with progress("making two CAs"):
            desk = Desk.prepare(folder)
        results = [one for flow in FLOWS for one in _flow(desk, flow, tpm, card)]
        if arguments.keep:
            _write_environment(folder / "environment", environment)
    show_rows([asdict(one) for one in results], _COLUMNS, as_json=arguments.json)
    return _exit_code(results)


def _flow(desk: Desk, flow: str, tpm: Device, card: Device) -> Iterator[Result]:
    missing = {1: tpm.missing, 4: card.missing}
    for location in LOCATIONS:
        reason = missing.get(location, "")
        if reason:
            yield not_available(flow, location, reason)
            continue
        with progress(f"{flow}, KeyLocation {location}"):
            result = enroll(desk, flow, location)
        yield result


def _exit_code(results: list[Result]) -> int:
    if any(one.failed for one in results):
        return FAILED
    reasons = sorted({one.status for one in results if not one.enrolled})
    for reason in reasons:
        note(reason)
    return INCOMPLETE if reasons else OK


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to work in. Raises FileExistsError where --keep names one that is not empty."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="xenroll-demo-") as temporary:
            yield Path(temporary)
        return
    keep.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(keep.iterdir()):
        raise FileExistsError(f"{keep} is not empty; --keep wants a folder of its own")
    yield keep.resolve()


@contextmanager
def _environment(wanted: Mapping[str, str]) -> Iterator[None]:
    """The environment of the demo, for this process and those that it starts."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(_HELD_BACK):
            del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Has SIGTERM and SIGHUP end the block as an exception does, so that the devices are stopped."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _write_environment(path: Path, environment: Mapping[str, str]) -> None:
    """The variables that lead to what was kept, for a shell to read; the TPM is stopped and needs swtpm again."""
    lines = [f"export {name}='{value}'\n" for name, value in environment.items() if name != "XENROLL_TPM_TCTI"]
    path.write_text("".join(lines), encoding="utf-8")
