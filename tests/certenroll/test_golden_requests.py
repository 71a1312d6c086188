"""Microsoft's seven signed requests: every field through the object model, and the same octets back from the fields.

What is expected was read with ``openssl asn1parse`` (``-strparse`` for what stands inside); long values are named by the
place at which it shows them: the offset of the element in the file, the length of its header, the length of its contents.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from certenroll.asn1 import cmc_requests, cms, der, pkcs7_requests, pkcs10
from certenroll.asn1.attributes import NameValuePair
from certenroll.asn1.der import Attribute
from certenroll.asn1.signed_messages import Envelope
from tests.support.enrolling import BINARY
from tests.support.shared import shared_path
from tests.support.wrapping import blank

SHA1, RSA, SHA1_RSA = "1.3.14.3.2.26", "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.5"
OS, PAIR, CLIENT, CSP = "1.3.6.1.4.1.311.13.2.3", "1.3.6.1.4.1.311.13.2.1", "1.3.6.1.4.1.311.21.20", "1.3.6.1.4.1.311.13.2.2"
EXTENSIONS, RENEWED, KEY_HASH = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.13.1", "1.3.6.1.4.1.311.21.21"
TEMPLATE, USAGES, KEY_USAGE, SKI = "1.3.6.1.4.1.311.20.2", "2.5.29.37", "2.5.29.15", "2.5.29.14"
ADD_ATTRIBUTES, REG_INFO = "1.3.6.1.4.1.311.10.10.1", "1.3.6.1.5.5.7.7.18"
PKI_DATA, DATA = "1.3.6.1.5.5.7.12.2", "1.2.840.113549.1.7.1"
ENHANCED, STRONG = "Microsoft Enhanced Cryptographic Provider v1.0", "Microsoft Strong Cryptographic Provider"
WHO = (9, "vich3d.jdomcsc.nttest.microsoft.com", "JDOMCSC\\administrator", "certreq")
AGENT, OLD = "588cf81a000000000b57", "248f7d3c00000000086e"


@dataclass(frozen=True)
class Place:
    """An element as asn1parse shows it: offset, length of the header, length of the contents."""

    offset: int
    header: int
    length: int

    def contents(self, data: bytes) -> bytes:
        return data[self.offset + self.header : self.offset + self.header + self.length]

    def whole(self, data: bytes) -> bytes:
        return data[self.offset : self.offset + self.header + self.length]


@dataclass(frozen=True)
class Signer:
    """A SignerInfo: its version, by what it is named (hexadecimal), the digest that is signed, where the signature is."""

    version: int
    name: str
    digest: str
    signature: Place


@dataclass(frozen=True)
class Golden:
    """A sample, with what is expected of it; every place is one in the file.

    Attributes:
        file: its name.
        kind: of which kind the request is.
        name: the subject as the object shows it: read from its end, as Microsoft's page of IX500DistinguishedName has it.
        identifier: the key identifier, in hexadecimal.
        inside: the PKCS#10.
        key, signature: the two BIT STRINGs in it.
        renewed: the certificate that is renewed.
        certificate: of the one who signs besides the request's key.
        requester: for whom an agent asks.
        signers: of the message around the PKCS#10.
        archived: the hash of the key that is archived, in hexadecimal.
    """

    file: str
    kind: str
    name: str
    identifier: str
    inside: Place
    key: Place
    signature: Place
    renewed: Place | None = None
    certificate: Place | None = None
    requester: str = ""
    signers: tuple[Signer, ...] = ()
    archived: str = ""

    @property
    def data(self) -> bytes:
        return shared_path("vectors", "msdocs-requests", f"{self.file}.der").read_bytes()


SAMPLES = (
    Golden(
        "pkcs--10-encoded-asn-1", "Pkcs10", "O=TestOrg, CN=TestCN", "3c0f73daf8ef41d83aeabe922a5d2c966a7b9454",
        Place(0, 4, 793), Place(66, 3, 141), Place(665, 3, 129),
    ),
    Golden(
        "pkcs--7-renewal-encoded-asn-1", "Pkcs7", "", "916aec3aace1aaf4601e106493730cd51c20d22b",
        Place(62, 4, 2366), Place(62 + 31, 3, 141), Place(62 + 2238, 3, 129), renewed=Place(62 + 483, 4, 1736),
        certificate=Place(2436, 4, 1736), signers=(Signer(1, OLD, "", Place(4293, 3, 128)),),
    ),
    Golden(
        "pkcs--7-eobo-encoded-asn-1", "Pkcs7", "", "22bcaee6cd7afb765502b69bf9371021d39ce75a",
        Place(62, 4, 758), Place(62 + 31, 3, 141), Place(62 + 630, 3, 129), certificate=Place(828, 4, 1556),
        requester="Domain\\TargetUser",
        signers=(Signer(1, AGENT, "ea0b8969ef4e5ec3c256ac231faf05575e7cb316", Place(2655, 3, 128)),),
    ),
    Golden(
        "cmc-encoded-asn-1", "Cmc", "O=TestOrg, CN=TestCN", "3691787a2f0bb7efaf06e29c3ccb0651d89d7057",
        Place(61 + 137, 4, 793), Place(61 + 203, 3, 141), Place(61 + 802, 3, 129),
        signers=(
            Signer(
                3, "3691787a2f0bb7efaf06e29c3ccb0651d89d7057", "d15d41ed30cbcad1240a5700ea6b47a2f879cd9b",
                Place(1120, 3, 128),
            ),
        ),
    ),
    Golden(
        "cmc--renewal-encoded-asn-1", "Cmc", "", "d29195036ab4a6a743cdbd350e1c805891e39a33",
        Place(61 + 137, 4, 2366), Place(61 + 168, 3, 141), Place(61 + 2375, 3, 129), renewed=Place(61 + 620, 4, 1736),
        signers=(
            Signer(
                3, "d29195036ab4a6a743cdbd350e1c805891e39a33", "f113a1dc4d882e817035532ad2de5c9acee88edb",
                Place(2693, 3, 128),
            ),
        ),
    ),
    Golden(
        "cmc-eobo-encoded-asn-1", "Cmc", "", "a4f55a3ae5a5639a26069a8680b7399642c2d692",
        Place(61 + 191, 4, 758), Place(61 + 222, 3, 141), Place(61 + 821, 3, 129), certificate=Place(1022, 4, 1556),
        requester="Domain\\TargetUser",
        signers=(
            Signer(
                3, "a4f55a3ae5a5639a26069a8680b7399642c2d692", "765f2c3f9fbb3ebe3449e8fa9c19d992a81fda56",
                Place(2704, 3, 128),
            ),
            Signer(1, AGENT, "765f2c3f9fbb3ebe3449e8fa9c19d992a81fda56", Place(3014, 3, 128)),
        ),
    ),
    Golden(
        "cmc-key-archival-encoded-asn-1", "Cmc", "O=TestOrg, CN=TestCN", "15bbba05358d0b21fb5db0f4a38fe3bf0f2ce0c5",
        Place(61 + 178, 4, 793), Place(61 + 244, 3, 141), Place(61 + 843, 3, 129),
        signers=(
            Signer(
                3, "15bbba05358d0b21fb5db0f4a38fe3bf0f2ce0c5", "e088afba3f9bde527ff0887fced97debfa363f72",
                Place(1163, 3, 128),
            ),
        ),
        archived="7746e7e66bb597a67d08bf6e059c79e16dd66b83",
    ),
)  # fmt: skip
EVERY = pytest.mark.parametrize("golden", SAMPLES, ids=lambda one: one.file)
WRAPPED = pytest.mark.parametrize("golden", [one for one in SAMPLES if one.signers], ids=lambda one: one.file)
CMC = pytest.mark.parametrize("golden", [one for one in SAMPLES if one.kind == "Cmc"], ids=lambda one: one.file)
CODECS: dict[str, Any] = {"Pkcs10": pkcs10, "Pkcs7": pkcs7_requests, "Cmc": cmc_requests}


def decoded(golden: Golden) -> Any:
    made = blank(golden.kind)
    made.InitializeDecode(golden.data, BINARY)
    return made


def by_oid(parts: Any) -> dict[str, Any]:
    return {one.ObjectId.Value: one for one in parts}


def said_by_client(attribute: Any) -> tuple[int, str, str, str]:
    return attribute.ClientId, attribute.MachineDnsName, attribute.UserSamName, attribute.ProcessName


# Through the object model.


@EVERY
def test_every_field_of_the_pkcs10_is_shown(home: Path, golden: Golden) -> None:
    whole = decoded(golden)
    request = whole if golden.kind == "Pkcs10" else whole.GetInnerRequest(1)
    shown = by_oid(request.CryptAttributes)
    extensions = by_oid(request.X509Extensions)
    values = {name: one.Values(0) for name, one in shown.items()}
    renews = golden.renewed is not None
    assert (request.Type, request.Subject.Name) == (1, golden.name)
    assert (request.ClientId, request.EnrollmentContext, request.NullSigned) == (9, 1, False)
    assert (request.PublicKey.Algorithm.Value, request.PublicKey.Length) == (RSA, 1024)
    assert request.PublicKey.EncodedKey(BINARY) == golden.key.contents(golden.data)[1:]
    assert request.PublicKey.EncodedParameters(BINARY) == b"\x05\x00"
    assert list(shown) == ([OS, EXTENSIONS, CLIENT, CSP, RENEWED] if renews else [OS, PAIR, CLIENT, CSP, EXTENSIONS])
    assert values[OS].OSVersion == "6.0.5361.2"
    assert said_by_client(values[CLIENT]) == WHO
    assert (values[CSP].KeySpec, values[CSP].ProviderName) == ((2, STRONG) if renews else (1, ENHANCED))
    assert values[CSP].Signature(BINARY) == b""
    pairs = [(one.Name, one.Value) for one in request.NameValuePairs]
    assert pairs == ([] if renews else [("CertificateTemplate", "User")])
    assert list(extensions) == ([SKI, KEY_USAGE] if renews else [TEMPLATE, USAGES, KEY_USAGE, SKI])
    assert list(by_oid(values[EXTENSIONS].X509Extensions)) == list(extensions)
    assert {name for name, one in extensions.items() if one.Critical} == {KEY_USAGE}
    assert [one.Value for one in request.CriticalExtensions] == [KEY_USAGE]
    assert extensions[KEY_USAGE].KeyUsage == (0x80 if renews else 0xA0)
    assert extensions[SKI].SubjectKeyIdentifier(BINARY).hex() == golden.identifier
    assert request.SignatureInformation.GetSignatureAlgorithm(False, False).Value == SHA1_RSA
    assert (request.HashAlgorithm.Value, request.AlternateSignatureAlgorithm) == (SHA1, False)
    assert request.Signature(BINARY) == golden.signature.contents(golden.data)[1:]
    assert request.RawData(BINARY) == golden.inside.whole(golden.data)
    request.CheckSignature()


@EVERY
def test_what_is_asked_for_beside_the_key_is_shown(home: Path, golden: Golden) -> None:
    whole = decoded(golden)
    request = whole if golden.kind == "Pkcs10" else whole.GetInnerRequest(1)
    if golden.renewed is not None:
        attribute = by_oid(request.CryptAttributes)[RENEWED].Values(0)
        renewed = golden.renewed.whole(golden.data)
        assert attribute.RenewalCertificate(BINARY) == request.RenewalCertificate(BINARY) == renewed
        assert (whole.RenewalCertificate(BINARY), request.template_name) == (renewed, "")
    else:
        extensions = by_oid(request.X509Extensions)
        assert extensions[TEMPLATE].TemplateName == request.template_name == "User"
        usages = [one.Value for one in extensions[USAGES].EnhancedKeyUsage]
        assert usages == ["1.3.6.1.4.1.311.10.3.4", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2"]


@WRAPPED
def test_every_field_of_the_message_around_it_is_shown(home: Path, golden: Golden) -> None:
    request = decoded(golden)
    assert request.Type == {"Pkcs7": 2, "Cmc": 3}[golden.kind]
    assert (request.ClientId, request.EnrollmentContext) == (9, 1)
    assert (request.HashAlgorithm.Value, request.AlternateSignatureAlgorithm) == (SHA1, False)
    if golden.requester:
        assert request.RequesterName == golden.requester
    if golden.certificate is not None:
        signer = request.SignerCertificate
        assert signer.Certificate(BINARY) == golden.certificate.whole(golden.data)
        assert signer.SignatureInformation.HashAlgorithm.Value == SHA1
        assert signer.SignatureInformation.PublicKeyAlgorithm.Value == RSA


@CMC
def test_every_field_of_a_cmc_request_is_shown(home: Path, golden: Golden) -> None:
    request = decoded(golden)
    shown = by_oid(request.CryptAttributes)
    assert list(shown) == ([KEY_HASH] if golden.archived else []) + [CLIENT]
    assert said_by_client(shown[CLIENT].Values(0)) == WHO
    pairs = [(one.Name, one.Value) for one in request.NameValuePairs]
    assert pairs == ([("RequesterName", golden.requester)] if golden.requester else [])
    assert (list(request.X509Extensions), request.NullSigned) == ([], False)
    assert request.SignerCertificates.Count == len(golden.signers) - 1
    assert request.SignatureInformation.GetSignatureAlgorithm(True, False).Value == RSA
    assert request.SignatureInformation.GetSignatureAlgorithm(False, False).Value == SHA1_RSA
    assert request.ArchivePrivateKey == bool(golden.archived)
    if golden.archived:
        assert shown[KEY_HASH].Values(0).EncryptedKeyHashBlob(BINARY).hex() == golden.archived
        assert request.EncryptedKeyHash(BINARY).hex() == golden.archived
        assert (request.EncryptionAlgorithm.Value, request.EncryptionStrength) == ("1.2.840.113549.3.7", 168)


@WRAPPED
def test_every_field_of_the_signatures_is_read(golden: Golden) -> None:
    signed = CODECS[golden.kind].decode(golden.data).signed
    assert (signed.version, signed.content_type) == ((3, PKI_DATA) if golden.kind == "Cmc" else (1, DATA))
    assert signed.digest_algorithms == (bytes.fromhex("300906052b0e03021a0500"),)
    assert signed.certificates == ((golden.certificate.whole(golden.data),) if golden.certificate else ())
    assert (signed.crls, len(signed.signers)) == ((), len(golden.signers))
    for found, expected in zip(signed.signers, golden.signers, strict=True):
        name = found.key_identifier.hex() or f"{found.serial:x}"
        assert (found.version, name) == (expected.version, expected.name)
        assert found.digest_algorithm == bytes.fromhex("300906052b0e03021a0500")
        assert found.signature_algorithm == bytes.fromhex("300d06092a864886f70d0101010500")
        assert found.signature == expected.signature.contents(golden.data)
        digest = found.signed_values(cms.MESSAGE_DIGEST)
        assert digest == ((b"\x04\x14" + bytes.fromhex(expected.digest),) if expected.digest else ())


@CMC
def test_every_control_is_read(golden: Golden) -> None:
    data = cmc_requests.decode(golden.data).data
    expected = [(3, ADD_ATTRIBUTES), (2, REG_INFO)] if golden.requester else [(2, ADD_ATTRIBUTES)]
    assert [(one.body_part, one.oid) for one in data.controls] == expected
    assert [one.body_part for one in data.requests if isinstance(one, cmc_requests.TaggedRequest)] == [1]
    assert (data.nested, data.others, data.transaction_id, data.sender_nonce) == ((), (), None, None)
    assert data.name_value_pairs == ((NameValuePair("RequesterName", golden.requester),) if golden.requester else ())


@pytest.mark.parametrize("golden", [one for one in SAMPLES if one.certificate is not None], ids=lambda one: one.file)
def test_the_certificate_of_a_signer_shows_how_its_ca_signed_it(home: Path, golden: Golden) -> None:
    assert golden.certificate is not None
    shown = blank("Certificate")
    shown.InitializeDecode(golden.certificate.whole(golden.data), BINARY)
    signature = shown.SignatureInformation
    assert (signature.HashAlgorithm.Value, shown.HashAlgorithm.Value) == ("2.16.840.1.101.3.4.2.2",) * 2  # SHA-384
    assert signature.GetSignatureAlgorithm(False, False).Value == "1.2.840.10045.4.3.3"
    assert (shown.PublicKey.Algorithm.Value, shown.RawData(BINARY)) == (RSA, golden.certificate.whole(golden.data))
    assert shown.SerialNumber(BINARY).hex() == (OLD if "renewal" in golden.file else AGENT)
    assert shown.Issuer.Name == "CN=JDOMCSC Longhorn Enterprise Root CA, O=Microsoft"


# Back to octets.


def leaves(value: object) -> Iterator[bytes]:
    """Every string of octets that a value holds, however deep."""
    if isinstance(value, bytes):
        yield value
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            yield from leaves(getattr(value, one.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from leaves(part)


def made_anew(value: Any) -> Any:
    """The same value, each part of it built again by its constructor from its own fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{one.name: made_anew(getattr(value, one.name)) for one in dataclasses.fields(value)})
    return tuple(map(made_anew, value)) if isinstance(value, tuple) else value


