"""HTML pages, classic ASP pages and Windows Script Files, run on the script engines.

    result = run_page(Path("request.htm"), environment)      what it wrote, submitted and opened
    facts = describe_page(Path("request.htm"), environment)  its fields, buttons and handlers, for a user to name

Knows the kinds of files and hands each to its host.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.pages.results import PageFacts, PageFailure, PageField, PageResult, Submission

__all__ = ["PAGE_SUFFIXES", "PageFacts", "PageFailure", "PageField", "PageResult", "Submission", "describe_page", "run_page"]

# The ending of a file in lower case -> the host that runs it. Every other ending is taken for HTML.
PAGE_SUFFIXES: Final[dict[str, str]] = {
    ".htm": "html",
    ".html": "html",
    ".hta": "html",
    ".asp": "asp",
    ".asa": "asp",
    ".wsf": "wsf",
}


def run_page(path: Path, environment: Environment, *, client: bool | None = None, job: str = "") -> PageResult:
    """Runs a page or a Windows Script File.

    Args:
        path: the file; its ending says what it is.
        environment: the settings (fields, events, query, answers, ...), the output and the objects of the run.
        client: for an ASP page, whether the scripts of the HTML that it gives run too; None: where it has any.
        job: for a Windows Script File, the id of the job to run; "" for the first.

    Returns:
        what it did.

    Raises:
        PageFailure: an error that no script handled (a ScriptFailure, with the result of the rest).
        ScriptStopped: a limit.
        SystemExit: a Windows Script File ended itself (WScript.Quit), with its own code.
        ComError: the file cannot be run as it is, or a setting names what the page does not have.
        OSError: the file cannot be read.
    """
    kind = PAGE_SUFFIXES.get(path.suffix.lower(), "html")
    if kind == "wsf":
        from xenroll_compat.hosts.pages.wsf import run_wsf

        return run_wsf(path, environment, job)
    if kind == "asp":
        from xenroll_compat.hosts.pages.asp import run_asp

        return run_asp(path, environment, client)
    from xenroll_compat.hosts.pages.client import run_html

    return run_html(path, environment)


def describe_page(path: Path, environment: Environment) -> PageFacts:
    """What of a page can be named: no client script runs for it, but an ASP page's own scripts do.

    Args:
        path: the page.
        environment: as for ``run_page``.

    Raises:
        PageFailure, ScriptStopped, ComError, OSError: as ``run_page``.
    """
    from xenroll_compat.hosts.pages.facts import describe

    return describe(path, environment, PAGE_SUFFIXES.get(path.suffix.lower(), "html"))
