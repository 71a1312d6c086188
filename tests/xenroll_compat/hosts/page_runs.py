"""A page written into a folder and run there: what it showed, and what came of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.objects import register
from xenroll_compat.hosts.pages import PageResult, describe_page, run_page
from xenroll_compat.hosts.pages.client import address_of
from xenroll_compat.hosts.pages.page import Page
from xenroll_compat.hosts.pages.results import PageFacts
from xenroll_compat.hosts.pages.sources import Sources
from xenroll_compat.hosts.settings import RunSettings


@dataclass
class Run:
    """What a page showed, line by line, and its result."""

    shown: list[str]
    result: PageResult


class Folder:
    """A folder of pages."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str | bytes) -> Path:
        """Puts a file there."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode("cp1252"))
        return file

    def run(self, name: str, text: str | bytes, *, client: bool | None = None, job: str = "", **settings: Any) -> Run:
        """Writes a file and runs it."""
        environment, shown = self.environment(settings)
        result = run_page(self.write(name, text), environment, client=client, job=job)
        return Run(shown.getvalue().splitlines(), result)

    def page(self, text: str, **settings: Any) -> Page:
        """Reads a page as HTML, without its load event."""
        environment, _shown = self.environment(settings)
        sources = Sources(self.write("page.htm", text), environment)
        page = Page(environment, sources, "page.htm", address_of(sources, environment))
        page.load(text)
        return page

    def describe(self, name: str, text: str, **settings: Any) -> PageFacts:
        """What of a page can be named."""
        return describe_page(self.write(name, text), self.environment(settings)[0])

    def environment(self, settings: dict[str, Any]) -> tuple[Environment, io.StringIO]:
        """The surroundings of a run, and what it shows."""
        shown = io.StringIO()
        environment = Environment(RunSettings(**{"folder": self.path, **settings}), shown)
        register(environment)
        return environment, shown
