"""Microsoft's request attributes: vectors, round trips, truncation, and what foreign requests hold."""

import hashlib
import itertools
import subprocess
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import attributes, der
from certenroll.asn1.attributes import ClientInfo, CspProvider, NameValuePair
from certenroll.asn1.der import Attribute, DecodeError, EncodeError
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ASCII = st.text(st.characters(codec="ascii"), min_size=1, max_size=40)
PROVIDER = "Microsoft Strong Cryptographic Provider"
CODECS = {
    "os version": (attributes.encode_os_version, attributes.decode_os_version, ASCII),
    "name and value": (
        attributes.encode_name_value_pair,
        attributes.decode_name_value_pair,
        st.builds(NameValuePair, TEXT, TEXT),
    ),
    "client info": (
        attributes.encode_client_info,
        attributes.decode_client_info,
        st.builds(ClientInfo, st.integers(0, 2**31), TEXT, TEXT, TEXT),
    ),
    "provider": (
        attributes.encode_csp_provider,
        attributes.decode_csp_provider,
        st.builds(CspProvider, st.sampled_from([0, 1, 2]), TEXT, st.binary(max_size=140)),
    ),
    "archived key hash": (attributes.encode_archived_key_hash, attributes.decode_archived_key_hash, st.binary(max_size=32)),
    "challenge password": (
        attributes.encode_challenge_password,
        attributes.decode_challenge_password,
        TEXT.filter(bool),
    ),
}
EXAMPLES = {
    "os version": "10.0.20348.2",
    "name and value": NameValuePair("CertificateTemplate", "User"),
    "client info": ClientInfo(9, "host.contoso.com", "CONTOSO\\user", "certreq"),
    "provider": CspProvider(2, PROVIDER, b"\x01\x02"),
    "archived key hash": bytes(20),
    "challenge password": "secret & more",
}


def request_attributes(sample: bytes) -> dict[str, Attribute]:
    """The attributes of a PKCS #10 in DER, by identifier."""
    information = der.children(der.children(sample, der.SEQUENCE)[0], der.SEQUENCE)
    return {one.oid: one for one in map(der.decode_attribute, der.children(information[3], 0xA0))}


def microsoft_sample(name: str) -> bytes:
    return shared_path("vectors", "msdocs-requests", f"{name}-encoded-asn-1.der").read_bytes()


@pytest.mark.parametrize("name", CODECS)
@given(data=st.data())
def test_a_value_is_read_back_as_it_was_written(name, data):
    encode, decode, values = CODECS[name]
    value = data.draw(values)
    assert decode(encode(value)) == value


@pytest.mark.parametrize("name", CODECS)
def test_a_value_cut_short_anywhere_is_refused(name):
    encode, decode, _ = CODECS[name]
    whole = encode(EXAMPLES[name])
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            decode(whole[:length])


@pytest.mark.parametrize("name", [*CODECS, "archived key", "certificate"])
@given(data=st.binary(max_size=48))
def test_whatever_the_bytes_are_they_are_read_or_refused(name, data):
    others = {"archived key": attributes.decode_archived_key, "certificate": attributes.check_certificate}
    decode = others[name] if name in others else CODECS[name][1]
    try:
        decode(data)
    except DecodeError:
        return


def test_the_attributes_of_microsofts_request_are_read_and_written_byte_for_byte():
    found = request_attributes(microsoft_sample("pkcs--10"))
    read = {
        attributes.OS_VERSION: ("6.0.5361.2", attributes.encode_os_version),
        attributes.NAME_VALUE_PAIR: (NameValuePair("CertificateTemplate", "User"), attributes.encode_name_value_pair),
        attributes.CLIENT_INFO: (
            attributes.decode_client_info(found[attributes.CLIENT_INFO].values[0]),
            attributes.encode_client_info,
        ),
        attributes.CSP_PROVIDER: (
            attributes.decode_csp_provider(found[attributes.CSP_PROVIDER].values[0]),
            attributes.encode_csp_provider,
        ),
    }
    assert {*read, attributes.EXTENSION_REQUEST} == set(found)
    for oid, (value, encode) in read.items():
        assert found[oid].values == (encode(value),)
    extensions = der.decode_extensions(found[attributes.EXTENSION_REQUEST].values[0])
    assert found[attributes.EXTENSION_REQUEST].values == (der.encode_extensions(extensions),)
    assert read[attributes.CLIENT_INFO][0].client_id == 9
    assert read[attributes.CSP_PROVIDER][0].provider.startswith("Microsoft ")
    assert read[attributes.CSP_PROVIDER][0].signature == b""


