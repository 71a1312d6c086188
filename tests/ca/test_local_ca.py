"""The local CA as an administrator and as several processes see it: requests, decisions, restarts."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certenroll.ca.base import (
    CAError,
    CertificationAuthority,
    Describer,
    Disposition,
    Finder,
    Revoker,
    SerialFinder,
    Submission,
)
from certenroll.ca.local import LocalCA
from certenroll.ca.policy import Policy
from certenroll.ca.templates import Mode
from keystores.base import KeyAlgorithm
from tests.ca.conftest import EC_KEY, Clock

MakeRequest = Callable[..., bytes]
ROOT = Path(__file__).resolve().parents[2]


def holding_ca(folder: Path) -> LocalCA:
    return LocalCA.create(folder / "ca", "Holding", host="h", algorithm=KeyAlgorithm.EC, bits=256, policy=Mode.HOLD)


def in_another_process(script: str, *arguments: str) -> str:
    """What a new interpreter prints when it runs a script on this checkout."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", script, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()


def test_it_is_a_certification_authority_with_every_capability(ca: LocalCA) -> None:
    for protocol in (CertificationAuthority, Finder, Revoker, SerialFinder, Describer):
        assert isinstance(ca, protocol)


def test_request_numbers_are_decimal_and_begin_with_1(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of()
    assert [ca.submit(Submission(request)).request_id for _ in range(3)] == ["1", "2", "3"]


def test_a_held_request_is_approved_in_another_process_and_retrieved(tmp_path: Path, request_of: MakeRequest) -> None:
    ca = holding_ca(tmp_path)
    held = ca.submit(Submission(request_of(), requester="CORP\\bob"))
    assert (held.disposition, held.status, held.message) == (Disposition.UNDER_SUBMISSION, 0, "Taken Under Submission")
    assert held.certificate is None
    script = (
        "import sys, pathlib; from certenroll.ca.local import LocalCA; ca = LocalCA(pathlib.Path(sys.argv[1]));"
        "print([row.requester for row in ca.pending()], ca.issue(ca.pending()[0].id.__str__()).disposition.name)"
    )
    assert in_another_process(script, str(tmp_path / "ca")) == "['CORP\\\\bob'] ISSUED"
    answer = ca.retrieve(held.request_id)
    assert answer.disposition is Disposition.ISSUED
    assert answer.certificate is not None
    assert ca.pending() == ()


def test_a_denied_request_says_why(tmp_path: Path, request_of: MakeRequest) -> None:
    ca = holding_ca(tmp_path)
    held = ca.submit(Submission(request_of()))
    ca.deny(held.request_id, "not on my list")
    answer = ca.retrieve(held.request_id)
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x80094014)
    assert answer.message == "Denied by the administrator: not on my list"


def test_an_administrator_may_issue_what_was_denied(tmp_path: Path, request_of: MakeRequest) -> None:
    ca = holding_ca(tmp_path)
    held = ca.submit(Submission(request_of()))
    ca.deny(held.request_id)
    assert ca.issue(held.request_id).disposition is Disposition.ISSUED


@pytest.mark.parametrize("step", ["issue", "deny"])
def test_an_issued_request_is_decided_once_and_stays_as_it_is(ca: LocalCA, request_of: MakeRequest, step: str) -> None:
    answer = ca.submit(Submission(request_of()))
    with pytest.raises(CAError) as caught:
        getattr(ca, step)(answer.request_id)
    assert caught.value.hresult == 0x80094003
    assert ca.retrieve(answer.request_id) == answer


@pytest.mark.parametrize("number", ["1", "0", "-1", "", "x", "1.0", "9" * 18, "9" * 30, "\u0661"])
def test_a_number_that_no_request_has_is_an_error(ca: LocalCA, number: str) -> None:
    with pytest.raises(CAError) as caught:
        ca.retrieve(number)
    assert caught.value.hresult == 0x80094002


def test_the_rules_hold_for_approved_requests_too(tmp_path: Path, request_of: MakeRequest) -> None:
    ca = holding_ca(tmp_path)
    answer = ca.submit(Submission(request_of(key=("rsa:1024",))))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x80094811)
    assert ca.issue(answer.request_id).status == 0x80094811


def test_everything_is_there_after_a_restart(tmp_path: Path, ca: LocalCA, request_of: MakeRequest) -> None:
    answer = ca.submit(Submission(request_of(), {"CertificateTemplate": "User"}, requester="CORP\\alice"))
    ca.close()
    again = LocalCA(tmp_path / "ca")
    assert again.config == "ca.test\\Test CA"
    assert again.retrieve(answer.request_id) == answer
    (row,) = again.requests(Disposition.ISSUED)
    assert (row.requester, row.template, dict(row.attributes)) == ("CORP\\alice", "User", {"CertificateTemplate": "User"})


