"""GeneralName of every type: round trips, truncation, and pyca as the judge."""

import ipaddress

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from certenroll.asn1 import der, general_names
from certenroll.asn1.der import DecodeError, EncodeError
from certenroll.asn1.general_names import GeneralName, Kind
from certenroll.hresults import HRESULT

NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "dc1")])

# The subjectAltName of the certificate in Microsoft's sample of a PKCS #7 renewal.
MICROSOFT_SAN = bytes.fromhex(
    "3068a03a060a2b060104018237140203a02c0c2a41646d696e6973747261746f72406a646f6d6373632e6e74746573742e6d6963726f736f66742e"
    "636f6d812a41646d696e6973747261746f72406a646f6d6373632e6e74746573742e6d6963726f736f66742e636f6d"
)

EVERY_KIND = {
    "otherName": general_names.other_name("1.2.3.4", der.utf8_string("value")),
    "upn": general_names.upn_name("jürgen@contoso.com"),
    "guid": general_names.guid_name(bytes(range(16))),
    "rfc822": general_names.text_name(Kind.RFC822, "user@contoso.com"),
    "dns": general_names.text_name(Kind.DNS, "www.contoso.com"),
    "uri": general_names.text_name(Kind.URI, "https://contoso.com/x?y=z"),
    "directory": general_names.directory_name(NAME.public_bytes()),
    "ipv4": general_names.ip_name(ipaddress.ip_address("192.0.2.1")),
    "ipv6": general_names.ip_name(ipaddress.ip_address("2001:db8::1")),
    "registeredID": general_names.registered_id("1.3.6.1.4.1.311.21.8.1"),
}
KEPT_AS_IT_CAME = {
    "x400": GeneralName(Kind.X400, der.sequence_of([der.oid("2.5.4.6")])),
    "ediParty": GeneralName(Kind.EDI_PARTY, der.wrap(0xA1, der.utf8_string("party"))),
}


def peer_names(value: bytes) -> list[x509.GeneralName]:
    """What pyca reads in a subjectAltName with this value."""
    extension = x509.UnrecognizedExtension(x509.OID_SUBJECT_ALTERNATIVE_NAME, value)
    request = x509.CertificateSigningRequestBuilder().subject_name(NAME).add_extension(extension, False)
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    made = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return list(made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)


@pytest.mark.parametrize("name", [*EVERY_KIND.values(), *KEPT_AS_IT_CAME.values()], ids=[*EVERY_KIND, *KEPT_AS_IT_CAME])
def test_a_name_is_read_back_as_it_was_written(name):
    assert general_names.decode(general_names.encode(name)) == name


@pytest.mark.parametrize("name", [*EVERY_KIND.values(), *KEPT_AS_IT_CAME.values()], ids=[*EVERY_KIND, *KEPT_AS_IT_CAME])
def test_a_name_cut_short_anywhere_is_refused(name):
    whole = general_names.encode(name)
    for length in range(len(whole)):
        with pytest.raises(DecodeError):
            general_names.decode(whole[:length])


def test_the_names_of_microsofts_sample_are_read_and_written_byte_for_byte():
    upn, mail = general_names.decode_all(MICROSOFT_SAN)
    assert upn == general_names.upn_name("Administrator@jdomcsc.nttest.microsoft.com")
    assert upn.text == mail.text == "Administrator@jdomcsc.nttest.microsoft.com"
    assert general_names.encode_all([upn, mail]) == MICROSOFT_SAN


def test_every_kind_is_read_by_pyca_as_what_it_is():
    value = general_names.encode_all(EVERY_KIND.values())
    assert peer_names(value) == [
        x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), b"\x0c\x05value"),
        x509.OtherName(x509.ObjectIdentifier(general_names.UPN), b"\x0c\x13" + "jürgen@contoso.com".encode()),
        x509.OtherName(x509.ObjectIdentifier(general_names.NTDS_REPLICATION), b"\x04\x10" + bytes(range(16))),
        x509.RFC822Name("user@contoso.com"),
        x509.DNSName("www.contoso.com"),
        x509.UniformResourceIdentifier("https://contoso.com/x?y=z"),
        x509.DirectoryName(NAME),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.RegisteredID(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.8.1")),
    ]


