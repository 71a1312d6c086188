"""The call sequences of Microsoft's SDK samples, run end to end against a local CA: requests from a certificate, from a
public key, by a policy server, and a PFX. The outcome is read in the stores and by OpenSSL.
"""

from __future__ import annotations

import re
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certenroll.asn1 import cmc_requests
from certenroll.ca.local import LocalCA
from certenroll.cert_property_values import POLICY_SERVER, decode_policy_server
from certenroll.encodings import decode_text
from certenroll.enums import EncodingType
from certenroll.stores.certificates import CertificateStore, StoredCertificate
from certenroll.stores.profile import Profile
from certenroll.stores.properties import RENEWAL
from keystores.base import Scope
from tests.examples.conftest import Samples, openssl, printed_certificates
from tests.support import judges

CA_CONFIG = "ca.test\\Test CA"
SERVERS = ("-PolicyServerUrl", "ldap:", "-EnrollmentServerUrl", CA_CONFIG)
KERBEROS = ("-TemplateName", "User", "-PolicyServerAuthType", "Kerberos", *SERVERS)
DENIED = "0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST: "

# An example with arguments that are good.
LINES: dict[str, tuple[str, ...]] = {
    "pkcs7_request.py": ("User",),
    "renewal_pkcs7.py": ("User",),
    "from_public_key.py": ("User", "response.out"),
    "with_cert_request3.py": KERBEROS,
    "with_enrollment_helper.py": KERBEROS,
}
FROM_CERTIFICATE = ("pkcs7_request.py", "renewal_pkcs7.py", "from_public_key.py")


def der_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def spki_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def stored(samples: Samples, store: str = "MY") -> dict[bytes, StoredCertificate]:
    """Everything that a store of the user holds, archived or not."""
    profile = Profile(samples.xenroll.home, Scope.USER)
    found = {one.der: one for one in CertificateStore(profile.database).list(store, archived=True)}
    profile.database.close()
    return found


def set_mode(samples: Samples, mode: str) -> None:
    """Has a CA that issues everything issue nothing more."""
    policy = samples.xenroll.home / "ca" / "policy.json"
    policy.write_text(policy.read_text().replace('"mode": "issue"', f'"mode": "{mode}"'))


def request_at_ca(samples: Samples, number: int) -> bytes:
    """The message that the CA got."""
    authority = LocalCA(samples.xenroll.home / "ca")
    (found,) = [row.request for row in authority.requests() if row.id == number]
    authority.close()
    return found


def signer_of(samples: Samples, message: bytes) -> tuple[x509.Certificate, bytes]:
    """Who signed a PKCS #7 request, by OpenSSL's word, and the PKCS #10 inside it."""
    request, signer, content = (samples.folder / name for name in ("message", "signer.pem", "content"))
    request.write_bytes(message)
    openssl("cms", "-verify", "-noverify", "-inform", "DER", "-in", request, "-signer", signer, "-out", content, "-binary")
    openssl("req", "-verify", "-noout", "-inform", "DER", "-in", content)
    return x509.load_pem_x509_certificate(signer.read_bytes()), content.read_bytes()


def check_usable(samples: Samples, certificate: x509.Certificate) -> dict[str, Any]:
    """The entry of MY of a certificate that OpenSSL finds good and whose key signs."""
    thumbprint = sha1(der_of(certificate)).hexdigest().upper()
    (entry,) = [one for one in samples.my() if one["thumbprint"] == thumbprint]
    root = x509.load_pem_x509_certificate((samples.xenroll.home / "ca" / "ca.crt").read_bytes())
    judges.openssl_verifies_chain(samples.folder, der_of(certificate), (der_of(root),))
    judges.openssl_signs_with_file(samples.folder, der_of(certificate), entry["key"])
    assert samples.xenroll.json("store", "list", "REQUEST") == []
    return entry


# From a certificate --------------------------------------------------------------------------------------------------


