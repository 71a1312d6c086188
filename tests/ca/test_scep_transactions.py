"""SCEP transactions and renewals: what is the same request, who renews what, and what an interruption leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import extensions
from certenroll.asn1.der import Extension
from certenroll.asn1.scep import FailInfo, MessageType
from certenroll.ca.base import Submission
from certenroll.ca.database import Database
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.scep.settings import ScepRules, ScepSettings
from certenroll.ca.scep.transactions import Transactions, transaction_of
from certenroll.ca.templates import Mode
from tests.ca.conftest import Clock
from tests.stores.pki import key
from tests.support.ca_messages import template
from tests.support.scep_client import ScepClient, Site, alternative

FAILURE, PENDING = 2, 3
CLIENT_USE = Extension(extensions.EXTENDED_KEY_USAGE, False, extensions.encode_object_ids(["1.3.6.1.5.5.7.3.2"]))
AGENT_USE = Extension(extensions.EXTENDED_KEY_USAGE, False, extensions.encode_object_ids(["1.3.6.1.4.1.311.20.2.1"]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scep") / "ca"
    LocalCA.create(folder, "Test CA", host="ca.test").close()
    return folder


@pytest.fixture
def site(made: Path, tmp_path: Path, clock: Clock) -> Site:
    shutil.copytree(made, tmp_path / "ca")
    clock.pass_days(1)
    return Site(tmp_path / "ca", clock)


# Transactions --------------------------------------------------------------------------------------------------------


def test_a_request_that_is_sent_again_gets_the_same_certificate(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    first = client.enroll().certificate
    site.serve()
    assert client.enroll().certificate == first
    assert client.poll().certificate == first
    assert len(site.ca.requests()) == 1


def test_what_the_ca_holds_is_pending_until_it_is_decided(site: Site) -> None:
    site.policy(Policy(Mode.HOLD))
    client = site.client(challenge=site.challenge(once=True).text)
    assert [client.enroll().status, client.enroll().status, client.poll().status] == [PENDING] * 3
    (row,) = site.ca.pending()
    site.serve()
    assert client.poll().status == PENDING
    site.ca.issue(str(row.id))
    assert client.poll().certificate == client.enroll().certificate


def test_what_the_ca_denies_fails(site: Site) -> None:
    site.policy(Policy(Mode.HOLD))
    client = site.client(challenge=site.challenge().text)
    client.enroll()
    site.ca.deny("1", "not today")
    said = client.poll()
    assert (said.fail_info, "not today" in said.text) == (FailInfo.badRequest, True)
    site.ca.issue("1")
    assert client.poll().certificate


def test_a_revoked_certificate_is_not_given_again(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    client.enroll()
    site.ca.revoke("1")
    assert client.enroll().fail_info == client.poll().fail_info == FailInfo.badRequest


def test_after_its_certificate_has_run_out_a_transaction_begins_anew(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    first = client.enroll().certificate
    site.clock.pass_days(366)
    assert client.enroll().certificate != first


def test_two_keys_may_name_their_transactions_alike(site: Site) -> None:
    text = site.challenge().text
    one, other = (site.client(name, challenge=text, transaction="1") for name in ("one", "other"))
    assert one.enroll().certificate != other.enroll().certificate
    assert site.client("third", transaction="1").poll().fail_info == FailInfo.badCertId


def noted(site: Site, client: ScepClient) -> None:
    """What the server does before the CA has the request."""
    now = int(site.clock().timestamp())
    transaction = transaction_of(client.transaction, client.spki)
    Transactions(Database(site.folder)).open(transaction, client.request, now, lambda connection: None)


def test_a_server_that_was_interrupted_before_the_ca_had_the_request_goes_on(site: Site) -> None:
    client = site.client()
    noted(site, client)
    assert client.poll().fail_info == FailInfo.badCertId
    assert client.enroll().certificate == client.poll().certificate, "its challenge was seen when it was noted"


def test_a_server_that_was_interrupted_after_the_ca_had_the_request_submits_it_once(site: Site) -> None:
    client = site.client()
    noted(site, client)
    taken = site.ca.submit(Submission(client.request))
    assert client.enroll().certificate == taken.certificate
    assert len(site.ca.requests()) == 1


def test_an_older_request_of_the_same_octets_is_another_one(site: Site) -> None:
    client = site.client()
    older = site.ca.submit(Submission(client.request))
    site.clock.pass_days(1)
    noted(site, client)
    assert client.enroll().certificate != older.certificate


# Renewals ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message_type", [MessageType.RenewalReq, MessageType.PKCSReq])
def test_a_certificate_in_force_renews_itself_without_a_challenge(site: Site, message_type: int) -> None:
    names = (alternative("a.test", "b.test"),)
    client = site.client(challenge=site.challenge().text, extensions=names)
    first = client.enroll().certificate
    renewal = client.renewing(first, challenge="")
    second = renewal.enroll(message_type).certificate
    assert second != first
    assert renewal.enroll(message_type).certificate == second == renewal.poll().certificate
    fewer = (alternative("b.test"),)
    other_key = client.renewing(first, challenge="", private=key("new", 2048), extensions=fewer, transaction="new")
    other_key.signer = (first, client.private)
    assert other_key.enroll(message_type).certificate not in (first, second)


@pytest.mark.parametrize("wider", [
    {"name": "somebody else"},
    {"extensions": (alternative("a.test", "evil.test"), CLIENT_USE)},
    {"extensions": (alternative("a.test"), AGENT_USE)},
    {"extensions": (alternative("a.test"),)},
    {"extensions": (CLIENT_USE, Extension("1.3.6.1.4.1.311.25.2", False, b"\x30\x00"))},
    {"extensions": (CLIENT_USE, Extension(extensions.BASIC_CONSTRAINTS, True, b"\x30\x03\x01\x01\xff"))},
    {"extensions": (CLIENT_USE,), "more": (template("EnrollmentAgent"),)},
], ids=["subject", "name", "use", "no use", "unknown", "ca", "template"])  # fmt: skip
def test_a_renewal_gets_no_more_than_it_had(site: Site, wider: dict[str, Any]) -> None:
    client = site.client(challenge=site.challenge().text, extensions=(alternative("a.test"), CLIENT_USE))
    first = client.enroll().certificate
    renewal = client.renewing(first, challenge="", **{"private": client.private} | wider)
    said = renewal.enroll(MessageType.RenewalReq)
    assert (said.fail_info, "the renewal asks for" in said.text) == (FailInfo.badRequest, True)
    assert len(site.ca.requests()) == 1


def test_a_renewal_gets_more_with_a_challenge(site: Site) -> None:
    text = site.challenge().text
    client = site.client(challenge=text, extensions=(alternative("a.test"),))
    first = client.enroll().certificate
    renewal = client.renewing(first, extensions=(alternative("c.test"),))
    assert renewal.enroll(MessageType.RenewalReq).certificate


def test_a_renewal_stays_with_its_template(site: Site) -> None:
    site.serve(ScepSettings(ScepRules(template="ClientAuth")))
    client = site.client(challenge=site.challenge().text)
    first = client.enroll().certificate
    site.serve(ScepSettings(ScepRules(template="WebServer")))
    assert client.renewing(first, challenge="").enroll(MessageType.RenewalReq).certificate
    assert [row.template for row in site.ca.requests()] == ["ClientAuth", "ClientAuth"]


def test_a_renewal_is_signed_by_a_certificate_of_this_ca(site: Site) -> None:
    client = site.client(challenge=site.challenge().text)
    said = client.enroll(MessageType.RenewalReq)
    assert said.fail_info == FailInfo.badMessageCheck
    assert site.ca.requests() == ()


@pytest.mark.parametrize(("spoil", "fail_info"), [
    (lambda site: site.ca.revoke("1"), FailInfo.badRequest),
    (lambda site: site.clock.pass_days(366), FailInfo.badTime),
])
def test_what_is_not_in_force_renews_nothing(site: Site, spoil: Callable[[Site], object], fail_info: int) -> None:
    client = site.client(challenge=site.challenge().text)
    first = client.enroll().certificate
    spoil(site)
    renewal = client.renewing(first)
    assert renewal.enroll(MessageType.RenewalReq).fail_info == fail_info
    assert replace(renewal, challenge="").enroll().status == FAILURE


# Crashes -------------------------------------------------------------------------------------------------------------

SERVER = """
import pathlib, sys
from certenroll.ca.scep.responder import ScepResponder
ScepResponder(pathlib.Path(sys.argv[1])).operate("PKIOperation", pathlib.Path(sys.argv[2]).read_bytes())
"""


def killed_at(folder: Path, message: Path, point: int, log: Path) -> int:
    """A server that answers one message and is killed at a write point, 0 for at none: how many there were."""
    variables = {"XENROLL_FAULT_AT": str(point), "XENROLL_FAULT_LOG": str(log), "PYTHONPATH": str(Path.cwd())}
    line = [sys.executable, "-c", SERVER, str(folder), str(message)]
    done = subprocess.run(line, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (-signal.SIGKILL if point else 0), done.stderr
    return len(log.read_text().splitlines())


def test_wherever_the_server_is_killed_the_request_gets_its_one_certificate(site: Site, tmp_path: Path) -> None:
    client = site.client(challenge=site.challenge(once=True, lifetime=timedelta(days=9)).text)
    message = tmp_path / "message"
    message.write_bytes(client.build(MessageType.PKCSReq, client.request))
    site.ca.close()
    site.responder.close()
    begin = shutil.copytree(site.folder, tmp_path / "begin")
    points = killed_at(Path(shutil.copytree(begin, tmp_path / "whole")), message, 0, tmp_path / "log")
    assert points > 10
    for point in range(1, points + 1):
        again = Site(Path(shutil.copytree(begin, tmp_path / str(point))), site.clock)
        killed_at(again.folder, message, point, tmp_path / f"log {point}")
        client.send = again.send
        assert client.ask(message.read_bytes()).certificate, point
        assert len(again.ca.requests()) == 1, point
