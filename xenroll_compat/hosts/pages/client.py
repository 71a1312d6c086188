"""An HTML page from its file to its result: read, loaded, filled in, its events in order. What ASP gives runs here too.

Knows the order in which things happen to a page, and nothing of what they are.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode

from certenroll.errors import ComError
from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.pages.browser import HOST
from xenroll_compat.hosts.pages.page import Page
from xenroll_compat.hosts.pages.results import PageResult
from xenroll_compat.hosts.pages.sources import Sources, decode_page
from xenroll_compat.hosts.pages.user import fill_in, perform
from xenroll_compat.hosts.settings import RunSettings


def run_html(path: Path, environment: Environment) -> PageResult:
    """Runs an HTML page. Raises as ``pages.run_page``."""
    sources = Sources(path, environment)
    return run_text(decode_page(path.read_bytes()), path, sources, environment)


def run_text(text: str, path: Path, sources: Sources, environment: Environment) -> PageResult:
    """Runs the text of a page.

    Args:
        text: HTML.
        path: the file that it came of, for the errors.
        sources: the files that it may name.
        environment: the surroundings of the run.

    Raises:
        PageFailure, ScriptStopped, ComError: as ``pages.run_page``.
    """
    page = Page(environment, sources, path.name, address_of(sources, environment))
    page.load(text)
    page.fire(page.window, "onload")
    page.run_timers()
    try:
        _use(page, environment.settings)
    except ComError as refused:
        if not page.failures:
            raise
        page.note(refused.detail)  # what the settings name is missing because of the error, which is told first
    return page.result()


def _use(page: Page, settings: RunSettings) -> None:
    """Does what a user does with a page. Raises ComError E_INVALIDARG for what the page does not have."""
    for name, value in settings.fields.items():
        fill_in(page, name, value)
        page.run_timers()
    for event in settings.events:
        perform(page, event)
        page.run_timers()


def address_of(sources: Sources, environment: Environment) -> str:
    """Where the page believes to be: on a server with TLS, for pages refuse to go on without."""
    query = urlencode(environment.settings.query)
    return f"https://{HOST}/{quote(sources.place)}" + (f"?{query}" if query else "")