def test_a_second_certificate_for_a_key_is_asked_for_by_the_first(samples: Samples) -> None:
    samples.make_ca()
    first, second = printed_certificates(samples("pkcs7_request.py", "User"))
    assert spki_of(first) == spki_of(second)
    assert first.serial_number != second.serial_number
    assert [one["template"] for one in samples.requests()] == ["User", "User"]

    signer, content = signer_of(samples, request_at_ca(samples, 2))
    assert signer == first
    assert der_of(first) not in content  # no renewal: the request does not say that it follows on a certificate
    keys = {check_usable(samples, one)["container"] for one in (first, second)}
    assert len(keys) == 1
    assert RENEWAL not in stored(samples)[der_of(first)].properties


def test_a_certificate_that_is_there_is_the_one_that_signs(samples: Samples) -> None:
    samples.make_ca()
    printed_certificates(samples("pkcs7_request.py", "User"))
    (third,) = printed_certificates(samples("pkcs7_request.py", "user"))  # names of templates know no case
    signer, _ = signer_of(samples, request_at_ca(samples, 3))
    assert spki_of(signer) == spki_of(third)


def test_a_certificate_of_a_template_with_an_identifier_is_found_by_its_name(samples: Samples) -> None:
    samples.make_ca(Door={"ekus": ["1.2.3.4"], "oid": "1.2.3.4.5.6", "version": [100, 1], "subject": "either"})
    assert len(printed_certificates(samples("renewal_pkcs7.py", "Door"))) == 2
    assert len(printed_certificates(samples("renewal_pkcs7.py", "Door"))) == 1
    assert [one["template"] for one in samples.requests()] == ["Door"] * 3


def test_a_renewal_has_a_new_key_and_the_signature_of_the_old_one(samples: Samples) -> None:
    samples.make_ca()
    old, new = printed_certificates(samples("renewal_pkcs7.py", "User"))
    assert spki_of(old) != spki_of(new)
    assert old.subject == new.subject

    signer, content = signer_of(samples, request_at_ca(samples, 2))
    assert signer == old
    assert der_of(old) in content  # the certificate to be renewed, an attribute of the request
    assert spki_of(new) in content

    check_usable(samples, new)
    held = stored(samples)
    assert held[der_of(old)].properties[RENEWAL] == sha1(der_of(new)).digest()
    assert RENEWAL not in held[der_of(new)].properties


def test_what_was_renewed_is_renewed_again_from_its_heir(samples: Samples) -> None:
    samples.make_ca()
    _, second = printed_certificates(samples("renewal_pkcs7.py", "User"))
    (third,) = printed_certificates(samples("renewal_pkcs7.py", "User"))
    signer, _ = signer_of(samples, request_at_ca(samples, 3))
    assert signer == second
    check_usable(samples, third)


def test_a_certificate_that_leads_to_no_trusted_root_is_not_used(samples: Samples) -> None:
    samples.make_ca()
    samples("pkcs7_request.py", "User")
    (root,) = samples.xenroll.json("store", "list", "ROOT")
    samples.xenroll("store", "delete", root["thumbprint"], "--store", "ROOT")
    assert samples("renewal_pkcs7.py", "User", code=1).startswith("0x800B0109 CERT_E_UNTRUSTEDROOT: ")
    assert len(samples.requests()) == 2


def test_a_revoked_certificate_renews_nothing(samples: Samples) -> None:
    samples.make_ca()
    samples("pkcs7_request.py", "User")
    samples.xenroll("ca", "revoke", "1")
    samples.xenroll("ca", "revoke", "2")
    assert samples("renewal_pkcs7.py", "User", code=1).startswith("Request failed: 0x80092010 CRYPT_E_REVOKED: ")
    assert all(RENEWAL not in one.properties for one in stored(samples).values())


# From a public key ---------------------------------------------------------------------------------------------------


