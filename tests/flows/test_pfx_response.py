"""A PFX as the response: written by OpenSSL, GnuTLS and Java, with old ciphers and new, installed with its key and used."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from certenroll import facade
from certenroll.asn1 import pkcs10
from certenroll.asn1.algorithms import PrivateKey
from certenroll.ca.base import Submission
from certenroll.ca.local import LocalCA
from certenroll.cert_property_values import POLICY_SERVER, decode_policy_server
from certenroll.engine.opening import open_workspace
from certenroll.errors import ComError
from certenroll.facade_values import CertificateEntry
from certenroll.hresults import HRESULT
from tests.support import judges, profiles
from tests.support.ca_messages import pkcs10_of
from tests.support.cli import Cli
from tests.support.enrolling import BINARY, new_enrollment, new_key, new_request, refused
from tests.support.requires import program
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm

PASSWORD = "geheim1234"
NAME = "a name"
KEYS: dict[str, PrivateKey] = {"RSA": rsa.generate_private_key(65537, 2048), "EC": ec.generate_private_key(ec.SECP256R1())}
ALLOW_NO_REQUEST, ALLOW_UNTRUSTED_ROOT = 1, 4


@dataclass(frozen=True)
class Bundle:
    """A certificate of the profile's CA, its chain and its key, as files of a folder in which other programs work."""

    folder: Path
    leaf: bytes
    chain: tuple[bytes, ...]

    def run(self, *command: str) -> None:
        """Runs a program in the folder; the test fails where it fails."""
        done = subprocess.run(
            [program(command[0]), *command[1:]], cwd=self.folder, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")

    def openssl(self, *options: str, password: str = PASSWORD) -> bytes:
        """A PFX of OpenSSL's: key, certificate, chain and a name."""
        files = ("-inkey", "key.pem", "-in", "leaf.pem", "-certfile", "chain.pem", "-name", NAME, "-out", "out.pfx")
        self.run("openssl", "pkcs12", "-export", *files, "-passout", f"pass:{password}", *options)
        return (self.folder / "out.pfx").read_bytes()

    def certtool(self, cipher: str) -> bytes:
        """A PFX of GnuTLS's."""
        files = ("--load-privkey", "key.pem", "--load-certificate", "leaf.pem", "--load-ca-certificate", "chain.pem")
        form = ("--to-p12", "--outder", "--outfile", "out.pfx", "--pkcs-cipher", cipher)
        self.run("certtool", *form, *files, "--p12-name", NAME, "--password", PASSWORD)
        return (self.folder / "out.pfx").read_bytes()

    def keytool(self, *options: str) -> bytes:
        """A PKCS #12 keystore of Java's, with an entry that it took from OpenSSL's."""
        self.openssl()
        source = ("-srckeystore", "out.pfx", "-srcstoretype", "PKCS12", "-srcstorepass", PASSWORD)
        target = ("-destkeystore", "java.p12", "-deststoretype", "PKCS12", "-deststorepass", PASSWORD)
        self.run("keytool", "-importkeystore", "-noprompt", *source, *target, *options)
        return (self.folder / "java.p12").read_bytes()


# How a PFX is written; each is read with the same password.
THREE_DES = ("-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1")
WRITERS: dict[str, Callable[[Bundle], bytes]] = {
    "OpenSSL, AES-256": lambda bundle: bundle.openssl(),
    "OpenSSL, AES-128 and SHA-1": lambda bundle: bundle.openssl(
        "-certpbe", "AES-128-CBC", "-keypbe", "AES-128-CBC", "-macalg", "sha1"
    ),
    "OpenSSL, Triple DES": lambda bundle: bundle.openssl(*THREE_DES),
    "OpenSSL, RC2 and Triple DES": lambda bundle: bundle.openssl("-legacy"),
    "OpenSSL, certificates in the clear": lambda bundle: bundle.openssl("-certpbe", "NONE"),
    "OpenSSL, one iteration": lambda bundle: bundle.openssl("-iter", "1"),
    "certtool, AES-256": lambda bundle: bundle.certtool("aes-256"),
    "certtool, Triple DES": lambda bundle: bundle.certtool("3des-pkcs12"),
    "certtool, RC2": lambda bundle: bundle.certtool("rc2-40"),
    "keytool, AES-256": lambda bundle: bundle.keytool(),
    "keytool, RC2 and Triple DES": lambda bundle: bundle.keytool("-J-Dkeystore.pkcs12.legacy"),
}


@pytest.fixture
def ca(profile: Path) -> LocalCA:
    """The profile's CA, which it trusts."""
    return profiles.make_ca()


def bundle_of(folder: Path, ca: LocalCA, key: PrivateKey) -> Bundle:
    """A certificate for a key, and the files of both."""
    answer = ca.submit(Submission(pkcs10.encode(pkcs10_of(key, "from a file"))))
    assert answer.certificate is not None
    folder.mkdir()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "leaf.pem").write_bytes(pem(answer.certificate))
    (folder / "chain.pem").write_bytes(b"".join(map(pem, answer.chain)))
    return Bundle(folder, answer.certificate, answer.chain)


