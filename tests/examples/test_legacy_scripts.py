"""The scripts of examples/legacy, run as they are, with keys in software, in a TPM and on a card."""

from __future__ import annotations

import base64
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.support import judges
from tests.support.legacy_pages import PAGES, Place, Stored, der_of, requests_in, usages_of
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

# For what has nothing to do with where the keys are.
IN_SOFTWARE = pytest.mark.parametrize("device", ["software"], indirect=True)
CLIENT, EMAIL, CODE = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.2.1.21"
RSA_LENGTHS = {"software": "1024 to 1024 bits, by default 1024", "tpm": "1024 to 3072 bits, by default 2048",
               "smartcard": "1024 to 4096 bits, by default 2048"}  # fmt: skip
# The numbers that scripts compare Err.Number with: the name of each, Err.Number, Hex(Err.Number).
NUMBERS = (
    ("ERROR_CANCELLED", 0x800704C7 - 2**32, "800704C7"),
    ("NTE_EXISTS", 0x8009000F - 2**32, "8009000F"),
    ("CRYPT_E_NOT_FOUND", 0x80092004 - 2**32, "80092004"),
    ("NTE_FAIL", 0x80090020 - 2**32, "80090020"),
    ("CERT_E_UNTRUSTEDROOT", 0x800B0109 - 2**32, "800B0109"),
    ("ERROR_NO_MORE_ITEMS", 0x80070103 - 2**32, "80070103"),
    ("cannot create object", 429, "1AD"),
    ("no such member", 438, "1B6"),
)


def subject_of(signed: x509.Certificate | x509.CertificateSigningRequest) -> str:
    return signed.subject.rfc4514_string({x509.NameOID.EMAIL_ADDRESS: "E"})


