"""Certificates that were added for an endorsement key: files beside the keys, which need no TPM."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keystores.base import EndorsementKey
from keystores.errors import BadKeyData, KeyStoreError, NotPermitted
from keystores.tpm.endorsement_certificates import add, belongs_to, discard, owned, whole_certificate
from tests.support.endorsement import certificate_for


def spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def endorsement(public_key: bytes, *manufacturers: bytes) -> EndorsementKey:
    return EndorsementKey(public_key, b"", b"", manufacturers)


RSA_KEY = spki(rsa.generate_private_key(65537, 2048))
EC_KEY = spki(ec.generate_private_key(ec.SECP256R1()))


def test_a_certificate_is_kept_in_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    key, certificate = endorsement(EC_KEY), certificate_for(tmp_path, EC_KEY)
    add(tmp_path / "keys", key, certificate)
    (file,) = (tmp_path / "keys" / "endorsement").iterdir()
    assert file.read_bytes() == certificate
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    discard(tmp_path / "keys", key, certificate)
    assert list(file.parent.iterdir()) == []
    assert owned(tmp_path / "keys", key) == owned(tmp_path / "nowhere", key) == ()


def test_each_key_has_its_own_certificates_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    made = {public: certificate_for(tmp_path, public) for public in (RSA_KEY, EC_KEY)}
    for public, certificate in made.items():
        add(tmp_path, endorsement(public), certificate)
    for name, data in (("note.txt", b"x"), ("broken.cer", b"\x30\x03\x02\x01\x00"), (".new-1.cer", b"half")):
        (tmp_path / "endorsement" / name).write_bytes(data)
    for public, certificate in made.items():
        assert owned(tmp_path, endorsement(public)) == (certificate,)


def test_a_folder_that_may_not_be_read_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "endorsement").write_bytes(b"a file where the folder should be")
    for act in (lambda: owned(tmp_path, endorsement(EC_KEY)), lambda: _add(tmp_path)):
        with pytest.raises(KeyStoreError):
            act()


def _add(folder: Path) -> None:
    add(folder, endorsement(EC_KEY), certificate_for(folder, EC_KEY))


def test_the_manufacturers_certificate_is_neither_added_nor_removed(tmp_path: Path) -> None:
    certificate = certificate_for(tmp_path, EC_KEY)
    for change in (add, discard):
        with pytest.raises(NotPermitted) as caught:
            change(tmp_path, endorsement(EC_KEY, certificate), certificate)
        assert caught.value.hresult == 0x80090010


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"no certificate", bytes(70_000)])
def test_what_is_no_certificate_is_not_added(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadKeyData) as caught:
        add(tmp_path, endorsement(EC_KEY), data)
    assert caught.value.hresult == 0x80090005
    assert not (tmp_path / "endorsement").exists()


def test_a_key_that_the_manufacturer_says_is_for_oaep_is_the_same_key(tmp_path: Path) -> None:
    certificate = certificate_for(tmp_path, RSA_KEY)
    rsa_encryption, oaep = (bytes.fromhex(f"06092A864886F70D0101{last}") for last in ("01", "07"))
    assert certificate.count(rsa_encryption) == 1
    assert belongs_to(certificate.replace(rsa_encryption, oaep), RSA_KEY)
    assert not belongs_to(certificate, EC_KEY)


def test_a_certificate_is_found_at_the_beginning_of_what_nv_holds(tmp_path: Path) -> None:
    certificate = certificate_for(tmp_path, RSA_KEY)
    for rest in (b"", b"\xff" * 100, bytes(100), os.urandom(20)):
        assert whole_certificate(certificate + rest) == certificate
    for cut in range(0, len(certificate), 3):
        with pytest.raises(BadKeyData):
            whole_certificate(certificate[:cut])