def pem(certificate: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)


@pytest.fixture
def bundle(tmp_path: Path, ca: LocalCA) -> Bundle:
    return bundle_of(tmp_path / "files", ca, KEYS["RSA"])


def installed(response: bytes, password: str = PASSWORD, flags: int = 0) -> Any:
    """An enrollment that made no request, after it installed a response."""
    enrollment = new_enrollment()
    enrollment.InstallResponse(flags, response, BINARY, password)
    return enrollment


def only_entry(bundle: Bundle) -> CertificateEntry:
    """The certificate in MY, which is the bundle's; nothing else was left."""
    (entry,) = facade.certificates("MY")
    assert entry.der == bundle.leaf
    assert facade.certificates("REQUEST") == []
    assert profiles.orphans() == []
    return entry


def check_software_key(folder: Path, entry: CertificateEntry) -> None:
    assert entry.key is not None
    found = open_workspace().key_stores.get("software").open(entry.key.container)
    judges.openssl_signs_with_file(folder, entry.der, found.info.reference)


# Who wrote it --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_pfx_is_installed_with_its_key_whoever_wrote_it(tmp_path: Path, ca: LocalCA, writer: str, key: str) -> None:
    bundle = bundle_of(tmp_path / "files", ca, KEYS[key])
    enrollment = installed(WRITERS[writer](bundle))
    entry = only_entry(bundle)
    assert enrollment.Certificate(BINARY) == bundle.leaf
    assert (entry.friendly_name, enrollment.Status.Status) == (NAME, 1)
    assert {one.der for one in facade.certificates("CA")} == {bundle.chain[0]}
    check_software_key(tmp_path, entry)


