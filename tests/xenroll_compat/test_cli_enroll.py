"""xenroll enroll, accept and pending: one certificate by each flow, and what goes wrong on the way."""

from __future__ import annotations

import os
import stat
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.requires import program


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home", tmp_path)


@pytest.fixture
def issuing(xenroll: Cli) -> Cli:
    """A profile whose CA issues at once."""
    xenroll("ca", "init", "Test CA", "--algorithm", "EC", "--host", "ca.test")
    return xenroll


@pytest.fixture
def holding(xenroll: Cli) -> Cli:
    """A profile whose CA holds requests."""
    xenroll("ca", "init", "Test CA", "--algorithm", "EC", "--host", "ca.test", "--policy", "hold")
    return xenroll


def openssl(*arguments: str | Path) -> str:
    return subprocess.run([program("openssl"), *map(str, arguments)], capture_output=True, text=True, check=True).stdout


P256 = ("--algorithm", "P-256")


def test_a_certificate_is_enrolled_with_what_the_options_say(issuing: Cli) -> None:
    told = issuing.json(
        "enroll", "--subject", "CN=alice, O=Example", *P256, "--usage", "client,1.3.6.1.5.5.7.3.4", "--hash", "sha384",
        "--san", "dns:alice.example,email:alice@example.org", "--friendly-name", "Alice's",
        "--container", "alice", "--exportable",
    )
    assert (told["status"], told["ca"], told["container"]) == ("enrolled", "ca.test\\Test CA", "alice")
    out = issuing.folder / "a.pem"
    issuing("store", "export", told["thumbprint"], "--out", out)
    shown = openssl("x509", "-in", out, "-noout", "-text")
    for expected in ("O = Example, CN = alice", "P-256", "E-mail Protection", "DNS:alice.example, email:alice@example.org"):
        assert expected in shown
    entry = issuing.json("store", "show", told["thumbprint"])
    assert (entry["friendly_name"], entry["key_store"], entry["used_location"]) == ("Alice's", "software", 3)
    assert issuing.json("pending", "list") == []


def test_the_flow_by_files_leaves_the_certificate_in_my(issuing: Cli) -> None:
    made = issuing.json("enroll", "--subject", "CN=bob", *P256, "--out", "bob.req")
    assert "CN = bob" in openssl("req", "-in", issuing.folder / "bob.req", "-noout", "-subject", "-verify")
    assert [one["thumbprint"] for one in issuing.json("pending", "list")] == [made["thumbprint"]]
    signed = issuing.json("ca", "sign", "bob.req", "--out", "bob.p7b")
    assert (signed["status"], signed["request_id"]) == ("issued", "1")
    assert "CN = bob" in openssl("pkcs7", "-in", issuing.folder / "bob.p7b", "-print_certs")
    accepted = issuing.json("accept", "bob.p7b")
    assert (accepted["status"], accepted["subject"], accepted["container"]) == ("installed", "CN=bob", made["container"])
    assert [one["subject"] for one in issuing.json("store", "list", "MY")] == ["CN=bob"]


def test_a_held_request_is_retrieved_when_it_was_issued(holding: Cli) -> None:
    told = holding.json("enroll", "--subject", "CN=carol", *P256)
    assert (told["status"], told["request_id"]) == ("pending", "1")
    assert holding.json("pending", "retrieve", "1", code=3)["status"] == "pending"
    assert [one["subject"] for one in holding.json("ca", "pending")] == ["CN=carol"]
    holding("ca", "issue", "1")
    assert holding.json("pending", "retrieve", "1")["status"] == "installed"
    assert holding("pending", "list").stderr == "no request is outstanding\n"


def test_a_request_that_is_waited_for_is_asked_about_again(holding: Cli) -> None:
    holding("enroll", "--subject", "CN=dave", *P256)
    assert holding.json("pending", "retrieve", "1", "--wait", "0.1", code=3)["message"] == "Taken Under Submission"


def test_a_denied_request_is_told_with_the_reason_and_its_key_is_gone(holding: Cli) -> None:
    holding("enroll", "--subject", "CN=eve", *P256)
    holding("ca", "deny", "1", "--reason", "who is eve?")
    told = holding("pending", "retrieve", "1", code=1).stderr
    assert told.startswith("error: 0x80094014 CERTSRV_E_ADMIN_DENIED_REQUEST")
    assert "who is eve?" in told
    assert holding.json("keys", "list") == []


