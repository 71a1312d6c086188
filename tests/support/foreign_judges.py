"""Judges that others wrote, in Java: a reader and a writer of CMC messages on Bouncy Castle, and one on Dogtag's JSS.

Their sources lie beside the checkout; a test that asks for one is skipped, and told why, where source or library is absent.
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.requires import missing, program
from tests.support.shared import shared_path

Name = TypeVar("Name", bound=Hashable)

_DRIVERS = Path(__file__).resolve().parents[1] / "oracles" / "foreign"
_JARS = Path("/usr/share/java")
_BOUNCY_CASTLE = ("bcprov", "bcutil", "bcpkix")
_JSS = ("jss", "slf4j-api", "commons-lang3")
_JAVA = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_JSS_CONTROL = re.compile(r"^ +(\d+) \{([\d ]+)\}(?: (?:V2 )?status=(\w+) str=(.*?) other=.*| (DECODE-FAIL).*)?$")


@dataclass(frozen=True)
class JssControl:
    """A control as JSS reads it.

    Attributes:
        body_part: its number.
        oid: its type in dots.
        status: of status information, its number; None of every other control, and where JSS refuses the status.
        text: what a status says, None where it says nothing.
    """

    body_part: int
    oid: str
    status: int | None = None
    text: str | None = None


@dataclass(frozen=True)
class JssReading:
    """A message as JSS reads it.

    Attributes:
        content_type: in dots.
        certificates, signers: how many there are.
        requests: how many a PKIData holds; 0 in a response.
        controls: in order.
    """

    content_type: str
    certificates: int
    signers: int
    requests: int
    controls: tuple[JssControl, ...]


def bouncy_castle_answers(folder: Path, ca: bytes, ca_key: object, leaf: bytes) -> dict[str, bytes]:
    """Name of the case -> what the foreign writer answers.

    Args:
        folder: where to work.
        ca, leaf: certificates in DER.
        ca_key: the pyca RSA key of the CA.
    """
    private = ca_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    for name, certificate in (("ca.pem", ca), ("leaf.pem", leaf)):
        (folder / name).write_bytes(x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM))
    (folder / "ca.key").write_bytes(private)
    classes = _compiled("CmcBuild", _BOUNCY_CASTLE)
    _java(classes, _BOUNCY_CASTLE, "CmcBuild", folder / "out", folder / "ca.pem", folder / "ca.key", folder / "leaf.pem")
    return {path.stem: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def dumped(folder: Path, messages: Mapping[Name, bytes]) -> dict[Name, tuple[str, str]]:
    """Name of a message -> the verdict of the foreign reader ("good", "forged", "malformed") and all that it says."""
    classes = _compiled("CmcDump", _BOUNCY_CASTLE, "CmcDumps.java")
    said = _java(classes, _BOUNCY_CASTLE, "CmcDumps", *_written(folder, messages))
    *parts, rest = re.split(r"^== (\w+)\n", said, flags=re.M)
    assert not rest
    return dict(zip(messages, zip(parts[1::2], parts[::2], strict=True), strict=True))


def read_by_jss(folder: Path, messages: Mapping[Name, bytes]) -> dict[Name, JssReading]:
    """Name of a message -> what Dogtag's JSS reads in it."""
    classes = _compiled("JssCmc", _JSS)
    said = _java(classes, _JSS, "JssCmc", *_written(folder, messages), library="/usr/lib/jss")
    found = re.split(r"^/\S+ eContentType=", said, flags=re.M)[1:]
    return dict(zip(messages, map(_jss_reading, found), strict=True))


def _jss_reading(text: str) -> JssReading:
    head, *lines = text.splitlines()
    facts = re.fullmatch(r"\{([\d ]+)\} certs=(\d+) signers=(\d+)", head)
    assert facts is not None, head
    content_type, certificates, signers = facts.groups()
    matches = [found for found in map(_JSS_CONTROL.match, lines) if found is not None]
    requests = re.search(r"PKIData controls=\d+ reqs=(\d+)", text)
    controls = tuple(map(_jss_control, matches))
    count = int(requests.group(1)) if requests is not None else 0
    return JssReading(_dotted(content_type), int(certificates), int(signers), count, controls)


def _jss_control(found: re.Match[str]) -> JssControl:
    number, oid, status, text, _refused = found.groups()
    said = None if text in (None, "null") else text
    return JssControl(int(number), _dotted(oid), int(status) if status is not None else None, said)


def _dotted(oid: str) -> str:
    return oid.strip().replace(" ", ".")


def _written(folder: Path, messages: Mapping[Name, bytes]) -> list[Path]:
    files = [folder / f"{number}.message" for number in range(len(messages))]
    for file, data in zip(files, messages.values(), strict=True):
        file.write_bytes(data)
    return files


def _java(classes: Path, jars: tuple[str, ...], name: str, *arguments: Path, library: str = "") -> str:
    options = [*_JAVA, *([f"-Djava.library.path={library}"] if library else [])]
    command = [program("java"), *options, "-cp", _class_path(classes, jars), name, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _class_path(classes: Path, jars: tuple[str, ...]) -> str:
    return ":".join(map(str, (classes, *(_JARS / f"{jar}.jar" for jar in jars))))


@functools.cache
def _compiled(name: str, jars: tuple[str, ...], *drivers: str) -> Path:
    """The folder of the classes of a foreign source, with those of what drives it."""
    source = shared_path("oracles", f"{name}.java")
    absent = [jar for jar in jars if not (_JARS / f"{jar}.jar").exists()]
    if absent:
        missing("judges", f"a library of Java ({', '.join(absent)})")
    target = Path(mkdtemp(prefix="xenroll-judge-"))
    sources = [source, *(_DRIVERS / driver for driver in drivers)]
    command = [program("javac"), "-nowarn", "-Xlint:none", "-cp", _class_path(target, jars), "-d", str(target)]
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target
