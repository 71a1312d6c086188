"""PFXCertInstall: installed, replaced, removed, in each key store; what Thumbprint and Status say; who shares what."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from certenroll import facade
from certenroll.engine.opening import open_workspace
from certenroll.engine.recovery import recover
from certenroll.hresults import HRESULT
from certenroll.mdm.effects import Trigger
from certenroll.mdm.model import Code, Command, Refused
from certenroll.mdm.nodes import locate
from certenroll.mdm.pfx_install import note_failure
from certenroll.mdm.tree import View
from certenroll.mdm.units import workspace_of
from keystores.base import Exporter
from tests.flows import conftest as flows
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import adds, assert_empty, atomic, change, installs, leaf, pfx_of, rsa_key, sha1, signs, value
from tests.stores.pki import Made
from tests.support.judges import openssl_signs_with_file
from tests.support.profiles import keys, orphans, rows
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

ROOT, CA = pfx.authorities()
EC = leaf()
RSA = leaf("RSA leaf", rsa_key("leaf"))
OTHER = leaf("other")


def exportable(store: str, container: str) -> bool:
    found = open_workspace().key_stores.get(store)
    return isinstance(found, Exporter) and open_workspace().key_stores.open(store, container).info.exportable


# Where the key goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [RSA, EC], ids=["RSA", "EC"])
@pytest.mark.parametrize(
    ("location", "device", "store"), [(one.location, one.device, one.store) for one in pfx.PLACES.values()]
)
def test_a_pfx_is_installed_where_keylocation_says(
    location: int, device: str, store: str, made: Made, request: pytest.FixtureRequest, profile: Path
) -> None:
    request.getfixturevalue(device)
    installs(pfx_of(made), location, ContainerName="web" if location == 4 else None)
    found = signs(made)
    assert found.key is not None
    assert (found.key.store, int(found.key.asked_location or 0)) == (store, location)
    assert exportable(store, found.key.container) == (location == 3)
    assert keys()[store] == ["web" if location == 4 else found.key.container]
    assert (value("Thumbprint"), value("Status")) == (sha1(made).upper(), "0")
    assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT")) == ({sha1(CA)}, {sha1(ROOT)})
    assert (value("PFXCertBlob"), value("KeyLocation")) == ("", str(location))
    assert rows("intents")["intents"] == []
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()


def test_openssl_signs_with_the_installed_key(profile: Path, tmp_path: Path) -> None:
    installs(pfx_of(RSA))
    found = signs(RSA)
    assert found.key is not None
    openssl_signs_with_file(tmp_path, RSA.der, found.key.reference)


def test_the_card_gets_the_certificate_and_its_chain(with_card: SoftToken) -> None:
    installs(pfx_of(RSA), 4, ContainerName="web")
    assert with_card.store().read_certificate("web") == RSA.der


def test_a_tpm_that_is_required_and_is_not_there_fails_the_install(profile: Path) -> None:
    failed = pfx.failure(*adds(pfx_of(EC), 1))
    assert (failed.code, failed.target.rpartition("/")[2]) == (500, "PFXCertBlob")


def test_a_size_that_the_tpm_lacks_fails_and_leaves_nothing(with_tpm: SwTpm) -> None:
    big = pfx_of(leaf("big", rsa_key("big", 4096)))
    for location in (1, 2):
        failed = pfx.failure(*adds(big, location))
        assert (failed.code, "4096 bits" in failed.reason) == (500, True)
    installs(big, 3)


def test_a_curve_that_no_key_store_takes_fails_and_leaves_nothing(profile: Path) -> None:
    odd = pfx_of(leaf("odd", ec.generate_private_key(ec.SECP256K1())))
    assert "secp256k1" in pfx.failure(*adds(odd)).reason


def test_a_container_that_somebody_else_has_is_not_touched(with_card: SoftToken) -> None:
    with_card.store().import_key("web", OTHER.key)
    failed = pfx.failure(*adds(pfx_of(EC), 4, ContainerName="web"))
    assert (failed.code, failed.reason.split(":")[0]) == (500, "ContainerName")
    assert keys()["smartcard"] == ["web"]


def test_the_machines_instances_are_the_machines_own(profile: Path) -> None:
    assert set(pfx.codes(atomic(*map(pfx.on_machine, adds(pfx_of(EC)))))) == {200}
    assert facade.certificates("MY") == []
    machine = open_workspace(2)
    assert [one.sha1.hex() for one in machine.certificates.list("MY")] == [sha1(EC)]
    machine.profile.database.close()


# PFXKeyExportable ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "expected"), [(None, True), ("true", True), ("false", False)])
def test_a_software_key_is_exportable_unless_the_node_says_no(said: str | None, expected: bool, profile: Path) -> None:
    installs(pfx_of(EC), PFXKeyExportable=said)
    found = signs(EC)
    assert found.key is not None
    assert exportable("software", found.key.container) is expected


@pytest.mark.parametrize("location", [1, 2, 4])
def test_an_exportable_key_is_refused_outside_of_software(location: int, profile: Path) -> None:
    failed = pfx.failure(*adds(pfx_of(EC), location, ContainerName="web", PFXKeyExportable="true"))
    assert (failed.code, failed.reason.split(":")[0]) == (500, "PFXKeyExportable")


@pytest.mark.parametrize("said", [None, "false"])
def test_a_preferred_tpm_that_is_not_there_gives_a_software_key_that_stays(said: str | None, profile: Path) -> None:
    installs(pfx_of(EC), 2, PFXKeyExportable=said)
    found = signs(EC)
    assert found.key is not None
    assert not exportable("software", found.key.container)


# What is refused -----------------------------------------------------------------------------------------------------

_BASE64 = base64.b64encode(b"no PFX").decode()
_TYPE = "PFXCertPasswordEncryptionType"
_ODD = pfx_of(leaf("odd", ec.generate_private_key(ec.SECP256K1())))
# What is installed: PFX, nodes; the status code, and the node that the reason begins with.
REFUSED: dict[str, tuple[bytes, dict[str, str | int | None], int, str]] = {
    "another password": (pfx_of(EC), {"PFXCertPassword": "another"}, 500, "PFXCertPassword"),
    "no password": (pfx_of(EC), {"PFXCertPassword": None}, 500, "PFXCertPassword"),
    "no encrypted password": (pfx_of(EC), {_TYPE: "1", "PFXCertPassword": "MAA="}, 500, "PFXCertPassword"),
    "no KeyLocation": (pfx_of(EC), {"location": None}, 500, "KeyLocation"),
    "no TPM": (pfx_of(EC), {"location": 1}, 500, "KeyLocation"),
    "a curve that no key store takes": (_ODD, {}, 500, "PFXCertBlob"),
    "a named container without its name": (pfx_of(EC), {"location": 4}, 500, "ContainerName"),
    "a named container with an empty name": (pfx_of(EC), {"location": 4, "ContainerName": ""}, 500, "ContainerName"),
    "no PFX": (b"", {"PFXCertBlob": _BASE64}, 500, "PFXCertBlob"),
    "no base64": (b"", {"PFXCertBlob": "not base64!"}, 400, "PFXCertBlob"),
    "an empty blob": (b"", {"PFXCertBlob": ""}, 400, "PFXCertBlob"),
    "a truncated PFX": (pfx_of(EC)[:-9], {}, 500, "PFXCertBlob"),
    "no store for the certificate that opens the password": (
        pfx_of(EC), {_TYPE: "2"}, 500, "PFXCertPasswordEncryptionStore"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_installed_changes_nothing(name: str, profile: Path) -> None:
    blob, nodes, expected, culprit = REFUSED[name]
    location = nodes.get("location", 3)
    others = {node: text for node, text in nodes.items() if node != "location"}
    failed = pfx.failure(*adds(blob, location, **others))  # type: ignore[arg-type]
    assert (failed.code, failed.target.rpartition("/")[2]) == (expected, "PFXCertBlob")
    assert failed.reason.startswith(f"{culprit}: ")
    assert value("Status") is None
    assert pfx.codes(atomic(*adds(blob, location, **others)), check=True)[0] == 507  # type: ignore[arg-type]


def test_a_trial_finds_nothing_wrong_and_does_nothing(profile: Path) -> None:
    before = pfx.snapshot()
    assert set(pfx.codes(atomic(*adds(pfx_of(EC))), change("Delete", ""), check=True)) == {200}
    assert pfx.snapshot() == before


def test_outside_of_an_atomic_everything_has_to_be_there_before_the_blob(profile: Path) -> None:
    assert pfx.codes(*adds(pfx_of(EC))) == [200, 500, 200]
    (location, blob, password) = adds(pfx_of(EC), instance="Two")
    assert pfx.codes(location, password, blob) == [200, 200, 200]
    assert (value("Thumbprint", "Two"), value("Status", "Two")) == (sha1(EC).upper(), "0")


# Status --------------------------------------------------------------------------------------------------------------


def noted(instance: str, refused: Refused) -> None:
    """Has an install outside of an Atomic fail."""
    location = locate(f"{pfx.ROOT_URI}/{instance}/PFXCertBlob")
    note_failure(open_workspace(), View(workspace_of), Trigger(0, "Add", location), refused)


WRONG_PASSWORD = Refused(Code.COMMAND_FAILED, "the password does not open the PFX file", HRESULT.WIN32_INVALID_PASSWORD)


def test_the_status_of_an_install_that_failed_alone_is_its_result_code(profile: Path) -> None:
    location, _, password = adds(pfx_of(EC))
    assert pfx.codes(location, password) == [200, 200]
    assert value("Status") == "0"
    noted("One", WRONG_PASSWORD)
    assert (value("Status"), value("Thumbprint")) == (str(HRESULT.WIN32_INVALID_PASSWORD - 2**32), "")
    assert pfx.codes(adds(pfx_of(EC))[1]) == [200]
    assert (value("Status"), value("Thumbprint")) == ("0", sha1(EC).upper())


def test_a_replace_that_failed_leaves_what_is_installed_and_its_status_tells(profile: Path) -> None:
    installs(pfx_of(EC))
    noted("One", WRONG_PASSWORD)
    assert (value("Status"), value("Thumbprint")) == (str(HRESULT.WIN32_INVALID_PASSWORD - 2**32), sha1(EC).upper())
    signs(EC)
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()


def test_no_status_is_kept_of_an_instance_that_is_not_there(profile: Path) -> None:
    before = pfx.snapshot()
    noted("One", WRONG_PASSWORD)
    assert pfx.snapshot() == before


# Replaced ------------------------------------------------------------------------------------------------------------


def replacement(blob: bytes) -> Command:
    return change("Replace", "PFXCertBlob", base64.b64encode(blob).decode())


@pytest.mark.parametrize(("location", "device"), [(1, "with_tpm"), (3, "profile"), (4, "with_card")])
def test_a_replaced_blob_swaps_certificate_and_key(
    location: int, device: str, request: pytest.FixtureRequest, profile: Path
) -> None:
    request.getfixturevalue(device)
    installs(pfx_of(EC), location, ContainerName="web" if location == 4 else None)
    store = next(name for name, held in keys().items() if held)
    for made in (OTHER, EC):
        assert pfx.codes(replacement(pfx_of(made))) == [200]
        found = signs(made)
        assert found.key is not None
        assert pfx.thumbprints("MY") == {sha1(made)}
        assert (keys()[store], value("Thumbprint")) == ([found.key.container], sha1(made).upper())
        assert rows("intents")["intents"] == []
    assert (location != 4) or keys()[store] == ["web"]
    assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT")) == ({sha1(CA)}, {sha1(ROOT)})


def test_the_named_container_gets_a_numbered_neighbour_while_the_old_key_is_there(with_card: SoftToken) -> None:
    installs(pfx_of(EC), 4, ContainerName="web")
    assert pfx.codes(replacement(pfx_of(OTHER))) == [200]
    assert keys()["smartcard"] == ["web (2)"]


def test_a_renewed_certificate_of_the_same_key_keeps_the_key(profile: Path) -> None:
    installs(pfx_of(EC))
    before = keys()
    renewed = leaf("renewed", EC.key)
    assert pfx.codes(replacement(pfx_of(renewed))) == [200]
    assert keys() == before
    assert pfx.thumbprints("MY") == {sha1(renewed)}
    signs(renewed)


def test_another_keylocation_moves_the_key_when_the_blob_is_replaced(with_tpm: SwTpm) -> None:
    installs(pfx_of(EC))
    moved = pfx.codes(change("Replace", "KeyLocation", "1"), replacement(pfx_of(EC)))
    assert moved == [200, 200]
    found = signs(EC)
    assert found.key is not None
    assert (found.key.store, keys()["software"], keys()["tpm"]) == ("tpm", [], [found.key.container])


def test_a_replace_that_fails_leaves_the_old_certificate_and_key(profile: Path) -> None:
    installs(pfx_of(EC))
    before = pfx.snapshot()
    assert pfx.codes(atomic(replacement(pfx_of(OTHER, password="another")))) == [507, 500]
    assert pfx.snapshot() == before


def test_an_installed_blob_is_not_added_again_and_one_that_is_not_there_is_not_replaced(profile: Path) -> None:
    assert pfx.codes(replacement(pfx_of(EC))) == [404]
    installs(pfx_of(EC))
    assert pfx.codes(adds(pfx_of(OTHER))[1]) == [418]


# Removed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [EC, OTHER], ids=["the same PFX", "another PFX"])
def test_a_delete_and_a_new_add_happen_in_one_step(made: Made, profile: Path) -> None:
    installs(pfx_of(EC))
    assert set(pfx.codes(atomic(change("Delete", ""), *adds(pfx_of(made))))) == {200}
    assert pfx.thumbprints("MY") == {sha1(made)}
    signs(made)
    assert (orphans(), len(keys()["software"])) == ([], 1)
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()


def test_a_delete_whose_new_add_fails_leaves_the_old_install(profile: Path) -> None:
    installs(pfx_of(EC))
    assert pfx.failure(change("Delete", ""), *adds(pfx_of(OTHER), PFXCertPassword="another")).code == 500
    signs(EC)


def test_a_blob_that_the_same_atomic_deletes_again_is_not_installed(profile: Path) -> None:
    assert set(pfx.codes(atomic(*adds(pfx_of(EC)), change("Delete", "")))) == {200}
    assert_empty()


def test_what_two_instances_share_goes_with_the_last_of_them(profile: Path) -> None:
    installs(pfx_of(EC), instance="One")
    installs(pfx_of(EC), instance="Two")
    installs(pfx_of(OTHER), instance="Three")
    assert len(keys()["software"]) == 2
    assert pfx.codes(change("Delete", "", None, "One"), change("Delete", "", None, "Three")) == [200, 200]
    signs(EC)
    assert (pfx.thumbprints("CA"), orphans()) == ({sha1(CA)}, [])
    assert pfx.codes(change("Delete", "", None, "Two")) == [200]
    assert_empty()


def test_the_same_certificate_in_two_key_stores_keeps_the_key_that_is_left(with_tpm: SwTpm) -> None:
    installs(pfx_of(EC), 3, "One")
    installs(pfx_of(EC), 1, "Two")
    assert pfx.codes(change("Delete", "", None, "Two")) == [200]
    found = signs(EC)
    assert found.key is not None
    assert (found.key.store, keys()["tpm"]) == ("software", [])
    assert pfx.codes(change("Delete", "", None, "One")) == [200]
    assert_empty()


def test_what_was_there_before_stays(with_tpm: SwTpm) -> None:
    installs(pfx_of(EC))
    open_workspace().profile.database.execute("DELETE FROM mdm_instances")  # now it is the user's own
    before = rows("certificates", "properties")
    installs(pfx_of(EC), 1, "Two")
    assert entry_store() == "tpm"
    assert pfx.codes(change("Delete", "", None, "Two")) == [200]
    assert rows("certificates", "properties") == before
    signs(EC)


def entry_store() -> str:
    found = pfx.entry(EC).key
    assert found is not None
    return found.store


def test_a_ca_that_another_certificate_needs_stays(profile: Path) -> None:
    installs(pfx_of(EC))
    facade.add_certificate("MY", OTHER.der)
    assert pfx.codes(change("Delete", "")) == [200]
    assert pfx.thumbprints("MY") == {sha1(OTHER)}
    assert (pfx.thumbprints("CA"), pfx.thumbprints("ROOT")) == ({sha1(CA)}, {sha1(ROOT)})


def test_an_instance_without_an_install_is_deleted_too(profile: Path) -> None:
    assert pfx.codes(change("Add", "KeyLocation", "3"), change("Delete", "")) == [200, 200]
    assert value("KeyLocation") is None


def test_a_key_that_cannot_be_deleted_now_is_deleted_when_it_can_be(
    with_card: SoftToken, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    installs(pfx_of(EC), 4, ContainerName="web")
    flows.close_profile()
    monkeypatch.delenv("XENROLL_PIN")
    assert pfx.codes(change("Delete", "")) == [200]
    assert "'web' could not be deleted" in caplog.text
    assert (pfx.thumbprints("MY"), orphans()) == (set(), ["web"])
    monkeypatch.setenv("XENROLL_PIN", with_card.pin)
    recover(open_workspace())
    assert_empty()


# Friendly names, unique ids -------------------------------------------------------------------------------------------


def test_the_name_in_the_pfx_is_the_certificates_friendly_name(profile: Path) -> None:
    installs(pfx_of(EC, name="on the road"))
    assert pfx.entry(EC).friendly_name == "on the road"


@pytest.mark.parametrize("unique", ["{A b}", "100%", "%2541", "ünï"])
def test_a_unique_id_may_have_any_character(unique: str, profile: Path) -> None:
    installs(pfx_of(EC), instance=quote(unique))
    assert value("Thumbprint", quote(unique)) == sha1(EC).upper()


# Many processes, secrets ---------------------------------------------------------------------------------------------


def test_sixteen_processes_that_install_at_once_lose_nothing(profile: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", "tests.mdm.pfx_script", "install"]
    made = [leaf(f"leaf {number}") for number in range(16)]
    for number, one in enumerate(made):
        (tmp_path / f"{number}.pfx").write_bytes(pfx_of(one))
    started = [
        subprocess.Popen([*command, str(tmp_path / f"{number}.pfx"), "3", str(number)], cwd=flows.ROOT)
        for number in range(len(made))
    ]
    assert [process.wait(60) for process in started] == [0] * len(made)
    assert pfx.thumbprints("MY") == {sha1(one) for one in made}
    assert (len(keys()["software"]), orphans()) == (16, [])
    assert [value("Thumbprint", str(number)) for number in range(16)] == [sha1(one).upper() for one in made]


def test_the_password_stands_in_its_node_and_nowhere_else(
    profile: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "Tr0ub4dor-und-3"
    with caplog.at_level(logging.DEBUG):
        failed = pfx.answers(atomic(*adds(pfx_of(EC, password="another"), PFXCertPassword=secret)))
        installs(pfx_of(EC, password=secret), PFXCertPassword=secret)
        statuses = [*failed, *pfx.answers(replacement(b"no PFX"), replacement(pfx_of(OTHER)))]
    database = open_workspace().profile.database
    holders = [name for (name,) in database.query("SELECT path FROM mdm_nodes WHERE data LIKE ?", (f"%{secret}%",))]
    assert holders == ["PFXCertInstall/One/PFXCertPassword"]
    assert [row for row in database.query("SELECT facts FROM mdm_instances") if secret in str(row)] == []
    for name in ("certificates", "properties", "requests", "intents"):
        assert secret not in str(rows(name))
    database.close()
    forms = [secret.encode(form) for form in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [one for one in profile.rglob("*") if one.is_file() and not one.name.startswith("store.db")]
    assert [one for one in files if any(form in one.read_bytes() for form in forms)] == []
    assert (profile / "store.db").stat().st_mode & 0o777 == 0o600
    captured = capfd.readouterr()
    assert secret not in caplog.text + captured.out + captured.err + "".join(repr(one) for one in statuses)
