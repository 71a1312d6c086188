"""The surroundings of one run: its settings, its files, its questions and its output; and the objects that it creates.

Belongs to no language. ``create`` is CreateObject, ``new ActiveXObject`` and ``<object classid=...>`` alike.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from xenroll_compat.hosts.settings import RunSettings

if TYPE_CHECKING:
    from xenroll_compat.hosts.output import Writer

Factory = Callable[["Environment"], Any]
T = TypeVar("T")


class Environment:
    """What the objects of a run share."""

    def __init__(
        self,
        settings: RunSettings,
        output: Writer | None = None,
        factories: dict[str, Factory] | None = None,
        before_objects: Callable[[], None] | None = None,
    ) -> None:
        """An environment.

        Args:
            settings: what the user said.
            output: where WScript.Echo, message boxes and document.write go; stdout where it is None.
            factories: ProgID in lower case without version -> what makes such an object of the host's own.
            before_objects: called before an object of the object model is made, which loads all that it needs.
        """
        self.settings = settings
        self.output: Writer = output if output is not None else sys.stdout
        self.factories = factories if factories is not None else {}
        self.before_objects = before_objects
        self._parts: dict[type, object] = {}

    def part(self, kind: Callable[[Environment], T]) -> T:
        """The one object of a class that the whole run shares, made of this environment when it is first asked for."""
        key = cast(type, kind)
        if key not in self._parts:
            self._parts[key] = kind(self)
        return cast(T, self._parts[key])

    def create(self, identifier: str) -> Any:
        """A new automation object: the host's own (Scripting.FileSystemObject, ...), the control, or one of certenroll.

        Args:
            identifier: a ProgID or a CLSID, as scripts write them.

        Raises:
            ComError: CO_E_CLASSSTRING where no such class is registered (429 in a script).
        """
        stem, _, version = identifier.strip().lower().rpartition(".")
        name = stem if version.isdigit() else identifier.strip().lower()
        factory = self.factories.get(name)
        if factory is not None:
            return factory(self)
        if self.before_objects is not None:
            self.before_objects()
        from xenroll_compat import Dispatch

        return Dispatch(identifier)
