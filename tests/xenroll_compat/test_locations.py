"""The control with its key in a TPM and on a card: an unmodified script, and one that names the place itself."""

from __future__ import annotations

from typing import Any

import pytest

from certenroll import facade
from certenroll.ca.local import LocalCA
from certenroll.hresults import HRESULT
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm
from tests.xenroll_compat.conftest import answer_of, refused
from xenroll_compat import CEnroll


def enroll(control: Any, ca: LocalCA) -> str:
    """What an unmodified script does. Gives the key store of the certificate's key."""
    answer = answer_of(ca, control.createPKCS10WStr("CN=User", "1.3.6.1.5.5.7.3.2"))
    control.acceptPKCS7(answer)
    key = facade.certificates("MY")[0].key
    assert key is not None
    return key.store


def test_a_script_is_moved_to_a_tpm_by_the_environment(ca: LocalCA, monkeypatch: pytest.MonkeyPatch) -> None:
    with SwTpm() as tpm:
        monkeypatch.setenv("XENROLL_TPM_TCTI", tpm.tcti)
        monkeypatch.setenv("XENROLL_KEY_LOCATION", "1")
        control = CEnroll()
        assert enroll(control, ca) == "tpm"
        refused(HRESULT.NTE_BAD_KEY_STATE, control.createPFX, "x")


def test_a_script_is_moved_to_a_card_which_gets_the_certificate(ca: LocalCA, monkeypatch: pytest.MonkeyPatch) -> None:
    with SoftToken() as token:
        monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
        control = CEnroll()
        assert enroll(control, ca) == "smartcard"
        assert token.store().read_certificate(control.ContainerName) == facade.certificates("MY")[0].der


def test_a_provider_or_the_control_itself_names_the_card(ca: LocalCA) -> None:
    with SoftToken() as token:
        control: Any = CEnroll()
        control.ProviderName = "Microsoft Base Smart Card Crypto Provider"
        control.WriteCertToCSP = False
        assert enroll(control, ca) == "smartcard"
        assert token.store().read_certificate(control.ContainerName) is None
        control.Reset()
        control.KeyLocation = 4
        refused(HRESULT.NTE_BAD_KEYSET_PARAM, control.createPKCS10, "CN=x", "")
        control.ContainerName = "named"
        control.createPKCS10("CN=x", "")
        assert "named" in (control.enumContainers(0), control.enumContainers(1))
