"""Commands answered: the status codes of Add, Replace, Delete, Get, Atomic, Sequence and Alert. Nothing is enrolled here."""

from __future__ import annotations

from pathlib import Path

import pytest

from certenroll.mdm.model import Command, Header, Item, Message, Result, Status, Verb
from certenroll.mdm.session import Session
from tests.support.enrolling import laid_open

SCEP = "./Device/Vendor/MSFT/ClientCertificateInstall/SCEP"
ONE = f"{SCEP}/One"


def command(name: str, uri: str = "", kind: str | None = None, data: str | None = None, ref: str = "1") -> Command:
    verb = Verb(name) if name in {one.value for one in Verb} else None
    return Command(name, verb, ref, (Item(uri, kind, None, data),) if uri else ())


def block(name: str, *children: Command) -> Command:
    return Command(name, Verb(name), "9", children=children)


def answers(*commands: Command, check: bool = False) -> list[Status | Result]:
    return list(Session(check=check).apply(Message(None, commands)).answers)


def codes(*commands: Command, check: bool = False) -> list[int]:
    return [int(one.code) for one in answers(*commands, check=check) if isinstance(one, Status)]


def data_of(uri: str) -> str:
    (found,) = [one for one in answers(command("Get", uri)) if isinstance(one, Result)]
    return found.data


ADD = command("Add", f"{ONE}/Install/RetryCount", "int", "7")


def test_an_added_leaf_is_read_back_and_those_above_it_are_made(home: Path) -> None:
    assert codes(ADD) == [200]
    assert data_of(f"{ONE}/Install/RetryCount") == "7"
    assert data_of(SCEP) == "One"
    assert data_of(f"{ONE}/Install") == "RetryCount"
    assert data_of(ONE) == "CertThumbprint/ErrorCode/Install/RespondentServerUrl/Status"


def test_an_identifier_is_written_as_a_uri_where_children_are_listed(home: Path) -> None:
    answers(command("Add", f"{SCEP}/%7BA%20b%7D", "node"))
    assert data_of(SCEP) == "%7BA%20b%7D"
    assert codes(command("Get", f"{SCEP}/{data_of(SCEP)}")) == [200]


def test_names_match_without_regard_to_case(home: Path) -> None:
    answers(ADD)
    assert data_of(f"{SCEP.lower()}/oNE/install/retrycount") == "7"


def test_the_two_profiles_are_apart(home: Path) -> None:
    answers(ADD)
    assert codes(command("Get", ONE.replace("./Device", "./User"))) == [404]
    assert codes(command("Get", ONE.replace("./Device", "."))) == [200]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (command("Add", f"{ONE}/Install/RetryCount", "int", "8"), 418),
        (command("Add", f"{ONE}/Install/KeyLength", "int", "1000"), 400),
        (command("Add", f"{ONE}/Install/RetryDelay", "int", "soon"), 400),
        (command("Add", f"{ONE}/Install/RetryDelay", "bool", "1"), 415),
        (command("Add", f"{ONE}/Install/RetryDelay", "node"), 415),
        (command("Add", f"{SCEP}/Two", "chr", "x"), 415),
        (command("Add", f"{SCEP}/Two", "node", "x"), 400),
        (command("Add", f"{ONE}/Status", "int", "1"), 405),
        (command("Add", f"{ONE}/Install/Enroll", "null"), 405),
        (command("Add", SCEP, "node"), 405),
        (command("Add", f"{ONE}/Install/Other", "chr", "x"), 404),
        (command("Add", "./Vendor/MSFT/Policy/x", "chr", "x"), 404),
        (command("Replace", f"{ONE}/Install/KeyLength", "int", "2048"), 404),
        (command("Replace", f"{ONE}/Install/RetryCount", "int", "-1"), 400),
        (command("Delete", f"{SCEP}/Two"), 404),
        (command("Delete", f"{ONE}/CertThumbprint"), 405),
        (command("Delete", SCEP), 405),
        (command("Get", f"{ONE}/Install/KeyLength"), 404),
        (command("Get", f"{ONE}/Install/Enroll"), 405),
        (command("Get", f"{SCEP}/Two/Status"), 404),
        (command("Exec", f"{ONE}/Install/RetryCount"), 405),
        (command("Get", f"{SCEP}?list=StructData"), 406),
        (command("Add", f"{SCEP}/%FF", "node"), 400),
        (command("Add"), 400),
        (command("Copy", f"{ONE}/Install/RetryCount"), 400),
        (Command("Add", Verb.ADD, None, ADD.items), 400),
        (Command("Add", Verb.ADD, "1", ADD.items, wrong="two Data elements"), 400),
    ],
)
def test_a_wrong_command_has_its_code_and_changes_nothing(wrong: Command, code: int, home: Path) -> None:
    answers(ADD)
    before = laid_open(home / "machine")
    assert codes(wrong) == [code]
    assert laid_open(home / "machine") == before


