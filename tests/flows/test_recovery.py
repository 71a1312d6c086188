"""What recovery does and leaves alone in single cases: other people's keys, CAs that cannot be asked, refusals, options."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import certenroll
from certenroll import ComError, facade
from certenroll.ca import directory
from certenroll.ca.base import Answer, CAError, Disposition, Submission
from certenroll.ca.local import LocalCA
from certenroll.ca.templates import Mode
from certenroll.engine.opening import open_workspace
from certenroll.engine.submission import submit
from certenroll.stores.journal import Journal
from certenroll.stores.profile import open_profile
from certenroll.stores.states import State
from keystores.base import KeyAlgorithm, KeyTemplate
from tests.flows import script
from tests.flows.conftest import close_profile
from tests.flows.script import Wish
from tests.support.ca import times_asked
from tests.support.profiles import keys, make_ca, orphans, rows
from tests.support.softhsm import SoftToken

RunStep = Callable[..., int]
CONFIG = "elsewhere\\Far CA"


@dataclass
class FarCA:
    """A CA behind a line that fails as a test wants: a transport as any other, on top of the local CA."""

    near: LocalCA
    config: str = CONFIG
    before: CAError | None = None  # the line fails before the request is through
    after: CAError | None = None  # or on the way back
    seen: list[Submission] = field(default_factory=list)

    def submit(self, submission: Submission) -> Answer:
        if self.before is not None:
            raise self.before
        self.seen.append(submission)
        answer = self.near.submit(submission)
        if self.after is not None:
            raise self.after
        return answer

    def retrieve(self, request_id: str) -> Answer:
        return self.near.retrieve(request_id)

    def certificates(self) -> Sequence[bytes]:
        return self.near.certificates()


class AskedCA(FarCA):
    """One that can be asked whether it had a request."""

    def find(self, request: bytes) -> Answer | None:
        if self.before is not None:
            raise self.before
        return self.near.find(request)


NO_LINE = CAError(0x800706BA, "no line")
CUT_OFF = CAError(0x800706BA, "the line was cut", uncertain=True)


@pytest.fixture
def far(profile: Path, monkeypatch: pytest.MonkeyPatch) -> AskedCA:
    """The profile's default CA, at the end of a line."""
    profile.mkdir()
    (profile / "profile.toml").write_text(f"default_ca = '{CONFIG}'\n[cas.'{CONFIG}']\ntransport = 'far'\n")
    authority = AskedCA(make_ca())
    monkeypatch.setitem(directory.TRANSPORTS, "far", lambda profile, entry: authority)
    return authority


def the_state() -> State:
    (record,) = open_workspace().requests.list()
    return record.state


def refused(wish: Wish) -> certenroll.IX509Enrollment:
    enrollment: certenroll.IX509Enrollment = script.new_enrollment(wish)
    with pytest.raises(ComError):
        enrollment.Enroll()
    return enrollment


def test_a_request_that_certainly_was_not_sent_is_made_again_and_can_be_sent_later(far: AskedCA, tmp_path: Path) -> None:
    far.before = NO_LINE
    enrollment = refused(Wish(tmp_path, 3))
    assert the_state() is State.MADE
    far.before = None
    enrollment.Enroll()
    assert len(far.seen) == 1
    assert the_state() is State.INSTALLED


def test_a_request_that_may_have_been_sent_is_asked_for_and_not_sent_again(far: AskedCA, tmp_path: Path) -> None:
    far.after = CUT_OFF
    enrollment = refused(Wish(tmp_path, 3))
    assert the_state() is State.SUBMITTING
    far.after = None
    enrollment.Enroll()
    assert len(far.seen) == 1
    assert the_state() is State.INSTALLED


def test_a_request_that_was_lost_on_the_way_is_sent_again_with_the_attributes_of_the_first_time(
    far: AskedCA, tmp_path: Path
) -> None:
    far.before = CUT_OFF
    enrollment = script.new_enrollment(Wish(tmp_path, 3))
    pair = certenroll.Dispatch("X509Enrollment.CX509NameValuePair")
    pair.Initialize("CertificateTemplate", "WebServer")
    enrollment.NameValuePairs.Add(pair)
    with pytest.raises(ComError):
        enrollment.Enroll()
    far.before = None
    (pending,) = facade.pending_requests()
    facade.retrieve_pending(str(pending.id))
    assert [submission.attributes for submission in far.seen] == [{"CertificateTemplate": "WebServer"}]


def test_a_ca_that_cannot_be_asked_is_never_sent_the_request_twice(far: AskedCA, tmp_path: Path) -> None:
    directory.TRANSPORTS["far"] = lambda profile, entry: mute  # the fixture puts it back
    mute = FarCA(far.near, after=CUT_OFF)
    enrollment = refused(Wish(tmp_path, 3))
    mute.after = None
    with pytest.raises(ComError, match="cannot be asked"):
        enrollment.Enroll()
    assert the_state() is State.SUBMITTING
    assert len(mute.seen) == 1
    assert orphans() == []


