"""What of a page a user can name: read from its markup and its scripts' texts, without running them.

Knows elements and the names of procedures; what a script adds when it runs is not in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from xenroll_compat.hosts.environment import Environment
from xenroll_compat.hosts.pages.asp import serve
from xenroll_compat.hosts.pages.choices import Select
from xenroll_compat.hosts.pages.controls import Control, Input, TextArea
from xenroll_compat.hosts.pages.html import Script
from xenroll_compat.hosts.pages.nodes import Element
from xenroll_compat.hosts.pages.page import Page
from xenroll_compat.hosts.pages.results import PageFacts, PageField
from xenroll_compat.hosts.pages.sources import Sources, decode_page
from xenroll_compat.hosts.pages.user import buttons_of, caption_of, fields_of, label_of

_PROCEDURE: Final = re.compile(r"^[ \t]*(?:(?:public|private)[ \t]+)?(?:sub|function)[ \t]+(\w+)", re.I | re.M)
_HANDLER: Final = re.compile(r"(\w+)_(on[a-z]+)", re.IGNORECASE)


def describe(path: Path, environment: Environment, kind: str) -> PageFacts:
    """The facts of a file of a kind: "html", "asp" (its server's scripts run) or "wsf". Raises as ``describe_page``."""
    sources = Sources(path, environment)
    if kind == "wsf":
        from xenroll_compat.hosts.pages.wsf import jobs_of

        jobs = jobs_of(decode_page(path.read_bytes()), path.name)
        scripts = [script for job in jobs for script in job.scripts]
        return PageFacts(procedures=tuple(name for script in scripts for name in procedures_of(script.code)))
    text = serve(path, sources, environment).text_of_page() if kind == "asp" else decode_page(path.read_bytes())
    page = Page(environment, sources, path.name, f"https://localhost/{sources.place}")
    scripts = page.read_only(text)
    return PageFacts(
        tuple(_facts_of(fields_of(page))),
        tuple((label_of(button), caption_of(button)) for button in buttons_of(page)),
        tuple(dict.fromkeys(_handlers(page, scripts))),
        tuple(name for script in scripts for name in procedures_of(script.code)),
    )


def procedures_of(code: str) -> list[str]:
    """The names of the procedures that a text declares at the beginning of its lines."""
    return _PROCEDURE.findall(code)


def _facts_of(fields: list[Control]) -> Iterator[PageField]:
    radios: set[tuple[int, str]] = set()
    for field in fields:
        form = field.owner_form()
        kind = field.kind_of_control()
        name, owner = label_of(field), label_of(form) if form is not None else ""
        if kind == "radio":
            key = (id(form), name.lower())
            if key not in radios:
                group = field.group_of_radios() if isinstance(field, Input) else []
                chosen = next((found.value for found in group if found.checked), "")
                yield PageField(name, owner, kind, chosen, tuple(found.value for found in group))
            radios.add(key)
        elif isinstance(field, Select):
            chosen = "|".join(option.text for option in field.chosen_options())
            yield PageField(name, owner, kind, chosen, tuple(option.text for option in field.all_options()))
        elif isinstance(field, Input) and kind == "checkbox":
            yield PageField(name, owner, kind, "on" if field.checked else "off", ("on", "off"))
        elif isinstance(field, (Input, TextArea)):
            yield PageField(name, owner, kind or "textarea", field.value)


def _handlers(page: Page, scripts: list[Script]) -> Iterator[str]:
    for element in page.document.elements_of():
        body = element._tag == "body"
        for name in element._attributes:
            called = "window" if body and name in {"onload", "onunload"} else "body" if body else _called(element)
            if name.startswith("on") and called:
                yield f"{called}.{name}"
    for script in scripts:
        if script.target:
            event = script.event.partition("(")[0].strip().lower()
            yield f"{script.target}.{event if event.startswith('on') else f'on{event}'}"
        for procedure in procedures_of(script.code):
            match = _HANDLER.fullmatch(procedure)
            if match is not None and _is_there(page, match.group(1)):
                yield f"{match.group(1)}.{match.group(2).lower()}"


def _is_there(page: Page, name: str) -> bool:
    """Whether a page has what a procedure's name begins with; a procedure of such a name may be a plain one."""
    return name.lower() in {"window", "document"} or page.document.find_named(name) is not None


def _called(element: Element) -> str:
    return element.attribute_of("id") or label_of(element)