def test_a_refusal_at_once_is_told_as_the_ca_tells_it(xenroll: Cli) -> None:
    xenroll("ca", "init", "Test CA", "--policy", "deny", "--algorithm", "EC")
    told = xenroll("enroll", "--subject", "CN=eve", *P256, code=1).stderr
    assert "CERTSRV_E_ADMIN_DENIED_REQUEST" in told
    assert "request 1 was refused" in told


def test_a_withdrawn_request_takes_its_key_along(holding: Cli) -> None:
    holding("enroll", "--subject", "CN=frank", *P256)
    assert holding.json("pending", "remove", "1")["status"] == "removed"
    assert holding.json("keys", "list") == []
    assert holding.json("store", "list", "REQUEST") == []


def test_a_further_ca_is_named_by_its_configuration_string(issuing: Cli) -> None:
    issuing("ca", "init", "Other CA", "--host", "ca.test", "--path", "other", "--algorithm", "EC", "--policy", "hold")
    assert issuing.json("enroll", "--subject", "CN=gina", *P256, "--ca", "ca.test\\Other CA")["status"] == "pending"
    issuing("ca", "issue", "1", "--ca", "ca.test\\Other CA")
    assert issuing.json("pending", "retrieve", "1")["ca"] == "ca.test\\Other CA"
    assert issuing.json("enroll", "--subject", "CN=hugo", *P256)["ca"] == "ca.test\\Test CA"


def test_the_machine_has_a_profile_of_its_own(xenroll: Cli) -> None:
    xenroll("ca", "init", "Test CA", "--algorithm", "EC", "--machine")
    xenroll("enroll", "--subject", "CN=host", *P256, "--machine")
    assert [one["subject"] for one in xenroll.json("store", "list", "MY", "--machine")] == ["CN=host"]
    assert xenroll.json("store", "list", "MY") == []


def test_a_template_gives_its_subject_and_uses(issuing: Cli) -> None:
    told = issuing.json("enroll", "--template", "WebServer", "--subject", "CN=www", *P256)
    issuing("store", "export", told["thumbprint"], "--out", "w.pem")
    assert "TLS Web Server Authentication" in openssl("x509", "-in", issuing.folder / "w.pem", "-noout", "-text")


def test_a_pfx_is_accepted_with_its_password(issuing: Cli) -> None:
    folder = issuing.folder
    subject = ("-subj", "/CN=irene", "-days", "9")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *key, *subject, "-keyout", folder / "k.pem", "-out", folder / "c.pem")
    pair = ("-inkey", folder / "k.pem", "-in", folder / "c.pem")
    openssl("pkcs12", "-export", *pair, "-passout", "pass:s3cret!", "-out", folder / "i.pfx")
    allowed = ("--allow-no-outstanding-request", "--allow-untrusted-root")
    password, wrong = folder / "password", folder / "wrong"
    for file, text in ((password, "s3cret!\n"), (wrong, "other\n")):
        file.write_text(text)
        file.chmod(0o600)
    refused = issuing("accept", "i.pfx", "--password-file", wrong, *allowed, code=1).stderr
    assert "WIN32_INVALID_PASSWORD" in refused
    assert issuing.json("accept", "i.pfx", "--password-file", password, *allowed)["subject"] == "CN=irene"


def test_stdin_is_read_as_a_response(issuing: Cli) -> None:
    issuing("enroll", "--subject", "CN=bob", *P256, "--out", "bob.req")
    issuing("ca", "sign", "bob.req", "--out", "bob.p7b")
    with (issuing.folder / "bob.p7b").open("rb") as response:
        done = subprocess.run(
            ["sh", "-c", 'exec "$@"', "sh", *_accept_stdin()], stdin=response, env=issuing.environment, capture_output=True,
            text=True, check=False,
        )
    assert done.returncode == 0, done.stderr


def _accept_stdin() -> list[str]:
    from tests.support.cli import command

    return command("accept", "-")


