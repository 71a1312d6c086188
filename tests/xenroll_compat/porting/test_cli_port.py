"""xenroll port: ports on stdout and in files, the report, and the verification with keys in software, a TPM and a card."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.softhsm import SoftToken
from tests.support.swtpm import SwTpm
from tests.xenroll_compat.porting.replayed import run_vbscript
from tests.xenroll_compat.porting.syntax import faults, tree_of

SCRIPT = """\
Dim Enroll, i, name
Set Enroll = CreateObject("CEnroll.CEnroll.2")
On Error Resume Next
For i = 0 To 100
    name = ""
    name = Enroll.enumProviders(i, 0)
    If name = "" Then Exit For
Next
On Error GoTo 0
Enroll.KeySpec = 1
Enroll.GenKeyFlags = 2048 * 65536
Enroll.HashAlgorithm = "SHA1"
Enroll.ContainerName = "ported"
WScript.Echo Enroll.createPKCS10("CN=Alice;O=Example", "1.3.6.1.5.5.7.3.2")
Enroll.SPCFileName = "x.spc"
If False Then Enroll.InstallPKCS7 ""
"""


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    (tmp_path / "old.vbs").write_text(SCRIPT)
    return Cli(tmp_path / "home", tmp_path, {"XENROLL_KEY_LOCATION": "3"})


@pytest.fixture(params=["software", "tpm", "smartcard"])
def anywhere(request: pytest.FixtureRequest, xenroll: Cli) -> Iterator[Cli]:
    """The same with keys in one key store."""
    if request.param == "software":
        yield xenroll
    elif request.param == "tpm":
        with SwTpm() as tpm:
            yield Cli(xenroll.home, xenroll.folder, {"XENROLL_KEY_LOCATION": "1", "XENROLL_TPM_TCTI": tpm.tcti})
    else:
        with SoftToken() as token:
            yield Cli(xenroll.home, xenroll.folder, {"XENROLL_KEY_LOCATION": "4", **token.environ})


def test_the_port_goes_to_stdout_and_what_the_script_writes_to_stderr(xenroll: Cli) -> None:
    done = xenroll("port", "old.vbs")
    assert done.stdout.startswith('"""The CertEnroll port of old.vbs')
    assert "MII" in done.stderr
    assert "MII" not in done.stdout


def test_one_file_for_each_language(xenroll: Cli) -> None:
    assert xenroll("port", "--all", "--out", "new.py", "old.vbs").stdout == ""
    texts = [(xenroll.folder / f"new.{ending}").read_text("utf-8") for ending in ("py", "ps1", "vbs")]
    assert ["certenroll.Dispatch" in texts[0], "New-Object -ComObject" in texts[1], "CreateObject" in texts[2]] == [True] * 3


def test_the_python_port_stands_alone(xenroll: Cli) -> None:
    xenroll("port", "--out", "new.py", "old.vbs")
    home = {**xenroll.environment, "XENROLL_HOME": str(xenroll.folder / "another")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "new.py"], cwd=xenroll.folder, env=home, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("MII")


def test_all_without_a_file_is_wrong_usage(xenroll: Cli) -> None:
    told = xenroll("port", "--all", "old.vbs", code=2).stderr
    assert told.startswith("usage: xenroll port ")
    assert "--all writes its files beside --out FILE" in told


@pytest.mark.parametrize("given", [("--all", "--out", "old.py"), ("--out", "old.vbs"), ("--out", "linked.vbs")])
def test_a_script_is_never_written_over(given: tuple[str, ...], xenroll: Cli) -> None:
    (xenroll.folder / "linked.vbs").hardlink_to(xenroll.folder / "old.vbs")
    assert "another file" in xenroll("port", *given, "old.vbs", code=2).stderr
    assert (xenroll.folder / "old.vbs").read_text() == SCRIPT


@pytest.mark.parametrize(
    ("out", "code", "told"),
    [("nowhere/new.py", 1, "WIN32_PATH_NOT_FOUND"), (".", 2, "it is a folder"), ("old.vbs/new.py", 1, "no such folder")],
)
def test_where_the_port_cannot_be_written_the_script_is_not_run(out: str, code: int, told: str, xenroll: Cli) -> None:
    assert told in xenroll("port", "--out", out, "old.vbs", code=code).stderr
    assert xenroll.json("keys", "list") == []


@pytest.mark.parametrize("option", [("--verify",), ("--out", "new.py"), ("--all", "--out", "new.py")])
def test_a_report_with_a_port_beside_it_is_wrong_usage(option: tuple[str, ...], xenroll: Cli) -> None:
    assert "writes and verifies no port" in xenroll("port", "--report", *option, "old.vbs", code=2).stderr
    assert xenroll.json("keys", "list") == []


def test_the_report_has_every_member_of_the_run_and_of_the_text(xenroll: Cli) -> None:
    rows = {row["member"]: row for row in json.loads(xenroll("port", "--report", "--json", "old.vbs").stdout)}
    assert rows["createPKCS10"]["calls"] == 1
    assert rows["createPKCS10"]["lines"] == [14]
    assert rows["InstallPKCS7"]["calls"] == 0
    assert rows["InstallPKCS7"]["lines"] == [16]
    assert rows["enumProviders"]["calls"] > 3
    assert rows["SPCFileName"]["replacement"] == ""
    assert rows["SPCFileName"]["note"]


