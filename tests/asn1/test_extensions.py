"""The common extensions: vectors, round trips, truncation, and pyca and OpenSSL as judges."""

import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import der, extensions, general_names
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.extensions import (
    AuthorityKeyIdentifier,
    BasicConstraints,
    Policy,
    PolicyQualifier,
    SmimeCapability,
    Template,
)
from certenroll.asn1.general_names import Kind
from certenroll.enums import X509KeyUsageFlags
from certenroll.hresults import HRESULT
from tests.support.requires import program
from tests.support.shared import shared_path

# The S/MIME capabilities of the certificate in Microsoft's sample of a PKCS #7 renewal: RC2, RC4, DES, Triple DES.
MICROSOFT_SMIME = bytes.fromhex(
    "303c300e06082a864886f70d030202020080300e06082a864886f70d030402020080300a06052b0e030207020138300e06082a864886f70d0307020200a8"
)
OIDS = st.lists(st.integers(0, 2**40), min_size=1, max_size=6).map(lambda arcs: ".".join(map(str, [1, 3, *arcs])))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
INT32 = st.integers(0, 2**31 - 1)
NAMES = st.lists(st.sampled_from(["a.example", "b.example"]).map(lambda text: general_names.text_name(Kind.DNS, text)))
QUALIFIERS = st.lists(TEXT.map(extensions.encode_user_notice) | OIDS.map(PolicyQualifier), max_size=2).map(tuple)
CODECS = {
    "key usage": (
        extensions.encode_key_usage,
        extensions.decode_key_usage,
        st.lists(st.sampled_from(list(X509KeyUsageFlags))).map(lambda flags: sum(set(flags))),
    ),
    "object ids": (
        extensions.encode_object_ids,
        extensions.decode_object_ids,
        st.lists(OIDS, max_size=4).map(tuple),
    ),
    "basic constraints": (
        extensions.encode_basic_constraints,
        extensions.decode_basic_constraints,
        st.builds(BasicConstraints, st.just(True), st.none() | INT32) | st.just(BasicConstraints(False)),
    ),
    "subject key identifier": (
        extensions.encode_subject_key_identifier,
        extensions.decode_subject_key_identifier,
        st.binary(max_size=64),
    ),
    "authority key identifier": (
        extensions.encode_authority_key_identifier,
        extensions.decode_authority_key_identifier,
        st.builds(AuthorityKeyIdentifier, st.none() | st.binary(max_size=32), NAMES.map(tuple), st.none() | st.integers()),
    ),
    "template name": (extensions.encode_template_name, extensions.decode_template_name, TEXT),
    "template": (
        extensions.encode_template,
        extensions.decode_template,
        st.builds(Template, OIDS, INT32, INT32) | st.builds(Template, OIDS, INT32) | st.builds(Template, OIDS),
    ),
    "smime capabilities": (
        extensions.encode_smime_capabilities,
        extensions.decode_smime_capabilities,
        st.lists(st.builds(SmimeCapability, OIDS, st.none() | INT32.map(der.integer)), max_size=4).map(tuple),
    ),
    "policies": (
        extensions.encode_policies,
        extensions.decode_policies,
        st.lists(st.builds(Policy, OIDS, QUALIFIERS), max_size=3).map(tuple),
    ),
}
EXAMPLES = {
    "key usage": 0x80A8,
    "object ids": ("1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"),
    "basic constraints": BasicConstraints(True, 300),
    "subject key identifier": bytes(range(20)),
    "authority key identifier": AuthorityKeyIdentifier(
        bytes(20), (general_names.text_name(Kind.DNS, "ca.example"),), 0x80_00_00_01
    ),
    "template name": "SmartcardUser",
    "template": Template("1.3.6.1.4.1.311.21.8.7638725.1", 100, 3),
    "smime capabilities": (SmimeCapability("1.2.840.113549.3.2", der.integer(128)), SmimeCapability("1.2.840.113549.3.7")),
    "policies": (
        Policy("2.5.29.32.0"),
        Policy("1.2.3.4", (extensions.encode_cps("https://ca.example/cps"), extensions.encode_user_notice("Nur für Tests"))),
    ),
}


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


@pytest.mark.parametrize("name", CODECS)
@given(data=st.binary(max_size=48))
def test_whatever_the_bytes_are_they_are_read_or_refused(name, data):
    _, decode, _ = CODECS[name]
    try:
        decode(data)
    except DecodeError as error:
        code = error.hresult
    else:
        return
    assert code >> 16 == 0x8009