NO_TPM_CODE = "0x8028400F TBS_E_TPM_NOT_FOUND" if find_spec("tpm2_pytss") else "0x8007007E WIN32_DLL_NOT_FOUND"
NO_TPM = {"XENROLL_TPM_TCTI": "swtpm:path=/nonexistent/socket"}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["enroll", "--subject", "no name"], "0x80092023 CRYPT_E_INVALID_X500_STRING"),
        (["enroll", "--subject", "CN=a", "--hash", "sha99"], "CRYPT_E_UNKNOWN_ALGO"),
        (["enroll", "--subject", "CN=a", "--ca", "nowhere\\None"], "0x800706BA RPC_SERVER_UNAVAILABLE"),
        (["enroll", "--subject", "CN=a", "--template", "None such"], "CERTSRV_E_UNSUPPORTED_CERT_TYPE"),
        (["enroll", "--subject", "CN=a", "--key-location", "1"], NO_TPM_CODE),
        (["enroll", "--subject", "CN=a", "--key-location", "4"], "0x8009001F NTE_BAD_KEYSET_PARAM"),
        (["enroll", "--subject", "CN=a", "--length", "512"], "NTE_BAD_LEN"),
        (["enroll", "--subject", "CN=a", "--pin-file", "missing"], "0x80070005 E_ACCESSDENIED"),
        (["enroll", "--subject", "CN=a", "--pin-file", "open"], "chmod 600"),
        (["enroll", "--subject", "CN=a", "--out", "no/such/folder/a.req"], "0x80070002 WIN32_FILE_NOT_FOUND"),
        (["enroll", "--subject", "CN=a", "--out", "there"], "0x80070050 WIN32_FILE_EXISTS"),
        (["accept", "missing.p7b"], "0x80070002 WIN32_FILE_NOT_FOUND"),
        (["accept", "garbage"], "error: 0x8009"),
        (["accept", "empty"], "error: 0x"),
        (["pending", "retrieve", "7"], "0x80092004 CRYPT_E_NOT_FOUND"),
        (["pending", "remove", "zz"], "0x80092004 CRYPT_E_NOT_FOUND"),
        (["store", "show", "00112233"], "0x80092004 CRYPT_E_NOT_FOUND"),
        (["store", "export", "zzz"], "0x80092004 CRYPT_E_NOT_FOUND"),
        (["store", "delete", "0" * 40], "0x80092004 CRYPT_E_NOT_FOUND"),
        (["store", "list", "a\\b"], "0x80070057 E_INVALIDARG"),
        (["keys", "delete", "software", "none"], "0x80090016 NTE_BAD_KEYSET"),
        (["ca", "issue", "7"], "CERTSRV_E_NO_REQUEST"),
        (["ca", "issue", "x"], "CERTSRV_E_NO_REQUEST"),
        (["ca", "sign", "garbage"], "error: 0x"),
        (["ca", "init", "Again"], "WIN32_ALREADY_EXISTS"),
        (["ca", "list", "--ca", "nowhere\\None"], "RPC_SERVER_UNAVAILABLE"),
        (["run", "missing.py"], "0x80070002 WIN32_FILE_NOT_FOUND"),
        (["demo", "--keep", "."], "0x80070050 WIN32_FILE_EXISTS"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_told_with_its_code_and_leaves_nothing(refusing: Cli, line: list[str], told: str) -> None:
    done = refusing(*line, code=1, **NO_TPM)
    assert done.stderr.startswith("error: 0x")
    assert told in done.stderr
    assert "what to do: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout
    assert refusing.json("keys", "list") == []
    assert refusing.json("pending", "list") == []


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("refusing")
    (folder / "garbage").write_text("this is no response")
    (folder / "empty").write_text("")
    (folder / "there").write_text("kept")
    (folder / "open").write_text("1234\n")
    (folder / "open").chmod(0o644)
    found = Cli(folder / "home", folder)
    found("ca", "init", "Test CA", "--algorithm", "EC")
    return found


def test_a_preferred_tpm_that_is_not_there_is_told_as_a_fallback(issuing: Cli) -> None:
    done = issuing("enroll", "--subject", "CN=a", *P256, "--key-location", "2", **NO_TPM)
    assert "warning: the tpm key store is not available" in done.stderr
    (entry,) = issuing.json("store", "list", "MY")
    assert (entry["asked_location"], entry["used_location"], entry["key_store"]) == (2, 3, "software")
    shown = issuing("store", "show", entry["thumbprint"]).stdout
    assert "fallback:" in shown
    assert "TPM" in shown


def test_a_key_with_a_pin_needs_it_again(issuing: Cli) -> None:
    pin = issuing.folder / "pin"
    pin.write_text("4711 is my PIN\n")
    pin.chmod(0o600)
    told = issuing.json("enroll", "--subject", "CN=a", *P256, "--pin-file", pin, "--exportable")
    key = Path(told["key"])
    assert "ENCRYPTED PRIVATE KEY" in key.read_text()
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    export = ("store", "export", told["thumbprint"], "--form", "pfx", "--out", "a.pfx", "--password-file", pin)
    assert "PIN" in issuing(*export, code=1).stderr
    issuing(*export, "--pin-file", pin)
    assert stat.S_IMODE(os.stat(issuing.folder / "a.pfx").st_mode) == 0o600
