"""The page docs/xenroll-members.md as a table: one row a member of the control."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "xenroll-members.md"
_VALUE: Final = re.compile(r"`([^`]*)`(?: = `([^`]*)`)?")
_REFUSAL: Final = re.compile(r"`([^`]*)` ([A-Z]\w+)")


@dataclass(frozen=True)
class Row:
    """A row of the page; the cells are text, the methods below read them."""

    member: str
    interfaces: tuple[str, ...]
    kind: str
    default: str
    takes: str
    refuses: str
    effect: str
    replacement: str

    @property
    def is_property(self) -> bool:
        """Whether it is read or written, not called."""
        return self.kind.startswith("property")

    def functions(self) -> set[tuple[str, str]]:
        """(interface, function) of each function that the row stands for."""
        prefixes = {"property rw": ("get_", "put_"), "property w": ("put_",), "method": ("",)}
        return {(one, prefix + self.member) for one in self.interfaces for prefix in prefixes[self.kind]}

    def arguments(self) -> list[str]:
        """The names of a method's arguments."""
        return self.takes.split(", ") if self.takes else []

    def values(self, names: Mapping[str, Any]) -> list[tuple[Any, Any]]:
        """(value, what it reads back as) of a property."""
        return [(_read(one, names), _read(back or one, names)) for one, back in _VALUE.findall(self.takes)]

    def refusals(self, names: Mapping[str, Any]) -> list[tuple[list[Any], str]]:
        """(arguments, name of the error) of each refusal."""
        return [(_arguments(one, names), code) for one, code in _REFUSAL.findall(self.refuses)]

    def default_value(self) -> Any:
        """What a new control reads."""
        return _read(_VALUE.findall(self.default)[0][0], {})


def rows() -> list[Row]:
    """The rows of all tables of the page."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [_row([cell.strip() for cell in line.strip("|").split("|")]) for line in lines]


def _row(cells: list[str]) -> Row:
    member, interfaces, *others = cells
    return Row(member.strip("`"), tuple(interfaces.split(", ")), *others)


def _read(text: str, names: Mapping[str, Any]) -> Any:
    """A literal, or what one of ``names`` stands for."""
    return names[text] if text in names else ast.literal_eval(text)


def _arguments(text: str, names: Mapping[str, Any]) -> list[Any]:
    """The arguments of a call ("(1, 2)") or the value of a property."""
    called = ast.parse(f"call{text}" if text.startswith("(") else f"call({text})", mode="eval").body
    assert isinstance(called, ast.Call)
    return [_read(ast.unparse(one), names) for one in called.args]
