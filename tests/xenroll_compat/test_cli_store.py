"""xenroll store, keys, ca and doctor: what is shown, exported and removed."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.requires import program

P256 = ("--algorithm", "P-256")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A profile with a two-tier CA and one certificate; tests only look at it."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "password").write_text("open sesame\n")
    (folder / "password").chmod(0o600)
    found = Cli(folder / "home", folder)
    found("ca", "init", "Test CA", "--algorithm", "EC", "--two-tier", "--host", "ca.test")
    found("enroll", "--subject", "CN=alice, O=Example", *P256, "--exportable", "--container", "alice")
    return found


@pytest.fixture
def used(tmp_path: Path) -> Cli:
    """A profile with a CA that holds requests."""
    found = Cli(tmp_path / "home", tmp_path)
    found("ca", "init", "Test CA", "--algorithm", "EC", "--policy", "hold")
    return found


@pytest.fixture
def entry(shown: Cli) -> dict[str, Any]:
    (found,) = shown.json("store", "list", "MY")
    return dict(found)


def openssl(*arguments: str | Path) -> str:
    return subprocess.run([program("openssl"), *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def test_every_store_is_listed_where_none_is_named(shown: Cli) -> None:
    found = {(one["store"], one["subject"]) for one in shown.json("store", "list")}
    assert found == {("MY", "CN=alice, O=Example"), ("CA", "CN=Test CA"), ("ROOT", "CN=Test CA Root")}


def test_a_list_for_people_has_a_line_for_each_certificate(shown: Cli, entry: dict[str, Any]) -> None:
    title, line = shown("store", "list", "my").stdout.splitlines()
    assert title.split()[:2] == ["store", "subject"]
    assert "CN=alice, O=Example" in line
    assert entry["thumbprint"] in line


def test_an_empty_store_is_told_on_stderr_alone(shown: Cli) -> None:
    done = shown("store", "list", "AddressBook")
    assert (done.stdout, done.stderr) == ("", "there is no certificate\n")


def test_a_part_of_a_thumbprint_finds_its_certificate(shown: Cli, entry: dict[str, Any]) -> None:
    found = shown.json("store", "show", entry["thumbprint"][:8].lower())
    assert found["thumbprint"] == entry["thumbprint"]
    assert "XCN_CERT_KEY_PROV_INFO_PROP_ID" in found["properties"]


@pytest.mark.parametrize(("form", "inform"), [("pem", "PEM"), ("der", "DER")])
def test_openssl_reads_what_is_exported(
    shown: Cli, entry: dict[str, Any], tmp_path: Path, form: str, inform: str
) -> None:
    out = tmp_path / "out"
    shown("store", "export", entry["thumbprint"], "--form", form, "--out", out)
    printed = openssl("x509", "-in", out, "-inform", inform, "-noout", "-fingerprint", "-sha1")
    assert printed.split("=")[1].strip().replace(":", "") == entry["thumbprint"]


def test_pem_goes_to_stdout_with_its_chain(shown: Cli, entry: dict[str, Any]) -> None:
    assert shown("store", "export", entry["thumbprint"], "--chain").stdout.count("BEGIN CERTIFICATE") == 3


def test_openssl_reads_an_exported_pfx_with_its_password(shown: Cli, entry: dict[str, Any], tmp_path: Path) -> None:
    out, password = tmp_path / "a.pfx", shown.folder / "password"
    line = ("store", "export", entry["thumbprint"], "--form", "pfx", "--chain")
    told = shown.json(*line, "--out", out, "--password-file", password)
    assert told["status"] == "exported"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    printed = openssl("pkcs12", "-in", out, "-passin", f"file:{password}", "-nodes")
    assert (printed.count("BEGIN CERTIFICATE"), printed.count("BEGIN PRIVATE KEY")) == (3, 1)


def test_an_export_overwrites_nothing(shown: Cli, entry: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    assert "WIN32_FILE_EXISTS" in shown("store", "export", entry["thumbprint"], "--out", tmp_path / "there", code=1).stderr
    assert (tmp_path / "there").read_text() == "kept"


def test_a_pfx_never_goes_to_stdout(shown: Cli, entry: dict[str, Any]) -> None:
    password = shown.folder / "password"
    told = shown("store", "export", entry["thumbprint"], "--form", "pfx", "--password-file", password, code=1)
    assert "--out" in told.stderr
    assert not told.stdout


def test_a_certificate_goes_with_or_without_its_key(used: Cli) -> None:
    for name in ("first", "second"):
        used("enroll", "--subject", f"CN={name}", *P256, "--container", name)
    for number in ("1", "2"):
        used("ca", "issue", number)
        used("pending", "retrieve", number)
    thumbs = {one["subject"]: one["thumbprint"] for one in used.json("store", "list", "MY")}
    used("store", "delete", thumbs["CN=first"], "--with-key")
    used("store", "delete", thumbs["CN=second"])
    assert used.json("store", "list", "MY") == []
    (left,) = used.json("keys", "list")
    assert (left["container"], left["orphan"]) == ("second", True)


def test_a_key_in_use_is_deleted_only_by_force(used: Cli) -> None:
    used("enroll", "--subject", "CN=a", *P256, "--container", "a")
    refused = used("keys", "delete", "software", "a", code=1).stderr
    assert "--force" in refused
    assert len(used.json("keys", "list")) == 1
    used("keys", "delete", "software", "a", "--force")
    assert used.json("keys", "list") == []


def test_an_orphan_is_marked_and_can_be_listed_alone(used: Cli) -> None:
    used("enroll", "--subject", "CN=a", *P256, "--container", "wanted")
    used("enroll", "--subject", "CN=b", *P256, "--container", "left")
    used("ca", "issue", "2")
    used("pending", "retrieve", "2")
    (entry,) = used.json("store", "list", "MY")
    used("store", "delete", entry["thumbprint"])
    assert [one["container"] for one in used.json("keys", "list", "--orphans")] == ["left"]
    assert {one["container"]: one["orphan"] for one in used.json("keys", "list")} == {"left": True, "wanted": False}
    used("keys", "delete", "software", "left")
    assert used("keys", "list", "--orphans").stderr.startswith("there is no orphan")


def test_a_key_store_that_cannot_be_listed_says_why(used: Cli) -> None:
    told = used("keys", "list", XENROLL_PKCS11_MODULE="/nonexistent/module.so").stderr
    assert "smartcard: not listed: " in told


def test_a_revoked_certificate_stands_in_the_next_crl(used: Cli) -> None:
    used("enroll", "--subject", "CN=a", *P256)
    used("ca", "issue", "1")
    assert used.json("ca", "revoke", "1", "--reason", "key-compromise")["status"] == "revoked"
    used("ca", "crl", "--out", "ca.crl")
    text = openssl("crl", "-in", used.folder / "ca.crl", "-noout", "-text")
    assert "Key Compromise" in text
    assert used.json("ca", "list")[0]["serial"].upper() in text.replace(":", "")
    assert "CERTSRV_E_BAD_REQUESTSTATUS" in used("ca", "revoke", "1", code=1).stderr


def test_the_operator_writes_the_response_of_a_held_request_later(used: Cli) -> None:
    used("enroll", "--subject", "CN=a", *P256, "--out", "a.req")
    told = used("ca", "sign", "a.req", "--out", "a.p7b", code=3).stderr
    assert "xenroll ca issue 1 --out a.p7b" in told
    used("ca", "issue", "1", "--out", "a.p7b")
    assert used.json("accept", "a.p7b")["status"] == "installed"


def test_a_root_that_was_not_trusted_is_refused_unless_it_is_allowed(tmp_path: Path) -> None:
    xenroll = Cli(tmp_path / "home", tmp_path)
    xenroll("ca", "init", "Test CA", "--algorithm", "EC", "--no-trust")
    xenroll("enroll", "--subject", "CN=a", *P256, "--out", "a.req")
    xenroll("ca", "sign", "a.req", "--out", "a.p7b")
    refused = xenroll("accept", "a.p7b", code=1).stderr
    assert "0x800B0109 CERT_E_UNTRUSTEDROOT" in refused
    assert "--allow-untrusted-root" in refused
    xenroll("accept", "a.p7b", "--allow-untrusted-root")
    assert [one["subject"] for one in xenroll.json("store", "list", "ROOT")] == ["CN=Test CA"]


def test_a_request_by_openssl_is_signed_under_a_template(used: Cli) -> None:
    xenroll = Cli(used.folder / "other", used.folder)
    xenroll("ca", "init", "Test CA", "--algorithm", "EC")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", used.folder / "k.pem")
    openssl("req", "-new", *key, "-subj", "/CN=www.example", "-outform", "DER", "-out", used.folder / "r.der")
    xenroll("ca", "sign", "r.der", "--template", "WebServer", "--out", "r.p7b")
    assert "CN = www.example" in openssl("pkcs7", "-in", used.folder / "r.p7b", "-print_certs")
    assert xenroll.json("ca", "list")[0]["template"] == "WebServer"


def test_the_doctor_says_what_works_and_what_to_install(used: Cli) -> None:
    rows = used.json("doctor", XENROLL_TPM_TCTI="swtpm:path=/nonexistent/s", XENROLL_PKCS11_MODULE="/nonexistent/module.so")
    found = {(one["kind"], one["name"]): one for one in rows}
    assert found["key store", "software"]["works"] is True
    for name in ("tpm", "smartcard"):
        assert found["key store", name]["works"] is False
        assert "install" in found["key store", name]["install"]
    assert [one["works"] for (kind, _), one in found.items() if kind == "CA"] == [True]


def test_the_doctor_of_an_empty_profile_tells_how_to_make_a_ca(tmp_path: Path) -> None:
    done = Cli(tmp_path / "home", tmp_path)("doctor")
    assert "xenroll ca init" in done.stderr


def test_the_doctor_names_a_ca_that_is_broken(used: Cli) -> None:
    (used.home / "ca" / "ca.crt").write_text("rust")
    (row,) = [one for one in used.json("doctor") if one["kind"] == "CA"]
    assert row["works"] is False
    assert "0x" in row["detail"]
