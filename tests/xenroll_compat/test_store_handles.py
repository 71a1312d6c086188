"""Store handles: opened beside the control, given to it in the place of a store, read behind an install."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

import certenroll
from certenroll import facade
from certenroll.asn1.der import DecodeError
from certenroll.asn1.serialized_stores import SerializedElement, SerializedStore, encode_serialized_store
from certenroll.ca.local import LocalCA
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll

SETTERS = {"My": "SetHStoreMy", "CA": "SetHStoreCA", "Root": "SetHStoreROOT", "Request": "SetHStoreRequest"}


def issued(control: Any, ca: LocalCA) -> bytes:
    return answer_of(ca, control.createPKCS10WStr("CN=User", ""))


def names(handle: facade.StoreHandle) -> list[str]:
    return sorted(x509.load_der_x509_certificate(one).subject.rfc4514_string() for one in handle.certificates)


@pytest.mark.parametrize("method", ["getMyStore", "getCAStore", "getROOTHStore"])
def test_the_control_gives_no_handle_as_on_windows(control: Any, method: str) -> None:
    assert getattr(control, method)() is None


@pytest.mark.parametrize("which", SETTERS)
@pytest.mark.parametrize("wrong", [None, "MY", 17, object(), b""])
def test_what_is_no_handle_is_refused(control: Any, which: str, wrong: object) -> None:
    refused(HRESULT.E_HANDLE, getattr(control, SETTERS[which]), wrong)
    assert getattr(control, f"{which}StoreType") == "System"


def test_an_answer_goes_to_the_stores_of_handles(control: Any, ca: LocalCA, tmp_path: Path) -> None:
    my, chain = facade.open_store("Memory"), facade.open_store("File", str(tmp_path / "chain.p7b"))
    control.SetHStoreMy(my)
    control.SetHStoreCA(chain)
    control.SetHStoreROOT(facade.open_store("File", str(tmp_path / "chain.p7b")))
    control.acceptPKCS7(issued(control, ca))
    assert names(my) == ["CN=User"]
    assert names(chain) == ["CN=Test CA", "CN=Test CA Root"]
    assert not any(facade.certificates(store) for store in ("MY", "CA", "ROOT", "REQUEST"))


def test_a_handle_of_a_system_store_is_that_store(control: Any, ca: LocalCA) -> None:
    mine = facade.open_store("System", "Mine")
    control.SetHStoreMy(mine)
    control.acceptPKCS7(issued(control, ca))
    assert names(mine) == ["CN=User"]
    assert names(facade.open_store("system", "CA")) == ["CN=Test CA"]


def test_a_handle_of_the_machines_store_makes_all_stores_the_machines(control: Any, ca: LocalCA) -> None:
    control.SetHStoreMy(facade.open_store("System", "MY", 0x20000))
    control.acceptPKCS7(issued(control, ca))
    assert [one.subject for one in facade.certificates("MY", 2)] == ["CN=User"]


def test_a_request_stands_in_the_store_of_its_handle_until_it_is_answered(control: Any, ca: LocalCA) -> None:
    held = facade.open_store("Memory")
    control.SetHStoreRequest(held)
    answer = issued(control, ca)
    assert names(held) == ["CN=User"]
    control.acceptPKCS7(answer)
    assert names(held) == []


def test_a_kept_request_stays_in_the_store_of_its_handle(control: Any, ca: LocalCA) -> None:
    held = facade.open_store("Memory")
    control.SetHStoreRequest(held)
    control.DeleteRequestCert = False
    control.acceptPKCS7(issued(control, ca))
    assert names(held) == ["CN=User"]


@pytest.mark.parametrize("which", SETTERS)
def test_the_properties_read_as_the_handle_until_one_is_set(control: Any, which: str) -> None:
    def read() -> list[object]:
        return [getattr(control, f"{which}Store{what}") for what in ("Name", "Type", "Flags")]

    default = read()
    getattr(control, SETTERS[which])(facade.open_store("System", "Mine", 0x70000))
    assert read() == ["Mine", "System", 0x70000]
    getattr(control, SETTERS[which])(facade.open_store("Memory"))
    assert read() == ["", "Memory", 0x10000]
    setattr(control, f"{which}StoreFlags", 0x20000)
    assert read() == [*default[:2], 0x20000]


def test_reset_lets_go_of_a_handle_which_keeps_what_it_has(control: Any, ca: LocalCA) -> None:
    my = facade.open_store("Memory")
    control.SetHStoreMy(my)
    control.acceptPKCS7(issued(control, ca))
    control.Reset()
    assert (control.MyStoreName, control.MyStoreType) == ("MY", "System")
    control.acceptPKCS7(issued(control, ca))
    assert len(my.certificates) == len(facade.certificates("MY")) == 1


def test_two_controls_share_a_handle(ca: LocalCA) -> None:
    my = facade.open_store("Memory")
    for _ in range(2):
        control: Any = CEnroll()
        control.SetHStoreMy(my)
        control.acceptPKCS7(issued(control, ca))
    assert names(my) == ["CN=User", "CN=User"]


def test_a_refused_answer_leaves_a_memory_store_as_it_was(control: Any, ca: LocalCA) -> None:
    my = facade.open_store("Memory")
    answer = issued(control, ca)
    control.acceptPKCS7(answer)
    control.SetHStoreMy(my)
    refused(HRESULT.CRYPT_E_NOT_FOUND, control.acceptPKCS7, answer)
    assert my.certificates == ()


def test_a_store_may_begin_with_a_message(control: Any, ca: LocalCA) -> None:
    chain = [x509.load_der_x509_certificate(one) for one in ca.certificates()]
    opened = facade.open_store("PKCS7", data=pkcs7.serialize_certificates(chain, Encoding.DER))
    serialized = SerializedStore(tuple(SerializedElement(one) for one in ca.certificates()))
    assert facade.open_store("serialized", data=encode_serialized_store(serialized)).certificates == ca.certificates()
    control.SetHStoreMy(opened)
    control.acceptPKCS7(issued(control, ca))
    assert names(opened) == ["CN=Test CA", "CN=Test CA Root", "CN=User"]
    with pytest.raises(DecodeError):
        facade.open_store("PKCS7", data=b"nonsense")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("Bogus", "x"), HRESULT.WIN32_FILE_NOT_FOUND),
        (("", "x"), HRESULT.WIN32_FILE_NOT_FOUND),
        (("System", " "), HRESULT.E_INVALIDARG),
        (("File", ""), HRESULT.E_INVALIDARG),
        (("File", "x", 0), HRESULT.E_INVALIDARG),
        (("System", "MY", 0x50000), HRESULT.WIN32_FILE_NOT_FOUND),
        (("Memory", "", 0x8000), HRESULT.E_ACCESSDENIED),
        (("System", "My", 0x12000), HRESULT.WIN32_FILE_EXISTS),
    ],
)
def test_what_certopenstore_would_not_open_is_refused(arguments: tuple[Any, ...], code: HRESULT) -> None:
    with pytest.raises(ComError) as caught:
        facade.open_store(*arguments)
    assert caught.value.hresult == signed(code)


def test_a_pfx_is_not_installed_into_a_store_outside_the_profile(control: Any, ca: LocalCA) -> None:
    control.acceptPKCS7(issued(control, ca))
    pfx = control.createPFXWStr("secret")
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(1)
    facade.choose_stores(enrollment, my=facade.open_store("Memory"))
    refused(HRESULT.CRYPT_E_INVALID_MSG_TYPE, enrollment.InstallResponse, 4, pfx, 2, "secret")


def test_a_name_set_on_an_enrollment_behind_its_install_leaves_a_store_outside_alone(control: Any, ca: LocalCA) -> None:
    answer = issued(control, ca)
    my = facade.open_store("Memory")
    enrollment = certenroll.Dispatch("X509Enrollment.CX509Enrollment")
    enrollment.Initialize(1)
    facade.choose_stores(enrollment, my=my)
    enrollment.InstallResponse(4, answer, 2, "")
    enrollment.CertificateFriendlyName = "Mine"
    assert names(my) == ["CN=User"]