def test_the_attributes_of_microsofts_renewal_are_read_and_written_byte_for_byte():
    sample = microsoft_sample("pkcs--7-renewal")
    start = sample.index(bytes.fromhex("3082093e308208a7"))
    found = request_attributes(sample[start : start + 0x942])
    assert attributes.decode_os_version(found[attributes.OS_VERSION].values[0]) == "6.0.5361.2"
    provider = CspProvider(2, "Microsoft Strong Cryptographic Provider")
    assert found[attributes.CSP_PROVIDER].values == (attributes.encode_csp_provider(provider),)
    info = ClientInfo(9, "vich3d.jdomcsc.nttest.microsoft.com", "JDOMCSC\\administrator", "certreq")
    assert found[attributes.CLIENT_INFO].values == (attributes.encode_client_info(info),)
    certificate = found[attributes.RENEWAL_CERTIFICATE].values[0]
    assert x509.load_der_x509_certificate(attributes.check_certificate(certificate)).serial_number == 0x248F7D3C00000000086E


def test_the_attributes_of_a_windows_2000_request_are_read_and_written_byte_for_byte():
    path = shared_path("vectors", "csr", "nt5.0.2195_iis_xenroll.csr")
    found = request_attributes(x509.load_pem_x509_csr(path.read_bytes()).public_bytes(Encoding.DER))
    assert attributes.decode_os_version(found[attributes.OS_VERSION].values[0]) == "5.0.2195.2"
    provider = attributes.decode_csp_provider(found[attributes.CSP_PROVIDER].values[0])
    assert (provider.key_spec, provider.provider) == (1, "Microsoft RSA SChannel Cryptographic Provider")
    assert len(provider.signature) == 136
    assert found[attributes.CSP_PROVIDER].values == (attributes.encode_csp_provider(provider),)
    requested = der.decode_extensions(found[attributes.CERT_EXTENSIONS].values[0])
    assert [one.oid for one in requested] == ["2.5.29.15", "2.5.29.37"]


def archived_key_of_microsoft() -> tuple[bytes, bytes]:
    """(the archived key, its hash) of the CMC request with key archival."""
    sample = microsoft_sample("cmc-key-archival")
    key_at = sample.index(der.oid(attributes.ARCHIVED_KEY))
    hash_at = sample.index(der.oid(attributes.ARCHIVED_KEY_HASH))
    values = []
    for place in (key_at, hash_at):
        _, start, end = der.header(sample, place + 11)
        values.append(next(der.elements(sample[start:end])))
    return values[0], values[1]


def test_the_archived_key_of_microsofts_request_has_the_hash_that_stands_beside_it():
    key, digest = archived_key_of_microsoft()
    assert attributes.decode_archived_key(key) == attributes.TRIPLE_DES
    assert attributes.encode_archived_key_hash(attributes.archived_key_digest(key)) == digest
    assert attributes.decode_archived_key_hash(digest) == hashlib.sha1(key).digest()


def certificate_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA-Xchg")])
    start, end = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, start, end)
    return builder.sign(key, hashes.SHA256())


@pytest.fixture(scope="module")
def exchange_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def counting(size: int) -> bytes:
    return bytes(itertools.islice(itertools.cycle(range(256)), size))