def test_a_replaced_leaf_has_its_new_value(home: Path) -> None:
    assert codes(ADD, command("Replace", f"{ONE}/Install/RetryCount", "int", "8")) == [200, 200]
    assert data_of(f"{ONE}/Install/RetryCount") == "8"


def test_a_leaf_may_be_called_chr_whatever_it_is(home: Path) -> None:
    assert codes(command("Add", f"{ONE}/Install/RetryCount", "chr", "7")) == [200]


def test_each_item_of_a_command_has_its_own_status(home: Path) -> None:
    items = (Item(f"{ONE}/Install/RetryCount", "int", None, "7"), Item(f"{ONE}/Install/KeyLength", "int", None, "7"))
    found = [one for one in answers(Command("Add", Verb.ADD, "4", items)) if isinstance(one, Status)]
    assert [(one.command_ref, one.code, one.target) for one in found] == [
        ("4", 200, items[0].target),
        ("4", 400, items[1].target),
    ]


def test_what_is_deleted_is_gone_with_all_below_it(home: Path) -> None:
    other = command("Add", f"{SCEP}/One0/Install/RetryCount", "int", "1")
    assert codes(ADD, other, command("Delete", f"{ONE}/Install")) == [200, 200, 200]
    assert codes(command("Get", f"{ONE}/Install/RetryCount"), command("Get", ONE)) == [404, 200]
    assert data_of(f"{SCEP}/One0/Install/RetryCount") == "1"


# Atomic --------------------------------------------------------------------------------------------------------------


def test_an_atomic_is_answered_once_for_itself_and_once_for_each_command(home: Path) -> None:
    length = command("Add", f"{ONE}/Install/KeyLength", "int", "2048", ref="2")
    found = [one for one in answers(block("Atomic", ADD, length)) if isinstance(one, Status)]
    expected = [("Atomic", "9", 200), ("Add", "1", 200), ("Add", "2", 200)]
    assert [(one.command, one.command_ref, one.code) for one in found] == expected


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        ((ADD, command("Add", f"{ONE}/Status", "int", "1"), ADD), [507, 216, 405, 215]),
        ((ADD, ADD), [507, 216, 418]),
        ((ADD, command("Replace", f"{ONE}/Install/RetryCount", "int", "8")), [507, 216, 500]),
        ((ADD, command("Get", ONE)), [507, 216, 500]),
        ((ADD, block("Atomic", ADD), ADD), [507, 216, 500, 215, 215]),
        ((ADD, command("Add", f"{ONE}/Install/KeyLength".replace("./Device", "./User"), "int", "2048")), [507, 216, 406]),
        ((ADD, command("Copy", ONE)), [507, 216, 400]),
        ((ADD, command("Exec", f"{ONE}/Install")), [507, 216, 405]),
        ((command("Add", "./Vendor/MSFT/Policy/x"), ADD), [507, 404, 215]),
    ],
)
def test_an_atomic_with_a_wrong_command_leaves_nothing(
    children: tuple[Command, ...], expected: list[int], home: Path
) -> None:
    answers(command("Add", f"{SCEP}/Before", "node"))
    before = laid_open(home / "machine")
    assert codes(block("Atomic", *children)) == expected
    assert laid_open(home / "machine") == before


