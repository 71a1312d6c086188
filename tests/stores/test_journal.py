"""The journal of intents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from certenroll.stores.database import Database
from certenroll.stores.errors import NoSuchRecord
from certenroll.stores.journal import Journal
from certenroll.stores.owners import current, is_gone


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Database(tmp_path / "store.db"), lambda: 5.0)


def test_an_intent_is_there_until_it_is_confirmed(journal: Journal) -> None:
    first = journal.begin("delete-key", {"container": "a", "note": "ключ"})
    second = journal.begin("write-certificate", {})
    assert [(each.id, each.kind, each.created) for each in journal.unconfirmed()] == [
        (first, "delete-key", 5.0),
        (second, "write-certificate", 5.0),
    ]
    assert journal.unconfirmed()[0].payload == {"container": "a", "note": "ключ"}
    journal.confirm(first)
    assert [each.id for each in journal.unconfirmed()] == [second]


def test_an_intent_cannot_be_confirmed_twice(journal: Journal) -> None:
    number = journal.begin("delete-key", {})
    journal.confirm(number)
    with pytest.raises(NoSuchRecord):
        journal.confirm(number)


def test_this_process_is_not_gone_and_a_number_given_again_is_another_process() -> None:
    name = current()
    assert not is_gone(name)
    boot, namespace, process, _ = name.split(" ")
    assert is_gone(f"{boot} {namespace} {process} 1")
    assert is_gone(f"another-boot {namespace} {process} 1")
    assert is_gone("")


def test_a_process_of_another_container_counts_as_running() -> None:
    boot, _, process, began = current().split(" ")
    assert not is_gone(f"{boot} 1 {process} {began}")


def begun_elsewhere(journal: Journal) -> None:
    """Begins an intent in a process that has ended since."""
    child = os.fork()
    if child == 0:
        journal.begin("delete-key", {})
        os._exit(0)
    os.waitpid(child, 0)


def test_of_several_that_would_adopt_an_intent_one_does(journal: Journal) -> None:
    begun_elsewhere(journal)
    (seen,) = journal.unconfirmed()
    assert [journal.adopt(seen) for _ in range(3)] == [True, False, False]
    (now,) = journal.unconfirmed()
    assert (now.owner, now.abandoned) == (current(), False)


def test_an_intent_of_a_living_process_is_not_adopted_until_it_is_released(journal: Journal) -> None:
    number = journal.begin("delete-key", {})
    (seen,) = journal.unconfirmed()
    assert not journal.adopt(seen)
    journal.release(number)
    (released,) = journal.unconfirmed()
    assert journal.adopt(released)
