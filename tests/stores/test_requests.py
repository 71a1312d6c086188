"""Records of requests: steps, searches, and what a crash leaves of them."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from certenroll.stores.certificates import MY, REQUEST, CertificateStore
from certenroll.stores.database import Database
from certenroll.stores.errors import IllegalStep, NoSuchRecord
from certenroll.stores.journal import Journal
from certenroll.stores.properties import KeyProviderInfo
from certenroll.stores.requests import RequestRecord, RequestStore
from certenroll.stores.states import STEPS, Event, State
from keystores.base import KeyLocation, Scope
from tests.stores.pki import make

KEY = KeyProviderInfo(
    "container",
    provider_name="Microsoft Platform Crypto Provider",
    store="software",
    scope=Scope.MACHINE,
    asked_location=KeyLocation.TPM_PREFERRED,
    fallback="no TPM",
    reference="/keys/container.pem",
)
CONFIG = "ca.example.com\\Issuing CA"

ROADS: dict[State, tuple[Event, ...]] = {
    State.MADE: (),
    State.SUBMITTING: (Event.SUBMIT,),
    State.PENDING: (Event.SUBMIT, Event.HELD),
    State.ISSUED: (Event.SUBMIT, Event.ANSWERED),
    State.INSTALLED: (Event.ANSWERED, Event.INSTALL),
    State.DENIED: (Event.SUBMIT, Event.DENY),
    State.FAILED: (Event.FAIL,),
    State.REMOVED: (Event.REMOVE,),
}


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "store.db")


@pytest.fixture
def store(database: Database, clock: Clock) -> RequestStore:
    return RequestStore(database, clock)


def brought(store: RequestStore, state: State, **facts: object) -> RequestRecord:
    record = store.begin(KEY, **facts)
    for event in ROADS[state]:
        record = store.advance(record.id, event)
    assert record.state is state
    return record


def test_a_new_record_is_made_and_has_no_answer(store: RequestStore) -> None:
    record = store.begin(KEY, request_type="pkcs10", friendly_name="my name")
    assert (record.state, record.key, record.new_key) == (State.MADE, KEY, True)
    assert (record.public_key, record.request, record.answer) == (None, None, None)
    assert (record.created, record.updated) == (1000, 1000)
    assert store.get(record.id) == record


def test_every_attribute_comes_back_as_it_was_set(store: RequestStore) -> None:
    facts = {
        "new_key": False,
        "public_key": b"spki",
        "request": b"request",
        "request_type": "cmc",
        "certificate_sha1": b"\x01" * 20,
        "ca_config": CONFIG,
        "ca_request_id": "77",
        "status": 0x80094014,
        "message": "Denied, naïvely \N{SNOWMAN}",
        "answer": b"\x00answer",
        "template": "User",
        "friendly_name": "friendly",
        "description": "described",
        "properties": {"write_certificate": "yes", "ключ": "\0"},
    }
    record = store.begin(KEY, **facts)
    read = store.get(record.id)
    assert {name: getattr(read, name) for name in facts} == facts
    assert read.request_hash == hashlib.sha256(b"request").digest()


def test_a_step_changes_state_facts_and_time(store: RequestStore, clock: Clock) -> None:
    record = store.begin(KEY)
    clock.now = 2000.0
    after = store.advance(record.id, Event.HELD, key=replace(KEY, reference="elsewhere"), ca_request_id="7")
    assert (after.state, after.key.reference, after.ca_request_id) == (State.PENDING, "elsewhere", "7")
    assert (after.created, after.updated) == (1000.0, 2000.0)
    assert store.get(record.id) == after


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_an_illegal_step_raises_and_changes_nothing(store: RequestStore, clock: Clock, state: State, event: Event) -> None:
    record = brought(store, state)
    clock.now = 3000.0
    if event in STEPS[state]:
        assert store.advance(record.id, event, message="new").state is STEPS[state][event]
    else:
        with pytest.raises(IllegalStep):
            store.advance(record.id, event, message="new")
        assert store.get(record.id) == record


def test_an_illegal_step_within_a_transaction_spoils_nothing_else(store: RequestStore, database: Database) -> None:
    record = store.begin(KEY)
    with database.transaction():
        other = store.begin(KEY)
        with pytest.raises(IllegalStep):
            store.advance(record.id, Event.INSTALL)
    assert [each.id for each in store.list()] == [other.id, record.id]


@pytest.mark.parametrize("name", ["id", "state", "request_hash", "owner", "created", "updated", "nonsense"])
def test_what_a_record_lacks_or_the_store_sets_cannot_be_set(store: RequestStore, name: str) -> None:
    with pytest.raises(TypeError, match=name):
        store.begin(KEY, **{name: 1})
    record = store.begin(KEY)
    with pytest.raises(TypeError, match=name):
        store.advance(record.id, Event.SUBMIT, **{name: 1})


@pytest.mark.parametrize("state", State)
def test_a_response_meets_only_an_outstanding_request(store: RequestStore, state: State) -> None:
    record = brought(store, state, public_key=b"spki")
    outstanding = state in (State.MADE, State.SUBMITTING, State.PENDING, State.ISSUED)
    assert [each.id for each in store.find_by_public_key(b"spki")] == ([record.id] if outstanding else [])
    assert list(store.find_by_public_key(b"another")) == []


def test_of_two_requests_for_one_key_the_newer_comes_first(store: RequestStore) -> None:
    older, newer = (brought(store, State.MADE, public_key=b"spki") for _ in range(2))
    assert [record.id for record in store.find_by_public_key(b"spki")] == [newer.id, older.id]


def test_a_request_is_found_by_its_bytes_its_certificate_and_its_ca(store: RequestStore) -> None:
    brought(store, State.PENDING, request=b"other", certificate_sha1=b"o" * 20, ca_config="elsewhere\\CA", ca_request_id="5")
    record = brought(store, State.PENDING, request=b"one", certificate_sha1=b"c" * 20, ca_config=CONFIG, ca_request_id="5")
    assert [each.id for each in store.find_by_request(hashlib.sha256(b"one").digest())] == [record.id]
    assert store.find_by_certificate(b"c" * 20) == record
    assert store.find_by_ca_request_id("5")[0] == record
    assert store.find_by_certificate(b"x" * 20) is None
    assert list(store.find_by_ca_request_id("6")) == []


@pytest.mark.parametrize("state", State)
def test_the_requests_of_a_cas_id_are_found_in_every_state_the_newest_first(store: RequestStore, state: State) -> None:
    older, newer = (brought(store, state, ca_request_id="5") for _ in range(2))
    brought(store, state, ca_request_id="55")
    assert [each.id for each in store.find_by_ca_request_id("5")] == [newer.id, older.id]


def test_a_cas_id_is_looked_up_in_an_index(store: RequestStore, database: Database) -> None:
    brought(store, State.PENDING, ca_request_id="5")
    plan = database.query("EXPLAIN QUERY PLAN SELECT * FROM requests WHERE ca_request_id = ? ORDER BY id DESC", ("5",))
    assert "requests_by_ca" in str([tuple(row) for row in plan])


def test_a_list_is_of_the_states_asked_for(store: RequestStore) -> None:
    made, pending = brought(store, State.MADE), brought(store, State.PENDING)
    assert [record.id for record in store.list()] == [pending.id, made.id]
    assert [record.id for record in store.list([State.MADE, State.DENIED])] == [made.id]
    assert list(store.list([])) == []


@pytest.mark.parametrize("state", State)
def test_a_record_can_be_removed_in_any_state_and_its_id_is_not_given_again(store: RequestStore, state: State) -> None:
    record = brought(store, state)
    store.remove(record.id)
    with pytest.raises(NoSuchRecord) as caught:
        store.get(record.id)
    assert caught.value.hresult == 0x80092004
    assert store.begin(KEY).id > record.id


@pytest.mark.parametrize("act", [RequestStore.get, RequestStore.remove, lambda store, id_: store.advance(id_, Event.FAIL)])
def test_a_record_that_is_not_there_is_not_found(store: RequestStore, act: Callable[[RequestStore, int], object]) -> None:
    with pytest.raises(NoSuchRecord):
        act(store, 7)


def test_a_record_shows_no_answer_and_no_request_in_its_repr(store: RequestStore) -> None:
    assert "topsecret" not in repr(store.begin(KEY, answer=b"topsecret", request=b"topsecret"))


def test_a_record_is_abandoned_only_when_the_process_in_charge_is_gone(store: RequestStore, database: Database) -> None:
    assert not store.begin(KEY).abandoned
    child = os.fork()
    if child == 0:
        store.begin(KEY, message="the child's")
        Journal(database).begin("the child's", {})
        os._exit(0)
    os.waitpid(child, 0)
    childs, own = store.list()
    assert (childs.message, childs.abandoned, own.abandoned) == ("the child's", True, False)
    assert [intent.abandoned for intent in Journal(database).unconfirmed()] == [True]


def test_of_several_that_would_adopt_a_record_one_does(store: RequestStore) -> None:
    child = os.fork()
    if child == 0:
        store.begin(KEY)
        os._exit(0)
    os.waitpid(child, 0)
    (seen,) = store.list()
    assert [store.adopt(seen) for _ in range(3)] == [True, False, False]
    assert not store.get(seen.id).abandoned
    assert store.adopt(store.get(seen.id))  # one's own is one's own


def test_a_record_that_has_moved_on_is_not_adopted(store: RequestStore) -> None:
    seen = store.begin(KEY)
    store.advance(seen.id, Event.SUBMIT)
    assert not store.adopt(seen)


LIFE = """
import sys
from pathlib import Path
from certenroll.stores.certificates import CertificateStore
from certenroll.stores.database import Database
from certenroll.stores.properties import KeyProviderInfo
from certenroll.stores.requests import RequestStore
from certenroll.stores.states import Event
database = Database(Path(sys.argv[1]))
requests, certificates = RequestStore(database), CertificateStore(database)
der = bytes.fromhex(sys.argv[2])
with database.transaction():
    certificates.add("REQUEST", der)
    record = requests.begin(KeyProviderInfo("container"), public_key=b"spki", request=b"request")
