"""The control's stores by their properties: system, file and memory stores, their flags, and what a crash leaves."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs7

from certenroll import facade
from certenroll.asn1.serialized_stores import (
    SerializedElement,
    SerializedStore,
    decode_serialized_store,
    encode_serialized_store,
)
from certenroll.ca.local import LocalCA
from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll
from xenroll_compat.files import files_found_by

STORES = ("My", "CA", "Root", "Request")


def issued(control: Any, ca: LocalCA) -> bytes:
    return answer_of(ca, control.createPKCS10WStr("CN=User", ""))


def subjects(store: str, context: int = 1) -> list[str]:
    return [one.subject for one in facade.certificates(store, context)]


def shown(file: Path) -> list[str]:
    """The subjects that openssl reads from a PKCS #7, sorted."""
    judge = [program("openssl"), "pkcs7", "-inform", "DER", "-print_certs", "-noout", "-in", str(file)]
    text = subprocess.run(judge, capture_output=True, text=True, check=True).stdout
    return sorted(line.partition("=")[2].strip() for line in text.splitlines() if line.startswith("subject="))


def in_file(control: Any, which: str, file: Path) -> None:
    setattr(control, f"{which}StoreType", "File")
    setattr(control, f"{which}StoreName", str(file))


def leaf_of(answer: bytes) -> bytes:
    found = pkcs7.load_der_pkcs7_certificates(answer)
    leaf = next(one for one in found if "User" in one.subject.rfc4514_string())
    return leaf.public_bytes(serialization.Encoding.DER)


def ca_certificates(ca: LocalCA) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(one) for one in ca.certificates()]


@pytest.mark.parametrize("which", STORES)
@pytest.mark.parametrize("provider", ["Ldap", "Collection", "PKCS7", "PKCS12", "Serialized", "SmartCard", "Bogus"])
def test_other_providers_are_refused_as_certopenstore_refuses_them(which: str, provider: str) -> None:
    control: Any = CEnroll()
    refused(HRESULT.WIN32_FILE_NOT_FOUND, setattr, control, f"{which}StoreType", provider)
    refused(HRESULT.WIN32_FILE_NOT_FOUND, setattr, control, f"{which}StoreTypeWStr", provider)
    assert getattr(control, f"{which}StoreType") == "System"


@pytest.mark.parametrize("which", STORES)
@pytest.mark.parametrize("provider", ["System", "file", "MEMORY"])
def test_a_type_reads_as_it_was_set_until_reset(which: str, provider: str) -> None:
    control: Any = CEnroll()
    setattr(control, f"{which}StoreTypeWStr", provider)
    assert getattr(control, f"{which}StoreType") == provider
    control.Reset()
    assert getattr(control, f"{which}StoreType") == "System"
    setattr(control, f"{which}StoreType", "")
    assert getattr(control, f"{which}StoreType") == "System"


def test_an_answer_goes_to_files_that_openssl_reads(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    for which in ("My", "CA", "Root"):
        in_file(control, which, tmp_path / which)
    control.acceptPKCS7(issued(control, ca))
    found = [shown(tmp_path / one) for one in ("My", "CA", "Root")]
    assert found == [["CN = User"], ["CN = Test CA"], ["CN = Test CA Root"]]
    assert [subjects(store) for store in ("MY", "CA", "ROOT", "REQUEST")] == [[], [], [], []]
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]


