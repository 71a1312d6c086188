"""Intents: side effects outside the database that were begun and not confirmed yet. Knows none of their meaning.

An intent is written before something is done to a device or a file ("write-certificate" to a card, "delete-key") and
confirmed after it. What is unconfirmed when a profile is opened is done again or found to be done: each kind must bear that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certenroll.stores.errors import NoSuchRecord
from certenroll.stores.owners import current, is_gone

if TYPE_CHECKING:
    from certenroll.stores.database import Database


@dataclass(frozen=True)
class Intent:
    """A side effect that was begun.

    Attributes:
        id: its number; later ones are greater.
        kind: what is to be done, as whoever began it names it.
        payload: the facts needed to do it again. Nothing secret.
        owner: the process that began it (``owners.current``).
        created: UTC, seconds since 1970.
    """

    id: int
    kind: str
    payload: Mapping[str, str]
    owner: str
    created: float

    @property
    def abandoned(self) -> bool:
        """Whether the process that began it has ended: only then may another take it up."""
        return is_gone(self.owner)


class Journal:
    """The intents of a profile.

    Args:
        database: where they are kept.
        clock: gives UTC seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, kind: str, payload: Mapping[str, str]) -> int:
        """Writes an intent down; to be called before the side effect.

        Returns:
            its id, for ``confirm``.
        """
        text = json.dumps(dict(payload), sort_keys=True, ensure_ascii=False)
        _, made = self._database.execute(
            "INSERT INTO intents (kind, payload, owner, created) VALUES (?, ?, ?, ?)", (kind, text, current(), self._clock())
        )
        return made

    def confirm(self, intent_id: int) -> None:
        """Strikes an intent out; to be called after the side effect. Raises NoSuchRecord where there is none of that id."""
        changed, _ = self._database.execute("DELETE FROM intents WHERE id = ?", (intent_id,))
        if not changed:
            raise NoSuchRecord(f"the journal has no intent {intent_id}; it was confirmed already")

    def adopt(self, intent: Intent) -> bool:
        """Takes an intent over from a process that has ended.

        Returns:
            False where that process still runs, or another was quicker.
        """
        if not intent.abandoned:
            return False
        changed, _ = self._database.execute(
            "UPDATE intents SET owner = ? WHERE id = ? AND owner = ?", (current(), intent.id, intent.owner)
        )
        return bool(changed)

    def release(self, intent_id: int) -> None:
        """Gives an intent up unconfirmed: any process may adopt it."""
        self._database.execute("UPDATE intents SET owner = '' WHERE id = ?", (intent_id,))

    def unconfirmed(self) -> list[Intent]:
        """What was begun and not confirmed, oldest first."""
        rows = self._database.query("SELECT id, kind, payload, owner, created FROM intents ORDER BY id")
        return [Intent(number, kind, json.loads(payload), *rest) for number, kind, payload, *rest in rows]
