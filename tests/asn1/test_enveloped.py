"""EnvelopedData: what is encrypted here opens here, in OpenSSL and in pyca, and what they encrypt opens here."""

from __future__ import annotations

import base64
import itertools
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import content_ciphers, der, enveloped, password_recipients, scep
from certenroll.asn1.algorithms import BadSignature, UnsupportedAlgorithm
from certenroll.asn1.content_ciphers import CIPHERS
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.enveloped import open_enveloped, open_with_password, seal, seal_with_password
from certenroll.hresults import HRESULT
from keystores.base import KeyAlgorithm, KeyTemplate, Scope
from tests.support.cmc_messages import AGENT, AGENT_KEY, EC_KEY, RSA_KEY, certificate
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

SUBJECT = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "someone")])
CONTENT = b"what nobody else reads"
PASSWORD = "s\u00e9cret"
LEGACY = "-provider legacy -provider default"
OTHER = certificate("other", RSA_KEY)


def _with_key_identifier() -> bytes:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(SUBJECT, SUBJECT, AGENT_KEY.public_key(), 5, start, end)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(b"any name"), critical=False)
    return builder.sign(AGENT_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


IDENTIFIED = _with_key_identifier()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in (("certificate", AGENT), ("identified", IDENTIFIED)):
        (tmp_path / name).write_bytes(x509.load_der_x509_certificate(data).public_bytes(Encoding.PEM))
    (tmp_path / "key").write_bytes(AGENT_KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path


def openssl(folder: Path, options: str, data: bytes) -> bytes:
    command = [program("openssl"), "cms", "-binary", *options.split()]
    return subprocess.run(command, cwd=folder, input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_is_sealed_opens_here_and_in_openssl(cipher: str, folder: Path) -> None:
    data = seal(CONTENT, [AGENT], cipher)
    assert open_enveloped(data, AGENT_KEY, AGENT) == open_enveloped(data, AGENT_KEY) == CONTENT
    assert openssl(folder, f"-decrypt -inform DER -recip certificate -inkey key {LEGACY}", data) == CONTENT


@pytest.mark.parametrize("cipher", CIPHERS)
def test_what_is_sealed_under_a_password_opens_here_and_in_openssl(cipher: str, folder: Path) -> None:
    data = seal_with_password(CONTENT, PASSWORD, cipher)
    assert open_with_password(data, PASSWORD) == CONTENT
    assert openssl(folder, f"-decrypt -inform DER -pwri_password {PASSWORD} {LEGACY}", data) == CONTENT


def test_pyca_opens_what_is_sealed_and_seals_what_opens() -> None:
    certificate = x509.load_der_x509_certificate(AGENT)
    data = seal(CONTENT, [AGENT])
    assert isinstance(AGENT_KEY, rsa.RSAPrivateKey)
    assert pkcs7.pkcs7_decrypt_der(data, certificate, AGENT_KEY, []) == CONTENT
    theirs = pkcs7.PKCS7EnvelopeBuilder().set_data(CONTENT).add_recipient(certificate)
    assert open_enveloped(theirs.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary]), AGENT_KEY, AGENT) == CONTENT


@pytest.mark.parametrize(
    "options",
    [
        *("-des3", "-aes128", "-aes192", "-aes256", "-aes256 -stream", "-des3 -stream -indef", f"-rc2-128 {LEGACY}"),
        f"-des {LEGACY}",
        "-aes128 -recip certificate -keyopt rsa_padding_mode:oaep",
        "-aes128 -recip certificate -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256",
        "-aes128 -recip certificate -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1",
        "-aes128 -recip certificate -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_label:6c6162656c",
        "-aes128 -pwri_password secret",
    ],
)
def test_what_openssl_encrypts_for_a_key_opens_here(options: str, folder: Path) -> None:
    own = [] if "-recip" in options else ["certificate"]
    data = openssl(folder, " ".join(["-encrypt -outform DER", options, *own]), CONTENT * 300)
    assert open_enveloped(data, AGENT_KEY, AGENT) == open_enveloped(data, AGENT_KEY) == CONTENT * 300


@pytest.mark.parametrize("options", ["-aes128", "-aes256 -stream", "-des3", f"-des {LEGACY}"])
def test_what_openssl_encrypts_under_a_password_opens_here(options: str, folder: Path) -> None:
    data = openssl(folder, f"-encrypt -outform DER -pwri_password {PASSWORD} {options}", CONTENT)
    assert open_with_password(data, PASSWORD) == CONTENT


def test_a_recipient_may_be_named_by_its_key_identifier(folder: Path) -> None:
    data = openssl(folder, "-encrypt -outform DER -keyid -aes128 identified", CONTENT)
    (recipient,) = enveloped.decode(data).recipients
    assert (recipient.key_identifier, recipient.issuer) == (b"any name", b"")
    assert open_enveloped(data, AGENT_KEY, IDENTIFIED) == CONTENT


def test_the_samples_of_pycas_vectors_open() -> None:
    vectors = pytest.importorskip("cryptography_vectors")
    folder = Path(vectors.__file__).parent
    key = serialization.load_pem_private_key((folder / "x509/custom/ca/rsa_key.pem").read_bytes(), None)
    for name in ("enveloped-rsa-oaep.pem", "enveloped-triple-des.pem"):
        lines = (folder / "pkcs7" / name).read_text().splitlines()
        assert open_enveloped(base64.b64decode("".join(lines[1:-1])), key)


def test_one_piece_under_a_constructed_tag_is_read_as_micromdm_sends_it() -> None:
    data = seal(CONTENT, [AGENT], "des-cbc")
    content_info = der.children(der.children(data)[1])[0]
    version, recipients, sealed = der.children(content_info)
    kind, cipher, encrypted = der.children(sealed)
    pieces = der.wrap(0xA0, der.octet_string(der.contents(encrypted)))
    changed = der.sequence_of((version, recipients, der.sequence_of((kind, cipher, pieces))))
    whole = der.sequence_of((der.oid(enveloped.ENVELOPED_DATA), der.wrap(0xA0, changed)))
    assert open_enveloped(whole, AGENT_KEY, AGENT) == CONTENT


def test_each_of_several_recipients_opens_the_message_and_nobody_else() -> None:
    data = seal(CONTENT, [AGENT, OTHER])
    assert open_enveloped(data, AGENT_KEY, AGENT) == open_enveloped(data, RSA_KEY, OTHER) == CONTENT
    for given_certificate in (None, IDENTIFIED):
        with pytest.raises(DecodeError) as caught:
            open_enveloped(data, AGENT_KEY, given_certificate)
        assert caught.value.hresult == HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND
    with pytest.raises(DecodeError) as caught:
        open_with_password(data, PASSWORD)
    assert caught.value.hresult == HRESULT.CRYPT_E_RECIPIENT_NOT_FOUND


def test_only_rsa_keys_open_messages_and_are_sealed_for() -> None:
    with pytest.raises(UnsupportedAlgorithm, match="under a password"):
        open_enveloped(seal(CONTENT, [AGENT]), EC_KEY)
    with pytest.raises(UnsupportedAlgorithm, match="or a password"):
        seal(CONTENT, [certificate("ec", EC_KEY)])
    with pytest.raises(UnsupportedAlgorithm, match="aes128-cbc"):
        seal(CONTENT, [AGENT], "rc4")
    with pytest.raises(EncodeError) as nobody:
        seal(CONTENT, [])
    with pytest.raises(EncodeError) as nothing:
        seal_with_password(CONTENT, "")
    assert nobody.value.hresult == nothing.value.hresult == HRESULT.E_INVALIDARG


def _changed_key(data: bytes, key: bytes) -> bytes:
    """The message with another key of the content, encrypted as the first one was."""
    (recipient,) = enveloped.decode(data).recipients
    public_key = AGENT_KEY.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    return data.replace(recipient.encrypted_key, public_key.encrypt(key, padding.PKCS1v15()))


def test_whatever_does_not_decrypt_is_one_error_and_not_to_be_told_apart() -> None:
    data = seal(CONTENT, [AGENT])
    (recipient,) = enveloped.decode(data).recipients
    block = enveloped.decode(data).content[-16:]
    tampered = [
        data.replace(recipient.encrypted_key, bytes(256)),
        data.replace(recipient.encrypted_key, b"\xff" * 256),
        data.replace(recipient.encrypted_key, recipient.encrypted_key[:-1] + b"\x00"),
        _changed_key(data, bytes(15)),
        _changed_key(data, bytes(32)),
        _changed_key(data, b"another key is 16"[:16]),
        data.replace(block, bytes(16)),
    ]
    said = set()
    for one in tampered:
        with pytest.raises(BadSignature) as caught:
            open_enveloped(one, AGENT_KEY)
        said.add((str(caught.value), caught.value.hresult, caught.value.__cause__))
    with pytest.raises(BadSignature) as caught:
        open_with_password(seal_with_password(CONTENT, PASSWORD), "another")
    assert said == {(str(caught.value), HRESULT.NTE_BAD_DATA, None)}


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (der.oid(CIPHERS["aes128-cbc"].oid), der.oid("2.16.840.1.101.3.4.1.6"), UnsupportedAlgorithm),  # AES-128-GCM
        (der.oid("1.2.840.113549.1.5.12"), der.oid("1.2.840.113549.1.5.13"), UnsupportedAlgorithm),  # not PBKDF2
        (der.oid("1.2.840.113549.2.9"), der.oid("1.2.840.113549.2.6"), UnsupportedAlgorithm),  # not HMAC with SHA-2
        (der.oid("1.2.840.113549.1.9.16.3.9"), der.oid("1.2.840.113549.1.9.16.3.6"), UnsupportedAlgorithm),
        (der.integer(100_000), b"\x02\x03\x7f\xff\xff", DecodeError),  # iterations
        (der.integer(100_000), b"\x02\x03\xff\xff\xff", DecodeError),
        (b"\x02\x01\x10\x30\x0c", b"\x02\x01\x18\x30\x0c", UnsupportedAlgorithm),  # the key's length
    ],
)
def test_a_password_recipient_with_other_parameters_is_refused(old: bytes, new: bytes, error: type[Exception]) -> None:
    data = seal_with_password(CONTENT, PASSWORD)
    assert old in data
    with pytest.raises(error):
        open_with_password(data.replace(old, new), PASSWORD)


