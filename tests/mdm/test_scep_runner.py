"""Runs: which server is asked, when again, when no more; what Status and ErrorCode tell of it; and renewal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certenroll.asn1.scep import MessageType
from certenroll.engine.opening import open_workspace
from certenroll.hresults import HRESULT
from certenroll.mdm.scep_runner import enrollments, run
from certenroll.mdm.scep_servers import MOST_SILENCES, addresses, pause
from certenroll.stores.certificates import CA, MY, ROOT
from certenroll.stores.properties import KEY_PROV_INFO, decode_key_info
from tests.mdm.scep_orders import (
    A_CERTIFICATE,
    A_REQUEST,
    CHALLENGE,
    NOTHING,
    Placed,
    Runs,
    left_over,
    nobody,
    order,
    settings,
    told,
    value,
)  # fmt: skip
from tests.stores.pki import NOW
from tests.support.scep_enrolling import sha1
from tests.support.scep_mock import CHALLENGE as MOCK_CHALLENGE
from tests.support.scep_mock import micromdm_server, mock_server
from tests.support.scep_responder import (
    DECRYPTS,
    PENDING,
    SIGNS,
    SUCCESS,
    Reply,
    ScepResponder,
    authority,
    damaged,
    refusal,
    root,
)

SMALL = {"KeyLength": "1024"}


@pytest.fixture
def server() -> Iterator[Placed]:
    with Placed() as started:
        yield started


# Servers -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.test/certsrv/mscep/mscep.dll", ("http://a.test/certsrv/mscep/mscep.dll/pkiclient.exe", None)),
        ("http://a.test/certsrv/mscep/mscep.dll/", ("http://a.test/certsrv/mscep/mscep.dll/pkiclient.exe", None)),
        ("http://a.test", ("http://a.test/pkiclient.exe", None)),
        ("https://a.test:8443/scep?ca=1", ("https://a.test:8443/scep/pkiclient.exe?ca=1", None)),
        ("http://a.test/cgi-bin/PKIClient.exe", (None,)),
    ],
)
def test_a_server_is_asked_where_windows_asks_it_and_at_its_url(url: str, expected: tuple[str | None, ...]) -> None:
    assert addresses(url) == tuple(one or url for one in expected)


@pytest.mark.parametrize("elsewhere", [(404, b""), (405, b"no"), (500, b"broken"), (200, b"<html>welcome</html>")])
def test_a_server_that_knows_no_pkiclient_is_asked_at_its_url(
    elsewhere: tuple[int, bytes], server: Placed, home: Path
) -> None:
    runs = Runs()
    server.elsewhere = elsewhere
    order(settings(server, **SMALL))
    assert runs.states() == ["installed"]
    assert server.visited == ["/scep/pkiclient.exe", "/scep"]
    assert told()[:3] == ("1", 0, server.url)


def test_a_server_that_knows_it_is_asked_nowhere_else(server: Placed, home: Path) -> None:
    runs = Runs()
    server.place = "/scep/pkiclient.exe"
    order(settings(server, **SMALL))
    server.reply_with(PENDING, SUCCESS)
    assert runs.states() == ["pending"]
    assert runs.states(after=5) == ["installed"]
    assert server.visited == ["/scep/pkiclient.exe"]
    assert value("RespondentServerUrl") == server.url


def test_servers_are_asked_in_turn_until_one_answers(server: Placed, home: Path) -> None:
    runs = Runs()
    with Placed(place="/elsewhere") as wrong:
        order(settings(f"{nobody()};{wrong.url}; {server.url};{nobody()}", sha1(server.ca.der).hex(), **SMALL))
        assert runs.states() == ["installed"]
        assert wrong.visited == ["/scep/pkiclient.exe", "/scep"]
    assert value("RespondentServerUrl") == server.url
    assert left_over() == A_CERTIFICATE


def test_a_signed_refusal_goes_to_no_other_server(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(refusal(2, "not you"))
    with Placed(ca=server.ca) as other:
        order(settings(f"{server.url};{other.url}", sha1(server.ca.der).hex(), **SMALL))
        assert runs.states() == ["failed"]
        assert other.visited == []
    assert told() == ("16", HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST, server.url, "")
    assert left_over() == NOTHING


def test_a_server_that_takes_no_message_is_followed_by_the_next(server: Placed, home: Path) -> None:
    runs = Runs()
    with Placed(ca=server.ca, page=(403, b"not here")) as other:
        order(settings(f"{other.url};{server.url}", sha1(server.ca.der).hex(), **SMALL))
        assert runs.states() == ["installed"]
        assert other.asked == []
    assert (value("RespondentServerUrl"), left_over()) == (server.url, A_CERTIFICATE)


def test_a_server_that_may_have_taken_the_message_is_asked_again_and_no_other(server: Placed, home: Path) -> None:
    """A second request could bring a second certificate."""
    runs = Runs()
    with Placed(ca=server.ca) as other:
        order(settings(f"{server.url};{other.url}", sha1(server.ca.der).hex(), **SMALL))
        server.page = (500, b"broken")
        assert runs.states() == ["accepted"]
        assert (told()[:2], left_over()) == (("32", 0x80190000 | 500), A_REQUEST)
        server.page = None
        assert runs.states(after=4) == []
        assert runs.states(after=1) == ["installed"]
        assert other.visited == []
    assert server.messages == [MessageType.CertPoll, MessageType.PKCSReq]  # it had none, and was sent the first message
    assert len({one.message.transaction_id for one in server.asked}) == 1
    assert left_over() == A_CERTIFICATE


@pytest.mark.parametrize("count", ["0", "2"])
def test_servers_out_of_reach_use_up_no_retry(count: str, home: Path) -> None:
    """RetryCount counts the polls of a request that waits; the pauses double."""
    runs = Runs()
    order(settings(nobody(), "11" * 20, RetryCount=count, RetryDelay="7"))
    found = [runs.states(after=after) for after in (0, 6, 1, 13, 1, 27, 1)]
    assert found == [["accepted"], [], ["accepted"], [], ["accepted"], [], ["accepted"]]
    assert told() == ("32", HRESULT.WIN32_CONNECTION_REFUSED, "", "")
    assert (left_over(), runs.enrollment().settings.challenge) == (NOTHING, CHALLENGE)


def test_an_order_outlives_days_without_a_network(server: Placed, home: Path) -> None:
    runs = Runs()
    away, server.place = server.place, "/nowhere"
    order(settings(server, RetryCount="0", **SMALL))
    for _ in range(3 * 24):
        assert set(runs.states(after=60)) <= {"accepted"}
    server.place = away
    assert runs.states(after=4 * 60) == ["installed"]
    assert (told()[:3], runs.enrollment().silences) == (("1", 0, server.url), 0)


def test_servers_that_never_answer_are_given_up_after_a_week(home: Path) -> None:
    runs, began = Runs(), NOW
    order(settings(nobody(), "11" * 20))
    while (due := runs.enrollment().due) is not None:
        runs.now = datetime.fromtimestamp(max(due, runs.now.timestamp()), UTC)
        runs()
    assert timedelta(days=6) < runs.now - began < timedelta(days=8)
    assert told() == ("16", HRESULT.WIN32_CONNECTION_REFUSED, "", "")
    assert (left_over(), runs.enrollment().settings.challenge) == (NOTHING, "")


@pytest.mark.parametrize(
    ("delay", "pauses"),
    [(1, [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]), (5, [5, 10, 20, 40, 80, 160, 240]), (1000, [240, 240]), (2**32, [240])],
)
def test_pauses_double_up_to_four_hours(delay: int, pauses: list[int]) -> None:
    assert [pause(number, delay) for number in range(1, len(pauses) + 1)] == pauses
    assert pause(MOST_SILENCES, delay) == 240


def test_a_server_of_another_ca_is_sent_nothing(server: Placed, home: Path) -> None:
    runs = Runs()
    order(settings(server, "11" * 20, **SMALL))
    assert runs.states() == ["failed"]
    assert (told(), server.asked, left_over()) == (("16", HRESULT.CRYPT_E_HASH_VALUE, "", ""), [], NOTHING)


@pytest.mark.parametrize(("legacy", "state"), [(False, "failed"), (True, "installed")])
def test_a_server_of_old_algorithms_is_asked_where_the_profile_says_so(
    legacy: bool, state: str, server: Placed, home: Path
) -> None:
    (home / "profile.toml").write_text(f"legacy_hashes = {str(legacy).lower()}\n")
    runs = Runs()
    server.capabilities = "POSTPKIOperation\n"
    order(settings(server, **SMALL))
    assert runs.states() == [state]
    assert told()[1] == (0 if legacy else HRESULT.NTE_BAD_ALGID)


# Waiting -------------------------------------------------------------------------------------------------------------


def test_polls_go_out_at_the_retry_delay_and_as_often_as_the_retry_count(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING)
    order(settings(server, RetryCount="2", RetryDelay="10", **SMALL))
    assert runs.states() == ["pending"]
    assert told() == ("2", 0, server.url, "")
    assert (runs.states(after=9.9), runs.states(after=0.1), runs.states(after=10)) == ([], ["pending"], ["failed"])
    assert server.messages == [MessageType.PKCSReq, MessageType.CertPoll, MessageType.CertPoll]
    assert (told(), left_over()) == (("16", HRESULT.WIN32_TIMEOUT, server.url, ""), NOTHING)
    assert runs(after=1000) == []


@pytest.mark.parametrize(("count", "polls"), [("0", 0), ("1", 1), ("30", 30), ("99", 30)])
def test_there_are_as_many_polls_as_the_retry_count_and_at_most_thirty(
    count: str, polls: int, server: Placed, home: Path
) -> None:
    runs = Runs()
    server.reply_with(PENDING)
    order(settings(server, RetryCount=count, RetryDelay="1", **SMALL))
    states = [one for _ in range(polls + 3) for one in runs.states(after=1)]
    assert states == ["pending"] * polls + ["failed"]
    assert server.messages == [MessageType.PKCSReq] + [MessageType.CertPoll] * polls


def test_a_certificate_that_comes_with_the_last_poll_is_installed(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING, PENDING, SUCCESS)
    order(settings(server, RetryCount="2", **SMALL))
    assert [runs.states(after=5) for _ in range(3)] == [["pending"], ["pending"], ["installed"]]
    assert told()[:3] == ("1", 0, server.url)
    assert len({one.message.transaction_id for one in server.asked}) == 1


def test_a_refusal_of_what_was_pending_ends_it(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING, refusal(2, "no: 0x80094014"))
    order(settings(server, **SMALL))
    assert (runs.states(), runs.states(after=5)) == (["pending"], ["failed"])
    assert (told()[1], left_over()) == (0x80094014, NOTHING)
    assert "no: 0x80094014" in enrollments(runs.workspace)[0].message


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (refusal(0), HRESULT.NTE_BAD_ALGID),
        (refusal(1), HRESULT.NTE_BAD_SIGNATURE),
        (refusal(2), HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
        (refusal(3), HRESULT.CERT_E_EXPIRED),
        (refusal(4), HRESULT.CERTSRV_E_NO_REQUEST),
        (refusal(None), HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST),
    ],
)
def test_every_refusal_ends_the_enrollment_with_its_code(reply: Reply, code: int, server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(reply)
    order(settings(server, **SMALL))
    assert runs.states() == ["failed"]
    assert (told(), left_over()) == (("16", code, server.url, ""), NOTHING)
    assert int(value("ErrorCode")) < 0
    assert runs.enrollment().settings.challenge == ""


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (damaged(), HRESULT.NTE_BAD_SIGNATURE),
        (Reply(nonce=b"x" * 16), HRESULT.NTE_BAD_DATA),
        (Reply(transaction_id="another"), HRESULT.CRYPT_E_NO_MATCH),
        (Reply(signer=root("somebody")), None),
    ],
)
def test_an_answer_that_is_not_the_servers_is_none(reply: Reply, code: int | None, server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(reply)
    order(settings(server, RetryCount="1", **SMALL))
    assert runs.states() == ["accepted"]
    status, error, respondent, _ = told()
    assert (status, respondent, runs.enrollment().settings.challenge) == ("32", "", CHALLENGE)
    assert error == (code if code is not None else error)
    server.reply_with(SUCCESS)
    assert runs.states(after=5) == ["installed"]
    assert told()[1] == 0


def test_a_poll_without_an_answer_does_not_count(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING)
    order(settings(server, RetryCount="1", **SMALL))
    runs()
    server.page = (503, b"later")
    assert [runs.states(after=after) for after in (5, 5, 10)] == [["pending"]] * 3
    assert told()[:2] == ("2", 0x80190000 | 503)
    server.page = None
    assert runs.states(after=20) == ["failed"]
    assert told()[1] == HRESULT.WIN32_TIMEOUT


def test_a_server_that_repeats_the_challenge_does_not_bring_it_into_the_record(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(refusal(2, f"no, {CHALLENGE} is not it"))
    order(settings(server, **SMALL))
    assert [one.message for one in runs()] == ["no, [challenge] is not it"]


def test_a_run_does_what_is_due_and_nothing_else(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING)
    order(settings(server, RetryDelay="5", **SMALL), "early")
    runs()
    runs.now += timedelta(minutes=4)
    order(settings(server, **SMALL), "late")
    assert [one.name for one in runs()] == ["late"]
    assert [one.name for one in runs(after=1)] == ["early"]
    assert [one.name for one in enrollments(runs.workspace)] == ["early", "late"]


def test_a_clock_of_ones_own_says_what_is_due(server: Placed, home: Path) -> None:
    runs = Runs()
    server.reply_with(PENDING, SUCCESS)
    order(settings(server, **SMALL))
    runs()
    assert run(runs.workspace, clock=lambda: NOW + timedelta(minutes=4)) == []
    assert [one.state for one in run(runs.workspace, clock=lambda: NOW + timedelta(minutes=5))] == ["installed"]


def test_what_stands_in_no_record_is_not_asked_for(home: Path) -> None:
    assert (Runs()(), enrollments(open_workspace())) == ([], [])


# What is installed ---------------------------------------------------------------------------------------------------


def test_the_chain_is_installed_and_the_root_trusted_by_its_thumbprint(home: Path) -> None:
    top = root("top")
    from tests.stores.pki import key, make

    issuing = make("issuing", top, ca=True, private=key("issuing", 2048))
    signing, opening = authority(issuing, "signs", SIGNS), authority(issuing, "opens", DECRYPTS)
    with ScepResponder(ca=issuing, signature=signing, encryption=opening, chain=(top,)) as server:
        runs = Runs()
        order(settings(server, sha1(top.der).hex(), **SMALL))
        assert runs.states() == ["installed"]
    held = runs.workspace.certificates
    assert [one.der for one in held.list(ROOT)] == [top.der]
    assert [one.der for one in held.list(CA)] == [issuing.der]
    assert value("CertThumbprint") != ""


def test_a_named_container_has_the_key(server: Placed, home: Path) -> None:
    runs = Runs()
    order(settings(server, ContainerName="vpn", **SMALL))
    runs()
    (found,) = runs.workspace.certificates.list(MY)
    assert decode_key_info(found.properties[KEY_PROV_INFO]).container == "vpn"


def test_a_container_that_is_there_is_left_alone(server: Placed, home: Path) -> None:
    runs = Runs()
    order(settings(server, ContainerName="vpn", **SMALL))
    order(settings(server, ContainerName="vpn", **SMALL), "two")
    assert runs.states() == ["installed", "failed"]
    assert (told("two")[1], left_over()) == (HRESULT.NTE_EXISTS, A_CERTIFICATE)


def test_a_certificate_may_have_alternative_names_alone(server: Placed, home: Path) -> None:
    runs = Runs()
    order(settings(server, SubjectName="", SubjectAlternativeNames="3+host.example", **SMALL))
    assert [(one.state, one.message) for one in runs()] == [("installed", "")]


def test_no_secret_is_logged(server: Placed, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    runs = Runs()
    server.reply_with(refusal(2, "no"))
    with caplog.at_level(logging.DEBUG):
        order(settings(server, **SMALL))
        outcomes = runs()
    assert CHALLENGE not in caplog.text + repr(outcomes)


# Other people's servers ----------------------------------------------------------------------------------------------


def _real(url: str, ca: bytes, **changes: str) -> dict[str, str]:
    return settings(url, sha1(ca).hex(), Challenge=MOCK_CHALLENGE, RetryDelay="1", **changes)


def test_a_server_by_another_hand_issues_lets_wait_and_refuses(home: Path) -> None:
    with mock_server("--ra", "--pending", "2") as server:
        runs = Runs(datetime.now(UTC))
        order(_real(server.url, server.ca, SubjectAlternativeNames="3+host.example;11+alice@corp.example"), "now")
        order(_real(server.url, server.ca, SubjectName="CN=pend", ValidPeriodUnits="30"), "later")
        order(_real(server.url, server.ca, SubjectName="CN=fail2"), "never")
        assert [one.state for one in sorted(runs(), key=lambda one: one.name)] == ["pending", "failed", "installed"]
        assert [runs.states(after=1), runs.states(after=1)] == [["pending"], ["installed"]]
        assert value("Status", "never") == "16"
        assert f"challenge '{MOCK_CHALLENGE}'" in server.log.read_text()


def test_micromdms_scepserver_issues_and_wants_its_challenge_for_a_renewal(home: Path) -> None:
    """It stands at exactly /scep. What it issued stays, and the renewal is tried again later."""
    with micromdm_server() as server:
        runs = Runs(datetime.now(UTC))
        order(_real(server.url, server.ca))
        (first,) = runs()
        assert (first.state, first.message) == ("installed", "")
        assert told()[2:] == (server.url, first.thumbprint)
        assert first.due is not None
        runs.now = first.due
        (second,) = runs()
    assert (second.state, second.thumbprint) == ("installed", first.thumbprint)
    assert second.error == HRESULT.CERTSRV_E_ADMIN_DENIED_REQUEST
    assert second.due is not None
    assert second.due > runs.now
    assert left_over() == A_CERTIFICATE
