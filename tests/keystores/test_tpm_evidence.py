"""How a verifier without a TPM judges evidence: every kind of key and signature, and everything that must be refused."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from keystores.errors import BadKeyData, KeyStoreError, UnsupportedKey
from keystores.tpm.evidence import (
    EvidenceRefused,
    attributes_of,
    make_credential,
    name_of,
    public_key_of,
    verify_attestation,
)
from keystores.tpm.structures import read_certification, read_public_area, read_signature
from tests.support.requires import package

MADE_INSIDE = 0x00000072  # fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth
SIGNER = MADE_INSIDE | 0x00050000  # restricted, sign
STORAGE = MADE_INSIDE | 0x00030000  # restricted, decrypt
RSASSA, RSAPSS, ECDSA, NULL = 0x0014, 0x0016, 0x0018, 0x0010
HASHES = {0x000B: hashes.SHA256(), 0x000C: hashes.SHA384(), 0x000D: hashes.SHA512(), 0x0004: hashes.SHA1()}
AES_128_CFB = "0006 0080 0043"


@cache
def rsa_key(name: str = "key") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def ec_key(curve: type[ec.EllipticCurve] = ec.SECP256R1, name: str = "key") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def spki(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def number(value: int, size: int = 2) -> bytes:
    return value.to_bytes(size, "big")


def sized(data: bytes) -> bytes:
    return number(len(data)) + data


def public_area(key: Any, attributes: int, *, name_hash: int = 0x0B, symmetric: str = "0010", scheme: str = "0010") -> bytes:
    """The TPMT_PUBLIC of a pyca key, as part 2 of the TPM's specification writes it."""
    public = key.public_key()
    parameters = bytes.fromhex(symmetric) + bytes.fromhex(scheme)
    if isinstance(public, rsa.RSAPublicKey):
        family, modulus = 1, public.public_numbers().n.to_bytes(public.key_size // 8, "big")
        rest = number(public.key_size) + number(0, 4) + sized(modulus)
    else:
        curve = {256: 3, 384: 4, 521: 5}[public.key_size]
        size, point = (public.key_size + 7) // 8, public.public_numbers()
        rest = number(curve) + number(NULL) + b"".join(sized(number(part, size)) for part in (point.x, point.y))
        family = 0x23
    return number(family) + number(name_hash) + number(attributes, 4) + sized(b"") + parameters + rest


@dataclass(frozen=True)
class Statement:
    """A TPMS_ATTEST to be signed: of a key that was made in a TPM, until a test changes a part."""

    nonce: bytes = b"challenge"
    magic: int = 0xFF544347
    kind: int = 0x8017
    key: bytes = field(default_factory=lambda: public_area(ec_key(name="attested"), MADE_INSIDE | 0x40000))

    def attest(self) -> bytes:
        name = name_of(self.key)
        clock = bytes(17) + bytes(8)
        return number(self.magic, 4) + number(self.kind) + sized(name) + sized(self.nonce) + clock + sized(name) * 2


def signed(key: Any, scheme: int, data: bytes, hash_id: int = 0x0B) -> bytes:
    """A TPMT_SIGNATURE over ``data``."""
    algorithm = HASHES[hash_id]
    if scheme == ECDSA:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(algorithm)))
        size = (key.key_size + 7) // 8
        return number(scheme) + number(hash_id) + sized(number(r, size)) + sized(number(s, size))
    pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
    value = key.sign(data, pss if scheme == RSAPSS else padding.PKCS1v15(), algorithm)
    return number(scheme) + number(hash_id) + sized(value)


def refused(statement: Statement, error: type[KeyStoreError], match: str | None = None, **changes: Any) -> None:
    attest = statement.attest()
    given = {"key": spki(ec_key()), "signature": signed(ec_key(), ECDSA, attest), "nonce": b"challenge", **changes}
    with pytest.raises(error, match=match):
        verify_attestation(given["key"], attest, given["signature"], given["nonce"], given.get("public", statement.key))


@pytest.mark.parametrize(
    ("key", "scheme"),
    [(rsa_key, RSASSA), (rsa_key, RSAPSS), (ec_key, ECDSA), (lambda: ec_key(ec.SECP384R1), ECDSA),
     (lambda: ec_key(ec.SECP521R1), ECDSA)],
)
@pytest.mark.parametrize("hash_id", [0x0B, 0x0C, 0x0D])
def test_an_attestation_of_any_kind_of_key_is_verified(key: Any, scheme: int, hash_id: int) -> None:
    statement = Statement()
    attest = statement.attest()
    verify_attestation(spki(key()), attest, signed(key(), scheme, attest, hash_id), b"challenge", statement.key)


