"""Facts of certificates against pyca, and the certificate of a pending request against OpenSSL and pyca."""

from __future__ import annotations

import random
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import certificates, der
from certenroll.asn1.certificates import read_certificate, request_certificate
from certenroll.asn1.der import DecodeError, EncodeError, Extension
from tests.support.requires import program

KEY = ec.generate_private_key(ec.SECP256R1())
INFO = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
NOW = datetime(2026, 2, 28, 23, 59, 58, tzinfo=UTC)
LATER = datetime(2051, 1, 1, tzinfo=UTC)
SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host.example")]).public_bytes()


def issued(*, ca: bool = False, issuer: str = "CA", serial: int = 4711) -> bytes:
    issuer_name, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (issuer, "host"))
    builder = x509.CertificateBuilder(issuer_name, subject, KEY.public_key(), serial)
    builder = builder.not_valid_before(NOW).not_valid_after(LATER)
    builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(b"subject"), critical=False)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier(b"authority", None, None), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("ca", [True, False])
def test_each_fact_is_what_pyca_finds(ca: bool) -> None:
    data = issued(ca=ca)
    found, other = read_certificate(data), x509.load_der_x509_certificate(data)
    assert found.der == data
    assert (found.subject, found.issuer) == (other.subject.public_bytes(), other.issuer.public_bytes())
    assert (found.serial, found.public_key_info) == (4711, INFO)
    assert (found.not_before, found.not_after) == (NOW, LATER)
    assert found.sha1 == other.fingerprint(hashes.SHA1())
    assert found.key_identifier == x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()).digest
    assert (found.subject_key_identifier, found.authority_key_identifier) == (b"subject", b"authority")
    assert (found.is_ca, found.is_self_issued, found.is_null_signed) == (ca, False, False)
    assert [one.oid for one in found.extensions] == [one.oid.dotted_string for one in other.extensions]


def test_a_certificate_without_extensions_has_none_of_their_facts() -> None:
    found = read_certificate(request_certificate(SUBJECT, INFO, NOW, LATER, 1))
    assert found.extensions == ()
    assert (found.is_ca, found.subject_key_identifier, found.authority_key_identifier) == (False, None, None)


def test_certificates_are_equal_where_their_octets_are() -> None:
    data = issued()
    assert read_certificate(data) == read_certificate(data)
    assert len({read_certificate(data), read_certificate(data), read_certificate(issued())}) == 2


def test_openssl_shows_the_certificate_of_a_pending_request() -> None:
    extension = Extension("2.5.29.37", False, bytes.fromhex("300a06082b06010505070302"))
    for extensions, version in (((), "Version: 1"), ((extension,), "Version: 3")):
        data = request_certificate(SUBJECT, INFO, NOW, LATER, 77, extensions=extensions)
        command = [program("openssl"), "x509", "-inform", "DER", "-noout", "-text"]
        text = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
        for line in (version, "Serial Number: 77", "Algorithm: sha256\n", "CN = host.example", "Jan  1 00:00:00 2051"):
            assert line in text
        assert ("TLS Web Client Authentication" in text) == bool(extensions)


def test_pyca_loads_the_certificate_of_a_pending_request() -> None:
    data = request_certificate(SUBJECT, INFO, NOW, LATER, (1 << 159) - 1)
    other, found = x509.load_der_x509_certificate(data), read_certificate(data)
    assert other.signature_algorithm_oid.dotted_string == "2.16.840.1.101.3.4.2.1"
    assert (other.serial_number, found.serial) == ((1 << 159) - 1, (1 << 159) - 1)
    assert other.public_key() == KEY.public_key()
    assert (found.is_null_signed, found.is_self_issued) == (True, True)
    hasher = hashes.Hash(hashes.SHA256())
    hasher.update(other.tbs_certificate_bytes)
    assert other.signature == hasher.finalize()


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_a_serial_number_out_of_range_is_refused(serial: int) -> None:
    with pytest.raises(EncodeError):
        request_certificate(SUBJECT, INFO, NOW, LATER, serial)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(EncodeError):
        request_certificate(SUBJECT, INFO, NOW.replace(tzinfo=None), LATER, 1)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))
def test_times_come_back_to_the_second(moment: datetime) -> None:
    found = read_certificate(request_certificate(SUBJECT, INFO, moment, moment, 1))
    assert found.not_before == found.not_after == moment.replace(microsecond=0)


def test_times_change_their_type_in_2050() -> None:
    assert certificates.time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert certificates.time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"


def test_a_serial_number_with_needless_octets_is_read() -> None:
    data = issued(serial=0x1234)
    padded = data.replace(b"\x02\x02\x12\x34", b"\x02\x02\x00\x34")
    assert read_certificate(padded).serial == 0x34


def test_a_malformed_extension_is_found_when_it_is_asked_for() -> None:
    broken = Extension(certificates.SUBJECT_KEY_IDENTIFIER, False, b"\x05\x00")
    found = read_certificate(request_certificate(SUBJECT, INFO, NOW, LATER, 1, extensions=[broken]))
    assert found.serial == 1
    with pytest.raises(DecodeError):
        assert found.subject_key_identifier


def test_every_truncation_is_a_decode_error() -> None:
    data = issued()
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            read_certificate(data[:size])


def test_a_changed_bit_gives_facts_or_a_decode_error() -> None:
    chance = random.Random(3)
    data = issued()
    facts = ("serial", "subject", "not_before", "not_after", "key_identifier", "is_ca", "subject_key_identifier")
    for _ in range(5000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        for fact in (*facts, "authority_key_identifier", "is_self_issued"):
            try:
                getattr(read_certificate(bytes(changed)), fact)
            except DecodeError:
                continue


def test_what_is_no_public_key_has_no_identifier() -> None:
    with pytest.raises(DecodeError):
        certificates.public_key_identifier(der.sequence_of((der.integer(1),)))
