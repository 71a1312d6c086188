"""The project's own judges in Java, on Bouncy Castle: compiled when first asked for, and again when a source changes."""

from __future__ import annotations

import contextlib
import functools
import getpass
import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.requires import missing, program

_SOURCES = Path(__file__).resolve().parents[1] / "oracles"
_JARS = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcutil", "bcpkix")]


@dataclass(frozen=True)
class Line:
    """One line that CmcReader says: how deep the message stands, of what kind the line is, and its fields."""

    depth: int
    kind: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Reading:
    """What CmcReader says of one message."""

    verdict: str
    lines: tuple[Line, ...]

    def of(self, kind: str, depth: int = 0) -> list[dict[str, str]]:
        """The fields of the lines of that kind, in order."""
        return [line.fields for line in self.lines if (line.kind, line.depth) == (kind, depth)]


def java(name: str, *arguments: str | Path) -> str:
    """What one of the judges prints; the calling test fails where the program does."""
    command = [program("java"), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", _class_path(), name]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read_with_bouncy_castle(folder: Path, *messages: bytes) -> list[Reading]:
    """What Bouncy Castle reads in CMC and PKCS #7 messages, one Reading for each; one start of Java for all."""
    files = [folder / f"{number}.judged" for number in range(len(messages))]
    for file, message in zip(files, messages, strict=True):
        file.write_bytes(message)
    readings: list[Reading] = []
    lines: list[Line] = []
    for text in java("CmcReader", *files).splitlines():
        line = _line(text)
        if line.kind == "result":
            readings.append(Reading(line.fields["value"], tuple(lines)))
            lines = []
        else:
            lines.append(line)
    return readings


def _line(text: str) -> Line:
    depth, kind, *fields = text.split("\t")
    return Line(int(depth), kind, dict(field.partition("=")[::2] for field in fields))


def _class_path() -> str:
    return ":".join(map(str, (_compiled(), *_JARS)))


@functools.cache
def _compiled() -> Path:
    """The folder of the classes, in the temporary directory; its name tells which sources they were made of."""
    sources = sorted(_SOURCES.glob("*.java"))
    absent = [jar.name for jar in _JARS if not jar.exists()]
    if absent:
        missing("judges", f"Bouncy Castle ({', '.join(absent)})")
    stamp = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"xenroll-oracles-{getpass.getuser()}-{stamp}"
    if not target.exists():
        with tempfile.TemporaryDirectory(prefix="xenroll-oracles-") as folder:
            _compile(sources, Path(folder, "classes"))
            with contextlib.suppress(OSError):  # of two test processes that come here at once the first one's is kept
                os.rename(Path(folder, "classes"), target)
    return target


def _compile(sources: list[Path], target: Path) -> None:
    command = [program("javac"), "-nowarn", "-cp", ":".join(map(str, _JARS)), "-d", str(target), *map(str, sources)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
