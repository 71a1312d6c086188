"""The call sequences of Microsoft's SDK samples, run end to end against a local CA: requests made by hand, by template,
on behalf of others, nested, and with a key to archive. The outcome is read in the stores and by OpenSSL.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key, pkcs12

from certenroll.ca.local import LocalCA
from certenroll.encodings import decode_text
from certenroll.enums import EncodingType
from tests.examples.conftest import SAMPLES, Samples, openssl, printed_certificates
from tests.support import judges

CLIENT_AUTH, SERVER_AUTH, EMAIL = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.4"
AGENT = "1.3.6.1.4.1.311.20.2.1"
EFS = "1.3.6.1.4.1.311.10.3.4"
KEY_RECOVERY = "1.3.6.1.4.1.311.21.6"
TEMPLATE_NAME = "1.3.6.1.4.1.311.20.2"
SOFTWARE_KSP = "Microsoft Software Key Storage Provider"
ENHANCED = "Microsoft Enhanced Cryptographic Provider v1.0"

# An example with arguments that are good.
LINES = {
    "simple_user_certificate.py": ("User", "CN=foo,OU=bar,DC=com", "2048"),
    "simple_machine_certificate.py": ("Machine", "Machine Cert", "Simple Machine Cert"),
    "custom_pkcs10.py": ("CN=foo,OU=bar,DC=com", "user@example.com", CLIENT_AUTH),
    "pkcs10_with_provider.py": ("User", ENHANCED),
    "custom_cmc.py": ("Name", "Value", "www.example.com", SERVER_AUTH),
    "cng_custom_cmc.py": (SOFTWARE_KSP, "ECDSA_P256", "SHA256", "cmc.req"),
    "enroll_on_behalf_cmc.py": ("User", "DOMAIN\\user", "user.pfx", "1111"),
    "nested_cmc.py": ("cmc.req", "response.out"),
    "key_archival_cmc.py": ("KeyArchival",),
}
ENROLLING = [name for name in LINES if name not in ("cng_custom_cmc.py", "nested_cmc.py", "simple_machine_certificate.py")]


def usages(certificate: x509.Certificate) -> set[str]:
    found = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    return {one.dotted_string for one in found}


def template_of(certificate: x509.Certificate) -> str:
    """The name in the template extension, a BMPString."""
    found: Any = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(TEMPLATE_NAME)).value
    return str(found.value[2:].decode("utf-16-be"))


def subject_of(certificate: x509.Certificate) -> str:
    """The subject as OpenSSL reads it."""
    pem = certificate.public_bytes(Encoding.PEM)
    return openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", data=pem).strip().removeprefix("subject=")


def check_installed(samples: Samples, text: str, ca: Path, *options: str) -> tuple[x509.Certificate, dict[str, Any]]:
    """The one certificate that was printed: good for OpenSSL, alone in MY, and its key signs."""
    (certificate,) = printed_certificates(text)
    der = certificate.public_bytes(Encoding.DER)
    (entry,) = samples.my(*options)
    assert entry["thumbprint"] == sha1(der).hexdigest().upper()
    assert samples.xenroll.json("store", "list", "REQUEST", *options) == []
    root = x509.load_pem_x509_certificate((ca / "ca.crt").read_bytes()).public_bytes(Encoding.DER)
    judges.openssl_verifies_chain(samples.folder, der, (root,))
    judges.openssl_signs_with_file(samples.folder, der, entry["key"])
    return certificate, entry


# What each of them does ----------------------------------------------------------------------------------------------


def test_a_user_gets_a_certificate_by_a_template_with_a_subject_and_a_key_length(samples: Samples) -> None:
    ca = samples.make_ca()
    printed = samples("simple_user_certificate.py", "User", "CN=foo,OU=bar,DC=com", "3072")
    assert printed.startswith("Certificate issued: request 1\n")
    certificate, _ = check_installed(samples, printed, ca)
    assert subject_of(certificate) in ("CN=foo,OU=bar,DC=com", "DC=com,OU=bar,CN=foo")
    assert isinstance(key := certificate.public_key(), rsa.RSAPublicKey)
    assert key.key_size == 3072
    assert (usages(certificate), template_of(certificate)) == ({CLIENT_AUTH, EMAIL, EFS}, "User")


def test_a_computer_gets_a_certificate_with_a_name_and_a_description(samples: Samples) -> None:
    ca = samples.make_ca("--machine")
    printed = samples("simple_machine_certificate.py", "Machine", "Machine Cert", "Simple Machine Cert")
    certificate, entry = check_installed(samples, printed, ca, "--machine")
    assert (entry["friendly_name"], entry["description"]) == ("Machine Cert", "Simple Machine Cert")
    assert Path(entry["key"]).is_relative_to(samples.xenroll.home / "machine")
    assert (usages(certificate), template_of(certificate)) == ({CLIENT_AUTH, SERVER_AUTH}, "Machine")
    assert samples.my() == []


def test_a_pkcs10_request_made_by_hand_gets_what_it_asks_for(samples: Samples) -> None:
    ca = samples.make_ca()
    printed = samples("custom_pkcs10.py", "CN=foo", "user@example.com", "1.2.3.4.5")
    certificate, _ = check_installed(samples, printed, ca)
    assert subject_of(certificate) == "CN=foo"
    assert usages(certificate) == {"1.2.3.4.5"}
    text = openssl("x509", "-noout", "-text", data=certificate.public_bytes(Encoding.PEM))
    assert "email:user@example.com" in text


@pytest.mark.parametrize("provider", [ENHANCED, "Microsoft RSA SChannel Cryptographic Provider"])
def test_a_key_is_made_in_the_provider_that_was_chosen(samples: Samples, provider: str) -> None:
    ca = samples.make_ca()
    certificate, entry = check_installed(samples, samples("pkcs10_with_provider.py", "User", provider), ca)
    assert entry["provider"] == provider
    assert template_of(certificate) == "User"


def test_a_provider_that_is_not_there_is_an_error(samples: Samples) -> None:
    samples.make_ca()
    printed = samples("pkcs10_with_provider.py", "User", "Nobody's Provider", code=1)
    assert printed.startswith("0x80070490 WIN32_NOT_FOUND: ")
    assert samples.requests() == []


def name_the_machines_ca(samples: Samples) -> None:
    """Has the user's profile know the CA of the computer."""
    config = "'ca.test\\Test CA'"
    settings = f'default_ca = {config}\n[cas.{config}]\ntransport = "local"\npath = "machine/ca"\n'
    (samples.xenroll.home / "profile.toml").write_text(settings)


