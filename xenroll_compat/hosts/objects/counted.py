"""The base of the collections of the Windows Script Host: counted, gone through, read by ``Item``. Knows none of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from certenroll.com import ComObject


class Counted(ComObject):
    """A collection; a subclass says by ``_listed`` what For Each goes through."""

    _default_: ClassVar[str] = "Item"

    def _listed(self) -> Sequence[Any]:
        """What For Each goes through."""
        return ()

    @property
    def Count(self) -> int:
        """How many there are."""
        return len(self._listed())

    @property
    def length(self) -> int:
        """How many there are."""
        return len(self._listed())

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter(self._listed())
