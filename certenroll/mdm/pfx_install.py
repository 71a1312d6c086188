"""PFXCertInstall: a PFX installed, replaced and removed, as effects of a unit; and what its Thumbprint and Status say.

``pfx_settings`` says what is wanted, ``pfx_passwords`` and ``pfx_contents`` open the PFX, ``pfx_keys`` says where its keys
go, and ``pfx_records`` what it shares with others. Here is the order in which all that happens. Knows no SyncML. Source:
Microsoft's page "ClientCertificateInstall CSP"; docs/analysis/pfx-install.md.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import Certificate
from certenroll.engine.installation import WRITE_CERTIFICATE, write_to_device
from certenroll.engine.key_creation import PendingKey, make_key
from certenroll.mdm.doomed_keys import DoomedKey, delete_keys, doom
from certenroll.mdm.effects import Effect, Trigger
from certenroll.mdm.model import Refused
from certenroll.mdm.nodes import Location
from certenroll.mdm.pfx_contents import Contents, Identity, read_contents
from certenroll.mdm.pfx_keys import Placement, place
from certenroll.mdm.pfx_passwords import readings
from certenroll.mdm.pfx_records import Holding, KeyName, Ledger, Record, Row, previous_key
from certenroll.mdm.pfx_settings import BLOB, FAILURES, PfxSettings, read_settings, refused_install
from certenroll.mdm.tree import View
from certenroll.stores.certificates import CA, MY, ROOT
from certenroll.stores.chains import judge
from certenroll.stores.errors import StoreError
from certenroll.stores.properties import FRIENDLY_NAME, KEY_PROV_INFO, KeyProviderInfo, encode_key_info, encode_text
from keystores.base import CertificateHolder
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace

log = logging.getLogger(__name__)

_THUMBPRINT: Final = "Thumbprint"


def plan(workspace: Workspace, view: View, trigger: Trigger) -> Effect | None:
    """The effect of a change: a PFXCertBlob that is added or replaced is installed, a unique id's Delete removes it all.

    Args:
        workspace: the profile that the change is in.
        view: the tree at the unit's end.
        trigger: the change.

    Returns:
        the effect; None where there is none, as for a blob that a later command of the unit deletes again.
    """
    location = trigger.location
    if trigger.verb == "Delete" and location.path == location.instance_path:
        return Removal(workspace, trigger)
    if location.node.name == BLOB and trigger.verb in ("Add", "Replace") and view.record(location) is not None:
        return Installation(workspace, view, trigger)
    return None


def computed(workspace: Workspace, view: View, location: Location) -> str | None:
    """The value of a Thumbprint or a Status.

    Returns:
        Thumbprint: 40 hexadecimal digits, None where nothing is installed. Status: the result code of the last import, a
        signed 32-bit number, 0 where none has failed.
    """
    record = Ledger(workspace, location.unique_id).own()
    if location.node.name == _THUMBPRINT:
        return record.thumbprint.upper() if record is not None and record.thumbprint else None
    status = record.status if record is not None else 0
    return str(status - (1 << 32) if status & 0x80000000 else status)


def note_failure(workspace: Workspace, view: View, trigger: Trigger, refused: Refused) -> None:
    """Has Status tell of an install that was refused, outside of an Atomic: what was set and installed before stays.

    Args:
        workspace: the profile.
        view: the tree as it is after the command was refused.
        trigger: the command.
        refused: why.
    """
    location = trigger.location
    if location.node.name != BLOB or trigger.verb not in ("Add", "Replace") or not refused.hresult:
        return
    ledger = Ledger(workspace, location.unique_id)
    try:
        with workspace.profile.database.transaction():
            if view.exists(replace(location, path=location.instance_path)):
                ledger.write(replace(ledger.own() or Record(), status=refused.hresult))
    except StoreError as error:
        log.warning("the status of %s could not be noted: %s", location.uri, error)


class Removal:
    """The effect of a Delete of a unique id.

    Args:
        workspace: the profile.
        trigger: the command.
    """

    def __init__(self, workspace: Workspace, trigger: Trigger) -> None:
        self.trigger = trigger
        self._workspace = workspace
        self._ledger = Ledger(workspace, trigger.location.unique_id)
        self._doomed: list[DoomedKey] = []

    def check(self) -> None:
        """Nothing stands in the way: a key that cannot be deleted now stays noted."""

    def prepare(self) -> None:
        """Nothing is done outside the database before the unit is durable."""

    def apply(self) -> None:
        """Takes out of the stores what the PFX alone has brought, and notes its keys for deletion."""
        record = self._ledger.own()
        if record is not None:
            going, needed = self._ledger.withdraw(record)
            self._ledger.bequeath(needed)
            self._doomed = [doom(self._workspace, *key) for key in sorted(going)]
            self._ledger.erase()

    def undo(self) -> None:
        """There is nothing to take back."""

    def finish(self) -> None:
        """Deletes the keys."""
        delete_keys(self._workspace, self._doomed)


@dataclass(frozen=True)
class _Made:
    """A key of the PFX in its place.

    Attributes:
        identity: the key with its certificate.
        info: where it is.
        pending: its import, to be confirmed; None where the key was there already.
    """

    identity: Identity
    info: KeyProviderInfo
    pending: PendingKey | None


class Installation:
    """The effect of an Add or Replace of a PFXCertBlob.

    Args:
        workspace: the profile.
        view: the tree at the unit's end.
        trigger: the command.
    """

    def __init__(self, workspace: Workspace, view: View, trigger: Trigger) -> None:
        self.trigger = trigger
        self._workspace = workspace
        self._view = view
        self._ledger = Ledger(workspace, trigger.location.unique_id)
        self._contents = Contents((), ())
        self._chain: list[tuple[str, Certificate]] = []
        self._placements: tuple[Placement, ...] = ()
        self._imported: set[KeyName] = set()  # by a PFX before this one, an earlier command's Delete notwithstanding
        self._made: list[_Made] = []
        self._doomed: list[DoomedKey] = []
        self._writes: list[tuple[int, _Made]] = []

    def check(self) -> None:
        """Opens the PFX and finds out whether its keys have a place. Raises Refused."""
        settings = read_settings(self._view, self.trigger.location)
        passwords = readings(self._workspace, settings)
        try:
            self._contents = read_contents(settings.blob, passwords)
            self._chain = _chain(self._workspace, self._contents)
            self._placements = self._placed(settings)
        except FAILURES as error:
            raise refused_install(error) from error

    def prepare(self) -> None:
        """Imports the keys, each with an intent before it. Raises Refused; no key is left then."""
        try:
            for placement in self._placements:
                self._made.append(_import(self._workspace, placement))
        except KeyStoreError as error:
            self.undo()
            raise refused_install(error) from error
        except BaseException:
            self.undo()
            raise

    def apply(self) -> None:
        """Writes certificates, properties and the record; what the PFX before it alone had brought leaves."""
        own, others = self._ledger.own(), self._ledger.others()
        before = [*others, *([own] if own is not None else [])]
        known = {row for record in before for row in record.brought}
        holdings = tuple(self._holding(one, before) for one in self._made)
        rows = [*((MY, one.identity.certificate) for one in self._made), *self._chain]
        brought = [row for store, certificate in rows if (row := self._add(store, certificate, known)) is not None]
        record = Record(holdings=holdings, brought=tuple(dict.fromkeys(brought)))
        going, needed = self._ledger.withdraw(own, record) if own is not None else (set(), ())
        self._doomed = [doom(self._workspace, *key) for key in sorted(going)]
        self._ledger.write(record.having(needed))
        self._confirm()
        self._view.blank(self.trigger.location.scope, self.trigger.location.path)

    def undo(self) -> None:
        """Deletes the imported keys. Raises Refused where one cannot be; its intent stays."""
        stuck: KeyStoreError | None = None
        for one in reversed(self._made):
            try:
                if one.pending is not None:
                    one.pending.discard(None)
            except KeyStoreError as error:
                stuck = error
        self._made.clear()
        if stuck is not None:
            raise refused_install(stuck)

    def finish(self) -> None:
        """Deletes the keys that were replaced, and writes the certificates to the card that has the keys."""
        delete_keys(self._workspace, self._doomed)
        for intent, made in self._writes:
            self._write(intent, made)

    def _write(self, intent: int, made: _Made) -> None:
        certificates = (made.identity.certificate, *(one for _, one in self._chain))
        try:
            write_to_device(self._workspace, made.info, tuple(one.der for one in certificates), None)
        except KeyStoreError as error:  # it stays noted, and recovery tries again
            self._workspace.journal.release(intent)
            log.warning("the certificate %s could not be written to its card: %s", _hex(certificates[0]), error)
        else:
            self._workspace.journal.confirm(intent)

    def _placed(self, settings: PfxSettings) -> tuple[Placement, ...]:
        own = self._ledger.own() or Record()
        self._imported = own.imported.union(*(record.imported for record in self._ledger.others()))
        return place(self._workspace, settings, self._contents.identities, own)

    def _holding(self, made: _Made, before: list[Record]) -> Holding:
        """What the record says of a key; called before its certificate is written."""
        sha1 = _hex(made.identity.certificate)
        found = self._workspace.certificates.get(MY, made.identity.certificate.sha1)
        current = found.properties.get(KEY_PROV_INFO) if found is not None else None
        imported = made.pending is not None or (made.info.store, made.info.container) in self._imported
        return Holding(sha1, encode_key_info(made.info).decode(), imported, previous_key(current, before, sha1))

    def _add(self, store: str, certificate: Certificate, known: set[Row]) -> Row | None:
        """Puts a certificate into a store; its row where it, or another PFX before it, brought it."""
        row = (store, _hex(certificate))
        properties = self._properties(certificate) if store == MY else None
        new = self._workspace.certificates.add(store, certificate.der, properties)
        return row if new or row in known else None

    def _properties(self, certificate: Certificate) -> dict[int, bytes]:
        made = next(one for one in self._made if one.identity.certificate.der == certificate.der)
        named = {FRIENDLY_NAME: encode_text(made.identity.friendly_name)} if made.identity.friendly_name else {}
        return {KEY_PROV_INFO: encode_key_info(made.info)} | named

    def _confirm(self) -> None:
        for made in self._made:
            if made.pending is not None:
                made.pending.confirm()
            if isinstance(self._workspace.key_stores.get(made.info.store), CertificateHolder):
                chain = " ".join(_hex(one) for _, one in self._chain)
                payload = {"store": MY, "certificate": _hex(made.identity.certificate), "chain": chain}
                self._writes.append((self._workspace.journal.begin(WRITE_CERTIFICATE, payload), made))


def _import(workspace: Workspace, placement: Placement) -> _Made:
    if placement.present is not None:
        return _Made(placement.identity, placement.present, None)
    _, info, pending = make_key(workspace, placement.order, existing=placement.identity.private_key)
    return _Made(placement.identity, info, pending)


def _chain(workspace: Workspace, contents: Contents) -> list[tuple[str, Certificate]]:
    """Store and certificate for all that has no key: the roots of the chains to ROOT, the rest to CA."""
    given = [one.der for one in contents.others]

    def trusted(subject: bytes) -> list[bytes]:
        return [one.der for one in workspace.certificates.find_by_subject(ROOT, subject)]

    above: set[bytes] = set()
    for identity in contents.identities:
        above.update(judge(identity.certificate.der, given, trusted, workspace.clock()).chain[1:])
    return [(ROOT if one.is_self_issued and one.is_ca and one.der in above else CA, one) for one in contents.others]


def _hex(certificate: Certificate) -> str:
    return certificate.sha1.hex()