@pytest.mark.parametrize(
    ("name", "value", "expected", "template"),
    [("Name", "Value", {"1.2.3.4.5"}, ""), ("CertificateTemplate", "Machine", {CLIENT_AUTH, SERVER_AUTH}, "Machine")],
    ids=["of no meaning", "the template"],
)
def test_what_stands_beside_the_request_in_a_cmc_message_is_heard(
    samples: Samples, name: str, value: str, expected: set[str], template: str
) -> None:
    ca = samples.make_ca("--machine")
    name_the_machines_ca(samples)
    printed = samples("custom_cmc.py", name, value, "www.example.com", "1.2.3.4.5")
    certificate, _ = check_installed(samples, printed, ca, "--machine")
    assert usages(certificate) == expected
    assert certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(
        x509.DNSName
    ) == ["www.example.com"]
    assert samples.requests("--machine")[-1]["template"] == template


@pytest.mark.parametrize(
    ("algorithm", "hash_name", "form", "expected"),
    [
        ("ECDSA_P521", "SHA512", (), "ecdsa-with-SHA512"),
        ("ECDSA_P256", "SHA256", ("AlternateSignature",), "ecdsa-with-SHA256"),  # of curves it has no other form here
        ("RSA", "SHA384", (), "sha384WithRSAEncryption|rsaEncryption"),
        ("RSA", "SHA256", ("alternatesignature",), "rsassaPss"),
    ],
)
def test_a_cmc_request_for_a_cng_key_is_written_to_a_file(
    samples: Samples, algorithm: str, hash_name: str, form: tuple[str, ...], expected: str
) -> None:
    printed = samples("cng_custom_cmc.py", SOFTWARE_KSP, algorithm, hash_name, "cmc.req", *form)
    (key,) = (samples.xenroll.home / "keys" / "software").glob("*.pem")
    assert f"container {key.stem}" in printed
    read = openssl("cms", "-cmsout", "-print", "-inform", "DER", data=read_base64(samples.folder / "cmc.req"))
    assert "eContentType: id-cct-PKIData" in read
    (algorithms,) = re.findall(r"signatureAlgorithm: \s*algorithm: (\S+)", read)
    assert re.fullmatch(expected, algorithms)
    assert f"algorithm: {hash_name.lower()} " in read