def test_a_pfx_of_our_own_moves_a_certificate_to_another_profile(
    tmp_path: Path, ca: LocalCA, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = new_enrollment(new_request("CN=moving", new_key(ExportPolicy=1)))
    source.CertificateFriendlyName = "on the move"
    source.Enroll()
    pfx = source.CreatePFX(PASSWORD, 2, BINARY)  # the chain with its root
    monkeypatch.setenv("XENROLL_HOME", str(tmp_path / "elsewhere"))
    enrollment = installed(pfx, flags=ALLOW_UNTRUSTED_ROOT)
    (entry,) = facade.certificates("MY")
    assert (entry.subject, entry.friendly_name) == ("CN=moving", "on the move")
    assert [one.der for one in facade.certificates("ROOT")] == [ca.certificates()[-1]]
    check_software_key(tmp_path, entry)
    assert enrollment.Certificate(BINARY) == entry.der
    open_workspace().profile.database.close()


# By which way --------------------------------------------------------------------------------------------------------


def test_installresponse2_notes_the_policy_server_on_what_a_pfx_brings(bundle: Bundle) -> None:
    enrollment = new_enrollment()
    enrollment.InstallResponse2(0, bundle.openssl(), BINARY, PASSWORD, "https://cep.example/CEP", "{an id}", 0, 2)
    noted = decode_policy_server(only_entry(bundle).properties[POLICY_SERVER])
    assert (noted.url, noted.policy_id, noted.authentication) == ("https://cep.example/CEP", "{an id}", 2)


def test_the_command_accepts_a_pfx(bundle: Bundle, profile: Path, tmp_path: Path) -> None:
    bundle.openssl()
    (bundle.folder / "password").write_text(PASSWORD + "\n")
    (bundle.folder / "password").chmod(0o600)
    Cli(profile, bundle.folder)("accept", "out.pfx", "--password-file", "password")
    check_software_key(tmp_path, only_entry(bundle))


def test_a_name_that_a_script_gives_stands_before_the_name_in_the_file(bundle: Bundle) -> None:
    enrollment = new_enrollment()
    enrollment.CertificateFriendlyName = "given"
    enrollment.InstallResponse(0, bundle.openssl(), BINARY, PASSWORD)
    assert only_entry(bundle).friendly_name == "given"
    enrollment.CertificateFriendlyName = "given later"
    assert only_entry(bundle).friendly_name == "given later"


def test_a_pfx_that_is_installed_twice_is_there_once(bundle: Bundle) -> None:
    response = bundle.openssl()
    installed(response)
    before = profiles.keys()
    installed(response)
    only_entry(bundle)
    assert profiles.keys() == before


def test_a_pfx_may_answer_an_outstanding_request_whose_key_is_here(tmp_path: Path, ca: LocalCA) -> None:
    enrollment = new_enrollment(new_request("CN=asked", new_key(ExportPolicy=1)))
    enrollment.CertificateFriendlyName = "asked for"
    request = enrollment.CreateRequest(BINARY)
    (record,) = facade.pending_requests()
    assert record.key is not None
    key = open_workspace().key_stores.get("software").open(record.key.container)
    answer = ca.submit(Submission(request))
    assert answer.certificate is not None
    (tmp_path / "key.pem").write_bytes(Path(key.info.reference).read_bytes())
    (tmp_path / "leaf.pem").write_bytes(pem(answer.certificate))
    (tmp_path / "chain.pem").write_bytes(b"".join(map(pem, answer.chain)))
    bundle = Bundle(tmp_path, answer.certificate, answer.chain)
    installed(bundle.openssl())
    entry = only_entry(bundle)
    assert (entry.key, entry.friendly_name) == (record.key, "asked for")
    assert facade.pending_requests() == []


def test_the_key_of_a_pfx_goes_to_the_tpm_where_the_environment_says_so(
    bundle: Bundle, with_tpm: SwTpm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "1")
    installed(bundle.openssl())
    entry = only_entry(bundle)
    assert entry.key is not None
    assert entry.key.store == "tpm"
    file = open_workspace().key_stores.get("tpm").open(entry.key.container).info.reference
    judges.openssl_signs_with_file(tmp_path, entry.der, file, tcti=with_tpm.tcti)


def test_the_key_of_a_pfx_goes_to_the_card_where_the_environment_says_so(
    bundle: Bundle, with_card: SoftToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XENROLL_KEY_LOCATION", "4")
    installed(bundle.openssl())
    entry = only_entry(bundle)
    assert entry.key is not None
    assert entry.key.store == "smartcard"


# What is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("password", ["", "another", PASSWORD.upper(), PASSWORD + "\0", "\ud800"])
@pytest.mark.parametrize("writer", ["OpenSSL, AES-256", "OpenSSL, RC2 and Triple DES", "certtool, RC2", "keytool, AES-256"])
def test_a_wrong_password_changes_nothing(bundle: Bundle, writer: str, password: str) -> None:
    response = WRITERS[writer](bundle)
    enrollment = new_enrollment()
    before = profiles.everything()
    assert refused(enrollment.InstallResponse, 7, response, BINARY, password) == HRESULT.WIN32_INVALID_PASSWORD
    assert profiles.everything() == before
    enrollment.InstallResponse(0, response, BINARY, PASSWORD)  # and the same object may try again
    only_entry(bundle)


@pytest.mark.parametrize("given", ["", None])
def test_an_empty_password_and_none_are_one(bundle: Bundle, given: str | None) -> None:
    enrollment = new_enrollment()
    enrollment.InstallResponse(0, bundle.openssl(password=""), BINARY, given)
    only_entry(bundle)


def test_a_password_may_have_any_character(bundle: Bundle) -> None:
    password = "pässwörd €uro 密码"
    installed(bundle.openssl(password=password), password)
    only_entry(bundle)


def test_certificates_without_a_key_are_no_more_than_a_bag_of_them(bundle: Bundle) -> None:
    response = bundle.openssl("-nokeys")
    enrollment = new_enrollment()
    before = profiles.everything()
    assert refused(enrollment.InstallResponse, 0, response, BINARY, PASSWORD) == HRESULT.CRYPT_E_NOT_FOUND
    assert refused(enrollment.InstallResponse, ALLOW_NO_REQUEST, response, BINARY, PASSWORD) == HRESULT.NTE_NO_KEY
    assert profiles.everything() == before


def test_certificates_without_a_key_answer_a_request(tmp_path: Path, ca: LocalCA) -> None:
    enrollment = new_enrollment(new_request("CN=asked"))
    answer = ca.submit(Submission(enrollment.CreateRequest(BINARY)))
    assert answer.certificate is not None
    (tmp_path / "leaf.pem").write_bytes(pem(answer.certificate))
    (tmp_path / "chain.pem").write_bytes(b"".join(map(pem, answer.chain)))
    bundle = Bundle(tmp_path, answer.certificate, answer.chain)
    bundle.run(
        "openssl", "pkcs12", "-export", "-nokeys", "-in", "leaf.pem", "-certfile", "chain.pem", "-out", "out.pfx",
        "-passout", f"pass:{PASSWORD}",
    )
    enrollment.InstallResponse(0, (tmp_path / "out.pfx").read_bytes(), BINARY, PASSWORD)
    check_software_key(tmp_path, only_entry(bundle))


def test_a_key_without_a_certificate_is_no_response(bundle: Bundle) -> None:
    command = ("openssl", "pkcs12", "-export", "-nocerts", "-inkey", "key.pem", "-out", "out.pfx")
    bundle.run(*command, "-passout", f"pass:{PASSWORD}")
    response = (bundle.folder / "out.pfx").read_bytes()
    assert refused(new_enrollment().InstallResponse, 7, response, BINARY, PASSWORD) == HRESULT.CRYPT_E_ASN1_EOD
    assert facade.certificates("MY") == []


def test_a_file_without_a_mac_is_opened_by_its_password_all_the_same(bundle: Bundle) -> None:
    response = bundle.openssl("-nomac")
    assert refused(new_enrollment().InstallResponse, 7, response, BINARY, "another") == HRESULT.WIN32_INVALID_PASSWORD
    installed(response)
    only_entry(bundle)


def test_an_unknown_root_refuses_a_pfx_and_its_key(bundle: Bundle) -> None:
    (root,) = facade.certificates("ROOT")
    facade.delete_certificate("ROOT", root.thumbprint)
    before = profiles.everything()
    response = bundle.openssl()
    enrollment = new_enrollment()
    assert refused(enrollment.InstallResponse, 0, response, BINARY, PASSWORD) == HRESULT.CERT_E_UNTRUSTEDROOT
    assert profiles.everything() == before
    enrollment.InstallResponse(ALLOW_UNTRUSTED_ROOT, response, BINARY, PASSWORD)
    only_entry(bundle)
    assert [one.der for one in facade.certificates("ROOT")] == [root.der]


def test_a_pfx_cut_short_anywhere_is_refused(bundle: Bundle) -> None:
    response = bundle.openssl("-iter", "1")
    enrollment = new_enrollment()
    sizes = range(0, len(response), 97)
    codes = {refused(enrollment.InstallResponse, 7, response[:size], BINARY, PASSWORD) for size in sizes}
    assert all(code >> 12 == 0x80093 for code in codes), [f"{code:08X}" for code in codes]
    assert facade.certificates("MY") == []


def test_a_web_page_may_install_a_pfx_and_cannot_allow_what_it_must_not(bundle: Bundle) -> None:
    enrollment = new_enrollment()
    enrollment.web_restricted = True
    assert refused(enrollment.InstallResponse, 1, bundle.openssl(), BINARY, PASSWORD) == HRESULT.E_ACCESSDENIED
    assert facade.certificates("MY") == []


def test_the_password_stands_in_no_file_and_in_no_error(bundle: Bundle, profile: Path) -> None:
    with pytest.raises(ComError) as caught:
        new_enrollment().InstallResponse(0, bundle.openssl(), BINARY, PASSWORD + "x")
    installed(bundle.openssl())
    assert PASSWORD not in f"{caught.value}{caught.value!r}"
    held = [one for one in profile.rglob("*") if one.is_file() and PASSWORD.encode() in one.read_bytes()]
    assert held == []
