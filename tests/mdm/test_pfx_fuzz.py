"""Damaged messages that install PFXs, each applied: a typed answer, and what is there afterwards belongs together.

One profile takes them all, so each meets what those before it have left. The ordinary run takes a sample;
`pytest -m exhaustive tests/mdm/test_pfx_fuzz.py` takes 4 000 messages.
"""

from __future__ import annotations

import base64
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from certenroll import facade
from certenroll.asn1.certificates import read_certificate
from certenroll.engine.opening import open_workspace
from certenroll.mdm.model import Code, Command, Message, Result, Status, Verb
from certenroll.mdm.nodes import PFX
from certenroll.mdm.session import Session
from certenroll.stores.mdm_instances import InstanceStore
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import PASSWORD, adds, assert_empty, atomic, authorities, change, leaf, pfx_of, rsa_key
from tests.mdm.test_pfx_vectors import bundle
from tests.stores.pki import make
from tests.support.profiles import orphans, rows

INSTANCES = ("One", "Two", "Three")
CLEAR = ("-nomac", "-keypbe", "NONE", "-certpbe", "NONE")  # nothing stands between the damage and what it hits
VALUES: dict[str, tuple[str, ...]] = {
    "KeyLocation": ("1", "2", "3", "3", "4", "0", "-1", "99999999999", "x", ""),
    "PFXCertPassword": (PASSWORD, "", "another", "x" * 5000, "\u202e\U0001f600"),
    "PFXKeyExportable": ("true", "false", "maybe", ""),
    "PFXCertPasswordEncryptionType": ("0", "1", "2", "3", "-"),
    "PFXCertPasswordEncryptionStore": ("My", "MDM", "../x", ""),
    "ContainerName": ("web", "", "../../x", "a" * 600),
    "PFXCertBlob": ("", "AAAA", "no base64", "MAA="),
    "Thumbprint": ("00",),
}
Mutation = Callable[[random.Random, list[Command]], list[Command]]


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """PFXs: two keys, one of them renewed, one self-signed, and two that lie open."""
    one, two = leaf("one"), leaf("two", rsa_key("fuzzed"))
    again = make("one again", authorities()[1], private=one.key)
    closed = [*map(pfx_of, (one, two, again)), pfx_of(make("alone"), chain=False)]
    folder = tmp_path_factory.mktemp("clear")
    return closed + [bundle(folder / str(number), made).openssl(*CLEAR) for number, made in enumerate((one, two))]


# Damage --------------------------------------------------------------------------------------------------------------


def damaged(chance: random.Random, blob: bytes) -> bytes:
    """A PFX cut off, with octets changed, or with a piece of it doubled."""
    data, at = bytearray(blob), chance.randrange(len(blob))
    match chance.randrange(4):
        case 0:
            return bytes(data[:at])
        case 1:
            data[at:at] = data[at : at + chance.randrange(40)]
        case _:
            for _ in range(chance.choice((1, 1, 1, 4))):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def with_data(command: Command, data: str) -> Command:
    return replace(command, items=(replace(command.items[0], data=data),))


def other_blob(chance: random.Random, commands: list[Command]) -> list[Command]:
    """The PFX damaged within its base64."""

    def of(command: Command) -> Command:
        text = command.items[0].data or ""
        if not command.items[0].target.endswith("PFXCertBlob") or not text.strip("="):
            return command
        try:
            blob = base64.b64decode(text, validate=True)
        except ValueError:
            return command
        return with_data(command, base64.b64encode(damaged(chance, blob)).decode())

    return [of(one) for one in commands]


def other_value(chance: random.Random, commands: list[Command]) -> list[Command]:
    """A node with another value, in addition or instead."""
    node = chance.choice(list(VALUES))
    extra = change(chance.choice(("Add", "Replace")), node, chance.choice(VALUES[node]), chance.choice(INSTANCES))
    at = chance.randrange(len(commands) + 1)
    kept = commands if chance.random() < 0.3 else [one for one in commands if not one.items[0].target.endswith(node)]
    return [*kept[:at], extra, *kept[at:]]