def test_a_hash_or_algorithm_that_nobody_knows_is_an_error(samples: Samples) -> None:
    for algorithm, hash_name in (("ROT13", "SHA256"), ("ECDSA_P256", "CRC32")):
        printed = samples("cng_custom_cmc.py", SOFTWARE_KSP, algorithm, hash_name, "cmc.req", code=1)
        assert printed.startswith("0x")
    assert not (samples.folder / "cmc.req").exists()


def test_an_agent_enrolls_somebody_else_and_keeps_nothing(samples: Samples) -> None:
    samples.make_ca()
    printed = samples("enroll_on_behalf_cmc.py", "User", "DOMAIN\\user", "user.pfx", "1111")
    agent, user = printed_certificates(printed)
    assert (usages(agent), template_of(agent)) == ({AGENT}, "EnrollmentAgent")
    assert (subject_of(user), template_of(user)) == ("CN=user", "User")
    assert samples.requests()[-1]["requester"] == "DOMAIN\\user"

    (entry,) = samples.my()
    assert entry["thumbprint"] == agent.fingerprint(hashes.SHA1()).hex().upper()
    assert [str(one) for one in (samples.xenroll.home / "keys" / "software").glob("*.pem")] == [entry["key"]]

    pfx = samples.folder / "user.pfx"
    assert pfx.stat().st_mode & 0o777 == 0o600
    opened = openssl("pkcs12", "-in", pfx, "-passin", "pass:1111", "-nodes")
    assert printed_certificates(opened) == [user]
    assert load_pem_private_key(opened.encode(), None).public_key() == user.public_key()


def test_an_agent_who_has_a_certificate_uses_it(samples: Samples) -> None:
    samples.make_ca()
    samples("enroll_on_behalf_cmc.py", "User", "DOMAIN\\alice", "alice.pfx", "1111")
    (user,) = printed_certificates(samples("enroll_on_behalf_cmc.py", "User", "DOMAIN\\bob", "bob.pfx", "1111"))
    assert subject_of(user) == "CN=bob"
    assert len(samples.my()) == 1


def test_whoever_gets_no_agents_certificate_enrolls_nobody(samples: Samples) -> None:
    samples.make_ca(EnrollmentAgent={"mode": "deny"})
    line = ("enroll_on_behalf_cmc.py", "User", "DOMAIN\\user", "user.pfx", "1111")
    assert "0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST: " in samples(*line, code=1)
    assert "0x80092004 CRYPT_E_NOT_FOUND: " in samples(*line, "User", code=1)  # a certificate, and not an agent's
    assert not (samples.folder / "user.pfx").exists()


def read_base64(path: Path) -> bytes:
    return decode_text(path.read_text(), EncodingType.XCN_CRYPT_STRING_BASE64)


