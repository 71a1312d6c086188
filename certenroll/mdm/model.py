"""What a SyncML message says, once it is read: commands, items, statuses and results as frozen dataclasses.

``syncml`` makes them from XML and writes the reply; ``session`` carries them out. Knows no XML, no tree and no store.
Sources: OMA SyncML Representation Protocol 1.2.2, and Microsoft's page "OMA DM protocol support".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Verb(enum.Enum):
    """The elements of a SyncBody that a device carries out or answers."""

    ADD = "Add"
    REPLACE = "Replace"
    DELETE = "Delete"
    GET = "Get"
    EXEC = "Exec"
    ATOMIC = "Atomic"
    SEQUENCE = "Sequence"
    ALERT = "Alert"
    STATUS = "Status"  # of the server for what the device said before: read, not answered
    RESULTS = "Results"  # likewise


class Code(enum.IntEnum):
    """The status codes that a device answers with."""

    OK = 200
    NOT_EXECUTED = 215
    ROLLED_BACK = 216
    BAD_REQUEST = 400
    NOT_FOUND = 404
    NOT_ALLOWED = 405
    NOT_SUPPORTED = 406
    TOO_LARGE = 413
    UNSUPPORTED_FORMAT = 415
    ALREADY_EXISTS = 418
    PERMISSION_DENIED = 425
    COMMAND_FAILED = 500
    ATOMIC_FAILED = 507
    ROLLBACK_FAILED = 516


@dataclass(frozen=True, slots=True)
class Item:
    """One Item of a command.

    Attributes:
        target: Target/LocURI; "" where there is none.
        format: Meta/Format ("chr", "int", ...), or None.
        type: Meta/Type, or None.
        data: Data as text, or None where the element is not there.
    """

    target: str
    format: str | None = None
    type: str | None = None
    data: str | None = field(default=None, repr=False)  # may be a password


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: the element's name, as it stands there.
        verb: what it is; None for an element that is no command.
        cmd_id: CmdID; None where it is missing.
        items: its items.
        children: the commands of an Atomic or a Sequence.
        data: the Data of an Alert: its code.
        wrong: why it cannot be carried out at all (a malformed command), or "".
    """

    name: str
    verb: Verb | None
    cmd_id: str | None
    items: tuple[Item, ...] = ()
    children: tuple[Command, ...] = ()
    data: str | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What a reply takes from a SyncHdr. Texts; "" where a field is missing."""

    session_id: str = ""
    message_id: str = ""
    target: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A SyncML message, or a bare fragment of one.

    Attributes:
        header: None for a bare SyncBody or a bare list of commands.
        commands: of the body, in order.
        final: whether the body has Final. Each message is answered by itself, with or without it.
    """

    header: Header | None
    commands: tuple[Command, ...]
    final: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """What a device says of one command.

    Attributes:
        command_ref: the command's CmdID; "0" for the header, "" where it had none.
        command: the command's name.
        code: a status code.
        target: the LocURI that it is about, or "".
        reason: for a person: why it was refused. Not part of the reply's XML.
    """

    command_ref: str
    command: str
    code: int
    target: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a Get found.

    Attributes:
        command_ref: the Get's CmdID.
        source: the LocURI.
        format: "chr", "int", "bool", "bin", "node".
        data: the value as text.
    """

    command_ref: str
    source: str
    format: str
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a message: statuses and results in their order.

    Attributes:
        header: of the message that is answered.
        answers: statuses and results.
    """

    header: Header | None
    answers: tuple[Status | Result, ...]


class Refused(Exception):
    """A command is not carried out.

    Attributes:
        code: the status code of the command.
        hresult: the Windows result code behind it, unsigned; 0 where there is none.
    """

    def __init__(self, code: Code, reason: str, hresult: int = 0) -> None:
        self.code = code
        self.hresult = hresult
        super().__init__(reason)