def test_a_count_of_iterations_that_would_take_too_long_is_refused_at_once() -> None:
    count = password_recipients.MAX_ITERATIONS + 1
    data = seal_with_password(CONTENT, PASSWORD).replace(der.integer(100_000), der.integer(count))
    with pytest.raises(DecodeError) as caught:
        open_with_password(data, PASSWORD)
    assert caught.value.hresult == HRESULT.CRYPT_E_ASN1_LARGE


def test_rc2_of_other_strengths_and_unknown_transports_are_refused(folder: Path) -> None:
    data = openssl(folder, f"-encrypt -outform DER -rc2-64 {LEGACY} certificate", CONTENT)
    with pytest.raises(UnsupportedAlgorithm, match="128 effective bits"):
        open_enveloped(data, AGENT_KEY)
    other = seal(CONTENT, [AGENT]).replace(
        der.sequence_of((der.oid("1.2.840.113549.1.1.1"), der.NULL_DER)),
        der.sequence_of((der.oid("1.2.840.113549.1.1.2"), der.NULL_DER)),
    )
    with pytest.raises(UnsupportedAlgorithm, match=r"1\.2\.840\.113549\.1\.1\.2"):
        open_enveloped(other, AGENT_KEY)


def test_a_message_of_another_type_is_said_to_be_one() -> None:
    with pytest.raises(DecodeError) as caught:
        enveloped.decode(scep.degenerate([AGENT]))
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_MSG_TYPE


