"""The forms of exported keys: octet by octet, as OpenSSL reads them, and cut off everywhere."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from certenroll.errors import ComError
from certenroll.hresults import HRESULT
from certenroll.key_blobs import is_public, read_key, write_key, write_public_key
from tests.support.enrolling import code
from tests.support.requires import program

RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEYS = {bits: ec.generate_private_key(curve) for bits, curve in {
    256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1(),
}.items()}
FORMS = [
    *((form, RSA_KEY) for form in (
        "PKCS8_PRIVATEKEY", "RSAPRIVATEBLOB", "RSAFULLPRIVATEBLOB", "PRIVATEBLOB", "CAPIPRIVATEBLOB",
    )),
    *((form, key) for form in ("PKCS8_PRIVATEKEY", "ECCPRIVATEBLOB", "PRIVATEBLOB") for key in EC_KEYS.values()),
]


@pytest.mark.parametrize(("form", "key"), FORMS, ids=lambda value: value if isinstance(value, str) else str(value.key_size))
def test_a_key_goes_round(form: str, key: Any) -> None:
    assert read_key(form.lower(), write_key(form, key)).private_numbers() == key.private_numbers()


@pytest.mark.parametrize(("form", "key"), FORMS, ids=lambda value: value if isinstance(value, str) else str(value.key_size))
def test_a_key_that_is_cut_off_is_refused_wherever_that_is(form: str, key: Any) -> None:
    blob = write_key(form, key)
    needed = len(blob) if form == "PKCS8_PRIVATEKEY" else _needed(form, key)
    for end in [*range(64), *range(64, needed, 37), needed - 1]:
        with pytest.raises(ComError) as caught:
            read_key(form, blob[:end])
        assert code(caught.value) == HRESULT.NTE_BAD_DATA


def _needed(form: str, key: Any) -> int:
    """How much of a blob is read: what follows the primes is computed."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return 8 + 3 * ((key.key_size + 7) // 8)
    return 20 + 256 + 2 * 128 if form == "CAPIPRIVATEBLOB" else 24 + 3 + 256 + 2 * 128


def test_an_rsa_blob_of_cng_begins_with_its_lengths() -> None:
    blob = write_key("RSAFULLPRIVATEBLOB", RSA_KEY)
    assert struct.unpack_from("<4sIIIII", blob) == (b"RSA3", 2048, 3, 256, 128, 128)
    assert len(blob) == 24 + 3 + 256 + 5 * 128 + 256
    public = write_public_key("PUBLICBLOB", RSA_KEY.public_key())
    assert struct.unpack_from("<4sIIIII", public) == (b"RSA1", 2048, 3, 256, 0, 0)


@pytest.mark.parametrize(
    ("bits", "public", "private"), [(256, b"ECS1", b"ECS2"), (384, b"ECS3", b"ECS4"), (521, b"ECS5", b"ECS6")]
)
def test_an_ec_blob_of_cng_begins_with_its_curve(bits: int, public: bytes, private: bytes) -> None:
    size = (bits + 7) // 8
    assert write_key("ECCPRIVATEBLOB", EC_KEYS[bits])[:8] == private + struct.pack("<I", size)
    assert write_public_key("ECCPUBLICBLOB", EC_KEYS[bits].public_key())[:8] == public + struct.pack("<I", size)


@pytest.mark.parametrize(("magic", "bits"), [(b"ECK2", 256), (b"ECK4", 384), (b"ECK6", 521)])
def test_a_key_for_key_agreement_is_read_too(magic: bytes, bits: int) -> None:
    blob = write_key("ECCPRIVATEBLOB", EC_KEYS[bits])
    assert read_key("PRIVATEBLOB", magic + blob[4:]).private_numbers() == EC_KEYS[bits].private_numbers()


def test_openssl_reads_the_private_blob_of_cryptoapi(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(write_key("PRIVATEBLOB", RSA_KEY, legacy=True))
    command = [program("openssl"), "rsa", "-inform", "MSBLOB", "-in", str(path), "-outform", "DER"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    assert serialization.load_der_private_key(made, None).private_numbers() == RSA_KEY.private_numbers()  # type: ignore[union-attr]


def test_openssl_reads_the_public_blob_of_cryptoapi(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(write_public_key("PUBLICBLOB", RSA_KEY.public_key(), legacy=True))
    command = [program("openssl"), "rsa", "-pubin", "-inform", "MSBLOB", "-in", str(path), "-outform", "DER"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    assert serialization.load_der_public_key(made) == RSA_KEY.public_key()


def test_a_blob_that_openssl_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(
        RSA_KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    command = [program("openssl"), "rsa", "-in", str(path), "-outform", "MSBLOB"]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    assert read_key("CAPIPRIVATEBLOB", made).private_numbers() == RSA_KEY.private_numbers()


@pytest.mark.parametrize(
    ("form", "key"),
    [("ECCPRIVATEBLOB", RSA_KEY), ("RSAPRIVATEBLOB", EC_KEYS[256]), ("CAPIPRIVATEBLOB", EC_KEYS[256]), ("x", RSA_KEY)],
    ids=["EC form", "RSA form", "CryptoAPI form", "unknown"],
)
def test_a_form_that_the_key_has_not_is_refused(form: str, key: Any) -> None:
    with pytest.raises(ComError) as caught:
        write_key(form, key)
    assert code(caught.value) == HRESULT.NTE_BAD_TYPE


def test_primes_that_are_not_the_modulus_are_refused() -> None:
    blob = bytearray(write_key("RSAPRIVATEBLOB", RSA_KEY))
    blob[-1] ^= 2
    with pytest.raises(ComError) as caught:
        read_key("RSAPRIVATEBLOB", bytes(blob))
    assert code(caught.value) == HRESULT.NTE_BAD_DATA


def test_a_point_that_is_not_on_the_curve_is_refused() -> None:
    blob = bytearray(write_key("ECCPRIVATEBLOB", EC_KEYS[256]))
    blob[8] ^= 1
    with pytest.raises(ComError) as caught:
        read_key("ECCPRIVATEBLOB", bytes(blob))
    assert code(caught.value) == HRESULT.NTE_BAD_DATA


@pytest.mark.parametrize(("form", "public"), [("PUBLICBLOB", True), ("eccpublicblob", True), ("PRIVATEBLOB", False)])
def test_a_form_says_whether_it_is_public(form: str, public: bool) -> None:
    assert is_public(form) is public