def test_another_nonce_is_refused() -> None:
    refused(Statement(nonce=b"yesterday's"), EvidenceRefused, "another nonce")
    refused(Statement(), EvidenceRefused, "another nonce", nonce=b"")


def test_another_key_is_refused() -> None:
    other = public_area(ec_key(name="other"), MADE_INSIDE | 0x40000)
    refused(Statement(), EvidenceRefused, "another key", public=other)
    same_key = public_area(ec_key(name="attested"), MADE_INSIDE | 0x60000)  # other attributes are another name
    refused(Statement(), EvidenceRefused, "another key", public=same_key)


@pytest.mark.parametrize("lacking", [0x02, 0x10, 0x20])
def test_a_key_that_was_imported_or_can_leave_is_refused(lacking: int) -> None:
    key = public_area(ec_key(name="attested"), (MADE_INSIDE & ~lacking) | 0x40000)
    refused(Statement(key=key), EvidenceRefused, "not made in the TPM")


def test_a_signature_of_another_key_or_over_other_bytes_is_refused() -> None:
    attest = Statement().attest()
    refused(Statement(), EvidenceRefused, "signature", key=spki(ec_key(name="other")))
    refused(Statement(), EvidenceRefused, "signature", signature=signed(ec_key(), ECDSA, attest + b"\0"))
    refused(Statement(), EvidenceRefused, "RSA", signature=signed(rsa_key(), RSASSA, attest))
    refused(Statement(), EvidenceRefused, "ECDSA", key=spki(rsa_key()))
    for scheme, other in ((RSASSA, RSAPSS), (RSAPSS, RSASSA)):
        forged = number(other) + signed(rsa_key(), scheme, attest)[2:]
        refused(Statement(), EvidenceRefused, "signature", key=spki(rsa_key()), signature=forged)


def test_the_code_of_refused_evidence_is_that_of_a_failed_validation() -> None:
    assert EvidenceRefused("no").hresult == 0x80090032


@pytest.mark.parametrize("changed", [{"magic": 0xFF544346}, {"magic": 0}, {"kind": 0x8018}, {"kind": 0x8014}])
def test_what_is_no_statement_of_a_tpm_about_a_key_is_refused(changed: dict[str, int]) -> None:
    refused(replace(Statement(), **changed), BadKeyData)  # type: ignore[arg-type]


def test_sha1_is_not_taken_for_signatures_nor_for_names() -> None:
    attest = Statement().attest()
    refused(Statement(), UnsupportedKey, signature=signed(ec_key(), ECDSA, attest, hash_id=0x0004))
    with pytest.raises(UnsupportedKey):
        name_of(public_area(ec_key(), MADE_INSIDE, name_hash=0x0004))


@pytest.mark.parametrize(
    "key", [b"", b"no key", spki(ed25519.Ed25519PrivateKey.generate())], ids=["empty", "text", "ed25519"]
)
def test_an_attestation_key_that_is_none_is_refused(key: bytes) -> None:
    refused(Statement(), BadKeyData, "attestation key", key=key)


@pytest.mark.parametrize(
    ("key", "scheme", "symmetric"),
    [
        (rsa_key, "0010", "0010"), (rsa_key, "0014 000B", "0010"), (rsa_key, "0015", "0010"), (rsa_key, "0010", AES_128_CFB),
        (ec_key, "0010", "0010"), (ec_key, "0018 000B", "0010"), (ec_key, "001A 000B 0001", "0010"),
        (ec_key, "0010", AES_128_CFB), (lambda: ec_key(ec.SECP384R1), "0010", "0010"),
        (lambda: ec_key(ec.SECP521R1), "0010", "0010"),
    ],
)
def test_public_areas_of_every_kind_are_read_by_us_and_by_the_tss(key: Any, scheme: str, symmetric: str) -> None:
    package("tpm2_pytss", "tpm")
    from tpm2_pytss.types import TPMT_PUBLIC

    area = public_area(key(), STORAGE, scheme=scheme, symmetric=symmetric)
    theirs, _ = TPMT_PUBLIC.unmarshal(area)
    assert public_key_of(area) == spki(key()) == theirs.to_der()
    assert name_of(area) == bytes(theirs.get_name()) == b"\x00\x0b" + hashlib.sha256(area).digest()


@pytest.mark.parametrize(
    ("bit", "name"),
    [(0x02, "fixed_tpm"), (0x10, "fixed_parent"), (0x20, "sensitive_data_origin"), (0x10000, "restricted"),
     (0x20000, "decrypt"), (0x40000, "sign")],
)
def test_each_attribute_is_a_bit_of_its_own(bit: int, name: str) -> None:
    found = attributes_of(public_area(ec_key(), bit))
    assert [one for one, is_set in vars(found).items() if is_set] == [name]
    assert not found.made_in_tpm


