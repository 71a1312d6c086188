"""The SCEP nodes: what Exec of Enroll and Delete of a unique id do, and what the nodes tell that are found out when read.

An Exec freezes the settings and notes that something is due; nothing is sent here, ``scep_runner`` does that. Knows no
SyncML and no server. Source: Microsoft's page "ClientCertificateInstall CSP"; docs/analysis/scep-install.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from certenroll.asn1.certificates import read_certificate
from certenroll.mdm import scep_transactions
from certenroll.mdm.doomed_keys import DoomedKey, delete_keys
from certenroll.mdm.effects import Effect, Trigger
from certenroll.mdm.model import Code, Refused
from certenroll.mdm.nodes import INSTALL, Location
from certenroll.mdm.scep_records import UNKNOWN, Enrollment, Ledger, State, new_transaction
from certenroll.mdm.scep_settings import ScepSettings, settings_of
from certenroll.mdm.tree import View
from certenroll.stores.certificates import CA, MY, ROOT
from certenroll.stores.chains import Outcome, judge
from certenroll.stores.properties import KEY_PROV_INFO, KeyProviderInfo, decode_key_info
from keystores.errors import KeyStoreError

if TYPE_CHECKING:
    from certenroll.engine.workspace import Workspace
    from certenroll.stores.certificates import StoredCertificate

_ENROLL: Final = "Enroll"
_CHALLENGE: Final = "Challenge"


def plan(workspace: Workspace, view: View, trigger: Trigger) -> Effect | None:
    """The effect of a change.

    Args:
        workspace: the profile that the change is in.
        view: the tree at the unit's end.
        trigger: the change.

    Returns:
        the beginning of an enrollment for Exec of Enroll, the end of one for Delete of a unique id; None for all else: what
        is set later does not reach an enrollment that was begun.
    """
    location = trigger.location
    if trigger.verb == "Exec" and location.node.name == _ENROLL:
        return Beginning(workspace, view, trigger)
    if trigger.verb == "Delete" and location.path == location.instance_path:
        return Ending(workspace, trigger)
    return None


class Beginning:
    """The effect of an Exec of Enroll: an enrollment that is due, in place of one that was begun before.

    What was under way is given up, with its request and its key. What was installed stays until the new certificate is.

    Args:
        workspace: the profile.
        view: the tree at the unit's end.
        trigger: the command.
    """

    def __init__(self, workspace: Workspace, view: View, trigger: Trigger) -> None:
        self.trigger = trigger
        self._workspace = workspace
        self._view = view
        self._ledger = Ledger(workspace)
        self._settings: ScepSettings | None = None
        self._doomed: list[DoomedKey] = []

    def check(self) -> None:
        """Reads the settings, and takes the challenge out of the tree.

        Raises:
            Refused: 404 where there is no such unique id, 500 where a node is missing or its value cannot be used.
        """
        location = self.trigger.location
        if self._view.record(replace(location, path=location.instance_path)) is None:
            raise Refused(Code.NOT_FOUND, f"{location.uri} is not there")
        self._settings = settings_of(self._view, location)
        self._view.remove(location.scope, f"{location.instance_path}/{INSTALL}/{_CHALLENGE}")

    def prepare(self) -> None:
        """Nothing is done outside the database."""

    def apply(self) -> None:
        """Writes the enrollment down."""
        if self._settings is None:
            return
        name = self.trigger.location.unique_id
        before = self._ledger.get(name)
        self._doomed = _give_up(self._workspace, self._ledger, name, before)
        thumbprint = before.thumbprint if before is not None else ""
        due = self._ledger.now()
        self._ledger.put(name, Enrollment(self._settings, new_transaction(), due=due, thumbprint=thumbprint))

    def undo(self) -> None:
        """There is nothing to take back."""

    def finish(self) -> None:
        """Deletes the key of what was given up."""
        delete_keys(self._workspace, self._doomed)


class Ending:
    """The effect of a Delete of a unique id: its enrollment is cancelled, and certificate and key that came of it go.

    Args:
        workspace: the profile.
        trigger: the command.
    """

    def __init__(self, workspace: Workspace, trigger: Trigger) -> None:
        self.trigger = trigger
        self._workspace = workspace
        self._ledger = Ledger(workspace)
        self._doomed: list[DoomedKey] = []

    def check(self) -> None:
        """Nothing stands in the way: a key that cannot be deleted now stays noted."""

    def prepare(self) -> None:
        """Nothing is done outside the database before the unit is durable."""

    def apply(self) -> None:
        """Takes the certificate, what is under way and the record out of the database, and notes the keys for deletion."""
        name = self.trigger.location.unique_id
        before = self._ledger.get(name)
        self._doomed = _give_up(self._workspace, self._ledger, name, before)
        if before is not None and before.thumbprint:
            sha1 = bytes.fromhex(before.thumbprint)
            self._doomed += scep_transactions.remove_certificate(self._workspace, sha1)
        self._ledger.delete(name)

    def undo(self) -> None:
        """There is nothing to take back."""

    def finish(self) -> None:
        """Deletes the keys."""
        delete_keys(self._workspace, self._doomed)


def _give_up(workspace: Workspace, ledger: Ledger, name: str, enrollment: Enrollment | None) -> list[DoomedKey]:
    """Takes back what is under way; that which is installed stays."""
    if enrollment is None or enrollment.state is State.INSTALLED:
        return []
    ledger.leave_behind(name)
    return scep_transactions.take_back(workspace, enrollment.transaction)


# What is found out when it is read -----------------------------------------------------------------------------------


def computed(workspace: Workspace, view: View, location: Location) -> str | None:
    """The value of CertThumbprint, Status, ErrorCode or RespondentServerUrl.

    Args:
        workspace: the profile that the node is in.
        view: the tree; a computed node is in no tree.
        location: the node.

    Returns:
        CertThumbprint: 40 hexadecimal digits, "" where no certificate is installed or it became invalid. Status: 1, 2, 16 or
        32. ErrorCode: a signed 32-bit number, 0 where nothing failed. RespondentServerUrl: an entry of ServerURL, or "".
    """
    return _VALUES[location.node.name](workspace, Ledger(workspace).get(location.unique_id))


def _thumbprint(workspace: Workspace, enrollment: Enrollment | None) -> str:
    if enrollment is None or not enrollment.thumbprint:
        return ""
    found = workspace.certificates.get(MY, bytes.fromhex(enrollment.thumbprint))
    is_valid = found is not None and _has_good_chain(workspace, found) and not _key_is_gone(workspace, found)
    return enrollment.thumbprint.upper() if is_valid else ""


def _status(_: Workspace, enrollment: Enrollment | None) -> str:
    return str(enrollment.status if enrollment is not None else UNKNOWN)


def _error_code(_: Workspace, enrollment: Enrollment | None) -> str:
    code = enrollment.error if enrollment is not None else 0
    return str(code - (1 << 32) if code & 0x80000000 else code)


def _respondent(_: Workspace, enrollment: Enrollment | None) -> str:
    return enrollment.respondent if enrollment is not None else ""


_VALUES: Final[dict[str, Callable[[Workspace, Enrollment | None], str]]] = {
    "CertThumbprint": _thumbprint,
    "Status": _status,
    "ErrorCode": _error_code,
    "RespondentServerUrl": _respondent,
}


def _has_good_chain(workspace: Workspace, found: StoredCertificate) -> bool:
    def lookup(store: str) -> Callable[[bytes], list[bytes]]:
        return lambda subject: [one.der for one in workspace.certificates.find_by_subject(store, subject)]

    return judge(found.der, lookup(CA), lookup(ROOT), workspace.clock()).outcome is Outcome.TRUSTED


def _key_is_gone(workspace: Workspace, found: StoredCertificate) -> bool:
    """Whether the key is known not to be there. A card that is out of its reader says nothing of the kind."""
    if KEY_PROV_INFO not in found.properties:
        return True
    info: KeyProviderInfo = decode_key_info(found.properties[KEY_PROV_INFO])
    wanted = read_certificate(found.der).public_key_info
    try:
        held = workspace.key_stores.get(info.store).list()
    except KeyStoreError:
        return False
    return not any(one.container == info.container and one.public_key == wanted for one in held)
