"""Replies written: the answers of a session as a SyncML document, in the order and with the elements that Windows gives.

Knows no session and no tree. Sources: OMA SyncML Representation Protocol 1.2.2 section 6 (the order of elements); [MS-MDM]
sections 2.2.4 to 2.2.7; the choices are in docs/analysis/syncml.md.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from certenroll.mdm.model import Header, Reply, Result, Status

_NAMESPACES: Final = {"SyncML": "SYNCML:SYNCML1.2", "Format": "syncml:metinf", "Type": "syncml:metinf"}
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT: Final = "\ufffd"
_FIRST: Final = "1"

# An element: its name, and its text or the elements within it.
_Node = tuple[str, "str | tuple[_Node, ...]"]


def write(reply: Reply) -> bytes:
    """A reply as a SyncML document.

    Args:
        reply: the answers of a session.

    Returns:
        XML in UTF-8, one element a line, commands numbered from 1. A character that XML 1.0 has no way to write is U+FFFD. A
        message without a header is answered with an empty one.
    """
    about = Counter((one.command_ref, one.command) for one in reply.answers if isinstance(one, Status))
    message = (reply.header.message_id if reply.header is not None else "") or _FIRST
    body: list[_Node] = []
    for number, answer in enumerate(reply.answers, 1):
        if isinstance(answer, Status):
            body.append(_status(number, message, answer, of_several=about[answer.command_ref, answer.command] > 1))
        else:
            body.append(_results(number, message, answer))
    body.append(("Final", ()))
    document: _Node = ("SyncML", (("SyncHdr", _header(reply.header)), ("SyncBody", tuple(body))))
    return "".join(f"{line}\n" for line in _lines(document, 0)).encode()


def _header(header: Header | None) -> tuple[_Node, ...]:
    if header is None:
        return ()
    return (
        ("VerDTD", "1.2"),
        ("VerProto", "DM/1.2"),
        ("SessionID", header.session_id or _FIRST),
        ("MsgID", _next(header.message_id)),
        ("Target", (("LocURI", header.source),)),
        ("Source", (("LocURI", header.target),)),
    )


def _next(message_id: str) -> str:
    """The number of the reply: a session begins with the device's message 1, so that it answers n with n + 1."""
    is_number = message_id.isascii() and message_id.isdigit() and len(message_id) < 20
    return str(int(message_id) + 1) if is_number else message_id or _FIRST


def _status(number: int, message: str, status: Status, *, of_several: bool) -> _Node:
    target: tuple[_Node, ...] = (("TargetRef", status.target),) if of_several and status.target else ()
    return (
        "Status",
        (
            ("CmdID", str(number)),
            ("MsgRef", message),
            ("CmdRef", status.command_ref),
            ("Cmd", status.command),
            *target,
            ("Data", str(int(status.code))),
        ),
    )


def _results(number: int, message: str, result: Result) -> _Node:
    item: _Node = (
        "Item",
        (
            ("Source", (("LocURI", result.source),)),
            ("Meta", (("Format", result.format),)),
            ("Data", result.data),
        ),
    )
    return ("Results", (("CmdID", str(number)), ("MsgRef", message), ("CmdRef", result.command_ref), item))


def _lines(node: _Node, depth: int) -> Iterator[str]:
    name, content = node
    start = "  " * depth + f"<{name}"
    if name in _NAMESPACES:
        start += f' xmlns="{_NAMESPACES[name]}"'
    if isinstance(content, str):
        yield f"{start}>{_escaped(content)}</{name}>"
    elif not content:
        yield f"{start}/>"
    else:
        yield f"{start}>"
        for one in content:
            yield from _lines(one, depth + 1)
        yield "  " * depth + f"</{name}>"


def _escaped(text: str) -> str:
    return escape(_ILLEGAL.sub(_REPLACEMENT, text), {"\r": "&#13;"})
