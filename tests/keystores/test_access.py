"""The key stores of a profile: what is tried, what is recorded, what falls back and what does not."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from keystores.access import KeyStores, KeyStoreSettings
from keystores.base import KeyAlgorithm, KeyLocation, KeyTemplate, Scope, Secret
from keystores.errors import (
    KeyExists,
    KeyStoreError,
    NoSuchKey,
    NotPermitted,
    PackageMissing,
    StoreUnavailable,
    UnsupportedKey,
)
from keystores.routing import route
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

P256 = KeyTemplate(KeyAlgorithm.EC, 256)
SOFTWARE = route(KeyLocation.SOFTWARE, None, None)
PREFERRED = route(KeyLocation.TPM_PREFERRED, None, None)
REQUIRED = route(KeyLocation.TPM_REQUIRED, None, None)
CARD = route(KeyLocation.NAMED_CONTAINER, None, None)


def stores_in(folder: Path, **environ: str) -> KeyStores:
    return KeyStores(KeyStoreSettings.from_environment(folder, Scope.USER, environ))


@pytest.fixture
def without_devices(tmp_path: Path) -> KeyStores:
    missing = str(tmp_path / "missing")
    return stores_in(tmp_path, XENROLL_TPM_TCTI=f"swtpm:path={missing}", XENROLL_PKCS11_MODULE=missing)


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    made = KeyStoreSettings.from_environment(
        tmp_path,
        Scope.MACHINE,
        {
            "XENROLL_TPM_TCTI": "device:/dev/tpmrm0",
            "XENROLL_PKCS11_MODULE": "/usr/lib/card.so",
            "XENROLL_PKCS11_TOKEN": "pkcs11:token=A",
            "XENROLL_PIN": "1234",
        },
    )
    assert (made.software_directory, made.tpm_directory) == (tmp_path / "keys/software", tmp_path / "keys/tpm")
    assert (made.tcti, made.pkcs11_module, made.token) == ("device:/dev/tpmrm0", "/usr/lib/card.so", "pkcs11:token=A")
    assert made.pins("") == Secret("1234")
    assert "1234" not in repr(made)


def test_a_software_key_is_made_opened_exported_and_deleted(without_devices: KeyStores) -> None:
    made = without_devices.create(SOFTWARE, "web", KeyTemplate(KeyAlgorithm.EC, 256, exportable=True))
    assert (made.asked, made.used, made.fallback) == (KeyLocation.SOFTWARE, KeyLocation.SOFTWARE, None)
    assert without_devices.open("software", "web").info == made.key.info
    assert without_devices.export("software", "web").key_size == 256
    without_devices.delete("software", "web")
    with pytest.raises(NoSuchKey):
        without_devices.open("software", "web")


@pytest.mark.parametrize("name", [None, ""])
def test_a_container_without_a_name_gets_a_guid(without_devices: KeyStores, name: str | None) -> None:
    made = without_devices.create(route(None, None, None), name, P256)
    assert str(UUID(made.key.info.container)) == made.key.info.container
    assert made.asked is None


def test_a_named_container_without_a_name_is_refused_before_anything_is_tried(without_devices: KeyStores) -> None:
    with pytest.raises(KeyStoreError, match="ContainerName") as caught:
        without_devices.create(CARD, None, P256)
    assert caught.value.hresult == 0x8009001F


def test_a_preferred_tpm_that_is_not_there_falls_back_and_says_so(
    without_devices: KeyStores, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "keystores"):
        made = without_devices.create(PREFERRED, "web", P256)
    assert (made.asked, made.used) == (KeyLocation.TPM_PREFERRED, KeyLocation.SOFTWARE)
    assert made.key.info.store == "software"
    assert made.fallback
    assert made.fallback in caplog.text


def test_a_required_tpm_that_is_not_there_is_an_error(without_devices: KeyStores) -> None:
    with pytest.raises(StoreUnavailable):
        without_devices.create(REQUIRED, "web", P256)
    assert without_devices.get("software").list() == []


def test_a_preferred_tpm_that_is_there_has_the_key(tmp_path: Path) -> None:
    with SwTpm() as tpm:
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        made = stores.create(PREFERRED, "web", P256)
        assert (made.used, made.fallback, made.key.info.store) == (KeyLocation.TPM_PREFERRED, None, "tpm")
        assert stores.create(REQUIRED, "two", P256).used is KeyLocation.TPM_REQUIRED
        with pytest.raises(NotPermitted):
            stores.export("tpm", "web")
        stores.close()


def test_a_size_that_the_tpm_lacks_does_not_fall_back(tmp_path: Path) -> None:
    with SwTpm() as tpm:
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        with pytest.raises(UnsupportedKey):
            stores.create(PREFERRED, "web", KeyTemplate(KeyAlgorithm.RSA, 4096))
        assert stores.get("software").list() == []
        stores.close()


def test_a_container_that_the_tpm_has_does_not_fall_back(tmp_path: Path) -> None:
    with SwTpm() as tpm:
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        stores.create(PREFERRED, "web", P256)
        with pytest.raises(KeyExists):
            stores.create(PREFERRED, "web", P256)
        stores.close()


def test_a_key_is_found_in_the_store_that_it_fell_back_to(tmp_path: Path, without_devices: KeyStores) -> None:
    made = without_devices.create(PREFERRED, "web", P256)
    assert without_devices.find(PREFERRED, "web").info == made.key.info
    with SwTpm() as tpm:
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        assert stores.find(PREFERRED, "web").info == made.key.info
        with pytest.raises(NoSuchKey):
            stores.find(PREFERRED, "other")
        stores.close()


def test_a_card_key_goes_to_its_container(tmp_path: Path) -> None:
    with SoftToken() as token:
        stores = stores_in(tmp_path, **token.environ)
        made = stores.create(CARD, "web", P256)
        assert (made.used, made.key.info.store, made.key.info.container) == (4, "smartcard", "web")
        moved = stores.create(route(None, KeyLocation.NAMED_CONTAINER, None), None, P256)
        assert UUID(moved.key.info.container)
        assert stores.find(CARD, "web").info == made.key.info


def test_a_key_from_outside_goes_to_the_first_store_that_is_there(without_devices: KeyStores) -> None:
    given = ec.generate_private_key(ec.SECP256R1())
    made = without_devices.import_key(PREFERRED, "web", given)
    assert (made.used, made.key.info.generated) == (KeyLocation.SOFTWARE, False)
    assert made.fallback


def test_an_exportable_key_falls_back_where_there_is_no_tpm(without_devices: KeyStores) -> None:
    made = without_devices.create(PREFERRED, "web", KeyTemplate(KeyAlgorithm.EC, 256, exportable=True))
    assert (made.used, made.key.info.exportable) == (KeyLocation.SOFTWARE, True)


def test_an_exportable_key_is_refused_by_the_tpm_and_does_not_fall_back(tmp_path: Path) -> None:
    with SwTpm() as tpm:
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        with pytest.raises(NotPermitted):
            stores.create(PREFERRED, "web", KeyTemplate(KeyAlgorithm.EC, 256, exportable=True))
        assert stores.get("software").list() == []
        stores.close()


def test_where_the_environment_leads_to_a_tpm_an_exportable_key_is_made_or_imported_as_one_that_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moved = route(None, KeyLocation.TPM_REQUIRED, None)
    with SwTpm() as tpm, caplog.at_level(logging.WARNING, "keystores"):
        stores = stores_in(tmp_path, XENROLL_TPM_TCTI=tpm.tcti)
        assert not stores.create(moved, "made", KeyTemplate(KeyAlgorithm.EC, 256, exportable=True)).key.info.exportable
        given = ec.generate_private_key(ec.SECP256R1())
        assert not stores.import_key(moved, "given", given, exportable=True).key.info.exportable
        stores.close()
    assert caplog.text.count("asked for as exportable") == 2


def test_every_store_is_reported_with_its_keys_or_what_stands_in_the_way(without_devices: KeyStores) -> None:
    made = without_devices.create(SOFTWARE, "web", P256)
    software, tpm, card = without_devices.list_all()
    assert (software.store, software.keys, software.error) == ("software", (made.key.info,), None)
    assert (tpm.store, tpm.keys) == ("tpm", ())
    assert (card.store, card.keys) == ("smartcard", ())
    assert isinstance(card.error, StoreUnavailable)


def test_a_store_that_does_not_exist_is_an_error(without_devices: KeyStores) -> None:
    with pytest.raises(KeyStoreError, match="software, tpm, smartcard"):
        without_devices.get("cloud")


def test_a_store_is_opened_once(without_devices: KeyStores) -> None:
    assert without_devices.get("software") is without_devices.get("software")


def test_software_keys_need_no_device_package(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from keystores.access import KeyStores, KeyStoreSettings
from keystores.base import KeyAlgorithm, KeyTemplate, Scope
from keystores.routing import route
stores = KeyStores(KeyStoreSettings.from_environment(Path(sys.argv[1]), Scope.USER, {}))
stores.create(route(None, None, None), "web", KeyTemplate(KeyAlgorithm.EC, 256))
assert not {"pkcs11", "tpm2_pytss", "keystores.tpm", "keystores.smartcard"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_a_device_whose_package_is_missing_is_named_with_the_extra_to_install(tmp_path: Path) -> None:
    code = """
import importlib.util, sys
from pathlib import Path
sys.modules["pkcs11"] = sys.modules["tpm2_pytss"] = None
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("pkcs11", "tpm2_pytss") else find(name, *rest)
from keystores.access import KeyStores, KeyStoreSettings
from keystores.base import KeyAlgorithm, KeyLocation, KeyTemplate, Scope
from keystores.errors import PackageMissing
from keystores.routing import route
stores = KeyStores(KeyStoreSettings.from_environment(Path(sys.argv[1]), Scope.USER, {}))
for location, extra in ((1, "tpm"), (4, "smartcard")):
    try:
        stores.create(route(KeyLocation(location), None, None), "web", KeyTemplate(KeyAlgorithm.EC, 256))
    except PackageMissing as error:
        assert f"xenroll[{extra}]" in str(error), error
    else:
        raise AssertionError(location)
made = stores.create(route(KeyLocation(2), None, None), "web", KeyTemplate(KeyAlgorithm.EC, 256))
assert made.used == 3 and made.fallback
"""
    assert issubclass(PackageMissing, StoreUnavailable)
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
