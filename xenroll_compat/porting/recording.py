"""What a run did, as a tree of its public calls; and which of them make its port.

Told by ``com.observe`` when a call is over, inner calls before their outer one. Objects are kept alive for as long as the
recording is, so that an identity is never used twice. Knows neither languages nor what becomes of the calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from certenroll import com
from certenroll.com import ComCollection, ComObject
from certenroll.errors import ComError
from xenroll_compat.hosts import automation
from xenroll_compat.porting.inputs import OF_THE_PAGE

_LEGACY: Final = "xenroll_compat."
_HOSTS: Final = "xenroll_compat.hosts."


@dataclass(frozen=True)
class Item:
    """An object that a script took out of a collection by enumerating it, which is no call.

    Attributes:
        found: the object.
        collection, index: where it stood when the call was made.
    """

    found: ComObject
    collection: ComObject
    index: int


@dataclass(frozen=True)
class Entry:
    """One call with the calls that it made.

    Attributes:
        call: the call as observers see it.
        inner: the calls that were made within it, in order.
        items: which of its objects stood in collections.
    """

    call: com.Call
    inner: tuple[Entry, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True)
class Event:
    """One call that the port has to do with.

    Attributes:
        entry: the call.
        legacy: whether it is the script's own call of the control; its CertEnroll calls follow.
        own: whether the script itself made it.
    """

    entry: Entry
    legacy: bool
    own: bool


class Recorder:
    """An observer that keeps every call of a run."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Entry]] = {}
        self._collections: dict[int, ComCollection[Any]] = {}

    def __call__(self, call: com.Call) -> None:
        """Takes one call."""
        inner = tuple(self._waiting.pop(call.depth + 1, ()))
        self._waiting.setdefault(call.depth, []).append(Entry(call, inner, tuple(self._items(call))))
        for one in (call.target, call.result, *call.arguments):
            if isinstance(one, ComCollection):
                self._collections[id(one)] = one

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The script's own calls, in order."""
        return tuple(self._waiting.get(0, ()))

    def _items(self, call: com.Call) -> Iterator[Item]:
        for one in (call.target, *call.arguments):
            if not isinstance(one, ComObject):
                continue
            for collection in self._collections.values():
                if collection is call.target or collection is one:
                    continue
                at = next((index for index, held in enumerate(collection._items) if held is one), None)
                if at is not None:
                    yield Item(one, collection, at)
                    break


def is_legacy(target: ComObject | None) -> bool:
    """Whether an object is the control (and neither CertEnroll's nor a script host's)."""
    module = type(target).__module__
    return module.startswith(_LEGACY) and not module.startswith(_HOSTS)


def is_host(target: ComObject | None) -> bool:
    """Whether an object is a script host's own: WScript, a document, a file."""
    return type(target).__module__.startswith(_HOSTS)


def events(entries: tuple[Entry, ...], *, own: bool = True) -> Iterator[Event]:
    """The calls that make a port: each call of the control, then the CertEnroll calls that it made; and the script's own.

    A call that the control makes of itself, or that a host's object makes (a button that is clicked), hides nothing; what
    a CertEnroll call does within is its own affair.
    """
    for entry in entries:
        target = entry.call.target
        if is_host(target):
            yield from events(entry.inner, own=own)
        elif is_legacy(target):
            if own:
                yield Event(entry, legacy=True, own=True)
            yield from events(entry.inner, own=False)
        else:
            yield Event(entry, legacy=False, own=own)


def outside_texts(entries: tuple[Entry, ...]) -> Iterator[tuple[str, str, bool]]:
    """What the run had from outside: the texts that objects of its host gave, with what gave them.

    A text that the script itself put into such an object (a field, an option) comes from the script when it is read again.

    Returns:
        the text, where it came from, and whether it is a field's.
    """
    calls = list(host_calls(entries))
    put = {value for call in calls if call.kind == "put" for value in call.arguments if isinstance(value, str)}
    for call in calls:
        if isinstance(call.result, str) and call.error is None and call.result not in put:
            name = _field_name(call)
            yield call.result, f"the field {name}{OF_THE_PAGE}" if name else call.member, bool(name)


def host_calls(entries: tuple[Entry, ...]) -> Iterator[com.Call]:
    """The calls of a host's objects, outer ones first."""
    for entry in entries:
        if is_host(entry.call.target):
            yield entry.call
            yield from host_calls(entry.inner)


def _field_name(call: com.Call) -> str:
    """The name of the form field whose value a call read, or ""."""
    if call.member.lower() != "value" or call.kind != "get" or call.target is None:
        return ""
    return next((found for name in ("name", "id") if (found := _read(call.target, name))), "")


def _read(target: ComObject, name: str) -> str:
    try:
        return str(automation.get(target, name) or "")
    except ComError:
        return ""


def requests_of(entries: tuple[Entry, ...]) -> tuple[bytes, ...]:
    """DER of the requests that a run made, each once, in the order in which they were made."""
    found: dict[bytes, None] = {}
    for event in events(entries):
        call = event.entry.call
        if event.legacy or call.target is None or call.error is not None:
            continue
        made = _made_by(call.target, call.member)
        if made:
            found[made] = None
    return tuple(found)


def _made_by(target: Any, member: str) -> bytes | None:
    if member in ("CreateRequest", "Enroll") and type(target).__name__ == "IX509Enrollment":
        record = target.request_record
        return record.request if record is not None else None
    if member == "Encode" and type(target).__name__.startswith("IX509CertificateRequest"):
        return bytes(target.der_bytes()) if target.is_encoded else None
    return None
