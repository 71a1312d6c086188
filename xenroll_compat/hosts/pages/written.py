"""The text that a script writes into a page, as lines of the output: without markup, blanks drawn together.

Knows no elements, only which tags begin a new line and which hold no text that is seen.
"""

from __future__ import annotations

from typing import Final

from xenroll_compat.hosts.output import Writer

BLOCKS: Final = frozenset(
    {"br", "p", "div", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "hr", "form", "pre", "dt", "dd"}
)
UNSHOWN: Final = frozenset({"select", "style", "title", "textarea", "object", "script", "noscript"})


class Written:
    """The lines."""

    def __init__(self, output: Writer) -> None:
        self._output: Final = output
        self._line = ""

    def text(self, data: str) -> None:
        """Adds to the line."""
        self._line += data

    def end_line(self) -> None:
        """Writes the line, where anything stands in it."""
        line, self._line = " ".join(self._line.split()), ""
        if line:
            self._output.write(f"{line}\n")
