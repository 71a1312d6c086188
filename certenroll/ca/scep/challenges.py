"""Challenge passwords: what a client that has no certificate yet proves with that it may ask for one.

A challenge is good for any number of requests or for one, for ever or until an hour. The CA's database has the hashes alone
(scrypt, under one salt of the CA's), so that an administrator sees a challenge once, when it is made. Knows no request.

Source: RFC 8894 section 2.4; the page "Network Device Enrollment Service" (one use, sixty minutes).
"""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from certenroll.ca.base import CAError
from certenroll.ca.database import Database
from certenroll.ca.issuing import RandomBytes
from certenroll.hresults import HRESULT

ONCE_LIFETIME: Final = timedelta(hours=1)
SHORTEST: Final = 8  # characters of a challenge that somebody chose
LONGEST: Final = 255  # characters: pkcs-9-ub-challengePassword of RFC 2985
_OCTETS: Final = 16  # of chance in a challenge that is made here
_KEPT: Final = timedelta(days=30)  # one that is used up or over, for whoever asks what became of it
_WORK: Final = {"length": 32, "n": 1 << 14, "r": 8, "p": 1}  # scrypt: some fifty milliseconds, 16 MiB


@dataclass(frozen=True)
class Made:
    """A challenge that was just made.

    Attributes:
        number: by which an administrator names it.
        text: the challenge; nobody can ask for it again.
        expires: when it ceases to be good; None for never.
    """

    number: int
    text: str = field(repr=False)
    expires: datetime | None


@dataclass(frozen=True)
class Known:
    """What is known of a challenge.

    Attributes:
        number: by which an administrator names it.
        once: whether it is good for one request.
        made: when, in seconds since 1970.
        expires: when it ceases to be good; None for never.
        used: when a request used it up; None where none did.
    """

    number: int
    once: bool
    made: int
    expires: int | None
    used: int | None

    def is_good(self, now: int) -> bool:
        """Whether a request may use it at that time."""
        return self.used is None and (self.expires is None or now < self.expires)


class ChallengePasswords:
    """The challenges of a CA.

    Args:
        database: the CA's.
        clock: gives the time, in UTC.
        random: gives that many random bytes.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime], random: RandomBytes) -> None:
        self._database = database
        self._clock = clock
        self._random = random

    def make(self, *, once: bool = False, lifetime: timedelta | None = None, chosen: str | None = None) -> Made:
        """Makes a challenge, and forgets those that are used up or over for a month.

        Args:
            once: whether it is good for one request.
            lifetime: how long it is good; None for an hour where ``once``, else for ever.
            chosen: the challenge itself, where a device has one already; None for one of chance.

        Raises:
            CAError: E_INVALIDARG for a lifetime that is none, or a chosen one that is too short or too long.
        """
        moment = self._clock()
        span = ONCE_LIFETIME if once and lifetime is None else lifetime
        text = self._random(_OCTETS).hex().upper() if chosen is None else _checked(chosen)
        expires = _end(moment, span)
        digest, now = self._digest(text), int(moment.timestamp())
        values = (digest, once, now, None if expires is None else int(expires.timestamp()))
        with self._database.transaction() as connection:
            ended = "DELETE FROM scep_challenges WHERE coalesce(used, expires) < ?"
            connection.execute(ended, (int((moment - _KEPT).timestamp()),))
            add = "INSERT INTO scep_challenges (hash, once, made, expires) VALUES (?, ?, ?, ?)"
            number = connection.execute(add, values).lastrowid
        return Made(number or 0, text, expires)

    def known(self) -> tuple[Known, ...]:
        """All challenges that are remembered, the oldest first."""
        with self._database.transaction() as connection:
            return tuple(one for one, _ in _read(connection))

    def withdraw(self, number: int) -> None:
        """Makes a challenge good for nothing. Raises CAError (WIN32_NOT_FOUND) where there is none of that number."""
        with self._database.transaction() as connection:
            done = connection.execute("DELETE FROM scep_challenges WHERE id = ?", (number,)).rowcount
        if not done:
            raise CAError(HRESULT.WIN32_NOT_FOUND, f"this CA has no challenge {number}")

    def match(self, text: str) -> int | None:
        """The number of the good challenge with that text, or None. It takes as long, whichever it is and if any."""
        if not 0 < len(text) <= LONGEST:
            return None
        digest, now = self._digest(text), int(self._clock().timestamp())
        with self._database.transaction() as connection:
            found = [one.number for one, other in _read(connection) if hmac.compare_digest(other, digest) & one.is_good(now)]
        return found[0] if found else None

    def spend(self, connection: sqlite3.Connection, number: int) -> bool:
        """Uses a challenge up where it is good for one request.

        Args:
            connection: of the transaction in which the request is noted too.
            number: of the challenge.

        Returns:
            whether it was still good.
        """
        now = int(self._clock().timestamp())
        found = next((one for one, _ in _read(connection) if one.number == number), None)
        if found is None or not found.is_good(now):
            return False
        connection.execute("UPDATE scep_challenges SET used = ? WHERE id = ? AND once", (now, number))
        return True

    def _digest(self, text: str) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        with self._database.transaction() as connection:
            (salt,) = connection.execute("SELECT salt FROM scep_salt").fetchone()
        return Scrypt(salt=salt, **_WORK).derive(text.encode("utf-8", "surrogatepass"))


def _read(connection: sqlite3.Connection) -> list[tuple[Known, bytes]]:
    rows = connection.execute("SELECT id, once, made, expires, used, hash FROM scep_challenges ORDER BY id").fetchall()
    return [(Known(number, bool(once), made, expires, used), digest) for number, once, made, expires, used, digest in rows]


def _end(moment: datetime, span: timedelta | None) -> datetime | None:
    if span is None:
        return None
    if span <= timedelta():
        raise CAError(HRESULT.E_INVALIDARG, "a challenge is good for some time, or for ever")
    try:
        return moment + span
    except OverflowError:
        raise CAError(HRESULT.E_INVALIDARG, "no challenge is good as long as that") from None


def _checked(text: str) -> str:
    if not SHORTEST <= len(text) <= LONGEST:
        raise CAError(HRESULT.E_INVALIDARG, f"a challenge has {SHORTEST} to {LONGEST} characters")
    return text