def test_a_public_key_gets_a_certificate_by_the_signature_of_another(samples: Samples) -> None:
    samples.make_ca()
    (signing,) = printed_certificates(samples("from_public_key.py", "User", "response.out"))
    asked = cmc_requests.decode(request_at_ca(samples, 2))
    assert cmc_requests.certification_request(asked).is_null_signed
    signers = [one.certificate for one in cmc_requests.verify(asked, allow_null=True) if one.certificate is not None]
    assert [one.der for one in signers] == [der_of(signing)]

    response = decode_text((samples.folder / "response.out").read_text(), EncodingType.XCN_CRYPT_STRING_BASE64)
    listed = openssl("pkcs7", "-inform", "DER", "-print_certs", data=response)
    (issued,) = [one for one in printed_certificates(listed) if spki_of(one) in request_at_ca(samples, 2)]
    assert len(samples.my()) == 1  # nothing was installed

    printed = samples("cng_cert_request.py", "accept", "response.out")
    assert printed_certificates(printed) == [issued]
    check_usable(samples, issued)


def test_a_signing_certificate_may_be_of_another_template(samples: Samples) -> None:
    samples.make_ca()
    samples("from_public_key.py", "Machine", "response.out", "UserSignature")
    assert [one["template"] for one in samples.requests()] == ["UserSignature", "Machine"]


def test_a_template_whose_certificates_sign_nothing_gives_no_signing_certificate(samples: Samples) -> None:
    samples.make_ca(Safe={"key_usage": ["key_encipherment"], "subject": "either"})
    printed = samples("from_public_key.py", "User", "response.out", "Safe", code=1)
    assert "0x80092004 CRYPT_E_NOT_FOUND: " in printed
    assert not (samples.folder / "response.out").exists()


# By servers ----------------------------------------------------------------------------------------------------------


def test_an_enrollment_server_is_asked_by_icertrequest3(samples: Samples) -> None:
    samples.make_ca()
    printed = samples("with_cert_request3.py", *KERBEROS)
    assert printed.endswith("Certificate enrollment succeeded.\n")
    (certificate,) = printed_certificates(printed)
    check_usable(samples, certificate)
    noted = decode_policy_server(stored(samples)[der_of(certificate)].properties[POLICY_SERVER])
    assert (noted.url, noted.authentication) == ("ldap:", 2)
    assert noted.policy_id


@pytest.mark.parametrize("sample", ["with_cert_request3.py", "with_enrollment_helper.py"])
def test_a_password_is_given_to_the_servers_and_to_nobody_else(samples: Samples, sample: str) -> None:
    samples.make_ca()
    user = ("-PolicyServerUsername", "CORP\\alice", "-PolicyServerPassword", "s3cret-word")
    line = ("-templatename", "User", "-POLICYSERVERAUTHTYPE", "UsernamePassword", *user, *SERVERS)
    printed = samples(sample, *line)
    (certificate,) = printed_certificates(printed)
    check_usable(samples, certificate)
    holding = [one for one in samples.xenroll.home.rglob("*") if one.is_file() and b"s3cret-word" in one.read_bytes()]
    kept = ["server-credentials.json"] if sample == "with_enrollment_helper.py" else []
    assert [one.name for one in holding] == kept
    assert all(one.stat().st_mode & 0o777 == 0o600 for one in holding)
    assert "s3cret-word" not in printed


def test_the_servers_may_be_told_different_things(samples: Samples) -> None:
    samples.make_ca()
    own = ("-EnrollmentServerAuthType", "Certificate", "-EnrollmentServerUsername", "0A" * 20)
    samples("with_enrollment_helper.py", *KERBEROS, *own)
    assert '"0a' in (samples.xenroll.home / "server-credentials.json").read_text().casefold()


def test_the_computer_enrolls_by_its_own_policy(samples: Samples) -> None:
    samples.make_ca("--machine")
    line = ("-Context", "Machine", "-TemplateName", "Machine", *KERBEROS[2:])
    samples("with_enrollment_helper.py", *line)
    (entry,) = samples.my("--machine")
    assert Path(entry["key"]).is_relative_to(samples.xenroll.home / "machine")
    assert samples.my() == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"-TemplateName": "Nobody"}, "0x80070490 WIN32_NOT_FOUND: "),
        ({"-PolicyServerUrl": "http://cep.example/CEP"}, "0x80070057 E_INVALIDARG: "),
        ({"-PolicyServerUrl": "https://cep.example/CEP"}, "0x800706BA RPC_SERVER_UNAVAILABLE: "),
        ({"-PolicyServerUsername": "somebody"}, "0x80070057 E_INVALIDARG: "),  # Kerberos takes no name
        ({"-PolicyServerAuthType": "Certificate", "-PolicyServerUsername": "short"}, "0x80070057 E_INVALIDARG: "),
    ],
)
@pytest.mark.parametrize("sample", ["with_cert_request3.py", "with_enrollment_helper.py"])
def test_a_wrong_word_to_a_policy_server_is_an_error(
    samples: Samples, sample: str, changes: dict[str, str], code: str
) -> None:
    samples.make_ca()
    words = dict(zip(KERBEROS[::2], KERBEROS[1::2], strict=True)) | changes
    printed = samples(sample, *(word for pair in words.items() for word in pair), code=1)
    assert printed.startswith(code)
    assert printed.endswith("Certificate enrollment failed.\n")
    assert samples.requests() == []