STRUCTURES: dict[str, tuple[Callable[[bytes], object], Callable[[], bytes]]] = {
    "rsa": (read_public_area, lambda: public_area(rsa_key(), STORAGE, symmetric=AES_128_CFB)),
    "ec": (read_public_area, lambda: public_area(ec_key(), SIGNER, scheme="0018 000B")),
    "attest": (read_certification, lambda: Statement().attest()),
    "ecdsa": (read_signature, lambda: signed(ec_key(), ECDSA, b"x")),
    "rsassa": (read_signature, lambda: signed(rsa_key(), RSASSA, b"x")),
}


@pytest.mark.parametrize("kind", STRUCTURES)
def test_a_structure_that_is_cut_short_or_goes_on_is_refused(kind: str) -> None:
    read, make = STRUCTURES[kind]
    data = make()
    read(data)
    for cut in [data[:at] for at in range(len(data))] + [data + b"\0"]:
        with pytest.raises(KeyStoreError):
            read(cut)


@pytest.mark.parametrize("kind", STRUCTURES)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_structure_is_read_or_refused_and_nothing_else(kind: str, data: st.DataObject) -> None:
    read, make = STRUCTURES[kind]
    damaged = bytearray(make())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, min(len(damaged) - 1, 60)))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(damaged))
    except KeyStoreError as error:
        assert error.hresult  # noqa: PT017  most damage is refused; damage in a nonce cannot be


def test_a_credential_is_made_for_an_endorsement_key_alone() -> None:
    package("tpm2_pytss", "tpm")
    name = name_of(public_area(ec_key(), SIGNER))
    for key in (rsa_key(), ec_key()):
        good = public_area(key, STORAGE, symmetric=AES_128_CFB)
        credential, secret = make_credential(good, name, b"secret")
        assert (len(credential) > 34, len(secret)) == (True, 256 if key is rsa_key() else 68)
        bad = [
            public_area(key, STORAGE), public_area(key, SIGNER, symmetric=AES_128_CFB),
            public_area(key, MADE_INSIDE | 0x20000, symmetric=AES_128_CFB),
            public_area(key, STORAGE & ~0x02, symmetric=AES_128_CFB), good[:-1], b"",
        ]
        for public in bad:
            with pytest.raises(BadKeyData):
                make_credential(public, name, b"secret")


@pytest.mark.parametrize("symmetric", ["0006 0080 0010", "0099 0080 0043", "0001 0080 0043", "0006 0081 0043"])
def test_an_endorsement_key_with_a_cipher_that_nobody_has_is_refused(symmetric: str) -> None:
    package("tpm2_pytss", "tpm")
    with pytest.raises(BadKeyData):
        make_credential(public_area(rsa_key(), STORAGE, symmetric=symmetric), name_of(public_area(ec_key(), 0)), b"x")


@pytest.mark.parametrize("secret", [b"", bytes(33)])
def test_a_credential_holds_no_less_than_a_byte_and_no_more_than_a_digest(secret: bytes) -> None:
    with pytest.raises(BadKeyData) as caught:
        make_credential(public_area(rsa_key(), STORAGE, symmetric=AES_128_CFB), b"\x00\x0b" + bytes(32), secret)
    assert caught.value.hresult == 0x80090027


@pytest.mark.parametrize("name", [b"", b"\x00\x0b", b"\x00\x0b" + bytes(31), b"\x00\x04" + bytes(20), bytes(34)])
def test_a_name_that_is_none_is_refused(name: bytes) -> None:
    with pytest.raises(BadKeyData):
        make_credential(public_area(rsa_key(), STORAGE, symmetric=AES_128_CFB), name, b"secret")


def test_evidence_is_judged_where_the_tss_is_not_installed() -> None:
    statement = Statement()
    attest = statement.attest()
    parts = (spki(ec_key()), attest, signed(ec_key(), ECDSA, attest), b"challenge", statement.key)
    script = f"""
import sys
sys.modules["tpm2_pytss"] = None  # as if it were not installed
from keystores.errors import PackageMissing
from keystores.tpm.evidence import make_credential, verify_attestation
verify_attestation(*{parts!r})
try:
    make_credential({public_area(rsa_key(), STORAGE, symmetric=AES_128_CFB)!r}, {name_of(statement.key)!r}, b"secret")
except PackageMissing as error:
    print(hex(error.hresult))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "0x8007007e"
