"""A SyncML message carried out: each command answered with a Status, in the order of the message, and each Get with Results.

Knows no XML; ``syncml`` and ``replies`` do. The rules of Atomic and the choice of status codes are in docs/analysis/mdm.md.
Sources: Microsoft's page "OMA DM protocol support"; OMA SyncML Representation Protocol 1.2.2 sections 6.5 and 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

from certenroll.hresults import HRESULT
from certenroll.mdm import subtrees, units
from certenroll.mdm.effects import Trigger
from certenroll.mdm.model import Code, Command, Item, Message, Refused, Reply, Result, Status, Verb
from certenroll.mdm.nodes import Location, locate
from certenroll.mdm.tree import View
from certenroll.mdm.units import Step, UnitFailed, workspace_of
from certenroll.stores.errors import StoreError, os_code
from keystores.errors import KeyStoreError

Answer = Status | Result

_CHANGES: Final = frozenset({Verb.ADD, Verb.REPLACE, Verb.DELETE, Verb.EXEC})
# Alerts that a device answers: begin of a session by server or client, next message, end, device and generic alerts.
_ALERTS: Final = frozenset({"1200", "1201", "1222", "1223", "1224", "1226"})


class Session:
    """Carries out messages.

    Args:
        check: whether to find out only what would be refused, and change nothing.
    """

    def __init__(self, *, check: bool = False) -> None:
        self._check = check
        self._trial = View(workspace_of)

    def apply(self, message: Message) -> Reply:
        """Carries a message out.

        Returns:
            the answers; a command that is refused is an answer too.
        """
        answers: list[Answer] = []
        if message.header is not None:
            answers.append(Status("0", "SyncHdr", Code.OK))
        for command in message.commands:
            answers.extend(self._answers(command))
        return Reply(message.header, tuple(answers))

    def _answers(self, command: Command) -> Iterator[Answer]:
        wrong = _malformed(command)
        if wrong:
            yield Status(command.cmd_id or "", command.name, Code.BAD_REQUEST, reason=wrong)
            yield from _not_executed(command.children)
        elif command.verb in _CHANGES:
            yield from (self._change(command, item) for item in command.items)
        elif command.verb is not None:
            yield from self._others[command.verb](self, command)

    def _run(self, steps: Sequence[Step]) -> None:
        with _available():
            if self._check:
                self._trial = units.check(steps, self._trial)
            elif steps:
                units.run(steps)

    def _change(self, command: Command, item: Item) -> Status:
        try:
            self._run([_step(command, item)])
        except UnitFailed as failed:
            if not self._check:
                trigger = Trigger(0, command.name, locate(item.target))
                subtrees.note_failure(View(workspace_of), trigger, failed.refused)
            return _status(command, failed.refused.code, item, str(failed.refused))
        except Refused as refused:
            return _status(command, refused.code, item, str(refused))
        return _status(command, Code.OK, item)

    # Get -----------------------------------------------------------------------------------------------------------

    def _get(self, command: Command) -> Iterator[Answer]:
        view = self._trial if self._check else View(workspace_of)
        for item in command.items:
            try:
                with _available():
                    result = _read(view, command, item)
            except Refused as refused:
                yield _status(command, refused.code, item, str(refused))
            else:
                yield _status(command, Code.OK, item)
                yield result

    # Atomic, Sequence, Alert ---------------------------------------------------------------------------------------

    def _sequence(self, command: Command) -> Iterator[Answer]:
        yield Status(command.cmd_id or "", command.name, Code.OK)
        for child in command.children:
            yield from self._answers(child)

    def _atomic(self, command: Command) -> Iterator[Answer]:
        failed = self._run_atomic(command.children)
        if failed is None:
            yield Status(command.cmd_id or "", command.name, Code.OK)
            yield from (_status(child, Code.OK) for child in command.children)
            return
        at, refused, rolled_back = failed
        yield Status(command.cmd_id or "", command.name, Code.ATOMIC_FAILED, reason=str(refused))
        back = Code.ROLLED_BACK if rolled_back else Code.ROLLBACK_FAILED
        for number, child in enumerate(command.children):
            if number == at:
                yield _status(child, refused.code, reason=str(refused))
            else:
                yield _status(child, back if number < at else Code.NOT_EXECUTED)
            yield from _not_executed(child.children)

    def _run_atomic(self, children: Sequence[Command]) -> tuple[int, Refused, bool] | None:
        """Which command made an Atomic fail, why, and whether all is taken back; None where it was carried out."""
        steps: list[Step] = []
        owners: list[int] = []  # the command of each step
        for number, child in enumerate(children):
            try:
                found = _steps_within(child, steps)
            except Refused as refused:
                return number, refused, True
            steps += found
            owners += [number] * len(found)
        try:
            self._run(steps)
        except UnitFailed as failed:
            return owners[failed.command], failed.refused, failed.rolled_back
        except Refused as refused:
            return 0, refused, True
        return None

    def _alert(self, command: Command) -> Iterator[Answer]:
        known = (command.data or "").strip() in _ALERTS
        yield Status(command.cmd_id or "", command.name, Code.OK if known else Code.NOT_SUPPORTED)

    def _silent(self, _command: Command) -> Iterator[Answer]:
        """What the server says of an earlier message is not answered."""
        return iter(())

    _others: Final = {
        Verb.GET: _get,
        Verb.ATOMIC: _atomic,
        Verb.SEQUENCE: _sequence,
        Verb.ALERT: _alert,
        Verb.STATUS: _silent,
        Verb.RESULTS: _silent,
    }


@contextmanager
def _available() -> Iterator[None]:
    """Refuses, in place of ending the message, where the profile cannot be opened, read or written."""
    try:
        yield
    except (StoreError, KeyStoreError) as error:
        denied = error.hresult == HRESULT.E_ACCESSDENIED
        raise Refused(Code.PERMISSION_DENIED if denied else Code.COMMAND_FAILED, str(error), error.hresult) from error
    except OSError as error:
        raise Refused(Code.COMMAND_FAILED, f"{error.filename}: {error.strerror}", os_code(error)) from error


def _not_executed(commands: Sequence[Command]) -> Iterator[Status]:
    """A status for each command of a block that was not begun, and for those within it."""
    for command in commands:
        yield _status(command, Code.NOT_EXECUTED)
        yield from _not_executed(command.children)


def _malformed(command: Command) -> str:
    """Why a command cannot be carried out at all, or ""."""
    if command.wrong:
        return command.wrong
    if command.verb is None:
        return f"{command.name} is no command"
    if not command.cmd_id and command.verb not in (Verb.STATUS, Verb.RESULTS):
        return "the command has no CmdID"
    if command.verb in (_CHANGES | {Verb.GET}) and not command.items:
        return "the command has no Item"
    return ""


def _step(command: Command, item: Item) -> Step:
    if not item.target:
        raise Refused(Code.BAD_REQUEST, "the command names no target")
    return Step(command.name, locate(item.target), item.format, item.data)


def _steps_within(command: Command, earlier: Sequence[Step]) -> list[Step]:
    """The steps of a command of an Atomic. Raises Refused where it may not stand there."""
    wrong = _malformed(command)
    if wrong:
        raise Refused(Code.BAD_REQUEST, wrong)
    if command.verb is Verb.ALERT:
        return []
    if command.verb not in _CHANGES:
        raise Refused(Code.COMMAND_FAILED, f"{command.name} cannot stand within an Atomic")
    steps = [_step(command, item) for item in command.items]
    for step in steps:
        if earlier and step.location.scope is not earlier[0].location.scope:
            text = "an Atomic changes one profile here, the user's or the machine's: two cannot be written as a whole"
            raise Refused(Code.NOT_SUPPORTED, text)
    if command.verb is Verb.REPLACE:
        added = {(one.location.scope, one.location.path.lower()) for one in earlier if one.verb == "Add"}
        for step in steps:
            if (step.location.scope, step.location.path.lower()) in added:
                raise Refused(Code.COMMAND_FAILED, f"{step.location.uri} is added and replaced within one Atomic")
    return steps


def _status(command: Command, code: Code, item: Item | None = None, reason: str = "") -> Status:
    about = item if item is not None else next(iter(command.items), None)
    return Status(command.cmd_id or "", command.name, code, about.target if about is not None else "", reason)


def _read(view: View, command: Command, item: Item) -> Result:
    location = _step(command, item).location
    if "Get" not in location.node.access:
        raise Refused(Code.NOT_ALLOWED, f"{location.uri} cannot be read")
    if not view.exists(location):
        raise Refused(Code.NOT_FOUND, f"{location.uri} is not there")
    return Result(command.cmd_id or "", item.target, location.node.format, _value(view, location))


def _value(view: View, location: Location) -> str:
    if location.node.format == "node":
        return "/".join(quote(name, safe="") for name in view.children(location))
    if location.node.computed:
        return subtrees.computed(view, location) or ""
    found = view.record(location)
    return found.data if found is not None else ""