@pytest.fixture(autouse=True)
def _with_the_card(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs by others find the card where xenroll does."""
    for name, value in place.device.environ.items() if isinstance(place.device, SoftToken) else ():
        monkeypatch.setenv(name, value)


def openssl_signs(place: Place, entry: Stored) -> None:
    """OpenSSL signs with the key where it is, and verifies with the certificate."""
    if isinstance(place.device, SoftToken):
        judges.openssl_signs_with_engine(place.folder, der_of(entry.certificate), entry.key.reference, place.device.module)
    else:
        tcti = place.device.tcti if isinstance(place.device, SwTpm) else ""
        judges.openssl_signs_with_file(place.folder, der_of(entry.certificate), entry.key.reference, tcti=tcti)


def test_a_request_goes_to_the_ca_and_its_answer_is_accepted_twice(place: Place) -> None:
    written = place.run("request.vbs")
    (request,) = requests_in(written)
    assert subject_of(request) == "CN=Alice Example,OU=Sales,O=Example,ST=WA,C=US"
    assert usages_of(request) == [CLIENT]
    assert isinstance(request.signature_hash_algorithm, SHA256)  # for the MD5 that the script names
    (entry,) = place.stored()
    assert entry.key.store == place.store
    assert entry.certificate.public_key() == request.public_key()
    assert place.containers().count(entry.key.container) == 1
    assert f"Installed from container {entry.key.container}" in written
    openssl_signs(place, entry)
    if isinstance(place.device, SoftToken):
        assert place.device.store().read_certificate(entry.key.container) == der_of(entry.certificate)


@IN_SOFTWARE
def test_what_stands_between_a_header_and_a_footer_is_base64_in_lines_that_end_in_crlf(place: Place) -> None:
    written = place.run("request.vbs")
    label = "NEW CERTIFICATE REQUEST-----"
    pem = re.search(rf"-----BEGIN {label}\r\n(.*?\r\n)-----END {label}", written, re.S)
    assert pem
    assert re.fullmatch(r"([A-Za-z0-9+/]{64}\r\n)+[A-Za-z0-9+/]{1,62}={0,2}\r\n", pem[1])
    assert subject_of(x509.load_pem_x509_csr(pem[0].encode())).startswith("CN=Alice")


@IN_SOFTWARE
def test_a_ca_that_does_not_issue_ends_the_script_with_1(place: Place) -> None:
    policy = place.xenroll.home / "ca" / "policy.json"
    policy.write_text(policy.read_text().replace('"issue"', '"deny"'))
    assert "The CA has not issued: " in place.run("request.vbs", code=1)
    assert place.stored() == []


def test_a_container_that_is_there_is_used_again(place: Place) -> None:
    for _ in range(2):
        written = place.run("existing_key.vbs", "box").splitlines()
        assert written[-2:] == ["The container is there: 0x8009000F", "Two requests for one key"]
    assert place.containers().count("box") == 1
    assert [one.subject for one in place.stored("REQUEST")] == ["CN=First", "CN=Second"] * 2
    assert {one.key.store for one in place.stored("REQUEST")} == {place.store}


def test_names_and_usages_are_read_as_scripts_write_them(place: Place) -> None:
    requests = requests_in(place.run("names_and_usages.vbs"))
    assert [(subject_of(one), usages_of(one)) for one in requests] == [
        ("CN=Bob,O=Example,C=US", []),
        ("CN=Bob,O=Example,C=US", [CLIENT]),
        ("CN=x", [CODE]),
        ("", [CLIENT, EMAIL]),
        ("E=bob@example.com,CN=Bob", []),
        ("E=bob@example.com,CN=Bob,ST=WA,L=Here", [CLIENT]),
    ]
    assert all(one.public_key() == requests[0].public_key() for one in requests)
    assert len(place.stored("REQUEST")) == 6


def test_flags_give_the_length_of_the_key_where_there_is_such_a_length(place: Place) -> None:
    lines = place.run("key_flags.vbs").splitlines()
    longest = "no key of 4096 bits" if place.store == "tpm" else "a request of "
    expected = (
        "written 0x2000003: no key of 512 bits", "written 0x4000003: a request of ", "written 0x8000003: a request of ",
        "written 0x0: a request of ", "changed 0x8000000: a request of ", f"longer 0x10000000: {longest}",
    )  # fmt: skip
    assert len(lines) == len(expected)
    assert [line for line, begin in zip(lines, expected, strict=True) if not line.startswith(begin)] == []
    assert {one.key.store for one in place.stored("REQUEST")} == {place.store}
    assert len(place.stored("REQUEST")) == sum("a request of" in line for line in lines)


def test_each_number_that_scripts_compare_arrives_as_windows_gives_it(place: Place) -> None:
    written = [tuple(line.rsplit(" ", 2)) for line in place.run("error_numbers.vbs").splitlines()]
    assert written == [(name, str(number), digits) for name, number, digits in NUMBERS]
    assert [one.subject for one in place.stored()] == ["CN=Answered"]


def test_a_script_s_own_mistakes_have_the_numbers_of_the_language(place: Place) -> None:
    assert place.run("errors.vbs").splitlines() == [
        "no such container: -2146893802 0x80090016", "no answer: -2146881278 0x80093102",
        "no name: -2146885597 0x80092023", "too few arguments: 450 0x1C2", "not a number: 13 0xD",
        "no such property: 438 0x1B6", "no object to set: 424 0x1A8", "no object: 424 0x1A8", "nothing: 91 0x5B",
    ]  # fmt: skip
    assert place.stored("REQUEST") == []


def test_providers_are_told_until_there_are_no_more(place: Place) -> None:
    written = place.run("providers.js").splitlines()
    assert written[0] == "control CEnroll.CEnroll.2"
    assert re.match(r"\d providers: (Microsoft [^;]+; )+Microsoft [^;]+$", written[1])
    assert written[2:4] == [f"RSA keys of {RSA_LENGTHS[place.store]}", "key specs 3"]
    assert {"hash 0x8004 SHA-1", "hash 0x8003 MD5"} <= set(written)
    assert written[-1] == "438 -2146827850 Object doesn't support this property or method"


@IN_SOFTWARE
def test_a_type_without_providers_is_an_empty_list(place: Place) -> None:
    failed = place.xenroll("run", PAGES / "providers.js", "77", code=1)
    assert "0 providers: " in failed.stdout


def test_answers_are_installed_under_each_restriction_and_in_each_encoding(place: Place) -> None:
    written = place.run("certenroll.js").splitlines()
    ways = ((4, 0), (2, 1), (0, 6))
    assert written == [f"restrictions {one}, encoding {other}: installed; status 1, RawData equal" for one, other in ways]
    certificates = place.check_installed("CN=Way 0,O=Example", "CN=Way 1,O=Example", "CN=Way 2,O=Example")
    assert [usages_of(one) for one in certificates] == [[CLIENT]] * 3


def test_a_template_decides_what_is_in_a_certificate(place: Place) -> None:
    written = place.run("user_template.vbs").splitlines()
    assert written[:3] == ["extension 1.3.6.1.4.1.311.20.2", "extension 2.5.29.37", "extension 2.5.29.15"]
    assert written[3:] == ["asked for a key of 2048 bits", "request 1 of ca.test\\Test CA"]
    (entry,) = place.stored()
    assert (entry.friendly_name, entry.key.store) == ("Grace", place.store)
    assert set(usages_of(entry.certificate)) == {CLIENT, EMAIL, "1.3.6.1.4.1.311.10.3.4"}


@IN_SOFTWARE
def test_a_template_that_the_ca_refuses_ends_the_script_with_1(place: Place) -> None:
    policy = place.xenroll.home / "ca" / "policy.json"
    policy.write_text(policy.read_text().replace('"issue"', '"deny"'))
    assert "Not issued: 0x80094014 " in place.run("user_template.vbs", code=1)
    assert place.stored() == []


def test_a_certificate_is_renewed_by_its_thumbprint_and_its_key(place: Place) -> None:
    written = place.run("renewal.wsf", "/name:Ann").splitlines()
    assert re.fullmatch(r"signed by \d+ characters of certificate", written[0])
    assert written[1:] == ["renewed: true"]
    (renewed,) = place.check_installed("CN=Ann")  # the first one is archived
    first, second = place.xenroll.json("ca", "list")
    assert (first["disposition"], second["disposition"]) == ("issued", "issued")
    assert int(second["serial"], 16) == renewed.serial_number


@IN_SOFTWARE
def test_the_second_job_tells_how_the_file_is_used(place: Place) -> None:
    assert place.run("renewal.wsf", options=("--job", "usage")).startswith("Usage: ")
    assert place.stored() == []


def test_a_request_goes_in_a_file_and_its_answer_comes_in_one(place: Place) -> None:
    here = ("--folder", ".")
    written = place.run("request_file.vbs", "new", "bob.req", "CN=Bob", options=here)
    told = re.fullmatch(r"Request ([0-9A-F]{40}) is in bob\.req: (\d+) bytes\n", written)
    assert told
    assert [one.certificate.fingerprint(SHA1()).hex().upper() for one in place.stored("REQUEST")] == [told[1]]
    assert (place.folder / "bob.req").stat().st_size == int(told[2])
    (request,) = requests_in((place.folder / "bob.req").read_text())
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["bob.example.com"]

    assert place.run("request_file.vbs", "accept", "bob.p7b", options=here, code=2) == "No answer yet: bob.p7b\n"
    place.xenroll("ca", "sign", "bob.req", "--out", "bob.p7b")
    typed = ("--input", "a password")
    accepted = place.run("request_file.vbs", "accept", "bob.p7b", "bob.pfx", options=(*here, *typed)).splitlines()
    assert accepted[:2] == ["Accepted bob.p7b", "[prompt] VBScript: A password for the backup: -> answered"]
    (certificate,) = place.check_installed("CN=Bob")
    assert certificate.public_key() == request.public_key()
    check_backup(place, accepted[2], certificate)
    if isinstance(place.device, SoftToken):  # the script says WriteCertToCSP = False
        assert place.device.store().read_certificate(place.stored()[0].key.container) is None


def check_backup(place: Place, told: str, certificate: x509.Certificate) -> None:
    """A key in software is backed up with its certificate; one in a device stays there, and the script says so."""
    backup = place.folder / "bob.pfx"
    if place.store != "software":
        assert told == "No backup: the key cannot leave its device"
        assert not backup.exists()
        return
    assert told == "Backup in bob.pfx"
    key, found, _others = pkcs12.load_key_and_certificates(base64.b64decode(backup.read_bytes()), b"a password")
    assert found == certificate
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.public_key() == certificate.public_key()
