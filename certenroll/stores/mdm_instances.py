"""What came of the nodes that a management server set: one record for each installed PFX and each SCEP enrollment.

Knows neither: a record has a state, a time at which something is due, and facts. Every change is a transaction, of its
own or of the caller's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from certenroll.stores.owners import current, is_gone

if TYPE_CHECKING:
    from certenroll.stores.database import Database

_COLUMNS: Final = "kind, name, state, due, facts, owner, created, updated"


@dataclass(frozen=True)
class Instance:
    """One record.

    Attributes:
        kind: the subtree.
        name: the unique id, as it was first written.
        state: how far it has come, as its kind names it.
        due: when something is to be done about it; UTC, seconds since 1970. None for never.
        facts: what its kind keeps; JSON's types.
        owner: the process that has it in hand, or "".
        created, updated: UTC, seconds since 1970.
    """

    kind: str
    name: str
    state: str
    due: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a challenge password may be among them for a while
    owner: str = ""
    created: float = 0.0
    updated: float = 0.0


class InstanceStore:
    """The records of a profile.

    Args:
        database: where they are kept.
        clock: gives UTC seconds since 1970.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def get(self, kind: str, name: str) -> Instance | None:
        """The record of a unique id (without regard to case), or None."""
        return self._first("kind = ? AND key = ?", (kind, name.lower()))

    def every(self, kind: str) -> list[Instance]:
        """All records of a kind, by unique id."""
        return self._select("kind = ? ORDER BY key", (kind,))

    def due(self, kind: str, moment: float) -> list[Instance]:
        """The records whose time has come, the longest overdue first.

        Args:
            kind: the subtree.
            moment: UTC, seconds since 1970.
        """
        return self._select("kind = ? AND due <= ? ORDER BY due, key", (kind, moment))

    def put(self, kind: str, name: str, *, state: str, due: float | None = None, facts: Mapping[str, Any]) -> None:
        """Writes a record, in place of one of the same unique id; nobody has it in hand afterwards."""
        now = self._clock()
        self._database.execute(
            "INSERT INTO mdm_instances (kind, key, name, state, due, facts, owner, created, updated)"
            " VALUES (?, ?, ?, ?, ?, ?, '', ?, ?) ON CONFLICT (kind, key) DO UPDATE SET"
            " state = excluded.state, due = excluded.due, facts = excluded.facts, owner = '', updated = excluded.updated",
            (kind, name.lower(), name, state, due, json.dumps(dict(facts), sort_keys=True), now, now),
        )

    def change(self, instance: Instance, *, state: str, due: float | None, facts: Mapping[str, Any]) -> bool:
        """Writes what came of a record that this process has in hand, keeping it in hand.

        Returns:
            False where the record was taken away or written anew meanwhile: then nothing is written.
        """
        changed, _ = self._database.execute(
            "UPDATE mdm_instances SET state = ?, due = ?, facts = ?, updated = ?"
            " WHERE kind = ? AND key = ? AND owner = ? AND created = ?",
            (
                state,
                due,
                json.dumps(dict(facts), sort_keys=True),
                self._clock(),
                instance.kind,
                instance.name.lower(),
                current(),
                instance.created,
            ),
        )
        return bool(changed)

    def claim(self, instance: Instance) -> Instance | None:
        """Takes a record in hand, unless a process that still runs has it.

        Returns:
            the record as it is now, or None where another has it or it is gone.
        """
        with self._database.transaction():
            found = self.get(instance.kind, instance.name)
            if found is None or (found.owner not in ("", current()) and not is_gone(found.owner)):
                return None
            self._set_owner(found, current())
            return self.get(found.kind, found.name)

    def release(self, instance: Instance) -> None:
        """Lets go of a record that this process has in hand."""
        with self._database.transaction():
            found = self.get(instance.kind, instance.name)
            if found is not None and found.owner == current():
                self._set_owner(found, "")

    def delete(self, kind: str, name: str) -> None:
        """Removes a record; one that is not there is no error."""
        self._database.execute("DELETE FROM mdm_instances WHERE kind = ? AND key = ?", (kind, name.lower()))

    def _set_owner(self, instance: Instance, owner: str) -> None:
        where = (instance.kind, instance.name.lower())
        self._database.execute("UPDATE mdm_instances SET owner = ? WHERE kind = ? AND key = ?", (owner, *where))

    def _first(self, where: str, parameters: tuple[Any, ...]) -> Instance | None:
        return next(iter(self._select(where, parameters)), None)

    def _select(self, where: str, parameters: tuple[Any, ...]) -> list[Instance]:
        rows = self._database.query(f"SELECT {_COLUMNS} FROM mdm_instances WHERE {where}", parameters)  # noqa: S608
        return [
            Instance(kind, name, state, due, json.loads(facts), owner, created, updated)
            for kind, name, state, due, facts, owner, created, updated in rows
        ]