def microsoft_requested_extensions() -> dict[str, tuple[bool, bytes]]:
    sample = shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes()
    request = x509.load_der_x509_csr(sample)
    return {
        one.oid.dotted_string: (one.critical, one.value.public_bytes())
        for one in request.extensions
        if not isinstance(one.value, x509.MSCertificateTemplate)
    }


def test_the_extensions_of_microsofts_request_are_written_byte_for_byte():
    values = microsoft_requested_extensions()
    assert values[extensions.TEMPLATE_NAME] == (False, extensions.encode_template_name("User"))
    usages = ("1.3.6.1.4.1.311.10.3.4", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2")
    assert values[extensions.EXTENDED_KEY_USAGE] == (False, extensions.encode_object_ids(usages))
    assert values[extensions.KEY_USAGE] == (True, extensions.encode_key_usage(0xA0))
    key_id = extensions.decode_subject_key_identifier(values[extensions.SUBJECT_KEY_IDENTIFIER][1])
    assert len(key_id) == 20
    assert values[extensions.SUBJECT_KEY_IDENTIFIER] == (False, extensions.encode_subject_key_identifier(key_id))


def test_the_smime_capabilities_of_microsofts_sample_are_read_and_written_byte_for_byte():
    capabilities = extensions.decode_smime_capabilities(MICROSOFT_SMIME)
    assert [(one.oid, der.read_integer(one.parameters or b"")) for one in capabilities] == [
        ("1.2.840.113549.3.2", 128),
        ("1.2.840.113549.3.4", 128),
        ("1.3.14.3.2.7", 56),
        ("1.2.840.113549.3.7", 168),
    ]
    assert extensions.encode_smime_capabilities(capabilities) == MICROSOFT_SMIME


@pytest.mark.parametrize(
    ("flags", "value"),
    [
        (0x00, "030100"),
        (0x80, "03020780"),
        (0xA0, "030205a0"),
        (0xF0, "030204f0"),
        (0x06, "03020106"),
        (0x01, "03020001"),
        (0x8008, "0303070880"),
        (0x80FF, "030307ff80"),
    ],
)
def test_the_bits_of_a_key_usage_lie_as_in_windows(flags, value):
    assert extensions.encode_key_usage(flags).hex() == value
    assert extensions.decode_key_usage(bytes.fromhex(value)) == flags


def test_unused_bits_that_are_set_do_not_count():
    assert extensions.decode_key_usage(b"\x03\x02\x05\xbf") == 0xA0


def test_a_key_usage_bit_without_meaning_is_refused():
    with pytest.raises(EncodeError) as caught:
        extensions.encode_key_usage(0x100)
    assert caught.value.hresult == HRESULT.E_INVALIDARG


@pytest.mark.parametrize("value", [BasicConstraints(False, 1), BasicConstraints(True, -1)])
def test_a_path_length_without_a_ca_or_below_zero_is_refused(value):
    with pytest.raises(EncodeError):
        extensions.encode_basic_constraints(value)


def test_basic_constraints_that_say_false_are_read_although_der_leaves_that_out():
    assert extensions.decode_basic_constraints(b"\x30\x03\x01\x01\x00") == BasicConstraints(False)


@pytest.mark.parametrize("wrong", ["3006800100800100", "3006820101800100", "3003830100"])
def test_an_authority_key_identifier_with_parts_out_of_order_or_unknown_is_refused(wrong):
    with pytest.raises(DecodeError):
        extensions.decode_authority_key_identifier(bytes.fromhex(wrong))


def test_a_template_name_is_read_from_a_string_of_any_type():
    assert extensions.decode_template_name(der.utf8_string("WebServer")) == "WebServer"


def test_a_template_with_a_minor_version_alone_is_refused():
    with pytest.raises(EncodeError):
        extensions.encode_template(Template("1.2.3", None, 1))


def test_a_user_notice_with_a_reference_gives_its_text():
    reference = der.sequence_of([der.utf8_string("Org"), der.sequence_of([der.integer(1)])])
    notice = der.sequence_of([reference, der.utf8_string("text")])
    assert extensions.decode_qualifier_text(PolicyQualifier(extensions.USER_NOTICE, notice)) == "text"
    assert extensions.decode_qualifier_text(PolicyQualifier(extensions.USER_NOTICE, der.sequence_of([reference]))) == ""
    assert extensions.decode_qualifier_text(PolicyQualifier("1.2.3", b"\x05\x00")) == ""
    assert extensions.decode_qualifier_text(PolicyQualifier(extensions.CPS)) == ""


REQUESTED = {
    extensions.KEY_USAGE: extensions.encode_key_usage(0x8088),
    extensions.EXTENDED_KEY_USAGE: extensions.encode_object_ids(["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.20.2.2"]),
    extensions.SUBJECT_ALTERNATIVE_NAME: general_names.encode_all([general_names.text_name(Kind.DNS, "www.contoso.com")]),
    extensions.BASIC_CONSTRAINTS: extensions.encode_basic_constraints(BasicConstraints(True, 2)),
    extensions.SUBJECT_KEY_IDENTIFIER: extensions.encode_subject_key_identifier(b"\xab" * 20),
    extensions.AUTHORITY_KEY_IDENTIFIER: extensions.encode_authority_key_identifier(
        AuthorityKeyIdentifier(b"\xcd" * 20, (general_names.text_name(Kind.DNS, "ca.example"),), 0xFE)
    ),
    extensions.CERTIFICATE_POLICIES: extensions.encode_policies(EXAMPLES["policies"]),
    extensions.SMIME_CAPABILITIES: extensions.encode_smime_capabilities(EXAMPLES["smime capabilities"]),
    extensions.TEMPLATE_NAME: extensions.encode_template_name("User"),
    extensions.TEMPLATE: extensions.encode_template(EXAMPLES["template"]),
    extensions.APPLICATION_POLICIES: extensions.encode_policies([Policy("1.3.6.1.5.5.7.3.2")]),
}


def request_with_all() -> x509.CertificateSigningRequest:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "www.contoso.com")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for oid, value in REQUESTED.items():
        builder = builder.add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical=False)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())


