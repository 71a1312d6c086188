"""Where each value of a run comes from: a literal, the result of an earlier call, the user, or a secret.

Turns what a call was given into the model's arguments. Knows neither steps nor languages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from certenroll import variants
from certenroll.com import ComObject
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.variants import Vacant
from keystores.base import Secret
from xenroll_compat.porting.inputs import Inputs, plain
from xenroll_compat.porting.members import NAMES_OF_WINDOWS, Part
from xenroll_compat.porting.model import ANSWER, SECRET, TEXT, Argument, Joined, Listed, Literal, Name, Parameter
from xenroll_compat.porting.secrets_known import Secrets
from xenroll_compat.porting.spellings import spellings

_SHORTEST_RESULT: Final = 8  # a shorter text says nothing about where it comes from
_SHORTEST_PART: Final = 64
_NO_THINGS: Final = (bool, int, float, ComObject)
Found: TypeAlias = tuple[int, int, str]  # where a part of a text begins and ends, and its name


@dataclass
class Values:
    """The values of one run.

    Attributes:
        object_name: gives the name of an object; the caller has it created where it is new.
        made_name: gives the name of what an object of the run made (a container's name, a certificate), or "" for
            anything else.
        respelled: gives the name of a result in another encoding: of its name, its encoding and the other one.
        parameters: what the port's user is asked for, by name.
        secrets: the secrets of the run.
        inputs: what it had from outside.
    """

    object_name: Callable[[ComObject], str]
    made_name: Callable[[str | bytes], str]
    respelled: Callable[[str, EncodingType, EncodingType], str]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    secrets: Secrets = field(init=False)
    inputs: Inputs = field(default_factory=Inputs)
    _results: list[tuple[str | bytes, str]] = field(default_factory=list)
    _spelled: dict[bytes, tuple[str, EncodingType]] = field(default_factory=dict)
    _numbers: dict[int | str, str] = field(default_factory=dict)
    _things: dict[int, tuple[Any, str]] = field(default_factory=dict)
    _answers: dict[str | bytes, str] = field(default_factory=dict)
    _asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.secrets = Secrets(self._secret_parameter)

    def note_outside(self, text: str, where: str, *, typed: bool) -> None:
        """A text that the run had from outside, as of Inputs.note; what has a secret in it is found by that."""
        if text not in self.secrets and self.secrets.part_of(text) is None:
            self.inputs.note(text, where, typed=typed)

    def note_result(self, value: Any, name: str) -> None:
        """The result of a call: arguments that are equal to it from now on come from it."""
        if isinstance(value, (str, bytes)):
            if len(value) >= _SHORTEST_RESULT:
                self._results.append((_plain(value), name))
            for one in spellings(value):
                self._spelled[one.octets] = (name, one.encoding)
        elif value is not None and not isinstance(value, _NO_THINGS):
            self._things[id(value)] = (value, name)

    def note_number(self, number: int | str, name: str) -> None:
        """The number of a request, or its text: only a parameter that takes such a number has it from there."""
        self._numbers[number] = name

    def number(self, value: Any, part: Part) -> Argument:
        """What a parameter that takes a request's number was given."""
        name = self._numbers.get(value) if isinstance(value, (int, str)) else None
        return Name(name) if name is not None else self.argument(value, part)

    def answer(self, value: Any) -> Argument:
        """What a CA answered: the result of an earlier call, or a file of the user's."""
        if not isinstance(value, (str, bytes)) or not value:
            return self._known(value) or Literal(value)
        known = self._known(value) or self._respelled(value) or self._within_result(value)
        if known is not None:
            return known
        text = _plain(value)
        if text not in self._answers:
            self._answers[text] = self._parameter(ANSWER, "answer", "the CA's answer to the request", value)
        return Name(self._answers[text])

    def argument(self, value: Any, part: Part, *, is_secret: bool = False) -> Argument:
        """What one parameter was given.

        Args:
            value: the value.
            part: the parameter.
            is_secret: whether such a value is never written down.
        """
        if isinstance(value, ComObject):
            return Name(self.object_name(value))
        if isinstance(value, Secret):
            return Name(self.secrets.note(value.reveal(), part.hint))
        if not isinstance(value, (str, bytes)) or not value:
            return self._known(value) or self._literal(value, part)
        known = self._known(value)
        made = self.made_name(value) if known is None else ""
        known = Name(made) if made else known or self._secret(value, part, is_secret) or self._respelled(value)
        return known or self._outside(value, part) or self._composed(value, part) or self._literal(value, part)

    def _known(self, value: Any) -> Name | None:
        thing = self._things.get(id(value))
        if thing is not None:
            return Name(thing[1])
        if not isinstance(value, (str, bytes)):
            return None
        text = _plain(value)
        return next((Name(name) for known, name in reversed(self._results) if known == text), None)

    def _secret(self, value: str | bytes, part: Part, is_secret: bool) -> Name | None:
        """A value that is a secret, or has one where no part of it can be told from the rest."""
        if is_secret or value in self.secrets or self.secrets.hidden_in(value):
            return Name(self.secrets.note(value, part.hint))
        return None

    def _respelled(self, value: str | bytes) -> Name | None:
        """A value whose octets an earlier result had in another encoding."""
        for one in spellings(value):
            name, encoding = self._spelled.get(one.octets, ("", one.encoding))
            if name:
                return Name(name if encoding == one.encoding else self.respelled(name, encoding, one.encoding))
        return None

    def _outside(self, value: str | bytes, part: Part) -> Name | None:
        if not isinstance(value, str) or not self.inputs.knows(value):
            return None
        return Name(self._text_parameter(value, part.hint, part.hint))

    def _composed(self, value: str | bytes, part: Part) -> Argument | None:
        """A text with secrets, results and inputs in its midst; None for one that has none of them."""
        if not isinstance(value, str):
            return None
        pieces: Iterable[Literal | Name] = (Literal(value),)
        pieces = _divided(pieces, lambda text, _: self.secrets.part_of(text))
        pieces = _divided(pieces, lambda text, _: self._result_in(text))
        if part.hint not in NAMES_OF_WINDOWS:
            pieces = _divided(pieces, lambda text, before: self._input_in(text, before, part.hint))
        return _one_of(tuple(pieces))

    def _within_result(self, value: str | bytes) -> Argument | None:
        if not isinstance(value, str):
            return None
        return _one_of(tuple(_divided((Literal(value),), lambda text, _: self._result_in(text))))

    def _result_in(self, text: str) -> Found | None:
        """A result within a text, as scripts put a header and a footer around a request."""
        for known, name in reversed(self._results):
            if isinstance(known, str) and _SHORTEST_PART <= len(known) <= len(text):
                start, end = _span(text, known)
                if start >= 0:
                    return start, end, name
        return None

    def _input_in(self, text: str, before: str, hint: str) -> Found | None:
        found = self.inputs.part_of(text)
        if found is None:
            return None
        words = self.inputs.name_of(found.text, before + text[: found.start], hint)
        return found.start, found.end, self._text_parameter(found.text, hint, words)

    def _text_parameter(self, text: str, use: str, words: str) -> str:
        """The parameter of an input: one for all its uses where one input was that text, else one for each use."""
        key = (plain(text), f"{use}/{words}" if self.inputs.is_ambiguous(text) else "")
        if key not in self._asked:
            self._asked[key] = self._parameter(TEXT, words, self.inputs.about(text), text)
        return self._asked[key]

    def _literal(self, value: Any, part: Part) -> Argument:
        if isinstance(value, Mapping):
            pairs = [Listed((Literal(key), self.argument(held, part))) for key, held in value.items()]
            return Listed(tuple(pairs), is_mapping=True)
        if isinstance(value, (list, tuple)):
            return Listed(tuple(self.argument(one, part) for one in value))
        try:
            converted = variants.convert(value, part.kind)
        except ComError:
            converted = value
        return Literal(None if converted is Vacant.EMPTY else converted, part.hint)

    def _secret_parameter(self, about: str, is_binary: bool) -> str:
        return self._parameter(SECRET, about, about, b"" if is_binary else "")

    def _parameter(self, kind: str, base: str, about: str, example: str | bytes) -> str:
        name = f"{kind}#{len(self.parameters)}:{base}"
        self.parameters[name] = Parameter(name, kind, about.replace("_", " "), example)
        return name


def _divided(
    pieces: Iterable[Literal | Name], find: Callable[[str, str], Found | None]
) -> Iterator[Literal | Name]:
    """The parts of a text with what ``find`` finds in the literal ones; it is given the text and what stands before it."""
    for piece in pieces:
        rest, before = (piece.value, "") if isinstance(piece, Literal) else ("", "")
        if isinstance(piece, Name):
            yield piece
        while rest:
            found = find(rest, before)
            start, end, name = found if found is not None else (len(rest), len(rest), "")
            if start:
                yield Literal(rest[:start])
            if name:
                yield Name(name)
            before, rest = before + rest[:end], rest[end:]


def _one_of(pieces: tuple[Literal | Name, ...]) -> Argument | None:
    if all(isinstance(one, Literal) for one in pieces):
        return None
    return pieces[0] if len(pieces) == 1 else Joined(pieces)


def _plain(value: str | bytes) -> str | bytes:
    return plain(value) if isinstance(value, str) else value


def _span(text: str, wanted: str) -> tuple[int, int]:
    """Where ``wanted`` stands in a text, whose line ends are not looked at; (-1, -1) for nowhere."""
    places = [at for at, character in enumerate(text) if character not in "\r\n"]
    found = "".join(text[at] for at in places).find(wanted)
    if found < 0:
        return -1, -1
    end = places[found + len(wanted) - 1] + 1
    end += 1 if text[end : end + 1] == "\r" else 0
    return places[found], end + 1 if text[end : end + 1] == "\n" else end
