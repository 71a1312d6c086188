"""Archived keys: what is encrypted here opens here and in OpenSSL, and what OpenSSL encrypts opens here."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll.asn1 import archived_keys, cmc_requests, der
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.attributes import ARCHIVAL_CIPHERS, TRIPLE_DES, encode_archived_key
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT
from tests.support.cmc_messages import AGENT, AGENT_KEY, EC_KEY, RSA_KEY, certificate
from tests.support.requires import program
from tests.support.shared import shared_path

EXCHANGE = read_certificate(AGENT)
BLOB = b"the blob of a private key"


@pytest.mark.parametrize("cipher", ARCHIVAL_CIPHERS)
def test_a_key_opens_with_the_key_of_the_exchange_certificate(cipher: str) -> None:
    data = encode_archived_key(BLOB, AGENT, cipher, os.urandom)
    assert archived_keys.open_key(data, EXCHANGE, AGENT_KEY) == BLOB


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "certificate").write_bytes(x509.load_der_x509_certificate(AGENT).public_bytes(Encoding.PEM))
    (tmp_path / "key").write_bytes(AGENT_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path


@pytest.mark.parametrize("cipher", ARCHIVAL_CIPHERS)
def test_openssl_opens_a_key_encrypted_here(cipher: str, folder: Path) -> None:
    data = encode_archived_key(BLOB, AGENT, cipher, os.urandom)
    command = [program("openssl"), "cms", "-decrypt", "-inform", "DER", "-recip", "certificate", "-inkey", "key", "-binary"]
    assert subprocess.run(command, cwd=folder, input=data, capture_output=True, check=True).stdout == BLOB


@pytest.mark.parametrize("options", ["-des3", "-aes128", "-aes256", "-aes256 -stream"])
def test_a_key_encrypted_by_openssl_opens_here(options: str, folder: Path) -> None:
    command = [program("openssl"), "cms", "-encrypt", "-binary", "-outform", "DER", *options.split(), "certificate"]
    data = subprocess.run(command, cwd=folder, input=BLOB, capture_output=True, check=True).stdout
    assert archived_keys.open_key(data, EXCHANGE, AGENT_KEY) == BLOB


def test_the_key_in_microsofts_sample_is_for_its_ca() -> None:
    sample = shared_path("vectors", "msdocs-requests", "cmc-key-archival-encoded-asn-1.der").read_bytes()
    found = archived_keys.decode(cmc_requests.decode(sample).archived_key or b"")
    (recipient,) = found.recipients
    assert (recipient.serial, found.cipher) == (0x488A9B22000000000A39, TRIPLE_DES)
    assert (found.iv, len(found.content)) == (bytes.fromhex("6CD44389E15A7FC3"), 600)


def test_what_does_not_open_says_why() -> None:
    data = encode_archived_key(BLOB, AGENT, TRIPLE_DES, os.urandom)
    with pytest.raises(DecodeError) as missing:
        archived_keys.open_key(data, read_certificate(certificate("other", RSA_KEY)), RSA_KEY)
    assert missing.value.hresult == HRESULT.CRYPT_E_NOT_FOUND
    with pytest.raises(BadSignature) as wrong:
        archived_keys.open_key(data, EXCHANGE, RSA_KEY)
    assert wrong.value.hresult == HRESULT.NTE_BAD_DATA
    with pytest.raises(UnsupportedAlgorithm):
        archived_keys.open_key(data, EXCHANGE, EC_KEY)
    with pytest.raises(UnsupportedAlgorithm):
        archived_keys.open_key(data.replace(der.oid(TRIPLE_DES), der.oid("1.2.840.113549.3.2")), EXCHANGE, AGENT_KEY)
    with pytest.raises(DecodeError):
        archived_keys.decode(der.sequence_of((der.oid("1.2.840.113549.1.7.2"), der.wrap(0xA0, der.sequence_of(())))))


def test_every_truncation_is_a_decode_error() -> None:
    data = encode_archived_key(BLOB, AGENT, TRIPLE_DES, os.urandom)
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            archived_keys.decode(data[:size])


def test_a_changed_bit_gives_other_octets_or_a_typed_error() -> None:
    chance = random.Random(12)
    data = encode_archived_key(BLOB, AGENT, TRIPLE_DES, os.urandom)
    for _ in range(600):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            assert isinstance(archived_keys.open_key(bytes(changed), EXCHANGE, AGENT_KEY), bytes)
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue
