"""A unit of commands carried out as a whole: one command, or all those of an Atomic.

First the overlay takes the commands, then every effect is checked, then prepared, then one transaction writes it all; what
fails on the way is taken back. Processes take turns. Knows no SyncML.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from certenroll.engine.opening import open_workspace
from certenroll.engine.workspace import Workspace
from certenroll.enums import X509CertificateEnrollmentContext
from certenroll.mdm import subtrees
from certenroll.mdm.effects import Effect, Trigger
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import Location
from certenroll.mdm.tree import View
from certenroll.stores.errors import StoreError
from keystores.base import Scope
from keystores.errors import KeyStoreError
from keystores.locks import file_lock

if TYPE_CHECKING:
    from certenroll.stores.database import Database

log = logging.getLogger(__name__)

_CONTEXTS: Final = {
    Scope.USER: X509CertificateEnrollmentContext.ContextUser,
    Scope.MACHINE: X509CertificateEnrollmentContext.ContextMachine,
}
_PATIENCE: Final = 600.0  # seconds: a TPM or a card may be slow, and many may wait


@dataclass(frozen=True)
class Step:
    """One command on one node.

    Attributes:
        verb: "Add", "Replace", "Delete" or "Exec".
        location: the node.
        format, data: as the command gives them.
    """

    verb: str
    location: Location
    format: str | None = None
    data: str | None = field(default=None, repr=False)


class UnitFailed(Exception):
    """A unit was not carried out; nothing of it is left.

    Attributes:
        command: the number of the step that was refused, from 0.
        refused: why.
        rolled_back: False where something could not be taken back, which the log names.
    """

    def __init__(self, command: int, refused: Refused, *, rolled_back: bool = True) -> None:
        self.command = command
        self.refused = refused
        self.rolled_back = rolled_back
        super().__init__(str(refused))


def workspace_of(scope: Scope) -> Workspace:
    """The workspace of a scope."""
    return open_workspace(_CONTEXTS[scope])


def run(steps: Sequence[Step]) -> None:
    """Carries out a unit.

    Args:
        steps: its commands, one or more, all of one profile.

    Raises:
        UnitFailed: one of them was refused; everything is as it was.
        StoreBusy: other processes kept the profile for ten minutes.
    """
    profile = workspace_of(steps[0].location.scope).profile
    with file_lock(profile.directory / "mdm.lock", timeout=_PATIENCE):
        view = View(workspace_of)
        effects = _checked(view, steps)
        _prepare(effects)
        _write(view, profile.database, effects)
        for effect in effects:
            effect.finish()


def check(steps: Sequence[Step], view: View) -> View:
    """Finds out whether a unit would be carried out, and does nothing.

    Args:
        steps: its commands.
        view: the tree as earlier units would leave it.

    Returns:
        the tree as this one would leave it.

    Raises:
        UnitFailed: one of them would be refused.
    """
    after = view.copy()
    _checked(after, steps)
    return after


def _checked(view: View, steps: Sequence[Step]) -> list[Effect]:
    effects = list(_planned(view, steps))
    for effect in effects:
        _refusing(effect.trigger.command, effect.check)
    return effects


def _planned(view: View, steps: Sequence[Step]) -> Iterator[Effect]:
    """The effects, in the order of the commands; each is planned when the overlay has taken all commands."""
    triggers = []
    for number, step in enumerate(steps):
        _take(view, number, step)
        triggers.append(Trigger(number, step.verb, step.location))
    for trigger in triggers:
        if trigger.location.subtree:
            try:
                effect = subtrees.plan(view, trigger)
            except Refused as refused:
                raise UnitFailed(trigger.command, refused) from None
            if effect is not None:
                yield effect


def _take(view: View, number: int, step: Step) -> None:
    try:
        if step.verb == "Exec":
            _allow_exec(step.location)
        elif step.verb == "Delete":
            view.delete(step.location)
        else:
            change = view.add if step.verb == "Add" else view.replace
            change(step.location, step.format, step.data)
    except Refused as refused:
        raise UnitFailed(number, refused) from None


def _allow_exec(location: Location) -> None:
    if "Exec" not in location.node.access:
        raise Refused(Code.NOT_ALLOWED, f"{location.uri} cannot be executed")


def _refusing(command: int, act: Callable[[], None]) -> None:
    try:
        act()
    except Refused as refused:
        raise UnitFailed(command, refused) from None


def _prepare(effects: Sequence[Effect]) -> None:
    for number, effect in enumerate(effects):
        try:
            effect.prepare()
        except Refused as refused:
            raise UnitFailed(effect.trigger.command, refused, rolled_back=_undo(effects[:number])) from None
        except BaseException:
            _undo(effects[:number])
            raise


def _write(view: View, database: Database, effects: Sequence[Effect]) -> None:
    at = 0
    try:
        with database.transaction():
            for effect in effects:
                at = effect.trigger.command
                effect.apply()
            view.flush()
    except StoreError as error:
        refused = Refused(Code.COMMAND_FAILED, str(error), error.hresult)
        raise UnitFailed(at, refused, rolled_back=_undo(effects)) from error
    except BaseException:
        _undo(effects)
        raise


def _undo(effects: Sequence[Effect]) -> bool:
    """Takes back what was prepared, the last first. False where one could not be: its journal intent stays."""
    done = True
    for effect in reversed(effects):
        try:
            effect.undo()
        except (Refused, StoreError, KeyStoreError) as error:
            log.error("%s could not be taken back: %s", effect.trigger.location.uri, error)
            done = False
    return done