@EVERY
def test_the_codecs_value_holds_no_copy_of_what_it_encodes(golden: Golden) -> None:
    codec, data = CODECS[golden.kind], golden.data
    found = codec.decode(data)
    core = pkcs10.decode(golden.inside.whole(data))
    kept = [data, golden.inside.whole(data), core.to_be_signed]
    kept += [found.signed.content] if golden.kind != "Pkcs10" else []
    assert [one for one in leaves(found) for whole in kept if whole in one] == []
    assert codec.encode(made_anew(found)) == data


@WRAPPED
def test_a_message_in_indefinite_lengths_is_encoded_anew(home: Path, golden: Golden) -> None:
    oid, explicit = der.children(golden.data, der.SEQUENCE)
    inside = der.contents(der.contents(explicit))
    request = blank(golden.kind)
    request.InitializeDecode(b"\x30\x80" + oid + b"\xa0\x80\x30\x80" + inside + bytes(6), BINARY)
    assert request.RawData(BINARY) == golden.data


def pkcs10_shown(request: Any) -> pkcs10.CertificationRequest:
    """The PKCS#10 put together from what a script can read of the object."""
    key = request.PublicKey
    algorithm = der.sequence_of((der.oid(key.Algorithm.Value), key.EncodedParameters(BINARY)))
    signature = request.SignatureInformation
    signed_with = der.oid(signature.GetSignatureAlgorithm(False, False).Value)
    return pkcs10.CertificationRequest(
        subject=request.Subject.EncodedName(BINARY),
        public_key_info=der.sequence_of((algorithm, der.bit_string(key.EncodedKey(BINARY)))),
        attributes=attributes_shown(request),
        signature_algorithm=der.sequence_of((signed_with, signature.Parameters(BINARY))),
        signature=request.Signature(BINARY),
    )


