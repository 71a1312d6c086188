"""Scripting.Dictionary. Knows no files.

Source: the pages of the Dictionary object in Microsoft's Scripting Runtime reference.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, ClassVar, Final

from certenroll.com import ComObject
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.variants import Vacant
from xenroll_compat.hosts.automation import numbered
from xenroll_compat.hosts.environment import Environment

_TAKEN, _ABSENT, _BAD_ARGUMENT = 457, 32811, 5
_BINARY, _TEXT, _DATABASE = 0, 1, 2
_MODES: Final = (_BINARY, _TEXT, _DATABASE)


class Dictionary(ComObject):
    """Items by their keys, in the order in which they came."""

    _default_: ClassVar[str] = "Item"

    def __init__(self, _environment: Environment | None = None) -> None:
        self._entries: dict[Hashable, tuple[Any, Any]] = {}  # what keys are compared by -> the key and its item
        self._mode = _BINARY

    @property
    def Count(self) -> int:
        """How many items there are."""
        return len(self._entries)

    @property
    def CompareMode(self) -> int:
        """How keys that are strings are compared: 0 as they are, 1 and 2 without regard to case.

        Raises:
            ComError: on writing, 5 where the dictionary is not empty or the number is none of these.
        """
        return self._mode

    @CompareMode.setter
    def CompareMode(self, value: int) -> None:
        if self._entries or value not in _MODES:
            raise numbered(_BAD_ARGUMENT)
        self._mode = value

    @property
    def _NewEnum(self) -> Iterator[Any]:
        return iter([key for key, _ in self._entries.values()])

    def Add(self, Key: object, Item: object) -> None:
        """Adds an item. Raises ComError 457 where its key is there."""
        compared = self._compared(Key)
        if compared in self._entries:
            raise numbered(_TAKEN)
        self._entries[compared] = (Key, Item)

    def Exists(self, Key: object) -> bool:
        """Whether a key is there."""
        return self._compared(Key) in self._entries

    def Item(self, Key: object) -> object:
        """The item of a key; a key that is not there is added with an empty item, as Windows does."""
        return self._entries.setdefault(self._compared(Key), (Key, Vacant.EMPTY))[1]

    def SetItem(self, Key: object, Item: object) -> None:
        """Sets the item of a key, which need not be there yet."""
        compared = self._compared(Key)
        self._entries[compared] = (self._entries.get(compared, (Key, None))[0], Item)

    def Key(self, Key: object) -> object:
        """A key can only be written. Raises ComError DISP_E_MEMBERNOTFOUND."""
        raise ComError(HRESULT.DISP_E_MEMBERNOTFOUND, "Dictionary.Key can only be written")

    def SetKey(self, Key: object, NewKey: object) -> None:
        """Gives an item another key. Raises ComError 32811 where it is not there, 457 where the new one is."""
        old, new = self._compared(Key), self._compared(NewKey)
        if old not in self._entries:
            raise numbered(_ABSENT)
        if new in self._entries and new != old:
            raise numbered(_TAKEN)
        self._entries = {
            new if compared == old else compared: (NewKey, item) if compared == old else (key, item)
            for compared, (key, item) in self._entries.items()
        }

    def Keys(self) -> object:
        """All keys."""
        return [key for key, _ in self._entries.values()]

    def Items(self) -> object:
        """All items."""
        return [item for _, item in self._entries.values()]

    def Remove(self, Key: object) -> None:
        """Takes an item out. Raises ComError 32811 where it is not there."""
        if self._entries.pop(self._compared(Key), None) is None:
            raise numbered(_ABSENT)

    def RemoveAll(self) -> None:
        """Takes every item out."""
        self._entries.clear()

    def _compared(self, key: object) -> Hashable:
        if isinstance(key, str):
            return ("text", key if self._mode == _BINARY else key.casefold())
        if isinstance(key, bool):
            return ("number", -1 if key else 0)
        if isinstance(key, (int, float)):
            return ("number", key)
        if isinstance(key, (list, bytes)):
            raise numbered(_BAD_ARGUMENT, "an array is no key")
        return ("object", id(key)) if isinstance(key, ComObject) else ("other", repr(key))
