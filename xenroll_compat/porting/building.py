"""From the calls of a run to the steps of its port, nothing left out yet and every name a placeholder.

A placeholder is ``kind#number:words``; ``naming`` makes readable names of them once it is known which are needed. Knows no
language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from certenroll import com
from certenroll.com import ComObject
from certenroll.engine.installation import InstallOptions
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import lookup
from xenroll_compat.hosts.masking import Masking
from xenroll_compat.porting import members
from xenroll_compat.porting.made_values import MadeValues
from xenroll_compat.porting.model import (
    OBJECT,
    VALUE,
    Argument,
    Call,
    Comment,
    Facade,
    Literal,
    Name,
    New,
    Parameter,
    Step,
    names_in,
)
from xenroll_compat.porting.recording import Entry, Event, events, host_calls, outside_texts
from xenroll_compat.porting.replacements import replacement
from xenroll_compat.porting.secret_calls import note_secrets
from xenroll_compat.porting.values import Values

_LONGEST_SHOWN: Final = 44
_LONG_RESULT: Final = 64  # a property that gives so much gives a request, a certificate or a key
_FILE_NAMES: Final = frozenset({"PVKFileName", "PVKFileNameWStr"})
_CONFIGURE: Final = "configure"
_NO_COUNTERPART: Final = "CertEnroll on Windows has no such function"


@dataclass(frozen=True)
class Draft:
    """A step, and which call of the script it belongs to.

    Attributes:
        step: the step.
        group: the number of the script's own call.
        legacy: the control's member that the script called, or "" for a call of CertEnroll.
        kind: how it was called.
        summary: what stands in the place of several calls of that member.
    """

    step: Step
    group: int
    legacy: str = ""
    kind: str = ""
    summary: str = ""


@dataclass(frozen=True)
class Drafts:
    """What a recording gives.

    Attributes:
        drafts: the steps in the order of the run.
        owners: an object that a call gave -> the object that it was called on.
        parameters: what the run had from outside, by placeholder.
        secrets: the placeholder of each secret -> the secret, for whoever runs the port on the user's behalf.
    """

    drafts: tuple[Draft, ...]
    owners: dict[str, str]
    parameters: dict[str, Parameter]
    secrets: dict[str, str]


def build(
    entries: tuple[Entry, ...], inputs: Iterable[tuple[str, str]] = (), secrets: Iterable[str] = ()
) -> Drafts:
    """The drafts of a recording.

    Args:
        entries: the script's own calls.
        inputs: texts that the user gave the run beside what its host's objects tell, each with where it came from.
        secrets: of those, the ones that are written nowhere.
    """
    builder = _Builder()
    values = builder.values
    told = list(events(entries))
    for text in secrets:
        values.secrets.note(text, "secret")
    note_secrets(values.secrets, (event.entry.call for event in told), host_calls(entries))
    for text, where in inputs:
        values.note_outside(text, where, typed=True)
    for text, where, typed in outside_texts(entries):
        values.note_outside(text, where, typed=typed)
    builder.made.note_containers(event.entry.call for event in told)
    for event in told:
        builder.take(event)
    return Drafts(tuple(builder.drafts), builder.owners, values.parameters, values.secrets.by_name())


def symbol_of(error: ComError | None) -> str:
    """The name of an error's code, or its number where it has none; "" for no error."""
    if error is None:
        return ""
    found = lookup(error.hresult)
    return found.name if found is not None else f"0x{error.hresult & 0xFFFFFFFF:08X}"