def test_the_port_is_verified_and_leaves_no_key_behind(anywhere: Cli) -> None:
    done = anywhere("port", "--verify", "old.vbs")
    assert "verified: 1 of 1 requests" in done.stderr
    assert [key["container"] for key in anywhere.json("keys", "list")] == ["ported"]


def test_a_script_that_failed_is_ported_as_far_as_it_came(xenroll: Cli) -> None:
    (xenroll.folder / "bad.vbs").write_text('Set e = CreateObject("CEnroll.CEnroll")\ne.KeySpec = 1\ne.NoSuchMember = 2\n')
    done = xenroll("port", "bad.vbs", code=1)
    assert "CEnroll.KeySpec = 1" in done.stdout
    assert "bad.vbs(3, " in done.stderr


def test_a_verification_that_fails_ends_with_1(xenroll: Cli) -> None:
    # The port is run in the environment that the script left behind, where there is no such place for keys.
    script = (
        "import os, win32com.client as c\n"
        "e = c.Dispatch('CEnroll.CEnroll')\n"
        "e.createPKCS10('CN=x', '')\n"
        "os.environ['XENROLL_KEY_LOCATION'] = '9'\n"
    )
    (xenroll.folder / "odd.py").write_text(script)
    assert "the port ended with an error" in xenroll("port", "--verify", "odd.py", code=1).stderr


NAMES = ('n\u00f6"t\nx', "a\u2028b 'c' $d", "_", '""" #', "\udcff odd")


@pytest.mark.parametrize("name", NAMES)
def test_any_name_of_a_script_leaves_its_ports_whole(name: str, xenroll: Cli) -> None:
    (xenroll.folder / f"{name}.vbs").write_text(SCRIPT)
    xenroll("port", "--all", "--out", "new.py", f"{name}.vbs")
    ast.parse((xenroll.folder / "new.py").read_text("utf-8"))
    assert faults(tree_of((xenroll.folder / "new.ps1").read_text("ascii"))) == []
    made, _ = run_vbscript((xenroll.folder / "new.vbs").read_text("ascii"), xenroll.folder)
    assert ("IX509Enrollment", "CreateRequest") in made


def test_a_port_that_nobody_can_answer_says_what_it_wants(xenroll: Cli) -> None:
    accept = 'CreateObject("CEnroll.CEnroll.2").acceptFilePKCS7 "answer.p7b"\n'
    xenroll("ca", "init", "Example CA")
    (xenroll.folder / "asked.req").write_text(xenroll("run", "old.vbs").stdout)
    xenroll("ca", "sign", "asked.req", "--out", "answer.p7b")
    (xenroll.folder / "late.vbs").write_text(accept)
    xenroll("port", "--folder", ".", "--out", "new.py", "late.vbs")
    (xenroll.folder / "answer.p7b").unlink()
    for given in ("", "\n"):
        done = subprocess.run(
            [sys.executable, "new.py"], cwd=xenroll.folder, env=xenroll.environment, input=given, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "answer.p7b is not there: put the CA's answer into it, or give --answer=FILE" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_that_asks_nobody_for_a_secret_says_so(xenroll: Cli) -> None:
    xenroll("ca", "init", "Example CA")
    (xenroll.folder / "pfx.vbs").write_text(
        'Set e = CreateObject("CEnroll.CEnroll.2")\nSet q = CreateObject("CertificateAuthority.Request")\n'
        'e.GenKeyFlags = 1\nq.Submit 257, e.createPKCS10("CN=x", ""), "", ""\ne.acceptPKCS7 q.GetCertificate(257)\n'
        'WScript.Echo e.createPFX("a password")\n'
    )
    xenroll("port", "--out", "new.py", "pfx.vbs")
    done = subprocess.run(
        [sys.executable, "new.py"], cwd=xenroll.folder, env=xenroll.environment, input="", capture_output=True, text=True,
        check=False, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Password: it is asked for, and nobody is there to answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_asks_another_ca_by_its_own_numbers(xenroll: Cli) -> None:
    (xenroll.folder / "pending.vbs").write_text(
        'Set e = CreateObject("CEnroll.CEnroll.2")\nSet q = CreateObject("CertificateAuthority.Request")\n'
        'q.Submit 257, e.createPKCS10("CN=x", ""), "", ""\nid = q.GetRequestId()\n'
        'Set r = CreateObject("CertificateAuthority.Request")\nr.RetrievePending id, ""\n'
        "e.acceptPKCS7 r.GetCertificate(257)\n"
    )
    xenroll("ca", "init", "Example CA")
    for _ in range(2):
        xenroll("run", "pending.vbs")
    xenroll("port", "--out", "new.py", "pending.vbs")
    another = Cli(xenroll.folder / "another", xenroll.folder, xenroll.variables)
    another("ca", "init", "Another CA")
    done = subprocess.run(
        [sys.executable, "-W", "error", "new.py"], cwd=xenroll.folder, env=another.environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
