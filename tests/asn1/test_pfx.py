"""PFX files: those of OpenSSL and of others read, ours read by OpenSSL."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from certenroll.asn1 import ber, pfx
from certenroll.asn1.algorithms import PrivateKey
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

KEY = rsa.generate_private_key(65537, 2048)
CA_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, key: PrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    return builder.sign(CA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


LEAF = certificate("leaf", KEY)
CA = certificate("CA", CA_KEY)


def private_der(key: PrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("password", ["secret", "Пароль-密碼", None, ""])
def test_what_is_written_is_read_back(password: str | None, legacy: bool) -> None:
    data = pfx.write_pfx(KEY, LEAF, [CA], password, "Zoë's key", legacy=legacy)
    found = pfx.read_pfx(data, password)
    assert found.private_key is not None
    assert private_der(found.private_key) == private_der(KEY)
    assert (found.certificate, found.chain, found.friendly_name) == (LEAF, (CA,), "Zoë's key")


@pytest.mark.parametrize("legacy", [False, True])
def test_openssl_reads_what_is_written(legacy: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(pfx.write_pfx(KEY, LEAF, [CA], "secret", "my key", legacy=legacy))
    command = [program("openssl"), "pkcs12", "-in", "file", "-passin", "pass:secret", "-nodes", "-info"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert result.stdout.count("BEGIN CERTIFICATE") == 2
    assert "friendlyName: my key" in result.stdout
    assert ("pbeWithSHA1And3-KeyTripleDES-CBC" if legacy else "AES-256-CBC") in result.stderr


def from_openssl(folder: Path, password: str, *options: str) -> bytes:
    (folder / "leaf").write_bytes(LEAF)
    pem = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for name, data in (("leaf", LEAF), ("ca", CA)):
        (folder / name).write_bytes(x509.load_der_x509_certificate(data).public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(pem)
    command = [program("openssl"), "pkcs12", "-export", "-inkey", "key", "-in", "leaf", "-certfile", "ca", *options]
    return subprocess.run([*command, "-passout", f"pass:{password}"], cwd=folder, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    "options",
    [(), ("-legacy",), ("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"), ("-certpbe", "NONE")],
    ids=["aes", "rc2", "3des", "plain certificates"],
)
def test_what_openssl_writes_is_read(options: tuple[str, ...], tmp_path: Path) -> None:
    found = pfx.read_pfx(from_openssl(tmp_path, "secret", "-name", "from openssl", *options), "secret")
    assert found.private_key is not None
    assert (found.certificate, found.chain, found.friendly_name) == (LEAF, (CA,), "from openssl")


@pytest.mark.parametrize("password", [None, ""])
def test_no_password_and_an_empty_one_are_one(password: str | None, tmp_path: Path) -> None:
    assert pfx.read_pfx(from_openssl(tmp_path, ""), password).certificate == LEAF


def test_a_file_without_a_key_has_certificates_alone(tmp_path: Path) -> None:
    found = pfx.read_pfx(from_openssl(tmp_path, "secret", "-nokeys"), "secret")
    assert found.private_key is None
    assert {found.certificate, *found.chain} - {b""} == {LEAF, CA}


def test_a_file_in_ber_is_read() -> None:
    data = shared_path("vectors", "cms-ber", "test-BER.p12").read_bytes()
    for form in (data, ber.to_der(data)):
        found = pfx.read_pfx(form, "12345")
        assert isinstance(found.private_key, ec.EllipticCurvePrivateKey)
        assert (len(found.chain), found.friendly_name) == (2, "Docker_Playground_TLS")


@pytest.mark.parametrize("password", ["wrong", "", None, "\ud800", "secret\0"])
def test_a_wrong_password_says_so(password: str | None) -> None:
    with pytest.raises(WrongPassword) as caught:
        pfx.read_pfx(pfx.write_pfx(KEY, LEAF, [], "secret"), password)
    assert caught.value.hresult == HRESULT.WIN32_INVALID_PASSWORD
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"garbage", LEAF, bytes.fromhex("300a020103300506012a0500")])
def test_what_is_no_pfx_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        pfx.read_pfx(data, "secret")


def test_every_truncation_is_a_decode_error() -> None:
    data = pfx.write_pfx(KEY, LEAF, [CA], "secret")
    for size in range(0, len(data), 7):
        with pytest.raises(DecodeError):
            pfx.read_pfx(data[:size], "secret")


def test_a_key_and_a_foreign_certificate_are_not_written() -> None:
    with pytest.raises(EncodeError):
        pfx.write_pfx(KEY, CA, [], "secret")


def test_a_malformed_certificate_is_not_written() -> None:
    with pytest.raises(DecodeError):
        pfx.write_pfx(KEY, LEAF[:-1], [], "secret")


def test_the_key_does_not_show_in_the_text_of_a_pfx() -> None:
    assert "private_key" not in repr(pfx.read_pfx(pfx.write_pfx(KEY, LEAF, [], "secret"), "secret"))
