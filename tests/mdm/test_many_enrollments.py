"""Many enrollments that are due at once: one run does them all, and a thousand take ten times as long as a hundred.

Keys are RSA, as SCEP's messages are encrypted for them, of 1024 bits: what is measured is the profile and not the making of
primes. The server is a thread of this process.
"""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from certenroll.mdm.scep_runner import Outcome, enrollments
from tests.mdm.scep_orders import Placed, Runs, left_over, order, settings
from tests.support.profiles import orphans
from tests.support.scep_responder import PENDING, SUCCESS

_MOST = 3.0  # how many times as long one of a thousand may take as one of a hundred


def ordered(server: Placed, numbers: range) -> None:
    for number in numbers:
        name = f"profile-{number:04}"
        order(settings(server, SubjectName=f"CN={name}", KeyLength="1024"), name)


def timed(runs: Runs, after: timedelta) -> tuple[list[Outcome], float]:
    began = time.monotonic()
    found = runs(after=after)
    return found, time.monotonic() - began


def check_all(server: Placed, runs: Runs, count: int) -> None:
    """Each enrollment has its own certificate and key, of one transaction."""
    found = enrollments(runs.workspace)
    assert [one.state for one in found] == ["installed"] * count
    assert len({one.thumbprint for one in found}) == count
    assert len({one.message.transaction_id for one in server.asked}) == count
    assert (left_over(), orphans()) == ((count, 0, count, 0), [])


def test_a_run_does_all_that_are_due(home: Path) -> None:
    with Placed() as server:
        runs = Runs()
        server.place = "/scep/pkiclient.exe"
        ordered(server, range(12))
        server.reply_with(*[PENDING] * 12, SUCCESS)
        assert runs.states() == ["pending"] * 12
        assert runs.states(after=5) == ["installed"] * 12
        check_all(server, runs, 12)


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
def test_a_thousand_enrollments_that_wait_take_no_longer_each_than_a_hundred(home: Path) -> None:
    """A hundred are ordered, wait and are polled; then nine hundred more, until all thousand are installed."""
    with Placed() as server:
        runs = Runs()
        server.place = "/scep/pkiclient.exe"
        server.reply_with(PENDING)
        ordered(server, range(100))
        first, seconds = timed(runs, timedelta())
        few = seconds / len(first)
        ordered(server, range(100, 1000))
        rest, seconds = timed(runs, timedelta())
        many = seconds / len(rest)
        server.reply_with(SUCCESS)
        done, seconds = timed(runs, timedelta(minutes=5))
        assert (len(first), len(rest), len(done)) == (100, 900, 1000)
        check_all(server, runs, 1000)
    print(
        f"\n{few * 1000:.0f} ms each for 100, {many * 1000:.0f} ms for 900 more, {seconds:.0f} ms for each of 1000"
    )
    assert many < _MOST * few
