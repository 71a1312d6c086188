"""How a command shows what it found: tables and facts as text or JSON, and progress while something takes its time.

Results go to stdout; progress goes to stderr and only to a terminal. rich draws where it is installed and a terminal is
there. Knows nothing of certificates.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

Row = Mapping[str, object]
_GAP: Final = "  "


def write(text: str) -> None:
    """Writes one line to stdout."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Writes one line to stderr: what a user should know and a pipe should not read."""
    sys.stderr.write(f"{text}\n")


def show_json(value: object) -> None:
    """Writes a value as JSON: times in ISO 8601, bytes in hexadecimal."""
    is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    write(json.dumps(value, indent=2, ensure_ascii=not is_utf8, default=_plain))


def show_rows(rows: Sequence[Row], columns: Sequence[str], *, as_json: bool, empty: str = "") -> None:
    """Shows a list.

    Args:
        rows: what was found, each by the names of its facts.
        columns: the facts that a table shows, in this order; JSON has them all.
        as_json: whether to write JSON.
        empty: what to say (on stderr) where there are no rows.
    """
    if as_json:
        show_json(rows)
    elif not rows:
        note(empty)
    else:
        texts = [[text_of(row.get(column)) for column in columns] for row in rows]
        (_rich_table if _is_rich(sys.stdout) else _plain_table)([_title(name) for name in columns], texts)


def show_facts(facts: Row, *, as_json: bool) -> None:
    """Shows one thing: a line for each fact that has a value, or a JSON object with all of them."""
    if as_json:
        show_json(facts)
        return
    width = max(len(name) for name in facts) + 1
    for name, value in facts.items():
        if value not in (None, "", (), []):
            write(f"{_title(name) + ':':<{width + 1}} {text_of(value)}")


def text_of(value: object) -> str:
    """A value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(text_of(one) for one in value)
    text = str(_plain(value) if isinstance(value, (bytes, Enum)) else value)
    return text if text.isprintable() else "".join(map(_visible, text))


@contextmanager
def progress(doing: str) -> Iterator[Callable[[str], None]]:
    """Says on a terminal's stderr what is being done, for as long as the block lasts.

    Args:
        doing: what is being done.

    Yields:
        a function that says something else from now on.
    """
    if not sys.stderr.isatty():
        yield lambda text: None
    elif importlib.util.find_spec("rich") is None:
        note(f"{doing} ...")
        yield lambda text: note(f"{text} ...")
    else:
        from rich.console import Console

        with Console(stderr=True).status(doing) as status:
            yield status.update


def _visible(character: str) -> str:
    # A name in a certificate is a stranger's: it moves no terminal's cursor and breaks no table.
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def _is_rich(stream: Any) -> bool:
    return bool(stream.isatty()) and importlib.util.find_spec("rich") is not None


def _rich_table(titles: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*titles, box=None, header_style="bold", pad_edge=False)
    for row in texts:
        table.add_row(*map(Text, row))
    Console().print(table)


def _plain_table(titles: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(titles, *texts, strict=True)]
    for row in (titles, *texts):
        write(_GAP.join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def _title(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
