"""The calls of a PowerShell script with their arguments, worked out from its syntax tree, beside those of a port's model.

Variables that were set to a literal are that literal; the others are told by name. No text of the script is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xenroll_compat.porting.model import Argument, Call, Joined, Listed, Literal, Name, Port
from xenroll_compat.porting.scripting import camel
from xenroll_compat.porting.windows import for_windows, signed


@dataclass(frozen=True)
class Variable:
    """A variable of which the script does not tell the value."""

    name: str


@dataclass(frozen=True)
class Made:
    """One call.

    Attributes:
        target, member: as the script writes them, the target without its dollar sign.
        arguments: their values; the value of a put is the last.
        result: the variable that its result goes to, or "".
    """

    target: str
    member: str
    arguments: tuple[Any, ...]
    result: str = ""


_CONSTANTS = {"true": Literal(True), "false": Literal(False), "null": Literal(None)}
_ESCAPES = {"`r": "\r", "`n": "\n", "`t": "\t"}


class Script:
    """A script that is read.

    Args:
        root: of its syntax tree.
    """

    def __init__(self, root: Any) -> None:
        self._values: dict[str, Any] = {}
        self.calls: list[Made] = []
        self._read(root)

    def _read(self, node: Any) -> None:
        if node.type == "assignment_expression":
            self._assign(*(child for child in node.children))
        elif node.type in ("invokation_expression", "member_access"):
            self._call(node)
        else:
            for child in node.children:
                self._read(child)

    def _assign(self, left: Any, operator: Any, right: Any) -> None:
        place, value = _only(left), _only(right)
        if place.type == "variable":
            name = _name(place)
            if value.type in ("invokation_expression", "member_access"):
                self._call(value, name)
            elif operator.text == b"+=":
                self._values[name] += self.value(value)
            elif not _asks(value):
                self._values[name] = self.value(value)
        else:
            self._call(place, "", (self.value(value),))

    def _call(self, node: Any, result: str = "", more: tuple[Any, ...] = ()) -> None:
        if node.children[0].type != "variable" or node.children[0].text == b"$_":
            return
        given = list(_descendants(node, "argument_expression"))
        member = next(child for child in node.children if child.type == "member_name").text.decode()
        arguments = (*(self.value(one) for one in given), *more)
        self.calls.append(Made(_name(node.children[0]), member, arguments, result))

    def value(self, node: Any) -> Any:
        """The value of an expression."""
        node = _only(node)
        if node.type == "variable":
            name = _name(node)
            return _CONSTANTS.get(name) or self._values.get(name, Variable(name))
        return _READERS[node.type](self, node)

    def _joined(self, node: Any) -> Any:
        left, right = self.value(node.children[0]), self.value(node.children[2])
        if isinstance(left, str) and isinstance(right, str):
            return (left + right).encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return (*(left if isinstance(left, tuple) else (left,)), right)

    def _either(self, node: Any) -> int:
        found: int = self.value(node.children[0]) | self.value(node.children[2])
        return found

    def _unary(self, node: Any) -> Any:
        return self.value(node.children[0]) if node.child_count == 1 else -self.value(node.children[1])

    def _cast(self, node: Any) -> Any:
        kind, value = node.children[0].text.decode(), self.value(node.children[1])
        return chr(value) if kind == "[char]" else datetime.fromisoformat(value)

    def _listed(self, node: Any) -> list[Any]:
        return [self.value(child) for child in node.children if child.type != ","]

    def _array(self, node: Any) -> list[Any]:
        inside = [child for child in node.children if child.type == "statement_list"]
        found = self.value(inside[0]) if inside else []
        return found if isinstance(found, list) else [found]


_READERS: dict[str, Any] = {
    "additive_expression": Script._joined,
    "bitwise_expression": Script._either,
    "expression_with_unary_operator": Script._unary,
    "cast_expression": Script._cast,
    "array_literal_expression": Script._listed,
    "array_expression": Script._array,
    "parenthesized_expression": lambda script, node: script.value(node.children[1]),
    "verbatim_string_characters": lambda script, node: node.text.decode()[1:-1].replace("''", "'"),
    "expandable_string_literal": lambda script, node: _expanded(node.text.decode()[1:-1]),
    "decimal_integer_literal": lambda script, node: int(node.text),
    "hexadecimal_integer_literal": lambda script, node: int(node.text, 16),
}


def _only(node: Any) -> Any:
    """The node within others that it is the only child of."""
    while node.child_count == 1:
        node = node.children[0]
    return node


def _name(node: Any) -> str:
    return str(node.text.decode()[1:])


def _expanded(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text


def _asks(node: Any) -> bool:
    """Whether an expression is not of the port itself: an object is made, or a file or the user is asked."""
    return node.type in ("command", "generic_token") or any(map(_asks, node.children)) or b"::" in node.text


def _descendants(node: Any, kind: str) -> Iterator[Any]:
    for child in node.children:
        if child.type == kind:
            yield child
        elif child.type in ("argument_list", "argument_expression_list"):
            yield from _descendants(child, kind)


def calls_of_model(port: Port) -> list[Made]:
    """The calls of a port's model for Windows."""
    fitting = for_windows(port)
    constants = {one.name: one.value for one in fitting.constants}
    return [_made(call, constants) for call in fitting.calls()]


def _made(call: Call, constants: dict[str, Any]) -> Made:
    values = tuple(_value(one, constants) for one in call.arguments)
    return Made(camel(call.target), call.member, values, camel(call.result) if call.result else "")


def _value(argument: Argument, constants: dict[str, Any]) -> Any:
    if isinstance(argument, Name):
        return constants.get(argument.name, Variable(camel(argument.name)))
    if isinstance(argument, Joined):
        return tuple(_value(one, constants) for one in argument.parts)
    if isinstance(argument, Listed):
        return [_value(one, constants) for one in argument.items]
    value = argument.value
    if isinstance(value, bool) or value is None:
        return Literal(value)
    return signed(int(value)) if isinstance(value, int) else value
