"""Names of algorithms, and signatures judged by pyca alone, by OpenSSL and across families."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa

from certenroll.asn1 import algorithms, der
from certenroll.asn1.algorithms import BadSignature, SignatureAlgorithm, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.der import DecodeError
from certenroll.hresults import HRESULT
from tests.support.requires import program

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
HASHES = ["sha1", "sha224", "sha256", "sha384", "sha512"]


@pytest.mark.parametrize("name", ["SHA1", "SHA-1", "sha1", " sha-1 ", "1.3.14.3.2.26", 0x8004])
def test_sha_1_is_known_by_every_name_that_scripts_give_it(name: str | int) -> None:
    assert algorithms.hash_algorithm(name).name == "sha1"


@pytest.mark.parametrize(
    ("name", "oid", "alg_id"),
    [
        ("MD5", "1.2.840.113549.2.5", 0x8003),
        ("SHA256", "2.16.840.1.101.3.4.2.1", 0x800C),
        ("SHA-384", "2.16.840.1.101.3.4.2.2", 0x800D),
        ("sha_512", "2.16.840.1.101.3.4.2.3", 0x800E),
    ],
)
def test_a_name_has_its_oid_and_its_alg_id(name: str, oid: str, alg_id: int) -> None:
    found = algorithms.hash_algorithm(name)
    assert (found.oid, found.alg_id) == (oid, alg_id)
    assert algorithms.hash_algorithm(oid) is algorithms.hash_algorithm(alg_id) is found


@pytest.mark.parametrize("name", ["", "sha3", "1.2.3", 0, 0x8001])
def test_an_unknown_hash_is_refused(name: str | int) -> None:
    with pytest.raises(UnsupportedAlgorithm) as caught:
        algorithms.hash_algorithm(name)
    assert caught.value.hresult == HRESULT.NTE_BAD_ALGID


@pytest.mark.parametrize("hash_name", ["md5", *HASHES])
def test_pkcs1_signatures_verify_by_the_algorithm_they_name(hash_name: str) -> None:
    algorithm, signature = algorithms.sign(RSA, SignatureScheme(hash_name), b"data")
    assert algorithms.read_algorithm(algorithm) == SignatureAlgorithm("rsa", hash_name)
    algorithms.verify(RSA.public_key(), algorithm, b"data", signature)


@pytest.mark.parametrize("hash_name", HASHES)
def test_pss_signatures_verify_by_their_parameters(hash_name: str) -> None:
    algorithm, signature = algorithms.sign(RSA, SignatureScheme(hash_name, pss=True), b"data")
    size = algorithms.hash_algorithm(hash_name).algorithm.digest_size
    assert algorithms.read_algorithm(algorithm) == SignatureAlgorithm("pss", hash_name, hash_name, size)
    algorithms.verify(RSA.public_key(), algorithm, b"data", signature)


@pytest.mark.parametrize("hash_name", HASHES)
def test_ecdsa_signatures_verify_by_the_algorithm_they_name(hash_name: str) -> None:
    algorithm, signature = algorithms.sign(EC, SignatureScheme(hash_name), b"data")
    assert algorithms.read_algorithm(algorithm) == SignatureAlgorithm("ecdsa", hash_name)
    algorithms.verify(EC.public_key(), algorithm, b"data", signature)


@pytest.mark.parametrize(
    ("key", "scheme"),
    [(RSA, SignatureScheme("sha256")), (RSA, SignatureScheme("sha256", pss=True)), (EC, SignatureScheme("sha384"))],
    ids=["pkcs1", "pss", "ecdsa"],
)
def test_openssl_verifies_what_is_signed_here(
    key: algorithms.PrivateKey, scheme: SignatureScheme, tmp_path: Path
) -> None:
    _, signature = algorithms.sign(key, scheme, b"data")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key").write_bytes(public)
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "data").write_bytes(b"data")
    options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if scheme.pss else []
    command = [program("openssl"), "dgst", f"-{scheme.hash_name}", "-verify", "key", "-signature", "sig", *options, "data"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout == b"Verified OK\n"


def test_the_identifiers_are_those_of_the_toolchain() -> None:
    known = {
        "300d06092a864886f70d01010b0500": (RSA.public_key(), SignatureScheme("SHA256")),
        "300a06082a8648ce3d040302": (EC.public_key(), SignatureScheme("SHA-256")),
        "300d06092a864886f70d01010a3000": (RSA.public_key(), SignatureScheme("SHA1", pss=True)),
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500"
        "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120": (
            RSA.public_key(),
            SignatureScheme("SHA256", pss=True),
        ),
    }
    assert {algorithms.algorithm_identifier(key, scheme).hex() for key, scheme in known.values()} == set(known)


def test_a_family_and_a_hash_have_their_oid() -> None:
    assert algorithms.signature_oid("rsa", "SHA256") == "1.2.840.113549.1.1.11"
    assert algorithms.signature_oid("ecdsa", "SHA-384") == "1.2.840.10045.4.3.3"
    assert algorithms.signature_oid("rsa", "SHA256", discrete=True) == algorithms.RSASSA_PSS
    assert algorithms.signature_oid("ecdsa", "SHA256", discrete=True) == algorithms.ECDSA_SPECIFIED
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.signature_oid("ecdsa", "MD5")


def test_the_key_alone_may_be_named_and_the_digest_given_beside_it() -> None:
    _, signature = algorithms.sign(RSA, SignatureScheme("sha256"), b"data")
    algorithm = algorithms.key_identifier(RSA.public_key())
    algorithms.verify(RSA.public_key(), algorithm, b"data", signature, digest="2.16.840.1.101.3.4.2.1")
    with pytest.raises(BadSignature):
        algorithms.verify(RSA.public_key(), algorithm, b"data", signature, digest="sha1")
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.verify(RSA.public_key(), algorithm, b"data", signature)


def test_windows_specified_ecdsa_names_the_hash_in_its_parameters() -> None:
    _, signature = algorithms.sign(EC, SignatureScheme("sha256"), b"data")
    hash_identifier = algorithms.hash_algorithm("sha256").identifier
    algorithm = algorithms.identifier(algorithms.ECDSA_SPECIFIED, hash_identifier)
    algorithms.verify(EC.public_key(), algorithm, b"data", signature)


def test_dsa_and_ed25519_signatures_of_others_verify() -> None:
    old, new = dsa.generate_private_key(1024), ed25519.Ed25519PrivateKey.generate()
    old_algorithm = algorithms.identifier("1.2.840.10040.4.3")
    algorithms.verify(old.public_key(), old_algorithm, b"data", old.sign(b"data", hashes.SHA1()))
    algorithms.verify(new.public_key(), algorithms.identifier(algorithms.ED25519), b"data", new.sign(b"data"))
    with pytest.raises(BadSignature):
        algorithms.verify(new.public_key(), algorithms.identifier(algorithms.ED25519), b"datum", new.sign(b"data"))


def test_pss_with_a_salt_and_a_mask_of_its_own_verifies() -> None:
    signature = RSA.sign(b"data", padding.PSS(padding.MGF1(hashes.SHA1()), 11), hashes.SHA256())
    fields = (
        der.wrap(0xA0, algorithms.hash_algorithm("sha256").identifier),
        der.wrap(0xA2, der.integer(11)),
    )
    algorithm = algorithms.identifier(algorithms.RSASSA_PSS, der.sequence_of(fields))
    assert algorithms.read_algorithm(algorithm) == SignatureAlgorithm("pss", "sha256", "sha1", 11)
    algorithms.verify(RSA.public_key(), algorithm, b"data", signature)


@pytest.mark.parametrize("hash_name", ["sha1", "sha256", "sha512"])
def test_a_null_signature_passes_only_where_it_is_allowed(hash_name: str) -> None:
    algorithm, signature = algorithms.null_signature(b"data", hash_name)
    assert algorithms.read_algorithm(algorithm) == SignatureAlgorithm("null", hash_name)
    algorithms.verify(None, algorithm, b"data", signature, allow_null=True)
    for data, allow_null in ((b"data", False), (b"datum", True)):
        with pytest.raises(BadSignature):
            algorithms.verify(RSA.public_key(), algorithm, data, signature, allow_null=allow_null)


@pytest.mark.parametrize("signature", [b"", b"x", bytes(256), bytes(300)])
@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
def test_octets_that_are_no_signature_do_not_verify(key: algorithms.PrivateKey, signature: bytes) -> None:
    algorithm = algorithms.algorithm_identifier(key.public_key(), SignatureScheme("sha256"))
    with pytest.raises(BadSignature) as caught:
        algorithms.verify(key.public_key(), algorithm, b"data", signature)
    assert caught.value.hresult == HRESULT.NTE_BAD_SIGNATURE


def test_a_key_of_another_family_does_not_verify() -> None:
    algorithm, signature = algorithms.sign(EC, SignatureScheme("sha256"), b"data")
    with pytest.raises(BadSignature):
        algorithms.verify(RSA.public_key(), algorithm, b"data", signature)


def test_a_key_that_cannot_sign_so_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.sign(EC, SignatureScheme("md5"), b"data")
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.sign(ed25519.Ed25519PrivateKey.generate(), SignatureScheme("sha256"), b"data")
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.key_identifier(EC.public_key())


@pytest.mark.parametrize("data", ["", "3000", "300106", "3003020101", "3009060129a00030003000"])
def test_what_is_no_algorithm_identifier_is_refused(data: str) -> None:
    with pytest.raises(DecodeError):
        algorithms.read_algorithm(bytes.fromhex(data))


def test_an_unknown_signature_algorithm_is_refused() -> None:
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.read_algorithm(algorithms.identifier("1.2.3.4"))


def test_a_public_key_is_loaded_or_refused_by_type() -> None:
    info = EC.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert algorithms.load_public_key(info) == EC.public_key()
    with pytest.raises(DecodeError):
        algorithms.load_public_key(info[:-1])
    with pytest.raises(UnsupportedAlgorithm):
        algorithms.load_public_key(der.sequence_of((algorithms.identifier("1.2.3.4"), der.bit_string(b"x"))))
