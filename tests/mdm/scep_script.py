"""What happens on a device, as a process of its own, which a test may kill at any of its writes.

    python -m tests.mdm.scep_script run MINUTES
    python -m tests.mdm.scep_script execute MINUTES
    python -m tests.mdm.scep_script delete MINUTES

The runs take place so many minutes from now; the other two are a management server's commands for the instance "one".
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

from certenroll.mdm.scep_runner import run
from certenroll.mdm.units import workspace_of
from keystores.base import Scope
from tests.mdm.scep_orders import CHALLENGE, codes, command, execute


def carry_out(minutes: float) -> None:
    """One run."""
    run(workspace_of(Scope.USER), clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))


def begin(_minutes: float) -> None:
    """Another Exec, with its challenge."""
    codes(command("Add", "one/Install/Challenge", CHALLENGE), execute())


def delete(_minutes: float) -> None:
    """A Delete of the instance."""
    codes(command("Delete", "one"))


STEPS = {"run": carry_out, "execute": begin, "delete": delete}

if __name__ == "__main__":
    STEPS[sys.argv[1]](float(sys.argv[2]))
