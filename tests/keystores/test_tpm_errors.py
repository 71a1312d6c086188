"""Return codes of TPMs and their typed errors."""

from __future__ import annotations

import pytest

from certenroll.hresults import lookup
from keystores.errors import (
    BadKeyData,
    DeviceFailure,
    KeyStoreError,
    NotPermitted,
    PinBlocked,
    StoreUnavailable,
    UnsupportedKey,
)
from keystores.tpm.errors import MEANINGS, connection_lost, hresult_of, plain_code, translate


@pytest.mark.parametrize(
    ("rc", "error", "name"),
    [
        (0x1DF, BadKeyData, "TPM_20_E_INTEGRITY"),
        (0x2C3, UnsupportedKey, "NTE_BAD_ALGID"),
        (0x2C4, UnsupportedKey, "NTE_BAD_LEN"),
        (0x921, PinBlocked, "SCARD_W_CHV_BLOCKED"),
        (0x9A2, NotPermitted, "TPM_20_E_BAD_AUTH"),
        (0x98E, NotPermitted, "TPM_20_E_AUTH_FAIL"),
        (0x18B, DeviceFailure, "TPM_20_E_HANDLE"),
        (0x902, DeviceFailure, "TPM_20_E_OBJECT_MEMORY"),
        (0x14B, DeviceFailure, "TPM_20_E_NV_SPACE"),
        (0x100, StoreUnavailable, "TPM_20_E_INITIALIZE"),
        (0x101, DeviceFailure, "TPM_20_E_FAILURE"),
        (0xA000A, DeviceFailure, "TBS_E_IOERROR"),
        (0x70007, DeviceFailure, "TBS_E_IOERROR"),
        (0xC0902, DeviceFailure, "TPM_20_E_OBJECT_MEMORY"),
        (0x923, DeviceFailure, "TPM_20_E_NV_UNAVAILABLE"),
    ],
)
def test_a_return_code_has_its_error_and_its_windows_code(rc: int, error: type[KeyStoreError], name: str) -> None:
    found = translate(rc, "sign")
    assert type(found) is error
    assert found.store == "tpm"
    assert str(found).startswith("sign: ")
    named = lookup(found.hresult)
    assert named is not None
    assert named.name == name


def test_every_meaning_has_a_code_that_windows_knows() -> None:
    for code, meaning in MEANINGS.items():
        error = translate(code, "sign")
        assert isinstance(error, meaning.error)
        assert plain_code(code) == code
        if code != 0x09C:  # TPM_RC_KEY, which Windows has under another number
            assert lookup(error.hresult) is not None, hex(code)


def test_position_bits_and_layers_do_not_matter() -> None:
    assert {hresult_of(rc) for rc in (0x8E, 0x18E, 0x98E, 0xC098E, 0x1CE)} == {0x8028008E}


def test_only_a_broken_connection_is_made_again() -> None:
    assert [rc for rc in (0xA000A, 0x70007, 0x80007, 0x9000A, 0x902, 0x10A, 0x0A) if connection_lost(rc)] == [
        0xA000A,
        0x70007,
        0x80007,
        0x9000A,
    ]