def test_a_request_is_found_by_its_bytes(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of()
    assert ca.find(request) is None
    ca.submit(Submission(request))
    newest = ca.submit(Submission(request))
    assert ca.find(request) == newest
    assert ca.find(request + b"\0") is None


def test_a_certificate_is_found_by_its_serial_number(ca: LocalCA, request_of: MakeRequest) -> None:
    answer = ca.submit(Submission(request_of()))
    assert answer.certificate is not None
    assert ca.find_serial(x509.load_der_x509_certificate(answer.certificate).serial_number) == answer
    with pytest.raises(CAError) as caught:
        ca.find_serial(1)
    assert caught.value.hresult == 0x80094002


def test_what_is_no_request_is_remembered_as_an_error(ca: LocalCA) -> None:
    answer = ca.submit(Submission(b"\x30\x03\x02\x01\x00"))
    assert answer.disposition is Disposition.ERROR
    assert answer.status & 0xFFFF0000 == 0x80090000 or answer.status == 0x8007000D
    assert answer.message.startswith("Error Parsing Request: ")
    assert ca.retrieve(answer.request_id) == answer


def test_a_message_that_is_too_long_is_not_even_remembered(ca: LocalCA) -> None:
    with pytest.raises(CAError) as caught:
        ca.submit(Submission(bytes(1 + (1 << 20))))
    assert caught.value.hresult == 0x8007000D
    assert ca.requests() == ()


def test_eight_processes_may_submit_at_once_and_no_number_is_given_twice(
    ca: LocalCA, tmp_path: Path, request_of: MakeRequest
) -> None:
    request_of(key=EC_KEY)
    script = (
        "import sys, pathlib; from certenroll.ca.local import LocalCA; from certenroll.ca.base import Submission;"
        "ca = LocalCA(pathlib.Path(sys.argv[1])); request = pathlib.Path(sys.argv[2]).read_bytes();"
        "print(*(ca.submit(Submission(request)).request_id for _ in range(20)))"
    )
    arguments = [sys.executable, "-W", "error", "-c", script, str(tmp_path / "ca"), str(tmp_path / "request.der")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(8)]
    printed = [process.communicate()[0] for process in started]
    assert [process.returncode for process in started] == [0] * 8
    numbers = sorted(int(number) for line in printed for number in line.split())
    assert numbers == list(range(1, 161))
    assert len({row.serial for row in ca.requests(Disposition.ISSUED)}) == 160


def test_a_ca_survives_a_fork(ca: LocalCA, request_of: MakeRequest) -> None:
    request = request_of()
    ca.submit(Submission(request))
    child = os.fork()
    if child == 0:
        os._exit(0 if ca.submit(Submission(request)).request_id == "2" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert ca.submit(Submission(request)).request_id == "3"


def test_keys_and_database_are_for_the_owner_alone(ca: LocalCA, tmp_path: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "ca").rglob("*")}
    assert {modes[name] for name in ("ca.key", "root.key", "ca.db")} == {0o600}
    assert modes["private"] == 0o700
    pem = (tmp_path / "ca" / "private" / "ca.key").read_bytes()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert serialization.load_pem_private_key(pem, None)


def test_a_ca_is_made_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="equals sign") as bad_name:
        LocalCA.create(tmp_path / "one", "One", subject="no name at all")
    assert isinstance(getattr(bad_name.value, "hresult", None), int)
    with pytest.raises(CAError) as bad_key:
        LocalCA.create(tmp_path / "two", "Two", algorithm=KeyAlgorithm.EC, bits=2048)
    assert bad_key.value.hresult == 0x80070057
    assert list(tmp_path.iterdir()) == []


def test_a_ca_is_not_made_over_another(ca: LocalCA, tmp_path: Path) -> None:
    before = ca.certificates()
    with pytest.raises(CAError) as caught:
        LocalCA.create(tmp_path / "ca", "Other", algorithm=KeyAlgorithm.EC, bits=256)
    assert caught.value.hresult == 0x800700B7
    assert LocalCA(tmp_path / "ca").certificates() == before
    assert [path.name for path in tmp_path.iterdir()] == ["ca"]


@pytest.mark.parametrize("name", ["", "  "])
def test_a_ca_without_a_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CAError) as caught:
        LocalCA.create(tmp_path / "ca", name)
    assert caught.value.hresult == 0x80070057


@pytest.mark.parametrize("name", ['Müller "& Söhne", CA', "#YourName", "a+b=c;d<e>", "C" * 64])
def test_a_name_of_any_characters_is_the_common_name(tmp_path: Path, name: str) -> None:
    ca = LocalCA.create(tmp_path / "ca", name, host="h", algorithm=KeyAlgorithm.EC, bits=256)
    own = x509.load_der_x509_certificate(ca.certificates()[0])
    assert own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value == name
    assert LocalCA(tmp_path / "ca").config == f"h\\{name}"


def test_a_folder_without_a_ca_tells_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CAError, match="xenroll ca init") as caught:
        LocalCA(tmp_path)
    assert caught.value.hresult == 0x800706BA


def test_a_key_of_another_ca_does_not_sign(ca: LocalCA, tmp_path: Path, request_of: MakeRequest) -> None:
    private = tmp_path / "ca" / "private"
    (private / "ca.key").write_bytes((private / "root.key").read_bytes())
    with pytest.raises(CAError) as caught:
        LocalCA(tmp_path / "ca").submit(Submission(request_of()))
    assert caught.value.hresult == 0x80094005


def test_a_database_of_a_later_version_is_left_alone(ca: LocalCA, tmp_path: Path) -> None:
    import sqlite3

    ca.close()
    connection = sqlite3.connect(tmp_path / "ca" / "ca.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(CAError) as caught:
        LocalCA(tmp_path / "ca")
    assert caught.value.hresult == 0x800710D9


def test_a_policy_that_denies_everything_says_so(tmp_path: Path, request_of: MakeRequest) -> None:
    ca = LocalCA.create(tmp_path / "ca", "No", algorithm=KeyAlgorithm.EC, bits=256, policy=Policy(mode=Mode.DENY))
    answer = ca.submit(Submission(request_of()))
    assert (answer.disposition, answer.status) == (Disposition.DENIED, 0x80094014)


def test_no_secret_stands_in_the_representation_of_a_row(ca: LocalCA, request_of: MakeRequest, clock: Clock) -> None:
    ca.submit(Submission(request_of()))
    (row,) = ca.requests()
    assert "certificate=" not in repr(row)
    assert row.submitted == row.resolved == int(clock.now.timestamp())
