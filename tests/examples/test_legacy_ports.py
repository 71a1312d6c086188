"""The ports of the pages of examples/legacy: the Python one is verified, the PowerShell one parses, and the VBScript one,
run here, makes the calls that the Python one makes.
"""

from __future__ import annotations

import base64
import io
import re
import runpy
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certenroll import com
from certenroll.com import ComObject
from certenroll.enums import EncodingType, InstallResponseRestrictionFlags
from tests.examples.conftest import close_profile
from tests.support.legacy_pages import PAGES, Place, form_of
from tests.support.requires import package
from tests.xenroll_compat.porting.syntax import calls_in, faults, tree_of
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.running import run_script_in
from xenroll_compat.hosts.settings import RunSettings
from xenroll_compat.porting.recording import Recorder, events

_HERE = ("--folder", ".")
_ANSWER = "answer.p7b"


@dataclass(frozen=True)
class Visit:
    """A run of a page.

    Attributes:
        page: its name.
        requests: how many requests it makes.
        options: of xenroll.
        arguments: of the script.
        answered: the run that makes a request which a CA answered before, in the file answer.p7b.
        answers: where the ports find that answer.
    """

    page: str
    requests: int
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((*self.options, f"examples/legacy/{self.page}", *self.arguments))


_ASP = ("--event", "Create.onclick", str(PAGES / "request.asp"))
VISITS = (
    Visit("request.vbs", 1),
    Visit("existing_key.vbs", 2),
    Visit("names_and_usages.vbs", 6),
    Visit("key_flags.vbs", 5),
    Visit("error_numbers.vbs", 3),
    Visit("errors.vbs", 0),
    Visit("providers.js", 0),
    Visit("certenroll.js", 3),
    Visit("user_template.vbs", 1),
    Visit("renewal.wsf", 2),
    Visit("request_file.vbs", 1, _HERE, ("new", "bob.req", "CN=Bob")),
    Visit(
        "request_file.vbs", 0, (*_HERE, "--input-file", "password"), ("accept", _ANSWER, "bob.pfx"), _ASP,
        (f"--answer={_ANSWER}",),
    ),
    Visit("page_vbscript.htm", 1, ("--event", "Create.onclick")),
    Visit("page_jscript.htm", 1, ("--event", "go.onclick")),
    Visit("page_jscript.htm", 1, ("--field", "control=certenroll", "--event", "go.onclick")),
    Visit("request.asp", 1, ("--query", "name=Zoe", "--event", "Create.onclick")),
    Visit(
        "accept.htm", 0, ("--field-file", f"PKCS7={_ANSWER}", "--event", "Install.onclick"), (), _ASP,
        (f"--answer={_ANSWER}",),
    ),
)
# A container's name, a message, a thumbprint.
_NEW = re.compile(r"(lp-)?[0-9a-f]{8}(-[0-9a-f]{4}){3}|-----BEGIN|MII|[0-9A-Fa-f]{40}\s*$")
_OF_CONSTRUCTORS = (("IObjectId", "InitializeFromValue"),)  # objects give themselves object ids while they are made
Call = tuple[str, str, str, tuple[Any, ...]]


