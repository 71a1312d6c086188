"""The calls that stand in a PowerShell script, read from its syntax tree by tree-sitter's grammar."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.support.requires import package


def tree_of(text: str) -> Any:
    """The root of a script's syntax tree."""
    package("tree_sitter_powershell", "test")
    import tree_sitter_powershell
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_powershell.language())).parse(text.encode("ascii")).root_node


def faults(node: Any) -> list[str]:
    """What the grammar could not read, or missed."""
    own = [f"{node.start_point} {node.text!r}"] if node.is_error or node.is_missing else []
    return own + [fault for child in node.children for fault in faults(child)]


def calls_in(node: Any) -> Iterator[tuple[str, str]]:
    """(object, member) of every call, read and put of a member, in the order of the text."""
    if node.type in ("invokation_expression", "member_access") and node.children[0].type == "variable":
        target, member = node.children[0].text.decode(), node.child_by_field_name("member") or node.children[2]
        if target != "$_":
            yield target, member.text.decode()
    for child in node.children:
        yield from calls_in(child)