def test_a_nested_request_brings_the_signature_that_the_one_inside_lacks(samples: Samples) -> None:
    ca = samples.make_ca(no_template={"subject": "either", "signatures": 1})
    printed = samples("cng_custom_cmc.py", SOFTWARE_KSP, "ECDSA_P256", "SHA256", "cmc.req")
    alone = samples.xenroll("ca", "sign", "cmc.req", code=1).stderr
    assert "0x80094809 CERTSRV_E_SIGNATURE_POLICY_REQUIRED" in alone

    assert "The CA's answer is in response.out" in samples("nested_cmc.py", "cmc.req", "response.out", "User")
    authority = LocalCA(ca)
    asked, granted = authority.requests()[-1].request, authority.requests()[-1].certificate
    authority.close()
    assert read_base64(samples.folder / "cmc.req") in asked
    assert granted is not None
    assert granted in read_base64(samples.folder / "response.out")

    samples.xenroll("accept", "response.out", "--allow-no-outstanding-request")
    container = printed.strip().rpartition(" ")[2]
    assert {entry["container"] for entry in samples.my()} > {container}
    (entry,) = [one for one in samples.my() if one["container"] == container]
    assert entry["thumbprint"] == sha1(granted).hexdigest().upper()
    judges.openssl_signs_with_file(samples.folder, granted, entry["key"])


@pytest.mark.parametrize("form", ["base64 with a header", "DER"])
def test_a_request_to_nest_is_read_in_every_form(samples: Samples, form: str) -> None:
    samples.make_ca(no_template={"subject": "either"})
    samples("cng_custom_cmc.py", SOFTWARE_KSP, "ECDSA_P256", "SHA256", "cmc.req")
    path = samples.folder / "cmc.req"
    text = path.read_text()
    header, footer = (f"-----{part} NEW CERTIFICATE REQUEST-----\n" for part in ("BEGIN", "END"))
    path.write_bytes(read_base64(path) if form == "DER" else f"{header}{text}{footer}".encode())
    samples("nested_cmc.py", "cmc.req", "response.out")


@pytest.mark.parametrize(
    ("content", "code"), [(None, "0x80070002 WIN32_FILE_NOT_FOUND: "), (b"\x30\x03\x02\x01\x01", "0x8009310")]
)
def test_a_file_that_holds_no_request_is_an_error(samples: Samples, content: bytes | None, code: str) -> None:
    samples.make_ca()
    if content is not None:
        (samples.folder / "cmc.req").write_bytes(content)
    assert samples("nested_cmc.py", "cmc.req", "response.out", code=1).startswith(code)
    assert samples.requests() == []


def make_recovery_agent(samples: Samples) -> None:
    """A key recovery agent of the CA, with its private key in agent.key."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "recovery agent")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
    builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(KEY_RECOVERY)]), critical=False)
    (samples.folder / "agent.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (samples.folder / "agent.key").write_bytes(pem)
    samples.xenroll("ca", "recovery-agent", "agent.crt")


def test_a_key_that_was_archived_comes_back(samples: Samples) -> None:
    ca = samples.make_ca(KeyArchival={"archive_key": True, "subject": "either", "ekus": [EMAIL]})
    make_recovery_agent(samples)
    certificate, entry = check_installed(samples, samples("key_archival_cmc.py", "KeyArchival"), ca)
    assert (usages(certificate), template_of(certificate)) == ({EMAIL}, "KeyArchival")

    (samples.folder / "password").write_text("1111\n")
    (samples.folder / "password").chmod(0o600)
    recover = ("ca", "recover", "1", "--agent-key", "agent.key", "--out", "key.pfx", "--password-file", "password")
    samples.xenroll(*recover)
    found = pkcs12.load_pkcs12((samples.folder / "key.pfx").read_bytes(), b"1111")
    own = load_pem_private_key(Path(entry["key"]).read_bytes(), None)
    assert isinstance(found.key, rsa.RSAPrivateKey)
    assert isinstance(own, rsa.RSAPrivateKey)
    assert found.key.private_numbers() == own.private_numbers()
    assert found.cert is not None
    assert found.cert.certificate == certificate

    line = ("store", "export", entry["thumbprint"], "--form", "pfx", "--out", "own.pfx", "--password-file", "password")
    assert "NTE_BAD_KEY_STATE" in samples.xenroll(*line, code=1).stderr  # for the archive, and for nobody else


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ({"archive_key": True}, "The submission failed: 0x8009400A CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED"),
        ({}, "0x8009000B NTE_BAD_KEY_STATE"),  # only a template of archival lets the key go to the archive
    ],
    ids=["a CA without an agent", "a template without archival"],
)
def test_a_key_that_is_not_archived_brings_no_certificate(samples: Samples, template: dict[str, Any], said: str) -> None:
    samples.make_ca(KeyArchival={**template, "subject": "either"})
    assert samples("key_archival_cmc.py", "KeyArchival", code=1).startswith(f"{said}: ")
    assert samples.my() == []


# What all of them do -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LINES)
def test_a_wrong_number_of_arguments_shows_the_usage(samples: Samples, name: str) -> None:
    for arguments in ((), ("a",) * 7):
        assert samples(name, *arguments, code=2).startswith(f"usage: {name} ")
    assert not samples.xenroll.home.exists()


def prepared(samples: Samples, name: str) -> str:
    """Runs an example's neighbours first, where it reads a file of theirs, and gives the name again."""
    if name == "nested_cmc.py":
        samples("cng_custom_cmc.py", *LINES["cng_custom_cmc.py"])
    return name


