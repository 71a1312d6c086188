"""Which part of the tree does what: the effects of its changes, and the values that it finds out when they are read.

A table; the modules load when their subtree is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, Protocol, cast

from certenroll.engine.workspace import Workspace
from certenroll.mdm.effects import Effect, Trigger
from certenroll.mdm.model import Refused
from certenroll.mdm.nodes import PFX, SCEP, Location
from certenroll.mdm.tree import View

_MODULES: Final = {PFX: "pfx_install", SCEP: "scep_install"}


class Subtree(Protocol):
    """What the module of a subtree offers."""

    def plan(self, workspace: Workspace, view: View, trigger: Trigger) -> Effect | None:
        """What a change does beside the tree, or None."""

    def computed(self, workspace: Workspace, view: View, location: Location) -> str | None:
        """The value of a node that is found out when it is read, or None."""

    def note_failure(self, workspace: Workspace, view: View, trigger: Trigger, refused: Refused) -> None:
        """Keeps what came of a change that was refused outside of an Atomic."""


def plan(view: View, trigger: Trigger) -> Effect | None:
    """What a change does beside the tree.

    Args:
        view: the tree as it is at the end of the unit.
        trigger: the change.

    Returns:
        the effect, or None where it has none.
    """
    return _module(trigger.location).plan(view.workspace(trigger.location.scope), view, trigger)


def computed(view: View, location: Location) -> str | None:
    """The value of a node that is found out when it is read; None where there is none yet."""
    return _module(location).computed(view.workspace(location.scope), view, location)


def note_failure(view: View, trigger: Trigger, refused: Refused) -> None:
    """Has an instance tell of a change that was refused outside of an Atomic, where its subtree keeps a status of such.

    Args:
        view: the tree as it is after the refusal.
        trigger: the change.
        refused: why.
    """
    if trigger.location.subtree == PFX:
        _module(trigger.location).note_failure(view.workspace(trigger.location.scope), view, trigger, refused)


def _module(location: Location) -> Subtree:
    return cast(Subtree, import_module(f"certenroll.mdm.{_MODULES[location.subtree]}"))
