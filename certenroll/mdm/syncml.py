"""SyncML messages read: XML to the dataclasses of ``model``. A whole message, a SyncBody, or commands by themselves.

What makes a single command unreadable is told in the command (``Command.wrong``), so that the others are answered as usual;
what makes the whole unreadable is a SyncMLError. Carries nothing out. Which shapes are read is in docs/analysis/syncml.md.
Sources: OMA SyncML Representation Protocol 1.2.2 section 6; [MS-MDM] section 2.2; Microsoft's page "OMA DM protocol
support".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from certenroll.mdm.markup import Element, Limits, SyncMLError, read_elements, text_of
from certenroll.mdm.model import Command, Header, Item, Message, Verb

__all__ = ["Limits", "SyncMLError", "numbered", "parse", "text_of"]

# SYNCML:SYNCML1.1 and 1.2, none at all, and that of Format and Type, which some documents give to the whole of a Meta.
_NAMESPACES: Final = re.compile(r"(SYNCML:SYNCML1\.[0-9]|syncml:metinf|)", re.IGNORECASE)
_VERBS: Final = {verb.value: verb for verb in Verb}
_GROUPS: Final = frozenset({Verb.ATOMIC, Verb.SEQUENCE})
_UNANSWERED: Final = frozenset({Verb.STATUS, Verb.RESULTS})
_GROUP_PARTS: Final = frozenset({"CmdID", "NoResp", "Meta"})
_COMMAND_PARTS: Final = _GROUP_PARTS | {"Cred", "Lang", "Correlator", "Item"}
_ITEM_PARTS: Final = frozenset({"Target", "Source", "SourceParent", "TargetParent", "Meta", "Data"})
_LONGEST_SHOWN: Final = 60
_MESSAGE_PARTS: Final = frozenset({"SyncHdr", "SyncBody"})


class _Wrong(Exception):
    """A command cannot be read; the text says why."""


def parse(data: bytes, *, limits: Limits = Limits()) -> Message:  # noqa: B008 - frozen
    """Reads a message.

    Args:
        data: XML in UTF-8 or UTF-16: a SyncML document, a SyncBody, or one or more commands; text around is skipped.
        limits: how much of it is read.

    Returns:
        the message; ``header`` is None where it has none. A command that is malformed is among its commands, and an element
        that is no command too, so that both can be answered.

    Raises:
        SyncMLError: it is not well-formed XML, in an encoding that is not read, has a DOCTYPE, more bytes, elements or
            commands than the limits allow, or there is no SyncML in it.
    """
    elements = read_elements(text_of(data, limits), limits)
    header, body = _parts(elements)
    reader = _Reader(limits.commands)
    final = any(_known(one) and one.name == "Final" for one in body)
    commands = [reader.command(one) for one in body if not (_known(one) and one.name == "Final")]
    return Message(_header(header) if header is not None else None, tuple(commands), final)


def numbered(message: Message) -> Message:
    """A profile as a management server sends it: commands without a CmdID get one.

    Args:
        message: the profile. Profiles are written without CmdIDs, or with some of them, as Microsoft's SCEP example is.

    Returns:
        the same commands; those that had no CmdID have numbers that no other command of the message has.
    """
    taken = {one.cmd_id for one in _every(message.commands)}
    free = (text for text in map(str, itertools.count(1)) if text not in taken)
    return replace(message, commands=tuple(_numbered(one, free) for one in message.commands))


def _every(commands: Sequence[Command]) -> Iterator[Command]:
    for one in commands:
        yield one
        yield from _every(one.children)


def _numbered(command: Command, free: Iterator[str]) -> Command:
    cmd_id = command.cmd_id or (None if command.verb in _UNANSWERED else next(free))
    return replace(command, cmd_id=cmd_id, children=tuple(_numbered(one, free) for one in command.children))


def _parts(elements: Sequence[Element]) -> tuple[Element | None, Sequence[Element]]:
    """The SyncHdr, and what the body consists of."""
    roots = [one for one in elements if _known(one) and one.name == "SyncML"]
    if len(roots) > 1 or (roots and len(elements) > 1):
        raise SyncMLError("there is more than one message in it, or something beside the message")
    inner = roots[0].children if roots else elements
    found = {name: [one for one in inner if _known(one) and one.name == name] for name in _MESSAGE_PARTS}
    headers, bodies = found["SyncHdr"], found["SyncBody"]
    if len(headers) > 1 or len(bodies) > 1:
        raise SyncMLError("the message has more than one SyncHdr or SyncBody")
    if bodies or roots or headers:
        _check_message(inner, bodies)
        return next(iter(headers), None), bodies[0].children
    if not any(_known(one) and one.name in _VERBS for one in elements):
        raise SyncMLError("there is no SyncML in it: neither a SyncBody nor a command")
    return None, elements


def _check_message(inner: Sequence[Element], bodies: Sequence[Element]) -> None:
    if not bodies:
        raise SyncMLError("the message has no SyncBody")
    stray = next((one for one in inner if _known(one) and one.name not in _MESSAGE_PARTS), None)
    if stray is not None:
        raise SyncMLError(f"line {stray.line}: <{stray.name}> stands beside the SyncBody, not in it")


def _header(element: Element) -> Header:
    """What a SyncHdr says; a field that cannot be read is as one that is missing. Its Meta is not read, as on Windows."""
    texts = {name: _header_text(element, name) for name in ("SessionID", "MsgID", "Target", "Source")}
    return Header(texts["SessionID"], texts["MsgID"], texts["Target"], texts["Source"])


def _header_text(element: Element, name: str) -> str:
    try:
        found = _single(element, name)
        if found is not None and name in ("Target", "Source"):
            return _address(found)
        return _text(found) or ""
    except _Wrong as wrong:
        raise SyncMLError(f"the SyncHdr cannot be read: {wrong}") from None


class _Reader:
    """Reads commands, and counts them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = most

    def command(self, element: Element) -> Command:
        """One element of a body, whatever it is."""
        self._count(element)
        verb = _VERBS.get(element.name) if _known(element) else None
        if verb is None:
            return Command(element.name, None, _id_of(element), wrong=_foreign(element))
        if verb in _UNANSWERED:
            return Command(element.name, verb, _id_of(element))
        try:
            return self._group(element, verb) if verb in _GROUPS else self._simple(element, verb)
        except _Wrong as wrong:
            return Command(element.name, verb, _id_of(element), wrong=str(wrong))

    def _group(self, element: Element, verb: Verb) -> Command:
        cmd_id = _text(_single(element, "CmdID"))
        inner = [one for one in element.children if not (_known(one) and one.name in _GROUP_PARTS)]
        return Command(element.name, verb, cmd_id, children=tuple(self.command(one) for one in inner))

    def _simple(self, element: Element, verb: Verb) -> Command:
        is_alert = verb is Verb.ALERT
        _check_parts(element, _COMMAND_PARTS | {"Data"} if is_alert else _COMMAND_PARTS)
        cmd_id = _text(_single(element, "CmdID"))
        meta = _meta(_single(element, "Meta"))
        items = tuple(_item(one, meta) for one in _all(element, "Item"))
        data = _text(_single(element, "Data")) if is_alert else None
        return Command(element.name, verb, cmd_id, items, data=data)

    def _count(self, element: Element) -> None:
        self._left -= max(1, sum(one.name == "Item" for one in element.children))
        if self._left < 0:
            raise SyncMLError(f"line {element.line}: the message has more than {self._most} commands")


