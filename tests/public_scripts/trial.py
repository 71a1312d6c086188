"""A script tried: every run in a process and a profile of its own, each handler of a page once, and what came of it.

The profile has a local CA that it trusts, software keys, and where a script asks for an answer, the request of it.
Knows neither kinds of files nor what a user is told.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.public_scripts.finding import Script, filled

ROOT: Final = Path(__file__).resolve().parents[2]
_TIMEOUT: Final = 120
_TRIED: Final = (".onclick", ".onsubmit", ".onchange")
_NOWHERE: Final = "the page has no element"
_NOT_PRESSED: Final = ("reset",)
# Words in a field's name -> what a user would type there. The first that fits counts.
_TYPED: Final = (
    ("mail", "user@example.com"), ("country", "US"), ("state", "WA"), ("locality", "Redmond"), ("city", "Redmond"),
    ("bits", "2048"), ("keysize", "2048"), ("keylength", "2048"), ("dn", "CN=Test User"), ("subject", "CN=Test User"),
    ("url", "https://www.example.com/"), ("phone", "5550100"), ("pass", "secret"), ("pwd", "secret"), ("", "Test"),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """One run.

    Attributes:
        events: what happened to the page after it was loaded.
        code: the exit code.
        shown: standard output.
        told: standard error.
        calls: what the child wrote down.
    """

    events: tuple[str, ...]
    code: int
    shown: str
    told: str
    calls: tuple[dict[str, str], ...] = ()
    folder: Path = field(default=Path(), compare=False)


@dataclass(frozen=True)
class Laboratory:
    """Where runs take place: a folder of its own, with the profile that each run gets a copy of, and a CA's answer."""

    folder: Path
    answer: str

    @property
    def profile(self) -> Path:
        """The profile that is copied."""
        return self.folder / "profile"


def prepare(folder: Path) -> Laboratory:
    """Makes the profile: a CA that it trusts, and a request with that CA's answer, which is not installed."""
    done = _python(folder, folder / "profile", "-m", "tests.public_scripts.preparing")
    if done.returncode != 0:
        raise RuntimeError(f"no profile could be made: {done.stderr}")
    return Laboratory(folder, done.stdout.strip())


def outcomes(script: Script, laboratory: Laboratory, number: int) -> Iterator[Outcome]:
    """Runs a script: once as it is, and a page once more for each of its handlers, or for what the user gave.

    Args:
        script: the script.
        laboratory: where.
        number: what no other script of that laboratory has.
    """
    place = laboratory.folder / "runs" / f"{number:03}"
    facts, failure = _facts(script, laboratory, place / "facts")
    if failure is not None:
        yield failure
        return
    plans = [(), *_handlers(facts)] if script.given.events is None else list(script.given.events)
    for at, events in enumerate(plans):
        fields = {**(_typed(facts) if events else {}), **script.given.fields}
        outcome = _run(script, laboratory, place / str(at), tuple(events), fields)
        if script.given.events is not None or _NOWHERE not in outcome.told:  # a procedure called like a handler of nothing
            yield outcome


def _facts(script: Script, laboratory: Laboratory, place: Path) -> tuple[dict[str, Any], Outcome | None]:
    order = _order(script, laboratory, place, describe=True)
    done = _python(place, place / "profile", "-m", "tests.public_scripts.child", str(order))
    record = place / "record"
    if done.returncode != 0 or not record.exists():
        return {}, Outcome((), done.returncode or 1, done.stdout, done.stderr, folder=place)
    return json.loads(record.read_text(encoding="utf-8")), None


def _handlers(facts: dict[str, Any]) -> list[tuple[str, ...]]:
    pressed = [f"{name}.onclick" for name, _caption in facts.get("buttons", ()) if name and name not in _NOT_PRESSED]
    named = [one for one in facts.get("handlers", ()) if one.lower().endswith(_TRIED) and not one.startswith("window.")]
    unlike = {one.lower(): one for one in reversed([*named, *pressed])}
    return [(one,) for one in reversed(unlike.values())]


def _typed(facts: dict[str, Any]) -> dict[str, str]:
    empty = [
        one["name"] for one in facts.get("fields", ())
        if one["kind"] in ("text", "password", "textarea") and not one["value"] and one["name"]
    ]  # fmt: skip
    return {name: next(text for word, text in _TYPED if word in name.lower()) for name in empty}


def _run(script: Script, laboratory: Laboratory, place: Path, events: tuple[str, ...], fields: dict[str, str]) -> Outcome:
    order = _order(script, laboratory, place, events=events, fields=fields)
    done = _python(place, place / "profile", "-m", "tests.public_scripts.child", str(order))
    record = place / "record"
    lines = record.read_text(encoding="utf-8").splitlines() if record.exists() else []
    calls = tuple(json.loads(line) for line in lines)
    (place / "shown").write_text(done.stdout + done.stderr, encoding="utf-8")
    return Outcome(events, done.returncode, done.stdout, done.stderr, calls, place / "files")


def _order(
    script: Script, laboratory: Laboratory, place: Path, *, events: tuple[str, ...] = (),
    fields: dict[str, str] | None = None, describe: bool = False,
) -> Path:  # fmt: skip
    files = place / "files"
    files.mkdir(parents=True)
    shutil.copytree(laboratory.profile, place / "profile")
    for name, text in script.texts.items():
        (files / name).write_bytes(text.encode("latin-1", "xmlcharrefreplace"))
    given = script.given
    order = place / "order.json"
    typed = {name: filled(text, laboratory.answer) for name, text in (fields or {}).items()}
    order.write_text(json.dumps({
        "script": str(files / script.file), "arguments": given.arguments, "answers": given.answers, "inputs": given.inputs,
        "fields": typed, "events": events, "record": str(place / "record"), "describe": describe,
    }), encoding="utf-8")  # fmt: skip
    return order


def _python(folder: Path, profile: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XENROLL_")}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT,
        check=False, stdin=subprocess.DEVNULL,
        env={**inherited, "XENROLL_HOME": str(profile), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
