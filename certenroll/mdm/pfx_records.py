"""What is known of the installed PFXs of a profile: which certificates and keys each has brought, and what it shares.

Two instances may bring the same certificate; then it, its key and its chain go with the last of them. What was there before
any PFX stays. Writes certificates and properties within its caller's transaction; deletes no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from certenroll.mdm.nodes import PFX
from certenroll.stores.certificates import CA, MY, ROOT
from certenroll.stores.mdm_instances import InstanceStore
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

INSTALLED: Final = "installed"
FAILED: Final = "failed"
SUCCESS: Final = 0

Row = tuple[str, str]  # a store, and the thumbprint of a certificate in it, in hexadecimal
KeyName = tuple[str, str]  # a key store, and a container of it


@dataclass(frozen=True)
class Holding:
    """A certificate of a PFX in MY, with its key.

    Attributes:
        thumbprint: in hexadecimal.
        key: where its key is: the value of its key property.
        imported: whether the key came with a PFX, rather than being here before.
        before: the key property that the certificate had before any PFX brought it, or "".
    """

    thumbprint: str
    key: str
    imported: bool
    before: str = ""

    @property
    def info(self) -> KeyProviderInfo:
        """Where its key is."""
        return decode_key_info(self.key.encode())

    @property
    def key_name(self) -> KeyName:
        """Its key's store and container."""
        return self.info.store, self.info.container