def _item(element: Element, above: tuple[str | None, str | None]) -> Item:
    _check_parts(element, _ITEM_PARTS)
    target = _single(element, "Target")
    own_format, own_type = _meta(_single(element, "Meta"))
    data = _single(element, "Data")
    return Item(
        _address(target) if target is not None else "",
        own_format if own_format is not None else above[0],
        own_type if own_type is not None else above[1],
        _characters(data) if data is not None else None,
    )


def _meta(element: Element | None) -> tuple[str | None, str | None]:
    """Format and Type; each None where it is missing or empty."""
    if element is None:
        return None, None
    return _text(_single(element, "Format")) or None, _text(_single(element, "Type")) or None


def _address(element: Element) -> str:
    return _text(_single(element, "LocURI")) or ""


def _check_parts(element: Element, known: frozenset[str]) -> None:
    """Refuses an element of SyncML's that has no place there; those of other namespaces are extensions and are skipped."""
    for one in element.children:
        if not _known(one) or one.name in known:
            continue
        if one.name == "MoreData":
            raise _Wrong("its Data comes in several messages (MoreData), which is not supported")
        raise _Wrong(f"<{one.name}> has no place in <{element.name}>")


def _known(element: Element) -> bool:
    """Whether an element is SyncML's by its namespace."""
    return _NAMESPACES.fullmatch(element.namespace) is not None


def _all(element: Element, name: str) -> Iterator[Element]:
    return (one for one in element.children if one.name == name and _known(one))


def _single(element: Element, name: str) -> Element | None:
    found = list(_all(element, name))
    if len(found) > 1:
        raise _Wrong(f"<{element.name}> has <{name}> twice")
    return found[0] if found else None


def _characters(element: Element) -> str:
    if element.children:
        raise _Wrong(f"<{element.name}> holds elements; write their < as &lt;, or put them into CDATA")
    return element.text


def _text(element: Element | None) -> str | None:
    """The characters of an element without the blanks around them; None where it is missing."""
    return _characters(element).strip() if element is not None else None


def _foreign(element: Element) -> str:
    """Why an element is no command though it is called as one; "" for any other."""
    if element.name not in _VERBS or _known(element):
        return ""
    return f"<{element.name}> is of the namespace {element.namespace[:_LONGEST_SHOWN]}, which is not SyncML's"


def _id_of(element: Element) -> str | None:
    """The CmdID of something that is not read any further."""
    found = next(_all(element, "CmdID"), None)
    return found.text.strip() if found is not None and not found.children else None
