"""What the local CA puts into certificates, as OpenSSL and certtool see it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from certenroll.ca.base import CAError, Disposition, Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.templates import BUILT_IN
from certenroll.encodings import decode_text
from keystores.base import KeyAlgorithm
from tests.ca.conftest import EC_KEY, Clock, issued, openssl_verify
from tests.support.requires import program
from tests.support.shared import shared_path

MakeRequest = Callable[..., bytes]
_DER, _PEM = Encoding.DER, Encoding.PEM


def ec_ca(folder: Path, policy: Policy, **options: object) -> LocalCA:
    return LocalCA.create(folder / "own", "Own", algorithm=KeyAlgorithm.EC, bits=256, policy=policy, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("two_tier", [False, True])
@pytest.mark.parametrize(("algorithm", "bits"), [(KeyAlgorithm.RSA, 2048), (KeyAlgorithm.EC, 256), (KeyAlgorithm.EC, 521)])
@pytest.mark.parametrize("key", [("rsa:2048",), EC_KEY])
def test_openssl_verifies_a_certificate_and_its_crls(
    tmp_path: Path, request_of: MakeRequest, two_tier: bool, algorithm: KeyAlgorithm, bits: int, key: tuple[str, ...]
) -> None:
    ca = LocalCA.create(tmp_path / "ca", "Any CA", algorithm=algorithm, bits=bits, two_tier=two_tier)
    answer = ca.submit(Submission(request_of(key=key), flags=0x80000))
    assert answer.disposition is Disposition.ISSUED
    assert len(answer.chain) == len(answer.crls) == (2 if two_tier else 1)
    assert answer.certificate is not None
    assert openssl_verify(tmp_path, answer.certificate, answer.chain, *answer.crls) == "OK"


@pytest.mark.parametrize("template", [one.name for one in BUILT_IN if not one.ca])
def test_a_certificate_of_every_built_in_template_is_valid_for_its_uses(
    ca: LocalCA, tmp_path: Path, request_of: MakeRequest, template: str
) -> None:
    found = issued(ca, request_of(key=EC_KEY), CertificateTemplate=template)
    wanted = next(one for one in BUILT_IN if one.name == template)
    ekus = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {one.dotted_string for one in ekus} == set(wanted.ekus)
    assert openssl_verify(tmp_path, found.public_bytes(_DER), ca.certificates(), *ca.crls()) == "OK"


def test_certtool_reads_a_certificate_and_verifies_its_chain(
    ca: LocalCA, tmp_path: Path, request_of: MakeRequest
) -> None:
    found = issued(ca, request_of(), CertificateTemplate="WebServer")
    chain = [x509.load_der_x509_certificate(one) for one in ca.certificates()]
    bundle = "".join(one.public_bytes(_PEM).decode() for one in (found, *chain))
    command = [program("certtool"), "--verify-chain"]
    result = subprocess.run(command, input=bundle, capture_output=True, text=True, check=False)
    assert "Chain verification output: Verified" in result.stdout


def test_a_request_made_by_certtool_is_issued(ca: LocalCA, tmp_path: Path) -> None:
    template = tmp_path / "template"
    template.write_text('cn = "gnutls.test"\ndns_name = "gnutls.test"\ntls_www_server\nsigning_key\n')
    key, out = tmp_path / "key", tmp_path / "out"
    subprocess.run([program("certtool"), "-p", "--ecc", "--outfile", str(key)], check=True, capture_output=True)
    command = [program("certtool"), "-q", "--load-privkey", str(key), "--template", str(template), "--outder"]
    subprocess.run([*command, "--outfile", str(out)], check=True, capture_output=True)
    found = issued(ca, out.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gnutls.test"]


def test_the_serial_number_has_at_most_127_bits_and_is_new_each_time(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of()
    serials = [issued(ca, request).serial_number for _ in range(5)]
    assert len(set(serials)) == 5
    assert all(0 < one < 1 << 127 for one in serials)


def test_an_ec_key_agrees_on_keys_where_an_rsa_key_enciphers_them(ca: LocalCA, request_of: MakeRequest) -> None:
    usages = [
        issued(ca, request_of(key=key), CertificateTemplate="User").extensions.get_extension_for_class(x509.KeyUsage)
        for key in (("rsa:2048",), EC_KEY)
    ]
    assert [(one.value.key_encipherment, one.value.key_agreement) for one in usages] == [(True, False), (False, True)]
    assert all(one.critical for one in usages)


def test_a_template_decides_the_uses_and_a_request_without_one_decides_them_itself(
    ca: LocalCA, request_of: MakeRequest
) -> None:
    request = request_of("/CN=x", "-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=critical,digitalSignature")
    free = issued(ca, request).extensions
    bound = issued(ca, request, CertificateTemplate="WebServer").extensions
    assert list(free.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.CODE_SIGNING]
    assert not free.get_extension_for_class(x509.KeyUsage).value.key_encipherment
    assert list(bound.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert bound.get_extension_for_class(x509.KeyUsage).value.key_encipherment


def test_a_request_never_makes_itself_a_ca(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of("/CN=x", "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign")
    found = issued(ca, request)
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.BasicConstraints)
    with pytest.raises(x509.ExtensionNotFound):
        found.extensions.get_extension_for_class(x509.KeyUsage)


def test_the_alternative_name_is_critical_where_it_is_the_only_name(
    ca: LocalCA, tmp_path: Path, request_of: MakeRequest
) -> None:
    found = issued(ca, request_of("/", "-addext", "subjectAltName=DNS:only.test"), CertificateTemplate="WebServer")
    assert not found.subject.rdns
    assert found.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).critical
    assert openssl_verify(tmp_path, found.public_bytes(_DER), ca.certificates(), *ca.crls()) == "OK"


def test_a_request_without_any_name_takes_the_requesters_or_is_denied(ca: LocalCA, request_of: MakeRequest) -> None:
    assert issued(ca, request_of("/"), CertificateTemplate="User").subject.rfc4514_string() == "CN=alice"
    denied = ca.submit(Submission(request_of("/"), {"CertificateTemplate": "WebServer"}, requester="CORP\\alice"))
    unknown = ca.submit(Submission(request_of("/"), {"CertificateTemplate": "User"}))
    assert (denied.disposition, denied.status) == (Disposition.DENIED, 0x80094001)
    assert (unknown.disposition, unknown.status) == (Disposition.DENIED, 0x80094001)


def test_the_subject_goes_over_octet_for_octet(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of("/C=DE/O=Müller \\/ Söhne/CN=Jürgen+emailAddress=j@example.test", "-utf8")
    assert issued(ca, request).subject.public_bytes() == x509.load_der_x509_csr(request).subject.public_bytes()


def test_the_alternative_name_attribute_is_heard_only_where_the_policy_says_so(
    tmp_path: Path, request_of: MakeRequest, ca: LocalCA
) -> None:
    request, san = request_of(), "dns=a.test&dns=b.test&upn=alice@corp.test&email=a@b.test&ipaddress=192.0.2.1"
    with pytest.raises(x509.ExtensionNotFound):
        issued(ca, request, SAN=san).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    open_ca = ec_ca(tmp_path, Policy(attribute_subject_alt_name=True))
    names = issued(open_ca, request, SAN=san).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.test", "b.test"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    (upn,) = names.get_values_for_type(x509.OtherName)
    assert upn.type_id.dotted_string == "1.3.6.1.4.1.311.20.2.3"
    assert upn.value == b"\x0c\x0falice@corp.test"


@pytest.mark.parametrize("text", ["nonsense", "colour=red", "ipaddress=999.0.0.1", "&", "dns=ünicode.test", "guid=zz"])
def test_a_malformed_alternative_name_attribute_denies_the_request(
    tmp_path: Path, request_of: MakeRequest, text: str
) -> None:
    answer = ec_ca(tmp_path, Policy(attribute_subject_alt_name=True)).submit(Submission(request_of(), {"san": text}))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x8007000D)


def test_unknown_extensions_are_dropped_unless_the_policy_copies_them(
    tmp_path: Path, request_of: MakeRequest, ca: LocalCA
) -> None:
    request, oid = request_of("/CN=x", "-addext", "1.2.3.4.5=critical,DER:04024869"), x509.ObjectIdentifier("1.2.3.4.5")
    with pytest.raises(x509.ExtensionNotFound):
        issued(ca, request).extensions.get_extension_for_oid(oid)
    copied = issued(ec_ca(tmp_path, Policy(copy_unknown_extensions=True)), request).extensions.get_extension_for_oid(oid)
    assert copied.critical
    assert copied.value.public_bytes() == bytes.fromhex("04024869")


def test_a_template_of_version_2_marks_its_certificates_with_its_identifier(tmp_path: Path, request_of: MakeRequest) -> None:
    rules = {"Own Template": {"oid": "1.3.6.1.4.1.311.21.8.1.2.3", "version": [100, 4], "ekus": ["1.2.3.4"]}}
    found = issued(ec_ca(tmp_path, Policy(templates=rules)), request_of(), CertificateTemplate="owntemplate")
    mark = found.extensions.get_extension_for_class(x509.MSCertificateTemplate).value
    assert (mark.template_id.dotted_string, mark.major_version, mark.minor_version) == ("1.3.6.1.4.1.311.21.8.1.2.3", 100, 4)


def test_the_urls_of_the_ca_stand_in_what_it_issues(tmp_path: Path, request_of: MakeRequest) -> None:
    urls = {"crl_urls": ["http://pki.test/{file}"], "certificate_urls": ["http://pki.test/{file}"]}
    ca = ec_ca(tmp_path, Policy(), two_tier=True, **urls)
    extensions = issued(ca, request_of()).extensions
    (point,) = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (access,) = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://pki.test/Own.crl")]
    assert access.access_location.value == "http://pki.test/Own.crt"
    own = x509.load_der_x509_certificate(ca.certificates()[0]).extensions
    (point,) = own.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://pki.test/Own-root.crl")]
    assert {one.name for one in (tmp_path / "own" / "published").iterdir()} == {
        "Own.crl", "Own.crt", "Own-root.crl", "Own-root.crt",
    }


def test_no_certificate_outlives_the_ca(tmp_path: Path, request_of: MakeRequest, clock: Clock) -> None:
    ca = LocalCA.create(tmp_path / "c", "C", algorithm=KeyAlgorithm.EC, bits=256, validity_days=30, clock=clock)
    own = x509.load_der_x509_certificate(ca.certificates()[0])
    found = issued(ca, request_of(), CertificateTemplate="User")
    assert found.not_valid_after_utc == own.not_valid_after_utc
    assert found.not_valid_before_utc == own.not_valid_before_utc
    clock.pass_days(31)
    with pytest.raises(CAError) as caught:
        ca.submit(Submission(request_of()))
    assert caught.value.hresult == 0x800B0101


def test_a_subordinate_ca_waits_for_approval_and_is_limited(tmp_path: Path, request_of: MakeRequest, ca: LocalCA) -> None:
    root = ec_ca(tmp_path, Policy())
    held = root.submit(Submission(request_of(key=EC_KEY), {"CertificateTemplate": "SubCA"}))
    assert held.disposition is Disposition.UNDER_SUBMISSION
    answer = root.issue(held.request_id)
    assert answer.certificate is not None
    found = x509.load_der_x509_certificate(answer.certificate)
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert openssl_verify(tmp_path, answer.certificate, answer.chain) == "OK"
    below = ca.submit(Submission(request_of(), {"CertificateTemplate": "SubCA"}))
    assert ca.issue(below.request_id).status == 0x80096019


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("certreq_10.0.17763_san.csr", 0),
        ("certreq_6.1.7601_template_namevalue.csr", 0x80094811),
        ("csr_003_28c16086.der", 0),
        ("csr_009_60f3bb2a.der", 0x80090008),  # a DSA key
        ("csr_015_530adc2d.der", 0),
        ("csr_021_f58fc2a5.der", 0),
        ("csr_027_3f34921e.der", 0x80094001),  # neither subject nor alternative name
        ("csr_033_9294cedb.der", 0),
        ("csr_039_5de1188b.der", 0),
        ("nt5.0.2195_iis_xenroll.csr", 0x80094811),  # RSA 1024, SHA-1
    ],
)
def test_requests_of_windows_clients_are_read_and_decided(ca: LocalCA, tmp_path: Path, name: str, status: int) -> None:
    answer = ca.submit(Submission(vector(name)))
    assert answer.status == status, answer.message
    if answer.certificate is not None:
        assert openssl_verify(tmp_path, answer.certificate, answer.chain, *ca.crls()) == "OK"


def test_an_old_request_with_sha1_and_1024_bits_is_issued_where_the_policy_takes_it(tmp_path: Path) -> None:
    ca = ec_ca(tmp_path, Policy(templates={"": {"minimum_rsa_bits": 1024}, "User": {"minimum_rsa_bits": 1024}}))
    xenroll = issued(ca, vector("nt5.0.2195_iis_xenroll.csr"))
    assert list(xenroll.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    documented = issued(ca, shared_path("vectors", "msdocs-requests", "pkcs--10-encoded-asn-1.der").read_bytes())
    mark = documented.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")).value
    assert mark.public_bytes() == b"\x1e\x08\x00U\x00s\x00e\x00r"


def test_an_ec_ca_signs_with_its_own_curve_and_sha256(ca: LocalCA, request_of: MakeRequest) -> None:
    found = issued(ca, request_of())
    own = x509.load_der_x509_certificate(ca.certificates()[0])
    assert isinstance(own.public_key(), ec.EllipticCurvePublicKey)
    assert found.signature_hash_algorithm is not None
    assert found.signature_hash_algorithm.name == "sha256"


def vector(name: str) -> bytes:
    data = shared_path("vectors", "csr", name).read_bytes()
    return decode_text(data.decode(), 0) if data.startswith(b"-") else data
