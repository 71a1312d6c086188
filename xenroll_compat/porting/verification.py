"""Whether a port asks for what the run asked for: it is run on a copy of the profile, and its requests and keys compared.

The copy is taken before the run. Keys in software and in a TPM are files of the profile, so that the copy has none of the
run's; a card is the same for both, so that a container which the run made gets another name in the verified text. The port
runs in a folder of its own, and has copies of the files that the run opened as stores. What it makes is deleted afterwards.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from certenroll.enums import X509CertificateEnrollmentContext as Context
from certenroll.stores.profile import profile_directory
from keystores.base import Scope
from xenroll_compat.porting import python
from xenroll_compat.porting.comparison import Difference, compare_all, compare_keys
from xenroll_compat.porting.model import (
    ANSWER,
    SECRET,
    Argument,
    Ask,
    Call,
    Facade,
    Listed,
    Literal,
    Name,
    Port,
    Step,
    names_used,
    with_arguments,
)
from xenroll_compat.porting.trial import keys_of
from xenroll_compat.porting.trial_files import file_position

_CARD: Final = "smartcard"
_PATIENCE: Final = 600  # seconds: a TPM of silicon takes its time over an RSA key
_AFTER_INSTALL: Final = frozenset({"CreateRequest"})
_MACHINE: Final = "machine"


@dataclass(frozen=True)
class Verification:
    """What became of it.

    Attributes:
        requests, keys: how many requests and keys the run made.
        differences: where the port's differ.
        error: what ended the port, or "".
    """

    requests: int
    keys: int
    differences: tuple[Difference, ...]
    error: str

    @property
    def is_equal(self) -> bool:
        """Whether the port asks for the same."""
        return not self.differences and not self.error


@dataclass(frozen=True)
class Done:
    """What a run did, beside which a port is held.

    Attributes:
        requests: its requests, in DER.
        keys: what was asked of each key that it made, as of ``made_keys.settings_of``.
        place: where the trial has the file of a name that the run gave; as ``trial_files.FilesBefore.place_of``.
    """

    requests: tuple[bytes, ...]
    keys: Sequence[Mapping[str, str]] = ()
    place: Callable[[str], str] = str


@contextmanager
def copied_profile(environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """A folder with the user's and the machine's profile as they are now; it is removed at the end of the block."""
    folder = Path(tempfile.mkdtemp(prefix="xenroll-port-"))
    try:
        copy = folder / "profile"
        _copy(profile_directory(Scope.USER, environ), copy)
        machine = profile_directory(Scope.MACHINE, environ)
        if not (copy / _MACHINE).exists():
            _copy(machine, copy / _MACHINE)
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def verify(port: Port, done: Done, profile: Path, known: Mapping[str, str], new: frozenset[str]) -> Verification:
    """Runs the Python port and compares what it asks for with what the run did.

    Args:
        port: the port.
        done: what the run did.
        profile: the copy of the profile.
        known: the secrets of the run by the names of the port's parameters.
        new: the containers that the run made where the port makes its own too: on a card.
    """
    containers = {name: f"{name}-{secrets.token_hex(4)}" for name in new}
    fitting = renamed_containers(with_files(without_answers(port), done.place), containers)
    prompts = {one.prompt: known.get(one.name, "") for one in port.parameters if one.kind == SECRET}
    told = _run(python.render(fitting), prompts, profile)
    names = {other: name for name, other in containers.items()}
    keys = [{setting: names.get(value, value) for setting, value in key.items()} for key in told.keys]
    differences = (*compare_all(done.requests, told.requests), *compare_keys(done.keys, keys))
    return Verification(len(done.requests), len(done.keys), differences, told.error)


def with_files(port: Port, place: Callable[[str], str]) -> Port:
    """The port with the places that ``place`` has for the files that it opens as stores or writes."""
    held: dict[str, object] = {one.name: one.value for one in port.constants}
    held |= {one.name: one.example for one in port.parameters}

    def value(argument: Argument) -> object:
        return held.get(argument.name) if isinstance(argument, Name) else getattr(argument, "value", None)

    def moved(step: Step) -> Step:
        at = file_position(step.function, list(map(value, step.arguments))) if isinstance(step, Facade) else None
        if at is None or not isinstance(step, Facade):
            return step
        name = value(step.arguments[at])
        given = (Literal(place(name)) if isinstance(name, str) else step.arguments[at],)
        return replace(step, arguments=(*step.arguments[:at], *given, *step.arguments[at + 1 :]))

    return replace(port, steps=tuple(map(moved, port.steps)))


def without_answers(port: Port) -> Port:
    """The port without the steps that need an answer of a CA: the one that the run had belongs to another key."""
    lost = {one.name for one in port.parameters if one.kind == ANSWER}
    idle: set[str] = set()  # enrollments into which nothing is installed
    steps: list[Step] = []
    for step in port.steps:
        if isinstance(step, Ask) or lost & set(names_used(step)):
            lost |= {step.result} - {""} if isinstance(step, (Call, Facade)) else set()
            idle |= {step.target} if isinstance(step, Call) else set()
        elif idle & set(names_used(step)) and not (isinstance(step, Call) and step.member in _AFTER_INSTALL):
            lost |= {step.result} - {""} if isinstance(step, (Call, Facade)) else set()
        else:
            steps.append(step)
    return replace(port, steps=tuple(steps), parameters=tuple(one for one in port.parameters if one.kind != ANSWER))


def renamed_containers(port: Port, names: Mapping[str, str]) -> Port:
    """The port with other names of containers."""

    def change(argument: Argument) -> Argument:
        if isinstance(argument, Listed):
            return replace(argument, items=tuple(map(change, argument.items)))
        if isinstance(argument, Literal) and isinstance(argument.value, str):
            return replace(argument, value=names.get(argument.value, argument.value))
        return argument

    def example(value: str | bytes) -> str | bytes:
        return names.get(value, value) if isinstance(value, str) else value

    return replace(
        port,
        constants=tuple(replace(one, value=example(one.value)) for one in port.constants),
        parameters=tuple(replace(one, example=example(one.example)) for one in port.parameters),
        steps=tuple(with_arguments(step, change) for step in port.steps),
    )


@dataclass(frozen=True)
class _Told:
    """What ``trial`` tells."""

    requests: tuple[bytes, ...]
    keys: tuple[dict[str, str], ...]
    error: str


def _run(text: str, prompts: Mapping[str, str], profile: Path) -> _Told:
    """What ``trial`` tells of a port, which runs in a process and a folder of its own."""
    script, result, folder = (profile.parent / name for name in ("port.py", "result.json", "folder"))
    folder.mkdir(exist_ok=True)
    script.write_text(text, "utf-8")
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
    done = subprocess.run(  # noqa: S603  our own interpreter and module
        [sys.executable, "-m", "xenroll_compat.porting.trial", str(script), str(result)],
        input=json.dumps({"secrets": dict(prompts)}),
        env={**os.environ, "XENROLL_HOME": str(profile), "PYTHONPATH": path},
        cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False,
    )  # fmt: skip
    if not result.exists():
        return _Told((), (), done.stderr.strip().rpartition("\n")[2] or f"it ended with {done.returncode}")
    told = json.loads(result.read_text("utf-8"))
    return _Told(tuple(map(bytes.fromhex, told["requests"])), tuple(told["keys"]), str(told["error"]))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=_without_sockets)
    else:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)


def _without_sockets(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if (Path(folder) / name).is_socket()}


def card_containers() -> frozenset[str]:
    """The containers on the user's card; none where there is no card."""
    return frozenset(container for store, container in keys_of(Context.ContextUser) if store == _CARD)
