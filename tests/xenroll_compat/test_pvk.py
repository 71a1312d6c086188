"""Keys in .pvk files: written with a request, read for one, and OpenSSL as the judge of both."""

from __future__ import annotations

import stat
import struct
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certenroll import facade, pvk
from certenroll.ca.local import LocalCA
from certenroll.errors import ComError
from certenroll.hresults import HRESULT, signed
from tests.support import judges
from tests.support.requires import program
from tests.xenroll_compat.conftest import answer_of, refused

KEY = rsa.generate_private_key(65537, 2048)


def request(control: Any) -> x509.CertificateSigningRequest:
    return x509.load_der_x509_csr(control.createPKCS10WStr("CN=User", ""))


def openssl_reads(file: Path) -> Any:
    """The private key that OpenSSL finds in a .pvk file."""
    pem = file.with_suffix(".read")
    judges.run(program("openssl"), "rsa", "-inform", "PVK", "-in", str(file), "-out", str(pem), "-check")
    return serialization.load_pem_private_key(pem.read_bytes(), None)


def openssl_writes(file: Path, key: rsa.RSAPrivateKey = KEY, *, password: str = "") -> Path:
    """A .pvk file by OpenSSL."""
    pem = file.with_suffix(".pem")
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    form = ["-pvk-strong", "-passout", f"pass:{password}"] if password else ["-pvk-none"]
    judges.run(
        program("openssl"), "rsa", "-provider", "legacy", "-provider", "default", "-in", str(pem), "-outform", "PVK", *form,
        "-out", str(file),
    )  # fmt: skip
    return file


@pytest.mark.parametrize(("spec", "algorithm"), [(1, 0xA400), (2, 0x2400)])
@pytest.mark.parametrize("bits", [1024, 2048])
def test_the_key_of_a_request_goes_to_a_file_that_openssl_reads(
    control: Any, tmp_path: Path, spec: int, algorithm: int, bits: int
) -> None:
    file = tmp_path / "key.pvk"
    control.KeySpec, control.GenKeyFlags, control.PVKFileName = spec, bits << 16, str(file)
    made = request(control)
    assert openssl_reads(file).public_key() == made.public_key()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert struct.unpack_from("<5I", file.read_bytes()) == (0xB0B5F11E, 0, spec, 0, 0)
    assert int.from_bytes(file.read_bytes()[28:32], "little") == algorithm


def test_the_key_leaves_its_store_and_the_certificate_names_the_file(
    control: Any, ca: LocalCA, tmp_path: Path
) -> None:
    file = tmp_path / "key.pvk"
    control.PVKFileName = str(file)
    message = control.createPKCS10WStr("CN=User", "")
    assert not facade.containers("software")
    assert len(facade.pending_requests()) == 1
    control.acceptPKCS7(answer_of(ca, message))
    (found,) = facade.certificates("MY")
    assert found.key is None
    assert property_text(found.der, 12) == str(file)
    assert openssl_reads(file).public_key() == x509.load_der_x509_certificate(found.der).public_key()
    assert not facade.pending_requests()


def property_text(certificate: bytes, number: int) -> str:
    import certenroll

    found: Any = certenroll.Dispatch("X509Enrollment.CCertProperty")
    found.PropertyId = number
    found.InitializeFromCertificate(False, 2, certificate)
    return str(found.RawData(2).decode("utf-16-le").rstrip("\0"))


def test_a_request_whose_key_is_in_a_file_is_withdrawn_and_the_file_stays(control: Any, tmp_path: Path) -> None:
    control.PVKFileName = str(tmp_path / "key.pvk")
    control.createPKCS10("CN=User", "")
    control.removePendingRequest(control.ThumbPrint)
    assert not facade.pending_requests()
    assert (tmp_path / "key.pvk").exists()


@pytest.mark.parametrize("kind", [1, 3])
def test_every_format_writes_the_file_beside_its_own(control: Any, tmp_path: Path, kind: int) -> None:
    control.PVKFileName = str(tmp_path / "key.pvk")
    control.createFileRequest(kind, "CN=User", "", str(tmp_path / "request"))
    assert sorted(one.name for one in tmp_path.iterdir() if one.is_file()) == ["key.pvk", "request"]


def test_a_file_that_is_there_is_not_overwritten(control: Any, tmp_path: Path) -> None:
    (tmp_path / "key.pvk").write_bytes(b"precious")
    control.PVKFileName = str(tmp_path / "key.pvk")
    refused(HRESULT.WIN32_FILE_EXISTS, control.createPKCS10, "CN=x", "")
    assert (tmp_path / "key.pvk").read_bytes() == b"precious"
    assert not facade.containers("software")


def test_a_key_that_is_not_exportable_is_not_made_for_a_file(control: Any, tmp_path: Path) -> None:
    control.PVKFileName = str(tmp_path / "key.pvk")
    assert control.GenKeyFlags & 1
    control.GenKeyFlags = 0
    refused(HRESULT.NTE_BAD_KEY_STATE, control.createPKCS10, "CN=x", "")
    control.PVKFileName = str(tmp_path / "none" / "key.pvk")
    refused(HRESULT.WIN32_FILE_NOT_FOUND, control.createPKCS10, "CN=x", "")
    assert not facade.containers("software")
    assert not list(tmp_path.glob("*.pvk"))