def test_an_enrollment_server_that_nobody_knows_leaves_a_request_that_was_not_sent(samples: Samples) -> None:
    samples.make_ca()
    printed = samples("with_cert_request3.py", *KERBEROS[:-1], "nowhere\\CA", code=1)
    assert printed.startswith("0x800706BA RPC_SERVER_UNAVAILABLE: ")
    assert (len(samples.xenroll.json("store", "list", "REQUEST")), samples.my()) == (1, [])


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        KERBEROS[:-1],
        KERBEROS[2:],
        ("-Context", "Nobody", *KERBEROS),
        ("-Colour", "red", *KERBEROS),
        KERBEROS[:2] + KERBEROS[4:],
    ],
    ids=["nothing", "no value", "no template", "an unknown context", "an unknown word", "no way to authenticate"],
)
def test_what_is_no_command_line_shows_the_words_that_are(samples: Samples, arguments: tuple[str, ...]) -> None:
    for sample in ("with_cert_request3.py", "with_enrollment_helper.py"):
        assert f"usage: {sample} -Param Value" in samples(sample, *arguments, code=2)
    assert not samples.xenroll.home.exists()


# From a PFX ----------------------------------------------------------------------------------------------------------


def make_pfx(samples: Samples, *options: str, password: str = "1111") -> x509.Certificate:
    """A certificate of the CA for a key of OpenSSL's, in cert.pfx."""
    new_key = ("-newkey", "rsa:2048", "-nodes", "-keyout", samples.folder / "key.pem", "-subj", "/CN=elsewhere")
    openssl("req", "-new", *new_key, "-out", samples.folder / "own.req")
    samples.xenroll("ca", "sign", "own.req", "--out", "own.p7b")
    chain = openssl("pkcs7", "-in", samples.folder / "own.p7b", "-print_certs")
    (samples.folder / "chain.pem").write_text(chain)
    files = ("-in", samples.folder / "chain.pem", "-inkey", samples.folder / "key.pem", "-out", samples.folder / "cert.pfx")
    openssl("pkcs12", "-export", *files, "-passout", f"pass:{password}", *options)
    (found,) = [one for one in printed_certificates(chain) if "elsewhere" in one.subject.rfc4514_string()]
    return found


@pytest.mark.parametrize("form", ["DER", "base64", "base64 with a header"])
def test_a_pfx_is_installed_without_a_request(samples: Samples, form: str) -> None:
    samples.make_ca()
    certificate = make_pfx(samples)
    path = samples.folder / "cert.pfx"
    if form != "DER":
        text = openssl("base64", "-in", path)
        header, footer = ("-----BEGIN PFX-----\n", "-----END PFX-----\n") if "header" in form else ("", "")
        path.write_text(f"{header}{text}{footer}")
    printed = samples("install_from_pfx.py", "cert.pfx", "1111")
    assert printed_certificates(printed) == [certificate]
    check_usable(samples, certificate)
    assert len(samples.my()) == 1


