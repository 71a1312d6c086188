"""What a user says of a run before it begins: the script's folder, its limits, and what its questions are answered with.

Values only; the command line fills them in, the hosts read them. Tuples with names and no dataclasses: those take five
milliseconds to load, a tenth of what a short script has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

MEGABYTE = 1024 * 1024


class Limits(NamedTuple):
    """How much of the machine a script may have.

    Attributes:
        seconds: how long it may run, or None for as long as it takes.
        memory: bytes that it may take beyond what the host has at its start; also the longest string.
        depth: how many calls of its own procedures may be open at once.
    """

    seconds: float | None = 600.0
    memory: int = 512 * MEGABYTE
    depth: int = 500


class RunSettings(NamedTuple):
    """How a script is run.

    Attributes:
        arguments: what WScript.Arguments holds.
        folder: the one folder whose files the script may read and write; None lets it have no file at all.
        limits: what it may take of the machine.
        answers: the buttons that answer its message boxes, in order, by name ("yes", "cancel", ...); the last one answers
            all that follow, and where there is none each box takes its default button.
        inputs: what answers its InputBox and prompt calls, in order; those that follow are cancelled.
        fields: names of form fields (or ids) and what a user typed or chose there.
        events: the handlers to run when a page has loaded, in order: "button1.onclick", "form1.onsubmit", "Submit()".
        windows: where a page believes to be: "xp" (Internet Explorer 6), "vista" (7) or "7" (8).
        query: what an ASP page finds in Request.QueryString and Request.Form.
    """

    arguments: tuple[str, ...] = ()
    folder: Path | None = None
    limits: Limits = Limits()
    answers: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    fields: Mapping[str, str] = MappingProxyType({})
    events: tuple[str, ...] = ()
    query: Mapping[str, str] = MappingProxyType({})
    windows: str = "xp"
