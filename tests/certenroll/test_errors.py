"""Every error of a library below becomes a ComError, with a code that Windows has; a fault of ours does not hide as one."""

from __future__ import annotations

import http.client
import importlib
import io
import sqlite3
import ssl
import urllib.error
from collections.abc import Callable, Iterator
from email.message import Message
from types import ModuleType

import pytest
from cryptography import exceptions, x509
from cryptography.x509 import verification

from certenroll.asn1.algorithms import BadSignature
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.ca.base import CAError
from certenroll.com import ComObject
from certenroll.errors import FOREIGN_ERRORS, ComError, translate
from certenroll.hresults import HRESULT, lookup
from certenroll.stores import errors as store_errors
from keystores import errors as key_errors


class Thrower(ComObject):
    """An object whose one member raises what it was made with."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def Throw(self) -> None:
        raise self._error


def _errors_of(module: ModuleType) -> Iterator[type[BaseException]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Exception) and value is not Exception:
            yield value


def _os_errors(cls: type[OSError] = OSError) -> Iterator[type[OSError]]:
    yield cls
    for below in cls.__subclasses__():
        if below.__module__ == "builtins":
            yield from _os_errors(below)


MODULES = (exceptions, x509, verification, sqlite3, urllib.error, http.client)
CLASSES = sorted({*_os_errors(), *(one for module in MODULES for one in _errors_of(module)), ssl.SSLError}, key=str)


# Errors that cannot be made, or shown, without what they tell of.
MAKERS: dict[type[BaseException], Callable[[], BaseException]] = {
    urllib.error.HTTPError: lambda: urllib.error.HTTPError("http://ca.test", 500, "no", Message(), io.BytesIO()),
    urllib.error.ContentTooShortError: lambda: urllib.error.ContentTooShortError("no", b""),
    urllib.error.URLError: lambda: urllib.error.URLError("no"),
    http.client.IncompleteRead: lambda: http.client.IncompleteRead(b""),
}


def _made(cls: type[BaseException]) -> BaseException:
    if cls in MAKERS:
        return MAKERS[cls]()
    made = cls.__new__(cls)
    made.args = ("what happened",)
    return made


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__qualname__}")
def test_an_error_of_a_library_below_leaves_an_object_as_a_com_error(cls: type[BaseException]) -> None:
    with pytest.raises(ComError) as caught:
        Thrower(_made(cls)).Throw()
    assert lookup(caught.value.hresult) is not None
    assert isinstance(caught.value.__cause__, cls)


@pytest.mark.parametrize(
    ("library", "base"), [("pkcs11.exceptions", "PKCS11Error"), ("tpm2_pytss", "TSS2_Exception")]
)
def test_every_error_of_a_device_library_is_mapped(library: str, base: str) -> None:
    module = pytest.importorskip(library)
    found = [one for one in _errors_of(module) if issubclass(one, getattr(module, base))]
    assert found
    assert all(translate(_made(one)) is not None for one in found)


@pytest.mark.parametrize("module", [key_errors, store_errors], ids=lambda module: module.__name__)
def test_every_error_of_a_layer_below_carries_a_code_that_windows_has(module: ModuleType) -> None:
    for cls in _errors_of(module):
        error = cls("what to do")
        translated = translate(error)
        assert translated is not None
        assert translated.hresult & 0xFFFFFFFF == error.hresult  # type: ignore[attr-defined]
        assert lookup(translated.hresult) is not None
        assert translated.detail == "what to do"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DecodeError("no certificate", HRESULT.CRYPT_E_ASN1_EOD), 0x80093102),
        (BadSignature("another key made it"), 0x80090006),
        (WrongPassword("no"), 0x80070056),
        (CAError(HRESULT.RPC_SERVER_UNAVAILABLE, "nobody answers"), 0x800706BA),
        (FileNotFoundError("a.txt"), 0x80070002),
        (PermissionError("a.txt"), 0x80070005),
        (TimeoutError("slow"), 0x800705B4),
        (ConnectionRefusedError("closed"), 0x800704C9),
        (ConnectionResetError("gone"), 0x800706BA),
        (urllib.error.URLError("nowhere"), 0x800706BA),
        (MemoryError("all of it"), 0x8007000E),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_has_the_code_of_its_condition(error: Exception, code: int) -> None:
    translated = translate(error)
    assert translated is not None
    assert translated.hresult & 0xFFFFFFFF == code


def test_every_class_that_the_map_names_is_there() -> None:
    for name in FOREIGN_ERRORS:
        module, _, cls = name.rpartition(".")
        if module.split(".")[0] in ("tpm2_pytss", "pkcs11"):
            pytest.importorskip(module.split(".")[0])
        found = verification.VerificationError if "_rust" in module else getattr(importlib.import_module(module), cls)
        assert f"{found.__module__}.{found.__qualname__}" == name


@pytest.mark.parametrize("fault", [KeyError("x"), ValueError("x"), ZeroDivisionError(), AssertionError()])
def test_a_fault_of_ours_is_not_dressed_up_as_a_result_code(fault: Exception) -> None:
    assert translate(fault) is None
    with pytest.raises(type(fault)):
        Thrower(fault).Throw()


def test_a_com_error_goes_through_as_it_is() -> None:
    error = ComError(HRESULT.NTE_EXISTS, "another name")
    assert translate(error) is error
    with pytest.raises(ComError) as caught:
        Thrower(error).Throw()
    assert caught.value is error


def test_it_prints_its_number_its_name_and_what_to_do() -> None:
    error = ComError(HRESULT.CERTSRV_E_PROPERTY_EMPTY, "set it first")
    assert str(error).startswith("0x80094004 CERTSRV_E_PROPERTY_EMPTY: ")
    assert str(error).endswith(": set it first")


def test_it_has_the_members_of_pywin32s_com_error() -> None:
    error = ComError(HRESULT.E_INVALIDARG, "no such flag", argerror=2)
    assert error.hresult == -2147024809
    assert error.strerror == "One or more arguments are invalid"
    assert error.argerror == 2
    assert error.excepinfo == (0, "CertEnroll", "CertEnroll: no such flag", None, 0, -2147024809)
    assert error.args == (error.hresult, error.strerror, error.excepinfo, error.argerror)


def test_a_code_without_a_name_is_shown_as_its_number() -> None:
    assert str(ComError(0x81234567)) == "0x81234567 0x81234567: Unknown error"