def test_openssl_reads_what_is_written(tmp_path):
    path = tmp_path / "request.pem"
    path.write_bytes(request_with_all().public_bytes(Encoding.PEM))
    done = subprocess.run(
        [program("openssl"), "req", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True
    )
    for line in (
        "Digital Signature, Key Agreement, Decipher Only",
        "TLS Web Server Authentication, Microsoft Smartcard Login",
        "DNS:www.contoso.com",
        "CA:TRUE, pathlen:2",
        ":".join(["AB"] * 20),
        "keyid:" + ":".join(["CD"] * 20),
        "serial:FE",
        "CPS: https://ca.example/cps",
        "Policy: X509v3 Any Policy",
    ):
        assert line in done.stdout, line


def test_openssl_finds_every_value_well_formed(tmp_path):
    for oid, value in REQUESTED.items():
        path = tmp_path / oid
        path.write_bytes(value)
        command = [program("openssl"), "asn1parse", "-inform", "DER", "-in", path]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, oid


def test_pyca_reads_what_is_written():
    read = request_with_all().extensions
    assert read.get_extension_for_class(x509.KeyUsage).value.decipher_only
    assert read.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 2)
    authority = read.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert authority == x509.AuthorityKeyIdentifier(b"\xcd" * 20, [x509.DNSName("ca.example")], 0xFE)
    template = read.get_extension_for_class(x509.MSCertificateTemplate).value
    assert (template.template_id.dotted_string, template.major_version, template.minor_version) == (
        "1.3.6.1.4.1.311.21.8.7638725.1",
        100,
        3,
    )
    policies = read.get_extension_for_class(x509.CertificatePolicies).value
    assert policies[1].policy_qualifiers == ["https://ca.example/cps", x509.UserNotice(None, "Nur für Tests")]


@pytest.mark.parametrize(
    "peer",
    [
        x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH, x509.ObjectIdentifier("1.2.3")]),
        x509.BasicConstraints(False, None),
        x509.BasicConstraints(True, 0),
        x509.SubjectKeyIdentifier(b"\x01" * 20),
        x509.AuthorityKeyIdentifier(b"\x01" * 20, None, None),
        x509.AuthorityKeyIdentifier(None, [x509.DNSName("ca")], 7),
        x509.MSCertificateTemplate(x509.ObjectIdentifier("1.2.3"), None, None),
        x509.MSCertificateTemplate(x509.ObjectIdentifier("1.2.3"), 1, 0),
        x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), ["http://x"])]),
    ],
    ids=repr,
)
def test_a_value_that_pyca_wrote_is_written_again_as_it_came(peer):
    pairs = {
        x509.ExtendedKeyUsage: "object ids",
        x509.BasicConstraints: "basic constraints",
        x509.SubjectKeyIdentifier: "subject key identifier",
        x509.AuthorityKeyIdentifier: "authority key identifier",
        x509.MSCertificateTemplate: "template",
        x509.CertificatePolicies: "policies",
    }
    encode, decode, _ = CODECS[pairs[type(peer)]]
    value = peer.public_bytes()
    assert encode(decode(value)) == value
