"""Windows Script Files: a job's objects, references and resources are made, then its scripts run in order.

The engines of a job share their names. A file that begins with ``<?xml`` is read as XML has it (a script's signs of markup
are entities, or it stands in CDATA); any other as Windows reads it, with scripts as they are. Knows no document.

Source: the XML elements of Microsoft's Windows Script Host reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts import automation
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects.arguments import WshArguments
from xenroll_compat.hosts.objects.wscript import WScript
from xenroll_compat.hosts.pages.html import Script, class_of, make_script
from xenroll_compat.hosts.pages.results import PageResult
from xenroll_compat.hosts.pages.scripts import VBSCRIPT, Scripts
from xenroll_compat.hosts.pages.sources import Sources, decode_page
from xenroll_compat.hosts.pages.type_libraries import constants_of
from xenroll_compat.hosts.problems import Place, ScriptFailure

_SOURCE: Final = "Windows Script Host"
_STRICT: Final = re.compile(r"\s*<\?xml\b", re.IGNORECASE)


class JobArguments(WshArguments):
    """WScript.Arguments of a job, whose RUNTIME element says how it is called."""

    def __init__(self, environment: Environment, usage: str) -> None:
        super().__init__(environment)
        self._usage: Final = usage

    def ShowUsage(self) -> None:
        """Writes how the job is called."""
        self._environment.output.write(self._usage)


@dataclass(frozen=True)
class Thing:
    """An OBJECT or REFERENCE element: its attributes, and where it stands."""

    attributes: dict[str, str]
    place: Place

    @property
    def identifier(self) -> str:
        """The class that it names."""
        return class_of(self.attributes) or (self.attributes.get("object") or self.attributes.get("guid", "")).strip()


@dataclass
class Job:
    """One job.

    Attributes:
        name: its id.
        objects: its OBJECT elements.
        references: its REFERENCE elements.
        resources: texts by id, for getResource.
        scripts: its scripts in order.
        named: the arguments of the form /name that RUNTIME tells of, with their help.
        unnamed: the others, with their help.
        description: what RUNTIME says of the job.
        usage: the text that ShowUsage shows in place of all this, or "".
    """

    name: str = ""
    objects: list[Thing] = field(default_factory=list)
    references: list[Thing] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)
    scripts: list[Script] = field(default_factory=list)
    named: list[dict[str, str]] = field(default_factory=list)
    unnamed: list[dict[str, str]] = field(default_factory=list)
    description: str = ""
    usage: str = ""

    def usage_of(self, file: str) -> str:
        """The text of ShowUsage."""
        if self.usage.strip():
            return self.usage.strip() + "\n"
        unnamed = [argument.get("name", "") for argument in self.unnamed]
        named = [f"/{argument.get('name', '')}:value" for argument in self.named]
        lines = [self.description.strip()] if self.description.strip() else []
        lines.append(" ".join(["Usage: xenroll run", file, *unnamed, *named]))
        for argument, shown in zip([*self.unnamed, *self.named], [*unnamed, *named], strict=True):
            lines.append(f"  {shown.partition(':')[0]:<12}: {argument.get('helpstring', '')}")
        return "\n".join(lines) + "\n"


class WsfReader(HTMLParser):
    """Reads a file into its jobs."""

    def __init__(self, file: str, *, strict: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._file: Final = file
        self._strict: Final = strict
        self.jobs: Final[list[Job]] = []
        self._text: list[str] = []
        self._open: dict[str, str] = {}
        self._script_at = (0, 0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element; outside of every job it belongs to one of its own."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "job" or (not self.jobs and tag in {"script", "object", "reference", "resource", "runtime"}):
            self.jobs.append(Job(attributes.get("id", "") if tag == "job" else ""))
        if tag in {"package", "job"}:
            return
        self._text, self._open = [], attributes
        thing = Thing(attributes, Place(self._file, *self.getpos()))
        job = self.jobs[-1] if self.jobs else Job()
        for kind, things in (("object", job.objects), ("reference", job.references)):
            if tag == kind:
                things.append(thing)
        for kind, arguments in (("named", job.named), ("unnamed", job.unnamed)):
            if tag == kind:
                arguments.append(attributes)
        line, column = self.getpos()
        opening = self.get_starttag_text() or ""
        below = opening.count("\n")
        self._script_at = (line + below, len(opening) - opening.rfind("\n") if below else column + len(opening) + 1)

    def handle_data(self, data: str) -> None:
        """Gathers text."""
        self._text.append(data)

    def unknown_decl(self, data: str) -> None:
        """A CDATA section is text."""
        self._text.append(data.removeprefix("CDATA["))

    def handle_endtag(self, tag: str) -> None:
        """Notes what an element held."""
        if not self.jobs:
            return
        job, text = self.jobs[-1], "".join(self._text)
        if tag == "script":
            job.scripts.append(self._script(text))
        elif tag == "resource":
            job.resources[self._open.get("id", "")] = text.strip()
        elif tag == "description":
            job.description = text
        elif tag == "usage":
            job.usage = text
        self._text = []

    def _script(self, text: str) -> Script:
        if self._strict and "<![CDATA[" not in text:
            text = unescape(text)
        return make_script(self._open, text, Place(self._file, *self._script_at))


def jobs_of(text: str, file: str) -> list[Job]:
    """The jobs of a file."""
    reader = WsfReader(file, strict=_STRICT.match(text) is not None)
    reader.feed(text)
    reader.close()
    return reader.jobs


def run_wsf(path: Path, environment: Environment, name: str = "") -> PageResult:
    """Runs a job of a Windows Script File. Raises as ``pages.run_page``."""
    job = _chosen(jobs_of(decode_page(path.read_bytes()), path.name), name)
    sources = Sources(path, environment)
    scripts = Scripts(environment)
    _prepare(job, scripts, environment, path)
    for script in job.scripts:
        if script.source:
            script = script.with_code(*sources.read(script.source))  # noqa: PLW2901
        scripts.execute(script.code, script.language, script.place)
    return PageResult()


def _chosen(jobs: list[Job], name: str) -> Job:
    found = next((job for job in jobs if not name or job.name.lower() == name.lower()), None)
    if not jobs:
        raise ComError(HRESULT.WIN32_INVALID_DATA, "there is no job in it: this is no Windows Script File", source=_SOURCE)
    if found is None:
        names = ", ".join(job.name or "(no id)" for job in jobs)
        raise ComError(HRESULT.E_INVALIDARG, f"there is no job {name!r}; the file's jobs: {names}", source=_SOURCE)
    return found


def _prepare(job: Job, scripts: Scripts, environment: Environment, path: Path) -> None:
    """Gives the engines what the job names before its scripts."""
    scripts.default = job.scripts[0].language if job.scripts and job.scripts[0].language else VBSCRIPT
    host = WScript(environment, path)
    host._arguments = JobArguments(environment, job.usage_of(path.name))
    for name in ("WScript", "WSH"):
        scripts.define(name, host)
    scripts.define("getResource", lambda name: _resource(job, str(name)))
    for thing in job.references:
        constants = constants_of(thing.identifier)
        if constants is None:
            environment.output.write(f"[job] no constants are known of the type library {thing.identifier}\n")
        for name, value in (constants or {}).items():
            scripts.define(name, value)
    for thing in job.objects:
        scripts.define(thing.attributes.get("id", ""), _made(thing, environment))


def _resource(job: Job, name: str) -> str:
    if name not in job.resources:
        raise ComError(HRESULT.E_INVALIDARG, f"the job has no resource {name!r}", source=_SOURCE)
    return job.resources[name]


def _made(thing: Thing, environment: Environment) -> object:
    try:
        return environment.create(thing.identifier)
    except ComError as error:
        failure = automation.failure_of(error, _SOURCE)
        if failure is None:
            raise
        raise ScriptFailure(failure.number, failure.description, failure.source, thing.place) from error
