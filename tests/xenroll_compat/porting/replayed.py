"""A VBScript port run here, and the calls that it made beside those of its model."""

from __future__ import annotations

import io
from pathlib import Path

from certenroll import com
from tests.support.requires import package
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.running import run_script_in
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting.model import Call, Port
from xenroll_compat.porting.recording import Recorder, events
from xenroll_compat.porting.windows import for_windows


def run_vbscript(text: str, folder: Path) -> tuple[list[tuple[str, str]], str]:
    """Runs a VBScript; gives the CertEnroll calls that it made itself, and what it wrote."""
    package("ASPPY", "scripts")
    path = folder / "port.vbs"
    path.write_text(text, "ascii")
    recorder, output = Recorder(), io.StringIO()
    with com.observe(recorder):
        run_script_in(Environment(RunSettings(folder=folder), output), path)
    calls = [event.entry.call for event in events(recorder.entries) if event.own]
    told = [(type(call.target).__name__, call.member) for call in calls]
    return [one for one in told if not _of_a_constructor(*one)], output.getvalue()


def _of_a_constructor(interface: str, member: str) -> bool:
    return (interface, member) == ("IObjectId", "InitializeFromValue")


def calls_of(port: Port) -> list[tuple[str, str]]:
    """The calls that the model has for Windows, object ids left out: objects make those for themselves too."""
    found = ((call.interface, _recorded(call)) for call in for_windows(port).calls())
    return [one for one in found if not _of_a_constructor(*one)]


def _recorded(call: Call) -> str:
    """The member as a recording has it: the put of a property with parameters is a method here."""
    return f"Set{call.member}" if call.kind == "put" and len(call.arguments) > 1 else call.member
