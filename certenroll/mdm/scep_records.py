"""What is known of a SCEP enrollment between two runs: a record of the profile for each instance, and its states.

Two tables say what Status tells in each state, and which states are not done yet. Knows no server, no key and no
certificate but by its thumbprint. Source: Status, ErrorCode and RespondentServerUrl of Microsoft's page
"ClientCertificateInstall CSP".
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from certenroll.mdm.nodes import SCEP
from certenroll.mdm.scep_settings import ScepSettings
from certenroll.stores.mdm_instances import Instance, InstanceStore
from certenroll.stores.owners import is_gone

if TYPE_CHECKING:
    from certenroll.engine.workspace import Clock, Workspace

LEFT_BEHIND: Final = "SCEP left behind"  # kind of the records of transactions that were given up while in somebody's hand
_LONGEST_MESSAGE: Final = 500  # characters of what a server says
_MASK: Final = "[challenge]"
_ID_SIZE: Final = 20  # octets of a transaction's id


class State(enum.Enum):
    """How far an enrollment has come. The value is what the database holds."""

    ACCEPTED = "accepted"  # by Exec; no server has answered yet
    PENDING = "pending"  # a server has the request and has not decided
    INSTALLED = "installed"
    RENEWING = "renewing"  # installed, and a new certificate is asked for
    FAILED = "failed"


STATUSES: Final = {
    State.ACCEPTED: 32,
    State.PENDING: 2,
    State.INSTALLED: 1,
    State.RENEWING: 1,
    State.FAILED: 16,
}
UNKNOWN: Final = 32
UNDER_WAY: Final = (State.ACCEPTED, State.PENDING, State.RENEWING)


def new_transaction() -> str:
    """The id of a transaction: written down before anything is done in it, so that a crash cannot lose it."""
    return secrets.token_hex(_ID_SIZE)


@dataclass(frozen=True)
class Enrollment:
    """An instance as its record has it.

    Attributes:
        settings: as Exec found them.
        transaction: the id of the transaction that is under way, or was the last.
        state: how far it has come.
        due: when something is to be done; UTC, seconds since 1970; None for never.
        thumbprint: of the installed certificate, in lower-case hexadecimal digits; "" where there is none.
        error: the result code of the last failure, unsigned; 0 where there was none.
        message: what the last failure says, for a person.
        server: the entry of ServerURL to which the transaction's request went, or "".
        respondent: the entry of ServerURL that answered last, or "".
        asked: whether the server has said of this transaction that it waits.
        tries: polls since the server first said that it waits; those that it answered.
        silences: tries in a row to which there was no answer.
    """

    settings: ScepSettings
    transaction: str
    state: State = State.ACCEPTED
    due: float | None = None
    thumbprint: str = ""
    error: int = 0
    message: str = ""
    server: str = ""
    respondent: str = ""
    asked: bool = False
    tries: int = 0
    silences: int = 0

    @property
    def status(self) -> int:
        """What Status tells."""
        return STATUSES[self.state]

    def without_challenge(self) -> Enrollment:
        """The same without the challenge password, which nobody needs any more."""
        return replace(self, settings=replace(self.settings, challenge=""))

    def failed(self, code: int, message: str) -> Enrollment:
        """The same with a failure noted. A server may repeat the challenge in what it says; that is not kept."""
        challenge = self.settings.challenge
        said = message.replace(challenge, _MASK) if challenge.strip() else message
        return replace(self, error=code & 0xFFFFFFFF, message=said[:_LONGEST_MESSAGE])

    def facts(self) -> dict[str, Any]:
        """As it is kept, beside state and due time."""
        names = ("transaction", "thumbprint", "error", "message", "server", "respondent", "asked", "tries", "silences")
        return {name: getattr(self, name) for name in names} | {"settings": self.settings.to_json()}

    @classmethod
    def of(cls, instance: Instance) -> Enrollment:
        """As it was kept."""
        facts: dict[str, Any] = dict(instance.facts)
        settings = ScepSettings.from_json(facts.pop("settings"))
        return cls(settings=settings, state=State(instance.state), due=instance.due, **facts)


@dataclass(frozen=True)
class Ledger:
    """The enrollments of a profile.

    Attributes:
        workspace: the profile.
        clock: gives the time; None for the workspace's.
    """

    workspace: Workspace
    clock: Clock | None = None
    _store: InstanceStore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_store", InstanceStore(self.workspace.profile.database, self.now))

    def now(self) -> float:
        """The time; UTC, seconds since 1970."""
        return (self.clock or self.workspace.clock)().timestamp()

    def get(self, name: str) -> Enrollment | None:
        """The enrollment of a unique id, or None where no Exec was accepted."""
        found = self._store.get(SCEP, name)
        return Enrollment.of(found) if found is not None else None

    def every(self) -> list[tuple[str, Enrollment]]:
        """All enrollments with their unique ids."""
        return [(one.name, Enrollment.of(one)) for one in self._store.every(SCEP)]

    def put(self, name: str, enrollment: Enrollment) -> None:
        """Writes an enrollment, in place of one that is there, and takes it out of anybody's hand."""
        self._store.put(SCEP, name, state=enrollment.state.value, due=enrollment.due, facts=enrollment.facts())

    def delete(self, name: str) -> None:
        """Removes an enrollment's record."""
        self._store.delete(SCEP, name)

    def due(self) -> list[Instance]:
        """The records whose time has come."""
        return self._store.due(SCEP, self.now())

    def claim(self, instance: Instance) -> Instance | None:
        """Takes an enrollment in hand; None where a process that runs has it, or it is not due any more."""
        found = self._store.claim(instance)
        if found is None:
            return None
        if found.due is None or found.due > self.now():
            self._store.release(found)
            return None
        return found

    def release(self, instance: Instance) -> None:
        """Lets go of an enrollment."""
        self._store.release(instance)

    def change(self, instance: Instance, before: Enrollment, after: Enrollment) -> bool:
        """Writes what came of an enrollment that this process has in hand; False where it was taken away meanwhile.

        Args:
            instance: the record.
            before: the enrollment as this process last knew it.
            after: as it is now.
        """
        with self.workspace.profile.database.transaction():
            found = self._store.get(SCEP, instance.name)
            if found is None or found.facts["transaction"] != before.transaction:
                return False
            return self._store.change(instance, state=after.state.value, due=after.due, facts=after.facts())

    # What a process had in hand when it was given up ------------------------------------------------------------------

    def leave_behind(self, name: str) -> None:
        """Remembers the transaction of an enrollment that a process which runs may be in the midst of.

        That process finds out that it was given up, and clears away; should it end before, another run does.
        """
        found = self._store.get(SCEP, name)
        if found is not None and found.owner and not is_gone(found.owner):
            facts: Mapping[str, Any] = {"holder": found.owner}
            transaction = Enrollment.of(found).transaction
            self._store.put(LEFT_BEHIND, transaction, state="left", due=self.now(), facts=facts)

    def left_behind(self) -> list[str]:
        """The transactions whose process has ended before it could clear away."""
        return [one.name for one in self._store.every(LEFT_BEHIND) if is_gone(one.facts["holder"])]

    def cleared(self, transaction: str) -> None:
        """Forgets a transaction that was given up: nothing of it is there."""
        self._store.delete(LEFT_BEHIND, transaction)
