"""The secrets of a run: what they are, where they stand in other values, and how a comment goes without them.

A secret that stands in a longer text, in bytes or in an encoded text is found as well. Knows neither steps nor languages.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from xenroll_compat.hosts.masking import named_secrets
from xenroll_compat.porting.spellings import octets_in

MASK: Final = "***"
_SHORTEST: Final = 4  # a shorter text stands in others by chance
_CODES: Final = ("utf-8", "utf-16-le", "utf-16-be")


@dataclass
class Secrets:
    """The secrets of one run.

    Attributes:
        parameter: makes the parameter by which the port asks for one, of what it is about and whether it is bytes; gives
            the parameter's name.
    """

    parameter: Callable[[str, bool], str]
    _names: dict[str | bytes, str] = field(default_factory=dict)

    def note(self, value: str | bytes, about: str) -> str:
        """A secret; gives the name of its parameter."""
        if value not in self._names:
            self._names[value] = self.parameter(about, isinstance(value, bytes))
        return self._names[value]

    def note_named(self, text: str) -> None:
        """The secrets of a text that says itself which of its parts are: "challenge:1234"."""
        for start, end in named_secrets(text):
            self.note(text[start:end], "challenge")

    def __contains__(self, value: object) -> bool:
        """Whether a value is a secret."""
        return isinstance(value, (str, bytes)) and value in self._names

    def hidden_in(self, value: str | bytes) -> bool:
        """Whether octets, or a text that encodes them, have a secret somewhere."""
        octets = octets_in(value)
        return bool(octets) and any(one in octets for secret in self._names for one in _octets_of(secret))

    def part_of(self, text: str) -> tuple[int, int, str] | None:
        """Where the first secret of a text begins and ends, and its parameter; None where there is none."""
        for start, end in named_secrets(text):
            return start, end, self.note(text[start:end], "challenge")
        found = [(text.find(one), -len(one), name) for one, name in self._texts() if one in text]
        start, length, name = min(found, default=(0, 0, ""))
        return (start, start - length, name) if name else None

    def masked(self, text: str) -> str:
        """A text for a reader."""
        if text in self._names:
            return MASK
        for start, end in reversed(list(named_secrets(text))):
            text = text[:start] + MASK + text[end:]
        for secret, _ in sorted(self._texts(), key=lambda one: len(one[0]), reverse=True):
            text = text.replace(secret, MASK)
        return MASK if self.hidden_in(text) else text

    def by_name(self) -> dict[str, str]:
        """The name of each parameter -> what its user types: the secret, bytes in base64."""
        return {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for value, name in self._names.items()
        }

    def _texts(self) -> list[tuple[str, str]]:
        return [(one, name) for one, name in self._names.items() if isinstance(one, str) and len(one) >= _SHORTEST]


def _octets_of(secret: str | bytes) -> tuple[bytes, ...]:
    if isinstance(secret, bytes):
        return (secret,) if len(secret) >= _SHORTEST else ()
    return tuple(secret.encode(code, "surrogatepass") for code in _CODES) if len(secret) >= _SHORTEST else ()
