"""Damaged SyncML put through reader, session and writer: each message is refused by a SyncMLError, or answered.

The ordinary run takes a sample; `pytest -m exhaustive tests/mdm/test_syncml_fuzz.py` takes 100 000 messages.
"""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certenroll.mdm.model import Code, Result
from certenroll.mdm.replies import write
from certenroll.mdm.session import Session
from certenroll.mdm.syncml import SyncMLError, parse
from tests.support.profiles import rows

MDM_TABLES = ("mdm_nodes", "mdm_instances")
TREE = "./User/Vendor/MSFT/ClientCertificateInstall"


def command(verb: str, number: int, uri: str, kind: str = "", data: str = "") -> str:
    meta = f'<Meta><Format xmlns="syncml:metinf">{kind}</Format></Meta>' if kind else ""
    return (
        f"<{verb}><CmdID>{number}</CmdID><Item><Target><LocURI>{uri}</LocURI></Target>{meta}"
        f"{f'<Data>{data}</Data>' if data else ''}</Item></{verb}>"
    )


SETTINGS = (
    command("Add", 3, f"{TREE}/SCEP/one", "node")
    + command("Add", 4, f"{TREE}/SCEP/one/Install/RetryCount", "int", "1")
    + command("Add", 5, f"{TREE}/SCEP/one/Install/SubjectName", "chr", "CN=alice, O=&quot;A&amp;B&quot;")
    + command("Replace", 6, f"{TREE}/SCEP/one/Install/RetryDelay", "int", "5")
)
HEADER = (
    "<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>"
    "<Target><LocURI>device</LocURI></Target><Source><LocURI>https://server.test</LocURI></Source></SyncHdr>"
)
READS = (
    command("Get", 7, TREE)
    + command("Get", 8, f"{TREE}/SCEP/one/Install/RetryCount")
    + command("Delete", 9, f"{TREE}/SCEP/one")
)
ALERT = "<Alert><CmdID>1</CmdID><Data>1201</Data><Item><Data>user</Data></Item></Alert>"
SEEDS = [
    f'<SyncML xmlns="SYNCML:SYNCML1.2">{HEADER}<SyncBody>{ALERT}<Atomic><CmdID>2</CmdID>{SETTINGS}</Atomic>{READS}<Final/>'
    "</SyncBody></SyncML>",
    f"<SyncBody><Sequence><CmdID>1</CmdID>{SETTINGS}{READS}</Sequence></SyncBody>",
    SETTINGS + READS + command("Exec", 10, f"{TREE}/SCEP/one/Install/Enroll"),
    f"<Atomic><CmdID>1</CmdID>{command('Get', 2, TREE)}<Atomic><CmdID>3</CmdID></Atomic></Atomic><Copy/>",
]
WORDS = ["Add", "Replace", "Delete", "Get", "Exec", "Atomic", "Sequence", "Status", "int", "node", "Device", "User", "SCEP"]
TOKENS = [
    *WORDS, "<CmdID>", "</CmdID>", "<Item>", "</Item>", "<Data>", "</Data>", "<![CDATA[", "]]>", "<!--", "-->", "&amp;",
    "&#0;", "&x;", "<!DOCTYPE a>", "<Final/>", "<Meta/>", "<Item/>", "/", "*", "%2F", "..", "bin", "null", "PFXCertInstall",
    "xmlns='urn:x'", "-1", "99999999999", "\u202e", "\r\n",
]
TAG = re.compile(r"<[^<>]*>")
Mutation = Callable[[random.Random, str], str]


def cut(chance: random.Random, text: str) -> str:
    start = chance.randrange(len(text) + 1)
    return text[:start] + text[min(start + chance.randrange(40), len(text)) :]


def insert(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(TOKENS) + text[at:]


def repeat(chance: random.Random, text: str) -> str:
    start = chance.randrange(len(text) + 1)
    piece = text[start : start + chance.randrange(200)]
    return text[:start] + piece * chance.randrange(4) + text[start:]


def exchange(chance: random.Random, text: str) -> str:
    """A word replaced everywhere: the message stays well-formed more often than not."""
    return text.replace(chance.choice(WORDS), chance.choice(TOKENS))


def drop_element(chance: random.Random, text: str) -> str:
    tags = list(TAG.finditer(text))
    if not tags:
        return text
    begin = chance.choice(tags)
    end = text.find(f"</{begin[0][1:].split('>')[0].split(' ')[0]}>", begin.end())
    return text if end < 0 else text[: begin.start()] + text[text.find(">", end) + 1 :]


def character(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chr(chance.choice((chance.randrange(128), chance.randrange(0xD800)))) + text[at + 1 :]


MUTATIONS: list[Mutation] = [cut, insert, repeat, exchange, exchange, drop_element, drop_element, character]
ENCODINGS = ("utf-8",) * 8 + ("utf-16", "utf-8-sig")


def messages(seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(SEEDS)
        for _ in range(chance.choice((1, 1, 2, 3, 6))):
            text = chance.choice(MUTATIONS)(chance, text)
        data = bytearray(text.encode(chance.choice(ENCODINGS), "surrogatepass"))
        if chance.random() < 0.1 and data:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        yield bytes(data)


def run(seed: int, count: int) -> Counter[str]:
    """Puts messages through; any error but a SyncMLError ends it."""
    outcomes: Counter[str] = Counter()
    for data in messages(seed, count):
        try:
            message = parse(data)
        except SyncMLError:
            outcomes["refused"] += 1
            continue
        reply = Session(check=True).apply(message)
        assert all(isinstance(one, Result) or one.code in Code for one in reply.answers)
        written = write(reply)
        ET.fromstring(written)
        assert len(parse(written).commands) == len(reply.answers)
        outcomes["answered"] += 1
        outcomes.update(f"{int(one.code)}" for one in reply.answers if not isinstance(one, Result))
    return outcomes


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))


def test_damaged_messages_are_refused_or_answered_and_change_nothing() -> None:
    outcomes = run(1, 800)
    assert outcomes["refused"] > 200
    assert outcomes["answered"] > 100
    assert {"200", "400", "404", "405", "415", "500", "507"} <= set(outcomes)
    assert all(not found for found in rows(*MDM_TABLES).values())


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 12))
def test_a_hundred_thousand_damaged_messages_are_refused_or_answered(seed: int) -> None:
    outcomes = run(seed, 10_000)
    assert outcomes["refused"] + outcomes["answered"] == 10_000
    assert all(not found for found in rows(*MDM_TABLES).values())