def attributes_shown(request: Any) -> tuple[Attribute, ...]:
    return tuple(
        Attribute(one.ObjectId.Value, tuple(value.RawData(BINARY) for value in one.Values))
        for one in request.CryptAttributes
    )


@EVERY
def test_what_a_script_can_read_makes_the_same_octets(home: Path, golden: Golden) -> None:
    whole = decoded(golden)
    if golden.kind == "Pkcs10":
        assert pkcs10.encode(pkcs10_shown(whole)) == golden.data
        return
    core = pkcs10_shown(whole.GetInnerRequest(1))
    envelope: Envelope = CODECS[golden.kind].decode(golden.data).envelope  # no interface shows a signature of a message
    if golden.kind == "Pkcs7":
        assert pkcs7_requests.encode(pkcs7_requests.Pkcs7Request(core, envelope)) == golden.data
        return
    pairs = [NameValuePair(one.Name, one.Value) for one in whole.NameValuePairs]
    content = cmc_requests.new_pki_data(core, attributes=attributes_shown(whole), pairs=pairs)
    assert cmc_requests.encode(cmc_requests.CmcRequest(content, envelope)) == golden.data


# Signatures.


@EVERY
def test_every_signature_fits(golden: Golden) -> None:
    found = CODECS[golden.kind].verify(CODECS[golden.kind].decode(golden.data))
    if golden.kind == "Pkcs10":
        return
    assert [bool(one.certificate) for one in found] == [one.version == 1 for one in golden.signers]


@WRAPPED
def test_the_signatures_fit_as_a_script_checks_them(home: Path, golden: Golden) -> None:
    request = decoded(golden)
    if golden.kind == "Pkcs7":
        request.CheckCertificateSignature(False)
        return
    request.CheckSignature()
    for signer in request.SignerCertificates:
        request.CheckCertificateSignature(signer, False)
