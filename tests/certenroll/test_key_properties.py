"""The key property: a private key put on its certificate and found from it again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from certenroll.cert_property_types import ICertPropertyKeyProvInfo
from certenroll.engine.opening import open_workspace
from certenroll.enums import EncodingType
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.object_ids import object_id
from certenroll.private_keys import IX509PrivateKey
from tests.support.stored_certificates import MACHINE, USER, certificate, initialized, on_certificate, refused, stored

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
HEXRAW = EncodingType.XCN_CRYPT_STRING_HEXRAW
P256 = "1.2.840.10045.3.1.7"


@pytest.fixture(autouse=True)
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("XENROLL_KEY_LOCATION", "XENROLL_PKCS11_MODULE", "XENROLL_PKCS11_TOKEN", "XENROLL_PIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for context in (USER, MACHINE):
        open_workspace(context).profile.database.close()


def made_key(container: str = "box", *, machine: bool = False) -> IX509PrivateKey:
    key = IX509PrivateKey()
    key.ContainerName, key.Algorithm, key.MachineContext = container, object_id(P256), machine
    key.Create()
    return key


def test_a_private_key_goes_onto_its_certificate_and_comes_from_it() -> None:
    key = made_key()
    der = stored(der=certificate(key.stored_key().private_key))
    made = initialized(ICertPropertyKeyProvInfo, key)
    made.SetValueOnCertificate(False, BINARY, der)
    assert made.PrivateKey is key
    read = ICertPropertyKeyProvInfo()
    read.InitializeFromCertificate(False, HEXRAW, hashlib.sha1(der).hexdigest())
    again = read.PrivateKey
    assert (again.ContainerName, again.MachineContext, again.Opened) == ("box", False, False)
    again.Open()
    assert again.stored_key().info.public_key == key.stored_key().info.public_key


def test_a_closed_private_key_is_opened() -> None:
    made_key().Close()
    key = IX509PrivateKey()
    key.ContainerName = "box"
    initialized(ICertPropertyKeyProvInfo, key)
    assert key.Opened


def test_a_private_key_that_is_missing_or_not_there_is_refused() -> None:
    refused(HRESULT.CERTSRV_E_PROPERTY_EMPTY, ICertPropertyKeyProvInfo().Initialize, None)
    key = IX509PrivateKey()
    key.ContainerName = "nothing"
    refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, ICertPropertyKeyProvInfo().Initialize, key)


def test_the_key_of_another_certificate_is_refused_and_changes_nothing() -> None:
    der, made = stored(), initialized(ICertPropertyKeyProvInfo, made_key())
    refused(HRESULT.NTE_BAD_PUBLIC_KEY, made.SetValueOnCertificate, False, BINARY, der)
    assert on_certificate(der, 2) is None


def test_a_key_that_was_deleted_since_is_refused() -> None:
    key = made_key()
    der = stored(der=certificate(key.stored_key().private_key))
    made = initialized(ICertPropertyKeyProvInfo, key)
    key.Delete()
    refused(HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, made.SetValueOnCertificate, False, BINARY, der)


def test_a_key_property_that_leads_to_no_key_store_is_refused() -> None:
    key = made_key()
    der = stored(der=certificate(key.stored_key().private_key))
    facts = json.loads(bytes(initialized(ICertPropertyKeyProvInfo, key).RawData(BINARY)))
    made = ICertPropertyKeyProvInfo()
    made.InitializeDecode(BINARY, json.dumps(facts | {"store": "/etc/passwd"}).encode())
    with pytest.raises(ComError):
        made.SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, 2) is None


def test_a_machine_key_goes_onto_a_certificate_of_the_user() -> None:
    key = made_key(machine=True)
    der = stored(der=certificate(key.stored_key().private_key))
    initialized(ICertPropertyKeyProvInfo, key).SetValueOnCertificate(False, BINARY, der)
    read = ICertPropertyKeyProvInfo()
    read.InitializeFromCertificate(False, BINARY, der)
    assert read.PrivateKey.MachineContext


def test_the_key_property_looks_in_my_and_request_alone() -> None:
    key = made_key()
    der = stored("CA", certificate(key.stored_key().private_key))
    made = initialized(ICertPropertyKeyProvInfo, key)
    refused(HRESULT.CRYPT_E_NOT_FOUND, made.SetValueOnCertificate, False, BINARY, der)
    stored("REQUEST", der)
    made.SetValueOnCertificate(False, BINARY, der)
    assert on_certificate(der, 2, "REQUEST") is not None


def test_a_certificate_without_the_key_property_is_asked_for_its_key() -> None:
    key = made_key()
    der = stored(der=certificate(key.stored_key().private_key))
    read = ICertPropertyKeyProvInfo()
    read.InitializeFromCertificate(False, BINARY, der)
    assert read.PrivateKey.ContainerName == "box"
    stranger = stored(der=certificate(name="stranger"))
    refused(
        HRESULT.CRYPT_E_UNEXPECTED_MSG_TYPE, ICertPropertyKeyProvInfo().InitializeFromCertificate, False, BINARY, stranger
    )
