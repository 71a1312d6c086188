"""PFXs for the tests of PFXCertInstall, the commands that install them, and what is there afterwards.

The profile is the one that XENROLL_HOME names. Certificates are of a root and a CA below it that the profile does not know.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certenroll import facade
from certenroll.asn1.pfx import write_pfx
from certenroll.engine.opening import open_workspace
from certenroll.facade_values import CertificateEntry
from certenroll.mdm import units
from certenroll.mdm.model import Command, Item, Message, Result, Status, Verb
from certenroll.mdm.nodes import locate
from certenroll.mdm.session import Session
from certenroll.mdm.units import Step, UnitFailed
from tests.stores.pki import Made, make
from tests.support.enrolling import laid_open
from tests.support.profiles import home, keys, rows

ROOT_URI = "./User/Vendor/MSFT/ClientCertificateInstall/PFXCertInstall"
PASSWORD = "geheim1234"
FORMATS = {"KeyLocation": "int", "PFXCertPasswordEncryptionType": "int", "PFXKeyExportable": "bool"}


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key for each name."""
    return rsa.generate_private_key(65537, bits)


@cache
def authorities() -> tuple[Made, Made]:
    """A root and a CA below it."""
    root = make("Test Root", ca=True)
    return root, make("Test CA", root, ca=True)


@cache
def leaf(name: str = "leaf", private: Any = None) -> Made:
    """A certificate of the CA, for an EC key or the one that is given."""
    return make(name, authorities()[1], ca=False, private=private)


def pfx_of(made: Made, *, chain: bool = True, password: str | None = PASSWORD, name: str = "") -> bytes:
    """A PFX as Windows before 10 reads it, with the CA and the root."""
    root, above = authorities()
    certificates = [above.der, root.der] if chain else []
    return write_pfx(made.key, made.der, certificates, password, name, legacy=True)


def change(verb: str, node: str, data: str | None = None, instance: str = "One") -> Command:
    """A command on a node of an instance; on the instance itself where the node is ""."""
    uri = f"{ROOT_URI}/{instance}/{node}".rstrip("/")
    return Command(verb, Verb(verb), "1", (Item(uri, FORMATS.get(node, "chr") if data is not None else None, None, data),))


def adds(blob: bytes, location: int | None = 3, instance: str = "One", **nodes: str | None) -> list[Command]:
    """The commands of an install, the blob before its password as in Microsoft's example."""
    values = {"KeyLocation": location, "PFXCertBlob": base64.b64encode(blob).decode(), "PFXCertPassword": PASSWORD, **nodes}
    return [change("Add", node, str(data), instance) for node, data in values.items() if data is not None]


def on_machine(command: Command) -> Command:
    """The command on the machine's instance of the same name."""
    uri = command.items[0].target.replace("./User/", "./Device/")
    return replace(command, items=(replace(command.items[0], target=uri),))


def atomic(*commands: Command) -> Command:
    """The commands as an Atomic."""
    return Command("Atomic", Verb.ATOMIC, "9", children=commands)


def answers(*commands: Command, check: bool = False) -> list[Status]:
    """The statuses of a message."""
    reply = Session(check=check).apply(Message(None, commands))
    return [one for one in reply.answers if isinstance(one, Status)]


def codes(*commands: Command, check: bool = False) -> list[int]:
    """The status codes of a message."""
    return [int(one.code) for one in answers(*commands, check=check)]


def installs(blob: bytes, location: int | None = 3, instance: str = "One", **nodes: str | None) -> None:
    """Installs a PFX; the test fails where it is refused."""
    found = answers(atomic(*adds(blob, location, instance, **nodes)))
    assert {int(one.code) for one in found} == {200}, found


@dataclass(frozen=True)
class Place:
    """A KeyLocation on a machine with some device.

    Attributes:
        location: KeyLocation.
        device: the fixture that gives the machine its device.
        store: the key store to which the keys go there.
    """

    location: int
    device: str
    store: str

    def adds(self, blob: bytes, **nodes: str | None) -> list[Command]:
        """The commands of an install there; a container is named where KeyLocation asks for one."""
        container = "web" if self.location == 4 else None
        return adds(blob, self.location, "One", ContainerName=container, **nodes)

    def installs(self, blob: bytes, **nodes: str | None) -> None:
        """Installs a PFX there; the test fails where it is refused."""
        found = answers(atomic(*self.adds(blob, **nodes)))
        assert {int(one.code) for one in found} == {200}, found


PLACES = {
    "1, TPM": Place(1, "with_tpm", "tpm"),
    "2, TPM": Place(2, "with_tpm", "tpm"),
    "2, no TPM": Place(2, "profile", "software"),
    "3": Place(3, "profile", "software"),
    "4, card": Place(4, "with_card", "smartcard"),
}


def assert_empty() -> None:
    """Neither certificates nor keys nor intents are left."""
    assert [thumbprints(name) for name in ("MY", "CA", "ROOT")] == [set(), set(), set()]
    assert not any(keys().values())
    assert rows("intents")["intents"] == []


def failure(*commands: Command) -> Status:
    """The status of the command of an Atomic that made it fail; nothing is changed by it."""
    before = snapshot()
    found = answers(atomic(*commands))
    assert int(found[0].code) == 507
    assert snapshot() == before
    (culprit,) = [one for one in found[1:] if int(one.code) not in (215, 216)]
    return culprit


def refusal_code(*commands: Command) -> int:
    """The result code with which a unit of commands is refused."""
    steps = [Step(one.name, locate(one.items[0].target), one.items[0].format, one.items[0].data) for one in commands]
    with pytest.raises(UnitFailed) as caught:
        units.run(steps)
    return caught.value.refused.hresult


def value(node: str, instance: str = "One") -> str | None:
    """What a Get of a node gives, or None where it is not there."""
    reply = Session().apply(Message(None, (change("Get", node, None, instance),)))
    found = [one.data for one in reply.answers if isinstance(one, Result)]
    return found[0] if found else None


def snapshot() -> dict[str, object]:
    """All that the profile keeps, and what its key stores hold."""
    answers(change("Get", "Status", None, "none"), change("Delete", "", None, "none"))  # the database and the lock are there
    found = laid_open(home())  # but for the numbers of intents: a failure may use one up
    lines = [one for one in cast(list[str], found["rows"]) if '"sqlite_sequence"' not in one]
    return {**found, "rows": lines, "keys": keys()}


def thumbprints(store: str) -> set[str]:
    """The thumbprints of a store."""
    return {one.thumbprint.lower() for one in facade.certificates(store)}


def sha1(made: Made) -> str:
    """A certificate's thumbprint."""
    return made.certificate.fingerprint(hashes.SHA1()).hex()


def entry(made: Made) -> CertificateEntry:
    """A certificate as MY has it."""
    return facade.find_certificate("MY", sha1(made))


def signs(made: Made) -> CertificateEntry:
    """The entry of a certificate in MY, once its private key, wherever it is, has signed."""
    found = entry(made)
    assert found.key is not None
    private: Any = open_workspace().key_stores.open(found.key.store, found.key.container).private_key
    public: Any = made.certificate.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(private.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x", padding.PKCS1v15(), hashes.SHA256())
    else:
        public.verify(private.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x", ec.ECDSA(hashes.SHA256()))
    return found


def key_files() -> list[Path]:
    """The files of the profile's keys."""
    return [one for one in (home() / "keys").rglob("*") if one.is_file()]
