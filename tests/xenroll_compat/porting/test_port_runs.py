"""Ports of whole runs against a local CA: numbers of requests, .pvk files, PFX files, and scripts that end in an error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.requires import program

KEY_FILE = """\
Set e = CreateObject("CEnroll.CEnroll.2")
e.GenKeyFlags = &h08000001
e.PVKFileName = "alice.pvk"
r = e.createPKCS10("CN=Alice", "")
"""
FROM_FILE = """\
Set e = CreateObject("CEnroll.CEnroll.2")
e.PVKFileName = "alice.pvk"
e.UseExistingKeySet = True
e.ContainerName = "fromfile"
r = e.createPKCS10("CN=Alice", "")
"""
PENDING = """\
Set e = CreateObject("CEnroll.CEnroll.2")
Set q = CreateObject("CertificateAuthority.Request")
r = e.createPKCS10("CN=Alice", "")
q.Submit &h101, r, "", ""
id = q.GetRequestId()
e.setPendingRequestInfo id, "ca.example", "CA", "Alice's"
q.RetrievePending id, ""
e.acceptPKCS7 q.GetCertificate(&h101)
"""
PFX = """\
Set e = CreateObject("CEnroll.CEnroll.2")
Set q = CreateObject("CertificateAuthority.Request")
e.GenKeyFlags = &h08000001
q.Submit &h101, e.createPKCS10("CN=A", ""), "", ""
e.acceptPKCS7 q.GetCertificate(&h101)
p = e.createPFX("hunter2x")
"""
AUTHORITY = """\
Set e = CreateObject("CEnroll.CEnroll.2")
Set q = CreateObject("CertificateAuthority.Request")
e.InstallPKCS7 q.GetCACertificate(False, "", 1)
e.PrivateKeyArchiveCertificate = q.GetCAProperty("", 15, 0, 3, 1)
r = e.createRequest(3, "CN=Alice", "")
"""


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    """A user with a local CA, in a folder of scripts."""
    made = Cli(tmp_path / "home", tmp_path, {"XENROLL_KEY_LOCATION": "3"})
    made("ca", "init", "Example CA")
    return made


def ported(xenroll: Cli, script: str, name: str = "old.vbs") -> str:
    """The Python port of a script, verified; the file new.py has it."""
    (xenroll.folder / name).write_text(script)
    done = xenroll("port", "--folder", ".", "--all", "--out", "new.py", "--verify", name)
    assert "verified: 1 of 1" in done.stderr, done.stderr
    return (xenroll.folder / "new.py").read_text("utf-8")


def test_a_number_of_a_request_goes_to_parameters_that_take_one_and_to_no_other(xenroll: Cli) -> None:
    text = ported(xenroll, PENDING)
    assert "cert_request.RetrievePending(request_id, '')" in text
    assert "request_id_text = cert_request.GetRequestIdString()" in text
    assert "    request_id_text,\n    'ca.example" in text
    assert "request.ClientId = 1" in text
    assert "InitializeFromPrivateKey(X509CertificateEnrollmentContext.ContextUser, key" in text


def test_the_port_of_a_key_file_writes_the_file_and_the_request_waits(xenroll: Cli) -> None:
    program("openssl")
    ported(xenroll, KEY_FILE)
    assert [one.name for one in xenroll.folder.glob("*.pvk")] == ["alice.pvk"]
    other = Cli(xenroll.folder / "other", xenroll.folder / "fresh", {"XENROLL_KEY_LOCATION": "3"})
    other.folder.mkdir()
    shutil.copy(xenroll.folder / "new.py", other.folder)
    run = [sys.executable, "new.py"]
    subprocess.run(run, cwd=other.folder, env=other.environment, capture_output=True, check=True)
    judge = ["openssl", "rsa", "-inform", "PVK", "-in", "alice.pvk", "-noout", "-check"]
    assert b"ok" in subprocess.run(judge, cwd=other.folder, capture_output=True, check=True).stdout
    assert [one["status"] for one in other.json("pending", "list")] == ["made"]
    assert other.json("keys", "list") == []
    again = subprocess.run(run, cwd=other.folder, env=other.environment, capture_output=True, check=False)
    assert b"alice.pvk is there already" in again.stderr


def test_the_port_of_a_key_from_a_file_asks_for_the_key_and_takes_the_file_s_name(xenroll: Cli) -> None:
    ported(xenroll, KEY_FILE)
    text = ported(xenroll, FROM_FILE, "again.vbs")
    assert "RSA2" not in text
    other = Cli(xenroll.folder / "other", xenroll.folder)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "new.py"],
        cwd=xenroll.folder, env=other.environment, input="alice.pvk\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "MII" in done.stdout
    assert [one["container"] for one in other.json("keys", "list")] == ["fromfile"]


def test_a_run_that_makes_a_pfx_has_a_port(xenroll: Cli) -> None:
    assert "hunter2x" not in ported(xenroll, PFX)


def test_certificates_of_a_ca_come_from_the_call_that_gave_them(xenroll: Cli) -> None:
    text = ported(xenroll, AUTHORITY)
    assert "facade.install_certificates(\n    ca_certificate," in text
    assert "ca_property" in text
    assert "0\\x82" not in text


@pytest.mark.parametrize("last", ["raise ValueError('boom')", "raise SystemExit('boom')", "print(1 / 0)"])
def test_a_python_script_that_ends_in_an_error_of_its_own_is_ported_as_far_as_it_came(xenroll: Cli, last: str) -> None:
    lines = ("import win32com.client", "e = win32com.client.Dispatch('CEnroll.CEnroll')", "e.createPKCS10('CN=x', '')", last)
    (xenroll.folder / "old.py").write_text("\n".join(lines))
    assert "subject.Encode(" in xenroll("port", "old.py", code=1).stdout
    assert "createPKCS10" in xenroll("port", "--report", "old.py", code=1).stdout