requests.advance(record.id, Event.SUBMIT)
requests.advance(record.id, Event.ANSWERED, answer=b"answer")
with database.transaction():
    sha1 = next(certificates.list("REQUEST")).sha1
    certificates.add("MY", der, {2: b"key"})
    certificates.remove("REQUEST", sha1)
    requests.advance(record.id, Event.INSTALL, answer=None)
"""


def test_a_kill_at_any_point_of_a_requests_life_leaves_a_state_of_the_table(tmp_path: Path) -> None:
    der = make("leaf").der.hex()
    seen = []
    for point in range(1, 11):
        path = tmp_path / f"{point}.db"
        done = subprocess.run(
            [sys.executable, "-c", LIFE, str(path), der], env=os.environ | {"XENROLL_FAULT_AT": str(point)}, check=False
        )
        assert done.returncode == -signal.SIGKILL
        database = Database(path)
        records, certificates = RequestStore(database).list(), CertificateStore(database)
        state = records[0].state if records else None
        seen.append(state)
        assert certificates.count(REQUEST) == (state in (State.MADE, State.SUBMITTING, State.ISSUED))
        assert certificates.count(MY) == (state is State.INSTALLED)
        assert not records or (records[0].answer == b"answer") == (state is State.ISSUED)
        assert all(record.abandoned for record in records)
    # The schema is the first commit; a step is there from the point after its commit on.
    order = [State.MADE, State.SUBMITTING, State.ISSUED, State.INSTALLED]
    assert seen == [None, None, None, *[state for state in order[:-1] for _ in range(2)], State.INSTALLED]