@given(st.binary(max_size=200), st.sampled_from(sorted(CIPHERS)))
def test_any_content_comes_back(content: bytes, cipher: str) -> None:
    assert open_enveloped(seal(content, [AGENT], cipher), AGENT_KEY) == content


@given(st.binary(min_size=8, max_size=40), st.sampled_from(sorted(CIPHERS)))
def test_any_key_wrapped_under_a_password_comes_back(key: bytes, cipher: str) -> None:
    chosen, wrapping, iv = CIPHERS[cipher], os.urandom(CIPHERS[cipher].key_size), os.urandom(CIPHERS[cipher].block)
    wrapped = password_recipients._wrap(key, chosen, wrapping, iv, os.urandom)
    assert password_recipients._unwrap(wrapped, chosen, wrapping, iv) == key


def test_the_wrapping_is_that_of_rfc_3211() -> None:
    """The first example of RFC 3211 section 3: DES, PBKDF2 of "password" with five iterations."""
    key = password_recipients._derive("password", "sha1", bytes.fromhex("1234567878563412"), 5, 8)
    assert key == bytes.fromhex("D1DAA78615F287E6")
    wrapped = bytes.fromhex("B81B2565EE373CA6DEDCA26A178B0C10")
    found = password_recipients._unwrap(wrapped, CIPHERS["des-cbc"], key, bytes.fromhex("EFE598EF21B33D6D"))
    assert found == bytes.fromhex("8C627C897323A2F8")


