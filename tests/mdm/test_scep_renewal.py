"""Renewal, and keys in a TPM and on a card: enrolled for, renewed and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll.asn1 import pkcs10
from certenroll.asn1.scep import MessageType
from certenroll.hresults import HRESULT
from certenroll.stores.certificates import MY
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    CHALLENGE,
    NOTHING,
    Placed,
    Runs,
    codes,
    command,
    left_over,
    order,
    settings,
    told,
    value,
)
from tests.stores.pki import NOW
from tests.support.scep_responder import PENDING, SUCCESS, refusal
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

SMALL = {"KeyLength": "1024"}


@pytest.fixture
def server() -> Iterator[Placed]:
    with Placed() as started:
        yield started


# Renewal -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def renewing(server: Placed, home: Path) -> Runs:
    """A certificate of 200 days, a third of which are left."""
    runs = Runs()
    order(settings(server, **SMALL))
    (outcome,) = runs()
    assert outcome.due == NOW + timedelta(days=-100 + 200 * 2 / 3)
    server._made.clear()
    runs.now = outcome.due
    return runs


def test_a_certificate_is_renewed_when_a_third_of_its_life_is_left(server: Placed, renewing: Runs) -> None:
    before = value("CertThumbprint")
    (old,) = renewing.workspace.certificates.list(MY)
    renewing.now -= timedelta(seconds=1)
    assert renewing() == []
    assert renewing.states(after=timedelta(seconds=1)) == ["installed"]
    first, second = server.asked
    assert [first.message.message_type, second.message.message_type] == [MessageType.PKCSReq, MessageType.RenewalReq]
    assert second.signer == old.der
    requests = [pkcs10.decode(one.content) for one in (first, second)]
    assert requests[0].subject == requests[1].subject
    assert requests[0].public_key_info != requests[1].public_key_info
    assert CHALLENGE.encode() not in second.content
    assert value("CertThumbprint") not in ("", before)
    assert (left_over(), told()[:3]) == (A_CERTIFICATE, ("1", 0, server.url))
    assert (old.sha1.hex().upper(), renewing.workspace.certificates.get(MY, old.sha1)) == (before, None)


def test_the_old_certificate_stays_until_the_new_one_is_there(server: Placed, renewing: Runs) -> None:
    before = value("CertThumbprint")
    server.reply_with(PENDING, SUCCESS)
    assert renewing.states() == ["renewing"]
    assert told() == ("1", 0, server.url, before)
    assert left_over() == (1, 1, 2, 0)
    assert renewing.states(after=5) == ["installed"]
    assert left_over() == A_CERTIFICATE


def test_a_renewal_that_is_refused_is_tried_again_when_a_third_of_the_rest_is_over(server: Placed, renewing: Runs) -> None:
    before = value("CertThumbprint")
    server.reply_with(refusal(2))
    (outcome,) = renewing()
    assert told() == ("1", HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, server.url, before)
    assert (outcome.state, left_over()) == ("installed", A_CERTIFICATE)
    left = NOW + timedelta(days=100) - renewing.now
    assert outcome.due == renewing.now + left / 3
    server.reply_with(SUCCESS)
    renewing.now = outcome.due
    assert renewing.states() == ["installed"]
    assert told()[:2] == ("1", 0)


def test_a_certificate_that_has_expired_is_not_renewed(server: Placed, renewing: Runs) -> None:
    renewing.now = NOW + timedelta(days=100, seconds=1)
    (outcome,) = renewing()
    assert (outcome.state, outcome.due, len(server.asked)) == ("installed", None, 1)
    assert value("CertThumbprint") == ""


def test_a_certificate_whose_key_is_gone_is_not_renewed(server: Placed, renewing: Runs) -> None:
    (found,) = renewing.workspace.certificates.list(MY)
    info = decode_key_info(found.properties[KEY_PROV_INFO])
    renewing.workspace.key_stores.delete(info.store, info.container)
    (outcome,) = renewing()
    assert (outcome.state, outcome.error != 0, len(server.asked)) == ("installed", True, 1)


def test_a_renewed_key_has_another_container(server: Placed, home: Path) -> None:
    runs = Runs()
    order(settings(server, ContainerName="vpn", **SMALL))
    (outcome,) = runs()
    server._made.clear()
    assert outcome.due is not None
    runs.now = outcome.due
    assert runs.states() == ["installed"]
    (found,) = runs.workspace.certificates.list(MY)
    assert decode_key_info(found.properties[KEY_PROV_INFO]).container.startswith("vpn ")
    assert left_over() == A_CERTIFICATE


def test_a_delete_in_the_midst_of_a_renewal_leaves_nothing(server: Placed, renewing: Runs) -> None:
    server.reply_with(PENDING)
    assert renewing.states() == ["renewing"]
    assert codes(command("Delete", "one")) == [200]
    assert left_over() == NOTHING


# Keys in other places ------------------------------------------------------------------------------------------------


def _enroll_and_renew(server: Placed, store: str, **changes: str) -> None:
    runs = Runs()
    order(settings(server, **changes))
    (outcome,) = runs()
    assert (outcome.state, outcome.message) == ("installed", "")
    (found,) = runs.workspace.certificates.list(MY)
    assert decode_key_info(found.properties[KEY_PROV_INFO]).store == store
    assert isinstance(x509.load_der_x509_certificate(found.der).public_key(), rsa.RSAPublicKey)
    assert value("CertThumbprint") == outcome.thumbprint
    server._made.clear()
    assert outcome.due is not None
    runs.now = outcome.due
    assert [(one.state, one.message) for one in runs()] == [("installed", "")]
    assert value("CertThumbprint") not in ("", outcome.thumbprint)
    assert left_over() == A_CERTIFICATE
    assert codes(command("Delete", "one")) == [200]
    assert left_over() == NOTHING


@pytest.mark.parametrize("location", ["1", "2"])
def test_a_key_in_the_tpm_is_enrolled_for_renewed_and_deleted(location: str, server: Placed, with_tpm: SwTpm) -> None:
    _enroll_and_renew(server, "tpm", KeyProtection=location)


def test_a_key_on_a_card_is_enrolled_for_renewed_and_deleted(server: Placed, with_card: SoftToken) -> None:
    _enroll_and_renew(server, "smartcard", KeyProtection="4", ContainerName="web")
    assert with_card.store().list() == []


def test_without_a_tpm_one_that_is_required_fails_and_another_falls_back(server: Placed, profile: Path) -> None:
    runs = Runs()
    order(settings(server, KeyProtection="1"), "required")
    order(settings(server, KeyProtection="2", **SMALL), "preferred")
    found = {one.name: (one.state, one.error) for one in runs()}
    assert found == {"required": ("failed", HRESULT.TBS_E_TPM_NOT_FOUND), "preferred": ("installed", 0)}


def test_a_card_that_is_away_says_nothing_of_its_key(
    server: Placed, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    order(settings(server, KeyProtection="4", ContainerName="web"))
    (outcome,) = runs()
    runs.workspace.key_stores.close()
    monkeypatch.setenv("XENROLL_PKCS11_TOKEN", "pkcs11:token=another")
    monkeypatch.setattr("certenroll.engine.opening._open", {})
    Runs()
    assert value("CertThumbprint") == outcome.thumbprint
    monkeypatch.undo()