@pytest.fixture
def visitor(home_with_a_ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A user with keys in software, in a new profile with a CA."""
    package("ASPPY", "scripts")
    package("tree_sitter_powershell", "test")
    shutil.copytree(home_with_a_ca, tmp_path / "home")
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "password").write_text("a password\n")
    (tmp_path / "user" / "password").chmod(0o600)
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "3")
    monkeypatch.chdir(tmp_path / "user")
    return Place.of("software", tmp_path / "home", tmp_path / "user", None)


def answer(place: Place, asking: tuple[str, ...]) -> None:
    """Runs the page that asks, and puts the CA's answer to it into a file."""
    (place.folder / "asked.req").write_text(form_of(place.xenroll("run", *asking).stdout)["CertRequest"])
    place.xenroll("ca", "sign", "asked.req", "--out", _ANSWER)


def calls_of(recorder: Recorder) -> list[com.Call]:
    """The CertEnroll calls that a port made itself."""
    calls = (event.entry.call for event in events(recorder.entries) if event.own)
    return [
        one for one in calls if one.kind != "facade" and (type(one.target).__name__, one.member) not in _OF_CONSTRUCTORS
    ]


def fit_for_windows(calls: list[com.Call]) -> list[com.Call]:
    """The calls without what Windows lacks: KeyLocation, and an answer that is installed a second time."""
    found: list[com.Call] = []
    installed: set[object] = set()
    for call in calls:
        again = call.member == "InstallResponse" and call.error is None and call.arguments[1] in installed
        if call.member != "KeyLocation" and not again:
            found.append(call)
        installed |= {call.arguments[1]} if call.member == "InstallResponse" else set()
    return found


def without_nearest(calls: list[com.Call]) -> list[com.Call]:
    """The calls without those for which Python has a function beside CertEnroll: an install that answers no request."""
    nearest = {
        id(call.target)
        for call in calls
        if call.member == "InstallResponse" and call.arguments[0] & InstallResponseRestrictionFlags.AllowNoOutstandingRequest
    }
    return [call for call in calls if id(call.target) not in nearest]


def comparable(calls: list[com.Call]) -> list[Call]:
    """What can be compared of calls."""
    return [(type(one.target).__name__, one.member, one.kind, tuple(map(_argument, one.arguments))) for one in calls]


def _argument(value: object) -> object:
    """An argument as both languages have it: an object by its kind, bytes in base64, what is new in each run by its form."""
    if isinstance(value, ComObject):
        return type(value).__name__
    if value is EncodingType.XCN_CRYPT_STRING_BINARY:
        return EncodingType.XCN_CRYPT_STRING_BASE64
    if isinstance(value, bytes):
        value = base64.b64encode(value).decode()
    return "new in each run" if isinstance(value, str) and _NEW.match(value) else value


def run_python(path: Path, answers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[com.Call]:
    """Runs a port; gives the calls that it made."""
    monkeypatch.setattr(sys, "argv", [str(path), *answers])
    monkeypatch.setattr("getpass.getpass", lambda prompt="", stream=None: "a password")
    recorder = Recorder()
    with com.observe(recorder):
        runpy.run_path(str(path), run_name="__main__")
    return calls_of(recorder)


def run_vbscript(path: Path, answers: tuple[str, ...]) -> list[com.Call]:
    """The same of a port in VBScript."""
    recorder = Recorder()
    files = tuple(one.partition("=")[2] for one in answers)
    settings = RunSettings(folder=path.parent, arguments=files, inputs=("a password",))
    with com.observe(recorder):
        run_script_in(Environment(settings, io.StringIO()), path)
    return calls_of(recorder)


def test_the_readme_has_every_page_with_the_commands_that_run_it() -> None:
    text = (PAGES / "README.md").read_text()
    assert re.findall(r"`xenroll run (.*)` \|$", text, re.M) == list(map(str, VISITS))
    named = re.findall(r"^\| `(\S+)` \|", text, re.M)
    assert sorted(named) == sorted(path.name for path in PAGES.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("page", sorted({visit.page for visit in VISITS}))
def test_a_page_is_short_and_any_machine_reads_it(page: str) -> None:
    assert len((PAGES / page).read_text("ascii").splitlines()) <= 80


@pytest.mark.parametrize("visit", VISITS, ids=str)
def test_a_page_becomes_ports_that_do_what_it_did(visit: Visit, visitor: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    if visit.answered:
        answer(visitor, visit.answered)
    homes = {ending: visitor.xenroll.home.with_name(ending) for ending in ("py", "vbs")}
    for home in homes.values():
        shutil.copytree(visitor.xenroll.home, home)

    written = ("--verify", "--all", "--out", "new")
    told = visitor.xenroll("port", *written, *visit.options, PAGES / visit.page, *visit.arguments).stderr
    number = f"verified: {visit.requests} of {visit.requests} requests are the same"
    assert (number if visit.requests else "nothing to verify") in told

    tree = tree_of((visitor.folder / "new.ps1").read_text("ascii"))
    assert faults(tree) == []
    made: dict[str, list[com.Call]] = {}
    for ending, home in homes.items():
        monkeypatch.setenv("XENROLL_HOME", str(home))
        path = visitor.folder / f"new.{ending}"
        made[ending] = run_python(path, visit.answers, monkeypatch) if ending == "py" else run_vbscript(path, visit.answers)
        close_profile()
    assert comparable(without_nearest(made["vbs"])) == comparable(fit_for_windows(made["py"]))
    said = [member for _target, member in calls_in(tree) if member != "InitializeFromValue"]
    assert said == [call.member for call in made["vbs"]]


@pytest.mark.parametrize(("page", "requests"), [("existing_key.vbs", 2), ("certenroll.js", 3)])
def test_a_port_is_verified_where_the_keys_are(place: Place, page: str, requests: int) -> None:
    told = place.xenroll("port", "--verify", PAGES / page, *(("ported",) if page == "existing_key.vbs" else ())).stderr
    assert f"verified: {requests} of {requests} requests are the same" in told
    assert {one.key.store for one in (*place.stored(), *place.stored("REQUEST"))} == {place.store}
