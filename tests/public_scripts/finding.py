"""What in a folder is a script: files of their own, programs in a Markdown page's fences, pages under a server's parts.

A project is a folder directly in the one that is given. Knows no verdict but what is no script, and why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.public_scripts.given import NAME, Given
from tests.public_scripts.server_pages import READERS, Server

_PLAIN: Final = (".vbs", ".js", ".wsf", ".htm", ".html", ".hta", ".asp", ".template")
_OTHER: Final[dict[str, str]] = {
    ".c": "C", ".cpp": "C++", ".h": "C", ".cs": "C#", ".ps1": "PowerShell", ".psm1": "PowerShell", ".pl": "Perl",
    ".java": "Java", ".py": "Python",
}  # fmt: skip
_FENCE: Final = re.compile(r"^```[ \t]*(\S*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FENCES: Final[dict[str, str]] = {
    "vb": ".vbs", "vbs": ".vbs", "vbscript": ".vbs", "html": ".htm", "js": ".js", "jscript": ".js", "javascript": ".js",
}  # fmt: skip
_MARKUP: Final = re.compile(r"<(?:html|script|object)\b", re.IGNORECASE)
_MAKES_OBJECT: Final = re.compile(r"\b(?:CreateObject|ActiveXObject|GetObject)\s*\(", re.IGNORECASE)
_OF_PAGE: Final = re.compile(r"\b(?:document|window|navigator)\s*\.", re.IGNORECASE)
_SOURCE: Final = re.compile(r"""(<script\b[^>]*?\bsrc\s*=\s*)(["']?)([^"'\s>]+)\2""", re.IGNORECASE)


@dataclass(frozen=True)
class Script:
    """A script to be run.

    Attributes:
        name: its file's name in the folder, with the number of its fence.
        file: the name under which it is run.
        texts: what is put into the folder of its run: names and texts (Latin-1 keeps each byte).
        given: what the user gave for it.
    """

    name: str
    file: str
    texts: dict[str, str] = field(default_factory=dict)
    given: Given = field(default_factory=Given)


@dataclass(frozen=True)
class NotRun:
    """What is not run, and why."""

    name: str
    reason: str


def find(folder: Path, given: dict[str, Given], answer: str = "") -> Iterator[Script | NotRun]:
    """All that a folder has, in order of the names.

    Args:
        folder: the folder of projects.
        given: what its user gave, by the scripts' names.
        answer: base64 of a CA's answer, for those that ask for one.

    Raises:
        OSError: a file cannot be read.
    """
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and one.name != NAME):
        name = path.relative_to(folder).as_posix()
        project = folder / path.relative_to(folder).parts[0]
        ending = path.suffix.lower()
        if ending == ".md":
            yield from _fenced(path, name, given)
        elif ending in _OTHER:
            yield NotRun(name, f"no script: {_OTHER[ending]}")
        elif ending in _PLAIN or ending in READERS:
            yield _of_file(path, name, project, given.get(name, Given()), answer)


def _fenced(path: Path, name: str, given: dict[str, Given]) -> Iterator[Script | NotRun]:
    samples = _FENCE.findall(path.read_text(encoding="utf-8"))
    if not samples:
        yield NotRun(name, "no sample stands in it")
    for number, (language, text) in enumerate(samples, start=1):
        called = f"{name}#{number}"
        ending = _FENCES.get(language.lower())
        if ending is None:
            yield NotRun(called, f"no script: {language or 'no language'}")
            continue
        if _MARKUP.search(text):
            ending = ".htm"
        elif not _MAKES_OBJECT.search(text):
            yield NotRun(called, "fragment: it uses what it does not make")
            continue
        file = f"sample{number}{ending}"
        yield Script(called, file, {file: text}, given.get(called, Given()))


def _of_file(path: Path, name: str, project: Path, given: Given, answer: str) -> Script | NotRun:
    text = _with(path.read_text(encoding="latin-1"), given, answer)
    ending = path.suffix.lower()
    if ending in READERS:
        server = Server(
            {key: filled(value, answer) for key, value in given.variables.items()},
            {key: filled(value, answer) for key, value in given.blocks.items()},
            lambda wanted: _project_text(path, wanted, project),
        )
        text = READERS[ending](text, server)
        if not _MARKUP.search(text) and "<form" not in text.lower():
            return NotRun(name, "fragment: nothing of it reaches a browser as a script")
    elif ending in (".js", ".vbs") and not given.page and _OF_PAGE.search(text):
        return NotRun(name, given.reason or "fragment: a part of a page; it runs in the pages that name it")
    file, texts = path.name, {path.name: text}
    if given.page:
        file = "page.htm"
        texts[file] = filled(given.page, answer).replace("{file}", path.name).replace("{text}", text)
    elif ending in READERS or ending == ".template":
        file = "page.htm"
        texts = {file: text}
    if not file.endswith((".vbs", ".js")):
        _resolve(file, texts, path, project)
    return Script(name, file, texts, given)


def _with(text: str, given: Given, answer: str) -> str:
    for old, new in given.server:
        text = text.replace(old, filled(new, answer))
    return text


def filled(text: str, answer: str) -> str:
    """A text with ``{answer}`` in the form that is asked for."""
    lines = [answer[at : at + 64] for at in range(0, len(answer), 64)]
    # VBScript's own limit for the pieces of one statement is no matter: pages write it so, and it runs in Internet Explorer.
    basic = " & _\n".join(f'"{line}"' for line in lines)
    script = " +\n".join(f'"{line}"' for line in lines)
    return text.replace("{answer:vb}", basic).replace("{answer:js}", script).replace("{answer}", answer)


def _resolve(page: str, texts: dict[str, str], path: Path, project: Path) -> None:
    """Puts the scripts that a page names beside it, under the names that stand in it then."""

    def found(match: re.Match[str]) -> str:
        wanted = match.group(3)
        other = wanted.rpartition("/")[2].partition("?")[0]
        text = texts.get(other) or _project_text(path, wanted.partition("?")[0], project)
        if text is None:
            return match.group(0)
        texts[other] = text
        return f'{match.group(1)}"{other}"'

    texts[page] = _SOURCE.sub(found, texts[page])


def _project_text(path: Path, wanted: str, project: Path) -> str | None:
    """The text of a project's file: beside the page, from the project's root, or the one file that has such an end."""
    beside = path.parent / wanted.lstrip("/")
    tail = "/" + wanted.lstrip("./")
    candidates = [beside, *sorted(one for one in project.rglob("*") if one.as_posix().endswith(tail))]
    if not any(one.is_file() for one in candidates):
        candidates = sorted(project.rglob(wanted.rpartition("/")[2]))
    root = project.resolve()
    inside = [one for one in candidates if one.is_file() and one.resolve().is_relative_to(root)]
    return inside[0].read_text(encoding="latin-1") if inside else None
