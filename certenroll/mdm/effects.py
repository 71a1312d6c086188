"""What a change of the tree does beside it: a PFX installed, a certificate removed, an enrollment begun.

A unit is one command, or all those of an Atomic. Its commands first change an overlay of the tree (``tree.View``), and then
each trigger among them is planned as an effect. Everything is checked before anything is done; what is done outside the
database is journalled before and confirmed in the one transaction that writes the tree. So a unit happens as a whole or
not at all, keys and certificates included, and after a crash too. Knows no SyncML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from certenroll.mdm.nodes import Location


@dataclass(frozen=True)
class Trigger:
    """A change that has an effect beside the tree.

    Attributes:
        command: the number of the command within its unit, from 0.
        verb: "Add", "Replace", "Delete" or "Exec".
        location: the node.
    """

    command: int
    verb: str
    location: Location


class Effect(Protocol):
    """One effect of a unit. Only ``check`` and ``prepare`` may refuse what they are given (Refused)."""

    trigger: Trigger

    def check(self) -> None:
        """Finds out, without doing anything, whether it can be done with the overlay as it is at the unit's end."""

    def prepare(self) -> None:
        """Does what is done outside the database, each step with an intent in the journal before it."""

    def apply(self) -> None:
        """Writes its part of the database, confirming the intents; called within the unit's transaction."""

    def undo(self) -> None:
        """Takes back what ``prepare`` did, because a later part of the unit failed."""

    def finish(self) -> None:
        """Does what may be done only once the unit is durable: deletes the keys that it replaced."""