@dataclass(frozen=True)
class Record:
    """What became of an instance.

    Attributes:
        status: the result code of the last import, unsigned; 0 where it succeeded.
        holdings: what it has installed, the certificate that Thumbprint names first.
        brought: the certificates that were in no store before a PFX brought them.
    """

    status: int = SUCCESS
    holdings: tuple[Holding, ...] = ()
    brought: tuple[Row, ...] = ()

    @property
    def thumbprint(self) -> str:
        """The installed certificate's, in hexadecimal; "" where there is none."""
        return self.holdings[0].thumbprint if self.holdings else ""

    def having(self, rows: Iterable[Row]) -> Record:
        """The same with further certificates among those that it has brought."""
        return replace(self, brought=tuple(dict.fromkeys((*self.brought, *rows))))

    @property
    def imported(self) -> set[KeyName]:
        """The keys that came with a PFX."""
        return {one.key_name for one in self.holdings if one.imported}

    @property
    def keys(self) -> set[KeyName]:
        """The keys that it needs: its certificates' own, and those that they had before and are given back."""
        before = (_key_name(one.before.encode()) for one in self.holdings if one.before)
        return {*(one.key_name for one in self.holdings), *(name for name in before if name is not None)}

    def facts(self) -> dict[str, Any]:
        """As it is kept. ``keys`` is for those who ask what a key is there for, and know no holdings."""
        return {
            "status": self.status,
            "holdings": [asdict(one) for one in self.holdings],
            "brought": [list(row) for row in self.brought],
            "keys": [{"store": store, "container": container} for store, container in sorted(self.keys)],
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Record:
        """As it was kept."""
        holdings = tuple(Holding(**one) for one in facts["holdings"])
        return cls(facts["status"], holdings, tuple((store, sha1) for store, sha1 in facts["brought"]))


@dataclass(frozen=True)
class Ledger:
    """The records of a profile, as one of its instances sees them.

    Attributes:
        workspace: the profile.
        name: the instance's unique id.
        store: where they are kept.
    """

    workspace: Workspace
    name: str
    store: InstanceStore = field(init=False)

    def __post_init__(self) -> None:
        clock = self.workspace.clock
        object.__setattr__(self, "store", InstanceStore(self.workspace.profile.database, lambda: clock().timestamp()))

    def own(self) -> Record | None:
        """The instance's record, or None where nothing was tried yet."""
        found = self.store.get(PFX, self.name)
        return Record.from_facts(found.facts) if found is not None else None

    def others(self) -> list[Record]:
        """The records of the other instances."""
        key = self.name.casefold()
        return [Record.from_facts(one.facts) for one in self.store.every(PFX) if one.name.casefold() != key]

    def write(self, record: Record) -> None:
        """Writes the instance's record."""
        state = INSTALLED if record.holdings else FAILED
        self.store.put(PFX, self.name, state=state, facts=record.facts())

    def erase(self) -> None:
        """Removes the instance's record."""
        self.store.delete(PFX, self.name)

    def withdraw(self, record: Record, heir: Record | None = None) -> tuple[set[KeyName], tuple[Row, ...]]:
        """Takes out of the stores what only this record has brought.

        Args:
            record: the instance's, as it was.
            heir: the record that takes its place, already installed; what it has stays.

        Returns:
            the keys that nothing needs any more; and the CA certificates that stay because others need them: another
            record has to have them now, else nobody would take them out when those others are gone.
        """
        staying = [*self.others(), *([heir] if heir is not None else [])]
        kept = {row for one in staying for row in one.brought}
        going = record.imported - {name for one in staying for name in one.imported}
        needed = self._remove([row for row in record.brought if row not in kept])
        held = {(one.thumbprint, one.key_name) for other in staying for one in other.holdings}
        for holding in record.holdings:
            if holding.key_name in going or (holding.thumbprint, holding.key_name) not in held:
                self._repoint(holding, staying)
        return going, needed

    def bequeath(self, rows: tuple[Row, ...]) -> None:
        """Adds certificates to what another installed instance has brought; without one they stay for good."""
        key = self.name.casefold()
        others = (one for one in self.store.every(PFX) if one.name.casefold() != key and one.state == INSTALLED)
        heir = next(others, None) if rows else None
        if heir is not None:
            record = Record.from_facts(heir.facts).having(rows)
            self.store.put(PFX, heir.name, state=heir.state, due=heir.due, facts=record.facts())

    def _remove(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """Removes certificates: a CA's once nothing in the stores has it as its issuer, so from the leaf upwards.

        Returns:
            those that stay.
        """
        rest = list(rows)
        while going := [row for row in rest if row[0] == MY or not self._issues(*row)]:
            for store, sha1 in going:
                self.workspace.certificates.remove(store, bytes.fromhex(sha1))
            rest = [row for row in rest if row not in going]
        return tuple(rest)

    def _repoint(self, holding: Holding, staying: Iterable[Record]) -> None:
        """Gives a certificate that stays another key property, in place of the one that leads to the key that goes."""
        certificates, sha1 = self.workspace.certificates, bytes.fromhex(holding.thumbprint)
        found = certificates.get(MY, sha1)
        if found is None or _key_name(found.properties.get(KEY_PROV_INFO)) != holding.key_name:
            return
        same = (one.key for record in staying for one in record.holdings if one.thumbprint == holding.thumbprint)
        value = next(same, holding.before)
        if value:
            certificates.set_property(MY, sha1, KEY_PROV_INFO, value.encode())
        else:
            certificates.remove_property(MY, sha1, KEY_PROV_INFO)

    def _issues(self, store: str, sha1: str) -> bool:
        """Whether a CA certificate has issued another certificate of the profile, which would lose its chain.

        One that is self-issued needs no other: a root and its successor of the same name would hold each other here.
        """
        authority = self.workspace.certificates.get(store, bytes.fromhex(sha1))
        if authority is None:
            return False
        return any(one.issuer == authority.subject != one.subject for one in self._chained())

    def _chained(self) -> Iterator[Any]:
        for store in (MY, CA, ROOT):
            yield from self.workspace.certificates.list(store, archived=True)


def previous_key(current: bytes | None, records: Iterable[Record], thumbprint: str) -> str:
    """The key property that a certificate had before any PFX brought it.

    Args:
        current: the one that it has now, or None.
        records: those of every instance.
        thumbprint: the certificate's, in hexadecimal.
    """
    held = [one for record in records for one in record.holdings if one.thumbprint == thumbprint]
    name = _key_name(current)
    if name is None or any(one.key_name == name for one in held):
        return next((one.before for one in held if one.before), "")
    return (current or b"").decode()


def _key_name(value: bytes | None) -> KeyName | None:
    info = decode_key_info(value) if value is not None else None
    return (info.store, info.container) if info is not None else None

