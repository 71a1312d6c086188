"""The tree of key store errors: complete, as its module draws it, and with codes that Windows has."""

from __future__ import annotations

import re

import pytest

from certenroll.errors import translate
from certenroll.hresults import HRESULT, lookup
from keystores import errors
from keystores.errors import KeyStoreError, StoreUnavailable, WrongPin

CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, KeyStoreError)]

# What the module writes as a bare number -> the name that Windows has for it.
NAMES = {
    "KeyStoreError": HRESULT.NTE_FAIL,
    "StoreUnavailable": HRESULT.NTE_DEVICE_NOT_READY,
    "PackageMissing": HRESULT.WIN32_DLL_NOT_FOUND,
    "StoreBusy": HRESULT.WIN32_TIMEOUT,
    "KeyExists": HRESULT.NTE_EXISTS,
    "NoSuchKey": HRESULT.NTE_BAD_KEYSET,
    "UnsupportedKey": HRESULT.NTE_NOT_SUPPORTED,
    "NotPermitted": HRESULT.NTE_BAD_KEY_STATE,
    "PinError": HRESULT.SCARD_W_WRONG_CHV,
    "WrongPin": HRESULT.SCARD_W_WRONG_CHV,
    "PinBlocked": HRESULT.SCARD_W_CHV_BLOCKED,
    "PinRequired": HRESULT.NTE_SILENT_CONTEXT,
    "PinUnreadable": HRESULT.E_ACCESSDENIED,
    "StoreFull": HRESULT.NTE_TOKEN_KEYSET_STORAGE_FULL,
    "DeviceFailure": HRESULT.NTE_FAIL,
    "BadKeyData": HRESULT.NTE_BAD_KEY,
}


def test_every_error_has_the_code_that_windows_gives() -> None:
    assert {cls.__name__: cls.code for cls in CLASSES} == {name: code.value for name, code in NAMES.items()}


def test_the_drawing_at_the_head_of_the_module_has_every_error() -> None:
    drawn = set(re.findall(r"\b[A-Z]\w+\b", str(errors.__doc__).split("Codes are")[0]))
    assert {cls.__name__ for cls in CLASSES} <= drawn


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_an_error_becomes_a_com_error_with_its_code_and_its_words(cls: type[KeyStoreError]) -> None:
    error = cls("what to do", store="tpm")
    translated = translate(error)
    assert translated is not None
    assert (translated.hresult & 0xFFFFFFFF, translated.detail) == (cls.code, "what to do")
    assert lookup(cls.code) is not None
    assert error.store == "tpm"


def test_an_error_can_carry_a_nearer_code() -> None:
    assert StoreUnavailable("no TPM", hresult=0x8028400F).hresult == 0x8028400F


def test_a_wrong_pin_tells_the_attempts_that_are_left() -> None:
    assert WrongPin("no", attempts_left=2).attempts_left == 2
    assert WrongPin("no").attempts_left is None
