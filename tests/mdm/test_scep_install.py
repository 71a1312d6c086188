"""Exec of Enroll and Delete of a unique id: what they freeze, refuse and take away, and what the computed nodes tell."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from certenroll.asn1 import pkcs10
from certenroll.mdm.model import Command
from certenroll.mdm.scep_records import LEFT_BEHIND
from certenroll.mdm.session import Session
from certenroll.stores.certificates import MY, ROOT
from certenroll.stores.mdm_instances import InstanceStore
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from keystores.base import Scope
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    A_REQUEST,
    CHALLENGE,
    NOTHING,
    Placed,
    Runs,
    adds,
    atomic,
    codes,
    command,
    execute,
    left_over,
    nobody,
    order,
    settings,
    statuses,
    told,
    uri,
    value,
)  # fmt: skip
from tests.support.scep_enrolling import sha1
from tests.support.scep_responder import PENDING, SUCCESS, ScepResponder

SMALL = {"KeyLength": "1024"}


# Exec ----------------------------------------------------------------------------------------------------------------


def test_an_order_is_answered_at_once_and_nothing_is_sent(home: Path) -> None:
    with ScepResponder() as server:
        order(settings(server))
        assert server.paths == []
    assert told() == ("32", 0, "", "")
    assert left_over() == NOTHING


def test_before_an_order_status_is_unknown(home: Path) -> None:
    assert codes(*adds(settings(nobody()))) == [200] * 8
    assert told() == ("32", 0, "", "")


def test_the_commands_may_come_one_by_one(home: Path) -> None:
    assert codes(*adds(settings(nobody())), execute()) == [200] * 9
    assert Runs().enrollment().settings.subject == "CN=leaf"


def test_an_exec_may_stand_before_its_settings_in_an_atomic(home: Path) -> None:
    assert codes(atomic(execute(), *adds(settings(nobody())))) == [200] * 10


def test_the_challenge_leaves_the_tree_with_the_order(home: Path) -> None:
    order(settings(nobody()))
    assert codes(command("Get", "one/Install/Challenge")) == [404]
    assert Runs().enrollment().settings.challenge == CHALLENGE
    assert codes(command("Add", "one/Install/Challenge", "another")) == [200]


def test_another_exec_wants_another_challenge(home: Path) -> None:
    order(settings(nobody()))
    (found,) = statuses(execute())
    assert (found.code, "Install/Challenge" in found.reason) == (500, True)


def test_an_order_that_is_sent_anew_adds_its_challenge_and_replaces_the_rest(home: Path) -> None:
    """Exec took Challenge away: a Replace of it finds nothing, and an Atomic that has one is taken back."""
    nodes = settings(nobody(), SubjectName="CN=second")
    order(settings(nobody()))
    replaces = [command("Replace", f"one/Install/{node}", text) for node, text in nodes.items()]
    found = codes(atomic(*replaces, execute()))
    assert (found[0], found[1 + list(nodes).index("Challenge")]) == (507, 404)
    assert Runs().enrollment().settings.subject == "CN=leaf"
    anew = (command("Add", "one/Install/Challenge", CHALLENGE), *without_challenge(replaces))
    assert set(codes(atomic(*anew, execute()))) == {200}
    assert Runs().enrollment().settings.subject == "CN=second"


def without_challenge(commands: list[Command]) -> list[Command]:
    return [one for one in commands if not one.items[0].target.endswith("/Challenge")]


def test_an_exec_that_is_refused_begins_nothing_and_takes_nothing(home: Path) -> None:
    assert codes(*adds(settings(nobody(), EKUMapping=None))) == [200] * 7
    (found,) = statuses(execute())
    assert (found.code, found.target, "Install/EKUMapping" in found.reason) == (500, uri("one/Install/Enroll"), True)
    assert value("Install/Challenge") == CHALLENGE
    assert Runs()() == []


def test_an_exec_of_an_id_that_is_not_there_is_404(home: Path) -> None:
    assert codes(execute("nobody")) == [404]


def test_a_refused_exec_takes_its_atomic_back(home: Path) -> None:
    found = codes(atomic(*adds(settings(nobody(), KeyUsage="64")), execute()))
    assert found == [507, *[216] * 8, 500]
    assert codes(command("Get", "one")) == [404]


def test_a_check_says_what_a_second_exec_would_be_told(home: Path) -> None:
    from certenroll.mdm.model import Message, Status

    commands = (*adds(settings(nobody())), execute(), execute())
    found = Session(check=True).apply(Message(None, commands)).answers
    assert [int(one.code) for one in found if isinstance(one, Status)] == [*[200] * 9, 500]
    assert Runs()() == []


def test_what_changes_in_the_tree_afterwards_does_not_reach_the_enrollment(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        changes = [command("Replace", "one/Install/SubjectName", "CN=other"), command("Delete", "one/Install/ServerURL")]
        assert codes(*changes) == [200, 200]
        assert runs.states() == ["installed"]
        assert pkcs10.decode(server.asked[0].content).subject == _subject("leaf")


def _subject(name: str) -> bytes:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]).public_bytes()


def test_deleting_the_install_node_leaves_the_enrollment(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        assert codes(command("Delete", "one/Install")) == [200]
        assert runs.states() == ["installed"]


def test_the_profiles_enroll_apart(home: Path) -> None:
    with ScepResponder() as server:
        user, machine = Runs(), Runs(scope=Scope.MACHINE)
        order(settings(server, **SMALL), scope=Scope.MACHINE)
        assert user() == []
        assert machine.states() == ["installed"]
    assert (left_over(), left_over(Scope.MACHINE)) == (NOTHING, A_CERTIFICATE)
    assert value("Status", scope=Scope.MACHINE) == "1"


def test_ids_differ_by_more_than_case(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL), "One")
        assert codes(execute("ONE")) == [500]
        assert [one.name for one in runs()] == ["One"]
        assert value("Status", "oNE") == "1"


def test_the_challenge_is_in_the_database_no_more_when_the_server_has_answered(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        server.reply_with(PENDING, SUCCESS)
        order(settings(server, **SMALL))
        assert runs.states() == ["pending"]
    with sqlite3.connect(f"file:{home / 'store.db'}?mode=ro", uri=True) as connection:
        rows = "\n".join(connection.iterdump())
    connection.close()
    assert CHALLENGE not in rows
    assert CHALLENGE.encode().hex().upper() not in rows
    assert runs.enrollment().settings.challenge == ""


# A second Exec -------------------------------------------------------------------------------------------------------


def again() -> None:
    assert codes(command("Add", "one/Install/Challenge", CHALLENGE), execute()) == [200, 200]


def test_a_second_exec_gives_up_what_is_pending(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        server.reply_with(PENDING)
        order(settings(server, **SMALL))
        assert runs.states() == ["pending"]
        first = runs.enrollment().transaction
        assert left_over() == A_REQUEST
        again()
        assert (left_over(), value("Status")) == (NOTHING, "32")
        server.reply_with(SUCCESS)
        assert runs.states() == ["installed"]
        assert [one.message.transaction_id == first for one in server.asked] == [True, False]
    assert left_over() == A_CERTIFICATE


def test_a_second_exec_replaces_what_is_installed_once_the_new_one_is(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        runs()
        first = value("CertThumbprint")
        again()
        assert (value("CertThumbprint"), value("Status"), left_over()) == (first, "32", A_CERTIFICATE)
        server.reply_with(PENDING, SUCCESS)
        assert runs.states() == ["pending"]
        assert value("CertThumbprint") == first
        assert runs.states(after=5) == ["installed"]
    assert value("CertThumbprint") not in ("", first)
    assert left_over() == A_CERTIFICATE


def test_a_second_exec_that_fails_leaves_what_is_installed(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        runs()
        first = value("CertThumbprint")
        assert codes(command("Replace", "one/Install/CAThumbprint", "11" * 20)) == [200]
        again()
        assert runs.states() == ["failed"]
    assert (value("Status"), value("CertThumbprint"), left_over()) == ("16", first, A_CERTIFICATE)


def test_a_second_exec_while_a_server_is_asked_keeps_the_second_enrollment_alone(home: Path) -> None:
    with Placed() as server:
        runs = Runs()
        calls: list[int] = []

        def meanwhile() -> None:
            if not calls:
                calls.append(1)
                again()

        server.on_operation = meanwhile
        order(settings(server, **SMALL))
        assert runs() == []
        assert (left_over(), runs.enrollment().state.value) == (NOTHING, "accepted")
        assert InstanceStore(runs.workspace.profile.database).every(LEFT_BEHIND) == []
        assert runs.states() == ["installed"]
        assert len({one.message.transaction_id for one in server.asked}) == 2
    assert left_over() == A_CERTIFICATE


# Delete --------------------------------------------------------------------------------------------------------------


def gone() -> None:
    assert codes(command("Delete", "one")) == [200]
    assert codes(command("Get", "one"), command("Get", "one/Status")) == [404, 404]
    assert left_over() == NOTHING


def test_a_delete_before_the_first_run_cancels(home: Path) -> None:
    order(settings(nobody()))
    gone()
    assert Runs()() == []


def test_a_delete_cancels_what_is_pending(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        server.reply_with(PENDING)
        order(settings(server, **SMALL))
        runs()
        assert left_over() == A_REQUEST
        gone()
        assert runs(after=60) == []
        assert len(server.asked) == 1


def test_a_delete_removes_certificate_and_key(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        runs()
        assert left_over() == A_CERTIFICATE
        gone()
        assert runs(after=timedelta(days=90)) == []
        assert runs.workspace.certificates.count(ROOT) == 1


def test_a_delete_while_a_server_is_asked_leaves_nothing(home: Path) -> None:
    with Placed() as server:
        runs = Runs()
        server.on_operation = lambda: codes(command("Delete", "one"))
        order(settings(server, **SMALL))
        assert runs() == []
    assert (left_over(), InstanceStore(runs.workspace.profile.database).every(LEFT_BEHIND)) == (NOTHING, [])


def test_a_delete_and_an_order_may_stand_in_one_atomic(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        runs()
        first = value("CertThumbprint")
        wanted = settings(server, KeyLength="1024", SubjectName="CN=second")
        assert set(codes(atomic(command("Delete", "one"), *adds(wanted), execute()))) == {200}
        assert left_over() == NOTHING
        assert runs.states() == ["installed"]
    assert value("CertThumbprint") not in ("", first)
    assert left_over() == A_CERTIFICATE


def test_a_delete_of_an_instance_leaves_another_one(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        order(settings(server, **SMALL), "two")
        assert runs.states() == ["installed", "installed"]
        codes(command("Delete", "one"))
    assert left_over() == A_CERTIFICATE
    assert value("Status", "two") == "1"


def test_an_instance_that_comes_again_begins_anew(home: Path) -> None:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        runs()
        gone()
        codes(command("Add", "one"))
        assert told() == ("32", 0, "", "")


# CertThumbprint ------------------------------------------------------------------------------------------------------


@pytest.fixture
def installed(home: Path) -> Runs:
    with ScepResponder() as server:
        runs = Runs()
        order(settings(server, **SMALL))
        assert runs.states() == ["installed"]
        assert value("CertThumbprint") == runs.enrollment().thumbprint.upper()
        assert value("certthumbPRINT") == runs.enrollment().thumbprint.upper()
        runs.workspace.certificates.get(MY, sha1(server.ca.der))
    return runs


def test_the_thumbprint_is_empty_once_the_certificate_has_expired(installed: Runs) -> None:
    installed.now += timedelta(days=101)
    assert (value("CertThumbprint"), value("Status")) == ("", "1")


def test_the_thumbprint_is_empty_where_the_chain_is_broken(installed: Runs) -> None:
    certificates = installed.workspace.certificates
    for root in list(certificates.list(ROOT)):
        certificates.remove(ROOT, root.sha1)
    assert value("CertThumbprint") == ""


def test_the_thumbprint_is_empty_where_the_key_is_gone(installed: Runs) -> None:
    (found,) = installed.workspace.certificates.list(MY)
    info = decode_key_info(found.properties[KEY_PROV_INFO])
    installed.workspace.key_stores.delete(info.store, info.container)
    assert value("CertThumbprint") == ""


def test_the_thumbprint_is_empty_where_the_certificate_is_gone(installed: Runs) -> None:
    installed.workspace.certificates.remove(MY, bytes.fromhex(installed.enrollment().thumbprint))
    assert value("CertThumbprint") == ""
    gone_key = codes(command("Delete", "one"))
    assert (gone_key, left_over()) == ([200], NOTHING)