@pytest.mark.parametrize("cipher", attributes.ARCHIVAL_CIPHERS)
def test_openssl_decrypts_an_archived_key_with_any_of_the_ciphers(cipher, exchange_key, tmp_path):
    certificate = certificate_of(exchange_key)
    (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "ca.key").write_bytes(exchange_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    value = attributes.encode_archived_key(b"the key's blob", certificate.public_bytes(Encoding.DER), cipher, counting)
    (tmp_path / "key.cms").write_bytes(value)
    command = [program("openssl"), "cms", "-decrypt", "-binary", "-inform", "DER", "-in", "key.cms"]
    done = subprocess.run(
        [*command, "-recip", "ca.pem", "-inkey", "ca.key"], cwd=tmp_path, capture_output=True, check=True
    )
    assert done.stdout == b"the key's blob"
    assert attributes.decode_archived_key(value) == cipher


def test_an_archived_key_has_the_shape_that_microsofts_has(exchange_key):
    theirs, _ = archived_key_of_microsoft()
    certificate = certificate_of(exchange_key).public_bytes(Encoding.DER)
    ours = attributes.encode_archived_key(b"blob", certificate, attributes.TRIPLE_DES, counting)

    def shape(data: bytes) -> list[object]:
        enveloped = der.children(der.children(der.children(data)[1])[0])
        recipient = der.children(der.children(enveloped[1])[0])
        content = der.children(enveloped[2])
        return [enveloped[0], recipient[0], recipient[2], content[0], der.children(content[1])[0], der.tag(content[2])]

    assert shape(ours) == shape(theirs)


def test_an_archived_key_cut_short_anywhere_is_refused(exchange_key):
    certificate = certificate_of(exchange_key).public_bytes(Encoding.DER)
    whole = attributes.encode_archived_key(b"blob", certificate, attributes.TRIPLE_DES, counting)
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            attributes.decode_archived_key(whole[:length])
    for length in range(len(certificate)):
        with pytest.raises(DecodeError):
            attributes.encode_archived_key(b"blob", certificate[:length], attributes.TRIPLE_DES, counting)


def test_a_key_is_archived_with_a_cipher_and_a_certificate_that_can_do_it(exchange_key):
    rsa_certificate = certificate_of(exchange_key).public_bytes(Encoding.DER)
    ec_certificate = certificate_of(ec.generate_private_key(ec.SECP256R1())).public_bytes(Encoding.DER)
    for certificate, cipher in ((rsa_certificate, "1.3.14.3.2.7"), (ec_certificate, attributes.TRIPLE_DES)):
        with pytest.raises(EncodeError) as caught:
            attributes.encode_archived_key(b"blob", certificate, cipher, counting)
        assert caught.value.hresult == HRESULT.NTE_BAD_ALGID


@pytest.mark.parametrize("wrong", ["3000", "300706022a033001ff", "3003020100", "301006092a864886f70d010703a003300100"])
def test_what_is_no_enveloped_data_is_no_archived_key(wrong):
    with pytest.raises(DecodeError):
        attributes.decode_archived_key(bytes.fromhex(wrong))


@pytest.mark.parametrize(("password", "tag"), [("secret", 0x13), ("secret@1", 0x0C), ("geheim?", 0x13), ("pässwort", 0x0C)])
def test_a_challenge_password_is_printable_where_it_can_be(password, tag):
    value = attributes.encode_challenge_password(password)
    assert value[0] == tag
    assert attributes.decode_challenge_password(value) == password


def test_an_empty_challenge_password_is_refused():
    with pytest.raises(EncodeError):
        attributes.encode_challenge_password("")


def test_an_os_version_that_is_not_ascii_is_refused():
    with pytest.raises(EncodeError):
        attributes.encode_os_version("10.0.²")


def test_a_pair_with_strings_of_other_types_is_read():
    value = der.sequence_of([der.utf8_string("SAN"), der.ia5_string("dns=x")])
    assert attributes.decode_name_value_pair(value) == NameValuePair("SAN", "dns=x")


def test_what_is_no_certificate_is_not_taken_for_one():
    for wrong in (b"\x30\x00", der.sequence_of([b"\x30\x00", b"\x30\x00", b"\x04\x00"])):
        with pytest.raises(DecodeError):
            attributes.check_certificate(wrong)
