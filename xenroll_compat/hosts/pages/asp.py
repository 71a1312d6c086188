"""Classic ASP: a page of HTML and server script becomes one program, runs, and gives what a browser would get.

Text between scripts is written where it stands (``Response.WriteBlock``), so loops and conditions around it work. Files that
``#include`` names come of the page's folder. Of a ``<script runat=server>`` the procedures are there before the page runs.
What the page gives is then run as an HTML page, where it has client scripts. Knows the syntax of ASP alone; its objects are
in ``asp_objects``.

Source: the ASP reference of Internet Information Services 6.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.pages.asp_objects import Response, ResponseEnded, asp_objects
from xenroll_compat.hosts.pages.client import run_text
from xenroll_compat.hosts.pages.html import class_of, code_of, language_of
from xenroll_compat.hosts.pages.results import PageFailure, PageResult
from xenroll_compat.hosts.pages.scripts import VBSCRIPT, Scripts
from xenroll_compat.hosts.pages.sources import Sources, decode_page
from xenroll_compat.hosts.problems import Place, ScriptFailure

_MOST_INCLUDES: Final = 100
_PARTS: Final = re.compile(
    r"""<!--\s*\#include\s+(?:file|(?P<virtual>virtual))\s*=\s*["']?(?P<include>[^"'>]+?)["']?\s*-->
    |<%@(?P<directive>.*?)%>
    |<%=(?P<expression>.*?)%>
    |<%(?P<code>.*?)(?:%>|\Z)
    |<script\b(?P<attributes>[^>]*\brunat\s*=\s*["']?server\b[^>]*)>(?P<script>.*?)</script\s*>
    |<object\b(?P<object>[^>]*\brunat\s*=\s*["']?server\b[^>]*)>(?:\s*</object\s*>)?""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE: Final = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_CLIENT_SCRIPT: Final = re.compile(r"<script\b|<object\b|\son\w+\s*=", re.IGNORECASE)
_SELECT: Final = re.compile(r"(?:^|:)\s*select\s+case\b[^\n:]*\Z", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A part of a page.

    Attributes:
        kind: "html", "code", "expression", "script", "object" or "directive".
        text: what is in it.
        place: where it begins.
        attributes: of its tag, names in lower case.
    """

    kind: str
    text: str
    place: Place
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass
class Program:
    """The page as one script.

    Attributes:
        lines: its lines.
        places: where each line stands in the page or in an included file.
        blocks: the texts that WriteBlock writes.
    """

    lines: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)

    def add(self, text: str, place: Place) -> None:
        """Adds lines that begin at a place."""
        for number, line in enumerate(text.splitlines() or [""]):
            self.lines.append(line)
            self.places.append(Place(place.file, place.line + number, 1))

    def located(self, failure: ScriptFailure) -> ScriptFailure:
        """An error of the program, with its place in the page."""
        line = failure.place.line
        if not 0 < line <= len(self.places):
            return failure
        place = self.places[line - 1]._replace(column=failure.place.column)
        return ScriptFailure(failure.number, failure.description, failure.source, place)


def run_asp(path: Path, environment: Environment, client: bool | None = None) -> PageResult:
    """Runs an ASP page, and the page that it gives where ``client`` says so or, for None, where that has scripts.

    Raises:
        PageFailure, ScriptStopped, ComError, OSError: as ``pages.run_page``.
    """
    sources = Sources(path, environment)
    response = serve(path, sources, environment)
    text, headers = response.text_of_page(), response.headers_of_page()
    location = tuple(value for name, value in headers if name == "Location")
    wanted = bool(_CLIENT_SCRIPT.search(text)) if client is None else client
    if location or not wanted or not response.is_html():
        return PageResult(text, (), location, headers)
    try:
        result = run_text(text, path, sources, environment)
    except PageFailure as failure:
        raise PageFailure([failure, *failure.others], replace(failure.result, output=text, headers=headers)) from failure
    return replace(result, output=text, headers=headers)


def serve(path: Path, sources: Sources, environment: Environment) -> Response:
    """Runs the server's scripts of a page; gives the answer. Raises as ``run_asp``."""
    parts = list(parts_of(decode_page(path.read_bytes()), path.name, sources))
    scripts = Scripts(environment)
    scripts.default = language_of(_directives(parts)) or VBSCRIPT
    program = program_of(parts, scripts.engine().language)
    response = Response(program.blocks)
    for name, value in asp_objects(response, sources, environment).items():
        scripts.define(name, value)
    try:
        _run(parts, program, scripts, environment, path)
    except ResponseEnded:
        pass
    except ScriptFailure as failure:
        result = PageResult(response.text_of_page(), (), (), response.headers_of_page())
        raise PageFailure([failure], result) from failure
    return response


def _run(parts: list[Part], program: Program, scripts: Scripts, environment: Environment, path: Path) -> None:
    for part in parts:
        if part.kind == "object":
            scripts.define(part.attributes.get("id", ""), environment.create(class_of(part.attributes)))
        elif part.kind == "script":
            scripts.execute(code_of(part.text), language_of(part.attributes), part.place)
    try:
        scripts.execute("\n".join(program.lines), "", Place(path.name, 1, 1))
    except ScriptFailure as failure:
        raise program.located(failure) from failure


def parts_of(text: str, file: str, sources: Sources, depth: int = 0) -> Iterator[Part]:
    """The parts of a page's text, with those of the files that it includes in their places.

    Raises:
        ComError: a file that is not there or may not be had; E_INVALIDARG where files include each other without end.
    """
    at = 0
    for found in _PARTS.finditer(text):
        if found.start() > at:
            yield Part("html", text[at : found.start()], _place(text, at, file))
        at = found.end()
        included = found.group("include")
        if included is None:
            yield _part(found, text, file)
            continue
        if depth >= _MOST_INCLUDES:
            raise ComError(HRESULT.E_INVALIDARG, f"{file}: files include each other without end", source="ASP")
        content, name = sources.read(f"/{included.lstrip('/')}" if found.group("virtual") else included)
        yield from parts_of(content, name, sources, depth + 1)
    if at < len(text):
        yield Part("html", text[at:], _place(text, at, file))


def program_of(parts: list[Part], language: str) -> Program:
    """The program of a page's parts in its language."""
    program = Program()
    end = "" if language == VBSCRIPT else ";"
    before = ""
    for part in parts:
        if part.kind == "html" and not (_SELECT.search(before.rstrip()) and not part.text.strip()):
            program.add(f"Response.WriteBlock({len(program.blocks)}){end}", part.place)
            program.blocks.append(part.text)
        elif part.kind == "expression":
            expression = part.text.strip().rstrip(";")
            program.add(f"Response.Write({expression}){end}", part.place)
        elif part.kind == "code":
            program.add(code_of(part.text), part.place)
        if part.kind in {"code", "expression"}:
            before = part.text
        elif part.text.strip():
            before = ""
    return program


def _part(found: re.Match[str], text: str, file: str) -> Part:
    kind = next(name for name in ("directive", "expression", "code", "script", "object") if found.group(name) is not None)
    tag = found.group("attributes") or found.group("object") or found.group("directive") or ""
    content = "" if kind == "object" else found.group(kind)
    return Part(kind, content, _place(text, found.start(kind), file), _attributes(tag))


def _attributes(tag: str) -> dict[str, str]:
    return {name.lower(): quoted or single or bare for name, quoted, single, bare in _ATTRIBUTE.findall(tag)}


def _directives(parts: list[Part]) -> dict[str, str]:
    return next((part.attributes for part in parts if part.kind == "directive"), {})


def _place(text: str, at: int, file: str) -> Place:
    return Place(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