def test_a_node_may_be_deleted_and_added_anew_within_an_atomic(home: Path) -> None:
    answers(ADD, command("Add", f"{ONE}/Install/KeyLength", "int", "2048"))
    anew = command("Add", f"{ONE}/Install/RetryCount", "int", "9")
    assert codes(block("Atomic", command("Delete", ONE), anew)) == [200, 200, 200]
    assert data_of(f"{ONE}/Install/RetryCount") == "9"
    assert codes(command("Get", f"{ONE}/Install/KeyLength")) == [404]


def test_an_alert_within_an_atomic_is_no_change(home: Path) -> None:
    alert = Command("Alert", Verb.ALERT, "2", data="1224")
    assert codes(block("Atomic", ADD, alert)) == [200, 200, 200]


def test_a_block_that_cannot_be_carried_out_has_a_status_for_each_command_in_it(home: Path) -> None:
    assert codes(Command("Atomic", Verb.ATOMIC, None, children=(ADD, block("Sequence", ADD)))) == [400, 215, 215, 215]


def test_a_blob_may_be_called_b64(home: Path) -> None:
    blob = f"{SCEP.replace('SCEP', 'PFXCertInstall')}/One/PFXCertBlob"
    assert codes(command("Add", blob, "b64", "AAAA"), check=True) == [500]


def test_identifiers_that_differ_are_apart(home: Path) -> None:
    assert codes(command("Add", f"{SCEP}/stra%C3%9Fe", "node"), command("Add", f"{SCEP}/STRASSE", "node")) == [200, 200]


def test_a_profile_that_cannot_be_opened_is_the_answer_of_its_commands_alone(home: Path) -> None:
    (home / "machine").mkdir()
    (home / "machine").chmod(0o777)
    user = command("Add", f"{ONE}/Install/RetryCount".replace("./Device", "./User"), "int", "7")
    assert codes(ADD, user, command("Get", ONE), block("Atomic", ADD)) == [425, 200, 425, 507, 425]


# Sequence, Alert, Status ---------------------------------------------------------------------------------------------


def test_the_commands_of_a_sequence_stand_alone(home: Path) -> None:
    wrong = command("Add", f"{ONE}/Status", "int", "1")
    assert codes(block("Sequence", ADD, wrong, block("Atomic", command("Delete", ONE)))) == [200, 200, 405, 200, 200]


@pytest.mark.parametrize(("data", "code"), [("1201", 200), ("1224", 200), (" 1226 ", 200), ("1999", 406), (None, 406)])
def test_an_alert_that_is_known_is_answered(data: str | None, code: int, home: Path) -> None:
    assert codes(Command("Alert", Verb.ALERT, "2", data=data)) == [code]


def test_what_the_server_says_of_earlier_commands_is_not_answered(home: Path) -> None:
    assert answers(Command("Status", Verb.STATUS, None), Command("Results", Verb.RESULTS, "3")) == []


def test_the_header_has_a_status_of_its_own(home: Path) -> None:
    reply = Session().apply(Message(Header("1", "2", "here", "there"), (ADD,)))
    assert [(one.command, one.command_ref, one.code) for one in reply.answers if isinstance(one, Status)] == [
        ("SyncHdr", "0", 200),
        ("Add", "1", 200),
    ]
    assert reply.header == Header("1", "2", "here", "there")


# Check ---------------------------------------------------------------------------------------------------------------


def test_a_check_says_what_would_be_refused_and_changes_nothing(home: Path) -> None:
    answers(command("Add", f"{SCEP}/Before", "node"))
    before = laid_open(home / "machine")
    wrong = command("Add", f"{ONE}/Install/KeyLength", "int", "1")
    read = command("Get", f"{ONE}/Install/RetryCount")
    assert codes(ADD, read, ADD, wrong, command("Delete", ONE), read, check=True) == [200, 200, 418, 400, 200, 404]
    assert laid_open(home / "machine") == before


def test_a_check_gives_a_reason(home: Path) -> None:
    (found,) = answers(command("Add", f"{ONE}/Install/KeyLength", "int", "1"), check=True)
    assert isinstance(found, Status)
    assert "KeyLength" in found.reason


def test_a_value_stands_in_no_repr() -> None:
    assert "hunter2" not in repr(command("Add", f"{ONE}/Install/Challenge", "chr", "hunter2"))