def test_a_key_that_the_environment_moves_to_a_device_leaves_no_file(
    control: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.softhsm import SoftToken

    with SoftToken():
        monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
        control.PVKFileName = str(tmp_path / "key.pvk")
        with pytest.raises(ComError) as caught:
            control.createPKCS10("CN=x", "")
        assert caught.value.hresult == signed(HRESULT.NTE_BAD_KEY_STATE)
        assert not facade.containers("smartcard")
    assert not list(tmp_path.glob("*.pvk"))
    assert not facade.pending_requests()


def test_a_request_file_that_cannot_be_written_takes_the_key_file_with_it(control: Any, tmp_path: Path) -> None:
    control.PVKFileName = str(tmp_path / "key.pvk")
    refused(HRESULT.E_ACCESSDENIED, control.createFilePKCS10, "CN=x", "", str(tmp_path))
    assert not list(tmp_path.glob("*.pvk"))
    assert not facade.containers("software")


@pytest.mark.parametrize("container", ["", "from a file"])
def test_a_key_is_read_from_a_file_that_openssl_wrote(control: Any, ca: LocalCA, tmp_path: Path, container: str) -> None:
    file = openssl_writes(tmp_path / "key.pvk")
    control.PVKFileName, control.UseExistingKeySet, control.ContainerName = str(file), True, container
    message = control.createPKCS10WStr("CN=User", "")
    assert x509.load_der_x509_csr(message).public_key() == KEY.public_key()
    assert facade.containers("software") == [control.ContainerName]
    control.acceptPKCS7(answer_of(ca, message))
    (found,) = facade.certificates("MY")
    assert found.key is not None
    assert found.key.container == control.ContainerName
    assert file.exists()


def test_a_key_from_a_file_is_let_go_where_the_request_fails(control: Any, tmp_path: Path) -> None:
    control.PVKFileName, control.UseExistingKeySet = str(openssl_writes(tmp_path / "key.pvk")), True
    refused(HRESULT.CRYPT_E_INVALID_X500_STRING, control.createPKCS10, "no name", "")
    assert not facade.containers("software")
    control.ContainerName = "taken"
    control.createPKCS10("CN=x", "")
    refused(HRESULT.NTE_EXISTS, control.createPKCS10, "CN=x", "")
    assert facade.containers("software") == ["taken"]


def test_an_existing_key_is_copied_to_a_new_file_and_stays(control: Any, tmp_path: Path) -> None:
    control.ContainerName = "own"
    first = request(control)
    control.UseExistingKeySet, control.PVKFileName = True, str(tmp_path / "key.pvk")
    assert request(control).public_key() == first.public_key()
    assert openssl_reads(tmp_path / "key.pvk").public_key() == first.public_key()
    assert facade.containers("software") == ["own"]


def test_an_existing_key_that_may_not_leave_its_store_is_not_copied(control: Any, tmp_path: Path) -> None:
    control.ContainerName, control.GenKeyFlags = "own", 0
    control.createPKCS10("CN=x", "")
    control.UseExistingKeySet, control.PVKFileName = True, str(tmp_path / "key.pvk")
    refused(HRESULT.NTE_BAD_KEY_STATE, control.createPKCS10, "CN=x", "")
    assert facade.containers("software") == ["own"]
    assert len(facade.pending_requests()) == 1
    assert not list(tmp_path.glob("*.pvk"))


def test_a_file_with_a_password_is_refused(control: Any, tmp_path: Path) -> None:
    control.PVKFileName, control.UseExistingKeySet = str(openssl_writes(tmp_path / "key.pvk", password="secret")), True
    error = refused(HRESULT.WIN32_INVALID_PASSWORD, control.createPKCS10, "CN=x", "")
    assert "openssl rsa" in str(error)
    assert not facade.containers("software")


def test_every_damaged_file_is_refused(tmp_path: Path) -> None:
    data = openssl_writes(tmp_path / "key.pvk").read_bytes()
    blob = pvk.decode(data)
    assert pvk.decode(pvk.encode(blob, 2))[8:] == blob[8:]
    for end in range(len(data)):
        with pytest.raises(ComError):
            pvk.decode(data[:end])
    for bad in (data + b"\0", b"\0" * 24, b"MZ" + data[2:]):
        refused(HRESULT.NTE_BAD_DATA, pvk.decode, bad)


def test_a_file_of_the_right_form_without_an_rsa_key_is_refused(control: Any, tmp_path: Path) -> None:
    for number, blob in enumerate((b"", b"\x07\x02\0\0\0\xa4\0\0DSA2" + bytes(40), bytes(600))):
        file = tmp_path / f"{number}.pvk"
        file.write_bytes(struct.pack("<6I", pvk.MAGIC, 0, 1, 0, 0, len(blob)) + blob)
        control.PVKFileName, control.UseExistingKeySet = str(file), True
        refused(HRESULT.NTE_BAD_DATA, control.createPKCS10, "CN=x", "")
    assert not facade.containers("software")
