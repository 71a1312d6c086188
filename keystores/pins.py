"""Where a PIN comes from: a value, the environment, a file, a question to the user, or the first of several.

Knows no key store. A source is called with what the PIN is for ("token Bank card, container web") and answers with a
Secret, or with None where it has none. No PIN reaches a log, an error, a repr or a command line.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from keystores.base import PinCallback, Secret
from keystores.errors import PinRequired, PinUnreadable

PIN_VARIABLE: Final = "XENROLL_PIN"
PIN_FILE_VARIABLE: Final = "XENROLL_PIN_FILE"
_LARGEST_FILE: Final = 4096  # bytes


@runtime_checkable
class PinSource(Protocol):
    """Something that is asked for a PIN."""

    def __call__(self, purpose: str, /) -> Secret | None:
        """The PIN for ``purpose``, or None where this source has none.

        Raises:
            PinUnreadable: the source is there and cannot be used.
        """


@dataclass(frozen=True)
class ValuePin:
    """The same PIN for every purpose.

    Attributes:
        secret: the PIN.
    """

    secret: Secret

    def __call__(self, purpose: str, /) -> Secret | None:
        """The PIN."""
        return self.secret


@dataclass(frozen=True)
class EnvironmentPin:
    """A PIN in an environment variable, read each time it is asked for.

    Attributes:
        variable: the variable's name.
        environ: the environment.
    """

    variable: str = PIN_VARIABLE
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def __call__(self, purpose: str, /) -> Secret | None:
        """The variable's value, or None where it is unset or empty."""
        value = self.environ.get(self.variable, "")
        return Secret(value) if value else None


@dataclass(frozen=True)
class FilePin:
    """A PIN in a file that its owner alone can read: UTF-8, one line.

    Attributes:
        path: the file.
        name: what errors call it: it may hold another secret.
    """

    path: Path
    name: str = "PIN file"

    def __call__(self, purpose: str, /) -> Secret | None:
        """The first line of the file, or None where the file is empty.

        Raises:
            PinUnreadable: the file is missing, is no regular file, belongs to someone else, is open to group or
                others, is longer than 4096 bytes or is not UTF-8.
        """
        text = self._text()
        line = text.splitlines()[0] if text else ""
        return Secret(line) if line else None

    def _text(self) -> str:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise PinUnreadable(f"the {self.name} {self.path} cannot be opened: {os.strerror(error.errno or 0)}") from error
        try:
            _check_private(self.path, os.fstat(descriptor), self.name)
            data = os.read(descriptor, _LARGEST_FILE + 1)
        finally:
            os.close(descriptor)
        if len(data) > _LARGEST_FILE:
            raise PinUnreadable(f"the {self.name} {self.path} is longer than {_LARGEST_FILE} bytes; it holds one line")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:  # that error would carry the PIN's bytes along
            raise PinUnreadable(f"the {self.name} {self.path} is not UTF-8") from None


@dataclass(frozen=True)
class CallbackPin:
    """A PIN that a function knows or asks the user for.

    Attributes:
        ask: is given the purpose, gives the PIN or None.
    """

    ask: PinCallback = field(repr=False)

    def __call__(self, purpose: str, /) -> Secret | None:
        """What the function answers."""
        return self.ask(purpose)


@dataclass(frozen=True)
class FirstOf:
    """The first source that has a PIN.

    Attributes:
        sources: asked in this order.
    """

    sources: tuple[PinSource, ...]

    def __call__(self, purpose: str, /) -> Secret | None:
        """The first PIN found, or None. A source that cannot be used ends the search with its error."""
        for source in self.sources:
            secret = source(purpose)
            if secret is not None:
                return secret
        return None


def first_of(*sources: PinSource | None) -> FirstOf:
    """A source that asks ``sources`` in order. Those that are None are left out."""
    return FirstOf(tuple(source for source in sources if source is not None))


def from_environment(environ: Mapping[str, str] | None = None) -> FirstOf:
    """The sources that an environment names: XENROLL_PIN, then the file named by XENROLL_PIN_FILE.

    Args:
        environ: the environment; by default that of the process.
    """
    found = os.environ if environ is None else environ
    path = found.get(PIN_FILE_VARIABLE, "")
    return first_of(EnvironmentPin(PIN_VARIABLE, found), FilePin(Path(path)) if path else None)


def require(source: PinSource | None, purpose: str, *, store: str) -> Secret:
    """The PIN of ``source``, where the device does not work without one.

    Args:
        source: whom to ask.
        purpose: what the PIN is for.
        store: the key store that needs it, for the error.

    Raises:
        PinRequired: there is no source, or it has no PIN.
        PinUnreadable: the source cannot be used.
    """
    secret = source(purpose) if source is not None else None
    if secret is None:
        raise PinRequired(f"a PIN is needed for {purpose}; set {PIN_VARIABLE} or {PIN_FILE_VARIABLE}", store=store)
    return secret


def _check_private(path: Path, facts: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise PinUnreadable(f"the {name} {path} is not a regular file")
    if facts.st_uid not in {os.geteuid(), 0}:
        raise PinUnreadable(f"the {name} {path} belongs to another user; give it to the one who runs this")
    if facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise PinUnreadable(f"the {name} {path} is open to others (mode {stat.S_IMODE(facts.st_mode):04o}); chmod 600 it")
