"""xenroll port --verify: what it compares, beside the requests, and that it leaves the user's files and keys alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from certenroll.stores.outside import FileStore
from tests.support.cli import Cli
from tests.xenroll_compat.porting.recorded import control, run_of
from xenroll_compat.porting.made_keys import settings_of
from xenroll_compat.porting.model import Call, Literal, Port
from xenroll_compat.porting.verification import Done, copied_profile, verify

INSTALLED = """\
Set Enroll = CreateObject("CEnroll.CEnroll.2")
Set Ca = CreateObject("CertificateAuthority.Request")
{before}
Ca.Submit 257, Enroll.createPKCS10("CN=Alice", "1.3.6.1.5.5.7.3.2"), "", ""
Enroll.acceptPKCS7 Ca.GetCertificate(257)
{after}
"""


@pytest.fixture
def xenroll(tmp_path: Path) -> Cli:
    (tmp_path / "user").mkdir()
    made = Cli(tmp_path / "home", tmp_path / "user", {"XENROLL_KEY_LOCATION": "3"})
    made("ca", "init", "Example CA")
    return made


def script(xenroll: Cli, before: str = "", after: str = "") -> None:
    (xenroll.folder / "old.vbs").write_text(INSTALLED.format(before=before, after=after))


def held(path: Path) -> int:
    return len(FileStore(path).read().certificates)


@pytest.mark.parametrize("name", ["store.p7c", "deep/../store.p7c"])
def test_a_file_store_has_what_the_script_put_there_and_no_more(xenroll: Cli, name: str) -> None:
    (xenroll.folder / "deep").mkdir()
    source = (
        "import win32com.client as c\n"
        "e, q = c.Dispatch('CEnroll.CEnroll.2'), c.Dispatch('CertificateAuthority.Request')\n"
        f"e.MyStoreType, e.MyStoreName = 'File', {name!r}\n"
        "q.Submit(257, e.createPKCS10('CN=Alice', ''), '', '')\n"
        "e.acceptPKCS7(q.GetCertificate(257))\n"
    )
    (xenroll.folder / "old.py").write_text(source)
    for number in (1, 2):
        done = xenroll("port", "--verify", "--out", "new.py", "old.py")
        assert "verified: 1 of 1 requests" in done.stderr
        assert held(xenroll.folder / "store.p7c") == number
    assert repr(name) in (xenroll.folder / "new.py").read_text()
    assert str(xenroll.folder) not in (xenroll.folder / "new.py").read_text()


def test_a_file_store_of_a_confined_script_keeps_its_name(xenroll: Cli) -> None:
    script(xenroll, 'Enroll.MyStoreType = "File"\nEnroll.MyStoreName = "store.p7c"')
    done = xenroll("port", "--verify", "--folder", ".", "--out", "new.py", "old.vbs")
    assert "verified: 1 of 1 requests" in done.stderr
    assert held(xenroll.folder / "store.p7c") == 1
    assert "'store.p7c'" in (xenroll.folder / "new.py").read_text()


def test_a_file_store_with_an_absolute_name_is_left_alone_too(xenroll: Cli, tmp_path: Path) -> None:
    store = tmp_path / "elsewhere" / "store.p7c"
    store.parent.mkdir()
    script(xenroll, f'Enroll.MyStoreType = "File"\nEnroll.MyStoreName = "{store}"')
    xenroll("port", "--verify", "--folder", str(store.parent), "old.vbs")
    assert held(store) == 1


@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_pvk_file_is_written_by_the_script_alone(is_absolute: bool, xenroll: Cli) -> None:
    file = xenroll.folder / "key.pvk"
    name = str(file) if is_absolute else "key.pvk"
    (xenroll.folder / "old.vbs").write_text(
        'Set Enroll = CreateObject("CEnroll.CEnroll.2")\nEnroll.GenKeyFlags = 1\n'
        f'Enroll.PVKFileName = "{name}"\nWScript.Echo Enroll.createPKCS10("CN=x", "")\n'
    )
    done = xenroll("port", "--verify", "--folder", ".", "--out", "new.py", "old.vbs")
    assert "verified: 1 of 1 requests" in done.stderr
    assert repr(name) in (xenroll.folder / "new.py").read_text()
    assert sorted(one.name for one in xenroll.folder.iterdir()) == ["key.pvk", "new.py", "old.vbs"]


def test_a_pfx_is_made_in_the_trial_as_well(xenroll: Cli) -> None:
    script(xenroll, "Enroll.GenKeyFlags = 1", 'WScript.Echo Len(Enroll.createPFX("a secret of the run")) > 0')
    done = xenroll("port", "--verify", "--out", "new.py", "old.vbs")
    assert "verified: 1 of 1 requests" in done.stderr
    assert "a secret of the run" not in (xenroll.folder / "new.py").read_text()


def test_the_message_says_what_was_compared(xenroll: Cli) -> None:
    script(xenroll)
    told = xenroll("port", "--verify", "old.vbs").stderr
    assert "verified: 1 of 1 requests are the same but for keys and random parts; 1 of 1 keys are the same by place" in told
    assert "length, key specification, export policy" in told


def changed(port: Port, member: str, value: object) -> Port:
    """The port with another value in a put."""
    return replace(port, steps=tuple(
        replace(step, arguments=(Literal(value),)) if isinstance(step, Call) and step.member == member else step
        for step in port.steps
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("member", "value", "field"),
    [
        ("ExportPolicy", 0, "key 1: export policy"),
        ("KeyProtection", 1, "key 1: protection"),
        ("ContainerName", "another", "key 1: container"),
    ],
)
def test_what_no_request_shows_of_a_key_is_compared(member: str, value: object, field: str) -> None:
    def asked() -> None:
        enroll = control()
        enroll.GenKeyFlags = 1
        enroll.ContainerName = "box"
        enroll.createPKCS10("CN=x", "")

    with copied_profile() as before:
        run = run_of(asked)
        done = Done(run.requests, settings_of(run.entries))
        port = run.port()[0]
        assert verify(port, done, before, {}, frozenset()).is_equal
        found = verify(changed(port, member, value), done, before, {}, frozenset())
    assert [one.field for one in found.differences] == [field]