@pytest.mark.parametrize(
    "peer",
    [
        x509.RFC822Name("user@contoso.com"),
        x509.DNSName("contoso.com"),
        x509.UniformResourceIdentifier("ldap:///CN=x"),
        x509.DirectoryName(NAME),
        x509.IPAddress(ipaddress.ip_address("::ffff:192.0.2.1")),
        x509.RegisteredID(x509.ObjectIdentifier("2.999.1")),
        x509.OtherName(x509.ObjectIdentifier("1.2.3"), b"\x30\x00"),
    ],
    ids=lambda peer: type(peer).__name__,
)
def test_a_name_that_pyca_wrote_is_written_again_as_it_came(peer):
    value = x509.SubjectAlternativeName([peer]).public_bytes()
    assert general_names.encode_all(general_names.decode_all(value)) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (EVERY_KIND["dns"], "www.contoso.com"),
        (EVERY_KIND["ipv6"], "2001:db8::1"),
        (EVERY_KIND["registeredID"], "1.3.6.1.4.1.311.21.8.1"),
        (EVERY_KIND["upn"], "jürgen@contoso.com"),
        (EVERY_KIND["guid"], ""),
        (EVERY_KIND["directory"], ""),
    ],
)
def test_the_text_of_a_name_is_what_a_person_reads(name, text):
    assert name.text == text


@pytest.mark.parametrize("network", ["10.0.0.0/8", "192.0.2.7/32", "0.0.0.0/0", "2001:db8::/33", "::/0"])
def test_a_subtree_of_addresses_is_read_back_with_its_mask(network):
    name = general_names.ip_name(ipaddress.ip_network(network))
    read = general_names.decode(general_names.encode(name), subtree=True)
    assert read == name
    assert read.text == network
    constraint = x509.NameConstraints([x509.IPAddress(ipaddress.ip_network(network))], None)
    assert general_names.encode(name) in constraint.public_bytes()


def test_an_address_with_a_mask_is_refused_outside_of_name_constraints():
    subtree = general_names.encode(general_names.ip_name(ipaddress.ip_network("10.0.0.0/8")))
    with pytest.raises(DecodeError, match="8 octets"):
        general_names.decode(subtree)
    with pytest.raises(DecodeError, match="4 octets"):
        general_names.decode(general_names.encode(EVERY_KIND["ipv4"]), subtree=True)


def test_a_mask_with_holes_is_refused():
    with pytest.raises(DecodeError, match="contiguous"):
        general_names.decode(b"\x87\x08\x0a\x00\x00\x00\xff\x00\xff\x00", subtree=True)


def test_a_name_that_is_not_ascii_is_refused_with_the_code_windows_has_for_it():
    with pytest.raises(EncodeError) as caught:
        general_names.text_name(Kind.DNS, "münchen.example")
    assert caught.value.hresult == HRESULT.CRYPT_E_INVALID_IA5_STRING


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (b"\x89\x00", HRESULT.CRYPT_E_ASN1_CHOICE),
        (b"\x30\x00", HRESULT.CRYPT_E_ASN1_CHOICE),
        (b"\x87\x03\x01\x02\x03", HRESULT.CRYPT_E_ASN1_CONSTRAINT),
        (b"\xa4\x02\x04\x00", HRESULT.CRYPT_E_ASN1_BADTAG),
        (b"\xa0\x04\x06\x02\x2a\x03", HRESULT.CRYPT_E_ASN1_CORRUPT),
        (b"\x82\x01a\x00", HRESULT.CRYPT_E_ASN1_NOEOD),
        (b"\x88\x00", None),
    ],
)
def test_a_malformed_name_is_refused(wrong, code):
    with pytest.raises(DecodeError) as caught:
        general_names.decode(wrong)
    assert code is None or caught.value.hresult == code


def test_an_address_of_no_size_is_not_written():
    with pytest.raises(EncodeError):
        general_names.encode(GeneralName(Kind.IP, b"\x01\x02\x03"))


@pytest.mark.parametrize("oid", ["", "1", "a.b", "3.1", "1.40"])
def test_a_malformed_identifier_is_refused(oid):
    with pytest.raises(EncodeError):
        general_names.registered_id(oid)


@given(st.binary(max_size=64))
def test_whatever_the_bytes_are_they_are_read_or_refused(data):
    try:
        names = general_names.decode_all(data)
    except DecodeError:
        return
    assert general_names.encode_all(names) == data


@given(st.text(max_size=40).filter(lambda text: not any("\ud800" <= one <= "\udfff" for one in text)))
def test_any_text_is_a_user_principal_name(text):
    assert general_names.decode(general_names.encode(general_names.upn_name(text))).text == text
