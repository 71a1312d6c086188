"""The keys of installed PFXs among all others: which are somebody's, and which are nobody's any more."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from certenroll import facade
from certenroll.asn1.pfx import write_pfx
from certenroll.engine.key_lookup import owned_containers
from certenroll.engine.opening import open_workspace
from tests.mdm import pfx_bundles as pfx
from tests.mdm.pfx_bundles import (
    PASSWORD,
    assert_empty,
    authorities,
    change,
    entry,
    installs,
    leaf,
    pfx_of,
    sha1,
    signs,
    value,
)
from tests.stores.pki import Made, make
from tests.support.cli import Cli
from tests.support.profiles import keys, orphans

EC = leaf()


def key_of_entry() -> str:
    """The container that the certificate leads to."""
    found = entry(EC).key
    assert found is not None
    return found.container


def twice() -> tuple[str, str]:
    """The same PFX as two instances, not exportable and exportable: the containers of their keys."""
    installs(pfx_of(EC), instance="A", PFXKeyExportable="false")
    first = key_of_entry()
    installs(pfx_of(EC), instance="B", PFXKeyExportable="true")
    assert key_of_entry() != first
    return first, key_of_entry()


def test_the_key_of_a_pfx_is_no_orphan_while_its_certificate_leads_to_anothers(profile: Path) -> None:
    first, second = twice()
    assert (sorted(keys()["software"]), orphans()) == (sorted((first, second)), [])
    assert pfx.codes(change("Delete", "", None, "B")) == [200]
    assert (key_of_entry(), keys()["software"], orphans()) == (first, [first], [])
    signs(EC)


@pytest.mark.parametrize("kept", ["A", "B"])
def test_deleting_one_of_two_instances_takes_its_own_key_alone(kept: str, profile: Path) -> None:
    held = dict(zip("AB", twice(), strict=True))
    (gone,) = set("AB") - {kept}
    assert pfx.codes(change("Delete", "", None, gone)) == [200]
    assert (keys()["software"], orphans(), value("Thumbprint", kept)) == ([held[kept]], [], sha1(EC).upper())
    assert pfx.codes(change("Delete", "", None, kept)) == [200]
    assert keys()["software"] == []


def test_the_command_line_deletes_the_key_of_a_pfx_by_force_only(profile: Path, tmp_path: Path) -> None:
    first, _ = twice()
    run = Cli(profile, tmp_path)
    listed = {row["container"]: row["orphan"] for row in run.json("keys", "list")}
    assert listed == dict.fromkeys(keys()["software"], False)
    assert "--force" in run("keys", "delete", "software", first, code=1).stderr
    assert first in keys()["software"]
    run("keys", "delete", "software", first, "--force")
    assert first not in keys()["software"]
    assert pfx.codes(change("Delete", "", None, "A"), change("Delete", "", None, "B")) == [200, 200]
    assert keys()["software"] == []


def test_a_key_that_a_pfx_found_here_and_gives_back_is_no_orphan_meanwhile(profile: Path) -> None:
    installs(pfx_of(EC), PFXKeyExportable="false")
    open_workspace().profile.database.execute("DELETE FROM mdm_instances")  # now it is the user's own
    mine = key_of_entry()
    installs(pfx_of(EC), instance="Two")
    assert (key_of_entry() != mine, orphans()) == (True, [])
    assert pfx.codes(change("Delete", "", None, "Two")) == [200]
    assert (key_of_entry(), keys()["software"], orphans()) == (mine, [mine], [])


def test_a_key_whose_certificate_somebody_removed_is_the_instances_until_its_delete(profile: Path) -> None:
    installs(pfx_of(EC))
    key = key_of_entry()
    facade.delete_certificate("MY", sha1(EC))
    assert (keys()["software"], orphans()) == ([key], [])
    assert pfx.codes(change("Delete", "")) == [200]
    assert keys()["software"] == []


def test_a_key_of_an_install_that_was_replaced_is_nobodys(profile: Path) -> None:
    installs(pfx_of(EC))
    first = ("software", key_of_entry())
    blob = base64.b64encode(pfx_of(leaf("next"))).decode()
    assert pfx.codes(change("Replace", "PFXCertBlob", blob)) == [200]
    assert first not in owned_containers(open_workspace())
    assert owned_containers(open_workspace()) == {("software", one) for one in keys()["software"]}


def test_a_certificate_gets_its_own_key_back_when_the_other_instance_is_renewed(profile: Path) -> None:
    renewed = make("renewed", authorities()[1], private=EC.key)
    first, _ = twice()
    blob = base64.b64encode(pfx_of(renewed)).decode()
    assert pfx.codes(change("Replace", "PFXCertBlob", blob, "B")) == [200]
    assert key_of_entry() == first
    assert pfx.codes(change("Delete", "", None, "B")) == [200]
    assert (keys()["software"], orphans()) == ([first], [])


# Certificates above the keys -----------------------------------------------------------------------------------------


def partial_chain(made: Made) -> bytes:
    """A PFX with the CA and without the root."""
    return write_pfx(made.key, made.der, [authorities()[1].der], PASSWORD, "", legacy=True)


def test_a_root_that_another_instances_chain_needs_leaves_with_that_instance(profile: Path) -> None:
    root, _ = authorities()
    installs(pfx_of(EC), instance="A")
    installs(partial_chain(leaf("next")), instance="B")
    assert pfx.codes(change("Delete", "", None, "A")) == [200]
    assert pfx.thumbprints("ROOT") == {sha1(root)}
    assert pfx.codes(change("Delete", "", None, "B")) == [200]
    assert_empty()


def test_a_root_that_a_replaced_blob_no_longer_brings_leaves_with_the_instance(profile: Path) -> None:
    root, _ = authorities()
    installs(pfx_of(EC))
    blob = base64.b64encode(partial_chain(leaf("next"))).decode()
    assert pfx.codes(change("Replace", "PFXCertBlob", blob)) == [200]
    assert pfx.thumbprints("ROOT") == {sha1(root)}
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()


def test_a_root_and_its_successor_of_the_same_name_both_leave(profile: Path) -> None:
    root, above = authorities()
    successor = make("Test Root", ca=True, private=root.key)
    assert successor.der != root.der
    chain = [above.der, root.der, successor.der]
    installs(write_pfx(EC.key, EC.der, chain, PASSWORD, "", legacy=True))
    assert sha1(root) in pfx.thumbprints("ROOT") | pfx.thumbprints("CA")
    assert pfx.codes(change("Delete", "")) == [200]
    assert_empty()
