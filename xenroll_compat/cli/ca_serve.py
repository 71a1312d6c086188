"""xenroll ca serve and xenroll ca challenge: a local CA as a SCEP server, and the challenges of its clients."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from xenroll_compat.cli.options import add_password, password_of
from xenroll_compat.cli.output import note, show_facts, show_rows, text_of

if TYPE_CHECKING:
    import ssl

    from certenroll.ca.scep.challenges import ChallengePasswords, Known
    from certenroll.ca.scep.settings import ScepSettings

FolderOf = Callable[[argparse.Namespace], Path]
_COLUMNS: Final = ("number", "state", "once", "made", "expires")
_HOURS_OF_A_CENTURY: Final = 876_000.0
_HIGHEST_PORT: Final = 65_535


def configure(serve: argparse.ArgumentParser, challenge: argparse.ArgumentParser, folder_of: FolderOf) -> None:
    """Adds the arguments of both actions.

    Args:
        serve: of serve.
        challenge: of challenge.
        folder_of: gives the folder of the local CA that the arguments name.
    """
    _configure_serve(serve)
    serve.set_defaults(run=lambda arguments: _serve(arguments, folder_of(arguments)))
    challenge.add_argument("--once", action="store_true", help="good for one request, within an hour")
    challenge.add_argument("--valid", type=_hours, metavar="HOURS", help="how long it is good; for ever by default")
    add_password(challenge, "the devices, a challenge that they have already,")
    which = challenge.add_mutually_exclusive_group()
    which.add_argument("--list", action="store_true", dest="listed", help="make none; show what is known of those made")
    which.add_argument("--withdraw", type=int, metavar="NUMBER", help="make none; that one is good for nothing any more")
    challenge.set_defaults(run=lambda arguments: _challenge(arguments, folder_of(arguments)))


def _configure_serve(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen; 127.0.0.1 alone by default")
    serve.add_argument("--port", type=_port, default=0, metavar="N", help="its port; any that is free by default")
    serve.add_argument("--ra", action="store_true", help="a registration authority signs and decrypts in the CA's place")
    serve.add_argument("--template", default="", metavar="NAME", help="of first requests; their own where nothing is said")
    serve.add_argument("--no-challenge", action="store_true", help="take first requests without a challenge password")
    serve.add_argument("--requester", default="", metavar="NAME", help="DOMAIN\\user in the CA's list; its host\\SCEP else")
    serve.add_argument("--legacy", action="store_true", help="take and answer single DES and SHA-1, too")
    serve.add_argument("--caps", default="", metavar="WORD,...", help="what to say of its capabilities, not the truth")
    serve.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve HTTPS with this certificate and chain, PEM")
    serve.add_argument("--tls-key", type=Path, metavar="FILE", help="the private key of that, PEM without a passphrase")
    serve.add_argument("--quiet", action="store_true", help="no line for each message on stderr")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) <= _HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port")
    return int(text)


def _hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = 0.0
    if not 0 < hours <= _HOURS_OF_A_CENTURY:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours")
    return hours


# Serving -----------------------------------------------------------------------------------------------------------------


def _serve(arguments: argparse.Namespace, folder: Path) -> int:
    from certenroll.ca.scep.responder import ScepResponder
    from certenroll.ca.scep.server import Listen, ScepHttpServer

    responder = ScepResponder(folder, _settings(arguments))
    tell = _silent if arguments.quiet else _tell
    tls = _tls(arguments)
    server = ScepHttpServer(responder, Listen(arguments.host, arguments.port, tls), tell)
    ended = _until_a_signal()
    with server:
        facts: dict[str, object] = {"status": "listening", "url": server.url, "ca": responder.config}
        facts["challenge"] = "not needed" if arguments.no_challenge else "needed"
        show_facts(facts, as_json=arguments.json)
        sys.stdout.flush()  # whoever started this in a pipe waits for the URL
        ended.wait()
    return 0


def _settings(arguments: argparse.Namespace) -> ScepSettings:
    from certenroll.ca.scep.settings import ScepRules, ScepSettings

    words = tuple(word for word in (part.strip() for part in arguments.caps.split(",")) if word)
    rules = ScepRules(not arguments.no_challenge, arguments.template, arguments.requester)
    return ScepSettings(rules, arguments.ra, arguments.legacy, words)


def _tls(arguments: argparse.Namespace) -> ssl.SSLContext | None:
    """The context for HTTPS, or None. Raises ComError E_INVALIDARG where certificate and key are not a pair."""
    if arguments.tls_cert is None and arguments.tls_key is None:
        return None
    import ssl

    from certenroll.errors import ComError
    from certenroll.hresults import HRESULT

    if arguments.tls_cert is None:
        raise ComError(HRESULT.E_INVALIDARG, "--tls-key is the key of --tls-cert: give both, or a file that has both")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(arguments.tls_cert, arguments.tls_key, password=_no_passphrase)
    except (ssl.SSLError, ValueError) as error:
        text = f"{arguments.tls_cert} and its key are no pair in PEM without a passphrase: {error}"
        raise ComError(HRESULT.E_INVALIDARG, text) from error
    return context


def _no_passphrase() -> str:
    """OpenSSL would ask on the terminal."""
    return ""


def _tell(line: str) -> None:
    note(text_of(line))


def _silent(line: str) -> None:
    """Tells nothing."""


def _until_a_signal() -> threading.Event:
    """What SIGINT and SIGTERM set."""
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return ended


# Challenges --------------------------------------------------------------------------------------------------------------


def _challenge(arguments: argparse.Namespace, folder: Path) -> int:
    import os

    from certenroll.ca.database import Database
    from certenroll.ca.local import utc_now
    from certenroll.ca.scep.challenges import ChallengePasswords

    database = Database(folder)
    try:
        challenges = ChallengePasswords(database, utc_now, os.urandom)
        if arguments.listed:
            rows = [_facts(one) for one in challenges.known()]
            show_rows(rows, _COLUMNS, as_json=arguments.json, empty="there is no challenge")
        elif arguments.withdraw is not None:
            challenges.withdraw(arguments.withdraw)
            show_facts({"status": "withdrawn", "number": arguments.withdraw}, as_json=arguments.json)
        else:
            _make(challenges, arguments)
    finally:
        database.close()
    return 0


def _make(challenges: ChallengePasswords, arguments: argparse.Namespace) -> None:
    chosen = password_of(arguments)
    lifetime = timedelta(hours=arguments.valid) if arguments.valid is not None else None
    text = chosen.reveal() if chosen is not None else None
    made = challenges.make(once=arguments.once, lifetime=lifetime, chosen=text)
    facts: dict[str, object] = {"status": "made", "number": made.number}
    if chosen is None:
        facts["challenge"] = made.text
    show_facts(facts | {"once": arguments.once, "expires": made.expires}, as_json=arguments.json)


def _facts(one: Known) -> dict[str, object]:
    state = "good" if one.is_good(int(datetime.now(UTC).timestamp())) else "over" if one.used is None else "used"
    return {
        "number": one.number,
        "state": state,
        "once": one.once,
        "made": _time(one.made),
        "expires": _time(one.expires),
        "used": _time(one.used),
    }


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
