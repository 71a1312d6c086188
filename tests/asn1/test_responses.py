"""Answers of certification authorities in every form, whole and damaged."""

from __future__ import annotations

import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certenroll.asn1 import algorithms, cms, der, pfx
from certenroll.asn1.algorithms import BadSignature, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cms import NewSigner, encode_certificate_bag, encode_signed_data
from certenroll.asn1.der import DecodeError
from certenroll.asn1.pfx import WrongPassword
from certenroll.asn1.responses import PKI_DATA, PKI_RESPONSE, ResponseKind, read_response
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

KEY = ec.generate_private_key(ec.SECP256R1())
CA_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    issuer, subject = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("CA", name))
    builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    builder = builder.add_extension(x509.BasicConstraints(key is CA_KEY, None), critical=True)
    return builder.sign(CA_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


LEAF = certificate("leaf", KEY)
CA = certificate("CA", CA_KEY)
CA_SIGNER = NewSigner(algorithms.signer(CA_KEY, SignatureScheme("sha256")), certificate=read_certificate(CA))


def full_response(*certificates: bytes, signer: NewSigner = CA_SIGNER) -> bytes:
    empty = der.sequence_of((der.sequence_of(()), der.sequence_of(()), der.sequence_of(())))
    return encode_signed_data(PKI_RESPONSE, empty, [signer], certificates)


FORMS = {"bare": LEAF, "bag": encode_certificate_bag([LEAF, CA]), "full": full_response(LEAF, CA)}


def test_a_bare_certificate_is_an_answer() -> None:
    found = read_response(LEAF)
    assert (found.kind, found.certificates) == (ResponseKind.CERTIFICATE, (LEAF,))
    assert (found.signed, found.private_key) == (None, None)


def test_a_bag_is_an_answer() -> None:
    found = read_response(encode_certificate_bag([LEAF, CA]))
    assert (found.kind, found.certificates) == (ResponseKind.CERTIFICATES, tuple(sorted((LEAF, CA))))
    assert found.unchecked == ()


def test_a_certificate_that_comes_twice_is_given_once() -> None:
    inside = der.wrap(0xA0, LEAF + CA + LEAF)
    parts = (der.integer(1), der.set_of(()), der.sequence_of((der.oid(cms.DATA),)), inside, der.set_of(()))
    assert read_response(der.sequence_of(parts)).certificates == (LEAF, CA)


@pytest.mark.parametrize("order", [(LEAF, CA), (CA, LEAF)], ids=["leaf first", "CA first"])
def test_a_bag_of_openssl_is_an_answer(order: tuple[bytes, ...], tmp_path: Path) -> None:
    loaded = [x509.load_der_x509_certificate(one).public_bytes(serialization.Encoding.PEM) for one in order]
    (tmp_path / "all").write_bytes(b"".join(loaded))
    command = [program("openssl"), "crl2pkcs7", "-nocrl", "-certfile", "all", "-outform", "DER"]
    data = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    assert set(read_response(data).certificates) == {LEAF, CA}


def test_a_pfx_is_an_answer_and_its_own_certificate_stands_first() -> None:
    found = read_response(pfx.write_pfx(KEY, LEAF, [CA], "secret", "mine"), "secret")
    assert (found.kind, found.certificates, found.friendly_name) == (ResponseKind.PFX, (LEAF, CA), "mine")
    assert isinstance(found.private_key, ec.EllipticCurvePrivateKey)
    assert found.private_key.private_numbers() == KEY.private_numbers()


def test_a_pfx_in_ber_is_an_answer() -> None:
    found = read_response(shared_path("vectors", "cms-ber", "test-BER.p12").read_bytes(), "12345")
    assert (found.kind, len(found.certificates)) == (ResponseKind.PFX, 3)


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_pfx_under_another_password_says_so(password: str | None) -> None:
    with pytest.raises(WrongPassword):
        read_response(pfx.write_pfx(KEY, LEAF, [], "secret"), password)


def test_a_full_response_is_recognised_and_its_signature_checked() -> None:
    found = read_response(full_response(LEAF, CA))
    assert (found.kind, set(found.certificates), found.unchecked) == (ResponseKind.FULL_RESPONSE, {LEAF, CA}, ())
    assert found.signed is not None
    assert found.signed.content == bytes.fromhex("3006300030003000")


def test_a_full_response_without_certificates_is_an_answer_with_an_unchecked_signer() -> None:
    found = read_response(full_response())
    assert (found.kind, found.certificates) == (ResponseKind.FULL_RESPONSE, ())
    assert found.signed is not None
    assert found.unchecked == found.signed.signers


def test_a_full_response_signed_by_openssl_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(bytes.fromhex("3006300030003000"))
    (tmp_path / "ca").write_bytes(x509.load_der_x509_certificate(CA).public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key").write_bytes(
        CA_KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    options = f"-sign -binary -nodetach -in content -signer ca -inkey key -econtent_type {PKI_RESPONSE} -outform DER -stream"
    command = [program("openssl"), "cms", *options.split()]
    found = read_response(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
    assert (found.kind, found.certificates, found.unchecked) == (ResponseKind.FULL_RESPONSE, (CA,), ())


@pytest.fixture(scope="module")
def answers_of_bouncy_castle(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Name of the case -> full response, made by another implementation from another CA."""
    folder = tmp_path_factory.mktemp("bouncycastle")
    javac, java, openssl = program("javac"), program("java"), program("openssl")
    source = shared_path("oracles", "CmcBuild.java")
    jars = ":".join(f"/usr/share/java/{name}.jar" for name in ("bcprov", "bcutil", "bcpkix"))
    if not Path("/usr/share/java/bcpkix.jar").exists():
        pytest.skip("Bouncy Castle is not installed")
    for name in ("ca", "leaf"):
        options = f"req -x509 -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 30"
        subprocess.run([openssl, *options.split()], cwd=folder, check=True, capture_output=True)
    subprocess.run([javac, "-Xlint:none", "-cp", jars, "-d", ".", source], cwd=folder, check=True, capture_output=True)
    command = [java, "-cp", f"{jars}:.", "CmcBuild", "out", "ca.pem", "ca.key", "leaf.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {path.stem: path.read_bytes() for path in sorted((folder / "out").iterdir())}


def test_full_responses_of_bouncy_castle_are_recognised(answers_of_bouncy_castle: dict[str, bytes]) -> None:
    for name, data in answers_of_bouncy_castle.items():
        if name in ("certs-only", "ms-success-badsig"):
            continue
        found = read_response(data)
        assert (found.kind, found.unchecked) == (ResponseKind.FULL_RESPONSE, ()), name
        assert len(found.certificates) in (1, 2), name


def test_a_simple_response_of_bouncy_castle_is_a_bag(answers_of_bouncy_castle: dict[str, bytes]) -> None:
    found = read_response(answers_of_bouncy_castle["certs-only"])
    assert (found.kind, len(found.certificates)) == (ResponseKind.CERTIFICATES, 2)


def test_a_full_response_of_bouncy_castle_with_a_broken_signature_is_refused(
    answers_of_bouncy_castle: dict[str, bytes],
) -> None:
    with pytest.raises(BadSignature):
        read_response(answers_of_bouncy_castle["ms-success-badsig"])


def test_a_forged_full_response_is_refused() -> None:
    forged = replace(CA_SIGNER, sign=algorithms.signer(KEY, SignatureScheme("sha256")))
    with pytest.raises(BadSignature):
        read_response(full_response(LEAF, CA, signer=forged))


def test_a_signed_bag_with_content_elsewhere_has_an_unchecked_signer() -> None:
    data = encode_signed_data(cms.DATA, None, [CA_SIGNER], [LEAF, CA])
    found = read_response(data)
    assert found.kind == ResponseKind.CERTIFICATES
    assert len(found.unchecked) == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", HRESULT.CRYPT_E_ASN1_EOD),
        (b"\x30\x00", HRESULT.CRYPT_E_ASN1_EOD),
        (encode_certificate_bag([]), HRESULT.CRYPT_E_ASN1_EOD),
        (encode_signed_data(PKI_DATA, b"", [CA_SIGNER], [CA]), HRESULT.CRYPT_E_INVALID_MSG_TYPE),
        (der.sequence_of((der.oid("1.2.840.113549.1.7.3"), b"\xa0\x02\x30\x00")), HRESULT.CRYPT_E_INVALID_MSG_TYPE),
        (b"<html>", HRESULT.CRYPT_E_ASN1_EOD),
        (LEAF + b"\x00", HRESULT.CRYPT_E_ASN1_NOEOD),
        (encode_certificate_bag([der.sequence_of((der.integer(1),))]), HRESULT.CRYPT_E_ASN1_BADTAG),
    ],
)
def test_what_is_no_answer_says_why(data: bytes, code: int) -> None:
    with pytest.raises(DecodeError) as caught:
        read_response(data)
    assert caught.value.hresult == code


def test_a_pfx_without_certificates_is_refused(tmp_path: Path) -> None:
    key = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key").write_bytes(key)
    command = [program("openssl"), "pkcs12", "-export", "-nocerts", "-inkey", "key", "-passout", "pass:secret"]
    data = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    with pytest.raises(DecodeError):
        read_response(data, "secret")


@pytest.mark.parametrize("data", FORMS.values(), ids=list(FORMS))
def test_every_truncation_is_a_decode_error(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            read_response(data[:size])


@pytest.mark.parametrize("data", FORMS.values(), ids=list(FORMS))
def test_a_changed_bit_gives_an_answer_or_a_typed_error(data: bytes) -> None:
    chance = random.Random(6)
    for _ in range(7000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            found = read_response(bytes(changed))
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue
        for one in found.certificates:
            assert read_certificate(one).serial is not None


def test_random_octets_are_no_answer() -> None:
    chance = random.Random(7)
    for _ in range(5000):
        with pytest.raises(DecodeError):
            read_response(b"\x30" + chance.randbytes(chance.randrange(40)))
