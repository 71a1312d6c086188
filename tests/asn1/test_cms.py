"""SignedData: bags and messages of OpenSSL, GnuTLS and Windows read; ours read by them."""

from __future__ import annotations

import base64
import random
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import algorithms, ber, cms, der, pkcs10
from certenroll.asn1.algorithms import BadSignature, PrivateKey, SignatureScheme, UnsupportedAlgorithm
from certenroll.asn1.certificates import read_certificate
from certenroll.asn1.cms import NewSigner, decode_signed_data, encode_certificate_bag, encode_signed_data, verify_signer
from certenroll.asn1.der import Attribute, DecodeError, EncodeError
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

PKI_DATA = "1.3.6.1.5.5.7.12.2"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(name: str, key: PrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


CERTIFICATES = [certificate(f"certificate {number}", EC_KEY) for number in range(20)]
RSA_CERTIFICATE = certificate("rsa", RSA_KEY)
EC_CERTIFICATE = certificate("ec", EC_KEY)


def pem(data: bytes) -> bytes:
    return x509.load_der_x509_certificate(data).public_bytes(serialization.Encoding.PEM)


def openssl(folder: Path, *arguments: str, data: bytes = b"") -> bytes:
    return subprocess.run([program("openssl"), *arguments], cwd=folder, input=data, capture_output=True, check=True).stdout


def signer_of(key: PrivateKey, data: bytes, hash_name: str = "sha256", *, pss: bool = False) -> NewSigner:
    sign = algorithms.signer(key, SignatureScheme(hash_name, pss))
    return NewSigner(sign, hash_name, read_certificate(data))


@pytest.mark.parametrize("count", [1, 3, 20])
def test_a_bag_of_openssl_gives_its_certificates_in_their_order(count: int, tmp_path: Path) -> None:
    chosen = random.Random(count).sample(CERTIFICATES, count)
    (tmp_path / "all").write_bytes(b"".join(map(pem, chosen)))
    data = openssl(tmp_path, "crl2pkcs7", "-nocrl", "-certfile", "all", "-outform", "DER")
    found = decode_signed_data(data)
    assert sorted(found.certificates) == sorted(chosen)
    assert (found.version, found.content_type, found.content, found.signers) == (1, cms.DATA, None, ())


@pytest.mark.parametrize("count", [1, 3, 20])
def test_openssl_prints_the_certificates_of_our_bag(count: int, tmp_path: Path) -> None:
    data = encode_certificate_bag(CERTIFICATES[:count])
    shown = openssl(tmp_path, "pkcs7", "-inform", "DER", "-print_certs", data=data).decode()
    assert shown.count("BEGIN CERTIFICATE") == count
    assert sorted(decode_signed_data(data).certificates) == sorted(CERTIFICATES[:count])


def test_certtool_prints_the_certificates_of_our_bag() -> None:
    command = [program("certtool"), "--p7-info", "--inder"]
    result = subprocess.run(command, input=encode_certificate_bag(CERTIFICATES[:3]), capture_output=True, check=True)
    assert b"Number of certificates: 3" in result.stdout
    assert result.stdout.count(b"BEGIN CERTIFICATE") == 3


def test_what_certtool_puts_in_a_bag_is_read(tmp_path: Path) -> None:
    (tmp_path / "all").write_bytes(b"".join(map(pem, CERTIFICATES[:3])))
    command = [program("certtool"), "--p7-generate", "--load-certificate", "all", "--load-ca-certificate", "all", "--outder"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert set(decode_signed_data(result.stdout).certificates) == set(CERTIFICATES[:3])


def test_a_bag_in_any_order_is_read_in_that_order() -> None:
    inside = b"".join(sorted(CERTIFICATES[:5], reverse=True))
    parts = (der.integer(1), der.set_of(()), der.sequence_of((der.oid(cms.DATA),)), der.wrap(0xA0, inside), der.set_of(()))
    data = der.sequence_of((der.oid(cms.SIGNED_DATA), der.wrap(0xA0, der.sequence_of(parts))))
    assert decode_signed_data(data).certificates == tuple(sorted(CERTIFICATES[:5], reverse=True))


def test_a_bag_without_its_content_info_is_read() -> None:
    data = encode_certificate_bag(CERTIFICATES[:2])
    bare = der.contents(der.children(data)[1])
    assert decode_signed_data(bare) == decode_signed_data(data)


def test_a_bag_in_indefinite_lengths_is_the_bag() -> None:
    data = encode_certificate_bag(CERTIFICATES[:2])
    kind, explicit = der.children(data)
    inner = b"".join(der.children(der.contents(explicit)))
    indefinite = b"\x30\x80" + kind + b"\xa0\x80\x30\x80" + inner + bytes(6)
    assert decode_signed_data(indefinite) == decode_signed_data(data)


def test_an_attribute_certificate_in_a_bag_is_passed_over() -> None:
    inside = CERTIFICATES[0] + der.wrap(0xA1, der.integer(1))
    parts = (der.integer(1), der.set_of(()), der.sequence_of((der.oid(cms.DATA),)), der.wrap(0xA0, inside), der.set_of(()))
    assert decode_signed_data(der.sequence_of(parts)).certificates == (CERTIFICATES[0],)


def test_revocation_lists_travel_in_a_bag(tmp_path: Path) -> None:
    name = x509.load_der_x509_certificate(EC_CERTIFICATE).subject
    builder = x509.CertificateRevocationListBuilder(name, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    crl = builder.sign(EC_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    data = encode_certificate_bag([EC_CERTIFICATE], [crl])
    found = decode_signed_data(data)
    assert (found.certificates, found.crls) == ((EC_CERTIFICATE,), (crl,))
    assert b"BEGIN X509 CRL" in openssl(tmp_path, "pkcs7", "-inform", "DER", "-print_certs", data=data)


@given(st.lists(st.sampled_from(CERTIFICATES), max_size=8))
def test_any_bag_comes_back_sorted_and_without_repetitions(chosen: list[bytes]) -> None:
    assert decode_signed_data(encode_certificate_bag(chosen)).certificates == tuple(sorted(set(chosen)))


@pytest.mark.parametrize("options", ["", "-stream", "-noattr", "-keyid", "-md sha1", "-md sha512"])
@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_message_of_openssl_verifies(kind: str, options: str, tmp_path: Path) -> None:
    key, own = (RSA_KEY, RSA_CERTIFICATE) if kind == "rsa" else (EC_KEY, EC_CERTIFICATE)
    content = random.Random(4).randbytes(20_000)
    data = signed_by_openssl(tmp_path, key, own, content, *options.split())
    signed = decode_signed_data(data)
    assert (signed.content, signed.certificates) == (content, (own,))
    (signer,) = signed.signers
    found = signed.certificate_of(signer)
    assert found == read_certificate(own)
    verify_signer(signed, signer, found)
    with pytest.raises(BadSignature):
        verify_signer(replace(signed, content=content + b"x"), signer, found)


def signed_by_openssl(folder: Path, key: PrivateKey, own: bytes, content: bytes, *options: str) -> bytes:
    (folder / "certificate").write_bytes(pem(own))
    (folder / "key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "content").write_bytes(content)
    command = ["cms", "-sign", "-binary", "-nodetach", "-in", "content", "-signer", "certificate", "-inkey", "key"]
    return openssl(folder, *command, "-outform", "DER", *options)


def test_a_streamed_message_of_openssl_is_ber_indeed(tmp_path: Path) -> None:
    data = signed_by_openssl(tmp_path, EC_KEY, EC_CERTIFICATE, bytes(5000), "-stream")
    assert data[:2] == b"\x30\x80"
    assert decode_signed_data(data) == decode_signed_data(ber.to_der(data))


def test_a_message_signed_with_pss_by_openssl_verifies(tmp_path: Path) -> None:
    data = signed_by_openssl(tmp_path, RSA_KEY, RSA_CERTIFICATE, b"data", "-keyopt", "rsa_padding_mode:pss")
    signed = decode_signed_data(data)
    verify_signer(signed, signed.signers[0], RSA_CERTIFICATE)


def test_messages_of_windows_verify() -> None:
    names = ["cmc-encoded-asn-1", "cmc--renewal-encoded-asn-1", "cmc-eobo-encoded-asn-1", "cmc-key-archival-encoded-asn-1"]
    names += ["pkcs--7-eobo-encoded-asn-1", "pkcs--7-renewal-encoded-asn-1"]
    for name in names:
        signed = decode_signed_data(shared_path("vectors", "msdocs-requests", f"{name}.der").read_bytes())
        for signer in signed.signers:
            found = signed.certificate_of(signer)
            verify_signer(signed, signer, found if found is not None else key_in_the_request(signed))


def key_in_the_request(signed: cms.SignedData) -> algorithms.PublicKey:
    """The first PKCS#10 in PKIData: reqSequence is its second part, a TaggedRequest [0] its first."""
    assert (signed.content_type, signed.content is not None) == (PKI_DATA, True)
    tagged = der.children(der.children(signed.content or b"")[1])[0]
    return algorithms.load_public_key(pkcs10.decode(der.children(tagged)[1]).public_key_info)


def test_messages_of_scep_servers_and_clients_verify() -> None:
    for name in ("micromdm_PKCSReq.der", "scep_req2.der", "scep_resp2.der"):
        signed = decode_signed_data(shared_path("vectors", "scep", name).read_bytes())
        (signer,) = signed.signers
        verify_signer(signed, signer, signed.certificate_of(signer))


@pytest.mark.parametrize("named_by_key", [False, True])
@pytest.mark.parametrize("content_type", [cms.DATA, PKI_DATA])
@pytest.mark.parametrize("kind", ["rsa", "pss", "ec", "windows"])
def test_openssl_verifies_what_is_signed_here(kind: str, content_type: str, named_by_key: bool, tmp_path: Path) -> None:
    key, own = (EC_KEY, EC_CERTIFICATE) if kind == "ec" else (RSA_KEY, RSA_CERTIFICATE)
    signer = signer_of(key, own, pss=kind == "pss")
    signer = replace(signer, attributes=(Attribute("1.3.6.1.4.1.311.13.2.1", (der.sequence_of((der.bmp_string("a"),)),)),))
    if kind == "windows":
        signer = replace(signer, key_algorithm=algorithms.key_identifier(RSA_KEY.public_key()))
    if named_by_key:
        signer = replace(signer, certificate=None, key_identifier=read_certificate(own).key_identifier)
    data = encode_signed_data(content_type, b"content", [signer], [own, CERTIFICATES[0]])
    assert verified_by_openssl(tmp_path, data, own) == b"content"
    signed = decode_signed_data(data)
    verify_signer(signed, signed.signers[0], signed.certificate_of(signed.signers[0]))
    assert signed.version == (3 if named_by_key or content_type == PKI_DATA else 1)
    assert signed.signers[0].version == (3 if named_by_key else 1)


def verified_by_openssl(folder: Path, data: bytes, trusted: bytes) -> bytes:
    (folder / "trusted").write_bytes(pem(trusted))
    return openssl(folder, "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", "trusted", "-purpose", "any", data=data)


def test_a_signature_without_attributes_covers_the_content(tmp_path: Path) -> None:
    signer = replace(signer_of(RSA_KEY, RSA_CERTIFICATE), with_attributes=False)
    data = encode_signed_data(cms.DATA, b"content", [signer], [RSA_CERTIFICATE])
    assert verified_by_openssl(tmp_path, data, RSA_CERTIFICATE) == b"content"
    signed = decode_signed_data(data)
    assert signed.signers[0].signed_attributes == ()
    verify_signer(signed, signed.signers[0], RSA_CERTIFICATE)


def test_signers_keep_the_order_given_and_carry_unsigned_attributes() -> None:
    extra = Attribute("1.3.6.1.4.1.311.21.13", (der.octet_string(b"archived"),))
    first = replace(signer_of(RSA_KEY, RSA_CERTIFICATE), unsigned_attributes=(extra,))
    both = [first, signer_of(EC_KEY, EC_CERTIFICATE, "sha384")]
    for order in (both, both[::-1]):
        signed = decode_signed_data(encode_signed_data(PKI_DATA, b"content", order, [RSA_CERTIFICATE, EC_CERTIFICATE]))
        names = [one.certificate.issuer if one.certificate else b"" for one in order]
        assert [one.issuer for one in signed.signers] == names
        assert {one.unsigned_attributes for one in signed.signers} == {(extra,), ()}
        assert len(signed.digest_algorithms) == 2
        for one in signed.signers:
            verify_signer(signed, one, signed.certificate_of(one))


def test_a_signature_over_content_that_is_elsewhere_needs_that_content() -> None:
    data = encode_signed_data(cms.DATA, b"content", [signer_of(EC_KEY, EC_CERTIFICATE)])
    signed = replace(decode_signed_data(data), content=None)
    verify_signer(signed, signed.signers[0], EC_KEY.public_key(), b"content")
    with pytest.raises(DecodeError) as caught:
        verify_signer(signed, signed.signers[0], EC_KEY.public_key())
    assert caught.value.hresult == HRESULT.CRYPT_E_BAD_MSG


def test_a_signer_without_a_name_is_refused() -> None:
    with pytest.raises(EncodeError):
        encode_signed_data(cms.DATA, b"", [NewSigner(algorithms.signer(EC_KEY, SignatureScheme("sha256")))])


def test_other_content_than_data_is_not_signed_without_attributes() -> None:
    signer = replace(signer_of(EC_KEY, EC_CERTIFICATE), with_attributes=False)
    with pytest.raises(EncodeError):
        encode_signed_data(PKI_DATA, b"content", [signer])
    signed = decode_signed_data(encode_signed_data(cms.DATA, b"content", [signer]))
    with pytest.raises(BadSignature) as caught:
        verify_signer(replace(signed, content_type=PKI_DATA), signed.signers[0], EC_CERTIFICATE)
    assert caught.value.hresult == HRESULT.CRYPT_E_AUTH_ATTR_MISSING


def message() -> cms.SignedData:
    signer = signer_of(EC_KEY, EC_CERTIFICATE)
    return decode_signed_data(encode_signed_data(PKI_DATA, b"content", [signer], [EC_CERTIFICATE]))


def test_each_kind_of_forgery_has_its_code() -> None:
    signed = message()
    signer = signed.signers[0]
    one_attribute = der.set_of((der.encode_attribute(signer.signed_attributes[0]),))
    cases = [
        (replace(signed, content=b"other"), signer, HRESULT.CRYPT_E_HASH_VALUE),
        (replace(signed, content_type="1.2.3"), signer, HRESULT.CRYPT_E_AUTH_ATTR_MISSING),
        (signed, replace(signer, signed_attributes=signer.signed_attributes[:1]), HRESULT.CRYPT_E_AUTH_ATTR_MISSING),
        (signed, replace(signer, signed_attributes=signer.signed_attributes * 2), HRESULT.CRYPT_E_AUTH_ATTR_MISSING),
        (signed, replace(signer, signed_attributes_der=one_attribute), HRESULT.NTE_BAD_SIGNATURE),
        (signed, replace(signer, signature=signer.signature[:-1]), HRESULT.NTE_BAD_SIGNATURE),
    ]
    for case, forged, code in cases:
        with pytest.raises(BadSignature) as caught:
            verify_signer(case, forged, EC_CERTIFICATE)
        assert caught.value.hresult == code


def test_another_key_does_not_verify() -> None:
    signed = message()
    for other in (RSA_CERTIFICATE, ec.generate_private_key(ec.SECP256R1()).public_key()):
        with pytest.raises(BadSignature):
            verify_signer(signed, signed.signers[0], other)


def test_a_hash_in_the_place_of_a_signature_does_not_verify() -> None:
    null = NewSigner(algorithms.null_signature, certificate=read_certificate(EC_CERTIFICATE))
    signed = decode_signed_data(encode_signed_data(cms.DATA, b"content", [null]))
    with pytest.raises(BadSignature):
        verify_signer(signed, signed.signers[0], EC_CERTIFICATE)


def test_attributes_sent_unsorted_verify_whether_signed_so_or_sorted() -> None:
    signed = message()
    signer = signed.signers[0]
    unsorted = der.wrap(der.SET, b"".join(reversed(der.children(signer.signed_attributes_der))))
    verify_signer(signed, replace(signer, signed_attributes_der=unsorted), EC_CERTIFICATE)
    _, signature = algorithms.sign(EC_KEY, SignatureScheme("sha256"), unsorted)
    verify_signer(signed, replace(signer, signed_attributes_der=unsorted, signature=signature), EC_CERTIFICATE)


def test_a_message_of_another_type_says_so() -> None:
    enveloped = der.sequence_of((der.oid("1.2.840.113549.1.7.3"), der.wrap(0xA0, der.sequence_of((der.integer(0),)))))
    with pytest.raises(DecodeError) as caught:
        decode_signed_data(enveloped)
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_MSG_TYPE


def test_openssls_malformed_messages_are_refused() -> None:
    folder = shared_path("vectors", "cms-ber")
    for data in ((folder / "bad-cms.der").read_bytes(), unwrapped(folder / "malformed.pkcs7"), b"garbage", b"", b"\x30\x00"):
        with pytest.raises(DecodeError):
            decode_signed_data(data)


def unwrapped(path: Path) -> bytes:
    return base64.b64decode("".join(line for line in path.read_text().splitlines() if "-" not in line))


def test_the_sample_of_pkcs_7_is_read_and_its_hash_is_no_longer_known() -> None:
    data = unwrapped(shared_path("vectors", "cms-ber", "pkcs7-1.pem"))
    signed = decode_signed_data(data[:-1])  # the file has an octet too many
    assert signed.content == b"Everyone gets Friday off."
    found = signed.certificate_of(signed.signers[0])
    assert found is not None
    with pytest.raises((UnsupportedAlgorithm, DecodeError)):
        verify_signer(signed, signed.signers[0], found)


def test_every_truncation_is_a_decode_error() -> None:
    data = encode_signed_data(PKI_DATA, b"content", [signer_of(EC_KEY, EC_CERTIFICATE)], [EC_CERTIFICATE])
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode_signed_data(data[:size])
    with pytest.raises(DecodeError):
        decode_signed_data(data + b"\x00")


def test_every_truncation_of_a_streamed_message_is_a_decode_error(tmp_path: Path) -> None:
    data = signed_by_openssl(tmp_path, EC_KEY, EC_CERTIFICATE, bytes(100), "-stream")
    for size in range(len(data)):
        with pytest.raises(DecodeError):
            decode_signed_data(data[:size])


def test_a_changed_bit_gives_a_message_that_does_not_verify_or_a_decode_error() -> None:
    chance = random.Random(5)
    data = encode_signed_data(PKI_DATA, b"content" * 100, [signer_of(EC_KEY, EC_CERTIFICATE)], [EC_CERTIFICATE])
    genuine = decode_signed_data(data)
    for _ in range(20_000):
        changed = bytearray(data)
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            signed = decode_signed_data(bytes(changed))
            verify_signer(signed, signed.signers[0], EC_CERTIFICATE)
        except (BadSignature, DecodeError, UnsupportedAlgorithm):
            continue
        assert (signed.content_type, signed.content) == (genuine.content_type, genuine.content)
