"""Key archival at the local CA: the exchange certificate, what is taken, how it is kept, and who gets it back."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from certenroll.asn1 import archived_keys, cmc_requests
from certenroll.asn1.algorithms import PrivateKey
from certenroll.asn1.attributes import encode_archived_key
from certenroll.asn1.responses import read_response
from certenroll.ca.archival import KEY_RECOVERY_AGENT
from certenroll.ca.base import Archiver, CAError, Disposition, Exchanger, Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm
from tests.ca.conftest import Clock, openssl_verify
from tests.support import ca_messages
from tests.support.ca_messages import FULL, archiving, pkcs10_of, submitted
from tests.support.cmc_messages import AGENT, AGENT_KEY, EC_KEY, KEYS, RSA_KEY
from tests.support.requires import program

RECOVERY_KEY = rsa.generate_private_key(65537, 2048)
TEMPLATES: dict[str, dict[str, Any]] = {
    "Archive": {"archive_key": True},
    "HeldArchive": {"archive_key": True, "mode": "hold"},
}
ARCHIVE = [("CertificateTemplate", "Archive")]


def recovery_certificate(
    clock: Clock, key: PrivateKey = RECOVERY_KEY, use: str = KEY_RECOVERY_AGENT, days: int = 100
) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "recovery agent")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(clock() - timedelta(days=1)).not_valid_after(clock() + timedelta(days=days))
    if use:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(use)]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.fixture
def bare(tmp_path: Path, clock: Clock) -> LocalCA:
    return LocalCA.create(
        tmp_path / "ca", "CA", host="h", algorithm=KeyAlgorithm.EC, bits=256, policy=Policy(templates=TEMPLATES), clock=clock
    )


@pytest.fixture
def ca(bare: LocalCA, clock: Clock) -> LocalCA:
    bare.add_recovery_agent(recovery_certificate(clock))
    return bare


# The exchange certificate --------------------------------------------------------------------------------------------


def test_the_exchange_certificate_is_short_lived_and_good_for_openssl(ca: LocalCA, tmp_path: Path) -> None:
    der = ca.exchange_certificate()
    assert openssl_verify(tmp_path, der, ca.certificates()) == "OK"
    found = x509.load_der_x509_certificate(der)
    assert found.not_valid_after_utc - found.not_valid_before_utc < timedelta(days=8)
    uses = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [one.dotted_string for one in uses] == ["1.3.6.1.4.1.311.21.5"]
    assert isinstance(ca, Exchanger)
    assert isinstance(ca, Archiver)


def test_the_exchange_certificate_stays_until_its_last_day(ca: LocalCA, clock: Clock) -> None:
    first = ca.exchange_certificate()
    clock.pass_days(5.9)
    assert ca.exchange_certificate() == first
    clock.pass_days(0.2)
    assert ca.exchange_certificate() != first


def test_keys_of_exchange_certificates_are_the_owners_alone_and_go_in_the_end(ca: LocalCA, clock: Clock) -> None:
    ca.exchange_certificate()
    (path,) = (ca._directory / "private").glob("exchange-*.pem")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    clock.pass_days(40)
    ca.exchange_certificate()
    assert path not in (ca._directory / "private").glob("exchange-*.pem")


def test_a_key_for_the_last_exchange_certificate_is_still_taken(ca: LocalCA, clock: Clock) -> None:
    message = archiving(EC_KEY, ca.exchange_certificate(), pairs=ARCHIVE)
    clock.pass_days(8)
    ca.exchange_certificate()
    assert submitted(ca, message).disposition is Disposition.ISSUED


def test_a_damaged_exchange_file_is_told(ca: LocalCA) -> None:
    (ca._directory / "private" / "exchange-1.pem").write_text("damaged")
    with pytest.raises(CAError) as caught:
        ca.exchange_certificate()
    assert caught.value.hresult == HRESULT.WIN32_INVALID_DATA


# Archiving and recovering --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["", "PKCS8_PRIVATEKEY", "PRIVATEBLOB"])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_archived_and_recovered(ca: LocalCA, key: PrivateKey, form: str) -> None:
    answer = submitted(ca, archiving(key, ca.exchange_certificate(), form=form, pairs=ARCHIVE), FULL)
    assert answer.disposition is Disposition.ISSUED, answer.message
    found = ca.recover(answer.request_id, RECOVERY_KEY)
    assert found.private_numbers() == key.private_numbers()


def test_the_response_says_which_key_was_archived(ca: LocalCA) -> None:
    message = archiving(RSA_KEY, ca.exchange_certificate(), pairs=ARCHIVE)
    answer = submitted(ca, message, FULL)
    content = read_response(answer.full_response or b"").cmc
    assert content is not None
    assert content.archived_key_hash == cmc_requests.decode(message).data.archived_key_hash


def test_what_the_ca_keeps_opens_for_the_agent_and_not_for_the_ca(ca: LocalCA, tmp_path: Path) -> None:
    message = archiving(RSA_KEY, ca.exchange_certificate(), pairs=ARCHIVE)
    submitted(ca, message)
    row = ca.requests()[-1]
    assert cmc_requests.decode(row.request).archived_key is None
    assert ca.find(message) is not None
    exchange = x509.load_der_x509_certificate(ca.exchange_certificate())
    recipients = archived_keys.decode(row.archived_key or b"").recipients
    assert exchange.serial_number not in [one.serial for one in recipients]
    (tmp_path / "key").write_bytes(RECOVERY_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = [program("openssl"), "cms", "-decrypt", "-inform", "DER", "-inkey", "key", "-binary"]
    opened = subprocess.run(command, cwd=tmp_path, input=row.archived_key, capture_output=True, check=True).stdout
    assert opened.startswith(b"\x07\x02")  # PRIVATEKEYBLOB


def test_every_agent_can_recover_and_nobody_else(ca: LocalCA, clock: Clock) -> None:
    other = rsa.generate_private_key(65537, 2048)
    early = submitted(ca, archiving(EC_KEY, ca.exchange_certificate(), pairs=ARCHIVE))
    ca.add_recovery_agent(recovery_certificate(clock, other))
    late = submitted(ca, archiving(EC_KEY, ca.exchange_certificate(), pairs=ARCHIVE))
    for agent in (RECOVERY_KEY, other):
        assert ca.recover(late.request_id, agent).private_numbers() == EC_KEY.private_numbers()
    for request_id, key, code in (
        (early.request_id, other, HRESULT.CRYPT_E_NOT_FOUND),
        (late.request_id, AGENT_KEY, HRESULT.NTE_BAD_KEY),
        (late.request_id, EC_KEY, HRESULT.NTE_BAD_KEY),
        ("99", RECOVERY_KEY, HRESULT.CERTSRV_E_NO_REQUEST),
    ):
        with pytest.raises(CAError) as caught:
            ca.recover(request_id, key)
        assert caught.value.hresult == code


def test_a_request_without_a_key_has_none_to_recover(ca: LocalCA) -> None:
    answer = submitted(ca, ca_messages.cmc(EC_KEY, pkcs10_of(EC_KEY)))
    with pytest.raises(CAError) as caught:
        ca.recover(answer.request_id, RECOVERY_KEY)
    assert caught.value.hresult == HRESULT.CERTSRV_E_PROPERTY_EMPTY


def test_a_held_request_keeps_its_key_until_it_is_issued(ca: LocalCA, clock: Clock) -> None:
    pairs = [("CertificateTemplate", "HeldArchive")]
    held = submitted(ca, archiving(EC_KEY, ca.exchange_certificate(), pairs=pairs), FULL)
    assert held.disposition is Disposition.UNDER_SUBMISSION
    clock.pass_days(60)  # by then the exchange key is gone
    ca.exchange_certificate()
    assert ca.issue(held.request_id).disposition is Disposition.ISSUED
    assert ca.recover(held.request_id, RECOVERY_KEY).private_numbers() == EC_KEY.private_numbers()


# Refusals ------------------------------------------------------------------------------------------------------------


def test_a_key_that_the_template_does_not_want_is_refused(ca: LocalCA) -> None:
    answer = submitted(ca, archiving(EC_KEY, ca.exchange_certificate()))
    assert answer.status == HRESULT.CERTSRV_E_ARCHIVED_KEY_UNEXPECTED


def test_a_key_that_the_template_wants_is_missed(ca: LocalCA) -> None:
    answer = submitted(ca, ca_messages.cmc(EC_KEY, pkcs10_of(EC_KEY), pairs=ARCHIVE))
    assert answer.status == HRESULT.CERTSRV_E_ARCHIVED_KEY_REQUIRED


def test_another_key_than_the_requests_is_refused(ca: LocalCA) -> None:
    answer = submitted(ca, archiving(EC_KEY, ca.exchange_certificate(), sent=RSA_KEY, pairs=ARCHIVE))
    assert answer.status == HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL


def test_a_key_for_another_ca_is_refused(ca: LocalCA) -> None:
    assert submitted(ca, archiving(EC_KEY, AGENT, pairs=ARCHIVE)).status == HRESULT.CRYPT_E_NOT_FOUND


@pytest.mark.parametrize("blob", [b"", b"\x07", b"\x30\x00", b"ECS2", bytes(100)])
def test_what_is_no_key_is_refused(ca: LocalCA, blob: bytes) -> None:
    sealed = encode_archived_key(blob, ca.exchange_certificate(), ca_messages.AES, bytes)
    stated, brought = cmc_requests.archival_attributes(sealed)
    message = ca_messages.cmc(EC_KEY, pkcs10_of(EC_KEY), pairs=ARCHIVE, unsigned=[brought], attributes=[stated])
    assert submitted(ca, message).status == HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL


@pytest.mark.parametrize("left_out", ["hash", "key"])
def test_hash_and_key_belong_together(ca: LocalCA, left_out: str) -> None:
    sealed = encode_archived_key(b"x", ca.exchange_certificate(), ca_messages.AES, bytes)
    stated, brought = cmc_requests.archival_attributes(sealed)
    parts = {"unsigned": [brought]} if left_out == "hash" else {"attributes": [stated]}
    answer = submitted(ca, ca_messages.cmc(EC_KEY, pkcs10_of(EC_KEY), pairs=ARCHIVE, **parts))
    assert (answer.disposition, answer.status) == (Disposition.ERROR, HRESULT.CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL)


def test_a_ca_without_agents_archives_nothing(bare: LocalCA) -> None:
    answer = submitted(bare, archiving(EC_KEY, bare.exchange_certificate(), pairs=ARCHIVE))
    assert answer.status == HRESULT.CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED


def test_a_ca_whose_agents_are_over_archives_nothing(ca: LocalCA, clock: Clock) -> None:
    clock.pass_days(101)
    answer = submitted(ca, archiving(EC_KEY, ca.exchange_certificate(), pairs=ARCHIVE))
    assert answer.status == HRESULT.CERTSRV_E_NO_VALID_KRA


def test_an_agent_needs_an_rsa_certificate_for_recovery_that_is_valid(bare: LocalCA, clock: Clock) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1())
    for certificate in (
        recovery_certificate(clock, elliptic),
        recovery_certificate(clock, use=ExtendedKeyUsageOID.SERVER_AUTH.dotted_string),
        recovery_certificate(clock, days=0)[:-1],
        b"",
    ):
        with pytest.raises(CAError) as caught:
            bare.add_recovery_agent(certificate)
        assert caught.value.hresult == HRESULT.CERTSRV_E_NO_VALID_KRA
    bare.add_recovery_agent(recovery_certificate(clock, use=""))
    assert len(bare.recovery_agents()) == 1


def test_a_database_of_the_first_version_is_taken_over(ca: LocalCA) -> None:
    answer = ca.submit(Submission(b"damaged"))
    ca.close()
    with sqlite3.connect(ca._directory / "ca.db") as old:
        for column in ("caller", "archived_key", "archived_key_hash"):
            old.execute(f"ALTER TABLE requests DROP COLUMN {column}")
        for table in ("scep_salt", "scep_challenges", "scep_transactions"):
            old.execute(f"DROP TABLE {table}")
        old.execute("PRAGMA user_version = 1")
    old.close()
    again = LocalCA(ca._directory)
    assert again.retrieve(answer.request_id).disposition is Disposition.ERROR
    assert again.requests()[-1].archived_key is None