def other_verb(chance: random.Random, commands: list[Command]) -> list[Command]:
    verb = chance.choice((Verb.ADD, Verb.REPLACE, Verb.DELETE, Verb.GET, Verb.EXEC, None))
    at = chance.randrange(len(commands) + 1)
    name = verb.value if verb is not None else "Copy"
    return [replace(one, name=name, verb=verb) if number == at else one for number, one in enumerate(commands)]


def drop(chance: random.Random, commands: list[Command]) -> list[Command]:
    at = chance.randrange(len(commands) + 1)
    return commands[:at] + commands[at + 1 :]


def deletion(chance: random.Random, commands: list[Command]) -> list[Command]:
    """A Delete of an instance, or of one of its nodes, somewhere."""
    at = chance.randrange(len(commands) + 1)
    gone = change("Delete", chance.choice(("", "", *VALUES)), None, chance.choice(INSTANCES))
    return [*commands[:at], gone, *commands[at:]]


def mixed(chance: random.Random, commands: list[Command]) -> list[Command]:
    return chance.sample(commands, len(commands))


MUTATIONS: Sequence[Mutation] = (other_blob, other_blob, other_value, other_value, other_verb, drop, deletion, mixed)


def messages(seed: int, count: int, blobs: Sequence[bytes]) -> Iterator[Message]:
    chance = random.Random(seed)
    for _ in range(count):
        commands: list[Command] = []
        for instance in chance.sample(INSTANCES, chance.choice((1, 1, 2))):
            new = adds(chance.choice(blobs), 3, instance, PFXKeyExportable=chance.choice((None, "true", "false")))
            verb = chance.choice((Verb.ADD, Verb.REPLACE))
            commands += [replace(one, name=verb.value, verb=verb) for one in new]
        for _ in range(chance.choice((0, 1, 1, 2, 4))):
            commands = chance.choice(MUTATIONS)(chance, commands)
        if chance.random() < 0.5:
            commands = [change("Delete", "", None, chance.choice(INSTANCES)), *commands]
        yield Message(None, (atomic(*commands),) if chance.random() < 0.6 else tuple(commands))


# What holds ----------------------------------------------------------------------------------------------------------


def assert_belongs_together() -> None:
    """No key without a record, no record without its key, no certificate without a key of its own, no intent left."""
    held = {(one.info.store, one.info.container): one.info for report in facade.key_reports() for one in report.keys}
    records = InstanceStore(open_workspace().profile.database).every(PFX)
    recorded = {(one["store"], one["container"]) for record in records for one in record.facts["keys"]}
    assert (set(held), orphans(), rows("intents")["intents"]) == (recorded, [], [])
    installed = {one["thumbprint"] for record in records for one in record.facts["holdings"]}
    assert pfx.thumbprints("MY") == installed
    for entry in facade.certificates("MY"):
        assert entry.key is not None
        assert held[entry.key.store, entry.key.container].public_key == read_certificate(entry.der).public_key_info


def run(seed: int, count: int, blobs: Sequence[bytes], every: int) -> Counter[str]:
    """Applies messages; looks at what is there after each few of them, and after all was deleted."""
    outcomes: Counter[str] = Counter()
    for number, message in enumerate(messages(seed, count, blobs)):
        for answer in Session().apply(message).answers:
            assert isinstance(answer, Result) or isinstance(answer.code, Code)
            if isinstance(answer, Status):
                assert PASSWORD not in answer.reason
                outcomes[f"{int(answer.code)}"] += 1
        outcomes["installed"] += bool(facade.certificates("MY"))
        if number % every == 0:
            assert_belongs_together()
    assert_belongs_together()
    pfx.answers(*(change("Delete", "", None, instance) for instance in INSTANCES))
    assert_empty()
    return outcomes


def test_damaged_installs_are_answered_and_leave_nothing_that_nobody_has(profile: Path, seeds: list[bytes]) -> None:
    outcomes = run(1, 100, seeds, 4)
    assert outcomes["installed"] > 30
    assert {"200", "400", "404", "500", "507"} <= set(outcomes)


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_thousands_of_damaged_installs_leave_nothing_that_nobody_has(seed: int, profile: Path, seeds: list[bytes]) -> None:
    outcomes = run(seed, 1000, seeds, 1)
    assert outcomes["installed"] > 300