@pytest.mark.parametrize("name", ["simple_user_certificate.py", "custom_pkcs10.py", "custom_cmc.py"])
@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("deny", r"(Request|The submission) failed: 0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST: .*denies every request"),
        ("hold", r"(Request 1 is|The submission is) pending: (request 1: )?Taken Under Submission"),
    ],
)
def test_a_ca_that_issues_nothing_is_a_failure_with_its_words(samples: Samples, name: str, mode: str, told: str) -> None:
    samples.make_ca("--policy", mode)
    assert re.match(told, samples(name, *LINES[name], code=1))
    assert (samples.my(), samples.my("--machine")) == ([], [])


def test_a_machine_is_refused_like_a_user(samples: Samples) -> None:
    samples.make_ca("--machine", Machine={"mode": "deny"})
    printed = samples("simple_machine_certificate.py", *LINES["simple_machine_certificate.py"], code=1)
    assert printed.startswith("Request failed: 0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST: ")
    assert samples.my("--machine") == []


def test_a_nested_request_that_is_held_has_no_answer_yet(samples: Samples) -> None:
    samples.make_ca(no_template={"subject": "either", "mode": "hold"})
    assert "The submission is pending: request 2" in samples(prepared(samples, "nested_cmc.py"), "cmc.req", "out", code=1)
    assert not (samples.folder / "out").exists()


@pytest.mark.parametrize("name", [*ENROLLING, "simple_machine_certificate.py", "nested_cmc.py"])
def test_without_a_ca_there_is_an_error(samples: Samples, name: str) -> None:
    printed = samples(prepared(samples, name), *LINES[name], code=1)
    assert re.match(r"0x8007(06BA RPC_SERVER_UNAVAILABLE|0490 WIN32_NOT_FOUND): .*xenroll ca init", printed)
    assert len(printed.splitlines()) == 1


def test_a_key_length_that_is_no_number_is_an_error(samples: Samples) -> None:
    samples.make_ca()
    assert samples("simple_user_certificate.py", "User", "CN=foo", "long", code=1).startswith("0x80070057 E_INVALIDARG: ")


def test_the_table_of_examples_names_each_of_them() -> None:
    table = (SAMPLES / "README.md").read_text(encoding="utf-8")
    run = [one.name for one in sorted(SAMPLES.glob("*.py")) if "__main__" in one.read_text(encoding="utf-8")]
    assert [name for name in run if f"`{name}`" not in table] == []
    assert set(LINES) <= set(re.findall(r"`([a-z0-9_]+\.py)`", table))
