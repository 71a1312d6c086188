"""The runs that carry SCEP enrollments out: whatever is due is begun, asked for, renewed or given up.

One run takes each due enrollment one step further and ends. Processes may run at once: an enrollment is in one's hand.
Knows no SyncML. The rules (which server is asked, when again, when no more) are in docs/analysis/scep-install.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from certenroll.mdm import scep_transactions
from certenroll.mdm.doomed_keys import delete_keys
from certenroll.mdm.scep_records import UNDER_WAY, Enrollment, Ledger
from certenroll.mdm.scep_steps import Lost, Step
from keystores.base import Scope

if TYPE_CHECKING:
    from certenroll.engine.workspace import Clock, Workspace
    from certenroll.stores.mdm_instances import Instance

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How far an enrollment has come.

    Attributes:
        name: the unique id.
        scope: whose it is.
        state: "accepted", "pending", "installed", "renewing", "failed".
        status: what the Status node tells.
        error: result code of the last failure, unsigned; 0 where there was none.
        message: what the last failure says.
        thumbprint: of the installed certificate, in hexadecimal digits; "" where there is none.
        server: the entry of ServerURL that answered, or "".
        due: when something is to be done next; None for never.
    """

    name: str
    scope: Scope
    state: str
    status: int
    error: int
    message: str
    thumbprint: str
    server: str
    due: datetime | None

    @property
    def under_way(self) -> bool:
        """Whether an answer, or a try to reach a server, is still to come."""
        return self.state in {one.value for one in UNDER_WAY}


def run(workspace: Workspace, *, clock: Clock | None = None) -> list[Outcome]:
    """Takes each enrollment that is due one step further.

    Args:
        workspace: the profile.
        clock: gives the time; the workspace's where it is None.

    Returns:
        what became of those, the longest overdue first; of one that another process has in hand, or that was taken away
        meanwhile, nothing.

    Raises:
        StoreError: the profile's database cannot be written.
    """
    ledger = Ledger(workspace, clock)
    _clear_left_behind(workspace, ledger)
    found = [_carry_out(workspace, ledger, one) for one in ledger.due()]
    return [one for one in found if one is not None]


def enrollments(workspace: Workspace) -> list[Outcome]:
    """All enrollments of a profile, by unique id, as they are."""
    scope = workspace.profile.scope
    return [_outcome(name, scope, one) for name, one in Ledger(workspace).every()]


def _carry_out(workspace: Workspace, ledger: Ledger, due: Instance) -> Outcome | None:
    instance = ledger.claim(due)
    if instance is None:
        return None
    try:
        return _outcome(instance.name, workspace.profile.scope, Step(workspace, ledger, instance).take())
    except Lost as lost:
        log.info("the enrollment %s was taken away while it was carried out", instance.name)
        _clear(workspace, ledger, lost.transaction)
        return None
    finally:
        ledger.release(instance)


def _clear_left_behind(workspace: Workspace, ledger: Ledger) -> None:
    for transaction in ledger.left_behind():
        _clear(workspace, ledger, transaction)


def _clear(workspace: Workspace, ledger: Ledger, transaction: str) -> None:
    with workspace.profile.database.transaction():
        doomed = scep_transactions.take_back(workspace, transaction) if transaction else []
        ledger.cleared(transaction)
    delete_keys(workspace, doomed)


def _outcome(name: str, scope: Scope, enrollment: Enrollment) -> Outcome:
    due = datetime.fromtimestamp(enrollment.due, UTC) if enrollment.due is not None else None
    return Outcome(
        name,
        scope,
        enrollment.state.value,
        enrollment.status,
        enrollment.error,
        enrollment.message,
        enrollment.thumbprint.upper(),
        enrollment.respondent,
        due,
    )
