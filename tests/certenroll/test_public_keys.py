"""IX509PublicKey: what it takes in, gives out and computes, judged by OpenSSL and by pyca."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from certenroll.enums import EncodingType, KeyIdentifierHashAlgorithm
from certenroll.errors import BadArgument, ComError
from certenroll.object_ids import object_id
from certenroll.public_keys import IX509PublicKey, public_key_from_spki
from tests.support.requires import program

BINARY = EncodingType.XCN_CRYPT_STRING_BINARY
HEX = EncodingType.XCN_CRYPT_STRING_HEXRAW | EncodingType.XCN_CRYPT_STRING_NOCRLF
BASE64 = EncodingType.XCN_CRYPT_STRING_BASE64

RSA_KEY = rsa.generate_private_key(65537, 2048).public_key()
EC_KEY = ec.generate_private_key(ec.SECP384R1()).public_key()


def spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


RSA_SPKI, EC_SPKI = spki(RSA_KEY), spki(EC_KEY)


def code(error: ComError) -> int:
    return error.hresult & 0xFFFFFFFF


def test_an_rsa_key_reads_back_in_its_parts() -> None:
    key = public_key_from_spki(RSA_SPKI)
    assert (key.Algorithm.Value, key.Length) == ("1.2.840.113549.1.1.1", 2048)
    assert key.EncodedParameters(BINARY) == b"\x05\x00"
    assert key.EncodedKey(BINARY) == RSA_KEY.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    assert key.spki_bytes() == RSA_SPKI


def test_an_ec_key_reads_back_in_its_parts() -> None:
    key = public_key_from_spki(EC_SPKI)
    assert (key.Algorithm.Value, key.Length) == ("1.2.840.10045.2.1", 384)
    assert key.EncodedParameters(HEX) == "06052b81040022"
    assert key.EncodedKey(BINARY) == EC_KEY.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def test_the_default_encoding_is_base64() -> None:
    key = IX509PublicKey()
    key.InitializeFromEncodedPublicKeyInfo(base64.b64encode(RSA_SPKI).decode())
    assert key.EncodedKey() == key.EncodedKey(BASE64)
    assert base64.b64decode(str(key.EncodedKey())) == key.EncodedKey(BINARY)
    assert str(key.EncodedParameters()).strip() == "BQA="


@pytest.mark.parametrize("source", [RSA_SPKI, EC_SPKI], ids=["RSA", "EC"])
def test_a_key_that_is_put_together_again_is_the_same(source: bytes) -> None:
    first = public_key_from_spki(source)
    again = IX509PublicKey()
    again.Initialize(first.Algorithm, first.EncodedKey(), first.EncodedParameters(), BASE64)
    assert again.spki_bytes() == source
    assert load_der_public_key(again.spki_bytes()) == load_der_public_key(source)


def test_an_rsa_key_without_parameters_gets_null() -> None:
    key = IX509PublicKey()
    key.Initialize(object_id("1.2.840.113549.1.1.1"), public_key_from_spki(RSA_SPKI).EncodedKey(HEX), "", HEX)
    assert key.spki_bytes() == RSA_SPKI


def test_an_algorithm_without_parameters_has_none_to_give() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    key = public_key_from_spki(spki(edwards))
    assert key.Algorithm.Value == "1.3.101.112"
    assert key.Length == 256
    with pytest.raises(ComError) as caught:
        key.EncodedParameters()
    assert code(caught.value) == 0x80094004


def test_a_dsa_key_of_another_ca_can_be_read() -> None:
    found = dsa.generate_private_key(2048).public_key()
    key = public_key_from_spki(spki(found))
    assert (key.Algorithm.Value, key.Length) == ("1.2.840.10040.4.1", 2048)


def test_a_key_of_an_unknown_algorithm_is_as_long_as_its_octets() -> None:
    key = IX509PublicKey()
    key.Initialize(object_id("1.2.3.4"), "00ff10", "", HEX)
    assert key.Length == 24


@pytest.mark.parametrize("source", [RSA_SPKI, EC_SPKI], ids=["RSA", "EC"])
def test_the_default_identifier_is_that_of_rfc_5280(source: bytes) -> None:
    key = public_key_from_spki(source)
    public = load_der_public_key(source)
    assert not isinstance(public, (str, bytes))
    expected = x509.SubjectKeyIdentifier.from_public_key(public).digest  # type: ignore[arg-type]
    for algorithm in (0, 1):
        assert key.ComputeKeyIdentifier(KeyIdentifierHashAlgorithm(algorithm), BINARY) == expected


def test_the_other_identifiers_hash_the_bit_string_and_the_whole() -> None:
    key = public_key_from_spki(EC_SPKI)
    octets = key.EncodedKey(BINARY)
    assert isinstance(octets, bytes)
    bit_string = b"\x03" + bytes([len(octets) + 1]) + b"\x00" + octets
    assert EC_SPKI.endswith(bit_string)
    compute = {algorithm: key.ComputeKeyIdentifier(algorithm, BINARY) for algorithm in KeyIdentifierHashAlgorithm}
    assert compute[KeyIdentifierHashAlgorithm.SKIHashCapiSha1] == hashlib.sha1(bit_string).digest()
    assert compute[KeyIdentifierHashAlgorithm.SKIHashSha256] == hashlib.sha256(bit_string).digest()
    assert compute[KeyIdentifierHashAlgorithm.SKIHashHPKP] == hashlib.sha256(EC_SPKI).digest()


def test_openssl_computes_the_same_identifiers(tmp_path: Path) -> None:
    (tmp_path / "key.der").write_bytes(EC_SPKI)
    openssl = [program("openssl"), "asn1parse", "-inform", "DER", "-in", str(tmp_path / "key.der")]
    listing = subprocess.run(openssl, capture_output=True, check=True, text=True).stdout
    offset = next(line.split(":")[0].strip() for line in listing.splitlines() if "BIT STRING" in line)
    cut = [*openssl, "-strparse", offset, "-noout", "-out", str(tmp_path / "octets")]
    subprocess.run(cut, capture_output=True, check=False)  # it complains: the octets are no DER. It writes them all the same
    octets = (tmp_path / "octets").read_bytes()
    digest = subprocess.run(
        [program("openssl"), "dgst", "-sha1", "-binary"], input=octets, capture_output=True, check=True
    ).stdout
    assert public_key_from_spki(EC_SPKI).ComputeKeyIdentifier(KeyIdentifierHashAlgorithm.SKIHashSha1, BINARY) == digest


def test_a_key_that_is_not_initialized_answers_nothing() -> None:
    key = IX509PublicKey()
    for ask in (
        lambda: key.Algorithm,
        lambda: key.Length,
        key.EncodedKey,
        key.EncodedParameters,
        lambda: key.ComputeKeyIdentifier(KeyIdentifierHashAlgorithm.SKIHashSha1),
        key.spki_bytes,
    ):
        with pytest.raises(ComError) as caught:
            ask()
        assert code(caught.value) == 0x80040007


def test_a_key_is_initialized_once_and_a_second_time_changes_nothing() -> None:
    key = public_key_from_spki(RSA_SPKI)
    with pytest.raises(ComError) as caught:
        key.InitializeFromEncodedPublicKeyInfo(EC_SPKI, BINARY)
    assert code(caught.value) == 0x800704DF
    assert key.spki_bytes() == RSA_SPKI


def test_a_failed_initialization_leaves_the_key_blank() -> None:
    key = IX509PublicKey()
    with pytest.raises(ComError):
        key.InitializeFromEncodedPublicKeyInfo(RSA_SPKI[:-1], BINARY)
    key.InitializeFromEncodedPublicKeyInfo(RSA_SPKI, BINARY)
    assert key.Length == 2048


@pytest.mark.parametrize("source", [RSA_SPKI, EC_SPKI], ids=["RSA", "EC"])
def test_a_key_that_was_cut_anywhere_is_refused_with_an_asn1_code(source: bytes) -> None:
    for length in range(len(source)):
        with pytest.raises(ComError) as caught:
            public_key_from_spki(source[:length])
        assert 0x80093100 <= code(caught.value) <= 0x800931FF


@pytest.mark.parametrize(
    "data",
    [
        RSA_SPKI + b"\x00",
        b"\x05\x00",
        b"\x30\x00",
        bytes.fromhex("3008 3003060100 030100"),
        bytes.fromhex("3005 3000 030100"),
    ],
    ids=["trailing", "null", "empty", "no key", "no algorithm"],
)
def test_bytes_that_are_no_key_are_refused(data: bytes) -> None:
    with pytest.raises(ComError) as caught:
        public_key_from_spki(data)
    assert 0x80093100 <= code(caught.value) <= 0x800932FF


def test_an_empty_key_and_parameters_that_are_no_der_are_refused() -> None:
    rsa_oid = object_id("1.2.840.113549.1.1.1")
    with pytest.raises(BadArgument):
        IX509PublicKey().Initialize(rsa_oid, "", "", HEX)
    with pytest.raises(ComError):
        IX509PublicKey().Initialize(rsa_oid, "00", "0500ff", HEX)


def test_a_text_that_is_not_of_its_encoding_is_refused() -> None:
    with pytest.raises(ComError):
        IX509PublicKey().InitializeFromEncodedPublicKeyInfo("not hex", HEX)


def test_an_algorithm_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadArgument) as caught:
        public_key_from_spki(RSA_SPKI).ComputeKeyIdentifier(4)  # type: ignore[arg-type]
    assert caught.value.argerror == 0