def test_an_interrupted_request_stays_as_it_is_while_its_ca_is_away(
    far: AskedCA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    far.after = CUT_OFF
    refused(Wish(tmp_path, 3))
    far.before = NO_LINE
    (pending,) = facade.pending_requests()
    with pytest.raises(CAError):
        facade.retrieve_pending(str(pending.id))
    assert the_state() is State.SUBMITTING
    far.before = far.after = None
    facade.retrieve_pending(str(pending.id))
    assert len(far.seen) == 1
    assert the_state() is State.INSTALLED


def test_a_request_that_another_process_is_sending_is_left_to_it(far: AskedCA, tmp_path: Path) -> None:
    far.after = CUT_OFF
    refused(Wish(tmp_path, 3))
    workspace = open_workspace()
    (record,) = workspace.requests.list()
    # Process 1 runs as long as the machine does.
    boot, namespace, _, _ = record.owner.split(" ")
    began = Path("/proc/1/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    workspace.profile.database.execute("UPDATE requests SET owner = ?", (f"{boot} {namespace} 1 {began}",))
    with pytest.raises(ComError) as caught:
        submit(workspace, record, {})
    assert caught.value.hresult & 0xFFFFFFFF == 0x800700AA


@pytest.mark.parametrize("policy", [Mode.DENY, Mode.HOLD])
def test_a_refusal_that_is_killed_at_any_write_leaves_no_key(
    profile: Path, tmp_path: Path, run_step: RunStep, monkeypatch: pytest.MonkeyPatch, policy: Mode
) -> None:
    code = -signal.SIGKILL
    number = 0
    while code != 0:
        number += 1
        monkeypatch.setenv("XENROLL_HOME", str(tmp_path / f"home{number}"))
        authority, wish = make_ca(policy), Wish(tmp_path, 3)
        step = "enroll"
        if policy is Mode.HOLD:
            run_step(step, wish)
            authority.deny("1")
            step = "retrieve"
        code = run_step(step, wish, XENROLL_FAULT_AT=str(number))
        for request in facade.pending_requests():
            if request.state == "made":
                facade.remove_pending(request.thumbprint)
            else:
                facade.retrieve_pending(str(request.id))
        assert facade.pending_requests() == []
        assert facade.certificates("REQUEST") == []
        assert keys()["software"] == []
        assert rows("intents")["intents"] == []
        assert set(times_asked(tmp_path / f"home{number}" / "ca").values()) <= {1}
        close_profile()
    assert number > 4


def test_a_key_that_was_there_before_outlives_a_crash_in_the_creation_of_another_of_its_name(
    profile: Path, tmp_path: Path, run_step: RunStep
) -> None:
    from keystores.base import Scope
    from keystores.software import SoftwareKeyStore

    make_ca()
    software = SoftwareKeyStore(profile / "keys" / "software", Scope.USER)
    theirs = software.create("theirs", KeyTemplate(KeyAlgorithm.EC, 256)).info
    for number in (1, 2, 3):
        assert run_step("create", Wish(tmp_path, 3, container="theirs"), XENROLL_FAULT_AT=str(number)) == -signal.SIGKILL
    facade.pending_requests()
    assert software.open("theirs").info == theirs
    assert rows("intents")["intents"] == []


def test_the_stores_that_a_script_named_are_those_that_recovery_installs_to(far: AskedCA, tmp_path: Path) -> None:
    far.after = CUT_OFF
    enrollment = script.new_enrollment(Wish(tmp_path, 3))
    facade.configure(enrollment, my_store="WebHosting", ca_store="Intermediates", request_store="Waiting")
    with pytest.raises(ComError):
        enrollment.Enroll()
    far.after = None
    (pending,) = facade.pending_requests()
    facade.retrieve_pending(str(pending.id))
    assert len(facade.certificates("WebHosting")) == 1
    assert len(facade.certificates("Intermediates")) == 1
    assert [facade.certificates(name) for name in ("MY", "CA", "Waiting", "REQUEST")] == [[], [], [], []]


def test_a_refused_request_leaves_the_store_that_the_script_named(profile: Path, tmp_path: Path) -> None:
    make_ca(Mode.DENY)
    enrollment = script.new_enrollment(Wish(tmp_path, 3))
    facade.configure(enrollment, request_store="Waiting")
    enrollment.Enroll()
    assert enrollment.Status.Status == certenroll.EnrollmentEnrollStatus.EnrollDenied
    assert facade.certificates("Waiting") == []
    assert keys()["software"] == []


def test_a_key_on_a_card_that_is_away_is_deleted_when_it_is_back(
    profile: Path, tmp_path: Path, with_card: SoftToken, run_step: RunStep
) -> None:
    make_ca()
    with_card.store().create("web", KeyTemplate(KeyAlgorithm.EC, 256))
    journal = Journal(open_profile().database)
    journal.release(journal.begin("delete-key", {"container": "web", "stores": "smartcard"}))
    wish = Wish(tmp_path, 4)
    run_step("look", wish, XENROLL_PKCS11_TOKEN="pkcs11:token=another")
    assert [info.container for info in with_card.store().list()] == ["web"]
    run_step("look", wish, XENROLL_PIN="")
    assert [info.container for info in with_card.store().list()] == ["web"]
    run_step("look", wish)
    assert list(with_card.store().list()) == []
    assert journal.unconfirmed() == []


def test_an_intent_of_a_later_version_is_left_alone(profile: Path) -> None:
    make_ca()
    journal = Journal(open_profile().database)
    journal.release(journal.begin("something new", {}))
    facade.pending_requests()
    assert [intent.kind for intent in journal.unconfirmed()] == ["something new"]


def test_an_answer_that_cannot_be_read_stays_and_does_not_keep_the_profile_from_opening(
    far: AskedCA, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = Answer(Disposition.ISSUED, "7", full_response=b"\x30\x03\x02\x01\x01")
    far.near.submit = lambda submission: garbage  # type: ignore[method-assign]
    refused(Wish(tmp_path, 3))
    assert the_state() is State.ISSUED
    workspace = open_workspace()
    workspace.profile.database.execute("UPDATE requests SET owner = ''")
    from certenroll.engine.recovery import recover

    recover(workspace)
    assert "could not be resumed" in caplog.text
    assert the_state() is State.ISSUED