@pytest.mark.parametrize("data", [seal(CONTENT, [AGENT, OTHER]), seal_with_password(CONTENT, PASSWORD)])
def test_every_truncation_is_a_decode_error(data: bytes) -> None:
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            enveloped.decode(data[:size])


def test_a_changed_bit_gives_other_octets_or_a_typed_error() -> None:
    chance = random.Random(8894)
    data = seal(CONTENT, [AGENT])
    for _ in range(400):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            assert isinstance(open_enveloped(bytes(changed), AGENT_KEY), bytes)
        except (DecodeError, BadSignature, UnsupportedAlgorithm):
            continue


def test_a_changed_bit_under_a_password_is_a_typed_error() -> None:
    data = seal_with_password(CONTENT, PASSWORD)
    data = data.replace(der.integer(100_000), der.integer(65_537))  # which opens nothing, sooner
    for place, bit in itertools.product(range(0, len(data), 3), (0, 6)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        with pytest.raises((DecodeError, BadSignature, UnsupportedAlgorithm)):
            open_with_password(bytes(changed), PASSWORD)


def test_ciphers_are_found_by_either_name() -> None:
    assert {content_ciphers.cipher_of(one.oid) for one in CIPHERS.values()} == set(CIPHERS.values())
    assert content_ciphers.cipher_named(" AES256-CBC ") is CIPHERS["aes256-cbc"]


# Keys elsewhere ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["tpm", "smartcard"])
def hardware_key(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    with ExitStack() as stack:
        if request.param == "tpm":
            device = stack.enter_context(SwTpm())
            from keystores.tpm import TpmKeyStore

            tpm = stack.enter_context(TpmKeyStore(tmp_path_factory.mktemp("tpm"), Scope.USER, device.tcti))
            yield tpm.create("scep", KeyTemplate(KeyAlgorithm.RSA, 2048)).private_key
        else:
            store = stack.enter_context(SoftToken()).store()
            yield store.create("scep", KeyTemplate(KeyAlgorithm.RSA, 2048)).private_key


def test_a_key_in_hardware_signs_a_request_and_opens_its_answer(hardware_key: object) -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    own = scep.self_signed(hardware_key, SUBJECT.public_bytes(), start, end)
    request = scep.build_message(
        scep.MessageType.PKCSReq, seal(CONTENT, [AGENT]),
        transaction_id="1", sender_nonce=bytes(16), private_key=hardware_key, certificate=own,
    )  # fmt: skip
    message = scep.decode(request)
    assert scep.verify(message, [own]) == message.signer_certificate == own
    assert open_enveloped(seal(CONTENT, [own]), hardware_key, own) == CONTENT


def test_hardware_says_as_little_as_software_where_a_message_does_not_open(hardware_key: object) -> None:
    with pytest.raises(BadSignature) as caught:
        open_enveloped(seal(CONTENT, [AGENT]), hardware_key)
    assert (str(caught.value), caught.value.hresult) == (str(content_ciphers.unreadable()), HRESULT.NTE_BAD_DATA)
