"""What the tests of SCEP enrollment by management servers share: an order, a server at a time of one's choice, and the runs.

The clock is the test's: a profile and a server agree on it, and nobody waits.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from certenroll.engine.workspace import Workspace
from certenroll.mdm.model import Command, Item, Message, Result, Status, Verb
from certenroll.mdm.scep_records import Enrollment, Ledger
from certenroll.mdm.scep_runner import Outcome, run
from certenroll.mdm.session import Session
from certenroll.mdm.units import workspace_of
from keystores.base import Scope
from tests.stores.pki import NOW
from tests.support.scep_enrolling import sha1
from tests.support.scep_responder import ScepResponder

CHALLENGE = "hunter2-is-the-challenge"
CLIENT = "1.3.6.1.5.5.7.3.2"
_ROOTS = {Scope.USER: "./User", Scope.MACHINE: "./Device"}


def settings(server: ScepResponder | str, thumbprint: str = "", **changes: str | None) -> dict[str, str]:
    """The Install nodes of an order for a server; a node whose change is None is left out."""
    url = server if isinstance(server, str) else server.url
    known = thumbprint or (sha1(server.ca.der).hex() if isinstance(server, ScepResponder) else "00" * 20)
    found: dict[str, str | None] = {
        "ServerURL": url,
        "Challenge": CHALLENGE,
        "EKUMapping": CLIENT,
        "KeyUsage": "160",
        "SubjectName": "CN=leaf",
        "KeyLength": "2048",
        "HashAlgorithm": "SHA-2",
        "CAThumbprint": known,
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def uri(path: str, scope: Scope = Scope.USER) -> str:
    """The LocURI of a path below SCEP."""
    return f"{_ROOTS[scope]}/Vendor/MSFT/ClientCertificateInstall/SCEP/{path}".rstrip("/")


def command(verb: str, path: str, data: str | None = None, scope: Scope = Scope.USER) -> Command:
    """A command on a path below SCEP."""
    kind = "chr" if data is not None else None
    return Command(verb, Verb(verb), "1", (Item(uri(path, scope), kind, None, data),))


def adds(nodes: Mapping[str, str], name: str = "one", scope: Scope = Scope.USER) -> tuple[Command, ...]:
    """An Add for each Install node."""
    return tuple(command("Add", f"{name}/Install/{node}", value, scope) for node, value in nodes.items())


def execute(name: str = "one", scope: Scope = Scope.USER) -> Command:
    """The Exec that begins the enrollment."""
    return command("Exec", f"{name}/Install/Enroll", None, scope)


def atomic(*children: Command) -> Command:
    return Command("Atomic", Verb.ATOMIC, "9", children=children)


def answers(*commands: Command) -> list[Status | Result]:
    return list(Session().apply(Message(None, commands)).answers)


def statuses(*commands: Command) -> list[Status]:
    return [one for one in answers(*commands) if isinstance(one, Status)]


def codes(*commands: Command) -> list[int]:
    return [int(one.code) for one in statuses(*commands)]


def value(node: str, name: str = "one", scope: Scope = Scope.USER) -> str:
    """What a Get finds."""
    (found,) = [one for one in answers(command("Get", f"{name}/{node}", None, scope)) if isinstance(one, Result)]
    return found.data


def order(nodes: Mapping[str, str], name: str = "one", scope: Scope = Scope.USER) -> None:
    """An order as servers send it: one Atomic, the Exec last."""
    assert set(codes(atomic(*adds(nodes, name, scope), execute(name, scope)))) == {200}


def told(name: str = "one") -> tuple[str, int, str, str]:
    """Status, ErrorCode (unsigned), RespondentServerUrl, CertThumbprint."""
    error = int(value("ErrorCode", name)) & 0xFFFFFFFF
    return value("Status", name), error, value("RespondentServerUrl", name), value("CertThumbprint", name)


@dataclass
class Runs:
    """The runs of a profile, and their time.

    Attributes:
        now: the time.
        scope: whose profile.
    """

    now: datetime = field(default=NOW)
    scope: Scope = Scope.USER

    def __post_init__(self) -> None:
        self.workspace.clock = lambda: self.now

    @property
    def workspace(self) -> Workspace:
        return workspace_of(self.scope)

    def __call__(self, *, after: timedelta | float = 0) -> list[Outcome]:
        """A run, some time (or minutes) later."""
        self.now += after if isinstance(after, timedelta) else timedelta(minutes=after)
        return run(self.workspace)

    def states(self, *, after: timedelta | float = 0) -> list[str]:
        """A run, and the states that it leads to."""
        return [one.state for one in self(after=after)]

    def enrollment(self, name: str = "one") -> Enrollment:
        found = Ledger(self.workspace).get(name)
        assert found is not None
        return found


@dataclass
class Placed(ScepResponder):
    """A server that minds where it is asked.

    Attributes:
        place: the path at which it stands.
        elsewhere: the HTTP status and the page that it has for every other path.
        visited: the paths at which it was asked, each once.
        on_operation: what happens when a message has come, before it is answered.
    """

    place: str = "/scep"
    elsewhere: tuple[int, bytes] = (404, b"")
    visited: list[str] = field(default_factory=list)
    on_operation: Callable[[], object] = lambda: None

    def __enter__(self) -> Placed:
        super().__enter__()
        return self

    def _serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(handler.path).path
        if path not in self.visited:
            self.visited.append(path)
        if path == self.place:
            super()._serve(handler, body)
            return
        handler.send_response(self.elsewhere[0])
        handler.end_headers()
        handler.wfile.write(self.elsewhere[1])

    def _operate(self, data: bytes) -> tuple[int, str, bytes]:
        self.on_operation()
        return super()._operate(data)


def nobody() -> str:
    """The URL of a port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"http://127.0.0.1:{probe.getsockname()[1]}/scep"


def left_over(scope: Scope = Scope.USER) -> tuple[int, int, int, int]:
    """How many certificates in MY, entries in REQUEST, keys and intents a profile has."""
    workspace = workspace_of(scope)
    stores = (workspace.certificates.count(store, archived=True) for store in ("MY", "REQUEST"))
    intents = len(workspace.journal.unconfirmed())
    return (*stores, sum(len(report.keys) for report in workspace.key_stores.list_all()), intents)  # type: ignore[return-value]


NOTHING = (0, 0, 0, 0)
A_REQUEST = (0, 1, 1, 0)
A_CERTIFICATE = (1, 0, 1, 0)
