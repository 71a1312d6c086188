"""What a user gives beside the scripts: the file ``public-scripts.toml`` in their folder, a table for each script.

    ["project/request.vbs"]
    arguments = ["User", "CN=Test"]       what WScript.Arguments holds
    fields = { dn = "CN=Test" }           what is typed into a page's fields, before its events
    events = [["go.onclick"], []]         a run for each list; without it every handler and button of the page has one
    answers = ["yes"]                     buttons for its message boxes
    inputs = ["Test"]                     what answers its prompts
    variables = { dn = "CN=Test" }        what the server's variables hold
    blocks = { 3 = "text" }               what the third block of a PHP page writes
    server = [["$CLASSID", "clsid:..."]]  other texts of the file that its server replaces
    page = "<script src='{file}'>..."     the page that a script of a page stands in; {text} for a part of a page
    reason = "needs ..."                  why it does not come to its end, as somebody found out

``{answer}`` in variables, blocks, server and fields is the answer of a CA to a request that the profile already made;
``{answer:vb}`` and ``{answer:js}`` are the same as an expression of VBScript or JScript. Knows nothing of running.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

NAME: Final = "public-scripts.toml"


@dataclass(frozen=True)
class Given:
    """What is given for one script; the names are those of the file."""

    arguments: tuple[str, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    events: tuple[tuple[str, ...], ...] | None = None
    answers: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    blocks: dict[str, str] = field(default_factory=dict)
    server: tuple[tuple[str, str], ...] = ()
    page: str = ""
    reason: str = ""


def read_given(folder: Path) -> dict[str, Given]:
    """What the folder's file gives, by the scripts' names; nothing where there is no file.

    Raises:
        ValueError: a key that is not of the table above.
        OSError: the file cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return {}
    return {name: _given(name, table) for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items()}


def _given(name: str, table: dict[str, Any]) -> Given:
    known = {one.name for one in fields(Given)}
    if unknown := set(table) - known:
        raise ValueError(f"{NAME}: {name!r} has unknown keys: {', '.join(sorted(unknown))}")
    return Given(**{key: _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value