def test_one_file_may_be_every_store_and_grows_with_each_answer(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    for which in ("My", "CA", "Root"):
        in_file(control, which, tmp_path / "all.p7b")
    for _ in range(2):
        control.acceptPKCS7(issued(control, ca))
    assert shown(tmp_path / "all.p7b") == ["CN = Test CA", "CN = Test CA Root", "CN = User", "CN = User"]


def test_the_same_answer_accepted_again_changes_nothing(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    in_file(control, "My", tmp_path / "my.p7b")
    control.DeleteRequestCert = False
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    first = (tmp_path / "my.p7b").read_bytes()
    control.acceptPKCS7(answer)
    assert (tmp_path / "my.p7b").read_bytes() == first
    assert subjects("REQUEST") == ["CN=User"]


@pytest.mark.parametrize("pem", [False, True])
def test_a_pkcs7_that_is_there_keeps_its_certificates(control: Any, ca: LocalCA, tmp_path: Path, pem: bool) -> None:
    encoding = serialization.Encoding.PEM if pem else serialization.Encoding.DER
    (tmp_path / "store").write_bytes(pkcs7.serialize_certificates(ca_certificates(ca), encoding))
    in_file(control, "My", tmp_path / "store")
    control.acceptPKCS7(issued(control, ca))
    assert shown(tmp_path / "store") == ["CN = Test CA", "CN = Test CA Root", "CN = User"]


def test_a_serialized_store_stays_one_and_keeps_what_it_has(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    root = SerializedElement(ca.certificates()[-1], {2: b"another machine's key", 11: "Root".encode("utf-16-le") + b"\0\0"})
    (tmp_path / "my.sst").write_bytes(encode_serialized_store(SerializedStore((root,), (SerializedElement(b"a CRL"),))))
    in_file(control, "My", tmp_path / "my.sst")
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    kept = decode_serialized_store((tmp_path / "my.sst").read_bytes())
    assert kept.certificates[0] == root
    assert kept.crls == (SerializedElement(b"a CRL"),)
    assert kept.certificates[1].der == leaf_of(answer)
    assert 2 not in kept.certificates[1].properties  # where the key is, is known here alone


@pytest.mark.parametrize("ending", [".p7c", ".spc", ".SPC"])
def test_some_endings_are_written_as_pkcs7_in_any_case(control: Any, ca: LocalCA, tmp_path: Path, ending: str) -> None:
    root = SerializedElement(ca.certificates()[-1])
    (tmp_path / f"my{ending}").write_bytes(encode_serialized_store(SerializedStore((root,))))
    in_file(control, "My", tmp_path / f"my{ending}")
    control.acceptPKCS7(issued(control, ca))
    assert shown(tmp_path / f"my{ending}") == ["CN = Test CA Root", "CN = User"]


def test_a_file_that_is_no_store_is_refused_and_nothing_changes(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    answer = issued(control, ca)
    in_file(control, "My", tmp_path / "file")
    for content, code in ((b"nonsense", HRESULT.CRYPT_E_ASN1_EOD), (ca.certificates()[0], HRESULT.E_ACCESSDENIED)):
        (tmp_path / "file").write_bytes(content)
        refused(code, control.acceptPKCS7, answer)
        assert (tmp_path / "file").read_bytes() == content
    control.MyStoreName = str(tmp_path / "none" / "file")
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.acceptPKCS7, answer)
    control.MyStoreName = ""
    refused(HRESULT.E_INVALIDARG, control.acceptPKCS7, answer)
    assert subjects("REQUEST") == ["CN=User"]
    assert not subjects("CA")


def test_a_file_is_looked_for_where_the_scripts_host_says(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    def inside(name: str) -> Path:
        if "/" in name:
            raise ComError(HRESULT.E_ACCESSDENIED, "outside the folder")
        return tmp_path / name

    answer = issued(control, ca)
    with files_found_by(inside):
        in_file(control, "My", tmp_path / "my.p7b")
        refused(HRESULT.E_ACCESSDENIED, control.acceptPKCS7, answer)
        control.MyStoreName = "my.p7b"
        control.acceptPKCS7(answer)
    assert shown(tmp_path / "my.p7b") == ["CN = User"]


def test_a_refused_answer_leaves_the_file_as_it_was(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    in_file(control, "My", tmp_path / "my.p7b")
    damaged = bytearray(leaf_of(issued(control, ca)))
    damaged[-1] ^= 1
    certificates = [x509.load_der_x509_certificate(bytes(damaged)), *ca_certificates(ca)]
    message = pkcs7.serialize_certificates(certificates, serialization.Encoding.DER)
    refused(HRESULT.TRUST_E_CERT_SIGNATURE, control.acceptPKCS7, message)
    assert not (tmp_path / "my.p7b").exists()
    assert subjects("REQUEST") == ["CN=User"]


def test_a_file_that_cannot_be_written_leaves_the_profile_as_it_was(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    """Nobody can make a file in /proc: that is known when the other stores are ready, and all of it is taken back."""
    answer = issued(control, ca)
    in_file(control, "My", tmp_path / "my.p7b")
    in_file(control, "Root", Path("/proc") / "root.p7b")
    with pytest.raises(ComError):
        control.acceptPKCS7(answer)
    assert not (tmp_path / "my.p7b").exists()
    assert [subjects(store) for store in ("MY", "CA", "ROOT", "REQUEST")] == [[], [], [], ["CN=User"]]
    control.RootStoreType, control.RootStoreName = "System", "ROOT"
    control.acceptPKCS7(answer)
    assert shown(tmp_path / "my.p7b") == ["CN = User"]
    assert [subjects(store) for store in ("CA", "ROOT", "REQUEST")] == [["CN=Test CA"], ["CN=Test CA Root"], []]


def test_an_accepted_certificate_of_a_file_still_leaves_as_a_pfx(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    in_file(control, "My", tmp_path / "my.p7b")
    control.acceptPKCS7(issued(control, ca))
    control.createFilePFX("secret", str(tmp_path / "out.pfx"))
    (tmp_path / "out.p12").write_bytes(base64.b64decode((tmp_path / "out.pfx").read_bytes()))
    judge = [program("openssl"), "pkcs12", "-in", str(tmp_path / "out.p12"), "-passin", "pass:secret", "-nokeys", "-nodes"]
    assert subprocess.run(judge, capture_output=True, text=True, check=True).stdout.count("BEGIN CERTIFICATE") == 3


def test_certificates_without_a_request_go_to_the_files_too(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    for which in ("CA", "Root"):
        in_file(control, which, tmp_path / "chain.p7b")
    chain = pkcs7.serialize_certificates(ca_certificates(ca), serialization.Encoding.DER)
    assert (control.InstallPKCS7Ex(chain), control.InstallPKCS7Ex(chain)) == (2, 0)
    assert shown(tmp_path / "chain.p7b") == ["CN = Test CA", "CN = Test CA Root"]
    assert not subjects("CA")


def test_a_memory_store_takes_the_certificate_and_nothing_else_does(control: Any, ca: LocalCA) -> None:
    control.MyStoreType = "Memory"
    control.acceptPKCS7(issued(control, ca))
    assert not subjects("MY")
    assert subjects("CA") == ["CN=Test CA"]
    assert [len(one.certificates) for one in [control.opened_store("My")]] == [1]
    assert control.createPFX("secret")
    control.Reset()
    control.MyStoreType = "Memory"
    assert control.opened_store("My").certificates == ()


@pytest.mark.parametrize("which", ["My", "Request"])
@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (0x50000, HRESULT.WIN32_FILE_NOT_FOUND),  # SERVICES
        (0x60000, HRESULT.WIN32_FILE_NOT_FOUND),  # USERS
        (0x40000, HRESULT.WIN32_FILE_NOT_FOUND),  # CURRENT_SERVICE
        (0x30000, HRESULT.WIN32_FILE_NOT_FOUND),  # no location
        (0x80010000, HRESULT.E_INVALIDARG),  # RELOCATE
        (0x10010, HRESULT.E_INVALIDARG),  # DELETE
        (0x18000, HRESULT.E_ACCESSDENIED),  # READONLY
        (0x10800, HRESULT.E_ACCESSDENIED),  # BACKUP_RESTORE
        (0x12000, HRESULT.WIN32_FILE_EXISTS),  # CREATE_NEW
    ],
)
def test_flags_with_which_no_system_store_opens_are_refused(
    control: Any, ca: LocalCA, which: str, flags: int, code: HRESULT
) -> None:
    answer = issued(control, ca)
    setattr(control, f"{which}StoreFlags", flags)
    refused(code, control.acceptPKCS7, answer)
    if which == "Request":
        refused(code, control.createPKCS10, "CN=x", "")
    assert subjects("REQUEST") == ["CN=User"]
    assert not subjects("MY")


@pytest.mark.parametrize("flags", [0, 0x10000, 0x70000, 0x14000, 0x40010000])
def test_other_flags_open_the_users_stores(control: Any, ca: LocalCA, flags: int) -> None:
    control.MyStoreFlags = flags
    control.acceptPKCS7(issued(control, ca))
    assert subjects("MY") == ["CN=User"]


@pytest.mark.parametrize("flags", [0x20000, 0x80000, 0x90000])
def test_the_machines_locations_are_the_machines_stores(control: Any, ca: LocalCA, flags: int) -> None:
    control.RequestStoreFlags = control.MyStoreFlags = flags
    control.acceptPKCS7(issued(control, ca))
    assert subjects("MY", 2) == ["CN=User"]
    assert not subjects("MY")


@pytest.mark.parametrize(("mine", "theirs"), [(1, 2), (2, 1)])
def test_chain_and_root_go_where_their_own_flags_say(control: Any, ca: LocalCA, mine: int, theirs: int) -> None:
    locations = {1: 0x10000, 2: 0x20000}
    control.RequestStoreFlags = control.MyStoreFlags = locations[mine]
    control.CAStoreFlags = control.RootStoreFlags = locations[theirs]
    answer = issued(control, ca)
    control.DeleteRequestCert = False
    for _ in range(2):
        control.acceptPKCS7(answer)
        assert [subjects(store, mine) for store in ("MY", "CA", "ROOT")] == [["CN=User"], [], []]
        assert [subjects(store, theirs) for store in ("MY", "CA", "ROOT")] == [[], ["CN=Test CA"], ["CN=Test CA Root"]]
    assert control.InstallPKCS7Ex(answer) == 0


def test_a_machines_chain_goes_with_its_certificate_where_no_flags_say_otherwise(control: Any, ca: LocalCA) -> None:
    control.MyStoreFlags = 0x20000
    control.acceptPKCS7(issued(control, ca))
    assert [subjects(store, 2) for store in ("MY", "CA", "ROOT")] == [["CN=User"], ["CN=Test CA"], ["CN=Test CA Root"]]


def test_a_file_store_that_would_not_be_saved_is_refused(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    answer = issued(control, ca)
    in_file(control, "My", tmp_path / "my.p7b")
    for flags in (0, 0x20000):
        control.MyStoreFlags = flags
        refused(HRESULT.E_INVALIDARG, control.acceptPKCS7, answer)
    control.MyStoreFlags = 0x14000
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.acceptPKCS7, answer)
    control.MyStoreFlags = 0x12000
    control.acceptPKCS7(answer)
    refused(HRESULT.WIN32_FILE_EXISTS, control.acceptPKCS7, issued(control, ca))
    assert shown(tmp_path / "my.p7b") == ["CN = User"]


def test_a_store_of_ones_own_name_may_have_to_be_there(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    control.MyStoreName, control.MyStoreFlags = "Mine", 0x14000
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.acceptPKCS7, answer)
    control.MyStoreFlags = 0x12000
    control.acceptPKCS7(answer)
    assert subjects("Mine") == ["CN=User"]
    refused(HRESULT.WIN32_FILE_EXISTS, control.acceptPKCS7, issued(control, ca))


def test_a_request_stands_in_its_file_and_stays_in_the_profile(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    in_file(control, "Request", tmp_path / "requests.p7b")
    answer = issued(control, ca)
    assert shown(tmp_path / "requests.p7b") == ["CN = User"]
    assert subjects("REQUEST") == ["CN=User"]
    control.acceptPKCS7(answer)
    assert shown(tmp_path / "requests.p7b") == []
    assert (subjects("REQUEST"), subjects("MY")) == ([], ["CN=User"])


@pytest.mark.parametrize("provider", ["Memory", "File"])
def test_a_request_whose_store_is_gone_is_answered_all_the_same(
    control: Any, ca: LocalCA, tmp_path: Path, provider: str
) -> None:
    control.RequestStoreType, control.RequestStoreName = provider, str(tmp_path / "requests")
    answer = issued(control, ca)
    (tmp_path / "requests").unlink(missing_ok=True)
    CEnroll().acceptPKCS7(answer)
    assert subjects("MY") == ["CN=User"]


def test_a_withdrawn_request_leaves_its_file(control: Any, tmp_path: Path) -> None:
    in_file(control, "Request", tmp_path / "requests.p7b")
    control.createPKCS10("CN=User", "")
    control.removePendingRequest(control.ThumbPrint)
    assert shown(tmp_path / "requests.p7b") == []


def test_a_request_whose_file_cannot_be_written_is_not_made(control: Any, tmp_path: Path) -> None:
    in_file(control, "Request", tmp_path / "none" / "requests.p7b")
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.createPKCS10, "CN=User", "")
    assert not subjects("REQUEST")
    refused(HRESULT.WIN32_NO_MORE_ITEMS, control.enumContainers, 0)


def test_a_card_that_is_away_refuses_an_answer_as_a_whole(
    control: Any, ca: LocalCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    control.GenKeyFlags = 0
    in_file(control, "My", tmp_path / "my.p7b")
    with SoftToken():
        answer = issued(control, ca)
    with pytest.raises(ComError):
        control.acceptPKCS7(answer)
    assert not (tmp_path / "my.p7b").exists()
    assert subjects("REQUEST") == ["CN=User"]


def test_a_card_has_the_certificate_of_a_file_too(
    control: Any, ca: LocalCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    control.GenKeyFlags = 0
    in_file(control, "My", tmp_path / "my.p7b")
    with SoftToken() as token:
        answer = issued(control, ca)
        control.acceptPKCS7(answer)
        assert token.store().read_certificate(control.ContainerName) == leaf_of(answer)
    assert shown(tmp_path / "my.p7b") == ["CN = User"]


ACCEPT = """
import sys
from xenroll_compat import CEnroll
from xenroll_compat.files import files_found_by
control = CEnroll()
for which in ("My", "CA", "Root"):
    setattr(control, which + "StoreType", "File")
    setattr(control, which + "StoreName", sys.argv[2] + "/" + which)
with open(sys.argv[1], "rb") as file:
    control.acceptPKCS7(file.read())
"""


def accept(answer: Path, folder: Path, fault: int = 0) -> int:
    environment = os.environ | ({"XENROLL_FAULT_AT": str(fault)} if fault else {})
    return subprocess.run([sys.executable, "-c", ACCEPT, str(answer), str(folder)], env=environment, check=False).returncode


def test_an_accept_that_was_killed_can_be_made_again(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    """Killed behind each file and before the commit, the profile still has the request; behind it, the files have all."""
    done = ["CN = User"], ["CN = Test CA"], ["CN = Test CA Root"]
    for fault in range(1, 20):
        folder = tmp_path / str(fault)
        folder.mkdir()
        answer = tmp_path / f"{fault}.p7b"
        answer.write_bytes(issued(control, ca))
        survived = accept(answer, folder, fault) == 0
        if not survived and subjects("REQUEST"):
            assert accept(answer, folder) == 0
        assert tuple(shown(folder / one) for one in ("My", "CA", "Root")) == done
        assert not subjects("REQUEST")
        if survived:
            break
    assert fault >= 6  # three files, and both sides of the commit, at least