@pytest.mark.parametrize(
    ("file", "password", "code"),
    [
        ("cert.pfx", "2222", "0x80070056 WIN32_INVALID_PASSWORD: "),
        ("cert.pfx", "", "0x80070056 WIN32_INVALID_PASSWORD: "),
        ("nothing.pfx", "1111", "0x80070002 WIN32_FILE_NOT_FOUND: "),
        ("key.pem", "1111", "0x80093"),
        ("chain.pem", "1111", "0x8009"),
    ],
)
def test_what_is_no_pfx_or_has_another_password_installs_nothing(
    samples: Samples, file: str, password: str, code: str
) -> None:
    samples.make_ca()
    make_pfx(samples)
    assert samples("install_from_pfx.py", file, password, code=1).startswith(code)
    assert samples.my() == []
    assert samples.xenroll.json("keys", "list") == []


def test_a_pfx_of_an_unknown_root_is_not_installed(samples: Samples) -> None:
    samples.make_ca("--no-trust")
    make_pfx(samples)
    assert samples("install_from_pfx.py", "cert.pfx", "1111", code=1).startswith("0x800B0109 CERT_E_UNTRUSTEDROOT: ")
    assert (samples.my(), samples.xenroll.json("keys", "list")) == ([], [])


# What all of them do -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [*FROM_CERTIFICATE, "install_from_pfx.py"])
def test_a_wrong_number_of_arguments_shows_the_usage(samples: Samples, sample: str) -> None:
    for arguments in ((), ("a",) * 7):
        assert samples(sample, *arguments, code=2).startswith(f"usage: {sample} ")
    assert not samples.xenroll.home.exists()


@pytest.mark.parametrize("sample", ["with_cert_request3.py", "with_enrollment_helper.py"])
def test_a_ca_that_wants_more_than_a_request_refuses_it(samples: Samples, sample: str) -> None:
    samples.make_ca(User={"signatures": 1})
    printed = samples(sample, *KERBEROS, code=1)
    assert re.match("(Request|The submission) failed: 0x80094809 CERTSRV_E_SIGNATURE_POLICY_REQUIRED: ", printed)
    assert printed.endswith("Certificate enrollment failed.\n")
    assert samples.my() == []


@pytest.mark.parametrize("sample", FROM_CERTIFICATE)
def test_a_ca_that_denies_is_a_failure_with_its_words(samples: Samples, sample: str) -> None:
    samples.make_ca()
    samples("pkcs7_request.py", "User")  # there is a certificate to start from
    before = stored(samples)
    set_mode(samples, "deny")
    told = f"(Request|The submission) failed: {DENIED}.*denies every request"
    assert re.match(told, samples(sample, *LINES[sample], code=1))
    assert stored(samples) == before


@pytest.mark.parametrize("sample", LINES)
def test_a_request_that_is_held_is_no_success(samples: Samples, sample: str) -> None:
    samples.make_ca()
    if sample in FROM_CERTIFICATE:
        samples("pkcs7_request.py", "User")
    before = stored(samples)
    set_mode(samples, "hold")
    told = r"(Request \d is|The submission is) pending: (request \d: )?Taken Under Submission"
    assert re.match(told, samples(sample, *LINES[sample], code=1))
    assert stored(samples) == before


@pytest.mark.parametrize("sample", ["pkcs7_request.py", "renewal_pkcs7.py", "with_enrollment_helper.py"])
def test_what_the_ca_held_is_fetched_when_it_is_issued(samples: Samples, sample: str) -> None:
    samples.make_ca()
    samples("pkcs7_request.py", "User")
    set_mode(samples, "hold")
    before = set(stored(samples))
    samples(sample, *LINES[sample], code=1)
    samples.xenroll("ca", "issue", "3")
    samples.xenroll("pending", "retrieve", "3")
    (new,) = set(stored(samples)) - before
    check_usable(samples, x509.load_der_x509_certificate(new))
    marked = [one.properties[RENEWAL] for one in stored(samples).values() if RENEWAL in one.properties]
    assert marked == ([sha1(new).digest()] if sample == "renewal_pkcs7.py" else [])


@pytest.mark.parametrize("sample", LINES)
def test_without_a_ca_there_is_an_error(samples: Samples, sample: str) -> None:
    printed = samples(sample, *LINES[sample], code=1)
    assert re.match(r"0x800(706BA RPC_SERVER_UNAVAILABLE|7139F WIN32_INVALID_STATE): .*xenroll ca init", printed)