class _Builder:
    """Takes events one by one."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.owners: dict[str, str] = {}
        self.made = MadeValues(self._add, self._placeholder)
        self._converter = ""
        self._respelled: dict[tuple[str, EncodingType], str] = {}
        self.values = Values(self._name_of, self.made.name_of, self._in_encoding)
        self._names: dict[int, str] = {}
        self._kept: list[ComObject] = []  # so that no identity is used twice
        self._group = 0
        self._counted = 0
        self._masking = Masking()
        self._defaults = {field.name: field.default for field in fields(InstallOptions)}
        self._said: dict[int, dict[str, Any]] = {}
        self._legacy = self._kind = self._summary = self._file = ""
        self._items: dict[int, tuple[ComObject, int]] = {}

    def take(self, event: Event) -> None:
        """Takes one call."""
        call = event.entry.call
        self._items = {id(item.found): (item.collection, item.index) for item in event.entry.items}
        if event.legacy:
            self._take_legacy(call)
            return
        if event.own:
            self._group += 1
            self._legacy = self._kind = self._summary = ""
        if call.target is None:
            self._take_facade(call)
        elif call.error is None or call.member.lower() in type(call.target)._members_:
            self._take_call(call, call.target, event.own)

    def _take_legacy(self, call: com.Call) -> None:
        if call.member in _FILE_NAMES and call.kind == "put":
            self._file = str(call.arguments[-1])
        self._group += 1
        self._legacy, self._kind = call.member, call.kind
        told = replacement(call.member)
        after = f" -> {told.replacement}" if told.replacement else f": no replacement. {told.note}"
        failed = f" (failed: {symbol_of(call.error)})" if call.error is not None else ""
        self._summary = f"CEnroll.{call.member}: {{count}} calls{after}"
        secret = self._masking.positions(call)
        shown = ["***" if at in secret else self._shown(value) for at, value in enumerate(call.arguments)]
        self._add(Comment(f"CEnroll.{_spelled(call, shown)}{failed}{after}"))

    def _take_call(self, call: com.Call, target: ComObject, own: bool) -> None:
        name = self._name_of(target)
        interface = members.interface_of(target)
        parts = members.parts_of(target, call.member, call.kind)
        owned = tuple(replace(part, owner=name.partition(":")[2]) for part in parts)
        arguments = tuple(self._arguments(call, owned, (interface, call.member)))
        member, kind = call.member, call.kind
        if members.is_indexed_put(target, member, kind):
            member, kind = member[3:], "put"
        result = self._result(call, name, own)
        failure = symbol_of(call.error)
        gives = OBJECT if isinstance(call.result, ComObject) else VALUE if call.result is not None else ""
        self._add(Call(name, interface, member, kind, arguments, result, failure, own, gives))
        self._note_number(call, name, interface, result)

    def _note_number(self, call: com.Call, target: str, interface: str, result: str) -> None:
        """The number of a request is known from here on, and its text can be read."""
        told = members.RUN_NUMBERS.get((interface, call.member))
        if told is None or not result or not isinstance(call.result, int):
            return
        text = self._placeholder("value", "request_id_text")
        self._add(Call(target, interface, *told, (), text, gives=VALUE))
        self.values.note_number(call.result, result)
        self.values.note_number(str(call.result), text)

    def _arguments(
        self, call: com.Call, parts: tuple[members.Part, ...], member: tuple[str, str]
    ) -> Iterator[Argument]:
        """What a call of (interface, member) was given."""
        answer, number = members.ANSWERS.get(member), members.REQUEST_NUMBERS.get(member)
        secret = self._masking.positions(call)
        for position, (value, part) in enumerate(zip(call.arguments, parts, strict=False)):
            if position == answer:
                yield self.values.answer(value)
            elif position == number:
                yield self.values.number(value, part)
            else:
                yield self.values.argument(value, part, is_secret=position in secret)

    def _result(self, call: com.Call, target: str, own: bool) -> str:
        """The name that a call's result is given, or "" where it has none or has one already."""
        result = call.result
        if isinstance(result, ComObject):
            if id(result) in self._names:
                return ""
            name = self._named(result, members.object_words(result, call.member))
            self.owners[name] = target
            return name
        if call.error is not None or result is None:
            return ""
        name = self._placeholder("value", _result_words(call.member))
        if call.kind == "call" or (own and _is_of_the_run(call)):
            self.values.note_result(result, name)
        return name

    def _take_facade(self, call: com.Call) -> None:
        parts = members.parts_of_function(call.member)
        call = call._replace(arguments=self._with_file(call))
        arguments = tuple(self._arguments(call, parts, ("", call.member)))
        told = self._unsaid(call) if call.member == _CONFIGURE else call.named
        if call.member == _CONFIGURE and not told:
            return
        named = tuple((name, self._named_argument(name, value)) for name, value in told)
        result = ""
        is_same = call.member in members.FACADE_VALUES and not any(map(_has_name, (*arguments, *(one for _, one in named))))
        if call.result is not None and call.error is None and not is_same:
            result = self._placeholder("value", _result_words(call.member))
            self.values.note_result(call.result, result)
        self._add(Facade(call.member, arguments, named, result, symbol_of(call.error), self._why_not(call.member)))

    def _named_argument(self, name: str, value: Any) -> Argument:
        return self.values.argument(value, members.Part(name, "object"), is_secret=self._masking.named(name))

    def _with_file(self, call: com.Call) -> tuple[Any, ...]:
        """The arguments of a function of the facade, a file by the name that the script gave it."""
        position = members.FILES.get(call.member)
        if position is None or not self._file:
            return call.arguments
        return (*call.arguments[:position], self._file, *call.arguments[position + 1 :])

    def _in_encoding(self, name: str, encoding: EncodingType, wanted: EncodingType) -> str:
        """The name of a result in another encoding; the step that makes it is added where it is first needed."""
        if (name, wanted) not in self._respelled:
            if not self._converter:
                self._converter = self._placeholder("object", "converter")
                self._add(New(self._converter, "X509Enrollment.CBinaryConverter"))
            result = self._respelled[name, wanted] = self._placeholder("value", f"{name.partition(':')[2]}_again")
            given = (Name(name), Literal(encoding), Literal(wanted))
            self._add(Call(self._converter, "IBinaryConverter", "StringToString", "call", given, result, gives=VALUE))
        return self._respelled[name, wanted]

    def _shown(self, value: Any) -> str:
        return _shown(self.values.secrets.masked(value) if isinstance(value, str) else value)

    def _why_not(self, function: str) -> str:
        """Why Windows has nothing like what is done beside CertEnroll in this call of the control."""
        told = replacement(self._legacy) if self._legacy else None
        if told is not None and not told.replacement:
            return told.note
        return members.FACADE_NOTES.get(function, _NO_COUNTERPART)

    def _unsaid(self, call: com.Call) -> tuple[tuple[str, Any], ...]:
        """What ``configure`` changes: an enrollment begins with the defaults, and is told them again and again."""
        enrollment = call.arguments[0]
        said = self._said.setdefault(id(enrollment), dict(self._defaults))
        changed = tuple((name, value) for name, value in call.named if name not in said or said[name] != value)
        said.update(changed)
        return changed

    def _name_of(self, target: ComObject) -> str:
        """The name of an object; one that nobody gave was created, or taken out of a collection."""
        known = self._names.get(id(target))
        if known is not None:
            return known
        place = self._items.get(id(target))
        if place is not None and id(place[0]) in self._names:
            collection, index = place
            name = self._named(target, members.object_words(target, ""))
            owner = self.owners[name] = self._names[id(collection)]
            asked = (Literal(index, "index"),)
            self._add(Call(owner, members.interface_of(collection), "ItemByIndex", "call", asked, name, gives=OBJECT))
            return name
        name = self._named(target, members.object_words(target, ""))
        self._add(New(name, members.prog_id_of(target)))
        return name

    def _named(self, target: ComObject, words: str) -> str:
        self._kept.append(target)
        name = self._names[id(target)] = self._placeholder("object", words)
        self.made.note_object(target, name)
        return name

    def _placeholder(self, kind: str, words: str) -> str:
        self._counted += 1
        return f"{kind}#{self._counted}:{words}"

    def _add(self, step: Step) -> None:
        self.drafts.append(Draft(step, self._group, self._legacy, self._kind, self._summary))


def _is_of_the_run(call: com.Call) -> bool:
    """Whether what a property gave is another one in the next run."""
    return call.member in members.RUN_PROPERTIES or (
        isinstance(call.result, (str, bytes)) and len(call.result) >= _LONG_RESULT
    )


def _has_name(argument: Argument) -> bool:
    return any(True for _ in names_in(argument))


def _result_words(member: str) -> str:
    return members.RESULT_WORDS.get(member) or members.snake(member.removeprefix("Get"))


def _spelled(call: com.Call, shown: list[str]) -> str:
    """A legacy call as a script writes it, in one line."""
    if call.kind == "put":
        return f"{call.member} = {shown[-1]}"
    return call.member if call.kind == "get" else f"{call.member}({', '.join(shown)})"


def _shown(value: Any) -> str:
    if isinstance(value, str):
        flat = " ".join(value.split())
        cut = flat if len(flat) <= _LONGEST_SHOWN else f"{flat[: _LONGEST_SHOWN - 3]}..."
        return '"' + "".join(one if one.isprintable() else "?" for one in cut) + '"'
    if isinstance(value, (bytes, bytearray)):
        return f"{len(value)} bytes"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(int(value))
    return type(value).__name__ if isinstance(value, ComObject) else str(value)
