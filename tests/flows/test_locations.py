"""KeyLocations that cannot be had: each has its code and leaves nothing behind; one may fall back, and says so."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from certenroll import ComError, facade
from certenroll.errors import translate
from keystores.base import KeyLocation
from tests.flows import script
from tests.flows.script import Wish
from tests.support.profiles import everything, make_ca
from tests.support.requires import package
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

TPM_NOT_FOUND = 0x8028400F
WRONG_PIN = 0x8010006B
NO_PIN = 0x80090022
NO_CARD = 0x8010000C
BAD_CONTAINER = 0x8009001F
NOT_SUPPORTED = (0x80090004, 0x80090029)


def refused(wish: Wish, **properties: str) -> int:
    """The code with which an enrollment is refused, after seeing that it changed nothing."""
    enrollment = script.new_enrollment(wish)
    for name, value in properties.items():
        setattr(enrollment.Request.PrivateKey, name, value)
    before = everything()
    with pytest.raises(ComError) as caught:
        enrollment.CreateRequest()
    assert everything() == before
    with pytest.raises(ComError) as again:
        enrollment.Enroll()
    assert again.value.hresult == caught.value.hresult
    assert everything() == before
    code: int = caught.value.hresult & 0xFFFFFFFF
    return code


@pytest.fixture(autouse=True)
def _a_ca(profile: Path) -> None:
    make_ca()


def test_a_required_tpm_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    package("tpm2_pytss", "tpm")
    assert refused(Wish(tmp_path, KeyLocation.TPM_REQUIRED)) == TPM_NOT_FOUND


def test_a_required_tpm_that_stopped_is_an_error(tmp_path: Path, with_tpm: SwTpm) -> None:
    with_tpm.stop()
    try:
        assert refused(Wish(tmp_path, KeyLocation.TPM_REQUIRED)) == TPM_NOT_FOUND
    finally:
        with_tpm.start()


def test_a_preferred_tpm_that_is_not_there_falls_back_and_everyone_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    enrollment = script.new_enrollment(Wish(tmp_path, KeyLocation.TPM_PREFERRED))
    with caplog.at_level(logging.WARNING):
        enrollment.Enroll()
    key = facade.installation_of(enrollment).key
    assert key is not None
    assert (key.store, key.asked_location, key.used_location) == (
        "software", KeyLocation.TPM_PREFERRED, KeyLocation.SOFTWARE,
    )
    assert "TPM" in key.fallback
    (warning,) = [record for record in caplog.records if record.name.startswith("keystores")]
    assert "the tpm key store is not available" in warning.getMessage()
    (listed,) = facade.certificates("MY")
    entry = facade.find_certificate("MY", listed.thumbprint)
    assert entry.key is not None
    assert entry.key.fallback == key.fallback


def test_a_pending_request_whose_key_fell_back_says_so(tmp_path: Path) -> None:
    enrollment = script.new_enrollment(Wish(tmp_path, KeyLocation.TPM_PREFERRED))
    enrollment.CreateRequest()
    key = facade.key_of_request(enrollment)
    assert key is not None
    assert "TPM" in key.fallback
    (pending,) = facade.pending_requests()
    assert pending.key == key
    (stand_in,) = facade.certificates("REQUEST")
    assert stand_in.key == key


@pytest.mark.parametrize("location", [KeyLocation.TPM_REQUIRED, KeyLocation.TPM_PREFERRED])
def test_a_tpm_that_is_there_and_lacks_the_size_is_an_error_and_no_reason_to_fall_back(
    tmp_path: Path, with_tpm: SwTpm, location: KeyLocation, caplog: pytest.LogCaptureFixture
) -> None:
    assert refused(Wish(tmp_path, location, "RSA-4096")) in NOT_SUPPORTED
    assert "not available" not in caplog.text


def test_a_preferred_tpm_that_is_there_is_used_and_says_nothing(
    tmp_path: Path, with_tpm: SwTpm, caplog: pytest.LogCaptureFixture
) -> None:
    script.enroll(Wish(tmp_path, KeyLocation.TPM_PREFERRED))
    (entry,) = facade.certificates("MY")
    assert entry.key is not None
    assert (entry.key.store, entry.key.used_location, entry.key.fallback) == ("tpm", KeyLocation.TPM_PREFERRED, "")
    assert caplog.text == ""


def test_a_card_wants_the_name_of_a_container(tmp_path: Path, with_card: SoftToken) -> None:
    assert refused(Wish(tmp_path, KeyLocation.NAMED_CONTAINER)) == BAD_CONTAINER


def test_a_card_refuses_a_wrong_pin(tmp_path: Path, with_card: SoftToken) -> None:
    wish = Wish(tmp_path, KeyLocation.NAMED_CONTAINER, container="web")
    assert refused(wish, Pin="not the PIN") == WRONG_PIN
    script.enroll(wish)  # and takes the right one, of the environment, afterwards
    assert [entry.key.container for entry in facade.certificates("MY") if entry.key is not None] == ["web"]


def test_a_card_wants_a_pin(tmp_path: Path, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XENROLL_PIN")
    assert refused(Wish(tmp_path, KeyLocation.NAMED_CONTAINER, container="web")) == NO_PIN


def test_a_card_that_is_not_in_the_reader_is_an_error(
    tmp_path: Path, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_PKCS11_TOKEN", "pkcs11:token=another")
    assert refused(Wish(tmp_path, KeyLocation.NAMED_CONTAINER, container="web")) == NO_CARD


def test_a_container_that_the_card_has_is_neither_used_nor_lost(tmp_path: Path, with_card: SoftToken) -> None:
    wish = Wish(tmp_path, KeyLocation.NAMED_CONTAINER, container="web")
    script.enroll(wish)
    assert refused(wish) == 0x8009000F


@pytest.mark.parametrize("location", [5, -1])
def test_a_number_that_is_no_location_is_refused(tmp_path: Path, location: int) -> None:
    assert refused(Wish(tmp_path, location)) == 0x80070057


def test_the_environment_moves_a_script_that_names_no_location_to_the_card_under_a_generated_name(
    tmp_path: Path, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    script.enroll(Wish(tmp_path, 0))
    (entry,) = facade.certificates("MY")
    assert entry.key is not None
    assert (entry.key.store, entry.key.used_location) == ("smartcard", KeyLocation.NAMED_CONTAINER)
    assert len(entry.key.container) >= 36


def test_every_error_of_a_key_store_has_a_code() -> None:
    from keystores import errors

    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.KeyStoreError)]
    assert all((found := translate(kind("said"))) is not None and found.hresult < 0 for kind in kinds)
